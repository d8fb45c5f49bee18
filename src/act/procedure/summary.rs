//! The last line of a run's log: what became of the bot's orders and its state, where its own last words stand.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::clock;
use crate::core::report::{BotReport, StopOutcome};
use crate::core::stop::Wish;
use crate::paths::words;

use super::setting::Setting;

/// Appends it to the log of the run that was ended. That it cannot be written is an error of the report.
pub(super) fn write(setting: &Setting, wish: Wish, report: &mut BotReport) {
    let ended = matches!(report.outcome, Some(StopOutcome::Stopped | StopOutcome::Survived));
    let Some(log) = setting.own_log.as_ref().filter(|_| ended && report.minded()) else { return };
    let now = clock::wall().strftime("%Y-%m-%d %H:%M:%SZ");
    let line = format!("{now} botwarden: {} of {}: {}", wish.word(), report.name, report.summary(wish.word()));
    match append(log, &line) {
        Ok(()) => {}
        // It was never kept here, or was archived whole.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => report.errors.push(format!("the summary cannot be written to its log: {}", words(&error))),
    }
}

/// The file is appended to by everybody, and one write is one line.
fn append(log: &Path, line: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().append(true).read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(log)?;
    let size = file.metadata()?.len();
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    let before = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{before}{line}\n").as_bytes())
}
