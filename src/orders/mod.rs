//! The active orders of bots, read from other people's files and programs.
//!
//! Reading happens in a process of its own (`botwarden reader`): a damaged file of SQLite can kill whoever maps it with
//! SIGBUS, a file on a share that is gone can hang whoever touches it, and a program can print without end. None of that
//! reaches whoever asked: a reader that dies or hangs is replaced, and its question answered with why.

pub mod book;
mod command;
mod copy;
pub mod copy_folder;
mod file;
mod freqtrade;
pub mod freqtrade_api;
mod gather;
mod hand;
mod hummingbot;
mod json;
mod place;
pub mod program;
mod question;
mod read;
mod readers;
mod sql;
mod sqlite;
mod state_json;
mod surroundings;
mod times;
mod turns;
mod waiting;
pub mod wire;

pub use place::{Place, has_placed_none, places};
pub use question::Question;
pub use read::answer;
pub use readers::{Pending, Readers};
pub use surroundings::{Environment, Surroundings, is_of_the_tree};
