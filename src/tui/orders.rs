//! The book of orders: what was read of every bot's orders, when, and what is shown of it. Sorted and filtered when
//! something changes, and not when it is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::bot::{BotName, Mode};
use crate::core::moment::Moment;
use crate::core::order::Order;

use super::message::{Now, OrdersNews, OrdersSeen};
use super::order_row::{OrderFilter, OrderId, OrderSort, Row};
use super::text;

/// A reading that is older than three periods says nothing of now; reading may take a moment itself.
const PERIODS: u32 = 3;
const LEAST: Duration = Duration::from_secs(5);

/// What is known of one bot's orders.
#[derive(Clone, Debug)]
pub struct Source {
    /// What kind of source it is: the word of the configuration.
    pub word: String,
    /// How often it is asked.
    period: Duration,
    /// When it last answered, on the wall; none before the first answer.
    pub read_at: Option<Timestamp>,
    heard: Option<Moment>,
    /// Why it does not answer now.
    pub error: Option<String>,
    rows: Vec<Row>,
    protective: usize,
}

/// What may be said of the number of a bot's orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Nobody can read them: no source is configured.
    NoSource,
    /// They were not read yet.
    Unread,
    /// So many were open a moment ago.
    Fresh(u64),
    /// So many were open when they could last be read.
    Stale(u64),
}

/// Everything that is known of orders, and how it is looked at.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    sources: BTreeMap<BotName, Source>,
    modes: BTreeMap<BotName, Option<Mode>>,
    /// What is shown, in order: the bot and the number of the row among its rows.
    index: Vec<(BotName, usize)>,
    /// The row under the cursor, by identity.
    pub cursor: Option<OrderId>,
    /// Where the cursor was last seen, for moving on from an order that is gone.
    pub cursor_row: usize,
    /// The first row that is shown.
    pub top_row: usize,
    /// Marked orders.
    pub marked: BTreeSet<OrderId>,
    /// Whether every order that was marked is gone, and nobody was told yet.
    pub marks_gone: bool,
    /// What is shown.
    pub filter: OrderFilter,
    /// What it is sorted by.
    pub sort: OrderSort,
    /// The other way round.
    pub reverse: bool,
    /// The widest cells of what is shown, one a column.
    pub widths: [usize; 10],
    /// How often everything was sorted anew: what drawing must never do.
    pub sorted: u64,
}

impl Source {
    /// How long ago it was read.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.heard.map(|heard| now.since(heard))
    }

    /// Whether what is known of it is too old to say what is.
    pub fn is_stale(&self, now: Moment) -> bool {
        self.error.is_some() || self.age(now).is_some_and(|age| age >= LEAST.max(self.period * PERIODS))
    }

    /// Since when, and why, in a few words.
    pub fn why(&self, now: Moment) -> String {
        let age = self.age(now).map_or_else(|| "never read".to_owned(), |age| format!("read {} ago", text::age(age)));
        self.error.as_ref().map_or_else(|| age.clone(), |error| format!("{age}: {error}"))
    }
}

impl OrderBook {
    /// Takes in what came of reading bots' orders. However many have changed, everything is sorted once.
    pub fn hear(&mut self, news: Vec<OrdersNews>, now: Now) {
        let changed = news.into_iter().fold(false, |changed, news| self.hear_of_one(news, now) | changed);
        if changed {
            self.changed();
        }
    }

    /// Whether there are other rows now.
    fn hear_of_one(&mut self, news: OrdersNews, now: Now) -> bool {
        let OrdersNews { bot, source, period, seen } = news;
        if matches!(seen, OrdersSeen::Gone) {
            return self.sources.remove(&bot).is_some();
        }
        let word = text::harmless(&source);
        let known = self.sources.entry(bot.clone()).or_insert_with(|| Source {
            word: String::new(),
            period,
            read_at: None,
            heard: None,
            error: None,
            rows: Vec::new(),
            protective: 0,
        });
        known.word = word;
        known.period = period;
        match seen {
            OrdersSeen::Gone | OrdersSeen::Asked => false,
            OrdersSeen::Unchanged(at) => {
                known.read_at = Some(at);
                known.heard = Some(moment_of(at, now));
                known.error = None;
                false
            }
            OrdersSeen::Failed(why) => {
                known.error = Some(text::harmless(&why.replace(['\r', '\n'], " ")));
                false
            }
            OrdersSeen::Read(orders, at) => {
                known.read_at = Some(at);
                known.heard = Some(moment_of(at, now));
                known.error = None;
                known.rows = rows(&bot, &orders);
                known.protective = known.rows.iter().filter(|row| row.protective).count();
                true
            }
        }
    }

    /// The bots trade in these modes from now on.
    pub fn set_modes(&mut self, modes: BTreeMap<BotName, Option<Mode>>) {
        if self.modes != modes {
            self.modes = modes;
            if !self.filter.is_empty() {
                self.arrange();
            }
        }
    }

    /// Another filter.
    pub fn narrow(&mut self, filter: &str) {
        self.filter = OrderFilter::new(filter);
        self.arrange();
        if self.cursor_at().is_none() {
            self.cursor = self.at(0).map(|row| row.id.clone());
        }
    }

    /// Sorted by the next column.
    pub fn sort_next(&mut self) {
        self.sort = self.sort.next();
        self.arrange();
    }

    /// Sorted by this column.
    pub fn sort_by(&mut self, sort: OrderSort) {
        self.sort = sort;
        self.arrange();
    }

    /// Sorted the other way round.
    pub fn turn_round(&mut self) {
        self.reverse = !self.reverse;
        self.arrange();
    }

    fn changed(&mut self) {
        let there: BTreeSet<&OrderId> =
            if self.marked.is_empty() { BTreeSet::new() } else { self.all().map(|row| &row.id).collect() };
        let gone: Vec<OrderId> = self.marked.iter().filter(|id| !there.contains(id)).cloned().collect();
        let marked = !self.marked.is_empty();
        for id in &gone {
            self.marked.remove(id);
        }
        self.marks_gone |= marked && self.marked.is_empty();
        self.arrange();
    }

    /// Sorts and filters everything.
    fn arrange(&mut self) {
        let mut shown: Vec<(&BotName, usize, &Row)> = Vec::new();
        for (bot, source) in &self.sources {
            let mode = self.modes.get(bot).copied().flatten();
            let rows = source.rows.iter().enumerate();
            shown.extend(rows.filter(|(_, row)| self.filter.shows(row, mode)).map(|(at, row)| (bot, at, row)));
        }
        let (sort, reverse) = (self.sort, self.reverse);
        shown.sort_unstable_by(|(_, _, a), (_, _, b)| sort.order(reverse, a, b));
        self.widths = shown.iter().fold([0; 10], |mut widths, (_, _, row)| {
            let cells = [
                row.id.bot.as_str(),
                &row.venue,
                &row.symbol,
                row.side,
                &row.kind,
                &row.quantity,
                &row.filled,
                &row.price,
                "",
                &row.state,
            ];
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = (*width).max(text::width(cell));
            }
            widths
        });
        self.index = shown.into_iter().map(|(bot, at, _)| (bot.clone(), at)).collect();
        self.sorted += 1;
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.sources.values().flat_map(|source| &source.rows)
    }

    /// The row in this place.
    pub fn at(&self, place: usize) -> Option<&Row> {
        let (bot, at) = self.index.get(place)?;
        self.sources.get(bot)?.rows.get(*at)
    }

    /// How many rows are shown.
    pub const fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether none is.
    pub const fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The place of the cursor; none where its order is hidden or gone.
    pub fn cursor_at(&self) -> Option<usize> {
        let cursor = self.cursor.as_ref()?;
        let is_it = |place: &usize| self.at(*place).is_some_and(|row| row.id == *cursor);
        // It is where it was, nearly always.
        Some(self.cursor_row).filter(is_it).or_else(|| (0..self.len()).find(is_it))
    }

    /// The row under the cursor.
    pub fn under_cursor(&self) -> Option<&Row> {
        self.cursor_at().and_then(|place| self.at(place))
    }

    /// The row of this identity, shown or not.
    pub fn row(&self, id: &OrderId) -> Option<&Row> {
        self.sources.get(&id.bot)?.rows.iter().find(|row| row.id == *id)
    }

    /// Every order of a bot, shown or not.
    pub fn of(&self, bot: &BotName) -> &[Row] {
        self.sources.get(bot).map(|source| source.rows.as_slice()).unwrap_or_default()
    }

    /// Puts the cursor on a place, the last one if there are fewer.
    pub fn go_to(&mut self, place: usize) {
        let place = place.min(self.len().saturating_sub(1));
        if let Some(row) = self.at(place) {
            self.cursor = Some(row.id.clone());
            self.cursor_row = place;
        }
    }

    /// Keeps the cursor on an order, and on a page of so many rows.
    pub fn settle(&mut self, rows: usize) {
        if self.cursor_at().is_none() && self.cursor.as_ref().is_none_or(|id| self.row(id).is_none()) {
            // Its order is gone: whatever stands there now is another one, and is seen to be chosen.
            let place = self.cursor_row.min(self.len().saturating_sub(1));
            self.cursor = self.at(place).map(|row| row.id.clone());
        }
        if let Some(place) = self.cursor_at() {
            self.cursor_row = place;
        }
        let rows = rows.max(1);
        self.top_row = self.top_row.min(self.cursor_row).max((self.cursor_row + 1).saturating_sub(rows));
        self.top_row = self.top_row.min(self.len().saturating_sub(rows));
    }

    /// Marks or unmarks the order under the cursor, and goes on to the next.
    pub fn mark(&mut self) {
        let Some(place) = self.cursor_at() else { return };
        if let Some(id) = self.cursor.clone() {
            if !self.marked.remove(&id) {
                self.marked.insert(id);
            }
            self.marks_gone = false;
            self.go_to(place + 1);
        }
    }

    /// Marks every order that is shown.
    pub fn mark_all(&mut self) {
        let shown: Vec<OrderId> =
            (0..self.len()).filter_map(|place| self.at(place)).map(|row| row.id.clone()).collect();
        self.marked.extend(shown);
        self.marks_gone = false;
    }

    /// Unmarks every order.
    pub fn unmark(&mut self) {
        self.marked.clear();
        self.marks_gone = false;
    }

    /// How many of the marked ones are shown.
    pub fn marked_shown(&self) -> usize {
        if self.marked.is_empty() {
            return 0;
        }
        (0..self.len()).filter_map(|place| self.at(place)).filter(|row| self.marked.contains(&row.id)).count()
    }

    /// What is known of a bot's orders.
    pub fn source(&self, bot: &BotName) -> Option<&Source> {
        self.sources.get(bot)
    }

    /// Every bot whose orders somebody reads.
    pub fn sources(&self) -> impl Iterator<Item = (&BotName, &Source)> {
        self.sources.iter()
    }

    /// How many orders of a bot are open, as far as that is known.
    pub fn count(&self, bot: &BotName, now: Moment) -> Count {
        let Some(source) = self.sources.get(bot) else { return Count::NoSource };
        match (source.read_at, source.is_stale(now)) {
            (None, _) => Count::Unread,
            (Some(_), true) => Count::Stale(source.rows.len() as u64),
            (Some(_), false) => Count::Fresh(source.rows.len() as u64),
        }
    }

    /// How many of a bot's orders guard a position.
    pub fn protective(&self, bot: &BotName) -> u64 {
        self.sources.get(bot).map_or(0, |source| source.protective as u64)
    }

    /// How many orders there are in all, and how many of them guard a position.
    pub fn totals(&self) -> (usize, usize) {
        self.sources.values().fold((0, 0), |(all, prot), source| (all + source.rows.len(), prot + source.protective))
    }

    /// Whether some may be missing from the totals, or be there no longer.
    pub fn is_unsure(&self, now: Moment) -> bool {
        self.sources.values().any(|source| source.read_at.is_none() || source.is_stale(now))
    }
}

/// When something was read, on the clock of ages: however long it has waited since to be taken in.
pub(super) fn moment_of(read: Timestamp, now: Now) -> Moment {
    let waited = Duration::try_from(now.wall.duration_since(read)).unwrap_or_default();
    Moment::at(now.mono.since(Moment::default()).saturating_sub(waited))
}

fn rows(bot: &BotName, orders: &[Order]) -> Vec<Row> {
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut row = |order: &Order| {
        let nth = names.entry(order.key()).and_modify(|nth| *nth += 1).or_insert(0);
        let mut row = Row::of(order, *nth);
        // Whoever asked knows whose orders they are.
        row.id.bot = bot.clone();
        row
    };
    orders.iter().map(&mut row).collect()
}
