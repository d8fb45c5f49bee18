//! Follows the logs that the screen looks at, and tells it what is in them; `log_reader` does the reading.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::logs::read::{Watch, Woken};
use crate::paths::Home;

use super::log_news::{LogAsk, LogNews};
use super::log_reader::LogReader;
use super::message::Msg;
use super::text::plural;

/// Logs are not looked at more often than this, however often they change.
const PACE: Duration = Duration::from_millis(15);
/// Between two rounds of whoever watches for changes, so that a flood does not keep it busy.
const BREATH: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(1);

/// What whoever reads is woken by.
enum Word {
    Ask(LogAsk),
    /// Something was written.
    Changed,
    /// Nobody wants any more.
    Gone,
}

/// Follows one view after the other, until nobody wants any.
pub(super) fn follow(home: &Home, asked: Receiver<LogAsk>, tell: &Sender<Msg>) {
    let (words, heard) = channel();
    let relay = words.clone();
    // One ear for everything: whoever asks, and whoever sees something change.
    let relayed = thread::Builder::new().name("log-asks".to_owned()).spawn(move || {
        while let Ok(ask) = asked.recv() {
            if relay.send(Word::Ask(ask)).is_err() {
                return;
            }
        }
        let _ = relay.send(Word::Gone);
    });
    if relayed.is_err() {
        // Our end of the channel is gone: another of us is made when there is room for threads again.
        return;
    }
    let changed = Arc::new(AtomicBool::new(false));
    let mut reader: Option<LogReader> = None;
    let mut watched: Option<Watched> = None;
    let mut looked = Instant::now();
    let mut dirty = false;
    loop {
        let mut word = match &reader {
            Some(reader) if reader.is_busy() => heard.try_recv().map_err(|error| error == TryRecvError::Disconnected),
            Some(reader) => {
                let pace = if dirty { PACE } else { reader.pace() };
                let wait = pace.saturating_sub(looked.elapsed());
                heard.recv_timeout(wait).map_err(|error| error == RecvTimeoutError::Disconnected)
            }
            None => heard.recv().map_err(|_| true),
        };
        let mut news = Vec::new();
        // Whatever was asked is heard before any of it is done: what a later word makes void costs nothing.
        loop {
            match word {
                Ok(Word::Ask(LogAsk::Open(view))) => {
                    reader = Some(LogReader::new(home.clone(), view));
                    watched = None;
                    news.clear();
                }
                Ok(Word::Ask(LogAsk::Save(path))) => {
                    if let Some(reader) = &reader {
                        save(reader, path, tell);
                    }
                }
                Ok(Word::Ask(ask)) => {
                    if let Some(reader) = &mut reader {
                        reader.hear(ask, &mut news);
                    }
                }
                Ok(Word::Changed) => {
                    changed.store(false, Ordering::Release);
                    dirty = true;
                }
                Ok(Word::Gone) | Err(true) => return,
                Err(false) => break,
            }
            word = heard.try_recv().map_err(|error| error == TryRecvError::Disconnected);
        }
        let Some(reader) = &mut reader else { continue };
        let since = looked.elapsed();
        if since >= reader.pace() || (dirty && since >= PACE) {
            reader.look(&mut news);
            looked = Instant::now();
            dirty = false;
        }
        if reader.is_busy() {
            reader.work(&mut news);
        }
        for what in news {
            if tell.send(Msg::Log(LogNews { view: reader.number(), what })).is_err() {
                return;
            }
        }
        let folders = reader.folders().len();
        if watched.as_ref().is_none_or(|watched| watched.folders != folders) {
            watched = Some(Watched::new(reader, &words, &changed));
        }
    }
}

/// Writes all that is shown into a file, on a thread of its own: a log is longer than anybody waits.
fn save(reader: &LogReader, path: PathBuf, tell: &Sender<Msg>) {
    let (work, told) = (reader.saving(path), tell.clone());
    let began = thread::Builder::new().name("log-save".to_owned()).spawn(move || {
        let saved = work().map(|(path, lines)| format!("saved {} to {}", plural(lines, "line"), path.display()));
        // Nobody listens any more once the screen was left.
        let _ = told.send(Msg::Saved(saved.map_err(|why| format!("not saved: {why}"))));
    });
    if let Err(error) = began {
        let _ = tell.send(Msg::Saved(Err(format!("not saved: no thread for it: {error}"))));
    }
}

/// Somebody watches for changes, for as long as this is kept.
struct Watched {
    folders: usize,
    _end: Option<std::io::PipeReader>,
}

impl Watched {
    /// Without a thread or a pipe for it, looks now and then have to do.
    fn new(reader: &LogReader, words: &Sender<Word>, changed: &Arc<AtomicBool>) -> Self {
        let mut folders = reader.folders();
        let count = folders.len();
        folders.sort();
        folders.dedup();
        let Ok((ours, theirs)) = std::io::pipe() else { return Self { folders: count, _end: None } };
        let (words, changed) = (words.clone(), Arc::clone(changed));
        let began = thread::Builder::new().name("log-watch".to_owned()).spawn(move || {
            let mut watch = Watch::new(folders);
            loop {
                match watch.wait(LONG, Some(theirs.as_fd())) {
                    Ok(Woken::Changed) => {
                        if !changed.swap(true, Ordering::AcqRel) && words.send(Word::Changed).is_err() {
                            return;
                        }
                        thread::sleep(BREATH);
                    }
                    Ok(Woken::Timeout) => {}
                    Ok(Woken::HungUp) | Err(_) => return,
                }
            }
        });
        Self { folders: count, _end: began.is_ok().then_some(ours) }
    }
}

#[cfg(test)]
mod tests;
