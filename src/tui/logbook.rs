//! The part of a bot's log that the screen holds: the last lines, where the reader stands in them, and what was
//! searched for.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use crate::core::bot::BotName;
use crate::core::moment::Moment;

use super::message::LogEvent;
use super::text;

/// Lines that are held; older ones are in the file.
const HELD: usize = 5000;

/// How loud a line is, as far as its own words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loudness {
    /// Not the bot's: we say something about the log.
    Ours,
    /// Debugging.
    Low,
    /// Anything else.
    Plain,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

/// A line, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text, harmless.
    pub text: String,
    /// How loud it is.
    pub loudness: Loudness,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    /// As it was typed.
    pub text: String,
    pattern: Regex,
    /// Numbers of the lines that match.
    hits: VecDeque<u64>,
    /// The hit that the reader was brought to.
    pub at: Option<u64>,
}

/// The log of one bot.
#[derive(Clone, Debug, Default)]
pub struct Logbook {
    /// Whose it is.
    pub bot: Option<BotName>,
    /// The log file that the configuration gives it.
    pub wanted: Option<PathBuf>,
    /// Which run's output is in it.
    pub run: Option<String>,
    /// The name of the log file that is in it.
    pub file: Option<String>,
    /// Why there is nothing, if there is nothing.
    pub missing: Option<String>,
    /// The name of the log file if that cannot be read, and why.
    pub file_missing: Option<(String, String)>,
    /// When we last heard from it, and how long it had been quiet by then.
    heard: Option<(Moment, Duration)>,
    lines: VecDeque<Line>,
    /// The number of the first line that is held; numbers are never used twice.
    first: u64,
    /// The first line on the screen; following the end where there is none.
    top: Option<u64>,
    search: Option<Search>,
}

impl Logbook {
    /// An empty one, for this bot.
    pub fn of(bot: Option<BotName>, wanted: Option<PathBuf>) -> Self {
        Self { bot, wanted, ..Self::default() }
    }

    /// Takes news in.
    pub fn hear(&mut self, event: LogEvent, now: Moment) {
        match event {
            LogEvent::Opened { run, whole, quiet } => {
                self.heard = Some((now, quiet));
                self.missing = None;
                if self.run.is_some() {
                    self.say(format!("a new run: {run}"));
                } else if !whole {
                    self.say("earlier lines are in the file".into());
                }
                self.run = Some(run);
            }
            LogEvent::FileOpened { name, whole, quiet } => {
                // The younger one of two that are opened together.
                let before = self.heard.map(|(at, before)| now.since(at) + before);
                self.heard = Some((now, before.map_or(quiet, |before| before.min(quiet))));
                let name = text::harmless(&name);
                if self.file.is_some() {
                    self.say(format!("{name} begins anew"));
                } else if !whole {
                    self.say(format!("earlier lines are in {name}"));
                }
                self.file_missing = None;
                self.file = Some(name);
            }
            LogEvent::Lines(lines) => self.write(&lines, "", now),
            LogEvent::FileLines(lines) => {
                let marked = self.file.as_ref().filter(|_| self.run.is_some());
                let mark = marked.map_or_else(String::new, |name| format!("{name} | "));
                self.write(&lines, &mark, now);
            }
            LogEvent::Skipped(bytes) => {
                self.heard = Some((now, Duration::ZERO));
                self.say(format!("{} came too fast to be shown; it is in the file", text::size(bytes)));
            }
            LogEvent::Missing(why) => self.missing = Some(text::harmless(&why)),
            LogEvent::FileMissing { name, why } => {
                let why = format!("its log_file cannot be read: {}", text::harmless(&why));
                if !self.is_empty() {
                    self.say(why.clone());
                }
                self.file_missing = Some((text::harmless(&name), why));
            }
        }
    }

    fn say(&mut self, text: String) {
        self.push(Line { text: format!("--- {text} ---"), loudness: Loudness::Ours });
    }

    fn write(&mut self, lines: &[String], mark: &str, now: Moment) {
        // Those that come with the opening are as old as the file says.
        if self.heard.is_none_or(|(at, _)| at != now) {
            self.heard = Some((now, Duration::ZERO));
        }
        for line in lines {
            let text = text::harmless(line);
            let loudness = loudness(&text);
            self.push(Line { text: format!("{mark}{text}"), loudness });
        }
    }

    fn push(&mut self, line: Line) {
        let number = self.first + self.lines.len() as u64;
        if let Some(search) = &mut self.search
            && search.pattern.is_match(&line.text)
        {
            search.hits.push_back(number);
        }
        self.lines.push_back(line);
        if self.lines.len() > HELD {
            self.lines.pop_front();
            self.first += 1;
            if let Some(search) = &mut self.search
                && search.hits.front().is_some_and(|hit| *hit < self.first)
            {
                search.hits.pop_front();
            }
            self.top = self.top.map(|top| top.max(self.first));
        }
    }

    /// How long it has been quiet since its last line; nothing if it has none.
    pub fn quiet(&self, now: Moment) -> Option<Duration> {
        self.heard.filter(|_| !self.is_empty()).map(|(at, before)| now.since(at) + before)
    }

    /// Whether it has no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the end is followed.
    pub const fn follows(&self) -> bool {
        self.top.is_none()
    }

    /// Lines below the last one on a screen of this height.
    pub fn below(&self, height: usize) -> usize {
        let end = self.first + self.lines.len() as u64;
        self.top.map_or(0, |top| end.saturating_sub(top + height as u64) as usize)
    }

    /// The lines on a screen of this height, with their numbers.
    pub fn page(&self, height: usize) -> impl Iterator<Item = (u64, &Line)> {
        let start = (self.top_line(height) - self.first) as usize;
        let first = self.first;
        self.lines.iter().enumerate().skip(start).take(height).map(move |(at, line)| (first + at as u64, line))
    }

    fn top_line(&self, height: usize) -> u64 {
        let last = self.first + self.lines.len().saturating_sub(height) as u64;
        self.top.map_or(last, |top| top.clamp(self.first, last))
    }

    /// Moves by so many lines; reaching the end while moving down follows it again.
    pub fn scroll(&mut self, by: i64, height: usize) {
        let last = self.first + self.lines.len().saturating_sub(height) as u64;
        let top = self.top_line(height).saturating_add_signed(by).clamp(self.first, last);
        let moved = top != self.top_line(height);
        if by > 0 && top == last {
            self.top = None;
        } else if moved {
            self.top = Some(top);
        }
    }

    /// To the first line that is held.
    pub fn to_top(&mut self) {
        self.top = Some(self.first);
    }

    /// To the end, and follows it.
    pub fn to_end(&mut self) {
        self.top = None;
    }

    /// Stands still where it is.
    pub fn hold(&mut self, height: usize) {
        self.top = Some(self.top_line(height));
    }

    /// What is searched for.
    pub const fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// Searches for a regular expression, or for the text itself where it is none; nothing for an empty one. Says
    /// whether the text is what it was taken for.
    pub fn look_for(&mut self, text: &str, height: usize) -> bool {
        if text.is_empty() {
            self.search = None;
            return true;
        }
        let build = |pattern: &str| RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
        let good = build(text);
        let is_good = good.is_ok();
        let Ok(pattern) = good.or_else(|_| build(&regex::escape(text))) else {
            self.search = None;
            return false;
        };
        let hits = self
            .lines
            .iter()
            .enumerate()
            .filter(|(_, line)| pattern.is_match(&line.text))
            .map(|(at, _)| self.first + at as u64)
            .collect();
        self.search = Some(Search { text: text.to_owned(), pattern, hits, at: None });
        // The end is what the reader looks at: the nearest match is the last one.
        self.step(false, height);
        is_good
    }

    /// To the next match, or the one before; around the end. Says whether there is one.
    pub fn step(&mut self, forward: bool, height: usize) -> bool {
        let from = self.top_line(height);
        let Some(search) = &mut self.search else { return false };
        let hit = match (search.at, forward) {
            (Some(at), true) => search.hits.iter().find(|hit| **hit > at).or(search.hits.front()),
            (Some(at), false) => search.hits.iter().rev().find(|hit| **hit < at).or(search.hits.back()),
            (None, true) => search.hits.iter().find(|hit| **hit >= from).or(search.hits.front()),
            (None, false) => search.hits.back(),
        };
        let Some(hit) = hit.copied() else { return false };
        search.at = Some(hit);
        if !(from..from + height as u64).contains(&hit) || self.top.is_none() {
            let last = self.first + self.lines.len().saturating_sub(height) as u64;
            let visible = (from..from + height as u64).contains(&hit);
            let top = if visible { from } else { hit.saturating_sub(height as u64 / 2) };
            self.top = Some(top.clamp(self.first, last));
        }
        true
    }
}

impl Search {
    /// Whether this line matches.
    pub fn is_hit(&self, number: u64) -> bool {
        self.hits.binary_search(&number).is_ok()
    }

    /// `1 of 3`, `3 matches`, `no match`.
    pub fn count(&self) -> String {
        match (self.hits.len(), self.at.and_then(|at| self.hits.iter().position(|hit| *hit == at))) {
            (0, _) => "no match".to_owned(),
            (all, Some(at)) => format!("{} of {all}", at + 1),
            (1, None) => "1 match".to_owned(),
            (all, None) => format!("{all} matches"),
        }
    }
}

/// By the first level word near the line's start, as Python, Rust, Java and many others write it.
fn loudness(text: &str) -> Loudness {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2).take(8);
    words
        .find_map(|word| match word {
            "ERROR" | "CRITICAL" | "FATAL" | "PANIC" => Some(Loudness::Error),
            "WARN" | "WARNING" => Some(Loudness::Warning),
            "INFO" | "NOTICE" => Some(Loudness::Plain),
            "DEBUG" | "TRACE" => Some(Loudness::Low),
            _ => None,
        })
        .unwrap_or(Loudness::Plain)
}
