//! The emergency stop of a hundred bots with five open orders each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use botwarden::paths::Home;
use serde_json::Value;

use super::Figures;
use crate::bot::{Behaviour, ORDERS};
use crate::clock::{self, Nanos, millis};
use crate::ears::Word;
use crate::hands::Hands;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::{self, Session};
use crate::subjects::Subject;
use crate::subjects::botwarden::botwarden;

const BOTS: usize = 100;
/// So often it is looked for the latch: often enough for a figure in milliseconds, and no load of its own.
const LOOK: Duration = Duration::from_micros(200);

/// From the command to the latch, from there to the last of the bots' own timestamps of SIGTERM, and to the command's
/// report; and how many cancel commands were at it at the same time.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let (session, lives) = Session::open(hands, subject, Plan::new(BOTS, Behaviour::Trader).running())?;
    // What a start leaves to be done is no part of a stop.
    thread::sleep(Duration::from_millis(1500));
    let path = Home::at(session.place.at("home")).latch();
    let over = AtomicBool::new(false);
    let (asked, latched, report, reported) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if path.symlink_metadata().is_ok() {
                    return Some(clock::now());
                }
                thread::sleep(LOOK);
            }
            None
        });
        let asked = clock::now();
        let report = hands.ask(&mut botwarden(&session.place, &["estop", "--json"]));
        let reported = clock::now();
        over.store(true, Ordering::Relaxed);
        (asked, watch.join().ok().flatten(), report, reported)
    });
    let report = report?;
    let latched = latched.ok_or_else(|| format!("there is no latch: {}", report.trim()))?;
    session::all_ended(&lives)?;
    let words = session.overheard();
    let told: Vec<Nanos> =
        words.iter().filter_map(|word| if let Word::Told(at) = word { Some(*at) } else { None }).collect();
    let last = told.iter().max().copied().unwrap_or_default();
    if told.len() != BOTS {
        return Err(format!("{} of {BOTS} bots had SIGTERM: {}", told.len(), report.trim()));
    }
    check(&report)?;
    Ok(vec![
        (Row::EstopLatch, Cell::figure(millis(asked, latched))),
        (Row::EstopSignal, Cell::figure(millis(latched, last))),
        (Row::EstopReport, Cell::figure(millis(latched, reported))),
        (Row::EstopCancels, Cell::figure(f64::from(at_once(&words)))),
    ])
}

/// A fast emergency stop that leaves orders would be none.
fn check(report: &str) -> Result<(), String> {
    let report: Value = serde_json::from_str(report).map_err(|error| format!("{error}: {}", report.trim()))?;
    let bots = report["bots"].as_array().ok_or_else(|| format!("no bots: {report}"))?;
    let canceled: u64 = bots.iter().filter_map(|bot| bot["orders"]["canceled"].as_u64()).sum();
    if canceled != (BOTS * ORDERS) as u64 {
        return Err(format!("{canceled} of {} orders canceled", BOTS * ORDERS));
    }
    Ok(())
}

/// The most cancel commands that were between their beginning and their end at any moment.
fn at_once(words: &[Word]) -> u32 {
    let mut edges: Vec<(Nanos, bool)> = words
        .iter()
        .filter_map(|word| match word {
            Word::Cancels(at) => Some((*at, true)),
            Word::Canceled(at) => Some((*at, false)),
            Word::Up { .. } | Word::Wrote(_) | Word::Told(_) => None,
        })
        .collect();
    edges.sort_unstable();
    let (mut now, mut most) = (0_u32, 0);
    for (_, begins) in edges {
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        most = most.max(now);
    }
    most
}
