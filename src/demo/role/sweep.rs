//! The table of a small parameter sweep: `exploration.db`, with a write-ahead log. Who coordinates makes it and fills it up,
//! who works claims chunks in it. What botwarden knows of it stands in the configuration, and is less.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

const FILE: &str = "exploration.db";

/// Somebody who reads or puts chunks back may hold the file for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// So many chunks a new sweep begins with, and so many of them were done before anybody looked: the first screen shows a
/// sweep in the middle.
const FIRST: i64 = 60;
const DONE_ALREADY: i64 = 18;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS chunks (
        id INTEGER PRIMARY KEY,
        status TEXT NOT NULL DEFAULT 'pending',
        assigned_worker TEXT,
        started_at TEXT,
        finished_at TEXT,
        parameters TEXT NOT NULL,
        n INTEGER NOT NULL,
        done INTEGER NOT NULL DEFAULT 0,
        best REAL,
        error TEXT
    );
    CREATE INDEX IF NOT EXISTS chunks_status ON chunks (status);";

/// The table, opened.
#[derive(Debug)]
pub(super) struct Sweep(Connection);

/// A chunk that somebody has claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claimed {
    /// Which.
    pub(super) id: i64,
    /// How many combinations it has.
    pub(super) combinations: i64,
    /// What is tried, in words.
    pub(super) parameters: String,
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// All of it was tried, with this best result.
    Completed(f64),
    /// It was given up, for this reason.
    Failed(&'static str),
}

impl Sweep {
    /// Makes the file and its table where they are not there yet.
    pub(super) fn make() -> rusqlite::Result<Self> {
        let mut file = Connection::open(FILE)?;
        file.busy_timeout(PATIENCE)?;
        file.pragma_update(None, "journal_mode", "wal")?;
        file.pragma_update(None, "synchronous", "normal")?;
        file.execute_batch(TABLE)?;
        let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let there: i64 = change.query_row("SELECT count(*) FROM chunks", [], |row| row.get(0))?;
        if there == 0 {
            add(&change, FIRST)?;
            change.execute(
                "UPDATE chunks SET status = 'completed', done = n, best = id / 100.0, finished_at = ?2,
                        assigned_worker = 'sweep-worker@' || (1 + id % 2)
                 WHERE id <= ?1",
                params![DONE_ALREADY, now()],
            )?;
        }
        change.commit()?;
        Ok(Self(file))
    }

    /// Opens it, if it is there: who works makes none.
    pub(super) fn open() -> rusqlite::Result<Option<Self>> {
        let opened = Connection::open_with_flags(FILE, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => return Ok(None),
            Err(error) => return Err(error),
        };
        file.busy_timeout(PATIENCE)?;
        file.pragma_update(None, "synchronous", "normal")?;
        let made: i64 =
            file.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'chunks'", [], |row| row.get(0))?;
        Ok((made > 0).then_some(Self(file)))
    }

    /// How many chunks wait, run, are completed and have failed.
    pub(super) fn counts(&self) -> rusqlite::Result<[i64; 4]> {
        let mut counts = [0; 4];
        for (count, word) in counts.iter_mut().zip(["pending", "running", "completed", "failed"]) {
            *count = self.0.query_row("SELECT count(*) FROM chunks WHERE status = ?1", [word], |row| row.get(0))?;
        }
        Ok(counts)
    }

    /// Adds so many chunks that wait.
    pub(super) fn add(&mut self, count: i64) -> rusqlite::Result<()> {
        let change = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        add(&change, count)?;
        change.commit()
    }

    /// Claims the next chunk that waits, if there is one.
    pub(super) fn claim(&mut self, worker: &str) -> rusqlite::Result<Option<Claimed>> {
        let change = self.0.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let claimed = change
            .query_row(
                "UPDATE chunks SET status = 'running', assigned_worker = ?1, started_at = ?2, done = 0
                 WHERE id = (SELECT id FROM chunks WHERE status = 'pending' ORDER BY id LIMIT 1) AND status = 'pending'
                 RETURNING id, n, parameters",
                params![worker, now()],
                |row| Ok(Claimed { id: row.get(0)?, combinations: row.get(1)?, parameters: row.get(2)? }),
            )
            .optional()?;
        change.commit()?;
        Ok(claimed)
    }

    /// Says how far it is; false if it is not ours any more: somebody has put it back.
    pub(super) fn proceed(&self, worker: &str, id: i64, done: i64) -> rusqlite::Result<bool> {
        let changed = self.0.execute(
            "UPDATE chunks SET done = ?3 WHERE id = ?2 AND status = 'running' AND assigned_worker = ?1",
            params![worker, id, done],
        )?;
        Ok(changed > 0)
    }

    /// Says what became of it; false if it is not ours any more.
    pub(super) fn end(&self, worker: &str, id: i64, outcome: Outcome) -> rusqlite::Result<bool> {
        let changed = match outcome {
            Outcome::Completed(best) => self.0.execute(
                "UPDATE chunks SET status = 'completed', done = n, best = ?3, finished_at = ?4
                 WHERE id = ?2 AND status = 'running' AND assigned_worker = ?1",
                params![worker, id, best, now()],
            )?,
            Outcome::Failed(why) => self.0.execute(
                "UPDATE chunks SET status = 'failed', error = ?3, finished_at = ?4
                 WHERE id = ?2 AND status = 'running' AND assigned_worker = ?1",
                params![worker, id, why, now()],
            )?,
        };
        Ok(changed > 0)
    }
}

fn add(file: &Connection, count: i64) -> rusqlite::Result<()> {
    let mut add = file.prepare("INSERT INTO chunks (parameters, n) VALUES (?1, ?2)")?;
    for _ in 0..count {
        let (fast, slow) = (fastrand::u32(3..20), fastrand::u32(21..120));
        add.execute(params![format!("fast={fast} slow={slow}"), 20 * fastrand::i64(2..=5)])?;
    }
    Ok(())
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What went wrong, in a sentence for a log.
pub(super) fn told(error: &rusqlite::Error) -> String {
    format!("{FILE}: {error}")
}
