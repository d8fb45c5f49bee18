//! A ladder that is climbed without a keeper: where none can be had (a read-only home, no room for a process), what
//! lives is ended from here, as a keeper would.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use serde_json::{Map, json};

use crate::clock;
use crate::core::bot::BotName;
use crate::core::event::Kind;
use crate::core::exit::Exit;
use crate::core::lifecycle::{Outcome, Reach};
use crate::core::moment::Moment;
use crate::core::protocol::SeenProcess;
use crate::core::record::{Ended, Ending, ProcessId, RunRecord};
use crate::core::signal::Signal;
use crate::core::stop::Input;
use crate::journal;
use crate::paths::BotHome;
use crate::process::Held;
use crate::record::{self, Sync};
use crate::tree::Tree;

/// How often it is looked whether anything lives that nobody tells us of.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What is being ended without a keeper.
pub(super) struct Alone {
    bot: BotHome,
    name: BotName,
    record: Option<RunRecord>,
    /// What its signals are remembered under, so that nobody is told twice whoever comes next.
    run: String,
    main: Option<Held>,
    tree: Tree,
}

impl Alone {
    /// What this record names, and these strays.
    pub(super) fn new(bot: &BotHome, name: &BotName, record: Option<&RunRecord>, strays: &[ProcessId]) -> Self {
        let lives = record.filter(|record| record.ended.is_none()).cloned();
        let known = record.cloned().unwrap_or_else(|| RunRecord::unknown(name.clone(), clock::wall()));
        let main = known.process.as_ref().and_then(Held::open);
        let stray = strays.first().filter(|_| lives.is_none());
        let run = stray.map_or_else(|| known.run.clone(), journal::run_of_stray);
        let mut tree = Tree::adopted(&known, bot.bot_lock(), &[]);
        tree.join(strays);
        // A keeper that is gone or does not answer, or another stop, may have begun.
        tree.was_told(&journal::signals_told(&bot.events(), &run));
        Self { bot: bot.clone(), name: name.clone(), record: lives, run, main, tree }
    }

    /// Sends a signal to whom it is for; comes back with what went wrong.
    pub(super) fn send(&mut self, signal: Signal, reach: Reach) -> Vec<String> {
        if signal != Signal::KILL {
            let mut more = Map::new();
            more.insert("run".into(), json!(self.run));
            more.insert("signal".into(), json!(signal));
            let text = format!("is being ended without a keeper: {signal}");
            // Where it cannot be written (a read-only home), a second stop at the same time may tell once more.
            let _ = journal::append(&self.bot.events(), &journal::event(Some(&self.name), Kind::Stopping, text, more));
        }
        self.tree.send(signal, reach)
    }

    /// Waits until nothing lives, or until then.
    pub(super) fn wait(&mut self, until: Option<Moment>) -> Input {
        loop {
            if self.tree.is_empty() {
                return Input::Emptied;
            }
            let now = clock::now();
            if until.is_some_and(|until| until <= now) {
                return Input::Tick;
            }
            if self.tree.hunts() {
                let _ = self.tree.send(Signal::KILL, Reach::All);
                continue;
            }
            let time = until.map_or(LOOK_AGAIN, |until| until.since(now).min(LOOK_AGAIN));
            let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
            let mut fds: Vec<PollFd<'_>> =
                self.tree.watched().map(|held| PollFd::from_borrowed_fd(held.fd(), PollFlags::IN)).collect();
            let _ = poll(&mut fds, Some(&time));
        }
    }

    /// What became of it all; if everything ended, the run record says so as far as it can be written.
    pub(super) fn leave(self, ended: bool) -> (Vec<SeenProcess>, Option<Exit>) {
        let exit = self.main.as_ref().filter(|main| main.has_ended()).map(Held::exit);
        if let Some(mut record) = self.record.filter(|_| ended) {
            let exit = exit.clone().unwrap_or(Exit::Unknown);
            record.ended = Some(Ended { at: clock::wall(), outcome: Ending::Final(Outcome::Stopped), exit });
            let _ = record::write(&self.bot, &record, Sync::Now);
        }
        (self.tree.seen(), exit)
    }
}
