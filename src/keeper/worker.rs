//! A thread that exists only while there is something to do: what may wait for a disk happens there, so that the
//! keeper itself never does, and an idle keeper has one thread.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

/// Enough for reading and writing files; only touched pages count.
const STACK: usize = 256 << 10;

/// Does jobs of one kind, one after the other, and keeps their results until they are fetched.
pub(super) struct Worker<J, R> {
    shared: Arc<Shared<J, R>>,
    work: fn(J) -> R,
    name: &'static str,
}

struct Shared<J, R> {
    state: Mutex<State<J, R>>,
    idle: Condvar,
    wake: OwnedFd,
}

struct State<J, R> {
    jobs: VecDeque<J>,
    results: Vec<R>,
    running: bool,
}

impl<J: Send + 'static, R: Send + 'static> Worker<J, R> {
    /// A worker without anything to do.
    pub(super) fn new(name: &'static str, work: fn(J) -> R) -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let state = State { jobs: VecDeque::new(), results: Vec::new(), running: false };
        Ok(Self { shared: Arc::new(Shared { state: Mutex::new(state), idle: Condvar::new(), wake }), work, name })
    }

    /// Takes on a job. It is done in a thread; if there can be none, it is done here.
    pub(super) fn take_on(&self, job: J) {
        let mut state = lock(&self.shared);
        state.jobs.push_back(job);
        if state.running {
            return;
        }
        state.running = true;
        drop(state);
        let (shared, work) = (Arc::clone(&self.shared), self.work);
        let thread = std::thread::Builder::new().name(self.name.into()).stack_size(STACK);
        if thread.spawn(move || work_off(&shared, work)).is_err() {
            work_off(&self.shared, self.work);
        }
    }

    /// Whether a job waits that nobody has begun.
    pub(super) fn has_waiting(&self) -> bool {
        !lock(&self.shared).jobs.is_empty()
    }

    /// What is done since the last time.
    pub(super) fn results(&self) -> Vec<R> {
        let _ = rustix::io::read(&self.shared.wake, &mut [0_u8; 8]);
        std::mem::take(&mut lock(&self.shared).results)
    }

    /// Waits until nothing is left to do, or the time is over; false then.
    pub(super) fn finish(&self, time: Duration) -> bool {
        let state = lock(&self.shared);
        let (_state, waited) = self
            .shared
            .idle
            .wait_timeout_while(state, time, |state| state.running)
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }

    /// Readable when there are results.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.shared.wake.as_fd()
    }
}

fn work_off<J, R>(shared: &Shared<J, R>, work: fn(J) -> R) {
    loop {
        let mut state = lock(shared);
        let Some(job) = state.jobs.pop_front() else {
            state.running = false;
            shared.idle.notify_all();
            return;
        };
        drop(state);
        let result = work(job);
        lock(shared).results.push(result);
        let _ = rustix::io::write(&shared.wake, &1_u64.to_ne_bytes());
    }
}

fn lock<J, R>(shared: &Shared<J, R>) -> MutexGuard<'_, State<J, R>> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}
