//! A graceful shutdown: what becomes of the orders and the state of a bot that is stopped, and what is said of it.

use std::time::Instant;

use botwarden::core::signal::Signal;
use serde_json::Value;

use crate::harness::{Desk, alive, eventually};
use crate::trader::{Trader, errors, figures, notes};

// The eleven cases of the original test list.

#[test]
fn in_dry_run_nothing_is_canceled_and_that_is_said() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "mode = 'dry-run'\n").start();
    let bot = trader.stop(0);
    assert_eq!((&bot["orders"]["skipped"], figures(&bot)), (&2.into(), [2, 0, 0, 0]), "{bot}");
    assert!(trader.asked().is_empty(), "nobody was asked to cancel");
    let said = trader.desk.run(&["stop", "bot"]).expect(0).said();
    assert!(said.contains("2 skipped (dry-run)"), "{said}");
}

#[test]
fn in_paper_mode_what_is_left_open_is_canceled_and_verified() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["orders"]["verified"]), ([2, 2, 0, 0], &true.into()), "{bot}");
    assert_eq!(bot["mode"], "paper");
}

#[test]
fn in_live_mode_too() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "mode = 'live'\n").start();
    assert_eq!(figures(&trader.stop(0)), [2, 2, 0, 0]);
}

#[test]
fn where_none_is_active_nobody_is_asked() {
    let trader = Trader::with_cancel(0, &["says=0", "flushes"], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["orders"]["verified"]), ([0, 0, 0, 0], &true.into()));
    assert!(trader.asked().is_empty());
}

#[test]
fn one_is_canceled() {
    let trader = Trader::with_cancel(1, &[], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!(figures(&bot), [1, 1, 0, 0]);
    assert_eq!((&bot["orders"]["results"][0]["result"], trader.asked().len()), (&"canceled".into(), 1));
}

#[test]
fn several_are_canceled_in_one_batch() {
    let trader = Trader::with_cancel(5, &[], &[], "5s", "").start();
    assert_eq!(figures(&trader.stop(0)), [5, 5, 0, 0]);
    assert_eq!(trader.asked(), [["V-1", "V-2", "V-3", "V-4", "V-5"]]);
}

#[test]
fn orders_without_an_id_of_the_venue_are_counted_apart_and_named() {
    let trader = Trader::with_cancel(2, &["nameless"], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["orders"]["without_id"]), ([2, 2, 0, 0], &2.into()), "{bot}");
    assert!(notes(&bot).contains("2 orders without an id of the venue: BTC-USD BUY 0.0500 @ 61000.00 (c-1)"), "{bot}");
}

#[test]
fn an_order_whose_cancelation_is_refused_does_not_keep_the_others() {
    let trader = Trader::with_cancel(3, &[], &["refuse=V-2"], "6s", "").start();
    let done = trader.desk.run(&["stop", "bot"]).expect(11);
    assert!(done.stdout.contains("stopped bot") && done.stdout.contains("1 NOT CONFIRMED"), "{}", done.stdout);
    let named = "not confirmed canceled: BTC-USD BUY 0.0500 @ 61000.00 (V-2), refused";
    assert!(done.stderr.contains(named) && done.stderr.contains("429 Too Many"), "{}", done.stderr);
    assert!(!done.said().contains('\x1b'), "what a venue says is made harmless");
    let bot = trader.stop(11);
    assert_eq!((figures(&bot), &bot["outcome"]), ([1, 0, 1, 1], &"not_running".into()), "it is read all the same");
}

#[test]
fn a_cancel_command_that_crashes_or_talks_nonsense_or_hangs_ends_no_stop() {
    for (word, why) in [("crash", "no such venue"), ("nonsense", "no answer"), ("hang", "did not end within")] {
        let trader = Trader::with_cancel(2, &[], &[word], "4s", "").start();
        let begun = Instant::now();
        let bot = trader.stop(11);
        assert_eq!((figures(&bot), &bot["outcome"]), ([2, 0, 2, 2], &"stopped".into()), "{word}: {bot}");
        assert!(errors(&bot).contains(why) && !errors(&bot).contains('\x1b'), "{word}: {bot}");
        assert!(trader.asked().len() >= 2, "{word}: it was tried again");
        assert!(begun.elapsed().as_secs() < 30, "the deadline bounds it");
        assert!(trader.desk.living().is_empty(), "{word}: what hangs is ended");
    }
}

#[test]
fn a_state_that_is_not_flushed_is_reported() {
    let trader = Trader::new(0, &["says=0", "flushed=False"], "").start();
    let bot = trader.stop(12);
    assert_eq!((&bot["state_flushed"], &bot["claims"]["state_flushed"]), (&false.into(), &false.into()));
    assert!(errors(&bot).contains("it says that its state was not flushed"), "{bot}");
    let trader = Trader::new(0, &["says=0"], "").start();
    let bot = trader.stop(12);
    assert_eq!((&bot["state_flushed"], &bot["claims"]["state_flushed"]), (&false.into(), &true.into()));
    assert!(errors(&bot).contains("state.json was not written"), "{bot}");
}

#[test]
fn a_bot_that_fails_in_its_shutdown_is_carried_on_with() {
    let trader = Trader::with_cancel(2, &["fails", "cancels=1", "says=1"], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["state_flushed"]), ([2, 2, 0, 0], &true.into()), "{bot}");
    assert!(notes(&bot).contains("transition RUNNING -> STOPPING failed"), "what it wrote is shown: {bot}");
}

#[test]
fn the_summary_stands_on_the_command_line_in_the_events_and_in_the_log() {
    let trader = Trader::with_cancel(3, &["cancels=1", "says=1"], &[], "5s", "").start();
    let said = trader.desk.run(&["stop", "bot"]).expect(0).stdout;
    let summary = "orders canceled 3, cancel errors 0, state flushed yes, ";
    assert!(said.contains(summary) && said.contains(", exit code 0"), "{said}");
    assert!(said.contains("it says: orders canceled 1, cancel errors 0, state flushed True"), "{said}");
    assert!(said.contains("orders seen: 3 before; 3 canceled, 0 open, verified"), "{said}");
    let log = trader.desk.logs("bot");
    let last = log.lines().last().expect("a line");
    assert!(last.contains("botwarden: stop of bot: ") && last.contains(summary), "{log}");
    let events = trader.desk.run(&["events", "--json", "bot"]).expect(0).json();
    let report = events["events"].as_array().expect("events").iter().rfind(|event| event["kind"] == "report");
    assert_eq!(report.expect("a report")["report"]["orders"]["canceled"], 3, "{events}");
}

// The four limits that its authors left.

#[test]
fn the_time_for_canceling_is_bounded() {
    let trader = Trader::with_cancel(2, &[], &["hang"], "1s", "").start();
    let report = trader.desk.run(&["stop", "--json", "bot"]).expect(11).json();
    assert!(report["duration_ms"].as_u64().is_some_and(|ms| ms < 20_000), "{report}");
}

#[test]
fn what_is_refused_is_tried_again_and_overcome() {
    let trader = Trader::with_cancel(1, &[], &["late"], "20s", "").start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["orders"]["results"][0]["attempts"]), ([1, 1, 0, 0], &4.into()), "{bot}");
    assert_eq!(trader.asked().len(), 4);
}

#[test]
fn a_batch_that_is_refused_or_hangs_is_tried_one_by_one() {
    for word in ["refuse-batch", "hang-in-batch"] {
        let trader = Trader::with_cancel(3, &[], &[word], "12s", "").start();
        assert_eq!(figures(&trader.stop(0)), [3, 3, 0, 0], "{word}");
        assert_eq!(trader.asked(), [vec!["V-1", "V-2", "V-3"], vec!["V-1"], vec!["V-2"], vec!["V-3"]], "{word}");
    }
}

#[test]
fn what_somebody_must_look_at_is_an_alert() {
    let trader = Trader::new(2, &[], "").start();
    trader.stop(11);
    let events = trader.desk.run(&["events", "--json", "bot"]).expect(0).json();
    let alert = events["events"].as_array().expect("events").iter().rfind(|event| event["kind"] == "alert").cloned();
    let alert = alert.expect("an alert");
    assert!(alert["text"].as_str().is_some_and(|text| text.contains("2 of its orders not confirmed")), "{alert}");
    assert_eq!(alert["exit_code"], 11);
}

// Claims and evidence.

#[test]
fn a_bot_that_lies_about_its_orders_is_not_believed() {
    let trader = Trader::new(2, &["says=2"], "").start();
    let done = trader.desk.run(&["stop", "bot"]).expect(11);
    assert!(done.stdout.contains("it says: orders canceled 2, cancel errors 0, state flushed True"), "{}", done.stdout);
    assert!(done.stdout.contains("0 canceled") || done.stdout.contains("2 NOT CONFIRMED, 2 open"), "{}", done.stdout);
    assert!(done.stderr.contains("it says that it canceled 2 orders, and 2 are still open"), "{}", done.stderr);
    let trader = Trader::new(2, &["says=2"], "").start();
    let bot = trader.stop(11);
    assert_eq!((figures(&bot), &bot["claims"]["orders_canceled"]), ([2, 0, 0, 2], &2.into()), "{bot}");
    assert_eq!((&bot["state_flushed"], &bot["outcome"]), (&false.into(), &"stopped".into()), "the worst code wins");
    assert_eq!(bot["orders"]["open"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_it_says_over_its_notify_socket_is_a_claim_too() {
    let trader = Trader::new(2, &["notes=2", "cancels=2"], "").start();
    let bot = trader.stop(0);
    let claims = &bot["claims"];
    assert_eq!((&claims["orders_canceled"], &claims["cancel_errors"]), (&2.into(), &0.into()), "{bot}");
    assert_eq!((&claims["state_flushed"], &bot["state_flushed"]), (&true.into(), &true.into()));
    let trader = Trader::new(2, &["notes=2"], "").start();
    let bot = trader.stop(11);
    assert!(errors(&bot).contains("it says that it canceled 2 orders, and 2 are still open"), "{bot}");
}

#[test]
fn a_bot_of_which_nothing_is_configured_is_listened_to_all_the_same() {
    let tell = "import os, signal, socket, time\ndef end(*_):\n\
                \x20   with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:\n\
                \x20       address = '\\0' + os.environ['NOTIFY_SOCKET'][1:]\n\
                \x20       out.sendto(b'X_ORDERS_CANCELED=3\\nX_STATE_FLUSHED=0', address)\n\
                \x20   os._exit(0)\nsignal.signal(signal.SIGTERM, end)\nopen('up', 'a').write('up\\n')\ntime.sleep(600)\n";
    let desk = Desk::new("[bots.bot]\ncommand = ['PYTHON', 'bot.py']\nmode = 'paper'\n");
    desk.write("bot.py", tell);
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("up", 1);
    let report = desk.run(&["stop", "--json", "bot"]).expect(12).json();
    let bot = &report["bots"][0];
    assert_eq!((&bot["claims"]["orders_canceled"], &bot["state_flushed"]), (&3.into(), &false.into()), "{report}");
    assert_eq!(bot["orders"], Value::Null);
}

#[test]
fn a_bot_that_says_nothing_has_claims_of_null_and_a_state_of_null() {
    let trader = Trader::new(1, &["cancels=1"], "").start();
    let bot = trader.stop(0);
    assert_eq!((&bot["claims"]["orders_canceled"], &bot["state_flushed"]), (&Value::Null, &Value::Null), "{bot}");
}

#[test]
fn complete_in_a_log_is_no_end() {
    let trader = Trader::new(1, &["cancels=1", "says=1", "lingers"], "").start();
    let desk = &trader.desk;
    let pid = desk.pid("bot");
    let stop =
        desk.command(&["stop", "--json", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("said", 1);
    assert_eq!(desk.state("bot"), "stopping", "it has said that it is complete, and lives");
    assert!(alive(pid));
    desk.write("leave", "");
    let output = stop.wait_with_output().expect("its end");
    let report: Value = serde_json::from_slice(&output.stdout).expect("its report");
    assert_eq!((&report["exit_code"], &report["bots"][0]["outcome"]), (&0.into(), &"stopped".into()), "{report}");
}

#[test]
fn orders_placed_during_the_stop_are_found_and_canceled() {
    let trader = Trader::with_cancel(1, &["late", "cancels=1", "says=1"], &[], "5s", "").start();
    let bot = trader.stop(0);
    assert_eq!(figures(&bot), [1, 2, 0, 0], "{bot}");
    assert_eq!(trader.asked(), [["V-90"]]);
}

#[test]
fn a_lie_is_an_error_even_if_its_orders_could_be_canceled_after_it() {
    let trader = Trader::with_cancel(2, &["says=2", "flushes"], &[], "5s", "").start();
    let bot = trader.stop(1);
    assert_eq!(figures(&bot), [2, 2, 0, 0], "{bot}");
    assert!(errors(&bot).contains("it says that it canceled 2 orders, and 2 are still open"), "{bot}");
}

#[test]
fn what_a_bot_leaves_that_has_to_be_killed_is_canceled_too() {
    let ladder = "stop = [{ signal = 'SIGTERM', wait = '300ms' }, { signal = 'SIGKILL', wait = '20s' }]\n";
    let trader = Trader::with_cancel(2, &["deaf"], &[], "5s", ladder).start();
    let bot = trader.stop(0);
    assert_eq!(figures(&bot), [2, 2, 0, 0], "{bot}");
    let trader = Trader::with_cancel(2, &[], &[], "5s", "").start();
    assert_eq!(figures(&trader.report(&["kill", "--json", "bot"], 0)), [2, 2, 0, 0]);
}

#[test]
fn a_restart_leaves_nothing_of_the_old_run_open_and_cancels_nothing_of_the_new_one() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "").start();
    let before = trader.desk.pid("bot");
    let bot = trader.report(&["restart", "--json", "bot"], 0);
    assert_eq!((figures(&bot), &bot["restarted"]), ([2, 2, 0, 0], &true.into()), "{bot}");
    trader.desk.wait_for_lines("up", 2);
    assert_ne!(trader.desk.pid("bot"), before);
    assert_eq!(trader.asked(), [["V-1", "V-2"]]);
    let open = trader.desk.run(&["orders", "--json", "bot"]).expect(0).json();
    assert_eq!(open["orders"].as_array().map(Vec::len), Some(2), "the new run has its own: {open}");
}

#[test]
fn what_orders_are_worth_is_told_by_the_run_that_placed_them() {
    let trader = Trader::with_cancel(2, &[], &["refuse=V-1", "refuse=V-2"], "2s", "mode = 'live'\n").start();
    let config = trader.desk.read("botwarden.toml").replace("mode = 'live'", "mode = 'dry-run'");
    trader.desk.configure(&config);
    for time in ["while it runs", "when it is stopped"] {
        let bot = trader.stop(11);
        assert_eq!((&bot["mode"], figures(&bot)[3]), (&"live".into(), 2), "{time}: {bot}");
    }
}

#[test]
fn orders_are_read_where_the_run_has_them_and_where_they_cannot_be_where_the_configuration_has_them() {
    let trader = Trader::new(2, &[], "").start();
    let desk = &trader.desk;
    desk.write("other.json", "{\"open_orders\":{}}");
    let config = desk.read("botwarden.toml");
    desk.configure(&config.replace("path = 'state.json'", "path = 'other.json'"));
    assert_eq!(figures(&trader.stop(11)), [2, 0, 0, 2]);
    let elsewhere = Trader::new(2, &["cancels=2"], "");
    let desk = &elsewhere.desk;
    let config = desk.read("botwarden.toml");
    desk.configure(&config.replace("path = 'state.json'", "path = 'mistyped.json'"));
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("up", 1);
    desk.configure(&config);
    let bot = elsewhere.stop(14);
    assert!(bot["orders"]["open"] == serde_json::json!([]) && errors(&bot).contains("mistyped.json"), "{bot}");
}

#[test]
fn nothing_is_started_while_what_the_last_run_left_is_canceled() {
    let trader = Trader::with_cancel(2, &[], &["late"], "60s", "").start();
    let desk = &trader.desk;
    let stop =
        desk.command(&["stop", "--json", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("asked", 1);
    let refused = desk.run(&["start", "bot"]).expect(1);
    assert!(refused.said().contains("what its last run has left open is being canceled"), "{}", refused.said());
    let report: Value = serde_json::from_slice(&stop.wait_with_output().expect("its end").stdout).expect("a report");
    assert_eq!((&report["exit_code"], figures(&report["bots"][0])), (&0.into(), [2, 2, 0, 0]));
    desk.run(&["start", "bot"]).expect(0);
}

#[test]
fn orders_that_may_be_those_of_a_bot_that_goes_on_are_left_alone() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "instances = 2\n");
    let desk = &trader.desk;
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("up", 2);
    let bot = trader.report(&["stop", "--json", "bot@1"], 11);
    assert!(errors(&bot).contains("may be those of bot@2") && trader.asked().is_empty(), "{bot}");
    let report = desk.run(&["stop", "--json", "bot"]).expect(0).json();
    assert_eq!(report["bots"].as_array().map(Vec::len), Some(2), "together: {report}");
}

#[test]
fn what_a_cancel_command_says_is_kept_without_secrets() {
    let trader = Trader::with_cancel(1, &[], &[], "2s", "env = { API_KEY = 's3cr3t-of-ana' }\n").start();
    trader.desk.write(
        "cancel.py",
        "import os, sys\nprint('{\"order_id\":\"V-1\",\"result\":\"refused\",\"message\":\"bad key ' + \
         os.environ['API_KEY'] + '\"}')\nsys.exit('key ' + os.environ['API_KEY'])\n",
    );
    let report = trader.desk.run(&["stop", "--json", "bot"]).expect(11).stdout;
    let events = trader.desk.run(&["events", "--json", "bot"]).expect(0).stdout;
    assert!(report.contains("bad key ***") && !report.contains("s3cr3t") && !events.contains("s3cr3t"), "{report}");
}

#[test]
fn a_program_that_tells_of_orders_has_the_time_that_it_is_given() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['/bin/sleep', '600']\nmode = 'paper'\n\
         orders = { source = 'command', command = ['/bin/sh', 'orders.sh'], timeout = '30s' }\n",
    );
    desk.write("orders.sh", "echo run >> runs\nsleep 3\necho '{\"orders\":[]}'\n");
    desk.run(&["start", "bot"]).expect(0);
    let report = desk.run(&["stop", "--json", "bot"]).expect(0).json();
    let orders = &report["bots"][0]["orders"];
    assert_eq!((&orders["before"], &orders["verified"]), (&Value::Null, &true.into()), "{report}");
    assert_eq!(desk.read("runs").lines().count(), 2, "once before and once after");
}

#[test]
fn protective_orders_are_kept_where_the_policy_says_so() {
    let cancel = "cancel = { command = ['PYTHON', 'cancel.py'], timeout = '5s', protective = 'keep' }\n";
    let trader = Trader::new(2, &["guard"], cancel).start();
    let bot = trader.stop(0);
    assert_eq!((figures(&bot), &bot["orders"]["kept"]), ([2, 1, 0, 0], &1.into()), "{bot}");
    assert_eq!(trader.asked(), [["V-2"]]);
}

#[test]
fn a_stopped_bot_that_left_orders_open_is_not_done_with() {
    let trader = Trader::new(2, &[], "").start();
    trader.stop(11);
    assert_eq!(figures(&trader.stop(11)), [2, 0, 0, 2]);
    trader.desk.write("state.json", "{\"open_orders\":{}}");
    assert_eq!(figures(&trader.stop(0)), [0, 0, 0, 0]);
}

#[test]
fn a_source_that_cannot_be_read_is_fourteen_and_the_bot_is_stopped() {
    let trader = Trader::with_cancel(2, &[], &[], "1s", "").start();
    trader.desk.write("state.json", "{\"open_orders\": [");
    let bot = trader.stop(14);
    assert_eq!((&bot["outcome"], &bot["orders"]), (&"stopped".into(), &Value::Null), "{bot}");
    assert!(errors(&bot).contains("its orders cannot be read") && errors(&bot).contains("state.json"), "{bot}");
}

#[test]
fn a_source_that_goes_in_the_middle_leaves_what_was_known_unconfirmed() {
    let trader = Trader::new(2, &["lingers"], "").start();
    let desk = &trader.desk;
    let stop =
        desk.command(&["stop", "--json", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("said", 1);
    std::fs::remove_file(desk.path("state.json")).expect("removed");
    desk.write("leave", "");
    let output = stop.wait_with_output().expect("its end");
    let report: Value = serde_json::from_slice(&output.stdout).expect("its report");
    let bot = &report["bots"][0];
    assert_eq!((&report["exit_code"], figures(bot)), (&11.into(), [2, 0, 0, 2]), "{report}");
    assert_eq!(bot["orders"]["verified"], false);
}

#[test]
fn a_bot_whose_orders_nobody_can_read_has_unknown_ones_and_that_is_no_failure() {
    let desk = Desk::new("[bots.bot]\ncommand = ['/bin/sleep', '600']\nmode = 'paper'\nclaims = '247trader'\n");
    desk.run(&["start", "bot"]).expect(0);
    let said = desk.run(&["stop", "bot"]).expect(0).stdout;
    assert!(said.contains("orders seen: unknown, no source of them is configured"), "{said}");
    let report = desk.run(&["stop", "--json", "bot"]).expect(0).json();
    assert_eq!(report["bots"][0]["orders"], Value::Null);
}

#[test]
fn a_stop_whose_stopper_is_killed_while_it_cancels_goes_on_with_another() {
    let trader = Trader::with_cancel(2, &[], &["refuse=V-2"], "4s", "").start();
    let desk = &trader.desk;
    let stop =
        desk.command(&["stop", "--json", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("asked", 2);
    let stopper = eventually("the stopper", || {
        let locks = std::fs::read_dir(desk.home_folder().join("stops")).ok()?.flatten();
        locks.flat_map(|stop| botwarden::process::holders(&stop.path().join("lock"))).next()
    });
    desk.signal(stopper, Signal::KILL);
    let output = stop.wait_with_output().expect("its end");
    let report: Value = serde_json::from_slice(&output.stdout).expect("its report");
    assert_eq!((&report["exit_code"], figures(&report["bots"][0])[3]), (&11.into(), 1), "{report}");
}

#[test]
fn a_command_that_is_suspended_and_hears_nothing_delays_no_stop() {
    let trader = Trader::with_cancel(60, &[], &["late"], "60s", "").start();
    let desk = &trader.desk;
    let stop =
        desk.command(&["stop", "--json", "bot"]).stdout(std::process::Stdio::piped()).spawn().expect("it executes");
    desk.wait_for_lines("asked", 1);
    desk.signal(stop.id() as i32, "SIGSTOP".parse().expect("a signal"));
    eventually("the report of a stop that nobody hears", || {
        desk.events("bot").contains(&"report".to_owned()).then_some(())
    });
    assert_eq!(desk.state("bot"), "stopped");
    desk.signal(stop.id() as i32, Signal::CONT);
    let output = stop.wait_with_output().expect("its end");
    let report: Value = serde_json::from_slice(&output.stdout).expect("its report");
    assert_eq!((&report["exit_code"], figures(&report["bots"][0])), (&0.into(), [60, 60, 0, 0]));
}
