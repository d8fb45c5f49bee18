//! How the home of a demo is called, and how to reach it.

use crate::paths::Home;

/// Homes are called this and a process number and something that nobody can guess.
pub(super) const PREFIX: &str = "botwarden-demo-";
/// Held by the demo as long as it lives: whoever finds it free has found a home that was left over.
pub(super) const LOCK: &str = "demo.lock";

/// How to reach the desk in this home from a shell.
pub(super) fn reach(home: &Home) -> String {
    let root = home.root().display();
    format!("botwarden --home {root} --config {root}/botwarden.toml")
}
