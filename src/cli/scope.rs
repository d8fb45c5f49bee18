//! Which bots a command is about.

use crate::config::{last_good, visible};
use crate::core::bot::{BotName, BotSpec};

use super::args::Scope;
use super::desk::Desk;
use super::output::Output;

/// Bots of the configuration. A configuration with mistakes starts nothing.
///
/// # Errors
/// With everything that is wrong: the configuration's mistakes, or names that it does not have.
pub(super) fn configured(desk: &Desk, scope: &Scope, output: Output) -> Result<Vec<BotSpec>, String> {
    let Some(config) = &desk.config else {
        return Err(mistakes(desk, output));
    };
    let mut specs: Vec<BotSpec> = Vec::new();
    let mut add = |found: Vec<&BotSpec>| {
        for spec in found {
            if !specs.iter().any(|known| known.name == spec.name) {
                specs.push(spec.clone());
            }
        }
    };
    if scope.all {
        add(config.bots.iter().collect());
    }
    for group in &scope.group {
        let found = config.group(group);
        if found.is_empty() {
            let groups = config.groups();
            let known =
                if groups.is_empty() { "there are none".into() } else { format!("there are {}", groups.join(", ")) };
            return Err(format!("no bot is in a group {group:?}; {known}"));
        }
        add(found);
    }
    for name in &scope.bots {
        let found = config.named(name);
        if found.is_empty() {
            let hint = config.nearest_bot(name).map_or(String::new(), |near| format!(", did you mean {near:?}?"));
            return Err(format!("no bot {name:?} in {}{hint}", visible(&config.file.to_string_lossy())));
        }
        add(found);
    }
    Ok(specs)
}

/// Bots of the configuration or with a record here: what can be looked at and stopped. Mistakes in the configuration
/// are said and do not stand in the way.
///
/// # Errors
/// With a name that is in neither.
pub(super) fn known(desk: &Desk, scope: &Scope, output: Output) -> Result<Vec<BotName>, String> {
    let recorded = desk.home.recorded().unwrap_or_default();
    if desk.config.is_none() {
        let text = mistakes(desk, output);
        output.complain(&text);
        output.complain("going on with the last good configuration and what is known from the bots' records");
    }
    // What can be looked at and stopped does not depend on a slip in today's file.
    let last_good = desk.config.is_none().then(|| last_good::read(&desk.home).ok()).flatten();
    let bots = desk.config.as_ref().or(last_good.as_ref()).map_or(&[][..], |config| &config.bots);
    let mut names: Vec<BotName> = Vec::new();
    let mut add = |name: &BotName| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    if scope.all {
        bots.iter().map(|bot| &bot.name).chain(&recorded).for_each(&mut add);
    }
    for group in &scope.group {
        let mut found = false;
        for bot in bots.iter().filter(|bot| bot.groups.contains(group)) {
            add(&bot.name);
            found = true;
        }
        for name in recorded.iter().filter(|name| !bots.iter().any(|bot| bot.name == **name)) {
            if let crate::core::status::RecordSeen::Read(record) = crate::record::read(&desk.home.bot(name))
                && record.groups.contains(group)
            {
                add(name);
                found = true;
            }
        }
        if !found {
            return Err(format!("no bot is in a group {group:?}"));
        }
    }
    for wanted in &scope.bots {
        let all: Vec<&BotName> = bots.iter().map(|bot| &bot.name).chain(&recorded).collect();
        let exact: Vec<&BotName> = all.iter().filter(|name| name.as_str() == wanted).copied().collect();
        let found =
            if exact.is_empty() { all.into_iter().filter(|name| name.base() == wanted).collect() } else { exact };
        if found.is_empty() {
            let near = desk.config.as_ref().and_then(|config| config.nearest_bot(wanted));
            let hint = near.map_or(String::new(), |near| format!(", did you mean {near:?}?"));
            return Err(format!("no bot {wanted:?}: it is neither configured nor recorded{hint}"));
        }
        found.into_iter().for_each(&mut add);
    }
    Ok(names)
}

/// What is known of bots beside their records: the configuration, or the last good one where today's has mistakes.
pub(super) fn known_specs(desk: &Desk) -> Vec<BotSpec> {
    match &desk.config {
        Some(config) => config.bots.clone(),
        None => last_good::read(&desk.home).map(|config| config.bots).unwrap_or_default(),
    }
}

/// Says every mistake but the last, and hands back that one.
fn mistakes(desk: &Desk, _output: Output) -> String {
    let all: Vec<String> = desk.mistakes.iter().map(ToString::to_string).collect();
    all.join("\nbotwarden: ")
}
