//! Searches many lines at once.

use std::borrow::Cow;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

/// A search through many lines at once.
#[derive(Clone, Debug)]
pub struct Grep {
    pattern: Regex,
    /// Whether it can be given many lines: `^` and `$` mean lines in it, and nothing means the whole text.
    blocks: bool,
}

impl Grep {
    /// For this pattern.
    pub fn new(pattern: &Regex) -> Self {
        let text = pattern.as_str();
        match RegexBuilder::new(text).multi_line(true).crlf(true).build() {
            Ok(pattern) => Self { pattern, blocks: suits_blocks(text) },
            Err(_) => Self { pattern: pattern.clone(), blocks: false },
        }
    }

    /// For this pattern, in whatever case; the text itself is searched for if it is no pattern.
    pub fn in_any_case(text: &str) -> Option<Self> {
        let build = |text: &str| {
            let mut builder = RegexBuilder::new(text);
            builder.case_insensitive(true).multi_line(true).crlf(true).size_limit(4 << 20).build().ok()
        };
        let pattern = build(text).or_else(|| build(&regex::escape(text)))?;
        Some(Self { blocks: suits_blocks(pattern.as_str()), pattern })
    }

    /// Whether this line matches; its end does not count.
    pub fn matches(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.pattern.is_match(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The first line that matches.
    pub fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let mut from = 0;
        while from < text.len() {
            // A line can only match where its pattern matches somewhere in the text; but the other way round a match
            // may reach over the line's end, and the line alone does not match.
            let hit = if self.blocks { from + self.pattern.find(text.get(from..)?)?.start() } else { from };
            let start = memchr::memrchr(b'\n', text.get(from..hit)?).map_or(from, |newline| from + newline + 1);
            let end = memchr::memchr(b'\n', text.get(hit..)?).map_or(text.len(), |newline| hit + newline + 1);
            if self.matches(text.get(start..end)?) {
                return Some(start..end);
            }
            from = end;
        }
        None
    }

    /// Every line that matches as it is shown, which is without colours: from where to where it goes.
    pub fn each(&self, text: &[u8], mut found: impl FnMut(Range<usize>)) {
        let shown = plain(text);
        // Where nothing was left out, a line is where it was; else it has the same number as before.
        let same = matches!(shown, Cow::Borrowed(_));
        let (mut at, mut begins) = (0, 0);
        while let Some(line) = self.find(shown.get(at..).unwrap_or_default()) {
            if same {
                found(at + line.start..at + line.end);
            } else {
                let skipped = shown.get(at..at + line.start).unwrap_or_default();
                for _ in memchr::memchr_iter(b'\n', skipped) {
                    begins += line_of(text, begins);
                }
                let length = line_of(text, begins);
                found(begins..begins + length);
                begins += length;
            }
            at += line.end;
        }
    }
}

fn line_of(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)
}

/// The text without escape sequences (ECMA-48), none of which goes beyond its line.
pub fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(first) = memchr::memchr(0x1b, text) else { return Cow::Borrowed(text) };
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(text.get(..first).unwrap_or_default());
    let mut rest = text.get(first..).unwrap_or_default();
    while let Some(after) = rest.strip_prefix(b"\x1b") {
        rest = after.get(escape(after)..).unwrap_or_default();
        let next = memchr::memchr(0x1b, rest).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..next).unwrap_or_default());
        rest = rest.get(next..).unwrap_or_default();
    }
    Cow::Owned(out)
}

/// How long the sequence is whose ESC stands before this.
fn escape(text: &[u8]) -> usize {
    let ends = |from: usize, last: &dyn Fn(u8) -> bool| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().position(|byte| last(*byte)).map_or(text.len(), |at| from + at)
    };
    match text.first() {
        Some(b'[') => {
            let end = ends(1, &|byte| !(b' '..=b'?').contains(&byte));
            end + usize::from(text.get(end).is_some_and(|byte| (b'@'..=b'~').contains(byte)))
        }
        Some(b']' | b'P' | b'X' | b'^' | b'_') => {
            let end = ends(1, &|byte| matches!(byte, b'\x07' | b'\x1b' | b'\n'));
            match (text.get(end), text.get(end + 1)) {
                (Some(b'\x07'), _) | (Some(b'\x1b'), Some(b'\n') | None) => end + 1,
                (Some(b'\x1b'), Some(_)) => end + 2,
                (Some(_) | None, _) => end,
            }
        }
        Some(b' '..=b'/') => 1 + usize::from(text.get(1).is_some_and(|byte| *byte != b'\n')),
        Some(b'\n') | None => 0,
        Some(_) => 1,
    }
}

/// Whether a pattern means the same in many lines at once as in one: it must not say where the whole text begins or
/// ends, nor switch off that `^` and `$` mean lines. In doubt it is taken line by line.
fn suits_blocks(pattern: &str) -> bool {
    let flags_ok = pattern.split("(?").skip(1).all(|group| {
        let flags = group.split([')', ':']).next().unwrap_or(group);
        !flags.contains('-')
    });
    flags_ok && !pattern.contains("\\A") && !pattern.contains("\\z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_searched_is_what_is_shown() {
        for (text, shown) in [
            (&b"plain"[..], &b"plain"[..]),
            (b"\x1b[31mred\x1b[0m\nnext", b"red\nnext"),
            (b"a\x1b]0;title\x07b", b"ab"),
            (b"a\x1b]52;c;x\x1b\\b", b"ab"),
            (b"a\x1b]never ends\nb", b"a\nb"),
            (b"a\x1b[31\nb", b"a\nb"),
            (b"a\x1b(0b\x1bcd\x1b", b"abd"),
            (b"a\x1b\nb", b"a\nb"),
        ] {
            assert_eq!(&*plain(text), shown, "{text:?}");
        }
        let text = b"\x1b[31mone\x1b[0m\ntwo\nth\x1b[1mree\n\x1b[32mONE\n";
        let found = |pattern: &str| {
            let mut lines = Vec::new();
            let grep = Grep::in_any_case(pattern).expect("a pattern");
            grep.each(text, |line| lines.push(String::from_utf8_lossy(&text[line]).into_owned()));
            lines
        };
        assert_eq!(found("^one"), ["\x1b[31mone\x1b[0m\n", "\x1b[32mONE\n"]);
        assert_eq!(found("three"), ["th\x1b[1mree\n"]);
        assert_eq!(found("31m"), [""; 0]);
        assert_eq!(found("one\\z").len(), 2);
        assert_eq!(found(".").len(), 4);
        assert_eq!(found("th(ree"), [""; 0], "no pattern is taken as it stands");
    }
}
