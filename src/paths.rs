//! Where everything of a desk lies. The names are the contract's; nothing is read or written here except the folders
//! that a home must have.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::core::bot::BotName;

/// A desk's home folder: locks, records, events, sockets and logs of its bots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// The folder of one bot inside a home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotHome {
    root: PathBuf,
}

impl Home {
    /// The home at this absolute path; nothing is made yet.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the home, readable by its owner alone.
    ///
    /// # Errors
    /// With a sentence that names the folder, if it cannot be made or belongs to somebody else.
    pub fn make(&self) -> Result<(), String> {
        make_private(&self.root).map_err(|error| format!("home {}: {}", self.root.display(), words(&error)))?;
        make_private(&self.root.join("bots"))
            .map_err(|error| format!("home {}: {}", self.root.join("bots").display(), words(&error)))
    }

    /// The latch of the emergency stop: its presence is what counts.
    pub fn latch(&self) -> PathBuf {
        self.root.join("estop.json")
    }

    /// When the last drill was passed.
    pub fn drill(&self) -> PathBuf {
        self.root.join("drill.json")
    }

    /// The desk's own events.
    pub fn events(&self) -> PathBuf {
        self.root.join("events")
    }

    /// The folder of the stops that were asked for.
    pub fn stops(&self) -> PathBuf {
        self.root.join("stops")
    }

    /// The folder of one of them: its lock, held while it is carried out, and its report.
    pub fn stop(&self, id: &str) -> PathBuf {
        self.stops().join(id)
    }

    /// The folder of one bot.
    pub fn bot(&self, name: &BotName) -> BotHome {
        BotHome { root: self.root.join("bots").join(name.as_str()) }
    }

    /// Every bot that has a folder here, by name.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn recorded(&self) -> io::Result<Vec<BotName>> {
        let entries = match std::fs::read_dir(self.root.join("bots")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names: Vec<BotName> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| entry.file_name().to_str().and_then(|name| name.parse().ok()))
            .collect();
        names.sort();
        Ok(names)
    }
}

impl BotHome {
    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the folder and the one for its logs.
    ///
    /// # Errors
    /// If they cannot be made.
    pub fn make(&self) -> io::Result<()> {
        make_private(&self.root)?;
        make_private(&self.log_dir())
    }

    /// Held by the bot's keeper.
    pub fn keeper_lock(&self) -> PathBuf {
        self.root.join("keeper.lock")
    }

    /// Held by the bot itself, which inherits it.
    pub fn bot_lock(&self) -> PathBuf {
        self.root.join("bot.lock")
    }

    /// The lock of whoever cancels its orders: two at once are one.
    pub fn cancel_lock(&self) -> PathBuf {
        self.root.join("cancel.lock")
    }

    /// Its presence says: not to be running.
    pub fn down(&self) -> PathBuf {
        self.root.join("down")
    }

    /// The run record.
    pub fn run(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// The bot's events.
    pub fn events(&self) -> PathBuf {
        self.root.join("events")
    }

    /// The name of the keeper's socket inside [`BotHome::root`].
    pub const SOCKET: &'static str = "control.sock";

    /// The folder of its logs and their archives.
    pub fn log_dir(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The live log of one run.
    pub fn log(&self, run: &str) -> PathBuf {
        self.log_dir().join(format!("{run}.log"))
    }
}

/// Makes a folder for its owner alone.
///
/// # Errors
/// If it cannot be made, or belongs to somebody else.
pub fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = std::fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    // Others could reach a socket or a lock in it; an owner can close it, and nobody else should use it.
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

/// An I/O error in words, without the number that Rust appends.
pub fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
