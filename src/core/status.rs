//! What may be said of a bot, given what was seen. The one place that decides it.

use serde::Serialize;

use super::bot::{BotName, Mode};
use super::exit::Exit;
use super::lifecycle::{Outcome, Refusal};
use super::protocol::Snapshot;
use super::record::{Down, Ending, RunRecord};
use super::signal::Signal;
use super::state::State;

/// What was seen of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockSeen {
    /// Somebody holds it.
    Held,
    /// Nobody does, or there is no such file.
    Free,
    /// It could not be asked; the text says why.
    Unreadable(String),
}

/// What a keeper said when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// There was nobody to ask.
    NotAsked,
    /// It answered.
    Said(Box<Snapshot>),
    /// It did not answer in time; the text says how that showed.
    Silent(String),
    /// It lives and cannot be talked to: it is of another version, hangs up, or has lost its socket.
    Foreign(String),
}

/// What was read of the run record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordSeen {
    /// There is none: the bot never ran.
    None,
    /// This.
    Read(Box<RunRecord>),
    /// It is there and cannot be understood; the text says why.
    Unreadable(String),
}

/// Everything that was seen of one bot, at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `keeper.lock`.
    pub keeper_lock: LockSeen,
    /// `bot.lock`, which the bot inherits.
    pub bot_lock: LockSeen,
    /// The keeper, asked over its socket.
    pub voice: Voice,
    /// `run.json`.
    pub record: RecordSeen,
    /// Whether the record's process lives: same number, start time, boot and namespace.
    pub main_alive: bool,
    /// Living processes that carry this bot's mark in their environment, or are in its control group.
    pub marked: Vec<i32>,
    /// `down`.
    pub down: Option<Down>,
}

/// What may be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The state.
    pub state: State,
    /// The state it was in when it was last seen for sure; only beside [`State::Unknown`].
    pub was: Option<State>,
    /// The living main process, as far as it is known.
    pub pid: Option<i32>,
    /// A short sentence for the operator; empty if there is nothing to add.
    pub note: String,
}

/// Decides from the evidence.
pub fn decide(seen: &Evidence) -> Verdict {
    match (&seen.keeper_lock, &seen.bot_lock) {
        (LockSeen::Unreadable(why), _) | (_, LockSeen::Unreadable(why)) => unknown(seen, why.clone()),
        (LockSeen::Held, _) => match &seen.voice {
            Voice::Said(snapshot) => said(snapshot, seen),
            Voice::Silent(why) | Voice::Foreign(why) => unknown(seen, why.clone()),
            Voice::NotAsked => unknown(seen, "its keeper was not asked".into()),
        },
        (LockSeen::Free, LockSeen::Held) => orphaned(seen),
        (LockSeen::Free, LockSeen::Free) => {
            if let (RecordSeen::None, [first, ..]) = (&seen.record, seen.marked.as_slice()) {
                // Another folder may have stood here: who keeps it cannot be said.
                let who = processes(*first, seen.marked.len());
                unknown(seen, format!("{who} says it is of this bot, and this home has no record of it"))
            } else if seen.main_alive || !seen.marked.is_empty() {
                orphaned(seen)
            } else {
                at_rest(seen)
            }
        }
    }
}

fn unknown(seen: &Evidence, note: String) -> Verdict {
    let was = match &seen.record {
        RecordSeen::Read(record) if record.ended.is_none() => Some(State::Running),
        RecordSeen::Read(_) | RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    Verdict { state: State::Unknown, was, pid: living_pid(seen), note }
}

/// What the note of a bot says whose ladder is at its end while something of it lives.
pub const WILL_NOT_END: &str = "will not end";

/// What a note says of an orphan of which only children live.
pub const MAIN_GONE: &str = "its main process is gone";

/// The note says what is; what can be done about it depends on who reads it: see [`super::words`].
fn orphaned(seen: &Evidence) -> Verdict {
    let note = if seen.down.is_some() {
        "no keeper, and it is not to be running".to_owned()
    } else if seen.main_alive {
        "no keeper".to_owned()
    } else if let [first, ..] = seen.marked.as_slice() {
        format!("no keeper; {MAIN_GONE}, {} lives on", processes(*first, seen.marked.len()))
    } else {
        "no keeper; something holds its lock".to_owned()
    };
    Verdict { state: State::Orphaned, was: None, pid: living_pid(seen).or(seen.marked.first().copied()), note }
}

fn processes(first: i32, count: usize) -> String {
    if count == 1 { format!("pid {first}") } else { format!("pid {first} and {} more", count - 1) }
}

fn living_pid(seen: &Evidence) -> Option<i32> {
    match &seen.record {
        RecordSeen::Read(record) if seen.main_alive => record.process.as_ref().map(|process| process.pid),
        RecordSeen::Read(_) | RecordSeen::None | RecordSeen::Unreadable(_) => None,
    }
}

fn said(snapshot: &Snapshot, seen: &Evidence) -> Verdict {
    let note = match snapshot.state {
        State::Backoff => {
            let next = snapshot.next_try_in_ms.map_or(String::new(), |ms| format!("retry in {}", seconds(ms)));
            match &snapshot.last_exit {
                Some(last) => format!("{next} ({})", last.exit),
                None => next,
            }
        }
        State::Stopping if snapshot.survived => {
            let alive: Vec<i32> = snapshot.processes.iter().filter(|p| p.alive).map(|p| p.pid).collect();
            match alive.as_slice() {
                [] => format!("what is left of it {WILL_NOT_END}"),
                [first, ..] => format!("{} {WILL_NOT_END}", processes(*first, alive.len())),
            }
        }
        State::Stopping => match (snapshot.next_signal, snapshot.next_signal_in_ms) {
            (Some(signal), Some(ms)) => format!("{signal} in {}", seconds(ms)),
            (Some(_) | None, _) => String::new(),
        },
        State::Starting => match snapshot.ready_limit_ms {
            Some(limit) => format!("not ready yet {}/{}s", snapshot.state_age_ms / 1000, limit.div_ceil(1000)),
            None => "about to execute".to_owned(),
        },
        State::Running
        | State::Stopped
        | State::Exited
        | State::Crashed
        | State::Failed
        | State::Orphaned
        | State::Unknown => match (&seen.down, &snapshot.says) {
            (Some(_), _) if snapshot.state == State::Running => "running although it is marked down".to_owned(),
            (None, None) if is_stray(seen) => "adopted; its output stays where it was".to_owned(),
            (_, Some(says)) => format!("says: {says}"),
            (_, None) => String::new(),
        },
    };
    let note = match &snapshot.warning {
        Some(warning) if note.is_empty() => warning.clone(),
        Some(warning) => format!("{warning}; {note}"),
        None => note,
    };
    Verdict { state: snapshot.state, was: None, pid: snapshot.pid, note }
}

fn is_stray(seen: &Evidence) -> bool {
    match &seen.record {
        RecordSeen::Read(record) => record.stray,
        RecordSeen::None | RecordSeen::Unreadable(_) => false,
    }
}

/// Seconds as a person reads a countdown: whole ones, rounded up.
fn seconds(ms: u64) -> String {
    format!("{} s", ms.div_ceil(1000))
}

fn at_rest(seen: &Evidence) -> Verdict {
    let stopped_by = |down: &Down| {
        if down.by.is_empty() { "stopped on request".to_owned() } else { format!("stopped by {}", down.by) }
    };
    let record = match &seen.record {
        RecordSeen::None => {
            let note = seen.down.as_ref().map(stopped_by).unwrap_or_default();
            return Verdict { state: State::Stopped, was: None, pid: None, note };
        }
        // Whether the process it named is gone cannot be said.
        RecordSeen::Unreadable(why) => {
            let note = format!("{why}; if nothing of it lives, remove that file");
            return Verdict { state: State::Unknown, was: None, pid: None, note };
        }
        RecordSeen::Read(record) => record,
    };
    let (state, note) = match &record.ended {
        Some(ended) => match &ended.outcome {
            Ending::Final(Outcome::Stopped) => {
                (State::Stopped, seen.down.as_ref().map_or("stopped with its keeper".to_owned(), stopped_by))
            }
            Ending::Final(Outcome::Exited) => (State::Exited, String::new()),
            Ending::Final(Outcome::Crashed) => (State::Crashed, ended.exit.to_string()),
            Ending::Final(Outcome::Failed) => {
                (State::Failed, format!("breaker open ({}); restart closes it", ended.exit))
            }
            Ending::Final(Outcome::Refused(why)) => (
                State::Stopped,
                match why {
                    Refusal::Down => seen.down.as_ref().map(stopped_by).unwrap_or_default(),
                    Refusal::Latched => "the emergency stop is latched".to_owned(),
                    Refusal::Occupied(what) => format!("not started again: {what}"),
                },
            ),
            Ending::Restarting => match &seen.down {
                Some(down) => (State::Stopped, stopped_by(down)),
                None => (State::Crashed, format!("its keeper is gone; {}", ended.exit)),
            },
        },
        None => match &seen.down {
            Some(down) => (State::Stopped, stopped_by(down)),
            None => (State::Crashed, "it and its keeper are gone; nobody saw how it ended".to_owned()),
        },
    };
    Verdict { state, was: None, pid: None, note }
}

/// Whether `up` is to start a bot that is at rest.
///
/// It is if nobody asked for its stop and either it ran until something other than itself ended it (a reboot, a
/// shutdown of its keeper, a crash of both), or it is to start by itself and has not had its chance in this boot.
pub fn should_run(autostart: bool, down: bool, record: Option<&RunRecord>, this_boot: &str) -> bool {
    if down {
        return false;
    }
    let Some(record) = record else { return autostart };
    let in_this_boot =
        record.process.as_ref().or(record.keeper.as_ref()).is_some_and(|process| process.boot_id == this_boot);
    match record.ended.as_ref().map(|ended| &ended.outcome) {
        None | Some(Ending::Restarting | Ending::Final(Outcome::Stopped)) => true,
        Some(Ending::Final(Outcome::Refused(Refusal::Latched))) => true,
        Some(Ending::Final(Outcome::Exited | Outcome::Crashed | Outcome::Failed | Outcome::Refused(_))) => {
            autostart && !in_this_boot
        }
    }
}

/// One bot as `status` shows it: the contract's BOT.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BotStatus {
    /// Its name.
    pub name: BotName,
    /// Its groups.
    pub groups: Vec<String>,
    /// Its mode in the run that lives, else in the configuration; absent where neither can be read.
    pub mode: Option<Mode>,
    /// Its state.
    pub state: State,
    /// Beside `unknown`: the state it was last seen in.
    pub was: Option<State>,
    /// Since when it has been in that state.
    pub since: Option<jiff::Timestamp>,
    /// Its main process.
    pub pid: Option<i32>,
    /// Its keeper.
    pub keeper_pid: Option<i32>,
    /// When its current run was spawned.
    pub started_at: Option<jiff::Timestamp>,
    /// Seconds since then, while it lives.
    pub uptime_s: Option<u64>,
    /// Restarts in its keeper's time.
    pub restarts: Option<u32>,
    /// Failures in a row.
    pub failures: Option<u32>,
    /// When it will be tried again.
    pub next_try_at: Option<jiff::Timestamp>,
    /// How the last run that ended did so.
    pub last_exit: Option<LastExit>,
    /// Seconds since its last heartbeat.
    pub heartbeat_age_s: Option<u64>,
    /// CPU of its whole tree, in percent of one core.
    pub cpu_percent: Option<f32>,
    /// Resident memory of its whole tree.
    pub memory_bytes: Option<u64>,
    /// Processes in its tree.
    pub processes: Option<u32>,
    /// Active orders.
    pub orders_active: Option<u64>,
    /// When those were read.
    pub orders_read_at: Option<jiff::Timestamp>,
    /// Processes that match it but were not started by us.
    pub strays: Vec<Stray>,
    /// A short sentence.
    pub note: String,
    /// Whether the configuration names it.
    #[serde(skip)]
    pub configured: bool,
    /// Failures that open the breaker.
    #[serde(skip)]
    pub give_up_after: u32,
    /// How long ago the state's evidence says the state began, on the monotonic clock.
    #[serde(skip)]
    pub run: Option<String>,
}

/// How a run ended, in the shape of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastExit {
    /// The exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<Signal>,
    /// When.
    pub at: Option<jiff::Timestamp>,
    /// The whole story, in words.
    #[serde(skip)]
    pub words: String,
}

impl LastExit {
    /// This end, at that time.
    pub fn new(exit: &Exit, at: Option<jiff::Timestamp>) -> Self {
        Self { code: exit.code(), signal: exit.signal(), at, words: exit.to_string() }
    }
}

/// A process that matches a bot but was not started by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stray {
    /// Its number.
    pub pid: i32,
    /// Its command line.
    pub command: String,
    /// The first tier that found it.
    pub found_by: String,
    /// Other bots that it may belong to just as well.
    #[serde(skip)]
    pub shared_with: Vec<BotName>,
}
