//! What a bot is meant to be: the part of the configuration that a keeper is handed when it is launched.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::signal::Signal;

/// The name of a bot, of one instance of it (`momentum@2`), or of a cluster.
///
/// Letters, digits, `.` `_` `-`, at most 64, not starting with `.` or `-`, then perhaps `@` and an instance's number:
/// always safe as the name of a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BotName(String);

/// Why a text is no name; a sentence's second half ("the name ...").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// Nothing there.
    Empty,
    /// More than 64 characters.
    TooLong,
    /// Starts with `.` or `-`.
    BadStart,
    /// Has a character outside letters, digits, `.` `_` `-`.
    BadCharacter(char),
    /// What follows `@` is no number from 1 on.
    BadInstance,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => f.write_str("is longer than 64 characters"),
            Self::BadStart => f.write_str("starts with '.' or '-'"),
            Self::BadCharacter(c) => {
                write!(f, "has {c:?} in it; letters, digits, '.', '_' and '-' are what a name may have")
            }
            Self::BadInstance => f.write_str("has an '@' that no instance's number follows"),
        }
    }
}

impl BotName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in the configuration: `momentum` for `momentum@2`.
    pub fn base(&self) -> &str {
        self.0.split('@').next().unwrap_or(&self.0)
    }

    /// The instance's number: 2 for `momentum@2`.
    pub fn instance(&self) -> Option<u32> {
        self.0.split_once('@').and_then(|(_, number)| number.parse().ok())
    }

    /// The name of one instance of this bot.
    #[must_use]
    pub fn with_instance(&self, number: u32) -> Self {
        Self(format!("{}@{number}", self.base()))
    }
}

impl FromStr for BotName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let (base, instance) = match text.split_once('@') {
            Some((base, instance)) => (base, Some(instance)),
            None => (text, None),
        };
        if base.is_empty() {
            return Err(BadName::Empty);
        }
        if let Some(bad) = base.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
            return Err(BadName::BadCharacter(bad));
        }
        if base.len() > 64 {
            return Err(BadName::TooLong);
        }
        if base.starts_with(['.', '-']) {
            return Err(BadName::BadStart);
        }
        match instance {
            Some(number)
                if number.starts_with('0')
                    || number.len() > 4
                    || number.is_empty()
                    || !number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                Err(BadName::BadInstance)
            }
            Some(_) | None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for BotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<BotName> for String {
    fn from(name: BotName) -> Self {
        name.0
    }
}

impl TryFrom<String> for BotName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

/// What a bot's orders are worth: nothing, nothing yet, or money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Places no orders at all.
    DryRun,
    /// Places orders on a simulated or test venue.
    Paper,
    /// Places orders with real money.
    Live,
}

impl Mode {
    /// The word of the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DryRun => "dry-run",
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// When a bot that ended by itself is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Not at all.
    Never,
    /// Unless it exited with 0.
    OnFailure,
    /// Whatever it exited with.
    Always,
}

/// How long to wait between one failure and the next try, and when to give up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// The wait after the first failure; each further one doubles it.
    pub first: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// A run that lasted this long makes the failures before it forgotten.
    pub reset_after: Duration,
    /// The breaker opens at this many failures in a row; 0 never gives up.
    pub give_up_after: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            max: Duration::from_mins(1),
            reset_after: Duration::from_mins(1),
            give_up_after: 5,
        }
    }
}

/// One step of a ladder: a signal, and how long the tree then has to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Sent once; SIGKILL alone is repeated.
    pub signal: Signal,
    /// Until the next rung is climbed.
    pub wait: Duration,
}

/// The steps of a stop, mildest first. Never empty, and no signal stands in it twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder(pub Vec<Rung>);

impl Default for Ladder {
    fn default() -> Self {
        Self(vec![
            Rung { signal: Signal::TERM, wait: Duration::from_secs(30) },
            Rung { signal: Signal::KILL, wait: Duration::from_secs(5) },
        ])
    }
}

impl Ladder {
    /// SIGKILL as the whole ladder: what `kill` climbs.
    pub fn kill() -> Self {
        Self(vec![Rung { signal: Signal::KILL, wait: Duration::from_secs(5) }])
    }

    /// The same ladder in an emergency stop: no rung waits longer than this, and it ends with SIGKILL whatever the bot's own
    /// ladder does.
    #[must_use]
    pub fn in_an_emergency(&self, cap: Duration) -> Self {
        let mut rungs: Vec<Rung> =
            self.0.iter().map(|rung| Rung { signal: rung.signal, wait: rung.wait.min(cap) }).collect();
        if rungs.last().is_none_or(|last| last.signal != Signal::KILL) {
            rungs.extend(Self::kill().0.into_iter().map(|rung| Rung { wait: rung.wait.min(cap), ..rung }));
        }
        Self(rungs)
    }

    /// The longest that a stop by this ladder may take before the tree counts as surviving.
    pub fn longest(&self) -> Duration {
        self.0.iter().map(|rung| rung.wait).sum()
    }
}

/// How long a bot that announces its readiness may take before `start` stops waiting for it.
pub const READY_LIMIT: Duration = Duration::from_mins(1);

/// When a bot that executes counts as running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// At once.
    Executing,
    /// When it says `READY=1` over its notify socket.
    Notify,
    /// When it has stayed alive for this long.
    Alive(Duration),
}

/// How much of a bot's output is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimits {
    /// Bytes in the live log before whole lines of it are archived; also the size of an archive.
    pub max_size: u64,
    /// Archives kept, the newest ones.
    pub keep: u32,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { max_size: 64 << 20, keep: 8 }
    }
}

/// Where a bot's active orders can be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum OrderSource {
    /// freqtrade's SQLite file, and perhaps its REST interface.
    Freqtrade {
        /// The file.
        path: PathBuf,
        /// The interface, if it is to be used.
        api: Option<Api>,
    },
    /// hummingbot's SQLite file.
    Hummingbot {
        /// The file.
        path: PathBuf,
    },
    /// One JSON document, in a file or in a one-row SQLite table.
    StateJson {
        /// The file.
        path: PathBuf,
    },
    /// Any SQLite file, and a query whose columns have our names.
    Sql {
        /// The file.
        path: PathBuf,
        /// The query; its columns are named as ours.
        query: String,
    },
    /// A program that prints our JSON.
    Command {
        /// An argument vector, run in the bot's `cwd`.
        command: Vec<String>,
        /// How long it may take.
        timeout: Duration,
    },
}

impl OrderSource {
    /// The word of the configuration.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Freqtrade { .. } => "freqtrade",
            Self::Hummingbot { .. } => "hummingbot",
            Self::StateJson { .. } => "state-json",
            Self::Sql { .. } => "sql",
            Self::Command { .. } => "command",
        }
    }

    /// The interface that the bot itself listens on, if it has one.
    pub const fn api(&self) -> Option<&Api> {
        match self {
            Self::Freqtrade { api, .. } => api.as_ref(),
            Self::Hummingbot { .. } | Self::StateJson { .. } | Self::Sql { .. } | Self::Command { .. } => None,
        }
    }

    /// The file that orders are read from; nothing where a program is asked.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Freqtrade { path, .. }
            | Self::Hummingbot { path }
            | Self::StateJson { path }
            | Self::Sql { path, .. } => Some(path),
            Self::Command { .. } => None,
        }
    }
}

/// freqtrade's REST interface. The password itself is never in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Api {
    /// Scheme, host and port.
    pub url: String,
    /// For basic authentication.
    pub username: String,
    /// The name of the variable that holds the password.
    pub password_env: String,
}

/// What becomes of an order that guards a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protective {
    /// Canceled like any other.
    Cancel,
    /// Left where it is, and counted.
    Keep,
}

/// How orders are canceled when the bot does not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// An argument vector, run in the bot's `cwd`.
    pub command: Vec<String>,
    /// Bounds the whole cancel stage.
    pub timeout: Duration,
    /// What becomes of protective orders.
    pub protective: Protective,
}

/// What a bot's log says while it shuts down: regular expressions whose first group is the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claims {
    /// Patterns of the configuration.
    Patterns {
        /// How many orders it canceled.
        orders_canceled: Option<String>,
        /// How many it could not cancel.
        cancel_errors: Option<String>,
        /// Whether its state is written down.
        state_flushed: Option<String>,
    },
    /// The patterns that botwarden knows for a bot by this name.
    Preset(String),
}

/// Everything that the configuration says of one bot (or one instance of it), every path absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotSpec {
    /// Its name, with the instance where there are several.
    pub name: BotName,
    /// Program and arguments; never a shell's line.
    pub command: Vec<String>,
    /// The folder it runs in.
    pub cwd: PathBuf,
    /// Whether its orders are real.
    pub mode: Mode,
    /// Groups it belongs to.
    pub groups: Vec<String>,
    /// Whether `up` starts it.
    pub autostart: bool,
    /// Variables from the configuration; they win over `env_file`.
    pub env: BTreeMap<String, String>,
    /// A file of further variables, read at every spawn and never copied anywhere.
    pub env_file: Option<PathBuf>,
    /// The user to run it as, when we are root.
    pub user: Option<String>,
    /// When it is started again.
    pub restart: RestartPolicy,
    /// How fast, and how often.
    pub backoff: Backoff,
    /// How it is stopped.
    pub stop: Ladder,
    /// When it counts as running.
    pub ready: Ready,
    /// A PID file that the bot itself writes.
    pub pid_file: Option<PathBuf>,
    /// How strays of it are recognised; absent: from `command`.
    pub find: Option<Vec<String>>,
    /// A log file that the bot itself writes.
    pub log_file: Option<PathBuf>,
    /// The file that changes when the bot writes its state down.
    pub state_file: Option<PathBuf>,
    /// How much of its output is kept.
    pub log: LogLimits,
    /// Where its orders are read.
    pub orders: Option<OrderSource>,
    /// How its orders are canceled.
    pub cancel: Option<Cancel>,
    /// What its log says.
    pub claims: Option<Claims>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_as_folders() {
        let long = "a".repeat(65);
        for (text, bad) in [
            ("", BadName::Empty),
            ("@1", BadName::Empty),
            (".hidden", BadName::BadStart),
            ("-flag", BadName::BadStart),
            ("a/b", BadName::BadCharacter('/')),
            ("..", BadName::BadStart),
            ("a b", BadName::BadCharacter(' ')),
            ("ä", BadName::BadCharacter('ä')),
            (long.as_str(), BadName::TooLong),
            ("a@", BadName::BadInstance),
            ("a@0", BadName::BadInstance),
            ("a@01", BadName::BadInstance),
            ("a@x", BadName::BadInstance),
            ("a@1@2", BadName::BadInstance),
        ] {
            assert_eq!(text.parse::<BotName>(), Err(bad), "{text:?}");
        }
        for text in ["a", "mm-eth", "grid_btc.v2", "momentum@12", "9lives"] {
            assert_eq!(text.parse::<BotName>().map(String::from), Ok(text.to_owned()));
        }
    }

    #[test]
    fn an_instance_knows_its_number_and_its_family() {
        let name: BotName = "momentum@12".parse().expect("a good name");
        assert_eq!((name.base(), name.instance()), ("momentum", Some(12)));
        assert_eq!(name.with_instance(3).as_str(), "momentum@3");
    }
}
