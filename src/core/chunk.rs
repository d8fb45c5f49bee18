//! Chunks of work, as a cluster's database has them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A value of somebody else's table, exactly as it stands there: what is compared with it later must be the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Sent", into = "Sent")]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Blob(Vec<u8>),
}

/// A value on its way. A number goes to the last bit: as a decimal it may come back as its neighbour, and what is infinite
/// not at all.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sent {
    Null,
    Integer(i64),
    Real(u64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<Sent> for Value {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Null => Self::Null,
            Sent::Integer(number) => Self::Integer(number),
            Sent::Real(bits) => Self::Real(f64::from_bits(bits)),
            Sent::Text(text) => Self::Text(text),
            Sent::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl From<Value> for Sent {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number.to_bits()),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl Value {
    /// By which a chunk is named, so that no two values of one kind have the same name.
    pub fn name(&self) -> String {
        match self {
            Self::Null => "NULL".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Blob(bytes) => {
                let digits: String = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect();
                format!("x'{digits}'")
            }
            Self::Integer(_) | Self::Real(_) => self.word().unwrap_or_default(),
        }
    }

    /// As people write it; nothing if it says nothing.
    pub fn word(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(number) => Some(number.to_string()),
            Self::Real(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Self::Blob(bytes) => Some(String::from_utf8_lossy(bytes).trim().to_owned()).filter(|text| !text.is_empty()),
        }
    }
}

/// One digit of base sixteen.
fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('?')
}

/// One chunk that runs or has failed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// What identifies it.
    pub id: Value,
    /// Who claimed it, in the file's own word.
    pub worker: Value,
    /// When, as it stands there.
    pub started: Value,
    /// The same as a time; absent where there is none, or where nobody can read it.
    pub started_at: Option<Timestamp>,
    /// When its worker last said that it is alive, if the table has a column for that.
    pub heard_at: Option<Timestamp>,
}

impl Chunk {
    /// The last that is known of its worker: it has claimed it, or said that it is alive.
    pub fn news_at(&self) -> Option<Timestamp> {
        self.started_at.max(self.heard_at)
    }
}

/// So many running chunks, and so many failed ones, are read one by one; of more only the number is known.
pub const LISTED: usize = 10_000;

/// How many chunks there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All.
    pub total: u64,
    /// Nobody works on them.
    pub pending: u64,
    /// The file says that somebody does.
    pub running: u64,
    /// Done.
    pub completed: u64,
    /// Given up.
    pub failed: u64,
    /// Those whose state is none of the configured words.
    pub other: u64,
}

/// Combinations, where the configuration says how they are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinationsSeen {
    /// All there are.
    pub total: Option<u64>,
    /// Those that are done.
    pub tested: Option<u64>,
}

/// What one reading of a cluster's database has brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Census {
    /// When.
    pub at: Timestamp,
    /// How many there are.
    pub counts: Counts,
    /// Words for a state that the configuration does not have, a few of them.
    pub strange: Vec<String>,
    /// Combinations; absent where they are not configured, or could not be counted.
    pub combinations: CombinationsSeen,
    /// Why combinations could not be counted, in a sentence.
    pub uncounted: Option<String>,
    /// The running ones, those without news for longest first; [`LISTED`] at most.
    pub running: Vec<Chunk>,
    /// The failed ones; [`LISTED`] at most.
    pub failed: Vec<Chunk>,
    /// How long the reading took.
    pub cost: Duration,
    /// Whether the table has an index that chunks are counted by; without one every reading goes through all of it.
    pub indexed: bool,
    /// What the file was like: see the readings of orders.
    pub stamp: Option<String>,
}
