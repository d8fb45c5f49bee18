//! What an emergency stop leaves behind for people: events, and the report in its folder.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::core::readiness::Check;
use crate::journal;
use crate::paths::words;

use super::subject::Subject;

/// Whether what it does could be written down: otherwise everything stops, and it is a failure all the same.
pub(super) fn kept(subject: &Subject) -> Vec<Check> {
    let (name, home) = ("records", &subject.home);
    let events = [home.events()].into_iter().chain(subject.bots.iter().map(|bot| home.bot(&bot.name).events()));
    let (mut troubles, mut full) = (Vec::new(), Vec::new());
    let tried = events
        .map(|path| (journal::can_append(&path), path))
        .chain([(can_keep_folders(&home.stops(), home.root()), home.stops())]);
    for (tried, path) in tried {
        let Err(error) = tried else { continue };
        // What stops is stopped without room too: that is said of the disk.
        let no_room = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let of = if no_room { &mut full } else { &mut troubles };
        of.push(format!("{}: {}", path.display(), words(&error)));
    }
    let what = "what an emergency stop does cannot be recorded";
    vec![if !troubles.is_empty() {
        troubles.extend(full);
        Check::bad(name, format!("{what}: {}", troubles.join("; ")))
    } else if !full.is_empty() {
        Check::warning(name, format!("{what}: {}", full.join("; ")))
    } else {
        Check::good(name, "events and reports can be kept")
    }]
}

/// Whether folders can be made in this one, or beside it while it is not there: one is, and goes again.
fn can_keep_folders(folder: &Path, beside: &Path) -> io::Result<()> {
    let within = match std::fs::metadata(folder) {
        Ok(about) if about.is_dir() => folder,
        Ok(_) => return Err(io::Error::other("it is not a folder")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A link to nothing is in the way of what would be made.
            match std::fs::symlink_metadata(folder) {
                Ok(_) => return Err(io::Error::other("it is a link to nothing")),
                Err(_) => beside,
            }
        }
        Err(error) => return Err(error),
    };
    let probe = within.join(format!(".probe-{}-{:08x}", std::process::id(), fastrand::u32(..)));
    DirBuilder::new().mode(0o700).create(&probe)?;
    std::fs::remove_dir(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_tried_where_they_would_be_and_leave_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let stops = root.join("stops");
        let count = |of: &Path| std::fs::read_dir(of).expect("a folder").count();
        can_keep_folders(&stops, root).expect("it can be made");
        assert_eq!(count(root), 0);
        std::fs::create_dir(&stops).expect("room");
        can_keep_folders(&stops, root).expect("it can be written");
        assert_eq!((count(root), count(&stops)), (1, 0));
        std::fs::remove_dir(&stops).expect("ours");
        std::os::unix::fs::symlink("nowhere", &stops).expect("a link");
        assert!(can_keep_folders(&stops, root).expect_err("no folder").to_string().contains("a link to nothing"));
        std::fs::remove_file(&stops).expect("ours");
        std::fs::write(&stops, "").expect("room");
        assert!(can_keep_folders(&stops, root).expect_err("no folder").to_string().contains("not a folder"));
        assert!(can_keep_folders(&stops.join("x"), root).is_err());
    }
}
