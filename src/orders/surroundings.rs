//! What surrounds a program that is run on a bot's behalf: the folder, the environment and the user of the bot.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::env_file;
use crate::core::bot::BotSpec;
use crate::core::record::RunRecord;
use crate::core::words::is_secret;
use crate::sys::Identity;
use crate::who;

/// Variables, in the order in which they are set: a later one wins.
pub type Environment = Vec<(OsString, OsString)>;

/// A value shorter than this is not hidden: `1`, `true`, `info`.
const SHORTEST_SECRET: usize = 6;

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
    /// What a process of the bot gets on top of our own environment, and whom it runs as, if not as us.
    ///
    /// # Errors
    /// With a phrase or a sentence, if there is no such user or the file of variables cannot be read.
    pub fn environment(&self) -> Result<(Environment, Option<Identity>), String> {
        let mut env = Environment::new();
        let mut set = |name: &str, value: &str| env.push((name.into(), value.into()));
        let other = match &self.user {
            Some(user) => who::to_become(user)?,
            None => None,
        };
        if std::env::var_os("PYTHONUNBUFFERED").is_none() {
            set("PYTHONUNBUFFERED", "1");
        }
        for (name, value) in other.iter().flat_map(|other| &other.env) {
            set(name, value);
        }
        if let Some(file) = &self.env_file {
            for (name, value) in env_file::read(file)? {
                set(&name, &value);
            }
        }
        for (name, value) in &self.env {
            set(name, value);
        }
        Ok((env, other.map(|other| other.identity)))
    }
}

impl Surroundings {
    /// What must not be shown of what a program says that is run in them: everything in the file of variables, and of the
    /// others what is named like a secret. Longer ones first, for one may stand in another.
    pub fn secrets(&self) -> Vec<String> {
        let of_file = self.env_file.as_ref().and_then(|file| env_file::read(file).ok()).unwrap_or_default();
        let named = self.env.iter().filter(|(name, _)| is_secret(name)).map(|(_, value)| value.clone());
        let mut secrets: Vec<String> = of_file.into_iter().map(|(_, value)| value).chain(named).collect();
        // What is as short as that stands in many a word that is none.
        secrets.retain(|secret| secret.trim().len() >= SHORTEST_SECRET);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }
}

/// Whether a variable is between a bot and its keeper: whoever has it is taken for a part of the bot's tree, or can speak
/// to its keeper in its name.
pub fn is_of_the_tree(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b"BOTWARDEN_") || name.starts_with(b"WATCHDOG_") || name == b"NOTIFY_SOCKET"
}
