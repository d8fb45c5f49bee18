//! What bots wait behind until the chunks of their cluster are back; never longer than its time.

use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::core::moment::Moment;

/// A gate that opens once.
#[derive(Debug)]
pub(super) struct Gate {
    limit: Duration,
    /// It is open from then on, whatever becomes of whoever was to open it.
    until: OnceLock<Moment>,
    open: Mutex<bool>,
    news: Condvar,
}

impl Gate {
    /// One that stands closed for so long at most, from when it is first waited for or set.
    pub(super) const fn new(limit: Duration) -> Self {
        Self { limit, until: OnceLock::new(), open: Mutex::new(false), news: Condvar::new() }
    }

    /// Its time begins now, if it has not yet; how much of it is left.
    pub(super) fn set(&self) -> Duration {
        let now = clock::now();
        self.until.get_or_init(|| now.plus(self.limit)).since(now)
    }

    /// Opens it.
    pub(super) fn open(&self) {
        *self.lock() = true;
        self.news.notify_all();
    }

    /// Waits until it is open, or its time is over.
    pub(super) fn pass(&self) {
        let left = self.set();
        let _ = self.news.wait_timeout_while(self.lock(), left, |open| !*open);
    }

    /// Whether nobody has to wait.
    pub(super) fn is_open(&self) -> bool {
        *self.lock() || self.set().is_zero()
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
