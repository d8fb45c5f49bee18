//! Everything that the screen knows. It changes in `update` alone, and drawing only reads it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::cluster_status::ClusterState;
use crate::core::level::Level;
use crate::core::moment::Moment;
use crate::core::report::LATCHED;
use crate::core::state::State;
use crate::core::status::{BotStatus, WILL_NOT_END};
use crate::core::ui::{Stamps, Theme, UiSettings};
use crate::core::words::{self, Hands};

use super::cluster_deed::ClusterWish;
use super::clusters::ClusterBook;
use super::deed::{Deed, Guard, Target};
use super::emergency::{Course, Emergency};
use super::filter::Filter;
use super::history::HistoryBook;
use super::logbook::Logbook;
use super::message::{Inspection, Now, Ticket};
use super::orders::{Count, OrderBook};
use super::stops::StopBook;
use super::theme::{self, Signs};
use super::trend::Trends;

/// A survey that is older than this says nothing of now.
pub const STALE_AFTER: Duration = Duration::from_secs(3);

/// So many lines of diagnostics are kept, as many as their pane can be scrolled.
pub const DIAGNOSED: usize = 500;

/// What is said where a configuration cannot be used.
pub const MISTAKES: &str = "the configuration has mistakes: botwarden check";

/// The panes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The list of bots.
    #[default]
    Bots,
    /// What they have open.
    Orders,
    /// Clusters, and their chunks.
    Cluster,
    /// The log of one.
    Logs,
    /// What botwarden itself has to say.
    Diagnostics,
    /// How the last stop goes, or went.
    Stops,
    /// What has happened: events, runs and reports.
    History,
}

impl Pane {
    /// Every pane, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Bots, Self::Orders, Self::Cluster, Self::Logs, Self::Diagnostics, Self::Stops, Self::History];

    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Bots => "Bots",
            Self::Orders => "Orders",
            Self::Cluster => "Cluster",
            Self::Logs => "Logs",
            Self::Diagnostics => "Diagnostics",
            Self::Stops => "Stops",
            Self::History => "History",
        }
    }

    /// Its number.
    pub const fn number(self) -> usize {
        match self {
            Self::Bots => 1,
            Self::Orders => 2,
            Self::Cluster => 3,
            Self::Logs => 4,
            Self::Diagnostics => 5,
            Self::Stops => 6,
            Self::History => 7,
        }
    }
}

/// What the keys mean right now.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Focus {
    /// What the table says.
    #[default]
    Panes,
    /// Letters of a filter or of a search.
    Typing(Prompt),
    /// An answer.
    Asking(Dialog),
    /// Scrolling through the help, so many lines down.
    Help(usize),
    /// Scrolling through what is known of a bot, so many lines down.
    Inspecting(usize),
    /// Choosing an action by its name.
    Choosing(Palette),
    /// Scrolling through one entry of the history, so many lines down.
    Reading(usize),
    /// What must be typed before the latch is lifted.
    Resetting(Resetting),
}

/// A reset of the emergency stop, as far as it is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resetting {
    /// What is being typed.
    pub step: ResetStep,
    /// The host's name.
    pub host: String,
    /// Why it is reset.
    pub reason: String,
    /// What is said about what stands in the way.
    pub waive: String,
    /// What stands in the way, as far as is known.
    pub blocked: Vec<String>,
}

/// What is typed for a reset, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResetStep {
    /// The host's name.
    #[default]
    Host,
    /// A reason.
    Reason,
    /// A note about what stands in the way, if something does.
    Waive,
}

/// An action that is being chosen by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    /// As far as its name was typed.
    pub text: String,
    /// Which of those that fit, counted from the best.
    pub at: usize,
}

/// What a text that is being typed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A filter or a search.
    Find,
    /// The name of a file.
    Save,
}

/// A text that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What for.
    pub purpose: Purpose,
    /// In which pane.
    pub pane: Pane,
    /// As far as it was typed.
    pub text: String,
    /// What was there before, for Esc.
    pub before: String,
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialog {
    /// What is asked.
    pub about: About,
    /// What the answer must be.
    pub guard: Guard,
    /// What was typed.
    pub typed: String,
}

/// What a question is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// Doing something to these bots, as they were when the question was asked.
    Deed(Deed, Vec<Target>),
    /// Doing something to clusters, or to chunks of them, as they were when the question was asked.
    Clusters(ClusterWish),
    /// Leaving, although that ends something.
    Leaving(String),
    /// Firing the emergency stop again under its latch.
    FireAgain,
}

/// How the last thing went, for the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// When.
    pub at: Timestamp,
    /// How.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

/// How something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Neither way.
    Plain,
    /// As asked.
    Good,
    /// Not as asked.
    Bad,
}

/// The bot that is being inspected, and what was read of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspected {
    /// The bot.
    pub name: BotName,
    /// When its reading was last asked for.
    pub asked: Option<Moment>,
    /// Whether that was answered.
    pub answered: bool,
    /// What the survey said of the bot when its reading was asked for.
    pub seen: Option<Target>,
    /// What was read.
    pub read: Option<Box<Inspection>>,
}

/// Something that was asked for and has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// What.
    pub deed: Deed,
    /// To which bots.
    pub names: Vec<BotName>,
    /// To which clusters, where it is done to those.
    pub clusters: Vec<BotName>,
}

/// Something that was confirmed, and waits for a fresh look at its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The look it waits for.
    pub ticket: Ticket,
    /// What.
    pub deed: Deed,
    /// As they were when the question was asked.
    pub targets: Vec<Target>,
    /// When it was confirmed.
    pub at: Moment,
}

/// Something about clusters that was confirmed, and waits for a fresh look at their bots.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfirmedClusters {
    /// The look it waits for.
    pub ticket: Ticket,
    /// What.
    pub wish: ClusterWish,
    /// When it was confirmed.
    pub at: Moment,
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Its name.
    #[default]
    Name,
    /// Its state, in the order of the table.
    State,
    /// Its mode, real money first.
    Mode,
    /// How long it runs, the longest first.
    Uptime,
    /// CPU, most first.
    Cpu,
    /// Memory, most first.
    Memory,
    /// Restarts, most first.
    Restarts,
    /// Open orders, most first.
    Orders,
}

impl Sort {
    /// Every column, in the order of the key.
    pub const ALL: [Self; 8] =
        [Self::Name, Self::State, Self::Mode, Self::Uptime, Self::Cpu, Self::Memory, Self::Restarts, Self::Orders];

    /// The word of the title.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "status",
            Self::Mode => "mode",
            Self::Uptime => "uptime",
            Self::Cpu => "cpu",
            Self::Memory => "mem",
            Self::Restarts => "restarts",
            Self::Orders => "orders",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Name => Self::State,
            Self::State => Self::Mode,
            Self::Mode => Self::Uptime,
            Self::Uptime => Self::Cpu,
            Self::Cpu => Self::Memory,
            Self::Memory => Self::Restarts,
            Self::Restarts => Self::Orders,
            Self::Orders => Self::Name,
        }
    }
}

/// What does not change while the screen is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The machine.
    pub host: String,
    /// Bytes below 0x80 only.
    pub ascii: bool,
    /// Whether colour may be used.
    pub color: bool,
    /// Looks, and does nothing.
    pub read_only: bool,
    /// A word about the desk, for the header.
    pub title_note: Option<String>,
    /// What leaving ends; asked about before leaving.
    pub leave_note: Option<String>,
    /// The zone that people here read clocks in; none where that is UTC.
    pub zone: Option<TimeZone>,
}

impl Fixed {
    /// The zone that people here read clocks in.
    pub fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }
}

/// Everything that the screen knows.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// What does not change.
    pub fixed: Fixed,
    /// The time.
    pub now: Now,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The configured bots, as they were last read without a mistake.
    pub specs: Vec<BotSpec>,
    /// What is wrong with the configuration, if it has mistakes now.
    pub mistakes: Option<String>,
    /// The bots, sorted.
    pub bots: Vec<BotStatus>,
    /// When they were last seen.
    pub seen_at: Option<Moment>,
    /// The bot under the cursor: by name, so that no sorting changes it.
    pub cursor: Option<BotName>,
    /// Where the cursor was last seen in the list, for moving on from a bot that is gone.
    pub cursor_row: usize,
    /// The first row that is shown.
    pub top_row: usize,
    /// Marked bots.
    pub marked: BTreeSet<BotName>,
    /// Whether every bot that was marked is gone, and nobody was told yet.
    pub marks_gone: bool,
    /// What is shown of the list.
    pub filter: Filter,
    /// What it is sorted by.
    pub sort: Sort,
    /// The other way round.
    pub reverse: bool,
    /// The pane that has the keys.
    pub pane: Pane,
    /// The pane below the list.
    pub lower: Pane,
    /// The one that was there before orders or clusters: what is there where those have a place of their own.
    pub below: Pane,
    /// Whether `pane` has the screen to itself.
    pub zoom: bool,
    /// What the keys mean.
    pub focus: Focus,
    /// What they meant when the page of the emergency stop was opened, while that is shown.
    pub beneath: Option<Focus>,
    /// The emergency stop.
    pub emergency: Emergency,
    /// The orders of all.
    pub orders: OrderBook,
    /// Every cluster.
    pub clusters: ClusterBook,
    /// The last stop.
    pub stops: StopBook,
    /// What has happened.
    pub history: HistoryBook,
    /// The logs that are looked at.
    pub log: Logbook,
    /// Whether those of several bots are.
    pub merged: bool,
    /// Only lines at least so loud.
    pub least: Option<Level>,
    /// How times of lines are shown.
    pub stamps: Stamps,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// The colours.
    pub theme: Theme,
    /// What the configuration last said of how the screen looks.
    pub ui: Option<UiSettings>,
    /// Whether the mouse is ours.
    pub mouse: bool,
    /// CPU and memory of the last ten minutes.
    pub trends: Trends,
    /// The last lines of diagnostics, with when they came.
    pub diagnosed: VecDeque<(Timestamp, log::Level, String)>,
    /// Diagnostics: how many lines up from the end.
    pub diagnostics_up: usize,
    /// How the last thing went.
    pub feedback: Option<Feedback>,
    /// What was read of the bot that is inspected, while it is.
    pub inspected: Option<Inspected>,
    /// What is under way.
    pub doing: BTreeMap<Ticket, Doing>,
    /// What waits for a fresh look.
    pub confirmed: Option<Confirmed>,
    /// The same about clusters.
    pub confirmed_cluster: Option<ConfirmedClusters>,
    /// The last ticket that was given out.
    pub last_ticket: Ticket,
    /// Whether looks are asked for five times a second instead of once.
    pub hurried: bool,
    /// Whether orders are not read because nobody can see them.
    pub resting: bool,
}

impl Model {
    /// What a screen knows before it was told anything.
    pub fn new(fixed: Fixed) -> Self {
        Self { fixed, lower: Pane::Logs, below: Pane::Logs, ..Self::default() }
    }

    /// The bots that the filter lets through, in order.
    pub fn shown(&self) -> impl Iterator<Item = &BotStatus> {
        self.bots.iter().filter(|bot| self.filter.shows(bot))
    }

    /// The bot in this row.
    pub fn name_at(&self, row: usize) -> Option<BotName> {
        self.shown().nth(row).map(|bot| bot.name.clone())
    }

    /// The row of the cursor; none where its bot is hidden or gone.
    pub fn cursor_at(&self) -> Option<usize> {
        let cursor = self.cursor.as_ref()?;
        self.shown().position(|bot| bot.name == *cursor)
    }

    /// A bot, as it was last seen.
    pub fn bot(&self, name: &BotName) -> Option<&BotStatus> {
        self.bots.iter().find(|bot| bot.name == *name)
    }

    /// What the configuration says of a bot.
    pub fn spec(&self, name: &BotName) -> Option<&BotSpec> {
        self.specs.iter().find(|spec| spec.name == *name)
    }

    /// A bot as this deed would find it; none if it is gone.
    pub fn target(&self, deed: Deed, name: &BotName) -> Option<Target> {
        let target = self.bot(name).map(|bot| Target::of(deed, bot, self.spec(name)))?;
        let known = self.open_orders(name);
        let (orders, protective) = match known {
            Count::Fresh(orders) => (Some(orders), self.orders.protective(name)),
            Count::NoSource | Count::Unread | Count::Stale(_) => (None, 0),
        };
        Some(Target { orders, known, protective, ..target })
    }

    /// What may be said of the number of a bot's open orders.
    pub fn open_orders(&self, name: &BotName) -> Count {
        match self.orders.count(name, self.now.mono) {
            Count::NoSource if self.spec(name).is_some_and(|spec| spec.orders.is_some()) => Count::Unread,
            count @ (Count::NoSource | Count::Unread | Count::Fresh(_) | Count::Stale(_)) => count,
        }
    }

    /// How long ago the bots were seen.
    pub fn age(&self) -> Option<Duration> {
        self.seen_at.map(|seen| self.now.mono.since(seen))
    }

    /// Whether that is too long ago to say what is.
    pub fn is_stale(&self) -> bool {
        self.age().is_some_and(|age| age >= STALE_AFTER)
    }

    /// The signs of this terminal.
    pub const fn signs(&self) -> Signs {
        if self.fixed.ascii { theme::ASCII } else { theme::UNICODE }
    }

    /// How many bots there are of a mode.
    pub fn count(&self, mode: Option<Mode>) -> usize {
        self.bots.iter().filter(|bot| bot.mode == mode).count()
    }

    /// What an operator must not miss, the worst first.
    pub fn alerts(&self) -> Vec<String> {
        let mut alerts: Vec<(u8, String)> = Vec::new();
        self.emergency_alerts(&mut alerts);
        if self.is_stale() {
            let age = self.age().map(super::text::age).unwrap_or_default();
            alerts.push((1, format!("nothing was seen of any bot for {age}; the list is old")));
        }
        if let Some(why) = &self.mistakes {
            // After what lives and should not, or may; before what has no money in it.
            alerts.push((7, format!("{MISTAKES}; nothing can be started: {why}")));
        }
        for bot in &self.bots {
            let live = bot.mode.is_none_or(|mode| mode == Mode::Live);
            let left = match self.open_orders(&bot.name) {
                Count::Fresh(orders) | Count::Stale(orders) if live && bot.state.is_at_rest() => orders,
                Count::Fresh(_) | Count::Stale(_) | Count::NoSource | Count::Unread => 0,
            };
            if let Some(source) = self.orders.source(&bot.name).filter(|source| live && source.is_stale(self.now.mono))
            {
                let mode = theme::mode(bot.mode, false);
                let why = source.why(self.now.mono);
                alerts.push((3, format!("{} ({mode}): its orders cannot be read, {why}", bot.name)));
            }
            let rank = match bot.state {
                // Money is out there, and nobody looks after it.
                State::Stopped | State::Exited | State::Crashed | State::Failed if left > 0 => 1,
                State::Orphaned => 2,
                State::Unknown => 3,
                // Something of it lives that nobody keeps, whatever it is called.
                State::Failed | State::Crashed | State::Stopped | State::Exited if !bot.strays.is_empty() => 2,
                State::Failed => 4,
                State::Crashed => 5,
                // Its ladder is at the end, and something lives.
                State::Stopping if bot.note.contains(WILL_NOT_END) => 3,
                State::Running | State::Starting | State::Stopping | State::Backoff if !bot.strays.is_empty() => 6,
                State::Running
                | State::Starting
                | State::Stopping
                | State::Stopped
                | State::Exited
                | State::Backoff => continue,
            };
            let mode = bot.mode.map_or("mode unknown", |mode| theme::mode(Some(mode), false));
            let mut word = theme::state(bot.state).word.to_owned();
            match left {
                0 => {}
                1 => word.push_str(" with 1 open order"),
                orders => _ = write!(word, " with {orders} open orders"),
            }
            let note = self.offered(words::whole_note(bot, Hands::Keys));
            let comma = if note.is_empty() { "" } else { ", " };
            alerts.push((rank + if live { 0 } else { 10 }, format!("{} ({mode}): {word}{comma}{note}", bot.name)));
        }
        self.cluster_alerts(&mut alerts);
        alerts.sort();
        alerts.into_iter().map(|(_, text)| text).collect()
    }

    /// Work that nobody does although the file says so, and files that cannot be read.
    fn cluster_alerts(&self, alerts: &mut Vec<(u8, String)>) {
        let now = self.now.mono;
        for cluster in self.clusters.all() {
            let is_live =
                |name: &BotName| self.bot(name).is_some_and(|bot| bot.mode.is_none_or(|mode| mode == Mode::Live));
            let rank = if cluster.spec.bots().any(is_live) { 6 } else { 16 };
            let name = cluster.name();
            match (cluster.state(now), cluster.why_unknown(now)) {
                (ClusterState::Stale, _) => alerts.push((rank, format!("cluster {name}: {}", cluster.note()))),
                // Who makes the file may not have begun, and what was never asked for is no news.
                (ClusterState::Unknown, Some(why))
                    if cluster.is_old(now) && (!cluster.missing || cluster.crew.anybody_lives()) =>
                {
                    alerts.push((rank, format!("cluster {name}: UNKNOWN, {why}")));
                }
                (
                    ClusterState::Unknown
                    | ClusterState::Processing
                    | ClusterState::Pending
                    | ClusterState::Complete
                    | ClusterState::Idle,
                    _,
                ) => {}
            }
        }
    }

    /// What must not be missed of the emergency stop. Nothing is worse than what rank 0 says.
    fn emergency_alerts(&self, alerts: &mut Vec<(u8, String)>) {
        let (emergency, now) = (&self.emergency, self.now.mono);
        if let Some(why) = &emergency.not_fired {
            alerts.push((0, format!("THE EMERGENCY STOP WAS NOT FIRED: {why}; botwarden estop, from any shell")));
        }
        if emergency.seen.as_ref().is_some_and(|seen| seen.course == Course::Interrupted) {
            let what = if emergency.is_drill() { "DRILL" } else { "E-STOP" };
            let go_on = "! ! or 'botwarden estop' carries on";
            alerts.push((0, format!("{what} INTERRUPTED: nobody carries it out any more; {go_on}")));
        }
        for (bot, what) in self.alive_although_latched() {
            let mode = bot.mode.map_or("mode unknown", |mode| theme::mode(Some(mode), false));
            alerts.push((0, format!("{} ({mode}) runs although {LATCHED}: {what}", bot.name)));
        }
        if let Some(problem) = emergency.problem(now) {
            alerts.push((2, format!("E-STOP NOT READY: {problem}")));
        }
    }

    /// Whom the latch should have ended and has not, or who was started behind its back, with what lives of them.
    pub fn alive_although_latched(&self) -> impl Iterator<Item = (&BotStatus, String)> {
        let counts = self.emergency.is_latched() && self.emergency.has_settled(self.seen_at);
        self.bots.iter().filter(move |_| counts).filter_map(|bot| Some((bot, self.alive(bot)?)))
    }

    /// Whether something lives of this bot although the emergency stop is latched.
    pub fn lives_although_latched(&self, name: &BotName) -> bool {
        self.alive_although_latched().any(|(bot, _)| bot.name == *name)
    }

    /// What a note offers, without what is refused at the moment.
    pub fn offered(&self, note: String) -> String {
        if self.emergency.is_latched() { note.replace("A adopts, ", "").replace("; A adopts", "") } else { note }
    }

    /// What lives of a bot: its process, and what was started as it; nothing if nothing was seen.
    fn alive(&self, bot: &BotStatus) -> Option<String> {
        let command = || {
            let words = self.spec(&bot.name).map(|spec| spec.command.join(" ")).unwrap_or_default();
            super::text::harmless(&words::masked(&words).replace(['\r', '\n'], " "))
        };
        let own = bot.pid.filter(|_| !bot.state.is_at_rest()).map(|pid| format!("pid {pid} {}", command()));
        let stray = || bot.strays.first().map(|stray| format!("pid {} {}", stray.pid, words::masked(&stray.command)));
        own.or_else(stray).map(|text| text.trim_end().to_owned())
    }

    /// The pane that is shown below: orders and clusters have places of their own where there is room.
    pub fn lower_shown(&self, orders_apart: bool, clusters_apart: bool) -> Pane {
        match self.lower {
            Pane::Orders if orders_apart => self.below,
            Pane::Cluster if clusters_apart => self.below,
            lower @ (Pane::Bots
            | Pane::Orders
            | Pane::Cluster
            | Pane::Logs
            | Pane::Diagnostics
            | Pane::Stops
            | Pane::History) => lower,
        }
    }

    /// Whether anybody's orders can be read.
    pub fn has_orders(&self) -> bool {
        self.orders.sources().next().is_some() || self.specs.iter().any(|spec| spec.orders.is_some())
    }

    /// Whether something of this bot is under way.
    pub fn doing_to(&self, name: &BotName) -> Option<Deed> {
        self.doing.values().rev().find(|doing| doing.names.contains(name)).map(|doing| doing.deed)
    }
}
