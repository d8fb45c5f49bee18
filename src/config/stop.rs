//! How a bot is stopped, and how soon it is tried again: `stop`, `backoff`, `ready`.

use std::time::Duration;

use super::item::{Given, Item};
use super::reader::Kind;
use super::values::{duration, signal, some_duration};
use crate::core::bot::{Backoff, Ladder, Ready, Rung};
use crate::core::signal::Signal;

/// The keys of a rung.
pub(super) const RUNG: &[&str] = &["signal", "wait"];
/// The keys of `backoff`.
pub(super) const BACKOFF: &[&str] = &["first", "max", "reset_after", "give_up_after"];

/// `stop`.
pub(super) fn ladder(item: &Item<'_>) -> Option<Ladder> {
    const WHAT: &str = "an array of rungs, such as [{ signal = \"SIGTERM\", wait = \"30s\" }]";
    let rungs = item.list(WHAT, |rung| {
        let section = rung.section("a rung", RUNG)?;
        let signal = section.need("signal", "what is sent, such as signal = \"SIGTERM\"", |item| {
            signal(item).map(|signal| (signal, item.place()))
        });
        let wait = section.need("wait", "how long the bot then has, such as wait = \"30s\"", some_duration);
        Some((signal?, wait?))
    })?;
    if rungs.is_empty() {
        item.wrong("is empty; a ladder has at least one rung, such as { signal = \"SIGTERM\", wait = \"30s\" }");
        return None;
    }
    let mut good = true;
    for (index, ((signal, (at, key)), _)) in rungs.iter().enumerate() {
        let below = &rungs[..index];
        let message = if below.iter().any(|((other, _), _)| other == signal) {
            format!("{signal} stands in the ladder twice; a second one can abort a clean-up that goes on")
        } else if *signal == Signal::KILL && index + 1 < rungs.len() {
            "SIGKILL must be the last rung; nothing above it is ever reached".to_owned()
        } else {
            continue;
        };
        item.reader.slip(*at, Kind::Present, key, message);
        good = false;
    }
    good.then(|| Ladder(rungs.into_iter().map(|((signal, _), wait)| Rung { signal, wait }).collect()))
}

/// `ready`.
pub(super) fn ready(item: &Item<'_>) -> Option<Ready> {
    match item.if_string() {
        Some(Given::Good("notify")) => Some(Ready::Notify),
        Some(Given::Good(text)) if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            item.slip(format!(
                "unknown word {text:?}; write \"notify\", or a time to stay alive for such as \"500ms\""
            ));
            None
        }
        Some(_) => some_duration(item).map(Ready::Alive),
        None => {
            item.expected("\"notify\" or a time in quotes such as \"500ms\"");
            None
        }
    }
}

/// What a table `backoff` says, before defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct BackoffKeys {
    first: Given<Duration>,
    max: Given<Duration>,
    reset_after: Given<Duration>,
    give_up_after: Given<u32>,
    place: (usize, String),
}

impl BackoffKeys {
    /// Reads the table.
    pub fn read(item: &Item<'_>) -> Option<Self> {
        let section = item.section("`backoff`", BACKOFF)?;
        Some(Self {
            first: section.take("first", duration),
            max: section.take("max", duration),
            reset_after: section.take("reset_after", duration),
            give_up_after: section.take("give_up_after", |item| item.whole(0..=1_000_000)),
            place: item.place(),
        })
    }

    /// Both tables as one, this one's keys first.
    pub fn over(&self, below: &Self) -> Self {
        Self {
            first: self.first.or(&below.first),
            max: self.max.or(&below.max),
            reset_after: self.reset_after.or(&below.reset_after),
            give_up_after: self.give_up_after.or(&below.give_up_after),
            place: self.place.clone(),
        }
    }

    /// With what goes without saying; and where something is to be said, where it is.
    pub fn finish(self, slip: impl FnOnce(usize, &str, String)) -> Backoff {
        let usual = Backoff::default();
        let said = self.max.is_there();
        let first = self.first.good().unwrap_or(usual.first);
        let max = self.max.good().unwrap_or(usual.max);
        if first > max {
            let which = if said { "`max`" } else { "`max`, which is 1m where nothing is said" };
            slip(self.place.0, &self.place.1, format!("`first` is longer than {which}; no wait can be both"));
        }
        Backoff {
            first,
            max,
            reset_after: self.reset_after.good().unwrap_or(usual.reset_after),
            give_up_after: self.give_up_after.good().unwrap_or(usual.give_up_after),
        }
    }
}
