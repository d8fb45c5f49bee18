//! Orders: what a full look at twenty bots' orders costs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use botwarden::core::bot::OrderSource;
use botwarden::core::order::Answer;
use botwarden::orders::{Question, Surroundings};
use botwarden::readers::Readers;
use rusqlite::{Connection, params};
use serde_json::{Map, json};
use tempfile::TempDir;

use super::Figures;
use crate::clock;
use crate::hands::Hands;
use crate::proc;
use crate::rows::{Cell, Row};
use crate::subjects::botwarden::BINARY;

/// Half of them freqtrade, half with a state of JSON.
const BOTS: usize = 20;
/// Active ones, of each; each freqtrade has as many that have ended.
const ORDERS: u32 = 500;
const LONG: Duration = Duration::from_mins(1);

/// CPU time of whoever asks and of the reader together, and the time until the last answer. Every file is read every time,
/// as if it had changed.
pub fn measure(hands: &Hands, quick: bool) -> Result<Figures, String> {
    let folder = TempDir::new_in(hands.folder()).map_err(|error| error.to_string())?;
    let questions = (0..BOTS).map(|bot| question(&folder, bot)).collect::<Result<Vec<_>, String>>()?;
    let readers = Readers::through(PathBuf::from(BINARY));
    look(&readers, &questions)?;
    let rounds = if quick { 10 } else { 100 };
    let reader = readers.processes();
    let mut waits = Vec::new();
    // The kernel counts a process's time in hundredths of a second: many rounds make a figure of it.
    let used = || reader.iter().filter_map(|pid| proc::cpu_millis(*pid)).sum::<f64>();
    let (theirs, ours) = (used(), clock::cpu());
    for _ in 0..rounds {
        let start = Instant::now();
        look(&readers, &questions)?;
        waits.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    let ours = clock::millis(ours, clock::cpu());
    let theirs = used() - theirs;
    if readers.processes() != reader {
        return Err("a reader died".into());
    }
    let cpu = (ours + theirs) / f64::from(rounds);
    Ok(vec![(Row::OrdersCpu, Cell::figure(cpu)), (Row::OrdersWait, Cell::figures(waits))])
}

fn look(readers: &Readers, questions: &[Question]) -> Result<(), String> {
    let pending: Vec<_> = questions.iter().map(|question| readers.ask(question.clone())).collect();
    let until = botwarden::clock::now().plus(LONG);
    pending.into_iter().try_for_each(|pending| take(pending.wait(until)))
}

fn take(answer: Answer) -> Result<(), String> {
    match answer {
        Answer::Read(reading) if reading.orders.len() == ORDERS as usize => Ok(()),
        Answer::Read(reading) => Err(format!("{} orders", reading.orders.len())),
        Answer::Unchanged => Err("not read".into()),
        Answer::Failed(why) => Err(why),
    }
}

fn question(folder: &TempDir, bot: usize) -> Result<Question, String> {
    let path = folder.path().join(format!("{bot}.sqlite"));
    let file = Connection::open(&path).map_err(|error| error.to_string())?;
    let source = if bot.is_multiple_of(2) {
        trades(file).map_err(|error| error.to_string())?;
        OrderSource::Freqtrade { path, api: None }
    } else {
        state(file).map_err(|error| error.to_string())?;
        OrderSource::StateJson { path }
    };
    Ok(Question {
        bot: format!("bot-{bot}").parse().map_err(|_| "a bad name")?,
        source,
        surroundings: Surroundings {
            cwd: folder.path().to_owned(),
            env: std::collections::BTreeMap::default(),
            env_file: None,
            user: None,
        },
        known: None,
        of_interest: Vec::new(),
        within: LONG,
    })
}

fn trades(mut file: Connection) -> rusqlite::Result<()> {
    file.execute_batch(
        "PRAGMA journal_mode = wal;
         CREATE TABLE trades (id INTEGER PRIMARY KEY, exchange VARCHAR(25), pair VARCHAR(25), is_open BOOLEAN);
         CREATE TABLE orders (
            id INTEGER PRIMARY KEY, ft_trade_id INTEGER, ft_order_side VARCHAR(25), ft_pair VARCHAR(25), ft_is_open BOOLEAN,
            ft_amount FLOAT, ft_price FLOAT, ft_cancel_reason VARCHAR(255), order_id VARCHAR(255), status VARCHAR(255),
            symbol VARCHAR(25), order_type VARCHAR(50), side VARCHAR(25), price FLOAT, average FLOAT, amount FLOAT,
            filled FLOAT, remaining FLOAT, cost FLOAT, stop_price FLOAT, order_date DATETIME, order_filled_date DATETIME,
            order_update_date DATETIME
         );
         CREATE INDEX ix_orders_ft_is_open ON orders (ft_is_open);",
    )?;
    let change = file.transaction()?;
    for id in 0..2 * ORDERS {
        change.execute("INSERT INTO trades VALUES (?1, 'kraken', 'BTC/USD', 1)", [id])?;
        change.execute(
            "INSERT INTO orders (id, ft_trade_id, ft_order_side, ft_pair, ft_is_open, ft_amount, ft_price, order_id, status,
                order_type, side, price, amount, filled, order_date)
             VALUES (?1, ?1, 'buy', 'BTC/USD', ?2, 0.05, 61000.5, ?3, 'open', 'limit', 'buy', 61000.5, 0.05, 0.0,
                '2026-11-21 23:31:02.730000')",
            params![id, id.is_multiple_of(2), format!("OABCDE-{id:05}-FGHIJK")],
        )?;
    }
    change.commit()
}

fn state(file: Connection) -> rusqlite::Result<()> {
    let entry = |id: u32| {
        let client = format!("247-{id:08x}-4c1d-9f0e");
        let entry = json!({
            "order_id": format!("f1e2d3c4-{id:05}-4b5a-8877"),
            "client_order_id": client,
            "product_id": "BTC-USD",
            "side": "buy",
            "status": "open",
            "quote_size_usd": 3050.0,
            "filled_size": "0",
            "first_seen": "2026-11-21T23:31:02.730000+00:00",
            "updated_at": "2026-11-21T23:31:02.730000+00:00",
            "result_snapshot": { "success": true, "order_configuration": { "limit_limit_gtc": {
                "base_size": "0.05", "limit_price": "61000.50", "post_only": true
            }}},
        });
        (client, entry)
    };
    let orders: Map<_, _> = (0..ORDERS).map(entry).collect();
    file.execute_batch(
        "CREATE TABLE state_store (id INTEGER PRIMARY KEY CHECK (id = 1), payload TEXT, updated_at TEXT)",
    )?;
    let payload = json!({ "open_orders": orders }).to_string();
    file.execute("INSERT INTO state_store VALUES (1, ?1, '2026-11-21T23:31:02')", [payload])?;
    Ok(())
}
