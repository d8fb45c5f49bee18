//! What an operator does to clusters, as the command line and the screen both do it. Stopping one is a stop like any other:
//! see [`super::procedure`].

mod ask;
mod choose;
mod remember;
mod requeue;
mod start;

pub(super) use ask::{Asker, Back};
pub use choose::Wanted;
pub(super) use remember::Doer;
pub use requeue::{Requeue, requeue, requeue_through};
pub use start::{START, bots_of, start, start_through};
