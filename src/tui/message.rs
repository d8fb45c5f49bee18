//! Everything that the screen can be told. What the screen knows, it knows from these: time too.

use std::time::Duration;

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use crate::core::bot::{BotName, BotSpec};
use crate::core::moment::Moment;
use crate::core::signal::Signal;
use crate::core::status::BotStatus;

/// One thing that the screen is told.
#[derive(Clone, Debug)]
pub enum Msg {
    /// What time it is.
    Now(Now),
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// What the configuration says from now on.
    Configuration(Configured),
    /// What was seen of the bots.
    Survey(Vec<BotStatus>),
    /// The survey before this message began after this look was asked for.
    Fresh(Ticket),
    /// Something about the log that is being followed.
    Log(LogNews),
    /// An action came to its end.
    Done(Done),
    /// Something that the screen needs cannot be had.
    Trouble(String),
    /// There is a new line of diagnostics.
    Diagnostic,
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

/// Something about the log that is being followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogNews {
    /// The bot whose log it is.
    pub bot: BotName,
    /// What happened.
    pub what: LogEvent,
}

/// What may happen to a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// The log of a run was opened.
    Opened {
        /// The run.
        run: String,
        /// Whether the first line that follows is its first.
        whole: bool,
        /// How long ago it was last written to.
        quiet: Duration,
    },
    /// Whole lines, as the bot wrote them.
    Lines(Vec<String>),
    /// So many bytes came too fast to be shown.
    Skipped(u64),
    /// It cannot be read; the text says why.
    Missing(String),
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
    /// A sentence that follows the name.
    pub text: String,
}
