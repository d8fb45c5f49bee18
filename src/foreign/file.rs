//! Other people's files: what may be opened at all, and what they are like from outside.

use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{Access, access};

use crate::clock;
use crate::paths::words;

/// No file of JSON with orders in it is larger, and no value in a database.
pub(crate) const LARGEST: u64 = 64 << 20;

/// A time of change counts only when it is older than this, in milliseconds: clocks of file systems are coarse (a shared
/// folder may know whole seconds only), and a change in the same tick would not show.
const SETTLED: i64 = 2000;

/// What was found unchanged is read again after so many milliseconds all the same.
const TRUSTED: i64 = 30_000;

/// Looks whether this is a regular file that we may read, without opening it: opening a pipe would wait for its writer,
/// and closing a database's file would free the locks that SQLite holds on it in this process. Tells which file it is, as [`identity`] does.
pub(crate) fn look(path: &Path) -> Result<(u64, u64), String> {
    let about = std::fs::metadata(path).map_err(|error| format!("cannot be read: {}", words(&error)))?;
    is_regular(&about)?;
    access(path, Access::READ_OK).map_err(|errno| format!("cannot be read: {}", words(&errno.into())))?;
    Ok((about.dev(), about.ino()))
}

fn is_regular(about: &std::fs::Metadata) -> Result<(), String> {
    if about.is_dir() {
        return Err("is a folder, not a file".into());
    }
    if !about.is_file() {
        return Err("is not a regular file".into());
    }
    Ok(())
}

/// Everything in a regular file; never waits, whatever it turns out to be.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| format!("cannot be read: {}", words(&error));
    let file = std::fs::File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(told)?;
    let about = file.metadata().map_err(told)?;
    is_regular(&about)?;
    let mut bytes = Vec::new();
    if about.len() <= LARGEST {
        // It may have grown since its size was asked.
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(told)?;
    }
    if about.len() > LARGEST || bytes.len() as u64 > LARGEST {
        return Err(format!("is larger than {} MiB, and was not read", LARGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8".into())
}

/// The file itself, whatever its name is given to: a number that another file gets when it takes the name.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

/// What a file, and its write-ahead log if there is one, are like from outside, and when that was seen.
///
/// Of SQLite's files, every change is a `write(2)` to one of these two, and so changes a size or a time. The third, `-shm`,
/// is written through a mapping: its times say nothing, so it is no part of this. But it decides how much of the log
/// counts: a commit whose frames are in the log already is seen only once its header is in `-shm`, and a look that comes
/// in between sees the new log and the old orders. A change that is not two seconds old therefore does not count as seen
/// (the text is of no use then), and an old one only for half a minute: a writer may be held up in between for longer.
pub(crate) fn stamp(path: &Path) -> Option<String> {
    let now = clock::wall().as_millisecond();
    let of = |path: &Path| {
        let about = std::fs::metadata(path).ok()?;
        let changed = Timestamp::new(about.mtime(), about.mtime_nsec() as i32).ok()?;
        let settled = now.saturating_sub(changed.as_millisecond()) >= SETTLED;
        let text = format!("{}.{}.{}.{}", about.dev(), about.ino(), about.size(), changed.as_nanosecond());
        Some((text, settled))
    };
    let (file, file_settled) = of(path)?;
    let (log, log_settled) = of(&beside(path, "-wal")).unwrap_or_else(|| ("none".into(), true));
    let settled = if file_settled && log_settled { "settled" } else { "fresh" };
    Some(format!("{file} {log} {settled} {now}"))
}

/// Whether two stamps, the later one second, say that nothing has changed.
pub(crate) fn is_unchanged(known: &str, now: &str) -> bool {
    let parts = |stamp: &str| {
        let mut parts = stamp.rsplitn(3, ' ');
        let at: i64 = parts.next()?.parse().ok()?;
        let settled = parts.next()? == "settled";
        Some((parts.next()?.to_owned(), settled, at))
    };
    let (Some((known, settled, then)), Some((seen, _, now))) = (parts(known), parts(now)) else { return false };
    settled && known == seen && (0..TRUSTED).contains(&now.saturating_sub(then))
}

/// A file that SQLite keeps beside another: beside the file itself, not beside a link to it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.canonicalize().unwrap_or_else(|_| path.to_owned()).into_os_string();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_old_change_seen_lately_counts_as_seen() {
        for (known, now, expected) in [
            ("a none settled 1000", "a none settled 2000", true),
            ("a none settled 1000", "a none fresh 2000", true),
            ("a none fresh 1000", "a none settled 2000", false),
            ("a none settled 1000", "a b settled 2000", false),
            ("a none settled 1000", "a none settled 31000", false),
            // The clock was set back.
            ("a none settled 3000", "a none settled 2000", false),
            ("", "a none settled 2000", false),
            ("nonsense", "nonsense", false),
        ] {
            assert_eq!(is_unchanged(known, now), expected, "{known} -> {now}");
        }
    }
}
