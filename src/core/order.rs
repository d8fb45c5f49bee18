//! Orders, in the one shape in which everybody tells of them, whatever file or program they were read from.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bot::BotName;

/// One order, as a source has it. What the source does not say is absent; nothing is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whose it is.
    pub bot: BotName,
    /// The venue's id of it.
    #[serde(default)]
    pub order_id: Option<String>,
    /// The bot's own id of it.
    #[serde(default)]
    pub client_order_id: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub venue: Option<String>,
    /// What is traded.
    #[serde(default)]
    pub symbol: Option<String>,
    /// Which way.
    #[serde(default)]
    pub side: Option<Side>,
    /// `limit`, `market`, `stop`: the source's own word.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// How much, as a decimal without an exponent.
    #[serde(default)]
    pub quantity: Option<String>,
    /// How much of it is filled, likewise.
    #[serde(default)]
    pub filled: Option<String>,
    /// At what price, likewise.
    #[serde(default)]
    pub price: Option<String>,
    /// How it stands. One without a status counts as open.
    #[serde(default)]
    pub state: OrderState,
    /// Whether it guards a position: a stop or a take-profit.
    #[serde(default)]
    pub protective: bool,
    /// When it was placed.
    #[serde(default)]
    pub placed_at: Option<Timestamp>,
    /// The kind of source that it was read from: the word of the configuration.
    #[serde(default)]
    pub source: String,
}

impl Order {
    /// An order of which nothing is known but whose it is and where it was read.
    pub fn new(bot: BotName, source: &str) -> Self {
        Self {
            bot,
            order_id: None,
            client_order_id: None,
            venue: None,
            symbol: None,
            side: None,
            kind: None,
            quantity: None,
            filled: None,
            price: None,
            state: OrderState::Open,
            protective: false,
            placed_at: None,
            source: source.to_owned(),
        }
    }

    /// What it is known by among the orders of its bot: the venue's id, else the bot's own, else what it is.
    pub fn key(&self) -> String {
        let of_what = || {
            let parts = [&self.symbol, &self.kind, &self.quantity, &self.price];
            let parts: Vec<&str> = parts.into_iter().map(|part| part.as_deref().unwrap_or("?")).collect();
            let placed = self.placed_at.map(|at| at.to_string()).unwrap_or_default();
            format!("{} {} {placed}", self.side.map_or("?", Side::word), parts.join(" "))
        };
        self.order_id.clone().or_else(|| self.client_order_id.clone()).unwrap_or_else(of_what)
    }

    /// Whether somebody who names an order by this id means this one.
    pub fn is_called(&self, id: &str) -> bool {
        self.order_id.as_deref() == Some(id)
            || self.client_order_id.as_deref() == Some(id)
            || (self.order_id.is_none() && self.client_order_id.is_none() && self.key() == id)
    }

    /// What people call it: `BTC/USD BUY 0.0500 @ 61000.0 (OAB-766)`.
    pub fn name(&self) -> String {
        let symbol = self.symbol.as_deref().unwrap_or("?");
        let side = self.side.map_or("?", |side| side.shout());
        let quantity = self.quantity.as_deref().map(|quantity| format!(" {quantity}")).unwrap_or_default();
        let price = self.price.as_deref().map(|price| format!(" @ {price}")).unwrap_or_default();
        let id = self.order_id.as_deref().or(self.client_order_id.as_deref());
        let id = id.map(|id| format!(" ({id})")).unwrap_or_default();
        format!("{symbol} {side}{quantity}{price}{id}")
    }
}

/// Which way an order goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// It buys.
    Buy,
    /// It sells.
    Sell,
}

impl Side {
    /// The side that a source's word stands for, in any case; none if it is another word.
    pub fn of(word: &str) -> Option<Self> {
        let is = |side: &str| word.trim().eq_ignore_ascii_case(side);
        if is("buy") || is("bid") {
            Some(Self::Buy)
        } else if is("sell") || is("ask") {
            Some(Self::Sell)
        } else {
            None
        }
    }

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    /// The word of the screen.
    pub const fn shout(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

/// How an active order stands: one of four words, or the bot's own, as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderState {
    /// Placed, and not yet acknowledged.
    New,
    /// It stands.
    #[default]
    Open,
    /// A part of it is filled.
    PartiallyFilled,
    /// It is being canceled.
    PendingCancel,
    /// A word that only the bot knows.
    Other(String),
}

impl OrderState {
    /// The word of the contract, or the bot's own.
    pub fn word(&self) -> &str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::PartiallyFilled => "partially_filled",
            Self::PendingCancel => "pending_cancel",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for OrderState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for OrderState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(match Standing::of(Some(&word)) {
            Standing::Active(state) => state,
            Standing::Ended(_) => Self::Other(word),
        })
    }
}

/// What a source's word for the status of an order means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can still trade.
    Active(OrderState),
    /// It cannot any more.
    Ended(Fate),
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It traded, all of it.
    Filled,
    /// It did not, or not all of it, and is gone: canceled, expired, rejected.
    Canceled,
}

impl Standing {
    /// The meaning of a word in any case; without one an order counts as open, and a word that nobody knows is an active
    /// order's.
    pub fn of(word: Option<&str>) -> Self {
        let Some(own) = word.map(str::trim).filter(|word| !word.is_empty()) else {
            return Self::Active(OrderState::Open);
        };
        // Nearly all of them are, and a screen reads them every second.
        if own == "open" {
            return Self::Active(OrderState::Open);
        }
        // The words of most sources, most of the time.
        match own {
            "open" => return Self::Active(OrderState::Open),
            "new" => return Self::Active(OrderState::New),
            "partially_filled" => return Self::Active(OrderState::PartiallyFilled),
            _ => {}
        }
        match own.to_ascii_lowercase().replace(['-', ' '], "_").as_str() {
            "new" => Self::Active(OrderState::New),
            "open" => Self::Active(OrderState::Open),
            "partially_filled" | "partial_fill" | "partial" => Self::Active(OrderState::PartiallyFilled),
            "pending_cancel" => Self::Active(OrderState::PendingCancel),
            "filled" | "closed" => Self::Ended(Fate::Filled),
            "canceled" | "cancelled" | "expired" | "rejected" | "failed" => Self::Ended(Fate::Canceled),
            _ => Self::Active(OrderState::Other(own.to_owned())),
        }
    }
}

/// What one look at a source has shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The active orders.
    pub orders: Vec<Order>,
    /// Orders that the source still has and that have ended, as far as they were asked for.
    pub ended: Vec<EndedOrder>,
    /// When it was read.
    pub at: Timestamp,
    /// What the file was like that it was read from: the same text again means the same orders. Absent where there is no
    /// file.
    pub stamp: Option<String>,
}

/// An order that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedOrder {
    /// The venue's id of it.
    pub order_id: Option<String>,
    /// The bot's own id of it.
    pub client_order_id: Option<String>,
    /// How.
    pub fate: Fate,
}

/// What came of asking a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is as it was when the stamp was made that the question carried.
    Unchanged,
    /// This was read.
    Read(Reading),
    /// It could not be read: a sentence that names the file, or the column, and the cause.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_for_a_status_means_one_thing() {
        use OrderState::{New, Open, Other, PartiallyFilled, PendingCancel};
        for (word, standing) in [
            (None, Standing::Active(Open)),
            (Some(""), Standing::Active(Open)),
            (Some("OPEN"), Standing::Active(Open)),
            (Some("new"), Standing::Active(New)),
            (Some("partial_fill"), Standing::Active(PartiallyFilled)),
            (Some("Partially Filled"), Standing::Active(PartiallyFilled)),
            (Some("PENDING_CANCEL"), Standing::Active(PendingCancel)),
            (Some("Triggered!"), Standing::Active(Other("Triggered!".into()))),
            (Some("Filled"), Standing::Ended(Fate::Filled)),
            (Some("closed"), Standing::Ended(Fate::Filled)),
            (Some("CANCELLED"), Standing::Ended(Fate::Canceled)),
            (Some("canceled"), Standing::Ended(Fate::Canceled)),
            (Some("expired"), Standing::Ended(Fate::Canceled)),
            (Some("rejected"), Standing::Ended(Fate::Canceled)),
            (Some("failed"), Standing::Ended(Fate::Canceled)),
        ] {
            assert_eq!(Standing::of(word), standing, "{word:?}");
        }
    }

    #[test]
    fn an_order_is_called_by_every_id_that_it_has() {
        let bot: BotName = "maker".parse().expect("a name");
        let mut order = Order::new(bot, "sql");
        let nameless = order.key();
        assert!(order.is_called(&nameless));
        order.client_order_id = Some("c-1".into());
        assert_eq!(order.key(), "c-1");
        order.order_id = Some("V-1".into());
        assert_eq!(order.key(), "V-1");
        assert!(order.is_called("V-1") && order.is_called("c-1") && !order.is_called(&nameless));
    }
}
