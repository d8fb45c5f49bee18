//! The emergency stop of bots that have orders: canceled at once, beside the bot's own cleanup, and nobody is waited for.

use std::process::Stdio;

use serde_json::Value;

use crate::canceling::freqtrade;
use crate::emergency::{audited, fire, force_open, part};
use crate::harness::{alive, eventually};
use crate::trader::{Trader, errors, notes};

/// Its cap is short enough for a test, and long enough for a bot that ends at once.
const CAP: &str = "";

/// How many were canceled, and how many are not confirmed. How many there were before nobody waits to know: on a machine
/// that is busy a bot is told first.
#[track_caller]
fn canceled(bot: &Value) -> [u64; 2] {
    ["canceled", "unconfirmed"]
        .map(|figure| bot["orders"][figure].as_u64().unwrap_or_else(|| panic!("no {figure}: {bot}")))
}

/// Fires on a trader's desk: the bot's part of the report.
#[track_caller]
fn fire_on(trader: &Trader, code: i32) -> Value {
    let report = fire(&trader.desk, code);
    part(&report, "bot").clone()
}

#[test]
fn orders_are_canceled_while_the_bot_is_still_cleaning_up() {
    let trader = Trader::with_cancel(3, &["lingers"], &[], "10s", CAP).start();
    let pid = trader.desk.pid("bot");
    let fired = trader.desk.command(&["estop", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    trader.desk.wait_for_lines("said", 1);
    // Asked while it lives and takes its time: an ordinary stop would wait for it.
    trader.desk.wait_for_lines("asked", 1);
    assert!(alive(pid));
    trader.desk.write("leave", "");
    let done = fired.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    let bot = part(&report, "bot");
    assert_eq!((done.status.code(), canceled(bot)), (Some(0), [3, 0]), "{report}");
    assert_eq!(bot["orders"]["verified"], true, "{report}");
}

#[test]
fn a_bot_that_lies_is_not_believed_in_an_emergency_either() {
    let trader = Trader::new(2, &["says=2"], CAP).start();
    let bot = fire_on(&trader, 11);
    assert_eq!(canceled(&bot), [0, 2], "{bot}");
    assert!(errors(&bot).contains("not confirmed canceled"), "{bot}");
    // Under the latch it can be tried again; a reset is refused until somebody has looked.
    let host = botwarden::who::host();
    let reset = ["estop", "reset", "--host", &host, "--reason", "done"];
    trader.desk.run(&reset).expect(11);
    trader.desk.write("state.json", "{\"open_orders\":{}}");
    let bot = fire_on(&trader, 0);
    assert_eq!(canceled(&bot)[1], 0, "{bot}");
    trader.desk.run(&reset).expect(0);
    assert_eq!(audited(&trader.desk), ["fired", "reset refused", "fired", "reset"]);
}

#[test]
fn what_the_cancel_command_is_refused_is_named() {
    let trader = Trader::with_cancel(2, &[], &["refuse=V-2"], "6s", CAP).start();
    let bot = fire_on(&trader, 11);
    assert_eq!(canceled(&bot), [1, 1], "{bot}");
    assert!(errors(&bot).contains("V-2"), "{bot}");
}

#[test]
fn a_state_that_is_not_flushed_is_12_and_a_source_that_cannot_be_asked_is_14() {
    let trader = Trader::new(0, &["says=0", "flushed=False"], CAP).start();
    let bot = fire_on(&trader, 12);
    assert_eq!(bot["state_flushed"], false, "{bot}");
    force_open(&trader.desk);
    let trader = trader.start();
    trader.desk.wait_for_lines("up", 2);
    trader.desk.write("state.json", "{");
    let bot = fire_on(&trader, 14);
    assert_eq!(bot["orders"], Value::Null, "{bot}");
}

#[test]
fn in_dry_run_nothing_is_canceled_and_that_is_said() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "mode = 'dry-run'\n").start();
    let bot = fire_on(&trader, 0);
    assert_eq!(bot["orders"]["skipped"], 2, "{bot}");
    assert!(trader.asked().is_empty(), "{bot}");
}

#[test]
fn a_source_that_hangs_and_a_cancel_command_that_hangs_delay_no_signal() {
    let trader = Trader::with_cancel(
        1,
        &[],
        &["hang"],
        "1s",
        "orders = { source = 'command', command = ['sleep', '600'], timeout = '3s' }\n",
    );
    // The last table of a name counts in no TOML: this one has its source from here.
    let text =
        trader.desk.read("botwarden.toml").replace("orders = { source = 'state-json', path = 'state.json' }\n", "");
    trader.desk.write("botwarden.toml", &format!("{text}[bots.other]\ncommand = ['sleep', '600']\nmode = 'live'\n"));
    let trader = trader.start();
    trader.desk.run(&["start", "--yes", "other"]).expect(0);
    let pids = [trader.desk.pid("bot"), trader.desk.pid("other")];
    let mut fired = trader
        .desk
        .command(&["estop", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    for pid in pids {
        eventually("the end of it", || (!alive(pid)).then_some(()));
    }
    assert!(fired.try_wait().expect("it is ours").is_none(), "the orders are still being asked for");
    assert_eq!(fired.wait().expect("it ends").code(), Some(14));
}

#[test]
fn what_the_bot_cancels_and_what_its_command_cancels_is_counted_once() {
    let trader = Trader::with_cancel(4, &["cancels=2", "says=2"], &[], "10s", CAP).start();
    let bot = fire_on(&trader, 0);
    let [canceled, open] = canceled(&bot);
    // What the bot was quicker to cancel than anybody could count is not claimed.
    assert!((2..=4).contains(&canceled) && open == 0, "{bot}\n{}", notes(&bot));
}

#[test]
fn a_freqtrade_is_paused_and_has_its_orders_canceled_before_it_is_told() {
    let desk = freqtrade("", "s3cret", "");
    let report = fire(&desk, 0);
    assert_eq!(canceled(part(&report, "bot")), [2, 0], "{report}");
    let calls = desk.read("calls");
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!((calls.first(), calls.last()), (Some(&"POST /api/v1/pause"), Some(&"SIGTERM")), "{calls:?}");
}

#[test]
fn a_freqtrade_that_does_not_answer_is_told_by_its_signal_all_the_same() {
    let desk = freqtrade(", 'slow'", "s3cret", "");
    let pid = desk.pid("bot");
    let report = fire(&desk, 11);
    assert!(!alive(pid), "{report}");
    // Its interface would have answered in a minute.
    assert_eq!(desk.read("calls"), "SIGTERM\n");
}

#[test]
fn what_never_ran_here_has_placed_nothing_and_stands_in_nobodys_way() {
    let trader = Trader::new(1, &[], CAP);
    let bot = fire_on(&trader, 0);
    assert_eq!(
        (bot["outcome"].as_str(), &bot["orders"]),
        (Some("not_running"), &Value::Null),
        "unknown is no zero: {bot}"
    );
    assert!(notes(&bot).contains("never run"), "{bot}");
    let host = botwarden::who::host();
    trader.desk.run(&["estop", "reset", "--host", &host, "--reason", "done"]).expect(0);
    trader.desk.run(&["doctor"]).expect(0);
    // Once it has run, a file that is gone is an answer that nobody has.
    let trader = trader.start();
    trader.desk.run(&["stop", "bot"]);
    std::fs::remove_file(trader.desk.path("state.json")).expect("it is there");
    fire_on(&trader, 14);
}
