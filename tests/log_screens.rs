//! The logs on the screen without a terminal: keys and what is told of logs go in, and what is drawn, and asked of whoever
//! reads them, comes out. Beside the snapshots a walk of keys and news on a log that is not there.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use botwarden::core::bot::BotName;
use botwarden::core::level::Level;
use botwarden::core::ui::Stamps;
use botwarden::tui::effect::Effect;
use botwarden::tui::log_news::{Ends, Found, HELD, Line, LogAsk, LogEvent, LogNews, Sought, SourceSeen};
use botwarden::tui::message::Msg;
use botwarden::tui::model::Fixed;
use botwarden::tui::text;
use jiff::tz::{self, TimeZone};
use ratatui::style::{Color, Modifier, Style};

use screen::{Desk, LOG, rows, shown, specs};

/// All that is held of these.
const ALL: Ends = Ends { at_start: true, newer: 0 };

fn seen(desk: &Desk) -> String {
    rows(&desk.buffer()).join("\n")
}

/// What was asked of whoever reads since somebody looked last.
fn asks(desk: &mut Desk) -> Vec<LogAsk> {
    let ask = |effect| if let Effect::Log(ask) = effect { Some(ask) } else { None };
    desk.asked.drain(..).filter_map(ask).collect()
}

fn source(bot: &str) -> SourceSeen {
    let bot = bot.parse().expect("a name");
    SourceSeen { bot, file: None, run: Some("0001".into()), quiet: Some(Duration::from_secs(3)), trouble: None }
}

/// Numbered lines, from the middle of a log.
fn numbered(numbers: Range<u64>) -> Vec<Line> {
    numbers.map(|number| shown(&format!("line {number}"))).collect()
}

/// A line with a time of its own in front of it.
fn stamped(at: &str, text: &str) -> Line {
    let line = shown(&format!("{at} {text}"));
    Line { at: Some(at.parse().expect("a time")), stamp: at.len() + 1, ..line }
}

fn of(of: usize, line: Line) -> Line {
    Line { of, ..line }
}

fn belonging(to: &Line, text: &str) -> Line {
    Line { at: to.at, level: to.level, belongs: true, ..shown(text) }
}

/// A screen with the keys in the logs, and these lines in them, which is all that there is.
fn with_lines(width: u16, height: u16, lines: Vec<Line>) -> Desk {
    on(Desk::new(width, height).survey(), lines)
}

fn on(mut desk: Desk, lines: Vec<Line>) -> Desk {
    desk.press("4");
    let bots: Vec<String> = desk.model.log.view.of.iter().map(|whose| whose.bot.to_string()).collect();
    desk.hear(LogEvent::Sources(bots.iter().map(|bot| source(bot)).collect()));
    desk.hear(LogEvent::Anew { first: 1000, lines, ends: ALL, stand: None });
    desk.asked.clear();
    desk
}

/// Some lines as a bot writes them.
fn usual() -> Vec<Line> {
    let error = stamped("2026-03-04T14:32:01.911Z", "ERROR cancel rejected id=OAB-702: EOrder:Unknown order");
    vec![
        stamped("2026-03-03T23:59:58.120Z", "INFO  quote refresh bid=61250.0 ask=62500.0"),
        stamped("2026-03-04T14:31:59.004Z", "INFO  order ack id=OAB-771 side=BUY qty=0.0500"),
        stamped("2026-03-04T14:32:01.337Z", "WARN  ws ping rtt 812ms (limit 500ms)"),
        error.clone(),
        belonging(&error, "Traceback (most recent call last):"),
        belonging(&error, "  File \"bot.py\", line 812, in cancel"),
        stamped("2026-03-04T14:32:02.015Z", "INFO  reconcile: 4 local / 4 venue, 0 diff"),
        shown("a line that says nothing about when"),
        stamped("2026-03-04T14:32:06.871Z", "DEBUG cancel sweep"),
    ]
}

// How it looks.

#[test]
fn the_end_is_followed() {
    for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
        let desk = with_lines(width, height, LOG.iter().map(|line| shown(line)).collect());
        insta::assert_snapshot!(format!("following_{width}x{height}"), desk.shot());
    }
}

#[test]
fn a_log_that_stands_still_says_what_is_below() {
    for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
        let mut desk = with_lines(120, 36, numbered(1000..2000));
        desk.press("<pgup><pgup>k");
        desk.tell(Msg::Resize(width, height));
        desk.hear(LogEvent::Back { lines: numbered(2000..2100), cut: 0, ends: Ends { newer: 4 << 20, ..ALL } });
        insta::assert_snapshot!(format!("paused_{width}x{height}"), desk.shot());
    }
}

#[test]
fn a_search_in_the_log_that_has_paused_it() {
    let lines: Vec<Line> = std::iter::repeat_n(LOG, 5).flatten().map(shown).collect();
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        let mut desk = with_lines(width, height, lines.clone());
        desk.press("/CANCEL<enter>");
        let from = 1000 + 35;
        let search = LogAsk::Search(1, Sought::Pattern("CANCEL".into()));
        assert_eq!(asks(&mut desk), [search, LogAsk::Hold(true), LogAsk::Step { from, forward: false }]);
        assert!(seen(&desk).contains("/CANCEL ..."));
        desk.hear(LogEvent::Stepped { line: 1034, nth: None });
        desk.hear(LogEvent::Found(Found { search: 1, total: 4, done: false }));
        assert!(seen(&desk).contains("/CANCEL 4 matches ..."), "{}", seen(&desk));
        desk.press("NN");
        let step = LogAsk::Step { from: 1034, forward: false };
        assert_eq!(asks(&mut desk), [step.clone(), step]);
        desk.hear(LogEvent::Stepped { line: 1031, nth: Some(9) });
        desk.hear(LogEvent::Found(Found { search: 1, total: 10, done: true }));
        desk.hear(LogEvent::Stepped { line: 1017, nth: Some(5) });
        insta::assert_snapshot!(format!("searched_{width}x{height}"), desk.shot());
        desk.press("<esc>");
        assert_eq!(asks(&mut desk), [LogAsk::Unsearch]);
        assert!(!seen(&desk).contains("CANCEL 5"));
    }
}

#[test]
fn errors_are_found_from_the_end_upwards() {
    let mut desk = with_lines(80, 24, usual());
    desk.press("e");
    let asked = asks(&mut desk);
    assert_eq!(asked.first(), Some(&LogAsk::Search(1, Sought::Errors)));
    assert_eq!(asked.last(), Some(&LogAsk::Step { from: 1009, forward: false }));
    desk.hear(LogEvent::Found(Found { search: 1, total: 1, done: true }));
    desk.hear(LogEvent::Stepped { line: 1003, nth: Some(1) });
    insta::assert_snapshot!(desk.shot());
    desk.press("e");
    assert_eq!(asks(&mut desk), [LogAsk::Step { from: 1003, forward: false }]);
    desk.press("n");
    assert_eq!(asks(&mut desk), [LogAsk::Step { from: 1003, forward: true }]);
}

#[test]
fn only_lines_from_a_level_on() {
    let mut desk = with_lines(80, 24, usual());
    desk.press("/cancel<enter>");
    asks(&mut desk);
    let number = desk.model.log.view.number;
    for (least, word) in [(Some(Level::Info), "INFO"), (Some(Level::Warning), "WARN")] {
        desk.press("v");
        assert_eq!(desk.model.log.view.least, least);
        let asked = asks(&mut desk);
        let (Some(LogAsk::Open(view)), Some(LogAsk::Search(1, _))) = (asked.first(), asked.get(1)) else {
            panic!("{asked:?}")
        };
        assert_eq!(*view, desk.model.log.view, "the search stays");
        assert!(seen(&desk).contains(&format!("level>={word}")));
    }
    assert_eq!(desk.model.log.view.number, number + 2);
    let loud = usual().into_iter().filter(|line| line.level >= Some(Level::Warning)).collect();
    desk.hear(LogEvent::Sources(vec![source("arb-tri")]));
    desk.hear(LogEvent::Anew { first: 0, lines: loud, ends: ALL, stand: None });
    desk.hear(LogEvent::Found(Found { search: 1, total: 2, done: true }));
    insta::assert_snapshot!(desk.shot());
    desk.press("vv");
    assert_eq!(desk.model.log.view.least, None);
    let mut desk = with_lines(80, 24, usual());
    desk.press("vvv");
    desk.hear(LogEvent::Anew { first: 0, lines: vec![], ends: ALL, stand: None });
    assert!(seen(&desk).contains("no line is at least ERROR; v shows others"));
}

/// Three bots, merged by time.
fn merged(fixed: Fixed, width: u16, height: u16) -> Desk {
    let mut desk = Desk::with(120, 36, fixed).survey();
    desk.press(" j jj m");
    desk.tell(Msg::Resize(width, height));
    let bots: Vec<BotName> = desk.model.log.view.of.iter().map(|whose| whose.bot.clone()).collect();
    assert_eq!(bots.iter().map(BotName::as_str).collect::<Vec<_>>(), ["arb-tri", "grid-btc", "recorder"]);
    let lines = usual().into_iter().enumerate().map(|(at, line)| of(if line.belongs { 0 } else { at % 3 }, line));
    let lines = lines.collect();
    desk.hear(LogEvent::Sources(bots.iter().map(|bot| source(bot.as_str())).collect()));
    desk.hear(LogEvent::Anew { first: 1000, lines, ends: ALL, stand: None });
    desk
}

#[test]
fn the_logs_of_three_bots_are_merged_by_time() {
    for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
        let desk = merged(Fixed { color: true, ..Fixed::default() }, width, height);
        insta::assert_snapshot!(format!("merged_{width}x{height}"), desk.shot());
    }
    let desk = merged(Fixed { ascii: true, ..Fixed::default() }, 80, 24);
    assert!(rows(&desk.buffer()).iter().all(|row| row.is_ascii()));
    insta::assert_snapshot!("merged_in_ascii_without_colour", desk.shot());
}

#[test]
fn long_lines_are_wrapped_and_wide_characters_stay_whole() {
    for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
        let mut lines = usual();
        lines.push(shown(&"日本語".repeat(40)));
        lines.push(shown(&format!("x{}", "e\u{301}界".repeat(60))));
        lines.push(stamped("2026-03-04T14:32:07Z", &format!("ERROR {}", "0123456789".repeat(20))));
        let mut desk = with_lines(120, 36, lines);
        desk.press("w");
        desk.tell(Msg::Resize(width, height));
        insta::assert_snapshot!(format!("wrapped_{width}x{height}"), desk.shot());
    }
}

#[test]
fn times_are_shown_in_four_ways() {
    let zone = TimeZone::fixed(tz::offset(-5));
    let fixed = Fixed { color: true, zone: Some(zone), ..Fixed::default() };
    let mut desk = on(Desk::with(80, 24, fixed).survey(), usual());
    for stamps in [Stamps::Local, Stamps::Utc, Stamps::Relative, Stamps::Off] {
        assert_eq!(desk.model.stamps, stamps);
        insta::assert_snapshot!(format!("times_{}", stamps.word()), desk.shot());
        desk.press("t");
    }
    assert_eq!(desk.model.stamps, Stamps::Local);
}

#[test]
fn relative_times_tick_in_steps() {
    let mut desk = with_lines(80, 24, vec![stamped("2026-03-04T14:31:30Z", "INFO  a")]);
    desk.press("tt");
    let line = |desk: &Desk| rows(&desk.buffer()).into_iter().find(|row| row.contains("INFO  a")).expect("a line");
    assert!(line(&desk).contains("  30s INFO"), "{}", line(&desk));
    let before = line(&desk);
    desk.wait(2);
    assert_eq!(line(&desk), before);
    desk.wait(1);
    assert!(line(&desk).contains("  40s INFO"), "{}", line(&desk));
}

#[test]
fn lines_without_times_have_no_column_for_them() {
    let desk = with_lines(80, 24, LOG.iter().map(|line| shown(line)).collect());
    assert!(seen(&desk).contains("│ 14:32:01.337 WARN  ws"));
    assert!(!seen(&desk).contains("UTC"));
}

fn hostile() -> Vec<Line> {
    let megabyte = "\u{feff}x\0".repeat(1 << 18);
    let texts = [
        "👩\u{200d}👩\u{200d}👧 family 🏳\u{fe0f}\u{200d}🌈 🇩🇪",
        "日本語 中文 한국어",
        "e\u{301}\u{301}\u{301}\u{301}\u{301} a\u{20dd}\u{20dd}\u{20dd}",
        "\u{202e}right to left\u{202c} שלום \u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629}",
        "tabs\tand\tmore\ttabs",
        "nul\0bel\x07esc\x1b[2Jcsi\u{9b}31m osc\x1b]0;title\x07end",
        megabyte.as_str(),
        "क्षि த்ரு \u{1100}\u{1161}\u{11a8}",
        "",
    ];
    texts.iter().map(|text| shown(text)).collect()
}

#[test]
fn every_row_ends_at_the_border_whatever_a_bot_writes() {
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        for keys in ["", "w", "<right>", "<right><right><left>", "m", "mwt", "vw"] {
            for ascii in [false, true] {
                let fixed = Fixed { color: !ascii, ascii, ..Fixed::default() };
                let mut desk = on(Desk::with(width, height, fixed).survey(), hostile());
                desk.press(keys);
                desk.hear(LogEvent::Anew { first: 7, lines: hostile(), ends: ALL, stand: None });
                let rows = rows(&desk.buffer());
                let (edge, corner) = if ascii { ('|', '+') } else { ('│', '┐') };
                let top = rows.iter().position(|row| row.contains("4 Logs ") && row.ends_with(corner)).expect("logs");
                for row in rows.iter().skip(top).take_while(|row| !row.starts_with(' ')) {
                    assert_eq!(text::width(row), usize::from(width), "{keys}: {row}");
                    assert!(row.ends_with([edge, '+', '┐', '┘']), "{keys}: {row}");
                    assert!(!row.contains('\x1b') && !row.contains('\0'));
                }
            }
        }
    }
    let mut desk = with_lines(80, 24, hostile());
    insta::assert_snapshot!("hostile", desk.shot());
    desk.press("<right>");
    insta::assert_snapshot!("hostile_sideways", desk.shot());
    desk.press("w");
    insta::assert_snapshot!("hostile_wrapped", desk.shot());
}

#[test]
fn the_colours_of_a_bot_are_kept_and_matches_are_marked_where_they_are() {
    let green = Style::new().fg(Color::Green);
    let line = Line { colors: vec![(4..9, green)], ..shown("the green cancel, and cancel again") };
    let mut desk = with_lines(80, 24, vec![line, shown("cancel here")]);
    desk.press("/cancel<enter>");
    desk.hear(LogEvent::Stepped { line: 1001, nth: Some(2) });
    let buffer = desk.buffer();
    let row = rows(&buffer).iter().position(|row| row.contains("the green")).expect("a line") as u16;
    let cell = |x: u16, y: u16| buffer.cell((x, y)).expect("a cell");
    assert_eq!(cell(2 + 4, row).fg, Color::Green);
    assert_eq!(cell(2 + 3, row).fg, Color::Reset);
    let marked = |x: u16, y: u16| cell(x, y).modifier.contains(Modifier::UNDERLINED);
    let reversed = |x: u16, y: u16| cell(x, y).modifier.contains(Modifier::REVERSED);
    assert!(marked(2 + 10, row) && marked(2 + 15, row) && !marked(2 + 16, row) && marked(2 + 22, row));
    assert!(!reversed(2 + 10, row) && reversed(2, row + 1) && reversed(2 + 8, row + 1));
    desk.model.fixed.color = false;
    assert!(desk.buffer().content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

// Where the reader stands, and what is asked for.

#[test]
fn a_log_that_is_scrolled_up_stands_still_while_lines_arrive() {
    let mut desk = with_lines(120, 24, numbered(0..100));
    desk.press("kkk");
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true)]);
    let lines = |desk: &Desk| rows(&desk.buffer()).into_iter().filter(|r| r.contains("line ")).collect::<Vec<_>>();
    let before = lines(&desk);
    desk.hear(LogEvent::Back { lines: numbered(100..4000), cut: 0, ends: ALL });
    assert_eq!(lines(&desk)[1..], before[1..]);
    assert!(seen(&desk).contains("PAUSED, 3903 below; f follows"), "{}", seen(&desk));
    desk.hear(LogEvent::Ends(Ends { newer: 812 << 10, ..ALL }));
    assert!(seen(&desk).contains("PAUSED, 3903 lines + 812K below; f follows"), "{}", seen(&desk));
    assert_eq!(lines(&desk)[1..], before[1..]);
    desk.hear(LogEvent::Front { lines: numbered(0..700), cut: 3000, ends: Ends { at_start: false, newer: 9 << 20 } });
    assert_eq!(lines(&desk)[1..], before[1..]);
    desk.press("f");
    assert_eq!(asks(&mut desk).last(), Some(&LogAsk::Last));
    assert!(seen(&desk).contains("PAUSED"), "what was asked for has not come");
    desk.press("f");
    desk.press("G");
    assert!(!asks(&mut desk).contains(&LogAsk::Last), "it was asked for");
    desk.hear(LogEvent::Anew { first: 5000, lines: numbered(5000..5100), ends: ALL, stand: None });
    assert!(seen(&desk).contains("line 5099") && seen(&desk).contains("FOLLOW"));
    assert_eq!(asks(&mut desk), []);
}

#[test]
fn scrolled_down_to_the_very_end_it_follows_again() {
    let mut desk = with_lines(80, 24, numbered(0..100));
    desk.press("<pgup><pgdn>");
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true), LogAsk::Hold(false)]);
    desk.press("<pgup>");
    desk.hear(LogEvent::Ends(Ends { newer: 1, ..ALL }));
    desk.press("<pgdn><pgdn>");
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true), LogAsk::After(1000)]);
    assert!(seen(&desk).contains("PAUSED, 0 lines + 1K below"), "{}", seen(&desk));
    desk.hear(LogEvent::Back { lines: numbered(100..101), cut: 0, ends: ALL });
    assert!(seen(&desk).contains("PAUSED, 1 below"), "{}", seen(&desk));
    desk.press("j");
    assert!(seen(&desk).contains("FOLLOW") && seen(&desk).contains("line 100"));
}

#[test]
fn more_is_asked_for_in_time_and_once() {
    let mut desk = with_lines(80, 24, vec![]);
    let ends = Ends { at_start: false, newer: 0 };
    desk.hear(LogEvent::Anew { first: 9000, lines: numbered(9000..9500), ends, stand: None });
    assert_eq!(asks(&mut desk), [], "who follows needs no more");
    desk.press(&"<pgup>".repeat(100));
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true), LogAsk::Before(1000)]);
    desk.press("kkk");
    desk.hear(LogEvent::Ends(Ends { newer: 5, ..ends }));
    assert_eq!(asks(&mut desk), [], "one question at a time");
    desk.hear(LogEvent::Front { lines: numbered(8000..9000), cut: 0, ends });
    assert!(seen(&desk).contains("line 9000"), "{}", seen(&desk));
    assert_eq!(asks(&mut desk), []);
    desk.press("g");
    assert_eq!(asks(&mut desk), [LogAsk::First(1000)]);
    assert!(seen(&desk).contains("reading ..."));
    desk.press("gG");
    assert_eq!(asks(&mut desk), [], "the beginning is on its way; the end comes after it");
    desk.hear(LogEvent::Anew { first: 10, lines: numbered(10..1010), ends: Ends { newer: 99, ..ALL }, stand: None });
    assert!(seen(&desk).contains("line 10\n") || seen(&desk).contains("line 10 "), "{}", seen(&desk));
    assert_eq!(asks(&mut desk), [LogAsk::Last]);
}

#[test]
fn a_question_that_brings_nothing_is_not_asked_again_in_the_same_place() {
    let mut desk = with_lines(80, 24, vec![]);
    let ends = Ends { at_start: false, newer: 0 };
    desk.hear(LogEvent::Anew { first: 9000, lines: numbered(9000..9100), ends, stand: None });
    desk.press("k");
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true), LogAsk::Before(1000)]);
    desk.hear(LogEvent::Front { lines: vec![], cut: 0, ends });
    desk.wait(1);
    assert_eq!(asks(&mut desk), []);
    desk.press("k");
    assert_eq!(asks(&mut desk), [LogAsk::Before(1000)]);
}

#[test]
fn lines_that_nobody_asked_for_make_nobody_follow_who_stands_still() {
    let mut desk = with_lines(80, 24, numbered(1000..1100));
    desk.press("k");
    desk.hear(LogEvent::Anew { first: 9000, lines: numbered(9000..9500), ends: ALL, stand: None });
    assert!(seen(&desk).contains("PAUSED") && seen(&desk).contains("line 9000"), "{}", seen(&desk));
    assert_eq!(asks(&mut desk), [LogAsk::Hold(true), LogAsk::Hold(true)], "whoever reads may be another one");
}

#[test]
fn a_match_elsewhere_in_the_log_is_brought_to_the_screen() {
    let mut desk = with_lines(80, 24, numbered(9000..9500));
    desk.press("/line 77<enter>");
    let ends = Ends { at_start: false, newer: 1 << 20 };
    desk.hear(LogEvent::Anew { first: 7000, lines: numbered(7000..8000), ends, stand: Some(7710) });
    desk.hear(LogEvent::Stepped { line: 7710, nth: None });
    let buffer = desk.buffer();
    let at = rows(&buffer).iter().position(|row| row.contains("line 7710")).expect("the match") as u16;
    assert!(buffer.cell((3, at)).expect("a cell").modifier.contains(Modifier::REVERSED));
    asks(&mut desk);
    desk.press("<pgdn><pgdn>n");
    let asked = asks(&mut desk);
    let Some(LogAsk::Step { from, forward: true }) = asked.last() else { panic!("{asked:?}") };
    assert!(*from > 7710 && *from < 7770, "from what the reader sees: {from}");
}

#[test]
fn a_search_that_finds_nothing_leaves_the_log_following() {
    let mut desk = with_lines(80, 24, numbered(0..100));
    desk.press("/nothing<enter>");
    assert!(asks(&mut desk).contains(&LogAsk::Hold(true)), "nothing goes in front while somebody is brought there");
    desk.hear(LogEvent::Found(Found { search: 1, total: 0, done: true }));
    assert_eq!(asks(&mut desk), [LogAsk::Hold(false)]);
    assert!(seen(&desk).contains("FOLLOW") && seen(&desk).contains("/nothing no match"));
    desk.press("n");
    assert_eq!(desk.feedback(), "no match; / searches");
    desk.press("<esc>/<enter>");
    assert!(asks(&mut desk).contains(&LogAsk::Search(2, Sought::Pattern("nothing".into()))), "the last one again");
}

#[test]
fn a_match_that_does_not_come_stops_nothing_for_long_and_the_title_says_what_goes_on() {
    let mut desk = with_lines(120, 36, numbered(0..100));
    desk.press("/nothing<enter>");
    assert!(asks(&mut desk).contains(&LogAsk::Hold(true)));
    let title = seen(&desk);
    assert!(title.contains("PAUSED, looking ...") && !title.contains("FOLLOW"), "{title}");
    desk.hear(LogEvent::Found(Found { search: 1, total: 0, done: false }));
    desk.wait(2);
    assert_eq!(asks(&mut desk), [LogAsk::Hold(false)], "what is written comes again");
    let title = seen(&desk);
    assert!(title.contains("FOLLOW") && title.contains("looking for a match ..."), "{title}");
    desk.hear(LogEvent::Stepped { line: 1040, nth: None });
    let title = seen(&desk);
    assert!(title.contains("PAUSED, ") && !title.contains("looking"), "{title}");
}

#[test]
fn whoever_is_asked_and_tells_nothing_has_not_seen_that_a_log_is_quiet() {
    let mut desk = with_lines(120, 36, numbered(0..100));
    desk.press("/nothing<enter>");
    assert!(seen(&desk).contains("last line 3s ago"));
    desk.wait(10);
    let title = seen(&desk);
    assert!(!title.contains("last line") && title.contains("looking for a match ..."), "{title}");
    let mut desk = with_lines(120, 36, numbered(0..100));
    desk.hear(LogEvent::Anew {
        first: 9000,
        lines: vec![],
        ends: Ends { at_start: false, newer: 9 << 20 },
        stand: None,
    });
    let title = seen(&desk);
    assert!(title.contains("reading ...") && !title.contains("nothing written"), "{title}");
    desk.wait(10);
    let title = seen(&desk);
    assert!(!title.contains("last line"), "{title}");
    desk.hear(LogEvent::Anew { first: 9000, lines: numbered(0..100), ends: ALL, stand: None });
    assert!(seen(&desk).contains("last line"));
}

#[test]
fn a_search_that_is_no_regular_expression_is_made_for_the_text_and_says_so() {
    let mut desk = with_lines(120, 36, vec![shown("bid (61250"), shown("ask")]);
    desk.press("/(61<enter>");
    assert_eq!(desk.feedback(), "no regular expression, so searched for as text: (61");
    assert!(asks(&mut desk).contains(&LogAsk::Search(1, Sought::Pattern("\\(61".into()))));
    desk.hear(LogEvent::Found(Found { search: 1, total: 1, done: true }));
    desk.hear(LogEvent::Stepped { line: 1000, nth: Some(1) });
    assert!(seen(&desk).contains("/(61 1 of 1"));
    desk.press("/[<enter>");
    assert_eq!(desk.feedback(), "no regular expression, so searched for as text: [");
}

#[test]
fn a_log_without_a_line_has_no_last_one() {
    let mut desk = Desk::new(120, 36).survey();
    assert!(seen(&desk).contains("opening ..."));
    desk.log(&[]);
    assert!(!seen(&desk).contains("last line") && seen(&desk).contains("nothing written yet"));
    desk.log(&LOG);
    assert!(seen(&desk).contains("last line 3s ago"));
    desk.wait(20);
    assert!(seen(&desk).contains("last line 20s ago"), "also when nobody says anything");
}

#[test]
fn a_bots_own_log_file_stands_alone_or_is_told_from_its_output() {
    let with_log_file = |sources: Vec<SourceSeen>, lines: Vec<Line>| {
        let mut desk = Desk::new(80, 24).survey();
        let bot = desk.model.cursor.clone().expect("a bot");
        let mut specs = specs();
        let path = Some("/bots/logs/bot.log".into());
        specs.iter_mut().filter(|spec| spec.name == bot).for_each(|spec| spec.log_file.clone_from(&path));
        desk.tell(Msg::Configuration(Ok(specs)));
        let asked = asks(&mut desk);
        let Some(LogAsk::Open(view)) = asked.last() else { panic!("{asked:?}") };
        assert_eq!(view.of[0].file, path, "a changed configuration is followed");
        desk.hear(LogEvent::Sources(sources));
        desk.hear(LogEvent::Anew { first: 0, lines, ends: ALL, stand: None });
        desk
    };
    let output = source("arb-tri");
    let none =
        SourceSeen { run: None, quiet: None, trouble: Some("it has written no log yet".into()), ..output.clone() };
    let file = SourceSeen { file: Some("bot.log".into()), run: None, ..output.clone() };
    let why = "its log_file cannot be read: /bots/logs/bot.log: no such file or directory".to_owned();
    let missing = SourceSeen { quiet: None, trouble: Some(why), ..file.clone() };
    let error = shown("ERROR in the \x1b[2Jfile");

    let seen = seen(&with_log_file(vec![none.clone(), file.clone()], vec![error.clone()]));
    assert!(seen.contains("Logs  arb-tri bot.log ") && seen.contains("last line 3s ago"), "{seen}");
    assert!(seen.contains("│ ERROR in the file "), "{seen}");

    let marked = Line { file: Some("bot.log".into()), ..error };
    let ours = Line { ours: true, ..shown("--- bot.log begins anew ---") };
    let lines = vec![shown("caught"), marked, ours];
    let seen = self::seen(&with_log_file(vec![output.clone(), file], lines));
    assert!(seen.contains("Logs  arb-tri + bot.log "), "{seen}");
    assert!(seen.contains("│ caught ") && seen.contains("│ bot.log | ERROR in the file "), "{seen}");
    assert!(seen.contains("--- bot.log begins anew ---"), "{seen}");

    let seen = self::seen(&with_log_file(vec![none, missing.clone()], vec![]));
    assert!(seen.contains("it has written no log yet") && seen.contains(" no bot.log "), "{seen}");
    assert!(seen.contains("its log_file cannot be read: /bots/logs/bot.log: no such file or directory "), "{seen}");
    let why = "its log_file cannot be read: /bots/logs/bot.log: it is a folder, not a file".to_owned();
    let folder = SourceSeen { trouble: Some(why), ..missing.clone() };
    let seen = self::seen(&with_log_file(vec![output.clone(), folder], vec![shown("caught")]));
    assert!(seen.contains(" cannot read bot.log "), "{seen}");
    let seen = self::seen(&with_log_file(vec![output, missing], vec![shown("caught")]));
    assert!(seen.contains("caught") && seen.contains(" no bot.log "), "{seen}");
}

#[test]
fn merged_logs_are_those_of_the_marked_bots_and_stay_while_the_cursor_moves() {
    let mut desk = Desk::new(80, 24).survey();
    let whose = |desk: &Desk| desk.model.log.view.of.iter().map(|of| of.bot.to_string()).collect::<Vec<_>>();
    desk.press("m");
    assert_eq!(whose(&desk).len(), 8, "all that the list shows");
    assert!(seen(&desk).contains("4 Logs  8 bots by time"), "{}", seen(&desk));
    let number = desk.model.log.view.number;
    desk.press("1jjooO");
    assert_eq!(desk.model.log.view.number, number, "neither the cursor nor the order matters");
    desk.press("  ");
    let two = whose(&desk);
    assert_eq!((two.len(), desk.model.log.view.number), (2, number + 1));
    desk.press("U/mode:paper");
    assert_eq!(desk.model.log.view.number, number + 2, "not with every letter");
    desk.press("<enter>");
    assert_eq!(whose(&desk), ["arb-tri", "nyse-open", "trend-sol"]);
    desk.press("m");
    assert_eq!(whose(&desk), [desk.model.cursor.as_ref().expect("a bot").to_string()]);
}

#[test]
fn a_searched_line_or_what_is_on_the_screen_is_copied() {
    let mut desk = with_lines(80, 24, usual());
    desk.press("zw<pgup>y");
    let copied = |desk: &mut Desk| {
        let copy = |effect| if let Effect::Copy(text) = effect { Some(text) } else { None };
        desk.asked.drain(..).find_map(copy).expect("copied")
    };
    let text = copied(&mut desk);
    assert!(text.starts_with("2026-03-03T23:59:58.120Z INFO  quote") && text.lines().count() == 9, "{text}");
    assert_eq!(desk.feedback(), "copied 9 lines (the terminal must allow OSC 52)");
    desk.press("e");
    desk.hear(LogEvent::Stepped { line: 1003, nth: Some(1) });
    desk.press("y");
    assert!(copied(&mut desk).starts_with("2026-03-04T14:32:01.911Z ERROR cancel rejected"));
    assert_eq!(desk.feedback(), "copied 1 line (the terminal must allow OSC 52)");
}

#[test]
fn a_log_is_saved_to_a_file_that_is_named_first() {
    let mut desk = with_lines(80, 24, usual());
    desk.press("S");
    insta::assert_snapshot!(desk.shot());
    desk.press("<esc>");
    assert_eq!(asks(&mut desk), []);
    desk.press("S<enter>");
    assert_eq!(asks(&mut desk), [LogAsk::Save("botwarden-arb-tri-20260304T143207.log".into())]);
    desk.tell(Msg::Saved(Ok("saved 9 lines to a.log".into())));
    assert_eq!(desk.feedback(), "saved 9 lines to a.log");
    desk.model.fixed.read_only = true;
    desk.press("S<enter>");
    assert_eq!(asks(&mut desk), []);
    assert_eq!(desk.feedback(), "read-only: nothing here can save a file");
}

#[test]
fn what_does_not_fit_into_the_title_gives_way_and_paused_stays() {
    for width in 60..=140 {
        let mut desk = with_lines(width, 36, usual());
        desk.model.least = Some(Level::Info);
        desk.model.stamps = Stamps::Utc;
        desk.press("w");
        desk.hear(LogEvent::Sources(vec![source("arb-tri")]));
        let lines = std::iter::repeat_n(usual(), 20).flatten().collect();
        desk.hear(LogEvent::Anew { first: 0, lines, ends: Ends { at_start: true, newer: 1 << 30 }, stand: None });
        desk.press("k/a long search that is longer than that<enter>");
        desk.hear(LogEvent::Found(Found { search: 1, total: 123_456, done: false }));
        let rows = rows(&desk.buffer());
        let title = rows.iter().find(|row| row.starts_with("┌ 4 Logs")).expect("a title");
        assert_eq!(text::width(title), usize::from(width));
        assert!(title.contains(" PAUSED") && title.contains("arb-tri") && title.contains("123456"), "{title}");
        assert!(title.contains(">=INFO"), "{title}");
        if width == 140 {
            assert!(title.contains(" level>=INFO "), "{title}");
            assert!(title.contains("; f follows") && title.contains("last line 3s ago"), "{title}");
        }
    }
}

// A walk of keys and news.

/// Whoever reads a log that is not there: of each line nothing is known but its number.
struct Reader {
    kept: Range<u64>,
    held: Range<u64>,
    follows: bool,
    view: u64,
}

impl Reader {
    const FIRST: u64 = 100_000;

    fn ends(&self) -> Ends {
        Ends { at_start: self.held.start == self.kept.start, newer: (self.kept.end - self.held.end) * 10 }
    }

    fn anew(&mut self, held: Range<u64>, stand: Option<u64>) -> LogEvent {
        self.held = held;
        self.follows = stand.is_none() && self.held.end == self.kept.end;
        LogEvent::Anew { first: self.held.start, lines: numbered(self.held.clone()), ends: self.ends(), stand }
    }

    fn answer(&mut self, ask: LogAsk) -> Vec<LogEvent> {
        let (kept, held) = (self.kept.clone(), self.held.clone());
        let event = match ask {
            LogAsk::Open(view) => {
                self.view = view.number;
                self.anew(kept.end.saturating_sub(500).max(kept.start)..kept.end, None)
            }
            LogAsk::Hold(hold) => {
                self.follows = !hold;
                return vec![];
            }
            LogAsk::Before(lines) => {
                let start = held.start.saturating_sub(lines as u64).max(kept.start);
                let cut = (held.end - start).saturating_sub(HELD as u64);
                self.held = start..held.end - cut;
                LogEvent::Front { lines: numbered(start..held.start), cut: cut as usize, ends: self.ends() }
            }
            LogAsk::After(lines) => {
                let end = (held.end + lines as u64).min(kept.end);
                let cut = (end - held.start).saturating_sub(HELD as u64);
                self.held = held.start + cut..end;
                LogEvent::Back { lines: numbered(held.end..end), cut: cut as usize, ends: self.ends() }
            }
            LogAsk::First(lines) => {
                let event = self.anew(kept.start..(kept.start + lines as u64).min(kept.end), None);
                self.follows = false;
                event
            }
            LogAsk::Last => self.anew(kept.end.saturating_sub(500).max(kept.start)..kept.end, None),
            LogAsk::Search(search, _) => LogEvent::Found(Found { search, total: 7, done: true }),
            LogAsk::Step { from, forward } => {
                let line = if forward { from + 3000 } else { from.saturating_sub(3000) };
                let line = line.clamp(kept.start, kept.end - 1);
                let stepped = LogEvent::Stepped { line, nth: None };
                if held.contains(&line) {
                    return vec![stepped];
                }
                let around = line.saturating_sub(300).max(kept.start)..(line + 300).min(kept.end);
                return vec![self.anew(around, Some(line)), stepped];
            }
            LogAsk::Unsearch | LogAsk::Save(_) => return vec![],
        };
        vec![event]
    }

    /// The bot writes: what is held grows at the end, unless there is no room for it.
    fn write(&mut self, lines: u64) -> LogEvent {
        let held = self.held.clone();
        let at_end = held.end == self.kept.end;
        self.kept.end += lines;
        let cut = (self.kept.end - held.start).saturating_sub(HELD as u64);
        if !at_end || (cut > 0 && !self.follows) {
            return LogEvent::Ends(self.ends());
        }
        self.held = held.start + cut..self.kept.end;
        LogEvent::Back { lines: numbered(held.end..self.kept.end), cut: cut as usize, ends: self.ends() }
    }
}

/// Numbers that look like chance, and are the same every time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

const KEYS: [&str; 27] = [
    "j",
    "k",
    "<pgup>",
    "<pgdn>",
    "<pgup><pgup><pgup><pgup><pgup>",
    "<pgdn><pgdn><pgdn><pgdn><pgdn><pgdn>",
    "g",
    "G",
    "f",
    "/line<enter>",
    "n",
    "N",
    "e",
    "<esc>4",
    "w",
    "t",
    "v",
    "m4",
    "<left>",
    "<right>",
    "z",
    "1j4",
    "5",
    "4",
    "y",
    "/<enter>",
    "<c-l>",
];

const SIZES: [(u16, u16); 9] =
    [(1, 1), (20, 5), (60, 15), (61, 16), (80, 24), (83, 31), (120, 36), (199, 61), (255, 70)];

/// What is on the screen of the logs: numbers of lines.
fn on_screen(desk: &Desk) -> Vec<u64> {
    let number = |row: &String| {
        let digits: String = row.split("line ").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    rows(&desk.buffer()).iter().filter(|row| !row.contains("4 Logs")).filter_map(number).collect()
}

#[test]
fn whatever_is_pressed_and_told_the_window_is_whole_and_nothing_is_asked_twice() {
    for seed in 1..=4 {
        let mut dice = Dice(seed * 0x9e37_79b9);
        let mut desk = Desk::new(80, 24).survey();
        desk.press("4");
        let kept = Reader::FIRST..Reader::FIRST + 20_000;
        let mut reader = Reader { held: kept.end..kept.end, kept, follows: true, view: 0 };
        let mut asked: VecDeque<LogAsk> = VecDeque::new();
        let mut numbers = on_screen(&desk);
        for step in 0..150 {
            match dice.up_to(10) {
                0 => {
                    let (width, height) = SIZES[dice.up_to(SIZES.len() as u64) as usize];
                    desk.tell(Msg::Resize(width, height));
                }
                1..=3 => {
                    let what = LogNews { view: reader.view, what: reader.write([1, 10, 700][dice.up_to(3) as usize]) };
                    let still = !desk.model.log.follows() && !numbers.is_empty();
                    desk.tell(Msg::Log(what));
                    if still {
                        let after = on_screen(&desk);
                        assert!(after.starts_with(&numbers), "seed {seed} step {step}: {numbers:?} {after:?}");
                    }
                }
                4..=6 => {
                    if let Some(ask) = asked.pop_front() {
                        for what in reader.answer(ask) {
                            desk.tell(Msg::Log(LogNews { view: reader.view, what }));
                        }
                    }
                }
                _ => desk.press(KEYS[dice.up_to(KEYS.len() as u64) as usize]),
            }
            for ask in asks(&mut desk) {
                if matches!(ask, LogAsk::Open(_)) {
                    asked.clear();
                }
                let is_question = matches!(ask, LogAsk::Before(_) | LogAsk::After(_) | LogAsk::First(_) | LogAsk::Last);
                assert!(!is_question || !asked.contains(&ask), "seed {seed} step {step}: {ask:?} twice");
                asked.push_back(ask);
            }
            numbers = on_screen(&desk);
            let whole = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
            assert!(whole, "seed {seed} step {step}: {numbers:?}\n{}", seen(&desk));
            let log = &desk.model.log;
            let mut in_place = log.from(log.first()).filter(|(number, _)| number % 97 == 0);
            assert!(in_place.all(|(number, line)| line.text == format!("line {number}")), "seed {seed} step {step}");
            assert!(log.end() - log.first() <= HELD as u64, "seed {seed} step {step}");
            assert!(log.end() == log.first() || (log.first()..log.end()).contains(&log.top(10, |_| 1).line));
        }
        // When all is said, what is held is what the reader holds.
        while let Some(ask) = asked.pop_front() {
            for what in reader.answer(ask) {
                desk.tell(Msg::Log(LogNews { view: reader.view, what }));
            }
            asked.extend(asks(&mut desk));
        }
        let log = &desk.model.log;
        assert_eq!((log.first()..log.end(), log.ends()), (reader.held.clone(), reader.ends()), "seed {seed}");
    }
}

#[test]
fn a_match_beyond_the_edge_of_a_line_that_is_cut_is_brought_to_the_screen() {
    let long = |at: usize, word: &str| shown(&format!("{}{word} and more{}", "-".repeat(at), ".".repeat(200)));
    let lines = vec![long(0, "needle"), long(150, "needle"), long(3000, "needle"), long(20, "needle")];
    let mut desk = with_lines(80, 24, lines);
    desk.press("/needle<enter>");
    let mut go = |line: u64| {
        desk.hear(LogEvent::Stepped { line, nth: None });
        let (seen, sideways) = (seen(&desk), desk.model.log.sideways);
        desk.press("n");
        (seen, sideways)
    };
    let (seen, sideways) = go(1000);
    assert!(seen.contains("│ needle and more") && sideways == 0, "{seen}");
    for (line, at) in [(1001, 150), (1002, 3000)] {
        let (seen, sideways) = go(line);
        assert!(seen.contains("--needle and more") && (at - 60..at).contains(&sideways), "{sideways}: {seen}");
    }
    let (seen, sideways) = go(1003);
    assert!(seen.contains("--needle and more") && sideways == 0, "back to the left: {seen}");
}

#[test]
fn a_match_that_was_far_away_stands_in_the_middle_and_stays_when_it_is_counted() {
    let mut desk = with_lines(80, 24, numbered(1000..2000));
    desk.press("/line 22");
    desk.press("<enter>");
    let ends = Ends { at_start: false, newer: 9000 };
    desk.hear(LogEvent::Anew { first: 50_000, lines: numbered(2000..2400), ends, stand: Some(50_188) });
    desk.hear(LogEvent::Stepped { line: 50_200, nth: None });
    let row_of = |desk: &Desk, text: &str| rows(&desk.buffer()).iter().position(|row| row.contains(text));
    let (top, at) = (row_of(&desk, "4 Logs  arb"), row_of(&desk, "line 2200"));
    let bottom = rows(&desk.buffer()).iter().rposition(|row| row.contains('└'));
    let (Some(top), Some(at), Some(bottom)) = (top, at, bottom) else { panic!("{}", seen(&desk)) };
    assert!((at - top).abs_diff(bottom - at) <= 2, "{}", seen(&desk));
    desk.press("<pgdn><pgdn>");
    let gone_on = seen(&desk);
    assert!(!gone_on.contains("line 2200"));
    desk.hear(LogEvent::Stepped { line: 50_200, nth: Some(7) });
    assert!(!seen(&desk).contains("line 2200"), "whoever has gone on is not taken back");
}
