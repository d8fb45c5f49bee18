//! The latch of the emergency stop: while it is there, nothing is started. That it is there is what counts; what stands in
//! it is for people.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::Mode;

/// What stands in `estop.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Shape of this object.
    pub schema: u32,
    /// The folder in `stops/` of the emergency stop that was last carried out under it.
    pub id: String,
    /// When it was first fired.
    pub at: Timestamp,
    /// Who fired it first.
    pub by: String,
    /// Their terminal, if they had one.
    #[serde(default)]
    pub tty: Option<String>,
    /// Why, if they said so.
    #[serde(default)]
    pub reason: Option<String>,
    /// The machine.
    #[serde(default)]
    pub host: String,
    /// Whether it is a drill: then it binds bots in dry-run and paper mode alone, and is lifted at the end.
    #[serde(default)]
    pub drill: bool,
}

/// What was seen of a latch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LatchSeen {
    /// There is none.
    Free,
    /// It is there, and says this.
    Latched(Box<Latch>),
    /// It is there, or may be, and cannot be read: it counts. The text says why.
    Unreadable(String),
}

impl LatchSeen {
    /// Whether anything is latched, a drill included.
    pub const fn is_latched(&self) -> bool {
        match self {
            Self::Free => false,
            Self::Latched(_) | Self::Unreadable(_) => true,
        }
    }

    /// Whether a bot of this mode may not be started. A drill touches nothing that is live.
    pub fn binds(&self, mode: Mode) -> bool {
        match self {
            Self::Free => false,
            Self::Latched(latch) => !latch.drill || mode != Mode::Live,
            Self::Unreadable(_) => true,
        }
    }

    /// What stands in it, where that can be read.
    pub fn latch(&self) -> Option<&Latch> {
        match self {
            Self::Latched(latch) => Some(latch),
            Self::Free | Self::Unreadable(_) => None,
        }
    }

    /// Whether it is that of a drill, and of nothing more.
    pub fn is_drill(&self) -> bool {
        self.latch().is_some_and(|latch| latch.drill)
    }
}
