//! How far a stop has come: what is shown of it while it is under way.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bot::{BotName, Mode};
use super::report::{ClaimsReport, OrdersReport};
use super::stop::Stage;

/// One bot's stop, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The bot.
    pub bot: BotName,
    /// Its mode, if it is known.
    pub mode: Option<Mode>,
    /// Since it was asked for, in milliseconds.
    pub elapsed_ms: u64,
    /// Every stage, in their order.
    pub stages: Vec<StageSeen>,
    /// Its orders, as far as they are verified; absent where nobody can read them.
    pub orders: Option<OrdersReport>,
    /// What the bot says of its shutdown: claims.
    pub claims: ClaimsReport,
    /// Whether its state is on disk, by what it says and what was seen; absent while neither tells.
    pub state_flushed: Option<bool>,
    /// Whether its state file was seen to be written since it was told to stop.
    pub state_written: Option<bool>,
    /// Processes of it that live, as far as is known.
    pub processes_left: Vec<i32>,
    /// What is being waited for.
    pub waiting: Option<Waiting>,
    /// Everything that went wrong so far.
    pub errors: Vec<String>,
}

impl Progress {
    /// A stop of which nothing is known yet.
    pub fn new(bot: BotName, mode: Option<Mode>) -> Self {
        Self {
            bot,
            mode,
            elapsed_ms: 0,
            stages: Vec::new(),
            orders: None,
            claims: ClaimsReport::default(),
            state_flushed: None,
            state_written: None,
            processes_left: Vec::new(),
            waiting: None,
            errors: Vec::new(),
        }
    }
}

/// One stage of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSeen {
    /// Which.
    pub stage: Stage,
    /// How it stands.
    pub standing: Standing,
    /// What there is to say of it; empty if nothing.
    pub text: String,
    /// How long it took, or has taken so far, in milliseconds; absent before it began.
    pub took_ms: Option<u64>,
}

/// How a stage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its turn has not come.
    Ahead,
    /// It is under way.
    UnderWay,
    /// It is over, and did what it is for.
    Done,
    /// There is nothing to do in it for this bot.
    Skipped,
    /// It is over, and something went wrong in it.
    Failed,
}

/// What a stop waits for, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// What for: `pid 48220`, `the cancel command, attempt 2`.
    pub what: String,
    /// What happens if it does not come, and is said after it: `SIGKILL`.
    pub then: Option<String>,
    /// Until then, in milliseconds from now.
    pub left_ms: Option<u64>,
}

impl Waiting {
    /// What is waited for, and what comes then, as a phrase: `pid 48220; SIGKILL in 6 s`.
    pub fn sentence(&self) -> String {
        match self.then_sentence() {
            Some(then) => format!("{}; {then}", self.what),
            None => self.what.clone(),
        }
    }

    /// What comes then: `SIGKILL in 6 s`.
    pub fn then_sentence(&self) -> Option<String> {
        // Rounded up: nothing happens before it says 0.
        match (&self.then, self.left_ms.map(|left| left.div_ceil(1000))) {
            (Some(then), Some(0)) => Some(format!("{then} now")),
            (Some(then), Some(left)) => Some(format!("{then} in {left} s")),
            (Some(then), None) => Some(format!("then {then}")),
            (None, Some(left)) => Some(format!("for {left} s more")),
            (None, None) => None,
        }
    }

    /// The same, so much later.
    #[must_use]
    pub fn later(&self, by: Duration) -> Self {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        Self { left_ms: self.left_ms.map(|left| left.saturating_sub(by)), ..self.clone() }
    }
}
