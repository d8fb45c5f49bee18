//! Who was told to stop, of all that are to be: in an emergency nobody's orders are begun with while others are still to be
//! told. Programs that cancel would take the machine from whoever sends the signals.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::core::bot::BotName;

/// Nobody waits longer for the others.
const PATIENCE: Duration = Duration::from_millis(200);

/// The bots that were not told yet.
#[derive(Debug, Default)]
pub(super) struct Roll {
    untold: Mutex<BTreeSet<BotName>>,
    news: Condvar,
}

impl Roll {
    /// These are to be told.
    pub(super) fn call(&self, bots: &[BotName]) {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(bots.iter().cloned());
    }

    /// This one was, or nothing of it is there to be told.
    pub(super) fn told(&self, bot: &BotName) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.remove(bot) && untold.is_empty() {
            self.news.notify_all();
        }
    }

    /// Waits a moment until everybody was.
    pub(super) fn wait(&self) {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.news.wait_timeout_while(untold, PATIENCE, |untold| !untold.is_empty());
    }
}
