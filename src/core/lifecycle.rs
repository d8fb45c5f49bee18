//! The life of one bot as a table of what happens and what is to be done about it.
//!
//! Nothing here reads a clock, touches a process or can fail: inputs and the time come in, effects go out, and a
//! keeper carries them out. `deadline` is a function of the phase, so a stale timer cannot exist.

use std::time::Duration;

use super::bot::{Backoff, BotSpec, Ladder, READY_LIMIT, Ready, RestartPolicy};
use super::climb::{Climb, Step};
use super::exit::Exit;
use super::moment::Moment;
use super::signal::Signal;

/// Where a bot is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A spawn was asked for and has not been answered yet.
    Spawning {
        /// What is to become of it once it executes.
        asked: Option<Ask>,
    },
    /// It executes, and has not said that it is ready.
    Starting {
        /// When it began to execute.
        since: Moment,
    },
    /// It executes, and is ready.
    Running {
        /// When it became ready.
        since: Moment,
    },
    /// Its tree is being ended.
    Stopping {
        /// When that began.
        since: Moment,
        /// How far up its ladder it is.
        climb: Climb,
        /// How the main process ended, once it has.
        main: Option<Exit>,
        /// What follows when the tree is empty.
        then: Then,
    },
    /// Nothing lives; it will be tried again.
    Backoff {
        /// When the wait began.
        since: Moment,
        /// When it is tried again.
        until: Moment,
        /// How the last run ended.
        exit: Exit,
    },
    /// Nothing lives, and nothing follows.
    Over(Outcome),
}

/// What an operator asked for while a spawn was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// End it, mildly.
    Stop,
    /// End it at once.
    Kill,
}

/// What follows when the tree is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing: somebody asked for a stop.
    Leave,
    /// The next run: somebody asked for a restart.
    Respawn,
    /// What the restart policy says: the main process ended by itself.
    Judge,
}

/// How a bot's last run came to its end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// On request.
    Stopped,
    /// By itself with 0, and is not restarted.
    Exited,
    /// By itself otherwise, and is not restarted.
    Crashed,
    /// So often that the breaker is open.
    Failed,
    /// Before it executed: something stood against the spawn.
    Refused(Refusal),
}

/// What stands against a spawn.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Somebody asked for a stop: the file `down` is there.
    Down,
    /// The emergency stop is latched.
    Latched,
    /// Something of an earlier run lives, or may; the text says what.
    Occupied(String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The bot executes.
    Spawned,
    /// It could not be executed; the text says why.
    SpawnFailed(String),
    /// The spawn was not tried.
    Refused(Refusal),
    /// It says that it is ready.
    Ready,
    /// The main process ended; `empty` if that was the last of the tree.
    Exited {
        /// How.
        exit: Exit,
        /// Whether nothing of the tree is left.
        empty: bool,
    },
    /// The last process of the tree is gone.
    Emptied,
    /// Somebody asks for a stop.
    Stop(First),
    /// More processes are to be ended by the stop that is under way.
    Joined,
    /// Somebody asks for the end, at once.
    Kill,
    /// Somebody asks for the next rung.
    Climb,
    /// Somebody asks for a new run.
    Restart,
    /// Somebody asks that a wait for the next try be over; nothing where there is no such wait.
    Retry,
    /// Time has passed.
    Tick,
}

/// Whether the first rung's signal is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// By us.
    Send,
    /// The init system sent SIGTERM to every process at once, the bot included: a second one would abort its cleanup.
    Delivered,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Look whether anything stands against it, then execute the bot.
    Spawn,
    /// Send this signal to the tree.
    Signal(Signal, Reach),
    /// Let it be remembered.
    Tell(Happening),
}

/// Which processes of the tree a signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that do not know of it yet and have no ancestor in the tree that catches it: such an ancestor tells its own.
    Heads,
    /// All that we have not sent it.
    Rest,
    /// Everything, however often it has had it.
    All,
    /// Nobody, for somebody else has told them all.
    Nobody,
}

/// Something that is worth remembering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The bot executes.
    Started,
    /// It is ready.
    Ready,
    /// The main process ended.
    Exited {
        /// How.
        exit: Exit,
        /// How long it had executed.
        lasted: Duration,
        /// Whether others of the tree live on.
        left: bool,
    },
    /// A stop began.
    Stopping {
        /// What follows it.
        then: Then,
        /// The first rung's signal.
        signal: Signal,
    },
    /// The next rung was climbed.
    Climbed {
        /// The signal of that rung.
        signal: Signal,
    },
    /// The ladder is at its end and something lives.
    Survived,
    /// It will be tried again.
    BackingOff {
        /// After this long.
        wait: Duration,
        /// Failures in a row so far.
        failures: u32,
    },
    /// Nothing lives, nothing follows.
    Over {
        /// What the end means.
        outcome: Outcome,
        /// How the last main process ended.
        exit: Exit,
    },
}

/// The state machine of one bot.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    plan: Plan,
    phase: Phase,
    spawned: Option<Moment>,
    restarts: u32,
    failures: u32,
    last_exit: Option<Exit>,
}

/// What of a bot's specification its life depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When it is started again.
    pub restart: RestartPolicy,
    /// How fast, and how often.
    pub backoff: Backoff,
    /// How it is stopped.
    pub ladder: Ladder,
    /// When it counts as running.
    pub ready: Ready,
}

impl From<&BotSpec> for Plan {
    fn from(spec: &BotSpec) -> Self {
        Self { restart: spec.restart, backoff: spec.backoff.clone(), ladder: spec.stop.clone(), ready: spec.ready }
    }
}

impl Lifecycle {
    /// A bot that is to be started, and the effect that starts it.
    pub fn start(plan: Plan) -> (Self, Vec<Effect>) {
        let life = Self {
            plan,
            phase: Phase::Spawning { asked: None },
            spawned: None,
            restarts: 0,
            failures: 0,
            last_exit: None,
        };
        (life, vec![Effect::Spawn])
    }

    /// A bot that executes already and was spawned by somebody else at `since`.
    pub fn adopt(plan: Plan, since: Moment, restarts: u32, failures: u32) -> Self {
        Self { plan, phase: Phase::Running { since }, spawned: Some(since), restarts, failures, last_exit: None }
    }

    /// Where it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// How often it was started again in this keeper's time.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// How often it has failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How many failures open the breaker.
    pub fn give_up_after(&self) -> u32 {
        self.plan.backoff.give_up_after
    }

    /// How long it may take to be ready.
    pub fn ready_limit(&self) -> Duration {
        match self.plan.ready {
            Ready::Executing => Duration::ZERO,
            Ready::Alive(time) => time,
            Ready::Notify => READY_LIMIT,
        }
    }

    /// How the run before this one ended, or this one.
    pub fn last_exit(&self) -> Option<&Exit> {
        self.last_exit.as_ref()
    }

    /// When the current run began to execute.
    pub fn executing_since(&self) -> Option<Moment> {
        self.spawned
    }

    /// An emergency stop is about to be asked for: no rung waits longer than this from now on.
    pub fn hurry(&mut self, cap: Duration) {
        self.plan.ladder = self.plan.ladder.in_an_emergency(cap);
        if let Phase::Stopping { climb, .. } = &mut self.phase {
            climb.hurry(cap);
        }
    }

    /// A new plan; it counts from the next decision on.
    pub fn replan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Moment> {
        match &self.phase {
            Phase::Spawning { .. } | Phase::Running { .. } | Phase::Over(_) => None,
            Phase::Starting { since } => match self.plan.ready {
                Ready::Executing => Some(*since),
                Ready::Alive(time) => Some(since.plus(time)),
                Ready::Notify => None,
            },
            Phase::Stopping { climb, .. } => climb.deadline(),
            Phase::Backoff { until, .. } => Some(*until),
        }
    }

    /// Takes in what happened; what is to be done comes back.
    #[must_use]
    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        match input {
            Input::Spawned => self.spawned(now),
            Input::SpawnFailed(why) => self.spawn_failed(why, now),
            Input::Refused(why) => self.refused(why),
            Input::Ready => self.ready(now),
            Input::Exited { exit, empty } => self.exited(exit, empty, now),
            Input::Emptied => self.emptied(now),
            Input::Stop(first) => self.stop(Then::Leave, first, now),
            Input::Joined => self.joined(),
            Input::Kill => self.kill(now),
            Input::Climb => self.climb(now),
            Input::Restart => self.restart(now),
            Input::Retry => match self.phase {
                Phase::Backoff { .. } => self.respawn(),
                Phase::Spawning { .. }
                | Phase::Starting { .. }
                | Phase::Running { .. }
                | Phase::Stopping { .. }
                | Phase::Over(_) => Vec::new(),
            },
            Input::Tick => self.tick(now),
        }
    }
}

/// One method an input.
impl Lifecycle {
    fn spawned(&mut self, now: Moment) -> Vec<Effect> {
        let Phase::Spawning { asked } = &self.phase else { return Vec::new() };
        let asked = *asked;
        self.spawned = Some(now);
        self.phase = Phase::Starting { since: now };
        let mut effects = vec![Effect::Tell(Happening::Started)];
        match asked {
            Some(Ask::Stop) => effects.extend(self.stop(Then::Leave, First::Send, now)),
            Some(Ask::Kill) => effects.extend(self.kill(now)),
            None => effects.extend(self.tick(now)),
        }
        effects
    }

    fn spawn_failed(&mut self, why: String, now: Moment) -> Vec<Effect> {
        let Phase::Spawning { asked } = &self.phase else { return Vec::new() };
        let asked = *asked;
        let exit = Exit::NotStarted(why);
        let mut effects =
            vec![Effect::Tell(Happening::Exited { exit: exit.clone(), lasted: Duration::ZERO, left: false })];
        self.last_exit = Some(exit.clone());
        match asked {
            Some(_) => effects.extend(self.over(Outcome::Stopped, exit)),
            // It never came to execute: whoever starts it is told, and trying again would only say the same again.
            None if self.spawned.is_none() => effects.extend(self.over(Outcome::Crashed, exit)),
            None => effects.extend(self.judge(exit, Duration::ZERO, now)),
        }
        effects
    }

    fn refused(&mut self, why: Refusal) -> Vec<Effect> {
        let Phase::Spawning { .. } = &self.phase else { return Vec::new() };
        let exit = self.last_exit.clone().unwrap_or(Exit::Unknown);
        let outcome = match why {
            Refusal::Down => Outcome::Stopped,
            Refusal::Latched | Refusal::Occupied(_) => Outcome::Refused(why),
        };
        self.over(outcome, exit)
    }

    fn ready(&mut self, now: Moment) -> Vec<Effect> {
        let Phase::Starting { .. } = self.phase else { return Vec::new() };
        self.phase = Phase::Running { since: now };
        vec![Effect::Tell(Happening::Ready)]
    }

    fn exited(&mut self, exit: Exit, empty: bool, now: Moment) -> Vec<Effect> {
        let lasted = self.spawned.map_or(Duration::ZERO, |spawned| now.since(spawned));
        let told = Effect::Tell(Happening::Exited { exit: exit.clone(), lasted, left: !empty });
        match &mut self.phase {
            Phase::Starting { .. } | Phase::Running { .. } => {
                self.last_exit = Some(exit.clone());
                let mut effects = vec![told];
                if empty {
                    effects.extend(self.judge(exit, lasted, now));
                } else {
                    effects.extend(self.begin_stop(Then::Judge, Some(exit), First::Send, now));
                }
                effects
            }
            Phase::Stopping { main, climb, .. } => {
                if main.is_some() {
                    return Vec::new();
                }
                *main = Some(exit.clone());
                let signal = climb.signal();
                self.last_exit = Some(exit);
                let mut effects = vec![told];
                if empty {
                    effects.extend(self.emptied(now));
                } else if signal != Signal::KILL {
                    // Its children may have been left to it; it cannot tell them any more.
                    effects.push(Effect::Signal(signal, Reach::Heads));
                }
                effects
            }
            Phase::Spawning { .. } | Phase::Backoff { .. } | Phase::Over(_) => Vec::new(),
        }
    }

    fn emptied(&mut self, now: Moment) -> Vec<Effect> {
        let Phase::Stopping { main, then, .. } = &self.phase else { return Vec::new() };
        let (exit, then) = (main.clone().unwrap_or(Exit::Unknown), *then);
        match then {
            Then::Leave => self.over(Outcome::Stopped, exit),
            Then::Respawn => self.respawn(),
            Then::Judge => {
                let lasted = self.spawned.map_or(Duration::ZERO, |spawned| now.since(spawned));
                self.judge(exit, lasted, now)
            }
        }
    }

    fn stop(&mut self, wanted: Then, first: First, now: Moment) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Spawning { asked } => {
                *asked = asked.or(Some(Ask::Stop));
                Vec::new()
            }
            Phase::Starting { .. } | Phase::Running { .. } => self.begin_stop(wanted, None, first, now),
            Phase::Stopping { then, .. } => {
                *then = wanted;
                Vec::new()
            }
            Phase::Backoff { exit, .. } => {
                let exit = exit.clone();
                self.over(Outcome::Stopped, exit)
            }
            Phase::Over(_) => Vec::new(),
        }
    }

    fn joined(&self) -> Vec<Effect> {
        let Phase::Stopping { climb, .. } = &self.phase else { return Vec::new() };
        let signal = climb.signal();
        vec![Effect::Signal(signal, if signal == Signal::KILL { Reach::All } else { Reach::Heads })]
    }

    fn kill(&mut self, now: Moment) -> Vec<Effect> {
        match &mut self.phase {
            Phase::Spawning { asked } => {
                *asked = Some(Ask::Kill);
                Vec::new()
            }
            Phase::Starting { .. } | Phase::Running { .. } => {
                self.phase = Phase::Stopping {
                    since: now,
                    climb: Climb::begin(&Ladder::kill(), now),
                    main: None,
                    then: Then::Leave,
                };
                vec![
                    Effect::Tell(Happening::Stopping { then: Then::Leave, signal: Signal::KILL }),
                    Effect::Signal(Signal::KILL, Reach::All),
                ]
            }
            Phase::Stopping { climb, then, .. } => {
                *then = Then::Leave;
                climb.kill(now).map(carry_out).unwrap_or_default()
            }
            Phase::Backoff { .. } | Phase::Over(_) => self.stop(Then::Leave, First::Send, now),
        }
    }

    fn climb(&mut self, now: Moment) -> Vec<Effect> {
        let Phase::Stopping { climb, .. } = &mut self.phase else { return Vec::new() };
        climb.up(now).map(carry_out).unwrap_or_default()
    }

    fn restart(&mut self, now: Moment) -> Vec<Effect> {
        match &self.phase {
            // The run that was asked for is not there yet: it is the one that is wanted.
            Phase::Spawning { .. } => {
                self.phase = Phase::Spawning { asked: None };
                Vec::new()
            }
            Phase::Starting { .. } | Phase::Running { .. } | Phase::Stopping { .. } => {
                self.stop(Then::Respawn, First::Send, now)
            }
            Phase::Backoff { .. } => self.respawn(),
            Phase::Over(_) => Vec::new(),
        }
    }

    fn tick(&mut self, now: Moment) -> Vec<Effect> {
        if self.deadline().is_none_or(|due| due > now) {
            return Vec::new();
        }
        match &mut self.phase {
            Phase::Starting { .. } => self.ready(now),
            Phase::Stopping { climb, .. } => climb.tick(now).map(carry_out).unwrap_or_default(),
            Phase::Backoff { .. } => {
                self.restarts += 1;
                self.phase = Phase::Spawning { asked: None };
                vec![Effect::Spawn]
            }
            Phase::Spawning { .. } | Phase::Running { .. } | Phase::Over(_) => Vec::new(),
        }
    }
}

/// What several inputs lead to.
impl Lifecycle {
    fn begin_stop(&mut self, then: Then, main: Option<Exit>, first: First, now: Moment) -> Vec<Effect> {
        let climb = Climb::begin(&self.plan.ladder, now);
        let signal = climb.signal();
        self.phase = Phase::Stopping { since: now, climb, main, then };
        let mut effects = vec![Effect::Tell(Happening::Stopping { then, signal })];
        if first == First::Delivered {
            effects.push(Effect::Signal(Signal::TERM, Reach::Nobody));
        }
        let reach = if signal == Signal::KILL { Reach::All } else { Reach::Heads };
        effects.push(Effect::Signal(signal, reach));
        effects
    }

    /// The run is over by itself and nothing lives: what does the policy say?
    fn judge(&mut self, exit: Exit, lasted: Duration, now: Moment) -> Vec<Effect> {
        let Backoff { reset_after, give_up_after, .. } = self.plan.backoff;
        if lasted >= reset_after {
            self.failures = 0;
        }
        let again = match self.plan.restart {
            RestartPolicy::Never => false,
            RestartPolicy::OnFailure => !exit.is_success(),
            RestartPolicy::Always => true,
        };
        if !again {
            let outcome = if exit.is_success() { Outcome::Exited } else { Outcome::Crashed };
            return self.over(outcome, exit);
        }
        self.failures += 1;
        if give_up_after > 0 && self.failures >= give_up_after {
            return self.over(Outcome::Failed, exit);
        }
        let wait = self.plan.backoff.wait(self.failures);
        let told = Effect::Tell(Happening::BackingOff { wait, failures: self.failures });
        self.phase = Phase::Backoff { since: now, until: now.plus(wait), exit };
        let mut effects = vec![told];
        effects.extend(self.tick(now));
        effects
    }

    /// The next run because somebody asked for it: the breaker closes.
    fn respawn(&mut self) -> Vec<Effect> {
        self.failures = 0;
        self.restarts += 1;
        self.phase = Phase::Spawning { asked: None };
        vec![Effect::Spawn]
    }

    fn over(&mut self, outcome: Outcome, exit: Exit) -> Vec<Effect> {
        self.phase = Phase::Over(outcome.clone());
        vec![Effect::Tell(Happening::Over { outcome, exit })]
    }
}

fn carry_out(step: Step) -> Vec<Effect> {
    match step {
        Step::Rung(signal) => {
            let reach = if signal == Signal::KILL { Reach::All } else { Reach::Heads };
            vec![Effect::Tell(Happening::Climbed { signal }), Effect::Signal(signal, reach)]
        }
        Step::Sweep(signal) => vec![Effect::Signal(signal, Reach::Rest)],
        Step::KillAgain => vec![Effect::Signal(Signal::KILL, Reach::All)],
        Step::Survived => vec![Effect::Tell(Happening::Survived)],
    }
}

impl Backoff {
    /// The wait after this many failures in a row.
    pub fn wait(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }
}

#[cfg(test)]
mod tests;
