//! `botwarden logs`: what bots wrote.
//!
//! One bot into a pipe or a file: its bytes, unchanged. Everything else goes line by line: on a terminal, with a
//! filter, as JSON, or of several bots, whose lines are put in the order of their times. The same goes for a bot that
//! has both output and a log file of its own; the file's lines are marked with its name then.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;
use serde::Serialize;

use crate::core::bot::BotName;
use crate::logs::file::{Begin, LogFile};
use crate::logs::grep::Grep;
use crate::logs::harmless::harmless;
use crate::logs::line::Stamps;
use crate::logs::read::{LogSet, Position, Read, Watch, Woken};
use crate::logs::source::Source;
use crate::paths::BotHome;

use super::log_lines::{Filter, Holes, Stream};

/// What to show, and how.
#[derive(Debug, Default)]
pub struct LogsArgs {
    /// The bots, and where their logs are.
    pub bots: Vec<(BotName, BotHome)>,
    /// The zones that bots write their times in, as their `TZ` says; for others it is that of here.
    pub zones: BTreeMap<BotName, String>,
    /// Log files that they write by themselves.
    pub files: Vec<(BotName, PathBuf)>,
    /// Only the last so many lines (of each bot's output and of each file; with a filter, of those that pass it).
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
    /// Whom to tell that a file cannot be read; it costs nothing else.
    pub complain: Option<fn(&str)>,
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
/// Lines of one source that are shown before another one has its turn.
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
    let mut watch = args.follow.then(|| Watch::new(folders(args)));
    let from = match (cutoff, lines) {
        (Some(cutoff), _) => Begin::Since(cutoff),
        (None, Some(lines)) if !filtered => Begin::Lines(lines),
        (None, Some(_) | None) => Begin::Whole,
    };
    let mut troubles = Troubles { args, said: vec![None; args.files.len()] };
    let (mut streams, has_output) = open(args, from, &mut troubles)?;
    if let ([_], false, false, false) = (streams.as_slice(), args.terminal, args.json, filtered) {
        let Some(stream) = streams.pop() else { return Ok(Outcome::Shown) };
        return raw(stream, lines.is_some() || args.follow, args, watch.as_mut(), out);
    }

    let timed = cutoff.is_some() || args.json || (streams.len() > 1 && !args.follow);
    let filter = Filter { grep: args.grep.as_ref().map(Grep::new), cutoff, timed };
    let mut page = Page::new(args, has_output);

    page.begin(out)?;
    if let (Some(lines), true) = (lines, filtered) {
        // What passes a filter is known only when it was seen.
        for stream in &mut streams {
            stream.keep_last(&filter, usize::try_from(lines).unwrap_or(usize::MAX), !args.follow)?;
        }
    }
    if streams.len() > 1 && !args.follow {
        merge(&mut streams, &filter, &mut page, out)?;
    } else if !args.follow {
        for stream in &mut streams {
            while stream.next(&filter, true)? {
                page.line(stream, out)?;
            }
        }
    }
    page.end(out)?;
    let Some(watch) = &mut watch else { return Ok(Outcome::Shown) };
    loop {
        let mut busy = false;
        for stream in &mut streams {
            for _ in 0..TURN {
                if !stream.next(&filter, false)? {
                    break;
                }
                busy = true;
                page.line(stream, out)?;
            }
        }
        troubles.tell(streams.iter().map(|stream| &stream.source));
        if !busy && !wait(watch, args, out)? {
            return Ok(Outcome::Closed);
        }
    }
}

/// What is watched: log folders, and the folders of files, both where a link lies and where it leads.
fn folders(args: &LogsArgs) -> Vec<PathBuf> {
    let logs = args.bots.iter().map(|(_, home)| home.log_dir());
    let real = |path: &PathBuf| path.canonicalize().ok();
    let files = args.files.iter().flat_map(|(_, path)| [Some(path.clone()), real(path)]).flatten();
    logs.chain(files.filter_map(|path| path.parent().map(Path::to_owned))).collect()
}

/// Opens what is to be shown, each bot's output before its files; and says which bots have output. A file that cannot
/// be read counts only where more may come.
fn open(args: &LogsArgs, from: Begin, troubles: &mut Troubles<'_>) -> io::Result<(Vec<Stream>, Vec<bool>)> {
    let (mut streams, mut has_output) = (Vec::new(), Vec::new());
    for (index, (name, home)) in args.bots.iter().enumerate() {
        let known = args.zones.get(name).and_then(|zone| Stamps::of_tz(zone));
        let stamps = known.unwrap_or_else(|| Stamps::new(TimeZone::system()));
        let mut set = LogSet::open(&home.log_dir())?;
        let at = match from {
            Begin::Since(cutoff) => set.since(SystemTime::from(cutoff))?,
            Begin::Lines(lines) => set.tail(lines)?,
            Begin::Whole | Begin::Bytes(_) => Position::default(),
        };
        // A look ends where the log ended when it began, or it would never end for a bot that writes fast.
        let end = set.end()?;
        let any = set.start()? < end;
        let mut reader = set.reader(at);
        reader.stop_at((!args.follow).then_some(end));
        let mut files: Vec<Source> = Vec::new();
        for (_, path) in args.files.iter().filter(|(of, _)| of == name) {
            let mut file = LogFile::open_with(path.clone(), from, stamps.clone());
            if !args.follow {
                file.stop_here();
            }
            files.push(Source::File(Box::new(file)));
        }
        troubles.tell(files.iter());
        files.retain(|source| args.follow || matches!(source, Source::File(file) if file.is_open()));
        if any || args.follow || files.is_empty() {
            let holes = args.complain.map(|complain| Holes { name: name.clone(), complain });
            streams.push(Stream::new(index, holes, stamps.clone(), Source::Output(Box::new(reader))));
        }
        streams.extend(files.into_iter().map(|source| Stream::new(index, None, stamps.clone(), source)));
        has_output.push(any);
    }
    Ok((streams, has_output))
}

/// What is wrong with files, each thing said once.
struct Troubles<'a> {
    args: &'a LogsArgs,
    said: Vec<Option<String>>,
}

impl Troubles<'_> {
    fn tell<'b>(&mut self, sources: impl Iterator<Item = &'b Source>) {
        let Some(complain) = self.args.complain else { return };
        for source in sources {
            let Source::File(file) = source else { continue };
            let at = self.args.files.iter().position(|(_, path)| path == file.path());
            let Some((name, _)) = at.and_then(|at| self.args.files.get(at)) else { continue };
            let Some(said) = at.and_then(|at| self.said.get_mut(at)) else { continue };
            if let Some(trouble) = file.trouble()
                && said.as_deref() != Some(trouble)
            {
                let rest = if self.args.follow { "; it is looked for again and again" } else { "" };
                complain(&format!("{name}: its log_file cannot be read: {trouble}{rest}"));
            }
            *said = file.trouble().map(str::to_owned);
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
    mut stream: Stream,
    lines: bool,
    args: &LogsArgs,
    mut watch: Option<&mut Watch>,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let mut buffer = vec![0; BLOCK];
    let mut last = b'\n';
    loop {
        match stream.source.read(&mut buffer)? {
            Read::Bytes(count) => {
                out.write_all(&buffer[..count])?;
                last = buffer[count - 1];
            }
            Read::Run if lines && last != b'\n' => {
                out.write_all(b"\n")?;
                last = b'\n';
            }
            Read::Run => {}
            // It must not stand among the bot's bytes.
            Read::Gap(bytes) => stream.holes.iter().for_each(|holes| holes.tell(bytes)),
            Read::End => {
                let Some(watch) = &mut watch else { return Ok(Outcome::Shown) };
                if !wait(watch, args, out)? {
                    return Ok(Outcome::Closed);
                }
            }
        }
    }
}

/// Several sources' lines in the order of their times. Lines that belong to the one before them stay with it.
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
            page.line(stream, out)?;
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

/// How lines are written.
struct Page<'a> {
    args: &'a LogsArgs,
    /// Of the longest mark.
    width: usize,
    /// Which bots have output, so that a file's lines are to be told from it.
    has_output: Vec<bool>,
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
    /// The file that it was read from, if that is not the bot's output.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    at: Option<Timestamp>,
    text: &'a str,
}

impl<'a> Page<'a> {
    fn new(args: &'a LogsArgs, has_output: Vec<bool>) -> Self {
        let width = args.bots.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
        Self { args, width, has_output, any: false, open: false }
    }

    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.args.json && !self.args.follow { out.write_all(b"{\"schema\":1,\"lines\":[") } else { Ok(()) }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.args.json && !self.args.follow { out.write_all(b"]}\n") } else { Ok(()) }
    }

    fn line(&mut self, stream: &Stream, out: &mut dyn Write) -> io::Result<()> {
        let name = self.args.bots.get(stream.bot).map_or("", |(name, _)| name.as_str());
        let file = match &stream.source {
            Source::File(file) => Some(file),
            Source::Output(_) => {
                self.has_output.get_mut(stream.bot).into_iter().for_each(|has| *has = true);
                None
            }
        };
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
            let path = file.map(|file| file.path().to_string_lossy());
            serde_json::to_writer(&mut *out, &JsonLine { schema, bot: name, file: path.as_deref(), at, text: &text })?;
            return if self.args.follow { out.write_all(b"\n") } else { Ok(()) };
        }
        if std::mem::take(&mut self.open) {
            out.write_all(b"\n")?;
        }
        let marked = file.filter(|_| self.has_output.get(stream.bot).is_some_and(|has| *has));
        let mark = marked.map(|file| harmless(file.name().as_bytes()));
        if self.args.bots.len() > 1 {
            let width = if self.args.terminal { self.width } else { 0 };
            write!(out, "{name:width$} | ")?;
        }
        if let Some(mark) = mark {
            write!(out, "{mark} | ")?;
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
