//! Who coordinates a small parameter sweep: makes its table, and adds work as it runs low.

use std::process::ExitCode;
use std::time::Duration;

use super::sweep::{Sweep, told};
use super::voice::Voice;
use super::waiter::Waiter;

/// The time between two looks at the table.
const PACE: Duration = Duration::from_secs(2);
/// With fewer chunks waiting, more are added.
const LOW: i64 = 10;
const MORE: i64 = 30;
/// It tells how things stand every so many looks.
const TELLS_EVERY: u32 = 5;

/// Its whole life.
pub(super) fn live() -> Result<ExitCode, String> {
    let mut waiter = Waiter::listen().map_err(|error| format!("cannot hear signals: {error}"))?;
    let voice = Voice::new("coordinator");
    voice.info("starting, simulated parameter sweep");
    let mut sweep = Sweep::make().map_err(|error| told(&error))?;
    voice.tell("READY=1");
    let mut turn: u32 = 0;
    loop {
        match look(&mut sweep, &voice, turn) {
            Ok(()) => {}
            Err(error) => voice.warning(&told(&error)),
        }
        turn = turn.wrapping_add(1);
        if waiter.wait(PACE) {
            voice.tell("STOPPING=1");
            voice.info("SIGTERM received: no more chunks are handed out");
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn look(sweep: &mut Sweep, voice: &Voice, turn: u32) -> rusqlite::Result<()> {
    let [pending, running, completed, failed] = sweep.counts()?;
    voice.tell(&format!("WATCHDOG=1\nSTATUS={completed} chunks completed, {pending} wait"));
    if turn.is_multiple_of(TELLS_EVERY) {
        voice.info(&format!("{pending} pending, {running} running, {completed} completed, {failed} failed"));
    }
    if pending < LOW {
        sweep.add(MORE)?;
        voice.info(&format!("only {pending} chunks wait: added {MORE}"));
    }
    Ok(())
}
