//! A fresh look at a desk that is latched: who lives, and which orders are open. What was reported before does not count.

use std::time::Duration;

use crate::cluster::{Obstacle, sight};
use crate::config::{self, last_good};
use crate::core::bot::{BotName, BotSpec, Mode, Protective};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_report::ClusterReport;
use crate::core::code::Code;
use crate::core::ledger::{Ledger, Which};
use crate::core::order::Reading;
use crate::core::report::{BotReport, ProcessReport, StopOutcome, Tier};
use crate::core::status::{RecordSeen, Voice};
use crate::core::summary::NOT_CONFIRMED;
use crate::core::words::masked;
use crate::logs::harmless::harmless;
use crate::orders::book::{self, SourceSeen};
use crate::orders::has_placed_none;
use crate::owner::owner;
use crate::paths::{Home, words};
use crate::process;
use crate::readers::Readers;
use crate::survey::{Pass, Sight, see_all};

/// So long orders are waited for, as by `orders`.
const ORDERS_WITHIN: Duration = Duration::from_secs(10);
/// So long clusters' files are waited for.
const CHUNKS_WITHIN: Duration = Duration::from_secs(5);
/// So many orders of a bot are named one by one.
const NAMED: usize = 20;

/// What there is to see of a desk.
pub(super) struct Afresh {
    /// Every bot of the configuration, or of the last good one, and every other one that has a folder here.
    pub(super) bots: Vec<BotReport>,
    /// Every cluster of it.
    pub(super) clusters: Vec<ClusterReport>,
    /// What could not be looked at, and what that comes to.
    pub(super) errors: Vec<(Code, String)>,
}

/// Looks at everything, processes first: what is read of orders counts only after the last of them.
pub(super) fn look(home: &Home, config: Option<&std::path::Path>) -> Afresh {
    let mut errors = Vec::new();
    let recorded = home.recorded().unwrap_or_else(|error| {
        let why = format!("{}: {}: who has run, and may live, is not known", home.bots().display(), words(&error));
        // Whoever cannot be looked for may live.
        errors.push((Code::Survived, why));
        Vec::new()
    });
    let is_new = recorded.is_empty() && errors.is_empty();
    let (specs, clusters) = configured(home, config, is_new).unwrap_or_else(|why| {
        errors.push((Code::NotAsked, why));
        (Vec::new(), Vec::new())
    });
    let mut names: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
    names.extend(recorded.into_iter().filter(|name| !specs.iter().any(|spec| spec.name == *name)));
    let pass = Pass::make(home, &specs);
    errors.extend(pass.trouble.clone().map(|why| (Code::Failed, why)));
    let marked: Vec<BotName> = pass.marked.names().filter(|name| !names.contains(name)).cloned().collect();
    names.extend(marked);
    let sights = see_all(home, &names, &pass.marked);
    let sources = book::look_everywhere(home, &names, &specs, ORDERS_WITHIN);
    let clusters = chunks(home, &clusters, &specs);
    let bots = sights
        .iter()
        .map(|sight| {
            let spec = specs.iter().find(|spec| spec.name == sight.name);
            let mut report = life(sight, &pass);
            report.mode = Some(mode(home, sight, spec));
            orders(home, &mut report, sight, spec, &sources);
            report
        })
        .collect();
    Afresh { bots, clusters, errors }
}

/// Bots and clusters.
type Configured = (Vec<BotSpec>, Vec<ClusterSpec>);

/// Those of the configuration, or of the last good one where it cannot be read. Where neither can be, nobody knows for
/// whom to look; none are missing where nothing was ever configured, and nothing has run.
fn configured(home: &Home, config: Option<&std::path::Path>, is_new: bool) -> Result<Configured, String> {
    let why = match config.map(config::read) {
        Some(Ok(config)) => return Ok((config.bots, config.clusters)),
        Some(Err(mistakes)) => {
            let first = mistakes.first().map(|mistake| harmless(mistake.to_string().as_bytes())).unwrap_or_default();
            format!("the configuration cannot be read ({first})")
        }
        None => "there is no configuration".to_owned(),
    };
    match last_good::read(home) {
        Ok(config) => Ok((config.bots, config.clusters)),
        Err(_) if config.is_none() && is_new && !was_kept(home) => Ok((Vec::new(), Vec::new())),
        Err(_) => Err(format!(
            "{why}, nor can the last good one: which bots there are, what may live of them and where their orders are is not known"
        )),
    }
}

/// What clusters' files say now: whatever says that it runs was not put back, or was claimed since.
fn chunks(home: &Home, clusters: &[ClusterSpec], bots: &[BotSpec]) -> Vec<ClusterReport> {
    if clusters.is_empty() {
        return Vec::new();
    }
    let sights = sight::see(home, &Readers::new(), clusters, bots, &[], CHUNKS_WITHIN);
    let report = |sight: sight::Sight| {
        let mut report = ClusterReport { untouched: true, ..ClusterReport::new(sight.cluster.name.clone()) };
        match sight.reading {
            Ok(census) => {
                report.read(census.counts);
                if census.counts.running > 0 {
                    report.errors.push(format!(
                        "{} of its chunks say that they run: cluster stop {} puts them back",
                        census.counts.running, sight.cluster.name
                    ));
                }
            }
            // Whoever makes it has not begun.
            Err(failure) if failure.obstacle == Obstacle::Missing => report.notes.push(failure.why),
            Err(failure) => {
                report.unasked = true;
                report.errors.push(failure.why);
            }
        }
        report
    };
    sights.into_iter().map(report).collect()
}

/// Whether a configuration was ever kept here; one that cannot be looked for may have been.
fn was_kept(home: &Home) -> bool {
    let kept = std::fs::symlink_metadata(last_good::path(home));
    kept.map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |_| true)
}

/// Whether anything of it lives, whoever has started it.
fn life(sight: &Sight, pass: &Pass) -> BotReport {
    let mut report = BotReport { outcome: Some(StopOutcome::NotRunning), ..BotReport::new(sight.name.clone()) };
    let verdict = &sight.verdict;
    let mut add = |pid: i32, found_by: Tier| {
        if !report.processes.iter().any(|process| process.pid == pid) {
            let command = process::command_line(pid);
            report.processes.push(ProcessReport { pid, command, found_by, file: None, ended_by: None });
        }
    };
    if !verdict.state.is_at_rest() {
        match &sight.evidence.voice {
            Voice::Said(snapshot) => snapshot
                .processes
                .iter()
                .filter(|process| process.alive)
                .for_each(|process| add(process.pid, Tier::Keeper)),
            Voice::NotAsked | Voice::Silent(_) | Voice::Foreign(_) => {
                if sight.evidence.main_alive {
                    verdict.pid.into_iter().for_each(|pid| add(pid, Tier::PidFile));
                }
                sight.evidence.marked.iter().for_each(|pid| add(*pid, Tier::Search));
            }
        }
    }
    for stray in pass.strays(&sight.name) {
        add(stray.pid, stray.tier);
    }
    if !verdict.state.is_at_rest() || !report.processes.is_empty() {
        report.outcome = Some(StopOutcome::Survived);
        report.pid = verdict.pid;
        let note = if verdict.note.is_empty() { String::new() } else { format!(": {}", verdict.note) };
        if report.processes.is_empty() {
            report.errors.push(format!("it is {}{note}", verdict.state));
        }
        for process in &report.processes {
            let owner = owner(process.pid).map(|owner| format!(", owned by {owner}")).unwrap_or_default();
            report.errors.push(format!("pid {} ({}) lives{owner}", process.pid, masked(&process.command)));
        }
    }
    for process in &report.processes {
        if !report.found_by.contains(&process.found_by) {
            report.found_by.push(process.found_by);
        }
    }
    report.found_by.sort_unstable();
    report.errors.extend(pass.search.of(&sight.name).errors.iter().cloned());
    report
}

/// What its orders are worth depends on the run that placed them. Where nobody knows which that was, they count as real.
fn mode(home: &Home, sight: &Sight, spec: Option<&BotSpec>) -> Mode {
    match &sight.evidence.record {
        RecordSeen::Read(record) => record.mode,
        RecordSeen::Unreadable(_) => Mode::Live,
        RecordSeen::None => {
            let has_run =
                std::fs::read_dir(home.bot(&sight.name).log_dir()).is_ok_and(|mut logs| logs.next().is_some());
            spec.map(|spec| spec.mode).filter(|_| !has_run).unwrap_or(Mode::Live)
        }
    }
}

/// Which of its orders are open, wherever they may be.
fn orders(home: &Home, report: &mut BotReport, sight: &Sight, spec: Option<&BotSpec>, sources: &[SourceSeen]) {
    let recorded = || sight.record().and_then(|record| record.cancel.as_ref());
    let cancel = spec.and_then(|spec| spec.cancel.as_ref()).or_else(recorded);
    let protective = cancel.map_or(Protective::Cancel, |cancel| cancel.protective);
    let mut whole: Option<Reading> = None;
    for source in sources.iter().filter(|source| source.bot == sight.name) {
        // What never ran has placed nothing, and its file is not there for that.
        let configured = spec.and_then(|spec| spec.orders.as_ref());
        let is_new = configured.is_some_and(|source| has_placed_none(home, &sight.name, source));
        if let Some(why) = source.error.as_ref().filter(|_| !is_new) {
            report.unasked = true;
            report.errors.push(format!("its orders cannot be read: {}", harmless(why.as_bytes())));
        }
        let Some(reading) = &source.reading else { continue };
        match &mut whole {
            None => whole = Some(reading.clone()),
            // What stands in two places is one order.
            Some(whole) => {
                let new: Vec<_> = reading
                    .orders
                    .iter()
                    .filter(|order| whole.orders.iter().all(|known| known.key() != order.key()))
                    .collect();
                whole.orders.extend(new.into_iter().cloned());
            }
        }
    }
    let mut ledger = Ledger::new(report.mode, protective, Which::All);
    if let Some(reading) = &whole {
        ledger.take_in(reading);
    }
    let is_verified = !report.survived() && !report.unasked;
    report.orders = ledger.report(is_verified);
    let open = ledger.to_cancel();
    for order in open.iter().take(NAMED) {
        report.errors.push(format!("{NOT_CONFIRMED}{}; check at the venue", harmless(order.name().as_bytes())));
    }
    if open.len() > NAMED {
        report.errors.push(format!("{NOT_CONFIRMED}{} more", open.len() - NAMED));
    }
    let kept = ledger.kept().count();
    if kept > 0 {
        report.notes.push(format!("{kept} left open by policy, for they are protective"));
    }
    if report.orders.is_none() && !report.unasked {
        let has_source = sources.iter().any(|source| source.bot == sight.name && source.source.is_some());
        let why = if has_source { "it has never run here" } else { "no source of its orders is configured" };
        report.notes.push(format!("{why}, so its orders are unknown"));
    }
}
