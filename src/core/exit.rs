//! How a process ended, as far as anybody saw it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::signal::Signal;

/// The end of a bot's main process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
    /// It never executed; the text says why.
    NotStarted(String),
    /// It is gone, and nobody who could have seen how was there.
    Unknown,
}

impl Exit {
    /// Whether this is the end of something that did what it was meant to do.
    pub fn is_success(&self) -> bool {
        *self == Self::Code(0)
    }

    /// The code, where there is one.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(*code),
            Self::Signal(_) | Self::NotStarted(_) | Self::Unknown => None,
        }
    }

    /// The signal, where one ended it.
    pub fn signal(&self) -> Option<Signal> {
        match self {
            Self::Signal(signal) => Some(*signal),
            Self::Code(_) | Self::NotStarted(_) | Self::Unknown => None,
        }
    }
}

impl fmt::Display for Exit {
    /// A phrase that follows a name: "momentum exited with 1".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with {code}"),
            Self::Signal(signal) => write!(f, "was ended by {signal}"),
            Self::NotStarted(why) => write!(f, "could not be started: {why}"),
            Self::Unknown => f.write_str("ended, nobody saw how"),
        }
    }
}
