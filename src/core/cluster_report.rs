//! What became of a cluster's chunks: a part of the reports of `cluster start|stop|requeue`, `stop`, `estop`.

use serde::{Deserialize, Serialize};

use super::bot::BotName;
use super::chunk::Counts;
use super::code::Code;
use super::process_report::ProcessReport;

/// What became of one cluster. Counts that could not be read are absent, never 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterReport {
    /// The cluster.
    pub name: BotName,
    /// How many chunks were put back to pending, those included that were put back a second time; absent where that could
    /// not be done.
    pub reset: Option<u64>,
    /// How many of those were put back again, because somebody had claimed them in between.
    #[serde(default)]
    pub again: u64,
    /// How many are pending afterwards, by a reading after everything else.
    pub pending: Option<u64>,
    /// How many say that they run.
    pub running: Option<u64>,
    /// How many are completed.
    #[serde(default)]
    pub completed: Option<u64>,
    /// How many have failed.
    #[serde(default)]
    pub failed: Option<u64>,
    /// How many were completed between the first time that chunks were put back and the end of the last worker.
    #[serde(default)]
    pub finished_meanwhile: Option<u64>,
    /// Every process of its bots that was found.
    pub processes: Vec<ProcessReport>,
    /// Whether its database could not be asked, or not be written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Whether it was not touched: it was a drill, or something was refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untouched: bool,
    /// What went wrong.
    pub errors: Vec<String>,
    /// What else there is to know.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl ClusterReport {
    /// The report of a cluster of which nothing is known yet.
    pub fn new(name: BotName) -> Self {
        Self {
            name,
            reset: None,
            again: 0,
            pending: None,
            running: None,
            completed: None,
            failed: None,
            finished_meanwhile: None,
            processes: Vec::new(),
            unasked: false,
            untouched: false,
            errors: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// So many chunks were put back.
    pub fn put_back(&mut self, count: u64) {
        self.reset = Some(self.reset.unwrap_or(0) + count);
    }

    /// The counts of the last reading.
    pub fn read(&mut self, counts: Counts) {
        self.pending = Some(counts.pending);
        self.running = Some(counts.running);
        self.completed = Some(counts.completed);
        self.failed = Some(counts.failed);
    }

    /// What its part of the command comes to.
    pub fn code(&self) -> Code {
        match (self.unasked, self.errors.is_empty()) {
            (true, _) => Code::NotAsked,
            (false, false) => Code::Failed,
            (false, true) => Code::Done,
        }
    }

    /// What is known of them so far, in a line: counts that were not read yet are left out.
    pub fn short(&self) -> String {
        let line = self.line();
        line.replace(", pending unknown", "").replace(", running unknown", "")
    }

    /// This and another report of the same cluster, side by side: each is about other bots of it.
    #[must_use]
    pub fn beside(mut self, other: Self) -> Self {
        self.reset = match (self.reset, other.reset) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0) + other.unwrap_or(0)),
        };
        self.again += other.again;
        self.finished_meanwhile = None;
        // The last reading is the one that counts.
        self.pending = other.pending.or(self.pending);
        self.running = other.running.or(self.running);
        self.completed = other.completed.or(self.completed);
        self.failed = other.failed.or(self.failed);
        self.processes.extend(other.processes);
        self.unasked |= other.unasked;
        self.untouched &= other.untouched;
        for (own, others) in [(&mut self.errors, other.errors), (&mut self.notes, other.notes)] {
            let new: Vec<String> = others.into_iter().filter(|text| !own.contains(text)).collect();
            own.extend(new);
        }
        self
    }

    /// Its chunks in a line: `3 chunks put back, 3 pending`.
    pub fn line(&self) -> String {
        self.chunks("STILL RUNNING")
    }

    /// All of it in a line, behind its name: `nothing to kill (already stopped), 3 chunks put back, 3 pending`.
    pub fn told(&self, action: &str) -> String {
        match action {
            // Everything of it was to end.
            "cluster stop" => format!("{}, {}", self.killed(), self.line()),
            "estop" | "estop reset" => self.line(),
            // Others may go on with theirs.
            _ => self.chunks("running"),
        }
    }

    fn killed(&self) -> String {
        let processes = |count: usize| if count == 1 { "1 process".to_owned() } else { format!("{count} processes") };
        let ended = self.processes.iter().filter(|process| process.ended_by.is_some()).count();
        match (ended, self.processes.len() - ended) {
            (0, 0) => "nothing to kill (already stopped)".to_owned(),
            (_, 0) => format!("{} ended", processes(ended)),
            (0, living) => format!("{} NOT ENDED", processes(living)),
            (_, living) => format!("{} ended, {living} NOT ENDED", processes(ended)),
        }
    }

    fn chunks(&self, still: &str) -> String {
        if self.untouched {
            return "chunks not touched".to_owned();
        }
        let chunks = |count: u64| if count == 1 { "1 chunk".to_owned() } else { format!("{count} chunks") };
        let mut parts = vec![match (self.reset, self.again) {
            (None, _) => "chunks NOT PUT BACK".to_owned(),
            (Some(count), 0) => format!("{} put back", chunks(count)),
            (Some(count), again) => format!("{} put back ({again} of them a second time)", chunks(count)),
        }];
        if let Some(finished) = self.finished_meanwhile.filter(|finished| *finished > 0) {
            parts.push(format!("{finished} completed meanwhile"));
        }
        parts.push(self.pending.map_or_else(|| "pending unknown".to_owned(), |count| format!("{count} pending")));
        match self.running {
            Some(0) => {}
            Some(count) => parts.push(format!("{count} {still}")),
            None => parts.push("running unknown".to_owned()),
        }
        parts.join(", ")
    }

    /// This report, after an earlier one of the same cluster in the same emergency stop.
    #[must_use]
    pub fn after(mut self, earlier: Self) -> Self {
        self.reset = match (earlier.reset, self.reset) {
            (None, None) => None,
            (earlier, later) => Some(earlier.unwrap_or(0) + later.unwrap_or(0)),
        };
        self.again += earlier.again;
        for note in
            earlier.notes.into_iter().chain(earlier.errors.into_iter().map(|error| format!("at first: {error}")))
        {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::report::Report;

    fn report() -> ClusterReport {
        ClusterReport::new("sweep".parse().expect("a name"))
    }

    #[test]
    fn nothing_that_was_not_counted_is_said_to_be_none() {
        let mut seen = report();
        assert_eq!(seen.line(), "chunks NOT PUT BACK, pending unknown, running unknown");
        seen.put_back(3);
        seen.read(Counts { total: 9, pending: 3, completed: 6, ..Counts::default() });
        assert_eq!(seen.line(), "3 chunks put back, 3 pending");
        seen.put_back(1);
        seen.again = 1;
        seen.running = Some(1);
        seen.finished_meanwhile = Some(2);
        assert_eq!(
            seen.line(),
            "4 chunks put back (1 of them a second time), 2 completed meanwhile, 3 pending, 1 STILL RUNNING"
        );
    }

    #[test]
    fn what_was_ended_is_told_where_everything_was_to_end() {
        let mut seen = report();
        seen.put_back(3);
        seen.read(Counts { total: 9, pending: 3, completed: 6, ..Counts::default() });
        assert_eq!(seen.told("cluster stop"), "nothing to kill (already stopped), 3 chunks put back, 3 pending");
        let process = |ended_by: Option<&str>| ProcessReport {
            pid: 7,
            command: "work".into(),
            found_by: crate::core::process_report::Tier::Search,
            file: None,
            ended_by: ended_by.map(str::to_owned),
        };
        seen.processes = vec![process(Some("SIGTERM")), process(Some("itself"))];
        assert_eq!(seen.told("cluster stop"), "2 processes ended, 3 chunks put back, 3 pending");
        seen.processes.push(process(None));
        seen.running = Some(1);
        assert_eq!(
            seen.told("cluster stop"),
            "2 processes ended, 1 NOT ENDED, 3 chunks put back, 3 pending, 1 STILL RUNNING"
        );
        assert_eq!(seen.told("stop"), "3 chunks put back, 3 pending, 1 running");
        assert_eq!(seen.told("estop"), "3 chunks put back, 3 pending, 1 STILL RUNNING");
    }

    #[test]
    fn the_sentence_of_a_report_is_about_clusters_where_they_are_what_it_is_about() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let mut cluster = report();
        cluster.put_back(3);
        cluster.read(Counts { total: 9, pending: 3, completed: 6, ..Counts::default() });
        for (action, sentence) in [
            ("cluster stop", "cluster stop: sweep nothing to kill (already stopped), 3 chunks put back, 3 pending"),
            ("cluster requeue", "cluster requeue: sweep 3 chunks put back, 3 pending"),
            ("estop", "estop: no bot; chunks: sweep 3 chunks put back, 3 pending"),
        ] {
            let mut whole = Report::of(action, "ana", at, Vec::new());
            whole.add_clusters([cluster.clone()]);
            assert_eq!(whole.sentence(), sentence);
        }
    }

    #[test]
    fn what_a_dead_stopper_has_put_back_is_counted_too() {
        let mut earlier = report();
        earlier.put_back(3);
        earlier.errors.push("is locked".into());
        let mut later = report();
        later.put_back(1);
        let both = later.after(earlier);
        assert_eq!((both.reset, both.notes.as_slice()), (Some(4), &["at first: is locked".to_owned()][..]));
        assert_eq!(report().after(report()).reset, None);
    }
}
