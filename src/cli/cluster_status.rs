//! `cluster status`: how clusters come along, and what of "running" is so.

use std::time::Duration;

use serde_json::json;

use crate::clock;
use crate::cluster::sight::see;
use crate::core::cluster_status::ClusterStatus;
use crate::core::code::Code;
use crate::readers::Readers;
use crate::survey::Surveyor;

use super::cluster_lines::{self, Seen};
use super::cluster_scope::known;
use super::desk::Desk;
use super::output::Output;

/// No file is waited for longer.
pub(super) const WITHIN: Duration = Duration::from_secs(10);

/// Tells of the configured clusters, or of these.
pub(super) fn run(desk: &Desk, names: &[String], output: Output) -> Code {
    let meant = match known(desk, names, output) {
        Ok(meant) => meant,
        Err(why) => {
            output.complain(&why);
            output.object(&json!({ "schema": 1, "ok": false, "exit_code": 2, "clusters": [], "errors": [why] }));
            return Code::Usage;
        }
    };
    let seen: Vec<Seen> = if meant.which.is_empty() {
        Vec::new()
    } else {
        let statuses = Surveyor::new(desk.home.clone()).look(&meant.bots);
        let sights = see(&desk.home, &Readers::new(), &meant.which, &meant.bots, &statuses, WITHIN);
        let now = clock::wall();
        sights.into_iter().map(|sight| Seen { status: sight.status_with_pace(&desk.home, now), sight }).collect()
    };
    if output.json {
        let clusters: Vec<&ClusterStatus> = seen.iter().map(|seen| &seen.status).collect();
        output.object(&json!({ "schema": 1, "at": clock::wall(), "clusters": clusters }));
    } else if seen.is_empty() && desk.config.is_some() {
        output.line("no clusters: none is configured");
    } else {
        cluster_lines::show(&seen, clock::wall(), output);
    }
    let failed = seen.iter().any(|seen| seen.status.error.is_some());
    // What could be seen is shown; that the configuration cannot be read is still said to scripts.
    Code::worst([
        if failed { Code::NotAsked } else { Code::Done },
        if desk.config.is_none() { Code::Usage } else { Code::Done },
    ])
}
