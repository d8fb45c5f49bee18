//! The stopper: the process that carries one stop out, detached from whoever asked for it.
//!
//! It is told what to do over stdin and says how it goes over stdout; that nobody listens any more changes nothing. It
//! holds `stops/ID/lock` while it is at work, and leaves `stops/ID/report.json`.

mod voice;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use crate::act::procedure::{StopOrder, carry_out};
use crate::cgroup;
use crate::core::status::LockSeen;
use crate::lock::{self, Lock};
use crate::paths::{Home, make_private};
use crate::sys;

use voice::Voice;

/// So many finished stops are kept in `stops/`; the event files keep every report.
const KEPT: usize = 100;

/// The whole life of a stopper process: `botwarden stopper ID`, with a [`StopOrder`] on stdin.
pub fn run() -> ExitCode {
    sys::close_inherited();
    // A bot that stops itself must not take its stopper along.
    cgroup::leave();
    // Where that is not possible we still stop bots; only a closed terminal could end us.
    let _ = sys::lead_session();
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    let order: Option<StopOrder> = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    let Some(order) = order else { return ExitCode::FAILURE };
    drop(text);
    let _ = std::env::set_current_dir("/");
    let home = Home::at(order.home.clone());
    let lock = make_folder(&home, &order.id);
    let voice = Voice::new();
    let report = carry_out(&order, &mut |word| voice.say(word));
    // It is over, whether or not whoever asked has heard it yet.
    drop(lock);
    voice.end();
    let _ = sys::close_standard_streams();
    forget_the_oldest(&home);
    ExitCode::from(report.exit_code)
}

/// The folder of this stop, and its lock. What cannot be made is done without: the bots come first.
fn make_folder(home: &Home, id: &str) -> Option<Lock> {
    let folder = home.stop(id);
    make_private(&home.stops()).and_then(|()| make_private(&folder)).ok()?;
    Lock::take(&folder.join("lock")).ok().flatten()
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
