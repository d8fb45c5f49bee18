//! What every source that is a file of SQLite shares: how it is opened, bounded and closed again, and what its errors mean.
//!
//! A bot's own file is always opened read-only, and never as `immutable`: that would pass over the write-ahead log, in which a fresh run has all its
//! orders. What lies beside the file is SQLite's business alone: deleting a log or a journal loses committed data.

use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::ffi;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fs::{Access, access};

use crate::clock;
use crate::core::decimal;
use crate::core::moment::Moment;

use super::file;
use super::times;
use super::turns::{self, Turn};

/// Nobody's lock is waited for longer than this, nor longer than a third of what time there is.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// So many steps of SQLite's machine between two looks at the clock: about a millisecond.
const STEPS: i32 = 20_000;

/// Why a file could not be read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite says so.
    Sqlite(rusqlite::Error),
    /// The second half of a sentence.
    Told(String),
    /// Nothing is in it yet; the second half of a sentence.
    Empty(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Told(why)
    }
}

impl Fault {
    /// Whether it is no file of SQLite at all.
    pub(crate) fn is_other_file(&self) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::NotADatabase)
    }

    /// What SQLite says, if it was SQLite.
    pub(crate) fn sqlite_error(&self) -> Option<&ffi::Error> {
        match self {
            Self::Sqlite(error) => error.sqlite_error(),
            Self::Told(_) | Self::Empty(_) => None,
        }
    }

    /// The second half of a sentence that begins with the file's name. Its words may be those of the file.
    pub(crate) fn words(self, path: &Path) -> String {
        match self {
            Self::Told(why) | Self::Empty(why) => why,
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, message)) => explain(error, message, path),
            Self::Sqlite(rusqlite::Error::MultipleStatement) => "the query is more than one statement".into(),
            Self::Sqlite(error) => error.to_string(),
        }
    }
}

fn explain(error: ffi::Error, message: Option<String>, path: &Path) -> String {
    let message = message.unwrap_or_else(|| error.to_string());
    let is = |codes: &[ErrorCode]| codes.contains(&error.code);
    if error.extended_code == ffi::SQLITE_READONLY_ROLLBACK {
        "was left in the middle of a change, which only its own program can take back: start that program".into()
    } else if is(&[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked]) {
        "is locked by another program".into()
    } else if is(&[ErrorCode::NotADatabase]) {
        "is not a file of SQLite".into()
    } else if is(&[ErrorCode::DatabaseCorrupt]) {
        format!("is damaged: {message}")
    } else if is(&[ErrorCode::OperationInterrupted]) {
        "could not be read in time".into()
    } else if is(&[ErrorCode::TooBig]) {
        format!("has a value larger than {} MiB", file::LARGEST >> 20)
    } else if is(&[ErrorCode::CannotOpen, ErrorCode::ReadOnly, ErrorCode::PermissionDenied]) {
        closed(message, path)
    } else if is(&[ErrorCode::SystemIoFailure]) {
        format!("cannot be read: {message}")
    } else {
        message
    }
}

/// Why a file cannot be opened that we may read: it is what must be beside it.
fn closed(message: String, path: &Path) -> String {
    let may = |path: &Path, what| access(path, what).is_ok();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let log = file::beside(path, "-wal");
    let index = file::beside(path, "-shm");
    if log.exists() && !may(&log, Access::READ_OK) {
        "cannot be opened: it has a write-ahead log (-wal) that we may not read".into()
    } else if !index.exists() && !may(folder, Access::WRITE_OK) {
        "cannot be opened: it has a write-ahead log, for which -shm must be made beside it, in a folder that we may not \
         write"
            .into()
    } else {
        format!("cannot be opened: {message}")
    }
}

/// A file that is open, and the turn at it.
#[derive(Debug)]
pub(crate) struct Open {
    // Closed before the turn is over.
    file: Connection,
    _turn: Turn,
}

impl Deref for Open {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.file
    }
}

impl DerefMut for Open {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.file
    }
}

/// Opens a file to read it, until then at the latest. It is to be closed as soon as it is read.
pub(crate) fn open(path: &Path, until: Moment) -> Result<Open, Fault> {
    let identity = file::look(path)?;
    let late = || Fault::Told("could not be read in time".into());
    let turn = turns::look(identity, until).ok_or_else(late)?;
    let file = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX, until)?;
    // The last one to close must not tidy up: that is the bot's own business.
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(Open { file, _turn: turn })
}

/// Opens a file to change it, until then at the latest; none is ever made. A lock is not waited for: whoever asks tries again.
pub(crate) fn open_to_write(path: &Path, until: Moment) -> Result<Open, Fault> {
    let identity = file::look(path)?;
    let late = || Fault::Told("could not be opened in time".into());
    let turn = turns::look(identity, until).ok_or_else(late)?;
    let file = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX, until)?;
    file.busy_timeout(Duration::ZERO)?;
    // What was committed is in the log and on disk. Whoever opens the file next finds it there, and may tidy up.
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // It was opened, but only to be read.
    if file.is_readonly("main")? {
        return Err(Fault::Sqlite(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None)));
    }
    Ok(Open { file, _turn: turn })
}

/// Tries something until nobody has the file locked, until then at the latest. A writer without a pause leaves gaps that
/// are short, and SQLite's own waiting, a tenth of a second at a time, would rarely hit one.
pub(crate) fn once_free<T>(until: Moment, mut attempt: impl FnMut() -> Result<T, rusqlite::Error>) -> Result<T, Fault> {
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(error) if is_busy(&error) && !until.since(clock::now()).is_zero() => {
                std::thread::sleep(Duration::from_micros(fastrand::u64(200..2000)));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether somebody has it locked.
pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A connection that is bounded in time and space, and that nothing in the file can make run anything.
pub(crate) fn connect(path: &Path, flags: OpenFlags, until: Moment) -> Result<Connection, Fault> {
    let mut file = Connection::open_with_flags(path, flags)?;
    file.busy_timeout(LONGEST_WAIT.min(until.since(clock::now()) / 3))?;
    // What stands in a file must not run anything but what we ask.
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    file.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    file.set_limit(Limit::SQLITE_LIMIT_LENGTH, file::LARGEST as i32)?;
    stop_by(&mut file, until)?;
    Ok(file)
}

/// Interrupts whatever a connection still does then, instead of when it was to be interrupted before.
pub(crate) fn stop_by(file: &mut Connection, until: Moment) -> Result<(), Fault> {
    file.progress_handler(STEPS, Some(move || until.since(clock::now()).is_zero()))?;
    Ok(())
}

/// Lets a connection do nothing but read: no other file is attached, no setting changed, no transaction ended.
pub(crate) fn only_reading(file: &mut Connection) -> Result<(), Fault> {
    file.authorizer(Some(|context: AuthContext<'_>| {
        let reads = matches!(
            context.action,
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Function { .. } | AuthAction::Recursive
        );
        if reads { Authorization::Allow } else { Authorization::Deny }
    }))?;
    Ok(())
}

/// Makes sure that a table has these columns; tells which others it has.
pub(crate) fn columns(file: &Connection, table: &str, needed: &[&str], what: &str) -> Result<Vec<String>, Fault> {
    let mut statement = file.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let names: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(Fault::Told(format!("there is no table {table} (is this {what}?)")));
    }
    match needed.iter().find(|column| !names.iter().any(|name| name.eq_ignore_ascii_case(column))) {
        Some(column) => Err(Fault::Told(format!("table {table} has no column {column} (is this {what}?)"))),
        None => Ok(names),
    }
}

/// A value as a word; none if it says nothing.
pub(crate) fn word(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => decimal::real(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Some(String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty())
        }
    }
}

/// A value that is a text; empty if it is anything else.
pub(crate) fn text(value: ValueRef<'_>) -> &str {
    value.as_str().unwrap_or_default()
}

/// A value as a decimal; none if it is no number.
pub(crate) fn amount(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => decimal::real(number),
        ValueRef::Text(text) => decimal::plain(std::str::from_utf8(text).ok()?),
    }
}

/// A value as a time; none if it is none.
pub(crate) fn time(value: ValueRef<'_>) -> Option<Timestamp> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(count) => times::count_since_1970(count),
        ValueRef::Real(count) => times::fraction_since_1970(count),
        ValueRef::Text(text) => times::parse(std::str::from_utf8(text).ok()?),
    }
}

/// A value as yes or no.
pub(crate) fn truth(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => false,
        ValueRef::Integer(number) => number != 0,
        ValueRef::Real(number) => number != 0.0,
        ValueRef::Text(text) => std::str::from_utf8(text).is_ok_and(is_yes),
    }
}

/// Whether a word means yes.
pub(crate) fn is_yes(word: &str) -> bool {
    ["1", "true", "t", "yes", "y"].iter().any(|yes| word.trim().eq_ignore_ascii_case(yes))
}
