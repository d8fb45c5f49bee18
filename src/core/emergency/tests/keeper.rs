//! The keepers of the machine: the pure machine of each, and what a real keeper does around it.

use std::collections::{BTreeSet, VecDeque};

use super::at;
use super::world::World;
use crate::core::bot::RestartPolicy;
use crate::core::exit::Exit;
use crate::core::lifecycle::{Effect, First, Happening, Input, Lifecycle, Phase, Plan, Refusal};
use crate::core::signal::Signal;
use crate::core::state::State;

/// What a keeper was launched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Start,
    Adopt { strays: Vec<usize>, asked: bool },
}

/// How far a keeper has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// Only a keeper that does not keep the rules looks here.
    BeforeItsLock,
    Lock,
    Search,
    Socket,
    Work,
    Leave,
    Gone,
}

/// The paperwork before a spawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paper {
    Latch,
    Down,
    Lock,
    Strays,
    Ready,
    Not(Against),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    Latched,
    Down,
    Occupied,
}

/// The look for the latch that follows a spawn: paperwork too, and only then told to the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    Due,
    Slipped,
    IsDown,
}

/// What is asked of a keeper.
#[derive(Clone, Debug)]
pub(super) enum Request {
    Stop(Vec<usize>),
    Kill(Vec<usize>),
    Restart,
    Retry,
}

/// What a keeper says to whoever launched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Taken,
    AtRest,
    Ready,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Keeper {
    pub(super) bot: usize,
    pub(super) at: At,
    pub(super) begin: Begin,
    pub(super) life: Option<Lifecycle>,
    /// It was sent SIGSTOP.
    pub(super) hangs: bool,
    /// It is in a system call that does not come back: SIGKILL waits as long as that.
    pub(super) stuck: bool,
    pub(super) doomed: bool,
    /// It belongs to somebody else: an emergency stop may not send it anything.
    pub(super) foreign: bool,
    pub(super) word: Option<Word>,
    /// Whether it said that nothing lives before it left.
    pub(super) said_over: bool,
    pub(super) runs: u32,
    pub(super) has_lock: bool,
    pub(super) answered: BTreeSet<u32>,
    pub(super) requests: VecDeque<(u32, Request)>,
    pub(super) paper: Option<Paper>,
    /// Whether the latch was there already when it began with that.
    pub(super) latched: bool,
    pub(super) again: Option<Again>,
    pub(super) main: Option<usize>,
    pub(super) joined: Vec<usize>,
    pub(super) unasked: Option<u64>,
    pub(super) has_bot_lock: bool,
    pub(super) told: Vec<(usize, Signal)>,
    /// A slow one is seldom its turn.
    pub(super) slow: bool,
}

/// What a look at a bot's keeper shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Nobody,
    Answers(usize, State),
    /// It has the lock and does not answer yet.
    Quiet(usize),
}

impl World {
    pub(super) fn launch(&mut self, bot: usize, begin: Begin) -> usize {
        let at = if self.rules.looks_locked { At::Lock } else { At::BeforeItsLock };
        let (slow, foreign) = (self.chance(4), self.chance(6));
        self.keepers.push(Keeper {
            bot,
            at,
            begin,
            life: None,
            hangs: false,
            stuck: false,
            doomed: false,
            foreign,
            word: None,
            said_over: false,
            runs: 0,
            has_lock: false,
            answered: BTreeSet::new(),
            requests: VecDeque::new(),
            paper: None,
            latched: false,
            again: None,
            main: None,
            joined: Vec::new(),
            unasked: None,
            has_bot_lock: false,
            told: Vec::new(),
            slow,
        });
        self.keepers.len() - 1
    }

    /// One that has had its bot for a while.
    pub(super) fn at_work(&mut self, bot: usize) -> usize {
        let main = self.execute(bot, None, false);
        let keeper = self.launch(bot, Begin::Start);
        let (mut life, _) = Lifecycle::start(self.bots[bot].plan.clone());
        let _ = life.handle(Input::Spawned, at(self.now));
        let it = &mut self.keepers[keeper];
        (it.at, it.life, it.main, it.has_lock) = (At::Work, Some(life), Some(main), true);
        keeper
    }

    pub(super) fn holder(&self, bot: usize) -> Option<usize> {
        self.keepers.iter().position(|keeper| keeper.bot == bot && keeper.has_lock)
    }

    pub(super) fn is_slow(&self, keeper: usize) -> bool {
        self.keepers[keeper].slow
    }

    pub(super) fn is_gone(&self, keeper: usize) -> bool {
        self.keepers[keeper].at == At::Gone
    }

    pub(super) fn gone(&mut self, keeper: usize) {
        if !self.rules.remembers {
            let Keeper { bot, told, .. } = self.keepers[keeper].clone();
            for (pid, signal) in told {
                self.bots[bot].processes[pid].told.retain(|(known, _)| *known != signal);
            }
        }
        let it = &mut self.keepers[keeper];
        (it.at, it.has_lock, it.has_bot_lock) = (At::Gone, false, false);
    }

    /// SIGKILL. Whether it is gone: what is stuck goes when it comes back.
    pub(super) fn kill_keeper(&mut self, keeper: usize) -> bool {
        self.keepers[keeper].doomed = true;
        if !self.keepers[keeper].stuck {
            self.gone(keeper);
        }
        self.is_gone(keeper)
    }

    pub(super) fn tree_of(&self, keeper: usize) -> Vec<usize> {
        self.tree(self.keepers[keeper].bot, &self.keepers[keeper].joined)
    }

    pub(super) fn state_of(&self, keeper: usize) -> State {
        match self.keepers[keeper].life.as_ref().map(Lifecycle::phase) {
            None | Some(Phase::Spawning { .. } | Phase::Starting { .. }) => State::Starting,
            Some(Phase::Running { .. }) => State::Running,
            Some(Phase::Stopping { .. }) => State::Stopping,
            Some(Phase::Backoff { .. }) => State::Backoff,
            Some(Phase::Over(_)) => State::Stopped,
        }
    }

    /// What whoever calls a bot's keeper hears.
    pub(super) fn call(&self, bot: usize) -> Voice {
        let Some(keeper) = self.holder(bot) else { return Voice::Nobody };
        let it = &self.keepers[keeper];
        match it.at {
            At::Work if !it.hangs && !it.stuck => Voice::Answers(keeper, self.state_of(keeper)),
            At::BeforeItsLock | At::Lock | At::Search | At::Socket | At::Work | At::Leave | At::Gone => {
                Voice::Quiet(keeper)
            }
        }
    }

    /// Puts a request into the queue of a keeper that has its socket; the number under which it is answered.
    pub(super) fn ask(&mut self, keeper: usize, request: Request) -> Option<u32> {
        self.tickets += 1;
        let it = &mut self.keepers[keeper];
        let listens = matches!(it.at, At::Work | At::Leave);
        listens.then(|| it.requests.push_back((self.tickets, request)))?;
        Some(self.tickets)
    }

    /// One thing that a keeper does. Whether there was one.
    pub(super) fn keep(&mut self, keeper: usize) -> bool {
        let (bot, at) = (self.keepers[keeper].bot, self.keepers[keeper].at);
        let it = &self.keepers[keeper];
        if it.hangs || it.stuck || it.doomed {
            return false;
        }
        match at {
            At::BeforeItsLock => {
                let latched = self.binds(bot);
                let it = &mut self.keepers[keeper];
                it.at = if latched { At::Gone } else { At::Lock };
                it.word = latched.then_some(Word::Failed);
            }
            At::Lock => {
                if self.holder(bot).is_some() {
                    self.keepers[keeper].word = Some(Word::Taken);
                    self.gone(keeper);
                } else {
                    self.keepers[keeper].has_lock = true;
                    self.keepers[keeper].at = At::Search;
                }
            }
            At::Search => self.search(keeper),
            At::Socket => self.open(keeper),
            At::Work => return self.work(keeper),
            At::Leave => {
                self.keepers[keeper].said_over = true;
                self.gone(keeper);
            }
            At::Gone => return false,
        }
        true
    }

    /// Under its lock: does anything live?
    fn search(&mut self, keeper: usize) {
        let Keeper { bot, begin, .. } = self.keepers[keeper].clone();
        let own = self.bots[bot].processes.iter().position(|process| process.alive && !process.stray);
        let word = match &begin {
            Begin::Start if own.is_some() => Some(Word::Failed),
            Begin::Start => None,
            Begin::Adopt { strays, .. } => {
                let lives = |pid: &&usize| self.bots[bot].processes[**pid].alive;
                let main = own.or(strays.iter().find(lives).copied());
                self.keepers[keeper].main = main;
                self.keepers[keeper].joined.clone_from(strays);
                if let Some(main) = main {
                    // It is on the record from now on.
                    self.bots[bot].processes[main].stray = false;
                }
                main.is_none().then_some(Word::AtRest)
            }
        };
        if word.is_some() {
            self.keepers[keeper].word = word;
            self.gone(keeper);
        } else {
            self.keepers[keeper].at = At::Socket;
        }
    }

    fn open(&mut self, keeper: usize) {
        let bot = self.keepers[keeper].bot;
        let plan = self.bots[bot].plan.clone();
        self.keepers[keeper].at = At::Work;
        if let Begin::Adopt { asked, .. } = self.keepers[keeper].begin {
            let plan = if asked { Plan { restart: RestartPolicy::Never, ..plan } } else { plan };
            let it = &mut self.keepers[keeper];
            it.life = Some(Lifecycle::adopt(plan, at(self.now), 0, 0));
            it.word = Some(Word::Ready);
            if asked {
                it.unasked = Some(self.now + 2000);
            } else {
                it.unasked = Some(self.now);
            }
        } else {
            let (life, effects) = Lifecycle::start(plan);
            self.keepers[keeper].life = Some(life);
            self.perform(keeper, effects);
        }
    }

    /// A keeper's loop. Its paperwork goes on beside it.
    fn work(&mut self, keeper: usize) -> bool {
        if self.keepers[keeper].paper.is_some_and(|paper| !matches!(paper, Paper::Ready | Paper::Not(_)))
            && self.rng.bool()
        {
            self.paperwork(keeper);
            return true;
        }
        let first = self.rng.u8(..6);
        (0..6).any(|turn| match (first + turn) % 6 {
            5 => self.look_again(keeper),
            0 => self.answer(keeper),
            1 => self.tick(keeper),
            2 => self.reap(keeper),
            3 => self.notice_empty(keeper),
            _ => self.spawn(keeper),
        })
    }

    fn look_again(&mut self, keeper: usize) -> bool {
        let bot = self.keepers[keeper].bot;
        match self.keepers[keeper].again.take() {
            None => return false,
            Some(Again::Due) => {
                let down = self.bots[bot].down.then_some(Again::IsDown);
                self.keepers[keeper].again = if self.binds(bot) { Some(Again::Slipped) } else { down };
            }
            Some(Again::IsDown) => self.feed(keeper, Input::Stop(First::Send)),
            Some(Again::Slipped) => {
                self.killed_again += 1;
                self.feed(keeper, Input::Kill);
            }
        }
        true
    }

    fn answer(&mut self, keeper: usize) -> bool {
        let it = &mut self.keepers[keeper];
        let Some((ticket, request)) = it.requests.pop_front() else { return false };
        it.answered.insert(ticket);
        it.unasked = None;
        let stops = matches!(it.life.as_ref().map(Lifecycle::phase), Some(Phase::Stopping { .. }));
        let (input, also) = match request {
            Request::Stop(also) => (Input::Stop(First::Send), also),
            Request::Kill(also) => (Input::Kill, also),
            Request::Restart => (Input::Restart, Vec::new()),
            Request::Retry => (Input::Retry, Vec::new()),
        };
        let known = it.joined.len();
        for stray in also {
            if !it.joined.contains(&stray) {
                it.joined.push(stray);
            }
        }
        let joined = it.joined.len() > known;
        self.feed(keeper, input);
        if joined && stops {
            self.feed(keeper, Input::Joined);
        }
        true
    }

    fn tick(&mut self, keeper: usize) -> bool {
        let bot = self.keepers[keeper].bot;
        if let Some(due) = self.keepers[keeper].unasked
            && self.wait_until(due)
        {
            self.keepers[keeper].unasked = None;
            if self.bots[bot].down {
                self.feed(keeper, Input::Stop(First::Send));
            }
            return true;
        }
        let due = self.keepers[keeper].life.as_ref().and_then(Lifecycle::deadline);
        let Some(due) = due.map(|due| due.since(at(0)).as_millis() as u64) else { return false };
        if !self.wait_until(due) {
            return false;
        }
        self.feed(keeper, Input::Tick);
        true
    }

    fn reap(&mut self, keeper: usize) -> bool {
        let it = &self.keepers[keeper];
        let Some(main) = it.main else { return false };
        if self.bots[it.bot].processes[main].alive {
            return false;
        }
        self.keepers[keeper].main = None;
        let empty = self.tree_of(keeper).is_empty();
        let exit = if self.rng.bool() { Exit::Code(1) } else { Exit::Unknown };
        self.feed(keeper, Input::Exited { exit, empty });
        true
    }

    fn notice_empty(&mut self, keeper: usize) -> bool {
        let it = &self.keepers[keeper];
        let Some(Phase::Stopping { main: Some(_), .. }) = it.life.as_ref().map(Lifecycle::phase) else { return false };
        if it.main.is_some() || !self.tree_of(keeper).is_empty() {
            return false;
        }
        self.feed(keeper, Input::Emptied);
        true
    }

    fn paperwork(&mut self, keeper: usize) {
        let bot = self.keepers[keeper].bot;
        let next = match self.keepers[keeper].paper {
            Some(Paper::Latch) if self.rules.looks_before && self.rules.looks_locked && self.binds(bot) => {
                self.refused += 1;
                Paper::Not(Against::Latched)
            }
            Some(Paper::Latch) => Paper::Down,
            Some(Paper::Down) if self.bots[bot].down => Paper::Not(Against::Down),
            Some(Paper::Down) => Paper::Lock,
            Some(Paper::Lock) if self.bot_lock_is_held(bot) => Paper::Not(Against::Occupied),
            Some(Paper::Lock) => {
                self.keepers[keeper].has_bot_lock = true;
                Paper::Strays
            }
            Some(Paper::Strays) if !self.strays(bot).is_empty() => Paper::Not(Against::Occupied),
            Some(Paper::Strays | Paper::Ready) => Paper::Ready,
            Some(Paper::Not(why)) => Paper::Not(why),
            None => return,
        };
        self.keepers[keeper].paper = Some(next);
    }

    /// The paperwork is done: execute the bot, or do not.
    fn spawn(&mut self, keeper: usize) -> bool {
        let bot = self.keepers[keeper].bot;
        let paper = self.keepers[keeper].paper;
        let Some(Paper::Ready | Paper::Not(_)) = paper else {
            if paper.is_some() {
                self.paperwork(keeper);
            }
            return paper.is_some();
        };
        self.keepers[keeper].paper = None;
        self.keepers[keeper].has_bot_lock = false;
        match paper {
            Some(Paper::Not(why)) => {
                let why = match why {
                    Against::Latched => Refusal::Latched,
                    Against::Down => Refusal::Down,
                    Against::Occupied => Refusal::Occupied("something lives".into()),
                };
                self.feed(keeper, Input::Refused(why));
            }
            _ if self.chance(25) => self.feed(keeper, Input::SpawnFailed("no such file".into())),
            _ => {
                let main = self.execute(bot, None, false);
                self.spawned += 1;
                if self.keepers[keeper].latched && self.binds(bot) {
                    self.blame(format!("bot {bot} was started under the latch"));
                }
                let looks_after = self.rules.looks_after;
                let it = &mut self.keepers[keeper];
                (it.main, it.joined) = (Some(main), Vec::new());
                it.runs += 1;
                it.word = Some(Word::Ready);
                it.again = looks_after.then_some(Again::Due);
                self.feed(keeper, Input::Spawned);
            }
        }
        true
    }

    pub(super) fn feed(&mut self, keeper: usize, input: Input) {
        let now = at(self.now);
        let it = &mut self.keepers[keeper];
        let Some(life) = &mut it.life else { return };
        let effects = life.handle(input, now);
        if let Phase::Over(_) = life.phase() {
            it.at = At::Leave;
            it.word.get_or_insert(Word::Failed);
        }
        self.perform(keeper, effects);
    }

    fn perform(&mut self, keeper: usize, effects: Vec<Effect>) {
        let bot = self.keepers[keeper].bot;
        for effect in effects {
            match effect {
                Effect::Spawn => {
                    self.keepers[keeper].latched = self.binds(bot);
                    self.keepers[keeper].paper = Some(Paper::Latch);
                }
                Effect::Signal(signal, reach) => {
                    let tree = self.tree_of(keeper);
                    if signal != Signal::KILL {
                        self.keepers[keeper].told.extend(tree.iter().map(|pid| (*pid, signal)));
                    }
                    self.send(bot, &tree, signal, reach);
                }
                Effect::Tell(Happening::BackingOff { .. }) => {
                    self.keepers[keeper].word.get_or_insert(Word::Failed);
                }
                Effect::Tell(_) => {}
            }
        }
    }
}
