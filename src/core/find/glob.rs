//! Patterns for file names: `*` is any text, `?` any one character, and everything else itself.

/// Whether the whole text is what the pattern says.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // What follows the last star, and from where on it has not been tried yet.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let (mut wanted, mut given) = (pattern.chars(), text.chars());
        match (wanted.next(), given.next()) {
            (Some('*'), _) => {
                pattern = wanted.as_str();
                star = Some((pattern, text));
            }
            (None, None) => return true,
            (Some(wants), Some(is)) if wants == '?' || wants == is => {
                (pattern, text) = (wanted.as_str(), given.as_str());
            }
            (_, _) => {
                let Some((after, from)) = star else { return false };
                let mut later = from.chars();
                if later.next().is_none() {
                    return false;
                }
                (pattern, text) = (after, later.as_str());
                star = Some((after, text));
            }
        }
    }
}

/// Whether it says anything at all: `*` alone does not.
pub(super) fn is_specific(pattern: &str) -> bool {
    pattern.chars().any(|c| !matches!(c, '*' | '?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_what_shells_match() {
        for (pattern, text, expected) in [
            ("python*", "python3.11", true),
            ("python*", "python", true),
            ("python*", "ipython", false),
            ("run_?.py", "run_a.py", true),
            ("run_?.py", "run_ä.py", true),
            ("run_?.py", "run_.py", false),
            ("*.py", "a.py.py", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbx", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("a", "", false),
            ("[a]", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
