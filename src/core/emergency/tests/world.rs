//! A machine with a few bots on it: their files, their processes, and their keepers, each of which does one small thing
//! at a time. A look and the act that follows it are two things, and anybody may come in between.

use std::time::Duration;

use fastrand::Rng;

use super::keeper::{At, Keeper};
use crate::core::bot::{Backoff, Ladder, Mode, Ready, RestartPolicy, Rung};
use crate::core::lifecycle::{Plan, Reach};
use crate::core::signal::Signal;
use crate::core::tree::{Member, Told, plan};

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
    pub(super) told: Vec<(Signal, Told)>,
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
