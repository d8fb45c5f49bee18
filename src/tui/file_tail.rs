//! Follows a log file that a bot writes by itself: its last part first, then what is added, wherever it goes.

use std::path::PathBuf;

use crate::logs::file::{Begin, LogFile};
use crate::logs::read::Read;

use super::tail::TailEvent;
use super::whole_lines::WholeLines;

/// No more than this is read at one time; what is added faster is skipped, and counted.
const MOST: usize = 64 << 10;

/// A file that is being followed.
pub(super) struct FileTail {
    file: LogFile,
    lines: WholeLines,
    buffer: Vec<u8>,
    /// What was said to be wrong.
    said: Option<String>,
}

impl FileTail {
    /// Of this file, whether it is there or not.
    pub(super) fn of(path: PathBuf) -> Self {
        let file = LogFile::open(path, Begin::Bytes(MOST as u64));
        Self { file, lines: WholeLines::default(), buffer: vec![0; MOST], said: None }
    }

    /// What there is to say since the last time. Lines come last.
    pub(super) fn news(&mut self) -> Vec<TailEvent> {
        let mut news = Vec::new();
        let mut lines = Vec::new();
        let skipped = self.file.skip(MOST as u64);
        if skipped > 0 {
            news.push(TailEvent::Skipped(skipped));
            self.lines.clear();
        }
        let mut room = MOST;
        while room > 0 {
            match self.file.read(self.buffer.get_mut(..room).unwrap_or_default()) {
                Read::Bytes(count) => {
                    room -= count;
                    lines.extend(self.lines.take(self.buffer.get(..count).unwrap_or_default()));
                }
                Read::Run => {
                    lines.extend(self.lines.rest());
                    if !lines.is_empty() {
                        news.push(TailEvent::FileLines(std::mem::take(&mut lines)));
                    }
                    let (name, whole) = (self.file.name(), self.file.at() == 0);
                    news.push(TailEvent::FileOpened { name, whole, quiet: self.file.quiet() });
                }
                Read::Gap(_) => {}
                Read::End => break,
            }
        }
        let trouble = self.file.trouble().map(str::to_owned);
        if let Some(why) = trouble.clone().filter(|_| trouble != self.said) {
            news.push(TailEvent::FileMissing { name: self.file.name(), why });
        }
        self.said = trouble;
        if !lines.is_empty() {
            news.push(TailEvent::FileLines(lines));
        }
        news
    }
}
