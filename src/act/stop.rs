//! Stopping: written down first, asked of the keeper, and believed only when the tree was seen empty.
//!
//! A bot without a keeper is given one, which then stops it; a keeper that does not answer is ended and followed by one
//! that does. So every stop is carried out by a process of its own, and goes on when whoever asked is gone.

use std::time::Duration;

use crate::client::{Client, Trouble};
use crate::clock;
use crate::core::bot::{BotName, BotSpec};
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

use super::up::{adopt, as_found, as_spec};
use super::{How, audit, start};

/// A keeper is given this long beyond its ladder to say how it went.
const GRACE: Duration = Duration::from_secs(2);
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

/// Stops bots and starts them anew once their trees are empty. One report a bot, in order.
pub fn restart(home: &Home, specs: &[BotSpec], by: &str, wait: Duration) -> Vec<BotReport> {
    let marked = Marked::search(home);
    side_by_side(specs, |spec| Stop::new(home, &spec.name, How::Stop, by, &marked).restart(spec, wait))
}

fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
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
struct Stop<'a> {
    home: &'a Home,
    how: How,
    by: &'a str,
    marked: &'a Marked,
    report: BotReport,
    /// Whether it is written down that it is not to be running.
    not_to_be_running: bool,
    /// Whether anything of it lived when we came.
    lived: bool,
    /// What stood in the way: notes if it was overcome, errors if not.
    obstacles: Vec<String>,
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
    fn new(home: &'a Home, name: &BotName, how: How, by: &'a str, marked: &'a Marked) -> Self {
        let report = BotReport {
            name: name.clone(),
            mode: None,
            outcome: StopOutcome::Survived,
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
    fn until_at_rest(&mut self) {
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

    fn at_rest(&mut self, sight: &Sight) {
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
    fn take_back(&mut self, sight: &Sight) {
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
        if let Some(taken) = adopt(self.home, &spec, self.by, ADOPTION)
            && taken.outcome != StartOutcome::Adopted
        {
            self.obstacles.push(format!("no keeper could take it back: {}", taken.message));
        }
    }

    /// A keeper that cannot be talked to stands in the way of a stop. One of another version is told in the way that
    /// every version understands, and one that does not answer is ended; both are followed by one that answers.
    fn silence(&mut self, sight: &Sight) {
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

    fn take_in(&mut self, snapshot: &Snapshot) {
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

    fn wait_for_the_keeper_to_leave(&self) {
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

    fn found(&mut self, tier: Tier) {
        if !self.report.found_by.contains(&tier) {
            self.report.found_by.push(tier);
        }
    }
}

fn ended_by(seen: &SeenProcess) -> String {
    seen.signal.map_or_else(|| "itself".to_owned(), |signal| signal.to_string())
}

/// Whether a snapshot that comes after a restart was accepted is still of the run that is being ended.
fn is_of_the_old_run(snapshot: &Snapshot, run: Option<&str>) -> bool {
    match run {
        None => !matches!(snapshot.state, State::Starting | State::Running),
        Some(run) => run == snapshot.run && snapshot.state != State::Starting,
    }
}

/// Restarting: a stop whose keeper goes on with the next run.
impl Stop<'_> {
    fn restart(mut self, spec: &BotSpec, wait: Duration) -> BotReport {
        let name = spec.name.clone();
        self.report.errors.extend(audit(self.home, &name, "restart", self.by));
        self.report.mode = Some(spec.mode);
        let sight = see(self.home, &name, self.marked);
        match sight.verdict.state {
            State::Orphaned => self.take_back(&sight),
            State::Unknown => self.silence(&sight),
            State::Starting
            | State::Running
            | State::Stopping
            | State::Backoff
            | State::Stopped
            | State::Exited
            | State::Crashed
            | State::Failed => {}
        }
        if crate::latch::is_latched(self.home) {
            self.report.errors.push("the emergency stop is latched".into());
            return self.report;
        }
        if let Err(error) = record::clear_down(&self.home.bot(&name)) {
            self.report.errors.push(format!("cannot remove its mark 'down': {}", words(&error)));
            return self.report;
        }
        let sight = see(self.home, &name, self.marked);
        if sight.verdict.state.is_at_rest() {
            self.at_rest(&sight);
            return self.start_anew(spec, wait);
        }
        self.lived = true;
        self.found(Tier::Keeper);
        let request = Request::Restart { by: self.by.to_owned(), spec: Some(Box::new(spec.clone())) };
        // Watched only once it is accepted: then a bot that runs is the new run.
        let asked = Client::call(&self.home.bot(&name)).and_then(|mut client| {
            let before = client.look()?;
            client.ask(&request)?;
            client.watch()?;
            Ok((client, before))
        });
        match asked {
            Ok((client, before)) => {
                self.take_in(&before);
                self.watch_restart(client, spec, wait)
            }
            Err(trouble) => {
                // Stopped by whatever means there are, and started by a keeper of our own version.
                self.report.notes.push(trouble.to_string());
                self.until_at_rest();
                if self.report.outcome == StopOutcome::Survived { self.report } else { self.start_anew(spec, wait) }
            }
        }
    }

    fn watch_restart(mut self, mut client: Client, spec: &BotSpec, wait: Duration) -> BotReport {
        let mut until: Option<Moment> = None;
        let mut run: Option<String> = None;
        let mut patience = clock::now().plus(GRACE);
        loop {
            match client.next(Duration::from_millis(500)) {
                Ok(Some(snapshot)) if until.is_none() && is_of_the_old_run(&snapshot, run.as_deref()) => {
                    run = Some(snapshot.run.clone());
                    let ends = snapshot.ladder_ends_in_ms.map_or(Duration::ZERO, Duration::from_millis);
                    patience = clock::now().plus(ends + GRACE);
                    self.take_in(&snapshot);
                    if snapshot.survived {
                        self.report.errors.push("it will not end: no second copy is started beside it".into());
                        return self.report;
                    }
                    if snapshot.state.is_at_rest() {
                        self.wait_for_the_keeper_to_leave();
                        let sight = see(self.home, &spec.name, self.marked);
                        self.at_rest(&sight);
                        return self.start_anew(spec, wait);
                    }
                }
                Ok(Some(snapshot)) => {
                    self.end_of_the_old_run(&snapshot);
                    let until = *until.get_or_insert_with(|| clock::now().plus(wait));
                    match snapshot.state {
                        State::Running => {
                            self.report.restarted = true;
                            self.report.notes.push(format!("runs again (pid {})", snapshot.pid.unwrap_or_default()));
                            return self.report;
                        }
                        // Somebody else may restart it again meanwhile.
                        State::Starting | State::Stopping if clock::now() < until => {}
                        State::Starting | State::Stopping => return self.not_ready(),
                        State::Stopped
                        | State::Exited
                        | State::Crashed
                        | State::Backoff
                        | State::Failed
                        | State::Orphaned
                        | State::Unknown => {
                            let why = snapshot.last_exit.map_or_else(String::new, |last| format!(": it {}", last.exit));
                            self.report.errors.push(format!("its new run did not come to run{why}"));
                            return self.report;
                        }
                    }
                }
                Ok(None) if until.is_some_and(|until| clock::now() >= until) => return self.not_ready(),
                Ok(None) if until.is_some() || clock::now() < patience => {}
                Ok(None) | Err(_) => {
                    self.until_at_rest();
                    return if self.report.outcome == StopOutcome::Survived {
                        self.report
                    } else {
                        self.start_anew(spec, wait)
                    };
                }
            }
        }
    }

    fn end_of_the_old_run(&mut self, snapshot: &Snapshot) {
        self.report.outcome = StopOutcome::Stopped;
        for seen in &snapshot.before {
            let known = self.report.processes.iter().position(|process| process.pid == seen.pid);
            let report = ProcessReport {
                pid: seen.pid,
                command: seen.command.clone(),
                found_by: Tier::Keeper,
                ended_by: Some(ended_by(seen)),
            };
            match known {
                Some(at) => self.report.processes[at].ended_by = report.ended_by,
                None => self.report.processes.push(report),
            }
        }
        for process in &mut self.report.processes {
            process.ended_by.get_or_insert_with(|| "itself".to_owned());
        }
        if self.report.exit.is_none()
            && let Some(last) = &snapshot.last_exit
        {
            self.report.exit = Some(ExitReport { code: last.exit.code(), signal: last.exit.signal() });
        }
    }

    fn not_ready(mut self) -> BotReport {
        self.report.restarted = true;
        self.report.notes.push(super::STILL_STARTING.into());
        self.report
    }

    fn start_anew(mut self, spec: &BotSpec, wait: Duration) -> BotReport {
        let started = start(self.home, std::slice::from_ref(spec), self.by, wait).into_iter().next();
        match started {
            Some(started) => match started.outcome {
                StartOutcome::Started | StartOutcome::AlreadyRunning | StartOutcome::Adopted => {
                    self.report.restarted = true;
                    self.report.notes.push(started.message);
                }
                StartOutcome::StillStarting => return self.not_ready(),
                StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => {
                    self.report.errors.push(started.message);
                }
            },
            None => self.report.errors.push("it was not started".into()),
        }
        self.report
    }
}
