//! What a bot's log says while it shuts down: `claims`.

use regex::Regex;

use super::item::Item;
use crate::core::bot::Claims;

/// The keys of `claims`.
pub(super) const CLAIMS: &[&str] = &["orders_canceled", "cancel_errors", "state_flushed"];

/// The bots whose words are known.
const PRESETS: &[(&str, &str)] = &[("247trader", "247trader"), ("freqtrade", "freqtrade")];

/// `claims`: a table of patterns, or the name of a preset.
pub(super) fn claims(item: &Item<'_>) -> Option<Claims> {
    if item.if_string().is_some() {
        return item.word("preset of claims", PRESETS).map(|name| Claims::Preset(name.to_owned()));
    }
    let mut section = item.any_section("a table of patterns, or \"247trader\" or \"freqtrade\"")?;
    section.only("`claims`", CLAIMS, |_| None);
    if section.is_empty() {
        section.wrong(&format!("is empty; write at least one of {}", CLAIMS.join(", ")));
        return None;
    }
    Some(Claims::Patterns {
        orders_canceled: section.take("orders_canceled", pattern).good(),
        cancel_errors: section.take("cancel_errors", pattern).good(),
        state_flushed: section.take("state_flushed", pattern).good(),
    })
}

fn pattern(item: &Item<'_>) -> Option<String> {
    let text = item.filled("a regular expression in single quotes")?;
    match Regex::new(text) {
        Err(error) => item.wrong(&format!("is no regular expression: {}", in_one_line(&error.to_string()))),
        Ok(regex) if regex.captures_len() < 2 => {
            item.wrong("has no group; put parentheses around the value, as in 'Orders canceled: (\\d+)'");
        }
        Ok(_) => return Some(text.to_owned()),
    }
    None
}

/// The regex crate draws the place over several lines and says what is wrong on the last.
fn in_one_line(error: &str) -> &str {
    let last = error.lines().last().unwrap_or(error).trim();
    last.strip_prefix("error: ").unwrap_or(last).trim_end_matches('.')
}
