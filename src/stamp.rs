//! Whether a file has changed: what is compared are its identity, its size and its time, and those of the files that
//! SQLite keeps beside it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a file was like at one time. Two that are equal: nothing was written in between, as far as anybody can tell
/// without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<Option<Look>>);

/// Inode, size, and the time of the last change in seconds and nanoseconds (stat(2)).
type Look = (u64, u64, i64, i64);

impl Stamp {
    /// What the file and its write-ahead log are like now; a file that is not there is like nothing.
    ///
    /// # Errors
    /// If it cannot be looked at.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self(vec![look(path)?, look(&beside(path, "-wal"))?]))
    }

    /// Whether there is nothing in it, or no such file.
    pub fn is_empty(&self) -> bool {
        self.0.iter().flatten().all(|(_, size, ..)| *size == 0)
    }
}

fn look(path: &Path) -> io::Result<Option<Look>> {
    match fs::metadata(path) {
        Ok(about) => Ok(Some((about.ino(), about.size(), about.mtime(), about.mtime_nsec()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_to_a_file_or_to_its_log_changes_its_stamp() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.db");
        let stamp = || Stamp::of(&path).expect("it can be looked at");
        let none = stamp();
        assert!(none.is_empty());
        fs::write(&path, "one").expect("room");
        let one = stamp();
        assert!(!one.is_empty() && one != none && one == stamp());
        fs::write(folder.path().join("state.db-wal"), "two").expect("room");
        assert_ne!(one, stamp());
        fs::remove_file(folder.path().join("state.db-wal")).expect("removed");
        fs::write(folder.path().join("new"), "one").expect("room");
        fs::rename(folder.path().join("new"), &path).expect("replaced");
        assert_ne!(one, stamp());
    }
}
