//! The part of logs that the screen holds: a window of lines, where the reader stands in it, and what was searched for.
//! Whoever reads the logs holds the same window; see `log_news`.

use std::collections::VecDeque;
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use crate::core::bot::BotName;
use crate::core::moment::Moment;

use super::log_news::{Ends, Found, Line, LogAsk, LogEvent, LogNews, Sought, SourceSeen, View};

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Its number.
    pub number: u64,
    /// As it was typed.
    pub text: String,
    /// What is marked in the lines; none where errors are searched for.
    pub pattern: Option<Regex>,
    /// How it goes.
    pub found: Found,
    /// The line that the reader was brought to, and which match it is.
    pub at: Option<(u64, Option<u64>)>,
}

/// The logs that are looked at.
#[derive(Clone, Debug, Default)]
pub struct Logbook {
    /// What is looked at.
    pub view: View,
    /// How its sources stand, and when that was told.
    pub sources: Vec<SourceSeen>,
    heard: Option<Moment>,
    /// The lines that are held.
    lines: VecDeque<Line>,
    /// The number of the first of them.
    first: u64,
    ends: Ends,
    /// The first line on the screen; following the end where there is none.
    top: Option<u64>,
    search: Option<Search>,
    searches: u64,
}

impl Logbook {
    /// An empty one, for this view.
    pub fn of(view: View) -> Self {
        Self { view, ..Self::default() }
    }

    /// The one bot whose log it is, if it is one bot's.
    pub fn bot(&self) -> Option<&BotName> {
        match self.view.of.as_slice() {
            [whose] => Some(&whose.bot),
            _ => None,
        }
    }

    /// Takes news in.
    pub fn hear(&mut self, news: LogNews, now: Moment) {
        if news.view != self.view.number {
            return;
        }
        match news.what {
            LogEvent::Sources(sources) => {
                self.sources = sources;
                self.heard = Some(now);
            }
            LogEvent::Anew { first, lines, ends, stand } => {
                self.first = first;
                self.lines = lines.into();
                self.ends = ends;
                self.top = stand;
            }
            LogEvent::Front { lines, cut, ends } => {
                self.first -= lines.len() as u64;
                for line in lines.into_iter().rev() {
                    self.lines.push_front(line);
                }
                self.lines.truncate(self.lines.len().saturating_sub(cut));
                self.ends = ends;
            }
            LogEvent::Back { lines, cut, ends } => {
                self.lines.extend(lines);
                let cut = cut.min(self.lines.len());
                self.lines.drain(..cut);
                self.first += cut as u64;
                self.top = self.top.map(|top| top.max(self.first));
                self.ends = ends;
            }
            LogEvent::Ends(ends) => self.ends = ends,
            LogEvent::Found(found) => {
                if let Some(search) = self.search.as_mut().filter(|search| search.number == found.search) {
                    search.found = found;
                }
            }
            LogEvent::Stepped { line, nth } => {
                if let Some(search) = &mut self.search {
                    search.at = Some((line, nth));
                }
            }
            LogEvent::Saved(_) => {}
        }
    }

    /// How long it has been quiet since its last line; nothing if it has none.
    pub fn quiet(&self, now: Moment) -> Option<Duration> {
        let since = self.heard.map(|at| now.since(at))?;
        self.sources.iter().filter_map(|source| source.quiet).min().map(|quiet| quiet + since)
    }

    /// Whether it has no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the end is followed.
    pub const fn follows(&self) -> bool {
        self.top.is_none()
    }

    /// Lines below the last one on a screen of this height, as far as they are held.
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

    /// Searches for a regular expression, or for the text itself where it is none; nothing for an empty one. What is to
    /// be asked for, and whether the text is what it was taken for.
    pub fn look_for(&mut self, text: &str) -> (LogAsk, bool) {
        self.search = None;
        if text.is_empty() {
            return (LogAsk::Unsearch, true);
        }
        let build = |pattern: &str| RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
        let good = build(text);
        let is_good = good.is_ok();
        let Ok(pattern) = good.or_else(|_| build(&regex::escape(text))) else { return (LogAsk::Unsearch, false) };
        self.searches += 1;
        let sought = Sought::Pattern(pattern.as_str().to_owned());
        let found = Found { search: self.searches, ..Found::default() };
        let text = text.to_owned();
        self.search = Some(Search { number: self.searches, text, pattern: Some(pattern), found, at: None });
        (LogAsk::Search(self.searches, sought), is_good)
    }
}

impl Search {
    /// `1 of 3`, `3 matches`, `no match`; with `...` while it goes on.
    pub fn count(&self) -> String {
        let more = if self.found.done { "" } else { " ..." };
        match (self.found.total, self.at.and_then(|(_, nth)| nth)) {
            (0, _) if self.found.done => "no match".to_owned(),
            (0, _) => "...".to_owned(),
            (all, Some(nth)) => format!("{nth} of {all}{more}"),
            (1, None) => format!("1 match{more}"),
            (all, None) => format!("{all} matches{more}"),
        }
    }
}
