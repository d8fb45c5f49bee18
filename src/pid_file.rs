//! Reads the PID file that a bot, or somebody else's launcher, has written. Never waits: whatever lies there.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

use crate::core::find::pid_file::{Content, content};
use crate::paths::words;

/// A process that was started this much later than a file was written may still have written it: the file's time and the
/// process's come from different clocks, which are read one after the other and may have been set meanwhile.
const TOLERANCE: Duration = Duration::from_secs(1);

/// What was found at the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// There is no such file.
    Missing,
    /// It cannot be read; a sentence without its subject.
    Unreadable(String),
    /// This.
    Read {
        /// What stands in it.
        content: Content,
        /// When it was last written.
        written: SystemTime,
    },
}

/// Reads the beginning of the file.
pub fn read(path: &Path) -> Reading {
    match open_and_read(path) {
        Ok(reading) => reading,
        // A folder that is not there yet has no file in it.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Reading::Missing
        }
        Err(error) => Reading::Unreadable(format!("cannot be read: {}", words(&error))),
    }
}

fn open_and_read(path: &Path) -> io::Result<Reading> {
    const ENOUGH: u64 = 64;
    // Without this, a named pipe that nobody writes to would hold up a stop.
    let never_wait = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = match OpenOptions::new().read(true).custom_flags(never_wait).open(path) {
        // A socket.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(no_regular_file()),
        file => file?,
    };
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Ok(Reading::Unreadable("is a folder".into()));
    }
    if !metadata.is_file() {
        return Ok(no_regular_file());
    }
    let mut bytes = Vec::with_capacity(ENOUGH as usize);
    file.take(ENOUGH).read_to_end(&mut bytes)?;
    Ok(Reading::Read { content: content(&bytes), written: metadata.modified()? })
}

fn no_regular_file() -> Reading {
    Reading::Unreadable("is no regular file".into())
}

/// Whether a process was started too late to be the one that a file was written about.
pub fn is_later(start_time: u64, written: SystemTime) -> bool {
    started_at(start_time).is_none_or(|started| started > written + TOLERANCE)
}

/// The wall-clock time of a tick since boot, by what the clocks say now.
fn started_at(start_time: u64) -> Option<SystemTime> {
    let clock = |id| {
        let time = clock_gettime(id);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
    };
    let boot = clock(ClockId::Realtime).checked_sub(clock(ClockId::Boottime))?;
    let ticks_a_second = rustix::param::clock_ticks_per_second();
    let since_boot = Duration::from_millis(start_time.saturating_mul(1000) / ticks_a_second.max(1));
    SystemTime::UNIX_EPOCH.checked_add(boot)?.checked_add(since_boot)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn whatever_lies_there_is_told_without_waiting() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("number"), "12345\n").expect("written");
        fs::write(at("long"), "7".repeat(1 << 20)).expect("written");
        fs::create_dir(at("folder")).expect("made");
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("made");
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).expect("bound");
        std::os::unix::fs::symlink("loop", at("loop")).expect("made");
        let content = |name: &str| match read(&at(name)) {
            Reading::Read { content, .. } => content,
            other @ (Reading::Missing | Reading::Unreadable(_)) => panic!("{name}: {other:?}"),
        };
        assert_eq!(content("number"), Content::Pid(12345));
        assert_eq!(content("long"), Content::Text("7".repeat(32)));
        assert_eq!(read(&at("missing")), Reading::Missing);
        assert_eq!(read(&at("number/below")), Reading::Missing);
        assert_eq!(read(&at("folder")), Reading::Unreadable("is a folder".into()));
        assert_eq!(read(&at("pipe")), Reading::Unreadable("is no regular file".into()));
        assert_eq!(read(&at("socket")), Reading::Unreadable("is no regular file".into()));
        assert!(matches!(read(&at("loop")), Reading::Unreadable(why) if why.starts_with("cannot be read: ")));
    }

    #[test]
    fn a_file_that_we_may_not_read_says_so() {
        use std::os::unix::fs::PermissionsExt;
        if nix::unistd::geteuid().is_root() {
            return eprintln!("skipped: root may read everything");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("bot.pid");
        fs::write(&path, "12345").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("closed");
        assert_eq!(read(&path), Reading::Unreadable("cannot be read: permission denied".into()));
    }

    #[test]
    fn we_were_started_before_what_we_write_and_after_what_is_old() {
        let me = crate::process::stat(std::process::id() as i32).expect("we are there").start_time;
        assert!(!is_later(me, SystemTime::now()));
        assert!(is_later(me, SystemTime::UNIX_EPOCH));
        assert!(is_later(me, SystemTime::now() - Duration::from_hours(24 * 365)));
    }
}
