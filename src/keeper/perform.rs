//! Carries out what the lifecycle wants done.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::cgroup::Group;
use crate::clock;
use crate::core::event::Kind;
use crate::core::exit::Exit;
use crate::core::lifecycle::{Effect, Happening, Input, Outcome, Reach, Refusal};
use crate::core::protocol::Told;
use crate::core::record::{Ended, Ending, RunRecord};
use crate::core::signal::Signal;
use crate::journal;
use crate::launch::Word;
use crate::paths::words;
use crate::process;
use crate::sys::{self, Execution};

use super::desk::{self, Obstacle, Prepared};
use super::loops::Keeper;
use super::story::{self, Story, in_words, refusal};
use super::tend;
use super::trouble::Topic;
use crate::tree::Tree;

/// What a bot says of itself is cut to this many characters.
const LONGEST_CLAIM: usize = 200;

/// In less than this nobody starts a bot by hand, and a search would cost more than the wait.
const TIME_FOR_OTHERS: Duration = Duration::from_millis(500);

impl Keeper {
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Spawn => self.prepare(),
                Effect::Signal(signal, reach) => self.signal(signal, reach),
                Effect::Tell(happening) => self.happened(&happening),
            }
        }
    }

    fn prepare(&mut self) {
        // Before the record of the next run takes the place of the one that names it.
        let group = self.parts.tree.take_group();
        self.sweep(group);
        let parts = &self.parts;
        let failures = parts.life.failures();
        parts.desk.take_on(desk::Job::Prepare(Box::new(desk::Request {
            home: parts.home.clone(),
            spec: parts.spec.clone(),
            keeper: process::identify(std::process::id() as i32),
            notify: parts.notify.as_ref().map(|notify| notify.address().to_owned()),
            restarts: parts.life.restarts(),
            failures,
            look_for_strays: failures > 0 && parts.spec.backoff.wait(failures) >= TIME_FOR_OTHERS,
        })));
    }

    /// The paperwork is done: execute the bot, or say why not.
    pub(super) fn spawn(&mut self, prepared: Result<Box<Prepared>, Obstacle>) {
        let prepared = match prepared {
            Ok(prepared) => *prepared,
            Err(Obstacle::Refused(why)) => return self.feed(Input::Refused(why)),
            Err(Obstacle::Impossible(why)) => {
                // A run that never was has a record all the same: what it says is why.
                let mut record = RunRecord::new(&self.parts.spec, desk::new_run(clock::wall()), clock::wall());
                record.keeper = process::identify(std::process::id() as i32);
                self.record = Some(record);
                return self.feed(Input::SpawnFailed(why));
            }
        };
        let Prepared { record, log, lock, env, identity, group } = prepared;
        let folder = group.as_ref().and_then(|group| group.open().ok());
        let result = sys::spawn(&Execution {
            command: &self.parts.spec.command,
            cwd: self.parts.spec.cwd.clone(),
            env,
            env_remove: &["BOTWARDEN_INSTANCE", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"],
            identity,
            output: &log,
            lock: &lock,
            group: folder.as_ref(),
        });
        drop(folder);
        // Our copy goes: from now on the lock lives as long as the bot does.
        drop(lock);
        self.record = Some(record);
        self.heartbeat = None;
        self.says = None;
        self.told = Told::default();
        match result {
            Ok(pid) => {
                self.before = std::mem::replace(&mut self.parts.tree, Tree::spawned(pid, group)).seen();
                // Before anything that waits for a disk: what was latched since the last look must not run.
                let again = desk::Job::LookAgain(self.parts.home.clone(), self.parts.bot.clone(), self.parts.spec.mode);
                self.parts.desk.take_on(again);
                if let Some(record) = &mut self.record {
                    record.process = process::identify(pid);
                }
                self.write_record();
                self.feed(Input::Spawned);
                self.tend(true);
            }
            Err(error) => {
                self.sweep(group);
                let why = self.why_not(&error);
                self.feed(Input::SpawnFailed(why));
            }
        }
    }

    /// Why it could not be executed, in words that say what to look at.
    fn why_not(&self, error: &std::io::Error) -> String {
        let spec = &self.parts.spec;
        let program = spec.command.first().map_or("", String::as_str);
        if !spec.cwd.is_dir() {
            return format!("its folder {} is not there", spec.cwd.display());
        }
        if rustix::fs::access(&spec.cwd, rustix::fs::Access::EXEC_OK).is_err() {
            return format!("its folder {} may not be entered", spec.cwd.display());
        }
        let path = spec.cwd.join(program);
        match error.raw_os_error() {
            Some(libc::ENOENT) if program.contains('/') && path.exists() => {
                format!("{program}: the interpreter that its first line names is not there")
            }
            Some(libc::ENOENT) if program.contains('/') => format!("{program}: no such file"),
            Some(libc::ENOENT) => format!("{program}: no such program in PATH"),
            Some(libc::EACCES) if path.is_dir() => format!("{program}: is a folder"),
            Some(libc::EACCES) => format!("{program}: permission denied (is it executable?)"),
            Some(libc::ENOEXEC) => {
                format!("{program}: is neither a program nor a script with a first line like #!/bin/sh")
            }
            Some(_) | None => format!("{program}: {}", words(error)),
        }
    }

    pub(super) fn signal(&mut self, signal: Signal, reach: Reach) {
        for error in self.parts.tree.send(signal, reach) {
            self.warn(Topic::Signals, &error);
        }
        self.changed = true;
    }

    fn happened(&mut self, happening: &Happening) {
        self.changed = true;
        let run = self.record.as_ref().map(|record| record.run.clone()).unwrap_or_default();
        let pid = self.parts.tree.main();
        if let Some(story) = story::story(happening, &run, pid, self.asked_by.as_deref()) {
            self.tell(story);
        }
        match happening {
            Happening::Started => {
                let pid = pid.unwrap_or_default();
                self.launcher.say(&Word::Executing { pid });
            }
            Happening::Ready => {
                if self.parts.spec.ready != crate::core::bot::Ready::Executing {
                    self.tell(Story::new(Kind::Ready, "ready").with("run", json!(run)));
                }
                self.launcher.say(&Word::Ready);
            }
            Happening::Exited { exit, lasted, .. } => {
                if let Exit::NotStarted(_) = exit {
                    self.last_exit = Some((exit.clone(), clock::now()));
                }
                if self.launcher.waits() {
                    self.failed_at_once = Some(match exit {
                        Exit::NotStarted(why) => why.clone(),
                        Exit::Code(_) | Exit::Signal(_) | Exit::Unknown => {
                            format!("{exit} after {}", in_words(*lasted))
                        }
                    });
                }
            }
            Happening::Stopping { .. } | Happening::Climbed { .. } | Happening::Survived => {}
            Happening::BackingOff { wait, .. } => {
                self.asked_by = None;
                self.end_record(Ending::Restarting);
                if !wait.is_zero() {
                    // Else the record of the next run takes its place at once, and two in a row wait for the disk.
                    self.write_record();
                }
                let group = self.parts.tree.take_group();
                self.sweep(group);
                let why = self.failed_at_once.take().unwrap_or_default();
                self.launcher
                    .say(&Word::Failed { why: format!("{why}; next try in {}", in_words(*wait)), trying: true });
            }
            Happening::Over { outcome, .. } => {
                if !matches!(outcome, Outcome::Refused(_)) || self.parts.tree.main().is_none() {
                    self.end_record(Ending::Final(outcome.clone()));
                    self.write_record();
                }
                let word = self.last_word(outcome);
                self.launcher.say(&word);
            }
        }
    }

    fn last_word(&mut self, outcome: &Outcome) -> Word {
        let why = match outcome {
            Outcome::Refused(Refusal::Latched) => return Word::Latched,
            Outcome::Refused(why) => refusal(why),
            Outcome::Stopped => {
                self.failed_at_once.take().unwrap_or_else(|| "it was stopped while it was starting".to_owned())
            }
            Outcome::Exited | Outcome::Crashed | Outcome::Failed => self.failed_at_once.take().unwrap_or_default(),
        };
        Word::Failed { why, trying: false }
    }

    fn end_record(&mut self, outcome: Ending) {
        let seen = self.last_exit.as_ref().map(|(exit, _)| exit.clone());
        // A start that is refused has seen no end: how the run on record ended stays as it was written down.
        let known = self.record.as_ref().and_then(|record| record.ended.as_ref()).map(|ended| ended.exit.clone());
        let exit = seen.or(known).unwrap_or(Exit::Unknown);
        let failures = self.parts.life.failures();
        if let Some(record) = &mut self.record {
            record.failures = failures;
            record.ended = Some(Ended { at: clock::wall(), outcome, exit });
        }
    }

    /// Removes the control group of a run that is over, if there is one: where somebody is in it, it stays.
    pub(super) fn sweep(&self, group: Option<Group>) {
        if let Some(group) = group {
            self.parts.desk.take_on(desk::Job::Sweep(group));
        }
    }

    pub(super) fn write_record(&self) {
        if let Some(record) = &self.record {
            self.parts.desk.take_on(desk::Job::Record(self.parts.bot.clone(), Box::new(record.clone())));
        }
    }

    /// A bot that lived already is ours now.
    pub(super) fn adopted(&mut self, by: &str) {
        if let Some(record) = &mut self.record {
            record.keeper = process::identify(std::process::id() as i32);
            record.ended = None;
        }
        self.write_record();
        let pid = self.parts.tree.main();
        let stray = self.record.as_ref().is_some_and(|record| record.stray);
        let text = match pid {
            Some(pid) if stray => {
                format!("adopted for {by} (pid {pid}): not restarted, and its output stays where it was")
            }
            Some(pid) => format!("taken back by a new keeper for {by} (pid {pid})"),
            None => format!("what lives of it was taken back by a new keeper for {by}"),
        };
        let run = self.record.as_ref().map(|record| record.run.clone());
        self.tell(Story::new(Kind::Adopted, text).with("run", json!(run)));
        match pid {
            Some(pid) => {
                self.launcher.say(&Word::Executing { pid });
                self.launcher.say(&Word::Ready);
            }
            None => self.launcher.say(&Word::Failed {
                why: "its main process is gone; what it left behind is being ended".into(),
                trying: true,
            }),
        }
        self.tend(true);
    }

    /// Has the log looked after.
    pub(super) fn tend(&mut self, first: bool) {
        // What was not started here writes where it always did.
        let Some(record) = self.record.as_ref().filter(|record| !record.stray) else { return };
        if first && let Some(watch) = &mut self.parts.log_watch {
            let log = self.parts.bot.log(&record.run);
            watch.follow(Path::new(&log), clock::now());
        }
        self.never_archived &= !first;
        if self.never_archived || (!first && self.parts.tender.has_waiting()) {
            // Whoever waits will look at the same log, and later than now.
            return;
        }
        self.parts.tender.take_on(tend::Job {
            folder: self.parts.bot.log_dir(),
            run: record.run.clone(),
            limits: self.parts.spec.log,
            first,
        });
    }

    /// Takes in what the bot says of itself.
    pub(super) fn hear(&mut self, fields: Vec<(String, String)>) {
        for (name, value) in fields {
            match name.as_str() {
                "READY" if value == "1" => self.feed(Input::Ready),
                "WATCHDOG" if value == "1" => self.heartbeat = Some(clock::now()),
                "STATUS" => {
                    let harmless: String = value.chars().filter(|c| !c.is_control()).take(LONGEST_CLAIM).collect();
                    self.says = (!harmless.is_empty()).then_some(harmless);
                    self.changed = true;
                }
                _ => self.changed |= self.told.hear(&name, &value),
            }
        }
    }

    /// Something that the operator should know; said once for as long as it lasts.
    pub(super) fn warn(&mut self, topic: Topic, what: &str) {
        if self.troubles.begin(topic, what, clock::now()) {
            self.changed = true;
            // An event about events that cannot be written would be the next one that cannot.
            if topic != Topic::Events {
                self.tell(Story::new(Kind::Warning, what).with("keeper", json!(std::process::id())));
            }
        }
    }

    /// Something is as it should be.
    pub(super) fn all_well(&mut self, topic: Topic) {
        self.changed |= self.troubles.end(topic);
    }

    pub(super) fn tell(&self, story: Story) {
        let Story { kind, text, more } = story;
        let event = journal::event(Some(&self.parts.spec.name), kind, text, more);
        self.parts.desk.take_on(desk::Job::Tell(self.parts.bot.clone(), Box::new(event)));
    }
}
