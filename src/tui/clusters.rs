//! The book of clusters: what was last read of each, when, and what may be said of it by who lives now. It is judged when
//! something is heard, and not when it is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::bot::BotName;
use crate::core::chunk::{Census, Chunk, Value};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_status::{Checked, ClusterState, ClusterStatus, Hold, check, judge};
use crate::core::crew::{Crew, PidSeen};
use crate::core::status::BotStatus;

use super::message::{ClusterNews, ClusterSeen, Now};
use super::orders::moment_of;
use super::text;
use crate::core::moment::Moment;

/// A reading that is older than three periods says nothing of now; reading may take a moment itself.
const PERIODS: u32 = 3;
const LEAST: Duration = Duration::from_secs(5);
/// Leases run out by themselves, so chunks are checked again after this, and after that where there are many.
const CHECKED_EVERY: Duration = Duration::from_secs(1);
const CHECKED_RARELY: Duration = Duration::from_secs(5);
const MANY: usize = 1000;

/// A chunk as it was seen when somebody pointed at it, value by value: what is claimed anew since is another claim.
#[derive(Clone, Debug, PartialEq)]
pub struct Claimed {
    /// What identifies it.
    pub id: Value,
    /// Whether it has failed; else it says that it runs.
    pub failed: bool,
    /// Who claimed it.
    pub worker: Value,
    /// When.
    pub started: Value,
}

/// A chunk that runs or has failed, as it is shown: harmless to a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkRow {
    /// What it is known by while the screen is open.
    pub key: String,
    /// What identifies it, for people.
    pub id: String,
    /// Who claimed it, in the file's own word.
    pub worker: String,
    /// When.
    pub started_at: Option<Timestamp>,
    /// What its check has come to; none for a failed one.
    pub hold: Option<Hold>,
    /// Whether it counts as stale.
    pub stale: bool,
    /// Who holds it, or which evidence is missing.
    pub why: String,
    /// The same, for whoever puts it back.
    pub claim: Claimed,
}

/// A row that the cursor can be on, by identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowId {
    /// The cluster.
    pub cluster: BotName,
    /// Its chunk; none for the cluster's own line.
    pub chunk: Option<String>,
}

/// What is known of one cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What the configuration says of it.
    pub spec: ClusterSpec,
    /// How often it is read.
    pub every: Duration,
    /// When it was last read, on the wall; none before the first reading.
    pub read_at: Option<Timestamp>,
    /// Why it cannot be read now.
    pub error: Option<String>,
    /// Whether that is because there is no such file yet.
    pub missing: bool,
    /// What may be said of the last reading, by who lives now.
    pub status: ClusterStatus,
    /// Its chunks, those of the same worker together and what is stale first.
    pub rows: Vec<ChunkRow>,
    /// The widest cells of its rows: workers, and ids.
    pub widths: (usize, usize),
    /// Who of it lives.
    pub crew: Crew,
    census: Option<Arc<Census>>,
    pids: BTreeMap<i32, PidSeen>,
    heard: Option<Moment>,
    judged: Option<Moment>,
}

/// Everything that is known of clusters, and how it is looked at.
#[derive(Clone, Debug, Default)]
pub struct ClusterBook {
    clusters: Vec<Cluster>,
    /// The row under the cursor.
    pub cursor: Option<RowId>,
    /// Where the cursor was last seen, for moving on from a chunk that is gone.
    pub cursor_row: usize,
    /// The first line that is shown.
    pub top: usize,
    /// Marked chunks.
    pub marked: BTreeSet<RowId>,
    /// Whether every chunk that was marked is gone, and nobody was told yet.
    pub marks_gone: bool,
}

impl ChunkRow {
    /// Whether it may be put back: it has failed, or nobody who lives here has it.
    pub const fn is_free(&self) -> bool {
        match self.hold {
            None | Some(Hold::Stale | Hold::Unverified) => true,
            Some(Hold::Held | Hold::Overdue) => false,
        }
    }

    /// Whether it should be: whoever has it elsewhere may be at work.
    pub const fn is_left(&self) -> bool {
        self.is_free() && (self.stale || self.hold.is_none())
    }

    /// How it is held, in a word: in capitals if it counts as stale.
    pub const fn word(&self) -> &'static str {
        match (self.hold, self.stale) {
            (None, _) => "failed",
            (Some(Hold::Held), _) => "held",
            (Some(Hold::Overdue), _) => "OVERDUE",
            (Some(Hold::Stale), _) => "STALE",
            (Some(Hold::Unverified), true) => "UNVERIFIED",
            (Some(Hold::Unverified), false) => "unverified",
        }
    }

    fn of(chunk: &Chunk, checked: Option<&Checked>) -> Self {
        let shown = |value: &Value| value.word().map_or_else(|| "-".to_owned(), |word| harmless(&word));
        Self {
            // Two ids that read the same may be a number and a text.
            key: format!("{:?}", chunk.id),
            id: harmless(&chunk.id.name()),
            worker: shown(&chunk.worker),
            started_at: chunk.started_at,
            hold: checked.map(|checked| checked.hold),
            stale: checked.is_some_and(|checked| checked.stale),
            why: checked.map(|checked| harmless(&checked.why)).unwrap_or_default(),
            claim: Claimed {
                id: chunk.id.clone(),
                failed: checked.is_none(),
                worker: chunk.worker.clone(),
                started: chunk.started.clone(),
            },
        }
    }
}

/// Text of somebody else's file in one line.
fn harmless(text: &str) -> String {
    text::harmless(&text.replace(['\r', '\n'], " "))
}

impl Cluster {
    fn new(spec: ClusterSpec) -> Self {
        let crew = Crew::of(&spec, &[], "", BTreeMap::new());
        let status = judge(&spec, Err("not read yet"), &crew, Timestamp::UNIX_EPOCH);
        Self {
            spec,
            every: CHECKED_EVERY,
            read_at: None,
            error: None,
            missing: false,
            status,
            rows: Vec::new(),
            widths: (0, 0),
            crew,
            census: None,
            pids: BTreeMap::new(),
            heard: None,
            judged: None,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &BotName {
        &self.spec.name
    }

    /// What was last read of it.
    pub fn census(&self) -> Option<&Census> {
        self.census.as_deref()
    }

    /// How long ago that was.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.heard.map(|heard| now.since(heard))
    }

    /// Whether what is known of it is too old to say what is.
    pub fn is_old(&self, now: Moment) -> bool {
        self.error.is_some() || self.age(now).is_some_and(|age| age >= LEAST.max(self.every * PERIODS))
    }

    /// What it is by now: unknown where it cannot be read, whatever was last seen.
    pub fn state(&self, now: Moment) -> ClusterState {
        if self.census.is_none() || self.is_old(now) { ClusterState::Unknown } else { self.status.state }
    }

    /// Why nothing can be said of it; nothing if something can.
    pub fn why_unknown(&self, now: Moment) -> Option<String> {
        match (&self.error, self.age(now)) {
            (Some(why), _) => Some(why.clone()),
            (None, None) => Some("not read yet".to_owned()),
            (None, Some(age)) => self.is_old(now).then(|| format!("no reading for {}", text::age(age))),
        }
    }

    /// How many of its chunks run, where that is known now.
    pub fn running(&self, now: Moment) -> Option<u64> {
        (self.state(now) != ClusterState::Unknown).then_some(self.status.running).flatten()
    }

    /// Its chunks that count as stale and that nobody here holds.
    pub fn stale(&self) -> impl Iterator<Item = &ChunkRow> {
        self.rows.iter().filter(|row| row.stale && row.is_free())
    }

    /// What there is to say of the check in a sentence, harmless.
    pub fn note(&self) -> String {
        harmless(&self.status.note)
    }

    fn hear(&mut self, seen: ClusterSeen, now: Now) {
        match seen {
            ClusterSeen::Asked | ClusterSeen::People => {}
            ClusterSeen::Unchanged(at) => {
                self.read_at = Some(at);
                self.heard = Some(moment_of(at, now));
                self.error = None;
            }
            ClusterSeen::Read(census) => {
                self.read_at = Some(census.at);
                self.heard = Some(moment_of(census.at, now));
                self.error = None;
                self.census = Some(census);
            }
            ClusterSeen::Failed { why, missing } => {
                self.error = Some(harmless(&why));
                self.missing = missing;
            }
        }
    }

    /// Checks every chunk against who lives.
    fn judge(&mut self, statuses: &[BotStatus], host: &str, now: Now) {
        self.crew = Crew::of(&self.spec, statuses, host, self.pids.clone());
        self.judged = Some(now.mono);
        let (per_minute, eta_s) = (self.status.per_minute, self.status.eta_s);
        let unread = || Err(self.error.as_deref().unwrap_or("not read yet"));
        self.status = judge(&self.spec, self.census.as_deref().map_or_else(unread, Ok), &self.crew, now.wall);
        (self.status.per_minute, self.status.eta_s) = (per_minute, eta_s);
        // They are kept as rows.
        self.status.chunks = Vec::new();
        let Some(census) = &self.census else { return };
        let checked = check(&self.spec, census, &self.crew, now.wall);
        let running = checked.iter().map(|checked| ChunkRow::of(&checked.chunk, Some(checked)));
        let failed = census.failed.iter().map(|chunk| ChunkRow::of(chunk, None));
        self.rows = running.chain(failed).collect();
        let stale: BTreeSet<String> = self.rows.iter().filter(|row| row.stale).map(|row| row.worker.clone()).collect();
        self.rows.sort_by(|a, b| {
            let rank = |row: &ChunkRow| (row.hold.is_none(), !stale.contains(&row.worker));
            let by_worker = (rank(a), &a.worker, !a.stale).cmp(&(rank(b), &b.worker, !b.stale));
            by_worker.then_with(|| a.started_at.cmp(&b.started_at))
        });
        self.widths = self
            .rows
            .iter()
            .fold((0, 0), |(workers, ids), row| (workers.max(text::width(&row.worker)), ids.max(text::width(&row.id))));
    }
}

impl ClusterBook {
    /// These clusters are configured from now on.
    pub fn configure(&mut self, specs: Vec<ClusterSpec>) {
        let mut before = std::mem::take(&mut self.clusters);
        for spec in specs {
            // What was read by other words says nothing of these.
            let same = before.iter().position(|cluster| cluster.spec == spec);
            self.clusters.push(same.map_or_else(|| Cluster::new(spec), |at| before.swap_remove(at)));
        }
        self.forget_marks();
    }

    /// Takes in what came of reading a cluster.
    pub fn hear(&mut self, news: ClusterNews, statuses: &[BotStatus], host: &str, now: Now) {
        let Some(cluster) = self.clusters.iter_mut().find(|cluster| *cluster.name() == news.cluster) else { return };
        cluster.every = news.every;
        let others = news.pids.is_some_and(|pids| {
            let others = pids != cluster.pids;
            cluster.pids = pids;
            others
        });
        let read = matches!(news.seen, ClusterSeen::Read(_) | ClusterSeen::Failed { .. });
        cluster.hear(news.seen, now);
        if read || others {
            cluster.judge(statuses, host, now);
        }
        if let Some(figures) = news.figures {
            cluster.status.per_minute = figures.per_minute;
            cluster.status.eta_s = figures.eta_s;
        }
        self.forget_marks();
    }

    /// Who lives was looked at again: whoever is gone holds nothing.
    pub fn look_again(&mut self, statuses: &[BotStatus], host: &str, now: Now) {
        for cluster in &mut self.clusters {
            let crew = Crew::of(&cluster.spec, statuses, host, cluster.pids.clone());
            let pause = if cluster.rows.len() > MANY { CHECKED_RARELY } else { CHECKED_EVERY };
            if crew != cluster.crew || cluster.judged.is_none_or(|judged| now.mono.since(judged) >= pause) {
                cluster.judge(statuses, host, now);
            }
        }
    }

    fn forget_marks(&mut self) {
        if self.marked.is_empty() {
            return;
        }
        let mut marked = std::mem::take(&mut self.marked);
        marked.retain(|id| self.row(id).is_some());
        self.marks_gone = marked.is_empty();
        self.marked = marked;
    }

    /// Every cluster, in the order of the configuration.
    pub fn all(&self) -> &[Cluster] {
        &self.clusters
    }

    /// Whether none is configured.
    pub const fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// One of them.
    pub fn cluster(&self, name: &BotName) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// The chunk of this identity.
    pub fn row(&self, id: &RowId) -> Option<&ChunkRow> {
        let key = id.chunk.as_ref()?;
        self.cluster(&id.cluster)?.rows.iter().find(|row| row.key == *key)
    }

    /// The cluster whose state matters most, and what that is.
    pub fn worst(&self, now: Moment) -> Option<(&Cluster, ClusterState)> {
        self.clusters.iter().map(|cluster| (cluster, cluster.state(now))).min_by_key(|(_, state)| *state)
    }

    /// How many places there are for the cursor.
    pub fn len(&self) -> usize {
        self.clusters.iter().map(|cluster| 1 + cluster.rows.len()).sum()
    }

    /// What stands in this place.
    pub fn at(&self, place: usize) -> Option<RowId> {
        let mut left = place;
        for cluster in &self.clusters {
            let id = |chunk: Option<&ChunkRow>| {
                let chunk = chunk.map(|row| row.key.clone());
                Some(RowId { cluster: cluster.name().clone(), chunk })
            };
            if left == 0 {
                return id(None);
            }
            if let Some(row) = cluster.rows.get(left - 1) {
                return id(Some(row));
            }
            left -= 1 + cluster.rows.len();
        }
        None
    }

    /// The place of the cursor.
    pub fn cursor_at(&self) -> Option<usize> {
        let cursor = self.cursor.as_ref()?;
        // It is where it was, nearly always.
        if self.at(self.cursor_row).as_ref() == Some(cursor) {
            return Some(self.cursor_row);
        }
        let mut before = 0;
        for cluster in &self.clusters {
            if *cluster.name() == cursor.cluster {
                return match &cursor.chunk {
                    None => Some(before),
                    Some(key) => cluster.rows.iter().position(|row| row.key == *key).map(|at| before + 1 + at),
                };
            }
            before += 1 + cluster.rows.len();
        }
        None
    }

    /// Puts the cursor on a place, the last one if there are fewer.
    pub fn go_to(&mut self, place: usize) {
        let place = place.min(self.len().saturating_sub(1));
        self.cursor = self.at(place);
        self.cursor_row = place;
    }

    /// Keeps the cursor on something.
    pub fn settle(&mut self) {
        match self.cursor_at() {
            Some(place) => self.cursor_row = place,
            // Its chunk is gone: whatever stands there now is another one, and is seen to be chosen.
            None => self.go_to(self.cursor_row),
        }
    }

    /// Marks or unmarks the chunk under the cursor, and goes on to the next.
    pub fn mark(&mut self) {
        let (Some(place), Some(id)) = (self.cursor_at(), self.cursor.clone()) else { return };
        if id.chunk.is_some() && !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        self.marks_gone = false;
        self.go_to(place + 1);
    }

    /// Marks every chunk that nobody works on.
    pub fn mark_all(&mut self) {
        let free = self.clusters.iter().flat_map(|cluster| {
            let id = |row: &ChunkRow| RowId { cluster: cluster.name().clone(), chunk: Some(row.key.clone()) };
            cluster.rows.iter().filter(|row| row.is_left()).map(id)
        });
        self.marked = free.collect();
        self.marks_gone = false;
    }

    /// Unmarks every one.
    pub fn unmark(&mut self) {
        self.marked.clear();
        self.marks_gone = false;
    }
}
