//! Which clusters a command is about.

use crate::config::{Config, last_good, nearest, visible};
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::cluster::ClusterSpec;

use super::desk::Desk;
use super::output::Output;

/// Clusters that are meant, and all there is beside them.
pub(super) struct Meant {
    /// Those.
    pub(super) which: Vec<ClusterSpec>,
    /// Every cluster of the configuration.
    pub(super) all: Vec<ClusterSpec>,
    /// Every bot of the configuration.
    pub(super) bots: Vec<BotSpec>,
}

impl Meant {
    /// Every bot of those clusters, once each.
    pub(super) fn members(&self) -> Vec<BotName> {
        let mut names: Vec<BotName> = Vec::new();
        for bot in self.which.iter().flat_map(ClusterSpec::bots) {
            if !names.contains(bot) {
                names.push(bot.clone());
            }
        }
        names
    }

    /// The same, each with the mode that it is configured for.
    pub(super) fn modes(&self) -> Vec<(BotName, Option<Mode>)> {
        let mode = |name: &BotName| self.bots.iter().find(|bot| bot.name == *name).map(|bot| bot.mode);
        self.members().into_iter().map(|name| (name.clone(), mode(&name))).collect()
    }
}

/// Clusters of the configuration. One with mistakes starts nothing.
///
/// # Errors
/// With the configuration's mistakes, or a name that it does not have.
pub(super) fn configured(desk: &Desk, names: &[String]) -> Result<Meant, String> {
    match &desk.config {
        Some(config) => choose(config, names),
        None => Err(mistakes(desk)),
    }
}

/// The same, but where the configuration has mistakes, these are said, and the last good one counts.
///
/// # Errors
/// With a name that is in neither.
pub(super) fn known(desk: &Desk, names: &[String], output: Output) -> Result<Meant, String> {
    if let Some(config) = &desk.config {
        return choose(config, names);
    }
    output.complain(&mistakes(desk));
    match last_good::read(&desk.home) {
        Ok(config) => {
            output.complain("going on with the last good configuration");
            choose(&config, names)
        }
        Err(_) if names.is_empty() => Ok(Meant { which: Vec::new(), all: Vec::new(), bots: Vec::new() }),
        Err(_) => Err("which clusters there are is not known: there is no configuration that can be read".to_owned()),
    }
}

fn choose(config: &Config, names: &[String]) -> Result<Meant, String> {
    let (all, bots) = (config.clusters.clone(), config.bots.clone());
    if names.is_empty() {
        return Ok(Meant { which: all.clone(), all, bots });
    }
    let mut which: Vec<ClusterSpec> = Vec::new();
    for name in names {
        let Some(found) = config.cluster(name) else {
            let hint = nearest(name, all.iter().map(|cluster| cluster.name.as_str()))
                .map_or(String::new(), |near| format!(", did you mean {near:?}?"));
            return Err(format!("no cluster {name:?} in {}{hint}", visible(&config.file.to_string_lossy())));
        };
        if !which.contains(found) {
            which.push(found.clone());
        }
    }
    Ok(Meant { which, all, bots })
}

fn mistakes(desk: &Desk) -> String {
    let all: Vec<String> = desk.mistakes.iter().map(ToString::to_string).collect();
    all.join("\nbotwarden: ")
}
