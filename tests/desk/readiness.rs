//! Whether an emergency stop would work: `doctor`, `estop status`, and what `status` says of it. Everything that it depends
//! on is broken for real, one thing at a time.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use botwarden::beacon;
use botwarden::core::overall::Overall;
use botwarden::core::signal::Signal;
use botwarden::lock::Lock;
use botwarden::paths::Home;
use serde_json::{Value, json};

use crate::harness::{Desk, Done, alive, can, has, root, skipped};
use crate::homes::elsewhere;

/// A bot with everything that an emergency stop could wish for.
const WHOLE: &str = "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
                     orders = { source = 'state-json', path = 'state.json' }\n\
                     cancel = { command = ['./cancel.sh'] }\n";

/// Who else there is.
const NOBODY: &str = "setpriv --reuid 65534 --regid 65534 --clear-groups";

/// Every check there always is, in its order.
const NAMES: [&str; 14] = [
    "configuration",
    "home",
    "latch",
    "locks",
    "disk",
    "records",
    "beacon",
    "stopper",
    "keepers",
    "users",
    "order sources",
    "cancel commands",
    "clusters",
    "drill",
];

fn desk(more: &str) -> Desk {
    let desk = Desk::new(&format!("{WHOLE}{more}"));
    desk.write("state.json", "{\"open_orders\": {}}");
    desk.script("cancel.sh", "#!/bin/sh\n");
    // Another command has made the home and kept the configuration.
    desk.run(&["status"]).expect(0);
    drilled(&desk, 3);
    desk
}

fn drilled(desk: &Desk, days_ago: i64) {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days_ago);
    let drill = json!({ "at": at, "by": "ana", "id": "x" });
    std::fs::write(desk.home_folder().join("drill.json"), drill.to_string()).expect("room");
}

#[track_caller]
fn doctor(desk: &Desk, code: i32) -> Value {
    checks(&desk.run(&["doctor", "--json"]), code)
}

#[track_caller]
fn checks(done: &Done, code: i32) -> Value {
    assert_eq!(done.code, code, "{}", done.said());
    let said = done.json();
    assert_eq!(said.as_object().expect("an object").keys().collect::<Vec<_>>(), ["schema", "ready", "checks"]);
    assert_eq!(said["ready"], code == 0, "{said}");
    said
}

/// One check: its word, and what it says.
#[track_caller]
fn check(said: &Value, name: &str) -> (&'static str, String) {
    let all = said["checks"].as_array().expect("checks");
    let check = all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {said}"));
    let word = match (check["ok"].as_bool(), check["warning"].as_bool()) {
        (Some(true), Some(false)) => "ok",
        (Some(false), Some(true)) => "warn",
        (Some(false), Some(false)) => "FAIL",
        _ => panic!("{check}"),
    };
    (word, check["message"].as_str().expect("a sentence").to_owned())
}

/// Fails unless a check has this word, and says this.
#[track_caller]
fn expect(said: &Value, name: &str, word: &str, text: &str) {
    let (is, message) = check(said, name);
    assert!(is == word && message.contains(text), "{name}: {is} {message}\n{said}");
}

fn files(desk: &Desk) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![desk.home_folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
            // A keeper replaces its records when it likes, and tries for a moment what its disk can do.
            let is_probe = entry.file_name().to_string_lossy().starts_with(".holes.");
            if entry.path().extension().is_none_or(|extension| extension != "new") && !is_probe {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_desk_on_which_all_is_well_is_ready_and_is_left_as_it_was() {
    let desk = desk("");
    desk.run(&["start", "a"]).expect(0);
    let before = files(&desk);
    let said = doctor(&desk, 0);
    assert_eq!(files(&desk), before, "nothing is left behind");
    let names: Vec<&str> =
        said["checks"].as_array().expect("checks").iter().filter_map(|check| check["name"].as_str()).collect();
    assert_eq!(names, NAMES);
    for name in NAMES {
        expect(&said, name, "ok", "");
    }
    expect(&said, "keepers", "ok", "the one there is answers");
    let text = desk.run(&["doctor"]).expect(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines.last()), (NAMES.len() + 1, Some(&"READY")), "{text}");
    assert!(lines[0].starts_with("ok    configuration"), "{text}");
    let seen = desk.run(&["status", "--json"]).expect(0).json()["estop"].clone();
    assert_eq!((&seen["state"], &seen["problems"]), (&json!("ready"), &json!([])), "{seen}");
    let status = desk.run(&["estop", "status", "--json"]).expect(0).json();
    assert_eq!((&status["estop"], &status["report"]), (&seen, &Value::Null));
    assert_eq!(status["estop"]["last_drill"]["by"], "ana");
    assert!(alive(desk.pid("a")));
}

#[test]
fn doctor_makes_the_home() {
    let desk = Desk::new(WHOLE);
    desk.write("state.json", "{\"open_orders\": {}}");
    desk.script("cancel.sh", "#!/bin/sh\n");
    let said = doctor(&desk, 0);
    expect(&said, "home", "ok", "");
    expect(&said, "drill", "warn", "no drill was ever passed");
    assert!(desk.home_folder().join("bots").is_dir());
    desk.run(&["doctor", "--home", ""]).expect(2);
}

#[test]
fn a_broken_configuration_is_a_warning_where_a_good_one_is_remembered() {
    let desk = desk("");
    desk.configure("[bots.a]\nmode = 'papre'\n");
    let said = doctor(&desk, 0);
    expect(&said, "configuration", "warn", "the last good one counts: 1 bot");
    expect(&said, "order sources", "ok", "the one there is can be read");
    std::fs::remove_file(desk.home_folder().join("last-good.toml")).expect("it was kept");
    let said = doctor(&desk, 5);
    expect(&said, "configuration", "FAIL", "there is no last good one");
    let text = desk.run(&["doctor"]).expect(5).stdout;
    assert!(text.contains("\nNOT READY\n") && text.starts_with("FAIL  configuration"), "{text}");
    let seen = desk.run(&["status", "--json"]).expect(2).json()["estop"].clone();
    assert_eq!((&seen["state"], seen["problems"].as_array().map(Vec::len)), (&json!("not_ready"), Some(1)), "{seen}");
    desk.run(&["estop", "status"]).expect(5);
}

#[test]
fn where_nothing_was_ever_configured_or_run_there_is_nothing_to_stop() {
    let desk = Desk::new("");
    let without = || {
        let mut command = desk.command(&["doctor", "--json"]);
        crate::harness::finish(command.env_remove("BOTWARDEN_CONFIG").current_dir("/"))
    };
    expect(&checks(&without(), 0), "configuration", "warn", "no bot has ever run");
    std::fs::create_dir_all(desk.bot_folder("old")).expect("room");
    expect(&checks(&without(), 5), "configuration", "FAIL", "there is no configuration");
}

#[test]
fn a_home_that_cannot_be_written_is_not_ready() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = desk("");
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let said = checks(&elsewhere(&desk, read_only, "exec \"$BOTWARDEN\" doctor --json"), 5);
    for name in ["home", "latch", "locks"] {
        expect(&said, name, "FAIL", "read-only");
    }
    expect(&said, "order sources", "ok", "");
}

#[test]
fn a_home_of_somebody_else_is_not_ready() {
    if !root() || !has("setpriv") {
        return skipped("only root can be somebody else");
    }
    let desk = desk("");
    std::fs::set_permissions(desk.folder(), Permissions::from_mode(0o755)).expect("ours");
    if desk.shell(&format!("exec {NOBODY} \"$BOTWARDEN\" --version")).code != 0 {
        return skipped("nobody else can execute the binary here");
    }
    let said = checks(&desk.shell(&format!("exec {NOBODY} \"$BOTWARDEN\" doctor --json")), 5);
    for name in ["configuration", "home", "latch", "locks"] {
        expect(&said, name, "FAIL", "permission denied");
    }
}

#[test]
fn a_full_disk_is_a_warning_for_a_latch_is_a_name() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = desk("");
    let tmpfs = "mkdir -p \"$DESK_HOME\"\nmount -t tmpfs -o size=1m,mode=0700 tmpfs \"$DESK_HOME\"";
    let line = "\"$BOTWARDEN\" status > /dev/null\n\
                cat /dev/zero > \"$DESK_HOME/ballast\" 2> no-room || true\n\
                exec \"$BOTWARDEN\" doctor --json";
    let said = checks(&elsewhere(&desk, tmpfs, line), 0);
    expect(&said, "disk", "warn", "full");
    expect(&said, "latch", "warn", "it can be made, but who fired it and why cannot be written");
    expect(&said, "home", "ok", "");
}

#[test]
fn a_keeper_that_does_not_answer_is_named_within_seconds() {
    let desk = desk("[bots.b]\ncommand = ['sleep', '600']\nmode = 'dry-run'\n");
    desk.run(&["start", "--all"]).expect(0);
    let keeper = desk.keeper("a");
    keeper.signal("SIGSTOP".parse().expect("a signal")).expect("ours");
    let began = Instant::now();
    let said = doctor(&desk, 5);
    let took = began.elapsed();
    keeper.signal(Signal::CONT).expect("ours");
    expect(&said, "keepers", "FAIL", "a: its keeper does not answer");
    assert!(!check(&said, "keepers").1.contains("b:"), "{said}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    expect(&doctor(&desk, 0), "keepers", "ok", "all 2 answer");
}

#[test]
fn a_source_that_cannot_be_read_is_named_and_a_bot_without_one_is_a_warning() {
    let desk = desk(
        "[bots.hangs]\ncommand = ['sleep', '600']\nmode = 'dry-run'\n\
         orders = { source = 'command', command = ['sleep', '60'], timeout = '30s' }\n\
         [bots.plain]\ncommand = ['sleep', '600']\nmode = 'live'\n",
    );
    // One that has run has written its orders somewhere.
    desk.run(&["start", "a"]).expect(0);
    desk.run(&["stop", "a"]).expect(0);
    std::fs::remove_file(desk.path("state.json")).expect("it was there");
    let began = Instant::now();
    let said = doctor(&desk, 5);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    expect(&said, "order sources", "FAIL", "a: ");
    expect(&said, "order sources", "FAIL", "state.json: ");
    expect(&said, "order sources", "FAIL", "hangs: sleep");
    expect(&said, "orders", "warn", "plain: no source is configured, so its orders are unknown");
    let seen = desk.run(&["status", "--json"]).expect(0).json()["estop"].clone();
    assert_eq!(seen["problems"].as_array().map(Vec::len), Some(1), "{seen}");
}

#[test]
fn a_cancel_command_that_cannot_be_executed_is_named() {
    let source = "orders = { source = 'state-json', path = 'state.json' }";
    let desk = desk(&format!(
        "[bots.lost]\ncommand = ['sleep', '600']\nmode = 'live'\n{source}\ncancel = {{ command = ['no-such-program'] }}\n\
         [bots.own]\ncommand = ['sleep', '600']\nmode = 'live'\n{source}\nenv = {{ PATH = 'FOLDER/bin' }}\n\
         cancel = {{ command = ['mine'] }}\n\
         [bots.alone]\ncommand = ['sleep', '600']\nmode = 'live'\n{source}\n"
    ));
    std::fs::create_dir(desk.path("bin")).expect("room");
    desk.script("bin/mine", "#!/bin/sh\n");
    let said = doctor(&desk, 5);
    expect(&said, "cancel commands", "FAIL", "lost: there is no program \"no-such-program\" on PATH");
    let (_, message) = check(&said, "cancel commands");
    assert!(!message.contains("a:") && !message.contains("own:"), "{message}");
    expect(&said, "canceling", "warn", "alone: no cancel command, so only the bot itself can cancel");
    std::fs::set_permissions(desk.path("cancel.sh"), Permissions::from_mode(0o644)).expect("ours");
    expect(&doctor(&desk, 5), "cancel commands", "FAIL", "cancel.sh is not a program that may be executed");
}

#[test]
fn a_cancel_command_is_looked_for_as_the_bots_user() {
    if !root() {
        return skipped("only root can run a bot as somebody else");
    }
    let desk = desk("user = 'nobody'\n");
    let configured = desk.read("botwarden.toml");
    let state = "state.json";
    for file in [".", state] {
        std::fs::set_permissions(desk.path(file), Permissions::from_mode(0o755)).expect("ours");
    }
    std::fs::set_permissions(desk.path("cancel.sh"), Permissions::from_mode(0o700)).expect("ours");
    assert!(configured.contains("nobody"));
    expect(&doctor(&desk, 5), "cancel commands", "FAIL", "a: ");
    std::fs::set_permissions(desk.path("cancel.sh"), Permissions::from_mode(0o755)).expect("ours");
    expect(&doctor(&desk, 0), "cancel commands", "ok", "");
}

#[test]
fn a_cluster_needs_its_file_and_its_folder() {
    let cluster = "[clusters.sweep]\ndatabase = 'cluster/x.db'\nworkers = ['a']\n";
    let mut desk = desk(cluster);
    expect(&doctor(&desk, 5), "clusters", "FAIL", "x.db: there is no such file");
    std::fs::create_dir(desk.path("cluster")).expect("room");
    desk.write("cluster/x.db", "");
    expect(&doctor(&desk, 0), "clusters", "warn", "x.db: is empty: whoever makes it has not begun");
    std::fs::remove_file(desk.path("cluster/x.db")).expect("ours");
    crate::sweep::fill(&desk, "cluster/x.db", &[("pending", None)]);
    let said = doctor(&desk, 0);
    expect(&said, "clusters", "ok", "");
    assert!(!desk.path("cluster/x.db-journal").exists(), "{said}");
    if !has("setpriv") && root() {
        return skipped("nobody else can look");
    }
    if !crate::odd_bots::by_nobody(&mut desk) {
        return;
    }
    if root() {
        assert!(can(&format!("chown -R 65534:65534 {}", desk.folder().display())));
    }
    expect(&doctor(&desk, 0), "clusters", "ok", "");
    let close = |name: &str, mode| {
        std::fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).expect("ours");
    };
    // The file may be written, and what SQLite has to make beside it may not be made.
    close("cluster", 0o500);
    expect(&doctor(&desk, 5), "clusters", "FAIL", "SQLite makes a file beside it, and its folder ");
    close("cluster", 0o700);
    close("cluster/x.db", 0o400);
    expect(&doctor(&desk, 5), "clusters", "FAIL", "x.db: is owned by nobody, who may not have it written: chmod");
}

#[test]
fn a_cluster_is_looked_at_as_the_user_of_its_bots() {
    if !root() {
        return skipped("only root can run a bot as somebody else");
    }
    let desk = desk("user = 'nobody'\n[clusters.sweep]\ndatabase = 'cluster/x.db'\nworkers = ['a']\n");
    let mode = |name: &str, mode| {
        std::fs::set_permissions(desk.path(name), Permissions::from_mode(mode)).expect("ours");
    };
    for file in [".", "state.json", "cancel.sh"] {
        mode(file, 0o755);
    }
    std::fs::create_dir(desk.path("cluster")).expect("room");
    crate::sweep::fill(&desk, "cluster/x.db", &[("running", Some("a"))]);
    mode("cluster", 0o777);
    mode("cluster/x.db", 0o644);
    let said = doctor(&desk, 5);
    let why =
        "x.db: is owned by root and may not be written by nobody: chmod or chown it, or have its bots run as root";
    expect(&said, "clusters", "FAIL", why);
    let lines = said["checks"].as_array().expect("checks").iter().filter(|check| check["name"] == "clusters").count();
    assert_eq!(lines, 1, "{said}");
    mode("cluster/x.db", 0o666);
    expect(&doctor(&desk, 0), "clusters", "ok", "");
    let change = "alter table chunks rename to pieces";
    rusqlite::Connection::open(desk.path("cluster/x.db"))
        .and_then(|database| database.execute_batch(change))
        .expect("changed");
    expect(&doctor(&desk, 5), "clusters", "FAIL", "has no table \"chunks\"; it has pieces");
}

#[test]
fn a_bot_that_may_not_be_signalled_is_named() {
    if !root() || !has("setpriv") {
        return skipped("only root can be somebody else");
    }
    let mut desk = desk("");
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    if !crate::odd_bots::by_nobody(&mut desk) {
        return;
    }
    assert!(can(&format!("chown -R 65534:65534 {}", desk.folder().display())));
    let said = doctor(&desk, 5);
    expect(&said, "users", "FAIL", &format!("a: pid {pid} runs as another user"));
    assert!(alive(pid));
}

#[test]
fn a_drill_is_due_after_a_month() {
    let desk = desk("");
    drilled(&desk, 29);
    expect(&doctor(&desk, 0), "drill", "ok", "29 days ago, by ana");
    drilled(&desk, 31);
    expect(&doctor(&desk, 0), "drill", "warn", "31 days ago: another one is due");
}

#[test]
fn a_beacon_that_somebody_sits_on_is_a_warning() {
    let desk = desk("");
    let held = beacon::hold(&Home::at(desk.home_folder().to_owned())).expect("nobody has it");
    expect(&doctor(&desk, 0), "beacon", "warn", "somebody else holds the beacon's address");
    drop(held);
    expect(&doctor(&desk, 0), "beacon", "ok", "");
}

#[test]
fn what_could_not_be_recorded_is_not_ready() {
    let desk = desk("");
    desk.run(&["start", "a"]).expect(0);
    desk.run(&["stop", "a"]).expect(0);
    expect(&doctor(&desk, 0), "records", "ok", "");
    let home = desk.home_folder();
    let fails = |what: &std::path::Path, why: &str| {
        let said = doctor(&desk, 5);
        expect(&said, "records", "FAIL", &format!("{}: {why}", what.display()));
    };
    let stops = home.join("stops");
    std::fs::rename(&stops, home.join("kept")).expect("ours");
    std::fs::write(&stops, "").expect("room");
    fails(&stops, "it is not a folder");
    std::fs::remove_file(&stops).expect("ours");
    for events in [home.join("events"), desk.bot_folder("a").join("events")] {
        let _ = std::fs::remove_file(&events);
        assert!(can(&format!("mkfifo {}", events.display())));
        fails(&events, "it is not a regular file");
        std::fs::remove_file(&events).expect("ours");
        std::fs::create_dir(&events).expect("room");
        fails(&events, "it is not a regular file");
        std::fs::remove_dir(&events).expect("ours");
    }
    expect(&doctor(&desk, 0), "records", "ok", "");
}

#[test]
fn events_that_are_a_pipe_make_no_command_wait() {
    let desk = desk("");
    assert!(can(&format!("mkfifo {}", desk.home_folder().join("events").display())));
    let done = desk.run(&["events"]);
    assert!(done.code != 0 && done.stderr.contains("it is not a regular file"), "{}", done.said());
    latch(&desk, false);
    desk.run(&["up"]).expect(75);
    let host = botwarden::who::host();
    let done = desk.run(&["estop", "reset", "--host", &host, "--reason", "x"]);
    assert!(done.code == 1 && done.stderr.contains("it is not a regular file"), "{}", done.said());
}

#[test]
fn whoever_holds_the_lock_of_the_latch_is_in_progress_with_or_without_a_beacon() {
    let desk = desk("");
    latch(&desk, false);
    let state = || desk.run(&["estop", "status", "--json"]).expect(3).json()["estop"]["state"].clone();
    assert_eq!(state(), "latched");
    let held = at_work(&desk);
    assert_eq!(state(), "in_progress");
    let text = desk.run(&["estop", "status"]).expect(3).stdout;
    assert!(text.contains("cannot be watched") && !text.contains("died"), "{text}");
    let last = desk.run(&["doctor"]).expect(3).stdout;
    assert!(last.lines().last().is_some_and(|line| line.starts_with("IN PROGRESS")), "{last}");
    let sits = beacon::hold(&Home::at(desk.home_folder().to_owned())).expect("nobody has it");
    assert_eq!(state(), "in_progress");
    drop(held);
    assert_eq!(state(), "latched");
    drop(sits);
}

#[test]
fn scripts_that_want_the_status_have_every_source_asked_once() {
    let desk = Desk::new(
        "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
         orders = { source = 'command', command = ['./orders.sh'] }\n",
    );
    desk.script("orders.sh", "#!/bin/sh\necho x >> FOLDER/asked\necho '{\"orders\":[]}'\n");
    let seen = desk.status("a");
    assert_eq!(seen["orders_active"], 0, "{seen}");
    assert_eq!(desk.read("asked"), "x\n");
    desk.run(&["status"]).expect(0);
    assert_eq!(desk.read("asked"), "x\nx\n");
}

/// The lock of the emergency stop that [`latch`] names, as whoever carries it out holds it.
pub fn at_work(desk: &Desk) -> Lock {
    let folder = desk.home_folder().join("stops").join("20261122T041512345-ab12");
    std::fs::create_dir_all(&folder).expect("room");
    Lock::take(&folder.join("lock")).expect("locks work here").expect("nobody has it")
}

/// A latch as an emergency stop makes it.
pub fn latch(desk: &Desk, drill: bool) {
    let latch = json!({
        "schema": 1, "id": "20261122T041512345-ab12", "at": "2026-11-22T04:15:12Z", "by": "ana", "tty": null,
        "reason": "gone wild", "host": "h", "drill": drill,
    });
    std::fs::write(desk.home_folder().join("estop.json"), latch.to_string()).expect("room");
}

#[test]
fn a_latch_is_told_with_who_fired_it_and_what_is_in_the_way() {
    let desk = desk("");
    latch(&desk, false);
    let text = desk.run(&["doctor"]).expect(3).stdout;
    let last = text.lines().last().unwrap_or_default();
    assert!(last.starts_with("LATCHED since ") && last.ends_with(" by ana: gone wild"), "{text}");
    doctor(&desk, 3);
    let status = desk.run(&["estop", "status", "--json"]).expect(3).json();
    let seen = &status["estop"];
    assert_eq!((&seen["state"], &seen["by"], &seen["reason"]), (&json!("latched"), &json!("ana"), &json!("gone wild")));
    assert_eq!(seen["since"], "2026-11-22T04:15:12Z");
    let problem = || {
        let seen = desk.run(&["estop", "status", "--json"]).expect(3).json()["estop"].clone();
        assert_eq!(seen["state"], "latched", "{seen}");
        seen["problems"][0].as_str().unwrap_or_default().to_owned()
    };
    // Its folder could not be made, so nobody can tell.
    assert!(problem().contains("what became of it was not recorded"), "{}", problem());
    let folder = desk.home_folder().join("stops").join("20261122T041512345-ab12");
    std::fs::write(desk.home_folder().join("stops"), "").expect("room");
    assert!(problem().contains("what became of it was not recorded"), "{}", problem());
    std::fs::remove_file(desk.home_folder().join("stops")).expect("ours");
    std::fs::create_dir_all(&folder).expect("room");
    assert!(problem().contains("'botwarden estop' carries on"), "{}", problem());
    let report = json!({
        "schema": 1, "action": "estop", "ok": true, "exit_code": 0, "at": "2026-11-22T04:15:12Z", "duration_ms": 100,
        "latched": true, "scope": null, "by": "ana", "reason": null, "bots": [], "clusters": [], "errors": [],
    });
    std::fs::write(folder.join("report.json"), report.to_string()).expect("room");
    let status = desk.run(&["estop", "status", "--json"]).expect(3).json();
    assert_eq!((&status["estop"]["problems"], &status["report"]["exit_code"]), (&json!([]), &json!(0)), "{status}");
    let text = desk.run(&["estop", "status"]).expect(3).stdout;
    assert!(text.starts_with("LATCHED since ") && text.contains("RESULT   exit code 0"), "{text}");
    let table = desk.run(&["status"]).expect(0).stdout;
    assert!(table.starts_with("LATCHED since ") && table.lines().nth(1).is_some_and(|line| line.starts_with("NAME")));
    // One that says nothing, on a full disk, counts.
    std::fs::write(desk.home_folder().join("estop.json"), "").expect("room");
    let seen = desk.run(&["estop", "status", "--json"]).expect(3).json()["estop"].clone();
    assert!(seen["since"].is_string() && seen["by"].is_null(), "{seen}");
    assert!(seen["problems"][0].as_str().is_some_and(|why| why.contains("is empty")), "{seen}");
}

/// Somebody who carries one out, as far as anybody can tell from outside.
pub fn under_way(desk: &Desk, by: &str) -> beacon::Beacon {
    let told = Overall {
        id: "x".into(),
        by: by.into(),
        reason: Some("a reason".into()),
        drill: false,
        carries_on: false,
        at: jiff::Timestamp::UNIX_EPOCH,
        elapsed_ms: 5,
        stages: Vec::new(),
        bots: Vec::new(),
        cap_ms: 10_000,
        errors: Vec::new(),
    };
    let line = format!("{}\n", json!({ "overall": told }));
    beacon::light(&Home::at(desk.home_folder().to_owned()), "overall", line.as_bytes()).expect("nobody has it")
}

#[test]
fn one_that_is_under_way_is_seen_without_a_latch_and_nobody_waits_for_its_end() {
    let desk = desk("");
    let lit = under_way(&desk, "bea");
    let status = desk.run(&["estop", "status", "--json"]).expect(3).json();
    let seen = &status["estop"];
    assert_eq!(
        (&seen["state"], &seen["by"], &seen["reason"]),
        (&json!("in_progress"), &json!("bea"), &json!("a reason"))
    );
    assert_eq!(status["report"], Value::Null);
    let text = desk.run(&["estop", "status"]).expect(3).stdout;
    assert!(text.starts_with("IN PROGRESS since ") && text.contains(" by bea: a reason"), "{text}");
    let last = desk.run(&["doctor"]).expect(3).stdout;
    assert!(last.lines().last().is_some_and(|line| line.starts_with("IN PROGRESS")), "{last}");
    assert!(desk.run(&["status"]).expect(0).stdout.starts_with("IN PROGRESS"));
    // By its latch, where there is one; a drill is called so.
    latch(&desk, true);
    let seen = desk.run(&["estop", "status", "--json"]).expect(3).json()["estop"].clone();
    assert_eq!((&seen["state"], &seen["by"], &seen["drill"]), (&json!("in_progress"), &json!("ana"), &json!(true)));
    lit.end();
}

#[test]
fn what_lives_while_latched_is_shown_with_what_owns_it() {
    let desk = desk("");
    desk.run(&["start", "a"]).expect(0);
    // On record once its keeper has looked for a latch again.
    let pid = desk.pid("a");
    assert!(!desk.status("a")["note"].as_str().expect("a note").contains("latched"));
    latch(&desk, false);
    let note = desk.status("a")["note"].as_str().expect("a note").to_owned();
    assert!(note.starts_with("lives although the emergency stop is latched"), "{note}");
    assert!(alive(pid), "to look at it ends nothing");
}
