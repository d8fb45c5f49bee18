//! Bots that do what bots should not: whatever they are, none is called stopped that lives, and none outlives its stop.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use botwarden::core::signal::Signal;
use botwarden::process;
use serde_json::Value;

use crate::harness::{Desk, alive, can, eventually, has, root, skipped};
use crate::stops::{LIB_PY, bot, told_once, up};

#[track_caller]
fn stop(desk: &Desk) -> Value {
    let report = desk.run(&["stop", "bot", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["outcome"], "stopped", "{report}");
    assert!(desk.living().is_empty(), "{:?}: {report}", desk.living());
    assert_eq!(desk.state("bot"), "stopped", "{report}");
    report["bots"][0].clone()
}

fn signal(name: &str) -> Signal {
    name.parse().expect("a signal")
}

/// Two hundred processes, each of which forks, leaves its session, and ends, again and again.
const STORM: &str = "\
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def flee():
    end = time.monotonic() + 300
    while time.monotonic() < end:
        if os.fork(): os._exit(0)
        os.setsid()
        time.sleep(0.3)
    os._exit(0)
for number in range(200):
    if not os.fork():
        time.sleep(number / 700)
        flee()
say('main', f'up {os.getpid()}')
while True: time.sleep(1)
";
const STORM_LADDER: &str = "stop = [{ signal = 'SIGTERM', wait = '200ms' }, { signal = 'SIGKILL', wait = '1m' }]";

#[test]
fn two_hundred_processes_that_fork_and_flee_are_ended() {
    let desk = bot(STORM, STORM_LADDER);
    up(&desk, "main");
    stop(&desk);
}

#[test]
fn two_hundred_processes_that_fork_and_flee_are_ended_without_their_keeper_too() {
    let desk = bot(STORM, STORM_LADDER);
    let pid = up(&desk, "main");
    desk.kill_keeper("bot");
    assert_eq!(desk.state("bot"), "orphaned");
    stop(&desk);
    assert!(!alive(pid));
}

/// From now on everything of this desk is done by somebody who is not root, and can make no control groups where that
/// is not given to users. False, said out loud, if that cannot be.
pub fn by_nobody(desk: &mut Desk) -> bool {
    if !root() {
        return true;
    }
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_botwarden"));
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    // In a shell: what setpriv executes, it looks up as root.
    let may = |line: &str| can(&format!("{nobody} /bin/sh -c '{line}'"));
    let python =
        [crate::harness::python(), "/usr/bin/python3"].into_iter().find(|python| may(&format!("{python} -S -c 1")));
    let (Some(python), true) = (python, may(&format!("{} --version", binary.display()))) else {
        skipped("nobody else can execute the binary or Python here");
        return false;
    };
    let configuration = desk.read("botwarden.toml").replace(crate::harness::python(), python);
    desk.configure(&configuration);
    let wrapper = desk.script("botwarden.sh", &format!("#!/bin/sh\nexec {nobody} {} \"$@\"\n", binary.display()));
    std::os::unix::fs::chown(desk.folder(), Some(65534), Some(65534)).expect("its owner");
    desk.use_binary(&wrapper);
    true
}

#[test]
fn two_hundred_processes_that_fork_and_flee_are_ended_where_there_are_no_control_groups() {
    for keeper in [true, false] {
        let mut desk = Desk::new(&format!(
            "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'never'\n{STORM_LADDER}\n"
        ));
        desk.write("lib.py", LIB_PY);
        desk.write("bot.py", &format!("from lib import *\n{STORM}"));
        if !by_nobody(&mut desk) {
            return;
        }
        desk.run(&["start", "bot"]).expect(0);
        // A user's session may have been given groups to make.
        assert!(!root() || desk.record("bot").cgroup.is_none());
        let pid = up(&desk, "main");
        if !keeper {
            desk.kill_keeper("bot");
        }
        stop(&desk);
        assert!(!alive(pid));
    }
}

#[test]
fn a_bot_that_closed_everything_is_told_once() {
    for keeper in [true, false] {
        let desk = bot("os.closerange(0, 65536)\nworker('main')\n", "");
        let pid = up(&desk, "main");
        if !keeper {
            desk.kill_keeper("bot");
        }
        let report = stop(&desk);
        assert!(!alive(pid));
        assert_eq!(report["pid"], pid);
        told_once(&desk, "main");
    }
}

#[test]
fn a_bot_that_ignores_sigterm_does_not_outlive_its_stop_without_its_keeper_either() {
    let desk = bot(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay('main', f'up {os.getpid()}')\nwhile True: time.sleep(1)\n",
        "stop = [{ signal = 'SIGTERM', wait = '300ms' }, { signal = 'SIGKILL', wait = '30s' }]",
    );
    up(&desk, "main");
    desk.kill_keeper("bot");
    let report = stop(&desk);
    assert_eq!(report["processes"][0]["ended_by"], "SIGKILL", "{report}");
}

#[test]
fn a_bot_that_becomes_a_daemon_is_never_called_over_while_its_daemon_lives() {
    let desk = bot(
        "if not os.fork():\n    os.setsid()\n    if os.fork(): os._exit(0)\n    os.closerange(0, 4096)\n    worker('daemon', 1.0)\n\
         while not os.path.exists('daemon'): time.sleep(0.005)\nos._exit(0)\n",
        "",
    );
    let daemon = up(&desk, "daemon");
    // Its run is not over before its tree is empty; what its main process leaves behind is ended.
    eventually("its end", || {
        let lived = alive(daemon);
        let state = desk.state("bot");
        assert!(!lived || !alive(daemon) || !["stopped", "exited", "crashed"].contains(&&*state), "{state}");
        (state == "exited").then_some(())
    });
    assert!(!alive(daemon));
    told_once(&desk, "daemon");
    desk.run(&["stop", "bot"]).expect(0);
}

#[test]
fn a_bot_that_becomes_a_daemon_while_its_keeper_is_dead_is_stopped() {
    let desk = bot(
        "while not os.path.exists('go'): time.sleep(0.005)\nif os.fork(): os._exit(0)\nos.setsid()\n\
         if os.fork(): os._exit(0)\nos.closerange(0, 4096)\nworker('daemon')\n",
        "",
    );
    // Its record has its number a moment after the start.
    let main = desk.pid("bot");
    desk.kill_keeper("bot");
    desk.write("go", "");
    let daemon = up(&desk, "daemon");
    eventually("the end of its main process", || (!alive(main)).then_some(()));
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"orphaned".into(), &daemon.into()), "{seen}");
    desk.run(&["start", "bot"]).expect(1);
    stop(&desk);
    told_once(&desk, "daemon");
}

#[test]
fn a_bot_that_goes_by_another_name_is_the_same_bot() {
    for keeper in [true, false] {
        let desk = bot(
            "\
import ctypes
libc = ctypes.CDLL(None)
libc.prctl(15, b'sshd', 0, 0, 0)
# The arguments themselves: the kernel shows whatever stands there.
fields = open('/proc/self/stat').read().rsplit(')', 1)[1].split()
start, end = int(fields[45]), int(fields[46])
if start: ctypes.memmove(start, b'x' * (end - start - 1) + b'\\0', end - start)
worker('main')
",
            "",
        );
        let pid = up(&desk, "main");
        assert_eq!(process::short_name(pid).as_deref(), Some("sshd"));
        if !keeper {
            desk.kill_keeper("bot");
        }
        let seen = desk.status("bot");
        assert_eq!((&seen["state"], &seen["pid"]), (&if keeper { "running" } else { "orphaned" }.into(), &pid.into()));
        let report = stop(&desk);
        assert!(!alive(pid));
        assert_eq!(report["processes"].as_array().map(Vec::len), Some(1), "{report}");
        told_once(&desk, "main");
    }
}

#[test]
fn a_wrapper_that_forwards_nothing_and_lost_its_keeper_does_not_keep_its_child_alive() {
    let desk = Desk::new("[bots.bot]\ncommand = ['/bin/sh', 'wrap.sh']\nmode = 'paper'\nrestart = 'never'\n");
    desk.write("lib.py", LIB_PY);
    desk.write("bot.py", "from lib import *\nworker('child', 0.5)\n");
    desk.write("wrap.sh", &format!("{} -S bot.py\necho over\n", crate::harness::python()));
    desk.run(&["start", "bot"]).expect(0);
    let (wrapper, child) = (desk.pid("bot"), up(&desk, "child"));
    desk.kill_keeper("bot");
    stop(&desk);
    assert!(!alive(wrapper) && !alive(child));
    told_once(&desk, "child");
}

#[test]
fn a_zombie_that_nobody_reaps_does_not_count_as_alive() {
    for keeper in [true, false] {
        let desk =
            bot("child = os.fork()\nif not child: os._exit(3)\nsay('child', f'up {child}')\nworker('main')\n", "");
        let (pid, child) = (up(&desk, "main"), up(&desk, "child"));
        eventually("a zombie", || process::stat(child).filter(|stat| stat.state == b'Z'));
        if !keeper {
            desk.kill_keeper("bot");
        }
        let report = stop(&desk);
        assert!(!alive(pid));
        let listed = report["processes"].as_array().expect("a list").iter().any(|seen| seen["pid"] == child);
        assert!(!listed, "it was over before: {report}");
        told_once(&desk, "main");
    }
}

#[test]
fn a_bot_and_its_children_that_are_stopped_by_sigstop_act_on_their_signals() {
    let desk = bot("if not os.fork():\n    os.setsid()\n    worker('child')\nworker('main')\n", "");
    let pids = [up(&desk, "main"), up(&desk, "child")];
    for pid in pids {
        desk.signal(pid, signal("SIGSTOP"));
        eventually("a stopped process", || process::stat(pid).filter(|stat| stat.state == b'T'));
    }
    desk.kill_keeper("bot");
    assert_eq!(desk.state("bot"), "orphaned");
    stop(&desk);
    assert!(pids.iter().all(|pid| !alive(*pid)));
    told_once(&desk, "main");
}

#[test]
fn a_keeper_that_was_held_is_gone_after_a_stop_and_brings_nothing_back() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['PYTHON', '-S', 'bot.py']\nmode = 'paper'\nrestart = 'always'\n\
         backoff = { first = '10ms', give_up_after = 0 }\n",
    );
    desk.write("lib.py", LIB_PY);
    desk.write("bot.py", "from lib import *\nsay('runs', 'run')\nworker('main', 0.3)\n");
    desk.run(&["start", "bot"]).expect(0);
    let (pid, keeper) = (up(&desk, "main"), desk.keeper("bot"));
    keeper.signal(signal("SIGSTOP")).expect("it is ours");
    eventually("a keeper that is held", || process::stat(keeper.pid()).filter(|stat| stat.state == b'T'));
    let report = stop(&desk);
    assert!(!alive(pid));
    assert!(report["notes"].to_string().contains(&keeper.pid().to_string()), "it is said: {report}");
    keeper.signal(signal("SIGCONT")).expect("one that is gone is no error");
    assert!(keeper.has_ended(), "a keeper that stands in the way is ended");
    assert_eq!(desk.read("runs"), "run\n");
    told_once(&desk, "main");
    desk.run(&["up"]).expect(0);
    assert_eq!(desk.read("runs"), "run\n");
}

#[test]
fn a_bot_without_lock_and_keeper_has_no_second_copy_whoever_starts_it() {
    let desk = bot("os.closerange(3, 4096)\nsay('runs', str(os.getpid()))\nworker('main')\n", "autostart = true");
    let pid = up(&desk, "main");
    for _ in 0..3 {
        desk.kill_keeper("bot");
        let starts: Vec<_> = [["start", "bot"].as_slice(), &["start", "bot"], &["up"], &["up"]]
            .into_iter()
            .map(|args| {
                let null = std::process::Stdio::null;
                desk.command(args).stdout(null()).stderr(null()).spawn().expect("it executes")
            })
            .collect();
        for start in starts {
            let _ = start.wait_with_output();
        }
        desk.run(&["up"]).expect(0);
        let seen = desk.wait_for("bot", "running");
        assert_eq!(seen["pid"], pid, "{seen}");
        assert_eq!(desk.read("runs").lines().count(), 1);
    }
    stop(&desk);
    assert_eq!(desk.read("runs").lines().count(), 1);
    told_once(&desk, "main");
}

/// Its first thread ends, a second goes on: the process shows as a zombie and lives.
fn headless(before: &str) -> Option<Desk> {
    if std::env::consts::ARCH != "x86_64" {
        skipped("how a thread ends alone is only known for x86_64");
        return None;
    }
    Some(bot(
        &format!(
            "\
import ctypes, threading
libc = ctypes.CDLL(None)
{before}
def work():
    stat = lambda: open('/proc/%d/stat' % os.getpid()).read().rsplit(')', 1)[1].split()[0]
    while stat() != 'Z': time.sleep(0.005)
    say('main', f'up {{os.getpid()}}')
    while True:
        say('beats', 'beat')
        time.sleep(0.02)
threading.Thread(target=work).start()
libc.syscall(60, 0)
"
        ),
        "stop = [{ signal = 'SIGTERM', wait = '10s' }, { signal = 'SIGKILL', wait = '30s' }]",
    ))
}

#[track_caller]
fn still_beats(desk: &Desk) {
    let beats = desk.read("beats").lines().count();
    desk.wait_for_lines("beats", beats + 3);
}

#[test]
fn a_bot_whose_main_thread_has_ended_is_not_called_stopped_while_another_goes_on() {
    for (keeper, before) in
        [(true, ""), (false, ""), (true, "os.closerange(3, 4096)"), (false, "os.closerange(3, 4096)")]
    {
        let Some(desk) = headless(before) else { return };
        let pid = up(&desk, "main");
        still_beats(&desk);
        if !keeper {
            desk.kill_keeper("bot");
        }
        let seen = desk.status("bot");
        assert_eq!(seen["state"], if keeper { "running" } else { "orphaned" }, "{before}: {seen}");
        still_beats(&desk);
        desk.run(&["start", "bot"]).expect(i32::from(!keeper));
        let report = stop(&desk);
        assert!(!Path::new(&format!("/proc/{pid}/task")).exists() || !alive(pid), "{report}");
        let beats = desk.read("beats");
        assert_eq!(report["pid"], pid, "{report}");
        // It is over: nobody writes any more.
        assert_eq!(desk.read("beats"), beats);
    }
}

/// A freezer of our own, in which a process acts on nothing, not even on SIGKILL.
struct Freezer(PathBuf);

impl Freezer {
    fn new(name: &str) -> Option<Self> {
        let top = Path::new("/sys/fs/cgroup/freezer");
        if !root() || !top.join("cgroup.procs").is_file() {
            skipped("there is no freezer (control groups of version 1) here, or it is not ours");
            return None;
        }
        let folder = top.join(format!("botwarden-test-{}-{name}", std::process::id()));
        match std::fs::create_dir(&folder) {
            Ok(()) => Some(Self(folder)),
            Err(error) => {
                skipped(format!("no freezer can be made: {error}"));
                None
            }
        }
    }

    #[track_caller]
    fn freeze(&self, pids: &[i32]) {
        for pid in pids {
            std::fs::write(self.0.join("cgroup.procs"), pid.to_string()).expect("moved");
        }
        std::fs::write(self.0.join("freezer.state"), "FROZEN").expect("frozen");
        eventually("frozen processes", || {
            let state = std::fs::read_to_string(self.0.join("freezer.state")).unwrap_or_default();
            (state.trim() == "FROZEN").then_some(())
        });
    }

    fn thaw(&self) {
        let _ = std::fs::write(self.0.join("freezer.state"), "THAWED");
    }
}

impl Drop for Freezer {
    fn drop(&mut self) {
        self.thaw();
        let pids = std::fs::read_to_string(self.0.join("cgroup.procs")).unwrap_or_default();
        for pid in pids.lines() {
            let _ = std::fs::write("/sys/fs/cgroup/freezer/cgroup.procs", pid);
        }
        for _ in 0..500 {
            if std::fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

const QUICK_LADDER: &str = "stop = [{ signal = 'SIGTERM', wait = '200ms' }, { signal = 'SIGKILL', wait = '400ms' }]";

#[test]
fn what_does_not_even_end_by_sigkill_is_said_to_have_survived_until_it_is_gone() {
    for keeper in [true, false] {
        let Some(freezer) = Freezer::new(if keeper { "kept" } else { "orphan" }) else { return };
        let desk = bot("if not os.fork(): worker('child')\nworker('main')\n", QUICK_LADDER);
        let pids = [up(&desk, "main"), up(&desk, "child")];
        freezer.freeze(&pids);
        if !keeper {
            desk.kill_keeper("bot");
        }
        for command in ["stop", "kill", "stop"] {
            let done = desk.run(&[command, "bot", "--json"]);
            let report = done.json();
            let seen = &report["bots"][0];
            assert_eq!((done.code, &seen["outcome"]), (13, &"survived".into()), "{command}: {report}");
            for pid in pids {
                let errors = seen["errors"].to_string();
                assert!(errors.contains(&pid.to_string()), "{command} does not name {pid}: {report}");
                let process = seen["processes"].as_array().into_iter().flatten().find(|process| process["pid"] == pid);
                let process = process.unwrap_or_else(|| panic!("{pid} is missing: {report}"));
                assert!(process["ended_by"].is_null(), "it lives: {report}");
            }
            let state = desk.status("bot");
            assert_eq!(state["state"], "stopping", "{state}");
            assert!(pids.iter().all(|pid| alive(*pid)));
            desk.run(&["start", "bot"]).expect(1);
        }
        let said = desk.run(&["stop", "bot"]).expect(13);
        assert!(said.stdout.contains("NOT STOPPED"), "{}", said.said());
        freezer.thaw();
        eventually("the end of both", || pids.iter().all(|pid| !alive(*pid)).then_some(()));
        desk.run(&["stop", "bot"]).expect(0);
        assert_eq!(desk.state("bot"), "stopped");
        assert!(desk.living().is_empty());
    }
}

#[test]
fn one_that_cannot_be_ended_delays_nobody_else() {
    let Some(freezer) = Freezer::new("among") else { return };
    let desk = Desk::new(&format!(
        "[bots.stuck]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n{QUICK_LADDER}\n\
         [bots.well]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n"
    ));
    desk.run(&["start", "--all"]).expect(0);
    let (stuck, well) = (desk.pid("stuck"), desk.pid("well"));
    freezer.freeze(&[stuck]);
    let report = desk.run(&["stop", "--all", "--json"]).expect(13).json();
    assert_eq!((&report["bots"][0]["outcome"], &report["bots"][1]["outcome"]), (&"survived".into(), &"stopped".into()));
    assert!(alive(stuck) && !alive(well));
    assert!(["stopped"].contains(&&*desk.state("well")));
    freezer.thaw();
    desk.run(&["stop", "--all"]).expect(0);
    assert!(!alive(stuck) && desk.living().is_empty());
}

#[test]
fn in_an_emergency_one_that_cannot_be_ended_is_13_and_delays_nobody_else() {
    let Some(freezer) = Freezer::new("emergency") else { return };
    let desk = Desk::new(&format!(
        "[estop]\nwait = '300ms'\n[bots.stuck]\ncommand = ['sleep', '600']\nmode = 'paper'\nrestart = 'never'\n{QUICK_LADDER}\n\
         [bots.well]\ncommand = ['sleep', '601']\nmode = 'live'\nrestart = 'never'\n"
    ));
    desk.run(&["start", "--yes", "--all"]).expect(0);
    let (stuck, well) = (desk.pid("stuck"), desk.pid("well"));
    freezer.freeze(&[stuck]);
    let fired = desk.command(&["estop", "--json"]).stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    eventually("the end of the other", || (!alive(well)).then_some(()));
    let done = fired.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!((done.status.code(), &report["latched"]), (Some(13), &true.into()), "{report}");
    assert!(report["bots"][0]["processes"][0]["ended_by"].is_null() && alive(stuck), "{report}");
    let host = botwarden::who::host();
    let reset = ["estop", "reset", "--host", &host, "--reason", "done"];
    desk.run(&reset).expect(13);
    freezer.thaw();
    desk.run(&["estop"]).expect(0);
    assert!(!alive(stuck) && desk.living().is_empty());
    desk.run(&reset).expect(0);
}

#[test]
fn a_keeper_that_hangs_and_outlives_sigkill_does_not_keep_its_bot_alive() {
    let Some(freezer) = Freezer::new("keeper") else { return };
    let desk = bot("worker('main')\n", "");
    let (pid, keeper) = (up(&desk, "main"), desk.keeper("bot"));
    freezer.freeze(&[keeper.pid()]);
    // It does not answer, and SIGKILL does not end it: its bot is ended all the same, and nothing is called stopped
    // while a keeper lives that nobody can ask.
    let report = desk.run(&["stop", "bot", "--json"]).expect(13).json();
    assert_eq!(report["bots"][0]["outcome"], "survived", "{report}");
    assert!(!alive(pid), "{report}");
    assert!(report["bots"][0]["errors"].to_string().contains(&keeper.pid().to_string()), "{report}");
    assert!(!["stopped", "exited", "crashed"].contains(&&*desk.state("bot")));
    freezer.thaw();
    assert!(keeper.wait(std::time::Duration::from_mins(1)));
    desk.run(&["stop", "bot"]).expect(0);
    assert_eq!(desk.state("bot"), "stopped");
    assert!(desk.living().is_empty());
    told_once(&desk, "main");
}

#[test]
fn a_desk_of_somebody_else_is_refused_and_its_bot_goes_on() {
    if !root() || !has("setpriv") {
        return skipped("only root can be somebody else");
    }
    let desk = bot("worker('main')\n", "");
    let pid = up(&desk, "main");
    // Everything may be looked at but the home itself.
    std::fs::set_permissions(desk.folder(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let by_nobody = |line: &str| {
        desk.shell(&format!("exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$BOTWARDEN\" {line}"))
    };
    if by_nobody("--version").code != 0 {
        return skipped("nobody else can execute the binary here");
    }
    for command in ["stop bot", "kill bot --yes", "stop --all"] {
        let done = by_nobody(command);
        assert!([1, 13, 77].contains(&done.code), "{command}: {} {}", done.code, done.said());
        assert!(
            !done.stdout.contains("stopped bot") && !done.stdout.contains("nothing was running"),
            "{}",
            done.said()
        );
    }
    assert!(alive(pid));
    assert_eq!(desk.state("bot"), "running");
    stop(&desk);
}
