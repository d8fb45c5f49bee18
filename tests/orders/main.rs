//! Orders out of real files, through real readers: what each source looks like in the field, and everything that may be
//! wrong with it. Every file is made here, in exactly the schema of the program that it stands for.
//!
//! No test is made right by waiting for a fixed time. What a machine cannot do is skipped, and said.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // What helps a test may fail like one.

mod commands;
mod damage;
mod desk;
mod left_behind;
mod processes;
mod refused;
mod sources;
mod stamps;
