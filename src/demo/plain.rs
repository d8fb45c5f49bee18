//! The paper desk without a terminal (in a pipe, in CI): it comes to life, says what is seen, and goes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use jiff::Zoned;

use crate::clock;
use crate::core::bot::BotName;
use crate::core::code::Code;
use crate::core::report::StartOutcome;
use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::survey::Surveyor;
use crate::who;

use super::desk::PaperDesk;

/// How long the desk is shown where nobody can say when to leave: long enough for every bot to be ready.
pub const PLAIN_TIME: Duration = Duration::from_secs(12);

/// So often is it looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Starts a desk, prints what is seen of it for a time (or until a signal asks us to leave), and closes it.
pub fn plain(mut desk: PaperDesk, time: Duration) -> Code {
    let bots = desk.specs().len();
    say(&format!(
        "A paper desk of {bots} simulated bots in {}. No order of theirs is real.",
        desk.home().root().display()
    ));
    say(&format!("{} Here that is in {} s.", PaperDesk::LEAVE_NOTE, time.as_secs()));
    say(&format!("From another terminal: {} status", desk.reach()));
    desk.notes().iter().for_each(|note| say(note));
    say("");
    let width = desk.specs().iter().map(|spec| spec.name.as_str().len()).max().unwrap_or_default();
    let mut started = Code::Done;
    for bot in desk.start(&who::asks()) {
        say(&format!("{:width$}  {}", bot.name, bot.message));
        match bot.outcome {
            StartOutcome::Started
            | StartOutcome::Adopted
            | StartOutcome::AlreadyRunning
            | StartOutcome::StillStarting => {}
            StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => started = Code::Failed,
        }
    }
    say("");
    watch(&desk, time, width);
    say("");
    say("Leaving: every bot is told to stop, and nothing is called stopped before it was seen gone.");
    let closing = desk.close();
    closing.lines.iter().for_each(|line| say(line));
    Code::worst([started, closing.code()])
}

/// Prints every bot once, and then whatever changes.
fn watch(desk: &PaperDesk, time: Duration, width: usize) {
    let mut surveyor = Surveyor::new(desk.home().clone());
    let mut before: BTreeMap<BotName, State> = BTreeMap::new();
    let until = clock::now().plus(time);
    loop {
        for bot in surveyor.look(desk.specs()) {
            if before.insert(bot.name.clone(), bot.state) != Some(bot.state) {
                say(&format!("{}  {:width$}  {}", Zoned::now().strftime("%H:%M:%S"), bot.name, told(&bot)));
            }
        }
        if desk.interrupted() {
            say("A signal asks us to leave.");
            return;
        }
        let left = until.since(clock::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(LOOK_EVERY));
    }
}

fn told(bot: &BotStatus) -> String {
    let pid = bot.pid.map_or_else(String::new, |pid| format!(" (pid {pid})"));
    let note = if bot.note.is_empty() { String::new() } else { format!(": {}", bot.note) };
    format!("{}{pid}{note}", bot.state)
}

/// Prints a line. That nobody listens any more is no reason to leave the desk standing.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
