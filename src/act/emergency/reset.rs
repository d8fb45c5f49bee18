//! Lifting the latch again: deliberately, verified afresh, and starting nothing.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::act::{Press, remember_press};
use crate::beacon::{self, Held};
use crate::clock;
use crate::core::code::Code;
use crate::core::latch::LatchSeen;
use crate::core::moment::Moment;
use crate::core::record::Down;
use crate::core::report::Report;
use crate::doctor;
use crate::latch;
use crate::paths::{Home, words};
use crate::record;

use super::afresh::{self, Afresh};
use super::watch::is_under_way;

/// Another reset holds the beacon for a moment, and whoever fires holds it before he can be heard.
const MOMENT: Duration = Duration::from_secs(1);

/// What is said while one is being carried out.
const UNDER_WAY: &str = "an emergency stop is being carried out: reset it when it is over";

/// What a report notes where this reset has lifted the latch.
pub const LIFTED: &str = "the latch was lifted";

/// What it notes where somebody else has, while we looked.
pub const LIFTED_MEANWHILE: &str = "it is not latched any more: somebody else has lifted the latch meanwhile";

/// A reset that was asked for. That the host's name is right was checked already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetOrder {
    /// The desk.
    pub home: Home,
    /// The configuration; absent where none was found. Where it cannot be read, the last good one counts.
    pub config: Option<PathBuf>,
    /// Who asks.
    pub by: String,
    /// At which terminal.
    pub tty: Option<String>,
    /// Why.
    pub reason: String,
    /// What is said where something stands in the way, and the latch is lifted all the same.
    pub waive: Option<String>,
}

/// Looks at everything afresh, and lifts the latch if nothing stands in the way, or what does is waived.
pub fn reset(order: &ResetOrder) -> Report {
    let mut work =
        Work { order, begun: clock::now(), report: Report::of("estop reset", &order.by, clock::wall(), vec![]) };
    if is_under_way(&order.home) {
        return work.refused(Code::StillWorking, UNDER_WAY);
    }
    let seen = latch::look(&order.home);
    if !seen.is_latched() {
        return work.over(Code::Done);
    }
    let stands_in_the_way = work.take_in(afresh::look(&order.home, order.config.as_deref()));
    match (&order.waive, stands_in_the_way) {
        (_, Code::Done) => {}
        (None, code) => return work.refused(code, ""),
        (Some(note), _) => work.waive(note),
    }
    match work.lift(&seen) {
        Ok(Lift::Ours) => work.lifted(),
        Ok(Lift::Theirs) => work.noted(LIFTED_MEANWHILE, Code::Done),
        Err((code, why)) => work.refused(code, &why),
    }
}

/// Who has lifted the latch.
enum Lift {
    Ours,
    /// Somebody else, while we looked.
    Theirs,
}

struct Work<'a> {
    order: &'a ResetOrder,
    begun: Moment,
    report: Report,
}

impl Work<'_> {
    /// Takes in what was seen, and hands back what that comes to.
    fn take_in(&mut self, Afresh { bots, clusters, errors }: Afresh) -> Code {
        self.report = Report::of(&self.report.action, &self.order.by, self.report.at, bots);
        self.report.add_clusters(clusters);
        let of_bots = self.report.code();
        let (codes, errors): (Vec<Code>, Vec<String>) = errors.into_iter().unzip();
        self.report.errors = errors;
        Code::worst(codes.into_iter().chain([of_bots]))
    }

    /// What stands in the way is noted from now on, and stands there no more.
    fn waive(&mut self, note: &str) {
        let what = self.what();
        for bot in &mut self.report.bots {
            bot.notes.extend(bot.errors.drain(..).map(|error| format!("waived: {error}")));
        }
        for cluster in &mut self.report.clusters {
            cluster.unasked = false;
            cluster.notes.extend(cluster.errors.drain(..).map(|error| format!("waived: {error}")));
        }
        let rest: Vec<String> = self.report.errors.drain(..).map(|error| format!("waived: {error}")).collect();
        let text = format!("{} waived what stands in the way of a reset: {note}; {what}", self.order.by);
        let written = self.remember("waived", text);
        self.report.errors.extend(rest.into_iter().chain(written));
    }

    /// Everything that stands in the way, in a line.
    fn what(&self) -> String {
        let of_bots = self
            .report
            .bots
            .iter()
            .flat_map(|bot| bot.errors.iter().map(move |error| format!("{}: {error}", bot.name)));
        let of_clusters = self
            .report
            .clusters
            .iter()
            .flat_map(|cluster| cluster.errors.iter().map(move |error| format!("{}: {error}", cluster.name)));
        of_bots.chain(of_clusters).chain(self.report.errors.iter().cloned()).collect::<Vec<_>>().join("; ")
    }

    /// Lifts it, unless another one was fired since it was looked at. No bot starts by that: whatever should be running by
    /// its configuration is written down as not to be.
    fn lift(&self, seen: &LatchSeen) -> Result<Lift, (Code, String)> {
        let home = &self.order.home;
        let _held = self.hold()?;
        let now = latch::look(home);
        if !now.is_latched() {
            return Ok(Lift::Theirs);
        }
        // Whoever could not have the beacon, or is out of its reach, holds a lock all the same.
        if doctor::at_work(home, &now) {
            return Err((Code::StillWorking, UNDER_WAY.to_owned()));
        }
        if now != *seen {
            return Err((Code::StillWorking, "another emergency stop was fired meanwhile".to_owned()));
        }
        let down = Down { by: self.order.by.clone(), at: Some(clock::wall()) };
        for bot in &self.report.bots {
            let place = home.bot(&bot.name);
            if record::down(&place).is_none() {
                let written = place.make().and_then(|()| record::set_down(&place, &down));
                written
                    .map_err(|error| cannot(&error, format!("{} cannot be marked as not to be running", bot.name)))?;
            }
        }
        latch::lift(home).map_err(|error| cannot(&error, "the latch cannot be removed".to_owned()))?;
        Ok(Lift::Ours)
    }

    /// Keeps anybody from carrying one out meanwhile.
    fn hold(&self) -> Result<Option<Held>, (Code, String)> {
        let home = &self.order.home;
        let until = clock::now().plus(MOMENT);
        loop {
            match beacon::hold(home) {
                Ok(held) => return Ok(Some(held)),
                Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                    return Err(cannot(&error, "nobody can be kept from firing meanwhile".to_owned()));
                }
                Err(_) if is_under_way(home) => return Err((Code::StillWorking, UNDER_WAY.to_owned())),
                Err(_) if clock::now() < until => std::thread::sleep(Duration::from_millis(10)),
                // Somebody whom we do not trust sits on the address: whoever is at work holds a lock as well.
                Err(_) => return Ok(None),
            }
        }
    }

    fn refused(mut self, code: Code, why: &str) -> Report {
        let what = if why.is_empty() { self.what() } else { why.to_owned() };
        if !why.is_empty() {
            self.report.errors.push(why.to_owned());
        }
        let written = self.remember("reset refused", format!("{} asked for a reset; refused: {what}", self.order.by));
        self.report.errors.extend(written);
        self.over(code)
    }

    fn lifted(mut self) -> Report {
        let text = format!("{} reset the emergency stop: {}", self.order.by, self.order.reason);
        let written = self.remember("reset", text);
        let code = if written.is_some() { Code::Failed } else { Code::Done };
        self.report.errors.extend(written);
        self.noted(LIFTED, code)
    }

    fn noted(mut self, note: &str, code: Code) -> Report {
        self.report.notes.push(note.to_owned());
        self.over(code)
    }

    fn over(mut self, code: Code) -> Report {
        let report = &mut self.report;
        report.latched = Some(latch::is_latched(&self.order.home));
        report.reason = Some(self.order.reason.clone());
        report.duration_ms = clock::millis(clock::now().since(self.begun));
        report.ok = code == Code::Done;
        report.exit_code = code.number();
        self.report
    }

    /// Writes it down in the desk's events. That it cannot be written is a sentence for the report.
    fn remember(&self, action: &str, text: String) -> Option<String> {
        let order = self.order;
        let press = Press {
            action,
            by: &order.by,
            tty: order.tty.as_deref(),
            reason: Some(&order.reason),
            also: ("note", order.waive.as_deref()),
        };
        remember_press(&order.home, &press, text)
            .err()
            .map(|error| format!("cannot write to the desk's events: {}", words(&error)))
    }
}

fn cannot(error: &io::Error, what: String) -> (Code, String) {
    let code = if error.kind() == io::ErrorKind::PermissionDenied { Code::NotPermitted } else { Code::Failed };
    (code, format!("{what}: {}", words(error)))
}
