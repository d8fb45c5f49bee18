//! Who there is when everything is to be stopped: the bots of the configuration, those that have run here, and whatever
//! lives and carries a mark of this desk.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::act::cluster::Asker;
use crate::config::{self, Config, last_good};
use crate::core::bot::{BotName, BotSpec, Mode};
use crate::core::cluster::ClusterSpec;
use crate::core::emergency::{Depth, Found};
use crate::core::stop::{KeeperSeen, Own, Sighting};
use crate::core::words::masked;
use crate::paths::{Home, words};
use crate::readers::Readers;
use crate::survey::{Sight, see_all};

use super::passes::Passes;
use super::setting::{Places, Setting};

/// A configuration on a dead share is not waited for longer.
const READING: Duration = Duration::from_secs(1);

/// What is known of a desk from its configuration.
pub(super) struct Desk {
    pub(super) specs: Vec<BotSpec>,
    /// No rung waits longer.
    pub(super) cap: Duration,
    pub(super) clusters: Vec<ClusterSpec>,
    pub(super) notes: Vec<String>,
    pub(super) errors: Vec<String>,
}

impl Desk {
    /// What the configuration says, else the last good one.
    pub(super) fn read(home: &Home, file: Option<&Path>) -> Self {
        let why = match file.map(read_in_time) {
            Some(Ok(config)) => return Self::of(config),
            Some(Err(why)) => format!("the configuration cannot be read ({why})"),
            None => "there is no configuration".to_owned(),
        };
        match last_good::read(home) {
            Ok(config) => {
                let mut desk = Self::of(config);
                desk.notes.push(format!("{why}: the last good one counts"));
                desk
            }
            Err(_) => Self::without(home, file, &why),
        }
    }

    fn of(config: Config) -> Self {
        Self {
            specs: config.bots,
            cap: config.estop.wait,
            clusters: config.clusters,
            notes: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn without(home: &Home, file: Option<&Path>, why: &str) -> Self {
        let mut desk = Self {
            specs: Vec::new(),
            cap: config::EstopSettings::default().wait,
            clusters: Vec::new(),
            notes: Vec::new(),
            errors: Vec::new(),
        };
        let text = format!(
            "{why}, nor is there a last good one: what runs is known from its records alone, and strays of other bots are not searched for"
        );
        // Where nothing was ever configured, nothing is missing.
        let blind = file.is_some() || home.recorded().is_ok_and(|recorded| !recorded.is_empty());
        let said = if blind { &mut desk.errors } else { &mut desk.notes };
        said.push(text);
        desk
    }
}

fn read_in_time(file: &Path) -> Result<Config, String> {
    let (done, told) = channel();
    let path = file.to_owned();
    let read = move || {
        let read = config::read(&path);
        let _ = done.send(read.map_err(|mistakes| mistakes.first().map(ToString::to_string).unwrap_or_default()));
    };
    match std::thread::Builder::new().spawn(read) {
        Ok(_) => told.recv_timeout(READING).unwrap_or_else(|_| Err("it does not answer".into())),
        Err(_) => config::read(file).map_err(|_| "it has mistakes".into()),
    }
}

/// Whoever is to be stopped.
pub(super) struct Muster<'a> {
    home: &'a Home,
    specs: &'a [BotSpec],
    drill: bool,
    places: &'a Places,
}

impl<'a> Muster<'a> {
    pub(super) const fn new(home: &'a Home, specs: &'a [BotSpec], drill: bool, places: &'a Places) -> Self {
        Self { home, specs, drill, places }
    }

    /// Every bot that is known by name, and is to be stopped.
    pub(super) fn known(&self) -> Vec<BotName> {
        self.named(&mut Vec::new()).into_iter().filter(|name| self.is_meant(name)).collect()
    }

    fn named(&self, unseen: &mut Vec<String>) -> Vec<BotName> {
        let mut names: Vec<BotName> = self.specs.iter().map(|spec| spec.name.clone()).collect();
        match self.home.recorded() {
            Ok(recorded) => {
                let new: Vec<BotName> = recorded.into_iter().filter(|name| !names.contains(name)).collect();
                names.extend(new);
            }
            Err(error) => unseen.push(format!("who has run here cannot be found out: {}", words(&error))),
        }
        names
    }

    /// A drill stops what trades with nothing; what nobody knows the mode of counts as live.
    fn is_meant(&self, name: &BotName) -> bool {
        if !self.drill {
            return true;
        }
        let run = Setting::of(self.home, name, self.specs, self.places).mode;
        let configured = self.specs.iter().find(|spec| spec.name == *name).map(|spec| spec.mode);
        run.is_some_and(|mode| mode != Mode::Live) && configured != Some(Mode::Live)
    }

    /// Whether all bots of a cluster are to be stopped: a drill leaves the chunks of every other one alone.
    pub(super) fn means(&self, cluster: &ClusterSpec) -> bool {
        cluster.bots().all(|bot| self.is_meant(bot))
    }

    /// What would be done to the chunks of clusters that are not meant.
    pub(super) fn rehearsed_clusters(&self, clusters: &[&ClusterSpec], readers: &Readers) -> Vec<String> {
        let one = |cluster: &&ClusterSpec| {
            let what = match Asker::new(readers, cluster, self.specs).look(READING) {
                Ok(census) => format!("{} running chunks would be put back", census.counts.running),
                Err(failure) => format!("its running chunks would be put back, and cannot be read: {}", failure.why),
            };
            format!("live, not touched: {}: {what}", cluster.name)
        };
        clusters.iter().map(one).collect()
    }

    /// Everybody who is to be stopped, as they are now. What could not be looked at is added to `unseen`.
    pub(super) fn gather(&self, depth: Depth, passes: &Passes<'_>, unseen: &mut Vec<String>) -> Vec<Found> {
        match depth {
            Depth::Known => self.known().into_iter().map(|bot| Found { bot, lives: true }).collect(),
            Depth::All => {
                let seen = self.look(passes, unseen);
                seen.into_iter().filter(|(sight, _)| self.is_meant(&sight.name)).map(found).collect()
            }
        }
    }

    /// Whoever lives and has no name here, by one pass over the process table: nobody else is looked at, and no keeper is
    /// called while it is being told.
    pub(super) fn nameless(&self, passes: &Passes<'_>) -> Vec<Found> {
        let pass = passes.fresh();
        let named = self.named(&mut Vec::new());
        let new = pass.marked.names().filter(|name| !named.contains(name) && self.is_meant(name));
        new.map(|bot| Found { bot: bot.clone(), lives: true }).collect()
    }

    /// Everybody, with how many strays of each there are.
    fn look(&self, passes: &Passes<'_>, unseen: &mut Vec<String>) -> Vec<(Sight, usize)> {
        let pass = passes.fresh();
        unseen.extend(pass.trouble.clone());
        let mut names = self.named(unseen);
        let new: Vec<BotName> = pass.marked.names().filter(|name| !names.contains(name)).cloned().collect();
        names.extend(new);
        let sights = see_all(self.home, &names, &pass.marked);
        sights
            .into_iter()
            .map(|sight| {
                // What may be another's as well is ended where all of them are.
                let strays = pass.strays(&sight.name).len();
                (sight, strays)
            })
            .collect()
    }

    /// What would be done to bots with real money in them: sentences for the report of a drill.
    pub(super) fn rehearsed(&self, passes: &Passes<'_>) -> Vec<String> {
        if !self.drill {
            return Vec::new();
        }
        let live = self.look(passes, &mut Vec::new()).into_iter().filter(|(sight, _)| !self.is_meant(&sight.name));
        live.map(|(sight, strays)| self.rehearse(&sight, strays)).collect()
    }

    fn rehearse(&self, sight: &Sight, strays: usize) -> String {
        let setting = Setting::of(self.home, &sight.name, self.specs, self.places);
        let seen = Sighting::of(&sight.evidence, strays, 0);
        let signal = sight
            .record()
            .map(|record| &record.ladder)
            .or_else(|| self.specs.iter().find(|spec| spec.name == sight.name).map(|spec| &spec.stop))
            .and_then(|ladder| ladder.0.first())
            .map_or_else(|| "SIGTERM".to_owned(), |rung| rung.signal.to_string());
        let lives = seen.keeper != KeeperSeen::None || seen.own != Own::AtRest || strays > 0;
        let end = match (lives, sight.verdict.pid) {
            (false, _) => "nothing of it lives".to_owned(),
            (true, Some(pid)) => format!("{signal} would be sent to pid {pid}"),
            (true, None) => format!("{signal} would be sent to what lives of it"),
        };
        let strays = if strays == 0 { String::new() } else { format!(" and to {strays} strays") };
        let orders = match (&setting.cancel, setting.api(), setting.sources.is_empty()) {
            (_, _, true) => "its orders are unknown".to_owned(),
            (None, None, false) => "its orders would be read, and canceled by the bot itself alone".to_owned(),
            (None, Some(_), false) => "its orders would be canceled over its interface".to_owned(),
            (Some(cancel), _, false) => {
                format!("its orders would be canceled by {}", masked(&cancel.command.join(" ")))
            }
        };
        format!("live, not touched: {}: {end}{strays}; {orders}", sight.name)
    }
}

fn found((sight, strays): (Sight, usize)) -> Found {
    let seen = Sighting::of(&sight.evidence, strays, 0);
    let lives = seen.keeper != KeeperSeen::None || seen.own != Own::AtRest || strays > 0;
    Found { bot: sight.name, lives }
}
