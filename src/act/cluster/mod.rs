//! What an operator does to clusters, as the command line and the screen both do it. Stopping one is a stop like any other:
//! see [`super::procedure`].

mod requeue;
mod start;

pub use requeue::{Requeue, Wanted, requeue};
pub use start::start;
