//! Settings of the desk itself: `[estop]` and `[ui]`.

use std::time::Duration;

use crate::core::ui::{Stamps, Theme, UiSettings};

use super::item::Item;
use super::values::some_duration;

/// The keys of `[estop]`.
pub(super) const ESTOP: &[&str] = &["wait"];
/// The keys of `[ui]`.
pub(super) const UI: &[&str] = &["theme", "timestamps"];

/// How an emergency stop goes about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstopSettings {
    /// No rung of any ladder waits longer.
    pub wait: Duration,
}

impl Default for EstopSettings {
    fn default() -> Self {
        Self { wait: Duration::from_secs(10) }
    }
}

/// `[estop]`.
pub(super) fn estop(item: &Item<'_>) -> Option<EstopSettings> {
    let section = item.section("`[estop]`", ESTOP)?;
    let usual = EstopSettings::default();
    Some(EstopSettings { wait: section.take("wait", some_duration).good().unwrap_or(usual.wait) })
}

/// `[ui]`.
pub(super) fn ui(item: &Item<'_>) -> Option<UiSettings> {
    let section = item.section("`[ui]`", UI)?;
    let theme = section.take("theme", |item| item.word("theme", &Theme::WORDS));
    let timestamps = section.take("timestamps", |item| item.word("timestamps", &Stamps::WORDS));
    Some(UiSettings { theme: theme.good().unwrap_or_default(), timestamps: timestamps.good().unwrap_or_default() })
}
