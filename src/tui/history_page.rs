//! One entry of the history with all that is known of it, as lines: an event with every field, a run with its events, or
//! a report as people read it.

use std::time::Duration;

use serde_json::Value;

use crate::core::cluster_report::ClusterReport;
use crate::core::event::Event;
use crate::core::history::{Place, RunSeen, What};
use crate::core::report::{BotReport, Report};

use super::history::Opened;
use super::history_news::WholeEntry;
use super::inspect::processes;
use super::layout;
use super::model::Model;
use super::sheet::{Look, Page, when_ago};
use super::text;

/// The first line that is shown when the last one is.
pub fn furthest(model: &Model) -> usize {
    let (width, height) = layout::inspect_page(model);
    lines(model, width).len().saturating_sub(height)
}

/// What stands above it.
pub fn title(opened: &Opened) -> String {
    let what = match &opened.entry.what {
        What::Event { kind, .. } => format!("Event {kind}"),
        What::Run(run) => format!("Run {}", run.run),
        What::Report { action, .. } => format!("Report of {action}"),
    };
    let bot = opened.entry.bot.as_ref().map_or_else(String::new, |bot| format!(" {bot}"));
    text::harmless(&format!("{what}{bot}"))
}

/// Every line, wrapped to so many columns.
pub fn lines(model: &Model, width: usize) -> Vec<(String, Look)> {
    let Some(opened) = &model.history.open else { return Vec::new() };
    let mut page = Page { width, lines: Vec::new() };
    match opened.whole.as_deref() {
        None => page.say(model.history.note().filter(|_| model.history.is_troubled()).unwrap_or("looking ...")),
        Some(WholeEntry::Gone) => page.say_so("It is not there any more: its event file was replaced.", Look::Warning),
        Some(WholeEntry::Event(file, event)) => told(&mut page, model, file, event),
        Some(WholeEntry::Run(run, bot, events)) => ran(&mut page, model, run, bot.as_deref(), events),
        Some(WholeEntry::Report { event: (file, event), bots, clusters, all, trouble }) => {
            let action = event.as_ref().ok().and_then(|event| event.more.get("action")?.as_str()).unwrap_or("stop");
            if let Some(all) = all {
                whole(&mut page, all);
            }
            for bot in bots {
                part(&mut page, action, bot);
            }
            for cluster in clusters {
                chunks(&mut page, action, cluster);
            }
            if let Some(why) = trouble {
                page.say_so(&format!("the report in its folder cannot be read: {why}"), Look::Bad);
            }
            told(&mut page, model, file, event);
        }
    }
    page.lines
}

/// An event with every field; a part that is a report stands above.
fn told(page: &mut Page, model: &Model, file: &str, event: &Result<Event, String>) {
    page.heading("EVENT");
    match event {
        Err(why) => page.say_so(why, Look::Bad),
        Ok(event) => {
            page.say(&event.text);
            page.fact("kind", &event.kind);
            page.fact("bot", event.bot.as_ref().map_or("none: it is the desk's own", |bot| bot.as_str()));
            page.fact("at", when_ago(model, event.at));
            for (key, value) in event.more.iter().filter(|(key, value)| *key != "report" && !value.is_null()) {
                page.fact(key, in_words(value));
            }
        }
    }
    page.put("file", file, Look::Faint);
}

fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            fields.map(|(key, value)| format!("{key} {}", in_words(value))).collect::<Vec<_>>().join(", ")
        }
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn ran(page: &mut Page, model: &Model, run: &RunSeen, bot: Option<&str>, events: &[(Place, String, String)]) {
    page.heading("RUN");
    page.fact("bot", bot.unwrap_or("unknown"));
    page.fact("run", &run.run);
    let at = |nanos: i64| when_ago(model, Place { at: nanos, id: 0 }.time());
    page.fact("started", run.started.map_or_else(|| "not written down: it was adopted".to_owned(), at));
    page.fact("ended", run.ended.map_or_else(|| "no end is written down".to_owned(), at));
    if let Some(lasted) = run.lasted() {
        page.fact("lasted", took(lasted));
    }
    if let Some(exit) = &run.exit {
        page.fact("exit", exit);
    }
    page.fact("last word", &run.last);
    if let Some(failures) = run.failures {
        page.put("failures", &format!("{failures} in a row by then"), Look::Warning);
    }
    page.heading("EVENTS (oldest first)");
    let mut day = String::new();
    for (place, kind, sentence) in events {
        let time = place.time();
        let today = time.strftime("%Y-%m-%d").to_string();
        if today != day {
            page.say_so(&today, Look::Faint);
            day = today;
        }
        page.fact(&time.strftime("%H:%M:%S").to_string(), format!("{kind:9} {sentence}"));
    }
}

/// A time that something took: tenths of a second where that matters.
pub fn took(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        seconds => text::span(seconds),
    }
}

fn whole(page: &mut Page, report: &Report) {
    page.heading(&format!("REPORT OF {}", report.action.to_uppercase()));
    let look = if report.ok { Look::Plain } else { Look::Bad };
    page.say_so(&report.sentence(), look);
    if let Some(summary) = report.summary() {
        page.say(&summary);
    }
    page.put("exit code", &report.exit_code.to_string(), look);
    for (label, value) in [("by", &report.by), ("scope", &report.scope), ("reason", &report.reason)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            page.fact(label, value);
        }
    }
    page.fact("took", took(Duration::from_millis(report.duration_ms)));
    if let Some(latched) = report.latched {
        page.fact("latched", if latched { "yes: nothing starts until it is reset" } else { "no" });
    }
    report.errors.iter().for_each(|error| page.put("error", error, Look::Bad));
    report.notes.iter().for_each(|note| page.fact("note", note));
}

fn part(page: &mut Page, action: &str, bot: &BotReport) {
    page.heading(bot.name.as_str());
    page.say_so(&bot.sentence(action), if bot.survived() { Look::Bad } else { Look::Plain });
    if bot.minded() {
        page.say(&bot.summary(action));
    }
    bot.says_line().iter().for_each(|line| page.say(line));
    bot.seen_line().iter().for_each(|line| page.say(line));
    processes(page, bot);
}

fn chunks(page: &mut Page, action: &str, cluster: &ClusterReport) {
    page.heading(&format!("CHUNKS OF {}", cluster.name));
    page.say(&cluster.told(action));
    cluster.errors.iter().for_each(|error| page.put("error", error, Look::Bad));
    cluster.notes.iter().for_each(|note| page.fact("note", note));
}
