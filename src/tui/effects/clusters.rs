//! Deeds to clusters, each on a thread of its own.

use std::time::Instant;

use log::warn;

use crate::act;
use crate::act::cluster::{Requeue, Wanted};
use crate::act::procedure::StopOrder;
use crate::cluster::Claim;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::report::Report;
use crate::tui::cluster_deed::of_clusters;
use crate::tui::clusters::Claimed;
use crate::tui::deed::Deed;
use crate::tui::message::{Msg, StopNews, Ticket, Told};
use crate::who;

use super::deeds::Promise;
use super::{Hands, READY_WAIT, spawn};

impl Hands {
    /// Does this to clusters, on a thread of its own.
    pub fn act_on_clusters(&self, asked: OnClusters) {
        let (home, by, hear) = (self.home.clone(), self.by.clone(), self.tell.clone());
        let OnClusters { ticket, deed, clusters, all, bots, chunks, unverified } = asked;
        let of: Vec<BotName> = clusters.iter().map(|cluster| cluster.name.clone()).collect();
        // Whoever is stopped is told of by name, should the thread break off.
        let stopped = clusters.iter().filter(|_| deed == Deed::Stop).flat_map(ClusterSpec::bots).cloned();
        let names = of.iter().cloned().chain(stopped).collect();
        let promise =
            Promise { ticket, deed, since: Instant::now(), names, tell: self.tell.clone(), began: false, bots: None };
        let started = spawn("cluster", move || {
            let mut promise = promise;
            promise.began = true;
            let tell = |news: StopNews| _ = hear.send(Msg::Stop(ticket, news));
            let report = match deed {
                Deed::Start => act::cluster::start(&home, &clusters, &bots, &by, READY_WAIT),
                Deed::Requeue => {
                    let claims = |(name, chunks): (BotName, Vec<Claimed>)| {
                        (name, Wanted::These(chunks.into_iter().map(Claim::from).collect()))
                    };
                    let wanted = chunks.into_iter().map(claims).collect();
                    let requeue = Requeue { wanted, unverified, by, tty: who::tty() };
                    act::cluster::requeue(&home, &all, &bots, &requeue)
                }
                Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Adopt | Deed::Cancel => {
                    let order = StopOrder::clusters(&home, &clusters, &all, &bots, &by);
                    act::stop(&order, &mut |word| tell(StopNews::from(word)))
                }
            };
            let text = told_clusters(deed, &of, &report);
            // Nothing of what was chosen could be put back.
            let in_vain = deed == Deed::Requeue && report.clusters.iter().all(|cluster| cluster.reset == Some(0));
            let well = report.exit_code == 0 && !in_vain;
            if deed.is_watched() {
                tell(StopNews::Over(Box::new(report)));
            }
            promise.bots = Some(of.into_iter().take(1).map(|name| Told { name, well, text: text.clone() }).collect());
        });
        if let Err(why) = started {
            // The promise, which went with the thread, has told the screen already.
            warn!("{}: {why}", deed.verb());
        }
    }
}

/// Something that is to be done to clusters.
#[derive(Debug)]
pub struct OnClusters {
    /// What its end is known by.
    pub ticket: Ticket,
    /// What: start, stop or requeue.
    pub deed: Deed,
    /// To which.
    pub clusters: Vec<ClusterSpec>,
    /// Every cluster of the configuration.
    pub all: Vec<ClusterSpec>,
    /// Every bot of the configuration.
    pub bots: Vec<BotSpec>,
    /// The chunks that are meant, as they were seen, where chunks are.
    pub chunks: Vec<(BotName, Vec<Claimed>)>,
    /// Whether chunks of workers that nobody here knows are put back too.
    pub unverified: bool,
}

impl From<Claimed> for Claim {
    fn from(claimed: Claimed) -> Self {
        let Claimed { id, failed, worker, started } = claimed;
        Self { id, failed, worker, started }
    }
}

/// What became of clusters, in a sentence with whatever went wrong first.
fn told_clusters(deed: Deed, of: &[BotName], report: &Report) -> String {
    let verb = if deed == Deed::Requeue { "requeue" } else { deed.verb() };
    let of_bots =
        report.bots.iter().flat_map(|bot| bot.errors.iter().map(move |error| format!("{}: {error}", bot.name)));
    let wrong = report.clusters.iter().flat_map(|cluster| cluster.errors.iter().cloned());
    let errors = report.errors.iter().cloned().chain(wrong).chain(of_bots);
    let survived: Vec<&str> = report.bots.iter().filter(|bot| bot.survived()).map(|bot| bot.name.as_str()).collect();
    let lives = (deed == Deed::Stop && !survived.is_empty()).then(|| format!("NOT STOPPED: {}", survived.join(", ")));
    let well = report.bots.iter().filter(|bot| bot.errors.is_empty()).count();
    let started = (deed == Deed::Start && well > 0).then(|| match well {
        1 => "1 bot runs".to_owned(),
        bots => format!("{bots} bots run"),
    });
    let chunks = report.clusters.iter().map(|cluster| {
        let told = cluster.told(&report.action);
        if of.len() > 1 { format!("{}: {told}", cluster.name) } else { told }
    });
    // What was left alone is worth a word to whoever has chosen it.
    let left =
        report.clusters.iter().filter(|_| deed == Deed::Requeue).flat_map(|cluster| cluster.notes.iter().cloned());
    let parts: Vec<String> = lives.into_iter().chain(errors).chain(started).chain(chunks).chain(left).collect();
    let parts = if parts.is_empty() { "done".to_owned() } else { parts.join("; ") };
    format!("{verb} {}: {parts}", of_clusters(of))
}
