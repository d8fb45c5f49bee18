//! What the screen was told and has not taken in: keys before anything else, and of what is overtaken by something newer
//! only the newest, so that whoever presses a key never waits for news.

use std::collections::{BTreeMap, VecDeque};

use crate::core::bot::BotName;
use crate::core::progress::Progress;

use super::message::{EmergencyNews, Msg, OrdersNews, OrdersSeen, StopNews};

/// Messages that wait.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Keys, sizes, signals.
    input: VecDeque<Msg>,
    orders: BTreeMap<BotName, Waiting>,
    rest: VecDeque<Msg>,
}

/// What came of reading a bot's orders: the rows that it had last, and what was said of them since.
#[derive(Debug, Default)]
struct Waiting {
    rows: Option<OrdersNews>,
    since: Option<OrdersNews>,
}

impl Inbox {
    /// Puts in everything that was told meanwhile.
    pub(super) fn put_all(&mut self, told: impl Iterator<Item = Msg>) {
        for msg in told {
            self.put(msg);
        }
    }

    pub(super) fn put(&mut self, msg: Msg) {
        match msg {
            Msg::Key(..)
            | Msg::Mouse(_)
            | Msg::Paste(_)
            | Msg::Resize(..)
            | Msg::Signaled(_)
            | Msg::Suspend
            | Msg::Continued => {
                self.input.push_back(msg);
            }
            Msg::Orders(news) => news.into_iter().for_each(|news| self.put_orders(news)),
            Msg::Survey(_) => {
                // A look that was answered, or another configuration, stands between two surveys and belongs to the first.
                let between = |msg: &&mut Msg| matches!(msg, Msg::Survey(_) | Msg::Fresh(_) | Msg::Configuration(_));
                match self.rest.iter_mut().rev().find(between) {
                    Some(older @ Msg::Survey(_)) => *older = msg,
                    Some(_) | None => self.rest.push_back(msg),
                }
            }
            Msg::Emergency(EmergencyNews::Word(StopNews::Progress(progress))) => self.put_progress(progress),
            Msg::Now(_)
            | Msg::Configuration(_)
            | Msg::Fresh(_)
            | Msg::Log(_)
            | Msg::History(_)
            | Msg::Ui(_)
            | Msg::Saved(_)
            | Msg::Clusters(_)
            | Msg::Cluster(_)
            | Msg::Stop(..)
            | Msg::Emergency(_)
            | Msg::Done(_)
            | Msg::Inspected(_)
            | Msg::Trouble(_)
            | Msg::Diagnostic(..) => self.rest.push_back(msg),
        }
    }

    /// How far a bot has come takes the place of how far it had, unless something else was said of all this since.
    fn put_progress(&mut self, progress: Box<Progress>) {
        let same = |of: &Progress| of.bot == progress.bot;
        let mut before = self.rest.iter_mut().rev().map_while(|msg| {
            if let Msg::Emergency(EmergencyNews::Word(StopNews::Progress(of))) = msg { Some(of) } else { None }
        });
        match before.find(|of| same(of)) {
            Some(older) => *older = progress,
            None => self.rest.push_back(Msg::Emergency(EmergencyNews::Word(StopNews::Progress(progress)))),
        }
    }

    fn put_orders(&mut self, news: OrdersNews) {
        let waiting = self.orders.entry(news.bot.clone()).or_default();
        match news.seen {
            OrdersSeen::Read(..) | OrdersSeen::Gone => *waiting = Waiting { rows: Some(news), since: None },
            OrdersSeen::Asked if waiting.since.is_some() => {}
            OrdersSeen::Asked | OrdersSeen::Unchanged(_) | OrdersSeen::Failed(_) => waiting.since = Some(news),
        }
    }

    /// What is to be taken in next.
    pub(super) fn take(&mut self) -> Option<Msg> {
        if let Some(input) = self.input.pop_front() {
            return Some(input);
        }
        if !self.orders.is_empty() {
            let waiting = std::mem::take(&mut self.orders).into_values();
            // All at once, so that everything is sorted once.
            return Some(Msg::Orders(waiting.flat_map(|of| of.rows.into_iter().chain(of.since)).collect()));
        }
        self.rest.pop_front()
    }

    /// Whether somebody did something that was not taken in yet.
    pub(super) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.input.is_empty() && self.orders.is_empty() && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::order::Order;
    use jiff::Timestamp;
    use std::time::Duration;

    fn news(bot: &str, seen: OrdersSeen) -> Msg {
        let bot = bot.parse().expect("a name");
        Msg::Orders(vec![OrdersNews { bot, source: "sql".into(), period: Duration::from_secs(1), seen }])
    }

    fn diagnostic() -> Msg {
        Msg::Diagnostic(log::Level::Info, "read".into())
    }

    fn read(bot: &str, orders: usize) -> Msg {
        let order = Order::new(bot.parse().expect("a name"), "sql");
        news(bot, OrdersSeen::Read(vec![order; orders], Timestamp::UNIX_EPOCH))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what else comes is shown as it is")]
    fn words(inbox: &mut Inbox) -> Vec<String> {
        let of = |news: &OrdersNews| match &news.seen {
            OrdersSeen::Read(orders, _) => format!("{} {}", news.bot, orders.len()),
            OrdersSeen::Asked => format!("{} asked", news.bot),
            OrdersSeen::Unchanged(_) => format!("{} unchanged", news.bot),
            OrdersSeen::Failed(why) => format!("{} {why}", news.bot),
            OrdersSeen::Gone => format!("{} gone", news.bot),
        };
        std::iter::from_fn(|| inbox.take())
            .map(|msg| match msg {
                Msg::Orders(news) => news.iter().map(of).collect::<Vec<_>>().join(", "),
                Msg::Survey(bots) => format!("survey {}", bots.len()),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn keys_come_first_and_of_readings_only_the_newest_of_each_bot() {
        let mut inbox = Inbox::default();
        for msg in [read("a", 1), read("b", 7), news("b", OrdersSeen::Failed("torn".into())), diagnostic()] {
            inbox.put(msg);
        }
        inbox.put(read("a", 2));
        inbox.put(news("a", OrdersSeen::Failed("torn".into())));
        inbox.put(news("a", OrdersSeen::Unchanged(Timestamp::UNIX_EPOCH)));
        inbox.put(read("c", 1));
        inbox.put(news("c", OrdersSeen::Gone));
        inbox.put(news("c", OrdersSeen::Asked));
        inbox.put(Msg::Resize(80, 24));
        let first = "Resize(80, 24)";
        // What was read stays read when it cannot be read again.
        assert_eq!(
            words(&mut inbox),
            [first, "a 2, a unchanged, b 7, b torn, c gone, c asked", "Diagnostic(Info, \"read\")"]
        );
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_survey_gives_way_to_the_next_unless_something_belongs_to_it() {
        let mut inbox = Inbox::default();
        for msg in [Msg::Survey(vec![]), diagnostic(), Msg::Survey(vec![]), Msg::Fresh(1), Msg::Survey(vec![])] {
            inbox.put(msg);
        }
        assert_eq!(words(&mut inbox), ["survey 0", "Diagnostic(Info, \"read\")", "Fresh(1)", "survey 0"]);
    }
}
