//! How the screen looks, as `[ui]` of the configuration has it.

use serde::{Deserialize, Serialize};

/// `[ui]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UiSettings {
    /// Its colours.
    pub theme: Theme,
    /// How times of log lines are shown.
    pub timestamps: Stamps,
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

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light => Self::Colorblind,
            Self::Colorblind => Self::Mono,
            Self::Mono => Self::Dark,
        }
    }
}

/// How times of log lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamps {
    /// In the zone of this machine.
    #[default]
    Local,
    /// In UTC.
    Utc,
    /// How long ago it was.
    Relative,
    /// As the bot wrote them.
    Off,
}

impl Stamps {
    /// Every way, by the word of the configuration.
    pub const WORDS: [(&'static str, Self); 4] =
        [("local", Self::Local), ("utc", Self::Utc), ("relative", Self::Relative), ("off", Self::Off)];

    /// The word of the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Utc => "utc",
            Self::Relative => "relative",
            Self::Off => "off",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
            Self::Relative => Self::Off,
            Self::Off => Self::Local,
        }
    }
}
