//! What was counted already.

use crate::core::history::Wanted;

/// How many events were counted by which filter, up to which one: they are only ever added to, or all is other than before.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    pub(super) wanted: Wanted,
    pub(super) epoch: i64,
    pub(super) upto: i64,
    pub(super) total: u64,
}
