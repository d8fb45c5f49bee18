//! The active orders of bots, read from other people's files and programs.
//!
//! Reading happens in a process of its own (`botwarden reader`): a damaged file of SQLite can kill whoever maps it with
//! SIGBUS, a file on a share that is gone can hang whoever touches it, and a program can print without end. None of that
//! reaches whoever asked: a reader that dies or hangs is replaced, and its question answered with why.

pub mod book;
pub mod freqtrade_api;
mod readers;
mod surroundings;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::bot::{BotName, OrderSource};

pub use readers::{Pending, Readers};
pub use surroundings::Surroundings;

/// What somebody wants to know of one bot's orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Whose orders.
    pub bot: BotName,
    /// Where they are.
    pub source: OrderSource,
    /// How a program that tells of them is run, and as whom a file is read.
    pub surroundings: Surroundings,
    /// The stamp of an earlier reading: if nothing has changed since, nothing is read.
    pub known: Option<String>,
    /// Orders whose end is of interest, if the source still has them: any id of theirs.
    pub of_interest: Vec<String>,
    /// How long the reading may take.
    pub within: Duration,
}
