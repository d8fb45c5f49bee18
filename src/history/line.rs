//! One line of an event file, as far as the index wants to know it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::core::bot::BotName;

/// No longer a sentence is kept; the file has all of it.
const LONGEST: usize = 2000;

/// What is kept of a line. Whatever else stands in it is read from the file when somebody opens it.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) bot: Option<BotName>,
    pub(super) kind: String,
    pub(super) text: String,
    #[serde(default)]
    run: Value,
    #[serde(default)]
    by: Value,
    #[serde(default)]
    action: Value,
    #[serde(default)]
    exit_code: Value,
    #[serde(default)]
    stop: Value,
    #[serde(default)]
    bots: Value,
    #[serde(default)]
    exit: Value,
    #[serde(default)]
    failures: Value,
}

impl Line {
    /// The line; none if it is no event.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut line: Self = serde_json::from_slice(bytes).ok()?;
        if line.text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
            line.text.truncate(end);
        }
        Some(line)
    }

    /// When it was, in nanoseconds since 1970.
    pub(super) fn at(&self) -> i64 {
        i64::try_from(self.at.as_nanosecond()).unwrap_or(if self.at < Timestamp::UNIX_EPOCH {
            i64::MIN
        } else {
            i64::MAX
        })
    }

    pub(super) fn run(&self) -> Option<&str> {
        self.run.as_str().filter(|run| !run.is_empty())
    }

    pub(super) fn by(&self) -> Option<&str> {
        self.by.as_str()
    }

    pub(super) fn action(&self) -> Option<&str> {
        self.action.as_str()
    }

    pub(super) fn code(&self) -> Option<i64> {
        self.exit_code.as_i64()
    }

    pub(super) fn stop(&self) -> Option<&str> {
        self.stop.as_str()
    }

    pub(super) fn failures(&self) -> Option<i64> {
        self.failures.as_i64()
    }

    /// The bots that a report of several names.
    pub(super) fn bots(&self) -> Option<String> {
        let names: Vec<&str> = self.bots.as_array()?.iter().filter_map(Value::as_str).collect();
        Some(names.join(" "))
    }

    /// How the main process ended, in words.
    pub(super) fn exit(&self) -> Option<String> {
        let exit = self.exit.as_object()?;
        let code = exit.get("code").and_then(Value::as_i64).map(|code| format!("exited with {code}"));
        let signal = || exit.get("signal").and_then(Value::as_str).map(|signal| format!("was ended by {signal}"));
        Some(code.or_else(signal).unwrap_or_else(|| "ended, nobody saw how".into()))
    }
}
