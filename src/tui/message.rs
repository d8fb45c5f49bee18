//! Everything that the screen can be told. What the screen knows, it knows from these: time too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use log::Level;

use crate::core::bot::{BotName, BotSpec};
use crate::core::chunk::Census;
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::crew::PidSeen;
use crate::core::event::{Event, Kind};
use crate::core::latch::LatchSeen;
use crate::core::moment::Moment;
use crate::core::order::Order;
use crate::core::overall::Overall;
use crate::core::progress::Progress;
use crate::core::readiness::EstopSeen;
use crate::core::record::Down;
use crate::core::report::{BotReport, Report};
use crate::core::signal::Signal;
use crate::core::status::{BotStatus, RecordSeen};
use crate::core::stop::Stage;
use crate::core::ui::UiSettings;

use super::guard::Arrival;
use super::history_news::HistoryNews;
use super::log_news::LogNews;

/// One thing that the screen is told.
#[derive(Clone, Debug)]
pub enum Msg {
    /// What time it is.
    Now(Now),
    /// A key was pressed, and arrived like this.
    Key(KeyEvent, Arrival),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// What the configuration says from now on.
    Configuration(Configured),
    /// Every cluster that it names from now on.
    Clusters(Vec<ClusterSpec>),
    /// What was seen of the bots.
    Survey(Vec<BotStatus>),
    /// The survey before this message began after this look was asked for.
    Fresh(Ticket),
    /// Something about the logs that are looked at.
    Log(LogNews),
    /// Something about the history.
    History(HistoryNews),
    /// How the configuration wants the screen to look.
    Ui(UiSettings),
    /// A button of the mouse, or its wheel.
    Mouse(MouseEvent),
    /// Something was written to a file, or why not: a sentence either way.
    Saved(Result<String, String>),
    /// What came of reading a bot's orders.
    Orders(Vec<OrdersNews>),
    /// What came of reading a cluster's database.
    Cluster(Box<ClusterNews>),
    /// Whoever stops bots, or cancels orders, says how it goes.
    Stop(Ticket, StopNews),
    /// Something about the emergency stop.
    Emergency(EmergencyNews),
    /// An action came to its end.
    Done(Done),
    /// Everything that is written down about a bot was read.
    Inspected(Box<Inspection>),
    /// Something that the screen needs cannot be had.
    Trouble(String),
    /// There is a new line of diagnostics: how loud, and what it says.
    Diagnostic(Level, String),
    /// A signal asks the screen to leave.
    Signaled(Signal),
    /// A signal asks the screen to stand still until it is continued.
    Suspend,
    /// It was continued: the terminal may hold anything by now.
    Continued,
}

/// What the configuration says: every bot, or in a sentence what is wrong with it.
pub type Configured = Result<Vec<BotSpec>, String>;

/// Connects an answer with what was asked.
pub type Ticket = u64;

/// The time, on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For people.
    pub wall: Timestamp,
    /// For ages.
    pub mono: Moment,
}

/// What came of reading a bot's orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrdersNews {
    /// Whose orders.
    pub bot: BotName,
    /// What kind of source they have: the word of the configuration.
    pub source: String,
    /// How often it is asked.
    pub period: Duration,
    /// What was seen.
    pub seen: OrdersSeen,
}

/// What may be seen of a source of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrdersSeen {
    /// It is there, and was asked for the first time.
    Asked,
    /// These are open.
    Read(Vec<Order>, Timestamp),
    /// It is as it was.
    Unchanged(Timestamp),
    /// It cannot be read; the text says why.
    Failed(String),
    /// The bot has none any more.
    Gone,
}

/// What came of reading a cluster's database.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterNews {
    /// Which.
    pub cluster: BotName,
    /// How often it is read.
    pub every: Duration,
    /// What was seen.
    pub seen: ClusterSeen,
    /// The processes that its chunks name, looked up on this box; absent if nobody has looked again.
    pub pids: Option<BTreeMap<i32, PidSeen>>,
    /// How fast it comes along; absent if nothing new is known of that.
    pub figures: Option<PaceFigures>,
}

/// What may be seen of a cluster's database.
#[derive(Clone, Debug, PartialEq)]
pub enum ClusterSeen {
    /// It was asked for the first time.
    Asked,
    /// Only who lives was looked at.
    People,
    /// This stands in it.
    Read(Arc<Census>),
    /// It is as it was.
    Unchanged(Timestamp),
    /// It cannot be read.
    Failed {
        /// Why, and what can be done about it.
        why: String,
        /// Whether there is no such file yet.
        missing: bool,
    },
}

/// How fast a cluster comes along.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PaceFigures {
    /// Chunks that become completed in a minute.
    pub per_minute: Option<f64>,
    /// Seconds until nothing is left, at that rate.
    pub eta_s: Option<u64>,
}

/// What is said while bots are stopped, or orders canceled.
#[derive(Clone, Debug, PartialEq)]
pub enum StopNews {
    /// Something takes its time.
    Waiting(BotName, Stage, String),
    /// How far one bot has come.
    Progress(Box<Progress>),
    /// How far an emergency stop has come as a whole.
    Overall(Box<Overall>),
    /// The chunks of a cluster were put back, or could not be.
    Cluster(Box<ClusterReport>),
    /// One bot's part is over.
    Bot(Box<BotReport>),
    /// All of it is.
    Over(Box<Report>),
}

/// What may be told about the emergency stop.
#[derive(Clone, Debug, PartialEq)]
pub enum EmergencyNews {
    /// This was seen of its latch.
    Latch(LatchSeen),
    /// It was examined whether it would work.
    Examined(Box<EstopSeen>),
    /// By the configuration, no rung of any ladder waits longer.
    Cap(Duration),
    /// Whoever carries one out says this.
    Word(StopNews),
    /// Somebody carries one out, and says nothing.
    Silent,
    /// Whoever carried it out was heard until now, and has not said how it ended.
    Lost,
    /// Nobody carries out the one that the latch names: this became of it. Nothing where that was not written down.
    Past {
        /// Its id; empty where the latch cannot be read.
        id: String,
        /// Its last word.
        report: Option<Box<Report>>,
    },
    /// It was fired from here, and nobody could be found to carry it out; the text says why.
    NotFired(String),
    /// A reset that was asked for from here has ended.
    Reset(Box<Report>),
}

/// An action came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The action.
    pub ticket: Ticket,
    /// How long it took.
    pub took: Duration,
    /// What became of each bot.
    pub bots: Vec<Told>,
}

/// What became of one bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The bot.
    pub name: BotName,
    /// Whether it is as was asked.
    pub well: bool,
    /// A sentence that stands alone.
    pub text: String,
}

/// Everything that is written down about a bot, as it was read at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// The bot.
    pub name: BotName,
    /// When it was read.
    pub at: Timestamp,
    /// Its run record.
    pub record: RecordSeen,
    /// Whether it is marked as not to be running.
    pub down: Option<Down>,
    /// Its last events, oldest first, or why they cannot be read.
    pub events: Result<Vec<Event>, String>,
    /// What became of the last stop, restart or kill.
    pub report: LastReport,
}

/// What is known of the last stop, restart or kill.
#[derive(Clone, Debug, PartialEq)]
pub enum LastReport {
    /// None is written down, as far back as was looked.
    None,
    /// This.
    Read {
        /// When it was written down.
        at: Timestamp,
        /// The command.
        action: String,
        /// Who asked.
        by: Option<String>,
        /// What the command exited with.
        exit_code: Option<i64>,
        /// What became of the bot.
        bot: Box<BotReport>,
    },
    /// One is written down and cannot be understood; the text says why.
    Unreadable(Timestamp, String),
}

impl LastReport {
    /// The last report among these events.
    pub fn among(events: &[Event]) -> Self {
        let Some(event) = events.iter().rev().find(|event| event.kind == Kind::Report.word()) else {
            return Self::None;
        };
        let text = |key: &str| event.more.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let report = event.more.get("report").cloned().unwrap_or_default();
        match serde_json::from_value::<BotReport>(report) {
            Ok(bot) => Self::Read {
                at: event.at,
                action: text("action").unwrap_or_else(|| "stop".to_owned()),
                by: text("by"),
                exit_code: event.more.get("exit_code").and_then(serde_json::Value::as_i64),
                bot: Box::new(bot),
            },
            Err(error) => Self::Unreadable(event.at, error.to_string()),
        }
    }
}

/// What keeps running when the screen is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Bots that were not at rest when last seen, without those that are counted below.
    pub running: usize,
    /// Those of `running` that trade with real money.
    pub live: usize,
    /// Bots whose stop is under way, and goes on.
    pub stopping: usize,
    /// Copies of bots that no keeper has.
    pub strays: usize,
    /// Bots of which nobody knows whether they run.
    pub unknown: usize,
}
