//! Where the lines of a log are drawn from, at any place: a bot's output, or a log file that it writes by itself.
//!
//! Both are a row of runs, each of which begins at nothing and grows: a file that was moved away, cut off or written over
//! begins anew as another run. A place is a run and an offset in it. Every run but the first that is known has a heading
//! of ours in front of its first byte; so a place before that differs from one after it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::file::{HEAD, id_of, open_regular};
use super::line::{Stamps, run_start};
use super::named;
use super::read::LogSet;
use crate::core::archive::Span;
use crate::core::words::amount;

/// A place in a well. Places sort in the order of what was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which run, as the well counts them.
    pub run: usize,
    /// 0 before the run's heading, and one more than the offset of the next byte behind it.
    pub at: u64,
}

impl Place {
    /// Before this byte of a run.
    pub const fn byte(run: usize, offset: u64) -> Self {
        Self { run, at: offset + 1 }
    }

    /// The offset of the next byte.
    pub const fn offset(self) -> u64 {
        self.at.saturating_sub(1)
    }
}

/// What lines are drawn from.
#[derive(Debug)]
pub struct Well {
    kind: Kind,
    /// Why nothing can be drawn now, in a sentence.
    trouble: Option<String>,
    /// Reading has failed once.
    failed: Option<String>,
    /// How many bytes were drawn.
    drawn: u64,
    /// How times are read here, where that is not as everywhere else.
    stamps: Option<Stamps>,
}

#[derive(Debug)]
enum Kind {
    Output {
        set: LogSet,
        /// In their order, and only ever longer: what is gone keeps its number.
        runs: Vec<String>,
        /// Only later runs than this one count.
        after: Option<String>,
    },
    File {
        path: PathBuf,
        rounds: Vec<Round>,
    },
}

/// A file, until another takes its place or it is written over.
#[derive(Debug)]
struct Round {
    /// Nothing where its bytes are gone.
    file: Option<File>,
    id: (u64, u64),
    head: Vec<u8>,
    size: u64,
}

/// So many files that were moved away are kept open, to be read once more.
const KEPT: usize = 8;
/// As much is read at once.
pub(super) const BLOCK: usize = 256 << 10;
/// How far back the beginning of a line is looked for.
const LONGEST: u64 = 16 << 20;

impl Well {
    /// The output that is caught in this folder.
    pub fn output(folder: &Path, after: Option<String>) -> Self {
        // One that cannot be listed is listed again with every look, and says why.
        let empty = LogSet::unlisted(folder);
        Self {
            kind: Kind::Output { set: empty, runs: Vec::new(), after },
            trouble: None,
            failed: None,
            drawn: 0,
            stamps: None,
        }
    }

    /// A file that the bot writes by itself.
    pub fn file(path: PathBuf) -> Self {
        Self { kind: Kind::File { path, rounds: Vec::new() }, trouble: None, failed: None, drawn: 0, stamps: None }
    }

    /// With times as they are where `TZ` is this, if that is known.
    #[must_use]
    pub fn in_zone(self, tz: Option<&str>) -> Self {
        Self { stamps: tz.and_then(Stamps::of_tz), ..self }
    }

    /// How times are read here: like this, unless it is known better.
    pub(super) fn stamps(&self, usual: &Stamps) -> Stamps {
        self.stamps.as_ref().unwrap_or(usual).clone()
    }

    /// Leaves out what this run and earlier ones have written, unless some of it was seen already.
    pub fn only_after(&mut self, run: &str) {
        if let Kind::Output { runs, after, .. } = &mut self.kind
            && runs.is_empty()
        {
            *after = Some(run.to_owned());
        }
    }

    /// Only later runs than this one count.
    pub fn after(&self) -> Option<&str> {
        match &self.kind {
            Kind::Output { after, .. } => after.as_deref(),
            Kind::File { .. } => None,
        }
    }

    /// Whether what it writes now goes somewhere else.
    pub const fn is_elsewhere(&self) -> bool {
        matches!(&self.kind, Kind::Output { runs, after: Some(_), .. } if runs.is_empty())
    }

    /// The file's name, if it is one.
    pub fn name(&self) -> Option<String> {
        match &self.kind {
            Kind::Output { .. } => None,
            Kind::File { path, .. } => Some(path.file_name().unwrap_or_default().to_string_lossy().into_owned()),
        }
    }

    /// The folder in which changes are to be watched for.
    pub fn folder(&self) -> Option<PathBuf> {
        match &self.kind {
            Kind::Output { set, .. } => Some(set.folder().to_owned()),
            Kind::File { path, .. } => path.parent().map(Path::to_owned),
        }
    }

    /// Why nothing can be read now.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Says why nothing can be read.
    pub(super) fn fail(&mut self, error: &io::Error) {
        self.failed = Some(error.to_string());
        self.trouble.clone_from(&self.failed);
    }

    /// Why something could not be read that should have been.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// How many bytes were read so far.
    pub const fn drawn(&self) -> u64 {
        self.drawn
    }

    /// How many runs are known.
    pub const fn runs(&self) -> usize {
        match &self.kind {
            Kind::Output { runs, .. } => runs.len(),
            Kind::File { rounds, .. } => rounds.len(),
        }
    }

    /// The name of the last run.
    pub fn last_run(&self) -> Option<&str> {
        match &self.kind {
            Kind::Output { runs, .. } => runs.last().map(String::as_str),
            Kind::File { .. } => None,
        }
    }

    /// When it was last written to.
    pub fn written(&self) -> Option<SystemTime> {
        match &self.kind {
            Kind::Output { set, runs, .. } => set.written(runs.last()?),
            Kind::File { rounds, .. } => rounds.last()?.file.as_ref()?.metadata().ok()?.modified().ok(),
        }
    }

    /// When this run began, if that is known.
    pub fn began(&self, run: usize) -> Option<Timestamp> {
        match &self.kind {
            Kind::Output { runs, .. } => run_start(runs.get(run)?),
            Kind::File { .. } => None,
        }
    }

    /// What is said in front of this run.
    pub fn heading(&self, run: usize) -> Option<String> {
        if run == 0 {
            return None;
        }
        match &self.kind {
            Kind::Output { runs, .. } => runs.get(run).map(|run| format!("--- a new run: {run} ---")),
            Kind::File { rounds, .. } => {
                rounds.get(run)?;
                Some(format!("--- {} begins anew ---", self.name().unwrap_or_default()))
            }
        }
    }

    /// What is said where so many bytes of a run are not kept any more. `since_start`: nothing stands before them.
    pub(super) fn missing(&self, bytes: u64, since_start: bool) -> Option<String> {
        let what = if since_start { "older output were removed" } else { "output were removed here" };
        match &self.kind {
            Kind::Output { .. } => Some(format!("--- {} of this run's {what} ---", amount(bytes))),
            // What it did before is its own affair.
            Kind::File { .. } => None,
        }
    }

    /// Up to where everything is archived, kept or not.
    pub(super) fn archived(&self, run: usize) -> u64 {
        match &self.kind {
            Kind::Output { set, runs, .. } => runs.get(run).map_or(0, |run| set.archived(run)),
            Kind::File { .. } => 0,
        }
    }

    /// Looks what there is now.
    pub fn look(&mut self) {
        let looked = match &mut self.kind {
            Kind::Output { set, runs, after } => set.refresh().map(|()| {
                for run in set.runs() {
                    let later = after.as_deref().is_none_or(|after| run > after);
                    if later && runs.last().is_none_or(|last| run > last.as_str()) {
                        runs.push(run.to_owned());
                    }
                }
                if runs.is_empty() { Some("it has written no log yet".to_owned()) } else { None }
            }),
            Kind::File { path, rounds } => look_at(path, rounds).map(|()| None).map_err(|error| named(path, error)),
        };
        self.trouble = looked.unwrap_or_else(|error| Some(error.to_string()));
    }

    /// The parts of a run that are kept, in order.
    pub(super) fn parts(&self, run: usize) -> io::Result<Vec<Span>> {
        match &self.kind {
            Kind::Output { set, runs, .. } => runs.get(run).map_or(Ok(Vec::new()), |run| set.parts(run)),
            Kind::File { rounds, .. } => {
                let last = run + 1 == rounds.len();
                let Some(round) = rounds.get(run) else { return Ok(Vec::new()) };
                let Some(file) = &round.file else { return Ok(Vec::new()) };
                let end = if last { file.metadata()?.len() } else { round.size };
                Ok(vec![Span { start: 0, end }])
            }
        }
    }

    /// Reads a whole range of a run. What was removed meanwhile is left out: the answer is where the rest begins.
    pub(super) fn fill(&mut self, run: usize, from: u64, buffer: &mut [u8]) -> io::Result<u64> {
        self.drawn += buffer.len() as u64;
        match &mut self.kind {
            Kind::Output { set, runs, .. } => match runs.get(run) {
                Some(run) => set.fill(run, from, buffer),
                None => Ok(from + buffer.len() as u64),
            },
            Kind::File { path, rounds } => {
                let file = rounds.get(run).and_then(|round| round.file.as_ref());
                let read = file.map_or(Ok(()), |file| file.read_exact_at(buffer, from));
                match read {
                    Ok(()) if file.is_some() => Ok(from),
                    // Cut off just now.
                    Ok(()) => Ok(from + buffer.len() as u64),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(from + buffer.len() as u64),
                    Err(error) => Err(named(path, error)),
                }
            }
        }
    }

    /// Before the first thing that is kept.
    pub fn start(&self) -> Place {
        Place { run: 0, at: 0 }
    }

    /// Behind the last byte that there is.
    pub(super) fn end(&self) -> io::Result<Place> {
        let Some(run) = self.runs().checked_sub(1) else { return Ok(self.start()) };
        let last = self.parts(run)?.last().map_or(0, |part| part.end);
        Ok(Place::byte(run, last.max(self.archived(run))))
    }

    /// Behind the last line that is finished, as far as it is not too far from the end.
    pub(super) fn last_line(&mut self) -> io::Result<Place> {
        let end = self.end()?;
        let Some(part) = self.parts(end.run)?.pop() else { return Ok(end) };
        let mut buffer = vec![0; 64 << 10];
        let mut upper = part.end;
        while upper > part.start && part.end - upper < 1 << 20 {
            let lower = upper.saturating_sub(buffer.len() as u64).max(part.start);
            let block = buffer.get_mut(..(upper - lower) as usize).unwrap_or_default();
            let first = self.fill(end.run, lower, block)?;
            if let Some(newline) = memchr::memrchr(b'\n', block) {
                return Ok(Place::byte(end.run, (lower + newline as u64 + 1).max(first)));
            }
            if first > lower {
                return Ok(Place::byte(end.run, first));
            }
            upper = lower;
        }
        Ok(if upper == part.start { Place::byte(end.run, part.start) } else { end })
    }

    /// Where a line begins about so many bytes before this place, in one piece with something before it; a heading is
    /// one, too. Nothing where there is nothing before it.
    pub(super) fn before(&mut self, to: Place, bytes: u64) -> io::Result<Option<Place>> {
        let mut to = to;
        loop {
            if to.at == 0 {
                let Some(run) = to.run.checked_sub(1) else { return Ok(None) };
                let last = self.parts(run)?.last().map_or(0, |part| part.end);
                to = Place::byte(run, last.max(self.archived(run)));
            }
            let parts = self.parts(to.run)?;
            let Some(part) = parts.iter().rfind(|part| part.start < to.offset()) else {
                if self.heading(to.run).is_some() {
                    return Ok(Some(Place { run: to.run, at: 0 }));
                }
                // What was removed is told of, too.
                if to.offset() > 0 && matches!(self.kind, Kind::Output { .. }) {
                    return Ok(Some(Place { run: to.run, at: 0 }));
                }
                if to.run == 0 {
                    return Ok(None);
                }
                to.at = 0;
                continue;
            };
            let upper = part.end.min(to.offset());
            match self.line_start(to.run, *part, upper, bytes)? {
                Some(start) => return Ok(Some(Place::byte(to.run, start))),
                // Removed while it was looked at.
                None => to = Place::byte(to.run, part.start),
            }
        }
    }

    fn line_start(&mut self, run: usize, part: Span, upper: u64, bytes: u64) -> io::Result<Option<u64>> {
        let mut lower = upper.saturating_sub(bytes.max(1)).max(part.start);
        let mut limit = upper;
        let mut buffer = vec![0; 64 << 10];
        loop {
            if lower == part.start {
                let first = self.fill(run, lower, buffer.get_mut(..1).unwrap_or_default())?;
                if first == lower {
                    return Ok(Some(lower));
                }
                // A hole: look for where it ends.
                let mut all = vec![0; (upper - lower).min(LONGEST) as usize];
                let first = self.fill(run, upper - all.len() as u64, &mut all)?;
                return Ok((first < upper).then_some(first));
            }
            // From the byte before, for that may end a line; forwards up to what was looked at before.
            let mut at = lower - 1;
            while at < limit {
                let length = (limit - at).min(buffer.len() as u64) as usize;
                let block = buffer.get_mut(..length).unwrap_or_default();
                let first = self.fill(run, at, block)?;
                if first > at {
                    if first >= at + length as u64 {
                        at = first;
                        continue;
                    }
                    return Ok(Some(first));
                }
                if let Some(newline) = memchr::memchr(b'\n', block) {
                    let start = at + newline as u64 + 1;
                    if start < upper {
                        return Ok(Some(start));
                    }
                }
                at += length as u64;
            }
            if upper - lower >= LONGEST {
                return Ok(Some(lower));
            }
            limit = lower;
            lower = upper.saturating_sub((upper - lower) * 4).max(part.start);
        }
    }

    /// How many bytes stand between these places.
    pub(super) fn between(&self, from: Place, to: Place) -> u64 {
        (from.run..=to.run)
            .map(|run| {
                let lower = if run == from.run { from.offset() } else { 0 };
                let upper = if run == to.run { to.offset() } else { u64::MAX };
                let parts = self.parts(run).unwrap_or_default();
                parts.iter().map(|part| part.end.min(upper).saturating_sub(part.start.max(lower))).sum::<u64>()
            })
            .sum()
    }
}

/// Looks which file is there now, and whether it is the same as before.
fn look_at(path: &Path, rounds: &mut Vec<Round>) -> io::Result<()> {
    if let Some(round) = rounds.last_mut()
        && let Some(file) = &round.file
    {
        let size = file.metadata()?.len();
        let mut head = [0; HEAD];
        let count = file.read_at(&mut head, 0)?;
        let head = head.get(..count).unwrap_or_default();
        if size < round.size || !head.starts_with(&round.head) {
            // Cut off, or written over.
            let (file, id) = (round.file.take(), round.id);
            rounds.push(Round { file, id, head: head.to_vec(), size });
        } else {
            round.size = size;
            round.head = head.to_vec();
        }
    }
    let Some(last) = rounds.last_mut() else {
        rounds.push(open_round(path)?);
        return Ok(());
    };
    match std::fs::metadata(path) {
        Ok(metadata) if id_of(&metadata) == last.id => Ok(()),
        // Whoever writes may not have turned to it yet.
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => Ok(()),
        // Moved away, and nothing is there instead: that is how a new one begins.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(_) => {
            let next = open_round(path)?;
            // Whatever was written to the old one until now is read.
            if let Some(file) = &last.file {
                last.size = file.metadata()?.len();
            }
            rounds.push(next);
            let old = rounds.len().saturating_sub(KEPT);
            for round in rounds.iter_mut().take(old) {
                round.file = None;
            }
            Ok(())
        }
    }
}

fn open_round(path: &Path) -> io::Result<Round> {
    let file = open_regular(path)?;
    let metadata = file.metadata()?;
    let mut head = vec![0; HEAD];
    let count = file.read_at(&mut head, 0)?;
    head.truncate(count);
    Ok(Round { id: id_of(&metadata), size: metadata.len(), file: Some(file), head })
}
