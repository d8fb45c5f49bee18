//! The cancel command of simulated bots: what a script of one's own would be that talks to the venue. Here the bot's own
//! file is the venue, so it is changed behind the bot's back.

use std::io::{self, Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::state_json;
use super::venue::{Outcome, Verdict};

/// Nobody asks for more than this.
const LARGEST: u64 = 16 << 20;
/// The bot may hold its file for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads which orders are meant from standard input, cancels them in the file in the current folder, and prints a line of
/// JSON for each.
pub(super) fn run() -> Result<(), String> {
    let mut text = String::new();
    io::stdin().take(LARGEST).read_to_string(&mut text).map_err(|error| format!("cannot read its orders: {error}"))?;
    let asked: Value = serde_json::from_str(&text).map_err(|error| format!("what it reads is no JSON: {error}"))?;
    let Some(orders) = asked.get("orders").and_then(Value::as_array) else {
        return Err("what it reads has no orders in it".to_owned());
    };
    let wanted: Vec<Vec<String>> = orders.iter().map(ids).collect();
    let mut file = state_json::open_as_venue().map_err(|error| format!("cannot open its orders: {error}"))?;
    let canceled = file.busy_timeout(PATIENCE).and_then(|()| state_json::cancel(&mut file, &wanted));
    let outcomes = canceled.map_err(|error| format!("cannot change its orders: {error}"))?;
    let mut stdout = io::stdout().lock();
    for ((order, ids), outcome) in orders.iter().zip(&wanted).zip(outcomes) {
        let nameless = Outcome::new(Verdict::Unknown, "it has no id");
        let outcome = if ids.is_empty() { nameless } else { outcome };
        let id = order.get("order_id").filter(|id| id.is_string()).or_else(|| order.get("client_order_id"));
        let line = json!({ "order_id": id, "result": outcome.verdict.word(), "message": outcome.message });
        writeln!(stdout, "{line}").map_err(|error| format!("cannot say what became of them: {error}"))?;
    }
    Ok(())
}

fn ids(order: &Value) -> Vec<String> {
    ["order_id", "client_order_id"].iter().filter_map(|key| Some(order.get(key)?.as_str()?.to_owned())).collect()
}
