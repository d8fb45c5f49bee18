//! Ctrl-C ends the watching, not what is watched: keepers carry it out.

use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::act::procedure::ESTOP;
use crate::core::code::Code;

use super::output::Output;

/// Whether what is watched is carried out by this very process.
static STAYS: AtomicBool = AtomicBool::new(false);

/// From now on an interrupted command says that its work goes on, and exits with the code that means so.
pub(super) fn leave_on_interrupt(output: Output, action: &'static str) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    // Without room for a thread, an interrupted command just ends: what it asked for goes on all the same.
    let _ = std::thread::Builder::new().spawn(move || {
        // The signals stay caught, so they do not end us either.
        if signals.forever().any(|_| !STAYS.load(Ordering::Relaxed)) {
            let work = if action == "up" { "start" } else { action };
            let shows = match action {
                ESTOP => "estop status",
                _ if action.starts_with("cluster ") => "cluster status",
                _ => "status",
            };
            let work = if action == ESTOP { "emergency stop" } else { work };
            let why = format!("left; the {work} goes on without us ('botwarden {shows}' shows how far it is)");
            output.leave(action, Code::StillWorking, &why);
        }
    });
}

/// From now on nobody is left: this process itself carries out what was asked for, and a closed terminal must not end it.
pub(super) fn stay_whatever_comes() {
    STAYS.store(true, Ordering::Relaxed);
}
