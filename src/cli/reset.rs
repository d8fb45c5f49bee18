//! `estop reset`: lifting the latch, by somebody who knows on which machine, and why.

use crate::act::emergency::{self, LIFTED, LIFTED_MEANWHILE, ResetOrder};
use crate::core::code::Code;
use crate::core::report::Report;
use crate::who;

use super::cluster_lines;
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
    cluster_lines::show_reports(report, output);
    for error in &report.errors {
        output.complain(error);
    }
    let line = outcome(report);
    output.line(&if report.latched == Some(true) { output.red(line) } else { line.to_owned() });
}

/// What it comes to: that bots may be started again is said where we have lifted the latch, and nowhere else.
fn outcome(report: &Report) -> &'static str {
    let notes = |what: &str| report.notes.iter().any(|note| note == what);
    // Whoever fires at once may have latched again.
    match (report.latched == Some(true), report.exit_code) {
        (true, _) if notes(LIFTED) => "LATCHED AGAIN: it was reset, and another emergency stop was fired",
        (true, _) => "STILL LATCHED: nothing was reset",
        (false, _) if notes(LIFTED) => "RESET: bots may be started again; nothing was started",
        (false, _) if notes(LIFTED_MEANWHILE) => LIFTED_MEANWHILE,
        (false, 0) => "it is not latched: there is nothing to reset",
        (false, _) => "nothing was reset; it is not latched",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_lifted_the_latch_says_that_bots_may_be_started() {
        let line = |latched, exit_code, note: Option<&str>| {
            let mut report = Report::of(ACTION, "ana", jiff::Timestamp::UNIX_EPOCH, Vec::new());
            (report.latched, report.exit_code) = (Some(latched), exit_code);
            report.notes = note.map(str::to_owned).into_iter().collect();
            outcome(&report)
        };
        assert!(line(false, 0, Some(LIFTED)).starts_with("RESET: bots may be started again"));
        assert!(line(false, 1, Some(LIFTED)).starts_with("RESET: bots may be started again"));
        assert!(line(true, 0, Some(LIFTED)).starts_with("LATCHED AGAIN: "));
        assert_eq!(line(false, 0, Some(LIFTED_MEANWHILE)), LIFTED_MEANWHILE);
        assert_eq!(line(false, 0, None), "it is not latched: there is nothing to reset");
        assert_eq!(line(true, 10, None), "STILL LATCHED: nothing was reset");
        // One without a latch is carried out, or another one has lifted what something stood in the way of.
        for code in [10, 13, 14] {
            assert_eq!(line(false, code, None), "nothing was reset; it is not latched");
        }
    }
}
