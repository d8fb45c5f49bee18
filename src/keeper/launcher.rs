//! What a keeper says to whoever launched it, until there is nothing more to wait for.

use std::io::Write;

use crate::launch::Word;
use crate::sys;

/// The way back to whoever launched this keeper, until the last word is said.
#[derive(Debug)]
pub(super) struct Launcher {
    open: bool,
}

impl Launcher {
    /// Somebody waits.
    pub(super) fn new() -> Self {
        Self { open: true }
    }

    /// Says something; the last word closes the way.
    pub(super) fn say(&mut self, word: &Word) {
        if !self.open {
            return;
        }
        let mut text = serde_json::to_vec(word).unwrap_or_default();
        text.push(b'\n');
        let mut stdout = std::io::stdout();
        // Nobody there any more is no reason to stop.
        let _ = stdout.write_all(&text).and_then(|()| stdout.flush());
        match word {
            Word::Executing { .. } => {}
            Word::Ready | Word::Failed { .. } | Word::Taken | Word::AtRest | Word::Latched => {
                self.open = false;
                let _ = sys::close_standard_streams();
            }
        }
    }

    /// Whether somebody still waits for the last word.
    pub(super) fn waits(&self) -> bool {
        self.open
    }
}
