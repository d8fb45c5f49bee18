//! Copies of a bot that somebody started by hand are seen, are ended by every stop, and keep anything from being started
//! beside them; whatever only mentions the bot, or is somebody else's, is never touched.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use botwarden::core::record::ProcessId;
use botwarden::core::signal::Signal;
use botwarden::process::{self, Held};
use serde_json::Value;

use crate::harness::{Desk, alive, eventually, has, python, root, skipped};

/// What marks the processes of a test that nobody marks otherwise.
const TOKEN: &str = "BOTWARDEN_TEST_STRAY";

/// A process that somebody started by hand. It goes with the test, and whatever it started goes with it.
pub struct Stray {
    child: Child,
    id: ProcessId,
    token: String,
}

impl Stray {
    /// Starts it with an environment of its own.
    pub fn start(command: &mut Command) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let token = format!("{TOKEN}={}-{}-", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (name, value) = token.split_once('=').expect("a variable");
        let child = command.env(name, value).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it executes");
        let id = process::identify(child.id() as i32).expect("nobody else reaps it");
        Self { child, id, token }
    }

    /// Its number.
    pub fn pid(&self) -> i32 {
        self.id.pid
    }

    /// Whether it executes.
    pub fn lives(&self) -> bool {
        process::is_alive(&self.id)
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        Held::open(&self.id).expect("nobody else reaps it").signal(signal).expect("it is ours");
    }

    /// It, and whatever it started, as far as that lives.
    pub fn family(&self) -> Vec<i32> {
        process::all().filter(|pid| self.is_mine(*pid)).collect()
    }

    fn is_mine(&self, pid: i32) -> bool {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == self.token.as_bytes()) && alive(pid)
    }
}

impl Drop for Stray {
    fn drop(&mut self) {
        for _ in 0..200 {
            let family = self.family();
            if family.is_empty() {
                // It is a zombie by now, or gone.
                let _ = self.child.wait();
                return;
            }
            for pid in family {
                let Some(held) = process::identify(pid).and_then(|id| Held::open(&id)) else { continue };
                // Held now, so that its number stays its own: is it still ours?
                if self.is_mine(pid) {
                    let _ = held.signal(Signal::KILL);
                    held.wait(Duration::from_secs(1));
                }
            }
        }
        eprintln!("left behind: {:?}", self.family());
    }
}

/// A command in the folder of a desk, with nothing of this test's environment.
pub fn by_hand(desk: &Desk, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "dumb")
        .current_dir(desk.folder())
        .stdin(Stdio::null());
    command
}

/// The bot's script as somebody starts it by hand in the bot's folder.
pub fn stray(desk: &Desk) -> Stray {
    Stray::start(&mut by_hand(desk, python(), &["run_bot.py"]))
}

/// The same, and as far as this line in the file `up`.
#[track_caller]
pub fn stray_that_is_up(desk: &Desk) -> Stray {
    let stray = stray(desk);
    let line = format!("up {}", stray.pid());
    eventually("a stray that is up", || desk.read("up").lines().any(|seen| seen == line).then_some(()));
    stray
}

/// A desk with one bot that executes `run_bot.py`, which does nothing.
pub fn desk(more: &str) -> Desk {
    scripted(more, "import time\ntime.sleep(600)\n")
}

/// A desk with one bot whose script this is.
pub fn scripted(more: &str, script: &str) -> Desk {
    let desk = Desk::new(&format!(
        "[bots.bot]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = 'never'\n{more}\n"
    ));
    std::fs::create_dir(desk.path("data")).expect("a folder");
    desk.write("run_bot.py", script);
    desk
}

/// The beginning of a script that says when it is up.
pub const UP: &str = "\
import os, signal, subprocess, sys, time
def say(text):
    with open('up', 'a') as file: file.write(text + '\\n')
def up():
    say(f'up {os.getpid()}')
    while True: time.sleep(60)
";

/// What a command on one bot said, and the report that was kept of it.
#[track_caller]
pub fn reported(desk: &Desk, args: &[&str], code: i32) -> (String, Value) {
    let done = desk.run(args).expect(code);
    let bot = args[1];
    let events = desk.run(&["events", "-n", "1000", "--json", bot]).expect(0).json();
    let last = events["events"].as_array().and_then(|events| events.iter().rfind(|event| event["kind"] == "report"));
    let last = last.unwrap_or_else(|| panic!("no report in {events}"));
    assert_eq!(last["exit_code"], code, "{last}");
    (done.said(), last["report"].clone())
}

/// Stops the bot; it was stopped, and this is what was said and reported.
#[track_caller]
pub fn stopped(desk: &Desk) -> (String, Value) {
    let (said, report) = reported(desk, &["stop", "bot"], 0);
    assert_eq!(report["outcome"], "stopped", "{report}");
    assert!(desk.living().is_empty(), "{report}");
    assert_eq!(desk.status("bot")["strays"], Value::Array(vec![]));
    (said, report)
}

/// Stops the bot, of which nothing is there.
#[track_caller]
pub fn nothing_was_running(desk: &Desk) -> Value {
    let (said, report) = reported(desk, &["stop", "bot"], 0);
    assert_eq!(report["outcome"], "not_running", "{report}");
    assert!(said.contains("bot: nothing was running"), "{said}");
    assert_eq!(report["processes"], Value::Array(vec![]));
    report
}

/// What a report says of one process.
#[track_caller]
pub fn of(report: &Value, pid: i32) -> Value {
    let processes = report["processes"].as_array().expect("a list");
    let mut found = processes.iter().filter(|process| process["pid"] == pid);
    let one = found.next().unwrap_or_else(|| panic!("no pid {pid} in {report}")).clone();
    assert_eq!(found.next(), None, "{report}");
    one
}

/// The numbers of the strays that `status` shows.
#[track_caller]
pub fn strays(desk: &Desk, bot: &str) -> Vec<i32> {
    let seen = desk.status(bot);
    seen["strays"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stray| stray["pid"].as_i64().expect("a pid") as i32)
        .collect()
}

/// The word for one text in a list of a report.
#[track_caller]
pub fn says(report: &Value, list: &str, text: &str) -> bool {
    report[list].as_array().expect("a list").iter().any(|said| said.as_str().is_some_and(|said| said.contains(text)))
}

fn write_pid(desk: &Desk, pid: i32) {
    desk.write("data/bot.pid", &pid.to_string());
}

// The failure that this program exists for.

#[test]
fn a_bot_that_is_kept_is_stopped_by_its_keeper() {
    let desk = desk("");
    desk.run(&["start", "bot"]).expect(0);
    let pid = desk.pid("bot");
    let (said, report) = stopped(&desk);
    assert!(said.contains(&format!("stopped bot (pid {pid}, by SIGTERM, ")), "{said}");
    assert_eq!(report["found_by"], serde_json::json!(["keeper"]));
    assert_eq!((&of(&report, pid)["found_by"], &of(&report, pid)["ended_by"]), (&"keeper".into(), &"SIGTERM".into()));
    assert!(!alive(pid));
}

#[test]
fn a_bot_whose_shell_and_keeper_are_gone_is_stopped_by_its_run_record() {
    let desk = desk("");
    assert_eq!(desk.shell("\"$BOTWARDEN\" start bot").code, 0);
    let pid = desk.pid("bot");
    desk.kill_keeper("bot");
    let (said, report) = stopped(&desk);
    assert!(said.contains("stopped bot: killed 1 process: 1 from its run record ("), "{said}");
    assert_eq!(report["found_by"], serde_json::json!(["pid_file"]));
    assert_eq!(of(&report, pid)["ended_by"], "SIGTERM");
    assert!(!alive(pid));
}

#[test]
fn orphans_that_nobody_recorded_are_all_stopped() {
    let desk = desk("pid_file = 'data/bot.pid'");
    let all = [stray(&desk), stray(&desk), stray(&desk)];
    write_pid(&desk, all[1].pid());
    let (said, report) = stopped(&desk);
    assert!(said.contains("stopped bot: killed 3 processes: 1 from data/bot.pid, 2 found by search ("), "{said}");
    assert_eq!(report["found_by"], serde_json::json!(["pid_file", "search"]));
    for (stray, tier) in all.iter().zip(["search", "pid_file", "search"]) {
        let told = of(&report, stray.pid());
        assert_eq!((&told["found_by"], &told["ended_by"]), (&tier.into(), &"SIGTERM".into()), "{report}");
        assert!(!stray.lives());
    }
    assert_eq!(report["processes"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["errors"], Value::Array(vec![]));
}

#[test]
fn one_that_is_kept_and_others_that_are_not_are_stopped_together() {
    let desk = desk("pid_file = 'data/bot.pid'");
    desk.run(&["start", "bot"]).expect(0);
    let kept = desk.pid("bot");
    let (named, other) = (stray(&desk), stray(&desk));
    write_pid(&desk, named.pid());
    let done = desk.run(&["stop", "bot", "--json"]).expect(0).json();
    let report = &done["bots"][0];
    for (pid, tier) in [(kept, "keeper"), (named.pid(), "pid_file"), (other.pid(), "search")] {
        let told = of(report, pid);
        assert_eq!((&told["found_by"], &told["ended_by"]), (&tier.into(), &"SIGTERM".into()), "{report}");
        assert!(!alive(pid));
    }
    let events = desk.run(&["events", "bot"]).expect(0).stdout;
    let sentence = "stopped bot: killed 3 processes: 1 kept, 1 from data/bot.pid, 1 found by search (";
    assert!(events.contains(sentence), "{events}");
    assert_eq!(report["exit"]["signal"], "SIGTERM");
}

#[test]
fn where_nothing_runs_a_stop_says_so() {
    let desk = desk("pid_file = 'data/bot.pid'");
    let report = nothing_was_running(&desk);
    assert_eq!((&report["notes"], &report["errors"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    assert!(desk.bot_folder("bot").join("down").exists());
}

// What is never touched.

#[test]
fn what_only_mentions_the_script_is_never_touched() {
    let desk = desk("");
    desk.write("run_bot.py.log", "a line\n");
    desk.write("other.py", "import time\ntime.sleep(600)\n");
    let piped = |program: &str, args: &[&str]| Stray::start(by_hand(&desk, program, args).stdin(Stdio::piped()));
    let mut others = vec![
        ("tail", piped("tail", &["-f", "run_bot.py.log"])),
        ("tail of the script", piped("tail", &["-f", "run_bot.py"])),
        ("grep", piped("grep", &["run_bot.py"])),
        ("cat", piped("cat", &["-", "run_bot.py"])),
        ("bash -c", piped("bash", &["-c", "read x; python3 run_bot.py; :"])),
        ("sh -c", piped("sh", &["-c", "read x && exec python3 run_bot.py"])),
        ("python -c", piped(python(), &["-c", "import time; time.sleep(600)", "run_bot.py"])),
        ("another script", piped(python(), &["other.py", "run_bot.py"])),
        ("a program called vim", Stray::start(by_hand(&desk, "tail", &["-f", "run_bot.py"]).arg0("vim"))),
    ];
    let mut viewers = Vec::new();
    let mut shell = by_hand(&desk, "bash", &["--norc", "-i"]);
    let mut shell = Stray::start(shell.env("HISTFILE", desk.path("history")).stdin(Stdio::piped()));
    let typed = "history -s python3 run_bot.py\nhistory -w\n";
    std::io::Write::write_all(shell.child.stdin.as_mut().expect("a pipe"), typed.as_bytes()).expect("typed");
    eventually("a history", || desk.read("history").contains("run_bot.py").then_some(()));
    others.push(("a shell with a history", shell));
    for program in ["vim", "less", "nano", "more"] {
        if !has(program) || !has("script") {
            skipped(format!("{program} or script is not installed"));
            continue;
        }
        // They want a terminal.
        let viewer = piped("script", &["-qfc", &format!("{program} run_bot.py"), "/dev/null"]);
        let is_it = |pid: &i32| process::arguments(*pid).first().is_some_and(|name| name.ends_with(program));
        let shown = eventually(format!("{program} on a terminal"), || viewer.family().into_iter().find(is_it));
        viewers.push((program, shown));
        others.push(("its terminal", viewer));
    }
    assert_eq!(strays(&desk, "bot"), [0; 0]);
    nothing_was_running(&desk);
    desk.run(&["kill", "bot"]).expect(0);
    desk.run(&["start", "bot"]).expect(0);
    stopped(&desk);
    assert_eq!(others.iter().filter(|(_, stray)| !stray.lives()).map(|(who, _)| who).collect::<Vec<_>>(), [&""; 0]);
    assert_eq!(viewers.iter().filter(|(_, pid)| !alive(*pid)).map(|(who, _)| who).collect::<Vec<_>>(), [&""; 0]);
}

#[test]
fn a_bot_of_another_desk_in_the_same_folder_is_never_touched() {
    let ours = desk("pid_file = 'data/bot.pid'");
    let theirs = Desk::new(&format!(
        "[bots.bot]\ncommand = ['PYTHON', 'run_bot.py']\ncwd = '{}'\nmode = 'paper'\n",
        ours.folder().display()
    ));
    theirs.run(&["start", "bot"]).expect(0);
    let pid = theirs.pid("bot");
    write_pid(&ours, pid);
    assert_eq!(strays(&ours, "bot"), [0; 0]);
    let report = nothing_was_running(&ours);
    assert!(says(&report, "notes", &format!("pid {pid} in data/bot.pid is of another desk: left alone")), "{report}");
    // Without its keeper it is that desk's all the same.
    theirs.kill_keeper("bot");
    nothing_was_running(&ours);
    assert!(alive(pid));
    assert_eq!(theirs.state("bot"), "orphaned");
}

#[test]
fn a_bot_with_the_same_script_in_another_folder_is_another_bot() {
    let desk = Desk::new(
        "[bots.bot]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\n\
         [bots.other]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\ncwd = 'other'\n",
    );
    std::fs::create_dir(desk.path("other")).expect("a folder");
    for script in ["run_bot.py", "other/run_bot.py"] {
        desk.write(script, "import time\ntime.sleep(600)\n");
    }
    desk.run(&["start", "other"]).expect(0);
    let kept = desk.pid("other");
    let beside = Stray::start(by_hand(&desk, python(), &["run_bot.py"]).current_dir(desk.path("other")));
    assert_eq!((strays(&desk, "bot"), strays(&desk, "other")), (vec![], vec![beside.pid()]));
    nothing_was_running(&desk);
    assert!(alive(kept) && beside.lives());
    let own = stray(&desk);
    let (_, report) = reported(&desk, &["stop", "bot"], 0);
    assert_eq!(report["outcome"], "stopped");
    assert!(alive(kept) && beside.lives() && !own.lives());
    let (_, report) = reported(&desk, &["stop", "other"], 0);
    assert_eq!(
        (&of(&report, kept)["found_by"], &of(&report, beside.pid())["found_by"]),
        (&"keeper".into(), &"search".into())
    );
    assert!(!alive(kept) && !beside.lives());
}

#[test]
fn the_same_script_of_another_user_is_never_touched() {
    const SYSTEM: &str = "/usr/bin/python3";
    if !root() || !std::path::Path::new(SYSTEM).exists() {
        return skipped("only root can start a process of another user, and that one needs an interpreter");
    }
    let desk = desk("pid_file = 'data/bot.pid'");
    std::fs::set_permissions(desk.folder(), Permissions::from_mode(0o755)).expect("ours");
    let theirs = Stray::start(by_hand(&desk, SYSTEM, &["run_bot.py"]).uid(65534));
    write_pid(&desk, theirs.pid());
    assert_eq!(strays(&desk, "bot"), [0; 0]);
    let report = nothing_was_running(&desk);
    let note = format!("pid {} in data/bot.pid is another user's (python3): left alone", theirs.pid());
    assert!(says(&report, "notes", &note), "{report}");
    assert!(theirs.lives());
}

// What is found.

#[test]
fn a_stray_is_found_however_it_was_started() {
    let desk = desk("");
    for folder in ["scripts", "bin", "elsewhere"] {
        std::fs::create_dir(desk.path(folder)).expect("a folder");
    }
    desk.write("scripts/run_bot.py", "import time\ntime.sleep(600)\n");
    std::os::unix::fs::symlink(python(), desk.path("bin/python")).expect("a link");
    let path = format!("{}:{}", desk.path("bin").display(), std::env::var("PATH").unwrap_or_default());
    let very = desk.path("run_bot.py").display().to_string();
    let hand = |program: &str, args: &[&str]| by_hand(&desk, program, args);
    let mut away = hand(python(), &[&very]);
    away.current_dir("/");
    let mut next_door = hand(python(), &["../run_bot.py"]);
    next_door.current_dir(desk.path("elsewhere"));
    let all: Vec<Stray> = [
        hand(python(), &["-u", "./scripts/run_bot.py", "--x"]),
        hand(python(), &["run_bot.py"]),
        hand("env", &["X=1", "python", "run_bot.py"]),
        hand("timeout", &["600", "python", "-W", "ignore", "run_bot.py", "--live"]),
        hand("nohup", &["python", "-X", "dev", "run_bot.py"]),
        hand("setsid", &["python", "run_bot.py"]),
        away,
        next_door,
    ]
    .iter_mut()
    .map(|command| Stray::start(command.env("PATH", &path)))
    .collect();
    // Until each of them executes the script.
    let families = || -> Vec<i32> { all.iter().flat_map(Stray::family).collect() };
    let pids = eventually("every copy", || Some(families()).filter(|pids| pids.len() > all.len()));
    let mut seen = strays(&desk, "bot");
    seen.sort_unstable();
    let mut heads: Vec<i32> = all.iter().map(Stray::pid).collect();
    heads.sort_unstable();
    assert_eq!(seen, heads);
    let (said, report) = stopped(&desk);
    assert!(said.contains(&format!("killed {0} processes: {0} found by search", pids.len())), "{said}");
    assert!(all.iter().all(|stray| of(&report, stray.pid())["found_by"] == "search"));
    assert_eq!(families(), [0; 0], "{report}");
}

#[test]
fn a_command_that_is_a_script_is_found_and_ended_wherever_a_copy_was_started() {
    let body = "import os, time\nwith open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'up'), 'a') as up: \
                up.write(f'up {os.getpid()}\\n')\ntime.sleep(600)\n";
    // What the kernel makes of the first line is the command line, and the script stands behind its options.
    for first in [format!("{} -ES", python()), "/usr/bin/env -S python3 -u".to_owned()] {
        let desk = Desk::new(
            "[bots.bot]\ncommand = ['FOLDER/scripts/bot.py', 'solo', 'x']\ncwd = 'work'\nmode = 'paper'\nrestart = 'never'\n",
        );
        for folder in ["work", "scripts", "other"] {
            std::fs::create_dir(desk.path(folder)).expect("a folder");
        }
        for folder in ["scripts", "other"] {
            desk.script(&format!("{folder}/bot.py"), &format!("#!{first}\n{body}"));
        }
        nothing_was_running(&desk);
        let very = desk.path("scripts/bot.py").display().to_string();
        let start = |folder: &str, program: &str, args: &[&str]| {
            Stray::start(by_hand(&desk, program, args).current_dir(desk.path(folder)).stdin(Stdio::piped()))
        };
        let copies = [
            start("/", &very, &["solo", "x"]),
            start("other", &very, &["solo", "stubborn"]),
            start("scripts", "./bot.py", &["solo", "x"]),
            start("other", "../scripts/bot.py", &["solo", "x"]),
            start("work", &very, &["solo", "x"]),
        ];
        let others = [
            ("the same name in another folder", start("other", "./bot.py", &["solo", "x"])),
            ("another thing that it does", start("/", &very, &["report"])),
            ("tail", start("scripts", "tail", &["-f", "./bot.py", "/dev/null"])),
            ("grep", start("/", "grep", &["solo", "-", &very])),
            ("python -c", start("scripts", python(), &["-c", "input()", "./bot.py", "solo", "x"])),
        ];
        desk.wait_for_lines("scripts/up", copies.len() + 1);
        desk.wait_for_lines("other/up", 1);
        let mut pids: Vec<i32> = copies.iter().map(Stray::pid).collect();
        pids.sort_unstable();
        assert_eq!(strays(&desk, "bot"), pids, "{first}");
        let (said, report) = stopped(&desk);
        assert!(said.contains("killed 5 processes: 5 found by search"), "{said}");
        for copy in &copies {
            let told = of(&report, copy.pid());
            assert_eq!((&told["found_by"], &told["ended_by"]), (&"search".into(), &"SIGTERM".into()), "{report}");
            assert!(!copy.lives());
        }
        assert_eq!(others.iter().filter(|(_, other)| !other.lives()).map(|(who, _)| who).collect::<Vec<_>>(), [&""; 0]);
    }
}

#[test]
fn a_module_is_found_and_what_find_names() {
    let desk = Desk::new(
        "[bots.module]\ncommand = ['PYTHON', '-m', 'runner.main_loop', '--interval', '60']\nmode = 'paper'\n\
         [bots.found]\ncommand = ['./start.sh']\nfind = ['python*', 'run_*.py']\nmode = 'paper'\n",
    );
    std::fs::create_dir(desk.path("runner")).expect("a folder");
    desk.write("runner/__init__.py", "");
    for script in ["runner/main_loop.py", "run_it.py", "other.py"] {
        desk.write(script, "import time\ntime.sleep(600)\n");
    }
    desk.script("start.sh", "#!/bin/sh\nexec 'PYTHON' run_it.py\n");
    let start = |args: &[&str]| Stray::start(&mut by_hand(&desk, python(), args));
    let (module, found) = (start(&["-m", "runner.main_loop"]), start(&["run_it.py", "--live"]));
    let other = start(&["other.py"]);
    assert_eq!((strays(&desk, "module"), strays(&desk, "found")), (vec![module.pid()], vec![found.pid()]));
    reported(&desk, &["stop", "module"], 0);
    assert!(!module.lives() && found.lives());
    reported(&desk, &["stop", "found"], 0);
    assert!(!found.lives() && other.lives());
}

#[test]
fn a_stray_is_ended_with_its_children_and_with_those_that_left_its_session() {
    let desk = scripted(
        "",
        &format!(
            "{UP}\n\
             if not os.fork(): os.execlp('sleep', 'sleep', '600')\n\
             if not os.fork():\n    os.setsid()\n    if not os.fork(): os.execlp('sleep', 'sleep', '601')\n    os.execlp('sleep', 'sleep', '602')\n\
             up()\n"
        ),
    );
    let stray = stray_that_is_up(&desk);
    let asleep = |pid: &i32| process::arguments(*pid).first().is_some_and(|name| name == "sleep");
    let family = eventually("three sleepers", || {
        Some(stray.family()).filter(|family| family.iter().filter(|pid| asleep(pid)).count() == 3)
    });
    assert_eq!(strays(&desk, "bot"), [stray.pid()]);
    let (said, report) = stopped(&desk);
    assert!(said.contains("killed 4 processes: 4 found by search"), "{said}");
    assert!(family.iter().all(|pid| of(&report, *pid)["ended_by"] == "SIGTERM"), "{report}");
    assert_eq!(stray.family(), [0; 0]);
}

// What is said of strays, and what is not done beside them.

#[test]
fn a_stray_is_shown_with_what_can_be_done_about_it() {
    let desk = desk("");
    let one = stray(&desk);
    let seen = desk.status("bot");
    assert_eq!((&seen["state"], &seen["pid"]), (&"stopped".into(), &Value::Null));
    let shown = &seen["strays"][0];
    assert_eq!((&shown["pid"], &shown["found_by"]), (&one.pid().into(), &"search".into()));
    assert_eq!(shown["command"], format!("{} run_bot.py", python()));
    let table = desk.run(&["status"]).expect(0).stdout;
    assert!(table.contains(&format!("1 stray beside it: pid {} ", one.pid())), "{table}");
    assert!(table.contains("'adopt' keeps it, 'stop' ends it"), "{table}");
    let two = stray(&desk);
    let table = desk.run(&["status"]).expect(0).stdout;
    assert!(table.contains("2 strays") && table.contains("'stop' ends all of it"), "{table}");
    assert!(!table.contains("adopt"), "{table}");
    drop(two);
    drop(one);
    assert_eq!(strays(&desk, "bot"), [0; 0]);
}

#[test]
fn nothing_is_started_beside_a_stray() {
    let desk = desk("autostart = true");
    let stray = stray(&desk);
    let pid = format!("pid {}", stray.pid());
    for command in [&["start", "bot"][..], &["up"]] {
        let done = desk.run(command).expect(1);
        assert!(done.stderr.contains(&pid), "{done:?}");
        assert!(desk.living().is_empty(), "{command:?}");
    }
    let done = desk.run(&["start", "bot", "--json"]).expect(1).json();
    assert_eq!((&done["bots"][0]["outcome"], &done["bots"][0]["pid"]), (&"refused".into(), &stray.pid().into()));
    assert!(stray.lives());
    stopped(&desk);
    desk.run(&["start", "bot"]).expect(0);
}

#[test]
fn a_stray_beside_a_bot_that_runs_is_shown_and_ended_with_it() {
    let desk = desk("");
    desk.run(&["start", "bot"]).expect(0);
    let (kept, stray) = (desk.pid("bot"), stray(&desk));
    let seen = desk.wait_for("bot", "running");
    assert_eq!((&seen["pid"], &seen["strays"][0]["pid"]), (&kept.into(), &stray.pid().into()));
    assert_eq!(desk.run(&["start", "bot", "--json"]).expect(0).json()["bots"][0]["outcome"], "already_running");
    let (said, _) = stopped(&desk);
    assert!(said.contains("killed 2 processes: 1 kept, 1 found by search"), "{said}");
    assert!(!alive(kept) && !stray.lives());
}

#[test]
fn a_restart_ends_what_runs_beside_the_bot_and_then_runs_one_copy() {
    for kept in [true, false] {
        let desk = desk("");
        let before = kept.then(|| {
            desk.run(&["start", "bot"]).expect(0);
            desk.pid("bot")
        });
        let stray = stray(&desk);
        let (said, report) = reported(&desk, &["restart", "bot"], 0);
        assert!(said.contains("restarted bot: killed "), "{said}");
        assert_eq!((&report["outcome"], &report["restarted"]), (&"stopped".into(), &true.into()), "{report}");
        assert_eq!(of(&report, stray.pid())["ended_by"], "SIGTERM");
        assert!(!stray.lives() && before.is_none_or(|pid| !alive(pid)));
        let seen = desk.wait_for("bot", "running");
        assert_eq!((&seen["strays"], &seen["processes"]), (&Value::Array(vec![]), &1.into()));
    }
}

#[test]
fn a_restart_beside_a_stray_that_will_not_end_starts_nothing() {
    for kept in [true, false] {
        let ladder = "stop = [{ signal = 'SIGTERM', wait = '300ms' }]";
        let desk = scripted(
            ladder,
            &format!(
                "{UP}\nif 'BOTWARDEN_RUN' not in os.environ: signal.signal(signal.SIGTERM, signal.SIG_IGN)\nup()\n"
            ),
        );
        if kept {
            desk.run(&["start", "bot"]).expect(0);
        }
        let stray = stray_that_is_up(&desk);
        let (said, report) = reported(&desk, &["restart", "bot"], 13);
        assert!(said.contains("NOT STOPPED") && said.contains(&stray.pid().to_string()), "{said}");
        assert_eq!((&report["outcome"], &report["restarted"]), (&"survived".into(), &false.into()), "{report}");
        assert!(stray.lives());
        let copies = desk.read("up").lines().count();
        assert_eq!(copies, if kept { 2 } else { 1 }, "a new copy beside {kept}");
        desk.run(&["start", "bot"]).expect(1);
        assert_eq!(desk.read("up").lines().count(), copies);
        desk.run(&["kill", "bot"]).expect(0);
        assert!(!stray.lives());
    }
}

// What may be one bot's or another's.

fn alike() -> Desk {
    let bot = "command = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = 'never'\n";
    let desk = Desk::new(&format!("[bots.a]\n{bot}[bots.b]\n{bot}"));
    desk.write("run_bot.py", "import time\ntime.sleep(600)\n");
    desk
}

#[test]
fn what_may_be_one_bots_or_anothers_is_ended_only_when_both_are_stopped() {
    let desk = alike();
    let stray = stray(&desk);
    assert_eq!((strays(&desk, "a"), strays(&desk, "b")), (vec![stray.pid()], vec![stray.pid()]));
    let (said, report) = reported(&desk, &["stop", "a"], 1);
    let error = format!("pid {} ({} run_bot.py) may be its own or that of b: left alone", stray.pid(), python());
    assert!(said.contains(&error) && says(&report, "errors", &error), "{said}");
    assert!(stray.lives());
    for bot in ["a", "b"] {
        desk.run(&["start", bot]).expect(1);
    }
    let done = desk.run(&["stop", "b", "a", "--json"]).expect(0).json();
    let told = |bot: &Value| bot["processes"].as_array().map_or(0, Vec::len);
    assert_eq!(done["bots"].as_array().expect("a list").iter().map(told).sum::<usize>(), 1, "{done}");
    assert!(!stray.lives());
}

#[test]
fn what_may_be_anothers_outlives_the_stop_of_a_bot_that_runs() {
    let desk = alike();
    desk.run(&["start", "a"]).expect(0);
    let (kept, stray) = (desk.pid("a"), stray(&desk));
    let (said, report) = reported(&desk, &["stop", "a"], 1);
    assert!(said.contains("left alone; stop them together to end it"), "{said}");
    assert_eq!(report["outcome"], "stopped");
    assert!(!alive(kept) && stray.lives());
    desk.run(&["start", "a"]).expect(1);
    desk.run(&["stop", "--all"]).expect(0);
    assert!(!stray.lives());
}

#[test]
fn a_restart_of_all_that_a_stray_may_belong_to_ends_it_and_starts_each_once() {
    let desk = alike();
    desk.run(&["start", "a"]).expect(0);
    let stray = stray(&desk);
    desk.run(&["restart", "a", "b"]).expect(0);
    assert!(!stray.lives());
    for bot in ["a", "b"] {
        let seen = desk.wait_for(bot, "running");
        assert_eq!((&seen["strays"], &seen["processes"]), (&Value::Array(vec![]), &1.into()));
    }
}

#[test]
fn no_new_copy_is_started_beside_what_may_be_one_already() {
    let desk = alike();
    desk.run(&["start", "a"]).expect(0);
    let (old, stray) = (desk.pid("a"), stray(&desk));
    let (said, report) = reported(&desk, &["restart", "a"], 1);
    assert!(said.contains("left alone"), "{said}");
    assert_eq!(report["restarted"], false, "{report}");
    assert!(stray.lives());
    assert!(alive(old) || desk.state("a") == "stopped", "{report}");
}

// Strays that do not want to end.

#[test]
fn a_stray_that_ignores_sigterm_is_ended_by_sigkill() {
    let desk = scripted(
        "stop = [{ signal = 'SIGTERM', wait = '300ms' }, { signal = 'SIGKILL', wait = '30s' }]",
        &format!("{UP}\nsignal.signal(signal.SIGTERM, lambda *_: say('told'))\nup()\n"),
    );
    let stray = stray_that_is_up(&desk);
    let (_, report) = stopped(&desk);
    assert_eq!(of(&report, stray.pid())["ended_by"], "SIGKILL");
    assert_eq!(desk.read("up").lines().filter(|line| *line == "told").count(), 1);
    assert!(!stray.lives());
}

#[test]
fn a_stopped_stray_acts_on_its_signal() {
    let desk =
        scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, lambda *_: (say('clean'), os._exit(3)))\nup()\n"));
    let stray = stray_that_is_up(&desk);
    stray.signal("SIGSTOP".parse().expect("a signal"));
    eventually("a stopped process", || process::stat(stray.pid()).filter(|stat| stat.state == b'T'));
    let (_, report) = stopped(&desk);
    assert_eq!(of(&report, stray.pid())["ended_by"], "SIGTERM");
    assert!(desk.read("up").contains("clean") && !stray.lives());
}

/// Told to end, it leaves a child that has forgotten its parents in its place; so often.
fn fleeing(times: u32) -> String {
    format!(
        "{UP}\n\
         left = {times}\n\
         def flee(*_):\n\
         \x20   global left\n\
         \x20   if not left: os._exit(0)\n\
         \x20   left -= 1\n\
         \x20   if os.fork(): os._exit(0)\n\
         \x20   os.setsid()\n\
         \x20   if os.fork(): os._exit(0)\n\
         \x20   say('fled')\n\
         signal.signal(signal.SIGTERM, flee)\n\
         up()\n"
    )
}

#[test]
fn a_stray_that_flees_from_its_signal_is_met_again() {
    let desk = scripted("", &fleeing(2));
    let stray = stray_that_is_up(&desk);
    stopped(&desk);
    assert_eq!(stray.family(), [0; 0]);
    assert_eq!(desk.read("up").lines().filter(|line| *line == "fled").count(), 2);
}

#[test]
fn a_stray_that_flees_into_another_program_is_found_in_its_group() {
    let desk = scripted(
        "",
        &format!(
            "{UP}\ndef flee(*_):\n\
             \x20   if os.fork(): os._exit(0)\n\
             \x20   os.setsid()\n\
             \x20   if os.fork(): os._exit(0)\n\
             \x20   say(f'fled {{os.getpid()}}')\n\
             \x20   os.execlp('sleep', 'sleep', '61')\n\
             signal.signal(signal.SIGTERM, flee)\nup()\n"
        ),
    );
    // Where no group is ours to make, nobody can follow it: its parents, its session and its name are gone.
    let grouped = Desk::new("[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    grouped.run(&["start", "a"]).expect(0);
    if grouped.record("a").cgroup.is_none() {
        return skipped("no control group here is ours to make others in");
    }
    let stray = stray_that_is_up(&desk);
    stopped(&desk);
    let fled = desk.wait_for_lines("up", 2).into_iter().find_map(|line| line.strip_prefix("fled ")?.parse().ok());
    assert!(!alive(fled.expect("its number")));
    assert_eq!(stray.family(), [0; 0]);
}

#[test]
fn a_stray_that_flees_without_end_is_never_said_to_be_stopped_and_kill_ends_it() {
    let ladder = "stop = [{ signal = 'SIGTERM', wait = '1s' }, { signal = 'SIGKILL', wait = '30s' }]";
    let desk = scripted(ladder, &fleeing(1_000_000));
    let stray = stray_that_is_up(&desk);
    let done = desk.run(&["stop", "bot"]);
    if done.code == 0 {
        assert_eq!(stray.family(), [0; 0], "{done:?}");
        return;
    }
    let done = done.expect(13);
    assert!(done.stdout.contains("NOT STOPPED"), "{done:?}");
    assert!(!stray.family().is_empty(), "it was ended after all: {done:?}");
    desk.run(&["kill", "bot"]).expect(0);
    assert_eq!(stray.family(), [0; 0]);
}

#[test]
fn a_stray_that_stops_its_own_bot_is_stopped() {
    let desk = scripted("", "");
    desk.write(
        "run_bot.py",
        &format!("{UP}\nsubprocess.run([os.environ['BOTWARDEN'], 'stop', 'bot'])\nsay('it came back')\nup()\n"),
    );
    let mut command = by_hand(&desk, python(), &["run_bot.py"]);
    desk.dress(&mut command);
    let stray = Stray::start(&mut command);
    eventually("its end", || stray.family().is_empty().then_some(()));
    eventually("a report", || desk.events("bot").contains(&"report".to_owned()).then_some(()));
    assert_eq!(desk.state("bot"), "stopped");
    assert!(!desk.read("up").contains("it came back"));
}

#[test]
fn strays_are_killed_with_what_is_kept() {
    let desk = scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nup()\n"));
    desk.run(&["start", "bot"]).expect(0);
    let (kept, stray) = (desk.pid("bot"), stray_that_is_up(&desk));
    let (said, report) = reported(&desk, &["kill", "bot"], 0);
    assert!(said.contains("killed bot: killed 2 processes: 1 kept, 1 found by search"), "{said}");
    for pid in [kept, stray.pid()] {
        assert_eq!(of(&report, pid)["ended_by"], "SIGKILL", "{report}");
        assert!(!alive(pid));
    }
}

#[test]
fn two_stops_at_once_of_a_stray_are_one_and_it_is_told_once() {
    let clean = "lambda *_: (say('told'), time.sleep(1), os._exit(0))";
    let desk = scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, {clean})\nup()\n"));
    let stray = stray_that_is_up(&desk);
    let stops: Vec<Child> =
        (0..3).map(|_| desk.command(&["stop", "bot"]).stdout(Stdio::null()).spawn().expect("it executes")).collect();
    for mut stop in stops {
        assert_eq!(stop.wait().expect("its end").code(), Some(0));
    }
    assert!(!stray.lives());
    assert_eq!(desk.read("up").lines().filter(|line| *line == "told").count(), 1);
}

#[test]
fn a_stray_is_told_once_while_the_bot_beside_it_takes_its_time() {
    let clean = "lambda *_: (say(f'told {os.getpid()}'), time.sleep(1), os._exit(0))";
    let desk = scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, {clean})\nup()\n"));
    desk.run(&["start", "bot"]).expect(0);
    let kept = desk.pid("bot");
    eventually("a bot that is up", || desk.read("up").contains(&format!("up {kept}\n")).then_some(()));
    let stray = stray_that_is_up(&desk);
    stopped(&desk);
    let mut told: Vec<String> =
        desk.read("up").lines().filter(|line| line.starts_with("told")).map(str::to_owned).collect();
    let mut once = vec![format!("told {kept}"), format!("told {}", stray.pid())];
    told.sort_unstable();
    once.sort_unstable();
    assert_eq!(told, once);
}

#[test]
fn a_stop_whose_stopper_is_killed_goes_on_and_a_stray_is_told_once() {
    let clean = "lambda *_: (say('told'), time.sleep(1), os._exit(0))";
    let desk = scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, {clean})\nup()\n"));
    let stray = stray_that_is_up(&desk);
    let stop = desk.command(&["stop", "bot"]).stdout(Stdio::piped()).spawn().expect("it executes");
    eventually("a signal", || desk.read("up").contains("told").then_some(()));
    let folder = desk.home_folder().join("stops");
    let locks = || std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|stop| stop.path().join("lock"));
    let stopper = eventually("a stopper", || locks().find_map(|lock| process::holders(&lock).first().copied()));
    desk.signal(stopper, Signal::KILL);
    let output = stop.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(0));
    assert!(!stray.lives());
    assert_eq!(desk.read("up").lines().filter(|line| *line == "told").count(), 1);
    assert_eq!(desk.state("bot"), "stopped");
}

#[test]
fn a_second_stop_without_any_keeper_tells_nobody_twice() {
    let clean = "lambda *_: (say('told'), time.sleep(2), os._exit(0))";
    let desk = scripted("", &format!("{UP}\nsignal.signal(signal.SIGTERM, {clean})\nup()\n"));
    // A keeper needs this to be a file.
    std::fs::create_dir_all(desk.bot_folder("bot").join("keeper.lock")).expect("a folder");
    let stray = stray_that_is_up(&desk);
    let first = desk.command(&["stop", "bot"]).stdout(Stdio::null()).spawn().expect("it executes");
    eventually("a signal", || desk.read("up").contains("told").then_some(()));
    let _ = desk.run(&["stop", "bot"]);
    let _ = first.wait_with_output();
    assert!(!stray.lives());
    assert_eq!(desk.read("up").lines().filter(|line| *line == "told").count(), 1);
}

#[test]
fn a_slip_in_the_configuration_hides_no_stray_from_a_stop_of_all() {
    let desk = desk("");
    desk.run(&["status"]).expect(0);
    let stray = stray(&desk);
    desk.configure("[defaults]\nfoo = 1\n");
    let report = desk.run(&["stop", "--all", "--json"]).expect(0).json();
    assert_eq!(report["bots"][0]["processes"][0]["pid"], stray.pid(), "{report}");
    assert!(!stray.lives());
}

#[test]
fn nothing_is_started_while_another_bots_stop_still_ends_what_may_be_its_own() {
    let bot = "command = ['PYTHON', 'run_bot.py']\nmode = 'paper'\nrestart = 'never'\n";
    let desk = Desk::new(&format!("[bots.a]\n{bot}[bots.b]\n{bot}"));
    desk.write(
        "run_bot.py",
        "import os, signal, sys, time\n\
         stray = not os.environ.get('BOTWARDEN_BOT')\n\
         signal.signal(signal.SIGTERM, lambda *_: (time.sleep(1.5 if stray else 0), open('over', 'a').write('over\\n'), os._exit(0)))\n\
         if stray: open('up', 'a').write(f'up {os.getpid()}\\n')\n\
         else: open('began', 'a').write('after the end\\n' if os.path.exists('over') else 'beside it\\n')\n\
         time.sleep(600)\n",
    );
    let stray = stray_that_is_up(&desk);
    desk.run(&["restart", "a", "b"]).expect(0);
    assert!(!stray.lives());
    assert_eq!(desk.wait_for_lines("began", 2), ["after the end", "after the end"]);
}
