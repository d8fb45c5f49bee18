//! Questions: only on a terminal, and only where real money is at stake.

use std::io::{BufRead, IsTerminal, Write};

use crate::core::bot::{BotName, Mode};

use super::desk::Desk;

/// Makes sure that this is meant: bots in mode live, or whose mode is not known, need `--yes`, or their name typed.
///
/// # Errors
/// With the reason, if it is not meant or nobody can be asked.
pub(super) fn confirm(desk: &Desk, action: &str, bots: &[(BotName, Option<Mode>)]) -> Result<(), String> {
    let live: Vec<&(BotName, Option<Mode>)> =
        bots.iter().filter(|(_, mode)| !matches!(mode, Some(Mode::DryRun | Mode::Paper))).collect();
    if live.is_empty() || desk.yes {
        return Ok(());
    }
    let names: Vec<String> = live
        .iter()
        .map(|(name, mode)| match mode {
            Some(_) => name.to_string(),
            None => format!("{name}, whose mode is not known"),
        })
        .collect();
    let names = names.join(", ");
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(format!("{action} of live bots ({names}) needs --yes where nobody can be asked"));
    }
    let expected = match live.as_slice() {
        [(one, _)] => one.as_str(),
        _ => "LIVE",
    };
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{action} of LIVE: {names}. Type {expected} to go on: ");
    let _ = stderr.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    if answer.trim() == expected { Ok(()) } else { Err(format!("{action}: not confirmed, nothing was done")) }
}
