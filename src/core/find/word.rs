//! What a single word of a command line is.

/// What follows the last slash.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a word is an option rather than a name.
pub(super) fn is_option(word: &str) -> bool {
    word.starts_with('-')
}
