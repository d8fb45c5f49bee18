//! The first word of an emergency stop: every keeper that can be reached is told before anything else is done about anybody.
//! One hand calls all of them and waits for none; each bot's own course takes the conversation over, and goes on from there
//! once everybody was told: a hundred courses at once would take the machine from whoever sends the signals.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use crate::client::{Call, Client};
use crate::clock;
use crate::core::bot::BotName;
use crate::core::moment::Moment;
use crate::core::protocol::Request;
use crate::paths::Home;

use super::roll::Roll;

/// A keeper that has not greeted anybody after this is left to its bot's own course, which knows what to do about it.
const TO_GREET: Duration = Duration::from_millis(150);
/// The whole takes no longer. Who is not ready to be told by then is left to his own course, too.
const LIMIT: Duration = Duration::from_millis(500);
/// Nobody waits longer for the others, whatever became of the one who calls.
const PATIENCE: Duration = Duration::from_millis(550);

/// What is called out to the keepers of some bots, once.
#[derive(Debug)]
pub(super) struct Shout {
    /// Whose keepers took the call.
    called: BTreeSet<BotName>,
    request: Request,
    begun: Moment,
    state: Mutex<State>,
    news: Condvar,
    /// Wakes whoever waits for the keepers.
    wake: Option<OwnedFd>,
}

/// The calls of a shout, for the one who carries it out.
pub(super) type Calls = BTreeMap<BotName, Call>;

#[derive(Debug, Default)]
struct State {
    /// Who may be told.
    ready: BTreeSet<BotName>,
    /// Who was, and has not been taken over.
    told: Calls,
    /// Who cannot be told like this.
    left: BTreeSet<BotName>,
    over: bool,
}

impl Shout {
    /// Calls the keepers of these bots; those that have none are not called.
    pub(super) fn begin<'b>(home: &Home, bots: impl Iterator<Item = &'b BotName>, request: Request) -> (Self, Calls) {
        let calls: Calls = bots.filter_map(|bot| Some((bot.clone(), Call::begin(&home.bot(bot)).ok()?))).collect();
        let shout = Self {
            called: calls.keys().cloned().collect(),
            request,
            begun: clock::now(),
            state: Mutex::default(),
            news: Condvar::new(),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok(),
        };
        (shout, calls)
    }

    /// Whether this bot's keeper was called: it is told as soon as everybody is ready for that.
    pub(super) fn calls(&self, bot: &BotName) -> bool {
        self.called.contains(bot)
    }

    /// This one may be told from now on.
    pub(super) fn is_ready(&self, bot: &BotName) {
        if self.calls(bot) {
            self.lock().ready.insert(bot.clone());
            let _ = self.wake.as_ref().map(|wake| rustix::io::write(wake, &1_u64.to_ne_bytes()));
        }
    }

    /// Waits until everybody was told. Who cannot be told like this waits for nobody.
    pub(super) fn wait(&self, bot: &BotName) {
        if self.calls(bot) {
            self.wait_while(|state| !state.left.contains(bot));
        }
    }

    /// Waits until everybody was told.
    pub(super) fn wait_for_all(&self) {
        self.wait_while(|_| true);
    }

    fn wait_while(&self, mut waits: impl FnMut(&State) -> bool) {
        let left = self.begun.plus(PATIENCE).since(clock::now());
        let _ = self.news.wait_timeout_while(self.lock(), left, |state| !state.over && waits(state));
    }

    /// The conversation with a keeper that was told, for whoever goes on with it.
    pub(super) fn take(&self, bot: &BotName) -> Option<Client> {
        let call = self.lock().told.remove(bot)?;
        call.into_client()
    }

    /// Tells everybody as soon as that may be, and hears that it is being done. It is over when everybody has answered, or
    /// the time is.
    pub(super) fn carry_out(&self, mut calls: Calls, roll: &Roll) {
        let _over = OverAtTheEnd(self);
        let (greeted_by, until) = (self.begun.plus(TO_GREET), self.begun.plus(LIMIT));
        let mut spoke: BTreeSet<BotName> = calls.keys().cloned().collect();
        while !calls.is_empty() && clock::now() < until {
            let ready = self.lock().ready.clone();
            let late = clock::now() >= greeted_by;
            let mut done = Vec::new();
            for (bot, call) in &mut calls {
                let mut went_well = !spoke.contains(bot) || call.hear().is_ok();
                went_well &= call.is_greeted() || !late;
                if went_well && call.is_greeted() && !call.is_told() && ready.contains(bot) {
                    went_well = call.tell(&self.request).is_ok();
                    roll.told(bot);
                }
                if !went_well || call.is_done() {
                    done.push(bot.clone());
                }
            }
            for bot in done {
                if let Some(call) = calls.remove(&bot) {
                    self.settle(bot, call);
                }
            }
            let next = if late { until } else { greeted_by };
            spoke = self.wait_for_words(&calls, next);
        }
        for (bot, call) in calls {
            self.settle(bot, call);
        }
    }

    /// Waits until somebody speaks, or is ready, or until then; who spoke.
    fn wait_for_words(&self, calls: &Calls, until: Moment) -> BTreeSet<BotName> {
        let mut fds: Vec<PollFd<'_>> = calls.values().map(|call| PollFd::new(call, PollFlags::IN)).collect();
        fds.extend(self.wake.iter().map(|wake| PollFd::from_borrowed_fd(wake.as_fd(), PollFlags::IN)));
        let left = until.since(clock::now()) + Duration::from_micros(50);
        let time = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        if poll(&mut fds, Some(&time)).is_err() {
            return BTreeSet::new();
        }
        let _ = self.wake.as_ref().map(|wake| rustix::io::read(wake, &mut [0_u8; 8]));
        let heard = calls.keys().zip(&fds).filter(|(_, fd)| !fd.revents().is_empty());
        heard.map(|(bot, _)| bot.clone()).collect()
    }

    fn settle(&self, bot: BotName, call: Call) {
        let mut state = self.lock();
        if call.is_told() {
            state.told.insert(bot, call);
        } else {
            state.left.insert(bot);
            self.news.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whatever becomes of the one who calls: nobody waits for him for ever.
struct OverAtTheEnd<'a>(&'a Shout);

impl Drop for OverAtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.lock().over = true;
        self.0.news.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::thread::JoinHandle;

    use crate::core::protocol::{Hello, PROTOCOL};
    use crate::paths::BotHome;
    use crate::socket;

    use super::*;

    fn name(name: &str) -> BotName {
        name.parse().expect("a name")
    }

    /// Somebody at a bot's socket who says so much, and hears everything until the caller hangs up.
    fn keeper(home: &Home, bot: &str, protocol: Option<u32>) -> JoinHandle<String> {
        let place = home.bot(&name(bot));
        std::fs::create_dir_all(place.root()).expect("room");
        let listener = socket::listen(place.root(), BotHome::SOCKET).expect("a socket");
        listener.set_nonblocking(false).expect("a descriptor");
        let hello = protocol
            .map(|botwarden| Hello { botwarden, version: "9".into(), bot: name(bot), keeper_pid: 1 })
            .map(|hello| serde_json::to_string(&hello).expect("JSON") + "\n");
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a call");
            let _ = stream.write_all(hello.unwrap_or_default().as_bytes());
            let mut heard = String::new();
            let _ = stream.read_to_string(&mut heard);
            heard
        })
    }

    #[test]
    fn who_is_ready_is_told_once_and_nobody_else_is_told_anything() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::at(folder.path().to_owned());
        let ours = keeper(&home, "ours", Some(PROTOCOL));
        let silent = keeper(&home, "silent", None);
        let foreign = keeper(&home, "foreign", Some(PROTOCOL + 1));
        let unready = keeper(&home, "unready", Some(PROTOCOL));
        let bots = ["ours", "silent", "foreign", "unready", "nobody"].map(name);
        let request = Request::Stop { by: "ana".into(), also: Vec::new(), cap_ms: Some(700) };
        let (shout, calls) = Shout::begin(&home, bots.iter(), request);
        assert!(!shout.calls(&bots[4]), "nobody listens there");
        for ready in [0, 1, 2, 4] {
            shout.is_ready(&bots[ready]);
        }
        let roll = Roll::default();
        std::thread::scope(|scope| {
            scope.spawn(|| shout.carry_out(calls, &roll));
            shout.wait(&bots[4]);
            shout.wait_for_all();
        });
        let told: Vec<_> = bots.iter().map(|bot| shout.take(bot)).collect();
        assert_eq!(told.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, false, false]);
        drop(told);
        let heard = ours.join().expect("words");
        let lines: Vec<&str> = heard.lines().collect();
        assert_eq!(lines.len(), 2, "{heard}");
        assert!(lines[0].contains("watch") && lines[1].contains("\"stop\"") && lines[1].contains("700"), "{heard}");
        for other in [silent, foreign, unready] {
            assert_eq!(other.join().expect("words"), "");
        }
    }
}
