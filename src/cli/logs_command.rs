//! `logs`: turns the command line into what [`super::logs`] shows.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

use regex::bytes::Regex;

use crate::clock;
use crate::config::parse_duration;
use crate::core::code::Code;

use super::args::{LogArgs, Scope};
use super::desk::Desk;
use super::logs::{self, LogsArgs};
use super::output::Output;
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
        lines: which.lines,
        follow: which.follow,
        grep,
        since,
        json: output.json,
        terminal: stdout.is_terminal(),
        output: stdout.as_fd().try_clone_to_owned().ok(),
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
