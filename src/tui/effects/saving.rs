//! Writes what was saved into a file of its own, for its owner alone. Nothing is ever written over.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::tui::text::plural;

/// Writes this text, and says where it is now, or why it is not.
pub(super) fn save(path: &Path, text: &str) -> Result<String, String> {
    let path = whole(path)?;
    let shown = path.display();
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            format!("not saved: {shown} is there already; S with another name")
        } else if error.kind() == io::ErrorKind::NotFound {
            format!("not saved: {shown}: there is no such folder")
        } else {
            format!("not saved: {shown}: {error}")
        }
    };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    match written {
        Ok(()) => Ok(format!("saved {} to {shown}", plural(text.lines().count() as u64, "line"))),
        Err(error) => {
            // Half of it is worse than nothing: it would be taken for all.
            let left = std::fs::remove_file(&path).err().map(|_| "; what is there is not whole").unwrap_or_default();
            Err(format!("not saved: {shown}: {error}{left}"))
        }
    }
}

/// The file that is meant: anywhere but below the root or the user's own folder (`~/`) a name is one of the current folder.
pub(super) fn whole(path: &Path) -> Result<PathBuf, String> {
    if let Ok(rest) = path.strip_prefix("~") {
        let home = BaseDirs::new().ok_or("not saved: nobody knows where ~ is; S with a path that begins with /")?;
        return Ok(home.home_dir().join(rest));
    }
    std::path::absolute(path).map_err(|error| format!("not saved: {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_written_whole_for_its_owner_and_nothing_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("bots.txt");
        let said = save(&file, "one\ntwo\n").expect("saved");
        assert_eq!(said, format!("saved 2 lines to {}", file.display()));
        let mode = std::fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = save(&file, "other").expect_err("it is there");
        assert!(again.contains("is there already"), "{again}");
        assert_eq!(std::fs::read_to_string(&file).expect("read"), "one\ntwo\n");
        let nowhere = save(&folder.path().join("no/such/file"), "x").expect_err("no folder");
        assert!(nowhere.contains("no such folder"), "{nowhere}");
    }

    #[test]
    fn a_path_becomes_absolute() {
        assert!(whole(Path::new("a.txt")).is_ok_and(|path| path.is_absolute() && path.ends_with("a.txt")));
        assert_eq!(whole(Path::new("/x/a.txt")), Ok(PathBuf::from("/x/a.txt")));
        let home = BaseDirs::new().expect("a home").home_dir().join("a.txt");
        assert_eq!(whole(Path::new("~/a.txt")), Ok(home));
    }
}
