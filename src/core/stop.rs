//! The stop procedure of one bot, as a table of what was found out and what is to be done next.
//!
//! Nothing here reads a clock, touches a process or can fail. [`Course::next`] takes in the answer to the last
//! [`Effect`] and hands out the next one; somebody else carries it out. No failure ends a course: it is kept, and the
//! course goes on with what can still be done, until either a look at everything has found nothing, or the ladder is at
//! its end. Every wait has a deadline, and the number of rounds is bounded, so that every course comes to an end.
//!
//! ```text
//! LOCK    WriteDown
//! SIGNAL  Look(Keeper) ── answers ──> Ask ──> Look(All) ── strays ──> Ask again, for them too
//!            ^   │ silent, foreign ──> EndKeeper ──> look again
//!            │   └ nobody ──> Look(All) ── something lives ──> Take (a new keeper has it) ──> look again
//!            │                                                  └ no keeper can be had ──> Signal, Wait: our own ladder
//! EMPTY      └──────────── lost ── Listen ── empty ──┐
//! VERIFY                                      Look(All) ── something ──> SIGNAL, in the next round
//! REPORT                                          └ nothing ──> Finish
//! ```

use std::time::Duration;

use super::bot::Ladder;
use super::climb::{Climb, Step};
use super::lifecycle::Reach;
use super::moment::Moment;
use super::report::StopOutcome;
use super::signal::Signal;
use super::state::State;
use super::status::{Evidence, LockSeen, Voice};

/// A keeper is given this long beyond its ladder to say how it went.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long a keeper that was sent SIGKILL may take to be gone.
pub const KEEPER_GONE: Duration = Duration::from_secs(5);
/// So often what is seen may change under a stop (a keeper dies, another takes over) before it is given up.
const ROUNDS: usize = 8;
/// After so many keepers that had to be ended for their silence, no other one is tried: what keeps them busy (a storm of
/// processes) would silence the next one too.
const KEEPERS: usize = 2;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// The end, by the bot's ladder.
    Stop,
    /// The end, by SIGKILL at once.
    Kill,
    /// The next rung of a stop that is under way.
    Climb,
    /// The end, by the bot's ladder, and then a new run.
    Restart,
}

impl Wish {
    /// The word of the command.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Kill => "kill",
            Self::Climb => "climb",
            Self::Restart => "restart",
        }
    }
}

/// Where a course is, in the words of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is written down that the bot is not to be running.
    Lock,
    /// The chunks of its cluster go back; nothing to do for a bot of no cluster.
    Chunks,
    /// Whoever has it is found and told.
    Signal,
    /// Orders are canceled; nothing to do for a bot whose orders nobody reads.
    Cancel,
    /// What is said of its state is compared with what is seen of it.
    Flush,
    /// Its processes come to their end.
    Empty,
    /// Everything is looked at once more.
    Verify,
    /// It is told how it went.
    Report,
}

impl Stage {
    /// Every stage, in its order.
    pub const ALL: [Self; 8] =
        [Self::Lock, Self::Chunks, Self::Signal, Self::Cancel, Self::Flush, Self::Empty, Self::Verify, Self::Report];

    /// The word of the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lock => "LOCK",
            Self::Chunks => "CHUNKS",
            Self::Signal => "SIGNAL",
            Self::Cancel => "CANCEL",
            Self::Flush => "FLUSH",
            Self::Empty => "EMPTY",
            Self::Verify => "VERIFY",
            Self::Report => "REPORT",
        }
    }
}

/// What was seen of a bot in one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its keeper.
    pub keeper: KeeperSeen,
    /// What its keeper started, or would have.
    pub own: Own,
    /// Processes beside those: known by its PID file or found by search.
    pub strays: usize,
    /// Processes that may be its own or another bot's, and are left alone.
    pub shared: usize,
}

/// What was seen of a keeper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeeperSeen {
    /// There is none.
    None,
    /// It answers, and says that its bot is in this state.
    Answers(State),
    /// It lives and does not answer; the text says how that showed.
    Silent(String),
    /// It lives and cannot be understood: it is of another version, or has lost its socket.
    Foreign(String),
}

/// What was seen of what a keeper started, where there is no keeper to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Own {
    /// Nothing of it lives.
    AtRest,
    /// Something of it lives.
    Lives,
    /// That could not be found out; the text says why.
    Unsure(String),
}

impl Sighting {
    /// What this evidence means for a stop, with so many strays beside it, and so many that may be another bot's.
    ///
    /// A run record that cannot be understood is passed over here: whoever reads it reports it, and the locks, the marks
    /// and the search say whether anything lives.
    pub fn of(seen: &Evidence, strays: usize, shared: usize) -> Self {
        let keeper = match (&seen.keeper_lock, &seen.voice) {
            (LockSeen::Held, Voice::Said(snapshot)) => KeeperSeen::Answers(snapshot.state),
            (LockSeen::Held, Voice::Silent(why)) => KeeperSeen::Silent(why.clone()),
            (LockSeen::Held, Voice::Foreign(why)) => KeeperSeen::Foreign(why.clone()),
            (LockSeen::Held, Voice::NotAsked) => KeeperSeen::Silent("its keeper was not asked".into()),
            (LockSeen::Free | LockSeen::Unreadable(_), _) => KeeperSeen::None,
        };
        let own = match (&seen.keeper_lock, &seen.bot_lock) {
            (_, LockSeen::Held) => Own::Lives,
            _ if seen.main_alive || !seen.marked.is_empty() => Own::Lives,
            (LockSeen::Unreadable(why), _) | (_, LockSeen::Unreadable(why)) => Own::Unsure(why.clone()),
            (LockSeen::Held | LockSeen::Free, LockSeen::Free) => Own::AtRest,
        };
        Self { keeper, own, strays, shared }
    }
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The keeper, its lock, and what it says.
    Keeper,
    /// That, the PID files, and the process table.
    All,
}

/// What is to be done next. Each is answered by one [`Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write down that it is not to be running: [`Input::Locked`].
    WriteDown,
    /// Look at it: [`Input::Seen`].
    Look(Depth),
    /// Ask its keeper for this, for the strays of the last look too: [`Input::Asked`].
    Ask(Wish),
    /// Hear what its keeper says, until then at the latest: [`Input::Heard`], [`Input::Lost`] or [`Input::Tick`].
    Listen(Moment),
    /// Send this to a keeper that cannot be talked to, and wait for its end as long: [`Input::KeeperEnded`] or
    /// [`Input::KeeperStays`].
    EndKeeper(Signal, Duration),
    /// Give what lives, strays too, to a new keeper: [`Input::Taken`].
    Take,
    /// Send this to what lives, without a keeper: [`Input::Signaled`].
    Signal(Signal, Reach),
    /// Wait for the last of what lives to end, until then at the latest: [`Input::Emptied`] or [`Input::Tick`].
    Wait(Option<Moment>),
    /// Start the next run: [`Input::Started`].
    Start,
    /// It is over, and this is what became of it.
    Finish(StopOutcome),
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// It is written down, or why that could not be done.
    Locked(Option<String>),
    /// This was seen.
    Seen(Sighting),
    /// What the keeper answered.
    Asked(Asked),
    /// What the keeper says.
    Heard(Heard),
    /// The keeper is gone, or does not talk any more.
    Lost,
    /// The keeper that was signalled is gone.
    KeeperEnded,
    /// It is not, or could not be signalled; the text says why.
    KeeperStays(String),
    /// What became of the attempt to give it a keeper.
    Taken(Taken),
    /// The signal was sent; with what went wrong.
    Signaled(Vec<String>),
    /// Nothing lives any more.
    Emptied,
    /// What became of the start of the next run: nothing, if it executes.
    Started(Option<String>),
    /// Time has passed.
    Tick,
}

/// What a keeper answers to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is being done.
    Accepted,
    /// It will not, and says why.
    Refused(String),
    /// It is gone, or has not answered.
    Lost,
}

/// What a keeper says while its bot is being ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is at it; the ladder is at its end after this long.
    Ending(Duration),
    /// Nothing of the bot lives, and the keeper has left.
    Empty,
    /// The ladder is at its end and these live.
    Survived(Vec<i32>),
    /// The bot is in this state, and nobody is ending it.
    NotEnding(State),
    /// The old run is over and the next one executes, or why it does not.
    NextRun(Option<String>),
}

/// What became of the attempt to give a keeper to what lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A keeper has it.
    Kept,
    /// There was nothing to keep any more.
    AtRest,
    /// No keeper could be had; the text says why.
    Impossible(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Locking,
    Glancing,
    Asking { joined: bool },
    Joining,
    Listening,
    EndingKeeper,
    PassingOver,
    Searching,
    Taking,
    Alone(Climb),
    Starting,
    Finished,
}

/// One bot's stop, from the wish to the report.
#[derive(Clone, Debug)]
pub struct Course {
    wish: Wish,
    ladder: Ladder,
    stage: Stage,
    phase: Phase,
    rounds: usize,
    /// Whether something is to be looked at between the old run and the next: then a restart is a stop and a start.
    pauses: bool,
    /// Whether anything of it was seen alive.
    lived: bool,
    /// Whether its processes were ended although its keeper could be neither talked to nor ended.
    keeper_passed_over: bool,
    /// How many keepers were ended because they could not be talked to.
    keepers_ended: usize,
    /// Whether its ladder was climbed without a keeper because keepers came and went.
    went_alone: bool,
    /// What stood in the way: notes if it was overcome, errors if not.
    obstacles: Vec<String>,
    errors: Vec<String>,
}

impl Course {
    /// A course for this wish, and its first effect. `ladder` is climbed only where no keeper can be had.
    pub fn begin(wish: Wish, ladder: Ladder) -> (Self, Effect) {
        let ladder = if wish == Wish::Kill { Ladder::kill() } else { ladder };
        let (phase, first) = match wish {
            Wish::Stop | Wish::Kill => (Phase::Locking, Effect::WriteDown),
            // What is climbed was locked by the stop before it; what is restarted is to be running.
            Wish::Climb | Wish::Restart => (Phase::Glancing, Effect::Look(Depth::Keeper)),
        };
        let course = Self {
            wish,
            ladder,
            stage: Stage::Lock,
            phase,
            rounds: 0,
            pauses: false,
            lived: false,
            keeper_passed_over: false,
            keepers_ended: 0,
            went_alone: false,
            obstacles: Vec::new(),
            errors: Vec::new(),
        };
        (course, first)
    }

    /// The same, but nothing is started before somebody had the time to look at what the old run has left: between
    /// [`Effect::Start`] and the start itself. A keeper that restarts by itself waits for nobody.
    #[must_use]
    pub const fn with_a_pause(mut self) -> Self {
        self.pauses = true;
        self
    }

    /// Where it is.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether anything of it was seen alive.
    pub const fn lived(&self) -> bool {
        self.lived
    }

    /// Everything that went wrong.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.errors.iter().map(String::as_str)
    }

    /// What stood in the way and was overcome.
    pub fn obstacles(&self) -> impl Iterator<Item = &str> {
        self.obstacles.iter().map(String::as_str)
    }

    /// Takes in what came of the last effect; the next one comes back.
    #[must_use]
    pub fn next(&mut self, input: Input, now: Moment) -> Effect {
        match (std::mem::replace(&mut self.phase, Phase::Finished), input) {
            (Phase::Locking, Input::Locked(trouble)) => {
                self.errors.extend(trouble);
                self.stage = Stage::Chunks;
                self.glance()
            }
            (Phase::Glancing, Input::Seen(seen)) => self.glanced(&seen),
            (Phase::Searching, Input::Seen(seen)) => self.searched(seen, now),
            (Phase::Joining, Input::Seen(seen)) => self.joined(&seen, now),
            (Phase::Asking { joined }, Input::Asked(answer)) => self.asked(answer, joined, now),
            (Phase::Listening, Input::Heard(heard)) => self.heard(heard, now),
            (Phase::Listening, Input::Lost | Input::Tick) => self.another_round(None),
            (Phase::EndingKeeper, Input::KeeperEnded) => {
                self.keepers_ended += 1;
                self.another_round(None)
            }
            (Phase::EndingKeeper, Input::KeeperStays(why)) => self.keeper_stays(why),
            (Phase::PassingOver, Input::Seen(seen)) => match seen.keeper {
                KeeperSeen::Silent(_) | KeeperSeen::Foreign(_) => {
                    self.lived |= seen.strays > 0 || seen.own == Own::Lives;
                    self.go_alone(now)
                }
                KeeperSeen::None | KeeperSeen::Answers(_) => self.another_round(None),
            },
            (Phase::Taking, Input::Taken(taken)) => self.taken(taken, now),
            (Phase::Alone(climb), Input::Signaled(troubles)) => {
                self.obstacles.extend(troubles);
                self.wait(climb)
            }
            (Phase::Alone(_), Input::Emptied) => self.another_round(None),
            (Phase::Alone(climb), Input::Tick) => self.climb(climb, now),
            (Phase::Starting, Input::Started(trouble)) => {
                self.errors.extend(trouble);
                self.finish(self.outcome_at_rest())
            }
            // An answer to something else: whoever carries effects out has lost count, and looking again is always safe.
            (Phase::Finished, _) => self.finish(StopOutcome::Survived),
            (
                Phase::Locking
                | Phase::Glancing
                | Phase::Asking { .. }
                | Phase::Joining
                | Phase::Listening
                | Phase::EndingKeeper
                | Phase::PassingOver
                | Phase::Searching
                | Phase::Taking
                | Phase::Alone(_)
                | Phase::Starting,
                _,
            ) => self.another_round(None),
        }
    }
}

/// One method an answer.
impl Course {
    fn glanced(&mut self, seen: &Sighting) -> Effect {
        self.stage = Stage::Signal;
        match &seen.keeper {
            KeeperSeen::Answers(state) if self.wish == Wish::Climb && *state != State::Stopping => {
                self.errors.push(format!("it is {state}, not being stopped"));
                self.finish(StopOutcome::Survived)
            }
            KeeperSeen::Answers(state) => {
                self.lived |= !state.is_at_rest() && *state != State::Backoff;
                match self.wish {
                    // Whatever lives beside it must not outlive the old run, so it is looked for first.
                    Wish::Restart => self.look_for_strays(),
                    Wish::Stop | Wish::Kill | Wish::Climb => self.ask(self.wish, false),
                }
            }
            KeeperSeen::Silent(why) => self.end_keeper(why, Signal::KILL, KEEPER_GONE),
            KeeperSeen::Foreign(why) => self.end_keeper(why, Signal::TERM, self.ladder.longest() + GRACE),
            KeeperSeen::None => {
                self.phase = Phase::Searching;
                Effect::Look(Depth::All)
            }
        }
    }

    /// The keeper was told already, or will be: is there anything beside what it keeps?
    fn joined(&mut self, seen: &Sighting, now: Moment) -> Effect {
        self.lived |= seen.strays > 0;
        // Nothing is started beside what may be its own.
        let beside = if self.wish == Wish::Restart { seen.strays + seen.shared } else { seen.strays };
        match (&seen.keeper, beside, self.wish) {
            (KeeperSeen::Answers(_), 0, Wish::Restart) if !self.pauses => self.ask(Wish::Restart, true),
            (KeeperSeen::Answers(_), 0, Wish::Stop | Wish::Kill | Wish::Climb) => self.listen(now),
            // A keeper that restarts does not wait for others: everything is ended, and then started anew.
            (KeeperSeen::Answers(_), _, Wish::Restart | Wish::Climb) => self.ask(Wish::Stop, true),
            (KeeperSeen::Answers(_), _, Wish::Stop | Wish::Kill) => self.ask(self.wish, true),
            // It was asked and is gone already: what it said last is heard, and everything is looked at again.
            (KeeperSeen::None, _, Wish::Stop | Wish::Kill) => self.listen(now),
            (KeeperSeen::None, _, Wish::Restart | Wish::Climb)
            | (KeeperSeen::Silent(_) | KeeperSeen::Foreign(_), _, _) => self.another_round(None),
        }
    }

    fn asked(&mut self, answer: Asked, joined: bool, now: Moment) -> Effect {
        match answer {
            Asked::Accepted if joined || self.wish == Wish::Climb => self.listen(now),
            Asked::Accepted => self.look_for_strays(),
            Asked::Refused(why) => {
                self.errors.push(format!("its keeper refuses: {why}"));
                self.finish(StopOutcome::Survived)
            }
            Asked::Lost => self.another_round(None),
        }
    }

    fn heard(&mut self, heard: Heard, now: Moment) -> Effect {
        match heard {
            Heard::Ending(left) => {
                self.phase = Phase::Listening;
                Effect::Listen(now.plus(left).plus(GRACE))
            }
            Heard::Empty => {
                self.stage = Stage::Verify;
                self.phase = Phase::Searching;
                Effect::Look(Depth::All)
            }
            Heard::Survived(pids) => {
                self.survived(&pids);
                self.finish(StopOutcome::Survived)
            }
            Heard::NotEnding(state) if self.wish == Wish::Climb => {
                self.errors.push(format!("it is {state}, not being stopped"));
                self.finish(StopOutcome::Survived)
            }
            // Somebody's restart or start came in between, and the last word counts.
            Heard::NotEnding(_) => self.another_round(None),
            Heard::NextRun(trouble) => {
                self.errors.extend(trouble);
                self.finish(self.outcome_at_rest())
            }
        }
    }

    fn searched(&mut self, seen: Sighting, now: Moment) -> Effect {
        self.lived |= seen.strays > 0 || seen.own == Own::Lives;
        match (seen.keeper, seen.own, seen.strays) {
            (KeeperSeen::Answers(_) | KeeperSeen::Silent(_) | KeeperSeen::Foreign(_), _, _) => self.another_round(None),
            (KeeperSeen::None, Own::AtRest, 0) => {
                self.stage = Stage::Verify;
                if self.wish == Wish::Restart {
                    self.phase = Phase::Starting;
                    return Effect::Start;
                }
                self.finish(self.outcome_at_rest())
            }
            (KeeperSeen::None, Own::Unsure(why), 0) => {
                self.obstacles.push(why);
                self.finish(StopOutcome::Survived)
            }
            (KeeperSeen::None, Own::AtRest | Own::Lives | Own::Unsure(_), _) => {
                if self.keepers_ended >= KEEPERS || self.is_at_the_end() {
                    return if std::mem::replace(&mut self.went_alone, true) {
                        self.give_up()
                    } else {
                        self.go_alone(now)
                    };
                }
                self.phase = Phase::Taking;
                Effect::Take
            }
        }
    }

    fn taken(&mut self, taken: Taken, now: Moment) -> Effect {
        match taken {
            Taken::Kept | Taken::AtRest => self.another_round(None),
            Taken::Impossible(why) => {
                self.obstacles.push(format!("no keeper could take it, so it was ended without one: {why}"));
                self.go_alone(now)
            }
        }
    }

    /// Its keeper cannot be talked to, and cannot be ended either (it may hang in a system call). The bot must not live
    /// on for that: it is not to be running, so its keeper brings nothing back.
    fn keeper_stays(&mut self, why: String) -> Effect {
        let again = self.obstacles.last() == Some(&why);
        let ends = matches!(self.wish, Wish::Stop | Wish::Kill);
        if again && ends && !std::mem::replace(&mut self.keeper_passed_over, true) {
            self.phase = Phase::PassingOver;
            return Effect::Look(Depth::All);
        }
        self.another_round(Some(why))
    }

    fn climb(&mut self, mut climb: Climb, now: Moment) -> Effect {
        match climb.tick(now) {
            None => self.wait(climb),
            Some(Step::Survived) => {
                self.survived(&[]);
                self.finish(StopOutcome::Survived)
            }
            Some(step) => {
                let (signal, reach) = match step {
                    Step::Rung(signal) => first(signal),
                    Step::Sweep(signal) => (signal, Reach::Rest),
                    Step::KillAgain | Step::Survived => (Signal::KILL, Reach::All),
                };
                self.phase = Phase::Alone(climb);
                Effect::Signal(signal, reach)
            }
        }
    }
}

/// What several answers lead to.
impl Course {
    fn glance(&mut self) -> Effect {
        self.phase = Phase::Glancing;
        Effect::Look(Depth::Keeper)
    }

    fn look_for_strays(&mut self) -> Effect {
        self.phase = Phase::Joining;
        Effect::Look(Depth::All)
    }

    fn ask(&mut self, wish: Wish, joined: bool) -> Effect {
        self.phase = Phase::Asking { joined };
        Effect::Ask(wish)
    }

    fn listen(&mut self, now: Moment) -> Effect {
        self.stage = Stage::Empty;
        self.phase = Phase::Listening;
        Effect::Listen(now.plus(GRACE))
    }

    fn end_keeper(&mut self, why: &str, signal: Signal, patience: Duration) -> Effect {
        if self.is_at_the_end() {
            self.obstacles.push(why.to_owned());
            return self.give_up();
        }
        self.lived = true;
        self.phase = Phase::EndingKeeper;
        Effect::EndKeeper(signal, patience)
    }

    /// Without a keeper: our own ladder.
    fn go_alone(&mut self, now: Moment) -> Effect {
        let climb = Climb::begin(&self.ladder, now);
        let (signal, reach) = first(climb.signal());
        self.stage = Stage::Empty;
        self.phase = Phase::Alone(climb);
        Effect::Signal(signal, reach)
    }

    fn wait(&mut self, climb: Climb) -> Effect {
        let deadline = climb.deadline();
        self.phase = Phase::Alone(climb);
        Effect::Wait(deadline)
    }

    /// What was seen is not so any more, or could not be dealt with: from the beginning.
    fn another_round(&mut self, obstacle: Option<String>) -> Effect {
        // The same thing twice in a row will not be otherwise the third time.
        let again = obstacle.is_some() && self.obstacles.last() == obstacle.as_ref();
        self.obstacles.extend(obstacle);
        self.rounds += 1;
        if again || self.rounds > 2 * ROUNDS {
            return self.give_up();
        }
        self.glance()
    }

    fn is_at_the_end(&self) -> bool {
        self.rounds >= ROUNDS
    }

    fn give_up(&mut self) -> Effect {
        self.errors.push("gave up: what was seen of it kept changing, or could not be changed".into());
        self.finish(StopOutcome::Survived)
    }

    fn survived(&mut self, pids: &[i32]) {
        let pids: Vec<String> = pids.iter().map(i32::to_string).collect();
        let who = if pids.is_empty() { String::new() } else { format!(": pid {}", pids.join(", ")) };
        self.errors.push(format!("still there at the end of its ladder{who}"));
    }

    fn outcome_at_rest(&self) -> StopOutcome {
        if self.lived { StopOutcome::Stopped } else { StopOutcome::NotRunning }
    }

    fn finish(&mut self, outcome: StopOutcome) -> Effect {
        let mut obstacles = std::mem::take(&mut self.obstacles);
        obstacles.dedup();
        match outcome {
            StopOutcome::Survived => self.errors.extend(obstacles),
            StopOutcome::Stopped | StopOutcome::NotRunning => self.obstacles = obstacles,
        }
        self.stage = Stage::Report;
        self.phase = Phase::Finished;
        Effect::Finish(outcome)
    }
}

/// The first signal of a rung, and to whom it goes.
fn first(signal: Signal) -> (Signal, Reach) {
    (signal, if signal == Signal::KILL { Reach::All } else { Reach::Heads })
}

#[cfg(test)]
mod tests;
