//! Carries an emergency stop out: every effect of the pure course of the whole becomes something that is done. Each bot's
//! own end is the one of every stop; nothing waits for a slower bot, a disk, or whoever watches.

use std::fs::File;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::beacon::Beacon;
use crate::clock::{self, millis};
use crate::core::cluster::ClusterSpec;
use crate::core::moment::Moment;
use crate::core::progress::Standing;
use crate::core::readiness::Drill;
use crate::core::report::{BotReport, Report};
use crate::core::stop::{Stage, Wish};
use crate::doctor;
use crate::latch;
use crate::paths::{Home, words};
use crate::process;
use crate::readers::Readers;

use super::chunks::Chunks;
use super::common::Common;
use super::crew::Work;
use super::hold::{self, Hold, OVERALL, Ours, take_hold};
use super::latching::Latching;
use super::muster::{Desk, Muster};
use super::order::{Before, EmergencyOrder, StopOrder, StopWord};
use super::paper;
use super::part::Ground;
use super::passes::Passes;
use super::roll::Roll;
use super::setting::Places;
use super::whole::Whole;

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
        StopWord::Cluster(report) => beacon.say(&format!("cluster {}", report.name), &line),
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
        before: Before {
            bots: Vec::new(),
            clusters: if carries_on { paper::told_of_clusters(home, &order.id) } else { Vec::new() },
        },
        ..StopOrder::new(home, Wish::Stop, &muster.known(), Some(&desk.specs), &order.by)
    };
    let (meant, not_meant): (Vec<&ClusterSpec>, Vec<&ClusterSpec>) =
        desk.clusters.iter().partition(|cluster| muster.means(cluster));
    let ground = Ground { home, readers: &readers, specs: &desk.specs, order: &stop, say };
    let chunks = Chunks::of_an_emergency(&ground, meant.into_iter());
    let common = Common {
        home,
        specs: &desk.specs,
        order: &stop,
        passes: &passes,
        readers: &readers,
        places: &places,
        begun,
        roll: &roll,
        chunks: &chunks,
        say,
    };
    let mut work = Work {
        common: &common,
        order,
        whole,
        muster: &muster,
        latch: Latching { home, order, whole, trouble: no_latch, synced, lifted: false },
        reports: told.into_iter().map(|report| (report.name.clone(), report)).collect(),
        carries_on,
        unseen: Vec::new(),
    };
    let has_latch = std::thread::scope(|scope| work.go_on(scope));
    let notes =
        [notes, desk.notes, muster.rehearsed(&passes), muster.rehearsed_clusters(&not_meant, &readers)].concat();
    let errors = [desk.errors, whole.errors()].concat();
    let Work { reports, latch, unseen, .. } = work;
    let bots: Vec<BotReport> = reports.into_values().collect();
    let action = if order.drill { "drill" } else { "estop" };
    let mut report = Report::of(action, &order.by, order.at, bots);
    report.add_clusters(chunks.reports());
    report.duration_ms = millis(clock::now().since(begun));
    report.scope = Some(if order.drill { "dry-run and paper".into() } else { "everything".into() });
    report.reason.clone_from(&order.reason);
    report.latched = Some(has_latch && !latch.lifted);
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
            latch.trouble.unwrap_or_default()
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
