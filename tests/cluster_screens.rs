//! Clusters on the screen, and questions about them: keys and readings go in, and what is drawn, and what is asked of
//! others, comes out.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

#[path = "screen/clustered.rs"]
mod clustered;
#[path = "screen/trading.rs"]
mod trading;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use botwarden::core::bot::Mode;
use botwarden::core::chunk::{Census, CombinationsSeen, Counts, Value};
use botwarden::core::cluster_report::ClusterReport;
use botwarden::core::crew::PidSeen;
use botwarden::core::report::{BotReport, Report, StopOutcome};
use botwarden::core::state::State;
use botwarden::tui::deed::{Deed, Guard};
use botwarden::tui::effect::Effect;
use botwarden::tui::message::{ClusterNews, ClusterSeen, Done, EmergencyNews, Msg, StopNews, Told};
use botwarden::tui::model::{About, Fixed, Focus, Pane};
use clustered::{OTHER, SWEEP, ago, census, chunk, crew, desk, failed, news, read, seen, unread, without};
use screen::{Desk, bot, bots, rows};
use trading::{name, now, report, shown};

const COLOR: Fixed = Fixed {
    host: String::new(),
    ascii: false,
    color: true,
    read_only: false,
    title_note: None,
    leave_note: None,
    zone: None,
};
const ASCII: Fixed = Fixed {
    host: String::new(),
    ascii: true,
    color: false,
    read_only: false,
    title_note: None,
    leave_note: None,
    zone: None,
};

/// What was asked of clusters since the last time: what, of which, and which chunks.
fn asked(desk: &mut Desk) -> Vec<(Deed, Vec<String>, Vec<String>)> {
    desk.asked
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::ActOnClusters { deed, clusters, chunks, .. } => {
                let ids = chunks.iter().flat_map(|(_, chunks)| chunks).filter_map(|chunk| chunk.id.word());
                Some((deed, clusters.iter().map(|cluster| cluster.name.to_string()).collect(), ids.collect()))
            }
            _ => None,
        })
        .collect()
}

/// Somebody says that the bots were looked at again, as was asked for.
fn look_again(desk: &mut Desk, crew: Vec<botwarden::core::status::BotStatus>) {
    let ticket = desk.look();
    desk.tell(seen(crew));
    desk.tell(Msg::Fresh(ticket));
}

// The pane.

#[test]
fn a_cluster_at_120_by_36() {
    insta::assert_snapshot!(desk(120, 36).shot());
}

#[test]
fn a_cluster_has_the_whole_screen_at_120_by_36() {
    let mut desk = desk(120, 36);
    desk.tell(seen(without(&["w2"])));
    desk.press("3zj *");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_cluster_is_a_line_at_80_by_24_and_takes_its_turn() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["w2"])));
    insta::assert_snapshot!(desk.shot());
    desk.press("3jj");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_cluster_at_80_by_24_in_ascii_without_colour() {
    let mut desk = unread(80, 24, ASCII, SWEEP);
    desk.tell(read("sweep-0412", census()));
    desk.tell(seen(without(&["w2"])));
    insta::assert_snapshot!(desk.shot());
    desk.press("3z");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_cluster_at_60_by_15() {
    let mut desk = desk(60, 15);
    desk.press("3j");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn one_line_at_20_by_5_and_no_key_does_anything() {
    let mut desk = desk(20, 5);
    desk.press("3uxs");
    insta::assert_snapshot!(desk.shot());
    assert!(asked(&mut desk).is_empty() && desk.model.focus == Focus::Panes);
}

#[test]
fn without_a_cluster_nothing_is_said_of_any_until_somebody_asks() {
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        let mut desk = unread(width, height, COLOR, "");
        let before = shown(&desk);
        assert!(!before.contains("no cluster") && !before.contains("cluster "), "{before}");
        desk.press("3");
        assert!(shown(&desk).contains("no cluster is configured: [clusters.NAME]"), "{}", shown(&desk));
        for key in ["u", "x", "s", " ", "*", "G", "<pgdn>", "i", "<enter>"] {
            desk.press(key);
        }
        assert!(asked(&mut desk).is_empty());
    }
}

fn counted(counts: Counts) -> Census {
    Census { counts, running: vec![], failed: vec![], ..census() }
}

#[test]
fn every_state_has_its_word_and_its_sign() {
    let states: [(&str, &str, Msg); 6] = [
        ("? UNKNOWN", "3 Cluster ?", failed("sweep-0412", "sweep.db: is locked")),
        (
            "↯ STALE",
            "3 Cluster ↯ 79%",
            read("sweep-0412", Census { running: vec![chunk("c1", "gone-host", 9000)], ..census() }),
        ),
        ("▸ PROCESSING", "3 Cluster ▸ 79%", read("sweep-0412", census())),
        (
            "⋯ PENDING",
            "3 Cluster ⋯ 50%",
            read("sweep-0412", counted(Counts { total: 4, completed: 2, pending: 2, ..Counts::default() })),
        ),
        (
            "✓ COMPLETE",
            "3 Cluster ✓ 100%",
            read("sweep-0412", counted(Counts { total: 4, completed: 4, ..Counts::default() })),
        ),
        (
            "◦ IDLE",
            "3 Cluster ◦ 75%",
            read("sweep-0412", counted(Counts { total: 4, completed: 3, failed: 1, ..Counts::default() })),
        ),
    ];
    let mut signs = Vec::new();
    for (word, tab, msg) in states {
        let mut desk = unread(80, 24, COLOR, SWEEP);
        desk.tell(msg.clone());
        let seen = shown(&desk);
        assert!(seen.contains(tab) && seen.contains(&format!("cluster sweep-0412  {word}")), "{seen}");
        desk.press("3z");
        assert!(shown(&desk).contains(word), "{}", shown(&desk));
        let mut plain = unread(80, 24, ASCII, SWEEP);
        plain.tell(msg);
        let all = rows(&plain.buffer()).join("\n");
        assert!(all.is_ascii(), "{all}");
        let tab = all.lines().find(|row| row.contains("3 Cluster")).expect("tabs").to_owned();
        let sign = tab.split("3 Cluster ").nth(1).and_then(|rest| rest.chars().next()).expect("a sign");
        assert!(!signs.contains(&sign), "{sign} stands for two states");
        signs.push(sign);
    }
}

#[test]
fn what_is_pending_or_failed_is_counted_where_nothing_runs() {
    let mut desk = unread(80, 24, COLOR, SWEEP);
    desk.press("3z");
    desk.tell(read("sweep-0412", counted(Counts { total: 4, completed: 2, pending: 2, ..Counts::default() })));
    assert!(shown(&desk).contains("2 pending, nothing runs"), "{}", shown(&desk));
    desk.tell(read("sweep-0412", counted(Counts { total: 4, completed: 3, failed: 1, ..Counts::default() })));
    assert!(shown(&desk).contains("1 failed"), "{}", shown(&desk));
    desk.tell(read("sweep-0412", counted(Counts { total: 5, completed: 4, other: 1, ..Counts::default() })));
    assert!(shown(&desk).contains("other 1") && shown(&desk).contains("not configured"), "{}", shown(&desk));
    let combinations = CombinationsSeen { total: Some(3000), tested: Some(999) };
    desk.tell(read("sweep-0412", Census { combinations, ..census() }));
    assert!(shown(&desk).contains("combinations 999 / 3000   33%"), "{}", shown(&desk));
}

#[test]
fn the_death_of_a_worker_is_seen_although_the_file_is_as_it_was() {
    let mut desk = desk(120, 36);
    assert!(shown(&desk).contains("▸ PROCESSING") && !shown(&desk).contains("STALE"), "{}", shown(&desk));
    desk.tell(seen(without(&["coord", "w1", "w2"])));
    let after = shown(&desk);
    assert!(after.contains("↯ STALE  sweep-0412") && after.contains("stale 4"), "{after}");
    let alerts = desk.model.alerts();
    assert!(alerts.iter().any(|alert| alert.starts_with("cluster sweep-0412: 4 stale: ")), "{alerts:?}");
    desk.tell(seen(crew(Mode::Paper)));
    assert!(!shown(&desk).contains("STALE"), "{}", shown(&desk));
}

#[test]
fn a_process_that_a_chunk_names_is_looked_up_and_missed() {
    let mut desk = unread(120, 36, COLOR, SWEEP);
    let mut one = chunk("c1", "", 5);
    one.worker = Value::Integer(4711);
    let counts = Counts { total: 9, running: 1, ..Counts::default() };
    desk.tell(read("sweep-0412", Census { counts, running: vec![one], failed: vec![], ..census() }));
    let people = |alive: bool| {
        let seen = PidSeen { alive, mark: Some(name("w1")), ancestors: vec![], command: "sweep".into() };
        Msg::Cluster(Box::new(ClusterNews {
            cluster: name("sweep-0412"),
            every: Duration::from_secs(1),
            seen: ClusterSeen::People,
            pids: Some(BTreeMap::from([(4711, seen)])),
            figures: None,
        }))
    };
    desk.press("3z");
    desk.tell(people(true));
    assert!(shown(&desk).contains("by w1 (pid 4711)"), "{}", shown(&desk));
    desk.tell(people(false));
    assert!(shown(&desk).contains("process 4711 does not live"), "{}", shown(&desk));
}

#[test]
fn a_lease_runs_out_by_itself() {
    let mut desk = desk(120, 36);
    desk.press("3z");
    for _ in 0..12 {
        desk.wait(60);
        desk.tell(seen(crew(Mode::Paper)));
        let at = ago(-(desk.seconds as i64));
        desk.tell(news("sweep-0412", ClusterSeen::Unchanged(at)));
    }
    let seen = shown(&desk);
    assert!(seen.contains("OVERDUE") && seen.contains("lease 10m") && seen.contains("read 0s ago"), "{seen}");
}

#[test]
fn what_cannot_be_read_says_why_and_what_was_last_seen() {
    let mut desk = desk(120, 36);
    desk.wait(42);
    desk.tell(seen(crew(Mode::Paper)));
    let why = "/desk/sweep.db: is locked by another program; it is tried again.\nOr \x1b[31mnot";
    desk.tell(failed("sweep-0412", why));
    insta::assert_snapshot!(desk.shot());
    desk.press("3z");
    insta::assert_snapshot!(desk.shot());
    // Nothing is put back by what was.
    desk.press("*u");
    assert!(desk.feedback().contains("cannot be read, so nothing is put back"), "{}", desk.feedback());
    desk.tell(news("sweep-0412", ClusterSeen::Unchanged(ago(-42))));
    assert!(shown(&desk).contains("▸ PROCESSING") && !shown(&desk).contains("UNKNOWN"), "{}", shown(&desk));
}

#[test]
fn what_was_not_heard_of_for_three_periods_is_old() {
    let mut desk = desk(120, 36);
    desk.wait(4);
    desk.tell(seen(crew(Mode::Paper)));
    assert!(shown(&desk).contains("▸ PROCESSING"), "{}", shown(&desk));
    desk.wait(1);
    desk.tell(seen(crew(Mode::Paper)));
    let seen = shown(&desk);
    assert!(
        seen.contains("? UNKNOWN") && seen.contains("STALE reading") && seen.contains("no reading for 5s"),
        "{seen}"
    );
}

#[test]
fn a_file_that_was_never_made_is_no_alarm_until_somebody_works() {
    let mut desk = unread(120, 36, COLOR, SWEEP);
    desk.tell(seen(without(&["coord", "w1", "w2"])));
    let missing = ClusterSeen::Failed { why: "/desk/sweep.db: there is no such file".into(), missing: true };
    desk.tell(news("sweep-0412", missing));
    assert!(shown(&desk).contains("? UNKNOWN") && !shown(&desk).contains("! cluster"), "{}", shown(&desk));
    assert!(desk.model.alerts().iter().all(|alert| !alert.contains("sweep")), "{:?}", desk.model.alerts());
    desk.tell(seen(crew(Mode::Paper)));
    assert!(desk.model.alerts().iter().any(|alert| alert.contains("no such file")), "{:?}", desk.model.alerts());
}

#[test]
fn a_file_without_an_index_says_what_it_costs() {
    let mut desk = unread(120, 36, COLOR, SWEEP);
    desk.press("3z");
    let cost = Duration::from_millis(850);
    let mut slow = ClusterNews {
        cluster: name("sweep-0412"),
        every: cost * 20,
        seen: ClusterSeen::Read(Arc::new(Census { cost, indexed: false, ..census() })),
        pids: None,
        figures: None,
    };
    desk.tell(Msg::Cluster(Box::new(slow.clone())));
    let text = shown(&desk);
    assert!(
        text.contains("no index on status: a reading takes 850 ms, every 17 s") && text.contains("every 17 s "),
        "{text}"
    );
    // It is not old before three of its own periods are over.
    desk.wait(30);
    desk.tell(seen(crew(Mode::Paper)));
    assert!(shown(&desk).contains("▸ PROCESSING"), "{}", shown(&desk));
    slow.every = Duration::from_secs(1);
    slow.seen = ClusterSeen::Read(Arc::new(Census { indexed: false, at: ago(-30), ..census() }));
    desk.tell(Msg::Cluster(Box::new(slow)));
    assert!(!shown(&desk).contains("no index"), "a small one costs nothing: {}", shown(&desk));
}

#[test]
fn several_clusters_stand_one_below_another_and_the_worst_is_told_of() {
    let mut desk = unread(120, 36, COLOR, &format!("{OTHER}{SWEEP}"));
    desk.tell(read("sweep-0412", census()));
    desk.tell(read("night", counted(Counts { total: 4, completed: 4, ..Counts::default() })));
    desk.press("3zG");
    insta::assert_snapshot!(desk.shot());
    desk.tell(Msg::Resize(80, 24));
    desk.press("z41");
    let text = shown(&desk);
    assert!(text.contains("cluster sweep-0412  ▸ PROCESSING") && text.contains("1 of 2"), "{text}");
    assert!(text.contains("3 Cluster ▸ 79%"), "{text}");
    desk.tell(failed("night", "night.db: not a database"));
    let text = shown(&desk);
    assert!(text.contains("cluster night  ? UNKNOWN night.db: not a database"), "{text}");
}

#[test]
fn what_a_file_says_cannot_harm_the_screen() {
    let mut desk = unread(120, 36, COLOR, SWEEP);
    let nasty = "w\x1b[2J\x1b]0;title\x07x\r\ny\u{202e}z日本語 a-name-that-is-much-too-long-for-any-column-of-a-screen";
    let counts = Counts { total: 9, running: 2, ..Counts::default() };
    let mut blob = chunk("c2", "w1", 3);
    blob.id = Value::Blob(vec![0, 27, 91, 50, 74, 255]);
    let running = vec![chunk("c1-with-a-name-that-is-much-too-long", nasty, 5), blob];
    let strange = vec!["\x1b[31mstrange\nword".to_owned()];
    let counts = Counts { other: 1, ..counts };
    desk.tell(read("sweep-0412", Census { counts, running, strange, failed: vec![], ..census() }));
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        desk.tell(Msg::Resize(width, height));
        for keys in ["3", "z", "j", "G", "z", "1"] {
            desk.press(keys);
            let buffer = desk.buffer();
            for cell in &buffer.content {
                let harmless = cell.symbol().chars().all(|c| !c.is_control() && c != '\u{202e}');
                assert!(harmless, "{:?}", cell.symbol());
            }
            assert!(!shown(&desk).contains("[2J"), "{}", shown(&desk));
        }
    }
}

#[test]
fn ten_thousand_chunks_are_scrolled_through() {
    let mut desk = unread(120, 36, COLOR, SWEEP);
    let running = (0..10_000).map(|n| chunk(&format!("c{n:05}"), if n % 2 == 0 { "w1" } else { "w2" }, 9)).collect();
    let counts = Counts { total: 20_000, running: 10_000, pending: 10_000, ..Counts::default() };
    desk.tell(read("sweep-0412", Census { counts, running, failed: vec![], ..census() }));
    desk.press("3zG");
    assert!(shown(&desk).contains("▸ w2     c09999"), "{}", shown(&desk));
    desk.press("<pgup>k");
    desk.press("g");
    assert!(shown(&desk).contains("▸ ▸ PROCESSING"), "{}", shown(&desk));
    desk.press("<pgdn>");
    assert!(shown(&desk).contains("▸ w1     c000"), "{}", shown(&desk));
}

#[test]
fn the_cursor_stays_on_its_chunk_and_marks_go_with_theirs() {
    let mut desk = desk(120, 36);
    desk.press("3zjj");
    let row = |desk: &Desk| shown(desk).lines().find(|row| row.contains('▸') && row.contains(" c8")).map(str::to_owned);
    assert!(row(&desk).expect("a row").contains("c814"), "{}", shown(&desk));
    let mut fewer = census();
    fewer.running.retain(|chunk| chunk.id != Value::Text("c813".into()));
    desk.tell(read("sweep-0412", fewer.clone()));
    assert!(row(&desk).expect("a row").contains("c814"), "{}", shown(&desk));
    desk.press("k ");
    desk.press("j ");
    desk.press("U*");
    assert_eq!(desk.model.clusters.marked.len(), 3, "the failed ones");
    fewer.failed.clear();
    desk.tell(read("sweep-0412", fewer));
    desk.press("u");
    assert_eq!(desk.feedback(), "the marked chunks are gone");
}

// What is done to it.

#[test]
fn stale_chunks_are_put_back_after_a_question_that_is_bound_to_their_claims() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["w2"])));
    desk.press("3u");
    insta::assert_snapshot!(desk.shot());
    // Meanwhile another claims one of them: the list shows it, and the question is about what was.
    let mut other = census();
    other.running.retain(|chunk| chunk.id != Value::Text("c815".into()));
    other.running.push(chunk("c815", "w1", 1));
    desk.tell(read("sweep-0412", other));
    desk.press("y");
    let Some(Effect::ActOnClusters { deed, chunks, unverified, .. }) =
        desk.asked.iter().find(|effect| matches!(effect, Effect::ActOnClusters { .. }))
    else {
        panic!("{:?}", desk.asked);
    };
    assert_eq!((*deed, *unverified), (Deed::Requeue, false));
    let claims: Vec<_> = chunks.iter().flat_map(|(_, chunks)| chunks).collect();
    assert_eq!(claims.len(), 2);
    assert!(claims.iter().all(|claim| claim.worker == Value::Text("w2".into()) && !claim.failed));
    assert_eq!(claims[0].started, Value::Integer(ago(48).as_second()), "as it was");
    assert_eq!(desk.feedback(), "asked: requeue 2 chunks of cluster sweep-0412");
}

#[test]
fn no_means_no_and_so_does_enter() {
    for key in ["n", "<enter>", "<esc>", "q"] {
        let mut desk = desk(80, 24);
        desk.tell(seen(without(&["w2"])));
        desk.press("3u");
        desk.press(key);
        assert!(asked(&mut desk).is_empty());
        assert_eq!(desk.feedback(), "not done: requeue 2 chunks of cluster sweep-0412");
    }
}

#[test]
fn a_chunk_that_somebody_holds_is_refused_before_anything_is_asked() {
    let mut desk = desk(120, 36);
    desk.press("3ju");
    assert_eq!(desk.feedback(), "chunk c813 is not put back: held by w1 (pid 701)");
    assert_eq!(desk.model.focus, Focus::Panes);
    desk.press("gu");
    assert_eq!(desk.feedback(), "sweep-0412 has no stale chunk");
    // Of those that were chosen none may be held.
    desk.press("j *");
    desk.press(" ");
    desk.press("g");
    desk.press("U");
    desk.press("j G u");
    assert!(asked(&mut desk).is_empty());
}

#[test]
fn a_worker_that_comes_back_before_the_answer_keeps_its_chunks() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["w2"])));
    desk.press("3u");
    desk.tell(seen(crew(Mode::Paper)));
    assert!(shown(&desk).contains("yes will be refused"), "{}", shown(&desk));
    desk.press("y");
    assert!(asked(&mut desk).is_empty());
    assert!(desk.feedback().contains("refused: chunk c815 is held by w2 (pid 702)"), "{}", desk.feedback());
}

#[test]
fn failed_ones_are_put_back_one_by_one_or_all_marked_ones() {
    let mut desk = desk(80, 24);
    desk.press("3G");
    desk.press("uy");
    assert_eq!(asked(&mut desk), [(Deed::Requeue, vec!["sweep-0412".into()], vec!["c17".into()])]);
    // One thing at a time.
    desk.press("u");
    assert!(desk.feedback().contains("waits"), "{}", desk.feedback());
    let told =
        Told { name: name("sweep-0412"), well: true, text: "requeue cluster sweep-0412: 1 chunk put back".into() };
    let ticket = *desk.model.doing.keys().next().expect("under way");
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_millis(20), bots: vec![told] }));
    assert_eq!(desk.feedback(), "requeue cluster sweep-0412: 1 chunk put back");
    desk.press("*uy");
    assert_eq!(asked(&mut desk)[0].2.len(), 3);
}

#[test]
fn what_may_be_worked_on_elsewhere_is_asked_about_in_so_many_words() {
    let mut desk = unread(80, 24, COLOR, SWEEP);
    let running = vec![chunk("c1", "epyc-b", 5)];
    desk.tell(read("sweep-0412", Census { running, failed: vec![], ..census() }));
    desk.press("3z");
    assert!(shown(&desk).contains("unverified: epyc-b is not known on this box"), "{}", shown(&desk));
    desk.press("j*");
    assert!(desk.model.clusters.marked.is_empty(), "nobody says that it is left");
    desk.press("u");
    assert!(shown(&desk).contains("work would be done twice"), "{}", shown(&desk));
    desk.press("y");
    assert!(desk.asked.iter().any(|effect| matches!(effect, Effect::ActOnClusters { unverified: true, .. })));
}

#[test]
fn stopping_a_cluster_asks_where_work_is_thrown_away_and_says_how_many_chunks() {
    let mut desk = desk(80, 24);
    desk.press("3x");
    insta::assert_snapshot!(desk.shot());
    desk.press("y");
    assert!(asked(&mut desk).is_empty(), "the bots are looked at first");
    let mut desk = self::desk(80, 24);
    desk.press("3xy");
    look_again(&mut desk, crew(Mode::Paper));
    assert_eq!(asked(&mut desk), [(Deed::Stop, vec!["sweep-0412".into()], vec![])]);
    desk.press("x");
    assert_eq!(desk.feedback(), "sweep-0412 waits: it was asked to stop already");
    desk.press("1");
    desk.press("/w1<enter>s");
    assert!(desk.feedback().contains("waits: its stop is under way"), "{}", desk.feedback());
}

#[test]
fn a_dead_cluster_is_stopped_without_a_question() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["coord", "w1", "w2"])));
    desk.press("3x");
    look_again(&mut desk, without(&["coord", "w1", "w2"]));
    assert_eq!(asked(&mut desk), [(Deed::Stop, vec!["sweep-0412".into()], vec![])]);
}

#[test]
fn a_bot_that_turned_live_meanwhile_is_not_stopped_by_the_question_before() {
    let mut desk = desk(80, 24);
    desk.press("3xy");
    look_again(&mut desk, crew(Mode::Live));
    assert!(asked(&mut desk).is_empty());
    assert!(desk.feedback().contains("refused: coord is LIVE now"), "{}", desk.feedback());
}

#[test]
fn starting_asks_for_the_name_where_money_is_real_and_is_refused_while_latched() {
    let mut desk = desk(80, 24);
    desk.press("3s");
    assert_eq!(desk.feedback(), "sweep-0412: every bot of it runs already");
    desk.tell(seen(without(&["w1", "w2"])));
    desk.press("s");
    look_again(&mut desk, without(&["w1", "w2"]));
    assert_eq!(asked(&mut desk), [(Deed::Start, vec!["sweep-0412".into()], vec![])]);
    // With real money.
    let mut live = Desk::with(80, 24, COLOR);
    let (specs, clusters) = clustered::specs("live", SWEEP);
    live.tell(Msg::Configuration(Ok(specs)));
    live.tell(Msg::Clusters(clusters));
    let dead = ["coord", "w1", "w2"].map(|name| bot(name, Mode::Live, State::Stopped));
    live.tell(seen(dead.to_vec()));
    live.press("3s");
    let Focus::Asking(dialog) = &live.model.focus else { panic!("{:?}", live.model.focus) };
    assert_eq!(dialog.guard, Guard::Type("LIVE".into()));
    assert!(matches!(&dialog.about, About::Clusters(wish) if wish.bots.len() == 3));
    live.press("<esc>");
    live.tell(latched());
    live.press("s");
    assert!(live.feedback().contains("latched"), "{}", live.feedback());
    live.press("x");
    assert!(live.asked.iter().any(|effect| matches!(effect, Effect::Look(_))) || live.model.focus != Focus::Panes);
}

fn latched() -> Msg {
    use botwarden::core::latch::{Latch, LatchSeen};
    let latch: Latch = serde_json::from_value(serde_json::json!({
        "schema": 1, "id": "14-E7", "at": "2026-03-04T14:32:00Z", "by": "ana", "host": "trade-box-1", "reason": null, "drill": false
    }))
    .expect("a latch");
    Msg::Emergency(EmergencyNews::Latch(LatchSeen::Latched(Box::new(latch))))
}

#[test]
fn a_read_only_screen_does_nothing() {
    let mut desk = unread(80, 24, Fixed { read_only: true, ..COLOR }, SWEEP);
    desk.tell(read("sweep-0412", census()));
    desk.tell(seen(without(&["w2"])));
    for key in ["u", "x", "s"] {
        desk.press("3");
        desk.press(key);
        assert!(desk.feedback().starts_with("read-only: nothing here can "), "{}", desk.feedback());
    }
    assert!(asked(&mut desk).is_empty());
}

#[test]
fn keys_about_bots_mean_none_in_the_pane_of_clusters() {
    let mut desk = desk(80, 24);
    for key in ["X", "r", "c", "A"] {
        desk.press("3");
        desk.press(key);
        assert_eq!(desk.feedback(), "here s, x and u act on the cluster; 1 goes to the bots");
    }
    // What is known of a worker is there at its chunk.
    desk.press("ji");
    let seen = shown(&desk);
    assert!(seen.contains("Inspect w1") && seen.contains("CHUNKS OF sweep-0412"), "{seen}");
    assert!(seen.contains("c813") && !seen.contains("c815"), "{seen}");
}

#[test]
fn a_cluster_that_changed_in_the_configuration_is_not_started_by_the_question_before() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["w1"])));
    desk.press("3s");
    let (_, moved) = clustered::specs("paper", &SWEEP.replace("sweep.db", "other.db"));
    desk.tell(Msg::Clusters(moved));
    look_again(&mut desk, without(&["w1"]));
    assert!(asked(&mut desk).is_empty());
    assert!(desk.feedback().contains("is configured in another way now"), "{}", desk.feedback());
    assert!(shown(&desk).contains("not read yet"), "another file is another cluster: {}", shown(&desk));
}

// How it went.

fn put_back(reset: u64, pending: u64) -> ClusterReport {
    let mut report = ClusterReport::new(name("sweep-0412"));
    report.put_back(reset);
    report.read(Counts { total: 9, pending, completed: 9 - pending, ..Counts::default() });
    report
}

fn over(action: &str, bots: Vec<BotReport>, clusters: Vec<ClusterReport>) -> Report {
    let mut report = Report::of(action, "ana", now(), bots);
    report.duration_ms = 4100;
    report.add_clusters(clusters);
    report
}

#[test]
fn the_pane_of_stops_tells_what_became_of_the_chunks() {
    let mut desk = desk(80, 24);
    desk.tell(seen(without(&["coord", "w1", "w2"])));
    desk.press("3x");
    look_again(&mut desk, without(&["coord", "w1", "w2"]));
    let ticket = *desk.model.doing.keys().next().expect("under way");
    desk.wait(2);
    assert_eq!(desk.model.pane, Pane::Stops, "what takes long has a pane");
    let bots: Vec<BotReport> = ["coord", "w1", "w2"].iter().map(|bot| report(bot, StopOutcome::NotRunning)).collect();
    let mut cluster = put_back(3, 3);
    cluster.notes.push("a hot journal was rolled back".into());
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("cluster stop", bots.clone(), vec![cluster])))));
    let told = Told { name: name("sweep-0412"), well: true, text: "stop cluster sweep-0412: 3 chunks put back".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_millis(4100), bots: vec![told] }));
    desk.press("z");
    insta::assert_snapshot!(desk.shot());
    // One that could not be asked.
    let mut desk = self::desk(80, 24);
    desk.tell(seen(without(&["coord", "w1", "w2"])));
    desk.press("3x");
    look_again(&mut desk, without(&["coord", "w1", "w2"]));
    let ticket = *desk.model.doing.keys().next().expect("under way");
    let mut cluster = ClusterReport::new(name("sweep-0412"));
    cluster.unasked = true;
    cluster.errors.push("/desk/sweep.db: is locked by another program".into());
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("cluster stop", bots, vec![cluster])))));
    desk.press("6z");
    let seen = shown(&desk);
    assert!(seen.contains("INCOMPLETE - chunks of sweep-0412 NOT PUT BACK"), "{seen}");
    assert!(
        seen.contains("nothing to kill (already stopped), chunks NOT PUT BACK")
            && seen.contains("is locked by another"),
        "{seen}"
    );
}

#[test]
fn requeued_chunks_have_their_line_too() {
    let mut desk = desk(80, 24);
    desk.press("3Guy");
    let ticket = *desk.model.doing.keys().next().expect("under way");
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("cluster requeue", vec![], vec![put_back(1, 4)])))));
    desk.press("6");
    let seen = shown(&desk);
    assert!(seen.contains("requeue chunks cluster sweep-0412") || seen.contains("requeue"), "{seen}");
    assert!(
        seen.contains("RESULT   DONE") && seen.contains("Chunks   sweep-0412: 1 chunk put back, 4 pending"),
        "{seen}"
    );
    assert!(!seen.contains("Orders canceled"), "{seen}");
}

#[test]
fn the_guard_counts_the_chunks_or_says_why_nobody_can() {
    let mut desk = unread(80, 24, COLOR, &format!("{SWEEP}{OTHER}"));
    let line = |desk: &mut Desk| {
        desk.press("!");
        let seen = shown(desk);
        desk.press("<esc>");
        let from = seen.lines().position(|row| row.contains("2 CHUNKS")).expect("a stage");
        seen.lines().skip(from).take(2).collect::<Vec<_>>().join("\n")
    };
    let text = line(&mut desk);
    assert!(
        text.contains("running chunks -> pending; how many is unknown:") && text.contains("not read yet"),
        "{text}"
    );
    desk.tell(read("sweep-0412", census()));
    desk.tell(read("night", counted(Counts { total: 4, completed: 4, ..Counts::default() })));
    assert!(line(&mut desk).contains("2 CHUNKS  4 running chunks of 2 clusters -> pending"), "{}", line(&mut desk));
    desk.tell(failed("night", "night.db: is locked"));
    let text = line(&mut desk);
    assert!(text.contains("4 running chunks of 1 clusters -> pending; unknown:"), "{text}");
    let mut one = self::desk(80, 24);
    assert!(line(&mut one).contains("2 CHUNKS  4 running chunks -> pending"), "{}", line(&mut one));
}

#[test]
fn an_idle_screen_says_the_same_until_an_age_ticks() {
    let mut desk = desk(120, 36);
    let before = rows(&desk.buffer());
    for _ in 0..3 {
        desk.tell(seen(crew(Mode::Paper)));
        desk.tell(news("sweep-0412", ClusterSeen::Unchanged(now())));
    }
    assert_eq!(rows(&desk.buffer()), before);
    assert_eq!(bots().len(), 8);
}
