//! Fires the emergency stop, on a thread that was made before: nothing that is needed then has to be had then.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SendError, Sender, channel};
use std::thread;

use crate::act::emergency::{Fire, fire};
use crate::act::procedure::{EmergencyOrder, StopWord};
use crate::paths::Home;

use super::message::{EmergencyNews, Msg, StopNews};
use super::terminal;

/// How many that were fired from here are heard at the moment: nobody else need listen to those.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<AtomicUsize>);

impl Heard {
    /// Whether one is.
    pub(super) fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// What fires.
pub(super) struct Trigger {
    home: Home,
    config: Option<PathBuf>,
    by: String,
    tell: Sender<Msg>,
    heard: Heard,
    /// A thread that waits for nothing else.
    ready: Option<Sender<EmergencyOrder>>,
}

impl Trigger {
    pub(super) fn new(home: Home, config: Option<PathBuf>, by: String, tell: Sender<Msg>) -> Self {
        let mut trigger = Self { home, config, by, tell, heard: Heard::default(), ready: None };
        trigger.make_ready();
        trigger
    }

    /// Whether what was fired from here is heard.
    pub(super) fn heard(&self) -> Heard {
        self.heard.clone()
    }

    /// Makes the thread that is to fire next, if it is not there.
    pub(super) fn make_ready(&mut self) {
        if self.ready.is_some() {
            return;
        }
        let (orders, pulled) = channel::<EmergencyOrder>();
        let shot = self.shot();
        let made = thread::Builder::new().name("emergency stop".into()).spawn(move || {
            if let Ok(order) = pulled.recv() {
                shot.carry_out(&order);
            }
        });
        self.ready = made.is_ok().then_some(orders);
    }

    /// Fires. Nobody is waited for, unless there is no room for anything.
    pub(super) fn pull(&mut self) {
        let order = EmergencyOrder::new(&self.home, self.config.clone(), &self.by, None, false);
        self.heard.0.fetch_add(1, Ordering::SeqCst);
        for _ in 0..2 {
            let Some(ready) = self.ready.take() else {
                // What was made before is used up or gone.
                self.make_ready();
                continue;
            };
            match ready.send(order.clone()) {
                Ok(()) => {
                    self.make_ready();
                    return;
                }
                Err(SendError(_)) => self.make_ready(),
            }
        }
        self.shot().become_one("no room for a thread");
        self.shot().carry_out(&order);
    }

    fn shot(&self) -> Shot {
        Shot {
            home: self.home.clone(),
            config: self.config.clone(),
            tell: self.tell.clone(),
            heard: self.heard.clone(),
        }
    }
}

/// One that is fired.
struct Shot {
    home: Home,
    config: Option<PathBuf>,
    tell: Sender<Msg>,
    heard: Heard,
}

impl Shot {
    fn carry_out(&self, order: &EmergencyOrder) {
        let hear = self.tell.clone();
        let mut said = |word: &StopWord| {
            // Nobody listens any more once the screen was left; it goes on all the same.
            let _ = hear.send(Msg::Emergency(EmergencyNews::Word(StopNews::from(word))));
        };
        let news = match fire(order, &mut said) {
            Fire::Over(report) => EmergencyNews::Word(StopNews::Over(report)),
            Fire::NoRoom(why) => EmergencyNews::NotFired(self.become_one(&why)),
        };
        let _ = self.tell.send(Msg::Emergency(news));
        self.heard.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// Where no process can be started, this one becomes it: what is left of the screen is the command line's own view.
    /// Comes back, with all that was in the way, only if even that cannot be done.
    fn become_one(&self, why: &str) -> String {
        let mut command = Command::new("/proc/self/exe");
        command.arg("--home").arg(self.home.root());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        // Here, and not where the screen is drawn: whatever that is doing, it is not waited for.
        terminal::restore();
        let error = command.arg("estop").exec();
        let _ = self.tell.send(Msg::Continued);
        format!("{why}; and this process cannot become one: {}", crate::paths::words(&error))
    }
}
