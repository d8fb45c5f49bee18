//! One bot's course, carried out: every effect of the pure procedure becomes something that is done, and what came of
//! it goes back in.

use std::collections::HashMap;
use std::time::Duration;

use crate::act::adopt::{as_found, as_spec, take};
use crate::act::audit;
use crate::client::Client;
use crate::clock;
use crate::core::bot::{BotName, BotSpec, Ladder};
use crate::core::moment::Moment;
use crate::core::progress::Standing;
use crate::core::protocol::Snapshot;
use crate::core::record::{Down, ProcessId};
use crate::core::report::{BotReport, LATCHED, StartOutcome, Tier};
use crate::core::signal::Signal;
use crate::core::status::RecordSeen;
use crate::core::stop::{Course, Depth, Effect, Input, KeeperSeen, Own, Sighting, Stage, Taken, Wish};
use crate::core::words::masked;
use crate::latch;
use crate::lock;
use crate::paths::{Home, words};
use crate::process;
use crate::record;
use crate::survey::{Marked, Sight, see, with_marked};

use super::alone::Alone;
use super::board::Board;
use super::chunks::Chunks;
use super::common::Common;
use super::milestones::Milestones;
use super::order::{StopOrder, StopWord};
use super::passes::Passes;
use super::roll::Roll;
use super::shout::Shout;
use super::stray::Stray;
use super::talk::Talk;

/// A new keeper has this long to say that it has the bot.
const ADOPTION: Duration = Duration::from_secs(10);
/// What takes longer than this is worth a word to whoever watches.
const WORTH_A_WORD: Duration = Duration::from_secs(2);

/// The next signal that a keeper announces, if one is left on its ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced(pub(super) Option<Signal>);

/// One bot's stop, under way.
pub(super) struct Walk<'a> {
    pub(super) home: &'a Home,
    pub(super) order: &'a StopOrder,
    pub(super) wish: Wish,
    pub(super) report: BotReport,
    /// The conversation with its keeper, while there is one.
    pub(super) talk: Option<Talk>,
    pub(super) spec: Option<&'a BotSpec>,
    pub(super) passes: &'a Passes<'a>,
    say: &'a (dyn Fn(&StopWord) + Sync),
    roll: &'a Roll,
    chunks: &'a Chunks<'a>,
    pub(super) milestones: &'a Milestones,
    pub(super) board: &'a Board<'a>,
    /// What its keeper announced first: once that changes, the bot has had its chance.
    pub(super) announced: Option<Announced>,
    /// As it was last seen.
    pub(super) sight: Option<Sight>,
    /// Processes beside those of its keeper, as they were last seen.
    pub(super) strays: Vec<Stray>,
    /// What may be its own or another's, and is ended by that one's stop.
    pub(super) awaited: Vec<ProcessId>,
    /// By which tier what no keeper and no stray accounts for is known.
    pub(super) own_tier: Option<Tier>,
    /// Whether its keeper is one that this stop has launched: such a one has found nothing.
    pub(super) took: bool,
    /// The last signal that each process was seen to have been sent.
    pub(super) sent: HashMap<i32, Signal>,
    /// Whether it was not to be running when this began.
    pub(super) was_down: bool,
    pub(super) alone: Option<Alone>,
    pub(super) begun: Moment,
    /// What tells its keeper before this does anything.
    pub(super) shout: Option<&'a Shout>,
    /// Its keeper was told, and has said this first.
    pub(super) shouted: Option<(Client, Snapshot)>,
    said: Option<Moment>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        common: &Common<'a>,
        wish: Wish,
        name: &BotName,
        spec: Option<&'a BotSpec>,
        milestones: &'a Milestones,
        board: &'a Board<'a>,
    ) -> Self {
        let Common { home, order, passes, say, roll, chunks, .. } = *common;
        Self {
            home,
            order,
            wish,
            report: BotReport { mode: spec.map(|spec| spec.mode), ..BotReport::new(name.clone()) },
            talk: None,
            spec,
            passes,
            say,
            roll,
            chunks,
            milestones,
            board,
            announced: None,
            sight: None,
            strays: Vec::new(),
            awaited: Vec::new(),
            own_tier: None,
            took: false,
            sent: HashMap::new(),
            was_down: record::down(&home.bot(name)).is_some(),
            alone: None,
            begun: clock::now(),
            shout: None,
            shouted: None,
            said: None,
        }
    }

    /// The same, but a shout that tells its keeper is gone on with.
    #[must_use]
    pub(super) const fn after(mut self, shout: Option<&'a Shout>) -> Self {
        self.shout = shout;
        self
    }

    /// Goes on until the course is at its end; what became of it comes back.
    pub(super) fn finish(mut self) -> BotReport {
        let wish = self.wish;
        let _ = self.shout.map(|shout| shout.wait(&self.report.name));
        if wish != Wish::Climb {
            let order = self.order;
            let said = audit(self.home, &self.report.name, order.word(wish), &order.by, order.tty.as_deref());
            self.report.errors.extend(said);
        }
        if wish == Wish::Restart && latch::is_latched(self.home) {
            self.report.errors.push(LATCHED.into());
            return self.report;
        }
        let (course, mut effect) = Course::begin(wish, self.ladder());
        let mut course = if self.milestones.passed().done { course } else { course.with_a_pause() };
        loop {
            if needs_its_chunks(&effect) && wish != Wish::Climb {
                self.chunks.pass(&self.report.name, self.board);
            }
            if let Effect::Finish(outcome) = effect {
                self.reach(&course, &effect);
                self.roll.told(&self.report.name);
                self.report.outcome = Some(outcome);
                break;
            }
            self.reach(&course, &effect);
            let told = matches!(effect, Effect::Ask(_) | Effect::Signal(..));
            let input = self.perform(effect, &course);
            if told {
                self.roll.told(&self.report.name);
            }
            effect = course.next(input, clock::now());
        }
        self.report.errors.extend(course.errors().map(str::to_owned));
        for obstacle in course.obstacles() {
            self.note_once(obstacle);
        }
        self.settle();
        // What stands in an event file stands there for ever.
        for process in &mut self.report.processes {
            process.command = masked(&process.command);
        }
        self.report
    }

    fn perform(&mut self, effect: Effect, course: &Course) -> Input {
        match effect {
            Effect::WriteDown => {
                let trouble = self.write_down();
                let text = trouble.as_deref().unwrap_or("it is not to be running");
                self.board.stage(Stage::Lock, Standing::UnderWay, text);
                Input::Locked(trouble)
            }
            Effect::Look(depth) => Input::Seen(self.look(depth)),
            Effect::Ask(wish) => Input::Asked(self.ask(wish)),
            Effect::Listen(until) => self.listen(until, course),
            Effect::EndKeeper(signal, patience) => self.end_keeper(signal, patience),
            Effect::Take => Input::Taken(self.take()),
            Effect::Signal(signal, reach) => Input::Signaled(self.alone().send(signal, reach)),
            Effect::Wait(until) => {
                self.show_waiting(until);
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
            Some(_) | None => self.hear_the_shout().unwrap_or_else(|| see(self.home, &name, &Marked::default())),
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
                if record::is_readable(&self.home.bot(&self.report.name)) {
                    self.note_once(&format!("its run record is corrupt and was passed over: {why}"));
                } else {
                    self.error_once(&format!("its run record cannot be read: {why}"));
                }
            }
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
        match self.wish {
            Wish::Kill => spec.stop = Ladder::kill(),
            // It is to run by what the configuration says once its old tree is empty.
            Wish::Restart => spec = self.spec.cloned().unwrap_or(spec),
            Wish::Stop | Wish::Climb => {}
        }
        if let Some(cap) = self.order.emergency {
            spec.stop = spec.stop.in_an_emergency(cap);
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

    fn alone(&mut self) -> &mut Alone {
        let alone = self.alone.take().unwrap_or_else(|| {
            let bot = self.home.bot(&self.report.name);
            let record = self.sight.as_ref().and_then(Sight::record);
            let mut beside = self.stray_ids();
            if record.is_none() {
                // Nothing but its mark says whose it is: a folder that cannot be read keeps nobody alive.
                let marked = self.sight.iter().flat_map(|sight| &sight.evidence.marked);
                beside.extend(marked.filter_map(|pid| process::identify(*pid)));
            }
            Alone::new(&bot, &self.report.name, record, &beside)
        });
        self.alone.insert(alone)
    }

    /// The ladder for what has no keeper: that of its run, else the configured one.
    fn ladder(&self) -> Ladder {
        let ladder = match record::read(&self.home.bot(&self.report.name)) {
            RecordSeen::Read(record) if record.ended.is_none() => record.ladder.clone(),
            RecordSeen::Read(_) | RecordSeen::None | RecordSeen::Unreadable(_) => {
                self.spec.map_or_else(Ladder::default, |spec| spec.stop.clone())
            }
        };
        match self.order.emergency {
            Some(cap) => ladder.in_an_emergency(cap),
            None => ladder,
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

    pub(super) fn error_once(&mut self, error: &str) {
        if !self.report.errors.iter().any(|known| known == error) {
            self.report.errors.push(error.to_owned());
        }
    }
}

/// Whether its chunks have to be back before this is done: it is told, or everything is over.
const fn needs_its_chunks(effect: &Effect) -> bool {
    match effect {
        Effect::Ask(_) | Effect::EndKeeper(..) | Effect::Take | Effect::Signal(..) => true,
        // What has nobody to be told is not over before its chunks are back, nor started anew.
        Effect::Start | Effect::Finish(_) => true,
        Effect::WriteDown | Effect::Look(_) | Effect::Listen(_) | Effect::Wait(_) => false,
    }
}
