//! The keeper: the small process that is a running bot's parent.
//!
//! It spawns, reaps, restarts, escalates, looks after the log and answers on a socket. It never opens a database, never
//! waits for a disk, a client or a reader, and it leaves when its run is over and no other is to follow.

mod begin;
mod clients;
mod desk;
mod launcher;
mod loops;
mod perform;
mod picture;
mod signals;
mod story;
mod tend;
mod trouble;
mod worker;

pub use begin::run;
