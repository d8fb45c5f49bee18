//! Moves whole lines from the head of a bot's live log into archives, while the bot goes on writing.
//!
//! For each archive: copy into a temporary file, sync it, rename it, sync the folder, and only then free the range in
//! the live log. Killed between any two of these, the next archivist finds either no archive (and the range still in
//! the live log) or the whole archive (and frees the range again): nothing is lost, torn or there twice.
//!
//! What `keep` would let go as soon as it is archived is not copied at all: a bot can write faster than any copy, and a
//! disk that fills up ends every bot on it. An empty archive, a marker, takes the place of the copy; the order is the
//! same.
//!
//! A keeper calls this from its disk thread, never from its loop: everything here may wait for the disk. It holds one
//! descriptor and no buffers between calls, and copies inside the kernel where that can be done.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::Errno;

use super::{first_kept, list, named};
use crate::core::archive::{
    Archive, LONGEST_REACH, Live, Name, Pieces, Removal, Span, cut, hard_end, is_due, shortage, soft_end, surplus,
};
use crate::core::bot::LogLimits;

/// Archives one run's output.
#[derive(Debug)]
pub struct Archivist {
    folder: PathBuf,
    run: String,
    /// The run whose live log is never removed: the bot may be writing to it.
    current: String,
    limits: LogLimits,
    /// The live log, once it was there.
    live: Option<File>,
    /// How far the output is archived; unknown before [`Archivist::recover`].
    archived: Option<u64>,
    /// The live log had no place to cut it when it was this long.
    searched: u64,
}

/// What one call of [`Archivist::step`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What became of the head of the live log.
    pub done: Done,
    /// Whether there is enough for another step at once.
    pub more: bool,
    /// What had to go first because the disk was full.
    pub removed: Vec<Removed>,
}

/// What became of the head of a live log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It stays: there is not enough of it, or its only line still goes on.
    Nothing,
    /// It stands in an archive, and its place is free.
    Archived(Span),
    /// It is gone: the disk had no room for an archive even without the older ones.
    Dropped(Span),
    /// It is gone without a copy: `keep` would have let it go at once.
    Surplus(Span),
}

/// A part of a bot's output that was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// The run that it was of.
    pub run: String,
    /// The name that its file had.
    pub file: String,
    /// How many bytes of output it held.
    pub bytes: u64,
}

/// The points between which an archivist can be killed with different things on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begun,
    Copied,
    Synced,
    Renamed,
    Recorded,
    Punched,
}

/// Called at each stage; an error is as good as a death there.
type Hook<'a> = &'a mut dyn FnMut(Stage) -> io::Result<()>;

/// As much as is copied with one system call: a kill does not have to wait for longer than that.
const COPY: u64 = 1 << 20;
/// As much as is freed with one.
const PUNCH: u64 = 1 << 20;
/// What newlines are searched with.
const BLOCK: u64 = 16 << 10;

impl Archivist {
    /// The archivist of this run, whose live log is `RUN.log` in this folder. Nothing is opened yet.
    pub fn open(folder: &Path, run: &str, limits: LogLimits) -> Self {
        let (folder, run) = (folder.to_owned(), run.to_owned());
        Self { folder, current: run.clone(), run, limits, live: None, archived: None, searched: 0 }
    }

    /// Archivists of other runs that left more than an archive's worth in their live logs: a keeper may have died, or
    /// the bot wrote faster than it was looked after. To be worked off before [`Archivist::retain`], which lets a live
    /// log go as a whole.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn earlier(&self) -> io::Result<Vec<Self>> {
        let pieces = list(&self.folder, true)?;
        let left = |live: &&Live| {
            live.run != self.current && is_due(pieces.archived(&live.run), live.size, self.limits.max_size)
        };
        Ok(pieces
            .lives
            .iter()
            .filter(left)
            .map(|live| Self { current: self.current.clone(), ..Self::open(&self.folder, &live.run, self.limits) })
            .collect())
    }

    /// Finishes what an archivist before this one may have left: removes its unfinished archive, and frees again
    /// what stands in archives, of every run here.
    ///
    /// # Errors
    /// If the folder or this run's own log cannot be worked on.
    pub fn recover(&mut self) -> io::Result<()> {
        let pieces = list(&self.folder, false)?;
        for run in &pieces.unfinished {
            let path = self.folder.join(Name::Unfinished(run.clone()).file());
            std::fs::remove_file(&path).map_err(|error| named(&path, error))?;
        }
        if !pieces.archives.is_empty() {
            // Renamed is not yet recorded: without this, a power cut could take an archive whose range is freed below.
            self.sync_folder()?;
        }
        for Archive { run, span } in pieces.archives.iter().filter(|archive| archive.span.is_empty()) {
            let path = self.folder.join(Name::Archive(Archive { run: run.clone(), span: *span }).file());
            if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0) {
                truncate(&path)?;
            }
        }
        for live in pieces.lives.iter().filter(|live| live.run != self.run) {
            let archived = pieces.archived(&live.run);
            if archived > 0 {
                let path = self.folder.join(Name::Live(live.run.clone()).file());
                // Only space is at stake here, of a run that is over: not worth leaving the current one alone for.
                let _ = open_live(&path).and_then(|file| punch(&file, archived));
            }
        }
        let mut archived = pieces.archived(&self.run);
        if let Some(live) = self.live()? {
            let done =
                if archived > 0 { punch(live, archived) } else { first_kept(live).map(|first| archived = first) };
            done.map_err(|error| named(&self.live_path(), error))?;
        }
        self.archived = Some(archived);
        self.searched = 0;
        Ok(())
    }

    /// Whether a live log of this size has something for [`Archivist::step`] to do.
    pub fn due(&self, live_size: u64) -> bool {
        is_due(self.archived.unwrap_or(0), live_size, self.limits.max_size) && live_size > self.searched
    }

    /// Makes one archive if there is enough for one. Where the disk has no room for it the oldest archives go first;
    /// if even that does not help, these oldest lines go themselves, because a full disk would cost the newest.
    ///
    /// # Errors
    /// If that fails, with a sentence that names the file. What is on the disk is whole all the same, and another
    /// call tries again.
    pub fn step(&mut self) -> io::Result<Step> {
        self.step_with(&mut |_| Ok(()))
    }

    fn step_with(&mut self, hook: Hook<'_>) -> io::Result<Step> {
        let mut step = Step { done: Done::Nothing, more: false, removed: Vec::new() };
        if self.archived.is_none() {
            self.recover()?;
        }
        let from = self.archived.unwrap_or(0);
        let path = self.live_path();
        let (limits, max_size) = (self.limits, self.limits.max_size);
        let Some(live) = self.live()? else { return Ok(step) };
        let size = live.metadata().map_err(|error| named(&path, error))?.len();
        if !is_due(from, size, max_size) {
            return Ok(step);
        }
        if let Some(end) = surplus(from, size, limits) {
            // Where a line ends, if one does in reach.
            let reach = end.saturating_sub(LONGEST_REACH).max(from);
            let line = last_newline(live, reach, end).map_err(|error| named(&path, error))?;
            let span = Span { start: from, end: line.map_or(end, |newline| newline + 1) };
            self.skip(span, hook)?;
            return Ok(Step { done: Done::Surplus(span), more: true, ..step });
        }
        let soft = soft_end(from, max_size);
        let last = last_newline(live, from, soft).map_err(|error| named(&path, error))?;
        let first = match last {
            Some(_) => None,
            None => {
                first_newline(live, soft, size.min(hard_end(from, max_size))).map_err(|error| named(&path, error))?
            }
        };
        let Some(end) = cut(from, size, max_size, last, first) else {
            self.searched = size;
            return Ok(step);
        };
        let span = Span { start: from, end };
        step.removed = self.make_room(span.len())?;
        step.done = loop {
            match self.write(span, hook) {
                Ok(()) => break Done::Archived(span),
                Err(error) if is_full(&error) => {
                    let unfinished = self.folder.join(Name::Unfinished(self.run.clone()).file());
                    truncate(&unfinished)?;
                    let removed = self.remove(|pieces, run| pieces.relief(run, span.len()))?;
                    if removed.is_empty() {
                        break Done::Dropped(span);
                    }
                    step.removed.extend(removed);
                }
                Err(error) => return Err(error),
            }
        };
        let name = match step.done {
            Done::Dropped(_) => Span { start: end, end },
            Done::Archived(_) | Done::Surplus(_) | Done::Nothing => span,
        };
        self.publish(name, hook)?;
        step.more = is_due(end, size, max_size);
        Ok(step)
    }

    /// Copies the span into the unfinished archive and waits until the disk has it.
    fn write(&mut self, span: Span, hook: Hook<'_>) -> io::Result<()> {
        let path = self.folder.join(Name::Unfinished(self.run.clone()).file());
        let Some(live) = self.live()? else { return Err(io::ErrorKind::NotFound.into()) };
        let mut copy_all = || -> io::Result<()> {
            let unfinished = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            hook(Stage::Begun)?;
            copy(live, &unfinished, span)?;
            hook(Stage::Copied)?;
            unfinished.sync_all()?;
            hook(Stage::Synced)
        };
        copy_all().map_err(|error| named(&path, error))
    }

    /// Frees a span without a copy, and with it every archive: all of them are older.
    fn skip(&mut self, span: Span, hook: Hook<'_>) -> io::Result<()> {
        let path = self.folder.join(Name::Unfinished(self.run.clone()).file());
        let begin = || OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        let run = self.run.clone();
        let superseded = |pieces: &Pieces, current: &str| pieces.superseded(&run, current);
        match begin() {
            Ok(_) => {}
            Err(error) if is_full(&error) => {
                self.remove(superseded)?;
                begin().map_err(|error| named(&path, error))?;
            }
            Err(error) => return Err(named(&path, error)),
        }
        hook(Stage::Begun)?;
        self.publish(Span { start: span.end, end: span.end }, hook)?;
        self.remove(superseded).map(drop)
    }

    /// Gives the unfinished archive its name, and frees its range in the live log once that name is on the disk.
    fn publish(&mut self, span: Span, hook: Hook<'_>) -> io::Result<()> {
        let path = self.folder.join(Name::Archive(Archive { run: self.run.clone(), span }).file());
        let unfinished = self.folder.join(Name::Unfinished(self.run.clone()).file());
        std::fs::rename(&unfinished, &path).map_err(|error| named(&unfinished, error))?;
        self.archived = Some(span.end);
        self.searched = 0;
        hook(Stage::Renamed)?;
        self.sync_folder()?;
        hook(Stage::Recorded)?;
        let live_path = self.live_path();
        if let Some(live) = self.live()? {
            punch(live, span.end).map_err(|error| named(&live_path, error))?;
        }
        hook(Stage::Punched)
    }

    /// Removes what goes by the limits. To be called after every step that archived something, and at start.
    ///
    /// # Errors
    /// If something cannot be removed, with a sentence that names the file.
    pub fn retain(&self) -> io::Result<Vec<Removed>> {
        self.remove(|pieces, run| pieces.excess(run, self.limits))
    }

    /// Removes the oldest archives while the disk is nearly full: less than 16 MiB free for users, or less than 1 %
    /// of a disk that is smaller than 1.6 GiB.
    ///
    /// # Errors
    /// If the disk cannot be asked or something cannot be removed, with a sentence that names the file.
    pub fn relieve(&self) -> io::Result<Vec<Removed>> {
        self.make_room(0)
    }

    fn make_room(&self, wanted: u64) -> io::Result<Vec<Removed>> {
        let disk = rustix::fs::statvfs(&self.folder).map_err(|error| named(&self.folder, error.into()))?;
        let need =
            shortage(disk.f_blocks.saturating_mul(disk.f_frsize), disk.f_bavail.saturating_mul(disk.f_frsize), wanted);
        if need == 0 { Ok(Vec::new()) } else { self.remove(|pieces, run| pieces.relief(run, need)) }
    }

    fn remove(&self, choose: impl FnOnce(&Pieces, &str) -> Vec<Removal>) -> io::Result<Vec<Removed>> {
        let pieces = list(&self.folder, true)?;
        let mut removed = Vec::new();
        for removal in choose(&pieces, &self.current) {
            let bytes = removal.bytes(&pieces);
            let (run, name, mark) = match removal {
                Removal::Live(live) => (live.run.clone(), Name::Live(live.run), None),
                Removal::Archive { archive, mark } => {
                    let end = archive.span.end;
                    let marker = Archive { run: archive.run.clone(), span: Span { start: end, end } };
                    (archive.run.clone(), Name::Archive(archive), mark.then_some(Name::Archive(marker)))
                }
            };
            let file = name.file();
            let path = self.folder.join(&file);
            match mark {
                // A rename is one step, and takes no room on a full disk. A reader that has the archive open finds it
                // cut off, and counts that as missing.
                Some(marker) => {
                    let marker = self.folder.join(marker.file());
                    std::fs::rename(&path, &marker).map_err(|error| named(&path, error))?;
                    truncate(&marker)?;
                }
                None => match std::fs::remove_file(&path) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(named(&path, error)),
                },
            }
            if bytes > 0 {
                removed.push(Removed { run, file, bytes });
            }
        }
        Ok(removed)
    }

    fn live_path(&self) -> PathBuf {
        self.folder.join(Name::Live(self.run.clone()).file())
    }

    /// The live log; nothing if the run has none yet.
    fn live(&mut self) -> io::Result<Option<&File>> {
        if self.live.is_none() {
            let path = self.live_path();
            match open_live(&path) {
                Ok(file) => self.live = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named(&path, error)),
            }
        }
        Ok(self.live.as_ref())
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|error| named(&self.folder, error))
    }
}

fn open_live(path: &Path) -> io::Result<File> {
    // Never created here: the log is the bot's.
    OpenOptions::new().read(true).write(true).open(path)
}

fn truncate(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).truncate(true).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(path, error)),
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Frees everything before `end`, unless it is free already: punching would make an old log look freshly written.
///
/// The bot's own writes wait while a part of its log is freed, so it is freed in small ones.
fn punch(live: &File, end: u64) -> io::Result<()> {
    const BLOCK: u64 = 4096;
    let mut start = match rustix::fs::seek(live, SeekFrom::Data(0)) {
        Ok(data) if end >= BLOCK && data >= end - end % BLOCK => return Ok(()),
        Ok(data) => data.min(end),
        Err(_) => 0,
    };
    start -= start % PUNCH;
    while start < end {
        let next = (start + PUNCH).min(end);
        rustix::fs::fallocate(live, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, start, next - start)?;
        start = next;
    }
    Ok(())
}

/// Copies a span of the live log to the start of an empty file.
fn copy(live: &File, to: &File, span: Span) -> io::Result<()> {
    let (mut read, mut written) = (span.start, 0);
    while read < span.end {
        let count = (span.end - read).min(COPY) as usize;
        match rustix::fs::copy_file_range(live, Some(&mut read), to, Some(&mut written), count) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::XDEV | Errno::PERM | Errno::IO) => {
                return copy_by_hand(live, to, Span { start: read, end: span.end }, written);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// The same where the kernel does not do it for this file system.
fn copy_by_hand(live: &File, to: &File, span: Span, mut written: u64) -> io::Result<()> {
    let mut buffer = vec![0; BLOCK as usize];
    let mut read = span.start;
    while read < span.end {
        let count = (span.end - read).min(BLOCK) as usize;
        live.read_exact_at(&mut buffer[..count], read)?;
        to.write_all_at(&buffer[..count], written)?;
        read += count as u64;
        written += count as u64;
    }
    Ok(())
}

/// The offset of the last newline in this part, searched from its end: usually one block is read.
fn last_newline(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; BLOCK as usize];
    let mut end = to;
    while end > from {
        let start = end.saturating_sub(BLOCK).max(from);
        let block = &mut buffer[..(end - start) as usize];
        file.read_exact_at(block, start)?;
        if let Some(found) = memchr::memrchr(b'\n', block) {
            return Ok(Some(start + found as u64));
        }
        end = start;
    }
    Ok(None)
}

/// The offset of the first newline in this part.
fn first_newline(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; BLOCK as usize];
    let mut start = from;
    while start < to {
        let block = &mut buffer[..(to - start).min(BLOCK) as usize];
        file.read_exact_at(block, start)?;
        if let Some(found) = memchr::memchr(b'\n', block) {
            return Ok(Some(start + found as u64));
        }
        start += block.len() as u64;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::logs::read::{LogSet, Position, Read};

    const RUN: &str = "20261122T011245123-4f2a";
    const STAGES: [Stage; 6] =
        [Stage::Begun, Stage::Copied, Stage::Synced, Stage::Renamed, Stage::Recorded, Stage::Punched];

    fn append(folder: &Path, bytes: &[u8]) {
        let path = folder.join(format!("{RUN}.log"));
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a log");
        file.write_all(bytes).expect("room");
    }

    fn output(folder: &Path) -> Vec<u8> {
        let mut reader = LogSet::open(folder).expect("a folder").reader(Position::default());
        let mut all = Vec::new();
        let mut buffer = vec![0; 5000];
        loop {
            match reader.read(&mut buffer).expect("readable") {
                Read::Bytes(count) => all.extend_from_slice(&buffer[..count]),
                Read::Run => {}
                Read::Gap(bytes) => panic!("{bytes} bytes are missing"),
                Read::End => return all,
            }
        }
    }

    fn die_at(archivist: &mut Archivist, stage: Stage) {
        let died = archivist.step_with(&mut |at| if at == stage { Err(io::Error::other("killed")) } else { Ok(()) });
        died.expect_err("it was killed");
    }

    #[test]
    fn death_at_any_point_loses_nothing() {
        for stage in STAGES {
            for whole_steps_before in 0..3 {
                let folder = tempfile::tempdir().expect("a folder");
                let limits = LogLimits { max_size: 16 << 10, keep: 100 };
                let mut truth = Vec::new();
                for number in 0..8000 {
                    writeln!(truth, "line {number}").expect("room");
                }
                append(folder.path(), &truth);
                let mut archivist = Archivist::open(folder.path(), RUN, limits);
                for _ in 0..whole_steps_before {
                    assert!(matches!(archivist.step().expect("a step").done, Done::Archived(_)));
                }
                die_at(&mut archivist, stage);
                assert!(output(folder.path()) == truth, "read after a death at {stage:?}");

                let mut next = Archivist::open(folder.path(), RUN, limits);
                next.recover().expect("recovered");
                assert!(!folder.path().join(format!("{RUN}.log.tmp")).exists());
                let pieces = list(folder.path(), true).expect("listed");
                let metadata = std::fs::metadata(folder.path().join(format!("{RUN}.log"))).expect("a log");
                let kept = metadata.size() - pieces.archived(RUN);
                assert!(metadata.blocks() * 512 <= kept + 8192, "archived ranges are free after {stage:?}");
                append(folder.path(), b"after\n");
                truth.extend_from_slice(b"after\n");
                while next.step().expect("a step").more {}
                assert!(output(folder.path()) == truth, "archived after a death at {stage:?}");
            }
        }
    }

    #[test]
    fn many_deaths_lose_nothing_either() {
        for seed in 0..20 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let folder = tempfile::tempdir().expect("a folder");
            let limits = LogLimits { max_size: dice.u64(1..20_000), keep: 1_000_000 };
            let mut archivist = Archivist::open(folder.path(), RUN, limits);
            let mut truth = Vec::new();
            for _ in 0..60 {
                let bytes: Vec<u8> =
                    (0..dice.usize(0..9000)).map(|_| *dice.choice(b"abcdefgh\n\0").expect("one")).collect();
                append(folder.path(), &bytes);
                truth.extend_from_slice(&bytes);
                if !archivist.due(truth.len() as u64) {
                    continue;
                }
                if dice.bool() {
                    archivist.step().expect("a step");
                } else {
                    // It may have nothing to do, and then it is not killed either.
                    let stage = *dice.choice(STAGES).as_ref().expect("one");
                    let _ = archivist.step_with(&mut |at| {
                        if at == stage { Err(io::Error::other("killed")) } else { Ok(()) }
                    });
                    archivist = Archivist::open(folder.path(), RUN, limits);
                }
                assert!(output(folder.path()) == truth, "seed {seed}");
            }
        }
    }

    /// Whatever is read: nothing is torn, and it goes on to the end of what was written. Where it begins.
    fn kept(folder: &Path, truth: &[u8]) -> u64 {
        let mut reader = LogSet::open(folder).expect("a folder").reader(Position::default());
        let mut kept = Vec::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            match reader.read(&mut buffer).expect("readable") {
                Read::Bytes(count) => kept.extend_from_slice(&buffer[..count]),
                // After a death the archives before what was dropped may still be there.
                Read::Gap(_) => kept.clear(),
                Read::Run => {}
                Read::End => break,
            }
        }
        assert!(truth.ends_with(&kept), "what is kept is the newest");
        (truth.len() - kept.len()) as u64
    }

    fn on_the_disk(folder: &Path) -> u64 {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        entries.map(|entry| entry.metadata().map_or(0, |metadata| metadata.blocks() * 512)).sum()
    }

    #[test]
    fn death_at_any_point_of_a_flood_loses_nothing_that_is_kept() {
        let limits = LogLimits { max_size: 64 << 10, keep: 2 };
        let most = 3 * (limits.max_size + LONGEST_REACH);
        let block: Vec<u8> = (0..60_000).flat_map(|number| format!("line {number:08} of it\n").into_bytes()).collect();
        for stage in STAGES {
            let folder = tempfile::tempdir().expect("a folder");
            let mut truth = block[..200_000].to_vec();
            append(folder.path(), &truth);
            let mut archivist = Archivist::open(folder.path(), RUN, limits);
            while archivist.step().expect("a step").more {}
            for _ in 0..5 {
                append(folder.path(), &block);
                truth.extend_from_slice(&block);
            }
            let died =
                archivist.step_with(&mut |at| if at == stage { Err(io::Error::other("killed")) } else { Ok(()) });
            let first = kept(folder.path(), &truth);
            assert!(first <= truth.len() as u64 - most, "{stage:?}: enough is there from {first}");
            match stage {
                Stage::Copied | Stage::Synced => {
                    let Step { done: Done::Surplus(span), .. } = died.expect("nothing is copied") else {
                        panic!("no surplus");
                    };
                    assert_eq!(first, span.end);
                    assert!(first > truth.len() as u64 - most - 100 && truth[first as usize - 1] == b'\n');
                }
                Stage::Begun | Stage::Renamed | Stage::Recorded | Stage::Punched => drop(died.expect_err("killed")),
            }
            let mut next = Archivist::open(folder.path(), RUN, limits);
            next.recover().expect("recovered");
            while next.step().expect("a step").more {
                next.retain().expect("retained");
            }
            next.retain().expect("retained");
            let pieces = list(folder.path(), true).expect("listed");
            assert_eq!(pieces.archives.iter().filter(|archive| !archive.span.is_empty()).count(), 2, "{stage:?}");
            assert!(kept(folder.path(), &truth) < truth.len() as u64 - 2 * (limits.max_size - 100), "{stage:?}");
            assert!(on_the_disk(folder.path()) < 4 * limits.max_size + (64 << 10), "{stage:?}");
        }
    }

    #[test]
    fn a_random_flood_keeps_its_newest_and_stays_small() {
        for seed in 0..5 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let limits = LogLimits { max_size: dice.u64(1000..300_000), keep: dice.u32(0..3) };
            let folder = tempfile::tempdir().expect("a folder");
            let mut archivist = Archivist::open(folder.path(), RUN, limits);
            let (mut truth, mut surplus) = (Vec::new(), 0);
            for _ in 0..12 {
                for _ in 0..dice.usize(0..40) {
                    let mut bytes = vec![b'x'; dice.usize(0..200_000)];
                    bytes.push(b'\n');
                    append(folder.path(), &bytes);
                    truth.extend_from_slice(&bytes);
                }
                let before = kept(folder.path(), &truth);
                let stage = *dice.choice(STAGES).as_ref().expect("one");
                let die = dice.bool();
                let step = archivist.step_with(&mut |at| {
                    if die && at == stage { Err(io::Error::other("killed")) } else { Ok(()) }
                });
                match step {
                    Ok(Step { done: Done::Surplus(span), .. }) => {
                        surplus += 1;
                        assert_eq!(kept(folder.path(), &truth), span.end, "seed {seed}: nothing older stays");
                        let left = truth.len() as u64 - span.end;
                        assert!(left >= u64::from(limits.keep + 1) * (limits.max_size + LONGEST_REACH), "seed {seed}");
                    }
                    Ok(_) => drop(archivist.retain().expect("retained")),
                    Err(_) => archivist = Archivist::open(folder.path(), RUN, limits),
                }
                let after = kept(folder.path(), &truth);
                assert!(after >= before, "seed {seed}");
            }
            while archivist.step().expect("a step").more {}
            archivist.retain().expect("retained");
            let most = u64::from(limits.keep + 1) * (limits.max_size + LONGEST_REACH) + (64 << 10);
            assert!(on_the_disk(folder.path()) <= most, "seed {seed}");
            assert!(surplus > 0 || truth.len() < 8 << 20, "seed {seed}: there was a flood");
        }
    }

    #[test]
    fn what_a_run_left_behind_is_archived_before_its_log_would_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let limits = LogLimits { max_size: 1000, keep: 3 };
        let truth: Vec<u8> = (0..1000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        append(folder.path(), &truth);
        let current = Archivist::open(folder.path(), "20261122T021245123-4f2a", limits);
        let mut earlier = current.earlier().expect("listed");
        assert_eq!(earlier.len(), 1);
        while earlier[0].step().expect("a step").more {}
        current.retain().expect("retained");
        assert!(truth.len() as u64 - kept(folder.path(), &truth) > 2900, "three archives and the rest");
        assert!(current.earlier().expect("listed").is_empty());
    }

    #[test]
    fn a_marker_that_was_not_emptied_is_emptied_later() {
        let folder = tempfile::tempdir().expect("a folder");
        append(folder.path(), b"one\ntwo\nthree");
        let mut archivist = Archivist::open(folder.path(), RUN, LogLimits { max_size: 8, keep: 0 });
        assert_eq!(archivist.step().expect("a step").done, Done::Archived(Span { start: 0, end: 8 }));
        let name = |span: Span| folder.path().join(Name::Archive(Archive { run: RUN.to_owned(), span }).file());
        let marker = name(Span { start: 8, end: 8 });
        // As it is when a keeper is killed between the two halves of a removal.
        std::fs::rename(name(Span { start: 0, end: 8 }), &marker).expect("renamed");
        let mut next = Archivist::open(folder.path(), RUN, LogLimits { max_size: 8, keep: 0 });
        next.recover().expect("recovered");
        assert_eq!(std::fs::metadata(&marker).expect("there").len(), 0);
        assert_eq!(next.archived, Some(8));
    }
}
