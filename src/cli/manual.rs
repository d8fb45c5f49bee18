//! `man`: one page with everything, made from the grammar itself: the command, each of its subcommands, what they exit
//! with, which files and variables there are, and the keys of the screen.

use std::fmt::Write;
use std::io;

use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use serde_json::json;

use crate::core::code::Code;
use crate::paths::words;

use super::args::Args;
use super::output::Output;

/// A key of the screen, and what it does, for the page.
#[derive(Clone, Debug)]
pub struct KeyTold {
    /// The heading that it stands under.
    pub group: &'static str,
    /// The key.
    pub key: String,
    /// What it does.
    pub help: String,
}

const FILES: [(&str, &str); 10] = [
    (
        "./botwarden.toml, ~/.config/botwarden/botwarden.toml, /etc/botwarden/botwarden.toml",
        "The configuration: the first of these that is there, unless one is named.",
    ),
    (
        "HOME",
        "The desk's home: what was named, else the user's state folder (~/.local/state/botwarden). Nobody else can read it.",
    ),
    ("HOME/estop.json", "The latch of the emergency stop. As long as it is there nothing starts."),
    ("HOME/events", "What happened to the desk, one JSON object a line. Only ever appended to."),
    ("HOME/stops/ID/report.json", "What became of a stop."),
    ("HOME/last-good.toml", "The last configuration that was read without a mistake."),
    (
        "HOME/botwarden.db",
        "An index of the event files, for the history on the screen. It may be removed at any time and is built anew.",
    ),
    ("HOME/bots/NAME/run.json", "What is known of the bot's run."),
    ("HOME/bots/NAME/events", "What happened to the bot."),
    ("HOME/bots/NAME/log/", "What it wrote, by run, with the archives."),
];

const VARIABLES: [(&str, &str); 5] = [
    ("BOTWARDEN_CONFIG", "The configuration file, where --config names none."),
    (
        "BOTWARDEN_HOME",
        "The desk's home, where --home names none. Bots have it too, with BOTWARDEN_BOT (their name) and BOTWARDEN_RUN (the run's id).",
    ),
    ("NO_COLOR", "If it is set to anything: no colours."),
    (
        "LC_ALL, LC_CTYPE, LANG, TERM",
        "Where these name no UTF-8, or a terminal that cannot show it, the screen is plain ASCII.",
    ),
    ("NOTIFY_SOCKET", "Set for every bot: where it may say READY=1, WATCHDOG=1 and the rest of sd_notify(3)."),
];

/// Prints the page. `keys`: those of the screen, which the command line knows nothing of.
pub fn manual(args: &Args, keys: &[KeyTold]) -> Code {
    let output = Output { json: args.json, color: false };
    match page(keys) {
        Ok(page) => {
            output.line(page.trim_end());
            output.object(&json!({ "schema": 1, "text": page }));
            output.end(Code::Done)
        }
        Err(error) => output.refuse("man", Code::Failed, &format!("the page cannot be made: {}", words(&error))),
    }
}

fn page(keys: &[KeyTold]) -> io::Result<String> {
    let mut command = Args::command();
    command.build();
    let man = Man::new(command.clone()).section("1").manual("botwarden manual");
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    let mut page = String::from_utf8_lossy(&bytes).into_owned();
    section(&mut page, "COMMANDS");
    for sub in command.get_subcommands() {
        subcommand(&mut page, "botwarden", sub);
    }
    section(&mut page, "EXIT STATUS");
    paragraph(&mut page, "Where several apply, the worst wins.");
    for code in Code::ALL {
        item(&mut page, &code.number().to_string(), code.meaning());
    }
    section(&mut page, "FILES");
    for (name, what) in FILES {
        item(&mut page, name, what);
    }
    section(&mut page, "ENVIRONMENT");
    for (name, what) in VARIABLES {
        item(&mut page, name, what);
    }
    section(&mut page, "KEYS");
    paragraph(&mut page, "On the screen, where ? shows them too, those of the pane first.");
    let mut group = "";
    for key in keys {
        if key.group != group {
            group = key.group;
            let _ = writeln!(page, ".SS {}", quoted(group));
        }
        item(&mut page, &key.key, &key.help);
    }
    section(&mut page, "SEE ALSO");
    paragraph(&mut page, "systemd(1), tmux(1), sd_notify(3), signal(7)");
    Ok(page)
}

fn subcommand(page: &mut String, above: &str, command: &Command) {
    let name = format!("{above} {}", command.get_name());
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
    let operands: Vec<String> = own().filter(|arg| arg.is_positional()).map(usage).collect();
    let more = if own().any(|arg| !arg.is_positional()) { " [OPTIONS]" } else { "" };
    let _ = writeln!(page, ".SS {}", quoted(format!("{name}{more} {}", operands.join(" ")).trim_end()));
    if let Some(about) = command.get_about() {
        paragraph(page, &format!("{about}."));
    }
    for arg in own() {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let default: Vec<String> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy().into()).collect();
        let default = if default.is_empty() || !arg.get_action().takes_values() {
            String::new()
        } else {
            format!(" [default: {}]", default.join(" "))
        };
        let values: Vec<String> = if arg.get_action().takes_values() {
            arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect()
        } else {
            Vec::new()
        };
        let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        item(page, &usage(arg), &format!("{help}{values}{default}"));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        subcommand(page, &name, sub);
    }
}

/// How an option or an operand is written.
fn usage(arg: &Arg) -> String {
    let value = || {
        let names = arg.get_value_names().unwrap_or_default();
        names.iter().map(clap::builder::Str::as_str).collect::<Vec<_>>().join(" ")
    };
    if arg.is_positional() {
        let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
        let value = if arg.is_required_set() { value() } else { format!("[{}]", value()) };
        return format!("{value}{}", if many { "..." } else { "" });
    }
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = if arg.get_action().takes_values() { format!(" {}", value()) } else { String::new() };
    format!("{}{value}", names.join(", "))
}

fn section(page: &mut String, title: &str) {
    let _ = writeln!(page, ".SH {}", quoted(title));
}

fn paragraph(page: &mut String, text: &str) {
    let _ = writeln!(page, "{}\n.PP", plain(text));
}

fn item(page: &mut String, name: &str, what: &str) {
    let _ = writeln!(page, ".TP\n\\fB{}\\fR\n{}", spelled(name), plain(what));
}

/// A text that roff prints as it is.
fn spelled(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('`', "\\`").replace('^', "\\(ha").replace('~', "\\(ti")
}

/// The same as a line of its own, which must not look like a request.
fn plain(text: &str) -> String {
    let line = spelled(&text.replace('\n', " "));
    if line.starts_with(['.', '\'']) || line.is_empty() { format!("\\&{line}") } else { line }
}

/// The same as the argument of a request.
fn quoted(text: &str) -> String {
    format!("\"{}\"", spelled(text).replace('"', "\\(dq"))
}
