//! One thing that is wrong with a configuration, told so that it can be put right.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A mistake, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: PathBuf,
    /// From 1 on; 0 if the file could not be read.
    pub line: usize,
    /// From 1 on, in characters; 0 if the file could not be read.
    pub column: usize,
    /// The key, with the tables it is in (`bots.momentum.mode`); empty where the text is no TOML.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.as_os_str().is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)
    }
}

impl Mistake {
    /// There is no file to read at all.
    pub fn of_the_search(message: String) -> Self {
        Self { file: PathBuf::new(), line: 0, column: 0, key: String::new(), message }
    }
}
