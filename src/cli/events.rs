//! `events`: what happened, from the event files themselves.

use jiff::tz::TimeZone;
use serde_json::json;

use crate::core::code::Code;
use crate::core::event::Event;
use crate::journal;

use super::args::Scope;
use super::desk::Desk;
use super::output::Output;
use super::scope::known;

/// The last `count` events of the desk and its bots, or of these bots, oldest first.
pub(super) fn run(desk: &Desk, count: usize, bots: &[String], output: Output) -> Code {
    let scope = Scope { bots: bots.to_vec(), all: bots.is_empty(), ..Scope::default() };
    let names = match known(desk, &scope, output) {
        Ok(names) => names,
        Err(why) => {
            output.complain(&why);
            output.object(&json!({ "schema": 1, "ok": false, "exit_code": 2, "events": [], "errors": [why] }));
            return Code::Usage;
        }
    };
    let mut files: Vec<_> = names.iter().map(|name| desk.home.bot(name).events()).collect();
    if bots.is_empty() {
        files.push(desk.home.events());
    }
    let mut events: Vec<Event> = Vec::new();
    let mut code = Code::Done;
    for file in files {
        match journal::last(&file, count) {
            Ok(found) => events.extend(found),
            Err(error) => {
                output.complain(&format!("{}: {}", file.display(), crate::paths::words(&error)));
                code = Code::Failed;
            }
        }
    }
    // Stable: what one file says in order stays in order.
    events.sort_by_key(|event| event.at);
    let events = events.split_off(events.len().saturating_sub(count));
    let zone = TimeZone::system();
    for event in &events {
        let at = event.at.to_zoned(zone.clone()).strftime("%F %T").to_string();
        let bot = event.bot.as_ref().map_or("-", |bot| bot.as_str());
        output.line(&format!("{at}  {bot:<16}  {:<9}  {}", event.kind, event.text));
    }
    output.object(&json!({ "schema": 1, "events": events }));
    code
}
