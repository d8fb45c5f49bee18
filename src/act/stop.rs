//! Stopping, killing and restarting: a stopper is started, which goes on whatever becomes of whoever asked, and watched
//! until it has said how it went.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

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
        let Ok(mut stopper) = launch(order) else { break };
        let report = stopper.stdout.take().and_then(|words| watch(BufReader::new(words), tell));
        // It has its own things to see to after its last word; whoever goes on living reaps it then.
        let _ = std::thread::Builder::new().spawn(move || stopper.wait());
        if let Some(report) = report {
            return report;
        }
    }
    carry_out(order, tell)
}

fn launch(order: &StopOrder) -> Result<Child, String> {
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
    Ok(child)
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
