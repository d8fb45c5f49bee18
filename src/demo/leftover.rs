//! Homes that earlier demos left behind because they were killed: their bots live on, as every bot does.
//!
//! A demo promises that its bots go with it. One that was killed could not keep that; the next one does it in its
//! place, and says so. The bots are simulated and nobody watches them any more, so they are killed rather than waited
//! for.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::core::stop::Wish;
use crate::lock::Lock;
use crate::paths::Home;

use super::leave::put_away;
use super::place::{LOCK, PREFIX};

/// Clears away every home in this folder whose demo is gone. One sentence or more for each.
pub(super) fn clear(parent: &Path, by: &str) -> Vec<String> {
    homes(parent).into_iter().flat_map(|root| clear_one(root, by)).collect()
}

fn clear_one(root: PathBuf, by: &str) -> Vec<String> {
    // Without a lock file it is none of ours, or one that is being made right now.
    let path = root.join(LOCK);
    if !path.is_file() {
        return Vec::new();
    }
    // Held while we work: two demos that start together do not both clear it.
    let Ok(Some(_lock)) = Lock::take(&path) else { return Vec::new() };
    let home = Home::at(root);
    let lived = crate::process::marked(home.root()).values().map(Vec::len).sum::<usize>();
    let closing = put_away(&home, &[], Wish::Kill, by);
    let root = home.root().display();
    if closing.is_clean() {
        return vec![match lived {
            0 => format!("An earlier demo was ended before it could clear up: {root} is removed; nothing of it ran."),
            1 => format!("An earlier demo was killed and its bot lived on: it is stopped, and {root} is removed."),
            _ => format!(
                "An earlier demo was killed and its {lived} bots lived on: they are stopped, and {root} is removed."
            ),
        }];
    }
    let mut lines = vec![format!("An earlier demo was killed and left {root}, which could not be cleared away:")];
    lines.extend(closing.lines);
    lines
}

/// Folders with a demo's name that are really folders, ours, and closed to others: anybody may write into the parent.
fn homes(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)))
        .map(|entry| entry.path())
        .filter(|path| {
            fs::symlink_metadata(path).is_ok_and(|about| {
                about.is_dir() && about.uid() == Uid::effective().as_raw() && about.permissions().mode() & 0o077 == 0
            })
        })
        .collect()
}
