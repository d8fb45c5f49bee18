//! Stopping, killing and restarting: a stopper is started, which goes on whatever becomes of whoever asked, and watched
//! until it has said how it went.

use std::io::{BufRead, BufReader};
use std::process::ChildStdout;

use jiff::Timestamp;

use crate::clock;
use crate::core::bot::BotName;
use crate::core::protocol::STOPPER_ROLE;
use crate::core::report::Report;
use crate::launch::ourselves;

use super::procedure::{Before, Errand, StopOrder, StopWord, carry_out};

/// A stopper that dies is followed by another one so often; then whoever asked does it himself.
const STOPPERS: usize = 3;

/// Has it done; `tell` hears how it goes, and the report, which was the last word, comes back.
pub fn stop(order: &StopOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Report {
    let at = clock::wall();
    // What a stopper has told before it died is not done, or told, again.
    let mut told = Before::default();
    for _ in 0..STOPPERS {
        let rest = rest_of(order, &told);
        // No room for a process: what has to be stopped is stopped from here.
        let errand = Errand::Stop(Box::new(rest));
        let Ok(mut stopper) = ourselves(STOPPER_ROLE, &order.id, &errand) else { break };
        let words = stopper.stdout.take();
        let report = words.and_then(|words| watch(BufReader::new(words), &mut told, tell));
        // It has its own things to see to after its last word; whoever goes on living reaps it then.
        let _ = std::thread::Builder::new().spawn(move || stopper.wait());
        if let Some(report) = report {
            return whole(order, report, at, told);
        }
    }
    let report = carry_out(&rest_of(order, &told), tell);
    told.bots.extend(report.bots.iter().cloned());
    whole(order, report, at, told)
}

fn rest_of(order: &StopOrder, told: &Before) -> StopOrder {
    let is_told = |name: &BotName| told.bots.iter().any(|bot| bot.name == *name);
    let bots = order.bots.iter().filter(|name| !is_told(name)).cloned().collect();
    StopOrder { bots, before: told.clone(), ..order.clone() }
}

/// The report of the last stopper, with what others before it have told.
fn whole(order: &StopOrder, report: Report, at: Timestamp, told: Before) -> Report {
    if report.bots.len() == order.bots.len() {
        return report;
    }
    let mut told = told.bots;
    told.sort_by_key(|bot| order.bots.iter().position(|name| *name == bot.name));
    let mut whole = Report::of(&report.action, &order.by, at, told);
    whole.duration_ms = clock::millis(clock::wall().duration_since(at).unsigned_abs());
    // What was told of clusters before is in there.
    whole.add_clusters(report.clusters);
    for error in report.errors {
        whole.add_error(error);
    }
    whole
}

/// Hears a stopper out; nothing if it died before its last word.
fn watch(
    stopper: BufReader<ChildStdout>,
    told: &mut Before,
    tell: &mut (dyn FnMut(&StopWord) + Send),
) -> Option<Report> {
    for line in stopper.lines() {
        let word: StopWord = serde_json::from_str(&line.ok()?).ok()?;
        tell(&word);
        match word {
            StopWord::Waiting { .. } | StopWord::Progress(_) | StopWord::Overall(_) => {}
            StopWord::Cluster(report) => {
                told.clusters.retain(|known| known.name != report.name);
                told.clusters.push(*report);
            }
            StopWord::Bot(bot) => told.bots.push(*bot),
            StopWord::Over(report) => return Some(*report),
        }
    }
    None
}
