//! One thing that is wrong with a configuration, told so that it can be put right.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// A mistake, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file, as it was named; where its name is no UTF-8, scripts get it with U+FFFD in it.
    #[serde(serialize_with = "lossy")]
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
            return f.write_str(&visible(&self.message));
        }
        write!(f, "{}:", visible(&self.file.to_string_lossy()))?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", visible(&self.message))
    }
}

impl Mistake {
    /// There is no file to read at all.
    pub fn of_the_search(message: String) -> Self {
        Self { file: PathBuf::new(), line: 0, column: 0, key: String::new(), message }
    }
}

fn lossy<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&path.to_string_lossy())
}

/// The text with everything that a terminal would obey, or that would hide something, written out (`\u{1b}`): keys and
/// file names are anybody's.
pub fn visible(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if harmful(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_mistake_is_obeyed_by_a_terminal() {
        for (text, shown) in [
            ("plain Grüße", "plain Grüße"),
            ("a\u{1b}[2Jb\nc", "a\\u{1b}[2Jb\\nc"),
            ("\u{9b}31m\u{202e}x\u{7f}", "\\u{9b}31m\\u{202e}x\\u{7f}"),
        ] {
            assert_eq!(visible(text), shown);
            let mistake = Mistake { file: text.into(), line: 1, column: 2, key: String::new(), message: text.into() };
            assert_eq!(mistake.to_string(), format!("{shown}:1:2: {shown}"));
            assert_eq!(Mistake::of_the_search(text.into()).to_string(), shown);
        }
    }

    #[test]
    fn a_file_name_that_is_no_text_can_be_told_to_scripts() {
        use std::os::unix::ffi::OsStrExt as _;
        let file = Path::new(std::ffi::OsStr::from_bytes(b"x\xff.toml")).to_owned();
        let mistake = Mistake { file, ..Mistake::of_the_search("gone".into()) };
        assert_eq!(serde_json::to_value(&mistake).expect("JSON")["file"], "x\u{fffd}.toml");
    }
}
