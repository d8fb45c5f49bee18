//! botwarden: a keyboard-driven terminal supervisor for trading bots.

pub mod core;
pub mod latch;
pub mod paths;
