//! Leaving: everything stopped, nothing believed, and the home removed only when nothing lives in it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::io;
use std::time::Duration;

use crate::act;
use crate::act::procedure::StopOrder;
use crate::clock;
use crate::core::bot::{BotName, BotSpec};
use crate::core::code::Code;
use crate::core::report::{BotReport, StopOutcome};
use crate::core::status::LockSeen;
use crate::core::stop::Wish;
use crate::core::summary::NOT_CONFIRMED;
use crate::lock;
use crate::paths::{Home, words};
use crate::process;

use super::place::reach;

/// Somebody may start a bot from another terminal while we stop it: then once more.
const ROUNDS: usize = 2;
/// Keepers have this long to be gone after their bots.
const KEEPERS_GONE: Duration = Duration::from_secs(5);

/// What became of leaving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// What was done, in sentences.
    pub lines: Vec<String>,
    /// Whether something lives that could not be stopped.
    pub survived: bool,
    /// Whether the home is gone.
    pub removed: bool,
}

impl Closing {
    /// Whether nothing is left: no process, no file.
    pub fn is_clean(&self) -> bool {
        !self.survived && self.removed
    }

    /// What a command that closed a desk exits with.
    pub fn code(&self) -> Code {
        match (self.survived, self.removed) {
            (true, _) => Code::Survived,
            (false, false) => Code::Failed,
            (false, true) => Code::Done,
        }
    }
}

/// Stops everything in a home, sees that nothing of it lives, and removes the home.
pub(super) fn put_away(home: &Home, specs: &[BotSpec], wish: Wish, by: &str) -> Closing {
    let mut lines = Vec::new();
    let mut living = BTreeSet::new();
    for round in 0..ROUNDS {
        let names = names(home, specs);
        let reports = act::stop(&StopOrder::new(home, wish, &names, None, by), &mut |_| {}).bots;
        let width = names.iter().map(|name| name.as_str().len()).max().unwrap_or_default();
        lines.extend(
            reports
                .iter()
                .filter(|report| round == 0 || report.outcome != Some(StopOutcome::NotRunning))
                .map(|report| format!("{:width$}  {}", report.name, told(report))),
        );
        living = still_living(home, &names, &reports);
        if living.is_empty() {
            break;
        }
    }
    if !living.is_empty() {
        let who: Vec<String> = living.into_iter().collect();
        lines.push(format!("Not everything ended: {}.", who.join(", ")));
        lines.push(format!("So the home is kept; '{} kill --all' tries again.", reach(home)));
        return Closing { lines, survived: true, removed: false };
    }
    match remove(home) {
        Ok(()) => {
            lines.push(format!("Nothing of it runs any more, and {} is removed.", home.root().display()));
            Closing { lines, survived: false, removed: true }
        }
        Err(error) => {
            let why = words(&error);
            lines.push(format!(
                "Nothing of it runs any more, but {} could not be removed: {why}.",
                home.root().display()
            ));
            Closing { lines, survived: false, removed: false }
        }
    }
}

/// Every bot that the desk was made with, and every other one that left a record in it.
fn names(home: &Home, specs: &[BotSpec]) -> Vec<BotName> {
    let mut names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
    names.extend(home.recorded().unwrap_or_default().into_iter().filter(|name| !specs.iter().any(|s| s.name == *name)));
    names
}

fn told(report: &BotReport) -> String {
    let mut text = match report.outcome {
        None => "was left to run".to_owned(),
        Some(StopOutcome::NotRunning) => "was not running".to_owned(),
        Some(StopOutcome::Survived) => "could not be stopped".to_owned(),
        Some(StopOutcome::Stopped) => match &report.exit {
            Some(exit) => match (exit.code, exit.signal) {
                (Some(code), _) => format!("stopped, exited with {code}"),
                (None, Some(signal)) => format!("stopped, was ended by {signal}"),
                (None, None) => "stopped".to_owned(),
            },
            None => "stopped".to_owned(),
        },
    };
    // Whoever stops such a bot is told of each; here they go with the home, and there is no venue to look at.
    let open = report.orders.as_ref().map_or(0, |orders| orders.unconfirmed);
    match open {
        0 => {}
        1 => text.push_str("; 1 simulated order was left open"),
        _ => _ = write!(text, "; {open} simulated orders were left open"),
    }
    let is_about_one = |error: &&String| error.starts_with(NOT_CONFIRMED);
    for more in report.errors.iter().filter(|error| !is_about_one(error)).chain(&report.notes) {
        text.push_str("; ");
        text.push_str(more);
    }
    text
}

/// What lives, in words: processes with the desk's mark, and keepers that have not left.
fn still_living(home: &Home, names: &[BotName], reports: &[BotReport]) -> BTreeSet<String> {
    let mut living: BTreeSet<String> =
        reports.iter().filter(|report| report.survived()).map(|report| report.name.to_string()).collect();
    for (name, found) in process::marked(home.root()) {
        living.extend(found.into_iter().map(|(pid, _)| format!("{name} (pid {pid})")));
    }
    let until = clock::now().plus(KEEPERS_GONE);
    for name in names {
        let path = home.bot(name).keeper_lock();
        while lock::look(&path) == LockSeen::Held {
            if clock::now() >= until {
                living.insert(format!("the keeper of {name}"));
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    living
}

/// Removes the home, locks and all: it will never be anybody's home again, so nobody can hold "the same" lock on
/// another file.
fn remove(home: &Home) -> io::Result<()> {
    match fs::remove_dir_all(home.root()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
