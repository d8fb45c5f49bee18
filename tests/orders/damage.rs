//! Files with anything in them: an answer comes, whatever it is.

use std::path::Path;

use botwarden::core::order::Answer;
use botwarden::orders::answer;

use crate::desk::*;

/// A file with a few hundred orders, so that it has pages of every kind.
fn full() -> String {
    let orders: Vec<String> = (0..300)
        .map(|id| {
            freqtrade_order(&format!("{id}, 1, 'buy', 'BTC/USD', 1, 'OAB-{id}', 'open', 'limit', 'buy', 1.5, 2.5, 0.5"))
        })
        .collect();
    format!("{FREQTRADE} CREATE INDEX ix ON orders (order_id); BEGIN; {} COMMIT;", orders.concat())
}

#[test]
fn a_damaged_file_is_told() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", &full());
    let bytes = std::fs::read(&path).expect("a file");
    let mut torn = bytes.clone();
    torn[8192..24576].fill(0xee);
    let torn = desk.file("torn.sqlite", torn);
    let why = desk.refused(freqtrade(&torn));
    assert!(why.starts_with(&format!("{}: is damaged: ", torn.display())), "{why}");
    let cut = desk.file("cut.sqlite", &bytes[..bytes.len() / 2]);
    let why = desk.refused(freqtrade(&cut));
    assert!(why.starts_with(&format!("{}: is damaged: ", cut.display())), "{why}");
    let headless = desk.file("headless.sqlite", &bytes[16..]);
    assert_eq!(desk.refused(freqtrade(&headless)), format!("{}: is not a file of SQLite", headless.display()));
}

/// Reads it in this very process: a panic would be the test's own.
fn read_all_ways(desk: &Desk, path: &Path) {
    for source in
        [freqtrade(path), hummingbot(path), state_json(path), sql(path, "SELECT order_id, status AS state FROM orders")]
    {
        if let Answer::Failed(why) = answer(&desk.question(source)) {
            assert!(!why.contains(char::is_control), "{why:?}");
        }
    }
}

#[test]
fn whatever_stands_in_a_file_nobody_panics_or_hangs() {
    let desk = Desk::new();
    let mut random = fastrand::Rng::with_seed(20_261_121);
    let state = r#"{"open_orders": {"c-1": {"order_id": "V\u00e41", "side": "buy", "status": "open", "base_size": 1e-8,
        "result_snapshot": {"order_configuration": {"limit_limit_gtc": {"base_size": "1", "limit_price": "2"}}}}}}"#;
    let database = std::fs::read(desk.database("whole.sqlite", &full())).expect("a file");
    let row = std::fs::read(desk.database("row.sqlite", &state_store(state))).expect("a file");
    for seed in [&database[..], &row[..], state.as_bytes()] {
        for round in 0..150 {
            let mut bytes = seed.to_vec();
            match round % 3 {
                0 => bytes.truncate(random.usize(..bytes.len())),
                1 => {
                    for _ in 0..random.usize(1..20) {
                        let at = random.usize(..bytes.len());
                        bytes[at] = random.u8(..);
                    }
                }
                // The header and the first page, where lengths and page numbers are.
                _ => {
                    for _ in 0..random.usize(1..8) {
                        let at = random.usize(..bytes.len().min(400));
                        bytes[at] = random.u8(..);
                    }
                }
            }
            read_all_ways(&desk, &desk.file("mutated", bytes));
        }
    }
    for length in [1, 15, 16, 99, 100, 512, 70_000] {
        let bytes: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
        read_all_ways(&desk, &desk.file("garbage", bytes));
    }
}

#[test]
fn a_file_that_is_replaced_and_one_that_grows_while_they_are_read_are_read_as_they_are() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", &full());
    let script = "
import os, shutil, sqlite3, sys
path = sys.argv[1]
print('ready')
n = 1000
while True:
    shutil.copy(path, path + '.new')
    file = sqlite3.connect(path + '.new')
    file.execute(\"INSERT INTO orders (id, ft_is_open, order_id) VALUES (?, 1, 'N')\", (n,))
    file.commit()
    file.close()
    os.rename(path + '.new', path)
    file = sqlite3.connect(path)
    file.execute(\"INSERT INTO orders (id, ft_is_open, order_id) VALUES (?, 1, 'G')\", (n + 1,))
    file.commit()
    file.close()
    n += 2
";
    let _bot = Other::python(script, &path);
    let mut seen = 300;
    for _ in 0..200 {
        match desk.ask(desk.question(freqtrade(&path))) {
            Answer::Read(reading) => {
                assert!(reading.orders.len() >= seen, "orders were lost");
                seen = reading.orders.len();
            }
            // It was changed each time that it was looked at: said, and not guessed at.
            Answer::Failed(why) => assert!(why.contains("was replaced") || why.contains("locked"), "{why}"),
            Answer::Unchanged => panic!("nobody had known it"),
        }
    }
    assert!(seen > 300, "nothing of what was written was ever seen");
}
