//! Finds the living processes of bots that no keeper has: by PID file, by mark, and by what they look like.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
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
use crate::core::protocol::{KEEPER_NAME, KEEPER_ROLE};
use crate::core::record::RunRecord;
use crate::core::report::Tier;
use crate::core::words::masked;
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

/// A process that looks like one bot and lives in the tree of another, which ends it: nobody else signals it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// Its number.
    pub pid: i32,
    /// Its command line, harmless to a terminal.
    pub command: String,
    /// The bot in whose tree it lives.
    pub bot: BotName,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, bot } = self;
        write!(f, "pid {pid} ({}) looks like it and lives in the tree of {bot}", masked(command))
    }
}

/// What was found of one bot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its processes, by number.
    pub found: Vec<Finding>,
    /// What looks like it in the trees of others, by number.
    pub elsewhere: Vec<Elsewhere>,
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
        search.leave_to_other_desks(&desk);
        for (name, pid, note) in unproven {
            let findings = search.entry(&name);
            // What its file does not prove may be found all the same, and is not left alone then.
            let is_found = findings.found.iter().any(|found| found.pid == pid);
            if !is_found && !findings.elsewhere.iter().any(|other| other.pid == pid) {
                findings.notes.push(note);
            }
        }
        for findings in search.0.values_mut() {
            keep_heads(&mut findings.found, table);
            keep_first(&mut findings.elsewhere, table);
        }
        search
    }

    /// What was found of one bot.
    pub fn of(&self, name: &BotName) -> &Findings {
        static NOTHING: Findings =
            Findings { found: Vec::new(), elsewhere: Vec::new(), notes: Vec::new(), errors: Vec::new(), named: None };
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

    fn add_elsewhere(&mut self, bot: &BotName, row: &Row, keeper_of: &BotName) {
        let elsewhere = &mut self.entry(bot).elsewhere;
        if !elsewhere.iter().any(|other| other.pid == row.pid) {
            elsewhere.push(Elsewhere { pid: row.pid, command: row.text(), bot: keeper_of.clone() });
        }
    }

    /// Leaves out what the keeper of another desk holds: an adopted process has no mark and another parent.
    fn leave_to_other_desks(&mut self, desk: &Desk<'_>) {
        let is_unmarked = |found: &Finding| !matches!(found.how, How::Mark(_));
        if !self.0.values().any(|findings| findings.found.iter().any(is_unmarked)) {
            return;
        }
        let held = held_by_other_desks(desk.home, desk.table);
        if held.is_empty() {
            return;
        }
        let is_held = |pid: i32| {
            let ancestors = desk.table.get(pid).into_iter().flat_map(|row| desk.table.ancestors(row));
            ancestors.map(|row| row.pid).chain([pid]).any(|pid| held.contains(&pid))
        };
        for Findings { found, notes, .. } in self.0.values_mut() {
            found.retain(|found| {
                let is_theirs = is_unmarked(found) && is_held(found.pid);
                if let (true, How::PidFile(file)) = (is_theirs, &found.how)
                    && let Judgement::Note(note) = judge(file, found.pid, &Suspect::Kept(ANOTHER_DESK.into()))
                {
                    notes.push(note);
                }
                !is_theirs
            });
        }
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
            if let Some((row, other)) = desk.in_another_tree(pid, bot)
                && judge(&shown, pid, &desk.stranger(row, bot, written)) == Judgement::Proven
            {
                self.add_elsewhere(&wanted.name, row, other);
            }
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
            let (owner, kept) = desk.owner(row);
            let names = match owner {
                Owner::Nobody => Vec::new(),
                Owner::One(name) => vec![name],
                Owner::Several(names) => names,
            };
            for name in &names {
                match kept {
                    None => self.add(name, row, How::Pattern, others(&names, name)),
                    Some(other) => self.add_elsewhere(name, row, other),
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

/// The same for what lives in the trees of others.
fn keep_first(elsewhere: &mut Vec<Elsewhere>, table: &Table) {
    let all: HashSet<i32> = elsewhere.iter().map(|other| other.pid).collect();
    elsewhere.retain(|other| {
        !table.get(other.pid).is_some_and(|row| table.ancestors(row).any(|ancestor| all.contains(&ancestor.pid)))
    });
    elsewhere.sort_by_key(|other| other.pid);
}

/// The processes that keepers of other desks hold by a pidfd, as far as we may look at those keepers.
fn held_by_other_desks(home: &Path, table: &Table) -> HashSet<i32> {
    let is_keeper = |row: &&Row| row.is_keeper() && row.words().nth(1) == Some(KEEPER_ROLE);
    let home = fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
    table.rows().iter().filter(is_keeper).filter_map(|row| held_by(row.pid, &home)).flatten().collect()
}

/// The processes that a keeper holds; nothing if it is of the desk with this home, whose files it has open, or if we may
/// not look.
fn held_by(keeper: i32, home: &Path) -> Option<Vec<i32>> {
    let list = |what: &str| fs::read_dir(format!("/proc/{keeper}/{what}")).ok();
    let is_in_home = |path: &Path| fs::read_link(path).is_ok_and(|file| file.starts_with(home));
    if list("fd")?.flatten().any(|entry| is_in_home(&entry.path())) {
        return None;
    }
    let held = |text: &str| text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse::<i32>().ok());
    let texts = list("fdinfo")?.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
    Some(texts.filter_map(|text| held(&text)).filter(|pid| *pid > 1).collect())
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
    /// The mount namespace that we are in.
    mounts: Option<PathBuf>,
}

/// What a process is called whose desk is not ours.
const ANOTHER_DESK: &str = "another desk";

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
        let mounts = fs::read_link("/proc/self/ns/mnt").ok();
        Self { home, table, bots, kept: in_hand, uid: geteuid().as_raw(), executable, mounts }
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

    /// Whose a process is by what it looks like, and the bot in whose tree it lives all the same; nobody's if anything
    /// else is known of it.
    fn owner(&self, row: &'a Row) -> (Owner, Option<&BotName>) {
        const NOBODY: (Owner, Option<&BotName>) = (Owner::Nobody, None);
        // In this order: whatever needs another look at the process comes last.
        if !self.bots.iter().any(|bot| bot.may_run_as(row.uid, self.uid)) {
            return NOBODY;
        }
        let Some(line) = Line::read(row.words()) else { return NOBODY };
        if !self.bots.iter().any(|bot| bot.looks_like(&line)) {
            return NOBODY;
        }
        let place = || Place::of(row, &line, self.mounts.as_deref());
        match self.standing(row) {
            Standing::Free if !self.is_botwarden(row) => (self.owner_at(row, &line, &place()), None),
            Standing::Kept(name) => match self.keeper_of(row, name, &line) {
                Some(bot) => (self.owner_at(row, &line, &place()), Some(&bot.name)),
                None => NOBODY,
            },
            Standing::Free | Standing::Botwarden | Standing::Of(_, _) | Standing::Elsewhere => NOBODY,
        }
    }

    /// The bot of this desk in whose tree a process lives without looking like it. Who looks like it is its own, however
    /// much others share its command and its folder.
    fn keeper_of(&self, row: &Row, name: &str, line: &Line<'_>) -> Option<&Claimant> {
        let bot = self.bots.iter().find(|bot| bot.name.as_str() == name && !bot.looks_like(line))?;
        let mark = std::iter::once(row).chain(self.table.ancestors(row)).find_map(|row| row.mark.as_ref());
        mark.is_none_or(|mark| mark.home == self.home).then_some(bot)
    }

    /// A process that looks like this bot and lives in the tree of another that it does not look like.
    fn in_another_tree(&self, pid: i32, bot: &Claimant) -> Option<(&Row, &BotName)> {
        let row = self.table.get(pid)?;
        let Standing::Kept(name) = self.standing(row) else { return None };
        let line = Line::read(row.words()).filter(|line| bot.looks_like(line))?;
        Some((row, &self.keeper_of(row, name, &line)?.name))
    }

    fn owner_at<'p>(&self, row: &Row, line: &Line<'_>, place: &'p Place) -> Owner {
        let Place { cwd, file, same_mounts } = place;
        let known = |path: &'p Option<PathBuf>| path.as_deref().filter(|_| *same_mounts);
        let process = Candidate { uid: row.uid, cwd: known(cwd), file: known(file), line };
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
                    Suspect::Kept(ANOTHER_DESK.into())
                } else if name == bot.name.as_str() {
                    return None;
                } else {
                    is_of(name)
                }
            }
            Standing::Of(name, _) if *name == bot.name => Suspect::Marked,
            Standing::Of(name, _) => is_of(name.as_str()),
            Standing::Elsewhere => Suspect::Kept(ANOTHER_DESK.into()),
            Standing::Free if self.is_botwarden(row) => Suspect::Botwarden,
            Standing::Free => self.stranger(row, bot, written),
        })
    }

    fn stranger(&self, row: &Row, bot: &Claimant, written: SystemTime) -> Suspect {
        let line = Line::read(row.words()).filter(|line| bot.looks_like(line));
        let place = line.as_ref().map(|line| Place::of(row, line, self.mounts.as_deref())).unwrap_or_default();
        // Who has made itself a daemon may be anywhere; but the same name elsewhere is another bot's script.
        let anothers = place.file.as_deref().filter(|file| !bot.executes(file) && !bot.is_in(place.cwd.as_deref()));
        let belongs_to = match line.as_ref().map(|line| self.owner_at(row, line, &place)) {
            Some(Owner::One(name)) if name != bot.name => Some(name.to_string()),
            Some(Owner::One(_) | Owner::Several(_) | Owner::Nobody) | None => None,
        };
        Suspect::Other {
            name: name(row),
            user: bot.may_run_as(row.uid, self.uid),
            alike: line.is_some() && anothers.is_none(),
            elsewhere: anothers.and_then(Path::parent).map(|folder| printable(&folder.to_string_lossy())),
            belongs_to,
            later: is_later(row.start_time, written),
        }
    }
}

/// The process has this number and was not in the table.
fn not_in_the_table(pid: i32) -> Suspect {
    let other =
        |name| Suspect::Other { name, user: false, alike: false, elsewhere: None, belongs_to: None, later: false };
    match process::stat(pid).filter(|stat| stat.is_alive()) {
        None => Suspect::Gone,
        // A thread of the kernel, or one of a process that has another number.
        Some(stat) if stat.kernel || !process::all().any(|other| other == pid) => {
            other(process::short_name(pid).unwrap_or_default())
        }
        Some(_) => Suspect::New,
    }
}

/// Harmless to a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
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
    /// Whether it sees the files that we see. If not, its paths are names of other files: they may tell it from a bot,
    /// and never make it one's.
    same_mounts: bool,
}

impl Place {
    /// `mounts` is the namespace that we are in.
    fn of(row: &Row, line: &Line<'_>, mounts: Option<&Path>) -> Self {
        // Names mean something else to a process in another root, such as a container's.
        if !is_same(&at(row, "root"), Path::new("/")) {
            return Self::default();
        }
        let link = at(row, "cwd");
        // The folder may have been removed, and another made in its place.
        let cwd = fs::read_link(&link).ok().filter(|cwd| is_same(&link, cwd));
        let same_mounts = fs::read_link(at(row, "ns/mnt")).ok().as_deref() == mounts;
        Self { file: file(line, cwd.as_deref()), cwd, same_mounts }
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
