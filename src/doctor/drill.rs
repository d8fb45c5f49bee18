//! The last drill that was passed: `drill.json` in the home.

use std::io;
use std::time::Duration;

use crate::clock;
use crate::core::readiness::{Check, Drill};
use crate::paths::Home;
use crate::record::{self, Sync};

use super::subject::Subject;

/// An emergency stop that was tried longer ago than this may not work any more.
const DUE_AFTER: Duration = Duration::from_hours(30 * 24);

/// Writes down that a drill was passed.
///
/// # Errors
/// If it cannot be written.
pub fn keep_drill(home: &Home, drill: &Drill) -> io::Result<()> {
    let text = serde_json::to_vec(drill)?;
    record::replace(&home.drill(), &text, Sync::Later)
}

/// The last drill that was passed; nothing where there was none, or where that cannot be read.
pub fn last_drill(home: &Home) -> Option<Drill> {
    serde_json::from_slice(&std::fs::read(home.drill()).ok()?).ok()
}

/// Whether another one is due.
pub(super) fn last(subject: &Subject) -> Vec<Check> {
    let name = "drill";
    let Some(drill) = last_drill(&subject.home) else {
        return vec![Check::warning(name, "no drill was ever passed: 'botwarden estop --drill'")];
    };
    // One from the future is none that was long ago.
    let ago = Duration::try_from(clock::wall().duration_since(drill.at)).unwrap_or_default();
    let when = match ago.as_secs() / (24 * 60 * 60) {
        0 => "less than a day ago".to_owned(),
        1 => "a day ago".to_owned(),
        days => format!("{days} days ago"),
    };
    vec![if ago > DUE_AFTER {
        Check::warning(name, format!("the last drill was passed {when}: another one is due"))
    } else {
        Check::good(name, format!("passed {when}, by {}", drill.by))
    }]
}
