//! The event files: one JSON object a line, only ever appended to.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use serde_json::{Map, Value};

use crate::clock;
use crate::core::bot::BotName;
use crate::core::event::{Event, Kind};
use crate::core::record::ProcessId;
use crate::core::signal::Signal;

/// A happening of now.
pub fn event(bot: Option<&BotName>, kind: Kind, text: impl Into<String>, more: Map<String, Value>) -> Event {
    Event { at: clock::wall(), bot: bot.cloned(), kind: kind.word().to_owned(), text: text.into(), more }
}

/// How an event file is opened: never waited for, where a pipe was put in its place, and never made our terminal.
fn opening() -> OpenOptions {
    let mut opening = OpenOptions::new();
    opening.read(true).mode(0o600).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    opening
}

/// Opens an event file to read it.
///
/// # Errors
/// If it cannot be read, or is none that keeps anything.
pub fn open(path: &Path) -> io::Result<File> {
    opening().open(path).and_then(kept)
}

/// A file that keeps what is written to it: a pipe, a device or a folder does not.
fn kept(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

fn no_file() -> io::Error {
    io::Error::other("it is not a regular file")
}

/// Whether events could be appended, without doing so. One that is not there yet is for its folder to say.
///
/// # Errors
/// If they could not.
pub fn can_append(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        // Nothing that may mind is opened.
        Ok(about) if !about.is_file() => Err(no_file()),
        Ok(_) => opening().append(true).open(path).and_then(kept).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Appends one event.
///
/// # Errors
/// If it cannot be written whole, or the file is none that keeps it.
pub fn append(path: &Path, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut file = opening().append(true).create(true).open(path).and_then(kept)?;
    if !ends_with_a_whole_line(&file)? {
        // A full disk or a crash tore the last one; this one must not go down with it.
        line.insert(0, b'\n');
    }
    file.write_all(&line)
}

fn ends_with_a_whole_line(file: &File) -> io::Result<bool> {
    let size = file.metadata()?.len();
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    Ok(last == *b"\n")
}

/// The last `count` events of a file, oldest first. Lines that are no events are passed over.
///
/// # Errors
/// If the file is there and cannot be read, or is none that keeps anything.
pub fn last(path: &Path, count: usize) -> io::Result<Vec<Event>> {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let mut block = 64 << 10;
    loop {
        let start = size.saturating_sub(block);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(size - start).read_to_end(&mut bytes)?;
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if start > 0 {
            // The first one is most likely cut.
            let _ = lines.next();
        }
        let mut events: Vec<Event> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        if start == 0 || events.len() >= count {
            let surplus = events.len().saturating_sub(count);
            return Ok(events.split_off(surplus));
        }
        block = block.saturating_mul(4);
    }
}

/// What stands for a run in the events of a stray that is ended without a keeper: it has none.
pub fn run_of_stray(stray: &ProcessId) -> String {
    format!("stray-{}-{}", stray.pid, stray.start_time)
}

/// The signals that the keepers of a run have sent to it, oldest first: nobody is to be told twice.
pub fn signals_told(events: &Path, run: &str) -> Vec<Signal> {
    const FAR_ENOUGH: usize = 64;
    let events = last(events, FAR_ENOUGH).unwrap_or_default();
    events
        .iter()
        .filter(|event| event.more.get("run").is_some_and(|of| of == run))
        .filter_map(|event| event.more.get("signal")?.as_str()?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_only_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        for number in 0..3 {
            append(&path, &event(None, Kind::Asked, format!("event {number}"), Map::new())).expect("room");
            if number == 1 {
                std::fs::write(&path, [&std::fs::read(&path).expect("events")[..], b"{\"at\":\"20"].concat())
                    .expect("room");
            }
        }
        let texts: Vec<String> = last(&path, 10).expect("events").into_iter().map(|event| event.text).collect();
        assert_eq!(texts, ["event 0", "event 1", "event 2"]);
    }

    #[test]
    fn what_is_no_file_is_an_error_at_once_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&pipe, &link).expect("a link");
        let dir = folder.path().join("folder");
        std::fs::create_dir(&dir).expect("a folder");
        let device = Path::new("/dev/null");
        let one = event(None, Kind::Asked, "x", Map::new());
        for path in [&pipe, &link, &dir, device] {
            assert!(append(path, &one).is_err(), "{}", path.display());
            assert!(last(path, 1).is_err(), "{}", path.display());
            let why = can_append(path).expect_err("it keeps nothing").to_string();
            assert_eq!(why, "it is not a regular file", "{}", path.display());
        }
    }

    #[test]
    fn whether_events_could_be_appended_is_found_out_without_appending() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        can_append(&path).expect("its folder can be written");
        assert!(!path.exists());
        append(&path, &event(None, Kind::Asked, "x", Map::new())).expect("room");
        let before = std::fs::read(&path).expect("events");
        can_append(&path).expect("it is ours");
        assert_eq!(std::fs::read(&path).expect("events"), before);
        assert!(can_append(&path.join("below")).is_err());
    }

    #[test]
    fn the_last_events_are_the_last_however_long_the_file_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("events");
        let mut text = Vec::new();
        for number in 0..5000 {
            let one = event(None, Kind::Asked, format!("{number:0>100}"), Map::new());
            text.extend(serde_json::to_vec(&one).expect("json"));
            text.push(b'\n');
        }
        std::fs::write(&path, text).expect("room");
        for count in [0, 1, 7, 1000, 5000, 9000] {
            let events = last(&path, count).expect("events");
            assert_eq!(events.len(), count.min(5000));
            assert!(events.last().is_none_or(|event| event.text.ends_with("4999")));
        }
    }
}
