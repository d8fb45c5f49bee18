//! Bots that end when nobody asked them to, and starts that come to nothing.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::harness::{Desk, eventually, root, skipped};

#[test]
fn a_bot_that_crashes_at_once_is_tried_again_later_and_later_until_the_breaker_opens() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'date +%s%N >> runs; exit 3']\nmode = 'paper'\n\
         backoff = { first = '100ms', max = '10s', give_up_after = 4 }\n",
    );
    desk.run(&["start", "bad"]).expect(0);
    let seen = desk.wait_for("bad", "failed");
    assert_eq!((&seen["failures"], &seen["next_try_at"]), (&4.into(), &Value::Null));
    assert_eq!(seen["last_exit"]["code"], 3);
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("restart closes it")), "{seen}");
    let runs: Vec<u128> = desk.read("runs").lines().map(|line| line.parse().expect("a time")).collect();
    assert_eq!(runs.len(), 4);
    // Never sooner than it says; how much later is the machine's affair.
    for (pair, wait) in runs.windows(2).zip([100_u128, 200, 400]) {
        assert!(pair[1] - pair[0] >= wait * 1_000_000, "{runs:?}");
    }
    let events = desk.events("bad");
    assert_eq!(events.iter().filter(|kind| *kind == "backoff").count(), 3);
    assert_eq!(events.last().map(String::as_str), Some("failed"));
    assert!(desk.living().is_empty());
    // `restart` closes the breaker, `start` does too.
    for command in ["restart", "start"] {
        let before = desk.read("runs").lines().count();
        desk.run(&[command, "bad"]).expect(0);
        desk.wait_for("bad", "failed");
        assert_eq!(desk.read("runs").lines().count(), before + 4, "{command}");
    }
}

#[test]
fn while_a_bot_backs_off_status_says_when_it_is_tried_next_and_start_does_not_wait() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'echo run >> runs; test -e good && exec sleep 600; exit 3']\n\
         mode = 'paper'\nbackoff = { first = '10m', max = '1h' }\n",
    );
    desk.run(&["start", "bad"]).expect(0);
    let seen = desk.wait_for("bad", "backoff");
    assert_eq!((&seen["failures"], &seen["pid"]), (&1.into(), &Value::Null));
    let next: jiff::Timestamp = seen["next_try_at"].as_str().expect("a time").parse().expect("a time");
    let left = next.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((500..=600).contains(&left), "{seen}");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("retry in")), "{seen}");
    desk.write("good", "");
    desk.run(&["start", "bad"]).expect(0);
    let seen = desk.wait_for("bad", "running");
    assert_eq!(seen["failures"], 0);
    assert_eq!(desk.read("runs").lines().count(), 2);
}

#[test]
fn a_stop_of_what_backs_off_ends_the_trying() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'exit 3']\nmode = 'paper'\nbackoff = { first = '10m', max = '1h' }\n",
    );
    desk.run(&["start", "bad"]).expect(0);
    desk.wait_for("bad", "backoff");
    desk.run(&["stop", "bad"]).expect(0);
    assert_eq!(desk.state("bad"), "stopped");
    assert!(desk.living().is_empty());
}

#[test]
fn a_keeper_killed_while_it_backs_off_is_followed_by_up() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'echo run >> runs; exit 3']\nmode = 'paper'\n\
         backoff = { first = '10m', max = '1h' }\n",
    );
    desk.run(&["start", "bad"]).expect(0);
    desk.wait_for("bad", "backoff");
    eventually("its record to say so", || desk.record("bad").ended);
    desk.kill_keeper("bad");
    assert_eq!(desk.state("bad"), "crashed");
    desk.run(&["up"]).expect(0);
    desk.wait_for("bad", "backoff");
    assert_eq!(desk.read("runs").lines().count(), 2);
}

#[test]
fn the_policy_decides_what_is_started_again() {
    let bot = |name: &str, policy: &str, code: u32| {
        format!(
            "[bots.{name}]\ncommand = ['/bin/sh', '-c', 'exit {code}']\nmode = 'paper'\nrestart = '{policy}'\n\
             backoff = {{ first = '5ms', give_up_after = 2 }}\n"
        )
    };
    let cases = [
        ("never-0", "never", 0, "exited"),
        ("never-1", "never", 1, "crashed"),
        ("failure-0", "on-failure", 0, "exited"),
        ("failure-1", "on-failure", 1, "failed"),
        ("always-0", "always", 0, "failed"),
        ("always-1", "always", 1, "failed"),
    ];
    let desk = Desk::new(&cases.map(|(name, policy, code, _)| bot(name, policy, code)).concat());
    desk.run(&["start", "--all"]).expect(0);
    for (name, _, code, state) in cases {
        let seen = desk.wait_for(name, state);
        assert_eq!(seen["last_exit"]["code"], code, "{name}");
    }
}

#[test]
fn a_run_that_lasted_forgives_the_failures_before_it() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['/bin/sh', '-c', 'echo run >> runs; sleep 0.3; exit 1']\nmode = 'paper'\n\
         backoff = { first = '5ms', reset_after = '200ms', give_up_after = 2 }\n",
    );
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("runs", 5);
    desk.run(&["stop", "bot"]).expect(0);
}

#[test]
fn a_start_that_dies_before_it_is_ready_says_how_and_what_it_wrote_last() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'for n in 1 2 3 4 5 6 7; do echo line $n; done; echo key missing >&2; exit 4']\n\
         mode = 'paper'\nready = '30s'\nrestart = 'never'\n\
         [bots.killed]\ncommand = ['/bin/sh', '-c', 'kill -9 $$']\nmode = 'paper'\nready = '30s'\n\
         backoff = { first = '20m', max = '1h' }\n",
    );
    let done = desk.run(&["start", "bad"]).expect(1);
    assert!(done.stderr.contains("exited with 4 after "), "{}", done.stderr);
    assert!(done.stderr.contains("| key missing") && done.stderr.contains("| line 7"), "{}", done.stderr);
    assert!(!done.stderr.contains("line 3"), "the last lines, not all: {}", done.stderr);
    assert_eq!(desk.state("bad"), "crashed");
    let done = desk.run(&["start", "killed"]).expect(1);
    assert!(done.stderr.contains("SIGKILL") && done.stderr.contains("next try in"), "{}", done.stderr);
    assert_eq!(desk.state("killed"), "backoff");
}

#[test]
fn a_bot_that_lives_long_enough_is_ready() {
    let desk = Desk::new("[bots.bot]\ncommand = ['sleep', '600']\nmode = 'paper'\nready = '300ms'\n");
    let done = desk.run(&["start", "bot"]).expect(0);
    assert!(done.stdout.contains("ready"), "{}", done.stdout);
    assert_eq!(desk.state("bot"), "running");
    assert!(desk.events("bot").contains(&"ready".to_owned()));
}

#[test]
fn a_start_that_cannot_execute_says_why_in_words() {
    let bot = |name: &str, command: &str, more: &str| {
        format!("[bots.{name}]\ncommand = ['{command}']\nmode = 'paper'\nrestart = 'always'\n{more}\n")
    };
    let desk = Desk::new(
        &[
            bot("missing", "./missing", ""),
            bot("path", "no-such-program-anywhere", ""),
            bot("folder", "FOLDER", ""),
            bot("mode", "./mode.sh", ""),
            bot("bare", "./bare.sh", ""),
            bot("interpreter", "./interpreter.sh", ""),
            bot("cwd", "/bin/true", "cwd = 'gone'"),
            bot("secret", "/bin/true", "env_file = 'secret.env'"),
            bot("user", "/bin/true", "user = 'no-such-user-here'"),
        ]
        .concat(),
    );
    desk.write("mode.sh", "#!/bin/sh\n");
    desk.script("interpreter.sh", "#!/no/such/interpreter\n");
    desk.script("bare.sh", "echo no shell was asked for\n");
    for (name, why) in [
        ("missing", "./missing: no such file"),
        ("path", "no-such-program-anywhere: no such program in PATH"),
        ("folder", "is a folder"),
        ("mode", "./mode.sh: permission denied"),
        ("bare", "./bare.sh: is neither a program nor a script"),
        ("interpreter", "interpreter that its first line names is not there"),
        ("cwd", "gone is not there"),
        ("secret", "secret.env"),
        ("user", "there is no user no-such-user-here"),
    ] {
        if name == "mode" && std::fs::metadata(desk.path("mode.sh")).expect("it").permissions().mode() & 0o111 != 0 {
            skipped("files can be executed here whatever their mode");
            continue;
        }
        let done = desk.run(&["start", name]).expect(1);
        assert!(done.stderr.contains(why), "{name}: {}", done.stderr);
        let seen = desk.status(name);
        assert!(["crashed", "stopped"].contains(&seen["state"].as_str().expect("a word")), "{seen}");
        let events = desk.run(&["events", name]).stdout;
        assert!(events.contains(why), "{name}: {events}");
    }
    assert!(desk.living().is_empty());
}

#[test]
fn an_env_file_that_others_can_read_is_refused() {
    let desk = Desk::new("[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\nenv_file = 'a.env'\n");
    let file = desk.write("a.env", "SECRET=hush\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    let done = desk.run(&["start", "a"]);
    assert!([1, 2].contains(&done.code), "{}", done.said());
    assert!(done.stderr.contains("chmod 600"), "{}", done.stderr);
    assert!(!done.said().contains("hush"));
    assert!(desk.living().is_empty());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    desk.run(&["start", "a"]).expect(0);
    // It opens up while the bot runs: the next run is refused, and says so.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("its mode");
    desk.signal(desk.pid("a"), botwarden::core::signal::Signal::KILL);
    eventually("a next try that says why not", || {
        desk.run(&["events", "a"]).stdout.contains("chmod 600").then_some(())
    });
    let everything = desk.shell("grep -rl hush home || true").stdout;
    assert_eq!(everything, "", "the secret is nowhere of ours");
}

#[test]
fn a_folder_that_the_bot_may_not_enter_is_named() {
    if root() {
        return skipped("root may enter every folder");
    }
    let desk = Desk::new("[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\ncwd = 'closed'\n");
    let closed = desk.path("closed");
    std::fs::create_dir(&closed).expect("a folder");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o0)).expect("its mode");
    let done = desk.run(&["start", "a"]);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).expect("its mode");
    assert!(done.code == 1 && done.stderr.contains("closed"), "{}", done.said());
}
