//! What stands in the index, and what its errors mean for it.

use rusqlite::{Connection, ErrorCode};

/// The shape of the tables below. An index of an older one is set aside.
pub(super) const VERSION: i64 = 1;
/// What says in the file itself that it is an index of ours: "bwdn".
const MARK: i64 = 0x6277_646e;

/// `files`: how far each event file was read. `events`: one row a line, with where in its file it stands. `runs`: what
/// the lines of a run come to. `facts`: changes whenever rows went.
const TABLES: &str = "
    CREATE TABLE files (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, bot TEXT, device INTEGER NOT NULL,
        inode INTEGER NOT NULL, size INTEGER NOT NULL, mark INTEGER NOT NULL, skipping INTEGER NOT NULL,
        odd INTEGER NOT NULL) STRICT;
    CREATE TABLE events (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start INTEGER NOT NULL, length INTEGER NOT NULL,
        at INTEGER NOT NULL, bot TEXT, kind TEXT NOT NULL, author TEXT, run TEXT, action TEXT, code INTEGER, bots TEXT,
        stop TEXT, text TEXT NOT NULL) STRICT;
    CREATE INDEX events_at ON events (at);
    CREATE INDEX events_file ON events (file, at);
    CREATE INDEX events_kind ON events (kind, at);
    CREATE INDEX events_stop ON events (stop) WHERE kind = 'report' AND bot IS NULL;
    CREATE TABLE runs (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, run TEXT NOT NULL, at INTEGER NOT NULL, bot TEXT,
        started INTEGER, ended INTEGER, exit TEXT, last TEXT NOT NULL, failures INTEGER, until INTEGER NOT NULL,
        UNIQUE (file, run)) STRICT;
    CREATE INDEX runs_at ON runs (at);
    CREATE TABLE facts (epoch INTEGER NOT NULL) STRICT;
    INSERT INTO facts VALUES (1);
";

/// What went wrong with the index.
#[derive(Debug)]
pub(super) enum Fault {
    /// What stands in it cannot be believed.
    Damaged(String),
    /// A newer botwarden has made it.
    Newer,
    /// Another program has made it.
    Foreign,
    /// It cannot be kept where it is: no room, or not ours to write.
    Unkept(String),
    /// Somebody else has it for longer than we wait.
    Busy,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let Some(code) = error.sqlite_error_code() else {
            // A value of another type than was written, a column that is not there.
            return Self::Damaged(error.to_string());
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
            ErrorCode::DiskFull => Self::Unkept("there is no room for it".into()),
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
                Self::Unkept("it may not be written".into())
            }
            ErrorCode::CannotOpen => Self::Unkept("it cannot be opened".into()),
            ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport => {
                Self::Unkept(error.to_string())
            }
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// Makes the tables where there are none yet; somebody else may do so at the same time.
pub(super) fn prepare(db: &mut Connection) -> Result<(), Fault> {
    match version(db)? {
        VERSION if mark(db)? == MARK => return Ok(()),
        VERSION => return Err(Fault::Foreign),
        0 => {}
        newer if newer > VERSION => return Err(Fault::Newer),
        older => return Err(Fault::Damaged(format!("it is of an older botwarden (version {older})"))),
    }
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    if version(&change)? != VERSION {
        change.execute_batch(TABLES)?;
        change.pragma_update(None, "user_version", VERSION)?;
        change.pragma_update(None, "application_id", MARK)?;
    }
    change.commit()?;
    Ok(())
}

fn version(db: &Connection) -> Result<i64, Fault> {
    Ok(db.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn mark(db: &Connection) -> Result<i64, Fault> {
    Ok(db.query_row("PRAGMA application_id", [], |row| row.get(0))?)
}

/// Whether a file that begins like this is a database of another program: it does not bear our mark, and something
/// stands in it. Told from its bytes: `SQLite` itself may write into what it only opens, and has settings to be made
/// before it is asked.
pub(super) fn is_foreign(head: &[u8; HEAD]) -> bool {
    let word = |at: usize| head[at..at + 4].iter().fold(0, |word, byte| word << 8 | i64::from(*byte));
    let is_database = head.starts_with(b"SQLite format 3\0");
    // A log beside it may have what it does not. Ours never has one.
    let has_log = head[18] == 2 || head[19] == 2;
    // The list of its tables: one page, with no row on it.
    let is_empty = head[100] == 13 && head[103..105] == [0, 0];
    is_database && word(68) != MARK && (word(68) != 0 || word(60) != 0 || has_log || !is_empty)
}

/// So much of the file says whose it is: its header, and that of its first page.
pub(super) const HEAD: usize = 108;
