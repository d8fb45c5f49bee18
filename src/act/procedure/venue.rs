//! One bot's orders, within reach: read again and again, and canceled by whoever can.

use std::fs::File;
use std::time::Duration;

use crate::clock;
use crate::core::bot::{BotName, Mode, OrderSource, Protective};
use crate::core::cancel::{Canceling, Effect, Input};
use crate::core::ledger::{Ledger, Said, Which};
use crate::core::moment::Moment;
use crate::core::order::{Answer, Order};
use crate::core::status::{LockSeen, RecordSeen};
use crate::lock::{self, Lock};
use crate::orders::{Place, Question, Surroundings, has_placed_none};
use crate::paths::Home;
use crate::process;
use crate::readers::{Pending, Readers};
use crate::record;

use super::means::by_command;
use super::setting::Setting;

/// No reading of a file takes longer than this.
const READING: Duration = Duration::from_secs(5);
/// The answer to a question may take this much longer than the reading.
const ON_THE_WAY: Duration = Duration::from_millis(250);
/// How long it is waited for a source that cannot be read where nobody could cancel anyhow.
const BLIND: Duration = Duration::from_secs(5);
/// How often it is looked whether another stop has done with the same orders.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What a cancelation without a cancel command has by way of time: an interface of the bot's own.
const USUAL: Duration = Duration::from_secs(15);

/// What is said where a new run stands in the way.
const ANOTHER_RUN: &str = "a new run was started meanwhile, and nobody can tell its orders from those of the old one: nothing more was canceled";

/// One bot's orders, and what is known of them.
pub(super) struct Venue<'a> {
    home: &'a Home,
    setting: &'a Setting,
    readers: &'a Readers,
    pub(super) ledger: Ledger,
    /// Which of its sources is read.
    at: usize,
    /// Why they are read where the configuration has them now: that nothing is open there proves nothing.
    pub(super) elsewhere: Option<String>,
    /// Why nobody cancels anything here, if that is so.
    pub(super) hands_off: Option<String>,
    /// The run whose orders these are; absent where those of any run are meant.
    pub(super) of_run: Option<String>,
    /// The stamp of the last reading: where nothing has changed, nothing is read.
    known: Option<String>,
    /// Why the source could not be read when that was last tried.
    pub(super) blind: Option<String>,
    /// What went wrong with canceling: errors if orders are open in the end.
    pub(super) troubles: Vec<String>,
}

/// A first reading that is under way, and until when it counts.
pub(super) struct Glance(Pending<Question>, Moment);

impl<'a> Venue<'a> {
    pub(super) fn new(home: &'a Home, setting: &'a Setting, readers: &'a Readers, which: Which) -> Self {
        let protective = setting.cancel.as_ref().map_or(Protective::Cancel, |cancel| cancel.protective);
        let ledger = Ledger::new(setting.mode, protective, which);
        Self {
            home,
            setting,
            readers,
            ledger,
            at: 0,
            elsewhere: None,
            hands_off: None,
            of_run: None,
            known: None,
            blind: None,
            troubles: Vec::new(),
        }
    }

    /// Whether anybody can read them.
    pub(super) fn is_readable(&self) -> bool {
        !self.setting.sources.is_empty()
    }

    /// How long the whole of canceling may take.
    pub(super) fn time(&self) -> Duration {
        self.setting.cancel.as_ref().map_or(USUAL, |cancel| cancel.timeout)
    }

    fn source(&self) -> Option<&OrderSource> {
        self.setting.sources.get(self.at).map(|place| &place.source)
    }

    /// How long one reading may take: a program as long as the configuration says.
    pub(super) fn limit(&self) -> Duration {
        match self.source() {
            Some(OrderSource::Command { timeout, .. }) => *timeout,
            Some(
                OrderSource::Freqtrade { .. }
                | OrderSource::Hummingbot { .. }
                | OrderSource::StateJson { .. }
                | OrderSource::Sql { .. },
            )
            | None => READING,
        }
    }

    /// Whether it can be read again and again: a program may ask a venue each time it is run.
    pub(super) fn is_cheap(&self) -> bool {
        !matches!(self.source(), Some(OrderSource::Command { .. }) | None)
    }

    /// Begins to read them once, if that takes no longer: what comes later is not waited for by a moment. Where it can be
    /// read, what comes of it is for [`Self::glanced`].
    pub(super) fn glance(&self, within: Duration) -> Option<Glance> {
        self.question(within).map(|question| Glance(self.readers.ask(question), clock::now().plus(within)))
    }

    /// What came of that.
    pub(super) fn glanced(&mut self, Glance(pending, until): Glance) {
        self.take_in(pending.wait(until));
    }

    /// Reads them once, in so much time at most. Whether that went well.
    pub(super) fn read(&mut self, within: Duration) -> bool {
        let mut answer = self.ask(within);
        // Never read where the run had them, in all the time that it may take: perhaps the configuration knows better now.
        if let Answer::Failed(why) = &answer
            && within >= self.limit()
            && !self.ledger.is_known()
            && self.at + 1 < self.setting.sources.len()
        {
            self.at += 1;
            self.elsewhere = Some(format!(
                "where its run has its orders they cannot be read: {why}; those that the configuration knows of now may be others"
            ));
            answer = self.ask(within);
        }
        self.take_in(answer)
    }

    fn take_in(&mut self, answer: Answer) -> bool {
        match answer {
            Answer::Read(reading) => {
                self.known.clone_from(&reading.stamp);
                self.ledger.take_in(&reading);
                self.blind = None;
            }
            Answer::Unchanged => self.blind = None,
            Answer::Failed(why) => {
                self.known = None;
                self.ledger.missed();
                self.blind = Some(why);
            }
        }
        self.blind.is_none()
    }

    /// The same, whatever is known: that a file looks unchanged is no proof that its orders are.
    pub(super) fn read_anew(&mut self, within: Duration) -> bool {
        self.known = None;
        self.read(within)
    }

    fn ask(&self, within: Duration) -> Answer {
        match self.question(within) {
            Some(question) => self.readers.ask(question).wait(clock::now().plus(within).plus(ON_THE_WAY)),
            None => Answer::Failed("no source of its orders is configured".into()),
        }
    }

    fn question(&self, within: Duration) -> Option<Question> {
        let Place { source, surroundings } = self.setting.sources.get(self.at)?;
        Some(Question {
            bot: self.setting.bot.clone(),
            source: source.clone(),
            surroundings: surroundings.clone(),
            // Only of what was read well is it enough to know that nothing has changed.
            known: self.known.clone().filter(|_| self.ledger.is_current()),
            of_interest: self.ledger.of_interest(),
            within,
        })
    }

    /// Has what is open canceled by the bot's cancel command, and reads again, until nothing is or the time is over.
    /// `tell` hears how it goes.
    pub(super) fn cancel(&mut self, time: Duration, tell: &mut dyn FnMut(&Ledger, &str)) {
        let able = self.setting.cancel.is_some() && self.hands_off.is_none();
        let until = clock::now().plus(time);
        self.cancel_by(able, until, tell, |venue, orders, within| match &venue.setting.surroundings {
            _ if venue.is_another_run() => (Vec::new(), Some(ANOTHER_RUN.into())),
            Some(surroundings) => by_command(venue.setting, surroundings, orders, within),
            None => (Vec::new(), Some("neither the configuration nor a record says where it runs".into())),
        });
    }

    /// A source that cannot be read now may be in a moment.
    pub(super) fn wait_to_see(&mut self, tell: &mut dyn FnMut(&Ledger, &str)) {
        let until = clock::now().plus(BLIND.min(self.time()));
        self.cancel_by(false, until, tell, |_, _, _| (Vec::new(), None));
    }

    /// The same, by whatever means.
    pub(super) fn cancel_by(
        &mut self,
        able: bool,
        until: Moment,
        tell: &mut dyn FnMut(&Ledger, &str),
        mut means: impl FnMut(&Self, &[Order], Duration) -> (Vec<Said>, Option<String>),
    ) {
        let (mut canceling, mut effect) = Canceling::begin(until, able, fastrand::u64(..));
        loop {
            let input = match effect {
                Effect::Finish => break,
                Effect::Read => Input::Read(self.ask(self.limit())),
                Effect::Run(orders, within) => {
                    let how = if orders.len() == 1 { "one by one" } else { "all at once" };
                    tell(&self.ledger, &format!("{how}, attempt {}", canceling.attempts()));
                    let (said, trouble) = means(self, &orders, within);
                    Input::Ran(said, trouble)
                }
                Effect::Rest(time) => {
                    tell(&self.ledger, &format!("again in {}.{} s", time.as_secs(), time.subsec_millis() / 100));
                    std::thread::sleep(time);
                    Input::Rested
                }
            };
            if let Input::Read(answer) = &input {
                self.known = match answer {
                    Answer::Read(reading) => reading.stamp.clone(),
                    Answer::Unchanged => self.known.take(),
                    Answer::Failed(_) => None,
                };
            }
            effect = canceling.next(input, &mut self.ledger, clock::now());
            tell(&self.ledger, "");
        }
        self.blind = canceling.read_trouble().map(str::to_owned);
        for trouble in canceling.troubles() {
            self.trouble(trouble.clone());
        }
    }

    /// Whether nobody can have placed any.
    pub(super) fn is_new(&self) -> bool {
        self.source().is_some_and(|source| has_placed_none(self.home, &self.setting.bot, source))
    }

    /// Whether another bot may live.
    pub(super) fn lives(&self, other: &BotName) -> bool {
        let other = self.home.bot(other);
        [other.keeper_lock(), other.bot_lock()].iter().any(|lock| lock::look(lock) != LockSeen::Free)
    }

    /// Nothing more is done to the run that was ended: whatever runs from now on, or runs already, is another one.
    pub(super) fn keep_to_this_run(&mut self) {
        if let RecordSeen::Read(record) = record::read(&self.home.bot(&self.setting.bot)) {
            // One that is about to be spawned has a record, and no process yet.
            let is_kept = lock::look(&self.home.bot(&self.setting.bot).keeper_lock()) == LockSeen::Held;
            let lives = record.ended.is_none() && (is_kept || record.process.as_ref().is_some_and(process::is_alive));
            self.of_run = Some(if lives { String::new() } else { record.run });
        }
    }

    /// Whether somebody has started it since: the orders of that run are none of this stop's business.
    fn is_another_run(&self) -> bool {
        let Some(run) = self.of_run.as_ref() else { return false };
        match record::read(&self.home.bot(&self.setting.bot)) {
            RecordSeen::Read(record) => record.run != *run,
            RecordSeen::None | RecordSeen::Unreadable(_) => false,
        }
    }

    /// Two at once are one: whoever cancels this bot's orders already is waited for, as long as it may take. Where there
    /// can be no lock, two at once cancel twice, which a venue stands. While the lock is held, nothing of it is started.
    pub(super) fn alone(&self, tell: &mut dyn FnMut(&Ledger, &str)) -> Option<File> {
        let until = clock::now().plus(self.time()).plus(self.limit());
        let path = self.home.bot(&self.setting.bot).cancel_lock();
        loop {
            match Lock::take(&path) {
                Ok(Some(lock)) => return Some(lock.into_file()),
                Err(_) => return None,
                Ok(None) if clock::now() >= until => return None,
                Ok(None) => {
                    tell(&self.ledger, "somebody else is canceling them");
                    std::thread::sleep(LOOK_AGAIN);
                }
            }
        }
    }

    /// Something went wrong with canceling.
    pub(super) fn trouble(&mut self, trouble: String) {
        if !self.troubles.contains(&trouble) {
            self.troubles.push(trouble);
        }
    }

    /// Whether nobody cancels anything because the bot trades with nothing.
    pub(super) fn is_dry(&self) -> bool {
        self.setting.mode == Some(Mode::DryRun)
    }

    /// The folder, the environment and the user of the bot.
    pub(super) const fn surroundings(&self) -> Option<&Surroundings> {
        self.setting.surroundings.as_ref()
    }
}
