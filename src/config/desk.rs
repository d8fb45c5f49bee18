//! The whole file: everything that is configured, or everything that is wrong.

use std::path::{Path, PathBuf};

use super::bot::{BOT, BotKeys};
use super::cluster;
use super::file;
use super::item::{Given, Item, Section};
use super::mistake::Mistake;
use super::parse::{mended, table};
use super::reader::{Kind, Reader};
use super::settings::{EstopSettings, estop, ui};
use super::suggest::nearest;
use super::values::new_name;
use crate::core::bot::{BotName, BotSpec};
use crate::core::cluster::ClusterSpec;
use crate::core::ui::UiSettings;

/// The tables of the file.
pub(super) const FILE: &[&str] = &["defaults", "bots", "clusters", "estop", "ui"];

/// A configuration without a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The absolute path of the file it was read from.
    pub file: PathBuf,
    /// Every bot, and every instance where there are several (`momentum@1`, `momentum@2`), in the order of the file.
    pub bots: Vec<BotSpec>,
    /// Every cluster, in the order of the file.
    pub clusters: Vec<ClusterSpec>,
    /// `[estop]`.
    pub estop: EstopSettings,
    /// `[ui]`.
    pub ui: UiSettings,
}

impl Config {
    /// The bots that a name means: one, or every instance where the name is that of several. None if it is not
    /// configured.
    pub fn named(&self, name: &str) -> Vec<&BotSpec> {
        let exact: Vec<&BotSpec> = self.bots.iter().filter(|bot| bot.name.as_str() == name).collect();
        if exact.is_empty() { self.bots.iter().filter(|bot| bot.name.base() == name).collect() } else { exact }
    }

    /// The one bot, or one instance, with exactly this name.
    pub fn bot(&self, name: &BotName) -> Option<&BotSpec> {
        self.bots.iter().find(|bot| bot.name == *name)
    }

    /// Every bot of a group, in the order of the file.
    pub fn group(&self, group: &str) -> Vec<&BotSpec> {
        self.bots.iter().filter(|bot| bot.groups.iter().any(|other| other == group)).collect()
    }

    /// Every group that a bot belongs to, once each, in the order of the file.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for group in self.bots.iter().flat_map(|bot| &bot.groups) {
            if !groups.contains(&group.as_str()) {
                groups.push(group);
            }
        }
        groups
    }

    /// The cluster with this name.
    pub fn cluster(&self, name: &str) -> Option<&ClusterSpec> {
        self.clusters.iter().find(|cluster| cluster.name.as_str() == name)
    }

    /// The bot that was probably meant by a name that none has.
    pub fn nearest_bot(&self, name: &str) -> Option<&str> {
        nearest(name, self.bots.iter().flat_map(|bot| [bot.name.base(), bot.name.as_str()]))
    }
}

/// Reads a file.
///
/// # Errors
/// With every mistake that is in it, in the order of the file.
pub fn read(file: &Path) -> Result<Config, Vec<Mistake>> {
    read_bytes(file).and_then(|bytes| from_bytes(file, &bytes, true))
}

/// Reads a file without a look at any other.
pub(super) fn read_alone(file: &Path) -> Result<Config, Vec<Mistake>> {
    read_bytes(file).and_then(|bytes| from_bytes(file, &bytes, false))
}

/// Reads a text as if it stood in this file, without a look at any file.
///
/// # Errors
/// As [`read`].
pub fn parse(file: &Path, text: &str) -> Result<Config, Vec<Mistake>> {
    from_bytes(file, text.as_bytes(), false)
}

fn read_bytes(file: &Path) -> Result<Vec<u8>, Vec<Mistake>> {
    file::open(file).and_then(|(open, _)| file::bytes(open)).map_err(|message| vec![nowhere(file, message)])
}

fn nowhere(file: &Path, message: String) -> Mistake {
    Mistake { file: file.to_owned(), line: 0, column: 0, key: String::new(), message }
}

fn from_bytes(file: &Path, bytes: &[u8], look: bool) -> Result<Config, Vec<Mistake>> {
    let path = std::path::absolute(file).map_err(|error| vec![nowhere(file, error.to_string())])?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    // What is no text is told where it is; the rest is read all the same, for its own mistakes.
    let lossy = String::from_utf8_lossy(bytes);
    let text = file::without_mark(&lossy);
    let reader = Reader::new(file, &folder, text, look);
    if let Err(error) = std::str::from_utf8(bytes) {
        let mark = lossy.len() - text.len();
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        let message = format!("is not UTF-8: byte {} of the file is 0x{byte:02x}; save the file as UTF-8", at + 1);
        reader.slip(at.saturating_sub(mark), Kind::Syntax, "", message);
    }
    let mended = mended(&reader, text);
    let table = table(&mended);
    let whole = whole(Section::whole(&reader, &table), path);
    let mistakes = reader.mistakes();
    if mistakes.is_empty() { Ok(whole) } else { Err(mistakes) }
}

fn whole(mut section: Section<'_>, file: PathBuf) -> Config {
    section.only("a configuration", FILE, |key| {
        let of_a_bot =
            format!("`{key}` is a key of a bot: it belongs below [bots.NAME], or below [defaults] for all of them");
        BOT.contains(&key).then_some(of_a_bot)
    });
    let defaults = section.take("defaults", |item| item.section("`[defaults]`", BOT));
    let defaults = defaults.good().map(|section| BotKeys::read(&section)).unwrap_or_default();

    let mut names = Vec::new();
    let bots = section.take("bots", |item| bots(item, &defaults, &mut names));
    let none = match &bots {
        Given::Absent => true,
        Given::Bad => false,
        Given::Good((_, tables)) => *tables == 0,
    };
    if none {
        section.missing("bots", "no bots: the file has no table [bots.NAME]");
    }
    let clusters = section.take("clusters", |item| cluster::read_all(item, &names));
    Config {
        file,
        bots: bots.good().map(|(bots, _)| bots).unwrap_or_default(),
        clusters: clusters.good().unwrap_or_default(),
        estop: section.take("estop", estop).good().unwrap_or_default(),
        ui: section.take("ui", ui).good().unwrap_or_default(),
    }
}

/// Every bot, and how many tables there were for them.
fn bots(item: &Item<'_>, defaults: &BotKeys, names: &mut Vec<(BotName, Option<u32>)>) -> Option<(Vec<BotSpec>, usize)> {
    let all = item.any_section("tables, such as [bots.momentum]")?;
    let mut bots = Vec::new();
    let mut tables = 0;
    for (name, item) in all.named() {
        tables += 1;
        let name = new_name(name).map_err(|message| item.slip_of_key(message)).ok();
        let section = item.section("a bot", BOT);
        let keys = section.as_ref().map(BotKeys::read);
        // A bot whose table is wrong is there all the same: nothing that names it is told that it is not.
        let count = keys.as_ref().and_then(|keys| keys.instances(defaults));
        names.extend(name.clone().map(|name| (name, count)));
        if let (Some(section), Some(keys)) = (section, keys) {
            bots.extend(keys.specs(&section, name, defaults));
        }
    }
    Some((bots, tables))
}
