//! The emergency stop on the screen: what two presses do and what no slip does, what is shown while it goes on and
//! afterwards, and what is refused while it is latched.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

#[path = "screen/trading.rs"]
mod trading;

use std::fmt::Write;
use std::time::Duration;

use botwarden::core::bot::Mode;
use botwarden::core::latch::{Latch, LatchSeen};
use botwarden::core::moment::Moment;
use botwarden::core::overall::Overall;
use botwarden::core::progress::{StageSeen, Standing};
use botwarden::core::readiness::{Drill, EstopSeen, EstopState};
use botwarden::core::report::{BotReport, OrdersReport, ProcessReport, Report, StopOutcome, Tier};
use botwarden::core::state::State;
use botwarden::core::stop::Stage;
use botwarden::tui::deed::Deed;
use botwarden::tui::effect::Effect;
use botwarden::tui::message::{EmergencyNews, Msg, Now, StopNews};
use botwarden::tui::model::{Fixed, Focus, Pane};
use screen::{Desk, bots, rows, with};
use trading::{mid_way, name, now, order, progress, read, report, shown, trader};

const ASCII: Fixed = Fixed {
    host: String::new(),
    ascii: true,
    color: false,
    read_only: false,
    title_note: None,
    leave_note: None,
    zone: None,
};
const COLOR: Fixed = Fixed {
    host: String::new(),
    ascii: false,
    color: true,
    read_only: false,
    title_note: None,
    leave_note: None,
    zone: None,
};

fn desk(width: u16, height: u16) -> Desk {
    trading::desk(width, height)
}

fn tell(desk: &mut Desk, news: EmergencyNews) {
    desk.tell(Msg::Emergency(news));
}

fn word(desk: &mut Desk, word: StopNews) {
    tell(desk, EmergencyNews::Word(word));
}

/// How often it was fired since somebody last asked.
fn fired(desk: &mut Desk) -> usize {
    desk.asked.drain(..).filter(|effect| *effect == Effect::Fire).count()
}

fn is_open(desk: &Desk) -> bool {
    desk.model.emergency.guard(desk.model.now.mono).is_some()
}

fn latch(drill: bool) -> LatchSeen {
    LatchSeen::Latched(Box::new(Latch {
        schema: 1,
        id: "14-E7".into(),
        at: now(),
        by: "ana".into(),
        tty: None,
        reason: None,
        host: "trade-box-1".into(),
        drill,
    }))
}

fn ready(drilled_days_ago: Option<i64>) -> EmergencyNews {
    let drill =
        |days: i64| Drill { at: now() - jiff::SignedDuration::from_hours(24 * days), by: "ana".into(), id: "d".into() };
    EmergencyNews::Examined(Box::new(EstopSeen {
        state: EstopState::Ready,
        since: None,
        by: None,
        reason: None,
        problems: vec![],
        drill: false,
        last_drill: drilled_days_ago.map(drill),
    }))
}

fn not_ready(problems: &[&str]) -> EmergencyNews {
    let EmergencyNews::Examined(seen) = ready(None) else { panic!("examined") };
    let problems = problems.iter().map(|problem| (*problem).to_owned()).collect();
    EmergencyNews::Examined(Box::new(EstopSeen { state: EstopState::NotReady, problems, ..*seen }))
}

fn overall(drill: bool) -> Overall {
    let own = |stage, standing, text: &str, took_ms| StageSeen { stage, standing, text: text.into(), took_ms };
    Overall {
        id: "14-E7".into(),
        by: "ana@ssh(10.0.0.7)".into(),
        reason: None,
        drill,
        carries_on: false,
        at: now(),
        elapsed_ms: 4_100,
        stages: vec![
            own(Stage::Lock, Standing::Done, "latch written, fsync ok", Some(20)),
            own(Stage::Chunks, Standing::Skipped, "no cluster", None),
            own(Stage::Verify, Standing::Ahead, "", None),
            own(Stage::Report, Standing::Ahead, "", None),
        ],
        bots: ["arb-tri", "grid-btc", "mm-eth"].map(name).into(),
        cap_ms: 10_000,
        errors: vec!["bots/arb-tri: no space left on device".into()],
    }
}

/// One that is in the middle of it.
fn under_way(desk: &mut Desk, drill: bool) {
    word(desk, StopNews::Overall(Box::new(overall(drill))));
    word(desk, StopNews::Progress(Box::new(mid_way("grid-btc"))));
    let mut waits = progress("mm-eth");
    waits.stages[5] =
        StageSeen { stage: Stage::Empty, standing: Standing::UnderWay, text: String::new(), took_ms: Some(90) };
    word(desk, StopNews::Progress(Box::new(waits)));
    word(desk, StopNews::Bot(Box::new(report("arb-tri", StopOutcome::Stopped))));
}

fn last_word(code: u8, drill: bool) -> Report {
    let open = trading::grid().into_iter().take(1).collect();
    let orders = OrdersReport {
        before: Some(4),
        canceled: 2,
        filled: 1,
        unconfirmed: 1,
        verified: true,
        open,
        ..OrdersReport::default()
    };
    let killed = ProcessReport {
        pid: 48220,
        command: "mm".into(),
        found_by: Tier::Keeper,
        file: None,
        ended_by: Some("SIGKILL".into()),
    };
    let orders = if code == 0 { OrdersReport { canceled: 3, unconfirmed: 0, open: vec![], ..orders } } else { orders };
    let grid = BotReport {
        mode: Some(Mode::Live),
        orders: Some(orders),
        state_flushed: Some(true),
        state_written: Some(true),
        errors: if code == 0 { vec![] } else { vec!["kraken OAB-771: 429 Too Many Requests".into()] },
        ..report("grid-btc", StopOutcome::Stopped)
    };
    let mm = BotReport { processes: vec![killed], ..report("mm-eth", StopOutcome::Stopped) };
    let bots = vec![report("arb-tri", StopOutcome::NotRunning), grid, mm];
    let mut report = trading::over(if drill { "estop --drill" } else { "estop" }, code, bots);
    if code != 0 {
        report.errors = vec!["not recorded: events: no space left on device".into()];
    }
    report.latched = Some(!drill);
    report
}

fn over(desk: &mut Desk, code: u8, drill: bool) {
    under_way(desk, drill);
    tell(desk, EmergencyNews::Latch(if drill { LatchSeen::Free } else { latch(false) }));
    word(desk, StopNews::Over(Box::new(last_word(code, drill))));
}

/// Time passes, in milliseconds.
fn at(desk: &mut Desk, ms: u64) {
    let mono = Moment::at(Duration::from_millis(ms));
    desk.tell(Msg::Now(Now { wall: now(), mono }));
    desk.pressed = ms;
}

// The guard: what fires.

#[test]
fn two_presses_of_one_key_fire_wherever_the_keys_are() {
    for before in ["", "2", "3", "4", "5", "6", "z", "?", "i", "jjx", "/grid<enter>", "2c", "jjA", "*", "q"] {
        for key in ["!", "<c-x>"] {
            for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5), (1, 1)] {
                let mut desk = desk(width, height);
                desk.press(before);
                desk.asked.clear();
                desk.press(key);
                assert!(is_open(&desk), "{before:?} {key} {width}x{height}");
                assert_eq!(fired(&mut desk), 0);
                desk.press(key);
                assert_eq!((fired(&mut desk), is_open(&desk)), (1, false), "{before:?} {key} {width}x{height}");
                assert!(desk.model.emergency.shown);
            }
        }
    }
}

#[test]
fn while_text_is_typed_the_one_key_types_and_the_other_acts() {
    for before in ["/", "2/", "4/", "jjX", "*r"] {
        let mut desk = desk(80, 24);
        desk.press(before);
        desk.press("!!!!");
        assert_eq!((fired(&mut desk), is_open(&desk)), (0, false), "{before}");
        let typed = match &desk.model.focus {
            Focus::Typing(prompt) => prompt.text.clone(),
            Focus::Asking(dialog) => dialog.typed.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(typed, "!!!!", "{before}");
        assert!(shown(&desk).contains(" Ctrl-X E-STOP"), "{}", shown(&desk));
        desk.press("<c-x>");
        assert!(is_open(&desk));
        // Here it is no letter, and not the key that has opened the guard.
        desk.press("!");
        assert_eq!((fired(&mut desk), is_open(&desk)), (0, true), "{before}");
        desk.press("<c-x>");
        assert_eq!(fired(&mut desk), 1, "{before}");
    }
}

#[test]
fn it_fires_read_only_before_anything_was_seen_with_a_broken_configuration_and_from_its_own_page() {
    let mut blind = Desk::with(80, 24, Fixed { read_only: true, ..COLOR });
    blind.press("!!");
    assert_eq!(fired(&mut blind), 1);
    let mut broken = desk(80, 24);
    broken.tell(Msg::Configuration(Err("line 3".into())));
    broken.press("!!");
    assert_eq!(fired(&mut broken), 1);
    let mut page = desk(80, 24);
    over(&mut page, 11, false);
    page.press("!!");
    assert_eq!(fired(&mut page), 1);
}

#[test]
fn hammering_the_key_fires_once_at_the_third_blow() {
    let mut desk = desk(80, 24);
    desk.gap = 100;
    desk.press("!!");
    assert_eq!((fired(&mut desk), is_open(&desk)), (0, true));
    desk.press("!");
    assert_eq!(fired(&mut desk), 1);
}

// The guard: slips.

#[test]
fn one_press_a_bounce_and_a_change_of_mind_do_nothing() {
    for (gap, keys) in [(200, "!"), (149, "!!"), (100, "!!"), (200, "!<esc>"), (200, "!y"), (200, "!<enter><enter>")] {
        let mut desk = desk(80, 24);
        desk.gap = gap;
        desk.press(keys);
        assert_eq!((fired(&mut desk), desk.acts()), (0, vec![]), "{keys}");
    }
    let mut desk = desk(80, 24);
    desk.press("!<esc>");
    assert!(!is_open(&desk));
    assert_eq!(desk.feedback(), "the guard is closed; nothing was done");
}

#[test]
fn pasted_text_opens_nothing_and_fires_nothing() {
    let mut told = desk(80, 24);
    told.tell(Msg::Paste("!!!!".into()));
    assert_eq!((fired(&mut told), is_open(&told)), (0, false));
    told.press("!");
    told.tell(Msg::Paste("!!!!".into()));
    assert_eq!((fired(&mut told), is_open(&told)), (0, true), "nor while the guard is open");
    // A terminal that does not say so: keys come one after the other, faster than any hand.
    for text in ["!!!!", "hello!world!!", "<c-x><c-x><c-x>"] {
        let mut burst = desk(80, 24);
        burst.press("<esc>");
        burst.wait(1);
        burst.gap = 2;
        burst.press(text);
        assert_eq!(fired(&mut burst), 0, "{text}");
    }
}

#[test]
fn other_keys_are_dead_in_the_guard() {
    let mut desk = desk(80, 24);
    desk.press("jj!");
    let (cursor, pane) = (desk.model.cursor.clone(), desk.model.pane);
    desk.press("kxXsrcqy?/2 <enter><tab><c-c><c-l><c-z>");
    assert!(is_open(&desk));
    assert_eq!((desk.model.cursor.clone(), desk.model.pane, &desk.model.focus), (cursor, pane, &Focus::Panes));
    assert!(desk.asked.iter().all(|effect| !matches!(effect, Effect::Leave(_) | Effect::Act { .. } | Effect::Suspend)));
}

#[test]
fn the_guard_closes_after_eight_seconds_by_the_time_at_which_keys_arrived() {
    let mut closes = desk(80, 24);
    at(&mut closes, 10_000);
    closes.gap = 0;
    closes.press("!");
    at(&mut closes, 17_999);
    assert!(is_open(&closes) && shown(&closes).contains("closes in 1 s"), "{}", shown(&closes));
    at(&mut closes, 18_000);
    assert!(!is_open(&closes) && !shown(&closes).contains("guard open"));
    closes.press("!");
    assert_eq!((fired(&mut closes), is_open(&closes)), (0, true), "it opens anew");
    // Pressed in time, and taken in late: the screen was busy.
    let mut busy = desk(80, 24);
    at(&mut busy, 10_000);
    busy.gap = 0;
    busy.press("!");
    at(&mut busy, 30_000);
    busy.seconds = 0;
    busy.pressed = 17_000;
    busy.press("!");
    assert_eq!(fired(&mut busy), 1);
    // Two presses that were far apart, and taken in at once.
    let mut late = desk(80, 24);
    at(&mut late, 40_000);
    late.seconds = 0;
    late.pressed = 10_000;
    late.gap = 9_000;
    late.press("!!");
    assert_eq!(fired(&mut late), 0);
}

#[test]
fn what_was_open_below_the_guard_is_there_when_it_closes() {
    for (before, key) in
        [("jjx", "!"), ("jjXgri", "<c-x>"), ("/gri", "<c-x>"), ("?jj", "!"), ("i", "!"), ("2/mm", "<c-x>")]
    {
        for close in ["<esc>", ""] {
            let mut desk = desk(80, 24);
            desk.press(before);
            let (focus, below) = (desk.model.focus.clone(), rows(&desk.buffer()));
            desk.press(key);
            assert!(shown(&desk).contains("guard open"), "{before}");
            desk.press(close);
            if close.is_empty() {
                desk.wait(20);
            }
            assert_eq!(desk.model.focus, focus, "{before}");
            if !close.is_empty() {
                let after = rows(&desk.buffer());
                assert_eq!(after[1..22], below[1..22], "{before}");
            }
        }
    }
    // And goes on from there.
    let mut desk = desk(80, 24);
    desk.press("/gri<c-x><esc>d");
    assert_eq!(desk.model.filter.text(), "grid");
}

// The guard: what it says.

#[test]
fn the_guard_at_80_by_24() {
    let mut desk = desk(80, 24);
    desk.press("!");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_guard_at_120_by_36_over_a_dialog() {
    let mut desk = desk(120, 36);
    desk.press("jjx!");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_guard_at_80_by_24_in_ascii_without_colour() {
    let mut desk = trader(80, 24, ASCII);
    desk.press("<c-x>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_guard_at_60_by_15() {
    let mut desk = desk(60, 15);
    desk.press("!");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_guard_at_20_by_5_and_smaller() {
    let mut desk = desk(20, 5);
    desk.press("!");
    insta::assert_snapshot!(desk.shot());
    for (width, height) in [(1, 1), (3, 1), (1, 9), (200, 3), (59, 40)] {
        desk.tell(Msg::Resize(width, height));
        assert_eq!(rows(&desk.buffer()).len(), usize::from(height));
    }
    desk.tell(Msg::Resize(79, 1));
    assert_eq!(shown(&desk), "E-STOP: ! again STOPS EVERYTHING; Esc: no (8 s)");
}

#[test]
fn the_guard_before_anything_was_seen() {
    let mut desk = Desk::with(80, 24, Fixed { read_only: true, ..COLOR });
    desk.press("!");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_guard_says_what_is_old_what_is_unknown_and_what_is_protective() {
    let mut desk = desk(120, 36);
    desk.tell(trading::news("mm-eth", "sql", botwarden::tui::message::OrdersSeen::Failed("gone".into())));
    desk.wait(4);
    tell(&mut desk, EmergencyNews::Cap(Duration::from_secs(25)));
    desk.press("!");
    let seen = shown(&desk);
    for words in [
        "seen 4s ago: STALE",
        "at least 5 open orders  (LIVE 4: grid-btc 4; PAPER 1:",
        "1 of them PROTECTIVE (grid-btc: cancel)",
        "UNKNOWN now: mm-eth (2 when last read)",
        "SIGKILL after 25 s",
        "which may also hit manual orders",
        "Open positions are NOT closed.",
    ] {
        assert!(seen.contains(words), "{words}\n{seen}");
    }
}

#[test]
fn the_guard_says_what_a_second_press_does_where_something_is_going_on() {
    type Before = fn(&mut Desk);
    let cases: [(Before, &str); 4] = [
        (|desk| under_way(desk, false), "One is under way: ! again joins it"),
        (|desk| under_way(desk, true), "A DRILL is under way: ! again ends it, and stops everything"),
        (|desk| over(desk, 11, false), "It is LATCHED already: ! again verifies, and cancels what is left"),
        (
            |desk| {
                under_way(desk, false);
                tell(desk, EmergencyNews::Lost);
            },
            "One was INTERRUPTED: ! again carries on with it.",
        ),
    ];
    for (before, words) in cases {
        let mut desk = desk(80, 24);
        before(&mut desk);
        desk.press("!");
        assert!(shown(&desk).contains(words), "{}", shown(&desk));
    }
}

// How it goes.

#[test]
fn progress_at_80_by_24() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn progress_at_120_by_36() {
    let mut desk = desk(120, 36);
    under_way(&mut desk, false);
    desk.press("<tab>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn progress_at_80_by_24_in_ascii_without_colour() {
    let mut desk = trader(80, 24, ASCII);
    under_way(&mut desk, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn progress_at_60_by_15_and_20_by_5() {
    let mut desk = desk(60, 15);
    under_way(&mut desk, false);
    insta::assert_snapshot!(desk.shot());
    desk.tell(Msg::Resize(20, 5));
    insta::assert_snapshot!(desk.shot());
    desk.press("q");
    assert!(!desk.model.emergency.shown && !desk.asked.contains(&Effect::Leave(None)));
}

#[test]
fn a_drill_is_called_a_drill_everywhere() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, true);
    tell(&mut desk, EmergencyNews::Latch(latch(true)));
    insta::assert_snapshot!(desk.shot());
    let head = |desk: &Desk| rows(&desk.buffer())[0].clone();
    assert!(head(&desk).starts_with(" DRILL IN PROGRESS"), "{}", head(&desk));
    desk.press("q");
    assert!(head(&desk).contains("DRILL IN PROGRESS") && !head(&desk).contains("E-STOP"), "{}", head(&desk));
    desk.press("E");
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    word(&mut desk, StopNews::Over(Box::new(last_word(0, true))));
    insta::assert_snapshot!(desk.shot());
    desk.press("c");
    assert_eq!(desk.feedback(), "this was a drill; ! ! is the real one");
}

#[test]
fn one_whose_stopper_died_is_interrupted_and_carried_on_with() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    tell(&mut desk, EmergencyNews::Lost);
    insta::assert_snapshot!(desk.shot());
    desk.press("q");
    assert!(shown(&desk).contains("E-STOP INTERRUPTED"), "{}", shown(&desk));
    assert!(shown(&desk).contains(" ! E-STOP INTERRUPTED: nobody carries it out any more"), "{}", shown(&desk));
    desk.press("!!");
    assert_eq!(fired(&mut desk), 1);
    word(&mut desk, StopNews::Overall(Box::new(Overall { carries_on: true, ..overall(false) })));
    assert!(shown(&desk).contains(" E-STOP IN PROGRESS (carries on)"), "{}", shown(&desk));
}

#[test]
fn one_that_is_latched_and_has_no_end_written_down_was_interrupted() {
    let mut desk = desk(80, 24);
    tell(&mut desk, EmergencyNews::Latch(latch(false)));
    tell(&mut desk, EmergencyNews::Past { id: String::new(), report: None });
    assert!(shown(&desk).contains("E-STOP INTERRUPTED"), "{}", shown(&desk));
    tell(&mut desk, EmergencyNews::Past { id: "another".into(), report: Some(Box::new(last_word(11, false))) });
    assert!(shown(&desk).contains("E-STOP LATCHED"), "{}", shown(&desk));
    desk.press("E");
    assert!(shown(&desk).contains("1 order not confirmed canceled"), "{}", shown(&desk));
}

#[test]
fn the_page_opens_by_itself_and_leaving_it_leaves_neither_the_screen_nor_the_stop() {
    for key in ["q", "<esc>"] {
        let mut desk = desk(80, 24);
        desk.press("2/gri");
        under_way(&mut desk, false);
        assert!(desk.model.emergency.shown && shown(&desk).contains("E-STOP IN PROGRESS  by ana@ssh(10.0.0.7)"));
        desk.press(key);
        assert!(!desk.model.emergency.shown && !desk.asked.contains(&Effect::Leave(None)));
        assert!(matches!(&desk.model.focus, Focus::Typing(prompt) if prompt.text == "gri"), "what was typed is there");
        assert!(shown(&desk).contains("E-STOP IN PROGRESS"), "{}", shown(&desk));
        // It does not come back by itself, and by its key.
        under_way(&mut desk, false);
        assert!(!desk.model.emergency.shown);
        desk.press("<esc>E");
        assert!(desk.model.emergency.shown);
    }
}

#[test]
fn what_was_fired_here_and_elsewhere_is_one() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    desk.press("!!");
    assert_eq!(fired(&mut desk), 1);
    assert_eq!(desk.model.emergency.seen.as_ref().map(|seen| seen.book.bots.len()), Some(3), "what is known stays");
    word(&mut desk, StopNews::Over(Box::new(last_word(0, false))));
    // The same said twice, by two who have heard it.
    let before = shown(&desk);
    under_way(&mut desk, false);
    assert_eq!(shown(&desk), before);
}

#[test]
fn every_error_is_kept_and_can_be_scrolled_to() {
    let mut desk = desk(80, 24);
    word(&mut desk, StopNews::Overall(Box::new(overall(false))));
    let mut bad = progress("mm-eth");
    bad.errors = (0..30).map(|n| format!("refused {n}\x1b[2J")).collect();
    word(&mut desk, StopNews::Progress(Box::new(bad)));
    assert!(shown(&desk).contains(" Errors 31 "), "{}", shown(&desk));
    desk.press("<tab>G");
    assert!(shown(&desk).contains("mm-eth: refused 29"), "{}", shown(&desk));
    desk.press("g");
    assert!(shown(&desk).contains("no space left on device"), "{}", shown(&desk));
    desk.press("j");
    assert!(!shown(&desk).contains("no space left on device"), "{}", shown(&desk));
}

#[test]
fn what_is_waited_for_comes_nearer_while_nobody_says_anything() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    desk.press("G");
    assert!(shown(&desk).contains("mm-eth: pid 48220; SIGKILL in 30 s"), "{}", shown(&desk));
    desk.wait(5);
    assert!(shown(&desk).contains("mm-eth: pid 48220; SIGKILL in 25 s"), "{}", shown(&desk));
    assert!(rows(&desk.buffer())[0].ends_with("00:09.1"), "{}", shown(&desk));
}

#[test]
fn what_still_lives_is_killed_after_a_question_and_not_refused_for_having_changed() {
    let mut desk = desk(80, 24);
    desk.tell(read("mm-eth", "sql", vec![]));
    desk.tell(read("grid-btc", "state-json", vec![]));
    under_way(&mut desk, false);
    desk.press("X");
    assert!(matches!(desk.model.focus, Focus::Asking(_)), "{}", desk.feedback());
    desk.tell(Msg::Survey(with("mm-eth", |bot| bot.state = State::Stopping)));
    desk.press("LIVE<enter>");
    let acts = desk.acts();
    assert!(acts.len() == 1 && acts[0].0 == Deed::Kill && acts[0].1.contains(&"mm-eth".to_owned()), "{acts:?}");
    assert!(desk.model.emergency.shown);
    let mut idle = trader(80, 24, Fixed { read_only: true, ..COLOR });
    under_way(&mut idle, false);
    idle.press("X");
    assert_eq!((idle.acts(), idle.feedback()), (vec![], "read-only: nothing here can kill a bot"));
}

// How it went.

#[test]
fn a_result_at_80_by_24() {
    let mut desk = desk(80, 24);
    over(&mut desk, 11, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_result_at_120_by_36() {
    let mut desk = desk(120, 36);
    over(&mut desk, 11, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_result_at_80_by_24_in_ascii_without_colour() {
    let mut desk = trader(80, 24, ASCII);
    over(&mut desk, 11, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_good_result_says_so_and_that_it_is_latched() {
    let mut desk = desk(80, 24);
    over(&mut desk, 0, false);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn without_a_latch_the_result_says_so_in_capitals() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    word(&mut desk, StopNews::Over(Box::new(last_word(15, false))));
    let seen = shown(&desk);
    assert!(
        seen.contains("E-STOP OVER, NOT LATCHED") && seen.contains("RESULT   NOT LATCHED - anything may be started"),
        "{seen}"
    );
}

#[test]
fn what_is_left_is_canceled_and_verified_again_after_a_question() {
    let mut desk = desk(80, 24);
    over(&mut desk, 11, false);
    desk.press("c");
    assert!(shown(&desk).contains("cancel what is left, and verify again?"), "{}", shown(&desk));
    desk.press("<enter>");
    assert_eq!(fired(&mut desk), 0);
    desk.press("cy");
    assert_eq!(fired(&mut desk), 1);
    assert!(shown(&desk).contains("E-STOP IN PROGRESS"), "{}", shown(&desk));
}

#[test]
fn a_report_is_copied_as_text() {
    let mut desk = desk(80, 24);
    over(&mut desk, 11, false);
    desk.press("y");
    let text =
        desk.asked.iter().find_map(|effect| if let Effect::Copy(text) = effect { Some(text.clone()) } else { None });
    let text = text.expect("it was copied");
    assert!(
        text.contains("E-STOP LATCHED") && text.contains("check at the venue NOW") && text.contains("[x]"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_fired_is_said_loudly() {
    let mut desk = desk(80, 24);
    desk.press("!!");
    tell(&mut desk, EmergencyNews::NotFired("no process".into()));
    let seen = shown(&desk);
    assert!(seen.contains(" ! THE EMERGENCY STOP WAS NOT FIRED: no process; botwarden estop"), "{seen}");
    assert!(!desk.model.emergency.shown);
}

// The header.

fn head(desk: &Desk) -> String {
    rows(&desk.buffer())[0].clone()
}

#[test]
fn the_header_says_how_it_stands_at_every_size_that_has_one() {
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        let mut desk = desk(width, height);
        assert!(head(&desk).contains("E-STOP CHECKING"), "{}", head(&desk));
        tell(&mut desk, ready(Some(9)));
        assert!(head(&desk).contains("E-STOP READY"), "{}", head(&desk));
        assert_eq!(head(&desk).contains("(drill 9d ago)"), width == 120, "{}", head(&desk));
        tell(&mut desk, not_ready(&["the home cannot be written", "x"]));
        assert!(head(&desk).contains("E-STOP NOT READY"), "{}", head(&desk));
        let alert = "E-STOP NOT READY: the home cannot be written";
        assert!(desk.model.alerts().iter().any(|text| text.contains(alert)), "{:?}", desk.model.alerts());
        tell(&mut desk, EmergencyNews::Latch(latch(false)));
        assert!(head(&desk).contains("E-STOP LATCHED"), "{}", head(&desk));
        under_way(&mut desk, false);
        desk.press("q");
        assert!(
            head(&desk).contains("E-STOP IN PROGRESS") && head(&desk).contains('Z') == (width < 120),
            "{}",
            head(&desk)
        );
    }
}

#[test]
fn a_check_that_is_old_is_not_ready_and_no_drill_is_amber() {
    let mut desk = desk(120, 36);
    tell(&mut desk, ready(None));
    assert!(head(&desk).contains("E-STOP READY (no drill yet)"), "{}", head(&desk));
    let yellow = |desk: &Desk| {
        let buffer = desk.buffer();
        let at = head(desk).find("E-STOP").expect("there") as u16;
        buffer.cell((at, 0)).expect("a cell").fg == ratatui::style::Color::Yellow
    };
    assert!(yellow(&desk));
    tell(&mut desk, ready(Some(29)));
    assert!(!yellow(&desk));
    tell(&mut desk, ready(Some(31)));
    assert!(yellow(&desk) && head(&desk).contains("(drill 31d ago)"));
    desk.wait(61);
    assert!(head(&desk).contains("E-STOP NOT READY"), "{}", head(&desk));
    assert!(desk.model.alerts().iter().any(|text| text.contains("the last check is old")), "{:?}", desk.model.alerts());
    let mut never = trading::desk(120, 36);
    never.wait(61);
    assert!(head(&never).contains("E-STOP NOT READY"), "{}", head(&never));
}

// While it is latched.

#[test]
fn nothing_is_started_while_it_is_latched() {
    for keys in ["s", "r", "A", "jjs", "GA"] {
        let mut desk = desk(80, 24);
        tell(&mut desk, EmergencyNews::Latch(latch(false)));
        desk.press(keys);
        assert_eq!((desk.acts(), desk.feedback()), (vec![], "the emergency stop is latched: R resets it"), "{keys}");
    }
    let mut unreadable = desk(80, 24);
    tell(&mut unreadable, EmergencyNews::Latch(LatchSeen::Unreadable("it is empty".into())));
    unreadable.press("s");
    assert_eq!(unreadable.feedback(), "the emergency stop is latched: R resets it");
    // What was confirmed before is not begun after.
    let mut late = desk(80, 24);
    late.press("/trend<enter>s");
    let look = late.look();
    tell(&mut late, EmergencyNews::Latch(latch(false)));
    late.tell(Msg::Fresh(look));
    assert_eq!(late.acts(), []);
    assert!(late.feedback().contains("the emergency stop is latched"), "{}", late.feedback());
    // A drill stops nobody from starting what it does not touch: whoever starts it finds out.
    let mut drill = desk(80, 24);
    tell(&mut drill, EmergencyNews::Latch(latch(true)));
    drill.press("/trend<enter>s");
    assert!(!drill.feedback().contains("is latched"), "{}", drill.feedback());
}

#[test]
fn a_bot_that_runs_although_it_is_latched_is_the_first_alert() {
    let mut desk = desk(120, 36);
    desk.tell(Msg::Survey(with("nyse-open", |bot| (bot.state, bot.pid) = (State::Running, Some(77)))));
    tell(&mut desk, EmergencyNews::Latch(latch(false)));
    let first = desk.model.alerts()[0].clone();
    assert!(first.contains("runs although the emergency stop is latched: pid "), "{first}");
    let alerts = desk.model.alerts();
    let its = "nyse-open (PAPER) runs although the emergency stop is latched: pid 77 /bin/bot";
    assert!(alerts.iter().any(|text| text == its), "{alerts:?}");
    // Whoever was only just stopped may stand in a list that is a moment old.
    over(&mut desk, 0, false);
    assert!(!desk.model.alerts().iter().any(|text| text.contains("although")), "{:?}", desk.model.alerts());
    desk.wait(3);
    desk.tell(Msg::Survey(bots()));
    assert!(desk.model.alerts()[0].contains("although"), "{:?}", desk.model.alerts());
}

// The reset.

#[test]
fn a_reset_wants_the_hosts_name_and_a_reason_each_with_enter() {
    let mut desk = desk(80, 24);
    over(&mut desk, 0, false);
    desk.press("q");
    tell(&mut desk, EmergencyNews::Latch(latch(false)));
    desk.press("Rtrade-box-1");
    insta::assert_snapshot!(desk.shot());
    desk.press("<enter><enter>");
    assert!(matches!(desk.model.focus, Focus::Resetting(_)), "no reason is none");
    desk.asked.clear();
    desk.press("all looked at!<enter>");
    let reset = Effect::Reset { reason: "all looked at!".into(), waive: None };
    assert_eq!(desk.asked.iter().filter(|effect| **effect == reset).count(), 1, "{:?}", desk.asked);
    let mut done = Report::of("estop reset", "ana", now(), vec![]);
    done.latched = Some(false);
    tell(&mut desk, EmergencyNews::Reset(Box::new(done.clone())));
    assert_eq!(desk.feedback(), "the latch is lifted; nothing was started");
    assert!(desk.asked.contains(&Effect::Examine));
    // Lifted, and not written down.
    done.add_error("events: no space left".into());
    tell(&mut desk, EmergencyNews::Reset(Box::new(done)));
    assert_eq!(desk.feedback(), "the latch is lifted, and not all went well (exit 1): events: no space left");
}

fn refused(desk: &mut Desk, code: u8, errors: &[&str]) {
    let grid = BotReport { errors: vec!["pid 9900 sleep lives".into()], ..BotReport::new(name("grid-btc")) };
    let mut report = Report::of("estop reset", "ana", now(), vec![grid]);
    report.errors = errors.iter().map(|error| (*error).to_owned()).collect();
    (report.exit_code, report.ok, report.latched) = (code, code == 0, Some(true));
    tell(desk, EmergencyNews::Reset(Box::new(report)));
}

#[test]
fn a_reset_that_was_refused_says_why_wherever_the_reason_stands_and_asks_for_a_note_next_time() {
    let mut desk = desk(120, 36);
    over(&mut desk, 0, false);
    for (code, errors, said) in [
        (13, vec![], "NOT reset: grid-btc: pid 9900 sleep lives"),
        (13, vec!["1 order is open"], "NOT reset: grid-btc: pid 9900 sleep lives (and 1 more)"),
        // Fired again between the two: it stands, whatever the code says.
        (0, vec![], "NOT reset: grid-btc: pid 9900 sleep lives"),
    ] {
        refused(&mut desk, code, &errors);
        assert_eq!(desk.feedback(), said);
        assert!(desk.model.emergency.is_latched());
    }
    let mut none = Report::of("estop reset", "ana", now(), vec![]);
    tell(&mut desk, EmergencyNews::Reset(Box::new(none.clone())));
    assert!(desk.feedback().starts_with("NOT reset: "), "whether it is latched was not seen: {}", desk.feedback());
    (none.exit_code, none.latched) = (75, Some(true));
    tell(&mut desk, EmergencyNews::Reset(Box::new(none)));
    assert_eq!(desk.feedback(), "NOT reset: its report does not say why (exit 75); botwarden doctor");
    refused(&mut desk, 13, &["1 order is open"]);
    desk.press("R");
    assert!(shown(&desk).contains("! grid-btc: pid 9900 sleep lives"), "{}", shown(&desk));
    desk.press("trade-box-1<enter>why not<enter>");
    assert!(shown(&desk).contains("Waived because, and Enter:"), "{}", shown(&desk));
}

#[test]
fn once_it_was_reset_nothing_on_its_old_page_fires_but_the_two_presses() {
    let mut desk = desk(120, 36);
    over(&mut desk, 11, false);
    assert!(shown(&desk).contains("c cancel what is left"), "{}", shown(&desk));
    // Asked while it was latched, and answered after.
    desk.press("c");
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    desk.press("y");
    assert_eq!((fired(&mut desk), desk.feedback()), (0, "not fired again: it was reset; ! ! fires a new one"));
    assert!(!shown(&desk).contains("c cancel what is left"), "{}", shown(&desk));
    desk.press("c");
    assert_eq!(desk.feedback(), "it was reset; ! ! fires a new one");
    desk.press("y!!");
    assert_eq!(fired(&mut desk), 1);
}

#[test]
fn read_only_the_two_presses_alone_fire() {
    let mut desk = trader(120, 36, Fixed { read_only: true, ..COLOR });
    over(&mut desk, 11, false);
    assert!(!shown(&desk).contains("c cancel what is left"), "{}", shown(&desk));
    desk.press("c");
    assert_eq!(desk.feedback(), "read-only: only ! ! fires from here");
    desk.press("y!!");
    assert_eq!(fired(&mut desk), 1);
}

#[test]
fn a_form_about_a_latch_is_void_once_the_emergency_stop_is_fired_again() {
    for on_page in [true, false] {
        let mut desk = desk(80, 24);
        over(&mut desk, 11, false);
        if !on_page {
            desk.press("q");
        }
        desk.press("Rtrade<c-x><c-x>");
        assert_eq!((fired(&mut desk), desk.feedback()), (1, "not reset: the emergency stop was fired again"));
        assert_eq!((&desk.model.focus, desk.model.emergency.shown), (&Focus::Panes, true));
        desk.press("q");
        assert_eq!(desk.model.focus, Focus::Panes);
    }
    // By somebody else.
    let mut desk = desk(80, 24);
    tell(&mut desk, EmergencyNews::Latch(latch(false)));
    desk.press("Rtrade");
    under_way(&mut desk, false);
    assert_eq!((&desk.model.focus, desk.feedback()), (&Focus::Panes, "not reset: the emergency stop was fired again"));
}

#[test]
fn escape_and_the_key_within_a_moment_are_a_closed_guard_and_the_key() {
    let alt = |desk: &mut Desk| {
        desk.pressed += 300;
        let at = Moment::at(Duration::from_millis(desk.pressed));
        let event =
            crossterm::event::KeyEvent::new(crossterm::event::KeyCode::Char('!'), crossterm::event::KeyModifiers::ALT);
        desk.tell(Msg::Key(event, botwarden::tui::guard::Arrival { at, typed: true }));
    };
    let mut desk = desk(80, 24);
    alt(&mut desk);
    assert!(is_open(&desk));
    alt(&mut desk);
    assert_eq!((fired(&mut desk), is_open(&desk)), (0, true), "closed, and opened again");
    desk.press("!");
    assert_eq!(fired(&mut desk), 1);
    let mut typed = trading::desk(80, 24);
    typed.press("/gri");
    alt(&mut typed);
    assert!(!is_open(&typed) && matches!(&typed.model.focus, Focus::Typing(prompt) if prompt.text == "gri"));
}

#[test]
fn a_reset_that_is_blocked_wants_a_note_too() {
    let mut desk = desk(80, 24);
    over(&mut desk, 11, false);
    assert!(shown(&desk).contains("R reset latch  (blocked: 1 order unconfirmed)"), "{}", shown(&desk));
    desk.press("Rtrade-box-1<enter>why not<enter>");
    assert!(shown(&desk).contains("Waived because, and Enter:"), "{}", shown(&desk));
    desk.press("<enter>");
    assert!(!desk.asked.iter().any(|effect| matches!(effect, Effect::Reset { .. })));
    desk.press("canceled by hand<enter>");
    let reset = Effect::Reset { reason: "why not".into(), waive: Some("canceled by hand".into()) };
    assert!(desk.asked.contains(&reset), "{:?}", desk.asked);
}

#[test]
fn no_reset_without_a_latch_with_another_hosts_name_while_it_goes_on_or_read_only() {
    let mut free = desk(80, 24);
    free.press("R");
    assert_eq!(free.feedback(), "the emergency stop is not latched: there is nothing to reset");
    let mut wrong = desk(80, 24);
    tell(&mut wrong, EmergencyNews::Latch(latch(false)));
    wrong.press("Rtrade-box-2<enter>");
    assert_eq!((wrong.feedback(), &wrong.model.focus), ("not reset: that is not this host's name", &Focus::Panes));
    wrong.press("R");
    wrong.tell(Msg::Paste("trade-box-1\n".into()));
    wrong.press("<enter>");
    assert_eq!(wrong.feedback(), "not reset: that is not this host's name", "it must be typed");
    let mut busy = desk(80, 24);
    tell(&mut busy, EmergencyNews::Latch(latch(false)));
    under_way(&mut busy, false);
    busy.press("R");
    assert_eq!(busy.feedback(), "it is under way; it can be reset once it has come to its end");
    let mut looks = trader(80, 24, Fixed { read_only: true, ..COLOR });
    tell(&mut looks, EmergencyNews::Latch(latch(false)));
    looks.press("R");
    assert_eq!(looks.feedback(), "read-only: nothing here can reset the emergency stop");
}

// The last cell.

#[test]
fn the_last_cell_of_the_footer_is_always_the_emergency_stop() {
    for keys in ["", "2", "3", "4", "5", "6", "z", "?", "i", "jjx", "jjX", "/gr", "2/gr", "*", "2c"] {
        for (width, height) in [(120, 36), (80, 24), (60, 15)] {
            let mut desk = desk(width, height);
            desk.press(keys);
            let line = rows(&desk.buffer())[usize::from(height) - 2].clone();
            assert!(line.ends_with("! E-STOP") || line.ends_with("Ctrl-X E-STOP"), "{keys} {width}x{height}: {line}");
            under_way(&mut desk, false);
            let line = rows(&desk.buffer())[usize::from(height) - 2].clone();
            assert!(line.ends_with("E-STOP"), "{keys} {width}x{height}: {line}");
        }
    }
}

#[test]
fn whatever_is_told_of_it_is_harmless() {
    let mut desk = desk(120, 36);
    let evil = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\r\nx";
    let mut whole = overall(false);
    whole.by = evil.into();
    whole.errors = vec![evil.into()];
    whole.stages[0].text = evil.into();
    word(&mut desk, StopNews::Overall(Box::new(whole)));
    let mut bad = progress("mm-eth");
    bad.errors = vec![evil.into()];
    bad.stages[3] = StageSeen { stage: Stage::Cancel, standing: Standing::Failed, text: evil.into(), took_ms: None };
    word(&mut desk, StopNews::Progress(Box::new(bad)));
    let mut end = last_word(11, false);
    end.errors = vec![evil.into()];
    end.reason = Some(evil.into());
    end.bots[1].errors = vec![evil.into()];
    let mut orders = vec![order("grid-btc", evil, botwarden::core::order::Side::Buy, "1", "2")];
    orders[0].symbol = Some(evil.into());
    if let Some(seen) = &mut end.bots[1].orders {
        seen.open = orders;
    }
    let check = |desk: &Desk| {
        for row in rows(&desk.buffer()) {
            assert!(!row.chars().any(char::is_control), "{row:?}");
        }
    };
    check(&desk);
    word(&mut desk, StopNews::Over(Box::new(end)));
    check(&desk);
    tell(&mut desk, not_ready(&[evil]));
    desk.press("q1");
    assert_eq!(desk.model.pane, Pane::Bots);
    check(&desk);
}

#[test]
fn one_that_was_over_before_anybody_could_listen_opens_its_page_all_the_same() {
    let mut desk = desk(80, 24);
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    for (id, opens) in [("first", true), ("first", false), ("second", true)] {
        tell(&mut desk, EmergencyNews::Past { id: id.into(), report: Some(Box::new(last_word(0, false))) });
        assert_eq!(desk.model.emergency.shown, opens, "{id}");
        desk.press("q");
        tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    }
}

// What nobody knows, and where there is little room.

#[test]
fn nobody_is_said_to_run_no_more_before_anything_was_heard_of_them() {
    let mut fresh = desk(80, 24);
    fresh.press("!!");
    assert!(shown(&fresh).contains("Running 6 bots when seen 0s ago"), "{}", shown(&fresh));
    assert!(shown(&fresh).contains("Orders unknown of 8 bots"), "{}", shown(&fresh));
    let mut blind = Desk::with(80, 24, COLOR);
    blind.press("!!");
    assert!(shown(&blind).contains("Running unknown") && !shown(&blind).contains("Running 0"), "{}", shown(&blind));
    let mut some = desk(120, 36);
    word(&mut some, StopNews::Overall(Box::new(overall(false))));
    word(&mut some, StopNews::Bot(Box::new(report("arb-tri", StopOutcome::Stopped))));
    assert!(shown(&some).contains("Running unknown of 2 bots"), "{}", shown(&some));
}

#[test]
fn one_that_was_interrupted_before_anybody_looked_shows_what_its_latch_says_and_no_zeros() {
    let mut desk = desk(80, 24);
    tell(&mut desk, EmergencyNews::Latch(latch(false)));
    tell(&mut desk, EmergencyNews::Past { id: "14-E7".into(), report: None });
    desk.press("E");
    let seen = shown(&desk);
    for words in [
        " E-STOP INTERRUPTED  by ana",
        "1 LOCK    latch written, first fired 14:32:07 UTC",
        "4 CANCEL  not known how far it came",
        "Running 6 bots when seen",
    ] {
        assert!(seen.contains(words), "{words}\n{seen}");
    }
    assert!(!seen.contains("canceled 0"), "{seen}");
}

#[test]
fn a_latch_that_cannot_be_written_is_an_error_and_said_on_the_smallest_screen() {
    let mut desk = desk(80, 24);
    let mut whole = overall(false);
    let text = "read-only file system".to_owned();
    whole.stages[0] = StageSeen { stage: Stage::Lock, standing: Standing::Failed, text, took_ms: None };
    word(&mut desk, StopNews::Overall(Box::new(whole)));
    let seen = shown(&desk);
    assert!(seen.contains(" Errors 2 ") && seen.contains("NO LATCH: read-only file system"), "{seen}");
    desk.tell(Msg::Resize(20, 5));
    assert!(shown(&desk).starts_with("NO LATCH;") && shown(&desk).contains("2 errors"), "{}", shown(&desk));
}

#[test]
fn the_smallest_screens_name_the_key_that_fires_and_count_errors() {
    for (before, words) in [(false, "! ! joins"), (true, "! ! carries on")] {
        let mut desk = desk(20, 5);
        under_way(&mut desk, false);
        if before {
            tell(&mut desk, EmergencyNews::Lost);
        }
        let seen = shown(&desk).replace('\n', " ");
        assert!(seen.contains(words) && seen.contains("2 errors"), "{seen}");
        for (width, height) in [(9, 3), (1, 1)] {
            desk.tell(Msg::Resize(width, height));
            assert!(shown(&desk).starts_with('!'), "{}", shown(&desk));
        }
    }
    let mut guard = desk(1, 1);
    guard.press("!");
    assert_eq!(shown(&guard), "!");
}

/// Sixty bots with four orders each, one of them protective; of one more nobody knows.
fn crowd(width: u16, height: u16) -> Desk {
    let mut desk = trading::desk(width, height);
    let names: Vec<String> = (0..60).map(|n| format!("momentum-{n:02}")).collect();
    let mut text = String::new();
    for name in &names {
        let _ = write!(
            text,
            "[bots.{name}]\ncommand = [\"/bin/bot\"]\nmode = \"live\"\norders = {{ source = \"state-json\", path = \
             \"/s.json\" }}\ncancel = {{ command = [\"/bots/cancel\"] }}\n"
        );
    }
    let specs = botwarden::config::parse(std::path::Path::new("/nowhere/botwarden.toml"), &text).expect("no mistake");
    desk.tell(Msg::Configuration(Ok(specs.bots)));
    let crowd = names.iter().map(|name| screen::alive(screen::bot(name, Mode::Live, State::Running), 100, 60));
    desk.tell(Msg::Survey(crowd.collect()));
    for name in &names {
        desk.tell(read(name, "state-json", trading::grid()));
    }
    desk.tell(trading::news("momentum-07", "state-json", botwarden::tui::message::OrdersSeen::Failed("gone".into())));
    desk
}

#[test]
fn the_guard_of_many_bots_names_a_few_and_leaves_nothing_out_that_matters() {
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        for going_on in [false, true] {
            let mut desk = crowd(width, height);
            if going_on {
                under_way(&mut desk, false);
            }
            desk.press("!");
            let seen = shown(&desk);
            let mut words = vec![
                "STOP EVERYTHING NOW",
                "closes in 8 s",
                "Open positions are NOT closed.",
                "59 of them PROTECTIVE (",
                "UNKNOWN now: momentum-07",
                "SIGKILL after 10 s",
                "4 CANCEL  at least 236 open orders",
            ];
            words.push(if going_on { "One is under way" } else { "Pressing ! again will" });
            words.push(if height == 15 { "may be account-wide" } else { "o" });
            if height > 15 {
                words.extend(["1 LOCK", "2 CHUNKS", "3 SIGNAL  60 bots", "5 FLUSH", "7 VERIFY", "and 5"]);
            }
            for words in words {
                assert!(seen.contains(words), "{width}x{height} {going_on}: {words}\n{seen}");
            }
            assert!(!seen.contains('…') || height == 15 || going_on, "{seen}");
        }
    }
}

#[test]
fn the_stages_stay_and_what_is_said_of_single_bots_is_scrolled() {
    let mut desk = desk(80, 24);
    under_way(&mut desk, false);
    let numbers = ["1 LOCK", "2 CHUNKS", "3 SIGNAL", "4 CANCEL", "5 FLUSH", "6 EMPTY", "7 VERIFY", "8 REPORT"];
    for _ in 0..9 {
        let seen = shown(&desk);
        assert!(numbers.iter().all(|stage| seen.contains(stage)), "{seen}");
        assert!(seen.contains("more lines about single bots: j k"), "{seen}");
        desk.press("j");
    }
    assert!(shown(&desk).contains("mm-eth: pid 48220; SIGKILL in 30 s"), "{}", shown(&desk));
}

#[test]
fn who_lives_under_the_latch_stands_on_the_page_and_in_the_way_of_a_reset() {
    let mut desk = desk(80, 24);
    over(&mut desk, 0, false);
    desk.tell(Msg::Survey(vec![screen::bot("grid-btc", Mode::Live, State::Stopped)]));
    desk.wait(4);
    desk.tell(Msg::Survey(
        with("grid-btc", |_| {}).into_iter().filter(|bot| bot.name.as_str() == "grid-btc").collect(),
    ));
    let seen = shown(&desk);
    assert!(seen.contains("! grid-btc (LIVE) LIVES: pid 48213"), "{seen}");
    assert!(seen.contains("blocked: grid-btc: pid 48213 lives"), "{seen}");
    desk.press("q");
    let buffer = desk.buffer();
    let row = rows(&buffer).iter().position(|row| row.contains("RUN") && row.contains("grid-btc")).expect("its row");
    assert_eq!(buffer.cell((5, row as u16)).expect("a cell").fg, ratatui::style::Color::Red);
    desk.tell(Msg::Survey(bots()));
    assert!(!shown(&desk).contains("A adopts"), "{}", shown(&desk));
}

#[test]
fn it_is_latched_since_it_was_first_fired_and_a_reset_has_no_time_of_its_own() {
    let mut desk = desk(120, 36);
    let LatchSeen::Latched(mut first) = latch(false) else { panic!("latched") };
    first.at = now() - jiff::SignedDuration::from_mins(62);
    over(&mut desk, 11, false);
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Latched(first)));
    assert!(head(&desk).starts_with(" E-STOP LATCHED since 13:30:07 UTC  by ana"), "{}", head(&desk));
    tell(&mut desk, EmergencyNews::Latch(LatchSeen::Free));
    assert!(head(&desk).starts_with(" E-STOP OVER, RESET, fired 14:32:07 UTC  by ana"), "{}", head(&desk));
}

#[test]
fn keys_that_act_on_bots_say_on_the_page_how_the_latch_is_lifted_and_a_drill_lists_what_it_would_do() {
    let mut desk = desk(80, 24);
    over(&mut desk, 0, false);
    for key in ["s", "r", "A", "x"] {
        desk.press(key);
        assert_eq!((desk.acts(), desk.feedback()), (vec![], "the emergency stop is latched: R resets it"), "{key}");
        desk.press("<esc>E");
    }
    let mut drill = trading::desk(80, 24);
    under_way(&mut drill, true);
    let mut end = last_word(0, true);
    end.notes = vec!["grid-btc: would be told to stop (LIVE)".into()];
    word(&mut drill, StopNews::Over(Box::new(end)));
    assert!(shown(&drill).contains("grid-btc: would be told to stop (LIVE)"), "{}", shown(&drill));
}
