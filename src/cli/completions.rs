//! `completions`: what a shell completes, made from the grammar itself.

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::core::code::Code;

use super::args::Args;
use super::output::Output;

/// Prints the completions for this shell.
pub(super) fn run(shell: Shell, output: Output) -> Code {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "botwarden", &mut text);
    let text = without_files(shell, &String::from_utf8_lossy(&text));
    output.line(text.trim_end());
    output.object(&json!({ "schema": 1, "shell": shell.to_string(), "text": text }));
    Code::Done
}

/// Where the grammar names nothing these shells offer files, and no operand is one: `start README.md` starts nothing.
/// Options that take a file still offer them.
fn without_files(shell: Shell, text: &str) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
    match shell {
        Shell::Bash => text.replace(" -o bashdefault -o default", ""),
        Shell::Fish => format!("complete -c botwarden -f\n{text}"),
        _ => text.to_owned(),
    }
}
