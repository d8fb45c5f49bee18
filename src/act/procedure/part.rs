//! One cluster in a stop: its chunks go back before its bots are told. What comes after their end is [`super::settling`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::act::cluster::{Asker, Doer};
use crate::clock;
use crate::cluster::sight::see;
use crate::cluster::{Claim, Failure, Obstacle, Which};
use crate::core::bot::{BotName, BotSpec};
use crate::core::chunk::{Chunk, LISTED};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::cluster_status::Hold;
use crate::core::crew::Crew;
use crate::core::progress::Standing;
use crate::core::report::{BotReport, ProcessReport};
use crate::core::stop::Wish;
use crate::paths::Home;
use crate::readers::Readers;
use crate::survey::Surveyor;
use crate::who;

use super::gate::Gate;
use super::order::{StopOrder, StopWord, Work};
use super::paper;

/// The chunks of a whole cluster are waited for so long.
const WHOLE: Duration = Duration::from_secs(5);
/// Those of one bot of it, and those of everybody in an emergency.
pub(super) const BRIEF: Duration = Duration::from_secs(1);
/// A look before everything else may delay nobody for longer.
const A_MOMENT: Duration = Duration::from_millis(200);

/// What every cluster of a stop stands on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub(super) home: &'a Home,
    pub(super) readers: &'a Readers,
    /// Every bot of the configuration.
    pub(super) specs: &'a [BotSpec],
    pub(super) order: &'a StopOrder,
    pub(super) say: &'a (dyn Fn(&StopWord) + Sync),
}

/// Whose chunks are put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Everybody's: all bots of the cluster are stopped.
    All,
    /// Those of one bot: others go on.
    Of(BotName),
}

/// One cluster, or what one bot of it has claimed.
pub(super) struct Part<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) cluster: &'a ClusterSpec,
    pub(super) whose: Whose,
    /// Who waits for it.
    pub(super) bots: Vec<BotName>,
    gate: Gate,
    pub(super) state: Mutex<State>,
    pub(super) news: Condvar,
    /// One settles at a time.
    pub(super) settling: Mutex<()>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) report: ClusterReport,
    pub(super) step: Step,
    /// Why the chunks could not be put back at first.
    pub(super) failed: Option<Failure>,
    /// How many were completed right after they were put back.
    pub(super) completed: Option<u64>,
    /// The words by which chunks named the bot whose they were.
    pub(super) words: BTreeSet<String>,
    pub(super) ended: BTreeMap<BotName, Ended>,
    pub(super) settled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Waits,
    Asks,
    Asked,
    Over,
}

#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) survived: bool,
    pub(super) processes: Vec<ProcessReport>,
}

impl<'a> Part<'a> {
    pub(super) fn new(ground: Ground<'a>, cluster: &'a ClusterSpec, whose: Whose) -> Self {
        let bots = match &whose {
            Whose::All => cluster.bots().cloned().collect(),
            Whose::Of(bot) => vec![bot.clone()],
        };
        let limit = if whose == Whose::All && ground.order.emergency.is_none() { WHOLE } else { BRIEF };
        let state = State {
            report: ClusterReport::new(cluster.name.clone()),
            step: Step::Waits,
            failed: None,
            completed: None,
            words: BTreeSet::new(),
            ended: BTreeMap::new(),
            settled: false,
        };
        Self {
            ground,
            cluster,
            whose,
            bots,
            gate: Gate::new(limit),
            state: Mutex::new(state),
            news: Condvar::new(),
            settling: Mutex::new(()),
        }
    }

    /// Whether this bot waits for it.
    pub(super) fn has(&self, bot: &BotName) -> bool {
        self.bots.contains(bot)
    }

    /// Its bots begin to wait now.
    pub(super) fn set(&self) {
        self.gate.set();
    }

    /// Waits until the bots may be told.
    pub(super) fn pass(&self) {
        self.gate.pass();
    }

    /// Whether they may be.
    pub(super) fn is_open(&self) -> bool {
        self.gate.is_open()
    }

    /// Puts the chunks back for the first time, lets the bots be told, and looks what was completed by then. Only the
    /// first call does.
    pub(super) fn put_back(&self) {
        {
            let mut state = self.lock();
            if state.step != Step::Waits {
                return;
            }
            state.step = Step::Asks;
        }
        self.set();
        let (back, words) = match &self.whose {
            Whose::All => {
                self.look_who_is_elsewhere();
                (self.asker().put_back(Which::Running, self.gate.set()), BTreeSet::new())
            }
            Whose::Of(bot) => match self.claimed_by(bot, self.gate.set()) {
                Ok((claims, words)) => (self.asker().put_back(Which::These(claims), self.gate.set()), words),
                Err(failure) => (Err(failure), BTreeSet::new()),
            },
        };
        {
            let mut state = self.lock();
            state.words = words;
            state.step = Step::Asked;
            match &back {
                Ok(back) => state.report.put_back(back.count),
                Err(failure) => {
                    state.failed = Some(failure.clone());
                    state.report.errors = vec![failure.why.clone()];
                }
            }
        }
        self.gate.open();
        self.news.notify_all();
        self.tell();
        self.remember();
        if back.is_ok()
            && let Ok(census) = self.asker().look(BRIEF)
        {
            self.lock().completed = Some(census.counts.completed);
        }
        self.lock().step = Step::Over;
        self.news.notify_all();
    }

    /// One of its bots has ended; when all have, it is settled.
    pub(super) fn ended(&self, report: &BotReport) {
        if self.take_in(report) {
            self.settle();
        }
    }

    /// One of its bots has ended; whether all have.
    pub(super) fn take_in(&self, report: &BotReport) -> bool {
        let mut state = self.lock();
        let ended = Ended { survived: report.survived(), processes: report.processes.clone() };
        state.ended.insert(report.name.clone(), ended);
        state.settled = false;
        self.bots.iter().all(|bot| state.ended.contains_key(bot))
    }

    /// So many chunks of the one bot were put back; nothing if it is about all bots, or if that could not be done.
    pub(super) fn put_back_of(&self, bot: &BotName) -> Option<u64> {
        if self.whose != Whose::Of(bot.clone()) {
            return None;
        }
        self.lock().report.reset
    }

    /// What it has come to; settled, if nobody did that.
    pub(super) fn report(&self) -> ClusterReport {
        if !self.lock().settled {
            self.settle();
        }
        self.whole()
    }

    /// How it stands, for whoever watches: in words, and as a number if its chunks are back.
    pub(super) fn standing(&self) -> (Standing, Option<u64>, String) {
        let state = self.lock();
        let name = &self.cluster.name;
        match (state.step, &state.failed, state.report.reset) {
            (Step::Waits | Step::Asks, _, _) if self.gate.is_open() => {
                (Standing::Failed, None, format!("{name}: no answer, not waited for"))
            }
            (Step::Waits | Step::Asks, _, _) => {
                (Standing::UnderWay, None, format!("{name}: chunks are put back first"))
            }
            (Step::Asked | Step::Over, None, Some(count)) => (Standing::Done, Some(count), put_back(count)),
            (Step::Asked | Step::Over, Some(_), Some(count)) => {
                (Standing::Done, None, format!("{name}: {} after its bots had ended", put_back(count)))
            }
            (Step::Asked | Step::Over, Some(failure), None) => {
                (Standing::Failed, None, self.obstacle(failure.obstacle))
            }
            (Step::Asked | Step::Over, None, None) => (Standing::Failed, None, format!("{name}: not put back")),
        }
    }

    fn obstacle(&self, obstacle: Obstacle) -> String {
        let name = &self.cluster.name;
        match obstacle {
            Obstacle::Missing => format!("{name}: there is no file"),
            Obstacle::Locked => format!("{name}: locked, not waited for"),
            Obstacle::Silent => format!("{name}: no answer, not waited for"),
            Obstacle::Other => format!("{name}: not possible"),
        }
    }

    pub(super) fn asker(&self) -> Asker<'a> {
        Asker::new(self.ground.readers, self.cluster, self.ground.specs)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has a chunk and is nobody of this box: it may work on. In an emergency nobody waits for that.
    fn look_who_is_elsewhere(&self) {
        if self.ground.order.emergency.is_some() {
            return;
        }
        let Ok(census) = self.asker().look(A_MOMENT.min(self.gate.set())) else { return };
        let crew = Crew::of(self.cluster, &[], &who::host(), BTreeMap::new());
        let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
        for word in census.running.iter().filter_map(|chunk| chunk.worker.word()) {
            if !crew.is_of_this_box(&word) {
                *elsewhere.entry(word).or_default() += 1;
            }
        }
        let notes = elsewhere.into_iter().map(|(word, count)| {
            format!("{count} of the chunks put back named {word}, which is not on this box: it may still work on it")
        });
        self.lock().report.notes.extend(notes);
    }

    /// What one bot has claimed, as it stands there; and in which words it is called there.
    pub(super) fn claimed_by(
        &self,
        bot: &BotName,
        within: Duration,
    ) -> Result<(Vec<Claim>, BTreeSet<String>), Failure> {
        let Ground { home, readers, specs, .. } = self.ground;
        let until = clock::now().plus(within);
        let statuses = Surveyor::new(home.clone()).look(specs);
        let left = until.since(clock::now());
        let mut sights = see(home, readers, std::slice::from_ref(self.cluster), specs, &statuses, left);
        let Some(sight) = sights.pop() else { return Ok((Vec::new(), BTreeSet::new())) };
        let checked = sight.checked(clock::wall());
        let census = sight.reading?;
        if census.counts.running > LISTED as u64 {
            self.note(format!(
                "only {LISTED} running chunks were looked at: of the others those of {bot} stay as they are; stop the whole \
                 cluster to put all of them back"
            ));
        }
        let (words, dead) = self.known_of(bot);
        // What was started anew has claims of its own by now.
        let anew = self.ground.order.work == Work::End(Wish::Restart) && self.lock().ended.contains_key(bot);
        let is_its = |chunk: &Chunk| {
            let word = chunk.worker.word();
            sight.crew.is_of(word.as_deref(), bot)
                || word.is_some_and(|word| {
                    words.contains(&word) || sight.crew.numbers_here(&word).iter().any(|pid| dead.contains(pid))
                })
        };
        let held = |chunk: &Chunk| checked.iter().any(|checked| checked.chunk == *chunk && checked.hold != Hold::Stale);
        let its: Vec<&Chunk> = census.running.iter().filter(|chunk| is_its(chunk) && !(anew && held(chunk))).collect();
        let words = its.iter().filter_map(|chunk| chunk.worker.word()).collect();
        Ok((its.into_iter().map(|chunk| Claim::of(chunk, false)).collect(), words))
    }

    pub(super) fn note(&self, note: String) {
        let notes = &mut self.lock().report.notes;
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// The words by which this bot was called, and the processes of it that have ended.
    fn known_of(&self, bot: &BotName) -> (BTreeSet<String>, BTreeSet<i32>) {
        let state = self.lock();
        let ended = state.ended.get(bot).map(|ended| ended.processes.iter().map(|process| process.pid).collect());
        (state.words.clone(), ended.unwrap_or_default())
    }

    /// With its processes, and with what an earlier stopper had told.
    fn whole(&self) -> ClusterReport {
        let state = self.lock();
        let mut report = state.report.clone();
        report.processes = state.ended.values().flat_map(|ended| ended.processes.iter().cloned()).collect();
        drop(state);
        let before = self.ground.order.before.clusters.iter().find(|before| before.name == report.name);
        match before.filter(|_| self.whose == Whose::All) {
            Some(before) => report.after(before.clone()),
            None => report,
        }
    }

    pub(super) fn tell(&self) {
        let report = self.whole();
        if self.ground.order.emergency.is_some() {
            paper::note_told_of_cluster(self.ground.home, &self.ground.order.id, &report);
        }
        (self.ground.say)(&StopWord::Cluster(Box::new(report)));
    }

    pub(super) fn remember(&self) {
        let order = self.ground.order;
        let doer = Doer { action: order.action(), by: &order.by, tty: order.tty.as_deref(), stop: Some(&order.id) };
        let report = self.lock().report.clone();
        if let Some(error) = doer.remember(self.ground.home, &report) {
            let mut state = self.lock();
            if !state.report.notes.contains(&error) {
                state.report.notes.push(error);
            }
        }
    }
}

pub(super) fn put_back(count: u64) -> String {
    if count == 1 { "1 chunk put back".to_owned() } else { format!("{count} chunks put back") }
}
