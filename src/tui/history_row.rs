//! A row of the history, as it is shown and as it is copied.

use ratatui::style::Style;

use crate::core::event::Kind;
use crate::core::history::{Entry, RunSeen, What};

use super::history_page::took;
use super::{text, theme};

/// A row in so many columns, and how it is meant: its words say the same.
pub fn row(entry: &Entry, width: usize) -> (String, Style) {
    let wide = width >= 90;
    let columns = if wide { 18 } else { 11 };
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
            (put(bot, format!("{lasted:>7} {}", ended(run))), look_of_run(run))
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
fn ended(run: &RunSeen) -> String {
    let failures = run.failures.map_or_else(String::new, |failures| format!(" (failure {failures} in a row)"));
    match &run.exit {
        Some(exit) => format!("{exit}; {}{failures}", run.last),
        None => format!("no end is written down; {}", run.last),
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

fn look_of_run(run: &RunSeen) -> Style {
    match run.exit.as_deref() {
        _ if run.last == Kind::Failed.word() => theme::bad(),
        _ if run.last == Kind::Backoff.word() => theme::warning(),
        Some(_) | None => Style::new(),
    }
}
