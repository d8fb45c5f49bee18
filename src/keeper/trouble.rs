//! What is wrong with the supervision itself: said when it begins, shown while it lasts, forgotten when it is over.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::moment::Moment;

/// What could not be written is tried again this often, and only then does an idle keeper wake up by itself.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(5);

/// What may go wrong, one thing at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The run record cannot be written.
    Record,
    /// Events cannot be written.
    Events,
    /// The log is not looked after.
    Log,
    /// The bot writes faster than its log can be archived.
    Behind,
    /// A signal could not be sent.
    Signals,
    /// Somebody else speaks on the notify socket, or there is none.
    Notify,
}

/// All that is wrong now.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    known: BTreeMap<Topic, String>,
    /// When to try again to write the record.
    again: Option<Moment>,
}

impl Troubles {
    /// Takes in that something is wrong. Whether that is news.
    pub(super) fn begin(&mut self, topic: Topic, what: &str, now: Moment) -> bool {
        if topic == Topic::Record {
            self.again = Some(now.plus(TRY_AGAIN));
        }
        let before = self.known.insert(topic, what.to_owned());
        match topic {
            // Whoever floods the socket under many numbers is told of once, and so is a bot that floods its log.
            Topic::Notify | Topic::Behind => before.is_none(),
            Topic::Record | Topic::Events | Topic::Log | Topic::Signals => before.as_deref() != Some(what),
        }
    }

    /// Takes in that it is not. Whether that is news.
    pub(super) fn end(&mut self, topic: Topic) -> bool {
        if topic == Topic::Record {
            self.again = None;
        }
        self.known.remove(&topic).is_some()
    }

    /// When [`Troubles::is_due`] is next true.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.again
    }

    /// Whether it is time to write the record again.
    pub(super) fn is_due(&mut self, now: Moment) -> bool {
        let due = self.again.is_some_and(|again| again <= now);
        if due {
            self.again = None;
        }
        due
    }

    /// All of it, in one line.
    pub(super) fn line(&self) -> Option<String> {
        (!self.known.is_empty()).then(|| self.known.values().cloned().collect::<Vec<_>>().join("; "))
    }
}
