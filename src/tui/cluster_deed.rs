//! What may be asked for of clusters and of their chunks, as it was when the question was asked.

use crate::core::bot::BotName;
use crate::core::cluster::ClusterSpec;

use super::clusters::Claimed;
use super::deed::{Deed, Target};

/// What is said where no cluster is configured.
pub(super) const NONE: &str = "no cluster is configured: [clusters.NAME] in the configuration";

/// Something that is wanted of clusters.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterWish {
    /// What: start, stop or requeue.
    pub deed: Deed,
    /// Of which, as they were configured then.
    pub clusters: Vec<ClusterSpec>,
    /// Their bots, as they were then; none where only chunks are meant.
    pub bots: Vec<Target>,
    /// Where chunks are meant: which, as they were then.
    pub chunks: Vec<(BotName, Vec<Claimed>)>,
    /// Whether some of those may be held by somebody whom nobody here knows.
    pub unverified: bool,
    /// The same for people, a line each.
    pub named: Vec<String>,
    /// What must be known before the answer, a sentence each.
    pub story: Vec<String>,
}

impl ClusterWish {
    /// The clusters by name.
    pub fn names(&self) -> Vec<BotName> {
        self.clusters.iter().map(|cluster| cluster.name.clone()).collect()
    }

    /// How many chunks are meant.
    pub fn count(&self) -> usize {
        self.chunks.iter().map(|(_, chunks)| chunks.len()).sum()
    }

    /// All of it in a few words: `stop cluster sweep`, `requeue 3 chunks of cluster sweep`.
    pub fn what(&self) -> String {
        let of = of_clusters(&self.names());
        match (self.deed, self.count()) {
            (Deed::Requeue, 1) => format!("requeue 1 chunk of {of}"),
            (Deed::Requeue, count) => format!("requeue {count} chunks of {of}"),
            (deed, _) => format!("{} {of}", deed.verb()),
        }
    }
}

/// These clusters, as a sentence names them: `cluster sweep`, or `2 clusters`.
pub fn of_clusters(names: &[BotName]) -> String {
    match names {
        [only] => format!("cluster {only}"),
        [..] => format!("{} clusters", names.len()),
    }
}
