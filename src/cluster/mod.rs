//! The databases of clusters: other programs' files, read for what they say of chunks, and written in one way alone.
//!
//! Every look and every change happens in a reader (`botwarden reader`), as with orders: a damaged file, or one on a share
//! that is gone, reaches nobody else. No write ever touches anything but the configured columns of the configured table.

mod census;
mod check;
mod chosen;
mod combinations;
pub mod memory;
mod pids;
mod put_back;
mod question;
mod schema;
pub mod sight;
mod table;
mod trouble;

pub use census::look;
pub use check::check;
pub use pids::{claimed, seen};
pub use put_back::put_back;
pub use question::{Answer, Claim, Errand, Failure, Obstacle, Question, Which};

use crate::clock;

/// Answers a question, within its time as far as that is in our hands. This is what a reader does; it may hang or die of it.
pub fn answer(question: &Question) -> Answer {
    let until = clock::now().plus(question.within);
    match &question.errand {
        Errand::Look { known } => look(&question.cluster, known.as_deref(), until),
        Errand::PutBack { which, lock } => put_back(&question.cluster, which, *lock, until),
        Errand::Check => check(&question.cluster, until),
    }
}
