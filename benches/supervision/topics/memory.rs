//! Memory: the PSS of every process that is there because of the supervisor, loggers too, bots left out.

use std::thread;
use std::time::Duration;

use super::Figures;
use crate::bot::Behaviour;
use crate::hands::Hands;
use crate::place::Plan;
use crate::proc;
use crate::rows::{Cell, Row};
use crate::session::Session;
use crate::subjects::Subject;

/// With 10 bots, and with 100.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let of = |bots| occupied(hands, subject, bots).map(Cell::figure);
    Ok(vec![(Row::Memory10, of(10)?), (Row::Memory100, of(100)?)])
}

fn occupied(hands: &Hands, subject: &dyn Subject, bots: usize) -> Result<f64, String> {
    let (session, lives) = Session::open(hands, subject, Plan::new(bots, Behaviour::Silent).running())?;
    thread::sleep(Duration::from_secs(2));
    let supervision = session.supervision(&lives);
    if supervision.is_empty() {
        return Err("there is no supervisor".into());
    }
    let kib: u64 = supervision.into_iter().filter_map(proc::pss).sum();
    Ok(kib as f64 / 1024.0)
}
