//! Whether a bot's state is on disk: what it says, beside what was seen of its state file.

use std::path::PathBuf;

use crate::core::report::ClaimsReport;
use crate::paths::words;
use crate::stamp::Stamp;

/// A state file, watched from before the bot is told to stop.
pub(super) struct Flush {
    file: PathBuf,
    /// As it was when only the bot began to write to it, or did again.
    before: Result<Stamp, String>,
    /// Whether the bot was seen to have written to it.
    written: bool,
    /// Whether it has changed while others may have written to it.
    murky: bool,
}

/// What was seen of a state file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// The bot has written to it.
    Written,
    /// It has not, or what it wrote is gone.
    NotWritten,
    /// Somebody has, and nobody can tell who.
    ByWhomever,
    /// It cannot be looked at; the text says why.
    Nothing(String),
}

/// What became of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Flushed {
    /// Whether it is on disk; absent where the bot has said nothing of it, or nobody can tell.
    pub(super) on_disk: Option<bool>,
    /// Whether its state file was written since; absent where that could not be seen.
    pub(super) written: Option<bool>,
    pub(super) error: Option<String>,
    pub(super) note: Option<String>,
}

impl Flush {
    /// Looks at the file as it is now.
    pub(super) fn begin(file: PathBuf) -> Self {
        let before = look(&file);
        Self { file, before, written: false, murky: false }
    }

    /// From here on others may write to it: a cancel command takes orders out of what is often the same file.
    pub(super) fn others_begin(&mut self) {
        let now = look(&self.file);
        self.written |= self.has_changed(&now);
        self.before = now;
    }

    /// They are done: what comes now is the bot's again.
    pub(super) fn others_end(&mut self) {
        let now = look(&self.file);
        self.murky |= self.has_changed(&now);
        self.before = now;
    }

    fn has_changed(&self, now: &Result<Stamp, String>) -> bool {
        matches!((&self.before, now), (Ok(before), Ok(now)) if before != now && !now.is_empty())
    }

    /// What was seen of it.
    fn seen(&self) -> Seen {
        let now = look(&self.file);
        match (&self.before, &now) {
            // One that is gone, or was emptied, holds no state.
            (_, Ok(now)) if now.is_empty() => Seen::NotWritten,
            (Err(why), _) | (_, Err(why)) => Seen::Nothing(why.clone()),
            (Ok(_), Ok(_)) if self.written || self.has_changed(&now) => Seen::Written,
            (Ok(_), Ok(_)) if self.murky => Seen::ByWhomever,
            (Ok(_), Ok(_)) => Seen::NotWritten,
        }
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }
}

fn look(file: &std::path::Path) -> Result<Stamp, String> {
    Stamp::of(file).map_err(|error| format!("its state file {} cannot be looked at: {}", file.display(), words(&error)))
}

/// Lays what it says beside what was seen. Neither is taken for the other: a difference is an error.
pub(super) fn compare(claims: &ClaimsReport, file: Option<&Flush>) -> Flushed {
    let name = file.map(Flush::name).unwrap_or_default();
    let seen = file.map(Flush::seen);
    let written = match &seen {
        Some(Seen::Written) => Some(true),
        Some(Seen::NotWritten) => Some(false),
        Some(Seen::ByWhomever | Seen::Nothing(_)) | None => None,
    };
    let its_word = |why: String| (Some(true), None, Some(format!("that its state is flushed is its own word: {why}")));
    let (on_disk, error, note) = match (claims.state_flushed, seen) {
        (None, Some(Seen::Written)) => (None, None, Some(format!("{name} was written after it was told to stop"))),
        (None, _) => (None, None, None),
        (Some(false), _) => (Some(false), Some("it says that its state was not flushed".to_owned()), None),
        (Some(true), Some(Seen::Written)) => (Some(true), None, None),
        (Some(true), None) => its_word("no state_file is configured to see it by".to_owned()),
        (Some(true), Some(Seen::ByWhomever)) => {
            its_word(format!("{name} was written while its cancel command was at work too"))
        }
        (Some(true), Some(Seen::NotWritten)) => {
            let error =
                format!("it says that its state is flushed, and {name} was not written since it was told to stop");
            (Some(false), Some(error), None)
        }
        (Some(true), Some(Seen::Nothing(why))) => (None, Some(why), None),
    };
    Flushed { on_disk, written, error, note }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(state_flushed: Option<bool>) -> ClaimsReport {
        ClaimsReport { state_flushed, ..ClaimsReport::default() }
    }

    #[test]
    fn a_claim_counts_only_with_a_file_that_has_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        std::fs::write(&path, "{}").expect("room");
        let same = Flush::begin(path.clone());
        let lie = compare(&says(Some(true)), Some(&same));
        assert_eq!(lie.on_disk, Some(false));
        assert!(lie.error.is_some_and(|error| error.contains("state.json was not written")));
        std::fs::write(&path, "{\"more\":1}").expect("room");
        assert_eq!(
            compare(&says(Some(true)), Some(&same)),
            Flushed { on_disk: Some(true), written: Some(true), ..Flushed::default() }
        );
        std::fs::write(&path, "").expect("room");
        assert_eq!(compare(&says(Some(true)), Some(&same)).on_disk, Some(false), "it was emptied");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(compare(&says(Some(true)), Some(&same)).on_disk, Some(false), "it is gone");
        std::fs::write(&path, "{\"more\":1}").expect("room");
        let silent = compare(&says(None), Some(&same));
        assert!(silent.on_disk.is_none() && silent.error.is_none() && silent.note.is_some());
        assert_eq!(compare(&says(Some(false)), Some(&same)).on_disk, Some(false));
        let word = compare(&says(Some(true)), None);
        assert!(word.on_disk == Some(true) && word.note.is_some());
        assert_eq!(compare(&says(None), None), Flushed::default());
    }

    #[test]
    fn what_others_may_have_written_is_neither_a_proof_nor_a_lie() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.json");
        let write = |text: &str| std::fs::write(&path, text).expect("room");
        let says = says(Some(true));
        write("{}");
        let mut flush = Flush::begin(path.clone());
        flush.others_begin();
        flush.others_end();
        assert_eq!(compare(&says, Some(&flush)).on_disk, Some(false), "nobody has written at all");
        flush.others_begin();
        write("{\"canceled\":1}");
        flush.others_end();
        let murky = compare(&says, Some(&flush));
        assert_eq!((murky.on_disk, murky.written, murky.error), (Some(true), None, None));
        assert!(murky.note.is_some_and(|note| note.contains("its own word")));
        // What comes after them is the bot's, and so is what came before.
        write("{\"canceled\":1,\"saved\":true}");
        assert_eq!(compare(&says, Some(&flush)).written, Some(true));
        flush.others_begin();
        flush.others_end();
        assert_eq!(compare(&says, Some(&flush)).written, Some(true), "it was seen before the others came again");
    }
}
