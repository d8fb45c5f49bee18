//! Orders in one row of JSON, as 247trader-V2 keeps them: `data/state.db`, with a rollback journal.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde_json::{Map, Value, json};

use super::order::{Order, Status};

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

/// Writes the one row anew.
pub(super) fn write(file: &mut Connection, orders: &[Order]) -> rusqlite::Result<()> {
    let now = Timestamp::now().to_string();
    let open_orders: Map<String, Value> = orders.iter().map(|order| (order.client_id.clone(), entry(order))).collect();
    let payload = json!({ "open_orders": open_orders, "last_reconcile": now }).to_string();
    let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
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
