//! An index of the event files, for whoever looks back: `botwarden.db` in the home, or one in memory where that cannot be
//! kept. Nothing is in it that is not in the event files: it is built by readers, and built anew when it is damaged.
//! Nothing that supervises opens it.
//!
//! ```text
//! events, bots/NAME/events --read--> lines --line--> index (schema) --query--> pages of rows
//!                                                                  \--whole--> one row with all that is known of it
//! ```

mod index;
mod keep;
mod line;
mod memo;
mod query;
mod read;
mod schema;
mod whole;

pub use index::{History, Step};
pub use query::{Page, Query};
pub use whole::{Whole, WholeEvent, WholeReport};

#[cfg(test)]
mod tests;
