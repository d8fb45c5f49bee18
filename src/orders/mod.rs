//! The active orders of bots, read from other people's files and programs.
//!
//! Reading happens in a process of its own: see [`crate::readers`].

pub mod book;
mod command;
mod freqtrade;
pub mod freqtrade_api;
mod gather;
mod hummingbot;
mod json;
mod place;
pub mod program;
mod question;
mod read;
mod sql;
mod state_json;
mod surroundings;
pub mod wire;

pub use place::{Place, has_placed_none, places};
pub use question::Question;
pub use read::answer;
pub use surroundings::{Environment, Surroundings, is_of_the_tree};
