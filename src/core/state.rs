//! The states a bot may be said to be in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The states of a bot. On the screen each has a word, a sign and a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Spawned, not ready yet.
    Starting,
    /// It lives, its keeper answers, and it is ready.
    Running,
    /// Its tree is being ended and is not empty.
    Stopping,
    /// Stopped on request, or never started; nothing lives.
    Stopped,
    /// Ended by itself with 0, and is not restarted.
    Exited,
    /// Otherwise ended by itself, and is not restarted.
    Crashed,
    /// Will be tried again.
    Backoff,
    /// The breaker is open.
    Failed,
    /// It lives, its keeper does not.
    Orphaned,
    /// The evidence is missing or too old.
    Unknown,
}

impl State {
    /// Every state, in the order of the screen's table.
    pub const ALL: [Self; 10] = [
        Self::Running,
        Self::Starting,
        Self::Stopping,
        Self::Stopped,
        Self::Exited,
        Self::Crashed,
        Self::Backoff,
        Self::Failed,
        Self::Orphaned,
        Self::Unknown,
    ];

    /// The word of the command line and of JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Exited => "exited",
            Self::Crashed => "crashed",
            Self::Backoff => "backoff",
            Self::Failed => "failed",
            Self::Orphaned => "orphaned",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing of the bot lives, as far as was seen, and nothing will by itself.
    pub const fn is_at_rest(self) -> bool {
        match self {
            Self::Stopped | Self::Exited | Self::Crashed | Self::Failed => true,
            Self::Starting | Self::Running | Self::Stopping | Self::Backoff | Self::Orphaned | Self::Unknown => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
