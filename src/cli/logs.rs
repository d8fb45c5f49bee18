//! `botwarden logs`: what bots wrote.
//!
//! One bot into a pipe or a file: its bytes, unchanged. Everything else goes line by line: on a terminal, with a
//! filter, as JSON, or of several bots, whose lines are put in the order of their times.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::bytes::{Regex, RegexBuilder};
use serde::Serialize;

use crate::core::bot::BotName;
use crate::logs::harmless::harmless;
use crate::logs::line::{Stamps, run_start};
use crate::logs::read::{LogSet, Position, Read, Reader, Watch, Woken};
use crate::paths::BotHome;

/// What to show, and how.
#[derive(Debug, Default)]
pub struct LogsArgs {
    /// The bots, and where their logs are.
    pub bots: Vec<(BotName, BotHome)>,
    /// Only the last so many lines (of each bot; with a filter, of those that pass it).
    pub lines: Option<u64>,
    /// Go on with what comes, until the output is closed. On a terminal this starts with the last ten lines unless
    /// told otherwise; a pipe gets everything.
    pub follow: bool,
    /// Only lines that match. Flags are taken from the pattern's text alone: `(?i)` instead of a builder's.
    pub grep: Option<Regex>,
    /// Only lines that are no older than this. A line without a time of its own belongs to the one before it; where a
    /// run has no times at all, every line counts that was not certainly written before.
    pub since: Option<Duration>,
    /// Whether to write JSON.
    pub json: bool,
    /// Whether the output is a terminal.
    pub terminal: bool,
    /// The output's descriptor, if it has one: then its closing is noticed even while no line comes.
    pub output: Option<OwnedFd>,
}

/// How it ended; both are a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was shown.
    Shown,
    /// Whoever was reading has seen enough.
    Closed,
}

/// How long a wait for new lines may be before the folders are looked at all the same: a network file system does not
/// tell what others write.
const LOOK: Duration = Duration::from_secs(1);
/// As much as is read at once.
const BLOCK: usize = 256 << 10;
/// A line longer than this is handled in pieces of this length.
const LONGEST: usize = 1 << 20;
/// Lines of one bot that are shown before another one has its turn.
const TURN: usize = 1000;
/// How many lines a terminal starts with when it follows.
const SCREENFUL: u64 = 10;

/// Shows the logs.
///
/// # Errors
/// If a log cannot be read or the output cannot be written, with a sentence.
pub fn run(args: &LogsArgs, now: Timestamp, out: &mut dyn Write) -> io::Result<Outcome> {
    let mut out = BufWriter::with_capacity(64 << 10, out);
    match show(args, now, &mut out).and_then(|outcome| out.flush().map(|()| outcome)) {
        // Only the output is a pipe here; logs are files.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Outcome::Closed),
        done => done,
    }
}

fn show(args: &LogsArgs, now: Timestamp, out: &mut dyn Write) -> io::Result<Outcome> {
    let filtered = args.grep.is_some() || args.since.is_some();
    let cutoff = args.since.map(|since| {
        let since = SignedDuration::try_from(since).unwrap_or(SignedDuration::MAX);
        now.checked_sub(since).unwrap_or(Timestamp::MIN)
    });
    let lines = match args.lines {
        None if args.follow && args.terminal && !filtered => Some(SCREENFUL),
        lines => lines,
    };
    // Before anything is read: what changes from now on wakes the first wait.
    let mut watch = args.follow.then(|| Watch::new(args.bots.iter().map(|(_, home)| home.log_dir())));
    let mut readers = Vec::new();
    for (_, home) in &args.bots {
        let mut set = LogSet::open(&home.log_dir())?;
        let from = match (cutoff, lines) {
            (Some(cutoff), _) => set.since(SystemTime::from(cutoff))?,
            (None, Some(lines)) if !filtered => set.tail(lines)?,
            (None, Some(_) | None) => Position::default(),
        };
        // A look ends where the log ended when it began, or it would never end for a bot that writes fast.
        let end = if args.follow { None } else { Some(set.end()?) };
        let mut reader = set.reader(from);
        reader.stop_at(end);
        readers.push(reader);
    }
    if let ([_], false, false, false) = (args.bots.as_slice(), args.terminal, args.json, filtered) {
        let Some(mut reader) = readers.pop() else { return Ok(Outcome::Shown) };
        return raw(&mut reader, lines.is_some() || args.follow, args, watch.as_mut(), out);
    }

    let timed = cutoff.is_some() || args.json || (args.bots.len() > 1 && !args.follow);
    let filter =
        Filter { grep: args.grep.as_ref().map(Grep::new), cutoff, timed, stamps: Stamps::new(TimeZone::system()) };
    let mut streams: Vec<Stream> = readers.into_iter().map(Stream::new).collect();
    let width = args.bots.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    let mut page = Page { args, width, any: false, open: false };

    page.begin(out)?;
    if let (Some(lines), true) = (lines, filtered) {
        // What passes a filter is known only when it was seen.
        for stream in &mut streams {
            stream.keep_last(&filter, usize::try_from(lines).unwrap_or(usize::MAX), !args.follow)?;
        }
    }
    if args.bots.len() > 1 && !args.follow {
        merge(&mut streams, &filter, &mut page, out)?;
    } else if !args.follow {
        for (index, stream) in streams.iter_mut().enumerate() {
            while stream.next(&filter, true)? {
                page.line(index, stream, out)?;
            }
        }
    }
    page.end(out)?;
    let Some(watch) = &mut watch else { return Ok(Outcome::Shown) };
    loop {
        let mut busy = false;
        for (index, stream) in streams.iter_mut().enumerate() {
            for _ in 0..TURN {
                if !stream.next(&filter, false)? {
                    break;
                }
                busy = true;
                page.line(index, stream, out)?;
            }
        }
        if !busy && !wait(watch, args, out)? {
            return Ok(Outcome::Closed);
        }
    }
}

/// Waits for more; says whether anybody still reads.
fn wait(watch: &mut Watch, args: &LogsArgs, out: &mut dyn Write) -> io::Result<bool> {
    out.flush()?;
    Ok(watch.wait(LOOK, args.output.as_ref().map(AsFd::as_fd))? != Woken::HungUp)
}

/// The bytes as they are. `lines`: a run that left its last line unfinished gets an end for it, so that the next
/// run's first line is a line.
fn raw(
    reader: &mut Reader,
    lines: bool,
    args: &LogsArgs,
    mut watch: Option<&mut Watch>,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let mut buffer = vec![0; BLOCK];
    let mut last = b'\n';
    loop {
        match reader.read(&mut buffer)? {
            Read::Bytes(count) => {
                out.write_all(&buffer[..count])?;
                last = buffer[count - 1];
            }
            Read::Run if lines && last != b'\n' => {
                out.write_all(b"\n")?;
                last = b'\n';
            }
            Read::Run | Read::Gap(_) => {}
            Read::End => {
                let Some(watch) = &mut watch else { return Ok(Outcome::Shown) };
                if !wait(watch, args, out)? {
                    return Ok(Outcome::Closed);
                }
            }
        }
    }
}

/// Several bots' lines in the order of their times. Lines that belong to the one before them stay with it.
fn merge(streams: &mut [Stream], filter: &Filter, page: &mut Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut waiting = Vec::new();
    for stream in streams.iter_mut() {
        waiting.push(stream.next(filter, true)?);
    }
    loop {
        let first = streams
            .iter()
            .enumerate()
            .filter(|(index, _)| waiting.get(*index).is_some_and(|waiting| *waiting))
            .min_by_key(|(_, stream)| stream.when.at)
            .map(|(index, _)| index);
        let Some(index) = first else { return Ok(()) };
        let Some(stream) = streams.get_mut(index) else { return Ok(()) };
        loop {
            page.line(index, stream, out)?;
            let more = stream.next(filter, true)?;
            if let Some(waiting) = waiting.get_mut(index) {
                *waiting = more;
            }
            if !more || stream.when.own {
                break;
            }
        }
    }
}

/// Which lines are shown.
struct Filter {
    grep: Option<Grep>,
    cutoff: Option<Timestamp>,
    /// Whether the times of lines are needed.
    timed: bool,
    stamps: Stamps,
}

/// A search through many lines at once.
struct Grep {
    pattern: Regex,
    /// Whether it can be given many lines: `^` and `$` mean lines in it, and nothing means the whole text.
    blocks: bool,
}

impl Grep {
    fn new(pattern: &Regex) -> Self {
        let text = pattern.as_str();
        match RegexBuilder::new(text).multi_line(true).crlf(true).build() {
            Ok(pattern) => Self { pattern, blocks: suits_blocks(text) },
            Err(_) => Self { pattern: pattern.clone(), blocks: false },
        }
    }

    /// Whether this line matches; its end does not count.
    fn matches(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.pattern.is_match(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The first line that matches.
    fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let mut from = 0;
        while from < text.len() {
            // A line can only match where its pattern matches somewhere in the text; but the other way round a match
            // may reach over the line's end, and the line alone does not match.
            let hit = if self.blocks { from + self.pattern.find(text.get(from..)?)?.start() } else { from };
            let start = memchr::memrchr(b'\n', text.get(from..hit)?).map_or(from, |newline| from + newline + 1);
            let end = memchr::memchr(b'\n', text.get(hit..)?).map_or(text.len(), |newline| hit + newline + 1);
            if self.matches(text.get(start..end)?) {
                return Some(start..end);
            }
            from = end;
        }
        None
    }
}

/// Whether a pattern means the same in many lines at once as in one: it must not say where the whole text begins or
/// ends, nor switch off that `^` and `$` mean lines. In doubt it is taken line by line.
fn suits_blocks(pattern: &str) -> bool {
    let flags_ok = pattern.split("(?").skip(1).all(|group| {
        let flags = group.split([')', ':']).next().unwrap_or(group);
        !flags.contains('-')
    });
    flags_ok && !pattern.contains("\\A") && !pattern.contains("\\z")
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

/// One bot's lines.
struct Stream {
    reader: Reader,
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
    text: Vec<u8>,
    when: When,
    /// Whether this run's lines have no times at all.
    untimed: bool,
}

/// When a line was written.
#[derive(Clone, Copy, Default)]
struct When {
    /// By its own words, or those of the line before it, or else by the start of the run.
    at: Option<Timestamp>,
    /// Whether this line says so itself.
    own: bool,
    /// Whether a line of this run has said so.
    dated: bool,
}

impl Stream {
    fn new(reader: Reader) -> Self {
        Self {
            reader,
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
    fn keep_last(&mut self, filter: &Filter, lines: usize, rest: bool) -> io::Result<()> {
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
    fn next(&mut self, filter: &Filter, rest: bool) -> io::Result<bool> {
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
                let own = filter.stamps.of(line);
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
        let Position { run, offset } = self.reader.position();
        // In the middle of a run the first lines may belong to one that was skipped as too old.
        self.when = When { at: if *offset == 0 { run_start(run) } else { None }, ..When::default() };
        if filter.cutoff.is_some() {
            let mut sample = vec![0; 64 << 10];
            let count = self.reader.peek(&mut sample)?;
            sample.truncate(count);
            self.untimed = !sample.split(|byte| *byte == b'\n').any(|line| filter.stamps.of(line).is_some());
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
            match self.reader.read(self.buffer.get_mut(self.tail..).unwrap_or_default())? {
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
                Read::Gap(_) => self.whole = self.tail,
                Read::End if rest && self.head < self.tail => self.whole = self.tail,
                Read::End => return Ok(Next::End),
            }
        }
    }
}

/// How lines are written.
struct Page<'a> {
    args: &'a LogsArgs,
    /// Of the longest name.
    width: usize,
    /// Whether there was a line before.
    any: bool,
    /// Whether the line before has no end yet.
    open: bool,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<u32>,
    bot: &'a str,
    at: Option<Timestamp>,
    text: &'a str,
}

impl Page<'_> {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.args.json && !self.args.follow { out.write_all(b"{\"schema\":1,\"lines\":[") } else { Ok(()) }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.args.json && !self.args.follow { out.write_all(b"]}\n") } else { Ok(()) }
    }

    fn line(&mut self, index: usize, stream: &Stream, out: &mut dyn Write) -> io::Result<()> {
        let name = self.args.bots.get(index).map_or("", |(name, _)| name.as_str());
        let text = stream.text.strip_suffix(b"\n");
        let (text, ended) = (text.unwrap_or(&stream.text), text.is_some());
        let first = !std::mem::replace(&mut self.any, true);
        if self.args.json {
            if !first && !self.args.follow {
                out.write_all(b",")?;
            }
            let schema = self.args.follow.then_some(1);
            let text = String::from_utf8_lossy(text);
            let at = stream.when.at.filter(|_| stream.when.dated);
            serde_json::to_writer(&mut *out, &JsonLine { schema, bot: name, at, text: &text })?;
            return if self.args.follow { out.write_all(b"\n") } else { Ok(()) };
        }
        if std::mem::take(&mut self.open) {
            out.write_all(b"\n")?;
        }
        if self.args.bots.len() > 1 {
            let width = if self.args.terminal { self.width } else { 0 };
            write!(out, "{name:width$} | ")?;
        }
        if self.args.terminal {
            out.write_all(harmless(text.strip_suffix(b"\r").unwrap_or(text)).as_bytes())?;
        } else {
            out.write_all(text)?;
        }
        // One bot's last line stays as it was written if nothing follows and nobody looks.
        if ended || self.args.terminal || self.args.bots.len() > 1 {
            out.write_all(b"\n")
        } else {
            self.open = true;
            Ok(())
        }
    }
}
