//! `cluster status|start|stop|requeue`, on files as a coordinator and its workers leave them.

use botwarden::core::signal::Signal;
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::harness::{Desk, Done, eventually};

/// A coordinator and two workers that do nothing but live.
const DESK: &str = r#"
[bots.boss]
command = ["sleep", "600"]
mode = "dry-run"
restart = "never"

[bots.hand]
command = ["sleep", "600"]
mode = "dry-run"
restart = "never"
instances = 2

[clusters.sweep]
database = "FOLDER/sweep.db"
combinations = { total = "sum(n)", tested = "sum(done)" }
coordinator = "boss"
workers = ["hand"]
"#;

/// One chunk: its state, who has it, and since how many seconds.
type Row<'a> = (&'a str, Option<&'a str>, Option<i64>);

/// What a crash at night leaves: three say that they run.
const CRASHED: [Row<'_>; 6] = [
    ("completed", Some("hand@1"), Some(900)),
    ("running", Some("hand@1"), Some(300)),
    ("running", Some("hand@2"), Some(240)),
    ("running", Some("hand@1"), Some(180)),
    ("completed", Some("hand@2"), Some(800)),
    ("completed", None, None),
];

/// Makes a table of chunks in a file of the desk's folder.
fn make(desk: &Desk, name: &str, rows: &[Row<'_>]) -> Connection {
    let file = Connection::open(desk.path(name)).expect("a file");
    file.pragma_update(None, "journal_mode", "wal").expect("a log");
    file.execute_batch(
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, status TEXT, assigned_worker TEXT, started_at INTEGER,
             n INTEGER DEFAULT 100, done INTEGER DEFAULT 0, note TEXT DEFAULT 'mine');
         CREATE INDEX chunks_status ON chunks (status);",
    )
    .expect("a table");
    for (status, worker, age) in rows {
        file.execute(
            "INSERT INTO chunks (status, assigned_worker, started_at, done)
             VALUES (?1, ?2, unixepoch() - ?3, iif(?1 = 'completed', 100, 0))",
            params![status, worker, age],
        )
        .expect("a row");
    }
    file
}

fn desk(rows: &[Row<'_>]) -> (Desk, Connection) {
    let desk = Desk::new(DESK);
    let file = make(&desk, "sweep.db", rows);
    (desk, file)
}

/// The state, worker and start of every chunk, in a word each.
fn rows(file: &Connection) -> Vec<String> {
    let mut all = file
        .prepare(
            "SELECT status || coalesce(' ' || assigned_worker, '') || iif(started_at IS NULL, '', ' since')
             FROM chunks ORDER BY id",
        )
        .expect("a table");
    let rows = all.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("text")
}

fn cluster<'a>(said: &'a Value, name: &str) -> &'a Value {
    let all = said["clusters"].as_array().expect("clusters");
    all.iter().find(|cluster| cluster["name"] == name).unwrap_or_else(|| panic!("no {name} in {said}"))
}

#[track_caller]
fn status(desk: &Desk, code: i32) -> Value {
    desk.run(&["cluster", "status", "--json"]).expect(code).json()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn has(done: &Done, words: &str) {
    assert!(done.stdout.contains(words), "{words:?} is not in\n{}\n{}", done.stdout, done.stderr);
}

#[test]
fn after_a_crash_it_is_stale_at_once_and_says_which_evidence_is_missing() {
    let (desk, _file) = desk(&CRASHED);
    let said = status(&desk, 0);
    assert_eq!(keys(&said), ["schema", "at", "clusters"]);
    let seen = cluster(&said, "sweep");
    for key in [
        "name",
        "state",
        "total",
        "completed",
        "running",
        "pending",
        "failed",
        "stale",
        "progress",
        "combinations",
        "workers_alive",
        "coordinator_alive",
        "read_at",
        "note",
    ] {
        assert!(keys(seen).contains(&key), "{key} is not in {seen}");
    }
    assert_eq!((&seen["state"], &seen["stale"], &seen["running"]), (&"stale".into(), &3.into(), &3.into()), "{seen}");
    assert_eq!((&seen["total"], &seen["completed"], &seen["pending"]), (&6.into(), &3.into(), &0.into()), "{seen}");
    assert_eq!((&seen["progress"], &seen["failed"]), (&0.5.into(), &0.into()), "{seen}");
    assert_eq!((&seen["workers_alive"], &seen["coordinator_alive"]), (&0.into(), &false.into()), "{seen}");
    assert_eq!(seen["combinations"], serde_json::json!({ "total": 600, "tested": 300 }), "{seen}");
    assert!(seen["read_at"].is_string() && seen["error"].is_null(), "{seen}");
    let chunk = &seen["chunks"][0];
    assert_eq!((&chunk["id"], &chunk["worker"], &chunk["hold"]), (&"2".into(), &"hand@1".into(), &"stale".into()));
    assert!(chunk["age_s"].as_u64().is_some_and(|age| age >= 300), "the oldest first: {seen}");

    let text = desk.run(&["cluster", "status"]).expect(0);
    has(&text, "sweep  STALE       3 of 6 completed (50.0 %), 3 running (3 stale); 3 stale: hand@1 does not live");
    has(&text, "coordinator boss gone, 0 of 2 workers alive (hand@1 gone, hand@2 gone)");
    has(&text, "combinations  300 of 600 tested (50.0 %)");
    has(&text, "  hand@1: 2 running, 2 stale\n    chunk 2  claimed 5m ago  STALE  hand@1 does not live\n");
    has(&text, "  hand@2: 1 running, 1 stale\n");
    assert_eq!(text.stderr, "");
}

#[test]
fn a_chunk_is_held_as_long_as_its_worker_lives_and_stale_once_it_is_killed() {
    let (desk, _file) = desk(&[("running", Some("hand@1"), Some(5)), ("pending", None, None)]);
    desk.run(&["start", "hand"]).expect(0);
    let said = status(&desk, 0);
    let seen = cluster(&said, "sweep");
    assert_eq!((&seen["state"], &seen["stale"]), (&"processing".into(), &0.into()), "{seen}");
    assert_eq!((&seen["workers_alive"], &seen["chunks"][0]["hold"]), (&2.into(), &"held".into()), "{seen}");
    desk.signal(desk.pid("hand@1"), Signal::KILL);
    desk.wait_for("hand@1", "crashed");
    let said = status(&desk, 0);
    let seen = cluster(&said, "sweep");
    assert_eq!((&seen["state"], &seen["stale"], &seen["workers_alive"]), (&"stale".into(), &1.into(), &1.into()));
    let all = desk.run(&["status", "--json"]).expect(0).json();
    assert_eq!(cluster(&all, "sweep")["state"], "stale", "{all}");
    has(
        &desk.run(&["status"]).expect(0),
        "\nsweep  STALE       0 of 2 completed (0.0 %), 1 running (1 stale), 1 pending",
    );
    let others = desk.run(&["status", "--json", "hand@2"]).expect(0).json();
    assert_eq!(
        (others["bots"].as_array().map(Vec::len), &others["clusters"][0]["workers_alive"]),
        (Some(1), &1.into())
    );
}

#[test]
fn each_state_is_told() {
    let desk = Desk::new(DESK);
    desk.run(&["start", "boss"]).expect(0);
    for (rows, state, told) in [
        (&[("running", Some("boss"), Some(5))][..], "processing", "0 of 1 completed (0.0 %), 1 running"),
        (&[("pending", None, None)], "pending", "0 of 1 completed (0.0 %); 1 pending, nothing runs"),
        (&[("completed", None, None)], "complete", "1 of 1 completed (100.0 %)"),
        (&[("completed", None, None), ("failed", None, Some(60))], "idle", "1 of 2 completed (50.0 %); 1 failed"),
        (&[], "idle", "no chunks"),
        (&[("running", Some("boss"), Some(3600))], "stale", "held by boss (pid "),
        (&[("running", None, None), ("odd", None, None)], "processing", "1 in a state that is not configured (odd)"),
    ] {
        for name in ["sweep.db", "sweep.db-wal", "sweep.db-shm"] {
            let _ = std::fs::remove_file(desk.path(name));
        }
        drop(make(&desk, "sweep.db", rows));
        let said = status(&desk, 0);
        assert_eq!(cluster(&said, "sweep")["state"], state, "{rows:?}: {said}");
        let text = desk.run(&["cluster", "status", "sweep"]).expect(0);
        has(&text, &format!("sweep  {:<10}  ", state.to_uppercase()));
        has(&text, told);
    }
}

#[test]
fn one_that_cannot_be_read_is_14_and_the_others_are_told_all_the_same() {
    let (desk, _file) = desk(&CRASHED);
    desk.configure(&format!(
        "{DESK}\n[clusters.lost]\ndatabase = 'FOLDER/nowhere.db'\nworkers = ['hand']\n\
         [clusters.junk]\ndatabase = 'FOLDER/junk.db'\nworkers = ['hand']\n"
    ));
    desk.write("junk.db", "this is no database, and long enough to be taken for something that is one\n");
    let said = status(&desk, 14);
    assert_eq!(cluster(&said, "sweep")["stale"], 3, "{said}");
    for name in ["lost", "junk"] {
        let seen = cluster(&said, name);
        assert_eq!(seen["state"], "unknown", "{seen}");
        for count in ["total", "completed", "running", "pending", "failed", "stale", "progress", "read_at"] {
            assert!(seen[count].is_null(), "{count} of {seen}");
        }
        let file = if name == "lost" { "nowhere.db" } else { "junk.db" };
        assert!(seen["error"].as_str().is_some_and(|why| why.contains(file)), "{seen}");
    }
    let text = desk.run(&["cluster", "status"]).expect(14);
    has(&text, "sweep  STALE ");
    has(&text, "lost   UNKNOWN     chunks unknown; ");
    desk.run(&["cluster", "status", "sweep"]).expect(0);
    let all = desk.run(&["status", "--json"]).expect(0).json();
    assert_eq!(all["clusters"].as_array().map(Vec::len), Some(3), "{all}");
}

#[test]
fn whoever_is_on_another_machine_is_unverified_and_never_called_dead() {
    let (desk, _file) = desk(&[("running", Some("box-2:4711"), Some(5)), ("running", Some("box-3"), Some(3600))]);
    desk.run(&["start", "boss"]).expect(0);
    let said = status(&desk, 0);
    let seen = cluster(&said, "sweep");
    assert_eq!((&seen["unverified"], &seen["stale"]), (&1.into(), &1.into()), "{seen}");
    let text = desk.run(&["cluster", "status"]).expect(0);
    has(&text, "unverified: box-2:4711 is not known on this box");
    has(&text, "unverified: box-3 is not known on this box, and claimed 1h00m ago, lease 10m");
    assert!(!text.stdout.contains("does not live") && !text.stdout.contains("dead"), "{}", text.stdout);
}

#[test]
fn what_stands_in_the_file_does_nothing_to_a_terminal() {
    let (desk, _file) = desk(&[("running", Some("\u{1b}[2J\u{202e}x\ny"), Some(5)), ("\u{1b}]0;t\u{7}", None, None)]);
    for args in [&["cluster", "status"][..], &["status"]] {
        let text = desk.run(args).expect(0);
        assert!(!text.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", text.stdout);
        has(&text, "not configured");
    }
}

#[test]
fn names_are_those_of_the_configuration() {
    let (desk, _file) = desk(&CRASHED);
    for deed in ["status", "start", "stop", "requeue"] {
        let done = desk.run(&["cluster", deed, "swep", "--json"]).expect(2);
        assert_eq!(done.json()["exit_code"], 2, "{deed}");
        assert!(done.stderr.contains("no cluster \"swep\" in ") && done.stderr.contains("mean \"sweep\"?"), "{done:?}");
    }
    desk.run(&["cluster"]).expect(2);
    desk.configure("[bots.boss]\ncommand = ['sleep', '600']\nmode = 'dry-run'\n");
    has(&desk.run(&["cluster", "status"]).expect(0), "no clusters: none is configured");
    assert_eq!(status(&desk, 0)["clusters"], Value::Array(Vec::new()));
    assert_eq!(desk.run(&["status", "--json"]).expect(0).json()["clusters"], Value::Array(Vec::new()));
    for deed in ["start", "stop", "requeue"] {
        let done = desk.run(&["cluster", deed]).expect(2);
        assert!(done.stderr.contains("no cluster is configured"), "{done:?}");
    }
}

#[test]
fn a_broken_configuration_does_not_hide_what_is_stale() {
    let (desk, file) = desk(&CRASHED);
    status(&desk, 0);
    desk.configure("[bots.boss]\nmode = \"papre\"\n");
    let said = status(&desk, 2);
    assert_eq!(cluster(&said, "sweep")["stale"], 3, "the last good configuration counts: {said}");
    desk.run(&["cluster", "start"]).expect(2);
    let report = desk.run(&["cluster", "stop", "--json"]).expect(0).json();
    assert_eq!(cluster(&report, "sweep")["reset"], 3, "{report}");
    assert!(rows(&file).iter().all(|row| !row.starts_with("running")));
}

#[test]
fn a_dead_cluster_is_stopped_and_says_what_it_put_back() {
    let (desk, file) = desk(&CRASHED);
    let done = desk.run(&["cluster", "stop"]).expect(0);
    has(&done, "sweep  nothing to kill (already stopped), 3 chunks put back, 3 pending\n");
    let after = ["completed hand@1 since", "pending", "pending", "pending", "completed hand@2 since", "completed"];
    assert_eq!(rows(&file), after);
    let done = desk.run(&["cluster", "stop"]).expect(0);
    has(&done, "sweep  nothing to kill (already stopped), 0 chunks put back, 3 pending\n");
    assert_eq!(rows(&file), after);
    let untouched: i64 =
        file.query_row("SELECT count(*) FROM chunks WHERE note = 'mine'", [], |row| row.get(0)).expect("rows");
    assert_eq!(untouched, 6);
}

#[test]
fn a_living_cluster_is_started_and_stopped_as_a_whole() {
    let (desk, file) = desk(&CRASHED);
    let report = desk.run(&["cluster", "start", "--json"]).expect(0).json();
    assert_eq!(
        (&report["action"], &cluster(&report, "sweep")["reset"]),
        (&"cluster start".into(), &3.into()),
        "{report}"
    );
    for bot in ["boss", "hand@1", "hand@2"] {
        assert_eq!(desk.state(bot), "running", "{report}");
    }
    file.execute("UPDATE chunks SET status = 'running', assigned_worker = 'hand@1' WHERE id = 2", []).expect("a claim");
    let again = desk.run(&["cluster", "start"]).expect(0);
    has(&again, "sweep  0 chunks put back, 2 pending, 1 running");
    let done = desk.run(&["cluster", "stop", "sweep"]).expect(0);
    has(&done, "sweep  3 processes ended, 1 chunk put back, 3 pending\n");
    assert!(desk.living().is_empty());
    let events = desk.run(&["events", "--json", "-n", "100"]).expect(0).json();
    let kinds = events["events"].as_array().expect("events").iter();
    assert!(kinds.clone().any(|event| event["kind"] == "cluster"), "{events}");
}

#[test]
fn a_worker_that_is_stopped_alone_gives_back_its_own_chunks() {
    let (desk, file) = desk(&[("running", Some("hand@1"), Some(5)), ("running", Some("hand@2"), Some(5))]);
    desk.run(&["cluster", "start"]).expect(0);
    file.execute_batch(
        "UPDATE chunks SET status = 'running', assigned_worker = 'hand@' || id, started_at = unixepoch()",
    )
    .expect("claims");
    let done = desk.run(&["stop", "hand@1"]).expect(0);
    has(&done, "sweep  1 chunk put back, 1 pending, 1 running\n");
    assert_eq!(rows(&file), ["pending", "running hand@2 since"]);
}

#[test]
fn nothing_is_started_or_put_back_by_a_start_while_it_is_latched() {
    let (desk, file) = desk(&CRASHED);
    desk.run(&["estop", "--reason", "a test"]).expect(0);
    // The emergency stop has put them back; the crash comes after it.
    file.execute_batch("UPDATE chunks SET status = 'running', assigned_worker = 'hand@1' WHERE id = 2")
        .expect("a claim");
    let done = desk.run(&["cluster", "start", "--json"]).expect(75);
    assert_eq!(done.json()["exit_code"], 75);
    assert!(done.stderr.contains("latched"), "{done:?}");
    assert_eq!(desk.state("boss"), "stopped");
    assert_eq!(rows(&file)[1], "running hand@1");
    assert!(desk.events("boss").contains(&"refused".to_owned()));
}

/// Two stale ones, two that have failed, one that is held, and one of somebody who is not here.
const MIXED: [Row<'_>; 6] = [
    ("running", Some("hand@2"), Some(60)),
    ("running", Some("hand@2"), Some(50)),
    ("failed", Some("hand@1"), Some(500)),
    ("failed", None, None),
    ("running", Some("hand@1"), Some(5)),
    ("running", Some("box-2"), Some(5)),
];

#[test]
fn requeue_puts_back_what_was_chosen_and_never_what_somebody_holds() {
    for (options, code, put_back) in [
        (&[][..], 0, &[1, 2][..]),
        (&["--stale"], 0, &[1, 2]),
        (&["--failed"], 0, &[3, 4]),
        (&["--all"], 0, &[1, 2, 3, 4]),
        (&["--stale", "--failed"], 0, &[1, 2, 3, 4]),
        (&["--unverified"], 0, &[1, 2, 6]),
        (&["--chunk", "2", "--chunk", "4"], 0, &[2, 4]),
    ] {
        let (desk, file) = desk(&MIXED);
        desk.run(&["start", "hand@1"]).expect(0);
        let before = rows(&file);
        let done = desk.run(&[&["cluster", "requeue", "sweep", "--json"], options].concat()).expect(code);
        let report = done.json();
        assert_eq!(
            (&report["action"], &report["clusters"][0]["reset"]),
            (&"cluster requeue".into(), &put_back.len().into())
        );
        for (place, row) in rows(&file).iter().enumerate() {
            let expected = if put_back.contains(&(place + 1)) { "pending" } else { before[place].as_str() };
            assert_eq!(row, expected, "{options:?}: chunk {}", place + 1);
        }
        assert_eq!(desk.state("hand@1"), "running");
    }
}

#[test]
fn a_chunk_that_a_live_worker_holds_is_refused_by_name() {
    let (desk, file) = desk(&MIXED);
    desk.run(&["start", "hand@1"]).expect(0);
    let done = desk.run(&["cluster", "requeue", "sweep", "--chunk", "5"]);
    assert!(done.said().contains("hand@1"), "{done:?}");
    assert_eq!(rows(&file), {
        let (_desk, untouched) = crate::cluster_commands::desk(&MIXED);
        rows(&untouched)
    });
    desk.configure(&format!("{DESK}\n[clusters.other]\ndatabase = 'FOLDER/sweep.db'\nworkers = ['hand']\n"));
    let done = desk.run(&["cluster", "requeue", "--chunk", "1"]).expect(2);
    assert!(done.stderr.contains("give that cluster alone"), "{done:?}");
    desk.run(&["cluster", "requeue", "--chunk", "1", "--failed"]).expect(2);
}

#[test]
fn a_live_bot_needs_a_yes_for_start_and_requeue_and_none_for_stop() {
    let (desk, file) = desk(&CRASHED);
    desk.configure(&DESK.replace("dry-run", "live"));
    for deed in ["start", "requeue"] {
        let done = desk.run(&["cluster", deed]).expect(2);
        assert!(done.stderr.contains("needs --yes"), "{done:?}");
    }
    assert_eq!(rows(&file)[1], "running hand@1 since");
    desk.run(&["cluster", "start", "--yes"]).expect(0);
    desk.run(&["cluster", "stop"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn a_file_that_is_locked_keeps_nobody_alive() {
    let (desk, file) = desk(&[("running", Some("hand@1"), Some(5))]);
    desk.run(&["start", "--all"]).expect(0);
    file.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let done = desk.run(&["cluster", "stop"]).expect(14);
    assert!(done.stderr.contains("sweep.db") && done.stderr.contains("lock"), "{done:?}");
    has(&done, "3 processes ended, chunks NOT PUT BACK");
    assert!(desk.living().is_empty());
    file.execute_batch("ROLLBACK").expect("unlocked");
    has(&desk.run(&["cluster", "stop"]).expect(0), "nothing to kill (already stopped), 1 chunk put back, 1 pending");
}

#[test]
fn several_readings_make_a_rate() {
    let (desk, file) = desk(&[("pending", None, None), ("pending", None, None), ("completed", None, None)]);
    has(&desk.run(&["cluster", "status"]).expect(0), "not known yet");
    file.execute_batch("UPDATE chunks SET status = 'completed' WHERE id = 1").expect("done");
    let rate = eventually("a rate", || cluster(&status(&desk, 0), "sweep")["per_minute"].as_f64());
    assert!(rate > 0.0);
    // Where nobody works nothing is said of when it will be done.
    has(&desk.run(&["cluster", "status"]).expect(0), " chunks a minute, no end in sight");
    assert!(cluster(&status(&desk, 0), "sweep")["eta_s"].is_null());
    desk.run(&["start", "hand@1"]).expect(0);
    assert!(cluster(&status(&desk, 0), "sweep")["eta_s"].is_u64());
}
