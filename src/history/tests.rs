//! The index against real files that grow, are torn, replaced, cut and damaged: it is always what a fresh one would be.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::core::history::{Anchor, Entry, Place, Shelf, Wanted, What};
use crate::paths::Home;

/// A home with event files, and a clock that never says the same twice.
struct Desk {
    folder: tempfile::TempDir,
    tick: u64,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), tick: 0 }
    }

    fn home(&self) -> Home {
        Home::at(self.folder.path().to_owned())
    }

    fn file(&self, bot: &str) -> PathBuf {
        let folder =
            if bot.is_empty() { self.folder.path().to_owned() } else { self.folder.path().join("bots").join(bot) };
        fs::create_dir_all(&folder).expect("a folder");
        folder.join("events")
    }

    fn line(&mut self, bot: &str, kind: &str, more: Value) -> Vec<u8> {
        self.tick += 1;
        let at = jiff::Timestamp::from_second(1_700_000_000 + self.tick as i64).expect("a time");
        let mut line = json!({ "at": at, "bot": bot, "kind": kind, "text": format!("{kind} number {}", self.tick) });
        if bot.is_empty() {
            line["bot"] = Value::Null;
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            line[key] = value.clone();
        }
        let mut bytes = serde_json::to_vec(&line).expect("json");
        bytes.push(b'\n');
        bytes
    }

    fn add(&mut self, bot: &str, kind: &str, more: Value) {
        let line = self.line(bot, kind, more);
        append(&self.file(bot), &line);
    }

    fn open(&self) -> History {
        History::open(&self.home(), true).expect("an index")
    }

    /// All that a fresh index says.
    fn fresh(&self) -> Vec<String> {
        let mut history = History::open(&self.home(), false).expect("an index");
        all(&mut history)
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path).expect("the file");
    file.write_all(bytes).expect("written");
}

fn read(history: &mut History) -> Step {
    loop {
        let step = history.refresh().expect("read");
        if !step.more {
            return step;
        }
    }
}

fn query(shelf: Shelf, wanted: &str, from: Anchor, count: usize) -> Query {
    Query { shelf, wanted: Wanted::new(wanted), from, count }
}

/// A row without its number.
fn told(entry: &Entry) -> String {
    format!("{} {:?} {:?}", entry.place.at, entry.bot, entry.what)
}

/// Every row of every shelf, page after page, downwards; upwards it must be the same. Where the index turns out to be
/// damaged on the way, rows have other numbers afterwards: the way is gone again.
fn all(history: &mut History) -> Vec<String> {
    loop {
        let happened = history.notices.len();
        let walked = walk(history);
        if history.notices.len() == happened {
            return walked.expect("every row once");
        }
    }
}

fn walk(history: &mut History) -> Result<Vec<String>, String> {
    read(history);
    let mut out = Vec::new();
    for shelf in Shelf::ALL {
        let mut down: Vec<Entry> = Vec::new();
        let mut from = Anchor::Newest;
        loop {
            let page = history.page(&query(shelf, "", from, 7))?;
            let counted = if page.rows.is_empty() { page.total } else { page.before };
            if counted != down.len() as u64 {
                return Err(format!("{shelf:?} {from:?}: {counted} are newer, not {}", down.len()));
            }
            let Some(last) = page.rows.last() else { break };
            from = Anchor::Older(last.place);
            down.extend(page.rows);
        }
        let mut up: Vec<Entry> = Vec::new();
        let mut from = Anchor::Oldest;
        loop {
            let page = history.page(&query(shelf, "", from, 5))?;
            let Some(first) = page.rows.first() else { break };
            from = Anchor::Newer(first.place);
            up.splice(0..0, page.rows);
        }
        if up != down {
            return Err(format!("{shelf:?}: upwards {} rows, downwards {}", up.len(), down.len()));
        }
        out.extend(down.iter().map(told));
    }
    Ok(out)
}

fn found(history: &mut History, shelf: Shelf, wanted: &str) -> Vec<String> {
    read(history);
    let page = history.page(&query(shelf, wanted, Anchor::Newest, 1000)).expect("a page");
    assert_eq!(page.total, page.rows.len() as u64, "{wanted}");
    let words = |entry: Entry| match entry.what {
        What::Event { text, .. } | What::Report { text, .. } => text,
        What::Run(run) => run.run,
    };
    page.rows.into_iter().map(words).collect()
}

#[test]
fn what_is_appended_is_read_once_and_a_torn_line_is_left_until_it_is_whole() {
    let mut desk = Desk::new();
    let mut history = desk.open();
    assert_eq!(all(&mut history), Vec::<String>::new());
    desk.add("a", "started", json!({ "run": "r1" }));
    let whole = desk.line("a", "exited", json!({ "run": "r1", "exit": { "code": 1, "signal": null } }));
    let (one, other) = whole.split_at(20);
    append(&desk.file("a"), one);
    assert!(read(&mut history).changed);
    assert_eq!(found(&mut history, Shelf::Events, "").len(), 1);
    append(&desk.file("a"), other);
    assert_eq!(found(&mut history, Shelf::Events, ""), ["exited number 2", "started number 1"]);
    assert!(!read(&mut history).changed);
    append(&desk.file("a"), b"{\"at\":\"20\nno event at all\n\xff\xfe\n{\"at\":7}\n\n");
    desk.add("a", "stopped", json!({ "run": "r1" }));
    assert_eq!(found(&mut history, Shelf::Events, "").len(), 3);
    assert_eq!(history.odd_lines(), Ok(4));
    assert_eq!(all(&mut history), desk.fresh());
    assert_eq!(history.note(), None);
}

#[test]
fn a_line_that_is_too_long_is_passed_over_even_before_its_end_is_there() {
    let mut desk = Desk::new();
    let mut history = desk.open();
    desk.add("a", "started", json!({}));
    append(&desk.file("a"), &vec![b'x'; read::LONGEST + 100]);
    assert_eq!(found(&mut history, Shelf::Events, "").len(), 1);
    append(&desk.file("a"), b"still it\n");
    desk.add("a", "exited", json!({}));
    assert_eq!(found(&mut history, Shelf::Events, "").len(), 2);
    assert_eq!(history.odd_lines(), Ok(1));
    assert_eq!(all(&mut history), desk.fresh());
}

#[test]
fn a_file_that_was_replaced_cut_or_removed_is_read_anew() {
    let mut desk = Desk::new();
    let mut history = desk.open();
    for _ in 0..5 {
        desk.add("a", "asked", json!({}));
    }
    desk.add("", "estop", json!({}));
    assert_eq!(found(&mut history, Shelf::Events, "").len(), 6);
    let file = desk.file("a");
    // Another file of the same name.
    let line = desk.line("a", "ready", json!({}));
    fs::write(file.with_extension("new"), [&line[..], &line[..]].concat()).expect("written");
    fs::rename(file.with_extension("new"), &file).expect("renamed");
    assert_eq!(found(&mut history, Shelf::Events, "!kind:estop"), ["ready number 7", "ready number 7"]);
    // The same file with another text, shorter and then longer.
    let line = desk.line("a", "adopted", json!({}));
    fs::write(&file, &line).expect("written");
    assert_eq!(found(&mut history, Shelf::Events, "bot:a"), ["adopted number 8"]);
    let longer: Vec<u8> = (0..9).flat_map(|_| desk.line("a", "warning", json!({}))).collect();
    fs::write(&file, longer).expect("written");
    assert_eq!(found(&mut history, Shelf::Events, "kind:warn").len(), 9);
    assert_eq!(all(&mut history), desk.fresh());
    fs::remove_file(&file).expect("removed");
    assert_eq!(found(&mut history, Shelf::Events, ""), ["estop number 6"]);
    fs::remove_dir_all(file.parent().expect("a folder")).expect("removed");
    assert_eq!(all(&mut history), desk.fresh());
}

#[test]
fn what_is_lost_is_told_once_and_what_cannot_be_read_is_counted_by_file() {
    let mut desk = Desk::new();
    let mut history = desk.open();
    desk.add("a", "started", json!({}));
    desk.add("", "asked", json!({}));
    append(&desk.file("a"), b"torn\n");
    append(&desk.file(""), b"torn\ntwice\n");
    assert_eq!(read(&mut history).odd, [("bots/a/events".to_owned(), 1), ("events".to_owned(), 2)]);
    assert_eq!(read(&mut history).odd.len(), 2, "also when nothing is new");
    assert_eq!(history.take_notices(), []);
    let told = |history: &mut History| {
        read(history);
        let notices = history.take_notices();
        let [notice] = notices.as_slice() else { panic!("{notices:?}") };
        (notice.short.clone(), notice.whole.clone())
    };
    let line = desk.line("a", "ready", json!({}));
    fs::write(desk.file("a"), line).expect("cut");
    let (short, whole) = told(&mut history);
    assert_eq!(short, "events of a begin anew");
    assert!(whole.starts_with("bots/a/events was cut off or replaced") && whole.ends_with("(1 event)"), "{whole}");
    fs::remove_file(desk.file("")).expect("removed");
    assert_eq!(told(&mut history).0, "events of the desk are gone");
    fs::remove_dir_all(desk.file("a").parent().expect("a folder")).expect("removed");
    assert_eq!(told(&mut history).0, "events of a are gone");
    assert_eq!(read(&mut history).odd, []);
    assert_eq!(history.take_notices(), []);
}

#[test]
fn runs_and_reports_are_made_of_events_and_opened_whole() {
    let mut desk = Desk::new();
    for (run, code) in [("r1", 1), ("r2", 0)] {
        desk.add("a", "started", json!({ "run": run }));
        desk.add("a", "exited", json!({ "run": run, "exit": { "code": code, "signal": null } }));
        desk.add("a", "backoff", json!({ "run": run, "failures": 2 }));
    }
    desk.add("b", "adopted", json!({ "run": "s1" }));
    desk.add("b", "exited", json!({ "run": "s1", "exit": { "code": null, "signal": "SIGKILL" } }));
    for bot in ["a", "b"] {
        desk.add(bot, "report", json!({ "action": "stop", "by": "ana", "exit_code": 0, "stop": "S1", "report": {} }));
    }
    desk.add("", "report", json!({ "action": "stop", "by": "ana", "exit_code": 13, "stop": "S1", "bots": ["a", "b"] }));
    desk.add("a", "report", json!({ "action": "kill", "by": "bob", "exit_code": 0, "stop": "S2" }));
    let mut history = desk.open();
    assert_eq!(found(&mut history, Shelf::Runs, ""), ["s1", "r2", "r1"]);
    assert_eq!(found(&mut history, Shelf::Runs, "bot:a exited"), ["r2", "r1"]);
    assert_eq!(found(&mut history, Shelf::Runs, "sigkill"), ["s1"]);
    assert_eq!(found(&mut history, Shelf::Reports, ""), ["report number 12", "report number 11"]);
    assert_eq!(found(&mut history, Shelf::Reports, "by:bob"), ["report number 12"]);
    assert_eq!(
        found(&mut history, Shelf::Reports, "bot:b"),
        ["report number 11"],
        "of several, the one that names all"
    );
    let page = history.page(&query(Shelf::Runs, "r1", Anchor::Newest, 9)).expect("a page");
    let What::Run(run) = &page.rows[0].what else { panic!("{page:?}") };
    assert_eq!((run.exit.as_deref(), run.lasted()), (Some("exited with 1"), Some(Duration::from_secs(1))));
    assert_eq!((run.last.as_str(), run.failures), ("backoff", Some(2)));
    match history.whole(Shelf::Runs, page.rows[0].place) {
        Ok(Whole::Run { events, .. }) => assert_eq!(events.len(), 3),
        other => panic!("{other:?}"),
    }
    let folder = desk.home().stop("S1");
    let at = "2026-03-04T14:32:07Z".parse().expect("a time");
    let report = crate::core::report::Report::of("stop", "ana", at, Vec::new());
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("report.json"), serde_json::to_vec(&report).expect("json")).expect("written");
    let page = history.page(&query(Shelf::Reports, "", Anchor::Oldest, 1)).expect("a page");
    match history.whole(Shelf::Reports, page.rows[0].place) {
        Ok(Whole::Report(whole)) => assert_eq!(whole.all, Some(Ok(Box::new(report)))),
        other => panic!("{other:?}"),
    }
    assert_eq!(history.whole(Shelf::Events, Place { at: 1, id: 1 }), Ok(Whole::Gone));
}

#[test]
fn words_of_a_filter_must_all_fit() {
    let mut desk = Desk::new();
    desk.add("grid-btc", "started", json!({ "run": "r" }));
    desk.add("grid-eth", "asked", json!({ "by": "ana", "text": "100% of it_self" }));
    desk.add("mm", "stopped", json!({ "text": "nothing of it lives" }));
    let mut history = desk.open();
    for (wanted, count) in [
        ("", 3),
        ("bot:grid", 2),
        ("!bot:grid", 1),
        ("bot:nobody", 0),
        ("!bot:nobody", 3),
        ("kind:st", 2),
        ("kind:zzz", 0),
        ("!kind:zzz", 3),
        ("!kind:started", 2),
        ("by:AN", 1),
        ("!by:ana", 2),
        ("GRID", 2),
        ("grid started", 1),
        ("100%", 1),
        ("it_s", 1),
        ("t_l", 0),
        ("since:1s", 0),
        ("!since:1s", 3),
        ("since:99999d", 3),
    ] {
        assert_eq!(found(&mut history, Shelf::Events, wanted).len(), count, "{wanted}");
        desk.add("grid-btc", "climbed", json!({}));
        found(&mut history, Shelf::Events, wanted);
        let page = history.page(&query(Shelf::Events, wanted, Anchor::Newest, 1000)).expect("a page");
        assert_eq!(page.total, page.rows.len() as u64, "counted on, not anew: {wanted}");
        let whole = fs::read(desk.file("grid-btc")).expect("events");
        let first = whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
        fs::write(desk.file("grid-btc"), &whole[..first]).expect("written");
    }
}

// What may be at the place of the index.

#[test]
fn whatever_lies_at_its_place_it_is_set_aside_and_built_anew() {
    let mut desk = Desk::new();
    for _ in 0..50 {
        desk.add("a", "asked", json!({}));
    }
    let index = desk.home().index();
    let aside = || {
        let names = fs::read_dir(desk.folder.path()).expect("the home").flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains(".damaged-") && !name.ends_with("-journal")).count()
    };
    let fresh = desk.fresh();
    fs::write(&index, "").expect("written");
    let mut history = desk.open();
    assert_eq!((all(&mut history), history.note()), (fresh.clone(), None), "an empty file is an index to be made");
    drop(history);
    fs::write(&index, "no database at all, but long enough to be read as one".repeat(100)).expect("written");
    let mut history = desk.open();
    assert_eq!(all(&mut history), fresh);
    let notices = history.take_notices();
    let [notice] = notices.as_slice() else { panic!("{notices:?}") };
    assert_eq!((notice.short.as_str(), history.note()), ("index rebuilt", None));
    assert!(notice.whole.contains("damaged") && notice.whole.ends_with("built anew"), "{notice:?}");
    assert_eq!(history.take_notices(), [], "it is told once");
    drop(history);
    fs::remove_file(&index).expect("removed");
    fs::create_dir(&index).expect("a folder");
    fs::write(index.join("x"), "x").expect("written");
    let mut history = desk.open();
    assert_eq!(all(&mut history), fresh);
    drop(history);
    rusqlite::Connection::open(&index).expect("opened").pragma_update(None, "user_version", 0).expect("written");
    let mut history = desk.open();
    assert_eq!(all(&mut history), fresh, "tables that are there already are none of ours");
    drop(history);
    assert_eq!(aside(), 2, "the last two are kept");
    rusqlite::Connection::open(&index).expect("opened").pragma_update(None, "user_version", 99).expect("written");
    let mut history = desk.open();
    assert_eq!(all(&mut history), fresh);
    assert!(history.note().is_some_and(|note| note.contains("newer botwarden")), "{:?}", history.note());
    assert_eq!(aside(), 2, "what a newer one has made is left to it");
}

#[test]
fn a_database_of_another_program_is_not_touched() {
    for (settings, table) in [
        ("", "CREATE TABLE prices (at, price); INSERT INTO prices VALUES (1, 2);"),
        // The names of our own tables.
        ("", "CREATE TABLE events (id); CREATE TABLE runs (id);"),
        ("PRAGMA user_version = 1;", "CREATE TABLE prices (at, price);"),
        ("PRAGMA user_version = 99;", ""),
        ("PRAGMA application_id = 7;", ""),
        ("PRAGMA journal_mode = WAL;", "CREATE TABLE prices (at, price);"),
    ] {
        let mut desk = Desk::new();
        desk.add("a", "asked", json!({}));
        let index = desk.home().index();
        let theirs = rusqlite::Connection::open(&index).expect("opened");
        theirs.execute_batch(&format!("{settings} {table}")).expect("written");
        let before = fs::read(&index).expect("theirs");
        let mut history = desk.open();
        assert_eq!(all(&mut history), desk.fresh(), "{settings}");
        assert!(
            history.note().is_some_and(|note| note.contains("in memory") && note.contains("another program's")),
            "{settings} {:?}",
            history.note()
        );
        assert!(fs::read(&index).expect("theirs") == before, "{settings}");
    }
    // A file that was made and never written into is nobody's.
    let desk = Desk::new();
    rusqlite::Connection::open(desk.home().index()).expect("opened").execute_batch("VACUUM").expect("written");
    assert_eq!(desk.open().note(), None);
}

#[test]
fn an_index_that_is_removed_or_damaged_while_it_is_used_is_built_anew() {
    let mut desk = Desk::new();
    for number in 0..700 {
        desk.add(["a", "b", "c"][number % 3], "exited", json!({ "run": format!("r{number}") }));
    }
    let index = desk.home().index();
    let fresh = desk.fresh();
    let mut dice = fastrand::Rng::with_seed(7);
    for round in 0..12 {
        let mut history = desk.open();
        assert_eq!(all(&mut history), fresh);
        if round % 4 == 3 {
            fs::remove_file(&index).expect("removed");
        } else {
            let mut bytes = fs::read(&index).expect("the index");
            let pages = bytes.len() / 4096;
            for _ in 0..dice.usize(1..=pages) {
                let start = dice.usize(0..pages) * 4096;
                bytes[start..start + 4096].iter_mut().for_each(|byte| *byte = dice.u8(..));
            }
            fs::write(&index, &bytes).expect("written");
        }
        // The one that is open, whose cache knows better, and one that is opened now.
        let mut other = desk.open();
        assert_eq!(all(&mut other), fresh, "round {round}");
        desk.add("a", "asked", json!({}));
        assert_eq!(all(&mut history), desk.fresh(), "round {round}");
        let whole = fs::read(desk.file("a")).expect("events");
        let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("a line") + 1;
        fs::write(desk.file("a"), &whole[..last]).expect("written");
        assert_eq!(all(&mut other), fresh, "round {round}");
    }
}

#[test]
fn where_it_cannot_be_kept_it_is_in_memory_and_says_so() {
    let mut history = History::open(&Home::at("/proc/self".into()), true).expect("an index");
    assert!(
        history.note().is_some_and(|note| note.starts_with("the index is in memory: botwarden.db: ")),
        "{:?}",
        history.note()
    );
    assert_eq!(all(&mut history), Vec::<String>::new());
    let mut desk = Desk::new();
    desk.add("a", "asked", json!({}));
    let mut history = History::open(&desk.home(), false).expect("an index");
    assert_eq!(all(&mut history).len(), 1);
    assert!(!desk.home().index().exists() && history.note().is_some_and(|note| note.contains("read-only")));
}

#[test]
fn two_read_into_one_index_at_once_and_both_are_right() {
    let mut desk = Desk::new();
    for number in 0..2000 {
        desk.add(["a", "b"][number % 2], "asked", json!({}));
    }
    let fresh = desk.fresh();
    let home = desk.home();
    let at_once: Vec<_> = (0..4)
        .map(|_| {
            let home = home.clone();
            std::thread::spawn(move || {
                let mut history = History::open(&home, true).expect("an index");
                loop {
                    match history.refresh() {
                        Ok(step) if !step.more => break,
                        // Somebody else is at it.
                        Ok(_) | Err(_) => {}
                    }
                }
                all(&mut history)
            })
        })
        .collect();
    for one in at_once {
        assert_eq!(one.join().expect("no panic"), fresh);
    }
    assert_eq!(all(&mut desk.open()), fresh);
}

#[test]
fn after_whatever_happened_to_the_files_the_index_is_what_a_fresh_one_would_be() {
    for seed in 0..20 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut desk = Desk::new();
        let mut history = desk.open();
        let bots = ["", "a", "b", "c"];
        let kinds = ["started", "exited", "backoff", "report", "asked", "stopped"];
        for step in 0..60 {
            let bot = bots[dice.usize(0..bots.len())];
            let file = desk.file(bot);
            match dice.u8(0..12) {
                0 => append(&file, b"{\"at\":\"20"),
                1 => append(&file, b"\ngarbage\n"),
                2 => _ = fs::remove_file(&file),
                3 => {
                    let length = fs::metadata(&file).map_or(0, |about| about.len());
                    if length > 0 {
                        let file = fs::OpenOptions::new().write(true).open(&file).expect("the file");
                        file.set_len(dice.u64(0..length)).expect("cut");
                    }
                }
                4 => {
                    let line = desk.line(bot, "ready", json!({}));
                    fs::write(file.with_extension("new"), line).expect("written");
                    fs::rename(file.with_extension("new"), &file).expect("renamed");
                }
                5 => history = desk.open(),
                6 => _ = fs::remove_file(desk.home().index()),
                _ => {
                    for _ in 0..dice.usize(1..6) {
                        let run = format!("r{}", dice.u8(0..3));
                        let stop = format!("s{}", dice.u8(0..3));
                        let kind = kinds[dice.usize(0..kinds.len())];
                        desk.add(bot, kind, json!({ "run": run, "stop": stop, "exit": { "code": 1 } }));
                    }
                }
            }
            if dice.bool() {
                assert_eq!(all(&mut history), desk.fresh(), "seed {seed}, step {step}");
            }
        }
    }
}
