//! Whoever wants to know of orders asks here: processes that read are started, asked, replaced when they die, and not
//! waited for beyond their time.

use crate::core::moment::Moment;
use crate::core::order::Answer;

use super::Question;

/// The processes that read, one for each user whose files are read. They end with their last owner.
#[derive(Debug, Default)]
pub struct Readers {}

/// A question that was asked and is not answered yet.
#[derive(Debug)]
pub struct Pending {}

impl Readers {
    /// Nobody reads yet; the first question starts a process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks without waiting. May be called from several threads.
    #[must_use]
    pub fn ask(&self, question: Question) -> Pending {
        let _ = question;
        Pending {}
    }
}

impl Pending {
    /// Waits for the answer, until then at the latest.
    pub fn wait(self, until: Moment) -> Answer {
        let _ = until;
        Answer::Failed("nobody reads yet".into())
    }
}
