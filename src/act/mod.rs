//! What an operator does to bots, as the command line and the screen both do it: written down first, then asked of the
//! keepers, then watched until evidence says that it is done.

mod adopt;
pub mod cluster;
pub mod emergency;
pub mod procedure;
mod refused;
mod start;
mod stop;
mod up;

use serde_json::{Map, json};

use crate::config::last_good;
use crate::core::bot::{BotName, BotSpec};
use crate::core::event::Kind;
use crate::journal;
use crate::paths::Home;
use crate::who;

pub use adopt::{NOTHING_TO_ADOPT, adopt};
pub use refused::{latch_refuses, latch_refuses_up};
pub use start::start;
pub use stop::stop;
pub use up::up;

/// `start` waits this long for a bot to be ready, and then says that it still starts.
pub const START_WAIT: std::time::Duration = crate::core::bot::READY_LIMIT;

/// These bots, and the others of the last good configuration: whose a process is depends on all of a desk.
fn whole_desk(home: &Home, specs: &[BotSpec]) -> Vec<BotSpec> {
    let others = last_good::read(home).map(|config| config.bots).unwrap_or_default();
    let mut all = specs.to_vec();
    all.extend(others.into_iter().filter(|other| !specs.iter().any(|spec| spec.name == other.name)));
    all
}

/// A press of the emergency stop that mattered, for the desk's events.
struct Press<'a> {
    action: &'a str,
    by: &'a str,
    tty: Option<&'a str>,
    reason: Option<&'a str>,
    /// Which of its own fields it has beside those.
    also: (&'a str, Option<&'a str>),
}

/// Writes down a press that mattered.
fn remember_press(home: &Home, press: &Press<'_>, text: String) -> std::io::Result<()> {
    let mut more = Map::new();
    more.insert("action".into(), json!(press.action));
    more.insert("by".into(), json!(press.by));
    more.insert("tty".into(), json!(press.tty));
    more.insert("host".into(), json!(who::host()));
    more.insert("reason".into(), json!(press.reason));
    more.insert(press.also.0.into(), json!(press.also.1));
    journal::append(&home.events(), &journal::event(None, Kind::Estop, text, more))
}

/// Writes down who asked for what, at this terminal. That it cannot be written is a phrase for the report.
fn audit(home: &Home, name: &BotName, action: &str, by: &str, tty: Option<&str>) -> Option<String> {
    let mut more = Map::new();
    more.insert("action".into(), json!(action));
    more.insert("by".into(), json!(by));
    more.insert("tty".into(), json!(tty));
    let event = journal::event(Some(name), Kind::Asked, format!("{by} asked for: {action}"), more);
    let bot = home.bot(name);
    bot.make()
        .and_then(|()| journal::append(&bot.events(), &event))
        .err()
        .map(|error| format!("cannot write to its events: {}", crate::paths::words(&error)))
}
