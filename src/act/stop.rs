//! Stopping, killing and restarting: a stopper is started, which goes on whatever becomes of whoever asked, and watched
//! until it has said how it went.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{ChildStdout, Command, Stdio};

use crate::core::protocol::{KEEPER_NAME, STOPPER_ROLE};
use crate::core::report::Report;
use crate::paths::words;
use crate::process::MARK;

use super::procedure::{StopOrder, StopWord, carry_out};

/// A stopper that dies is followed by another one so often; then whoever asked does it himself.
const STOPPERS: usize = 3;

/// Has it done; `tell` hears how it goes, and the report, which was the last word, comes back.
pub fn stop(order: &StopOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Report {
    for _ in 0..STOPPERS {
        // No room for a process: what has to be stopped is stopped from here.
        let Ok(words) = launch(order) else { break };
        if let Some(report) = watch(words, tell) {
            return report;
        }
    }
    carry_out(order, tell)
}

fn launch(order: &StopOrder) -> Result<BufReader<ChildStdout>, String> {
    let text = serde_json::to_vec(order).map_err(|error| error.to_string())?;
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(KEEPER_NAME)
        .args([STOPPER_ROLE, &order.id])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for name in MARK.iter().chain(&["BOTWARDEN_INSTANCE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| words(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that died before it had read everything says nothing, and is followed by another.
        let _ = stdin.write_all(&text);
    }
    let stdout = child.stdout.take().ok_or("cannot hear it")?;
    // The process that was started ends as soon as the stopper has detached itself from it.
    let _ = child.wait();
    Ok(BufReader::new(stdout))
}

/// Hears a stopper out; nothing if it died before its last word.
fn watch(stopper: BufReader<ChildStdout>, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Option<Report> {
    for line in stopper.lines() {
        let word: StopWord = serde_json::from_str(&line.ok()?).ok()?;
        tell(&word);
        if let StopWord::Over(report) = word {
            return Some(*report);
        }
    }
    None
}
