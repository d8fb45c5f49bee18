//! Every stop is carried out by a process of its own: whoever else dies meanwhile, it goes on, and it says the truth.
//! What is broken around a bot does not keep it from being stopped, and a restart never runs two.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};
use serde_json::Value;

use crate::harness::{Desk, alive, can, eventually, has, root, skipped};
use crate::homes::elsewhere;
use crate::odd_bots::by_nobody;
use crate::stops::{LIB_PY, bot, told_once, up};

const SLEEPER: &str = "command = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n";
const STUBBORN: &str = "signal.signal(signal.SIGTERM, lambda *_: say('main', 'told'))\nsay('main', f'up {os.getpid()}')\n\
     while True: time.sleep(1)\n";

fn begin(desk: &Desk, args: &[&str]) -> Child {
    desk.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it executes")
}

fn end(child: Child) -> (i32, String, String) {
    let Output { status, stdout, stderr } = child.wait_with_output().expect("its end");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code().unwrap_or_else(|| 1000 + status.signal().unwrap_or_default()), text(&stdout), text(&stderr))
}

/// The folders of `stops/`.
fn stops(desk: &Desk) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(desk.home_folder().join("stops")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// The stoppers that are at work, by the locks that they hold.
fn stoppers(desk: &Desk) -> Vec<Held> {
    let me = std::process::id() as i32;
    let pids: Vec<i32> = stops(desk).iter().flat_map(|folder| process::holders(&folder.join("lock"))).collect();
    let living = pids.into_iter().filter(|pid| *pid != me && alive(*pid));
    living.filter_map(|pid| process::identify(pid).and_then(|id| Held::open(&id))).collect()
}

#[track_caller]
fn stopper(desk: &Desk) -> Held {
    let held = eventually("a stopper at work", || stoppers(desk).pop());
    assert!(process::arguments(held.pid()).contains(&"stopper".to_owned()));
    held
}

#[track_caller]
fn kill(held: &Held) {
    held.signal(Signal::KILL).expect("it is ours");
    assert!(held.wait(std::time::Duration::from_mins(1)));
}

/// The reports in a bot's events.
#[track_caller]
fn reports(desk: &Desk, bot: &str) -> Vec<Value> {
    let done = desk.run(&["events", "-n", "1000", "--json", bot]).expect(0).json();
    let events = done["events"].as_array().cloned().unwrap_or_default();
    events.into_iter().filter(|event| event["kind"] == "report").collect()
}

/// Whole reports of stops that are over.
fn kept(desk: &Desk) -> Vec<Value> {
    let files = stops(desk).into_iter().map(|folder| folder.join("report.json"));
    files.filter_map(|file| serde_json::from_slice(&std::fs::read(file).ok()?).ok()).collect()
}

/// Every process that was found is in the report, with what ended it.
#[track_caller]
fn names(report: &Value, pids: &[i32]) {
    for pid in pids {
        let seen = report["processes"].as_array().into_iter().flatten().find(|process| process["pid"] == *pid);
        let seen = seen.unwrap_or_else(|| panic!("no {pid} in {report}"));
        assert_eq!(seen["ended_by"], "SIGTERM", "{report}");
        assert!(seen["command"].as_str().is_some_and(|command| command.contains("sleep 600")), "{report}");
    }
}

#[test]
fn a_report_names_what_ended_at_once_without_its_keeper_too() {
    for (record, round) in [true, false].into_iter().flat_map(|record| (0..5).map(move |round| (record, round))) {
        let desk = Desk::new(
            "[bots.bot]\ncommand = ['/bin/sh', '-c', 'sleep 600 & echo $! >up; exec sleep 600']\nmode = 'paper'\n\
             restart = 'never'\n",
        );
        desk.run(&["start", "bot"]).expect(0);
        let child: i32 = desk.wait_for_lines("up", 1)[0].parse().expect("a process");
        let pid = desk.pid("bot");
        eventually("its main process", || process::command_line(pid).starts_with("sleep").then_some(()));
        desk.kill_keeper("bot");
        if !record {
            std::fs::remove_file(desk.bot_folder("bot").join("run.json")).expect("it is there");
        }
        let report = desk.run(&["stop", "bot", "--json"]).expect(0).json();
        let seen = &report["bots"][0];
        assert_eq!(seen["outcome"], "stopped", "{report}");
        assert!([pid, child].iter().any(|pid| seen["pid"] == *pid), "round {round}, record {record}: {report}");
        names(seen, &[pid, child]);
        let tier = if record { "pid_file" } else { "search" };
        assert!(seen["found_by"].as_array().is_some_and(|tiers| tiers.contains(&tier.into())), "{report}");
    }
}

/// Nothing lives, it is down, and what became of it is on record.
#[track_caller]
fn ended(desk: &Desk) {
    eventually("its report", || reports(desk, "bot").pop());
    eventually("the end of the stoppers", || stoppers(desk).is_empty().then_some(()));
    assert_eq!(desk.state("bot"), "stopped");
    assert!(desk.bot_folder("bot").join("down").exists());
    assert!(desk.living().is_empty());
    let kept = kept(desk);
    let last = kept.last().expect("a whole report");
    assert_eq!((&last["exit_code"], &last["bots"][0]["outcome"]), (&0.into(), &"stopped".into()), "{last}");
}

#[test]
fn a_stop_goes_on_when_the_command_is_killed() {
    let desk = bot("worker('main', 1.0)\n", "");
    let pid = up(&desk, "main");
    let mut command = begin(&desk, &["stop", "bot"]);
    desk.wait_for_lines("main", 2);
    command.kill().expect("it is ours");
    assert_eq!(end(command).0, 1009);
    desk.wait_for("bot", "stopped");
    assert!(!alive(pid));
    ended(&desk);
    told_once(&desk, "main");
}

#[test]
fn a_command_killed_at_any_moment_leaves_a_stop_that_is_begun_or_not_and_nothing_between() {
    let desk = bot("worker('main', 0.1)\n", "");
    for round in 0..12_u64 {
        desk.run(&["start", "bot"]).expect(0);
        let pid = up(&desk, "main");
        let mut command = begin(&desk, &["stop", "bot"]);
        // Not to make the test right, but to come at ever other moments.
        std::thread::sleep(std::time::Duration::from_millis(round * 4));
        let _ = command.kill();
        end(command);
        let done = desk.run(&["stop", "bot"]).expect(0);
        assert!(!alive(pid), "round {round}: {}", done.said());
        assert!(desk.living().is_empty(), "round {round}");
        told_once(&desk, "main");
        std::fs::remove_file(desk.path("main")).expect("it is there");
    }
}

#[test]
fn ctrl_c_leaves_the_stop_to_go_on_and_says_so() {
    for json in [false, true] {
        let desk = bot("worker('main', 1.0)\n", "");
        up(&desk, "main");
        let args: &[&str] = if json { &["stop", "bot", "--json"] } else { &["stop", "bot"] };
        let command = begin(&desk, args);
        desk.wait_for_lines("main", 2);
        desk.signal(command.id() as i32, "SIGINT".parse().expect("a signal"));
        let (code, stdout, stderr) = end(command);
        assert_eq!(code, 10, "{stdout}{stderr}");
        assert!(stderr.contains("goes on"), "{stderr}");
        if json {
            let object: Value = serde_json::from_str(&stdout).expect("one object");
            assert_eq!((&object["exit_code"], &object["ok"]), (&10.into(), &false.into()), "{object}");
        }
        desk.wait_for("bot", "stopped");
        ended(&desk);
        told_once(&desk, "main");
    }
}

#[test]
fn when_the_stopper_is_killed_the_command_carries_on_with_another() {
    let desk = bot("worker('main', 1.5)\n", "");
    let pid = up(&desk, "main");
    let command = begin(&desk, &["stop", "bot", "--json"]);
    desk.wait_for_lines("main", 2);
    let first = stopper(&desk);
    kill(&first);
    let second = stopper(&desk);
    assert_ne!(first.pid(), second.pid());
    let (code, stdout, stderr) = end(command);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("one object");
    let seen = &report["bots"][0];
    assert_eq!((&seen["outcome"], &seen["pid"]), (&"stopped".into(), &pid.into()), "{report}");
    assert_eq!(seen["exit"]["code"], 0, "{report}");
    ended(&desk);
    told_once(&desk, "main");
}

#[test]
fn when_every_stopper_is_killed_the_command_does_it_by_itself() {
    let desk = bot("worker('main', 2.0)\n", "");
    up(&desk, "main");
    let mut command = begin(&desk, &["stop", "bot"]);
    desk.wait_for_lines("main", 2);
    let mut killed = 0;
    while command.try_wait().expect("it is ours").is_none() {
        for held in stoppers(&desk).into_iter().filter(|held| held.pid() != command.id() as i32) {
            kill(&held);
            killed += 1;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(killed, 3);
    let (code, stdout, stderr) = end(command);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("stopped bot"), "{stdout}");
    assert_eq!(desk.state("bot"), "stopped");
    assert!(desk.living().is_empty());
    told_once(&desk, "main");
}

#[test]
fn when_keeper_stopper_and_command_are_killed_a_second_stop_finishes_and_nobody_is_told_twice() {
    let desk = bot(
        "for name in ('a', 'b'):\n    if not os.fork():\n        os.setsid()\n        worker(name, 3.0)\nworker('main', 3.0)\n",
        "",
    );
    let files = ["main", "a", "b"];
    let pids = files.map(|file| up(&desk, file));
    let mut command = begin(&desk, &["stop", "bot"]);
    desk.wait_for_lines("main", 2);
    // Whoever comes next knows from it who was told.
    eventually("its event", || desk.events("bot").contains(&"stopping".to_owned()).then_some(()));
    let (stopper, keeper) = (stopper(&desk), desk.keeper("bot"));
    command.kill().expect("it is ours");
    end(command);
    kill(&stopper);
    kill(&keeper);
    let state = desk.state("bot");
    assert!(state == "orphaned" || pids.iter().all(|pid| !alive(*pid)), "{state}");
    desk.run(&["stop", "bot"]).expect(0);
    assert!(pids.iter().all(|pid| !alive(*pid)));
    ended(&desk);
    told_once(&desk, "main");
    for file in ["a", "b"] {
        let told = desk.read(file).lines().filter(|line| *line == "told").count();
        assert!(told <= 1, "{file} was told {told} times");
    }
}

#[test]
fn a_keeper_killed_in_the_middle_again_and_again_does_not_end_a_stop() {
    let desk = bot("worker('main', 2.0)\n", "");
    let pid = up(&desk, "main");
    let command = begin(&desk, &["stop", "bot"]);
    desk.wait_for_lines("main", 2);
    eventually("its event", || desk.events("bot").contains(&"stopping".to_owned()).then_some(()));
    for _ in 0..3 {
        let keeper = desk.keeper("bot");
        kill(&keeper);
        eventually("another keeper, or the end", || {
            let next = desk.record("bot").keeper.and_then(|id| Held::open(&id));
            (!alive(pid) || next.is_some_and(|next| next.pid() != keeper.pid())).then_some(())
        });
        if !alive(pid) {
            break;
        }
    }
    let (code, stdout, stderr) = end(command);
    assert_eq!(code, 0, "{stdout}{stderr}");
    ended(&desk);
    told_once(&desk, "main");
}

#[test]
fn a_second_stop_joins_the_first_and_both_say_the_same() {
    let desk = bot("worker('main', 1.0)\n", "");
    let pid = up(&desk, "main");
    let first = begin(&desk, &["stop", "bot", "--json"]);
    desk.wait_for_lines("main", 2);
    let second = begin(&desk, &["stop", "bot", "--json"]);
    for command in [first, second] {
        let (code, stdout, stderr) = end(command);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("one object");
        let seen = &report["bots"][0];
        assert_eq!((&seen["outcome"], &seen["pid"]), (&"stopped".into(), &pid.into()), "{report}");
        assert_eq!((&seen["exit"]["code"], &seen["exit"]["signal"]), (&0.into(), &Value::Null), "{report}");
        assert_eq!(seen["processes"][0]["ended_by"], "SIGTERM", "{report}");
    }
    told_once(&desk, "main");
    ended(&desk);
}

#[test]
fn a_kill_during_a_stop_is_a_kill_at_once_and_both_commands_are_told() {
    let desk = bot(STUBBORN, "stop = [{ signal = 'SIGTERM', wait = '1h' }, { signal = 'SIGKILL', wait = '30s' }]");
    let pid = up(&desk, "main");
    let stop = begin(&desk, &["stop", "bot", "--json"]);
    desk.wait_for_lines("main", 2);
    let kill = begin(&desk, &["kill", "bot", "--json"]);
    for command in [stop, kill] {
        let (code, stdout, stderr) = end(command);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let report: Value = serde_json::from_str(&stdout).expect("one object");
        let seen = &report["bots"][0];
        assert_eq!(seen["exit"]["signal"], "SIGKILL", "{report}");
        assert_eq!(seen["processes"][0]["ended_by"], "SIGKILL", "{report}");
    }
    assert!(!alive(pid));
    assert_eq!(desk.read("main").lines().filter(|line| *line == "told").count(), 1);
    ended(&desk);
}

#[test]
fn a_slow_bot_delays_nobody() {
    let fast = (0..5).map(|number| format!("[bots.fast{number}]\n{SLEEPER}")).collect::<Vec<_>>().concat();
    let desk = Desk::new(&format!(
        "[bots.a-slow]\ncommand = ['PYTHON', '-S', 'slow.py']\nmode = 'paper'\nrestart = 'never'\n\
         stop = [{{ signal = 'SIGTERM', wait = '1h' }}]\n{fast}"
    ));
    desk.write(
        "slow.py",
        "import os, signal, time\nsignal.signal(signal.SIGTERM, lambda *_: open('told', 'a').write('told\\n'))\n\
         open('up', 'w').write('up\\n')\nwhile not os.path.exists('go'): time.sleep(0.005)\n",
    );
    desk.run(&["start", "--all"]).expect(0);
    desk.wait_for_lines("up", 1);
    let slow = desk.pid("a-slow");
    let mut command = begin(&desk, &["stop", "--all"]);
    let mut lines = BufReader::new(command.stdout.take().expect("its words")).lines();
    let names: BTreeSet<String> = (0..5).map(|number| format!("fast{number}")).collect();
    let mut said = BTreeSet::new();
    // One line a bot, as it ends: all of these come while the slow one lives, or this waits for ever.
    while said.len() < names.len() {
        let line = lines.next().expect("another line").expect("words");
        if line.starts_with("  ") {
            // What there is to say of a bot beside that.
            continue;
        }
        let name = line.strip_prefix("stopped ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
        said.insert(name.unwrap_or_else(|| panic!("{line}")));
    }
    assert_eq!(said, names);
    assert!(alive(slow));
    for name in &names {
        assert_eq!(reports(&desk, name).len(), 1, "{name}");
        assert_eq!(desk.state(name), "stopped");
    }
    assert_eq!(desk.state("a-slow"), "stopping");
    assert!(reports(&desk, "a-slow").is_empty());
    assert!(kept(&desk).is_empty(), "the whole is not over");
    desk.write("go", "");
    let rest: Vec<String> = lines.map_while(Result::ok).filter(|line| !line.starts_with("  ")).collect();
    assert!(rest.len() == 1 && rest[0].starts_with("stopped a-slow (pid "), "{rest:?}");
    assert_eq!(end(command).0, 0);
    assert_eq!(desk.read("told"), "told\n");
    assert!(desk.living().is_empty());
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

/// What the contract says of a bot's part.
#[track_caller]
fn is_a_bots_report(report: &Value) {
    for key in [
        "name",
        "mode",
        "outcome",
        "restarted",
        "found_by",
        "processes",
        "exit",
        "orders",
        "claims",
        "state_flushed",
        "errors",
        "notes",
    ] {
        assert!(keys(report).contains(&key), "no {key} in {report}");
    }
    for process in report["processes"].as_array().expect("a list") {
        for key in ["pid", "command", "found_by", "ended_by"] {
            assert!(keys(process).contains(&key), "no {key} in {process}");
        }
    }
    assert_eq!(keys(&report["claims"]).len(), 3, "{report}");
}

#[test]
fn the_object_of_a_stop_is_one_and_its_figures_make_sense() {
    let desk = Desk::new(&format!(
        "[bots.clean]\ncommand = ['PYTHON', '-S', 'clean.py']\nmode = 'dry-run'\nrestart = 'never'\n\
         [bots.sleeper]\n{SLEEPER}[bots.resting]\n{SLEEPER}"
    ));
    desk.write("lib.py", LIB_PY);
    desk.write("clean.py", "from lib import *\nworker('main', 0.5)\n");
    desk.run(&["start", "clean", "sleeper"]).expect(0);
    let pids = [up(&desk, "main"), desk.pid("sleeper")];
    let report = desk.run(&["stop", "--all", "--json"]).expect(0).json();
    for key in [
        "schema",
        "action",
        "ok",
        "exit_code",
        "at",
        "duration_ms",
        "latched",
        "scope",
        "by",
        "reason",
        "bots",
        "clusters",
        "errors",
    ] {
        assert!(keys(&report).contains(&key), "no {key} in {report}");
    }
    assert_eq!((&report["schema"], &report["action"], &report["ok"]), (&1.into(), &"stop".into(), &true.into()));
    let whole = report["duration_ms"].as_u64().expect("a number");
    let part = |name: &str| {
        let bots = report["bots"].as_array().expect("a list");
        bots.iter().find(|bot| bot["name"] == name).cloned().expect("its part")
    };
    for name in ["clean", "sleeper", "resting"] {
        is_a_bots_report(&part(name));
        assert!(part(name)["duration_ms"].as_u64().is_some_and(|took| took <= whole), "{report}");
    }
    assert!(part("clean")["duration_ms"].as_u64().is_some_and(|took| took >= 500), "{report}");
    assert_eq!((&part("clean")["pid"], &part("sleeper")["pid"]), (&pids[0].into(), &pids[1].into()));
    assert_eq!(part("clean")["exit"], serde_json::json!({ "code": 0, "signal": null }));
    assert_eq!(part("sleeper")["exit"], serde_json::json!({ "code": null, "signal": "SIGTERM" }));
    assert_eq!((&part("clean")["mode"], &part("sleeper")["mode"]), (&"dry-run".into(), &"paper".into()));
    assert_eq!((&part("resting")["outcome"], &part("resting")["pid"]), (&"not_running".into(), &Value::Null));
    assert_eq!(part("resting")["processes"], serde_json::json!([]));
    assert_eq!(part("clean")["found_by"], serde_json::json!(["keeper"]));
}

#[test]
fn the_events_tell_what_became_of_each_stop() {
    let desk = Desk::new(&format!("[bots.one]\n{SLEEPER}[bots.two]\n{SLEEPER}"));
    desk.run(&["start", "--all"]).expect(0);
    let pid = desk.pid("one");
    let report = desk.run(&["stop", "one", "--json"]).expect(0).json();
    let text = desk.run(&["events", "one"]).expect(0).stdout;
    let line = text.lines().find(|line| line.contains("  report  ")).unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains(&format!("stopped one (pid {pid}")), "{line}");
    let found = reports(&desk, "one");
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["bot"], &found[0]["action"]), (&"one".into(), &"stop".into()));
    assert_eq!(found[0]["exit_code"], 0);
    is_a_bots_report(&found[0]["report"]);
    assert_eq!(found[0]["report"], report["bots"][0], "what was printed is what is kept");
    assert!(found[0]["stop"].as_str().is_some_and(|id| desk.home_folder().join("stops").join(id).is_dir()));
    desk.run(&["start", "one"]).expect(0);
    desk.run(&["restart", "one"]).expect(0);
    desk.run(&["kill", "--all"]).expect(0);
    let actions: Vec<Value> = reports(&desk, "one").iter().map(|event| event["action"].clone()).collect();
    assert_eq!(actions, ["stop", "restart", "kill"]);
    let whole = desk.run(&["events", "-n", "100", "--json"]).expect(0).json();
    let events = whole["events"].as_array().expect("a list");
    let of_all = events.iter().find(|event| event["bot"].is_null() && event["kind"] == "report");
    let of_all = of_all.unwrap_or_else(|| panic!("{whole}"));
    assert_eq!((&of_all["action"], &of_all["bots"]), (&"kill".into(), &serde_json::json!(["one", "two"])));
}

#[test]
fn a_stop_of_a_group_stops_the_group() {
    let desk = Desk::new(&format!(
        "[bots.a]\ngroups = ['x']\n{SLEEPER}[bots.b]\ngroups = ['x', 'y']\n{SLEEPER}[bots.c]\ngroups = ['y']\n{SLEEPER}"
    ));
    desk.run(&["start", "--all"]).expect(0);
    let report = desk.run(&["stop", "--group", "x", "--json"]).expect(0).json();
    assert_eq!(report["bots"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!([desk.state("a"), desk.state("b"), desk.state("c")], ["stopped", "stopped", "running"]);
    desk.run(&["stop", "--group", "y"]).expect(0);
    assert!(desk.living().is_empty());
    desk.run(&["stop", "--group", "z"]).expect(2);
}

#[test]
fn a_hundred_finished_stops_are_kept_and_no_more() {
    let desk = Desk::new(&format!("[bots.bot]\n{SLEEPER}"));
    let stop = |_| {
        desk.run(&["stop", "bot"]).expect(0);
    };
    (0..1).for_each(stop);
    let first = stops(&desk);
    (0..107).for_each(stop);
    eventually("the end of the stoppers", || stoppers(&desk).is_empty().then_some(()));
    let left = stops(&desk);
    assert!((100..=101).contains(&left.len()), "{}", left.len());
    assert!(left.is_disjoint(&first), "the oldest go first");
    assert_eq!(reports(&desk, "bot").len(), 108, "the events keep them all");
}

#[test]
fn a_bot_that_stops_itself_is_stopped_and_its_stopper_is_not() {
    let desk = bot(
        "say('main', f'up {os.getpid()}')\nif not os.path.exists('go'):\n    while not os.path.exists('go'): time.sleep(0.005)\n\
         subprocess.Popen([os.environ['BOTWARDEN'], 'stop', 'bot'])\nworker('main', 0.3)\n",
        "",
    );
    up(&desk, "main");
    desk.write("go", "");
    desk.wait_for("bot", "stopped");
    ended(&desk);
    assert_eq!(desk.read("main").lines().filter(|line| *line == "told").count(), 1);
}

// What is broken around it.

#[test]
fn a_home_on_a_full_disk_does_not_stand_in_the_way_of_a_stop() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    for keeper in ["alive", "killed"] {
        let desk =
            Desk::new("[bots.a]\ncommand = ['/bin/sh', '-c', 'setsid sleep 600 & exec sleep 600']\nmode = 'paper'\n");
        let tmpfs = "mkdir -p \"$DESK_HOME\"\nmount -t tmpfs -o size=1m,mode=0700 tmpfs \"$DESK_HOME\"";
        let kill = if keeper == "killed" {
            "kill -9 $(\"$BOTWARDEN\" status --json | sed 's/.*\"keeper_pid\":\\([0-9]*\\).*/\\1/')\n"
        } else {
            ""
        };
        // A keeper that replaces its record gives a page back at any moment: what becomes free is taken at once.
        let line = format!(
            "\"$BOTWARDEN\" start a\ncat /dev/zero > \"$DESK_HOME/ballast\" 2> no-room || true\n{kill}\
             touch filling\n\
             (while [ -e filling ]; do cat /dev/zero >> \"$DESK_HOME/ballast\" 2> no-room || true; done) &\n\
             code=0; \"$BOTWARDEN\" stop a > said 2> complained || code=$?; rm filling; wait; echo ended with $code\n\
             \"$BOTWARDEN\" status --json > after || true\n"
        );
        let done = elsewhere(&desk, tmpfs, &line);
        let said = format!("{keeper}: {}\n{}\n{}", done.said(), desk.read("said"), desk.read("complained"));
        assert!(done.stdout.contains("ended with 1"), "{said}");
        assert!(desk.read("said").contains("stopped a"), "{said}");
        assert!(desk.read("complained").contains("No space") || desk.read("complained").contains("no space"), "{said}");
        assert!(!desk.read("after").contains("\"running\""), "{said}{}", desk.read("after"));
        assert!(desk.living().is_empty(), "{said}");
    }
}

#[test]
fn without_a_keeper_and_with_a_home_that_is_read_only_a_stop_climbs_the_ladder_by_itself() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = bot(
        "for name in ('a', 'b'):\n    if not os.fork():\n        os.setsid()\n        worker(name)\n\
         if not os.fork():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    say('deaf', f'up {os.getpid()}')\n\
         \x20   while True: time.sleep(1)\nworker('main')\n",
        "stop = [{ signal = 'SIGTERM', wait = '2s' }, { signal = 'SIGKILL', wait = '30s' }]",
    );
    let pids = ["main", "a", "b", "deaf"].map(|file| up(&desk, file));
    desk.kill_keeper("bot");
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let stop = elsewhere(&desk, read_only, "\"$BOTWARDEN\" stop bot");
    assert_eq!(stop.code, 1, "{}", stop.said());
    assert!(stop.stdout.contains("stopped bot"), "{}", stop.said());
    assert!(stop.stderr.to_lowercase().contains("read-only"), "{}", stop.said());
    assert!(stop.said().contains("no keeper could take it"), "{}", stop.said());
    assert!(pids.iter().all(|pid| !alive(*pid)), "{}", stop.said());
    told_once(&desk, "main");
    // It is at rest, and since nothing could be written down, nobody claims that it was stopped on request.
    assert!(["stopped", "crashed"].contains(&&*desk.state("bot")));
}

#[test]
fn a_stop_that_goes_on_without_a_keeper_tells_nobody_twice() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = bot("worker('main', 3.0)\n", "");
    let pid = up(&desk, "main");
    let mut command = begin(&desk, &["stop", "bot"]);
    desk.wait_for_lines("main", 2);
    // Whoever comes next knows from it who was told.
    eventually("its event", || desk.events("bot").contains(&"stopping".to_owned()).then_some(()));
    let (stopper, keeper) = (stopper(&desk), desk.keeper("bot"));
    command.kill().expect("it is ours");
    end(command);
    kill(&stopper);
    kill(&keeper);
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let stop = elsewhere(&desk, read_only, "\"$BOTWARDEN\" stop bot");
    assert_eq!(stop.code, 1, "{}", stop.said());
    assert!(!alive(pid), "{}", stop.said());
    told_once(&desk, "main");
}

#[test]
fn where_there_is_no_room_for_another_process_or_thread_a_stop_is_carried_out_all_the_same() {
    for keeper in [true, false] {
        let mut desk =
            Desk::new("[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'never'\n");
        desk.write("lib.py", LIB_PY);
        desk.write("bot.py", "from lib import *\nworker('main')\n");
        if !by_nobody(&mut desk) {
            return;
        }
        desk.run(&["start", "bot"]).expect(0);
        let pid = up(&desk, "main");
        if !keeper {
            desk.kill_keeper("bot");
        }
        // Only for the command: whoever runs as this user already counts, so that there is room for nobody else.
        let nobody = if root() { "setpriv --reuid 65534 --regid 65534 --clear-groups" } else { "" };
        let done = desk.shell(&format!(
            "exec {nobody} /bin/sh -c 'ulimit -u 1; exec {} stop bot'",
            env!("CARGO_BIN_EXE_botwarden")
        ));
        assert!(!alive(pid), "keeper {keeper}: {}", done.said());
        assert!(done.stdout.contains("stopped bot"), "keeper {keeper}: {}", done.said());
        assert_eq!(done.code, 0, "keeper {keeper}: {}", done.said());
        assert_eq!(desk.state("bot"), "stopped", "keeper {keeper}: {}", done.said());
        assert!(desk.living().is_empty());
        told_once(&desk, "main");
    }
}

#[test]
fn what_becomes_of_the_database_is_nothing_to_a_stop() {
    let desk = Desk::new(&format!("[bots.bot]\n{SLEEPER}"));
    let database = desk.home_folder().join("botwarden.db");
    for what in ["corrupt", "locked", "a folder"] {
        desk.run(&["start", "bot"]).expect(0);
        let pid = desk.pid("bot");
        let _ = std::fs::remove_file(&database);
        let mut locker = None;
        match what {
            "corrupt" => std::fs::write(&database, "SQLite format 3\0 it is not").expect("written"),
            "locked" => {
                let script = format!(
                    "import sqlite3, time\nbase = sqlite3.connect({:?}, isolation_level=None)\n\
                     base.execute('create table t (x)')\nbase.execute('begin exclusive')\nopen('locked', 'w').write('yes\\n')\n\
                     time.sleep(600)\n",
                    database.to_string_lossy()
                );
                let mut python = std::process::Command::new(crate::harness::python());
                desk.dress(&mut python);
                locker = Some(python.args(["-c", &script]).spawn().expect("it executes"));
                desk.wait_for_lines("locked", 1);
            }
            _ => std::fs::create_dir(&database).expect("a folder"),
        }
        let done = desk.run(&["stop", "bot"]);
        if let Some(mut locker) = locker {
            let _ = locker.kill();
            let _ = locker.wait();
        }
        assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{what}: {}", done.said());
        assert!(!alive(pid), "{what}");
    }
}

#[test]
fn a_broken_configuration_or_none_does_not_keep_a_bot_or_a_stray_alive() {
    for broken in [Some("[bots.bot\nnot toml"), Some("[bots.bot]\ncommand = 5\n"), None] {
        let desk = Desk::new(
            "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nfind = ['python*', 'bot.py']\nmode = 'paper'\n\
             restart = 'never'\n",
        );
        desk.write(
            "bot.py",
            "import os, time\nopen('up', 'a').write(f'{os.getpid()}\\n')\nwhile True: time.sleep(60)\n",
        );
        desk.run(&["start", "bot"]).expect(0);
        desk.wait_for_lines("up", 1);
        let mut python = std::process::Command::new(crate::harness::python());
        let mut stray = python.args(["-S", "bot.py"]).current_dir(desk.folder()).spawn().expect("it executes");
        desk.wait_for_lines("up", 2);
        let pids = [desk.pid("bot"), stray.id() as i32];
        match broken {
            Some(text) => desk.configure(text),
            None => std::fs::remove_file(desk.path("botwarden.toml")).expect("it is there"),
        }
        let done = desk.run(&["stop", "bot", "--json"]);
        let stray_lives = alive(pids[1]);
        let _ = stray.kill();
        let _ = stray.wait();
        let report = done.json();
        assert_eq!(report["bots"][0]["outcome"], "stopped", "{}", done.said());
        assert!(!alive(pids[0]) && !stray_lives, "{broken:?}: {}", done.said());
        assert_eq!(done.code, 0, "{broken:?}: {}", done.said());
        assert!(desk.living().is_empty());
    }
}

#[test]
fn a_run_record_that_is_broken_keeps_nothing_alive() {
    for keeper in [true, false] {
        for what in ["corrupt", "empty", "a folder", "gone", "unreadable"] {
            if what == "unreadable" && root() {
                skipped("root can read everything");
                continue;
            }
            let desk = bot(
                "if not os.fork():\n    say('child', f'up {os.getpid()}')\n    os.execlp('sleep', 'sleep', '600')\n\
                 worker('main', 0.1)\n",
                "",
            );
            let pids = ["main", "child"].map(|file| up(&desk, file));
            if !keeper {
                desk.kill_keeper("bot");
            }
            // A keeper that is asked for its record may write it again: it is held back while this is not done.
            let record = desk.bot_folder("bot").join("run.json");
            let keeper_of = keeper.then(|| desk.keeper("bot"));
            match what {
                "corrupt" => std::fs::write(&record, "{\"run\": 7").expect("written"),
                "empty" => std::fs::write(&record, "").expect("written"),
                "unreadable" => {
                    std::fs::set_permissions(&record, std::fs::Permissions::from_mode(0o000)).expect("its mode");
                }
                "a folder" => {
                    std::fs::remove_file(&record).expect("it is there");
                    std::fs::create_dir(&record).expect("a folder");
                    std::fs::write(record.join("in-the-way"), "").expect("written");
                }
                _ => std::fs::remove_file(&record).expect("it is there"),
            }
            let done = desk.run(&["stop", "bot", "--json"]);
            let story = format!("{what}, keeper {keeper}: {}", done.said());
            assert!(pids.iter().all(|pid| !alive(*pid)), "{story}");
            assert_eq!(done.json()["bots"][0]["outcome"], "stopped", "{story}");
            assert_eq!(done.code, i32::from(["a folder", "unreadable"].contains(&what)), "{story}");
            told_once(&desk, "main");
            if let Some(keeper) = keeper_of {
                assert!(keeper.wait(std::time::Duration::from_mins(1)), "its keeper stays: {story}");
            }
            assert!(desk.living().is_empty(), "{story}");
        }
    }
}

#[test]
fn events_that_cannot_be_written_are_an_error_and_the_bot_is_stopped() {
    let desk = Desk::new(&format!("[bots.a]\n{SLEEPER}[bots.b]\n{SLEEPER}"));
    desk.run(&["start", "--all"]).expect(0);
    let pids = ["a", "b"].map(|bot| desk.pid(bot));
    let (of_a, of_all) = (desk.bot_folder("a").join("events"), desk.home_folder().join("events"));
    for file in [&of_a, &of_all] {
        let _ = std::fs::remove_file(file);
        std::fs::create_dir(file).expect("a folder");
    }
    let done = desk.run(&["stop", "--all", "--json"]).expect(1);
    let report = done.json();
    assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
    for bot in report["bots"].as_array().expect("a list") {
        assert_eq!(bot["outcome"], "stopped", "{report}");
        assert_eq!(bot["errors"].as_array().is_some_and(|errors| !errors.is_empty()), bot["name"] == "a", "{report}");
    }
    assert!(report["errors"].as_array().is_some_and(|errors| errors.len() == 1), "{report}");
    assert!(done.stderr.contains("cannot be kept"), "{}", done.stderr);
    std::fs::remove_dir(&of_a).expect("it is empty");
    std::fs::remove_dir(&of_all).expect("it is empty");
    assert_eq!([desk.state("a"), desk.state("b")], ["stopped", "stopped"]);
}

#[test]
fn a_folder_of_stops_that_cannot_be_is_an_error_at_most_and_the_bot_is_stopped() {
    let desk = bot("worker('main')\n", "");
    let pid = up(&desk, "main");
    let _ = std::fs::remove_dir_all(desk.home_folder().join("stops"));
    std::fs::write(desk.home_folder().join("stops"), "in the way").expect("written");
    let done = desk.run(&["stop", "bot"]);
    assert!(!alive(pid) && done.stdout.contains("stopped bot"), "{}", done.said());
    // What could not be recorded is said.
    assert_eq!(done.code, 1, "{}", done.said());
    assert!(done.stderr.contains("stops"), "{}", done.said());
    told_once(&desk, "main");
}

/// Nobody finds it by its lock any more, so it has to be ended here whatever happens.
struct Lost(Held);
impl Drop for Lost {
    fn drop(&mut self) {
        let _ = self.0.signal(Signal::KILL);
    }
}

/// A bot whose home was deleted: its keeper can be reached by nobody any more.
#[test]
fn a_home_deleted_under_a_running_bot_leaves_a_bot_that_is_not_called_stopped_and_can_be_stopped() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'always'\n\
         backoff = { first = '10ms', give_up_after = 0 }\n",
    );
    desk.write("lib.py", LIB_PY);
    desk.write("bot.py", "from lib import *\nsay('runs', str(os.getpid()))\nworker('main')\n");
    desk.run(&["start", "bot"]).expect(0);
    let (pid, lost) = (up(&desk, "main"), Lost(desk.keeper("bot")));
    let keeper = &lost.0;
    std::fs::remove_dir_all(desk.home_folder()).expect("it is there");
    let seen = desk.status("bot");
    assert!(["orphaned", "unknown"].contains(&seen["state"].as_str().expect("a word")), "{seen}");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains(&pid.to_string())), "{seen}");
    desk.run(&["start", "bot"]).expect(1);
    assert_eq!(desk.read("runs").lines().count(), 1, "no second copy");
    let stop = desk.run(&["stop", "bot"]);
    // Its old keeper knows nothing of it, and must not bring it back.
    eventually("the end of its old keeper, or a bot that is started anew", || {
        (keeper.has_ended() || desk.read("runs").lines().count() > 1).then_some(())
    });
    let runs = desk.read("runs");
    let living = desk.living();
    assert!(!alive(pid), "{}", stop.said());
    assert_eq!(stop.code, 0, "{}", stop.said());
    assert_eq!(runs.lines().count(), 1, "brought back: {}", stop.said());
    assert!(living.is_empty(), "{living:?}: {}", stop.said());
    assert_eq!(desk.state("bot"), "stopped");
}

#[test]
fn what_is_latched_can_still_be_stopped() {
    for keeper in [true, false] {
        let desk = bot("worker('main')\n", "");
        let pid = up(&desk, "main");
        // On record once its keeper has looked for a latch again.
        desk.pid("bot");
        std::fs::write(desk.home_folder().join("estop.json"), "").expect("a latch");
        if !keeper {
            desk.kill_keeper("bot");
        }
        desk.run(&["restart", "bot"]).expect(75);
        assert!(alive(pid));
        desk.run(&["stop", "bot"]).expect(0);
        assert!(!alive(pid));
        ended(&desk);
        told_once(&desk, "main");
    }
}

// A restart never runs two.

/// Needs a while to end, and has a lock from its first moment to its last.
const ALONE_PY: &str = "\
import fcntl, os, signal, time
told = False
def hear(*_):
    global told
    told = True
signal.signal(signal.SIGTERM, hear)
file = open('only.lock', 'w')
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open('twice', 'a').write(f'{os.getpid()}\\n')
    os._exit(1)
open('runs', 'a').write(f'up {os.getpid()}\\n')
while not told: time.sleep(0.005)
end = time.monotonic() + CLEANUP
while time.monotonic() < end: time.sleep(0.005)
open('runs', 'a').write(f'over {os.getpid()}\\n')
os._exit(0)
";

fn alone(cleanup: &str) -> Desk {
    let desk = Desk::new("[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'never'\n");
    desk.write("bot.py", &ALONE_PY.replace("CLEANUP", cleanup));
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("runs", 1);
    desk
}

/// It runs, once, and each run before it had ended when the next began.
#[track_caller]
fn runs_once(desk: &Desk) {
    desk.wait_for("bot", "running");
    let pid = desk.pid("bot");
    eventually("its last run at work", || desk.read("runs").ends_with(&format!("up {pid}\n")).then_some(()));
    assert_eq!(desk.read("twice"), "");
    let runs = desk.read("runs");
    for (number, line) in runs.lines().enumerate() {
        assert!(line.starts_with(if number % 2 == 0 { "up" } else { "over" }), "{runs}");
    }
    assert_eq!(desk.living().len(), 2, "it and its keeper");
}

#[test]
fn many_restarts_at_once_of_a_bot_that_takes_its_time_never_run_two() {
    let desk = alone("0.5");
    for round in 0..3 {
        let restarts: Vec<Child> = (0..6).map(|_| begin(&desk, &["restart", "bot"])).collect();
        for restart in restarts {
            let (code, stdout, stderr) = end(restart);
            assert_eq!(code, 0, "round {round}: {stdout}{stderr}\n{}", desk.story("bot"));
        }
        runs_once(&desk);
    }
    assert!(desk.read("runs").lines().count() >= 7);
}

#[test]
fn a_restart_of_a_bot_that_will_not_end_starts_no_other() {
    let desk = bot(
        "say('runs', 'up')\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('main', f'up {os.getpid()}')\n\
         while True: time.sleep(1)\n",
        "stop = [{ signal = 'SIGTERM', wait = '300ms' }]",
    );
    let pid = up(&desk, "main");
    for _ in 0..2 {
        let report = desk.run(&["restart", "bot", "--json"]).expect(13).json();
        let seen = &report["bots"][0];
        assert_eq!((&seen["outcome"], &seen["restarted"]), (&"survived".into(), &false.into()), "{report}");
    }
    assert!(alive(pid));
    assert_eq!(desk.read("runs"), "up\n");
    desk.run(&["kill", "bot"]).expect(0);
    assert!(!alive(pid) && desk.living().is_empty());
    assert_eq!((desk.read("runs").as_str(), desk.state("bot")), ("up\n", "stopped".to_owned()));
}

#[test]
fn a_restart_whose_command_is_killed_in_the_middle_runs_the_bot_again_once() {
    let desk = alone("1.0");
    let old = desk.pid("bot");
    let mut command = begin(&desk, &["restart", "bot"]);
    desk.wait_for("bot", "stopping");
    command.kill().expect("it is ours");
    end(command);
    desk.wait_for_lines("runs", 3);
    assert!(!alive(old));
    runs_once(&desk);
    eventually("its report", || reports(&desk, "bot").pop());
    assert_eq!(reports(&desk, "bot")[0]["report"]["restarted"], true);
}

#[test]
fn a_restart_whose_stopper_is_killed_in_the_middle_runs_the_bot_again_once() {
    let desk = alone("1.5");
    let command = begin(&desk, &["restart", "bot"]);
    desk.wait_for("bot", "stopping");
    kill(&stopper(&desk));
    let (code, stdout, stderr) = end(command);
    assert_eq!(code, 0, "{stdout}{stderr}\n{}", desk.story("bot"));
    runs_once(&desk);
}

#[test]
fn a_restart_whose_keeper_is_killed_in_the_middle_runs_the_bot_again_once() {
    let desk = alone("1.5");
    let command = begin(&desk, &["restart", "bot"]);
    desk.wait_for("bot", "stopping");
    desk.kill_keeper("bot");
    let (code, stdout, stderr) = end(command);
    assert_eq!(code, 0, "{stdout}{stderr}\n{}", desk.story("bot"));
    desk.wait_for_lines("runs", 3);
    runs_once(&desk);
}

#[test]
fn a_stop_during_a_restart_has_the_last_word() {
    for keeper in ["alive", "killed"] {
        let desk = alone("1.0");
        let pid = desk.pid("bot");
        let restart = begin(&desk, &["restart", "bot"]);
        desk.wait_for("bot", "stopping");
        if keeper == "killed" {
            desk.kill_keeper("bot");
        }
        desk.run(&["stop", "bot"]).expect(0);
        let (code, stdout, stderr) = end(restart);
        let said = format!("keeper {keeper}: {stdout}{stderr}\n{}", desk.story("bot"));
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("meanwhile") && said.contains("NOT started again"), "{said}");
        assert!(!alive(pid), "{said}");
        assert_eq!((desk.state("bot").as_str(), desk.living().len()), ("stopped", 0), "{said}");
        assert_eq!(desk.read("runs").lines().count(), 2, "{said}");
        // What was stopped before can be restarted.
        desk.run(&["restart", "bot"]).expect(0);
        desk.wait_for("bot", "running");
    }
}

// Many.

#[test]
fn a_hundred_bots_are_all_stopped() {
    let config = (0..100).map(|number| format!("[bots.bot{number:02}]\n{SLEEPER}")).collect::<Vec<_>>().concat();
    let desk = Desk::new(&config);
    desk.run(&["start", "--all"]).expect(0);
    let pids: Vec<i32> = (0..100).map(|number| desk.pid(&format!("bot{number:02}"))).collect();
    assert!(pids.iter().all(|pid| alive(*pid)));
    let done = desk.run(&["stop", "--all", "--json"]).expect(0);
    let report = done.json();
    let bots = report["bots"].as_array().expect("a list");
    assert_eq!(bots.len(), 100);
    for bot in bots {
        assert_eq!((&bot["outcome"], &bot["exit"]["signal"]), (&"stopped".into(), &"SIGTERM".into()), "{bot}");
    }
    assert!(pids.iter().all(|pid| !alive(*pid)));
    assert!(desk.living().is_empty());
}
