//! The shapes in which the command line tells what was done: the contract's reports.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::{BotName, Mode};
use super::cluster_report::ClusterReport;
use super::code::Code;
use super::order::Order;
pub use super::process_report::{ProcessReport, Tier};
use super::signal::Signal;

/// What `start`, `up` and `adopt` print with `--json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartReport {
    /// Shape of this object.
    pub schema: u32,
    /// The command.
    pub action: String,
    /// Whether `exit_code` is 0.
    pub ok: bool,
    /// What the process exits with.
    pub exit_code: u8,
    /// One entry a bot.
    pub bots: Vec<StartedBot>,
    /// What went wrong besides.
    pub errors: Vec<String>,
}

/// What became of one bot's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StartedBot {
    /// The bot.
    pub name: BotName,
    /// In one word.
    pub outcome: StartOutcome,
    /// Its main process, if it lives.
    pub pid: Option<i32>,
    /// A sentence.
    pub message: String,
}

/// What may become of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartOutcome {
    /// It executes, and is ready if it announces that.
    Started,
    /// A keeper took it back; it was never gone.
    Adopted,
    /// It was running already.
    AlreadyRunning,
    /// It executes and is not ready yet.
    StillStarting,
    /// It did not come to execute, or died at once.
    Failed,
    /// It was not tried.
    Refused,
    /// The emergency stop stands against it.
    Latched,
}

/// What `stop`, `restart`, `kill` and their like print with `--json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Shape of this object.
    pub schema: u32,
    /// The command.
    pub action: String,
    /// Whether `exit_code` is 0.
    pub ok: bool,
    /// What the process exits with.
    pub exit_code: u8,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether the emergency stop is latched; absent where the command has nothing to do with it.
    pub latched: Option<bool>,
    /// Whether it was to be latched, and could not be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_latch: bool,
    /// Whether something may live that nobody could look for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// What it was about.
    pub scope: Option<String>,
    /// Who asked.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// One entry a bot.
    pub bots: Vec<BotReport>,
    /// One entry a cluster.
    pub clusters: Vec<ClusterReport>,
    /// What went wrong besides.
    pub errors: Vec<String>,
    /// What else there is to know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What became of one bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BotReport {
    /// The bot.
    pub name: BotName,
    /// Its mode.
    pub mode: Option<Mode>,
    /// In one word; absent where nothing of it was to be stopped.
    pub outcome: Option<StopOutcome>,
    /// The main process that was found, if one was.
    #[serde(default)]
    pub pid: Option<i32>,
    /// From the first look to the last, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
    /// Whether a new run executes.
    pub restarted: bool,
    /// The tiers that found something.
    pub found_by: Vec<Tier>,
    /// Every process that was found.
    pub processes: Vec<ProcessReport>,
    /// How the main process ended.
    pub exit: Option<ExitReport>,
    /// Verified figures; absent where they are unknown: nobody can read its orders, or nobody could.
    pub orders: Option<OrdersReport>,
    /// What the bot said.
    pub claims: ClaimsReport,
    /// Whether its state is on disk: by what it says, and where its state file can be seen, by that too.
    pub state_flushed: Option<bool>,
    /// Whether its state file was seen to be written since it was told to stop; absent where none was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_written: Option<bool>,
    /// Whether its orders could not be read although a source is configured.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// What went wrong.
    pub errors: Vec<String>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// What may become of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOutcome {
    /// It lived, and its tree was seen empty.
    Stopped,
    /// There was nothing to stop.
    NotRunning,
    /// Something of it lives, or may.
    Survived,
}

/// How a main process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitReport {
    /// The exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<Signal>,
}

/// What was seen of a bot's orders, before and after. Every figure is verified: it comes from reading the source again,
/// not from what anybody said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrdersReport {
    /// How many were open at first; absent if the source could not be read then.
    pub before: Option<u64>,
    /// How many are gone from the source, and were not filled as far as it says.
    pub canceled: u64,
    /// How many were filled before they could be canceled.
    pub filled: u64,
    /// How many could not be canceled when that was last tried.
    pub errors: u64,
    /// How many are still open, or may be.
    pub unconfirmed: u64,
    /// How many were left alone because the bot is in dry-run.
    pub skipped: u64,
    /// How many protective ones were left where they are, by the bot's policy.
    pub kept: u64,
    /// How many of them all have no id of the venue.
    pub without_id: u64,
    /// How many orders of the bot are open that nobody has chosen.
    #[serde(default, skip_serializing_if = "is_none")]
    pub others: u64,
    /// Whether the source was read after nothing of the bot lived any more (`cancel`: after the last attempt).
    pub verified: bool,
    /// When the source was last read.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
    /// Those that are still open, as they were last seen.
    pub open: Vec<Order>,
    /// What became of each that was to be canceled.
    #[serde(default)]
    pub results: Vec<OrderResult>,
}

/// A figure that goes without saying.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What became of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderResult {
    /// The venue's id of it.
    pub order_id: Option<String>,
    /// The bot's own id of it.
    pub client_order_id: Option<String>,
    /// In one word.
    pub result: CancelResult,
    /// How often its cancelation was tried.
    pub attempts: u32,
    /// What was said of it last.
    pub message: Option<String>,
}

impl OrderResult {
    /// Whether this is about that order.
    pub fn is_about(&self, order: &Order) -> bool {
        (&self.order_id, &self.client_order_id) == (&order.order_id, &order.client_order_id)
    }

    /// What was said of it, as a phrase that follows its name; empty where nothing was.
    pub fn said(&self) -> String {
        let tried = match self.attempts {
            0 => return String::new(),
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            many => format!("{many} times"),
        };
        let message = self.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        match self.result {
            CancelResult::Refused => format!(", refused {tried}{message}"),
            CancelResult::Canceled | CancelResult::Filled | CancelResult::Gone | CancelResult::Unknown => {
                format!(", tried {tried}{message}")
            }
        }
    }
}

impl OrdersReport {
    /// The figures in a line: `2 canceled, 1 filled, 1 NOT CONFIRMED`.
    pub fn summary(&self) -> String {
        let figures = [
            (self.canceled, "canceled"),
            (self.filled, "filled"),
            (self.unconfirmed, "NOT CONFIRMED"),
            (self.skipped, "skipped (dry-run)"),
            (self.kept, "kept by policy"),
        ];
        let said: Vec<String> =
            figures.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let said = if said.is_empty() { "0 canceled".to_owned() } else { said.join(", ") };
        let open = self.open.len();
        let others = if self.others > 0 { format!("; {} others of it are open", self.others) } else { String::new() };
        let chosen = if self.others > 0 { " of the chosen ones" } else { "" };
        format!("{said}, {open}{chosen} open{}{others}", if self.verified { ", verified" } else { ", NOT VERIFIED" })
    }
}

/// The five things that may become of an order that is to be canceled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelResult {
    /// It was canceled.
    Canceled,
    /// It was filled first.
    Filled,
    /// It is no longer listed.
    Gone,
    /// Its cancelation was refused.
    Refused,
    /// Nobody can tell.
    Unknown,
}

impl CancelResult {
    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Filled => "filled",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What a bot said of its own shutdown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsReport {
    /// How many orders it says it canceled.
    pub orders_canceled: Option<u64>,
    /// How many cancels it says went wrong.
    pub cancel_errors: Option<u64>,
    /// Whether it says that its state is on disk.
    pub state_flushed: Option<bool>,
}

impl BotReport {
    /// The report of a bot that is to go on while its orders are canceled.
    pub fn of_orders(name: BotName) -> Self {
        Self { outcome: None, ..Self::new(name) }
    }

    /// Whether something of it lives that was to be stopped, or may.
    pub fn survived(&self) -> bool {
        self.outcome == Some(StopOutcome::Survived)
    }

    /// The report of a bot of which nothing is known yet: until evidence says otherwise, it may live.
    pub fn new(name: BotName) -> Self {
        Self {
            name,
            mode: None,
            outcome: Some(StopOutcome::Survived),
            pid: None,
            duration_ms: 0,
            restarted: false,
            found_by: Vec::new(),
            processes: Vec::new(),
            exit: None,
            orders: None,
            claims: ClaimsReport::default(),
            state_flushed: None,
            state_written: None,
            unasked: false,
            errors: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// What an error says where nothing may start.
pub const LATCHED: &str = "the emergency stop is latched";

/// The word of a start of whole clusters.
pub const CLUSTER_START: &str = "cluster start";

/// The note of a restart whose new run is not ready in time.
pub const STILL_STARTING: &str = "its new run executes and is not ready yet; it goes on starting";

impl BotReport {
    /// What this bot's part of the command comes to: the worst of what applies.
    pub fn code(&self, action: &str) -> Code {
        let restart = action == "restart";
        // Refused before anything was done: whatever lives was left alone.
        if self.errors.iter().any(|error| error == LATCHED) {
            return Code::Latched;
        }
        let open = self.orders.as_ref().is_some_and(|orders| orders.unconfirmed > 0);
        let starting = (restart || action == CLUSTER_START) && self.notes.iter().any(|note| note == STILL_STARTING);
        let failed = !self.errors.is_empty() || (restart && !self.restarted);
        let applies = [
            (self.survived(), Code::Survived),
            (open, Code::OrderOpen),
            (self.unasked, Code::NotAsked),
            (self.state_flushed == Some(false), Code::NotFlushed),
            (starting, Code::StillWorking),
            (failed, Code::Failed),
        ];
        Code::worst(applies.into_iter().filter(|(applies, _)| *applies).map(|(_, code)| code))
    }
}

impl Report {
    /// The report of a command on these bots.
    pub fn of(action: &str, by: &str, at: Timestamp, bots: Vec<BotReport>) -> Self {
        let mut report = Self {
            schema: 1,
            action: action.to_owned(),
            ok: true,
            exit_code: 0,
            at,
            duration_ms: 0,
            latched: None,
            no_latch: false,
            unseen: false,
            scope: Some(bots.iter().map(|bot| bot.name.as_str()).collect::<Vec<_>>().join(" ")),
            by: Some(by.to_owned()),
            reason: None,
            bots,
            clusters: Vec::new(),
            errors: Vec::new(),
            notes: Vec::new(),
        };
        report.judge();
        report
    }

    /// What the command comes to.
    pub fn code(&self) -> Code {
        let own = match (self.no_latch, self.errors.is_empty()) {
            (true, _) => Code::NoLatch,
            (false, _) if self.unseen => Code::Survived,
            // Refused before anything was done.
            (false, false) if self.errors.iter().any(|error| error == LATCHED) => Code::Latched,
            (false, false) => Code::Failed,
            (false, true) => Code::Done,
        };
        let clusters = self.clusters.iter().map(ClusterReport::code);
        Code::worst(self.bots.iter().map(|bot| bot.code(&self.action)).chain(clusters).chain([own]))
    }

    /// Something may live that nobody could look for.
    pub fn may_have_survivors(&mut self) {
        self.unseen = true;
        self.judge();
    }

    /// There is no latch, although there should be one.
    pub fn without_a_latch(&mut self) {
        self.no_latch = true;
        self.judge();
    }

    /// Takes in what became of more bots.
    pub fn add_bots(&mut self, bots: impl IntoIterator<Item = BotReport>) {
        self.bots.extend(bots);
        self.judge();
    }

    /// Takes in what became of clusters.
    pub fn add_clusters(&mut self, clusters: impl IntoIterator<Item = ClusterReport>) {
        self.clusters.extend(clusters);
        self.judge();
    }

    /// Takes in something that went wrong beside the bots.
    pub fn add_error(&mut self, error: String) {
        self.errors.push(error);
        self.judge();
    }

    fn judge(&mut self) {
        let code = self.code();
        self.ok = code == Code::Done;
        self.exit_code = code.number();
    }

    /// The whole of it in one line, for the desk's events.
    pub fn sentence(&self) -> String {
        let clusters: Vec<String> =
            self.clusters.iter().map(|cluster| format!("{} {}", cluster.name, cluster.told(&self.action))).collect();
        let clusters = clusters.join("; ");
        // What is done to whole clusters is told of them; of anything else, they are a part.
        match (self.clusters.is_empty(), self.action.starts_with("cluster ")) {
            (true, _) => self.sentence_of_bots(),
            (false, true) => format!("{}: {clusters}", self.action),
            (false, false) => format!("{}; chunks: {clusters}", self.sentence_of_bots()),
        }
    }

    fn sentence_of_bots(&self) -> String {
        match self.bots.as_slice() {
            [] => format!("{}: no bot", self.action),
            [only] => only.line(&self.action),
            bots => {
                let count = |outcome: StopOutcome| bots.iter().filter(|bot| bot.outcome == Some(outcome)).count();
                let parts = [
                    (count(StopOutcome::Stopped), "stopped"),
                    (count(StopOutcome::NotRunning), "not running"),
                    (count(StopOutcome::Survived), "NOT STOPPED"),
                ];
                let parts: Vec<String> = parts
                    .iter()
                    .filter(|(count, _)| *count > 0)
                    .map(|(count, what)| format!("{count} {what}"))
                    .collect();
                format!("{} of {} bots: {}", self.action, bots.len(), parts.join(", "))
            }
        }
    }
}
