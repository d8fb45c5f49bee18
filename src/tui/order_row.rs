//! One order as a row of the screen: harmless text, made once when it was read, and what sorting and filtering ask of it.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::core::bot::{BotName, Mode};
use crate::core::fuzzy;
use crate::core::order::{Order, OrderState};

use super::text;
use super::theme;

/// What a row is known by, however the rows are sorted: whose order, what it is called, and which of those of one name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId {
    /// Whose.
    pub bot: BotName,
    /// What the order is called among those of its bot.
    pub key: String,
    /// Orders without an id may be called the same.
    pub nth: u32,
}

/// An order, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is known by.
    pub id: OrderId,
    /// What else it answers to: the bot's own id, beside that of the venue.
    also: Option<String>,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    pub venue: String,
    /// What is traded.
    pub symbol: String,
    /// Which way; a dash where the source does not say.
    pub side: &'static str,
    /// Limit, stop, market.
    pub kind: String,
    /// How much.
    pub quantity: String,
    /// How much of it is filled.
    pub filled: String,
    /// At what price.
    pub price: String,
    /// How it stands, in the words of the screen.
    pub state: String,
    /// The same in the source's words.
    word: String,
    /// Whether it guards a position.
    pub protective: bool,
    /// When it was placed.
    pub placed_at: Option<Timestamp>,
    worth: Option<f64>,
}

fn shown(value: Option<&str>) -> String {
    let text = value.map(text::harmless).unwrap_or_default();
    if text.trim().is_empty() { "-".to_owned() } else { text }
}

impl Row {
    /// The row of an order: the so-manieth of its name.
    pub fn of(order: &Order, nth: u32) -> Self {
        let state = match &order.state {
            OrderState::New => "new".to_owned(),
            OrderState::Open => "open".to_owned(),
            OrderState::PartiallyFilled => "part".to_owned(),
            OrderState::PendingCancel => "canceling".to_owned(),
            OrderState::Other(word) => shown(Some(word)),
        };
        let state = match (order.protective, &order.state) {
            (true, OrderState::Open) => "PROT".to_owned(),
            (true, _) => format!("PROT {state}"),
            (false, _) => state,
        };
        Self {
            id: OrderId { bot: order.bot.clone(), key: order.key(), nth },
            also: order.order_id.as_ref().and(order.client_order_id.clone()),
            name: text::harmless(&order.name()),
            venue: shown(order.venue.as_deref()),
            symbol: shown(order.symbol.as_deref()),
            side: order.side.map_or("-", |side| side.shout()),
            kind: shown(order.kind.as_deref()),
            quantity: shown(order.quantity.as_deref()),
            filled: shown(order.filled.as_deref()),
            price: shown(order.price.as_deref()),
            state,
            word: text::harmless(order.state.word()).to_lowercase(),
            protective: order.protective,
            placed_at: order.placed_at,
            worth: order.price.as_deref().and_then(|price| price.trim().parse().ok()),
        }
    }

    /// Whether whoever cancels by one of these keys takes this order: `Order::is_called`, for many keys at once.
    pub fn is_called(&self, keys: &BTreeSet<&str>) -> bool {
        keys.contains(self.id.key.as_str()) || self.also.as_deref().is_some_and(|also| keys.contains(also))
    }
}

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderSort {
    /// Whose they are: the rows of a bot stand together.
    #[default]
    Bot,
    /// What is traded.
    Symbol,
    /// Which way.
    Side,
    /// The newest first.
    Age,
    /// As numbers.
    Price,
    /// How they stand.
    State,
}

impl OrderSort {
    /// Every column, in the order of the key.
    pub const ALL: [Self; 6] = [Self::Bot, Self::Symbol, Self::Side, Self::Age, Self::Price, Self::State];

    /// The word of the title.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Symbol => "symbol",
            Self::Side => "side",
            Self::Age => "age",
            Self::Price => "price",
            Self::State => "state",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Bot => Self::Symbol,
            Self::Symbol => Self::Side,
            Self::Side => Self::Age,
            Self::Age => Self::Price,
            Self::Price => Self::State,
            Self::State => Self::Bot,
        }
    }

    /// Which of two stands first. Never says that two are equal, so that nothing jumps about.
    pub fn order(self, reverse: bool, a: &Row, b: &Row) -> Ordering {
        let number = |row: &Row| row.worth.unwrap_or(f64::INFINITY);
        let by = match self {
            Self::Bot => Ordering::Equal,
            Self::Symbol => a.symbol.cmp(&b.symbol),
            Self::Side => a.side.cmp(b.side),
            Self::Age => b.placed_at.cmp(&a.placed_at),
            Self::Price => number(a).total_cmp(&number(b)),
            Self::State => a.state.cmp(&b.state),
        };
        let by_bot = if a.id.bot == b.id.bot { Ordering::Equal } else { owner(a).cmp(&owner(b)) };
        let by = if self == Self::Bot { by_bot } else { by };
        let by = if reverse { by.reverse() } else { by };
        by.then(by_bot).then_with(|| a.symbol.cmp(&b.symbol)).then_with(|| a.id.cmp(&b.id))
    }
}

fn owner(row: &Row) -> (&str, Option<u32>) {
    (row.id.bot.base(), row.id.bot.instance())
}

/// Which orders are shown: words that must all fit. `side:buy`, `st:open`, `prot`, `mode:live`, letters of the
/// bot's name in their order, a part of the symbol, the venue or the type, and any of these with `!` before it for "not".
/// As in the list of bots, what is excluded must stand in a name as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    text: String,
    words: Vec<(bool, String)>,
}

impl OrderFilter {
    /// The filter that this text describes; every text does.
    pub fn new(text: &str) -> Self {
        let words = text
            .split_whitespace()
            .map(|word| word.strip_prefix('!').map_or((true, word), |word| (false, word)))
            .filter(|(_, word)| !word.is_empty())
            .map(|(wanted, word)| (wanted, word.to_lowercase()))
            .collect();
        Self { text: text.to_owned(), words }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it hides nothing.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether this row is shown, of a bot in this mode.
    pub fn shows(&self, row: &Row, mode: Option<Mode>) -> bool {
        self.words.iter().all(|(wanted, word)| fits(word, row, mode, *wanted) == *wanted)
    }
}

fn fits(word: &str, row: &Row, mode: Option<Mode>, fuzzily: bool) -> bool {
    let begins = |text: &str, with: &str| text.to_lowercase().starts_with(with);
    if let Some(wanted) = word.strip_prefix("mode:") {
        return mode.is_some_and(|mode| begins(mode.word(), wanted)) || begins(theme::mode(mode, false), wanted);
    }
    if let Some(side) = word.strip_prefix("side:") {
        return begins(row.side, side);
    }
    if let Some(state) = word.strip_prefix("st:").or_else(|| word.strip_prefix("state:")) {
        // Both words: the source's own, and what the screen shows.
        return begins(&row.word, state) || begins(&row.state, state);
    }
    if word == "prot" {
        return row.protective;
    }
    let holds = |text: &str| text.to_lowercase().contains(word);
    let named = |name: &str| if fuzzily { fuzzy::fits(word, name) } else { holds(name) };
    named(row.id.bot.as_str()) || holds(&row.symbol) || holds(&row.venue) || holds(&row.kind)
}
