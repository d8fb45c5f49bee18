//! A log file that a bot writes by itself (`log_file`).
//!
//! It is somebody else's: it is only ever read, and whatever is wrong with it is told and costs nothing. It may be
//! moved away and begun anew, cut off, written over, come late, or be no file at all.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::OFlags;

use super::line::Stamps;
use super::named;
use super::read::Read;

/// Where to begin in a file that is there already. One that comes later is read from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At its start.
    Whole,
    /// So many lines before its end.
    Lines(u64),
    /// At the first line that begins no more than so many bytes before its end.
    Bytes(u64),
    /// Not after the first line that was written at this time or later.
    Since(Timestamp),
}

/// A log file, as somebody reads it.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    begin: Begin,
    open: Option<Open>,
    /// It was opened, and that was not told yet.
    begun: bool,
    /// What has taken its place; read once the old one is through.
    next: Option<Open>,
    /// Where to end, whatever is written from now on.
    until: Option<u64>,
    trouble: Option<String>,
    /// How times are read here.
    stamps: Stamps,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    /// How far it was read.
    at: u64,
    /// Its first bytes: when they change, it was written over.
    head: Vec<u8>,
}

/// How much is looked at backwards at once, and how much of a file's head is compared.
const BLOCK: u64 = 128 << 10;
pub(super) const HEAD: usize = 64;
/// Lines may stand this much out of the order of their times: clocks are put back by an hour in autumn.
const DISORDER: SignedDuration = SignedDuration::from_hours(2);

impl LogFile {
    /// Opens this file, if it can be: [`LogFile::trouble`] says why not. It is tried again with each reading.
    pub fn open(path: PathBuf, begin: Begin) -> Self {
        Self::open_with(path, begin, Stamps::new(TimeZone::system()))
    }

    /// The same, with times that are read like this.
    pub fn open_with(path: PathBuf, begin: Begin, stamps: Stamps) -> Self {
        let mut file = Self { path, begin, open: None, begun: false, next: None, until: None, trouble: None, stamps };
        file.begun = file.look();
        file
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether it could be opened.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Why it cannot be read now, as a sentence with its path.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// How far it was read.
    pub fn at(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.at)
    }

    /// How long ago it was last written to.
    pub fn quiet(&self) -> Duration {
        let modified = self.open.as_ref().and_then(|open| open.file.metadata().ok()?.modified().ok());
        modified.and_then(|modified| modified.elapsed().ok()).unwrap_or_default()
    }

    /// Ends where it ends now, as if nothing were written from now on.
    pub fn stop_here(&mut self) {
        self.until = Some(self.open.as_ref().map_or(0, |open| open.size().unwrap_or(open.at)));
    }

    /// Leaves out what is more than `most` bytes before the end; says how much that was.
    pub fn skip(&mut self, most: u64) -> u64 {
        let Some(open) = &mut self.open else { return 0 };
        let to = open.size().unwrap_or_default().saturating_sub(most);
        let skipped = to.saturating_sub(open.at);
        open.at += skipped;
        skipped
    }

    /// The next thing in it. [`Read::Run`] says that a file begins: the first one, or the one that has taken its place.
    pub fn read(&mut self, buffer: &mut [u8]) -> Read {
        if std::mem::take(&mut self.begun) {
            return Read::Run;
        }
        loop {
            let Some(open) = &mut self.open else {
                return if self.until.is_none() && self.look() { Read::Run } else { Read::End };
            };
            let room = self.until.map_or(buffer.len() as u64, |until| until.saturating_sub(open.at));
            let room = buffer.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            match open.read(buffer.get_mut(..room).unwrap_or_default()) {
                Ok(Found::Bytes(count)) => return Read::Bytes(count),
                Ok(Found::Anew) if self.until.is_some() => return Read::End,
                Ok(Found::Anew) => return Read::Run,
                Ok(Found::End) => {}
                Err(error) => {
                    self.trouble = Some(named(&self.path, error).to_string());
                    return Read::End;
                }
            }
            if self.until.is_some() {
                return Read::End;
            }
            if let Some(next) = self.next.take() {
                self.open = Some(next);
                return Read::Run;
            }
            // Seen before the last look at the old one: nothing that was written to it is missed.
            self.next = self.successor();
            if self.next.is_none() {
                return Read::End;
            }
        }
    }

    /// The bytes that come next, without moving on.
    pub fn peek(&self, buffer: &mut [u8]) -> usize {
        self.open.as_ref().and_then(|open| open.file.read_at(buffer, open.at).ok()).unwrap_or(0)
    }

    /// Opens it where it was asked to begin.
    fn look(&mut self) -> bool {
        match open_regular(&self.path).and_then(|file| Open::at(file, self.begin, &self.stamps)) {
            Ok(open) => {
                self.trouble = None;
                self.open = Some(open);
                true
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::NotFound {
                    // All that it will ever say is new.
                    self.begin = Begin::Whole;
                }
                self.trouble = Some(named(&self.path, error).to_string());
                false
            }
        }
    }

    /// What has taken its place, as soon as something is written there: whoever writes may not have turned to it yet.
    fn successor(&mut self) -> Option<Open> {
        let old = self.open.as_ref()?.id;
        let found = match std::fs::metadata(&self.path) {
            Ok(metadata) if id_of(&metadata) == old => Ok(None),
            Ok(metadata) if metadata.is_file() && metadata.len() == 0 => Ok(None),
            Ok(_) => open_regular(&self.path).and_then(|file| Open::at(file, Begin::Whole, &self.stamps)).map(Some),
            Err(error) => Err(error),
        };
        match found {
            Ok(next) => {
                self.trouble = None;
                next
            }
            // Moved away, and nothing is there instead: that is how a new one begins.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.trouble = Some(named(&self.path, error).to_string());
                None
            }
        }
    }
}

enum Found {
    Bytes(usize),
    /// It was cut off or written over: what comes is at its start.
    Anew,
    End,
}

impl Open {
    fn at(file: File, begin: Begin, stamps: &Stamps) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let size = metadata.len();
        let at = match begin {
            Begin::Whole => 0,
            Begin::Lines(lines) => last_lines(&file, size, lines)?,
            Begin::Bytes(bytes) if bytes >= size => 0,
            Begin::Bytes(bytes) => next_line(&file, size - bytes - 1)?,
            Begin::Since(time) => match metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok()) {
                Some(modified) if modified < time => size,
                Some(_) | None => since(&file, size, time, stamps)?,
            },
        };
        let mut open = Self { file, id: id_of(&metadata), at, head: Vec::new() };
        open.is_same()?;
        Ok(open)
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Found> {
        if self.size()? < self.at || !self.is_same()? {
            self.at = 0;
            self.head.clear();
            return Ok(Found::Anew);
        }
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(if count == 0 { Found::End } else { Found::Bytes(count) })
    }

    /// Whether its first bytes are those of the last time; more of them are kept as more are written.
    fn is_same(&mut self) -> io::Result<bool> {
        let mut head = [0; HEAD];
        let count = self.file.read_at(&mut head, 0)?;
        let same = head.get(..count).unwrap_or_default().starts_with(&self.head);
        if same && count > self.head.len() {
            self.head = head.get(..count).unwrap_or_default().to_vec();
        }
        Ok(same)
    }
}

/// Opens a file that is one. It is looked at first, for opening alone wakes whoever waits at the other end of a pipe,
/// and may do anything to a device; and it is never waited for.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    let check = |metadata: Metadata| match metadata.file_type() {
        kind if kind.is_file() => Ok(()),
        kind if kind.is_dir() => Err(io::Error::other("it is a folder, not a file")),
        _ => Err(io::Error::other("it is no ordinary file, and is not read")),
    };
    check(std::fs::metadata(path)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    check(file.metadata()?)?;
    Ok(file)
}

pub(super) fn id_of(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Where the last `lines` lines start. A last line without an end counts.
fn last_lines(file: &File, size: u64, lines: u64) -> io::Result<u64> {
    let (mut left, mut upper) = (lines, size);
    let mut buffer = vec![0; BLOCK as usize];
    while upper > 0 && left > 0 {
        let lower = upper.saturating_sub(BLOCK);
        let block = buffer.get_mut(..(upper - lower) as usize).unwrap_or_default();
        match file.read_exact_at(block, lower) {
            // It was cut off just now.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            read => read?,
        }
        for newline in memchr::memrchr_iter(b'\n', block) {
            let line = lower + newline as u64 + 1;
            if line < size {
                left -= 1;
                if left == 0 {
                    return Ok(line);
                }
            }
        }
        upper = lower;
    }
    Ok(if lines == 0 { size } else { 0 })
}

/// Where the next line begins after this place; there, if none does for a while.
fn next_line(file: &File, at: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK as usize];
    let count = file.read_at(&mut block, at)?;
    let newline = memchr::memchr(b'\n', block.get(..count).unwrap_or_default());
    Ok(newline.map_or(at, |newline| at + newline as u64 + 1))
}

/// A place before everything that was written since this time, and not too far before it: by the times of lines, further
/// and further from the end.
fn since(file: &File, size: u64, time: Timestamp, stamps: &Stamps) -> io::Result<u64> {
    let early = time.checked_sub(DISORDER).unwrap_or(Timestamp::MIN);
    let mut back = 1 << 20;
    let mut block = vec![0; BLOCK as usize];
    while back < size {
        let at = next_line(file, size - back)?;
        let count = file.read_at(&mut block, at)?;
        let mut lines = block.get(..count).unwrap_or_default().split(|byte| *byte == b'\n');
        if lines.find_map(|line| stamps.of(line)).is_some_and(|written| written < early) {
            return Ok(at);
        }
        back *= 4;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    /// All that comes until the end; `|` where a file begins.
    fn all(file: &mut LogFile) -> String {
        let (mut text, mut buffer) = (String::new(), [0; 7]);
        loop {
            match file.read(&mut buffer) {
                Read::Bytes(count) => text.push_str(&String::from_utf8_lossy(&buffer[..count])),
                Read::Run => text.push('|'),
                Read::Gap(_) => panic!("there are no gaps in a file"),
                Read::End => return text,
            }
        }
    }

    fn add(path: &Path, text: &str) {
        use std::io::Write;
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    }

    #[test]
    fn it_is_followed_wherever_it_goes() {
        let folder = folder();
        let path = folder.path().join("bot.log");
        let mut file = LogFile::open(path.clone(), Begin::Lines(1));
        assert!(file.trouble().is_some_and(|why| why.contains("bot.log: no such file")), "{:?}", file.trouble());
        assert_eq!(all(&mut file), "");
        add(&path, "one\ntwo\n");
        assert_eq!(all(&mut file), "|one\ntwo\n", "it came later: all of it is new");
        assert_eq!((all(&mut file), file.trouble()), (String::new(), None));
        let old = folder.path().join("bot.log.1");
        std::fs::rename(&path, &old).expect("moved");
        add(&old, "late\n");
        assert_eq!(all(&mut file), "late\n", "nothing is there instead yet");
        add(&path, "");
        add(&old, "later\n");
        assert_eq!(all(&mut file), "later\n", "nobody writes there yet");
        add(&old, "last\n");
        add(&path, "new\n");
        assert_eq!(all(&mut file), "last\n|new\n");
        std::fs::write(&path, "cut\n").expect("written");
        assert_eq!(all(&mut file), "|cut\n", "of the same length");
        std::fs::write(&path, "written over, and longer\n").expect("written");
        assert_eq!(all(&mut file), "|written over, and longer\n");
        std::fs::write(&path, "").expect("written");
        assert_eq!(all(&mut file), "|");
        add(&path, "end\n");
        assert_eq!(all(&mut file), "end\n");
    }

    #[test]
    fn it_begins_where_it_is_asked_to() {
        let folder = folder();
        let path = folder.path().join("bot.log");
        add(&path, "one\ntwo\nthree\nhalf");
        for (begin, shown) in [
            (Begin::Whole, "|one\ntwo\nthree\nhalf"),
            (Begin::Lines(0), "|"),
            (Begin::Lines(2), "|three\nhalf"),
            (Begin::Lines(9), "|one\ntwo\nthree\nhalf"),
            (Begin::Bytes(4), "|half"),
            (Begin::Bytes(9), "|half"),
            (Begin::Bytes(10), "|three\nhalf"),
            (Begin::Bytes(18), "|one\ntwo\nthree\nhalf"),
            (Begin::Bytes(99), "|one\ntwo\nthree\nhalf"),
            (Begin::Since(Timestamp::MAX), "|"),
            (Begin::Since(Timestamp::MIN), "|one\ntwo\nthree\nhalf"),
        ] {
            let mut file = LogFile::open(path.clone(), begin);
            file.stop_here();
            add(&path, "");
            assert_eq!(all(&mut file), shown, "{begin:?}");
        }
    }

    #[test]
    fn what_is_old_in_a_big_one_is_not_read() {
        let folder = folder();
        let path = folder.path().join("bot.log");
        let line = |hour: u64| format!("2020-11-{:02}T{:02}:00:00Z {}\n", hour / 24 + 1, hour % 24, "x".repeat(20_000));
        add(&path, &(0..700).map(line).collect::<String>());
        let file = LogFile::open(path, Begin::Since("2020-11-29T12:00:00Z".parse().expect("a time")));
        assert!(file.at() > 12 << 20, "{}", file.at());
        let mut block = [0; 13];
        assert_eq!(file.peek(&mut block), 13);
        assert!(block.starts_with(b"2020-11-2"), "{block:?}");
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = folder();
        let mut file = LogFile::open(folder.path().to_owned(), Begin::Whole);
        assert!(file.trouble().is_some_and(|why| why.ends_with("it is a folder, not a file")), "{:?}", file.trouble());
        assert_eq!(all(&mut file), "");
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).expect("a pipe");
        let file = LogFile::open(pipe, Begin::Whole);
        assert!(file.trouble().is_some_and(|why| why.contains("no ordinary file")), "{:?}", file.trouble());
    }
}
