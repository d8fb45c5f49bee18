//! Makes whole lines of bytes as they come.

/// No line is longer; what is longer is shown in pieces.
const LONGEST: usize = 64 << 10;

/// Keeps the beginning of a line until its end is written.
#[derive(Debug, Default)]
pub(super) struct WholeLines {
    half: Vec<u8>,
}

impl WholeLines {
    /// The lines that have their end now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<String> {
        self.half.extend_from_slice(bytes);
        let Some(end) = self.half.iter().rposition(|byte| *byte == b'\n') else {
            return if self.half.len() >= LONGEST { self.rest() } else { Vec::new() };
        };
        let rest = self.half.split_off(end + 1);
        let whole = std::mem::replace(&mut self.half, rest);
        let whole = whole.get(..end).unwrap_or_default();
        whole.split(|byte| *byte == b'\n').map(text).collect()
    }

    /// What has no end, and will have none.
    pub(super) fn rest(&mut self) -> Vec<String> {
        let half = std::mem::take(&mut self.half);
        if half.is_empty() { Vec::new() } else { vec![text(&half)] }
    }

    /// Forgets what was begun.
    pub(super) fn clear(&mut self) {
        self.half.clear();
    }
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}
