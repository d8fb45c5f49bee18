//! Orders in hummingbot's tables: `"Order"`, whose history in `"OrderStatus"` tells which way an order goes and whether one
//! that was filled has been filled to its end.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::core::decimal;
use crate::core::order::{Fate, Order, OrderState, Side, Standing};

use super::gather::Gathered;
use crate::foreign::sqlite::{Fault, amount, columns, time, word};

const WHAT: &str = "a hummingbot database";
const ORDERS: &[&str] = &[
    "id",
    "market",
    "symbol",
    "creation_timestamp",
    "order_type",
    "amount",
    "price",
    "last_status",
    "exchange_order_id",
];
const SELECT: &str = "SELECT id, market, symbol, creation_timestamp, order_type, amount, price, last_status,
                             exchange_order_id FROM \"Order\"";
/// Everything but the words for an end: whoever has another one may be active.
const ACTIVE: &str = "lower(coalesce(last_status, '')) NOT IN ('buyordercompleted', 'sellordercompleted',
                      'ordercancelled', 'ordercanceled', 'orderexpired', 'orderfailure')";
const WANTED: &str = "id IN (SELECT value FROM json_each(?1))
                      OR exchange_order_id IN (SELECT value FROM json_each(?1))";

/// What an order's history says.
#[derive(Clone, Copy, Default)]
struct History {
    side: Option<Side>,
    completed: bool,
}

pub(super) fn read(file: &Connection, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    columns(file, "Order", ORDERS, WHAT)?;
    columns(file, "OrderStatus", &["order_id", "status"], WHAT)?;
    read_where(file, gathered, ACTIVE, None)?;
    let wanted: Vec<&str> = gathered.of_interest().collect();
    if !wanted.is_empty() {
        let condition = format!("({WANTED}) AND NOT ({ACTIVE})");
        read_where(file, gathered, &condition, Some(serde_json::json!(wanted).to_string()))?;
    }
    Ok(())
}

fn read_where(
    file: &Connection,
    gathered: &mut Gathered<'_>,
    condition: &str,
    wanted: Option<String>,
) -> Result<(), Fault> {
    let mut histories: HashMap<String, History> = HashMap::new();
    let mut statement = file.prepare(&format!(
        "SELECT order_id, status FROM \"OrderStatus\" WHERE (status LIKE 'buy%' OR status LIKE 'sell%')
         AND order_id IN (SELECT id FROM \"Order\" WHERE {condition})"
    ))?;
    let mut rows = statement.query(rusqlite::params_from_iter(&wanted))?;
    while let Some(row) = rows.next()? {
        let (Some(id), Some(status)) = (word(row.get_ref(0)?), word(row.get_ref(1)?)) else { continue };
        let history = histories.entry(id).or_default();
        history.side = history.side.or(side_of(&status));
        history.completed |= status.to_ascii_lowercase().ends_with("completed");
    }
    let mut statement = file.prepare(&format!("{SELECT} WHERE {condition}"))?;
    let mut rows = statement.query(rusqlite::params_from_iter(&wanted))?;
    while let Some(row) = rows.next()? {
        let (order, standing) = order_of(row, gathered.blank(), &histories)?;
        gathered.add(order, standing)?;
    }
    Ok(())
}

fn order_of(
    row: &Row<'_>,
    mut order: Order,
    histories: &HashMap<String, History>,
) -> Result<(Order, Standing), rusqlite::Error> {
    order.client_order_id = word(row.get_ref(0)?);
    let history = order.client_order_id.as_ref().and_then(|id| histories.get(id)).copied().unwrap_or_default();
    order.venue = word(row.get_ref(1)?);
    order.symbol = word(row.get_ref(2)?);
    order.placed_at = time(row.get_ref(3)?);
    order.kind = word(row.get_ref(4)?);
    order.quantity = fixed(row.get_ref(5)?);
    order.price = fixed(row.get_ref(6)?);
    let status = word(row.get_ref(7)?);
    order.order_id = word(row.get_ref(8)?);
    order.side = status.as_deref().and_then(side_of).or(history.side);
    Ok((order, standing(status.as_deref(), history)))
}

/// The side that the word for an event names: `BuyOrderCreated`.
fn side_of(status: &str) -> Option<Side> {
    let word = status.to_ascii_lowercase();
    [Side::Buy, Side::Sell].into_iter().find(|side| word.starts_with(side.word()))
}

fn standing(status: Option<&str>, history: History) -> Standing {
    let Some(own) = status else { return Standing::of(None) };
    match own.to_ascii_lowercase().as_str() {
        "buyordercreated" | "sellordercreated" => Standing::Active(OrderState::Open),
        "orderfilled" if history.completed => Standing::Ended(Fate::Filled),
        "orderfilled" => Standing::Active(OrderState::PartiallyFilled),
        "buyordercompleted" | "sellordercompleted" => Standing::Ended(Fate::Filled),
        "ordercancelled" | "ordercanceled" | "orderexpired" | "orderfailure" => Standing::Ended(Fate::Canceled),
        _ => Standing::of(Some(own)),
    }
}

/// An integer that counts millionths.
fn fixed(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Integer(number) => Some(decimal::millionths(number)),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => amount(value),
    }
}
