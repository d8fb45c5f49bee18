//! Passes over the process table, shared by every bot of a request: whoever asks gets one that began after the asking.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::core::bot::BotSpec;
use crate::paths::Home;
use crate::survey::Pass;

/// Makes passes, one at a time.
pub(super) struct Passes<'a> {
    home: &'a Home,
    specs: &'a [BotSpec],
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
    pub(super) fn new(home: &'a Home, specs: &'a [BotSpec]) -> Self {
        Self { home, specs, state: Mutex::default(), done: Condvar::new() }
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
                let pass = Arc::new(Pass::make(self.home, self.specs));
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
