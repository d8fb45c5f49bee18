//! The names of a table, made safe for a statement, and values as they stand in it.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::core::chunk::Value;

/// A longer text or blob is cut when it is listed. What was cut equals nothing in the file, so it is never put back by what
/// was seen of it; whoever names a chunk so is beyond help.
pub(super) const LONGEST: usize = 1024;

/// What a cut text ends with.
const CUT: &str = "…";

/// A name as a statement has it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as it stands there.
pub(super) fn value(seen: ValueRef<'_>) -> Value {
    match seen {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(cut(text)),
            // It is no text by our rules; as bytes it can be compared all the same.
            Err(_) => Value::Blob(bytes[..bytes.len().min(LONGEST)].to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes[..bytes.len().min(LONGEST)].to_vec()),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    format!("{}{CUT}", &text[..text.floor_char_boundary(LONGEST)])
}

/// Whether a value may be less than what the file has, or of another kind.
pub(super) fn may_differ(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.len() > LONGEST,
        Value::Blob(_) => true,
        Value::Null | Value::Integer(_) | Value::Real(_) => false,
    }
}

/// A value for a statement: what it is compared with is of the same kind.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A condition: this column has exactly the value with that number. Bytes may be those of a text that is none by our rules.
pub(super) fn is(column: &str, number: usize, value: &Value) -> String {
    let name = quoted(column);
    match value {
        Value::Blob(_) => format!("CAST({name} AS BLOB) IS ?{number}"),
        Value::Null | Value::Integer(_) | Value::Real(_) | Value::Text(_) => {
            format!("{name} COLLATE BINARY IS ?{number}")
        }
    }
}

/// Whether a value says a configured word: the very text, or the number that the word is.
pub(super) fn says(seen: &Value, word: &str) -> bool {
    match seen {
        Value::Text(text) => text == word,
        Value::Integer(number) => number_of(word) == Some(*number),
        Value::Real(number) => number_of(word).is_some_and(|word| (word as f64).total_cmp(number).is_eq()),
        Value::Null | Value::Blob(_) => false,
    }
}

/// The number that a word is, if it is one.
pub(super) fn number_of(word: &str) -> Option<i64> {
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        assert_eq!(quoted("my chunks"), "\"my chunks\"");
        assert_eq!(quoted("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    }

    #[test]
    fn a_word_is_said_exactly_or_as_its_number() {
        assert!(says(&Value::Text("running".into()), "running"));
        assert!(!says(&Value::Text("Running".into()), "running"));
        assert!(!says(&Value::Text("running ".into()), "running"));
        assert!(says(&Value::Integer(1), "1") && says(&Value::Real(1.0), "1") && says(&Value::Text("1".into()), "1"));
        assert!(!says(&Value::Integer(1), "running") && !says(&Value::Null, "") && !says(&Value::Real(1.5), "1"));
    }

    #[test]
    fn a_long_text_is_cut_between_two_letters() {
        let Value::Text(text) = value(ValueRef::Text("ä".repeat(LONGEST).as_bytes())) else { panic!("a text") };
        assert!(text.len() <= LONGEST + CUT.len() && text.ends_with(CUT));
        assert_eq!(value(ValueRef::Text(b"\xff")), Value::Blob(vec![0xff]));
    }
}
