//! A desk that exists for as long as somebody looks at it: its home, its configuration, its bots.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::act;
use crate::config;
use crate::core::bot::BotSpec;
use crate::core::report::StartedBot;
use crate::core::stop::Wish;
use crate::lock::Lock;
use crate::paths::{Home, words};
use crate::who;

use super::leave::{Closing, put_away};
use super::leftover;
use super::place::{LOCK, PREFIX, reach};

/// The configuration of the desk, with `"botwarden"` where the path of the program goes.
pub const TEXT: &str = include_str!("../../config/demo.toml");

/// The first screen is not kept waiting longer than this for bots that take their time.
const START_WAIT: Duration = Duration::from_secs(1);
/// Nobody guesses a name that often.
const TRIES: u32 = 16;

/// What a paper desk is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The folder that the home is made in.
    pub parent: PathBuf,
    /// The program that plays the bots: a botwarden.
    pub program: PathBuf,
    /// The configuration, with `"botwarden"` for the program.
    pub text: String,
}

impl Setup {
    /// The embedded configuration, this very program, and the system's folder for temporary files.
    ///
    /// # Errors
    /// With a sentence, if this program cannot find itself.
    pub fn usual() -> Result<Self, String> {
        let program =
            std::env::current_exe().map_err(|error| format!("cannot find this program itself: {}", words(&error)))?;
        Ok(Self { parent: std::env::temp_dir(), program, text: TEXT.to_owned() })
    }
}

/// A desk of simulated bots in a temporary home of its own.
///
/// [`PaperDesk::close`] stops the bots and removes the home. A desk that is dropped without it (an error on the way, a
/// panic) kills its bots and removes its home all the same.
#[derive(Debug)]
pub struct PaperDesk {
    home: Home,
    config_file: PathBuf,
    specs: Vec<BotSpec>,
    notes: Vec<String>,
    by: String,
    interrupted: Arc<AtomicBool>,
    closing: Option<Closing>,
    _lock: Lock,
}

impl PaperDesk {
    /// What is to be said before anybody leaves.
    pub const LEAVE_NOTE: &'static str = "Leaving the demo stops its bots and removes its home.";

    /// Makes the desk; nothing is started yet. From now on SIGINT, SIGTERM and SIGHUP do not end this process: they
    /// are remembered ([`PaperDesk::interrupted`]), so that the desk can be closed first.
    ///
    /// Homes of earlier demos that were killed, and so could not close, are cleared away: [`PaperDesk::notes`] says it.
    ///
    /// # Errors
    /// With a sentence, if the home cannot be made.
    pub fn open() -> Result<Self, String> {
        let desk = Self::open_with(&Setup::usual()?)?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&desk.interrupted))
                .map_err(|error| format!("cannot watch for signals: {}", words(&error)))?;
        }
        Ok(desk)
    }

    /// Makes a desk of other parts, and leaves this process's signals alone.
    ///
    /// # Errors
    /// With a sentence, if the home cannot be made.
    pub fn open_with(setup: &Setup) -> Result<Self, String> {
        let by = who::asks();
        let parent = fs::canonicalize(&setup.parent)
            .map_err(|error| format!("the folder {}: {}", setup.parent.display(), words(&error)))?;
        let notes = leftover::clear(&parent, &by);
        let (root, lock) = make_home(&parent)?;
        match furnish(&root, setup) {
            Ok((config_file, specs)) => Ok(Self {
                home: Home::at(root),
                config_file,
                specs,
                notes,
                by,
                interrupted: Arc::new(AtomicBool::new(false)),
                closing: None,
                _lock: lock,
            }),
            Err(why) => {
                let _ = fs::remove_dir_all(&root);
                Err(why)
            }
        }
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its configuration, inside the home.
    pub fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// Its bots.
    pub fn specs(&self) -> &[BotSpec] {
        &self.specs
    }

    /// What was found and done on opening, in sentences; empty if there was nothing.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether a signal came that would have ended this process.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// How another terminal reaches this desk.
    pub fn reach(&self) -> String {
        reach(&self.home)
    }

    /// Starts every bot that is to start by itself; two that show what goes wrong wait to be asked. One that takes its time to be ready is not waited for: it goes on starting.
    pub fn start(&self, by: &str) -> Vec<StartedBot> {
        let due: Vec<BotSpec> = self.specs.iter().filter(|spec| spec.autostart).cloned().collect();
        act::start(&self.home, &due, by, START_WAIT)
    }

    /// Stops every bot by its ladder, makes sure that nothing lives, and removes the home. What survives keeps its home.
    /// May be called again: once all is gone it says the same as before, until then it tries again.
    pub fn close(&mut self) -> Closing {
        if let Some(closing) = self.closing.as_ref().filter(|closing| closing.is_clean()) {
            return closing.clone();
        }
        let closing = put_away(&self.home, &self.specs, Wish::Stop, &self.by);
        self.closing = Some(closing.clone());
        closing
    }
}

impl Drop for PaperDesk {
    fn drop(&mut self) {
        if self.closing.is_none() {
            put_away(&self.home, &self.specs, Wish::Kill, &self.by);
        }
    }
}

/// A fresh folder that was not there before and that others cannot enter, locked for this process.
fn make_home(parent: &Path) -> Result<(PathBuf, Lock), String> {
    for _ in 0..TRIES {
        let root = parent.join(format!("{PREFIX}{}-{:016x}", std::process::id(), fastrand::u64(..)));
        match DirBuilder::new().mode(0o700).create(&root) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(format!("the demo's home {}: {}", root.display(), words(&error))),
        }
        match Lock::take(&root.join(LOCK)) {
            Ok(Some(lock)) => return Ok((root, lock)),
            // Another demo took it for a left-over in the moment before it was locked, and removes it.
            Ok(None) => {}
            Err(error) => {
                let _ = fs::remove_dir_all(&root);
                return Err(format!("the demo's home {} cannot be locked: {}", root.display(), words(&error)));
            }
        }
    }
    Err(format!("no home for the demo could be made in {}", parent.display()))
}

fn furnish(root: &Path, setup: &Setup) -> Result<(PathBuf, Vec<BotSpec>), String> {
    let program = program(root, &setup.program)?;
    let quoted = toml::Value::String(program).to_string();
    let text = setup.text.replace("\"botwarden\"", &quoted);
    let file = root.join("botwarden.toml");
    let trouble = |error: io::Error| format!("the demo's home {}: {}", root.display(), words(&error));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut open| open.write_all(text.as_bytes()))
        .map_err(trouble)?;
    let config = config::parse(&file, &text).map_err(|mistakes| {
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        format!("the demo's configuration has mistakes: {}", told.join("; "))
    })?;
    for spec in &config.bots {
        DirBuilder::new().recursive(true).mode(0o700).create(&spec.cwd).map_err(trouble)?;
    }
    Home::at(root.to_owned()).make().map_err(|unmade| unmade.why)?;
    Ok((file, config.bots))
}

/// The path that bots are executed by. A program that was replaced while it runs has no path any more: then the bots
/// get a copy of it, for they are executed again and again.
fn program(root: &Path, program: &Path) -> Result<String, String> {
    if let Some(text) = program.to_str().filter(|_| program.is_file()) {
        return Ok(text.to_owned());
    }
    let folder = root.join("bin");
    let copy = folder.join("botwarden");
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .and_then(|()| fs::copy("/proc/self/exe", &copy))
        .map_err(|error| format!("cannot copy this program to {}: {}", copy.display(), words(&error)))?;
    copy.to_str().map(str::to_owned).ok_or_else(|| format!("the path {} is not UTF-8", copy.display()))
}
