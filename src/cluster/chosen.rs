//! Chosen chunks of a table that has no quick way to an id: all of the chunks in question are gone through once, and those
//! that are as they were seen are found by their rows. One search through the whole table for each would take minutes.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::core::chunk::Value;
use crate::core::cluster::ChunkValues;
use crate::foreign::sqlite::Fault;

use super::question::Claim;
use super::schema::Schema;
use super::table::{LONGEST, number_of, quoted, value};

/// What SQLite calls a row, unless a column has that name.
const ROW: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// How a chunk is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By its id, at once or not.
    Id,
    /// By its row, which is called so; an id would be searched for in all of them.
    Rows(&'static str),
}

impl Way {
    /// That of a table. To be found out before anything is refused that does not read chunks.
    pub(super) fn of(file: &Connection, schema: &Schema) -> Result<Self, Fault> {
        if is_quick(file, schema)? {
            return Ok(Self::Id);
        }
        Ok(row_name(file, schema)?.map_or(Self::Id, Self::Rows))
    }
}

/// The rows of claims.
pub(super) struct Chosen {
    /// What a row is called.
    pub(super) name: &'static str,
    pub(super) rows: Vec<i64>,
    /// How many claims have none.
    pub(super) left: u64,
}

/// The rows of these claims; nothing where the ids have a quick way, or the table no rows that can be named.
pub(super) fn rows(
    file: &Connection,
    schema: &Schema,
    way: Way,
    values: &ChunkValues,
    claims: &[Claim],
) -> Result<Option<Chosen>, Fault> {
    let Way::Rows(name) = way else { return Ok(None) };
    if claims.len() < 2 {
        return Ok(None);
    }
    let mut wanted: HashMap<String, bool> = claims.iter().filter_map(|claim| Some((key(claim)?, false))).collect();
    let mut found = Vec::new();
    for (failed, word) in [(false, &values.running), (true, &values.failed)] {
        if !claims.iter().any(|claim| claim.failed == failed) {
            continue;
        }
        let mut statement = file.prepare(&format!(
            "SELECT {name}, {}, {}, {} FROM {} WHERE {} COLLATE BINARY IN (?1, ?2)",
            quoted(&schema.id),
            quoted(&schema.worker.name),
            quoted(&schema.started_at.name),
            quoted(&schema.table),
            quoted(&schema.status.name),
        ))?;
        let mut rows = statement.query(rusqlite::params![word, number_of(word)])?;
        while let Some(row) = rows.next()? {
            let of = |column: usize| Ok::<_, Fault>(value(row.get_ref(column)?));
            let claim = Claim { id: of(1)?, failed, worker: of(2)?, started: of(3)? };
            if let Some(seen) = key(&claim).and_then(|key| wanted.get_mut(&key)) {
                *seen = true;
                found.push(row.get(0)?);
            }
        }
    }
    let missed = claims.iter().filter(|claim| !key(claim).and_then(|key| wanted.get(&key)).is_some_and(|seen| *seen));
    let left = missed.count() as u64;
    Ok(Some(Chosen { name, rows: found, left }))
}

/// By which a claim is known again; nothing for one with a value that was cut, which is like no other.
fn key(claim: &Claim) -> Option<String> {
    let whole = |value: &Value| match value {
        Value::Text(text) => text.len() <= LONGEST,
        Value::Blob(bytes) => bytes.len() < LONGEST,
        Value::Null | Value::Integer(_) | Value::Real(_) => true,
    };
    [&claim.id, &claim.worker, &claim.started].into_iter().all(whole).then(|| format!("{claim:?}"))
}

/// Whether SQLite finds a row by its id without going through all of them.
fn is_quick(file: &Connection, schema: &Schema) -> Result<bool, Fault> {
    let plan = format!("EXPLAIN QUERY PLAN SELECT 1 FROM {} WHERE {} IS ?1", quoted(&schema.table), quoted(&schema.id));
    let mut statement = file.prepare(&plan)?;
    let mut rows = statement.query([1])?;
    let mut quick = false;
    while let Some(row) = rows.next()? {
        quick |= row.get::<_, String>(3)?.starts_with("SEARCH");
    }
    Ok(quick)
}

/// What a row of this table is called; nothing if it has no such name.
fn row_name(file: &Connection, schema: &Schema) -> Result<Option<&'static str>, Fault> {
    let mut statement = file.prepare("SELECT name FROM pragma_table_xinfo(?1)")?;
    let names = statement.query_map([&schema.table], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let free = ROW.into_iter().find(|row| !names.iter().any(|name| name.eq_ignore_ascii_case(row)));
    // A table without rows of its own (WITHOUT ROWID) does not know the word.
    Ok(free.filter(|row| file.prepare(&format!("SELECT {row} FROM {} LIMIT 1", quoted(&schema.table))).is_ok()))
}
