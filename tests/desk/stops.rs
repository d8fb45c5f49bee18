//! A stop ends the whole tree, whatever it is made of, and tells each process once.

use botwarden::core::signal::Signal;
use botwarden::process;
use serde_json::Value;

use crate::harness::{Desk, alive, eventually};

/// What many of the bots here are made of: `worker(NAME)` counts in the file NAME how often it is told to end, and
/// needs a while for it.
pub const LIB_PY: &str = "\
import os, signal, subprocess, sys, time
def say(name, text):
    with open(name, 'a') as file:
        file.write(text + '\\n')
def worker(name, cleanup=0.2):
    told = 0
    def hear(*_):
        nonlocal told
        told += 1
        say(name, 'told')
    signal.signal(signal.SIGTERM, hear)
    say(name, f'up {os.getpid()}')
    while not told: time.sleep(0.005)
    end = time.monotonic() + cleanup
    while time.monotonic() < end: time.sleep(0.005)
    say(name, 'clean')
    os._exit(0)
";

pub fn bot(script: &str, more: &str) -> Desk {
    let desk = Desk::new(&format!(
        "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'never'\n{more}\n"
    ));
    desk.write("lib.py", LIB_PY);
    desk.write("bot.py", &format!("from lib import *\n{script}"));
    desk.run(&["start", "bot"]).expect(0);
    desk
}

#[track_caller]
fn stop(desk: &Desk) -> Value {
    let report = desk.run(&["stop", "bot", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["outcome"], "stopped");
    assert!(desk.living().is_empty(), "{report}");
    report["bots"][0].clone()
}

/// The number after `up` in the first line of a file.
#[track_caller]
pub fn up(desk: &Desk, file: &str) -> i32 {
    let lines = desk.wait_for_lines(file, 1);
    lines[0].strip_prefix("up ").and_then(|pid| pid.parse().ok()).expect("a process")
}

#[track_caller]
pub fn told_once(desk: &Desk, file: &str) {
    let text = desk.read(file);
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines, ["told", "clean"], "{file}");
}

#[test]
fn nothing_of_a_tree_is_left_however_it_was_planted() {
    let desk = bot(
        "\
def plant(name, daemon=False, session=False):
    if os.fork(): return
    if session: os.setsid()
    if daemon:
        if os.fork(): os._exit(0)
    worker(name)
plant('child')
plant('session', session=True)
plant('daemon', daemon=True, session=True)
if not os.fork():
    if not os.fork():
        if not os.fork(): worker('deep')
        time.sleep(600)
    os._exit(0)
worker('main')
",
        "",
    );
    let files = ["main", "child", "session", "daemon", "deep"];
    let pids = files.map(|file| up(&desk, file));
    let seen = desk.status("bot");
    assert!(seen["processes"].as_u64().is_some_and(|count| count >= 5), "{seen}");
    let report = stop(&desk);
    for (file, pid) in files.iter().zip(pids) {
        assert!(!alive(pid), "{file}");
        assert!(
            report["processes"].as_array().expect("a list").iter().any(|seen| seen["pid"] == pid),
            "{file}: {report}"
        );
    }
    told_once(&desk, "main");
}

#[test]
fn a_bot_that_ignores_sigterm_is_ended_by_sigkill_when_its_time_is_over() {
    let desk = bot(
        "signal.signal(signal.SIGTERM, lambda *_: say('main', 'told'))\nsay('main', f'up {os.getpid()}')\n\
         while True: time.sleep(1)\n",
        "stop = [{ signal = 'SIGTERM', wait = '400ms' }, { signal = 'SIGKILL', wait = '30s' }]",
    );
    up(&desk, "main");
    let report = stop(&desk);
    assert_eq!(report["exit"]["signal"], "SIGKILL");
    assert_eq!(report["processes"][0]["ended_by"], "SIGKILL");
    assert_eq!(desk.read("main").lines().filter(|line| *line == "told").count(), 1);
    assert!(desk.events("bot").contains(&"climbed".to_owned()));
}

#[test]
fn a_ladder_of_several_signals_is_climbed_rung_by_rung() {
    let desk = bot(
        "for name in ('SIGINT', 'SIGTERM', 'SIGUSR1'):\n\
         \x20   signal.signal(getattr(signal, name), lambda *_, name=name: say('main', name))\n\
         say('main', f'up {os.getpid()}')\nwhile True: time.sleep(1)\n",
        "stop = [{ signal = 'SIGINT', wait = '200ms' }, { signal = 'SIGUSR1', wait = '200ms' }, \
         { signal = 'SIGTERM', wait = '200ms' }, { signal = 'SIGKILL', wait = '30s' }]",
    );
    up(&desk, "main");
    stop(&desk);
    assert_eq!(desk.read("main").lines().skip(1).collect::<Vec<_>>(), ["SIGINT", "SIGUSR1", "SIGTERM"]);
}

#[test]
fn what_will_not_end_is_said_to_have_survived_and_kill_ends_it() {
    let desk = bot(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('main', f'up {os.getpid()}')\nwhile True: time.sleep(1)\n",
        "stop = [{ signal = 'SIGTERM', wait = '300ms' }]",
    );
    let pid = up(&desk, "main");
    let report = desk.run(&["stop", "bot", "--json"]).expect(13).json();
    assert_eq!(report["bots"][0]["outcome"], "survived");
    assert!(alive(pid));
    let seen = desk.status("bot");
    assert_eq!(seen["state"], "stopping");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("will not end")), "{seen}");
    desk.run(&["start", "bot"]).expect(1);
    desk.run(&["kill", "bot"]).expect(0);
    assert!(!alive(pid));
}

#[test]
fn a_wrapper_that_forwards_nothing_does_not_keep_its_child_from_being_told_once() {
    let desk = Desk::new("[bots.bot]\ncommand = ['/bin/sh', 'wrap.sh']\nmode = 'paper'\nrestart = 'never'\n");
    desk.write("lib.py", LIB_PY);
    desk.write("bot.py", "from lib import *\nworker('child', 1.0)\n");
    desk.write("wrap.sh", &format!("{} -S bot.py\necho over\n", crate::harness::python()));
    desk.run(&["start", "bot"]).expect(0);
    let child = up(&desk, "child");
    assert_ne!(child, desk.pid("bot"));
    stop(&desk);
    told_once(&desk, "child");
}

#[test]
fn a_forwarder_tells_its_child_and_nobody_else_does() {
    let desk = bot(
        "\
if not os.fork(): worker('child', 0.5)
children = open('/proc/self/task/%d/children' % os.getpid()).read().split()
signal.signal(signal.SIGTERM, lambda *_: [os.kill(int(pid), signal.SIGTERM) for pid in children])
say('main', f'up {os.getpid()}')
os.wait()
os._exit(4)
",
        "",
    );
    up(&desk, "main");
    up(&desk, "child");
    let report = stop(&desk);
    told_once(&desk, "child");
    assert_eq!(report["exit"]["code"], 4);
}

#[test]
fn a_forwarder_that_leaves_at_once_does_not_have_its_child_told_twice() {
    let desk = bot(
        "\
if not os.fork(): worker('child', 1.5)
children = open('/proc/self/task/%d/children' % os.getpid()).read().split()
signal.signal(signal.SIGTERM, lambda *_: [[os.kill(int(pid), signal.SIGTERM) for pid in children], os._exit(4)])
say('main', f'up {os.getpid()}')
while True: time.sleep(60)
",
        "stop = [{ signal = 'SIGTERM', wait = '30s' }, { signal = 'SIGKILL', wait = '5s' }]\n",
    );
    up(&desk, "main");
    up(&desk, "child");
    let report = stop(&desk);
    told_once(&desk, "child");
    assert_eq!(report["exit"]["code"], 4);
}

#[test]
fn what_a_catching_bot_leaves_behind_and_does_not_catch_is_told_when_the_bot_is_gone() {
    let desk = bot(
        "\
if not os.fork(): os.execlp('sleep', 'sleep', '600')
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
say('main', f'up {os.getpid()}')
while True: time.sleep(60)
",
        "stop = [{ signal = 'SIGTERM', wait = '1h' }, { signal = 'SIGKILL', wait = '5s' }]\n",
    );
    up(&desk, "main");
    let report = stop(&desk);
    let ended: Vec<&str> =
        report["processes"].as_array().into_iter().flatten().filter_map(|p| p["ended_by"].as_str()).collect();
    assert_eq!(ended, ["SIGTERM", "SIGTERM"], "{report}");
}

#[test]
fn a_stopped_bot_acts_on_its_signal() {
    let desk = bot("worker('main')\n", "");
    let pid = up(&desk, "main");
    desk.signal(pid, "SIGSTOP".parse().expect("a signal"));
    eventually("a stopped process", || process::stat(pid).filter(|stat| stat.state == b'T'));
    let report = stop(&desk);
    told_once(&desk, "main");
    assert_eq!(report["exit"]["code"], 0);
}

#[test]
fn a_bot_that_closed_its_lock_is_an_orphan_all_the_same() {
    let desk = bot("os.closerange(3, 4096)\nworker('main')\n", "");
    let pid = up(&desk, "main");
    desk.kill_keeper("bot");
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &pid.into()));
    desk.run(&["start", "bot"]).expect(1);
    assert!(alive(pid));
    stop(&desk);
    told_once(&desk, "main");
}

#[test]
fn a_daemon_that_closed_its_lock_and_lost_its_parents_is_known_by_its_mark() {
    let desk = bot(
        "if not os.fork():\n    os.setsid()\n    if os.fork(): os._exit(0)\n    os.closerange(0, 4096)\n    worker('daemon')\n\
         worker('main')\n",
        "",
    );
    let (main, daemon) = (up(&desk, "main"), up(&desk, "daemon"));
    desk.kill_keeper("bot");
    desk.signal(main, Signal::KILL);
    eventually("the end of its main process", || (!alive(main)).then_some(()));
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &daemon.into()));
    desk.run(&["start", "bot"]).expect(1);
    stop(&desk);
    told_once(&desk, "daemon");
}

#[test]
fn an_orphaned_tree_is_ended_whole() {
    let desk = bot(
        "for name in ('a', 'b', 'c'):\n    if not os.fork():\n        os.setsid()\n        worker(name)\nworker('main')\n",
        "",
    );
    let files = ["main", "a", "b", "c"];
    let pids = files.map(|file| up(&desk, file));
    desk.kill_keeper("bot");
    let report = stop(&desk);
    assert!(pids.iter().all(|pid| !alive(*pid)), "{report}");
    told_once(&desk, "main");
}

#[test]
fn a_storm_of_processes_that_fork_and_flee_is_ended() {
    let desk = bot(
        "\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def flee():
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if os.fork(): os._exit(0)
        os.setsid()
        time.sleep(0.1)
    os._exit(0)
for _ in range(60):
    if not os.fork(): flee()
say('main', f'up {os.getpid()}')
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True: time.sleep(1)
",
        "stop = [{ signal = 'SIGTERM', wait = '200ms' }, { signal = 'SIGKILL', wait = '30s' }]",
    );
    up(&desk, "main");
    stop(&desk);
}

#[test]
fn what_a_bot_leaves_behind_is_ended_before_it_runs_again() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'always'\n\
         backoff = { first = '10ms', give_up_after = 0 }\n",
    );
    desk.write("lib.py", LIB_PY);
    desk.write(
        "bot.py",
        "from lib import *\n\
         last = open('child').read().splitlines() if os.path.exists('child') else []\n\
         say('seen', f'found {len(last)} lines, last {last[-1] if last else None}')\n\
         if last: time.sleep(600)\n\
         if not os.fork():\n    os.setsid()\n    worker('child')\n\
         while not os.path.exists('child'): time.sleep(0.005)\n\
         os._exit(1)\n",
    );
    desk.run(&["start", "bot"]).expect(0);
    let seen = desk.wait_for_lines("seen", 2);
    assert_eq!(seen[1], "found 3 lines, last clean");
    told_once(&desk, "child");
    desk.wait_for("bot", "running");
}

#[test]
fn a_child_whose_parent_ends_at_once_when_told_is_told_once() {
    let desk = bot(
        "if not os.fork(): worker('child', 0.5)\nsay('main', f'up {os.getpid()}')\nwhile True: time.sleep(1)\n",
        "",
    );
    up(&desk, "main");
    up(&desk, "child");
    stop(&desk);
    told_once(&desk, "child");
}

#[test]
fn a_keeper_killed_in_the_middle_of_a_stop_does_not_end_the_stop_and_nobody_is_told_twice() {
    let desk = bot("worker('main', 1.5)\n", "");
    let pid = up(&desk, "main");
    let stop = desk.command(&["stop", "bot"]).spawn().expect("it executes");
    desk.wait_for_lines("main", 2);
    eventually("its event", || desk.events("bot").contains(&"stopping".to_owned()).then_some(()));
    desk.kill_keeper("bot");
    let output = stop.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    assert!(!alive(pid));
    assert_eq!(desk.state("bot"), "stopped");
    assert!(desk.living().is_empty());
    told_once(&desk, "main");
}
