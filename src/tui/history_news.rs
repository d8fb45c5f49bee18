//! What the screen asks of whoever reads the history, and what it is told. Pages are asked for one at a time, by where a
//! row stands; whoever reads looks at the event files once a second, as long as somebody looks at the history.
//!
//! ```text
//!  screen: View(number, shelf, filter)  Rows(from, count)  Open(place)  GoOn(yes) ------> reader
//!  screen <------------------------- Looked(how it stands)  Rows(page)  Whole(entry)  Trouble
//! ```

use crate::core::cluster_report::ClusterReport;
use crate::core::event::Event;
use crate::core::history::{Anchor, Entry, Notice, Place, RunSeen, Shelf};
use crate::core::report::{BotReport, Report};

/// What whoever reads the history is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryAsk {
    /// Look at this from now on. A later view has a greater number.
    View {
        /// Its number.
        number: u64,
        /// Of what.
        shelf: Shelf,
        /// Which rows, as it was typed.
        filter: String,
    },
    /// Hand a page of it over.
    Rows {
        /// Of the view with this number.
        view: u64,
        /// Where the page begins.
        from: Anchor,
        /// So many rows.
        count: usize,
    },
    /// Hand over all that is known of this row.
    Open {
        /// Of what.
        shelf: Shelf,
        /// Which row.
        place: Place,
    },
    /// Somebody looks, or nobody does.
    GoOn(bool),
}

/// What may be told of the history.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryNews {
    /// The event files were looked at.
    Looked(Looked),
    /// A page of a view.
    Rows {
        /// Of which.
        view: u64,
        /// Where it was to begin.
        from: Anchor,
        /// Newest first.
        rows: Vec<Entry>,
        /// How many are newer than the first of them.
        before: u64,
        /// How many there are.
        total: u64,
    },
    /// All that is known of a row.
    Whole(Place, Box<WholeEntry>),
    /// It cannot be read; the text says why.
    Trouble(String),
}

/// How the index stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Whether anything is other than before.
    pub changed: bool,
    /// How much of the event files is in the index, in percent, where not all of it is.
    pub percent: Option<u8>,
    /// What else there is to say: why it is not kept, or which file cannot be read.
    pub note: Option<String>,
    /// Event files with lines that cannot be read, and how many there are in each.
    pub odd: Vec<(String, u64)>,
    /// What happened since the last time.
    pub notices: Vec<Notice>,
}

/// All that is known of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum WholeEntry {
    /// It is not there any more.
    Gone,
    /// A line of an event file, and which; or why it cannot be had.
    Event(String, Result<Event, String>),
    /// A run, its bot, and what was written down of it: when, what kind, and the sentence.
    Run(RunSeen, Option<String>, Vec<(Place, String, String)>),
    /// What became of something.
    Report {
        /// The event that tells of it, and in which file.
        event: (String, Result<Event, String>),
        /// The parts of the bots that are known.
        bots: Vec<BotReport>,
        /// Those of clusters.
        clusters: Vec<ClusterReport>,
        /// All of it, where its folder has it.
        all: Option<Box<Report>>,
        /// Why the folder cannot be read.
        trouble: Option<String>,
    },
}
