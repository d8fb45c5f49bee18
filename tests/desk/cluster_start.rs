//! A cluster is started with its stale chunks put back, and not at all where that cannot be done or nothing may start.

use crate::emergency::{fire, part};
use crate::harness::Desk;
use crate::sweep::{SWEEP, chunks, cluster, count, fill, start};

/// The sweep, whose bots run already.
fn running() -> Desk {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[("running", Some("999999")), ("running", Some("hand@1")), ("pending", None)]);
    desk.run(&["start", "coord", "hand"]).expect(0);
    desk
}

#[test]
fn stale_chunks_are_put_back_and_those_that_a_live_worker_holds_are_not() {
    let desk = running();
    let report = start(&desk);
    let sweep = cluster(&report, "sweep");
    assert_eq!(
        (&report["exit_code"], &sweep["reset"], &sweep["pending"]),
        (&0.into(), &1.into(), &2.into()),
        "{report}"
    );
    assert_eq!(chunks(&desk, "sweep.db")[1].0, "running");
    for bot in ["coord", "hand@1", "hand@2"] {
        assert_eq!(
            (&part(&report, bot)["outcome"], &part(&report, bot)["pid"]),
            (&serde_json::Value::Null, &desk.pid(bot).into()),
            "{report}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_yet_keeps_nobody_from_starting() {
    let desk = running();
    std::fs::remove_file(desk.path("sweep.db")).expect("it was there");
    let report = start(&desk);
    assert_eq!((&report["exit_code"], report["bots"].as_array().map(Vec::len)), (&0.into(), Some(3)), "{report}");
    assert!(cluster(&report, "sweep")["notes"].to_string().contains("its coordinator makes it"), "{report}");
}

#[test]
fn nothing_is_started_where_the_database_cannot_be_asked() {
    let desk = Desk::new(SWEEP);
    desk.write("sweep.db", &"no database\n".repeat(200));
    let report = start(&desk);
    assert_eq!((&report["exit_code"], &report["bots"]), (&14.into(), &serde_json::json!([])), "{report}");
    assert!(cluster(&report, "sweep")["errors"].to_string().contains("nothing of sweep was started"), "{report}");
    assert!(desk.living().is_empty());
}

#[test]
fn nothing_is_started_or_put_back_while_the_emergency_stop_is_latched() {
    let desk = Desk::new(SWEEP);
    fill(&desk, "sweep.db", &[]);
    fire(&desk, 0);
    let database = rusqlite::Connection::open(desk.path("sweep.db")).expect("a database");
    database.execute("insert into chunks (status, assigned_worker) values ('running', '999999')", []).expect("a chunk");
    let report = start(&desk);
    assert_eq!((&report["exit_code"], &report["bots"]), (&75.into(), &serde_json::json!([])), "{report}");
    assert_eq!(cluster(&report, "sweep")["untouched"], true, "{report}");
    assert_eq!(count(&desk, "sweep.db", "running"), 1);
}
