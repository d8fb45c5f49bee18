//! Putting chunks back: one transaction that begins by locking, and changes three columns of one table.
//!
//! What else the file would do when a row changes is switched off in our connection, and whatever is not one of the three
//! columns is refused before it is touched. A journal or a log that somebody has left behind is taken back, or read, by
//! SQLite as it opens the file: that is the only clean-up there is. Nothing is removed by us, also not when we are done:
//! where there is a write-ahead log the change stays in it, on disk, for the next program that opens the file.

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::clock;
use crate::core::chunk::Value;
use crate::core::cluster::ClusterSpec;
use crate::core::moment::Moment;
use crate::foreign::file;
use crate::foreign::sqlite::{self, Fault};

use super::chosen::{self, Chosen, Way};
use super::question::{Answer, Claim, Which};
use super::schema::{self, Column, Schema};
use super::table::{Bound, is, number_of, quoted};
use super::trouble;

/// Puts chunks back, until then at the latest. Whoever has the file locked is waited for as long as `lock` says: a change of
/// very many rows takes its time, and nobody is to wait as long for a lock that is never given up.
pub fn put_back(cluster: &ClusterSpec, which: &Which, lock: Duration, until: Moment) -> Answer {
    let whole = until.since(clock::now());
    if let Some(failure) = trouble::before(cluster) {
        return Answer::Failed(failure);
    }
    let lock = lock.min(whole);
    match change(cluster, which, lock, until) {
        Ok((count, left)) => Answer::PutBack { count, left },
        Err(fault) => {
            let is_locked = matches!(&fault, Fault::Sqlite(error) if sqlite::is_busy(error));
            let allowed = if is_locked { lock } else { whole };
            Answer::Failed(trouble::failure(cluster, fault, trouble::Doing::PutBack, allowed))
        }
    }
}

fn change(cluster: &ClusterSpec, which: &Which, lock: Duration, until: Moment) -> Result<(u64, u64), Fault> {
    let path = &cluster.database;
    let identity = file::identity(path);
    let mut open = sqlite::open_to_write(path, until)?;
    let file: &mut Connection = &mut open;
    // Nothing runs along with the change, and no name that does not exist is taken for a text.
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // Done is what is on disk, with the folder that its journal was removed from.
    let free_by = clock::now().plus(lock);
    sqlite::once_free(free_by, || file.pragma_update(None, "synchronous", "EXTRA"))?;
    sqlite::once_free(free_by, || file.execute_batch("BEGIN IMMEDIATE"))?;
    let patience = free_by.since(clock::now());
    let schema = schema::check(file, cluster)?;
    let cleared = Cleared::of(file, &schema)?;
    let way = Way::of(file, &schema)?;
    allow(file, &schema)?;
    let counts = match which {
        Which::Running => (running(file, cluster, &schema, &cleared)?, 0),
        Which::These(claims) => these(file, cluster, (&schema, way), &cleared, claims)?,
    };
    let same = || if identity.is_some() && identity == file::identity(path) { Ok(()) } else { Err(replaced()) };
    same()?;
    // Whoever still reads is waited for; what is not committed in time is taken back as the connection is closed.
    let now = clock::now();
    let free_by = now.plus(patience.min(until.since(now)));
    sqlite::once_free(free_by, || file.execute_batch("COMMIT"))?;
    same()?;
    Ok(counts)
}

fn replaced() -> Fault {
    Fault::Told("was replaced by another file while chunks were put back: try again".into())
}

/// Refuses everything but what is to be done.
fn allow(file: &mut Connection, schema: &Schema) -> Result<(), Fault> {
    let table = schema.table.clone();
    let columns = [&schema.status, &schema.worker, &schema.started_at].map(|column| column.name.clone());
    file.authorizer(Some(move |context: AuthContext<'_>| {
        let allowed = if let AuthAction::Update { table_name, column_name } = context.action {
            context.database_name == Some("main")
                && table_name == table
                && columns.iter().any(|column| column == column_name)
        } else {
            matches!(
                context.action,
                AuthAction::Select
                    | AuthAction::Read { .. }
                    | AuthAction::Function { .. }
                    | AuthAction::Transaction { .. }
            )
        };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }))?;
    Ok(())
}

/// What a cleared column is set to.
struct Cleared {
    worker: Value,
    started_at: Value,
}

impl Cleared {
    fn of(file: &Connection, schema: &Schema) -> Result<Self, Fault> {
        let strict = (schema.worker.needed || schema.started_at.needed) && schema::is_strict(file, &schema.table)?;
        // A worker that is 0 would be somebody: only where nothing else is taken.
        let worker = empty(&schema.worker, strict, strict);
        Ok(Self { worker, started_at: empty(&schema.started_at, strict, true) })
    }
}

/// Nothing, or where there must be something the least that there is.
fn empty(column: &Column, strict: bool, by_kind: bool) -> Value {
    if !column.needed {
        return Value::Null;
    }
    let kind = column.kind.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| kind.contains(part));
    if !by_kind || (strict && kind == "ANY") {
        Value::Text(String::new())
    } else if has(&["INT"]) {
        Value::Integer(0)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Value::Text(String::new())
    } else if kind.is_empty() || has(&["BLOB"]) {
        if strict { Value::Blob(Vec::new()) } else { Value::Text(String::new()) }
    } else if has(&["REAL", "FLOA", "DOUB", "NUM", "DEC"]) {
        Value::Integer(0)
    } else {
        // DATETIME and the like: mostly texts.
        Value::Text(String::new())
    }
}

/// The beginning of a change: everything up to its condition. Its values are the first three, then the pending state as a
/// number, for a row whose state is one.
fn update(schema: &Schema) -> String {
    let status = quoted(&schema.status.name);
    format!(
        // Whatever the table says of conflicts: nothing makes way for what is changed.
        "UPDATE OR ABORT {} SET {status} = CASE WHEN ?4 IS NOT NULL AND typeof({status}) IN ('integer', 'real') \
         THEN ?4 ELSE ?1 END, {} = ?2, {} = ?3 WHERE ",
        quoted(&schema.table),
        quoted(&schema.worker.name),
        quoted(&schema.started_at.name),
    )
}

/// The condition that the state is that of the fifth value, or of the sixth, which is its number.
fn state(schema: &Schema) -> String {
    format!("{} COLLATE BINARY IN (?5, ?6)", quoted(&schema.status.name))
}

fn running(file: &Connection, cluster: &ClusterSpec, schema: &Schema, cleared: &Cleared) -> Result<u64, Fault> {
    let values = &cluster.values;
    let mut statement = file.prepare(&format!("{}{}", update(schema), state(schema)))?;
    let changed = statement.execute(rusqlite::params![
        values.pending,
        Bound(&cleared.worker),
        Bound(&cleared.started_at),
        number_of(&values.pending),
        values.running,
        number_of(&values.running)
    ])?;
    Ok(changed as u64)
}

fn these(
    file: &Connection,
    cluster: &ClusterSpec,
    (schema, way): (&Schema, Way),
    cleared: &Cleared,
    claims: &[Claim],
) -> Result<(u64, u64), Fault> {
    let values = &cluster.values;
    if let Some(Chosen { name, rows, left }) = chosen::rows(file, schema, way, values, claims)? {
        let mut statement = file.prepare(&format!("{}{name} = ?5", update(schema)))?;
        let (pending, number) = (&values.pending, number_of(&values.pending));
        let mut count = 0;
        for row in rows {
            let (worker, started_at) = (Bound(&cleared.worker), Bound(&cleared.started_at));
            count += statement.execute(rusqlite::params![pending, worker, started_at, number, row])? as u64;
        }
        return Ok((count, left));
    }
    let (mut count, mut left) = (0, 0);
    for claim in claims {
        // By the column's own rules, so that an index serves; and then exactly.
        let by_index = match &claim.id {
            Value::Blob(_) => String::new(),
            Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) => {
                format!("{} IS ?7 AND ", quoted(&schema.id))
            }
        };
        let mut statement = file.prepare_cached(&format!(
            "{}{by_index}{} AND {} AND {} AND {}",
            update(schema),
            is(&schema.id, 7, &claim.id),
            state(schema),
            is(&schema.worker.name, 8, &claim.worker),
            is(&schema.started_at.name, 9, &claim.started),
        ))?;
        let word = if claim.failed { &values.failed } else { &values.running };
        let (pending, number) = (number_of(&values.pending), number_of(word));
        let bound: [&dyn ToSql; 9] = [
            &values.pending,
            &Bound(&cleared.worker),
            &Bound(&cleared.started_at),
            &pending,
            word,
            &number,
            &Bound(&claim.id),
            &Bound(&claim.worker),
            &Bound(&claim.started),
        ];
        match statement.execute(params_from_iter(bound))? {
            0 => left += 1,
            changed => count += changed as u64,
        }
    }
    Ok((count, left))
}
