//! What somebody else wrote, in a place of ours: one line, and nothing in it that a terminal obeys.

use crate::logs::harmless::harmless;

/// Nothing that somebody else wrote makes a column wider.
const WIDEST: usize = 40;

/// In a line.
pub(super) fn one_line(text: &str) -> String {
    harmless(text.replace(['\t', '\n'], " ").as_bytes())
}

/// In a cell of a table.
pub(super) fn cell(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST - 3).chain("...".chars()).collect()
}
