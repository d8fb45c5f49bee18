//! Whoever wants to know what stands in other people's files asks here.
//!
//! Reading happens in a process of its own (`botwarden reader`): a damaged file of SQLite can kill whoever maps it with
//! SIGBUS, a file on a share that is gone can hang whoever touches it, and a program can print without end. None of that
//! reaches whoever asked: a reader that dies or hangs is replaced, and its question answered with why.

mod hand;
mod pool;
mod question;
mod waiting;
pub mod wire;

pub use pool::{Pending, Readers};
pub use question::{About, Answer, Asked, Question};
