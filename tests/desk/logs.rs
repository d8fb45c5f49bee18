//! Not a line of a bot's output is lost, torn or shown twice, however fast it writes and whoever dies meanwhile.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use crate::harness::{Desk, eventually};

/// Writes numbered lines as fast as it can, until there is a file `enough`; then says in `last` how many there were.
const FLOOD_PY: &str = "\
import os, sys
n = 0
while not os.path.exists('enough'):
    block = ''.join(f'{i:09} the quick brown fox jumps over the lazy dog\\n' for i in range(n, n + 500))
    left = memoryview(block.encode())
    while left: left = left[os.write(1, left):]
    n += 500
open('last.new', 'w').write(f'{n}\\n')
os.rename('last.new', 'last')
import time
time.sleep(600)
";

fn flood(keep: u32) -> Desk {
    let desk = Desk::new(&format!(
        "[bots.flood]\ncommand = ['PYTHON', '-S', 'flood.py']\nmode = 'paper'\nlog = {{ max_size = '1MiB', keep = {keep} }}\n"
    ));
    desk.write("flood.py", FLOOD_PY);
    desk.run(&["start", "flood"]).expect(0);
    desk
}

fn archives(desk: &Desk) -> usize {
    let entries = std::fs::read_dir(desk.bot_folder("flood").join("log")).expect("a folder");
    entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().ends_with(".log")).count()
}

#[track_caller]
fn wait_for_archives(desk: &Desk, count: usize) {
    eventually(format!("{count} archives"), || (archives(desk) >= count).then_some(()));
}

#[track_caller]
fn last(desk: &Desk) -> u64 {
    desk.write("enough", "");
    desk.wait_for_lines("last", 1)[0].parse().expect("a number")
}

/// Reads the log as `logs` shows it; the first and the one after the last number in it. Every one between is there,
/// once, in order.
#[track_caller]
fn span(desk: &Desk) -> (u64, u64) {
    let mut logs =
        desk.command(&["logs", "-n", "1000000000", "flood"]).stdout(Stdio::piped()).spawn().expect("it executes");
    let mut lines = BufReader::new(logs.stdout.take().expect("a pipe")).lines();
    let number = |line: String| -> u64 {
        assert!(line.ends_with(" the quick brown fox jumps over the lazy dog") && line.len() == 53, "torn: {line:?}");
        line[..9].parse().expect("a number")
    };
    let first = number(lines.next().expect("a line").expect("text"));
    let mut next = first + 1;
    for line in lines {
        let found = number(line.expect("text"));
        assert_eq!(found, next, "after {}", next - 1);
        next += 1;
    }
    assert!(logs.wait().expect("its end").success());
    (first, next)
}

#[test]
fn a_flood_is_kept_whole_and_in_order() {
    let desk = flood(100_000);
    wait_for_archives(&desk, 40);
    let count = last(&desk);
    assert_eq!(span(&desk), (0, count));
    desk.run(&["stop", "flood"]).expect(0);
    assert_eq!(span(&desk), (0, count), "after its end too");
}

#[test]
fn with_little_to_keep_only_the_oldest_goes() {
    let desk = flood(3);
    wait_for_archives(&desk, 2);
    // What is kept, from and to which byte, and where the log ends. A reader that the flood overtakes meets gaps in what
    // is let go meanwhile, so it reads when all that is to be archived has been.
    let kept = || {
        let folder = desk.bot_folder("flood").join("log");
        let names = std::fs::read_dir(&folder).expect("a folder").flatten();
        let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let spans = names.iter().filter_map(|name| name.rsplit_once('.')?.1.split_once('-'));
        let spans: Vec<(u64, u64)> =
            spans.filter_map(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?))).collect();
        let log = std::fs::metadata(folder.join(format!("{}.log", desk.record("flood").run))).expect("a log").len();
        (spans.len(), spans.iter().map(|span| span.0).min(), spans.iter().map(|span| span.1).max(), log)
    };
    eventually("archives that are let go", || kept().1.filter(|start| *start > 4 << 20));
    let count = last(&desk);
    eventually("a tended log", || {
        let (archives, _, end, log) = kept();
        (archives == 3 && log - end? < 2 << 20).then_some(())
    });
    let (first, end) = span(&desk);
    assert!(first > 0 && end == count, "{first} to {end} of {count}");
}

/// What lies on the disk of its log, whatever its files say of their lengths.
fn on_the_disk(desk: &Desk) -> u64 {
    let entries = std::fs::read_dir(desk.bot_folder("flood").join("log")).expect("a folder");
    entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.blocks() * 512).sum()
}

/// Whole lines of seven bytes.
const MUCH: u64 = 7 * 43_000_000;
/// `keep` = 2 archives, a live log, and room to turn round in.
const LITTLE: u64 = 8 << 20;

fn flood_at_once(then: &str) -> Desk {
    let desk = Desk::new(&format!(
        "[bots.flood]\ncommand = ['/bin/sh', '-c', 'while [ ! -e go ]; do sleep 0.1; done; yes a line | head -c {MUCH}; {then}']\n\
         mode = 'paper'\nrestart = 'never'\nlog = {{ max_size = '1MiB', keep = 2 }}\n"
    ));
    desk.run(&["start", "flood"]).expect(0);
    desk.write("go", "");
    desk
}

#[track_caller]
fn told_of_dropping(desk: &Desk) -> Vec<String> {
    let events = desk.run(&["events", "-n", "30", "flood"]).expect(0).stdout;
    events.lines().filter(|line| line.contains("writes faster than it can be archived")).map(str::to_owned).collect()
}

#[test]
fn a_bot_that_writes_faster_than_its_log_is_archived_does_not_fill_the_disk() {
    let desk = flood_at_once("exec sleep 600");
    let run = desk.record("flood").run;
    let log = desk.bot_folder("flood").join(format!("log/{run}.log"));
    eventually("all of it", || (std::fs::metadata(&log).ok()?.len() >= MUCH).then_some(()));
    eventually("a small log", || (on_the_disk(&desk) < LITTLE).then_some(()));
    eventually("a warning", || (told_of_dropping(&desk).len() == 1).then_some(()));
    let seen = desk.status("flood");
    assert!(seen["note"].as_str().is_some_and(|note| note.contains("writes faster")), "{seen}");
    let shown = desk.run(&["logs", "-n", "1000000000", "flood"]).expect(0).stdout;
    assert!(shown.len() > 2_000_000 && shown.ends_with("\na line\n"), "{} bytes", shown.len());
    desk.run(&["stop", "flood"]).expect(0);
    eventually("a second one, with the total", || {
        let told = told_of_dropping(&desk);
        (told.len() == 2 && told.iter().any(|line| line.ends_with("in all"))).then_some(())
    });
}

#[test]
fn a_keeper_that_leaves_cuts_what_was_written_last() {
    let desk = flood_at_once("exit 0");
    desk.wait_for("flood", "exited");
    eventually("a small log", || (on_the_disk(&desk) < LITTLE).then_some(()));
    eventually("warnings", || (told_of_dropping(&desk).len() == 2).then_some(()));
}

#[test]
fn a_keeper_killed_in_the_middle_of_a_flood_costs_no_line() {
    let desk = flood(100_000);
    let pid = desk.pid("flood");
    for round in 1..=8 {
        wait_for_archives(&desk, round * 6);
        desk.kill_keeper("flood");
        desk.run(&["up"]).expect(0);
        assert_eq!(desk.pid("flood"), pid);
    }
    let count = last(&desk);
    assert_eq!(span(&desk), (0, count));
}

#[test]
fn the_last_lines_and_what_matches_are_shown() {
    let desk = Desk::new(
        "[bots.a]\ncommand = ['/bin/sh', '-c', 'for n in 1 2 3 4 5; do echo a line $n; done; exec sleep 600']\nmode = 'paper'\n\
         [bots.b]\ncommand = ['/bin/sh', '-c', 'echo b line 1; exec sleep 600']\nmode = 'paper'\n",
    );
    desk.run(&["start", "--all"]).expect(0);
    desk.wait_for_log("a", "a line 5\n");
    desk.wait_for_log("b", "b line 1\n");
    assert_eq!(desk.run(&["logs", "-n", "2", "a"]).expect(0).stdout, "a line 4\na line 5\n");
    assert_eq!(desk.run(&["logs", "--grep", "line [23]", "a"]).expect(0).stdout, "a line 2\na line 3\n");
    let both = desk.run(&["logs", "a", "b"]).expect(0).stdout;
    assert!(both.lines().any(|line| line.starts_with('a') && line.ends_with("a line 1")), "{both}");
    assert!(both.lines().any(|line| line.starts_with('b') && line.ends_with("b line 1")), "{both}");
    desk.run(&["logs", "--grep", "(", "a"]).expect(2);
}

#[test]
fn following_goes_on_over_a_restart() {
    let desk =
        Desk::new("[bots.a]\ncommand = ['/bin/sh', '-c', 'echo $BOTWARDEN_RUN; exec sleep 600']\nmode = 'paper'\n");
    desk.run(&["start", "a"]).expect(0);
    let mut logs = desk.command(&["logs", "-f", "a"]).stdout(Stdio::piped()).spawn().expect("it executes");
    let mut lines = BufReader::new(logs.stdout.take().expect("a pipe")).lines();
    let first = lines.next().expect("a line").expect("text");
    assert_eq!(first, desk.record("a").run);
    desk.run(&["restart", "a"]).expect(0);
    let second = lines.next().expect("a line").expect("text");
    assert_eq!(second, desk.record("a").run);
    logs.kill().expect("ours");
    logs.wait().expect("its end");
}
