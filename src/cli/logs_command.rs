//! `logs`: turns the command line into what [`super::logs`] shows.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;

use regex::bytes::Regex;

use crate::clock;
use crate::config::parse_duration;
use crate::core::bot::BotName;
use crate::core::code::Code;
use crate::core::status::RecordSeen;
use crate::core::words::NOT_OURS;
use crate::record;

use super::args::{LogArgs, Scope};
use super::desk::Desk;
use super::logs::{self, LogsArgs};
use super::output::{Output, complain};
use super::scope::known;

/// Shows the logs of these bots.
pub(super) fn run(desk: &Desk, which: &LogArgs, output: Output) -> Code {
    let refuse = |why: &str| output.refuse("logs", Code::Usage, why);
    let scope = Scope { bots: which.bots.clone(), ..Scope::default() };
    let names = match known(desk, &scope, output) {
        Ok(names) => names,
        Err(why) => return refuse(&why),
    };
    let grep = match which.grep.as_deref().map(Regex::new).transpose() {
        Ok(grep) => grep,
        Err(error) => return refuse(&format!("--grep: {error}")),
    };
    let since = match which.since.as_deref().map(parse_duration).transpose() {
        Ok(since) => since,
        Err(why) => return refuse(&format!("--since: {why}")),
    };
    let stdout = io::stdout();
    let args = LogsArgs {
        bots: names.iter().map(|name| (name.clone(), desk.home.bot(name))).collect(),
        files: names.iter().filter_map(|name| Some((name.clone(), file_of(desk, name, output)?))).collect(),
        zones: names.iter().filter_map(|name| Some((name.clone(), zone_of(desk, name)?))).collect(),
        lines: which.lines,
        follow: which.follow,
        grep,
        since,
        json: output.json,
        terminal: stdout.is_terminal(),
        output: stdout.as_fd().try_clone_to_owned().ok(),
        complain: Some(complain),
    };
    match logs::run(&args, clock::wall(), &mut stdout.lock()).and_then(|shown| io::stdout().flush().map(|()| shown)) {
        Ok(_) => Code::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Code::Done,
        Err(error) => {
            output.complain(&crate::paths::words(&error));
            Code::Failed
        }
    }
}

/// The `TZ` that the configuration gives a bot.
fn zone_of(desk: &Desk, name: &BotName) -> Option<String> {
    let spec = desk.config.as_ref()?.bots.iter().find(|spec| spec.name == *name)?;
    spec.env.get("TZ").cloned()
}

/// The log file that a bot writes by itself: by the configuration, or else by the record of its last run. Where there is none, and none of the output comes to us, that is said.
fn file_of(desk: &Desk, name: &BotName, output: Output) -> Option<PathBuf> {
    let record = match record::read(&desk.home.bot(name)) {
        RecordSeen::Read(record) => Some(record),
        RecordSeen::None | RecordSeen::Unreadable(_) => None,
    };
    let spec = desk.config.as_ref().and_then(|config| config.bots.iter().find(|spec| spec.name == *name));
    let file = spec
        .and_then(|spec| spec.log_file.clone())
        .or_else(|| record.as_ref().and_then(|record| record.log_file.clone()));
    if file.is_none() && record.is_some_and(|record| record.stray && record.ended.is_none()) {
        output.complain(&format!("{name}: {NOT_OURS}"));
    }
    file
}
