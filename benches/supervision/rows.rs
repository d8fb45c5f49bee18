//! The rows of the table: what is measured, and what it should be.

use crate::sample::Sample;
use crate::topics::Topic;

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// Memory of all supervision with 10 bots.
    Memory10,
    /// Memory of all supervision with 100 bots.
    Memory100,
    /// CPU of supervision while nothing happens.
    IdleCpu,
    /// Context switches of supervision while nothing happens.
    IdleSwitches,
    /// A start, until the bot executes.
    StartExec,
    /// A start, until the command has returned.
    StartReturn,
    /// A hundred bots that need CPU to come up.
    ColdHeavy,
    /// A hundred bots that need nothing to come up.
    ColdLight,
    /// From the death of a bot to its successor.
    Restart,
    /// A stop of one.
    StopOne,
    /// A stop of a hundred that end at once.
    StopHundred,
    /// A stop of a hundred that clean up.
    StopSlow,
    /// Lines a second of a bot that floods its log.
    FloodLines,
    /// Lines that are not in the log.
    FloodLost,
    /// CPU of supervision meanwhile.
    FloodCpu,
    /// What becomes of a bot whose parent is killed.
    Orphan,
    /// CPU of a full look at everybody's orders.
    OrdersCpu,
    /// How long it takes.
    OrdersWait,
    /// An emergency stop, until its latch is there.
    EstopLatch,
    /// From there until the last of a hundred bots has its signal.
    EstopSignal,
    /// And until the report.
    EstopReport,
    /// How many cancel commands run at once, at most.
    EstopCancels,
    /// A million chunks, counted by an index.
    ChunksIndexed,
    /// The same, with two sums over all of them.
    ChunksSums,
    /// A million chunks without an index.
    ChunksPass,
    /// A writer with a write-ahead log, alone.
    WriterLog,
    /// The same, with a look every second.
    WriterLogRefreshed,
    /// The same, with looks without a pause.
    WriterLogLooked,
    /// A writer with a rollback journal, alone.
    WriterJournal,
    /// The same, with a look every second.
    WriterJournalRefreshed,
    /// The same, with looks without a pause.
    WriterJournalLooked,
    /// The screen, until its first byte.
    ScreenBytes,
    /// Until everything is on it.
    ScreenFull,
    /// From a key to the frame that shows what it did.
    ScreenKey,
    /// The same, the slowest one of a hundred left out.
    ScreenKey99,
    /// What it sends while nothing happens.
    ScreenTraffic,
    /// What it uses meanwhile.
    ScreenCpu,
    /// From a line of a log to its place on the screen.
    ScreenLine,
    /// From a bot with a log of 1 GiB to its last line.
    ScreenOpen,
    /// From a search in it to the count of all matches.
    ScreenSearch,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Nobody has set one.
    None,
    /// Less than this.
    Under(f64),
    /// No more than this.
    AtMost(f64),
    /// Less than this peer's.
    UnderPeer(&'static str),
    /// At most so many times the floor.
    TimesFloor(f64),
    /// The floor itself; what is below it by less than this share is noise.
    Floor(f64),
    /// These very words.
    Words(&'static str),
}

/// What is said of a row.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Whose it is.
    pub topic: Topic,
    /// What is measured.
    pub what: &'static str,
    /// In what.
    pub unit: &'static str,
    /// What it should be.
    pub goal: Goal,
}

/// A figure in the table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Measured.
    Figures(Sample),
    /// Said.
    Words(String),
}

impl Cell {
    /// Figures; `-` if there are none.
    pub fn figures(figures: Vec<f64>) -> Self {
        Sample::of(figures).map_or_else(|| Self::word("-"), Self::Figures)
    }

    /// One figure.
    pub fn figure(figure: f64) -> Self {
        Self::figures(vec![figure])
    }

    /// Words.
    pub fn word(text: &str) -> Self {
        Self::Words(text.to_owned())
    }
}

/// What a bot comes to whose parent was killed, if all is well.
pub const ORPHAN_WELL: &str = "same pid, log whole, exit told";

impl Row {
    /// Every row, in the order of the table.
    pub const ALL: [Self; 40] = [
        Self::Memory10,
        Self::Memory100,
        Self::IdleCpu,
        Self::IdleSwitches,
        Self::StartExec,
        Self::StartReturn,
        Self::ColdHeavy,
        Self::ColdLight,
        Self::Restart,
        Self::StopOne,
        Self::StopHundred,
        Self::StopSlow,
        Self::FloodLines,
        Self::FloodLost,
        Self::FloodCpu,
        Self::Orphan,
        Self::OrdersCpu,
        Self::OrdersWait,
        Self::EstopLatch,
        Self::EstopSignal,
        Self::EstopReport,
        Self::EstopCancels,
        Self::ChunksIndexed,
        Self::ChunksSums,
        Self::ChunksPass,
        Self::WriterLog,
        Self::WriterLogRefreshed,
        Self::WriterLogLooked,
        Self::WriterJournal,
        Self::WriterJournalRefreshed,
        Self::WriterJournalLooked,
        Self::ScreenBytes,
        Self::ScreenFull,
        Self::ScreenKey,
        Self::ScreenKey99,
        Self::ScreenTraffic,
        Self::ScreenCpu,
        Self::ScreenLine,
        Self::ScreenOpen,
        Self::ScreenSearch,
    ];

    /// What is said of it.
    pub fn description(self) -> Description {
        let (topic, what, unit, goal) = match self {
            Self::Memory10 => (Topic::Memory, "all supervision, 10 bots", "MiB PSS", Goal::UnderPeer("s6")),
            Self::Memory100 => (Topic::Memory, "all supervision, 100 bots", "MiB PSS", Goal::UnderPeer("s6")),
            Self::IdleCpu => (Topic::Idle, "CPU, 10 silent bots, 10 s", "%", Goal::Under(0.05)),
            Self::IdleSwitches => (Topic::Idle, "context switches in those 10 s", "", Goal::AtMost(0.0)),
            Self::StartExec => (Topic::Start, "start: command -> bot executes", "ms", Goal::Under(8.0)),
            Self::StartReturn => (Topic::Start, "start: command -> returned with proof", "ms", Goal::Under(12.0)),
            Self::ColdHeavy => (Topic::Cold, "100 cold, 20 ms CPU each, all executing", "ms", Goal::TimesFloor(1.3)),
            Self::ColdLight => (Topic::Cold, "100 cold, light, all executing", "ms", Goal::None),
            Self::Restart => (Topic::Restart, "bot killed -> successor executes", "ms", Goal::Under(2.0)),
            Self::StopOne => (Topic::Stop, "stop one: dead, empty, returned", "ms", Goal::Under(12.0)),
            Self::StopHundred => (Topic::Stop, "stop 100 that end at once", "ms", Goal::None),
            Self::StopSlow => (Topic::Stop, "stop 100, cleanup takes 200 ms", "ms", Goal::TimesFloor(1.2)),
            Self::FloodLines => (Topic::Flood, "flood: lines written", "k/s", Goal::Floor(0.05)),
            Self::FloodLost => (Topic::Flood, "flood: lines lost or torn", "", Goal::AtMost(0.0)),
            Self::FloodCpu => (Topic::Flood, "flood: CPU of supervision", "%", Goal::None),
            Self::Orphan => (Topic::Orphan, "kill -9 of the parent, relaunch", "", Goal::Words(ORPHAN_WELL)),
            Self::OrdersCpu => (Topic::Orders, "10,000 orders of 20 bots read, CPU", "ms", Goal::AtMost(50.0)),
            Self::OrdersWait => (Topic::Orders, "10,000 orders of 20 bots read, time", "ms", Goal::None),
            Self::EstopLatch => (Topic::Estop, "estop of 100: command -> latch", "ms", Goal::Under(100.0)),
            Self::EstopSignal => (Topic::Estop, "estop of 100: latch -> last one signalled", "ms", Goal::Under(250.0)),
            Self::EstopReport => (Topic::Estop, "estop of 100: latch -> report", "ms", Goal::None),
            Self::EstopCancels => (Topic::Estop, "estop of 100: cancel commands at once", "", Goal::None),
            Self::ChunksIndexed => (Topic::Chunks, "1,000,000 chunks with an index", "ms", Goal::Under(100.0)),
            Self::ChunksSums => (Topic::Chunks, "the same, and two sums over them", "ms", Goal::None),
            Self::ChunksPass => (Topic::Chunks, "1,000,000 chunks without an index", "ms", Goal::None),
            Self::WriterLog => (Topic::Chunks, "writer, WAL: alone", "/s", Goal::None),
            Self::WriterLogRefreshed => (Topic::Chunks, "writer, WAL: a look every second", "/s", Goal::None),
            Self::WriterLogLooked => (Topic::Chunks, "writer, WAL: looks without a pause", "/s", Goal::None),
            Self::WriterJournal => (Topic::Chunks, "writer, journal: alone", "/s", Goal::None),
            Self::WriterJournalRefreshed => (Topic::Chunks, "writer, journal: a look every second", "/s", Goal::None),
            Self::WriterJournalLooked => (Topic::Chunks, "writer, journal: looks without a pause", "/s", Goal::None),
            Self::ScreenBytes => (Topic::Screen, "screen, 10 bots: start -> first byte", "ms", Goal::None),
            Self::ScreenFull => (Topic::Screen, "screen, 10 bots: start -> full frame", "ms", Goal::Under(100.0)),
            Self::ScreenKey => (Topic::Screen, "key -> frame, 100 bots, 10,000 lines/s", "ms", Goal::None),
            Self::ScreenKey99 => (Topic::Screen, "the same, p99", "ms", Goal::Under(16.0)),
            Self::ScreenTraffic => (Topic::Screen, "idle screen, 10 bots: traffic", "KiB/s", Goal::Under(1.0)),
            Self::ScreenCpu => (Topic::Screen, "idle screen, 10 bots: CPU", "%", Goal::Under(1.0)),
            Self::ScreenLine => (Topic::Screen, "log line written -> on the screen", "ms", Goal::Under(100.0)),
            Self::ScreenOpen => (Topic::Screen, "log of 1 GiB: key -> last line", "ms", Goal::Under(100.0)),
            Self::ScreenSearch => (Topic::Screen, "log of 1 GiB: search -> all counted", "ms", Goal::Under(1000.0)),
        };
        Description { topic, what, unit, goal }
    }
}
