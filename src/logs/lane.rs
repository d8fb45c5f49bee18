//! The lines of one well, forwards and backwards from a window of them, each with what it belongs to.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;

use jiff::Timestamp;

use super::grep::plain;
use super::line::Stamps;
use super::well::{BLOCK, Place, Well};
use crate::core::archive::Span;
use crate::core::level::{Heads, Level};

/// No more of a line is kept.
pub const LONGEST: usize = 64 << 10;
/// A line that is not finished after so many bytes counts as one.
const UNFINISHED: u64 = 1 << 20;
/// As far back is looked for what a line belongs to.
const BEHIND: u64 = 32 << 10;
/// As much is read for one step backwards or forwards.
pub(super) const BATCH: u64 = 256 << 10;

/// A line of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// Which lane it is from.
    pub lane: usize,
    /// Where it begins.
    pub start: Place,
    /// Where the next one begins.
    pub end: Place,
    /// When it was written: by its own words, or those of the line that it belongs to.
    pub at: Option<Timestamp>,
    /// By what it is put in order.
    pub sort: Option<Timestamp>,
    /// How loud it is.
    pub level: Option<Level>,
    /// Whether it belongs to the line before it.
    pub belongs: bool,
    /// Whether it is said by us.
    pub ours: bool,
    /// Its bytes without its end, as many as are kept.
    pub bytes: Vec<u8>,
    /// How many it has.
    pub size: u64,
}

/// What is known of the lines before.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    heads: Heads,
    sort: Option<Timestamp>,
    at: Option<Timestamp>,
}

impl Reading {
    /// At the start of a run.
    fn of_run(well: &Well, run: usize) -> Self {
        Self { sort: well.began(run), ..Self::default() }
    }

    /// Takes in the next line of the stream.
    pub fn line(&mut self, bytes: &[u8], stamps: &Stamps) -> Raw {
        let kept = bytes.get(..bytes.len().min(LONGEST)).unwrap_or_default();
        let shown: Cow<'_, [u8]> = plain(kept);
        let front = stamps.front(&shown);
        let own = front.map(|(at, _)| at).or_else(|| stamps.of(&shown));
        let told =
            self.heads.read(&shown, front.map_or(usize::from(own.is_some() && !is_object(&shown)), |(_, at)| at));
        if own.is_some() {
            self.at = own;
            self.sort = own;
        } else if !told.same_time {
            self.at = None;
        }
        let bytes = match kept {
            [line @ .., b'\n'] => line,
            line => line,
        };
        Raw {
            at: self.at,
            sort: self.sort,
            level: told.level,
            belongs: told.belongs && own.is_none(),
            bytes: bytes.to_vec(),
            ..Raw::default()
        }
    }
}

fn is_object(line: &[u8]) -> bool {
    line.trim_ascii_start().first() == Some(&b'{')
}

/// Lines that were read in one step.
#[derive(Debug, Default)]
pub struct Step {
    /// The lines, all of them.
    pub lines: Vec<Raw>,
    /// Where the next one begins.
    pub next: Place,
    /// There is nothing more, for now.
    pub ended: bool,
}

/// Reads the lines from a place on: up to another, or as many as begin within so many bytes. `rest`: one that is not
/// finished counts too.
pub fn forwards(
    well: &mut Well,
    stamps: &Stamps,
    reading: &mut Reading,
    from: Place,
    to: Option<Place>,
    room: u64,
    rest: bool,
) -> io::Result<Step> {
    let stamps = &well.stamps(stamps);
    let mut step = Step { next: from, ..Step::default() };
    let mut buffer = Vec::new();
    let mut taken = 0;
    while taken < room {
        let at = step.next;
        if to.is_some_and(|to| at >= to) {
            return Ok(step);
        }
        if at.at == 0 {
            if at.run >= well.runs() {
                step.ended = true;
                return Ok(step);
            }
            *reading = Reading::of_run(well, at.run);
            step.next = Place::byte(at.run, 0);
            if let Some(heading) = well.heading(at.run) {
                let began = match well.began(at.run) {
                    Some(began) => Some(began),
                    None => match well.parts(at.run)?.first() {
                        Some(part) => first_said(well, stamps, at.run, *part)?,
                        None => None,
                    },
                };
                let sort = began.or(step.lines.last().and_then(|line| line.sort));
                let (bytes, size) = (heading.into_bytes(), 0);
                let end = step.next;
                step.lines.push(Raw { start: at, end, at: began, sort, ours: true, bytes, size, ..Raw::default() });
            }
            continue;
        }
        let parts = well.parts(at.run)?;
        let last_run = at.run + 1 >= well.runs();
        let Some(part) = parts.iter().find(|part| part.end > at.offset()) else {
            let archived = well.archived(at.run);
            if at.offset() < archived {
                step.next = Place::byte(at.run, archived);
                hole(well, reading, &mut step.lines, at, step.next, None);
                continue;
            }
            if last_run {
                step.ended = true;
                return Ok(step);
            }
            step.next = Place { run: at.run + 1, at: 0 };
            continue;
        };
        if at.offset() < part.start {
            let sort = first_said(well, stamps, at.run, *part)?;
            step.next = Place::byte(at.run, part.start);
            hole(well, reading, &mut step.lines, at, step.next, sort);
            continue;
        }
        let lower = at.offset();
        let bound = to.filter(|to| to.run == at.run).map(Place::offset).filter(|to| *to <= part.end);
        let upper = bound.unwrap_or(part.end);
        let is_last = parts.last().is_some_and(|last| last.end == part.end) && last_run && bound.is_none();
        if lower >= upper {
            // The place stood in what was removed.
            step.next = to.filter(|to| to.run == at.run).unwrap_or(Place::byte(at.run, lower));
            continue;
        }
        let length = (upper - lower).min(BLOCK as u64) as usize;
        buffer.resize(length, 0);
        let first = well.fill(at.run, lower, &mut buffer)?;
        if first > lower {
            step.next = Place::byte(at.run, first);
            hole(well, reading, &mut step.lines, Place::byte(at.run, lower), step.next, None);
            continue;
        }
        let mut begin = 0;
        for newline in memchr::memchr_iter(b'\n', &buffer) {
            let line = buffer.get(begin..=newline).unwrap_or_default();
            push(&mut step.lines, reading.line(line, stamps), at.run, lower + begin as u64, line.len() as u64);
            begin = newline + 1;
            taken += line.len() as u64;
            if taken >= room {
                break;
            }
        }
        step.next = Place::byte(at.run, lower + begin as u64);
        if begin > 0 {
            continue;
        }
        // No line ends in this block.
        let end = if length as u64 == upper - lower {
            (!is_last || rest || length as u64 > UNFINISHED).then_some(upper)
        } else {
            line_end(well, at.run, lower + length as u64, upper)?
                .or((!is_last || rest || upper - lower > UNFINISHED).then_some(upper))
        };
        let Some(end) = end else {
            step.ended = true;
            return Ok(step);
        };
        push(&mut step.lines, reading.line(&buffer, stamps), at.run, lower, end - lower);
        taken += end - lower;
        step.next = Place::byte(at.run, end);
    }
    Ok(step)
}

/// Says that what stood between these places was removed. What follows belongs to nothing before it.
fn hole(well: &Well, reading: &mut Reading, lines: &mut Vec<Raw>, start: Place, end: Place, at: Option<Timestamp>) {
    let Some(said) = well.missing(end.at.saturating_sub(start.at), start.offset() == 0) else { return };
    let sort = at.or(reading.sort);
    *reading = Reading { sort, ..Reading::default() };
    // The one before tells of a part of it already.
    if let Some(last) = lines.last_mut().filter(|last| last.ours && last.end == start && last.start.at > 0) {
        let bytes = end.at - last.start.at;
        last.bytes = well.missing(bytes, last.start.offset() == 0).unwrap_or(said).into_bytes();
        last.end = end;
        return;
    }
    lines.push(Raw { start, end, sort, ours: true, bytes: said.into_bytes(), ..Raw::default() });
}

/// The first time that is said in a part of a run.
fn first_said(well: &mut Well, stamps: &Stamps, run: usize, part: Span) -> io::Result<Option<Timestamp>> {
    let mut block = vec![0; part.len().min(BEHIND) as usize];
    well.fill(run, part.start, &mut block)?;
    Ok(block.split(|byte| *byte == b'\n').find_map(|line| stamps.of(&plain(line))))
}

fn push(lines: &mut Vec<Raw>, line: Raw, run: usize, offset: u64, size: u64) {
    lines.push(Raw { start: Place::byte(run, offset), end: Place::byte(run, offset + size), size, ..line });
}

/// Where a long line ends.
fn line_end(well: &mut Well, run: usize, from: u64, upper: u64) -> io::Result<Option<u64>> {
    let mut block = vec![0; BLOCK];
    let mut at = from;
    while at < upper {
        let length = (upper - at).min(BLOCK as u64) as usize;
        let block = block.get_mut(..length).unwrap_or_default();
        well.fill(run, at, block)?;
        if let Some(newline) = memchr::memchr(b'\n', block) {
            return Ok(Some(at + newline as u64 + 1));
        }
        at += length as u64;
    }
    Ok(None)
}

/// What is known at this place, where a line begins, by the lines before it.
pub fn settle(well: &mut Well, stamps: &Stamps, at: Place) -> io::Result<Reading> {
    let mut reading = Reading::of_run(well, at.run);
    if at.at <= 1 {
        return Ok(reading);
    }
    if let Some(from) = well.before(at, BEHIND)?.filter(|from| from.run == at.run) {
        forwards(well, stamps, &mut reading, from, Some(at), u64::MAX, true)?;
    }
    Ok(reading)
}

/// The line that begins at this place.
pub fn line_at(well: &mut Well, stamps: &Stamps, at: Place) -> io::Result<Option<Raw>> {
    let mut reading = settle(well, stamps, at)?;
    Ok(forwards(well, stamps, &mut reading, at, None, 1, true)?.lines.into_iter().next())
}

/// A well, and the part of it that stands in a window.
#[derive(Debug)]
pub struct Lane {
    /// Its well.
    pub well: Well,
    /// Lines before the window that were read already, in order, and where the first of them begins.
    pub(super) older: Vec<Raw>,
    older_from: Place,
    older_done: bool,
    /// Lines behind the window that were read already, in order, and where the next one begins.
    pub(super) newer: VecDeque<Raw>,
    newer_to: Place,
    pub(super) newer_done: bool,
    reading: Option<Reading>,
}

impl Lane {
    /// Of this well; its window is empty, and at its start.
    pub fn new(well: Well) -> Self {
        let start = well.start();
        Self {
            well,
            older: Vec::new(),
            older_from: start,
            older_done: false,
            newer: VecDeque::new(),
            newer_to: start,
            newer_done: false,
            reading: None,
        }
    }

    /// Goes to another place: the window is empty there.
    pub(super) fn go(&mut self, to: Place) {
        self.cut_front(to);
        self.cut_back(to);
    }

    /// Goes before the first line.
    pub(super) fn go_to_start(&mut self) {
        self.go(self.well.start());
        self.older_done = true;
    }

    /// Goes behind the last line.
    pub(super) fn go_to_end(&mut self, rest: bool) {
        let end = if rest { self.well.end() } else { self.well.last_line() };
        match end {
            Ok(end) => self.go(end),
            Err(error) => self.well.fail(&error),
        }
    }

    /// The window begins here from now on.
    pub(super) fn cut_front(&mut self, at: Place) {
        self.older.clear();
        self.older_from = at;
        self.older_done = false;
    }

    /// The window ends here from now on.
    pub(super) fn cut_back(&mut self, at: Place) {
        self.newer.clear();
        self.newer_to = at;
        self.newer_done = false;
        self.reading = None;
    }

    /// Where the window begins.
    pub(super) fn front(&self) -> Place {
        self.older.last().map_or(self.older_from, |line| line.end)
    }

    /// Where it ends.
    pub(super) fn back(&self) -> Place {
        self.newer.front().map_or(self.newer_to, |line| line.start)
    }

    /// Whether nothing stands before the window.
    pub(super) const fn is_at_start(&self) -> bool {
        self.older_done && self.older.is_empty()
    }

    /// Whether nothing stands behind it.
    pub(super) fn is_at_end(&self) -> bool {
        self.newer_done && self.newer.is_empty()
    }

    /// How many bytes stand behind it; a heading alone counts as one.
    pub(super) fn behind(&self) -> u64 {
        let end = self.well.end().unwrap_or_default();
        let back = self.back();
        if back < end { self.well.between(back, end).max(1) } else { 0 }
    }

    /// Sees to it that the last line before the window is read, or tries: it may take more than one step. Not before
    /// `floor`.
    pub(super) fn read_older(&mut self, stamps: &Stamps, least: Option<Level>, floor: Option<Place>) -> bool {
        if !self.older.is_empty() || self.older_done || floor.is_some_and(|floor| self.older_from <= floor) {
            return true;
        }
        let to = self.older_from;
        let read = self.well.before(to, BATCH).and_then(|from| {
            let Some(from) = from else { return Ok(None) };
            let from = floor.map_or(from, |floor| from.max(floor));
            let mut reading = settle(&mut self.well, stamps, from)?;
            let step = forwards(&mut self.well, stamps, &mut reading, from, Some(to), u64::MAX, true)?;
            Ok(Some((from, step.lines)))
        });
        match read {
            Ok(Some((from, lines))) => {
                self.older = lines.into_iter().filter(|line| passes(line, least)).collect();
                self.older_from = from;
            }
            Ok(None) => self.older_done = true,
            Err(error) => {
                self.well.fail(&error);
                self.older_done = true;
            }
        }
        !self.older.is_empty() || self.older_done
    }

    /// Sees to it that the next line behind the window is read, or tries.
    pub(super) fn read_newer(&mut self, stamps: &Stamps, least: Option<Level>, rest: bool) -> bool {
        if !self.newer.is_empty() || self.newer_done {
            return true;
        }
        let from = self.newer_to;
        let mut reading = match self.reading.take().map_or_else(|| settle(&mut self.well, stamps, from), Ok) {
            Ok(reading) => reading,
            Err(error) => {
                self.well.fail(&error);
                Reading::default()
            }
        };
        match forwards(&mut self.well, stamps, &mut reading, from, None, BATCH, rest) {
            Ok(step) => {
                self.newer = step.lines.into_iter().filter(|line| passes(line, least)).collect();
                self.newer_to = step.next;
                self.newer_done = step.ended;
                self.reading = Some(reading);
            }
            Err(error) => {
                self.well.fail(&error);
                self.newer_done = true;
            }
        }
        !self.newer.is_empty() || self.newer_done
    }

    /// Before the first line that is put behind one of this time; `or_same`: behind those of the same time.
    pub(super) fn at_time(&mut self, stamps: &Stamps, time: Option<Timestamp>, or_same: bool) -> io::Result<Place> {
        let goes_before = |sort: Option<Timestamp>| sort < time || (or_same && sort == time);
        let mut run = 0;
        for later in 1..self.well.runs() {
            let began = match self.well.began(later) {
                Some(began) => Some(began),
                None => self.first_time(stamps, Place::byte(later, 0))?,
            };
            if goes_before(began) {
                run = later;
            }
        }
        let parts = self.well.parts(run)?;
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return Ok(Place { run, at: 0 }) };
        let (mut lower, mut upper) = (first.start, last.end);
        while upper - lower > BATCH {
            let middle = Place::byte(run, lower + (upper - lower) / 2);
            let line = self.well.before(middle, 1)?.filter(|line| line.run == run && line.offset() > lower);
            let Some(line) = line else { break };
            let time = self.first_time(stamps, line)?;
            if time.is_none() || goes_before(time) {
                lower = line.offset();
            } else {
                upper = line.offset();
            }
        }
        let mut at = if lower == first.start { Place { run, at: 0 } } else { Place::byte(run, lower) };
        let mut reading = settle(&mut self.well, stamps, at)?;
        loop {
            let step = forwards(&mut self.well, stamps, &mut reading, at, None, BATCH, true)?;
            if let Some(line) = step.lines.iter().find(|line| !goes_before(line.sort)) {
                return Ok(line.start);
            }
            at = step.next;
            if step.ended {
                return Ok(at);
            }
        }
    }

    /// The first time that is said soon after this place.
    fn first_time(&mut self, stamps: &Stamps, at: Place) -> io::Result<Option<Timestamp>> {
        let mut reading = Reading::default();
        let step = forwards(&mut self.well, stamps, &mut reading, at, None, BEHIND, true)?;
        Ok(step.lines.iter().filter(|line| line.start.run == at.run).find_map(|line| line.sort))
    }
}

/// Whether a line is shown. What we say always is.
pub(super) fn passes(line: &Raw, least: Option<Level>) -> bool {
    line.ours || Level::passes(line.level, least)
}
