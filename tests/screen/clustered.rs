//! Clusters and what is read of them, for tests.

#![allow(dead_code, reason = "each of the tests uses some of it")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use botwarden::config;
use botwarden::core::bot::{BotSpec, Mode};
use botwarden::core::chunk::{Census, Chunk, CombinationsSeen, Counts, Value};
use botwarden::core::cluster::ClusterSpec;
use botwarden::core::state::State;
use botwarden::core::status::BotStatus;
use botwarden::tui::message::{ClusterNews, ClusterSeen, Msg, PaceFigures};
use botwarden::tui::model::Fixed;
use jiff::{SignedDuration, Timestamp};

use crate::screen::{Desk, alive, bot, bots};
use crate::trading::{self, name, now};

pub const SWEEP: &str =
    "[clusters.sweep-0412]\ndatabase = \"sweep.db\"\ncoordinator = \"coord\"\nworkers = [\"w1\", \"w2\"]\n";
pub const OTHER: &str = "[clusters.night]\ndatabase = \"night.db\"\nworkers = [\"w3\"]\n";

/// What the configuration says: the traders, the crew in this mode, and these clusters.
pub fn specs(mode: &str, clusters: &str) -> (Vec<BotSpec>, Vec<ClusterSpec>) {
    let mut text = String::new();
    for bot in ["coord", "w1", "w2", "w3"] {
        let _ = write!(text, "[bots.{bot}]\ncommand = [\"/bin/sweep\"]\nmode = \"{mode}\"\n");
    }
    text.push_str(clusters);
    let config = config::parse(std::path::Path::new("/desk/botwarden.toml"), &text).expect("no mistake");
    (trading::specs(&[]).into_iter().chain(config.bots).collect(), config.clusters)
}

/// The crew, all at work.
pub fn crew(mode: Mode) -> Vec<BotStatus> {
    let member = |name: &str, pid| alive(bot(name, mode, State::Running), pid, 3600);
    vec![member("coord", 700), member("w1", 701), member("w2", 702), member("w3", 703)]
}

/// The same, these not at work.
pub fn without(gone: &[&str]) -> Vec<BotStatus> {
    crew(Mode::Paper)
        .into_iter()
        .map(|member| {
            if gone.contains(&member.name.as_str()) {
                bot(member.name.as_str(), Mode::Paper, State::Crashed)
            } else {
                member
            }
        })
        .collect()
}

/// Everybody who is seen: the traders, and these.
pub fn seen(crew: Vec<BotStatus>) -> Msg {
    Msg::Survey(bots().into_iter().chain(crew).collect())
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

pub fn chunk(id: &str, worker: &str, seconds: i64) -> Chunk {
    Chunk {
        id: Value::Text(id.into()),
        worker: Value::Text(worker.into()),
        started: Value::Integer(ago(seconds).as_second()),
        started_at: Some(ago(seconds)),
        heard_at: None,
    }
}

/// A cluster in the middle of its work.
pub fn census() -> Census {
    Census {
        at: now(),
        counts: Counts { total: 1024, pending: 205, running: 4, completed: 812, failed: 3, other: 0 },
        strange: vec![],
        combinations: CombinationsSeen::default(),
        uncounted: None,
        running: vec![
            chunk("c815", "w2", 48),
            chunk("c816", "w2", 47),
            chunk("c813", "w1", 12),
            chunk("c814", "w1", 2),
        ],
        failed: vec![chunk("c17", "w2", 4000), chunk("c18", "w1", 3900), chunk("c44", "w1", 3000)],
        cost: Duration::from_millis(2),
        indexed: true,
        stamp: Some("1".into()),
    }
}

pub fn news(cluster: &str, seen: ClusterSeen) -> Msg {
    Msg::Cluster(Box::new(ClusterNews {
        cluster: name(cluster),
        every: Duration::from_secs(1),
        seen,
        pids: None,
        figures: Some(PaceFigures { per_minute: Some(41.0), eta_s: Some(306) }),
    }))
}

pub fn read(cluster: &str, census: Census) -> Msg {
    news(cluster, ClusterSeen::Read(Arc::new(census)))
}

pub fn failed(cluster: &str, why: &str) -> Msg {
    news(cluster, ClusterSeen::Failed { why: why.into(), missing: false })
}

/// A screen on a desk with these clusters, before any was read.
pub fn unread(width: u16, height: u16, fixed: Fixed, clusters: &str) -> Desk {
    let mut desk = Desk::with(width, height, fixed);
    let (specs, clusters) = specs("paper", clusters);
    desk.tell(Msg::Configuration(Ok(specs)));
    desk.tell(Msg::Clusters(clusters));
    desk.tell(seen(crew(Mode::Paper)));
    trading::all_orders(&mut desk);
    desk
}

/// One cluster that works.
pub fn desk(width: u16, height: u16) -> Desk {
    let mut desk = unread(width, height, Fixed { color: true, ..Fixed::default() }, SWEEP);
    desk.tell(read("sweep-0412", census()));
    desk
}
