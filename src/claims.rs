//! Listens to what a bot writes while it shuts down: its output, and a log file of its own.
//!
//! Only what is written after the beginning counts, for the last shutdown stands in the same files. Whatever is wrong
//! with a file costs what it would have said, and nothing else.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::core::bot::Claims;
use crate::core::claims::{Reader, together};
use crate::core::report::ClaimsReport;
use crate::logs::harmless::harmless;
use crate::paths::words;

/// No more than this is read of a file at one look, so that a bot that floods its log delays nobody.
const MOST: u64 = 4 << 20;
/// What is behind by more than this at the end is left out: last words come last.
const LAST: u64 = 16 << 20;
/// As much is read at once.
const BLOCK: usize = 256 << 10;
/// So many files that took each other's place are followed at one look.
const TURNS: usize = 16;
/// A line longer than this is cut.
const LONGEST: usize = 64 << 10;

/// Follows files for what a bot claims.
#[derive(Debug)]
pub struct LogClaims {
    files: Vec<Listened>,
}

#[derive(Debug)]
struct Listened {
    path: PathBuf,
    reader: Reader,
    open: Option<Open>,
    /// The beginning of a line that has no end yet.
    half: Vec<u8>,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    at: u64,
}

impl LogClaims {
    /// Notes where these files end now. One that is not there is listened to from its start when it comes.
    pub fn begin(files: Vec<PathBuf>, claims: Option<&Claims>) -> Self {
        // Each file has a reader of its own: a bot that logs to both would be counted twice.
        let files = files.into_iter().map(|path| Listened::begin(path, claims)).collect();
        Self { files }
    }

    /// Takes in the whole lines that were written since the last look.
    pub fn poll(&mut self) {
        self.files.iter_mut().for_each(|file| file.look(MOST));
    }

    /// Takes in everything that is left, with a last line that has no end: nobody writes any more.
    pub fn finish(&mut self) {
        self.files.iter_mut().for_each(Listened::finish);
    }

    /// What was claimed so far, in all files together.
    pub fn heard(&self) -> ClaimsReport {
        together(self.files.iter().map(|file| file.reader.heard()))
    }

    /// Lines of the shutdown that are worth showing; what several files have is in it once.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for line in self.files.iter().flat_map(|file| file.reader.lines()) {
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        lines
    }

    /// Those of its lines that tell of something that went wrong; what several files have is in it once.
    pub fn went_wrong(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for line in self.files.iter().flat_map(|file| file.reader.went_wrong()) {
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        lines
    }

    /// Why a file cannot be listened to, as a sentence with its path. That it is not there is no trouble.
    pub fn trouble(&self) -> Option<&str> {
        self.files.iter().find_map(|file| file.trouble.as_deref())
    }
}

impl Listened {
    fn begin(path: PathBuf, claims: Option<&Claims>) -> Self {
        let mut listened = Self { path, reader: Reader::new(claims), open: None, half: Vec::new(), trouble: None };
        listened.open = listened.opened(Metadata::len);
        listened
    }

    /// Reads what is new, as far as it may.
    fn look(&mut self, most: u64) {
        let (mut room, mut turns) = (most, TURNS);
        if self.open.is_none() {
            self.open = self.opened(|_| 0);
        }
        while room > 0 {
            let read = self.read(room);
            room = room.saturating_sub(read);
            if read == 0 {
                turns -= 1;
                if turns == 0 || !self.turn_over() {
                    return;
                }
            }
        }
    }

    fn finish(&mut self) {
        if let Some(open) = &mut self.open {
            let size = open.file.metadata().map_or(0, |metadata| metadata.len());
            let late = size.saturating_sub(LAST);
            if late > open.at {
                open.at = late;
                self.half.clear();
            }
        }
        self.look(LAST + MOST);
        let rest = std::mem::take(&mut self.half);
        self.hear(&rest);
    }

    /// Reads one block; says how much that was. A file that was cut off is read from its start.
    fn read(&mut self, room: u64) -> u64 {
        let Some(open) = &mut self.open else { return 0 };
        let mut block = vec![0; BLOCK.min(usize::try_from(room).unwrap_or(BLOCK))];
        let read = open.file.metadata().and_then(|metadata| {
            if metadata.len() < open.at {
                open.at = 0;
                self.half.clear();
            }
            open.file.read_at(&mut block, open.at)
        });
        match read {
            Ok(count) => {
                open.at += count as u64;
                block.truncate(count);
                self.take(&block);
                count as u64
            }
            Err(error) => {
                self.trouble = Some(told(&self.path, &error));
                0
            }
        }
    }

    /// Whether another file has taken the place of the one that was read to its end; it is read from its start.
    fn turn_over(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        let replaced = std::fs::metadata(&self.path).is_ok_and(|now| now.is_file() && id_of(&now) != open.id);
        if !replaced {
            return false;
        }
        let Some(next) = self.opened(|_| 0) else { return false };
        // Whoever moved the old one away does not go on with its last line.
        let rest = std::mem::take(&mut self.half);
        self.hear(&rest);
        self.open = Some(next);
        true
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            self.lengthen(line);
            let line = std::mem::take(&mut self.half);
            self.hear(&line);
        }
        self.lengthen(bytes);
    }

    /// Ranges that a keeper has archived read as zeros: they are no part of any line.
    fn lengthen(&mut self, bytes: &[u8]) {
        let room = LONGEST.saturating_sub(self.half.len());
        self.half.extend(bytes.iter().filter(|byte| **byte != 0).take(room));
    }

    fn hear(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            self.reader.hear(&harmless(line));
        }
    }

    /// Opens the file, if it is one, and begins where `at` says.
    fn opened(&mut self, at: impl Fn(&Metadata) -> u64) -> Option<Open> {
        match open_regular(&self.path) {
            Ok((file, metadata)) => {
                self.trouble = None;
                Some(Open { file, id: id_of(&metadata), at: at(&metadata) })
            }
            Err(error) => {
                self.trouble = (error.kind() != io::ErrorKind::NotFound).then(|| told(&self.path, &error));
                None
            }
        }
    }
}

/// Opening a pipe or a device can wait for ever, or set something off: only a file is opened.
fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let no_file = || io::Error::other("not a regular file");
    if !std::fs::metadata(path)?.is_file() {
        return Err(no_file());
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(no_file()) }
}

fn id_of(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn told(path: &Path, error: &io::Error) -> String {
    format!("{}: {}", path.display(), words(error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    struct Desk {
        folder: tempfile::TempDir,
    }

    impl Desk {
        fn new() -> Self {
            Self { folder: tempfile::tempdir().expect("a folder") }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, name: &str, text: &[u8]) {
            let mut file =
                OpenOptions::new().append(true).create(true).open(self.path(name)).expect("a file to append to");
            file.write_all(text).expect("written");
        }

        fn listen(&self, names: &[&str]) -> LogClaims {
            let files = names.iter().map(|name| self.path(name)).collect();
            LogClaims::begin(files, Some(&Claims::Preset("247trader".into())))
        }
    }

    fn canceled(claims: &LogClaims) -> Option<u64> {
        claims.heard().orders_canceled
    }

    #[test]
    fn only_whole_lines_that_are_new_count() {
        let desk = Desk::new();
        desk.append("log", b"Orders canceled: 9\n");
        let mut claims = desk.listen(&["log"]);
        claims.poll();
        assert_eq!(canceled(&claims), None);
        desk.append("log", b"Orders canceled: 1");
        claims.poll();
        assert_eq!(canceled(&claims), None);
        desk.append("log", b"2\r\nState flushed: True");
        claims.poll();
        assert_eq!((canceled(&claims), claims.heard().state_flushed), (Some(12), None));
        claims.finish();
        assert_eq!(claims.heard().state_flushed, Some(true));
        assert_eq!(claims.lines(), ["Orders canceled: 12", "State flushed: True"]);
    }

    #[test]
    fn a_file_that_comes_is_cut_off_or_replaced_is_read_from_its_start() {
        let desk = Desk::new();
        let mut claims = desk.listen(&["log"]);
        claims.poll();
        assert_eq!(claims.trouble(), None);
        desk.append("log", b"Orders canceled: 1\nand more text\n");
        claims.poll();
        assert_eq!(canceled(&claims), Some(1));
        fs::write(desk.path("log"), "Orders canceled: 2\n").expect("cut off and written");
        claims.poll();
        assert_eq!(canceled(&claims), Some(2));
        desk.append("log", b"Cancel errors: 7");
        fs::rename(desk.path("log"), desk.path("log.1")).expect("moved away");
        desk.append("log", b"Orders canceled: 3\n");
        claims.poll();
        // What the old one said last is not lost.
        assert_eq!((canceled(&claims), claims.heard().cancel_errors), (Some(3), Some(7)));
    }

    #[test]
    fn holes_colours_and_endless_lines_do_not_stand_in_the_way() {
        let desk = Desk::new();
        let mut claims = desk.listen(&["log"]);
        desk.append("log", &vec![0; 3 << 20]);
        desk.append("log", b"\x1b[33mOrders canceled: 4\x1b[0m\n");
        desk.append("log", &vec![b'x'; 1 << 20]);
        desk.append("log", b"\nCancel errors: 0\n");
        claims.poll();
        claims.poll();
        assert_eq!((canceled(&claims), claims.heard().cancel_errors), (Some(4), Some(0)));
    }

    #[test]
    fn a_flood_delays_nobody_and_the_last_words_are_heard() {
        let desk = Desk::new();
        let mut claims = desk.listen(&["log"]);
        desk.append("log", &[b"no interest ".repeat(400).as_slice(), b"\n"].concat().repeat(2000));
        desk.append("log", b"Orders canceled: 5\n");
        claims.poll();
        assert_eq!(claims.files[0].open.as_ref().map(|open| open.at), Some(MOST));
        claims.finish();
        assert_eq!(canceled(&claims), Some(5));
    }

    #[test]
    fn two_files_that_say_the_same_count_once() {
        let desk = Desk::new();
        let mut claims = desk.listen(&["out", "own"]);
        for name in ["out", "own"] {
            desk.append(name, b"Batch canceled 3 orders\nFailed to cancel order a: b\n");
        }
        claims.poll();
        assert_eq!((canceled(&claims), claims.heard().cancel_errors), (Some(3), Some(1)));
        assert_eq!(claims.lines().len(), 2);
    }

    #[test]
    fn a_pipe_is_never_opened() {
        let desk = Desk::new();
        let pipe = desk.path("log");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a pipe");
        let mut claims = desk.listen(&["log"]);
        claims.poll();
        claims.finish();
        assert!(claims.trouble().expect("trouble").contains("not a regular file"));
        assert_eq!(claims.heard(), ClaimsReport::default());
    }
}
