//! One bot writes numbered lines as fast as it can. How many it can write, whether each of them is in its log, and what
//! its supervisor burns meanwhile.

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
use crate::subjects::{Role, Subject};

/// For five seconds.
pub fn measure(hands: &Hands, subject: &dyn Subject, options: &Options) -> Result<Figures, String> {
    let time = Duration::from_secs(if options.quick { 2 } else { 5 });
    let plan = Plan::new(1, Behaviour::Flood(time.as_millis() as u64)).running();
    let (session, lives) = Session::open(hands, subject, plan)?;
    let begun = Instant::now();
    let before = Used::by(&session.supervision(&lives));
    let lines = session.hear_lines()?;
    let (cpu, _) = Used::by(&session.supervision(&lives)).since(&before);
    let share = cpu.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let lost = written_down(&session, lines)?;
    let mut figures = vec![
        (Row::FloodLines, Cell::figure(lines as f64 / time.as_secs_f64() / 1000.0)),
        (Row::FloodLost, Cell::figure(lost as f64)),
    ];
    if subject.role() != Role::Floor {
        figures.push((Row::FloodCpu, Cell::figure(share)));
    }
    Ok(figures)
}

/// Lines that are not in the log. A supervisor that reads them from a pipe may have some left to write down.
fn written_down(session: &Session<'_>, lines: u64) -> Result<u64, String> {
    let mut faults = 0;
    for _ in 0..3 {
        thread::sleep(Duration::from_secs(1));
        faults = session.faults_in_log(&session.place.bots[0], lines)?;
        if faults == 0 {
            break;
        }
    }
    Ok(faults)
}
