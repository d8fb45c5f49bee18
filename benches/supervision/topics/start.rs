//! Starting one bot: from the command to the bot's own word that it executes, and to the end of the command.

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::{self, millis};
use crate::hands::Hands;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::Session;
use crate::subjects::{Role, Subject};

/// Ten bots one after the other.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let (session, _) = Session::open(hands, subject, Plan::new(10, Behaviour::Silent))?;
    let (mut execute, mut returned) = (Vec::new(), Vec::new());
    for bot in &session.place.bots {
        let asked = clock::now();
        session.start(std::slice::from_ref(bot))?;
        let back = clock::now();
        let lives = session.hear(1)?;
        execute.push(millis(asked, lives[0].at));
        returned.push(millis(asked, back));
    }
    let mut figures = vec![(Row::StartExec, Cell::figures(execute))];
    // Without a supervisor there is no command that could return.
    if subject.role() != Role::Floor {
        figures.push((Row::StartReturn, Cell::figures(returned)));
    }
    Ok(figures)
}
