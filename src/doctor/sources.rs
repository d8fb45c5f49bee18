//! Whether the orders of every bot can be read.

use std::time::Duration;

use crate::core::readiness::Check;
use crate::orders::book;

use super::subject::Subject;

/// No source is waited for longer.
const WITHIN: Duration = Duration::from_secs(2);

/// Reads them all, once.
pub(super) fn read(subject: &Subject) -> Vec<Check> {
    let name = "order sources";
    let seen = book::look(&subject.home, &subject.names(), &subject.specs, WITHIN);
    let read = seen.iter().filter(|seen| seen.reading.is_some()).count();
    let troubles: Vec<String> =
        seen.iter().filter_map(|seen| Some(format!("{}: {}", seen.bot, seen.error.as_ref()?))).collect();
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
    if let [_, ..] = without.as_slice() {
        let whose = if without.len() == 1 { "its orders are unknown" } else { "their orders are unknown" };
        checks.push(Check::warning("orders", format!("{}: no source is configured, so {whose}", without.join(", "))));
    }
    checks
}
