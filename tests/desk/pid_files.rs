//! A PID file counts only with proof: whatever stands in it, no stranger is signalled, and every file that names nobody
//! is told of.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Desk, alive, can, python, root, skipped};
use crate::strays::{Stray, by_hand, desk, nothing_was_running, of, reported, says, stopped, stray, strays};

const PID_FILE: &str = "pid_file = 'data/bot.pid'";

/// The notes of the stop of a bot of which nothing is there.
#[track_caller]
fn notes(desk: &Desk) -> Vec<String> {
    let report = nothing_was_running(desk);
    assert_eq!(report["errors"], Value::Array(vec![]));
    let notes = report["notes"].as_array().expect("a list");
    notes.iter().map(|note| note.as_str().expect("a sentence").to_owned()).collect()
}

/// Sets the time at which the file was written.
#[track_caller]
fn date(desk: &Desk, when: &str) {
    assert!(can(&format!("touch -d '{when}' {}", desk.path("data/bot.pid").display())), "{when}");
}

#[test]
fn a_file_that_names_no_process_is_told_of_and_changes_nothing() {
    let desk = desk(PID_FILE);
    let long = "9".repeat(1 << 20);
    let holds = |text: &str| format!("data/bot.pid holds no process number: {text:?}");
    assert_eq!(notes(&desk), [""; 0], "a missing file goes without saying");
    for (text, note) in [
        ("", "data/bot.pid is empty".to_owned()),
        ("\n \n", "data/bot.pid is empty".to_owned()),
        ("running\n", holds("running")),
        ("12 34", holds("12 34")),
        ("4711.5", holds("4711.5")),
        ("0x10", holds("0x10")),
        ("99999999999999999999", holds("99999999999999999999")),
        (&long, holds(&long[..32])),
        ("-1", holds("-1")),
        ("-4711", holds("-4711")),
        ("0", holds("0")),
        ("1\n", holds("1")),
        ("\x1b[31mred", holds("\x1b[31mred")),
        ("2147483647", "pid 2147483647 in data/bot.pid is gone".to_owned()),
    ] {
        desk.write("data/bot.pid", text);
        assert_eq!(notes(&desk), [note]);
    }
    fs::write(desk.path("data/bot.pid"), [0xff, 0xfe, b'7', 0]).expect("written");
    assert!(notes(&desk)[0].starts_with("data/bot.pid holds no process number: "));
    fs::remove_dir_all(desk.path("data")).expect("removed");
    assert_eq!(notes(&desk), [""; 0], "nor does a missing folder");
}

#[test]
fn what_stands_in_a_file_reaches_the_screen_without_its_escapes() {
    let desk = desk(PID_FILE);
    desk.write("data/bot.pid", "\x1b[31mred\x07");
    let said = desk.run(&["stop", "bot"]).expect(0).said();
    assert!(said.contains("data/bot.pid holds no process number: ") && said.contains("red"), "{said:?}");
    assert!(!said.contains('\x1b') && !said.contains('\x07'), "{said:?}");
}

#[test]
fn the_process_that_a_file_names_is_proven_by_what_it_executes() {
    for text in
        [|pid: i32| format!("{pid}"), |pid: i32| format!("{pid}\n"), |pid: i32| format!("  {pid}\r\nstarted today\n")]
    {
        let desk = desk(PID_FILE);
        let stray = stray(&desk);
        desk.write("data/bot.pid", &text(stray.pid()));
        assert_eq!(desk.status("bot")["strays"][0]["found_by"], "pid_file");
        let (said, report) = stopped(&desk);
        assert!(said.contains("killed 1 process: 1 from data/bot.pid ("), "{said}");
        assert_eq!(
            (&of(&report, stray.pid())["file"], &report["notes"]),
            (&"data/bot.pid".into(), &Value::Array(vec![]))
        );
        assert!(!stray.lives());
    }
}

#[test]
fn a_daemon_that_went_elsewhere_is_known_by_its_file_alone() {
    let desk = desk(PID_FILE);
    desk.write("run_bot.py", "import os, time\nos.chdir('/')\ntime.sleep(600)\n");
    let stray = stray(&desk);
    crate::harness::eventually("a daemon in /", || {
        (botwarden::process::folder(stray.pid())? == std::path::Path::new("/")).then_some(())
    });
    assert_eq!(strays(&desk, "bot"), [0; 0]);
    desk.write("data/bot.pid", &stray.pid().to_string());
    stopped(&desk);
    assert!(!stray.lives());
}

#[test]
fn the_file_of_a_bot_that_is_kept_needs_no_word() {
    let desk = desk(PID_FILE);
    desk.write("run_bot.py", "import os, time\nopen('data/bot.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)\n");
    desk.run(&["start", "bot"]).expect(0);
    let pid = desk.pid("bot");
    crate::harness::eventually("its file", || (desk.read("data/bot.pid") == pid.to_string()).then_some(()));
    assert_eq!(strays(&desk, "bot"), [0; 0]);
    let (said, report) = stopped(&desk);
    assert!(said.contains(&format!("stopped bot (pid {pid}, ")), "{said}");
    assert_eq!(report["notes"], Value::Array(vec![]));
    // It left its file behind.
    assert_eq!(notes(&desk), [format!("pid {pid} in data/bot.pid is gone")]);
    desk.run(&["start", "bot"]).expect(0);
    desk.run(&["stop", "bot"]).expect(0);
}

#[test]
fn a_process_that_is_gone_is_told_of() {
    let desk = desk(PID_FILE);
    let mut child = Command::new("true").spawn().expect("a child");
    let pid = child.id();
    child.wait().expect("its end");
    desk.write("data/bot.pid", &pid.to_string());
    assert_eq!(notes(&desk), [format!("pid {pid} in data/bot.pid is gone")]);
    // One that nobody has reaped is as dead.
    let mut child = Command::new("true").spawn().expect("a child");
    let pid = child.id();
    crate::harness::eventually("its end", || (!alive(pid as i32)).then_some(()));
    desk.write("data/bot.pid", &pid.to_string());
    assert_eq!(notes(&desk), [format!("pid {pid} in data/bot.pid is gone")]);
    child.wait().expect("its end");
}

#[test]
fn a_stop_does_not_stop_itself() {
    let desk = desk(PID_FILE);
    let done = desk.shell("echo $$ > data/bot.pid; exec \"$BOTWARDEN\" stop bot").expect(0);
    let pid = desk.read("data/bot.pid");
    let note = format!("pid {} in data/bot.pid is botwarden itself: left alone", pid.trim());
    assert!(done.stdout.contains("bot: nothing was running") && done.stdout.contains(&note), "{done:?}");
}

#[test]
fn a_keeper_is_no_bot_of_anybodys() {
    let desk = desk(&format!("{PID_FILE}\n[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n"));
    desk.run(&["start", "other"]).expect(0);
    let keeper = desk.keeper("other");
    desk.write("data/bot.pid", &keeper.pid().to_string());
    assert_eq!(notes(&desk), [format!("pid {} in data/bot.pid is botwarden itself: left alone", keeper.pid())]);
    let pid = desk.pid("other");
    desk.write("data/bot.pid", &pid.to_string());
    assert_eq!(notes(&desk), [format!("pid {pid} in data/bot.pid is of bot other: left alone")]);
    desk.kill_keeper("other");
    assert_eq!(notes(&desk), [format!("pid {pid} in data/bot.pid is of bot other: left alone")]);
    assert!(alive(pid));
}

#[test]
fn a_stranger_that_got_the_number_is_left_alone() {
    let desk = desk(PID_FILE);
    fs::create_dir(desk.path("elsewhere")).expect("a folder");
    desk.write("elsewhere/run_bot.py", "import time\ntime.sleep(600)\n");
    let mut elsewhere = by_hand(&desk, python(), &["run_bot.py"]);
    elsewhere.current_dir(desk.path("elsewhere"));
    let same = format!("runs the same script in another folder ({})", desk.path("elsewhere").display());
    for (mut stranger, name) in [
        (by_hand(&desk, "sleep", &["600"]), "is another program (sleep)"),
        (by_hand(&desk, "tail", &["-f", "run_bot.py"]), "is another program (tail)"),
        (by_hand(&desk, "sh", &["-c", "while :; do sleep 600; done; python3 run_bot.py"]), "is another program (sh)"),
        (elsewhere, &same),
    ] {
        let stranger = Stray::start(&mut stranger);
        let family = stranger.family();
        desk.write("data/bot.pid", &format!("{}\n", stranger.pid()));
        for command in ["stop", "kill"] {
            let note = format!("pid {} in data/bot.pid {name}: left alone", stranger.pid());
            let (said, report) = reported(&desk, &[command, "bot"], 0);
            assert!(said.contains(&note) && says(&report, "notes", &note), "{said}");
            assert_eq!(report["outcome"], "not_running", "{report}");
        }
        desk.run(&["start", "bot"]).expect(0);
        desk.run(&["restart", "bot"]).expect(0);
        desk.run(&["stop", "bot"]).expect(0);
        assert!(stranger.lives() && family.iter().all(|pid| alive(*pid)), "{name}");
    }
}

#[test]
fn a_daemon_that_was_started_after_the_file_was_written_is_not_the_one_it_names() {
    let desk = desk(PID_FILE);
    desk.write("run_bot.py", "import os, time\nos.chdir('/')\ntime.sleep(600)\n");
    let stray = stray(&desk);
    crate::harness::eventually("a daemon in /", || {
        (botwarden::process::folder(stray.pid())? == std::path::Path::new("/")).then_some(())
    });
    desk.write("data/bot.pid", &stray.pid().to_string());
    date(&desk, "yesterday");
    let late = format!("pid {} in data/bot.pid was started after the file was written: left alone", stray.pid());
    assert_eq!(notes(&desk), [late]);
    assert!(stray.lives());
}

#[test]
fn a_copy_in_the_bots_own_folder_is_found_whatever_its_file_proves_and_is_not_said_to_be_left_alone() {
    let desk = desk(PID_FILE);
    let stray = stray(&desk);
    desk.write("data/bot.pid", &stray.pid().to_string());
    date(&desk, "yesterday");
    assert_eq!(desk.status("bot")["strays"][0]["found_by"], "search");
    let (said, report) = stopped(&desk);
    assert!(said.contains("killed 1 process: 1 found by search ("), "{said}");
    assert!(!said.contains("left alone"), "{said}");
    assert_eq!(of(&report, stray.pid())["found_by"], "search");
    assert!(!stray.lives());
}

#[test]
fn what_cannot_be_read_as_a_file_is_an_error_and_what_lives_is_stopped_all_the_same() {
    let desk = desk(PID_FILE);
    let path = desk.path("data/bot.pid").display().to_string();
    for (make, error) in [
        (format!("mkdir {path}"), "data/bot.pid is a folder"),
        (format!("mkfifo {path}"), "data/bot.pid is no regular file"),
        (format!("ln -s bot.pid {path}"), "data/bot.pid cannot be read: "),
    ] {
        assert!(can(&make), "{make}");
        let (said, report) = reported(&desk, &["stop", "bot"], 1);
        assert!(said.contains(error) && says(&report, "errors", error), "{said}");
        assert_eq!(report["outcome"], "not_running");
        let stray = stray(&desk);
        let (said, report) = reported(&desk, &["stop", "bot"], 1);
        assert!(said.contains("killed 1 process: 1 found by search") && said.contains(error), "{said}");
        assert_eq!(report["outcome"], "stopped");
        assert!(!stray.lives());
        assert!(can(&format!("rm -r {path}")));
    }
    assert_eq!(notes(&desk), [""; 0]);
}

#[test]
fn a_file_that_we_may_not_read_is_an_error() {
    let desk = desk(PID_FILE);
    desk.write("data/bot.pid", "4711");
    let close = |mode| fs::set_permissions(desk.path("data/bot.pid"), Permissions::from_mode(mode)).expect("ours");
    close(0o000);
    let done = if root() {
        let theirs = "setpriv --reuid 65534 --regid 65534 --clear-groups";
        if !can(&format!("{theirs} {} --version", env!("CARGO_BIN_EXE_botwarden"))) {
            return skipped("nobody else can execute the binary here");
        }
        assert!(can(&format!("chown -R 65534:65534 {}", desk.folder().display())));
        desk.shell(&format!("exec {theirs} \"$BOTWARDEN\" stop bot"))
    } else {
        desk.run(&["stop", "bot"])
    };
    let done = done.expect(1);
    assert!(done.stdout.contains("bot: nothing that is surely its own was running"), "{done:?}");
    assert!(done.stderr.contains("data/bot.pid cannot be read: permission denied"), "{done:?}");
}

#[test]
fn a_file_that_two_bots_share_names_the_one_in_whose_folder_it_runs() {
    let desk = Desk::new(
        "[bots.a]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\npid_file = 'bot.pid'\n\
         [bots.b]\ncommand = ['PYTHON', 'run_bot.py']\nmode = 'paper'\npid_file = 'bot.pid'\ncwd = 'b'\n",
    );
    fs::create_dir(desk.path("b")).expect("a folder");
    for script in ["run_bot.py", "b/run_bot.py"] {
        desk.write(script, "import time\ntime.sleep(600)\n");
    }
    let of_b = Stray::start(by_hand(&desk, python(), &["run_bot.py"]).current_dir(desk.path("b")));
    desk.write("bot.pid", &of_b.pid().to_string());
    assert_eq!((strays(&desk, "a"), strays(&desk, "b")), (vec![], vec![of_b.pid()]));
    reported(&desk, &["stop", "a"], 0);
    assert!(of_b.lives());
    let (_, report) = reported(&desk, &["stop", "b"], 0);
    assert_eq!(of(&report, of_b.pid())["found_by"], "pid_file");
    assert!(!of_b.lives());
}
