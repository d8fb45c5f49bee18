//! Clocks: the monotonic one, which is the same for every process, so that a bot can say when it came to execute.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Nanoseconds on the clock that every process shares.
pub type Nanos = u64;

/// Now.
pub fn now() -> Nanos {
    nanos(clock_gettime(ClockId::Monotonic))
}

/// CPU time that this process has used.
pub fn cpu() -> Nanos {
    nanos(clock_gettime(ClockId::ProcessCPUTime))
}

/// From one moment to another, in milliseconds; nothing if they are in the wrong order.
pub fn millis(from: Nanos, to: Nanos) -> f64 {
    to.saturating_sub(from) as f64 / 1e6
}

fn nanos(time: Timespec) -> Nanos {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
