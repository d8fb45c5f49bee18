//! `status`: what may be said of each bot, and since when.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::json;

use crate::clock;
use crate::cluster::sight;
use crate::config::last_good;
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::cluster::ClusterSpec;
use crate::core::cluster_status::ClusterStatus;
use crate::core::code::Code;
use crate::core::latch::LatchSeen;
use crate::core::readiness::{Check, EstopState};
use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::core::words::{Hands, whole_note};
use crate::doctor;
use crate::latch;
use crate::logs::harmless::harmless;
use crate::orders::book::{self, Asked, SourceSeen};
use crate::owner;
use crate::readers::Readers;
use crate::survey::Surveyor;
use crate::who;

use super::args::Scope;
use super::cluster_lines;
use super::desk::Desk;
use super::estop_words::verdict;
use super::output::Output;
use super::scope::{known, known_specs};

/// Counts of orders are waited for no longer: the rest of what there is to see is worth more than they are.
const ORDERS_WITHIN: Duration = Duration::from_secs(2);

/// Shows the bots of the configuration, and others that have something to say.
pub(super) fn run(desk: &Desk, bots: &[String], output: Output) -> Code {
    let scope = Scope { bots: bots.to_vec(), all: bots.is_empty(), ..Scope::default() };
    let wanted = match known(desk, &scope, output) {
        Ok(wanted) => wanted,
        Err(why) => {
            output.complain(&why);
            output.object(&json!({ "schema": 1, "ok": false, "exit_code": 2, "bots": [], "errors": [why] }));
            return Code::Usage;
        }
    };
    let configured = desk.config.as_ref().map(|config| config.bots.as_slice()).unwrap_or_default();
    let (clusters, all_bots) = clusters(desk, bots, &wanted);
    // What is claimed is checked against the bots of a cluster, whoever was asked for.
    let looked_at = |spec: &BotSpec| {
        wanted.contains(&spec.name) || clusters.iter().flat_map(ClusterSpec::bots).any(|bot| *bot == spec.name)
    };
    let specs: Vec<_> = configured.iter().filter(|spec| looked_at(spec)).cloned().collect();
    // Sources are read while everything else is looked at. So is whether an emergency stop would work, for scripts, which
    // reads them too: whoever sits there has 'doctor'.
    let counted = if output.json {
        Counted::Examined(examine_beside(desk))
    } else {
        Counted::Asked(book::ask(&desk.home, &wanted, &known_specs(desk), ORDERS_WITHIN))
    };
    let readers = Readers::new();
    let asked = sight::ask(&readers, &clusters, &all_bots, ORDERS_WITHIN);
    let surveyor = Surveyor::new(desk.home.clone());
    let mut surveyor = if desk.config.is_some() { surveyor } else { surveyor.without_configuration() };
    let mut seen = surveyor.look_twice(&specs);
    let clusters = clusters_seen(desk, asked, &seen);
    seen.retain(|bot| wanted.contains(&bot.name));
    let (checks, sources) = counted.collect();
    match sources {
        Some(sources) => count_orders(&mut seen, &sources, output),
        None => output.complain("orders unknown: their sources were not read in time"),
    }
    let estop = doctor::estop(&desk.home, &checks);
    if estop.state == EstopState::Latched {
        let latch = latch::look(&desk.home);
        for bot in &mut seen {
            mark_survivor(bot, &latch);
        }
    }
    if matches!(estop.state, EstopState::Latched | EstopState::InProgress) {
        output.line(&verdict(&estop, output));
    }
    if output.json {
        output.object(&json!({
            "schema": 1,
            "host": who::host(),
            "at": clock::wall(),
            "estop": estop,
            "bots": seen,
            "clusters": clusters,
        }));
    } else if seen.is_empty() {
        // No file at all, or one that is right but for having no bots, leaves no doubt.
        let none = desk.mistakes.iter().all(|mistake| mistake.file.as_os_str().is_empty() || mistake.key == "bots");
        output.line(match (wanted.is_empty(), none) {
            (true, true) => "no bots: neither configured nor recorded",
            (true, false) => "no bots: none is recorded, and the configuration cannot be read",
            (false, _) => "no bots: nothing of those recorded runs",
        });
    } else {
        table(&seen, output);
    }
    if !clusters.is_empty() {
        output.line("");
        cluster_lines::show_heads(&clusters, output);
    }
    // What could be seen is shown; that the configuration cannot be read is still said to scripts.
    if desk.config.is_none() { Code::Usage } else { Code::Done }
}

/// The clusters that there is something to say of, and every bot that is known: with bots that were named, the clusters that
/// these belong to.
fn clusters(desk: &Desk, named: &[String], wanted: &[BotName]) -> (Vec<ClusterSpec>, Vec<BotSpec>) {
    let last_good = desk.config.is_none().then(|| last_good::read(&desk.home).ok()).flatten();
    let Some(config) = desk.config.as_ref().or(last_good.as_ref()) else { return (Vec::new(), Vec::new()) };
    let is_meant = |cluster: &&ClusterSpec| named.is_empty() || cluster.bots().any(|bot| wanted.contains(bot));
    (config.clusters.iter().filter(is_meant).cloned().collect(), config.bots.clone())
}

/// What their files say beside what was seen of the bots.
fn clusters_seen(desk: &Desk, asked: sight::Asked, bots: &[BotStatus]) -> Vec<ClusterStatus> {
    let now = clock::wall();
    asked.collect(&desk.home, bots).iter().map(|sight| sight.status_with_pace(&desk.home, now)).collect()
}

/// Who reads the order sources: each is asked once.
enum Counted {
    Asked(Asked),
    Examined(Receiver<Examined>),
}

/// What an examination comes to, and what the order sources said to it.
type Examined = (Vec<Check>, Option<Vec<SourceSeen>>);

impl Counted {
    fn collect(self) -> Examined {
        match self {
            Self::Asked(asked) => (Vec::new(), Some(asked.collect())),
            // What could not be tried must not look as if it worked.
            Self::Examined(told) => told.recv().unwrap_or_else(|_| {
                (vec![Check::bad("emergency stop", "whether it would work could not be found out")], None)
            }),
        }
    }
}

/// Fills in how many orders are open, where somebody could say.
fn count_orders(seen: &mut [BotStatus], sources: &[SourceSeen], output: Output) {
    for bot in seen {
        let Some(source) = sources.iter().find(|source| source.bot == bot.name) else { continue };
        if let Some(reading) = &source.reading {
            bot.orders_active = Some(reading.orders.len() as u64);
            bot.orders_read_at = Some(reading.at);
        }
        if let Some(why) = &source.error {
            let why = harmless(why.replace(['\n', '\t'], " ").as_bytes());
            output.complain(&format!("{}: orders unknown: {why}", bot.name));
        }
    }
}

/// Examines the desk while everything else is looked at.
fn examine_beside(desk: &Desk) -> Receiver<Examined> {
    let (sender, told) = sync_channel(1);
    let (home, file) = (desk.home.clone(), desk.file.clone());
    let work = {
        let sender = sender.clone();
        move || {
            let _ = sender.send(doctor::examine_and_read(&home, file.as_deref()));
        }
    };
    if std::thread::Builder::new().spawn(work).is_err() {
        let _ = sender.send(doctor::examine_and_read(&desk.home, desk.file.as_deref()));
    }
    told
}

/// What a survivor is called: that it lives is nobody's wish.
const SURVIVES: &str = "lives although the emergency stop is latched";

/// The latch binds us alone: cron or systemd may start a bot behind its back, and then that is said.
fn mark_survivor(bot: &mut BotStatus, latch: &LatchSeen) {
    let lives = !bot.state.is_at_rest() || !bot.strays.is_empty();
    // A drill has nothing to do with live ones.
    if !lives || !latch.binds(bot.mode.unwrap_or(Mode::Live)) {
        return;
    }
    let owner = bot.strays.first().map(|stray| stray.pid).or(bot.pid).and_then(owner::owner);
    let owned = owner.map(|owner| format!("; owned by {owner}")).unwrap_or_default();
    let rest = if bot.note.is_empty() { String::new() } else { format!("; {}", bot.note) };
    bot.note = format!("{SURVIVES}{owned}{rest}");
}

fn table(bots: &[BotStatus], output: Output) {
    let header = ["NAME", "MODE", "STATE", "PID", "UP", "CPU", "MEM", "ORD", "RST", "NOTE"];
    let rows: Vec<[String; 10]> = bots.iter().map(row).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            rows.iter().map(|row| row[column].chars().count()).chain([header[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let print = |cells: &[String]| {
        let line: Vec<String> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line.join("  ").trim_end().to_owned()
    };
    output.line(&print(&header.map(str::to_owned)));
    for (row, bot) in rows.iter().zip(bots) {
        let line = print(row);
        let alarming = matches!(bot.state, State::Crashed | State::Failed | State::Orphaned | State::Unknown)
            || bot.note.starts_with(SURVIVES);
        output.line(&if alarming { output.red(&line) } else { line });
    }
}

fn row(bot: &BotStatus) -> [String; 10] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let state = match bot.was {
        Some(was) => format!("{} (was {was})", bot.state),
        None => bot.state.to_string(),
    };
    [
        bot.name.to_string(),
        bot.mode.map_or_else(|| "?".to_owned(), |mode| mode.to_string()),
        state,
        or_dash(bot.pid.map(|pid| pid.to_string())),
        or_dash(bot.uptime_s.map(uptime)),
        or_dash(bot.cpu_percent.map(|cpu| format!("{cpu:.1}%"))),
        or_dash(bot.memory_bytes.map(memory)),
        or_dash(bot.orders_active.map(|orders| orders.to_string())),
        or_dash(bot.restarts.map(|restarts| restarts.to_string())),
        whole_note(bot, Hands::Commands),
    ]
}

/// A time span in few characters.
pub(super) fn uptime(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days}d{hours:02}h")
    } else if hours > 0 {
        format!("{hours}h{minutes:02}m")
    } else if minutes > 0 {
        format!("{minutes}m{:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

fn memory(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 1024.0 { format!("{mib:.1}M") } else { format!("{:.1}G", mib / 1024.0) }
}
