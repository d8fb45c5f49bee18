//! Questions: only on a terminal, and only where real money or somebody else's work is at stake.

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
    if !can_ask() {
        return Err(format!("{action} of live bots ({names}) needs --yes where nobody can be asked"));
    }
    let expected = match live.as_slice() {
        [(one, _)] => one.as_str(),
        _ => "LIVE",
    };
    if answer(&format!("{action} of LIVE: {names}. Type {expected} to go on: ")) == expected {
        Ok(())
    } else {
        Err(unconfirmed(action))
    }
}

/// Makes sure that this is meant, where somebody sits there; `what` says what is about to be done.
///
/// # Errors
/// If it is not meant.
pub(super) fn confirm_simply(desk: &Desk, action: &str, what: &str) -> Result<(), String> {
    if desk.yes || !can_ask() || matches!(answer(&format!("{what} [y/N] ")).as_str(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(unconfirmed(action))
}

fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn answer(question: &str) -> String {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{question}");
    let _ = stderr.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    answer.trim().to_owned()
}

fn unconfirmed(action: &str) -> String {
    format!("{action}: not confirmed, nothing was done")
}
