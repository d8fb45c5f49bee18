//! Stopping: until the command has returned and every bot is dead, whichever comes last.

use std::thread;
use std::time::Duration;

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::{self, millis};
use crate::hands::Hands;
use crate::place::Plan;
use crate::rows::{Cell, Row};
use crate::session::{self, Life, Session};
use crate::subjects::Subject;

/// Ten bots one by one, a hundred that end at once, and a hundred that clean up.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let hundred = |behaviour| hundred(hands, subject, behaviour).map(Cell::figure);
    Ok(vec![
        (Row::StopOne, Cell::figures(one_by_one(hands, subject)?)),
        (Row::StopHundred, hundred(Behaviour::Silent)?),
        (Row::StopSlow, hundred(Behaviour::Heavy)?),
    ])
}

fn one_by_one(hands: &Hands, subject: &dyn Subject) -> Result<Vec<f64>, String> {
    let (session, lives) = opened(hands, subject, 10, Behaviour::Silent)?;
    lives.iter().map(|life| stopped(&session, std::slice::from_ref(life))).collect()
}

fn hundred(hands: &Hands, subject: &dyn Subject, behaviour: Behaviour) -> Result<f64, String> {
    let (session, lives) = opened(hands, subject, 100, behaviour)?;
    stopped(&session, &lives)
}

fn opened<'a>(
    hands: &'a Hands,
    subject: &'a dyn Subject,
    bots: usize,
    behaviour: Behaviour,
) -> Result<(Session<'a>, Vec<Life>), String> {
    let opened = Session::open(hands, subject, Plan::new(bots, behaviour).running())?;
    // What a start leaves to be done is no part of a stop.
    thread::sleep(Duration::from_millis(1500));
    Ok(opened)
}

fn stopped(session: &Session<'_>, lives: &[Life]) -> Result<f64, String> {
    let mut bots: Vec<String> = lives.iter().map(|life| life.bot.clone()).collect();
    bots.sort();
    let asked = clock::now();
    session.stop(&bots)?;
    let back = clock::now();
    let late = lives.iter().any(|life| !life.process.has_ended());
    let dead = if late { session::all_ended(lives)? } else { back };
    Ok(millis(asked, dead.max(back)))
}
