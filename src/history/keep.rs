//! The file of the index: how it is opened, that it is still the one at its path, and how a damaged one is set aside.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::clock;
use crate::paths::words;

use super::schema::{Fault, HEAD, is_foreign, prepare};

/// A lock of another screen is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many that were set aside are kept.
const KEPT: usize = 2;
/// What the names of those begin with, after that of the index.
const ASIDE: &str = ".damaged-";

/// Device and inode of a file.
pub(super) type Identity = (u64, u64);

/// What is at a path now.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    fs::symlink_metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

/// Opens the index at this path, or makes it.
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    if fs::symlink_metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(Fault::Damaged("it is not a regular file".into()));
    }
    make_private(path).map_err(|error| Fault::Unkept(words(&error)))?;
    if is_of_others(path).map_err(|error| Fault::Unkept(words(&error)))? {
        return Err(Fault::Foreign);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(PATIENCE)?;
    // No write-ahead log: a damaged -shm kills whoever reads it (SIGBUS).
    db.pragma_update(None, "journal_mode", "TRUNCATE")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    settle(&mut db)?;
    Ok(db)
}

/// An index that goes with the screen.
pub(super) fn in_memory() -> Result<Connection, Fault> {
    let mut db = Connection::open_in_memory()?;
    settle(&mut db)?;
    Ok(db)
}

fn settle(db: &mut Connection) -> Result<(), Fault> {
    db.pragma_update(None, "cache_size", -16_384)?;
    // Sorting must not need room on a disk that has none.
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_prepared_statement_cache_capacity(32);
    prepare(db)
}

/// What happened is nobody else's business: the file is its owner's from its first byte.
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

/// Whether another program has made it.
fn is_of_others(path: &Path) -> io::Result<bool> {
    let mut head = [0; HEAD];
    match fs::File::open(path)?.read_exact_at(&mut head, 0) {
        Ok(()) => Ok(is_foreign(&head)),
        // Nobody has written a whole page yet.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets the index aside, with its journal, which must not be played into another one; only if it still is this one.
/// Tells under which name.
pub(super) fn set_aside(path: &Path, which: Option<Identity>) -> Result<Option<PathBuf>, Fault> {
    let now = identity(path);
    if now.is_none() || (which.is_some() && now != which) {
        // Somebody else was quicker.
        return Ok(None);
    }
    let aside = beside(path, &clock::wall().strftime(&format!("{ASIDE}%Y%m%dT%H%M%S%.fZ")).to_string());
    let journal = beside(path, "-journal");
    let unkept = |error: io::Error| Fault::Unkept(format!("it is damaged and cannot be set aside: {}", words(&error)));
    match fs::rename(&journal, beside(&aside, "-journal")) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unkept(error)),
    }
    fs::rename(path, &aside).map_err(unkept)?;
    prune(path);
    Ok(Some(aside))
}

/// Keeps the last few of those that were set aside. What cannot be removed stays.
fn prune(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else { return };
    let prefix = format!("{name}{ASIDE}");
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix) && !name.ends_with("-journal"))
        .collect();
    names.sort();
    for name in names.iter().rev().skip(KEPT) {
        let old = folder.join(name);
        let _ = fs::remove_file(beside(&old, "-journal"));
        let _ = fs::remove_file(&old).or_else(|_| fs::remove_dir_all(&old));
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
