//! Whether the emergency stop is ready: what was checked, and the one word that is shown everywhere.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::code::Code;

/// One thing that was checked: a line of `doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What, in a word or two.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Where it is not: whether that is only worth a word, and the emergency stop is ready all the same.
    pub warning: bool,
    /// What was found, as a sentence.
    pub message: String,
}

impl Check {
    /// It is as it should be.
    pub fn good(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, warning: false, message: message.into() }
    }

    /// It is not, and the emergency stop is ready all the same.
    pub fn warning(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, warning: true, message: message.into() }
    }

    /// It is not: the emergency stop is not ready.
    pub fn bad(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, warning: false, message: message.into() }
    }

    /// Whether the emergency stop is not ready for this.
    pub const fn is_problem(&self) -> bool {
        !self.ok && !self.warning
    }
}

/// The emergency stop, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstopState {
    /// It would work.
    Ready,
    /// It might not.
    NotReady,
    /// It is being carried out.
    InProgress,
    /// It was fired, and was not reset.
    Latched,
}

impl EstopState {
    /// The words of header and command line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotReady => "NOT READY",
            Self::InProgress => "IN PROGRESS",
            Self::Latched => "LATCHED",
        }
    }

    /// What `doctor` and `estop status` exit with: the contract's numbers.
    pub const fn exit_code(self) -> u8 {
        self.code().number()
    }

    /// The same, as what a command comes to.
    pub const fn code(self) -> Code {
        match self {
            Self::Ready => Code::Done,
            Self::InProgress | Self::Latched => Code::LatchStands,
            Self::NotReady => Code::NotReady,
        }
    }
}

/// The last drill that was passed: what stands in `drill.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drill {
    /// When it was over.
    pub at: Timestamp,
    /// Who drilled.
    pub by: String,
    /// Its id: the folder in `stops/`.
    pub id: String,
}

/// What is shown of the emergency stop: the `estop` of `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EstopSeen {
    /// In one word.
    pub state: EstopState,
    /// Since when it is latched, or in progress.
    pub since: Option<Timestamp>,
    /// Who fired it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Why it is not ready; while latched, what stands in the way of a reset.
    pub problems: Vec<String>,
    /// Whether what is latched, or in progress, is a drill.
    #[serde(default)]
    pub drill: bool,
    /// The last drill that was passed.
    #[serde(default)]
    pub last_drill: Option<Drill>,
}
