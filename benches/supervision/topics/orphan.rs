//! A bot's parent is killed, and the supervisor started again. Is there still one bot, the same one, with a whole log, and
//! is its end told?

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::Figures;
use crate::bot::{Behaviour, TALKERS_END};
use crate::hands::Hands;
use crate::place::Plan;
use crate::proc::{self, Held};
use crate::rows::{Cell, ORPHAN_WELL, Row};
use crate::session::{self, Session};
use crate::subjects::{Role, Subject};

/// In this time a supervisor has started another bot, if it is going to.
const SETTLED: Duration = Duration::from_secs(8);

/// In words.
pub fn measure(hands: &Hands, subject: &dyn Subject) -> Result<Figures, String> {
    let plan = Plan { restart: false, ..Plan::new(1, Behaviour::Talker).running() };
    let (session, lives) = Session::open(hands, subject, plan)?;
    thread::sleep(Duration::from_secs(1));
    let bot = &lives[0].process;
    let parent = proc::parent(bot.pid()).and_then(Held::ours).ok_or("the bot has no parent of ours")?;
    session::kill(&parent);
    parent.ended(Instant::now() + SETTLED).ok_or("the bot's parent cannot be killed")?;
    session.relaunch()?;
    thread::sleep(SETTLED);
    let successors = session.uncalled().iter().filter(|successor| !successor.has_ended()).count();
    let words = match (bot.has_ended(), successors) {
        (false, 0) if subject.role() == Role::Ours => end(&session, bot)?,
        (false, 0) => "same pid".into(),
        (false, _) => "a duplicate".into(),
        (true, 0) => "the bot died".into(),
        (true, _) => "the bot died, a new one".into(),
    };
    Ok(vec![(Row::Orphan, Cell::Words(words))])
}

/// The bot lives on. Its end, and what it wrote until then.
fn end(session: &Session<'_>, process: &Held) -> Result<String, String> {
    let bot = &session.place.bots[0];
    process.signal(Signal::USR1);
    let lines = session.hear_lines()?;
    process.ended(Instant::now() + SETTLED).ok_or("the bot does not end")?;
    let until = Instant::now() + SETTLED;
    let mut told = false;
    while !told && Instant::now() < until {
        told = session.reported_exit(bot) == Some(TALKERS_END.into());
        thread::sleep(Duration::from_millis(20));
    }
    let faults = session.faults_in_log(bot, lines)?;
    Ok(match (faults, told) {
        (0, true) => ORPHAN_WELL.to_owned(),
        (0, false) => "same pid, log whole, exit unknown".into(),
        (faults, _) => format!("same pid, {faults} lines of the log lost"),
    })
}
