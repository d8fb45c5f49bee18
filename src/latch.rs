//! The latch of the emergency stop on disk: its name in the home is what counts, what stands in it is best effort. It is
//! made in place, never by a rename: on a full disk a name can be made when contents cannot be written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;

use crate::core::bot::Mode;
use crate::core::latch::{Latch, LatchSeen};
use crate::paths::{Home, words};

/// What is read of it at most.
const LONGEST: u64 = 64 << 10;

/// Whether the emergency stop is latched: one that is there counts, and so does one that cannot be looked for.
pub fn is_latched(home: &Home) -> bool {
    match std::fs::symlink_metadata(home.latch()) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// The latch, as far as it can be understood.
pub fn look(home: &Home) -> LatchSeen {
    if !is_latched(home) {
        return LatchSeen::Free;
    }
    let path = home.latch();
    let mut text = Vec::new();
    // Never waits: where a pipe was put in its place, nobody may ever come.
    let read = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut text));
    if let Err(error) = read {
        return LatchSeen::Unreadable(format!("{}: {}", path.display(), words(&error)));
    }
    match serde_json::from_slice(&text) {
        Ok(latch) => LatchSeen::Latched(Box::new(latch)),
        Err(_) if text.is_empty() => LatchSeen::Unreadable(format!("{} is empty", path.display())),
        Err(error) => LatchSeen::Unreadable(format!("{}: {error}", path.display())),
    }
}

/// Whether a bot of this mode may not be started.
pub fn binds(home: &Home, mode: Mode) -> bool {
    is_latched(home) && look(home).binds(mode)
}

/// What came of latching.
#[derive(Debug)]
pub enum Set {
    /// It is there now; its file, for whoever waits until the disk has it.
    Made(File),
    /// It was there already.
    Was,
}

/// Latches, with one system call; what stands in it follows as far as there is room.
///
/// # Errors
/// If no name can be made.
pub fn set(home: &Home, latch: &Latch) -> io::Result<Set> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(home.latch());
    match made {
        Ok(file) => {
            write(&file, latch);
            Ok(Set::Made(file))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Set::Was),
        // Only what was seen to be there: a home that we may not look into is no latch that we have made.
        Err(_) if std::fs::symlink_metadata(home.latch()).is_ok() => Ok(Set::Was),
        Err(error) => Err(error),
    }
}

/// Latches with its contents there from the first moment on, for a drill: a latch without contents binds everybody. Needs
/// room on the disk.
///
/// # Errors
/// If it cannot be made whole.
pub fn set_whole(home: &Home, latch: &Latch) -> io::Result<Set> {
    let new = home.root().join(format!(".estop.{}", std::process::id()));
    let made =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).and_then(|mut file| {
            let mut text = serde_json::to_vec(latch)?;
            text.push(b'\n');
            file.write_all(&text)?;
            match std::fs::hard_link(&new, home.latch()) {
                Ok(()) => Ok(Set::Made(file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Set::Was),
                Err(error) => Err(error),
            }
        });
    let _ = std::fs::remove_file(&new);
    made
}

/// Writes anew what stands in a latch that is there. That it cannot be written changes nothing: its name is what counts.
pub fn amend(home: &Home, latch: &Latch) {
    // Never created here: whoever lifts a latch means it. And never waited for: a pipe in its place may have no reader.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    if let Ok(file) = OpenOptions::new().write(true).custom_flags(flags).open(home.latch())
        && file.metadata().is_ok_and(|about| about.is_file())
        && file.set_len(0).is_ok()
    {
        write(&file, latch);
    }
}

fn write(mut file: &File, latch: &Latch) {
    let Ok(mut text) = serde_json::to_vec(latch) else { return };
    text.push(b'\n');
    let _ = file.write_all(&text);
}

/// Waits until the disk has the latch: its contents, and its name.
///
/// # Errors
/// If the disk does not take it.
pub fn sync(home: &Home, file: &File) -> io::Result<()> {
    file.sync_all()?;
    File::open(home.root())?.sync_all()
}

/// Lifts the latch: whoever calls this holds the [`crate::beacon`] of the desk, so that no emergency stop is under way.
///
/// # Errors
/// If its name cannot be removed.
pub fn lift(home: &Home) -> io::Result<()> {
    match std::fs::remove_file(home.latch()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => {
            // That it is gone need not survive a power cut: latched is the safe side.
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latch(drill: bool) -> Latch {
        Latch {
            schema: 1,
            id: "1".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            by: "ana".into(),
            tty: None,
            reason: None,
            host: "box".into(),
            drill,
        }
    }

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().to_owned());
        (folder, home)
    }

    #[test]
    fn what_is_latched_stays_as_it_was_first_latched_until_it_is_lifted() {
        let (_folder, home) = home();
        assert_eq!(look(&home), LatchSeen::Free);
        assert!(matches!(set(&home, &latch(false)), Ok(Set::Made(_))));
        assert!(matches!(set(&home, &Latch { by: "bob".into(), ..latch(false) }), Ok(Set::Was)));
        assert_eq!(look(&home).latch().map(|latch| latch.by.as_str()), Some("ana"));
        assert!([Mode::DryRun, Mode::Paper, Mode::Live].iter().all(|mode| binds(&home, *mode)));
        lift(&home).expect("ours");
        lift(&home).expect("lifted already");
        assert!(!is_latched(&home));
    }

    #[test]
    fn whatever_stands_there_is_a_latch() {
        let (_folder, home) = home();
        for text in ["", "{", "{}", "\0\0\0"] {
            std::fs::write(home.latch(), text).expect("written");
            assert!(matches!(look(&home), LatchSeen::Unreadable(_)) && binds(&home, Mode::Live), "{text:?}");
        }
        lift(&home).expect("ours");
        std::os::unix::fs::symlink("/nowhere/at/all", home.latch()).expect("a link");
        assert!(is_latched(&home) && matches!(set(&home, &latch(false)), Ok(Set::Was)));
        lift(&home).expect("ours");
        std::fs::create_dir(home.latch()).expect("a folder");
        assert!(is_latched(&home) && matches!(set(&home, &latch(false)), Ok(Set::Was)));
    }

    #[test]
    fn a_home_that_is_not_there_cannot_be_latched() {
        let (folder, _) = home();
        let nowhere = Home::at(folder.path().join("nowhere"));
        assert!(set(&nowhere, &latch(false)).is_err());
        // A file where the home should be: nobody can look, so nothing starts; and nothing was made.
        std::fs::write(folder.path().join("file"), "").expect("written");
        let no_folder = Home::at(folder.path().join("file"));
        assert!(set(&no_folder, &latch(false)).is_err() && is_latched(&no_folder));
    }

    #[test]
    fn a_drill_binds_all_but_what_is_live_and_gives_way_to_nothing_that_is_there() {
        let (_folder, home) = home();
        assert!(matches!(set_whole(&home, &latch(true)), Ok(Set::Made(_))));
        assert!(binds(&home, Mode::Paper) && binds(&home, Mode::DryRun) && !binds(&home, Mode::Live));
        assert!(matches!(set_whole(&home, &Latch { id: "2".into(), ..latch(true) }), Ok(Set::Was)));
        amend(&home, &latch(false));
        assert!(binds(&home, Mode::Live) && !look(&home).is_drill());
        assert_eq!(std::fs::read_dir(home.root()).expect("a folder").count(), 1, "nothing else is left behind");
    }
}
