//! Firing: a process of its own is started, and carries everything out whatever becomes of whoever fired.

use std::io::{BufRead, BufReader};
use std::process::ChildStdout;

use crate::act::procedure::{EmergencyOrder, Errand, StopWord};
use crate::beacon::{self, Call};
use crate::core::protocol::STOPPER_ROLE;
use crate::core::report::Report;
use crate::launch::ourselves;
use crate::paths::Home;

use super::watch::hear;

/// A stopper that dies is followed by another one so often.
const STOPPERS: usize = 3;

/// What came of firing.
#[derive(Debug)]
pub enum Fire {
    /// The last word of whoever carried it out.
    Over(Box<Report>),
    /// No process could be started, or none lived: whoever fired becomes one, or does it himself.
    NoRoom(String),
}

/// Fires: a process of its own latches, and stops everything; `tell` hears how it goes. One that is under way already is
/// joined; one whose stopper died is carried on with.
pub fn fire(order: &EmergencyOrder, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Fire {
    let home = Home::at(order.home.clone());
    for _ in 0..STOPPERS {
        // Whoever has it under way already is found out by the new one, after it has latched: nothing comes before that.
        let mut stopper = match ourselves(STOPPER_ROLE, &order.id, &Errand::Emergency(order.clone())) {
            Ok(stopper) => stopper,
            Err(why) => return Fire::NoRoom(why),
        };
        let said = stopper.stdout.take().and_then(|words| listen(BufReader::new(words), tell));
        // It has its own things to see to after its last word; whoever goes on living reaps it then.
        let _ = std::thread::Builder::new().spawn(move || stopper.wait());
        if let Some(report) = said {
            return Fire::Over(Box::new(report));
        }
        if let Call::Answered(words) = beacon::call(&home)
            && let Some(report) = hear(words, tell)
        {
            return Fire::Over(Box::new(report));
        }
    }
    Fire::NoRoom("its stoppers did not live".into())
}

/// Hears a stopper out; nothing if it left the work to another, or died before its last word.
fn listen(stopper: BufReader<ChildStdout>, tell: &mut (dyn FnMut(&StopWord) + Send)) -> Option<Report> {
    for line in stopper.lines() {
        let word: StopWord = serde_json::from_str(&line.ok()?).ok()?;
        tell(&word);
        if let StopWord::Over(report) = word {
            return Some(*report);
        }
    }
    None
}
