//! The first word of an emergency stop: every keeper is told before anything else is done about anybody, and each bot's own
//! course goes on from there.

use serde_json::Value;

use crate::emergency::{desk, fire, part};
use crate::harness::{Desk, alive};

/// A bot that notes whenever it is told, and takes its time.
fn slow(name: &str) -> String {
    format!(
        "[bots.{name}]\ncommand = ['/bin/sh', '-c', \"trap 'echo told >> {name}-told; sleep 1; exit 7' TERM; echo up > {name}-up; while :; do sleep 0.1; done\"]\nmode = 'live'\n"
    )
}

/// Started, and past the look for a latch that follows every start.
fn start(desk: &Desk, bots: &[&str]) {
    desk.run(&[&["start", "--yes"], bots].concat()).expect(0);
    for bot in bots {
        desk.pid(bot);
    }
}

#[track_caller]
fn is_down(desk: &Desk, bot: &str) {
    let down = std::fs::read_to_string(desk.bot_folder(bot).join("down")).expect("it is not to be running");
    assert!(down.contains(&botwarden::who::asks()), "{down}");
}

#[test]
fn who_is_told_early_is_told_once_and_the_report_tells_of_it() {
    let desk =
        desk("20s", &[slow("slow"), "[bots.quick]\ncommand = ['sleep', '600']\nmode = 'live'\n".into()].concat());
    start(&desk, &["slow", "quick"]);
    desk.wait_for_lines("slow-up", 1);
    let pids = [desk.pid("slow"), desk.pid("quick")];
    let report = fire(&desk, 0);
    assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
    for (bot, pid, exit) in [("slow", pids[0], ("code", 7)), ("quick", pids[1], ("signal", 15))] {
        let seen = part(&report, bot);
        let told = &seen["processes"][0];
        assert_eq!((&seen["outcome"], &seen["pid"]), (&Value::from("stopped"), &Value::from(pid)), "{report}");
        assert_eq!((&told["pid"], &told["ended_by"]), (&Value::from(pid), &Value::from("SIGTERM")), "{report}");
        assert_eq!(seen["found_by"], serde_json::json!(["keeper"]), "{report}");
        assert!(seen["exit"][exit.0] == exit.1 || seen["exit"][exit.0] == "SIGTERM", "{report}");
        is_down(&desk, bot);
        let events = desk.events(bot);
        assert_eq!(events.iter().filter(|kind| *kind == "stopping").count(), 1, "{events:?}");
        assert!(!events.contains(&"climbed".to_owned()), "{events:?}");
    }
    assert!(part(&report, "slow")["duration_ms"].as_u64().is_some_and(|took| took >= 900), "{report}");
    assert_eq!(desk.read("slow-told"), "told\n");
}

#[test]
fn whatever_hangs_beside_it_takes_nobodys_word_away() {
    let hangs = "[bots.source]\ncommand = ['sleep', '600']\nmode = 'live'\n\
                 orders = { source = 'command', command = ['sleep', '600'], timeout = '1s' }\n\
                 [bots.keeper]\ncommand = ['sleep', '600']\nmode = 'live'\n\
                 [bots.orphan]\ncommand = ['sleep', '600']\nmode = 'live'\n";
    let desk = desk("20s", &[slow("slow"), hangs.to_owned()].concat());
    start(&desk, &["slow", "source", "keeper", "orphan"]);
    desk.wait_for_lines("slow-up", 1);
    let pids = ["slow", "source", "keeper", "orphan"].map(|bot| desk.pid(bot));
    desk.kill_keeper("orphan");
    desk.keeper("keeper").signal("SIGSTOP".parse().expect("a signal")).expect("it is ours");
    let report = fire(&desk, 14);
    assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
    for bot in ["slow", "source", "keeper", "orphan"] {
        assert_eq!(part(&report, bot)["processes"][0]["ended_by"], "SIGTERM", "{report}");
        is_down(&desk, bot);
    }
    assert_eq!(desk.read("slow-told"), "told\n");
    assert_eq!(part(&report, "source")["orders"], Value::Null, "nobody could read them: {report}");
}
