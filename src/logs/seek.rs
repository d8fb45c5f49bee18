//! A search over everything that a view shows: from the end to the beginning, and on with what is added.
//!
//! It goes a piece at a time, for as long as the reader of the view can wait, so that it never delays what is being
//! written. Of each piece only the number of lines that match is kept; which they are is looked up again in the one
//! piece where somebody wants to go to. So there is no limit on how many may match.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::grep::Grep;
use super::lane::{Raw, Reading, passes};
use super::line::Stamps;
use super::pager::Pager;
use super::well::{Place, Well};
use crate::core::level::Level;

/// A piece is as long as takes about so much time.
const SLICE: Duration = Duration::from_millis(6);
/// And in bytes, at least and at most.
const SHORTEST: u64 = 16 << 10;
const LONGEST: u64 = 2 << 20;
/// Pieces that are added at the end become one up to this size.
const JOINED: u64 = 1 << 20;
/// To know what a line belongs to, so many bytes before it are read.
const BEHIND: usize = 8 << 10;

/// What is searched for.
#[derive(Clone, Debug)]
pub enum Sought {
    /// Lines that match.
    Pattern(Grep),
    /// Lines that are errors themselves. The search knows where there may be any.
    Errors(Grep),
}

impl Sought {
    /// Lines that match this pattern, in whatever case.
    pub fn pattern(text: &str) -> Option<Self> {
        Grep::in_any_case(text).map(Self::Pattern)
    }

    /// Lines that are errors.
    pub fn errors() -> Option<Self> {
        let words = r#"err|cri?t|fatal?\b|fata|ftl|panic|pnc|severe|alert|emerg|traceback|exception|\be\b|^[ef]\d|"[efc]"|"?:\s*[56]\d|unhandled"#;
        Grep::in_any_case(words).map(Self::Errors)
    }
}

/// A piece that was looked at.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: Place,
    end: Place,
    hits: u64,
}

/// How far a log was looked at: one piece next to the other.
#[derive(Debug)]
struct Looked {
    pieces: VecDeque<Piece>,
    from: Place,
    to: Place,
    /// Nothing stands before.
    done: bool,
    hits: u64,
}

/// A search.
#[derive(Debug)]
pub struct Seek {
    sought: Sought,
    least: Option<Level>,
    lanes: Vec<Looked>,
    /// The size of the next piece.
    piece: u64,
    /// The end was looked at up to what is written now.
    at_end: bool,
    /// What the last piece was read into.
    buffer: Vec<u8>,
    /// Where the logs ended when somebody wanted to go on: whatever is written after that, he need not wait for.
    aim: Vec<Place>,
    /// He wants to go backwards.
    up: bool,
    /// What was added is looked at next. The two ways take turns, for in a flood the end is never reached.
    turn: bool,
}

/// Where the next match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Here.
    At(usize, Place),
    /// There is none.
    None,
    /// That was not looked at yet.
    Unknown,
}

impl Seek {
    /// Searches what this window looks at.
    pub fn new(sought: Sought, pager: &mut Pager) -> Self {
        let mut seek = Self {
            sought,
            least: pager.least(),
            lanes: Vec::new(),
            piece: 64 << 10,
            buffer: Vec::new(),
            at_end: true,
            aim: Vec::new(),
            up: false,
            turn: true,
        };
        for lane in &mut pager.lanes {
            seek.add(&mut lane.well);
        }
        seek
    }

    /// One more log, which was not known before.
    pub fn add(&mut self, well: &mut Well) {
        let end = well.last_line().unwrap_or_default();
        self.lanes.push(Looked { pieces: VecDeque::new(), from: end, to: end, done: false, hits: 0 });
    }

    /// How many lines match as far as was looked.
    pub fn total(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.hits).sum()
    }

    /// Whether everything was looked at.
    pub fn is_done(&self) -> bool {
        self.at_end && self.is_whole()
    }

    fn is_whole(&self) -> bool {
        self.lanes.iter().all(|lane| lane.done)
    }

    /// There may be more at the end.
    pub const fn look_again(&mut self) {
        self.at_end = false;
    }

    /// Somebody wants to go on, this way; what he waits for is looked at first.
    pub fn aim(&mut self, pager: &mut Pager, forward: bool) {
        self.up = !forward;
        let ends = pager.lanes.iter_mut().map(|lane| lane.well.last_line().unwrap_or_default());
        self.aim = ends.collect();
    }

    /// He has come there.
    pub fn arrive(&mut self) {
        self.up = false;
        self.aim.clear();
    }

    /// Whether this log was looked at up to where it ended when somebody wanted to go on.
    fn is_up_to_aim(&self, number: usize) -> bool {
        let reaches = |looked: &Looked| self.aim.get(number).is_some_and(|aim| looked.to >= *aim);
        self.at_end || self.lanes.get(number).is_some_and(reaches)
    }

    /// Leaves it at what was found.
    pub fn give_up(&mut self) {
        self.at_end = true;
        for lane in &mut self.lanes {
            lane.done = true;
        }
    }

    /// Looks at one more piece.
    ///
    /// # Errors
    /// If a log cannot be read, with a sentence that names it.
    pub fn step(&mut self, pager: &mut Pager) -> io::Result<()> {
        let began = Instant::now();
        let ahead = !self.at_end && (self.is_whole() || (self.turn && !self.up));
        self.turn = !ahead;
        let looked = if ahead { self.ahead(pager)? } else { self.back(pager)? };
        if looked >= self.piece {
            let took = began.elapsed();
            let next = if took > SLICE {
                self.piece / 2
            } else if took < SLICE / 3 {
                self.piece * 2
            } else {
                self.piece
            };
            self.piece = next.clamp(SHORTEST, LONGEST);
        }
        Ok(())
    }

    /// What was added at the end.
    fn ahead(&mut self, pager: &mut Pager) -> io::Result<u64> {
        for (looked, lane) in self.lanes.iter_mut().zip(&mut pager.lanes) {
            let well = &mut lane.well;
            let end = well.last_line()?;
            if looked.to >= end {
                continue;
            }
            let (start, mut to) = (looked.to, end);
            if start.run < end.run {
                // Run by run.
                let length = well.parts(start.run)?.last().map_or(0, |part| part.end);
                if start.offset() >= length {
                    looked.to = Place { run: start.run + 1, at: 1 };
                    return Ok(0);
                }
                to = Place::byte(start.run, length);
            }
            if to.offset() - start.offset() > self.piece {
                let middle = Place::byte(start.run, start.offset() + self.piece);
                let line = well.before(middle, 1)?.filter(|line| line.run == start.run && *line > start);
                to = line.unwrap_or(to);
            }
            let (kept, text) = text_of(well, start, to, std::mem::take(&mut self.buffer))?;
            let mut hits = 0;
            each(&self.sought, self.least, well, &pager.stamps, (kept, to), &text, &mut |_| hits += 1)?;
            let length = text.len() as u64;
            self.buffer = text;
            looked.hits += hits;
            looked.to = to;
            match looked.pieces.back_mut() {
                Some(last) if last.end.run == to.run && to.at - last.start.at < JOINED && last.end == start => {
                    last.end = to;
                    last.hits += hits;
                }
                Some(_) | None => looked.pieces.push_back(Piece { start, end: to, hits }),
            }
            return Ok(length);
        }
        self.at_end = true;
        Ok(0)
    }

    /// What stands before, of the log that was looked at least.
    fn back(&mut self, pager: &mut Pager) -> io::Result<u64> {
        let next = self.lanes.iter().enumerate().filter(|(_, lane)| !lane.done);
        let Some((number, _)) = next.min_by_key(|(_, lane)| lane.pieces.len()) else { return Ok(0) };
        let (Some(looked), Some(lane)) = (self.lanes.get_mut(number), pager.lanes.get_mut(number)) else {
            return Ok(0);
        };
        let well = &mut lane.well;
        let Some(start) = well.before(looked.from, self.piece)? else {
            looked.done = true;
            return Ok(0);
        };
        if start.at == 0 {
            // A heading of ours.
            looked.from = start;
            return Ok(0);
        }
        let end = if start.run == looked.from.run {
            looked.from
        } else {
            Place::byte(start.run, well.parts(start.run)?.last().map_or(0, |part| part.end))
        };
        let (kept, text) = text_of(well, start, end, std::mem::take(&mut self.buffer))?;
        let mut hits = 0;
        each(&self.sought, self.least, well, &pager.stamps, (kept, end), &text, &mut |_| hits += 1)?;
        let length = text.len() as u64;
        self.buffer = text;
        looked.hits += hits;
        looked.from = start;
        looked.pieces.push_front(Piece { start, end, hits });
        Ok(length)
    }

    /// The match next to these places, one in each log, around the ends.
    ///
    /// # Errors
    /// If a log cannot be read, with a sentence that names it.
    pub fn next(&mut self, pager: &mut Pager, cursors: &[Place], forward: bool) -> io::Result<Next> {
        match self.beside(pager, cursors, forward)? {
            Next::None => {}
            found @ (Next::At(..) | Next::Unknown) => return Ok(found),
        }
        if self.total() == 0 {
            let all = self.is_whole() && (0..self.lanes.len()).all(|number| self.is_up_to_aim(number));
            return Ok(if all { Next::None } else { Next::Unknown });
        }
        let ends: Vec<Place> = self.lanes.iter().map(|lane| if forward { Place::default() } else { lane.to }).collect();
        self.beside(pager, &ends, forward)
    }

    fn beside(&mut self, pager: &mut Pager, cursors: &[Place], forward: bool) -> io::Result<Next> {
        let mut found: Vec<(usize, Place)> = Vec::new();
        for (number, cursor) in cursors.iter().enumerate() {
            match self.beside_in(number, pager, *cursor, forward)? {
                Next::At(_, place) => found.push((number, place)),
                Next::None => {}
                Next::Unknown => return Ok(Next::Unknown),
            }
        }
        if found.len() > 1 {
            let mut timed = Vec::new();
            for (number, place) in found {
                timed.push((pager.time_of(number, place)?, number, place));
            }
            let best = if forward { timed.into_iter().min() } else { timed.into_iter().max() };
            return Ok(best.map_or(Next::None, |(_, number, place)| Next::At(number, place)));
        }
        Ok(found.first().map_or(Next::None, |(number, place)| Next::At(*number, *place)))
    }

    fn beside_in(&mut self, number: usize, pager: &mut Pager, cursor: Place, forward: bool) -> io::Result<Next> {
        let up_to_aim = self.is_up_to_aim(number);
        let (Some(looked), Some(lane)) = (self.lanes.get_mut(number), pager.lanes.get_mut(number)) else {
            return Ok(Next::None);
        };
        if forward && cursor < looked.from && !looked.done {
            return Ok(Next::Unknown);
        }
        let count = looked.pieces.len();
        // The first piece that ends behind the cursor.
        let split = looked.pieces.partition_point(|piece| piece.end <= cursor);
        let order: Box<dyn Iterator<Item = usize>> =
            if forward { Box::new(split..count) } else { Box::new((0..count.min(split + 1)).rev()) };
        for index in order {
            let Some(piece) = looked.pieces.get(index).copied() else { break };
            if piece.hits == 0 || (!forward && piece.start >= cursor) {
                continue;
            }
            let (kept, text) = text_of(&mut lane.well, piece.start, piece.end, Vec::new())?;
            let (mut hit, mut all) = (None, 0);
            let range = (kept, piece.end);
            each(&self.sought, self.least, &mut lane.well, &pager.stamps, range, &text, &mut |place| {
                all += 1;
                let suits = if forward { hit.is_none() && place >= cursor } else { place < cursor };
                if suits {
                    hit = Some(place);
                }
            })?;
            if all != piece.hits {
                // Something was removed since.
                looked.hits = looked.hits + all - piece.hits;
                if let Some(piece) = looked.pieces.get_mut(index) {
                    piece.hits = all;
                }
            }
            if let Some(place) = hit {
                return Ok(Next::At(number, place));
            }
        }
        if (forward && !up_to_aim) || (!forward && !looked.done) {
            return Ok(Next::Unknown);
        }
        Ok(Next::None)
    }

    /// Which match this is, counted from 1, if all before it were counted.
    ///
    /// # Errors
    /// If a log cannot be read, with a sentence that names it.
    pub fn nth(&mut self, pager: &mut Pager, lane: usize, at: Place) -> io::Result<Option<u64>> {
        if !self.is_whole() {
            return Ok(None);
        }
        let places = pager.places(lane, at)?;
        let mut before = 0;
        for ((looked, lane), place) in self.lanes.iter().zip(&mut pager.lanes).zip(places) {
            for piece in &looked.pieces {
                if piece.end <= place {
                    before += piece.hits;
                } else if piece.start < place && piece.hits > 0 {
                    let (kept, text) = text_of(&mut lane.well, piece.start, piece.end, Vec::new())?;
                    let range = (kept, piece.end);
                    each(&self.sought, self.least, &mut lane.well, &pager.stamps, range, &text, &mut |hit| {
                        before += u64::from(hit < place);
                    })?;
                }
            }
        }
        Ok(Some(before + 1))
    }
}

/// The bytes between two places of one run, and where they begin: those that were removed are left out. They take the
/// place of whatever stands in `text`, whose memory need not be asked for again.
fn text_of(well: &mut Well, from: Place, to: Place, mut text: Vec<u8>) -> io::Result<(Place, Vec<u8>)> {
    text.resize(to.offset().saturating_sub(from.offset()) as usize, 0);
    let first = well.fill(from.run, from.offset(), &mut text)?;
    let gone = first.saturating_sub(from.offset()).min(text.len() as u64);
    if gone > 0 {
        text.drain(..gone as usize);
    }
    Ok((Place::byte(from.run, from.offset() + gone), text))
}

/// Every line of this piece that is sought, by where it begins.
fn each(
    sought: &Sought,
    least: Option<Level>,
    well: &mut Well,
    stamps: &Stamps,
    (start, end): (Place, Place),
    text: &[u8],
    found: &mut dyn FnMut(Place),
) -> io::Result<()> {
    let stamps = &well.stamps(stamps);
    let place = |at: usize| Place::byte(start.run, start.offset() + at as u64);
    let (grep, errors) = match sought {
        Sought::Pattern(grep) => (grep, false),
        Sought::Errors(grep) => (grep, true),
    };
    if !errors && least.is_none_or(|least| least == Level::Debug) {
        grep.each(text, |line| found(place(line.start)));
        return Ok(());
    }
    let mut hits = Vec::new();
    grep.each(text, |line| hits.push(line));
    let mut known: Option<(usize, Reading)> = None;
    for hit in hits {
        let (mut at, mut reading) = match known.take() {
            Some((at, reading)) if hit.start - at <= BEHIND => (at, reading),
            Some(_) | None if hit.start <= BEHIND => (0, super::lane::settle(well, stamps, start)?),
            Some(_) | None => {
                let behind = hit.start - BEHIND;
                let newline = memchr::memchr(b'\n', text.get(behind..hit.start).unwrap_or_default());
                (newline.map_or(hit.start, |newline| behind + newline + 1), Reading::default())
            }
        };
        while at < hit.start {
            let rest = text.get(at..hit.start).unwrap_or_default();
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            reading.line(rest.get(..length).unwrap_or_default(), stamps);
            at += length;
        }
        let line: Raw = reading.line(text.get(hit.clone()).unwrap_or_default(), stamps);
        known = Some((hit.end, reading));
        let is_error = line.level == Some(Level::Error) && !line.belongs;
        if (!errors || is_error) && passes(&line, least) && place(hit.start) < end {
            found(place(hit.start));
        }
    }
    Ok(())
}
