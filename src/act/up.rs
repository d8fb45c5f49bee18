//! `up`: what should be running runs afterwards, and what lives without a keeper has one.

use std::time::Duration;

use crate::clock;
use crate::core::bot::{BotName, BotSpec, Ready, RestartPolicy};
use crate::core::record::RunRecord;
use crate::core::report::{StartOutcome, StartedBot};
use crate::core::state::State;
use crate::core::status::should_run;
use crate::latch;
use crate::launch::{Begin, Launch, Word, launch};
use crate::paths::Home;
use crate::process;
use crate::survey::{Marked, Sight, see_all};

use super::audit;
use super::start::{Wish, start_for};

/// Starts what should be running and takes orphans back. Bots about which there is nothing to do have no entry.
pub fn up(home: &Home, specs: &[BotSpec], by: &str, wait: Duration) -> Vec<StartedBot> {
    if latch::is_latched(home) {
        let latched = |spec: &BotSpec| StartedBot {
            name: spec.name.clone(),
            outcome: StartOutcome::Latched,
            pid: None,
            message: "the emergency stop is latched".into(),
        };
        return specs.iter().map(latched).collect();
    }
    let mut names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
    let recorded = home.recorded().unwrap_or_default();
    names.extend(recorded.into_iter().filter(|name| !specs.iter().any(|spec| spec.name == *name)));
    let mut entries = Vec::new();
    let mut to_start = Vec::new();
    for sight in see_all(home, &names, &Marked::search(home)) {
        let spec = specs.iter().find(|spec| spec.name == sight.name);
        match sight.verdict.state {
            State::Orphaned => {
                if let Some(spec) = spec.cloned().or_else(|| sight.record().map(as_spec)) {
                    // It may have ended since it was looked at: then there is nothing to do.
                    entries.extend(adopt(home, &spec, by, wait));
                }
            }
            State::Unknown => entries.push(StartedBot {
                name: sight.name.clone(),
                outcome: StartOutcome::Refused,
                pid: sight.verdict.pid,
                message: format!("unknown: {}", sight.verdict.note),
            }),
            State::Stopped | State::Exited | State::Crashed | State::Failed => {
                to_start.extend(spec.filter(|spec| is_wanted(spec, &sight)).cloned());
            }
            State::Starting | State::Running | State::Stopping | State::Backoff => {}
        }
    }
    entries.extend(start_for(home, &to_start, Wish::Due, by, wait));
    entries
}

fn is_wanted(spec: &BotSpec, sight: &Sight) -> bool {
    should_run(spec.autostart, sight.evidence.down.is_some(), sight.record(), process::boot_id())
}

/// Puts a living bot under a new keeper, without restarting it. Nothing to tell if nothing of it lives any more.
pub(super) fn adopt(home: &Home, spec: &BotSpec, by: &str, wait: Duration) -> Option<StartedBot> {
    let _ = audit(home, &spec.name, "adopt", by);
    let entry =
        |outcome, pid: Option<i32>, message: String| StartedBot { name: spec.name.clone(), outcome, pid, message };
    let mut launched = match launch(home, spec, Begin::Adopt, by, None) {
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
