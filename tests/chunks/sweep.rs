//! A folder with a cluster's file in it, and readers to ask.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use botwarden::clock;
use botwarden::cluster::{Answer, Claim, Errand, Failure, Obstacle, Question, Which};
use botwarden::core::chunk::{Census, Chunk, Value};
use botwarden::core::cluster::{ChunkColumns, ChunkValues, ClusterSpec, Combinations};
use botwarden::readers::Readers;
use rusqlite::Connection;
use tempfile::TempDir;

/// Far more than anything here takes; only a failure waits for it.
pub const LONG: Duration = Duration::from_mins(1);

/// What most clusters have.
pub const TABLE: &str = "CREATE TABLE chunks (id INTEGER PRIMARY KEY, status TEXT, assigned_worker TEXT, started_at TEXT, n INTEGER, \
                         done INTEGER, note TEXT DEFAULT 'mine'); CREATE INDEX chunks_status ON chunks (status);";

pub struct Sweep {
    pub folder: TempDir,
    pub readers: Readers,
    pub cluster: ClusterSpec,
    pub user: Option<String>,
    pub within: Duration,
}

impl Sweep {
    /// One without a file.
    pub fn bare() -> Self {
        let folder = TempDir::new().expect("a folder");
        let cluster = ClusterSpec {
            name: "sweep".parse().expect("a name"),
            database: folder.path().join("sweep.db"),
            table: "chunks".into(),
            columns: ChunkColumns::default(),
            values: ChunkValues::default(),
            combinations: Combinations::default(),
            coordinator: None,
            workers: Vec::new(),
            lease: ClusterSpec::LEASE,
        };
        let readers = Readers::through(PathBuf::from(env!("CARGO_BIN_EXE_botwarden")));
        Self { folder, readers, cluster, user: None, within: LONG }
    }

    /// One whose file is made by these statements.
    pub fn of(statements: &str) -> Self {
        let sweep = Self::bare();
        sweep.run(statements);
        sweep
    }

    /// One with the usual table, and these rows in it.
    pub fn with(rows: &str) -> Self {
        Self::of(&format!("{TABLE} INSERT INTO chunks (id, status, assigned_worker, started_at) VALUES {rows};"))
    }

    pub fn path(&self) -> &Path {
        &self.cluster.database
    }

    pub fn beside(&self, ending: &str) -> PathBuf {
        self.folder.path().join(format!("sweep.db{ending}"))
    }

    pub fn open(&self) -> Connection {
        let file = Connection::open(self.path()).expect("a file");
        // As it is everywhere but in our own build of SQLite.
        file.pragma_update(None, "foreign_keys", false).expect("a setting");
        file
    }

    pub fn run(&self, statements: &str) {
        self.open().execute_batch(statements).expect("statements");
    }

    /// Every row that this gives, in words.
    pub fn rows(&self, query: &str) -> Vec<String> {
        let file = self.open();
        let mut statement = file.prepare(query).expect("a query");
        let columns = statement.column_count();
        let words = statement.query_map([], |row| {
            (0..columns).map(|at| row.get_ref(at).map(told)).collect::<Result<Vec<_>, _>>().map(|row| row.join("|"))
        });
        words.expect("rows").collect::<Result<_, _>>().expect("rows")
    }

    /// Every chunk, as `id status worker start`.
    pub fn chunks(&self) -> Vec<String> {
        self.rows("SELECT id, status, assigned_worker, started_at FROM chunks ORDER BY id")
    }

    pub fn ask(&self, errand: Errand) -> Answer {
        let question = Question { cluster: self.cluster.clone(), user: self.user.clone(), errand, within: self.within };
        self.readers.ask(question).wait(clock::now().plus(self.within + LONG))
    }

    #[track_caller]
    pub fn look(&self) -> Census {
        match self.ask(Errand::Look { known: None }) {
            Answer::Read(census) => *census,
            other @ (Answer::Unchanged | Answer::PutBack { .. } | Answer::Ready | Answer::Failed(_)) => {
                panic!("not read: {other:?}")
            }
        }
    }

    #[track_caller]
    pub fn put_back(&self, which: Which) -> (u64, u64) {
        match self.ask(Errand::PutBack { which, lock: self.within }) {
            Answer::PutBack { count, left } => (count, left),
            other @ (Answer::Unchanged | Answer::Read(_) | Answer::Ready | Answer::Failed(_)) => {
                panic!("not put back: {other:?}")
            }
        }
    }

    #[track_caller]
    pub fn put_all_back(&self) -> u64 {
        self.put_back(Which::Running).0
    }

    /// Why it cannot be counted.
    #[track_caller]
    pub fn blind(&self) -> Failure {
        self.failure(self.ask(Errand::Look { known: None }))
    }

    /// Why nothing can be put back.
    #[track_caller]
    pub fn refused(&self) -> Failure {
        self.failure(self.ask(Errand::PutBack { which: Which::Running, lock: self.within }))
    }

    /// Either, when both say the same.
    #[track_caller]
    pub fn useless(&self, obstacle: Obstacle, why: &str) {
        for failure in [self.blind(), self.refused()] {
            assert_eq!(failure.obstacle, obstacle, "{}", failure.why);
            assert!(failure.why.contains(why), "{:?} does not say {why:?}", failure.why);
        }
    }

    #[track_caller]
    fn failure(&self, answer: Answer) -> Failure {
        match answer {
            Answer::Failed(failure) => {
                assert!(!failure.why.contains(char::is_control), "{:?}", failure.why);
                assert!(failure.why.starts_with(&format!("{}: ", self.path().display())), "{:?}", failure.why);
                failure
            }
            other @ (Answer::Unchanged | Answer::Read(_) | Answer::PutBack { .. } | Answer::Ready) => {
                panic!("not refused: {other:?}")
            }
        }
    }
}

/// A chunk as it was seen.
pub fn claim(chunk: &Chunk, failed: bool) -> Claim {
    Claim { id: chunk.id.clone(), failed, worker: chunk.worker.clone(), started: chunk.started.clone() }
}

pub fn claims(chunks: &[Chunk], failed: bool) -> Which {
    Which::These(chunks.iter().map(|chunk| claim(chunk, failed)).collect())
}

pub fn ids(chunks: &[Chunk]) -> Vec<String> {
    chunks.iter().map(|chunk| chunk.id.word().unwrap_or_default()).collect()
}

pub fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn told(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("'{}'", String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => format!("x{bytes:02x?}"),
    }
}

/// Another program, until it is dropped: then it is killed.
pub struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Other {
    pub fn python(script: &str, path: &Path) -> Self {
        Self::python_with(script, path, "")
    }

    pub fn python_with(script: &str, path: &Path, argument: &str) -> Self {
        let mut child = Command::new("python3")
            .args(["-u", "-c", script])
            .arg(path)
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut other = Self { child, said };
        assert_eq!(other.line(), "ready");
        other
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// Lets it come to its end, and gives its last words.
    pub fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let mut words = String::new();
        self.said.read_to_string(&mut words).expect("words");
        words
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn bytes(paths: &[&Path]) -> Vec<Option<Vec<u8>>> {
    paths.iter().map(|path| std::fs::read(path).ok()).collect()
}
