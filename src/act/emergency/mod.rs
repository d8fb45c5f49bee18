//! The emergency stop, as the command line and the screen ask for it: fired, joined, watched, reset.

mod afresh;
mod fire;
mod reset;
mod watch;

pub use fire::{Fire, fire};
pub use reset::{LIFTED, LIFTED_MEANWHILE, ResetOrder, reset};
pub use watch::{is_under_way, last_report, watch};
