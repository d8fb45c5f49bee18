//! One row with all that is known of it: the line of the event file itself, and the report that lies in its folder.

use std::io::Read;
use std::os::unix::fs::FileExt;

use rusqlite::OptionalExtension;

use crate::core::event::Event;
use crate::core::history::{Place, RunSeen, Shelf};
use crate::core::report::{BotReport, Report};
use crate::journal;
use crate::paths::{Home, words};

use super::index::History;
use super::read::LONGEST;
use super::schema::Fault;

/// So many events of a run are told.
const EVENTS: i64 = 1000;

/// A row with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Whole {
    /// It is not there any more.
    Gone,
    /// A line of an event file.
    Event(WholeEvent),
    /// A run, with its events, oldest first.
    Run {
        /// The run.
        run: RunSeen,
        /// Its bot.
        bot: Option<String>,
        /// What was written down of it: when, what kind, and the sentence.
        events: Vec<(Place, String, String)>,
    },
    /// What became of something.
    Report(WholeReport),
}

/// A line of an event file.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeEvent {
    /// In which file.
    pub file: String,
    /// As it stands there, or why it cannot be had.
    pub event: Result<Event, String>,
}

/// What became of something.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeReport {
    /// The event that tells of it.
    pub event: WholeEvent,
    /// The bot's part of it, as that event has it.
    pub bot: Option<Box<BotReport>>,
    /// All of it, as its folder has it; absent where there is none, or why it cannot be read.
    pub all: Option<Result<Box<Report>, String>>,
}

impl History {
    /// The row of this shelf that stands there.
    ///
    /// # Errors
    /// If the index cannot be had; the sentence says why.
    pub fn whole(&mut self, shelf: Shelf, place: Place) -> Result<Whole, String> {
        match shelf {
            Shelf::Events => Ok(self.line(place)?.map_or(Whole::Gone, |(event, _)| Whole::Event(event))),
            Shelf::Runs => self.with(|history| history.run(place)),
            Shelf::Reports => {
                let found = self.line(place)?;
                Ok(found.map_or(Whole::Gone, |(event, stop)| Whole::Report(report(&self.home, event, stop))))
            }
        }
    }

    fn line(&mut self, place: Place) -> Result<Option<(WholeEvent, Option<String>)>, String> {
        let found = self.with(|history| {
            let sql = "SELECT f.path, e.start, e.length, e.stop FROM events AS e JOIN files AS f ON f.id = e.file
                       WHERE e.id = ?1 AND e.at = ?2";
            let row = history.db().query_row(sql, [place.id, place.at], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get(3)?))
            });
            row.optional().map_err(Fault::from)
        })?;
        let Some((path, start, length, stop)) = found else { return Ok(None) };
        let file = self.home.root().join(&path);
        let event = journal::open(&file)
            .and_then(|file| {
                let mut bytes = vec![0; usize::try_from(length).unwrap_or(0).min(LONGEST)];
                file.read_exact_at(&mut bytes, start.unsigned_abs())?;
                Ok(bytes)
            })
            .map_err(|error| words(&error))
            .and_then(|bytes| serde_json::from_slice::<Event>(&bytes).map_err(|error| error.to_string()))
            .map_err(|why| format!("it cannot be read from {} any more: {why}", file.display()));
        Ok(Some((WholeEvent { file: path, event }, stop)))
    }

    fn run(&mut self, place: Place) -> Result<Whole, Fault> {
        let sql =
            "SELECT run, started, ended, exit, last, failures, file, until, bot FROM runs WHERE id = ?1 AND at = ?2";
        let found = self.db().query_row(sql, [place.id, place.at], |row| {
            let run = RunSeen {
                run: row.get(0)?,
                started: row.get(1)?,
                ended: row.get(2)?,
                exit: row.get(3)?,
                last: row.get(4)?,
                failures: row.get(5)?,
            };
            Ok((run, row.get::<_, i64>(6)?, row.get::<_, i64>(7)?, row.get::<_, Option<String>>(8)?))
        });
        let Some((run, file, until, bot)) = found.optional()? else { return Ok(Whole::Gone) };
        let mut statement = self.db().prepare_cached(
            "SELECT at, id, kind, text FROM events WHERE file = ?1 AND at BETWEEN ?2 AND ?3 AND run = ?4
             ORDER BY at, id LIMIT ?5",
        )?;
        let events = statement.query_map(rusqlite::params![file, place.at, until, run.run, EVENTS], |row| {
            Ok((Place { at: row.get(0)?, id: row.get(1)? }, row.get(2)?, row.get(3)?))
        })?;
        let events = events.collect::<Result<_, _>>()?;
        Ok(Whole::Run { run, bot, events })
    }
}

fn report(home: &Home, event: WholeEvent, stop: Option<String>) -> WholeReport {
    let part = event.event.as_ref().ok().and_then(|event| event.more.get("report").cloned());
    let bot = part.and_then(|part| serde_json::from_value(part).ok()).map(Box::new);
    // The name of a folder, and nothing that leads elsewhere.
    let stop = stop.filter(|stop| !stop.is_empty() && !stop.starts_with('.') && !stop.contains('/'));
    let all = stop.and_then(|stop| match journal::open(&home.stop(&stop).join("report.json")) {
        Ok(file) => {
            let mut bytes = Vec::new();
            let read = file.take(LONGEST as u64 * 16).read_to_end(&mut bytes).map_err(|error| words(&error));
            Some(read.and_then(|_| serde_json::from_slice(&bytes).map_err(|error| error.to_string())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => Some(Err(words(&error))),
    });
    WholeReport { event, bot, all }
}
