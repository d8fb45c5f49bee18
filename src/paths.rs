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

/// A home that cannot be made, or not be used by us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmade {
    /// A sentence that names the folder.
    pub why: String,
    /// Whether we are not permitted to: it is somebody else's.
    pub denied: bool,
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
    pub fn make(&self) -> Result<(), Unmade> {
        [self.root.clone(), self.bots()].iter().try_for_each(|folder| {
            make_private(folder).map_err(|error| Unmade {
                why: format!("home {}: {}", folder.display(), words(&error)),
                denied: error.kind() == io::ErrorKind::PermissionDenied,
            })
        })
    }

    /// The folder that every bot has its own in.
    pub fn bots(&self) -> PathBuf {
        self.root.join("bots")
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

    /// The index of the event files, for whoever reads history.
    pub fn index(&self) -> PathBuf {
        self.root.join("botwarden.db")
    }

    /// The folder of the stops that were asked for.
    pub fn stops(&self) -> PathBuf {
        self.root.join("stops")
    }

    /// The folder of one of them: its lock, held while it is carried out, and its report.
    pub fn stop(&self, id: &str) -> PathBuf {
        self.stops().join(id)
    }

    /// What is remembered of clusters.
    pub fn clusters(&self) -> PathBuf {
        self.root.join("clusters")
    }

    /// The folder of one bot.
    pub fn bot(&self, name: &BotName) -> BotHome {
        BotHome { root: self.bots().join(name.as_str()) }
    }

    /// Every bot that has a folder here, by name.
    ///
    /// # Errors
    /// If the folder is there and cannot be read.
    pub fn recorded(&self) -> io::Result<Vec<BotName>> {
        let entries = match std::fs::read_dir(self.bots()) {
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
