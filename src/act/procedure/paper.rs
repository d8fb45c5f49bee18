//! What is kept of a stop: the report in the event files of its bots and of the desk, and in its own folder.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde_json::{Map, Value, json};

use crate::core::bot::BotName;
use crate::core::cluster_report::ClusterReport;
use crate::core::code::Code;
use crate::core::event::Kind;
use crate::core::report::{BotReport, Report};
use crate::core::summary::NOT_CONFIRMED;
use crate::journal;
use crate::lock::Lock;
use crate::paths::{Home, make_private, words};
use crate::record::{self, Sync};

use super::order::{EmergencyOrder, StopOrder};

/// What was told of bots so far, in the folder of an emergency stop.
const TOLD: &str = "told";
/// What was told of clusters.
const CLUSTERS_TOLD: &str = "clusters-told";

/// Keeps one bot's report in its event file. That it cannot be kept is an error of the report.
pub(super) fn keep(home: &Home, order: &StopOrder, report: &mut BotReport) {
    let action = order.action();
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
    let code = report.code(order.action());
    let Some(what) = alarming(code, report) else { return };
    let mut more = Map::new();
    more.insert("action".into(), json!(order.action()));
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

/// Writes down what was told of one bot, so that whoever carries on with an emergency stop knows it. That it cannot be
/// written is said with the whole report, which then cannot be written either.
pub(super) fn note_told(home: &Home, id: &str, report: &BotReport) {
    let Ok(mut line) = serde_json::to_vec(report) else { return };
    line.push(b'\n');
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(home.stop(id).join(TOLD));
    let _ = file.and_then(|mut file| file.write_all(&line));
}

/// What was told of bots before whoever told it died.
pub(super) fn told(home: &Home, id: &str) -> Vec<BotReport> {
    let text = std::fs::read(home.stop(id).join(TOLD)).unwrap_or_default();
    let mut told: Vec<BotReport> = Vec::new();
    // A line that a crash tore is no report.
    for report in text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<BotReport>(line).ok()) {
        match told.iter().position(|known| known.name == report.name) {
            Some(at) => {
                let earlier = told.swap_remove(at);
                told.push(report.after(earlier));
            }
            None => told.push(report),
        }
    }
    told
}

/// The same of a cluster: the last line that names it has everything that was told of it before, too.
pub(super) fn note_told_of_cluster(home: &Home, id: &str, report: &ClusterReport) {
    let Ok(mut line) = serde_json::to_vec(report) else { return };
    line.push(b'\n');
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(home.stop(id).join(CLUSTERS_TOLD));
    let _ = file.and_then(|mut file| file.write_all(&line));
}

/// What was told of clusters before whoever told it died.
pub(super) fn told_of_clusters(home: &Home, id: &str) -> Vec<ClusterReport> {
    let text = std::fs::read(home.stop(id).join(CLUSTERS_TOLD)).unwrap_or_default();
    let mut told: Vec<ClusterReport> = Vec::new();
    for report in
        text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<ClusterReport>(line).ok())
    {
        told.retain(|known| known.name != report.name);
        told.push(report);
    }
    told
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

/// The same of an emergency stop: it stands in the desk's events whatever it was about, and what somebody must look at has
/// an event of its own.
pub(super) fn keep_the_whole_of_it(home: &Home, order: &EmergencyOrder, report: &mut Report) {
    if report.no_latch {
        let mut more = Map::new();
        more.insert("action".into(), json!(report.action));
        more.insert("exit_code".into(), json!(report.exit_code));
        more.insert("stop".into(), json!(order.id));
        let text = "ALERT: THE LATCH COULD NOT BE WRITTEN: anything may be started again";
        if let Err(error) = journal::append(&home.events(), &journal::event(None, Kind::Alert, text, more)) {
            report.add_error(format!("the alert cannot be kept in the desk's events: {}", words(&error)));
        }
    }
    if report.bots.len() == 1 {
        keep_in_the_desks_events(home, &order.id, report);
    }
    keep_whole(home, &order.id, report);
}

/// The folder of a stop, and its lock. What cannot be made is done without: the bots come first.
pub(super) fn make_folder(home: &Home, id: &str) -> Option<Lock> {
    let folder = home.stop(id);
    make_private(&home.stops()).and_then(|()| make_private(&folder)).ok()?;
    Lock::take(&folder.join("lock")).ok().flatten()
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
