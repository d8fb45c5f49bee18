//! Whether a bot's state is on disk: what it says, beside what was seen of its state file.

use std::path::PathBuf;

use crate::core::report::ClaimsReport;
use crate::paths::words;
use crate::stamp::Stamp;

/// A look at a state file before the bot was told to stop.
pub(super) struct Flush {
    file: PathBuf,
    before: Result<Stamp, String>,
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
        Self { file, before }
    }

    /// Whether it was written since; or why nobody can tell.
    pub(super) fn has_changed(&self) -> Result<bool, String> {
        let before = self.before.as_ref().map_err(Clone::clone)?;
        let now = look(&self.file)?;
        // One that is gone, or was emptied, holds no state.
        Ok(now != *before && !now.is_empty())
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }
}

fn look(file: &std::path::Path) -> Result<Stamp, String> {
    Stamp::of(file).map_err(|error| format!("its state file {} cannot be looked at: {}", file.display(), words(&error)))
}

/// Lays what it says beside what was seen. Neither is taken for the other: a difference is an error.
pub(super) fn compare(claims: &ClaimsReport, file: Option<&Flush>, earlier: Option<Result<bool, String>>) -> Flushed {
    // What was seen before anybody else may have written to it counts alone: a later change may be the other's.
    let changed = earlier.or_else(|| file.map(Flush::has_changed));
    let name = file.map(Flush::name).unwrap_or_default();
    let written = changed.as_ref().and_then(|changed| changed.as_ref().ok().copied());
    let (on_disk, error) = match (claims.state_flushed, changed) {
        (None, _) => (None, None),
        (Some(false), _) => (Some(false), Some("it says that its state was not flushed".to_owned())),
        (Some(true), None | Some(Ok(true))) => (Some(true), None),
        (Some(true), Some(Ok(false))) => {
            let error =
                format!("it says that its state is flushed, and {name} was not written since it was told to stop");
            (Some(false), Some(error))
        }
        (Some(true), Some(Err(why))) => (None, Some(why)),
    };
    let note = match (claims.state_flushed, written) {
        (None, Some(true)) => Some(format!("{name} was written after it was told to stop")),
        (Some(true), None) if file.is_none() => {
            Some("that its state is flushed is its own word: no state_file is configured to see it by".to_owned())
        }
        (_, _) => None,
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
        let lie = compare(&says(Some(true)), Some(&same), None);
        assert_eq!(lie.on_disk, Some(false));
        assert!(lie.error.is_some_and(|error| error.contains("state.json was not written")));
        std::fs::write(&path, "{\"more\":1}").expect("room");
        assert_eq!(
            compare(&says(Some(true)), Some(&same), None),
            Flushed { on_disk: Some(true), written: Some(true), ..Flushed::default() }
        );
        std::fs::write(&path, "").expect("room");
        assert_eq!(compare(&says(Some(true)), Some(&same), None).on_disk, Some(false), "it was emptied");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(compare(&says(Some(true)), Some(&same), None).on_disk, Some(false), "it is gone");
        std::fs::write(&path, "{\"more\":1}").expect("room");
        let before_others = compare(&says(Some(true)), Some(&same), Some(Ok(false)));
        assert_eq!(before_others.on_disk, Some(false), "what others wrote is not its word");
        let silent = compare(&says(None), Some(&same), None);
        assert!(silent.on_disk.is_none() && silent.error.is_none() && silent.note.is_some());
        assert_eq!(compare(&says(Some(false)), Some(&same), None).on_disk, Some(false));
        let word = compare(&says(Some(true)), None, None);
        assert!(word.on_disk == Some(true) && word.note.is_some());
        assert_eq!(compare(&says(None), None, None), Flushed::default());
    }
}
