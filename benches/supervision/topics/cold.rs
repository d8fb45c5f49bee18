//! A hundred bots from nothing: no daemon, no socket, no bot. Until the last of them says that it executes.

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::{self, millis};
use crate::hands::Hands;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::Session;
use crate::subjects::Subject;

/// With bots that burn CPU to come up, as most do, and with some that need nothing.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let of = |behaviour| once(hands, subject, behaviour).map(Cell::figure);
    Ok(vec![(Row::ColdHeavy, of(Behaviour::Heavy)?), (Row::ColdLight, of(Behaviour::Silent)?)])
}

fn once(hands: &Hands, subject: &dyn Subject, behaviour: Behaviour) -> Result<f64, String> {
    let mut session = Session::prepare(hands, subject, Plan::new(100, behaviour).running())?;
    let asked = clock::now();
    session.launch()?;
    let lives = session.hear(100)?;
    let last = lives.iter().map(|life| life.at).max().unwrap_or(asked);
    Ok(millis(asked, last))
}
