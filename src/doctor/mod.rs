//! Whether the emergency stop would work: everything that it depends on is tried, and touches nothing that matters.

mod clusters;
mod commands;
mod drill;
mod examine;
mod home;
mod keepers;
mod seen;
mod sources;
mod subject;
mod users;

pub use drill::{keep_drill, last_drill};
pub use examine::examine;
pub use seen::estop;
