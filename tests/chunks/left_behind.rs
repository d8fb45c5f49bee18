//! What is left behind by a kill -9: it is taken back or read, and no committed row is lost.

use crate::sweep::{Other, Sweep, bytes, claims};

/// A transaction larger than the cache, so that the file itself is half written before the commit.
const CRASH: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA cache_size = 2')
file.execute('PRAGMA wal_autocheckpoint = 0')
file.execute(\"UPDATE chunks SET status = 'completed' WHERE id = 1\")
file.execute('BEGIN IMMEDIATE')
file.execute(\"UPDATE chunks SET status = 'completed', note = ?\", ('y' * 600,))
print('ready')
sys.stdin.read()
";

fn crashed(mode: &str) -> Sweep {
    let sweep = Sweep::of(&format!(
        "{} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO chunks (id, status, assigned_worker, note) SELECT i, iif(i <= 3, 'running', 'pending'), 'w', printf('%.500c', 'x') FROM n;
         PRAGMA journal_mode = {mode}",
        crate::sweep::TABLE
    ));
    drop(Other::python(CRASH, sweep.path()));
    sweep
}

#[test]
fn a_half_change_is_looked_through_and_taken_back_when_chunks_are_put_back() {
    let sweep = crashed("delete");
    let journal = sweep.beside("-journal");
    assert!(journal.metadata().expect("a journal").len() > 10_000);
    let before = bytes(&[sweep.path(), &journal]);
    for _ in 0..3 {
        let counts = sweep.look().counts;
        assert_eq!((counts.total, counts.running, counts.completed), (3000, 2, 1));
    }
    assert!(bytes(&[sweep.path(), &journal]) == before, "the originals were touched");
    let seen = sweep.look();
    assert_eq!(sweep.put_back(claims(&seen.running[..1], false)), (1, 0));
    assert_eq!(sweep.put_all_back(), 1);
    assert_eq!(sweep.rows("SELECT count(*), status FROM chunks GROUP BY status"), ["1|'completed'", "2999|'pending'"]);
    assert_eq!(sweep.rows("SELECT count(*) FROM chunks WHERE note LIKE 'y%'"), ["0"]);
    assert_eq!(sweep.rows("PRAGMA integrity_check"), ["'ok'"]);
}

#[test]
fn a_log_is_read_and_added_to_and_is_still_there_afterwards() {
    let sweep = crashed("wal");
    let log = sweep.beside("-wal");
    let size = |path: &std::path::Path| path.metadata().expect("a log").len();
    assert!(size(&log) > 10_000);
    let main = bytes(&[sweep.path()]);
    let counts = sweep.look().counts;
    assert_eq!((counts.total, counts.running, counts.completed), (3000, 2, 1));
    assert_eq!(sweep.put_all_back(), 2);
    assert!(size(&log) > 0, "the log was removed");
    assert!(bytes(&[sweep.path()]) == main, "what is in the log is for the next program to be moved");
    let counts = sweep.look().counts;
    assert_eq!((counts.running, counts.completed, counts.pending), (0, 1, 2999));
    assert_eq!(sweep.put_all_back(), 0);
    assert_eq!(sweep.rows("PRAGMA integrity_check"), ["'ok'"]);
    assert_eq!(sweep.rows("SELECT status, count(*) FROM chunks GROUP BY 1"), ["'completed'|1", "'pending'|2999"]);
}

#[test]
fn a_worker_that_is_killed_again_and_again_loses_nothing_that_it_has_committed() {
    const WORKER: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
file.execute('PRAGMA cache_size = 2')
print('ready')
while True:
    file.execute('BEGIN IMMEDIATE')
    row = file.execute(\"SELECT min(id) FROM chunks WHERE status = 'pending'\").fetchone()
    if row[0] is None: sys.stdin.read()
    file.execute(\"UPDATE chunks SET status = 'running', assigned_worker = 'w' WHERE id = ?\", row)
    file.execute('COMMIT')
    file.execute('BEGIN IMMEDIATE')
    file.execute(\"UPDATE chunks SET status = 'completed', note = ? WHERE id = ?\", ('z' * 20000, row[0]))
    file.execute('COMMIT')
    sys.stdout.write('%d\\n' % row[0])
    sys.stdout.flush()
";
    for mode in ["wal", "delete"] {
        let sweep = Sweep::of(&format!(
            "PRAGMA journal_mode = {mode}; {} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO chunks (id, status) SELECT i, 'pending' FROM n;",
            crate::sweep::TABLE
        ));
        let mut done = Vec::new();
        for round in 0..8 {
            let mut worker = Other::python(WORKER, sweep.path());
            // Killed in the middle of whatever comes after so many.
            for _ in 0..=round % 3 {
                done.push(worker.line());
            }
            drop(worker);
            assert!(sweep.look().counts.running <= 1, "{mode}");
            assert!(sweep.put_all_back() <= 1, "{mode}");
            let counts = sweep.look().counts;
            assert!(
                counts.completed >= done.len() as u64 && counts.running == 0 && counts.total == 5000,
                "{mode}: {counts:?}"
            );
        }
        for id in done {
            assert_eq!(
                sweep.rows(&format!("SELECT status FROM chunks WHERE id = {id}")),
                ["'completed'"],
                "{mode}: {id}"
            );
        }
        assert_eq!(sweep.rows("PRAGMA integrity_check"), ["'ok'"]);
    }
}
