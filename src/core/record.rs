//! What is written down about a bot: its run record, and the mark that it is not to be running.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::{BotName, BotSpec, Cancel, Claims, Ladder, LogLimits, Mode, OrderSource};
use super::exit::Exit;
use super::lifecycle::Outcome;

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: i32,
    /// When it was started, in clock ticks since boot: field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`).
    pub start_time: u64,
    /// `/proc/sys/kernel/random/boot_id` of the boot it was started in.
    pub boot_id: String,
    /// The PID namespace that gave it the number: the target of `/proc/self/ns/pid`.
    pub pid_namespace: String,
}

/// `run.json`: one life of a bot. Written before the spawn without a process, and completed after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Shape of this file.
    pub schema: u32,
    /// The run's id; sorts by time.
    pub run: String,
    /// The bot.
    pub bot: BotName,
    /// When the keeper was about to spawn it.
    pub started_at: Timestamp,
    /// The main process, once it was spawned.
    pub process: Option<ProcessId>,
    /// The keeper that spawned or adopted it.
    pub keeper: Option<ProcessId>,
    /// Whether it was not spawned by a keeper but found alive: then its session and its output are somebody else's.
    #[serde(default)]
    pub stray: bool,
    /// The address of its notify socket, so that a later keeper can listen there.
    pub notify: Option<String>,
    /// The control group of its own that it was born in, if it has one.
    #[serde(default)]
    pub cgroup: Option<PathBuf>,
    /// Restarts before this run, in its keeper's time.
    pub restarts: u32,
    /// Failures in a row before this run.
    pub failures: u32,
    /// The argument vector.
    pub argv: Vec<String>,
    /// Mode in this run.
    pub mode: Mode,
    /// Groups it belonged to.
    pub groups: Vec<String>,
    /// The effective ladder.
    pub ladder: Ladder,
    /// The folder it ran in.
    pub cwd: PathBuf,
    /// The user it ran as, if it was not the keeper's.
    pub user: Option<String>,
    /// The bot's own PID file.
    pub pid_file: Option<PathBuf>,
    /// How strays are recognised.
    pub find: Option<Vec<String>>,
    /// A log file that the bot itself writes.
    pub log_file: Option<PathBuf>,
    /// What changes when its state is flushed.
    pub state_file: Option<PathBuf>,
    /// How much of its output is kept.
    pub log: LogLimits,
    /// Where its orders are.
    pub orders: Option<OrderSource>,
    /// How they are canceled.
    pub cancel: Option<Cancel>,
    /// What its log says.
    pub claims: Option<Claims>,
    /// How the run ended; absent while it lasts, or if nobody saw the end.
    pub ended: Option<Ended>,
}

/// The end of a run: its tree was seen empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// What it means.
    pub outcome: Ending,
    /// How the main process ended.
    pub exit: Exit,
}

/// What the end of a run means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Another run follows, at once or after a wait.
    Restarting,
    /// None follows.
    Final(Outcome),
}

impl RunRecord {
    /// The record of a run of which nothing is known but the bot's name.
    pub fn unknown(bot: BotName, at: Timestamp) -> Self {
        Self {
            schema: 1,
            run: String::new(),
            bot,
            started_at: at,
            process: None,
            keeper: None,
            stray: false,
            notify: None,
            cgroup: None,
            restarts: 0,
            failures: 0,
            argv: Vec::new(),
            mode: Mode::Live,
            groups: Vec::new(),
            ladder: Ladder::default(),
            cwd: PathBuf::new(),
            user: None,
            pid_file: None,
            find: None,
            log_file: None,
            state_file: None,
            log: LogLimits::default(),
            orders: None,
            cancel: None,
            claims: None,
            ended: None,
        }
    }

    /// The record of a run that is about to be spawned.
    pub fn new(spec: &BotSpec, run: String, started_at: Timestamp) -> Self {
        Self {
            schema: 1,
            run,
            bot: spec.name.clone(),
            started_at,
            process: None,
            keeper: None,
            stray: false,
            notify: None,
            cgroup: None,
            restarts: 0,
            failures: 0,
            argv: spec.command.clone(),
            mode: spec.mode,
            groups: spec.groups.clone(),
            ladder: spec.stop.clone(),
            cwd: spec.cwd.clone(),
            user: spec.user.clone(),
            pid_file: spec.pid_file.clone(),
            find: spec.find.clone(),
            log_file: spec.log_file.clone(),
            state_file: spec.state_file.clone(),
            log: spec.log,
            orders: spec.orders.clone(),
            cancel: spec.cancel.clone(),
            claims: spec.claims.clone(),
            ended: None,
        }
    }
}

/// `down`: this bot is not to be running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Down {
    /// Who asked; empty where the file could not be read: its presence is what counts.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
}
