//! Settings of the desk itself: `[estop]` and `[ui]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::item::Item;
use super::values::some_duration;

/// The keys of `[estop]`.
pub(super) const ESTOP: &[&str] = &["wait"];
/// The keys of `[ui]`.
pub(super) const UI: &[&str] = &["theme"];

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

/// How the screen looks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UiSettings {
    /// Its colours.
    pub theme: Theme,
}

/// The colours of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// For a dark terminal.
    #[default]
    Dark,
    /// For a light terminal.
    Light,
    /// Without red against green.
    Colorblind,
    /// Without colours.
    Mono,
}

impl Theme {
    /// Every theme, by the word of the configuration.
    pub const WORDS: [(&'static str, Self); 4] =
        [("dark", Self::Dark), ("light", Self::Light), ("colorblind", Self::Colorblind), ("mono", Self::Mono)];

    /// The word of the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Colorblind => "colorblind",
            Self::Mono => "mono",
        }
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
    Some(UiSettings { theme: theme.good().unwrap_or_default() })
}
