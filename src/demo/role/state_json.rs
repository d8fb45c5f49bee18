//! Orders in one row of JSON, as 247trader-V2 keeps them: `data/state.db`, with a rollback journal.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};
use serde_json::{Map, Value, json};

use super::order::{Order, Refuses, Status};
use super::venue::{LOCKED, Outcome, TOO_MANY, Verdict};

const FILE: &str = "data/state.db";

/// Opens the file, and counts the orders that an earlier run left open.
pub(super) fn open() -> rusqlite::Result<(Connection, usize)> {
    if let Some(folder) = Path::new(FILE).parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error: io::Error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    }
    let file = Connection::open(FILE)?;
    file.execute_batch(
        "CREATE TABLE IF NOT EXISTS state_store (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            payload TEXT,
            updated_at TEXT
        )",
    )?;
    let payload: Option<String> =
        file.query_row("SELECT payload FROM state_store WHERE id = 1", [], |row| row.get(0)).optional()?;
    let left = payload
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .and_then(|state| state.get("open_orders").and_then(Value::as_object).map(count_open))
        .unwrap_or_default();
    Ok((file, left))
}

fn count_open(orders: &Map<String, Value>) -> usize {
    orders.values().filter(|order| matches!(order["status"].as_str(), Some("new" | "open" | "partial_fill"))).count()
}

/// Opens the file of a bot that is there, as its venue.
pub(super) fn open_as_venue() -> rusqlite::Result<Connection> {
    Connection::open_with_flags(FILE, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Cancels orders in the file, each of which is known by any of its ids. One answer for each, in their order.
pub(super) fn cancel(file: &mut Connection, wanted: &[Vec<String>]) -> rusqlite::Result<Vec<Outcome>> {
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let payload: Option<String> =
        change.query_row("SELECT payload FROM state_store WHERE id = 1", [], |row| row.get(0)).optional()?;
    let mut state = payload.and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
    let now = Timestamp::now().to_string();
    let mut nothing = Map::new();
    let orders = state.get_mut("open_orders").and_then(Value::as_object_mut).unwrap_or(&mut nothing);
    let outcomes = wanted.iter().map(|ids| cancel_one(orders, ids, &now)).collect();
    change.execute(
        "UPDATE state_store SET payload = ?1, updated_at = ?2 WHERE id = 1",
        params![state.to_string(), now],
    )?;
    change.commit()?;
    Ok(outcomes)
}

fn cancel_one(orders: &mut Map<String, Value>, ids: &[String], now: &str) -> Outcome {
    let is = |order: &Value| {
        let has =
            |key: &str| order.get(key).and_then(Value::as_str).is_some_and(|id| ids.iter().any(|other| other == id));
        has("order_id") || has("client_order_id")
    };
    let Some(order) = orders.values_mut().find(|order| is(order)).and_then(Value::as_object_mut) else {
        return Outcome::new(Verdict::Gone, "the venue does not know it");
    };
    match order.get("status").and_then(Value::as_str) {
        Some("filled") => return Outcome::new(Verdict::Filled, "it was filled before"),
        Some("canceled") => return Outcome::new(Verdict::Gone, "it was canceled before"),
        Some(_) | None => {}
    }
    match order.get("cancels_refused") {
        Some(Value::String(_)) => return Outcome::new(Verdict::Refused, LOCKED),
        Some(Value::Number(times)) if times.as_u64().is_some_and(|times| times > 0) => {
            let left = times.as_u64().unwrap_or(0).saturating_sub(1);
            order.insert("cancels_refused".to_owned(), json!(left));
            return Outcome::new(Verdict::Refused, TOO_MANY);
        }
        Some(_) | None => {}
    }
    order.insert("status".to_owned(), json!("canceled"));
    order.insert("updated_at".to_owned(), json!(now));
    Outcome::new(Verdict::Canceled, "")
}

/// Takes in which orders somebody else has canceled: the file is the venue, and the venue is right.
pub(super) fn take_in(file: &Connection, orders: &mut [Order]) -> rusqlite::Result<()> {
    let payload: Option<String> =
        file.query_row("SELECT payload FROM state_store WHERE id = 1", [], |row| row.get(0)).optional()?;
    let state = payload.and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_default();
    for order in orders.iter_mut().filter(|order| order.is_open()) {
        if state["open_orders"][&order.client_id]["status"] == "canceled" {
            order.status = Status::Canceled;
            order.updated = Timestamp::now();
        }
    }
    Ok(())
}

/// Writes the one row anew, but for what somebody else has canceled.
pub(super) fn write(file: &mut Connection, orders: &mut [Order]) -> rusqlite::Result<()> {
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
    take_in(&change, orders)?;
    let now = Timestamp::now().to_string();
    let open_orders: Map<String, Value> = orders.iter().map(|order| (order.client_id.clone(), entry(order))).collect();
    let payload = json!({ "open_orders": open_orders, "last_reconcile": now }).to_string();
    change.execute(
        "INSERT INTO state_store (id, payload, updated_at) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, updated_at = excluded.updated_at",
        params![payload, now],
    )?;
    change.commit()
}

fn entry(order: &Order) -> Value {
    let status = match order.status {
        Status::Open if order.filled > 0.0 => "partial_fill",
        Status::Open => "open",
        Status::Filled => "filled",
        Status::Canceled => "canceled",
    };
    json!({
        "order_id": order.id,
        "client_order_id": order.client_id,
        "product_id": order.symbol.replace('/', "-"),
        "side": order.side.word(),
        "status": status,
        "base_size": number(order.quantity),
        "quote_size_usd": rounded(order.quantity * order.price, 2),
        "filled_size": number(order.filled),
        "created_time": order.placed.to_string(),
        "first_seen": order.placed.to_string(),
        "updated_at": order.updated.to_string(),
        // No bot has this: it is the venue's part of the file.
        "cancels_refused": match order.refuses {
            Refuses::Never => json!(0),
            Refuses::Times(times) => json!(times),
            Refuses::Always => json!("always"),
        },
        "result_snapshot": { "order_configuration": { "limit_limit_gtc": {
            "base_size": number(order.quantity),
            "limit_price": number(order.price),
        }}},
    })
}

/// A decimal number as venues write it: text, without the dust that binary fractions leave.
fn number(value: f64) -> String {
    let text = format!("{value:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (value * unit).round() / unit
}
