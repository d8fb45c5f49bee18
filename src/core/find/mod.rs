//! How a bot's processes are recognised among all others: by what they execute, where, and as whom.

mod glob;
mod interpreter;
pub mod line;
pub mod owner;
pub mod pattern;
pub mod pid_file;
mod word;
mod wrapper;
