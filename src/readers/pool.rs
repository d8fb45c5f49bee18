//! Processes that read are started, asked, replaced when they die, and not
//! waited for beyond their time.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::clock;
use crate::core::moment::Moment;
use crate::orders::program::become_on_this_thread;
use crate::paths::words;
use crate::who::{self, Other};

use super::hand::{End, Hand, Process, serve};
use super::question::{About, Answer, Asked, Question};
use super::waiting::{Waiting, late};
use super::wire;

/// So many processes that were given up may hang in a system call, where nothing ends them, before no more are started.
const MOST_STUCK: usize = 8;

/// So many processes at once ask again what others have died of.
const AGAIN: usize = 4;

/// How long the end of these processes is waited for by whoever does not need them any more.
const FAREWELL: Duration = Duration::from_secs(2);

/// The processes that read, one for each user whose files are read. They end with their last owner.
#[derive(Debug)]
pub struct Readers {
    shared: Arc<Shared>,
    /// Disconnected once no thread is left that has a process.
    over: Mutex<Option<Receiver<Infallible>>>,
}

/// A question that was asked and is not answered yet.
#[derive(Debug)]
pub struct Pending<Q> {
    answer: Receiver<Answer>,
    about: About,
    asked: Moment,
    question: PhantomData<fn(Q)>,
}

#[derive(Debug)]
struct Shared {
    program: PathBuf,
    numbers: AtomicU64,
    /// Our program does not read: it is somebody's test, or a reader itself.
    nobody: AtomicBool,
    /// How many processes nothing ends.
    stuck: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whom to ask, by the user that they are; none for our own.
    current: BTreeMap<Option<String>, Arc<Hand>>,
    /// Everybody, those too who are being given up.
    all: Vec<Weak<Hand>>,
    /// What every thread with a process has; gone once no more may be started.
    living: Option<Sender<Infallible>>,
}

impl Default for Readers {
    fn default() -> Self {
        Self::new()
    }
}

impl Readers {
    /// Nobody reads yet; the first question starts a process.
    pub fn new() -> Self {
        // By this name, and not by its own: it may have been replaced.
        Self::through(PathBuf::from("/proc/self/exe"))
    }

    /// The same, with another file that is our program: for programs that are not, such as tests.
    pub fn through(program: PathBuf) -> Self {
        let (living, over) = channel();
        let shared = Shared {
            program,
            numbers: AtomicU64::new(0),
            nobody: AtomicBool::new(std::env::var_os(wire::INSIDE).is_some()),
            stuck: Arc::default(),
            state: Mutex::new(State { living: Some(living), ..State::default() }),
        };
        Self { shared: Arc::new(shared), over: Mutex::new(Some(over)) }
    }

    /// Asks without waiting. May be called from several threads.
    #[must_use]
    pub fn ask<Q: Asked>(&self, question: Q) -> Pending<Q> {
        let (sender, answer) = sync_channel(1);
        let asked = clock::now();
        let question: Question = question.into();
        let pending = Pending { answer, about: question.about(), asked, question: PhantomData };
        let until = asked.plus(question.within());
        self.shared.submit(Waiting::new(question, until, sender));
        pending
    }

    /// The process numbers of those who read at this time.
    pub fn processes(&self) -> Vec<i32> {
        self.shared.state().all.iter().filter_map(Weak::upgrade).map(|hand| hand.pid()).collect()
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let hands: Vec<Arc<Hand>> = {
            let mut state = self.shared.state();
            state.living = None;
            state.current.clear();
            state.all.drain(..).filter_map(|hand| hand.upgrade()).collect()
        };
        for hand in hands {
            hand.close();
        }
        let over = self.over.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(over) = over.take() {
            // One that hangs in a system call is left to its thread, and to the end of this process.
            let _ = over.recv_timeout(FAREWELL);
        }
    }
}

impl<Q: Asked> Pending<Q> {
    /// Waits for the answer, until then at the latest.
    pub fn wait(self, until: Moment) -> Q::Reply {
        let place = &self.about.place;
        let answer = match self.answer.recv_timeout(until.since(clock::now())) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Answer::None(late(place, until.since(self.asked))),
            Err(RecvTimeoutError::Disconnected) => Answer::None(format!("{place}: nobody reads any more")),
        };
        Q::reply(&self.about, answer)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn submit(self: &Arc<Self>, mut waiting: Waiting) {
        let other = match who_reads(&waiting.question) {
            Ok(other) => other,
            Err(why) => return waiting.fail(&why),
        };
        if self.nobody.load(Ordering::Relaxed) {
            return read_here(waiting, other);
        }
        if waiting.question.changes() {
            return self.submit_alone(waiting);
        }
        let user = other.as_ref().and(waiting.question.user().map(str::to_owned));
        let mut state = self.state();
        if let Some(hand) = state.current.get(&user) {
            match hand.put(self.number(), waiting) {
                Ok(()) => return,
                Err(back) => waiting = *back,
            }
        }
        let started = self.start(&mut state, other.as_ref(), user.as_deref());
        let (process, hand) = match started {
            Ok(started) => started,
            Err(Obstacle::Hangs(why)) => return waiting.fail(&why),
            Err(Obstacle::NoProcess) => {
                drop(state);
                return read_here(waiting, other);
            }
        };
        let Err(back) = hand.put(self.number(), waiting).map_err(|back| *back) else {
            state.current.insert(user, Arc::clone(&hand));
            let living = state.living.clone();
            drop(state);
            let (shared, stuck) = (Arc::downgrade(self), Arc::clone(&self.stuck));
            let work = move || {
                let _living = living;
                finish(serve(&hand, process, &stuck), &shared);
            };
            if std::thread::Builder::new().name("reader".into()).spawn(work).is_err() {
                // The questions went with it; whoever asked hears that nobody reads.
                self.state().current.clear();
            }
            return;
        };
        back.fail("nobody reads");
    }

    fn start(
        &self,
        state: &mut State,
        other: Option<&Other>,
        user: Option<&str>,
    ) -> Result<(Process, Arc<Hand>), Obstacle> {
        let stuck = self.stuck.load(Ordering::Relaxed);
        if stuck >= MOST_STUCK {
            return Err(Obstacle::Hangs(format!(
                "{stuck} processes that were to read such files hang and cannot be ended"
            )));
        }
        if state.living.is_none() {
            return Err(Obstacle::Hangs("nobody reads any more".into()));
        }
        let (process, hand) = Process::start(&self.program, other, user).map_err(|_| Obstacle::NoProcess)?;
        let hand = Arc::new(hand);
        state.all.retain(|hand| hand.strong_count() > 0);
        state.all.push(Arc::downgrade(&hand));
        Ok((process, hand))
    }

    /// Has a process of its own do what changes something: what it dies of is this, and it is not done again.
    fn submit_alone(self: &Arc<Self>, waiting: Waiting) {
        let (place, channel) = (waiting.question.place(), waiting.channel());
        let living = self.state().living.clone();
        let shared = Arc::clone(self);
        let work = move || {
            let _living = living;
            shared.ask_alone(waiting);
        };
        if std::thread::Builder::new().name("writer".into()).spawn(work).is_err() {
            let _ = channel.try_send(Answer::None(format!("{place}: there is no thread to have it done")));
        }
    }

    /// Asks once more, alone, what a process has died of while it had others to answer.
    fn ask_alone(self: &Arc<Self>, mut waiting: Waiting) {
        if waiting.until.since(clock::now()).is_zero() {
            return waiting.fail_late();
        }
        waiting.alone = true;
        let other = match who_reads(&waiting.question) {
            Ok(other) => other,
            Err(why) => return waiting.fail(&why),
        };
        let user = other.as_ref().and(waiting.question.user().map(str::to_owned));
        let started = self.start(&mut self.state(), other.as_ref(), user.as_deref());
        match started {
            Ok((process, hand)) => match hand.put(self.number(), waiting) {
                Ok(()) => {
                    hand.expect_no_more();
                    finish(serve(&hand, process, &self.stuck), &Arc::downgrade(self));
                }
                Err(back) => back.fail("nobody reads any more"),
            },
            Err(Obstacle::Hangs(why)) => waiting.fail(&why),
            // Nobody has died of it yet, and what is to be done matters more than what may become of us.
            Err(Obstacle::NoProcess) if waiting.question.changes() => read_here(waiting, other),
            // A file that others have died of is not read here.
            Err(Obstacle::NoProcess) => waiting.fail("its reader died, and another cannot be started"),
        }
    }
}

enum Obstacle {
    NoProcess,
    Hangs(String),
}

/// The user that a question is to be answered as, if that is not us. Only root can become another: everybody else reads
/// files as far as they may.
fn who_reads(question: &Question) -> Result<Option<Other>, String> {
    match question.user() {
        Some(user) if rustix::process::geteuid().is_root() => who::to_become(user),
        Some(_) | None => Ok(None),
    }
}

/// Where no process can be had: the bots' orders matter more than what may become of us.
fn read_here(waiting: Waiting, other: Option<Other>) {
    let place = waiting.question.place();
    let channel = waiting.channel();
    let read = move || {
        let become_user = other.map_or(Ok(()), |other| become_on_this_thread(&other.identity));
        match become_user {
            Ok(()) => {
                let answer = waiting.question.answer();
                waiting.answer(answer);
            }
            Err(error) => waiting.fail(&format!("cannot be read as its user: {}", words(&error))),
        }
    };
    if std::thread::Builder::new().name("reading".into()).spawn(read).is_err() {
        let _ = channel.try_send(Answer::None(format!("{place}: there is neither a process nor a thread to read it")));
    }
}

/// What becomes of the questions that a process has left behind.
fn finish(end: End, shared: &Weak<Shared>) {
    let (left, how) = match end {
        End::Closed(left) => (left, None),
        End::NeverRead(left, never) => {
            if let Some(shared) = shared.upgrade().filter(|_| never) {
                shared.nobody.store(true, Ordering::Relaxed);
            }
            for waiting in left {
                match who_reads(&waiting.question) {
                    Ok(other) => read_here(waiting, other),
                    Err(why) => waiting.fail(&why),
                }
            }
            return;
        }
        End::Died(left, how) => (left, Some(how)),
    };
    let Some(how) = how else {
        return left.into_iter().for_each(|waiting| waiting.fail("nobody reads any more"));
    };
    let (again, lost): (Vec<Waiting>, Vec<Waiting>) = left.into_iter().partition(|waiting| !waiting.alone);
    for waiting in lost {
        waiting.fail(&format!("its reader {how}"));
    }
    let Some(shared) = shared.upgrade() else {
        return again.into_iter().for_each(|waiting| waiting.fail("nobody reads any more"));
    };
    let count = again.len().min(AGAIN);
    let queue = Arc::new(Mutex::new(VecDeque::from(again)));
    for _ in 0..count {
        let living = shared.state().living.clone();
        let (queue, shared) = (Arc::clone(&queue), Arc::downgrade(&shared));
        let work = move || {
            let _living = living;
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            while let Some(waiting) = next() {
                match shared.upgrade() {
                    Some(shared) => shared.ask_alone(waiting),
                    None => waiting.fail("nobody reads any more"),
                }
            }
        };
        // Without a thread the questions go with the queue, and whoever asked hears that nobody reads.
        let _ = std::thread::Builder::new().name("reader again".into()).spawn(work);
    }
}
