//! How a log is cut into archives, what those are called, and which of them go.
//!
//! A run's output is one stream of bytes. Its end is the live log `RUN.log`; what came before stands in archives
//! `RUN.log.START-END`, named by the offsets of their bytes in the stream. So the pieces always say for themselves
//! whether they are whole: each begins where the one before it ended.

/// One archive of a run's output: the bytes from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Offset of its first byte in the run's output.
    pub start: u64,
    /// Offset after its last.
    pub end: u64,
}

impl Span {
    /// How many bytes it has.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}
