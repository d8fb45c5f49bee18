//! What a keeper and its clients say to each other: one JSON object a line over `control.sock`.
//!
//! The keeper speaks first (a [`Hello`]). The client then sends [`Request`]s; each is answered by one [`Answer`], and
//! after [`Request::Watch`] a whole [`Snapshot`] follows whenever something has changed. Times are ages in
//! milliseconds, never wall-clock times: nobody's clock can make a deadline lie. Fields that a side does not know are
//! ignored, so that keepers of an older and a newer binary understand each other.

use serde::{Deserialize, Serialize};

use super::bot::{BotName, BotSpec, Mode};
use super::exit::Exit;
use super::record::ProcessId;
use super::report::ClaimsReport;
use super::signal::Signal;
use super::state::State;

/// Raised only when an older side would misunderstand a newer one. A client that meets another number leaves the
/// socket alone and uses what every keeper understands: SIGTERM is a graceful stop.
pub const PROTOCOL: u32 = 1;

/// What a keeper is called in process lists, whatever its binary's file is called.
pub const KEEPER_NAME: &str = "botwarden";

/// The hidden command of a keeper: `botwarden keep NAME`. The bot's name is there for people who read process lists.
pub const KEEPER_ROLE: &str = "keep";

/// The hidden command of a stopper: `botwarden stopper ID`.
pub const STOPPER_ROLE: &str = "stopper";

/// The hidden command of a process that reads orders: `botwarden reader user=NAME`, or `botwarden reader -` for our own user.
/// What stands behind it is no name of a bot.
pub const READER_ROLE: &str = "reader";

/// Every role in which our own binary is no part of any bot's tree, whoever has called it.
pub const OUR_ROLES: [&str; 3] = [KEEPER_ROLE, STOPPER_ROLE, READER_ROLE];

/// The first line, from the keeper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL`] of the keeper's binary.
    pub botwarden: u32,
    /// Version of the keeper's binary.
    pub version: String,
    /// The bot it keeps.
    pub bot: BotName,
    /// The keeper's own process.
    pub keeper_pid: i32,
}

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// One snapshot.
    Look,
    /// A snapshot now and after every change.
    Watch,
    /// A graceful stop; a second one joins the first.
    Stop {
        /// Who asks.
        by: String,
        /// Strays that are to be ended together with it.
        #[serde(default)]
        also: Vec<ProcessId>,
        /// In an emergency stop: no rung waits longer, in milliseconds.
        #[serde(default)]
        cap_ms: Option<u64>,
    },
    /// The next rung of a stop that is under way.
    Climb {
        /// Who asks.
        by: String,
    },
    /// SIGKILL to the whole tree.
    Kill {
        /// Who asks.
        by: String,
        /// Strays that are to be ended together with it.
        #[serde(default)]
        also: Vec<ProcessId>,
    },
    /// An end to the wait for the next try, with a new specification if there is one; a bot that runs is left alone.
    Retry {
        /// Who asks.
        by: String,
        /// What it is to be from now on.
        spec: Option<Box<BotSpec>>,
    },
    /// A stop, and a new run once the tree is empty; with a new specification if there is one.
    Restart {
        /// Who asks.
        by: String,
        /// What the bot is to be from then on.
        spec: Option<Box<BotSpec>>,
    },
}

/// What the keeper replies to each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It was understood and is being done.
    Accepted,
    /// It was not; the text says why.
    Refused(String),
    /// What the keeper sees.
    Snapshot(Box<Snapshot>),
}

/// Everything that a keeper knows of its bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The bot.
    pub bot: BotName,
    /// The id of its current or last run.
    pub run: String,
    /// Its mode in this run.
    pub mode: Mode,
    /// What its keeper says it is doing.
    pub state: State,
    /// How long it has been in that state.
    pub state_age_ms: u64,
    /// The main process, while there is one.
    pub pid: Option<i32>,
    /// How long the main process has been executing.
    pub uptime_ms: Option<u64>,
    /// How often it was started again in this keeper's time.
    pub restarts: u32,
    /// Failures in a row.
    pub failures: u32,
    /// Failures that open the breaker; 0 for never.
    pub give_up_after: u32,
    /// Starting: how long it may take to be ready before that is worth a remark.
    pub ready_limit_ms: Option<u64>,
    /// Backing off: until the next try.
    pub next_try_in_ms: Option<u64>,
    /// Stopping: the next signal, and how long until it is sent.
    pub next_signal: Option<Signal>,
    /// Stopping: until `next_signal`.
    pub next_signal_in_ms: Option<u64>,
    /// Stopping: until the ladder is at its end.
    pub ladder_ends_in_ms: Option<u64>,
    /// The ladder is at its end and something lives.
    pub survived: bool,
    /// How the last run that ended did so, and how long ago.
    pub last_exit: Option<SeenExit>,
    /// Since the last `WATCHDOG=1`.
    pub heartbeat_age_ms: Option<u64>,
    /// What the bot last said of itself over its notify socket: a claim.
    pub says: Option<String>,
    /// What the bot last said of its orders and its state over its notify socket: claims.
    #[serde(default)]
    pub told: Told,
    /// Something about the supervision that the operator should know: a degraded mode, an error.
    pub warning: Option<String>,
    /// The processes of the tree as last seen: all of them while stopping, else the main one.
    pub processes: Vec<SeenProcess>,
    /// The processes of the run before this one, with the signals that ended them.
    #[serde(default)]
    pub before: Vec<SeenProcess>,
}

/// What a bot says of its orders and its state: the contract's fields of a notify message. Claims, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// `X_ORDERS_ACTIVE`.
    pub orders_active: Option<u64>,
    /// `X_ORDERS_CANCELED`, since its stop began.
    pub orders_canceled: Option<u64>,
    /// `X_CANCEL_ERRORS`, since its stop began.
    pub cancel_errors: Option<u64>,
    /// `X_STATE_FLUSHED`, since its stop began.
    pub state_flushed: Option<bool>,
}

impl Told {
    /// Takes one field in; whether it was one of ours. A value that is no number, or neither 0 nor 1, says nothing.
    pub fn hear(&mut self, name: &str, value: &str) -> bool {
        let number = || value.trim().parse().ok();
        match name {
            "X_ORDERS_ACTIVE" => self.orders_active = number().or(self.orders_active),
            "X_ORDERS_CANCELED" => self.orders_canceled = number().or(self.orders_canceled),
            "X_CANCEL_ERRORS" => self.cancel_errors = number().or(self.cancel_errors),
            "X_STATE_FLUSHED" => {
                self.state_flushed = match value.trim() {
                    "1" => Some(true),
                    "0" => Some(false),
                    _ => self.state_flushed,
                }
            }
            _ => return false,
        }
        true
    }

    /// What it says of its shutdown.
    pub fn claims(&self) -> ClaimsReport {
        ClaimsReport {
            orders_canceled: self.orders_canceled,
            cancel_errors: self.cancel_errors,
            state_flushed: self.state_flushed,
        }
    }

    /// A stop begins: what was said of earlier cancelations is not about this one.
    pub const fn begin_to_stop(&mut self) {
        self.orders_canceled = None;
        self.cancel_errors = None;
        self.state_flushed = None;
    }
}

/// An end that the keeper saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenExit {
    /// How.
    pub exit: Exit,
    /// How long ago.
    pub age_ms: u64,
}

/// A process of a bot's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenProcess {
    /// Its number.
    pub pid: i32,
    /// Its command line, cut to a line's length.
    pub command: String,
    /// The last signal that the keeper sent it.
    pub signal: Option<Signal>,
    /// Whether it was there at the last look.
    pub alive: bool,
}
