//! A conversation with a keeper that was asked for something.

use crate::client::Client;
use crate::core::moment::Moment;
use crate::core::protocol::Snapshot;

/// What was said last, and what is waited for.
pub(super) struct Talk {
    pub(super) client: Client,
    /// The run that was there before a restart was asked for.
    pub(super) old_run: Option<String>,
    /// Until when the next run has time to be ready, once there is one.
    pub(super) ready_until: Option<Moment>,
    pub(super) last: Option<Snapshot>,
}

impl Talk {
    /// What its keeper does next, and when.
    pub(super) fn next_step(&self) -> Option<String> {
        let last = self.last.as_ref()?;
        let seconds = last.next_signal_in_ms?.div_ceil(1000);
        Some(format!("{} in {seconds} s", last.next_signal?))
    }
}
