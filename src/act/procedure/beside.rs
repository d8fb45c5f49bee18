//! What lives beside what a keeper has: which of it a stop ends, and what it says of the rest.

use crate::core::bot::BotName;
use crate::core::record::ProcessId;
use crate::core::report::{ProcessReport, Tier};
use crate::core::status::Voice;
use crate::core::words::masked;
use crate::process;
use crate::search::How;
use crate::survey::{Pass, Sight};

use super::stray::Stray;
use super::walk::Walk;

impl Walk<'_> {
    /// Strays that this stop ends, and words about those that it must not; how many of both.
    pub(super) fn take_in_strays(&mut self, pass: &Pass, sight: &Sight) -> (usize, usize) {
        let name = self.report.name.clone();
        let findings = pass.search.of(&name);
        // Of what this very stop has ended, nobody needs to know that its PID file is out of date.
        let ended = |pid| self.report.processes.iter().any(|process| process.pid == pid);
        if !findings.named.is_some_and(ended) {
            for note in &findings.notes {
                self.note_once(note);
            }
        }
        for error in findings.errors.iter().map(String::as_str).chain(pass.trouble.as_deref()) {
            self.error_once(error);
        }
        let (kept, run) = kept(sight);
        let (mut strays, mut shared) = (Vec::new(), 0);
        for finding in &findings.found {
            let is_kept =
                kept.contains(&finding.pid) || matches!(&finding.how, How::Mark(mark) if Some(mark) == run.as_ref());
            if is_kept {
                continue;
            }
            let whose: Vec<&BotName> = finding.shared_with.iter().chain([&name]).collect();
            if !whose.iter().all(|name| self.order.bots.contains(name)) {
                let others: Vec<&str> = finding.shared_with.iter().map(BotName::as_str).collect();
                self.error_once(&format!(
                    "pid {} ({}) may be its own or that of {}: left alone; stop them together to end it",
                    finding.pid,
                    masked(&finding.command),
                    others.join(", ")
                ));
                shared += 1;
                continue;
            }
            // What may belong to several that are all being stopped is ended once, by the first of them.
            let id = process::identify(finding.pid).filter(|id| id.start_time == finding.start_time);
            if whose.iter().min() != Some(&&name) {
                self.awaited.extend(id);
            } else if let Some(id) = id {
                let file = match &finding.how {
                    How::PidFile(file) => Some(file.clone()),
                    How::Mark(_) | How::Pattern => None,
                };
                let descendants = pass.table.descendants(finding.pid).into_iter().map(|row| row.pid);
                let family = descendants.chain([finding.pid]).collect();
                strays.push(Stray { id, tier: finding.tier, file: file.clone(), family });
                if !self.report.processes.iter().any(|process| process.pid == finding.pid) {
                    self.report.processes.push(ProcessReport {
                        pid: finding.pid,
                        command: finding.command.clone(),
                        found_by: finding.tier,
                        file,
                        ended_by: None,
                    });
                }
            }
        }
        // What lives in the tree of a bot that is being stopped as well goes with that one.
        for other in pass.elsewhere(&name).into_iter().filter(|other| !self.order.bots.contains(&other.bot)) {
            self.error_once(&format!("{other}: left alone"));
            shared += 1;
        }
        self.strays = strays;
        (self.strays.len(), shared)
    }

    pub(super) fn stray_ids(&self) -> Vec<ProcessId> {
        self.strays.iter().map(|stray| stray.id.clone()).collect()
    }

    /// How a process came to be known, that a keeper, or our own ladder, tells of.
    pub(super) fn tier_of(&self, pid: i32) -> (Tier, Option<String>) {
        if let Some(stray) = self.strays.iter().find(|stray| stray.family.contains(&pid)) {
            return (stray.tier, stray.file.clone());
        }
        match self.own_tier {
            // The record names the main process; what else there is was found by its mark, its lock or its parents.
            Some(Tier::PidFile) if self.report.pid != Some(pid) => (Tier::Search, None),
            Some(tier) => (tier, None),
            None => (self.strays.first().map_or(Tier::Keeper, |stray| stray.tier), None),
        }
    }
}

/// The processes that its keeper, or its run record, accounts for, and the run whose mark the others carry: no strays.
fn kept(sight: &Sight) -> (Vec<i32>, Option<String>) {
    let recorded = || sight.record().map(|record| record.run.clone());
    match &sight.evidence.voice {
        Voice::Said(snapshot) => {
            let alive = snapshot.processes.iter().filter(|process| process.alive);
            (alive.map(|process| process.pid).collect(), Some(snapshot.run.clone()))
        }
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) if sight.evidence.main_alive => {
            (sight.verdict.pid.into_iter().collect(), recorded())
        }
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => (Vec::new(), recorded()),
    }
}
