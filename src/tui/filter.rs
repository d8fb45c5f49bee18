//! Which bots of the list are shown: words that must all fit. `mode:live`, `st:failed`, `group:crypto`, letters of a name
//! in their order (`gbtc` finds `grid-btc`), and any of these with `!` before it for "not". What is excluded by name must
//! stand in it as it was typed: `!mm` that hid every name with two `m` somewhere would hide bots that nobody thought of.

use crate::core::fuzzy;
use crate::core::status::BotStatus;

use super::theme;

/// A filter, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
}

impl Filter {
    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The filter that this text describes; every text does.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    /// Whether it hides nothing.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether this bot is shown.
    pub fn shows(&self, bot: &BotStatus) -> bool {
        self.text.split_whitespace().all(|word| match word.strip_prefix('!') {
            Some("") => true,
            Some(word) => !fits(word, bot, |word, name| name.contains(word)),
            None => fits(word, bot, fuzzy::fits),
        })
    }
}

fn fits(word: &str, bot: &BotStatus, by_name: impl Fn(&str, &str) -> bool) -> bool {
    let word = word.to_lowercase();
    if let Some(mode) = word.strip_prefix("mode:") {
        // Both words: what the configuration says, and what the screen shows.
        return bot.mode.is_some_and(|m| m.word().starts_with(mode))
            || theme::mode(bot.mode, false).to_lowercase().starts_with(mode);
    }
    if let Some(state) = word.strip_prefix("st:").or_else(|| word.strip_prefix("state:")) {
        return bot.state.word().starts_with(state);
    }
    if let Some(group) = word.strip_prefix("group:") {
        return bot.groups.iter().any(|g| g.to_lowercase().starts_with(group));
    }
    by_name(&word, &bot.name.as_str().to_lowercase())
}
