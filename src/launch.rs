//! Starts our own binary in its hidden roles, keepers above all, and hears from each of those whether its bot came to
//! execute.
//!
//! A keeper is our own binary, reached through `/proc/self/exe`: the name of a binary that was replaced is gone, the
//! binary is not. It detaches itself; what it is to keep comes over its stdin, what became of it goes over its stdout.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::core::bot::BotSpec;
use crate::core::moment::Moment;
use crate::core::protocol::{KEEPER_NAME, KEEPER_ROLE};
use crate::core::record::ProcessId;
use crate::paths::{Home, words};
use crate::process::MARK;

/// What a keeper is told on its stdin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The desk.
    pub home: std::path::PathBuf,
    /// The bot.
    pub spec: BotSpec,
    /// Whether to start it or to take back a living one.
    pub begin: Begin,
    /// Who asked.
    pub by: String,
}

/// A search of the process table that found nothing of a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Searched {
    /// The id in `run.json` when it was made; absent if there was no record.
    pub run: Option<String>,
}

/// How a keeper begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// With a spawn.
    Start {
        /// The search for marked processes found nothing while this was the run on record. As long as it still is, nobody
        /// need search again.
        searched: Option<Searched>,
    },
    /// With a bot that lives already.
    Adopt {
        /// Processes that no keeper started. Where nothing else lives, the first of them is the main process from now on.
        strays: Vec<ProcessId>,
        /// Whoever launches it is about to ask for its end: only if that does not come is it to go by `down` alone.
        #[serde(default)]
        asked: bool,
    },
}

/// What a keeper says on its stdout, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// The bot executes.
    Executing {
        /// Its main process.
        pid: i32,
    },
    /// The bot is ready: the last word.
    Ready,
    /// It is not to be: the last word.
    Failed {
        /// A sentence's second half.
        why: String,
        /// Whether a keeper goes on trying.
        trying: bool,
    },
    /// Another keeper has the bot: the last word.
    Taken,
    /// There is nothing to take back: the last word.
    AtRest,
    /// The emergency stop is latched: the last word.
    Latched,
}

/// A keeper that has been launched and has not had its last word.
#[derive(Debug)]
pub struct Launched {
    words: BufReader<ChildStdout>,
    pid: Option<i32>,
}

/// What became of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Launch {
    /// Its last word; with the main process where one was named.
    Said(Word, Option<i32>),
    /// The time is over and it still tries.
    Waiting(Option<i32>),
    /// It fell silent without a last word.
    Died,
}

/// Launches a keeper.
///
/// # Errors
/// With a phrase, if it cannot be executed.
pub fn launch(home: &Home, spec: &BotSpec, begin: Begin, by: &str) -> Result<Launched, String> {
    let order = Order { home: home.root().to_owned(), spec: spec.clone(), begin, by: by.to_owned() };
    let mut child =
        ourselves(KEEPER_ROLE, spec.name.as_str(), &order).map_err(|why| format!("cannot start its keeper: {why}"))?;
    let stdout = child.stdout.take().ok_or("cannot hear its keeper")?;
    // The process that was started ends as soon as the keeper has detached itself from it.
    let _ = child.wait();
    Ok(Launched { words: BufReader::new(stdout), pid: None })
}

/// Starts our own binary in a hidden role, without the mark of a bot that may have called us. What it is told goes over
/// its stdin; what it says comes over its stdout.
///
/// # Errors
/// With a phrase, if it cannot be executed.
pub fn ourselves(role: &str, name: &str, order: &impl Serialize) -> Result<Child, String> {
    let text = serde_json::to_vec(order).map_err(|error| error.to_string())?;
    let mut command = Command::new("/proc/self/exe");
    command.arg0(KEEPER_NAME).args([role, name]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in MARK.iter().chain(&["BOTWARDEN_INSTANCE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| words(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that died before it had read everything has its last word on stdout, or none.
        let _ = stdin.write_all(&text);
    }
    Ok(child)
}

impl Launched {
    /// Waits for the keeper's last word.
    pub fn wait(&mut self, until: Moment) -> Launch {
        loop {
            if self.words.buffer().is_empty() && !self.has_more(until.since(clock::now())) {
                return Launch::Waiting(self.pid);
            }
            let mut line = String::new();
            match self.words.by_ref().take(1 << 20).read_line(&mut line) {
                Ok(0) | Err(_) => return Launch::Died,
                Ok(_) => {}
            }
            match serde_json::from_str(&line) {
                Ok(Word::Executing { pid }) => self.pid = Some(pid),
                Ok(word @ (Word::Ready | Word::Failed { .. } | Word::Taken | Word::AtRest | Word::Latched)) => {
                    return Launch::Said(word, self.pid);
                }
                Err(_) => return Launch::Died,
            }
        }
    }

    fn has_more(&self, time: Duration) -> bool {
        let mut fds = [PollFd::new(self.words.get_ref(), PollFlags::IN)];
        let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
        loop {
            match poll(&mut fds, Some(&time)) {
                Err(rustix::io::Errno::INTR) => {}
                result => return matches!(result, Ok(count) if count > 0),
            }
        }
    }
}
