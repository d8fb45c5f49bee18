//! A question that somebody waits for.

use std::sync::mpsc::SyncSender;
use std::time::Duration;

use crate::config::{duration_text, visible};
use crate::core::moment::Moment;

use super::question::{Answer, Question};

/// A question, and whom to answer.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) question: Question,
    /// When it is over.
    pub(super) until: Moment,
    /// Whether its reader has nothing else to do: what that one dies of is this.
    pub(super) alone: bool,
    answer: SyncSender<Answer>,
}

impl Waiting {
    pub(super) fn new(question: Question, until: Moment, answer: SyncSender<Answer>) -> Self {
        Self { question, until, alone: false, answer }
    }

    pub(super) fn answer(self, answer: Answer) {
        // Whoever has asked may have gone.
        let _ = self.answer.try_send(answer);
    }

    pub(super) fn fail(self, why: &str) {
        let text = format!("{}: {}", self.question.place(), visible(why));
        self.answer(Answer::None(text));
    }

    pub(super) fn fail_late(self) {
        let text = late(&self.question.place(), self.question.within());
        self.answer(Answer::None(text));
    }

    /// To answer by where this itself has gone with a thread that could not be made.
    pub(super) fn channel(&self) -> SyncSender<Answer> {
        self.answer.clone()
    }
}

/// What is said when there was no answer.
pub(super) fn late(place: &str, time: Duration) -> String {
    let hundredths = (time.as_secs_f64() * 100.0).round() as u64;
    format!("{place}: no answer within {} (its file hangs?)", duration_text(Duration::from_millis(hundredths * 10)))
}
