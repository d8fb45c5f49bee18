//! What is said of every stage, by what is known of each bot.

use super::*;

fn name(text: &str) -> BotName {
    text.parse().expect("a name")
}

fn overall(bots: &[&str], stages: Vec<StageSeen>) -> Overall {
    Overall {
        id: "1".into(),
        by: "ana".into(),
        reason: None,
        drill: false,
        carries_on: false,
        at: Timestamp::UNIX_EPOCH,
        elapsed_ms: 10,
        stages,
        bots: bots.iter().map(|bot| name(bot)).collect(),
        cap_ms: 10_000,
        errors: vec![],
    }
}

fn seen(stage: Stage, standing: Standing, text: &str) -> StageSeen {
    StageSeen { stage, standing, text: text.into(), took_ms: Some(20) }
}

/// A bot whose stages stand so, the others ahead.
fn progress(bot: &str, stages: Vec<StageSeen>) -> Progress {
    Progress { stages, ..Progress::new(name(bot), None) }
}

fn part<'a>(progress: &'a Progress, report: Option<&'a BotReport>) -> Part<'a> {
    Part { name: &progress.bot, progress: Some(progress), report }
}

fn of(lines: &[StageLine], stage: Stage) -> &StageLine {
    lines.iter().find(|line| line.seen.stage == stage).expect("every stage")
}

fn shown(lines: &[StageLine], stage: Stage) -> (Standing, &str) {
    let line = of(lines, stage);
    (line.seen.standing, &line.seen.text)
}

#[test]
fn before_anything_is_known_every_stage_says_what_it_is_for() {
    let lines = stages(&overall(&[], vec![]), &[]);
    assert_eq!(lines.len(), Stage::ALL.len());
    for (line, stage) in lines.iter().zip(Stage::ALL) {
        assert_eq!((line.seen.stage, line.seen.standing), (stage, Standing::Ahead));
        assert_eq!(line.seen.text, purpose(stage));
    }
}

#[test]
fn what_is_said_of_the_whole_stands_as_it_was_said() {
    let own = vec![seen(Stage::Lock, Standing::Done, "latch written"), seen(Stage::Verify, Standing::Ahead, "")];
    let lines = stages(&overall(&["a"], own), &[]);
    assert_eq!(shown(&lines, Stage::Lock), (Standing::Done, "latch written"));
    assert_eq!(shown(&lines, Stage::Verify), (Standing::Ahead, purpose(Stage::Verify)));
}

#[test]
fn a_stage_stands_as_the_worst_of_its_bots_once_all_are_through() {
    use Standing::{Ahead, Done, Failed, Skipped, UnderWay};
    for (each, unheard, whole) in [
        (vec![Ahead, Ahead], 0, Ahead),
        (vec![Done, Ahead], 0, UnderWay),
        (vec![Failed, UnderWay], 0, UnderWay),
        (vec![Done, Done], 1, UnderWay),
        (vec![Done, Failed], 0, Failed),
        (vec![Skipped, Skipped], 0, Skipped),
        (vec![Skipped, Done], 0, Done),
        (vec![], 2, Ahead),
    ] {
        let progresses: Vec<Progress> = each
            .iter()
            .enumerate()
            .map(|(n, standing)| progress(&format!("b{n}"), vec![seen(Stage::Signal, *standing, "")]))
            .collect();
        let parts: Vec<Part<'_>> = progresses.iter().map(|progress| part(progress, None)).collect();
        assert_eq!(together(&parts, unheard, Stage::Signal), whole, "{each:?} {unheard}");
    }
}

#[test]
fn bots_that_were_told_are_counted_and_those_that_did_not_run() {
    let told = progress("a", vec![seen(Stage::Signal, Standing::Done, "SIGTERM")]);
    let still = progress("b", vec![seen(Stage::Signal, Standing::UnderWay, "")]);
    let lines = stages(&overall(&["a", "b", "c"], vec![]), &[part(&told, None), part(&still, None)]);
    assert_eq!(shown(&lines, Stage::Signal), (Standing::UnderWay, "1 of 3 bots told to stop"));
    let idle = BotReport { outcome: Some(StopOutcome::NotRunning), ..BotReport::new(name("b")) };
    let lines = stages(&overall(&["a", "b"], vec![]), &[part(&told, None), part(&still, Some(&idle))]);
    assert_eq!(shown(&lines, Stage::Signal), (Standing::Done, "1 of 1 bot told to stop, nothing ran of 1"));
}

#[test]
fn orders_are_added_up_and_unknown_ones_are_never_a_zero() {
    let orders = |before, canceled, filled, unconfirmed| OrdersReport {
        before,
        canceled,
        filled,
        unconfirmed,
        ..OrdersReport::default()
    };
    let with = |bot: &str, orders: Option<OrdersReport>| Progress {
        orders,
        ..progress(bot, vec![seen(Stage::Cancel, Standing::UnderWay, "")])
    };
    let (a, b) = (with("a", Some(orders(Some(4), 2, 1, 1))), with("b", Some(orders(Some(2), 1, 0, 1))));
    let unknown = with("c", None);
    for (parts, text) in [
        (vec![part(&a, None), part(&b, None)], "4 of 6 verified: 3 canceled, 1 filled, 2 open"),
        (vec![part(&a, None), part(&unknown, None)], "3 of 4 verified: 2 canceled, 1 filled, 1 open; unknown of 1 bot"),
        (vec![part(&unknown, None)], "orders unknown of 1 bot"),
    ] {
        assert_eq!(cancel(&parts), text);
    }
    let none = with("d", Some(orders(Some(0), 0, 0, 0)));
    assert_eq!(cancel(&[part(&none, None)]), "0 open");
    let special = with("e", Some(OrdersReport { errors: 2, skipped: 1, kept: 3, ..orders(Some(6), 2, 0, 0) }));
    assert_eq!(
        cancel(&[part(&special, None)]),
        "2 of 6 verified: 2 canceled, 0 filled, 2 ERRORS, 1 skipped (dry-run), 3 kept by policy"
    );
}

#[test]
fn what_is_waited_for_and_what_went_wrong_stands_below_its_stage_alone() {
    let mut waits = progress("mm", vec![seen(Stage::Empty, Standing::UnderWay, "")]);
    waits.waiting = Some(Waiting { what: "pid 48220".into(), then: Some("SIGKILL".into()), left_ms: Some(5_100) });
    waits.processes_left = vec![48220, 48221];
    let refused = progress("grid", vec![seen(Stage::Cancel, Standing::UnderWay, "one by one: 3/4")]);
    let unsaved = progress("arb", vec![seen(Stage::Flush, Standing::Failed, "it says True, and nothing was written")]);
    let lines = stages(&overall(&[], vec![]), &[part(&waits, None), part(&refused, None), part(&unsaved, None)]);
    assert_eq!(of(&lines, Stage::Empty).details, ["mm: pid 48220; SIGKILL in 6 s"]);
    assert_eq!(of(&lines, Stage::Cancel).details, ["grid: one by one: 3/4"]);
    assert_eq!(of(&lines, Stage::Flush).details, ["arb: it says True, and nothing was written"]);
    assert_eq!(shown(&lines, Stage::Empty), (Standing::UnderWay, "0 of 3 trees empty, 2 processes live"));
    assert!(of(&lines, Stage::Signal).details.is_empty());
}

#[test]
fn the_end_of_a_bot_decides_whatever_was_said_before() {
    let last = progress("a", vec![seen(Stage::Empty, Standing::UnderWay, ""), seen(Stage::Cancel, Standing::Done, "")]);
    let orders = OrdersReport { before: Some(1), unconfirmed: 1, ..OrdersReport::default() };
    let report = BotReport { orders: Some(orders), state_flushed: Some(false), ..BotReport::new(name("a")) };
    let lines = stages(&overall(&["a"], vec![]), &[part(&last, Some(&report))]);
    assert_eq!(shown(&lines, Stage::Empty), (Standing::Failed, "0 of 1 tree empty"));
    assert_eq!(of(&lines, Stage::Empty).details, ["a: something of it LIVES"]);
    assert_eq!(of(&lines, Stage::Cancel).details, ["a: 1 order NOT CONFIRMED canceled"]);
    assert_eq!(shown(&lines, Stage::Flush), (Standing::Failed, "flushed 0 of 1, 1 NOT FLUSHED"));
    let well = BotReport { outcome: Some(StopOutcome::Stopped), state_flushed: Some(true), ..report };
    let lines = stages(&overall(&["a"], vec![]), &[part(&last, Some(&well))]);
    assert_eq!(shown(&lines, Stage::Empty), (Standing::Done, "1 of 1 tree empty"));
}

#[test]
fn nobody_is_said_to_be_told_anything_where_nothing_ran() {
    let still = progress("a", vec![seen(Stage::Signal, Standing::Skipped, "")]);
    let lines = stages(&overall(&["a"], vec![]), &[part(&still, None)]);
    assert_eq!(shown(&lines, Stage::Signal), (Standing::Skipped, "nothing ran of 1 bot"));
}

#[test]
fn a_tree_in_which_something_lives_is_not_empty_whatever_was_said_of_it() {
    let mut back = progress("a", vec![seen(Stage::Empty, Standing::Done, "")]);
    back.processes_left = vec![7];
    let gone = progress("b", vec![seen(Stage::Empty, Standing::Done, "")]);
    let lines = stages(&overall(&["a", "b"], vec![]), &[part(&back, None), part(&gone, None)]);
    assert_eq!(shown(&lines, Stage::Empty), (Standing::UnderWay, "1 of 2 trees empty, 1 process lives"));
    assert_eq!(empty(&[part(&gone, None)], 0), "1 of 1 tree empty");
}

#[test]
fn whoever_hangs_is_named_with_what_is_waited_for() {
    let mut hang = progress("hang", vec![seen(Stage::Cancel, Standing::UnderWay, "")]);
    let own = || vec![seen(Stage::Verify, Standing::UnderWay, "")];
    let of_cancel =
        |hang: &Progress| of(&stages(&overall(&["hang"], own()), &[part(hang, None)]), Stage::Cancel).details.clone();
    assert_eq!(of_cancel(&hang), ["hang: its orders are being read"]);
    hang.orders = Some(OrdersReport::default());
    assert_eq!(of_cancel(&hang), ["hang: its orders are being canceled"]);
    hang.waiting = Some(Waiting { what: "the cancel command".into(), then: None, left_ms: Some(2_000) });
    assert_eq!(of_cancel(&hang), ["hang: the cancel command; for 2 s more"]);
    let again = progress("hang", vec![seen(Stage::Verify, Standing::UnderWay, "")]);
    let lines = stages(&overall(&["hang"], own()), &[part(&again, None)]);
    assert_eq!(of(&lines, Stage::Verify).details, ["hang: its orders are being read again"]);
}
