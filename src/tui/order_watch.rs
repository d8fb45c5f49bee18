//! Keeps every bot's orders fresh while somebody looks: asks for them again and again, one question a bot at a time, and
//! tells the screen what came of it. A slow source delays nobody but itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clock;
use crate::core::bot::{BotName, BotSpec, OrderSource};
use crate::core::order::{Answer, Order};
use crate::core::status::RecordSeen;
use crate::orders::{Question, Surroundings, has_placed_none};
use crate::paths::Home;
use crate::readers::Readers;
use crate::record;

use super::message::{Msg, OrdersNews, OrdersSeen};

/// Between two questions about a file, between two that it is read in full for, and between two runs of a program.
const PACE: Duration = Duration::from_secs(1);
const IN_FULL: Duration = Duration::from_secs(5);
const PROGRAM: Duration = Duration::from_secs(5);
/// How long reading a file may take.
const FILE_WITHIN: Duration = Duration::from_secs(3);
/// Whoever needs longer is waited for apart from the others.
const QUICK: Duration = Duration::from_millis(300);
/// Between looks at the records of bots that are not configured any more.
const RECORDS: Duration = Duration::from_secs(5);

/// What whoever watches is told.
#[derive(Debug)]
pub(super) enum Watch {
    /// These bots are configured.
    Specs(Vec<BotSpec>),
    /// Go on, or rest while nobody looks.
    GoOn(bool),
    /// Read the orders of these now.
    Now(Vec<BotName>),
}

/// Whose orders, where they are, and how it went so far.
struct Owner {
    source: OrderSource,
    surroundings: Surroundings,
    /// The stamp of the last reading.
    known: Option<String>,
    /// What it showed.
    orders: Option<Vec<Order>>,
    read_in_full: Option<Instant>,
    asked: Option<Instant>,
    under_way: bool,
    /// Asked for again while a question was under way.
    again: bool,
    slow: bool,
}

/// What came of a question, with how long it took.
struct Answered {
    bot: BotName,
    source: OrderSource,
    answer: Answer,
    took: Duration,
}

struct Watcher<'a> {
    home: Home,
    tell: &'a Sender<Msg>,
    readers: Arc<Readers>,
    specs: Vec<BotSpec>,
    owners: BTreeMap<BotName, Owner>,
    records_at: Option<Instant>,
    /// What the screen was not told yet.
    news: Vec<OrdersNews>,
}

/// Whoever listens has gone: the screen was left.
struct Left;

/// Watches until nobody wants to know any more.
pub(super) fn watch(home: Home, asked: &Receiver<Watch>, tell: &Sender<Msg>) {
    let mut watcher = Watcher {
        home,
        tell,
        readers: Arc::new(Readers::new()),
        specs: Vec::new(),
        owners: BTreeMap::new(),
        records_at: None,
        news: Vec::new(),
    };
    let (late, late_answers) = channel();
    let mut resting = false;
    loop {
        if !resting && watcher.round(&late).is_err() {
            return;
        }
        // Every quarter of a period: what is late, or has just become due, does not wait for a whole one.
        let first = match asked.recv_timeout(PACE / 4) {
            Ok(watch) => Some(watch),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        for watch in first.into_iter().chain(asked.try_iter()) {
            match watch {
                Watch::Specs(specs) => {
                    watcher.specs = specs;
                    watcher.records_at = None;
                }
                Watch::GoOn(go_on) => resting = !go_on,
                Watch::Now(names) => watcher.hurry(&names),
            }
        }
        for answered in late_answers.try_iter() {
            watcher.take(answered);
        }
        if watcher.pass_on().is_err() {
            return;
        }
    }
}

const fn period(source: &OrderSource) -> Duration {
    match source {
        OrderSource::Command { .. } => PROGRAM,
        OrderSource::Freqtrade { .. }
        | OrderSource::Hummingbot { .. }
        | OrderSource::StateJson { .. }
        | OrderSource::Sql { .. } => PACE,
    }
}

const fn within(source: &OrderSource) -> Duration {
    match source {
        OrderSource::Command { timeout, .. } => *timeout,
        OrderSource::Freqtrade { .. }
        | OrderSource::Hummingbot { .. }
        | OrderSource::StateJson { .. }
        | OrderSource::Sql { .. } => FILE_WITHIN,
    }
}

impl Watcher<'_> {
    fn say(&mut self, bot: &BotName, source: &OrderSource, seen: OrdersSeen) {
        let news = OrdersNews { bot: bot.clone(), source: source.word().to_owned(), period: period(source), seen };
        self.news.push(news);
    }

    /// What has come in is told at once, so that the screen sorts everything once.
    fn pass_on(&mut self) -> Result<(), Left> {
        if self.news.is_empty() {
            return Ok(());
        }
        self.tell.send(Msg::Orders(std::mem::take(&mut self.news))).map_err(|_| Left)
    }

    /// Asks whoever is due, and hears out those who answer quickly.
    fn round(&mut self, late: &Sender<Answered>) -> Result<(), Left> {
        self.find_owners();
        let now = Instant::now();
        let mut quick = Vec::new();
        for (bot, owner) in &mut self.owners {
            let due = owner.asked.is_none_or(|asked| now.duration_since(asked) >= period(&owner.source));
            if owner.under_way || !due {
                continue;
            }
            let full = owner.read_in_full.is_none_or(|read| now.duration_since(read) >= IN_FULL);
            if full {
                owner.read_in_full = Some(now);
            }
            owner.asked = Some(now);
            owner.under_way = true;
            let within = within(&owner.source);
            let question = Question {
                bot: bot.clone(),
                source: owner.source.clone(),
                surroundings: owner.surroundings.clone(),
                known: if full { None } else { owner.known.clone() },
                of_interest: Vec::new(),
                within,
            };
            let until = clock::now().plus(within);
            let (readers, bot, source) = (Arc::clone(&self.readers), bot.clone(), owner.source.clone());
            if owner.slow || matches!(source, OrderSource::Command { .. }) {
                let late = late.clone();
                let wait = move || {
                    let answer = readers.ask(question).wait(until);
                    // Nobody waits for it once the screen was left.
                    let _ = late.send(Answered { bot, source, answer, took: now.elapsed() });
                };
                if thread::Builder::new().name("slow orders".into()).spawn(wait).is_err() {
                    // No room for a thread: it is tried again when it is due again.
                    owner.under_way = false;
                }
            } else {
                quick.push((bot, source, readers.ask(question), until));
            }
        }
        for (bot, source, pending, until) in quick {
            let answer = pending.wait(until);
            self.take(Answered { bot, source, answer, took: now.elapsed() });
            // One that takes its time does not keep the others' orders from being shown.
            if now.elapsed() > QUICK {
                self.pass_on()?;
            }
        }
        self.pass_on()
    }

    fn take(&mut self, answered: Answered) {
        let Answered { bot, source, answer, took } = answered;
        let Some(owner) = self.owners.get_mut(&bot) else { return };
        owner.under_way = false;
        if owner.source != source {
            // It has moved meanwhile: this is about where it was.
            owner.asked = None;
            return;
        }
        owner.slow = took > QUICK;
        if std::mem::take(&mut owner.again) {
            owner.asked = None;
            owner.read_in_full = None;
        }
        let seen = match answer {
            Answer::Unchanged => OrdersSeen::Unchanged(Timestamp::now()),
            // Read in full, and nothing has changed: nothing need be sorted.
            Answer::Read(reading) if owner.orders.as_ref() == Some(&reading.orders) => {
                owner.known = reading.stamp;
                OrdersSeen::Unchanged(reading.at)
            }
            Answer::Read(reading) => {
                owner.known = reading.stamp;
                owner.orders = Some(reading.orders.clone());
                OrdersSeen::Read(reading.orders, reading.at)
            }
            // There is nothing to be read of a bot that never ran: that is no trouble.
            Answer::Failed(_) if has_placed_none(&self.home, &bot, &source) => OrdersSeen::Asked,
            Answer::Failed(why) => {
                // What can be read again is read in full.
                owner.known = None;
                OrdersSeen::Failed(why)
            }
        };
        self.say(&bot, &source, seen);
    }

    /// They are due now, and read in full: something was done about them.
    fn hurry(&mut self, names: &[BotName]) {
        for name in names {
            if let Some(owner) = self.owners.get_mut(name) {
                owner.again = owner.under_way;
                owner.asked = None;
                owner.read_in_full = None;
            }
        }
    }

    /// Whose orders can be read, by the configuration, else by what their run records say.
    fn find_owners(&mut self) {
        if self.records_at.is_some_and(|at| at.elapsed() < RECORDS) {
            return;
        }
        self.records_at = Some(Instant::now());
        let mut found: BTreeMap<BotName, (OrderSource, Surroundings)> = self
            .specs
            .iter()
            .filter_map(|spec| Some((spec.name.clone(), (spec.orders.clone()?, Surroundings::of_spec(spec)))))
            .collect();
        for name in self.home.recorded().unwrap_or_default() {
            if self.specs.iter().any(|spec| spec.name == name) {
                continue;
            }
            if let RecordSeen::Read(record) = record::read(&self.home.bot(&name))
                && let Some(source) = record.orders.clone()
            {
                found.insert(name, (source, Surroundings::of_record(&record)));
            }
        }
        let gone: Vec<BotName> = self.owners.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(owner) = self.owners.remove(&name) {
                self.say(&name, &owner.source, OrdersSeen::Gone);
            }
        }
        for (name, (source, surroundings)) in found {
            match self.owners.get_mut(&name) {
                Some(owner) if owner.source == source => owner.surroundings = surroundings,
                Some(owner) => {
                    // Rows of another file are not those of this one.
                    let under_way = owner.under_way;
                    *owner = Owner::new(source.clone(), surroundings);
                    owner.under_way = under_way;
                    self.say(&name, &source, OrdersSeen::Gone);
                    self.say(&name, &source, OrdersSeen::Asked);
                }
                None => {
                    self.say(&name, &source, OrdersSeen::Asked);
                    self.owners.insert(name, Owner::new(source, surroundings));
                }
            }
        }
    }
}

impl Owner {
    const fn new(source: OrderSource, surroundings: Surroundings) -> Self {
        Self {
            source,
            surroundings,
            known: None,
            orders: None,
            read_in_full: None,
            asked: None,
            under_way: false,
            again: false,
            slow: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::core::order::Reading;
    use std::path::Path;

    fn specs(text: &str) -> Vec<BotSpec> {
        config::parse(Path::new("/nowhere/botwarden.toml"), text).expect("no mistake").bots
    }

    fn bot(name: &str, path: &str) -> String {
        let orders = format!("orders = {{ source = \"state-json\", path = \"{path}\" }}");
        format!("[bots.{name}]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n{orders}\n")
    }

    fn heard(told: &Receiver<Msg>) -> Vec<String> {
        let words = |msg: Msg| {
            let Msg::Orders(news) = msg else { panic!("{msg:?}") };
            news.into_iter().map(|news| format!("{} {} {:?}", news.bot, news.source, news.seen))
        };
        told.try_iter().flat_map(words).collect()
    }

    #[test]
    fn whose_orders_are_read_follows_the_configuration() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tell, told) = channel();
        let mut watcher = Watcher {
            home: Home::at(folder.path().to_owned()),
            tell: &tell,
            readers: Arc::new(Readers::new()),
            specs: specs(&format!("{}{}", bot("a", "/a"), bot("b", "/b"))),
            owners: BTreeMap::new(),
            records_at: None,
            news: Vec::new(),
        };
        let mut find = |text: Option<String>| {
            if let Some(text) = text {
                watcher.specs = specs(&text);
                watcher.records_at = None;
            }
            watcher.find_owners();
            assert!(watcher.pass_on().is_ok());
            heard(&told)
        };
        assert_eq!(find(None), ["a state-json Asked", "b state-json Asked"]);
        assert!(find(None).is_empty(), "once");
        let moved = format!("{}[bots.b]\ncommand = [\"/bin/sleep\"]\nmode = \"paper\"\n", bot("a", "/elsewhere"));
        assert_eq!(find(Some(moved)), ["b state-json Gone", "a state-json Gone", "a state-json Asked"]);
    }

    #[test]
    fn an_answer_about_where_the_orders_were_is_not_shown_and_what_was_done_is_read_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (tell, told) = channel();
        let mut watcher = Watcher {
            home: Home::at(folder.path().to_owned()),
            tell: &tell,
            readers: Arc::new(Readers::new()),
            specs: specs(&bot("a", "/new")),
            owners: BTreeMap::new(),
            records_at: None,
            news: Vec::new(),
        };
        watcher.find_owners();
        assert!(watcher.pass_on().is_ok());
        heard(&told);
        let name: BotName = "a".parse().expect("a name");
        let answered = |path: &str, stamp: &str| Answered {
            bot: "a".parse().expect("a name"),
            source: OrderSource::StateJson { path: path.into() },
            answer: Answer::Read(Reading {
                orders: vec![],
                ended: vec![],
                at: Timestamp::UNIX_EPOCH,
                stamp: Some(stamp.into()),
            }),
            took: Duration::ZERO,
        };
        let mut under_way = |again: bool, answered: Answered| {
            let owner = watcher.owners.get_mut(&name).expect("an owner");
            owner.under_way = true;
            owner.asked = Some(Instant::now());
            if again {
                watcher.hurry(std::slice::from_ref(&name));
                watcher.owners.get_mut(&name).expect("an owner").asked = Some(Instant::now());
            }
            watcher.take(answered);
            assert!(watcher.pass_on().is_ok());
            let owner = &watcher.owners[&name];
            (heard(&told).len(), owner.known.clone(), owner.under_way, owner.asked.is_none())
        };
        assert_eq!(under_way(false, answered("/old", "1")), (0, None, false, true));
        assert_eq!(under_way(false, answered("/new", "2")), (1, Some("2".into()), false, false));
        assert_eq!(under_way(true, answered("/new", "3")), (1, Some("3".into()), false, true));
    }
}
