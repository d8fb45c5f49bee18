//! The next run after a stop: not beside anything, and not against the last word.

use std::time::Duration;

use crate::act::start;
use crate::clock;
use crate::core::report::{STILL_STARTING, StartOutcome};
use crate::core::status::LockSeen;
use crate::lock;
use crate::process;
use crate::record;

use super::walk::Walk;

/// How often it is looked whether another bot's stop has ended what may be of both.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Walk<'_> {
    pub(super) fn start_anew(&mut self) -> Option<String> {
        let Some(spec) = self.spec else { return Some("it is not in the configuration: it was not started".into()) };
        self.wait_for_what_others_end();
        self.wait_for_what_others_cancel();
        if let Some(by) = self.stopped_meanwhile() {
            return Some(format!(
                "{by} asked for its stop meanwhile, and the last word counts: it was not started again"
            ));
        }
        let started = start(self.home, std::slice::from_ref(spec), &self.order.by, self.order.wait).into_iter().next();
        let Some(started) = started else { return Some("it was not started".into()) };
        match started.outcome {
            StartOutcome::Started | StartOutcome::AlreadyRunning | StartOutcome::Adopted => {
                self.report.restarted = true;
                self.report.notes.push(started.message);
                None
            }
            StartOutcome::StillStarting => {
                self.report.restarted = true;
                self.report.notes.push(STILL_STARTING.into());
                None
            }
            StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => Some(started.message),
        }
    }

    /// What may be its own or another's that is being ended as well is ended by the first of them; nothing is started
    /// beside it.
    pub(super) fn wait_for_what_others_end(&self) {
        let until = clock::now().plus(self.order.wait);
        let waits = || self.awaited.iter().any(process::is_alive);
        while clock::now() < until && waits() {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Another stop of it may still see to what was left open: the next run's orders must not be taken for those.
    fn wait_for_what_others_cancel(&self) {
        let until = clock::now().plus(self.order.wait);
        let lock = self.home.bot(&self.report.name).cancel_lock();
        while clock::now() < until && lock::look(&lock) == LockSeen::Held {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Who has stopped it since this was asked for: a restart must not bring back what was stopped after it.
    pub(super) fn stopped_meanwhile(&self) -> Option<String> {
        let down = record::down(&self.home.bot(&self.report.name))?;
        // One without contents (a full disk) counts if it was not there before.
        let since = down.at.map_or(!self.was_down, |at| at >= self.order.at);
        since.then_some(if down.by.is_empty() { "somebody".to_owned() } else { down.by })
    }
}
