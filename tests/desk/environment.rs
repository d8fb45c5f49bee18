//! What a bot finds when it executes: its environment, its descriptors, its signals, its session.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::harness::{Desk, root, skipped};

/// Writes down everything that it finds, as JSON in `found`.
const LOOK_PY: &str = "\
import json, os, signal, sys, time
status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
fds = {}
for fd in os.listdir('/proc/self/fd'):
    try:
        fds[fd] = os.readlink(f'/proc/self/fd/{fd}')
    except OSError:
        pass
found = {
    'env': dict(os.environ), 'fds': fds, 'cwd': os.getcwd(), 'pid': os.getpid(), 'sid': os.getsid(0),
    'pgid': os.getpgid(0), 'ignored': status['SigIgn'].strip(), 'blocked': status['SigBlk'].strip(),
    'uid': os.getuid(), 'groups': os.getgroups(), 'umask': status['Umask'].strip(),
}
open('found.new', 'w').write(json.dumps(found))
os.rename('found.new', 'found')
time.sleep(600)
";

const LOOK: &str = "[bots.look]\ncommand = ['PYTHON', '-S', '-E', 'look.py']\nmode = 'paper'\n";

fn look(more: &str) -> Desk {
    let desk = Desk::new(&format!("{LOOK}{more}"));
    desk.write("look.py", LOOK_PY);
    desk
}

#[track_caller]
fn found(desk: &Desk) -> Value {
    let text =
        crate::harness::eventually("what the bot found", || Some(desk.read("found")).filter(|text| !text.is_empty()));
    serde_json::from_str(&text).expect("JSON")
}

fn variables(found: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(found["env"].clone()).expect("variables")
}

#[test]
fn a_bot_is_marked_and_its_output_is_not_held_back() {
    let desk =
        look("").with("BOTWARDEN_RUN", "of another").with("BOTWARDEN_BOT", "another").with("NOTIFY_SOCKET", "@x");
    desk.run(&["start", "look"]).expect(0);
    let env = variables(&found(&desk));
    assert_eq!(env["PYTHONUNBUFFERED"], "1");
    assert_eq!(env["BOTWARDEN_HOME"], desk.home_folder().to_string_lossy());
    assert_eq!(env["BOTWARDEN_BOT"], "look");
    assert_eq!(env["BOTWARDEN_RUN"], desk.record("look").run);
    assert!(env["NOTIFY_SOCKET"].starts_with("@botwarden-"), "{}", env["NOTIFY_SOCKET"]);
    assert!(!env.contains_key("BOTWARDEN_INSTANCE"));
}

#[test]
fn what_the_configuration_says_wins_over_the_env_file_and_that_over_what_is_inherited() {
    let desk = look("env = { A = 'env', PYTHONUNBUFFERED = '' }\nenv_file = 'look.env'\n")
        .with("A", "inherited")
        .with("B", "inherited")
        .with("C", "inherited");
    let file = desk.write("look.env", "A=file\nB=file\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    desk.run(&["start", "look"]).expect(0);
    let env = variables(&found(&desk));
    assert_eq!([&env["A"], &env["B"], &env["C"]], ["env", "file", "inherited"]);
    assert_eq!(env["PYTHONUNBUFFERED"], "");
    // What is in that file is nowhere of ours.
    let record = std::fs::read_to_string(desk.bot_folder("look").join("run.json")).expect("a record");
    assert!(!record.contains("\"file\"") && !record.contains("B=file"), "{record}");
}

#[test]
fn a_bot_has_its_output_its_lock_and_nothing_else_of_ours_open() {
    let desk = look("");
    // As a script does that holds a lock of its own while it works.
    let done = desk.shell("exec 7>leaked 8</etc/passwd 9>&1; exec \"$BOTWARDEN\" start look");
    assert_eq!(done.code, 0, "{}", done.said());
    let found = found(&desk);
    let log = desk.bot_folder("look").join("log").join(format!("{}.log", desk.record("look").run));
    let mut fds: BTreeMap<String, String> = serde_json::from_value(found["fds"].clone()).expect("descriptors");
    assert_eq!(fds.remove("0").as_deref(), Some("/dev/null"));
    assert_eq!(fds.remove("1"), Some(log.to_string_lossy().into_owned()));
    assert_eq!(fds.remove("2"), Some(log.to_string_lossy().into_owned()));
    let lock = desk.bot_folder("look").join("bot.lock").to_string_lossy().into_owned();
    assert_eq!(fds.values().cloned().collect::<Vec<_>>(), [lock], "{fds:?}");
    // Nor does its keeper hold on to what it was started with.
    let keeper = desk.keeper("look").pid();
    for entry in std::fs::read_dir(format!("/proc/{keeper}/fd")).expect("ours").flatten() {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        assert!(!target.ends_with("leaked") && !target.ends_with("passwd"), "{}", target.display());
    }
}

#[test]
fn a_bot_leads_a_session_and_has_every_signal_at_its_default() {
    let desk = look("");
    // What a shell does to jobs in the background, and nohup to everything.
    let done = desk.shell("trap '' INT QUIT HUP TERM PIPE USR1; \"$BOTWARDEN\" start look");
    assert_eq!(done.code, 0, "{}", done.said());
    let found = found(&desk);
    assert_eq!((&found["sid"], &found["pgid"]), (&found["pid"], &found["pid"]));
    // Python itself ignores SIGPIPE and SIGXFSZ.
    let ignored = u64::from_str_radix(found["ignored"].as_str().expect("a mask"), 16).expect("a mask");
    // The two after SIGSYS are the C library's own: nobody else may touch them.
    let others: u64 = (1 << 12) | (1 << 24) | (1 << 31) | (1 << 32);
    assert_eq!(ignored & !others, 0, "{ignored:x}");
    assert_eq!(found["blocked"], "0000000000000000");
    assert_eq!(found["cwd"], desk.folder().to_string_lossy().as_ref());
    desk.run(&["stop", "look"]).expect(0);
}

#[test]
fn a_restarted_bot_finds_the_same() {
    let desk = look("restart = 'always'\nbackoff = { first = '10ms' }\n").with("A", "inherited");
    desk.run(&["start", "look"]).expect(0);
    let before = found(&desk);
    std::fs::remove_file(desk.path("found")).expect("it is there");
    desk.signal(desk.pid("look"), botwarden::core::signal::Signal::KILL);
    let after = found(&desk);
    let (mut a, mut b) = (variables(&before), variables(&after));
    assert_ne!(a.remove("BOTWARDEN_RUN"), b.remove("BOTWARDEN_RUN"));
    assert_eq!(a, b);
    assert_eq!(before["ignored"], after["ignored"]);
    assert_eq!(
        before["fds"].as_object().expect("descriptors").len(),
        after["fds"].as_object().expect("descriptors").len()
    );
}

#[test]
fn a_bot_runs_as_the_user_that_it_is_to_run_as() {
    if !root() {
        return skipped("only root can become somebody else");
    }
    let desk = Desk::new(
        "[bots.other]\ncommand = ['/bin/sh', '-c', 'echo $(id -un) $(id -Gn) $USER $HOME > who; exec sleep 600']\n\
         mode = 'paper'\nuser = 'nobody'\n",
    );
    std::fs::set_permissions(desk.folder(), std::fs::Permissions::from_mode(0o777)).expect("its mode");
    desk.run(&["start", "other"]).expect(0);
    let who = desk.wait_for_lines("who", 1);
    let words: Vec<&str> = who[0].split(' ').collect();
    assert_eq!((words[0], words[2]), ("nobody", "nobody"), "{who:?}");
    assert_ne!(words[1], "root");
    desk.wait_for("other", "running");
    desk.run(&["stop", "other"]).expect(0);
    assert!(desk.living().is_empty());
}
