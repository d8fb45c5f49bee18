//! A page of sentences: sections, facts behind labels, all of it harmless and wrapped to the columns that there are.

use std::fmt::Display;
use std::time::Duration;

use jiff::Timestamp;

use super::model::Model;
use super::text;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The name of a section.
    Heading,
    /// A fact.
    Plain,
    /// What matters little.
    Faint,
    /// What wants a look.
    Warning,
    /// What is bad.
    Bad,
}

/// Columns of the labels, with what stands before and after.
pub const LABELS: usize = 14;

/// What was written so far.
#[derive(Debug, Default)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub lines: Vec<(String, Look)>,
}

impl Page {
    /// The name of a section.
    pub fn heading(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push((String::new(), Look::Plain));
        }
        self.lines.push((text::cut(&text::harmless(title), self.width, ""), Look::Heading));
    }

    /// A label and what it stands for.
    pub fn fact(&mut self, label: &str, value: impl Display) {
        self.put(label, &value.to_string(), Look::Plain);
    }

    /// A sentence without a label, over the whole width.
    pub fn say(&mut self, sentence: &str) {
        self.say_so(sentence, Look::Plain);
    }

    /// A line in which every blank counts, cut at the end.
    pub fn as_it_is(&mut self, line: &str, look: Look) {
        self.lines.push((format!("  {}", text::cut(&text::harmless(line), self.width.saturating_sub(2), "")), look));
    }

    /// The same, meant in a way.
    pub fn say_so(&mut self, sentence: &str, look: Look) {
        for line in wrapped(&in_one_line(sentence), self.width.saturating_sub(2)) {
            self.lines.push((format!("  {line}"), look));
        }
    }

    /// A label and what it stands for, meant in a way.
    pub fn put(&mut self, label: &str, value: &str, look: Look) {
        let room = self.width.saturating_sub(LABELS);
        for (number, line) in wrapped(&in_one_line(value), room).into_iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            self.lines.push((format!("  {} {line}", text::fit(&text::harmless(label), LABELS - 3, "")), look));
        }
    }
}

/// Text from outside; where it had a line end, it has a blank.
pub fn in_one_line(text: &str) -> String {
    text::harmless(&text.replace(['\r', '\n'], " "))
}

/// The text in lines of so many columns, broken between words where that is possible. Never empty.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        while let Some(line) = lines.last_mut() {
            let used = text::width(line);
            let gap = usize::from(used > 0);
            if used + gap + text::width(word) <= columns {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(word);
                break;
            }
            if used > 0 {
                lines.push(String::new());
                continue;
            }
            // A word that no line can hold is broken where the line is full.
            let part = text::cut(word, columns, "");
            if part.is_empty() {
                break;
            }
            word = &word[part.len()..];
            line.push_str(&part);
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines
}

/// A time, for people.
pub fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time, and how long ago that was.
pub fn when_ago(model: &Model, at: Timestamp) -> String {
    match Duration::try_from(model.now.wall.duration_since(at)) {
        Ok(age) => format!("{} ({} ago)", when(at), text::age(age)),
        Err(_) => when(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words_and_inside_only_where_it_must() {
        for (text, columns, lines) in [
            ("", 5, vec![""]),
            ("one two", 7, vec!["one two"]),
            ("one two", 6, vec!["one", "two"]),
            ("a abcdefgh", 4, vec!["a", "abcd", "efgh"]),
            ("abcdefghi z", 4, vec!["abcd", "efgh", "i z"]),
            ("日本語日本", 5, vec!["日本", "語日", "本"]),
            ("日", 1, vec![""]),
            ("x", 0, vec!["x"]),
        ] {
            assert_eq!(wrapped(text, columns), lines, "{text:?} {columns}");
        }
    }
}
