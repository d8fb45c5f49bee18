//! The emergency stop on a desk on which somebody, or something, stands in its way.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::emergency::{desk, fire, force_open, part, stopper_at_work};
use crate::harness::{Desk, alive, eventually, has, root, skipped};

const ONE: &str = "[bots.a]\ncommand = ['sleep', '600']\nmode = 'live'\n";
const DEAF: &str = "[bots.deaf]\ncommand = ['/bin/sh', '-c', \"trap '' TERM; echo up > up; while :; do sleep 0.1; done\"]\nmode = 'live'\n";

/// A pipe that nobody reads.
fn pipe(desk: &Desk, path: &std::path::Path) {
    let done = desk.shell(&format!("mkfifo '{}'", path.display()));
    assert_eq!(done.code, 0, "{}", done.said());
}

#[test]
fn whoever_sits_on_the_beacon_and_answers_nobody_delays_nothing_for_long() {
    let desk = desk("1s", ONE);
    desk.run(&["start", "--yes", "a"]).expect(0);
    let pid = desk.pid("a");
    desk.write(
        "sit.py",
        "import os, socket, sys, time\n\
         at = os.stat(sys.argv[1])\n\
         name = '\\0botwarden-estop-%x-%x' % (at.st_dev, at.st_ino)\n\
         sits = socket.socket(socket.AF_UNIX); sits.bind(name); sits.listen(0)\n\
         fills = []\n\
         while True:\n\
         \x20   one = socket.socket(socket.AF_UNIX); one.setblocking(False)\n\
         \x20   try: one.connect(name); fills.append(one)\n\
         \x20   except BlockingIOError: break\n\
         print('sits', flush=True)\n\
         time.sleep(600)\n",
    );
    let mut sits = std::process::Command::new(crate::harness::python());
    let mut sits = sits
        .args([desk.path("sit.py").as_os_str(), desk.home_folder().as_os_str()])
        .stdout(std::fs::File::create(desk.path("sits")).expect("a file"))
        .spawn()
        .expect("it executes");
    desk.wait_for_lines("sits", 1);
    let report = fire(&desk, 0);
    assert!(!alive(pid), "{report}");
    assert!(report["notes"].to_string().contains("nobody can watch it"), "{report}");
    sits.kill().expect("it is ours");
    sits.wait().expect("it ends");
}

#[test]
fn a_stopper_that_hangs_while_many_ask_for_it_gives_way_all_the_same() {
    let desk = desk("1s", DEAF);
    desk.run(&["start", "--yes", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let mut first = desk.command(&["estop"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    // Nobody is told who it is by a queue that is full: its lock says so.
    let hung = stopper_at_work(&desk);
    hung.signal("SIGSTOP".parse().expect("a signal")).expect("it is ours");
    // Its queue has room for so many.
    let home = botwarden::paths::Home::at(desk.home_folder().to_owned());
    for _ in 0..200 {
        let _ = botwarden::beacon::holder(&home);
    }
    let report = fire(&desk, 0);
    assert!(desk.living().is_empty(), "{report}");
    assert!(hung.has_ended());
    let _ = first.kill();
    first.wait().expect("it ends");
}

#[test]
fn a_latch_that_is_a_pipe_or_a_folder_or_a_link_hangs_nothing() {
    let desk = desk("1s", ONE);
    let latch = desk.home_folder().join("estop.json");
    for make in ["mkfifo", "mkdir", "ln -s /nowhere/at/all"] {
        desk.run(&["start", "--yes", "a"]).expect(0);
        let made = desk.shell(&format!("{make} '{}'", latch.display()));
        assert_eq!(made.code, 0, "{}", made.said());
        fire(&desk, 0);
        assert!(desk.living().is_empty(), "{make}");
        desk.run(&["start", "--yes", "a"]).expect(75);
        let undone = desk.shell(&format!("rm -r '{}'", latch.display()));
        assert_eq!(undone.code, 0, "{}", undone.said());
    }
}

#[test]
fn events_that_are_a_pipe_are_an_error_and_end_no_stop() {
    let desk = desk("1s", ONE);
    desk.run(&["start", "--yes", "a"]).expect(0);
    let events = desk.home_folder().join("events");
    let _ = std::fs::remove_file(&events);
    pipe(&desk, &events);
    let report = fire(&desk, 1);
    assert!(desk.living().is_empty(), "{report}");
    assert!(report["errors"].to_string().contains("events"), "{report}");
}

#[test]
fn few_descriptors_keep_nobody_alive() {
    let desk = desk("1s", &format!("{ONE}[bots.b]\ncommand = ['sleep', '601']\nmode = 'paper'\n"));
    desk.run(&["start", "--yes", "--all"]).expect(0);
    let done = desk.shell("ulimit -Sn 10; exec \"$BOTWARDEN\" estop --json");
    assert_eq!(done.code, 0, "{}", done.said());
    assert!(desk.living().is_empty());
}

#[test]
fn a_bot_whose_folder_nobody_may_read_is_ended_by_its_mark() {
    if !root() || !has("setpriv") {
        return skipped("only root can make a folder that its owner's friends may not read");
    }
    let desk = desk("300ms", ONE);
    // Everything but one bot's folder belongs to somebody else, who fires.
    std::fs::set_permissions(desk.folder(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
    desk.run(&["status"]);
    let home = desk.home_folder().display().to_string();
    let by_nobody = |line: &str| {
        desk.shell(&format!("exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$BOTWARDEN\" {line}"))
    };
    let given = desk.shell(&format!("chown -R 65534:65534 '{home}'"));
    assert_eq!(given.code, 0, "{}", given.said());
    let started = by_nobody("start --yes a");
    if started.code != 0 {
        return skipped(format!("nobody else can execute the binary here: {}", started.said()));
    }
    let pid = desk.pid("a");
    desk.kill_keeper("a");
    let folder = desk.bot_folder("a");
    let taken = desk.shell(&format!("chown root:root '{0}' && chmod 0 '{0}'", folder.display()));
    assert_eq!(taken.code, 0, "{}", taken.said());
    let done = by_nobody("estop --json");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("its mode");
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{}", done.said()));
    assert!(!alive(pid), "{report}");
    assert_ne!(done.code, 0, "what cannot be read is said: {report}");
}

#[test]
fn what_something_else_starts_again_and_again_is_not_called_stopped() {
    let desk =
        desk("300ms", "[bots.a]\ncommand = ['/bin/sh', './again.sh']\nmode = 'live'\nfind = ['sh', 'again.sh']\n");
    desk.write("again.sh", "sleep 600 & wait $!\n");
    desk.write("forever.py", "import subprocess, time\nwhile True:\n    subprocess.run(['/bin/sh', './again.sh'])\n");
    let mut forever = std::process::Command::new(crate::harness::python());
    desk.dress(&mut forever);
    let mut forever =
        forever.env_remove("BOTWARDEN_HOME").arg("forever.py").stdout(Stdio::null()).spawn().expect("it executes");
    desk.wait_until("a", "seen as a stray", |seen| seen["strays"].as_array().is_some_and(|strays| !strays.is_empty()));
    let done = desk.run(&["estop", "--json"]);
    let report = done.json();
    let bot = part(&report, "a");
    let told = format!("{}{}", bot["errors"], bot["notes"]);
    if done.code == 0 {
        // Every look fell into the gap between two of them: that it came back is said all the same.
        assert!(told.contains("something has started it"), "{report}");
    } else {
        assert_eq!((done.code, &bot["outcome"]), (13, &"survived".into()), "{report}");
    }
    forever.kill().expect("it is ours");
    forever.wait().expect("it ends");
    desk.run(&["estop"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn a_latch_that_somebody_takes_away_meanwhile_is_there_again_at_the_end() {
    let desk = desk("1s", DEAF);
    desk.run(&["start", "--yes", "deaf"]).expect(0);
    desk.wait_for_lines("up", 1);
    let fired = desk.command(&["estop", "--json"]).stdout(Stdio::piped()).spawn().expect("it starts");
    // One that is lifted before it has made sure of it is made again without a word.
    stopper_at_work(&desk);
    force_open(&desk);
    let done = fired.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&done.stdout).expect("a report");
    assert_eq!((done.status.code(), &report["latched"]), (Some(1), &true.into()), "{report}");
    assert!(report["errors"].to_string().contains("lifted"), "{report}");
    desk.run(&["start", "--yes", "deaf"]).expect(75);
}

#[test]
fn a_drill_with_much_to_say_is_still_a_drill() {
    let desk = desk("1s", "[bots.p]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    desk.run(&["start", "p"]).expect(0);
    desk.run(&["estop", "--drill", "--reason", &"x".repeat(90_000)]).expect(0);
    assert!(!desk.home_folder().join("estop.json").exists());
}

#[test]
fn a_bot_that_fires_it_itself_is_stopped_and_the_stop_goes_on() {
    let desk = desk(
        "1s",
        "[bots.fires]\ncommand = ['/bin/sh', '-c', 'until [ -e now ]; do sleep 0.05; done; exec \"$BOTWARDEN\" estop']\nmode = 'live'\n\
         [bots.other]\ncommand = ['sleep', '600']\nmode = 'live'\n",
    );
    desk.run(&["start", "--yes", "--all"]).expect(0);
    let pids = [desk.pid("fires"), desk.pid("other")];
    desk.write("now", "");
    for pid in pids {
        eventually("the end of a bot", || (!alive(pid)).then_some(()));
    }
    let seen = eventually("a report", || {
        let seen = desk.run(&["estop", "status", "--json"]).json();
        (!seen["report"].is_null()).then_some(seen)
    });
    assert_eq!(seen["report"]["exit_code"], 0, "{seen}");
}
