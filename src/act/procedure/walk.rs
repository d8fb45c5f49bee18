//! One bot's course, carried out: every effect of the pure procedure becomes something that is done, and what came of
//! it goes back in.

use std::collections::HashMap;
use std::time::Duration;

use crate::act::adopt::{as_found, as_spec, take};
use crate::act::{audit, start};
use crate::clock::{self, millis};
use crate::core::bot::{BotName, BotSpec, Ladder};
use crate::core::exit::Exit;
use crate::core::moment::Moment;
use crate::core::record::{Down, ProcessId};
use crate::core::report::{
    BotReport, ExitReport, LATCHED, ProcessReport, STILL_STARTING, StartOutcome, StopOutcome, Tier,
};
use crate::core::signal::Signal;
use crate::core::status::{RecordSeen, Voice};
use crate::core::stop::{Course, Depth, Effect, Input, KeeperSeen, Own, Sighting, Taken, Wish};
use crate::journal;
use crate::latch;
use crate::lock;
use crate::paths::{Home, words};
use crate::process;
use crate::record;
use crate::search::{Finding, How};
use crate::survey::{Marked, Pass, Sight, see, with_marked};

use super::alone::Alone;
use super::order::{StopOrder, StopWord};
use super::passes::Passes;
use super::talk::Talk;

/// A new keeper has this long to say that it has the bot.
const ADOPTION: Duration = Duration::from_secs(10);
/// How often it is looked whether another bot's stop has ended what may be of both.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What takes longer than this is worth a word to whoever watches.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// A process beside those of its keeper, and how it came to be known.
struct Stray {
    id: ProcessId,
    tier: Tier,
    /// The PID file that named it.
    file: Option<String>,
    /// It, and everything that descended from it when it was found.
    family: Vec<i32>,
}

/// One bot's stop, under way.
pub(super) struct Walk<'a> {
    pub(super) home: &'a Home,
    pub(super) order: &'a StopOrder,
    pub(super) report: BotReport,
    /// The conversation with its keeper, while there is one.
    pub(super) talk: Option<Talk>,
    pub(super) spec: Option<&'a BotSpec>,
    passes: &'a Passes<'a>,
    say: &'a (dyn Fn(&StopWord) + Sync),
    /// As it was last seen.
    pub(super) sight: Option<Sight>,
    /// Processes beside those of its keeper, as they were last seen.
    strays: Vec<Stray>,
    /// By which tier what no keeper and no stray accounts for is known.
    pub(super) own_tier: Option<Tier>,
    /// Whether its keeper is one that this stop has launched: such a one has found nothing.
    pub(super) took: bool,
    /// The last signal that each process was seen to have been sent.
    pub(super) sent: HashMap<i32, Signal>,
    /// Whether it was not to be running when this began.
    was_down: bool,
    alone: Option<Alone>,
    begun: Moment,
    said: Option<Moment>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        home: &'a Home,
        order: &'a StopOrder,
        name: &BotName,
        spec: Option<&'a BotSpec>,
        passes: &'a Passes<'a>,
        say: &'a (dyn Fn(&StopWord) + Sync),
    ) -> Self {
        Self {
            home,
            order,
            report: BotReport { mode: spec.map(|spec| spec.mode), ..BotReport::new(name.clone()) },
            talk: None,
            spec,
            passes,
            say,
            sight: None,
            strays: Vec::new(),
            own_tier: None,
            took: false,
            sent: HashMap::new(),
            was_down: record::down(&home.bot(name)).is_some(),
            alone: None,
            begun: clock::now(),
            said: None,
        }
    }

    /// Goes on until the course is at its end; what became of it comes back.
    pub(super) fn finish(mut self) -> BotReport {
        let wish = self.order.wish;
        if wish != Wish::Climb {
            self.report.errors.extend(audit(self.home, &self.report.name, wish.word(), &self.order.by));
        }
        if wish == Wish::Restart && latch::is_latched(self.home) {
            self.report.errors.push(LATCHED.into());
            return self.report;
        }
        let (mut course, mut effect) = Course::begin(wish, self.ladder());
        loop {
            if let Effect::Finish(outcome) = effect {
                self.report.outcome = outcome;
                break;
            }
            let input = self.perform(effect, &course);
            effect = course.next(input, clock::now());
        }
        self.report.errors.extend(course.errors().map(str::to_owned));
        for obstacle in course.obstacles() {
            self.note_once(obstacle);
        }
        self.settle();
        self.report
    }

    fn perform(&mut self, effect: Effect, course: &Course) -> Input {
        match effect {
            Effect::WriteDown => Input::Locked(self.write_down()),
            Effect::Look(depth) => Input::Seen(self.look(depth)),
            Effect::Ask(wish) => Input::Asked(self.ask(wish)),
            Effect::Listen(until) => self.listen(until, course),
            Effect::EndKeeper(signal, patience) => self.end_keeper(signal, patience),
            Effect::Take => Input::Taken(self.take()),
            Effect::Signal(signal, reach) => Input::Signaled(self.alone().send(signal, reach)),
            Effect::Wait(until) => {
                let input = self.alone().wait(until);
                self.tell_if_it_takes_long(course, until);
                input
            }
            Effect::Start => Input::Started(self.start_anew()),
            Effect::Finish(_) => Input::Tick,
        }
    }

    pub(super) fn write_down(&self) -> Option<String> {
        let down = Down { by: self.order.by.clone(), at: Some(clock::wall()) };
        let bot = self.home.bot(&self.report.name);
        record::set_down(&bot, &down).err().map(|error| {
            format!("cannot write down that it is not to be running ({}): 'up' may start it again", words(&error))
        })
    }

    fn look(&mut self, depth: Depth) -> Sighting {
        let name = self.report.name.clone();
        let mut sight = match self.sight.take().filter(|_| depth == Depth::All) {
            // It is being talked to: what it has to say is heard there.
            Some(sight) if self.talk.is_some() => self.look_at_its_lock(sight),
            Some(_) | None => see(self.home, &name, &Marked::default()),
        };
        let (mut strays, mut shared) = (0, 0);
        if depth == Depth::All {
            // Begun after the keeper was looked at: whoever lives now and is in no keeper's tree is nobody's but ours.
            let pass = self.passes.fresh();
            with_marked(&mut sight, pass.marked.of(&name));
            (strays, shared) = self.take_in_strays(&pass, &sight);
            let seen = Sighting::of(&sight.evidence, 0, 0);
            let no_keeper = seen.keeper == KeeperSeen::None && self.talk.is_none() && self.own_tier.is_none();
            if no_keeper && seen.own == Own::Lives {
                self.own_tier = Some(Tier::PidFile);
                self.report.pid = self.report.pid.or(sight.verdict.pid);
            }
        }
        let sighting = Sighting::of(&sight.evidence, strays, shared);
        self.take_in_record(&sight);
        self.sight = Some(sight);
        sighting
    }

    /// Whether the keeper that was looked at before is still there.
    fn look_at_its_lock(&self, mut sight: Sight) -> Sight {
        sight.evidence.keeper_lock = lock::look(&self.home.bot(&self.report.name).keeper_lock());
        sight
    }

    /// What the run record says; that it cannot be understood is said, and passed over.
    fn take_in_record(&mut self, sight: &Sight) {
        match &sight.evidence.record {
            RecordSeen::Read(record) => self.report.mode = Some(record.mode),
            RecordSeen::None => {}
            RecordSeen::Unreadable(why) => {
                let readable = std::fs::read(self.home.bot(&self.report.name).run()).is_ok();
                if readable {
                    self.note_once(&format!("its run record is corrupt and was passed over: {why}"));
                } else {
                    self.error_once(&format!("its run record cannot be read: {why}"));
                }
            }
        }
    }

    /// Strays that this stop ends, and words about those that it must not; how many of both.
    fn take_in_strays(&mut self, pass: &Pass, sight: &Sight) -> (usize, usize) {
        let name = self.report.name.clone();
        let findings = pass.search.of(&name);
        // Of what this very stop has ended, nobody needs to know that its PID file is out of date.
        let ended = |pid| self.report.processes.iter().any(|process| process.pid == pid);
        if !findings.named.is_some_and(ended) {
            for note in &findings.notes {
                self.note_once(note);
            }
        }
        for error in findings.errors.iter().map(String::as_str).chain(pass.trouble.as_deref()) {
            self.error_once(error);
        }
        let (kept, run) = kept(sight);
        let (mut strays, mut shared) = (Vec::new(), 0);
        for finding in &findings.found {
            let is_kept =
                kept.contains(&finding.pid) || matches!(&finding.how, How::Mark(mark) if Some(mark) == run.as_ref());
            if is_kept {
                continue;
            }
            let whose: Vec<&BotName> = finding.shared_with.iter().chain([&name]).collect();
            if !whose.iter().all(|name| self.order.bots.contains(name)) {
                let others: Vec<&str> = finding.shared_with.iter().map(BotName::as_str).collect();
                self.error_once(&format!(
                    "pid {} ({}) may be its own or that of {}: left alone; stop them together to end it",
                    finding.pid,
                    finding.command,
                    others.join(", ")
                ));
                shared += 1;
                continue;
            }
            // What may belong to several that are all being stopped is ended once, by the first of them.
            if whose.iter().min() == Some(&&name)
                && let Some(id) = process::identify(finding.pid).filter(|id| id.start_time == finding.start_time)
            {
                let file = match &finding.how {
                    How::PidFile(file) => Some(file.clone()),
                    How::Mark(_) | How::Pattern => None,
                };
                let descendants = pass.table.descendants(finding.pid).into_iter().map(|row| row.pid);
                let family = descendants.chain([finding.pid]).collect();
                strays.push(Stray { id, tier: finding.tier, file: file.clone(), family });
                if !self.report.processes.iter().any(|process| process.pid == finding.pid) {
                    self.report.processes.push(ProcessReport {
                        pid: finding.pid,
                        command: finding.command.clone(),
                        found_by: finding.tier,
                        file,
                        ended_by: None,
                    });
                }
            }
        }
        self.strays = strays;
        (self.strays.len(), shared)
    }

    pub(super) fn stray_ids(&self) -> Vec<ProcessId> {
        self.strays.iter().map(|stray| stray.id.clone()).collect()
    }

    /// How a process came to be known, that a keeper, or our own ladder, tells of.
    pub(super) fn tier_of(&self, pid: i32) -> (Tier, Option<String>) {
        if let Some(stray) = self.strays.iter().find(|stray| stray.family.contains(&pid)) {
            return (stray.tier, stray.file.clone());
        }
        match self.own_tier {
            // The record names the main process; what else there is was found by its mark, its lock or its parents.
            Some(Tier::PidFile) if self.report.pid != Some(pid) => (Tier::Search, None),
            Some(tier) => (tier, None),
            None => (self.strays.first().map_or(Tier::Keeper, |stray| stray.tier), None),
        }
    }

    /// Gives what lives to a new keeper, which ends it where it is not to be running.
    fn take(&mut self) -> Taken {
        let Some(sight) = &self.sight else { return Taken::AtRest };
        let lives = Sighting::of(&sight.evidence, 0, 0).own == Own::Lives;
        let found = || {
            let pid = sight.evidence.marked.first().copied();
            let pid = pid.or(self.strays.first().map(|stray| stray.id.pid))?;
            Some(as_found(&self.report.name, pid))
        };
        let recorded = || sight.record().map(as_spec);
        let lost = lives && sight.record().is_none();
        let spec = if lives { recorded().or_else(found) } else { self.spec.cloned().or_else(recorded).or_else(found) };
        let Some(mut spec) = spec else {
            return Taken::Impossible("neither a run record nor a mark says who it is".into());
        };
        match self.order.wish {
            Wish::Kill => spec.stop = Ladder::kill(),
            // It is to run by what the configuration says once its old tree is empty.
            Wish::Restart => spec = self.spec.cloned().unwrap_or(spec),
            Wish::Stop | Wish::Climb => {}
        }
        if lost {
            self.note_once("its run record is lost: it is stopped by the default ladder");
        }
        self.take_in_living();
        self.took = true;
        match take(self.home, &spec, &self.stray_ids(), true, &self.order.by, ADOPTION) {
            None => Taken::AtRest,
            Some(taken) => match taken.outcome {
                StartOutcome::Adopted | StartOutcome::AlreadyRunning | StartOutcome::Started => Taken::Kept,
                StartOutcome::StillStarting | StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => {
                    Taken::Impossible(taken.message)
                }
            },
        }
    }

    /// What lives without a keeper, as far as one look shows: the next keeper may have ended it before it can be asked.
    fn take_in_living(&mut self) {
        let Some(sight) = &self.sight else { return };
        let main = sight.record().and_then(|record| record.process.as_ref()).filter(|id| process::is_alive(id));
        let pids: Vec<i32> = main.map(|id| id.pid).into_iter().chain(sight.evidence.marked.iter().copied()).collect();
        for pid in pids {
            let known = self.report.processes.iter().any(|known| known.pid == pid);
            if !known && process::stat(pid).is_some_and(process::Stat::is_alive) {
                let (found_by, file) = self.tier_of(pid);
                let command = process::command_line(pid);
                self.report.processes.push(ProcessReport { pid, command, found_by, file, ended_by: None });
            }
        }
    }

    /// What ended those of which no keeper could tell us any more: the last signal that a keeper sent to their run.
    fn told_last(&self) -> Option<Signal> {
        let run = &self.sight.as_ref().filter(|_| self.took)?.record()?.run;
        journal::signals_told(&self.home.bot(&self.report.name).events(), run).last().copied()
    }

    fn alone(&mut self) -> &mut Alone {
        let alone = self.alone.take().unwrap_or_else(|| {
            let bot = self.home.bot(&self.report.name);
            let record = self.sight.as_ref().and_then(Sight::record);
            Alone::new(&bot, &self.report.name, record, &self.stray_ids())
        });
        self.alone.insert(alone)
    }

    fn start_anew(&mut self) -> Option<String> {
        let Some(spec) = self.spec else { return Some("it is not in the configuration: it was not started".into()) };
        self.wait_for_what_others_end();
        if let Some(by) = self.stopped_meanwhile() {
            return Some(format!(
                "{by} asked for its stop meanwhile, and the last word counts: it was not started again"
            ));
        }
        let started = start(self.home, std::slice::from_ref(spec), &self.order.by, self.order.wait).into_iter().next();
        let Some(started) = started else { return Some("it was not started".into()) };
        match started.outcome {
            StartOutcome::Started | StartOutcome::AlreadyRunning | StartOutcome::Adopted => {
                self.report.restarted = true;
                self.report.notes.push(started.message);
                None
            }
            StartOutcome::StillStarting => {
                self.report.restarted = true;
                self.report.notes.push(STILL_STARTING.into());
                None
            }
            StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => Some(started.message),
        }
    }

    /// What may be its own or another's that is being ended as well is ended by the first of them; nothing is started
    /// beside it.
    fn wait_for_what_others_end(&self) {
        let until = clock::now().plus(self.order.wait);
        let is_ending = |finding: &&Finding| {
            !finding.shared_with.is_empty() && finding.shared_with.iter().all(|name| self.order.bots.contains(name))
        };
        while clock::now() < until && self.passes.fresh().strays(&self.report.name).iter().any(is_ending) {
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Who has stopped it since this was asked for: a restart must not bring back what was stopped after it.
    fn stopped_meanwhile(&self) -> Option<String> {
        let down = record::down(&self.home.bot(&self.report.name))?;
        // One without contents (a full disk) counts if it was not there before.
        let since = down.at.map_or(!self.was_down, |at| at >= self.order.at);
        since.then_some(if down.by.is_empty() { "somebody".to_owned() } else { down.by })
    }

    /// The ladder for what has no keeper: that of its run, else the configured one.
    fn ladder(&self) -> Ladder {
        match record::read(&self.home.bot(&self.report.name)) {
            RecordSeen::Read(record) if record.ended.is_none() => record.ladder.clone(),
            RecordSeen::Read(_) | RecordSeen::None | RecordSeen::Unreadable(_) => {
                self.spec.map_or_else(Ladder::default, |spec| spec.stop.clone())
            }
        }
    }

    /// What is known only at the end.
    fn settle(&mut self) {
        self.report.duration_ms = millis(clock::now().since(self.begun));
        if let Some(alone) = self.alone.take() {
            let (seen, exit) = alone.leave(self.report.outcome != StopOutcome::Survived);
            self.take_in_processes(&seen);
            self.report.exit = exit.map(|exit| ExitReport { code: exit.code(), signal: exit.signal() });
        }
        if self.report.outcome == StopOutcome::Survived {
            return;
        }
        // Everything was seen to be gone; who was never told went by itself.
        self.all_ended();
        self.report.processes.retain(|process| process.pid > 0);
        if self.report.outcome == StopOutcome::Stopped && self.report.exit.is_none() && !self.report.restarted {
            let record = self.sight.as_ref().and_then(Sight::record);
            let exit = record.and_then(|record| record.ended.as_ref()).map(|ended| &ended.exit);
            self.report.exit = exit.map(|exit| ExitReport { code: exit.code(), signal: exit.signal() });
            if exit == Some(&Exit::Unknown) {
                self.note_once("how it ended is unknown: nobody who could have seen it was there");
            }
        }
        let mut tiers: Vec<Tier> = self.report.processes.iter().map(|process| process.found_by).collect();
        tiers.extend(self.report.found_by.iter().copied());
        tiers.sort_unstable();
        tiers.dedup();
        self.report.found_by = tiers;
    }

    /// Nothing that was seen lives any more: it went by what it was last sent.
    pub(super) fn all_ended(&mut self) {
        if self.report.processes.iter().all(|process| process.ended_by.is_some()) {
            return;
        }
        let (sent, told) = (&self.sent, self.told_last());
        for process in &mut self.report.processes {
            process.ended_by.get_or_insert_with(|| ended_by(sent.get(&process.pid).copied().or(told)));
        }
    }

    /// Tells whoever watches what is being waited for, every few seconds.
    pub(super) fn tell_if_it_takes_long(&mut self, course: &Course, until: Option<Moment>) {
        let now = clock::now();
        if now.since(self.said.unwrap_or(self.begun)) < WORTH_A_WORD {
            return;
        }
        self.said = Some(now);
        let alive: Vec<String> = self
            .report
            .processes
            .iter()
            .filter(|process| process.ended_by.is_none())
            .map(|process| process.pid.to_string())
            .collect();
        let who = if alive.is_empty() { "its processes".to_owned() } else { format!("pid {}", alive.join(", ")) };
        let next = self.talk.as_ref().and_then(Talk::next_step).or_else(|| {
            let left = until?.since(now);
            Some(format!("the next signal in {} s", left.as_secs() + 1))
        });
        let what = format!("waiting for {who}{}", next.map(|next| format!("; {next}")).unwrap_or_default());
        (self.say)(&StopWord::Waiting { bot: self.report.name.clone(), stage: course.stage(), what });
    }

    pub(super) fn note_once(&mut self, note: &str) {
        if !self.report.notes.iter().any(|known| known == note) {
            self.report.notes.push(note.to_owned());
        }
    }

    fn error_once(&mut self, error: &str) {
        if !self.report.errors.iter().any(|known| known == error) {
            self.report.errors.push(error.to_owned());
        }
    }
}

/// The word for what ended a process that was last sent this.
pub(super) fn ended_by(sent: Option<Signal>) -> String {
    sent.map_or_else(|| "itself".to_owned(), |signal| signal.to_string())
}

/// The processes that its keeper, or its run record, accounts for, and the run whose mark the others carry: no strays.
fn kept(sight: &Sight) -> (Vec<i32>, Option<String>) {
    let recorded = || sight.record().map(|record| record.run.clone());
    match &sight.evidence.voice {
        Voice::Said(snapshot) => {
            let alive = snapshot.processes.iter().filter(|process| process.alive);
            (alive.map(|process| process.pid).collect(), Some(snapshot.run.clone()))
        }
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) if sight.evidence.main_alive => {
            (sight.verdict.pid.into_iter().collect(), recorded())
        }
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => (Vec::new(), recorded()),
    }
}
