//! Starting: refused while anything of the last run lives, and believed only when the bot executes.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::client::Client;
use crate::clock;
use crate::core::bot::{BotName, BotSpec, Ready};
use crate::core::moment::Moment;
use crate::core::protocol::{Request, Snapshot};
use crate::core::report::{StartOutcome, StartedBot};
use crate::core::state::State;
use crate::core::status::{LockSeen, Voice};
use crate::core::words::masked;
use crate::latch;
use crate::launch::{Begin, Launch, Launched, Searched, Word, launch};
use crate::lock;
use crate::logs::harmless::harmless;
use crate::logs::read::LogSet;
use crate::paths::{Home, words};
use crate::record;
use crate::search::{Elsewhere, Finding};
use crate::survey::{Marked, Pass, Sight, see_all};
use crate::who;

use super::refused::remember;
use super::{audit, whole_desk};

/// What a start is told while somebody cancels what the last run has left open: nobody could tell the new run's orders
/// from those.
const BEING_CANCELED: &str = "what its last run has left open is being canceled; start it when that is done";

/// Lines of a bot's output that are shown when its start went wrong.
const LAST_LINES: u64 = 5;

/// Starts bots, all at once, and waits until each is ready, has failed, or `wait` is over. One entry a bot, in order.
pub fn start(home: &Home, specs: &[BotSpec], by: &str, wait: Duration) -> Vec<StartedBot> {
    start_for(home, specs, Reason::Asked, by, wait)
}

/// Why a bot is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Somebody asks for it: that it was not to be running is taken back.
    Asked,
    /// It should be running: a stop that came in between stands, and whatever is under way is left alone.
    Due,
}

/// The same, for either reason.
pub(super) fn start_for(home: &Home, specs: &[BotSpec], reason: Reason, by: &str, wait: Duration) -> Vec<StartedBot> {
    let until = clock::now().plus(wait);
    let under_way = begin(home, specs, reason, by);
    for (begun, spec) in under_way.iter().zip(specs) {
        if let Begun::Done(entry) = begun
            && matches!(entry.outcome, StartOutcome::Refused | StartOutcome::Latched)
            && reason == Reason::Asked
        {
            remember(home, &spec.name, "start", by, &entry.message);
        }
    }
    under_way.into_iter().zip(specs).map(|(begun, spec)| finish(home, spec, begun, until)).collect()
}

/// A start that was begun.
pub(super) enum Begun {
    /// There is nothing more to wait for.
    Done(StartedBot),
    /// Its keeper was launched.
    Launched(Launched),
    /// Somebody else's keeper has it, and it is not running yet.
    Watched,
}

/// Launches every keeper before the first is waited for.
fn begin(home: &Home, specs: &[BotSpec], reason: Reason, by: &str) -> Vec<Begun> {
    if latch::is_latched(home) {
        return specs
            .iter()
            .map(|spec| Begun::Done(entry(spec, StartOutcome::Latched, None, "the emergency stop is latched")))
            .collect();
    }
    let pass = Pass::make(home, &whole_desk(home, specs));
    if let Some(why) = &pass.trouble {
        // Nobody can say that no copy runs.
        return specs.iter().map(|spec| Begun::Done(entry(spec, StartOutcome::Refused, None, why))).collect();
    }
    let names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
    let families = families(home, &names, &pass.marked);
    see_all(home, &names, &pass.marked)
        .into_iter()
        .zip(specs)
        .map(|(sight, spec)| match relative_that_lives(&families, &spec.name) {
            Some(other) => Begun::Done(entry(
                spec,
                StartOutcome::Refused,
                None,
                &format!("{other} is not at rest, and the two never run together; stop it first"),
            )),
            None => begin_one(home, spec, &sight, &pass, reason, by),
        })
        .collect()
}

fn begin_one(home: &Home, spec: &BotSpec, sight: &Sight, pass: &Pass, reason: Reason, by: &str) -> Begun {
    let verdict = &sight.verdict;
    let pid = verdict.pid;
    match verdict.state {
        State::Running => {
            if reason == Reason::Asked && sight.evidence.down.is_some() {
                // A stop that did not come to its end left the mark; whoever starts it wants it to run.
                let _ = record::clear_down(&home.bot(&spec.name));
            }
            Begun::Done(entry(spec, StartOutcome::AlreadyRunning, pid, &already(pid)))
        }
        State::Starting => Begun::Watched,
        State::Backoff | State::Stopping if reason == Reason::Due => Begun::Done(entry(
            spec,
            StartOutcome::AlreadyRunning,
            pid,
            &format!("its keeper has it: {}", verdict.state),
        )),
        State::Backoff => match Client::call(&home.bot(&spec.name)).and_then(|mut client| {
            client.ask(&Request::Retry { by: by.to_owned(), spec: Some(Box::new(spec.clone())) })
        }) {
            Ok(()) => Begun::Watched,
            Err(trouble) => Begun::Done(entry(spec, StartOutcome::Failed, None, &trouble.to_string())),
        },
        State::Stopping => {
            Begun::Done(entry(spec, StartOutcome::Refused, pid, "it is being stopped; start it when it has ended"))
        }
        State::Orphaned | State::Unknown => {
            Begun::Done(entry(spec, StartOutcome::Refused, pid, &format!("{}: {}", verdict.state, verdict.note)))
        }
        State::Stopped | State::Exited | State::Crashed | State::Failed
            if lock::look(&home.bot(&spec.name).cancel_lock()) == LockSeen::Held =>
        {
            let outcome = if reason == Reason::Due { StartOutcome::AlreadyRunning } else { StartOutcome::Refused };
            Begun::Done(entry(spec, outcome, None, BEING_CANCELED))
        }
        State::Stopped | State::Exited | State::Crashed | State::Failed => match pass.strays(&spec.name).as_slice() {
            [] => match pass.elsewhere(&spec.name).as_slice() {
                [] => launch_one(home, spec, sight, reason, by),
                others => Begun::Done(entry(spec, StartOutcome::Refused, Some(others[0].pid), &in_other_trees(others))),
            },
            strays => Begun::Done(entry(spec, StartOutcome::Refused, Some(strays[0].pid), &beside(strays))),
        },
    }
}

fn launch_one(home: &Home, spec: &BotSpec, sight: &Sight, reason: Reason, by: &str) -> Begun {
    let bot = home.bot(&spec.name);
    // What cannot be written here will be refused by the keeper, with the reason.
    let _ = audit(home, &spec.name, "start", by, who::tty().as_deref());
    if reason == Reason::Asked
        && let Err(error) = record::clear_down(&bot)
    {
        let why = format!("cannot remove {}: {}", bot.down().display(), words(&error));
        return Begun::Done(entry(spec, StartOutcome::Failed, None, &why));
    }
    let searched = Searched { run: sight.record().map(|record| record.run.clone()) };
    match launch(home, spec, Begin::Start { searched: Some(searched) }, by) {
        Ok(launched) => Begun::Launched(launched),
        Err(why) => Begun::Done(entry(spec, StartOutcome::Failed, None, &why)),
    }
}

/// Waits for what becomes of a start.
pub(super) fn finish(home: &Home, spec: &BotSpec, begun: Begun, until: Moment) -> StartedBot {
    match begun {
        Begun::Done(entry) => entry,
        Begun::Watched => watch(home, spec, until),
        Begun::Launched(mut launched) => match launched.wait(until) {
            Launch::Said(Word::Ready, pid) => {
                let words = match spec.ready {
                    Ready::Executing => "started",
                    Ready::Notify | Ready::Alive(_) => "started and ready",
                };
                let message = pid.map_or(words.to_owned(), |pid| format!("{words} (pid {pid})"));
                entry(spec, StartOutcome::Started, pid, &message)
            }
            Launch::Said(Word::Failed { why, .. }, _) => {
                let output = last_output(home, &spec.name);
                entry(spec, StartOutcome::Failed, None, &format!("{why}{output}"))
            }
            Launch::Said(Word::Taken, _) => watch(home, spec, until),
            Launch::Said(Word::Latched, _) => entry(spec, StartOutcome::Latched, None, "the emergency stop is latched"),
            Launch::Said(Word::Executing { .. } | Word::AtRest, pid) | Launch::Waiting(pid) => {
                entry(spec, StartOutcome::StillStarting, pid, "it executes and is not ready yet; it goes on starting")
            }
            Launch::Died => entry(spec, StartOutcome::Failed, None, "its keeper died before the bot was ready"),
        },
    }
}

/// Waits for a bot that somebody else's keeper is starting.
fn watch(home: &Home, spec: &BotSpec, until: Moment) -> StartedBot {
    let bot = home.bot(&spec.name);
    let mut last: Option<Snapshot> = None;
    loop {
        let left = until.since(clock::now());
        if left.is_zero() {
            let pid = last.and_then(|snapshot| snapshot.pid);
            return entry(spec, StartOutcome::StillStarting, pid, "it is not ready yet; it goes on starting");
        }
        // A keeper has its lock before it has its socket: until then there is nobody to call.
        let Ok(mut client) = Client::call(&bot) else {
            let sight = crate::survey::see(home, &spec.name, &Marked::default());
            if sight.verdict.state.is_at_rest() {
                let why =
                    format!("it was being started by somebody else and did not come to run: {}", sight.verdict.note);
                return entry(spec, StartOutcome::Failed, None, &why);
            }
            std::thread::sleep(Duration::from_millis(5));
            continue;
        };
        if client.watch().is_err() {
            continue;
        }
        while let Ok(snapshot) = client.next(until.since(clock::now())) {
            let Some(snapshot) = snapshot else { break };
            match snapshot.state {
                State::Running => {
                    return entry(spec, StartOutcome::AlreadyRunning, snapshot.pid, &already(snapshot.pid));
                }
                State::Starting => last = Some(snapshot),
                State::Stopping
                | State::Stopped
                | State::Exited
                | State::Crashed
                | State::Backoff
                | State::Failed
                | State::Orphaned
                | State::Unknown => {
                    let why = snapshot.last_exit.map_or_else(
                        || format!("it is {}", snapshot.state),
                        |last| format!("it {}, and is {} now", last.exit, snapshot.state),
                    );
                    return entry(spec, StartOutcome::Failed, None, &why);
                }
            }
        }
    }
}

/// Why nothing is started beside strays.
fn beside(strays: &[&Finding]) -> String {
    let who: Vec<String> =
        strays.iter().map(|stray| format!("pid {} ({})", stray.pid, masked(&stray.command))).collect();
    let who = who.join(", ");
    let others: Vec<&str> = strays.iter().flat_map(|stray| &stray.shared_with).map(BotName::as_str).collect();
    if !others.is_empty() {
        return format!("{who} may be its own or that of {}: stop them together", others.join(", "));
    }
    if strays.len() == 1 {
        format!("{who} looks like it and was not started here: 'botwarden adopt' keeps it, 'botwarden stop' ends it")
    } else {
        format!("{who} look like it and were not started here: 'botwarden stop' ends them")
    }
}

/// Why nothing is started beside what lives in the trees of others.
fn in_other_trees(others: &[&Elsewhere]) -> String {
    let words: Vec<String> = others.iter().map(|other| format!("{other}: stop {} first", other.bot)).collect();
    words.join("; ")
}

fn already(pid: Option<i32>) -> String {
    pid.map_or("already running".to_owned(), |pid| format!("already running (pid {pid})"))
}

fn entry(spec: &BotSpec, outcome: StartOutcome, pid: Option<i32>, message: &str) -> StartedBot {
    StartedBot { name: spec.name.clone(), outcome, pid, message: message.to_owned() }
}

/// The last lines a bot wrote, set off from the sentence before them.
fn last_output(home: &Home, name: &BotName) -> String {
    let Ok(text) = last_bytes(&home.bot(name).log_dir()) else { return String::new() };
    String::from_utf8_lossy(&text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .fold(String::new(), |output, line| format!("{output}\n    | {}", harmless(line.as_bytes())))
}

fn last_bytes(folder: &Path) -> io::Result<Vec<u8>> {
    const MOST: usize = 8 << 10;
    let mut logs = LogSet::open(folder)?;
    let from = logs.tail(LAST_LINES)?;
    let mut reader = logs.reader(from);
    let mut text = vec![0; MOST];
    let read = reader.peek(&mut text)?;
    text.truncate(read);
    Ok(text)
}

/// The recorded relatives of each bot: `momentum` and `momentum@N` never run together.
fn families(home: &Home, names: &[BotName], marked: &Marked) -> HashMap<BotName, Vec<Sight>> {
    let recorded = home.recorded().unwrap_or_default();
    names
        .iter()
        .map(|name| {
            let relatives: Vec<BotName> = recorded
                .iter()
                .filter(|other| other.base() == name.base() && other.instance().is_some() != name.instance().is_some())
                .cloned()
                .collect();
            (name.clone(), if relatives.is_empty() { Vec::new() } else { see_all(home, &relatives, marked) })
        })
        .collect()
}

fn relative_that_lives(families: &HashMap<BotName, Vec<Sight>>, name: &BotName) -> Option<BotName> {
    families
        .get(name)?
        .iter()
        .find(|sight| !sight.verdict.state.is_at_rest() || matches!(sight.evidence.voice, Voice::Said(_)))
        .map(|sight| sight.name.clone())
}
