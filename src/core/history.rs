//! What has happened, as rows of three shelves: events, runs and reports; and which of them somebody wants to see.

use std::time::Duration;

use jiff::Timestamp;

/// What is looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Everything that was written down.
    #[default]
    Events,
    /// From a start to an end.
    Runs,
    /// What became of stops, cancelations and their like.
    Reports,
}

impl Shelf {
    /// Every shelf, in the order in which they take turns.
    pub const ALL: [Self; 3] = [Self::Events, Self::Runs, Self::Reports];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Runs => "runs",
            Self::Reports => "reports",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Events => Self::Runs,
            Self::Runs => Self::Reports,
            Self::Reports => Self::Events,
        }
    }
}

/// Where a row stands: by its time, and among rows of the same time by its number in the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Nanoseconds since 1970.
    pub at: i64,
    /// Its number.
    pub id: i64,
}

impl Place {
    /// The time, as far as it is one.
    pub fn time(self) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(self.at)).unwrap_or_default()
    }
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At the newest row.
    Newest,
    /// So that it ends with the oldest row.
    Oldest,
    /// Below this row.
    Older(Place),
    /// So that it ends above this row.
    Newer(Place),
    /// At this row, or below where it was.
    At(Place),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub place: Place,
    /// The bot that it is about; none where it is about several, or the desk.
    pub bot: Option<String>,
    /// What the shelf says of it.
    pub what: What,
}

/// What is known of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A line of an event file.
    Event {
        /// What kind it is.
        kind: String,
        /// The sentence.
        text: String,
    },
    /// A run.
    Run(RunSeen),
    /// A report.
    Report {
        /// The command.
        action: String,
        /// Who asked.
        by: Option<String>,
        /// What the command came to.
        code: Option<i64>,
        /// How many bots it was about.
        bots: u64,
        /// The sentence.
        text: String,
    },
}

/// A run, as its events tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSeen {
    /// Its id.
    pub run: String,
    /// When it was started; none where that is not written down.
    pub started: Option<i64>,
    /// When its main process ended; none where that is not written down.
    pub ended: Option<i64>,
    /// How it ended, in words.
    pub exit: Option<String>,
    /// The last word about it: stopped, backoff, failed ...
    pub last: String,
    /// Failures in a row, where it was one.
    pub failures: Option<i64>,
}

impl RunSeen {
    /// How long it lasted.
    pub fn lasted(&self) -> Option<Duration> {
        let nanos = self.ended?.checked_sub(self.started?)?;
        u64::try_from(nanos).ok().map(Duration::from_nanos)
    }
}

/// Something that happened to the index or to an event file: it is told once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// In a few words, for a title; empty where the title says it anyway.
    pub short: String,
    /// In a sentence.
    pub whole: String,
}

/// Which rows are wanted: words that must all fit. `bot:`, `kind:`, `by:` and `since:2h`, any other text, and any of these
/// with `!` before it for "not".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The words.
    pub terms: Vec<Term>,
}

/// One word of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Whether it must not fit.
    pub not: bool,
    /// What must fit.
    pub test: Test,
}

/// What a word asks of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// A part of the bot's name.
    Bot(String),
    /// The beginning of the kind of an event, of the last word about a run, or of a report's command.
    Kind(String),
    /// A part of who asked.
    By(String),
    /// Not older than this.
    Since(Duration),
    /// A part of any of it.
    Text(String),
}

impl Wanted {
    /// What this text wants; every text wants something. A word that is not complete yet wants nothing.
    pub fn new(text: &str) -> Self {
        Self { terms: text.split_whitespace().filter_map(term).collect() }
    }
}

fn term(word: &str) -> Option<Term> {
    let (not, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    let lower = word.to_lowercase();
    let test = match lower.split_once(':') {
        Some(("bot", rest)) => Test::Bot(rest.to_owned()),
        Some(("kind", rest)) => Test::Kind(rest.to_owned()),
        Some(("by", rest)) => Test::By(rest.to_owned()),
        Some(("since", rest)) => Test::Since(span(rest)?),
        Some(_) | None => Test::Text(lower),
    };
    let is_empty = match &test {
        Test::Bot(text) | Test::Kind(text) | Test::By(text) | Test::Text(text) => text.is_empty(),
        Test::Since(_) => false,
    };
    (!is_empty).then_some(Term { not, test })
}

/// `30s`, `5m`, `2h`, `3d`.
fn span(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text.get(..digits)?.parse().ok()?;
    let unit = match text.get(digits..)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    count.checked_mul(unit).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_wants_something_and_half_a_word_wants_nothing() {
        let terms = |text: &str| Wanted::new(text).terms;
        let plain = |test| Term { not: false, test };
        assert_eq!(terms("  "), []);
        assert_eq!(terms("bot: kind: ! !bot: since: since:2 since:x"), []);
        assert_eq!(
            terms("Bot:Grid !kind:ready since:2h SIGTERM a:b !by:ana"),
            [
                plain(Test::Bot("grid".into())),
                Term { not: true, test: Test::Kind("ready".into()) },
                plain(Test::Since(Duration::from_hours(2))),
                plain(Test::Text("sigterm".into())),
                plain(Test::Text("a:b".into())),
                Term { not: true, test: Test::By("ana".into()) },
            ]
        );
        assert_eq!(terms("since:99999999999999999999h since:9999999999999999999d"), []);
    }

    #[test]
    fn a_run_lasts_from_its_start_to_its_end_where_both_are_known() {
        let run = |started, ended| RunSeen { started, ended, ..RunSeen::default() }.lasted();
        assert_eq!(run(Some(0), Some(1_500_000_000)), Some(Duration::from_millis(1500)));
        assert_eq!((run(None, Some(1)), run(Some(1), None), run(Some(2), Some(1))), (None, None, None));
    }
}
