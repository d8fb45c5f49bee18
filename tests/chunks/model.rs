//! A real file against a pure model of it.

use std::collections::BTreeMap;

use botwarden::cluster::Which;
use botwarden::core::chunk::Chunk;

use crate::sweep::{Sweep, TABLE, claim, ids};

/// State, worker and start of every chunk.
type Model = BTreeMap<u32, (&'static str, Option<u32>)>;

#[test]
fn whatever_is_done_in_whatever_order_the_file_is_as_a_model_of_it() {
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let index = if seed % 2 == 0 { TABLE } else { TABLE.split_inclusive(';').next().expect("a table") };
        let mode = if seed % 3 == 0 { "wal" } else { "delete" };
        let sweep = Sweep::of(&format!("PRAGMA journal_mode = {mode}; {index}"));
        let file = sweep.open();
        file.pragma_update(None, "synchronous", "OFF").expect("a setting");
        let mut model = Model::new();
        for id in 0..40 {
            file.execute("INSERT INTO chunks (id, status) VALUES (?1, 'pending')", [id]).expect("a row");
            model.insert(id, ("pending", None));
        }
        let (mut seen_running, mut seen_failed) = (Vec::<Chunk>::new(), Vec::<Chunk>::new());
        let mut seen_model = model.clone();
        let mut clock = 0;
        for _ in 0..400 {
            let id = random.u32(0..40);
            clock += 1;
            let now = model[&id];
            match (random.u8(0..12), now.0) {
                (0..=4, "pending") => {
                    file.execute(
                        "UPDATE chunks SET status = 'running', assigned_worker = ?1, started_at = ?1 WHERE id = ?2",
                        [clock, id],
                    )
                    .expect("a claim");
                    model.insert(id, ("running", Some(clock)));
                }
                (5..=6, "running") => {
                    file.execute("UPDATE chunks SET status = 'completed' WHERE id = ?1", [id]).expect("an end");
                    model.insert(id, ("completed", now.1));
                }
                (7, "running") => {
                    file.execute("UPDATE chunks SET status = 'failed' WHERE id = ?1", [id]).expect("an end");
                    model.insert(id, ("failed", now.1));
                }
                (8, _) => {
                    let census = sweep.look();
                    let of = |state: &str| -> Vec<String> {
                        model.iter().filter(|(_, chunk)| chunk.0 == state).map(|(id, _)| id.to_string()).collect()
                    };
                    let sorted = |chunks: &[Chunk]| {
                        let mut ids = ids(chunks);
                        ids.sort_by_key(|id| id.parse::<u32>().expect("a number"));
                        ids
                    };
                    assert_eq!(
                        (sorted(&census.running), sorted(&census.failed)),
                        (of("running"), of("failed")),
                        "{seed}"
                    );
                    let counts = census.counts;
                    let expected = ["pending", "running", "completed", "failed"].map(|state| of(state).len() as u64);
                    assert_eq!([counts.pending, counts.running, counts.completed, counts.failed], expected, "{seed}");
                    (seen_running, seen_failed, seen_model) = (census.running, census.failed, model.clone());
                }
                (9, _) => {
                    // Some of those that were seen a while ago.
                    let running = seen_running.iter().map(|chunk| claim(chunk, false));
                    let failed = seen_failed.iter().map(|chunk| claim(chunk, true));
                    let chosen: Vec<_> = running.chain(failed).filter(|_| random.bool()).collect();
                    let (mut count, mut left) = (0, 0);
                    for claim in &chosen {
                        let id: u32 = claim.id.word().expect("an id").parse().expect("a number");
                        if model[&id] == seen_model[&id] && matches!(model[&id].0, "running" | "failed") {
                            model.insert(id, ("pending", None));
                            count += 1;
                        } else {
                            left += 1;
                        }
                    }
                    assert_eq!(sweep.put_back(Which::These(chosen)), (count, left), "{seed}");
                }
                (10, _) => {
                    let running = model.values_mut().filter(|chunk| chunk.0 == "running");
                    let count = running.map(|chunk| *chunk = ("pending", None)).count() as u64;
                    assert_eq!(sweep.put_all_back(), count, "{seed}");
                }
                _ => {}
            }
        }
        let word = |worker: Option<u32>| worker.map_or_else(|| "NULL".to_owned(), |worker| format!("'{worker}'"));
        let expected: Vec<String> =
            model.iter().map(|(id, (state, worker))| format!("{id}|'{state}'|{0}|{0}", word(*worker))).collect();
        assert_eq!(sweep.chunks(), expected, "{seed}");
        assert_eq!(sweep.rows("SELECT DISTINCT note FROM chunks"), ["'mine'"]);
    }
}
