//! Asking one cluster's database, in a process of its own, and never waiting beyond a time.

use std::time::Duration;

use crate::clock;
use crate::cluster::sight::user;
use crate::cluster::{Answer, Errand, Failure, Obstacle, Question, Which};
use crate::core::bot::BotSpec;
use crate::core::chunk::Census;
use crate::core::cluster::ClusterSpec;
use crate::readers::Readers;

/// One cluster's database, and who asks it.
pub(in crate::act) struct Asker<'a> {
    readers: &'a Readers,
    cluster: &'a ClusterSpec,
    user: Option<String>,
}

/// What was put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::act) struct Back {
    /// So many.
    pub(in crate::act) count: u64,
    /// So many of those that were chosen had changed, and were left alone.
    pub(in crate::act) left: u64,
}

impl<'a> Asker<'a> {
    /// It is asked as the user that its bots run as.
    pub(in crate::act) fn new(readers: &'a Readers, cluster: &'a ClusterSpec, bots: &[BotSpec]) -> Self {
        Self { readers, cluster, user: user(cluster, bots) }
    }

    /// Counts its chunks.
    pub(in crate::act) fn look(&self, within: Duration) -> Result<Census, Failure> {
        match self.ask(Errand::Look { known: None }, within) {
            Answer::Read(census) => Ok(*census),
            Answer::Failed(failure) => Err(failure),
            Answer::Unchanged | Answer::PutBack { .. } | Answer::Ready => Err(self.nonsense()),
        }
    }

    /// Puts chunks back, all of it within this time.
    pub(in crate::act) fn put_back(&self, which: Which, within: Duration) -> Result<Back, Failure> {
        self.put_back_in_peace(which, within, Duration::ZERO)
    }

    /// Puts chunks back: whoever has the file locked is waited for as long as `lock` says, and the change may take so much
    /// longer.
    pub(in crate::act) fn put_back_in_peace(
        &self,
        which: Which,
        lock: Duration,
        change: Duration,
    ) -> Result<Back, Failure> {
        if matches!(&which, Which::These(claims) if claims.is_empty()) {
            return Ok(Back { count: 0, left: 0 });
        }
        match self.ask(Errand::PutBack { which, lock }, lock + change) {
            Answer::PutBack { count, left } => Ok(Back { count, left }),
            Answer::Failed(failure) => Err(failure),
            Answer::Unchanged | Answer::Read(_) | Answer::Ready => Err(self.nonsense()),
        }
    }

    /// Whether chunks could be put back as it seems.
    pub(in crate::act) fn check(&self, within: Duration) -> Result<(), Failure> {
        match self.ask(Errand::Check, within) {
            Answer::Ready => Ok(()),
            Answer::Failed(failure) => Err(failure),
            Answer::Unchanged | Answer::Read(_) | Answer::PutBack { .. } => Err(self.nonsense()),
        }
    }

    fn ask(&self, errand: Errand, within: Duration) -> Answer {
        let until = clock::now().plus(within);
        let question = Question { cluster: self.cluster.clone(), user: self.user.clone(), errand, within };
        self.readers.ask(question).wait(until)
    }

    fn nonsense(&self) -> Failure {
        Failure {
            obstacle: Obstacle::Other,
            why: format!("{}: its reader did not do what it was asked for", self.cluster.database.display()),
        }
    }
}
