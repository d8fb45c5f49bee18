//! Reads a bot's whole output: every run, its archives and its live log, while keepers archive, free and remove.
//!
//! No lock stands between readers and archivists. A reader may find zeros where the live log was freed a moment ago;
//! but a range is freed only after its archive has its name. So when a block of a live log has a zero in it, the
//! folder is listed again: what is covered by an archive now is read from there, and zeros that are left were written
//! by the bot.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::Errno;

use super::{first_kept, list, named};
use crate::core::archive::{Archive, Name, Span};

/// A place in a bot's output. Positions sort in the order of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The run.
    pub run: String,
    /// Offset in the run's output.
    pub offset: u64,
}

/// The pieces of one run's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    id: String,
    /// Those that hold something, in order.
    archives: Vec<Span>,
    /// From here on the live log counts.
    archived: u64,
    live: bool,
}

impl Run {
    /// The archive that has this offset.
    fn archive(&self, offset: u64) -> Option<Span> {
        self.archives.iter().copied().find(|span| span.start <= offset && offset < span.end)
    }
}

/// What was found at one place.
enum Found {
    /// So many bytes of output.
    Bytes(usize),
    /// Nothing before this offset: it was removed.
    Gap(u64),
    /// The run's output ends here, for now.
    End,
}

/// The file that was read last.
#[derive(Debug)]
struct Open {
    run: String,
    /// Which archive; none is the live log.
    span: Option<Span>,
    file: File,
}

/// A bot's log folder, and what lies in it.
#[derive(Debug)]
pub struct LogSet {
    folder: PathBuf,
    runs: Vec<Run>,
    /// Where live logs begin whose archives somebody removed by hand.
    heads: BTreeMap<String, u64>,
    open: Option<Open>,
}

/// How much is read backwards at once.
const BLOCK: u64 = 128 << 10;

impl LogSet {
    /// Lists this folder. One that is not there is as good as an empty one.
    ///
    /// # Errors
    /// If it cannot be listed, with a sentence that names it.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut set = Self::unlisted(folder);
        set.refresh()?;
        Ok(set)
    }

    /// This folder, not listed yet.
    pub(super) fn unlisted(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), runs: Vec::new(), heads: BTreeMap::new(), open: None }
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lists the folder again.
    ///
    /// # Errors
    /// If it cannot be listed, with a sentence that names it.
    pub fn refresh(&mut self) -> io::Result<()> {
        let pieces = list(&self.folder, false)?;
        let mut runs: BTreeMap<String, Run> = BTreeMap::new();
        for Archive { run, span } in pieces.archives {
            let run = runs.entry(run.clone()).or_insert_with(|| Run { id: run, ..Run::default() });
            run.archived = run.archived.max(span.end);
            if !span.is_empty() {
                run.archives.push(span);
            }
        }
        for live in pieces.lives {
            let id = live.run;
            runs.entry(id.clone()).or_insert_with(|| Run { id, ..Run::default() }).live = true;
        }
        self.runs = runs.into_values().collect();
        for (id, head) in &self.heads {
            if let Some(run) = self.runs.iter_mut().find(|run| run.id == *id) {
                run.archived = run.archived.max(*head);
            }
        }
        Ok(())
    }

    /// The runs that something is kept of, oldest first.
    pub fn runs(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.runs.iter().map(|run| run.id.as_str())
    }

    /// The kept parts of one run's output, in order, those that follow one another as one.
    ///
    /// # Errors
    /// If the live log's length cannot be read, with a sentence that names it.
    pub fn parts(&self, run: &str) -> io::Result<Vec<Span>> {
        let Some(run) = self.run(run) else { return Ok(Vec::new()) };
        let mut parts: Vec<Span> = Vec::new();
        let live = Span { start: run.archived, end: self.length(run)? };
        for part in run.archives.iter().copied().chain([live]).filter(|part| !part.is_empty()) {
            match parts.last_mut() {
                Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
                Some(_) | None => parts.push(part),
            }
        }
        Ok(parts)
    }

    /// Up to where this run's output is archived, kept or not.
    pub(super) fn archived(&self, run: &str) -> u64 {
        self.run(run).map_or(0, |run| run.archived)
    }

    /// Where the kept output begins.
    ///
    /// # Errors
    /// If a live log's length cannot be read, with a sentence that names it.
    pub fn start(&self) -> io::Result<Position> {
        for run in &self.runs {
            if let Some(first) = self.parts(&run.id)?.first() {
                return Ok(Position { run: run.id.clone(), offset: first.start });
            }
        }
        self.end()
    }

    /// Where the output ends now.
    ///
    /// # Errors
    /// If the live log's length cannot be read, with a sentence that names it.
    pub fn end(&self) -> io::Result<Position> {
        match self.runs.last() {
            Some(run) => Ok(Position { run: run.id.clone(), offset: self.length(run)? }),
            None => Ok(Position::default()),
        }
    }

    /// Where the last `lines` lines of the output start. A last line without an end counts; so does one that a run
    /// left unfinished.
    ///
    /// # Errors
    /// If a piece cannot be read, with a sentence that names it.
    pub fn tail(&mut self, lines: u64) -> io::Result<Position> {
        let end = self.end()?;
        self.back(&end, lines)
    }

    /// Where the `lines` lines before this position start; the start of what is kept if there are fewer.
    ///
    /// # Errors
    /// If a piece cannot be read, with a sentence that names it.
    pub fn back(&mut self, from: &Position, lines: u64) -> io::Result<Position> {
        let mut left = lines;
        let mut at = from.clone();
        if left == 0 {
            return Ok(at);
        }
        let ids: Vec<String> = self.runs().filter(|run| *run <= from.run.as_str()).map(str::to_owned).collect();
        let mut buffer = vec![0; BLOCK as usize];
        for id in ids.into_iter().rev() {
            for part in self.parts(&id)?.into_iter().rev() {
                let end = if id == from.run { part.end.min(from.offset) } else { part.end };
                let mut start = part.start;
                let mut upper = end;
                while upper > start {
                    let lower = upper.saturating_sub(BLOCK).max(start);
                    let first = self.fill(&id, lower, &mut buffer[..(upper - lower) as usize])?;
                    if first > lower {
                        // Removed while we read: the output begins after it now.
                        start = first.min(upper);
                    }
                    let block = &buffer[(start.max(lower) - lower) as usize..(upper - lower) as usize];
                    for newline in memchr::memrchr_iter(b'\n', block) {
                        let line = start.max(lower) + newline as u64 + 1;
                        if line < end {
                            left -= 1;
                            if left == 0 {
                                return Ok(Position { run: id, offset: line });
                            }
                        }
                    }
                    upper = lower.max(start);
                }
                if start < end {
                    at = Position { run: id.clone(), offset: start };
                    left -= 1;
                    if left == 0 {
                        return Ok(at);
                    }
                }
            }
        }
        Ok(at)
    }

    /// The start of the first piece that something was written to at this time or later: everything before it is
    /// older.
    ///
    /// # Errors
    /// If a piece cannot be looked at, with a sentence that names it.
    pub fn since(&self, time: SystemTime) -> io::Result<Position> {
        for run in &self.runs {
            for span in &run.archives {
                let path = self.path(&run.id, Some(*span));
                match std::fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                    Ok(modified) if modified < time => {}
                    Ok(_) => return Ok(Position { run: run.id.clone(), offset: span.start }),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(named(&path, error)),
                }
            }
            let path = self.path(&run.id, None);
            match std::fs::metadata(&path).and_then(|metadata| metadata.modified()) {
                Ok(modified) if modified < time => {}
                Ok(_) => return Ok(Position { run: run.id.clone(), offset: run.archived }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named(&path, error)),
            }
        }
        self.end()
    }

    /// When this run's output was last written to.
    pub(super) fn written(&self, run: &str) -> Option<SystemTime> {
        let run = self.run(run)?;
        let span = if run.live { None } else { run.archives.last().copied() };
        std::fs::metadata(self.path(&run.id, span)).and_then(|metadata| metadata.modified()).ok()
    }

    /// A reader of everything from this position on.
    pub fn reader(self, from: Position) -> Reader {
        Reader { set: self, at: from, until: None, begun: false, skipped: 0 }
    }

    fn run(&self, id: &str) -> Option<&Run> {
        self.runs.binary_search_by(|run| run.id.as_str().cmp(id)).ok().and_then(|index| self.runs.get(index))
    }

    fn path(&self, run: &str, span: Option<Span>) -> PathBuf {
        let run = run.to_owned();
        let name = match span {
            Some(span) => Name::Archive(Archive { run, span }),
            None => Name::Live(run),
        };
        self.folder.join(name.file())
    }

    fn length(&self, run: &Run) -> io::Result<u64> {
        if !run.live {
            return Ok(run.archived);
        }
        let path = self.path(&run.id, None);
        match std::fs::metadata(&path) {
            Ok(metadata) => Ok(metadata.len().max(run.archived)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(run.archived),
            Err(error) => Err(named(&path, error)),
        }
    }

    /// The file with this piece; nothing if it is gone by now.
    fn file(&mut self, run: &str, span: Option<Span>) -> io::Result<Option<&File>> {
        if !self.open.as_ref().is_some_and(|open| open.run == run && open.span == span) {
            let path = self.path(run, span);
            match File::open(&path) {
                Ok(file) => self.open = Some(Open { run: run.to_owned(), span, file }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(named(&path, error)),
            }
        }
        Ok(self.open.as_ref().map(|open| &open.file))
    }

    /// Reads what is at one place of one run's output.
    fn read(&mut self, id: &str, offset: u64, buffer: &mut [u8]) -> io::Result<Found> {
        // Each round after the first follows on a change of the folder; nothing changes it this often.
        for _ in 0..1000 {
            let Some(run) = self.run(id) else { return Ok(Found::End) };
            let (archived, live) = (run.archived, run.live);
            if let Some(span) = run.archive(offset) {
                let path = self.path(id, Some(span));
                let wanted = buffer.len().min((span.end - offset) as usize);
                let Some(file) = self.file(id, Some(span))? else {
                    self.refresh()?;
                    continue;
                };
                return match file.read_at(&mut buffer[..wanted], offset - span.start) {
                    // Cut off when it became a marker.
                    Ok(0) => Ok(Found::Gap(span.end)),
                    Ok(count) => Ok(Found::Bytes(count)),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(named(&path, error)),
                };
            }
            if offset < archived {
                let next = run.archives.iter().map(|span| span.start).filter(|start| *start > offset).min();
                return Ok(Found::Gap(next.unwrap_or(archived)));
            }
            if !live {
                return Ok(Found::End);
            }
            let path = self.path(id, None);
            let Some(file) = self.file(id, None)? else {
                self.refresh()?;
                continue;
            };
            let count = match file.read_at(buffer, offset) {
                Ok(0) => return Ok(Found::End),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(named(&path, error)),
            };
            if memchr::memchr(0, &buffer[..count]).is_none() {
                return Ok(Found::Bytes(count));
            }
            self.refresh()?;
            let Some(run) = self.run(id) else { return Ok(Found::End) };
            if run.archived > offset {
                continue;
            }
            if run.archived == 0 {
                // Nothing was ever archived, or somebody removed the archives by hand: then the hole tells.
                let Some(file) = self.file(id, None)? else { continue };
                let head = first_kept(file).map_err(|error| named(&path, error))?;
                if head > offset {
                    // The hole may have been punched after the folder was listed.
                    self.refresh()?;
                    if self.run(id).is_some_and(|run| run.archived == 0) {
                        self.heads.insert(id.to_owned(), head);
                        self.refresh()?;
                    }
                    continue;
                }
            }
            return Ok(Found::Bytes(count));
        }
        Err(io::Error::other(format!(
            "{}: the log of run {id} changes faster than it can be read",
            self.folder.display()
        )))
    }

    /// Reads a whole range. What was removed meanwhile is left out: the answer is where the rest begins.
    pub(super) fn fill(&mut self, id: &str, from: u64, buffer: &mut [u8]) -> io::Result<u64> {
        let to = from + buffer.len() as u64;
        let (mut first, mut at) = (from, from);
        while at < to {
            match self.read(id, at, &mut buffer[(at - from) as usize..])? {
                Found::Bytes(count) => at += count as u64,
                Found::Gap(next) => {
                    at = next.min(to);
                    first = at;
                }
                Found::End => return Ok(to),
            }
        }
        Ok(first)
    }
}

/// What a reader came upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// So many bytes, which are in the buffer now.
    Bytes(usize),
    /// A run begins ([`Reader::position`] says which one). A line that was open has ended with the run before.
    Run,
    /// So many bytes are missing here: they were removed.
    Gap(u64),
    /// The end, for now. More may come later.
    End,
}

/// Reads a bot's output from one position on, every byte once and in order.
#[derive(Debug)]
pub struct Reader {
    set: LogSet,
    at: Position,
    until: Option<Position>,
    begun: bool,
    skipped: u64,
}

impl Reader {
    /// The next thing in the output.
    ///
    /// # Errors
    /// If a piece cannot be read, with a sentence that names it.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        if !self.begun {
            if self.set.runs.is_empty() {
                self.set.refresh()?;
            }
            let at = &self.at;
            let Some(run) = self.set.runs.iter().find(|run| run.id >= at.run) else { return Ok(Read::End) };
            let at = if run.id == at.run { at.clone() } else { Position { run: run.id.clone(), offset: 0 } };
            if self.until.as_ref().is_some_and(|until| at >= *until) {
                return Ok(Read::End);
            }
            self.at = at;
            self.begun = true;
            return Ok(Read::Run);
        }
        loop {
            let mut room = buffer.len();
            if let Some(until) = &self.until {
                if self.at >= *until {
                    return Ok(Read::End);
                }
                if self.at.run == until.run {
                    room = room.min((until.offset - self.at.offset) as usize);
                }
            }
            match self.set.read(&self.at.run, self.at.offset, &mut buffer[..room])? {
                Found::Bytes(count) => {
                    self.at.offset += count as u64;
                    return Ok(Read::Bytes(count));
                }
                Found::Gap(to) => {
                    let missing = to - self.at.offset;
                    self.at.offset = to;
                    self.skipped += missing;
                    return Ok(Read::Gap(missing));
                }
                Found::End => {}
            }
            // A run begins only after the one before it has written its last byte: an end that was found while the
            // next run was already listed is the end.
            if let Some(next) = self.after() {
                self.at = Position { run: next, offset: 0 };
                return Ok(Read::Run);
            }
            self.set.refresh()?;
            if self.after().is_none() {
                return Ok(Read::End);
            }
        }
    }

    fn after(&self) -> Option<String> {
        self.set.runs.iter().find(|run| run.id > self.at.run).map(|run| run.id.clone())
    }

    /// Where the next read begins.
    pub fn position(&self) -> &Position {
        &self.at
    }

    /// Goes on from another position.
    pub fn seek(&mut self, to: Position) {
        self.at = to;
        self.begun = false;
    }

    /// Ends before this position, as if nothing had been written since.
    pub fn stop_at(&mut self, until: Option<Position>) {
        self.until = until;
    }

    /// What is being read.
    pub fn set(&mut self) -> &mut LogSet {
        &mut self.set
    }

    /// How many bytes were missing so far.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The bytes that come next, without moving on; at most one buffer of the run that is being read.
    ///
    /// # Errors
    /// If a piece cannot be read, with a sentence that names it.
    pub fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (run, mut offset) = (self.at.run.clone(), self.at.offset);
        let mut have = 0;
        while have < buffer.len() {
            match self.set.read(&run, offset, &mut buffer[have..])? {
                Found::Bytes(count) => {
                    have += count;
                    offset += count as u64;
                }
                Found::Gap(to) => offset = to,
                Found::End => break,
            }
        }
        Ok(have)
    }
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Something in one of the folders changed, or may have.
    Changed,
    /// Nothing did.
    Timeout,
    /// Whoever reads our output has gone.
    HungUp,
}

/// Waits for changes in log folders.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<OwnedFd>,
    folders: Vec<(PathBuf, bool)>,
}

/// How often folders are looked at that cannot be watched: not made yet, or no more watches to be had.
const LOOK: Duration = Duration::from_millis(100);

impl Watch {
    /// A watch on these folders, which need not be there yet.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let folders = folders.into_iter().map(|folder| (folder, false)).collect();
        let mut watch = Self { inotify: inotify::init(flags).ok(), folders };
        watch.add();
        watch
    }

    /// Watches what can be watched; says whether something new was added.
    fn add(&mut self) -> bool {
        let Some(inotify) = &self.inotify else { return false };
        let flags = inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        let mut added = false;
        for (folder, watched) in &mut self.folders {
            if !*watched && inotify::add_watch(inotify, folder.as_path(), flags).is_ok() {
                *watched = true;
                added = true;
            }
        }
        added
    }

    /// Waits until something changes, for `timeout` at most, or until the other end of `output` is closed. Nothing
    /// that changed since the last wait is missed.
    ///
    /// # Errors
    /// If the system cannot wait.
    pub fn wait(&mut self, timeout: Duration, output: Option<BorrowedFd<'_>>) -> io::Result<Woken> {
        if self.add() {
            return Ok(Woken::Changed);
        }
        let blind = self.inotify.is_none() || self.folders.iter().any(|(_, watched)| !watched);
        let limit = if blind { timeout.min(LOOK) } else { timeout };
        let limit = Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(2);
        if let Some(output) = output {
            fds.push(PollFd::from_borrowed_fd(output, PollFlags::empty()));
        }
        if let Some(inotify) = &self.inotify {
            fds.push(PollFd::new(inotify, PollFlags::IN));
        }
        match poll(&mut fds, Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        if output.is_some() && fds.first().is_some_and(|fd| fd.revents().intersects(gone)) {
            return Ok(Woken::HungUp);
        }
        let changed = self.inotify.is_some() && fds.last().is_some_and(|fd| fd.revents().contains(PollFlags::IN));
        drop(fds);
        if changed {
            self.drain();
        }
        Ok(if changed || blind { Woken::Changed } else { Woken::Timeout })
    }

    fn drain(&mut self) {
        let Some(inotify) = &self.inotify else { return };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(inotify, &mut buffer);
        while let Ok(event) = events.next() {
            if event.events().contains(inotify::ReadFlags::IGNORED) {
                // A folder was removed; a new one may take its place.
                for (_, watched) in &mut self.folders {
                    *watched = false;
                }
            }
        }
    }
}

/// Follows one bot's output: new bytes as they come, and new runs.
#[derive(Debug)]
pub struct Follower {
    reader: Reader,
    watch: Watch,
}

impl Follower {
    /// Follows from this position on.
    pub fn new(set: LogSet, from: Position) -> Self {
        let watch = Watch::new([set.folder.clone()]);
        Self { reader: set.reader(from), watch }
    }

    /// The next thing in the output; [`Read::End`] when there is nothing new.
    ///
    /// # Errors
    /// If a piece cannot be read, with a sentence that names it.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        self.reader.read(buffer)
    }

    /// Waits for something new, for `timeout` at most; says whether there may be.
    ///
    /// # Errors
    /// If the system cannot wait.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        Ok(self.watch.wait(timeout, None)? != Woken::Timeout)
    }

    /// Where the next read begins.
    pub fn position(&self) -> &Position {
        self.reader.position()
    }
}
