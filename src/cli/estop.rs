//! `estop` and `estop status`: firing the emergency stop without a question, and looking at it.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::json;

use crate::act::emergency::{self, Fire};
use crate::act::procedure::{Carried, ESTOP, EmergencyOrder, StopWord, carry_out_emergency};
use crate::clock;
use crate::core::code::Code;
use crate::core::readiness::EstopState;
use crate::core::report::Report;
use crate::doctor;
use crate::logs::harmless::harmless;
use crate::paths::Home;

use super::desk::Place;
use super::estop_course::Course;
use super::estop_words::{local, verdict};
use super::interrupt::{leave_on_interrupt, stay_whatever_comes};
use super::output::Output;

/// Whoever carries one out tells a newcomer all that is known within this time.
const FIRST_WORDS: Duration = Duration::from_millis(200);

/// Fires, and shows what is said of it until it is over. Nothing is asked, and nothing is read before.
pub(super) fn fire(place: &Place, reason: Option<&str>, drill: bool, output: Output) -> Code {
    // Whoever carries it out is in another folder.
    let config = place.file.as_ref().ok().and_then(|file| std::path::absolute(file).ok());
    let reason = reason.filter(|reason| !reason.trim().is_empty()).map(str::to_owned);
    let order = EmergencyOrder::new(&place.home, config, &place.by, reason, drill);
    leave_on_interrupt(output, ESTOP);
    let mut course = Course::new(output);
    let report = match emergency::fire(&order, &mut |word| course.hear(word)) {
        Fire::Over(report) => *report,
        Fire::NoRoom(why) => {
            stay_whatever_comes();
            output.complain(&format!(
                "no process could be started ({why}): it is carried out here, and Ctrl-C does not end it"
            ));
            carry_out_here(&order, &mut |word| course.hear(word))
        }
    };
    if let Some(trouble) = &place.trouble {
        output.complain(&trouble.why);
    }
    course.result(&report);
    output.object(&report);
    Code::numbered(report.exit_code)
}

/// Where no process can be had, this one does it.
fn carry_out_here(order: &EmergencyOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Report {
    let home = Home::at(order.home.clone());
    loop {
        if let Carried::Over(report) = carry_out_emergency(order, tell) {
            return *report;
        }
        // Somebody else found room before us; if he dies, it is ours again.
        if let Some(report) = emergency::watch(&home, tell) {
            return report;
        }
    }
}

/// Shows how it stands, and what became of the last one. With one under way: how far it is, once.
pub(super) fn status(place: &Place, output: Output) -> Code {
    let checks = doctor::examine(&place.home, place.file.as_deref().ok());
    let seen = doctor::estop(&place.home, &checks);
    let report = emergency::last_report(&place.home);
    if output.json {
        output.object(&json!({ "schema": 1, "estop": seen, "report": report }));
        return seen.state.code();
    }
    output.line(&verdict(&seen, output));
    for problem in &seen.problems {
        output.line(&format!("  {}", harmless(problem.as_bytes())));
    }
    if seen.state == EstopState::InProgress {
        show_once(place, output);
    } else if let Some(report) = report {
        Course::new(output).result(&report);
    }
    if let Some(drill) = &seen.last_drill {
        output.line(&format!("last drill passed {} by {}", local(drill.at), drill.by));
    }
    seen.state.code()
}

/// Shows how far the one is that is under way, without waiting for its end.
fn show_once(place: &Place, output: Output) {
    let (sender, told) = channel();
    let home = place.home.clone();
    let listens = std::thread::Builder::new().spawn(move || {
        emergency::watch(&home, &mut |word| {
            let _ = sender.send(word.clone());
        })
    });
    if listens.is_err() {
        return;
    }
    let until = clock::now().plus(FIRST_WORDS);
    let mut course = Course::silent(output);
    while let Ok(word) = told.recv_timeout(until.since(clock::now())) {
        course.hear(&word);
    }
    course.show_all();
}
