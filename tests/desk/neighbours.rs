//! What looks like a bot and is somebody else's: in another bot's tree, on another desk, before other files. It is told
//! of where it is in the way, and never touched.

use std::fs;
use std::path::Path;

use botwarden::process;

use crate::harness::{Desk, alive, can, eventually, python, skipped};
use crate::strays::{Stray, by_hand, desk, nothing_was_running, reported, says, stopped, stray, strays};

const SLEEPER: &str = "import time\ntime.sleep(600)\n";

/// Bot `a` starts the script of bot `c` in this folder, and writes its number down.
fn nested(folder: &str, script: &str, more: &str) -> (Desk, i32) {
    let desk = Desk::new(&format!(
        "[bots.a]\ncommand = ['PYTHON', 'launch.py']\nmode = 'paper'\nrestart = 'never'\n\
         [bots.c]\ncommand = ['PYTHON', 'run_bot.py']\ncwd = 'c'\nmode = 'paper'\nrestart = 'never'\n\
         autostart = true\n{more}\n"
    ));
    for folder in ["c", "d"] {
        fs::create_dir(desk.path(folder)).expect("a folder");
        desk.write(&format!("{folder}/run_bot.py"), script);
    }
    desk.write(
        "launch.py",
        &format!(
            "import subprocess, sys\nchild = subprocess.Popen([sys.executable, 'run_bot.py'], cwd='{folder}')\n\
             open('child', 'w').write(f'{{child.pid}}\\n')\nchild.wait()\n"
        ),
    );
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.wait_for_lines("child", 1)[0].parse().expect("its number");
    (desk, pid)
}

/// What is said of it wherever it is in the way.
#[track_caller]
fn is_told_of(desk: &Desk, pid: i32) {
    let told = format!("pid {pid} (");
    let tree = "run_bot.py) looks like it and lives in the tree of a";
    let seen = desk.status("c");
    let note = seen["note"].as_str().unwrap_or_default();
    assert!(seen["state"] == "stopped" && note.contains(&told) && note.contains(tree), "{seen}");
    assert_eq!(strays(desk, "c"), [0; 0]);
    for command in [&["start", "c"][..], &["up"]] {
        let said = desk.run(command).expect(1).said();
        assert!(said.contains(&told) && said.contains(&format!("{tree}: stop a first")), "{said}");
        assert_eq!(desk.state("c"), "stopped");
    }
    let (said, report) = reported(desk, &["stop", "c"], 1);
    assert!(said.contains(&told) && said.contains(&format!("{tree}: left alone")), "{said}");
    assert_eq!((&report["outcome"], report["processes"].as_array().map(Vec::len)), (&"not_running".into(), Some(0)));
    let (_, report) = reported(desk, &["restart", "c"], 1);
    assert_eq!(report["restarted"], false, "{report}");
    assert!(alive(pid) && desk.state("c") == "stopped");
    assert_eq!(desk.state("a"), "running");
}

#[test]
fn a_bot_in_the_tree_of_another_is_told_of_and_left_to_that_one() {
    let (desk, pid) = nested("c", SLEEPER, "");
    is_told_of(&desk, pid);
    desk.run(&["stop", "a"]).expect(0);
    assert!(!alive(pid));
    desk.run(&["start", "c"]).expect(0);
    assert_eq!(desk.status("c")["note"], "");
    desk.run(&["stop", "--all"]).expect(0);
}

#[test]
fn a_bot_in_the_tree_of_another_goes_with_that_one_when_both_are_stopped() {
    let (desk, pid) = nested("c", SLEEPER, "");
    let said = desk.run(&["stop", "--all"]).expect(0).said();
    assert!(!said.contains("left alone"), "{said}");
    assert!(!alive(pid));
}

#[test]
fn a_pid_file_names_a_bot_in_the_tree_of_another() {
    let script = "import os, time\nos.chdir('/')\ntime.sleep(600)\n";
    let (desk, pid) = nested("c", script, "pid_file = 'c/bot.pid'");
    eventually("a daemon in /", || (process::folder(pid)? == Path::new("/")).then_some(()));
    assert_eq!(desk.status("c")["note"], "");
    desk.write("c/bot.pid", &pid.to_string());
    is_told_of(&desk, pid);
    desk.run(&["stop", "a"]).expect(0);
}

#[test]
fn another_bots_script_of_the_same_name_is_in_nobodys_way() {
    let (desk, pid) = nested("d", SLEEPER, "pid_file = 'c/bot.pid'");
    desk.write("c/bot.pid", &pid.to_string());
    assert_eq!(desk.status("c")["note"], "");
    let (_, report) = reported(&desk, &["stop", "c"], 0);
    assert!(says(&report, "notes", &format!("pid {pid} in bot.pid is of bot a: left alone")), "{report}");
    desk.run(&["start", "c"]).expect(0);
    desk.run(&["stop", "c"]).expect(0);
    assert!(alive(pid));
    desk.run(&["stop", "a"]).expect(0);
}

#[test]
fn bots_that_share_command_and_folder_are_not_in_each_others_way() {
    let bot = "command = ['PYTHON', 'run_bot.py']\nmode = 'paper'\npid_file = 'bot.pid'\n";
    let desk = Desk::new(&format!("[bots.a]\n{bot}[bots.b]\n{bot}"));
    desk.write("run_bot.py", SLEEPER);
    desk.run(&["start", "a"]).expect(0);
    desk.write("bot.pid", &desk.pid("a").to_string());
    desk.run(&["start", "b"]).expect(0);
    for bot in ["a", "b"] {
        assert_eq!(desk.status(bot)["note"], "");
    }
    desk.run(&["stop", "b"]).expect(0);
    assert_eq!(desk.state("a"), "running");
}

#[test]
fn what_another_desk_has_adopted_is_its_own() {
    let here = desk("pid_file = 'data/bot.pid'");
    let there = Desk::new(&format!(
        "[bots.other]\ncommand = ['PYTHON', 'run_bot.py']\ncwd = '{}'\nmode = 'paper'\nrestart = 'never'\n",
        here.folder().display()
    ));
    here.write(
        "run_bot.py",
        "import subprocess, sys, time\nif len(sys.argv) < 2: subprocess.run([sys.executable, 'run_bot.py', 'child'])\n\
         time.sleep(600)\n",
    );
    let stray = stray(&here);
    eventually("a child", || (stray.family().len() == 2).then_some(()));
    assert_eq!(strays(&here, "bot"), [stray.pid()]);
    there.run(&["adopt", "other"]).expect(0);
    assert_eq!(strays(&here, "bot"), [0; 0]);
    nothing_was_running(&here);
    here.write("data/bot.pid", &stray.pid().to_string());
    let note = format!("pid {} in data/bot.pid is of another desk: left alone", stray.pid());
    let report = nothing_was_running(&here);
    assert!(says(&report, "notes", &note), "{report}");
    assert_eq!(stray.family().len(), 2);
    assert_eq!(there.state("other"), "running");
    there.run(&["stop", "other"]).expect(0);
    assert!(!stray.lives());
}

#[test]
fn what_our_own_keeper_has_adopted_hides_no_stray_beside_it() {
    let desk = desk("");
    let adopted = stray(&desk);
    desk.run(&["adopt", "bot"]).expect(0);
    let beside = stray(&desk);
    assert_eq!(strays(&desk, "bot"), [beside.pid()]);
    stopped(&desk);
    assert!(!adopted.lives() && !beside.lives());
}

#[test]
fn who_sees_other_files_is_not_where_the_bot_is() {
    let unshare = if can("unshare -m true") { "-m" } else { "-rm" };
    if !can(&format!("unshare {unshare} true")) {
        return skipped("no mount namespace can be made here");
    }
    let desk = desk("");
    let script = desk.path("run_bot.py").display().to_string();
    for script in ["run_bot.py", &script] {
        let apart = Stray::start(&mut by_hand(&desk, "unshare", &[unshare, python(), script]));
        eventually("another program", || {
            let words = fs::read(format!("/proc/{}/cmdline", apart.pid())).ok()?;
            words.starts_with(python().as_bytes()).then_some(())
        });
        assert_eq!(strays(&desk, "bot"), [0; 0], "{script}");
        nothing_was_running(&desk);
        assert!(apart.lives());
    }
}

#[test]
fn the_same_script_in_another_folder_is_called_that() {
    let desk = desk("pid_file = 'data/bot.pid'");
    for release in ["one", "two"] {
        fs::create_dir(desk.path(release)).expect("a folder");
        desk.write(&format!("{release}/run_bot.py"), SLEEPER);
    }
    let old = Stray::start(by_hand(&desk, python(), &["run_bot.py"]).current_dir(desk.path("one")));
    desk.write("data/bot.pid", &old.pid().to_string());
    let folder = desk.path("one").display().to_string();
    let note =
        format!("pid {} in data/bot.pid runs the same script in another folder ({folder}): left alone", old.pid());
    let report = nothing_was_running(&desk);
    assert!(says(&report, "notes", &note), "{report}");
    assert!(old.lives());
}

#[test]
fn a_pid_file_that_cannot_be_read_is_in_the_status() {
    let desk = desk("pid_file = 'data/bot.pid'");
    assert_eq!(desk.status("bot")["note"], "");
    fs::create_dir(desk.path("data/bot.pid")).expect("a folder");
    assert_eq!(desk.status("bot")["note"], "data/bot.pid is a folder");
    let table = desk.run(&["status"]).expect(0).stdout;
    assert!(table.contains("data/bot.pid is a folder"), "{table}");
}
