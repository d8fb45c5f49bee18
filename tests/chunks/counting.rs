//! What a look brings.

use botwarden::cluster::{Answer, Errand, Which};
use botwarden::core::chunk::{CombinationsSeen, Counts, Value};
use botwarden::core::cluster::{ChunkColumns, ChunkValues, Combinations};

use crate::sweep::{Sweep, claims, ids, text};

#[test]
fn chunks_are_counted_by_their_state_with_an_index_and_without() {
    let rows = "(1,'pending',NULL,NULL),(2,'running','w@1','2026-11-21T23:31:02Z'),(3,'running','4711',NULL),
        (4,'completed','w@1',NULL),(5,'failed','w@2','2026-11-21 23:31:02'),(6,'Running',NULL,NULL),(7,NULL,NULL,NULL),
        (8,'half ' || char(27) || 'done',NULL,NULL),(9,'completed',NULL,NULL)";
    let sweep = Sweep::with(rows);
    let first = sweep.look();
    assert!(first.indexed);
    sweep.run("DROP INDEX chunks_status");
    let second = sweep.look();
    assert!(!second.indexed);
    for census in [first, second] {
        let counts = Counts { total: 9, pending: 1, running: 2, completed: 2, failed: 1, other: 3 };
        assert_eq!(census.counts, counts);
        let mut strange = census.strange;
        strange.sort();
        assert_eq!(strange, ["Running", "half \\u{1b}done", "nothing"].map(String::from), "{strange:?}");
        assert_eq!(ids(&census.running), ["3", "2"], "without news for longest first");
        assert_eq!(census.running[1].worker, text("w@1"));
        assert_eq!(census.running[1].started, text("2026-11-21T23:31:02Z"));
        assert_eq!(census.running[1].started_at, Some("2026-11-21T23:31:02Z".parse().expect("a time")));
        assert_eq!(
            (ids(&census.failed), census.failed[0].started_at),
            (vec!["5".into()], census.running[1].started_at)
        );
    }
}

#[test]
fn what_is_most_frequent_is_counted_right_however_many_there_are() {
    for most in ["pending", "running", "completed", "failed", "strange"] {
        let sweep = Sweep::of(&format!(
            "{} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
             INSERT INTO chunks (id, status) SELECT i, CASE WHEN i % 3 THEN '{most}' WHEN i % 2 THEN 'pending' WHEN i % 5 THEN 'completed'
             ELSE 'failed' END FROM n;",
            crate::sweep::TABLE
        ));
        let fast = sweep.look();
        sweep.run("DROP INDEX chunks_status");
        let slow = sweep.look();
        assert!(fast.indexed && !slow.indexed);
        assert_eq!((fast.counts, fast.counts.total), (slow.counts, 50_000), "{most}");
        assert_eq!(ids(&fast.failed).len(), ids(&slow.failed).len());
    }
}

#[test]
fn of_very_many_those_without_news_for_longest_are_listed() {
    let sweep = Sweep::of(&format!(
        "{} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000)
         INSERT INTO chunks (id, status, started_at) SELECT i, 'running', 1795300000 - i FROM n;",
        crate::sweep::TABLE
    ));
    let census = sweep.look();
    assert_eq!((census.counts.running, census.running.len()), (25_000, 10_000));
    assert_eq!(census.running[0].id, Value::Integer(25_000));
    assert_eq!(census.running[9_999].id, Value::Integer(15_001));
    assert_eq!(sweep.put_back(claims(&census.running, false)), (10_000, 0));
    assert_eq!(sweep.put_all_back(), 15_000);
}

#[test]
fn times_are_read_in_every_form_and_kept_as_they_are() {
    let sweep = Sweep::of("CREATE TABLE chunks (id, status, assigned_worker, started_at, beat)");
    let at = "2026-11-21T23:31:02Z";
    for (id, time) in [
        "1795303862",
        "1795303862000",
        "1795303862.0",
        "'1795303862'",
        "'2026-11-21T23:31:02Z'",
        "'2026-11-21T23:31:02'",
        "'2026-11-22T00:31:02+01:00'",
        "'2026-11-21 23:31:02'",
    ]
    .iter()
    .enumerate()
    {
        sweep.run(&format!("INSERT INTO chunks VALUES ({id}, 'running', 'w', {time}, NULL)"));
    }
    sweep.run("INSERT INTO chunks VALUES (90,'running',NULL,NULL,NULL), (91,'running',NULL,'yesterday',NULL), (92,'running',NULL,x'ff',NULL),
        (93,'running',NULL,CAST(x'ff41' AS TEXT),NULL), (94,'running',NULL,9e999,NULL), (95,'running',NULL,1795303862.1234567,NULL)");
    let census = sweep.look();
    let of = |id| census.running.iter().find(|chunk| chunk.id == Value::Integer(id)).expect("a chunk");
    for id in 0..8 {
        assert_eq!(of(id).started_at.map(|at| at.to_string()).as_deref(), Some(at), "{id}");
    }
    for id in 90..95 {
        assert_eq!(of(id).started_at, None, "{id}");
    }
    assert_eq!(of(0).started, Value::Integer(1_795_303_862));
    assert_eq!((&of(92).started, &of(93).started), (&Value::Blob(vec![0xff]), &Value::Blob(vec![0xff, 0x41])));
    // To the last bit, and what is no number at all, they come back as what is compared.
    assert_eq!(sweep.put_back(claims(&census.running, false)), (14, 0));
}

#[test]
fn a_heartbeat_is_news_and_is_never_cleared() {
    let mut sweep = Sweep::of("CREATE TABLE chunks (id, status, assigned_worker, started_at, beat)");
    sweep.cluster.columns = ChunkColumns { heartbeat: Some("beat".into()), ..ChunkColumns::default() };
    sweep.run("INSERT INTO chunks VALUES (1,'running','a',1795303000,1795303900), (2,'running','b',1795303500,NULL)");
    let census = sweep.look();
    assert_eq!(ids(&census.running), ["2", "1"]);
    assert_eq!(sweep.put_all_back(), 2);
    assert_eq!(sweep.rows("SELECT * FROM chunks"), ["1|'pending'|NULL|NULL|1795303900", "2|'pending'|NULL|NULL|NULL"]);
}

#[test]
fn states_may_be_numbers() {
    for kind in ["", "INTEGER", "TEXT", "REAL"] {
        for index in ["", "CREATE INDEX s ON chunks (status);"] {
            let mut sweep = Sweep::of(&format!(
                "CREATE TABLE chunks (id, status {kind}, assigned_worker, started_at); {index}
                 INSERT INTO chunks VALUES (1, 0, NULL, NULL), (2, 1, 'w', 1), (3, 2, 'w', 1), (4, 3, 'w', 1), (5, 7, 'w', 1);"
            ));
            sweep.cluster.values =
                ChunkValues { pending: "0".into(), running: "1".into(), completed: "2".into(), failed: "3".into() };
            let census = sweep.look();
            let counts = Counts { total: 5, pending: 1, running: 1, completed: 1, failed: 1, other: 1 };
            assert_eq!(census.counts, counts, "{kind} {index}");
            let before = sweep.rows("SELECT typeof(status) FROM chunks WHERE id = 1");
            assert_eq!(sweep.put_all_back(), 1);
            assert_eq!(sweep.put_back(claims(&census.failed, true)), (1, 0));
            assert_eq!(sweep.look().counts.pending, 3, "{kind} {index}");
            assert_eq!(sweep.rows("SELECT typeof(status) FROM chunks WHERE id = 2"), before, "{kind}");
        }
    }
}

#[test]
fn combinations_are_counted_by_expressions_that_may_only_read() {
    let mut sweep = Sweep::with("(1,'pending',NULL,NULL),(2,'completed',NULL,NULL)");
    sweep.run("UPDATE chunks SET n = 100 * id, done = 7");
    let of = |total: &str, tested: &str| Combinations { total: Some(total.into()), tested: Some(tested.into()) };
    sweep.cluster.combinations = of("sum(n)", "sum(CASE status WHEN 'completed' THEN n ELSE done END) -- so far");
    let seen = sweep.look().combinations;
    assert_eq!((seen.total, seen.tested), (Some(300), Some(207)));
    sweep.cluster.combinations = of("min(-1)", "max(NULL)");
    assert_eq!(sweep.look().combinations, CombinationsSeen::default());
    sweep.cluster.combinations = of("sum(rowid) + 1", "max(5000)");
    let seen = sweep.look().combinations;
    assert_eq!((seen.total, seen.tested), (Some(4), Some(5000)));
    for (expression, why) in [
        ("sum(nn)", "clusters.sweep.combinations.tested is wrong: no such column: nn"),
        ("sum(\"nn\")", "clusters.sweep.combinations.tested is wrong: no such column"),
        ("sum(n), 2", "clusters.sweep.combinations.tested is"),
        ("1); DELETE FROM chunks; SELECT (1", "clusters.sweep.combinations.tested does more than read"),
        ("SELECT * FROM pragma_table_info('chunks')", "clusters.sweep.combinations.tested"),
        ("load_extension('x')", "clusters.sweep.combinations"),
        ("n", "gives a number for every chunk"),
    ] {
        sweep.cluster.combinations = of("sum(n)", expression);
        let seen = sweep.look();
        let why_not = seen.uncounted.expect("it is wrong");
        assert!(why_not.contains(why), "{expression}: {why_not}");
        // It is optional, and nothing else is missing for it.
        assert_eq!((seen.combinations, seen.counts.total), (CombinationsSeen::default(), 2), "{expression}");
    }
    assert_eq!(sweep.chunks().len(), 2);
}

#[test]
fn an_expression_that_never_comes_to_an_end_is_given_up_and_the_chunks_are_counted() {
    let mut sweep = Sweep::with("(1,'running','w',NULL),(2,'completed',NULL,NULL)");
    sweep.within = std::time::Duration::from_secs(4);
    let endless = "max((WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n))";
    sweep.cluster.combinations = Combinations { total: Some("sum(id)".into()), tested: Some(endless.into()) };
    let seen = sweep.look();
    assert_eq!((seen.counts.total, seen.counts.running, seen.running.len()), (2, 1, 1));
    assert_eq!(seen.combinations, CombinationsSeen::default());
    let why = seen.uncounted.expect("it takes for ever");
    assert!(why.contains("takes too long: write it so that it needs less, or leave it out"), "{why}");
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let sweep = Sweep::with("(1,'pending',NULL,NULL)");
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    std::fs::File::options().write(true).open(sweep.path()).expect("a file").set_modified(old).expect("a time");
    let known = sweep.look().stamp;
    assert!(known.is_some());
    assert_eq!(sweep.ask(Errand::Look { known: known.clone() }), Answer::Unchanged);
    sweep.run("INSERT INTO chunks (id, status) VALUES (2, 'running')");
    let Answer::Read(census) = sweep.ask(Errand::Look { known }) else { panic!("not read") };
    assert_eq!(census.counts.total, 2);
}

#[test]
fn a_value_that_is_too_long_is_cut_and_such_a_chunk_is_left_alone_by_name() {
    let sweep = Sweep::with("(1,'running',printf('%.*c', 5000000, 'x'),NULL),(2,'running','w',NULL)");
    let census = sweep.look();
    let Value::Text(worker) = &census.running[0].worker else { panic!("a text") };
    assert!(worker.len() < 2000);
    assert_eq!(sweep.put_back(claims(&census.running, false)), (1, 1));
    assert_eq!(sweep.put_back(Which::Running), (1, 0));
}
