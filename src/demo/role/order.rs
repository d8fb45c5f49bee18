//! A simulated order.

use jiff::Timestamp;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Bids.
    Buy,
    /// Asks.
    Sell,
}

impl Side {
    /// As venues write it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Waits; a part of it may be filled.
    Open,
    /// Done.
    Filled,
    /// Taken back.
    Canceled,
}

/// How often the simulated venue refuses to cancel an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refuses {
    /// It does not.
    Never,
    /// So often, and then it cancels.
    Times(u32),
    /// It never cancels.
    Always,
}

/// One order.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// A number of its own in this bot's book.
    pub(super) number: i64,
    /// The venue's name for it.
    pub(super) id: String,
    /// The bot's name for it.
    pub(super) client_id: String,
    /// What is traded.
    pub(super) symbol: &'static str,
    /// Which way.
    pub(super) side: Side,
    /// How much.
    pub(super) quantity: f64,
    /// How much of it is done.
    pub(super) filled: f64,
    /// The limit.
    pub(super) price: f64,
    /// Where it is.
    pub(super) status: Status,
    /// When it was placed.
    pub(super) placed: Timestamp,
    /// When anything about it changed.
    pub(super) updated: Timestamp,
    /// Whether the venue refuses to cancel it.
    pub(super) refuses: Refuses,
}

impl Order {
    /// Whether it can still be filled.
    pub(super) fn is_open(&self) -> bool {
        self.status == Status::Open
    }

    /// Whether the price has come to it.
    pub(super) fn is_reached(&self, price: f64) -> bool {
        match self.side {
            Side::Buy => price <= self.price,
            Side::Sell => price >= self.price,
        }
    }
}
