//! `adopt`: what lives without a keeper comes under one, with its process number unchanged.

use std::time::Duration;

use crate::clock;
use crate::core::bot::{BotName, BotSpec, Ready, RestartPolicy};
use crate::core::record::{ProcessId, RunRecord};
use crate::core::report::{LATCHED, StartOutcome, StartedBot};
use crate::core::state::State;
use crate::latch;
use crate::launch::{Begin, Launch, Word, launch};
use crate::paths::{Home, words};
use crate::process;
use crate::record;
use crate::search::Finding;
use crate::survey::{Pass, Sight, see_all};
use crate::who;

use super::refused::latch_refuses;
use super::{audit, whole_desk};

/// What is said of a bot at rest.
pub const NOTHING_TO_ADOPT: &str = "nothing of it lives: there is nothing to adopt";

/// Puts bots that live without a keeper under one, without restarting them. `specs` are the configured bots: one that
/// is not among them is kept by what its run record says. One entry a bot, in order.
pub fn adopt(home: &Home, specs: &[BotSpec], names: &[BotName], by: &str, wait: Duration) -> Vec<StartedBot> {
    let pass = Pass::make(home, &whole_desk(home, specs));
    see_all(home, names, &pass.marked)
        .into_iter()
        .map(|sight| {
            let spec = specs.iter().find(|spec| spec.name == sight.name);
            let strays = pass.strays(&sight.name);
            // Whose it is, only somebody who names one bot can say.
            if let Some(other) = strays.iter().flat_map(|stray| &stray.shared_with).find(|other| names.contains(other))
            {
                let why = format!("what lives may be its own or that of {other}: adopt it by one name");
                let pid = strays.first().map(|stray| stray.pid);
                return StartedBot { name: sight.name, outcome: StartOutcome::Refused, pid, message: why };
            }
            adopt_one(home, spec, &sight, &strays, by, wait)
        })
        .collect()
}

fn adopt_one(
    home: &Home,
    spec: Option<&BotSpec>,
    sight: &Sight,
    strays: &[&Finding],
    by: &str,
    wait: Duration,
) -> StartedBot {
    let entry =
        |outcome, pid: Option<i32>, message: String| StartedBot { name: sight.name.clone(), outcome, pid, message };
    if latch::is_latched(home) {
        latch_refuses(home, "adopt", std::slice::from_ref(&sight.name), by);
        return entry(StartOutcome::Latched, None, LATCHED.into());
    }
    let pid = sight.verdict.pid;
    let spec = spec.cloned().or_else(|| sight.record().map(as_spec));
    let stray = match (sight.verdict.state, strays) {
        (State::Running | State::Starting | State::Stopping | State::Backoff, []) => {
            return entry(StartOutcome::AlreadyRunning, pid, "has a keeper already".into());
        }
        (State::Running | State::Starting | State::Stopping | State::Backoff, [stray, ..]) => {
            let why = format!("it has a keeper already, and pid {} beside it can only be stopped", stray.pid);
            return entry(StartOutcome::Refused, Some(stray.pid), why);
        }
        (State::Stopped | State::Exited | State::Crashed | State::Failed, []) => {
            return entry(StartOutcome::Refused, None, NOTHING_TO_ADOPT.into());
        }
        (State::Stopped | State::Exited | State::Crashed | State::Failed, [stray]) => Some(stray),
        (State::Stopped | State::Exited | State::Crashed | State::Failed, [_, ..]) => {
            let pids: Vec<String> = strays.iter().map(|stray| stray.pid.to_string()).collect();
            let why = format!("{} look like it (pid {}), and it runs once: stop them", strays.len(), pids.join(", "));
            return entry(StartOutcome::Refused, None, why);
        }
        (State::Unknown, _) => {
            return entry(StartOutcome::Refused, pid, format!("unknown: {}", sight.verdict.note));
        }
        (State::Orphaned, _) => None,
    };
    let ids: Vec<ProcessId> = stray
        .and_then(|stray| process::identify(stray.pid).filter(|id| id.start_time == stray.start_time))
        .into_iter()
        .collect();
    let _ = audit(home, &sight.name, "adopt", by, who::tty().as_deref());
    if let Err(error) = record::clear_down(&home.bot(&sight.name)) {
        return entry(StartOutcome::Failed, pid, format!("cannot remove its mark 'down': {}", words(&error)));
    }
    spec.and_then(|spec| take(home, &spec, &ids, false, by, wait))
        .unwrap_or_else(|| entry(StartOutcome::Refused, None, "it ended before it could be adopted".into()))
}

/// Puts a living bot under a new keeper, without restarting it. `asked`: the keeper will be asked to end it at once.
/// Nothing to tell if nothing of it lives any more.
pub(super) fn take(
    home: &Home,
    spec: &BotSpec,
    strays: &[ProcessId],
    asked: bool,
    by: &str,
    wait: Duration,
) -> Option<StartedBot> {
    let entry =
        |outcome, pid: Option<i32>, message: String| StartedBot { name: spec.name.clone(), outcome, pid, message };
    let mut launched = match launch(home, spec, Begin::Adopt { strays: strays.to_vec(), asked }, by) {
        Ok(launched) => launched,
        Err(why) => return Some(entry(StartOutcome::Failed, None, why)),
    };
    let told = match launched.wait(clock::now().plus(wait)) {
        Launch::Said(Word::Ready, pid) => {
            let pid_text = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            let what = if strays.is_empty() {
                format!("has a keeper again{pid_text}; it was not restarted")
            } else {
                format!("has a keeper now{pid_text}; it was not restarted, and its output stays where it was")
            };
            entry(StartOutcome::Adopted, pid, what)
        }
        Launch::Said(Word::AtRest, _) => return None,
        Launch::Said(Word::Taken, pid) => entry(StartOutcome::Adopted, pid, "has a keeper already".into()),
        Launch::Said(Word::Failed { why, trying: true }, pid) => entry(StartOutcome::Adopted, pid, why),
        Launch::Said(Word::Failed { why, trying: false }, pid) => entry(StartOutcome::Failed, pid, why),
        Launch::Said(Word::Latched, pid) => entry(StartOutcome::Latched, pid, "the emergency stop is latched".into()),
        Launch::Said(Word::Executing { .. }, pid) | Launch::Waiting(pid) => {
            entry(StartOutcome::StillStarting, pid, "its new keeper has not said that it has it".into())
        }
        Launch::Died => entry(StartOutcome::Failed, None, "its new keeper died".into()),
    };
    Some(told)
}

/// A specification for a bot of which nothing is left but its processes. Its mode is not known, so it counts as live.
pub(super) fn as_found(name: &BotName, pid: i32) -> BotSpec {
    let command = process::command_line(pid).split(' ').map(str::to_owned).collect();
    as_spec(&RunRecord {
        argv: command,
        cwd: process::folder(pid).unwrap_or_else(|| "/".into()),
        ..RunRecord::unknown(name.clone(), clock::wall())
    })
}

/// A specification for a bot that the configuration does not name any more: what its record says, and nothing that
/// would start it again.
pub(super) fn as_spec(record: &RunRecord) -> BotSpec {
    BotSpec {
        name: record.bot.clone(),
        command: record.argv.clone(),
        cwd: record.cwd.clone(),
        mode: record.mode,
        groups: record.groups.clone(),
        autostart: false,
        env: std::collections::BTreeMap::new(),
        env_file: None,
        user: record.user.clone(),
        restart: RestartPolicy::Never,
        backoff: crate::core::bot::Backoff::default(),
        stop: record.ladder.clone(),
        ready: Ready::Executing,
        pid_file: record.pid_file.clone(),
        find: record.find.clone(),
        log_file: record.log_file.clone(),
        state_file: record.state_file.clone(),
        log: record.log,
        orders: record.orders.clone(),
        cancel: record.cancel.clone(),
        claims: record.claims.clone(),
    }
}
