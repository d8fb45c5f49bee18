//! An emergency stop under way: everybody is ended side by side, and every effect of the course of the whole becomes something
//! that is done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

use crate::clock::{self, millis};
use crate::core::bot::{BotName, BotSpec};
use crate::core::emergency::{Depth, Effect, Emergency, Found, Input};
use crate::core::moment::Moment;
use crate::core::progress::Standing;
use crate::core::protocol::Request;
use crate::core::report::{BotReport, ExitReport, StopOutcome};
use crate::core::status::RecordSeen;
use crate::core::stop::{Stage, Wish};
use crate::latch;
use crate::record;

use super::common::Common;
use super::ending::end;
use super::latching::{FSYNC, Latching};
use super::muster::Muster;
use super::order::{EmergencyOrder, StopWord};
use super::paper;
use super::setting::Setting;
use super::shout::Shout;
use super::whole::Whole;

/// An emergency stop under way.
pub(super) struct Work<'a> {
    pub(super) common: &'a Common<'a>,
    pub(super) order: &'a EmergencyOrder,
    pub(super) whole: &'a Whole<'a>,
    pub(super) muster: &'a Muster<'a>,
    pub(super) latch: Latching<'a>,
    pub(super) reports: BTreeMap<BotName, BotReport>,
    /// Whether it goes on with one whose stopper died.
    pub(super) carries_on: bool,
    /// What the last look could not see: nobody may call anything stopped that may be there.
    pub(super) unseen: Vec<String>,
}

impl<'a> Work<'a> {
    /// Goes on until the course is at its end; whether there is a latch comes back.
    pub(super) fn go_on<'scope>(&mut self, scope: &'scope Scope<'scope, '_>) -> bool
    where
        'a: 'scope,
    {
        let (done, ended) = channel::<BotReport>();
        let (mut course, effects) = Emergency::begin(self.order.drill, clock::now());
        let mut effects: VecDeque<Effect> = effects.into();
        while !course.is_over() {
            let input = match effects.pop_front() {
                Some(Effect::End(bots)) => {
                    self.end(scope, bots, &done);
                    continue;
                }
                Some(Effect::Latch) => Input::Latched(self.latch.make()),
                Some(Effect::PutBack) => {
                    self.put_back(scope);
                    Input::PutBack
                }
                Some(Effect::Gather(depth)) => {
                    self.show_verify(depth);
                    Input::Gathered(self.gather(depth))
                }
                Some(Effect::Seek) => Input::Sought(self.muster.nameless(self.common.passes)),
                Some(Effect::Lift) => {
                    self.latch.lift();
                    Input::Lifted
                }
                Some(Effect::Finish) => continue,
                None => match self.wait(&ended, course.deadline()) {
                    Some(report) => self.take_in(report),
                    None => Input::Tick,
                },
            };
            effects.extend(course.handle(input, clock::now()));
        }
        self.tell_of_returns(&course);
        self.latch.keep();
        let alive = self.reports.values().filter(|report| report.survived()).count();
        let (standing, text) = match alive {
            0 => (Standing::Done, "nothing lives that was to be stopped".to_owned()),
            count => (Standing::Failed, format!("something lives of {count} bots")),
        };
        self.whole.stage(Stage::Verify, standing, text);
        course.has_latch() && self.latch.trouble.is_none()
    }

    /// Whoever lives in the last look was not stopped, whatever was seen in between; and whoever came back is told of.
    fn tell_of_returns(&mut self, course: &Emergency) {
        let returns: BTreeMap<&BotName, usize> = course.came_back().collect();
        for (name, report) in &mut self.reports {
            let lives = course.left().contains(name);
            let returned = returns.get(name).map(|times| match times {
                1 => "it was there again once after it was gone: something has started it".to_owned(),
                times => format!("it was there again {times} times after it was gone: something has started it"),
            });
            match (lives && !report.survived(), returned) {
                (false, None) => continue,
                (false, Some(text)) => report.notes.push(text),
                (true, returned) => {
                    let text =
                        returned.unwrap_or_else(|| "something of it lives, by the last look at everything".into());
                    report.outcome = Some(StopOutcome::Survived);
                    report.errors.push(text);
                    // What its events say of it is not so any more.
                    paper::keep(self.common.home, self.common.order, report);
                }
            }
            (self.common.say)(&StopWord::Bot(Box::new(report.clone())));
        }
    }

    /// Side by side, and nobody waits for it but the bots of those clusters.
    fn put_back<'scope>(&self, scope: &'scope Scope<'scope, '_>)
    where
        'a: 'scope,
    {
        let (common, whole) = (self.common, self.whole);
        show_chunks(common, whole);
        common.chunks.begin(scope, move || show_chunks(common, whole));
    }

    fn show_verify(&self, depth: Depth) {
        let text = match (depth, &self.latch.trouble) {
            (Depth::Known, _) => return,
            (Depth::All, None) => "everything is looked at once more",
            (Depth::All, Some(_)) => "without a latch: what is started again is looked for, for a minute",
        };
        self.whole.stage(Stage::Verify, Standing::UnderWay, text);
    }

    fn end<'scope>(&self, scope: &'scope Scope<'scope, '_>, bots: Vec<BotName>, done: &Sender<BotReport>)
    where
        'a: 'scope,
    {
        let common = self.common;
        // Who waits for his chunks is told by his own course, when they are back; nobody waits for him.
        let at_once: Vec<BotName> = bots.iter().filter(|bot| !common.chunks.hold_up(bot)).cloned().collect();
        common.roll.call(&at_once);
        // Who is asked over an interface of his own before anything else is told by his own course.
        let shouted = at_once.iter().filter(|bot| !Setting::listens(common.home, bot, common.specs));
        let shout = self.shout(scope, shouted);
        self.whole.meet(&bots);
        for bot in bots {
            self.begin_to_end(scope, bot, &shout, done);
        }
        // Nor does anything else take the machine from whoever sends the signals.
        shout.wait_for_all();
    }

    /// Tells the keepers of these bots, beside everything else.
    fn shout<'scope, 'b>(&self, scope: &'scope Scope<'scope, '_>, bots: impl Iterator<Item = &'b BotName>) -> Arc<Shout>
    where
        'a: 'scope,
    {
        let common = self.common;
        let (by, cap_ms) = (common.order.by.clone(), common.order.emergency.map(millis));
        let (shout, calls) = Shout::begin(common.home, bots, Request::Stop { by, also: Vec::new(), cap_ms });
        let shout = Arc::new(shout);
        let shouts = Arc::clone(&shout);
        spawn_or_do(scope, move || shouts.carry_out(calls, common.roll));
        shout
    }

    fn begin_to_end<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        bot: BotName,
        shout: &Arc<Shout>,
        done: &Sender<BotReport>,
    ) where
        'a: 'scope,
    {
        let shout = Arc::clone(shout);
        let (common, whole) = (self.common, self.whole);
        let promise = Promise { report: Some(BotReport::new(bot.clone())), done: done.clone() };
        let work = move || {
            let mut promise = promise;
            let spec: Option<&BotSpec> = common.specs.iter().find(|spec| spec.name == bot);
            let mut report = end(common, Wish::Stop, &bot, spec, Some(&shout));
            paper::keep(common.home, common.order, &mut report);
            paper::note_told(common.home, &common.order.id, &report);
            promise.report = Some(report.clone());
            drop(promise);
            if common.chunks.concern(&report.name) {
                common.chunks.ended(&report);
                show_chunks(common, whole);
            }
        };
        spawn_or_do(scope, work);
    }

    fn gather(&mut self, depth: Depth) -> Vec<Found> {
        self.unseen.clear();
        self.muster.gather(depth, self.common.passes, &mut self.unseen)
    }

    /// One bot's report, or nothing if the time is up.
    fn wait(&mut self, ended: &Receiver<BotReport>, until: Option<Moment>) -> Option<BotReport> {
        let begun = clock::now();
        loop {
            let now = clock::now();
            self.latch.show_sync(now.since(begun) < FSYNC);
            let left = until.map_or(FSYNC, |until| until.since(now).min(FSYNC));
            match ended.recv_timeout(left) {
                Ok(report) => return Some(report),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if until.is_some_and(|until| until <= clock::now()) {
                return None;
            }
        }
    }

    /// What the one who died had begun to end was ended all the same, by its keeper: its record says when and how.
    fn ended_meanwhile(&self, mut report: BotReport) -> BotReport {
        // Of whom the one who died had told knows more than a record.
        let is_told = self.reports.contains_key(&report.name);
        if is_told || report.outcome != Some(StopOutcome::NotRunning) {
            return report;
        }
        let Some(since) = latch::look(self.common.home).latch().map(|latch| latch.at) else { return report };
        let RecordSeen::Read(record) = record::read(&self.common.home.bot(&report.name)) else { return report };
        if let Some(ended) = record.ended.as_ref().filter(|ended| ended.at >= since) {
            report.outcome = Some(StopOutcome::Stopped);
            report.exit = Some(ExitReport { code: ended.exit.code(), signal: ended.exit.signal() });
            report.notes.push(
                "it ended after this was fired, while nobody watched: what became of its orders until then is not known".into(),
            );
        }
        report
    }

    fn take_in(&mut self, report: BotReport) -> Input {
        let (name, outcome) = (report.name.clone(), report.outcome.unwrap_or(StopOutcome::Survived));
        let report = if self.carries_on { self.ended_meanwhile(report) } else { report };
        let report = match self.reports.remove(&name) {
            Some(earlier) => report.after(earlier),
            None => report,
        };
        (self.common.say)(&StopWord::Bot(Box::new(report.clone())));
        self.reports.insert(name.clone(), report);
        Input::Ended(name, outcome)
    }
}

/// How far the chunks of all clusters have come.
fn show_chunks(common: &Common<'_>, whole: &Whole<'_>) {
    let (standing, text) = common.chunks.standing();
    whole.stage(Stage::Chunks, standing, text);
}

/// A bot whose end will be told of, whatever happens to whoever sees to it.
struct Promise {
    report: Option<BotReport>,
    done: Sender<BotReport>,
}

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some(mut report) = self.report.take() {
            if std::thread::panicking() {
                report.errors.push("whoever was ending it broke off".into());
            }
            let _ = self.done.send(report);
        }
    }
}

/// In a thread of its own; on a machine without room for one, here.
fn spawn_or_do<'scope>(scope: &'scope Scope<'scope, '_>, work: impl FnOnce() + Send + 'scope) {
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let in_a_thread = Arc::clone(&work);
    let thread = std::thread::Builder::new().spawn_scoped(scope, move || {
        if let Some(work) = take(&in_a_thread) {
            work();
        }
    });
    if thread.is_err()
        && let Some(work) = work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    {
        work();
    }
}
