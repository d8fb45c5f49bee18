//! A cluster is stopped database first: its chunks go back, then its processes end, then what came in between is settled.
//! Whatever is the matter with its database, its processes are stopped all the same.

use std::io::BufRead as _;
use std::process::Stdio;

use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};
use rusqlite::Connection;
use serde_json::Value;

use crate::emergency::part;
use crate::harness::{Desk, alive, eventually, root};
use crate::odd_bots::by_nobody;
use crate::sweep::{SWEEP, WORKER_PY, chunks, cluster, count, fill, remembered};

const ALL: [&str; 4] = ["stop", "coord", "hand", "--json"];

fn started() -> Desk {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[("running", Some("hand@1")), ("pending", None), ("completed", Some("hand@2"))]);
    desk.run(&["start", "coord", "hand"]).expect(0);
    desk
}

/// The sweep with workers of our own making, which are running.
fn working(script: &str, given: &[(&str, Option<&str>)]) -> Desk {
    let desk = Desk::new(&SWEEP.replace("['sleep', '601']", "['PYTHON', '-S', 'hand.py']"));
    fill(&desk, "sweep.db", given);
    desk.write("hand.py", &format!("{WORKER_PY}{script}"));
    desk.run(&["start", "coord", "hand"]).expect(0);
    desk.wait_for_lines("up", 2);
    desk
}

#[test]
fn what_a_crash_has_left_is_put_back_and_a_second_stop_has_nothing_to_do() {
    let desk = Desk::new(SWEEP);
    fill(
        &desk,
        "sweep.db",
        &[("running", Some("hand@1")), ("running", Some("999999")), ("running", None), ("completed", Some("hand@1"))],
    );
    for (reset, rest) in [(3, "3 pending"), (0, "3 pending")] {
        let report = desk.run(&ALL).expect(0).json();
        let sweep = cluster(&report, "sweep");
        assert_eq!(
            (&sweep["reset"], &sweep["pending"], &sweep["running"]),
            (&reset.into(), &3.into(), &0.into()),
            "{rest}: {report}"
        );
        assert_eq!((&sweep["completed"], &sweep["errors"]), (&1.into(), &serde_json::json!([])), "{report}");
        assert_eq!(part(&report, "hand@1")["outcome"], "not_running", "{report}");
    }
    let rows = chunks(&desk, "sweep.db");
    assert_eq!(rows[..3], vec![("pending".to_owned(), None); 3]);
    assert_eq!(rows[3], ("completed".to_owned(), Some("hand@1".to_owned())));
    let events = remembered(&desk);
    assert_eq!(
        (&events[0]["reset"], &events[0]["action"], &events[0]["cluster"]),
        (&3.into(), &"stop".into(), &"sweep".into()),
        "{events:?}"
    );
    assert!(events[0]["by"].is_string(), "{events:?}");
}

/// Stops a cluster with whose database this is the matter: everything is stopped, and the sentence has these words.
#[track_caller]
fn troubled(desk: &Desk, code: i32, words: &[&str]) -> Value {
    let pids = [desk.pid("coord"), desk.pid("hand@1"), desk.pid("hand@2")];
    let report = desk.run(&ALL).expect(code).json();
    for (bot, pid) in ["coord", "hand@1", "hand@2"].iter().zip(pids) {
        assert_eq!(part(&report, bot)["outcome"], "stopped", "{report}");
        assert!(!alive(pid), "{report}");
    }
    let sweep = cluster(&report, "sweep");
    let said = sweep["errors"].to_string() + &sweep["notes"].to_string();
    for word in words {
        assert!(said.contains(word), "no {word} in {said}");
    }
    report
}

#[test]
fn what_is_no_database_is_said_to_be_none_and_everything_is_stopped_all_the_same() {
    let desk = started();
    desk.write("sweep.db", &"this is no database, and never was\n".repeat(200));
    let report = troubled(&desk, 14, &["sweep.db", "is not a file of SQLite"]);
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&sweep["reset"], &sweep["pending"], &sweep["unasked"]),
        (&Value::Null, &Value::Null, &true.into()),
        "{report}"
    );
}

#[test]
fn a_table_or_a_column_that_is_not_there_is_named_with_what_is_there() {
    for (change, words) in [
        ("alter table chunks rename to pieces", ["chunks", "pieces"]),
        ("alter table chunks rename column assigned_worker to whoever", ["assigned_worker", "whoever"]),
    ] {
        let desk = started();
        Connection::open(desk.path("sweep.db")).and_then(|database| database.execute_batch(change)).expect("changed");
        troubled(&desk, 14, &words);
    }
}

#[test]
fn a_file_that_is_gone_is_missed_where_the_cluster_has_run_and_not_where_it_never_has() {
    let desk = started();
    std::fs::remove_file(desk.path("sweep.db")).expect("it was there");
    troubled(&desk, 14, &["sweep.db"]);
    assert!(!desk.path("sweep.db").exists(), "nobody makes a database that is not there");
    let desk = Desk::new(SWEEP);
    let report = desk.run(&ALL).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&sweep["pending"], &sweep["untouched"], &sweep["errors"]),
        (&Value::Null, &true.into(), &serde_json::json!([])),
        "{report}"
    );
    assert!(sweep["notes"].to_string().contains("ever run here"), "{report}");
}

#[test]
fn a_file_and_a_folder_that_may_not_be_written_are_said_to_be_and_everything_is_stopped_all_the_same() {
    for target in ["sub/sweep.db", "sub"] {
        let mut desk = Desk::new(&SWEEP.replace("'sweep.db'", "'sub/sweep.db'"));
        std::fs::create_dir(desk.path("sub")).expect("a folder");
        fill(&desk, "sub/sweep.db", &[("running", Some("hand@1"))]);
        if !by_nobody(&mut desk) {
            return;
        }
        if root() {
            for path in ["sub", "sub/sweep.db"] {
                std::os::unix::fs::chown(desk.path(path), Some(65534), Some(65534)).expect("its owner");
            }
        }
        desk.run(&["start", "coord", "hand"]).expect(0);
        let mode = |mode: u32| {
            let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode);
            std::fs::set_permissions(desk.path(target), mode).expect("its mode");
        };
        mode(if target == "sub" { 0o555 } else { 0o444 });
        troubled(&desk, 14, &["sweep.db"]);
        mode(0o755);
        assert_eq!(count(&desk, "sub/sweep.db", "running"), 1);
    }
}

#[test]
fn a_lock_that_nobody_gives_up_is_not_waited_for_for_ever() {
    let desk = started();
    let held = Connection::open(desk.path("sweep.db")).expect("a database");
    held.execute_batch("begin exclusive").expect("ours");
    troubled(&desk, 14, &["sweep.db", "lock"]);
    drop(held);
    assert_eq!(count(&desk, "sweep.db", "running"), 1);
}

#[test]
fn a_lock_that_the_dead_had_is_theirs_no_more() {
    let desk = working(
        "held = db()\nif name == 'hand@1':\n    held.execute('begin immediate')\nsay('up', name)\ntime.sleep(600)\n",
        &[("running", Some("hand@1")), ("running", Some("hand@2"))],
    );
    let report = troubled(&desk, 0, &["could not be written at first", "after its processes had ended"]);
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["again"], &sweep["pending"]), (&2.into(), &0.into(), &2.into()), "{report}");
}

#[test]
fn a_chunk_that_is_completed_between_reset_and_end_stays_completed() {
    let desk = working(
        "def told(*_):\n    db().execute(\"update chunks set status='completed', assigned_worker=? where id=?\", (name, name[-1]))\n    sys.exit()\n\
         claim(name[-1])\nsignal.signal(signal.SIGTERM, told)\nsay('up', name)\nwhile True: time.sleep(1)\n",
        &[("pending", None), ("pending", None), ("pending", None)],
    );
    assert_eq!(count(&desk, "sweep.db", "running"), 2);
    let report = troubled(&desk, 0, &[]);
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&sweep["reset"], &sweep["completed"], &sweep["pending"]),
        (&2.into(), &2.into(), &1.into()),
        "{report}"
    );
    assert!(sweep["finished_meanwhile"].as_u64().is_some_and(|count| count <= 2), "{report}");
    let rows = chunks(&desk, "sweep.db");
    assert_eq!(rows[0], ("completed".to_owned(), Some("hand@1".to_owned())));
}

#[test]
fn what_is_claimed_again_in_between_is_put_back_again() {
    let desk = working(
        "def told(*_):\n    claim(name[-1])\n    sys.exit()\n\
         claim(name[-1])\nsignal.signal(signal.SIGTERM, told)\nsay('up', name)\nwhile True: time.sleep(1)\n",
        &[("pending", None), ("pending", None)],
    );
    let report = troubled(&desk, 0, &[]);
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["again"], &sweep["running"]), (&4.into(), &2.into(), &0.into()), "{report}");
    assert_eq!(count(&desk, "sweep.db", "pending"), 2);
}

#[test]
fn one_worker_that_is_stopped_loses_its_own_chunks_and_nobody_elses() {
    for (command, outcome) in [("stop", 1), ("restart", 2)] {
        let desk = Desk::new(SWEEP);
        fill(&desk, "sweep.db", &[("pending", None), ("running", Some("hand@2")), ("running", Some("box-2"))]);
        desk.run(&["start", "coord", "hand"]).expect(0);
        let (one, two) = (desk.pid("hand@1"), desk.pid("hand@2"));
        Connection::open(desk.path("sweep.db"))
            .and_then(|database| {
                database.execute(
                    "update chunks set status = 'running', assigned_worker = ? where id = 1",
                    [one.to_string()],
                )
            })
            .expect("a claim");
        let report = desk.run(&[command, "hand@1", "--json"]).expect(0).json();
        let sweep = cluster(&report, "sweep");
        assert_eq!(
            (&sweep["reset"], &sweep["running"], &sweep["pending"]),
            (&1.into(), &2.into(), &1.into()),
            "{outcome}: {report}"
        );
        assert!(part(&report, "hand@1")["notes"].to_string().contains("1 of its chunks put back (sweep)"), "{report}");
        assert!(!alive(one) && alive(two), "{report}");
    }
}

#[test]
fn who_is_not_on_this_box_may_still_work_on_what_was_put_back() {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[("running", Some("box-2")), ("running", Some("hand@1"))]);
    let report = desk.run(&["stop", "--all", "--json"]).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!(sweep["reset"], 2, "{report}");
    assert!(
        sweep["notes"].to_string().contains("1 of the chunks put back named box-2, which is not on this box"),
        "{report}"
    );
}

#[test]
fn what_a_stopper_that_was_killed_had_put_back_is_counted() {
    let desk = working(
        "signal.signal(signal.SIGTERM, lambda *_: say('told', name))\nclaim(name[-1])\nsay('up', name)\n\
         while not os.path.exists('go'): time.sleep(0.01)\n",
        &[("pending", None), ("pending", None), ("running", Some("box-2"))],
    );
    let mut stop = desk.command(&ALL).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    // Told only once the chunks were back.
    desk.wait_for_lines("told", 2);
    assert_eq!(count(&desk, "sweep.db", "pending"), 3);
    let stops = desk.home_folder().join("stops");
    let stopper = eventually("a stopper", || {
        let folders = std::fs::read_dir(&stops).ok()?.flatten();
        let pids = folders.flat_map(|folder| process::holders(&folder.path().join("lock")));
        pids.filter(|pid| process::is_keeper(*pid))
            .find_map(|pid| process::identify(pid).and_then(|id| Held::open(&id)))
    });
    // What it has told whoever asked is on its way by then.
    eventually("its word", || (!remembered(&desk).is_empty()).then_some(()));
    stopper.signal(Signal::KILL).expect("it is ours");
    assert!(stopper.wait(std::time::Duration::from_mins(1)));
    desk.write("go", "");
    let mut out = String::new();
    std::io::BufReader::new(stop.stdout.take().expect("a pipe")).read_line(&mut out).expect("a report");
    assert!(stop.wait().expect("its end").success(), "{out}");
    let report: Value = serde_json::from_str(&out).expect("a report");
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["running"], &sweep["pending"]), (&3.into(), &0.into(), &3.into()), "{report}");
}

#[test]
fn nothing_is_taken_again_from_a_worker_that_lives() {
    let desk =
        Desk::new(&SWEEP.replace(
            "['sleep', '601']",
            "['PYTHON', '-S', 'hand.py']\nstop = [{ signal = 'SIGTERM', wait = '300ms' }]",
        ));
    fill(&desk, "sweep.db", &[("pending", None), ("pending", None)]);
    desk.write(
        "hand.py",
        &format!(
            "{WORKER_PY}claim(name[-1])\nsignal.signal(signal.SIGTERM, lambda *_: claim(name[-1]))\nsay('up', name)\n\
             while True: time.sleep(1)\n"
        ),
    );
    desk.run(&["start", "coord", "hand"]).expect(0);
    desk.wait_for_lines("up", 2);
    let pid = desk.pid("hand@1");
    let report = desk.run(&ALL).expect(13).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["again"], &sweep["running"]), (&2.into(), &0.into(), &2.into()), "{report}");
    let errors = sweep["errors"].to_string();
    assert!(errors.contains("not settled") && errors.contains(&pid.to_string()), "{report}");
    assert!(alive(pid));
}

#[test]
fn a_restart_of_all_bots_puts_back_what_their_last_runs_had() {
    let desk = started();
    let report = desk.run(&["restart", "coord", "hand", "--json"]).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["pending"], &sweep["running"]), (&1.into(), &2.into(), &0.into()), "{report}");
    assert_eq!(part(&report, "hand@1")["restarted"], true, "{report}");
    assert_eq!(desk.state("hand@1"), "running");
}

#[test]
fn what_could_not_be_put_back_is_counted_all_the_same() {
    let desk = started();
    let held = Connection::open(desk.path("sweep.db")).expect("a database");
    held.execute_batch("begin immediate").expect("ours");
    let report = troubled(&desk, 14, &["sweep.db", "lock"]);
    drop(held);
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&sweep["reset"], &sweep["running"], &sweep["pending"], &sweep["completed"]),
        (&Value::Null, &1.into(), &1.into(), &1.into()),
        "{report}"
    );
}

#[test]
fn an_expression_for_combinations_that_is_wrong_is_noted_and_nothing_else_is_missing_for_it() {
    let desk = Desk::new(&format!("{SWEEP}combinations = {{ total = 'sum(nobody)' }}\n"));
    fill(&desk, "sweep.db", &[("running", Some("hand@1")), ("pending", None)]);
    let status = desk.run(&["cluster", "status", "sweep", "--json"]).expect(0).json();
    let sweep = cluster(&status, "sweep");
    assert!(sweep["note"].to_string().contains("combinations.total is wrong: no such column: nobody"), "{status}");
    assert_eq!((&sweep["running"], &sweep["error"]), (&1.into(), &Value::Null), "{status}");
    assert_eq!(sweep["combinations"]["total"], Value::Null, "{status}");
    let report = desk.run(&["cluster", "stop", "sweep", "--json"]).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["pending"]), (&1.into(), &2.into()), "{report}");
}

#[test]
fn what_another_box_has_claimed_is_not_taken_for_a_process_of_ours_with_the_same_number() {
    let desk = started();
    let pid = desk.pid("hand@1");
    let claim = |id: i64, worker: String| {
        let claim = "update chunks set status = 'running', assigned_worker = ? where id = ?";
        let database = Connection::open(desk.path("sweep.db")).expect("a database");
        database.execute(claim, rusqlite::params![worker, id]).expect("a claim");
    };
    claim(1, format!("far-box:{pid}"));
    claim(2, format!("localhost:{pid}"));
    let report = desk.run(&["stop", "hand@1", "--json"]).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["running"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(chunks(&desk, "sweep.db")[0], ("running".to_owned(), Some(format!("far-box:{pid}"))));
}

#[test]
fn where_more_chunks_run_than_are_looked_at_that_is_said() {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[("running", Some("hand@1"))]);
    let more = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10002) \
         insert into chunks (status, assigned_worker, started_at) \
         select 'running', 'hand@2', '2027-01-01 00:00:00' from n";
    Connection::open(desk.path("sweep.db")).and_then(|database| database.execute_batch(more)).expect("chunks");
    let report = desk.run(&["stop", "hand@1", "--json"]).expect(0).json();
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["running"]), (&1.into(), &10_002.into()), "{report}");
    let notes = sweep["notes"].to_string();
    assert!(notes.contains("only 10000 running chunks were looked at") && notes.contains("hand@1"), "{report}");
}
