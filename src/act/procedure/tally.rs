//! What became of every process that was found, as far as anybody can tell.

use crate::clock::{self, millis};
use crate::core::exit::Exit;
use crate::core::report::{ExitReport, ProcessReport, StopOutcome, Tier};
use crate::core::signal::Signal;
use crate::journal;
use crate::process;
use crate::survey::Sight;

use super::walk::Walk;

impl Walk<'_> {
    /// What lives without a keeper, as far as one look shows: the next keeper may have ended it before it can be asked.
    pub(super) fn take_in_living(&mut self) {
        let Some(sight) = &self.sight else { return };
        let main = sight.record().and_then(|record| record.process.as_ref()).filter(|id| process::is_alive(id));
        let pids: Vec<i32> = main.map(|id| id.pid).into_iter().chain(sight.evidence.marked.iter().copied()).collect();
        for pid in pids {
            let known = self.report.processes.iter().any(|known| known.pid == pid);
            if !known && process::stat(pid).is_some_and(process::Stat::is_alive) {
                let (found_by, file) = self.tier_of(pid);
                let command = process::command_line(pid);
                self.report.processes.push(ProcessReport { pid, command, found_by, file, ended_by: None });
            }
        }
    }

    /// What ended those of which no keeper could tell us any more: the last signal that a keeper sent to their run.
    pub(super) fn told_last(&self) -> Option<Signal> {
        let run = &self.sight.as_ref().filter(|_| self.took)?.record()?.run;
        journal::signals_told(&self.home.bot(&self.report.name).events(), run).last().copied()
    }

    /// What is known only at the end.
    pub(super) fn settle(&mut self) {
        self.report.duration_ms = millis(clock::now().since(self.begun));
        if let Some(alone) = self.alone.take() {
            let (seen, exit) = alone.leave(!self.report.survived());
            self.take_in_processes(&seen);
            self.report.exit = exit.map(|exit| ExitReport { code: exit.code(), signal: exit.signal() });
        }
        let mut tiers: Vec<Tier> = self.report.processes.iter().map(|process| process.found_by).collect();
        tiers.extend(self.report.found_by.iter().copied());
        tiers.sort_unstable();
        tiers.dedup();
        self.report.found_by = tiers;
        if self.report.survived() {
            return;
        }
        // Everything was seen to be gone; who was never told went by itself.
        self.all_ended();
        if self.report.outcome == Some(StopOutcome::Stopped) && self.report.exit.is_none() && !self.report.restarted {
            let record = self.sight.as_ref().and_then(Sight::record);
            let exit = record.and_then(|record| record.ended.as_ref()).map(|ended| &ended.exit);
            self.report.exit = exit.map(|exit| ExitReport { code: exit.code(), signal: exit.signal() });
            if exit == Some(&Exit::Unknown) {
                self.note_once("how it ended is unknown: nobody who could have seen it was there");
            }
        }
    }

    /// Nothing that was seen lives any more: it went by what it was last sent.
    pub(super) fn all_ended(&mut self) {
        if self.report.processes.iter().all(|process| process.ended_by.is_some()) {
            return;
        }
        let (sent, told) = (&self.sent, self.told_last());
        for process in &mut self.report.processes {
            process.ended_by.get_or_insert_with(|| ended_by(sent.get(&process.pid).copied().or(told)));
        }
    }
}

/// The word for what ended a process that was last sent this.
pub(super) fn ended_by(sent: Option<Signal>) -> String {
    sent.map_or_else(|| "itself".to_owned(), |signal| signal.to_string())
}
