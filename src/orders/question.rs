//! What is asked of a source of orders.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::visible;
use crate::core::bot::{BotName, OrderSource};

use super::Surroundings;

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

impl Question {
    /// The file or the program that is asked, harmless to a terminal: what an error begins with.
    pub fn place(&self) -> String {
        match &self.source {
            OrderSource::Freqtrade { path, .. }
            | OrderSource::Hummingbot { path }
            | OrderSource::StateJson { path }
            | OrderSource::Sql { path, .. } => visible(&path.display().to_string()).into_owned(),
            OrderSource::Command { command, .. } => {
                visible(command.first().map_or("a command without a program", String::as_str)).into_owned()
            }
        }
    }

    /// The word of the configuration for such a source.
    pub fn source_word(&self) -> &'static str {
        self.source.word()
    }
}
