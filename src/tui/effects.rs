//! What the screen wants of the world is done here and in the files below: each thing on a thread of its own, which sends
//! what comes back as messages.

pub mod clusters;
mod deeds;
mod looking;
mod saving;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use log::warn;

use crate::act;
use crate::act::emergency::ResetOrder;
use crate::clock;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::report::Report;
use crate::core::status::BotStatus;
use crate::journal;
use crate::paths::{Home, words};
use crate::record;
use crate::survey::Surveyor;
use crate::who;

use super::cluster_watch;
use super::estop_watch;
use super::follow::follow;
use super::history_news::{HistoryAsk, HistoryNews};
use super::history_watch;
use super::log_news::LogAsk;
use super::message::{EmergencyNews, Inspection, LastReport, Msg, Ticket};
use super::order_watch::{self, Watch};
use super::trigger::Trigger;

pub use looking::Source;
use looking::{CALM, Look, look_on};

/// So many events are looked through: for the last report, and for what happened in a day.
const SEARCHED: usize = 2000;

/// How long a start may take before it is said to be still under way; the contract's 60 seconds.
const READY_WAIT: Duration = Duration::from_mins(1);

/// Whoever performs what the screen wants done. Threads that cannot be made are tried again: a machine that is full is
/// one on which somebody needs the screen.
pub struct Hands {
    home: Home,
    source: Source,
    by: String,
    tell: Sender<Msg>,
    looks: Option<Sender<Look>>,
    logs: Option<Sender<LogAsk>>,
    history: Option<Sender<HistoryAsk>>,
    /// Whether this screen leaves the home as it is.
    read_only: bool,
    orders: Option<Sender<Watch>>,
    clusters: Option<Sender<cluster_watch::Watch>>,
    trigger: Trigger,
    estop: Option<Sender<()>>,
    /// Whose orders are to be read, for a thread that takes the place of another.
    owners: Vec<BotSpec>,
    /// Which clusters are to be read, for the same reason.
    clustered: (Vec<ClusterSpec>, Vec<BotSpec>),
    hurried: bool,
    /// What is looked at, for a thread that takes the place of another.
    following: Option<LogAsk>,
    tried: Option<Instant>,
    complained: bool,
}

impl Hands {
    /// Begins to look at the bots, as soon as it can.
    pub fn new(home: Home, source: Source, by: String, read_only: bool, tell: Sender<Msg>) -> Self {
        let trigger = Trigger::new(home.clone(), source.file.clone(), by.clone(), tell.clone());
        Self {
            trigger,
            estop: None,
            home,
            source,
            by,
            tell,
            looks: None,
            logs: None,
            history: None,
            read_only,
            orders: None,
            clusters: None,
            owners: Vec::new(),
            clustered: (Vec::new(), Vec::new()),
            hurried: false,
            following: None,
            tried: None,
            complained: false,
        }
    }

    /// One more look, when the screen is gone. Takes up to a second if a keeper is silent.
    pub fn last_look(&self, specs: &[BotSpec]) -> Vec<BotStatus> {
        Surveyor::new(self.home.clone()).look(specs)
    }

    /// Makes the threads that are not there, once a second at most.
    pub fn tend(&mut self) {
        let reading = self.orders.is_some() && self.clusters.is_some();
        let all = self.looks.is_some() && self.logs.is_some() && reading && self.estop.is_some();
        if all || self.tried.is_some_and(|tried| tried.elapsed() < CALM) {
            return;
        }
        self.tried = Some(Instant::now());
        self.trigger.make_ready();
        let made = self
            .begin_to_watch()
            .and_then(|()| self.begin_to_look())
            .and_then(|()| self.begin_to_follow())
            .and_then(|()| self.begin_to_read_orders())
            .and_then(|()| self.begin_to_read_clusters());
        match (&made, self.complained) {
            (Ok(()), true) => self.say("there is room for threads again; the list is that of now".into()),
            (Err(why), false) => {
                self.say(format!("cannot look at the bots, their logs or their orders yet, and goes on trying: {why}"));
            }
            (Ok(()), false) | (Err(_), true) => {}
        }
        self.complained = made.is_err();
    }

    fn begin_to_watch(&mut self) -> Result<(), String> {
        if self.estop.is_some() {
            return Ok(());
        }
        let (estop, asked) = channel();
        let watched = estop_watch::Watched {
            home: self.home.clone(),
            config: self.source.file.clone(),
            tell: self.tell.clone(),
            heard: self.trigger.heard(),
        };
        spawn("emergency", move || estop_watch::watch(watched, &asked))?;
        self.estop = Some(estop);
        Ok(())
    }

    /// Fires the emergency stop.
    pub fn fire(&mut self) {
        self.trigger.pull();
    }

    /// Examines now whether it would work.
    pub fn examine(&mut self) {
        self.estop = self.estop.take().filter(|estop| estop.send(()).is_ok());
    }

    /// Lifts the latch, on a thread of its own.
    pub fn reset(&self, reason: String, waive: Option<String>) {
        let order = ResetOrder {
            home: self.home.clone(),
            config: self.source.file.clone(),
            by: self.by.clone(),
            tty: who::tty(),
            reason,
            waive,
        };
        let tell = self.tell.clone();
        let started = spawn("reset", move || {
            let report = act::emergency::reset(&order);
            // Nobody listens any more once the screen was left.
            let _ = tell.send(Msg::Emergency(EmergencyNews::Reset(Box::new(report))));
        });
        if let Err(why) = started {
            let mut report = Report::of("estop reset", &self.by, clock::wall(), Vec::new());
            report.add_error(why);
            let _ = self.tell.send(Msg::Emergency(EmergencyNews::Reset(Box::new(report))));
        }
    }

    fn begin_to_look(&mut self) -> Result<(), String> {
        if self.looks.is_some() {
            return Ok(());
        }
        let (looks, asked) = channel();
        let (surveyor, source, tell) = (Surveyor::new(self.home.clone()), self.source.clone(), self.tell.clone());
        spawn("survey", move || look_on(surveyor, source, &asked, &tell))?;
        let _ = looks.send(Look::Hurry(self.hurried));
        self.looks = Some(looks);
        Ok(())
    }

    fn begin_to_follow(&mut self) -> Result<(), String> {
        if self.logs.is_some() {
            return Ok(());
        }
        let (logs, wanted) = channel();
        let (home, tell) = (self.home.clone(), self.tell.clone());
        spawn("log", move || follow(&home, wanted, &tell))?;
        if let Some(wanted) = &self.following {
            let _ = logs.send(wanted.clone());
        }
        self.logs = Some(logs);
        Ok(())
    }

    fn begin_to_read_orders(&mut self) -> Result<(), String> {
        if self.orders.is_some() {
            return Ok(());
        }
        let (orders, asked) = channel();
        let (home, tell) = (self.home.clone(), self.tell.clone());
        spawn("orders", move || order_watch::watch(home, &asked, &tell))?;
        let _ = orders.send(Watch::Specs(self.owners.clone()));
        self.orders = Some(orders);
        Ok(())
    }

    fn begin_to_read_clusters(&mut self) -> Result<(), String> {
        if self.clusters.is_some() {
            return Ok(());
        }
        let (clusters, asked) = channel();
        let (home, tell) = (self.home.clone(), self.tell.clone());
        spawn("clusters", move || cluster_watch::watch(home, &asked, &tell))?;
        let (specs, bots) = self.clustered.clone();
        let _ = clusters.send(cluster_watch::Watch::Specs(specs, bots));
        self.clusters = Some(clusters);
        Ok(())
    }

    /// Tells whoever reads clusters which they are, to rest, or to read now.
    pub(super) fn clusters(&mut self, watch: cluster_watch::Watch) {
        if let cluster_watch::Watch::Specs(specs, bots) = &watch {
            self.clustered = (specs.clone(), bots.clone());
        }
        self.clusters = self.clusters.take().filter(|clusters| clusters.send(watch).is_ok());
    }

    /// Tells whoever reads orders whose they are, to rest, or to read now.
    pub fn orders(&mut self, watch: Watch) {
        if let Watch::Specs(specs) = &watch {
            self.owners.clone_from(specs);
        }
        self.orders = self.orders.take().filter(|orders| orders.send(watch).is_ok());
    }

    fn say(&self, text: String) {
        // Our own queue, whose other end is where we are called from.
        let _ = self.tell.send(Msg::Trouble(text));
    }

    /// Reads the configuration and looks at the bots now.
    pub fn look(&mut self, ticket: Ticket) {
        self.ask(Look::Now(ticket));
    }

    /// Looks five times a second, or once.
    pub fn hurry(&mut self, hurried: bool) {
        self.hurried = hurried;
        self.ask(Look::Hurry(hurried));
    }

    /// Whoever does not hear it any more is replaced at the next tick; what waits for an answer gives up by itself.
    fn ask(&mut self, look: Look) {
        self.looks = self.looks.take().filter(|looks| looks.send(look).is_ok());
    }

    /// Tells whoever reads logs what is wanted of them.
    pub(super) fn logs(&mut self, mut ask: LogAsk) {
        if let LogAsk::Save(path) = &mut ask {
            match saving::whole(path) {
                Ok(whole) => *path = whole,
                Err(why) => {
                    let _ = self.tell.send(Msg::Saved(Err(why)));
                    return;
                }
            }
        }
        if let LogAsk::Open(_) = &ask {
            self.following = Some(ask.clone());
        }
        self.logs = self.logs.take().filter(|logs| logs.send(ask).is_ok());
    }

    /// Tells whoever reads the history what is wanted of it. There is nobody before somebody looks at it.
    pub(super) fn history(&mut self, ask: HistoryAsk) {
        if self.history.is_none() {
            let (asks, asked) = channel();
            let (home, keep, tell) = (self.home.clone(), !self.read_only, self.tell.clone());
            match spawn("history", move || history_watch::watch(&home, keep, &asked, &tell)) {
                Ok(()) => self.history = Some(asks),
                Err(why) => _ = self.tell.send(Msg::History(HistoryNews::Trouble(why))),
            }
        }
        self.history = self.history.take().filter(|history| history.send(ask).is_ok());
    }

    /// Writes a text into a file that is not there yet, on a thread of its own.
    pub(super) fn save(&self, path: PathBuf, text: String) {
        let tell = self.tell.clone();
        let started = spawn("save", move || {
            // Nobody listens any more once the screen was left.
            let _ = tell.send(Msg::Saved(saving::save(&path, &text)));
        });
        if let Err(why) = started {
            let _ = self.tell.send(Msg::Saved(Err(format!("not saved: {why}"))));
        }
    }

    /// Reads everything that is written down about this bot, on a thread of its own.
    pub fn inspect(&self, name: BotName) {
        let (home, tell) = (self.home.clone(), self.tell.clone());
        let started = spawn("inspect", move || {
            // Nobody listens any more once the screen was left.
            let _ = tell.send(Msg::Inspected(Box::new(read_of(&home, name))));
        });
        if let Err(why) = started {
            // Whoever waits for it asks again.
            warn!("inspect: {why}");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    match thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_detached) => Ok(()),
        Err(error) => Err(format!("no thread for it: {error}")),
    }
}

/// Everything that is written down about a bot.
fn read_of(home: &Home, name: BotName) -> Inspection {
    let bot = home.bot(&name);
    let mut events = journal::last(&bot.events(), SEARCHED).map_err(|error| words(&error));
    let report = events.as_deref().map_or(LastReport::None, LastReport::among);
    // The report is known by now, and a thousand of them would be carried around for a row of cells.
    events.iter_mut().flatten().for_each(|event| _ = event.more.remove("report"));
    Inspection { at: clock::wall(), record: record::read(&bot), down: record::down(&bot), events, report, name }
}
