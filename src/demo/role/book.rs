//! The orders of one bot, and the file that they stand in: here that file is the venue.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use super::errand::Kind;
use super::market::Market;
use super::order::{Order, Refuses, Side, Status};
use super::{state_json, trades};

/// Somebody who reads the file may hold it for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose tables the orders stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// One row of JSON, as 247trader writes it.
    StateJson,
    /// freqtrade's tables.
    Trades,
}

/// A bot's orders.
#[derive(Debug)]
pub(super) struct Book {
    /// Open ones, and the last that ended, so that whoever reads the file sees how.
    pub(super) orders: Vec<Order>,
    file: Connection,
    format: Format,
    owner: &'static str,
    last: i64,
}

impl Book {
    /// Opens the file in the current folder. Also says how many orders an earlier run left open in it; they are taken
    /// back, as a bot does that finds them at its start.
    pub(super) fn open(kind: Kind) -> Result<(Self, usize), String> {
        let format = match kind {
            Kind::Trend => Format::Trades,
            Kind::Maker
            | Kind::Arb
            | Kind::Flaky
            | Kind::SlowStart
            | Kind::SlowStop
            | Kind::Stubborn
            | Kind::Refuser
            | Kind::Liar => Format::StateJson,
        };
        let opened = match format {
            Format::StateJson => state_json::open(),
            Format::Trades => trades::open(),
        };
        let (file, left) = opened.map_err(|error| format!("cannot open its orders: {error}"))?;
        file.busy_timeout(PATIENCE).map_err(|error| error.to_string())?;
        let book = Self { orders: Vec::new(), file, format, owner: kind.word(), last: 0 };
        Ok((book, left))
    }

    /// Open orders.
    pub(super) fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| order.is_open())
    }

    /// Places an order; the file has it after the next [`Book::write`].
    pub(super) fn place(&mut self, market: &Market, side: Side, quantity: f64, price: f64) -> Order {
        self.last += 1;
        let now = Timestamp::now();
        let order = Order {
            number: self.last,
            id: format!("PX-{:08X}", fastrand::u32(..)),
            client_id: format!("{}-{}-{}", self.owner, now.as_second(), self.last),
            symbol: market.symbol,
            side,
            quantity,
            filled: 0.0,
            price,
            status: Status::Open,
            placed: now,
            updated: now,
            refuses: Refuses::Never,
        };
        self.orders.push(order.clone());
        order
    }

    /// Forgets those that ended: by now they have been seen by whoever looked.
    pub(super) fn forget_ended(&mut self) {
        self.orders.retain(Order::is_open);
    }

    /// Ends an order.
    pub(super) fn end(&mut self, id: &str, status: Status) {
        for order in self.orders.iter_mut().filter(|order| order.id == id) {
            order.status = status;
            order.updated = Timestamp::now();
            if status == Status::Filled {
                order.filled = order.quantity;
            }
        }
    }

    /// Has the venue refuse to cancel an order.
    pub(super) fn refuse(&mut self, id: &str, refuses: Refuses) {
        for order in self.orders.iter_mut().filter(|order| order.id == id) {
            order.refuses = refuses;
        }
    }

    /// Fills a part of an order.
    pub(super) fn fill_a_part(&mut self, id: &str, part: f64) {
        for order in self.orders.iter_mut().filter(|order| order.id == id) {
            order.filled = order.quantity * part;
            order.updated = Timestamp::now();
        }
    }

    /// Learns which orders the venue has canceled for somebody else.
    pub(super) fn take_in(&mut self) -> Result<(), String> {
        match self.format {
            Format::StateJson => state_json::take_in(&self.file, &mut self.orders).map_err(|error| error.to_string()),
            // Nobody else cancels there.
            Format::Trades => Ok(()),
        }
    }

    /// Writes every order down.
    pub(super) fn write(&mut self) -> Result<(), String> {
        match self.format {
            Format::StateJson => state_json::write(&mut self.file, &mut self.orders),
            Format::Trades => trades::write(&mut self.file, &self.orders),
        }
        .map_err(|error| error.to_string())
    }
}
