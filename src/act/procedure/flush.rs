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
        Ok(look(&self.file)? != *before)
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
    let changed = file.map(Flush::has_changed);
    let name = file.map(Flush::name).unwrap_or_default();
    match (claims.state_flushed, changed) {
        (None, Some(Ok(true))) => {
            Flushed { note: Some(format!("{name} was written after it was told to stop")), ..Flushed::default() }
        }
        (None, _) => Flushed::default(),
        (Some(false), _) => {
            Flushed { on_disk: Some(false), error: Some("it says that its state was not flushed".into()), note: None }
        }
        (Some(true), Some(Ok(true))) => Flushed { on_disk: Some(true), ..Flushed::default() },
        (Some(true), Some(Ok(false))) => Flushed {
            on_disk: Some(false),
            error: Some(format!(
                "it says that its state is flushed, and {name} has not changed since it was told to stop"
            )),
            note: None,
        },
        (Some(true), Some(Err(why))) => Flushed { on_disk: None, error: Some(why), note: None },
        (Some(true), None) => Flushed {
            on_disk: Some(true),
            error: None,
            note: Some("that its state is flushed is its own word: no state_file is configured to see it by".into()),
        },
    }
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
        assert!(lie.error.is_some_and(|error| error.contains("state.json has not changed")));
        std::fs::write(&path, "{\"more\":1}").expect("room");
        assert_eq!(compare(&says(Some(true)), Some(&same)), Flushed { on_disk: Some(true), ..Flushed::default() });
        let silent = compare(&says(None), Some(&same));
        assert!(silent.on_disk.is_none() && silent.error.is_none() && silent.note.is_some());
        assert_eq!(compare(&says(Some(false)), Some(&same)).on_disk, Some(false));
        let word = compare(&says(Some(true)), None);
        assert!(word.on_disk == Some(true) && word.note.is_some());
        assert_eq!(compare(&says(None), None), Flushed::default());
    }
}
