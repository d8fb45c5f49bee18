//! Carries the stop procedure out: one course a bot, side by side, and one report for all of them.
//!
//! A stopper does this in a process of its own, so that it goes on when whoever asked is gone; where no stopper can be
//! started, whoever asked does it itself.

mod alone;
mod keeper;
mod paper;
mod passes;
mod walk;

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::config::last_good;
use crate::core::bot::{BotName, BotSpec};
use crate::core::report::{BotReport, Report};
use crate::core::stop::{Stage, Wish};
use crate::paths::Home;

use passes::Passes;
use walk::Walk;

/// What a stopper is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StopOrder {
    /// What this stop is known by: the name of its folder in `stops/`.
    pub id: String,
    /// The desk.
    pub home: PathBuf,
    /// What is asked for.
    pub wish: Wish,
    /// Which bots.
    pub bots: Vec<BotName>,
    /// Every bot of the configuration; absent where none could be read: then the last good one counts.
    pub specs: Option<Vec<BotSpec>>,
    /// Those that a restart is to start, where that is not what stands above.
    pub fresh: Vec<BotSpec>,
    /// Who asks.
    pub by: String,
    /// How long a restart waits for the next run to be ready.
    pub wait: Duration,
}

impl StopOrder {
    /// An order that nobody has carried out yet. Where `specs` are absent, those of the last good configuration count.
    pub fn new(home: &Home, wish: Wish, bots: &[BotName], specs: Option<&[BotSpec]>, by: &str) -> Self {
        Self {
            id: format!("{}-{:04x}", clock::wall().strftime("%Y%m%dT%H%M%S%3f"), fastrand::u16(..)),
            home: home.root().to_owned(),
            wish,
            bots: bots.to_vec(),
            specs: specs.map(<[BotSpec]>::to_vec),
            fresh: Vec::new(),
            by: by.to_owned(),
            wait: super::START_WAIT,
        }
    }

    /// The same, but these are what a restart starts.
    #[must_use]
    pub fn and_start(mut self, specs: &[BotSpec]) -> Self {
        self.fresh = specs.to_vec();
        self
    }
}

/// What a stopper says while it is at work, one JSON object a line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopWord {
    /// Something takes its time.
    Waiting {
        /// The bot.
        bot: BotName,
        /// Where its stop is.
        stage: Stage,
        /// What is being waited for, and until when.
        what: String,
    },
    /// One bot's stop is over.
    Bot(Box<BotReport>),
    /// All are: the last word.
    Over(Box<Report>),
}

/// Carries an order out, and says how it goes. Comes back with the report that was the last word.
pub fn carry_out(order: &StopOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Report {
    let home = Home::at(order.home.clone());
    let (at, begun) = (clock::wall(), clock::now());
    let specs = order.specs.clone().or_else(|| last_good::read(&home).ok().map(|config| config.bots));
    let mut specs = specs.unwrap_or_default();
    specs.retain(|spec| !order.fresh.iter().any(|fresh| fresh.name == spec.name));
    specs.extend(order.fresh.iter().cloned());
    let passes = Passes::new(&home, &specs);
    let tell = Mutex::new(tell);
    let say = |word: &StopWord| {
        let mut tell = tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (*tell)(word);
    };
    let bots = side_by_side(&order.bots, |name| {
        let spec = specs.iter().find(|spec| spec.name == *name);
        let mut report = Walk::new(&home, order, name, spec, &passes, &say).to_its_end();
        paper::keep(&home, order, &mut report);
        say(&StopWord::Bot(Box::new(report.clone())));
        report
    });
    let mut report = Report::of(order.wish.word(), &order.by, at, bots);
    report.duration_ms = clock::millis(clock::now().since(begun));
    paper::keep_whole(&home, &order.id, &mut report);
    say(&StopWord::Over(Box::new(report.clone())));
    report
}

fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| {
                // A machine without room for a thread is one on which things need to be stopped.
                let thread = std::thread::Builder::new().spawn_scoped(scope, move || work(item));
                thread.map_err(|_| work(item))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.map_or_else(Some, |thread| thread.join().ok())).collect()
    })
}
