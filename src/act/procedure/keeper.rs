//! What is said between a stop and a bot's keeper, and what is done to a keeper that cannot be talked to.

use std::time::Duration;

use crate::client::{Client, PATIENCE, Trouble};
use crate::clock::{self, millis};
use crate::core::moment::Moment;
use crate::core::protocol::{Request, SeenProcess, Snapshot};
use crate::core::report::{ExitReport, ProcessReport, STILL_STARTING, Tier};
use crate::core::signal::Signal;
use crate::core::state::State;
use crate::core::status::{LockSeen, Voice};
use crate::core::stop::{Asked, Course, Heard, Input, KEEPER_GONE, Wish};
use crate::lock;
use crate::paths::words;
use crate::process::{self, Held};
use crate::survey::{Sight, see_told};

use super::talk::Talk;
use super::tally::ended_by;
use super::walk::Walk;

/// A keeper that has said its last word is gone in a moment.
const LEAVES: Duration = Duration::from_micros(200);

/// Nothing is listened to for longer than this at a time: a keeper that died says nothing.
const LISTEN: Duration = Duration::from_millis(500);

impl Walk<'_> {
    pub(super) fn ask(&mut self, wish: Wish) -> Asked {
        if !self.took {
            self.own_tier.get_or_insert(Tier::Keeper);
            if !self.report.found_by.contains(&Tier::Keeper) {
                self.report.found_by.push(Tier::Keeper);
            }
        }
        match self.talk_to_keeper(wish) {
            Ok(()) => Asked::Accepted,
            Err(Trouble::Refused(why)) => Asked::Refused(why),
            Err(Trouble::Nobody(_) | Trouble::Silent | Trouble::Gone | Trouble::Strange(_)) => {
                self.hear_its_last_words();
                Asked::Lost
            }
        }
    }

    fn talk_to_keeper(&mut self, wish: Wish) -> Result<(), Trouble> {
        if matches!(self.wish, Wish::Stop | Wish::Kill) {
            // A start that came to it just before this stop may have taken the mark back.
            if let Some(error) = self.write_down()
                && !self.report.errors.contains(&error)
            {
                self.report.errors.push(error);
            }
        }
        if let Some((client, before)) = self.shouted.take() {
            return self.go_on_with(client, &before);
        }
        let (by, also) = (self.order.by.clone(), self.stray_ids());
        let request = match wish {
            Wish::Stop => Request::Stop { by, also, cap_ms: self.order.emergency.map(millis) },
            Wish::Kill => Request::Kill { by, also },
            Wish::Climb => Request::Climb { by },
            Wish::Restart => Request::Restart { by, spec: self.spec.cloned().map(Box::new) },
        };
        if let Some(talk) = &mut self.talk
            && wish != Wish::Restart
        {
            return talk.client.ask(&request);
        }
        let mut client = Client::call(&self.home.bot(&self.report.name))?;
        let before = client.look()?;
        self.take_in(&before);
        let old_run = (wish == Wish::Restart).then(|| before.run.clone());
        if wish == Wish::Restart {
            // Watched only once it is accepted: then a bot that runs is the next run.
            client.ask(&request)?;
            client.watch()?;
        } else {
            // Watched before: its end may be quicker than the next request.
            client.watch()?;
            client.ask(&request)?;
            // What was said before it was asked is not about what was asked.
            client.forget();
        }
        self.talk = Some(Talk { client, old_run, ready_until: None, last: None });
        Ok(())
    }

    /// Its keeper was told before anything else was done: what it has said since, beside everything else there is to see.
    pub(super) fn hear_the_shout(&mut self) -> Option<Sight> {
        let name = &self.report.name;
        let mut client = self.shout?.take(name)?;
        // How it was before.
        let before = client.next(PATIENCE).ok()??;
        let sight = see_told(self.home, name, before.clone(), client.hello.clone());
        self.shouted = Some((client, before));
        Some(sight)
    }

    /// What is asked for now was asked for already.
    fn go_on_with(&mut self, client: Client, before: &Snapshot) -> Result<(), Trouble> {
        self.take_in(before);
        let talk = self.talk.insert(Talk { client, old_run: None, ready_until: None, last: None });
        talk.client.accepted()
    }

    /// What a keeper that is gone had still said.
    fn hear_its_last_words(&mut self) {
        let Some(mut talk) = self.talk.take() else { return };
        while let Ok(Some(snapshot)) = talk.client.next(Duration::ZERO) {
            self.take_in(&snapshot);
            self.take_in_end(&snapshot);
        }
    }

    /// The tree is empty: whoever was last seen alive has ended since, by what it was last sent.
    fn take_in_end(&mut self, snapshot: &Snapshot) {
        if snapshot.state.is_at_rest() {
            let ended = snapshot.processes.iter().cloned().map(|seen| SeenProcess { alive: false, ..seen });
            self.take_in_processes(&ended.collect::<Vec<_>>());
        }
    }

    pub(super) fn listen(&mut self, until: Moment, course: &Course) -> Input {
        loop {
            let now = clock::now();
            if now >= until && self.talk.as_ref().is_none_or(|talk| talk.ready_until.is_none()) {
                return Input::Tick;
            }
            let Some(talk) = &mut self.talk else { return Input::Lost };
            if talk.ready_until.is_some_and(|until| now >= until) {
                return self.not_ready();
            }
            let left = talk.ready_until.unwrap_or(until).since(now).min(LISTEN);
            match talk.client.next(left) {
                Ok(Some(snapshot)) => {
                    talk.last = Some(snapshot.clone());
                    if let Some(input) = self.hear(&snapshot) {
                        self.tell_if_it_takes_long(course, None);
                        return input;
                    }
                }
                Ok(None) => {
                    if lock::look(&self.home.bot(&self.report.name).keeper_lock()) == LockSeen::Free {
                        self.talk = None;
                        return Input::Lost;
                    }
                    self.board.tick();
                    self.tell_if_it_takes_long(course, None);
                }
                Err(_) => {
                    self.talk = None;
                    return Input::Lost;
                }
            }
        }
    }

    /// What a snapshot means; nothing if it has to be listened on.
    fn hear(&mut self, snapshot: &Snapshot) -> Option<Input> {
        let next_run = self.talk.as_ref().is_some_and(|talk| {
            talk.old_run.as_ref().is_some_and(|old| *old != snapshot.run || snapshot.state == State::Starting)
        });
        if next_run {
            return self.hear_next_run(snapshot);
        }
        self.take_in(snapshot);
        if snapshot.state.is_at_rest() {
            self.take_in_end(snapshot);
            self.talk = None;
            self.wait_for_the_keeper_to_leave();
            return Some(Input::Heard(Heard::Empty));
        }
        if snapshot.survived {
            if let Some(warning) = &snapshot.warning {
                self.note_once(warning);
            }
            let alive = snapshot.processes.iter().filter(|process| process.alive).map(|process| process.pid).collect();
            return Some(Input::Heard(Heard::Survived(alive)));
        }
        if snapshot.state == State::Stopping {
            let left = snapshot.ladder_ends_in_ms.map_or(Duration::ZERO, Duration::from_millis);
            return Some(Input::Heard(Heard::Ending(left)));
        }
        // Before a restart takes hold, the old run may still be shown as running.
        let waits = self.talk.as_ref().is_some_and(|talk| talk.old_run.is_some()) || snapshot.state == State::Starting;
        (!waits).then_some(Input::Heard(Heard::NotEnding(snapshot.state)))
    }

    fn hear_next_run(&mut self, snapshot: &Snapshot) -> Option<Input> {
        self.end_of_the_old_run(snapshot);
        let wait = self.order.wait;
        let talk = self.talk.as_mut()?;
        let until = *talk.ready_until.get_or_insert_with(|| clock::now().plus(wait));
        match snapshot.state {
            State::Running => {
                self.report.restarted = true;
                self.report.notes.push(format!("runs again (pid {})", snapshot.pid.unwrap_or_default()));
                Some(Input::Heard(Heard::NextRun(None)))
            }
            // Somebody else may restart it again meanwhile.
            State::Starting | State::Stopping if clock::now() < until => None,
            State::Starting | State::Stopping => Some(self.not_ready()),
            State::Stopped
            | State::Exited
            | State::Crashed
            | State::Backoff
            | State::Failed
            | State::Orphaned
            | State::Unknown => {
                let why = snapshot.last_exit.as_ref().map_or_else(String::new, |last| format!(": it {}", last.exit));
                Some(Input::Heard(Heard::NextRun(Some(format!("its new run did not come to run{why}")))))
            }
        }
    }

    fn not_ready(&mut self) -> Input {
        self.report.restarted = true;
        self.note_once(STILL_STARTING);
        Input::Heard(Heard::NextRun(None))
    }

    fn end_of_the_old_run(&mut self, snapshot: &Snapshot) {
        self.take_in_processes(&snapshot.before);
        self.all_ended();
        if self.report.exit.is_none()
            && let Some(last) = &snapshot.last_exit
        {
            self.report.exit = Some(ExitReport { code: last.exit.code(), signal: last.exit.signal() });
        }
    }

    fn take_in(&mut self, snapshot: &Snapshot) {
        self.show_snapshot(snapshot);
        if snapshot.pid.is_some() {
            self.report.pid = self.report.pid.or(snapshot.pid);
        }
        // Another request may have had it restarted: what became of the run that we came for is told with the next.
        let before: Vec<SeenProcess> = snapshot
            .before
            .iter()
            .filter(|seen| self.report.processes.iter().any(|known| known.pid == seen.pid))
            .cloned()
            .collect();
        self.take_in_processes(&before);
        self.take_in_processes(&snapshot.processes);
    }

    pub(super) fn take_in_processes(&mut self, seen: &[SeenProcess]) {
        for seen in seen {
            if let Some(signal) = seen.signal {
                self.sent.insert(seen.pid, signal);
            }
            let ended_by = (!seen.alive).then(|| ended_by(seen.signal));
            if let Some(known) = self.report.processes.iter_mut().find(|known| known.pid == seen.pid) {
                known.ended_by = ended_by;
                continue;
            }
            let (found_by, file) = self.tier_of(seen.pid);
            let command = seen.command.clone();
            self.report.processes.push(ProcessReport { pid: seen.pid, command, found_by, file, ended_by });
        }
    }

    /// A keeper that cannot be talked to stands in the way of a stop. One of another version is told in the way that
    /// every version understands, and one that does not answer is ended; what lives is then taken by one that answers.
    pub(super) fn end_keeper(&mut self, signal: Signal, patience: Duration) -> Input {
        let Some(sight) = &self.sight else { return Input::KeeperStays("it was not looked at".into()) };
        let why = match &sight.evidence.voice {
            Voice::Silent(why) | Voice::Foreign(why) => why.clone(),
            Voice::NotAsked | Voice::Said(_) => sight.verdict.note.clone(),
        };
        let recorded = sight.record().and_then(|record| record.keeper.as_ref()).and_then(Held::open);
        let keeper = recorded.or_else(|| self.holder_of_its_lock());
        if !self.report.found_by.contains(&Tier::Keeper) {
            self.report.found_by.push(Tier::Keeper);
        }
        let Some(keeper) = keeper else {
            // It may just have come, or be about to go: its record says more in a moment.
            std::thread::sleep(Duration::from_millis(100));
            return Input::KeeperStays(format!("{why}, and who it is cannot be proven"));
        };
        self.note_once(&format!("{why} (pid {}): it was sent {signal}", keeper.pid()));
        if let Err(error) = keeper.signal(signal) {
            return Input::KeeperStays(format!("its keeper cannot be sent {signal}: {}", words(&error)));
        }
        if keeper.wait(patience) {
            Input::KeeperEnded
        } else {
            Input::KeeperStays(format!("its keeper (pid {}) outlives {signal}", keeper.pid()))
        }
    }

    /// A keeper whose record is lost is whoever of our keepers has its lock open.
    fn holder_of_its_lock(&self) -> Option<Held> {
        let holders = process::holders(&self.home.bot(&self.report.name).keeper_lock());
        let keeper = holders.into_iter().find(|pid| process::is_keeper(*pid))?;
        process::identify(keeper).and_then(|id| Held::open(&id))
    }

    fn wait_for_the_keeper_to_leave(&self) {
        let path = self.home.bot(&self.report.name).keeper_lock();
        let until = clock::now().plus(KEEPER_GONE);
        while lock::look(&path) == LockSeen::Held && clock::now() < until {
            std::thread::sleep(LEAVES);
        }
    }
}
