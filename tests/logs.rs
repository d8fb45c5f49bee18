//! Logs: real files, real processes, real kills.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, clippy::format_collect)]

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use botwarden::cli::logs::{LogsArgs, Outcome, run};
use botwarden::core::archive::{Archive, Name, Span};
use botwarden::core::bot::{BotName, LogLimits};
use botwarden::logs::archive::{Archivist, Done};
use botwarden::logs::probe::punches_holes;
use botwarden::logs::read::{Follower, LogSet, Position, Read};
use botwarden::paths::{BotHome, Home};
use jiff::Timestamp;
use regex::bytes::Regex;

const RUN: &str = "20261122T011245123-4f2a";

fn now() -> Timestamp {
    "2026-11-22T02:00:00Z".parse().expect("a time")
}

fn append(folder: &Path, run: &str, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).create(true).open(folder.join(format!("{run}.log"))).expect("a log");
    file.write_all(bytes).expect("room");
}

/// All that is kept, and how many bytes are missing in it.
fn output(folder: &Path) -> (Vec<u8>, u64) {
    let mut reader = LogSet::open(folder).expect("a folder").reader(Position::default());
    let mut all = Vec::new();
    let mut buffer = vec![0; 100_000];
    loop {
        match reader.read(&mut buffer).expect("readable") {
            Read::Bytes(count) => all.extend_from_slice(&buffer[..count]),
            Read::Run | Read::Gap(_) => {}
            Read::End => return (all, reader.skipped()),
        }
    }
}

fn archive_all(archivist: &mut Archivist) {
    while archivist.step().expect("a step").more {}
}

// ---- roles: this test binary, started again as another process ----

/// Starts a role as a process of its own.
fn role(name: &str, folder: &Path, more: &[(&str, String)]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("LOGS_FOLDER", folder).envs(more.iter().map(|(key, value)| (*key, value))).stdout(Stdio::null());
    command
}

fn folder_of_role() -> Option<std::path::PathBuf> {
    std::env::var_os("LOGS_FOLDER").map(Into::into)
}

fn number(key: &str) -> u64 {
    std::env::var(key).expect(key).parse().expect(key)
}

#[test]
#[ignore = "a role of other tests"]
fn role_archive_for_ever() {
    let Some(folder) = folder_of_role() else { return };
    let limits = LogLimits { max_size: number("LOGS_MAX"), keep: 1_000_000 };
    let mut archivist = Archivist::open(&folder, RUN, limits);
    archivist.recover().expect("recovered");
    loop {
        if !archivist.step().expect("a step").more {
            std::thread::yield_now();
        }
    }
}

#[test]
#[ignore = "a role of other tests"]
fn role_write_lines() {
    let Some(folder) = folder_of_role() else { return };
    let mut log = OpenOptions::new().append(true).create(true).open(folder.join(format!("{RUN}.log"))).expect("a log");
    for line in 0..number("LOGS_LINES") {
        // One write a line, as an unbuffered bot does.
        let text = format!("{line:09} {}\n", "x".repeat((line % 90) as usize));
        log.write_all(text.as_bytes()).expect("room");
    }
}

fn check_lines(all: &[u8], expected: u64) {
    let mut lines = 0;
    for line in all.split_inclusive(|byte| *byte == b'\n') {
        let text = std::str::from_utf8(line).expect("text");
        assert_eq!(text, format!("{lines:09} {}\n", "x".repeat((lines % 90) as usize)));
        lines += 1;
    }
    assert_eq!(lines, expected);
}

#[test]
fn archivists_that_are_killed_lose_no_line_and_readers_see_each_once() {
    for (seed, max_size) in [(1, 64 << 10), (2, 300_000), (3, 1 << 20)] {
        let mut dice = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let lines = 300_000;
        let mut writer =
            role("role_write_lines", folder.path(), &[("LOGS_LINES", format!("{lines}"))]).spawn().expect("a writer");
        let archivist = || -> Child {
            role("role_archive_for_ever", folder.path(), &[("LOGS_MAX", format!("{max_size}"))])
                .spawn()
                .expect("an archivist")
        };
        let reading = {
            let folder = folder.path().to_owned();
            std::thread::spawn(move || {
                let mut follower = Follower::new(LogSet::open(&folder).expect("a folder"), Position::default());
                let (mut all, mut buffer) = (Vec::new(), vec![0; 50_000]);
                let last = format!("{:09} ", lines - 1);
                loop {
                    match follower.read(&mut buffer).expect("readable") {
                        Read::Bytes(count) => all.extend_from_slice(&buffer[..count]),
                        Read::Run => {}
                        Read::Gap(bytes) => panic!("{bytes} bytes are missing"),
                        Read::End => {
                            let end = all.len().saturating_sub(200);
                            if all.ends_with(b"\n") && all[end..].windows(10).any(|part| part == last.as_bytes()) {
                                return all;
                            }
                            follower.wait(Duration::from_secs(1)).expect("a wait");
                        }
                    }
                }
            })
        };
        let mut kills = 0;
        let mut killed = archivist();
        let mut done = false;
        while !done {
            done = writer.try_wait().expect("a writer").is_some();
            // Any moment will do.
            std::thread::sleep(Duration::from_micros(dice.u64(5_000..60_000)));
            killed.kill().expect("killed");
            killed.wait().expect("reaped");
            kills += 1;
            killed = archivist();
        }
        killed.kill().expect("killed");
        killed.wait().expect("reaped");
        writer.wait().expect("reaped");
        check_lines(&output(folder.path()).0, lines);
        let limits = LogLimits { max_size, keep: 1_000_000 };
        let mut last = Archivist::open(folder.path(), RUN, limits);
        last.recover().expect("recovered");
        archive_all(&mut last);
        check_lines(&output(folder.path()).0, lines);
        check_lines(&reading.join().expect("a reader"), lines);
        let archives = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert!(archives > 5 && kills > 0, "{archives} pieces, {kills} kills");
        eprintln!("max_size {max_size}: {kills} kills, {archives} pieces");
    }
}

#[test]
fn a_small_keep_lets_only_the_oldest_go() {
    for keep in [0, 1, 3] {
        let folder = tempfile::tempdir().expect("a folder");
        let limits = LogLimits { max_size: 1000, keep };
        let mut archivist = Archivist::open(folder.path(), RUN, limits);
        let mut truth = Vec::new();
        let mut gone = 0;
        for line in 0..2000 {
            let line = format!("line number {line}\n").into_bytes();
            append(folder.path(), RUN, &line);
            truth.extend_from_slice(&line);
            if archivist.due(truth.len() as u64) {
                assert!(matches!(archivist.step().expect("a step").done, Done::Archived(_)));
                gone += archivist.retain().expect("retained").iter().map(|removed| removed.bytes).sum::<u64>();
                let (kept, missing) = output(folder.path());
                assert_eq!(missing, gone, "keep {keep}");
                assert!(truth[gone as usize..] == kept, "keep {keep}: what is left is the newest");
                assert!(kept.is_empty() || gone == 0 || truth[gone as usize - 1] == b'\n', "whole lines");
            }
        }
        assert!(gone > 20_000);
        // A next archivist knows where the last one was, even if no archive is left.
        let mut next = Archivist::open(folder.path(), RUN, limits);
        next.recover().expect("recovered");
        assert!(!next.due(gone + 10), "keep {keep}");
        assert!(truth[gone as usize..] == output(folder.path()).0);
    }
}

#[test]
fn finished_runs_stay_until_their_limits() {
    let folder = tempfile::tempdir().expect("a folder");
    for run in 0..130 {
        append(folder.path(), &format!("2026112{}T{:09}-aaaa", run / 100, run % 100), format!("{run}\n").as_bytes());
    }
    let current = "20261121T000000029-aaaa";
    let archivist = Archivist::open(folder.path(), current, LogLimits { max_size: 1 << 20, keep: 8 });
    let removed = archivist.retain().expect("retained");
    assert_eq!(removed.len(), 130 - 1 - 108);
    assert_eq!(removed[0].run, "20261120T000000000-aaaa");
    let expected: String = (21..130).map(|run| format!("{run}\n")).collect();
    assert_eq!(String::from_utf8(output(folder.path()).0).expect("text"), expected);
}

#[test]
fn a_reader_beside_an_archivist_sees_every_byte_once_zeros_included() {
    for seed in 0..40 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let limits = LogLimits { max_size: dice.u64(100..20_000), keep: 1_000_000 };
        let mut archivist = Archivist::open(folder.path(), RUN, limits);
        let mut reader = LogSet::open(folder.path()).expect("a folder").reader(Position::default());
        let (mut truth, mut seen) = (Vec::new(), Vec::new());
        let mut buffer = vec![0; 9000];
        for _ in 0..200 {
            match dice.u8(0..3) {
                0 => {
                    let zeros = dice.bool();
                    let bytes: Vec<u8> = (0..dice.usize(0..9000))
                        .map(|_| *dice.choice(if zeros { b"\0\0\0\0a\n" } else { b"abcde\n" }).expect("one"))
                        .collect();
                    append(folder.path(), RUN, &bytes);
                    truth.extend_from_slice(&bytes);
                }
                1 => {
                    archivist.step().expect("a step");
                }
                _ => {
                    let most = dice.usize(1..buffer.len());
                    if let Read::Bytes(count) = reader.read(&mut buffer[..most]).expect("readable") {
                        seen.extend_from_slice(&buffer[..count]);
                        assert!(truth.starts_with(&seen), "seed {seed}");
                    }
                }
            }
        }
        loop {
            match reader.read(&mut buffer).expect("readable") {
                Read::Bytes(count) => seen.extend_from_slice(&buffer[..count]),
                Read::Run => {}
                Read::Gap(bytes) => panic!("{bytes} bytes are missing"),
                Read::End => break,
            }
        }
        assert!(seen == truth, "seed {seed}");
    }
}

#[test]
fn a_log_whose_archives_were_removed_by_hand_starts_after_its_hole() {
    let folder = tempfile::tempdir().expect("a folder");
    let text: String = (0..5000).map(|line| format!("line {line}\n")).collect();
    append(folder.path(), RUN, text.as_bytes());
    let limits = LogLimits { max_size: 20_001, keep: 8 };
    let mut archivist = Archivist::open(folder.path(), RUN, limits);
    let Done::Archived(span) = archivist.step().expect("a step").done else { panic!("nothing archived") };
    for entry in std::fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry")) {
        if !entry.file_name().to_string_lossy().ends_with(".log") {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    let rest = &text.as_bytes()[span.end as usize..];
    assert_eq!(output(folder.path()), (rest.to_vec(), span.end));
    let mut next = Archivist::open(folder.path(), RUN, limits);
    assert!(matches!(next.step().expect("a step").done, Done::Archived(next) if next.start == span.end));
    assert_eq!(output(folder.path()).0, rest);
}

#[test]
fn long_lines_are_cut_and_come_out_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let limits = LogLimits { max_size: 100_000, keep: 100 };
    let mut archivist = Archivist::open(folder.path(), RUN, limits);
    let mut truth = vec![b'a'; 150_000];
    append(folder.path(), RUN, &truth);
    assert!(archivist.due(150_000));
    assert_eq!(archivist.step().expect("a step").done, Done::Nothing, "the line may end soon");
    assert!(!archivist.due(150_000) && archivist.due(150_001), "not asked again before there is more");
    let more = [&b"b\nshort\n"[..], &vec![b'c'; 2_500_000], b"\nend\n"].concat();
    append(folder.path(), RUN, &more);
    truth.extend_from_slice(&more);
    archive_all(&mut archivist);
    assert_eq!(output(folder.path()), (truth.clone(), 0));
    let names: Vec<String> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().any(|name| name.ends_with("000000000000000-000000000150002")), "{names:?}");
    let hard = 150_008 + 100_000 + (1 << 20);
    assert!(names.iter().any(|name| name.ends_with(&format!("-{hard:015}"))), "{names:?}");
}

#[test]
fn a_tail_is_what_counting_gives() {
    for seed in 0..60 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let mut lines: Vec<Vec<u8>> = Vec::new();
        for run in 0..dice.u32(1..5) {
            let id = format!("2026112{run}T000000000-aaaa");
            let limits = LogLimits { max_size: dice.u64(100..200_000), keep: 1_000_000 };
            let mut archivist = Archivist::open(folder.path(), &id, limits);
            let long = dice.bool();
            let text: Vec<u8> = (0..dice.usize(0..if long { 300_000 } else { 3000 }))
                .map(|_| if dice.u32(0..if long { 5000 } else { 9 }) == 0 { b'\n' } else { b'a' })
                .collect();
            append(folder.path(), &id, &text);
            archive_all(&mut archivist);
            lines.extend(text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        }
        let mut wanted: Vec<u64> = (0..20).map(|_| dice.u64(0..lines.len() as u64 + 3)).collect();
        wanted.extend([0, 1, 2, lines.len() as u64, u64::MAX]);
        for count in wanted {
            let mut set = LogSet::open(folder.path()).expect("a folder");
            let from = set.tail(count).expect("a tail");
            let mut reader = set.reader(from);
            let (mut tail, mut buffer) = (Vec::new(), vec![0; 50_000]);
            loop {
                match reader.read(&mut buffer).expect("readable") {
                    Read::Bytes(read) => tail.extend_from_slice(&buffer[..read]),
                    Read::Run | Read::Gap(_) => {}
                    Read::End => break,
                }
            }
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(lines.len());
            assert!(tail == lines[lines.len() - count..].concat(), "seed {seed}, {count} lines");
        }
    }
}

// ---- file systems of our own ----

/// Runs a role on a file system that is mounted for it alone; says so and does nothing where that is not possible.
fn on_mount(kind: &str, options: &str, name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut role = role(name, folder.path(), &[]);
    let script = format!("mount -t {kind} -o {options} {kind} \"$LOGS_FOLDER\" || exit 42; exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script, "sh"]).arg(role.get_program()).args(role.get_args());
    command.env("LOGS_FOLDER", folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
    role.stdout(Stdio::null());
    match command.output() {
        Ok(done) if done.status.success() => {}
        Ok(done)
            if done.status.code() == Some(42) || String::from_utf8_lossy(&done.stderr).contains("unshare failed") =>
        {
            eprintln!("SKIPPED {name}: {kind} cannot be mounted here (root is needed)");
        }
        Ok(done) => panic!(
            "{name}: {}\n{}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ),
        Err(error) => eprintln!("SKIPPED {name}: unshare: {error}"),
    }
}

#[test]
fn a_file_system_without_holes_is_recognised() {
    let folder = tempfile::tempdir().expect("a folder");
    punches_holes(folder.path()).expect("tried");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "nothing is left behind");
    punches_holes(&folder.path().join("none")).expect_err("no folder");
    on_mount("ramfs", "mode=700", "role_without_holes");
    on_mount("tmpfs", "size=1m", "role_with_holes");
}

#[test]
#[ignore = "a role of other tests"]
fn role_without_holes() {
    let Some(folder) = folder_of_role() else { return };
    assert!(!punches_holes(&folder).expect("tried"));
}

#[test]
#[ignore = "a role of other tests"]
fn role_with_holes() {
    let Some(folder) = folder_of_role() else { return };
    assert!(punches_holes(&folder).expect("tried"));
}

#[test]
fn on_a_full_disk_the_oldest_go_and_the_newest_stay() {
    on_mount("tmpfs", "size=8m", "role_full_disk");
    on_mount("tmpfs", "size=8m", "role_disk_filled_by_others");
}

#[test]
#[ignore = "a role of other tests"]
fn role_full_disk() {
    let Some(folder) = folder_of_role() else { return };
    let limits = LogLimits { max_size: 1 << 20, keep: 1000 };
    let mut archivist = Archivist::open(&folder, RUN, limits);
    let mut truth = Vec::new();
    let mut gone = 0;
    for block in 0..400 {
        let text: String = (0..2000).map(|line| format!("line {block} {line} {}\n", "x".repeat(30))).collect();
        append(&folder, RUN, text.as_bytes());
        truth.extend_from_slice(text.as_bytes());
        while archivist.due(truth.len() as u64) {
            let step = archivist.step().expect("a step");
            assert!(matches!(step.done, Done::Archived(_)), "{step:?}");
            gone += step.removed.iter().map(|removed| removed.bytes).sum::<u64>();
        }
    }
    let (kept, missing) = output(&folder);
    assert_eq!(missing, gone);
    assert!(truth[gone as usize..] == kept && kept.len() > 4 << 20, "{} of {}", kept.len(), truth.len());
    assert!(archivist.relieve().expect("asked").is_empty(), "it is not nearly full now");

    // Somebody else fills it up.
    let mut ballast = File::create(folder.join("ballast")).expect("a file");
    while ballast.write_all(&[1; 4096]).is_ok() {}
    let removed = archivist.relieve().expect("relieved");
    assert_eq!(removed.len(), 1, "no more than needed");
    gone += removed[0].bytes;
    assert!(truth[gone as usize..] == output(&folder).0);
}

#[test]
#[ignore = "a role of other tests"]
fn role_disk_filled_by_others() {
    let Some(folder) = folder_of_role() else { return };
    let limits = LogLimits { max_size: 1 << 20, keep: 1000 };
    let text: String = (0..40_000).map(|line| format!("line {line} {}\n", "x".repeat(30))).collect();
    append(&folder, RUN, text.as_bytes());
    let mut ballast = File::create(folder.join("ballast")).expect("a file");
    while ballast.write_all(&[1; 4096]).is_ok() {}
    let mut archivist = Archivist::open(&folder, RUN, limits);
    let Done::Dropped(span) = archivist.step().expect("a step").done else { panic!("there was room") };
    assert!(text.as_bytes()[span.end as usize..] == output(&folder).0);
    // There is room again, for the bot.
    let more = &text.as_bytes()[..1 << 19];
    append(&folder, RUN, more);
    let mut next = Archivist::open(&folder, RUN, limits);
    next.recover().expect("recovered");
    assert_eq!(output(&folder), ([&text.as_bytes()[span.end as usize..], more].concat(), span.end));
}

// ---- the command ----

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn bot(&self, name: &str) -> (BotName, BotHome) {
        let name: BotName = name.parse().expect("a name");
        let home = Home::at(self.folder.path().to_owned()).bot(&name);
        home.make().expect("a folder");
        (name, home)
    }

    fn write(&self, name: &str, run: &str, text: &[u8]) {
        append(&self.bot(name).1.log_dir(), run, text);
    }

    fn args(&self, names: &[&str]) -> LogsArgs {
        LogsArgs { bots: names.iter().map(|name| self.bot(name)).collect(), ..LogsArgs::default() }
    }
}

fn shown(args: &LogsArgs) -> String {
    let mut out = Vec::new();
    assert_eq!(run(args, now(), &mut out).expect("shown"), Outcome::Shown);
    String::from_utf8(out).expect("text")
}

#[test]
fn what_was_removed_is_told_of_and_not_among_the_bots_own_bytes() {
    // Whoever is told has no place of his own.
    static SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
    fn say(what: &str) {
        SAID.lock().expect("nobody has panicked").push(what.to_owned());
    }
    let desk = Desk::new();
    let name = Name::Archive(Archive { run: RUN.to_owned(), span: Span { start: 28 << 20, end: (28 << 20) + 5 } });
    std::fs::write(desk.bot("mm").1.log_dir().join(name.file()), "kept\n").expect("written");
    for terminal in [false, true] {
        let args = LogsArgs { terminal, complain: Some(say), ..desk.args(&["mm"]) };
        assert_eq!(shown(&args), "kept\n");
        let said = std::mem::take(&mut *SAID.lock().expect("nobody has panicked"));
        assert_eq!(said, ["mm: 28.0M of its output were removed here"]);
    }
}

#[test]
fn times_without_a_zone_are_those_of_the_bots_own_zone() {
    let desk = Desk::new();
    desk.write("mm", RUN, b"2026-11-22 12:00:00 here\n");
    let zones = [("mm".parse().expect("a name"), "JST-9".to_owned())].into();
    let shown = shown(&LogsArgs { zones, json: true, ..desk.args(&["mm"]) });
    assert!(shown.contains(r#""at":"2026-11-22T03:00:00Z""#), "{shown}");
}

#[test]
fn one_bot_into_a_pipe_is_unchanged() {
    let desk = Desk::new();
    assert_eq!(shown(&desk.args(&["quiet"])), "", "no log at all");
    let never = LogsArgs {
        bots: vec![(
            "never".parse().expect("a name"),
            Home::at("/nonexistent/home".into()).bot(&"never".parse().expect("a name")),
        )],
        ..LogsArgs::default()
    };
    assert_eq!(shown(&never), "");
    let bytes = b"\x1b[31mred\x1b[0m\r\n\0\xff\npartial";
    desk.write("mm", "20261122T000000000-aaaa", bytes);
    desk.write("mm", RUN, b"next run\n");
    let mut out = Vec::new();
    run(&desk.args(&["mm"]), now(), &mut out).expect("shown");
    assert_eq!(out, [&bytes[..], b"next run\n"].concat());
    assert_eq!(shown(&LogsArgs { lines: Some(1), ..desk.args(&["mm"]) }), "next run\n");
    assert_eq!(shown(&LogsArgs { lines: Some(2), ..desk.args(&["mm"]) }), "partial\nnext run\n");
    assert_eq!(shown(&LogsArgs { lines: Some(0), ..desk.args(&["mm"]) }), "");
    assert_eq!(shown(&LogsArgs { terminal: true, ..desk.args(&["mm"]) }), "red\n^@\u{fffd}\npartial\nnext run\n");
}

#[test]
fn filters_and_several_bots() {
    let desk = Desk::new();
    let mm =
        "2026-11-22T01:00:00Z one\n  more of one\n2026-11-22T01:55:00Z two\n  more of two\n2026-11-22T01:59:00Z three";
    desk.write("mm", "20261122T005900000-aaaa", mm.as_bytes());
    desk.write("grid", "20261122T005900000-aaaa", b"2026-11-22T01:30:00Z grid one\n2026-11-22T01:58:00Z grid two\n");
    desk.write("mute", "20261122T005900000-aaaa", b"no time here\n");
    let grep = |pattern: &str| Some(Regex::new(pattern).expect("a pattern"));
    for (pattern, expected) in [
        ("^ ", "  more of one\n  more of two\n"),
        ("one$", "2026-11-22T01:00:00Z one\n  more of one\n"),
        ("(?i)THREE", "2026-11-22T01:59:00Z three"),
        (r"one\s+more", ""),
        (r"\A  more of o", "  more of one\n"),
        (r"[^x]{30}two|of two", "  more of two\n"),
        ("nothing", ""),
    ] {
        assert_eq!(shown(&LogsArgs { grep: grep(pattern), ..desk.args(&["mm"]) }), expected, "{pattern}");
    }
    let last = LogsArgs { grep: grep("more"), lines: Some(1), ..desk.args(&["mm"]) };
    assert_eq!(shown(&last), "  more of two\n");
    let ten = Some(Duration::from_mins(10));
    assert_eq!(
        shown(&LogsArgs { since: ten, ..desk.args(&["mm"]) }),
        "2026-11-22T01:55:00Z two\n  more of two\n2026-11-22T01:59:00Z three"
    );
    assert_eq!(shown(&LogsArgs { since: ten, grep: grep("more"), ..desk.args(&["mm"]) }), "  more of two\n");
    assert_eq!(shown(&LogsArgs { since: ten, ..desk.args(&["mute"]) }), "no time here\n", "not certainly older");
    assert_eq!(
        shown(&desk.args(&["mm", "grid", "mute"])),
        "mute | no time here\n\
         mm | 2026-11-22T01:00:00Z one\n\
         mm |   more of one\n\
         grid | 2026-11-22T01:30:00Z grid one\n\
         mm | 2026-11-22T01:55:00Z two\n\
         mm |   more of two\n\
         grid | 2026-11-22T01:58:00Z grid two\n\
         mm | 2026-11-22T01:59:00Z three\n"
    );
    assert_eq!(
        shown(&LogsArgs { lines: Some(1), ..desk.args(&["mm", "grid"]) }),
        "grid | 2026-11-22T01:58:00Z grid two\nmm | 2026-11-22T01:59:00Z three\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&shown(&LogsArgs { json: true, lines: Some(2), ..desk.args(&["mm"]) })).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({"schema": 1, "lines": [
            {"bot": "mm", "at": null, "text": "  more of two"},
            {"bot": "mm", "at": "2026-11-22T01:59:00Z", "text": "2026-11-22T01:59:00Z three"},
        ]})
    );
    assert_eq!(shown(&LogsArgs { json: true, ..desk.args(&["quiet"]) }), "{\"schema\":1,\"lines\":[]}\n");
}

#[test]
fn a_search_finds_what_a_line_by_line_search_finds() {
    for seed in 0..40 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let desk = Desk::new();
        let text: String =
            (0..dice.usize(0..400)).map(|_| *dice.choice(&['a', 'b', ' ', '\n', 'a', '\r']).expect("one")).collect();
        desk.write("mm", RUN, text.as_bytes());
        for pattern in
            ["a", "^a", "a$", r"a\s*b", "[^b]+b", "^$", r"\Aa", r"b\z", "(?-m:^b)", r"\bab\b", "(?s)a.*b", "", "(?i)A"]
        {
            let each = Regex::new(pattern).expect("a pattern");
            // A search means lines; what is not in the middle of one is all that may differ from one search a line.
            let plain = !text.contains('\r') || !pattern.contains(['$', '^', 'z', 'A', 's']);
            let expected: String = text
                .split_inclusive('\n')
                .filter(|line| each.is_match(line.strip_suffix('\n').unwrap_or(line).as_bytes()))
                .collect();
            let found = shown(&LogsArgs { grep: Some(each.clone()), ..desk.args(&["mm"]) });
            assert!(!plain || found == expected, "seed {seed}, {pattern:?}: {found:?} is not {expected:?} of {text:?}");
        }
    }
}

/// Runs the command in a thread, with a pipe as its output.
fn followed(
    args: impl FnOnce(OwnedFd) -> LogsArgs,
) -> (BufReader<io::PipeReader>, std::thread::JoinHandle<io::Result<Outcome>>) {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let args = args(OwnedFd::from(writer.try_clone().expect("a descriptor")));
    let thread = std::thread::spawn(move || run(&args, now(), &mut writer));
    (BufReader::new(reader), thread)
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).expect("a line");
    line
}

#[test]
fn following_shows_new_lines_and_new_runs_and_ends_with_its_reader() {
    let desk = Desk::new();
    desk.write("mm", "20261122T000000000-aaaa", b"one\ntwo\nthr");
    let (mut out, thread) =
        followed(|output| LogsArgs { follow: true, lines: Some(2), output: Some(output), ..desk.args(&["mm"]) });
    assert_eq!(line(&mut out), "two\n");
    desk.write("mm", "20261122T000000000-aaaa", b"ee\nfour");
    assert_eq!(line(&mut out), "three\n");
    let mut four = [0; 4];
    out.read_exact(&mut four).expect("raw bytes come as they are written");
    assert_eq!(&four, b"four");
    desk.write("mm", RUN, b"next\n");
    assert_eq!((line(&mut out), line(&mut out)), ("\n".into(), "next\n".into()));
    drop(out);
    // Nothing more is written: it notices all the same.
    assert_eq!(thread.join().expect("no panic").expect("quiet"), Outcome::Closed);
}

#[test]
fn following_several_bots_keeps_lines_whole() {
    let desk = Desk::new();
    desk.bot("late");
    let (mut out, thread) =
        followed(|output| LogsArgs { follow: true, output: Some(output), ..desk.args(&["mm", "grid", "late"]) });
    desk.write("mm", RUN, b"half a ");
    desk.write("grid", RUN, b"grid\n");
    assert_eq!(line(&mut out), "grid | grid\n");
    desk.write("mm", RUN, b"line\n");
    assert_eq!(line(&mut out), "mm | half a line\n");
    desk.write("late", RUN, b"late\n");
    assert_eq!(line(&mut out), "late | late\n");
    desk.write("mm", RUN, b"unfinished");
    desk.write("mm", "20261123T000000000-aaaa", b"new run\n");
    assert_eq!((line(&mut out), line(&mut out)), ("mm | unfinished\n".into(), "mm | new run\n".into()));
    drop(out);
    assert_eq!(thread.join().expect("no panic").expect("quiet"), Outcome::Closed);
}

#[test]
fn following_as_json_is_one_object_a_line() {
    let desk = Desk::new();
    let (mut out, thread) = followed(|output| LogsArgs {
        follow: true,
        json: true,
        grep: Some(Regex::new("order").expect("a pattern")),
        output: Some(output),
        ..desk.args(&["mm"])
    });
    desk.write("mm", RUN, b"2026-11-22T01:00:00Z order 1\nother\norder 2\n");
    let first: serde_json::Value = serde_json::from_str(&line(&mut out)).expect("JSON");
    assert_eq!(
        first,
        serde_json::json!({"schema": 1, "bot": "mm", "at": "2026-11-22T01:00:00Z", "text": "2026-11-22T01:00:00Z order 1"})
    );
    let second: serde_json::Value = serde_json::from_str(&line(&mut out)).expect("JSON");
    assert_eq!(second["at"], "2026-11-22T01:00:00Z", "it belongs to the line before");
    drop(out);
    assert_eq!(thread.join().expect("no panic").expect("quiet"), Outcome::Closed);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let desk = Desk::new();
    desk.write("mm", RUN, "line\n".repeat(100_000).as_bytes());
    let (mut out, thread) = followed(|_| desk.args(&["mm"]));
    assert_eq!(line(&mut out), "line\n");
    drop(out);
    assert_eq!(thread.join().expect("no panic").expect("quiet"), Outcome::Closed);
}

// ---- figures ----

/// A writer at full speed for five seconds, alone and with an archivist beside it. Then one GiB: its tail, and
/// searches through it.
#[test]
#[ignore = "a measurement: takes half a minute and 2 GiB of disk; run it with --release and --nocapture"]
fn measure() {
    let time = |what: &str, work: &mut dyn FnMut() -> String| {
        let begun = std::time::Instant::now();
        let result = work();
        eprintln!("{what}: {:.1} ms, {result}", begun.elapsed().as_secs_f64() * 1e3);
    };
    let line = format!("2026-11-21 23:31:02,730 - bot.worker - INFO - {}\n", "x".repeat(53));
    for round in 0..3 {
        for max_size in [u64::MAX, 64 << 20, 8 << 20] {
            let folder = tempfile::tempdir().expect("a folder");
            let limits = LogLimits { max_size, keep: 8 };
            let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
            let archiving = {
                let (folder, stop) = (folder.path().to_owned(), stop.clone());
                std::thread::spawn(move || {
                    let mut archivist = Archivist::open(&folder, RUN, limits);
                    let log = folder.join(format!("{RUN}.log"));
                    let (mut archived, mut removed) = (0, 0);
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        let size = std::fs::metadata(&log).map_or(0, |metadata| metadata.len());
                        if !archivist.due(size) {
                            std::thread::sleep(Duration::from_millis(10));
                            continue;
                        }
                        if let Done::Archived(span) = archivist.step().expect("a step").done {
                            archived += span.end - span.start;
                        }
                        removed += archivist.retain().expect("retained").len();
                    }
                    (archived, removed)
                })
            };
            let mut log = OpenOptions::new()
                .append(true)
                .create(true)
                .open(folder.path().join(format!("{RUN}.log")))
                .expect("a log");
            let begun = std::time::Instant::now();
            let (mut lines, mut slowest) = (0_u64, Duration::ZERO);
            while begun.elapsed() < Duration::from_secs(5) {
                let before = std::time::Instant::now();
                log.write_all(line.as_bytes()).expect("room");
                slowest = slowest.max(before.elapsed());
                lines += 1;
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            let (archived, removed) = archiving.join().expect("an archivist");
            let (kept, missing) = output(folder.path());
            assert_eq!(kept.len() as u64 + missing, lines * line.len() as u64);
            eprintln!(
                "round {round}, max_size {max_size}: {} lines/s, slowest write {slowest:?}, archived {} MiB, {removed} archives removed",
                lines / 5,
                archived >> 20
            );
        }
    }

    let desk = Desk::new();
    let folder = desk.bot("mm").1.log_dir();
    let block = line.repeat((16 << 20) / line.len());
    let mut archivist = Archivist::open(&folder, RUN, LogLimits { max_size: 64 << 20, keep: 100 });
    for number in 0..64 {
        append(&folder, RUN, block.as_bytes());
        append(&folder, RUN, format!("needle {number}\n").as_bytes());
        archive_all(&mut archivist);
    }
    time("open and tail 10 lines of 1 GiB", &mut || {
        shown(&LogsArgs { lines: Some(10), ..desk.args(&["mm"]) }).len().to_string()
    });
    time("find the last 1,000,000 lines", &mut || {
        format!("{:?}", LogSet::open(&folder).expect("a folder").tail(1_000_000).expect("a tail").offset)
    });
    for pattern in ["needle", "needle (1|2)3$", "^needle", "(?i)NEEDLE", "needle|haystack", "[a-z]eedle"] {
        for _ in 0..2 {
            time(&format!("search 1 GiB for {pattern}"), &mut || {
                let found =
                    shown(&LogsArgs { grep: Some(Regex::new(pattern).expect("a pattern")), ..desk.args(&["mm"]) });
                format!("{} lines", found.lines().count())
            });
        }
    }
    let mut sink = io::sink();
    time("copy 1 GiB out", &mut || format!("{:?}", run(&desk.args(&["mm"]), now(), &mut sink).expect("shown")));
    time("1 GiB on a terminal", &mut || {
        format!("{:?}", run(&LogsArgs { terminal: true, ..desk.args(&["mm"]) }, now(), &mut io::sink()).expect("shown"))
    });
    time("1 GiB with --since, every line's time read", &mut || {
        shown(&LogsArgs { since: Some(Duration::from_mins(1)), ..desk.args(&["mm"]) }).len().to_string()
    });
}

#[test]
fn errors_name_the_file() {
    let desk = Desk::new();
    let (name, home) = desk.bot("mm");
    std::fs::create_dir(home.log(RUN)).expect("a folder in the place of a log");
    let error = run(&LogsArgs { bots: vec![(name, home.clone())], ..LogsArgs::default() }, now(), &mut Vec::new())
        .expect_err("not readable");
    assert!(error.to_string().starts_with(&format!("{}: ", home.log(RUN).display())), "{error}");
}
