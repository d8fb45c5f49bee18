//! Stale and failed chunks are put back, and never one that a live worker holds.

use botwarden::act::cluster::Wanted;
use botwarden::cluster::Claim;
use botwarden::core::chunk::Value as Cell;
use rusqlite::Connection;

use crate::harness::Desk;
use crate::sweep::{SWEEP, chunks, cluster, fill, remembered, requeue};

/// Held and overdue, dead, somewhere else, failed.
fn mixed() -> Desk {
    let desk = Desk::new(SWEEP);
    fill(
        &desk,
        "sweep.db",
        &[
            ("running", Some("hand@1")),
            ("running", Some("hand@2")),
            ("running", Some("box-2")),
            ("failed", Some("hand@2")),
            ("pending", None),
        ],
    );
    Connection::open(desk.path("sweep.db"))
        .and_then(|database| database.execute("update chunks set started_at = datetime('now') where id = 3", []))
        .expect("a lease that is good");
    desk.run(&["start", "hand@1"]).expect(0);
    desk
}

#[test]
fn more_than_one_look_lists_are_put_back_all_the_same() {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[]);
    Connection::open(desk.path("sweep.db"))
        .and_then(|database| {
            database.execute(
                "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10050) \
                 insert into chunks (status, assigned_worker) select 'running', 'hand@1' from n",
                [],
            )
        })
        .expect("chunks");
    let report = requeue(&desk, Wanted::Stale, false);
    let sweep = cluster(&report, "sweep");
    assert_eq!((&sweep["reset"], &sweep["running"]), (&10_050.into(), &0.into()), "{sweep}");
}

fn named(ids: &[&str]) -> Wanted {
    Wanted::Named(ids.iter().map(|id| (*id).to_owned()).collect())
}

fn states(desk: &Desk) -> Vec<String> {
    chunks(desk, "sweep.db").into_iter().map(|(status, _)| status).collect()
}

#[test]
fn all_stale_ones_are_put_back_but_what_lives_or_may_live_elsewhere() {
    let desk = mixed();
    let report = requeue(&desk, Wanted::Stale, false);
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&report["exit_code"], &sweep["reset"], &sweep["pending"]),
        (&0.into(), &1.into(), &2.into()),
        "{report}"
    );
    let notes = sweep["notes"].to_string();
    assert!(
        notes.contains("chunk 1 is held by hand@1 (pid") && notes.contains("although its lease ran out"),
        "{notes}"
    );
    assert!(notes.contains("1 left alone") && notes.contains("--unverified puts it back too"), "{notes}");
    assert_eq!(states(&desk), ["running", "pending", "running", "failed", "pending"]);
    let report = requeue(&desk, Wanted::Both, true);
    assert_eq!(cluster(&report, "sweep")["reset"], 2, "{report}");
    assert_eq!(states(&desk), ["running", "pending", "pending", "pending", "pending"]);
    assert_eq!(remembered(&desk).len(), 2);
}

#[test]
fn who_names_chunks_is_told_of_each_that_is_refused() {
    let desk = mixed();
    let report = requeue(&desk, named(&["1", "2", "4", "77"]), false);
    let sweep = cluster(&report, "sweep");
    assert_eq!((&report["exit_code"], &sweep["reset"]), (&1.into(), &2.into()), "{report}");
    let errors = sweep["errors"].to_string();
    assert!(errors.contains("chunk 1 is held by hand@1 (pid") && errors.contains("stop that worker first"), "{errors}");
    assert!(errors.contains("chunk 77"), "{errors}");
    assert_eq!(states(&desk), ["running", "pending", "running", "pending", "pending"]);
}

#[test]
fn what_has_changed_since_it_was_chosen_is_left_alone() {
    let desk = mixed();
    let claim = |id, worker: &str| Claim {
        id: Cell::Integer(id),
        failed: false,
        worker: Cell::Text(worker.into()),
        started: Cell::Text("2026-01-01 00:00:00".into()),
    };
    let report = requeue(&desk, Wanted::These(vec![claim(2, "hand@7")]), false);
    let sweep = cluster(&report, "sweep");
    assert!(sweep["notes"].to_string().contains("chunk 2 has changed meanwhile"), "{report}");
    assert_eq!(sweep["reset"], 0, "{report}");
    let report = requeue(&desk, Wanted::These(vec![claim(2, "hand@2")]), false);
    assert_eq!(cluster(&report, "sweep")["reset"], 1, "{report}");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let desk = mixed();
    desk.write("sweep.db", &"no database\n".repeat(200));
    let report = requeue(&desk, Wanted::Stale, false);
    assert_eq!(report["exit_code"], 14, "{report}");
    assert_eq!(cluster(&report, "sweep")["reset"], serde_json::Value::Null, "{report}");
}
