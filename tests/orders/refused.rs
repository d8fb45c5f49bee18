//! Files that cannot be read: each with a sentence that names it and why, at once.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::desk::*;

/// What is said of a file, without its name.
fn of(desk: &Desk, path: &Path) -> Vec<String> {
    [freqtrade(path), hummingbot(path), state_json(path), sql(path, "SELECT 1 AS order_id")]
        .into_iter()
        .map(|source| {
            let why = desk.refused(source);
            why.strip_prefix(&format!("{}: ", path.display())).unwrap_or_else(|| panic!("{why}")).to_owned()
        })
        .collect()
}

#[test]
fn what_is_no_regular_file_is_never_opened() {
    let desk = Desk::new();
    let fifo = desk.path("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let link = desk.path("link");
    symlink(&fifo, &link).expect("a link");
    for (path, why) in [
        (desk.path("missing"), "cannot be read: no such file or directory"),
        (desk.folder.path().to_owned(), "is a folder, not a file"),
        (fifo, "is not a regular file"),
        (link, "is not a regular file"),
        ("/dev/zero".into(), "is not a regular file"),
    ] {
        assert_eq!(of(&desk, &path), [why; 4], "{}", path.display());
    }
}

#[test]
fn a_schema_that_is_not_the_one_is_told_with_what_is_missing() {
    let desk = Desk::new();
    let other = desk.database("other.db", "CREATE TABLE orders (id, status); CREATE TABLE state_store (id);");
    let name = other.display();
    for (source, why) in [
        (freqtrade(&other), "table orders has no column ft_trade_id (is this a freqtrade database?)"),
        (hummingbot(&other), "there is no table Order (is this a hummingbot database?)"),
        (state_json(&other), "table state_store has no column payload (is this a state of 247trader?)"),
        (
            sql(&other, "SELECT status FROM orders"),
            "the query has a column status, which an order has not; it may have \
            order_id, client_order_id, venue, symbol, side, type, quantity, filled, price, state, protective, placed_at",
        ),
        (sql(&other, "SELECT id AS order_id, id AS order_id FROM orders"), "the query has the column order_id twice"),
        (sql(&other, "SELECT x FROM orders"), "the query is wrong: no such column: x"),
        (sql(&other, "DELETE FROM orders"), "the query does more than read: it must be a SELECT"),
        (sql(&other, "ATTACH '/tmp/x' AS y"), "the query does more than read: it must be a SELECT"),
        (sql(&other, "PRAGMA journal_mode = delete"), "the query does more than read: it must be a SELECT"),
        (sql(&other, "SELECT 1 AS order_id; SELECT 2"), "the query is more than one statement"),
        (sql(&other, " -- nothing"), "the query does more than read, or nothing at all: it must be a SELECT"),
    ] {
        assert_eq!(desk.refused(source), format!("{name}: {why}"));
    }
    let empty = desk.database("empty.db", "CREATE TABLE state_store (id INTEGER PRIMARY KEY, payload TEXT)");
    assert!(desk.refused(state_json(&empty)).ends_with("table state_store has no row yet"));
    let nameless = desk.file("no.json", "{}");
    assert!(desk.refused(state_json(&nameless)).ends_with("has no open_orders (is this a state of 247trader?)"));
}

#[test]
fn what_is_neither_sqlite_nor_json_is_told_and_no_error_can_be_obeyed_by_a_terminal() {
    let desk = Desk::new();
    for text in [
        "",
        "\u{1b}[2J",
        "{\"open_orders\": {\"\u{1b}[2J\": 5}}",
        "{\"open_orders\": \"\u{1b}[2J\"}",
        "{\"open_orders\": {",
    ] {
        let path = desk.file("odd\u{1b}[31m.json", text);
        let why = desk.refused(state_json(&path));
        assert!(why.contains("odd\\u{1b}[31m.json: ") && (why.contains("JSON") || why.contains("no table")), "{why}");
    }
    let big = desk.path("big.json");
    std::fs::File::create(&big).expect("a file").set_len((64 << 20) + 1).expect("holes");
    assert!(desk.refused(state_json(&big)).ends_with("is larger than 64 MiB, and was not read"));
}

#[test]
fn a_file_that_is_locked_is_told_and_not_waited_for() {
    let desk = Desk::new();
    let path = desk.database("tradesv3.sqlite", FREQTRADE);
    let lock = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA locking_mode = exclusive')
file.execute('BEGIN EXCLUSIVE')
print('ready')
sys.stdin.read()
";
    let holder = Other::python(lock, &path);
    assert_eq!(desk.refused(freqtrade(&path)), format!("{}: is locked by another program", path.display()));
    drop(holder);
    assert!(desk.read(freqtrade(&path)).orders.is_empty());
}

#[test]
fn what_another_user_may_not_read_is_told() {
    if !is_root() {
        eprintln!("skipped: only root can read as somebody else");
        return;
    }
    let desk = Desk::new();
    let may =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    may(desk.folder.path(), 0o755);
    let secret = desk.database("secret.db", FREQTRADE);
    may(&secret, 0o600);
    let logged = desk.database("logged.db", &format!("PRAGMA journal_mode = wal; {FREQTRADE}"));
    may(&logged, 0o644);
    let ask = |path: &Path| {
        let mut question = desk.question(freqtrade(path));
        question.surroundings.user = Some("nobody".into());
        desk.ask(question)
    };
    if failure_of_user(&desk) {
        eprintln!("skipped: there is no user nobody here");
        return;
    }
    assert!(failure(ask(&secret)).ends_with("secret.db: cannot be read: permission denied"));
    // Its index cannot be made beside it: left_behind.rs.
    assert!(reading(ask(&logged)).orders.is_empty());
    may(desk.folder.path(), 0o777);
    assert!(reading(ask(&logged)).orders.is_empty());
    may(desk.folder.path(), 0o700);
    assert!(failure(ask(&logged)).ends_with("cannot be read: permission denied"));
    // We ourselves are not bothered.
    assert!(desk.read(freqtrade(&secret)).orders.is_empty());
}

fn failure_of_user(desk: &Desk) -> bool {
    let mut question = desk.question(shell("echo '{\"orders\": []}'"));
    question.surroundings.cwd = "/".into();
    question.surroundings.user = Some("nobody".into());
    matches!(desk.ask(question), botwarden::core::order::Answer::Failed(why) if why.contains("there is no user"))
}
