//! The binary is replaced by another while keepers of the old one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Desk, alive, eventually};

const BOT: &str = "[bots.a]\ncommand = ['sleep', '600']\nmode = 'paper'\nbackoff = { first = '5ms', give_up_after = 0 }\n\
                   [bots.b]\ncommand = ['sleep', '600']\nmode = 'paper'\n";

fn copy(desk: &Desk, name: &str) -> PathBuf {
    let path = desk.path(name);
    // A second name is as good as a copy, and written by nobody while it is executed.
    std::fs::hard_link(env!("CARGO_BIN_EXE_botwarden"), &path)
        .or_else(|_| std::fs::copy(env!("CARGO_BIN_EXE_botwarden"), &path).map(drop))
        .expect("a copy");
    path
}

/// Another file with the same program in it. It is written by another process: where this one has it open for writing, what
/// another test starts just then has it open, too, and it cannot be executed. And it takes a tenth of the room on the disk
/// without what only debuggers read.
fn another(path: &Path) {
    let mut command = Command::new("sh");
    command.args(["-c", r#"strip -o "$2" "$1" 2> /dev/null || cp "$1" "$2""#, "sh", env!("CARGO_BIN_EXE_botwarden")]);
    assert!(command.arg(path).status().expect("a shell").success(), "no copy");
}

fn replace(old: &Path, new: &Path) {
    std::fs::rename(new, old).expect("renamed");
}

#[test]
fn a_binary_that_was_replaced_serves_what_the_old_one_started() {
    let mut desk = Desk::new(BOT);
    let binary = copy(&desk, "botwarden-here");
    desk.use_binary(&binary);
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    let new = desk.path("botwarden-new");
    another(&new);
    replace(&binary, &new);
    assert_eq!(desk.state("a"), "running");
    assert_eq!(desk.pid("a"), pid);
    // The keeper goes on by itself: it needs no binary to start its bot again.
    desk.signal(pid, botwarden::core::signal::Signal::KILL);
    let next = eventually("another run", || Some(desk.pid("a")).filter(|next| *next != pid));
    desk.run(&["restart", "a"]).expect(0);
    assert!(!alive(next));
    desk.run(&["start", "b"]).expect(0);
    desk.kill_keeper("b");
    desk.run(&["up"]).expect(0);
    desk.run(&["stop", "--all"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn a_binary_that_is_gone_is_not_missed_by_its_keepers() {
    let mut desk = Desk::new(BOT);
    let binary = copy(&desk, "botwarden-here");
    desk.use_binary(&binary);
    desk.run(&["start", "a"]).expect(0);
    std::fs::remove_file(&binary).expect("it is there");
    let pid = desk.pid("a");
    desk.signal(pid, botwarden::core::signal::Signal::KILL);
    eventually("another run", || Some(desk.pid("a")).filter(|next| *next != pid));
    desk.use_binary(Path::new(env!("CARGO_BIN_EXE_botwarden")));
    desk.wait_for("a", "running");
    desk.run(&["stop", "a"]).expect(0);
}

/// A command of an operator may be under way while the binary goes: what it starts, it starts all the same.
#[test]
fn a_command_whose_binary_goes_meanwhile_still_starts_keepers() {
    let desk = Desk::new(BOT);
    let binary = copy(&desk, "botwarden-here");
    // A shell holds the binary open and executes it through that: its name is gone before it begins.
    let done = desk.shell(&format!("exec 3< {0}; rm {0}; exec /proc/self/fd/3 start a", binary.display()));
    assert_eq!(done.code, 0, "{}", done.said());
    assert_eq!(desk.state("a"), "running");
}
