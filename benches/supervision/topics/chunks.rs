//! Chunks: what a look at a large cluster's database costs, and what it costs whoever writes that database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use botwarden::cluster::{Answer, Errand, Question};
use botwarden::core::cluster::{ChunkColumns, ChunkValues, ClusterSpec, Combinations};
use botwarden::readers::Readers;
use rusqlite::Connection;
use tempfile::TempDir;

use super::Figures;
use crate::hands::Hands;
use crate::rows::{Cell, Row};
use crate::subjects::botwarden::BINARY;

const CHUNKS: u64 = 1_000_000;
const LONG: Duration = Duration::from_mins(1);
/// What a screen leaves between two looks.
const REFRESH: Duration = Duration::from_secs(1);

/// A million chunks, counted by an index, with sums, and in one pass; then a writer without a pause, alone and looked at.
pub fn measure(hands: &Hands, quick: bool) -> Result<Figures, String> {
    let folder = TempDir::new_in(hands.folder()).map_err(|error| error.to_string())?;
    let path = folder.path().join("sweep.db");
    make(&path).map_err(|error| error.to_string())?;
    let readers = Readers::through(PathBuf::from(BINARY));
    let plain = cluster(&path)?;
    let mut sums = plain.clone();
    sums.combinations = Combinations { total: Some("sum(n)".into()), tested: Some("sum(done)".into()) };
    let rounds = if quick { 5 } else { 50 };
    let times =
        |cluster: &ClusterSpec| (0..rounds).map(|_| look(&readers, cluster)).collect::<Result<Vec<f64>, String>>();
    // One that starts the reader, and has the file in memory.
    look(&readers, &sums)?;
    let mut figures =
        vec![(Row::ChunksIndexed, Cell::figures(times(&plain)?)), (Row::ChunksSums, Cell::figures(times(&sums)?))];
    let time = Duration::from_secs(if quick { 1 } else { 5 });
    for (mode, rows) in [
        ("wal", [Row::WriterLog, Row::WriterLogRefreshed, Row::WriterLogLooked]),
        ("delete", [Row::WriterJournal, Row::WriterJournalRefreshed, Row::WriterJournalLooked]),
    ] {
        let file = Connection::open(&path).map_err(|error| error.to_string())?;
        file.pragma_update(None, "journal_mode", mode).map_err(|error| error.to_string())?;
        drop(file);
        let mut rates = [const { Vec::new() }; 3];
        // In turns, so that what else the machine does strikes all of them alike.
        for _ in 0..if quick { 1 } else { 3 } {
            for (pause, rates) in [None, Some(REFRESH), Some(Duration::ZERO)].into_iter().zip(&mut rates) {
                rates.push(written(&readers, &plain, pause, time)?);
            }
        }
        figures.extend(rows.into_iter().zip(rates).map(|(row, rates)| (row, Cell::figures(rates))));
    }
    Connection::open(&path)
        .and_then(|file| file.execute_batch("DROP INDEX chunks_status"))
        .map_err(|error| error.to_string())?;
    figures.push((Row::ChunksPass, Cell::figures(times(&plain)?)));
    Ok(figures)
}

fn cluster(path: &Path) -> Result<ClusterSpec, String> {
    Ok(ClusterSpec {
        name: "sweep".parse().map_err(|_| "a bad name")?,
        database: path.to_owned(),
        table: ClusterSpec::TABLE.to_owned(),
        columns: ChunkColumns::default(),
        values: ChunkValues::default(),
        combinations: Combinations::default(),
        coordinator: None,
        workers: Vec::new(),
        lease: ClusterSpec::LEASE,
    })
}

/// Six of ten are done, and eight run.
fn make(path: &Path) -> rusqlite::Result<()> {
    Connection::open(path)?.execute_batch(&format!(
        "CREATE TABLE chunks (
            id INTEGER PRIMARY KEY, status TEXT NOT NULL, assigned_worker TEXT, started_at TEXT, completed_at TEXT,
            params TEXT, n INTEGER, done INTEGER
         );
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHUNKS})
         INSERT INTO chunks SELECT i, CASE WHEN i <= 600000 THEN 'completed' WHEN i <= 600008 THEN 'running'
            WHEN i % 1000 = 0 THEN 'failed' ELSE 'pending' END, 'sweep-worker@' || (i % 8), '2026-11-21T23:31:02Z', NULL,
            '{{\"fast\": 12, \"slow\": 26}}', 500, 500 FROM n;
         CREATE INDEX chunks_status ON chunks (status);"
    ))
}

/// One look, in milliseconds.
fn look(readers: &Readers, cluster: &ClusterSpec) -> Result<f64, String> {
    let start = Instant::now();
    let question =
        Question { cluster: cluster.clone(), user: None, errand: Errand::Look { known: None }, within: LONG };
    let answer = readers.ask(question).wait(botwarden::clock::now().plus(LONG));
    match answer {
        Answer::Read(census) if census.counts.total == CHUNKS => Ok(start.elapsed().as_secs_f64() * 1000.0),
        Answer::Read(census) => Err(format!("{} chunks", census.counts.total)),
        Answer::Failed(failure) => Err(failure.why),
        Answer::Unchanged | Answer::PutBack { .. } | Answer::Ready => Err("not read".into()),
    }
}

/// How many changes a second are committed by somebody who does nothing else, while we look with such a pause.
fn written(readers: &Readers, cluster: &ClusterSpec, pause: Option<Duration>, time: Duration) -> Result<f64, String> {
    let over = Arc::new(AtomicBool::new(false));
    let writer = {
        let (path, over) = (cluster.database.clone(), Arc::clone(&over));
        std::thread::spawn(move || write(&path, &over))
    };
    let start = Instant::now();
    let mut seen = Ok(0.0);
    while start.elapsed() < time && seen.is_ok() {
        let left = time.saturating_sub(start.elapsed());
        match pause {
            None => std::thread::sleep(left),
            Some(pause) => {
                seen = look(readers, cluster);
                std::thread::sleep(pause.min(left));
            }
        }
    }
    over.store(true, Ordering::Relaxed);
    let rate = writer.join().map_err(|_| "the writer died")?.map_err(|error| format!("the writer: {error}"))?;
    seen.map(|_| rate)
}

fn write(path: &Path, over: &AtomicBool) -> rusqlite::Result<f64> {
    let file = Connection::open(path)?;
    file.busy_timeout(Duration::from_secs(5))?;
    // Not the disk is measured: without it more is committed, and more is in the way of whoever looks.
    file.pragma_update(None, "synchronous", "OFF")?;
    let mut statement = file.prepare(
        "UPDATE chunks SET status = CASE status WHEN 'pending' THEN 'running' ELSE 'pending' END, started_at = ?1 WHERE id = ?2",
    )?;
    let (start, mut count) = (Instant::now(), 0_u64);
    while !over.load(Ordering::Relaxed) {
        // Of those that are pending: at most one of them runs.
        let id = 700_001 + (count / 2) as i64 % 100_000;
        statement.execute(rusqlite::params!["2026-11-21T23:31:02Z", id])?;
        count += 1;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}
