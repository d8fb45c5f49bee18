//! Text from outside, made fit for cells: no control character, no escape sequence and nothing whose width terminals
//! disagree about gets through, and what is cut is cut between characters, by columns.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::core::words::span;

/// No line on the screen is wider than this; what is longer was not meant to be read here.
const LONGEST: usize = 4096;

/// Combining marks that may sit on one character; more is a prank on the line above.
const MARKS: usize = 2;

/// The text without anything that a terminal would obey, or that would break the alignment of columns.
pub fn harmless(text: &str) -> String {
    // Whatever is no line of a log has no bar of progress in it: nothing of it may hide behind another part.
    if text.contains('\r') { walk(&text.replace('\r', ""), LONGEST, |_| {}) } else { walk(text, LONGEST, |_| {}) }
}

/// What is told of a text while it is made harmless.
pub(super) enum Met<'a> {
    /// A sequence that sets colours: its parameters, and where in the new text it stands.
    Color(&'a str, usize),
    /// What there was is written over: the new text begins again.
    Anew,
}

/// The same, up to so many columns, telling of what it meets. Of a line that is written over (a bar of progress) only
/// what is seen last is left.
pub(super) fn walk(text: &str, longest: usize, mut met: impl FnMut(Met<'_>)) -> String {
    let mut out = String::with_capacity(text.len().min(longest));
    let mut column = 0;
    let mut marks = 0;
    let mut returned = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if column >= longest {
            // What is too long may be written over still.
            let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) else { break };
            returned = true;
            column = 0;
            rest = rest.get(at + 1..).unwrap_or_default();
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == '\x1b' {
            let (parameters, after) = escape(rest);
            if let Some(parameters) = parameters {
                met(Met::Color(parameters, out.len()));
            }
            rest = after;
            continue;
        }
        if c == '\r' {
            returned = true;
            continue;
        }
        if is_disputed(c) || c == '\n' {
            continue;
        }
        if std::mem::take(&mut returned) {
            met(Met::Anew);
            out.clear();
            (column, marks) = (0, 0);
        }
        match c {
            '\t' => {
                let stop = 8 - column % 8;
                out.extend(std::iter::repeat_n(' ', stop));
                column += stop;
            }
            // Halves of flags: one or two columns, nobody knows; their letters are as good.
            '\u{1f1e6}'..='\u{1f1ff}' => {
                out.push(char::from(b'A' + (u32::from(c) - 0x1f1e6) as u8));
                column += 1;
            }
            '\u{2028}' | '\u{2029}' => {
                out.push(' ');
                column += 1;
            }
            _ => match c.width() {
                None => {
                    out.push('·');
                    column += 1;
                    marks = 0;
                }
                Some(0) => {
                    if marks < MARKS && column > 0 {
                        out.push(c);
                        marks += 1;
                    }
                }
                Some(wide) => {
                    out.push(c);
                    column += wide;
                    marks = 0;
                }
            },
        }
    }
    out
}

/// Joiners, variation selectors, skin tones, direction marks, fillers and whatever else is not to be seen by itself:
/// terminals disagree about its width.
const fn is_disputed(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}')
}

/// What an escape sequence (ECMA-48) sets colours to, if it does, and what follows it: CSI goes to its final byte, strings
/// (OSC, DCS, ...) to their terminator, others are one character. A string that is never ended hides nothing.
fn escape(rest: &str) -> (Option<&str>, &str) {
    let mut chars = rest.chars();
    match chars.next() {
        Some('[') => {
            let rest = chars.as_str();
            let end = rest.find(|c| !matches!(c, ' '..='?')).unwrap_or(rest.len());
            let (parameters, after) = rest.split_at(end);
            match after.chars().next() {
                Some('m') => (Some(parameters), &after[1..]),
                Some('@'..='~') => (None, &after[1..]),
                Some(_) | None => (None, after),
            }
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let rest = chars.as_str();
            let end = rest.find(['\x07', '\u{9c}', '\x1b']).map(|end| rest.split_at(end).1);
            (
                None,
                end.and_then(|end| end.strip_prefix(['\x07', '\u{9c}']).or(end.strip_prefix("\x1b\\"))).unwrap_or(rest),
            )
        }
        Some(' '..='/') => {
            chars.next();
            (None, chars.as_str())
        }
        // It begins another one.
        Some('\x1b') | None => (None, rest),
        Some(_) => (None, chars.as_str()),
    }
}

/// Columns that the text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in rows of so many columns, broken between words. A longer word has a row of its own.
pub fn fold(text: &str, columns: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match rows.last_mut() {
            Some(row) if width(row) + 1 + width(word) <= columns => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) | None => rows.push(word.to_owned()),
        }
    }
    rows
}

/// The text, cut to so many columns; a cut one ends with `mark`.
pub fn cut(text: &str, columns: usize, mark: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > room {
            break;
        }
        used += wide;
        out.push(c);
    }
    if used + width(mark) <= columns {
        out.push_str(mark);
    }
    out
}

/// The text, cut to so many columns; a cut one has `mark` in its middle, since what ends alike often begins otherwise, and
/// what begins alike ends otherwise.
pub fn cut_middle(text: &str, columns: usize, mark: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(mark));
    let head = cut(text, room / 2, "");
    let mut tail = "";
    for (at, _) in text.char_indices().rev() {
        if width(&text[at..]) > room - width(&head) {
            break;
        }
        tail = &text[at..];
    }
    cut(&format!("{head}{mark}{tail}"), columns, "")
}

/// A name among others, cut to so many columns: at its end, or in its middle where another one would look the same.
pub fn cut_name<'a>(name: &str, others: impl IntoIterator<Item = &'a str>, columns: usize, mark: &str) -> String {
    let short = cut(name, columns, mark);
    if short == name {
        return short;
    }
    let is_alike = |other: &str| other != name && cut(other, columns, mark) == short;
    if others.into_iter().any(is_alike) { cut_middle(name, columns, mark) } else { short }
}

/// The text, cut or padded to exactly so many columns.
pub fn fit(text: &str, columns: usize, mark: &str) -> String {
    let mut out = cut(text, columns, mark);
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&out))));
    out
}

/// `1 bot`, `2 bots`.
pub fn plural(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// An age that ticks in steps, so that an idle screen has little to send: by seconds up to ten, then by tens.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ 0..10 => format!("{seconds}s"),
        seconds @ 10..60 => format!("{}s", seconds / 10 * 10),
        seconds => span(seconds),
    }
}

/// A size in at most five columns: `812K`, `98M`, `1.4G`.
pub fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    match bytes {
        0..0x10_0000 => format!("{}K", bytes.div_ceil(1 << 10)),
        0x10_0000..GIB => format!("{}M", bytes >> 20),
        _ if bytes < 100 * GIB => format!("{}.{}G", bytes / GIB, bytes % GIB * 10 / GIB),
        _ => format!("{}G", bytes / GIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_folded_between_words() {
        assert_eq!(fold("one two three", 7), ["one two", "three"]);
        assert_eq!(fold("a /very/long/path: gone", 8), ["a", "/very/long/path:", "gone"]);
        assert_eq!(fold("fits", 80), ["fits"]);
    }

    #[test]
    fn what_a_terminal_would_obey_does_not_get_through() {
        for (text, shown) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("a\x1b]0;title\x07b", "ab"),
            ("a\x1b]52;c;ZXZpbA==\x1b\\b", "ab"),
            ("a\x1bPq#0\x1b\\b", "ab"),
            ("a\x1b(0b", "ab"),
            ("a\x1bcb", "ab"),
            ("cut off \x1b[38;5;", "cut off "),
            ("a\x1b[2\x1b[Jb", "ab"),
            ("nul\0bel\x07c1\u{9b}31m", "nul·bel·c1·31m"),
            ("a\tb", "a       b"),
            ("right\u{202e}left", "rightleft"),
            ("👩\u{200d}👩\u{200d}👧", "👩👩👧"),
            ("🇩🇪 ☀\u{fe0f}", "DE ☀"),
            ("e\u{301}\u{301}\u{301}\u{301}!", "e\u{301}\u{301}!"),
            ("soft\u{ad}hyphen\u{3164}\u{34f}\u{180e}\u{fffa}\u{115f}", "softhyphen"),
            ("a\x1b]0;never ended ERROR", "a0;never ended ERROR"),
            ("a\x1bPnever \x1b[31mended", "anever ended"),
            ("a\x1b\x1b[31mb", "ab"),
            ("real\rfake", "realfake"),
        ] {
            assert_eq!(harmless(text), shown, "{text:?}");
        }
        assert!(width(&harmless(&"x".repeat(1 << 20))) <= LONGEST);
    }

    #[test]
    fn of_a_line_of_a_log_that_is_written_over_what_is_seen_last_is_left() {
        let seen = |text: &str| walk(text, LONGEST, |_| {});
        for (text, shown) in
            [("10%\r50%\r\x1b[32m100%\r", "100%"), ("100% done\r\x1b[0m\r", "100% done"), ("\ra\r\rb\r\n", "b")]
        {
            assert_eq!(seen(text), shown, "{text:?}");
        }
        assert_eq!(seen(&format!("{}\rend", "x".repeat(1 << 20))), "end");
    }

    #[test]
    fn text_is_cut_between_characters_and_padded_by_columns() {
        assert_eq!(fit("日本語", 4, "…"), "日… ");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("ab", 4, "…"), "ab  ");
        assert_eq!(cut("abcdef", 3, "~"), "ab~");
        assert_eq!(cut("abc", 0, "…"), "");
    }

    #[test]
    fn names_that_begin_alike_are_cut_in_the_middle() {
        let names = ["market-maker-btc-eur", "market-maker-eth-eur", "a-name-without-a-twin"];
        let cut = |name| cut_name(name, names, 14, "…");
        assert_eq!(names.map(cut), ["market…btc-eur", "market…eth-eur", "a-name-withou…"]);
        assert_eq!(cut_name("short", names, 14, "…"), "short");
        assert_eq!(cut_middle("日本語日本語", 6, "…"), "日…語");
        for columns in 0..9 {
            assert!(width(&cut_middle("日本語日本語", columns, "…")) <= columns);
        }
    }

    #[test]
    fn spans_and_sizes_keep_to_five_columns() {
        for (seconds, shown) in [(4, "4s"), (61, "1m"), (22_260, "6h11m"), (187_200, "2d04h"), (86_400 * 412, "412d")] {
            assert_eq!(span(seconds), shown);
        }
        for (bytes, shown) in [(0, "0K"), (4096, "4K"), (222_298_112, "212M"), (1_503_238_553, "1.3G")] {
            assert_eq!(size(bytes), shown);
        }
    }
}
