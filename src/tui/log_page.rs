//! What is derived of the logs for one screen: which columns stand in front of a line, how a line is cut or folded into
//! rows, and which rows are on the screen.
//!
//! ```text
//!  11-21 14:31:58.120 grid-btc  W bot.log | ws ping rtt 812ms (limit
//!  |                  |         | |           500ms)
//!  stamp              name      | file, where it must be told from the output
//!                               level, where lines stand without those around them
//! ```

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthChar;

use crate::core::level::Level;
use crate::core::ui::Stamps;

use super::layout;
use super::log_news::Line;
use super::logbook::Logbook;
use super::model::Model;
use super::text;

/// The names of bots take so many columns at most.
const NAME: usize = 16;

/// Rows of a line after its first stand so much further in.
const INDENT: usize = 2;

/// What stands in front of a line never leaves less than this for it, where the screen has it.
const LEAST_TEXT: usize = 20;

/// How lines are shown on one screen.
#[derive(Clone, Debug)]
pub struct Face {
    /// Columns of all that is shown of a line.
    columns: usize,
    wrap: bool,
    sideways: usize,
    stamps: Stamps,
    zone: TimeZone,
    now: Timestamp,
    /// Whether some line is of another day than today.
    dated: bool,
    /// Columns of times, of names and of levels; nothing where none are shown.
    stamp: usize,
    /// Columns of names.
    pub name: usize,
    level: usize,
    /// Columns of the sign for text that was cut.
    more: usize,
}

/// What of a line's text stands in one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Which bytes.
    pub bytes: Range<usize>,
    /// Blank columns before them.
    pub indent: usize,
    /// Whether text to the left of them was cut off.
    pub before: bool,
    /// Whether text to the right of them was.
    pub after: bool,
}

/// A row of the screen.
#[derive(Clone, Debug)]
pub struct Row<'m> {
    /// The number of the line.
    pub number: u64,
    /// The line.
    pub line: &'m Line,
    /// Whether it is the first row of it.
    pub is_first: bool,
    /// Whether it is the last one.
    pub is_last: bool,
    /// What of its text stands here.
    pub part: Part,
}

impl Face {
    /// How lines are shown in so many columns.
    pub fn of(model: &Model, columns: usize) -> Self {
        let log = &model.log;
        let zone = model.fixed.zone();
        let now = model.now.wall;
        let zone = if model.stamps == Stamps::Utc { TimeZone::UTC } else { zone };
        let timed = model.stamps != Stamps::Off && log.lines().any(|line| own_time(line).is_some());
        let clock = timed && model.stamps != Stamps::Relative;
        let dated = clock && !all_of_today(log, &zone, now);
        let stamp = match (timed, clock, dated) {
            (false, _, _) => 0,
            (true, false, _) => 5,
            (true, true, false) => 12,
            (true, true, true) => 18,
        };
        let several = log.view.of.len() > 1;
        let longest = log.view.of.iter().map(|whose| text::width(whose.bot.as_str())).max().unwrap_or(0);
        let level = usize::from(several || log.view.least.is_some());
        let taken = stamp + usize::from(stamp > 0) + level * 2 + 1;
        let room = columns.saturating_sub(taken + LEAST_TEXT).max(4);
        let name = if several { longest.min(NAME).min(room) } else { 0 };
        let more = text::width(model.signs().more);
        let (wrap, sideways) = (model.wrap, if model.wrap { 0 } else { log.sideways });
        Self { columns, wrap, sideways, stamps: model.stamps, zone, now, dated, stamp, name, level, more }
    }

    /// How lines are shown in the pane of logs on the model's own screen, and how many rows it has.
    pub fn own(model: &Model) -> (Self, usize) {
        let (columns, rows) = layout::logs_page(model);
        (Self::of(model, columns), rows)
    }

    /// Columns in front of the file and the text of a line.
    pub const fn lead(&self) -> usize {
        self.stamp + (self.stamp > 0) as usize + self.name + (self.name > 0) as usize + self.level * 2
    }

    /// Columns for text.
    pub fn room(&self) -> usize {
        self.columns.saturating_sub(self.lead()).max(1)
    }

    /// Whether times are shown, and not how long ago they were.
    pub fn zone_word(&self) -> Option<String> {
        let clock = self.stamp > 0 && self.stamps != Stamps::Relative;
        clock.then(|| self.zone.to_offset_info(self.now).abbreviation().to_owned())
    }

    /// What stands in the column of times before this line, with the blank that sets it off.
    pub fn stamp(&self, line: &Line) -> String {
        if self.stamp == 0 {
            return String::new();
        }
        let shown = own_time(line).map_or_else(String::new, |at| match self.stamps {
            Stamps::Relative => self.now.duration_since(at).try_into().map_or_else(|_| "ahead".to_owned(), text::age),
            Stamps::Local | Stamps::Utc | Stamps::Off => {
                let format = if self.dated && !self.is_today(at) { "%m-%d %H:%M:%S%.3f" } else { "%H:%M:%S%.3f" };
                at.to_zoned(self.zone.clone()).strftime(format).to_string()
            }
        });
        format!("{shown:>width$} ", width = self.stamp)
    }

    fn is_today(&self, at: Timestamp) -> bool {
        at.to_zoned(self.zone.clone()).date() == self.now.to_zoned(self.zone.clone()).date()
    }

    /// The letter of this line's level, with the blank that sets it off; nothing where none is shown. Lines that name
    /// their level themselves need none.
    pub fn level(&self, line: &Line) -> &'static str {
        let names_it = || !line.belongs && Level::of(&line.text) == line.level;
        match (self.level, line.level) {
            (0, _) => "",
            (_, _) if line.ours || names_it() => "  ",
            (_, None) => "  ",
            (_, Some(Level::Debug)) => "D ",
            (_, Some(Level::Info)) => "I ",
            (_, Some(Level::Warning)) => "W ",
            (_, Some(Level::Error)) => "E ",
        }
    }

    /// The file that this line is from, where that must be told.
    pub fn file(&self, line: &Line) -> String {
        line.file.as_ref().map_or_else(String::new, |file| format!("{} | ", text::cut(file, NAME, "~")))
    }

    /// The bytes of its own time, which stand in a column of their own.
    fn start(&self, line: &Line) -> usize {
        if self.stamp > 0 && own_time(line).is_some() { boundary(&line.text, line.stamp) } else { 0 }
    }

    /// How many rows a line takes.
    pub fn tall(&self, line: &Line) -> usize {
        // A byte is a column at least, but for marks: most lines need no folding to know.
        if !self.wrap || line.text.len() + self.file(line).len() <= self.room() { 1 } else { self.parts(line).len() }
    }

    /// By how many columns lines are to be shifted so that a match in this one is seen; nothing where one is, or where
    /// nothing is cut.
    pub fn sideways_to(&self, log: &Logbook, number: u64) -> Option<usize> {
        let (line, pattern) = (log.line(number)?, log.search()?.pattern.as_ref()?);
        let part = self.parts(line).into_iter().next().filter(|_| !self.wrap)?;
        let start = self.start(line);
        let mut matches = pattern.find_iter(&line.text).map(|hit| hit.range()).filter(|hit| hit.end > start).peekable();
        let first = matches.peek().cloned()?;
        if matches.any(|hit| part.bytes.start <= hit.start.max(start) && hit.end <= part.bytes.end) {
            return None;
        }
        let columns = |to: usize| text::width(line.text.get(start..to).unwrap_or_default());
        let room = self.room().saturating_sub(text::width(&self.file(line))).max(1);
        if columns(first.end) + self.more <= room {
            return Some(0);
        }
        Some(columns(first.start.max(start)).saturating_sub((room / 3).max(self.more)))
    }

    /// The rows of a line, one at least.
    pub fn parts(&self, line: &Line) -> Vec<Part> {
        let start = self.start(line);
        let text = line.text.get(start..).unwrap_or_default();
        let first = self.room().saturating_sub(text::width(&self.file(line))).max(1);
        let moved = |part: Part| Part { bytes: part.bytes.start + start..part.bytes.end + start, ..part };
        if self.wrap {
            let rest = self.room().saturating_sub(INDENT).max(1);
            let indent = self.room() - rest;
            let part = |(at, bytes): (usize, Range<usize>)| {
                moved(Part { bytes, indent: if at == 0 { 0 } else { indent }, ..Part::default() })
            };
            return folded(text, first, rest).into_iter().enumerate().map(part).collect();
        }
        vec![moved(cut_out(text, self.sideways, first, self.more))]
    }
}

/// The rows on the screen.
pub fn rows<'m>(log: &'m Logbook, face: &Face, rows: usize) -> Vec<Row<'m>> {
    let mut page = Vec::with_capacity(rows);
    let top = log.top(rows, |line| face.tall(line));
    for (number, line) in log.from(top.line) {
        let parts = face.parts(line);
        let last = parts.len() - 1;
        let skipped = if number == top.line { top.row } else { 0 };
        for (at, part) in parts.into_iter().enumerate().skip(skipped) {
            if page.len() == rows {
                return page;
            }
            page.push(Row { number, line, is_first: at == 0, is_last: at == last, part });
        }
    }
    page
}

/// Lines below the last row of a page, as far as they are held; one that ends below it is one of them.
pub fn below(log: &Logbook, page: &[Row<'_>]) -> u64 {
    page.last().map_or(0, |row| log.end() - row.number - u64::from(row.is_last))
}

/// When a line says that it was written; a line that belongs to another says nothing of that.
fn own_time(line: &Line) -> Option<Timestamp> {
    line.at.filter(|_| !line.belongs)
}

/// Whether no line is of another day.
fn all_of_today(log: &Logbook, zone: &TimeZone, now: Timestamp) -> bool {
    let today = now.to_zoned(zone.clone());
    let day =
        || Some((today.start_of_day().ok()?.timestamp(), today.tomorrow().ok()?.start_of_day().ok()?.timestamp()));
    day().is_some_and(|(from, to)| log.lines().filter_map(own_time).all(|at| from <= at && at < to))
}

/// The first place from here on where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// Which bytes stand in which row: so many columns in the first, so many in the others. A wide character is never halved,
/// and marks stay with what they are on.
fn folded(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let (mut start, mut used, mut room) = (0, 0, first);
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if used > 0 && used + wide > room {
            rows.push(start..at);
            (start, used, room) = (at, 0, rest);
        }
        used += wide;
    }
    rows.push(start..text.len());
    rows
}

/// What of a text is seen in so many columns, after so many that are passed over; what is cut on either side leaves room
/// for a sign that says so.
fn cut_out(text: &str, skip: usize, columns: usize, sign: usize) -> Part {
    let before = skip > 0 && !text.is_empty();
    let from = if before { skip + sign } else { 0 };
    let to = (skip + columns).max(from);
    let mut part = Part { before, ..Part::default() };
    let (mut column, mut begun, mut kept) = (0, false, (0, 0));
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if column + wide > to {
            part.after = true;
            break;
        }
        // A mark on what was passed over is passed over with it.
        if !begun && column >= from && (wide > 0 || before == (column > from)) {
            begun = true;
            part.indent = column - from;
            part.bytes = at..at;
            kept = (at, column);
        }
        column += wide;
        if begun {
            part.bytes.end = at + c.len_utf8();
            if column + sign <= to {
                kept = (part.bytes.end, column);
            }
        }
    }
    if part.after && begun {
        part.bytes.end = kept.0;
    } else if !begun {
        // It ends further to the left, or what is there is too wide.
        part.bytes = text.len()..text.len();
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, skip: usize, columns: usize) -> String {
        let part = cut_out(text, skip, columns, 1);
        let sign = |cut: bool| if cut { "~" } else { "" };
        format!("{}{}{}{}", sign(part.before), " ".repeat(part.indent), &text[part.bytes], sign(part.after))
    }

    #[test]
    fn a_line_is_cut_on_both_sides_and_says_so() {
        for (text, skip, columns, seen) in [
            ("abcdef", 0, 6, "abcdef"),
            ("abcdef", 0, 4, "abc~"),
            ("abcdef", 2, 3, "~d~"),
            ("abcdef", 2, 4, "~def"),
            ("abcdef", 9, 4, "~"),
            ("", 9, 4, ""),
            ("日本語", 0, 5, "日本~"),
            ("日本語", 0, 4, "日~"),
            ("日本語x", 2, 5, "~ 語x"),
            ("e\u{301}e\u{301}e\u{301}", 0, 2, "e\u{301}~"),
            ("e\u{301}e\u{301}e\u{301}", 1, 2, "~e\u{301}"),
            ("日", 0, 1, "~"),
        ] {
            assert_eq!(shown(text, skip, columns), seen, "{text} {skip} {columns}");
        }
    }

    #[test]
    fn a_line_is_folded_by_columns_and_nothing_is_lost() {
        let rows = |text: &str, first, rest| {
            folded(text, first, rest).into_iter().map(|bytes| text[bytes].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(rows("abcdefgh", 4, 3), ["abcd", "efg", "h"]);
        assert_eq!(rows("日本語x", 3, 4), ["日", "本語", "x"]);
        assert_eq!(rows("", 3, 4), [""]);
        assert_eq!(rows("日本", 1, 1), ["日", "本"]);
        assert_eq!(rows("abe\u{301}\u{301}c", 3, 3), ["abe\u{301}\u{301}", "c"]);
    }
}
