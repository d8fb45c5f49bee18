//! One bot's stop, as far as it was told: what was seen, what the bot says, and where it is in a few words.

use std::fmt::Write;
use std::time::Duration;

use crate::core::bot::{BotName, Mode};
use crate::core::cluster_report::ClusterReport;
use crate::core::moment::Moment;
use crate::core::progress::{Progress, Standing};
use crate::core::report::{BotReport, ClaimsReport, OrdersReport};
use crate::core::stop::Stage;

use super::deed::{Deed, Picked};
use super::message::Ticket;
use super::text;

/// One bot of it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The bot.
    pub name: BotName,
    /// Its mode.
    pub mode: Option<Mode>,
    /// What is done to it.
    pub deed: Deed,
    /// Where only some of its orders are to be canceled: which.
    pub chosen: Option<Picked>,
    /// By which run.
    pub(super) ticket: Ticket,
    /// When something was last said of it.
    pub(super) heard: Moment,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// What became of it.
    pub report: Option<BotReport>,
    /// The sentence of the footer.
    pub told: Option<(bool, String)>,
}

impl Watched {
    /// One of which nothing was said yet.
    pub(super) const fn new(name: BotName, deed: Deed, ticket: Ticket, now: Moment) -> Self {
        Self { name, mode: None, deed, chosen: None, ticket, heard: now, progress: None, report: None, told: None }
    }

    /// What is known of its orders.
    pub fn orders(&self) -> Option<&OrdersReport> {
        match &self.report {
            Some(report) => report.orders.as_ref(),
            None => self.progress.as_ref()?.orders.as_ref(),
        }
    }

    /// What it says of its shutdown.
    pub fn claims(&self) -> ClaimsReport {
        match (&self.report, &self.progress) {
            (Some(report), _) => report.claims.clone(),
            (None, Some(progress)) => progress.claims.clone(),
            (None, None) => ClaimsReport::default(),
        }
    }

    /// Whether its state file was seen to be written since it was told to stop.
    pub fn state_written(&self) -> Option<bool> {
        match &self.report {
            Some(report) => report.state_written,
            None => self.progress.as_ref()?.state_written,
        }
    }

    /// Whether its state is on disk, by what it says and what was seen.
    pub fn state_flushed(&self) -> Option<bool> {
        match &self.report {
            Some(report) => report.state_flushed,
            None => self.progress.as_ref()?.state_flushed,
        }
    }

    /// Processes of it that live.
    pub fn running(&self) -> Vec<i32> {
        match (&self.report, &self.progress) {
            (Some(report), _) if report.survived() => report
                .processes
                .iter()
                .filter(|process| process.ended_by.is_none())
                .map(|process| process.pid)
                .collect(),
            (Some(_), _) | (None, None) => Vec::new(),
            (None, Some(progress)) => progress.processes_left.clone(),
        }
    }

    /// Everything that went wrong with it.
    pub fn errors(&self) -> Vec<&str> {
        let reported = self.report.iter().flat_map(|report| &report.errors);
        let before = self.progress.iter().flat_map(|progress| &progress.errors);
        let mut errors: Vec<&str> = Vec::new();
        // What the report leaves out was seen all the same.
        for error in reported.chain(before) {
            if !errors.contains(&error.as_str()) {
                errors.push(error);
            }
        }
        errors
    }

    /// How many things went wrong with it: cancelations, or where more than those is told, all that is told. Its own line
    /// and the line of totals count by this.
    pub fn error_count(&self) -> u64 {
        self.orders().map_or(0, |orders| orders.errors).max(self.errors().len() as u64)
    }

    /// Whether somebody should look at it.
    pub fn has_trouble(&self) -> bool {
        let open = self.report.is_some() && self.orders().is_some_and(|orders| orders.unconfirmed > 0);
        let survived = self.report.as_ref().is_some_and(BotReport::survived);
        open || survived || !self.errors().is_empty() || self.claims_too_much()
    }

    /// Whether what it says is more than what was seen, as far as everything was seen.
    pub fn claims_too_much(&self) -> bool {
        let claims = self.claims();
        let orders = self.orders().filter(|orders| orders.verified);
        let canceled = orders.zip(claims.orders_canceled).is_some_and(|(seen, said)| said > seen.canceled);
        let flushed = claims.state_flushed == Some(true) && self.state_flushed() == Some(false);
        canceled || flushed
    }

    /// How long it has taken so far.
    pub fn elapsed(&self, now: Moment) -> Duration {
        match (&self.report, &self.progress) {
            (Some(report), _) => Duration::from_millis(report.duration_ms),
            (None, Some(progress)) => Duration::from_millis(progress.elapsed_ms) + now.since(self.heard),
            (None, None) => now.since(self.heard),
        }
    }

    /// What it waits for: `pid 48220; SIGKILL in 6 s`.
    pub fn waiting(&self, now: Moment) -> Option<(String, Option<String>)> {
        if self.report.is_some() {
            return None;
        }
        let waiting = self.progress.as_ref()?.waiting.as_ref()?.later(now.since(self.heard));
        Some((waiting.what.clone(), waiting.then_sentence()))
    }

    /// Where it is, in a few words: `CANCEL 2 of 4 verified, 1 error; SIGKILL in 6 s`.
    pub fn standing(&self, now: Moment) -> String {
        let Some(progress) = &self.progress else { return "asked".to_owned() };
        let at = |standing: Standing| progress.stages.iter().find(|seen| seen.standing == standing);
        let mut line = match at(Standing::UnderWay).or_else(|| at(Standing::Ahead)) {
            Some(seen) => {
                let word = seen.stage.word();
                if seen.text.is_empty() { word.to_owned() } else { format!("{word} {}", seen.text) }
            }
            None => Stage::Report.word().to_owned(),
        };
        match self.error_count() {
            0 => {}
            1 => line.push_str(", 1 error"),
            errors => _ = write!(line, ", {errors} errors"),
        }
        match self.waiting(now) {
            Some((_, Some(then))) => format!("{line}; {then}"),
            Some((what, None)) => format!("{line}; waiting: {what}"),
            None => line,
        }
    }
}

/// A stop of which nothing was said yet.
pub(super) fn blank(name: &BotName, mode: Option<Mode>) -> Progress {
    Progress::new(name.clone(), mode)
}

fn clean(texts: &mut [String]) {
    for line in texts {
        *line = text::harmless(&line.replace(['\r', '\n'], " "));
    }
}

/// The same, harmless.
pub(super) fn cleaned(mut progress: Progress) -> Progress {
    clean(&mut progress.errors);
    for seen in &mut progress.stages {
        clean(std::slice::from_mut(&mut seen.text));
    }
    if let Some(waiting) = &mut progress.waiting {
        clean(std::slice::from_mut(&mut waiting.what));
        clean(waiting.then.as_mut_slice());
    }
    progress
}

/// The same, harmless.
/// The same of a cluster.
pub(super) fn clean_cluster(mut report: ClusterReport) -> ClusterReport {
    clean(&mut report.errors);
    clean(&mut report.notes);
    report
}

pub(super) fn clean_report(mut report: BotReport) -> BotReport {
    clean(&mut report.errors);
    clean(&mut report.notes);
    report
}
