//! An emergency stop as a whole: what is told of it beside the progress of each bot, and every stage of it over all bots in
//! one line, for whoever watches on a command line or on a screen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::BotName;
use super::progress::{Progress, StageSeen};
use super::report::BotReport;

/// What is told of an emergency stop as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overall {
    /// Its id.
    pub id: String,
    /// Who fired it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is a drill.
    pub drill: bool,
    /// Whether it goes on with one whose stopper died.
    pub carries_on: bool,
    /// When it was fired.
    pub at: Timestamp,
    /// How long ago that was when this was said, in milliseconds.
    pub elapsed_ms: u64,
    /// The stages that are not those of single bots: LOCK (the latch), CHUNKS, VERIFY (the last look at everything) and
    /// REPORT. Of the others, every bot's own progress tells.
    pub stages: Vec<StageSeen>,
    /// Every bot that it is about, as far as it is known by now.
    pub bots: Vec<BotName>,
    /// No rung of any ladder waits longer, in milliseconds.
    pub cap_ms: u64,
    /// What went wrong beside the bots, so far.
    pub errors: Vec<String>,
}

/// What is known of one bot's part in it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The bot.
    pub name: &'a BotName,
    /// How far it has come; absent before it said so.
    pub progress: Option<&'a Progress>,
    /// What became of it; absent before its end.
    pub report: Option<&'a BotReport>,
}

/// One stage over all bots, in one line, with what there is to say of single bots below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLine {
    /// The stage, how it stands as a whole, what there is to say of it, how long it took.
    pub seen: StageSeen,
    /// What there is to say of single bots: those that something is waited for, or went wrong with.
    pub details: Vec<String>,
}

/// Every stage over all bots, in their order.
pub fn stages(_overall: &Overall, _parts: &[Part<'_>]) -> Vec<StageLine> {
    Vec::new()
}
