//! What is put back, and what is never touched.

use std::time::Duration;

use botwarden::cluster::{Answer, Claim, Errand, Obstacle, Which};
use botwarden::core::chunk::Value;
use botwarden::core::cluster::ChunkColumns;

use crate::sweep::{LONG, Sweep, TABLE, claims, text};

#[test]
fn whatever_runs_is_put_back_and_a_second_time_nothing() {
    let sweep = Sweep::with(
        "(1,'running','w@1','2026-11-21'),(2,'running',NULL,NULL),(3,'completed','w@1','x'),(4,'failed','w','y'),(5,'Running','w','z')",
    );
    assert_eq!(sweep.put_back(Which::Running), (2, 0));
    let after = [
        "1|'pending'|NULL|NULL",
        "2|'pending'|NULL|NULL",
        "3|'completed'|'w@1'|'x'",
        "4|'failed'|'w'|'y'",
        "5|'Running'|'w'|'z'",
    ];
    assert_eq!(sweep.chunks(), after);
    assert_eq!(sweep.put_back(Which::Running), (0, 0));
    assert_eq!(sweep.chunks(), after);
    assert_eq!(sweep.rows("SELECT DISTINCT note FROM chunks"), ["'mine'"]);
}

#[test]
fn a_chosen_chunk_that_is_not_as_it_was_seen_is_left_alone() {
    let sweep = Sweep::with(
        "(1,'running','a','t'),(2,'running','b','t'),(3,'running','c','t'),(4,'failed','d','t'),(5,'running','e','t'),(6,'failed','f',NULL)",
    );
    let seen = sweep.look();
    sweep.run(
        "UPDATE chunks SET status = 'completed' WHERE id = 1; UPDATE chunks SET assigned_worker = 'z' WHERE id = 2;
         UPDATE chunks SET started_at = 'later' WHERE id = 5",
    );
    let Which::These(mut all) = claims(&seen.running, false) else { panic!("claims") };
    let Which::These(failed) = claims(&seen.failed, true) else { panic!("claims") };
    all.extend(failed);
    all.push(Claim { id: Value::Integer(77), failed: false, worker: Value::Null, started: Value::Null });
    assert_eq!(sweep.put_back(Which::These(all)), (3, 4));
    assert_eq!(
        sweep.chunks(),
        [
            "1|'completed'|'a'|'t'",
            "2|'running'|'z'|'t'",
            "3|'pending'|NULL|NULL",
            "4|'pending'|NULL|NULL",
            "5|'running'|'e'|'later'",
            "6|'pending'|NULL|NULL",
        ]
    );
    assert_eq!(sweep.put_back(Which::These(Vec::new())), (0, 0));
}

#[test]
fn names_of_chunks_are_compared_to_the_letter() {
    let sweep = Sweep::of(
        "CREATE TABLE chunks (id TEXT COLLATE NOCASE, status TEXT COLLATE NOCASE, assigned_worker TEXT COLLATE NOCASE, started_at);
         CREATE INDEX s ON chunks (status);
         INSERT INTO chunks VALUES ('a','running','w',1), ('A','running','w',1), ('b','RUNNING','w',1), ('c','running','W',1)",
    );
    let census = sweep.look();
    assert!(!census.indexed, "an index by other rules is of no use");
    assert_eq!((census.counts.running, census.counts.other), (3, 1));
    let one = |id: &str| Claim { id: text(id), failed: false, worker: text("w"), started: Value::Integer(1) };
    assert_eq!(sweep.put_back(Which::These(vec![one("A"), one("b"), one("c")])), (1, 2));
    assert_eq!(sweep.rows("SELECT id FROM chunks WHERE status = 'pending'"), ["'A'"]);
    assert_eq!(sweep.put_all_back(), 2);
    assert_eq!(sweep.rows("SELECT id FROM chunks WHERE status <> 'pending'"), ["'b'"]);
}

#[test]
fn a_column_that_must_have_a_value_gets_the_least_that_there_is() {
    for (columns, expected) in [
        ("id, status, assigned_worker TEXT NOT NULL, started_at TEXT NOT NULL", "''|''"),
        ("id, status, assigned_worker INTEGER NOT NULL, started_at INTEGER NOT NULL", "''|0"),
        ("id, status, assigned_worker NOT NULL, started_at REAL NOT NULL", "''|0.0"),
        ("id, status, assigned_worker VARCHAR(9) NOT NULL, started_at DATETIME NOT NULL", "''|''"),
        ("id ANY, status TEXT, assigned_worker TEXT NOT NULL, started_at REAL NOT NULL) STRICT --", "''|0.0"),
        ("id ANY, status TEXT, assigned_worker INTEGER NOT NULL, started_at ANY NOT NULL) STRICT --", "0|''"),
        ("id ANY, status TEXT, assigned_worker BLOB NOT NULL, started_at INT) STRICT --", "x[]|NULL"),
    ] {
        let sweep =
            Sweep::of(&format!("CREATE TABLE chunks ({columns}\n").replace("--\n", ";").replace("NULL\n", "NULL);"));
        sweep.run(
            "INSERT INTO chunks VALUES (1, 'running', x'', 5)"
                .replace("x''", if columns.contains("BLOB") { "x'41'" } else { "7" })
                .as_str(),
        );
        assert_eq!(sweep.put_all_back(), 1, "{columns}");
        assert_eq!(sweep.rows("SELECT assigned_worker, started_at FROM chunks"), [expected], "{columns}");
        assert_eq!(sweep.look().counts.pending, 1);
    }
}

#[test]
fn nothing_runs_along_and_no_other_row_makes_way() {
    let sweep = Sweep::of(&format!(
        "{TABLE}
         CREATE TABLE log (text);
         CREATE TABLE workers (name TEXT PRIMARY KEY);
         CREATE TABLE parts (chunk INTEGER REFERENCES chunks (id) ON UPDATE CASCADE, status TEXT);
         CREATE TRIGGER told AFTER UPDATE ON chunks BEGIN INSERT INTO log VALUES ('changed'); UPDATE chunks SET note = 'theirs'; END;
         CREATE TRIGGER no BEFORE UPDATE OF status ON chunks BEGIN SELECT raise(ABORT, 'never'); END;
         CREATE UNIQUE INDEX one ON chunks (note, assigned_worker);
         INSERT INTO chunks (id, status, assigned_worker) VALUES (1, 'running', 'a'), (2, 'running', 'b'), (3, 'pending', NULL)"
    ));
    assert_eq!(sweep.put_all_back(), 2);
    assert_eq!(sweep.rows("SELECT * FROM log"), Vec::<String>::new());
    assert_eq!(sweep.rows("SELECT DISTINCT note FROM chunks"), ["'mine'"]);
    // A table that would rather lose a row than refuse one.
    let sweep = Sweep::of(
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, status TEXT, assigned_worker TEXT NOT NULL, started_at, \
         UNIQUE (status, assigned_worker) ON CONFLICT REPLACE);
         INSERT INTO chunks VALUES (1, 'pending', '', 1), (2, 'running', 'b', 1)",
    );
    let failure = sweep.refused();
    assert!(failure.why.contains("does not let its chunks be put back: UNIQUE constraint failed"), "{}", failure.why);
    assert_eq!(sweep.chunks().len(), 2);
}

#[test]
fn a_rule_of_the_table_that_forbids_it_is_told_and_nothing_is_changed() {
    let sweep = Sweep::of(
        "CREATE TABLE chunks (id, status CHECK (status IN ('running', 'pending', 'completed')), assigned_worker, \
         started_at, CHECK (status <> 'pending' OR id <> 2));
         INSERT INTO chunks VALUES (1, 'running', 'w', 1), (2, 'running', 'w', 1)",
    );
    let failure = sweep.refused();
    assert!(
        failure.why.contains("CHECK constraint failed") && failure.why.contains("nothing was changed"),
        "{}",
        failure.why
    );
    assert_eq!(sweep.look().counts.running, 2);
    sweep.run("DELETE FROM chunks WHERE id = 2");
    assert_eq!(sweep.put_all_back(), 1);
}

#[test]
fn tables_of_every_kind_and_name_are_changed_in_three_columns() {
    for (columns, tail) in [
        (
            "id TEXT PRIMARY KEY, status TEXT, assigned_worker TEXT, started_at TEXT, twice AS (status || status) STORED",
            "WITHOUT ROWID",
        ),
        (
            "id INTEGER PRIMARY KEY, status TEXT, assigned_worker TEXT, started_at TEXT, twice TEXT AS (upper(status)) VIRTUAL",
            "STRICT",
        ),
        ("id BLOB, status TEXT UNIQUE, assigned_worker TEXT, started_at TEXT, twice DEFAULT 1", ""),
    ] {
        let sweep = Sweep::of(&format!(
            "CREATE TABLE chunks ({columns}) {tail}; CREATE INDEX e ON chunks (lower(status), started_at DESC);
             INSERT INTO chunks (id, status, assigned_worker, started_at) VALUES ('7', 'running', 'w', 't')"
        ));
        let seen = sweep.look();
        assert_eq!(sweep.put_back(claims(&seen.running, false)), (1, 0), "{columns}");
        assert_eq!(
            sweep.rows("SELECT status, assigned_worker FROM chunks WHERE lower(status) = 'pending'"),
            ["'pending'|NULL"]
        );
        assert_eq!(sweep.rows("PRAGMA integrity_check"), ["'ok'"]);
    }
    for (table, id, status, worker, started) in [
        ("my chunks", "the id", "select", "where", "from"),
        ("ch\"unks; DROP TABLE x", "i\"d", "st'atus", "[worker]", "`at`"),
        ("häppchen", "größe", "状态", "🤖", "ö"),
        ("select", "table", "index", "group", "order"),
    ] {
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let mut sweep = Sweep::bare();
        let names = [id, status, worker, started].map(quoted).join(", ");
        sweep.run(&format!(
            "CREATE TABLE {0} ({names}); CREATE INDEX \"an \"\"index\" ON {0} ({1}); INSERT INTO {0} VALUES (1, 'running', 'w', 2), (2, 'failed', 'w', 3)",
            quoted(table),
            quoted(status)
        ));
        sweep.cluster.table = table.into();
        sweep.cluster.columns = ChunkColumns {
            id: id.into(),
            status: status.into(),
            worker: worker.into(),
            started_at: started.into(),
            heartbeat: Some(started.into()),
        };
        let seen = sweep.look();
        assert!(seen.indexed, "{table}");
        assert_eq!(sweep.put_back(claims(&seen.failed, true)), (1, 0), "{table}");
        assert_eq!(sweep.put_all_back(), 1);
        assert_eq!(
            sweep.rows(&format!("SELECT * FROM {}", quoted(table))),
            ["1|'pending'|NULL|NULL", "2|'pending'|NULL|NULL"]
        );
    }
}

#[test]
fn many_of_a_table_without_a_way_to_an_id_are_put_back_by_one_look() {
    for table in [
        "CREATE TABLE chunks (id, status, assigned_worker, started_at, note)",
        "CREATE TABLE chunks (id, status, assigned_worker, started_at, rowid, note)",
        "CREATE TABLE chunks (id PRIMARY KEY, status, assigned_worker, started_at, note) WITHOUT ROWID",
    ] {
        let sweep = Sweep::of(table);
        sweep.run(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
             INSERT INTO chunks (id, status, assigned_worker, started_at, note) \
             SELECT i, CASE i % 4 WHEN 0 THEN 'failed' ELSE 'running' END, 'w', i * 1.5, 'kept' FROM n",
        );
        let seen = sweep.look();
        let Which::These(mut all) = claims(&seen.running, false) else { panic!("claims") };
        let Which::These(failed) = claims(&seen.failed[..10], true) else { panic!("claims") };
        all.extend(failed);
        // Claimed anew since it was seen.
        sweep.run("UPDATE chunks SET started_at = 7 WHERE id = 1");
        assert_eq!(sweep.put_back(Which::These(all)), (159, 1), "{table}");
        let counts = sweep.look().counts;
        assert_eq!((counts.pending, counts.running, counts.failed), (159, 1, 40), "{table}");
    }
}

#[test]
fn a_change_may_take_longer_than_a_lock_is_waited_for() {
    let sweep = Sweep::of(&format!(
        "{TABLE} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO chunks (id, status, assigned_worker) SELECT i, 'running', 'w' FROM n"
    ));
    let errand = Errand::PutBack { which: Which::Running, lock: Duration::ZERO };
    let other = sweep.open();
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    match sweep.ask(errand.clone()) {
        Answer::Failed(failure) => {
            assert_eq!(failure.obstacle, Obstacle::Locked, "{}", failure.why);
            assert!(failure.why.contains("for longer than 100ms; nothing was changed"), "{}", failure.why);
        }
        other @ (Answer::Unchanged | Answer::Read(_) | Answer::PutBack { .. } | Answer::Ready) => {
            panic!("not refused: {other:?}")
        }
    }
    drop(other);
    assert_eq!(sweep.ask(errand), Answer::PutBack { count: 20000, left: 0 });
}

#[test]
fn a_change_that_runs_out_of_time_is_taken_back_and_no_index_is_advised() {
    let mut sweep = Sweep::of(&format!(
        "{TABLE} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
         INSERT INTO chunks (id, status, assigned_worker) SELECT i, 'running', 'w' FROM n"
    ));
    // Whatever a machine can do in this time, it is less than that; and where its reader is too late to say so, nothing
    // changes either.
    sweep.within = Duration::from_millis(60);
    let failure = sweep.refused();
    assert!(!failure.why.contains("index"), "{}", failure.why);
    assert_eq!(sweep.rows("SELECT DISTINCT status FROM chunks"), ["'running'"]);
    sweep.within = LONG;
    assert_eq!(sweep.put_all_back(), 200_000);
}
