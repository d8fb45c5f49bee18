//! What is asked of a cluster's database, and what comes back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::visible;
use crate::core::chunk::{Census, Chunk, Value};
use crate::core::cluster::ClusterSpec;

/// Something that is to be read from, or done to, a cluster's database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Which, and what its table is called.
    pub cluster: ClusterSpec,
    /// The user that its bots run as, if that is not ours: files that come to lie beside it must be theirs.
    pub user: Option<String>,
    /// What.
    pub errand: Errand,
    /// How long it may take.
    pub within: Duration,
}

impl Question {
    /// The file, harmless to a terminal: what an error begins with.
    pub fn place(&self) -> String {
        visible(&self.cluster.database.display().to_string()).into_owned()
    }

    /// Whether it changes anything: such a thing is never done twice because nobody knows whether it was done.
    pub const fn changes(&self) -> bool {
        matches!(self.errand, Errand::PutBack { .. })
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Errand {
    /// Count the chunks.
    Look {
        /// The stamp of an earlier reading: if nothing has changed since, nothing is read.
        known: Option<String>,
    },
    /// Set chunks to pending, and clear who claimed them and when; in one transaction that begins by locking.
    PutBack {
        /// Which.
        which: Which,
        /// Whoever has the file locked is waited for no longer: what remains is for the change itself.
        lock: Duration,
    },
    /// Find out whether chunks could be put back, without changing or locking anything.
    Check,
}

/// Which chunks are put back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// All that say that they run.
    Running,
    /// These, as long as they are as they were seen.
    These(Vec<Claim>),
}

/// One chunk, as it was seen: what somebody has claimed anew since is another claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What identifies it.
    pub id: Value,
    /// Whether it has failed; else it says that it runs.
    pub failed: bool,
    /// Who claimed it.
    pub worker: Value,
    /// When.
    pub started: Value,
}

impl Claim {
    /// A chunk as it was just seen.
    pub fn of(chunk: &Chunk, failed: bool) -> Self {
        Self { id: chunk.id.clone(), failed, worker: chunk.worker.clone(), started: chunk.started.clone() }
    }
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The file is as it was.
    Unchanged,
    /// Chunks were counted.
    Read(Box<Census>),
    /// Chunks were put back, and that is on disk.
    PutBack {
        /// So many.
        count: u64,
        /// So many of those that were chosen are not as they were seen any more, and were left alone.
        left: u64,
    },
    /// Nothing that can be seen stands in the way of putting chunks back.
    Ready,
    /// None of these.
    Failed(Failure),
}

/// Why nothing could be read or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What stands in the way.
    pub obstacle: Obstacle,
    /// A sentence that begins with the file, says what is the matter, and what can be done about it.
    pub why: String,
}

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// There is no such file, or nothing is in it yet: whoever makes it may not have begun.
    Missing,
    /// Another program has it locked: it may be tried again.
    Locked,
    /// Whoever was to do it did not answer: the file hangs, or it took too long.
    Silent,
    /// Anything else.
    Other,
}
