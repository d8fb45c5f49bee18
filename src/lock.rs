//! Locks that live as long as somebody holds the open file, and go with the last holder however it dies.
//!
//! Open file description locks (fcntl(2), Linux 3.15): inherited over fork and exec, freed by the kernel when the last
//! descriptor is closed, and readable by anybody without being taken, so that a look never stands in a start's way.
//! Lock files are never removed: two processes could then hold "the same" lock on two files.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use crate::core::status::LockSeen;
use crate::paths::words;

/// A lock that is held until this and every inherited copy of its file is closed.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock; nothing if somebody else holds it.
    ///
    /// # Errors
    /// If the file cannot be opened or the file system has no locks.
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole_file(libc::F_WRLCK))) {
            Ok(_) => Ok(Some(Self(file))),
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The file that carries it; a process that inherits it holds the lock too.
    pub fn into_file(self) -> File {
        self.0
    }
}

/// Whether somebody holds the lock, without taking it.
pub fn look(path: &Path) -> LockSeen {
    // Never waits: where a pipe was put in its place, nobody may ever come.
    let file = match OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return LockSeen::Free,
        Err(error) => return LockSeen::Unreadable(format!("{}: {}", path.display(), words(&error))),
    };
    let mut wanted = whole_file(libc::F_WRLCK);
    match fcntl(&file, FcntlArg::F_OFD_GETLK(&mut wanted)) {
        Ok(_) if i32::from(wanted.l_type) == libc::F_UNLCK => LockSeen::Free,
        Ok(_) => LockSeen::Held,
        Err(errno) => {
            LockSeen::Unreadable(format!("{}: cannot ask for its lock: {}", path.display(), words(&errno.into())))
        }
    }
}

/// Whether a lock that we hold shows to somebody else: on some network file systems it does not.
pub fn excludes(path: &Path, _held: &Lock) -> bool {
    look(path) == LockSeen::Held
}

fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_sees_a_held_lock_and_does_not_take_a_free_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        assert_eq!(look(&path), LockSeen::Free);
        let held = Lock::take(&path).expect("locks work here").expect("nobody holds it");
        assert_eq!(look(&path), LockSeen::Held);
        assert!(Lock::take(&path).expect("locks work here").is_none());
        assert!(excludes(&path, &held));
        drop(held);
        assert_eq!(look(&path), LockSeen::Free);
        assert!(Lock::take(&path).expect("locks work here").is_some());
    }

    #[test]
    fn a_copy_of_the_file_keeps_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        let file = Lock::take(&path).expect("locks work here").expect("nobody holds it").into_file();
        let copy = file.try_clone().expect("a copy");
        drop(file);
        assert_eq!(look(&path), LockSeen::Held);
        drop(copy);
        assert_eq!(look(&path), LockSeen::Free);
    }
}
