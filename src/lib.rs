//! botwarden: a keyboard-driven terminal supervisor for trading bots.

pub mod act;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod core;
pub mod demo;
pub mod journal;
pub mod keeper;
pub mod latch;
pub mod launch;
pub mod lock;
pub mod logs;
pub mod notify;
pub mod paths;
pub mod pid_file;
pub mod process;
pub mod record;
pub mod search;
pub mod socket;
pub mod survey;
pub mod sys;
pub mod table;
pub mod tui;
pub mod usage;
pub mod who;
