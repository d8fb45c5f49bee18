//! One bot's end: one hand ends its processes, another minds its orders beside it.

use crate::clock;
use crate::core::bot::{BotName, BotSpec};
use crate::core::ledger::Which;
use crate::core::progress::Standing;
use crate::core::protocol::Told;
use crate::core::report::{BotReport, LATCHED};
use crate::core::stop::{Stage, Wish};

use super::board::Board;
use super::common::Common;
use super::flush::compare;
use super::milestones::{DoneAtTheEnd, Milestones};
use super::minder::Minder;
use super::setting::Setting;
use super::shout::Shout;
use super::summary;
use super::venue::Venue;
use super::walk::Walk;

/// Ends one bot, and has its orders minded where there is something to mind. Where its keeper is told by a `shout`, that is
/// gone on with.
pub(super) fn end(
    common: &Common<'_>,
    wish: Wish,
    name: &BotName,
    spec: Option<&BotSpec>,
    shout: Option<&Shout>,
) -> BotReport {
    let setting = Setting::of(common.home, name, common.specs, common.places);
    // Who only hurries a stop that is under way leaves its orders to that one.
    let minds = setting.minds() && wish != Wish::Climb;
    if let Some(shout) = shout.filter(|_| !minds) {
        shout.is_ready(name);
    }
    // Whoever watches takes the machine from whoever sends the first signals: nothing is said before.
    let board = Board::new(name.clone(), minds && shout.is_none(), common.say);
    board.write(|progress| progress.mode = setting.mode);
    if wish == Wish::Climb || !common.chunks.concern(name) {
        board.stage(Stage::Chunks, Standing::Skipped, "");
    }
    let milestones = Milestones::default();
    if !minds {
        for stage in [Stage::Cancel, Stage::Flush] {
            board.stage(stage, Standing::Skipped, "");
        }
        milestones.pass(|passed| (passed.ready, passed.done) = (true, true));
        let mut report = Walk::new(common, wish, name, spec, &milestones, &board).after(shout).finish();
        listen_only(&milestones.passed().told, &mut report);
        return reported(&board, report);
    }
    let begun = clock::now();
    let venue = || Venue::new(common.home, &setting, common.readers, Which::All);
    std::thread::scope(|scope| {
        let minder = Minder::new(&setting, venue(), wish, common, &milestones, &board).before(shout);
        let minding = std::thread::Builder::new().spawn_scoped(scope, move || minder.mind());
        if minding.is_err() {
            // No room for a thread: the orders are seen to when the processes are gone.
            drop(DoneAtTheEnd(&milestones));
            let _ = shout.map(|shout| shout.is_ready(name));
        }
        let mut report = Walk::new(common, wish, name, spec, &milestones, &board).after(shout).finish();
        let latched = report.errors.iter().any(|error| error == LATCHED);
        let empty = !report.survived();
        milestones.pass(|passed| {
            passed.over.get_or_insert(empty);
            passed.called_off = latched;
        });
        let minded = match minding {
            Ok(minding) => minding.join().ok(),
            Err(_) => Some(Minder::new(&setting, venue(), wish, common, &milestones, &board).mind()),
        };
        match minded {
            Some(minded) => minded.into_report(&mut report),
            None => report.errors.push("what was minding its orders broke off".into()),
        }
        report.duration_ms = clock::millis(clock::now().since(begun));
        report.mode = setting.mode.or(report.mode);
        if !latched {
            summary::write(&setting, wish, &mut report);
        }
        reported(&board, report)
    })
}

/// Nothing of it is configured to be minded: what it says over its notify socket is heard all the same.
fn listen_only(told: &Told, report: &mut BotReport) {
    report.claims = told.claims();
    let flushed = compare(&report.claims, None);
    report.state_flushed = flushed.on_disk;
    report.errors.extend(flushed.error);
    report.notes.extend(flushed.note);
}

fn reported(board: &Board<'_>, report: BotReport) -> BotReport {
    for error in &report.errors {
        board.error(error);
    }
    board.write(|progress| {
        progress.waiting = None;
        progress
            .processes_left
            .retain(|pid| report.processes.iter().any(|process| process.pid == *pid && process.ended_by.is_none()));
    });
    let standing = if report.survived() { Standing::Failed } else { Standing::Done };
    board.stage(Stage::Empty, standing, if report.survived() { "" } else { "seen to be empty" });
    if !report.minded() {
        board.standing(Stage::Verify, standing);
    }
    board.stage(Stage::Report, Standing::Done, "");
    board.end();
    report
}
