//! A keeper may die at any time, however it dies: its bot lives on, loses no line, and gets another keeper.

use botwarden::core::signal::Signal;
use serde_json::Value;

use crate::harness::{Desk, alive, can, eventually, has, kernel_tells_exits, root, skipped};

const COUNTER: &str = r#"
[bots.counter]
command = ["PYTHON", "counter.py"]
mode = "paper"
"#;

/// Counts aloud, and ends with 7 when asked.
const COUNTER_PY: &str = "\
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(f'up {os.getpid()}', file=open('up', 'a'))
n = 0
while True:
    print(n, flush=True)
    n += 1
    time.sleep(0.002)
";

fn counter() -> Desk {
    let desk = Desk::new(COUNTER);
    desk.write("counter.py", COUNTER_PY);
    desk.run(&["start", "counter"]).expect(0);
    desk.wait_for_log("counter", "9\n");
    desk
}

/// Every number from 0 on, once, in order; how many there are.
#[track_caller]
fn whole(log: &str) -> usize {
    for (expected, line) in log.lines().enumerate() {
        assert_eq!(line, expected.to_string());
    }
    log.lines().count()
}

#[test]
fn kill_9_of_a_keeper_costs_the_bot_nothing() {
    let desk = counter();
    let pid = desk.pid("counter");
    desk.kill_keeper("counter");
    let seen = desk.status("counter");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &pid.into()));
    let so_far = whole(&desk.logs("counter"));
    eventually("more lines", || (whole(&desk.logs("counter")) > so_far + 10).then_some(()));
    let refused = desk.run(&["start", "counter"]).expect(1);
    assert!(refused.stderr.contains("orphaned"), "{}", refused.stderr);
    let up = desk.run(&["up", "--json"]).expect(0).json();
    assert_eq!((&up["bots"][0]["outcome"], &up["bots"][0]["pid"]), (&"adopted".into(), &pid.into()));
    let seen = desk.status("counter");
    assert_eq!((&seen["state"], &seen["pid"]), (&"running".into(), &pid.into()));
    let so_far = whole(&desk.logs("counter"));
    eventually("more lines", || (whole(&desk.logs("counter")) > so_far + 10).then_some(()));
    let report = desk.run(&["stop", "counter", "--json"]).expect(0).json();
    assert!(!alive(pid));
    assert_eq!(report["bots"][0]["outcome"], "stopped");
    let seen = desk.status("counter");
    assert_eq!(seen["state"], "stopped");
    if kernel_tells_exits() {
        assert_eq!(report["bots"][0]["exit"]["code"], 7, "{report}");
        assert_eq!(seen["last_exit"]["code"], 7);
    } else {
        skipped("this kernel does not tell others how a process ended");
        assert_eq!(seen["last_exit"]["code"], Value::Null);
    }
    whole(&desk.logs("counter"));
}

#[test]
fn an_orphan_is_stopped_without_up_too() {
    let desk = counter();
    desk.kill_keeper("counter");
    desk.run(&["stop", "counter"]).expect(0);
    assert_eq!(desk.state("counter"), "stopped");
    assert!(desk.living().is_empty());
}

#[test]
fn an_orphan_that_ends_by_itself_is_not_called_stopped_on_request() {
    let desk = counter();
    let pid = desk.pid("counter");
    desk.kill_keeper("counter");
    desk.signal(pid, Signal::KILL);
    let seen = desk.wait_for("counter", "crashed");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("nobody saw")), "{seen}");
    // It ran until something other than a stop ended it: it should run.
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.state("counter"), "running");
}

#[test]
fn a_re_kept_bot_is_restarted_by_its_policy() {
    let desk = Desk::new(&format!("{COUNTER}backoff = {{ first = '10ms', give_up_after = 0 }}\n"));
    desk.write("counter.py", COUNTER_PY);
    desk.run(&["start", "counter"]).expect(0);
    let before = desk.pid("counter");
    desk.kill_keeper("counter");
    desk.run(&["up"]).expect(0);
    desk.signal(before, Signal::KILL);
    eventually("another run", || (desk.pid("counter") != before).then_some(()));
    desk.wait_for("counter", "running");
    desk.run(&["restart", "counter"]).expect(0);
    desk.run(&["stop", "counter"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn a_re_kept_bot_can_be_restarted_and_its_new_run_is_a_child_of_the_keeper() {
    let desk = counter();
    let before = desk.pid("counter");
    desk.kill_keeper("counter");
    desk.run(&["up"]).expect(0);
    desk.run(&["restart", "counter"]).expect(0);
    let after = desk.pid("counter");
    assert!(before != after && !alive(before) && alive(after));
    assert_eq!(botwarden::process::stat(after).expect("it lives").parent, desk.keeper("counter").pid());
    desk.wait_for_lines("up", 2);
    desk.run(&["stop", "counter"]).expect(0);
    assert_eq!(desk.status("counter")["last_exit"]["code"], 7);
}

#[test]
fn a_keeper_is_killed_a_dozen_times_and_the_bot_is_the_same() {
    let desk = counter();
    let pid = desk.pid("counter");
    for _ in 0..12 {
        desk.kill_keeper("counter");
        desk.run(&["up"]).expect(0);
        assert_eq!(desk.pid("counter"), pid);
    }
    assert_eq!(desk.state("counter"), "running");
    desk.run(&["stop", "counter"]).expect(0);
    whole(&desk.logs("counter"));
}

#[test]
fn up_is_quiet_when_there_is_nothing_to_do() {
    let desk = Desk::new(
        "[bots.auto]\ncommand = ['sleep', '600']\nmode = 'paper'\nautostart = true\n\
         [bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n",
    );
    let up = desk.run(&["up"]).expect(0);
    assert!(up.stdout.contains("auto"), "{}", up.stdout);
    assert_eq!((desk.state("auto").as_str(), desk.state("other").as_str()), ("running", "stopped"));
    let pid = desk.pid("auto");
    for _ in 0..3 {
        let up = desk.run(&["up"]).expect(0);
        assert_eq!((up.stdout.as_str(), up.stderr.as_str()), ("", ""));
    }
    assert_eq!(desk.pid("auto"), pid);
    desk.run(&["stop", "auto"]).expect(0);
    let up = desk.run(&["up"]).expect(0);
    assert_eq!((up.stdout.as_str(), up.stderr.as_str()), ("", ""));
    assert_eq!(desk.state("auto"), "stopped", "an operator stopped it");
}

/// As after a power cut: nothing lives, and the records are of another boot.
fn reboot(desk: &Desk, bots: &[&str]) {
    for bot in bots {
        let record = desk.record(bot);
        if let Some(keeper) = record.keeper.as_ref().and_then(botwarden::process::Held::open) {
            keeper.signal(Signal::KILL).expect("it is ours");
            assert!(keeper.wait(std::time::Duration::from_mins(1)));
        }
    }
    for pid in desk.living() {
        desk.signal(pid, Signal::KILL);
    }
    eventually("an empty desk", || desk.living().is_empty().then_some(()));
    for bot in bots {
        let path = desk.bot_folder(bot).join("run.json");
        let text = std::fs::read_to_string(&path).expect("a record");
        std::fs::write(&path, text.replace(botwarden::process::boot_id(), "another-boot")).expect("written");
    }
}

#[test]
fn after_a_reboot_up_starts_what_ran_and_not_what_was_stopped() {
    let bot = |name: &str, more: &str| format!("[bots.{name}]\ncommand = ['sleep', '600']\nmode = 'paper'\n{more}\n");
    let desk = Desk::new(&[bot("ran", ""), bot("stopped", "autostart = true"), bot("never", "")].concat());
    desk.run(&["start", "ran", "stopped"]).expect(0);
    desk.run(&["stop", "stopped"]).expect(0);
    let before = desk.record("ran").run;
    reboot(&desk, &["ran", "stopped"]);
    assert_eq!(desk.state("ran"), "crashed");
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.state("ran"), "running");
    assert_ne!(desk.record("ran").run, before);
    assert_eq!((desk.state("stopped").as_str(), desk.state("never").as_str()), ("stopped", "stopped"));
}

#[test]
fn up_does_not_try_again_what_has_failed_until_the_next_boot() {
    let desk = Desk::new(
        "[bots.bad]\ncommand = ['/bin/sh', '-c', 'exit 3']\nmode = 'paper'\nautostart = true\n\
         backoff = { first = '5ms', give_up_after = 2 }\n\
         [bots.done]\ncommand = ['/bin/sh', '-c', 'exit 0']\nmode = 'paper'\nautostart = true\n",
    );
    desk.run(&["up"]).expect(0);
    desk.wait_for("bad", "failed");
    desk.wait_for("done", "exited");
    let run = desk.record("bad").run;
    for _ in 0..3 {
        let up = desk.run(&["up"]).expect(0);
        assert_eq!((up.stdout.as_str(), up.stderr.as_str()), ("", ""));
    }
    assert_eq!(desk.record("bad").run, run);
    reboot(&desk, &["bad", "done"]);
    desk.run(&["up"]).expect(0);
    assert_ne!(desk.record("bad").run, run, "a new boot, a new chance");
}

#[test]
fn sigterm_to_a_keeper_stops_its_bot_gracefully_and_up_starts_it_again() {
    let desk = counter();
    let keeper = desk.keeper("counter");
    let pid = desk.pid("counter");
    keeper.signal(Signal::TERM).expect("it is ours");
    let seen = desk.wait_for("counter", "stopped");
    assert!(!alive(pid));
    assert_eq!(seen["last_exit"]["code"], 7, "it was asked, and ended as it wanted to");
    assert!(!desk.bot_folder("counter").join("down").exists());
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.state("counter"), "running");
}

#[test]
fn other_signals_do_not_end_a_keeper() {
    let desk = counter();
    let keeper = desk.keeper("counter");
    for signal in ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGPIPE", "SIGWINCH", "SIGTSTP", "SIGTTOU"] {
        keeper.signal(signal.parse().expect("a signal")).expect("it is ours");
    }
    assert_eq!(desk.state("counter"), "running");
    assert!(!keeper.has_ended());
    desk.run(&["stop", "counter"]).expect(0);
}

#[test]
fn a_shutdown_that_signals_everybody_reaches_the_bot_once() {
    if !root() || !has("unshare") || !can("unshare -pf --mount-proc true") {
        return skipped("a pid namespace cannot be made here");
    }
    let desk = Desk::new("[bots.bot]\ncommand = ['PYTHON', 'bot.py']\nmode = 'paper'\n");
    desk.write(
        "bot.py",
        "import signal, time\n\
         told = 0\n\
         def hear(*_):\n    global told\n    told += 1\n    open('told', 'a').write('told\\n')\n\
         signal.signal(signal.SIGTERM, hear)\n\
         open('ready', 'w').write('ready\\n')\n\
         while not told: time.sleep(0.01)\n\
         for _ in range(150): time.sleep(0.01)\n\
         open('told', 'a').write('done\\n')\n",
    );
    let line = "trap '' TERM; \"$BOTWARDEN\" start bot || exit 9; until [ -s ready ]; do sleep 0.01; done; kill -TERM -1; \
                until grep -q done told; do sleep 0.01; done; \"$BOTWARDEN\" stop bot --json";
    let done = desk.shell(&format!("exec unshare -pf --mount-proc /bin/sh -c '{}'", line.replace('\'', "'\\''")));
    assert_eq!(done.code, 0, "{}", done.said());
    assert_eq!(desk.read("told"), "told\ndone\n");
}

#[test]
fn a_keeper_that_does_not_answer_is_unknown_and_does_not_stand_in_the_way_of_a_stop() {
    let desk = counter();
    let pid = desk.pid("counter");
    let keeper = desk.keeper("counter");
    keeper.signal("SIGSTOP".parse().expect("a signal")).expect("it is ours");
    let seen = desk.status("counter");
    assert_eq!((&seen["state"], &seen["was"]), (&"unknown".into(), &"running".into()));
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("does not answer")), "{seen}");
    assert_eq!(seen["pid"], pid);
    desk.run(&["start", "counter"]).expect(1);
    let report = desk.run(&["stop", "counter", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["outcome"], "stopped");
    assert!(keeper.has_ended() && !alive(pid));
    assert_eq!(desk.state("counter"), "stopped");
}

#[test]
fn a_keeper_that_does_not_answer_does_not_stand_in_the_way_of_a_restart() {
    let desk = counter();
    let pid = desk.pid("counter");
    let keeper = desk.keeper("counter");
    keeper.signal("SIGSTOP".parse().expect("a signal")).expect("it is ours");
    desk.run(&["restart", "counter"]).expect(0);
    assert!(keeper.has_ended() && !alive(pid));
    assert_eq!(desk.state("counter"), "running");
}

#[test]
fn a_logout_costs_nothing_that_was_started_in_the_session() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = counter();
    desk.run(&["stop", "counter"]).expect(0);
    let socket = desk.path("tmux.sock");
    let tmux = |args: &[&str]| {
        let mut command = std::process::Command::new("tmux");
        desk.dress(&mut command);
        crate::harness::finish(command.env("TERM", "xterm").arg("-S").arg(&socket).args(args))
    };
    let line = "\"$BOTWARDEN\" start counter && touch started; exec sleep 600";
    let session = tmux(&["-f", "/dev/null", "new-session", "-d", "/bin/sh", "-c", line]);
    assert_eq!(session.code, 0, "{}", session.said());
    eventually("a start inside tmux", || desk.path("started").exists().then_some(()));
    let (pid, keeper) = (desk.pid("counter"), desk.keeper("counter").pid());
    tmux(&["kill-server"]);
    eventually("the end of tmux", || (tmux(&["list-sessions"]).code != 0).then_some(()));
    let seen = desk.status("counter");
    assert_eq!((&seen["state"], &seen["pid"], &seen["keeper_pid"]), (&"running".into(), &pid.into(), &keeper.into()));
    assert!(desk.logs("counter").lines().count() > 0);
}

#[test]
fn a_terminal_that_hangs_up_costs_nothing() {
    let desk = counter();
    desk.run(&["stop", "counter"]).expect(0);
    // A session leader with a terminal of its own: when it ends, the kernel hangs up on everybody of its session.
    desk.write(
        "terminal.py",
        "import os, pty\n\
         pid, fd = pty.fork()\n\
         if pid == 0:\n    os.execv('/bin/sh', ['sh', '-c', '\"$BOTWARDEN\" start counter && touch started; echo there; sleep 600'])\n\
         while not os.path.exists('started'):\n    os.read(fd, 1000)\n\
         os.close(fd)\nos.waitpid(pid, 0)\n",
    );
    let done = desk.shell(&format!("exec {} terminal.py", crate::harness::python()));
    assert_eq!(done.code, 0, "{}", done.said());
    assert_eq!(desk.state("counter"), "running");
    assert!(!desk.keeper("counter").has_ended());
}
