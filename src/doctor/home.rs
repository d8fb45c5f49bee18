//! The home: what an emergency stop writes there, and what it needs of the disk below it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::statvfs;

use crate::beacon::{self, Call};
use crate::clock;
use crate::core::readiness::Check;
use crate::lock::{self, Lock};
use crate::paths::words;

use super::subject::Subject;

/// What a latch takes at most, with a long reason in it.
const LATCH_SIZE: usize = 1024;

/// With less room than this, what an emergency stop has to write down may not fit.
const LITTLE: u64 = 1 << 20;

/// So long the beacon's address may be held by somebody who says nothing: a reset holds it for a moment.
const MOMENT: Duration = Duration::from_millis(500);

/// A file that is there while this is; of no name that anything looks for.
struct Probe {
    path: PathBuf,
    file: File,
}

impl Probe {
    fn make(folder: &Path) -> io::Result<Self> {
        let path = folder.join(format!(".probe-{}-{:08x}", std::process::id(), fastrand::u32(..)));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }

    fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether files can be made and removed where the bots have theirs.
pub(super) fn writable(subject: &Subject) -> Vec<Check> {
    let (name, home) = ("home", &subject.home);
    let tried = Probe::make(&home.bots()).and_then(Probe::remove);
    vec![match tried {
        Ok(()) => Check::good(name, format!("{} can be written", home.root().display())),
        Err(error) => {
            Check::bad(name, format!("the home {} cannot be written: {}", home.root().display(), words(&error)))
        }
    }]
}

/// Whether a latch could be made, which is a name, and whether there is room for what is to stand in it.
pub(super) fn latch(subject: &Subject) -> Vec<Check> {
    let name = "latch";
    vec![match Probe::make(subject.home.root()) {
        Ok(mut probe) => match probe.file.write_all(&[b' '; LATCH_SIZE]) {
            Ok(()) => Check::good(name, "it can be made"),
            Err(error) => Check::warning(
                name,
                format!("it can be made, but who fired it and why cannot be written: {}", words(&error)),
            ),
        },
        Err(error) => Check::bad(name, format!("the latch cannot be made: {}", words(&error))),
    }]
}

/// Whether a lock that somebody holds shows to others.
pub(super) fn locks(subject: &Subject) -> Vec<Check> {
    let name = "locks";
    let tried = Probe::make(subject.home.root()).and_then(|probe| {
        let held = Lock::take(&probe.path)?;
        Ok(held.is_some_and(|held| lock::excludes(&probe.path, &held)))
    });
    vec![match tried {
        Ok(true) => Check::good(name, "they work in the home"),
        Ok(false) => Check::bad(name, "locks do not work in the home: one that is held does not show to others"),
        Err(error) => Check::bad(name, format!("locks cannot be tried in the home: {}", words(&error))),
    }]
}

/// Whether the disk has room: the emergency stop works without, but nobody can read afterwards what it did.
pub(super) fn room(subject: &Subject) -> Vec<Check> {
    let name = "disk";
    vec![match statvfs(subject.home.root()) {
        Ok(about) => {
            let free = about.f_bavail.saturating_mul(about.f_frsize);
            // Some file systems do not count files.
            let no_names = about.f_files > 0 && about.f_favail == 0;
            if free < LITTLE || no_names {
                let what = if no_names { "no file can be made any more" } else { "less than 1 MiB is free" };
                Check::warning(
                    name,
                    format!("the home's disk is full ({what}): what an emergency stop does may not be recorded"),
                )
            } else {
                Check::good(name, format!("{} MiB free", free >> 20))
            }
        }
        Err(errno) => Check::warning(name, format!("how much room there is cannot be asked: {}", words(&errno.into()))),
    }]
}

/// Whether whoever carries an emergency stop out could tell others how it goes. The address is not taken to find out: one
/// that is fired at this moment needs it.
pub(super) fn beacon(subject: &Subject) -> Vec<Check> {
    let (name, home) = ("beacon", &subject.home);
    let until = clock::now().plus(MOMENT);
    loop {
        match beacon::is_held(home) {
            Ok(false) => return vec![Check::good(name, "its address is free")],
            Ok(true) => {}
            Err(error) => {
                return vec![Check::warning(
                    name,
                    format!("whether the beacon's address is free cannot be asked: {}", words(&error)),
                )];
            }
        }
        match beacon::call(home) {
            Call::Answered(_) => return vec![Check::good(name, "an emergency stop is being carried out")],
            Call::Silent(pid) => {
                let who = pid.map_or_else(|| "somebody".to_owned(), |pid| format!("pid {pid}"));
                let why = format!("{who} holds the beacon's address, and does not answer");
                return vec![Check::warning(name, why)];
            }
            Call::Nobody if clock::now() < until => std::thread::sleep(Duration::from_millis(20)),
            Call::Nobody => {
                let why = "somebody else holds the beacon's address: an emergency stop works, and cannot be watched";
                return vec![Check::warning(name, why)];
            }
        }
    }
}
