//! Whether what is to cancel orders could be executed.

use std::ffi::OsString;

use crate::config;
use crate::core::bot::Mode;
use crate::core::readiness::Check;
use crate::orders::Surroundings;
use crate::orders::program::become_on_this_thread;
use crate::paths::words;
use crate::sys::Identity;

use super::subject::{Bot, Subject};

/// Looks for the program of every cancel command, as the bot's user and with its variables; nothing is run.
pub(super) fn executable(subject: &Subject) -> Vec<Check> {
    let name = "cancel commands";
    let (mut troubles, mut harmless, mut count) = (Vec::new(), Vec::new(), 0);
    for bot in &subject.bots {
        let (Some(cancel), Some(surroundings)) = (bot.cancel(), bot.surroundings()) else { continue };
        count += 1;
        if let Some(why) = trouble(&cancel.command, &surroundings) {
            // In dry-run nothing is canceled.
            let of = if bot.mode() == Mode::DryRun { &mut harmless } else { &mut troubles };
            of.push(format!("{}: {why}", bot.name));
        }
    }
    let mut checks = vec![match (troubles.is_empty(), harmless.is_empty(), count) {
        (false, _, _) => {
            troubles.extend(harmless);
            Check::bad(name, format!("cannot be executed: {}", troubles.join("; ")))
        }
        (true, false, _) => Check::warning(name, format!("cannot be executed, in dry-run: {}", harmless.join("; "))),
        (true, true, 0) => Check::good(name, "none is configured"),
        (true, true, 1) => Check::good(name, "the one there is can be executed"),
        (true, true, many) => Check::good(name, format!("all {many} can be executed")),
    }];
    let alone: Vec<&str> = subject.bots.iter().filter(|bot| is_alone(bot)).map(|bot| bot.name.as_str()).collect();
    if let [_, ..] = alone.as_slice() {
        let who =
            if alone.len() == 1 { "only the bot itself can cancel" } else { "only the bots themselves can cancel" };
        checks.push(Check::warning("canceling", format!("{}: no cancel command, so {who}", alone.join(", "))));
    }
    checks
}

/// Whether it has orders that matter, and nobody but itself can cancel them.
fn is_alone(bot: &Bot) -> bool {
    let Some(source) = bot.orders() else { return false };
    bot.mode() != Mode::DryRun && bot.cancel().is_none() && source.api().is_none()
}

fn trouble(command: &[String], surroundings: &Surroundings) -> Option<String> {
    let (env, identity) = match surroundings.environment() {
        Ok(found) => found,
        Err(why) => return Some(why),
    };
    let path: Option<OsString> = env
        .into_iter()
        .rev()
        .find(|(name, _)| name == "PATH")
        .map(|(_, path)| path)
        .or_else(|| std::env::var_os("PATH"));
    let look = || config::not_a_program(command, &surroundings.cwd, path.as_deref());
    match identity {
        None => look(),
        Some(identity) => as_user(&identity, look).unwrap_or_else(Some),
    }
}

/// Has a thread become that user and look.
fn as_user<T: Send>(identity: &Identity, look: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, || {
            become_on_this_thread(identity)
                .map_err(|error| format!("cannot be looked for as its user: {}", words(&error)))?;
            Ok(look())
        });
        match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err("the thread that was to look has ended".into())),
            Err(error) => Err(format!("no thread can be had: {}", words(&error))),
        }
    })
}
