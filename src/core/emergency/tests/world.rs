//! A machine with a few bots on it: their files, their processes, and their keepers, each of which does one small thing
//! at a time. A look and the act that follows it are two things, and anybody may come in between.

use std::collections::{BTreeSet, VecDeque};

use fastrand::Rng;

use super::at;
use crate::core::bot::{Backoff, Ladder, Mode, Ready, RestartPolicy, Rung};
use crate::core::exit::Exit;
use crate::core::lifecycle::{Effect, First, Happening, Input, Lifecycle, Phase, Plan, Reach, Refusal};
use crate::core::signal::Signal;
use crate::core::state::State;
use crate::core::tree::{Member, Told, plan};

use std::time::Duration;

/// What the real thing does, and what a test may take away from it to see the walks fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// A keeper looks for the latch before it spawns.
    pub(super) looks_before: bool,
    /// And again when it has spawned.
    pub(super) looks_after: bool,
    /// It does the first of these under its lock.
    pub(super) looks_locked: bool,
    /// The latch is there before anybody is looked for.
    pub(super) latches_first: bool,
    /// The last look of an emergency stop is at everything.
    pub(super) looks_at_the_end: bool,
    /// Who is told of a signal is remembered where the next keeper finds it.
    pub(super) remembers: bool,
}

pub(super) const REAL: Rules = Rules {
    looks_before: true,
    looks_after: true,
    looks_locked: true,
    latches_first: true,
    looks_at_the_end: true,
    remembers: true,
};

/// One process of a bot.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) alive: bool,
    pub(super) stray: bool,
    /// Whether not even SIGKILL ends it (a system call that hangs).
    pub(super) stubborn: bool,
    parent: Option<usize>,
    catches: bool,
    ignores: bool,
    cleanup: u64,
    ends_at: Option<u64>,
    told: Vec<(Signal, Told)>,
    sent: Vec<Signal>,
}

/// One bot: its files, and its processes.
#[derive(Clone, Debug)]
pub(super) struct Bot {
    pub(super) mode: Mode,
    pub(super) down: bool,
    pub(super) processes: Vec<Process>,
    pub(super) plan: Plan,
    /// Whether an emergency stop has had anything to do with it.
    pub(super) touched: bool,
}

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
    /// It has spawned, and is about to look for the latch again.
    LookAgain,
    Leave,
    Gone,
}

/// The paperwork before a spawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paper {
    Latch,
    Down,
    Lock,
    Strays,
    Ready,
    Not(Against),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Against {
    Latched,
    Down,
    Occupied,
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
    doomed: bool,
    /// It belongs to somebody else: an emergency stop may not send it anything.
    pub(super) foreign: bool,
    pub(super) word: Option<Word>,
    /// Whether it said that nothing lives before it left.
    pub(super) said_over: bool,
    pub(super) runs: u32,
    has_lock: bool,
    pub(super) answered: BTreeSet<u32>,
    requests: VecDeque<(u32, Request)>,
    paper: Option<Paper>,
    /// Whether the latch was there already when it began with that.
    latched: bool,
    main: Option<usize>,
    joined: Vec<usize>,
    unasked: Option<u64>,
    has_bot_lock: bool,
    told: Vec<(usize, Signal)>,
    /// A slow one is seldom its turn.
    slow: bool,
}

/// What a look at a bot's keeper shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Nobody,
    Answers(usize, State),
    /// It has the lock and does not answer yet.
    Quiet(usize),
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) rules: Rules,
    pub(super) now: u64,
    /// When the next of those who wait for a time wants to be woken.
    pub(super) due: Option<u64>,
    /// The latch; whether it is that of a drill.
    pub(super) latch: Option<bool>,
    /// Before then nothing can be written in the home.
    pub(super) latch_can_be_made_at: u64,
    pub(super) latch_due: Option<(u64, bool)>,
    /// Whether anybody was refused because of the latch.
    pub(super) refused: u32,
    pub(super) bots: Vec<Bot>,
    pub(super) keepers: Vec<Keeper>,
    pub(super) fault: Option<String>,
    pub(super) spawned: u32,
    pub(super) killed_again: u32,
    pub(super) tickets: u32,
}

impl World {
    pub(super) fn new(seed: u64, rules: Rules) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            rules,
            now: 0,
            due: None,
            latch: None,
            latch_can_be_made_at: 0,
            latch_due: None,
            refused: 0,
            bots: Vec::new(),
            keepers: Vec::new(),
            fault: None,
            spawned: 0,
            killed_again: 0,
            tickets: 0,
        }
    }

    /// True once in `of` times.
    pub(super) fn chance(&mut self, of: u32) -> bool {
        self.rng.u32(..of) == 0
    }

    /// Whether that time has come; if not, it is waited for.
    pub(super) fn wait_until(&mut self, time: u64) -> bool {
        if time > self.now {
            self.due = Some(self.due.map_or(time, |due| due.min(time)));
        }
        time <= self.now
    }

    pub(super) fn blame(&mut self, what: String) {
        self.fault.get_or_insert(what);
    }

    pub(super) fn binds(&self, bot: usize) -> bool {
        self.latch.is_some_and(|drill| !drill || self.bots[bot].mode != Mode::Live)
    }

    /// Makes the latch if that can be done. Whether it is there now.
    pub(super) fn make_latch(&mut self, drill: bool) -> bool {
        if self.latch.is_none() && !self.rules.latches_first {
            self.latch_due = Some((self.now + 5, drill));
            return true;
        }
        if self.latch.is_none() && self.now >= self.latch_can_be_made_at {
            self.latch = Some(drill);
        }
        self.latch.is_some()
    }
}

/// Bots and their processes.
impl World {
    pub(super) fn add_bot(&mut self, mode: Mode) -> usize {
        let rung = |signal, ms| Rung { signal, wait: Duration::from_millis(ms) };
        let rungs = match self.rng.u8(..3) {
            0 => vec![rung(Signal::from_number(libc::SIGINT), 800), rung(Signal::TERM, 500), rung(Signal::KILL, 500)],
            _ => vec![rung(Signal::TERM, 1000), rung(Signal::KILL, 500)],
        };
        let plan = Plan {
            restart: if self.rng.bool() { RestartPolicy::Always } else { RestartPolicy::OnFailure },
            backoff: Backoff {
                first: Duration::from_millis(if self.rng.bool() { 0 } else { self.rng.u64(1..3000) }),
                max: Duration::from_secs(4),
                reset_after: Duration::from_mins(1),
                give_up_after: 6,
            },
            ladder: Ladder(rungs),
            ready: Ready::Executing,
        };
        self.bots.push(Bot { mode, down: false, processes: Vec::new(), plan, touched: false });
        self.bots.len() - 1
    }

    pub(super) fn execute(&mut self, bot: usize, parent: Option<usize>, stray: bool) -> usize {
        let process = Process {
            alive: true,
            stray,
            stubborn: self.chance(60),
            parent,
            catches: self.chance(2),
            ignores: self.chance(5),
            cleanup: self.rng.u64(..1500),
            ends_at: None,
            told: Vec::new(),
            sent: Vec::new(),
        };
        let processes = &mut self.bots[bot].processes;
        processes.push(process);
        processes.len() - 1
    }

    pub(super) fn lives(&self, bot: usize) -> bool {
        self.bots[bot].processes.iter().any(|process| process.alive)
    }

    pub(super) fn is_stubborn(&self, bot: usize) -> bool {
        self.bots[bot].processes.iter().any(|process| process.alive && process.stubborn)
    }

    pub(super) fn own(&self, bot: usize) -> bool {
        self.bots[bot].processes.iter().any(|process| process.alive && !process.stray)
    }

    pub(super) fn bot_lock_is_held(&self, bot: usize) -> bool {
        self.own(bot) || self.keepers.iter().any(|keeper| keeper.bot == bot && keeper.has_bot_lock)
    }

    /// Strays that are not in the tree of a keeper that can be asked.
    pub(super) fn strays(&self, bot: usize) -> Vec<usize> {
        let answers = |keeper: &usize| !self.keepers[*keeper].hangs && !self.keepers[*keeper].stuck;
        let keeper = self.holder(bot).filter(answers);
        let kept = keeper.map(|keeper| self.tree_of(keeper)).unwrap_or_default();
        let processes = self.bots[bot].processes.iter().enumerate();
        processes
            .filter(|(pid, process)| process.alive && process.stray && !kept.contains(pid))
            .map(|(pid, _)| pid)
            .collect()
    }

    /// What lives of its own, and of these strays and what they have forked.
    pub(super) fn tree(&self, bot: usize, strays: &[usize]) -> Vec<usize> {
        let processes = &self.bots[bot].processes;
        let mut tree = Vec::new();
        for (pid, process) in processes.iter().enumerate() {
            // A parent is always older than its child.
            let of_a_stray = strays.contains(&pid) || process.parent.is_some_and(|parent| tree.contains(&parent));
            if process.alive && (!process.stray || of_a_stray) {
                tree.push(pid);
            }
        }
        tree
    }

    /// Sends a signal as a keeper does, or who stands in for one.
    pub(super) fn send(&mut self, bot: usize, tree: &[usize], signal: Signal, reach: Reach) {
        let processes = &self.bots[bot].processes;
        let members: Vec<Member> = tree
            .iter()
            .map(|pid| {
                let process = &processes[*pid];
                let told = process.told.iter().find(|(known, _)| *known == signal).map_or(Told::No, |(_, told)| *told);
                let parent = process.parent.map_or(0, |parent| parent as i32 + 1);
                Member { pid: *pid as i32 + 1, parent, catches: process.catches, told }
            })
            .collect();
        let wanted = plan(&members, reach);
        for (pids, told) in [(&wanted.leave, Told::Left), (&wanted.send, Told::Yes)] {
            for pid in pids {
                let known = &mut self.bots[bot].processes[*pid as usize - 1].told;
                known.retain(|(other, _)| *other != signal);
                known.push((signal, told));
            }
        }
        for pid in wanted.send {
            self.deliver(bot, pid as usize - 1, signal);
        }
    }

    fn deliver(&mut self, bot: usize, pid: usize, signal: Signal) {
        let (now, tells) = (self.now, self.rng.bool());
        let process = &mut self.bots[bot].processes[pid];
        if signal == Signal::KILL {
            if !process.stubborn {
                process.ends_at = Some(now);
            }
            return;
        }
        if process.sent.contains(&signal) {
            self.blame(format!("bot {bot}, process {pid} was sent {signal:?} twice"));
            return;
        }
        process.sent.push(signal);
        if process.ignores || process.stubborn {
            return;
        }
        let wait = if process.catches { process.cleanup } else { 0 };
        let ends_at = now + wait;
        process.ends_at = Some(process.ends_at.map_or(ends_at, |known| known.min(ends_at)));
        if process.catches && tells {
            for child in self.bots[bot].processes.iter_mut().filter(|child| child.parent == Some(pid)) {
                if !child.ignores && !child.stubborn {
                    child.ends_at.get_or_insert(ends_at);
                }
            }
        }
    }

    /// A process ends by itself.
    pub(super) fn end(&mut self, bot: usize, pid: usize) {
        let now = self.now;
        let process = &mut self.bots[bot].processes[pid];
        if !process.stubborn {
            process.ends_at = Some(now);
        }
    }

    pub(super) fn fork(&mut self, bot: usize, parent: usize) {
        let Process { alive, stray, ends_at, .. } = self.bots[bot].processes[parent];
        // Who was sent SIGKILL forks no more.
        if alive && ends_at.is_none_or(|time| time > self.now) && self.bots[bot].processes.len() < 20 {
            self.execute(bot, Some(parent), stray);
        }
    }

    /// The kernel's share: one process whose time has come is gone.
    pub(super) fn kernel(&mut self) -> bool {
        if let Some((time, drill)) = self.latch_due
            && self.wait_until(time)
        {
            self.latch_due = None;
            self.latch = Some(drill);
            return true;
        }
        for bot in 0..self.bots.len() {
            for pid in 0..self.bots[bot].processes.len() {
                let Process { alive, ends_at, .. } = self.bots[bot].processes[pid];
                if alive
                    && let Some(time) = ends_at
                    && self.wait_until(time)
                {
                    self.bots[bot].processes[pid].alive = false;
                    return true;
                }
            }
        }
        let doomed = self.keepers.iter().position(|keeper| keeper.doomed && !keeper.stuck && keeper.at != At::Gone);
        doomed.is_some_and(|keeper| {
            self.gone(keeper);
            true
        })
    }
}

/// Keepers.
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

    fn gone(&mut self, keeper: usize) {
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
            At::Work | At::LookAgain if !it.hangs && !it.stuck => Voice::Answers(keeper, self.state_of(keeper)),
            At::BeforeItsLock
            | At::Lock
            | At::Search
            | At::Socket
            | At::Work
            | At::LookAgain
            | At::Leave
            | At::Gone => Voice::Quiet(keeper),
        }
    }

    /// Puts a request into the queue of a keeper that has its socket; the number under which it is answered.
    pub(super) fn ask(&mut self, keeper: usize, request: Request) -> Option<u32> {
        self.tickets += 1;
        let it = &mut self.keepers[keeper];
        let listens = matches!(it.at, At::Work | At::LookAgain | At::Leave);
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
            At::LookAgain => {
                self.keepers[keeper].at = At::Work;
                if self.binds(bot) {
                    self.killed_again += 1;
                    self.feed(keeper, Input::Kill);
                }
            }
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
        let first = self.rng.u8(..5);
        (0..5).any(|turn| match (first + turn) % 5 {
            0 => self.answer(keeper),
            1 => self.tick(keeper),
            2 => self.reap(keeper),
            3 => self.notice_empty(keeper),
            _ => self.spawn(keeper),
        })
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
                self.feed(keeper, Input::Spawned);
                if looks_after && self.keepers[keeper].at == At::Work {
                    self.keepers[keeper].at = At::LookAgain;
                }
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
