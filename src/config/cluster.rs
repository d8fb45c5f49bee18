//! A cluster's table.

use super::item::{Item, Section};
use super::suggest::nearest;
use super::values::{bot_name, path, some_duration};
use crate::core::bot::BotName;
use crate::core::cluster::{ChunkColumns, ChunkValues, ClusterSpec, Combinations};

/// The keys of a cluster.
pub(super) const CLUSTER: &[&str] =
    &["database", "table", "columns", "values", "combinations", "coordinator", "workers", "lease"];
/// The keys of `columns`.
pub(super) const COLUMNS: &[&str] = &["id", "status", "worker", "started_at", "heartbeat"];
/// The keys of `values`.
pub(super) const VALUES: &[&str] = &["pending", "running", "completed", "failed"];
/// The keys of `combinations`.
pub(super) const COMBINATIONS: &[&str] = &["total", "tested"];

/// The names that the file gives bots, and how many instances each has, where that is known.
pub(super) type Bots = [(BotName, Option<u32>)];

/// Reads a table; nothing if something that is needed is missing or the name is bad, which is noted.
pub(super) fn cluster(section: &Section<'_>, name: Option<BotName>, bots: &Bots) -> Option<ClusterSpec> {
    let database = section.need("database", "the SQLite file that the chunks are in", path);
    let table = section.take("table", filled);
    let columns = section.take("columns", columns);
    let values = section.take("values", values);
    let combinations = section.take("combinations", combinations);
    let coordinator = section.take("coordinator", |item| coordinator(item, bots)).good();
    let workers = section.take("workers", |item| workers(item, bots, coordinator.as_ref()));
    let lease = section.take("lease", some_duration);
    Some(ClusterSpec {
        name: name?,
        database: database?,
        table: table.good().unwrap_or_else(|| ClusterSpec::TABLE.to_owned()),
        columns: columns.good().unwrap_or_default(),
        values: values.good().unwrap_or_default(),
        combinations: combinations.good().unwrap_or_default(),
        coordinator,
        workers: workers.good().unwrap_or_default(),
        lease: lease.good().unwrap_or(ClusterSpec::LEASE),
    })
}

fn filled(item: &Item<'_>) -> Option<String> {
    item.filled("a string").map(str::to_owned)
}

fn filled_or(section: &Section<'_>, key: &str, usual: String) -> String {
    section.take(key, filled).good().unwrap_or(usual)
}

fn columns(item: &Item<'_>) -> Option<ChunkColumns> {
    let section = item.section("`columns`", COLUMNS)?;
    let usual = ChunkColumns::default();
    Some(ChunkColumns {
        id: filled_or(&section, "id", usual.id),
        status: filled_or(&section, "status", usual.status),
        worker: filled_or(&section, "worker", usual.worker),
        started_at: filled_or(&section, "started_at", usual.started_at),
        heartbeat: section.take("heartbeat", filled).good(),
    })
}

fn values(item: &Item<'_>) -> Option<ChunkValues> {
    let section = item.section("`values`", VALUES)?;
    let usual = ChunkValues::default();
    let values = ChunkValues {
        pending: filled_or(&section, "pending", usual.pending),
        running: filled_or(&section, "running", usual.running),
        completed: filled_or(&section, "completed", usual.completed),
        failed: filled_or(&section, "failed", usual.failed),
    };
    // A chunk that is put back would count as running, or one that is done would be put back.
    let words = [&values.pending, &values.running, &values.completed, &values.failed];
    let twice = words.iter().enumerate().find(|(index, word)| words[..*index].contains(word));
    if let Some((_, word)) = twice {
        section.wrong(&format!("has {word:?} for two states of a chunk; each needs a word of its own"));
        return None;
    }
    Some(values)
}

fn combinations(item: &Item<'_>) -> Option<Combinations> {
    let section = item.section("`combinations`", COMBINATIONS)?;
    Some(Combinations { total: section.take("total", filled).good(), tested: section.take("tested", filled).good() })
}

/// The bots that a name means: itself, or every instance of it. Nothing if there is none, which is noted.
fn known(item: &Item<'_>, bots: &Bots) -> Option<Vec<BotName>> {
    let name = bot_name(item)?;
    let Some((_, count)) = bots.iter().find(|(bot, _)| bot.as_str() == name.base()) else {
        item.slip(match nearest(name.base(), bots.iter().map(|(bot, _)| bot.as_str())) {
            Some(meant) => format!("there is no bot {:?}, did you mean \"{meant}\"?", name.as_str()),
            None => format!("there is no bot {:?}; give it a table [bots.{}]", name.as_str(), name.base()),
        });
        return None;
    };
    let Some(count) = *count else {
        return Some(vec![name]);
    };
    match name.instance() {
        None if count == 1 => Some(vec![name]),
        None => Some((1..=count).map(|number| name.with_instance(number)).collect()),
        Some(number) if count > 1 && number <= count => Some(vec![name]),
        Some(_) => {
            let how_many =
                if count == 1 { "one instance, which has no number".to_owned() } else { format!("{count} instances") };
            item.slip(format!("there is no bot {:?}: {:?} has {how_many}", name.as_str(), name.base()));
            None
        }
    }
}

fn coordinator(item: &Item<'_>, bots: &Bots) -> Option<BotName> {
    let mut names = known(item, bots)?;
    if names.len() > 1 {
        item.slip(format!("a cluster has one coordinator, and this bot has {} instances", names.len()));
        return None;
    }
    names.pop()
}

fn workers(item: &Item<'_>, bots: &Bots, coordinator: Option<&BotName>) -> Option<Vec<BotName>> {
    let lists = item.list("an array of bots, such as [\"sweep-worker\"]", |worker| {
        let names = known(worker, bots)?;
        if names.iter().any(|name| Some(name) == coordinator) {
            worker.wrong("is the coordinator; a bot cannot be both");
            return None;
        }
        Some(names)
    })?;
    let mut once: Vec<BotName> = Vec::new();
    for name in lists.into_iter().flatten() {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    Some(once)
}

/// `clusters`: every cluster whose table is good.
pub(super) fn read_all(given: &Item<'_>, bots: &Bots) -> Option<Vec<ClusterSpec>> {
    let all = given.any_section("tables, such as [clusters.sweep]")?;
    let mut clusters = Vec::new();
    for (name, item) in all.named() {
        let name = super::values::new_name(name).map_err(|message| item.slip_of_key(message)).ok();
        if let Some(section) = item.section("a cluster", CLUSTER) {
            clusters.extend(cluster(&section, name, bots));
        }
    }
    Some(clusters)
}
