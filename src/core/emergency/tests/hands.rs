//! Those who act on the machine: emergency stops with a course for every bot, commands, and whoever meddles.

use std::collections::VecDeque;

use super::at;
use super::keeper::{At, Begin, Request, Voice, Word};
use super::world::World;
use crate::core::bot::{BotName, Mode};
use crate::core::climb::Climb;
use crate::core::emergency::{Depth as How, Effect as Deed, Emergency, Found, Input as Came};
use crate::core::lifecycle::{Lifecycle, Phase};
use crate::core::moment::Moment;
use crate::core::report::StopOutcome;
use crate::core::state::State;
use crate::core::stop::{Asked, Course, Depth, Effect, Heard, Input, KeeperSeen, Own, Sighting, Taken, Wish};

/// A keeper that says nothing for so long is silent.
const SILENT: u64 = 1000;
const ADOPTION: u64 = 10_000;

/// One bot's course, carried out.
pub(super) struct Walk {
    pub(super) bot: usize,
    /// Whether the latch was there before it began.
    pub(super) latched: bool,
    wish: Wish,
    course: Course,
    effect: Effect,
    /// How much of the effect is done, and until when it is waited for.
    step: u8,
    until: Option<u64>,
    keeper: KeeperSeen,
    own: bool,
    strays: Vec<usize>,
    talk: Option<usize>,
    talk_runs: u32,
    told_end: Option<Moment>,
    asked: Option<(usize, u32)>,
    launched: Option<usize>,
    start: Option<Command>,
    /// Nothing of it can be written, and no keeper can be launched.
    broken: bool,
}

impl Walk {
    pub(super) fn new(world: &mut World, bot: usize, wish: Wish) -> Self {
        let (course, effect) = Course::begin(wish, world.bots[bot].plan.ladder.clone());
        Self {
            bot,
            latched: world.latch == Some(false),
            wish,
            course,
            effect,
            step: 0,
            until: None,
            keeper: KeeperSeen::None,
            own: false,
            strays: Vec::new(),
            talk: None,
            talk_runs: 0,
            told_end: None,
            asked: None,
            launched: None,
            start: None,
            broken: world.chance(20),
        }
    }

    /// What became of it, once it is over.
    pub(super) fn outcome(&self) -> Option<StopOutcome> {
        if let Effect::Finish(outcome) = self.effect { Some(outcome) } else { None }
    }

    /// One thing that it does. Whether there was one.
    pub(super) fn step(&mut self, world: &mut World) -> bool {
        world.bots[self.bot].touched |= self.wish == Wish::Stop;
        let before = (self.step, self.until);
        let Some(input) = self.perform(world) else { return (self.step, self.until) != before };
        self.effect = self.course.next(input, at(world.now));
        (self.step, self.until) = (0, None);
        true
    }

    /// Whether so much time has passed since this step of an effect began.
    fn waited(&mut self, world: &mut World, patience: u64) -> bool {
        let until = *self.until.get_or_insert(world.now + patience);
        world.wait_until(until)
    }

    fn perform(&mut self, world: &mut World) -> Option<Input> {
        match self.effect {
            Effect::WriteDown => {
                self.write_down(world);
                Some(Input::Locked(self.broken.then(|| "no room".to_owned())))
            }
            Effect::Look(depth) => self.look(world, depth),
            Effect::Ask(wish) => self.ask(world, wish).map(Input::Asked),
            Effect::Listen(until) => self.listen(world, until),
            Effect::EndKeeper(_, patience) => self.end_keeper(world, patience.as_millis() as u64),
            Effect::Take => self.take(world).map(Input::Taken),
            Effect::Signal(signal, reach) => {
                let tree = world.tree(self.bot, &self.strays);
                world.send(self.bot, &tree, signal, reach);
                Some(Input::Signaled(Vec::new()))
            }
            Effect::Wait(until) => {
                if world.tree(self.bot, &self.strays).is_empty() {
                    return Some(Input::Emptied);
                }
                world.wait_until(until.map_or(u64::MAX, ms)).then_some(Input::Tick)
            }
            Effect::Start => {
                let bot = self.bot;
                let start = self.start.get_or_insert_with(|| Command::new(bot, What::Start));
                if start.step(world) {
                    self.step = self.step.wrapping_add(1);
                }
                start.over.then_some(Input::Started(None))
            }
            Effect::Finish(_) => None,
        }
    }

    fn write_down(&self, world: &mut World) {
        if !self.broken {
            world.bots[self.bot].down = true;
        }
    }

    fn look(&mut self, world: &mut World, depth: Depth) -> Option<Input> {
        match self.step {
            0 => {
                self.keeper = match (depth, self.talk) {
                    // It is being talked to: only its lock is looked at.
                    (Depth::All, Some(_)) if world.holder(self.bot).is_some() => KeeperSeen::Answers(State::Stopping),
                    (Depth::All, Some(_)) => KeeperSeen::None,
                    (Depth::All | Depth::Keeper, _) => match world.call(self.bot) {
                        Voice::Nobody => KeeperSeen::None,
                        Voice::Answers(_, state) => KeeperSeen::Answers(state),
                        Voice::Quiet(_) if !self.waited(world, SILENT) => return None,
                        Voice::Quiet(_) => KeeperSeen::Silent("silent".into()),
                    },
                };
                self.step = 1;
                None
            }
            1 => {
                self.own = world.bot_lock_is_held(self.bot);
                self.step = 2;
                None
            }
            _ => {
                if depth == Depth::All {
                    self.own |= world.own(self.bot);
                    self.strays = world.strays(self.bot);
                }
                let own = if self.own { Own::Lives } else { Own::AtRest };
                let strays = if depth == Depth::All { self.strays.len() } else { 0 };
                Some(Input::Seen(Sighting { keeper: self.keeper.clone(), own, strays, shared: 0 }))
            }
        }
    }

    fn ask(&mut self, world: &mut World, wish: Wish) -> Option<Asked> {
        match self.step {
            0 => {
                if matches!(self.wish, Wish::Stop | Wish::Kill) {
                    self.write_down(world);
                }
                self.step = 1;
                None
            }
            1 => {
                let keeper = self.talk.or_else(|| world.holder(self.bot));
                let also = self.strays.clone();
                let request = match wish {
                    Wish::Kill => Request::Kill(also),
                    Wish::Restart => Request::Restart,
                    Wish::Stop | Wish::Climb => Request::Stop(also),
                };
                let ticket = keeper.and_then(|keeper| Some((keeper, world.ask(keeper, request)?)));
                let Some((keeper, ticket)) = ticket else {
                    self.talk = None;
                    return Some(Asked::Lost);
                };
                self.talk_runs = world.keepers[keeper].runs;
                self.asked = Some((keeper, ticket));
                self.step = 2;
                None
            }
            _ => {
                let (keeper, ticket) = self.asked?;
                if world.keepers[keeper].answered.contains(&ticket) {
                    self.talk = Some(keeper);
                    self.told_end = None;
                    return Some(Asked::Accepted);
                }
                if world.is_gone(keeper) || self.waited(world, SILENT) {
                    self.talk = None;
                    return Some(Asked::Lost);
                }
                None
            }
        }
    }

    fn listen(&mut self, world: &mut World, until: Moment) -> Option<Input> {
        let Some(keeper) = self.talk else { return Some(Input::Lost) };
        let it = &world.keepers[keeper];
        if world.is_gone(keeper) {
            self.talk = None;
            return Some(if it.said_over { Input::Heard(Heard::Empty) } else { Input::Lost });
        }
        if !it.hangs
            && !it.stuck
            && let Some(heard) = self.hear(it.life.as_ref()?, it.runs)
        {
            return Some(Input::Heard(heard));
        }
        world.wait_until(ms(until)).then_some(Input::Tick)
    }

    fn hear(&mut self, life: &Lifecycle, runs: u32) -> Option<Heard> {
        match life.phase() {
            Phase::Running { .. } if self.wish == Wish::Restart && runs > self.talk_runs => Some(Heard::NextRun(None)),
            Phase::Running { .. } if self.wish == Wish::Restart => None,
            Phase::Running { .. } => Some(Heard::NotEnding(State::Running)),
            Phase::Backoff { .. } => Some(Heard::NotEnding(State::Backoff)),
            Phase::Stopping { climb, .. } if Climb::survived(climb) => Some(Heard::Survived(vec![1])),
            Phase::Stopping { climb, .. } => {
                let ends = climb.ends();
                if self.told_end.replace(ends) == Some(ends) {
                    return None;
                }
                Some(Heard::Ending(std::time::Duration::from_secs(2)))
            }
            Phase::Spawning { .. } | Phase::Starting { .. } | Phase::Over(_) => None,
        }
    }

    fn end_keeper(&mut self, world: &mut World, patience: u64) -> Option<Input> {
        if self.step == 0 {
            let Some(keeper) = world.holder(self.bot) else {
                return Some(Input::KeeperStays("who it is cannot be proven".into()));
            };
            if world.keepers[keeper].foreign {
                return Some(Input::KeeperStays("not permitted".into()));
            }
            world.kill_keeper(keeper);
            self.launched = Some(keeper);
            self.step = 1;
            return None;
        }
        if self.launched.is_none_or(|keeper| world.is_gone(keeper)) {
            return Some(Input::KeeperEnded);
        }
        self.waited(world, patience).then(|| Input::KeeperStays("it outlives SIGKILL".into()))
    }

    fn take(&mut self, world: &mut World) -> Option<Taken> {
        if self.step == 0 {
            if self.broken {
                return Some(Taken::Impossible("no room".into()));
            }
            let begin = Begin::Adopt { strays: self.strays.clone(), asked: true };
            self.launched = Some(world.launch(self.bot, begin));
            self.step = 1;
            return None;
        }
        match self.launched.and_then(|keeper| world.keepers[keeper].word) {
            Some(Word::Taken | Word::Ready) => Some(Taken::Kept),
            Some(Word::AtRest) => Some(Taken::AtRest),
            Some(Word::Failed) => Some(Taken::Impossible("it failed".into())),
            None if self.launched.is_none_or(|keeper| world.is_gone(keeper)) => {
                Some(Taken::Impossible("it died".into()))
            }
            None => self.waited(world, ADOPTION).then(|| Taken::Impossible("it says nothing".into())),
        }
    }
}

fn ms(moment: Moment) -> u64 {
    moment.since(at(0)).as_millis() as u64
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Start,
    Up,
    Adopt,
}

/// `start`, `up` or `adopt`, for one bot: it looks for the latch first, and long before it acts.
pub(super) struct Command {
    bot: usize,
    word: What,
    step: u8,
    strays: Vec<usize>,
    voice: Voice,
    own: bool,
    down: bool,
    pub(super) over: bool,
}

impl Command {
    pub(super) fn new(bot: usize, word: What) -> Self {
        Self { bot, word, step: 0, strays: Vec::new(), voice: Voice::Nobody, own: false, down: false, over: false }
    }

    pub(super) fn step(&mut self, world: &mut World) -> bool {
        if self.over {
            return false;
        }
        self.step += 1;
        match self.step {
            1 if world.binds(self.bot) => {
                world.refused += 1;
                self.over = true;
            }
            1 => {}
            2 => self.strays = world.strays(self.bot),
            3 => self.voice = world.call(self.bot),
            4 => self.own = world.bot_lock_is_held(self.bot),
            5 => {
                self.down = world.bots[self.bot].down;
                self.over = self.has_nothing_to_do();
            }
            6 => match self.voice {
                Voice::Answers(keeper, State::Backoff) if self.word == What::Start => {
                    let _ = world.ask(keeper, Request::Retry);
                    self.over = true;
                }
                Voice::Nobody | Voice::Answers(..) | Voice::Quiet(_) if self.word == What::Up => {}
                Voice::Nobody | Voice::Answers(..) | Voice::Quiet(_) => {
                    world.bots[self.bot].down = false;
                    self.over = self.voice != Voice::Nobody;
                }
            },
            _ => {
                let begin = if self.own || !self.strays.is_empty() {
                    Begin::Adopt { strays: self.strays.clone(), asked: false }
                } else {
                    Begin::Start
                };
                world.launch(self.bot, begin);
                self.over = true;
            }
        }
        true
    }

    fn has_nothing_to_do(&self) -> bool {
        let lives = self.own || !self.strays.is_empty();
        match (self.word, self.voice) {
            (_, Voice::Quiet(_)) => true,
            (What::Start, Voice::Answers(_, state)) => !matches!(state, State::Running | State::Backoff),
            (What::Up | What::Adopt, Voice::Answers(..)) => true,
            (What::Start, Voice::Nobody) => lives,
            (What::Up, Voice::Nobody) => self.down,
            (What::Adopt, Voice::Nobody) => !lives,
        }
    }
}

/// An emergency stop: the machine, and one thread a bot.
pub(super) struct Stopper {
    pub(super) emergency: Emergency,
    pub(super) drill: bool,
    pub(super) begun: u64,
    pub(super) ended: Option<u64>,
    /// After so many steps it is killed.
    pub(super) dies_after: Option<u32>,
    pub(super) outcomes: Vec<(usize, StopOutcome)>,
    deeds: VecDeque<Deed>,
    walks: Vec<Walk>,
    gathered: Vec<bool>,
}

impl Stopper {
    pub(super) fn new(world: &World, drill: bool, dies_after: Option<u32>) -> Self {
        let (emergency, deeds) = Emergency::begin(drill, at(world.now));
        Self {
            emergency,
            drill,
            begun: world.now,
            ended: None,
            dies_after,
            outcomes: Vec::new(),
            deeds: deeds.into(),
            walks: Vec::new(),
            gathered: Vec::new(),
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dies_after == Some(0) && self.ended.is_none()
    }

    fn take_in(&mut self, world: &World, input: Came) {
        self.deeds.extend(self.emergency.handle(input, at(world.now)));
    }

    pub(super) fn step(&mut self, world: &mut World) -> bool {
        if self.ended.is_some() || self.is_dead() {
            return false;
        }
        let went = if self.walks.is_empty() || world.chance(8) { self.own_step(world) } else { false };
        let went = went || self.walk(world) || self.own_step(world);
        if went {
            self.dies_after = self.dies_after.map(|left| left - 1);
        }
        went
    }

    fn walk(&mut self, world: &mut World) -> bool {
        let (count, first) = (self.walks.len(), world.rng.usize(..));
        for turn in 0..count {
            let number = first.wrapping_add(turn) % count;
            if let Some(outcome) = self.walks[number].outcome() {
                let walk = self.walks.swap_remove(number);
                self.outcomes.push((walk.bot, outcome));
                self.take_in(world, Came::Ended(name(walk.bot), outcome));
                return true;
            }
            if self.walks[number].step(world) {
                self.check(world, number);
                return true;
            }
        }
        false
    }

    /// A bot that is called stopped is at rest at that very moment.
    fn check(&self, world: &mut World, number: usize) {
        let Walk { bot, latched, .. } = self.walks[number];
        if let Some(StopOutcome::Stopped | StopOutcome::NotRunning) = self.walks[number].outcome()
            && latched
            && world.lives(bot)
        {
            world.blame(format!("bot {bot} was called stopped while it lived"));
        }
    }

    fn own_step(&mut self, world: &mut World) -> bool {
        let Some(deed) = self.deeds.front().cloned() else {
            let due = self.emergency.deadline().map(ms);
            if due.is_some_and(|due| world.wait_until(due)) {
                self.take_in(world, Came::Tick);
                return true;
            }
            return false;
        };
        if let Deed::Gather(how) = deed
            && !self.look(world, how)
        {
            return true;
        }
        self.deeds.pop_front();
        match deed {
            Deed::Latch => {
                let has_latch = world.make_latch(self.drill);
                self.take_in(world, Came::Latched(has_latch));
            }
            Deed::PutBack => self.take_in(world, Came::PutBack),
            Deed::Gather(_) => {
                let (drill, gathered) = (self.drill, std::mem::take(&mut self.gathered));
                // A drill does not even speak of what is live.
                let speaks = |bot: usize| !drill || world.bots[bot].mode != Mode::Live;
                let found = gathered.into_iter().enumerate().filter(|(bot, _)| speaks(*bot));
                let found = found.map(|(bot, lives)| Found { bot: name(bot), lives }).collect();
                self.take_in(world, Came::Gathered(found));
            }
            Deed::Seek => {
                // Everybody has a name here, and a drill does not speak of what is live.
                let speaks = |bot: &usize| !self.drill || world.bots[*bot].mode != Mode::Live;
                let seen = |bot: usize| Found { bot: name(bot), lives: world.lives(bot) };
                let found = (0..world.bots.len()).filter(speaks).map(seen).collect();
                self.take_in(world, Came::Sought(found));
            }
            Deed::End(bots) => {
                for bot in bots {
                    let bot = number(&bot);
                    let walk = Walk::new(world, bot, Wish::Stop);
                    self.walks.push(walk);
                }
            }
            Deed::Lift => {
                world.latch = None;
                self.take_in(world, Came::Lifted);
            }
            Deed::Finish => self.ended = Some(world.now),
        }
        true
    }

    /// One bot's keeper, or its processes: each is a look of its own. Whether everybody was looked at.
    fn look(&mut self, world: &World, how: How) -> bool {
        let bots = world.bots.len();
        if how == How::Known || !world.rules.looks_at_the_end {
            self.gathered = vec![false; bots];
            return true;
        }
        // Every lock first, then one pass over the processes.
        if self.gathered.len() < bots {
            self.gathered.push(world.holder(self.gathered.len()).is_some());
            return false;
        }
        for (bot, lives) in self.gathered.iter_mut().enumerate() {
            *lives |= world.lives(bot);
        }
        true
    }
}

pub(super) fn name(bot: usize) -> BotName {
    format!("bot{bot}").parse().expect("a name")
}

fn number(name: &BotName) -> usize {
    name.as_str().trim_start_matches("bot").parse().expect("a number")
}

/// What nobody has asked for: processes end and fork, keepers are killed, hang, and come back.
pub(super) fn meddle(world: &mut World) {
    let bot = world.rng.usize(..world.bots.len());
    let keeper = world.holder(bot);
    let alive: Vec<usize> = world.tree(bot, &[]);
    match (world.rng.u8(..8), keeper) {
        (0, Some(keeper)) => world.keepers[keeper].hangs = true,
        (1, Some(keeper)) if world.chance(2) => world.keepers[keeper].stuck = true,
        (2, Some(keeper)) if !world.keepers[keeper].stuck => {
            world.kill_keeper(keeper);
        }
        (3, Some(keeper)) => (world.keepers[keeper].hangs, world.keepers[keeper].stuck) = (false, false),
        (4 | 5, _) if !alive.is_empty() => {
            let main = alive[0];
            world.end(bot, main);
        }
        (6 | 7, _) if !alive.is_empty() => {
            let parent = alive[world.rng.usize(..alive.len())];
            world.fork(bot, parent);
        }
        _ => {}
    }
}

/// Everything that hangs comes back.
pub(super) fn release(world: &mut World) -> bool {
    let mut any = false;
    for keeper in &mut world.keepers {
        any |= (keeper.hangs || keeper.stuck) && keeper.at != At::Gone;
        (keeper.hangs, keeper.stuck) = (false, false);
    }
    any
}
