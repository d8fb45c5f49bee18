//! What has not changed is not read again; what has, always.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use botwarden::core::order::Answer;
use botwarden::orders::Question;
use rusqlite::Connection;

use crate::desk::*;

/// As if it had not been touched for an hour.
fn age(path: &Path) {
    let before = SystemTime::now() - Duration::from_hours(1);
    File::options().write(true).open(path).expect("a file").set_modified(before).expect("a time");
}

fn again(desk: &Desk, path: &Path, known: &str) -> Answer {
    desk.ask(Question { known: Some(known.to_owned()), ..desk.question(freqtrade(path)) })
}

#[test]
fn a_file_that_is_as_it_was_is_not_read_again_until_it_changes() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", FREQTRADE);
    age(&path);
    let stamp = desk.read(freqtrade(&path)).stamp.expect("a stamp");
    assert_eq!(again(&desk, &path, &stamp), Answer::Unchanged);
    Connection::open(&path)
        .unwrap()
        .execute_batch(&freqtrade_order("1, 1, 'buy', 'X', 1, 'A', 'open', 'limit', 'buy', 1, 1, 0"))
        .unwrap();
    assert_eq!(reading(again(&desk, &path, &stamp)).orders.len(), 1);
}

#[test]
fn a_change_that_is_only_in_the_log_is_a_change() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", &format!("PRAGMA journal_mode = wal; {FREQTRADE}"));
    let bot = Connection::open(&path).unwrap();
    bot.execute_batch("INSERT INTO trades (id) VALUES (7)").unwrap();
    age(&path);
    age(&desk.path("tradesv3.sqlite-wal"));
    let link = desk.path("link.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let stamp = desk.read(freqtrade(&path)).stamp.expect("a stamp");
    assert_eq!(again(&desk, &path, &stamp), Answer::Unchanged);
    assert_eq!(again(&desk, &link, &stamp), Answer::Unchanged);
    bot.execute_batch(&freqtrade_order("1, 1, 'buy', 'X', 1, 'A', 'open', 'limit', 'buy', 1, 1, 0")).unwrap();
    assert_eq!(reading(again(&desk, &path, &stamp)).orders.len(), 1);
    assert_eq!(reading(again(&desk, &link, &stamp)).orders.len(), 1, "a link to it");
}

#[test]
fn a_file_that_was_changed_a_moment_ago_is_read_again() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", FREQTRADE);
    let stamp = desk.read(freqtrade(&path)).stamp.expect("a stamp");
    reading(again(&desk, &path, &stamp));
    reading(again(&desk, &path, "nonsense"));
}
