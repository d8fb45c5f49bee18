//! The active orders of bots, read from other people's files and programs.
//!
//! Reading happens in a process of its own (`botwarden reader`): a damaged file of SQLite can kill whoever maps it with
//! SIGBUS, a file on a share that is gone can hang whoever touches it, and a program can print without end. None of that
//! reaches whoever asked: a reader that dies or hangs is replaced, and its question answered with why.

pub mod book;
pub mod freqtrade_api;
pub mod program;
mod question;
mod readers;
mod surroundings;

pub use question::Question;
pub use readers::{Pending, Readers};
pub use surroundings::{Environment, Surroundings, is_of_the_tree};
