//! Values and tables of a file that is being read, and the questions that can be asked of them. Whatever is not as it
//! was expected is noted with the reader, and the answer is nothing.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reader::{Kind, Reader};
use super::suggest::{either, nearest};

/// What a key was found to be.
#[derive(Clone, Debug, Default)]
pub(super) enum Given<T> {
    /// It is not there.
    #[default]
    Absent,
    /// It is there and wrong; the mistake is noted.
    Bad,
    /// It is there.
    Good(T),
}

impl<T> Given<T> {
    /// Whether the key is there at all.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Bad | Self::Good(_) => true,
        }
    }

    /// The value, if there is a good one.
    pub fn good(self) -> Option<T> {
        match self {
            Self::Absent | Self::Bad => None,
            Self::Good(value) => Some(value),
        }
    }

    /// Another one instead, if this one is not there.
    pub fn or(&self, other: &Self) -> Self
    where
        T: Clone,
    {
        if self.is_there() { self.clone() } else { other.clone() }
    }
}

/// One value, with its key and its place.
pub(super) struct Item<'a> {
    /// What notes mistakes.
    pub reader: &'a Reader<'a>,
    /// The key, with the tables it is in.
    pub key: String,
    name: String,
    value: &'a DeValue<'a>,
    named_at: usize,
    at: usize,
}

/// One table, whose keys are all known.
pub(super) struct Section<'a> {
    /// What notes mistakes.
    pub reader: &'a Reader<'a>,
    /// The key of the table itself, with the tables it is in.
    pub key: String,
    name: String,
    table: &'a DeTable<'a>,
    at: usize,
    /// Known keys that unknown ones were probably meant to be.
    meant: Vec<&'a str>,
}

impl<'a> Item<'a> {
    /// Notes that this value is wrong.
    pub fn slip(&self, message: impl Into<String>) {
        self.reader.slip(self.at, Kind::Present, &self.key, message.into());
    }

    /// Notes what is wrong with this value, in words that follow its key: "is empty".
    pub fn wrong(&self, what: &str) {
        self.slip(format!("`{}` {what}", self.name));
    }

    /// Notes that the key of this value is wrong.
    pub fn slip_of_key(&self, message: impl Into<String>) {
        self.reader.slip(self.named_at, Kind::Present, &self.key, message.into());
    }

    /// Notes that this value is of another type than it should be.
    pub fn expected(&self, what: &str) {
        let found = match self.value {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(items) if items.iter().all(|item| item.get_ref().is_table()) && !items.is_empty() => {
                "an array of tables"
            }
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.slip(format!("`{}`: expected {what}, found {found}", self.name));
    }

    /// The string, if it is one; a mistake is noted only for a NUL character.
    pub fn if_string(&self) -> Option<Given<&'a str>> {
        let text = self.value.as_str()?;
        if text.contains('\0') {
            self.wrong("has a NUL character in it, which no program and no file can be given");
            return Some(Given::Bad);
        }
        Some(Given::Good(text))
    }

    /// A string; `what` describes it, with its article.
    pub fn string(&self, what: &str) -> Option<&'a str> {
        if let Some(text) = self.if_string() {
            return text.good();
        }
        match self.value {
            DeValue::Integer(number) => self.expected_quotes(what, &number.to_string()),
            DeValue::Float(number) => self.expected_quotes(what, &number.to_string()),
            DeValue::Boolean(yes) => self.expected_quotes(what, &yes.to_string()),
            DeValue::String(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => self.expected(what),
        }
        None
    }

    fn expected_quotes(&self, what: &str, found: &str) {
        // Only where any string would do: "5" is no better a time than 5.
        if what == "a string" {
            self.slip(format!("`{}`: expected a string; put quotes around it, as in \"{found}\"", self.name));
        } else {
            self.expected(what);
        }
    }

    /// A string with something in it.
    pub fn filled(&self, what: &str) -> Option<&'a str> {
        let text = self.string(what)?;
        if text.is_empty() {
            self.wrong(&format!("is empty; it must be {what}"));
            return None;
        }
        Some(text)
    }

    /// A string that `parse` makes sense of.
    pub fn parsed<T>(&self, what: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(self.string(what)?).map_err(|message| self.slip(message)).ok()
    }

    /// One of a few words; `what` says of what kind, without an article.
    pub fn word<T: Copy>(&self, what: &str, words: &[(&str, T)]) -> Option<T> {
        let quoted = |word: &str| format!("\"{word}\"");
        let all = || either(words.iter().map(|(word, _)| *word), quoted);
        let Some(text) = self.if_string() else {
            self.expected(&all());
            return None;
        };
        let text = text.good()?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        match nearest(text, words.iter().map(|(word, _)| *word)) {
            Some(meant) => self.slip(format!("unknown {what} {text:?}, did you mean \"{meant}\"?")),
            None => self.slip(format!("unknown {what} {text:?}; write {}", all())),
        }
        None
    }

    /// True or false.
    pub fn boolean(&self) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.expected("true or false, without quotes");
        }
        value
    }

    /// A whole number within limits.
    pub fn whole(&self, limits: RangeInclusive<u32>) -> Option<u32> {
        let Some(number) = self.value.as_integer() else {
            self.expected("a whole number, without quotes");
            return None;
        };
        let value = i128::from_str_radix(number.as_str(), number.radix()).ok();
        let value = value.and_then(|value| u32::try_from(value).ok()).filter(|value| limits.contains(value));
        if value.is_none() {
            self.wrong(&format!("must be from {} to {}", limits.start(), limits.end()));
        }
        value
    }

    /// An array, each element read by `each`; nothing if one is wrong.
    pub fn list<T>(&self, what: &str, each: impl Fn(&Item<'a>) -> Option<T>) -> Option<Vec<T>> {
        let Some(array) = self.value.as_array() else {
            self.expected(what);
            return None;
        };
        let read: Vec<Option<T>> = array
            .iter()
            .enumerate()
            .map(|(index, value)| {
                let at = value.span().start;
                let key = format!("{}[{index}]", self.key);
                let name = format!("{}[{index}]", self.name);
                each(&Item { reader: self.reader, key, name, value: value.get_ref(), named_at: at, at })
            })
            .collect();
        read.into_iter().collect()
    }

    /// A table that may have these keys; `what` names it in "… may have a, b, c".
    pub fn section(&self, what: &str, known: &'a [&'static str]) -> Option<Section<'a>> {
        let example = if known.len() < 8 { format!("a table with {}", known.join(", ")) } else { "a table".to_owned() };
        let mut section = self.any_section(&example)?;
        section.only(what, known, |_| None);
        Some(section)
    }

    /// A table whose keys are names that somebody chose.
    pub fn any_section(&self, what: &str) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            self.expected(what);
            return None;
        };
        Some(Section {
            reader: self.reader,
            key: self.key.clone(),
            name: self.name.clone(),
            table,
            at: self.named_at,
            meant: Vec::new(),
        })
    }

    /// The array or table's place in the file, for a mistake that is found later.
    pub fn place(&self) -> (usize, String) {
        (self.named_at, self.key.clone())
    }
}

impl<'a> Section<'a> {
    /// The whole file.
    pub fn whole(reader: &'a Reader<'a>, table: &'a DeTable<'a>) -> Self {
        Self { reader, key: String::new(), name: String::new(), table, at: 0, meant: Vec::new() }
    }

    /// Notes every key that is none of the known ones; `special` knows better what to say of some.
    pub fn only(&mut self, what: &str, known: &'a [&'static str], special: impl Fn(&str) -> Option<String>) {
        let mut meant = Vec::new();
        for (key, item) in self.named().filter(|(key, _)| !known.contains(key)) {
            let near = nearest(key, known.iter().copied());
            meant.extend(near);
            item.slip_of_key(special(key).unwrap_or_else(|| match near {
                Some(near) => format!("unknown key `{key}`, did you mean `{near}`?"),
                None => format!("unknown key `{key}`; {what} may have {}", known.join(", ")),
            }));
        }
        self.meant = meant;
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Notes that something is missing here, unless it stands here by a name that is told to be wrong.
    pub fn missing(&self, key: &str, message: impl Into<String>) {
        if self.meant.contains(&key) {
            return;
        }
        self.reader.slip(self.at, Kind::Absent, &dotted(&self.key, key), message.into());
    }

    /// Notes what is wrong with the table as a whole, in words that follow its key.
    pub fn wrong(&self, what: &str) {
        self.reader.slip(self.at, Kind::Present, &self.key, format!("`{}` {what}", self.name));
    }

    /// Every key as it stands there, without the tables it is in, and its value; in the order of the file.
    pub fn named(&self) -> impl Iterator<Item = (&'a str, Item<'a>)> + '_ {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), self.item(key, value)))
    }

    /// What this key is.
    pub fn take<T>(&self, key: &str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Given<T> {
        let Some((key, value)) = self.table.get_key_value(key) else {
            return Given::Absent;
        };
        read(&self.item(key, value)).map_or(Given::Bad, Given::Good)
    }

    /// What this key is; nothing if it is missing, which is noted, or wrong.
    pub fn need<T>(&self, key: &str, why: &str, read: impl FnOnce(&Item<'a>) -> Option<T>) -> Option<T> {
        let given = self.take(key, read);
        if !given.is_there() {
            self.missing(key, format!("missing `{key}`: {why}"));
        }
        given.good()
    }

    fn item(&self, key: &'a Spanned<toml::de::DeString<'a>>, value: &'a Spanned<DeValue<'a>>) -> Item<'a> {
        let named_at = key.span().start;
        // A table with a header of its own is best found by its name in the header.
        // A value that a broken line lost has no place of its own.
        let span = value.span();
        let at = if value.get_ref().is_table() || span.is_empty() { named_at } else { span.start };
        let name = dotted("", key.get_ref());
        let key = dotted(&self.key, key.get_ref());
        Item { reader: self.reader, key, name, value: value.get_ref(), named_at, at }
    }
}

/// A key below others, as TOML would have it written.
fn dotted(above: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if above.is_empty() { key } else { format!("{above}.{key}") }
}
