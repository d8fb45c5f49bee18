//! The last drill that was passed: `drill.json` in the home.

use std::io;

use crate::core::readiness::Drill;
use crate::paths::Home;
use crate::record::{self, Sync};

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
