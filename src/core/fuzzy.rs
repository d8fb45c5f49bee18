//! Whether a text fits what somebody has typed of it: the letters in their order, others between them, case aside; and
//! how well. A few names of a few dozen letters are matched, once a key: no matcher of others (an editor's, with its
//! tables and its own licence) earns its weight here.

/// For every letter that is found.
const LETTER: i64 = 16;
/// For one that follows the one before it.
const RUN: i64 = 12;
/// For one that begins a word.
const WORD: i64 = 10;
/// For all that there is.
const WHOLE: i64 = 100;

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether these letters stand in the text, in this order.
pub fn fits(wanted: &str, text: &str) -> bool {
    let mut there = letters(text);
    letters(wanted).all(|letter| there.any(|other| other == letter))
}

/// How well these letters fit the text, the best way that they can be found in it; nothing if they cannot.
pub fn score(wanted: &str, text: &str) -> Option<i64> {
    let wanted: Vec<char> = letters(wanted).collect();
    let text: Vec<char> = letters(text).collect();
    if wanted.is_empty() {
        return Some(0);
    }
    // The best that the letters so far come to, if the last of them stands here.
    let mut best: Vec<Option<i64>> = Vec::new();
    for (number, letter) in wanted.iter().enumerate() {
        let mut earlier: Option<i64> = None;
        let mut next = Vec::with_capacity(text.len());
        for (at, other) in text.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| best.get(at).copied().flatten());
            let begins = at.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|before| !before.is_alphanumeric());
            let worth = LETTER + if begins { WORD } else { 0 };
            let so_far = if number == 0 {
                // What stands near the beginning is meant rather.
                Some(-(at.min(8) as i64))
            } else {
                before.map(|sum| sum + RUN).max(earlier.map(|sum| sum - 1))
            };
            next.push(so_far.filter(|_| letter == other).map(|sum| sum + worth));
            earlier = earlier.max(before);
        }
        best = next;
    }
    let whole = if wanted == text { WHOLE } else { 0 };
    best.into_iter().flatten().max().map(|sum| sum + whole - (text.len() / 8) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_found_in_their_order_and_case_does_not_count() {
        for (wanted, text, fit) in [
            ("", "anything", true),
            ("gb", "grid-btc", true),
            ("GRID", "grid-btc", true),
            ("bg", "grid-btc", false),
            ("grid-btcc", "grid-btc", false),
            ("日語", "日本語", true),
        ] {
            assert_eq!(fits(wanted, text), fit, "{wanted} {text}");
            assert_eq!(score(wanted, text).is_some(), fit, "{wanted} {text}");
        }
    }

    #[test]
    fn what_is_meant_rather_scores_higher() {
        for (wanted, better, worse) in [
            ("st", "start", "restart"),
            ("st", "stop", "unmark last"),
            ("kill", "kill", "kill all"),
            ("np", "next pane", "unzipped"),
            ("mark", "mark", "unmark"),
            ("ne", "next error", "one"),
        ] {
            assert!(score(wanted, better) > score(wanted, worse), "{wanted}: {better} before {worse}");
        }
    }
}
