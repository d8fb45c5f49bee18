//! The databases of clusters: real files of SQLite, through real readers, and everything that may be wrong with them.
//!
//! No test is made right by waiting for a fixed time. What a machine cannot do is skipped, and said.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // What helps a test may fail like one.

mod counting;
mod damage;
mod left_behind;
mod model;
mod putting_back;
mod schemas;
mod sweep;
mod trouble;
mod writers;
