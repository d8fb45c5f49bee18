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

use super::bot_lines::{self, BotLines};
use super::cluster_lines;
use super::estop_words::local;
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
    /// What was last said of each bot.
    told_of: BTreeMap<BotName, BotLines>,
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
            told_of: BTreeMap::new(),
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
                if self.is_news(report) && self.speaks {
                    bot_lines::show(ESTOP, report, self.output);
                }
                // One that came back is ended again: its last report counts.
                self.reports.insert(report.name.clone(), (**report).clone());
                return;
            }
            // Told by whoever fired it, with its result.
            StopWord::Over(_) => {}
            // The stage of the whole says it.
            StopWord::Cluster(_) => {}
        }
        self.say_stages();
    }

    /// Says what is new.
    fn say_stages(&mut self) {
        if !self.speaks {
            return;
        }
        for Line { text, is_loud } in self.news() {
            self.output.line(&if is_loud { self.output.red(&text) } else { text });
        }
    }

    /// Whether what there is to say of a bot is something else than what was said of it last: while nothing is latched it is
    /// ended again and again.
    fn is_news(&mut self, report: &BotReport) -> bool {
        // How long it took each time, and when its orders were read, is no news.
        let mut seen = BotReport { duration_ms: 0, ..report.clone() };
        if let Some(orders) = &mut seen.orders {
            orders.read_at = None;
        }
        let lines = BotLines::of(ESTOP, &seen);
        self.told_of.insert(report.name.clone(), lines.clone()) != Some(lines)
    }

    /// Once of each stage what it came to; the latch first of all.
    fn news(&mut self) -> Vec<Line> {
        let latch = self.latch_line();
        // Chunks may be back before anybody has heard of the latch: that is said first all the same.
        let is_due = |line: &StageLine| match line.seen.stage {
            Stage::Lock => false,
            Stage::Chunks => latch.is_some(),
            Stage::Signal | Stage::Cancel | Stage::Flush | Stage::Empty | Stage::Verify | Stage::Report => true,
        };
        let stages = self.lines().into_iter().filter(is_due).filter_map(|line| {
            let is_loud = has_failed(line.seen.standing)?;
            let details = line.details.iter().filter(|_| is_loud).map(|detail| detail_line(detail));
            Some((Line { text: stage_line(&line), is_loud }, details.collect::<Vec<_>>()))
        });
        let stages: Vec<_> = stages.collect();
        let all = latch.map(|line| (line, Vec::new())).into_iter().chain(stages);
        let mut news = Vec::new();
        for (line, details) in all {
            if self.told.insert(line.text.clone()) {
                news.push(line);
                news.extend(details.into_iter().map(|text| Line { text, is_loud: false }));
            }
        }
        news
    }

    /// What is said first: as soon as the latch is there, or is known not to be.
    fn latch_line(&self) -> Option<Line> {
        let overall = self.overall.as_ref()?;
        let lock = overall.stages.iter().find(|seen| seen.stage == Stage::Lock)?;
        let failed = has_failed(lock.standing)?;
        let what = match (failed, overall.drill, overall.carries_on) {
            (true, _, _) => "NOT LATCHED",
            (false, true, _) => "DRILL",
            (false, false, true) => "LATCHED, carried on",
            (false, false, false) => "LATCHED",
        };
        let reason = overall.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let why = if failed { format!(" ({})", lock.text) } else { String::new() };
        let text = format!("{what}  {} by {}{reason}{why}", local(overall.at), overall.by);
        Some(Line { text: harmless(text.as_bytes()), is_loud: true })
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

    /// Shows every stage as it stands.
    pub(super) fn show_all(&self) {
        for line in self.lines() {
            let text = stage_line(&line);
            self.output.line(&if line.seen.standing == Standing::Failed { self.output.red(&text) } else { text });
            for detail in &line.details {
                self.output.line(&detail_line(detail));
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
        cluster_lines::show_reports(report, output);
        for note in &report.notes {
            output.line(&format!("NOTE     {}", harmless(note.as_bytes())));
        }
        for error in &report.errors {
            output.complain(&harmless(error.as_bytes()));
        }
        let summary = report.summary().map(|summary| format!("; {summary}")).unwrap_or_default();
        let line = format!("RESULT   exit code {}: {}{summary}", report.exit_code, report.sentence());
        output.line(&if report.exit_code == 0 { line } else { output.red(&line) });
    }
}

/// One line, and whether nobody may miss it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    text: String,
    is_loud: bool,
}

/// Whether something went wrong in a stage; nothing before it has come to something.
const fn has_failed(standing: Standing) -> Option<bool> {
    match standing {
        Standing::Ahead | Standing::UnderWay | Standing::Skipped => None,
        Standing::Done => Some(false),
        Standing::Failed => Some(true),
    }
}

fn detail_line(detail: &str) -> String {
    format!("          {}", harmless(detail.as_bytes()))
}

/// `SIGNAL   12 of 12 signalled (0.2 s)`.
fn stage_line(line: &StageLine) -> String {
    let seen = &line.seen;
    let standing = match seen.standing {
        Standing::Ahead if seen.text.is_empty() => "not yet",
        Standing::Ahead => "not yet: ",
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

#[cfg(test)]
mod tests {
    use crate::core::progress::StageSeen;

    use super::*;

    fn told(standing: Standing, text: &str, drill: bool) -> StopWord {
        StopWord::Overall(Box::new(Overall {
            id: "x".into(),
            by: "ana".into(),
            reason: Some("gone \u{1b}wild".into()),
            drill,
            carries_on: false,
            at: jiff::Timestamp::UNIX_EPOCH,
            elapsed_ms: 0,
            stages: vec![StageSeen { stage: Stage::Lock, standing, text: text.into(), took_ms: None }],
            bots: Vec::new(),
            cap_ms: 0,
            errors: Vec::new(),
        }))
    }

    #[test]
    fn the_latch_is_told_once_as_soon_as_anybody_knows() {
        let mut course = Course::silent(Output { json: false, color: false });
        let mut news = |word: &StopWord| -> Vec<String> {
            course.hear(word);
            course.news().into_iter().filter(|line| line.is_loud).map(|line| line.text).collect()
        };
        assert_eq!(news(&told(Standing::UnderWay, "", false)), [""; 0]);
        let failed = news(&told(Standing::Failed, "read-only file system", false));
        assert!(
            failed[0].starts_with("NOT LATCHED  ") && failed[0].ends_with(" (read-only file system)"),
            "{failed:?}"
        );
        assert_eq!(news(&told(Standing::Failed, "read-only file system", false)), [""; 0]);
        let made = news(&told(Standing::Done, "", false));
        assert!(made[0].starts_with("LATCHED  ") && made[0].contains(" by ana: gone "), "{made:?}");
        assert!(!made[0].contains('\u{1b}'), "{made:?}");
        assert!(news(&told(Standing::Done, "", true))[0].starts_with("DRILL  "));
    }

    #[test]
    fn what_was_said_of_a_bot_is_said_again_only_if_it_is_something_else() {
        let mut course = Course::silent(Output { json: false, color: false });
        let mut report = BotReport::new("a".parse().expect("a good name"));
        report.errors.push("pid 7 lives".into());
        assert!(course.is_news(&report));
        report.duration_ms = 30;
        assert!(!course.is_news(&report), "another round came to the same");
        assert!(course.is_news(&BotReport { name: "b".parse().expect("a good name"), ..report.clone() }));
        report.errors.push("pid 8 lives".into());
        assert!(course.is_news(&report) && !course.is_news(&report));
        let gone = BotReport { errors: Vec::new(), ..report.clone() };
        assert!(course.is_news(&gone) && course.is_news(&report), "it came back");
    }

    #[test]
    fn a_stage_is_a_line() {
        let line = |standing, text: &str, took_ms| {
            let seen = StageSeen { stage: Stage::Signal, standing, text: text.into(), took_ms };
            stage_line(&StageLine { seen, details: Vec::new() })
        };
        assert_eq!(line(Standing::Done, "12 of 12", Some(240)), "SIGNAL   12 of 12 (0.2 s)");
        assert_eq!(line(Standing::Failed, "EPERM", Some(1040)), "SIGNAL   FAILED: EPERM (1.0 s)");
        assert_eq!(line(Standing::Ahead, "", None), "SIGNAL   not yet");
        assert_eq!(line(Standing::Ahead, "counts, written down", None), "SIGNAL   not yet: counts, written down");
        assert_eq!(line(Standing::Skipped, "", None), "SIGNAL   nothing to do");
    }
}
