//! Deeds to bots: started, stopped, canceled for, each on a thread of its own, whose end is told whatever happens to it.

use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use log::warn;

use crate::act;
use crate::act::procedure::{Chosen, StopOrder, StopWord};
use crate::core::bot::{BotName, BotSpec};
use crate::core::report::{BotReport, StartOutcome, StartedBot};
use crate::core::stop::Wish;
use crate::tui::deed::Deed;
use crate::tui::message::{Done, Msg, StopNews, Ticket, Told};

use super::{Hands, READY_WAIT, spawn};

impl Hands {
    /// Does this to these bots, on a thread of its own.
    pub fn act(
        &self,
        ticket: Ticket,
        deed: Deed,
        names: Vec<BotName>,
        specs: Vec<BotSpec>,
        orders: Vec<(BotName, Vec<String>)>,
    ) {
        let (home, by, hear) = (self.home.clone(), self.by.clone(), self.tell.clone());
        let promise =
            Promise { ticket, deed, since: Instant::now(), names, tell: self.tell.clone(), began: false, bots: None };
        let started = spawn(deed.verb(), move || {
            let mut promise = promise;
            promise.began = true;
            let names = promise.names.clone();
            let carry_out = |order: StopOrder| {
                // Nobody listens any more once the screen was left.
                let report = act::stop(&order, &mut |word| _ = hear.send(Msg::Stop(ticket, StopNews::from(word))));
                let told = told_stops(&report.action, &report.bots);
                let _ = hear.send(Msg::Stop(ticket, StopNews::Over(Box::new(report))));
                told
            };
            let stop = |wish: Wish| carry_out(StopOrder::new(&home, wish, &names, None, &by).and_start(&specs));
            let bots = match deed {
                Deed::Start => told_starts(deed, &act::start(&home, &specs, &by, READY_WAIT), promise.since),
                Deed::Adopt => {
                    told_starts(deed, &act::adopt(&home, &specs, &promise.names, &by, READY_WAIT), promise.since)
                }
                Deed::Restart => stop(Wish::Restart),
                Deed::Stop => stop(Wish::Stop),
                Deed::Climb => stop(Wish::Climb),
                Deed::Kill => stop(Wish::Kill),
                Deed::Cancel => {
                    let chosen = orders.into_iter().map(|(bot, orders)| Chosen { bot, orders }).collect();
                    carry_out(StopOrder::cancel(&home, &names, chosen, None, &by))
                }
                // Asked of clusters alone.
                Deed::Requeue => Vec::new(),
            };
            promise.bots = Some(bots);
        });
        if let Err(why) = started {
            // The promise, which went with the thread, has told the screen already.
            warn!("{}: {why}", deed.verb());
        }
    }
}

/// An action that will be told the end of, whatever happens to its thread.
pub(super) struct Promise {
    pub(super) ticket: Ticket,
    pub(super) deed: Deed,
    pub(super) since: Instant,
    pub(super) names: Vec<BotName>,
    pub(super) tell: Sender<Msg>,
    pub(super) began: bool,
    pub(super) bots: Option<Vec<Told>>,
}

impl Drop for Promise {
    fn drop(&mut self) {
        let text = if self.began { "broke off; the list shows what is" } else { "not done: no room for a thread" };
        let verb = self.deed.verb();
        let nothing = |name: &BotName| Told { name: name.clone(), well: false, text: format!("{verb} {name}: {text}") };
        let bots = self.bots.take().unwrap_or_else(|| self.names.iter().map(nothing).collect());
        // Nobody listens any more once the screen was left; what was asked for goes on all the same.
        let _ = self.tell.send(Msg::Done(Done { ticket: self.ticket, took: self.since.elapsed(), bots }));
    }
}

fn told_starts(deed: Deed, bots: &[StartedBot], since: Instant) -> Vec<Told> {
    let took = since.elapsed();
    bots.iter().map(|bot| told_start(deed, bot, took)).collect()
}

fn told_start(deed: Deed, bot: &StartedBot, took: Duration) -> Told {
    let well = match bot.outcome {
        StartOutcome::Started | StartOutcome::Adopted | StartOutcome::AlreadyRunning => true,
        StartOutcome::StillStarting | StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => false,
    };
    let tenths = (took.as_millis() / 100).max(1);
    let text = format!("{} {}: {} ({}.{} s)", deed.verb(), bot.name, bot.message, tenths / 10, tenths % 10);
    Told { name: bot.name.clone(), well, text }
}

impl From<&StopWord> for StopNews {
    fn from(word: &StopWord) -> Self {
        match word {
            StopWord::Waiting { bot, stage, what } => Self::Waiting(bot.clone(), *stage, what.clone()),
            StopWord::Progress(progress) => Self::Progress(progress.clone()),
            StopWord::Overall(overall) => Self::Overall(overall.clone()),
            StopWord::Cluster(report) => Self::Cluster(report.clone()),
            StopWord::Bot(report) => Self::Bot(report.clone()),
            StopWord::Over(report) => Self::Over(report.clone()),
        }
    }
}

fn told_stops(action: &str, bots: &[BotReport]) -> Vec<Told> {
    bots.iter().map(|bot| told_stop(action, bot)).collect()
}

/// The sentence of the command line, with whatever else the report has to say.
fn told_stop(action: &str, bot: &BotReport) -> Told {
    let (ended, sentence) = (!bot.survived(), bot.line(action));
    let open = bot.orders.as_ref().map_or(0, |orders| orders.unconfirmed);
    let well = ended && bot.errors.is_empty() && open == 0 && (action != "restart" || bot.restarted);
    let mut all = vec![sentence.as_str()];
    all.extend(bot.errors.iter().chain(&bot.notes).map(String::as_str));
    Told { name: bot.name.clone(), well, text: all.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_of_a_stop_names_the_bot_once_and_leaves_nothing_out() {
        use crate::core::report::StopOutcome::{NotRunning, Stopped, Survived};
        let report = |outcome, restarted, errors: &[&str], notes: &[&str]| {
            let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            let name = "momentum".parse().expect("a name");
            BotReport {
                outcome: Some(outcome),
                restarted,
                errors: owned(errors),
                notes: owned(notes),
                ..BotReport::new(name)
            }
        };
        let vim = "pid 4711 in data/bot.pid is another program (vim): left alone";
        for (action, report, well, text) in [
            ("stop", report(Stopped, false, &[], &[]), true, "stopped momentum".to_owned()),
            ("stop", report(NotRunning, false, &[], &[vim]), true, format!("momentum: nothing was running; {vim}")),
            ("stop", report(Stopped, false, &["no room"], &[]), false, "stopped momentum; no room".into()),
            ("kill", report(Stopped, false, &[], &[]), true, "killed momentum".into()),
            (
                "kill",
                report(Survived, false, &["no answer"], &[]),
                false,
                "momentum: NOT STOPPED: something of it lives, or may; no answer".into(),
            ),
            ("restart", report(Stopped, true, &[], &[]), true, "restarted momentum".into()),
            ("restart", report(NotRunning, true, &[], &[]), true, "started momentum; nothing was running".into()),
            ("restart", report(Stopped, false, &[], &[]), false, "stopped momentum; NOT started again".into()),
        ] {
            let told = told_stop(action, &report);
            assert_eq!((told.well, told.text), (well, text));
        }
    }
}
