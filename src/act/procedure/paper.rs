//! What is kept of a stop: the report in the event files of its bots and of the desk, and in its own folder.

use std::io;

use serde_json::{Map, Value, json};

use crate::core::bot::BotName;
use crate::core::code::Code;
use crate::core::event::Kind;
use crate::core::report::{BotReport, Report};
use crate::core::summary::NOT_CONFIRMED;
use crate::journal;
use crate::paths::{Home, make_private, words};
use crate::record::{self, Sync};

use super::order::StopOrder;

/// Keeps one bot's report in its event file. That it cannot be kept is an error of the report.
pub(super) fn keep(home: &Home, order: &StopOrder, report: &mut BotReport) {
    let action = order.work.word();
    let kept = report_json(report).and_then(|value| {
        let mut more = Map::new();
        more.insert("action".into(), json!(action));
        more.insert("by".into(), json!(order.by));
        more.insert("exit_code".into(), json!(report.code(action).number()));
        more.insert("stop".into(), json!(order.id));
        more.insert("report".into(), value);
        tell(home, Some(&report.name), report.line(action), more)
    });
    if let Err(error) = kept {
        let why = format!("the report cannot be kept in its events: {}", words(&error));
        report.errors.push(why);
    }
    alert(home, order, report);
}

/// What somebody must look at now has an event of its own, whoever is told of it one day.
fn alert(home: &Home, order: &StopOrder, report: &mut BotReport) {
    let code = report.code(order.work.word());
    let Some(what) = alarming(code, report) else { return };
    let mut more = Map::new();
    more.insert("action".into(), json!(order.work.word()));
    more.insert("exit_code".into(), json!(code.number()));
    more.insert("stop".into(), json!(order.id));
    let event = journal::event(Some(&report.name), Kind::Alert, what, more);
    if let Err(error) = journal::append(&home.bot(&report.name).events(), &event) {
        report.errors.push(format!("the alert cannot be kept in its events: {}", words(&error)));
    }
}

fn alarming(code: Code, report: &BotReport) -> Option<String> {
    let first = || report.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
    let named = || {
        let named = report.errors.iter().find(|error| error.starts_with(NOT_CONFIRMED));
        named.map_or_else(first, |error| format!(": {error}"))
    };
    match code {
        Code::Survived => Some(format!("ALERT: it was to be stopped and something of it lives{}", first())),
        Code::OrderOpen => {
            let open = report.orders.as_ref().map_or(0, |orders| orders.unconfirmed);
            Some(format!(
                "ALERT: {open} of its orders not confirmed canceled{}",
                named().replacen(NOT_CONFIRMED, "", 1)
            ))
        }
        Code::NotAsked => Some(format!("ALERT: nobody knows whether it has open orders{}", first())),
        Code::NotFlushed => Some(format!("ALERT: its state is not on disk{}", first())),
        Code::Done
        | Code::Failed
        | Code::Usage
        | Code::LatchStands
        | Code::NotReady
        | Code::StillWorking
        | Code::NoLatch
        | Code::Latched
        | Code::NotPermitted => None,
    }
}

/// Keeps the whole report in the desk's events, and in the folder of this stop.
pub(super) fn keep_whole(home: &Home, id: &str, report: &mut Report) {
    // What is about one bot alone stands in its own events.
    if report.bots.len() != 1 {
        keep_in_the_desks_events(home, id, report);
    }
    let folder = home.stop(id);
    // Whole or not at all: whoever looks at it may come at any moment.
    let kept = make_private(&home.stops()).and_then(|()| make_private(&folder)).and_then(|()| {
        let text = serde_json::to_vec(report)?;
        record::replace(&folder.join("report.json"), &text, Sync::Later)
    });
    if let Err(error) = kept {
        report.add_error(format!("the report cannot be kept in {}: {}", folder.display(), words(&error)));
    }
}

fn keep_in_the_desks_events(home: &Home, id: &str, report: &mut Report) {
    let mut more = Map::new();
    more.insert("action".into(), json!(report.action));
    more.insert("by".into(), json!(report.by));
    more.insert("exit_code".into(), json!(report.exit_code));
    more.insert("stop".into(), json!(id));
    // Each bot's part stands in its own events.
    more.insert("bots".into(), json!(report.bots.iter().map(|bot| &bot.name).collect::<Vec<_>>()));
    if let Err(error) = tell(home, None, report.sentence(), more) {
        report.add_error(format!("the report cannot be kept in the desk's events: {}", words(&error)));
    }
}

fn tell(home: &Home, bot: Option<&BotName>, text: String, more: Map<String, Value>) -> io::Result<()> {
    let event = journal::event(bot, Kind::Report, text, more);
    match bot {
        Some(name) => journal::append(&home.bot(name).events(), &event),
        None => journal::append(&home.events(), &event),
    }
}

fn report_json(report: &BotReport) -> io::Result<Value> {
    serde_json::to_value(report).map_err(io::Error::other)
}
