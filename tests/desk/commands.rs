//! Every command with real bots: what it does, what it prints, and what it exits with.

use serde_json::Value;

use crate::harness::{Desk, alive, eventually};

const TWO: &str = r#"
[bots.shell]
command = ["/bin/sh", "-c", "echo hello from $BOTWARDEN_BOT; exec sleep 600"]
mode = "paper"
groups = ["a"]

[bots.snake]
command = ["PYTHON", "-c", "import time; print('a snake'); time.sleep(600)"]
mode = "dry-run"
groups = ["a", "b"]
"#;

#[track_caller]
fn keys(value: &Value, expected: &[&str]) {
    let object = value.as_object().expect("an object");
    assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{value}");
}

#[test]
fn a_bot_is_started_seen_and_stopped() {
    let desk = Desk::new(TWO);
    let seen = desk.status("shell");
    assert_eq!((&seen["state"], &seen["pid"]), (&"stopped".into(), &Value::Null), "never ran");
    let started = desk.run(&["start", "shell"]).expect(0);
    let pid = desk.pid("shell");
    assert!(started.stdout.contains(&format!("pid {pid}")), "{}", started.stdout);
    assert_eq!(started.stderr, "");
    let seen = desk.status("shell");
    assert_eq!(seen["state"], "running");
    assert_eq!(seen["pid"], pid);
    assert_eq!(seen["mode"], "paper");
    assert_eq!(seen["processes"], 1);
    assert!(seen["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    assert!(alive(seen["keeper_pid"].as_i64().expect("a keeper") as i32));
    desk.wait_for_log("shell", "hello from shell\n");
    let stopped = desk.run(&["stop", "shell"]).expect(0);
    assert!(!alive(pid));
    assert!(stopped.stdout.contains(&format!("stopped shell (pid {pid}, by SIGTERM, ")), "{}", stopped.stdout);
    let seen = desk.status("shell");
    assert_eq!(seen["state"], "stopped");
    assert_eq!(seen["last_exit"]["signal"], "SIGTERM");
    assert_eq!(seen["pid"], Value::Null);
    assert!(desk.bot_folder("shell").join("down").exists());
    assert_eq!(desk.events("shell"), ["asked", "started", "asked", "stopping", "exited", "stopped", "report"]);
    assert!(desk.living().is_empty());
}

#[test]
fn a_start_of_what_runs_and_a_stop_of_what_does_not_are_done_already() {
    let desk = Desk::new(TWO);
    desk.run(&["stop", "shell"]).expect(0);
    desk.run(&["start", "shell"]).expect(0);
    let pid = desk.pid("shell");
    let again = desk.run(&["start", "shell", "--json"]).expect(0);
    assert_eq!(again.json()["bots"][0]["outcome"], "already_running");
    assert_eq!(again.json()["bots"][0]["pid"], pid);
    desk.run(&["stop", "shell"]).expect(0);
    let again = desk.run(&["stop", "shell", "--json"]).expect(0);
    assert_eq!(again.json()["bots"][0]["outcome"], "not_running");
}

#[test]
fn every_command_prints_one_object_in_the_shape_of_the_contract() {
    let desk = Desk::new(TWO);
    let started = desk.run(&["start", "--all", "--json"]).expect(0).json();
    keys(&started, &["schema", "action", "ok", "exit_code", "bots", "errors"]);
    keys(&started["bots"][0], &["name", "outcome", "pid", "message"]);
    assert_eq!((&started["schema"], &started["action"], &started["ok"]), (&1.into(), &"start".into(), &true.into()));
    let status = desk.run(&["status", "--json"]).expect(0).json();
    keys(&status, &["schema", "host", "at", "estop", "bots", "clusters"]);
    keys(&status["estop"], &["state", "since", "by", "reason", "problems", "drill", "last_drill"]);
    keys(
        &status["bots"][1],
        &[
            "name",
            "groups",
            "mode",
            "state",
            "was",
            "since",
            "pid",
            "keeper_pid",
            "started_at",
            "uptime_s",
            "restarts",
            "failures",
            "next_try_at",
            "last_exit",
            "heartbeat_age_s",
            "cpu_percent",
            "memory_bytes",
            "processes",
            "orders_active",
            "orders_read_at",
            "strays",
            "note",
        ],
    );
    let stopped = desk.run(&["stop", "snake", "--json"]).expect(0).json();
    let report = [
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
    ];
    keys(&stopped, &report);
    keys(
        &stopped["bots"][0],
        &[
            "name",
            "mode",
            "outcome",
            "pid",
            "duration_ms",
            "restarted",
            "found_by",
            "processes",
            "exit",
            "orders",
            "claims",
            "state_flushed",
            "errors",
            "notes",
        ],
    );
    keys(&stopped["bots"][0]["processes"][0], &["pid", "command", "found_by", "ended_by"]);
    assert_eq!(stopped["bots"][0]["processes"][0]["ended_by"], "SIGTERM");
    assert_eq!(stopped["bots"][0]["found_by"][0], "keeper");
    keys(&stopped["bots"][0]["exit"], &["code", "signal"]);
    keys(&stopped["bots"][0]["claims"], &["orders_canceled", "cancel_errors", "state_flushed"]);
    let restarted = desk.run(&["restart", "shell", "--json"]).expect(0).json();
    keys(&restarted, &report);
    assert_eq!(restarted["bots"][0]["restarted"], true);
    let events = desk.run(&["events", "--json"]).expect(0).json();
    keys(&events, &["schema", "events"]);
    for key in ["at", "bot", "kind", "text"] {
        assert!(events["events"][0].get(key).is_some(), "{key}: {events}");
    }
    let up = desk.run(&["up", "--json"]).expect(0).json();
    keys(&up, &["schema", "action", "ok", "exit_code", "bots", "errors"]);
    let unknown = desk.run(&["start", "nobody", "--json"]).expect(2).json();
    assert_eq!((&unknown["ok"], &unknown["exit_code"]), (&false.into(), &2.into()));
}

#[test]
fn a_restart_ends_the_old_run_before_it_begins_the_new_one() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "snake"]).expect(0);
    let (before, keeper) = (desk.pid("snake"), desk.keeper("snake").pid());
    let run = desk.record("snake").run;
    desk.run(&["restart", "snake"]).expect(0);
    let after = desk.pid("snake");
    assert!(before != after && !alive(before) && alive(after));
    assert_ne!(desk.record("snake").run, run);
    assert_eq!(desk.keeper("snake").pid(), keeper, "the same keeper goes on");
    assert_eq!(desk.status("snake")["restarts"], 1);
    assert!(!desk.bot_folder("snake").join("down").exists());
}

#[test]
fn a_restart_of_what_does_not_run_starts_it() {
    let desk = Desk::new(TWO);
    desk.run(&["restart", "snake"]).expect(0);
    assert_eq!(desk.state("snake"), "running");
}

#[test]
fn a_restart_takes_the_new_configuration() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "shell"]).expect(0);
    desk.configure(&TWO.replace("hello from", "greetings from"));
    desk.run(&["restart", "shell"]).expect(0);
    desk.wait_for_log("shell", "greetings from shell\n");
}

#[test]
fn a_kill_is_sigkill_at_once() {
    let desk = Desk::new(
        r#"
        [bots.deaf]
        command = ["PYTHON", "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"]
        mode = "paper"
        stop = [{ signal = "SIGTERM", wait = "10m" }, { signal = "SIGKILL", wait = "5s" }]
        "#,
    );
    desk.run(&["start", "deaf"]).expect(0);
    desk.wait_for_log("deaf", "deaf");
    let report = desk.run(&["kill", "deaf", "--json"]).expect(0).json();
    assert_eq!(report["action"], "kill");
    assert_eq!(report["bots"][0]["exit"]["signal"], "SIGKILL");
    assert_eq!(report["bots"][0]["processes"][0]["ended_by"], "SIGKILL");
    assert_eq!(desk.state("deaf"), "stopped");
}

#[test]
fn a_name_that_nobody_knows_is_a_mistake_of_whoever_asks() {
    let desk = Desk::new(TWO);
    for command in ["start", "stop", "restart", "kill", "status", "logs", "events"] {
        let done = desk.run(&[command, "shel"]).expect(2);
        assert!(done.stderr.contains("shel"), "{command}: {}", done.stderr);
    }
    assert!(desk.run(&["start", "shel"]).stderr.contains("did you mean \"shell\""));
    desk.run(&["start", "--group", "z"]).expect(2);
    desk.run(&["start"]).expect(2);
    desk.run(&["dance"]).expect(2);
    assert!(desk.living().is_empty());
}

#[test]
fn groups_and_all_reach_whom_they_name() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "--group", "b"]).expect(0);
    assert_eq!((desk.state("shell").as_str(), desk.state("snake").as_str()), ("stopped", "running"));
    desk.run(&["start", "--group", "a"]).expect(0);
    assert_eq!(desk.state("shell"), "running");
    desk.run(&["stop", "--group", "b"]).expect(0);
    assert_eq!((desk.state("shell").as_str(), desk.state("snake").as_str()), ("running", "stopped"));
    desk.run(&["start", "--all"]).expect(0);
    desk.run(&["stop", "--all"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn instances_know_their_number_and_answer_to_their_common_name() {
    let bot = |count: u32| {
        format!(
            "[bots.momentum]\ncommand = ['/bin/sh', '-c', 'echo I am $BOTWARDEN_INSTANCE of $BOTWARDEN_BOT; exec sleep 600']\n\
             mode = 'paper'\ninstances = {count}\n"
        )
    };
    let desk = Desk::new(&bot(3));
    desk.run(&["start", "momentum"]).expect(0);
    for number in 1..=3 {
        let name = format!("momentum@{number}");
        desk.wait_for_log(&name, &format!("I am {number} of {name}\n"));
    }
    desk.run(&["stop", "momentum@2"]).expect(0);
    assert_eq!((desk.state("momentum@1").as_str(), desk.state("momentum@2").as_str()), ("running", "stopped"));
    // One without a number beside two with one: never together.
    desk.configure(&bot(1));
    let refused = desk.run(&["start", "momentum"]).expect(1);
    assert!(refused.stderr.contains("momentum@1"), "{}", refused.stderr);
    assert_eq!(desk.status("momentum@3")["state"], "running", "not configured any more, and shown all the same");
    desk.run(&["stop", "momentum@1", "momentum@3"]).expect(0);
    desk.run(&["start", "momentum"]).expect(0);
    desk.wait_for_log("momentum", "I am of momentum\n");
    desk.configure(&bot(3));
    desk.run(&["start", "momentum@2"]).expect(1);
    desk.run(&["stop", "--all"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn nothing_starts_while_the_emergency_stop_is_latched() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "shell"]).expect(0);
    // On record once its keeper has looked for a latch again.
    desk.pid("shell");
    let latch = desk.home_folder().join("estop.json");
    for contents in ["{}", "", "no json"] {
        std::fs::write(&latch, contents).expect("a latch");
        for command in ["start", "restart"] {
            desk.run(&[command, "snake"]).expect(75);
        }
        desk.run(&["up"]).expect(75);
        assert_eq!(desk.run(&["status", "--json"]).expect(0).json()["estop"]["state"], "latched");
    }
    assert_eq!(desk.state("shell"), "running", "the latch alone ends nothing");
    desk.run(&["stop", "shell"]).expect(0);
    std::fs::remove_file(&latch).expect("it is there");
    desk.run(&["start", "snake"]).expect(0);
}

#[test]
fn a_live_bot_needs_yes_where_nobody_can_be_asked() {
    let desk = Desk::new("[bots.real]\ncommand = ['sleep', '600']\nmode = 'live'\n");
    let refused = desk.run(&["start", "real"]).expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert!(desk.living().is_empty());
    desk.run(&["start", "real", "--yes"]).expect(0);
    desk.run(&["restart", "real"]).expect(2);
    desk.run(&["kill", "real"]).expect(2);
    assert_eq!(desk.status("real")["restarts"], 0);
    desk.run(&["stop", "real"]).expect(0);
    assert!(desk.living().is_empty(), "a stop needs no yes");
}

#[test]
fn ctrl_c_of_a_stop_ends_the_watching_and_not_the_stop() {
    let desk = Desk::new(
        r#"
        [bots.slow]
        command = ["PYTHON", "slow.py"]
        mode = "paper"
        "#,
    );
    desk.write(
        "slow.py",
        "import os, signal, time\n\
         def end(*_):\n    print('asked', flush=True)\n    while not os.path.exists('go'): time.sleep(0.01)\n    os._exit(3)\n\
         signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(600)\n",
    );
    desk.run(&["start", "slow"]).expect(0);
    desk.wait_for_log("slow", "up\n");
    let watch = |args: &[&str]| {
        let (out, err) = (std::process::Stdio::piped(), std::process::Stdio::piped());
        desk.command(args).stdout(out).stderr(err).spawn().expect("it executes")
    };
    let stop = watch(&["stop", "slow"]);
    desk.wait_for_log("slow", "asked\n");
    desk.wait_for("slow", "stopping");
    desk.signal(stop.id() as i32, "SIGINT".parse().expect("a signal"));
    let left = stop.wait_with_output().expect("its end");
    assert_eq!(left.status.code(), Some(10));
    assert!(String::from_utf8_lossy(&left.stderr).contains("goes on"));
    assert!(left.stdout.is_empty());
    // The same for scripts: one object, of the shape that a refusal has.
    let stop = watch(&["stop", "slow", "--json"]);
    let caught = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", stop.id())).ok()?;
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?.trim().to_owned();
        (u64::from_str_radix(&mask, 16).ok()? & 1 << 14 != 0).then_some(())
    };
    eventually("a stop that minds SIGTERM", caught);
    desk.signal(stop.id() as i32, "SIGTERM".parse().expect("a signal"));
    let left = stop.wait_with_output().expect("its end");
    assert_eq!(left.status.code(), Some(10));
    let object: Value = serde_json::from_slice(&left.stdout).expect("one object");
    keys(
        &object,
        &[
            "schema",
            "action",
            "ok",
            "exit_code",
            "bots",
            "errors",
            "at",
            "duration_ms",
            "latched",
            "scope",
            "by",
            "reason",
            "clusters",
        ],
    );
    assert_eq!((&object["action"], &object["ok"], &object["exit_code"]), (&"stop".into(), &false.into(), &10.into()));
    assert!(object["errors"][0].as_str().is_some_and(|why| why.starts_with("left; the stop goes on")), "{object}");
    assert_eq!(desk.state("slow"), "stopping");
    desk.write("go", "");
    let seen = desk.wait_for("slow", "stopped");
    assert_eq!(seen["last_exit"]["code"], 3);
    assert_eq!(desk.logs("slow"), "up\nasked\n");
}

#[test]
fn a_bot_that_the_configuration_does_not_name_any_more_is_seen_and_stopped_by_name() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "--all"]).expect(0);
    desk.configure("[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    assert_eq!(desk.state("snake"), "running");
    desk.run(&["stop", "snake"]).expect(0);
    desk.write("botwarden.toml", "no toml");
    assert_eq!(desk.run(&["status", "--json"]).code, 2);
    desk.run(&["stop", "shell"]).expect(0);
    eventually("an empty desk", || desk.living().is_empty().then_some(()));
}

#[test]
fn a_configuration_with_mistakes_starts_nothing() {
    let desk = Desk::new("[bots.a]\ncomand = ['sleep', '600']\nmode = 'paper'\n");
    let refused = desk.run(&["start", "a"]).expect(2);
    assert!(refused.stderr.contains("comand"), "{}", refused.stderr);
    desk.run(&["up"]).expect(2);
    assert!(desk.living().is_empty());
}

#[test]
fn a_restart_of_a_living_live_run_needs_yes_whatever_the_file_says_now() {
    let live = "[bots.real]\ncommand = ['sleep', '600']\nmode = 'live'\n";
    let desk = Desk::new(live);
    desk.run(&["start", "real", "--yes"]).expect(0);
    let pid = desk.pid("real");
    desk.configure(&live.replace("live", "paper"));
    let refused = desk.run(&["restart", "real"]).expect(2);
    assert!(refused.stderr.contains("--yes"), "{}", refused.stderr);
    assert_eq!(desk.pid("real"), pid);
    desk.run(&["restart", "real", "--yes"]).expect(0);
    assert_eq!(desk.status("real")["mode"], "paper");
    desk.run(&["restart", "real"]).expect(0);
    desk.configure(live);
    desk.run(&["restart", "real"]).expect(2);
    desk.run(&["stop", "real"]).expect(0);
}

#[test]
fn a_living_bot_whose_record_cannot_be_read_has_no_known_mode() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "shell"]).expect(0);
    // Its keeper has written it for the last time: with the process in it.
    desk.pid("shell");
    let record = desk.bot_folder("shell").join("run.json");
    let good = std::fs::read(&record).expect("a record");
    std::fs::write(&record, "no json").expect("written");
    for command in ["kill", "restart"] {
        let refused = desk.run(&[command, "shell"]).expect(2);
        assert!(refused.stderr.contains("shell, whose mode is not known"), "{}", refused.stderr);
    }
    let seen = desk.status("shell");
    assert_eq!((&seen["state"], &seen["mode"]), (&"running".into(), &Value::Null), "{seen}");
    let note = seen["note"].as_str().expect("a note");
    assert!(note.contains("its record cannot be read") && note.contains("run.json"), "{note}");
    let text = desk.run(&["status", "shell"]).expect(0).stdout;
    let row = text.lines().find(|line| line.starts_with("shell")).expect("a row");
    assert_eq!(row.split_whitespace().nth(1), Some("?"), "{text}");
    std::fs::write(&record, good).expect("written");
    desk.run(&["kill", "shell"]).expect(0);
}

#[test]
fn a_configuration_that_cannot_be_read_says_nothing_of_who_is_in_it() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "shell"]).expect(0);
    let gone = "not in the configuration any more";
    let note = || desk.status("shell")["note"].as_str().expect("a note").to_owned();
    desk.write("botwarden.toml", "no toml");
    assert!(!note().contains(gone), "{}", note());
    std::fs::remove_file(desk.path("botwarden.toml")).expect("it is there");
    assert!(!note().contains(gone), "{}", note());
    desk.configure("[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    assert!(note().contains(gone), "{}", note());
}

#[test]
fn names_and_keys_that_are_no_plain_text_are_told_and_not_obeyed() {
    let desk = Desk::new("\"a\\u001b[2Jb\" = 1\n");
    for command in ["check", "up", "status"] {
        let said = desk.run(&[command]).expect(2).said();
        assert!(!said.contains('\u{1b}') && said.contains("a\\u{1b}[2Jb"), "{command}: {said:?}");
    }
    let strange = desk.shell("$BOTWARDEN --json --config \"$(printf 'x\\033\\377.toml')\" check").expect(2);
    assert_eq!(strange.json()["mistakes"][0]["file"], "x\u{1b}\u{fffd}.toml");
    assert!(!strange.stderr.contains('\u{1b}'), "{:?}", strange.stderr);
    desk.shell(
        "cp botwarden.toml \"$(printf 'y\\377.toml')\"; $BOTWARDEN --json --config \"$(printf 'y\\377.toml')\" status",
    )
    .expect(2)
    .json();
}

#[test]
fn words_that_are_no_command_are_refused_with_an_object_where_one_is_asked_for() {
    let desk = Desk::new(TWO);
    for args in [
        &["--json", "dance"][..],
        &["start", "--json"],
        &["stop", "--json", "--al"],
        &["logs", "x", "-n", "z", "--json"],
    ] {
        let done = desk.run(args).expect(2);
        let object = done.json();
        keys(&object, &["schema", "action", "ok", "exit_code", "bots", "errors"]);
        assert_eq!((&object["ok"], &object["exit_code"]), (&false.into(), &2.into()));
        assert!(object["errors"][0].as_str().is_some_and(|why| !why.is_empty()), "{object}");
        assert!(done.stderr.contains("error: "), "{}", done.stderr);
    }
    assert_eq!(desk.run(&["dance"]).expect(2).stdout, "");
    assert_eq!(desk.run(&["dance", "--", "--json"]).expect(2).stdout, "");
}

#[test]
fn output_that_cannot_be_written_is_a_failure_and_a_reader_that_has_enough_is_none() {
    let desk = Desk::new(TWO);
    desk.run(&["start", "shell"]).expect(0);
    desk.wait_for_log("shell", "hello");
    for command in ["status", "status --json", "events", "check", "check --json", "stop shell", "logs shell", "--help"]
    {
        let done = desk.shell(&format!("$BOTWARDEN {command} >/dev/full")).expect(1);
        assert!(done.stderr.contains("no space left on device"), "{command}: {}", done.stderr);
        assert!(!done.stderr.contains("os error") && done.stderr.lines().count() == 1, "{command}: {}", done.stderr);
        let quiet = desk.shell(&format!("{{ $BOTWARDEN {command}; echo $? >code; }} | true")).expect(0);
        assert_eq!((desk.read("code").trim(), quiet.stderr.as_str()), ("0", ""), "{command}");
    }
    let worse = desk.shell("$BOTWARDEN status nobody --json >/dev/full").expect(2);
    assert!(worse.stderr.contains("the output cannot be written"), "{}", worse.stderr);
}

#[test]
fn variables_that_are_empty_count_as_unset() {
    let desk = Desk::new(TWO).with("BOTWARDEN_HOME", "").with("BOTWARDEN_CONFIG", "");
    // The configuration is found beside us, the home below $HOME.
    desk.run(&["check"]).expect(0);
    assert_eq!(desk.run(&["status", "--json"]).expect(0).json()["bots"].as_array().map(Vec::len), Some(2));
    assert!(desk.path(".local/state/botwarden/bots").is_dir());
    assert!(!desk.home_folder().exists());
    // What is said outright is taken at its word, and goes before what the variables say.
    for option in ["--home=", "--config="] {
        let refused = desk.run(&[option, "status"]).expect(2);
        assert!(
            refused.stderr.contains("is empty") || refused.stderr.contains("a value is required"),
            "{}",
            refused.stderr
        );
    }
    let desk = Desk::new(TWO);
    desk.write("other.toml", "[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    let seen = desk.run(&["--config", "other.toml", "--home", "elsewhere", "status", "--json"]).expect(0).json();
    assert_eq!(seen["bots"][0]["name"], "other");
    assert!(desk.path("elsewhere/bots").is_dir());
    let help = desk.run(&["--help"]).expect(0).stdout;
    assert!(help.contains("BOTWARDEN_CONFIG") && help.contains("BOTWARDEN_HOME"), "{help}");
}

#[test]
fn a_desk_without_bots_says_so() {
    let desk = Desk::new("");
    let none = "no bots: neither configured nor recorded\n";
    assert_eq!(desk.run(&["status"]).expect(2).stdout, none, "a file without bots");
    assert_eq!(desk.run(&["status", "--json"]).expect(2).json()["bots"], serde_json::json!([]));
    desk.write("botwarden.toml", "no toml");
    let unknown = "no bots: none is recorded, and the configuration cannot be read\n";
    assert_eq!(desk.run(&["status"]).expect(2).stdout, unknown);
    // Recorded, and neither configured nor alive.
    desk.configure(TWO);
    desk.run(&["start", "shell"]).expect(0);
    desk.run(&["stop", "shell"]).expect(0);
    desk.configure("[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    assert_eq!(desk.run(&["status", "shell"]).expect(0).stdout, "no bots: nothing of those recorded runs\n");
    let desk = Desk::new("").with("BOTWARDEN_CONFIG", "");
    std::fs::remove_file(desk.path("botwarden.toml")).expect("it is there");
    assert_eq!(desk.run(&["status"]).expect(2).stdout, none, "no file");
}
