//! A cluster on the screen in a real terminal, with real keepers and a real file: a crash is seen, and mended by a key.

use botwarden::core::signal::Signal;
use rusqlite::Connection;

use crate::harness::{Desk, alive, eventually, has, skipped};
use crate::screen::Terminal;

const DESK: &str = r#"
[bots.boss]
command = ["sleep", "600"]
mode = "dry-run"
restart = "never"

[bots.hand]
command = ["sleep", "601"]
mode = "dry-run"
restart = "never"

[clusters.sweep]
database = "FOLDER/sweep.db"
coordinator = "boss"
workers = ["hand"]
"#;

/// A desk whose cluster is at work, as far as its file says.
fn at_work() -> Option<(Desk, Connection)> {
    if !has("tmux") {
        skipped("there is no tmux here");
        return None;
    }
    let desk = Desk::new(DESK);
    let file = Connection::open(desk.path("sweep.db")).expect("a file");
    file.execute_batch(
        "CREATE TABLE chunks (id INTEGER PRIMARY KEY, status TEXT, assigned_worker TEXT, started_at INTEGER);
         CREATE INDEX chunks_status ON chunks (status);
         INSERT INTO chunks (status, assigned_worker, started_at) VALUES
             ('completed', 'hand', unixepoch() - 90), ('running', 'hand', unixepoch() - 20),
             ('running', 'hand', unixepoch() - 10), ('running', 'hand', unixepoch() - 5),
             ('failed', 'hand', unixepoch() - 50);",
    )
    .expect("a table");
    desk.run(&["start", "boss", "hand"]).expect(0);
    Some((desk, file))
}

fn count(file: &Connection, status: &str) -> i64 {
    let query = "SELECT count(*) FROM chunks WHERE status = ?1";
    file.query_row(query, [status], |row| row.get(0)).expect("a count")
}

#[test]
fn a_crash_is_seen_on_the_screen_and_a_stop_puts_everything_back() {
    let Some((desk, file)) = at_work() else { return };
    let terminal = Terminal::open_with(&desk, (120, 36), "", "boss ");
    terminal.shows("PROCESSING");
    for bot in ["boss", "hand"] {
        let pid = desk.pid(bot);
        desk.signal(pid, Signal::KILL);
        eventually("its end", || (!alive(pid)).then_some(()));
    }
    terminal.shows("stale 3");
    terminal.keys(&["3", "z"]);
    terminal.shows("hand does not live");
    // Nobody is at work, so nobody is asked.
    terminal.keys(&["x"]);
    terminal.shows("nothing to kill (already stopped), 3 chunks put back, 3 pending");
    assert_eq!((count(&file, "pending"), count(&file, "running"), count(&file, "completed")), (3, 0, 1));
    terminal.shows("PENDING");
    terminal.keys(&["q"]);
    terminal.shows("ended with 0");
    terminal.shows(" echo");
}

#[test]
fn what_a_live_worker_holds_is_refused_and_what_has_failed_is_put_back() {
    let Some((desk, file)) = at_work() else { return };
    let terminal = Terminal::open_at(&desk, "boss ");
    terminal.shows("PROCESSING 1/5");
    terminal.keys(&["3", "z", "j", "u"]);
    terminal.shows("is not put back: held by hand");
    assert_eq!(count(&file, "running"), 3);
    terminal.keys(&["G", "u"]);
    terminal.shows("requeue 1 chunk of cluster sweep?");
    terminal.keys(&["y"]);
    terminal.shows("1 chunk put back");
    assert_eq!((count(&file, "failed"), count(&file, "running"), count(&file, "pending")), (0, 3, 1));
}
