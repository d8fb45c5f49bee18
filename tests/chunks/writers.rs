//! Others who write at the same time.

use std::time::Duration;

use botwarden::cluster::{Obstacle, Which};
use botwarden::process;

use crate::sweep::{Other, Sweep, TABLE};

/// Claims and finishes chunks without a pause, and says what went wrong and how much it did once its input ends.
const WRITER: &str = "
import sqlite3, sys, threading
file = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
print('ready')
n = 0
while not over.is_set():
    n += 1
    id = n % 500 + 1
    file.execute('BEGIN IMMEDIATE')
    file.execute(\"UPDATE chunks SET status = 'running', assigned_worker = 'w' WHERE id = ?\", (id,))
    file.execute(\"UPDATE chunks SET done = done + 1 WHERE id = ?\", (id,))
    file.execute('COMMIT')
    file.execute(\"UPDATE chunks SET status = 'completed' WHERE id = ? AND status = 'running'\", (id,))
print(n)
";

#[test]
fn a_writer_at_full_speed_and_two_hundred_looks_do_not_hurt_each_other() {
    for mode in ["wal", "delete"] {
        let sweep = Sweep::of(&format!(
            "PRAGMA journal_mode = {mode}; {TABLE} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO chunks (id, status, done) SELECT i, 'pending', 0 FROM n;"
        ));
        let writer = Other::python(WRITER, sweep.path());
        for round in 0..200 {
            let census = sweep.look();
            let counts = census.counts;
            assert_eq!(counts.total, 1000, "{mode}");
            assert!(
                counts.running <= 1 && counts.pending + counts.completed + counts.running == 1000,
                "{mode}: {counts:?}"
            );
            if round % 20 == 0 {
                assert!(sweep.put_all_back() <= 1);
            }
        }
        let count: u64 = writer.end().trim().parse().expect("a number, and no error");
        assert_eq!(sweep.rows("SELECT sum(done) FROM chunks"), [count.to_string()], "{mode}: a commit was lost");
    }
}

const HOLDER: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute(sys.argv[2])
file.execute(\"UPDATE chunks SET note = 'held'\" if 'BEGIN I' in sys.argv[2] or 'BEGIN E' in sys.argv[2] else 'SELECT * FROM chunks').fetchone()
print('ready')
sys.stdin.read()
";

#[test]
fn a_file_that_is_locked_is_said_to_be_and_by_whom() {
    for (mode, begin, can_look) in
        [("delete", "BEGIN EXCLUSIVE", false), ("delete", "BEGIN IMMEDIATE", true), ("wal", "BEGIN IMMEDIATE", true)]
    {
        let mut sweep = Sweep::with("(1,'running','w',NULL)");
        sweep.run(&format!("PRAGMA journal_mode = {mode}"));
        sweep.within = Duration::from_secs(2);
        let holder = Other::python_with(HOLDER, sweep.path(), begin);
        let mut failures = vec![sweep.refused()];
        if can_look {
            assert_eq!(sweep.look().counts.running, 1);
        } else {
            failures.push(sweep.blind());
        }
        let pid = holder.pid();
        for failure in failures {
            assert_eq!(failure.obstacle, Obstacle::Locked, "{}", failure.why);
            assert!(
                failure.why.contains("is locked by ") && failure.why.contains(" for longer than 2s"),
                "{}",
                failure.why
            );
            let name = process::short_name(pid).expect("a name");
            if failure.why.contains("another program") {
                eprintln!("skipped: the locks of this file system cannot be told");
            } else {
                assert!(failure.why.contains(&format!("pid {pid} ({name})")), "{}", failure.why);
            }
        }
        drop(holder);
        assert_eq!(sweep.put_back(Which::Running), (1, 0), "{mode}");
    }
}

#[test]
fn whoever_reads_keeps_a_commit_waiting_and_what_is_not_committed_in_time_is_taken_back() {
    let mut sweep = Sweep::with("(1,'running','w',NULL)");
    let reader = Other::python_with(HOLDER, sweep.path(), "BEGIN");
    sweep.within = Duration::from_secs(2);
    let failure = sweep.refused();
    assert_eq!(failure.obstacle, Obstacle::Locked, "{}", failure.why);
    assert!(failure.why.contains("nothing was changed"), "{}", failure.why);
    assert_eq!(sweep.look().counts.running, 1);
    assert!(!sweep.beside("-journal").exists());
    // One that reads for a while is waited for.
    sweep.within = crate::sweep::LONG;
    let count = std::thread::scope(|scope| {
        let asks = scope.spawn(|| sweep.put_all_back());
        drop(reader);
        asks.join().expect("an answer")
    });
    assert_eq!(count, 1);
}
