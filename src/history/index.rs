//! The index itself: opened, kept up with the event files, set aside when it is damaged, and kept in memory where it
//! cannot be kept in the home.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::core::bot::BotName;
use crate::core::event::Kind;
use crate::core::history::Notice;
use crate::journal;
use crate::paths::{Home, words};

use super::keep::{self, Identity, identity, in_memory, set_aside};
use super::line::Line;
use super::memo::Memo;
use super::read::{self, Point};
use super::schema::Fault;

/// So much is read before others may have a turn at the index, and whoever waits is told how far it is.
const AT_ONCE: u64 = 2 << 20;
/// So often something is begun anew before it is given up.
const ATTEMPTS: usize = 4;

/// An index of the event files of a home.
#[derive(Debug)]
pub struct History {
    pub(super) home: Home,
    db: Connection,
    /// Where it is kept; none where it is in memory.
    file: Option<(PathBuf, Option<Identity>)>,
    /// What was seen of each event file when it was last read to its end.
    seen: BTreeMap<PathBuf, Seen>,
    /// Why it is not kept.
    note: Option<String>,
    /// What happened and was not told yet.
    pub(super) notices: Vec<Notice>,
    pub(super) memo: Option<Memo>,
}

/// How far the index has come with the event files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Bytes that are in it.
    pub read: u64,
    /// Bytes of all event files.
    pub of: u64,
    /// Whether more is to be read at once.
    pub more: bool,
    /// Whether anything in it is other than before.
    pub changed: bool,
    /// Event files that cannot be read, in a sentence.
    pub trouble: Option<String>,
    /// Event files with lines that are no event, and how many there are in each.
    pub odd: Vec<(String, u64)>,
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    identity: Identity,
    size: u64,
    changed: (i64, i64),
}

/// An event file.
struct Source {
    path: PathBuf,
    /// As the index calls it: relative to the home.
    name: String,
    bot: Option<String>,
}

/// How far an event file was read.
struct Known {
    id: i64,
    identity: Identity,
    mark: i64,
    point: Point,
}

/// What was read of a file.
struct Taken {
    /// How far it was read.
    size: u64,
    /// Whether anything is other than before.
    changed: bool,
    /// What is not in the index any more.
    lost: Option<Notice>,
}

/// What kept a file from being read into the index.
enum Stuck {
    Index(Fault),
    File(io::Error),
}

impl From<io::Error> for Stuck {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<Fault> for Stuck {
    fn from(fault: Fault) -> Self {
        Self::Index(fault)
    }
}

impl From<rusqlite::Error> for Stuck {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error.into())
    }
}

impl History {
    /// Opens the index of this home, or makes it. `keep`: whether the home may be written; else it is in memory.
    ///
    /// # Errors
    /// If not even that can be had.
    pub fn open(home: &Home, keep: bool) -> Result<Self, String> {
        let db = in_memory().map_err(|fault| said(&fault))?;
        let mut history = Self {
            home: home.clone(),
            db,
            file: None,
            seen: BTreeMap::new(),
            note: None,
            notices: Vec::new(),
            memo: None,
        };
        if keep {
            history.file = Some((home.index(), None));
            history.reopen();
        } else {
            history.note = Some("the index is in memory: this screen is read-only".into());
        }
        Ok(history)
    }

    /// What is to be known of the index as long as it is so: that it is not kept, and why.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// What happened since this was last asked: an index that was damaged, an event file that was cut off.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Opens the file again; one that is damaged is set aside, and where none can be kept there is one in memory.
    fn reopen(&mut self) {
        let Some((path, _)) = self.file.clone() else { return };
        self.forget();
        for _ in 0..ATTEMPTS {
            let before = identity(&path);
            match keep::open(&path) {
                Ok(db) => {
                    self.db = db;
                    self.file = Some((path.clone(), identity(&path)));
                    return;
                }
                Err(Fault::Damaged(why)) => {
                    if let Err(fault) = self.set_aside(&path, before, &why) {
                        return self.keep_in_memory(&fault);
                    }
                }
                Err(fault @ (Fault::Newer | Fault::Foreign | Fault::Unkept(_) | Fault::Busy)) => {
                    return self.keep_in_memory(&fault);
                }
            }
        }
        self.keep_in_memory(&Fault::Unkept("it is damaged again and again".into()));
    }

    fn set_aside(&mut self, path: &Path, which: Option<Identity>, why: &str) -> Result<(), Fault> {
        if let Some(aside) = set_aside(path, which)? {
            let name = aside.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let whole = format!("the index of the history was damaged ({why}), is kept as {name}, and was built anew");
            self.notices.push(Notice { short: "index rebuilt".into(), whole });
        }
        Ok(())
    }

    fn keep_in_memory(&mut self, fault: &Fault) {
        self.file = None;
        self.forget();
        let note = format!("the index is in memory: {}", said(fault));
        self.notices.push(Notice { short: String::new(), whole: note.clone() });
        self.note = Some(note);
        if let Ok(db) = in_memory() {
            self.db = db;
        }
    }

    fn forget(&mut self) {
        self.seen.clear();
        self.memo = None;
    }

    /// Does something with the index, again where it had to be made anew. A new one is read into before.
    pub(super) fn with<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<T, String> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            match work(self) {
                Ok(done) => return Ok(done),
                Err(Fault::Busy) => return Err(said(&Fault::Busy)),
                Err(fault) => last = self.mend(fault),
            }
            while self.refresh()?.more {}
        }
        Err(last)
    }

    /// Makes the index anew after this.
    fn mend(&mut self, fault: Fault) -> String {
        let why = said(&fault);
        match (self.file.clone(), fault) {
            (Some((path, which)), Fault::Damaged(why)) => {
                // Closed first: whoever has a file open would go on with it.
                if let Ok(db) = in_memory() {
                    self.db = db;
                }
                match self.set_aside(&path, which, &why) {
                    Ok(()) => self.reopen(),
                    Err(fault) => self.keep_in_memory(&fault),
                }
            }
            (_, fault) => self.keep_in_memory(&fault),
        }
        why
    }

    pub(super) fn db(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Takes in what was added to the event files, a part of it at a time.
    ///
    /// # Errors
    /// If the index cannot be had; the sentence says why.
    pub fn refresh(&mut self) -> Result<Step, String> {
        let mut last = String::new();
        for _ in 0..ATTEMPTS {
            // It was removed, or somebody else has set it aside.
            if let Some((path, which)) = &self.file
                && identity(path) != *which
            {
                self.reopen();
            }
            match self.step() {
                Ok(step) => return Ok(step),
                // Somebody else is reading into it: what they read is there the next time.
                Err(Fault::Busy) => return Err(said(&Fault::Busy)),
                Err(fault) => last = self.mend(fault),
            }
        }
        Err(last)
    }

    fn step(&mut self) -> Result<Step, Fault> {
        let mut step = Step { odd: odd(&self.db)?, ..Step::default() };
        let sources = match sources(&self.home) {
            Ok(sources) => sources,
            Err(why) => {
                step.trouble = Some(why);
                return Ok(step);
            }
        };
        let mut due = Vec::new();
        for source in &sources {
            let about = fs::metadata(&source.path).ok().map(|about| Seen {
                identity: (about.dev(), about.ino()),
                size: about.len(),
                changed: (about.ctime(), about.ctime_nsec()),
            });
            step.of += about.map_or(0, |seen| seen.size);
            if about.is_none() || about != self.seen.get(&source.path).copied() {
                due.push((source, about));
            }
        }
        let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let gone = gone(&self.db, &names)?;
        due.retain(|(source, about)| {
            about.is_some() || self.seen.contains_key(&source.path) || is_known(&self.db, source)
        });
        if due.is_empty() && gone.is_empty() {
            step.read = step.of;
            return Ok(step);
        }
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut lost = Vec::new();
        for (id, name) in gone {
            lost.extend(removed(&name, drop_rows(&change, id)?));
            change.execute("DELETE FROM files WHERE id = ?1", [id])?;
            step.changed = true;
        }
        let mut left = AT_ONCE;
        let mut whole = Vec::new();
        for (source, about) in due {
            match take_in(&change, source, &mut left) {
                Ok(taken) => {
                    step.changed |= taken.changed;
                    lost.extend(taken.lost);
                    let behind = about.is_some_and(|about| left == 0 && taken.size < about.size);
                    step.more |= behind;
                    if !behind {
                        whole.push((source.path.clone(), about));
                    }
                }
                Err(Stuck::Index(fault)) => return Err(fault),
                Err(Stuck::File(error)) => {
                    step.trouble = Some(format!("{} cannot be read: {}", source.path.display(), words(&error)));
                }
            }
            if left == 0 {
                step.more = true;
                break;
            }
        }
        let read: i64 = change.query_row("SELECT ifnull(sum(size), 0) FROM files", [], |row| row.get(0))?;
        step.read = read.unsigned_abs();
        step.odd = odd(&change)?;
        change.commit()?;
        self.notices.append(&mut lost);
        for (path, seen) in whole {
            match seen {
                Some(seen) => _ = self.seen.insert(path, seen),
                None => _ = self.seen.remove(&path),
            }
        }
        Ok(step)
    }

    /// How many lines of the event files are none that can be understood, for tests: the screen is told with each look.
    #[cfg(test)]
    pub fn odd_lines(&mut self) -> Result<u64, String> {
        let odd: i64 = self.with(|history| {
            Ok(history.db.query_row("SELECT ifnull(sum(odd), 0) FROM files", [], |row| row.get(0))?)
        })?;
        Ok(odd.unsigned_abs())
    }
}

/// In words, as what follows "the index: ".
fn said(fault: &Fault) -> String {
    match fault {
        Fault::Damaged(why) => format!("the index is damaged ({why})"),
        Fault::Newer => "botwarden.db is of a newer botwarden".into(),
        Fault::Foreign => "botwarden.db is another program's and was not touched; move it away, and one is kept".into(),
        Fault::Unkept(why) => format!("botwarden.db: {why}"),
        Fault::Busy => "another screen is reading the event files; this one waits for it".into(),
    }
}

fn sources(home: &Home) -> Result<Vec<Source>, String> {
    let bots =
        home.recorded().map_err(|error| format!("{} cannot be read: {}", home.bots().display(), words(&error)))?;
    let desk = Source { path: home.events(), name: "events".into(), bot: None };
    let of_bots = bots.iter().map(|name| Source {
        path: home.bot(name).events(),
        name: format!("bots/{name}/events"),
        bot: Some(name.to_string()),
    });
    Ok(std::iter::once(desk).chain(of_bots).collect())
}

/// Event files with lines that are no event, and how many there are in each.
fn odd(db: &Connection) -> Result<Vec<(String, u64)>, Fault> {
    let mut statement = db.prepare_cached("SELECT path, odd FROM files WHERE odd > 0 ORDER BY path")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is told of an event file that was removed with so many events.
fn removed(name: &str, events: usize) -> Option<Notice> {
    lost(name, events, "are gone", "was removed: what was read from it is gone from the history")
}

/// What is told of one that is not the one that was read.
fn replaced(name: &str, events: usize) -> Option<Notice> {
    let what = "was cut off or replaced: what was read from it is gone from the history, which begins anew with what it has now";
    lost(name, events, "begin anew", what)
}

fn lost(name: &str, events: usize, short: &str, what: &str) -> Option<Notice> {
    let whose = name.strip_prefix("bots/").and_then(|name| name.strip_suffix("/events")).unwrap_or("the desk");
    let s = if events == 1 { "" } else { "s" };
    let short = format!("events of {whose} {short}");
    (events > 0).then(|| Notice { short, whole: format!("{name} {what} ({events} event{s})") })
}

/// Files of the index that are no event files any more.
fn gone(db: &Connection, names: &[&str]) -> Result<Vec<(i64, String)>, Fault> {
    let mut statement = db.prepare_cached("SELECT id, path FROM files")?;
    let mut rows = statement.query([])?;
    let mut gone = Vec::new();
    while let Some(row) = rows.next()? {
        let path: String = row.get(1)?;
        if !names.contains(&path.as_str()) {
            gone.push((row.get(0)?, path));
        }
    }
    Ok(gone)
}

fn is_known(db: &Connection, source: &Source) -> bool {
    db.query_row("SELECT 1 FROM files WHERE path = ?1", [&source.name], |_| Ok(())).is_ok()
}

fn known(change: &Transaction<'_>, source: &Source) -> Result<Option<Known>, Fault> {
    let mut statement =
        change.prepare_cached("SELECT id, device, inode, mark, size, skipping, odd FROM files WHERE path = ?1")?;
    let known = statement
        .query_row([&source.name], |row| {
            let unsigned = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
            Ok(Known {
                id: row.get(0)?,
                identity: (unsigned(1)?, unsigned(2)?),
                mark: row.get(3)?,
                point: Point { size: unsigned(4)?, skipping: row.get(5)?, odd: unsigned(6)? },
            })
        })
        .optional()?;
    Ok(known)
}

/// Everything that came from this file goes. How many events that were.
fn drop_rows(change: &Transaction<'_>, id: i64) -> Result<usize, Fault> {
    let events = change.execute("DELETE FROM events WHERE file = ?1", [id])?;
    change.execute("DELETE FROM runs WHERE file = ?1", [id])?;
    change.execute("UPDATE facts SET epoch = epoch + 1", [])?;
    Ok(events)
}

/// Reads on in a file, or from its beginning if it is not the one that was read.
fn take_in(change: &Transaction<'_>, source: &Source, left: &mut u64) -> Result<Taken, Stuck> {
    let known = known(change, source)?;
    let file = match journal::open(&source.path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Some(known) = known else { return Ok(Taken { size: 0, changed: false, lost: None }) };
            let lost = removed(&source.name, drop_rows(change, known.id)?);
            change.execute("DELETE FROM files WHERE id = ?1", [known.id]).map_err(Fault::from)?;
            return Ok(Taken { size: 0, changed: true, lost });
        }
        Err(error) => return Err(error.into()),
    };
    let about = file.metadata()?;
    let identity = (about.dev(), about.ino());
    let (mut changed, mut lost) = (false, None);
    let (id, from) = match known {
        Some(known)
            if known.identity == identity
                && known.point.size <= about.len()
                && read::mark(&file, known.point.size)? == known.mark =>
        {
            (known.id, known.point)
        }
        Some(known) => {
            lost = replaced(&source.name, drop_rows(change, known.id)?);
            changed = true;
            (known.id, Point::default())
        }
        None => {
            let mut statement = change.prepare_cached(
                "INSERT INTO files (path, bot, device, inode, size, mark, skipping, odd) VALUES (?1, ?2, 0, 0, 0, 0, 0, 0)",
            )?;
            (statement.insert(params![source.name, source.bot])?, Point::default())
        }
    };
    let mut insert = change.prepare_cached(
        "INSERT INTO events (file, start, length, at, bot, kind, author, run, action, code, bots, stop, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let point = read::lines::<Stuck>(&file, from, *left, |start, bytes| {
        let Some(line) = Line::read(bytes) else { return Ok(false) };
        insert.execute(params![
            id,
            start.cast_signed(),
            bytes.len() as i64,
            line.at(),
            line.bot.as_ref().map(BotName::as_str),
            line.kind,
            line.by(),
            line.run(),
            line.action(),
            line.code(),
            line.bots(),
            line.stop(),
            line.text,
        ])?;
        run_of(change, id, &line)?;
        Ok(true)
    })?;
    *left = left.saturating_sub(point.size - from.size);
    let mark = read::mark(&file, point.size)?;
    let mut update = change.prepare_cached(
        "UPDATE files SET device = ?2, inode = ?3, size = ?4, mark = ?5, skipping = ?6, odd = ?7 WHERE id = ?1",
    )?;
    let (device, inode) = (identity.0.cast_signed(), identity.1.cast_signed());
    let (size, odd) = (point.size.cast_signed(), point.odd.cast_signed());
    update.execute(params![id, device, inode, size, mark, point.skipping, odd])?;
    Ok(Taken { size: point.size, changed: changed || point != from, lost })
}

/// What a line says of the run that it is about.
fn run_of(change: &Transaction<'_>, file: i64, line: &Line) -> Result<(), Fault> {
    let is = |kind: Kind| line.kind == kind.word();
    let told = [
        Kind::Started,
        Kind::Ready,
        Kind::Adopted,
        Kind::Exited,
        Kind::Stopping,
        Kind::Climbed,
        Kind::Survived,
        Kind::Stopped,
        Kind::Backoff,
        Kind::Failed,
    ];
    let Some(run) = line.run().filter(|_| told.into_iter().any(is)) else { return Ok(()) };
    let at = line.at();
    let started = is(Kind::Started).then_some(at);
    // Whoever was taken back lives, whatever was written down before.
    let ended = is(Kind::Exited).then_some(at);
    let mut statement = change.prepare_cached(
        "INSERT INTO runs (file, run, at, bot, started, ended, exit, last, failures, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?3)
         ON CONFLICT (file, run) DO UPDATE SET started = ifnull(started, excluded.started),
            ended = ifnull(excluded.ended, ended), exit = ifnull(excluded.exit, exit), last = excluded.last,
            failures = ifnull(excluded.failures, failures), until = max(until, excluded.until)",
    )?;
    let bot = line.bot.as_ref().map(BotName::as_str);
    statement.execute(params![file, run, at, bot, started, ended, line.exit(), line.kind, line.failures()])?;
    Ok(())
}
