//! Hears what bots say over their FIFO.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::clock::Nanos;

const QUIT: &str = "quit";

/// What a bot said.
#[derive(Clone, Debug)]
pub enum Word {
    /// It executes.
    Up {
        /// Its name.
        bot: String,
        /// Its process.
        pid: i32,
        /// Since when.
        at: Nanos,
    },
    /// It has written so many lines, and writes no more.
    Wrote(u64),
    /// SIGTERM came to it.
    Told(Nanos),
    /// The command that cancels its orders began.
    Cancels(Nanos),
    /// That command has done it.
    Canceled(Nanos),
}

/// A FIFO, and a thread that reads it.
#[derive(Debug)]
pub struct Ears {
    fifo: File,
    words: Receiver<Word>,
    thread: Option<JoinHandle<()>>,
}

impl Ears {
    /// Makes the FIFO and listens.
    pub fn open(path: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).map_err(|errno| failed(errno.into()))?;
        // Open for both: no bot waits for a reader, and there is no end while no bot has it open.
        let fifo = OpenOptions::new().read(true).write(true).open(path).map_err(failed)?;
        let reader = BufReader::new(fifo.try_clone().map_err(failed)?);
        let (sender, words) = channel();
        let thread = Some(thread::spawn(move || listen(reader, &sender)));
        Ok(Self { fifo, words, thread })
    }

    /// The next word, if one comes in time.
    pub fn hear(&self, until: Instant) -> Option<Word> {
        self.words.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
    }

    /// What has been said and not been heard.
    pub fn pending(&self) -> impl Iterator<Item = Word> + '_ {
        std::iter::from_fn(|| self.words.recv_timeout(Duration::ZERO).ok())
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        let told = writeln!(self.fifo, "{QUIT}");
        if let (Ok(()), Some(thread)) = (told, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn listen(reader: BufReader<File>, words: &Sender<Word>) {
    for line in reader.lines().map_while(Result::ok).take_while(|line| line != QUIT) {
        if let Some(word) = read(&line)
            && words.send(word).is_err()
        {
            return;
        }
    }
}

fn read(line: &str) -> Option<Word> {
    let mut parts = line.split(' ');
    let word = parts.next()?;
    let bot = parts.next()?.to_owned();
    let pid = parts.next()?.parse().ok()?;
    let number = parts.next()?.parse().ok()?;
    match word {
        "up" => Some(Word::Up { bot, pid, at: number }),
        "wrote" => Some(Word::Wrote(number)),
        "told" => Some(Word::Told(number)),
        "cancels" => Some(Word::Cancels(number)),
        "canceled" => Some(Word::Canceled(number)),
        _ => None,
    }
}
