//! Lifting the latch of an emergency stop: only on the machine that is meant, with a reason, with nothing left alive or open;
//! and nothing starts by it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use botwarden::beacon;
use botwarden::paths::Home;
use botwarden::who;
use serde_json::{Value, json};

use crate::harness::{Desk, Done, alive, can, eventually, has, root, skipped};
use crate::homes::elsewhere;
use crate::readiness::{at_work, latch, under_way};
use crate::strays::Stray;

const BOTS: &str = "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\nautostart = true\n\
                    [bots.b]\ncommand = ['sleep', '600']\nmode = 'live'\n";

fn latched(config: &str) -> Desk {
    let desk = Desk::new(config);
    desk.run(&["status"]).expect(0);
    latch(&desk, false);
    desk
}

fn is_latched(desk: &Desk) -> bool {
    desk.home_folder().join("estop.json").exists()
}

fn reset(desk: &Desk, more: &[&str]) -> Done {
    let host = who::host();
    let args: Vec<&str> = ["estop", "reset", "--json", "--host", &host, "--reason", "all is well"]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    desk.run(&args)
}

/// The report of a reset that came to this, and left the latch so.
#[track_caller]
fn report(desk: &Desk, more: &[&str], code: i32) -> Value {
    let done = reset(desk, more).expect(code);
    let report = done.json();
    assert_eq!(
        (&report["action"], &report["exit_code"], &report["ok"], &report["latched"], &report["reason"]),
        (&json!("estop reset"), &json!(code), &json!(code == 0), &json!(code != 0), &json!("all is well")),
        "{report}"
    );
    assert_eq!(is_latched(desk), code != 0);
    report
}

/// The desk's own events of this kind.
fn desk_events(desk: &Desk, kind: &str) -> Vec<Value> {
    let done = desk.run(&["events", "-n", "1000", "--json"]).expect(0).json();
    let events = done["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter(|event| event["bot"].is_null() && event["kind"] == kind).collect()
}

fn actions(desk: &Desk) -> Vec<String> {
    desk_events(desk, "estop").iter().map(|event| event["action"].as_str().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn bot<'a>(report: &'a Value, name: &str) -> &'a Value {
    let bots = report["bots"].as_array().expect("bots");
    bots.iter().find(|bot| bot["name"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

fn says(list: &Value, text: &str) -> bool {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).any(|line| line.contains(text))
}

#[test]
fn a_reset_needs_the_machines_name_and_a_reason() {
    let desk = latched(BOTS);
    let done = desk.run(&["estop", "reset", "--host", "elsewhere.example", "--reason", "x"]).expect(2);
    assert!(done.stderr.contains("is not the name of this machine ('hostname' shows it)"), "{}", done.stderr);
    assert!(!done.said().contains(&who::host()) || "elsewhere.example".contains(&who::host()), "{}", done.said());
    let host = who::host();
    for args in [
        &["--host", &host, "--reason", " "][..],
        &["--host", &host, "--reason", "x", "--waive", ""],
        &["--host", &host],
        &["--reason", "x"],
        &["--host", "", "--reason", "x"],
    ] {
        desk.run(&[&["estop", "reset"], args].concat()).expect(2);
    }
    let refused = desk.run(&["estop", "reset", "--host", "x", "--reason", "x", "--json"]).expect(2).json();
    assert_eq!((&refused["exit_code"], &refused["action"]), (&json!(2), &json!("estop reset")));
    assert!(is_latched(&desk));
    assert_eq!(actions(&desk), [""; 0]);
}

#[test]
fn what_is_not_latched_needs_no_reset() {
    let desk = Desk::new(BOTS);
    let said = report(&desk, &[], 0);
    assert_eq!(said["bots"], json!([]));
    let host = who::host();
    let text = desk.run(&["estop", "reset", "--host", &host, "--reason", "x"]).expect(0);
    assert!(text.stdout.contains("it is not latched"), "{}", text.said());
    assert_eq!(actions(&desk), [""; 0], "nothing was reset");
}

#[test]
fn a_reset_starts_nothing_and_neither_does_the_next_up() {
    let desk = latched(BOTS);
    let said = report(&desk, &[], 0);
    assert_eq!(bot(&said, "a")["outcome"], "not_running");
    assert!(says(&bot(&said, "a")["notes"], "orders are unknown"), "{said}");
    for one in ["a", "b"] {
        assert!(desk.bot_folder(one).join("down").exists(), "{one}");
    }
    desk.run(&["up"]).expect(0);
    assert!(desk.living().is_empty());
    let events = desk_events(&desk, "estop");
    let event = events.last().expect("an event");
    assert_eq!(
        (&event["action"], &event["reason"], &event["host"], &event["note"], &event["tty"]),
        (&json!("reset"), &json!("all is well"), &json!(who::host()), &Value::Null, &Value::Null),
        "{event}"
    );
    assert_eq!(event["by"], json!(who::asks()));
    // Whoever asks for a bot gets it.
    desk.run(&["start", "a"]).expect(0);
    assert_eq!(desk.state("a"), "running");
}

#[test]
fn what_a_drill_left_behind_is_reset_likewise() {
    let desk = latched(BOTS);
    latch(&desk, true);
    report(&desk, &[], 0);
    std::fs::write(desk.home_folder().join("estop.json"), "").expect("room");
    report(&desk, &[], 0);
    assert_eq!(actions(&desk), ["reset", "reset"]);
}

#[test]
fn whatever_lives_stands_in_the_way_until_that_is_waived() {
    let desk = Desk::new(BOTS);
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    latch(&desk, false);
    let said = report(&desk, &[], 13);
    let of_a = bot(&said, "a");
    assert_eq!((&of_a["outcome"], &of_a["processes"][0]["pid"]), (&json!("survived"), &json!(pid)), "{said}");
    assert!(says(&of_a["errors"], &format!("pid {pid} (sleep 600) lives")), "{said}");
    assert_eq!(bot(&said, "b")["outcome"], "not_running");
    assert_eq!(actions(&desk), ["reset refused"]);
    assert!(!desk.bot_folder("b").join("down").exists(), "nothing was done");
    let said = report(&desk, &["--waive", "it is known and harmless"], 0);
    assert!(says(&bot(&said, "a")["notes"], &format!("waived: pid {pid}")), "{said}");
    assert_eq!(actions(&desk), ["reset refused", "waived", "reset"]);
    let waived = &desk_events(&desk, "estop")[1];
    assert_eq!(waived["note"], "it is known and harmless");
    assert!(waived["text"].as_str().is_some_and(|text| text.contains(&format!("pid {pid}"))), "{waived}");
    assert!(alive(pid), "a reset ends nothing either");
}

#[test]
fn what_somebody_else_has_started_stands_in_the_way() {
    let desk = latched(
        "[bots.s]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\n[bots.b]\ncommand = ['sleep', '1']\nmode = 'live'\n",
    );
    desk.write("run_bot.py", "import time\ntime.sleep(600)\n");
    let mut command = Command::new(crate::harness::python());
    let stray = Stray::start(command.arg("run_bot.py").current_dir(desk.folder()));
    let said = eventually("the stray to be seen", || {
        let done = reset(&desk, &[]);
        (done.code == 13).then(|| done.json())
    });
    assert!(says(&bot(&said, "s")["errors"], &format!("pid {} ", stray.pid())), "{said}");
    assert_eq!(bot(&said, "s")["processes"][0]["found_by"], "search");
    assert!(is_latched(&desk) && stray.lives());
    // And is shown.
    let seen = desk.status("s");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("lives although")), "{seen}");
}

const ORDERS: &str = r#"{"open_orders": {
    "c-1": {"order_id": "V-1", "client_order_id": "c-1", "product_id": "BTC-USD", "side": "buy", "status": "open",
            "base_size": "0.05", "price": "61000.00"},
    "c-2": {"order_id": "V-2", "client_order_id": "c-2", "product_id": "ETH-USD", "side": "sell", "status": "open",
            "base_size": "1", "price": "1.00", "protective": true}
}}"#;

fn trader(mode: &str, more: &str) -> Desk {
    let desk = latched(&format!(
        "[bots.t]\ncommand = ['sleep', '600']\nmode = '{mode}'\n\
         orders = {{ source = 'state-json', path = 'state.json' }}\n{more}"
    ));
    desk.write("state.json", ORDERS);
    desk
}

#[test]
fn an_order_that_is_open_stands_in_the_way_until_that_is_waived() {
    let desk = trader("live", "cancel = { command = ['true'], protective = 'keep' }\n");
    let said = report(&desk, &[], 11);
    let orders = &bot(&said, "t")["orders"];
    assert_eq!((&orders["unconfirmed"], &orders["kept"], &orders["verified"]), (&json!(1), &json!(1), &json!(true)));
    let open = "not confirmed canceled: BTC-USD BUY 0.05 @ 61000.00 (V-1); check at the venue";
    assert!(says(&bot(&said, "t")["errors"], open), "{said}");
    let said = report(&desk, &["--waive", "canceled by hand"], 0);
    assert!(says(&bot(&said, "t")["notes"], &format!("waived: {open}")), "{said}");
    assert_eq!(actions(&desk), ["reset refused", "waived", "reset"]);
    // Where protective ones are no exception, they count.
    let desk = trader("paper", "");
    assert_eq!(bot(&report(&desk, &[], 11), "t")["orders"]["unconfirmed"], 2);
}

#[test]
fn orders_that_are_kept_by_policy_or_not_real_stand_in_nobodys_way() {
    let desk = trader("live", "cancel = { command = ['true'], protective = 'keep' }\n");
    let guard_alone = ORDERS
        .replace("\"status\": \"open\",\n            \"base_size\": \"0.05\"", "\"status\": \"filled\", \"x\": \"0\"");
    desk.write("state.json", &guard_alone);
    let said = report(&desk, &[], 0);
    assert_eq!(bot(&said, "t")["orders"]["kept"], 1, "{said}");
    let desk = trader("dry-run", "");
    let said = report(&desk, &[], 0);
    assert_eq!(bot(&said, "t")["orders"]["skipped"], 2, "{said}");
}

#[test]
fn orders_that_cannot_be_read_stand_in_the_way() {
    let desk = trader("paper", "");
    desk.write("state.json", "{");
    let said = report(&desk, &[], 14);
    assert!(says(&bot(&said, "t")["errors"], "its orders cannot be read: "), "{said}");
    assert_eq!((&bot(&said, "t")["orders"], &bot(&said, "t")["unasked"]), (&Value::Null, &json!(true)));
    report(&desk, &["--waive", "looked at the venue"], 0);
}

#[test]
fn orders_are_looked_for_where_the_last_run_had_them_too() {
    let desk = trader("paper", "");
    std::fs::remove_file(desk.home_folder().join("estop.json")).expect("it is there");
    desk.run(&["start", "t"]).expect(0);
    desk.run(&["kill", "t"]);
    desk.configure(
        "[bots.t]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
         orders = { source = 'state-json', path = 'other.json' }\n",
    );
    desk.write("other.json", "{\"open_orders\": {}}");
    latch(&desk, false);
    assert_eq!(bot(&report(&desk, &[], 11), "t")["orders"]["unconfirmed"], 2);
    desk.write("state.json", "{\"open_orders\": {}}");
    report(&desk, &[], 0);
}

#[test]
fn one_that_is_under_way_is_not_reset() {
    let desk = latched(BOTS);
    let lit = under_way(&desk, "bea");
    let said = report(&desk, &[], 10);
    assert!(says(&said["errors"], "is being carried out"), "{said}");
    report(&desk, &["--waive", "no"], 10);
    assert_eq!(actions(&desk), ["reset refused", "reset refused"]);
    lit.end();
}

#[test]
fn whoever_holds_the_lock_is_at_work_whatever_became_of_his_beacon() {
    let desk = latched(BOTS);
    let held = at_work(&desk);
    let said = report(&desk, &["--waive", "no"], 10);
    assert!(says(&said["errors"], "is being carried out"), "{said}");
    let sits = beacon::hold(&Home::at(desk.home_folder().to_owned())).expect("nobody has it");
    report(&desk, &["--waive", "no"], 10);
    drop((held, sits));
    report(&desk, &[], 0);
}

#[test]
fn where_nobody_knows_which_bots_there_are_that_stands_in_the_way_until_it_is_waived() {
    let desk = latched(
        "[bots.s]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\n[bots.b]\ncommand = ['sleep', '1']\nmode = 'live'\n",
    );
    desk.write("run_bot.py", "import time\ntime.sleep(600)\n");
    let mut command = Command::new(crate::harness::python());
    let stray = Stray::start(command.arg("run_bot.py").current_dir(desk.folder()));
    desk.configure("[bots.s]\nmode = 'papre'\n");
    let last_good = desk.home_folder().join("last-good.toml");
    std::fs::write(&last_good, "{").expect("room");
    let said = report(&desk, &[], 14);
    assert!(says(&said["errors"], "which bots there are, what may live of them and where their orders are"), "{said}");
    std::fs::remove_file(&last_good).expect("it was there");
    report(&desk, &[], 14);
    assert_eq!(actions(&desk), ["reset refused", "reset refused"]);
    let said = report(&desk, &["--waive", "looked for by hand"], 0);
    assert!(says(&said["errors"], "waived: the configuration cannot be read"), "{said}");
    assert!(stray.lives());
}

#[test]
fn where_nothing_was_ever_configured_or_has_run_nothing_is_missing() {
    let desk = Desk::new("");
    let home = desk.home_folder();
    std::fs::create_dir_all(home.join("bots")).expect("room");
    let host = who::host();
    let code = || {
        latch(&desk, false);
        let mut command = desk.command(&["estop", "reset", "--host", &host, "--reason", "x"]);
        crate::harness::finish(command.env_remove("BOTWARDEN_CONFIG").current_dir("/")).code
    };
    assert_eq!(code(), 0);
    std::fs::write(home.join("last-good.toml"), "{").expect("room");
    assert_eq!(code(), 14);
    std::fs::remove_file(home.join("last-good.toml")).expect("ours");
    std::fs::create_dir_all(desk.bot_folder("old")).expect("room");
    assert_eq!(code(), 14);
}

#[test]
fn where_nobody_can_say_who_has_run_something_may_live() {
    let desk = latched(BOTS);
    let bots = desk.home_folder().join("bots");
    std::fs::remove_dir_all(&bots).expect("ours");
    std::fs::write(&bots, "").expect("room");
    let said = report(&desk, &[], 13);
    assert!(says(&said["errors"], "who has run, and may live, is not known"), "{said}");
    assert!(desk.read("home/events").contains("reset refused"), "{said}");
}

#[test]
fn of_two_resets_at_once_the_second_says_that_it_is_lifted_already() {
    let desk = latched(
        "[bots.t]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
         orders = { source = 'command', command = ['./orders.sh'] }\n",
    );
    assert!(can(&format!("mkfifo {}", desk.path("gate").display())));
    desk.script("orders.sh", "#!/bin/sh\ntouch FOLDER/looks\nread line < FOLDER/gate\necho '{\"orders\":[]}'\n");
    let host = who::host();
    for json in [true, false] {
        latch(&desk, false);
        let args = ["estop", "reset", "--host", &host, "--reason", "x"];
        let args: Vec<&str> = args.into_iter().chain(json.then_some("--json")).collect();
        let second = desk.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it executes");
        eventually("the second to look", || desk.path("looks").exists().then_some(()));
        std::fs::remove_file(desk.home_folder().join("estop.json")).expect("the first lifts it");
        std::fs::remove_file(desk.path("looks")).expect("it is there");
        std::fs::write(desk.path("gate"), "\n").expect("whoever looks reads it");
        let output = second.wait_with_output().expect("its end");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("not latched any more") && !said.contains("RESET: "), "{said}");
    }
    assert!(!actions(&desk).contains(&"reset".to_owned()));
}

#[test]
fn whoever_sits_on_the_beacon_and_says_nothing_keeps_nobody_from_a_reset() {
    let desk = latched(BOTS);
    let held = beacon::hold(&Home::at(desk.home_folder().to_owned())).expect("nobody has it");
    report(&desk, &[], 0);
    drop(held);
}

#[test]
fn whoever_may_not_enter_the_home_is_told_so() {
    if !root() || !has("setpriv") {
        return skipped("only root can be somebody else");
    }
    let desk = latched(BOTS);
    std::fs::set_permissions(desk.folder(), Permissions::from_mode(0o755)).expect("ours");
    let by_nobody = |line: &str| {
        desk.shell(&format!("exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$BOTWARDEN\" {line}"))
    };
    if by_nobody("--version").code != 0 {
        return skipped("nobody else can execute the binary here");
    }
    let host = who::host();
    for line in [format!("estop reset --host {host} --reason x --waive x"), "start a".into(), "up".into()] {
        let done = by_nobody(&line).expect(77);
        assert!(done.stderr.contains("permission denied"), "{}", done.stderr);
    }
    assert!(is_latched(&desk) && desk.living().is_empty());
    // One that may be looked at, and not be written.
    assert!(can(&format!("chmod -R a+rX {}", desk.home_folder().display())));
}

#[test]
fn a_latch_on_a_read_only_disk_stays() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = latched(BOTS);
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let line = format!("exec \"$BOTWARDEN\" estop reset --json --host {} --reason x", who::host());
    let done = elsewhere(&desk, read_only, &line);
    assert_eq!(done.code, 1, "{}", done.said());
    assert_eq!(done.json()["latched"], true, "{}", done.said());
    assert!(done.stderr.contains("read-only"), "{}", done.stderr);
    assert!(is_latched(&desk));
}

#[test]
fn a_start_that_the_latch_stood_against_is_remembered() {
    let desk = latched(BOTS);
    desk.run(&["start", "a"]).expect(75);
    desk.run(&["restart", "a"]).expect(75);
    desk.run(&["adopt", "a"]).expect(75);
    let done = desk.run(&["events", "-n", "10", "--json", "a"]).expect(0).json();
    let events = done["events"].as_array().expect("events");
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event["kind"].as_str(), event["action"].as_str(), event["by"].as_str().map(str::to_owned)))
        .collect();
    let by = Some(who::asks());
    let refused = |action| (Some("refused"), Some(action), by.clone());
    assert_eq!(seen, [refused("start"), refused("restart"), refused("adopt")]);
    assert!(events.iter().all(|event| event.get("tty").is_some()), "{done}");
    assert!(!desk.bot_folder("b").exists(), "whoever was not named has nothing to tell");
    // A timer asks every minute.
    for _ in 0..3 {
        desk.run(&["up"]).expect(75);
    }
    let ups = desk_events(&desk, "refused");
    assert_eq!((ups.len(), &ups[0]["action"]), (1, &json!("up")), "{ups:?}");
    report(&desk, &[], 0);
    latch(&desk, false);
    desk.run(&["up"]).expect(75);
    assert_eq!(desk_events(&desk, "refused").len(), 2, "another time is another refusal");
}
