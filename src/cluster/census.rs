//! Counting chunks.

use crate::core::cluster::ClusterSpec;
use crate::core::moment::Moment;

use super::question::Answer;

/// Counts the chunks of a cluster, until then at the latest.
pub fn look(_cluster: &ClusterSpec, _known: Option<&str>, _until: Moment) -> Answer {
    Answer::Unchanged
}
