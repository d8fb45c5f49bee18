//! An emergency stop as a whole: what is told of it beside the progress of each bot, and every stage of it over all bots in
//! one line, for whoever watches on a command line or on a screen.

use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::bot::BotName;
use super::progress::{Progress, StageSeen, Standing, Waiting};
use super::report::{BotReport, OrdersReport, StopOutcome};
use super::stop::Stage;

/// What is told of an emergency stop as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overall {
    /// Its id.
    pub id: String,
    /// Who fired it.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it is a drill.
    pub drill: bool,
    /// Whether it goes on with one whose stopper died.
    pub carries_on: bool,
    /// When it was fired.
    pub at: Timestamp,
    /// How long ago that was when this was said, in milliseconds.
    pub elapsed_ms: u64,
    /// The stages that are not those of single bots: LOCK (the latch), CHUNKS, VERIFY (the last look at everything) and
    /// REPORT. Of the others, every bot's own progress tells.
    pub stages: Vec<StageSeen>,
    /// Every bot that it is about, as far as it is known by now.
    pub bots: Vec<BotName>,
    /// No rung of any ladder waits longer, in milliseconds.
    pub cap_ms: u64,
    /// What went wrong beside the bots, so far.
    pub errors: Vec<String>,
}

/// What is known of one bot's part in it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The bot.
    pub name: &'a BotName,
    /// How far it has come; absent before it said so.
    pub progress: Option<&'a Progress>,
    /// What became of it; absent before its end.
    pub report: Option<&'a BotReport>,
}

/// One stage over all bots, in one line, with what there is to say of single bots below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageLine {
    /// The stage, how it stands as a whole, what there is to say of it, how long it took.
    pub seen: StageSeen,
    /// What there is to say of single bots: those that something is waited for, or went wrong with.
    pub details: Vec<String>,
}

/// What a stage is for, where there is nothing to say of it yet. The guard before an emergency stop says it too.
pub const fn purpose(stage: Stage) -> &'static str {
    match stage {
        Stage::Lock => "nothing can start any more, until it is reset",
        Stage::Chunks => "running chunks of clusters -> pending",
        Stage::Signal => "every bot told to stop",
        Stage::Cancel => "open orders, wherever they can be canceled",
        Stage::Flush => "what bots say of their state, and whether it is so",
        Stage::Empty => "every process tree",
        Stage::Verify => "orders read again, process table searched again",
        Stage::Report => "counts, written down",
    }
}

/// Every stage over all bots, in their order.
pub fn stages(overall: &Overall, parts: &[Part<'_>]) -> Vec<StageLine> {
    let unheard = overall.bots.iter().filter(|bot| !parts.iter().any(|part| part.name == *bot)).count();
    Stage::ALL.iter().map(|stage| line(overall, parts, unheard, *stage)).collect()
}

fn line(overall: &Overall, parts: &[Part<'_>], unheard: usize, stage: Stage) -> StageLine {
    if let Some(own) = overall.stages.iter().find(|seen| seen.stage == stage) {
        let mut seen = own.clone();
        if seen.text.is_empty() && seen.standing == Standing::Ahead {
            purpose(stage).clone_into(&mut seen.text);
        }
        // Of the last look at everything each bot has a part, and whoever hangs in it is named.
        let hangs = stage == Stage::Verify && !matches!(seen.standing, Standing::Done | Standing::Failed);
        let busy = |part: &&Part<'_>| hangs && part.standing(stage) == Standing::UnderWay;
        return StageLine { seen, details: parts.iter().filter(busy).filter_map(|part| part.detail(stage)).collect() };
    }
    let standing = together(parts, unheard, stage);
    let text = match stage {
        _ if standing == Standing::Ahead => purpose(stage).to_owned(),
        Stage::Lock | Stage::Chunks | Stage::Verify | Stage::Report => String::new(),
        Stage::Signal => signal(overall, parts, unheard),
        Stage::Cancel => cancel(parts),
        Stage::Flush => flush(parts),
        Stage::Empty => empty(parts, unheard),
    };
    let took_ms = parts.iter().filter_map(|part| part.seen(stage)?.took_ms).max();
    let seen = StageSeen { stage, standing, text, took_ms };
    StageLine { seen, details: parts.iter().filter_map(|part| part.detail(stage)).collect() }
}

/// How a stage stands where every bot has one of its own.
fn together(parts: &[Part<'_>], unheard: usize, stage: Stage) -> Standing {
    let each: Vec<Standing> = parts.iter().map(|part| part.standing(stage)).collect();
    let any = |standing: Standing| each.contains(&standing);
    let all = |standing: Standing| !each.is_empty() && each.iter().all(|one| *one == standing);
    if each.is_empty() || all(Standing::Ahead) {
        Standing::Ahead
    } else if unheard > 0 || any(Standing::Ahead) || any(Standing::UnderWay) {
        Standing::UnderWay
    } else if any(Standing::Failed) {
        Standing::Failed
    } else if all(Standing::Skipped) {
        Standing::Skipped
    } else {
        Standing::Done
    }
}

impl Part<'_> {
    fn seen(&self, stage: Stage) -> Option<&StageSeen> {
        self.progress?.stages.iter().find(|seen| seen.stage == stage)
    }

    /// How a stage of this bot stands: what its end says, else what it says itself.
    fn standing(&self, stage: Stage) -> Standing {
        let seen = self.seen(stage).map_or(Standing::Ahead, |seen| seen.standing);
        let Some(report) = self.report else {
            // Whatever was said of it: a tree in which something lives is not empty.
            let is_over = matches!(seen, Standing::Done | Standing::Skipped);
            return if stage == Stage::Empty && is_over && self.living() > 0 { Standing::UnderWay } else { seen };
        };
        let told = match seen {
            // It is over, whatever was said of it last.
            Standing::Ahead | Standing::UnderWay => Standing::Done,
            Standing::Done | Standing::Skipped | Standing::Failed => seen,
        };
        let open = report.orders.as_ref().is_some_and(|orders| orders.unconfirmed > 0);
        match stage {
            Stage::Empty if report.survived() => Standing::Failed,
            Stage::Cancel if open || report.unasked => Standing::Failed,
            Stage::Flush if report.state_flushed == Some(false) => Standing::Failed,
            Stage::Lock
            | Stage::Chunks
            | Stage::Signal
            | Stage::Cancel
            | Stage::Flush
            | Stage::Empty
            | Stage::Verify
            | Stage::Report => told,
        }
    }

    fn orders(&self) -> Option<&OrdersReport> {
        match self.report {
            Some(report) => report.orders.as_ref(),
            None => self.progress?.orders.as_ref(),
        }
    }

    fn state_flushed(&self) -> Option<bool> {
        match self.report {
            Some(report) => report.state_flushed,
            None => self.progress?.state_flushed,
        }
    }

    /// Processes of it that live, as far as is known.
    fn living(&self) -> usize {
        match (self.report, self.progress) {
            (Some(report), _) if report.survived() => {
                report.processes.iter().filter(|process| process.ended_by.is_none()).count()
            }
            (Some(_), _) | (None, None) => 0,
            (None, Some(progress)) => progress.processes_left.len(),
        }
    }

    /// The stage that what is waited for holds up: of several the tree that is to be empty, on which all else waits.
    fn waits_in(&self) -> Option<Stage> {
        const BY_WEIGHT: [Stage; 8] = [
            Stage::Empty,
            Stage::Cancel,
            Stage::Verify,
            Stage::Signal,
            Stage::Flush,
            Stage::Chunks,
            Stage::Lock,
            Stage::Report,
        ];
        BY_WEIGHT.into_iter().find(|stage| self.standing(*stage) == Standing::UnderWay)
    }

    /// What there is to say of this bot in a stage: what is waited for, or what went wrong.
    fn detail(&self, stage: Stage) -> Option<String> {
        let said = self.seen(stage).map(|seen| seen.text.as_str()).filter(|text| !text.is_empty());
        // What is said of processes says nothing any more once they are gone.
        let gone =
            stage != Stage::Empty && !matches!(self.standing(Stage::Empty), Standing::Ahead | Standing::UnderWay);
        let progress = self.progress.filter(|_| self.report.is_none() && !gone);
        let waiting = progress.and_then(|progress| progress.waiting.as_ref());
        match (stage, self.standing(stage)) {
            (_, Standing::UnderWay) if waiting.is_some() && self.waits_in() == Some(stage) => {
                let waiting = waiting.map(Waiting::sentence);
                // The tree's own line counts already what there is to say of it.
                let said = said.filter(|_| stage != Stage::Empty).map(str::to_owned);
                let words: Vec<String> = said.into_iter().chain(waiting).collect();
                Some(format!("{}: {}", self.name, words.join("; ")))
            }
            // A source or a command that hangs says nothing, and is what everybody waits for.
            (Stage::Cancel, Standing::UnderWay) if said.is_none() => {
                let what = if self.orders().is_some() { "canceled" } else { "read" };
                Some(format!("{}: its orders are being {what}", self.name))
            }
            (Stage::Verify, Standing::UnderWay) => {
                Some(format!("{}: {}", self.name, said.unwrap_or("its orders are being read again")))
            }
            (Stage::Empty, Standing::Failed) => Some(format!("{}: something of it LIVES", self.name)),
            (Stage::Cancel, Standing::Failed) if self.report.is_some() => {
                let open = self.orders().map_or(0, |orders| orders.unconfirmed);
                let orders = if open == 1 { "order" } else { "orders" };
                let more = said.map(|text| format!(" ({text})")).unwrap_or_default();
                Some(match open {
                    0 => format!("{}: its orders could not be read{more}", self.name),
                    open => format!("{}: {open} {orders} NOT CONFIRMED canceled{more}", self.name),
                })
            }
            (Stage::Cancel | Stage::Flush, Standing::UnderWay) | (_, Standing::Failed) => {
                Some(format!("{}: {}", self.name, said.unwrap_or("something went wrong")))
                    .filter(|_| said.is_some() || self.standing(stage) == Standing::Failed)
            }
            (_, Standing::Ahead | Standing::UnderWay | Standing::Done | Standing::Skipped) => None,
        }
    }
}

fn bots(count: usize) -> String {
    if count == 1 { "1 bot".to_owned() } else { format!("{count} bots") }
}

fn signal(overall: &Overall, parts: &[Part<'_>], unheard: usize) -> String {
    let past = |part: &&Part<'_>| match part.standing(Stage::Signal) {
        Standing::Done | Standing::Failed | Standing::Skipped => true,
        Standing::Ahead | Standing::UnderWay => false,
    };
    let told = parts.iter().filter(past).count();
    let all = overall.bots.len().max(parts.len() + unheard);
    let idle = |part: &&Part<'_>| match (part.standing(Stage::Signal), part.report) {
        (Standing::Skipped, _) => true,
        (_, Some(report)) => report.outcome == Some(StopOutcome::NotRunning),
        (Standing::Ahead | Standing::UnderWay | Standing::Done | Standing::Failed, None) => false,
    };
    let idle = parts.iter().filter(idle).count();
    match idle {
        0 => format!("{told} of {} told to stop", bots(all)),
        // Nobody tells anything to what does not run.
        idle if idle == all => format!("nothing ran of {}", bots(all)),
        idle => format!("{} of {} told to stop, nothing ran of {idle}", told.saturating_sub(idle), bots(all - idle)),
    }
}

fn cancel(parts: &[Part<'_>]) -> String {
    let sum = |figure: fn(&OrdersReport) -> u64| parts.iter().filter_map(Part::orders).map(figure).sum::<u64>();
    let (canceled, filled, open) = (sum(|of| of.canceled), sum(|of| of.filled), sum(|of| of.unconfirmed));
    let errors = sum(|of| of.errors);
    // What was placed after the first look counts as well.
    let before = sum(|of| {
        let seen = of.canceled + of.filled + of.unconfirmed + of.skipped + of.kept;
        of.before.unwrap_or(seen).max(seen)
    });
    let mut text = match before {
        0 => "0 open".to_owned(),
        before => format!("{} of {before} verified: {canceled} canceled, {filled} filled", canceled + filled),
    };
    let figures = [
        (open, "open"),
        (errors, if errors == 1 { "ERROR" } else { "ERRORS" }),
        (sum(|of| of.skipped), "skipped (dry-run)"),
        (sum(|of| of.kept), "kept by policy"),
    ];
    for (count, what) in figures {
        if count > 0 {
            _ = write!(text, ", {count} {what}");
        }
    }
    match parts.iter().filter(|part| part.orders().is_none()).count() {
        0 => text,
        // A zero is a spoken result, and this is none.
        unknown if unknown == parts.len() => format!("orders unknown of {}", bots(unknown)),
        unknown => format!("{text}; unknown of {}", bots(unknown)),
    }
}

fn flush(parts: &[Part<'_>]) -> String {
    let count = |state: Option<bool>| parts.iter().filter(|part| part.state_flushed() == state).count();
    let (yes, no, unknown) = (count(Some(true)), count(Some(false)), count(None));
    if yes + no == 0 {
        return format!("unknown of {}", bots(unknown));
    }
    let mut text = format!("flushed {yes} of {}", yes + no);
    if no > 0 {
        _ = write!(text, ", {no} NOT FLUSHED");
    }
    if unknown > 0 {
        _ = write!(text, ", unknown of {}", bots(unknown));
    }
    text
}

fn empty(parts: &[Part<'_>], unheard: usize) -> String {
    let is_empty = |part: &&Part<'_>| match part.report {
        Some(report) => !report.survived(),
        None => matches!(part.standing(Stage::Empty), Standing::Done | Standing::Skipped) && part.living() == 0,
    };
    let gone = parts.iter().filter(is_empty).count();
    let all = parts.len() + unheard;
    let text = format!("{gone} of {all} {} empty", if all == 1 { "tree" } else { "trees" });
    match parts.iter().map(Part::living).sum::<usize>() {
        0 => text,
        1 => format!("{text}, 1 process lives"),
        living => format!("{text}, {living} processes live"),
    }
}

#[cfg(test)]
mod tests;
