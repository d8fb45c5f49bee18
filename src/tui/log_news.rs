//! What the screen asks of whoever reads logs, and what it is told.
//!
//! Whoever reads holds the same window of lines as the screen does, with the same numbers: the screen says where it
//! wants to look, and is told which lines come in front of those that it holds, or behind them, and how many go at the
//! other end. A log of any size is read a window at a time; nothing is read twice to be counted.
//!
//! ```text
//!  screen: Open(view) ----------> reader       Before(n)  After(n)  First  Last  Step(from, forward)  Search ...
//!  screen <--- Anew / Front / Back / Sources / Ends / Found / Stepped         (of the view with this number alone)
//! ```

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::style::Style;

use crate::core::bot::BotName;
use crate::core::level::Level;

/// So many lines are held at most, by the screen and by whoever reads for it.
pub const HELD: usize = 5000;

/// A bot, and the log file that the configuration gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The bot.
    pub bot: BotName,
    /// A log file that it writes by itself.
    pub file: Option<PathBuf>,
    /// The zone that it writes its times in, as its `TZ` says; that of here if it is not known.
    pub zone: Option<String>,
}

/// What is looked at. What is said of an earlier view is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its number; a later view has a greater one.
    pub number: u64,
    /// Whose logs: of several they are merged by time.
    pub of: Vec<Whose>,
    /// Only lines at least so loud. Lines that belong to another, and lines of which nothing is known, are as loud as
    /// `core::level` says.
    pub least: Option<Level>,
}

/// What whoever reads logs is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAsk {
    /// Look at this from its end, and follow it.
    Open(View),
    /// The reader stands still (or follows again): nothing is taken from the front while new lines come.
    Hold(bool),
    /// So many lines before the first one that is held.
    Before(usize),
    /// So many lines after the last one that is held.
    After(usize),
    /// The first so many lines that are kept, instead of those that are held.
    First(usize),
    /// The last lines, instead of those that are held; and follow.
    Last,
    /// Search for this. Another number is another search.
    Search(u64, Sought),
    /// Search for nothing any more.
    Unsearch,
    /// To the next match below this line, or to the next one above; around the ends.
    Step {
        /// The number of the line that the reader stands at.
        from: u64,
        /// Towards the end.
        forward: bool,
    },
    /// Write everything that the view shows into this file, which must not be there yet; `Msg::Saved` follows, whatever is
    /// looked at by then.
    Save(PathBuf),
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A regular expression; case does not count.
    Pattern(String),
    /// Lines that are errors themselves (not those that belong to one).
    Errors,
}

/// Something about the logs that are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LogNews {
    /// Of which view.
    pub view: u64,
    /// What.
    pub what: LogEvent,
}

/// What may be told of logs.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent {
    /// How the sources of the view stand: every time that something about them changed.
    Sources(Vec<SourceSeen>),
    /// These lines are held instead of those before.
    Anew {
        /// The number of the first.
        first: u64,
        /// In order.
        lines: Vec<Line>,
        /// Where they stand in the whole.
        ends: Ends,
        /// The line to stand at; none where the end is followed (or the beginning was asked for).
        stand: Option<u64>,
    },
    /// These lines come in front of those that are held, and so many go at the back.
    Front {
        /// In order.
        lines: Vec<Line>,
        /// How many go at the back.
        cut: usize,
        /// Where all that is held stands now.
        ends: Ends,
    },
    /// These lines come behind those that are held, and so many go in front.
    Back {
        /// In order.
        lines: Vec<Line>,
        /// How many go in front.
        cut: usize,
        /// Where all that is held stands now.
        ends: Ends,
    },
    /// Nothing was added to what is held, but where it stands has changed.
    Ends(Ends),
    /// How a search goes.
    Found(Found),
    /// A step of a search has come to this line, which is held: the so-many-th match, counted from 1.
    Stepped {
        /// Its number.
        line: u64,
        /// Which match it is, if all before it are counted.
        nth: Option<u64>,
    },
}

/// Where the lines that are held stand in the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// Nothing older is kept.
    pub at_start: bool,
    /// Bytes that are newer than what is held; nothing where the last line that there is is held.
    pub newer: u64,
}

/// How one source of a view stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSeen {
    /// The bot.
    pub bot: BotName,
    /// The name of the log file, where it is one that the bot writes by itself; none for its output.
    pub file: Option<String>,
    /// The run whose output was read last.
    pub run: Option<String>,
    /// How long ago it was last written to, as of now.
    pub quiet: Option<Duration>,
    /// Why there is nothing, in a sentence.
    pub trouble: Option<String>,
}

/// How a search goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Which search.
    pub search: u64,
    /// Lines that match, as far as was looked.
    pub total: u64,
    /// Whether everything was looked at, up to what is being written now.
    pub done: bool,
}

/// A line, fit to be shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// Which of the view's bots it is of.
    pub of: usize,
    /// The name of the log file that it is from, where that must be told from the bot's output.
    pub file: Option<Arc<str>>,
    /// When it was written: by its own words, or those of the line that it belongs to.
    pub at: Option<Timestamp>,
    /// How many bytes of `text` its own time takes at the front, with what sets it off; 0 where it has none.
    pub stamp: usize,
    /// How loud it is: by its own words, or those of the line that it belongs to.
    pub level: Option<Level>,
    /// Whether it belongs to the line before it.
    pub belongs: bool,
    /// Whether it is not a bot's: we say something about the log.
    pub ours: bool,
    /// Its text, harmless and without colours.
    pub text: String,
    /// Its colours, as the bot meant them.
    pub colors: Vec<(Range<usize>, Style)>,
}
