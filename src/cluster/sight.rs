//! One look at clusters: their files, and who of them lives.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock;
use crate::core::bot::BotSpec;
use crate::core::chunk::Census;
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_status::{Checked, ClusterState, ClusterStatus, check, judge};
use crate::core::crew::Crew;
use crate::core::moment::Moment;
use crate::core::status::BotStatus;
use crate::paths::Home;
use crate::readers::{Pending, Readers};
use crate::who;

use super::{Answer, Errand, Failure, Obstacle, Question, claimed, memory, seen};

/// What was seen of one cluster.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The cluster.
    pub cluster: ClusterSpec,
    /// What stands in its file.
    pub reading: Result<Census, Failure>,
    /// Who of it lives.
    pub crew: Crew,
}

impl Sight {
    /// What may be said of it.
    pub fn status(&self, now: Timestamp) -> ClusterStatus {
        let reading = self.reading.as_ref().map_err(|failure| failure.why.as_str());
        judge(&self.cluster, reading, &self.crew, now)
    }

    /// The same, with the rate and the time that is left, by this reading and earlier ones.
    pub fn status_with_pace(&self, home: &Home, now: Timestamp) -> ClusterStatus {
        let mut status = self.status(now);
        if let Ok(census) = &self.reading {
            let counts = census.counts;
            let mut pace = memory::recall(home, &self.cluster.name);
            pace.add(census.at, counts.completed);
            memory::keep(home, &self.cluster.name, &pace);
            status.per_minute = pace.per_minute();
            // Where nobody works there is no end in sight, however fast it went before.
            let busy = status.state == ClusterState::Processing || self.crew.workers_alive() > 0;
            status.eta_s = pace.seconds_for(counts.pending + counts.running).filter(|_| busy);
        }
        status
    }

    /// Every running chunk, checked; none where nothing could be read.
    pub fn checked(&self, now: Timestamp) -> Vec<Checked> {
        self.reading.as_ref().map_or_else(|_| Vec::new(), |census| check(&self.cluster, census, &self.crew, now))
    }
}

/// The user that the bots of a cluster run as, if one is configured for the coordinator or a worker.
pub fn user(cluster: &ClusterSpec, bots: &[BotSpec]) -> Option<String> {
    cluster.bots().find_map(|name| bots.iter().find(|bot| bot.name == *name)?.user.clone())
}

/// Clusters whose files are being read.
#[derive(Debug)]
pub struct Asked {
    entries: Vec<(ClusterSpec, Pending<Question>)>,
    until: Moment,
}

/// Begins to read the files of these clusters, all at once, without waiting. `bots`: every bot of the configuration.
#[must_use]
pub fn ask(readers: &Readers, clusters: &[ClusterSpec], bots: &[BotSpec], within: Duration) -> Asked {
    let until = clock::now().plus(within);
    let entries = clusters
        .iter()
        .map(|cluster| {
            let errand = Errand::Look { known: None };
            let question = Question { cluster: cluster.clone(), user: user(cluster, bots), errand, within };
            (cluster.clone(), readers.ask(question))
        })
        .collect();
    Asked { entries, until }
}

impl Asked {
    /// Waits for the answers, until the time is up, and lays them beside what was seen of the desk's bots.
    pub fn collect(self, home: &Home, statuses: &[BotStatus]) -> Vec<Sight> {
        let host = who::host();
        let until = self.until;
        self.entries
            .into_iter()
            .map(|(cluster, pending)| {
                let reading = match pending.wait(until) {
                    Answer::Read(census) => Ok(*census),
                    Answer::Failed(failure) => Err(failure),
                    // Nothing was known before, and nothing was to be changed.
                    Answer::Unchanged | Answer::PutBack { .. } | Answer::Ready => Err(Failure {
                        obstacle: Obstacle::Other,
                        why: format!("{}: was not read", cluster.database.display()),
                    }),
                };
                let pids = reading.as_ref().map(|census| seen(home.root(), &claimed(census))).unwrap_or_default();
                Sight { crew: Crew::of(&cluster, statuses, &host, pids), cluster, reading }
            })
            .collect()
    }
}

/// Looks at these clusters, all at once. `bots`: every bot of the configuration; `statuses`: what was seen of them, before
/// the files are read: whoever claims a chunk after that is looked up by its process.
pub fn see(
    home: &Home,
    readers: &Readers,
    clusters: &[ClusterSpec],
    bots: &[BotSpec],
    statuses: &[BotStatus],
    within: Duration,
) -> Vec<Sight> {
    ask(readers, clusters, bots, within).collect(home, statuses)
}
