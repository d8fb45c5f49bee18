//! What a stopper is told, and what it says.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::act::START_WAIT;
use crate::clock;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::overall::Overall;
use crate::core::progress::Progress;
use crate::core::report::{BotReport, Report};
use crate::core::stop::{Stage, Wish};
use crate::paths::Home;
use crate::who;

/// Orders that were chosen one by one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Whose.
    pub bot: BotName,
    /// What each is called: an id of the venue or of the bot, else its key.
    pub orders: Vec<String>,
}

/// A reason is cut to so many characters.
const LONGEST_REASON: usize = 1000;

/// The word of a stop of whole clusters.
pub const CLUSTER_STOP: &str = "cluster stop";

/// The word of an emergency stop.
pub const ESTOP: &str = "estop";

/// An emergency stop that was asked for: small enough for a pipe that nobody reads yet. Whoever carries it out finds out by
/// himself which bots there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmergencyOrder {
    /// What it is known by: the name of its folder in `stops/`.
    pub id: String,
    /// The desk.
    pub home: PathBuf,
    /// The configuration; absent where none was found. Where it cannot be read, the last good one counts.
    pub config: Option<PathBuf>,
    /// Who asks.
    pub by: String,
    /// At which terminal.
    pub tty: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is a drill.
    pub drill: bool,
    /// When.
    pub at: Timestamp,
}

impl EmergencyOrder {
    /// An emergency stop that nobody has carried out yet.
    pub fn new(home: &Home, config: Option<PathBuf>, by: &str, reason: Option<String>, drill: bool) -> Self {
        Self {
            id: new_id(),
            home: home.root().to_owned(),
            config,
            by: by.to_owned(),
            tty: who::tty(),
            // It stands in the latch, which is read as a whole.
            reason: reason.map(|reason| reason.chars().take(LONGEST_REASON).collect()),
            drill,
            at: clock::wall(),
        }
    }
}

/// What a stopper is told on its stdin.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// To stop these bots, or to cancel their orders.
    Stop(Box<StopOrder>),
    /// To stop everything.
    Emergency(EmergencyOrder),
}

/// A fresh id of a stop; ids sort by time.
fn new_id() -> String {
    format!("{}-{:04x}", clock::wall().strftime("%Y%m%dT%H%M%S%3f"), fastrand::u16(..))
}

/// What a stopper is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// To end the bots, and what they have left open.
    End(Wish),
    /// To cancel orders of the bots, which go on: all of a bot that has nothing here, else those.
    Cancel(Vec<Chosen>),
}

impl Work {
    /// The word of the command.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::End(wish) => wish.word(),
            Self::Cancel(_) => "cancel",
        }
    }
}

/// What an earlier stopper had told before it died.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Before {
    /// Bots whose stop was over.
    pub bots: Vec<BotReport>,
    /// Clusters, as far as they had come.
    pub clusters: Vec<ClusterReport>,
}

/// What a stopper is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopOrder {
    /// What this stop is known by: the name of its folder in `stops/`.
    pub id: String,
    /// The desk.
    pub home: PathBuf,
    /// What is asked for.
    pub work: Work,
    /// Which bots.
    pub bots: Vec<BotName>,
    /// Every bot of the configuration; absent where none could be read: then the last good one counts.
    pub specs: Option<Vec<BotSpec>>,
    /// Where those are absent: the bots that a restart is to start.
    pub fresh: Vec<BotSpec>,
    /// Who asks.
    pub by: String,
    /// At which terminal.
    #[serde(default)]
    pub tty: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How long a restart waits for the next run to be ready.
    pub wait: Duration,
    /// Every cluster of the configuration: a bot of one has chunks to be put back. Absent where none could be read: then
    /// those of the last good one count.
    #[serde(default)]
    pub clusters: Option<Vec<ClusterSpec>>,
    /// Clusters that are stopped as a whole: all their running chunks are put back, and all their bots are among `bots`.
    #[serde(default)]
    pub whole: Vec<BotName>,
    /// What an earlier stopper of the same stop, which died, had told: that is not done, or counted, again.
    #[serde(default)]
    pub before: Before,
    /// In an emergency stop: no rung of any ladder waits longer, orders are canceled at once, and nobody is waited for.
    #[serde(default)]
    pub emergency: Option<Duration>,
}

impl StopOrder {
    /// An order that nobody has carried out yet. Where `specs` are absent, those of the last good configuration count.
    pub fn new(home: &Home, wish: Wish, bots: &[BotName], specs: Option<&[BotSpec]>, by: &str) -> Self {
        Self {
            id: new_id(),
            home: home.root().to_owned(),
            work: Work::End(wish),
            bots: bots.to_vec(),
            specs: specs.map(<[BotSpec]>::to_vec),
            fresh: Vec::new(),
            by: by.to_owned(),
            tty: who::tty(),
            at: clock::wall(),
            wait: START_WAIT,
            clusters: None,
            whole: Vec::new(),
            before: Before::default(),
            emergency: None,
        }
    }

    /// An order to stop these clusters as a whole: their chunks first, then their bots.
    pub fn clusters(home: &Home, which: &[ClusterSpec], all: &[ClusterSpec], specs: &[BotSpec], by: &str) -> Self {
        let mut bots: Vec<BotName> = Vec::new();
        for bot in which.iter().flat_map(ClusterSpec::bots) {
            if !bots.contains(bot) {
                bots.push(bot.clone());
            }
        }
        Self {
            clusters: Some(all.to_vec()),
            whole: which.iter().map(|cluster| cluster.name.clone()).collect(),
            ..Self::new(home, Wish::Stop, &bots, Some(specs), by)
        }
    }

    /// The word for this wish of it, in a bot's events.
    pub const fn word(&self, wish: Wish) -> &'static str {
        match self.emergency {
            Some(_) => ESTOP,
            None => wish.word(),
        }
    }

    /// The word of the command.
    pub const fn action(&self) -> &'static str {
        match self.emergency {
            Some(_) => ESTOP,
            None if !self.whole.is_empty() => CLUSTER_STOP,
            None => self.work.word(),
        }
    }

    /// An order to cancel orders of these bots, all of them or those that were chosen. Where `specs` are absent, those of
    /// the last good configuration count.
    pub fn cancel(home: &Home, bots: &[BotName], chosen: Vec<Chosen>, specs: Option<&[BotSpec]>, by: &str) -> Self {
        Self { work: Work::Cancel(chosen), ..Self::new(home, Wish::Stop, bots, specs, by) }
    }

    /// The same, but these are what a restart starts.
    #[must_use]
    pub fn and_start(mut self, specs: &[BotSpec]) -> Self {
        self.fresh = specs.to_vec();
        self
    }
}

/// What a stopper says while it is at work, one JSON object a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWord {
    /// Something takes its time.
    Waiting {
        /// The bot.
        bot: BotName,
        /// Where its stop is.
        stage: Stage,
        /// What is being waited for, and until when.
        what: String,
    },
    /// How far one bot's stop has come; said whenever that has changed, a few times a second at most.
    Progress(Box<Progress>),
    /// How far an emergency stop has come as a whole.
    Overall(Box<Overall>),
    /// The chunks of a cluster were put back, or could not be; said again when its bots have ended, with what was settled.
    Cluster(Box<ClusterReport>),
    /// One bot's stop is over.
    Bot(Box<BotReport>),
    /// All are: the last word.
    Over(Box<Report>),
}
