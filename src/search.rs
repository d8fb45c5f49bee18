//! Finds the living processes of bots that no keeper has: by PID file, by mark, and by what they look like.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::{User, geteuid};

use crate::core::bot::{BotName, BotSpec};
use crate::core::find::line::Line;
use crate::core::find::owner::{Candidate, Claimant, Owner, owner};
use crate::core::find::pattern::Pattern;
use crate::core::find::pid_file::{Content, Judgement, Suspect, judge, note_on_content};
use crate::core::protocol::KEEPER_NAME;
use crate::core::record::RunRecord;
use crate::core::report::Tier;
use crate::paths::Home;
use crate::pid_file::{self, Reading, is_later};
use crate::process;
use crate::table::{Row, Table};

/// A bot, as far as it matters for finding it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: BotName,
    /// Its argument vector.
    pub command: Vec<String>,
    /// How its processes are recognised; absent: from its command.
    pub find: Option<Vec<String>>,
    /// The folder it runs in.
    pub cwd: PathBuf,
    /// The user it runs as, if that is not ours.
    pub user: Option<String>,
    /// The PID file that it writes itself.
    pub pid_file: Option<PathBuf>,
}

impl From<&BotSpec> for Wanted {
    fn from(spec: &BotSpec) -> Self {
        Self {
            name: spec.name.clone(),
            command: spec.command.clone(),
            find: spec.find.clone(),
            cwd: spec.cwd.clone(),
            user: spec.user.clone(),
            pid_file: spec.pid_file.clone(),
        }
    }
}

impl From<&RunRecord> for Wanted {
    fn from(record: &RunRecord) -> Self {
        Self {
            name: record.bot.clone(),
            command: record.argv.clone(),
            find: record.find.clone(),
            cwd: record.cwd.clone(),
            user: record.user.clone(),
            pid_file: record.pid_file.clone(),
        }
    }
}

/// A tree that somebody has in hand without being its ancestor: that of an adopted bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The bot.
    pub name: BotName,
    /// Number and start time of those known; their descendants are meant too.
    pub processes: Vec<(i32, u64)>,
    /// The run whose mark the others carry.
    pub run: Option<String>,
}

/// One process that was found. Its descendants belong to it and are not found apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its number.
    pub pid: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
    /// Its command line, harmless to a terminal.
    pub command: String,
    /// The first tier that found it.
    pub tier: Tier,
    /// What it was found by.
    pub how: How,
    /// The other bots that it may belong to as well: it is to be signalled only when all of them are being stopped.
    pub shared_with: Vec<BotName>,
}

/// What a process was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// The bot's own PID file, by its name as people know it.
    PidFile(String),
    /// The mark of this run.
    Mark(String),
    /// What it executes, and where.
    Pattern,
}

/// What was found of one bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its processes, by number.
    pub found: Vec<Finding>,
    /// What is worth saying and changes nothing.
    pub notes: Vec<String>,
    /// What could not be looked at.
    pub errors: Vec<String>,
    /// The process that its PID file names, whoever that is.
    pub named: Option<i32>,
}

/// A bot, the process that its file names, and why that is not proven to be the bot's.
type Unproven = (BotName, i32, String);

/// The search for all bots of a desk at once: whose a process is depends on all of them.
#[derive(Clone, Debug, Default)]
pub struct Search(BTreeMap<BotName, Findings>);

impl Search {
    /// Searches. `wanted` are all bots of the desk, whether or not they are asked about; `kept` are trees in hand.
    pub fn new(home: &Home, table: &Table, wanted: &[Wanted], kept: &[Kept]) -> Self {
        let mut findings = BTreeMap::new();
        for wanted in wanted {
            findings.insert(wanted.name.clone(), Findings::default());
        }
        let mut search = Self(findings);
        let bots = wanted.iter().map(|wanted| claimant(wanted, search.entry(&wanted.name))).collect();
        let desk = Desk::new(home.root(), table, bots, kept);
        let (proven, unproven) = search.by_pid_file(&desk, wanted);
        search.by_mark(&desk);
        search.by_pattern(&desk, &proven);
        for (name, pid, note) in unproven {
            let findings = search.entry(&name);
            // What its file does not prove may be found all the same, and is not left alone then.
            if !findings.found.iter().any(|found| found.pid == pid) {
                findings.notes.push(note);
            }
        }
        for findings in search.0.values_mut() {
            keep_heads(&mut findings.found, table);
        }
        search
    }

    /// What was found of one bot.
    pub fn of(&self, name: &BotName) -> &Findings {
        static NOTHING: Findings = Findings { found: Vec::new(), notes: Vec::new(), errors: Vec::new(), named: None };
        self.0.get(name).unwrap_or(&NOTHING)
    }

    fn entry(&mut self, name: &BotName) -> &mut Findings {
        self.0.entry(name.clone()).or_default()
    }

    /// Adds what an earlier way has not found already.
    fn add(&mut self, bot: &BotName, row: &Row, how: How, shared_with: Vec<BotName>) {
        let found = &mut self.entry(bot).found;
        if found.iter().any(|found| found.pid == row.pid) {
            return;
        }
        let tier = match how {
            How::PidFile(_) => Tier::PidFile,
            How::Mark(_) | How::Pattern => Tier::Search,
        };
        let Row { pid, start_time, .. } = *row;
        found.push(Finding { pid, start_time, command: row.text(), tier, how, shared_with });
    }

    /// The processes that PID files prove, and whose; and those that a file names without proving it, with a note.
    fn by_pid_file(&mut self, desk: &Desk<'_>, wanted: &[Wanted]) -> (HashMap<i32, Vec<BotName>>, Vec<Unproven>) {
        let mut unproven = Vec::new();
        let mut proven: HashMap<i32, Vec<BotName>> = HashMap::new();
        let mut named: HashMap<(i32, BotName), String> = HashMap::new();
        for (wanted, bot) in wanted.iter().zip(&desk.bots) {
            let Some(path) = &wanted.pid_file else { continue };
            let shown = path.strip_prefix(&wanted.cwd).unwrap_or(path).display().to_string();
            let findings = self.entry(&wanted.name);
            let (content, written) = match pid_file::read(path) {
                Reading::Missing => continue,
                Reading::Unreadable(why) => {
                    findings.errors.push(format!("{shown} {why}"));
                    continue;
                }
                Reading::Read { content, written } => (content, written),
            };
            findings.notes.extend(note_on_content(&shown, &content));
            let Content::Pid(pid) = content else { continue };
            findings.named = Some(pid);
            let Some(suspect) = desk.suspect(pid, bot, written) else { continue };
            match judge(&shown, pid, &suspect) {
                Judgement::Proven => {
                    named.insert((pid, wanted.name.clone()), shown);
                    proven.entry(pid).or_default().push(wanted.name.clone());
                }
                Judgement::Note(note) => unproven.push((wanted.name.clone(), pid, note)),
            }
        }
        for (pid, names) in &proven {
            for (name, row) in names.iter().filter_map(|name| Some((name, desk.table.get(*pid)?))) {
                let file = named.remove(&(*pid, name.clone())).unwrap_or_default();
                self.add(name, row, How::PidFile(file), others(names, name));
            }
        }
        (proven, unproven)
    }

    fn by_mark(&mut self, desk: &Desk<'_>) {
        for row in desk.table.rows().iter().filter(|row| row.mark.is_some()) {
            if let Standing::Of(name, Some(run)) = desk.standing(row)
                && self.0.contains_key(name)
            {
                self.add(name, row, How::Mark(run.to_owned()), Vec::new());
            }
        }
    }

    fn by_pattern(&mut self, desk: &Desk<'_>, proven: &HashMap<i32, Vec<BotName>>) {
        for row in desk.table.rows().iter().filter(|row| !proven.contains_key(&row.pid)) {
            match desk.owner(row) {
                Owner::Nobody => {}
                Owner::One(name) => self.add(&name, row, How::Pattern, Vec::new()),
                Owner::Several(names) => {
                    for name in &names {
                        self.add(name, row, How::Pattern, others(&names, name));
                    }
                }
            }
        }
    }
}

fn others(names: &[BotName], but: &BotName) -> Vec<BotName> {
    names.iter().filter(|name| *name != but).cloned().collect()
}

/// Leaves out whoever descends from another. One that is surely the bot's is not hidden behind one that may not be.
fn keep_heads(found: &mut Vec<Finding>, table: &Table) {
    let heads: HashMap<i32, bool> = found.iter().map(|found| (found.pid, found.shared_with.is_empty())).collect();
    found.retain(|found| {
        let hides =
            |ancestor: &Row| heads.get(&ancestor.pid).is_some_and(|is_sure| *is_sure || !found.shared_with.is_empty());
        !table.get(found.pid).is_some_and(|row| table.ancestors(row).any(hides))
    });
    found.sort_by_key(|found| found.pid);
}

/// What the search needs to know of a bot, looked up once.
fn claimant(wanted: &Wanted, findings: &mut Findings) -> Claimant {
    let cwd = fs::canonicalize(&wanted.cwd).ok();
    let line = Line::read(wanted.command.iter().map(String::as_str));
    let uid = match &wanted.user {
        None => Some(geteuid().as_raw()),
        Some(user) => match User::from_name(user) {
            Ok(Some(user)) => Some(user.uid.as_raw()),
            Ok(None) => {
                findings.errors.push(format!("there is no user {user}: its processes cannot be recognised"));
                None
            }
            Err(errno) => {
                findings.errors.push(format!("the user {user} cannot be looked up: {}", errno.desc()));
                None
            }
        },
    };
    Claimant {
        name: wanted.name.clone(),
        file: line.as_ref().and_then(|line| file(line, cwd.as_deref())),
        cwd,
        pattern: Pattern::new(wanted.find.as_deref(), &wanted.command),
        uid,
        words: line.map(|line| line.rest().iter().map(|word| (*word).to_owned()).collect()).unwrap_or_default(),
    }
}

/// The file that a command line executes in this folder, if there is such a file and the line says which.
fn file(line: &Line<'_>, cwd: Option<&Path>) -> Option<PathBuf> {
    let word = line.file()?;
    let path = Path::new(word);
    // A program without a slash comes from PATH, which nobody knows here.
    if !line.is_interpreted() && !word.contains('/') {
        return None;
    }
    let path = if path.is_absolute() { path.to_owned() } else { cwd?.join(path) };
    fs::canonicalize(path).ok().filter(|path| path.is_file())
}

/// Everything that whose a process is depends on.
struct Desk<'a> {
    home: &'a Path,
    table: &'a Table,
    bots: Vec<Claimant>,
    /// Who is in a tree that is kept already, and of which bot.
    kept: HashMap<i32, &'a str>,
    uid: u32,
    executable: Option<PathBuf>,
}

/// What a process is to this desk before anybody looks at what it executes.
enum Standing<'a> {
    /// One of botwarden's own.
    Botwarden,
    /// In a tree that somebody has in hand; of this bot, as its keeper calls it.
    Kept(&'a str),
    /// Of this bot of the desk: it carries the mark of this run, or has an ancestor that carries one.
    Of(&'a BotName, Option<&'a str>),
    /// The same on another desk.
    Elsewhere,
    /// Nothing is known of it.
    Free,
}

impl<'a> Desk<'a> {
    fn new(home: &'a Path, table: &'a Table, bots: Vec<Claimant>, kept: &'a [Kept]) -> Self {
        let mut in_hand = HashMap::new();
        let mut keep = |row: &Row, name: &'a str| {
            in_hand.insert(row.pid, name);
            in_hand.extend(table.descendants(row.pid).into_iter().map(|row| (row.pid, name)));
        };
        for row in table.rows() {
            if row.is_keeper() {
                keep(row, row.keeps().unwrap_or_default());
            }
            for tree in kept {
                let is_known = tree.processes.contains(&(row.pid, row.start_time));
                let is_marked = row.mark.as_ref().is_some_and(|mark| {
                    mark.home == home && mark.bot == tree.name && tree.run.as_ref() == Some(&mark.run)
                });
                if is_known || is_marked {
                    keep(row, tree.name.as_str());
                }
            }
        }
        let executable = fs::read_link("/proc/self/exe").ok();
        Self { home, table, bots, kept: in_hand, uid: geteuid().as_raw(), executable }
    }

    fn standing(&self, row: &'a Row) -> Standing<'a> {
        if row.is_keeper() || row.pid == std::process::id() as i32 {
            return Standing::Botwarden;
        }
        if let Some(name) = self.kept.get(&row.pid) {
            return Standing::Kept(name);
        }
        let by_mark = |marked: &'a Row| {
            let mark = marked.mark.as_ref()?;
            Some(if mark.home == self.home {
                Standing::Of(&mark.bot, Some(mark.run.as_str()).filter(|_| marked.pid == row.pid))
            } else {
                Standing::Elsewhere
            })
        };
        std::iter::once(row).chain(self.table.ancestors(row)).find_map(by_mark).unwrap_or(Standing::Free)
    }

    /// Whose a process is by what it looks like; nobody's if anything else is known of it.
    fn owner(&self, row: &Row) -> Owner {
        // In this order: whatever needs another look at the process comes last.
        if !self.bots.iter().any(|bot| bot.may_run_as(row.uid, self.uid)) {
            return Owner::Nobody;
        }
        let Some(line) = Line::read(row.words()) else { return Owner::Nobody };
        if !self.bots.iter().any(|bot| bot.looks_like(&line)) {
            return Owner::Nobody;
        }
        match self.standing(row) {
            Standing::Free if !self.is_botwarden(row) => self.owner_at(row, &line, &Place::of(row, &line)),
            Standing::Free | Standing::Botwarden | Standing::Kept(_) | Standing::Of(_, _) | Standing::Elsewhere => {
                Owner::Nobody
            }
        }
    }

    fn owner_at(&self, row: &Row, line: &Line<'_>, place: &Place) -> Owner {
        let Place { cwd, file } = place;
        let process = Candidate { uid: row.uid, cwd: cwd.as_deref(), file: file.as_deref(), line };
        owner(&process, &self.bots, self.uid)
    }

    /// Whether it executes what we execute, or calls itself as we do.
    fn is_botwarden(&self, row: &Row) -> bool {
        let program = row.words().next().unwrap_or_default();
        program.rsplit('/').next() == Some(KEEPER_NAME)
            || (self.executable.is_some() && fs::read_link(at(row, "exe")).ok() == self.executable)
    }

    /// What was seen of the process that a bot's PID file names; nothing if it is in the bot's tree, in hand already.
    fn suspect(&self, pid: i32, bot: &Claimant, written: SystemTime) -> Option<Suspect> {
        let Some(row) = self.table.get(pid) else { return Some(not_in_the_table(pid)) };
        let is_of = |whose: &str| Suspect::Kept(format!("bot {whose}"));
        Some(match self.standing(row) {
            Standing::Botwarden => Suspect::Botwarden,
            Standing::Kept(name) => {
                let is_elsewhere = row.mark.as_ref().is_some_and(|mark| mark.home != self.home);
                if is_elsewhere {
                    Suspect::Kept("another desk".into())
                } else if name == bot.name.as_str() {
                    return None;
                } else {
                    is_of(name)
                }
            }
            Standing::Of(name, _) if *name == bot.name => Suspect::Marked,
            Standing::Of(name, _) => is_of(name.as_str()),
            Standing::Elsewhere => Suspect::Kept("another desk".into()),
            Standing::Free if self.is_botwarden(row) => Suspect::Botwarden,
            Standing::Free => self.stranger(row, bot, written),
        })
    }

    fn stranger(&self, row: &Row, bot: &Claimant, written: SystemTime) -> Suspect {
        let line = Line::read(row.words()).filter(|line| bot.looks_like(line));
        let place = line.as_ref().map(|line| Place::of(row, line)).unwrap_or_default();
        // Who has made itself a daemon may be anywhere; but the same name elsewhere is another bot's script.
        let is_anothers =
            place.file.as_deref().is_some_and(|file| !bot.executes(file)) && !bot.is_in(place.cwd.as_deref());
        let belongs_to = match line.as_ref().map(|line| self.owner_at(row, line, &place)) {
            Some(Owner::One(name)) if name != bot.name => Some(name.to_string()),
            Some(Owner::One(_) | Owner::Several(_) | Owner::Nobody) | None => None,
        };
        Suspect::Other {
            name: name(row),
            user: bot.may_run_as(row.uid, self.uid),
            alike: line.is_some() && !is_anothers,
            belongs_to,
            later: is_later(row.start_time, written),
        }
    }
}

/// The process has this number and was not in the table.
fn not_in_the_table(pid: i32) -> Suspect {
    let other = |name| Suspect::Other { name, user: false, alike: false, belongs_to: None, later: false };
    match process::stat(pid).filter(|stat| stat.is_alive()) {
        None => Suspect::Gone,
        // A thread of the kernel, or one of a process that has another number.
        Some(stat) if stat.kernel || !process::all().any(|other| other == pid) => {
            other(process::short_name(pid).unwrap_or_default())
        }
        Some(_) => Suspect::New,
    }
}

/// What a process is called, for a sentence.
fn name(row: &Row) -> String {
    const LONGEST: usize = 32;
    let program = row.words().next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return process::short_name(row.pid).unwrap_or_default();
    }
    name.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Where a process is, and the file it executes: what of it can be known, as canonical paths.
#[derive(Default)]
struct Place {
    cwd: Option<PathBuf>,
    file: Option<PathBuf>,
}

impl Place {
    fn of(row: &Row, line: &Line<'_>) -> Self {
        // Names mean something else to a process in another root, such as a container's.
        if !is_same(&at(row, "root"), Path::new("/")) {
            return Self::default();
        }
        let link = at(row, "cwd");
        // The folder may have been removed, and another made in its place.
        let cwd = fs::read_link(&link).ok().filter(|cwd| is_same(&link, cwd));
        Self { file: file(line, cwd.as_deref()), cwd }
    }
}

/// What `/proc` has of a process, through a thread of it that lives.
fn at(row: &Row, what: &str) -> PathBuf {
    format!("/proc/{}/task/{}/{what}", row.pid, row.thread).into()
}

/// Whether two paths lead to the same folder.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| identity(other) == Some(one))
}
