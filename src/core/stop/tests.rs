//! The procedure, first as sentences, then on long random walks through a world in which anything may go wrong.

use fastrand::Rng;

use super::super::bot::Rung;
use super::*;

fn at(ms: u64) -> Moment {
    Moment::at(Duration::from_millis(ms))
}

fn ladder() -> Ladder {
    Ladder(vec![
        Rung { signal: Signal::TERM, wait: Duration::from_secs(1) },
        Rung { signal: Signal::KILL, wait: Duration::from_secs(1) },
    ])
}

fn seen(keeper: KeeperSeen, own: Own, strays: usize) -> Input {
    Input::Seen(Sighting { keeper, own, strays, shared: 0 })
}

fn answers(state: State) -> KeeperSeen {
    KeeperSeen::Answers(state)
}

/// Feeds a course one answer after the other, each beside the effect that it must lead to.
#[track_caller]
fn follow(wish: Wish, steps: Vec<(Input, Effect)>) -> Course {
    let (mut course, _) = Course::begin(wish, ladder());
    for (input, effect) in steps {
        let told = format!("{input:?}");
        assert_eq!(course.next(input, at(0)), effect, "after {told}");
    }
    course
}

const LOOK: Effect = Effect::Look(Depth::Keeper);
const SEARCH: Effect = Effect::Look(Depth::All);

#[test]
fn a_bot_with_a_keeper_is_told_at_once_and_everything_is_looked_at_when_it_has_ended() {
    let course = follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(answers(State::Running), Own::AtRest, 0), Effect::Ask(Wish::Stop)),
            (Input::Asked(Asked::Accepted), SEARCH),
            (seen(answers(State::Stopping), Own::AtRest, 0), Effect::Listen(at(2000))),
            (Input::Heard(Heard::Ending(Duration::from_secs(30))), Effect::Listen(at(32_000))),
            (Input::Heard(Heard::Empty), SEARCH),
            (seen(KeeperSeen::None, Own::AtRest, 0), Effect::Finish(StopOutcome::Stopped)),
        ],
    );
    assert_eq!(course.errors().count(), 0);
}

#[test]
fn nothing_is_started_beside_what_may_be_its_own_or_anothers() {
    let shared = |keeper, own| Input::Seen(Sighting { keeper, own, strays: 0, shared: 1 });
    follow(
        Wish::Restart,
        vec![
            (seen(answers(State::Running), Own::AtRest, 0), SEARCH),
            (shared(answers(State::Running), Own::AtRest), Effect::Ask(Wish::Stop)),
        ],
    );
    follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(answers(State::Running), Own::AtRest, 0), Effect::Ask(Wish::Stop)),
            (Input::Asked(Asked::Accepted), SEARCH),
            (shared(answers(State::Stopping), Own::AtRest), Effect::Listen(at(2000))),
            (Input::Heard(Heard::Empty), SEARCH),
            (shared(KeeperSeen::None, Own::AtRest), Effect::Finish(StopOutcome::Stopped)),
        ],
    );
}

#[test]
fn a_keeper_that_hangs_and_outlives_sigkill_does_not_keep_its_bot_alive() {
    let silent = || seen(KeeperSeen::Silent("silent".into()), Own::Lives, 0);
    let end_keeper = || Effect::EndKeeper(Signal::KILL, KEEPER_GONE);
    let stays = || Input::KeeperStays("it stays".into());
    let course = follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (silent(), end_keeper()),
            (stays(), LOOK),
            (silent(), end_keeper()),
            (stays(), SEARCH),
            (silent(), Effect::Signal(Signal::TERM, Reach::Heads)),
            (Input::Signaled(Vec::new()), Effect::Wait(Some(at(500)))),
            (Input::Emptied, LOOK),
            (silent(), end_keeper()),
            (stays(), Effect::Finish(StopOutcome::Survived)),
        ],
    );
    assert!(course.errors().any(|error| error == "it stays"));
}

#[test]
fn strays_are_told_while_the_bot_is_still_ending() {
    follow(
        Wish::Kill,
        vec![
            (Input::Locked(None), LOOK),
            (seen(answers(State::Running), Own::AtRest, 0), Effect::Ask(Wish::Kill)),
            (Input::Asked(Asked::Accepted), SEARCH),
            (seen(answers(State::Stopping), Own::AtRest, 2), Effect::Ask(Wish::Kill)),
            (Input::Asked(Asked::Accepted), Effect::Listen(at(2000))),
        ],
    );
}

#[test]
fn a_stray_that_comes_after_the_end_is_found_and_ended_too() {
    follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(KeeperSeen::None, Own::AtRest, 0), SEARCH),
            (seen(KeeperSeen::None, Own::AtRest, 1), Effect::Take),
            (Input::Taken(Taken::Kept), LOOK),
            (seen(answers(State::Stopping), Own::AtRest, 0), Effect::Ask(Wish::Stop)),
            (Input::Asked(Asked::Accepted), SEARCH),
            (seen(answers(State::Stopping), Own::AtRest, 0), Effect::Listen(at(2000))),
            (Input::Heard(Heard::Empty), SEARCH),
            (seen(KeeperSeen::None, Own::AtRest, 0), Effect::Finish(StopOutcome::Stopped)),
        ],
    );
}

#[test]
fn nothing_running_is_said_only_after_everything_was_looked_at() {
    follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(KeeperSeen::None, Own::AtRest, 0), SEARCH),
            (seen(KeeperSeen::None, Own::AtRest, 0), Effect::Finish(StopOutcome::NotRunning)),
        ],
    );
}

#[test]
fn a_silent_keeper_is_ended_before_its_tree_is_touched() {
    follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(KeeperSeen::Silent("silent".into()), Own::AtRest, 0), Effect::EndKeeper(Signal::KILL, KEEPER_GONE)),
            (Input::KeeperEnded, LOOK),
            (seen(KeeperSeen::None, Own::Lives, 0), SEARCH),
            (seen(KeeperSeen::None, Own::Lives, 0), Effect::Take),
        ],
    );
}

#[test]
fn where_no_keeper_can_be_had_the_ladder_is_climbed_without_one() {
    let (mut course, _) = Course::begin(Wish::Stop, ladder());
    let _ = course.next(Input::Locked(Some("no room".into())), at(0));
    let _ = course.next(seen(KeeperSeen::None, Own::Lives, 0), at(0));
    let _ = course.next(seen(KeeperSeen::None, Own::Lives, 0), at(0));
    let first = course.next(Input::Taken(Taken::Impossible("read-only".into())), at(0));
    assert_eq!(first, Effect::Signal(Signal::TERM, Reach::Heads));
    assert_eq!(course.next(Input::Signaled(vec![]), at(0)), Effect::Wait(Some(at(500))));
    assert_eq!(course.next(Input::Tick, at(500)), Effect::Signal(Signal::TERM, Reach::Rest));
    assert_eq!(course.next(Input::Signaled(vec![]), at(500)), Effect::Wait(Some(at(1000))));
    assert_eq!(course.next(Input::Tick, at(1000)), Effect::Signal(Signal::KILL, Reach::All));
    let _ = course.next(Input::Signaled(vec![]), at(1000));
    assert_eq!(course.next(Input::Emptied, at(1001)), LOOK);
    let _ = course.next(seen(KeeperSeen::None, Own::AtRest, 0), at(1001));
    let last = course.next(seen(KeeperSeen::None, Own::AtRest, 0), at(1001));
    assert_eq!(last, Effect::Finish(StopOutcome::Stopped));
    assert_eq!(course.errors().collect::<Vec<_>>(), ["no room"]);
    assert_eq!(course.obstacles().count(), 1);
}

#[test]
fn whoever_lives_at_the_end_of_the_ladder_has_survived_and_is_named() {
    let (mut course, _) = Course::begin(Wish::Stop, ladder());
    let _ = course.next(Input::Locked(None), at(0));
    let _ = course.next(seen(answers(State::Running), Own::AtRest, 0), at(0));
    let _ = course.next(Input::Asked(Asked::Accepted), at(0));
    let _ = course.next(seen(answers(State::Stopping), Own::AtRest, 0), at(0));
    let last = course.next(Input::Heard(Heard::Survived(vec![7, 8])), at(0));
    assert_eq!(last, Effect::Finish(StopOutcome::Survived));
    assert_eq!(course.errors().collect::<Vec<_>>(), ["still there at the end of its ladder: pid 7, 8"]);
}

#[test]
fn a_restart_ends_strays_before_the_next_run_and_leaves_the_rest_to_the_keeper() {
    follow(
        Wish::Restart,
        vec![
            (seen(answers(State::Running), Own::AtRest, 0), SEARCH),
            (seen(answers(State::Running), Own::AtRest, 0), Effect::Ask(Wish::Restart)),
            (Input::Asked(Asked::Accepted), Effect::Listen(at(2000))),
            (Input::Heard(Heard::NextRun(None)), Effect::Finish(StopOutcome::Stopped)),
        ],
    );
    follow(
        Wish::Restart,
        vec![
            (seen(answers(State::Running), Own::AtRest, 0), SEARCH),
            (seen(answers(State::Running), Own::AtRest, 1), Effect::Ask(Wish::Stop)),
            (Input::Asked(Asked::Accepted), Effect::Listen(at(2000))),
            (Input::Heard(Heard::Empty), SEARCH),
            (seen(KeeperSeen::None, Own::AtRest, 0), Effect::Start),
            (Input::Started(None), Effect::Finish(StopOutcome::Stopped)),
        ],
    );
}

#[test]
fn a_restart_of_what_will_not_end_starts_nothing() {
    follow(
        Wish::Restart,
        vec![
            (seen(answers(State::Running), Own::AtRest, 0), SEARCH),
            (seen(answers(State::Running), Own::AtRest, 0), Effect::Ask(Wish::Restart)),
            (Input::Asked(Asked::Accepted), Effect::Listen(at(2000))),
            (Input::Heard(Heard::Survived(vec![7])), Effect::Finish(StopOutcome::Survived)),
        ],
    );
}

#[test]
fn what_cannot_be_found_out_is_not_called_stopped() {
    let course = follow(
        Wish::Stop,
        vec![
            (Input::Locked(None), LOOK),
            (seen(KeeperSeen::None, Own::Unsure("no locks".into()), 0), SEARCH),
            (seen(KeeperSeen::None, Own::Unsure("no locks".into()), 0), Effect::Finish(StopOutcome::Survived)),
        ],
    );
    assert_eq!(course.errors().collect::<Vec<_>>(), ["no locks"]);
}

/// A machine with one bot on it.
#[derive(Debug)]
struct World {
    keeper: Option<Manner>,
    own: usize,
    strays: usize,
    /// Whether what the keeper has is being ended.
    ending: bool,
    /// Some things never die, and some operations never work.
    stubborn: bool,
    broken: bool,
    kept_strays: usize,
    meddlers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Answers,
    Silent,
    Foreign,
}

impl World {
    fn new(rng: &mut Rng) -> Self {
        let keeper = [None, Some(Manner::Answers), Some(Manner::Silent), Some(Manner::Foreign)][rng.usize(..4)];
        Self {
            keeper,
            own: rng.usize(..3),
            strays: if rng.bool() { rng.usize(..4) } else { 0 },
            ending: false,
            stubborn: rng.u8(..8) == 0,
            broken: rng.u8(..6) == 0,
            kept_strays: 0,
            meddlers: rng.usize(..6),
        }
    }

    fn is_empty(&self) -> bool {
        self.keeper.is_none() && self.own == 0 && self.strays == 0
    }

    /// What others do meanwhile: keepers are killed, bots are started by hand or by command, processes end.
    fn meddle(&mut self, rng: &mut Rng) {
        if self.meddlers == 0 || rng.u8(..6) != 0 {
            return;
        }
        self.meddlers -= 1;
        match rng.u8(..5) {
            0 => self.keeper = None,
            1 => self.strays += 1,
            2 => self.own = self.own.saturating_sub(1),
            3 => self.strays = self.strays.saturating_sub(1),
            _ => {
                if self.is_empty() {
                    (self.keeper, self.own, self.ending) = (Some(Manner::Answers), 1, false);
                }
            }
        }
    }

    fn look(&self, depth: Depth) -> Input {
        let keeper = match self.keeper {
            None => KeeperSeen::None,
            Some(Manner::Answers) if self.ending => answers(State::Stopping),
            Some(Manner::Answers) if self.own == 0 => answers(State::Backoff),
            Some(Manner::Answers) => answers(State::Running),
            Some(Manner::Silent) => KeeperSeen::Silent("silent".into()),
            Some(Manner::Foreign) => KeeperSeen::Foreign("foreign".into()),
        };
        let own = if self.own > 0 { Own::Lives } else { Own::AtRest };
        seen(keeper, own, if depth == Depth::All { self.strays } else { 0 })
    }

    fn perform(&mut self, effect: &Effect, rng: &mut Rng) -> Input {
        let fails = self.broken && rng.bool();
        match effect {
            Effect::WriteDown => Input::Locked(fails.then(|| "no room".to_owned())),
            Effect::Look(depth) => self.look(*depth),
            Effect::Ask(wish) => match self.keeper {
                Some(Manner::Answers) if !fails => {
                    self.ending |= *wish != Wish::Climb;
                    self.kept_strays = self.strays;
                    Input::Asked(Asked::Accepted)
                }
                Some(_) | None => Input::Asked(Asked::Lost),
            },
            Effect::Listen(_) => {
                if self.keeper != Some(Manner::Answers) {
                    return Input::Lost;
                }
                if !self.ending {
                    return Input::Heard(Heard::NotEnding(State::Running));
                }
                if self.stubborn && self.own > 0 {
                    return Input::Heard(Heard::Survived(vec![1]));
                }
                if rng.bool() {
                    return Input::Heard(Heard::Ending(Duration::from_secs(1)));
                }
                self.strays -= self.kept_strays.min(self.strays);
                (self.own, self.keeper, self.ending) = (0, None, false);
                Input::Heard(Heard::Empty)
            }
            Effect::EndKeeper(..) => {
                if fails {
                    return Input::KeeperStays("not permitted".into());
                }
                if self.keeper != Some(Manner::Answers) {
                    self.keeper = None;
                }
                Input::KeeperEnded
            }
            Effect::Take => match (self.own + self.strays, fails) {
                (0, _) => Input::Taken(Taken::AtRest),
                (_, true) => Input::Taken(Taken::Impossible("no room".into())),
                (_, false) => {
                    (self.keeper, self.ending, self.kept_strays) = (Some(Manner::Answers), true, self.strays);
                    Input::Taken(Taken::Kept)
                }
            },
            Effect::Signal(signal, _) => {
                if !self.stubborn && (*signal == Signal::KILL || rng.bool()) {
                    (self.own, self.strays) = (0, 0);
                }
                Input::Signaled(if fails { vec!["not permitted".into()] } else { vec![] })
            }
            Effect::Wait(_) if self.own + self.strays == 0 => Input::Emptied,
            Effect::Wait(_) => Input::Tick,
            Effect::Start => Input::Started(fails.then(|| "it died".to_owned())),
            Effect::Finish(_) => unreachable!("nothing follows"),
        }
    }
}

#[test]
fn no_walk_calls_something_stopped_that_lives_or_goes_on_for_ever() {
    let mut ends = [0_u32; 3];
    for seed in 0..60_000 {
        let mut rng = Rng::with_seed(seed);
        let mut world = World::new(&mut rng);
        let wish = [Wish::Stop, Wish::Kill, Wish::Restart, Wish::Climb][rng.usize(..4)];
        let (mut course, mut effect) = Course::begin(wish, ladder());
        let (mut now, mut steps, mut looked) = (0, 0, None);
        let outcome = loop {
            steps += 1;
            assert!(steps < 500, "seed {seed}: without end: {world:?}");
            if let Effect::Finish(outcome) = effect {
                break outcome;
            }
            if effect == Effect::Start {
                assert_eq!(looked, Some(true), "seed {seed}: started without having seen everything empty");
            }
            world.meddle(&mut rng);
            if let Effect::Look(depth) = effect {
                looked = (depth == Depth::All).then(|| world.is_empty());
            }
            let input = world.perform(&effect, &mut rng);
            now += if let (Effect::Wait(Some(until)), Input::Tick) = (&effect, &input) {
                until.since(at(now)).as_millis() as u64
            } else {
                1
            };
            effect = course.next(input, at(now));
        };
        match outcome {
            StopOutcome::Survived => {
                assert!(course.errors().count() > 0, "seed {seed}: nothing says why: {world:?}");
                ends[0] += 1;
            }
            StopOutcome::Stopped => {
                assert!(looked == Some(true), "seed {seed}: called stopped unseen: {world:?}");
                assert!(course.lived());
                ends[1] += 1;
            }
            StopOutcome::NotRunning => {
                assert!(looked == Some(true), "seed {seed}: called at rest unseen: {world:?}");
                assert!(!course.lived());
                ends[2] += 1;
            }
        }
    }
    assert!(ends.iter().all(|count| *count > 1000), "the walks do not come everywhere: {ends:?}");
}
