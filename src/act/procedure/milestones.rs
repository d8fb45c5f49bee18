//! What the hand that ends a bot's processes and the hand that minds its orders tell each other.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::core::protocol::Told;

/// The way from a bot that runs to one that is over.
#[derive(Debug, Default)]
pub(super) struct Milestones {
    passed: Mutex<Passed>,
    news: Condvar,
}

/// How far it has come.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    /// It lives, and is about to be told to stop.
    pub(super) about_to_tell: bool,
    /// Whoever minds the orders is ready for that.
    pub(super) ready: bool,
    /// It has had its chance: a second signal was sent, or the first was SIGKILL.
    pub(super) had_its_chance: bool,
    /// Nothing more is done to its processes; whether all of them were seen to be gone.
    pub(super) over: Option<bool>,
    /// Nothing is to be done at all.
    pub(super) called_off: bool,
    /// Whoever minds the orders is done.
    pub(super) done: bool,
    /// What the bot says over its notify socket.
    pub(super) told: Told,
}

impl Milestones {
    /// Passes one of them.
    pub(super) fn pass(&self, change: impl FnOnce(&mut Passed)) {
        change(&mut self.lock());
        self.news.notify_all();
    }

    /// How far it has come.
    pub(super) fn passed(&self) -> Passed {
        self.lock().clone()
    }

    /// Waits for this, for so long at most; how far it has come then.
    pub(super) fn wait(&self, time: Duration, mut come: impl FnMut(&Passed) -> bool) -> Passed {
        let waited = self.news.wait_timeout_while(self.lock(), time, |passed| !come(passed));
        match waited {
            Ok((passed, _)) => passed.clone(),
            Err(poisoned) => poisoned.into_inner().0.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever becomes of whoever minds the orders: nobody waits for them for ever.
pub(super) struct DoneAtTheEnd<'a>(pub(super) &'a Milestones);

impl Drop for DoneAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.pass(|passed| (passed.ready, passed.done) = (true, true));
    }
}
