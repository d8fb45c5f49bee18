//! The keeper's loop: wait for anything, take it in, do what follows, show it to whoever watches.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::cgroup::Group;
use crate::clock;
use crate::core::bot::BotSpec;
use crate::core::event::Kind;
use crate::core::exit::Exit;
use crate::core::lifecycle::{Effect, First, Input, Lifecycle, Phase, Reach};
use crate::core::moment::Moment;
use crate::core::protocol::{Answer, Request, SeenProcess, Told};
use crate::core::record::{ProcessId, RunRecord};
use crate::core::signal::Signal;
use crate::launch::Begin;
use crate::lock::Lock;
use crate::notify::Notify;
use crate::paths::{BotHome, Home};
use crate::process;
use crate::record;

use super::clients::Clients;
use super::launcher::Launcher;
use super::signals::{Meaning, Signals};
use super::story::{Story, too_fast};
use super::tend::LogWatch;
use super::trouble::{Topic, Troubles};
use super::worker::Worker;
use super::{desk, tend};
use crate::tree::Tree;

/// Everything that a keeper is made of.
pub(super) struct Parts {
    pub(super) begin: Begin,
    pub(super) by: String,
    pub(super) spec: BotSpec,
    pub(super) home: Home,
    pub(super) bot: BotHome,
    pub(super) keeper_lock: Lock,
    pub(super) signals: Signals,
    pub(super) notify: Option<Notify>,
    pub(super) clients: Clients,
    pub(super) desk: Worker<desk::Job, desk::Done>,
    pub(super) tender: Worker<tend::Job, tend::Done>,
    pub(super) log_watch: Option<LogWatch>,
    pub(super) life: Lifecycle,
    pub(super) effects: Vec<Effect>,
    pub(super) tree: Tree,
    pub(super) earlier: Option<RunRecord>,
}

/// How long a keeper that leaves waits for its paperwork. History may fail; supervision may not.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The kernel tells how a process ended once its parent has reaped it; a parent that does not is not waited for.
const REAPED_BY_OTHERS: Duration = Duration::from_secs(1);
/// So many messages are heard at once.
const MOST_MESSAGES: usize = 64;
/// How long a notify socket is left alone on which strangers speak without end.
const DEAF: Duration = Duration::from_secs(1);
/// Whoever launches a keeper to end something asks for that within this time, or is gone.
const ASKED_SOON: Duration = Duration::from_secs(2);
/// Who has a bot killed that was spawned while the emergency stop was being latched.
const BY_THE_LATCH: &str = "the emergency stop, which was latched while it was being started";
/// A bot that wrote too fast has stopped doing so when nothing was dropped for this long: two events a time, not two a
/// burst.
const CAUGHT_UP: Duration = Duration::from_mins(1);
/// How long a keeper that leaves waits for the log. What is not done by then the next keeper finds whole, and does.
const LAST_LOOK: Duration = Duration::from_millis(500);
/// How often a tree that is not ours to reap is looked at while it is being ended.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A keeper at work.
pub(super) struct Keeper {
    pub(super) parts: Parts,
    pub(super) launcher: Launcher,
    /// The record of the current or last run.
    pub(super) record: Option<RunRecord>,
    /// Who asked for what is under way.
    pub(super) asked_by: Option<String>,
    /// When the phase was entered.
    pub(super) phase_since: Moment,
    pub(super) last_exit: Option<(Exit, Moment)>,
    pub(super) heartbeat: Option<Moment>,
    pub(super) says: Option<String>,
    pub(super) told: Told,
    pub(super) troubles: Troubles,
    /// What ended the first run before the launcher heard that it is ready.
    pub(super) failed_at_once: Option<String>,
    /// The processes of the run before this one, with what ended them.
    pub(super) before: Vec<SeenProcess>,
    /// Something that clients have not been shown yet.
    pub(super) changed: bool,
    adopted_ended: Option<Moment>,
    deaf_until: Option<Moment>,
    look_again: Option<Moment>,
    /// When what is not to be running is ended, though nobody has asked for that.
    unasked: Option<Moment>,
    /// How much the bot wrote too fast to be archived, and when that was last.
    behind: Option<(u64, Moment)>,
    /// Whether this run's log cannot be archived where it is: nothing may be copied that cannot be freed.
    pub(super) never_archived: bool,
}

impl Keeper {
    /// A keeper that has everything and has done nothing.
    pub(super) fn new(parts: Parts, launcher: Launcher) -> Self {
        let record = parts.earlier.clone();
        Self {
            parts,
            launcher,
            record,
            asked_by: None,
            phase_since: clock::now(),
            last_exit: None,
            heartbeat: None,
            says: None,
            told: Told::default(),
            troubles: Troubles::default(),
            failed_at_once: None,
            changed: false,
            adopted_ended: None,
            deaf_until: None,
            before: Vec::new(),
            look_again: None,
            unasked: None,
            behind: None,
            never_archived: false,
        }
    }

    /// Keeps the bot until nothing is left to keep.
    pub(super) fn keep(mut self) {
        if self.parts.notify.is_none() {
            self.warn(Topic::Notify, "it has no notify socket: what it says of itself is not heard");
        }
        match self.parts.begin {
            Begin::Start { .. } => {
                // Where the last keeper died, and could not remove it.
                self.sweep(self.record.as_ref().and_then(Group::of));
                let effects = std::mem::take(&mut self.parts.effects);
                self.perform(effects);
            }
            Begin::Adopt { .. } => self.take_over(),
        }
        loop {
            self.tick();
            if let Phase::Over(_) = self.parts.life.phase() {
                break;
            }
            if std::mem::take(&mut self.changed) && self.parts.clients.watched() {
                let snapshot = self.snapshot();
                self.parts.clients.tell(snapshot);
            }
            self.wait();
        }
        self.leave();
    }

    /// Hands an input to the lifecycle and does what follows.
    pub(super) fn feed(&mut self, input: Input) {
        let now = clock::now();
        let before = std::mem::discriminant(self.parts.life.phase());
        let effects = self.parts.life.handle(input, now);
        if std::mem::discriminant(self.parts.life.phase()) != before {
            self.phase_since = now;
            self.changed = true;
            if let Phase::Stopping { .. } = self.parts.life.phase() {
                self.told.begin_to_stop();
            }
        }
        self.perform(effects);
    }

    fn tick(&mut self) {
        loop {
            let now = clock::now();
            if self.parts.life.deadline().is_none_or(|due| due > now) {
                break;
            }
            self.feed(Input::Tick);
            if let Phase::Over(_) = self.parts.life.phase() {
                return;
            }
        }
        let now = clock::now();
        if self.parts.log_watch.as_mut().is_some_and(|watch| watch.tick(now)) {
            self.tend(false);
        }
        if self.adopted_ended.is_some_and(|ended| now.since(ended) >= REAPED_BY_OTHERS) {
            self.adopted_main_ended(Exit::Unknown);
        }
        if self.deaf_until.is_some_and(|until| until <= now) {
            self.deaf_until = None;
            self.messages();
        }
        if self.troubles.is_due(now) {
            self.write_record();
        }
        if self.unasked.is_some_and(|due| due <= now) {
            self.unasked = None;
            self.end_what_is_down();
        }
        if self.behind.is_some_and(|(_, last)| now.since(last) >= CAUGHT_UP) {
            self.caught_up();
        }
        if self.look_again.is_some_and(|due| due <= now) {
            self.look_again = None;
            self.check_empty();
        }
        if self.hunts() {
            self.signal(Signal::KILL, Reach::All);
            self.check_empty();
        }
    }

    /// Whether SIGKILL goes on as soon as everybody has been answered.
    fn hunts(&self) -> bool {
        self.parts.tree.hunts() && matches!(self.parts.life.phase(), Phase::Stopping { .. })
    }

    fn deadline(&self) -> Option<Moment> {
        [
            self.parts.life.deadline(),
            self.parts.log_watch.as_ref().and_then(LogWatch::deadline),
            self.adopted_ended.map(|ended| ended.plus(REAPED_BY_OTHERS)),
            self.look_again,
            self.unasked,
            self.hunts().then(clock::now),
            self.troubles.deadline(),
            self.behind.map(|(_, last)| last.plus(CAUGHT_UP)),
            self.deaf_until,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn wait(&mut self) {
        let parts = &self.parts;
        let hang_up_only = self.adopted_ended.is_some();
        let mut fds = vec![
            PollFd::from_borrowed_fd(parts.signals.fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(parts.desk.fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(parts.tender.fd(), PollFlags::IN),
        ];
        fds.extend(parts.clients.fds().map(|(fd, unsent)| {
            PollFd::from_borrowed_fd(fd, if unsent { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN })
        }));
        let heard = parts.notify.iter().filter(|_| self.deaf_until.is_none());
        fds.extend(heard.map(|notify| PollFd::from_borrowed_fd(notify.fd(), PollFlags::IN)));
        fds.extend(parts.log_watch.iter().map(|watch| PollFd::from_borrowed_fd(watch.fd(), PollFlags::IN)));
        fds.extend(parts.tree.watched().map(|held| {
            let main = parts.tree.held().is_some_and(|main| main.pid() == held.pid());
            PollFd::from_borrowed_fd(held.fd(), if main && hang_up_only { PollFlags::empty() } else { PollFlags::IN })
        }));
        let now = clock::now();
        // Rounded up, so that a deadline has come when the wait for it is over.
        let time = self.deadline().map(|due| due.since(now) + Duration::from_micros(50));
        let time = time.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) });
        let woken = poll(&mut fds, time.as_ref());
        let hung_up =
            fds.iter().rev().take(parts.tree.watched().count()).any(|fd| fd.revents().contains(PollFlags::HUP));
        let process_ended = fds.iter().rev().take(parts.tree.watched().count()).any(|fd| !fd.revents().is_empty());
        drop(fds);
        if !matches!(woken, Ok(count) if count > 0) {
            return;
        }
        // Everything that may have happened is looked at: reading what has not is cheap, and no order is missed.
        self.signals();
        self.results();
        self.requests();
        if self.deaf_until.is_none() {
            self.messages();
        }
        if let Some(watch) = &mut self.parts.log_watch {
            watch.woken(clock::now());
        }
        if process_ended {
            self.adopted_process_ended(hung_up);
        }
    }

    fn signals(&mut self) {
        let mut child = false;
        for meaning in self.parts.signals.arrived() {
            match meaning {
                Meaning::Child => child = true,
                Meaning::Leave(first) => {
                    self.asked_by = Some("a signal to its keeper".into());
                    self.feed(Input::Stop(first));
                }
            }
        }
        if child {
            self.reap();
        }
    }

    fn reap(&mut self) {
        // What a process said before it ended is heard while it can still be told whose it was.
        self.messages();
        let main = self.parts.tree.reap();
        if let Some(exit) = main {
            self.last_exit = Some((exit.clone(), clock::now()));
            let empty = self.parts.tree.is_empty();
            self.feed(Input::Exited { exit, empty });
        }
        self.check_empty();
    }

    /// Waits for nothing of a bot that was found alive: its end is seen through descriptors.
    fn take_over(&mut self) {
        let by = self.parts.by.clone();
        self.adopted(&by);
        if self.parts.tree.main().is_none() {
            self.adopted_main_ended(Exit::Unknown);
        }
        match self.parts.begin {
            // So that whoever asks hears all of it, and not only that nobody is there any more.
            Begin::Adopt { asked: true, .. } if self.parts.tree.main().is_some() => {
                self.unasked = Some(clock::now().plus(ASKED_SOON));
            }
            Begin::Adopt { .. } | Begin::Start { .. } => self.end_what_is_down(),
        }
    }

    /// Its last keeper died while it was being stopped: the stop goes on.
    fn end_what_is_down(&mut self) {
        if let Some(down) = record::down(&self.parts.bot) {
            self.asked_by = Some(down.by);
            self.feed(Input::Stop(First::Send));
            self.check_empty();
        }
    }

    fn adopted_process_ended(&mut self, hung_up: bool) {
        if let Some(held) = self.parts.tree.held()
            && held.has_ended()
        {
            let exit = held.exit();
            if exit != Exit::Unknown || hung_up {
                self.adopted_main_ended(exit);
            } else if self.adopted_ended.is_none() {
                self.adopted_ended = Some(clock::now());
            }
        }
        self.check_empty();
    }

    fn adopted_main_ended(&mut self, exit: Exit) {
        self.adopted_ended = None;
        self.parts.tree.let_go();
        self.last_exit = Some((exit.clone(), clock::now()));
        let empty = self.parts.tree.is_empty();
        self.feed(Input::Exited { exit, empty });
        self.check_empty();
    }

    /// Looks whether the tree is empty by now, if that is what is being waited for.
    fn check_empty(&mut self) {
        let Phase::Stopping { main, .. } = self.parts.life.phase() else { return };
        let main_is_over = main.is_some();
        if self.parts.tree.main().is_none() && self.parts.tree.is_empty() && main_is_over {
            self.feed(Input::Emptied);
        } else if self.parts.tree.has_others() {
            // Nobody tells us of processes that are not our children and were born meanwhile.
            self.look_again = Some(clock::now().plus(LOOK_AGAIN));
        }
    }

    fn results(&mut self) {
        for done in self.parts.desk.results() {
            match done {
                desk::Done::Well(topic) => self.all_well(topic),
                desk::Done::Swept | desk::Done::Stands => {}
                desk::Done::Slipped => {
                    self.asked_by = Some(BY_THE_LATCH.into());
                    self.feed(Input::Kill);
                    self.check_empty();
                }
                // Whoever asked may not have reached us.
                desk::Done::IsDown(down) => {
                    self.asked_by = Some(down.by);
                    self.feed(Input::Stop(First::Send));
                    self.check_empty();
                }
                desk::Done::Trouble(topic, what) => self.warn(topic, &what),
                desk::Done::Prepared(prepared) => self.spawn(prepared),
            }
        }
        self.tended();
    }

    fn tended(&mut self) {
        for done in self.parts.tender.results() {
            match done {
                tend::Done::Behind(bytes) => self.fell_behind(bytes),
                tend::Done::Well => self.all_well(Topic::Log),
                tend::Done::Trouble(what) => self.warn(Topic::Log, &what),
                tend::Done::Never(what) => {
                    self.never_archived = true;
                    self.warn(Topic::Log, &what);
                    if let Some(watch) = &mut self.parts.log_watch {
                        watch.stop();
                    }
                }
            }
        }
    }

    fn requests(&mut self) {
        self.parts.clients.accept();
        for (number, request) in self.parts.clients.requests() {
            match request {
                Ok(request) => self.request(number, request),
                Err(error) => self.parts.clients.answer(number, &Answer::Refused(format!("not understood: {error}"))),
            }
        }
        self.parts.clients.tidy();
    }

    fn request(&mut self, number: usize, request: Request) {
        let mut joined = false;
        let (by, input) = match request {
            Request::Look => {
                self.parts.tree.look_again();
                let snapshot = self.snapshot();
                return self.parts.clients.answer(number, &Answer::Snapshot(Box::new(snapshot)));
            }
            Request::Watch => {
                self.parts.clients.watch(number);
                let snapshot = self.snapshot();
                return self.parts.clients.answer(number, &Answer::Snapshot(Box::new(snapshot)));
            }
            Request::Stop { by, also, cap_ms } => {
                joined = self.join(&also);
                if let Some(cap) = cap_ms {
                    self.parts.life.hurry(Duration::from_millis(cap));
                }
                (by, Input::Stop(First::Send))
            }
            Request::Climb { by } => (by, Input::Climb),
            Request::Kill { by, also } => {
                joined = self.join(&also);
                (by, Input::Kill)
            }
            Request::Retry { by, spec } => {
                if let Phase::Backoff { .. } = self.parts.life.phase() {
                    self.become_what_is_wanted(spec);
                }
                (by, Input::Retry)
            }
            Request::Restart { by, spec } => {
                self.become_what_is_wanted(spec);
                (by, Input::Restart)
            }
        };
        self.unasked = None;
        self.asked_by = Some(by);
        self.parts.clients.answer(number, &Answer::Accepted);
        let was_stopping = matches!(self.parts.life.phase(), Phase::Stopping { .. });
        self.feed(input);
        if joined && was_stopping {
            self.feed(Input::Joined);
        }
        self.check_empty();
        self.changed = true;
    }

    /// Takes strays in that are to be ended with the rest. Whether any is new.
    fn join(&mut self, strays: &[ProcessId]) -> bool {
        let joined = self.parts.tree.join(strays);
        if joined {
            self.parts.tree.gather();
        }
        joined
    }

    /// From its next run on.
    fn become_what_is_wanted(&mut self, spec: Option<Box<BotSpec>>) {
        if let Some(spec) = spec
            && spec.name == self.parts.spec.name
        {
            self.parts.life.replan((&*spec).into());
            self.parts.spec = *spec;
        }
    }

    fn messages(&mut self) {
        let mut strangers = 0;
        for _ in 0..MOST_MESSAGES {
            let Some(message) = self.parts.notify.as_ref().and_then(Notify::receive) else { return };
            if self.is_ours(message.sender) {
                self.hear(message.fields);
            } else {
                strangers += 1;
                let what = format!("pid {} spoke on its notify socket and is not of its tree: ignored", message.sender);
                self.warn(Topic::Notify, &what);
            }
        }
        if strangers > 0 {
            // Somebody floods it. Nobody but the kernel's queue waits for us.
            self.deaf_until = Some(clock::now().plus(DEAF));
        }
    }

    /// Whether a process is of the tree: a descendant of ours or of the bot, or marked with this run.
    fn is_ours(&self, pid: i32) -> bool {
        const DEEPEST: usize = 128;
        let roots = [std::process::id() as i32, self.parts.tree.main().unwrap_or_default()];
        let mut ancestor = pid;
        for _ in 0..DEEPEST {
            if ancestor > 1 && roots.contains(&ancestor) {
                return true;
            }
            match process::stat(ancestor) {
                Some(stat) if stat.parent > 1 => ancestor = stat.parent,
                Some(_) | None => break,
            }
        }
        let run = self.record.as_ref().map(|record| record.run.as_str());
        process::mark(pid).is_some_and(|mark| Some(mark.run.as_str()) == run)
    }

    fn fell_behind(&mut self, bytes: u64) {
        let total = self.behind.map_or(0, |(total, _)| total).saturating_add(bytes);
        self.behind = Some((total, clock::now()));
        self.all_well(Topic::Log);
        self.warn(Topic::Behind, &too_fast(total, self.parts.spec.log.keep));
        self.changed = true;
    }

    fn caught_up(&mut self) {
        if let Some((total, _)) = self.behind.take() {
            self.all_well(Topic::Behind);
            let text = format!("{} in all", too_fast(total, self.parts.spec.log.keep));
            self.tell(Story::new(Kind::Warning, text).with("dropped", json!(total)));
        }
    }

    fn leave(mut self) {
        // Nobody else would cut what was written since the last look.
        self.tended();
        self.tend(false);
        if !self.parts.desk.finish(LAST_WORDS) {
            let _ = self.troubles.begin(Topic::Events, "its last events could not be written", clock::now());
        }
        // Whoever watches is shown the end when the files say the same.
        let snapshot = self.snapshot();
        self.parts.clients.tell(snapshot);
        self.parts.clients.tidy();
        let _ = self.parts.tender.finish(LAST_LOOK);
        self.tended();
        if self.behind.is_some() {
            self.caught_up();
            let _ = self.parts.desk.finish(LAST_LOOK);
        }
        // After the last word: nobody waits for it.
        let _ = self.parts.tree.take_group().map(|group| group.remove());
        let _ = std::fs::remove_file(self.parts.bot.root().join(BotHome::SOCKET));
        drop(self.parts.keeper_lock);
    }
}
