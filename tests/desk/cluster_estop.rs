//! In an emergency every cluster's chunks go back before any of its processes is told, and a locked one delays its own bots
//! alone.

use botwarden::core::signal::Signal;
use rusqlite::Connection;

use crate::emergency::{desk, fire, part, stopper};
use crate::harness::{Desk, alive};
use crate::sweep::{SWEEP, WORKER_PY, chunks, cluster, count, fill};

/// Writes down what its chunk is when it is told.
const WITNESS: &str = "\
def told(*_):\n    say('seen', name + ' ' + db().execute('select status from chunks where id=?', (name[-1],)).fetchone()[0])\n    sys.exit()\n\
claim(name[-1])\nsignal.signal(signal.SIGTERM, told)\nsay('up', name)\nwhile True: time.sleep(1)\n";

fn sweep(script: &str, more: &str) -> Desk {
    let sweep = SWEEP.replace("['sleep', '601']", "['PYTHON', '-S', 'hand.py']");
    let desk = desk("2s", &format!("{sweep}{more}"));
    fill(&desk, "sweep.db", &[("pending", None), ("pending", None), ("completed", Some("hand@1"))]);
    desk.write("hand.py", &format!("{WORKER_PY}{script}"));
    desk
}

#[test]
fn chunks_are_back_before_any_worker_is_told() {
    let desk = sweep(WITNESS, "");
    desk.run(&["start", "coord", "hand", "other"]).expect(0);
    desk.wait_for_lines("up", 2);
    assert_eq!(count(&desk, "sweep.db", "running"), 2);
    let report = fire(&desk, 0);
    let mut seen = desk.wait_for_lines("seen", 2);
    seen.sort();
    assert_eq!(seen, ["hand@1 pending", "hand@2 pending"], "{report}");
    let part = cluster(&report, "sweep");
    assert_eq!((&part["reset"], &part["pending"], &part["running"]), (&2.into(), &2.into(), &0.into()), "{report}");
}

#[test]
fn a_locked_cluster_delays_its_own_bots_alone() {
    // Whoever is of the locked one says who lives when it is told.
    let late = "\
def told(*_):\n    say('seen', ' '.join(p for p in open('others').read().split() if os.path.exists('/proc/' + p)) or 'nobody')\n    sys.exit()\n\
signal.signal(signal.SIGTERM, told)\nsay('late-up', name)\nwhile True: time.sleep(1)\n";
    let desk = sweep(
        "say('up', name)\ntime.sleep(600)\n",
        "[bots.late]\ncommand = ['PYTHON', '-S', 'late.py']\nmode = 'paper'\nrestart = 'never'\n\
         [clusters.locked]\ndatabase = 'locked.db'\nworkers = ['late']\n",
    );
    desk.write("late.py", &format!("{WORKER_PY}{late}"));
    fill(&desk, "locked.db", &[("running", Some("late"))]);
    desk.run(&["start", "--all"]).expect(0);
    desk.wait_for_lines("up", 2);
    desk.wait_for_lines("late-up", 1);
    let others: Vec<String> =
        ["coord", "hand@1", "hand@2", "other"].iter().map(|bot| desk.pid(bot).to_string()).collect();
    desk.write("others", &others.join(" "));
    let held = Connection::open(desk.path("locked.db")).expect("a database");
    held.execute_batch("begin immediate").expect("ours");
    let report = fire(&desk, 14);
    drop(held);
    assert_eq!(desk.read("seen"), "nobody\n", "{report}");
    assert_eq!(part(&report, "late")["outcome"], "stopped", "{report}");
    assert_eq!(cluster(&report, "sweep")["errors"], serde_json::json!([]), "{report}");
    let locked = cluster(&report, "locked");
    assert!(locked["unasked"] == true && locked["errors"].to_string().contains("lock"), "{report}");
}

#[test]
fn a_drill_touches_the_chunks_of_clusters_without_real_money_alone() {
    let desk = desk(
        "2s",
        &format!(
            "{SWEEP}[bots.real]\ncommand = ['sleep', '603']\nmode = 'live'\n\
             [clusters.dear]\ndatabase = 'dear.db'\nworkers = ['real', 'other']\n"
        ),
    );
    fill(&desk, "sweep.db", &[("running", Some("hand@1"))]);
    fill(&desk, "dear.db", &[("running", Some("real")), ("running", Some("other")), ("running", Some("real"))]);
    desk.run(&["start", "--yes", "real", "hand@1"]).expect(0);
    let real = desk.pid("real");
    let report = desk.run(&["estop", "--drill", "--json"]).expect(0).json();
    assert_eq!(cluster(&report, "sweep")["reset"], 1, "{report}");
    assert_eq!(report["clusters"].as_array().map(Vec::len), Some(1), "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("live, not touched: dear: 3 running chunks would be put back"), "{notes}");
    assert_eq!(count(&desk, "dear.db", "running"), 3);
    assert!(alive(real));
}

#[test]
fn what_a_stopper_that_was_killed_had_put_back_is_counted_by_the_next() {
    let desk = sweep(
        "signal.signal(signal.SIGTERM, lambda *_: say('told', name))\nclaim(name[-1])\nsay('up', name)\n\
         while True: time.sleep(1)\n",
        "",
    );
    desk.run(&["start", "hand"]).expect(0);
    desk.wait_for_lines("up", 2);
    let fired = desk.command(&["estop", "--json"]).stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    desk.wait_for_lines("told", 2);
    stopper(&desk).signal(Signal::KILL).expect("it is ours");
    let out = fired.wait_with_output().expect("a report").stdout;
    let report: serde_json::Value = serde_json::from_slice(&out).expect("a report");
    let part = cluster(&report, "sweep");
    assert_eq!((&part["reset"], &part["running"]), (&2.into(), &0.into()), "{report}");
    assert_eq!(chunks(&desk, "sweep.db")[0], ("pending".to_owned(), None));
}

#[test]
fn chunks_that_run_again_or_cannot_be_read_stand_in_the_way_of_a_reset() {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[("running", Some("hand@1"))]);
    fire(&desk, 0);
    // Somebody claims it after the end.
    let database = Connection::open(desk.path("sweep.db")).expect("a database");
    database.execute("update chunks set status = 'running', assigned_worker = 'box-2'", []).expect("a chunk");
    let reset = |waive: &[&str], code| {
        let host = botwarden::who::host();
        let args = [&["estop", "reset", "--host", &host, "--reason", "seen to", "--json"], waive].concat();
        desk.run(&args).expect(code).json()
    };
    let report = reset(&[], 1);
    assert!(cluster(&report, "sweep")["errors"].to_string().contains("1 of its chunks say that they run"), "{report}");
    assert!(desk.home_folder().join("estop.json").exists());
    std::fs::write(desk.path("sweep.db"), "no database at all, and long enough to be looked at ").expect("written");
    let report = reset(&[], 14);
    assert!(cluster(&report, "sweep")["errors"].to_string().contains("is not a file of SQLite"), "{report}");
    reset(&["--waive", "the file is restored tomorrow"], 0);
    assert!(!desk.home_folder().join("estop.json").exists());
}

#[test]
fn more_chunks_than_can_be_put_back_at_once_are_put_back_once_their_workers_have_ended() {
    const MANY: u64 = 400_000;
    let desk = sweep("say('up', name)\ntime.sleep(600)\n", "");
    let database = Connection::open(desk.path("sweep.db")).expect("a database");
    database
        .execute_batch(&format!(
            "delete from chunks; create index chunks_status on chunks (status);
             with recursive n(i) as (select 1 union all select i + 1 from n where i < {MANY})
             insert into chunks (status, assigned_worker, started_at) select 'running', 'hand@1', '2026-01-01' from n"
        ))
        .expect("chunks");
    drop(database);
    desk.run(&["start", "coord", "hand"]).expect(0);
    desk.wait_for_lines("up", 2);
    let report = fire(&desk, 0);
    let part = cluster(&report, "sweep");
    assert_eq!(
        (&part["reset"], &part["pending"], &part["running"]),
        (&MANY.into(), &MANY.into(), &0.into()),
        "{report}"
    );
    assert!(!part.to_string().contains("index"), "{report}");
}
