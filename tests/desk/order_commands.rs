//! `orders`, and the counts of `status`: what sources hold, what is wrong with them, and what that comes to.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::Desk;

/// Three orders, one of them with what a terminal would obey; a source that fails; and a bot without one.
const DESK: &str = r#"
[bots.good]
command = ["sleep", "600"]
mode = "paper"
orders = { source = "command", command = ["/bin/cat", "FOLDER/good.json"], timeout = "5s" }

[bots.bad]
command = ["sleep", "600"]
mode = "paper"
orders = { source = "state-json", path = "nowhere/state.json" }

[bots.plain]
command = ["sleep", "600"]
mode = "paper"
"#;

const ORDERS: &str = r#"{"orders":[
    {"order_id":"V-1","client_order_id":"c-1","venue":"kraken","symbol":"BTC/USD","side":"buy","type":"limit",
     "quantity":"0.0500","filled":"0.0000","price":"61000.0","state":"open","placed_at":"2026-11-21T23:31:02Z"},
    {"order_id":"V-2","symbol":"ETH/USD","side":"sell","type":"stop","quantity":"2","state":"open","protective":true},
    {"client_order_id":"c-3","symbol":"\u001b]0;owned\u0007\u202eX"}
]}"#;

const HANGS: &str = r#"source = "command", command = ["sleep", "60"], timeout = "30s""#;

fn desk() -> Desk {
    let desk = Desk::new(DESK);
    desk.write("good.json", ORDERS);
    desk
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn orders_of_a_source_that_can_be_read_are_listed() {
    let desk = desk();
    let done = desk.run(&["orders", "good"]).expect(0);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("BOT") && lines[0].ends_with("ID"), "{}", done.stdout);
    assert!(
        lines[1].contains("kraken") && lines[1].contains("61000.0") && lines[1].ends_with("V-1"),
        "{}",
        done.stdout
    );
    assert!(lines[2].contains("PROT") && lines[2].ends_with("V-2"), "{}", done.stdout);
    assert!(lines[3].contains("<202e>X") && lines[3].ends_with("c-3"), "{}", done.stdout);
    assert!(!done.stdout.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", done.stdout);
    let last = lines.last().expect("a line of the source");
    assert!(last.starts_with("good") && last.contains("3 open, read 0s ago"), "{}", done.stdout);
    assert_eq!(done.stderr, "");
}

#[test]
fn json_has_the_shape_of_the_contract_and_a_source_that_fails_is_14() {
    let desk = desk();
    let said = desk.run(&["orders", "--json"]).expect(14).json();
    assert_eq!(keys(&said), ["schema", "at", "orders", "sources"]);
    let orders = said["orders"].as_array().expect("orders");
    assert_eq!(orders.len(), 3, "{said}");
    let order = [
        "bot",
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
        "source",
    ];
    assert_eq!(keys(&orders[0]), order);
    assert_eq!((&orders[0]["quantity"], &orders[0]["source"]), (&"0.0500".into(), &"command".into()));
    assert_eq!((&orders[2]["order_id"], &orders[2]["state"]), (&Value::Null, &"open".into()), "no status is open");
    let source = |bot: &str| {
        let all = said["sources"].as_array().expect("sources");
        all.iter().find(|source| source["bot"] == bot).unwrap_or_else(|| panic!("{bot} in {said}"))
    };
    assert_eq!(keys(source("good")), ["bot", "source", "read_at", "error"]);
    assert!(source("good")["read_at"].is_string() && source("good")["error"].is_null(), "{said}");
    assert!(source("bad")["read_at"].is_null() && source("bad")["source"] == "state-json", "{said}");
    assert!(source("bad")["error"].as_str().is_some_and(|why| why.contains("nowhere/state.json")), "{said}");
    assert_eq!((&source("plain")["source"], &source("plain")["error"]), (&Value::Null, &Value::Null));
    let text = desk.run(&["orders"]).expect(14);
    assert!(text.stdout.contains("orders unknown: no source") && text.stdout.contains("V-1"), "{}", text.stdout);
    desk.run(&["orders", "plain"]).expect(0);
    let unknown = desk.run(&["orders", "nobody", "--json"]).expect(2);
    assert_eq!(unknown.json()["exit_code"], 2);
}

#[test]
fn status_counts_what_can_be_read_and_says_what_cannot() {
    let desk = desk();
    let done = desk.run(&["status", "--json"]).expect(0);
    let all = done.json();
    let bot = |name: &str| {
        let bots = all["bots"].as_array().expect("bots");
        bots.iter().find(|bot| bot["name"] == name).unwrap_or_else(|| panic!("{name} in {all}")).clone()
    };
    assert_eq!(bot("good")["orders_active"], 3);
    assert!(bot("good")["orders_read_at"].is_string());
    for name in ["bad", "plain"] {
        assert_eq!((&bot(name)["orders_active"], &bot(name)["orders_read_at"]), (&Value::Null, &Value::Null), "{name}");
    }
    assert!(done.stderr.contains("bad: orders unknown: ") && !done.stderr.contains("plain:"), "{}", done.stderr);
    let text = desk.run(&["status", "good"]).expect(0);
    assert!(text.stdout.lines().next().is_some_and(|header| header.contains("  ORD  ")), "{}", text.stdout);
    assert_eq!(text.stderr, "");
}

#[test]
fn a_source_that_hangs_delays_status_by_two_seconds_at_most() {
    let desk = desk();
    desk.configure(&DESK.replace("source = \"state-json\", path = \"nowhere/state.json\"", HANGS));
    let began = Instant::now();
    let done = desk.run(&["status", "--json"]).expect(0);
    let took = began.elapsed();
    assert!(done.stderr.contains("bad: orders unknown: "), "{}", done.stderr);
    let json = done.json();
    let count = |name: &str| {
        let bots = json["bots"].as_array().expect("bots");
        bots.iter().find(|bot| bot["name"] == name).map(|bot| bot["orders_active"].clone()).expect("a bot")
    };
    assert_eq!((count("good"), count("bad")), (3.into(), Value::Null), "nobody else is held up");
    // Generous: what is watched for is the 30 s of the source.
    assert!(took >= Duration::from_millis(1500) && took < Duration::from_secs(15), "{took:?}");
}

#[test]
fn a_broken_configuration_stands_in_nobodys_way() {
    let desk = desk();
    desk.run(&["start", "good"]).expect(0);
    desk.configure("[bots.good]\nmode = \"papre\"\n");
    let done = desk.run(&["orders", "--json"]).expect(2);
    let said = done.json();
    assert_eq!(said["orders"].as_array().map(Vec::len), Some(3), "the last good configuration counts: {said}");
    assert_eq!(said["sources"].as_array().map(Vec::len), Some(3), "{said}");
    std::fs::remove_file(desk.home_folder().join("last-good.toml")).expect("it was kept");
    let said = desk.run(&["orders", "--json"]).expect(2).json();
    assert_eq!(said["orders"].as_array().map(Vec::len), Some(3), "and then the run record: {said}");
    assert_eq!(desk.status("good")["orders_active"], 3);
}
