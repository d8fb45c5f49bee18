//! The part of the history that the screen holds: rows, newest first, where the cursor is among them, and what was asked
//! for and has not come yet. The newest is at the top: what has just happened is what most look for, and the first page
//! is there at once, however much lies below.

use std::time::Duration;

use crate::core::history::{Anchor, Entry, Place, Shelf};
use crate::core::moment::Moment;
use crate::core::words::grouped;

use super::history_news::{HistoryAsk, HistoryNews, Looked, WholeEntry};

/// So many rows are held at most, and so many are asked for at a time.
const HELD: usize = 1200;
const CHUNK: usize = 300;
/// More is asked for when fewer rows than this are left in the direction in which somebody goes.
const NEAR: usize = 120;
/// After trouble nothing is asked for so long.
const CALM: Duration = Duration::from_secs(1);
/// What was read so long ago says nothing of now.
const STALE_AFTER: Duration = Duration::from_secs(3);
/// What happened stands in the title so long.
const NOTICED: Duration = Duration::from_mins(1);

/// The rows that are held, and what is looked for.
#[derive(Clone, Debug, Default)]
pub struct HistoryBook {
    /// What is looked through.
    pub shelf: Shelf,
    /// Which rows are wanted, as it was typed.
    filter: String,
    /// The number of what is looked at, and whether whoever reads knows it.
    view: u64,
    told: bool,
    /// Whether whoever reads knows that somebody looks.
    awake: bool,
    rows: Vec<Entry>,
    /// How many are newer than the first one that is held, and how many there are.
    before: u64,
    total: Option<u64>,
    /// The row under the cursor, and the first one on the screen, among those that are held.
    at: usize,
    top: usize,
    /// What was asked for and has not come yet.
    waiting: Option<Anchor>,
    /// Where somebody wants to go that is not held.
    jump: Option<Anchor>,
    /// Whether that is the newest row, whatever is under the cursor.
    homing: bool,
    /// How many rows further down they want to go, once those are there.
    ahead: i64,
    /// Whether something was added since the rows were asked for.
    changed: bool,
    looked: Option<(Moment, Looked)>,
    trouble: Option<(Moment, String)>,
    /// What happened last, in a few words.
    noticed: Option<(Moment, String)>,
    /// So many lines that cannot be read were told of already.
    odd_told: u64,
    /// The entry that is read, and whether whoever reads it was asked for it.
    pub open: Option<Opened>,
}

/// An entry that is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// Of what.
    pub shelf: Shelf,
    /// The row.
    pub entry: Entry,
    /// All that is known of it, once it is there.
    pub whole: Option<Box<WholeEntry>>,
    asked: bool,
}

impl HistoryBook {
    /// What was typed to find rows.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// Rows that fit this, from the newest.
    pub fn narrow(&mut self, filter: &str) {
        if self.filter != filter {
            filter.clone_into(&mut self.filter);
            self.look_anew();
        }
    }

    /// Events, runs, reports.
    pub fn turn(&mut self) {
        self.shelf = self.shelf.next();
        self.look_anew();
    }

    fn look_anew(&mut self) {
        self.view += 1;
        self.told = false;
        self.rows.clear();
        (self.before, self.total, self.at, self.top) = (0, None, 0, 0);
        (self.waiting, self.jump, self.ahead, self.changed) = (None, None, 0, false);
    }

    /// The rows from the first one on the screen, so many at most, and whether the cursor is on each.
    pub fn page(&self, rows: usize) -> impl Iterator<Item = (bool, &Entry)> {
        self.rows.iter().enumerate().skip(self.top).take(rows).map(|(number, entry)| (number == self.at, entry))
    }

    /// Every row that is held, and how many there are.
    pub fn held(&self) -> (&[Entry], u64) {
        (&self.rows, self.total.unwrap_or(self.rows.len() as u64))
    }

    /// The numbers of the first and the last row on the screen, counted from 1, and how many there are; nothing before
    /// that is known, or where there is none.
    pub fn counts(&self, rows: usize) -> Option<(u64, u64, u64)> {
        let total = self.total.filter(|_| !self.rows.is_empty())?;
        let first = self.before + self.top as u64 + 1;
        let shown = self.rows.len().saturating_sub(self.top).min(rows);
        Some((first, first + (shown as u64).saturating_sub(1), total))
    }

    /// How many rows there are, if that is known.
    pub const fn total(&self) -> Option<u64> {
        self.total
    }

    /// How long ago the event files were last looked at.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.looked.as_ref().map(|(at, _)| now.since(*at))
    }

    /// Whether that is too long ago to say what is.
    pub fn is_stale(&self, now: Moment) -> bool {
        self.age(now).is_some_and(|age| age >= STALE_AFTER)
    }

    /// How much of the event files is in the index, in percent, while that is not all.
    pub fn percent(&self) -> Option<u8> {
        self.looked.as_ref().and_then(|(_, looked)| looked.percent)
    }

    /// What went wrong, or is to be known of the index.
    pub fn note(&self) -> Option<&str> {
        let note = self.looked.as_ref().and_then(|(_, looked)| looked.note.as_deref());
        self.trouble.as_ref().map(|(_, why)| why.as_str()).or(note)
    }

    /// What has just happened to the index or to an event file, in a few words.
    pub fn noticed(&self, now: Moment) -> Option<&str> {
        self.noticed.as_ref().filter(|(at, _)| now.since(*at) < NOTICED).map(|(_, short)| short.as_str())
    }

    /// How many lines of the event files cannot be read.
    pub fn odd(&self) -> u64 {
        self.looked.as_ref().map_or(0, |(_, looked)| odd(looked))
    }

    /// Whether it cannot be read at the moment.
    pub const fn is_troubled(&self) -> bool {
        self.trouble.is_some()
    }

    /// The row under the cursor.
    pub fn chosen(&self) -> Option<&Entry> {
        self.rows.get(self.at)
    }

    /// Opens it.
    pub fn open(&mut self) -> bool {
        let (shelf, entry) = (self.shelf, self.chosen().cloned());
        self.open = entry.map(|entry| Opened { shelf, entry, whole: None, asked: false });
        self.open.is_some()
    }

    fn is_last_held(&self) -> bool {
        self.total.is_some_and(|total| self.before + self.rows.len() as u64 >= total)
    }

    /// So many rows down, or up.
    pub fn step(&mut self, by: i64) {
        let wanted = self.at as i64 + by;
        let last = self.rows.len().saturating_sub(1) as i64;
        let to = wanted.clamp(0, last);
        self.at = to as usize;
        // The rest of the way is gone when its rows are there.
        let beyond = wanted > last && !self.is_last_held() || wanted < 0 && self.before > 0;
        self.ahead = if beyond { wanted - to } else { 0 };
    }

    /// To the row that stands so many below the first one on the screen, if there is one.
    pub fn choose(&mut self, row: usize) {
        if self.top + row < self.rows.len() {
            self.at = self.top + row;
            self.ahead = 0;
        }
    }

    /// To the newest row.
    pub fn to_top(&mut self) {
        self.ahead = 0;
        if self.before == 0 {
            (self.at, self.top) = (0, 0);
        } else {
            (self.jump, self.homing) = (Some(Anchor::Newest), true);
        }
    }

    /// To the oldest.
    pub fn to_bottom(&mut self) {
        self.ahead = 0;
        if self.is_last_held() { self.at = self.rows.len().saturating_sub(1) } else { self.jump = Some(Anchor::Oldest) }
    }

    /// Keeps the cursor on a screen of so many rows, and asks for what is needed: only while somebody looks.
    #[must_use]
    pub fn settle(&mut self, rows: usize, shown: bool, now: Moment) -> Vec<HistoryAsk> {
        let mut asks = Vec::new();
        self.at = self.at.min(self.rows.len().saturating_sub(1));
        if rows > 0 {
            self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(rows));
            self.top = self.top.min(self.rows.len().saturating_sub(rows));
        }
        let calm = self.trouble.as_ref().is_some_and(|(at, _)| now.since(*at) < CALM);
        if self.awake != shown && !calm {
            self.awake = shown;
            asks.push(HistoryAsk::GoOn(shown));
        }
        if let Some(open) = &mut self.open
            && !open.asked
            && !calm
        {
            open.asked = true;
            asks.push(HistoryAsk::Open { shelf: open.shelf, place: open.entry.place });
        }
        if !shown || calm {
            return asks;
        }
        if !self.told {
            self.told = true;
            self.waiting = None;
            let (number, shelf, filter) = (self.view, self.shelf, self.filter.clone());
            asks.push(HistoryAsk::View { number, shelf, filter });
            self.jump = Some(Anchor::Newest);
        }
        if self.waiting.is_some() {
            return asks;
        }
        if let Some((from, count)) = self.needed() {
            self.waiting = Some(from);
            asks.push(HistoryAsk::Rows { view: self.view, from, count });
        }
        asks
    }

    /// What is to be asked for next.
    fn needed(&mut self) -> Option<(Anchor, usize)> {
        if let Some(from) = self.jump.take() {
            if from == Anchor::Newest {
                self.changed = false;
            }
            return Some((from, CHUNK));
        }
        let count = self.rows.len().max(CHUNK);
        if std::mem::take(&mut self.changed) {
            return Some(match self.rows.first() {
                Some(first) if self.before > 0 => (Anchor::At(first.place), count),
                Some(_) | None => (Anchor::Newest, count),
            });
        }
        let last = self.rows.last()?.place;
        if !self.is_last_held() && (self.ahead > 0 || self.rows.len() - self.at <= NEAR) {
            return Some((Anchor::Older(last), CHUNK));
        }
        let first = self.rows.first()?.place;
        (self.before > 0 && (self.ahead < 0 || self.at < NEAR)).then_some((Anchor::Newer(first), CHUNK))
    }

    /// Takes news in. What is to be told once, in sentences.
    #[must_use]
    pub fn hear(&mut self, news: HistoryNews, now: Moment) -> Vec<String> {
        match news {
            HistoryNews::Looked(looked) => {
                self.trouble = None;
                self.changed |= looked.changed;
                let told = self.told_once(&looked, now);
                self.looked = Some((now, looked));
                return told;
            }
            HistoryNews::Rows { view, from, rows, before, total } => {
                if view == self.view {
                    self.take(from, rows, before, total);
                }
            }
            HistoryNews::Whole(place, whole) => {
                if let Some(open) = &mut self.open
                    && open.entry.place == place
                {
                    open.whole = Some(whole);
                }
            }
            HistoryNews::Trouble(why) => {
                self.trouble = Some((now, why));
                // Whoever reads may be another one from now on: everything is said again.
                (self.waiting, self.told, self.awake) = (None, false, false);
                if let Some(open) = &mut self.open {
                    open.asked = open.whole.is_some();
                }
            }
        }
        Vec::new()
    }

    fn told_once(&mut self, looked: &Looked, now: Moment) -> Vec<String> {
        let mut told = Vec::new();
        for notice in &looked.notices {
            if !notice.short.is_empty() {
                self.noticed = Some((now, notice.short.clone()));
            }
            told.push(notice.whole.clone());
        }
        // They are counted when everything was read.
        let count = odd(looked);
        if looked.percent.is_none() && count != self.odd_told {
            if count > self.odd_told {
                let files: Vec<String> =
                    looked.odd.iter().map(|(file, count)| format!("{file} ({})", grouped(*count))).collect();
                let (lines, are) = if count == 1 { ("line", "is") } else { ("lines", "are") };
                told.push(format!(
                    "{} {lines} of the event files cannot be read and {are} not in the history: {}",
                    grouped(count),
                    files.join(", ")
                ));
            }
            self.odd_told = count;
        }
        told
    }

    fn take(&mut self, from: Anchor, rows: Vec<Entry>, before: u64, total: u64) {
        if self.waiting == Some(from) {
            self.waiting = None;
        }
        let follows =
            (self.at == 0 && self.before == 0) || (from == Anchor::Newest && std::mem::take(&mut self.homing));
        let cursor = self.chosen().map(|entry| entry.place);
        let down = self.at.saturating_sub(self.top);
        self.total = Some(total);
        match from {
            Anchor::Older(last) => {
                // Between the asking and the answer the rows may have become others.
                if self.rows.last().is_none_or(|entry| entry.place == last) {
                    self.rows.extend(rows);
                }
                let surplus = self.rows.len().saturating_sub(HELD).min(self.top);
                self.rows.drain(..surplus);
                self.before += surplus as u64;
            }
            Anchor::Newer(first) => {
                if self.rows.first().is_none_or(|entry| entry.place == first) {
                    self.before = self.before.saturating_sub(rows.len() as u64);
                    self.rows.splice(0..0, rows);
                    self.rows.truncate(HELD.max(self.at + CHUNK));
                }
            }
            Anchor::Newest | Anchor::Oldest | Anchor::At(_) => {
                self.rows = rows;
                self.before = before;
            }
        }
        let last = self.rows.len().saturating_sub(1);
        self.at = match (from, cursor) {
            (Anchor::Oldest, _) => last,
            (Anchor::Newest, _) if follows => 0,
            (_, Some(cursor)) => self.find(cursor).unwrap_or(0),
            (_, None) => 0,
        };
        self.top = self.at.saturating_sub(down);
        let ahead = std::mem::take(&mut self.ahead);
        if ahead != 0 {
            self.step(ahead);
        }
    }

    /// The row that stands there now, or the next older one.
    fn find(&self, place: Place) -> Option<usize> {
        self.rows.iter().position(|entry| entry.place <= place)
    }
}

fn odd(looked: &Looked) -> u64 {
    looked.odd.iter().map(|(_, count)| count).sum()
}
