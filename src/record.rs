//! Reads and writes what is kept beside a bot: `run.json` and `down`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::core::record::{Down, RunRecord};
use crate::core::status::RecordSeen;
use crate::paths::{BotHome, words};

/// The run record, as far as it can be understood.
pub fn read(bot: &BotHome) -> RecordSeen {
    let path = bot.run();
    let bytes = match read_file(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return RecordSeen::None,
        Err(error) => return RecordSeen::Unreadable(format!("{}: {}", path.display(), words(&error))),
    };
    match serde_json::from_slice(&bytes) {
        Ok(record) => RecordSeen::Read(Box::new(record)),
        Err(error) => RecordSeen::Unreadable(format!("{}: {error}", path.display())),
    }
}

/// Whether a run of it has left a log.
pub fn has_run(bot: &BotHome) -> bool {
    fs::read_dir(bot.log_dir()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Whether the run record can be read, whatever it says: one that can is corrupt at worst.
pub fn is_readable(bot: &BotHome) -> bool {
    read_file(&bot.run()).is_ok()
}

/// Reads a file, and never waits for one that is none: a pipe put in its place.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    OpenOptions::new().read(true).custom_flags(flags).open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a record is to survive a power cut from the moment it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Yes, which waits for the disk.
    Now,
    /// When the system gets to it: another record follows soon.
    Later,
}

/// Replaces the run record; a reader sees the old one or the new one.
///
/// # Errors
/// If it cannot be written; the old one stands then.
pub fn write(bot: &BotHome, record: &RunRecord, sync: Sync) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(record)?;
    text.push(b'\n');
    replace(&bot.run(), &text, sync)
}

/// Whether the bot is not to be running, and who said so.
pub fn down(bot: &BotHome) -> Option<Down> {
    match read_file(&bot.down()) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(Down::default()),
    }
}

/// Writes down that the bot is not to be running. The name is what counts; that who and when cannot be written is no
/// error (a full disk still has room for a name).
///
/// # Errors
/// If the name cannot be made.
pub fn set_down(bot: &BotHome, down: &Down) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(bot.down())?;
    let _ = serde_json::to_vec(down).map(|text| file.write_all(&text));
    Ok(())
}

/// Takes back that the bot is not to be running.
///
/// # Errors
/// If the file is there and cannot be removed.
pub fn clear_down(bot: &BotHome) -> io::Result<()> {
    match fs::remove_file(bot.down()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Replaces a small file; a reader sees the old one or the new one.
///
/// # Errors
/// If it cannot be written; the old one stands then.
pub fn replace(path: &Path, text: &[u8], sync: Sync) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file: File| {
            file.write_all(text)?;
            match sync {
                Sync::Now => file.sync_data(),
                Sync::Later => Ok(()),
            }
        })
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
