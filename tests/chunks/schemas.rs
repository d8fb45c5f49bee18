//! Names from the configuration, and files that do not have them.

use botwarden::cluster::Obstacle;

use crate::sweep::{Sweep, TABLE};

#[test]
fn a_table_that_is_not_there_is_told_with_those_that_are() {
    let sweep = Sweep::of("CREATE TABLE tasks (id); CREATE TABLE meta (id); CREATE VIEW seen AS SELECT * FROM tasks");
    sweep
        .useless(Obstacle::Other, "has no table \"chunks\"; it has tasks, meta: name one as table of [clusters.sweep]");
    let many = (0..200).map(|n| format!("CREATE TABLE t{n:03} (id);")).collect::<Vec<_>>().concat();
    let sweep = Sweep::of(&many);
    sweep.useless(Obstacle::Other, "t018, t019 and 180 more");
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let sweep = Sweep::of("CREATE TABLE chunks (id, status, owner, t0)");
    sweep.useless(
        Obstacle::Other,
        "table chunks has no column \"assigned_worker\"; it has id, status, owner, t0: name it in columns of [clusters.sweep]",
    );
    for missing in ["id", "status", "started_at"] {
        let table = TABLE.split_inclusive(';').next().expect("a table");
        let sweep = Sweep::of(&table.replace(&format!("{missing} "), "\"odd\u{1b}\" "));
        sweep.useless(Obstacle::Other, &format!("has no column \"{missing}\""));
    }
    let mut sweep = Sweep::of(TABLE);
    sweep.cluster.columns.heartbeat = Some("beat".into());
    sweep.useless(Obstacle::Other, "has no column \"beat\"");
    sweep.cluster.columns.heartbeat = None;
    sweep.cluster.columns.worker = "STATUS".into();
    sweep.useless(Obstacle::Other, "column \"status\" of table chunks is named for two things");
}

#[test]
fn an_empty_file_and_one_without_tables_have_not_begun() {
    let sweep = Sweep::bare();
    sweep.useless(Obstacle::Missing, "there is no such file");
    assert!(!sweep.path().exists());
    std::fs::write(sweep.path(), "").expect("a file");
    sweep.useless(Obstacle::Missing, "is empty: whoever makes it has not begun");
    assert_eq!(sweep.path().metadata().expect("a file").len(), 0);
    sweep.run("CREATE TABLE chunks (id); DROP TABLE chunks");
    sweep.useless(Obstacle::Missing, "has no table \"chunks\", and no other one");
    let mut sweep = Sweep::bare();
    sweep.cluster.database = sweep.folder.path().join("no/such/folder.db");
    sweep.useless(Obstacle::Missing, "there is no such file");
}

#[test]
fn views_and_virtual_tables_are_refused() {
    let sweep = Sweep::of(
        "CREATE TABLE base (id, status, assigned_worker, started_at); CREATE VIEW chunks AS SELECT * FROM base;
         CREATE TRIGGER t INSTEAD OF UPDATE ON chunks BEGIN DELETE FROM base; END; INSERT INTO base VALUES (1, 'running', 'w', 1)",
    );
    sweep.useless(Obstacle::Other, "\"chunks\" is a view, not a table");
    assert_eq!(sweep.rows("SELECT count(*) FROM base"), ["1"]);
    let sweep = Sweep::of("CREATE VIRTUAL TABLE chunks USING fts5(id, status, assigned_worker, started_at)");
    sweep.useless(Obstacle::Other, "is a virtual table");
}

#[test]
fn names_are_found_whatever_their_case_and_partial_indexes_are_none() {
    let mut sweep = Sweep::of(
        "CREATE TABLE Chunks (ID, Status, ASSIGNED_WORKER, Started_At); INSERT INTO Chunks VALUES (1, 'running', 'w', 1);
         CREATE INDEX part ON Chunks (Status) WHERE Status = 'running'; CREATE INDEX other ON Chunks (ID, Status)",
    );
    assert!(!sweep.look().indexed);
    sweep.run("CREATE INDEX whole ON Chunks (Status DESC, ID)");
    assert!(sweep.look().indexed);
    assert_eq!(sweep.put_all_back(), 1);
    sweep.cluster.table = "CHUNKS".into();
    assert_eq!(sweep.look().counts.pending, 1);
}
