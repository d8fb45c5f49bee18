//! The emergency stop of a desk as a whole, as a table of what was found out and what is to be done next.
//!
//! Nothing here reads a clock, touches a process or can fail. Inputs and the time come in, effects go out; each bot's own
//! end is a [`super::stop::Course`]. Nothing that fails ends it: without a latch, with clusters that are locked, with bots
//! that survive, it goes on with what can still be done, and comes to an end.
//!
//! ```text
//! Latch ──> PutBack, Gather(Known) ──> End(everybody), Seek ──> all ended ──> Gather(All)
//!   ^                                     ^      │ nameless              │ somebody lives, or is new
//!   │                                     └──────┴───────────────────────┤
//!   └── a second later, for a minute, if there is no latch ──────────────┤ nobody
//!                                                                        └──> Lift (a drill) ──> Finish
//! ```
//!
//! Why nobody runs afterwards: a keeper looks for the latch before every spawn and right after it, and holds its lock from
//! before the first of these looks until nothing lives. Whoever spawned before the latch was there is therefore found by
//! the look that follows it; whoever spawns later finds the latch, and ends what it has spawned.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bot::BotName;
use super::moment::Moment;
use super::report::StopOutcome;

/// Without a latch, what should not run may be started at any time: it is looked for so long.
pub const WITHOUT_A_LATCH: Duration = Duration::from_mins(1);
/// And so often.
pub const AGAIN: Duration = Duration::from_secs(1);
/// So often a bot is ended that lives again when everything was looked at; after a rest, so often again.
const COMES_BACK: usize = 10;
/// So often one is ended that outlived its ladder; after a rest, once more.
const OUTLIVES: usize = 2;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Make the latch, or try again: [`Input::Latched`].
    Latch,
    /// Put the chunks of every cluster back: [`Input::PutBack`]. Nothing waits for it but the bots of those clusters.
    PutBack,
    /// Find out who there is: [`Input::Gathered`].
    Gather(Depth),
    /// Look for whoever nobody knows by name, while the others are being ended: [`Input::Sought`].
    Seek,
    /// End these bots, all at once; each is answered by an [`Input::Ended`].
    End(Vec<BotName>),
    /// Lift the latch again: [`Input::Lifted`].
    Lift,
    /// It is over.
    Finish,
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Names: of the configuration, and of whatever has a folder here.
    Known,
    /// Those, and everything that lives.
    All,
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Whether there is a latch now.
    Latched(bool),
    /// The chunks are back, as far as that could be done.
    PutBack,
    /// Everybody there is.
    Gathered(Vec<Found>),
    /// Whoever lives, while others are being ended.
    Sought(Vec<Found>),
    /// What became of one bot.
    Ended(BotName, StopOutcome),
    /// The latch of a drill is lifted, or could not be.
    Lifted,
    /// Time has passed.
    Tick,
}

/// One bot, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub bot: BotName,
    /// Whether anything of it lives, its keeper included, or may.
    pub lives: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Latching,
    Gathering,
    Ending,
    Resting { until: Moment },
    Lifting,
    Finished,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    /// How often it lived again after it had been seen to be gone.
    returns: usize,
    /// Whether it was seen to be gone when it was last ended.
    was_gone: bool,
    /// How often it was ended since the last rest.
    attempts: usize,
    /// How often it outlived that.
    outlived: usize,
    /// Whether it is being ended.
    under_way: bool,
}

/// One emergency stop, from the first key to the report.
#[derive(Clone, Debug)]
pub struct Emergency {
    drill: bool,
    begun: Moment,
    phase: Phase,
    has_latch: bool,
    /// Whether everything was looked at once: the first gathering is of names alone.
    looks: bool,
    /// Who lived in the last look at everything, and could not be ended any more.
    left: Vec<BotName>,
    /// Whether a last rest was taken because somebody had come back.
    rested: bool,
    parts: BTreeMap<BotName, Part>,
}

impl Emergency {
    /// One that begins now, and its first effects.
    pub fn begin(drill: bool, now: Moment) -> (Self, Vec<Effect>) {
        let begun = Self {
            drill,
            begun: now,
            phase: Phase::Latching,
            has_latch: false,
            looks: false,
            left: Vec::new(),
            rested: false,
            parts: BTreeMap::new(),
        };
        (begun, vec![Effect::Latch])
    }

    /// Whether there is a latch, as far as is known.
    pub const fn has_latch(&self) -> bool {
        self.has_latch
    }

    /// Who lived in the last look at everything, and was not to be ended any more.
    pub fn left(&self) -> &[BotName] {
        &self.left
    }

    /// Who lived again after it had been seen to be gone, and how often.
    pub fn came_back(&self) -> impl Iterator<Item = (&BotName, usize)> {
        self.parts.iter().filter(|(_, part)| part.returns > 0).map(|(bot, part)| (bot, part.returns))
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Finished
    }

    /// When [`Input::Tick`] is due.
    pub const fn deadline(&self) -> Option<Moment> {
        match self.phase {
            Phase::Resting { until } => Some(until),
            Phase::Latching | Phase::Gathering | Phase::Ending | Phase::Lifting | Phase::Finished => None,
        }
    }

    /// Takes in what happened; what is to be done comes back.
    #[must_use]
    pub fn handle(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        match input {
            Input::Latched(has_latch) => self.latched(has_latch),
            Input::PutBack => Vec::new(),
            Input::Gathered(found) => self.gathered(found, now),
            Input::Sought(found) => self.sought(found),
            Input::Ended(bot, outcome) => self.ended(&bot, outcome),
            Input::Lifted => match self.phase {
                Phase::Lifting => self.finish(),
                Phase::Latching | Phase::Gathering | Phase::Ending | Phase::Resting { .. } | Phase::Finished => vec![],
            },
            Input::Tick => match self.phase {
                Phase::Resting { until } if until <= now => self.another_round(),
                Phase::Latching
                | Phase::Gathering
                | Phase::Ending
                | Phase::Resting { .. }
                | Phase::Lifting
                | Phase::Finished => vec![],
            },
        }
    }

    /// Whatever stood in the way may be gone: a keeper that hung beyond reach may be back, with a bot that can be ended.
    fn another_round(&mut self) -> Vec<Effect> {
        for part in self.parts.values_mut() {
            part.attempts = 0;
            part.outlived = part.outlived.min(OUTLIVES - 1);
        }
        self.phase = Phase::Latching;
        vec![Effect::Latch]
    }

    fn latched(&mut self, has_latch: bool) -> Vec<Effect> {
        self.has_latch = has_latch;
        if self.phase != Phase::Latching {
            return Vec::new();
        }
        self.phase = Phase::Gathering;
        if self.looks {
            return vec![Effect::Gather(Depth::All)];
        }
        // Nobody waits for a look at the process table: each bot's own course begins with one.
        vec![Effect::PutBack, Effect::Gather(Depth::Known)]
    }

    fn gathered(&mut self, found: Vec<Found>, now: Moment) -> Vec<Effect> {
        if self.phase != Phase::Gathering {
            return Vec::new();
        }
        self.left = found.iter().filter(|found| found.lives).map(|found| found.bot.clone()).collect();
        let due: Vec<BotName> = found.into_iter().filter(|found| self.is_due(found)).map(|found| found.bot).collect();
        if due.is_empty() {
            return if self.looks { self.settled(now) } else { self.look() };
        }
        self.phase = Phase::Ending;
        let end = self.end(due);
        if self.looks { vec![end] } else { vec![end, Effect::Seek] }
    }

    /// Whoever had no name does not wait for the slowest of the others.
    fn sought(&mut self, found: Vec<Found>) -> Vec<Effect> {
        // Later, the look at everything finds them.
        if self.phase != Phase::Ending {
            return Vec::new();
        }
        let is_new = |found: &Found| found.lives && !self.parts.contains_key(&found.bot);
        let due: Vec<BotName> = found.into_iter().filter(is_new).map(|found| found.bot).collect();
        if due.is_empty() { Vec::new() } else { vec![self.end(due)] }
    }

    fn end(&mut self, due: Vec<BotName>) -> Effect {
        for bot in &due {
            let part = self.parts.entry(bot.clone()).or_default();
            part.attempts += 1;
            part.returns += usize::from(std::mem::take(&mut part.was_gone));
            part.under_way = true;
        }
        Effect::End(due)
    }

    /// Who was not ended yet, or lives all the same.
    fn is_due(&self, found: &Found) -> bool {
        match self.parts.get(&found.bot) {
            None => true,
            Some(part) => found.lives && !part.under_way && part.attempts < COMES_BACK && part.outlived < OUTLIVES,
        }
    }

    fn ended(&mut self, bot: &BotName, outcome: StopOutcome) -> Vec<Effect> {
        let Some(part) = self.parts.get_mut(bot) else { return Vec::new() };
        part.under_way = false;
        part.outlived += usize::from(outcome == StopOutcome::Survived);
        part.was_gone = outcome != StopOutcome::Survived;
        if self.phase == Phase::Ending && self.parts.values().all(|part| !part.under_way) {
            return self.look();
        }
        Vec::new()
    }

    /// Everything is looked at, from now on.
    fn look(&mut self) -> Vec<Effect> {
        self.phase = Phase::Gathering;
        self.looks = true;
        vec![Effect::Gather(Depth::All)]
    }

    /// A look at everything found nobody who could still be ended.
    fn settled(&mut self, now: Moment) -> Vec<Effect> {
        if !self.has_latch && !self.drill && now.since(self.begun) < WITHOUT_A_LATCH {
            self.phase = Phase::Resting { until: now.plus(AGAIN) };
            return Vec::new();
        }
        // Whatever brought somebody back may be about to do it again: one look can fall into the gap.
        if self.left.is_empty() && self.came_back().next().is_some() && !std::mem::replace(&mut self.rested, true) {
            self.phase = Phase::Resting { until: now.plus(AGAIN) };
            return Vec::new();
        }
        if self.drill {
            self.phase = Phase::Lifting;
            return vec![Effect::Lift];
        }
        self.finish()
    }

    fn finish(&mut self) -> Vec<Effect> {
        self.phase = Phase::Finished;
        vec![Effect::Finish]
    }
}

#[cfg(test)]
mod tests;
