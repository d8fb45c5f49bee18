//! Each kind of source as it is in the field.

use botwarden::core::order::{EndedOrder, Reading};

use crate::desk::*;

/// Which of those that were asked for have ended, and how.
fn fates(reading: &Reading) -> Vec<String> {
    let id = |order: &EndedOrder| order.order_id.clone().or(order.client_order_id.clone()).unwrap_or_default();
    let mut fates: Vec<_> = reading.ended.iter().map(|order| format!("{} {:?}", id(order), order.fate)).collect();
    fates.sort_unstable();
    fates
}

#[test]
fn freqtrade_orders_are_read_with_their_trades() {
    let desk = Desk::new();
    let orders = [
        "1, 1, 'buy', 'BTC/USD', 1, 'OAB-1', 'open', 'limit', 'buy', 61000.0, 0.05, 0.0",
        "2, 2, 'sell', 'ETH/USD', 1, 'OAB-2', 'open', 'limit', 'sell', 3100.5, 2.0, 0.5",
        "3, 2, 'stoploss', 'ETH/USD', 1, 'OAB-3', 'open', 'limit', 'sell', 2800.0, 0.00000001, NULL",
        "4, 9, 'buy', 'SOL/USD', 1, NULL, NULL, 'market', 'buy', NULL, 1.0, NULL",
        "5, 1, 'buy', 'BTC/USD', 1, 'OAB-5', 'Triggered', 'limit', 'buy', 1.0, 1.0, 0.0",
        "6, 1, 'buy', 'BTC/USD', 0, 'OAB-6', 'closed', 'limit', 'buy', 1.0, 1.0, 1.0",
        "7, 1, 'sell', 'BTC/USD', 0, 'OAB-7', 'canceled', 'limit', 'sell', 1.0, 1.0, 0.0",
        "8, 1, 'sell', 'BTC/USD', 0, 'OAB-8', 'expired', 'limit', 'sell', 1.0, 1.0, 0.0",
    ];
    let statements: Vec<String> = orders.into_iter().map(freqtrade_order).collect();
    let path = desk.database("tradesv3.sqlite", &format!("{FREQTRADE}{}", statements.concat()));
    let reading = desk.read_with(freqtrade(&path), &["OAB-6", "OAB-7", "OAB-404", "OAB-1"]);
    assert_eq!(
        told(&reading.orders),
        [
            "OAB-1 - kraken BTC/USD buy limit 0.05 0 61000 open trades 2026-11-21T23:31:02.73Z",
            "OAB-2 - kraken ETH/USD sell limit 2 0.5 3100.5 partially_filled trades 2026-11-21T23:31:02.73Z",
            "OAB-3 - kraken ETH/USD sell limit 0.00000001 - 2800 open guards 2026-11-21T23:31:02.73Z",
            "- - - SOL/USD buy market 1 - - open trades 2026-11-21T23:31:02.73Z",
            "OAB-5 - kraken BTC/USD buy limit 1 0 1 Triggered trades 2026-11-21T23:31:02.73Z",
        ]
    );
    assert!(reading.orders.iter().all(|order| order.source == "freqtrade" && order.bot.as_str() == "maker"));
    assert_eq!(fates(&reading), ["OAB-6 Filled", "OAB-7 Canceled"]);
}

#[test]
fn rows_that_are_only_in_the_write_ahead_log_of_a_living_bot_are_read() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", &format!("PRAGMA journal_mode = wal; {FREQTRADE}"));
    let script = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA wal_autocheckpoint = 0')
file.execute(\"INSERT INTO orders (id, ft_trade_id, ft_is_open, order_id, status) VALUES (1, 1, 1, 'W-1', 'open')\")
file.execute('BEGIN IMMEDIATE')
file.execute(\"INSERT INTO orders (id, ft_trade_id, ft_is_open, order_id, status) VALUES (2, 1, 1, 'W-2', 'open')\")
print('ready')
sys.stdin.read()
";
    let bot = Other::python(script, &path);
    let ids = |reading: &Reading| reading.orders.iter().filter_map(|order| order.order_id.clone()).collect::<Vec<_>>();
    // What is not committed is no order yet, and a writer that is at work delays nobody.
    assert_eq!(ids(&desk.read(freqtrade(&path))), ["W-1"]);
    drop(bot);
    // Killed: its log is still there, is read, and stays.
    assert_eq!(ids(&desk.read(freqtrade(&path))), ["W-1"]);
    assert!(std::fs::metadata(desk.path("tradesv3.sqlite-wal")).expect("a log").len() > 0);
}

#[test]
fn hummingbot_orders_have_their_side_from_their_history_and_millionths_as_amounts() {
    let desk = Desk::new();
    let order = |id: &str, status: &str, venue_id: &str| {
        format!(
            "INSERT INTO \"Order\" VALUES ('{id}', 'binance', 'ETH-USDT', 'ETH', 'USDT', 1795303862730, 'LIMIT', 1500000,
             3100050000, {status}, 1795303862730, {venue_id});"
        )
    };
    let event = |id: &str, status: &str| {
        format!("INSERT INTO OrderStatus (order_id, timestamp, status) VALUES ('{id}', 1795303862730, '{status}');")
    };
    let statements = [
        HUMMINGBOT.to_owned(),
        order("b-1", "'BuyOrderCreated'", "'X1'"),
        order("s-1", "'SellOrderCreated'", "NULL"),
        order("s-2", "'OrderFilled'", "'X2'"),
        event("s-2", "SellOrderCreated"),
        event("s-2", "OrderFilled"),
        order("b-2", "'OrderFilled'", "'X3'"),
        event("b-2", "BuyOrderCreated"),
        event("b-2", "BuyOrderCompleted"),
        order("b-3", "'OrderCancelled'", "'X4'"),
        order("b-4", "'BuyOrderCompleted'", "'X5'"),
        order("b-5", "'OrderHexed'", "'X6'"),
    ];
    let path = desk.database("pmm.sqlite", &statements.concat());
    let reading = desk.read_with(hummingbot(&path), &["b-2", "X4", "b-4"]);
    assert_eq!(
        told(&reading.orders),
        [
            "X1 b-1 binance ETH-USDT buy LIMIT 1.5 - 3100.05 open trades 2026-11-21T23:31:02.73Z",
            "- s-1 binance ETH-USDT sell LIMIT 1.5 - 3100.05 open trades 2026-11-21T23:31:02.73Z",
            "X2 s-2 binance ETH-USDT sell LIMIT 1.5 - 3100.05 partially_filled trades 2026-11-21T23:31:02.73Z",
            "X6 b-5 binance ETH-USDT - LIMIT 1.5 - 3100.05 OrderHexed trades 2026-11-21T23:31:02.73Z",
        ]
    );
    assert_eq!(fates(&reading), ["X3 Filled", "X4 Canceled", "X5 Filled"]);
}

const STATE: &str = r#"{"open_orders": {
    "c-1": {"order_id": "V1", "client_order_id": "c-1", "product_id": "BTC-USD", "side": "buy", "status": "open",
            "base_size": 0.10, "quote_size_usd": 610.0, "filled_size": 0, "created_time": "2026-11-21T23:31:02Z"},
    "c-2": {"order_id": null, "symbol": "ETH-USD", "side": "SELL", "status": "PARTIAL_FILL", "filled_size": "0.5",
            "first_seen": "2026-11-21T23:31:02+00:00",
            "result_snapshot": {"order_configuration": {"limit_limit_gtc":
                {"base_size": "123456789012345678901234567890.10", "limit_price": 1e-8}}}},
    "c-3": {"order_id": "V3", "status": "Cancelled"},
    "c-4": {"order_id": "V4", "status": "FILLED"},
    "c-5": {"order_id": "V5", "status": "Napping", "type": "take_profit", "result_snapshot": "lost"}
  }, "last_reconcile": {"deep": [1, 2, {"x": null}]}}"#;

const STATE_ORDERS: [&str; 3] = [
    "V1 c-1 - BTC-USD buy - 0.10 0 - open trades 2026-11-21T23:31:02Z",
    "- c-2 - ETH-USD sell limit 123456789012345678901234567890.10 0.5 0.00000001 partially_filled trades \
     2026-11-21T23:31:02Z",
    "V5 - - - - take_profit - - - Napping guards -",
];

#[test]
fn a_state_is_read_from_its_row_and_from_a_file_whatever_either_is_called() {
    let desk = Desk::new();
    for path in [
        desk.database("state.db", &state_store(STATE)),
        desk.database("state.json", &state_store(STATE)),
        desk.file(".state.json", STATE),
        desk.file("state.sqlite", format!("\u{feff}{STATE}")),
    ] {
        let reading = desk.read_with(state_json(&path), &["V3", "c-4", "V4"]);
        assert_eq!(told(&reading.orders), STATE_ORDERS, "{}", path.display());
        assert_eq!(fates(&reading), ["V3 Canceled", "V4 Filled"]);
    }
    let empty = desk.file("empty.json", r#"{"open_orders": {}}"#);
    assert!(desk.read(state_json(&empty)).orders.is_empty());
}

#[test]
fn a_query_names_its_columns_as_ours_and_may_leave_out_any() {
    let desk = Desk::new();
    let path = desk.database(
        "own.db",
        "CREATE TABLE o (id, price, at, stop, state);
         INSERT INTO o VALUES (17, '1.50', 1795303862, 'yes', 'open'), ('x', 1e-7, '2026-11-21 23:31:02', 0, NULL),
                              ('y', 'a lot', 'yesterday', NULL, 'filled'), (NULL, NULL, NULL, NULL, 'pending_cancel');",
    );
    let query = "WITH all_of_them AS (SELECT rowid AS n, * FROM o) SELECT id AS order_id, price, at AS placed_at,
                 stop AS Protective, state FROM all_of_them ORDER BY n; -- that is all";
    let reading = desk.read_with(sql(&path, query), &["y"]);
    assert_eq!(
        told(&reading.orders),
        [
            "17 - - - - - - - 1.50 open guards 2026-11-21T23:31:02Z",
            "x - - - - - - - 0.0000001 open trades 2026-11-21T23:31:02Z",
            "- - - - - - - - - pending_cancel trades -",
        ]
    );
    assert_eq!(fates(&reading), ["y Filled"]);
}

#[test]
fn a_program_prints_orders_in_our_shape() {
    let desk = Desk::new();
    desk.file(
        "orders.json",
        r#"{"note": "x", "orders": [
            {"order_id": "1", "client_order_id": "c", "venue": "v", "symbol": "s", "side": "sell", "type": "limit",
             "quantity": "0.10", "filled": 0.00, "price": 12345678901234567890.123456789, "state": "new",
             "protective": true, "placed_at": "2026-11-21T23:31:02Z", "source": "theirs", "bot": "theirs"},
            {"order_id": 2}, {"order_id": "3", "state": "Canceled"}]}"#,
    );
    let reading = desk.read_with(shell("cat orders.json; echo note >&2"), &["3"]);
    assert_eq!(
        told(&reading.orders),
        [
            "1 c v s sell limit 0.10 0.00 12345678901234567890.123456789 new guards 2026-11-21T23:31:02Z",
            "2 - - - - - - - - open trades -",
        ]
    );
    assert!(reading.orders.iter().all(|order| order.source == "command" && order.bot.as_str() == "maker"));
    assert_eq!((fates(&reading), reading.stamp.clone()), (vec!["3 Canceled".to_owned()], None));
}

#[test]
fn a_program_that_speaks_of_an_error_has_not_told_its_orders() {
    let desk = Desk::new();
    desk.file("orders.json", r#"{"orders": [], "error": "429 rate limited"}"#);
    let why = desk.refused(shell("cat orders.json"));
    assert!(why.contains("says that it failed: 429 rate limited"), "{why}");
}

#[test]
fn escape_sequences_in_values_stay_data() {
    let desk = Desk::new();
    let path = desk.database(
        "own.db",
        "CREATE TABLE o (id, state); INSERT INTO o VALUES (char(27) || '[2J' || char(10) || 'x', char(27) || 'c');",
    );
    let reading = desk.read(sql(&path, "SELECT id AS order_id, state FROM o"));
    assert_eq!(reading.orders[0].order_id.as_deref(), Some("\u{1b}[2J\nx"));
    assert_eq!(reading.orders[0].state.word(), "\u{1b}c");
}
