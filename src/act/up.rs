//! `up`: what should be running runs afterwards, and what lives without a keeper has one.

use std::time::Duration;

use crate::core::bot::{BotName, BotSpec};
use crate::core::report::{StartOutcome, StartedBot};
use crate::core::state::State;
use crate::core::status::should_run;
use crate::latch;
use crate::paths::Home;
use crate::process;
use crate::survey::{Marked, Sight, see_all};
use crate::who;

use super::adopt::{as_spec, take};
use super::audit;
use super::start::{Reason, start_for};

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
                    let _ = audit(home, &spec.name, "up", by, who::tty().as_deref());
                    entries.extend(take(home, &spec, &[], false, by, wait));
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
    entries.extend(start_for(home, &to_start, Reason::Due, by, wait));
    entries
}

fn is_wanted(spec: &BotSpec, sight: &Sight) -> bool {
    should_run(spec.autostart, sight.evidence.down.is_some(), sight.record(), process::boot_id())
}
