//! The only file of the screen that touches the edges: it looks at the bots, follows a log and carries actions out,
//! each on a thread of its own, and sends what comes back as messages.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use log::warn;

use crate::act;
use crate::act::cluster::{Requeue, Wanted};
use crate::act::emergency::ResetOrder;
use crate::act::procedure::{Chosen, StopOrder, StopWord};
use crate::clock;
use crate::cluster::Claim;
use crate::config::{self, last_good};
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::report::{BotReport, Report, StartOutcome, StartedBot};
use crate::core::status::BotStatus;
use crate::core::stop::Wish;
use crate::journal;
use crate::paths::{Home, words};
use crate::record;
use crate::survey::Surveyor;
use crate::who;

use super::cluster_deed::of_clusters;
use super::cluster_watch;
use super::clusters::Claimed;
use super::deed::Deed;
use super::estop_watch;
use super::follow::{self, follow};
use super::message::{Configured, Done, EmergencyNews, Inspection, LastReport, Msg, StopNews, Ticket, Told};
use super::order_watch::{self, Watch};
use super::trigger::Trigger;

/// So many events are looked through for the last report, and so many of them are shown.
const SEARCHED: usize = 2000;
const SHOWN: usize = 30;

/// How long a start may take before it is said to be still under way; the contract's 60 seconds.
const READY_WAIT: Duration = Duration::from_mins(1);

/// Between looks when nothing happens, and when something does.
const CALM: Duration = Duration::from_secs(1);
const HURRIED: Duration = Duration::from_millis(200);

/// Whoever performs what the screen wants done. Threads that cannot be made are tried again: a machine that is full is
/// one on which somebody needs the screen.
pub struct Hands {
    home: Home,
    source: Source,
    by: String,
    tell: Sender<Msg>,
    looks: Option<Sender<Look>>,
    logs: Option<Sender<follow::Wanted>>,
    orders: Option<Sender<Watch>>,
    clusters: Option<Sender<cluster_watch::Watch>>,
    trigger: Trigger,
    estop: Option<Sender<()>>,
    /// Whose orders are to be read, for a thread that takes the place of another.
    owners: Vec<BotSpec>,
    /// Which clusters are to be read, for the same reason.
    clustered: (Vec<ClusterSpec>, Vec<BotSpec>),
    hurried: bool,
    following: Option<follow::Wanted>,
    tried: Option<Instant>,
    complained: bool,
}

enum Look {
    Now(Ticket),
    Hurry(bool),
}

impl Hands {
    /// Begins to look at the bots, as soon as it can.
    pub fn new(home: Home, source: Source, by: String, tell: Sender<Msg>) -> Self {
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
        spawn("log", move || follow(&home, &wanted, &tell))?;
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

    /// Follows this bot's log, and this file that it writes by itself.
    pub fn follow(&mut self, name: BotName, file: Option<PathBuf>) {
        self.following = Some((name.clone(), file.clone()));
        self.logs = self.logs.take().filter(|logs| logs.send((name, file)).is_ok());
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

impl Hands {
    /// Does this to clusters, on a thread of its own.
    pub fn act_on_clusters(&self, asked: OnClusters) {
        let (home, by, hear) = (self.home.clone(), self.by.clone(), self.tell.clone());
        let OnClusters { ticket, deed, clusters, all, bots, chunks, unverified } = asked;
        let of: Vec<BotName> = clusters.iter().map(|cluster| cluster.name.clone()).collect();
        // Whoever is stopped is told of by name, should the thread break off.
        let stopped = clusters.iter().filter(|_| deed == Deed::Stop).flat_map(ClusterSpec::bots).cloned();
        let names = of.iter().cloned().chain(stopped).collect();
        let promise =
            Promise { ticket, deed, since: Instant::now(), names, tell: self.tell.clone(), began: false, bots: None };
        let started = spawn("cluster", move || {
            let mut promise = promise;
            promise.began = true;
            let tell = |news: StopNews| _ = hear.send(Msg::Stop(ticket, news));
            let report = match deed {
                Deed::Start => act::cluster::start(&home, &clusters, &bots, &by, READY_WAIT),
                Deed::Requeue => {
                    let claims = |(name, chunks): (BotName, Vec<Claimed>)| {
                        (name, Wanted::These(chunks.into_iter().map(Claim::from).collect()))
                    };
                    let wanted = chunks.into_iter().map(claims).collect();
                    let requeue = Requeue { wanted, unverified, by, tty: who::tty() };
                    act::cluster::requeue(&home, &all, &bots, &requeue)
                }
                Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Adopt | Deed::Cancel => {
                    let order = StopOrder::clusters(&home, &clusters, &all, &bots, &by);
                    act::stop(&order, &mut |word| tell(StopNews::from(word)))
                }
            };
            let text = told_clusters(deed, &of, &report);
            // Nothing of what was chosen could be put back.
            let in_vain = deed == Deed::Requeue && report.clusters.iter().all(|cluster| cluster.reset == Some(0));
            let well = report.exit_code == 0 && !in_vain;
            if deed.is_watched() {
                tell(StopNews::Over(Box::new(report)));
            }
            promise.bots = Some(of.into_iter().take(1).map(|name| Told { name, well, text: text.clone() }).collect());
        });
        if let Err(why) = started {
            // The promise, which went with the thread, has told the screen already.
            warn!("{}: {why}", deed.verb());
        }
    }
}

/// Something that is to be done to clusters.
#[derive(Debug)]
pub struct OnClusters {
    /// What its end is known by.
    pub ticket: Ticket,
    /// What: start, stop or requeue.
    pub deed: Deed,
    /// To which.
    pub clusters: Vec<ClusterSpec>,
    /// Every cluster of the configuration.
    pub all: Vec<ClusterSpec>,
    /// Every bot of the configuration.
    pub bots: Vec<BotSpec>,
    /// The chunks that are meant, as they were seen, where chunks are.
    pub chunks: Vec<(BotName, Vec<Claimed>)>,
    /// Whether chunks of workers that nobody here knows are put back too.
    pub unverified: bool,
}

impl From<Claimed> for Claim {
    fn from(claimed: Claimed) -> Self {
        let Claimed { id, failed, worker, started } = claimed;
        Self { id, failed, worker, started }
    }
}

/// What became of clusters, in a sentence with whatever went wrong first.
fn told_clusters(deed: Deed, of: &[BotName], report: &Report) -> String {
    let verb = if deed == Deed::Requeue { "requeue" } else { deed.verb() };
    let of_bots =
        report.bots.iter().flat_map(|bot| bot.errors.iter().map(move |error| format!("{}: {error}", bot.name)));
    let wrong = report.clusters.iter().flat_map(|cluster| cluster.errors.iter().cloned());
    let errors = report.errors.iter().cloned().chain(wrong).chain(of_bots);
    let survived: Vec<&str> = report.bots.iter().filter(|bot| bot.survived()).map(|bot| bot.name.as_str()).collect();
    let lives = (deed == Deed::Stop && !survived.is_empty()).then(|| format!("NOT STOPPED: {}", survived.join(", ")));
    let well = report.bots.iter().filter(|bot| bot.errors.is_empty()).count();
    let started = (deed == Deed::Start && well > 0).then(|| match well {
        1 => "1 bot runs".to_owned(),
        bots => format!("{bots} bots run"),
    });
    let chunks = report.clusters.iter().map(|cluster| {
        let told = cluster.told(&report.action);
        if of.len() > 1 { format!("{}: {told}", cluster.name) } else { told }
    });
    // What was left alone is worth a word to whoever has chosen it.
    let left =
        report.clusters.iter().filter(|_| deed == Deed::Requeue).flat_map(|cluster| cluster.notes.iter().cloned());
    let parts: Vec<String> = lives.into_iter().chain(errors).chain(started).chain(chunks).chain(left).collect();
    let parts = if parts.is_empty() { "done".to_owned() } else { parts.join("; ") };
    format!("{verb} {}: {parts}", of_clusters(of))
}

/// An action that will be told the end of, whatever happens to its thread.
struct Promise {
    ticket: Ticket,
    deed: Deed,
    since: Instant,
    names: Vec<BotName>,
    tell: Sender<Msg>,
    began: bool,
    bots: Option<Vec<Told>>,
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

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    match thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_detached) => Ok(()),
        Err(error) => Err(format!("no thread for it: {error}")),
    }
}

/// The configuration, as a file that others may change at any time.
#[derive(Clone, Debug)]
pub struct Source {
    home: Home,
    file: Option<PathBuf>,
    /// As it was last read, mistakes and all.
    said: Configured,
    /// The bots of the last time that it was without a mistake.
    specs: Vec<BotSpec>,
    stamp: Option<Stamp>,
    /// Whether the screen was told what this one says.
    told: bool,
    /// The longest wait of a rung in an emergency stop, if that is news.
    wait: Option<Duration>,
    /// Every cluster of the last time that it was without a mistake; none before that.
    clusters: Option<Vec<ClusterSpec>>,
    /// Whether those are news.
    clusters_changed: bool,
}

/// What changes when a file is written.
type Stamp = (Option<SystemTime>, u64);

impl Source {
    /// What was read of this file already.
    pub fn new(home: Home, file: Option<PathBuf>, said: Configured) -> Self {
        let specs = said.clone().unwrap_or_default();
        Self { home, file, said, specs, stamp: None, told: false, wait: None, clusters: None, clusters_changed: false }
    }

    /// Reads the file again, if it must be or seems to have changed. What it says, if that is news.
    fn news(&mut self, must: bool) -> Option<Configured> {
        let file = self.file.as_ref()?;
        let stamp = fs::metadata(file).ok().map(|about| (about.modified().ok(), about.len()));
        if !must && self.told && stamp == self.stamp {
            return None;
        }
        // Taken before the reading: what is written meanwhile is read the next time.
        self.stamp = stamp;
        let said = match config::read(file) {
            Ok(config) => {
                let others = self.clusters.as_ref().is_some_and(|before| *before != config.clusters);
                if (others || self.said.as_ref() != Ok(&config.bots))
                    && let Err(error) = last_good::keep(&self.home, &config)
                {
                    warn!("cannot keep a copy of the configuration: {error}");
                }
                self.wait = Some(config.estop.wait);
                self.clusters_changed |= others || self.clusters.is_none();
                self.clusters = Some(config.clusters);
                Ok(config.bots)
            }
            Err(mistakes) => Err(mistakes.first().map(ToString::to_string).unwrap_or_default()),
        };
        if self.told && said == self.said {
            return None;
        }
        self.told = true;
        if let Ok(specs) = &said {
            self.specs.clone_from(specs);
        }
        self.said.clone_from(&said);
        Some(said)
    }
}

fn look_on(mut surveyor: Surveyor, mut source: Source, asked: &Receiver<Look>, tell: &Sender<Msg>) {
    let mut pace = CALM;
    let mut tickets: Vec<Ticket> = Vec::new();
    loop {
        let began = Instant::now();
        // Before the bots: what is seen of them is seen by what the file says.
        if let Some(news) = source.news(!tickets.is_empty())
            && tell.send(Msg::Configuration(news)).is_err()
        {
            return;
        }
        if let Some(wait) = source.wait.take()
            && tell.send(Msg::Emergency(EmergencyNews::Cap(wait))).is_err()
        {
            return;
        }
        if std::mem::take(&mut source.clusters_changed)
            && tell.send(Msg::Clusters(source.clusters.clone().unwrap_or_default())).is_err()
        {
            return;
        }
        let sent = tell.send(Msg::Survey(surveyor.look(&source.specs)));
        if sent.is_err() || tickets.drain(..).any(|ticket| tell.send(Msg::Fresh(ticket)).is_err()) {
            return;
        }
        // What arrives while a look is under way is answered by the next one, which begins after the asking.
        loop {
            match asked.recv_timeout(pace.saturating_sub(began.elapsed())) {
                Ok(Look::Hurry(hurried)) => pace = if hurried { HURRIED } else { CALM },
                Ok(Look::Now(ticket)) => {
                    tickets.push(ticket);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Everything that is written down about a bot.
fn read_of(home: &Home, name: BotName) -> Inspection {
    let bot = home.bot(&name);
    let mut events = journal::last(&bot.events(), SEARCHED).map_err(|error| words(&error));
    let report = events.as_deref().map_or(LastReport::None, LastReport::among);
    if let Ok(events) = &mut events {
        events.drain(..events.len().saturating_sub(SHOWN));
    }
    Inspection { at: clock::wall(), record: record::read(&bot), down: record::down(&bot), events, report, name }
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

    #[test]
    fn a_file_that_changed_is_news_and_one_with_mistakes_takes_no_bot_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("botwarden.toml");
        let write = |text: &str| fs::write(&file, text).expect("written");
        let bots = |text: &str| {
            write(text);
            config::read(&file).expect("no mistake").bots
        };
        let paper = bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n");
        let home = Home::at(folder.path().to_owned());
        let mut source = Source::new(home, Some(file.clone()), Ok(paper.clone()));
        assert_eq!(source.news(false), Some(Ok(paper.clone())), "whoever looks anew says what it starts from");
        assert_eq!((source.news(false), source.news(true)), (None, None));
        let live = bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"live\"\n");
        assert_eq!(source.news(false), Some(Ok(live.clone())));
        write("[bots.a]\nmode = 7\n");
        assert!(matches!(source.news(false), Some(Err(why)) if why.contains("botwarden.toml:")));
        assert_eq!((source.news(true), &source.specs), (None, &live));
        fs::remove_file(&file).expect("removed");
        assert!(matches!(source.news(false), Some(Err(_))));
        bots("[bots.a]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n");
        assert_eq!(source.news(true), Some(Ok(paper)));
    }
}
