//! What is known of a bot beside its processes: where its orders are, who cancels them, what its log says.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use crate::core::bot::{Api, BotName, BotSpec, Cancel, Claims, Mode};
use crate::core::record::RunRecord;
use crate::core::status::RecordSeen;
use crate::orders::{Place, Surroundings, places};
use crate::paths::Home;
use crate::record;

/// What a stop or a cancelation minds beside the processes of a bot.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) bot: BotName,
    pub(super) mode: Option<Mode>,
    /// Where its orders are: where its last run had them, and then where the configuration has them now, if that is
    /// another place.
    pub(super) sources: Vec<Place>,
    /// Other bots whose orders are read from the same place.
    pub(super) shared_with: Vec<BotName>,
    pub(super) cancel: Option<Cancel>,
    pub(super) claims: Option<Claims>,
    pub(super) state_file: Option<PathBuf>,
    /// The log of its last run.
    pub(super) own_log: Option<PathBuf>,
    /// The files that it logs to: the one that its keeper gave it, and the one that it writes by itself.
    pub(super) logs: Vec<PathBuf>,
    pub(super) surroundings: Option<Surroundings>,
}

impl Setting {
    /// What the configuration says, and where that is silent, or has forgotten the bot, what its last run's record does.
    pub(super) fn of(home: &Home, name: &BotName, specs: &[BotSpec], all: &Places) -> Self {
        let spec = specs.iter().find(|spec| spec.name == *name);
        let (record, is_lost) = match record::read(&home.bot(name)) {
            RecordSeen::Read(record) => (Some(record), false),
            // It has written something, so it ran, and nobody knows as what.
            RecordSeen::None => (None, record::has_run(&home.bot(name))),
            RecordSeen::Unreadable(_) => (None, true),
        };
        let record = record.as_deref();
        let own_log = record.map(|record| home.bot(name).log(&record.run));
        let logs = own_log.clone().into_iter().chain(of_the_run(spec, record, |s| &s.log_file, |r| &r.log_file));
        let sources = places(spec, record);
        Self {
            bot: name.clone(),
            mode: mode(spec, record, is_lost),
            shared_with: all.shared_with(home, name, &sources, specs),
            sources,
            cancel: either(spec, record, |spec| &spec.cancel, |record| &record.cancel),
            claims: either(spec, record, |spec| &spec.claims, |record| &record.claims),
            state_file: of_the_run(spec, record, |spec| &spec.state_file, |record| &record.state_file),
            logs: logs.collect(),
            own_log,
            surroundings: spec.map(Surroundings::of_spec).or_else(|| record.map(Surroundings::of_record)),
        }
    }

    /// Whether a bot may listen on an interface of its own, and is asked over that before it is told.
    pub(super) fn listens(home: &Home, name: &BotName, specs: &[BotSpec]) -> bool {
        let spec = specs.iter().find(|spec| spec.name == *name);
        let record = match record::read(&home.bot(name)) {
            RecordSeen::Read(record) => Some(record),
            RecordSeen::None | RecordSeen::Unreadable(_) => None,
        };
        places(spec, record.as_deref()).first().is_some_and(|place| place.source.api().is_some())
    }

    /// Whether there is anything to mind.
    pub(super) fn minds(&self) -> bool {
        !self.sources.is_empty() || self.cancel.is_some() || self.claims.is_some() || self.state_file.is_some()
    }

    /// The interface that the bot itself listens on, if it has one.
    pub(super) fn api(&self) -> Option<&Api> {
        self.sources.first().and_then(|place| place.source.api())
    }
}

/// What its orders are worth depends on the run that placed them, whatever the configuration says now. Where nobody knows
/// which run that was, they count as real ones.
fn mode(spec: Option<&BotSpec>, record: Option<&RunRecord>, is_lost: bool) -> Option<Mode> {
    if is_lost {
        return Some(Mode::Live);
    }
    record.map(|record| record.mode).or_else(|| spec.map(|spec| spec.mode))
}

/// Where every bot of a desk has its orders: found out once for all bots of a request, when the first one asks.
#[derive(Debug, Default)]
pub(super) struct Places(OnceLock<Vec<(BotName, Vec<Spot>)>>);

/// Where orders are, as it is compared with hundreds of others.
#[derive(Debug, PartialEq, Eq)]
enum Spot {
    /// A file, by what it is called: a link may be on a share that is gone.
    File(OsString),
    Other(Place),
}

impl Spot {
    fn of(place: &Place) -> Self {
        place.source.path().map_or_else(|| Self::Other(place.clone()), |path| Self::File(plain(path).into()))
    }
}

impl Places {
    fn of_all(&self, home: &Home, specs: &[BotSpec]) -> &[(BotName, Vec<Spot>)] {
        self.0.get_or_init(|| {
            let mut all: Vec<BotName> = specs.iter().map(|spec| spec.name.clone()).collect();
            let recorded = home.recorded().unwrap_or_default();
            all.extend(recorded.into_iter().filter(|name| !specs.iter().any(|spec| spec.name == *name)));
            let of_one = |name: BotName| {
                let spec = specs.iter().find(|spec| spec.name == name);
                let record = match record::read(&home.bot(&name)) {
                    RecordSeen::Read(record) => Some(record),
                    RecordSeen::None | RecordSeen::Unreadable(_) => None,
                };
                let spots = places(spec, record.as_deref()).iter().map(Spot::of).collect();
                (name, spots)
            };
            all.into_iter().map(of_one).collect()
        })
    }

    /// Other bots that have their orders where this one has them: instances, for one.
    fn shared_with(&self, home: &Home, name: &BotName, own: &[Place], specs: &[BotSpec]) -> Vec<BotName> {
        if own.is_empty() {
            return Vec::new();
        }
        let own: Vec<Spot> = own.iter().map(Spot::of).collect();
        let shares = |spots: &[Spot]| spots.iter().any(|spot| own.contains(spot));
        let others = self.of_all(home, specs).iter().filter(|(other, spots)| other != name && shares(spots));
        others.map(|(other, _)| other.clone()).collect()
    }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => plain.push(part),
        }
        plain
    })
}

/// What belongs to the run: as its record has it, and where there is none, as the configuration does.
fn of_the_run<T: Clone>(
    spec: Option<&BotSpec>,
    record: Option<&RunRecord>,
    configured: impl Fn(&BotSpec) -> &Option<T>,
    recorded: impl Fn(&RunRecord) -> &Option<T>,
) -> Option<T> {
    record.and_then(|record| recorded(record).clone()).or_else(|| spec.and_then(|spec| configured(spec).clone()))
}

fn either<T: Clone>(
    spec: Option<&BotSpec>,
    record: Option<&RunRecord>,
    configured: impl Fn(&BotSpec) -> &Option<T>,
    recorded: impl Fn(&RunRecord) -> &Option<T>,
) -> Option<T> {
    // What the configuration says of a bot that it has is the last word, except where it says nothing.
    spec.and_then(|spec| configured(spec).clone()).or_else(|| record.and_then(|record| recorded(record).clone()))
}
