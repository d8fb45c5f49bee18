//! A line of a log as its bot coloured it: harmless text, and beside it which bytes of it have which colours.
//!
//! Sequences that set colours and weight (SGR) are understood; every other one is passed over, as
//! `text::harmless` does. Colours end with their line: a bot that dies in red does not colour what others say.

use std::ops::Range;

use ratatui::style::{Color, Modifier, Style};

use super::text::{self, Met};

/// No line is longer in columns; what is longer was not meant to be read here.
const LONGEST: usize = 64 << 10;

/// The text without anything that a terminal would obey, and its colours.
pub(super) fn plain_and_colors(line: &str) -> (String, Vec<(Range<usize>, Style)>) {
    if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        // Nearly every line.
        return (line.to_owned(), Vec::new());
    }
    let mut colors: Vec<(Range<usize>, Style)> = Vec::new();
    let (mut style, mut since) = (Style::new(), 0);
    let text = text::walk(line, LONGEST, |met| match met {
        Met::Color(parameters, at) => {
            let next = set(style, parameters);
            if next != style {
                push(&mut colors, since..at, style);
                (style, since) = (next, at);
            }
        }
        Met::Anew => {
            colors.clear();
            since = 0;
        }
    });
    push(&mut colors, since..text.len(), style);
    (text, colors)
}

fn push(colors: &mut Vec<(Range<usize>, Style)>, range: Range<usize>, style: Style) {
    if !range.is_empty() && style != Style::new() {
        colors.push((range, style));
    }
}

/// The style after these parameters (`1;31`, `38;5;208`, `38:2::255:0:0`).
fn set(mut style: Style, parameters: &str) -> Style {
    if parameters.bytes().any(|byte| !(byte.is_ascii_digit() || matches!(byte, b';' | b':'))) {
        // Somebody's own (`ESC [ > 4 m`).
        return style;
    }
    let mut numbers = parameters.split(';').map(|parameter| {
        let mut parts = parameter.split(':').map(|number| number.parse::<u16>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.collect::<Vec<u16>>())
    });
    while let Some((number, parts)) = numbers.next() {
        style = match number {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 if parts.first() == Some(&0) => without(style, Modifier::UNDERLINED),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            9 => style.add_modifier(Modifier::CROSSED_OUT),
            21 => style.add_modifier(Modifier::UNDERLINED),
            22 => without(style, Modifier::BOLD | Modifier::DIM),
            23 => without(style, Modifier::ITALIC),
            24 => without(style, Modifier::UNDERLINED),
            27 => without(style, Modifier::REVERSED),
            29 => without(style, Modifier::CROSSED_OUT),
            30..=37 | 90..=97 => style.fg(named(number % 10, number >= 90)),
            40..=47 | 100..=107 => style.bg(named(number % 10, number >= 100)),
            38 | 48 | 58 => {
                let color = if parts.is_empty() {
                    many(&mut numbers.by_ref().map(|(number, _)| number))
                } else {
                    // `38:2::R:G:B` names a space of colours, which may be left out with its colon.
                    let skip = usize::from(parts.first() == Some(&2) && parts.len() > 4);
                    many(&mut parts.iter().enumerate().filter(|(at, _)| skip == 0 || *at != 1).map(|(_, part)| *part))
                };
                match (number, color) {
                    (38, Some(color)) => style.fg(color),
                    (48, Some(color)) => style.bg(color),
                    _ => style,
                }
            }
            39 => Style { fg: None, ..style },
            49 => Style { bg: None, ..style },
            _ => style,
        };
    }
    style
}

fn without(style: Style, modifier: Modifier) -> Style {
    Style { add_modifier: style.add_modifier - modifier, ..style }
}

/// One of 256 colours (`5;N`), or one by its parts (`2;R;G;B`).
fn many(numbers: &mut dyn Iterator<Item = u16>) -> Option<Color> {
    let byte = |numbers: &mut dyn Iterator<Item = u16>| u8::try_from(numbers.next()?).ok();
    match numbers.next()? {
        5 => Some(match byte(numbers)? {
            number @ 0..8 => named(u16::from(number), false),
            number @ 8..16 => named(u16::from(number - 8), true),
            number => Color::Indexed(number),
        }),
        2 => Some(Color::Rgb(byte(numbers)?, byte(numbers)?, byte(numbers)?)),
        _ => None,
    }
}

const fn named(number: u16, bright: bool) -> Color {
    match (number, bright) {
        (0, false) => Color::Black,
        (1, false) => Color::Red,
        (2, false) => Color::Green,
        (3, false) => Color::Yellow,
        (4, false) => Color::Blue,
        (5, false) => Color::Magenta,
        (6, false) => Color::Cyan,
        (_, false) => Color::Gray,
        (0, true) => Color::DarkGray,
        (1, true) => Color::LightRed,
        (2, true) => Color::LightGreen,
        (3, true) => Color::LightYellow,
        (4, true) => Color::LightBlue,
        (5, true) => Color::LightMagenta,
        (6, true) => Color::LightCyan,
        (_, true) => Color::White,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_kept_beside_the_text_and_end_with_it() {
        let red = Style::new().fg(Color::Red);
        for (line, text, colors) in [
            ("plain", "plain", vec![]),
            ("a\x1b[31mred\x1b[0mb", "aredb", vec![(1..4, red)]),
            ("\x1b[1;31mx\x1b[22my", "xy", vec![(0..1, red.add_modifier(Modifier::BOLD)), (1..2, red)]),
            ("\x1b[31m10%\r\x1b[1mx\x1b[my", "xy", vec![(0..1, red.add_modifier(Modifier::BOLD))]),
            ("\x1b[32mgreen\x1b[31m\rred", "red", vec![(0..3, red)]),
            ("\x1b[31m日本\x1b[m!", "日本!", vec![(0..6, red)]),
            ("\x1b[31m\tx", "        x", vec![(0..9, red)]),
            ("\x1b[38;5;208mx", "x", vec![(0..1, Style::new().fg(Color::Indexed(208)))]),
            ("\x1b[48;5;9mx", "x", vec![(0..1, Style::new().bg(Color::LightRed))]),
            ("\x1b[38;2;1;2;3mx", "x", vec![(0..1, Style::new().fg(Color::Rgb(1, 2, 3)))]),
            ("\x1b[38:2::1:2:3mx", "x", vec![(0..1, Style::new().fg(Color::Rgb(1, 2, 3)))]),
            ("\x1b[38:2:1:2:3mx", "x", vec![(0..1, Style::new().fg(Color::Rgb(1, 2, 3)))]),
            ("\x1b[38;5m\x1b[31mx", "x", vec![(0..1, red)]),
            ("\x1b[38;5;999mx", "x", vec![]),
            ("\x1b[58;5;1;31mx", "x", vec![(0..1, red)]),
            ("\x1b[93;104mx", "x", vec![(0..1, Style::new().fg(Color::LightYellow).bg(Color::LightBlue))]),
            ("\x1b[31;7mx\x1b[27;39my", "xy", vec![(0..1, red.add_modifier(Modifier::REVERSED))]),
            ("\x1b[4:3mx\x1b[4:0my", "xy", vec![(0..1, Style::new().add_modifier(Modifier::UNDERLINED))]),
            ("\x1b[>4mx\x1b[31", "x", vec![]),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link", vec![]),
            ("\x1b]52;c;ZXZpbA==\x07a\x1b[2Jb\x1bPq\x1b\\\u{9b}31mc", "ab·31mc", vec![]),
            ("", "", vec![]),
        ] {
            assert_eq!(plain_and_colors(line), (text.to_owned(), colors), "{line:?}");
        }
    }

    #[test]
    fn the_text_is_the_harmless_one_and_colours_stand_between_its_characters() {
        let mut dice = fastrand::Rng::with_seed(9);
        let pieces = [
            "\x1b[",
            "31",
            "m",
            ";",
            "38:2",
            "a",
            "日",
            "\u{301}",
            "\t",
            "\x1b",
            "]0;",
            "\x07",
            "👩\u{200d}",
            "\0",
            "\u{202e}",
        ];
        for _ in 0..20_000 {
            let line: String = (0..dice.usize(0..20)).map(|_| *dice.choice(&pieces).expect("one")).collect();
            let (text, colors) = plain_and_colors(&line);
            assert_eq!(text, text::harmless(&line));
            let mut end = 0;
            for (range, _) in colors {
                assert!(range.start >= end && range.start < range.end, "{line:?}");
                assert!(text.get(range.clone()).is_some(), "{line:?}");
                end = range.end;
            }
        }
    }
}
