//! Bots with orders, and what is said of their stops, for tests.

#![allow(dead_code, reason = "each of the tests uses some of it")]

use std::fmt::Write;
use std::time::Duration;

use botwarden::core::bot::{BotName, BotSpec};
use botwarden::core::order::{Order, OrderState, Side};
use botwarden::core::progress::{Progress, StageSeen, Standing, Waiting};
use botwarden::core::report::{BotReport, ClaimsReport, OrdersReport, Report, StopOutcome};
use botwarden::core::stop::Stage;
use botwarden::tui::message::{Msg, OrdersNews, OrdersSeen};
use botwarden::tui::model::Fixed;

use crate::screen::{Desk, bots, rows};

pub fn name(text: &str) -> BotName {
    text.parse().expect("a name")
}

pub fn now() -> jiff::Timestamp {
    "2026-03-04T14:32:07Z".parse().expect("a time")
}

/// The desk's configuration, in which some bots say where their orders are, and some how they are canceled: these too.
pub fn specs(also: &[&str]) -> Vec<BotSpec> {
    let mut text = String::new();
    for bot in bots().iter().filter(|bot| bot.configured) {
        let mode = bot.mode.expect("a mode");
        let _ = write!(text, "[bots.{}]\ncommand = [\"/bin/bot\"]\nmode = \"{mode}\"\n", bot.name);
        let (source, cancels) = match bot.name.as_str() {
            "grid-btc" => ("{ source = \"state-json\", path = \"/bots/grid/state.json\" }", true),
            "mm-eth" => ("{ source = \"sql\", path = \"/bots/mm/state.db\", query = \"select 1\" }", true),
            other if also.contains(&other) => ("{ source = \"command\", command = [\"/bots/orders\"] }", true),
            "trend-sol" => ("{ source = \"state-json\", path = \"/bots/trend/state.json\" }", false),
            _ => continue,
        };
        let _ = writeln!(text, "orders = {source}");
        if cancels {
            text.push_str("cancel = { command = [\"/bots/cancel\"] }\n");
        }
    }
    botwarden::config::parse(std::path::Path::new("/nowhere/botwarden.toml"), &text).expect("no mistake").bots
}

/// A screen on it, before any order was read.
pub fn trader(width: u16, height: u16, fixed: Fixed) -> Desk {
    let mut desk = Desk::with(width, height, fixed);
    desk.tell(Msg::Configuration(Ok(specs(&[]))));
    desk.tell(Msg::Survey(bots()));
    desk
}

/// The same once all were read.
pub fn desk(width: u16, height: u16) -> Desk {
    let mut desk = trader(width, height, Fixed { color: true, ..Fixed::default() });
    all_orders(&mut desk);
    desk
}

pub fn all_orders(desk: &mut Desk) {
    desk.tell(read("grid-btc", "state-json", grid()));
    desk.tell(read("mm-eth", "sql", mm()));
    let mut own = order("trend-sol", "T-1", Side::Buy, "12", "141.07");
    own.state = OrderState::Other("triggered".into());
    own.venue = None;
    own.placed_at = None;
    own.filled = None;
    desk.tell(read("trend-sol", "state-json", vec![own]));
}

pub fn news(bot: &str, source: &str, seen: OrdersSeen) -> Msg {
    Msg::Orders(vec![OrdersNews { bot: name(bot), source: source.into(), period: Duration::from_secs(1), seen }])
}

pub fn read(bot: &str, source: &str, orders: Vec<Order>) -> Msg {
    news(bot, source, OrdersSeen::Read(orders, now()))
}

pub fn order(bot: &str, id: &str, side: Side, quantity: &str, price: &str) -> Order {
    Order {
        order_id: Some(id.into()),
        venue: Some("kraken".into()),
        symbol: Some("BTC/USD".into()),
        side: Some(side),
        kind: Some("limit".into()),
        quantity: Some(quantity.into()),
        filled: Some("0".into()),
        price: Some(price.into()),
        placed_at: Some("2026-03-04T14:20:00Z".parse().expect("a time")),
        ..Order::new(name(bot), "state-json")
    }
}

pub fn grid() -> Vec<Order> {
    let stop = Order {
        kind: Some("stop".into()),
        protective: true,
        placed_at: Some("2026-03-02T14:20:00Z".parse().expect("a time")),
        ..order("grid-btc", "OAB-774", Side::Sell, "0.1500", "58900.0")
    };
    vec![
        order("grid-btc", "OAB-771", Side::Buy, "0.0500", "61250.0"),
        order("grid-btc", "OAB-772", Side::Buy, "0.0500", "61000.0"),
        order("grid-btc", "OAB-773", Side::Sell, "0.0500", "62500.0"),
        stop,
    ]
}

pub fn mm() -> Vec<Order> {
    let eth = |id: &str, side, price: &str, state| Order {
        venue: Some("binance".into()),
        symbol: Some("ETH/USD".into()),
        state,
        filled: Some("0.4".into()),
        placed_at: Some("2026-03-04T14:32:05Z".parse().expect("a time")),
        ..order("mm-eth", id, side, "1.2000", price)
    };
    vec![
        eth("B-1", Side::Buy, "2410.50", OrderState::PartiallyFilled),
        eth("B-2", Side::Sell, "2413.10", OrderState::Open),
    ]
}

/// One of many.
pub fn placed(n: u32) -> Order {
    let side = if n.is_multiple_of(3) { Side::Buy } else { Side::Sell };
    order("grid-btc", &format!("O-{n:05}"), side, &format!("{}.{n:04}", n % 7), &format!("{}.5", 60_000 + n * 7 % 9999))
}

/// A stop that was just begun.
pub fn progress(bot: &str) -> Progress {
    let stage = |stage, standing, text: &str, took_ms| StageSeen { stage, standing, text: text.into(), took_ms };
    Progress {
        bot: name(bot),
        mode: None,
        elapsed_ms: 100,
        stages: vec![
            stage(Stage::Lock, Standing::Done, "down written", Some(20)),
            stage(Stage::Chunks, Standing::Skipped, "", None),
            stage(Stage::Signal, Standing::UnderWay, "SIGTERM to pid 48220", Some(80)),
            stage(Stage::Cancel, Standing::Ahead, "", None),
            stage(Stage::Flush, Standing::Ahead, "", None),
            stage(Stage::Empty, Standing::Ahead, "", None),
            stage(Stage::Verify, Standing::Ahead, "", None),
            stage(Stage::Report, Standing::Ahead, "", None),
        ],
        orders: Some(OrdersReport { before: Some(2), ..OrdersReport::default() }),
        claims: ClaimsReport::default(),
        state_flushed: None,
        state_written: None,
        processes_left: vec![48220],
        waiting: Some(Waiting { what: "pid 48220".into(), then: Some("SIGKILL".into()), left_ms: Some(29_900) }),
        errors: vec![],
    }
}

/// One that is in the middle of it.
pub fn mid_way(bot: &str) -> Progress {
    let mut seen = progress(bot);
    seen.elapsed_ms = 4100;
    let set = |at: &mut StageSeen, standing, text: &str, took_ms| {
        *at = StageSeen { stage: at.stage, standing, text: text.into(), took_ms };
    };
    if let [_, _, signal, cancel, flush, empty, ..] = seen.stages.as_mut_slice() {
        set(signal, Standing::Done, "SIGTERM to pid 48213", Some(50));
        set(cancel, Standing::UnderWay, "2 of 4 verified, 1 pending", Some(3800));
        set(flush, Standing::Failed, "it says True, and state.db was not written", Some(3900));
        set(empty, Standing::UnderWay, "waiting for pid 48213", Some(3900));
    }
    seen.orders = Some(OrdersReport {
        before: Some(4),
        canceled: 2,
        filled: 1,
        errors: 1,
        unconfirmed: 1,
        ..OrdersReport::default()
    });
    seen.claims.orders_canceled = Some(4);
    seen.processes_left = vec![48213, 48214];
    seen.state_flushed = Some(false);
    seen.waiting = Some(Waiting { what: "pid 48213".into(), then: Some("SIGKILL".into()), left_ms: Some(6000) });
    seen.errors = vec!["kraken OAB-766: 429 Too Many Requests, attempt 2/5".into()];
    seen
}

pub fn report(bot: &str, outcome: StopOutcome) -> BotReport {
    BotReport { outcome: Some(outcome), duration_ms: 16_900, ..BotReport::new(name(bot)) }
}

pub fn over(action: &str, code: u8, bots: Vec<BotReport>) -> Report {
    let mut report = Report::of(action, "ana", now(), bots);
    report.duration_ms = 16_900;
    report.exit_code = code;
    report.ok = code == 0;
    report
}

/// All rows of the screen.
pub fn shown(desk: &Desk) -> String {
    rows(&desk.buffer()).join("\n")
}
