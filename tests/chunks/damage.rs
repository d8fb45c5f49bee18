//! Files that are not what they should be.

use botwarden::cluster::{Answer, Errand, Obstacle, Which};

use crate::sweep::{LONG, Sweep, TABLE};

#[test]
fn what_is_no_database_is_said_to_be_none() {
    let sweep = Sweep::bare();
    std::fs::write(sweep.path(), "id,status\n1,running\n".repeat(500)).expect("a file");
    let before = std::fs::read(sweep.path()).expect("a file");
    sweep.useless(
        Obstacle::Other,
        "is not a file of SQLite, or is encrypted: name the right one as database of [clusters.sweep]",
    );
    assert_eq!(std::fs::read(sweep.path()).expect("a file"), before);
}

#[test]
fn a_file_that_is_cut_off_is_said_to_be_damaged() {
    let sweep = Sweep::of(&full());
    let file = std::fs::File::options().write(true).open(sweep.path()).expect("a file");
    file.set_len(sweep.path().metadata().expect("a file").len() / 2 / 4096 * 4096).expect("a length");
    sweep.useless(Obstacle::Other, "is damaged: ");
}

fn full() -> String {
    format!(
        "{TABLE} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO chunks (id, status, assigned_worker, n, note) SELECT i, iif(i % 3, 'running', 'failed'), 'w', i, printf('%.80c', 'x') FROM n"
    )
}

#[test]
fn whatever_stands_in_a_file_nobody_panics_or_hangs() {
    let mut sweep = Sweep::of(&full());
    sweep.cluster.combinations.total = Some("sum(n)".into());
    let whole = std::fs::read(sweep.path()).expect("a file");
    let mut random = fastrand::Rng::with_seed(20_261_122);
    let mut good = 0;
    for round in 0..200 {
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(random.usize(..bytes.len())),
            1 => (0..random.usize(1..30)).for_each(|_| {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }),
            2 => (0..random.usize(1..8)).for_each(|_| {
                let at = random.usize(..400);
                bytes[at] = random.u8(..);
            }),
            // The beginnings of pages, where the numbers of cells are.
            _ => (0..random.usize(1..8)).for_each(|_| {
                let at = random.usize(..bytes.len() / 4096) * 4096 + random.usize(..16);
                bytes[at] = random.u8(..);
            }),
        }
        std::fs::write(sweep.path(), bytes).expect("a file");
        for ending in ["-journal", "-wal", "-shm"] {
            let _ = std::fs::remove_file(sweep.beside(ending));
        }
        let looked = Errand::Look { known: None };
        let put = Errand::PutBack { which: Which::Running, lock: LONG };
        for errand in [looked, put] {
            match sweep.ask(errand) {
                Answer::Failed(failure) => {
                    assert!(!failure.why.contains(char::is_control), "{:?}", failure.why);
                    assert!(!failure.why.contains("its reader"), "{}", failure.why);
                }
                Answer::Read(_) | Answer::PutBack { .. } | Answer::Ready => good += 1,
                Answer::Unchanged => panic!("nobody had known it"),
            }
        }
    }
    assert!(good > 0, "nothing was ever whole enough to be read");
}
