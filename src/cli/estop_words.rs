//! The emergency stop in one line, for whoever shows it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::core::readiness::{EstopSeen, EstopState};
use crate::logs::harmless::harmless;

use super::output::Output;

/// The one word, with who fired it where it was.
pub(super) fn verdict(seen: &EstopSeen, output: Output) -> String {
    let drill = if seen.drill { " (a drill)" } else { "" };
    let since = seen.since.map(|since| format!(" since {}", local(since))).unwrap_or_default();
    let by = seen.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let reason = seen.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = harmless(format!("{}{drill}{since}{by}{reason}", seen.state.words()).as_bytes());
    match seen.state {
        EstopState::Ready => line,
        EstopState::NotReady | EstopState::InProgress | EstopState::Latched => output.red(&line),
    }
}

/// A time as whoever reads it has it on the wall.
pub(super) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%F %T").to_string()
}
