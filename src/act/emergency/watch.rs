//! Watching an emergency stop that somebody carries out, and reading what became of the last one.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;

use crate::act::procedure::StopWord;
use crate::beacon::{self, Call};
use crate::core::report::Report;
use crate::doctor;
use crate::latch;
use crate::paths::Home;

/// Whether an emergency stop, or a drill, of this desk is being carried out: whoever does it has the beacon, or, where
/// somebody else sits on its address, the lock of the one that the latch names.
pub fn is_under_way(home: &Home) -> bool {
    matches!(beacon::call(home), Call::Answered(_) | Call::Silent(_)) || doctor::at_work(home, &latch::look(home))
}

/// Watches the one that is being carried out, from its beginning. Its last word comes back; nothing if there is none, or
/// if whoever carried it out died before its end.
pub fn watch(home: &Home, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Option<Report> {
    match beacon::call(home) {
        Call::Answered(words) => hear(words, tell),
        Call::Silent(_) | Call::Nobody => None,
    }
}

/// Hears one out.
pub(super) fn hear(words: BufReader<UnixStream>, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Option<Report> {
    for line in words.lines() {
        let word: StopWord = serde_json::from_str(&line.ok()?).ok()?;
        tell(&word);
        if let StopWord::Over(report) = word {
            return Some(*report);
        }
    }
    None
}

/// What became of the emergency stop that the latch names; nothing where that was not written down, or not yet.
pub fn last_report(home: &Home) -> Option<Report> {
    let seen = latch::look(home);
    let text = std::fs::read(home.stop(&seen.latch()?.id).join("report.json")).ok()?;
    serde_json::from_slice(&text).ok()
}
