//! Where a course has come to: what whoever watches is shown of it, and what whoever minds the orders has to know.

use std::time::Duration;

use crate::clock::{self, millis};
use crate::core::moment::Moment;
use crate::core::progress::{Standing, Waiting};
use crate::core::protocol::Snapshot;
use crate::core::report::StopOutcome;
use crate::core::state::State;
use crate::core::stop::{Course, Effect, Stage, Wish};

use super::walk::{Announced, Walk};

/// Whoever minds the orders gets this long before a bot is told: they may talk to the bot itself first.
const TO_GET_READY: Duration = Duration::from_secs(15);
/// In an emergency it is told when the bot itself has answered, and this long later at most.
const IN_AN_EMERGENCY: Duration = Duration::from_secs(1);
/// A kill waits for nobody's talk.
const BEFORE_A_KILL: Duration = Duration::from_millis(500);
/// Whoever minds the orders gets this long beyond the time for canceling before the next run is started all the same.
const TO_BE_DONE: Duration = Duration::from_mins(1);

impl Walk<'_> {
    /// This is about to be done.
    pub(super) fn reach(&mut self, course: &Course, effect: &Effect) {
        self.show_stage(course.stage());
        match effect {
            Effect::Signal(..) => {
                if self.milestones.passed().about_to_tell && self.alone.is_some() {
                    self.had_its_chance();
                }
                self.about_to_tell();
            }
            Effect::Ask(_) | Effect::Take | Effect::EndKeeper(..) => self.about_to_tell(),
            Effect::Start => {
                self.show_empty();
                self.leave_time_for_the_orders();
            }
            Effect::WriteDown | Effect::Look(_) | Effect::Listen(_) | Effect::Wait(_) => {}
            Effect::Finish(StopOutcome::Stopped | StopOutcome::NotRunning) => self.show_empty(),
            Effect::Finish(StopOutcome::Survived) => {}
        }
    }

    /// It lives, and is told in a moment: how everything was before that has to be known by then.
    fn about_to_tell(&self) {
        if self.milestones.passed().about_to_tell {
            return;
        }
        self.milestones.pass(|passed| passed.about_to_tell = true);
        let time = match (self.order.emergency, self.wish) {
            (Some(_), _) => IN_AN_EMERGENCY,
            (None, Wish::Kill) => BEFORE_A_KILL,
            (None, Wish::Stop | Wish::Climb | Wish::Restart) => TO_GET_READY,
        };
        self.milestones.wait(time, |passed| passed.ready);
    }

    fn had_its_chance(&self) {
        self.milestones.pass(|passed| passed.had_its_chance = true);
    }

    /// The old run is gone and the next one is to come: what the old one has left is seen to in between.
    fn leave_time_for_the_orders(&self) {
        self.milestones.pass(|passed| passed.over = Some(true));
        let cancel = self.spec.and_then(|spec| spec.cancel.as_ref()).map_or(Duration::ZERO, |cancel| cancel.timeout);
        self.milestones.wait(cancel + TO_BE_DONE, |passed| passed.done);
    }

    /// Nothing of it lives any more: what is waited for from now on are its orders.
    fn show_empty(&self) {
        self.board.write(|progress| {
            progress.processes_left.clear();
            progress.waiting = None;
        });
        self.board.stage(Stage::Empty, Standing::Done, "seen to be empty");
    }

    fn show_stage(&self, now: Stage) {
        for stage in [Stage::Lock, Stage::Signal, Stage::Empty] {
            match stage.cmp(&now) {
                // Nobody was told where nobody was found.
                std::cmp::Ordering::Less if stage == Stage::Signal && self.report.processes.is_empty() => {
                    self.board.standing(stage, Standing::Skipped);
                }
                std::cmp::Ordering::Less => self.board.standing(stage, Standing::Done),
                std::cmp::Ordering::Equal => self.board.standing(stage, Standing::UnderWay),
                std::cmp::Ordering::Greater => {}
            }
        }
        self.board.tick();
    }

    /// What its keeper says: what the bot claims, who lives, and what comes next.
    pub(super) fn show_snapshot(&mut self, snapshot: &Snapshot) {
        // Of a restart, what the next run says is not about the stop.
        if snapshot.state == State::Stopping || snapshot.state.is_at_rest() {
            let told = &snapshot.told;
            self.milestones.pass(|passed| passed.told.clone_from(told));
        }
        let alive: Vec<i32> =
            snapshot.processes.iter().filter(|process| process.alive).map(|process| process.pid).collect();
        if snapshot.state == State::Stopping {
            let now = Announced(snapshot.next_signal);
            if *self.announced.get_or_insert(now) != now || snapshot.survived {
                self.had_its_chance();
            }
        }
        if let Some((signal, pid)) = snapshot.processes.iter().find_map(|process| Some((process.signal?, process.pid)))
        {
            self.board.stage(Stage::Signal, Standing::Done, format!("{signal} to pid {pid}"));
        }
        let left = match alive.len() {
            0 => "nothing of it lives".to_owned(),
            1 => "1 process left".to_owned(),
            many => format!("{many} processes left"),
        };
        if snapshot.state == State::Stopping {
            self.board.stage(Stage::Empty, Standing::UnderWay, left);
        }
        let waiting = (snapshot.state == State::Stopping && !alive.is_empty()).then(|| Waiting {
            what: pids(&alive),
            then: snapshot.next_signal.map(|signal| signal.to_string()),
            left_ms: snapshot.next_signal_in_ms.or(snapshot.ladder_ends_in_ms),
        });
        self.board.write(|progress| {
            progress.processes_left = alive;
            progress.waiting = waiting;
        });
    }

    /// What is being waited for where no keeper tells.
    pub(super) fn show_waiting(&self, until: Option<Moment>) {
        let alive: Vec<i32> = self
            .report
            .processes
            .iter()
            .filter(|process| process.ended_by.is_none())
            .map(|process| process.pid)
            .collect();
        let left = until.map(|until| millis(until.since(clock::now())));
        self.board.write(|progress| {
            let what = if alive.is_empty() { "its processes".to_owned() } else { pids(&alive) };
            progress.waiting = Some(Waiting { what, then: None, left_ms: left });
            progress.processes_left = alive;
        });
    }
}

fn pids(alive: &[i32]) -> String {
    let pids: Vec<String> = alive.iter().map(i32::to_string).collect();
    format!("pid {}", pids.join(", "))
}
