//! What became of a stop, restart or kill, in one sentence: the command line and the screen both say this one.

use super::report::{BotReport, ProcessReport, StopOutcome, Tier};

impl BotReport {
    /// What became of this bot, as a sentence of its own. `action` is the command: `stop`, `restart` or `kill`.
    pub fn sentence(&self, action: &str) -> String {
        let done = match (action, self.restarted) {
            ("restart", true) => "restarted",
            ("kill", _) => "killed",
            (_, _) => "stopped",
        };
        let not_again = if action == "restart" && !self.restarted { "; NOT started again" } else { "" };
        match self.outcome {
            None => self.orders_sentence(),
            Some(StopOutcome::NotRunning) if self.restarted => format!("started {}; nothing was running", self.name),
            // What could not be looked at, or may be its own, is told beside it.
            Some(StopOutcome::NotRunning) if !self.errors.is_empty() => {
                format!("nothing that is surely its own was running{not_again}")
            }
            Some(StopOutcome::NotRunning) => format!("nothing was running{not_again}"),
            Some(StopOutcome::Stopped) => format!("{done} {}{}{not_again}", self.name, self.how()),
            Some(StopOutcome::Survived) => format!("NOT STOPPED: {}", self.survivors(action)),
        }
    }

    /// What became of orders that were to be canceled while the bot goes on.
    fn orders_sentence(&self) -> String {
        match &self.orders {
            Some(orders) if orders.canceled + orders.filled + orders.open.len() as u64 == 0 => {
                "no order is open".to_owned()
            }
            Some(orders) => orders.summary(),
            None => "NOT CANCELED: its orders are unknown".to_owned(),
        }
    }

    /// The sentence, with the bot's name before it where it does not name it itself.
    pub fn line(&self, action: &str) -> String {
        let sentence = self.sentence(action);
        match self.outcome {
            Some(StopOutcome::Stopped) => sentence,
            Some(StopOutcome::NotRunning) if self.restarted => sentence,
            None | Some(StopOutcome::NotRunning | StopOutcome::Survived) => format!("{}: {sentence}", self.name),
        }
    }

    /// Which processes ended, by what, and how long that took.
    fn how(&self) -> String {
        let took = took(self.duration_ms);
        if self.processes.iter().any(|process| process.found_by != Tier::Keeper) {
            let took = took.map_or_else(String::new, |took| format!(" ({took})"));
            return format!(": killed {}: {}{took}", processes(self.processes.len()), self.tiers());
        }
        let main = self.pid.or_else(|| self.processes.first().map(|process| process.pid));
        let who = main.map(|pid| {
            let others = self.processes.iter().filter(|process| process.pid != pid).count();
            if others == 0 { format!("pid {pid}") } else { format!("pid {pid} and {others} more") }
        });
        let facts: Vec<String> = [who, self.ended_by(), took].into_iter().flatten().collect();
        if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) }
    }

    /// The signals that were sent, in the order of the processes and the last resort last; that a child ended by itself goes without saying once
    /// its parent was told.
    fn ended_by(&self) -> Option<String> {
        let mut signals: Vec<&str> = Vec::new();
        for by in self.processes.iter().filter_map(|process| process.ended_by.as_deref()).filter(|by| *by != ITSELF) {
            if !signals.contains(&by) {
                signals.push(by);
            }
        }
        signals.sort_by_key(|signal| *signal == "SIGKILL");
        if !signals.is_empty() {
            return Some(format!("by {}", signals.join(" and ")));
        }
        (!self.processes.is_empty()).then(|| "ended by itself".to_owned())
    }

    /// How many processes each way of finding them brought to light.
    fn tiers(&self) -> String {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for tier in [Tier::Keeper, Tier::PidFile, Tier::Search] {
            for process in self.processes.iter().filter(|process| process.found_by == tier) {
                let words = process.found();
                match counts.iter_mut().find(|(known, _)| *known == words) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((words, 1)),
                }
            }
        }
        counts.iter().map(|(words, count)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
    }

    /// Who lives, as far as it was seen.
    fn survivors(&self, action: &str) -> String {
        let alive: Vec<String> = self
            .processes
            .iter()
            .filter(|process| process.ended_by.is_none())
            .map(|process| process.pid.to_string())
            .collect();
        let Some((last, others)) = alive.split_last() else {
            return "something of it lives, or may".to_owned();
        };
        let mut text = if others.is_empty() {
            format!("pid {last} still lives")
        } else {
            format!("pid {} and {last} still live", others.join(", "))
        };
        // A ladder may end before it: only where it is known to have been sent is it said.
        let killed = |process: &ProcessReport| process.ended_by.as_deref() == Some("SIGKILL");
        if action == "kill" || self.processes.iter().any(killed) {
            text.push_str(" after SIGKILL");
        }
        text
    }
}

impl ProcessReport {
    /// How it was found, as a phrase that follows it.
    pub fn found(&self) -> String {
        match (self.found_by, &self.file) {
            (Tier::Keeper, _) => "kept".to_owned(),
            (Tier::PidFile, Some(file)) => format!("from {file}"),
            (Tier::PidFile, None) => "from its run record".to_owned(),
            (Tier::Search, _) => "found by search".to_owned(),
        }
    }

    /// What became of it, as a phrase that follows it.
    pub fn end(&self) -> String {
        match self.ended_by.as_deref() {
            None => "STILL LIVES".to_owned(),
            Some(ITSELF) => "ended by itself".to_owned(),
            Some(signal) => format!("ended by {signal}"),
        }
    }
}

/// What stands in a report for a process that nobody sent a signal.
const ITSELF: &str = "itself";

fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

/// A duration as `0.8 s`; nothing where none was measured.
fn took(ms: u64) -> Option<String> {
    if ms == 0 {
        return None;
    }
    // A stop that took less than a tenth of a second still took some time.
    let tenths = ((ms + 50) / 100).max(1);
    Some(format!("{}.{} s", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, found_by: Tier, ended_by: Option<&str>) -> ProcessReport {
        let ended_by = ended_by.map(str::to_owned);
        ProcessReport { pid, command: "python3 run_bot.py".into(), found_by, file: None, ended_by }
    }

    fn report(outcome: StopOutcome, processes: Vec<ProcessReport>) -> BotReport {
        let mut report = BotReport::new("momentum".parse().expect("a name"));
        report.outcome = Some(outcome);
        report.duration_ms = 750;
        report.pid = processes.first().map(|process| process.pid);
        report.processes = processes;
        report
    }

    #[test]
    fn every_end_of_a_stop_has_its_sentence() {
        use StopOutcome::{NotRunning, Stopped, Survived};
        use Tier::{Keeper, PidFile, Search};
        let term = |pid, tier| process(pid, tier, Some("SIGTERM"));
        let filed = |pid, file: &str| ProcessReport { file: Some(file.into()), ..term(pid, PidFile) };
        for (action, outcome, processes, said) in [
            ("stop", NotRunning, vec![], "nothing was running"),
            ("kill", NotRunning, vec![], "nothing was running"),
            ("restart", NotRunning, vec![], "nothing was running; NOT started again"),
            ("stop", Stopped, vec![], "stopped momentum (0.8 s)"),
            ("stop", Stopped, vec![term(12345, Keeper)], "stopped momentum (pid 12345, by SIGTERM, 0.8 s)"),
            (
                "stop",
                Stopped,
                vec![term(1, Keeper), process(2, Keeper, Some("itself"))],
                "stopped momentum (pid 1 and 1 more, by SIGTERM, 0.8 s)",
            ),
            (
                "stop",
                Stopped,
                (1..=5).map(|pid| term(pid, Keeper)).collect(),
                "stopped momentum (pid 1 and 4 more, by SIGTERM, 0.8 s)",
            ),
            (
                "stop",
                Stopped,
                vec![process(1, Keeper, Some("SIGKILL")), term(2, Keeper)],
                "stopped momentum (pid 1 and 1 more, by SIGTERM and SIGKILL, 0.8 s)",
            ),
            (
                "stop",
                Stopped,
                vec![process(7, Keeper, Some("itself"))],
                "stopped momentum (pid 7, ended by itself, 0.8 s)",
            ),
            ("kill", Stopped, vec![process(7, Keeper, Some("SIGKILL"))], "killed momentum (pid 7, by SIGKILL, 0.8 s)"),
            (
                "restart",
                Stopped,
                vec![term(7, Keeper)],
                "stopped momentum (pid 7, by SIGTERM, 0.8 s); NOT started again",
            ),
            (
                "stop",
                Stopped,
                vec![term(3, Search), term(1, Keeper), filed(2, "data/bot.pid")],
                "stopped momentum: killed 3 processes: 1 kept, 1 from data/bot.pid, 1 found by search (0.8 s)",
            ),
            (
                "stop",
                Stopped,
                vec![filed(2, "a.pid"), filed(3, "b.pid"), term(4, Search), term(5, Search)],
                "stopped momentum: killed 4 processes: 1 from a.pid, 1 from b.pid, 2 found by search (0.8 s)",
            ),
            (
                "stop",
                Stopped,
                vec![term(2, PidFile)],
                "stopped momentum: killed 1 process: 1 from its run record (0.8 s)",
            ),
            ("stop", Survived, vec![], "NOT STOPPED: something of it lives, or may"),
            ("stop", Survived, vec![process(9, Keeper, None)], "NOT STOPPED: pid 9 still lives"),
            ("kill", Survived, vec![process(9, Keeper, None)], "NOT STOPPED: pid 9 still lives after SIGKILL"),
            (
                "stop",
                Survived,
                vec![process(8, Keeper, Some("SIGKILL")), process(4711, Search, None)],
                "NOT STOPPED: pid 4711 still lives after SIGKILL",
            ),
            (
                "restart",
                Survived,
                vec![process(1, Keeper, None), process(2, Keeper, None), process(3, Search, None)],
                "NOT STOPPED: pid 1, 2 and 3 still live",
            ),
        ] {
            assert_eq!(report(outcome, processes).sentence(action), said, "{action}");
        }
    }

    #[test]
    fn a_restart_tells_of_the_new_run_and_of_the_old_one() {
        let again = |outcome, processes| BotReport { restarted: true, ..report(outcome, processes) };
        let old = vec![process(7, Tier::Keeper, Some("SIGTERM"))];
        assert_eq!(
            again(StopOutcome::Stopped, old).sentence("restart"),
            "restarted momentum (pid 7, by SIGTERM, 0.8 s)"
        );
        assert_eq!(again(StopOutcome::NotRunning, vec![]).sentence("restart"), "started momentum; nothing was running");
    }

    #[test]
    fn a_time_that_nobody_took_is_not_told() {
        let untimed = |mut report: BotReport| {
            report.duration_ms = 0;
            report.sentence("stop")
        };
        let kept = vec![process(7, Tier::Keeper, Some("SIGTERM"))];
        let stray = vec![process(7, Tier::Search, Some("SIGTERM"))];
        assert_eq!(untimed(report(StopOutcome::Stopped, kept)), "stopped momentum (pid 7, by SIGTERM)");
        assert_eq!(
            untimed(report(StopOutcome::Stopped, stray)),
            "stopped momentum: killed 1 process: 1 found by search"
        );
        assert_eq!(untimed(report(StopOutcome::Stopped, vec![])), "stopped momentum");
        for (ms, words) in [(1, "0.1 s"), (100, "0.1 s"), (800, "0.8 s"), (30_000, "30.0 s"), (61_001, "61.0 s")] {
            assert_eq!(took(ms).as_deref(), Some(words));
        }
    }
}
