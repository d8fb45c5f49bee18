//! The drill: the whole path on bots without real money, and not a finger on those with it.

use std::process::Stdio;

use botwarden::core::signal::Signal;
use serde_json::Value;

use crate::emergency::{audited, desk, fire, part, stopper};
use crate::harness::{Desk, alive, eventually};

const MIXED: &str = "[bots.paper]\ncommand = ['sleep', '600']\nmode = 'paper'\n\
    [bots.dry]\ncommand = ['sleep', '601']\nmode = 'dry-run'\n\
    [bots.real]\ncommand = ['/bin/sh', '-c', 'echo up >> ran; exec sleep 602']\nmode = 'live'\nrestart = 'always'\nbackoff = { first = '0ms', give_up_after = 0 }\n\
    [bots.rests]\ncommand = ['sleep', '603']\nmode = 'live'\n";

fn drill(desk: &Desk, code: i32) -> Value {
    desk.run(&["estop", "--drill", "--json"]).expect(code).json()
}

fn names(report: &Value) -> Vec<String> {
    let bots = report["bots"].as_array().expect("bots");
    bots.iter().map(|bot| bot["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_drill_stops_what_has_no_real_money_and_only_lists_the_rest() {
    let desk = desk("1s", MIXED);
    desk.run(&["start", "--yes", "paper", "dry", "real"]).expect(0);
    desk.wait_for_lines("ran", 1);
    let (real, keeper) = (desk.pid("real"), desk.keeper("real"));
    let report = drill(&desk, 0);
    assert_eq!(names(&report), ["dry", "paper"], "{report}");
    assert_eq!(part(&report, "paper")["outcome"], "stopped", "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains(&format!("real: SIGTERM would be sent to pid {real}")), "{notes}");
    assert!(notes.contains("rests: nothing of it lives"), "{notes}");
    assert!(alive(real) && !keeper.has_ended());
    assert_eq!((desk.state("real").as_str(), &report["latched"]), ("running", &false.into()));
    assert!(!desk.bot_folder("real").join("down").exists() && !desk.home_folder().join("estop.json").exists());
    // Nothing is latched any more: it can be started again at once.
    desk.run(&["start", "paper"]).expect(0);
    assert_eq!(audited(&desk), ["fired", "drilled"]);
}

#[test]
fn a_drill_that_was_passed_is_dated_and_one_that_was_not_is_not() {
    let desk = desk(
        "200ms",
        "[bots.liar]\ncommand = ['PYTHON', 'liar.py']\nmode = 'paper'\norders = { source = 'state-json', path = 'state.json' }\n",
    );
    desk.write("state.json", "{\"open_orders\":{}}");
    desk.write("liar.py", "import time\ntime.sleep(600)\n");
    let dated = || desk.run(&["estop", "status", "--json"]).json()["estop"]["last_drill"].clone();
    assert_eq!(dated(), Value::Null);
    desk.run(&["start", "liar"]).expect(0);
    drill(&desk, 0);
    let first = dated();
    assert!(first["at"].as_str().is_some(), "{first}");
    desk.write("state.json", r#"{"open_orders":{"c":{"order_id":"V","product_id":"BTC-USD","side":"buy","status":"open","base_size":"1","price":"1"}}}"#);
    desk.run(&["start", "liar"]).expect(0);
    drill(&desk, 11);
    assert_eq!(dated(), first, "one that was not passed is no evidence");
    assert!(!desk.home_folder().join("estop.json").exists());
    let told = desk.run(&["events", "-n", "100"]).said();
    assert!(told.contains("passed") && told.contains("NOT passed, exit code 11"), "{told}");
}

#[test]
fn while_a_drill_is_under_way_live_bots_are_restarted_by_their_keepers_and_paper_bots_are_not() {
    let desk = desk(
        "3s",
        &format!(
            "{MIXED}[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'paper'\n"
        ),
    );
    desk.run(&["start", "--yes", "paper", "real", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    desk.wait_for_lines("ran", 1);
    let real = desk.pid("real");
    let mut fired =
        desk.command(&["estop", "--drill"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    stopper(&desk);
    eventually("the latch", || desk.home_folder().join("estop.json").exists().then_some(()));
    desk.signal(real, Signal::KILL);
    desk.wait_for_lines("ran", 2);
    desk.run(&["start", "paper"]).expect(75);
    let seen = desk.run(&["estop", "status", "--json"]).expect(3).json();
    assert_eq!(
        (seen["estop"]["state"].as_str(), &seen["estop"]["drill"]),
        (Some("in_progress"), &true.into()),
        "{seen}"
    );
    assert_eq!(fired.wait().expect("it ends").code(), Some(0));
    assert_eq!(desk.state("real"), "running");
}

#[test]
fn an_emergency_stop_does_not_join_a_drill() {
    let desk = desk(
        "2s",
        &format!(
            "{MIXED}[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'paper'\n"
        ),
    );
    desk.run(&["start", "--yes", "paper", "real", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let real = desk.pid("real");
    let mut drilled =
        desk.command(&["estop", "--drill"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    stopper(&desk);
    let report = fire(&desk, 0);
    assert_eq!(report["action"], "estop", "{report}");
    assert!(!alive(real), "{report}");
    let latch = std::fs::read_to_string(desk.home_folder().join("estop.json")).expect("it is latched");
    assert!(latch.contains("\"drill\":false"), "{latch}");
    // Whoever watched the drill hears what became of it: the real one, or that it is latched.
    let code = drilled.wait().expect("it ends").code();
    assert!([Some(0), Some(75)].contains(&code), "{code:?}");
    assert!(desk.home_folder().join("estop.json").exists() && desk.living().is_empty());
}

#[test]
fn where_it_is_latched_no_drill_is_held() {
    let desk = desk("1s", MIXED);
    fire(&desk, 0);
    let report = drill(&desk, 75);
    assert!(report["errors"].to_string().contains("latched"), "{report}");
    assert!(desk.home_folder().join("estop.json").exists());
}

#[test]
fn a_drill_whose_stopper_was_killed_is_carried_on_with_by_the_next() {
    let desk = desk(
        "1s",
        "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'paper'\n",
    );
    desk.run(&["start", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let mut fired =
        desk.command(&["estop", "--drill"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let carries_it_out = stopper(&desk);
    fired.kill().expect("it is ours");
    fired.wait().expect("it ends");
    carries_it_out.signal(Signal::KILL).expect("it is ours");
    eventually("its end", || carries_it_out.has_ended().then_some(()));
    drill(&desk, 0);
    assert!(!desk.home_folder().join("estop.json").exists() && desk.living().is_empty());
}
