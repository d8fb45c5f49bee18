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
    let text = String::from_utf8_lossy(&text);
    output.line(text.trim_end());
    output.object(&json!({ "schema": 1, "shell": shell.to_string(), "text": text }));
    Code::Done
}
