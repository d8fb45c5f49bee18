//! Combinations, counted by the expressions of the configuration.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Statement};

use crate::config::visible;
use crate::core::chunk::CombinationsSeen;
use crate::core::cluster::ClusterSpec;
use crate::foreign::sqlite::Fault;

use super::table::quoted;

/// Counts them, both in one pass over the table, through a connection that may only read; or tells what is wrong with an
/// expression, which is nothing that the file can help.
pub(super) fn count(
    file: &Connection,
    table: &str,
    cluster: &ClusterSpec,
) -> Result<Result<CombinationsSeen, String>, Fault> {
    let (total, tested) = (&cluster.combinations.total, &cluster.combinations.tested);
    let asked: Vec<(&str, &str)> = [("total", total), ("tested", tested)]
        .into_iter()
        .filter_map(|(key, expression)| expression.as_deref().map(|expression| (key, expression)))
        .collect();
    // One by one, so that whoever is told that one is wrong knows which.
    for (key, expression) in &asked {
        if let Err(error) = one_for_all(file, table, expression) {
            return wrong(cluster, key, error).map(Err);
        }
    }
    let both = asked.iter().map(|(key, _)| *key).collect::<Vec<_>>().join(" or ");
    let expressions: Vec<&str> = asked.iter().map(|(_, expression)| *expression).collect();
    let mut seen = CombinationsSeen::default();
    if asked.is_empty() {
        return Ok(Ok(seen));
    }
    let numbers = match numbers(file, table, &expressions) {
        Ok(numbers) => numbers,
        Err(error) => return wrong(cluster, &both, error).map(Err),
    };
    for ((key, _), number) in asked.iter().zip(numbers) {
        *if *key == "total" { &mut seen.total } else { &mut seen.tested } = number;
    }
    Ok(Ok(seen))
}

/// Why an expression cannot be evaluated.
enum Wrong {
    Sqlite(rusqlite::Error),
    Said(&'static str),
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn numbers(file: &Connection, table: &str, expressions: &[&str]) -> Result<Vec<Option<u64>>, Wrong> {
    let mut statement = prepared(file, &quoted(table), expressions)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(vec![None; expressions.len()]) };
    let numbers = (0..expressions.len()).map(|at| row.get_ref(at).map(number)).collect::<Result<_, _>>()?;
    if rows.next()?.is_some() { Err(Wrong::Said(FOR_EVERY_CHUNK)) } else { Ok(numbers) }
}

const FOR_EVERY_CHUNK: &str =
    "gives a number for every chunk: write one for all of them, such as sum(n), or max(5000) for one that is fixed";

/// Makes sure that an expression is one, and one for all chunks: beside another that is, it would be taken from any of them.
fn one_for_all(file: &Connection, table: &str, expression: &str) -> Result<(), Wrong> {
    prepared(file, &quoted(table), &[expression])?;
    let two = format!("(SELECT * FROM {} LIMIT 2)", quoted(table));
    // What is known of a table alone, such as its rowid, is not known of two of its rows: then there is nothing to be said.
    let Ok(mut statement) = prepared(file, &two, &[expression]) else { return Ok(()) };
    let mut rows = statement.query([])?;
    let many = rows.next()?.is_some() && rows.next()?.is_some();
    if many { Err(Wrong::Said(FOR_EVERY_CHUNK)) } else { Ok(()) }
}

fn prepared<'a>(file: &'a Connection, from: &str, expressions: &[&str]) -> Result<Statement<'a>, Wrong> {
    // A comment in it ends with its line.
    let columns: Vec<String> = expressions.iter().map(|expression| format!("({expression}\n)")).collect();
    let statement = file.prepare(&format!("SELECT {} FROM {from}", columns.join(", ")))?;
    if !statement.readonly() || statement.column_count() != expressions.len() {
        return Err(Wrong::Said("is not one expression"));
    }
    Ok(statement)
}

fn number(value: ValueRef<'_>) -> Option<u64> {
    match value {
        ValueRef::Integer(number) => u64::try_from(number).ok(),
        ValueRef::Real(number) if number >= 0.0 && number < u64::MAX as f64 => Some(number as u64),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

/// What is wrong with an expression, in a sentence; where it is the file, that.
fn wrong(cluster: &ClusterSpec, key: &str, wrong: Wrong) -> Result<String, Fault> {
    let why = match wrong {
        Wrong::Said(why) => why.to_owned(),
        Wrong::Sqlite(rusqlite::Error::MultipleStatement) => "is more than one statement".to_owned(),
        Wrong::Sqlite(rusqlite::Error::SqlInputError { msg, .. }) => format!("is wrong: {msg}"),
        Wrong::Sqlite(error) => match error.sqlite_error_code() {
            Some(ErrorCode::AuthorizationForStatementDenied) => "does more than read".to_owned(),
            Some(ErrorCode::OperationInterrupted) => {
                "takes too long: write it so that it needs less, or leave it out".to_owned()
            }
            // Not its fault.
            Some(
                ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory,
            ) => return Err(Fault::Sqlite(error)),
            Some(_) | None => format!("is wrong: {error}"),
        },
    };
    Ok(format!("clusters.{}.combinations.{key} {}", cluster.name, visible(&why)))
}
