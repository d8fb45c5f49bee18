//! One look at one source, from the question to the answer. This is what a reader does; it may hang or die of it.

use std::path::Path;
use std::time::Duration;

use crate::clock;
use crate::config::visible;
use crate::core::bot::OrderSource;
use crate::core::moment::Moment;
use crate::core::order::{Answer, Reading};

use super::gather::Gathered;
use super::{Question, command, freqtrade, hummingbot, sql, state_json};
use crate::foreign::copy::{Copied, Hindrance, Need};
use crate::foreign::sqlite::Fault;
use crate::foreign::{file, sqlite};

/// So often a file is read again that was replaced or written while it was read.
const TRIES: usize = 3;

/// How long whoever is in the way of a copy is given before the next look.
const PAUSE: Duration = Duration::from_millis(20);

/// Answers a question, within its time as far as that is in our hands.
pub fn answer(question: &Question) -> Answer {
    let until = clock::now().plus(question.within);
    let result = match &question.source {
        OrderSource::Freqtrade { path, .. } | OrderSource::Hummingbot { path } | OrderSource::StateJson { path } => {
            read_file(question, path, until)
        }
        OrderSource::Sql { path, .. } => read_file(question, path, until),
        OrderSource::Command { command, timeout } => run(question, command, *timeout),
    };
    result.unwrap_or_else(|why| Answer::Failed(visible(&why).into_owned()))
}

fn run(question: &Question, command: &[String], timeout: Duration) -> Result<Answer, String> {
    let at = clock::wall();
    let mut gathered = Gathered::new(question);
    command::read(command, &question.surroundings, timeout.min(question.within), &mut gathered)?;
    Ok(Answer::Read(Reading { orders: gathered.orders, ended: gathered.ended, at, stamp: None }))
}

fn read_file(question: &Question, path: &Path, until: Moment) -> Result<Answer, String> {
    let named = |why: String| format!("{}: {why}", path.display());
    let mut failure = None;
    for _ in 0..TRIES {
        // Before it is read: what changes meanwhile makes the next stamp another one.
        let (stamp, identity) = (file::stamp(path), file::identity(path));
        if let (Some(known), Some(stamp)) = (&question.known, &stamp)
            && file::is_unchanged(known, stamp)
        {
            return Ok(Answer::Unchanged);
        }
        let at = clock::wall();
        let mut gathered = Gathered::new(question);
        match read_source(&question.source, path, until, &mut gathered) {
            // What lies beside it is another file's by now, and may have been in the way.
            Ok(()) | Err(_) if identity != file::identity(path) => {
                failure = Some("was replaced by another file each time that it was read".to_owned());
            }
            Ok(()) => {
                return Ok(Answer::Read(Reading { orders: gathered.orders, ended: gathered.ended, at, stamp }));
            }
            Err(fault) => {
                let why = fault.words(path);
                // Whoever writes a file in place may be half way through.
                let moved = content(stamp.as_deref()) != content(file::stamp(path).as_deref());
                if !moved {
                    return Err(named(why));
                }
                failure = Some(why);
            }
        }
        if until.since(clock::now()).is_zero() {
            break;
        }
    }
    Err(named(failure.unwrap_or_else(|| "could not be read in time".into())))
}

/// The part of a stamp that is about the files, not about the time.
fn content(stamp: Option<&str>) -> Option<&str> {
    stamp?.rsplitn(3, ' ').nth(2)
}

/// Reads it where it is, or a copy of it where that is the only way.
fn read_source(source: &OrderSource, path: &Path, until: Moment, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    loop {
        let Err(fault) = read_at(source, path, until, gathered) else { return Ok(()) };
        let Some(need) = Need::of(&fault, path) else { return Err(fault) };
        gathered.clear();
        match Copied::of(path, need, until) {
            Ok(copy) => return read_at(source, &copy.path(), until, gathered),
            Err(Hindrance::Never) => return Err(fault),
            Err(Hindrance::Moved) if until.since(clock::now()) <= PAUSE => return Err(fault),
            Err(Hindrance::Moved) => std::thread::sleep(PAUSE),
        }
    }
}

fn read_at(source: &OrderSource, path: &Path, until: Moment, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    let in_one_look = |read: &mut dyn FnMut(&rusqlite::Connection) -> Result<(), Fault>| {
        let mut file = sqlite::open(path, until)?;
        // One transaction, so that what belongs together was there together. It ends with the connection.
        let look = file.transaction()?;
        read(&look)
    };
    match source {
        OrderSource::Freqtrade { .. } => in_one_look(&mut |file| freqtrade::read(file, gathered)),
        OrderSource::Hummingbot { .. } => in_one_look(&mut |file| hummingbot::read(file, gathered)),
        // One statement sees one state of the file anyway.
        OrderSource::Sql { query, .. } => {
            let mut file = sqlite::open(path, until)?;
            sql::read(&mut file, query, gathered)
        }
        OrderSource::StateJson { .. } => state_json::read(path, until, gathered),
        OrderSource::Command { .. } => Ok(()),
    }
}
