//! The desk that a command is about: its home and its configuration.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::config::{self, Config, Mistake, last_good};
use crate::core::code::Code;
use crate::paths::{Home, Unmade, words};
use crate::who;

use super::args::Args;

/// What a command works on.
pub struct Desk {
    /// Its home.
    pub home: Home,
    /// Its configuration, if it could be read.
    pub config: Option<Config>,
    /// Why it could not.
    pub mistakes: Vec<Mistake>,
    /// The file that is its configuration, or would be; absent where none was found.
    pub file: Option<PathBuf>,
    /// Who asks.
    pub by: String,
    /// Whether questions are answered with yes.
    pub yes: bool,
    /// Why the home cannot be written, if that is so.
    pub trouble: Option<Trouble>,
}

/// A desk of which nothing was read yet: whoever is in a hurry does not wait for its configuration.
pub(super) struct Place {
    /// Its home.
    pub(super) home: Home,
    /// The file that is its configuration, by its absolute name, or why there is none.
    pub(super) file: Result<PathBuf, String>,
    /// Who asks.
    pub(super) by: String,
    /// Why the home cannot be written, if that is so.
    pub(super) trouble: Option<Trouble>,
}

/// A home that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why, as a sentence.
    pub why: String,
    /// Whether that is because it is somebody else's.
    pub denied: bool,
}

impl Trouble {
    /// What a command comes to that has to write there.
    pub(super) const fn code(&self) -> Code {
        if self.denied { Code::NotPermitted } else { Code::Failed }
    }
}

impl From<Unmade> for Trouble {
    fn from(Unmade { why, denied }: Unmade) -> Self {
        Self { why, denied }
    }
}

/// Finds the home and reads the configuration. A configuration that cannot be read is not the end: bots that run are
/// known from their records, and can be seen and stopped all the same.
///
/// # Errors
/// With a sentence, if there can be no home.
pub fn open_desk(args: &Args) -> Result<Desk, String> {
    let Place { home, file, by, trouble } = find_desk(args)?;
    let (config, mistakes) = match &file {
        Ok(file) => match config::read(file) {
            Ok(config) => (Some(config), Vec::new()),
            Err(mistakes) => (None, mistakes),
        },
        Err(why) => (None, vec![Mistake::of_the_search(why.clone())]),
    };
    let kept = config.as_ref().map_or(Ok(()), |config| last_good::keep(&home, config));
    let trouble = trouble.or_else(|| {
        kept.err().map(|error| Trouble {
            why: format!("cannot keep a copy of the configuration: {}", words(&error)),
            denied: error.kind() == std::io::ErrorKind::PermissionDenied,
        })
    });
    Ok(Desk { home, config, mistakes, file: file.ok(), by, yes: args.yes, trouble })
}

/// Finds the home, makes it if it is not there, and finds the configuration without reading it.
///
/// # Errors
/// With a sentence, if there can be no home.
pub(super) fn find_desk(args: &Args) -> Result<Place, String> {
    let home = find_home(given(args.home.as_deref(), "BOTWARDEN_HOME").as_deref())?;
    let made = home.make();
    // A home that was made just now has its real name only now.
    let home = find_home(Some(home.root())).unwrap_or(home);
    Ok(Place { home, file: find_config(args), by: who::asks(), trouble: made.err().map(Trouble::from) })
}

/// The file that is the configuration, or would be.
///
/// # Errors
/// With a sentence that says where was looked.
pub(super) fn find_config(args: &Args) -> Result<PathBuf, String> {
    config::locate(given(args.config.as_deref(), "BOTWARDEN_CONFIG").as_deref())
}

/// What the command line says, else the environment. A variable that is empty counts as unset, as everywhere.
fn given(said: Option<&Path>, variable: &str) -> Option<PathBuf> {
    let from_outside = || std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    said.map(Path::to_owned).or_else(from_outside)
}

fn find_home(explicit: Option<&Path>) -> Result<Home, String> {
    let root = match explicit {
        Some(folder) if folder.as_os_str().is_empty() => return Err("the home is empty: --home needs a folder".into()),
        Some(folder) => folder.to_owned(),
        None => ProjectDirs::from("", "", "botwarden")
            .and_then(|folders| folders.state_dir().map(Path::to_owned))
            .ok_or("no home: this user has no home folder, so --home DIR has to say where")?,
    };
    let root = std::path::absolute(&root).map_err(|error| format!("home {}: {error}", root.display()))?;
    // One home has one name: marks are compared by it.
    let root: PathBuf = std::fs::canonicalize(&root).unwrap_or(root);
    Ok(Home::at(root))
}
