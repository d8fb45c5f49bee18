//! Lines one by one, from whatever they are read from: which of them are shown, and when they were written.

use std::collections::VecDeque;
use std::io;

use crate::core::bot::BotName;
use crate::core::words::amount;
use crate::logs::grep::Grep;
use crate::logs::line::Stamps;
use crate::logs::read::Read;
use crate::logs::source::Source;
use jiff::Timestamp;

/// As much as is read at once.
const BLOCK: usize = 256 << 10;
/// A line longer than this is handled in pieces of this length.
const LONGEST: usize = 1 << 20;

/// Which lines are shown.
pub(super) struct Filter {
    pub(super) grep: Option<Grep>,
    pub(super) cutoff: Option<Timestamp>,
    /// Whether the times of lines are needed.
    pub(super) timed: bool,
}

/// What comes next in a stream of lines.
enum Next {
    /// Whole lines are there to be looked at.
    Lines,
    /// A run begins.
    Run,
    /// Nothing, for now.
    End,
}

/// Whom to tell of what was removed.
pub(super) struct Holes {
    pub(super) name: BotName,
    pub(super) complain: fn(&str),
}

impl Holes {
    /// So many bytes are missing here.
    pub(super) fn tell(&self, bytes: u64) {
        (self.complain)(&format!("{}: {} of its output were removed here", self.name, amount(bytes)));
    }
}

/// The lines of one source.
pub(super) struct Stream {
    /// Which of the bots it is about.
    pub(super) bot: usize,
    /// Its name, and whom to tell of what was removed.
    pub(super) holes: Option<Holes>,
    pub(super) source: Source,
    /// How its times are read.
    stamps: Stamps,
    buffer: Vec<u8>,
    /// What was not looked at yet; up to `whole` it is whole lines.
    head: usize,
    whole: usize,
    tail: usize,
    /// A run begins once the lines before it are through.
    run: bool,
    /// Lines that were collected before.
    kept: VecDeque<(Vec<u8>, When)>,
    /// The line that is shown next.
    pub(super) text: Vec<u8>,
    pub(super) when: When,
    /// Whether this run's lines have no times at all.
    untimed: bool,
}

/// When a line was written.
#[derive(Clone, Copy, Default)]
pub(super) struct When {
    /// By its own words, or those of the line before it, or else by the start of the run.
    pub(super) at: Option<Timestamp>,
    /// Whether this line says so itself.
    pub(super) own: bool,
    /// Whether a line of this run has said so.
    pub(super) dated: bool,
}

impl Stream {
    pub(super) fn new(bot: usize, holes: Option<Holes>, stamps: Stamps, source: Source) -> Self {
        Self {
            bot,
            holes,
            source,
            stamps,
            buffer: Vec::new(),
            head: 0,
            whole: 0,
            tail: 0,
            run: false,
            kept: VecDeque::new(),
            text: Vec::new(),
            when: When::default(),
            untimed: false,
        }
    }

    /// Collects everything that passes and keeps the last of it.
    pub(super) fn keep_last(&mut self, filter: &Filter, lines: usize, rest: bool) -> io::Result<()> {
        let mut kept = VecDeque::new();
        while self.next(filter, rest)? {
            if kept.len() == lines {
                kept.pop_front();
            }
            if lines > 0 {
                kept.push_back((std::mem::take(&mut self.text), self.when));
            }
        }
        self.kept = kept;
        Ok(())
    }

    /// Goes to the next line that passes. `rest`: a line that is not finished counts too.
    pub(super) fn next(&mut self, filter: &Filter, rest: bool) -> io::Result<bool> {
        if let Some((text, when)) = self.kept.pop_front() {
            (self.text, self.when) = (text, when);
            return Ok(true);
        }
        loop {
            match self.fill(rest)? {
                Next::Lines => {}
                Next::Run => {
                    self.begin_run(filter)?;
                    continue;
                }
                Next::End => return Ok(false),
            }
            let lines = self.buffer.get(self.head..self.whole).unwrap_or_default();
            if let (Some(grep), false) = (&filter.grep, filter.timed) {
                let Some(found) = grep.find(lines) else {
                    self.head = self.whole;
                    continue;
                };
                self.text.clear();
                self.text.extend_from_slice(lines.get(found.clone()).unwrap_or_default());
                self.head += found.end;
                return Ok(true);
            }
            let length = memchr::memchr(b'\n', lines).map_or(lines.len(), |newline| newline + 1);
            let line = lines.get(..length).unwrap_or_default();
            self.head += length;
            if filter.timed {
                let own = self.stamps.of(line);
                let at = own.or(self.when.at);
                self.when = When { at, own: own.is_some(), dated: own.is_some() || self.when.dated };
                let old = filter.cutoff.is_some_and(|cutoff| at.is_none_or(|at| at < cutoff));
                if old && !self.untimed {
                    continue;
                }
            }
            if filter.grep.as_ref().is_none_or(|grep| grep.matches(line)) {
                self.text.clear();
                self.text.extend_from_slice(line);
                return Ok(true);
            }
        }
    }

    fn begin_run(&mut self, filter: &Filter) -> io::Result<()> {
        if !filter.timed {
            return Ok(());
        }
        self.when = When { at: self.source.began(), ..When::default() };
        if filter.cutoff.is_some() {
            let mut sample = vec![0; 64 << 10];
            let count = self.source.peek(&mut sample)?;
            sample.truncate(count);
            self.untimed = !sample.split(|byte| *byte == b'\n').any(|line| self.stamps.of(line).is_some());
        }
        Ok(())
    }

    /// Sees to it that there are whole lines in the buffer.
    fn fill(&mut self, rest: bool) -> io::Result<Next> {
        loop {
            if self.head < self.whole {
                return Ok(Next::Lines);
            }
            if std::mem::take(&mut self.run) {
                return Ok(Next::Run);
            }
            if self.tail - self.head >= LONGEST {
                self.whole = self.tail;
                continue;
            }
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            (self.head, self.whole) = (0, 0);
            if self.buffer.len() < self.tail + BLOCK {
                self.buffer.resize(self.tail + BLOCK, 0);
            }
            match self.source.read(self.buffer.get_mut(self.tail..).unwrap_or_default())? {
                Read::Bytes(count) => {
                    let new = self.buffer.get(self.tail..self.tail + count).unwrap_or_default();
                    if let Some(newline) = memchr::memrchr(b'\n', new) {
                        self.whole = self.tail + newline + 1;
                    }
                    self.tail += count;
                }
                // What is open here is never finished.
                Read::Run => {
                    self.whole = self.tail;
                    self.run = true;
                }
                Read::Gap(bytes) => {
                    self.whole = self.tail;
                    self.holes.iter().for_each(|holes| holes.tell(bytes));
                }
                Read::End if rest && self.head < self.tail => self.whole = self.tail,
                Read::End => return Ok(Next::End),
            }
        }
    }
}
