//! Tries everything, side by side, and waits for nothing longer than all may take: a disk that hangs must not hang whoever
//! asks whether the emergency stop is ready.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clock;
use crate::config::visible;
use crate::core::readiness::Check;
use crate::orders::book::SourceSeen;
use crate::paths::Home;

use super::begun::begin;
use super::subject::Subject;
use super::{clusters, commands, drill, home, keepers, records, sources, subject, users};

/// Nothing is waited for longer: keepers have a second, and orders not quite two. With what [`super::estop`] may take, no
/// more than four seconds.
const LIMIT: Duration = Duration::from_millis(2600);

/// One thing that is tried: what it is called if it does not come to an end, and how it is done.
type Trial = (&'static str, fn(&Subject) -> Vec<Check>);

/// All of them, in the order in which they are told.
const TRIALS: [Trial; 13] = [
    ("home", home::writable),
    ("latch", home::latch),
    ("locks", home::locks),
    ("disk", home::room),
    ("records", records::kept),
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
    examine_and_read(home, config).0
}

/// The same, with what the order sources of all bots said: whoever wants both must not ask them twice. Nothing where they
/// did not come to an end in time.
pub fn examine_and_read(home: &Home, config: Option<&Path>) -> (Vec<Check>, Option<Vec<SourceSeen>>) {
    let until = clock::now().plus(LIMIT);
    let (place, file) = (home.clone(), config.map(Path::to_owned));
    let configuration = "configuration";
    let (subject, first) =
        match begin(move || subject::read(&place, file.as_deref())).and_then(|it| it.wait(until, LIMIT)) {
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
        begun
            .and_then(|trial| trial.wait(until, LIMIT))
            .unwrap_or_else(|why| vec![Check::bad(name, format!("{name}: {why}"))])
    });
    let harmless = |check: Check| Check { message: visible(&check.message).into_owned(), ..check };
    let checks = [first].into_iter().chain(tried).map(harmless).collect();
    (checks, subject.sources.get().cloned())
}
