//! What the keeper shows to its clients: one whole picture of all it knows.

use crate::clock::{self, millis};
use crate::core::lifecycle::{Outcome, Phase};
use crate::core::protocol::{SeenExit, Snapshot};
use crate::core::state::State;

use super::loops::Keeper;

impl Keeper {
    /// Everything there is to know, as of now.
    pub(super) fn snapshot(&self) -> Snapshot {
        let now = clock::now();
        let life = &self.parts.life;
        let left = |due: crate::core::moment::Moment| millis(due.since(now));
        let mut snapshot = Snapshot {
            bot: self.parts.spec.name.clone(),
            run: self.record.as_ref().map(|record| record.run.clone()).unwrap_or_default(),
            mode: self.record.as_ref().map_or(self.parts.spec.mode, |record| record.mode),
            state: state(life.phase()),
            state_age_ms: millis(now.since(self.phase_since)),
            pid: self.parts.tree.main(),
            uptime_ms: None,
            restarts: life.restarts(),
            failures: life.failures(),
            give_up_after: life.give_up_after(),
            ready_limit_ms: None,
            next_try_in_ms: None,
            next_signal: None,
            next_signal_in_ms: None,
            ladder_ends_in_ms: None,
            survived: false,
            last_exit: self
                .last_exit
                .as_ref()
                .map(|(exit, at)| SeenExit { exit: exit.clone(), age_ms: millis(now.since(*at)) }),
            heartbeat_age_ms: self.heartbeat.map(|at| millis(now.since(at))),
            says: self.says.clone(),
            told: self.told.clone(),
            warning: self.troubles.line(),
            processes: self.parts.tree.seen(),
            before: self.before.clone(),
        };
        if snapshot.pid.is_some() {
            snapshot.uptime_ms = life.executing_since().map(|since| millis(now.since(since)));
        }
        match life.phase() {
            Phase::Spawning { .. } | Phase::Running { .. } | Phase::Over(_) => {}
            Phase::Starting { .. } => snapshot.ready_limit_ms = Some(millis(life.ready_limit())),
            Phase::Backoff { until, .. } => snapshot.next_try_in_ms = Some(left(*until)),
            Phase::Stopping { climb, .. } => {
                let next = climb.next();
                snapshot.next_signal = next.map(|(signal, _)| signal);
                snapshot.next_signal_in_ms = next.map(|(_, at)| left(at));
                snapshot.ladder_ends_in_ms = Some(left(climb.ends()));
                snapshot.survived = climb.survived();
            }
        }
        snapshot
    }
}

fn state(phase: &Phase) -> State {
    match phase {
        Phase::Spawning { .. } | Phase::Starting { .. } => State::Starting,
        Phase::Running { .. } => State::Running,
        Phase::Stopping { .. } => State::Stopping,
        Phase::Backoff { .. } => State::Backoff,
        Phase::Over(Outcome::Stopped | Outcome::Refused(_)) => State::Stopped,
        Phase::Over(Outcome::Exited) => State::Exited,
        Phase::Over(Outcome::Crashed) => State::Crashed,
        Phase::Over(Outcome::Failed) => State::Failed,
    }
}
