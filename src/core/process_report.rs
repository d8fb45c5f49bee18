//! A process that was found, and what became of it, as reports tell of it.

use serde::{Deserialize, Serialize};

/// The three independent ways to find a bot's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Its keeper.
    Keeper,
    /// Its PID files.
    PidFile,
    /// The process table.
    Search,
}

impl Tier {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Keeper => "keeper",
            Self::PidFile => "pid_file",
            Self::Search => "search",
        }
    }
}

/// One process that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessReport {
    /// Its number.
    pub pid: i32,
    /// Its command line.
    pub command: String,
    /// The first tier that found it.
    pub found_by: Tier,
    /// The PID file that named it, as people know it; absent for the bot's own run record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The last signal it was sent, `itself` if none was, absent while it lives.
    pub ended_by: Option<String>,
}
