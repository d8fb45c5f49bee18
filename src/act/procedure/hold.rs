//! Getting hold of an emergency stop: the latch first, then the desk's beacon. One that somebody else carries out is left to
//! him; a drill, and one whose stopper does not answer, gives way.

use std::fs::File;
use std::io;
use std::time::Duration;

use crate::act::{Press, remember_press};
use crate::beacon::{self, Beacon, Call};
use crate::clock;
use crate::core::latch::{Latch, LatchSeen};
use crate::core::report::{BotReport, LATCHED, Report};
use crate::core::signal::Signal;
use crate::core::status::LockSeen;
use crate::latch::{self, Set};
use crate::lock;
use crate::paths::{Home, words};
use crate::process::{self, Held};
use crate::who;

use super::order::{EmergencyOrder, StopWord};
use super::paper;
use super::whole::blank;

/// The key of what is told of the whole.
pub(super) const OVERALL: &str = "overall";
/// Somebody may just be lifting a latch, or be about to go: that takes no longer.
const A_MOMENT: Duration = Duration::from_millis(300);
/// How long whoever has to give way may take to be gone.
const GIVES_WAY: Duration = Duration::from_secs(1);

/// What came of it.
pub(super) enum Hold {
    /// It is ours to carry out.
    Ours(Box<Ours>),
    /// Somebody else carries it out.
    Theirs,
    /// It is not to be: what is said of that.
    Refused(Box<Report>),
}

/// An emergency stop that is ours to carry out.
pub(super) struct Ours {
    /// Where watchers are told; absent where nobody can be.
    pub(super) beacon: Option<Beacon>,
    /// The file of the latch, if we have made it: the disk has to have it.
    pub(super) made: Option<File>,
    /// Why there is no latch.
    pub(super) no_latch: Option<String>,
    /// What an earlier stopper, which died, had told already.
    pub(super) told: Vec<BotReport>,
    /// Whether there was an earlier stopper.
    pub(super) carries_on: bool,
    /// What is worth a word.
    pub(super) notes: Vec<String>,
}

/// Latches, and takes the beacon. `order` gets the id of the one that is carried on with.
pub(super) fn take_hold(order: &mut EmergencyOrder) -> Hold {
    let home = Home::at(order.home.clone());
    let own = latch_of(order);
    let mut made = None;
    let mut no_latch = None;
    match make(&home, &own, order.drill) {
        Ok(Set::Made(file)) => made = Some(file),
        Ok(Set::Was) => {}
        Err(error) => no_latch = Some(words(&error)),
    }
    if order.drill && made.is_none() && no_latch.is_none() && !latch::look(&home).is_drill() {
        return Hold::Refused(Box::new(refused(order)));
    }
    let mut notes = Vec::new();
    let Ok(beacon) = light(&home, order, &mut notes) else {
        // Whoever carries it out has the report; that somebody joined is worth no error of its own. Whom we have ended before
        // another one was quicker to take his place is known to nobody else.
        let what = (!notes.is_empty()).then(|| format!("joined; {}", notes.join("; ")));
        let _ = audit(&home, order, "joined", what.as_deref());
        return Hold::Theirs;
    };
    // Whoever lifts a latch holds the beacon: from here on it stays.
    match make(&home, &own, order.drill) {
        Ok(Set::Made(file)) => (made, no_latch) = (Some(file), None),
        Ok(Set::Was) => no_latch = None,
        Err(error) => no_latch = Some(words(&error)),
    }
    let (told, carries_on) =
        if made.is_some() || no_latch.is_some() { (Vec::new(), false) } else { succeed(&home, order) };
    Hold::Ours(Box::new(Ours { beacon, made, no_latch, told, carries_on, notes }))
}

/// Tries again to make the latch that could not be made.
pub(super) fn make_again(home: &Home, order: &EmergencyOrder) -> io::Result<()> {
    make(home, &latch_of(order), order.drill).map(|_| ())
}

/// Makes the latch. That of a drill has its contents from the first moment on: it must not count as a real one.
fn make(home: &Home, latch: &Latch, drill: bool) -> io::Result<Set> {
    if drill { latch::set_whole(home, latch) } else { latch::set(home, latch) }
}

fn latch_of(order: &EmergencyOrder) -> Latch {
    Latch {
        schema: 1,
        id: order.id.clone(),
        at: order.at,
        by: order.by.clone(),
        tty: order.tty.clone(),
        reason: order.reason.clone(),
        host: who::host(),
        drill: order.drill,
    }
}

/// Somebody else carries it out.
struct Taken;

fn light(home: &Home, order: &EmergencyOrder, notes: &mut Vec<String>) -> Result<Option<Beacon>, Taken> {
    let mut first = serde_json::to_vec(&StopWord::Overall(Box::new(blank(order)))).unwrap_or_default();
    first.push(b'\n');
    let until = clock::now().plus(A_MOMENT);
    loop {
        match beacon::light(home, OVERALL, &first) {
            Ok(beacon) => return Ok(Some(beacon)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                notes.push(format!("nobody can watch it: {}", words(&error)));
                return Ok(None);
            }
        }
        match beacon::call(home) {
            Call::Answered(said) => {
                let drill = beacon::first_line(said).is_some_and(|line| is_drill(&line));
                match (order.drill, drill) {
                    (false, true) => {
                        let pid = beacon::holder(home);
                        give_way(pid, "a drill was under way, and gave way", notes);
                    }
                    (true, true) | (_, false) => return Err(Taken),
                }
            }
            Call::Silent(pid) => {
                let pid = pid.or_else(|| stopper_of_the_latch(home));
                give_way(pid, "its stopper did not answer, and was ended", notes);
                if pid.is_none() && clock::now() >= until {
                    notes.push("nobody can watch it: somebody else holds its address, and answers nobody".into());
                    return Ok(None);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            Call::Nobody => {
                // A reset, which is over in a moment; or another user, who has no business there.
                if clock::now() >= until {
                    notes.push("nobody can watch it: somebody else holds its address".into());
                    return Ok(None);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        if clock::now() >= until.plus(GIVES_WAY) {
            notes.push("nobody can watch it: whoever has its address does not give way".into());
            return Ok(None);
        }
    }
}

/// Whoever holds the lock of the emergency stop that the latch names.
fn stopper_of_the_latch(home: &Home) -> Option<i32> {
    let seen = latch::look(home);
    let lock = home.stop(&seen.latch()?.id).join("lock");
    process::holders(&lock).into_iter().find(|pid| process::is_keeper(*pid))
}

fn is_drill(line: &str) -> bool {
    matches!(serde_json::from_str(line), Ok(StopWord::Overall(overall)) if overall.drill)
}

/// Ends a stopper of ours that is in the way. What it has begun is gone on with by keepers, and by us.
fn give_way(pid: Option<i32>, why: &str, notes: &mut Vec<String>) {
    let Some(pid) = pid.filter(|pid| process::is_keeper(*pid)) else { return };
    let Some(held) = process::identify(pid).and_then(|id| Held::open(&id)) else { return };
    // Looked at again now that the number cannot become another's.
    if process::is_keeper(pid) && held.signal(Signal::KILL).is_ok() {
        let gone = if held.wait(GIVES_WAY) { "" } else { "; it is still there" };
        notes.push(format!("{why} (pid {pid}){gone}"));
    }
}

/// There was a latch: what is to be known of the one under which it was made.
fn succeed(home: &Home, order: &mut EmergencyOrder) -> (Vec<BotReport>, bool) {
    let own = latch_of(order);
    let before = match latch::look(home) {
        LatchSeen::Latched(before) if before.drill == order.drill => *before,
        // That of a drill becomes a real one; one without contents gets ours.
        LatchSeen::Latched(_) | LatchSeen::Unreadable(_) => {
            latch::amend(home, &own);
            return (Vec::new(), false);
        }
        LatchSeen::Free => return (Vec::new(), false),
    };
    let folder = home.stop(&before.id);
    let unfinished = folder.is_dir() && !folder.join("report.json").exists();
    if unfinished && lock::look(&folder.join("lock")) != LockSeen::Held {
        order.id.clone_from(&before.id);
        return (paper::told(home, &before.id), true);
    }
    // It was over: this is another one, under the same latch.
    latch::amend(home, &Latch { id: order.id.clone(), ..before });
    (Vec::new(), false)
}

fn refused(order: &EmergencyOrder) -> Report {
    let mut report = Report::of("drill", &order.by, clock::wall(), Vec::new());
    report.latched = Some(true);
    report.add_error(LATCHED.into());
    report
}

/// Writes down in the desk's events that it was fired, joined, carried on with or drilled. What cannot be written is a
/// phrase for the report.
pub(super) fn audit(home: &Home, order: &EmergencyOrder, action: &str, what: Option<&str>) -> Option<String> {
    let which = if order.drill { "drill of the emergency stop" } else { "emergency stop" };
    let reason = order.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let text = match what {
        Some(what) => format!("{which} of {}{reason}: {what}", order.by),
        None => format!("{which} {action} by {}{reason}", order.by),
    };
    let press = Press {
        action,
        by: &order.by,
        tty: order.tty.as_deref(),
        reason: order.reason.as_deref(),
        also: ("stop", Some(&order.id)),
    };
    let error = remember_press(home, &press, text).err()?;
    Some(format!("that it was {action} cannot be written to the desk's events: {}", words(&error)))
}
