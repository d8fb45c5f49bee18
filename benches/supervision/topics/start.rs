//! Starting one bot: from the command to the bot's own word that it executes, and to the end of the command.

use std::thread;
use std::time::Duration;

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::{self, millis};
use crate::hands::Hands;
use crate::options::Options;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::{self, Session};
use crate::subjects::{Role, Subject};

/// Ten bots one after the other, in several rounds.
pub fn measure(hands: &Hands, subject: &dyn Subject, options: &Options) -> Result<Figures, String> {
    let (session, _) = Session::open(hands, subject, Plan::new(10, Behaviour::Silent))?;
    let (mut execute, mut returned) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        let mut lives = Vec::new();
        for bot in &session.place.bots {
            let asked = clock::now();
            session.start(std::slice::from_ref(bot))?;
            let back = clock::now();
            let life = session.hear(1)?;
            execute.push(millis(asked, life[0].at));
            returned.push(millis(asked, back));
            lives.extend(life);
        }
        session.stop(&session.place.bots)?;
        session::all_ended(&lives)?;
        // Some of them wait for a second between two starts of one bot.
        thread::sleep(Duration::from_millis(1200));
    }
    let mut figures = vec![(Row::StartExec, Cell::figures(execute))];
    // Without a supervisor there is no command that could return.
    if subject.role() != Role::Floor {
        figures.push((Row::StartReturn, Cell::figures(returned)));
    }
    Ok(figures)
}
