//! What was done with a cluster's chunks stands in the desk's events: who did it, where, and what came of it.

use serde_json::{Map, json};

use crate::core::cluster_report::ClusterReport;
use crate::core::event::Kind;
use crate::journal;
use crate::paths::{Home, words};

/// Who did something with chunks.
pub(in crate::act) struct Doer<'a> {
    /// The word of the command.
    pub(in crate::act) action: &'a str,
    /// Who.
    pub(in crate::act) by: &'a str,
    /// At which terminal.
    pub(in crate::act) tty: Option<&'a str>,
    /// The id of the stop, if it is one.
    pub(in crate::act) stop: Option<&'a str>,
}

impl Doer<'_> {
    /// Writes down what this has come to so far. That it cannot be written is a phrase for the report.
    pub(in crate::act) fn remember(&self, home: &Home, report: &ClusterReport) -> Option<String> {
        let mut more = Map::new();
        more.insert("action".into(), json!(self.action));
        more.insert("by".into(), json!(self.by));
        more.insert("tty".into(), json!(self.tty));
        more.insert("stop".into(), json!(self.stop));
        more.insert("cluster".into(), json!(report.name));
        more.insert("reset".into(), json!(report.reset));
        more.insert("again".into(), json!(report.again));
        more.insert("pending".into(), json!(report.pending));
        more.insert("running".into(), json!(report.running));
        more.insert("errors".into(), json!(report.errors));
        let why = report.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        let text = format!("{} ({}): {}{why}", report.name, self.action, report.short());
        let written = journal::append(&home.events(), &journal::event(None, Kind::Cluster, text, more));
        written.err().map(|error| format!("cannot write to the desk's events: {}", words(&error)))
    }
}
