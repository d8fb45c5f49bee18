//! The command line: everything the screen can do, for shells and scripts, with exit codes that mean something.

mod args;
mod ask;
mod bot_lines;
mod cancel;
mod cell;
mod check;
mod cluster;
mod cluster_lines;
mod cluster_scope;
mod cluster_status;
mod completions;
mod desk;
mod doctor;
mod estop;
mod estop_course;
mod estop_words;
mod events;
mod interrupt;
mod log_lines;
pub mod logs;
mod logs_command;
mod manual;
mod orders;
mod output;
mod reset;
mod run;
mod scope;
mod start;
mod status;
mod stop;

pub use args::{Args, Command};
pub use desk::{Desk, open_desk};
pub use manual::{KeyTold, manual};
pub use output::{Output, wants_ascii, wants_color};
pub use run::{misused, run};
