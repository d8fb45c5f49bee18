//! Readers that die, hang and come again.

use std::time::{Duration, Instant};

use botwarden::clock;
use botwarden::core::order::Answer;
use botwarden::core::signal::Signal;
use botwarden::orders::Question;
use botwarden::process::{self, Held};

use crate::desk::*;

const ORDERS: &str = r#"{"open_orders": {"c-1": {"order_id": "V1"}}}"#;

fn signal(pid: i32, signal: Signal) {
    let id = process::identify(pid).expect("it lives");
    Held::open(&id).expect("it is held").signal(signal).expect("it is ours");
}

/// Waits for something that comes by itself.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < LONG, "{what}: waited in vain");
        std::thread::yield_now();
    }
}

fn is_gone(pid: i32) -> bool {
    process::stat(pid).is_none()
}

#[test]
fn one_reader_answers_everybody_and_goes_with_its_owner() {
    let desk = Desk::new();
    let path = desk.file("state.json", ORDERS);
    let pending: Vec<_> = (0..50).map(|_| desk.readers.ask(desk.question(state_json(&path)))).collect();
    for pending in pending {
        assert_eq!(reading(pending.wait(clock::now().plus(LONG))).orders.len(), 1);
    }
    let readers = desk.readers.processes();
    assert_eq!(readers.len(), 1);
    assert!(process::is_keeper(readers[0]), "whoever searches for strays must know it for ours");
    assert_eq!(process::mark(readers[0]), None);
    drop(desk);
    // Reaped: not even a zombie is left.
    assert!(is_gone(readers[0]));
}

#[test]
fn a_reader_that_is_killed_in_the_middle_is_replaced_and_everybody_has_an_answer() {
    let desk = Desk::new();
    let path = desk.file("state.json", ORDERS);
    // The program says that it runs, and runs until it is asked a second time.
    let slow = shell("if mkdir first 2>/dev/null; then exec sleep 600; fi; echo '{\"orders\": [{}]}'");
    let pending = desk.readers.ask(desk.question(slow));
    eventually("the program", || desk.path("first").exists().then_some(()));
    let others: Vec<_> = (0..20).map(|_| desk.readers.ask(desk.question(state_json(&path)))).collect();
    let first = desk.readers.processes()[0];
    signal(first, Signal::KILL);
    for pending in others {
        assert_eq!(reading(pending.wait(clock::now().plus(LONG))).orders.len(), 1);
    }
    assert_eq!(reading(pending.wait(clock::now().plus(LONG))).orders.len(), 1);
    eventually("the end of the first", || is_gone(first).then_some(()));
    assert_eq!(desk.read(state_json(&path)).orders.len(), 1);
}

#[test]
fn what_kills_its_reader_again_is_told() {
    let desk = Desk::new();
    // The parent of the program is the reader: it dies of each question.
    // Twice at least: the runtime's own handler lets the first one pass, for the fault would come again.
    let killer = shell("while kill -BUS $PPID; do :; done; sleep 600");
    let pending = desk.readers.ask(desk.question(killer));
    let path = desk.file("state.json", ORDERS);
    let innocent = desk.readers.ask(desk.question(state_json(&path)));
    assert_eq!(failure(pending.wait(clock::now().plus(LONG))), "sh: its reader was killed by SIGBUS");
    assert_eq!(reading(innocent.wait(clock::now().plus(LONG))).orders.len(), 1);
}

#[test]
fn a_program_does_not_outlive_the_reader_that_ran_it() {
    let desk = Desk::new();
    let pending = desk.readers.ask(desk.question(shell("echo $$ > pid.new && mv pid.new pid; exec sleep 600")));
    let pid = |desk: &Desk| {
        eventually("the program", || std::fs::read_to_string(desk.path("pid")).ok()?.trim().parse::<i32>().ok())
    };
    let first = pid(&desk);
    std::fs::remove_file(desk.path("pid")).expect("it is there");
    signal(desk.readers.processes()[0], Signal::KILL);
    eventually("the end of the program", || is_gone(first).then_some(()));
    // It was asked once more; now nobody is interested any more.
    let second = pid(&desk);
    drop(desk);
    eventually("the end of the program", || is_gone(second).then_some(()));
    drop(pending);
}

#[test]
fn a_reader_that_does_not_answer_is_given_up_and_replaced() {
    let desk = Desk::new();
    let path = desk.file("state.json", ORDERS);
    desk.read(state_json(&path));
    let first = desk.readers.processes()[0];
    signal(first, "SIGSTOP".parse().expect("a signal"));
    let within = Duration::from_millis(200);
    let question = Question { within, ..desk.question(state_json(&path)) };
    let until = clock::now().plus(LONG);
    let why = failure(desk.readers.ask(question).wait(until));
    assert_eq!(why, format!("{}: no answer within 200ms (its file hangs?)", path.display()));
    assert_eq!(desk.read(state_json(&path)).orders.len(), 1);
    eventually("the end of the first", || is_gone(first).then_some(()));
    // It is reaped by a thread, which counts it until it has done so.
    eventually("that one is left", || (desk.readers.processes().len() == 1).then_some(()));
}

#[test]
fn where_no_process_can_be_had_orders_are_read_all_the_same() {
    let mut desk = Desk::new();
    let path = desk.file("state.json", ORDERS);
    for program in ["/no/where", "/bin/true", "/bin/echo"] {
        desk.readers = botwarden::readers::Readers::through(program.into());
        assert_eq!(desk.read(state_json(&path)).orders.len(), 1, "{program}");
        assert_eq!(desk.read(state_json(&path)).orders.len(), 1, "{program}");
    }
}

/// SQLite maps the index of a write-ahead log. If it is cut off under it, the kernel kills whoever looks.
#[test]
fn an_index_that_is_cut_off_under_a_reader_hurts_nobody_else() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", &format!("PRAGMA journal_mode = wal; {FREQTRADE}"));
    let fine = desk.file("state.json", ORDERS);
    // A living connection has the index mapped; the file is then cut off, again and again.
    let script = "
import os, sqlite3, sys
path = sys.argv[1]
file = sqlite3.connect(path, isolation_level=None)
file.execute('SELECT count(*) FROM orders').fetchall()
print('ready')
while True:
    os.truncate(path + '-shm', 0)
    os.truncate(path + '-shm', 32768)
";
    let _vandal = Other::python(script, &path);
    let mut deaths = 0;
    for _ in 0..300 {
        match desk.ask(desk.question(freqtrade(&path))) {
            Answer::Failed(why) if why.contains("its reader was killed by SIGBUS") => deaths += 1,
            Answer::Failed(_) | Answer::Read(_) | Answer::Unchanged => {}
        }
        assert_eq!(desk.read(state_json(&fine)).orders.len(), 1);
        if deaths > 0 {
            return;
        }
    }
    eprintln!("skipped: no reader could be made to die of SIGBUS here");
}
