//! A log file that a bot writes by itself is shown and followed, wherever it goes, and is never touched.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use crate::harness::{Desk, eventually, has, python, skipped};
use crate::screen::Terminal;

/// Writes what it is told to, where it is told to: one order a line of `orders`, followed for ever. Its own words go to
/// its output.
const RUN_BOT_PY: &str = "\
import os, time
os.makedirs('logs', exist_ok=True)
log = open('logs/bot.log', 'a')
n = 0
def order(line):
    global log
    what, _, text = line.partition(' ')
    if what == 'say': print(text, flush=True)
    if what == 'log': log.write(text + '\\n'); log.flush()
    if what == 'rotate':
        log.close(); os.rename('logs/bot.log', 'logs/bot.log.1'); log = open('logs/bot.log', 'a')
    if what == 'cut': log.truncate(0)
orders = open('orders', 'a+'); orders.seek(0)
while True:
    line = orders.readline()
    if line.endswith('\\n'): order(line[:-1])
    else: time.sleep(0.01)
";

const BOT: &str = "[bots.bot]\ncommand = ['PYTHON', '-u', 'run_bot.py']\nmode = 'paper'\nlog_file = 'logs/bot.log'\n";

fn desk(config: &str) -> Desk {
    let desk = Desk::new(config);
    desk.write("run_bot.py", RUN_BOT_PY);
    desk.write("orders", "");
    desk
}

fn order(desk: &Desk, lines: &str) {
    use std::io::Write as _;
    let file = File::options().append(true).open(desk.path("orders"));
    file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("written");
}

/// A `logs -f` that is read line by line.
struct Following {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    complaints: BufReader<ChildStderr>,
}

impl Following {
    fn of(desk: &Desk, args: &[&str]) -> Self {
        let mut command = desk.command(&[&["logs", "-f"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it executes");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let complaints = BufReader::new(child.stderr.take().expect("a pipe"));
        Self { child, lines, complaints }
    }

    #[track_caller]
    fn next(&mut self) -> String {
        self.lines.next().expect("a line").expect("text")
    }

    #[track_caller]
    fn complaint(&mut self) -> String {
        let mut line = String::new();
        self.complaints.read_line(&mut line).expect("text");
        line
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bot that somebody started by hand, without us.
struct ByHand(Child);

impl ByHand {
    fn start(desk: &Desk) -> Self {
        let mut command = Command::new(python());
        command.args(["-u", "run_bot.py"]).current_dir(desk.folder());
        command.stdin(Stdio::null()).stdout(File::create(desk.path("elsewhere")).expect("a file"));
        Self(command.spawn().expect("it executes"))
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[track_caller]
fn wait_for_file(desk: &Desk, text: &str) {
    eventually(format!("{text:?} in its log file"), || desk.read("logs/bot.log").contains(text).then_some(()));
}

#[test]
fn a_bot_with_both_shows_both_and_its_output_is_unchanged() {
    let desk = desk(BOT);
    desk.run(&["start", "bot"]).expect(0);
    assert_eq!(desk.logs("bot"), "");
    order(&desk, "say 2026-01-01 00:00:01 out\nlog 2026-01-01 00:00:02 in\nlog more\nsay 2026-01-01 00:00:03 end\n");
    desk.wait_for_log("bot", "03 end");
    let both = "2026-01-01 00:00:01 out\nbot.log | 2026-01-01 00:00:02 in\nbot.log | more\n2026-01-01 00:00:03 end\n";
    assert_eq!(desk.run(&["logs", "bot"]).expect(0).stdout, both);
    let last = "bot.log | more\n2026-01-01 00:00:03 end\n";
    assert_eq!(desk.run(&["logs", "-n", "1", "bot"]).expect(0).stdout, last, "of each");
    assert_eq!(desk.run(&["logs", "--grep", "^more", "bot"]).expect(0).stdout, "bot.log | more\n");
    assert_eq!(desk.run(&["logs", "--since", "1h", "bot"]).expect(0).stdout, "", "they say that they are old");
    let json = desk.run(&["logs", "--json", "bot"]).expect(0).json();
    assert_eq!(json["lines"][1]["file"], desk.path("logs/bot.log").to_string_lossy().as_ref(), "{json}");
    assert!(json["lines"][0].get("file").is_none(), "{json}");
    // It is looked at and left alone.
    let before = std::fs::metadata(desk.path("logs/bot.log")).expect("a file");
    desk.run(&["stop", "bot"]).expect(0);
    let after = std::fs::metadata(desk.path("logs/bot.log")).expect("a file");
    assert_eq!((before.ino(), before.len(), before.mtime()), (after.ino(), after.len(), after.mtime()));
    assert_eq!(desk.run(&["logs", "bot"]).expect(0).stdout, both, "after its end too");
}

#[test]
fn it_is_followed_over_rotation_and_truncation() {
    let desk = desk(BOT);
    desk.run(&["start", "bot"]).expect(0);
    order(&desk, "log one\nlog two\n");
    wait_for_file(&desk, "two\n");
    let mut logs = Following::of(&desk, &["-n", "1", "bot"]);
    assert_eq!(logs.next(), "two");
    order(&desk, "log three\nrotate\nlog four\n");
    assert_eq!((logs.next(), logs.next()), ("three".into(), "four".into()));
    order(&desk, "cut\nlog five\n");
    assert_eq!(logs.next(), "five");
    order(&desk, "cut\nlog longer than it was\n");
    assert_eq!(logs.next(), "longer than it was");
    order(&desk, "say out\n");
    assert_eq!(logs.next(), "out");
    order(&desk, "log six\n");
    assert_eq!(logs.next(), "bot.log | six", "there are two to be told apart now");
}

#[test]
fn one_that_is_missing_is_told_and_waited_for() {
    let desk = desk(&BOT.replace("logs/bot.log", "later/deep.log").replace("'-u', ", ""));
    desk.run(&["start", "bot"]).expect(0);
    order(&desk, "say here\n");
    desk.wait_for_log("bot", "here\n");
    let path = desk.path("later/deep.log");
    let missing = format!("botwarden: bot: its log_file cannot be read: {}: no such file or directory", path.display());
    let done = desk.run(&["logs", "bot"]).expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.trim_end()), ("here\n", missing.as_str()));
    let mut logs = Following::of(&desk, &["bot"]);
    assert_eq!(logs.next(), "here");
    assert!(logs.complaint().starts_with(&missing));
    std::fs::create_dir(desk.path("later")).expect("a folder");
    desk.write("later/deep.log", "there\n");
    assert_eq!(logs.next(), "deep.log | there");
}

#[test]
fn what_is_no_file_costs_nothing() {
    let desk = desk(&format!("{BOT}{}", BOT.replace("bots.bot", "bots.pipe").replace("logs/bot.log", "pipe")));
    std::fs::create_dir_all(desk.path("logs/bot.log")).expect("a folder");
    assert_eq!(desk.shell("mkfifo pipe").code, 0);
    for (bot, why) in [("bot", "logs/bot.log: it is a folder, not a file"), ("pipe", "pipe: it is no ordinary file")] {
        let done = desk.run(&["logs", bot]).expect(0);
        assert!(done.stdout.is_empty() && done.stderr.contains(why), "{}", done.said());
        let mut logs = Following::of(&desk, &[bot]);
        let complaint = logs.complaint();
        assert!(complaint.contains(why), "{complaint}");
        logs.child.kill().expect("ours");
        let mut rest = String::new();
        logs.complaints.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "", "said once");
    }
}

#[test]
fn a_stray_that_was_adopted_shows_its_log_file() {
    let desk = desk(BOT);
    let stray = ByHand::start(&desk);
    order(&desk, "say nobody catches this\nlog 1 written before\nlog 2 written before\n");
    wait_for_file(&desk, "2 written before\n");
    desk.run(&["adopt", "bot"]).expect(0);
    let pid = i64::from(stray.0.id());
    desk.wait_until("bot", "adopted", |bot| bot["pid"] == pid && bot["state"] == "running");
    let done = desk.run(&["logs", "bot"]).expect(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("1 written before\n2 written before\n", ""));
    let mut logs = Following::of(&desk, &["-n", "1", "bot"]);
    assert_eq!(logs.next(), "2 written before");
    order(&desk, "log written after\n");
    assert_eq!(logs.next(), "written after");
    // Its configuration is gone, and its record still knows.
    desk.configure("[bots.other]\ncommand = ['sleep', '600']\nmode = 'paper'\n");
    eventually("its record", || (desk.run(&["logs", "-n", "1", "bot"]).stdout == "written after\n").then_some(()));
}

#[test]
fn a_stray_without_a_log_file_is_said_to_show_nothing() {
    let desk = desk(&BOT.replace("log_file = 'logs/bot.log'\n", ""));
    let _stray = ByHand::start(&desk);
    eventually("a stray that is adopted", || (desk.run(&["adopt", "bot"]).code == 0).then_some(()));
    eventually("a word about it", || {
        let done = desk.run(&["logs", "bot"]).expect(0);
        (done.stdout.is_empty() && done.stderr.contains("log_file can name")).then_some(())
    });
}

#[test]
fn the_screen_shows_it() {
    if !has("tmux") {
        return skipped("there is no tmux here");
    }
    let desk = desk(BOT);
    let _stray = ByHand::start(&desk);
    order(&desk, "log written by a stray\n");
    wait_for_file(&desk, "stray\n");
    desk.run(&["adopt", "bot"]).expect(0);
    desk.wait_for("bot", "running");
    let terminal = Terminal::open_at(&desk, "bot ");
    terminal.shows("written by a stray");
    terminal.shows("bot bot.log");
    order(&desk, "rotate\nlog written elsewhere\n");
    terminal.shows("--- bot.log begins anew ---");
    terminal.shows("written elsewhere");
}
