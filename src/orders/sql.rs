//! Orders in any file of SQLite, by a query whose columns have our names.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::core::order::{Order, Side, Standing};

use super::gather::Gathered;
use crate::foreign::sqlite::{Fault, amount, only_reading, time, truth, word};

/// What a column may be called.
const COLUMNS: [&str; 12] = [
    "order_id",
    "client_order_id",
    "venue",
    "symbol",
    "side",
    "type",
    "quantity",
    "filled",
    "price",
    "state",
    "protective",
    "placed_at",
];

pub(super) fn read(file: &mut Connection, query: &str, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    only_reading(file)?;
    let mut statement = file.prepare(query).map_err(told)?;
    if !statement.readonly() || statement.column_count() == 0 {
        return Err(Fault::Told("the query does more than read, or nothing at all: it must be a SELECT".into()));
    }
    let names: Vec<String> = statement.column_names().map(str::to_ascii_lowercase).collect();
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(Fault::Told(format!(
            "the query has a column {unknown}, which an order has not; it may have {}",
            COLUMNS.join(", ")
        )));
    }
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(Fault::Told(format!("the query has the column {} twice", twice.1)));
    }
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (order, status) = order_of(row, &names, gathered.blank())?;
        gathered.add(order, Standing::of(status.as_deref()))?;
    }
    Ok(())
}

/// What is wrong with a query, where its author can do something about it.
fn told(error: rusqlite::Error) -> Fault {
    let denied = rusqlite::ErrorCode::AuthorizationForStatementDenied;
    if error.sqlite_error_code() == Some(denied) {
        return Fault::Told("the query does more than read: it must be a SELECT".into());
    }
    if let rusqlite::Error::SqlInputError { msg, .. } = error {
        return Fault::Told(format!("the query is wrong: {msg}"));
    }
    Fault::Sqlite(error)
}

fn order_of(row: &Row<'_>, names: &[String], mut order: Order) -> Result<(Order, Option<String>), rusqlite::Error> {
    let mut status = None;
    for (at, name) in names.iter().enumerate() {
        let value: ValueRef<'_> = row.get_ref(at)?;
        match name.as_str() {
            "order_id" => order.order_id = word(value),
            "client_order_id" => order.client_order_id = word(value),
            "venue" => order.venue = word(value),
            "symbol" => order.symbol = word(value),
            "side" => order.side = word(value).as_deref().and_then(Side::of),
            "type" => order.kind = word(value),
            "quantity" => order.quantity = amount(value),
            "filled" => order.filled = amount(value),
            "price" => order.price = amount(value),
            "state" => status = word(value),
            "protective" => order.protective = truth(value),
            "placed_at" => order.placed_at = time(value),
            _ => {}
        }
    }
    Ok((order, status))
}
