//! What lives without a keeper comes under one as it is: an orphan, and a stray that somebody started by hand.

use std::os::unix::fs::PermissionsExt as _;

use botwarden::core::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{Desk, alive, eventually, kernel_tells_exits, skipped};
use crate::strays::{Stray, UP, desk, of, scripted, stopped, stray, stray_that_is_up, strays};

/// An entry of the report of `adopt`.
#[track_caller]
fn adopt(desk: &Desk, code: i32) -> Value {
    let done = desk.run(&["adopt", "bot", "--json"]).expect(code).json();
    assert_eq!((&done["action"], &done["exit_code"]), (&"adopt".into(), &code.into()));
    done["bots"][0].clone()
}

/// A stray that is kept now, with its number unchanged.
#[track_caller]
fn adopted(desk: &Desk) -> Stray {
    let stray = stray_that_is_up(desk);
    let entry = adopt(desk, 0);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"adopted".into(), &stray.pid().into()), "{entry}");
    let seen = desk.wait_for("bot", "running");
    assert_eq!((&seen["pid"], &seen["strays"]), (&stray.pid().into(), &json!([])));
    stray
}

fn up_to_7() -> String {
    format!("{UP}\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit(7))\nup()\n")
}

const USR1: &str = "SIGUSR1";

// Orphans.

#[test]
fn an_orphan_is_adopted_as_it_is_and_stopped() {
    let desk = desk("");
    desk.run(&["start", "bot"]).expect(0);
    let pid = desk.pid("bot");
    let first = desk.keeper("bot").pid();
    desk.kill_keeper("bot");
    assert_eq!(desk.state("bot"), "orphaned");
    let entry = adopt(&desk, 0);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"adopted".into(), &pid.into()), "{entry}");
    let seen = desk.wait_for("bot", "running");
    assert_eq!(seen["pid"], pid);
    assert_ne!(seen["keeper_pid"], first);
    assert_eq!(seen["restarts"], 0);
    let again = adopt(&desk, 0);
    assert_eq!((&again["outcome"], &again["pid"]), (&"already_running".into(), &pid.into()), "{again}");
    let (said, _) = stopped(&desk);
    assert!(said.contains(&format!("stopped bot (pid {pid}, by SIGTERM")), "{said}");
    assert!(!alive(pid));
}

#[test]
fn the_end_of_an_adopted_orphan_is_seen_and_its_policy_applies() {
    for (policy, state) in [("never", "crashed"), ("on-failure", "running")] {
        let desk = Desk::new(&format!(
            "[bots.bot]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = '{policy}'\n\
             backoff = {{ first = '10ms', give_up_after = 0 }}\n"
        ));
        desk.write("run_bot.py", &up_to_7());
        desk.run(&["start", "bot"]).expect(0);
        let pid = desk.pid("bot");
        desk.wait_for_lines("up", 1);
        desk.kill_keeper("bot");
        adopt(&desk, 0);
        desk.signal(pid, USR1.parse().expect("a signal"));
        let seen = desk.wait_until("bot", "over", |seen| seen["state"] == state && seen["pid"] != pid);
        // Its parent reaps it, and that is whoever takes what nobody has.
        if kernel_tells_exits() {
            assert_eq!(seen["last_exit"]["code"], 7, "{seen}");
        } else {
            skipped("this kernel does not tell others how a process ended");
        }
        if policy == "on-failure" {
            assert_eq!(desk.wait_for_lines("up", 2).len(), 2);
            assert_eq!(seen["restarts"], 1);
        }
        desk.run(&["stop", "bot"]).expect(0);
    }
}

#[test]
fn an_orphan_with_a_stray_beside_it_is_adopted_and_both_are_stopped() {
    let desk = desk("");
    desk.run(&["start", "bot"]).expect(0);
    let pid = desk.pid("bot");
    desk.kill_keeper("bot");
    let stray = stray(&desk);
    let entry = adopt(&desk, 0);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"adopted".into(), &pid.into()), "{entry}");
    assert_eq!(strays(&desk, "bot"), [stray.pid()]);
    assert!(stray.lives());
    let (said, _) = stopped(&desk);
    assert!(said.contains("killed 2 processes: 1 kept, 1 found by search"), "{said}");
    assert!(!alive(pid) && !stray.lives());
}

// Strays.

#[test]
fn a_stray_is_adopted_as_it_is_and_stopped_with_its_children() {
    let desk = scripted(
        "",
        &format!(
            "{UP}\nif not os.fork():\n    os.setsid()\n    if os.fork(): os._exit(0)\n    os.execlp('sleep', 'sleep', '600')\n\
             child = subprocess.Popen(['sleep', '600'])\nup()\n"
        ),
    );
    let stray = adopted(&desk);
    let record = desk.record("bot");
    assert_eq!(record.process.as_ref().map(|process| process.pid), Some(stray.pid()));
    assert!(record.stray && record.ended.is_none());
    assert_eq!((&record.cwd, record.argv.last().map(String::as_str)), (&desk.folder(), Some("run_bot.py")));
    assert!(desk.events("bot").contains(&"adopted".to_owned()));
    desk.run(&["logs", "bot"]).expect(0);
    let again = adopt(&desk, 0);
    assert_eq!((&again["outcome"], &again["pid"]), (&"already_running".into(), &stray.pid().into()), "{again}");
    let done = desk.run(&["start", "bot", "--json"]).expect(0).json();
    assert_eq!(done["bots"][0]["outcome"], "already_running");
    assert_eq!(desk.read("up").lines().count(), 1);
    let (said, report) = stopped(&desk);
    assert!(said.contains(&format!("stopped bot (pid {} and ", stray.pid())), "{said}");
    assert_eq!(of(&report, stray.pid())["found_by"], "keeper");
    assert_eq!(report["exit"]["signal"], "SIGTERM", "nobody has reaped it, so anybody may know");
    assert!(!stray.lives());
}

#[test]
fn a_stray_is_adopted_with_the_daemon_that_left_it_before() {
    let desk =
        scripted("", &format!("{UP}\nchild = subprocess.Popen(['sleep', '600'], start_new_session=True)\nup()\n"));
    let stray = adopted(&desk);
    let family = eventually("a child", || Some(stray.family()).filter(|family| family.len() == 2));
    eventually("both in the status", || (desk.status("bot")["processes"] == 2).then_some(()));
    stopped(&desk);
    assert!(family.iter().all(|pid| !alive(*pid)));
}

#[test]
fn the_end_of_an_adopted_stray_is_seen() {
    let desk = scripted("", &up_to_7());
    let stray = adopted(&desk);
    stray.signal(USR1.parse().expect("a signal"));
    let seen = desk.wait_for("bot", "crashed");
    assert_eq!(seen["last_exit"]["code"], 7, "nobody has reaped it, so anybody may know: {seen}");
    assert!(desk.record("bot").ended.is_some());
    assert!(desk.living().is_empty());
}

#[test]
fn an_adopted_stray_is_restarted_by_its_policy_as_a_bot_like_any_other() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = 'always'\n\
         backoff = { first = '10ms', give_up_after = 0 }\n",
    );
    desk.write("run_bot.py", &up_to_7());
    let stray = adopted(&desk);
    stray.signal(USR1.parse().expect("a signal"));
    let seen = desk.wait_until("bot", "a new run", |seen| seen["state"] == "running" && seen["pid"] != stray.pid());
    assert_eq!((&seen["restarts"], &seen["strays"], &seen["processes"]), (&1.into(), &json!([]), &1.into()));
    assert!(!desk.record("bot").stray);
    desk.run(&["restart", "bot"]).expect(0);
    stopped(&desk);
}

#[test]
fn a_restart_of_an_adopted_stray_runs_one_copy_of_what_is_configured() {
    let desk = scripted("", &up_to_7());
    let stray = adopted(&desk);
    desk.run(&["restart", "bot"]).expect(0);
    assert!(!stray.lives());
    let seen = desk.wait_for("bot", "running");
    assert_eq!((&seen["strays"], &seen["processes"]), (&json!([]), &1.into()));
    stopped(&desk);
}

#[test]
fn an_adopted_stray_whose_keeper_dies_is_an_orphan_and_no_second_copy_starts() {
    let desk = scripted("autostart = true", &up_to_7());
    let stray = adopted(&desk);
    desk.kill_keeper("bot");
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &stray.pid().into()), "{seen}");
    assert_eq!(seen["strays"], json!([]), "it is known already");
    let done = desk.run(&["start", "bot", "--json"]).expect(1).json();
    assert_eq!((&done["bots"][0]["outcome"], &done["bots"][0]["pid"]), (&"refused".into(), &stray.pid().into()));
    desk.run(&["up"]).expect(0);
    let seen = desk.wait_for("bot", "running");
    assert_eq!(seen["pid"], stray.pid());
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.read("up").lines().count(), 1);
    stopped(&desk);
    assert!(!stray.lives());
}

#[test]
fn an_adopted_stray_whose_keeper_died_is_stopped_by_its_run_record() {
    let desk = scripted("", &up_to_7());
    let stray = adopted(&desk);
    desk.kill_keeper("bot");
    let (said, _) = stopped(&desk);
    assert!(said.contains("killed 1 process: 1 from its run record"), "{said}");
    assert!(!stray.lives());
}

#[test]
fn an_adopted_stray_that_ended_while_it_had_no_keeper_is_at_rest() {
    let desk = scripted("", &up_to_7());
    let stray = adopted(&desk);
    desk.kill_keeper("bot");
    stray.signal(Signal::KILL);
    eventually("its end", || (!stray.lives()).then_some(()));
    let seen = desk.wait_for("bot", "crashed");
    assert_eq!(seen["strays"], json!([]));
    desk.run(&["start", "bot"]).expect(0);
    stopped(&desk);
}

#[test]
fn a_stray_beside_an_adopted_stray_is_a_stray() {
    let desk = scripted("", &up_to_7());
    let kept = adopted(&desk);
    let beside = stray_that_is_up(&desk);
    assert_eq!(strays(&desk, "bot"), [beside.pid()]);
    let entry = adopt(&desk, 1);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"refused".into(), &beside.pid().into()), "{entry}");
    let (said, _) = stopped(&desk);
    assert!(said.contains("killed 2 processes: 1 kept, 1 found by search"), "{said}");
    assert!(!kept.lives() && !beside.lives());
}

#[test]
fn a_stray_that_ignores_sigterm_is_adopted_and_survives_by_its_ladder() {
    let desk = scripted(
        "stop = [{ signal = 'SIGTERM', wait = '300ms' }]",
        &format!("{UP}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nup()\n"),
    );
    let stray = adopted(&desk);
    desk.run(&["stop", "bot"]).expect(13);
    assert!(stray.lives());
    desk.wait_for("bot", "stopping");
    desk.run(&["kill", "bot"]).expect(0);
    assert!(!stray.lives());
}

// What is refused.

#[test]
fn what_is_at_rest_cannot_be_adopted() {
    let desk = desk("");
    let entry = adopt(&desk, 1);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"refused".into(), &Value::Null), "{entry}");
    desk.run(&["start", "bot"]).expect(0);
    desk.run(&["stop", "bot"]).expect(0);
    adopt(&desk, 1);
    assert!(desk.bot_folder("bot").join("down").exists(), "a refusal changes nothing");
    desk.run(&["adopt", "nobody"]).expect(2);
}

#[test]
fn of_several_strays_none_is_adopted() {
    let desk = desk("");
    let all = [stray(&desk), stray(&desk)];
    let entry = adopt(&desk, 1);
    let message = entry["message"].as_str().expect("a sentence");
    assert!(all.iter().all(|stray| message.contains(&stray.pid().to_string())), "{message}");
    assert!(all.iter().all(Stray::lives) && desk.living().is_empty());
    stopped(&desk);
}

#[test]
fn whoever_adopts_what_may_be_anothers_says_whose_it_is() {
    let bot = "command = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = 'never'\n";
    let desk = Desk::new(&format!("[bots.bot]\n{bot}[bots.other]\n{bot}"));
    desk.write("run_bot.py", "import time\ntime.sleep(600)\n");
    let stray = stray(&desk);
    assert_eq!(strays(&desk, "other"), [stray.pid()]);
    let entry = adopt(&desk, 0);
    assert_eq!((&entry["outcome"], &entry["pid"]), (&"adopted".into(), &stray.pid().into()), "{entry}");
    assert_eq!((strays(&desk, "bot"), strays(&desk, "other")), (vec![], vec![]));
    desk.run(&["stop", "other"]).expect(0);
    assert!(stray.lives());
    stopped(&desk);
    assert!(!stray.lives());
}

#[test]
fn one_process_never_has_two_keepers() {
    let desk = Desk::new("[bots.q]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\ninstances = 2\n");
    desk.write("run_bot.py", "import time\ntime.sleep(600)\n");
    let stray = stray(&desk);
    let done = desk.run(&["adopt", "--all"]).expect(1);
    assert!(done.stderr.contains("adopt it by one name"), "{done:?}");
    assert!(stray.lives() && desk.living().is_empty());
    desk.run(&["adopt", "q@1"]).expect(0);
    assert_eq!(desk.status("q@1")["pid"], stray.pid());
    desk.run(&["adopt", "q@2"]).expect(1);
    desk.run(&["stop", "--all"]).expect(0);
    assert!(!stray.lives());
}

#[test]
fn while_latched_nothing_is_adopted() {
    let desk = desk("");
    desk.run(&["stop", "bot"]).expect(0);
    let stray = stray(&desk);
    std::fs::write(desk.home_folder().join("estop.json"), "{}").expect("latched");
    desk.run(&["adopt", "bot"]).expect(75);
    let done = desk.run(&["adopt", "bot", "--json"]).expect(75).json();
    assert_eq!(done["ok"], false);
    assert!(stray.lives() && desk.living().is_empty());
    assert!(desk.bot_folder("bot").join("down").exists());
    // A stop is never refused.
    stopped(&desk);
    assert!(!stray.lives());
}

#[test]
fn what_is_adopted_is_to_be_running() {
    let desk = desk("");
    desk.run(&["stop", "bot"]).expect(0);
    let down = desk.bot_folder("bot").join("down");
    assert!(down.exists());
    let stray = stray(&desk);
    adopt(&desk, 0);
    assert!(!down.exists());
    desk.wait_for("bot", "running");
    assert!(stray.lives());
    desk.run(&["stop", "bot"]).expect(0);
    assert!(down.exists() && !stray.lives());
}

#[test]
fn a_home_that_cannot_be_written_keeps_nothing_and_ends_nothing() {
    if crate::harness::root() {
        return skipped("root may write everywhere");
    }
    let desk = desk("");
    desk.run(&["stop", "bot"]).expect(0);
    let stray = stray(&desk);
    let folder = desk.bot_folder("bot");
    let mode = |mode| std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).expect("ours");
    mode(0o500);
    desk.run(&["adopt", "bot"]).expect(1);
    mode(0o700);
    assert!(stray.lives());
}
