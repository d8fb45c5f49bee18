//! The living processes of a run, and the signals they were sent.
//!
//! A bot that this keeper spawned is its child, and what the bot's descendants leave behind becomes its child too
//! (`PR_SET_CHILD_SUBREAPER`): when there is no child left to wait for, the tree is empty. A bot that was adopted is
//! somebody else's child: its tree is what descends from it, carries its mark, holds its lock, or is in a session that
//! was made inside it. The same goes for strays that are to be ended together with the bot. Where a run has a control
//! group of its own, whoever is in that is of the tree as well, and the tree is empty only if the group is.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::{WaitOptions, wait};

use crate::cgroup::Group;
use crate::clock;
use crate::core::exit::Exit;
use crate::core::kin::{Row, kin};
use crate::core::lifecycle::Reach;
use crate::core::protocol::SeenProcess;
use crate::core::record::{ProcessId, RunRecord};
use crate::core::signal::Signal;
use crate::core::status::LockSeen;
use crate::core::tree::{Member, Plan, Told, plan};
use crate::lock;
use crate::process::{self, Held};

/// SIGKILL is sent round by round until a look finds nobody new; what still forks after this many is met again soon.
const ROUNDS: usize = 64;
/// Rounds go on for so long at a time: a keeper has others to answer, and comes back to it.
const BURST: Duration = Duration::from_millis(150);

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
    /// Whether SIGKILL has found somebody new until its time was over.
    hunts: bool,
    others: Vec<Held>,
    strays: Vec<Stray>,
    /// Whether there was no child left to wait for when that was last asked.
    alone: bool,
}

/// What an adopted run is known by.
struct Adopted {
    run: String,
    lock: PathBuf,
    /// The session that it was spawned into, if a keeper spawned it.
    session: Option<i32>,
}

/// A process that no keeper started, which is to be ended with the rest.
struct Stray {
    id: ProcessId,
    /// The run whose mark it carries: something that an earlier one left behind.
    run: Option<String>,
}

struct Seen {
    start_time: u64,
    process: SeenProcess,
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
            hunts: false,
            others: Vec::new(),
            strays: Vec::new(),
            alone: false,
        }
    }

    /// A bot that we have just spawned, in a control group of its own or in none.
    pub fn spawned(pid: i32, group: Option<Group>) -> Self {
        let mut tree = Self { main: Some(pid), group, ..Self::empty() };
        tree.look();
        tree
    }

    /// A run of this record that somebody else spawned. The heads of its tree have been `told` these signals by an
    /// earlier keeper.
    pub fn adopted(record: &RunRecord, lock: PathBuf, told: &[Signal]) -> Self {
        let held = record.process.as_ref().and_then(Held::open);
        let session = record.process.as_ref().filter(|_| !record.stray).map(|process| process.pid);
        let mut tree = Self {
            main: held.as_ref().map(Held::pid),
            held,
            adopted: Some(Adopted { run: record.run.clone(), lock, session }),
            group: Group::of(record),
            ..Self::empty()
        };
        tree.was_told(told);
        tree
    }

    /// The heads of the tree have been told these signals by somebody who is gone: they are not told again.
    pub fn was_told(&mut self, told: &[Signal]) {
        let found = self.look();
        for signal in told {
            let Plan { send, leave } = plan(&self.members(&found, *signal), Reach::Heads);
            for found in &found {
                if send.contains(&found.pid) {
                    self.tell(found, *signal, Told::Yes);
                } else if leave.contains(&found.pid) {
                    self.tell(found, *signal, Told::Left);
                }
            }
            self.note(*signal);
        }
    }

    /// Strays that are to be ended together with the rest; those that are known already count once. Whether any is new.
    pub fn join(&mut self, strays: &[ProcessId]) -> bool {
        let before = self.strays.len();
        for id in strays {
            let known = self.strays.iter().any(|stray| stray.id == *id) || self.main == Some(id.pid);
            if !known && process::is_alive(id) && id.pid != std::process::id() as i32 {
                self.strays.push(Stray { id: id.clone(), run: process::mark(id.pid).map(|mark| mark.run) });
            }
        }
        self.strays.len() > before
    }

    /// Moves what is to be ended and was born elsewhere into the group of this tree, if it has one: whatever it starts on
    /// being told to end is found there, even if that leaves parent, session and name behind.
    pub fn gather(&self) {
        let Some(group) = &self.group else { return };
        // Each move waits for the kernel, and a keeper has others to answer: a large tree is moved as far as that allows.
        let until = clock::now().plus(BURST);
        loop {
            let inside = group.members();
            let outside: Vec<i32> = self.others().into_iter().filter(|pid| !inside.contains(pid)).collect();
            let moved = |pid: &i32| clock::now() < until && group.take_in(*pid);
            if outside.is_empty() || !outside.iter().all(moved) {
                return;
            }
        }
    }

    /// Whether any process is, or may be, of the tree without being our child: then nobody tells us of its end.
    pub fn has_others(&self) -> bool {
        self.are_others_known() || self.alone
    }

    fn are_others_known(&self) -> bool {
        self.adopted.is_some() || !self.strays.is_empty()
    }

    /// The main process, while it lives.
    pub fn main(&self) -> Option<i32> {
        self.main
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

    /// Waits, without waiting, for every child that has ended; how the main process did, if it was among them. The only
    /// place in a keeper that reaps.
    pub fn reap(&mut self) -> Option<Exit> {
        let mut main = None;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let pid = pid.as_raw_pid();
                    if self.main == Some(pid) && self.adopted.is_none() {
                        self.main = None;
                        main = Some(match (status.exit_status(), status.terminating_signal()) {
                            (Some(code), _) => Exit::Code(code),
                            (None, Some(signal)) => Exit::Signal(Signal::from_number(signal)),
                            (None, None) => Exit::Unknown,
                        });
                    }
                }
                Ok(None) => {
                    self.alone = self.main.is_none() && only_keepers_are_left();
                    return main;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => {
                    self.alone = true;
                    return main;
                }
            }
        }
    }

    /// Whether nothing of it lives any more. What is not our child is looked for, and held on to, so that its end wakes
    /// us.
    pub fn is_empty(&mut self) -> bool {
        if self.adopted.is_none() && (!self.alone || self.strays.is_empty()) {
            return self.alone && self.group_is_empty();
        }
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
            self.hunts = true;
            let until = clock::now().plus(BURST);
            for round in 0..ROUNDS {
                if round > 0 && clock::now() >= until {
                    break;
                }
                let found = self.look();
                let fresh: Vec<&Found> = found.iter().filter(|found| self.knows(found, signal) != Told::Yes).collect();
                if fresh.is_empty() {
                    // Those that had it before get it again, once a call: one in a system call may come to it late.
                    for found in &found {
                        Self::deliver(found, signal, &mut errors);
                    }
                    self.hunts = false;
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

    /// Whether SIGKILL is to be sent again at once: it was given up only for the time that it took.
    pub fn hunts(&self) -> bool {
        self.hunts
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
        if self.are_others_known() {
            pids.extend(self.others());
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

    /// Everybody of the tree who is not our child, found by one pass over the process table.
    fn others(&self) -> HashSet<i32> {
        let runs: Vec<&str> = self
            .adopted
            .iter()
            .map(|adopted| adopted.run.as_str())
            .chain(self.strays.iter().filter_map(|stray| stray.run.as_deref()))
            .collect();
        // Whoever was of the tree stays of it, whatever becomes of its parents.
        let mut known: HashMap<i32, u64> = self.seen.iter().map(|seen| (seen.process.pid, seen.start_time)).collect();
        known.extend(self.strays.iter().map(|stray| (stray.id.pid, stray.id.start_time)));
        let mut proven: HashSet<i32> = self.main.into_iter().collect();
        let mut rows = Vec::new();
        for pid in process::all() {
            let Some(stat) = process::stat(pid).filter(|stat| stat.is_alive()) else { continue };
            rows.push(Row { pid, parent: stat.parent, session: stat.session });
            let is_known = known.get(&pid) == Some(&stat.start_time);
            if is_known || process::mark(pid).is_some_and(|mark| runs.contains(&mark.run.as_str())) {
                proven.insert(pid);
            }
        }
        if let Some(adopted) = &self.adopted
            && lock::look(&adopted.lock) == LockSeen::Held
        {
            proven.extend(process::holders(&adopted.lock));
        }
        proven.retain(|pid| !process::is_keeper(*pid));
        let session = self.adopted.as_ref().and_then(|adopted| adopted.session);
        kin(&rows, &proven, session, process::is_keeper)
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
