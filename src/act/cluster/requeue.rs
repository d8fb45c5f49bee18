//! Putting stale or failed chunks back to pending, and never one that a live worker holds.

use std::time::Duration;

use crate::clock;
use crate::cluster::sight::{Sight, see};
use crate::cluster::{Failure, Which};
use crate::core::bot::{BotName, BotSpec};
use crate::core::chunk::LISTED;
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::report::Report;
use crate::paths::Home;
use crate::readers::Readers;
use crate::survey::Surveyor;

use super::ask::Asker;
use super::choose::{Wanted, choose};
use super::remember::Doer;

/// The word of the command.
const REQUEUE: &str = "cluster requeue";

/// Thousands of chunks are put back piece by piece for so long.
const ALL_OF_THEM: Duration = Duration::from_mins(1);

/// So long each question of it may take.
const WITHIN: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Requeue {
    /// Of which clusters, by name, and which chunks.
    pub wanted: Vec<(BotName, Wanted)>,
    /// Whether a chunk whose worker is not known on this box is put back too, although its lease is good.
    pub unverified: bool,
    /// Who asks.
    pub by: String,
    /// At which terminal.
    pub tty: Option<String>,
}

/// Puts chunks back, after a fresh look at who lives. `clusters` and `bots` are those of the whole desk.
pub fn requeue(home: &Home, clusters: &[ClusterSpec], bots: &[BotSpec], asked: &Requeue) -> Report {
    requeue_through(&Readers::new(), home, clusters, bots, asked)
}

/// The same, asking these readers.
pub fn requeue_through(
    readers: &Readers,
    home: &Home,
    clusters: &[ClusterSpec],
    bots: &[BotSpec],
    asked: &Requeue,
) -> Report {
    let (at, begun) = (clock::wall(), clock::now());
    let mut report = Report::of(REQUEUE, &asked.by, at, Vec::new());
    report.scope = Some(asked.wanted.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "));
    let mut meant: Vec<ClusterSpec> = Vec::new();
    let mut wanted = Vec::new();
    for (name, which) in &asked.wanted {
        match clusters.iter().find(|cluster| cluster.name == *name) {
            Some(cluster) => {
                meant.push(cluster.clone());
                wanted.push(which);
            }
            None => report.add_error(format!("{name}: no cluster of this name is configured")),
        }
    }
    let doer = Doer { action: REQUEUE, by: &asked.by, tty: asked.tty.as_deref(), stop: None };
    let sights = look(readers, home, &meant, bots);
    let done: Vec<ClusterReport> = sights
        .into_iter()
        .zip(wanted)
        .map(|(sight, wanted)| {
            let (mut report, failure) = put_back(readers, home, bots, sight, wanted, asked.unverified);
            if let Some(failure) = failure {
                report.unasked = true;
                report.errors.push(failure.why);
            }
            let error = doer.remember(home, &report);
            report.errors.extend(error);
            report
        })
        .collect();
    report.add_clusters(done);
    report.duration_ms = clock::millis(clock::now().since(begun));
    report
}

/// A fresh look at clusters: who lives first, then their files.
pub(super) fn look(readers: &Readers, home: &Home, clusters: &[ClusterSpec], bots: &[BotSpec]) -> Vec<Sight> {
    let statuses = Surveyor::new(home.clone()).look(bots);
    see(home, readers, clusters, bots, &statuses, WITHIN)
}

/// Puts back what may be put back of a cluster that was just looked at, and counts again. One look lists [`LISTED`] chunks at
/// most: where there are more, it looks again until nothing more can be put back.
pub(super) fn put_back(
    readers: &Readers,
    home: &Home,
    bots: &[BotSpec],
    mut sight: Sight,
    wanted: &Wanted,
    unverified: bool,
) -> (ClusterReport, Option<Failure>) {
    let until = clock::now().plus(ALL_OF_THEM);
    let cluster = sight.cluster.clone();
    let asker = Asker::new(readers, &cluster, bots);
    let (mut whole, mut failure) = put_back_listed(&asker, &sight, wanted, unverified);
    let mut latest = whole.reset;
    while failure.is_none() && latest > Some(0) && has_more(&sight, wanted) && clock::now() < until {
        let Some(next) = look(readers, home, std::slice::from_ref(&cluster), bots).pop() else { break };
        let (report, why) = put_back_listed(&asker, &next, wanted, unverified);
        (latest, failure, sight) = (report.reset, why, next);
        let before = whole.reset.unwrap_or(0);
        whole = ClusterReport { reset: Some(before + report.reset.unwrap_or(0)), ..report };
    }
    if has_more(&sight, wanted) {
        whole.notes.push(format!("more than {LISTED} are left that could not all be looked at: ask for it again"));
    }
    (whole, failure)
}

/// Whether there are chunks that the look did not list.
fn has_more(sight: &Sight, wanted: &Wanted) -> bool {
    let Ok(census) = &sight.reading else { return false };
    let (running, failed) = (census.counts.running > LISTED as u64, census.counts.failed > LISTED as u64);
    match wanted {
        Wanted::Stale => running,
        Wanted::Failed => failed,
        Wanted::Both => running || failed,
        Wanted::These(_) | Wanted::Named(_) => false,
    }
}

fn put_back_listed(
    asker: &Asker<'_>,
    sight: &Sight,
    wanted: &Wanted,
    unverified: bool,
) -> (ClusterReport, Option<Failure>) {
    let mut report = ClusterReport::new(sight.cluster.name.clone());
    let census = match &sight.reading {
        Ok(census) => census,
        Err(failure) => return (report, Some(failure.clone())),
    };
    let choice = choose(sight, wanted, unverified, clock::wall());
    report.errors = choice.refused;
    report.notes = choice.notes;
    if choice.claims.is_empty() {
        report.put_back(0);
        report.read(census.counts);
        return (report, None);
    }
    match asker.put_back(Which::These(choice.claims), WITHIN) {
        Ok(back) => {
            report.put_back(back.count);
            if back.left > 0 {
                report.notes.push(format!("{} had changed meanwhile, and were left alone", back.left));
            }
        }
        Err(failure) => return (report, Some(failure)),
    }
    match asker.look(WITHIN) {
        Ok(census) => report.read(census.counts),
        Err(failure) => return (report, Some(failure)),
    }
    (report, None)
}
