//! Reads the history for the screen: looks at the event files once a second while somebody looks, answers what is asked
//! for in between, and rests otherwise.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use crate::core::history::{Anchor, Shelf, Wanted};
use crate::history::{History, Query, Step, Whole};
use crate::paths::Home;

use super::history_news::{HistoryAsk, HistoryNews, Looked, WholeEntry};
use super::message::Msg;

/// Between two looks at the event files.
const PACE: Duration = Duration::from_secs(1);

/// Whoever listens has gone: the screen was left.
struct Left;

struct Watcher<'a> {
    history: History,
    tell: &'a Sender<Msg>,
    view: (u64, Shelf, Wanted),
    resting: bool,
    /// Whether there is more to be read at once.
    behind: bool,
    /// When the event files were last looked at.
    looked: Instant,
}

/// Answers until nobody asks any more. `keep`: whether the home may be written.
pub(super) fn watch(home: &Home, keep: bool, asked: &Receiver<HistoryAsk>, tell: &Sender<Msg>) {
    // There is room for an index in memory, or for nothing at all.
    let history = loop {
        match History::open(home, keep) {
            Ok(history) => break history,
            Err(why) => {
                let told = tell.send(Msg::History(HistoryNews::Trouble(why)));
                if told.is_err() || asked.recv_timeout(PACE) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        }
    };
    let mut watcher = Watcher {
        history,
        tell,
        view: (0, Shelf::Events, Wanted::default()),
        resting: true,
        behind: false,
        looked: Instant::now(),
    };
    while let Ok(ask) = next(asked, watcher.patience()) {
        let done = match ask {
            Some(ask) => watcher.answer(ask, asked),
            None => watcher.look(),
        };
        if done.is_err() {
            return;
        }
    }
}

/// What is asked next; nothing when it is time to look. Without patience to lose it waits for as long as it takes.
fn next(asked: &Receiver<HistoryAsk>, patience: Option<Duration>) -> Result<Option<HistoryAsk>, Left> {
    let Some(patience) = patience else {
        return asked.recv().map(Some).map_err(|_| Left);
    };
    match asked.recv_timeout(patience) {
        Ok(ask) => Ok(Some(ask)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(Left),
    }
}

impl Watcher<'_> {
    /// How long it is until the next look; for ever while nobody looks.
    fn patience(&self) -> Option<Duration> {
        match (self.resting, self.behind) {
            (true, _) => None,
            (false, true) => Some(Duration::ZERO),
            (false, false) => Some(PACE.saturating_sub(self.looked.elapsed())),
        }
    }

    fn say(&self, news: HistoryNews) -> Result<(), Left> {
        self.tell.send(Msg::History(news)).map_err(|_| Left)
    }

    /// Takes in what was added to the event files, a part of it at a time: whoever asks meanwhile is answered by what is
    /// there.
    fn look(&mut self) -> Result<(), Left> {
        self.behind = false;
        self.looked = Instant::now();
        match self.history.refresh() {
            Ok(step) => {
                self.behind = step.more;
                let looked = self.looked(step);
                self.say(HistoryNews::Looked(looked))
            }
            Err(why) => self.say(HistoryNews::Trouble(why)),
        }
    }

    fn looked(&mut self, step: Step) -> Looked {
        let percent = step.more.then(|| (step.read.saturating_mul(100) / step.of.max(1)).min(99) as u8);
        let note = step.trouble.clone().or_else(|| self.history.note().map(str::to_owned));
        Looked { changed: step.changed, percent, note, odd: step.odd, notices: self.history.take_notices() }
    }

    fn answer(&mut self, ask: HistoryAsk, asked: &Receiver<HistoryAsk>) -> Result<(), Left> {
        // What was asked of a view that somebody has left already is not worth a look.
        let mut asks = vec![ask];
        asks.extend(asked.try_iter());
        let last = asks.iter().rposition(|ask| matches!(ask, HistoryAsk::View { .. }));
        for (number, ask) in asks.into_iter().enumerate() {
            let is_past = last.is_some_and(|last| number < last);
            match ask {
                HistoryAsk::View { .. } | HistoryAsk::Rows { .. } if is_past => {}
                HistoryAsk::View { number, shelf, filter } => self.view = (number, shelf, Wanted::new(&filter)),
                HistoryAsk::Rows { view, from, count } if view == self.view.0 => self.rows(from, count)?,
                HistoryAsk::Rows { .. } => {}
                HistoryAsk::Open { shelf, place } => {
                    let news = match self.history.whole(shelf, place) {
                        Ok(whole) => HistoryNews::Whole(place, Box::new(entry(whole))),
                        Err(why) => HistoryNews::Trouble(why),
                    };
                    self.say(news)?;
                }
                HistoryAsk::GoOn(go_on) => {
                    let was = std::mem::replace(&mut self.resting, !go_on);
                    if was && go_on {
                        self.look()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn rows(&mut self, from: Anchor, count: usize) -> Result<(), Left> {
        let (view, shelf, wanted) = self.view.clone();
        match self.history.page(&Query { shelf, wanted, from, count }) {
            Ok(page) => {
                let (rows, before, total) = (page.rows, page.before, page.total);
                self.say(HistoryNews::Rows { view, from, rows, before, total })
            }
            Err(why) => self.say(HistoryNews::Trouble(why)),
        }
    }
}

fn entry(whole: Whole) -> WholeEntry {
    match whole {
        Whole::Gone => WholeEntry::Gone,
        Whole::Event(event) => WholeEntry::Event(event.file, event.event),
        Whole::Run { run, bot, events } => WholeEntry::Run(run, bot, events),
        Whole::Report(report) => {
            let event = (report.event.file, report.event.event);
            let (all, trouble) = match report.all {
                Some(Ok(all)) => (Some(all), None),
                Some(Err(why)) => (None, Some(why)),
                None => (None, None),
            };
            let (bots, clusters) = match &all {
                Some(all) => (all.bots.clone(), all.clusters.clone()),
                None => (report.bot.map(|bot| *bot).into_iter().collect(), Vec::new()),
            };
            WholeEntry::Report { event, bots, clusters, all, trouble }
        }
    }
}
