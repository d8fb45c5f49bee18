//! What a stopper says to whoever asked. Nobody has to listen: a command that was suspended reads nothing, and no bot lives
//! a moment longer for that.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use crate::act::procedure::StopWord;

/// So many words may wait to be heard. Beyond that, how far a stop has come is left out; what became of it never is.
const WAITING: usize = 64;

/// A thread that says what it is told to, as fast as somebody listens.
pub(super) struct Voice {
    words: Option<Sender<Vec<u8>>>,
    waiting: Arc<AtomicUsize>,
    speaks: Option<JoinHandle<()>>,
}

impl Voice {
    pub(super) fn new() -> Self {
        let (words, said) = channel::<Vec<u8>>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&waiting);
        let speaks = std::thread::Builder::new().spawn(move || {
            for text in said {
                write(&text);
                counted.fetch_sub(1, Ordering::Relaxed);
            }
        });
        match speaks {
            Ok(speaks) => Self { words: Some(words), waiting, speaks: Some(speaks) },
            // No room for a thread: it is said from where it comes up.
            Err(_) => Self { words: None, waiting, speaks: None },
        }
    }

    pub(super) fn say(&self, word: &StopWord) {
        let is_passing = match word {
            StopWord::Waiting { .. } | StopWord::Progress(_) | StopWord::Overall(_) => true,
            StopWord::Cluster(_) | StopWord::Bot(_) | StopWord::Over(_) => false,
        };
        if is_passing && self.waiting.load(Ordering::Relaxed) >= WAITING {
            return;
        }
        let Ok(mut text) = serde_json::to_vec(word) else { return };
        text.push(b'\n');
        match &self.words {
            Some(words) => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                // It listens for as long as there is somebody to speak to it.
                let _ = words.send(text);
            }
            None => write(&text),
        }
    }

    /// Waits until everything was said.
    pub(super) fn end(mut self) {
        drop(self.words.take());
        if let Some(speaks) = self.speaks.take() {
            let _ = speaks.join();
        }
    }
}

fn write(text: &[u8]) {
    let mut stdout = std::io::stdout();
    // Nobody there any more is no reason to stop.
    let _ = stdout.write_all(text).and_then(|()| stdout.flush());
}
