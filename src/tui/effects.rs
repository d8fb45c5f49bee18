//! The only file of the screen that touches the edges: it looks at the bots, follows a log and carries actions out,
//! each on a thread of its own, and sends what comes back as messages.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use log::error;

use crate::act::{self, How};
use crate::core::bot::{BotName, BotSpec};
use crate::core::report::{BotReport, StartOutcome, StartedBot, StopOutcome};
use crate::paths::Home;
use crate::survey::Surveyor;

use super::deed::Deed;
use super::message::{Done, LogEvent, LogNews, Msg, Ticket, Told};
use super::tail::Tail;

/// How long a start may take before it is said to be still under way; the contract's 60 seconds.
const READY_WAIT: Duration = Duration::from_mins(1);

/// Between looks when nothing happens, and when something does.
const CALM: Duration = Duration::from_secs(1);
const HURRIED: Duration = Duration::from_millis(200);

/// Between looks at the log that is being followed.
const LOG_PACE: Duration = Duration::from_millis(100);

/// Whoever performs what the screen wants done.
pub struct Hands {
    home: Home,
    specs: Arc<[BotSpec]>,
    by: String,
    tell: Sender<Msg>,
    looks: Sender<Look>,
    logs: Sender<BotName>,
}

enum Look {
    Now(Ticket),
    Hurry(bool),
}

impl Hands {
    /// Begins to look at the bots.
    ///
    /// # Errors
    /// If there is no room for another thread.
    pub fn new(home: Home, specs: Vec<BotSpec>, by: String, tell: Sender<Msg>) -> Result<Self, String> {
        let specs: Arc<[BotSpec]> = specs.into();
        let (looks, asked) = channel();
        let (logs, wanted) = channel();
        let surveyor = Surveyor::new(home.clone());
        let (specs_there, tell_there) = (Arc::clone(&specs), tell.clone());
        spawn("survey", move || look_on(surveyor, &specs_there, &asked, &tell_there))?;
        let (home_there, tell_there) = (home.clone(), tell.clone());
        spawn("log", move || follow(&home_there, &wanted, &tell_there))?;
        Ok(Self { home, specs, by, tell, looks, logs })
    }

    /// Looks at the bots now.
    pub fn look(&self, ticket: Ticket) {
        self.ask(Look::Now(ticket));
    }

    /// Looks five times a second, or once.
    pub fn hurry(&self, hurried: bool) {
        self.ask(Look::Hurry(hurried));
    }

    fn ask(&self, look: Look) {
        if self.looks.send(look).is_err() {
            error!("nobody looks at the bots any more; leave and come back");
        }
    }

    /// Follows this bot's log.
    pub fn follow(&self, name: BotName) {
        if self.logs.send(name).is_err() {
            error!("nobody reads logs any more; leave and come back");
        }
    }

    /// Does this to these bots, on a thread of its own.
    pub fn act(&self, ticket: Ticket, deed: Deed, names: Vec<BotName>) {
        let (home, by) = (self.home.clone(), self.by.clone());
        let specs: Vec<BotSpec> =
            names.iter().filter_map(|name| self.specs.iter().find(|spec| spec.name == *name)).cloned().collect();
        let promise = Promise { ticket, since: Instant::now(), names, tell: self.tell.clone(), bots: None };
        let started = spawn(deed.verb(), move || {
            let mut promise = promise;
            let bots = match deed {
                Deed::Start => act::start(&home, &specs, &by, READY_WAIT).iter().map(told_start).collect(),
                Deed::Restart => act::restart(&home, &specs, &by, READY_WAIT).iter().map(told_restart).collect(),
                Deed::Stop => act::stop(&home, &promise.names, How::Stop, &by).iter().map(told_stop).collect(),
                Deed::Climb => act::stop(&home, &promise.names, How::Climb, &by).iter().map(told_stop).collect(),
                Deed::Kill => act::stop(&home, &promise.names, How::Kill, &by).iter().map(told_stop).collect(),
            };
            promise.bots = Some(bots);
        });
        if let Err(why) = started {
            error!("{}: {why}", deed.verb());
        }
    }
}

/// An action that will be told the end of, whatever happens to its thread.
struct Promise {
    ticket: Ticket,
    since: Instant,
    names: Vec<BotName>,
    tell: Sender<Msg>,
    bots: Option<Vec<Told>>,
}

impl Drop for Promise {
    fn drop(&mut self) {
        let nothing = |name: &BotName| Told {
            name: name.clone(),
            well: false,
            text: "broke off; the list shows what is".to_owned(),
        };
        let bots = self.bots.take().unwrap_or_else(|| self.names.iter().map(nothing).collect());
        // Nobody listens any more once the screen was left; what was asked for goes on all the same.
        let _ = self.tell.send(Msg::Done(Done { ticket: self.ticket, took: self.since.elapsed(), bots }));
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    match thread::Builder::new().name(name.to_owned()).spawn(work) {
        Ok(_detached) => Ok(()),
        Err(error) => Err(format!("no thread for it: {error}")),
    }
}

fn look_on(mut surveyor: Surveyor, specs: &[BotSpec], asked: &Receiver<Look>, tell: &Sender<Msg>) {
    let mut pace = CALM;
    let mut tickets: Vec<Ticket> = Vec::new();
    loop {
        let began = Instant::now();
        let sent = tell.send(Msg::Survey(surveyor.look(specs)));
        if sent.is_err() || tickets.drain(..).any(|ticket| tell.send(Msg::Fresh(ticket)).is_err()) {
            return;
        }
        // What arrives while a look is under way is answered by the next one, which begins after the asking.
        loop {
            match asked.recv_timeout(pace.saturating_sub(began.elapsed())) {
                Ok(Look::Hurry(hurried)) => pace = if hurried { HURRIED } else { CALM },
                Ok(Look::Now(ticket)) => {
                    tickets.push(ticket);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn follow(home: &Home, wanted: &Receiver<BotName>, tell: &Sender<Msg>) {
    let Ok(mut name) = wanted.recv() else { return };
    loop {
        let mut tail = Tail::of(home.bot(&name).log_dir());
        let mut said: Option<LogEvent> = None;
        name = loop {
            for what in tail.news() {
                // A folder that stays empty is worth saying once.
                let again = matches!(what, LogEvent::Missing(_)) && said.as_ref() == Some(&what);
                said = Some(what.clone());
                if !again && tell.send(Msg::Log(LogNews { bot: name.clone(), what })).is_err() {
                    return;
                }
            }
            match wanted.recv_timeout(LOG_PACE) {
                // Only the last wish counts: somebody is running through the list.
                Ok(next) => break wanted.try_iter().last().unwrap_or(next),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        };
    }
}

fn told_start(bot: &StartedBot) -> Told {
    let well = match bot.outcome {
        StartOutcome::Started | StartOutcome::Adopted | StartOutcome::AlreadyRunning => true,
        StartOutcome::StillStarting | StartOutcome::Failed | StartOutcome::Refused | StartOutcome::Latched => false,
    };
    Told { name: bot.name.clone(), well, text: bot.message.clone() }
}

fn told_stop(bot: &BotReport) -> Told {
    let (well, text) = match bot.outcome {
        StopOutcome::Stopped => (bot.errors.is_empty(), "stopped"),
        StopOutcome::NotRunning => (bot.errors.is_empty(), "was not running"),
        StopOutcome::Survived => (false, "NOT stopped: something of it lives, or may"),
    };
    Told { name: bot.name.clone(), well, text: with_remarks(text, bot) }
}

fn with_remarks(text: &str, bot: &BotReport) -> String {
    let mut all = vec![text];
    all.extend(bot.errors.iter().chain(&bot.notes).map(String::as_str));
    all.join("; ")
}

fn told_restart(bot: &BotReport) -> Told {
    let told = told_stop(bot);
    if bot.restarted {
        return Told { well: bot.errors.is_empty(), text: with_remarks("restarted", bot), ..told };
    }
    Told { well: false, text: format!("{}; not started again", told.text), ..told }
}
