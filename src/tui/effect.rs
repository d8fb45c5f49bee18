//! What the screen asks of others. It does nothing outside itself; `effects` does.

use std::path::PathBuf;

use log::Level;

use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::signal::Signal;

use super::clusters::Claimed;
use super::deed::Deed;
use super::history_news::HistoryAsk;
use super::log_news::LogAsk;
use super::message::Ticket;
use super::model::{Feedback, Model, Tone};
use super::text;

/// What others are to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Do this to these bots; `Msg::Done` with this ticket ends it.
    Act {
        /// What its end is known by.
        ticket: Ticket,
        /// What.
        deed: Deed,
        /// To which bots.
        names: Vec<BotName>,
        /// What those are started with, where they are started: the very words that the guard has seen.
        specs: Vec<BotSpec>,
        /// Orders that were chosen one by one: whose, and what they are called. All of a bot that stands here without any.
        orders: Vec<(BotName, Vec<String>)>,
    },
    /// Do this to clusters; `Msg::Done` with this ticket ends it.
    ActOnClusters {
        /// What its end is known by.
        ticket: Ticket,
        /// What: start, stop or requeue.
        deed: Deed,
        /// To which, in the very words that the guard has seen.
        clusters: Vec<ClusterSpec>,
        /// Every cluster of the configuration.
        all: Vec<ClusterSpec>,
        /// Every bot of the configuration.
        bots: Vec<BotSpec>,
        /// The chunks that are meant, as they were seen, where chunks are.
        chunks: Vec<(BotName, Vec<Claimed>)>,
        /// Whether chunks of workers that nobody here knows are put back too.
        unverified: bool,
    },
    /// Fire the emergency stop, now. What comes of it is told by `Msg::Emergency`.
    Fire,
    /// Lift the latch; `EmergencyNews::Reset` ends it.
    Reset {
        /// Why.
        reason: String,
        /// What is said about what stands in the way.
        waive: Option<String>,
    },
    /// Examine now whether the emergency stop would work.
    Examine,
    /// Put this text into the clipboard of the terminal.
    Copy(String),
    /// Read the orders of these bots, and of those that are not configured any more; `Msg::Orders` follows.
    ReadOrders(Vec<BotSpec>),
    /// Read the databases of these clusters, with the bots of the configuration; `Msg::Cluster` follows.
    ReadClusters(Vec<ClusterSpec>, Vec<BotSpec>),
    /// Go on reading orders and clusters, or rest while nobody looks.
    WatchOrders(bool),
    /// Read the orders of these bots now, and every cluster.
    ReadNow(Vec<BotName>),
    /// Read the configuration and look at the bots now; `Msg::Fresh` with this ticket follows what was seen.
    Look(Ticket),
    /// Look five times a second, or once.
    Hurry(bool),
    /// Something about logs; `Msg::Log` follows.
    Log(LogAsk),
    /// Something about the history; `Msg::History` follows.
    History(HistoryAsk),
    /// Write this text into this file, which must not be there yet; `Msg::Saved` follows.
    Save(PathBuf, String),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Read everything that is written down about this bot; `Msg::Inspected` follows.
    Inspect(BotName),
    /// Write a line of diagnostics.
    Note(Level, String),
    /// Draw everything anew, whatever the terminal is thought to show.
    Redraw,
    /// Give the terminal back and stop, together with who waits for us.
    Suspend,
    /// The same, when a signal has said it to all of us already.
    StandStill,
    /// Take the terminal again.
    Resume,
    /// Leave; with the signal, if it was one that asked.
    Leave(Option<Signal>),
}

/// Says something in the footer, and keeps it in the diagnostics.
pub(super) fn tell(model: &mut Model, effects: &mut Vec<Effect>, tone: Tone, text: impl Into<String>) {
    let text = text::harmless(&text.into());
    let level = match tone {
        Tone::Plain | Tone::Good => Level::Info,
        Tone::Bad => Level::Warn,
    };
    effects.push(Effect::Note(level, text.clone()));
    model.feedback = Some(Feedback { at: model.now.wall, tone, text });
}

/// A ticket that was never given out.
pub(super) fn ticket(model: &mut Model) -> Ticket {
    model.last_ticket += 1;
    model.last_ticket
}
