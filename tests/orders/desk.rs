//! A folder with somebody's files in it, and readers to ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use botwarden::clock;
use botwarden::core::bot::OrderSource;
use botwarden::core::order::{Answer, Order, Reading};
use botwarden::orders::{Question, Surroundings};
use botwarden::readers::Readers;
use rusqlite::Connection;
use tempfile::TempDir;

/// Far more than anything here takes; only a failure waits for it.
pub const LONG: Duration = Duration::from_mins(1);

pub struct Desk {
    pub folder: TempDir,
    pub readers: Readers,
}

impl Desk {
    pub fn new() -> Self {
        let readers = Readers::through(PathBuf::from(env!("CARGO_BIN_EXE_botwarden")));
        Self { folder: TempDir::new().expect("a folder"), readers }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of SQLite, made by these statements.
    pub fn database(&self, name: &str, statements: &str) -> PathBuf {
        let path = self.path(name);
        let file = Connection::open(&path).expect("a file");
        // As it is everywhere but in our own build of SQLite.
        file.pragma_update(None, "foreign_keys", false).expect("a setting");
        file.execute_batch(statements).expect("statements");
        path
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    pub fn question(&self, source: OrderSource) -> Question {
        Question {
            bot: "maker".parse().expect("a name"),
            source,
            surroundings: Surroundings {
                cwd: self.folder.path().to_owned(),
                env: BTreeMap::new(),
                env_file: None,
                user: None,
            },
            known: None,
            of_interest: Vec::new(),
            within: LONG,
        }
    }

    pub fn ask(&self, question: Question) -> Answer {
        let until = clock::now().plus(question.within + LONG);
        self.readers.ask(question).wait(until)
    }

    pub fn read(&self, source: OrderSource) -> Reading {
        self.read_with(source, &[])
    }

    /// With orders whose end is of interest.
    pub fn read_with(&self, source: OrderSource, of_interest: &[&str]) -> Reading {
        let of_interest = of_interest.iter().map(|id| (*id).to_owned()).collect();
        reading(self.ask(Question { of_interest, ..self.question(source) }))
    }

    /// Why it cannot be read.
    pub fn refused(&self, source: OrderSource) -> String {
        failure(self.ask(self.question(source)))
    }
}

#[track_caller]
pub fn reading(answer: Answer) -> Reading {
    match answer {
        Answer::Read(reading) => reading,
        other @ (Answer::Unchanged | Answer::Failed(_)) => panic!("not read: {other:?}"),
    }
}

#[track_caller]
pub fn failure(answer: Answer) -> String {
    match answer {
        Answer::Failed(why) => {
            assert!(!why.contains(char::is_control), "{why:?}");
            why
        }
        other @ (Answer::Unchanged | Answer::Read(_)) => panic!("not refused: {other:?}"),
    }
}

pub fn shell(script: &str) -> OrderSource {
    OrderSource::Command { command: vec!["sh".into(), "-c".into(), script.into()], timeout: LONG }
}

pub fn freqtrade(path: &Path) -> OrderSource {
    OrderSource::Freqtrade { path: path.to_owned(), api: None }
}

pub fn hummingbot(path: &Path) -> OrderSource {
    OrderSource::Hummingbot { path: path.to_owned() }
}

pub fn state_json(path: &Path) -> OrderSource {
    OrderSource::StateJson { path: path.to_owned() }
}

pub fn sql(path: &Path, query: &str) -> OrderSource {
    OrderSource::Sql { path: path.to_owned(), query: query.to_owned() }
}

/// One line an order, of what matters.
pub fn told(orders: &[Order]) -> Vec<String> {
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    orders
        .iter()
        .map(|order| {
            let side = order.side.map_or("-", |side| side.word());
            let placed = order.placed_at.map_or_else(|| "-".into(), |at| at.to_string());
            [
                word(&order.order_id),
                word(&order.client_order_id),
                word(&order.venue),
                word(&order.symbol),
                side.to_owned(),
                word(&order.kind),
                word(&order.quantity),
                word(&order.filled),
                word(&order.price),
                order.state.to_string(),
                if order.protective { "guards" } else { "trades" }.to_owned(),
                placed,
            ]
            .join(" ")
        })
        .collect()
}

/// freqtrade's tables.
pub const FREQTRADE: &str = "
    CREATE TABLE trades (
        id INTEGER PRIMARY KEY, exchange VARCHAR(25), pair VARCHAR(25), is_open BOOLEAN, amount FLOAT, open_rate FLOAT,
        strategy VARCHAR(100), is_short BOOLEAN, trading_mode VARCHAR(7)
    );
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY, ft_trade_id INTEGER REFERENCES trades (id), ft_order_side VARCHAR(25),
        ft_pair VARCHAR(25), ft_is_open BOOLEAN, ft_amount FLOAT, ft_price FLOAT, ft_cancel_reason VARCHAR(255),
        order_id VARCHAR(255), status VARCHAR(255), symbol VARCHAR(25), order_type VARCHAR(50), side VARCHAR(25),
        price FLOAT, average FLOAT, amount FLOAT, filled FLOAT, remaining FLOAT, cost FLOAT, stop_price FLOAT,
        order_date DATETIME, order_filled_date DATETIME, order_update_date DATETIME
    );
    INSERT INTO trades (id, exchange, pair, is_open) VALUES (1, 'kraken', 'BTC/USD', 1), (2, 'kraken', 'ETH/USD', 1);";

/// An order in them: values for id, trade, role, pair, open, id of the venue, status, type, side, price, amount, filled.
pub fn freqtrade_order(values: &str) -> String {
    format!(
        "INSERT INTO orders (id, ft_trade_id, ft_order_side, ft_pair, ft_is_open, order_id, status, order_type, side, price,
         amount, filled, order_date) VALUES ({values}, '2026-11-21 23:31:02.730000');"
    )
}

/// hummingbot's tables.
pub const HUMMINGBOT: &str = "
    CREATE TABLE \"Order\" (
        id TEXT PRIMARY KEY, market TEXT, symbol TEXT, base_asset TEXT, quote_asset TEXT, creation_timestamp BIGINT,
        order_type TEXT, amount BIGINT, price BIGINT, last_status TEXT, last_update_timestamp BIGINT,
        exchange_order_id TEXT
    );
    CREATE TABLE OrderStatus (id INTEGER PRIMARY KEY, order_id TEXT, timestamp BIGINT, status TEXT);";

/// 247trader's table with its one row.
pub fn state_store(payload: &str) -> String {
    format!(
        "CREATE TABLE state_store (id INTEGER PRIMARY KEY CHECK (id = 1), payload TEXT, updated_at TEXT);
         INSERT INTO state_store VALUES (1, '{}', '2026-11-21T23:31:02');",
        payload.replace('\'', "''")
    )
}

/// Another process that does something with a file and stays until it is dropped: what it prints first says that it has.
pub struct Other {
    pub child: Child,
}

impl Other {
    pub fn python(script: &str, path: &Path) -> Self {
        use std::io::{BufRead, BufReader};
        let mut child = Command::new("python3")
            .args(["-u", "-c", script])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "ready\n");
        Self { child }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
