//! Where a bot's orders are read and how they are canceled: `orders`, `cancel`.

use std::time::Duration;

use super::item::{Given, Item};
use super::suggest::either;
use super::values::{command, path, some_duration, variable};
use crate::core::bot::{Api, Cancel, OrderSource, Protective};

/// Every key that a table `orders` may have; each source has its own.
pub(super) const ORDERS: &[&str] = &["source", "path", "api", "query", "command", "timeout"];
/// The keys of `orders.api`.
pub(super) const API: &[&str] = &["url", "username", "password_env"];
/// The keys of `cancel`.
pub(super) const CANCEL: &[&str] = &["command", "timeout", "protective"];

/// How long a program may take that reads or cancels orders, where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Clone, Copy)]
enum Kind {
    Freqtrade,
    Hummingbot,
    StateJson,
    Sql,
    Command,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Freqtrade, Self::Hummingbot, Self::StateJson, Self::Sql, Self::Command];

    const fn word(self) -> &'static str {
        match self {
            Self::Freqtrade => "freqtrade",
            Self::Hummingbot => "hummingbot",
            Self::StateJson => "state-json",
            Self::Sql => "sql",
            Self::Command => "command",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Freqtrade => &["source", "path", "api"],
            Self::Hummingbot | Self::StateJson => &["source", "path"],
            Self::Sql => &["source", "path", "query"],
            Self::Command => &["source", "command", "timeout"],
        }
    }
}

/// `orders`.
pub(super) fn orders(item: &Item<'_>) -> Option<OrderSource> {
    let section = item.section("`orders`", ORDERS)?;
    let kinds = Kind::ALL.map(|kind| (kind.word(), kind));
    let words = either(Kind::ALL.map(Kind::word), |word| format!("\"{word}\""));
    let kind = section.need("source", &format!("write {words}"), |item| item.word("order source", &kinds))?;
    for (key, item) in section.named() {
        if ORDERS.contains(&key) && !kind.keys().contains(&key) {
            item.slip_of_key(format!(
                "`{key}` does not belong to source \"{}\", which has {}",
                kind.word(),
                kind.keys().join(", ")
            ));
        }
    }
    let file = || section.need("path", "the file that the orders are in", path);
    match kind {
        Kind::Freqtrade => {
            let api = section.take("api", api);
            Some(OrderSource::Freqtrade { path: file()?, api: api.good() })
        }
        Kind::Hummingbot => Some(OrderSource::Hummingbot { path: file()? }),
        Kind::StateJson => Some(OrderSource::StateJson { path: file()? }),
        Kind::Sql => {
            let (file, query) =
                (file(), section.need("query", "the SELECT whose rows are orders", |item| item.filled("a query")));
            Some(OrderSource::Sql { path: file?, query: query?.to_owned() })
        }
        Kind::Command => {
            let timeout = section.take("timeout", some_duration);
            let command = section.need("command", "the program that prints the orders, and its arguments", command);
            Some(OrderSource::Command { command: command?, timeout: timeout.good().unwrap_or(TIMEOUT) })
        }
    }
}

fn api(item: &Item<'_>) -> Option<Api> {
    let mut section = item.any_section("a table with url, username, password_env")?;
    section.only("`api`", API, |key| {
        let message = "a password has no place here; write `password_env`, the name of the variable that holds it";
        (key == "password").then(|| message.to_owned())
    });
    let url = section.need("url", "such as url = \"http://127.0.0.1:8080\"", |item| {
        let url = item.filled("an address such as \"http://127.0.0.1:8080\"")?;
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        if host.is_none_or(str::is_empty) {
            item.wrong("must start with http:// or https:// and a host");
        } else if url.contains('@') {
            // The address is shown; what stands before an '@' would be too.
            item.wrong("must not hold a name or a password; write `username` and `password_env`");
        } else {
            return Some(url.to_owned());
        }
        None
    });
    let username = section.need("username", "whom the interface knows", |item| item.filled("a name"));
    let password_env = section.need("password_env", "the name of the variable that holds the password", |item| {
        let name = item.filled("the name of a variable")?;
        if let Err(why) = variable(name) {
            item.slip(format!("the name of the variable {why}"));
            return None;
        }
        Some(name)
    });
    Some(Api { url: url?, username: username?.to_owned(), password_env: password_env?.to_owned() })
}

/// What a table `cancel` says, before defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct CancelKeys {
    command: Given<Vec<String>>,
    timeout: Given<Duration>,
    protective: Given<Protective>,
    place: (usize, String),
}

impl CancelKeys {
    /// Reads the table.
    pub fn read(item: &Item<'_>) -> Option<Self> {
        let section = item.section("`cancel`", CANCEL)?;
        let words = [("cancel", Protective::Cancel), ("keep", Protective::Keep)];
        Some(Self {
            command: section.take("command", command),
            timeout: section.take("timeout", some_duration),
            protective: section.take("protective", |item| item.word("policy", &words)),
            place: item.place(),
        })
    }

    /// Both tables as one, this one's keys first.
    pub fn over(&self, below: &Self) -> Self {
        Self {
            command: self.command.or(&below.command),
            timeout: self.timeout.or(&below.timeout),
            protective: self.protective.or(&below.protective),
            place: self.place.clone(),
        }
    }

    /// With what goes without saying; `missing` hears of a command that is not there although the bot's own table is.
    pub fn finish(self, own: bool, missing: impl FnOnce(usize, &str, String)) -> Option<Cancel> {
        if own && !self.command.is_there() {
            let message =
                "missing `command`: the program that cancels orders, such as command = [\"./cancel_orders.sh\"]";
            missing(self.place.0, &format!("{}.command", self.place.1), message.to_owned());
        }
        Some(Cancel {
            command: self.command.good()?,
            timeout: self.timeout.good().unwrap_or(TIMEOUT),
            protective: self.protective.good().unwrap_or(Protective::Cancel),
        })
    }
}
