//! What is said of clusters, by tables.

use std::collections::BTreeMap;

use super::*;
use crate::core::chunk::{Counts, Value};
use crate::core::cluster::{ChunkColumns, ChunkValues, Combinations};
use crate::core::crew::Member;

fn name(name: &str) -> BotName {
    name.parse().expect("a name")
}

fn spec() -> ClusterSpec {
    ClusterSpec {
        name: name("sweep"),
        database: "/x".into(),
        table: "chunks".into(),
        columns: ChunkColumns::default(),
        values: ChunkValues::default(),
        combinations: Combinations::default(),
        coordinator: Some(name("boss")),
        workers: vec![name("hand@1"), name("hand@2")],
        lease: Duration::from_mins(10),
    }
}

fn crew(boss: Life, first: Life, second: Life) -> Crew {
    let member = |of: &str, life| Member { name: name(of), life, pids: Vec::new(), since: None, shared: None };
    Crew {
        host: "here".into(),
        coordinator: Some(member("boss", boss)),
        workers: vec![member("hand@1", first), member("hand@2", second)],
        pids: BTreeMap::new(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn chunk(worker: &str, started: Option<i64>) -> Chunk {
    let worker = if worker.is_empty() { Value::Null } else { Value::Text(worker.into()) };
    Chunk { id: Value::Integer(1), worker, started_at: started.map(at), ..Chunk::default() }
}

fn census(running: Vec<Chunk>, pending: u64, completed: u64, failed: u64) -> Census {
    let count = running.len() as u64;
    Census {
        at: at(10_000),
        counts: Counts {
            total: count + pending + completed + failed,
            pending,
            running: count,
            completed,
            failed,
            other: 0,
        },
        strange: Vec::new(),
        combinations: CombinationsSeen::default(),
        uncounted: None,
        running,
        failed: Vec::new(),
        cost: Duration::ZERO,
        indexed: true,
        stamp: None,
    }
}

#[test]
fn every_running_chunk_is_checked_against_who_lives_and_against_the_lease() {
    use Life::{Gone, Lives, Unknown};
    let all = crew(Lives, Lives, Lives);
    let none = crew(Gone, Gone, Gone);
    let dark = crew(Unknown, Unknown, Unknown);
    let half = crew(Lives, Lives, Gone);
    for (worker, started, crew, hold, stale) in [
        ("hand@1", Some(9_990), &all, Hold::Held, false),
        ("hand@1", Some(9_000), &all, Hold::Overdue, true),
        ("hand@1", None, &all, Hold::Held, false),
        ("hand@2", Some(9_990), &half, Hold::Stale, true),
        ("hand", Some(9_990), &half, Hold::Held, false),
        ("hand@1", Some(9_990), &none, Hold::Stale, true),
        ("hand@1", None, &none, Hold::Stale, true),
        ("hand@1", Some(9_990), &dark, Hold::Unverified, false),
        ("", Some(9_990), &none, Hold::Stale, true),
        ("", Some(9_990), &all, Hold::Held, false),
        // Elsewhere: never said to be dead, and the lease decides.
        ("box-2", Some(9_990), &all, Hold::Unverified, false),
        ("box-2", Some(9_990), &none, Hold::Unverified, true),
        ("box-2", Some(9_000), &all, Hold::Stale, true),
        ("box-2", None, &all, Hold::Stale, true),
        // A clock that runs ahead is no lease that ran out.
        ("hand@1", Some(10_300), &all, Hold::Held, false),
    ] {
        let checked = check_one(&spec(), &chunk(worker, started), crew, at(10_000));
        assert_eq!((checked.hold, checked.stale), (hold, stale), "{worker} {started:?}: {}", checked.why);
        if worker == "box-2" {
            assert!(checked.why.contains("unverified"), "{}", checked.why);
        }
    }
}

#[test]
fn a_claim_that_is_older_than_the_run_of_whoever_has_it_is_told_of() {
    let mut crew = crew(Life::Lives, Life::Lives, Life::Lives);
    crew.workers[0].since = Some(at(9_950));
    for (worker, started, is_told) in [
        ("hand@1", 9_940, true),
        ("hand@1", 9_949, false),
        ("hand@1", 9_960, false),
        // Of two that may be meant one has run all the time.
        ("hand", 9_940, false),
    ] {
        let census = census(vec![chunk(worker, Some(started))], 0, 0, 0);
        let status = judge(&spec(), Ok(&census), &crew, at(10_000));
        assert_eq!((status.state, status.stale), (ClusterState::Processing, Some(0)), "{started}: {}", status.note);
        assert_eq!(status.note.contains("started after the claim"), is_told, "{started}: {}", status.note);
    }
    // It said that it is alive, and it is.
    let beating = Chunk { heard_at: Some(at(9_999)), ..chunk("hand@1", Some(9_000)) };
    assert_eq!(check_one(&spec(), &beating, &crew, at(10_000)).why, "held by hand@1");
}

#[test]
fn a_claim_from_the_far_future_has_no_time() {
    let all = crew(Life::Lives, Life::Lives, Life::Lives);
    assert_eq!(check_one(&spec(), &chunk("box-2", Some(99_999_999)), &all, at(10_000)).hold, Hold::Stale);
    assert_eq!(check_one(&spec(), &chunk("hand@1", Some(99_999_999)), &all, at(10_000)).hold, Hold::Held);
}

#[test]
fn a_process_that_comes_and_goes_is_not_missed_at_once_while_others_live() {
    use Life::{Gone, Lives};
    for (started, crew, hold, stale) in [
        (Some(9_999), crew(Lives, Gone, Gone), Hold::Unverified, false),
        (Some(9_997), crew(Lives, Gone, Gone), Hold::Stale, true),
        (None, crew(Lives, Gone, Gone), Hold::Stale, true),
        // Nobody is left who could have forked it.
        (Some(9_999), crew(Gone, Gone, Gone), Hold::Stale, true),
    ] {
        let checked = check_one(&spec(), &chunk("4711", started), &crew, at(10_000));
        assert_eq!((checked.hold, checked.stale), (hold, stale), "{started:?}: {}", checked.why);
    }
}

#[test]
fn a_worker_that_says_that_it_is_alive_keeps_its_lease() {
    let all = crew(Life::Lives, Life::Lives, Life::Lives);
    let beating = Chunk { heard_at: Some(at(9_999)), ..chunk("hand@1", Some(1)) };
    assert_eq!(check_one(&spec(), &beating, &all, at(10_000)).hold, Hold::Held);
}

#[test]
fn the_first_state_that_applies_wins() {
    use Life::{Gone, Lives};
    let all = crew(Lives, Lives, Lives);
    let none = crew(Gone, Gone, Gone);
    let held = || vec![chunk("hand@1", Some(9_990))];
    for (census, crew, state, note) in [
        (census(held(), 3, 1, 0), &none, ClusterState::Stale, "1 stale: hand@1 does not live"),
        (census(held(), 3, 1, 0), &all, ClusterState::Processing, ""),
        (census(vec![], 3, 1, 2), &all, ClusterState::Pending, "3 pending, nothing runs"),
        (census(vec![], 0, 4, 0), &none, ClusterState::Complete, ""),
        (census(vec![], 0, 4, 1), &none, ClusterState::Idle, "1 failed"),
        (census(vec![], 0, 0, 0), &none, ClusterState::Idle, "no chunks"),
    ] {
        let status = judge(&spec(), Ok(&census), crew, at(10_000));
        assert_eq!((status.state, status.note.as_str()), (state, note));
        assert_eq!(status.progress.is_some(), census.counts.total > 0);
    }
    let status = judge(&spec(), Err("/x: is locked"), &all, at(10_000));
    assert_eq!((status.state, status.note.as_str(), status.total), (ClusterState::Unknown, "/x: is locked", None));
    assert_eq!((status.workers_alive, status.coordinator_alive), (2, Some(true)));
}

#[test]
fn three_that_run_and_nobody_alive_are_three_stale_ones() {
    let none = crew(Life::Gone, Life::Gone, Life::Gone);
    let running = vec![chunk("hand@1", Some(9_990)), chunk("hand@2", Some(9_990)), chunk("", None)];
    let status = judge(&spec(), Ok(&census(running, 0, 0, 0)), &none, at(10_000));
    assert_eq!((status.state, status.stale, status.running), (ClusterState::Stale, Some(3), Some(3)));
    assert_eq!(status.note, "3 stale: hand@1 does not live; 2 more");
}
