//! When a bot ran, and when it started, crashed and was stopped, as one row of cells: in each cell stands the worst that
//! happened in it. What nobody has seen is a question mark, never a guess.
//!
//! ```text
//!   .....x~r......x~r..x#                    s.........
//!   24h                   12h                       now
//! ```

use std::time::Duration;

use jiff::Timestamp;

use crate::core::event::{Event, Kind};

use super::text;

/// No more of the past is shown.
const LONGEST: Duration = Duration::from_hours(24);

/// What a cell says: the later, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// It did not run.
    Off,
    /// It ran, and nothing happened.
    Ran,
    /// Nobody knows.
    Unknown,
    /// It ended because somebody wanted that, or by itself with success.
    Stopped,
    /// It was started.
    Started,
    /// A keeper took it over.
    Adopted,
    /// It was started again.
    Restarted,
    /// It failed, and was to be tried again.
    Backoff,
    /// It ended by itself, and not well.
    Crashed,
    /// The breaker opened.
    Failed,
    /// Something of it lived at the end of its ladder.
    Survived,
}

impl Cell {
    /// Every one that stands for something that happened, with its word.
    const EVENTS: [(Self, &'static str); 8] = [
        (Self::Started, "start"),
        (Self::Restarted, "restart"),
        (Self::Crashed, "crash"),
        (Self::Backoff, "backoff"),
        (Self::Failed, "breaker opened"),
        (Self::Stopped, "stop"),
        (Self::Adopted, "adopted"),
        (Self::Survived, "survived its ladder"),
    ];

    /// Its sign: no two are the same.
    pub const fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Off, _) => " ",
            (Self::Ran, true) => ".",
            (Self::Ran, false) => "·",
            (Self::Unknown, _) => "?",
            (Self::Stopped, true) => "-",
            (Self::Stopped, false) => "◦",
            (Self::Started, _) => "s",
            (Self::Adopted, _) => "A",
            (Self::Restarted, _) => "r",
            (Self::Backoff, true) => "~",
            (Self::Backoff, false) => "↻",
            (Self::Crashed, true) => "x",
            (Self::Crashed, false) => "✗",
            (Self::Failed, true) => "#",
            (Self::Failed, false) => "⊘",
            (Self::Survived, _) => "!",
        }
    }
}

/// What happened to a bot, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// When, and what.
    marks: Vec<(Timestamp, Cell)>,
    /// From when on it ran, or did not; nothing is known before the first.
    spans: Vec<(Timestamp, Cell)>,
    /// From when to when it is shown.
    from: Timestamp,
    to: Timestamp,
}

impl Timeline {
    /// What these events tell, oldest first, up to now. `alive`: whether it was seen alive just now, if anybody looked.
    pub fn of(events: &[Event], now: Timestamp, alive: Option<bool>) -> Self {
        let oldest = events.first().map_or(now, |event| event.at);
        let day_ago = now.checked_sub(LONGEST).unwrap_or(oldest);
        let mut line = Self { from: oldest.max(day_ago).min(now), to: now, ..Self::default() };
        let (mut again, mut asked) = (false, false);
        for event in events {
            let is = |kind: Kind| event.kind == kind.word();
            let (mark, after) = if is(Kind::Started) {
                let mark = if std::mem::take(&mut again) { Cell::Restarted } else { Cell::Started };
                asked = false;
                (Some(mark), Some(Cell::Ran))
            } else if is(Kind::Adopted) {
                (Some(Cell::Adopted), Some(Cell::Ran))
            } else if is(Kind::Stopping) {
                asked = true;
                again = event.text.contains("restarted");
                (None, Some(Cell::Ran))
            } else if is(Kind::Exited) {
                let well = asked || code(event) == Some(0);
                (Some(if well { Cell::Stopped } else { Cell::Crashed }), Some(Cell::Off))
            } else if is(Kind::Backoff) {
                again = true;
                (Some(Cell::Backoff), Some(Cell::Off))
            } else if is(Kind::Failed) {
                again = false;
                (Some(Cell::Failed), Some(Cell::Off))
            } else if is(Kind::Stopped) {
                again = false;
                (asked.then_some(Cell::Stopped), Some(Cell::Off))
            } else if is(Kind::Survived) {
                (Some(Cell::Survived), Some(Cell::Ran))
            } else if is(Kind::Ready) || is(Kind::Climbed) {
                (None, Some(Cell::Ran))
            } else {
                (None, None)
            };
            line.marks.extend(mark.map(|mark| (event.at, mark)));
            if let Some(after) = after {
                if line.spans.is_empty() && !matches!(mark, Some(Cell::Started | Cell::Restarted)) {
                    // It must have run before what ended it.
                    let before = if mark == Some(Cell::Adopted) { Cell::Unknown } else { Cell::Ran };
                    line.spans.push((oldest, before));
                }
                line.spans.push((event.at, after));
            }
        }
        let last = line.spans.last().copied();
        // Between the last word and now something may have happened that nobody wrote down.
        let believed = match (last, alive) {
            (Some((_, Cell::Ran)), Some(true)) | (Some((_, Cell::Off)), Some(false)) => true,
            (None, Some(false)) => true,
            (Some(_) | None, _) => false,
        };
        if !believed {
            let since = last.map_or(line.from, |(at, _)| at);
            let since = since.checked_add(Duration::from_nanos(1)).unwrap_or(since);
            line.spans.push((since, Cell::Unknown));
        }
        line.marks.retain(|(at, _)| *at >= line.from);
        line
    }

    /// How much of the past is shown.
    pub fn length(&self) -> Duration {
        Duration::try_from(self.to.duration_since(self.from)).unwrap_or_default()
    }

    /// The row, of so many cells.
    pub fn cells(&self, width: usize) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(width);
        let length = self.length().as_nanos().max(1);
        let border = |number: usize| {
            let nanos = length * number as u128 / width.max(1) as u128;
            let after = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            self.from.checked_add(after).unwrap_or(self.to)
        };
        for number in 0..width {
            let (start, end) = (border(number), border(number + 1));
            let last = number + 1 == width;
            let within = |at: Timestamp| at >= start && (at < end || last);
            let marked = self.marks.iter().filter(|(at, _)| within(*at)).map(|(_, mark)| *mark).max();
            // What holds at its end: what changed within it has a sign of its own, or is not known.
            let held = || {
                let before = self.spans.iter().take_while(|(at, _)| *at < end || last).last();
                before.map_or(Cell::Off, |(_, held)| *held)
            };
            cells.push(marked.unwrap_or_else(held));
        }
        cells
    }

    /// The line below: how long ago the left end and the middle were.
    pub fn scale(&self, width: usize) -> String {
        let length = self.length().as_secs();
        let (left, middle, right) = (ago(length), ago(length / 2), "now");
        let centre = (width / 2).saturating_sub(middle.len() / 2);
        let mut scale = left;
        if centre > scale.len() + 1 && centre + middle.len() + 1 + right.len() < width {
            scale = format!("{scale:centre$}{middle}");
        }
        let end = width.saturating_sub(right.len());
        if scale.len() < end { format!("{scale:end$}{right}") } else { scale }
    }

    /// How often what happened; nothing where nothing did.
    pub fn sums(&self, ascii: bool) -> Vec<String> {
        let count = |cell: Cell| self.marks.iter().filter(|(_, mark)| *mark == cell).count();
        let told = Cell::EVENTS.into_iter().map(|(cell, word)| (cell, count(cell), word));
        told.filter(|(_, count, _)| *count > 0)
            .map(|(cell, count, word)| format!("{} {word} {count}", cell.sign(ascii)))
            .collect()
    }
}

/// The starts and ends among these events, newest first.
pub fn starts_and_ends(events: &[Event]) -> impl Iterator<Item = &Event> {
    let told = [Kind::Started, Kind::Adopted, Kind::Exited, Kind::Failed, Kind::Survived].map(Kind::word);
    events.iter().rev().filter(move |event| told.contains(&event.kind.as_str()))
}

/// `24h`, `40m`, `3h12m`.
pub fn ago(seconds: u64) -> String {
    if seconds >= 3600 && seconds.is_multiple_of(3600) { format!("{}h", seconds / 3600) } else { text::span(seconds) }
}

fn code(event: &Event) -> Option<i64> {
    event.more.get("exit")?.get("code")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + minutes * 60).expect("a time")
    }

    fn event(minutes: i64, kind: Kind, text: &str, code: i64) -> Event {
        let more = serde_json::json!({ "exit": { "code": code } });
        let more = more.as_object().expect("an object").clone();
        Event { at: at(minutes), bot: None, kind: kind.word().into(), text: text.into(), more }
    }

    fn row(line: &Timeline, width: usize) -> String {
        line.cells(width).into_iter().map(|cell| cell.sign(true)).collect()
    }

    #[test]
    fn in_every_cell_stands_the_worst_that_happened_in_it() {
        let events = [
            event(0, Kind::Started, "", 0),
            event(3, Kind::Exited, "", 1),
            event(4, Kind::Backoff, "", 0),
            event(5, Kind::Started, "", 0),
            event(10, Kind::Exited, "", 1),
            event(11, Kind::Failed, "", 1),
            event(20, Kind::Asked, "", 0),
            event(25, Kind::Started, "", 0),
            event(30, Kind::Stopping, "is being restarted for ana", 0),
            event(31, Kind::Exited, "", 0),
            event(32, Kind::Started, "", 0),
            event(36, Kind::Stopping, "is being stopped", 0),
            event(37, Kind::Exited, "", 143),
            event(37, Kind::Stopped, "", 0),
        ];
        let line = Timeline::of(&events, at(40), Some(false));
        assert_eq!(row(&line, 40), "s..x~r....x#             s.....-r....-  ");
        assert_eq!(row(&line, 8), "xr#  sr-", "of what happened in five minutes the worst");
        assert_eq!(row(&line, 1), "#");
        assert_eq!(line.scale(40), "40m                20m               now");
        assert_eq!(
            line.sums(true),
            ["s start 2", "r restart 2", "x crash 2", "~ backoff 1", "# breaker opened 1", "- stop 3"]
        );
    }

    #[test]
    fn what_nobody_has_seen_is_no_guess() {
        let started = [event(0, Kind::Started, "", 0)];
        let row_of = |events: &[Event], alive| row(&Timeline::of(events, at(4), alive), 4);
        assert_eq!(row_of(&started, Some(true)), "s...");
        assert_eq!(row_of(&started, Some(false)), "s???", "it ended, and nobody wrote down when");
        assert_eq!(row_of(&started, None), "s???");
        assert_eq!(row_of(&[event(0, Kind::Asked, "", 0), event(2, Kind::Exited, "", 1)], Some(false)), "..x ");
        assert_eq!(row_of(&[event(0, Kind::Asked, "", 0), event(2, Kind::Adopted, "", 0)], Some(true)), "??A.");
        assert_eq!(row_of(&[event(0, Kind::Asked, "", 0)], Some(false)), "    ");
        assert_eq!(row_of(&[event(0, Kind::Asked, "", 0)], Some(true)), "????");
        assert_eq!(row_of(&[], Some(false)), "    ");
        assert_eq!(row(&Timeline::of(&started, at(0), Some(true)), 0), "");
    }

    #[test]
    fn no_more_than_a_day_is_shown_and_what_was_before_still_holds() {
        let events = [event(-3000, Kind::Started, "", 0), event(1400, Kind::Exited, "", 1)];
        let line = Timeline::of(&events, at(1440), Some(false));
        assert_eq!(line.length(), LONGEST);
        assert_eq!(row(&line, 24), ".......................x");
        assert_eq!(line.scale(30), "24h           12h          now");
        assert_eq!(line.scale(5), "24h", "where there is no room, how long ago it began");
    }

    #[test]
    fn no_two_signs_are_the_same() {
        for ascii in [true, false] {
            let mut cells = vec![Cell::Off, Cell::Ran, Cell::Unknown];
            cells.extend(Cell::EVENTS.map(|(cell, _)| cell));
            let mut signs: Vec<&str> = cells.iter().map(|cell| cell.sign(ascii)).collect();
            assert!(signs.iter().all(|sign| text::width(sign) == 1 && (!ascii || sign.is_ascii())));
            signs.sort_unstable();
            signs.dedup();
            assert_eq!(signs.len(), cells.len());
        }
    }
}
