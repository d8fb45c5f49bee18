//! `check`: every mistake of the configuration, with its place and the way out.

use serde_json::json;

use crate::config;
use crate::core::code::Code;

use super::args::Args;
use super::desk::find_config;
use super::output::Output;

/// Reads the configuration and says what is wrong with it.
pub(super) fn run(args: &Args, output: Output) -> Code {
    let file = match find_config(args) {
        Ok(file) => file,
        Err(why) => {
            output.complain(&why);
            let mistake = config::Mistake::of_the_search(why);
            output.object(&json!({ "schema": 1, "ok": false, "mistakes": [mistake] }));
            return Code::Usage;
        }
    };
    match config::read(&file) {
        Ok(config) => {
            let warnings = config::outside_warnings(&config);
            for warning in &warnings {
                output.complain(&format!("warning: {warning}"));
            }
            let count = config.bots.len();
            let bots = if count == 1 { "1 bot".to_owned() } else { format!("{count} bots") };
            output.line(&format!("{}: no mistake, {bots}", config::visible(&file.to_string_lossy())));
            output.object(&json!({ "schema": 1, "ok": true, "mistakes": [], "warnings": warnings }));
            Code::Done
        }
        Err(mistakes) => {
            for mistake in &mistakes {
                output.complain(&mistake.to_string());
            }
            output.object(&json!({ "schema": 1, "ok": false, "mistakes": mistakes }));
            Code::Usage
        }
    }
}
