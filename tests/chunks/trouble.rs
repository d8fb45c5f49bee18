//! What stands in the way outside of the file.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use botwarden::cluster::{Answer, Errand, Obstacle, Which};

use crate::sweep::{LONG, Other, Sweep, TABLE, bytes};

fn may(path: &Path, mode: u32) {
    set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
}

/// A cluster whose file is ours, and whoever asks is not allowed everything; none where that cannot be had.
fn of_another(rows: &str) -> Option<Sweep> {
    let mut sweep = Sweep::with(rows);
    may(sweep.folder.path(), 0o777);
    may(sweep.path(), 0o666);
    if rustix::process::geteuid().is_root() {
        sweep.user = Some("nobody".into());
        if matches!(sweep.ask(Errand::Look { known: None }), Answer::Failed(failure) if failure.why.contains("there is no user"))
        {
            eprintln!("skipped: there is no user nobody here");
            return None;
        }
    }
    Some(sweep)
}

/// What is said of the owner: root and nobody, or ourselves twice.
fn told(sweep: &Sweep, verb: &str) -> String {
    if sweep.user.is_some() {
        format!("is owned by root and may not be {verb} by nobody: chmod or chown it, or have its bots run as root")
    } else {
        format!("who may not have it {verb}: chmod")
    }
}

#[test]
fn a_file_that_may_not_be_written_is_read_and_not_written_and_its_owner_is_named() {
    let Some(sweep) = of_another("(1,'running','w',NULL)") else { return };
    may(sweep.path(), 0o444);
    assert_eq!(sweep.look().counts.running, 1);
    let failure = sweep.refused();
    assert!(failure.why.contains(&told(&sweep, "written")), "{}", failure.why);
    assert_eq!(failure.obstacle, Obstacle::Other);
    may(sweep.path(), 0o000);
    sweep.useless(Obstacle::Other, &told(&sweep, "read"));
    may(sweep.path(), 0o666);
    assert_eq!(sweep.put_all_back(), 1);
}

#[test]
fn a_folder_that_may_not_be_written_is_named_and_what_it_is_needed_for() {
    let Some(sweep) = of_another("(1,'running','w',NULL)") else { return };
    may(sweep.folder.path(), 0o555);
    assert_eq!(sweep.look().counts.running, 1);
    let failure = sweep.refused();
    assert!(failure.why.contains("SQLite makes a file beside it, and its folder "), "{}", failure.why);
    assert!(failure.why.contains(&told(&sweep, "written")), "{}", failure.why);
    may(sweep.folder.path(), 0o000);
    let failure = sweep.blind();
    assert!(failure.why.contains("cannot be reached: its folder "), "{}", failure.why);
    may(sweep.folder.path(), 0o777);
    assert_eq!(sweep.put_all_back(), 1);
}

/// Breaks off in the middle of a change that is larger than its cache.
const CRASH: &str = "
import sqlite3, sys
file = sqlite3.connect(sys.argv[1], isolation_level=None)
file.execute('PRAGMA cache_size = 2')
file.execute('BEGIN IMMEDIATE')
file.execute(\"UPDATE chunks SET status = 'completed', note = ?\", ('y' * 600,))
print('ready')
sys.stdin.read()
";

#[test]
fn a_half_change_in_a_folder_that_may_not_be_written_is_looked_through_all_the_same() {
    let Some(sweep) = of_another("(1,'running','w',NULL)") else { return };
    sweep.run("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO chunks (id, status, note) SELECT i, 'pending', printf('%.500c', 'x') FROM n");
    drop(Other::python(CRASH, sweep.path()));
    let journal = sweep.beside("-journal");
    may(&journal, 0o444);
    may(sweep.folder.path(), 0o555);
    let before = bytes(&[sweep.path(), &journal]);
    let counts = sweep.look().counts;
    assert_eq!((counts.total, counts.running, counts.pending), (3000, 1, 2999));
    let why = sweep.refused().why;
    assert!(why.contains("may not") && why.contains("written"), "{why}");
    assert!(bytes(&[sweep.path(), &journal]) == before);
    may(sweep.folder.path(), 0o777);
    may(&journal, 0o666);
    assert_eq!(sweep.put_all_back(), 1);
}

#[test]
fn what_is_no_file_is_said_to_be_none_and_never_waited_for() {
    let sweep = Sweep::bare();
    std::fs::create_dir(sweep.path()).expect("a folder");
    sweep.useless(Obstacle::Other, "is a folder, not a file: name the SQLite file as database of [clusters.sweep]");
    let sweep = Sweep::bare();
    assert!(Command::new("mkfifo").arg(sweep.path()).status().expect("mkfifo").success());
    sweep.useless(Obstacle::Other, "is not a regular file");
    let sweep = Sweep::bare();
    symlink(sweep.folder.path().join("nowhere"), sweep.path()).expect("a link");
    sweep.useless(Obstacle::Missing, "there is no such file");
}

#[test]
fn a_link_is_followed_and_what_lies_beside_the_file_itself_is_used() {
    let mut sweep = Sweep::with("(1,'running','w',NULL)");
    sweep.run("PRAGMA journal_mode = wal");
    let link = sweep.folder.path().join("elsewhere");
    std::fs::create_dir(&link).expect("a folder");
    let link = link.join("link.db");
    symlink(sweep.path(), &link).expect("a link");
    let real = std::mem::replace(&mut sweep.cluster.database, link);
    assert_eq!((sweep.look().counts.running, sweep.put_all_back()), (1, 1));
    sweep.cluster.database = real;
    assert_eq!(sweep.look().counts.pending, 1);
}

/// Runs this in a mount namespace of its own, where that can be had.
fn elsewhere(script: &str) -> Option<String> {
    let can = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|done| done.status.success());
    if !rustix::process::geteuid().is_root() || !can {
        eprintln!("skipped: a mount namespace cannot be made here");
        return None;
    }
    let done = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-ec", script])
        .output()
        .expect("unshare");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Asks a reader one thing, and prints its answer.
const READER: &str = "
import subprocess, sys
pipe = subprocess.PIPE
reader = subprocess.Popen([sys.argv[1], sys.argv[2], \"-\"], stdin=pipe, stdout=pipe, text=True)
reader.stdout.readline()
print(sys.argv[3], file=reader.stdin, flush=True)
print(reader.stdout.readline().strip())
";

/// A reader that is asked one thing by hand.
fn asked(sweep: &Sweep, errand: &Errand) -> String {
    let question = botwarden::cluster::Question {
        cluster: sweep.cluster.clone(),
        user: None,
        errand: errand.clone(),
        within: std::time::Duration::from_secs(20),
    };
    let line = serde_json::json!({ "number": 1, "question": { "cluster": question } }).to_string();
    let (program, role) = (env!("CARGO_BIN_EXE_botwarden"), botwarden::core::protocol::READER_ROLE);
    format!("python3 -c '{READER}' {program} {role} '{line}'")
}

#[test]
fn a_mount_that_is_read_only_and_a_full_disk_are_told_apart() {
    let sweep = Sweep::of(&format!(
        "{TABLE} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO chunks (id, status, assigned_worker) SELECT i, 'running', printf('%.99c', 'w') FROM n"
    ));
    let put = asked(&sweep, &Errand::PutBack { which: Which::Running, lock: LONG });
    let look = asked(&sweep, &Errand::Look { known: None });
    let folder = sweep.folder.path().display();
    let Some(said) =
        elsewhere(&format!("mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}; {put}; {look}"))
    else {
        return;
    };
    let mut lines = said.lines();
    assert!(
        lines.next().expect("a line").contains("is on a disk that is mounted to be read only: mount it to be written"),
        "{said}"
    );
    assert!(lines.next().expect("a line").contains("\"running\":3000"), "{said}");
    let copy = tempfile::TempDir::new().expect("a folder");
    let script = format!(
        "cp {folder}/sweep.db {0}/sweep.db; mount -t tmpfs -o size=2m tmpfs {folder}; cp {0}/sweep.db {folder}/sweep.db
         cat /dev/zero > {folder}/ballast 2> {0}/no-room || true
         {put}; {look}",
        copy.path().display()
    );
    let said = elsewhere(&script).expect("a namespace");
    assert!(said.contains("has no room on its disk; nothing was changed: free some space there"), "{said}");
    assert!(said.contains("\"running\":3000"), "{said}");
}

#[test]
fn whether_it_could_be_written_is_found_out_without_writing_or_locking() {
    let Some(sweep) = of_another("(1,'running','w',NULL)") else { return };
    let ready = || sweep.ask(Errand::Check);
    let why = || match sweep.ask(Errand::Check) {
        Answer::Failed(failure) => failure.why,
        other @ (Answer::Unchanged | Answer::Read(_) | Answer::PutBack { .. } | Answer::Ready) => {
            panic!("not refused: {other:?}")
        }
    };
    let other = sweep.open();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE chunks SET n = 7").expect("a change");
    assert_eq!(ready(), Answer::Ready, "whoever only reads is not in the way of a writer");
    other.execute_batch("ROLLBACK").expect("its end");
    let before = bytes(&[sweep.path()]);
    assert_eq!(ready(), Answer::Ready);
    assert!(bytes(&[sweep.path()]) == before && !sweep.beside("-journal").exists());
    may(sweep.path(), 0o444);
    assert!(why().contains(&told(&sweep, "written")), "{}", why());
    may(sweep.path(), 0o666);
    may(sweep.folder.path(), 0o555);
    assert!(why().contains("SQLite makes a file beside it, and its folder "), "{}", why());
    may(sweep.folder.path(), 0o777);
    std::fs::write(sweep.beside("-journal"), "").expect("a file");
    may(&sweep.beside("-journal"), 0o444);
    assert!(why().contains("-journal beside it, which ") && why().contains("written"), "{}", why());
    std::fs::remove_file(sweep.beside("-journal")).expect("it is ours");
    sweep.run("ALTER TABLE chunks RENAME COLUMN started_at TO begun");
    assert!(why().contains("has no column \"started_at\""), "{}", why());
}
