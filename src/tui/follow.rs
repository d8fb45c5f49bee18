//! Follows whatever one bot writes, its output and a log file of its own, and tells the screen.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::core::bot::BotName;
use crate::core::status::RecordSeen;
use crate::core::words::NOT_OURS;
use crate::logs::line::Stamps;
use crate::paths::Home;
use crate::record;

use super::file_tail::FileTail;
use super::message::{LogEvent, LogNews, Msg};
use super::tail::Tail;

/// Between looks at the logs, and how many of them there are between looks at the record.
const PACE: Duration = Duration::from_millis(100);
const RECORD: u32 = 10;

/// A bot, and the log file that the configuration gives it.
pub(super) type Wanted = (BotName, Option<PathBuf>);

/// Follows one bot after the other, until nobody wants any.
pub(super) fn follow(home: &Home, wanted: &Receiver<Wanted>, tell: &Sender<Msg>) {
    let stamps = Stamps::new(TimeZone::system());
    let Ok((mut name, mut file)) = wanted.recv() else { return };
    loop {
        let bot = home.bot(&name);
        let mut tail = Tail::of(bot.log_dir());
        let mut own: Option<FileTail> = None;
        let mut said: Option<LogEvent> = None;
        let mut looks = 0;
        (name, file) = loop {
            if looks % RECORD == 0
                && let RecordSeen::Read(record) = record::read(&bot)
            {
                file = file.or(record.log_file);
                // What its earlier runs have written is not what this one writes.
                tail.only_after(record.stray.then_some(record.run));
            }
            looks += 1;
            if own.is_none() {
                own = file.clone().map(FileTail::of);
            }
            let mut output = tail.news();
            let file_news = own.as_mut().map(FileTail::news).unwrap_or_default();
            if tail.is_elsewhere() {
                output.retain(|event| !matches!(event, LogEvent::Missing(_)));
                if own.is_none() {
                    output.push(LogEvent::Missing(NOT_OURS.into()));
                }
            }
            for what in together(output, file_news, &stamps) {
                // A folder that stays empty is worth saying once.
                let again = matches!(what, LogEvent::Missing(_)) && said.as_ref() == Some(&what);
                said = Some(what.clone());
                if !again && tell.send(Msg::Log(LogNews { bot: name.clone(), what })).is_err() {
                    return;
                }
            }
            match wanted.recv_timeout(PACE) {
                // Only the last wish counts: somebody is running through the list.
                Ok(next) => break wanted.try_iter().last().unwrap_or(next),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        };
    }
}

/// The news of both, their last lines in the order of their times. A line without a time stays with the one before it.
fn together(mut output: Vec<LogEvent>, mut file: Vec<LogEvent>, stamps: &Stamps) -> Vec<LogEvent> {
    let (Some(LogEvent::Lines(_)), Some(LogEvent::FileLines(_))) = (output.last(), file.last()) else {
        output.extend(file);
        return output;
    };
    let last = |events: &mut Vec<LogEvent>| match events.pop() {
        Some(LogEvent::Lines(lines) | LogEvent::FileLines(lines)) => lines,
        Some(_) | None => Vec::new(),
    };
    let mut first = last(&mut output).into_iter().peekable();
    let mut second = last(&mut file).into_iter().peekable();
    output.extend(file);
    let (mut first_at, mut second_at) = (None, None);
    let time =
        |line: Option<&String>, before: Option<Timestamp>| line.and_then(|line| stamps.of(line.as_bytes())).or(before);
    loop {
        first_at = time(first.peek(), first_at);
        second_at = time(second.peek(), second_at);
        let of_first = first.peek().is_some() && (second.peek().is_none() || first_at <= second_at);
        let line = if of_first { first.next() } else { second.next() };
        let Some(line) = line else { return output };
        match (output.last_mut(), of_first) {
            (Some(LogEvent::Lines(lines)), true) | (Some(LogEvent::FileLines(lines)), false) => lines.push(line),
            (_, true) => output.push(LogEvent::Lines(vec![line])),
            (_, false) => output.push(LogEvent::FileLines(vec![line])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_come_in_the_order_of_their_times() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let stamps = Stamps::new(TimeZone::UTC);
        let output = vec![LogEvent::Lines(lines("2026-01-01 00:00:01 a\n  more of a\n2026-01-01 00:00:03 c"))];
        let file = vec![LogEvent::FileLines(lines("2026-01-01 00:00:02 b\n2026-01-01 00:00:04 d"))];
        let mut shown = Vec::new();
        for event in together(output.clone(), file, &stamps) {
            let (mark, lines) = match &event {
                LogEvent::FileLines(lines) => ("file ", lines),
                LogEvent::Lines(lines) => ("", lines),
                LogEvent::Opened { .. }
                | LogEvent::Skipped(_)
                | LogEvent::Missing(_)
                | LogEvent::FileOpened { .. }
                | LogEvent::FileMissing { .. } => panic!("{event:?}"),
            };
            shown.extend(lines.iter().map(|line| format!("{mark}{}", line.replace("2026-01-01 00:00:", ""))));
        }
        assert_eq!(shown, ["01 a", "  more of a", "file 02 b", "03 c", "file 04 d"]);
        assert_eq!(together(output.clone(), Vec::new(), &stamps), output);
    }
}
