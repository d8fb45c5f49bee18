//! The stopper: the process that carries one stop out, detached from whoever asked for it.
//!
//! It is told what to do over stdin and says how it goes over stdout; that nobody listens any more changes nothing. It
//! holds `stops/ID/lock` while it is at work, and leaves `stops/ID/report.json`.

mod voice;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use crate::act::procedure::{Carried, Errand, carry_out, carry_out_emergency};
use crate::cgroup;
use crate::core::status::LockSeen;
use crate::lock;
use crate::paths::Home;
use crate::sys;

use voice::Voice;

/// So many finished stops are kept in `stops/`; the event files keep every report.
const KEPT: usize = 100;

/// The whole life of a stopper process: `botwarden stopper ID`, with an [`Errand`] on stdin.
pub fn run() -> ExitCode {
    sys::close_inherited();
    // A bot that stops itself must not take its stopper along.
    cgroup::leave();
    // Where that is not possible we still stop bots; only a closed terminal could end us.
    let _ = sys::lead_session();
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    let errand: Option<Errand> = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    let Some(errand) = errand else { return ExitCode::FAILURE };
    drop(text);
    let _ = std::env::set_current_dir("/");
    let voice = Voice::new();
    let (home, code) = match errand {
        Errand::Stop(order) => {
            let home = Home::at(order.home.clone());
            (home, carry_out(&order, &mut |word| voice.say(word)).exit_code)
        }
        Errand::Emergency(order) => {
            let home = Home::at(order.home.clone());
            match carry_out_emergency(&order, &mut |word| voice.say(word)) {
                Carried::Over(report) => (home, report.exit_code),
                // Whoever asked finds the other one by himself.
                Carried::Theirs => return ExitCode::SUCCESS,
            }
        }
    };
    voice.end();
    let _ = sys::close_standard_streams();
    forget_the_oldest(&home);
    ExitCode::from(code)
}

/// Ids sort by time. Whatever is still at work holds its lock and is left alone.
fn forget_the_oldest(home: &Home) {
    let Ok(entries) = std::fs::read_dir(home.stops()) else { return };
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let surplus = folders.len().saturating_sub(KEPT);
    for folder in folders.into_iter().take(surplus).filter(|folder| is_over(folder)) {
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn is_over(folder: &Path) -> bool {
    folder.join("report.json").is_file() && lock::look(&folder.join("lock")) == LockSeen::Free
}
