//! Values that are written as text and are more than text: times, sizes, signals, names, paths, argument vectors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use directories::BaseDirs;

use super::item::Item;
use super::suggest::nearest;
use crate::core::bot::BotName;
use crate::core::signal::Signal;

/// No time in a configuration is longer; a longer one is a slip of the finger.
const LONGEST: Duration = Duration::from_hours(24 * 366);
/// No size in a configuration is larger.
const LARGEST: u64 = 1 << 40;

/// Reads `500ms`, `30s`, `5m` or `2h`: a whole number and its unit.
///
/// # Errors
/// With a sentence's part that says what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let wrong = || {
        format!("{text:?} is no time; write a whole number and its unit, such as \"500ms\", \"30s\", \"5m\" or \"2h\"")
    };
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative; write a time from now on, such as \"30s\""));
    }
    if number.is_empty() {
        return Err(wrong());
    }
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "" => {
            return Err(format!(
                "{text:?} has no unit; write \"{number}ms\", \"{number}s\", \"{number}m\" or \"{number}h\""
            ));
        }
        _ => return Err(wrong()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| format!("{text:?} is longer than a year"))
}

/// A time as a configuration has it, in the largest unit that leaves no fraction.
pub fn duration_text(time: Duration) -> String {
    let milliseconds = time.as_millis();
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if milliseconds > 0 && milliseconds.is_multiple_of(size) {
            return format!("{}{unit}", milliseconds / size);
        }
    }
    if milliseconds == 0 { "0s".to_owned() } else { format!("{milliseconds}ms") }
}

/// A time that may be nothing.
pub(super) fn duration(item: &Item<'_>) -> Option<Duration> {
    item.parsed("a time in quotes with its unit, such as \"30s\"", parse_duration)
}

/// A time that something is given, so it must be some.
pub(super) fn some_duration(item: &Item<'_>) -> Option<Duration> {
    let time = duration(item)?;
    if time.is_zero() {
        item.wrong("must be longer than nothing");
        return None;
    }
    Some(time)
}

/// A size of at least `least` bytes.
pub(super) fn size(item: &Item<'_>, least: u64) -> Option<u64> {
    item.parsed("a size in quotes with its unit, such as \"64MiB\"", |text| {
        let digits = text.trim_start_matches('-').bytes().take_while(u8::is_ascii_digit).count();
        if text.starts_with('-') {
            return Err(format!("{text:?} is negative; write a size such as \"64MiB\""));
        }
        if digits == text.len() && digits > 0 {
            return Err(format!("{text:?} has no unit; write \"{text}MiB\", \"{text}KiB\" or \"{text}B\""));
        }
        let size: ByteSize =
            text.parse().map_err(|_| format!("{text:?} is no size; write a number and its unit, such as \"64MiB\""))?;
        if size.0 < least {
            return Err(format!("{text:?} is too small; the least is {}KiB", least >> 10));
        }
        if size.0 > LARGEST {
            return Err(format!("{text:?} is too large; the most is {}TiB", LARGEST >> 40));
        }
        Ok(size.0)
    })
}

/// A signal that a ladder may name.
pub(super) fn signal(item: &Item<'_>) -> Option<Signal> {
    item.parsed("the name of a signal, such as \"SIGTERM\"", |text| {
        let signal: Signal = text.parse().map_err(|_| {
            let upper = text.to_uppercase();
            let full = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
            match nearest(&full, Signal::names()) {
                Some(meant) if !text.is_empty() => format!("unknown signal {text:?}, did you mean \"{meant}\"?"),
                Some(_) | None => format!("unknown signal {text:?}; write one such as \"SIGTERM\", \"SIGINT\" or \"SIGUSR1\""),
            }
        })?;
        // A process that a signal has halted cannot clean up, and whoever stops a tree wakes it when that is needed.
        match signal.number() {
            libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU | libc::SIGCONT => {
                Err(format!("{signal} halts or wakes a process and never ends it; write one that asks it to end, such as \"SIGTERM\""))
            }
            _ => Ok(signal),
        }
    })
}

/// The name that somebody gives a bot or a cluster; never an instance's.
pub(super) fn new_name(text: &str) -> Result<BotName, String> {
    if text.contains('@') {
        return Err(format!(
            "the name {text:?} has an '@', which only instances have; write `instances = 2` in the bot's table, and \
             botwarden names them"
        ));
    }
    text.parse().map_err(|bad| format!("the name {text:?} {bad}"))
}

/// The name of a bot or of an instance, as something else refers to it.
pub(super) fn bot_name(item: &Item<'_>) -> Option<BotName> {
    item.parsed("the name of a bot", |text| text.parse().map_err(|bad| format!("the name {text:?} {bad}")))
}

/// A path, made absolute.
pub(super) fn path(item: &Item<'_>) -> Option<PathBuf> {
    let text = item.filled("a path")?;
    absolute(item.reader.folder, text).map_err(|message| item.slip(message)).ok()
}

fn absolute(folder: &Path, text: &str) -> Result<PathBuf, String> {
    let home =
        || BaseDirs::new().map(|dirs| dirs.home_dir().to_owned()).ok_or("'~' is unknown: you have no home folder");
    let path = match text.strip_prefix('~') {
        Some("") => home()?,
        Some(rest) if rest.starts_with('/') => home()?.join(rest.trim_start_matches('/')),
        Some(_) => return Err(format!("{text:?}: only your own home is known as '~/'; write the whole path")),
        None => folder.join(text),
    };
    // Takes "." out; ".." stays, because a link may stand before it.
    std::path::absolute(&path).map_err(|error| format!("{text:?}: {error}"))
}

/// A program and its arguments.
pub(super) fn command(item: &Item<'_>) -> Option<Vec<String>> {
    if let Some(line) = item.if_string() {
        item.wrong(&format!("must be an argument vector, never a shell line; write {}", as_vector(line.good()?)));
        return None;
    }
    let words = item.list("an array of strings, such as [\"python3\", \"-u\", \"run_bot.py\"]", |word| {
        word.string("a string").map(str::to_owned)
    })?;
    match words.first() {
        None => item.wrong("is empty; it must have a program, and then its arguments"),
        Some(program) if program.is_empty() => item.wrong("has an empty program; the first string must name one"),
        Some(_) => return Some(words),
    }
    None
}

/// What somebody probably meant who wrote a shell's line; an example where a shell would do more than split it.
fn as_vector(line: &str) -> String {
    let plain =
        !line.trim().is_empty() && !line.contains(['"', '\'', '\\', '$', '|', '&', ';', '<', '>', '*', '`', '(']);
    let line = if plain { line } else { "python3 -u run_bot.py" };
    let words: Vec<String> = line.split_whitespace().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", words.join(", "))
}

/// Whether an environment may have this variable set; the part of a sentence that follows its name if not.
pub(super) fn variable(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("is empty")
    } else if name.contains('=') {
        Err("has an '=' in it")
    } else if name.contains('\0') {
        Err("has a NUL character in it")
    } else if name == "NOTIFY_SOCKET" || name.starts_with("BOTWARDEN_") {
        Err("is botwarden's own to set")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_as_they_were_written() {
        for text in ["0s", "1ms", "500ms", "1500ms", "30s", "90s", "5m", "2h", "8760h"] {
            assert_eq!(parse_duration(text).map(duration_text).as_deref(), Ok(text));
        }
        assert_eq!(parse_duration("60s").map(duration_text).as_deref(), Ok("1m"));
    }

    #[test]
    fn what_is_no_time_is_told_with_one_that_is() {
        for text in ["", "s", "30", "1.5s", "-5s", "5 s", "5sec", "1h30m", "99999999999999999999s", "9000h", "٣s"] {
            let error = parse_duration(text).expect_err(text);
            assert!(error.contains('"'), "{text}: {error}");
        }
    }

    #[test]
    fn paths_start_at_the_file_that_names_them() {
        let folder = Path::new("/desk");
        for (text, expected) in
            [("data/bot.pid", "/desk/data/bot.pid"), (".", "/desk"), ("/x/y", "/x/y"), ("../a", "/desk/../a")]
        {
            assert_eq!(absolute(folder, text).as_deref(), Ok(Path::new(expected)));
        }
        assert!(absolute(folder, "~other/x").is_err());
    }

    #[test]
    fn a_shell_line_is_shown_as_a_vector_where_that_is_all_it_needs() {
        assert_eq!(as_vector("python  bot.py --live"), r#"["python", "bot.py", "--live"]"#);
        assert_eq!(as_vector("cd x && ./bot"), r#"["python3", "-u", "run_bot.py"]"#);
    }
}
