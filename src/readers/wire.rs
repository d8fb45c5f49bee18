//! What a reader and whoever asks it say to each other: one line of JSON a message.

use serde::{Deserialize, Serialize};

use super::question::{Answer, Question};

/// The first line of a reader. Whoever else may sit behind our binary's name says something else.
pub const HELLO: &str = "botwarden reader 2";

/// What stands before the user that a reader is to become.
pub const AS: &str = "user=";

/// The variable that every reader has, so that none ever starts another one.
pub const INSIDE: &str = "BOTWARDEN_READER";

/// A question with its number.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    /// By which its answer is known.
    pub number: u64,
    /// What is asked.
    pub question: Question,
}

/// An answer with the number of its question.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tell {
    /// That of the question.
    pub number: u64,
    /// What came of it.
    pub answer: Answer,
}
