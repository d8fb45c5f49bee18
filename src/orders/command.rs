//! Orders that a program prints: one JSON object, `{"orders":[ORDER...]}`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::config::visible;
use crate::core::order::{Side, Standing};
use crate::core::words::without;

use super::gather::Gathered;
use super::json::{Scalar, mistake};
use super::{Surroundings, program};

/// Runs it, and reads what it has printed. What goes wrong is a whole sentence.
pub(super) fn read(
    command: &[String],
    surroundings: &Surroundings,
    within: Duration,
    gathered: &mut Gathered<'_>,
) -> Result<(), String> {
    let output = program::run(command, surroundings, &[], within)
        .map_err(|trouble| without(&trouble.why, &surroundings.secrets()))?;
    let name = command.first().map_or("", String::as_str);
    read_output(&output.stdout, gathered)
        .map_err(|why| without(&format!("{name}: what it printed {why}"), &surroundings.secrets()))
}

fn read_output(stdout: &[u8], gathered: &mut Gathered<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(stdout).map_err(|_| "is not UTF-8".to_owned())?;
    let printed: Printed<'_> = serde_json::from_str(text).map_err(|error| mistake(&error))?;
    let is_said = |error: &Value| error.as_array().is_none_or(|errors| !errors.is_empty());
    if let Some(error) = printed.error.filter(is_said) {
        let error = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        return Err(format!("says that it failed: {}", visible(&error.chars().take(200).collect::<String>())));
    }
    for entry in printed.orders {
        let mut order = gathered.blank();
        order.order_id = entry.order_id.word();
        order.client_order_id = entry.client_order_id.word();
        order.venue = entry.venue.word();
        order.symbol = entry.symbol.word();
        order.side = entry.side.text().and_then(Side::of);
        order.kind = entry.kind.word();
        order.quantity = entry.quantity.amount();
        order.filled = entry.filled.amount();
        order.price = entry.price.amount();
        order.protective = entry.protective.truth();
        order.placed_at = entry.placed_at.time();
        gathered.add(order, Standing::of(entry.state.text()))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Printed<'a> {
    #[serde(borrow)]
    orders: Vec<Entry<'a>>,
    /// Whoever speaks of an error may not have told all of its orders. What else it says is its own business.
    #[serde(default, alias = "errors")]
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    order_id: Scalar<'a>,
    #[serde(borrow)]
    client_order_id: Scalar<'a>,
    #[serde(borrow)]
    venue: Scalar<'a>,
    #[serde(borrow)]
    symbol: Scalar<'a>,
    #[serde(borrow)]
    side: Scalar<'a>,
    #[serde(borrow, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow)]
    quantity: Scalar<'a>,
    #[serde(borrow)]
    filled: Scalar<'a>,
    #[serde(borrow)]
    price: Scalar<'a>,
    #[serde(borrow)]
    state: Scalar<'a>,
    #[serde(borrow)]
    protective: Scalar<'a>,
    #[serde(borrow)]
    placed_at: Scalar<'a>,
}
