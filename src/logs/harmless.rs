//! Makes what a bot wrote harmless for a terminal: a log must not move the cursor, set the title, or answer for the
//! keyboard.

use std::fmt::Write;

/// The text with nothing in it that a terminal would obey. Colours are dropped; other control characters can be seen
/// (`^[`, `^M`, `<202e>`); tabs stay; bytes that are no text become U+FFFD. To be given one line, without its end.
pub fn harmless(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    if line.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        // Nearly every line.
        out.extend(line.iter().copied().map(char::from));
        return out;
    }
    for chunk in line.utf8_chunks() {
        push(chunk.valid(), &mut out);
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
    out
}

fn push(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(is_harmful) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = colour(rest) {
            rest = after;
            continue;
        }
        let mut chars = rest.chars();
        match chars.next() {
            // Writing to a string cannot fail.
            Some(c @ '\0'..='\u{1f}') => out.extend(['^', char::from(c as u8 ^ 0x40)]),
            Some('\u{7f}') => out.push_str("^?"),
            Some(c) => {
                let _ = write!(out, "<{:02x}>", u32::from(c));
            }
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
}

/// Control characters, those that turn the direction of text or break its line, and those that nobody sees and to which
/// terminals give a column or none. Emoji need their joiners and selectors.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}')
        || matches!(c, '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What follows a sequence that only sets colours or weight (`ESC [ 1 ; 31 m`).
fn colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':')))?;
    parameters[end..].strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_a_terminal_obeys() {
        for (bytes, shown) in [
            (&b"plain text"[..], "plain text"),
            (b"tab\tstays", "tab\tstays"),
            (b"\x1b[1;31mred\x1b[0m, \x1b[38:5:1mtoo\x1b[m", "red, too"),
            (b"\x1b[2J\x1b[Hgone", "^[[2J^[[Hgone"),
            (b"\x1b]0;title\x07", "^[]0;title^G"),
            (b"\x1b[31", "^[[31"),
            (b"10%\r20%", "10%^M20%"),
            (b"nul\0del\x7f", "nul^@del^?"),
            (b"bad \xff\xfe utf", "bad \u{fffd}\u{fffd} utf"),
            ("c1 \u{9b}31m".as_bytes(), "c1 <9b>31m"),
            ("\u{202e}txt.exe".as_bytes(), "<202e>txt.exe"),
            ("soft\u{ad}hyphen".as_bytes(), "soft<ad>hyphen"),
            ("grün 値 🙂".as_bytes(), "grün 値 🙂"),
        ] {
            assert_eq!(harmless(bytes), shown);
        }
    }

    #[test]
    fn no_mixture_gets_through() {
        let mut dice = fastrand::Rng::with_seed(7);
        for _ in 0..2000 {
            let bytes: Vec<u8> = (0..40)
                .map(|_| *dice.choice(b"\x1b\x1b[[]m;31JH\x07\r\0\x9b\xc2\xe2\x80\xae\x1cab\t").expect("one"))
                .collect();
            assert!(!harmless(&bytes).contains(is_harmful), "{bytes:?}");
        }
    }
}
