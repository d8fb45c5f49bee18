//! The history on the screen, without a terminal: what is asked of whoever reads it, what is shown of the answers, and how
//! an entry is opened. No clock, no file.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

use botwarden::core::event::Event;
use botwarden::core::history::{Anchor, Entry, Notice, Place, RunSeen, Shelf, What};
use botwarden::core::report::{BotReport, Report};
use botwarden::core::state::State;
use botwarden::tui::effect::Effect;
use botwarden::tui::history_news::{HistoryAsk, HistoryNews, Looked, WholeEntry};
use botwarden::tui::message::Msg;
use botwarden::tui::model::{Fixed, Focus, Pane};
use botwarden::tui::text;
use ratatui::style::{Color, Modifier};

use screen::{Desk, rows};

const NOON: i64 = 1_772_634_727;
const KINDS: [&str; 6] = ["started", "ready", "exited", "backoff", "asked", "failed"];

fn event(number: i64) -> Entry {
    let kind = KINDS[(number % 6) as usize];
    let bot = ["grid-btc", "mm-eth", "a-bot-with-a-long-name"][(number % 3) as usize];
    let text = match number % 6 {
        0 => format!("started (pid {})", 40_000 + number),
        2 => "exited with 1 after 3 min".into(),
        3 => "will be tried again in 4.0 s".into(),
        4 => "stop grid-btc 日本語 \x1b[31mred\x1b[0m\nand a\tsecond line".into(),
        5 => "the breaker is open: too many failures; last it exited with 1".into(),
        _ => "ready".into(),
    };
    let place = Place { at: (NOON - 60 * number) * 1_000_000_000, id: 100_000 - number };
    Entry { place, bot: Some(bot.into()), what: What::Event { kind: kind.into(), text } }
}

fn run(number: i64) -> Entry {
    let place = Place { at: (NOON - 600 * number) * 1_000_000_000, id: 1000 - number };
    let ended = (number > 0).then_some(place.at + (number * 37 + 1) * 1_500_000_000);
    let run = RunSeen {
        run: format!("20260304T1200{number:02}"),
        started: Some(place.at),
        ended,
        exit: ended.map(|_| if number % 2 == 0 { "exited with 1".into() } else { "was ended by SIGTERM".into() }),
        last: ["started", "stopped", "backoff"][(number % 3) as usize].into(),
        failures: (number % 3 == 2).then_some(number),
    };
    Entry { place, bot: Some("grid-btc".into()), what: What::Run(run) }
}

fn report(number: i64) -> Entry {
    let several = number % 2 == 1;
    let what = What::Report {
        action: if several { "estop" } else { "stop" }.into(),
        by: Some("ana".into()),
        code: Some(if several { 13 } else { 0 }),
        bots: if several { 8 } else { 1 },
        text: if several {
            "estop of 8 bots: 7 stopped, 1 NOT STOPPED"
        } else {
            "stopped grid-btc (pid 7, by SIGTERM)"
        }
        .into(),
    };
    let place = Place { at: (NOON - 3600 * number) * 1_000_000_000, id: 500 - number };
    Entry { place, bot: (!several).then(|| "grid-btc".into()), what }
}

/// A desk whose history is looked at, and what was asked for it.
fn looking(width: u16, height: u16, fixed: Fixed) -> Desk {
    let mut desk = Desk::with(width, height, fixed).survey();
    desk.asked.clear();
    desk.press("7");
    desk
}

fn colored() -> Fixed {
    Fixed { color: true, ..Fixed::default() }
}

fn asks(desk: &mut Desk) -> Vec<HistoryAsk> {
    let asked = desk.asked.drain(..);
    asked.filter_map(|effect| if let Effect::History(ask) = effect { Some(ask) } else { None }).collect()
}

fn tell(desk: &mut Desk, news: HistoryNews) {
    desk.tell(Msg::History(news));
}

fn looked(desk: &mut Desk, looked: Looked) {
    tell(desk, HistoryNews::Looked(looked));
}

/// Answers what is asked as whoever reads would, of this shelf of so many rows, until nothing more is asked.
fn answer(desk: &mut Desk, total: i64) {
    loop {
        let mut rows = asks(desk).into_iter().filter_map(|ask| match ask {
            HistoryAsk::Rows { view, from, count } => Some((view, from, count as i64)),
            _ => None,
        });
        let Some((view, from, count)) = rows.next_back() else { return };
        let row = |number: i64| match desk.model.history.shelf {
            Shelf::Events => event(number),
            Shelf::Runs => run(number),
            Shelf::Reports => report(number),
        };
        let at = |place: Place| (0..total).find(|number| row(*number).place <= place).unwrap_or(total);
        let first = match from {
            Anchor::Newest => 0,
            Anchor::Oldest => (total - count).max(0),
            Anchor::Older(place) => at(place) + 1,
            Anchor::Newer(place) => (at(place) - count).max(0),
            Anchor::At(place) => at(place),
        };
        let end = if let Anchor::Newer(place) = from { at(place) } else { (first + count).min(total) };
        let news = HistoryNews::Rows {
            view,
            from,
            rows: (first..end).map(row).collect(),
            before: first as u64,
            total: total as u64,
        };
        tell(desk, news);
    }
}

fn filled(width: u16, height: u16, fixed: Fixed, total: i64) -> Desk {
    let mut desk = looking(width, height, fixed);
    looked(&mut desk, Looked { changed: true, ..Looked::default() });
    answer(&mut desk, total);
    desk
}

/// What was told in the footer since it was last asked; the diagnostics have the same.
fn notes(desk: &mut Desk) -> Vec<String> {
    desk.model.feedback.take().into_iter().map(|feedback| feedback.text).collect()
}

fn chosen(desk: &Desk) -> i64 {
    let place = desk.model.history.chosen().expect("a row").place;
    (0..20_000).find(|number| event(*number).place == place).expect("one of ours")
}

#[test]
fn events_at_120_by_36() {
    let mut desk = filled(120, 36, colored(), 5213);
    desk.press("jj");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn runs_and_reports_at_120_by_36() {
    let mut desk = filled(120, 36, colored(), 40);
    desk.press("zv");
    answer(&mut desk, 40);
    insta::assert_snapshot!(desk.shot());
    desk.press("v");
    answer(&mut desk, 7);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn events_and_runs_at_80_by_24() {
    let mut desk = filled(80, 24, colored(), 5213);
    insta::assert_snapshot!(desk.shot());
    desk.press("zv");
    answer(&mut desk, 40);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn reports_at_60_by_15_in_ascii_without_colour() {
    let mut desk = filled(60, 15, Fixed { ascii: true, ..Fixed::default() }, 5213);
    desk.press("vv");
    answer(&mut desk, 7);
    insta::assert_snapshot!(desk.shot());
    assert!(desk.shot().is_ascii());
}

#[test]
fn nothing_is_read_for_a_screen_of_20_by_5() {
    let mut desk = filled(80, 24, colored(), 50);
    desk.tell(Msg::Resize(20, 5));
    assert_eq!(asks(&mut desk), [HistoryAsk::GoOn(false)]);
    insta::assert_snapshot!(desk.shot());
    desk.tell(Msg::Resize(80, 24));
    assert_eq!(asks(&mut desk).first(), Some(&HistoryAsk::GoOn(true)));
}

#[test]
fn an_event_a_run_and_a_report_are_opened_whole() {
    let mut desk = filled(80, 24, colored(), 50);
    desk.press("jjjj<enter>");
    let place = event(4).place;
    assert_eq!(asks(&mut desk), [HistoryAsk::Open { shelf: Shelf::Events, place }]);
    assert!(desk.shot().contains("looking ..."));
    let more =
        serde_json::json!({ "action": "stop", "by": "ana", "tty": null, "signal": "SIGTERM", "bots": ["a", "b"] });
    let whole = Event {
        at: place.time(),
        bot: Some("grid-btc".parse().expect("a name")),
        kind: "asked".into(),
        text: "stop grid-btc \x1b[31mred\x1b[0m".into(),
        more: more.as_object().expect("an object").clone(),
    };
    let entry = WholeEntry::Event("bots/grid-btc/events".into(), Ok(whole.clone()));
    tell(&mut desk, HistoryNews::Whole(place, Box::new(entry)));
    insta::assert_snapshot!(desk.shot());
    desk.press("<esc>v");
    assert_eq!((&desk.model.focus, desk.model.history.open.is_none()), (&Focus::Panes, true));
    answer(&mut desk, 9);
    desk.press("jj<enter>");
    let What::Run(seen) = run(2).what else { panic!("a run") };
    let told = |number: i64, kind: &str| (event(number).place, kind.to_owned(), format!("{kind} of it"));
    let events = vec![told(9, "started"), told(5, "exited"), told(4, "backoff")];
    let entry = WholeEntry::Run(seen, Some("grid-btc".into()), events);
    tell(&mut desk, HistoryNews::Whole(run(2).place, Box::new(entry)));
    insta::assert_snapshot!(desk.shot());
    desk.press("<enter>v");
    answer(&mut desk, 9);
    desk.press("j<enter>");
    let bots: Vec<BotReport> = ["a", "b"].map(|name| BotReport::new(name.parse().expect("a name"))).into();
    let mut all = Report::of("estop", "ana", place.time(), bots);
    all.reason = Some("a test".into());
    let entry = WholeEntry::Report {
        event: ("events".into(), Ok(Event { bot: None, kind: "report".into(), ..whole })),
        bots: all.bots.clone(),
        clusters: Vec::new(),
        all: Some(Box::new(all)),
        trouble: None,
    };
    tell(&mut desk, HistoryNews::Whole(report(1).place, Box::new(entry)));
    insta::assert_snapshot!(desk.shot());
    desk.press("Gq");
    assert_eq!(desk.model.focus, Focus::Panes);
    desk.press("<enter>");
    tell(&mut desk, HistoryNews::Whole(report(1).place, Box::new(WholeEntry::Gone)));
    assert!(desk.shot().contains("It is not there any more"));
}

#[test]
fn the_same_keys_on_a_screen_of_60_by_15() {
    let mut desk = filled(60, 15, colored(), 5213);
    desk.press("G");
    answer(&mut desk, 5213);
    insta::assert_snapshot!(desk.shot());
    desk.press("/bot:grid !kind:ready");
    answer(&mut desk, 3);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_cursor_goes_through_a_history_of_any_length_a_page_at_a_time() {
    let mut desk = filled(80, 24, colored(), 5213);
    let mut at = 0;
    for _ in 0..1100 {
        desk.press("<pgdn>");
        answer(&mut desk, 5213);
        let now = chosen(&desk);
        assert!(now > at || now == 5212, "{at} {now}");
        at = now;
    }
    assert_eq!(at, 5212);
    for _ in 0..3000 {
        desk.press("k");
        answer(&mut desk, 5213);
    }
    assert_eq!(chosen(&desk), 2212);
    for _ in 0..600 {
        desk.press("<pgup>");
        answer(&mut desk, 5213);
    }
    assert_eq!(chosen(&desk), 0);
    desk.press("G");
    answer(&mut desk, 5213);
    assert_eq!(chosen(&desk), 5212);
    assert!(desk.shot().contains("of 5,213"));
    desk.press("g");
    answer(&mut desk, 5213);
    assert_eq!(chosen(&desk), 0);
}

#[test]
fn what_is_new_comes_at_the_top_and_the_cursor_stays_with_its_row() {
    let mut desk = filled(80, 24, colored(), 50);
    // Whoever stands at the newest sees the newest.
    let newer =
        |number: i64| Entry { place: Place { at: (NOON + number) * 1_000_000_000, id: 200_000 + number }, ..event(1) };
    let add = |desk: &mut Desk, count: i64| {
        looked(desk, Looked { changed: true, ..Looked::default() });
        let asked = asks(desk);
        let Some(HistoryAsk::Rows { view, from: Anchor::Newest, .. }) = asked.first().cloned() else {
            panic!("{asked:?}")
        };
        let rows = (1..=count).rev().map(newer).chain((0..50).map(event)).collect();
        tell(desk, HistoryNews::Rows { view, from: Anchor::Newest, rows, before: 0, total: 50 + count as u64 });
    };
    add(&mut desk, 1);
    assert_eq!(desk.model.history.chosen().expect("a row").place, newer(1).place);
    desk.press("jjj");
    let under = desk.model.history.chosen().cloned();
    let row_of = |desk: &Desk| rows(&desk.buffer()).iter().position(|row| row.contains('▸') && row.contains("03-04"));
    let row = row_of(&desk);
    add(&mut desk, 2);
    assert_eq!((desk.model.history.chosen(), row_of(&desk)), (under.as_ref(), row), "it stands still");
}

#[test]
fn nothing_is_asked_while_nobody_looks() {
    let mut desk = Desk::new(80, 24).survey();
    desk.asked.clear();
    desk.wait(60);
    assert_eq!(asks(&mut desk), []);
    desk.press("7");
    let asked = asks(&mut desk);
    assert_eq!(asked[0], HistoryAsk::GoOn(true));
    assert!(matches!(
        &asked[1..],
        [HistoryAsk::View { shelf: Shelf::Events, .. }, HistoryAsk::Rows { from: Anchor::Newest, .. }]
    ));
    desk.wait(60);
    assert_eq!(asks(&mut desk), [], "one question at a time");
    desk.press("4");
    assert_eq!(asks(&mut desk), [HistoryAsk::GoOn(false)]);
    desk.press("7z");
    assert_eq!(asks(&mut desk), [HistoryAsk::GoOn(true)]);
    desk.press("1");
    assert_eq!(asks(&mut desk), [HistoryAsk::GoOn(false)], "the list has the whole screen");
}

#[test]
fn an_answer_to_what_nobody_asks_any_more_is_passed_over() {
    let mut desk = looking(80, 24, colored());
    let first = asks(&mut desk);
    let Some(HistoryAsk::Rows { view, from, .. }) = first.last().cloned() else { panic!("{first:?}") };
    desk.press("v");
    let late = HistoryNews::Rows { view, from, rows: vec![event(0)], before: 0, total: 1 };
    tell(&mut desk, late);
    assert_eq!(desk.model.history.chosen(), None);
    answer(&mut desk, 3);
    assert!(matches!(desk.model.history.chosen().map(|entry| &entry.what), Some(What::Run(_))));
}

#[test]
fn a_filter_is_typed_and_cleared() {
    let mut desk = filled(80, 24, colored(), 50);
    desk.press("/KIND:exited x<backspace><backspace>");
    let filters: Vec<String> = asks(&mut desk)
        .into_iter()
        .filter_map(|ask| if let HistoryAsk::View { filter, .. } = ask { Some(filter) } else { None })
        .collect();
    assert_eq!(filters.last().map(String::as_str), Some("KIND:exited"));
    let view =
        HistoryNews::Rows { view: filters.len() as u64, from: Anchor::Newest, rows: vec![], before: 0, total: 0 };
    desk.press("<enter>");
    tell(&mut desk, view);
    let shot = desk.shot();
    assert!(shot.contains("/KIND:exited") && shot.contains("none of the events fits; Esc clears"), "{shot}");
    desk.press("<esc>");
    assert_eq!((desk.model.history.filter(), desk.model.pane), ("", Pane::History));
    desk.press("/mm<esc>");
    assert_eq!(desk.model.history.filter(), "");
    desk.press("<esc>");
    assert_eq!(desk.model.pane, Pane::Bots);
}

#[test]
fn its_title_says_how_old_it_is_and_what_is_wrong() {
    let mut desk = filled(80, 24, colored(), 50);
    desk.wait(2);
    assert!(desk.shot().contains("read 2s ago"), "{}", desk.shot());
    desk.wait(20);
    assert!(desk.shot().contains("STALE, read 20s ago"), "{}", desk.shot());
    looked(&mut desk, Looked { percent: Some(45), ..Looked::default() });
    let shot = desk.shot();
    assert!(shot.contains("reading event files: 45%") && !shot.contains("STALE, read"), "{shot}");
    tell(&mut desk, HistoryNews::Trouble("botwarden.db: it cannot be opened".into()));
    let _ = asks(&mut desk);
    let mut wide = filled(120, 36, colored(), 0);
    tell(&mut wide, HistoryNews::Trouble("botwarden.db: it cannot be opened".into()));
    assert!(wide.shot().contains("botwarden.db: it cannot be opened"), "{}", wide.shot());
    // It is tried again, and not at once.
    assert_eq!(asks(&mut desk), []);
    desk.wait(1);
    assert_eq!(asks(&mut desk)[0], HistoryAsk::GoOn(true));
    looked(&mut desk, Looked::default());
    assert!(!desk.model.history.is_troubled());
}

#[test]
fn lines_that_cannot_be_read_are_counted_in_the_title_and_told_once() {
    let mut desk = filled(120, 36, colored(), 50);
    let torn = |count, percent| Looked {
        odd: vec![("bots/crash/events".into(), count), ("events".into(), 1)],
        percent,
        ..Looked::default()
    };
    looked(&mut desk, torn(1, Some(50)));
    assert_eq!(notes(&mut desk), [""; 0], "they are told when all was read");
    looked(&mut desk, torn(3, None));
    let told =
        "4 lines of the event files cannot be read and are not in the history: bots/crash/events (3), events (1)";
    let shot = desk.shot();
    assert!(shot.contains(" 4 lines unreadable ") && shot.contains("4 lines of the event files"), "{shot}");
    assert_eq!(notes(&mut desk), [told]);
    looked(&mut desk, torn(3, None));
    assert_eq!(notes(&mut desk), [""; 0]);
    looked(&mut desk, Looked::default());
    assert!(!desk.shot().contains("unreadable"), "{}", desk.shot());
}

#[test]
fn what_happened_to_the_index_is_told_whole_once_and_leaves_the_title_after_a_minute() {
    let mut desk = filled(120, 36, colored(), 50);
    for (short, whole) in [
        ("index rebuilt", "the index of the history was damaged (why), is kept as NAME, and was built anew"),
        ("events of crash begin anew", "bots/crash/events was cut off or replaced: gone (7 events)"),
    ] {
        let notice = Notice { short: short.into(), whole: whole.into() };
        looked(&mut desk, Looked { notices: vec![notice], ..Looked::default() });
        let shot = desk.shot();
        assert!(shot.contains(&format!(" {short} ")) && shot.contains(whole), "{shot}");
        assert_eq!(notes(&mut desk), [whole]);
        desk.wait(59);
        assert!(desk.shot().contains(&format!(" {short} ")), "{}", desk.shot());
        desk.wait(1);
        looked(&mut desk, Looked::default());
        assert!(!desk.shot().contains(short), "{}", desk.shot());
        assert_eq!(notes(&mut desk), [""; 0]);
    }
}

#[test]
fn a_run_without_an_end_says_whether_it_still_runs() {
    let began = NOON - 600;
    let shown = |state, seen: Option<i64>| {
        let mut desk = filled(120, 36, colored(), 0);
        let mut bot = screen::bot("grid-btc", botwarden::core::bot::Mode::Paper, state);
        bot.started_at = seen.map(|at| jiff::Timestamp::from_second(at).expect("a time"));
        desk.tell(Msg::Survey(vec![bot]));
        desk.press("v");
        let Some(HistoryAsk::Rows { view, from, .. }) = asks(&mut desk).pop() else { panic!("rows are asked for") };
        let place = Place { at: began * 1_000_000_000, id: 1 };
        let run = RunSeen { run: "r".into(), started: Some(place.at), last: "ready".into(), ..RunSeen::default() };
        let entry = Entry { place, bot: Some("grid-btc".into()), what: What::Run(run) };
        tell(&mut desk, HistoryNews::Rows { view, from, rows: vec![entry], before: 0, total: 1 });
        let line = rows(&desk.buffer()).into_iter().find(|row| row.contains("ready")).expect("the run");
        ["runs (ready)", "its end was not written down; ready", "no end is written down; ready"]
            .into_iter()
            .find(|words| line.contains(words))
            .map_or(line.clone(), str::to_owned)
    };
    for state in [State::Running, State::Starting, State::Stopping] {
        assert_eq!(shown(state, Some(began + 2)), "runs (ready)", "{state:?}");
    }
    let over = "its end was not written down; ready";
    assert_eq!(shown(State::Running, Some(began + 60)), over, "the next one runs");
    for state in [State::Stopped, State::Exited, State::Crashed, State::Backoff, State::Failed] {
        assert_eq!(shown(state, None), over, "{state:?}");
    }
    assert_eq!(shown(State::Unknown, Some(began)), "no end is written down; ready");
    assert_eq!(shown(State::Running, None), "no end is written down; ready");
}

#[test]
fn headings_stand_above_the_rows_where_there_is_room() {
    let headings = |desk: &Desk| {
        let lines = rows(&desk.buffer());
        let at = lines.iter().position(|row| row.contains(" AT ") && row.contains(" BOT "))?;
        Some((lines[at].clone(), lines[at + 1].clone()))
    };
    let mut desk = filled(120, 36, colored(), 50);
    for words in ["KIND TEXT", "RAN HOW IT ENDED", "COMMAND EXIT BY TEXT"] {
        let (line, first) = headings(&desk).expect("headings");
        let told: Vec<&str> = line.split_whitespace().collect();
        assert!(told.join(" ").contains(words), "{line}");
        assert!(first.contains("03-04"), "{first}");
        desk.press("v");
        answer(&mut desk, 7);
    }
    let small = filled(60, 15, colored(), 50);
    let rows = botwarden::tui::layout::history_page(&small.model);
    assert!(headings(&small).is_some() == (rows >= 5), "{rows}");
}

#[test]
fn columns_stay_aligned_and_no_cell_is_left_over_whatever_stands_in_a_row() {
    for (width, height) in [(120, 36), (80, 24), (60, 15), (61, 16), (200, 50)] {
        for ascii in [true, false] {
            let desk = filled(width, height, Fixed { ascii, ..colored() }, 50);
            for row in rows(&desk.buffer()) {
                assert!(text::width(&row) <= usize::from(width) && !row.contains('\x1b'), "{row}");
                assert!(!ascii || row.is_ascii(), "{row}");
            }
        }
    }
}

#[test]
fn rows_say_in_words_what_they_say_in_colours() {
    let desk = filled(120, 36, colored(), 50);
    let buffer = desk.buffer();
    let lines = rows(&buffer);
    let mut seen = 0;
    for (number, line) in
        lines.iter().enumerate().filter(|(_, line)| line.contains("03-04") && line.contains("failed "))
    {
        let cell = buffer.cell((20, number as u16)).expect("a cell");
        assert!(cell.fg == Color::Red && cell.modifier.contains(Modifier::BOLD), "{line}");
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn no_tab_is_cut_at_80_columns_however_much_there_is() {
    let mut desk = Desk::new(80, 24).survey();
    let mut many = Vec::new();
    for number in 0..2000 {
        many.push(screen::bot(&format!("bot-{number}"), botwarden::core::bot::Mode::Paper, State::Running));
    }
    desk.tell(Msg::Survey(many));
    desk.press("*");
    for keys in ["1", "2", "3", "4", "5", "6", "7"] {
        desk.press(keys);
        let tabs = rows(&desk.buffer()).into_iter().find(|row| row.contains("5 Diag")).expect("tabs");
        for tab in ["1 Bots", "2 Orders", "3 Cluster", "4 Logs", "5 Diag", "6 Stops", "7 Hist", "]"] {
            assert!(tabs.contains(tab), "{tab}: {tabs}");
        }
    }
}

#[test]
fn a_row_is_copied_an_entry_too_and_what_is_held_is_saved_with_what_is_not() {
    let copied = |desk: &mut Desk| {
        let copy = |effect| if let Effect::Copy(text) = effect { Some(text) } else { None };
        desk.asked.drain(..).filter_map(copy).next_back().expect("something is copied")
    };
    let mut desk = looking(120, 36, Fixed::default());
    answer(&mut desk, 5000);
    desk.press("jy");
    let row = copied(&mut desk);
    assert!(row.contains("mm-eth") && row.lines().count() == 1, "{row}");
    desk.press("<enter>");
    let place = desk.model.history.open.as_ref().expect("it is open").entry.place;
    tell(&mut desk, HistoryNews::Whole(place, Box::new(WholeEntry::Gone)));
    desk.press("y");
    assert!(copied(&mut desk).contains("It is not there any more"));
    desk.press("<esc>S<enter>");
    let save = |effect| if let Effect::Save(_, text) = effect { Some(text) } else { None };
    let text = desk.asked.drain(..).find_map(save).expect("it is saved");
    assert!(text.lines().count() > 100);
    assert!(text.trim_end().ends_with("of 5,000; `botwarden events -n 5000` has every event)"), "{text}");
}
