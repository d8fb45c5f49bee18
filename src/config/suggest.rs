//! "Did you mean": the known word that is nearest to one that is not known.

/// The word that was most likely meant, if one is near enough to be worth a question.
pub fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let word = plain(word);
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter_map(|candidate| {
            let other = plain(candidate);
            let distance = strsim::damerau_levenshtein(&word, &other);
            // "cmd" is far from "command" by letters changed, and still it is clear what was meant.
            let alike = strsim::jaro_winkler(&word, &other);
            (distance <= allowed || alike >= 0.86).then_some((candidate, alike))
        })
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(candidate, _)| candidate)
}

/// `a, b or c`, each as `show` writes it.
pub(super) fn either<'w>(words: impl IntoIterator<Item = &'w str>, show: impl Fn(&str) -> String) -> String {
    let words: Vec<String> = words.into_iter().map(show).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_a_stranger_is_not() {
        let known = ["command", "cwd", "mode", "env", "env_file", "log", "log_file"];
        for (word, meant) in [
            ("comand", Some("command")),
            ("cmd", Some("cwd")),
            ("Mode", Some("mode")),
            ("env-file", Some("env_file")),
            ("logfile", Some("log_file")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word:?}");
        }
    }
}
