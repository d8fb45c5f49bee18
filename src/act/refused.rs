//! What was refused is remembered too: who asked for what, and why it was not done. What cannot be written has been said to
//! whoever asked.

use serde_json::{Map, Value, json};

use crate::core::bot::BotName;
use crate::core::event::{Event, Kind};
use crate::core::report::LATCHED;
use crate::journal;
use crate::paths::Home;
use crate::who;

/// Remembers that something was refused to one bot.
pub(super) fn remember(home: &Home, name: &BotName, action: &str, by: &str, why: &str) {
    let bot = home.bot(name);
    let event = refusal(Some(name), action, by, why);
    let _ = bot.make().and_then(|()| journal::append(&bot.events(), &event));
}

/// Remembers that the emergency stop stood against what was asked for, in the events of every bot that was named.
pub fn latch_refuses(home: &Home, action: &str, names: &[BotName], by: &str) {
    for name in names {
        remember(home, name, action, by, LATCHED);
    }
}

/// Remembers it of an `up`, in the desk's events: once, however often a timer asks.
pub fn latch_refuses_up(home: &Home, by: &str) {
    let event = refusal(None, "up", by, LATCHED);
    let is_the_same = |last: &Event| (&last.kind, &last.text) == (&event.kind, &event.text);
    let last = journal::last(&home.events(), 1).unwrap_or_default();
    if !last.last().is_some_and(is_the_same) {
        let _ = journal::append(&home.events(), &event);
    }
}

fn refusal(name: Option<&BotName>, action: &str, by: &str, why: &str) -> Event {
    let mut more: Map<String, Value> = Map::new();
    more.insert("action".into(), json!(action));
    more.insert("by".into(), json!(by));
    more.insert("tty".into(), json!(who::tty()));
    journal::event(name, Kind::Refused, format!("{by} asked for: {action}; refused: {why}"), more)
}
