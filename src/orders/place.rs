//! Where a bot has its orders: where its last run had them, and where the configuration has them now.

use std::path::Path;

use crate::core::bot::{BotName, BotSpec, OrderSource};
use crate::core::record::RunRecord;
use crate::core::status::RecordSeen;
use crate::paths::Home;
use crate::record;

use super::Surroundings;

/// Where orders are, and how a program that tells of them is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source.
    pub source: OrderSource,
    /// The folder, the environment and the user of the bot.
    pub surroundings: Surroundings,
}

/// Whether a bot cannot have placed any orders: nothing says that it ever ran here (no record, no log), and the file that it
/// is to keep them in was never made.
pub fn has_placed_none(home: &Home, bot: &BotName, source: &OrderSource) -> bool {
    let is_missing =
        |path: &Path| std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    matches!(record::read(&home.bot(bot)), RecordSeen::None)
        && !record::has_run(&home.bot(bot))
        && source.path().is_some_and(is_missing)
}

/// Where its run has its orders, and then where the configuration has them now, if that is another place.
pub fn places(spec: Option<&BotSpec>, record: Option<&RunRecord>) -> Vec<Place> {
    let configured = spec.and_then(|spec| {
        let source = spec.orders.clone()?;
        Some(Place { source, surroundings: Surroundings::of_spec(spec) })
    });
    let recorded = record.and_then(|record| {
        let own = Surroundings::of_record(record);
        // Its variables are not written down: those of the configuration are the nearest there is.
        let surroundings = match spec.map(Surroundings::of_spec) {
            Some(now) => Surroundings { cwd: own.cwd, user: own.user, ..now },
            None => own,
        };
        Some(Place { source: record.orders.clone()?, surroundings })
    });
    let configured = configured.filter(|place| Some(place) != recorded.as_ref());
    recorded.into_iter().chain(configured).collect()
}
