//! Orders and trades in freqtrade's tables: `tradesv3.dryrun.sqlite`, with a write-ahead log.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::order::{Order, Side, Status};

const FILE: &str = "tradesv3.dryrun.sqlite";

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS trades (
        id INTEGER PRIMARY KEY, exchange VARCHAR(25), pair VARCHAR(25), is_open BOOLEAN, amount FLOAT, open_rate FLOAT,
        strategy VARCHAR(100), is_short BOOLEAN, trading_mode VARCHAR(7)
    );
    CREATE TABLE IF NOT EXISTS orders (
        id INTEGER PRIMARY KEY, ft_trade_id INTEGER REFERENCES trades (id), ft_order_side VARCHAR(25),
        ft_pair VARCHAR(25), ft_is_open BOOLEAN, ft_amount FLOAT, ft_price FLOAT, ft_cancel_reason VARCHAR(255),
        order_id VARCHAR(255), status VARCHAR(255), symbol VARCHAR(25), order_type VARCHAR(50), side VARCHAR(25),
        price FLOAT, average FLOAT, amount FLOAT, filled FLOAT, remaining FLOAT, cost FLOAT, stop_price FLOAT,
        order_date DATETIME, order_filled_date DATETIME, order_update_date DATETIME
    );";

/// Opens the file and begins with empty tables; counts the orders that an earlier run left open.
pub(super) fn open() -> rusqlite::Result<(Connection, usize)> {
    let mut file = Connection::open(FILE)?;
    file.pragma_update(None, "journal_mode", "wal")?;
    file.execute_batch(TABLES)?;
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let left: i64 = change.query_row("SELECT count(*) FROM orders WHERE ft_is_open = 1", [], |row| row.get(0))?;
    change.execute_batch("DELETE FROM orders; DELETE FROM trades;")?;
    change.commit()?;
    Ok((file, usize::try_from(left).unwrap_or_default()))
}

/// Writes every order down, each with its trade.
pub(super) fn write(file: &mut Connection, orders: &[Order]) -> rusqlite::Result<()> {
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for order in orders {
        match (order.side, order.status) {
            // freqtrade forgets an entry that was canceled before any of it was filled, and its trade with it.
            (Side::Buy, Status::Canceled) if order.filled <= 0.0 => forget(&change, order)?,
            (Side::Buy | Side::Sell, Status::Open | Status::Filled | Status::Canceled) => put(&change, order)?,
        }
    }
    change.commit()
}

fn forget(change: &Transaction<'_>, order: &Order) -> rusqlite::Result<()> {
    change.execute("DELETE FROM orders WHERE id = ?1", [order.number])?;
    change.execute("DELETE FROM trades WHERE id = ?1", [order.number])?;
    Ok(())
}

fn put(change: &Transaction<'_>, order: &Order) -> rusqlite::Result<()> {
    let status = match order.status {
        Status::Open => "open",
        Status::Filled => "closed",
        Status::Canceled => "canceled",
    };
    let reason = (order.status == Status::Canceled).then_some("shutdown");
    let filled_at = (order.status == Status::Filled).then(|| naive_utc(order.updated));
    // An exit belongs to a position that was filled before; an entry to one that may still come.
    let (amount, open_rate) = match order.side {
        Side::Buy => (order.filled, order.price),
        Side::Sell => (order.quantity, order.price * 0.97),
    };
    change.execute(
        "INSERT OR REPLACE INTO trades (id, exchange, pair, is_open, amount, open_rate, strategy, is_short, trading_mode)
         VALUES (?1, 'kraken', ?2, 1, ?3, ?4, 'PaperTrend', 0, 'spot')",
        params![order.number, order.symbol, amount, open_rate],
    )?;
    change.execute(
        "INSERT OR REPLACE INTO orders (
            id, ft_trade_id, ft_order_side, ft_pair, ft_is_open, ft_amount, ft_price, ft_cancel_reason, order_id, status,
            symbol, order_type, side, price, average, amount, filled, remaining, cost, stop_price, order_date,
            order_filled_date, order_update_date
         ) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?3, 'limit', ?2, ?6, NULL, ?5, ?10, ?11, ?12, NULL, ?13, ?14, ?15)",
        params![
            order.number,
            order.side.word(),
            order.symbol,
            order.is_open(),
            order.quantity,
            order.price,
            reason,
            order.id,
            status,
            order.filled,
            order.quantity - order.filled,
            order.quantity * order.price,
            naive_utc(order.placed),
            filled_at,
            naive_utc(order.updated),
        ],
    )?;
    Ok(())
}

/// A time as freqtrade writes it: UTC, without saying so.
fn naive_utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S.%6f").to_string()
}
