//! Which file is the configuration.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

/// What a configuration is called where nobody says otherwise.
const NAME: &str = "botwarden.toml";

/// The file that was named; else `./botwarden.toml`, the one in the user's configuration folder, or the one in
/// `/etc/botwarden`, whichever is there first. A named file is not looked at: reading it says what is wrong with it.
///
/// # Errors
/// With a sentence that says where was looked.
pub fn locate(explicit: Option<&Path>) -> Result<PathBuf, String> {
    match explicit {
        Some(path) if path.as_os_str().is_empty() => Err("the name of the configuration file is empty".to_owned()),
        Some(path) => Ok(path.to_owned()),
        None => first_of(&usual_places()),
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from(NAME)];
    places.extend(ProjectDirs::from("", "", "botwarden").map(|dirs| dirs.config_dir().join(NAME)));
    places.push(Path::new("/etc/botwarden").join(NAME));
    places
}

fn first_of(places: &[PathBuf]) -> Result<PathBuf, String> {
    places.iter().find(|path| is_there(path)).cloned().ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|path| path.display().to_string()).collect();
        format!("there is no configuration at {}; write one there, or name one with --config FILE", places.join(", "))
    })
}

/// Whether something by this name is there, even if it is a link to nothing or cannot be looked at: passing over it
/// would run another desk than the one that was meant.
fn is_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_that_is_there_is_taken_even_a_broken_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let places: Vec<PathBuf> = ["a", "b", "c"].iter().map(|name| folder.path().join(name)).collect();
        let error = first_of(&places).expect_err("nothing is there");
        assert!(error.contains("/b") && error.contains("--config"), "{error}");
        std::fs::write(&places[2], "").expect("written");
        assert_eq!(first_of(&places).as_ref(), Ok(&places[2]));
        std::os::unix::fs::symlink("nowhere", &places[1]).expect("linked");
        assert_eq!(first_of(&places).as_ref(), Ok(&places[1]));
    }

    #[test]
    fn a_named_file_is_taken_at_its_word() {
        assert_eq!(locate(Some(Path::new("x.toml"))), Ok(PathBuf::from("x.toml")));
        assert!(locate(Some(Path::new(""))).is_err());
    }
}
