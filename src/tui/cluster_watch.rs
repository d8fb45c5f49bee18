//! Keeps every cluster fresh while somebody looks: asks for each again and again, one question a cluster at a time and each
//! at its own pace, and tells the screen what came of it. A slow file delays nobody but itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::cluster::{Answer, Errand, Obstacle, Question, claimed, memory, seen, sight};
use crate::core::bot::{BotName, BotSpec};
use crate::core::chunk::{Census, Counts};
use crate::core::cluster::ClusterSpec;
use crate::core::crew::PidSeen;
use crate::core::pace::Pace;
use crate::paths::Home;
use crate::readers::Readers;

use super::message::{ClusterNews, ClusterSeen, Msg, PaceFigures};

/// Between two questions about a file that is quick to read.
const PACE: Duration = Duration::from_secs(1);
/// A file is read for a twentieth of the time at most.
const SHARE: u32 = 20;
/// How long a reading may take.
const WITHIN: Duration = Duration::from_secs(10);
/// Between two times that a rate is written down.
const KEPT_EVERY: Duration = Duration::from_secs(10);

/// What whoever watches is told.
#[derive(Debug)]
pub(super) enum Watch {
    /// These clusters and bots are configured.
    Specs(Vec<ClusterSpec>, Vec<BotSpec>),
    /// Go on, or rest while nobody looks.
    GoOn(bool),
    /// Read all of them now.
    Now,
}

/// One cluster, and how it went so far.
struct Watched {
    spec: ClusterSpec,
    user: Option<String>,
    census: Option<Arc<Census>>,
    /// The processes that its chunks name, and when they were last looked up, and how long that took.
    pids: BTreeMap<i32, PidSeen>,
    looked: Option<(Instant, Duration)>,
    pace: Pace,
    kept: Option<Instant>,
    every: Duration,
    asked: Option<Instant>,
    under_way: bool,
    /// Asked for again while a question was under way.
    again: bool,
}

/// What came of a question, with how long it took.
struct Answered {
    spec: ClusterSpec,
    answer: Answer,
    took: Duration,
}

struct Watcher<'a> {
    home: Home,
    tell: &'a Sender<Msg>,
    readers: Arc<Readers>,
    clusters: BTreeMap<BotName, Watched>,
}

/// Whoever listens has gone: the screen was left.
struct Left;

/// Watches until nobody wants to know any more.
pub(super) fn watch(home: Home, asked: &Receiver<Watch>, tell: &Sender<Msg>) {
    let mut watcher = Watcher { home, tell, readers: Arc::new(Readers::new()), clusters: BTreeMap::new() };
    let (answer, answers) = channel();
    let mut resting = false;
    loop {
        if !resting {
            watcher.ask(&answer);
        }
        // With nothing to watch it only waits to be told of something.
        let patience = if watcher.clusters.is_empty() { PACE } else { PACE / 4 };
        let first = match asked.recv_timeout(patience) {
            Ok(watch) => Some(watch),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for watch in first.into_iter().chain(asked.try_iter()) {
            match watch {
                Watch::Specs(clusters, bots) => watcher.configure(clusters, &bots),
                Watch::GoOn(go_on) => resting = !go_on,
                Watch::Now => watcher.hurry(),
            }
        }
        for answered in answers.try_iter() {
            if watcher.take(answered).is_err() {
                return;
            }
        }
        if !resting && watcher.look_around().is_err() {
            return;
        }
    }
}

impl Watcher<'_> {
    fn configure(&mut self, clusters: Vec<ClusterSpec>, bots: &[BotSpec]) {
        let mut before = std::mem::take(&mut self.clusters);
        for spec in clusters {
            let user = sight::user(&spec, bots);
            // What was read by other words says nothing of these.
            let known = before.remove(&spec.name).filter(|known| known.spec == spec);
            let pace = || memory::recall(&self.home, &spec.name);
            let watched = match known {
                Some(known) => Watched { user, ..known },
                None => Watched::new(spec.clone(), user, pace()),
            };
            self.clusters.insert(spec.name, watched);
        }
    }

    /// Asks whoever is due, each on a thread of its own.
    fn ask(&mut self, tell: &Sender<Answered>) {
        let now = Instant::now();
        for watched in self.clusters.values_mut() {
            let due = watched.asked.is_none_or(|asked| now.duration_since(asked) >= watched.every);
            if watched.under_way || !due {
                continue;
            }
            watched.asked = Some(now);
            let spec = watched.spec.clone();
            let known = watched.census.as_ref().and_then(|census| census.stamp.clone());
            let question = Question {
                cluster: spec.clone(),
                user: watched.user.clone(),
                errand: Errand::Look { known },
                within: WITHIN,
            };
            let (readers, tell) = (Arc::clone(&self.readers), tell.clone());
            let wait = move || {
                let answer = readers.ask(question).wait(clock::now().plus(WITHIN));
                // Nobody waits for it once the screen was left.
                let _ = tell.send(Answered { spec, answer, took: now.elapsed() });
            };
            // No room for a thread: it is tried again when it is due again.
            watched.under_way = thread::Builder::new().name("cluster".into()).spawn(wait).is_ok();
        }
    }

    fn take(&mut self, answered: Answered) -> Result<(), Left> {
        let Answered { spec, answer, took } = answered;
        let Some(watched) = self.clusters.get_mut(&spec.name) else { return Ok(()) };
        watched.under_way = false;
        if watched.spec != spec {
            // It is called otherwise meanwhile: this is about how it was.
            watched.asked = None;
            return Ok(());
        }
        if std::mem::take(&mut watched.again) {
            watched.asked = None;
        }
        let now = clock::wall();
        let seen = match answer {
            Answer::Read(census) => {
                watched.every = PACE.max(census.cost * SHARE);
                let census = Arc::new(*census);
                watched.census = Some(Arc::clone(&census));
                ClusterSeen::Read(census)
            }
            Answer::Unchanged => {
                // One that has never been read cannot be as it was.
                if watched.census.is_none() {
                    return Ok(());
                }
                ClusterSeen::Unchanged(now)
            }
            Answer::Failed(failure) => {
                // What hangs is not asked all the time; what is locked for a moment is soon asked again.
                let share = if failure.obstacle == Obstacle::Locked { 1 } else { SHARE / 2 };
                watched.every = PACE.max(took * share);
                ClusterSeen::Failed { why: failure.why, missing: failure.obstacle == Obstacle::Missing }
            }
            // Nothing was to be changed.
            Answer::PutBack { .. } | Answer::Ready => return Ok(()),
        };
        let figures = watched.census.as_ref().filter(|_| !matches!(seen, ClusterSeen::Failed { .. })).map(|census| {
            watched.pace.add(now, census.counts.completed);
            figures(&watched.pace, census.counts)
        });
        let pids = watched.look_up(&self.home);
        let news = ClusterNews { cluster: spec.name.clone(), every: watched.every, seen, pids, figures };
        if figures.is_some() && watched.kept.is_none_or(|kept| kept.elapsed() >= KEPT_EVERY) {
            watched.kept = Some(Instant::now());
            memory::keep(&self.home, &spec.name, &watched.pace);
        }
        self.tell.send(Msg::Cluster(Box::new(news))).map_err(|_| Left)
    }

    /// Looks up again who lives of those whom chunks name, whether or not their file is due.
    fn look_around(&mut self) -> Result<(), Left> {
        for (name, watched) in &mut self.clusters {
            let due = watched.looked.is_some_and(|(at, took)| at.elapsed() >= PACE.max(took * SHARE));
            if !due {
                continue;
            }
            let before = std::mem::take(&mut watched.pids);
            let pids = watched.look_up(&self.home);
            if watched.pids == before {
                continue;
            }
            let seen = ClusterSeen::People;
            let news = ClusterNews { cluster: name.clone(), every: watched.every, seen, pids, figures: None };
            self.tell.send(Msg::Cluster(Box::new(news))).map_err(|_| Left)?;
        }
        Ok(())
    }

    /// All are due now: something was done about them.
    fn hurry(&mut self) {
        for watched in self.clusters.values_mut() {
            watched.again = watched.under_way;
            watched.asked = None;
        }
    }
}

/// How fast it comes along, and how long what is left takes.
fn figures(pace: &Pace, counts: Counts) -> PaceFigures {
    PaceFigures { per_minute: pace.per_minute(), eta_s: pace.seconds_for(counts.pending + counts.running) }
}

impl Watched {
    const fn new(spec: ClusterSpec, user: Option<String>, pace: Pace) -> Self {
        Self {
            spec,
            user,
            census: None,
            pids: BTreeMap::new(),
            looked: None,
            pace,
            kept: None,
            every: PACE,
            asked: None,
            under_way: false,
            again: false,
        }
    }

    /// The processes that its chunks name, as they are now.
    fn look_up(&mut self, home: &Home) -> Option<BTreeMap<i32, PidSeen>> {
        let census = self.census.as_ref()?;
        let began = Instant::now();
        self.pids = seen(home.root(), &claimed(census));
        self.looked = Some((began, began.elapsed()));
        Some(self.pids.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Failure;
    use crate::config;
    use crate::core::chunk::{Chunk, CombinationsSeen, Value};
    use std::fmt::Write;
    use std::path::Path;

    const BOTS: &str = "[bots.w]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n";

    fn specs(clusters: &[(&str, &str)]) -> (Vec<ClusterSpec>, Vec<BotSpec>) {
        let mut text = BOTS.to_owned();
        for (name, file) in clusters {
            let _ = write!(text, "[clusters.{name}]\ndatabase = \"{file}\"\nworkers = [\"w\"]\n");
        }
        let config = config::parse(Path::new("/nowhere/botwarden.toml"), &text).expect("no mistake");
        (config.clusters, config.bots)
    }

    fn census(worker: i64, cost: Duration) -> Answer {
        Answer::Read(Box::new(Census {
            at: clock::wall(),
            counts: Counts { total: 9, running: 1, completed: 8, ..Counts::default() },
            strange: vec![],
            combinations: CombinationsSeen::default(),
            uncounted: None,
            running: vec![Chunk { id: Value::Integer(1), worker: Value::Integer(worker), ..Chunk::default() }],
            failed: vec![],
            cost,
            indexed: false,
            stamp: Some("1".into()),
        }))
    }

    fn watcher<'a>(home: &Path, tell: &'a Sender<Msg>, clusters: &[(&str, &str)]) -> Watcher<'a> {
        let readers = Arc::new(Readers::new());
        let mut watcher = Watcher { home: Home::at(home.to_owned()), tell, readers, clusters: BTreeMap::new() };
        let (clusters, bots) = specs(clusters);
        watcher.configure(clusters, &bots);
        watcher
    }

    fn heard(told: &Receiver<Msg>) -> Vec<ClusterNews> {
        let news = |msg| if let Msg::Cluster(news) = msg { *news } else { panic!("{msg:?}") };
        told.try_iter().map(news).collect()
    }

    #[test]
    fn a_file_that_is_slow_to_read_is_read_less_often_and_one_that_is_locked_soon_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tell, told) = channel();
        let mut watcher = watcher(folder.path(), &tell, &[("a", "/a.db")]);
        let spec = watcher.clusters.values().next().expect("a cluster").spec.clone();
        let mut take = |answer, took| {
            let spec = spec.clone();
            assert!(watcher.take(Answered { spec, answer, took: Duration::from_millis(took) }).is_ok());
            heard(&told).into_iter().map(|news| (news.every.as_millis(), news.pids.is_some())).collect::<Vec<_>>()
        };
        let failed = || Answer::Failed(Failure { obstacle: Obstacle::Locked, why: "/a.db: is locked".into() });
        assert!(take(Answer::Unchanged, 1).is_empty(), "what was never read is not as it was");
        assert_eq!(take(census(7, Duration::from_millis(2)), 3), [(1000, true)]);
        assert_eq!(take(census(7, Duration::from_millis(850)), 900), [(17_000, true)]);
        assert_eq!(take(Answer::Unchanged, 1), [(17_000, true)]);
        assert_eq!(take(failed(), 2000), [(2000, true)]);
        assert_eq!(take(failed(), 20), [(1000, true)]);
        let hangs = Answer::Failed(Failure { obstacle: Obstacle::Other, why: "/a.db: no answer".into() });
        assert_eq!(take(hangs, 2000), [(20_000, true)]);
    }

    #[test]
    fn an_answer_about_another_file_is_not_shown_and_what_was_done_is_read_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tell, told) = channel();
        let mut watcher = watcher(folder.path(), &tell, &[("a", "/old.db"), ("b", "/b.db")]);
        let old = watcher.clusters.values().next().expect("a cluster").spec.clone();
        let (clusters, bots) = specs(&[("a", "/new.db")]);
        watcher.configure(clusters, &bots);
        assert_eq!(watcher.clusters.len(), 1);
        let took = Duration::ZERO;
        assert!(watcher.take(Answered { spec: old, answer: census(7, took), took }).is_ok());
        assert!(heard(&told).is_empty());
        let watched = watcher.clusters.values_mut().next().expect("a cluster");
        (watched.under_way, watched.asked) = (true, Some(Instant::now()));
        let spec = watched.spec.clone();
        watcher.hurry();
        watcher.clusters.values_mut().for_each(|watched| watched.asked = Some(Instant::now()));
        assert!(watcher.take(Answered { spec, answer: census(7, took), took }).is_ok());
        assert_eq!(heard(&told).len(), 1);
        assert!(watcher.clusters.values().all(|watched| watched.asked.is_none() && !watched.under_way));
    }

    #[test]
    fn whoever_dies_is_missed_although_the_file_is_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tell, told) = channel();
        let mut watcher = watcher(folder.path(), &tell, &[("a", "/a.db")]);
        let mut child = std::process::Command::new("/bin/sleep").arg("600").spawn().expect("a process");
        let pid = child.id() as i32;
        let spec = watcher.clusters.values().next().expect("a cluster").spec.clone();
        let took = Duration::ZERO;
        assert!(watcher.take(Answered { spec, answer: census(i64::from(pid), took), took }).is_ok());
        let lives = |news: &[ClusterNews]| {
            news.iter().filter_map(|news| Some(news.pids.as_ref()?.get(&pid)?.alive)).collect::<Vec<_>>()
        };
        assert_eq!(lives(&heard(&told)), [true]);
        child.kill().expect("killed");
        child.wait().expect("ended");
        let long_ago = Instant::now().checked_sub(PACE).expect("a machine that is up for a second");
        watcher.clusters.values_mut().for_each(|watched| watched.looked = Some((long_ago, took)));
        assert!(watcher.look_around().is_ok());
        assert_eq!(lives(&heard(&told)), [false]);
    }
}
