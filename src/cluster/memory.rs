//! How clusters came along lately, kept in the home: so that a command that looks once can tell a rate.

use std::path::PathBuf;

use crate::core::bot::BotName;
use crate::core::pace::Pace;
use crate::paths::{Home, make_private};
use crate::record::{self, Sync};

fn file(home: &Home, cluster: &BotName) -> PathBuf {
    home.clusters().join(format!("{cluster}.json"))
}

/// What is remembered of a cluster; nothing where nothing can be read.
pub fn recall(home: &Home, cluster: &BotName) -> Pace {
    let text = std::fs::read(file(home, cluster)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Remembers it. That it cannot be kept costs nothing but a rate.
pub fn keep(home: &Home, cluster: &BotName, pace: &Pace) {
    let kept = make_private(&home.clusters())
        .and_then(|()| Ok(serde_json::to_vec(pace)?))
        .and_then(|text| record::replace(&file(home, cluster), &text, Sync::Later));
    let _ = kept;
}
