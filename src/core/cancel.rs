//! How the orders of one bot are canceled, as a table of what is known and what is to be done next.
//!
//! All at once first; whoever is left, one by one; then again, after growing and jittered waits, until nothing is open or
//! the time is over. After every attempt the source is read again: only that counts. Nothing that goes wrong ends it.
//!
//! ```text
//! Read ── nothing open ──────────────────────────> Finish
//!   │     ^                                           ^
//!   │     └─ Run (all, then each) <── Rest <─┐        │ the time is over, or nobody can cancel
//!   └── something open ──────────────────────┴────────┘
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::ledger::{Ledger, Said};
use super::moment::Moment;
use super::order::{Answer, Order};

/// The wait before the second attempt at the same order; each further wait doubles.
const FIRST_REST: Duration = Duration::from_millis(250);
/// No wait is longer.
const LONGEST_REST: Duration = Duration::from_secs(4);
/// No attempt is given less than this.
const LEAST_ATTEMPT: Duration = Duration::from_millis(500);
/// With less time left than this, no attempt is begun any more, if one was made.
const TOO_LATE: Duration = Duration::from_millis(100);
/// What was said to be done has this many looks to show in the source before it is tried again.
const LOOKS: u32 = 3;

/// What is to be done next. Each is answered by one [`Input`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Read the source: [`Input::Read`].
    Read,
    /// Have these canceled, in so much time at most: [`Input::Ran`].
    Run(Vec<Order>, Duration),
    /// Wait for so long: [`Input::Rested`].
    Rest(Duration),
    /// It is over; the ledger says what came of it.
    Finish,
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// This was read, or could not be.
    Read(Answer),
    /// This was said of the orders; and what went wrong with the asking itself.
    Ran(Vec<Said>, Option<String>),
    /// The wait is over.
    Rested,
}

/// One cancelation, from the first reading to the last.
#[derive(Clone, Debug)]
pub struct Canceling {
    until: Moment,
    /// Whether anybody can cancel for the bot.
    able: bool,
    dice: u64,
    /// Rounds of attempts, or of looking without seeing: each makes the waits longer.
    rounds: u32,
    attempts: u32,
    looks: u32,
    tried: Vec<Order>,
    /// Who is left of those that are tried one by one.
    singly: VecDeque<Order>,
    batch_failed: bool,
    last_look: bool,
    troubles: Vec<String>,
    read_trouble: Option<String>,
}

impl Canceling {
    /// A cancelation that is over by `until`; `able`: whether anybody can cancel; `seed` for the jitter. Its first effect
    /// is to read.
    pub const fn begin(until: Moment, able: bool, seed: u64) -> (Self, Effect) {
        let new = Self {
            until,
            able,
            dice: seed | 1,
            rounds: 0,
            attempts: 0,
            looks: 0,
            tried: Vec::new(),
            singly: VecDeque::new(),
            batch_failed: false,
            last_look: false,
            troubles: Vec::new(),
            read_trouble: None,
        };
        (new, Effect::Read)
    }

    /// What went wrong with the asking, each thing once: obstacles if nothing is open in the end, else errors.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// Why the source could not be read when that was last tried.
    pub fn read_trouble(&self) -> Option<&str> {
        self.read_trouble.as_deref()
    }

    /// How often the orders were tried, all at once or one by one.
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Takes in what came of the last effect; the next one comes back.
    #[must_use]
    pub fn next(&mut self, input: Input, ledger: &mut Ledger, now: Moment) -> Effect {
        match input {
            Input::Read(answer) => self.read(answer, ledger, now),
            Input::Ran(said, trouble) => {
                let tried = std::mem::take(&mut self.tried);
                ledger.hear(&tried, &said);
                self.ran(&tried, trouble, ledger, now)
            }
            Input::Rested => self.again(ledger, now),
        }
    }

    fn read(&mut self, answer: Answer, ledger: &mut Ledger, now: Moment) -> Effect {
        match answer {
            Answer::Read(reading) => {
                ledger.take_in(&reading);
                self.read_trouble = None;
            }
            Answer::Unchanged => self.read_trouble = None,
            Answer::Failed(why) => {
                ledger.missed();
                self.read_trouble = Some(why);
            }
        }
        let open = !ledger.to_cancel().is_empty();
        let over = now >= self.until || self.last_look;
        let blind = self.read_trouble.is_some();
        if over || (!open && !blind) || (!self.able && !blind) || !ledger.cancels() {
            return Effect::Finish;
        }
        if !open || !self.able {
            // Blind, and nothing that could be tried is known: perhaps it can be read in a moment.
            self.rounds += 1;
            return self.rest(now);
        }
        if self.attempts == 0 {
            return self.run(ledger.to_cancel(), now);
        }
        if self.batch_failed {
            self.batch_failed = false;
            self.singly = ledger.unsettled().into();
            return self.next_single(now);
        }
        self.rest(now)
    }

    fn ran(&mut self, tried: &[Order], trouble: Option<String>, ledger: &Ledger, now: Moment) -> Effect {
        if let Some(trouble) = trouble.filter(|trouble| !self.troubles.contains(trouble)) {
            self.troubles.push(trouble);
        }
        if !self.singly.is_empty() {
            return self.next_single(now);
        }
        // Refused together, they may go one by one; and one that was alone already was one by one.
        self.batch_failed = tried.len() > 1 && !ledger.unsettled().is_empty();
        Effect::Read
    }

    fn again(&mut self, ledger: &Ledger, now: Moment) -> Effect {
        if now >= self.until {
            self.last_look = true;
            return Effect::Read;
        }
        let unsettled = ledger.unsettled();
        if unsettled.is_empty() && !ledger.to_cancel().is_empty() && self.looks < LOOKS {
            // All are said to be done with: the source may be slow to show it.
            self.looks += 1;
            return Effect::Read;
        }
        self.looks = 0;
        self.singly = if unsettled.is_empty() { ledger.to_cancel() } else { unsettled }.into();
        if !self.able || self.singly.is_empty() {
            return Effect::Read;
        }
        self.rounds += 1;
        self.next_single(now)
    }

    fn next_single(&mut self, now: Moment) -> Effect {
        let left = self.until.since(now);
        let share = left / (self.singly.len() as u32 + 1);
        // What there is hardly time for is not begun: it could only be broken off.
        let next = if left < TOO_LATE { None } else { self.singly.pop_front() };
        let Some(next) = next else {
            self.singly.clear();
            return Effect::Read;
        };
        self.attempts += 1;
        self.tried = vec![next.clone()];
        Effect::Run(vec![next], share.max(LEAST_ATTEMPT).min(left))
    }

    fn run(&mut self, orders: Vec<Order>, now: Moment) -> Effect {
        let left = self.until.since(now);
        self.rounds += 1;
        self.attempts += 1;
        self.tried.clone_from(&orders);
        // A command that hangs with all of them must leave time to try each.
        Effect::Run(orders, (left / 2).max(LEAST_ATTEMPT).min(left))
    }

    /// Exponential, with half of it at random: many bots at one venue must not knock at the same moment.
    fn rest(&mut self, now: Moment) -> Effect {
        let doublings = self.rounds.saturating_sub(1).min(8);
        let whole = FIRST_REST.saturating_mul(1 << doublings).min(LONGEST_REST);
        let half = whole / 2;
        let part = half.mul_f64(self.random());
        Effect::Rest((half + part).min(self.until.since(now)))
    }

    /// From 0 to 1 (xorshift64).
    fn random(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
