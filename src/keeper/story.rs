//! Turns what happened into what is remembered: the words and fields of events.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::core::event::Kind;
use crate::core::exit::Exit;
use crate::core::lifecycle::{Happening, Outcome, Refusal, Then};

/// An event without its time and bot.
pub(super) struct Story {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) more: Map<String, Value>,
}

impl Story {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), more: Map::new() }
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.more.insert(key.to_owned(), value);
        self
    }
}

/// The event of a happening; some are told by the next one.
pub(super) fn story(happening: &Happening, run: &str, pid: Option<i32>, by: Option<&str>) -> Option<Story> {
    let story = match happening {
        Happening::Started => Story::new(Kind::Started, format!("started (pid {})", pid.unwrap_or_default())),
        Happening::Ready => return None,
        Happening::Exited { exit, lasted, left } => {
            let rest = if *left { "; processes of it live on and are being ended" } else { "" };
            let after = match exit {
                Exit::NotStarted(_) => String::new(),
                Exit::Code(_) | Exit::Signal(_) | Exit::Unknown => format!(" after {}", in_words(*lasted)),
            };
            Story::new(Kind::Exited, format!("{exit}{after}{rest}")).with("exit", exit_json(exit))
        }
        Happening::Stopping { then: Then::Judge, .. } => return None,
        Happening::Stopping { then, signal } => {
            let what = match then {
                Then::Leave => "is being stopped",
                Then::Respawn => "is being restarted",
                Then::Judge => "is being ended",
            };
            let by = by.map(|by| format!(" for {by}")).unwrap_or_default();
            Story::new(Kind::Stopping, format!("{what}{by}, first by {signal}")).with("signal", json!(signal))
        }
        Happening::Climbed { signal } => {
            Story::new(Kind::Climbed, format!("still there: {signal}")).with("signal", json!(signal))
        }
        Happening::Survived => Story::new(Kind::Survived, "something of it still lives at the end of its ladder"),
        Happening::BackingOff { wait, failures } => {
            Story::new(Kind::Backoff, format!("will be tried again in {}", in_words(*wait)))
                .with("failures", json!(failures))
        }
        Happening::Over { outcome, exit } => match outcome {
            Outcome::Stopped => Story::new(Kind::Stopped, format!("stopped; it {exit}, nothing of it lives")),
            Outcome::Exited | Outcome::Crashed => {
                Story::new(Kind::Stopped, format!("not started again; it {exit}, nothing of it lives"))
            }
            Outcome::Failed => {
                Story::new(Kind::Failed, format!("the breaker is open: too many failures; last it {exit}"))
            }
            Outcome::Refused(why) => Story::new(Kind::Refused, refusal(why)),
        }
        .with("exit", exit_json(exit)),
    };
    Some(story.with("run", json!(run)))
}

/// Why a spawn was refused, in words.
pub(super) fn refusal(why: &Refusal) -> String {
    match why {
        Refusal::Down => "not started: it is marked as not to be running".to_owned(),
        Refusal::Latched => "not started: the emergency stop is latched".to_owned(),
        Refusal::Occupied(what) => format!("not started: {what}"),
    }
}

/// A bot whose log costs more than it may.
pub(super) fn too_fast(dropped: u64, keep: u32) -> String {
    format!(
        "writes faster than it can be archived: {} of its oldest output were dropped (keep = {keep})",
        in_bytes(dropped)
    )
}

fn in_bytes(bytes: u64) -> String {
    let mega = bytes as f64 / f64::from(1 << 20);
    if mega < 999.5 { format!("{mega:.0}M") } else { format!("{:.1}G", mega / 1024.0) }
}

/// A duration as a person would say it.
pub(super) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.0} h", seconds / 3600.0)
    }
}

fn exit_json(exit: &Exit) -> Value {
    json!({ "code": exit.code(), "signal": exit.signal() })
}
