//! Makes lines that can be shown of those that were read.

use std::sync::Arc;

use crate::logs::lane::{LONGEST, Raw};
use crate::logs::line::Stamps;

use super::ansi;
use super::log_news::Line;
use super::text;

/// Whose lines a log has.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    /// Which of the view's bots.
    pub(super) of: usize,
    /// The name of the log file, where it has to be told.
    pub(super) file: Option<Arc<str>>,
}

/// These lines, fit to be shown.
pub(super) fn shown(lines: Vec<Raw>, owners: &[Owner], stamps: &Stamps) -> Vec<Line> {
    lines.into_iter().map(|line| one(&line, owners.get(line.lane), stamps)).collect()
}

fn one(line: &Raw, owner: Option<&Owner>, stamps: &Stamps) -> Line {
    let (mut text, colors) = ansi::plain_and_colors(&String::from_utf8_lossy(&line.bytes));
    if line.size > LONGEST as u64 {
        text.push_str(" ... (");
        text.push_str(text::size(line.size).as_str());
        text.push_str(" in all)");
    }
    let stamp = if line.ours { 0 } else { stamps.front(text.as_bytes()).map_or(0, |(_, length)| length) };
    Line {
        of: owner.map_or(0, |owner| owner.of),
        file: owner.and_then(|owner| owner.file.clone()),
        at: line.at,
        stamp,
        level: line.level,
        belongs: line.belongs,
        ours: line.ours,
        text,
        colors,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn a_long_line_is_cut_with_a_note_of_its_size_and_its_time_is_told_from_its_text() {
        let stamps = Stamps::new(TimeZone::UTC);
        let size = 1 << 20;
        let long = Raw { bytes: vec![b'x'; LONGEST], size, ..Raw::default() };
        let colored = Raw { bytes: b"\x1b[32m2026-11-21 23:31:02\x1b[0m | INFO | \0".to_vec(), ..Raw::default() };
        let lines = shown(vec![long, colored], &[], &stamps);
        assert!(lines[0].text.ends_with("x ... (1M in all)"), "{}", &lines[0].text[LONGEST - 10..]);
        assert_eq!(lines[1].text, "2026-11-21 23:31:02 | INFO | ·");
        assert_eq!(&lines[1].text[lines[1].stamp..], "INFO | ·");
        assert_eq!(lines[1].colors.len(), 1);
    }
}
