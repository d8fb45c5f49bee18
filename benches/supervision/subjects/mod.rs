//! Whom we measure: botwarden, the floor, and other supervisors as far as they are installed.

pub mod botwarden;
mod floor;
mod mprocs;
mod pm2;
mod runit;
mod s6;
mod supervisord;

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::hands::Hands;
use crate::place::Place;

/// What somebody is in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// No supervisor at all.
    Floor,
    /// Botwarden.
    Ours,
    /// Another supervisor.
    Peer,
}

/// Something that starts bots. Each is configured for the same work: it keeps the bot running, keeps what the bot writes
/// in files that are rotated without a loss, and is told what to do by its own documented commands.
pub trait Subject {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// What it is here for.
    fn role(&self) -> Role {
        Role::Peer
    }

    /// Which version was found.
    fn version(&self, hands: &Hands) -> String;

    /// Writes what it reads.
    fn configure(&self, place: &Place) -> Result<(), String>;

    /// Starts it, and its bots if they run from the beginning.
    fn launch(&self, place: &Place, hands: &Hands) -> Result<(), String>;

    /// Whether it can be told something.
    fn is_ready(&self, place: &Place, hands: &Hands) -> bool;

    /// Starts bots: the command that comes back when they run.
    fn start(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String>;

    /// Stops bots: the command that comes back when they are gone.
    fn stop(&self, place: &Place, hands: &Hands, bots: &[String]) -> Result<(), String>;

    /// What an operator does when a bot's parent was killed.
    fn relaunch(&self, place: &Place, hands: &Hands) -> Result<(), String>;

    /// Removes what its end by SIGKILL leaves outside of its folder.
    fn tidy(&self, _: &Place) {}

    /// Prints everything that a bot has written.
    fn log(&self, place: &Place, bot: &str) -> Result<Command, String>;

    /// With which code it says that a bot ended.
    fn reported_exit(&self, _: &Place, _: &Hands, _: &str) -> Option<i64> {
        None
    }

    /// Short names of processes that are there for the measurement alone.
    fn apart(&self) -> &'static [&'static str] {
        &[]
    }
}

/// How one is looked for.
type Find = fn() -> Option<Box<dyn Subject>>;

/// The other supervisors that can be measured.
const FINDERS: [(&str, Find); 5] = [
    ("runit", runit::Runit::find),
    ("s6", s6::S6::find),
    ("supervisord", supervisord::Supervisord::find),
    ("pm2", pm2::Pm2::find),
    ("mprocs", mprocs::Mprocs::find),
];

/// Their names.
pub fn peers() -> impl Iterator<Item = &'static str> {
    FINDERS.into_iter().map(|(name, _)| name)
}

/// Everybody who can be measured here, and the names of those who are not installed. `wanted` leaves the other peers out.
pub fn found(wanted: Option<&[String]>) -> (Vec<Box<dyn Subject>>, Vec<&'static str>) {
    let mut subjects: Vec<Box<dyn Subject>> = vec![Box::new(floor::Floor::default()), Box::new(botwarden::Botwarden)];
    let mut missing = Vec::new();
    for (name, find) in FINDERS {
        if wanted.is_some_and(|wanted| !wanted.iter().any(|other| other == name)) {
            continue;
        }
        match find() {
            Some(peer) => subjects.push(peer),
            None => missing.push(name),
        }
    }
    (subjects, missing)
}

/// Where these programs are, if all of them are in PATH.
fn programs<const N: usize>(names: [&str; N]) -> Option<[PathBuf; N]> {
    let found: Option<Vec<PathBuf>> = names.iter().map(|name| program(name)).collect();
    found?.try_into().ok()
}

fn program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The files whose name begins so, in the order of `key`, printed one after the other.
fn cat<K: Ord>(folder: &std::path::Path, key: impl Fn(&str) -> Option<K>) -> Result<Command, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<(K, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((key(entry.file_name().to_str()?)?, entry.path()))).collect();
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut command = Command::new("cat");
    command.args(files.into_iter().map(|(_, path)| path));
    Ok(command)
}

/// The order of files as svlogd and s6-log name them: by the time in the name, and the current one last.
fn rotated(name: &str) -> Option<(bool, String)> {
    (name.starts_with('@') || name == "current").then(|| (name == "current", name.to_owned()))
}

/// The version that stands somewhere in the first lines of a text: the first word that has a digit and a dot.
fn version_in(text: &str) -> String {
    text.split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()))
        .find(|word| word.contains('.') && word.contains(|c: char| c.is_ascii_digit()))
        .unwrap_or("of an unknown version")
        .to_owned()
}

/// The version of a Debian package, for programs that do not tell theirs.
fn packaged_version(hands: &Hands, package: &str) -> String {
    let mut command = Command::new("dpkg-query");
    command.args(["--showformat=${Version}", "--show", package]);
    program("dpkg-query").map_or_else(
        || "of an unknown version".to_owned(),
        |_| hands.ask(&mut command).map_or_else(|_| String::new(), |text| version_in(&text)),
    )
}
