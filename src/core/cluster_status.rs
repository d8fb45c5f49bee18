//! What may be said of a cluster: every "running" of its file is checked against who lives, and against the lease.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::bot::BotName;
use super::chunk::{Census, Chunk, CombinationsSeen, LISTED};
use super::cluster::ClusterSpec;
use super::crew::{Crew, Life, Who};
use super::words::span;

/// The states of a cluster. On the screen each has a word, a sign and a colour of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterState {
    /// The database cannot be read.
    Unknown,
    /// A running chunk that no live worker or coordinator holds, or whose lease ran out.
    Stale,
    /// Chunks run.
    Processing,
    /// Work is queued, and nothing runs.
    Pending,
    /// Everything is done.
    Complete,
    /// Nothing is queued.
    Idle,
}

impl ClusterState {
    /// Every state, in the order in which the first that applies wins.
    pub const ALL: [Self; 6] =
        [Self::Unknown, Self::Stale, Self::Processing, Self::Pending, Self::Complete, Self::Idle];

    /// The word of the command line and of JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Stale => "stale",
            Self::Processing => "processing",
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Idle => "idle",
        }
    }
}

/// What the check of a running chunk has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Somebody who lives has it, and its lease is good.
    Held,
    /// Somebody who lives has it, and nothing was heard for longer than the lease.
    Overdue,
    /// Nobody who lives has it.
    Stale,
    /// Whoever has it is not known on this box: it may live elsewhere.
    Unverified,
}

impl Hold {
    /// The word of the command line and of JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Overdue => "overdue",
            Self::Stale => "stale",
            Self::Unverified => "unverified",
        }
    }
}

/// One running chunk, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The chunk.
    pub chunk: Chunk,
    /// What the check has come to.
    pub hold: Hold,
    /// Whether it counts as stale.
    pub stale: bool,
    /// Who holds it, or which evidence is missing: a phrase.
    pub why: String,
}

/// One chunk, as the command line tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChunkStatus {
    /// What identifies it, as people write it.
    pub id: String,
    /// `running` or `failed`, whatever the file calls that.
    pub status: &'static str,
    /// Who claimed it, in the file's own word.
    pub worker: Option<String>,
    /// When.
    pub started_at: Option<Timestamp>,
    /// When its worker last said that it is alive, if it does.
    pub heard_at: Option<Timestamp>,
    /// Seconds since it was claimed.
    pub age_s: Option<u64>,
    /// What the check has come to; absent for a failed one.
    pub hold: Option<Hold>,
    /// Whether it counts as stale.
    pub stale: bool,
    /// Who holds it, or which evidence is missing.
    pub why: Option<String>,
}

/// What may be said of a cluster, in the shape of the contract and a little more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterStatus {
    /// Its name.
    pub name: BotName,
    /// Its state.
    pub state: ClusterState,
    /// All chunks; like the others, absent where they could not be read.
    pub total: Option<u64>,
    /// Those that are done.
    pub completed: Option<u64>,
    /// Those that the file says somebody works on.
    pub running: Option<u64>,
    /// Those that wait.
    pub pending: Option<u64>,
    /// Those that were given up.
    pub failed: Option<u64>,
    /// Running ones that failed the check.
    pub stale: Option<u64>,
    /// Running ones of which nobody here can tell.
    pub unverified: Option<u64>,
    /// Those whose state is none of the configured words.
    pub other: Option<u64>,
    /// Completed chunks of all, from 0 to 1; absent where there are none.
    pub progress: Option<f64>,
    /// Combinations, where the file tells.
    pub combinations: CombinationsSeen,
    /// How many workers live on this box.
    pub workers_alive: usize,
    /// How many are configured.
    pub workers: usize,
    /// Whether the coordinator lives on this box; absent where there is none, or where nobody knows.
    pub coordinator_alive: Option<bool>,
    /// Chunks that become completed in a minute, by earlier readings; absent where there is none to compare.
    pub per_minute: Option<f64>,
    /// Seconds until nothing is left, at that rate.
    pub eta_s: Option<u64>,
    /// When the file was read.
    pub read_at: Option<Timestamp>,
    /// How long that took, in milliseconds.
    pub read_ms: Option<u64>,
    /// A short sentence.
    pub note: String,
    /// Why it could not be read.
    pub error: Option<String>,
    /// The chunks that run or have failed, as far as they are listed.
    pub chunks: Vec<ChunkStatus>,
}

/// Checks every running chunk of a reading.
pub fn check(spec: &ClusterSpec, census: &Census, crew: &Crew, now: Timestamp) -> Vec<Checked> {
    census.running.iter().map(|chunk| check_one(spec, chunk, crew, now)).collect()
}

/// Whoever claims a chunk and ends is not missed before that.
const A_MOMENT: Duration = Duration::from_secs(2);

/// What is said of a chunk that is older than the run of whoever has it.
const ANEW: &str = "which was started after the claim";

fn check_one(spec: &ClusterSpec, chunk: &Chunk, crew: &Crew, now: Timestamp) -> Checked {
    // What is still to come tells nothing.
    let silent = chunk.news_at().filter(|at| age(now, *at) <= spec.lease).map(|at| age(at, now));
    let ran_out = silent.is_some_and(|silent| silent > spec.lease);
    let lease = || {
        let said = if chunk.heard_at.is_some() { "heard of" } else { "claimed" };
        format!("{said} {} ago, lease {}", span(silent.unwrap_or_default().as_secs()), span(spec.lease.as_secs()))
    };
    let (hold, stale, why) = match crew.who(chunk.worker.word().as_deref()) {
        Who::Lives(who, _) if ran_out => (Hold::Overdue, true, format!("held by {who}, but {}", lease())),
        // Whoever claimed it may be gone, though it goes by that name again. Nothing is taken from who lives.
        Who::Lives(who, Some(since)) if chunk.news_at().is_some_and(|at| is_before(at, since)) => {
            (Hold::Held, false, format!("held by {who}, {ANEW}"))
        }
        Who::Lives(who, _) => (Hold::Held, false, format!("held by {who}")),
        Who::Gone(why) => (Hold::Stale, true, why),
        // Others of the crew live, and this one may have come and gone between the reading and the look at processes.
        Who::Ended(why) if crew.anybody_lives() && silent.is_some_and(|silent| silent <= A_MOMENT) => {
            (Hold::Unverified, false, format!("unverified: {why}, and it was claimed a moment ago"))
        }
        Who::Ended(why) => (Hold::Stale, true, why),
        // Nobody says that it is dead: of what is not here only the time tells.
        Who::Unverified(why) if ran_out => (Hold::Stale, true, format!("unverified: {why}, and {}", lease())),
        Who::Unverified(why) if silent.is_none() => {
            (Hold::Stale, true, format!("unverified: {why}, and it has no start time"))
        }
        Who::Unverified(why) if crew.anybody_lives() || crew.anybody_unknown() => {
            (Hold::Unverified, false, format!("unverified: {why}"))
        }
        Who::Unverified(why) => {
            (Hold::Unverified, true, format!("unverified: {why}, and no worker or coordinator lives here"))
        }
    };
    Checked { chunk: chunk.clone(), hold, stale, why }
}

/// Times of files may be whole seconds, and their clocks a little off.
fn is_before(at: Timestamp, since: Timestamp) -> bool {
    age(at, since) > A_MOMENT
}

fn age(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

/// What may be said of a cluster after a reading of its file, or after one that failed.
pub fn judge(spec: &ClusterSpec, reading: Result<&Census, &str>, crew: &Crew, now: Timestamp) -> ClusterStatus {
    let mut status = blank(spec, crew);
    match reading {
        Ok(census) => fill(&mut status, spec, census, crew, now),
        Err(why) => {
            why.clone_into(&mut status.note);
            status.error = Some(why.to_owned());
        }
    }
    status
}

fn blank(spec: &ClusterSpec, crew: &Crew) -> ClusterStatus {
    ClusterStatus {
        name: spec.name.clone(),
        state: ClusterState::Unknown,
        total: None,
        completed: None,
        running: None,
        pending: None,
        failed: None,
        stale: None,
        unverified: None,
        other: None,
        progress: None,
        combinations: CombinationsSeen::default(),
        workers_alive: crew.workers_alive(),
        workers: crew.workers.len(),
        coordinator_alive: crew.coordinator.as_ref().and_then(|member| match member.life {
            Life::Lives => Some(true),
            Life::Gone => Some(false),
            Life::Unknown => None,
        }),
        per_minute: None,
        eta_s: None,
        read_at: None,
        read_ms: None,
        note: String::new(),
        error: None,
        chunks: Vec::new(),
    }
}

fn fill(status: &mut ClusterStatus, spec: &ClusterSpec, census: &Census, crew: &Crew, now: Timestamp) {
    let counts = census.counts;
    let checked = check(spec, census, crew, now);
    let stale = checked.iter().filter(|checked| checked.stale).count() as u64;
    let unverified = checked.iter().filter(|checked| checked.hold == Hold::Unverified).count() as u64;
    status.total = Some(counts.total);
    status.completed = Some(counts.completed);
    status.running = Some(counts.running);
    status.pending = Some(counts.pending);
    status.failed = Some(counts.failed);
    status.other = Some(counts.other);
    status.stale = Some(stale);
    status.unverified = Some(unverified);
    status.progress = (counts.total > 0).then(|| counts.completed as f64 / counts.total as f64);
    status.combinations = census.combinations;
    status.read_at = Some(census.at);
    status.read_ms = Some(census.cost.as_millis() as u64);
    status.state = if stale > 0 {
        ClusterState::Stale
    } else if counts.running > 0 {
        ClusterState::Processing
    } else if counts.pending > 0 {
        ClusterState::Pending
    } else if counts.total > 0 && counts.completed == counts.total {
        ClusterState::Complete
    } else {
        ClusterState::Idle
    };
    status.note = note(status.state, census, &checked);
    let running = checked.into_iter().map(|checked| ChunkStatus::running(&checked, now));
    let failed = census.failed.iter().map(|chunk| ChunkStatus::failed(chunk, now));
    status.chunks = running.chain(failed).collect();
}

/// The most important thing first; what else there is to know behind it.
fn note(state: ClusterState, census: &Census, checked: &[Checked]) -> String {
    let counts = census.counts;
    let mut parts = Vec::new();
    match state {
        ClusterState::Stale => {
            let stale = checked.iter().filter(|checked| checked.stale).collect::<Vec<_>>();
            let same = |why: &str| stale.iter().filter(|checked| checked.why == why).count();
            if let Some(first) = stale.first() {
                let more = stale.len() - same(&first.why);
                let more = if more > 0 { format!("; {more} more") } else { String::new() };
                parts.push(format!("{} stale: {}{more}", stale.len(), first.why));
            }
        }
        ClusterState::Pending => parts.push(format!("{} pending, nothing runs", counts.pending)),
        ClusterState::Idle if counts.failed > 0 => parts.push(format!("{} failed", counts.failed)),
        ClusterState::Idle if counts.total == 0 => parts.push("no chunks".into()),
        ClusterState::Idle | ClusterState::Unknown | ClusterState::Processing | ClusterState::Complete => {}
    }
    let anew: Vec<&Checked> = checked.iter().filter(|checked| checked.why.ends_with(ANEW)).collect();
    if let Some(first) = anew.first() {
        parts.push(format!("{} {}", anew.len(), first.why));
    }
    let unverified: Vec<&Checked> =
        checked.iter().filter(|checked| checked.hold == Hold::Unverified && !checked.stale).collect();
    if let Some(first) = unverified.first() {
        parts.push(format!("{} {}", unverified.len(), first.why));
    }
    if counts.other > 0 {
        let words = census.strange.join(", ");
        parts.push(format!("{} in a state that is not configured ({words})", counts.other));
    }
    if counts.running > LISTED as u64 {
        parts.push(format!("only {LISTED} of the running ones were checked"));
    }
    parts.extend(census.uncounted.clone());
    parts.join("; ")
}

impl ChunkStatus {
    fn of(chunk: &Chunk, status: &'static str, now: Timestamp) -> Self {
        Self {
            id: chunk.id.name(),
            status,
            worker: chunk.worker.word(),
            started_at: chunk.started_at,
            heard_at: chunk.heard_at,
            age_s: chunk.started_at.map(|at| age(at, now).as_secs()),
            hold: None,
            stale: false,
            why: None,
        }
    }

    fn running(checked: &Checked, now: Timestamp) -> Self {
        Self {
            hold: Some(checked.hold),
            stale: checked.stale,
            why: Some(checked.why.clone()),
            ..Self::of(&checked.chunk, "running", now)
        }
    }

    fn failed(chunk: &Chunk, now: Timestamp) -> Self {
        Self::of(chunk, "failed", now)
    }
}

#[cfg(test)]
mod tests;
