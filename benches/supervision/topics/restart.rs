//! A bot is killed: until its successor says that it executes. Each has lived for more than a second, before which some
//! supervisors wait on purpose.

use std::thread;
use std::time::Duration;

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::millis;
use crate::hands::Hands;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::{self, Session};
use crate::subjects::Subject;

/// Ten bots one after the other.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let (session, lives) = Session::open(hands, subject, Plan::new(10, Behaviour::Silent).running())?;
    let mut times = Vec::new();
    thread::sleep(Duration::from_millis(1500));
    for life in lives {
        let killed = session::kill(&life.process);
        let successor = session.hear(1)?.remove(0);
        if successor.bot != life.bot {
            return Err(format!("{} was killed and {} came up", life.bot, successor.bot));
        }
        times.push(millis(killed, successor.at));
    }
    Ok(vec![(Row::Restart, Cell::figures(times))])
}
