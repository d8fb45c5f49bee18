//! Follows the newest log of a folder: its last part first, then what is added, then the next run's.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::paths;

use super::whole_lines::WholeLines;

/// No more than this is read at one time; what is added faster is skipped, and counted.
const MOST: u64 = 64 << 10;

/// What may happen to a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailEvent {
    /// The log of a run was opened.
    Opened {
        /// The run.
        run: String,
        /// Whether the first line that follows is its first.
        whole: bool,
        /// How long ago it was last written to.
        quiet: Duration,
    },
    /// Whole lines, as the bot wrote them.
    Lines(Vec<String>),
    /// So many bytes came too fast to be shown.
    Skipped(u64),
    /// It cannot be read; the text says why.
    Missing(String),
    /// A log file that the bot writes by itself was opened, or begins anew.
    FileOpened {
        /// Its name.
        name: String,
        /// Whether the first line that follows is its first.
        whole: bool,
        /// How long ago it was last written to.
        quiet: Duration,
    },
    /// Whole lines of that file.
    FileLines(Vec<String>),
    /// That file cannot be read.
    FileMissing {
        /// Its name.
        name: String,
        /// Why, with its path.
        why: String,
    },
}

/// A log that is being followed.
pub struct Tail {
    folder: PathBuf,
    /// Logs of this run and of earlier ones do not count.
    after: Option<String>,
    open: Option<Open>,
}

struct Open {
    name: String,
    file: File,
    /// How far it was read.
    at: u64,
    lines: WholeLines,
}

impl Tail {
    /// Of the newest log in this folder, once there is one.
    pub fn of(folder: PathBuf) -> Self {
        Self { folder, after: None, open: None }
    }

    /// Leaves out what this run and earlier ones have written, unless it is followed already.
    pub fn only_after(&mut self, run: Option<String>) {
        self.after = run;
    }

    /// Whether what it writes now goes somewhere else.
    pub fn is_elsewhere(&self) -> bool {
        self.after.is_some() && self.open.is_none()
    }

    /// What there is to say since the last time.
    pub fn news(&mut self) -> Vec<TailEvent> {
        let mut news = Vec::new();
        if let Err(error) = self.gather(&mut news) {
            news.push(TailEvent::Missing(paths::words(&error)));
        }
        news
    }

    fn gather(&mut self, news: &mut Vec<TailEvent>) -> io::Result<()> {
        let Some(newest) = newest(&self.folder, self.after.as_deref())? else {
            if self.open.is_none() {
                news.push(TailEvent::Missing("it has written no log yet".into()));
            }
            return Ok(());
        };
        if let Some(open) = &mut self.open {
            open.read(news)?;
        }
        if self.open.as_ref().is_none_or(|open| open.name < newest) {
            let file = File::open(self.folder.join(&newest))?;
            let metadata = file.metadata()?;
            let at = metadata.len().saturating_sub(MOST);
            let run = newest.trim_end_matches(".log").to_owned();
            let quiet = metadata.modified()?.elapsed().unwrap_or_default();
            news.push(TailEvent::Opened { run, whole: at == 0, quiet });
            let mut open = Open { name: newest, file, at, lines: WholeLines::default() };
            open.first(news)?;
            self.open = Some(open);
        }
        Ok(())
    }
}

impl Open {
    /// The last part of what is there already: from the first whole line on, without the hole at its beginning.
    fn first(&mut self, news: &mut Vec<TailEvent>) -> io::Result<()> {
        let whole = self.at == 0;
        let mut bytes = self.take()?;
        let hole = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.drain(..hole);
        if !whole && hole == 0 {
            let start = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            bytes.drain(..start);
        }
        self.tell(&bytes, news);
        Ok(())
    }

    fn read(&mut self, news: &mut Vec<TailEvent>) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        let added = size.saturating_sub(self.at);
        if added > MOST {
            news.push(TailEvent::Skipped(added - MOST));
            self.lines.clear();
            self.at = size - MOST;
            return self.first(news);
        }
        if added > 0 {
            let bytes = self.take()?;
            self.tell(&bytes, news);
        }
        Ok(())
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; MOST as usize];
        let count = self.file.read_at(&mut bytes, self.at)?;
        bytes.truncate(count);
        self.at += count as u64;
        Ok(bytes)
    }

    fn tell(&mut self, bytes: &[u8], news: &mut Vec<TailEvent>) {
        let lines = self.lines.take(bytes);
        if !lines.is_empty() {
            news.push(TailEvent::Lines(lines));
        }
    }
}

/// The name of the newest run's log: run ids sort by time.
fn newest(folder: &std::path::Path, after: Option<&str>) -> io::Result<Option<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.strip_suffix(".log").is_some_and(|run| after.is_none_or(|after| run > after)))
        .max())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(news: Vec<TailEvent>) -> Vec<String> {
        news.into_iter()
            .flat_map(|event| match event {
                TailEvent::Lines(lines) => lines,
                TailEvent::Opened { run, .. } => vec![format!("opened {run}")],
                TailEvent::Skipped(bytes) => vec![format!("skipped {bytes}")],
                TailEvent::Missing(why) => vec![why],
                TailEvent::FileOpened { .. } | TailEvent::FileLines(_) | TailEvent::FileMissing { .. } => vec![],
            })
            .collect()
    }

    #[test]
    fn whole_lines_come_once_and_a_new_run_follows_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tail = Tail::of(folder.path().join("log"));
        assert_eq!(lines(tail.news()), ["it has written no log yet"]);
        std::fs::create_dir(folder.path().join("log")).expect("a folder");
        let mut file = File::create(folder.path().join("log/1.log")).expect("a file");
        file.write_all(b"\0\0\0\0one\ntwo\nhal").expect("written");
        assert_eq!(lines(tail.news()), ["opened 1", "one", "two"]);
        assert_eq!(lines(tail.news()), [] as [&str; 0]);
        file.write_all(b"f\n\xff\n").expect("written");
        assert_eq!(lines(tail.news()), ["half", "\u{fffd}"]);
        file.write_all(b"last\n").expect("written");
        std::fs::write(folder.path().join("log/2.log"), "new\n").expect("written");
        assert_eq!(lines(tail.news()), ["last", "opened 2", "new"]);
    }

    #[test]
    fn a_flood_is_skipped_with_a_count_and_never_lagged_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1.log");
        std::fs::write(&path, "start\n").expect("written");
        let mut tail = Tail::of(folder.path().to_owned());
        tail.news();
        std::fs::write(&path, format!("start\n{}the end\n", "flood\n".repeat(100_000))).expect("written");
        let seen = lines(tail.news());
        assert!(seen[0].starts_with("skipped "), "{}", seen[0]);
        assert_eq!(seen.last().map(String::as_str), Some("the end"));
        assert!(seen[1..].iter().all(|line| line == "flood" || line == "the end"));
    }
}
