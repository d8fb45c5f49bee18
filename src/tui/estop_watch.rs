//! Watches the emergency stop: whether it is latched, whether somebody carries one out, which is heard then, what became of
//! the last one, and twice a minute whether it would work.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::act::emergency;
use crate::act::procedure::StopWord;
use crate::clock;
use crate::core::latch::LatchSeen;
use crate::core::moment::Moment;
use crate::doctor;
use crate::latch;
use crate::paths::Home;

use super::message::{EmergencyNews, Msg, StopNews};
use super::trigger::Heard;

/// Between two looks at the latch.
const LOOK: Duration = Duration::from_millis(250);
/// Between two examinations.
const EXAMINE: Duration = Duration::from_secs(30);
/// So long a latch is there before it is said that nobody sees to it: whoever fires makes it before anything else.
const TAKES_UP: Duration = Duration::from_secs(2);

/// What is watched, for whom.
pub(super) struct Watched {
    pub(super) home: Home,
    pub(super) config: Option<PathBuf>,
    pub(super) tell: Sender<Msg>,
    /// What is heard already.
    pub(super) heard: Heard,
}

/// Watches until nobody listens any more; a word examines at once.
pub(super) fn watch(watched: Watched, asked: &Receiver<()>) {
    let mut watch = Watch::new(watched);
    while watch.look().is_some() {
        match asked.recv_timeout(LOOK) {
            Ok(()) => watch.examined = None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Watch {
    home: Home,
    config: Option<PathBuf>,
    tell: Sender<Msg>,
    heard: Heard,
    /// Whether somebody of ours listens to one.
    hears: Arc<AtomicBool>,
    examines: Arc<AtomicBool>,
    /// When it was last examined.
    examined: Option<Moment>,
    /// As it was last seen, and since when.
    latch: Option<(LatchSeen, Moment)>,
    /// The one whose end was looked up.
    past: Option<String>,
}

impl Watch {
    fn new(watched: Watched) -> Self {
        let Watched { home, config, tell, heard } = watched;
        Self {
            home,
            config,
            tell,
            heard,
            hears: Arc::default(),
            examines: Arc::default(),
            examined: None,
            latch: None,
            past: None,
        }
    }

    /// One look. Nothing if nobody listens any more.
    fn look(&mut self) -> Option<()> {
        let seen = latch::look(&self.home);
        if self.latch.as_ref().is_none_or(|(before, _)| *before != seen) {
            self.say(EmergencyNews::Latch(seen.clone()))?;
            self.latch = Some((seen, clock::now()));
            self.past = None;
        }
        if !self.heard.any() && !self.hears.load(Ordering::SeqCst) {
            if emergency::is_under_way(&self.home) {
                self.past = None;
                self.listen();
            } else {
                self.look_back()?;
            }
        }
        let due = self.examined.is_none_or(|examined| clock::now().since(examined) >= EXAMINE);
        if due && !self.examines.swap(true, Ordering::SeqCst) {
            self.examined = Some(clock::now());
            self.examine();
        }
        Some(())
    }

    fn say(&self, news: EmergencyNews) -> Option<()> {
        self.tell.send(Msg::Emergency(news)).ok()
    }

    /// Hears whoever carries one out, on a thread of its own.
    fn listen(&self) {
        self.hears.store(true, Ordering::SeqCst);
        let busy = Busy(Arc::clone(&self.hears));
        let listener = Listener { home: self.home.clone(), tell: self.tell.clone(), _busy: busy };
        // Where there is no thread for it, the next look tries again.
        let _ = thread::Builder::new().name("emergency watch".into()).spawn(move || listener.hear());
    }

    /// Nobody carries one out: what became of the one that the latch names, said once.
    fn look_back(&mut self) -> Option<()> {
        let Some((seen, since)) = &self.latch else { return Some(()) };
        let id = seen.latch().map(|latch| latch.id.clone()).unwrap_or_default();
        if !seen.is_latched() || self.past.as_ref() == Some(&id) || clock::now().since(*since) < TAKES_UP {
            return Some(());
        }
        let report = emergency::last_report(&self.home).map(Box::new);
        self.past = Some(id.clone());
        self.say(EmergencyNews::Past { id, report })
    }

    /// Examines whether it would work, on a thread of its own: what hangs there grows old, and that is told.
    fn examine(&self) {
        let (home, config, tell) = (self.home.clone(), self.config.clone(), self.tell.clone());
        let busy = Busy(Arc::clone(&self.examines));
        let _ = thread::Builder::new().name("examine".into()).spawn(move || {
            let _busy = busy;
            let checks = doctor::examine(&home, config.as_deref());
            let seen = doctor::estop(&home, &checks);
            let _ = tell.send(Msg::Emergency(EmergencyNews::Examined(Box::new(seen))));
        });
    }
}

/// Says that it is not busy any more, whatever becomes of its thread.
struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Whoever hears one out.
struct Listener {
    home: Home,
    tell: Sender<Msg>,
    _busy: Busy,
}

impl Listener {
    fn hear(self) {
        // What is said of the whole comes first, wherever it stands among what was said before we came.
        let mut early: Option<Vec<StopWord>> = Some(Vec::new());
        let mut any = false;
        let send = |word: &StopWord| {
            let _ = self.tell.send(Msg::Emergency(EmergencyNews::Word(StopNews::from(word))));
        };
        let over = emergency::watch(&self.home, &mut |word| {
            any = true;
            match (&mut early, word) {
                (Some(before), StopWord::Overall(_)) => {
                    send(word);
                    before.iter().for_each(send);
                    early = None;
                }
                (Some(before), StopWord::Over(_)) => {
                    before.iter().for_each(send);
                    send(word);
                    early = None;
                }
                (
                    Some(before),
                    StopWord::Waiting { .. } | StopWord::Progress(_) | StopWord::Cluster(_) | StopWord::Bot(_),
                ) => {
                    before.push(word.clone());
                }
                (None, _) => send(word),
            }
        });
        let news = match (over, any) {
            (Some(_), _) => return,
            (None, true) => EmergencyNews::Lost,
            // Gone by the time that it was called, or silent.
            (None, false) if emergency::is_under_way(&self.home) => EmergencyNews::Silent,
            (None, false) => return,
        };
        let _ = self.tell.send(Msg::Emergency(news));
    }
}
