//! Tries everything, side by side, and waits for nothing longer than all may take: a disk that hangs must not hang whoever
//! asks whether the emergency stop is ready.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::clock;
use crate::config::{duration_text, visible};
use crate::core::moment::Moment;
use crate::core::readiness::Check;
use crate::paths::{Home, words};

use super::subject::Subject;
use super::{clusters, commands, drill, home, keepers, sources, subject, users};

/// Nothing is waited for longer: keepers have a second, and orders two.
const LIMIT: Duration = Duration::from_secs(4);

/// So many trials that have not come to an end may hang in a system call before no more are begun.
const MOST_STUCK: usize = 64;

/// How many are under way, those included whom nobody waits for any more.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// One thing that is tried: what it is called if it does not come to an end, and how it is done.
type Trial = (&'static str, fn(&Subject) -> Vec<Check>);

/// All of them, in the order in which they are told.
const TRIALS: [Trial; 12] = [
    ("home", home::writable),
    ("latch", home::latch),
    ("locks", home::locks),
    ("disk", home::room),
    ("beacon", home::beacon),
    ("stopper", keepers::stopper),
    ("keepers", keepers::answer),
    ("users", users::signalled),
    ("order sources", sources::read),
    ("cancel commands", commands::executable),
    ("clusters", clusters::writable),
    ("drill", drill::last),
];

/// Tries everything that the emergency stop of this desk depends on: one entry a check, in the order of `doctor`. Takes a
/// few seconds at most. `config`: the configuration's file; absent where none was found.
pub fn examine(home: &Home, config: Option<&Path>) -> Vec<Check> {
    let until = clock::now().plus(LIMIT);
    let (place, file) = (home.clone(), config.map(Path::to_owned));
    let configuration = "configuration";
    let (subject, first) = match begin(move || subject::read(&place, file.as_deref())).and_then(|it| it.wait(until)) {
        Ok(read) => read,
        Err(why) => (Subject::unknown(home), Check::bad(configuration, format!("{configuration}: {why}"))),
    };
    let subject = Arc::new(subject);
    // Everything is begun before the first is waited for.
    let begun: Vec<_> = TRIALS
        .iter()
        .map(|(name, trial)| {
            let subject = Arc::clone(&subject);
            (*name, begin(move || trial(&subject)))
        })
        .collect();
    let tried = begun.into_iter().flat_map(|(name, begun)| {
        begun.and_then(|trial| trial.wait(until)).unwrap_or_else(|why| vec![Check::bad(name, format!("{name}: {why}"))])
    });
    let harmless = |check: Check| Check { message: visible(&check.message).into_owned(), ..check };
    [first].into_iter().chain(tried).map(harmless).collect()
}

/// Something that is being tried.
struct Begun<T>(Receiver<T>);

fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Begun<T>, String> {
    if UNDER_WAY.load(Ordering::Relaxed) >= MOST_STUCK {
        return Err("not tried: earlier trials hang and cannot be ended".into());
    }
    let (sender, told) = sync_channel(1);
    UNDER_WAY.fetch_add(1, Ordering::Relaxed);
    let thread = std::thread::Builder::new().name("doctor".into()).spawn(move || {
        let _ = sender.send(work());
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    });
    thread.map(|_| Begun(told)).map_err(|error| {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        format!("no thread can be had: {}", words(&error))
    })
}

impl<T> Begun<T> {
    fn wait(self, until: Moment) -> Result<T, String> {
        self.0.recv_timeout(until.since(clock::now())).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("did not come to an end within {}", duration_text(LIMIT)),
            RecvTimeoutError::Disconnected => "the trial itself went wrong".into(),
        })
    }
}
