//! Looks at everything there is to see of a desk's bots and says what may be said of each.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::cgroup::Group;
use crate::client::{self, Trouble};
use crate::clock;
use crate::core::bot::{BotName, BotSpec};
use crate::core::moment::Moment;
use crate::core::protocol::{Hello, Snapshot};
use crate::core::record::RunRecord;
use crate::core::state::State;
use crate::core::status::{BotStatus, Evidence, LastExit, LockSeen, RecordSeen, Stray, Verdict, Voice, decide};
use crate::lock;
use crate::paths::{BotHome, Home};
use crate::process;
use crate::record;
use crate::search::{Elsewhere, Finding, Kept, Search, Wanted};
use crate::table::Table;
use crate::usage::{self, Usage, Used};

/// The process table is searched for marked processes no more often than this.
const SEARCH_EVERY: Duration = Duration::from_secs(5);
/// Bots are looked at side by side, so that one silent keeper does not delay all.
const SIDE_BY_SIDE: usize = 16;

/// A keeper that comes or goes is asked again after this long.
const COMES_OR_GOES: Duration = Duration::from_millis(2);

/// One look at one bot.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The bot.
    pub name: BotName,
    /// What was seen.
    pub evidence: Evidence,
    /// What may be said.
    pub verdict: Verdict,
    /// The keeper's greeting, if it gave one.
    pub hello: Option<Hello>,
}

impl Sight {
    /// The run record, if it could be read.
    pub fn record(&self) -> Option<&RunRecord> {
        match &self.evidence.record {
            RecordSeen::Read(record) => Some(record),
            RecordSeen::None | RecordSeen::Unreadable(_) => None,
        }
    }
}

/// Looks at one bot. `marked` are the living processes that carry its mark. Takes up to a second if its keeper is
/// silent.
pub fn see(home: &Home, name: &BotName, marked: &Marked) -> Sight {
    const OFTEN_ENOUGH: usize = 16;
    let bot = home.bot(name);
    let mut sight = glance(&bot, name, marked);
    for _ in 0..OFTEN_ENOUGH {
        // Without a keeper, and alive: unless a keeper came between one look and the next, and spawned it.
        let came = sight.verdict.state == State::Orphaned && lock::look(&bot.keeper_lock()) == LockSeen::Held;
        if !came {
            break;
        }
        sight = glance(&bot, name, marked);
    }
    sight
}

/// Adds to a look which living processes carry the bot's mark.
pub fn with_marked(sight: &mut Sight, marked: Vec<i32>) {
    sight.evidence.marked.extend(marked);
    sight.evidence.marked.sort_unstable();
    sight.evidence.marked.dedup();
    sight.verdict = decide(&sight.evidence);
}

/// Looks at one bot whose keeper has just said this, and is not asked again.
pub fn see_told(home: &Home, name: &BotName, said: Snapshot, hello: Hello) -> Sight {
    let heard = (LockSeen::Held, Voice::Said(Box::new(said)), Some(hello));
    beside(&home.bot(name), name, &Marked::default(), heard)
}

fn glance(bot: &BotHome, name: &BotName, marked: &Marked) -> Sight {
    let heard = ask(bot);
    beside(bot, name, marked, heard)
}

/// The keeper's lock, what it says, and its greeting.
type Heard = (LockSeen, Voice, Option<Hello>);

/// What there is to see beside what was heard.
fn beside(bot: &BotHome, name: &BotName, marked: &Marked, heard: Heard) -> Sight {
    let (keeper_lock, voice, hello) = heard;
    let record = record::read(bot);
    let main = match &record {
        RecordSeen::Read(record) => record.process.clone(),
        RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    let group = match &record {
        // A living keeper tells of its tree itself.
        RecordSeen::Read(record) if keeper_lock == LockSeen::Free => Group::of(record),
        RecordSeen::Read(_) | RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    let mut evidence = Evidence {
        keeper_lock,
        bot_lock: lock::look(&bot.bot_lock()),
        voice,
        record,
        main_alive: main.as_ref().is_some_and(process::is_alive),
        // Asked last: a keeper that has left saw its tree empty, so whoever lives now is none of its.
        marked: marked.of(name),
        down: record::down(bot),
    };
    evidence.marked.sort_unstable();
    evidence.marked.extend(group.map(|group| group.living(&evidence.marked)).unwrap_or_default());
    let verdict = decide(&evidence);
    Sight { name: name.clone(), evidence, verdict, hello }
}

/// The keeper's lock, and what the keeper says. One that comes has its lock before its socket, and one that leaves has
/// it longer: for as long as silence is put up with, nobody at the socket means to look again.
fn ask(bot: &BotHome) -> Heard {
    let until = clock::now().plus(client::PATIENCE);
    loop {
        let keeper_lock = lock::look(&bot.keeper_lock());
        if keeper_lock != LockSeen::Held {
            return (keeper_lock, Voice::NotAsked, None);
        }
        match client::voice(bot) {
            Ok((snapshot, hello)) => return (keeper_lock, Voice::Said(Box::new(snapshot)), Some(hello)),
            Err(Trouble::Nobody(_) | Trouble::Gone) if clock::now() < until => std::thread::sleep(COMES_OR_GOES),
            // It may have left while we asked: its lock says so then, and its last record has been written.
            Err(Trouble::Silent) => {
                return (lock::look(&bot.keeper_lock()), Voice::Silent(Trouble::Silent.to_string()), None);
            }
            Err(trouble) => return (lock::look(&bot.keeper_lock()), Voice::Foreign(trouble.to_string()), None),
        }
    }
}

/// Looks at several bots side by side.
pub fn see_all(home: &Home, names: &[BotName], marked: &Marked) -> Vec<Sight> {
    let share = names.len().div_ceil(SIDE_BY_SIDE).max(1);
    let look = |names: &[BotName]| names.iter().map(|name| see(home, name, marked)).collect::<Vec<_>>();
    let look = &look;
    std::thread::scope(|scope| {
        let looks: Vec<_> = names
            .chunks(share)
            .map(|names| {
                // A machine without room for a thread is one on which a look is needed.
                let thread = std::thread::Builder::new().spawn_scoped(scope, move || look(names));
                thread.map_err(|_| look(names))
            })
            .collect();
        looks
            .into_iter()
            .flat_map(|look| look.map_or_else(|seen| seen, |look| look.join().unwrap_or_default()))
            .collect()
    })
}

/// Living processes that carry a mark of this desk, by bot.
#[derive(Clone, Debug, Default)]
pub struct Marked(BTreeMap<BotName, Vec<(i32, String)>>);

impl Marked {
    /// Every bot of which something carries the mark.
    pub fn names(&self) -> impl Iterator<Item = &BotName> {
        self.0.keys()
    }

    /// Searches the whole process table.
    pub fn search(home: &Home) -> Self {
        Self(process::marked(home.root()))
    }

    /// The same, from a table that was read already.
    pub fn of_table(home: &Home, table: &Table) -> Self {
        let mut marked: BTreeMap<BotName, Vec<(i32, String)>> = BTreeMap::new();
        for row in table.rows() {
            if let Some(mark) = row.mark.as_ref().filter(|mark| mark.home == home.root()) {
                marked.entry(mark.bot.clone()).or_default().push((row.pid, mark.run.clone()));
            }
        }
        Self(marked)
    }

    /// Those of one bot that still live.
    pub fn of(&self, name: &BotName) -> Vec<i32> {
        let alive = |pid: i32| process::stat(pid).is_some_and(process::Stat::is_alive);
        self.0.get(name).into_iter().flatten().map(|(pid, _)| *pid).filter(|pid| alive(*pid)).collect()
    }
}

/// One pass over the process table, and what it brought to light of every bot of a desk.
#[derive(Debug, Default)]
pub struct Pass {
    /// The table.
    pub table: Table,
    /// What no keeper has.
    pub search: Search,
    /// Who carries a mark of this desk.
    pub marked: Marked,
    /// Why the process table could not be read.
    pub trouble: Option<String>,
}

impl Pass {
    /// Reads the process table and searches it for the configured bots, and for others that have a record here: whose a
    /// process is depends on all of them.
    pub fn make(home: &Home, specs: &[BotSpec]) -> Self {
        let (table, trouble) = match Table::read() {
            Ok(table) => (table, None),
            Err(why) => (Table::default(), Some(why)),
        };
        let mut wanted: Vec<Wanted> = specs.iter().map(Wanted::from).collect();
        let mut kept = Vec::new();
        for name in home.recorded().unwrap_or_default() {
            let RecordSeen::Read(record) = record::read(&home.bot(&name)) else { continue };
            if !specs.iter().any(|spec| spec.name == name) {
                wanted.push(Wanted::from(&*record));
            }
            // What its keeper has, or had: whether that lives is said by other evidence.
            if record.ended.is_none() {
                let processes = record.process.iter().map(|process| (process.pid, process.start_time)).collect();
                kept.push(Kept { name, processes, run: Some(record.run) });
            }
        }
        let search = Search::new(home, &table, &wanted, &kept);
        Self { marked: Marked::of_table(home, &table), search, table, trouble }
    }

    /// Living processes that look like a bot and that no keeper has.
    pub fn strays(&self, name: &BotName) -> Vec<&Finding> {
        let lives = |finding: &&Finding| {
            process::stat(finding.pid).is_some_and(|stat| stat.is_alive() && stat.start_time == finding.start_time)
        };
        self.search.of(name).found.iter().filter(lives).collect()
    }

    /// Living processes that look like a bot and live in the tree of another.
    pub fn elsewhere(&self, name: &BotName) -> Vec<&Elsewhere> {
        let lives = |other: &&Elsewhere| {
            let row = self.table.get(other.pid);
            process::stat(other.pid)
                .is_some_and(|stat| stat.is_alive() && row.is_some_and(|row| row.start_time == stat.start_time))
        };
        self.search.of(name).elsewhere.iter().filter(lives).collect()
    }
}

/// Looks again and again, and remembers what it needs for figures that are differences (CPU).
pub struct Surveyor {
    home: Home,
    usage: Usage,
    pass: Pass,
    searched: Option<Moment>,
    configured: bool,
}

impl Surveyor {
    /// A surveyor of this desk.
    pub fn new(home: Home) -> Self {
        Self { home, usage: Usage::default(), pass: Pass::default(), searched: None, configured: true }
    }

    /// The same where no configuration could be read: which bots are in it is not known then.
    #[must_use]
    pub fn without_configuration(self) -> Self {
        Self { configured: false, ..self }
    }

    /// One look at every configured bot and at every other one that has a record here and is not at rest. Takes up to
    /// a second if a keeper is silent; never call it where keys are read.
    pub fn look(&mut self, specs: &[BotSpec]) -> Vec<BotStatus> {
        let now = clock::now();
        if self.searched.is_none_or(|searched| now.since(searched) >= SEARCH_EVERY) {
            self.pass = Pass::make(&self.home, specs);
            self.searched = Some(now);
        }
        let mut names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let others = self.home.recorded().unwrap_or_default();
        names.extend(others.into_iter().filter(|name| !specs.iter().any(|spec| spec.name == *name)));
        let mut sights = see_all(&self.home, &names, &self.pass.marked);
        sights.retain(|sight| {
            let configured = specs.iter().any(|spec| spec.name == sight.name);
            configured || !sight.verdict.state.is_at_rest() || !self.strays(sight).is_empty()
        });
        let used =
            self.usage.look(sights.iter().filter_map(|sight| Some((sight.name.clone(), tree(sight)?))).collect());
        let configured = self.configured;
        sights
            .iter()
            .map(|sight| {
                let spec = specs.iter().find(|spec| spec.name == sight.name);
                let status = status(sight, spec, used.get(&sight.name), configured);
                let note = self.with_findings(&sight.name, &status.note);
                BotStatus { strays: self.strays(sight), note, ..status }
            })
            .collect()
    }

    /// A note, with what the search could not look at, and what it found in the trees of others.
    fn with_findings(&self, name: &BotName, note: &str) -> String {
        let elsewhere = self.pass.elsewhere(name).into_iter().map(ToString::to_string);
        let errors = self.pass.search.of(name).errors.iter().cloned();
        let note = Some(note.to_owned()).filter(|note| !note.is_empty());
        let trouble = self.pass.trouble.clone();
        note.into_iter().chain(elsewhere).chain(errors).chain(trouble).collect::<Vec<_>>().join("; ")
    }

    /// Living processes beside what a keeper has.
    fn strays(&self, sight: &Sight) -> Vec<Stray> {
        let kept: Vec<i32> = match &sight.evidence.voice {
            Voice::Said(snapshot) => snapshot.processes.iter().map(|process| process.pid).collect(),
            Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => sight.evidence.marked.clone(),
        };
        let strays = self.pass.strays(&sight.name).into_iter().filter(|finding| !kept.contains(&finding.pid));
        strays
            .map(|finding| Stray {
                pid: finding.pid,
                command: finding.command.clone(),
                found_by: finding.tier.word().to_owned(),
                shared_with: finding.shared_with.clone(),
            })
            .collect()
    }

    /// Two looks, far enough apart for CPU figures, if anything lives that has some.
    pub fn look_twice(&mut self, specs: &[BotSpec]) -> Vec<BotStatus> {
        let first = self.look(specs);
        if first.iter().all(|bot| bot.processes.is_none()) {
            return first;
        }
        std::thread::sleep(usage::APART);
        self.look(specs)
    }
}

/// The processes of a living bot; nothing if none is known to live.
fn tree(sight: &Sight) -> Option<Vec<i32>> {
    let mut pids: Vec<i32> = match &sight.evidence.voice {
        Voice::Said(snapshot) => {
            snapshot.processes.iter().filter(|process| process.alive).map(|process| process.pid).collect()
        }
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => {
            let mut pids = sight.evidence.marked.clone();
            if sight.evidence.main_alive {
                pids.extend(sight.verdict.pid);
            }
            pids
        }
    };
    if let Some(main) = sight.verdict.pid.filter(|_| sight.evidence.main_alive) {
        pids.push(main);
        pids.extend(process::descendants(main));
    }
    pids.sort_unstable();
    pids.dedup();
    (!pids.is_empty()).then_some(pids)
}

/// `configured`: whether a configuration was read at all.
fn status(sight: &Sight, spec: Option<&BotSpec>, used: Option<&Used>, configured: bool) -> BotStatus {
    let Sight { evidence, verdict, .. } = sight;
    let record = sight.record();
    let said = match &evidence.voice {
        Voice::Said(snapshot) => Some(&**snapshot),
        Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => None,
    };
    let ended = record.and_then(|record| record.ended.as_ref());
    let ago = |ms: u64| clock::wall_before(Duration::from_millis(ms));
    let lives = !verdict.state.is_at_rest();
    let since = match (said, ended) {
        (Some(said), _) => Some(ago(said.state_age_ms)),
        (None, Some(ended)) if !lives => Some(ended.at),
        (None, _) => None,
    };
    let last_exit = match (said, ended) {
        (Some(said), _) => match (&said.last_exit, ended) {
            (Some(seen), _) => Some(LastExit::new(&seen.exit, Some(ago(seen.age_ms)))),
            (None, Some(ended)) => Some(LastExit::new(&ended.exit, Some(ended.at))),
            (None, None) => None,
        },
        (None, Some(ended)) => Some(LastExit::new(&ended.exit, Some(ended.at))),
        (None, None) => None,
    };
    let executes = said.is_some_and(|said| said.pid.is_some()) || (said.is_none() && evidence.main_alive);
    let started_at = record.filter(|_| executes).map(|record| record.started_at);
    let uptime = match said {
        Some(said) => said.uptime_ms.map(|ms| ms / 1000),
        None => started_at.map(|at| Timestamp::now().duration_since(at).as_secs().unsigned_abs()),
    };
    let configured_mode = spec.map(|spec| spec.mode);
    let mode = match &evidence.record {
        // It lives, and as what only its record could say.
        RecordSeen::Unreadable(_) if lives => None,
        RecordSeen::Read(record) if lives => Some(record.mode),
        RecordSeen::None | RecordSeen::Read(_) | RecordSeen::Unreadable(_) => {
            configured_mode.or_else(|| record.map(|record| record.mode))
        }
    };
    let keeper_pid = sight.hello.as_ref().map(|hello| hello.keeper_pid);
    BotStatus {
        name: sight.name.clone(),
        groups: spec
            .map_or_else(|| record.map(|record| record.groups.clone()).unwrap_or_default(), |spec| spec.groups.clone()),
        mode,
        state: verdict.state,
        was: verdict.was,
        since,
        pid: verdict.pid,
        keeper_pid,
        started_at,
        uptime_s: uptime.filter(|_| executes),
        restarts: said.map(|said| said.restarts).or_else(|| counted(evidence, |record| record.restarts)),
        failures: said.map(|said| said.failures).or_else(|| counted(evidence, |record| record.failures)),
        next_try_at: said.and_then(|said| said.next_try_in_ms).map(|ms| clock::wall_after(Duration::from_millis(ms))),
        last_exit,
        heartbeat_age_s: said.and_then(|said| said.heartbeat_age_ms).map(|ms| ms / 1000),
        cpu_percent: used.and_then(|used| used.cpu_percent),
        memory_bytes: used.map(|used| used.memory_bytes),
        processes: used.map(|used| used.processes),
        orders_active: None,
        orders_read_at: None,
        strays: Vec::new(),
        note: note(sight, spec, configured),
        configured: spec.is_some(),
        give_up_after: said
            .map_or_else(|| spec.map_or(0, |spec| spec.backoff.give_up_after), |said| said.give_up_after),
        run: record.map(|record| record.run.clone()),
    }
}

/// A count of the run record: none where there never was a run, and unknown where it cannot be read.
fn counted(evidence: &Evidence, count: impl Fn(&RunRecord) -> u32) -> Option<u32> {
    match &evidence.record {
        RecordSeen::Read(record) => Some(count(record)),
        RecordSeen::None => Some(0),
        RecordSeen::Unreadable(_) => None,
    }
}

/// The verdict's note, with what the configuration has to say about it.
fn note(sight: &Sight, spec: Option<&BotSpec>, configured: bool) -> String {
    let Sight { evidence, verdict, .. } = sight;
    let record = sight.record();
    let mut notes = Vec::new();
    if !verdict.note.is_empty() {
        notes.push(verdict.note.clone());
    }
    if let RecordSeen::Unreadable(why) = &evidence.record
        && !verdict.note.contains(why.as_str())
    {
        notes.push(format!("its record cannot be read, so its mode is not known: {why}"));
    }
    match spec {
        None if configured => notes.push("not in the configuration any more".to_owned()),
        None => {}
        Some(spec) => {
            let lives = matches!(verdict.state, State::Running | State::Starting | State::Orphaned | State::Unknown);
            if let Some(record) = record.filter(|record| lives && record.mode != spec.mode) {
                notes.push(format!("runs as {}, is configured as {}: restart applies it", record.mode, spec.mode));
            }
        }
    }
    notes.join("; ")
}
