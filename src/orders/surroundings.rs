//! What surrounds a program that is run on a bot's behalf: the folder, the environment and the user of the bot.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::bot::BotSpec;
use crate::core::record::RunRecord;

/// The folder, the environment and the user of a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// The folder it runs in.
    pub cwd: PathBuf,
    /// Variables of the configuration; they win over `env_file`.
    pub env: BTreeMap<String, String>,
    /// A file of further variables, read whenever a program is run and never copied anywhere.
    pub env_file: Option<PathBuf>,
    /// The user it runs as, if that is not ours.
    pub user: Option<String>,
}

impl Surroundings {
    /// Those that the configuration gives a bot.
    pub fn of_spec(spec: &BotSpec) -> Self {
        Self { cwd: spec.cwd.clone(), env: spec.env.clone(), env_file: spec.env_file.clone(), user: spec.user.clone() }
    }

    /// Those of a bot that is not configured any more, as far as its run record tells: its variables are not written down.
    pub fn of_record(record: &RunRecord) -> Self {
        Self { cwd: record.cwd.clone(), env: BTreeMap::new(), env_file: None, user: record.user.clone() }
    }
}
