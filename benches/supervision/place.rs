//! A temporary folder with everything that one supervisor needs for one measurement.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::bot::{self, Behaviour};

/// Which bots there are, and what becomes of them.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How many.
    pub bots: usize,
    /// What each of them does.
    pub behaviour: Behaviour,
    /// Whether they run as soon as their supervisor does.
    pub autostart: bool,
    /// Whether one that ends is started again.
    pub restart: bool,
}

impl Plan {
    /// So many bots, restarted when they end, started by hand.
    pub fn new(bots: usize, behaviour: Behaviour) -> Self {
        Self { bots, behaviour, autostart: false, restart: true }
    }

    /// The same, running as soon as their supervisor does.
    pub fn running(self) -> Self {
        Self { autostart: true, ..self }
    }
}

/// Folder, bots, and the command line of each.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    /// What there is.
    pub plan: Plan,
    /// Names of the bots.
    pub bots: Vec<String>,
}

impl Place {
    /// A new one below this folder.
    pub fn new(below: &Path, plan: Plan) -> Result<Self, String> {
        let folder = tempfile::tempdir_in(below).map_err(|error| error.to_string())?;
        let place = Self { folder, plan, bots: (0..plan.bots).map(|number| format!("b{number:03}")).collect() };
        let us = std::env::current_exe().map_err(|error| error.to_string())?;
        symlink(us, place.at("program")).map_err(|error| error.to_string())?;
        Ok(place)
    }

    /// A path in the folder.
    pub fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where bots say what they have to say.
    pub fn fifo(&self) -> PathBuf {
        self.at("fifo")
    }

    /// What executes a bot. No word of it has a blank or a quote in it.
    pub fn command(&self, bot: &str) -> Vec<String> {
        self.words(bot, self.plan.behaviour)
    }

    /// The same, for another behaviour.
    pub fn words(&self, bot: &str, behaviour: Behaviour) -> Vec<String> {
        vec![
            self.at("program").display().to_string(),
            bot::ROLE.to_owned(),
            self.fifo().display().to_string(),
            bot.to_owned(),
            behaviour.to_string(),
        ]
    }
}

/// Writes a file, and the folders above it.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

/// Writes a program for a shell.
pub fn script(path: &Path, text: &str) -> Result<(), String> {
    write(path, &format!("#!/bin/sh\n{text}\n"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(|error| format!("{}: {error}", path.display()))
}
