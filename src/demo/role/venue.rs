//! What the simulated venue says to whoever wants an order canceled.

/// What the simulated venue says to whoever asks too often.
pub(super) const TOO_MANY: &str = "429 Too Many Requests (simulated)";
/// What it says of an order that it does not let go.
pub(super) const LOCKED: &str = "423 Locked: the venue does not let go of it (simulated)";

/// What becomes of an order that is to be canceled: the words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was canceled.
    Canceled,
    /// It was filled first.
    Filled,
    /// It is not there any more.
    Gone,
    /// The venue refuses.
    Refused,
    /// It has no id to cancel it by.
    Unknown,
}

impl Verdict {
    /// Its word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Filled => "filled",
            Self::Gone => "gone",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What became of one order, and what the venue says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// What became of it.
    pub(super) verdict: Verdict,
    /// In the venue's words; empty if there are none.
    pub(super) message: &'static str,
}

impl Outcome {
    /// These two.
    pub(super) const fn new(verdict: Verdict, message: &'static str) -> Self {
        Self { verdict, message }
    }
}
