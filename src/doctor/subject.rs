//! What is examined: the bots and clusters that an emergency stop would be about, found out as it finds them out.

use std::path::Path;
use std::sync::OnceLock;

use crate::config::{self, Config, Mistake, last_good};
use crate::core::bot::{BotName, BotSpec, Cancel, Mode, OrderSource};
use crate::core::cluster::ClusterSpec;
use crate::core::readiness::Check;
use crate::core::record::RunRecord;
use crate::core::status::RecordSeen;
use crate::orders::Surroundings;
use crate::orders::book::SourceSeen;
use crate::paths::{Home, words};
use crate::record;

/// A desk, as far as it is known.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) home: Home,
    /// The bots of the configuration, or of the last good one.
    pub(super) specs: Vec<BotSpec>,
    pub(super) clusters: Vec<ClusterSpec>,
    /// Those, and every other one that has a folder here.
    pub(super) bots: Vec<Bot>,
    /// What their order sources said, as soon as they did.
    pub(super) sources: OnceLock<Vec<SourceSeen>>,
}

/// One bot of it.
#[derive(Debug)]
pub(super) struct Bot {
    pub(super) name: BotName,
    pub(super) spec: Option<BotSpec>,
    pub(super) record: Option<RunRecord>,
}

impl Subject {
    /// One of which nothing is known.
    pub(super) fn unknown(home: &Home) -> Self {
        Self { home: home.clone(), specs: Vec::new(), clusters: Vec::new(), bots: Vec::new(), sources: OnceLock::new() }
    }

    pub(super) fn names(&self) -> Vec<BotName> {
        self.bots.iter().map(|bot| bot.name.clone()).collect()
    }
}

impl Bot {
    /// What its orders are worth; real money where nobody knows.
    pub(super) fn mode(&self) -> Mode {
        let recorded = self.record.as_ref().map(|record| record.mode);
        recorded.or_else(|| self.spec.as_ref().map(|spec| spec.mode)).unwrap_or(Mode::Live)
    }

    /// Where its orders are: as the configuration has it, else as its record does.
    pub(super) fn orders(&self) -> Option<&OrderSource> {
        let recorded = || self.record.as_ref().and_then(|record| record.orders.as_ref());
        self.spec.as_ref().and_then(|spec| spec.orders.as_ref()).or_else(recorded)
    }

    /// Who cancels them, likewise.
    pub(super) fn cancel(&self) -> Option<&Cancel> {
        let recorded = || self.record.as_ref().and_then(|record| record.cancel.as_ref());
        self.spec.as_ref().and_then(|spec| spec.cancel.as_ref()).or_else(recorded)
    }

    /// What a program is run with on its behalf.
    pub(super) fn surroundings(&self) -> Option<Surroundings> {
        let recorded = || self.record.as_ref().map(Surroundings::of_record);
        self.spec.as_ref().map(Surroundings::of_spec).or_else(recorded)
    }
}

/// Reads the configuration and the records, and says how that went.
pub(super) fn read(home: &Home, file: Option<&Path>) -> (Subject, Check) {
    let recorded = home.recorded();
    let names = recorded.as_deref().unwrap_or_default();
    let (config, check) = configuration(home, file, !names.is_empty());
    let check = match &recorded {
        Err(error) => {
            let why =
                format!("{} cannot be read, so nobody knows who has run: {}", home.bots().display(), words(error));
            Check::bad("configuration", why)
        }
        Ok(_) => check,
    };
    let (specs, clusters) = config.map(|config| (config.bots, config.clusters)).unwrap_or_default();
    let others = names.iter().filter(|name| !specs.iter().any(|spec| spec.name == **name));
    let bots = specs
        .iter()
        .map(|spec| (spec.name.clone(), Some(spec.clone())))
        .chain(others.map(|name| (name.clone(), None)))
        .map(|(name, spec)| {
            let record = match record::read(&home.bot(&name)) {
                RecordSeen::Read(record) => Some(*record),
                RecordSeen::None | RecordSeen::Unreadable(_) => None,
            };
            Bot { name, spec, record }
        })
        .collect();
    (Subject { home: home.clone(), specs, clusters, bots, sources: OnceLock::new() }, check)
}

/// The configuration that an emergency stop would go by: the one there is, else the last good one.
fn configuration(home: &Home, file: Option<&Path>, has_run: bool) -> (Option<Config>, Check) {
    let name = "configuration";
    let why = match file.map(config::read) {
        Some(Ok(config)) => {
            let text = format!("{}: {}", config.file.display(), bots(&config));
            return (Some(config), Check::good(name, text));
        }
        Some(Err(mistakes)) => told(&mistakes),
        None => "there is no configuration".to_owned(),
    };
    match last_good::read(home) {
        Ok(config) => {
            let text = format!("{why}; the last good one counts: {}", bots(&config));
            (Some(config), Check::warning(name, text))
        }
        Err(_) if file.is_none() && !has_run && !last_good::path(home).exists() => {
            (None, Check::warning(name, format!("{why}, and no bot has ever run")))
        }
        Err(_) => {
            let text = format!("{why}; there is no last good one: only what lives and is recorded would be found");
            (None, Check::bad(name, text))
        }
    }
}

fn bots(config: &Config) -> String {
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    let bots = count(config.bots.len(), "bot");
    match config.clusters.len() {
        0 => bots,
        clusters => format!("{bots}, {}", count(clusters, "cluster")),
    }
}

fn told(mistakes: &[Mistake]) -> String {
    let first = mistakes.first().map(ToString::to_string).unwrap_or_default();
    match mistakes.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more)", more - 1),
    }
}
