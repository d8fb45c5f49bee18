//! How long a history of a million events takes: to be looked at by hand, `cargo test --release --test history_speed -- --ignored
//! --nocapture`. Nothing is asserted about time.

#![allow(clippy::expect_used, clippy::print_stderr, reason = "a test may")]

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use botwarden::core::history::{Anchor, Shelf, Wanted};
use botwarden::history::{History, Query};
use botwarden::paths::Home;

const BOTS: usize = 10;
const EVENTS: usize = 1_000_000;

#[test]
#[ignore = "it takes a while, and asserts nothing about time"]
fn a_million_events() {
    let folder = tempfile::tempdir().expect("a folder");
    for bot in 0..BOTS {
        let mut text = String::new();
        for number in 0..EVENTS / BOTS {
            let at = jiff::Timestamp::from_second(1_700_000_000 + (number * BOTS + bot) as i64).expect("a time");
            let run = number / 4;
            let (kind, words, more) = match number % 4 {
                0 => ("started", "started (pid 48213)", ""),
                1 => ("ready", "ready", ""),
                2 => ("exited", "exited with 1 after 3 min", ",\"exit\":{\"code\":1,\"signal\":null}"),
                _ => ("backoff", "will be tried again in 4.0 s", ",\"failures\":2"),
            };
            let _ = writeln!(
                text,
                "{{\"at\":\"{at}\",\"bot\":\"bot-{bot}\",\"kind\":\"{kind}\",\"text\":\"{words}\",\"run\":\"2026-{run}\"{more}}}"
            );
        }
        let home = folder.path().join("bots").join(format!("bot-{bot}"));
        fs::create_dir_all(&home).expect("a folder");
        fs::write(home.join("events"), text).expect("written");
    }
    let home = Home::at(folder.path().to_owned());
    for keep in [false, true] {
        let mut history = History::open(&home, keep).expect("an index");
        let began = Instant::now();
        let mut longest = std::time::Duration::ZERO;
        loop {
            let step = Instant::now();
            let more = history.refresh().expect("read").more;
            longest = longest.max(step.elapsed());
            if !more {
                break;
            }
        }
        let size = fs::metadata(home.index()).map_or(0, |about| about.len() >> 20);
        eprintln!("kept: {keep}: built in {:?}, {size} MiB, longest turn {longest:?}", began.elapsed());
        let began = Instant::now();
        history.refresh().expect("read");
        eprintln!("  nothing new: {:?}", began.elapsed());
        for shelf in [Shelf::Events, Shelf::Runs] {
            for wanted in ["", "bot:bot-3", "bot:bot", "kind:exited", "kind:st bot:bot-7", "nowhere", "since:1h"] {
                for from in [Anchor::Newest, Anchor::Oldest] {
                    let query = Query { shelf, wanted: Wanted::new(wanted), from, count: 300 };
                    let began = Instant::now();
                    let page = history.page(&query).expect("a page");
                    eprintln!(
                        "  {shelf:?} {wanted:?} {from:?}: {} of {} in {:?}",
                        page.rows.len(),
                        page.total,
                        began.elapsed()
                    );
                }
            }
        }
    }
    let began = Instant::now();
    drop(History::open(&home, true).expect("an index"));
    eprintln!("opened again: {:?}", began.elapsed());
}
