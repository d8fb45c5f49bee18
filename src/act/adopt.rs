//! `adopt`: what lives without a keeper comes under one, with its process number unchanged.

use std::time::Duration;

use crate::clock;
use crate::core::bot::{BotName, BotSpec, Ready, RestartPolicy};
use crate::core::record::{ProcessId, RunRecord};
use crate::core::report::{StartOutcome, StartedBot};
use crate::core::state::State;
use crate::latch;
use crate::launch::{Begin, Launch, Word, launch};
use crate::paths::Home;
use crate::process;
use crate::survey::{Marked, Sight, see_all};

use super::audit;

/// Puts bots that live without a keeper under one, without restarting them. `specs` are the configured bots: one that
/// is not among them is kept by what its run record says. One entry a bot, in order.
pub fn adopt(home: &Home, specs: &[BotSpec], names: &[BotName], by: &str, wait: Duration) -> Vec<StartedBot> {
    let marked = Marked::search(home);
    see_all(home, names, &marked)
        .into_iter()
        .map(|sight| {
            let spec = specs.iter().find(|spec| spec.name == sight.name);
            adopt_one(home, spec, &sight, by, wait)
        })
        .collect()
}

fn adopt_one(home: &Home, spec: Option<&BotSpec>, sight: &Sight, by: &str, wait: Duration) -> StartedBot {
    let entry = |outcome, pid: Option<i32>, message: &str| StartedBot {
        name: sight.name.clone(),
        outcome,
        pid,
        message: message.to_owned(),
    };
    if latch::is_latched(home) {
        return entry(StartOutcome::Latched, None, "the emergency stop is latched");
    }
    let pid = sight.verdict.pid;
    match sight.verdict.state {
        State::Running | State::Starting | State::Stopping | State::Backoff => {
            entry(StartOutcome::AlreadyRunning, pid, "has a keeper already")
        }
        State::Stopped | State::Exited | State::Crashed | State::Failed => {
            entry(StartOutcome::Refused, None, "nothing of it lives: there is nothing to adopt")
        }
        State::Unknown => entry(StartOutcome::Refused, pid, &format!("unknown: {}", sight.verdict.note)),
        State::Orphaned => spec
            .cloned()
            .or_else(|| sight.record().map(as_spec))
            .and_then(|spec| take(home, &spec, &[], by, wait))
            .unwrap_or_else(|| entry(StartOutcome::Refused, None, "it ended before it could be adopted")),
    }
}

/// Puts a living bot under a new keeper, without restarting it. Nothing to tell if nothing of it lives any more.
pub(super) fn take(home: &Home, spec: &BotSpec, strays: &[ProcessId], by: &str, wait: Duration) -> Option<StartedBot> {
    let _ = audit(home, &spec.name, "adopt", by);
    let entry =
        |outcome, pid: Option<i32>, message: String| StartedBot { name: spec.name.clone(), outcome, pid, message };
    let mut launched = match launch(home, spec, Begin::Adopt { strays: strays.to_vec() }, by) {
        Ok(launched) => launched,
        Err(why) => return Some(entry(StartOutcome::Failed, None, why)),
    };
    let told = match launched.wait(clock::now().plus(wait)) {
        Launch::Said(Word::Ready, pid) => {
            let pid_text = pid.map_or(String::new(), |pid| format!(" (pid {pid})"));
            entry(StartOutcome::Adopted, pid, format!("has a keeper again{pid_text}; it was not restarted"))
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
