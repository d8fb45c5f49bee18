//! How an emergency stop goes, in lines: the latch first, every stage as it comes to something, every bot as it ends, and
//! what it comes to.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::procedure::{ESTOP, StopWord};
use crate::core::bot::BotName;
use crate::core::overall::{Overall, Part, StageLine, stages};
use crate::core::progress::{Progress, Standing};
use crate::core::report::{BotReport, Report};
use crate::core::stop::Stage;
use crate::logs::harmless::harmless;

use super::bot_lines;
use super::estop::local;
use super::output::Output;

/// What was heard of one, and what was said of it.
pub(super) struct Course {
    output: Output,
    /// Whether things are said as they are heard.
    speaks: bool,
    overall: Option<Overall>,
    progress: BTreeMap<BotName, Progress>,
    reports: BTreeMap<BotName, BotReport>,
    told: BTreeSet<String>,
}

impl Course {
    /// One that is shown as it goes.
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            speaks: true,
            overall: None,
            progress: BTreeMap::new(),
            reports: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// One of which is shown what is asked for.
    pub(super) fn silent(output: Output) -> Self {
        Self { speaks: false, ..Self::new(output) }
    }

    /// Takes a word in, and says what is new.
    pub(super) fn hear(&mut self, word: &StopWord) {
        match word {
            StopWord::Waiting { bot, what, .. } => {
                if self.speaks {
                    self.output.remark(&format!("{bot}: {what}"));
                }
            }
            StopWord::Progress(progress) => {
                self.progress.insert(progress.bot.clone(), (**progress).clone());
            }
            StopWord::Overall(overall) => self.overall = Some((**overall).clone()),
            StopWord::Bot(report) => {
                self.say_stages();
                if self.speaks {
                    bot_lines::show(ESTOP, report, self.output);
                }
                // One that came back is ended again: its last report counts.
                self.reports.insert(report.name.clone(), (**report).clone());
                return;
            }
            // Told by whoever fired it, with its result.
            StopWord::Over(_) => {}
        }
        self.say_stages();
    }

    /// Says once of each stage what it came to; the latch first of all.
    fn say_stages(&mut self) {
        if !self.speaks {
            return;
        }
        for line in self.lines() {
            let failed = match line.seen.standing {
                Standing::Ahead | Standing::UnderWay | Standing::Skipped => continue,
                Standing::Done => false,
                Standing::Failed => true,
            };
            let text = if line.seen.stage == Stage::Lock { self.lock_line(&line, failed) } else { stage_line(&line) };
            if self.told.insert(text.clone()) {
                self.output.line(&if failed || line.seen.stage == Stage::Lock { self.output.red(&text) } else { text });
                for detail in line.details.iter().filter(|_| failed) {
                    self.output.line(&format!("          {}", harmless(detail.as_bytes())));
                }
            }
        }
    }

    fn lines(&self) -> Vec<StageLine> {
        let Some(overall) = &self.overall else { return Vec::new() };
        let parts: Vec<Part<'_>> = overall
            .bots
            .iter()
            .map(|name| Part { name, progress: self.progress.get(name), report: self.reports.get(name) })
            .collect();
        stages(overall, &parts)
    }

    /// What is said first.
    fn lock_line(&self, line: &StageLine, failed: bool) -> String {
        let Some(overall) = &self.overall else { return String::new() };
        let what = match (failed, overall.drill, overall.carries_on) {
            (true, _, _) => "NOT LATCHED",
            (false, true, _) => "DRILL",
            (false, false, true) => "LATCHED, carried on",
            (false, false, false) => "LATCHED",
        };
        let reason = overall.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let why = if failed { format!(" ({})", line.seen.text) } else { String::new() };
        harmless(format!("{what}  {} by {}{reason}{why}", local(overall.at), overall.by).as_bytes())
    }

    /// Shows every stage as it stands.
    pub(super) fn show_all(&self) {
        for line in self.lines() {
            let text = stage_line(&line);
            self.output.line(&if line.seen.standing == Standing::Failed { self.output.red(&text) } else { text });
            for detail in &line.details {
                self.output.line(&format!("          {}", harmless(detail.as_bytes())));
            }
        }
    }

    /// Says what it came to: the orders that somebody must look at now, what could not be recorded, and the code.
    pub(super) fn result(&self, report: &Report) {
        let output = self.output;
        for (bot, orders) in report.bots.iter().filter_map(|bot| Some((&bot.name, bot.orders.as_ref()?))) {
            if orders.unconfirmed == 0 {
                continue;
            }
            let count = orders.unconfirmed;
            output.line(&output.red(&format!("NOT CONFIRMED CANCELED: {bot}: {count}; check at the venue")));
            for order in &orders.open {
                output.line(&output.red(&format!("          {}", harmless(order.name().as_bytes()))));
            }
        }
        for error in &report.errors {
            output.complain(&harmless(error.as_bytes()));
        }
        let summary = report.summary().map(|summary| format!("; {summary}")).unwrap_or_default();
        let line = format!("RESULT   exit code {}: {}{summary}", report.exit_code, report.sentence());
        output.line(&if report.exit_code == 0 { line } else { output.red(&line) });
    }
}

/// `SIGNAL   12 of 12 signalled (0.2 s)`.
fn stage_line(line: &StageLine) -> String {
    let seen = &line.seen;
    let standing = match seen.standing {
        Standing::Ahead => "not yet",
        Standing::UnderWay if seen.text.is_empty() => "under way",
        Standing::Done if seen.text.is_empty() => "done",
        Standing::Skipped if seen.text.is_empty() => "nothing to do",
        Standing::Failed if seen.text.is_empty() => "FAILED",
        Standing::Failed => "FAILED: ",
        Standing::UnderWay | Standing::Done | Standing::Skipped => "",
    };
    let took = seen.took_ms.map(|ms| format!(" ({}.{} s)", ms / 1000, ms % 1000 / 100)).unwrap_or_default();
    harmless(format!("{:<7}  {standing}{}{took}", seen.stage.word(), seen.text).as_bytes())
}
