//! What a cluster is meant to be: a table of chunks, and the bots that work through it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bot::BotName;

/// Everything that the configuration says of one cluster, its path absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Its name. A bot may have the same one: they are never asked for in the same place.
    pub name: BotName,
    /// The SQLite file that its chunks are in.
    pub database: PathBuf,
    /// The table of chunks.
    pub table: String,
    /// What the table calls its columns.
    pub columns: ChunkColumns,
    /// What the table calls the states of a chunk.
    pub values: ChunkValues,
    /// SQL expressions over the table that count combinations.
    pub combinations: Combinations,
    /// The bot that hands out chunks.
    pub coordinator: Option<BotName>,
    /// The bots that work on chunks, every instance by its own name.
    pub workers: Vec<BotName>,
    /// A chunk that has run longer than this without news is suspect.
    pub lease: Duration,
}

impl ClusterSpec {
    /// The table, when the configuration names none.
    pub const TABLE: &'static str = "chunks";
    /// The lease, when the configuration names none.
    pub const LEASE: Duration = Duration::from_mins(10);

    /// Every bot of the cluster, the coordinator first: while it lives, it hands out chunks again.
    pub fn bots(&self) -> impl Iterator<Item = &BotName> {
        self.coordinator.iter().chain(&self.workers)
    }
}

/// The names of the columns of a table of chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkColumns {
    /// What identifies a chunk.
    pub id: String,
    /// Its state, one of [`ChunkValues`].
    pub status: String,
    /// Who works on it.
    pub worker: String,
    /// Since when.
    pub started_at: String,
    /// When the worker last said that it is alive, if it says so.
    pub heartbeat: Option<String>,
}

impl Default for ChunkColumns {
    fn default() -> Self {
        Self {
            id: "id".to_owned(),
            status: "status".to_owned(),
            worker: "assigned_worker".to_owned(),
            started_at: "started_at".to_owned(),
            heartbeat: None,
        }
    }
}

/// The words that a table of chunks has for the states of a chunk, all different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkValues {
    /// Nobody works on it yet.
    pub pending: String,
    /// Somebody works on it.
    pub running: String,
    /// It is done.
    pub completed: String,
    /// It was given up.
    pub failed: String,
}

impl Default for ChunkValues {
    fn default() -> Self {
        Self {
            pending: "pending".to_owned(),
            running: "running".to_owned(),
            completed: "completed".to_owned(),
            failed: "failed".to_owned(),
        }
    }
}

/// How combinations are counted, where a chunk holds more than one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Combinations {
    /// All there are.
    pub total: Option<String>,
    /// Those that are done.
    pub tested: Option<String>,
}
