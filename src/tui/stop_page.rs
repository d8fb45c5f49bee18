//! The page of the last stop, as lines: what was seen stands apart from what the bot says, every error stands there, and
//! what must be looked at stands first.
//!
//! ```text
//! RESULT   INCOMPLETE - 2 orders not confirmed canceled   exit code 11
//!   ! mm-eth ETH/USD BUY 1.2000 @ 2410.50 (B-1)  check at the venue NOW
//! Orders canceled 0  filled 0  errors 2  NOT CONFIRMED 2   State flushed 1/1   Running 0
//! says     orders canceled 2, cancel errors 0, state flushed True
//! seen     of 2 open before: 0 canceled, 0 filled, 2 STILL OPEN
//!          its state file was written since
//!          what it says and what was seen DIFFER
//! [x] 4 CANCEL   0 of 2 verified                              3.80 s
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use crate::core::bot::BotName;
use crate::core::cluster_report::ClusterReport;
use crate::core::code::Code;
use crate::core::moment::Moment;
use crate::core::progress::{StageSeen, Standing};
use crate::core::report::{BotReport, CancelResult, OrderResult, OrdersReport, StopOutcome};
use crate::core::stop::Stage;

use super::cluster_deed::of_clusters;
use super::deed::Deed;
use super::layout;
use super::model::Model;
use super::orders::Count;
use super::stops::{Over, Run, StopBook};
use super::text::{self, plural};
use super::theme;
use super::watched::Watched;

/// How a part of a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// Neither way.
    Plain,
    /// Of weight.
    Strong,
    /// A claim, or nothing yet.
    Faint,
    /// As asked.
    Good,
    /// Worth a look.
    Warning,
    /// Not as asked.
    Bad,
    /// The sign of a stage.
    Standing(Standing),
}

/// A line, in parts.
pub type StopLine = Vec<(String, Tint)>;

/// So many orders that are not confirmed are named.
const NAMED: usize = 50;

pub(super) fn line(parts: &[(&str, Tint)]) -> StopLine {
    parts.iter().map(|(text, tint)| ((*text).to_owned(), *tint)).collect()
}

/// Adds a line, and goes on below it, further in, with what it has no room for: here nothing may be cut off.
pub(super) fn wrapped(parts: StopLine, width: usize, lines: &mut Vec<StopLine>) {
    const INDENT: usize = 9;
    let mut row = StopLine::new();
    let mut used = 0;
    for (text, tint) in parts {
        for word in text.split_inclusive(' ') {
            if used > INDENT && used + text::width(word.trim_end()) > width {
                if let Some((last, _)) = row.last_mut() {
                    last.truncate(last.trim_end().len());
                }
                lines.push(std::mem::take(&mut row));
                row.push((" ".repeat(INDENT), Tint::Plain));
                used = INDENT;
            }
            used += text::width(word);
            match row.last_mut() {
                Some((last, its)) if *its == tint => last.push_str(word),
                Some(_) | None => row.push((word.to_owned(), tint)),
            }
        }
    }
    lines.push(row);
}

pub(super) fn took(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}.{:02} s", time.subsec_millis() / 10),
        seconds => format!("{}:{:02} min", seconds / 60, seconds % 60),
    }
}

/// The lines of the page, of so many columns.
pub fn lines(model: &Model, width: usize) -> Vec<StopLine> {
    page(model, width).0
}

/// The lines, and where the details of one bot begin.
fn page(model: &Model, width: usize) -> (Vec<StopLine>, usize) {
    let book = &model.stops;
    if book.is_empty() {
        return (vec![line(&[("nothing was stopped or canceled from this screen yet", Tint::Faint)])], 0);
    }
    let mut lines = Vec::new();
    let mut details = 0;
    let over = worst(book);
    if !book.is_under_way()
        && let Some(over) = over
    {
        result(model, over, width, &mut lines);
    }
    if !book.bots.is_empty() {
        totals(book, width, &mut lines);
    }
    for (action, cluster) in book.clusters() {
        chunks(cluster, action, width, &mut lines);
    }
    if book.bots.len() > 1 {
        lines.extend(book.bots.iter().map(|bot| summary(model, book, bot, book.detail())));
    }
    if !book.is_under_way() {
        lines.push(line(&[("Duration ", Tint::Strong), (&took(elapsed(model)), Tint::Plain)]));
    }
    if let Some(bot) = book.detail() {
        if book.bots.len() > 1 {
            lines.push(line(&[("", Tint::Plain)]));
            details = lines.len();
            let mode = theme::mode(bot.mode, false);
            // Its own line again: where there are many, the one above is out of sight.
            let (words, tint) = standing(model, bot);
            let head = (format!("{} ({mode})  ", bot.name), Tint::Strong);
            lines.push(vec![head, (words, tint), ("   Enter: the next".to_owned(), Tint::Faint)]);
        }
        let more = model.signs().more;
        if bot.report.is_some() {
            claims_and_evidence(bot, width, &mut lines);
            discord(bot, &mut lines);
            errors(bot, width, more, &mut lines);
            stages(bot, width, more, &mut lines);
        } else {
            if let Some((what, then)) = bot.waiting(model.now.mono) {
                let then = then.map(|then| format!("; {then}")).unwrap_or_default();
                lines.push(line(&[("waiting  ", Tint::Strong), (&format!("{what}{then}"), Tint::Warning)]));
            }
            discord(bot, &mut lines);
            stages(bot, width, more, &mut lines);
            claims_and_evidence(bot, width, &mut lines);
            errors(bot, width, more, &mut lines);
        }
    }
    for error in book.runs.iter().filter_map(|run| run.over.as_ref()).flat_map(|over| &over.errors) {
        let rows = text::fold(error, width);
        lines.extend(rows.into_iter().map(|row| line(&[(&row, Tint::Bad)])));
    }
    (lines, details)
}

/// What became of a cluster's chunks, with whatever went wrong.
pub(super) fn chunks(cluster: &ClusterReport, action: &str, width: usize, lines: &mut Vec<StopLine>) {
    let tint = if cluster.code() == Code::Done { Tint::Plain } else { Tint::Bad };
    let words = format!("{}: {}", cluster.name, cluster.told(action));
    wrapped(vec![("Chunks   ".to_owned(), Tint::Strong), (words, tint)], width, lines);
    for (texts, tint) in [(&cluster.errors, Tint::Bad), (&cluster.notes, Tint::Plain)] {
        for text in texts {
            wrapped(vec![(format!("         {text}"), tint)], width, lines);
        }
    }
}

/// Shows the next bot in detail, and its details where they can be seen.
pub(super) fn show_next(model: &mut Model) {
    model.stops.next();
    let (width, rows) = layout::stops_page(model);
    let (lines, details) = page(model, width);
    model.stops.top = if lines.len() <= rows { 0 } else { details.min(lines.len().saturating_sub(rows)) };
}

/// The last word of all runs that are shown: the one that did not go well, if there is one.
pub fn worst(book: &StopBook) -> Option<&Over> {
    let overs = || book.runs.iter().filter_map(|run| run.over.as_ref());
    overs().find(|over| over.code != Some(0)).or_else(|| overs().next_back())
}

/// The result in words, and how it is meant.
/// `model`: where orders may have been chosen one by one, for what is open beside them.
pub fn verdict(model: Option<&Model>, book: &StopBook, over: &Over) -> (String, Tint) {
    let totals = book.totals();
    let survivors: Vec<&str> = book
        .bots
        .iter()
        .filter(|bot| bot.report.as_ref().is_some_and(BotReport::survived))
        .map(|bot| bot.name.as_str())
        .collect();
    let picked = || model.and_then(|model| picked(model, book));
    let goes_well = || {
        let mut parts = Vec::new();
        if totals.skipped > 0 {
            parts.push(format!("{} left alone (dry-run)", plural(totals.skipped, "order")));
        }
        // Nobody has seen that nothing is open.
        parts.extend(unknown(book, totals.unknown));
        if totals.kept > 0 {
            parts.push(format!("{} kept by policy", plural(totals.kept, "protective order")));
        }
        let tint = if totals.unknown > 0 { Tint::Warning } else { Tint::Good };
        match (picked(), parts.is_empty()) {
            (Some(words), _) => (words, tint),
            (None, true) if book.bots.is_empty() => ("DONE".to_owned(), tint),
            (None, true) => ("DONE - 0 orders open, verified".to_owned(), tint),
            (None, false) => (format!("DONE - {}", parts.join("; ")), tint),
        }
    };
    let open =
        || (totals.unconfirmed > 0).then(|| format!("{} not confirmed canceled", plural(totals.unconfirmed, "order")));
    let not_put_back = over.clusters.iter().find(|cluster| cluster.unasked);
    let not_put_back = not_put_back.map(|cluster| format!("chunks of {} NOT PUT BACK", cluster.name));
    let lives = || (!survivors.is_empty()).then(|| format!("something lives of {}", survivors.join(", ")));
    // What applies beside that which the code says: the code is that of the worst.
    let (words, tint, beside) = match over.code {
        Some(0) => {
            let (words, tint) = goes_well();
            return (words, tint);
        }
        Some(11) => (
            format!("INCOMPLETE - {} not confirmed canceled", plural(totals.unconfirmed, "order")),
            Tint::Bad,
            vec![picked(), lives(), not_put_back, unknown(book, totals.unknown)],
        ),
        Some(12) => (
            "INCOMPLETE - state was not flushed".to_owned(),
            Tint::Bad,
            vec![open(), lives(), not_put_back, unknown(book, totals.unknown)],
        ),
        Some(13) => (
            format!("NOT STOPPED - something lives of {}", survivors.join(", ")),
            Tint::Bad,
            vec![open(), not_put_back, unknown(book, totals.unknown)],
        ),
        Some(14) => (
            match &not_put_back {
                Some(what) => format!("INCOMPLETE - {what}"),
                None => "INCOMPLETE - a source of orders or a cancel command could not be asked".to_owned(),
            },
            Tint::Bad,
            vec![open(), lives(), unknown(book, totals.unknown).filter(|_| book.bots.len() > 1)],
        ),
        Some(10) => ("STILL WORKING - it goes on".to_owned(), Tint::Warning, vec![]),
        Some(15) => (
            "NOT LATCHED - anything may be started again".to_owned(),
            Tint::Bad,
            vec![lives(), open(), unknown(book, totals.unknown)],
        ),
        Some(75) => ("REFUSED - the emergency stop is latched".to_owned(), Tint::Bad, vec![]),
        Some(77) => ("NOT PERMITTED".to_owned(), Tint::Bad, vec![open(), lives()]),
        Some(_) => ("FAILED".to_owned(), Tint::Bad, vec![open(), lives()]),
        None => ("UNKNOWN - its last word is missing; the list shows what is".to_owned(), Tint::Bad, vec![]),
    };
    (beside.into_iter().flatten().fold(words, |words, more| format!("{words}; {more}")), tint)
}

/// Of how many bots nobody knows what is open.
fn unknown(book: &StopBook, count: usize) -> Option<String> {
    match (count, book.bots.len()) {
        (0, _) => None,
        (_, 1) => Some("orders unknown of 1 bot".to_owned()),
        (1, all) => Some(format!("1 of {all} bots has unknown orders")),
        (count, all) => Some(format!("{count} of {all} bots have unknown orders")),
    }
}

/// What became of orders that were chosen one by one, and how many others of their bots nobody has touched.
fn picked(model: &Model, book: &StopBook) -> Option<String> {
    let chosen = || book.bots.iter().filter_map(|bot| Some((bot, bot.chosen.as_ref()?)));
    let count: u64 = chosen().map(|(_, picked)| picked.count).sum();
    if count == 0 {
        return None;
    }
    let seen = |figure: fn(&OrdersReport) -> u64| chosen().filter_map(|(bot, _)| bot.orders()).map(figure).sum::<u64>();
    let mut words = format!("{} of {} chosen orders canceled", seen(|seen| seen.canceled), count);
    for (figure, what) in [(seen(|seen| seen.filled), "filled"), (seen(|seen| seen.skipped), "left alone (dry-run)")] {
        if figure > 0 {
            _ = write!(words, ", {figure} {what}");
        }
    }
    for (bot, picked) in chosen() {
        let keys: BTreeSet<&str> = picked.keys.iter().map(String::as_str).collect();
        let others = || model.orders.of(&bot.name).iter().filter(|row| !row.is_called(&keys)).count();
        match model.open_orders(&bot.name) {
            Count::Fresh(_) => match others() {
                0 => _ = write!(words, "; no other of {} is open", bot.name),
                1 => _ = write!(words, "; 1 other of {} is still open", bot.name),
                others => _ = write!(words, "; {others} others of {} are still open", bot.name),
            },
            Count::NoSource | Count::Unread | Count::Stale(_) => {
                _ = write!(words, "; nobody knows what else of {} is open", bot.name);
            }
        }
    }
    Some(words)
}

fn result(model: &Model, over: &Over, width: usize, lines: &mut Vec<StopLine>) {
    let book = &model.stops;
    let (words, tint) = verdict(Some(model), book, over);
    let code = over.code.map(|code| format!("   exit code {code}")).unwrap_or_default();
    wrapped(vec![("RESULT   ".to_owned(), Tint::Strong), (words, tint), (code, tint)], width, lines);
    open_orders(book, width, lines);
}

/// Every order that is not confirmed canceled, as far as there is room for so many.
pub(super) fn open_orders(book: &StopBook, width: usize, lines: &mut Vec<StopLine>) {
    let open: Vec<_> = book.unconfirmed().collect();
    for (bot, order) in open.iter().take(NAMED) {
        let named = text::harmless(&format!("{bot} {}", order.name()));
        wrapped(vec![(format!("  ! {named}  check at the venue NOW"), Tint::Bad)], width, lines);
    }
    if open.len() > NAMED {
        lines.push(vec![(format!("  ! and {} more: botwarden orders", open.len() - NAMED), Tint::Bad)]);
    }
}

/// One line, or two where there is no room for it.
pub(super) fn totals(book: &StopBook, width: usize, lines: &mut Vec<StopLine>) {
    let (totals, under_way) = (book.totals(), book.is_under_way());
    let mut orders = vec![
        ("Orders ".to_owned(), Tint::Strong),
        (format!("canceled {}  filled {}  ", totals.canceled, totals.filled), Tint::Plain),
        (format!("errors {}", totals.errors), if totals.errors > 0 { Tint::Bad } else { Tint::Plain }),
    ];
    match (totals.unconfirmed, under_way) {
        (0, _) => {}
        (open, true) => orders.push((format!("  open {open}"), Tint::Warning)),
        (open, false) => orders.push((format!("  NOT CONFIRMED {open}"), Tint::Bad)),
    }
    for (count, what) in [(totals.kept, "kept"), (totals.skipped, "skipped")] {
        if count > 0 {
            orders.push((format!("  {what} {count}"), Tint::Plain));
        }
    }
    if totals.unknown > 0 {
        orders.push((format!("  unknown of {}", plural(totals.unknown as u64, "bot")), Tint::Warning));
    }
    let (flushed, of) = totals.flushed;
    let state = match (of, totals.by_word) {
        (0, _) => "unknown".to_owned(),
        (_, 0) => format!("flushed {flushed}/{of}"),
        (_, said) => format!("flushed {flushed}/{of}, {said} by its word"),
    };
    // A zero is a spoken result: of whom nothing was heard, nobody says it.
    let running = match (totals.running, totals.unheard as u64) {
        (running, 0) => running.to_string(),
        (0, unheard) => format!("unknown of {}", plural(unheard, "bot")),
        (running, unheard) => format!("{running}, unknown of {}", plural(unheard, "bot")),
    };
    let rest = vec![
        ("State ".to_owned(), Tint::Strong),
        (state, if flushed < of { Tint::Warning } else { Tint::Plain }),
        ("  Running ".to_owned(), Tint::Strong),
        (running, if totals.running + totals.unheard > 0 { Tint::Warning } else { Tint::Plain }),
    ];
    if book.bots.iter().all(|bot| bot.deed == Deed::Cancel) {
        // Whose orders alone are canceled goes on: neither its state nor its processes come to an end.
        lines.push(orders);
        return;
    }
    let wide = |parts: &StopLine| parts.iter().map(|(part, _)| text::width(part)).sum::<usize>();
    if wide(&orders) + wide(&rest) + 2 <= width {
        orders.push(("  ".to_owned(), Tint::Plain));
        orders.extend(rest);
        lines.push(orders);
    } else {
        lines.push(orders);
        lines.push(rest);
    }
}

/// How it went, in a few words.
fn outcome(bot: &Watched) -> Option<(String, Tint)> {
    let Some(report) = &bot.report else {
        return bot.told.as_ref().map(|(well, told)| (told.clone(), if *well { Tint::Good } else { Tint::Bad }));
    };
    let (mut words, mut tint) = match (report.outcome, bot.deed) {
        (Some(StopOutcome::Survived), _) => ("NOT STOPPED".to_owned(), Tint::Bad),
        (_, Deed::Restart) if report.restarted => ("restarted".to_owned(), Tint::Good),
        (_, Deed::Restart) => ("stopped, NOT started again".to_owned(), Tint::Bad),
        (Some(StopOutcome::Stopped), _) => ("stopped".to_owned(), Tint::Good),
        (Some(StopOutcome::NotRunning), _) => ("nothing was running".to_owned(), Tint::Good),
        (None, _) => ("goes on".to_owned(), Tint::Plain),
    };
    match bot.orders() {
        Some(orders) if orders.unconfirmed > 0 => {
            _ = write!(words, "; {} NOT CONFIRMED canceled", plural(orders.unconfirmed, "order"));
            tint = Tint::Bad;
        }
        // In dry-run nothing is canceled, whatever is open.
        Some(orders) if orders.skipped > 0 && orders.canceled + orders.filled == 0 => {
            _ = write!(words, "; {} skipped (dry-run)", orders.skipped);
        }
        Some(orders) => {
            _ = write!(words, "; {} canceled, {} filled", orders.canceled, orders.filled);
            for (count, what) in [(orders.skipped, "skipped (dry-run)"), (orders.kept, "kept")] {
                if count > 0 {
                    _ = write!(words, ", {count} {what}");
                }
            }
        }
        None => words.push_str("; orders unknown"),
    }
    match bot.error_count() {
        0 => {}
        errors => {
            _ = write!(words, "; {}", plural(errors, "error"));
            tint = Tint::Bad;
        }
    }
    Some((words, tint))
}

/// How it went, else where it is.
fn standing(model: &Model, bot: &Watched) -> (String, Tint) {
    outcome(bot).unwrap_or_else(|| {
        let tint = if bot.has_trouble() { Tint::Bad } else { Tint::Plain };
        (bot.standing(model.now.mono), tint)
    })
}

/// One bot in a line; a sign stands before the one that is shown in detail.
pub(super) fn summary(model: &Model, book: &StopBook, bot: &Watched, shown: Option<&Watched>) -> StopLine {
    let sign = if shown.is_some_and(|shown| shown.name == bot.name) { model.signs().cursor } else { " " };
    let name = text::fit(bot.name.as_str(), name_width(book), model.signs().more);
    let mode = text::fit(theme::mode(bot.mode, false), 5, "");
    let (words, tint) = standing(model, bot);
    vec![(format!("{sign} {name} {mode} "), Tint::Strong), (words, tint)]
}

fn name_width(book: &StopBook) -> usize {
    book.bots.iter().map(|bot| text::width(bot.name.as_str())).max().unwrap_or(0).min(20)
}

fn stages(bot: &Watched, width: usize, more: &str, lines: &mut Vec<StopLine>) {
    let Some(progress) = &bot.progress else {
        if bot.report.is_none() {
            lines.push(line(&[("asked; nothing was said yet", Tint::Faint)]));
        }
        return;
    };
    lines.extend(progress.stages.iter().map(|seen| stage(seen, width, more)));
}

/// The sign is put in by whoever draws, who knows what the terminal can show.
pub(super) fn stage(seen: &StageSeen, width: usize, more: &str) -> StopLine {
    let number = Stage::ALL.iter().position(|each| *each == seen.stage).unwrap_or_default() + 1;
    let word = text::fit(seen.stage.word(), 7, "");
    let time = seen.took_ms.map(|ms| took(Duration::from_millis(ms))).unwrap_or_default();
    let room = width.saturating_sub(14 + 10);
    let tint = match seen.standing {
        Standing::Failed => Tint::Bad,
        Standing::Ahead | Standing::Skipped => Tint::Faint,
        Standing::UnderWay => Tint::Warning,
        Standing::Done => Tint::Plain,
    };
    vec![
        (String::new(), Tint::Standing(seen.standing)),
        (format!(" {number} {word} "), if tint == Tint::Faint { Tint::Faint } else { Tint::Strong }),
        (text::fit(&seen.text, room, more), tint),
        (format!("{time:>9}"), Tint::Faint),
    ]
}

/// What it says, and below that what was seen. Never one for the other.
pub(super) fn claims_and_evidence(bot: &Watched, width: usize, lines: &mut Vec<StopLine>) {
    let claims = bot.claims();
    let mut said = Vec::new();
    if let Some(canceled) = claims.orders_canceled {
        said.push(format!("orders canceled {canceled}"));
    }
    if let Some(errors) = claims.cancel_errors {
        said.push(format!("cancel errors {errors}"));
    }
    if let Some(flushed) = claims.state_flushed {
        said.push(format!("state flushed {}", if flushed { "True" } else { "False" }));
    }
    let goes_on = bot.deed == Deed::Cancel;
    if !goes_on || !said.is_empty() {
        let said = if said.is_empty() { "nothing of its shutdown".to_owned() } else { said.join(", ") };
        wrapped(vec![("says     ".to_owned(), Tint::Faint), (said, Tint::Faint)], width, lines);
    }

    let mut seen = vec![("seen     ".to_owned(), Tint::Strong)];
    match bot.orders() {
        Some(orders) => {
            let before = match (&bot.chosen, orders.before) {
                (Some(picked), _) => format!("of {} chosen: ", picked.count),
                (None, Some(open)) => format!("of {open} open before: "),
                (None, None) => "? open before: ".to_owned(),
            };
            seen.push((format!("{before}{} canceled, {} filled", orders.canceled, orders.filled), Tint::Plain));
            let open = orders.unconfirmed;
            let tint = if open == 0 { Tint::Plain } else { Tint::Bad };
            seen.push((if open == 0 { ", 0 open".to_owned() } else { format!(", {open} STILL OPEN") }, tint));
            if !orders.verified {
                seen.push((" (unverified)".to_owned(), Tint::Faint));
            }
        }
        None => seen.push(("orders unknown".to_owned(), Tint::Warning)),
    }
    wrapped(seen, width, lines);
    if goes_on {
        return;
    }
    let mut more = vec![("         ".to_owned(), Tint::Plain)];
    match (bot.state_flushed(), bot.state_written()) {
        (Some(false), _) => more.push(("STATE NOT FLUSHED".to_owned(), Tint::Bad)),
        (_, Some(true)) => more.push(("its state file was written since".to_owned(), Tint::Plain)),
        (_, Some(false)) => more.push(("its state file was not written since".to_owned(), Tint::Plain)),
        (_, None) => more.push(("nobody has seen its state".to_owned(), Tint::Plain)),
    }
    let running = bot.running();
    match running.as_slice() {
        [] => {}
        [only] => more.push((format!(", pid {only} LIVES"), Tint::Warning)),
        [first, rest @ ..] => more.push((format!(", pid {first} and {} more LIVE", rest.len()), Tint::Warning)),
    }
    wrapped(more, width, lines);
}

/// Where what it says is not what is.
fn discord(bot: &Watched, lines: &mut Vec<StopLine>) {
    if bot.claims_too_much() {
        lines.push(line(&[("         what it says and what was seen DIFFER", Tint::Bad)]));
    }
    // What it logs last is no exit.
    if bot.claims().state_flushed == Some(true) && !bot.running().is_empty() && bot.report.is_none() {
        lines.push(line(&[("         whatever it says: it lives, so it is still STOPPING", Tint::Warning)]));
    }
}

/// What became of an order that was not canceled although it was to be; nothing if it was.
pub(super) fn unwell(result: &OrderResult) -> Option<String> {
    match result.result {
        CancelResult::Canceled | CancelResult::Filled | CancelResult::Gone => return None,
        // Nobody has tried: what is open of those is told above.
        CancelResult::Refused | CancelResult::Unknown if result.attempts == 0 => return None,
        CancelResult::Refused | CancelResult::Unknown => {}
    }
    let id = result.order_id.as_deref().or(result.client_order_id.as_deref()).unwrap_or("an order without an id");
    let tries = plural(u64::from(result.attempts), "attempt");
    let message = result.message.as_deref().filter(|message| !message.trim().is_empty());
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    Some(text::harmless(&format!("{id} {} after {tries}{message}", result.result.word()).replace(['\r', '\n'], " ")))
}

pub(super) fn errors(bot: &Watched, width: usize, more: &str, lines: &mut Vec<StopLine>) {
    let errors = bot.errors();
    if bot.error_count() > 0 {
        let head = plural(bot.error_count(), "error");
        lines.push(line(&[(&head, Tint::Bad), (", all that was said is kept", Tint::Faint)]));
    }
    for error in errors {
        let rows = text::fold(error, width.saturating_sub(2));
        lines.extend(rows.into_iter().map(|row| vec![(format!("  {row}"), Tint::Bad)]));
    }
    for result in bot.orders().iter().flat_map(|orders| &orders.results) {
        if let Some(row) = unwell(result) {
            lines.push(vec![(format!("  {}", text::cut(&row, width.saturating_sub(2), more)), Tint::Bad)]);
        }
    }
    for note in bot.report.iter().flat_map(|report| &report.notes) {
        let rows = text::fold(note, width.saturating_sub(2));
        lines.extend(rows.into_iter().map(|row| vec![(format!("  {row}"), Tint::Plain)]));
    }
}

/// What the title names: `stop grid-btc`, `kill 3 bots`.
pub fn subject(book: &StopBook) -> String {
    let Some(run) = book.runs.last() else { return String::new() };
    if !run.clusters.is_empty() {
        return format!("{} {}", run.deed.verb().trim_end_matches(" of"), of_clusters(&run.clusters));
    }
    let names: Vec<&BotName> = book.bots.iter().map(|bot| &bot.name).collect();
    match names.as_slice() {
        [only] => format!("{} {only}", run.deed.verb()),
        names => format!("{} {} bots", run.deed.verb(), names.len()),
    }
}

/// How long the slowest has taken so far.
pub fn elapsed(model: &Model) -> Duration {
    let of_bots = model.stops.bots.iter().map(|bot| bot.elapsed(model.now.mono)).max();
    let of_run = |run: &Run| run.over.as_ref().map_or_else(|| model.now.mono.since(run.asked), |over| over.took);
    of_bots.or_else(|| model.stops.runs.iter().map(of_run).max()).unwrap_or_default()
}

/// When the last of them ended.
pub fn ended(book: &StopBook) -> Option<Moment> {
    book.runs.iter().filter_map(|run| Some(run.asked.plus(run.over.as_ref()?.took))).max()
}

/// The first line that can be on top, on the model's own screen.
pub fn furthest(model: &Model) -> usize {
    let (width, rows) = layout::stops_page(model);
    lines(model, width).len().saturating_sub(rows)
}
