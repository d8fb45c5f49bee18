//! Whoever minds a bot's orders and its state while another hand ends its processes: reads before, listens to what the bot
//! says, cancels what it leaves open, and reads again when it is gone. What is said and what is seen are kept apart.

use std::time::Duration;

use crate::claims::LogClaims;
use crate::clock;
use crate::core::bot::BotName;
use crate::core::claims::together;
use crate::core::ledger::Ledger;
use crate::core::moment::Moment;
use crate::core::progress::Standing;
use crate::core::protocol::Told;
use crate::core::report::{BotReport, ClaimsReport, OrdersReport};
use crate::core::stop::{Stage, Wish};
use crate::core::words::without;
use crate::orders::Surroundings;

use super::board::Board;
use super::common::Common;
use super::flush::{Flush, compare};
use super::milestones::{DoneAtTheEnd, Milestones, Passed};
use super::over_api::{self, Then};
use super::roll::Roll;
use super::setting::Setting;
use super::settled::{counted, settle, show};
use super::shout::Shout;
use super::venue::Venue;

/// A graceful stop waits so long for the first reading before the bot is told; a kill hardly does.
const BEFORE: Duration = Duration::from_secs(2);
const BEFORE_A_KILL: Duration = Duration::from_millis(300);
/// In an emergency every bot is told at once: what a file shows so soon after its beginning is taken along.
const BEFORE_AN_EMERGENCY: Duration = Duration::from_millis(60);
/// How often it is listened to what the bot writes.
const LISTEN: Duration = Duration::from_millis(100);
/// How often the source is asked while the bot cleans up: an answer that nothing has changed costs next to nothing.
const READ_AGAIN: Duration = Duration::from_millis(500);
/// What is open once the bot is gone gets this much time at least, whatever was spent on it before.
const LAST_CHANCE: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Minded {
    orders: Option<OrdersReport>,
    claims: ClaimsReport,
    state_flushed: Option<bool>,
    state_written: Option<bool>,
    unasked: bool,
    errors: Vec<String>,
    notes: Vec<String>,
}

/// Minds one bot's orders during one stop.
pub(super) struct Minder<'a> {
    setting: &'a Setting,
    venue: Venue<'a>,
    wish: Wish,
    /// Whether it is an emergency stop: orders are canceled at once, beside the bot's own cleanup.
    at_once: bool,
    begun: Moment,
    roll: &'a Roll,
    /// The bots that are stopped by the same request.
    together: &'a [BotName],
    milestones: &'a Milestones,
    board: &'a Board<'a>,
    /// What tells the bot as soon as this is ready for it.
    shout: Option<&'a Shout>,
    logs: Option<LogClaims>,
    flush: Option<Flush>,
    minded: Minded,
}

impl<'a> Minder<'a> {
    pub(super) fn new(
        setting: &'a Setting,
        venue: Venue<'a>,
        wish: Wish,
        common: &Common<'a>,
        milestones: &'a Milestones,
        board: &'a Board<'a>,
    ) -> Self {
        Self {
            setting,
            venue,
            wish,
            at_once: common.order.emergency.is_some(),
            begun: common.begun,
            roll: common.roll,
            together: &common.order.bots,
            milestones,
            board,
            shout: None,
            logs: None,
            flush: None,
            minded: Minded::default(),
        }
    }

    /// The same, but its keeper may be told by a shout, as soon as this is ready for it.
    #[must_use]
    pub(super) fn before(mut self, shout: Option<&'a Shout>) -> Self {
        self.shout = shout.filter(|shout| shout.calls(&self.setting.bot));
        self
    }

    /// From before the bot is told to after it is gone.
    pub(super) fn mind(mut self) -> Minded {
        let _done = DoneAtTheEnd(self.milestones);
        let begun = clock::now();
        self.board.write(|progress| progress.mode = self.setting.mode);
        if !self.venue.is_readable() {
            self.board.stage(Stage::Cancel, Standing::Skipped, "its orders are unknown: no source is configured");
        }
        self.read_before();
        let passed = self.milestones.wait(Duration::MAX, |passed| passed.about_to_tell || passed.over.is_some());
        if passed.about_to_tell {
            if self.shout.is_none() {
                self.get_ready();
            }
            self.venue.ledger.too_late();
            self.milestones.pass(|passed| passed.ready = true);
        } else {
            // There was nobody to be told: nothing is compared with what was there then.
            (self.logs, self.flush) = (None, None);
        }
        let spent = self.while_it_ends();
        let passed = self.milestones.passed();
        if passed.called_off {
            return self.minded;
        }
        self.afterwards(&passed, spent);
        let took = clock::now().since(begun);
        self.settle(&passed, took)
    }

    /// How everything was before it is told, as far as there is time for that.
    fn read_before(&mut self) {
        if self.at_once {
            return self.read_at_once();
        }
        if self.venue.is_readable() {
            let before = if self.wish == Wish::Kill { BEFORE_A_KILL } else { BEFORE };
            self.venue.read(before.min(self.venue.limit()));
            self.show("");
        }
    }

    /// The same in an emergency: everything else that has to be known before is found out beside the reading.
    fn read_at_once(&mut self) {
        let left = self.begun.plus(BEFORE_AN_EMERGENCY).since(clock::now());
        let glance = Some(left).filter(|left| !left.is_zero()).and_then(|left| self.venue.glance(left));
        if self.shout.is_some() {
            self.get_ready();
        }
        let glanced = glance.map(|glance| self.venue.glanced(glance)).is_some();
        let _ = self.shout.map(|shout| shout.is_ready(&self.setting.bot));
        if glanced {
            self.show("");
        }
    }

    /// It is about to be told: what is there now is what everything later is compared with.
    fn get_ready(&mut self) {
        self.logs = Some(LogClaims::begin(self.setting.logs.clone(), self.setting.claims.as_ref()));
        // It is gone after its signal: what it can do over its own interface, it does before.
        if let Some(api) = self.setting.api()
            && matches!(self.wish, Wish::Stop | Wish::Restart)
            && !self.venue.is_dry()
        {
            let board = self.board;
            let tell = &mut |ledger: &Ledger, what: &str| show(board, ledger, what, None);
            self.minded.notes.extend(over_api::cancel(&mut self.venue, api, Then::Stop, tell));
        }
        self.flush = self.setting.state_file.clone().map(Flush::begin);
        if self.setting.claims.is_some() || self.flush.is_some() {
            self.board.stage(Stage::Flush, Standing::UnderWay, "");
        }
    }

    /// Listens and looks until nothing more is done to its processes. How much of the time for canceling was spent.
    fn while_it_ends(&mut self) -> Duration {
        let mut spent = Duration::ZERO;
        let mut tried = false;
        let mut read: Option<Moment> = None;
        loop {
            let passed = self.milestones.wait(LISTEN, |passed| passed.over.is_some());
            if passed.over.is_some() {
                return spent;
            }
            self.listen(&passed.told);
            let now = clock::now();
            let due = read.is_none_or(|read| now.since(read) >= READ_AGAIN);
            if passed.about_to_tell && due && self.venue.is_readable() && self.venue.is_cheap() {
                read = Some(now);
                self.venue.read(READ_AGAIN);
                self.show("");
            }
            // In an emergency nobody waits for a program that has not answered in the first moment, but for its answer.
            if self.at_once && passed.about_to_tell && !tried && !self.venue.ledger.is_known() {
                self.venue.read(self.venue.limit());
                self.show("");
            }
            // It does not end, and its orders stand: they are not left until it has been killed. In an emergency they are
            // not left at all.
            let at_once = self.at_once && passed.about_to_tell && self.setting.cancel.is_some();
            if at_once && !tried {
                self.roll.wait();
            }
            let due = passed.had_its_chance || at_once;
            if due && !std::mem::replace(&mut tried, true) && self.venue.ledger.is_known() {
                let begun = clock::now();
                // What the cancel command writes itself is no word of the bot's.
                self.flush.iter_mut().for_each(Flush::others_begin);
                self.leave_what_may_be_others();
                let board = self.board;
                let tell = &mut |ledger: &Ledger, what: &str| show(board, ledger, what, None);
                let alone = self.venue.alone(tell);
                self.cancel(self.venue.time());
                drop(alone);
                self.flush.iter_mut().for_each(Flush::others_end);
                spent = clock::now().since(begun);
            }
            self.board.tick();
        }
    }

    /// Nothing more is done to its processes: what has it left, and what is done about it?
    fn afterwards(&mut self, passed: &Passed, spent: Duration) {
        if let Some(logs) = &mut self.logs {
            logs.finish();
        }
        self.listen(&passed.told);
        let flushed = compare(&self.minded.claims, self.flush.as_ref());
        (self.minded.state_flushed, self.minded.state_written) = (flushed.on_disk, flushed.written);
        self.minded.notes.extend(flushed.note);
        self.show_flush(flushed.on_disk, flushed.error.as_deref());
        self.minded.errors.extend(flushed.error);
        if !self.venue.is_readable() {
            return;
        }
        let board = self.board;
        let tell = &mut |ledger: &Ledger, what: &str| show(board, ledger, what, None);
        let _alone = self.venue.alone(tell);
        if passed.over == Some(true) {
            self.venue.keep_to_this_run();
        }
        self.board.stage(Stage::Verify, Standing::UnderWay, "");
        self.venue.read_anew(self.venue.limit());
        // A program has had its time; a file may be locked for a moment.
        if self.venue.blind.is_some() && self.venue.is_cheap() && !self.venue.is_new() {
            self.venue.wait_to_see(tell);
        }
        self.compare_with_what_it_says(&passed.told);
        self.leave_what_may_be_others();
        let left = self.venue.time().saturating_sub(spent).max(LAST_CHANCE.min(self.venue.time()));
        if !self.venue.ledger.to_cancel().is_empty() {
            self.cancel(left);
        }
        self.show("");
    }

    /// Where several bots have their orders in one place, nobody can tell whose they are: they are canceled when all of
    /// these bots are stopped together.
    fn leave_what_may_be_others(&mut self) {
        let others: Vec<&str> = self
            .setting
            .shared_with
            .iter()
            .filter(|other| !self.together.contains(other) && self.venue.lives(other))
            .map(BotName::as_str)
            .collect();
        if others.is_empty() || self.venue.ledger.to_cancel().is_empty() {
            return;
        }
        let others = others.join(", ");
        let why = format!("they may be those of {others}, read from the same place: left alone; stop them together");
        self.venue.hands_off = Some(why);
    }

    fn cancel(&mut self, time: Duration) {
        let board = self.board;
        let until = clock::now().plus(time);
        self.venue.cancel(time, &mut |ledger, what| {
            show(board, ledger, what, Some(until.since(clock::now())));
        });
        self.show("");
    }

    /// Claims of both ways, as they are now: over its notify socket, and in its logs.
    fn listen(&mut self, told: &Told) {
        if let Some(logs) = &mut self.logs {
            logs.poll();
            self.minded.claims = together([told.claims(), logs.heard()]);
        }
        let claims = self.minded.claims.clone();
        self.board.write(|progress| progress.claims = claims);
        if let (None, Some(says)) = (self.minded.state_flushed, self.minded.claims.state_flushed) {
            self.board.stage(Stage::Flush, Standing::UnderWay, format!("says {}", yes(says)));
        }
    }

    /// What it says of its orders, beside what it had left open when it was gone, before anybody else canceled anything.
    fn compare_with_what_it_says(&mut self, told: &Told) {
        let ledger = &self.venue.ledger;
        if !ledger.is_current() || !ledger.knows_before() || self.venue.is_dry() {
            return;
        }
        let (open, gone) = (ledger.to_cancel().len() as u64, ledger.gone());
        if open == 0 {
            return;
        }
        if let Some(claimed) = self.minded.claims.orders_canceled.filter(|claimed| *claimed > gone) {
            let are = if open == 1 { "is" } else { "are" };
            let says = format!("it says that it canceled {}, and {open} {are} still open", counted(claimed));
            self.minded.errors.push(says);
        } else if told.orders_active == Some(0) {
            self.minded.errors.push(format!("it says that no order of it is active, and {} still open", are(open)));
        }
    }

    fn show(&self, what: &str) {
        show(self.board, &self.venue.ledger, what, None);
    }

    fn show_flush(&self, flushed: Option<bool>, error: Option<&str>) {
        let written = self.minded.state_written;
        self.board.write(|progress| (progress.state_flushed, progress.state_written) = (flushed, written));
        let says = self.minded.claims.state_flushed.map(|says| format!("says {}", yes(says)));
        let (standing, text) = match (flushed, error) {
            (_, Some(error)) => (Standing::Failed, error.to_owned()),
            (Some(true), None) => (Standing::Done, says.unwrap_or_default()),
            (Some(false) | None, None) => (Standing::Skipped, "it says nothing of its state".to_owned()),
        };
        self.board.stage(Stage::Flush, standing, text);
    }

    /// Every figure and every word, when all is done.
    fn settle(mut self, passed: &Passed, took: Duration) -> Minded {
        if let Some(trouble) = self.logs.as_ref().and_then(LogClaims::trouble) {
            self.minded.notes.push(trouble.to_owned());
        }
        if let Some(logs) = &self.logs {
            let secrets = self.setting.surroundings.as_ref().map(Surroundings::secrets).unwrap_or_default();
            let lines = logs.went_wrong().into_iter();
            self.minded.notes.extend(lines.map(|line| format!("it wrote: {}", without(&line, &secrets))));
        }
        if !self.venue.is_readable() {
            return self.minded;
        }
        let ended = passed.over == Some(true);
        self.minded.orders = self.venue.ledger.report(ended);
        let settled = settle(&self.venue, self.minded.orders.as_ref());
        let standing = if settled.errors.is_empty() { Standing::Done } else { Standing::Failed };
        let summary = self.minded.orders.as_ref().map_or_else(|| "unknown".to_owned(), OrdersReport::summary);
        self.board.stage(Stage::Cancel, if self.venue.is_dry() { Standing::Skipped } else { standing }, summary);
        self.minded.unasked = settled.unasked;
        self.minded.errors.extend(settled.errors);
        self.minded.notes.extend(settled.notes);
        for error in &self.minded.errors {
            self.board.error(error);
        }
        let seconds = format!("read again after {}.{} s", took.as_secs(), took.subsec_millis() / 100);
        self.board.stage(Stage::Verify, standing, if settled.unasked { String::new() } else { seconds });
        self.minded
    }
}

impl Minded {
    /// Puts what was found into a report.
    pub(super) fn into_report(self, report: &mut BotReport) {
        report.orders = self.orders;
        report.claims = self.claims;
        report.state_flushed = self.state_flushed;
        report.state_written = self.state_written;
        report.unasked = self.unasked;
        report.errors.extend(self.errors);
        for note in self.notes {
            if !report.notes.contains(&note) {
                report.notes.push(note);
            }
        }
    }
}

fn are(count: u64) -> String {
    if count == 1 { "1 is".to_owned() } else { format!("{count} are") }
}

const fn yes(flushed: bool) -> &'static str {
    if flushed { "True" } else { "False" }
}
