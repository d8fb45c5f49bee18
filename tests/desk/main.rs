//! A desk with real processes: every test has a home of its own, starts real bots through the command line, and believes
//! nothing but what files, locks, logs and the process table say.
//!
//! No test is made right by waiting for a fixed time: what is waited for is evidence, with a generous deadline, after
//! which the test fails. What a machine cannot do is skipped, and said.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // What helps a test may fail like one.

mod adopt;
mod binaries;
mod canceling;
mod cgroups;
mod cluster_commands;
mod cluster_estop;
mod cluster_requeue;
mod cluster_screen;
mod cluster_start;
mod cluster_stop;
mod commands;
mod crashes;
mod drill;
mod emergency;
mod emergency_odds;
mod emergency_orders;
mod emergency_screen;
mod emergency_shout;
mod environment;
mod harness;
mod history;
mod homes;
mod keepers;
mod log_files;
mod logs;
mod neighbours;
mod notify;
mod odd_bots;
mod order_commands;
mod pid_files;
mod pty;
mod races;
mod readiness;
mod reset;
mod screen;
mod shutdown;
mod stopper;
mod stops;
mod strays;
mod sweep;
mod terminals;
mod trader;
