//! `estop reset`: lifting the latch, by somebody who knows on which machine, and why.

use crate::act::emergency::{self, ResetOrder};
use crate::core::code::Code;
use crate::core::report::Report;
use crate::who;

use super::desk::Place;
use super::output::Output;

const ACTION: &str = "estop reset";

/// Looks at everything afresh, and lifts the latch if nothing stands in the way.
pub(super) fn run(place: &Place, host: &str, reason: &str, waive: Option<&str>, output: Output) -> Code {
    if host != who::host() {
        let why = format!("{host:?} is not the name of this machine ('hostname' shows it): nothing was reset");
        return output.refuse(ACTION, Code::Usage, &why);
    }
    if reason.trim().is_empty() {
        return output.refuse(ACTION, Code::Usage, "a reset needs a reason: nothing was reset");
    }
    if waive.is_some_and(|note| note.trim().is_empty()) {
        return output.refuse(ACTION, Code::Usage, "what is waived needs a note: nothing was reset");
    }
    if let Some(trouble) = place.trouble.as_ref().filter(|trouble| trouble.denied) {
        return output.refuse(ACTION, Code::NotPermitted, &trouble.why);
    }
    let report = emergency::reset(&ResetOrder {
        home: place.home.clone(),
        config: place.file.as_ref().ok().cloned(),
        by: place.by.clone(),
        tty: who::tty(),
        reason: reason.to_owned(),
        waive: waive.map(str::to_owned),
    });
    tell(&report, output);
    output.object(&report);
    Code::numbered(report.exit_code)
}

fn tell(report: &Report, output: Output) {
    for bot in &report.bots {
        for error in &bot.errors {
            output.complain(&format!("{}: {error}", bot.name));
        }
        for note in &bot.notes {
            output.line(&format!("  {}: {note}", bot.name));
        }
    }
    for error in &report.errors {
        output.complain(error);
    }
    let line = match (report.latched, report.bots.is_empty() && report.exit_code == 0) {
        (Some(true), _) => output.red("STILL LATCHED: nothing was reset"),
        (_, true) => "it is not latched: there is nothing to reset".to_owned(),
        (_, false) => "RESET: bots may be started again; nothing was started".to_owned(),
    };
    output.line(&line);
}
