//! What stands in the way at a cluster's file, in a sentence that says what can be done about it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Uid, User};
use rusqlite::{Error, ErrorCode, ffi};
use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};

use crate::config::{duration_text, visible};
use crate::core::cluster::ClusterSpec;
use crate::foreign::sqlite::Fault;
use crate::foreign::{file, holders};
use crate::paths::words;

use super::question::{Failure, Obstacle};

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// `indexed`: whether the table was seen to have an index on the state.
    Look {
        indexed: bool,
    },
    PutBack,
}

impl Doing {
    const fn verb(self) -> &'static str {
        match self {
            Self::Look { .. } => "read",
            Self::PutBack => "written",
        }
    }

    /// Whatever fails, it fails as a whole.
    const fn nothing_changed(self) -> &'static str {
        match self {
            Self::Look { .. } => "",
            Self::PutBack => "; nothing was changed",
        }
    }
}

/// What can be told without opening the file: opening a pipe would wait, and an empty file has nothing to be opened for.
pub(super) fn before(cluster: &ClusterSpec) -> Option<Failure> {
    let path = &cluster.database;
    let (obstacle, why) = match std::fs::metadata(path) {
        Ok(about) if !about.is_file() => (Obstacle::Other, not_a_file(cluster, &about)),
        Ok(about) if about.len() == 0 => (
            Obstacle::Missing,
            format!(
                "is empty: whoever makes it has not begun, or database of [clusters.{}] names another file",
                cluster.name
            ),
        ),
        Ok(_) => return None,
        Err(error) => unreachable(cluster, &error),
    };
    Some(said(cluster, obstacle, &why))
}

/// Why nothing came of it. `allowed`: how long it might take.
pub(super) fn failure(cluster: &ClusterSpec, fault: Fault, doing: Doing, allowed: Duration) -> Failure {
    // What is there now may be what was in the way.
    if let Some(failure) = before(cluster) {
        return failure;
    }
    let (obstacle, why) = match fault {
        Fault::Empty(why) => (Obstacle::Missing, why),
        Fault::Told(why) => (Obstacle::Other, closed(&cluster.database).unwrap_or(why)),
        Fault::Sqlite(error) => of_sqlite(cluster, error, doing, allowed),
    };
    said(cluster, obstacle, &why)
}

fn said(cluster: &ClusterSpec, obstacle: Obstacle, why: &str) -> Failure {
    Failure { obstacle, why: visible(&format!("{}: {why}", cluster.database.display())).into_owned() }
}

fn unreachable(cluster: &ClusterSpec, error: &io::Error) -> (Obstacle, String) {
    if error.kind() == io::ErrorKind::NotFound {
        let why = format!(
            "there is no such file: whoever makes it has not begun, or database of [clusters.{}] names another one",
            cluster.name
        );
        return (Obstacle::Missing, why);
    }
    let closed =
        cluster.database.ancestors().skip(1).find(|folder| folder.metadata().is_ok_and(|about| about.is_dir()));
    let why = match closed {
        Some(folder) if error.kind() == io::ErrorKind::PermissionDenied => {
            format!("cannot be reached: its folder {}", may_not(folder, "entered"))
        }
        Some(_) | None => format!("cannot be reached: {}", words(error)),
    };
    (Obstacle::Other, why)
}

fn not_a_file(cluster: &ClusterSpec, about: &Metadata) -> String {
    let what = if about.is_dir() { "is a folder, not a file" } else { "is not a regular file" };
    format!("{what}: name the SQLite file as database of [clusters.{}]", cluster.name)
}

/// Whether the file itself is closed to us.
fn closed(path: &Path) -> Option<String> {
    access(path, Access::READ_OK).is_err().then(|| may_not(path, "read"))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "they are SQLite's, and most of them never come")]
fn of_sqlite(cluster: &ClusterSpec, error: Error, doing: Doing, allowed: Duration) -> (Obstacle, String) {
    let path = &cluster.database;
    let name = &cluster.name;
    let nothing = doing.nothing_changed();
    let (error, message) = match error {
        Error::SqliteFailure(error, message) => (error, message.unwrap_or_else(|| error.to_string())),
        Error::SqlInputError { error, msg, .. } => (error, msg),
        other => return (Obstacle::Other, format!("cannot be {}: {other}{nothing}", doing.verb())),
    };
    let other = |why: String| (Obstacle::Other, why);
    match error.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (Obstacle::Locked, locked(path, allowed, nothing)),
        ErrorCode::NotADatabase => other(format!(
            "is not a file of SQLite, or is encrypted: name the right one as database of [clusters.{name}]"
        )),
        ErrorCode::DatabaseCorrupt => other(format!(
            "is damaged: {message}{nothing}: put a backup in its place, or save what can be saved with .recover of sqlite3"
        )),
        ErrorCode::OperationInterrupted => {
            let advice = match doing {
                Doing::Look { indexed: false } => {
                    format!("if it is large, an index on \"{}\" makes this fast", cluster.columns.status)
                }
                // An index makes a change of many rows no faster.
                Doing::Look { indexed: true } | Doing::PutBack => {
                    "it is large, or its disk is slow: try again when this box has less to do".to_owned()
                }
            };
            other(format!("could not be {} within {}{nothing}: {advice}", doing.verb(), time(allowed)))
        }
        ErrorCode::TooBig => other(format!("has a value larger than {} MiB", file::LARGEST >> 20)),
        ErrorCode::DiskFull => other(format!("has no room on its disk{nothing}: free some space there, and try again")),
        ErrorCode::ConstraintViolation => other(format!(
            "does not let its chunks be put back: {message}{nothing}: change that rule of table {}",
            super::schema::short(&cluster.table)
        )),
        ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            other(not_allowed(path, error, message, doing))
        }
        ErrorCode::SystemIoFailure => other(not_allowed(path, error, message, doing)),
        _ => other(format!("cannot be {}: {message}{nothing}", doing.verb())),
    }
}

/// About so long.
fn time(allowed: Duration) -> String {
    let tenths = (allowed.as_secs_f64() * 10.0).round().max(1.0) as u64;
    // Nobody needs the tenths of what is longer than a second.
    duration_text(if tenths < 10 {
        Duration::from_millis(tenths * 100)
    } else {
        Duration::from_secs((tenths + 5) / 10)
    })
}

fn locked(path: &Path, allowed: Duration, nothing: &str) -> String {
    let time = time(allowed);
    match holders::of(path).as_slice() {
        [] => format!("is locked by another program for longer than {time}{nothing}: end that program, or try again"),
        [one] => format!("is locked by {one} for longer than {time}{nothing}: end it, or try again"),
        many => format!("is locked by {} for longer than {time}{nothing}: end them, or try again", many.join(" and ")),
    }
}

/// Why a file cannot be opened, or not to be written: it itself, its folder, what is beside it, or its disk.
fn not_allowed(path: &Path, error: ffi::Error, message: String, doing: Doing) -> String {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if let Some(why) = closed(path) {
        return why;
    }
    if error.extended_code == ffi::SQLITE_READONLY_DBMOVED {
        return "was replaced by another file while it was being written; nothing was changed: try again".into();
    }
    let beside = beside(path);
    let unreadable = beside.iter().find(|it| it.exists() && access(*it, Access::READ_OK).is_err());
    if let Some(beside) = unreadable {
        return format!("has {} beside it, which {}", beside.display(), may_not(beside, "read"));
    }
    if doing == Doing::PutBack {
        return unwritable(path).unwrap_or_else(|| {
            format!("cannot be written: {message}; nothing was changed: look at its disk, and try again")
        });
    }
    if error.extended_code == ffi::SQLITE_READONLY_ROLLBACK {
        "was left in the middle of a change, which only a program that may write it can take back: start its program, \
         or put its chunks back"
            .into()
    } else if is_mounted_to_be_read(path) || access(folder, Access::WRITE_OK).is_err() {
        format!(
            "cannot be opened: it has a write-ahead log, for which -shm must be made beside it, and its folder {}",
            may_not(folder, "written")
        )
    } else {
        format!("cannot be read: {message}")
    }
}

/// What SQLite keeps beside a file.
fn beside(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|ending| file::beside(path, ending))
}

fn is_mounted_to_be_read(path: &Path) -> bool {
    statvfs(path).is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Why a file may not be read or written, if that can be told without opening it.
pub(super) fn closed_to_us(cluster: &ClusterSpec) -> Option<Failure> {
    let path = &cluster.database;
    let why = closed(path).or_else(|| unwritable(path))?;
    Some(said(cluster, Obstacle::Other, &why))
}

/// Why a file may not be written: its disk, it itself, its folder, or what is beside it.
fn unwritable(path: &Path) -> Option<String> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    if is_mounted_to_be_read(path) {
        return Some("is on a disk that is mounted to be read only: mount it to be written".into());
    }
    if access(path, Access::WRITE_OK).is_err() {
        return Some(may_not(path, "written"));
    }
    if access(folder, Access::WRITE_OK).is_err() {
        let folder = may_not(folder, "written");
        return Some(format!("cannot be written: SQLite makes a file beside it, and its folder {folder}"));
    }
    let beside = beside(path);
    let closed = beside.iter().find(|it| it.exists() && access(*it, Access::WRITE_OK).is_err())?;
    Some(format!("has {} beside it, which {}", closed.display(), may_not(closed, "written")))
}

/// Who owns it, and who we are.
fn may_not(path: &Path, verb: &str) -> String {
    let us = name(Uid::effective());
    let about = path.metadata();
    let is_folder = about.as_ref().is_ok_and(Metadata::is_dir);
    let Ok(owner) = about.map(|about| Uid::from_raw(about.uid())) else {
        return format!("may not be {verb} by {us}");
    };
    let whose = name(owner);
    let shown = visible(&path.display().to_string()).into_owned();
    let shown = if is_folder { format!("{shown} ") } else { String::new() };
    if Uid::effective().is_root() {
        return format!("{shown}may not be {verb} even by root: see lsattr, and how it is mounted");
    }
    if owner == Uid::effective() {
        return format!("{shown}is owned by {whose}, who may not have it {verb}: chmod u+rwX it");
    }
    format!(
        "{shown}is owned by {whose} and may not be {verb} by {us}: chmod or chown it, or have its bots run as {whose}"
    )
}

fn name(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| format!("uid {uid}"), |user| user.name)
}
