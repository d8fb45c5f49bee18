//! Text to tables. Every mistake in the syntax is noted, not only the first; and so that what stands around one is read
//! as it was meant, each broken line is taken out and the rest read again.

use std::borrow::Cow;
use std::ops::Range;

use toml::de::{DeTable, Error};

use super::reader::{Kind, Reader};

/// Nobody puts more than this right before the next look; and each round reads the whole text.
const ROUNDS: usize = 40;

/// The table that a text is.
pub(super) fn table(mended: &str) -> DeTable<'_> {
    DeTable::parse_recoverable(mended).0.into_inner()
}

/// The text with blanks for everything that is no TOML, all else in its place. Each mistake is noted.
pub(super) fn mended<'a>(reader: &Reader<'_>, text: &'a str) -> Cow<'a, str> {
    let mut mended = Cow::Borrowed(text);
    for _ in 0..ROUNDS {
        let (_, errors) = DeTable::parse_recoverable(&mended);
        // What is there twice leaves the tables whole, and the first one stands.
        let (twice, broken): (Vec<Error>, Vec<Error>) =
            errors.into_iter().partition(|error| error.message().starts_with("duplicate key"));
        // Only the first can be believed: those after it may be its echoes.
        let Some(first) = broken.iter().min_by_key(|error| start(error)) else {
            for error in twice {
                let key = error.span().and_then(|span| mended.get(span)).unwrap_or("this");
                let message =
                    format!("`{key}` is set a second time; the first is further up, and one of the two must go");
                reader.slip(start(&error), Kind::Syntax, "", message);
            }
            return mended;
        };
        let at = start(first);
        let (blank, message) = damage(&mended, at, first.message());
        let place = if message.is_some() { blank.start } else { at };
        reader.slip(place, Kind::Syntax, "", message.unwrap_or_else(|| explained(first.message())));
        let blanks: String = mended[blank.clone()].bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
        mended.to_mut().replace_range(blank, &blanks);
    }
    reader.distrust();
    mended
}

fn start(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// Which lines a mistake spoils; and a message, where it is better told at the first of them than where the parser
/// stumbled.
fn damage(text: &str, at: usize, message: &str) -> (Range<usize>, Option<String>) {
    let mut line = line_at(text, at);
    while line.start > 0 && text[line.clone()].trim().is_empty() {
        line = line_at(text, line.start - 1);
    }
    let begins = Begin::of(&text[line.clone()]);
    let in_value = ["array element", "in array", "unclosed array", "inline table", "between key-value pairs"];
    let closes_above = begins != Begin::Nothing || line.end == text.trim_end().len();
    // A key, or a table's header, that is taken for a value.
    let taken = message.contains("must be quoted") && !text[line.start..at.clamp(line.start, line.end)].contains('=');
    if closes_above && (taken || in_value.iter().any(|word| message.contains(word))) && !message.contains("array table")
    {
        // A line that starts something of its own: what stands above it has not ended.
        let mut above = line.clone();
        while above.start > 0 {
            above = line_at(text, above.start - 1);
            if Begin::of(&text[above.clone()]) == Begin::Key && opens(&text[above.clone()]) {
                let end = if begins == Begin::Nothing { line.end } else { line.start };
                return (above.start..end, Some("the array or table that starts here is not closed".to_owned()));
            }
        }
    }
    let mut end = line.end;
    let more = begins == Begin::Header || (begins == Begin::Key && opens(&text[line.clone()]));
    while more && end < text.len() {
        let next = line_at(text, end + 1);
        let goes_on = match Begin::of(&text[next.clone()]) {
            // Without its header, a table's keys would be taken for those of the one above.
            Begin::Key => begins == Begin::Header,
            Begin::Header => false,
            Begin::Nothing => true,
        };
        if !goes_on {
            break;
        }
        end = next.end;
    }
    (line.start..end, None)
}

/// The line that a byte is on, without its line end.
fn line_at(text: &str, at: usize) -> Range<usize> {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |length| at + length);
    start..end
}

/// Whether a line opens an array or a table that it does not close.
fn opens(line: &str) -> bool {
    line.rsplit_once(['[', '{']).is_some_and(|(_, rest)| !rest.contains([']', '}']))
}

/// What a line looks like the beginning of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    Header,
    Key,
    Nothing,
}

impl Begin {
    fn of(line: &str) -> Self {
        let line = line.trim_start();
        let header = line.trim_start_matches('[').trim_start();
        if line.starts_with('[') && header.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return Self::Header;
        }
        match line.split_once('=') {
            Some((key, _)) if !key.trim().is_empty() && !key.contains(['{', '[', '(', ',', '#']) => Self::Key,
            Some(_) | None => Self::Nothing,
        }
    }
}

/// What the parser says, and where it is known what leads to it, a way out.
fn explained(message: &str) -> String {
    let message = message.trim().replace('\n', "; ").replace(", expected nothing", "");
    let knows = |word: &str| message.contains(word);
    if knows("escape") {
        "a backslash in double quotes starts an escape, and this is none; a regular expression is best written in single \
         quotes, where '\\d' stays what it is"
            .to_owned()
    } else if knows("recurse") {
        "nested too deeply".to_owned()
    } else if knows("values must be quoted") {
        "a string must stand in quotes, such as mode = \"paper\"".to_owned()
    } else if knows("no value") {
        format!("{message}; write `key = value`, or start a comment with '#'")
    } else {
        message
    }
}
