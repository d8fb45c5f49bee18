//! Values of JSON as they stand: numbers keep every digit, and what is of another kind than was expected is absent.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::core::decimal;

use crate::foreign::sqlite::is_yes;
use crate::foreign::times;

/// A word, a number, yes or no, or nothing of these.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    #[default]
    Absent,
    Word(Cow<'a, str>),
    Number(&'a str),
    Truth(bool),
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match raw.as_bytes().first() {
            Some(b'"') => Self::Word(unquoted(raw)),
            Some(b'-' | b'0'..=b'9') => Self::Number(raw),
            Some(b't' | b'f') => Self::Truth(raw == "true"),
            Some(_) | None => Self::Absent,
        })
    }
}

fn unquoted(raw: &str) -> Cow<'_, str> {
    let inner = &raw[1..raw.len() - 1];
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    // Half a pair of surrogates is no text: as it stands, then.
    serde_json::from_str(raw).map_or(Cow::Borrowed(inner), Cow::Owned)
}

impl Scalar<'_> {
    /// A word as it stands, for whoever only compares it.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(&**word).filter(|word| !word.is_empty()),
            Self::Number(number) => Some(number),
            Self::Truth(_) | Self::Absent => None,
        }
    }

    pub(super) fn word(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    pub(super) fn amount(&self) -> Option<String> {
        match self {
            Self::Word(word) => decimal::plain(word),
            Self::Number(number) => decimal::plain(number),
            Self::Truth(_) | Self::Absent => None,
        }
    }

    pub(super) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Word(word) => times::parse(word),
            Self::Number(number) => times::parse(number),
            Self::Truth(_) | Self::Absent => None,
        }
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Word(word) => is_yes(word),
            Self::Number(number) => decimal::plain(number).is_some_and(|number| decimal::is_positive(&number)),
            Self::Truth(truth) => *truth,
            Self::Absent => false,
        }
    }
}

/// What is wrong with a text that should have been JSON, without more of it than a screen has room for.
pub(super) fn mistake(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let shown: String = text.chars().take(200).collect();
    let kind = if error.is_data() { "is not the JSON that was expected" } else { "is not JSON" };
    format!("{kind}: {shown}{}", if shown.len() < text.len() { "..." } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit() {
        let values: Vec<Scalar<'_>> = serde_json::from_str(
            r#"[0.10, 123456789012345678901234567890.5, 1e-8, "1.50", "a\"\u001b", true, null, [1], "\ud800"]"#,
        )
        .expect("JSON");
        let amounts: Vec<Option<String>> = values.iter().map(Scalar::amount).collect();
        let amounts: Vec<Option<&str>> = amounts.iter().map(Option::as_deref).collect();
        let big = "123456789012345678901234567890.5";
        let none = None;
        assert_eq!(amounts, [Some("0.10"), Some(big), Some("0.00000001"), Some("1.50"), none, none, none, none, none]);
        assert_eq!(values[4].word().as_deref(), Some("a\"\u{1b}"));
        assert_eq!(values[8].word().as_deref(), Some("\\ud800"));
        assert!(values[5].truth() && !values[6].truth());
    }
}
