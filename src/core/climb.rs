//! One way up a ladder: which signal is due, and when the next one is.
//!
//! A rung is left only by its deadline or because the operator asks. No signal is due twice, SIGKILL excepted, which
//! is repeated for as long as anything lives.

use std::time::Duration;

use super::bot::{Ladder, Rung};
use super::moment::Moment;
use super::signal::Signal;

/// The first repetition of SIGKILL comes this long after the first; each further wait doubles.
const KILL_AGAIN: Duration = Duration::from_millis(20);
/// No wait between two SIGKILLs is longer.
const KILL_AGAIN_MAX: Duration = Duration::from_secs(1);

/// Whoever has been left to an ancestor that catches the signal, and has most likely not been told by it, gets it this
/// long before the end of the rung (or at half of a short one). Sooner, and a child that was told and takes its time
/// would be told twice; never, and the child of a wrapper that forwards nothing would know nothing before SIGKILL.
const SWEEP: Duration = Duration::from_secs(5);

/// How far up its ladder a stop is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Climb {
    rungs: Vec<Rung>,
    rung: usize,
    entered: Moment,
    swept: bool,
    kills: u32,
    last_kill: Moment,
    survived: bool,
}

/// What a climb wants done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new rung: its signal goes to the heads of the tree.
    Rung(Signal),
    /// The same rung, its time nearly gone: whoever has not had the signal gets it.
    Sweep(Signal),
    /// SIGKILL, to everything, again.
    KillAgain,
    /// The last rung's time is over, and something lives.
    Survived,
}

impl Climb {
    /// At the foot of this ladder. The first signal is due at once; the caller sends it.
    pub fn begin(ladder: &Ladder, now: Moment) -> Self {
        Self { rungs: ladder.0.clone(), rung: 0, entered: now, swept: false, kills: 0, last_kill: now, survived: false }
    }

    /// The signal of the rung it stands on.
    pub fn signal(&self) -> Signal {
        self.rungs.get(self.rung).map_or(Signal::KILL, |rung| rung.signal)
    }

    /// The next rung's signal and when it is due; nothing on the last one.
    pub fn next(&self) -> Option<(Signal, Moment)> {
        let next = self.rungs.get(self.rung + 1)?;
        Some((next.signal, self.rung_ends()))
    }

    /// Whether the ladder is at its end and something still lived.
    pub fn survived(&self) -> bool {
        self.survived
    }

    /// When the time of the last rung will be over.
    pub fn ends(&self) -> Moment {
        self.rungs.iter().skip(self.rung + 1).fold(self.rung_ends(), |at, rung| at.plus(rung.wait))
    }

    /// Goes up one rung because somebody asked; nothing on the last one.
    pub fn up(&mut self, now: Moment) -> Option<Step> {
        if self.rung + 1 >= self.rungs.len() {
            return None;
        }
        self.rung += 1;
        self.enter(now);
        Some(Step::Rung(self.signal()))
    }

    /// Goes straight to SIGKILL; nothing if it is there already.
    pub fn kill(&mut self, now: Moment) -> Option<Step> {
        if self.signal() == Signal::KILL {
            return None;
        }
        self.rungs = Ladder::kill().0;
        self.rung = 0;
        self.enter(now);
        Some(Step::Rung(Signal::KILL))
    }

    /// From now on it is that of an emergency stop: a rung that has had as much time already is over.
    pub fn hurry(&mut self, cap: Duration) {
        self.rungs = Ladder(std::mem::take(&mut self.rungs)).in_an_emergency(cap).0;
    }

    /// What is due by now.
    pub fn tick(&mut self, now: Moment) -> Option<Step> {
        if now >= self.rung_ends() {
            if self.rung + 1 < self.rungs.len() {
                return self.up(now);
            }
            if !self.survived {
                self.survived = true;
                return Some(Step::Survived);
            }
        }
        if self.signal() == Signal::KILL {
            if now >= self.kill_again_at() {
                self.kills = self.kills.saturating_add(1);
                self.last_kill = now;
                return Some(Step::KillAgain);
            }
            return None;
        }
        if !self.swept && now >= self.sweep_at() {
            self.swept = true;
            return Some(Step::Sweep(self.signal()));
        }
        None
    }

    /// When [`Climb::tick`] next has something to say; nothing where all that is left is to wait for the end.
    pub fn deadline(&self) -> Option<Moment> {
        let last = self.rung + 1 >= self.rungs.len();
        let ends = (!last || !self.survived).then(|| self.rung_ends());
        let between = if self.signal() == Signal::KILL {
            Some(self.kill_again_at())
        } else if self.swept {
            None
        } else {
            Some(self.sweep_at())
        };
        match (ends, between) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn enter(&mut self, now: Moment) {
        self.entered = now;
        self.swept = false;
        self.kills = 0;
        self.last_kill = now;
        self.survived = false;
    }

    fn wait(&self) -> Duration {
        self.rungs.get(self.rung).map_or(Duration::ZERO, |rung| rung.wait)
    }

    fn rung_ends(&self) -> Moment {
        self.entered.plus(self.wait())
    }

    fn sweep_at(&self) -> Moment {
        let before_the_end = SWEEP.min(self.wait() / 2);
        self.entered.plus(self.wait().saturating_sub(before_the_end))
    }

    fn kill_again_at(&self) -> Moment {
        let wait = KILL_AGAIN.saturating_mul(1 << self.kills.min(10)).min(KILL_AGAIN_MAX);
        self.last_kill.plus(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::at(Duration::from_millis(ms))
    }

    fn ladder(rungs: &[(Signal, u64)]) -> Ladder {
        Ladder(rungs.iter().map(|(signal, ms)| Rung { signal: *signal, wait: Duration::from_millis(*ms) }).collect())
    }

    /// Follows the climb from deadline to deadline up to `until`, as the keeper does.
    fn follow(climb: &mut Climb, until: Moment) -> Vec<(Moment, Step)> {
        let mut steps = Vec::new();
        while let Some(due) = climb.deadline().filter(|due| *due <= until) {
            let step = climb.tick(due).expect("a deadline has a reason");
            steps.push((due, step));
        }
        steps
    }

    #[test]
    fn a_short_rung_is_swept_at_half_time_and_left_at_its_end() {
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 1000), (Signal::KILL, 100)]), at(0));
        assert_eq!(climb.next(), Some((Signal::KILL, at(1000))));
        assert_eq!(
            follow(&mut climb, at(1000)),
            [(at(500), Step::Sweep(Signal::TERM)), (at(1000), Step::Rung(Signal::KILL))]
        );
    }

    #[test]
    fn a_long_rung_is_swept_shortly_before_its_end() {
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 30_000), (Signal::KILL, 100)]), at(0));
        assert_eq!(follow(&mut climb, at(29_999)), [(at(25_000), Step::Sweep(Signal::TERM))]);
    }

    #[test]
    fn sigkill_is_repeated_for_ever_and_survival_is_said_once() {
        let mut climb = Climb::begin(&Ladder::kill(), at(0));
        let steps = follow(&mut climb, at(60_000));
        assert_eq!(steps.iter().filter(|(_, step)| *step == Step::Survived).count(), 1);
        assert!(steps.iter().filter(|(_, step)| *step == Step::KillAgain).count() > 50);
        assert!(climb.survived() && climb.deadline().is_some());
    }

    #[test]
    fn a_ladder_without_sigkill_ends_in_waiting() {
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 100)]), at(0));
        assert_eq!(follow(&mut climb, at(60_000)).last(), Some(&(at(100), Step::Survived)));
        assert_eq!(climb.deadline(), None);
        assert_eq!(climb.kill(at(70_000)), Some(Step::Rung(Signal::KILL)));
        assert!(!climb.survived());
    }

    #[test]
    fn asking_goes_up_one_rung_and_no_further_than_the_last() {
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 1000), (Signal::KILL, 100)]), at(0));
        assert_eq!(climb.up(at(10)), Some(Step::Rung(Signal::KILL)));
        assert_eq!(climb.up(at(20)), None);
        assert_eq!(climb.kill(at(20)), None);
    }

    #[test]
    fn in_an_emergency_no_rung_waits_longer_and_the_last_one_is_sigkill() {
        let cap = Duration::from_secs(10);
        let mut climb =
            Climb::begin(&ladder(&[("SIGINT".parse().expect("a signal"), 2_000), (Signal::TERM, 30_000)]), at(0));
        assert_eq!(climb.up(at(1_000)), Some(Step::Rung(Signal::TERM)));
        climb.hurry(cap);
        assert_eq!(climb.ends(), at(16_000));
        assert_eq!(
            follow(&mut climb, at(11_000)),
            [(at(6_000), Step::Sweep(Signal::TERM)), (at(11_000), Step::Rung(Signal::KILL))]
        );
        // One that has waited for longer already is over at once.
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 30_000), (Signal::KILL, 100)]), at(0));
        climb.hurry(cap);
        assert_eq!(climb.tick(at(12_000)), Some(Step::Rung(Signal::KILL)));
    }

    #[test]
    fn rungs_that_wait_for_nothing_are_all_climbed() {
        let mut climb = Climb::begin(&ladder(&[(Signal::TERM, 0), (Signal::KILL, 0)]), at(0));
        let steps = follow(&mut climb, at(0));
        assert_eq!(steps.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [Step::Rung(Signal::KILL), Step::Survived]);
    }
}
