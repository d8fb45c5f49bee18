//! Whether a file has what the configuration says.

use rusqlite::Connection;

use crate::config::visible;
use crate::core::cluster::ClusterSpec;
use crate::foreign::sqlite::Fault;

use super::table::quoted;

/// So many names are told of what was found.
const TOLD: usize = 20;

/// No more of a name is told.
const LONGEST: usize = 60;

/// The table of chunks, its names as the file writes them.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    pub(super) table: String,
    pub(super) id: String,
    pub(super) status: Column,
    pub(super) worker: Column,
    pub(super) started_at: Column,
    pub(super) heartbeat: Option<String>,
    /// An index that begins with the state of every chunk, letter by letter.
    pub(super) indexed: bool,
}

/// A column that may be written.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// What it is declared as.
    pub(super) kind: String,
    /// Whether it must have a value.
    pub(super) needed: bool,
}

/// Looks a cluster's table up.
pub(super) fn check(file: &Connection, cluster: &ClusterSpec) -> Result<Schema, Fault> {
    let table = table(file, cluster)?;
    let columns = columns(file, &table)?;
    let of = |name: &str| {
        columns.iter().find(|column| column.name == name).or_else(|| {
            // As SQLite has it: letters of ASCII are the same, large or small.
            columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        })
    };
    let need = |name: &str| {
        of(name).cloned().ok_or_else(|| {
            let names = told(columns.iter().map(|column| column.name.as_str()));
            let (table, name) = (short(&table), short(name));
            Fault::Told(format!(
                "table {table} has no column \"{name}\"; it has {names}: name it in columns of [clusters.{}]",
                cluster.name
            ))
        })
    };
    let names = &cluster.columns;
    let (id, status) = (need(&names.id)?, need(&names.status)?);
    let (worker, started_at) = (need(&names.worker)?, need(&names.started_at)?);
    let heartbeat = names.heartbeat.as_deref().map(need).transpose()?.map(|column| column.name);
    // Whoever clears one of them would clear the other.
    let all = [&id.name, &status.name, &worker.name, &started_at.name];
    if let Some((_, twice)) = all.iter().enumerate().find(|(at, name)| all[..*at].contains(name)) {
        return Err(Fault::Told(format!(
            "column \"{}\" of table {} is named for two things: name another one in columns of [clusters.{}]",
            short(twice),
            short(&table),
            cluster.name
        )));
    }
    let indexed = indexed(file, &table, &status.name)?;
    Ok(Schema { table, id: id.name, status, worker, started_at, heartbeat, indexed })
}

fn table(file: &Connection, cluster: &ClusterSpec) -> Result<String, Fault> {
    let mut statement = file.prepare(
        "SELECT name, type, ifnull(rootpage, 0) FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let found = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = short(&cluster.table);
    let Some((name, kind, root)) = found.iter().find(|(name, ..)| name.eq_ignore_ascii_case(&cluster.table)) else {
        let tables = || found.iter().filter(|(_, kind, _)| kind == "table").map(|(name, ..)| name.as_str());
        let names = told(tables());
        return Err(if tables().next().is_none() {
            Fault::Empty(format!(
                "has no table \"{wanted}\", and no other one: whoever makes it has not begun, or database of \
                 [clusters.{}] names another file",
                cluster.name
            ))
        } else {
            Fault::Told(format!(
                "has no table \"{wanted}\"; it has {names}: name one as table of [clusters.{}]",
                cluster.name
            ))
        });
    };
    let not_a_table = |what: &str| {
        Fault::Told(format!(
            "\"{wanted}\" is {what}: name the table that the chunks are in as table of [clusters.{}]",
            cluster.name
        ))
    };
    match (kind.as_str(), root) {
        ("view", _) => Err(not_a_table("a view, not a table")),
        // Its rows are made by a module, and may be anything.
        (_, 0) => Err(not_a_table("a virtual table, not a real one")),
        _ => Ok(name.clone()),
    }
}

fn columns(file: &Connection, table: &str) -> Result<Vec<Column>, Fault> {
    let mut statement = file.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1)")?;
    let columns = statement.query_map([table], |row| {
        // A key of a table without numbers of rows must have a value, too; to ask for one where it need not is no harm.
        let needed = row.get::<_, i64>(2)? != 0 || row.get::<_, i64>(3)? != 0;
        Ok(Column { name: row.get(0)?, kind: row.get::<_, Option<String>>(1)?.unwrap_or_default(), needed })
    })?;
    Ok(columns.collect::<Result<_, _>>()?)
}

/// Whether there is an index that chunks can be counted by: over all of them, by their state first, letter by letter.
fn indexed(file: &Connection, table: &str, status: &str) -> Result<bool, Fault> {
    let mut statement = file.prepare(
        "SELECT EXISTS (
            SELECT 1 FROM pragma_index_list(?1) AS list, pragma_index_xinfo(list.name) AS part
            WHERE list.partial = 0 AND part.seqno = 0 AND part.name = ?2 AND part.coll = 'BINARY'
         )",
    )?;
    Ok(statement.query_row([table, status], |row| row.get(0))?)
}

/// Whether a table takes values of its declared kinds alone.
pub(super) fn is_strict(file: &Connection, table: &str) -> Result<bool, Fault> {
    let mut statement = file.prepare("SELECT strict FROM pragma_table_list(?1) WHERE schema = 'main'")?;
    let mut rows = statement.query([table])?;
    Ok(rows.next()?.map_or(Ok(false), |row| row.get(0))?)
}

impl Schema {
    /// The columns of a chunk that is listed.
    pub(super) fn listed(&self) -> String {
        let heartbeat = self.heartbeat.as_deref().map_or_else(|| "NULL".to_owned(), quoted);
        format!("{}, {}, {}, {heartbeat}", quoted(&self.id), quoted(&self.worker.name), quoted(&self.started_at.name))
    }
}

/// Names, a few of them, harmless to a terminal.
pub(super) fn told<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = names.map(short).collect();
    let more = names.len().saturating_sub(TOLD);
    names.truncate(TOLD);
    let names = names.join(", ");
    if more == 0 { names } else { format!("{names} and {more} more") }
}

/// A name, not too much of it, harmless to a terminal.
pub(super) fn short(name: &str) -> String {
    let mut cut: String = name.chars().take(LONGEST).collect();
    if cut.len() < name.len() {
        cut.push('…');
    }
    visible(&cut).into_owned()
}
