//! Several hands at one bot at the same time: there is never a second copy.

use std::process::{Child, Command};

use crate::harness::{Desk, alive, eventually};

/// Takes a lock of its own. A copy that does not get it says so in `twice`; whoever gets it says so in `runs`.
const ONLY_PY: &str = "\
import fcntl, os, sys, time
file = open('only.lock', 'w')
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open('twice', 'a').write(f'{os.getpid()}\\n')
    sys.exit(1)
open('runs', 'a').write(f'{os.getpid()}\\n')
time.sleep(600)
";

const ONLY: &str = "[bots.only]\ncommand = ['PYTHON', '-S', 'only.py']\nmode = 'paper'\nrestart = 'never'\n\
                    stop = [{ signal = 'SIGKILL', wait = '30s' }]\n";

fn only() -> Desk {
    let desk = Desk::new(ONLY);
    desk.write("only.py", ONLY_PY);
    desk
}

fn begin(desk: &Desk, args: &[&str]) -> Child {
    let mut command: Command = desk.command(args);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("it executes")
}

#[track_caller]
fn end(child: Child) -> (i32, String) {
    let output = child.wait_with_output().expect("its end");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn two_starts_at_once_a_hundred_times_make_one_copy_each_time() {
    let desk = only();
    for round in 1..=100 {
        let starts = [begin(&desk, &["start", "only"]), begin(&desk, &["start", "only"])];
        for start in starts {
            let (code, said) = end(start);
            assert_eq!(code, 0, "round {round}: {said}");
        }
        let runs = desk.wait_for_lines("runs", round);
        assert_eq!(runs.len(), round, "{runs:?}");
        assert_eq!(runs[round - 1], desk.pid("only").to_string());
        desk.run(&["stop", "only"]).expect(0);
    }
    assert_eq!(desk.read("twice"), "");
    assert_eq!(desk.read("runs").lines().count(), 100);
}

#[test]
fn many_starts_at_once_make_one_copy() {
    let desk = only();
    for round in 1..=5 {
        let starts: Vec<Child> = (0..12).map(|_| begin(&desk, &["start", "only"])).collect();
        for start in starts {
            let (code, said) = end(start);
            assert_eq!(code, 0, "round {round}: {said}");
        }
        assert_eq!(desk.wait_for_lines("runs", round).len(), round);
        desk.run(&["stop", "only"]).expect(0);
    }
    assert_eq!(desk.read("twice"), "");
}

#[test]
fn a_start_and_a_stop_at_once_leave_one_copy_or_none_and_the_file_says_which() {
    let desk = only();
    for round in 0..60 {
        let start = begin(&desk, &["start", "only"]);
        let stop = begin(&desk, &["stop", "only"]);
        let (stopped, said) = end(stop);
        assert_eq!(stopped, 0, "round {round}: a stop is done whatever else happens: {said}");
        let (started, said) = end(start);
        assert!([0, 1].contains(&started), "round {round}: {said}");
        let seen = desk.status("only");
        let down = desk.bot_folder("only").join("down").exists();
        match seen["state"].as_str() {
            Some("running") => assert!(!down && started == 0, "round {round}: {seen}\n{}", desk.story("only")),
            Some("stopped") => assert!(down, "round {round}: {seen}\n{}", desk.story("only")),
            _ => panic!("round {round}: {seen}"),
        }
        desk.run(&["stop", "only"]).expect(0);
    }
    assert_eq!(desk.read("twice"), "");
    assert!(desk.living().is_empty());
}

#[test]
fn a_start_while_the_keeper_is_killed_makes_no_second_copy() {
    let desk = only();
    for round in 0..40 {
        desk.run(&["start", "only"]).expect(0);
        let pid = desk.pid("only");
        let keeper = desk.keeper("only");
        let start = begin(&desk, &["start", "only"]);
        keeper.signal(botwarden::core::signal::Signal::KILL).expect("it is ours");
        let (code, said) = end(start);
        assert!([0, 1].contains(&code), "round {round}: {said}");
        assert!(alive(pid));
        desk.run(&["stop", "only"]).expect(0);
        assert!(!alive(pid));
    }
    assert_eq!(desk.read("twice"), "");
}

#[test]
fn a_keeper_killed_at_any_moment_of_a_start_leaves_one_copy_that_up_finds() {
    let desk = only();
    for round in 0..40_u64 {
        let start = begin(&desk, &["start", "only"]);
        // Not to make the test right, but to come at ever other moments.
        std::thread::sleep(std::time::Duration::from_micros(round * 400));
        for pid in desk.living() {
            let is_keeper = botwarden::process::mark(pid).is_none();
            if let Some(held) = botwarden::process::identify(pid)
                .and_then(|id| botwarden::process::Held::open(&id))
                .filter(|_| is_keeper)
            {
                let _ = held.signal(botwarden::core::signal::Signal::KILL);
            }
        }
        let (code, said) = end(start);
        assert!([0, 1].contains(&code), "round {round}: {said}");
        desk.run(&["up"]).expect(0);
        let again = desk.run(&["start", "only"]).expect(0);
        assert_eq!(desk.state("only"), "running", "round {round}: {}", again.said());
        desk.run(&["stop", "only"]).expect(0);
    }
    assert_eq!(desk.read("twice"), "");
    assert!(desk.living().is_empty());
}

#[test]
fn two_ups_at_once_give_an_orphan_one_keeper() {
    let desk = only();
    desk.run(&["start", "only"]).expect(0);
    desk.wait_for_lines("runs", 1);
    for round in 0..25 {
        desk.kill_keeper("only");
        let ups = [begin(&desk, &["up"]), begin(&desk, &["up"]), begin(&desk, &["up"])];
        for up in ups {
            let (code, said) = end(up);
            assert_eq!(code, 0, "round {round}: {said}");
        }
        assert_eq!(desk.state("only"), "running");
    }
    assert_eq!((desk.read("twice").as_str(), desk.read("runs").lines().count()), ("", 1));
}

#[test]
fn two_stops_at_once_are_one() {
    let desk = Desk::new("[bots.bot]\ncommand = ['PYTHON', 'bot.py']\nmode = 'paper'\n");
    desk.write(
        "bot.py",
        "import os, signal, time\n\
         def end(*_):\n    open('told', 'a').write('told\\n')\n    global over\n    over = time.monotonic() + 0.3\n\
         over = None\nsignal.signal(signal.SIGTERM, end)\nopen('up', 'a').write('up\\n')\n\
         while over is None or time.monotonic() < over: time.sleep(0.01)\n",
    );
    for round in 1..=5 {
        desk.run(&["start", "bot"]).expect(0);
        desk.wait_for_lines("up", round);
        let stops: Vec<Child> = (0..4).map(|_| begin(&desk, &["stop", "bot"])).collect();
        for stop in stops {
            let (code, said) = end(stop);
            assert_eq!(code, 0, "{said}");
        }
        assert_eq!(desk.read("told").lines().count(), round, "told once each time");
    }
}

#[test]
fn two_restarts_at_once_leave_one_copy() {
    let desk = only();
    desk.run(&["start", "only"]).expect(0);
    desk.wait_for_lines("runs", 1);
    for round in 0..10 {
        let restarts = [begin(&desk, &["restart", "only"]), begin(&desk, &["restart", "only"])];
        for restart in restarts {
            let (code, said) = end(restart);
            assert_eq!(code, 0, "round {round}: {said}\n{}", desk.story("only"));
        }
        assert_eq!(desk.state("only"), "running");
        eventually("the new run at work", || {
            let pid = desk.pid("only").to_string();
            desk.read("runs").lines().any(|line| line == pid).then_some(())
        });
    }
    assert_eq!(desk.read("twice"), "");
}
