//! Our own processes: whether a stopper could be started, and whether the keepers that are there answer.

use std::process::ExitStatus;
use std::time::Duration;

use crate::client::{Client, PATIENCE, Trouble};
use crate::clock;
use crate::core::protocol::STOPPER_ROLE;
use crate::core::readiness::Check;
use crate::core::status::LockSeen;
use crate::launch::ourselves;
use crate::lock;
use crate::paths::{BotHome, words};

use super::subject::Subject;

/// A stopper that is told nothing is gone after this long, or never.
const STOPPER_WITHIN: Duration = Duration::from_secs(2);

/// A keeper that comes or goes is asked again after this long.
const COMES_OR_GOES: Duration = Duration::from_millis(2);

/// Starts a stopper that has nothing to do, and sees it go.
pub(super) fn stopper(_subject: &Subject) -> Vec<Check> {
    let name = "stopper";
    vec![match idle_stopper() {
        // An order that it cannot understand is none: it says so and does nothing.
        Ok(Some(status)) if status.code() == Some(1) => Check::good(name, "it can be started"),
        Ok(Some(status)) => Check::bad(name, format!("a stopper was started, and did not do as it is to: {status}")),
        Ok(None) => Check::bad(name, "a stopper was started, and did not come to its end"),
        Err(why) => Check::bad(name, format!("no stopper can be started: {why}")),
    }]
}

fn idle_stopper() -> Result<Option<ExitStatus>, String> {
    let mut stopper = ourselves(STOPPER_ROLE, "-", &())?;
    let until = clock::now().plus(STOPPER_WITHIN);
    loop {
        match stopper.try_wait() {
            Ok(None) if clock::now() < until => std::thread::sleep(Duration::from_millis(1)),
            Ok(None) => {
                let _ = stopper.kill();
                let _ = stopper.wait();
                return Ok(None);
            }
            Ok(Some(status)) => return Ok(Some(status)),
            Err(error) => return Err(words(&error)),
        }
    }
}

/// Calls every keeper there is, all at once.
pub(super) fn answer(subject: &Subject) -> Vec<Check> {
    let name = "keepers";
    let homes: Vec<_> = subject.bots.iter().map(|bot| (&bot.name, subject.home.bot(&bot.name))).collect();
    let heard: Vec<(String, Heard)> = std::thread::scope(|scope| {
        let calls: Vec<_> = homes
            .iter()
            .map(|(name, bot)| {
                let thread = std::thread::Builder::new().spawn_scoped(scope, || call(bot));
                (name.to_string(), thread.map_err(|_| call(bot)))
            })
            .collect();
        calls
            .into_iter()
            .map(|(name, call)| {
                let lost = Heard::Trouble("its keeper was not asked".into());
                (name, call.map_or_else(|heard| heard, |call| call.join().unwrap_or(lost)))
            })
            .collect()
    });
    let troubles: Vec<String> = heard
        .iter()
        .filter_map(|(name, heard)| match heard {
            Heard::Trouble(why) => Some(format!("{name}: {why}")),
            Heard::Nobody | Heard::Answer => None,
        })
        .collect();
    let answers = heard.iter().filter(|(_, heard)| *heard == Heard::Answer).count();
    vec![match (troubles.is_empty(), answers) {
        (false, _) => Check::bad(name, troubles.join("; ")),
        (true, 0) => Check::good(name, "there is none: no bot runs"),
        (true, 1) => Check::good(name, "the one there is answers"),
        (true, many) => Check::good(name, format!("all {many} answer")),
    }]
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// There is no keeper.
    Nobody,
    Answer,
    Trouble(String),
}

/// One that comes has its lock before its socket, and one that leaves has it longer: that is put up with for as long as
/// silence is.
fn call(bot: &BotHome) -> Heard {
    let until = clock::now().plus(PATIENCE);
    loop {
        match lock::look(&bot.keeper_lock()) {
            LockSeen::Held => {}
            LockSeen::Free => return Heard::Nobody,
            LockSeen::Unreadable(why) => return Heard::Trouble(why),
        }
        match Client::call(bot) {
            Ok(_) => return Heard::Answer,
            Err(Trouble::Nobody(_) | Trouble::Gone) if clock::now() < until => std::thread::sleep(COMES_OR_GOES),
            Err(trouble) => return Heard::Trouble(trouble.to_string()),
        }
    }
}
