//! A bot's table: what it says, what `[defaults]` says where it is silent, and what goes without saying.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::claims::claims;
use super::file::open_to_others;
use super::item::{Given, Item, Section};
use super::orders::{CancelKeys, orders};
use super::reader::Kind;
use super::stop::{BackoffKeys, ladder, ready};
use super::values::{command, path, size, variable};
use crate::core::bot::{BotName, BotSpec, Claims, Ladder, LogLimits, Mode, OrderSource, Ready, RestartPolicy};

/// The keys of a bot.
pub(super) const BOT: &[&str] = &[
    "command",
    "cwd",
    "mode",
    "groups",
    "autostart",
    "instances",
    "env",
    "env_file",
    "user",
    "restart",
    "backoff",
    "stop",
    "ready",
    "pid_file",
    "find",
    "log_file",
    "state_file",
    "log",
    "orders",
    "cancel",
    "claims",
];
/// The keys of `log`.
pub(super) const LOG: &[&str] = &["max_size", "keep"];

/// A live log is archived in whole lines, and holes are made in whole pages: less than one would never do.
const LEAST_LOG: u64 = 4 << 10;
/// More copies of one bot than this on one machine are a slip of the finger.
const MOST_INSTANCES: u32 = 999;

/// What one table says, before defaults: a bot's, or `[defaults]`.
#[derive(Default)]
pub(super) struct BotKeys {
    command: Given<Vec<String>>,
    cwd: Given<PathBuf>,
    mode: Given<Mode>,
    groups: Given<Vec<String>>,
    autostart: Given<bool>,
    instances: Given<u32>,
    env: Given<BTreeMap<String, String>>,
    env_file: Given<PathBuf>,
    user: Given<String>,
    restart: Given<RestartPolicy>,
    backoff: Given<BackoffKeys>,
    stop: Given<Ladder>,
    ready: Given<Ready>,
    pid_file: Given<PathBuf>,
    find: Given<Vec<String>>,
    log_file: Given<PathBuf>,
    state_file: Given<PathBuf>,
    log: Given<LogKeys>,
    orders: Given<OrderSource>,
    cancel: Given<CancelKeys>,
    claims: Given<Claims>,
}

#[derive(Clone, Default)]
struct LogKeys {
    max_size: Given<u64>,
    keep: Given<u32>,
}

impl BotKeys {
    /// Reads a table.
    pub fn read(section: &Section<'_>) -> Self {
        Self {
            command: section.take("command", command),
            cwd: section.take("cwd", path),
            mode: section.take("mode", mode),
            groups: section.take("groups", groups),
            autostart: section.take("autostart", Item::boolean),
            instances: section.take("instances", |item| item.whole(1..=MOST_INSTANCES)),
            env: section.take("env", env),
            env_file: section.take("env_file", env_file),
            user: section.take("user", |item| item.filled("the name of a user").map(str::to_owned)),
            restart: section.take("restart", restart),
            backoff: section.take("backoff", BackoffKeys::read),
            stop: section.take("stop", ladder),
            ready: section.take("ready", ready),
            pid_file: section.take("pid_file", path),
            find: section.take("find", find),
            log_file: section.take("log_file", path),
            state_file: section.take("state_file", path),
            log: section.take("log", log),
            orders: section.take("orders", orders),
            cancel: section.take("cancel", CancelKeys::read),
            claims: section.take("claims", claims),
        }
    }

    /// How many instances there are to be; nothing if what is said of it is wrong.
    pub fn instances(&self, defaults: &Self) -> Option<u32> {
        match self.instances.or(&defaults.instances) {
            Given::Absent => Some(1),
            Given::Bad => None,
            Given::Good(count) => Some(count),
        }
    }

    /// The bots that come of it: one, or one an instance; none if something that they need is missing, which is noted.
    ///
    /// A key of the bot stands instead of the same one in `[defaults]`. Of `env`, `backoff`, `log` and `cancel` the
    /// keys inside do, one by one.
    pub fn specs(self, section: &Section<'_>, name: Option<BotName>, defaults: &Self) -> Vec<BotSpec> {
        let command = self.command.or(&defaults.command);
        if !command.is_there() {
            section.missing(
                "command",
                "missing `command`: the program and its arguments, such as command = [\"python3\", \"-u\", \"run_bot.py\"]",
            );
        }
        let mode = self.mode.or(&defaults.mode);
        if !mode.is_there() {
            section.missing("mode", "missing `mode`: there is no default; write \"dry-run\", \"paper\" or \"live\"");
        }
        let slip = |at: usize, key: &str, message: String| section.reader.slip(at, Kind::Present, key, message);
        let missing = |at: usize, key: &str, message: String| section.reader.slip(at, Kind::Absent, key, message);
        let backoff =
            layered(&self.backoff, &defaults.backoff, BackoffKeys::over).good().unwrap_or_default().finish(slip);
        let cancel = layered(&self.cancel, &defaults.cancel, CancelKeys::over).good();
        let cancel = cancel.and_then(|cancel| cancel.finish(self.cancel.is_there(), missing));
        let log = layered(&self.log, &defaults.log, LogKeys::over).good().unwrap_or_default();
        let usual = LogLimits::default();
        let env = layered(&self.env, &defaults.env, |own, below| {
            let mut both = below.clone();
            both.extend(own.clone());
            both
        });
        let orders = self.orders.or(&defaults.orders).good();
        let state_file = self.state_file.or(&defaults.state_file).good();
        let count = self.instances(defaults);
        let (Some(name), Some(command), Some(mode), Some(count)) = (name, command.good(), mode.good(), count) else {
            return Vec::new();
        };
        let spec = BotSpec {
            name,
            command,
            cwd: self.cwd.or(&defaults.cwd).good().unwrap_or_else(|| section.reader.folder.to_owned()),
            mode,
            groups: self.groups.or(&defaults.groups).good().unwrap_or_default(),
            autostart: self.autostart.or(&defaults.autostart).good().unwrap_or(false),
            env: env.good().unwrap_or_default(),
            env_file: self.env_file.or(&defaults.env_file).good(),
            user: self.user.or(&defaults.user).good(),
            restart: self.restart.or(&defaults.restart).good().unwrap_or(RestartPolicy::OnFailure),
            backoff,
            stop: self.stop.or(&defaults.stop).good().unwrap_or_default(),
            ready: self.ready.or(&defaults.ready).good().unwrap_or(Ready::Executing),
            pid_file: self.pid_file.or(&defaults.pid_file).good(),
            find: self.find.or(&defaults.find).good(),
            log_file: self.log_file.or(&defaults.log_file).good(),
            state_file: state_file.or_else(|| state_of(orders.as_ref())),
            log: LogLimits {
                max_size: log.max_size.good().unwrap_or(usual.max_size),
                keep: log.keep.good().unwrap_or(usual.keep),
            },
            orders,
            cancel,
            claims: self.claims.or(&defaults.claims).good(),
        };
        if count == 1 {
            return vec![spec];
        }
        (1..=count).map(|number| BotSpec { name: spec.name.with_instance(number), ..spec.clone() }).collect()
    }
}

impl LogKeys {
    fn over(&self, below: &Self) -> Self {
        Self { max_size: self.max_size.or(&below.max_size), keep: self.keep.or(&below.keep) }
    }
}

/// A table over a table, where both are there.
fn layered<T: Clone>(own: &Given<T>, below: &Given<T>, over: impl FnOnce(&T, &T) -> T) -> Given<T> {
    if let (Given::Good(own), Given::Good(below)) = (own, below) {
        Given::Good(over(own, below))
    } else {
        own.or(below)
    }
}

/// The file that changes when the bot writes its state, where its orders are read from that state.
fn state_of(orders: Option<&OrderSource>) -> Option<PathBuf> {
    match orders? {
        OrderSource::StateJson { path } => Some(path.clone()),
        OrderSource::Freqtrade { .. }
        | OrderSource::Hummingbot { .. }
        | OrderSource::Sql { .. }
        | OrderSource::Command { .. } => None,
    }
}

fn mode(item: &Item<'_>) -> Option<Mode> {
    item.word("mode", &[Mode::DryRun, Mode::Paper, Mode::Live].map(|mode| (mode.word(), mode)))
}

fn restart(item: &Item<'_>) -> Option<RestartPolicy> {
    let words =
        [("never", RestartPolicy::Never), ("on-failure", RestartPolicy::OnFailure), ("always", RestartPolicy::Always)];
    item.word("policy", &words)
}

fn groups(item: &Item<'_>) -> Option<Vec<String>> {
    let groups = item.list("an array of strings, such as [\"crypto\"]", |group| {
        group.parsed("a string", |text| match text.parse::<BotName>() {
            Ok(name) if name.instance().is_none() => Ok(text.to_owned()),
            Ok(_) => Err(format!("the name {text:?} has an '@', which only instances have")),
            Err(bad) => Err(format!("the name {text:?} {bad}")),
        })
    })?;
    let mut once: Vec<String> = Vec::new();
    for group in groups {
        if !once.contains(&group) {
            once.push(group);
        }
    }
    Some(once)
}

fn env(item: &Item<'_>) -> Option<BTreeMap<String, String>> {
    let section = item.any_section("a table of variables, such as { LEVEL = \"info\" }")?;
    let mut variables = BTreeMap::new();
    let mut good = true;
    for (name, item) in section.named() {
        if let Err(why) = variable(name) {
            item.slip_of_key(format!("the variable {name:?} {why}"));
            good = false;
            continue;
        }
        // In words that leave the value out: it may be a secret.
        match item.string("a string in quotes") {
            Some(value) => _ = variables.insert(name.to_owned(), value.to_owned()),
            None => good = false,
        }
    }
    good.then_some(variables)
}

/// The file itself may come later and may change; that nobody else reads it is asked at each spawn again.
fn env_file(item: &Item<'_>) -> Option<PathBuf> {
    let file = path(item)?;
    if !item.reader.look {
        return Some(file);
    }
    match std::fs::metadata(&file) {
        Ok(about) if !about.is_file() => item.slip(format!("{} is not a regular file", file.display())),
        Ok(about) if open_to_others(&about) => {
            item.slip(format!("{0} holds secrets, and others may use it: chmod 600 {0}", file.display()));
        }
        Ok(_) | Err(_) => return Some(file),
    }
    None
}

fn find(item: &Item<'_>) -> Option<Vec<String>> {
    let patterns = item.list("an array of strings, such as [\"python*\", \"run_bot.py\"]", |pattern| {
        let text = pattern.filled("the name of a file, in which * and ? may stand")?;
        if text.contains('/') {
            pattern.wrong("has a '/' in it; only names of files are compared, without their folders");
            return None;
        }
        Some(text.to_owned())
    })?;
    if patterns.is_empty() {
        item.wrong("is empty; write the name of the program and then of the script, or leave `find` out");
        return None;
    }
    if patterns.iter().all(|pattern| pattern.bytes().all(|b| matches!(b, b'*' | b'?'))) {
        item.wrong("would find every process there is; write a part of a name");
        return None;
    }
    Some(patterns)
}

fn log(item: &Item<'_>) -> Option<LogKeys> {
    let section = item.section("`log`", LOG)?;
    Some(LogKeys {
        max_size: section.take("max_size", |item| size(item, LEAST_LOG)),
        keep: section.take("keep", |item| item.whole(0..=100_000)),
    })
}
