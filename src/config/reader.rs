//! Collects what is wrong while a file is read, by place in the text.

use std::cell::{Cell, RefCell};
use std::path::Path;

use super::mistake::Mistake;

/// The text that is being read, and the mistakes found in it so far.
pub(super) struct Reader<'a> {
    /// As it was named.
    pub file: &'a Path,
    /// The absolute folder that relative paths start from.
    pub folder: &'a Path,
    /// Whether files that the configuration names may be looked at.
    pub look: bool,
    text: &'a str,
    slips: RefCell<Vec<Slip>>,
    distrusted: Cell<bool>,
}

/// How far a mistake can be trusted once the text turned out not to be TOML everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The text is no TOML here.
    Syntax,
    /// Something that stands here is wrong.
    Present,
    /// Something is missing, which a syntax mistake elsewhere may have swallowed.
    Absent,
}

struct Slip {
    at: usize,
    kind: Kind,
    key: String,
    message: String,
}

impl<'a> Reader<'a> {
    /// A reader that has found nothing yet.
    pub fn new(file: &'a Path, folder: &'a Path, text: &'a str, look: bool) -> Self {
        Self { file, folder, look, text, slips: RefCell::new(Vec::new()), distrusted: Cell::new(false) }
    }

    /// Notes a mistake at this byte of the text.
    pub fn slip(&self, at: usize, kind: Kind, key: &str, message: String) {
        self.slips.borrow_mut().push(Slip { at, kind, key: key.to_owned(), message });
    }

    /// Says that the text is so far from TOML that nothing can be told of it but that.
    pub fn distrust(&self) {
        self.distrusted.set(true);
    }

    /// Every mistake, in the order of the file.
    ///
    /// Where a line is no TOML, what else seems wrong with it is only an echo; and while any line is none, nothing is
    /// called missing.
    pub fn mistakes(self) -> Vec<Mistake> {
        let mut slips = self.slips.into_inner();
        slips.sort_by_key(|slip| (slip.at, slip.kind));
        let mut broken: Vec<usize> = Vec::new();
        for slip in slips.iter().filter(|slip| slip.kind == Kind::Syntax) {
            broken.push(place(self.text, slip.at).0);
        }
        let mut mistakes: Vec<Mistake> = Vec::new();
        for slip in slips {
            let (line, column) = place(self.text, slip.at);
            let echo = match slip.kind {
                Kind::Syntax => mistakes.last().is_some_and(|last| last.line == line && last.key.is_empty()),
                Kind::Present => self.distrusted.get() || broken.contains(&line),
                Kind::Absent => !broken.is_empty(),
            };
            let mistake = Mistake { file: self.file.to_owned(), line, column, key: slip.key, message: slip.message };
            // A default that is wrong for every bot is one mistake.
            if !echo && !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
        }
        mistakes
    }
}

/// Line and column of a byte, both from 1 on; columns are characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line_starts = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_starts..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "a\r\nß = 1\n";
        for (at, expected) in [(0, (1, 1)), (3, (2, 1)), (5, (2, 2)), (4, (2, 1)), (99, (3, 1))] {
            assert_eq!(place(text, at), expected, "{at}");
        }
    }
}
