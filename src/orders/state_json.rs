//! Orders in one document of JSON, as 247trader-V2 keeps them: in the one row of a table, or in a file of its own. Which of
//! the two a file is, it says itself.

use std::fmt;
use std::path::Path;

use rusqlite::OptionalExtension as _;
use rusqlite::types::ValueRef;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::core::moment::Moment;
use crate::core::order::{Side, Standing};

use super::gather::{Gathered, filled};
use super::json::{Scalar, mistake};
use crate::foreign::file;
use crate::foreign::sqlite::{self, Fault, columns};

const WHAT: &str = "a state of 247trader";

pub(super) fn read(path: &Path, until: Moment, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    match read_row(path, until, gathered) {
        // SQLite itself looks for its own mark at the start of the file, so nobody else need open it.
        Err(fault) if fault.is_other_file() => Ok(read_document(&file::read(path)?, gathered)?),
        result => result,
    }
}

fn read_row(path: &Path, until: Moment, gathered: &mut Gathered<'_>) -> Result<(), Fault> {
    let file = sqlite::open(path, until)?;
    columns(&file, "state_store", &["id", "payload"], WHAT)?;
    let mut statement = file.prepare("SELECT payload FROM state_store WHERE id = 1")?;
    let read = statement.query_row([], |row| {
        Ok(match row.get_ref(0)? {
            ValueRef::Text(text) | ValueRef::Blob(text) => match std::str::from_utf8(text) {
                Ok(text) => read_document(text, gathered),
                Err(_) => Err("is not UTF-8".into()),
            },
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => Err("has no document in its row".into()),
        })
    });
    match read.optional()? {
        Some(read) => Ok(read?),
        None => Err(Fault::Told("table state_store has no row yet".into())),
    }
}

fn read_document(text: &str, gathered: &mut Gathered<'_>) -> Result<(), String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: Document<'_> = serde_json::from_str(text).map_err(|error| mistake(&error))?;
    let Some(entries) = document.open_orders else { return Err(format!("has no open_orders (is this {WHAT}?)")) };
    for (key, entry) in entries.0 {
        add(key, &entry, gathered)?;
    }
    Ok(())
}

fn add(key: Option<String>, entry: &Entry<'_>, gathered: &mut Gathered<'_>) -> Result<(), String> {
    let limit = entry.limit();
    let limit = limit.as_ref();
    let mut order = gathered.blank();
    order.order_id = entry.order_id.word();
    order.client_order_id = entry.client_order_id.word();
    if order.order_id.is_none() && order.client_order_id.is_none() {
        order.client_order_id = key.as_deref().and_then(filled);
    }
    order.venue = entry.venue.word().or_else(|| entry.exchange.word());
    order.symbol = entry.product_id.word().or_else(|| entry.symbol.word());
    order.side = entry.side.text().and_then(Side::of);
    order.kind = entry.order_type.word().or_else(|| entry.kind.word()).or_else(|| limit.map(|_| "limit".to_owned()));
    order.quantity = entry.base_size.amount().or_else(|| limit.and_then(|limit| limit.base_size.amount()));
    order.filled = entry.filled_size.amount();
    order.price = [&entry.price, &entry.limit_price]
        .into_iter()
        .find_map(Scalar::amount)
        .or_else(|| limit.and_then(|limit| limit.limit_price.amount()));
    order.protective = entry.protective.truth();
    order.placed_at = entry.created_time.time().or_else(|| entry.first_seen.time());
    gathered.add(order, Standing::of(entry.status.text()))
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    open_orders: Option<Entries<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    order_id: Scalar<'a>,
    #[serde(borrow)]
    client_order_id: Scalar<'a>,
    #[serde(borrow)]
    venue: Scalar<'a>,
    #[serde(borrow)]
    exchange: Scalar<'a>,
    #[serde(borrow)]
    product_id: Scalar<'a>,
    #[serde(borrow)]
    symbol: Scalar<'a>,
    #[serde(borrow)]
    side: Scalar<'a>,
    #[serde(borrow)]
    order_type: Scalar<'a>,
    #[serde(borrow, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow)]
    status: Scalar<'a>,
    #[serde(borrow)]
    base_size: Scalar<'a>,
    #[serde(borrow)]
    filled_size: Scalar<'a>,
    #[serde(borrow)]
    price: Scalar<'a>,
    #[serde(borrow)]
    limit_price: Scalar<'a>,
    #[serde(borrow)]
    protective: Scalar<'a>,
    #[serde(borrow)]
    created_time: Scalar<'a>,
    #[serde(borrow)]
    first_seen: Scalar<'a>,
    #[serde(borrow)]
    result_snapshot: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Snapshot<'a> {
    #[serde(borrow)]
    order_configuration: Configuration<'a>,
}

#[derive(Deserialize)]
struct Configuration<'a> {
    #[serde(borrow)]
    limit_limit_gtc: Limit<'a>,
}

#[derive(Deserialize)]
struct Limit<'a> {
    #[serde(borrow, default)]
    base_size: Scalar<'a>,
    #[serde(borrow, default)]
    limit_price: Scalar<'a>,
}

impl<'a> Entry<'a> {
    /// What the venue was told, for an order with a limit. A snapshot of another shape tells nothing.
    fn limit(&self) -> Option<Limit<'a>> {
        let snapshot: Snapshot<'a> = serde_json::from_str(self.result_snapshot?.get()).ok()?;
        Some(snapshot.order_configuration.limit_limit_gtc)
    }
}

/// Orders under their keys, or without any in a list.
struct Entries<'a>(Vec<(Option<String>, Entry<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<(Option<String>, Entry<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("open_orders, an object of orders")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, entry)) = map.next_entry::<String, Entry<'de>>()? {
                    entries.push((Some(key), entry));
                }
                Ok(entries)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = list.next_element()? {
                    entries.push((None, entry));
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_any(Reader).map(Entries)
    }
}
