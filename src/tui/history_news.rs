//! What the screen asks of whoever reads the history, and what it is told.

/// What whoever reads the history is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryAsk {
    /// Look whether something was added.
    Look,
}

/// What may be told of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryNews {
    /// It cannot be read; the text says why.
    Trouble(String),
}
