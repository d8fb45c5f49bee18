//! What a reader may be asked, whatever it is about.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cluster;
use crate::core::order;
use crate::orders::{self, wire::Told};

/// A question, whatever it is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// A bot's orders.
    Orders(Box<orders::Question>),
    /// A cluster's chunks.
    Cluster(Box<cluster::Question>),
}

/// An answer, as it goes over a pipe.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// About orders.
    Orders(Told),
    /// About chunks.
    Cluster(cluster::Answer),
    /// There is none: why.
    None(String),
}

impl Answer {
    /// How many rows it has, about.
    pub fn rows(&self) -> usize {
        match self {
            Self::Orders(Told::Read(rows, ..)) => rows.len(),
            Self::Cluster(cluster::Answer::Read(census)) => census.running.len() + census.failed.len(),
            Self::Orders(Told::Unchanged | Told::Failed(_)) | Self::Cluster(_) | Self::None(_) => 0,
        }
    }
}

/// Something that can be asked, and what is said to it.
pub trait Asked: Into<Question> {
    /// What comes back.
    type Reply;

    /// What an answer says to this question.
    fn reply(about: &About, answer: Answer) -> Self::Reply;
}

/// What is remembered of a question while its answer is waited for.
#[derive(Clone, Debug)]
pub struct About {
    /// The file or the program: what an error begins with.
    pub place: String,
    /// Of orders: whose, and the word for their source.
    pub orders: Option<(crate::core::bot::BotName, &'static str)>,
}

impl Question {
    /// The file or the program, harmless to a terminal: what an error begins with.
    pub fn place(&self) -> String {
        match self {
            Self::Orders(question) => question.place(),
            Self::Cluster(question) => question.place(),
        }
    }

    /// What is remembered of it.
    pub(super) fn about(&self) -> About {
        let orders = match self {
            Self::Orders(question) => Some((question.bot.clone(), question.source_word())),
            Self::Cluster(_) => None,
        };
        About { place: self.place(), orders }
    }

    /// How long it may take.
    pub(super) const fn within(&self) -> Duration {
        match self {
            Self::Orders(question) => question.within,
            Self::Cluster(question) => question.within,
        }
    }

    /// The same, but it may take so long.
    pub(super) fn with_time(mut self, time: Duration) -> Self {
        match &mut self {
            Self::Orders(question) => question.within = time,
            Self::Cluster(question) => question.within = time,
        }
        self
    }

    /// The user as whom it is answered, if that is not ours.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::Orders(question) => question.surroundings.user.as_deref(),
            Self::Cluster(question) => question.user.as_deref(),
        }
    }

    /// Whether it is for a process of its own, and asked once: it changes something.
    pub(super) const fn changes(&self) -> bool {
        match self {
            Self::Orders(_) => false,
            Self::Cluster(question) => question.changes(),
        }
    }

    /// Answers it. This is what a reader does; it may hang or die of it.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Orders(question) => Answer::Orders(Told::from(orders::answer(question))),
            Self::Cluster(question) => Answer::Cluster(cluster::answer(question)),
        }
    }
}

impl From<orders::Question> for Question {
    fn from(question: orders::Question) -> Self {
        Self::Orders(Box::new(question))
    }
}

impl From<cluster::Question> for Question {
    fn from(question: cluster::Question) -> Self {
        Self::Cluster(Box::new(question))
    }
}

/// What is said where an answer is about something else.
const NONSENSE: &str = "its reader said what nobody understands";

impl Asked for orders::Question {
    type Reply = order::Answer;

    fn reply(about: &About, answer: Answer) -> order::Answer {
        match (answer, &about.orders) {
            (Answer::Orders(told), Some((bot, source))) => told.about(bot, source),
            (Answer::None(why), _) => order::Answer::Failed(why),
            (Answer::Orders(_) | Answer::Cluster(_), _) => {
                order::Answer::Failed(format!("{}: {NONSENSE}", about.place))
            }
        }
    }
}

impl Asked for cluster::Question {
    type Reply = cluster::Answer;

    fn reply(about: &About, answer: Answer) -> cluster::Answer {
        let failed = |obstacle, why| cluster::Answer::Failed(cluster::Failure { obstacle, why });
        match answer {
            Answer::Cluster(answer) => answer,
            Answer::None(why) => failed(cluster::Obstacle::Silent, why),
            Answer::Orders(_) => failed(cluster::Obstacle::Other, format!("{}: {NONSENSE}", about.place)),
        }
    }
}
