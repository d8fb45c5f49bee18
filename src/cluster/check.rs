//! Whether chunks could be put back, found out without a change and without a lock: by whoever would do it.

use std::time::Duration;

use crate::clock;
use crate::core::cluster::ClusterSpec;
use crate::core::moment::Moment;
use crate::foreign::reading;
use crate::foreign::sqlite;

use super::question::{Answer, Failure, Obstacle};
use super::{schema, trouble};

/// Finds out whether a cluster's table is there and could be written by us, until then at the latest.
pub fn check(cluster: &ClusterSpec, until: Moment) -> Answer {
    let allowed = until.since(clock::now());
    let before = trouble::before(cluster);
    if !cluster.database.exists()
        && let Some(failure) = before
    {
        // It may be called otherwise: an empty one is at least where it is looked for.
        return Answer::Failed(Failure { obstacle: Obstacle::Other, ..failure });
    }
    if let Some(failure) = trouble::closed_to_us(cluster).or(before) {
        return Answer::Failed(failure);
    }
    let looked = reading::look(&cluster.database, None, until, |path| {
        let file = sqlite::open(path, until)?;
        file.busy_timeout(Duration::ZERO)?;
        // Nothing is read but what the tables are called.
        sqlite::once_free(until, || file.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())))?;
        schema::check(&file, cluster)
    });
    match looked {
        Ok(_) => Answer::Ready,
        Err(fault) => Answer::Failed(trouble::failure(cluster, fault, trouble::Doing::Look { indexed: true }, allowed)),
    }
}
