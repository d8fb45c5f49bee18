//! Passes over the process table, shared by every bot of a request: whoever asks gets one that began after the asking.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::core::bot::{BotName, BotSpec};
use crate::core::record::ProcessId;
use crate::core::report::Tier;
use crate::paths::Home;
use crate::survey::Marked;

/// A process beside what a keeper has, and how it came to be known.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Which one.
    pub(super) id: ProcessId,
    /// Its command line.
    pub(super) command: String,
    /// The first tier that found it.
    pub(super) tier: Tier,
    /// The PID file that named it, as people know it.
    pub(super) file: Option<String>,
    /// Other bots that it may belong to just as well.
    pub(super) shared_with: Vec<BotName>,
    /// It, and everything that descends from it.
    pub(super) family: Vec<i32>,
}

/// What one pass found of one bot.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    pub(super) found: Vec<Found>,
    pub(super) notes: Vec<String>,
    pub(super) errors: Vec<String>,
}

/// One pass over the process table.
pub(super) struct Pass {
    pub(super) marked: Marked,
}

impl Pass {
    /// What it found of a bot.
    pub(super) fn of(&self, _name: &BotName) -> Beside {
        Beside::default()
    }
}

/// Makes passes, one at a time.
pub(super) struct Passes<'a> {
    home: &'a Home,
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Default)]
struct State {
    /// How many were begun.
    begun: u64,
    /// Whether the last of them is still under way.
    running: bool,
    latest: Option<Arc<Pass>>,
}

impl<'a> Passes<'a> {
    /// None was made yet.
    pub(super) fn new(home: &'a Home, _specs: &[BotSpec]) -> Self {
        Self { home, state: Mutex::default(), done: Condvar::new() }
    }

    /// A pass that began after this was called.
    pub(super) fn fresh(&self) -> Arc<Pass> {
        let mut state = self.lock();
        let wanted = state.begun + 1;
        loop {
            if !state.running {
                if state.begun >= wanted
                    && let Some(pass) = &state.latest
                {
                    return Arc::clone(pass);
                }
                state.begun += 1;
                state.running = true;
                drop(state);
                let pass = Arc::new(Pass { marked: Marked::search(self.home) });
                state = self.lock();
                state.running = false;
                state.latest = Some(Arc::clone(&pass));
                self.done.notify_all();
                return pass;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
