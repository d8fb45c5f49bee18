//! A point on the monotonic clock. The core is handed these and never asks for one: deadlines must not move when
//! somebody sets the wall clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Time since an arbitrary start that is the same for every process of one boot (`CLOCK_MONOTONIC`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment(Duration);

impl Moment {
    /// The moment that lies this long after the clock's own start.
    pub const fn at(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// This moment, later by `by`; the far end of time is not passed.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by))
    }

    /// How long ago `earlier` was; nothing if it is still to come.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}
