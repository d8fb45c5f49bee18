//! Whether the emergency stop would work: everything that it depends on is tried, and touches nothing that matters.

mod drill;

use std::path::Path;

use crate::core::readiness::{Check, EstopSeen, EstopState};
use crate::paths::Home;

pub use drill::{keep_drill, last_drill};

/// Tries everything that the emergency stop of this desk depends on: one entry a check, in the order of `doctor`. Takes a
/// few seconds at most. `config`: the configuration's file; absent where none was found.
pub fn examine(_home: &Home, _config: Option<&Path>) -> Vec<Check> {
    vec![Check::bad("emergency stop", "not examined")]
}

/// What is shown of the emergency stop, given what was found by [`examine`].
pub fn estop(_home: &Home, checks: &[Check]) -> EstopSeen {
    EstopSeen {
        state: EstopState::NotReady,
        since: None,
        by: None,
        reason: None,
        problems: checks.iter().filter(|check| check.is_problem()).map(|check| check.message.clone()).collect(),
        drill: false,
        last_drill: None,
    }
}
