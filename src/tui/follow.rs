//! Follows the logs that the screen looks at, and tells it what is in them.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use crate::core::level::Level;
use crate::paths::Home;

use super::log_news::{Ends, HELD, Line, LogAsk, LogEvent, LogNews, SourceSeen, View};
use super::message::Msg;
use super::tail::{Tail, TailEvent};
use super::text;

/// Between looks at the logs.
const PACE: Duration = Duration::from_millis(100);

/// Follows one view after the other, until nobody wants any.
pub(super) fn follow(home: &Home, asked: &Receiver<LogAsk>, tell: &Sender<Msg>) {
    let mut view = View::default();
    let mut tail: Option<Tail> = None;
    let mut held = 0_usize;
    loop {
        match asked.recv_timeout(PACE) {
            Ok(LogAsk::Open(next)) => {
                tail = next.of.first().map(|whose| Tail::of(home.bot(&whose.bot).log_dir()));
                held = 0;
                view = next;
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let news = tail.as_mut().map(Tail::news).unwrap_or_default();
        for event in news {
            let what = match event {
                TailEvent::Lines(lines) => {
                    let lines: Vec<Line> = lines.iter().map(|line| shown(line)).collect();
                    held += lines.len();
                    let cut = held.saturating_sub(HELD);
                    held -= cut;
                    LogEvent::Back { lines, cut, ends: Ends { at_start: false, newer: 0 } }
                }
                TailEvent::Opened { run, quiet, .. } => LogEvent::Sources(vec![SourceSeen {
                    bot: view.of[0].bot.clone(),
                    file: None,
                    run: Some(run),
                    quiet: Some(quiet),
                    trouble: None,
                }]),
                _ => continue,
            };
            if tell.send(Msg::Log(LogNews { view: view.number, what })).is_err() {
                return;
            }
        }
    }
}

fn shown(line: &str) -> Line {
    let text = text::harmless(line);
    Line { level: Level::of(&text), text, ..Line::default() }
}
