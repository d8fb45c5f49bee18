//! What is settled once all bots of a cluster have ended: what was claimed in between goes back, what was completed stays, and
//! everything is counted once more.

use std::sync::PoisonError;
use std::time::Duration;

use crate::act::cluster::Back;
use crate::clock;
use crate::cluster::sight::see;
use crate::cluster::{Claim, Failure, Obstacle, Which};
use crate::core::chunk::{Census, Counts};
use crate::core::cluster_status::Hold;
use crate::core::status::RecordSeen;
use crate::core::stop::Wish;
use crate::record;
use crate::survey::Surveyor;

use super::order::Work;
use super::part::{BRIEF, Ground, Part, Step, Whose};

/// Nobody waits for what is asked once the bots have ended but the report.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// In an emergency others wait for that.
const AFTERWARDS_IN_AN_EMERGENCY: Duration = Duration::from_secs(2);
/// Once nobody has it locked, chunks that could not be put back at first may take so long: by then nobody waits for them
/// but the report, and a million of them are not put back any faster the next time.
const IN_PEACE: Duration = Duration::from_mins(1);
/// Whoever puts chunks back for the first time has come to something by then, or broken off.
const AT_MOST: Duration = Duration::from_secs(10);
/// What is claimed again although every bot of the cluster has ended is put back so often.
const TRIES: usize = 3;

/// What came of putting back once more.
#[derive(Debug, Default)]
struct Settled {
    count: Option<u64>,
    again: u64,
    counts: Option<Counts>,
    failure: Option<Failure>,
}

impl Settled {
    /// Something of it lives: nothing is taken from that again.
    fn not(failure: Option<Failure>) -> Self {
        Self { failure, ..Self::default() }
    }
}

impl Part<'_> {
    /// All its bots have ended: what was claimed in between goes back, and everything is counted once more.
    pub(super) fn settle(&self) {
        let _one = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        // Without a thread of its own it was not even begun.
        self.put_back();
        let first = {
            let over = self.news.wait_timeout_while(self.lock(), AT_MOST, |state| state.step != Step::Over);
            let mut state = over.map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
            if state.settled {
                return;
            }
            state.settled = true;
            state.failed.clone()
        };
        let living = self.living();
        let settled = if living.is_empty() { self.put_back_again(first.as_ref()) } else { Settled::not(first.clone()) };
        // What could not be written may be read all the same, and is said to run still.
        let counts = settled.counts.or_else(|| {
            let within = if settled.failure.is_some() { BRIEF } else { self.afterwards() };
            self.asker().look(within).ok().map(|census| census.counts)
        });
        self.write_down(first, settled, living, counts);
        self.tell();
        let is_news = {
            let state = self.lock();
            state.report.again > 0 || state.failed.is_some() || !state.report.errors.is_empty()
        };
        if is_news {
            self.remember();
        }
    }

    fn write_down(&self, first: Option<Failure>, settled: Settled, living: Vec<String>, counts: Option<Counts>) {
        let mut state = self.lock();
        let completed = state.completed;
        let report = &mut state.report;
        report.errors.clear();
        report.unasked = false;
        if let Some(count) = settled.count {
            report.put_back(count);
            report.again += settled.again;
            let note = first.map(|first| {
                format!("could not be written at first ({}); put back after its processes had ended", first.why)
            });
            report.notes.extend(note);
        }
        if !living.is_empty() {
            report.errors.push(format!("not settled: {}, and may claim chunks", living.join(", ")));
        }
        if let Some(failure) = settled.failure {
            if failure.obstacle == Obstacle::Missing && !self.has_ever_run() {
                report.untouched = true;
                report.notes.push(format!("{}; nothing of it has ever run here, so nothing is missing", failure.why));
            } else {
                report.unasked = true;
                report.errors.push(failure.why);
            }
        } else if counts.is_none() {
            report.unasked = true;
            report.errors.push(format!("{}: cannot be counted", self.cluster.database.display()));
        }
        if let Some(counts) = counts {
            report.read(counts);
            report.finished_meanwhile = completed.map(|before| counts.completed.saturating_sub(before));
            if self.is_to_be_still() && living.is_empty() && counts.running > 0 && !report.unasked {
                let run =
                    if counts.running == 1 { "1 chunk runs".into() } else { format!("{} chunks run", counts.running) };
                report.errors.push(format!("{run} again: something that is not known here claims them"));
            }
        }
    }

    /// Whether nothing of it is to run afterwards.
    fn is_to_be_still(&self) -> bool {
        self.whose == Whose::All && self.ground.order.work != Work::End(Wish::Restart)
    }

    fn put_back_again(&self, first: Option<&Failure>) -> Settled {
        let mut settled = Settled::default();
        let mut was_back = first.is_none();
        for _ in 0..TRIES {
            match self.once_more(first) {
                Ok(Back { count, .. }) => {
                    settled.count = Some(settled.count.unwrap_or(0) + count);
                    settled.again += if was_back { count } else { 0 };
                    was_back = true;
                }
                Err(failure) => {
                    settled.failure = Some(failure);
                    return settled;
                }
            }
            match self.asker().look(self.afterwards()) {
                Ok(census) => settled.counts = Some(census.counts),
                Err(failure) => {
                    settled.failure = Some(failure);
                    return settled;
                }
            }
            if !self.is_to_be_still() || settled.counts.is_some_and(|counts| counts.running == 0) {
                return settled;
            }
        }
        settled
    }

    /// How long a lock, or a look, is waited for once the bots have ended.
    fn afterwards(&self) -> Duration {
        if self.ground.order.emergency.is_some() { AFTERWARDS_IN_AN_EMERGENCY } else { AFTERWARDS }
    }

    fn once_more(&self, first: Option<&Failure>) -> Result<Back, Failure> {
        let lock = self.afterwards();
        // A change of many rows and a file that hangs look the same to whoever waits: the latter is not given a minute.
        if first.is_some_and(|first| first.obstacle == Obstacle::Silent)
            && let Err(failure) = self.asker().check(lock)
            && failure.obstacle == Obstacle::Silent
        {
            return Err(failure);
        }

        let which = match &self.whose {
            Whose::All if self.is_to_be_still() => Which::Running,
            // Their next runs claim chunks by now: those are theirs.
            Whose::All => Which::These(self.abandoned()?),
            Whose::Of(bot) => Which::These(self.claimed_by(bot, lock)?.0),
        };
        self.asker().put_back_in_peace(which, lock, IN_PEACE)
    }

    /// What nobody who lives has.
    fn abandoned(&self) -> Result<Vec<Claim>, Failure> {
        let Ground { home, readers, specs, .. } = self.ground;
        let statuses = Surveyor::new(home.clone()).look(specs);
        let sights = see(home, readers, std::slice::from_ref(self.cluster), specs, &statuses, self.afterwards());
        let mut claims = Vec::new();
        for sight in sights {
            let checked = sight.checked(clock::wall());
            let _: Census = sight.reading?;
            claims.extend(
                checked
                    .iter()
                    .filter(|one| one.stale && one.hold == Hold::Stale)
                    .map(|one| Claim::of(&one.chunk, false)),
            );
        }
        Ok(claims)
    }

    /// What of its bots lives, in phrases.
    fn living(&self) -> Vec<String> {
        let state = self.lock();
        let survivors = self.bots.iter().filter_map(|bot| Some((bot, state.ended.get(bot)?)));
        survivors
            .filter(|(_, ended)| ended.survived)
            .map(|(bot, ended)| {
                let pids: Vec<String> = ended
                    .processes
                    .iter()
                    .filter(|process| process.ended_by.is_none() || crate::process::stat(process.pid).is_some())
                    .map(|process| process.pid.to_string())
                    .collect();
                if pids.is_empty() { format!("{bot} may live") } else { format!("pid {} lives", pids.join(", ")) }
            })
            .collect()
    }

    /// Whether anything of it has ever run here: then its file is not missing for nothing.
    fn has_ever_run(&self) -> bool {
        self.cluster.bots().any(|name| {
            let bot = self.ground.home.bot(name);
            !matches!(record::read(&bot), RecordSeen::None) || record::has_run(&bot)
        })
    }
}
