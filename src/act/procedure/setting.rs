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
    pub(super) source: Option<OrderSource>,
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
    pub(super) fn of(home: &Home, name: &BotName, spec: Option<&BotSpec>) -> Self {
        let record = match record::read(&home.bot(name)) {
            RecordSeen::Read(record) => Some(record),
            RecordSeen::None | RecordSeen::Unreadable(_) => None,
        };
        let record = record.as_deref();
        let own_log = record.map(|record| home.bot(name).log(&record.run));
        let logs = own_log.clone().into_iter().chain(
            spec.map(|spec| spec.log_file.clone()).or_else(|| record.map(|record| record.log_file.clone())).flatten(),
        );
        Self {
            bot: name.clone(),
            mode: mode(spec, record),
            source: either(spec, record, |spec| &spec.orders, |record| &record.orders),
            cancel: either(spec, record, |spec| &spec.cancel, |record| &record.cancel),
            claims: either(spec, record, |spec| &spec.claims, |record| &record.claims),
            state_file: either(spec, record, |spec| &spec.state_file, |record| &record.state_file),
            logs: logs.collect(),
            own_log,
            surroundings: spec.map(Surroundings::of_spec).or_else(|| record.map(Surroundings::of_record)),
        }
    }

    /// Whether there is anything to mind.
    pub(super) const fn minds(&self) -> bool {
        self.source.is_some() || self.cancel.is_some() || self.claims.is_some() || self.state_file.is_some()
    }

    /// The interface that the bot itself listens on, if it has one.
    pub(super) const fn api(&self) -> Option<&Api> {
        match &self.source {
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

/// A run that lives may have been started in another mode than the configuration has now: more may be at stake.
fn mode(spec: Option<&BotSpec>, record: Option<&RunRecord>) -> Option<Mode> {
    let running = record.filter(|record| record.ended.is_none()).map(|record| record.mode);
    let configured = spec.map(|spec| spec.mode);
    running.max(configured).or_else(|| record.map(|record| record.mode))
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
