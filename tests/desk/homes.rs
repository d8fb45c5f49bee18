//! A home that is not as it should be: a clear error or less service, and never a bot that suffers from it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::harness::{Desk, alive, can, eventually, has, root, skipped};

const SLEEPER: &str = "[bots.a]\ncommand = ['/bin/sh', '-c', 'echo hello; exec sleep 600']\nmode = 'paper'\n";

#[test]
fn a_home_is_made_by_the_first_command_and_nobody_else_may_enter_it() {
    let desk = Desk::new(SLEEPER);
    let deep = desk.path("some").join("where").join("home");
    let desk = desk.at_home(&deep);
    desk.run(&["status"]).expect(0);
    let mode = |path: PathBuf| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(deep.clone()), 0o700);
    desk.run(&["start", "a"]).expect(0);
    assert_eq!(mode(desk.bot_folder("a")), 0o700);
    for file in ["control.sock", "run.json", "events", "keeper.lock", "bot.lock"] {
        assert_eq!(mode(desk.bot_folder("a").join(file)), 0o600, "{file}");
    }
    // One that others may enter is closed.
    std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    desk.run(&["status"]).expect(0);
    assert_eq!(mode(deep), 0o700);
}

#[test]
fn a_home_whose_path_is_longer_than_an_address_works() {
    let desk = Desk::new(SLEEPER);
    let deep =
        ["x".repeat(90), "y".repeat(90), "z".repeat(90)].iter().fold(desk.folder(), |path, name| path.join(name));
    let desk = desk.at_home(&deep);
    desk.run(&["start", "a"]).expect(0);
    assert_eq!(desk.state("a"), "running");
    desk.wait_for_log("a", "hello\n");
    desk.kill_keeper("a");
    desk.run(&["up"]).expect(0);
    desk.run(&["restart", "a"]).expect(0);
    desk.run(&["stop", "a"]).expect(0);
    assert!(desk.living().is_empty());
}

#[test]
fn a_home_that_cannot_be_is_an_error_that_names_it() {
    let desk = Desk::new(SLEEPER);
    let file = desk.write("file", "");
    for home in [file.join("home"), PathBuf::from("/proc/home"), PathBuf::from("/dev/null")] {
        let done = desk.run(&["start", "a", "--home", &home.to_string_lossy()]).expect(1);
        assert!(done.stderr.contains(&*home.to_string_lossy()), "{}", done.stderr);
    }
    desk.run(&["start", "a", "--home", ""]).expect(2);
    assert!(desk.living().is_empty());
}

#[test]
fn what_is_missing_in_a_home_does_not_end_a_bot() {
    let desk = Desk::new(SLEEPER);
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    let folder = desk.bot_folder("a");
    std::fs::remove_file(folder.join("control.sock")).expect("it is there");
    let seen = desk.status("a");
    assert_eq!(seen["state"], "unknown", "{seen}");
    assert!(alive(pid));
    desk.run(&["stop", "a"]).expect(0);
    assert!(!alive(pid));
    std::fs::remove_dir_all(folder.join("log")).expect("it is there");
    desk.run(&["start", "a"]).expect(0);
    desk.wait_for_log("a", "hello\n");
    // A record that cannot be read: nothing is claimed, nothing is started beside it.
    let pid = desk.pid("a");
    desk.kill_keeper("a");
    std::fs::write(folder.join("run.json"), "{").expect("written");
    let seen = desk.status("a");
    assert!(["orphaned", "unknown"].contains(&seen["state"].as_str().expect("a word")), "{seen}");
    desk.run(&["start", "a"]).expect(1);
    // Its mark says whose it is. What it was started as nobody knows any more, so it counts as live.
    desk.run(&["up"]).expect(0);
    let seen = desk.wait_for("a", "running");
    assert_eq!((seen["pid"].as_i64(), seen["mode"].as_str()), (Some(i64::from(pid)), Some("live")), "{seen}");
    desk.run(&["stop", "a"]).expect(0);
    assert!(!alive(pid));
}

#[test]
fn a_bot_whose_record_is_lost_can_be_stopped_by_its_mark() {
    let desk = Desk::new(SLEEPER);
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    desk.kill_keeper("a");
    std::fs::remove_file(desk.bot_folder("a").join("run.json")).expect("it is there");
    let done = desk.run(&["stop", "a"]).expect(0);
    assert!(done.stdout.contains("run record is lost"), "{}", done.said());
    assert!(!alive(pid));
}

/// Runs a line of shell in a mount namespace of its own, in which the home is as `mount` makes it.
pub fn elsewhere(desk: &Desk, mount: &str, line: &str) -> crate::harness::Done {
    let home = desk.home_folder().display();
    let script = desk
        .script("elsewhere.sh", &format!("mount --make-rprivate / || exit 90\nDESK_HOME='{home}'\n{mount}\n{line}\n"));
    desk.shell(&format!("exec unshare -m /bin/sh -e {}", script.display()))
}

#[test]
fn a_read_only_home_is_said_and_its_bots_can_be_seen_and_stopped() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = Desk::new(&format!("{SLEEPER}[bots.b]\ncommand = ['sleep', '600']\nmode = 'paper'\n"));
    desk.run(&["start", "a"]).expect(0);
    let pid = desk.pid("a");
    let read_only = "mount --bind \"$DESK_HOME\" \"$DESK_HOME\"\nmount -o remount,bind,ro \"$DESK_HOME\"";
    let status = elsewhere(&desk, read_only, "\"$BOTWARDEN\" status --json");
    assert_eq!(status.code, 0, "{}", status.said());
    assert!(status.stdout.contains("\"running\""), "{}", status.stdout);
    let start = elsewhere(&desk, read_only, "\"$BOTWARDEN\" start b");
    assert_eq!(start.code, 1, "{}", start.said());
    assert!(start.stderr.contains("read-only"), "{}", start.stderr);
    assert!(alive(pid));
    let stop = elsewhere(&desk, read_only, "\"$BOTWARDEN\" stop a");
    assert_eq!(stop.code, 1, "stopped, and it could not be written down: {}", stop.said());
    assert!(stop.stderr.contains("read-only") && stop.stdout.contains("stopped a (pid "), "{}", stop.said());
    assert!(!alive(pid));
    assert!(desk.living().is_empty());
}

#[test]
fn on_a_full_disk_old_output_goes_before_a_bot_stays_down() {
    if !root() || !has("unshare") || !can("unshare -m true") {
        return skipped("a mount namespace cannot be made here");
    }
    let desk = Desk::new(
        "[bots.a]\ncommand = ['PYTHON', '-S', 'fill.py']\nmode = 'paper'\nlog = { max_size = '64KiB', keep = 1000 }\n",
    );
    desk.write(
        "fill.py",
        "import os, time\n\
         wrote = 0\n\
         while wrote < 5000000 and not os.path.exists('filled'):\n\
         \x20   try: wrote += os.write(1, b'x' * 1023 + b'\\n')\n\
         \x20   except OSError: time.sleep(0.01)\n\
         \x20   if wrote >= 5000000: open('filled', 'w').write('filled\\n')\n\
         time.sleep(600)\n",
    );
    let tmpfs = "mkdir -p \"$DESK_HOME\"\nmount -t tmpfs -o size=4m,mode=0700 tmpfs \"$DESK_HOME\"";
    let line = "\"$BOTWARDEN\" start a\n\
                until [ -s filled ]; do sleep 0.05; done\n\
                \"$BOTWARDEN\" status --json > while-full\n\
                cat /dev/zero > \"$DESK_HOME/ballast\" 2> no-room || true\n\
                \"$BOTWARDEN\" restart a > restarted 2>&1 || echo restart failed\n\
                \"$BOTWARDEN\" status --json > after\n\
                \"$BOTWARDEN\" stop a > stopped 2>&1; echo stop ended with $?\n\
                ls \"$DESK_HOME/bots/a/log\" > logs; cat \"$DESK_HOME/bots/a/events\" > events-then\n";
    let done = elsewhere(&desk, tmpfs, line);
    assert!(desk.read("while-full").contains("\"running\""), "{}\n{}", done.said(), desk.read("while-full"));
    assert!(
        desk.read("after").contains("\"running\""),
        "{}\n{}\n{}",
        done.said(),
        desk.read("restarted"),
        desk.read("after")
    );
    assert!(
        done.stdout.contains("stop ended with 0") || done.stdout.contains("stop ended with 1"),
        "{}\n{}",
        done.said(),
        desk.read("stopped")
    );
    assert!(desk.read("stopped").contains("stopped a (pid "), "{}", desk.read("stopped"));
    eventually("an empty desk", || desk.living().is_empty().then_some(()));
}

#[test]
fn two_desks_do_not_see_each_others_bots() {
    let one = Desk::new(SLEEPER);
    let other = Desk::new(SLEEPER);
    one.run(&["start", "a"]).expect(0);
    assert_eq!(other.state("a"), "stopped");
    other.run(&["start", "a"]).expect(0);
    other.run(&["stop", "--all"]).expect(0);
    assert_eq!(one.state("a"), "running");
    // A name for the same home that goes another way is the same home.
    let link = one.path("link");
    std::os::unix::fs::symlink(one.home_folder(), &link).expect("a link");
    let again = one.run(&["start", "a", "--home", &link.to_string_lossy(), "--json"]).expect(0);
    assert_eq!(again.json()["bots"][0]["outcome"], "already_running");
}
