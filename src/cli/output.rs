//! What is printed, and where: results on standard output, diagnostics on standard error, one JSON object if asked for.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;

use crate::core::code::Code;
use crate::paths::words;

use super::args::Args;

/// Whether the one JSON object was printed.
static PRINTED: Mutex<bool> = Mutex::new(false);
/// What first went wrong on standard output.
static TROUBLE: OnceLock<io::Error> = OnceLock::new();

/// Whether colours are wanted (<https://no-color.org>).
pub fn wants_color(args: &Args) -> bool {
    !args.no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether the terminal or the locale can show no more than ASCII.
pub fn wants_ascii() -> bool {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let terminal = variable("TERM").unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default().to_lowercase();
    knows_ascii_alone(&terminal, &locale)
}

/// A locale says how bytes are read, and some terminals have no glyphs whatever it says.
fn knows_ascii_alone(terminal: &str, locale: &str) -> bool {
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    !utf8 || terminal == "linux" || terminal == "dumb" || terminal.starts_with("vt")
}

/// How this run of the command line prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// One JSON object instead of text.
    pub json: bool,
    /// Whether words may be coloured.
    pub color: bool,
}

impl Output {
    /// Prints a line for people; with `--json`, nothing.
    pub fn line(self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    /// Prints the one JSON object; without `--json`, or after another one, nothing.
    pub fn object<T: Serialize>(self, value: &T) {
        if self.json {
            print_once(&mut printed(), value);
        }
    }

    /// Leaves with this object as the last word, unless the command has had its own: then its own end is near.
    pub(super) fn leave(self, action: &str, code: Code, why: &str) {
        let mut printed = printed();
        if *printed {
            return;
        }
        self.complain(why);
        if self.json {
            print_once(&mut printed, &refusal(Some(action), code, why));
        }
        // Nobody else prints any more: the lock is held until the end.
        std::process::exit(i32::from(self.end(code).number()));
    }

    /// What a command comes to, given whether its output could be written.
    pub(super) fn end(self, code: Code) -> Code {
        match TROUBLE.get() {
            // A closed pipe is the reader's way of saying that it has enough.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                self.complain(&format!("the output cannot be written: {}", words(error)));
                Code::worst([code, Code::Failed])
            }
            Some(_) | None => code,
        }
    }

    /// Prints a diagnostic on standard error.
    #[allow(clippy::unused_self)]
    pub fn complain(self, text: &str) {
        complain(text);
    }

    /// Prints a remark on what is under way to somebody who sits there and waits; scripts are not told.
    pub fn remark(self, text: &str) {
        if !self.json && io::stderr().is_terminal() {
            self.complain(text);
        }
    }

    /// Prints that nothing was done, and why: a diagnostic, and with `--json` an object that scripts can read.
    pub fn refuse(self, action: &str, code: Code, why: &str) -> Code {
        self.complain(why);
        self.object(&refusal(Some(action), code, why));
        code
    }

    /// Text in bold red, where colours are wanted and somebody looks.
    pub fn red(self, text: &str) -> String {
        if self.color && io::stdout().is_terminal() { format!("\x1b[1;31m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Prints a diagnostic on standard error.
pub(super) fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "botwarden: {text}");
}

fn printed() -> MutexGuard<'static, bool> {
    PRINTED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print_once<T: Serialize>(printed: &mut bool, value: &T) {
    if !std::mem::replace(printed, true)
        && let Ok(text) = serde_json::to_string(value)
    {
        print(&text);
    }
}

fn print(text: &str) {
    if let Err(error) = writeln!(io::stdout(), "{text}") {
        let _ = TROUBLE.set(error);
    }
}

/// What scripts read where nothing was done; without an action where it is not known which was meant.
pub(super) fn refusal(action: Option<&str>, code: Code, why: &str) -> serde_json::Value {
    let mut object = serde_json::json!({
        "schema": 1, "action": action, "ok": false, "exit_code": code.number(), "bots": [], "errors": [why],
    });
    let reports = matches!(
        action,
        Some(
            "stop"
                | "kill"
                | "restart"
                | "cluster start"
                | "cluster stop"
                | "cluster requeue"
                | "estop"
                | "estop reset"
        )
    );
    if let (true, Some(fields)) = (reports, object.as_object_mut()) {
        // What a report has, nothing of which came about.
        for name in ["at", "duration_ms", "latched", "scope", "by", "reason"] {
            fields.insert(name.into(), serde_json::Value::Null);
        }
        fields.insert("clusters".into(), serde_json::json!([]));
    }
    object
}

#[cfg(test)]
mod tests {
    use super::knows_ascii_alone;

    #[test]
    fn ascii_is_chosen_where_the_locale_or_the_terminal_knows_no_more() {
        for (terminal, locale, alone) in [
            ("xterm-256color", "en_us.utf-8", false),
            ("tmux-256color", "c.utf8", false),
            ("xterm-256color", "de_de.iso-8859-1", true),
            ("xterm-256color", "c", true),
            ("xterm-256color", "", true),
            ("linux", "en_us.utf-8", true),
            ("dumb", "en_us.utf-8", true),
            ("vt100", "en_us.utf-8", true),
            ("vt220", "en_us.utf-8", true),
            ("", "en_us.utf-8", false),
        ] {
            assert_eq!(knows_ascii_alone(terminal, locale), alone, "{terminal:?} {locale:?}");
        }
    }
}
