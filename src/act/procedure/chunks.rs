//! The chunks of every cluster that a stop is about: back before their bots are told, settled when those have ended.

use std::thread::Scope;

use crate::core::bot::BotName;
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::progress::Standing;
use crate::core::report::BotReport;
use crate::core::stop::{Stage, Wish};
use crate::latch;

use super::board::Board;
use super::order::{StopOrder, Work};
use super::part::{Ground, Part, Whose};

/// Every cluster of a stop.
pub(super) struct Chunks<'a> {
    parts: Vec<Part<'a>>,
    /// What an earlier stopper had told.
    before: &'a [ClusterReport],
}

impl<'a> Chunks<'a> {
    /// Those of a stop: a cluster all of whose bots are stopped counts as a whole, of every other one each bot's own.
    pub(super) fn new(ground: &Ground<'a>, clusters: &'a [ClusterSpec]) -> Self {
        let order = ground.order;
        let mut parts = Vec::new();
        // Who only hurries a stop leaves the chunks to that one; who cancels orders has nothing to do with them.
        let is_none_of_ours = matches!(order.work, Work::Cancel(_) | Work::End(Wish::Climb));
        // A restart is refused then, and whatever lives is left alone.
        let is_refused = order.work == Work::End(Wish::Restart) && latch::is_latched(ground.home);
        if is_none_of_ours || is_refused {
            return Self { parts, before: &[] };
        }
        for cluster in clusters {
            if is_whole(order, cluster) {
                parts.push(Part::new(*ground, cluster, Whose::All));
            } else {
                let own = cluster.bots().filter(|bot| order.bots.contains(bot));
                parts.extend(own.map(|bot| Part::new(*ground, cluster, Whose::Of(bot.clone()))));
            }
        }
        for bot in &order.before.bots {
            // Settled with the last of the others, or at the end.
            parts.iter().filter(|part| part.whose == Whose::All && part.has(&bot.name)).for_each(|part| {
                part.take_in(bot);
            });
        }
        Self { parts, before: &order.before.clusters }
    }

    /// Those of an emergency stop: every cluster all of whose bots are meant.
    pub(super) fn of_an_emergency(ground: &Ground<'a>, clusters: impl Iterator<Item = &'a ClusterSpec>) -> Self {
        let parts = clusters.map(|cluster| Part::new(*ground, cluster, Whose::All)).collect();
        Self { parts, before: &ground.order.before.clusters }
    }

    /// Begins to put all of them back, side by side; `news` is called whenever one of them has come to something.
    pub(super) fn begin<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        news: impl Fn() + Copy + Send + 'scope,
    ) {
        self.parts.iter().for_each(Part::set);
        for part in &self.parts {
            let work = move || {
                part.put_back();
                news();
            };
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                // On a machine without room for a thread they go back all the same.
                part.put_back();
                news();
            }
        }
    }

    /// Whether this bot has anything to do with chunks.
    pub(super) fn concern(&self, bot: &BotName) -> bool {
        self.of(bot).next().is_some()
    }

    /// Whether this bot has to wait for its chunks now.
    pub(super) fn hold_up(&self, bot: &BotName) -> bool {
        self.of(bot).any(|part| !part.is_open())
    }

    /// Waits until this bot may be told.
    pub(super) fn pass(&self, bot: &BotName, board: &Board<'_>) {
        for part in self.of(bot) {
            if !part.is_open() {
                board.stage(Stage::Chunks, Standing::UnderWay, part.standing().2);
            }
            part.pass();
        }
        let seen: Vec<(Standing, String)> =
            self.of(bot).map(Part::standing).map(|(how, _, text)| (how, text)).collect();
        let standing = match seen.iter().all(|(standing, _)| *standing == Standing::Done) {
            _ if seen.is_empty() => return,
            true => Standing::Done,
            false => Standing::Failed,
        };
        let text: Vec<String> = seen.into_iter().map(|(_, text)| text).collect();
        board.stage(Stage::Chunks, standing, text.join("; "));
    }

    /// What was put back of a bot whose cluster goes on stands in its own report; settled before that is told.
    pub(super) fn note(&self, report: &mut BotReport) {
        for part in self.of(&report.name).filter(|part| part.whose != Whose::All) {
            part.ended(report);
            if let Some(count) = part.put_back_of(&report.name) {
                report.notes.push(format!("{count} of its chunks put back ({})", part.cluster.name));
            }
        }
    }

    /// This bot has ended.
    pub(super) fn ended(&self, report: &BotReport) {
        self.of(&report.name).filter(|part| part.whose == Whose::All).for_each(|part| part.ended(report));
    }

    /// What all of it has come to, one report a cluster.
    pub(super) fn reports(&self) -> Vec<ClusterReport> {
        let mut reports: Vec<ClusterReport> = Vec::new();
        for report in self.parts.iter().map(Part::report) {
            match reports.iter_mut().find(|known| known.name == report.name) {
                Some(known) => *known = known.clone().beside(report),
                None => reports.push(report),
            }
        }
        // Clusters whose bots had all ended before.
        let is_new = |before: &&ClusterReport| !reports.iter().any(|known| known.name == before.name);
        let others: Vec<ClusterReport> = self.before.iter().filter(is_new).cloned().collect();
        reports.extend(others);
        reports
    }

    /// How all of it stands, in one line.
    pub(super) fn standing(&self) -> (Standing, String) {
        let seen: Vec<_> = self.parts.iter().map(Part::standing).collect();
        let back: Vec<u64> = seen.iter().filter_map(|(_, count, _)| *count).collect();
        let first = (!back.is_empty())
            .then(|| format!("{} running -> pending (committed before any kill)", back.iter().sum::<u64>()));
        let others = seen.iter().filter(|(_, count, _)| count.is_none()).map(|(_, _, text)| text.clone());
        let text: Vec<String> = first.into_iter().chain(others).collect();
        let is = |wanted: Standing| seen.iter().any(|(standing, ..)| *standing == wanted);
        let standing = match (is(Standing::UnderWay), is(Standing::Failed)) {
            _ if seen.is_empty() => Standing::Skipped,
            (true, _) => Standing::UnderWay,
            (false, true) => Standing::Failed,
            (false, false) => Standing::Done,
        };
        (standing, if seen.is_empty() { "no cluster is meant".to_owned() } else { text.join("; ") })
    }

    fn of(&self, bot: &BotName) -> impl Iterator<Item = &Part<'a>> {
        self.parts.iter().filter(|part| part.has(bot))
    }
}

/// Whether all bots of a cluster are stopped, or it was asked for as a whole.
fn is_whole(order: &StopOrder, cluster: &ClusterSpec) -> bool {
    let is_meant = |bot: &BotName| order.bots.contains(bot) || order.before.bots.iter().any(|told| told.name == *bot);
    order.whole.contains(&cluster.name) || (cluster.bots().next().is_some() && cluster.bots().all(is_meant))
}
