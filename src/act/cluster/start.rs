//! Starting a cluster: stale chunks are put back, then workers and coordinator are started.

use std::time::Duration;

use crate::act;
use crate::clock;
use crate::cluster::Obstacle;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::report::{BotReport, CLUSTER_START, LATCHED, Report, STILL_STARTING, StartOutcome, StartedBot};
use crate::latch;
use crate::paths::Home;
use crate::readers::Readers;
use crate::who;

use super::choose::Wanted;
use super::remember::Doer;
use super::requeue::{look, put_back};

/// The word of the command.
pub const START: &str = CLUSTER_START;

/// The bots of these clusters, workers first: what a start of them starts. Live ones among them are asked about.
pub fn bots_of<'a>(clusters: &[ClusterSpec], bots: &'a [BotSpec]) -> Vec<&'a BotSpec> {
    let workers = clusters.iter().flat_map(|cluster| &cluster.workers);
    let mut names: Vec<&BotName> = Vec::new();
    for name in workers.chain(clusters.iter().filter_map(|cluster| cluster.coordinator.as_ref())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into_iter().filter_map(|name| bots.iter().find(|bot| bot.name == *name)).collect()
}

/// Starts these clusters; waits so long for a bot to be ready. Refused where the emergency stop is latched. `bots` are those
/// of the whole desk.
pub fn start(home: &Home, clusters: &[ClusterSpec], bots: &[BotSpec], by: &str, wait: Duration) -> Report {
    start_through(&Readers::new(), home, clusters, bots, by, wait)
}

/// The same, asking these readers.
pub fn start_through(
    readers: &Readers,
    home: &Home,
    clusters: &[ClusterSpec],
    bots: &[BotSpec],
    by: &str,
    wait: Duration,
) -> Report {
    let (at, begun) = (clock::wall(), clock::now());
    let mut report = Report::of(START, by, at, Vec::new());
    report.scope = Some(clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>().join(" "));
    if latch::is_latched(home) {
        let names: Vec<BotName> = bots_of(clusters, bots).into_iter().map(|bot| bot.name.clone()).collect();
        act::latch_refuses(home, START, &names, by);
        report.add_clusters(
            clusters
                .iter()
                .map(|cluster| ClusterReport { untouched: true, ..ClusterReport::new(cluster.name.clone()) }),
        );
        report.add_error(LATCHED.into());
        return report;
    }
    let tty = who::tty();
    let doer = Doer { action: START, by, tty: tty.as_deref(), stop: None };
    let mut ready: Vec<ClusterSpec> = Vec::new();
    for sight in look(readers, home, clusters, bots) {
        let cluster = sight.cluster.clone();
        let (mut done, failure) = put_back(readers, home, bots, sight, &Wanted::Stale, false);
        match failure {
            None => ready.push(cluster),
            Some(failure) if failure.obstacle == Obstacle::Missing => {
                done.untouched = true;
                done.notes.push(format!("{}; there is no file yet: its coordinator makes it", failure.why));
                ready.push(cluster);
            }
            Some(failure) => {
                done.unasked = true;
                done.errors.push(format!("{}; nothing of {} was started", failure.why, cluster.name));
            }
        }
        if done.reset != Some(0) || !done.errors.is_empty() {
            let error = doer.remember(home, &done);
            done.errors.extend(error);
        }
        report.add_clusters([done]);
    }
    let started = start_bots(home, &ready, bots, by, wait);
    report.add_bots(started.into_iter().map(|started| told(started, bots)));
    report.duration_ms = clock::millis(clock::now().since(begun));
    report
}

/// Workers first: whoever hands out chunks finds somebody to hand them to.
fn start_bots(home: &Home, clusters: &[ClusterSpec], bots: &[BotSpec], by: &str, wait: Duration) -> Vec<StartedBot> {
    let is_coordinator = |bot: &BotSpec| clusters.iter().any(|cluster| cluster.coordinator.as_ref() == Some(&bot.name));
    let all: Vec<BotSpec> = bots_of(clusters, bots).into_iter().cloned().collect();
    let (coordinators, workers): (Vec<BotSpec>, Vec<BotSpec>) = all.into_iter().partition(is_coordinator);
    let mut started = act::start(home, &workers, by, wait);
    started.extend(act::start(home, &coordinators, by, wait));
    started
}

fn told(started: StartedBot, bots: &[BotSpec]) -> BotReport {
    let mode = bots.iter().find(|bot| bot.name == started.name).map(|bot| bot.mode);
    let mut report = BotReport { mode, outcome: None, pid: started.pid, ..BotReport::new(started.name) };
    match started.outcome {
        StartOutcome::Started | StartOutcome::Adopted | StartOutcome::AlreadyRunning => {
            report.notes.push(started.message);
        }
        StartOutcome::StillStarting => report.notes.push(STILL_STARTING.into()),
        StartOutcome::Latched => report.errors.push(LATCHED.into()),
        StartOutcome::Failed | StartOutcome::Refused => report.errors.push(started.message),
    }
    report
}
