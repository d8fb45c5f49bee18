//! The living processes of a run, and the signals they were sent.
//!
//! A bot that this keeper spawned is its child, and what the bot's descendants leave behind becomes its child too
//! (`PR_SET_CHILD_SUBREAPER`): when there is no child left to wait for, the tree is empty. A bot that was adopted is
//! somebody else's child: its tree is what descends from it, carries its mark or holds its lock. Where a run has a control
//! group of its own, whoever is in that is of the tree as well, and the tree is empty only if the group is.

use std::collections::HashMap;
use std::path::PathBuf;

use rustix::process::{WaitOptions, wait};

use crate::cgroup::Group;
use crate::core::exit::Exit;
use crate::core::lifecycle::Reach;
use crate::core::protocol::SeenProcess;
use crate::core::record::ProcessId;
use crate::core::signal::Signal;
use crate::core::status::LockSeen;
use crate::core::tree::{Member, Plan, Told, plan};
use crate::lock;
use crate::process::{self, Held};

/// SIGKILL is sent round by round until a look finds nobody new; what still forks after this many is met again soon.
const ROUNDS: usize = 64;

/// One run's processes.
pub struct Tree {
    main: Option<i32>,
    held: Option<Held>,
    adopted: Option<Adopted>,
    group: Option<Group>,
    told: HashMap<(i32, u64), Vec<(Signal, Told)>>,
    seen: Vec<Seen>,
    /// Whether signals have been sent: from then on the dead stay on the list, with what ended them.
    ending: bool,
    others: Vec<Held>,
}

/// What an adopted run is known by.
struct Adopted {
    run: String,
    lock: PathBuf,
}

struct Seen {
    start_time: u64,
    process: SeenProcess,
}

/// What was reaped.
#[derive(Default)]
pub struct Reaped {
    /// How the main process ended, if it was among them.
    pub main: Option<Exit>,
    /// Nobody is left to wait for, and nobody is in the control group.
    pub childless: bool,
    /// Nobody is left to wait for, and somebody in the control group is not ours to wait for.
    pub lingering: bool,
}

struct Found {
    pid: i32,
    parent: i32,
    start_time: u64,
    stopped: bool,
}

/// Whether all that is left to wait for are keepers that the bot started: they have bots of their own.
fn only_keepers_are_left() -> bool {
    process::children(std::process::id() as i32)
        .into_iter()
        .filter(|pid| process::stat(*pid).is_some_and(process::Stat::is_alive))
        .all(process::is_keeper)
}

impl Tree {
    /// Nobody.
    pub fn empty() -> Self {
        Self {
            main: None,
            held: None,
            adopted: None,
            group: None,
            told: HashMap::new(),
            seen: Vec::new(),
            ending: false,
            others: Vec::new(),
        }
    }

    /// A bot that we have just spawned, in a control group of its own or in none.
    pub fn spawned(pid: i32, group: Option<Group>) -> Self {
        let mut tree = Self { main: Some(pid), group, ..Self::empty() };
        tree.look();
        tree
    }

    /// A bot that somebody else spawned; `main` if its main process still lives. The heads of the tree have been `told`
    /// these signals by an earlier keeper.
    pub fn adopted(main: Option<&ProcessId>, run: &str, lock: PathBuf, group: Option<Group>, told: &[Signal]) -> Self {
        let held = main.and_then(Held::open);
        let mut tree = Self {
            main: held.as_ref().map(Held::pid),
            held,
            adopted: Some(Adopted { run: run.to_owned(), lock }),
            group,
            ..Self::empty()
        };
        let found = tree.look();
        for signal in told {
            let Plan { send, leave } = plan(&tree.members(&found, *signal), Reach::Heads);
            for found in &found {
                if send.contains(&found.pid) {
                    tree.tell(found, *signal, Told::Yes);
                } else if leave.contains(&found.pid) {
                    tree.tell(found, *signal, Told::Left);
                }
            }
            tree.note(*signal);
        }
        tree
    }

    /// The main process, while it lives.
    pub fn main(&self) -> Option<i32> {
        self.main
    }

    /// Whether somebody else is the parent.
    pub fn is_adopted(&self) -> bool {
        self.adopted.is_some()
    }

    /// The control group, to be removed: it is asked for when the tree is empty.
    pub fn take_group(&mut self) -> Option<Group> {
        self.group.take()
    }

    /// Every process seen so far.
    pub fn seen(&self) -> Vec<SeenProcess> {
        self.seen.iter().map(|seen| seen.process.clone()).collect()
    }

    /// The descriptors that become readable when an adopted process ends.
    pub fn watched(&self) -> impl Iterator<Item = &Held> {
        self.held.iter().chain(&self.others)
    }

    /// The adopted main process, if it is held on to.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// The adopted main process has ended.
    pub fn let_go(&mut self) {
        self.main = None;
        self.held = None;
    }

    /// Waits, without waiting, for every child that has ended. The only place in a keeper that reaps.
    pub fn reap(&mut self) -> Reaped {
        let mut reaped = Reaped::default();
        let alone = loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let pid = pid.as_raw_pid();
                    if self.main == Some(pid) && self.adopted.is_none() {
                        self.main = None;
                        reaped.main = Some(match (status.exit_status(), status.terminating_signal()) {
                            (Some(code), _) => Exit::Code(code),
                            (None, Some(signal)) => Exit::Signal(Signal::from_number(signal)),
                            (None, None) => Exit::Unknown,
                        });
                    }
                }
                Ok(None) => break self.main.is_none() && only_keepers_are_left(),
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => break true,
            }
        };
        reaped.lingering = alone && !self.group_is_empty();
        reaped.childless = alone && !reaped.lingering;
        reaped
    }

    /// Whether nothing of an adopted run lives any more. What was found is held on to, so that its end wakes us.
    pub fn adopted_is_empty(&mut self) -> bool {
        let found = self.look();
        self.others = found
            .iter()
            .filter(|found| Some(found.pid) != self.main)
            .filter_map(|found| Held::open_started_at(found.pid, found.start_time))
            .collect();
        let held = self.adopted.as_ref().is_some_and(|adopted| lock::look(&adopted.lock) != LockSeen::Free);
        found.is_empty() && !held && self.group_is_empty()
    }

    fn group_is_empty(&self) -> bool {
        self.group.as_ref().is_none_or(|group| group.living(&[]).is_empty())
    }

    /// Sends a signal to whom it is for. Comes back with what went wrong.
    pub fn send(&mut self, signal: Signal, reach: Reach) -> Vec<String> {
        let mut errors = Vec::new();
        if !std::mem::replace(&mut self.ending, true) {
            let _ = self.look();
            self.seen.retain(|seen| seen.process.alive);
        }
        if signal == Signal::KILL {
            self.kill_group();
            for _ in 0..ROUNDS {
                let found = self.look();
                let fresh: Vec<&Found> = found.iter().filter(|found| self.knows(found, signal) != Told::Yes).collect();
                if fresh.is_empty() {
                    // Those that had it before get it again, once a call: one in a system call may come to it late.
                    for found in &found {
                        Self::deliver(found, signal, &mut errors);
                    }
                    break;
                }
                for found in fresh {
                    Self::deliver(found, signal, &mut errors);
                    self.tell(found, signal, Told::Yes);
                }
            }
            self.note(signal);
            return errors;
        }
        let found = self.look();
        let Plan { send, leave } = plan(&self.members(&found, signal), reach);
        for found in &found {
            if leave.contains(&found.pid) {
                self.tell(found, signal, Told::Left);
            }
            if send.contains(&found.pid) {
                self.tell(found, signal, Told::Yes);
                Self::deliver(found, signal, &mut errors);
                if found.stopped {
                    // A stopped process could not act on it.
                    Self::deliver(found, Signal::CONT, &mut errors);
                }
            }
        }
        self.note(signal);
        errors
    }

    /// Ends everybody in the control group at once. Whoever is not in it is left to the rounds.
    fn kill_group(&mut self) {
        let found = self.look();
        let Some(group) = &self.group else { return };
        let members = group.members();
        if group.kill() {
            for found in found.iter().filter(|found| members.contains(&found.pid)) {
                self.tell(found, Signal::KILL, Told::Yes);
            }
        }
    }

    fn members(&self, found: &[Found], signal: Signal) -> Vec<Member> {
        found
            .iter()
            .map(|found| Member {
                pid: found.pid,
                parent: found.parent,
                catches: process::catches(found.pid, signal),
                told: self.knows(found, signal),
            })
            .collect()
    }

    fn knows(&self, found: &Found, signal: Signal) -> Told {
        let known = self.told.get(&(found.pid, found.start_time));
        known.and_then(|known| known.iter().find(|(of, _)| *of == signal)).map(|(_, told)| *told).unwrap_or_default()
    }

    fn tell(&mut self, found: &Found, signal: Signal, told: Told) {
        let known = self.told.entry((found.pid, found.start_time)).or_default();
        known.retain(|(of, _)| *of != signal);
        known.push((signal, told));
    }

    fn deliver(found: &Found, signal: Signal, errors: &mut Vec<String>) {
        let sent = Held::try_open(found.pid, found.start_time)
            .and_then(|held| held.map_or(Ok(()), |held| held.signal(signal)));
        if let Err(error) = sent {
            errors.push(format!("cannot send {signal} to pid {}: {}", found.pid, crate::paths::words(&error)));
        }
    }

    /// Marks in the list of seen processes who has been sent what.
    fn note(&mut self, signal: Signal) {
        for seen in &mut self.seen {
            let known = self.told.get(&(seen.process.pid, seen.start_time));
            if known.is_some_and(|known| known.iter().any(|(of, told)| *of == signal && *told != Told::No)) {
                seen.process.signal = Some(signal);
            }
        }
    }

    /// Looks who lives.
    pub fn look_again(&mut self) {
        let _ = self.look();
    }

    fn look(&mut self) -> Vec<Found> {
        let mut pids = process::descendants(std::process::id() as i32);
        if let Some(adopted) = &self.adopted {
            pids.extend(self.main);
            pids.extend(self.main.map(process::descendants).unwrap_or_default());
            pids.extend(process::all().filter(|pid| process::mark(*pid).is_some_and(|mark| mark.run == adopted.run)));
            if lock::look(&adopted.lock) == LockSeen::Held {
                pids.extend(process::holders(&adopted.lock));
            }
        }
        pids.sort_unstable();
        if let Some(group) = &self.group {
            let more = group.living(&pids);
            pids.extend(more);
            pids.sort_unstable();
        }
        pids.dedup();
        let me = std::process::id() as i32;
        let found: Vec<Found> = pids
            .into_iter()
            .filter(|pid| *pid != me)
            .filter_map(|pid| process::stat(pid).map(|stat| (pid, stat)))
            .filter(|(_, stat)| stat.is_alive())
            .map(|(pid, stat)| Found {
                pid,
                parent: stat.parent,
                start_time: stat.start_time,
                stopped: matches!(stat.state, b'T' | b't'),
            })
            .collect();
        for seen in &mut self.seen {
            seen.process.alive =
                found.iter().any(|found| (found.pid, found.start_time) == (seen.process.pid, seen.start_time));
        }
        for found in &found {
            let command = process::command_line(found.pid);
            match self.seen.iter_mut().find(|seen| (seen.process.pid, seen.start_time) == (found.pid, found.start_time))
            {
                // It may have executed something else since.
                Some(seen) => seen.process.command = command,
                None => self.seen.push(Seen {
                    start_time: found.start_time,
                    process: SeenProcess { pid: found.pid, command, signal: None, alive: true },
                }),
            }
        }
        if self.ending {
            self.forget_the_oldest_dead();
        } else {
            self.seen.retain(|seen| seen.process.alive);
        }
        found
    }

    /// A bot that forks for weeks must not fill the keeper's memory.
    fn forget_the_oldest_dead(&mut self) {
        const MOST: usize = 512;
        while self.seen.len() > MOST {
            let Some(oldest) = self.seen.iter().position(|seen| !seen.process.alive) else { return };
            let gone = self.seen.remove(oldest);
            self.told.remove(&(gone.process.pid, gone.start_time));
        }
    }
}
