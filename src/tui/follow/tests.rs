//! The thread that reads logs, asked and answering as the screen does it.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::super::log_news::{Ends, Found, Line, LogEvent, Sought, SourceSeen, View, Whose};
use super::*;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(30);

struct Screen {
    home: tempfile::TempDir,
    ask: Sender<LogAsk>,
    told: Receiver<Msg>,
    first: u64,
    lines: VecDeque<Line>,
    ends: Ends,
    sources: Vec<SourceSeen>,
    found: Option<Found>,
    stepped: Option<(u64, Option<u64>)>,
    saved: Option<Result<String, String>>,
}

fn append(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
}

impl Screen {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let (ask, asked) = channel();
        let (tell, told) = channel();
        let place = Home::at(home.path().to_owned());
        thread::spawn(move || follow(&place, asked, &tell));
        Self {
            home,
            ask,
            told,
            first: 0,
            lines: VecDeque::new(),
            ends: Ends::default(),
            sources: Vec::new(),
            found: None,
            stepped: None,
            saved: None,
        }
    }

    fn log(&self, bot: &str, run: &str) -> PathBuf {
        let home = Home::at(self.home.path().to_owned());
        home.bot(&bot.parse().expect("a name")).log_dir().join(format!("{run}.log"))
    }

    fn ask(&self, ask: LogAsk) {
        self.ask.send(ask).expect("it listens");
    }

    fn open(&self, number: u64, bots: &[(&str, Option<PathBuf>)]) {
        let of =
            bots.iter().map(|(bot, file)| Whose { bot: bot.parse().expect("a name"), file: file.clone(), zone: None });
        self.ask(LogAsk::Open(View { number, of: of.collect(), least: None }));
    }

    /// Takes in what is told until this holds.
    fn until(&mut self, view: u64, holds: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !holds(self) {
            let left = PATIENCE.checked_sub(since.elapsed());
            let news = left.and_then(|left| self.told.recv_timeout(left).ok());
            match news {
                Some(Msg::Log(news)) if news.view == view => self.hear(news.what),
                Some(Msg::Log(_)) => {}
                Some(Msg::Saved(saved)) => self.saved = Some(saved),
                _ => panic!("it never came; there are {:?}, {:?}", self.texts(), self.sources),
            }
        }
    }

    fn hear(&mut self, what: LogEvent) {
        match what {
            LogEvent::Sources(sources) => self.sources = sources,
            LogEvent::Anew { first, lines, ends, stand } => {
                assert!(stand.is_none_or(|stand| stand >= first && stand < first + lines.len() as u64));
                (self.first, self.lines, self.ends) = (first, lines.into(), ends);
            }
            LogEvent::Front { lines, cut, ends } => {
                self.first -= lines.len() as u64;
                lines.into_iter().rev().for_each(|line| self.lines.push_front(line));
                self.lines.truncate(self.lines.len() - cut);
                self.ends = ends;
            }
            LogEvent::Back { lines, cut, ends } => {
                self.lines.extend(lines);
                self.lines.drain(..cut);
                self.first += cut as u64;
                self.ends = ends;
            }
            LogEvent::Ends(ends) => self.ends = ends,
            LogEvent::Found(found) => self.found = Some(found),
            LogEvent::Stepped { line, nth } => self.stepped = Some((line, nth)),
        }
    }

    fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }

    fn last_is(&self, text: &str) -> bool {
        self.lines.back().is_some_and(|line| line.text == text)
    }
}

#[test]
fn a_log_is_followed_from_before_it_is_there_into_the_next_run() {
    let mut screen = Screen::new();
    screen.open(1, &[("bot", None)]);
    let none = |screen: &Screen| {
        screen.sources.first().is_some_and(|source| source.trouble.as_deref() == Some("it has written no log yet"))
    };
    screen.until(1, none);
    let log = screen.log("bot", "20261122T010000000-aaaa");
    append(&log, "one\ntwo\nhal");
    screen.until(1, |screen| screen.last_is("two"));
    append(&log, "f\n\u{1b}[31mred\u{1b}[0m \u{1b}[2J\0\n");
    screen.until(1, |screen| screen.last_is("red ·"));
    assert_eq!(screen.lines.back().map(|line| line.colors.len()), Some(1));
    append(&screen.log("bot", "20261122T020000000-bbbb"), "new\n");
    screen.until(1, |screen| screen.last_is("new"));
    let heading = "--- a new run: 20261122T020000000-bbbb ---";
    assert_eq!(screen.texts(), ["one", "two", "half", "red ·", heading, "new"]);
    screen.until(1, |screen| {
        screen.sources.first().is_some_and(|source| source.run.as_deref() == Some("20261122T020000000-bbbb"))
    });
    assert!(screen.ends.at_start && screen.ends.newer == 0, "{:?}", screen.ends);
}

#[test]
fn several_logs_are_one_by_time_and_a_file_of_a_bots_own_is_named() {
    let mut screen = Screen::new();
    let file = screen.home.path().join("a.log");
    append(&screen.log("a", "1"), "2026-01-01 00:00:01 INFO a\n  more of a\n2026-01-01 00:00:04 INFO d\n");
    append(&file, "2026-01-01 00:00:02 ERROR b\n");
    append(&screen.log("b", "1"), "2026-01-01 00:00:03 INFO c\n");
    screen.open(7, &[("a", Some(file)), ("b", None)]);
    screen.until(7, |screen| screen.lines.len() == 5);
    let seen: Vec<(usize, Option<&str>, &str)> =
        screen.lines.iter().map(|line| (line.of, line.file.as_deref(), &line.text[line.stamp..])).collect();
    assert_eq!(
        seen,
        [
            (0, None, "INFO a"),
            (0, None, "  more of a"),
            (0, Some("a.log"), "ERROR b"),
            (1, None, "INFO c"),
            (0, None, "INFO d"),
        ]
    );
    assert!(screen.lines[1].belongs && screen.lines[1].at == screen.lines[0].at);
}

#[test]
fn a_search_counts_and_steps_while_more_is_written_and_everything_is_saved() {
    let mut screen = Screen::new();
    let log = screen.log("bot", "1");
    let mut text = String::new();
    for number in 0..20_000 {
        text.push_str("2026-01-01 00:00:00 INFO line ");
        text.push_str(&number.to_string());
        text.push_str(
            ".
",
        );
    }
    append(&log, &text);
    screen.open(1, &[("bot", None)]);
    screen.until(1, |screen| screen.last_is("2026-01-01 00:00:00 INFO line 19999."));
    screen.ask(LogAsk::Hold(true));
    screen.ask(LogAsk::Search(3, Sought::Pattern("LINE 1[0-9]?\\.".into())));
    screen.until(1, |screen| screen.found == Some(Found { search: 3, total: 11, done: true }));
    let from = screen.first + 10;
    screen.ask(LogAsk::Step { from, forward: false });
    screen.until(1, |screen| screen.stepped.is_some_and(|(_, nth)| nth == Some(11)));
    let (line, _) = screen.stepped.take().expect("a step");
    assert!(screen.lines[(line - screen.first) as usize].text.ends_with("line 19."));
    screen.ask(LogAsk::Step { from: line, forward: true });
    screen.until(1, |screen| screen.stepped.is_some_and(|(_, nth)| nth == Some(1)));
    append(&log, "2026-01-01 00:00:00 ERROR line 1.\n");
    screen.until(1, |screen| screen.found == Some(Found { search: 3, total: 12, done: true }));
    screen.ask(LogAsk::Last);
    screen.until(1, |screen| screen.last_is("2026-01-01 00:00:00 ERROR line 1."));
    screen.ask(LogAsk::Search(4, Sought::Errors));
    screen.until(1, |screen| screen.found == Some(Found { search: 4, total: 1, done: true }));
    screen.ask(LogAsk::First(5));
    screen.until(1, |screen| screen.lines.len() == 5 && screen.ends.at_start);
    screen.ask(LogAsk::After(7));
    screen.until(1, |screen| screen.lines.len() == 12);
    assert!(screen.last_is("2026-01-01 00:00:00 INFO line 11."));
    let path = screen.home.path().join("saved.log");
    screen.ask(LogAsk::Save(path.clone()));
    // Whoever has gone on to another bot by then is told all the same; and to look at none ends nothing.
    screen.open(2, &[]);
    screen.until(2, |screen| screen.saved.is_some());
    assert_eq!(screen.saved, Some(Ok(format!("saved 20001 lines to {}", path.display()))));
    assert_eq!(std::fs::read_to_string(path).ok(), std::fs::read_to_string(log).ok());
}

#[test]
fn nothing_is_taken_from_the_front_while_somebody_reads() {
    let mut screen = Screen::new();
    let log = screen.log("bot", "1");
    append(&log, "one\n");
    screen.open(1, &[("bot", None)]);
    screen.until(1, |screen| screen.last_is("one"));
    screen.ask(LogAsk::Hold(true));
    // Asked in this order, answered in this order: whoever has searched holds.
    screen.ask(LogAsk::Search(1, Sought::Errors));
    screen.until(1, |screen| screen.found.is_some_and(|found| found.done));
    screen.ask(LogAsk::Unsearch);
    append(&log, &"more\n".repeat(7000));
    screen.until(1, |screen| screen.ends.newer == 5 * 2001);
    assert_eq!((screen.lines.len(), screen.texts()[0]), (5000, "one"));
    screen.ask(LogAsk::After(10));
    screen.until(1, |screen| screen.ends.newer == 5 * 1991);
    assert_eq!((screen.lines.len(), screen.texts()[0]), (5000, "more"));
    screen.ask(LogAsk::Last);
    screen.until(1, |screen| screen.ends.newer == 0 && screen.last_is("more"));
}

#[test]
fn a_view_of_nobody_is_empty_and_the_next_one_is_read_as_ever() {
    let mut screen = Screen::new();
    append(&screen.log("a", "20260101T000000000-0001"), "one\n");
    screen.open(1, &[]);
    screen.ask(LogAsk::Before(10));
    screen.ask(LogAsk::Search(1, Sought::Errors));
    screen.ask(LogAsk::Step { from: 7, forward: false });
    screen.ask(LogAsk::First(10));
    screen.open(2, &[("a", None)]);
    screen.until(2, |screen| screen.texts().last() == Some(&"one"));
}
