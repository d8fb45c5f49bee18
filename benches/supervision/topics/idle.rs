//! Idling: CPU time and context switches of all supervision while ten bots say nothing and nobody looks.

use std::thread;
use std::time::{Duration, Instant};

use super::Figures;
use crate::bot::Behaviour;
use crate::hands::Hands;
use crate::options::Options;
use crate::place::Plan;
use crate::proc::Used;
use crate::rows::{Cell, Row};
use crate::session::Session;
use crate::subjects::Subject;

/// For ten seconds, after some in which everything that belongs to the start may come to its end.
pub fn measure(hands: &Hands, subject: &dyn Subject, options: &Options) -> Result<Figures, String> {
    let (session, lives) = Session::open(hands, subject, Plan::new(10, Behaviour::Silent).running())?;
    thread::sleep(Duration::from_secs(if options.quick { 2 } else { 5 }));
    let supervision = session.supervision(&lives);
    let before = (Instant::now(), Used::by(&supervision));
    thread::sleep(Duration::from_secs(10));
    let (cpu, switches) = Used::by(&supervision).since(&before.1);
    let share = cpu.as_secs_f64() / before.0.elapsed().as_secs_f64() * 100.0;
    Ok(vec![(Row::IdleCpu, Cell::figure(share)), (Row::IdleSwitches, Cell::figure(switches as f64))])
}
