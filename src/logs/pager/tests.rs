//! Windows over real files, against everything that was written to them.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::*;
use crate::core::archive::{Archive, Name, Span};
use crate::core::bot::LogLimits;
use crate::logs::archive::Archivist;
use crate::logs::grep::Grep;
use crate::logs::save::save;
use crate::logs::seek::{Next, Seek, Sought};

/// A line as it was written: its text, and how loud it is.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    level: Option<Level>,
    ours: bool,
}

/// Two bots that write, one of them into a log file, too.
struct World {
    folder: tempfile::TempDir,
    clock: i64,
    /// The runs of the two bots.
    runs: [String; 2],
    /// The file was moved away, and nothing was written since.
    rotated: bool,
    lines: Vec<Written>,
}

fn append(path: &Path, text: &str) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = [String::new(), String::new()];
        let mut world = Self { folder, clock: 1_800_000_000_000, runs, rotated: false, lines: Vec::new() };
        for bot in 0..2 {
            std::fs::create_dir(world.output(bot)).expect("a folder");
            world.run(bot);
        }
        world.lines.clear();
        world.write(2, "INFO", "the first");
        world
    }

    fn output(&self, bot: usize) -> PathBuf {
        self.folder.path().join(bot.to_string())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("bot.log")
    }

    fn wells(&self) -> Vec<Well> {
        vec![Well::output(&self.output(0), None), Well::output(&self.output(1), None), Well::file(self.file())]
    }

    fn now(&mut self) -> Timestamp {
        self.clock += 7;
        Timestamp::from_millisecond(self.clock).expect("a time")
    }

    fn run(&mut self, bot: usize) {
        let now = self.now();
        self.runs[bot] = format!("{}-{bot}", now.strftime("%Y%m%dT%H%M%S%3f"));
        File::create(self.output(bot).join(format!("{}.log", self.runs[bot]))).expect("a file");
        let text = format!("--- a new run: {} ---", self.runs[bot]);
        self.lines.push(Written { text, level: None, ours: true });
    }

    fn rotate(&mut self) {
        if !self.rotated {
            std::fs::rename(self.file(), self.folder.path().join("bot.log.1")).expect("moved");
            self.rotated = true;
        }
    }

    fn path(&self, to: usize) -> PathBuf {
        self.runs.get(to).map_or_else(|| self.file(), |run| self.output(to).join(format!("{run}.log")))
    }

    fn write(&mut self, to: usize, word: &str, message: &str) {
        let number = self.lines.len();
        let text = format!("{} {word} {number} {message}", self.now());
        append(&self.path(to), &format!("{text}\n"));
        if to == 2 && std::mem::take(&mut self.rotated) {
            self.lines.push(Written { text: "--- bot.log begins anew ---".into(), level: None, ours: true });
        }
        self.lines.push(Written { level: Level::of(&format!("{word} x")), text, ours: false });
    }

    /// A line that belongs to the one before it.
    fn more(&mut self, to: usize) {
        let last = self.lines.last().expect("a line").clone();
        let text = format!("  more of {}", self.lines.len());
        append(&self.path(to), &format!("{text}\n"));
        self.lines.push(Written { text, ..last });
    }

    fn archive(&self, bot: usize) {
        let limits = LogLimits { max_size: 700, keep: 1000 };
        let mut archivist = Archivist::open(&self.output(bot), &self.runs[bot], limits);
        while archivist.step().expect("archived").more {}
    }

    fn shown(&self, least: Option<Level>) -> Vec<&str> {
        let passes = |line: &&Written| line.ours || Level::passes(line.level, least);
        self.lines.iter().filter(passes).map(|line| line.text.as_str()).collect()
    }
}

/// The window, as whoever is told of it has it.
#[derive(Default)]
struct Window {
    first: u64,
    lines: VecDeque<Raw>,
    stand: Option<u64>,
}

impl Window {
    fn hear(&mut self, page: Page) {
        match page {
            Page::Anew { first, lines, stand } => *self = Self { first, lines: lines.into(), stand },
            Page::Front(lines, cut) => {
                self.first -= lines.len() as u64;
                lines.into_iter().rev().for_each(|line| self.lines.push_front(line));
                self.lines.truncate(self.lines.len() - cut);
            }
            Page::Back(lines, cut) => {
                self.lines.extend(lines);
                self.lines.drain(..cut);
                self.first += cut as u64;
            }
        }
    }

    fn texts(&self) -> Vec<String> {
        self.lines.iter().map(|line| String::from_utf8_lossy(&line.bytes).into_owned()).collect()
    }
}

fn finish(pager: &mut Pager, window: &mut Window) {
    while pager.is_busy() {
        if let Some(page) = pager.step() {
            window.hear(page);
        }
    }
}

#[test]
fn whatever_is_asked_for_the_window_is_a_piece_of_everything_in_its_order() {
    for seed in 0..6 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let least = [None, Some(Level::Info), Some(Level::Warning)][seed as usize % 3];
        let mut world = World::new();
        let mut pager = Pager::new(world.wells(), least, 40);
        let mut window = Window::default();
        pager.last(20);
        finish(&mut pager, &mut window);
        for turn in 0..250 {
            match dice.u32(0..20) {
                0..8 => {
                    let to = dice.usize(0..3);
                    for _ in 0..dice.usize(1..4) {
                        let word = *dice.choice(&["DEBUG", "INFO", "WARNING", "ERROR"]).expect("one");
                        world.write(to, word, "x");
                        if dice.bool() {
                            world.more(to);
                        }
                    }
                }
                8 => world.archive(dice.usize(0..2)),
                9 => world.run(dice.usize(0..2)),
                10 => {
                    // What was written before the file was moved away is read before that.
                    if let Some(page) = pager.follow() {
                        window.hear(page);
                    }
                    // No more of them are kept than can be.
                    if world.lines.iter().filter(|line| line.text.starts_with("--- bot")).count() < 6 {
                        world.rotate();
                    }
                }
                11..13 => pager.older(dice.usize(1..30)),
                13..15 => pager.newer_lines(dice.usize(1..30)),
                15 => pager.first(dice.usize(1..30)),
                16 => pager.last(dice.usize(1..30)),
                17 => {
                    pager.hold(true);
                }
                18 => {
                    if pager.follows() {
                        pager.hold(false);
                    }
                }
                _ => {
                    let lines: Vec<Raw> = window.lines.iter().filter(|line| !line.ours).cloned().collect();
                    if let Some(line) = dice.choice(&lines) {
                        pager.around(line.lane, line.start).expect("read");
                        finish(&mut pager, &mut window);
                        let stand = window.stand.expect("it is held") - window.first;
                        assert_eq!(window.lines[stand as usize].bytes, line.bytes);
                    }
                }
            }
            if dice.u32(0..5) == 0
                && let Some(page) = pager.interrupt()
            {
                window.hear(page);
            }
            finish(&mut pager, &mut window);
            if let Some(page) = pager.follow() {
                window.hear(page);
            }
            let (held, all) = (window.texts(), world.shown(least));
            assert!(held.len() <= 40, "{seed} {turn}");
            // Every line but our headings says its number.
            let anchor = held.iter().position(|line| !line.starts_with("--- bot.log"));
            let begins = anchor.and_then(|anchor| Some(all.iter().position(|line| *line == held[anchor])? - anchor));
            let begins = begins.unwrap_or_else(|| all.len() - held.len());
            let piece = all.get(begins..begins + held.len()).unwrap_or_default();
            assert_eq!(held, piece, "seed {seed}, turn {turn}");
            if pager.newer() == 0 && !held.is_empty() {
                assert_eq!(held.last().map(String::as_str), all.last().copied(), "seed {seed}, turn {turn}");
            }
            if pager.at_start() && !held.is_empty() {
                assert_eq!(begins, 0, "seed {seed}, turn {turn}");
            }
        }
    }
}

#[test]
fn a_search_counts_what_matches_and_goes_to_the_next_around_the_ends() {
    for seed in 0..4 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let least = [None, Some(Level::Warning)][seed as usize % 2];
        let mut world = World::new();
        let mut grow = |world: &mut World, lines: usize| {
            for _ in 0..lines {
                let word = *dice.choice(&["INFO", "WARNING", "ERROR"]).expect("one");
                let message = *dice.choice(&["a needle", "hay", "\u{1b}[31mNee\u{1b}[0mdle", "no ERROR"]).expect("one");
                world.write(dice.usize(0..3), word, message);
                if dice.u32(0..30) == 0 {
                    world.archive(0);
                    world.run(1);
                }
            }
        };
        grow(&mut world, 100);
        for errors in [false, true] {
            let mut pager = Pager::new(world.wells(), least, 40);
            let mut window = Window::default();
            pager.last(20);
            finish(&mut pager, &mut window);
            let sought = if errors { Sought::errors() } else { Sought::pattern("need(le)") };
            let mut seek = Seek::new(sought.expect("a pattern"), &mut pager);
            grow(&mut world, 20);
            if let Some(page) = pager.follow() {
                window.hear(page);
            }
            seek.look_again();
            while !seek.is_done() {
                seek.step(&mut pager).expect("read");
            }
            let matches = |line: &&Written| {
                let suits = if errors {
                    line.level == Some(Level::Error)
                } else {
                    line.text.to_lowercase().replace("\u{1b}[31m", "").replace("\u{1b}[0m", "").contains("needle")
                };
                suits && !line.ours && Level::passes(line.level, least)
            };
            let all: Vec<&str> = world.lines.iter().filter(matches).map(|line| line.text.as_str()).collect();
            assert_eq!(seek.total(), all.len() as u64, "seed {seed}, errors {errors}");
            for forward in [false, true] {
                let mut from = pager.number_of(0, Place::default()).unwrap_or(window.first + 5);
                let mut seen = Vec::new();
                for _ in 0..=all.len() {
                    let cursors = pager.cursors(from, forward);
                    let Next::At(lane, place) = seek.next(&mut pager, &cursors, forward).expect("read") else {
                        panic!("there is one");
                    };
                    if pager.number_of(lane, place).is_none() {
                        pager.around(lane, place).expect("read");
                        finish(&mut pager, &mut window);
                    }
                    from = pager.number_of(lane, place).expect("it is held");
                    let text = window.texts()[(from - window.first) as usize].clone();
                    let nth = seek.nth(&mut pager, lane, place).expect("read").expect("all are counted");
                    assert_eq!(all[nth as usize - 1], text, "seed {seed}, errors {errors}, forward {forward}");
                    seen.push(nth);
                }
                let count = all.len() as u64;
                for pair in seen.windows(2) {
                    let next = if forward { pair[0] % count + 1 } else { (pair[0] + count - 2) % count + 1 };
                    assert_eq!(pair[1], next, "seed {seed}, errors {errors}, forward {forward}");
                }
            }
        }
    }
}

fn one(folder: &Path) -> Well {
    Well::output(folder, None)
}

#[test]
fn a_huge_log_is_opened_at_its_end_and_its_beginning_without_reading_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = File::create(folder.path().join("1.log")).expect("a file");
    writeln!(file, "the beginning").expect("written");
    // Lines of nothing, which take no room on the disk.
    for number in 1..3000 {
        file.write_all_at(b"\n", number * 100_000).expect("written");
    }
    append(&folder.path().join("1.log"), &format!("\n{}the end\n", "2026-01-01 00:00:00 INFO x\n".repeat(2000)));
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(1000);
    finish(&mut pager, &mut window);
    assert_eq!(window.lines.len(), 1000);
    assert_eq!(window.texts().last().map(String::as_str), Some("the end"));
    assert!(pager.lanes[0].well.drawn() < 2 << 20, "{}", pager.lanes[0].well.drawn());
    pager.first(1);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts(), ["the beginning"]);
    assert!(pager.lanes[0].well.drawn() < 4 << 20, "{}", pager.lanes[0].well.drawn());
}

#[test]
fn what_comes_too_fast_is_skipped_with_a_count_and_can_be_read_by_going_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1.log");
    append(&path, "start\n");
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(10);
    finish(&mut pager, &mut window);
    append(&path, &format!("{}the end\n", "a flood of lines\n".repeat(100_000)));
    assert_eq!(pager.follow(), None);
    finish(&mut pager, &mut window);
    let texts = window.texts();
    assert_eq!(texts[0], "--- 1.6M (99,601 lines) came too fast to be shown; k reads them ---");
    assert_eq!((texts.len(), texts[400].as_str()), (401, "the end"));
    pager.older(3);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts()[..3], ["a flood of lines"; 3]);
    pager.hold(true);
    append(&path, &"more\n".repeat(100_000));
    if let Some(page) = pager.follow() {
        window.hear(page);
    }
    assert_eq!(window.lines.len(), 5000, "nothing is skipped while somebody reads");
    assert_eq!(window.texts()[0], "a flood of lines");
    assert!(pager.newer() > 400_000, "{}", pager.newer());
}

#[test]
fn a_part_of_a_line_that_came_too_fast_is_not_called_no_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1.log");
    append(&path, "start\n");
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(10);
    finish(&mut pager, &mut window);
    append(&path, &format!("{}\n{}", "x".repeat(24 << 20), "more\n".repeat(399)));
    assert_eq!(pager.follow(), None);
    finish(&mut pager, &mut window);
    let said = &window.texts()[0];
    assert!(said.contains("M (part of a line) came too fast to be shown"), "{said}");
}

#[test]
fn other_lines_are_not_told_of_before_there_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    append(&folder.path().join("1.log"), &"a line\n".repeat(100));
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(10);
    assert_eq!(pager.interrupt(), None);
    pager.older(5);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts(), ["a line"; 10], "that is the answer to both");
}

#[test]
fn a_search_gets_on_both_ways_while_more_is_written_than_it_reads() {
    for forward in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1.log");
        append(&path, &format!("nothing\na needle\n{}", "hay\n".repeat(200_000)));
        let mut pager = Pager::new(vec![one(folder.path())], None, 50);
        let mut window = Window::default();
        pager.last(10);
        finish(&mut pager, &mut window);
        let mut seek = Seek::new(Sought::pattern("needle").expect("a pattern"), &mut pager);
        let cursors = pager.cursors(window.first + u64::from(forward) * 9, forward);
        seek.aim(&mut pager, forward);
        let mut found = Next::Unknown;
        for _ in 0..200 {
            append(&path, &"hay\n".repeat(100));
            pager.follow();
            seek.look_again();
            seek.step(&mut pager).expect("read");
            found = seek.next(&mut pager, &cursors, forward).expect("read");
            if found != Next::Unknown {
                break;
            }
        }
        assert_eq!(found, Next::At(0, Place::byte(0, 8)), "forward: {forward}");
        seek.arrive();
        assert!(!seek.is_done(), "there is more than it has read");
    }
}

#[test]
fn long_lines_and_bytes_that_are_no_text_break_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("1.log");
    let long = "x".repeat(3 << 20);
    append(&path, &format!("one\n{long}\ntwo\n"));
    append(&path, "\0nul\0\n");
    OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(b"\xff\xfe\n")).expect("written");
    append(&path, "not finished");
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(10);
    finish(&mut pager, &mut window);
    let sizes: Vec<u64> = window.lines.iter().map(|line| line.size).collect();
    assert_eq!(sizes, [4, (3 << 20) + 1, 4, 6, 3]);
    assert_eq!(window.lines[1].bytes.len(), 64 << 10);
    append(&path, " until now\n");
    window.hear(pager.follow().expect("a line"));
    assert_eq!(window.texts().last().map(String::as_str), Some("not finished until now"));
    pager.first(2);
    finish(&mut pager, &mut window);
    assert_eq!(window.lines.iter().map(|line| line.size).collect::<Vec<_>>(), [4, (3 << 20) + 1]);
}

#[test]
fn a_file_that_is_cut_off_begins_anew_and_one_that_comes_late_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bot.log");
    let mut pager = Pager::new(vec![Well::file(path.clone())], None, 100);
    let mut window = Window::default();
    pager.last(10);
    finish(&mut pager, &mut window);
    assert!(pager.lanes[0].well.trouble().is_some_and(|why| why.contains("bot.log: no such file")));
    append(&path, "one\n");
    window.hear(pager.follow().expect("a line"));
    std::fs::write(&path, "cut\n").expect("written");
    window.hear(pager.follow().expect("a line"));
    assert_eq!(window.texts(), ["one", "--- bot.log begins anew ---", "cut"]);
    assert_eq!(pager.lanes[0].well.trouble(), None);
}

#[test]
fn everything_that_is_shown_is_saved_unchanged_and_nothing_is_written_over() {
    let mut world = World::new();
    for number in 0..50 {
        world.write(number % 3, ["INFO", "ERROR"][number % 2], "\u{1b}[31mred\u{1b}[0m");
        world.archive(0);
    }
    append(&world.path(1), &format!("{}\n", "x".repeat(100_000)));
    let path = world.folder.path().join("saved");
    let (_, lines) = save(world.wells(), &[], None, &path).expect("saved");
    let text = std::fs::read_to_string(&path).expect("read");
    assert_eq!(lines, 52);
    let shown: Vec<&str> = world.shown(None);
    assert_eq!(text.lines().take(51).collect::<Vec<_>>(), shown);
    assert_eq!(text.lines().last().map(str::len), Some(100_000));
    let why = save(world.wells(), &[], None, &path).expect_err("it is there");
    assert!(why.ends_with("saved is there already; S with another name"), "{why}");
    let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
    let path = world.folder.path().join("errors");
    let (_, lines) = save(world.wells(), &names, Some(Level::Error), &path).expect("saved");
    let text = std::fs::read_to_string(&path).expect("read");
    assert!(text.lines().all(|line| line.contains(" | ") && line.contains("ERROR") || line.len() > 1000), "{text}");
    assert!(lines >= 25, "{lines}");
}

#[test]
fn what_was_removed_is_told_of_where_it_stood_and_in_a_saved_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = ("20261122T011245123-4f2a", "20261122T021245123-4f2b");
    let piece = |run: &str, from: u64, to: u64, text: &str| {
        let name = Name::Archive(Archive { run: run.to_owned(), span: Span { start: from, end: to } }).file();
        assert_eq!(text.len() as u64, to - from);
        append(&folder.path().join(name), text);
    };
    let live = |run: &str, hole: u64, text: &str| {
        let file = File::create(folder.path().join(format!("{run}.log"))).expect("a file");
        file.write_all_at(text.as_bytes(), hole).expect("written");
    };
    // Of the first run the beginning and a part in the middle are gone, of the second everything that was archived.
    piece(first, 3 << 20, (3 << 20) + 4, "old\n");
    piece(first, 6 << 20, (6 << 20) + 4, "mid\n");
    live(first, (6 << 20) + 4, "new\n");
    piece(second, 2048, 2048, "");
    live(second, 2048, "");
    File::options()
        .write(true)
        .open(folder.path().join(format!("{second}.log")))
        .expect("it")
        .set_len(2048)
        .expect("long");
    let expected = [
        "--- 3.0M of this run's older output were removed ---",
        "old",
        "--- 2.9M of this run's output were removed here ---",
        "mid",
        "new",
        "--- a new run: 20261122T021245123-4f2b ---",
        "--- 2K of this run's older output were removed ---",
    ];
    let well = || vec![Well::output(folder.path(), None)];
    let mut pager = Pager::new(well(), None, 100);
    let mut window = Window::default();
    pager.first(100);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts(), expected);
    pager.last(100);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts(), expected);
    assert!(pager.at_start());
    pager.last(2);
    finish(&mut pager, &mut window);
    assert_eq!(window.texts(), expected[5..]);
    for _ in 0..6 {
        pager.older(1);
        finish(&mut pager, &mut window);
    }
    assert_eq!(window.texts(), expected);
    let path = folder.path().join("saved");
    let (_, lines) = save(well(), &[], None, &path).expect("saved");
    assert_eq!(lines, 3, "of the bot's own");
    let text = std::fs::read_to_string(&path).expect("read");
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// Figures, for whoever asks: `cargo test --release --lib -- --ignored a_gigabyte --nocapture`.
#[test]
#[ignore = "writes a gigabyte, and only prints how long things take"]
fn a_gigabyte_is_opened_and_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file =
        std::io::BufWriter::with_capacity(1 << 20, File::create(folder.path().join("1.log")).expect("a file"));
    for number in 0..10_300_000_u64 {
        let word = if number % 1000 == 0 { "ERROR" } else { "INFO" };
        let (minute, second) = (number / 60_000 % 60, number / 1000 % 60);
        writeln!(
            file,
            "2026-11-21 23:{minute:02}:{second:02},730 - freqtrade.worker - {word} - Bot heartbeat. PID={number}, state='RUN'"
        )
        .expect("written");
    }
    file.flush().expect("written");
    let report = |what: &str, since: std::time::Instant| {
        let mut out = std::io::stderr().lock();
        let _ = writeln!(out, "{what}: {:?}", since.elapsed());
    };
    let since = std::time::Instant::now();
    let mut pager = Pager::new(vec![one(folder.path())], None, 5000);
    let mut window = Window::default();
    pager.last(1000);
    finish(&mut pager, &mut window);
    report("opened at its end", since);
    for sought in ["PID=1030000", "no such thing", "state='(stop|run)'", "order [0-9]+ filled"] {
        let since = std::time::Instant::now();
        let mut seek = Seek::new(Sought::Pattern(Grep::in_any_case(sought).expect("a pattern")), &mut pager);
        while !seek.is_done() {
            seek.step(&mut pager).expect("read");
        }
        report(&format!("searched for {sought}: {}", seek.total()), since);
    }
    let since = std::time::Instant::now();
    let mut seek = Seek::new(Sought::errors().expect("a pattern"), &mut pager);
    while !seek.is_done() {
        seek.step(&mut pager).expect("read");
    }
    report(&format!("searched for errors: {}", seek.total()), since);
}
