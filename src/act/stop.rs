//! Stopping: written down first, asked of the keeper, and believed only when the tree was seen empty.
//!
//! A bot without a keeper is given one, which then stops it; a keeper that does not answer is ended and followed by one
//! that does. So every stop is carried out by a process of its own, and goes on when whoever asked is gone.

use std::time::Duration;

use crate::client::{Client, Trouble};
use crate::clock;
use crate::core::bot::BotName;
use crate::core::exit::Exit;
use crate::core::moment::Moment;
use crate::core::protocol::{Request, SeenProcess, Snapshot};
use crate::core::record::Down;
use crate::core::report::{BotReport, ClaimsReport, ExitReport, ProcessReport, StartOutcome, StopOutcome, Tier};
use crate::core::signal::Signal;
use crate::core::state::State;
use crate::core::status::Voice;
use crate::lock;
use crate::paths::{Home, words};
use crate::process::Held;
use crate::record;
use crate::survey::{Marked, Sight, see};

use super::adopt::{as_found, as_spec, take};
use super::{How, audit};

/// A keeper is given this long beyond its ladder to say how it went.
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// How long a keeper that was killed may take to be gone.
const KEEPER_GONE: Duration = Duration::from_secs(5);
/// A new keeper has this long to say that it has the bot.
const ADOPTION: Duration = Duration::from_secs(10);
/// So often the evidence may change under a stop (a keeper dies, another takes over) before it is given up.
const TRIES: usize = 8;

/// Stops bots, all at once, and waits until each tree was seen empty or its ladder is at its end. One report a bot.
pub fn stop(home: &Home, names: &[BotName], how: How, by: &str) -> Vec<BotReport> {
    let marked = Marked::search(home);
    side_by_side(names, |name| Stop::new(home, name, how, by, &marked).run())
}

pub(super) fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| {
                // A machine without room for a thread is one on which things need to be stopped.
                let thread = std::thread::Builder::new().spawn_scoped(scope, move || work(item));
                thread.map_err(|_| work(item))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.map_or_else(Some, |thread| thread.join().ok())).collect()
    })
}

/// One bot's stop.
pub(super) struct Stop<'a> {
    pub(super) home: &'a Home,
    pub(super) how: How,
    pub(super) by: &'a str,
    pub(super) marked: &'a Marked,
    pub(super) report: BotReport,
    /// Whether it is written down that it is not to be running.
    pub(super) not_to_be_running: bool,
    /// Whether anything of it lived when we came.
    pub(super) lived: bool,
    /// What stood in the way: notes if it was overcome, errors if not.
    pub(super) obstacles: Vec<String>,
}

/// What watching a keeper came to.
enum Watched {
    /// It says that nothing lives and is about to leave, or has left.
    Over,
    /// The ladder is at its end and something lives, or nothing was heard until well after that.
    Survived,
    /// It is gone, or will not talk: the evidence has to be looked at again.
    LookAgain,
}

impl<'a> Stop<'a> {
    pub(super) fn new(home: &'a Home, name: &BotName, how: How, by: &'a str, marked: &'a Marked) -> Self {
        let report = BotReport {
            name: name.clone(),
            mode: None,
            outcome: StopOutcome::Survived,
            pid: None,
            duration_ms: 0,
            restarted: false,
            found_by: Vec::new(),
            processes: Vec::new(),
            exit: None,
            orders: None,
            claims: ClaimsReport::default(),
            state_flushed: None,
            errors: Vec::new(),
            notes: Vec::new(),
        };
        Self { home, how, by, marked, report, not_to_be_running: false, lived: false, obstacles: Vec::new() }
    }

    fn run(mut self) -> BotReport {
        if self.how != How::Climb {
            let name = self.report.name.clone();
            self.report.errors.extend(audit(self.home, &name, self.how.word(), self.by));
            self.not_to_be_running = true;
            self.write_down();
        }
        self.until_at_rest();
        self.report
    }

    fn write_down(&mut self) {
        let down = Down { by: self.by.to_owned(), at: Some(clock::wall()) };
        if let Err(error) = record::set_down(&self.home.bot(&self.report.name), &down) {
            let error =
                format!("cannot write down that it is not to be running ({}): 'up' may start it again", words(&error));
            if !self.report.errors.contains(&error) {
                self.report.errors.push(error);
            }
        }
    }

    /// Stops until the evidence says that nothing lives, or that something will not end.
    pub(super) fn until_at_rest(&mut self) {
        self.look_until_at_rest();
        let mut obstacles = std::mem::take(&mut self.obstacles);
        obstacles.dedup();
        match self.report.outcome {
            StopOutcome::Survived => self.report.errors.extend(obstacles),
            StopOutcome::Stopped | StopOutcome::NotRunning => self.report.notes.extend(obstacles),
        }
    }

    fn look_until_at_rest(&mut self) {
        for _ in 0..TRIES {
            let obstacles = self.obstacles.len();
            let sight = see(self.home, &self.report.name, self.marked);
            self.report.mode = sight.record().map(|record| record.mode).or(self.report.mode);
            match sight.verdict.state {
                State::Stopped | State::Exited | State::Crashed | State::Failed => return self.at_rest(&sight),
                State::Orphaned => self.take_back(&sight),
                State::Unknown => self.silence(&sight),
                State::Starting | State::Running | State::Stopping | State::Backoff => match self.ask_and_watch(&sight)
                {
                    Watched::Over => self.wait_for_the_keeper_to_leave(),
                    Watched::Survived => {
                        self.report.outcome = StopOutcome::Survived;
                        return;
                    }
                    Watched::LookAgain => {}
                },
            }
            if let [.., before, last] = self.obstacles.as_slice()
                && self.obstacles.len() > obstacles
                && before == last
            {
                return;
            }
        }
        self.obstacles.push("gave up: what was seen of it kept changing".into());
    }

    pub(super) fn at_rest(&mut self, sight: &Sight) {
        if self.not_to_be_running && sight.evidence.down.is_none() {
            // A start or restart that came meanwhile has taken the mark back, and the stop has the last word.
            self.write_down();
        }
        self.report.outcome = if self.lived { StopOutcome::Stopped } else { StopOutcome::NotRunning };
        if self.lived {
            let exit = sight.record().and_then(|record| record.ended.as_ref()).map(|ended| &ended.exit);
            self.report.exit = exit.map(|exit| ExitReport { code: exit.code(), signal: exit.signal() });
            if let Some(Exit::Unknown) = exit {
                self.report.notes.push("how it ended is unknown: nobody who could have seen it was there".into());
            }
        }
    }

    /// An orphan gets a keeper, and that one stops it.
    pub(super) fn take_back(&mut self, sight: &Sight) {
        self.lived = true;
        self.found(Tier::PidFile);
        let spec = match (sight.record(), sight.evidence.marked.first()) {
            (Some(record), _) => as_spec(record),
            (None, Some(pid)) => {
                self.note_once("its run record is lost: it is stopped by the default ladder");
                as_found(&self.report.name, *pid)
            }
            (None, None) => {
                self.obstacles.push("it lives, and neither a run record nor a mark says who it is".into());
                return;
            }
        };
        if let Some(taken) = take(self.home, &spec, self.by, ADOPTION)
            && taken.outcome != StartOutcome::Adopted
        {
            self.obstacles.push(format!("no keeper could take it back: {}", taken.message));
        }
    }

    /// A keeper that cannot be talked to stands in the way of a stop. One of another version is told in the way that
    /// every version understands, and one that does not answer is ended; both are followed by one that answers.
    pub(super) fn silence(&mut self, sight: &Sight) {
        let (why, signal, patience) = match &sight.evidence.voice {
            Voice::Silent(why) => (why, Signal::KILL, KEEPER_GONE),
            Voice::Foreign(why) => {
                let ladder = sight.record().map_or(Duration::ZERO, |record| record.ladder.longest());
                (why, Signal::TERM, ladder + GRACE)
            }
            Voice::NotAsked | Voice::Said(_) => {
                self.obstacles.push(sight.verdict.note.clone());
                return;
            }
        };
        self.lived = true;
        self.found(Tier::Keeper);
        let Some(keeper) = sight.record().and_then(|record| record.keeper.as_ref()).and_then(Held::open) else {
            self.obstacles.push(format!("{why}, and who it is cannot be proven"));
            std::thread::sleep(Duration::from_millis(100));
            return;
        };
        self.report.notes.push(format!("{why} (pid {}): it was sent {signal}", keeper.pid()));
        if let Err(error) = keeper.signal(signal) {
            self.obstacles.push(format!("its keeper cannot be sent {signal}: {}", words(&error)));
        }
        keeper.wait(patience);
    }

    fn ask_and_watch(&mut self, sight: &Sight) -> Watched {
        if sight.verdict.state == State::Backoff {
            self.report.notes.push("it was waiting for its next try, and will not be tried".into());
        } else {
            self.lived = true;
        }
        self.found(Tier::Keeper);
        if self.not_to_be_running {
            // A start that came to it just before this stop may have taken the mark back.
            self.write_down();
        }
        let bot = self.home.bot(&self.report.name);
        let by = self.by.to_owned();
        let request = match self.how {
            How::Stop => Request::Stop { by },
            How::Kill => Request::Kill { by },
            How::Climb => Request::Climb { by },
        };
        let mut client = match Client::call(&bot) {
            Ok(client) => client,
            Err(trouble) => return self.no_words(&trouble),
        };
        if let Err(trouble) = client.watch().and_then(|()| client.ask(&request)) {
            return self.no_words(&trouble);
        }
        self.watch(client)
    }

    fn no_words(&mut self, trouble: &Trouble) -> Watched {
        match trouble {
            Trouble::Nobody(_) | Trouble::Silent | Trouble::Gone | Trouble::Strange(_) => Watched::LookAgain,
            Trouble::Refused(why) => {
                self.report.errors.push(format!("its keeper refuses: {why}"));
                Watched::Survived
            }
        }
    }

    fn watch(&mut self, mut client: Client) -> Watched {
        let mut patience: Option<Moment> = None;
        loop {
            match client.next(Duration::from_millis(500)) {
                Ok(Some(snapshot)) => {
                    self.take_in(&snapshot);
                    if self.how == How::Climb && snapshot.state != State::Stopping && !snapshot.state.is_at_rest() {
                        self.report.errors.push(format!("it is {}, not being stopped", snapshot.state));
                        return Watched::Survived;
                    }
                    if snapshot.state.is_at_rest() {
                        return Watched::Over;
                    }
                    if snapshot.survived {
                        let alive: Vec<String> = snapshot
                            .processes
                            .iter()
                            .filter(|process| process.alive)
                            .map(|process| process.pid.to_string())
                            .collect();
                        self.report
                            .errors
                            .push(format!("still there at the end of its ladder: pid {}", alive.join(", ")));
                        return Watched::Survived;
                    }
                    let ends = snapshot.ladder_ends_in_ms.map_or(GRACE, |ms| Duration::from_millis(ms) + GRACE);
                    patience = Some(clock::now().plus(ends));
                }
                Ok(None) if patience.is_none_or(|patience| patience > clock::now()) => {
                    if lock::look(&self.home.bot(&self.report.name).keeper_lock())
                        == crate::core::status::LockSeen::Free
                    {
                        return Watched::LookAgain;
                    }
                }
                Ok(None) | Err(_) => return Watched::LookAgain,
            }
        }
    }

    pub(super) fn take_in(&mut self, snapshot: &Snapshot) {
        for seen in &snapshot.before {
            // Another request may have had it restarted: what became of the run that we came for is told with the next.
            if let Some(known) = self.report.processes.iter_mut().find(|known| known.pid == seen.pid) {
                known.ended_by = Some(ended_by(seen));
            }
        }
        for seen in &snapshot.processes {
            let ended_by = (!seen.alive).then(|| ended_by(seen));
            if let Some(known) = self.report.processes.iter_mut().find(|known| known.pid == seen.pid) {
                known.ended_by = ended_by;
                continue;
            }
            let found_by = self.report.found_by.first().copied().unwrap_or(Tier::Keeper);
            self.report.processes.push(ProcessReport {
                pid: seen.pid,
                command: seen.command.clone(),
                found_by,
                file: None,
                ended_by,
            });
        }
        if snapshot.state.is_at_rest() {
            // The tree is empty: whoever was last seen alive has ended since.
            for process in &mut self.report.processes {
                if process.ended_by.is_none() {
                    let seen = snapshot.processes.iter().find(|seen| seen.pid == process.pid);
                    process.ended_by = Some(seen.map_or_else(|| "itself".to_owned(), ended_by));
                }
            }
        }
    }

    pub(super) fn wait_for_the_keeper_to_leave(&self) {
        let path = self.home.bot(&self.report.name).keeper_lock();
        let until = clock::now().plus(KEEPER_GONE);
        while lock::look(&path) == crate::core::status::LockSeen::Held && clock::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn note_once(&mut self, note: &str) {
        if !self.report.notes.iter().any(|known| known == note) {
            self.report.notes.push(note.to_owned());
        }
    }

    pub(super) fn found(&mut self, tier: Tier) {
        if !self.report.found_by.contains(&tier) {
            self.report.found_by.push(tier);
        }
    }
}

pub(super) fn ended_by(seen: &SeenProcess) -> String {
    seen.signal.map_or_else(|| "itself".to_owned(), |signal| signal.to_string())
}
