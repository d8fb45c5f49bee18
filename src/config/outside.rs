//! What a configuration says of the machine that is not so, or not yet. None of it is a mistake: a folder may be
//! mounted later, a program installed later. `check` tells it all the same.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::Path;

use rustix::fs::{Access, access};
use serde::Serialize;

use super::desk::Config;
use crate::core::bot::{BotSpec, OrderSource};
use crate::core::signal::Signal;
use crate::paths::words;

/// Something that will probably go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The key (`bots.momentum.cwd`).
    pub key: String,
    /// What is not there, or not as it should be.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Compares a configuration with the machine. Nothing is run and nothing is opened for writing.
pub fn outside_warnings(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for bot in &config.bots {
        let base = bot.name.base();
        if !seen.contains(&base) {
            seen.push(base);
            let mut warn = |key: &str, message: String| {
                warnings.push(Warning { key: format!("bots.{base}.{key}"), message });
            };
            of_bot(bot, &mut warn);
            shared_pid_file(bot, config, &mut warn);
        }
    }
    for cluster in &config.clusters {
        let mut warn = |key: &str, message: String| {
            warnings.push(Warning { key: format!("clusters.{}.{key}", cluster.name), message });
        };
        missing_file("database", &cluster.database, &mut warn);
        if cluster.coordinator.is_none() && cluster.workers.is_empty() {
            warn("workers", "no bot works on this cluster: name its coordinator, its workers or both".to_owned());
        }
    }
    warnings
}

fn of_bot(bot: &BotSpec, warn: &mut impl FnMut(&str, String)) {
    match std::fs::metadata(&bot.cwd) {
        Ok(about) if about.is_dir() => {}
        Ok(_) => warn("cwd", format!("{} is not a folder", bot.cwd.display())),
        Err(error) => warn("cwd", format!("{}: {}", bot.cwd.display(), words(&error))),
    }
    program("command", &bot.command, bot, warn);
    if let Some(file) = &bot.env_file {
        missing_file("env_file", file, warn);
    }
    if let Some(user) = &bot.user {
        match nix::unistd::User::from_name(user) {
            Ok(Some(_)) => {}
            Ok(None) => warn("user", format!("this machine has no user {user:?}")),
            Err(error) => warn("user", format!("{user:?} cannot be looked up: {error}")),
        }
    }
    if bot.stop.0.last().is_some_and(|rung| rung.signal != Signal::KILL) {
        warn("stop", "does not end with SIGKILL: a bot that ignores every signal of it survives each stop".to_owned());
    }
    match &bot.orders {
        Some(
            OrderSource::Freqtrade { path, .. }
            | OrderSource::Hummingbot { path }
            | OrderSource::StateJson { path }
            | OrderSource::Sql { path, .. },
        ) => missing_file("orders.path", path, warn),
        Some(OrderSource::Command { command, .. }) => program("orders.command", command, bot, warn),
        None => {}
    }
    if let Some(cancel) = &bot.cancel {
        program("cancel.command", &cancel.command, bot, warn);
    }
}

fn missing_file(key: &str, path: &Path, warn: &mut impl FnMut(&str, String)) {
    if let Err(error) = std::fs::metadata(path) {
        warn(key, format!("{}: {}", path.display(), words(&error)));
    }
}

/// Whether a program could be executed, found as it is at a spawn: in `cwd` with a slash in its name, else along PATH.
fn program(key: &str, command: &[String], bot: &BotSpec, warn: &mut impl FnMut(&str, String)) {
    let path = bot.env.get("PATH").map(OsString::from).or_else(|| std::env::var_os("PATH"));
    if let Some(why) = not_a_program(command, &bot.cwd, path.as_deref()) {
        warn(key, why);
    }
}

/// Why the first word of a command could not be executed by us in this folder, with this PATH; nothing if it could.
pub fn not_a_program(command: &[String], cwd: &Path, path: Option<&OsStr>) -> Option<String> {
    let name = command.first()?;
    if name.contains('/') {
        let path = cwd.join(name);
        return match std::fs::metadata(&path) {
            Ok(about) if about.is_file() && is_executable(&path) => None,
            Ok(_) => Some(format!("{} is not a program that may be executed", path.display())),
            Err(error) => Some(format!("{}: {}", path.display(), words(&error))),
        };
    }
    let found = path.is_some_and(|path| {
        std::env::split_paths(path).any(|folder| {
            let candidate = cwd.join(folder).join(name);
            candidate.is_file() && is_executable(&candidate)
        })
    });
    let hint = if name.contains(' ') { "; each argument is a string of its own in the array" } else { "" };
    (!found).then(|| format!("there is no program {name:?} on PATH{hint}"))
}

fn is_executable(path: &Path) -> bool {
    access(path, Access::EXEC_OK).is_ok()
}

/// Two bots that write the same PID file, or instances of one: the file names only the last that started.
fn shared_pid_file(bot: &BotSpec, config: &Config, warn: &mut impl FnMut(&str, String)) {
    let Some(file) = &bot.pid_file else { return };
    let other = config.bots.iter().find(|other| other.name != bot.name && other.pid_file.as_ref() == Some(file));
    if let Some(other) = other {
        warn("pid_file", format!("{} is that of {} too; it can name only one of them", file.display(), other.name));
    }
}
