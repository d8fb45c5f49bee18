//! Whether the emergency stop would work: everything that it depends on is tried, and touches nothing that matters.

mod begun;
mod clusters;
mod commands;
mod drill;
mod examine;
mod home;
mod keepers;
mod records;
mod seen;
mod sources;
mod subject;
mod users;

pub use drill::{keep_drill, last_drill};
pub use examine::{examine, examine_and_read};
pub use seen::{at_work, estop};
