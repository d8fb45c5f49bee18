//! How the last stops, restarts, kills and cancelations go, or went: what was said of each bot, as it came. The page that
//! shows it is made in `stop_page`.

use std::cmp::Ordering;
use std::time::Duration;

use crate::core::bot::{BotName, Mode};
use crate::core::cluster_report::ClusterReport;
use crate::core::moment::Moment;
use crate::core::order::Order;
use crate::core::progress::{Progress, StageSeen, Standing, Waiting};
use crate::core::report::Report;

use super::deed::{Deed, Picked};
use super::message::{StopNews, Ticket, Told};
use super::text;
use super::watched::{Watched, blank, clean_cluster, clean_report, cleaned};
use crate::core::stop::Stage;

/// What takes longer than this is worth a pane.
pub const LONG: Duration = Duration::from_secs(1);

/// Something that was asked for.
#[derive(Clone, Debug)]
pub struct Run {
    /// What its words are known by.
    pub ticket: Ticket,
    /// What.
    pub deed: Deed,
    /// The clusters that it is done to, where it is done to those.
    pub clusters: Vec<BotName>,
    /// What became of chunks, as far as it was told.
    pub chunks: Vec<ClusterReport>,
    /// When.
    pub asked: Moment,
    /// Whether its pane has been opened for it, or need not be.
    pub shown: bool,
    /// Its last word.
    pub over: Option<Over>,
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Over {
    /// What the command line would exit with; absent if the last word is missing.
    pub code: Option<u8>,
    /// How long it took.
    pub took: Duration,
    /// What went wrong beside the bots.
    pub errors: Vec<String>,
    /// What became of clusters.
    pub clusters: Vec<ClusterReport>,
}

/// A bot that something is begun with.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The bot.
    pub name: BotName,
    /// Its mode.
    pub mode: Option<Mode>,
    /// Where only some of its orders are to be canceled: which.
    pub chosen: Option<Picked>,
}

/// What is shown of stops: those that are under way, and else the last one.
#[derive(Clone, Debug, Default)]
pub struct StopBook {
    /// What was asked for, the oldest first.
    pub runs: Vec<Run>,
    /// The bots of all of them.
    pub bots: Vec<Watched>,
    /// The one that is shown in detail, if somebody has chosen one.
    chosen: Option<BotName>,
    /// The first line that is shown.
    pub top: usize,
}

/// Figures of several bots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Orders that are gone.
    pub canceled: u64,
    /// Orders that were filled first.
    pub filled: u64,
    /// Things that went wrong.
    pub errors: u64,
    /// Orders that are open, or may be.
    pub unconfirmed: u64,
    /// Orders that dry-run has left alone.
    pub skipped: u64,
    /// Protective orders that were kept by policy.
    pub kept: u64,
    /// Bots whose orders nobody knows.
    pub unknown: usize,
    /// Bots whose state is on disk, of so many of which anything is known.
    pub flushed: (usize, usize),
    /// Bots whose state is on disk by their own word alone.
    pub by_word: usize,
    /// Processes that live.
    pub running: usize,
    /// Bots of which nothing was heard yet: whether they live, nobody knows.
    pub unheard: usize,
}

impl StopBook {
    /// Something was asked for, of these bots.
    pub fn begin(&mut self, ticket: Ticket, deed: Deed, bots: &[Begun], now: Moment) {
        // What has ended gives way to what begins.
        let over: Vec<Ticket> = self.runs.iter().filter(|run| run.over.is_some()).map(|run| run.ticket).collect();
        // Whoever is hurried has come this far already.
        let so_far: Vec<(BotName, Moment, Progress)> = self
            .bots
            .iter()
            .filter(|bot| bot.report.is_none())
            .filter_map(|bot| Some((bot.name.clone(), bot.heard, bot.progress.clone()?)))
            .collect();
        self.bots.retain(|bot| !over.contains(&bot.ticket) && !bots.iter().any(|begun| begun.name == bot.name));
        self.runs.retain(|run| run.over.is_none());
        self.runs.push(Run {
            ticket,
            deed,
            clusters: Vec::new(),
            chunks: Vec::new(),
            asked: now,
            shown: false,
            over: None,
        });
        self.bots.extend(bots.iter().map(|begun| Watched {
            mode: begun.mode,
            chosen: begun.chosen.clone(),
            ..Watched::new(begun.name.clone(), deed, ticket, now)
        }));
        for (name, heard, progress) in so_far {
            if let Some(bot) = self.bot_mut(ticket, &name) {
                (bot.heard, bot.progress) = (heard, Some(progress));
            }
        }
        self.chosen = None;
        self.top = 0;
    }

    /// A run is about these clusters as a whole.
    pub fn about_clusters(&mut self, ticket: Ticket, clusters: &[BotName]) {
        for run in self.runs.iter_mut().filter(|run| run.ticket == ticket) {
            run.clusters = clusters.to_vec();
        }
    }

    /// Another bot belongs to a run.
    pub fn enlist(&mut self, ticket: Ticket, deed: Deed, name: &BotName, now: Moment) {
        if self.bot_mut(ticket, name).is_none() {
            self.bots.push(Watched::new(name.clone(), deed, ticket, now));
        }
    }

    /// Takes in what is said of a run.
    pub fn hear(&mut self, ticket: Ticket, news: StopNews, now: Moment) {
        match news {
            StopNews::Waiting(name, stage, what) => {
                let Some(bot) = self.bot_mut(ticket, &name) else { return };
                // Whoever tells of progress tells this better.
                if bot.progress.is_none() {
                    let mut progress = blank(&name, bot.mode);
                    progress.waiting = Some(Waiting { what: text::harmless(&what), then: None, left_ms: None });
                    progress.stages = Stage::ALL
                        .iter()
                        .map(|each| StageSeen {
                            stage: *each,
                            standing: match each.cmp(&stage) {
                                Ordering::Less => Standing::Done,
                                Ordering::Equal => Standing::UnderWay,
                                Ordering::Greater => Standing::Ahead,
                            },
                            text: String::new(),
                            took_ms: None,
                        })
                        .collect();
                    bot.progress = Some(progress);
                    bot.heard = now;
                }
            }
            StopNews::Progress(progress) => {
                let Some(bot) = self.bot_mut(ticket, &progress.bot) else { return };
                bot.mode = progress.mode.or(bot.mode);
                bot.progress = Some(cleaned(*progress));
                bot.heard = now;
            }
            // Said of emergency stops, which have a page of their own.
            StopNews::Overall(_) => {}
            StopNews::Cluster(report) => {
                let Some(run) = self.runs.iter_mut().find(|run| run.ticket == ticket) else { return };
                run.chunks.retain(|before| before.name != report.name);
                run.chunks.push(clean_cluster(*report));
            }
            StopNews::Bot(report) => {
                if let Some(bot) = self.bot_mut(ticket, &report.name.clone()) {
                    bot.mode = report.mode.or(bot.mode);
                    bot.report = Some(clean_report(*report));
                    bot.heard = now;
                }
            }
            StopNews::Over(report) => self.over(ticket, *report),
        }
    }

    fn over(&mut self, ticket: Ticket, report: Report) {
        for bot in report.bots {
            if let Some(watched) = self.bot_mut(ticket, &bot.name.clone()) {
                watched.mode = bot.mode.or(watched.mode);
                watched.report = Some(clean_report(bot));
            }
        }
        if let Some(run) = self.runs.iter_mut().find(|run| run.ticket == ticket) {
            let errors = report.errors.iter().map(|error| text::harmless(error)).collect();
            let took = Duration::from_millis(report.duration_ms);
            let clusters = report.clusters.into_iter().map(clean_cluster).collect();
            run.over = Some(Over { code: Some(report.exit_code), took, errors, clusters });
            self.top = 0;
        }
    }

    /// A run has come to its end, whether it said so or not.
    pub fn done(&mut self, ticket: Ticket, took: Duration, told: &[Told]) {
        for told in told {
            if let Some(bot) = self.bot_mut(ticket, &told.name) {
                bot.told = Some((told.well, text::harmless(&told.text)));
            }
        }
        if let Some(run) = self.runs.iter_mut().find(|run| run.ticket == ticket) {
            run.shown = true;
            run.over.get_or_insert_with(|| Over { code: None, took, errors: Vec::new(), clusters: Vec::new() });
        }
    }

    /// What became of clusters, in all runs that are shown, each with the word of what was done.
    pub fn clusters(&self) -> impl Iterator<Item = (&'static str, &ClusterReport)> {
        self.runs.iter().flat_map(|run| {
            let action = match (run.deed, &run.over) {
                (Deed::Requeue, _) => "cluster requeue",
                (Deed::Stop, Some(_)) if !run.clusters.is_empty() => "cluster stop",
                (deed, _) => deed.verb(),
            };
            let last = run.over.as_ref().map(|over| over.clusters.as_slice()).filter(|last| !last.is_empty());
            last.unwrap_or(&run.chunks).iter().map(move |cluster| (action, cluster))
        })
    }

    /// Whether there is nothing to show.
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Whether something is under way.
    pub fn is_under_way(&self) -> bool {
        self.runs.iter().any(|run| run.over.is_none())
    }

    /// Whether something has gone on for so long that its pane is to be opened; says so once.
    pub fn is_long(&mut self, now: Moment) -> bool {
        let long = |run: &&mut Run| !run.shown && run.over.is_none() && now.since(run.asked) > LONG;
        self.runs.iter_mut().filter(long).map(|run| run.shown = true).count() > 0
    }

    /// The pane is open already.
    pub fn seen(&mut self) {
        self.runs.iter_mut().for_each(|run| run.shown = true);
    }

    /// The bot that is shown in detail: the chosen one, else the first with trouble, else the first that is not done.
    pub fn detail(&self) -> Option<&Watched> {
        let chosen = self.chosen.as_ref().and_then(|name| self.bots.iter().find(|bot| bot.name == *name));
        let trouble = || self.bots.iter().find(|bot| bot.has_trouble());
        let busy = || self.bots.iter().find(|bot| bot.report.is_none());
        chosen.or_else(trouble).or_else(busy).or_else(|| self.bots.first())
    }

    /// Shows the next bot in detail.
    pub fn next(&mut self) {
        let at = self.detail().and_then(|shown| self.bots.iter().position(|bot| bot.name == shown.name));
        let next = at.map_or(0, |at| (at + 1) % self.bots.len().max(1));
        self.chosen = self.bots.get(next).map(|bot| bot.name.clone());
        self.top = 0;
    }

    /// Where the stop of a bot is, for its note: nothing once it is over.
    pub fn note(&self, name: &BotName, now: Moment) -> Option<String> {
        let bot = self.bots.iter().find(|bot| bot.name == *name && bot.report.is_none() && bot.told.is_none())?;
        bot.progress.as_ref()?;
        self.runs.iter().find(|run| run.ticket == bot.ticket && run.over.is_none())?;
        Some(bot.standing(now))
    }

    /// Everybody's figures.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for bot in &self.bots {
            match bot.orders() {
                Some(orders) => {
                    totals.canceled += orders.canceled;
                    totals.filled += orders.filled;
                    totals.unconfirmed += orders.unconfirmed;
                    totals.skipped += orders.skipped;
                    totals.kept += orders.kept;
                }
                None => totals.unknown += 1,
            }
            if let Some(flushed) = bot.state_flushed() {
                // What it says of its state, and nobody has seen, is no figure.
                let is_seen = bot.state_written() == Some(true);
                totals.flushed.0 += usize::from(flushed && is_seen);
                totals.by_word += usize::from(flushed && !is_seen);
                totals.flushed.1 += 1;
            }
            totals.errors += bot.error_count();
            totals.running += bot.running().len();
            totals.unheard += usize::from(bot.progress.is_none() && bot.report.is_none());
        }
        totals
    }

    /// Every order that is not confirmed canceled, once that is known.
    pub fn unconfirmed(&self) -> impl Iterator<Item = (&BotName, &Order)> {
        let open =
            |bot: &Watched| bot.report.as_ref()?.orders.as_ref().filter(|orders| orders.unconfirmed > 0).map(|_| ());
        self.bots.iter().filter(move |bot| open(bot).is_some()).flat_map(|bot| {
            let orders = bot.orders();
            let kept = orders.is_some_and(|orders| orders.kept > 0);
            let open = orders.map(|orders| orders.open.as_slice()).unwrap_or_default();
            open.iter().filter(move |order| !(kept && order.protective)).map(|order| (&bot.name, order))
        })
    }

    fn bot_mut(&mut self, ticket: Ticket, name: &BotName) -> Option<&mut Watched> {
        self.bots.iter_mut().find(|bot| bot.ticket == ticket && bot.name == *name)
    }
}
