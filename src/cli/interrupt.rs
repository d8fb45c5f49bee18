//! Ctrl-C ends the watching, not what is watched: keepers carry it out.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::core::code::Code;

use super::output::Output;

/// From now on an interrupted command says that its work goes on, and exits with the code that means so.
pub(super) fn leave_on_interrupt(output: Output, action: &'static str) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    // Without room for a thread, an interrupted command just ends: what it asked for goes on all the same.
    let _ = std::thread::Builder::new().spawn(move || {
        if signals.forever().next().is_some() {
            let work = if action == "up" { "start" } else { action };
            let why = format!("left; the {work} goes on without us ('botwarden status' shows how far it is)");
            output.leave(action, Code::StillWorking, &why);
        }
    });
}
