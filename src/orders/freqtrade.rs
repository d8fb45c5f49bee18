//! Orders in freqtrade's tables: `orders`, joined to `trades`.

use rusqlite::{Connection, Row};

use crate::core::decimal;
use crate::core::order::{Fate, OrderState, Side, Standing};

use super::gather::Gathered;
use crate::foreign::sqlite::{Fault, amount, columns, text, time, word};

const WHAT: &str = "a freqtrade database";

/// What must be there. Of the rest, whatever an older version does not have is absent.
const ORDERS: &[&str] = &[
    "ft_trade_id",
    "ft_order_side",
    "ft_pair",
    "ft_is_open",
    "order_id",
    "status",
    "order_type",
    "side",
    "price",
    "amount",
    "filled",
    "order_date",
];

pub(super) fn read(file: &Connection, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    let names = columns(file, "orders", ORDERS, WHAT)?;
    columns(file, "trades", &["id", "exchange"], WHAT)?;
    let optional =
        |name: &str| if names.iter().any(|other| other == name) { format!("o.{name}") } else { "NULL".to_owned() };
    let select = format!(
        "SELECT o.order_id, o.status, t.exchange, o.ft_pair, o.side, o.order_type, o.amount, o.filled, o.price,
                o.ft_order_side, o.order_date, {}, {}
         FROM orders o LEFT JOIN trades t ON o.ft_trade_id = t.id",
        optional("ft_amount"),
        optional("ft_price"),
    );
    let mut active = file.prepare(&format!("{select} WHERE o.ft_is_open = 1"))?;
    let mut rows = active.query([])?;
    while let Some(row) = rows.next()? {
        add(row, gathered)?;
    }
    let wanted: Vec<&str> = gathered.of_interest().collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut ended = file.prepare(
        "SELECT order_id, status, filled, amount FROM orders
         WHERE ft_is_open IS NOT 1 AND order_id IN (SELECT value FROM json_each(?1))",
    )?;
    let mut rows = ended.query([serde_json::json!(wanted).to_string()])?;
    while let Some(row) = rows.next()? {
        let status = word(row.get_ref(1)?);
        let fate = match Standing::of(status.as_deref()) {
            Standing::Ended(fate) => fate,
            // It is not open, so it has ended, whatever its status was when that was last asked.
            Standing::Active(_) => {
                let filled = amount(row.get_ref(2)?);
                let whole = filled.as_deref().is_some_and(decimal::is_positive) && filled == amount(row.get_ref(3)?);
                if whole { Fate::Filled } else { Fate::Canceled }
            }
        };
        gathered.add_ended(word(row.get_ref(0)?), None, fate);
    }
    Ok(())
}

fn add(row: &Row<'_>, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    let mut order = gathered.blank();
    order.order_id = word(row.get_ref(0)?);
    let status = text(row.get_ref(1)?);
    order.venue = word(row.get_ref(2)?);
    order.symbol = word(row.get_ref(3)?);
    let role = text(row.get_ref(9)?);
    order.side = [text(row.get_ref(4)?), role].into_iter().find_map(Side::of);
    order.kind = word(row.get_ref(5)?);
    // What the venue has confirmed, else what was asked for.
    let (asked_amount, asked_price) = (row.get_ref(11)?, row.get_ref(12)?);
    order.quantity = amount(row.get_ref(6)?).or_else(|| amount(asked_amount));
    order.filled = amount(row.get_ref(7)?);
    order.price = amount(row.get_ref(8)?).or_else(|| amount(asked_price));
    order.protective = role == "stoploss";
    order.placed_at = time(row.get_ref(10)?);
    let standing = match Standing::of(Some(status)) {
        active @ Standing::Active(_) => active,
        // `ft_is_open` decides; its own word for it is shown.
        Standing::Ended(_) => Standing::Active(OrderState::Other(status.to_owned())),
    };
    gathered.add(order, standing)?;
    Ok(())
}
