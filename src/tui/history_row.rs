//! A row of the history, as it is shown and as it is copied.

use ratatui::style::Style;

use crate::core::event::Kind;
use crate::core::history::{Entry, RunSeen, Shelf, What};
use crate::core::state::State;

use super::history_page::took;
use super::model::Model;
use super::{text, theme};

/// From this width on there is room for all of it.
const WIDE: usize = 90;
/// A start that was written down and one that was seen are the same if they are no further apart.
const SAME_START: i64 = 2_000_000_000;
/// What was seen of a bot may be so much older than what was written down.
const BEHIND: i64 = 5_000_000_000;

/// What has become of a run whose end is not written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It goes on: it was seen.
    Runs,
    /// It is over: the bot is at rest, or in a later run.
    Over,
    /// Nobody can tell.
    Unknown,
}

/// How many columns the bot's name has.
const fn name_columns(width: usize) -> usize {
    if width >= WIDE { 18 } else { 11 }
}

/// What stands above the columns.
pub fn heading(shelf: Shelf, width: usize) -> String {
    let columns = name_columns(width);
    let rest = match shelf {
        Shelf::Events => format!("{:9} TEXT", "KIND"),
        Shelf::Runs => format!("{:>7} HOW IT ENDED", "RAN"),
        Shelf::Reports if width >= WIDE => format!("{:8} {:7} {:15} TEXT", "COMMAND", "EXIT", "BY"),
        Shelf::Reports => format!("{:8} {:7} TEXT", "COMMAND", "EXIT"),
    };
    format!("{:14} {:columns$} {rest}", "AT", "BOT")
}

/// A row in so many columns, and how it is meant: its words say the same.
pub fn row(model: &Model, entry: &Entry, width: usize) -> (String, Style) {
    let wide = width >= WIDE;
    let columns = name_columns(width);
    let at = entry.place.time().strftime("%m-%d %H:%M:%S").to_string();
    let bot = entry.bot.as_deref().unwrap_or("-");
    let put = |bot: &str, rest: String| {
        // Names that begin alike are told apart by how they end.
        let bot = text::fit(&text::cut_middle(&text::harmless(bot), columns, "~"), columns, "~");
        text::harmless(&format!("{at} {bot} {}", rest.replace(['\r', '\n'], " ")))
    };
    match &entry.what {
        What::Event { kind, text } => (put(bot, format!("{kind:9} {text}")), look_of(kind)),
        What::Run(run) => {
            let lasted = run.lasted().map_or_else(|| "-".to_owned(), took);
            let fate = fate(model, entry, run);
            (put(bot, format!("{lasted:>7} {}", ended(run, fate))), look_of_run(run, fate))
        }
        What::Report { action, by, code, bots, text } => {
            let whom = if entry.bot.is_none() { format!("{bots} bots") } else { bot.to_owned() };
            let by = by.as_deref().unwrap_or("?");
            let code_words = code.map_or_else(|| "?".to_owned(), |code| code.to_string());
            let by = if wide { format!("by {by:12} ") } else { String::new() };
            let look = if *code == Some(0) { Style::new() } else { theme::bad() };
            (put(&whom, format!("{action:8} exit {code_words:<2} {by}{text}")), look)
        }
    }
}

/// How a run ended, and what followed.
fn ended(run: &RunSeen, fate: Fate) -> String {
    let failures = run.failures.map_or_else(String::new, |failures| format!(" (failure {failures} in a row)"));
    match (&run.exit, fate) {
        (Some(exit), _) => format!("{exit}; {}{failures}", run.last),
        (None, _) if run.ended.is_some() => format!("ended, how is not written down; {}{failures}", run.last),
        (None, Fate::Runs) => format!("runs ({})", run.last),
        (None, Fate::Over) => format!("its end was not written down; {}", run.last),
        (None, Fate::Unknown) => format!("no end is written down; {}", run.last),
    }
}

/// What the survey says of a run whose end is not written down.
fn fate(model: &Model, entry: &Entry, run: &RunSeen) -> Fate {
    let bot = model.bots.iter().find(|bot| entry.bot.as_deref() == Some(bot.name.as_str()));
    let Some(bot) = bot.filter(|_| !model.is_stale()) else { return Fate::Unknown };
    let nanos = |at: jiff::Timestamp| i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX);
    let (began, now) = (run.started.unwrap_or(entry.place.at), nanos(model.now.wall));
    match bot.state {
        State::Starting | State::Running | State::Stopping | State::Orphaned => match bot.started_at.map(nanos) {
            Some(seen) if seen.abs_diff(began) <= SAME_START.unsigned_abs() => Fate::Runs,
            Some(seen) if seen > began => Fate::Over,
            Some(_) | None => Fate::Unknown,
        },
        // It may have been looked at before it was started.
        State::Stopped | State::Exited | State::Crashed | State::Backoff | State::Failed
            if began < now.saturating_sub(BEHIND) =>
        {
            Fate::Over
        }
        State::Stopped | State::Exited | State::Crashed | State::Backoff | State::Failed | State::Unknown => {
            Fate::Unknown
        }
    }
}

fn look_of(kind: &str) -> Style {
    let is = |kinds: &[Kind]| kinds.iter().any(|one| one.word() == kind);
    if is(&[Kind::Failed, Kind::Alert, Kind::Survived, Kind::Estop]) {
        theme::bad()
    } else if is(&[Kind::Backoff, Kind::Warning, Kind::Refused, Kind::Climbed]) {
        theme::warning()
    } else {
        Style::new()
    }
}

fn look_of_run(run: &RunSeen, fate: Fate) -> Style {
    let is_open = run.exit.is_none() && run.ended.is_none();
    if run.last == Kind::Failed.word() {
        theme::bad()
    } else if run.last == Kind::Backoff.word() || (is_open && fate == Fate::Over) {
        theme::warning()
    } else {
        Style::new()
    }
}
