//! The orders of several bots in one look: every source is asked at once, and none is waited for longer than all.

use std::time::Duration;

use crate::clock;
use crate::core::bot::{BotName, BotSpec, OrderSource};
use crate::core::moment::Moment;
use crate::core::order::{Answer, Reading};
use crate::core::status::RecordSeen;
use crate::paths::Home;
use crate::record;

use super::{Place, Question, Surroundings, places};
use crate::readers::{Pending, Readers};

/// What one bot's source had to say.
#[derive(Clone, Debug)]
pub struct SourceSeen {
    /// The bot.
    pub bot: BotName,
    /// The configuration's word for the source; absent where there is none, or where nobody knows.
    pub source: Option<&'static str>,
    /// What was read.
    pub reading: Option<Reading>,
    /// Why nothing was.
    pub error: Option<String>,
}

/// Sources that were asked and may not have answered yet.
#[derive(Debug)]
pub struct Asked {
    entries: Vec<Entry>,
    until: Moment,
    /// Its processes end with it: they are needed until the last answer.
    _readers: Readers,
}

#[derive(Debug)]
struct Entry {
    bot: BotName,
    source: Option<&'static str>,
    pending: Result<Option<Pending<Question>>, String>,
}

/// Asks for the orders of these bots without waiting. What the configuration says of a bot counts, else its last run
/// record. A bot without a source is asked nothing, and without any of them nothing is started.
#[must_use]
pub fn ask(home: &Home, names: &[BotName], specs: &[BotSpec], within: Duration) -> Asked {
    ask_at(names.iter().map(|bot| (bot.clone(), place(home, bot, specs))), within)
}

/// Asks each bot at its place.
fn ask_at(wanted: impl Iterator<Item = (BotName, Result<Option<Place>, String>)>, within: Duration) -> Asked {
    let until = clock::now().plus(within);
    let readers = Readers::new();
    let entries = wanted
        .map(|(bot, place)| match place {
            Ok(Some(Place { source, surroundings })) => {
                let (known, of_interest) = (None, Vec::new());
                let question = Question { bot: bot.clone(), source, surroundings, known, of_interest, within };
                Entry { bot, source: Some(question.source_word()), pending: Ok(Some(readers.ask(question))) }
            }
            Ok(None) => Entry { bot, source: None, pending: Ok(None) },
            Err(why) => Entry { bot, source: None, pending: Err(why) },
        })
        .collect();
    Asked { entries, until, _readers: readers }
}

/// The orders of these bots, one entry a bot, in their order.
pub fn look(home: &Home, names: &[BotName], specs: &[BotSpec], within: Duration) -> Vec<SourceSeen> {
    ask(home, names, specs, within).collect()
}

/// The orders of these bots wherever they may be: where each one's last run had them, and where the configuration has them
/// now. One entry a place, and one for a bot without any.
pub fn look_everywhere(home: &Home, names: &[BotName], specs: &[BotSpec], within: Duration) -> Vec<SourceSeen> {
    let wanted = names.iter().flat_map(|bot| {
        let spec = specs.iter().find(|spec| spec.name == *bot);
        let (record, lost) = match record::read(&home.bot(bot)) {
            RecordSeen::Read(record) => (Some(record), None),
            RecordSeen::None => (None, None),
            RecordSeen::Unreadable(why) => (None, Some(Err(lost(&why)))),
        };
        let mut all: Vec<_> = places(spec, record.as_deref()).into_iter().map(|place| Ok(Some(place))).collect();
        all.extend(lost);
        if all.is_empty() {
            all.push(Ok(None));
        }
        all.into_iter().map(|place| (bot.clone(), place)).collect::<Vec<_>>()
    });
    ask_at(wanted, within).collect()
}

fn lost(why: &str) -> String {
    format!("its record cannot be read, so nobody knows where its orders are: {why}")
}

impl Asked {
    /// Waits for the answers, until the time is up.
    pub fn collect(self) -> Vec<SourceSeen> {
        let until = self.until;
        self.entries
            .into_iter()
            .map(|Entry { bot, source, pending }| {
                let (reading, error) = match pending {
                    Ok(None) => (None, None),
                    Err(why) => (None, Some(why)),
                    Ok(Some(pending)) => match pending.wait(until) {
                        Answer::Read(reading) => (Some(reading), None),
                        Answer::Failed(why) => (None, Some(why)),
                        // Nothing was known before.
                        Answer::Unchanged => (None, Some("its source was not read".to_owned())),
                    },
                };
                SourceSeen { bot, source, reading, error }
            })
            .collect()
    }
}

/// Where a bot's orders are, and what surrounds a program that tells of them.
fn place(home: &Home, bot: &BotName, specs: &[BotSpec]) -> Result<Option<Place>, String> {
    let at = |source: Option<OrderSource>, surroundings| source.map(|source| Place { source, surroundings });
    if let Some(spec) = specs.iter().find(|spec| spec.name == *bot) {
        return Ok(at(spec.orders.clone(), Surroundings::of_spec(spec)));
    }
    match record::read(&home.bot(bot)) {
        RecordSeen::Read(record) => Ok(at(record.orders.clone(), Surroundings::of_record(&record))),
        RecordSeen::None => Ok(None),
        RecordSeen::Unreadable(why) => Err(lost(&why)),
    }
}
