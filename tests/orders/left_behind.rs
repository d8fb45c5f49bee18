//! What bots leave behind that are killed in the middle of a change: it is read as their next start will find it, and left
//! as it is.

use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use botwarden::core::order::Answer;
use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use crate::desk::*;

/// 247trader's one row is rewritten in a transaction that is larger than the cache, so that the file itself is half
/// written before the commit. The bot is then killed.
const CRASH: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA journal_mode = delete')
file.execute('PRAGMA cache_size = 2')
file.execute('BEGIN IMMEDIATE')
file.execute(\"UPDATE state_store SET payload = replace(payload, 'V1', 'V2')\")
for i in range(2000):
    file.execute('UPDATE ballast SET text = ? WHERE id = ?', ('y' * 500, i))
print('ready')
sys.stdin.read()
";

const STATE: &str = r#"{"open_orders": {"c-1": {"order_id": "V1", "side": "buy", "status": "open"}}}"#;

fn ballast(size: u64) -> String {
    format!(
        "{} CREATE TABLE ballast (id INTEGER PRIMARY KEY, text);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {size})
         INSERT INTO ballast SELECT i, printf('%.500c', 'x') FROM n;",
        state_store(STATE)
    )
}

/// A file that a bot has left in the middle of a commit, and its journal.
fn crashed(desk: &Desk, name: &str, size: u64) -> (PathBuf, PathBuf) {
    let path = desk.database(name, &ballast(size));
    drop(Other::python(CRASH, &path));
    let journal = desk.path(&format!("{name}-journal"));
    assert!(journal.exists());
    (path, journal)
}

/// What somebody reads who passes over the journal.
fn naive(path: &Path) -> Result<String, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let file = Connection::open_with_flags(format!("file:{}?immutable=1", path.display()), flags)?;
    file.query_row("SELECT payload FROM state_store", [], |row| row.get(0))
}

fn bytes(paths: &[&Path]) -> Vec<Option<Vec<u8>>> {
    paths.iter().map(|path| std::fs::read(path).ok()).collect()
}

fn places() -> [PathBuf; 2] {
    ["/dev/shm".into(), std::env::temp_dir()]
}

/// Folders for copies that are there at this time.
fn folders() -> Vec<PathBuf> {
    let entries = places().into_iter().flat_map(|place| std::fs::read_dir(place).into_iter().flatten().flatten());
    let is_one =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("botwarden-orders-"));
    entries.map(|entry| entry.path()).filter(is_one).collect()
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < LONG, "{what}: waited in vain");
        std::thread::yield_now();
    }
}

#[test]
fn a_commit_that_a_killed_bot_left_half_done_is_taken_back_in_a_copy() {
    let desk = Desk::new();
    let (path, journal) = crashed(&desk, "state.db", 2000);
    assert!(naive(&path).is_ok_and(|text| text.contains("V2")) || naive(&path).is_err(), "nothing was half written");
    let before = bytes(&[&path, &journal]);
    let link = desk.path("link.db");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    for path in [&path, &path, &link] {
        let reading = desk.read(state_json(path));
        assert_eq!(told(&reading.orders), ["V1 - - - buy - - - - open trades -"]);
    }
    let query = "SELECT json_extract(payload, '$.open_orders.c-1.order_id') AS order_id FROM state_store";
    assert_eq!(desk.read(sql(&path, query)).orders[0].order_id.as_deref(), Some("V1"));
    assert_eq!(desk.refused(freqtrade(&path)).split_once(": ").expect("two parts").1, {
        "there is no table orders (is this a freqtrade database?)"
    });
    assert!(bytes(&[&path, &journal]) == before, "the originals were touched");
    // Its own next start finds the same.
    let bot = Connection::open(&path).unwrap();
    let text: String = bot.query_row("SELECT payload FROM state_store", [], |row| row.get(0)).unwrap();
    assert_eq!(text, STATE);
    assert!(!journal.exists());
}

#[test]
fn many_ask_at_once_while_the_bot_comes_back_and_nobody_sees_what_never_was() {
    let desk = Desk::new();
    let (path, journal) = crashed(&desk, "state.db", 20_000);
    let ask = || desk.readers.ask(desk.question(state_json(&path)));
    let early: Vec<_> = (0..4).map(|_| ask()).collect();
    let bot = Connection::open(&path).unwrap();
    bot.busy_timeout(LONG).unwrap();
    let text: String = bot.query_row("SELECT payload FROM state_store", [], |row| row.get(0)).unwrap();
    assert_eq!(text, STATE);
    let late: Vec<_> = (0..4).map(|_| ask()).collect();
    for pending in early.into_iter().chain(late) {
        let answer = pending.wait(botwarden::clock::now().plus(LONG));
        assert_eq!(told(&reading(answer).orders), ["V1 - - - buy - - - - open trades -"]);
    }
    assert!(!journal.exists());
}

#[test]
fn what_is_too_large_or_one_of_several_is_told_and_not_copied() {
    let desk = Desk::new();
    let half = "was left in the middle of a change, which only its own program can take back: start that program";
    let (path, _) = crashed(&desk, "large.db", 2000);
    File::options().write(true).open(&path).unwrap().set_len(257 << 20).unwrap();
    assert!(desk.refused(state_json(&path)).ends_with(half));
    let (path, journal) = crashed(&desk, "several.db", 2000);
    let mut text = std::fs::read(&journal).unwrap();
    text.extend([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    std::fs::write(&journal, text).unwrap();
    assert!(desk.refused(state_json(&path)).ends_with(half));
}

#[test]
fn a_copy_does_not_outlive_a_reader_that_is_killed_by_more_than_the_next_one() {
    let desk = Desk::new();
    let (path, _) = crashed(&desk, "state.db", 100_000);
    let old = folders();
    let is_new =
        |folder: &PathBuf| !old.contains(folder) && folder.join("copy").metadata().is_ok_and(|it| it.len() > 0);
    for _ in 0..50 {
        let pending = desk.readers.ask(desk.question(state_json(&path)));
        let reader = desk.readers.processes()[0];
        let id = process::identify(reader).expect("it lives");
        let start = Instant::now();
        let mut seen = None;
        while seen.is_none() && start.elapsed() < Duration::from_secs(5) {
            // Other tests copy too: what counts is what this very reader holds.
            seen = folders().into_iter().find(|folder| is_new(folder) && is_held_by(reader, folder));
        }
        let Some(folder) = seen else { continue };
        Held::open(&id).expect("it is held").signal(Signal::KILL).expect("it is ours");
        // It is asked once more, by another one.
        let answer = pending.wait(botwarden::clock::now().plus(LONG));
        assert_eq!(reading(answer).orders.len(), 1);
        eventually("the end of a leftover", || !folder.exists());
        return;
    }
    panic!("no reader was caught with a copy");
}

fn is_held_by(pid: i32, folder: &Path) -> bool {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|target| target == folder)
}

#[test]
fn leftovers_of_the_dead_are_removed_and_nothing_else_is() {
    let desk = Desk::new();
    // Made whole under another name: readers of other tests look for leftovers too.
    let make = |name: &str, mode, files: &[&str]| {
        let name = format!("botwarden-orders-{}-{name}", std::process::id());
        let (path, made) = (std::env::temp_dir().join(&name), std::env::temp_dir().join(format!("making-{name}")));
        std::fs::DirBuilder::new().mode(mode).create(&made).expect("a folder");
        for file in files {
            std::fs::write(made.join(file), "x").expect("a file");
        }
        let held = File::open(&made).expect("a folder");
        flock(&held, FlockOperation::NonBlockingLockExclusive).expect("a lock");
        std::fs::rename(&made, &path).expect("a name");
        (path, held)
    };
    let (alive, _holder) = make("alive", 0o700, &["copy"]);
    let (dead, _) = make("dead", 0o700, &["copy", "copy-journal"]);
    let (open, _) = make("open", 0o755, &["copy"]);
    let (other, _) = make("other", 0o700, &["copy", "mine"]);
    desk.read(state_json(&desk.file("state.json", STATE)));
    eventually("the end of a leftover", || !dead.exists());
    eventually("the end of a leftover", || !other.join("copy").exists());
    assert!(alive.join("copy").exists() && open.join("copy").exists() && other.join("mine").exists());
    for path in [alive, open, other] {
        let _ = std::fs::remove_dir_all(path);
    }
}

/// As if nobody had touched it for an hour.
fn age(path: &Path) {
    let before = SystemTime::now() - Duration::from_hours(1);
    File::options().write(true).open(path).expect("a file").set_modified(before).expect("a time");
}

#[test]
fn a_log_without_an_index_in_a_folder_that_we_may_not_write_is_read_from_a_copy() {
    if !is_root() {
        eprintln!("skipped: only root can read as somebody else");
        return;
    }
    let desk = Desk::new();
    let path = desk.database("logged.db", &format!("PRAGMA journal_mode = wal; {FREQTRADE}"));
    let crash = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA wal_autocheckpoint = 0')
file.execute(\"INSERT INTO orders (id, ft_trade_id, ft_is_open, order_id, status) VALUES (1, 1, 1, 'W-1', 'open')\")
file.execute('PRAGMA cache_size = 2')
file.execute('BEGIN')
for i in range(2000):
    file.execute('INSERT INTO orders (ft_is_open, order_id) VALUES (1, ?)', ('x' * 500,))
print('ready')
sys.stdin.read()
";
    drop(Other::python(crash, &path));
    let log = desk.path("logged.db-wal");
    assert!(log.metadata().expect("a log").len() > 100_000);
    let ask = || {
        let mut question = desk.question(freqtrade(&path));
        question.surroundings.user = Some("nobody".into());
        desk.ask(question)
    };
    set_permissions(desk.folder.path(), Permissions::from_mode(0o755)).expect("a mode");
    if matches!(ask(), Answer::Failed(why) if why.contains("there is no user")) {
        eprintln!("skipped: there is no user nobody here");
        return;
    }
    std::fs::remove_file(desk.path("logged.db-shm")).expect("an index");
    age(&path);
    age(&log);
    let before = bytes(&[&path, &log]);
    let orders = reading(ask()).orders;
    assert_eq!(orders.iter().filter_map(|order| order.order_id.as_deref()).collect::<Vec<_>>(), ["W-1"]);
    assert!(bytes(&[&path, &log]) == before && !desk.path("logged.db-shm").exists());
    // Of what changes at this time nobody knows whether it was copied whole.
    let soon = SystemTime::now() + Duration::from_hours(1);
    File::options().write(true).open(&log).expect("a file").set_modified(soon).expect("a time");
    assert!(failure(ask()).contains("for which -shm must be made beside it"));
    age(&log);
    assert_eq!(reading(ask()).orders.len(), 1);
    // And one that has a journal besides is for its own program only.
    std::fs::write(desk.path("logged.db-journal"), "x").expect("a file");
    assert!(failure(ask()).contains("was left in the middle of a change"));
}
