//! A process that no keeper started, as a stop has found it.

use crate::core::record::ProcessId;
use crate::core::report::Tier;

/// A process beside those of its keeper, and how it came to be known.
pub(super) struct Stray {
    pub(super) id: ProcessId,
    pub(super) tier: Tier,
    /// The PID file that named it.
    pub(super) file: Option<String>,
    /// It, and everything that descended from it when it was found.
    pub(super) family: Vec<i32>,
}
