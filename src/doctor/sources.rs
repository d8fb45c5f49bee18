//! Whether the orders of every bot can be read.

use std::time::Duration;

use crate::core::readiness::Check;
use crate::orders::book::{self, SourceSeen};
use crate::orders::has_placed_none;

use super::subject::{Bot, Subject};

/// No source is waited for longer: what it comes to has to be said in time.
const WITHIN: Duration = Duration::from_millis(1800);

/// Reads them all, once, and keeps what they said for whoever counts orders.
pub(super) fn read(subject: &Subject) -> Vec<Check> {
    let name = "order sources";
    let seen = book::look(&subject.home, &subject.names(), &subject.specs, WITHIN);
    let seen = subject.sources.get_or_init(|| seen);
    let read = seen.iter().filter(|seen| seen.reading.is_some()).count();
    // What a bot writes is not there before its first run: then nothing of it can be open either.
    let is_new = |seen: &SourceSeen| {
        let bot = subject.bots.iter().find(|bot| bot.name == seen.bot);
        bot.and_then(Bot::orders).is_some_and(|source| has_placed_none(&subject.home, &seen.bot, source))
    };
    let failed = || seen.iter().filter_map(|seen| Some((seen, seen.error.as_ref()?)));
    let told = |seen: &SourceSeen, error: &String| format!("{}: {error}", seen.bot);
    let troubles: Vec<String> =
        failed().filter(|(seen, _)| !is_new(seen)).map(|(seen, error)| told(seen, error)).collect();
    let new: Vec<&str> = failed().filter(|(seen, _)| is_new(seen)).map(|(seen, _)| seen.bot.as_str()).collect();
    let without: Vec<&str> = seen
        .iter()
        .filter(|seen| seen.source.is_none() && seen.error.is_none())
        .map(|seen| seen.bot.as_str())
        .collect();
    let mut checks = vec![match (troubles.is_empty(), read) {
        (false, _) => Check::bad(name, format!("orders cannot be read: {}", troubles.join("; "))),
        (true, 0) => Check::good(name, "none is configured"),
        (true, 1) => Check::good(name, "the one there is can be read"),
        (true, many) => Check::good(name, format!("all {many} can be read")),
    }];
    if let [_, ..] = new.as_slice() {
        checks.push(Check::warning(
            "orders",
            format!("{}: has never run, and its source is not there yet", new.join(", ")),
        ));
    }
    if let [_, ..] = without.as_slice() {
        let whose = if without.len() == 1 { "its orders are unknown" } else { "their orders are unknown" };
        checks.push(Check::warning("orders", format!("{}: no source is configured, so {whose}", without.join(", "))));
    }
    checks
}
