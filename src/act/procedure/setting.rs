//! What is known of a bot beside its processes: where its orders are, who cancels them, what its log says.

use std::path::PathBuf;

use crate::core::bot::{Api, BotName, BotSpec, Cancel, Claims, Mode, OrderSource};
use crate::core::record::RunRecord;
use crate::core::status::RecordSeen;
use crate::orders::Surroundings;
use crate::paths::Home;
use crate::record;

/// What a stop or a cancelation minds beside the processes of a bot.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) bot: BotName,
    pub(super) mode: Option<Mode>,
    /// Where its orders are: where its last run had them, and then where the configuration has them now, if that is
    /// another place.
    pub(super) sources: Vec<OrderSource>,
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
    pub(super) fn of(home: &Home, name: &BotName, specs: &[BotSpec]) -> Self {
        let spec = specs.iter().find(|spec| spec.name == *name);
        let (record, is_lost) = match record::read(&home.bot(name)) {
            RecordSeen::Read(record) => (Some(record), false),
            RecordSeen::None => (None, false),
            RecordSeen::Unreadable(_) => (None, true),
        };
        let record = record.as_deref();
        let own_log = record.map(|record| home.bot(name).log(&record.run));
        let logs =
            own_log.clone().into_iter().chain(either(spec, record, |spec| &spec.log_file, |record| &record.log_file));
        let recorded = record.and_then(|record| record.orders.clone());
        let configured = spec.and_then(|spec| spec.orders.clone()).filter(|source| Some(source) != recorded.as_ref());
        let sources: Vec<OrderSource> = recorded.into_iter().chain(configured).collect();
        Self {
            bot: name.clone(),
            mode: mode(spec, record, is_lost),
            shared_with: shared_with(name, &sources, specs),
            sources,
            cancel: either(spec, record, |spec| &spec.cancel, |record| &record.cancel),
            claims: either(spec, record, |spec| &spec.claims, |record| &record.claims),
            state_file: either(spec, record, |spec| &spec.state_file, |record| &record.state_file),
            logs: logs.collect(),
            own_log,
            surroundings: spec.map(Surroundings::of_spec).or_else(|| record.map(Surroundings::of_record)),
        }
    }

    /// Whether there is anything to mind.
    pub(super) fn minds(&self) -> bool {
        !self.sources.is_empty() || self.cancel.is_some() || self.claims.is_some() || self.state_file.is_some()
    }

    /// The interface that the bot itself listens on, if it has one.
    pub(super) fn api(&self) -> Option<&Api> {
        match self.sources.first() {
            Some(OrderSource::Freqtrade { api, .. }) => api.as_ref(),
            Some(
                OrderSource::Hummingbot { .. }
                | OrderSource::StateJson { .. }
                | OrderSource::Sql { .. }
                | OrderSource::Command { .. },
            )
            | None => None,
        }
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

/// Instances of one bot have one configuration, and so one place of their orders.
fn shared_with(name: &BotName, sources: &[OrderSource], specs: &[BotSpec]) -> Vec<BotName> {
    let others = specs.iter().filter(|spec| spec.name != *name);
    let same = others.filter(|spec| spec.orders.as_ref().is_some_and(|source| sources.contains(source)));
    same.map(|spec| spec.name.clone()).collect()
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
