//! Counting chunks.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, params_from_iter};

use crate::clock;
use crate::core::chunk::{Census, Chunk, CombinationsSeen, Counts, LISTED, Value};
use crate::core::cluster::{ChunkValues, ClusterSpec};
use crate::core::moment::Moment;
use crate::foreign::reading::{self, Look};
use crate::foreign::sqlite::{self, Fault};

use super::question::Answer;
use super::schema::{self, Schema};
use super::{combinations, table, trouble};

/// So many words for a state are counted by an index. More of them are no states of chunks.
const STATES: usize = 64;

/// So many strange words are told.
const STRANGE: usize = 5;

/// Nobody's lock is waited for longer: it says at least that it is there.
const LOCK: Duration = Duration::from_secs(2);

/// So many rows of a kind are gone through to find those without news for longest. Of more, some are not seen.
const SIFTED: usize = 5 * LISTED;

/// The chunks of one state are counted up to here at first.
const FIRST: i64 = 4096;

/// Counts the chunks of a cluster, until then at the latest.
pub fn look(cluster: &ClusterSpec, known: Option<&str>, until: Moment) -> Answer {
    let start = clock::now();
    let path = &cluster.database;
    let allowed = until.since(start);
    if let Some(failure) = trouble::before(cluster) {
        return Answer::Failed(failure);
    }
    let indexed = Cell::new(false);
    match reading::look(path, known, until, |path| read(cluster, path, until, &indexed)) {
        Ok(Look::Unchanged) => Answer::Unchanged,
        Ok(Look::Read(seen, at, stamp)) => Answer::Read(Box::new(Census {
            at,
            counts: seen.counts,
            strange: seen.strange,
            combinations: seen.combinations,
            uncounted: seen.uncounted,
            running: seen.running,
            failed: seen.failed,
            cost: seen.cost,
            indexed: seen.indexed,
            stamp,
        })),
        Err(fault) => {
            let doing = trouble::Doing::Look { indexed: indexed.get() };
            let is_locked = matches!(&fault, Fault::Sqlite(error) if sqlite::is_busy(error));
            let allowed = if is_locked { allowed.min(LOCK) } else { allowed };
            Answer::Failed(trouble::failure(cluster, fault, doing, allowed))
        }
    }
}

/// What one transaction has shown.
#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    strange: Vec<String>,
    combinations: CombinationsSeen,
    uncounted: Option<String>,
    running: Vec<Chunk>,
    failed: Vec<Chunk>,
    indexed: bool,
    /// How long the reading itself took, whoever had to be waited for before.
    cost: Duration,
}

/// `indexed` becomes known even where nothing else does.
fn read(cluster: &ClusterSpec, path: &Path, until: Moment, indexed: &Cell<bool>) -> Result<Seen, Fault> {
    let mut file = sqlite::open(path, until)?;
    file.busy_timeout(Duration::ZERO)?;
    file.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // One transaction, so that what belongs together was there together. It ends with the connection.
    file.execute_batch("BEGIN")?;
    // The first that is read is what has to wait for a lock; after that nobody can be in the way.
    let now = clock::now();
    let free_by = now.plus(LOCK.min(until.since(now)));
    sqlite::once_free(free_by, || file.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())))?;
    let start = clock::now();
    let schema = schema::check(&file, cluster)?;
    indexed.set(schema.indexed);
    // What comes from the configuration may do nothing else.
    sqlite::only_reading(&mut file)?;
    let mut seen = match by_index(&file, &schema, &cluster.values)? {
        Some(seen) => seen,
        None => in_one_pass(&file, &schema, &cluster.values)?,
    };
    seen.indexed = schema.indexed;
    // The owner's expressions may be wrong, or take for ever: what was counted by then is told all the same.
    let now = clock::now();
    sqlite::stop_by(&mut file, now.plus(until.since(now) / 2))?;
    match combinations::count(&file, &schema.table, cluster)? {
        Ok(combinations) => seen.combinations = combinations,
        Err(why) => seen.uncounted = Some(why),
    }
    longest_without_news(&mut seen.running);
    longest_without_news(&mut seen.failed);
    seen.cost = clock::now().since(start);
    Ok(seen)
}

/// Counts by the index on the state: every state that there is is looked up, all but the most frequent one are counted, and
/// that one is what is left of all. None where there is no such index, or where the states are too many for states.
fn by_index(file: &Connection, schema: &Schema, values: &ChunkValues) -> Result<Option<Seen>, Fault> {
    if !schema.indexed {
        return Ok(None);
    }
    let Some(states) = states(file, schema)? else { return Ok(None) };
    let table = table::quoted(&schema.table);
    let total: i64 = file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
    let mut seen = Seen { counts: Counts { total: total as u64, ..Counts::default() }, ..Seen::default() };
    for (state, count) in counted(file, schema, states, total)? {
        let kind = Kind::of(&state, values);
        kind.add(&mut seen, count as u64);
        match kind {
            Kind::Running => list(file, schema, &state, &mut seen.running)?,
            Kind::Failed => list(file, schema, &state, &mut seen.failed)?,
            Kind::Other => strange(&mut seen.strange, &state),
            Kind::Pending | Kind::Completed => {}
        }
    }
    Ok(Some(seen))
}

/// Every state that there is, each found by one step down the index.
fn states(file: &Connection, schema: &Schema) -> Result<Option<Vec<Value>>, Fault> {
    let (table, status) = (table::quoted(&schema.table), table::quoted(&schema.status.name));
    let first = |rows: &mut rusqlite::Rows<'_>| {
        Ok::<_, Fault>(rows.next()?.map(|row| row.get_ref(0).map(table::value)).transpose()?)
    };
    let mut states = Vec::new();
    let nothing = format!("SELECT {status} FROM {table} WHERE {status} COLLATE BINARY IS NULL LIMIT 1");
    states.extend(first(&mut file.prepare(&nothing)?.query([])?)?);
    let least = format!(
        "SELECT {status} FROM {table} WHERE {status} COLLATE BINARY IS NOT NULL ORDER BY {status} COLLATE BINARY LIMIT 1"
    );
    let mut last = first(&mut file.prepare(&least)?.query([])?)?;
    let mut next = file.prepare(&format!(
        "SELECT {status} FROM {table} WHERE {status} COLLATE BINARY > ?1 ORDER BY {status} COLLATE BINARY LIMIT 1"
    ))?;
    while let Some(state) = last {
        // One that was cut is not what the file has: nothing can be looked up by it.
        if states.len() >= STATES || table::may_differ(&state) {
            return Ok(None);
        }
        last = first(&mut next.query([table::Bound(&state)])?)?;
        states.push(state);
    }
    Ok(Some(states))
}

/// How many there are of each. Nobody knows beforehand which is the most frequent one: all of them are counted a little way,
/// those that go further up to a tenth of all, and of those that go further still all but one to their end. That one is
/// what is left.
fn counted(file: &Connection, schema: &Schema, states: Vec<Value>, total: i64) -> Result<Vec<(Value, i64)>, Fault> {
    let (table, status) = (table::quoted(&schema.table), table::quoted(&schema.status.name));
    let mut some = file.prepare(&format!(
        "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {status} COLLATE BINARY IS ?1 LIMIT ?2)"
    ))?;
    let mut all = file.prepare(&format!("SELECT count(*) FROM {table} WHERE {status} COLLATE BINARY IS ?1"))?;
    let mut done: Vec<(Value, i64)> = Vec::new();
    let mut left = states;
    for limit in [FIRST, FIRST.max(total / 10)] {
        if left.len() < 2 {
            break;
        }
        let mut more = Vec::new();
        for state in left {
            let found: i64 = some.query_row(rusqlite::params![table::Bound(&state), limit], |row| row.get(0))?;
            if found < limit { done.push((state, found)) } else { more.push(state) }
        }
        left = more;
    }
    let last = left.pop();
    for state in left {
        let found = all.query_row([table::Bound(&state)], |row| row.get(0))?;
        done.push((state, found));
    }
    let rest = total - done.iter().map(|(_, count)| count).sum::<i64>();
    done.extend(last.map(|state| (state, rest)));
    Ok(done)
}

/// Lists the chunks of one state.
fn list(file: &Connection, schema: &Schema, state: &Value, into: &mut Vec<Chunk>) -> Result<(), Fault> {
    let mut statement = file.prepare(&format!(
        "SELECT {} FROM {} WHERE {} COLLATE BINARY IS ?1 LIMIT {SIFTED}",
        schema.listed(),
        table::quoted(&schema.table),
        table::quoted(&schema.status.name)
    ))?;
    let mut rows = statement.query(params_from_iter([table::Bound(state)]))?;
    while let Some(row) = rows.next()? {
        add(into, chunk(row, 0)?);
    }
    Ok(())
}

/// Goes through all of the table once.
fn in_one_pass(file: &Connection, schema: &Schema, values: &ChunkValues) -> Result<Seen, Fault> {
    let mut statement = file.prepare(&format!(
        "SELECT {}, {} FROM {}",
        table::quoted(&schema.status.name),
        schema.listed(),
        table::quoted(&schema.table)
    ))?;
    let mut seen = Seen::default();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        seen.counts.total += 1;
        let state = row.get_ref(0)?;
        let kind = Kind::of_row(state, values);
        kind.add(&mut seen, 1);
        match kind {
            Kind::Running => add(&mut seen.running, chunk(row, 1)?),
            Kind::Failed => add(&mut seen.failed, chunk(row, 1)?),
            Kind::Other if seen.strange.len() < STRANGE => strange(&mut seen.strange, &table::value(state)),
            Kind::Other | Kind::Pending | Kind::Completed => {}
        }
    }
    Ok(seen)
}

/// What the state of a chunk means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Pending,
    Running,
    Completed,
    Failed,
    Other,
}

impl Kind {
    fn of(state: &Value, values: &ChunkValues) -> Self {
        let kinds = [
            (&values.running, Self::Running),
            (&values.pending, Self::Pending),
            (&values.completed, Self::Completed),
            (&values.failed, Self::Failed),
        ];
        kinds.into_iter().find(|(word, _)| table::says(state, word)).map_or(Self::Other, |(_, kind)| kind)
    }

    /// The same, without a copy of what nearly every row of a table is.
    fn of_row(state: rusqlite::types::ValueRef<'_>, values: &ChunkValues) -> Self {
        let rusqlite::types::ValueRef::Text(text) = state else { return Self::of(&table::value(state), values) };
        let is = |word: &str| text == word.as_bytes();
        if is(&values.pending) {
            Self::Pending
        } else if is(&values.completed) {
            Self::Completed
        } else if is(&values.running) {
            Self::Running
        } else if is(&values.failed) {
            Self::Failed
        } else {
            Self::Other
        }
    }

    fn add(self, seen: &mut Seen, count: u64) {
        let counts = &mut seen.counts;
        *match self {
            Self::Pending => &mut counts.pending,
            Self::Running => &mut counts.running,
            Self::Completed => &mut counts.completed,
            Self::Failed => &mut counts.failed,
            Self::Other => &mut counts.other,
        } += count;
    }
}

/// A chunk, its columns from this one on as [`Schema::listed`] has them.
fn chunk(row: &rusqlite::Row<'_>, at: usize) -> Result<Chunk, Fault> {
    let value = |number: usize| Ok::<_, Fault>(table::value(row.get_ref(at + number)?));
    let time = |number: usize| Ok::<_, Fault>(sqlite::time(row.get_ref(at + number)?));
    Ok(Chunk { id: value(0)?, worker: value(1)?, started: value(2)?, started_at: time(2)?, heard_at: time(3)? })
}

/// One more chunk; of many, those without news for longest are kept.
fn add(chunks: &mut Vec<Chunk>, chunk: Chunk) {
    chunks.push(chunk);
    if chunks.len() >= 2 * LISTED {
        longest_without_news(chunks);
    }
}

fn longest_without_news(chunks: &mut Vec<Chunk>) {
    // Those of which nothing is known come first.
    chunks.sort_by_key(Chunk::news_at);
    chunks.truncate(LISTED);
}

/// One more strange word, harmless to a terminal.
fn strange(words: &mut Vec<String>, state: &Value) {
    let word = state.word().map_or_else(|| "nothing".to_owned(), |word| schema::short(&word));
    if words.len() < STRANGE && !words.contains(&word) {
        words.push(word);
    }
}
