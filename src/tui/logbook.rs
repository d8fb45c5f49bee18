//! The part of logs that the screen holds: a window of lines, where the reader stands in it, what was searched for, and
//! what is to be asked of whoever reads the logs, who holds the same window; see `log_news`.
//!
//! ```text
//!   not held   | held: first ...                       ... | not held
//!              |     top: the first row on the screen       |
//!   Before <---| fewer than NEAR lines            NEAR |---> After        one question at a time
//! ```

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use crate::core::bot::BotName;
use crate::core::moment::Moment;

use super::log_news::{Ends, Found, Line, LogAsk, LogEvent, Sought, SourceSeen, View};

/// Where fewer lines than this are left on a side, more are asked for.
pub const NEAR: u64 = 200;

/// So many lines are asked for at one time.
pub const MORE: usize = 1000;

/// A question that was not answered for so long is asked again.
const PATIENCE: Duration = Duration::from_secs(20);

/// The log stands still no longer than this for the sake of a match that is looked for, and whoever is asked and tells
/// nothing for so long has not looked at the log either.
const PAUSE: Duration = Duration::from_secs(2);

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

/// A row of the screen in the logs: a line, and which of its rows. Only wrapped lines have more than one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The number of the line.
    pub line: u64,
    /// Which of its rows, counted from 0.
    pub row: usize,
}

/// What was asked for and changes what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Before,
    After,
    First,
    Last,
}

/// The logs that are looked at.
#[derive(Clone, Debug, Default)]
pub struct Logbook {
    /// What is looked at.
    pub view: View,
    /// How its sources stand, and when that was told.
    pub sources: Vec<SourceSeen>,
    heard: Option<Moment>,
    /// When anything was told.
    news: Option<Moment>,
    /// Whether any lines, or that there is none, were told of.
    told: bool,
    /// The lines that are held.
    lines: VecDeque<Line>,
    /// The number of the first of them.
    first: u64,
    ends: Ends,
    /// The first row on the screen; following the end where there is none.
    top: Option<Place>,
    /// Columns that lines which are cut are shifted by.
    pub sideways: usize,
    /// A line that the screen is to be brought to.
    bring: Option<u64>,
    /// Whether the lines that are held came for the sake of a match: it is not where the reader has left it, but in the middle.
    came_for_match: bool,
    search: Option<Search>,
    searches: u64,
    /// What was searched for last, whether that is over or not.
    last_search: String,
    /// Since when the way to a match is being looked for, if it is.
    stepping: Option<Moment>,
    /// What was asked for and has not come, and since when.
    asked: Option<(Question, Moment)>,
    /// The other end of the log is wanted as soon as the one that was asked for has come.
    then: Option<Question>,
    /// Where we stood, and what was held, when a question brought nothing: the same would bring nothing again.
    vain: Option<(Option<Place>, Ends)>,
    /// Whether whoever reads was told to hold still.
    held: bool,
    /// What is to be asked of whoever reads.
    asks: Vec<LogAsk>,
}

impl Logbook {
    /// An empty one, for this view, which is asked for. What was searched for is known from the one before.
    pub fn open(view: View, before: &Self) -> Self {
        let asks = vec![LogAsk::Open(view.clone())];
        Self { view, asks, last_search: before.last_search.clone(), ..Self::default() }
    }

    /// The same search as in another one.
    pub fn search_as(&mut self, other: &Self) {
        if let Some(search) = other.search.clone() {
            self.searches += 1;
            let sought = search.sought();
            let found = Found { search: self.searches, ..Found::default() };
            self.search = Some(Search { number: self.searches, found, at: None, ..search });
            self.asks.push(LogAsk::Search(self.searches, sought));
        }
    }

    /// What is to be asked of whoever reads, in order, since somebody asked last.
    pub fn asks(&mut self) -> Vec<LogAsk> {
        std::mem::take(&mut self.asks)
    }

    /// The one bot whose log it is, if it is one bot's.
    pub fn bot(&self) -> Option<&BotName> {
        match self.view.of.as_slice() {
            [whose] => Some(&whose.bot),
            _ => None,
        }
    }

    /// Takes news of this view in.
    pub fn hear(&mut self, event: LogEvent, now: Moment) {
        self.news = Some(now);
        match event {
            LogEvent::Sources(sources) => {
                self.sources = sources;
                self.heard = Some(now);
            }
            LogEvent::Anew { first, lines, ends, stand } => {
                if !self.told {
                    // Whoever stood still before there was a line stood nowhere.
                    self.top = None;
                }
                self.told = true;
                self.first = first;
                self.lines = lines.into();
                self.ends = ends;
                self.anew(stand, now);
            }
            LogEvent::Front { lines, cut, ends } => {
                self.told = true;
                let vain = lines.is_empty();
                self.first = self.first.saturating_sub(lines.len() as u64);
                for line in lines.into_iter().rev() {
                    self.lines.push_front(line);
                }
                self.lines.truncate(self.lines.len().saturating_sub(cut));
                self.ends = ends;
                self.vain = vain.then_some((self.top, ends));
                self.answered(Question::Before);
            }
            LogEvent::Back { lines, cut, ends } => {
                self.told = true;
                let vain = lines.is_empty();
                self.lines.extend(lines);
                let cut = cut.min(self.lines.len());
                self.lines.drain(..cut);
                self.first += cut as u64;
                self.ends = ends;
                self.vain = vain.then_some((self.top, ends));
                self.answered(Question::After);
            }
            LogEvent::Ends(ends) => {
                self.told = true;
                self.ends = ends;
                if ends.at_start {
                    self.answered(Question::Before);
                }
                if ends.newer == 0 {
                    self.answered(Question::After);
                }
            }
            LogEvent::Found(found) => {
                if let Some(search) = self.search.as_mut().filter(|search| search.number == found.search) {
                    search.found = found;
                    // There is nothing to go to.
                    self.stepping = self.stepping.filter(|_| found.total > 0 || !found.done);
                }
            }
            LogEvent::Stepped { line, nth } => {
                if let Some(search) = &mut self.search {
                    // Which match it is may become known later, when the reader has gone on.
                    let stands = search.at.is_some_and(|(at, _)| at == line) && self.stepping.is_none();
                    search.at = Some((line, nth));
                    self.bring = (!stands).then_some(line).or(self.bring);
                    self.stepping = None;
                }
            }
        }
    }

    /// Other lines are held now than before.
    fn anew(&mut self, stand: Option<u64>, now: Moment) {
        self.answered(Question::Before);
        self.answered(Question::After);
        if let Some(line) = stand {
            self.top = Some(Place { line, row: 0 });
            self.bring = None;
            self.came_for_match = true;
            return;
        }
        let asked = self.asked.take().map(|(question, _)| question);
        let follows = asked == Some(Question::Last) || (asked.is_none() && self.top.is_none());
        // Whoever stands still does not begin to follow because of lines that nobody asked for: those that stood there are
        // gone, and the nearest ones are shown.
        let line = self.top.map_or(self.first, |top| top.line).clamp(self.first, self.end().max(self.first + 1) - 1);
        let line = if asked == Some(Question::First) { self.first } else { line };
        self.top = (!follows).then_some(Place { line, row: 0 });
        self.held = asked == Some(Question::First);
        self.bring = None;
        self.came_for_match = false;
        match self.then.take() {
            Some(Question::First) => self.to_top(now),
            Some(Question::Last) => self.to_end(now),
            Some(Question::Before | Question::After) | None => {}
        }
    }

    fn answered(&mut self, question: Question) {
        self.asked = self.asked.filter(|(asked, _)| *asked != question);
    }

    /// What follows from anything: whoever reads knows whether we stand still, and more lines come in time. `rows`: of the
    /// pane that shows them, nothing where none does.
    pub fn settle(&mut self, rows: usize, now: Moment) {
        self.stepping = self.stepping.filter(|at| now.since(*at) < PATIENCE);
        self.say_whether_held(now);
        self.asked = self.asked.filter(|(_, at)| now.since(*at) < PATIENCE);
        // Lines around a match are on their way.
        let steps = self.stepping.is_some() && self.search.as_ref().is_some_and(|search| search.found.total > 0);
        if self.asked.is_some() || steps || !self.told || rows == 0 || self.vain == Some((self.top, self.ends)) {
            return;
        }
        let rows = rows as u64;
        let (question, ask) = match self.top {
            Some(top) if self.end().saturating_sub(top.line + rows) < NEAR && self.ends.newer > 0 => {
                (Question::After, LogAsk::After(MORE))
            }
            Some(top) if top.line.saturating_sub(self.first) < NEAR && !self.ends.at_start => {
                (Question::Before, LogAsk::Before(MORE))
            }
            // Not even the screen is full.
            None if (self.lines.len() as u64) < rows && !self.ends.at_start => (Question::Before, LogAsk::Before(MORE)),
            Some(_) | None => return,
        };
        self.asked = Some((question, now));
        self.asks.push(ask);
    }

    /// Nothing goes in front while somebody reads there, or is being brought there.
    fn say_whether_held(&mut self, now: Moment) {
        let held = self.top.is_some() || self.pauses_for_match(now);
        let leaves = self.asked.is_some_and(|(question, _)| question == Question::Last);
        if held != self.held && !leaves {
            self.held = held;
            self.asks.push(LogAsk::Hold(held));
        }
    }

    /// Whether the log stands still because a match is looked for.
    pub fn pauses_for_match(&self, now: Moment) -> bool {
        self.stepping.is_some_and(|at| now.since(at) < PAUSE)
    }

    /// Whether a match is looked for and does not come at once.
    pub fn looks_for_match(&self, now: Moment) -> bool {
        self.stepping.is_some() && !self.pauses_for_match(now)
    }

    /// Whether whoever reads was asked for something and has told nothing for a while: nobody knows how the log stands.
    pub fn is_unheard(&self, now: Moment) -> bool {
        let asked = [self.stepping, self.asked.map(|(_, at)| at)].into_iter().flatten();
        let long = |at: Moment| now.since(at) >= PAUSE;
        asked.into_iter().any(long) && self.news.is_none_or(long)
    }

    /// How long it has been quiet since its last line; nothing if it has none, or if nobody looks.
    pub fn quiet(&self, now: Moment) -> Option<Duration> {
        if self.is_unheard(now) {
            return None;
        }
        let since = self.heard.map(|at| now.since(at))?;
        self.sources.iter().filter_map(|source| source.quiet).min().map(|quiet| quiet + since)
    }

    /// Whether it has no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether it was told what there is.
    pub const fn is_told(&self) -> bool {
        self.told
    }

    /// Whether what was asked for is somewhere else in the log and has not come.
    pub fn is_on_its_way(&self) -> bool {
        self.asked.is_some_and(|(question, _)| matches!(question, Question::First | Question::Last))
    }

    /// Every line that is held.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }

    /// The lines that are held from this one on, with their numbers.
    pub fn from(&self, line: u64) -> impl Iterator<Item = (u64, &Line)> {
        let start = line.saturating_sub(self.first) as usize;
        let first = self.first;
        self.lines.iter().enumerate().skip(start).map(move |(at, line)| (first + at as u64, line))
    }

    /// A line that is held.
    pub fn line(&self, number: u64) -> Option<&Line> {
        number.checked_sub(self.first).and_then(|at| self.lines.get(at as usize))
    }

    /// The number of the first line that is held.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// The number that the next line will have.
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// Where what is held stands in the whole.
    pub const fn ends(&self) -> Ends {
        self.ends
    }

    /// Whether the end is followed.
    pub const fn follows(&self) -> bool {
        self.top.is_none()
    }

    /// The first row on a screen of so many rows, on which a line takes as many as `tall` says.
    pub fn top(&self, rows: usize, tall: impl Fn(&Line) -> usize) -> Place {
        let last = self.last_top(rows, &tall);
        let Some(top) = self.top else { return last };
        let top = if top.line < self.first { Place { line: self.first, row: 0 } } else { top };
        let tallest = self.line(top.line).map_or(0, |line| tall(line).saturating_sub(1));
        Place { row: top.row.min(tallest), ..top }.min(last)
    }

    /// The first row of a screen that ends with the last line.
    fn last_top(&self, rows: usize, tall: &impl Fn(&Line) -> usize) -> Place {
        let mut left = rows;
        for (at, line) in self.lines.iter().enumerate().rev() {
            let needed = tall(line);
            if needed >= left {
                return Place { line: self.first + at as u64, row: needed - left };
            }
            left -= needed;
        }
        Place { line: self.first, row: 0 }
    }

    /// So many rows further down, or up, as far as lines are held.
    fn moved(&self, from: Place, by: i64, tall: &impl Fn(&Line) -> usize) -> Place {
        let mut place = from;
        let mut left = by.unsigned_abs() as usize;
        let tall = |number: u64| self.line(number).map_or(1, tall).max(1);
        while left > 0 {
            let here = tall(place.line);
            if by > 0 {
                let rest = here.saturating_sub(place.row);
                if left < rest {
                    place.row += left;
                    break;
                }
                if place.line + 1 >= self.end() {
                    place.row = here - 1;
                    break;
                }
                left -= rest;
                place = Place { line: place.line + 1, row: 0 };
            } else {
                if left <= place.row {
                    place.row -= left;
                    break;
                }
                if place.line <= self.first {
                    place.row = 0;
                    break;
                }
                left -= place.row + 1;
                place.line -= 1;
                place.row = tall(place.line) - 1;
            }
        }
        place
    }

    /// Moves by so many rows; reaching the end of it all while moving down follows it again.
    pub fn scroll(&mut self, by: i64, rows: usize, tall: impl Fn(&Line) -> usize) {
        let from = self.top(rows, &tall);
        let last = self.last_top(rows, &tall);
        let to = self.moved(from, by, &tall).min(last);
        if by > 0 && to == last && self.ends.newer == 0 {
            self.top = None;
        } else if to != from {
            self.top = Some(to);
        }
    }

    /// To the first line that is kept.
    pub fn to_top(&mut self, now: Moment) {
        self.top = Some(Place { line: self.first, row: 0 });
        if !self.ends.at_start && self.may_ask_for(Question::First) {
            self.say_whether_held(now);
            self.asked = Some((Question::First, now));
            self.asks.push(LogAsk::First(MORE));
        }
    }

    /// To the end, and follows it.
    pub fn to_end(&mut self, now: Moment) {
        if self.ends.newer == 0 && !self.is_on_its_way() {
            self.top = None;
        } else if self.may_ask_for(Question::Last) {
            self.asked = Some((Question::Last, now));
            self.held = false;
            self.asks.push(LogAsk::Last);
        }
    }

    /// Whoever asks for the other end while one is on its way gets it after that; nobody asks for the same twice.
    fn may_ask_for(&mut self, question: Question) -> bool {
        let on_its_way = self.asked.map(|(question, _)| question).filter(|_| self.is_on_its_way());
        self.then = on_its_way.and(Some(question)).filter(|_| on_its_way != Some(question));
        on_its_way.is_none()
    }

    /// Stands still where it is.
    pub fn hold(&mut self, rows: usize, tall: impl Fn(&Line) -> usize) {
        self.top = Some(self.top(rows, tall));
    }

    /// Brings the line of a match to the middle of the screen, if one is to be brought: it stays where it is if the reader
    /// saw it already. Whoever stands still does so where a screen of this height can stand, so that nothing moves when lines come.
    pub fn bring(&mut self, rows: usize, tall: impl Fn(&Line) -> usize) {
        let top = self.top(rows, &tall);
        self.top = self.top.map(|_| top);
        let Some(line) = self.bring.take() else { return };
        let from = Place { line, row: 0 };
        let to = self.moved(top, rows as i64, &tall);
        // The last row may be the first of several.
        let seen = from >= top && (from < to || to.line + 1 >= self.end());
        let stays = !std::mem::take(&mut self.came_for_match) && seen;
        self.top = Some(if stays { top } else { self.moved(from, -(rows as i64 / 2), &tall) });
        self.hold(rows, tall);
    }

    /// A line that the screen is to be brought to.
    pub const fn to_bring(&self) -> Option<u64> {
        self.bring
    }

    /// What is searched for.
    pub const fn search(&self) -> Option<&Search> {
        self.search.as_ref()
    }

    /// What was searched for last.
    pub fn last_search(&self) -> &str {
        &self.last_search
    }

    /// Searches for nothing any more.
    pub fn end_search(&mut self) {
        self.stepping = None;
        if self.search.take().is_some() {
            self.asks.push(LogAsk::Unsearch);
        }
    }

    /// Searches for a regular expression, or for the text itself where it is none. Whether the text is what it was taken
    /// for; nothing is searched for if it is too long.
    pub fn look_for(&mut self, text: &str) -> bool {
        let build = |pattern: &str| RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
        let good = build(text);
        let is_good = good.is_ok();
        let Ok(pattern) = good.or_else(|_| build(&regex::escape(text))) else {
            self.end_search();
            return false;
        };
        text.clone_into(&mut self.last_search);
        self.begin(text, Some(pattern));
        is_good
    }

    /// Searches for errors.
    pub fn look_for_errors(&mut self) {
        self.begin("errors", None);
    }

    fn begin(&mut self, text: &str, pattern: Option<Regex>) {
        self.searches += 1;
        let found = Found { search: self.searches, ..Found::default() };
        let search = Search { number: self.searches, text: text.to_owned(), pattern, found, at: None };
        self.asks.push(LogAsk::Search(self.searches, search.sought()));
        self.search = Some(search);
    }

    /// Writes everything that the view shows to this file.
    pub fn save(&mut self, path: PathBuf) {
        self.asks.push(LogAsk::Save(path));
    }

    /// On to the next match below this line, or to the next one above.
    pub fn step(&mut self, from: u64, forward: bool, now: Moment) {
        self.stepping = Some(now);
        self.say_whether_held(now);
        self.asks.push(LogAsk::Step { from, forward });
    }
}

impl Search {
    /// What whoever reads is to look for.
    fn sought(&self) -> Sought {
        match &self.pattern {
            Some(pattern) => Sought::Pattern(pattern.as_str().to_owned()),
            None => Sought::Errors,
        }
    }

    /// Whether it is for errors.
    pub const fn is_for_errors(&self) -> bool {
        self.pattern.is_none()
    }

    /// Whether it is known that there is nothing to find.
    pub const fn is_vain(&self) -> bool {
        self.found.done && self.found.total == 0
    }

    /// `1/3`, `3`; with `...` while it goes on.
    pub fn brief(&self) -> String {
        let more = if self.found.done { "" } else { "..." };
        match self.at.and_then(|(_, nth)| nth) {
            Some(nth) => format!("{nth}/{}{more}", self.found.total),
            None => format!("{}{more}", self.found.total),
        }
    }

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
