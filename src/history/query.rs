//! Pages of rows, newest first: by where a row stands, never by counting rows from the top, so that the millionth page
//! costs what the first one does.

use std::fmt::Write;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::clock;
use crate::core::history::{Anchor, Entry, Place, RunSeen, Shelf, Test, Wanted, What};

use super::index::History;
use super::memo::Memo;
use super::schema::Fault;

/// Which rows are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Of what.
    pub shelf: Shelf,
    /// Which of them.
    pub wanted: Wanted,
    /// Where the page begins.
    pub from: Anchor,
    /// So many at most.
    pub count: usize,
}

/// A page of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub rows: Vec<Entry>,
    /// How many are newer than the first of them.
    pub before: u64,
    /// How many there are.
    pub total: u64,
}

/// A condition, and what stands in it.
struct Condition {
    sql: String,
    values: Vec<Value>,
}

impl History {
    /// A page of rows.
    ///
    /// # Errors
    /// If the index cannot be had; the sentence says why.
    pub fn page(&mut self, query: &Query) -> Result<Page, String> {
        self.with(|history| history.look(query))
    }

    fn look(&mut self, query: &Query) -> Result<Page, Fault> {
        let memo = self.memo.take();
        // One look at all of it: somebody else may be adding to it.
        let db = self.db().transaction()?;
        let condition = condition(&db, query)?;
        let (total, memo) = count(&db, query, &condition, memo)?;
        let turned = matches!(query.from, Anchor::Oldest | Anchor::Newer(_));
        let (limit, place) = match query.from {
            Anchor::Newest | Anchor::Oldest => ("", None),
            Anchor::Older(place) => ("AND (t.at, t.id) < (?, ?)", Some(place)),
            Anchor::Newer(place) => ("AND (t.at, t.id) > (?, ?)", Some(place)),
            Anchor::At(place) => ("AND (t.at, t.id) <= (?, ?)", Some(place)),
        };
        let way = if turned { "ASC" } else { "DESC" };
        let (columns, table) = shelf(query.shelf);
        let sql = format!(
            "SELECT {columns} FROM {table} AS t WHERE {} {limit} ORDER BY t.at {way}, t.id {way} LIMIT ?",
            condition.sql
        );
        let mut values = condition.values.clone();
        values.extend(place.into_iter().flat_map(|place| [place.at.into(), place.id.into()]));
        values.push(Value::Integer(query.count as i64));
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(values), |row| entry(query.shelf, row))?;
        let mut rows: Vec<Entry> = rows.collect::<Result<_, _>>()?;
        if turned {
            rows.reverse();
        }
        let before = match (query.from, rows.first()) {
            (Anchor::Newest, _) | (_, None) => 0,
            (Anchor::Oldest, Some(_)) => total.saturating_sub(rows.len() as u64),
            (Anchor::Older(_) | Anchor::Newer(_) | Anchor::At(_), Some(first)) => {
                newer(&db, query, &condition, first.place)?
            }
        };
        drop(statement);
        drop(db);
        self.memo = memo;
        Ok(Page { rows, before, total })
    }
}

fn shelf(shelf: Shelf) -> (&'static str, &'static str) {
    match shelf {
        Shelf::Events => ("t.at, t.id, t.bot, t.kind, t.text", "events"),
        Shelf::Runs => ("t.at, t.id, t.bot, t.run, t.started, t.ended, t.exit, t.last, t.failures", "runs"),
        Shelf::Reports => ("t.at, t.id, t.bot, t.action, t.author, t.code, t.bots, t.text", "events"),
    }
}

fn entry(shelf: Shelf, row: &Row<'_>) -> Result<Entry, rusqlite::Error> {
    let what = match shelf {
        Shelf::Events => What::Event { kind: row.get(3)?, text: row.get(4)? },
        Shelf::Runs => What::Run(run(row)?),
        Shelf::Reports => {
            let bots: Option<String> = row.get(6)?;
            What::Report {
                action: row.get::<_, Option<String>>(3)?.unwrap_or_else(|| "stop".to_owned()),
                by: row.get(4)?,
                code: row.get(5)?,
                bots: bots.map_or(1, |bots| bots.split_whitespace().count() as u64),
                text: row.get(7)?,
            }
        }
    };
    Ok(Entry { place: Place { at: row.get(0)?, id: row.get(1)? }, bot: row.get(2)?, what })
}

fn run(row: &Row<'_>) -> Result<RunSeen, rusqlite::Error> {
    Ok(RunSeen {
        run: row.get(3)?,
        started: row.get(4)?,
        ended: row.get(5)?,
        exit: row.get(6)?,
        last: row.get(7)?,
        failures: row.get(8)?,
    })
}

/// How many rows there are. Of events only those that came since are counted.
fn count(
    db: &Connection,
    query: &Query,
    condition: &Condition,
    memo: Option<Memo>,
) -> Result<(u64, Option<Memo>), Fault> {
    let (_, table) = shelf(query.shelf);
    if query.shelf != Shelf::Events || query.wanted.terms.iter().any(|term| matches!(term.test, Test::Since(_))) {
        let sql = format!("SELECT count(*) FROM {table} AS t WHERE {}", condition.sql);
        let total: i64 = db.prepare_cached(&sql)?.query_row(params_from_iter(&condition.values), |row| row.get(0))?;
        return Ok((total.unsigned_abs(), memo));
    }
    let (epoch, last): (i64, i64) =
        db.query_row("SELECT (SELECT epoch FROM facts), (SELECT ifnull(max(id), 0) FROM events)", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let known = memo.filter(|memo| memo.wanted == query.wanted && memo.epoch == epoch && memo.upto <= last);
    let (upto, before) = known.map_or((0, 0), |memo| (memo.upto, memo.total));
    let more: i64 = if upto == last {
        0
    } else if upto == 0 {
        let sql = format!("SELECT count(*) FROM events AS t WHERE {}", condition.sql);
        db.prepare_cached(&sql)?.query_row(params_from_iter(&condition.values), |row| row.get(0))?
    } else {
        let sql = format!("SELECT count(*) FROM events AS t WHERE t.id > {upto} AND {}", condition.sql);
        db.query_row(&sql, params_from_iter(&condition.values), |row| row.get(0))?
    };
    let total = before + more.unsigned_abs();
    Ok((total, Some(Memo { wanted: query.wanted.clone(), epoch, upto: last, total })))
}

fn newer(db: &Connection, query: &Query, condition: &Condition, place: Place) -> Result<u64, Fault> {
    let (_, table) = shelf(query.shelf);
    let sql = format!("SELECT count(*) FROM {table} AS t WHERE {} AND (t.at, t.id) > (?, ?)", condition.sql);
    let mut values = condition.values.clone();
    values.extend([place.at.into(), place.id.into()]);
    let newer: i64 = db.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(newer.unsigned_abs())
}

fn condition(db: &Connection, query: &Query) -> Result<Condition, Fault> {
    let mut all = Condition { sql: "TRUE".into(), values: Vec::new() };
    if query.shelf == Shelf::Reports {
        // What became of several bots is one row; each bot's part of it is told when that is opened.
        all.sql = "t.kind = 'report' AND (t.bot IS NULL OR t.stop IS NULL OR NOT EXISTS (SELECT 1 FROM events AS w
            WHERE w.stop = t.stop AND w.kind = 'report' AND w.bot IS NULL))"
            .into();
    }
    for term in &query.wanted.terms {
        let (sql, values) = test(db, query.shelf, &term.test)?;
        let not = if term.not { "NOT " } else { "" };
        let _ = write!(all.sql, " AND {not}({sql})");
        all.values.extend(values);
    }
    Ok(all)
}

/// A test in the words of SQL. None of them is ever NULL: "not" would be nothing too.
fn test(db: &Connection, shelf: Shelf, test: &Test) -> Result<(String, Vec<Value>), Fault> {
    let part = |text: &str| Value::Text(format!("%{}%", literally(text)));
    let start = |text: &str| Value::Text(format!("{}%", literally(text)));
    let like = |column: &str| format!("ifnull(t.{column}, '') LIKE ? ESCAPE '\\'");
    let tested = match test {
        Test::Bot(name) => {
            // A bot's rows are those of its file.
            let mut statement = db.prepare_cached("SELECT id FROM files WHERE bot LIKE ? ESCAPE '\\'")?;
            let ids: Vec<i64> = statement.query_map([part(name)], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let of_file = match ids.as_slice() {
                [only] => format!("t.file = {only}"),
                ids => {
                    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                    // Read in the order of time, instead of sorting what many files have.
                    format!("+t.file IN ({})", ids.join(", "))
                }
            };
            match shelf {
                Shelf::Events | Shelf::Runs => (of_file, vec![]),
                Shelf::Reports => (format!("{of_file} OR {}", like("bots")), vec![part(name)]),
            }
        }
        Test::Kind(kind) => match shelf {
            Shelf::Events => {
                let mut statement = db.prepare_cached(KINDS)?;
                let kinds = statement.query_map([start(kind)], |row| row.get::<_, String>(0))?;
                let kinds: Vec<Value> = kinds.map(|kind| kind.map(Value::Text)).collect::<Result<_, _>>()?;
                match kinds.as_slice() {
                    [_] => ("t.kind = ?".into(), kinds),
                    _ => (format!("+t.kind IN ({})", vec!["?"; kinds.len()].join(", ")), kinds),
                }
            }
            Shelf::Runs => (like("last"), vec![start(kind)]),
            Shelf::Reports => (like("action"), vec![start(kind)]),
        },
        Test::By(who) => match shelf {
            Shelf::Events | Shelf::Reports => (like("author"), vec![part(who)]),
            // Nobody in particular.
            Shelf::Runs => ("FALSE".into(), vec![]),
        },
        Test::Since(ago) => {
            let since = clock::wall_before(*ago).as_nanosecond();
            ("t.at >= ?".into(), vec![Value::Integer(i64::try_from(since).unwrap_or(i64::MIN))])
        }
        Test::Text(text) => {
            let columns: &[&str] = match shelf {
                Shelf::Events => &["text", "bot", "kind"],
                Shelf::Runs => &["run", "bot", "last", "exit"],
                Shelf::Reports => &["text", "bot", "action", "author", "bots"],
            };
            let sql: Vec<String> = columns.iter().map(|column| like(column)).collect();
            (sql.join(" OR "), vec![part(text); columns.len()])
        }
    };
    Ok(tested)
}

/// The kinds that there are: one step through the index for each, not one for each event.
const KINDS: &str = "WITH RECURSIVE kinds (kind) AS (SELECT min(kind) FROM events UNION ALL
    SELECT (SELECT min(e.kind) FROM events AS e WHERE e.kind > kinds.kind) FROM kinds WHERE kinds.kind IS NOT NULL)
    SELECT kind FROM kinds WHERE kind LIKE ? ESCAPE '\\'";

/// A text without the signs that LIKE obeys.
fn literally(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
