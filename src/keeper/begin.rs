//! How a keeper comes to be: detached, told what to keep, sure that nothing of the bot lives elsewhere.

use std::io::Read;
use std::process::ExitCode;

use crate::cgroup::{self, Group};
use crate::clock;
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::lifecycle::Lifecycle;
use crate::core::protocol::{Hello, PROTOCOL};
use crate::core::record::{ProcessId, RunRecord};
use crate::core::state::State;
use crate::core::status::{Evidence, LockSeen, RecordSeen, Voice, decide};
use crate::journal;
use crate::launch::{Begin, Order, Searched, Word};
use crate::lock::{self, Lock};
use crate::notify::Notify;
use crate::paths::{BotHome, Home, words};
use crate::process;
use crate::record;
use crate::socket;
use crate::sys;

use super::clients::Clients;
use super::launcher::Launcher;
use super::loops::{Keeper, Parts};
use super::signals::Signals;
use super::story::Story;
use super::tend::LogWatch;
use super::worker::Worker;
use super::{desk, tend};
use crate::tree::Tree;

/// The whole life of a keeper process: `botwarden keep NAME`, with an [`Order`] on stdin.
pub fn run() -> ExitCode {
    let mut launcher = Launcher::new();
    match begin() {
        Ok(parts) => {
            Keeper::new(parts, launcher).keep();
            ExitCode::SUCCESS
        }
        Err(word) => {
            launcher.say(&word);
            ExitCode::FAILURE
        }
    }
}

fn failed(why: impl Into<String>) -> Word {
    Word::Failed { why: why.into(), trying: false }
}

fn begin() -> Result<Parts, Word> {
    sys::use_one_heap();
    sys::close_inherited();
    cgroup::leave();
    sys::detach().map_err(|error| failed(format!("its keeper cannot detach itself: {}", words(&error))))?;
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text).map_err(|error| failed(words(&error)))?;
    let order: Order =
        serde_json::from_slice(&text).map_err(|error| failed(format!("its keeper was told nonsense: {error}")))?;
    drop(text);
    let signals = Signals::take_over().map_err(|error| failed(words(&error)))?;
    let _ = std::env::set_current_dir("/");
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| failed(format!("its keeper cannot be a subreaper: {}", words(&errno.into()))))?;
    let home = Home::at(order.home.clone());
    let bot = home.bot(&order.spec.name);
    bot.make().map_err(|error| failed(format!("{}: {}", bot.root().display(), words(&error))))?;
    let keeper_lock = take_lock(&bot)?;
    tell_panics(&bot, &order);
    let parts = open_parts(order, home, bot, keeper_lock, signals)?;
    Ok(parts)
}

fn take_lock(bot: &BotHome) -> Result<Lock, Word> {
    let path = bot.keeper_lock();
    let lock = Lock::take(&path)
        .map_err(|error| failed(format!("cannot lock {}: {}", path.display(), words(&error))))?
        .ok_or(Word::Taken)?;
    if !lock::excludes(&path, &lock) {
        return Err(failed(format!(
            "locks do not work in {}: nothing could keep a second copy from starting (is it on a network file system?)",
            bot.root().display()
        )));
    }
    Ok(lock)
}

/// A keeper that panics has no stderr; its last words go where the operator looks.
fn tell_panics(bot: &BotHome, order: &Order) {
    let (bot, name) = (bot.clone(), order.spec.name.clone());
    std::panic::set_hook(Box::new(move |panic| {
        let Story { kind, text, more } =
            Story::new(crate::core::event::Kind::Warning, format!("its keeper broke: {panic}; the bot lives on"));
        let _ = journal::append(&bot.events(), &journal::event(Some(&name), kind, text, more));
    }));
}

fn open_parts(order: Order, home: Home, bot: BotHome, keeper_lock: Lock, signals: Signals) -> Result<Parts, Word> {
    let (living, earlier) = match &order.begin {
        Begin::Start { searched } => (None, make_sure_nothing_lives(&order.spec, searched.as_ref(), &home, &bot)?),
        Begin::Adopt { strays, .. } => {
            let living = find_living(&order.spec, strays, &home, &bot)?;
            (Some(living.clone()), Some(living))
        }
    };
    let address = living.as_ref().and_then(|record| record.notify.as_deref());
    let notify = Notify::bind(address).ok();
    let listener = socket::listen(bot.root(), BotHome::SOCKET).map_err(|error| {
        failed(format!("cannot make {}/{}: {}", bot.root().display(), BotHome::SOCKET, words(&error)))
    })?;
    let hello = Hello {
        botwarden: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        bot: order.spec.name.clone(),
        keeper_pid: std::process::id() as i32,
    };
    let worker = |error: std::io::Error| failed(words(&error));
    let now = clock::now();
    let plan = (&order.spec).into();
    let (life, effects, tree) = match &living {
        None => {
            let (life, effects) = Lifecycle::start(plan);
            (life, effects, Tree::empty())
        }
        Some(record) => {
            let age = clock::wall().duration_since(record.started_at).unsigned_abs();
            let since = crate::core::moment::Moment::at(now.since(crate::core::moment::Moment::at(age)));
            let life = Lifecycle::adopt(plan, since, record.restarts, record.failures);
            let mut told = journal::signals_told(&bot.events(), &record.run);
            if let Some(stray) = record.process.as_ref().filter(|_| record.stray) {
                told.extend(journal::signals_told(&bot.events(), &journal::run_of_stray(stray)));
            }
            let mut tree = Tree::adopted(record, bot.bot_lock(), &told);
            if let Begin::Adopt { strays, .. } = &order.begin {
                tree.join(strays);
                if !strays.is_empty() {
                    tree.gather();
                }
            }
            (life, Vec::new(), tree)
        }
    };
    Ok(Parts {
        begin: order.begin,
        by: order.by,
        spec: order.spec,
        home,
        bot,
        keeper_lock,
        signals,
        notify,
        clients: Clients::new(listener, &hello),
        desk: Worker::new("desk", desk::work).map_err(worker)?,
        tender: Worker::new("log", tend::work).map_err(worker)?,
        log_watch: LogWatch::new().ok(),
        life,
        effects,
        tree,
        earlier,
    })
}

/// Under the keeper's lock: nothing of an earlier run may live.
fn make_sure_nothing_lives(
    spec: &BotSpec,
    searched: Option<&Searched>,
    home: &Home,
    bot: &BotHome,
) -> Result<Option<RunRecord>, Word> {
    let record = record::read(bot);
    let run = match &record {
        RecordSeen::Read(record) => Some(record.run.clone()),
        RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    let searched = searched.is_some_and(|searched| searched.run == run);
    let marked = if searched { Vec::new() } else { marked(home, &spec.name) };
    let (evidence, record) = evidence(bot, record, marked);
    let verdict = decide(&evidence);
    match verdict.state {
        State::Orphaned => Err(failed(format!(
            "something of its last run lives (pid {}) without a keeper; 'botwarden up' takes it back",
            verdict.pid.map_or_else(|| "unknown".to_owned(), |pid| pid.to_string())
        ))),
        State::Unknown => Err(failed(verdict.note)),
        State::Starting
        | State::Running
        | State::Stopping
        | State::Stopped
        | State::Exited
        | State::Crashed
        | State::Backoff
        | State::Failed => Ok(record),
    }
}

/// Under the keeper's lock: the run that lives without a keeper. What was seen before the lock was taken counts no more.
fn find_living(spec: &BotSpec, strays: &[ProcessId], home: &Home, bot: &BotHome) -> Result<RunRecord, Word> {
    let marked = process::marked(home.root()).remove(&spec.name).unwrap_or_default();
    let (evidence, record) = evidence(bot, record::read(bot), marked.iter().map(|(pid, _)| *pid).collect());
    let lives = evidence.bot_lock != LockSeen::Free || evidence.main_alive || !evidence.marked.is_empty();
    if !lives {
        let stray = strays.iter().find(|stray| process::is_alive(stray)).ok_or(Word::AtRest)?;
        let mut record = record_of(stray, spec);
        // It may leave everything else behind: a group of ours it cannot leave.
        let group = Group::plan(&spec.name, &record.run).filter(Group::make);
        record.cgroup = group.map(|group| group.path().to_owned());
        return Ok(record);
    }
    let mut record = match (record, marked.first()) {
        (Some(record), _) => record,
        // The record is lost. The mark has the run's id, and the rest is what the configuration says now; but what the
        // run was started as is not known, and counts as live.
        (None, Some((pid, run))) => RunRecord {
            mode: Mode::Live,
            cgroup: Group::around(*pid, &spec.name, run).map(|group| group.path().to_owned()),
            ..RunRecord::new(spec, run.clone(), clock::wall())
        },
        (None, None) => return Err(failed("it lives, but neither its record nor its mark says who it is")),
    };
    if !evidence.main_alive {
        record.process = find_main(&record.run).or(record.process);
    }
    Ok(record)
}

/// The record of a stray: a run that began when it did, with the command line and the folder that it really has.
fn record_of(stray: &ProcessId, spec: &BotSpec) -> RunRecord {
    let started_at = process::started_at(stray.start_time);
    RunRecord {
        process: Some(stray.clone()),
        stray: true,
        argv: process::arguments(stray.pid),
        cwd: process::folder(stray.pid).unwrap_or_else(|| spec.cwd.clone()),
        ..RunRecord::new(spec, desk::new_run(clock::wall()), started_at)
    }
}

/// A keeper that died between the spawn and its record leaves the main process unnamed: it is the one of its mark that
/// leads the session.
fn find_main(run: &str) -> Option<ProcessId> {
    process::all()
        .find(|pid| {
            process::mark(*pid).is_some_and(|mark| mark.run == run)
                && process::stat(*pid).is_some_and(|stat| stat.session == *pid && stat.is_alive())
        })
        .and_then(process::identify)
}

fn marked(home: &Home, name: &BotName) -> Vec<i32> {
    process::marked(home.root())
        .remove(name)
        .map(|found| found.into_iter().map(|(pid, _)| pid).collect())
        .unwrap_or_default()
}

fn evidence(bot: &BotHome, record: RecordSeen, mut marked: Vec<i32>) -> (Evidence, Option<RunRecord>) {
    let read = match &record {
        RecordSeen::Read(record) => Some((**record).clone()),
        RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    marked.sort_unstable();
    let group = read.as_ref().and_then(Group::of);
    marked.extend(group.map(|group| group.living(&marked)).unwrap_or_default());
    let main_alive = read.as_ref().and_then(|record| record.process.as_ref()).is_some_and(process::is_alive);
    // We hold the keeper's lock ourselves: for the verdict it is free.
    let evidence = Evidence {
        keeper_lock: LockSeen::Free,
        bot_lock: lock::look(&bot.bot_lock()),
        voice: Voice::NotAsked,
        record,
        main_alive,
        marked,
        down: record::down(bot),
    };
    (evidence, read)
}
