//! The configuration: one TOML file that a person wrote, read as a whole. Either all of it is right, or every mistake in
//! it is told at once, each with its place and a way out. Nothing is guessed, and nothing here starts or stops anything.
//!
//! [`locate()`] says which file, [`read()`] reads it, [`outside_warnings`] compares it with the machine, and
//! [`last_good`] writes down what was read, for the emergency stop to fall back on. A bot's `env_file` is not part of the
//! configuration: [`env_file`] reads it at each spawn.

mod bot;
mod claims;
mod cluster;
mod desk;
pub mod env_file;
mod file;
mod item;
pub mod last_good;
mod locate;
mod mistake;
mod orders;
mod outside;
mod parse;
mod reader;
mod settings;
mod stop;
mod suggest;
mod values;

#[cfg(test)]
mod tests;

pub use desk::{Config, parse, read};
pub use locate::locate;
pub use mistake::{Mistake, visible};
pub use outside::{Warning, not_a_program, outside_warnings};
pub use settings::EstopSettings;
pub use suggest::nearest;
pub use values::{duration_text, parse_duration};

/// The documented example: every key there is, with its default where it has one.
pub const EXAMPLE: &str = include_str!("../../config/botwarden.example.toml");
