//! A window over one or several logs, merged by time: read from its end, or from anywhere else, a step at a time.
//!
//! Of each log the window holds one piece, without anything left out in it but lines that are not loud enough. Lines of
//! several logs are put in the order of their times as they are read, in whichever direction; each log keeps the order
//! that it has. What is held does not change its place any more: a line that comes late comes last.
//!
//! Every answer may take many steps where few lines are loud enough; whoever asks looks between them whether he still
//! wants it, and what was read until then is not read again.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::lane::{Lane, Raw, line_at};
use super::line::Stamps;
use super::well::{Place, Well};
use crate::core::level::Level;
use crate::core::words::{amount, grouped};

/// So many lines are shown of what came too fast, and read around a place.
const LAST: usize = 400;
/// More than that at one time is skipped.
const FLOOD: u64 = 256 << 10;
/// No more bytes of lines are held.
const ROOM: u64 = 32 << 20;
/// The number of the first line; those before it are counted down from there.
const NUMBER: u64 = 1 << 40;
/// A line that is not finished is shown when nothing was added for so long.
const STALE: Duration = Duration::from_secs(1);
/// So many bytes are read to count the lines that are skipped.
const COUNTED: u64 = 64 << 20;

/// What became of the window.
#[derive(Debug, PartialEq, Eq)]
pub enum Page {
    /// These lines are held instead of those before.
    Anew {
        /// The number of the first.
        first: u64,
        /// In order.
        lines: Vec<Raw>,
        /// The number of the line that was asked for.
        stand: Option<u64>,
    },
    /// These come in front, and so many go at the back.
    Front(Vec<Raw>, usize),
    /// These come at the back, and so many go in front.
    Back(Vec<Raw>, usize),
}

/// A line that is held.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// From which lane; one that says something about the window is from none.
    lane: Option<usize>,
    start: Place,
    end: Place,
    bytes: u64,
}

/// What is being read.
#[derive(Debug)]
struct Job {
    older: usize,
    newer: usize,
    front: Vec<Raw>,
    back: Vec<Raw>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Front,
    Back,
    Anew,
    /// Around this line.
    Around(usize, Place),
    /// At the end, after a flood: the window ended there before.
    Flood(Vec<Place>),
}

/// The window.
#[derive(Debug)]
pub struct Pager {
    /// The logs.
    pub lanes: Vec<Lane>,
    /// How times are read.
    pub stamps: Stamps,
    least: Option<Level>,
    most: usize,
    held: VecDeque<Held>,
    first: u64,
    bytes: u64,
    job: Option<Job>,
    /// What comes is held.
    following: bool,
    hold: bool,
    /// What came too fast and was skipped, without a pause: bytes and lines.
    skipped: (u64, Option<u64>),
}

impl Pager {
    /// Over these wells, with at most so many lines.
    pub fn new(wells: Vec<Well>, least: Option<Level>, most: usize) -> Self {
        let mut pager = Self {
            lanes: Vec::new(),
            stamps: Stamps::new(TimeZone::system()),
            least,
            most: most.max(1),
            held: VecDeque::new(),
            first: NUMBER,
            bytes: 0,
            job: None,
            following: true,
            hold: false,
            skipped: (0, None),
        };
        for well in wells {
            pager.add(well);
        }
        pager
    }

    /// One more log, which was not known before; read from its end.
    pub fn add(&mut self, well: Well) {
        let mut lane = Lane::new(well);
        lane.well.look();
        lane.go_to_end(is_stale(&lane));
        self.lanes.push(lane);
    }

    /// Only lines at least so loud.
    pub const fn least(&self) -> Option<Level> {
        self.least
    }

    /// Whether something is to be read still.
    pub const fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Whether what comes is held.
    pub const fn follows(&self) -> bool {
        self.following
    }

    /// Nothing older is kept.
    pub fn at_start(&self) -> bool {
        self.lanes.iter().all(Lane::is_at_start)
    }

    /// So many bytes are newer than what is held.
    pub fn newer(&self) -> u64 {
        if self.lanes.iter().all(Lane::is_at_end) {
            return 0;
        }
        self.lanes.iter().filter(|lane| !lane.is_at_end()).map(Lane::behind).sum()
    }

    /// Nothing is taken from the front while it stands still.
    pub fn hold(&mut self, hold: bool) {
        self.hold = hold;
        if !hold {
            self.following = true;
        }
    }

    /// The last so many lines, instead of what is held.
    pub fn last(&mut self, lines: usize) {
        for lane in &mut self.lanes {
            lane.well.look();
            let stale = is_stale(lane);
            lane.go_to_end(stale);
        }
        self.forget();
        self.following = true;
        self.begin(lines.min(self.most), 0, Kind::Anew);
    }

    /// The first so many lines, instead of what is held.
    pub fn first(&mut self, lines: usize) {
        for lane in &mut self.lanes {
            lane.go_to_start();
        }
        self.forget();
        self.following = false;
        self.begin(0, lines.min(self.most), Kind::Anew);
    }

    /// So many lines before the first one that is held.
    pub fn older(&mut self, lines: usize) {
        if self.job.is_none() {
            self.begin(lines.min(self.most), 0, Kind::Front);
        }
    }

    /// So many lines after the last one that is held.
    pub fn newer_lines(&mut self, lines: usize) {
        if self.job.is_none() {
            self.begin(0, lines.min(self.most), Kind::Back);
        }
    }

    /// What stands around this line, instead of what is held.
    ///
    /// # Errors
    /// If a log cannot be read, with a sentence that names it.
    pub fn around(&mut self, lane: usize, at: Place) -> std::io::Result<()> {
        let places = self.places(lane, at)?;
        for (lane, place) in self.lanes.iter_mut().zip(places) {
            lane.go(place);
        }
        self.forget();
        self.following = false;
        let around = (LAST / 2).min(self.most / 2).max(1);
        self.begin(around, around, Kind::Around(lane, at));
        Ok(())
    }

    /// Where the window would begin in each log if it began with this line.
    ///
    /// # Errors
    /// If a log cannot be read, with a sentence that names it.
    pub fn places(&mut self, lane: usize, at: Place) -> std::io::Result<Vec<Place>> {
        if self.lanes.len() == 1 {
            return Ok(vec![at]);
        }
        let time = self.time_of(lane, at)?;
        let stamps = self.stamps.clone();
        self.lanes
            .iter_mut()
            .enumerate()
            .map(|(other, it)| if other == lane { Ok(at) } else { it.at_time(&stamps, time, other < lane) })
            .collect()
    }

    /// By what this line is put in order.
    ///
    /// # Errors
    /// If the log cannot be read, with a sentence that names it.
    pub fn time_of(&mut self, lane: usize, at: Place) -> std::io::Result<Option<jiff::Timestamp>> {
        let stamps = self.stamps.clone();
        let Some(lane) = self.lanes.get_mut(lane) else { return Ok(None) };
        Ok(line_at(&mut lane.well, &stamps, at)?.and_then(|line| line.sort))
    }

    /// The number of this line, if it is held.
    pub fn number_of(&self, lane: usize, at: Place) -> Option<u64> {
        let index = self.held.iter().position(|held| held.lane == Some(lane) && held.start == at)?;
        Some(self.first + index as u64)
    }

    /// In each log, what stands below this line, or above it.
    pub fn cursors(&self, from: u64, below: bool) -> Vec<Place> {
        let index = from.saturating_sub(self.first) as usize;
        let of = |lane: usize, held: &Held| held.lane == Some(lane);
        self.lanes
            .iter()
            .enumerate()
            .map(|(number, lane)| {
                if below {
                    let next = self.held.iter().skip(index + 1).find(|held| of(number, held));
                    next.map_or(lane.back(), |held| held.start)
                } else {
                    let last = self.held.iter().take(index).rfind(|held| of(number, held));
                    last.map_or(lane.front(), |held| held.end)
                }
            })
            .collect()
    }

    fn forget(&mut self) {
        self.first += 1 << 24;
        self.held.clear();
        self.bytes = 0;
        self.skipped = (0, None);
    }

    fn begin(&mut self, older: usize, newer: usize, kind: Kind) {
        self.job = Some(Job { older, newer, front: Vec::new(), back: Vec::new(), kind });
    }

    /// Ends what is being read with what there is; but other lines do not become none: until there is one it is read on,
    /// and that is the answer to whatever is asked for beside it, too.
    pub fn interrupt(&mut self) -> Option<Page> {
        let job = self.job.take()?;
        let anew = !matches!(job.kind, Kind::Front | Kind::Back);
        if anew && job.front.is_empty() && job.back.is_empty() {
            self.job = Some(job);
            return None;
        }
        Some(self.finish(job))
    }

    /// Reads on; the answer comes with the last step.
    pub fn step(&mut self) -> Option<Page> {
        let mut job = self.job.take()?;
        while job.newer > 0 {
            let mut ready = true;
            for lane in &mut self.lanes {
                ready &= lane.read_newer(&self.stamps, self.least, is_stale(lane));
            }
            if !ready {
                self.job = Some(job);
                return None;
            }
            let next = self.take_newer(&mut job.newer, &mut job.back);
            if !next {
                job.newer = 0;
            } else if job.newer > 0 {
                self.job = Some(job);
                return None;
            }
        }
        while job.older > 0 {
            let floor = if let Kind::Flood(floor) = &job.kind { Some(floor.clone()) } else { None };
            let mut ready = true;
            for (number, lane) in self.lanes.iter_mut().enumerate() {
                let floor = floor.as_ref().and_then(|floor| floor.get(number)).copied();
                ready &= lane.read_older(&self.stamps, self.least, floor);
            }
            if !ready {
                self.job = Some(job);
                return None;
            }
            if !self.take_older(&mut job) {
                job.older = 0;
            } else if job.older > 0 {
                self.job = Some(job);
                return None;
            }
        }
        Some(self.finish(job))
    }

    /// Takes lines from behind the window until a log has to be read on; nothing where there are none.
    fn take_newer(&mut self, left: &mut usize, lines: &mut Vec<Raw>) -> bool {
        while *left > 0 {
            if self.lanes.iter().any(|lane| lane.newer.is_empty() && !lane.newer_done) {
                return true;
            }
            let next =
                self.lanes.iter().enumerate().filter_map(|(number, lane)| Some((lane.newer.front()?.sort, number)));
            let Some((_, number)) = next.min() else { return false };
            let Some(line) = self.lanes.get_mut(number).and_then(|lane| lane.newer.pop_front()) else { return false };
            lines.push(Raw { lane: number, ..line });
            *left -= 1;
        }
        true
    }

    fn take_older(&mut self, job: &mut Job) -> bool {
        let floor = if let Kind::Flood(floor) = &job.kind { floor.clone() } else { Vec::new() };
        while job.older > 0 {
            let waits = |(number, lane): (usize, &Lane)| {
                let ends = floor.get(number).is_some_and(|floor| lane.front() <= *floor);
                lane.older.is_empty() && !lane.is_at_start() && !ends
            };
            if self.lanes.iter().enumerate().any(waits) {
                return true;
            }
            let last =
                self.lanes.iter().enumerate().filter_map(|(number, lane)| Some((lane.older.last()?.sort, number)));
            let Some((_, number)) = last.max() else { return false };
            let Some(line) = self.lanes.get_mut(number).and_then(|lane| lane.older.pop()) else { return false };
            job.front.push(Raw { lane: number, ..line });
            job.older -= 1;
        }
        true
    }

    fn finish(&mut self, mut job: Job) -> Page {
        job.front.reverse();
        match job.kind {
            Kind::Front => {
                let lines = job.front;
                self.first -= lines.len() as u64;
                for line in lines.iter().rev() {
                    self.bytes += line.bytes.len() as u64;
                    self.held.push_front(held(line));
                }
                let cut = self.cut_back();
                Page::Front(lines, cut)
            }
            Kind::Back => self.append(job.back),
            Kind::Anew | Kind::Around(..) | Kind::Flood(_) => {
                let mut lines = job.front;
                lines.append(&mut job.back);
                if let Kind::Flood(backs) = &job.kind
                    && let Some(said) = self.skipped_since(backs)
                {
                    lines.insert(0, said);
                }
                self.held = lines.iter().map(held).collect();
                self.bytes = lines.iter().map(|line| line.bytes.len() as u64).sum();
                let stand = match job.kind {
                    Kind::Around(lane, at) => self.number_of(lane, at),
                    Kind::Front | Kind::Back | Kind::Anew | Kind::Flood(_) => None,
                };
                if self.newer() == 0 {
                    self.following = true;
                }
                Page::Anew { first: self.first, lines, stand }
            }
        }
    }

    fn append(&mut self, lines: Vec<Raw>) -> Page {
        for line in &lines {
            self.bytes += line.bytes.len() as u64;
            self.held.push_back(held(line));
        }
        if self.lanes.iter().all(Lane::is_at_end) {
            self.following = true;
        }
        let cut = self.cut_front();
        Page::Back(lines, cut)
    }

    fn is_too_full(&self) -> bool {
        self.held.len() > self.most || (self.bytes > ROOM && self.held.len() > 1)
    }

    fn cut_front(&mut self) -> usize {
        let mut cut = 0;
        while self.is_too_full() {
            let Some(line) = self.held.pop_front() else { break };
            self.bytes -= line.bytes;
            self.first += 1;
            cut += 1;
            if let Some(lane) = line.lane.and_then(|lane| self.lanes.get_mut(lane)) {
                lane.cut_front(line.end);
            }
        }
        cut
    }

    fn cut_back(&mut self) -> usize {
        let mut cut = 0;
        while self.is_too_full() {
            let Some(line) = self.held.pop_back() else { break };
            self.bytes -= line.bytes;
            cut += 1;
            if let Some(lane) = line.lane.and_then(|lane| self.lanes.get_mut(lane)) {
                lane.cut_back(line.start);
                self.following = false;
            }
        }
        cut
    }

    /// What is new, if what comes is held. What comes faster than it can be shown is skipped, but not while somebody
    /// reads.
    pub fn follow(&mut self) -> Option<Page> {
        for lane in &mut self.lanes {
            lane.well.look();
            lane.newer_done = lane.newer_done && lane.behind() == 0;
        }
        if self.job.is_some() || !self.following || (self.hold && self.held.len() >= self.most) {
            return None;
        }
        let stale: Vec<bool> = self.lanes.iter().map(is_stale).collect();
        if !self.hold && self.newer() > FLOOD {
            let backs = self.lanes.iter().map(Lane::back).collect();
            for (lane, stale) in self.lanes.iter_mut().zip(stale) {
                lane.go_to_end(stale);
                // What a flood leaves is a part of a line at most.
                lane.newer_done = false;
            }
            let skipped = self.skipped;
            self.forget();
            self.skipped = skipped;
            self.begin(LAST.min(self.most), 0, Kind::Flood(backs));
            return None;
        }
        let mut left = if self.hold { self.most - self.held.len() } else { self.most };
        let mut lines = Vec::new();
        while left > 0 {
            for (lane, stale) in self.lanes.iter_mut().zip(&stale) {
                while !lane.read_newer(&self.stamps, self.least, *stale) {}
            }
            if !self.take_newer(&mut left, &mut lines) {
                break;
            }
        }
        if lines.is_empty() {
            self.skipped = (0, None);
            return None;
        }
        Some(self.append(lines))
    }

    /// What we say of the bytes that were skipped since the window ended at these places.
    fn skipped_since(&mut self, backs: &[Place]) -> Option<Raw> {
        let (mut bytes, mut lines) = (0, Some(0));
        for (lane, back) in self.lanes.iter_mut().zip(backs) {
            let front = lane.front();
            let skipped = if *back < front { lane.well.between(*back, front) } else { 0 };
            bytes += skipped;
            let counted = (skipped > 0 && skipped <= COUNTED).then(|| count(&mut lane.well, *back, front));
            lines = if skipped == 0 { lines } else { lines.zip(counted.flatten()).map(|(all, one)| all + one) };
        }
        if bytes == 0 {
            return None;
        }
        self.skipped = match self.skipped {
            (0, _) => (bytes, lines),
            (before, all) => (before + bytes, all.zip(lines).map(|(all, lines)| all + lines)),
        };
        let lines = match self.skipped.1 {
            Some(0) => " (part of a line)".to_owned(),
            Some(lines) => format!(" ({} lines)", grouped(lines)),
            None => String::new(),
        };
        let said = format!("--- {}{lines} came too fast to be shown; k reads them ---", amount(self.skipped.0));
        Some(Raw { ours: true, bytes: said.into_bytes(), lane: usize::MAX, ..Raw::default() })
    }
}

fn held(line: &Raw) -> Held {
    let lane = (line.lane != usize::MAX).then_some(line.lane);
    Held { lane, start: line.start, end: line.end, bytes: line.bytes.len() as u64 }
}

/// Whether what is not finished in it was left so.
fn is_stale(lane: &Lane) -> bool {
    lane.well.written().and_then(|written| written.elapsed().ok()).is_some_and(|quiet| quiet > STALE)
}

/// How many lines end between these places.
fn count(well: &mut Well, from: Place, to: Place) -> Option<u64> {
    let mut block = vec![0; 256 << 10];
    let mut lines = 0;
    for run in from.run..=to.run {
        let lower = if run == from.run { from.offset() } else { 0 };
        let upper = if run == to.run { to.offset() } else { u64::MAX };
        for part in well.parts(run).ok()? {
            let (mut at, end) = (part.start.max(lower), part.end.min(upper));
            while at < end {
                let length = (end - at).min(block.len() as u64) as usize;
                let block = block.get_mut(..length)?;
                well.fill(run, at, block).ok()?;
                lines += memchr::memchr_iter(b'\n', block).count() as u64;
                at += length as u64;
            }
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests;
