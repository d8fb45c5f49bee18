//! What is to be said of a bot's orders: while they are canceled, and when nothing more is done about them.

use std::time::Duration;

use crate::config::visible;
use crate::core::ledger::Ledger;
use crate::core::progress::Standing;
use crate::core::report::{OrderResult, OrdersReport};
use crate::core::stop::Stage;
use crate::core::summary::NOT_CONFIRMED;

use super::board::Board;
use super::venue::Venue;

/// No more orders than this are named one by one.
const NAMED: usize = 20;
/// No more of them are shown while it is under way.
const SHOWN: usize = 50;

/// What is to be said of orders when nothing more is done about them.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Whether the source could not be asked when it counted.
    pub(super) unasked: bool,
    pub(super) errors: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// Every order that is not confirmed is named, and whatever went wrong is an error if it left something open, else a note.
pub(super) fn settle(venue: &Venue<'_>, report: Option<&OrdersReport>) -> Settled {
    let mut settled = Settled::default();
    if let Some(why) = &venue.elsewhere {
        settled.unasked = true;
        settled.errors.push(why.clone());
    }
    let unconfirmed = report.map_or(0, |report| report.unconfirmed);
    match &venue.blind {
        Some(why) if venue.is_new() => {
            settled.notes.push(format!("it has never run here, and the source of its orders is not there yet: {why}"));
        }
        Some(why) => {
            settled.unasked = true;
            settled.errors.push(format!("its orders cannot be read: {why}"));
        }
        None => {}
    }
    let to_cancel = venue.ledger.to_cancel();
    for order in to_cancel.iter().take(NAMED) {
        let said = report.and_then(|report| report.results.iter().find(|result| result.is_about(order)));
        let said = said.map(OrderResult::said).unwrap_or_default();
        settled.errors.push(format!("{NOT_CONFIRMED}{}{said}; check at the venue", harmless(&order.name())));
    }
    if to_cancel.len() > NAMED {
        settled.errors.push(format!("{NOT_CONFIRMED}{} more", to_cancel.len() - NAMED));
    }
    if unconfirmed > 0 {
        settled.errors.extend(venue.hands_off.clone());
    }
    let troubles = venue.troubles.iter().cloned();
    if unconfirmed > 0 || settled.unasked {
        settled.errors.extend(troubles);
    } else {
        settled.notes.extend(troubles);
    }
    let kept: Vec<String> = venue.ledger.kept().take(NAMED).map(|order| harmless(&order.name())).collect();
    if !kept.is_empty() {
        settled.notes.push(format!("left open by policy, for they are protective: {}", kept.join(", ")));
    }
    let nameless: Vec<String> = venue.ledger.without_id().map(|order| harmless(&order.name())).collect();
    if !nameless.is_empty() {
        let named = nameless.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        settled.notes.push(format!("{} without an id of the venue: {named}", counted(nameless.len() as u64)));
    }
    settled
}

/// How its orders stand, for whoever watches.
pub(super) fn show(board: &Board<'_>, ledger: &Ledger, what: &str, left: Option<Duration>) {
    // Ten thousand orders ten times a second are nothing to be watched.
    let Some(report) = ledger.figures(false, SHOWN) else { return };
    let gone = report.canceled + report.filled;
    let all = gone + report.unconfirmed + report.skipped + report.kept;
    let refused = if report.errors > 0 { format!(", {} refused or unknown", report.errors) } else { String::new() };
    let what = Some(what.to_owned()).filter(|what| !what.is_empty());
    let left = left.map(|left| format!("{} s left", left.as_secs()));
    let parts = [Some(format!("{gone} of {all} gone{refused}")), what, left];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    if ledger.cancels() {
        board.stage(Stage::Cancel, Standing::UnderWay, text);
    } else {
        board.stage(Stage::Cancel, Standing::Skipped, "dry-run: nothing is canceled");
    }
    board.write(|progress| progress.orders = Some(report));
}

/// So many orders, in words.
pub(super) fn counted(count: u64) -> String {
    if count == 1 { "1 order".to_owned() } else { format!("{count} orders") }
}

fn harmless(text: &str) -> String {
    visible(text).into_owned()
}
