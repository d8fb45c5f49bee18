//! Who holds a lock on a file of SQLite, as far as the kernel tells.

use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::file;
use crate::config::visible;
use crate::process;

/// The bytes of `-shm` that a writer, a checkpoint or a recovery locks (`wal.c`).
const AT_WORK: std::ops::RangeInclusive<u64> = 120..=122;

/// So many are told.
const TOLD: usize = 3;

/// Those who keep others away, as `pid 4711 (python3)`; without one of them, those who only read. None where nobody can be
/// told: on a share of another machine, or behind another process namespace.
pub(crate) fn of(path: &Path) -> Vec<String> {
    let locks = read_to_string("/proc/locks").unwrap_or_default();
    let (main, log) = (number(path), number(&file::beside(path, "-shm")));
    let held: Vec<Held> = locks.lines().filter_map(parse).collect();
    let writes = |lock: &&Held| {
        lock.writes
            && (Some(&lock.file) == main.as_ref()
                || (Some(&lock.file) == log.as_ref() && AT_WORK.contains(&lock.start)))
    };
    let reads = |lock: &&Held| Some(&lock.file) == main.as_ref();
    let pids = |locks: Vec<&Held>| locks.into_iter().map(|lock| lock.pid).collect::<BTreeSet<_>>();
    let mut found = pids(held.iter().filter(writes).collect());
    if found.is_empty() {
        found = pids(held.iter().filter(reads).collect());
    }
    found.remove(&(std::process::id() as i32));
    found.into_iter().filter(|pid| *pid > 0).take(TOLD).map(told).collect()
}

struct Held {
    writes: bool,
    pid: i32,
    file: String,
    start: u64,
}

/// A line such as `1: POSIX  ADVISORY  WRITE 4711 08:01:12345 1073741824 1073742335`; none of one who only waits.
fn parse(line: &str) -> Option<Held> {
    let mut parts = line.split_ascii_whitespace().skip(1);
    if parts.next()? == "->" {
        return None;
    }
    parts.next()?;
    let writes = parts.next()? == "WRITE";
    let pid = parts.next()?.parse().ok()?;
    let file = parts.next()?.to_owned();
    Some(Held { writes, pid, file, start: parts.next()?.parse().ok()? })
}

/// A file as the kernel names it there.
fn number(path: &Path) -> Option<String> {
    let about = path.metadata().ok()?;
    let device = about.dev();
    Some(format!("{:02x}:{:02x}:{}", rustix::fs::major(device), rustix::fs::minor(device), about.ino()))
}

fn told(pid: i32) -> String {
    match process::short_name(pid) {
        Some(name) => format!("pid {pid} ({})", visible(&name)),
        None => format!("pid {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_read_and_one_who_waits_has_none() {
        let held = parse("1: POSIX  ADVISORY  WRITE 4711 08:01:12345 1073741824 1073742335").expect("a lock");
        assert!(held.writes && held.pid == 4711 && held.file == "08:01:12345" && held.start == 1_073_741_824);
        assert!(!parse("2: OFDLCK ADVISORY  READ -1 00:2f:77 0 EOF").expect("a lock").writes);
        assert!(parse("2: -> POSIX  ADVISORY  WRITE 12 08:01:1 0 EOF").is_none());
        assert!(parse("").is_none() && parse("nonsense").is_none());
    }
}
