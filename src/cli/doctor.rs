//! `doctor`: whether the emergency stop would work, one line a check.

use serde_json::json;

use crate::core::code::Code;
use crate::core::readiness::{Check, EstopState};
use crate::doctor;

use super::desk::Place;
use super::estop_words::verdict;
use super::output::Output;

/// Tries everything, and says what it comes to.
pub(super) fn run(place: &Place, output: Output) -> Code {
    let checks = doctor::examine(&place.home, place.file.as_deref().ok());
    let seen = doctor::estop(&place.home, &checks);
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in &checks {
        let line = format!("{}  {:width$}  {}", word(check), check.name, check.message);
        output.line(&if check.is_problem() { output.red(&line) } else { line });
    }
    output.line(&verdict(&seen, output));
    output.object(&json!({ "schema": 1, "ready": seen.state == EstopState::Ready, "checks": checks }));
    seen.state.code()
}

const fn word(check: &Check) -> &'static str {
    match (check.ok, check.warning) {
        (true, _) => "ok  ",
        (false, true) => "warn",
        (false, false) => "FAIL",
    }
}
