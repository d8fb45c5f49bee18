//! The only place that reads clocks.

use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use crate::core::moment::Moment;

/// Now, on the clock that nobody can set.
pub fn now() -> Moment {
    let time = clock_gettime(ClockId::Monotonic);
    Moment::at(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

/// Now, for people.
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// The wall-clock time of something that happened `ago`.
pub fn wall_before(ago: Duration) -> Timestamp {
    let ago = jiff::SignedDuration::try_from(ago).unwrap_or(jiff::SignedDuration::MAX);
    Timestamp::now().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The wall-clock time of something that will happen after `wait`.
pub fn wall_after(wait: Duration) -> Timestamp {
    let wait = jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::MAX);
    Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Milliseconds, as the protocol carries them.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
