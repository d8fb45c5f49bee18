//! How loud a line of a log is, by its own words.

/// A level; what is louder is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Debugging, and finer.
    Debug,
    /// What usually happens.
    Info,
    /// Something wants a look.
    Warning,
    /// Something went wrong.
    Error,
}

impl Level {
    /// Its name, as the screen shows it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The level that this line names, if it does: by the first level word near its start, as Python, Rust, Java and
    /// many others write it.
    pub fn of(line: &str) -> Option<Self> {
        let mut words = line.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2).take(8);
        words.find_map(|word| match word {
            "ERROR" | "CRITICAL" | "FATAL" | "PANIC" => Some(Self::Error),
            "WARN" | "WARNING" => Some(Self::Warning),
            "INFO" | "NOTICE" => Some(Self::Info),
            "DEBUG" | "TRACE" => Some(Self::Debug),
            _ => None,
        })
    }
}
