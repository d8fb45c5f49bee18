//! Carries an emergency stop out: every effect of the pure course of the whole becomes something that is done. Each bot's
//! own end is the one of every stop; nothing waits for a slower bot, a disk, or whoever watches.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::Duration;

use crate::beacon::Beacon;
use crate::clock::{self, millis};
use crate::core::bot::{BotName, BotSpec};
use crate::core::emergency::{Depth, Effect, Emergency, Found, Input};
use crate::core::moment::Moment;
use crate::core::progress::Standing;
use crate::core::readiness::Drill;
use crate::core::report::{BotReport, ExitReport, Report, StopOutcome};
use crate::core::status::RecordSeen;
use crate::core::stop::{Stage, Wish};
use crate::doctor;
use crate::latch;
use crate::orders::Readers;
use crate::paths::{Home, words};
use crate::process;
use crate::record;

use super::common::Common;
use super::ending::end;
use super::hold::{self, Hold, OVERALL, Ours, take_hold};
use super::muster::{Desk, Muster};
use super::order::{EmergencyOrder, StopOrder, StopWord};
use super::paper;
use super::passes::Passes;
use super::roll::Roll;
use super::setting::Places;
use super::whole::Whole;

/// The disk has this long to take the latch before that is said; it may take it later all the same.
const FSYNC: Duration = Duration::from_millis(500);
/// Nobody waits longer for anything that is only recorded.
const PAPERS: Duration = Duration::from_millis(500);

/// What came of carrying it out.
#[derive(Debug)]
pub enum Carried {
    /// Its last word.
    Over(Box<Report>),
    /// Somebody else is carrying one out, and can be watched.
    Theirs,
}

/// Carries out an emergency stop, or a drill, and says how it goes: to `tell`, and to whoever watches.
pub fn carry_out_emergency(order: &EmergencyOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Carried {
    let begun = clock::now();
    process::take_all_descriptors();
    let mut order = order.clone();
    let ours = match take_hold(&mut order) {
        Hold::Ours(ours) => *ours,
        Hold::Theirs => return Carried::Theirs,
        Hold::Refused(report) => {
            tell(&StopWord::Over(report.clone()));
            return Carried::Over(report);
        }
    };
    let home = Home::at(order.home.clone());
    let beacon = ours.beacon.clone();
    let tell = Mutex::new(tell);
    let say = |word: &StopWord| {
        if let Some(beacon) = &beacon {
            broadcast(beacon, word);
        }
        let mut tell = tell.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (*tell)(word);
    };
    let whole = Whole::new(&order, begun, &say);
    let report = Box::new(carry_out(&home, &order, ours, &whole, begun, &say));
    say(&StopWord::Over(report.clone()));
    if let Some(beacon) = beacon {
        beacon.end();
    }
    Carried::Over(report)
}

fn broadcast(beacon: &Beacon, word: &StopWord) {
    let Ok(mut line) = serde_json::to_vec(word) else { return };
    line.push(b'\n');
    match word {
        StopWord::Waiting { .. } => {}
        StopWord::Overall(_) => beacon.say(OVERALL, &line),
        StopWord::Progress(progress) => beacon.say(&format!("progress {}", progress.bot), &line),
        StopWord::Bot(report) => {
            beacon.forget(&format!("progress {}", report.name));
            beacon.say(&format!("bot {}", report.name), &line);
        }
        StopWord::Over(_) => beacon.say("over", &line),
    }
}

fn carry_out(
    home: &Home,
    order: &EmergencyOrder,
    ours: Ours,
    whole: &Whole<'_>,
    begun: Moment,
    say: &(dyn Fn(&StopWord) + Sync),
) -> Report {
    let Ours { made, no_latch, told, carries_on, notes, .. } = ours;
    whole.write(|overall| {
        overall.id.clone_from(&order.id);
        overall.carries_on = carries_on;
    });
    // From here on nobody takes it for one whose stopper died.
    let lock = paper::make_folder(home, &order.id);
    let fired = write_down(home, order, carries_on);
    let synced = on_disk(home, made);
    let desk = Desk::read(home, order.config.as_deref());
    whole.write(|overall| overall.cap_ms = millis(desk.cap));
    let (passes, readers) = (Passes::new(home, &desk.specs), Readers::new());
    let (places, roll) = (Places::default(), Roll::default());
    let muster = Muster::new(home, &desk.specs, order.drill, &places);
    let stop = StopOrder {
        id: order.id.clone(),
        emergency: Some(desk.cap),
        tty: order.tty.clone(),
        ..StopOrder::new(home, Wish::Stop, &muster.known(), Some(&desk.specs), &order.by)
    };
    let common = Common {
        home,
        specs: &desk.specs,
        order: &stop,
        passes: &passes,
        readers: &readers,
        places: &places,
        begun,
        roll: &roll,
        say,
    };
    let mut work = Work {
        common: &common,
        order,
        whole,
        muster: &muster,
        no_latch,
        synced,
        reports: told.into_iter().map(|report| (report.name.clone(), report)).collect(),
        lifted: false,
        clusters: desk.clusters,
        carries_on,
        unseen: Vec::new(),
    };
    let has_latch = std::thread::scope(|scope| work.go_on(scope));
    let notes = [notes, desk.notes, muster.rehearsed(&passes)].concat();
    let errors = [desk.errors, whole.errors()].concat();
    let Work { reports, lifted, no_latch, unseen, .. } = work;
    let bots: Vec<BotReport> = reports.into_values().collect();
    let action = if order.drill { "drill" } else { "estop" };
    let mut report = Report::of(action, &order.by, order.at, bots);
    report.duration_ms = millis(clock::now().since(begun));
    report.scope = Some(if order.drill { "dry-run and paper".into() } else { "everything".into() });
    report.reason.clone_from(&order.reason);
    report.latched = Some(has_latch && !lifted);
    report.notes = notes;
    for error in errors {
        report.add_error(error);
    }
    for what in unseen {
        report.add_error(format!("{what}: something may live that nobody has seen"));
        report.may_have_survivors();
    }
    if !has_latch {
        report.add_error(format!(
            "THE LATCH COULD NOT BE WRITTEN ({}): anything may be started again",
            no_latch.unwrap_or_default()
        ));
        report.without_a_latch();
    }
    if let Ok(Some(error)) = fired.recv_timeout(PAPERS) {
        report.add_error(error);
    }
    finish(home, order, &mut report);
    whole.stage(Stage::Report, Standing::Done, "");
    // It is over, whether or not whoever watches has heard it yet.
    drop(lock);
    report
}

/// What is written down at the end.
fn finish(home: &Home, order: &EmergencyOrder, report: &mut Report) {
    if order.drill {
        let passed = report.exit_code == 0;
        let kept = if passed {
            doctor::keep_drill(home, &Drill { at: clock::wall(), by: order.by.clone(), id: order.id.clone() })
        } else {
            Ok(())
        };
        if let Err(error) = kept {
            report.add_error(format!("that the drill was passed cannot be written down: {}", words(&error)));
        }
        let what = if passed { "passed".to_owned() } else { format!("NOT passed, exit code {}", report.exit_code) };
        if let Some(error) = hold::audit(home, order, "drilled", Some(&what)) {
            report.add_error(error);
        }
    }
    paper::keep_the_whole_of_it(home, order, report);
}

/// Who has fired is written down beside everything else: a disk may take its time.
fn write_down(home: &Home, order: &EmergencyOrder, carries_on: bool) -> Receiver<Option<String>> {
    let (done, told) = channel();
    let (home, order) = (home.clone(), order.clone());
    let action = if carries_on { "carried on" } else { "fired" };
    let work = move || {
        let _ = done.send(hold::audit(&home, &order, action, None));
    };
    // Without room for a thread it is not written down: the report is.
    let _ = std::thread::Builder::new().spawn(work);
    told
}

/// The disk takes the latch beside everything else.
fn on_disk(home: &Home, made: Option<File>) -> Option<Receiver<Result<(), String>>> {
    let file = made?;
    let (done, told) = channel();
    let home = home.clone();
    let work = move || {
        let _ = done.send(latch::sync(&home, &file).map_err(|error| words(&error)));
    };
    std::thread::Builder::new().spawn(work).ok().map(|_| told)
}

/// An emergency stop under way.
struct Work<'a> {
    common: &'a Common<'a>,
    order: &'a EmergencyOrder,
    whole: &'a Whole<'a>,
    muster: &'a Muster<'a>,
    no_latch: Option<String>,
    synced: Option<Receiver<Result<(), String>>>,
    reports: BTreeMap<BotName, BotReport>,
    lifted: bool,
    clusters: usize,
    /// Whether it goes on with one whose stopper died.
    carries_on: bool,
    /// What the last look could not see: nobody may call anything stopped that may be there.
    unseen: Vec<String>,
}

impl<'a> Work<'a> {
    /// Goes on until the course is at its end; whether there is a latch comes back.
    fn go_on<'scope>(&mut self, scope: &'scope Scope<'scope, '_>) -> bool
    where
        'a: 'scope,
    {
        let (done, ended) = channel::<BotReport>();
        let (mut course, effects) = Emergency::begin(self.order.drill, clock::now());
        let mut effects: VecDeque<Effect> = effects.into();
        while !course.is_over() {
            let input = match effects.pop_front() {
                Some(Effect::End(bots)) => {
                    self.whole.meet(&bots);
                    self.common.roll.call(&bots);
                    for bot in bots {
                        self.begin_to_end(scope, bot, &done);
                    }
                    continue;
                }
                Some(Effect::Latch) => Input::Latched(self.latch()),
                Some(Effect::PutBack) => self.put_back(),
                Some(Effect::Gather(depth)) => {
                    self.show_verify(depth);
                    Input::Gathered(self.gather(depth))
                }
                Some(Effect::Seek) => Input::Sought(self.gather(Depth::All)),
                Some(Effect::Lift) => self.lift(),
                Some(Effect::Finish) => continue,
                None => match self.wait(&ended, course.deadline()) {
                    Some(report) => self.take_in(report),
                    None => Input::Tick,
                },
            };
            effects.extend(course.handle(input, clock::now()));
        }
        self.tell_of_returns(&course);
        self.keep_the_latch();
        let alive = self.reports.values().filter(|report| report.survived()).count();
        let (standing, text) = match alive {
            0 => (Standing::Done, "nothing lives that was to be stopped".to_owned()),
            count => (Standing::Failed, format!("something lives of {count} bots")),
        };
        self.whole.stage(Stage::Verify, standing, text);
        course.has_latch() && self.no_latch.is_none()
    }

    /// Somebody may have lifted it, by hand or where nobody could see that this goes on.
    fn keep_the_latch(&mut self) {
        if self.order.drill || self.no_latch.is_some() || latch::is_latched(self.common.home) {
            return;
        }
        match hold::make_again(self.common.home, self.order) {
            Ok(()) => {
                self.whole.error("the latch was lifted while everything was being stopped: it is made again".into());
            }
            Err(error) => self.no_latch = Some(format!("it was lifted meanwhile, and {}", words(&error))),
        }
    }

    /// Whoever lives again although it was ended was not stopped, whatever was seen in between.
    fn tell_of_returns(&mut self, course: &Emergency) {
        for (bot, times) in course.came_back() {
            let Some(report) = self.reports.get_mut(bot) else { continue };
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            let text = format!("it lived again {times} after it was gone: something else starts it");
            if course.left().contains(bot) {
                report.outcome = Some(StopOutcome::Survived);
                report.errors.push(format!("{text}, and it lives"));
            } else {
                report.notes.push(text);
            }
            (self.common.say)(&StopWord::Bot(Box::new(report.clone())));
        }
        for bot in course.left() {
            if let Some(report) = self.reports.get_mut(bot).filter(|report| !report.survived()) {
                report.outcome = Some(StopOutcome::Survived);
                report.errors.push("something of it lives, by the last look at everything".to_owned());
            }
        }
    }

    fn begin_to_end<'scope>(&self, scope: &'scope Scope<'scope, '_>, bot: BotName, done: &Sender<BotReport>)
    where
        'a: 'scope,
    {
        let common = self.common;
        let promise = Promise { report: Some(BotReport::new(bot.clone())), done: done.clone() };
        let work = move || {
            let mut promise = promise;
            let spec: Option<&BotSpec> = common.specs.iter().find(|spec| spec.name == bot);
            let mut report = end(common, Wish::Stop, &bot, spec);
            paper::keep(common.home, common.order, &mut report);
            paper::note_told(common.home, &common.order.id, &report);
            promise.report = Some(report);
        };
        spawn_or_do(scope, work);
    }

    fn gather(&mut self, depth: Depth) -> Vec<Found> {
        self.unseen.clear();
        self.muster.gather(depth, self.common.passes, &mut self.unseen)
    }

    fn latch(&mut self) -> bool {
        if self.no_latch.is_some() {
            match hold::make_again(self.common.home, self.order) {
                Ok(()) => self.no_latch = None,
                Err(error) => self.no_latch = Some(words(&error)),
            }
        }
        match &self.no_latch {
            None => {
                let standing = if self.synced.is_some() { Standing::UnderWay } else { Standing::Done };
                self.whole.stage(Stage::Lock, standing, "latch written");
            }
            Some(why) => {
                self.whole.stage(Stage::Lock, Standing::Failed, format!("THE LATCH CANNOT BE WRITTEN: {why}"));
            }
        }
        self.no_latch.is_none()
    }

    /// What the disk says of the latch, as soon as it does.
    fn show_sync(&mut self, begun: bool) {
        let Some(synced) = &self.synced else { return };
        let text = match synced.try_recv() {
            Ok(Ok(())) => "latch written, fsync ok".to_owned(),
            Ok(Err(why)) => format!("latch written; the disk did not take it: {why}"),
            Err(_) if begun => return,
            Err(_) => "latch written; the disk has not taken it in half a second".to_owned(),
        };
        self.synced = None;
        if self.no_latch.is_none() {
            self.whole.stage(Stage::Lock, Standing::Done, text);
        }
    }

    fn put_back(&self) -> Input {
        let text = match self.clusters {
            0 => "no cluster is configured".to_owned(),
            count => format!("{count} configured: their chunks are not put back by this version"),
        };
        self.whole.stage(Stage::Chunks, Standing::Skipped, text);
        Input::PutBack
    }

    fn show_verify(&self, depth: Depth) {
        match (depth, &self.no_latch) {
            (Depth::Known, _) => {}
            (Depth::All, None) => {
                self.whole.stage(Stage::Verify, Standing::UnderWay, "everything is looked at once more");
            }
            (Depth::All, Some(_)) => {
                let text = "without a latch: what is started again is looked for, for a minute";
                self.whole.stage(Stage::Verify, Standing::UnderWay, text);
            }
        }
    }

    fn lift(&mut self) -> Input {
        let home = self.common.home;
        let is_ours = latch::look(home).latch().is_some_and(|latch| latch.drill && latch.id == self.order.id);
        if !is_ours {
            self.whole.error("the latch of the drill became another one, and was left alone".into());
        } else if let Err(error) = latch::lift(home) {
            let why = format!("the latch of the drill cannot be lifted again: {}", words(&error));
            self.whole.error(why);
        } else {
            self.lifted = true;
        }
        Input::Lifted
    }

    /// One bot's report, or nothing if the time is up.
    fn wait(&mut self, ended: &Receiver<BotReport>, until: Option<Moment>) -> Option<BotReport> {
        let begun = clock::now();
        loop {
            let now = clock::now();
            self.show_sync(now.since(begun) < FSYNC);
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
        if report.outcome != Some(StopOutcome::NotRunning) {
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
    let work = std::sync::Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let in_a_thread = std::sync::Arc::clone(&work);
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
