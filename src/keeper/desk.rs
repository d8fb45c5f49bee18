//! The keeper's paperwork: everything it does with files, as jobs that a [`super::worker::Worker`] does for it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use jiff::Timestamp;

use crate::cgroup::Group;
use crate::clock;
use crate::core::bot::{BotSpec, Mode};
use crate::core::event::Event;
use crate::core::lifecycle::Refusal;
use crate::core::record::{Down, Ending, ProcessId, RunRecord};
use crate::core::words::masked;
use crate::journal;
use crate::latch;
use crate::lock::Lock;
use crate::logs::archive::Archivist;
use crate::orders::{Environment, Surroundings};
use crate::paths::{BotHome, Home, words};
use crate::record::{self, Sync};
use crate::survey::Pass;

use super::trouble::Topic;

/// Something to do with files.
pub(super) enum Job {
    /// Append to the bot's events.
    Tell(BotHome, Box<Event>),
    /// Replace the run record.
    Record(BotHome, Box<RunRecord>),
    /// Remove the control group of a run that is over.
    Sweep(Group),
    /// Make everything ready for a spawn.
    Prepare(Box<Request>),
    /// See what has come up between the look before a spawn and the spawn of a bot of this mode.
    LookAgain(Home, BotHome, Mode),
}

/// What came of it.
pub(super) enum Done {
    /// It was done.
    Well(Topic),
    /// It was done as far as it could be; nothing depends on it.
    Swept,
    /// It went wrong; supervision goes on.
    Trouble(Topic, String),
    /// Nothing stands against what was spawned.
    Stands,
    /// It slipped through: the emergency stop is latched.
    Slipped,
    /// It is not to be running: somebody asked for its stop meanwhile.
    IsDown(Down),
    /// Everything is ready for a spawn, or it is not to be.
    Prepared(Result<Box<Prepared>, Obstacle>),
}

/// What a spawn needs.
pub(super) struct Request {
    pub(super) home: Home,
    pub(super) spec: BotSpec,
    pub(super) keeper: Option<ProcessId>,
    pub(super) notify: Option<String>,
    pub(super) restarts: u32,
    pub(super) failures: u32,
    /// Whether so much time has passed since the last run that somebody may have started it by hand.
    pub(super) look_for_strays: bool,
}

/// A run that can be spawned.
pub(super) struct Prepared {
    pub(super) record: RunRecord,
    pub(super) log: File,
    pub(super) lock: File,
    pub(super) env: Vec<(OsString, OsString)>,
    pub(super) identity: Option<crate::sys::Identity>,
    pub(super) group: Option<Group>,
}

/// Why nothing is spawned.
pub(super) enum Obstacle {
    /// Somebody or something forbids it.
    Refused(Refusal),
    /// It cannot be done; the text says why.
    Impossible(String),
}

/// Does one job.
pub(super) fn work(job: Job) -> Done {
    match job {
        Job::Tell(bot, event) => done(Topic::Events, "cannot write its events", journal::append(&bot.events(), &event)),
        Job::Record(bot, run) => {
            // Where another run follows at once, nothing may wait for the disk.
            let follows = run.ended.as_ref().is_some_and(|ended| ended.outcome == Ending::Restarting);
            let sync = if follows { Sync::Later } else { Sync::Now };
            done(Topic::Record, "cannot write its run record", record::write(&bot, &run, sync))
        }
        Job::Sweep(group) => {
            let _ = group.remove();
            Done::Swept
        }
        Job::LookAgain(home, _, mode) if latch::binds(&home, mode) => Done::Slipped,
        Job::LookAgain(_, bot, _) => record::down(&bot).map_or(Done::Stands, Done::IsDown),
        Job::Prepare(request) => Done::Prepared(prepare(&request).map(Box::new)),
    }
}

fn done(topic: Topic, what: &str, result: io::Result<()>) -> Done {
    match result {
        Ok(()) => Done::Well(topic),
        Err(error) => Done::Trouble(topic, format!("{what}: {}", words(&error))),
    }
}

fn prepare(request: &Request) -> Result<Prepared, Obstacle> {
    let bot = request.home.bot(&request.spec.name);
    if latch::binds(&request.home, request.spec.mode) {
        return Err(Obstacle::Refused(Refusal::Latched));
    }
    if record::down(&bot).is_some() {
        return Err(Obstacle::Refused(Refusal::Down));
    }
    let lock = Lock::take(&bot.bot_lock())
        .map_err(|error| Obstacle::Impossible(format!("{}: {}", bot.bot_lock().display(), words(&error))))?
        .ok_or_else(|| Obstacle::Refused(Refusal::Occupied("a process of an earlier run holds its lock".into())))?;
    if request.look_for_strays
        && let Some(stray) = stray(request)
    {
        return Err(Obstacle::Refused(Refusal::Occupied(stray)));
    }
    let (env, identity) = environment(request).map_err(Obstacle::Impossible)?;
    let (record, log, group) = match open_run(request, &bot) {
        // A full disk: old output goes before a bot stays down.
        Err(error) if error.kind() == io::ErrorKind::StorageFull && relieve(request, &bot) => open_run(request, &bot),
        result => result,
    }
    .map_err(|error| Obstacle::Impossible(format!("cannot write in {}: {}", bot.root().display(), words(&error))))?;
    Ok(Prepared { env: with_mark(env, request, &record), record, log, lock: lock.into_file(), identity, group })
}

/// Something that looks like it and that no keeper has.
fn stray(request: &Request) -> Option<String> {
    let pass = Pass::make(&request.home, std::slice::from_ref(&request.spec));
    if let Some(why) = pass.trouble {
        return Some(why);
    }
    if let Some(other) = pass.elsewhere(&request.spec.name).into_iter().next() {
        return Some(other.to_string());
    }
    let stray = pass.strays(&request.spec.name).into_iter().next()?;
    Some(format!("pid {} ({}) looks like it and was not started here", stray.pid, masked(&stray.command)))
}

fn relieve(request: &Request, bot: &BotHome) -> bool {
    let archivist = Archivist::open(&bot.log_dir(), "", request.spec.log);
    archivist.relieve().is_ok_and(|removed| !removed.is_empty())
}

/// A fresh id of a run; ids sort by time.
pub(super) fn new_run(started_at: Timestamp) -> String {
    format!("{}-{:04x}", started_at.strftime("%Y%m%dT%H%M%S%3f"), fastrand::u16(..))
}

fn open_run(request: &Request, bot: &BotHome) -> io::Result<(RunRecord, File, Option<Group>)> {
    bot.make()?;
    let started_at = clock::wall();
    let run = new_run(started_at);
    let log = OpenOptions::new().append(true).create_new(true).mode(0o600).open(bot.log(&run))?;
    let group = Group::plan(&request.spec.name, &run);
    let mut record = RunRecord::new(&request.spec, run, started_at);
    record.cgroup = group.as_ref().map(|group| group.path().to_owned());
    record.keeper.clone_from(&request.keeper);
    record.notify.clone_from(&request.notify);
    record.restarts = request.restarts;
    record.failures = request.failures;
    if let Err(error) = record::write(bot, &record, Sync::Later) {
        let _ = std::fs::remove_file(bot.log(&record.run));
        return Err(error);
    }
    Ok((record, log, group.filter(Group::make)))
}

/// What the bot gets on top of the environment of the command that started it.
fn environment(request: &Request) -> Result<(Environment, Option<crate::sys::Identity>), String> {
    let (mut env, identity) = Surroundings::of_spec(&request.spec).environment()?;
    if let Some(number) = request.spec.name.instance() {
        env.push(("BOTWARDEN_INSTANCE".into(), number.to_string().into()));
    }
    Ok((env, identity))
}

fn with_mark(mut env: Environment, request: &Request, record: &RunRecord) -> Environment {
    let [home, bot, run] = crate::process::MARK;
    env.push((home.into(), request.home.root().into()));
    env.push((bot.into(), request.spec.name.as_str().into()));
    env.push((run.into(), record.run.clone().into()));
    if let Some(address) = &request.notify {
        env.push(("NOTIFY_SOCKET".into(), format!("@{address}").into()));
    }
    env
}
