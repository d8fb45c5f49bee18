//! The paper desk (`botwarden demo`): simulated bots in a temporary home, and everything real around them. It is what a
//! newcomer sees in the first minute, so it takes nothing for granted and leaves nothing behind.

mod desk;
mod leave;
mod leftover;
mod place;
mod plain;
pub mod role;

pub use desk::{PaperDesk, Setup, TEXT};
pub use leave::Closing;
pub use plain::{PLAIN_TIME, plain};
pub use role::ROLE;
