//! Signals by name. Numbers differ between machines, so files, reports and configurations carry names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the signals that a ladder or a report may name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Signal(i32);

/// Every standard signal of Linux (signal(7)), with the number it has on this machine.
const NAMES: [(&str, i32); 31] = [
    ("SIGHUP", libc::SIGHUP),
    ("SIGINT", libc::SIGINT),
    ("SIGQUIT", libc::SIGQUIT),
    ("SIGILL", libc::SIGILL),
    ("SIGTRAP", libc::SIGTRAP),
    ("SIGABRT", libc::SIGABRT),
    ("SIGBUS", libc::SIGBUS),
    ("SIGFPE", libc::SIGFPE),
    ("SIGKILL", libc::SIGKILL),
    ("SIGUSR1", libc::SIGUSR1),
    ("SIGSEGV", libc::SIGSEGV),
    ("SIGUSR2", libc::SIGUSR2),
    ("SIGPIPE", libc::SIGPIPE),
    ("SIGALRM", libc::SIGALRM),
    ("SIGTERM", libc::SIGTERM),
    ("SIGSTKFLT", libc::SIGSTKFLT),
    ("SIGCHLD", libc::SIGCHLD),
    ("SIGCONT", libc::SIGCONT),
    ("SIGSTOP", libc::SIGSTOP),
    ("SIGTSTP", libc::SIGTSTP),
    ("SIGTTIN", libc::SIGTTIN),
    ("SIGTTOU", libc::SIGTTOU),
    ("SIGURG", libc::SIGURG),
    ("SIGXCPU", libc::SIGXCPU),
    ("SIGXFSZ", libc::SIGXFSZ),
    ("SIGVTALRM", libc::SIGVTALRM),
    ("SIGPROF", libc::SIGPROF),
    ("SIGWINCH", libc::SIGWINCH),
    ("SIGIO", libc::SIGIO),
    ("SIGPWR", libc::SIGPWR),
    ("SIGSYS", libc::SIGSYS),
];

impl Signal {
    /// Asks a process to end.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// Ends a process without asking.
    pub const KILL: Self = Self(libc::SIGKILL);
    /// Lets a stopped process go on.
    pub const CONT: Self = Self(libc::SIGCONT);

    /// The signal with this number; real-time signals have numbers only.
    pub const fn from_number(number: i32) -> Self {
        Self(number)
    }

    /// The number that the kernel of this machine knows it by.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Every name a configuration may use, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "SIG{}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text names no signal.
#[derive(Debug, PartialEq, Eq)]
pub struct NoSuchSignal;

impl fmt::Display for NoSuchSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a signal")
    }
}

impl FromStr for Signal {
    type Err = NoSuchSignal;

    /// Takes `SIGTERM`, and `SIG34` for what has a number only (as [`Signal`] prints it).
    fn from_str(text: &str) -> Result<Self, NoSuchSignal> {
        if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self(*number));
        }
        match text.strip_prefix("SIG").and_then(|digits| digits.parse().ok()) {
            Some(number @ 1..=64) => Ok(Self(number)),
            Some(_) | None => Err(NoSuchSignal),
        }
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> Self {
        signal.to_string()
    }
}

impl TryFrom<String> for Signal {
    type Error = NoSuchSignal;

    fn try_from(text: String) -> Result<Self, NoSuchSignal> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_itself() {
        for name in Signal::names() {
            assert_eq!(name.parse::<Signal>().map(|s| s.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn a_real_time_signal_reads_back_by_its_number() {
        assert_eq!("SIG34".parse::<Signal>().map(Signal::number), Ok(34));
        assert_eq!("SIG65".parse::<Signal>(), Err(NoSuchSignal));
        assert_eq!("TERM".parse::<Signal>(), Err(NoSuchSignal));
    }
}
