//! `orders`: the orders that are open, as their sources have them now.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::clock;
use crate::core::code::Code;
use crate::core::order::{Order, Side};
use crate::orders::book::{self, SourceSeen};

use super::args::Scope;
use super::cell::{cell, one_line};
use super::desk::Desk;
use super::output::Output;
use super::scope::{known, known_specs};
use super::status::uptime;

/// No source is waited for longer.
const WITHIN: Duration = Duration::from_secs(10);

/// The columns of the table, and whether they hold numbers.
const COLUMNS: [(&str, bool); 12] = [
    ("BOT", false),
    ("VENUE", false),
    ("SYMBOL", false),
    ("SIDE", false),
    ("TYPE", false),
    ("QTY", true),
    ("FILLED", true),
    ("PRICE", true),
    ("AGE", true),
    ("STATE", false),
    ("PROT", false),
    ("ID", false),
];

/// Lists the open orders of the configured and recorded bots, or of these, and what each source had to say.
pub(super) fn run(desk: &Desk, bots: &[String], output: Output) -> Code {
    let scope = Scope { bots: bots.to_vec(), all: bots.is_empty(), ..Scope::default() };
    let names = match known(desk, &scope, output) {
        Ok(names) => names,
        Err(why) => {
            output.complain(&why);
            let errors = [why];
            output.object(
                &json!({ "schema": 1, "ok": false, "exit_code": 2, "orders": [], "sources": [], "errors": errors }),
            );
            return Code::Usage;
        }
    };
    let seen = book::look(&desk.home, &names, &known_specs(desk), WITHIN);
    if output.json {
        output.object(&object(&seen));
    } else {
        text(&seen, output);
    }
    let failed = seen.iter().any(|seen| seen.error.is_some());
    // What could be seen is shown; that the configuration cannot be read is still said to scripts.
    Code::worst([
        if failed { Code::NotAsked } else { Code::Done },
        if desk.config.is_none() { Code::Usage } else { Code::Done },
    ])
}

fn object(seen: &[SourceSeen]) -> serde_json::Value {
    let orders: Vec<&Order> = orders(seen).collect();
    let sources: Vec<_> = seen
        .iter()
        .map(|seen| {
            json!({
                "bot": seen.bot,
                "source": seen.source,
                "read_at": seen.reading.as_ref().map(|reading| reading.at),
                "error": seen.error,
            })
        })
        .collect();
    json!({ "schema": 1, "at": clock::wall(), "orders": orders, "sources": sources })
}

fn orders(seen: &[SourceSeen]) -> impl Iterator<Item = &Order> {
    seen.iter().filter_map(|seen| seen.reading.as_ref()).flat_map(|reading| &reading.orders)
}

fn text(seen: &[SourceSeen], output: Output) {
    if seen.is_empty() {
        output.line("no bots: neither configured nor recorded");
        return;
    }
    let now = clock::wall();
    let rows: Vec<[String; 12]> = orders(seen).map(|order| row(order, now)).collect();
    if rows.is_empty() {
        output.line(match seen.iter().filter(|seen| seen.reading.is_none()).count() {
            0 => "no open orders",
            _ => "no open orders where they could be read",
        });
    } else {
        for line in table(&rows) {
            output.line(&line);
        }
    }
    output.line("");
    let width = |text: fn(&SourceSeen) -> &str| seen.iter().map(|seen| text(seen).len()).max().unwrap_or(0);
    let (bots, sources) = (width(|seen| seen.bot.as_str()), width(|seen| seen.source.unwrap_or("-")));
    for one in seen {
        let line = format!("{:<bots$}  {:<sources$}  {}", one.bot, one.source.unwrap_or("-"), told(one, now));
        output.line(&if one.error.is_some() { output.red(&line) } else { line });
    }
}

/// What there is to say of a source.
fn told(seen: &SourceSeen, now: Timestamp) -> String {
    match (&seen.reading, &seen.error) {
        (_, Some(why)) => format!("orders unknown: {}", one_line(why)),
        (Some(reading), None) => {
            let age = now.duration_since(reading.at).as_secs().max(0).unsigned_abs();
            format!("{} open, read {} ago", reading.orders.len(), uptime(age))
        }
        (None, None) => "orders unknown: no source".to_owned(),
    }
}

fn table(rows: &[[String; 12]]) -> Vec<String> {
    let header = COLUMNS.map(|(name, _)| name.to_owned());
    let all: Vec<&[String; 12]> = std::iter::once(&header).chain(rows).collect();
    let mut widths = [0; COLUMNS.len()];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row.iter()) {
            *width = (*width).max(cell.chars().count());
        }
    }
    all.iter()
        .map(|row| {
            let cells = row.iter().zip(COLUMNS).zip(widths).map(|((cell, (_, number)), width)| {
                if number { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

fn row(order: &Order, now: Timestamp) -> [String; 12] {
    let own = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), cell);
    let age = order.placed_at.map(|at| now.duration_since(at).as_secs()).filter(|age| *age >= 0);
    [
        order.bot.to_string(),
        own(&order.venue),
        own(&order.symbol),
        order.side.map_or("-", Side::word).to_owned(),
        own(&order.kind),
        own(&order.quantity),
        own(&order.filled),
        own(&order.price),
        age.map_or_else(|| "-".to_owned(), |age| uptime(age.unsigned_abs())),
        cell(order.state.word()),
        if order.protective { "PROT" } else { "" }.to_owned(),
        own(order.order_id.as_ref().map_or(&order.client_order_id, |_| &order.order_id)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::order::Reading;

    #[test]
    fn a_table_is_aligned_and_harmless() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let mut plain = Order::new("maker".parse().expect("a name"), "sql");
        plain.symbol = Some("ETH/USD".into());
        plain.side = Some(Side::Buy);
        plain.quantity = Some("0.75".into());
        plain.price = Some("2411.80".into());
        plain.order_id = Some("PX-1".into());
        plain.placed_at = Some("2026-11-22T09:58:00Z".parse().expect("a time"));
        let mut odd = Order::new("m".parse().expect("a name"), "sql");
        odd.symbol = Some("\u{1b}]0;title\u{7}\nX\u{202e}".into());
        odd.kind = Some("x".repeat(500));
        odd.protective = true;
        let lines = table(&[row(&plain, now), row(&odd, now)]);
        assert!(lines[0].starts_with("BOT    VENUE  SYMBOL"), "{}", lines[0]);
        assert!(lines[1].starts_with("maker  -      ETH/USD"), "{}", lines[1]);
        assert!(lines[1].contains("0.75       -  2411.80  2m00s  open         PX-1"), "{}", lines[1]);
        assert!(lines[2].contains("^[]0;title^G X<202e>") && lines[2].contains("xxx...  "), "{}", lines[2]);
        assert!(lines[2].ends_with("open   PROT  -"), "{}", lines[2]);
        assert!(lines.iter().all(|line| !line.contains(char::is_control)));
    }

    #[test]
    fn a_source_says_how_old_it_is_or_what_is_wrong() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let bot: crate::core::bot::BotName = "maker".parse().expect("a name");
        let reading = Reading {
            orders: vec![Order::new(bot.clone(), "sql")],
            ended: vec![],
            at: "2026-11-22T09:59:57Z".parse().expect("a time"),
            stamp: None,
        };
        let seen = |reading: Option<Reading>, error: Option<&str>| {
            told(&SourceSeen { bot: bot.clone(), source: None, reading, error: error.map(str::to_owned) }, now)
        };
        assert_eq!(seen(Some(reading), None), "1 open, read 3s ago");
        assert_eq!(seen(None, Some("x.db: \u{1b}[2J\ngone")), "orders unknown: x.db: ^[[2J gone");
        assert_eq!(seen(None, None), "orders unknown: no source");
    }
}
