//! Folders for private copies of files: ours alone, in memory if there is room, and gone with whoever made them.
//!
//! A folder is locked as long as its owner lives, and the kernel frees the lock however the owner ends. So one that nobody
//! holds is a leftover, whatever numbers processes have had since, or have in another container.

use std::collections::BTreeSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, FlockOperation, flock, unlinkat};

/// What every one of them is called, before a number that nobody can guess.
const PREFIX: &str = "botwarden-orders-";

/// The copy in it. Nothing but this and what SQLite keeps beside it is ever removed.
const NAME: &str = "copy";
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Those of this process. Locked for good once it ends.
static OURS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A folder that nobody else may look into, until it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    held: File,
}

/// Where one may be made, the best place first: memory is fast, and keeps nothing after the machine is turned off.
pub(crate) fn places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("/dev/shm"), std::env::temp_dir()];
    places.retain(|place| place.metadata().is_ok_and(|about| is_safe(&about)));
    places
}

/// Whether nobody but us can put something else in the place of what we make there.
fn is_safe(about: &std::fs::Metadata) -> bool {
    let is_trusted = [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    about.is_dir() && is_trusted && (about.mode() & 0o022 == 0 || about.mode() & 0o1000 != 0)
}

impl Folder {
    /// A fresh one in this place; none if it cannot be had there.
    pub(crate) fn new_in(place: &Path) -> Option<Self> {
        // Somebody who looks for leftovers may come before the lock: then there is another name.
        (0..3).find_map(|_| {
            let path = place.join(format!("{PREFIX}{:016x}", fastrand::u64(..)));
            let mut ours = ours();
            DirBuilder::new().mode(0o700).create(&path).ok()?;
            let Some(held) = hold(&path) else {
                let _ = std::fs::remove_dir(&path);
                return None;
            };
            ours.insert(path.clone());
            Some(Self { path, held })
        })
    }

    /// Where the copy is, or is to be.
    pub(crate) fn file(&self) -> PathBuf {
        self.path.join(NAME)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let mut ours = ours();
        remove(&self.path, &self.held);
        ours.remove(&self.path);
    }
}

fn ours() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens and locks a folder that is ours alone; none if somebody holds it, or if it is anything else.
fn hold(path: &Path) -> Option<File> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let folder = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    let about = folder.metadata().ok()?;
    let there = path.symlink_metadata().ok()?;
    let is_ours = about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0;
    ((about.dev(), about.ino()) == (there.dev(), there.ino()) && is_ours).then_some(folder)
}

fn remove(path: &Path, folder: &File) {
    let _ = unlinkat(folder, NAME, AtFlags::empty());
    for ending in BESIDE {
        let _ = unlinkat(folder, format!("{NAME}{ending}"), AtFlags::empty());
    }
    // If something else is in it, it stays.
    let _ = std::fs::remove_dir(path);
}

/// Removes what was left by those who were killed. Folders of the living, and of other users, are let be.
pub fn remove_leftovers() {
    for place in places() {
        let Ok(entries) = std::fs::read_dir(place) else { continue };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
                && let Some(folder) = hold(&entry.path())
            {
                remove(&entry.path(), &folder);
            }
        }
    }
}

/// Removes all of this process, which is about to end while others of its threads may be at work.
pub fn remove_all() {
    let ours = ours();
    for path in &*ours {
        if let Ok(folder) = File::open(path) {
            remove(path, &folder);
        }
    }
    // No more are made.
    std::mem::forget(ours);
}
