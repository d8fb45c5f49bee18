//! `cluster start|stop|requeue`: what is done to clusters.

use crate::act::cluster::{self as act, Wanted};
use crate::act::procedure::{CLUSTER_STOP, StopOrder};
use crate::act::{START_WAIT, latch_refuses};
use crate::clock;
use crate::cluster::sight::see;
use crate::core::bot::{BotName, Mode};
use crate::core::cluster_status::{ClusterStatus, Hold};
use crate::core::code::Code;
use crate::core::report::Report;
use crate::latch;
use crate::readers::Readers;
use crate::survey::Surveyor;
use crate::who;

use super::args::{ClusterDeed, Clusters, Requeue};
use super::ask::{confirm, confirm_simply};
use super::cluster_lines;
use super::cluster_scope::{Meant, configured, known};
use super::cluster_status::{self, WITHIN};
use super::desk::Desk;
use super::interrupt::leave_on_interrupt;
use super::output::Output;
use super::stop::{mode, watch};

const START: &str = "cluster start";
const REQUEUE: &str = "cluster requeue";

/// Carries one of them out.
pub(super) fn run(desk: &Desk, deed: &ClusterDeed, output: Output) -> Code {
    match deed {
        ClusterDeed::Status(clusters) => cluster_status::run(desk, &clusters.names, output),
        ClusterDeed::Start(clusters) => start(desk, clusters, output),
        ClusterDeed::Stop(clusters) => stop(desk, clusters, output),
        ClusterDeed::Requeue(wanted) => requeue(desk, wanted, output),
    }
}

/// Its words.
pub(super) const fn word(deed: &ClusterDeed) -> &'static str {
    match deed {
        ClusterDeed::Status(_) => "cluster status",
        ClusterDeed::Start(_) => START,
        ClusterDeed::Stop(_) => CLUSTER_STOP,
        ClusterDeed::Requeue(_) => REQUEUE,
    }
}

fn start(desk: &Desk, clusters: &Clusters, output: Output) -> Code {
    let meant = match configured(desk, &clusters.names).and_then(some) {
        Ok(meant) => meant,
        Err(why) => return output.refuse(START, Code::Usage, &why),
    };
    if latch::is_latched(&desk.home) {
        latch_refuses(&desk.home, START, &meant.members(), &desk.by);
        let why = "the emergency stop is latched: nothing starts until it is reset";
        return output.refuse(START, Code::Latched, why);
    }
    if let Err(why) = confirm(desk, START, &meant.modes()) {
        return output.refuse(START, Code::Usage, &why);
    }
    leave_on_interrupt(output, START);
    tell(&act::start(&desk.home, &meant.which, &meant.bots, &desk.by, START_WAIT), output)
}

/// Asks nothing, as every stop.
fn stop(desk: &Desk, clusters: &Clusters, output: Output) -> Code {
    let meant = match known(desk, &clusters.names, output).and_then(some) {
        Ok(meant) => meant,
        Err(why) => return output.refuse(CLUSTER_STOP, Code::Usage, &why),
    };
    watch(&StopOrder::clusters(&desk.home, &meant.which, &meant.all, &meant.bots, &desk.by), output)
}

fn requeue(desk: &Desk, asked: &Requeue, output: Output) -> Code {
    let meant = match known(desk, &asked.clusters.names, output).and_then(some) {
        Ok(meant) => meant,
        Err(why) => return output.refuse(REQUEUE, Code::Usage, &why),
    };
    if !asked.chunks.is_empty() && meant.which.len() > 1 {
        let why = "--chunk names chunks of one cluster: give that cluster alone";
        return output.refuse(REQUEUE, Code::Usage, why);
    }
    let modes: Vec<_> = meant.members().into_iter().map(|name| (name.clone(), mode(desk, &name))).collect();
    let is_asked_by_name = match confirm(desk, REQUEUE, &modes) {
        Ok(()) => modes.iter().any(|(_, mode)| !matches!(mode, Some(Mode::DryRun | Mode::Paper))),
        Err(why) => return output.refuse(REQUEUE, Code::Usage, &why),
    };
    let wanted = wanted(asked);
    if !is_asked_by_name && let Err(why) = confirm_count(desk, &meant, &wanted, asked.unverified) {
        return output.refuse(REQUEUE, Code::Usage, &why);
    }
    let order = act::Requeue {
        wanted: meant.which.iter().map(|cluster| (cluster.name.clone(), wanted.clone())).collect(),
        unverified: asked.unverified,
        by: desk.by.clone(),
        tty: who::tty(),
    };
    tell(&act::requeue(&desk.home, &meant.all, &meant.bots, &order), output)
}

/// Clusters, if there are any: what is to be done to nothing was not meant.
fn some(meant: Meant) -> Result<Meant, String> {
    if meant.which.is_empty() { Err("no cluster is configured".to_owned()) } else { Ok(meant) }
}

fn wanted(asked: &Requeue) -> Wanted {
    if !asked.chunks.is_empty() {
        return Wanted::Named(asked.chunks.clone());
    }
    match (asked.all, asked.stale, asked.failed) {
        (true, _, _) | (false, true, true) => Wanted::Both,
        (false, false, true) => Wanted::Failed,
        (false, _, false) => Wanted::Stale,
    }
}

/// Where somebody sits there, the question says how many it is about; of none, there is no question.
fn confirm_count(desk: &Desk, meant: &Meant, wanted: &Wanted, unverified: bool) -> Result<(), String> {
    if desk.yes {
        return Ok(());
    }
    let statuses = Surveyor::new(desk.home.clone()).look(&meant.bots);
    let sights = see(&desk.home, &Readers::new(), &meant.which, &meant.bots, &statuses, WITHIN);
    let now = clock::wall();
    let counts: Vec<(BotName, u64)> = sights
        .iter()
        .map(|sight| (sight.cluster.name.clone(), count(&sight.status(now), wanted, unverified)))
        .filter(|(_, count)| *count > 0)
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    let chunks = |count: u64| if count == 1 { "1 chunk".to_owned() } else { format!("{count} chunks") };
    let each: Vec<String> = counts.iter().map(|(name, count)| format!("{} of {name}", chunks(*count))).collect();
    confirm_simply(desk, REQUEUE, &format!("Put {} back to pending?", each.join(", ")))
}

/// How many chunks would be put back, as far as they are listed.
fn count(status: &ClusterStatus, wanted: &Wanted, unverified: bool) -> u64 {
    let (stale, failed) = match wanted {
        Wanted::Stale => (true, false),
        Wanted::Failed => (false, true),
        Wanted::Both => (true, true),
        Wanted::These(claims) => return claims.len() as u64,
        Wanted::Named(ids) => return status.chunks.iter().filter(|chunk| ids.contains(&chunk.id)).count() as u64,
    };
    let chosen = status.chunks.iter().filter(|chunk| match chunk.hold {
        None => failed,
        Some(Hold::Stale) => stale,
        Some(Hold::Unverified) => stale && unverified,
        // Somebody who lives has it.
        Some(Hold::Held | Hold::Overdue) => false,
    });
    chosen.count() as u64
}

fn tell(report: &Report, output: Output) -> Code {
    let width = report.bots.iter().map(|bot| bot.name.as_str().len()).max().unwrap_or_default();
    for bot in &report.bots {
        for note in &bot.notes {
            output.line(&format!("{:width$}  {note}", bot.name));
        }
        for error in &bot.errors {
            output.complain(&format!("{:width$}  {error}", bot.name));
        }
    }
    cluster_lines::show_reports(report, output);
    for error in &report.errors {
        output.complain(error);
    }
    output.object(report);
    report.code()
}
