//! One line of an event file: something that happened, in words for people and in fields for programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bot::BotName;

/// A remembered happening. `kind` is for programs, `text` for people; what else is known stands beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was written down.
    pub at: Timestamp,
    /// The bot it is about; absent in the desk's own events.
    pub bot: Option<BotName>,
    /// One word of [`Kind`]; a newer botwarden may have others.
    pub kind: String,
    /// A sentence.
    pub text: String,
    /// Whatever else is known.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// The words that `kind` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A run began to execute.
    Started,
    /// It is ready.
    Ready,
    /// A keeper took over a bot that lived already.
    Adopted,
    /// The main process ended.
    Exited,
    /// A stop, restart or kill began.
    Stopping,
    /// A signal of a later rung was sent.
    Climbed,
    /// Something lives at the end of the ladder.
    Survived,
    /// The tree was seen empty, and nothing follows.
    Stopped,
    /// It will be tried again.
    Backoff,
    /// The breaker opened.
    Failed,
    /// A start was refused or did not come about.
    Refused,
    /// A command of an operator.
    Asked,
    /// The emergency stop: fired, joined, carried on with, drilled, reset, waived, refused.
    Estop,
    /// Something was done with a cluster's chunks: put back, or not.
    Cluster,
    /// What became of it: a whole report.
    Report,
    /// Something that somebody must look at now: an order that is not confirmed canceled, a process that survived.
    Alert,
    /// Supervision is degraded.
    Warning,
}

impl Kind {
    /// The word in the file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ready => "ready",
            Self::Adopted => "adopted",
            Self::Exited => "exited",
            Self::Stopping => "stopping",
            Self::Climbed => "climbed",
            Self::Survived => "survived",
            Self::Stopped => "stopped",
            Self::Backoff => "backoff",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::Estop => "estop",
            Self::Cluster => "cluster",
            Self::Report => "report",
            Self::Alert => "alert",
            Self::Warning => "warning",
        }
    }
}
