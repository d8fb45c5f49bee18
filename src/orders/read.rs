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
use crate::foreign::reading::{self, Look};
use crate::foreign::sqlite::{self, Fault};

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
    let read = |path: &Path| {
        let mut gathered = Gathered::new(question);
        read_at(&question.source, path, until, &mut gathered)?;
        Ok((gathered.orders, gathered.ended))
    };
    match reading::look(path, question.known.as_deref(), until, read) {
        Ok(Look::Unchanged) => Ok(Answer::Unchanged),
        Ok(Look::Read((orders, ended), at, stamp)) => Ok(Answer::Read(Reading { orders, ended, at, stamp })),
        Err(fault) => Err(format!("{}: {}", path.display(), fault.words(path))),
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
