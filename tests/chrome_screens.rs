//! What stands around the panes: the palette, help, themes, trends, copying, saving and the mouse. Messages and keys go
//! in, and what is drawn, and what is asked of others, comes out.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

use std::path::Path;

use botwarden::core::bot::{BotName, Mode};
use botwarden::core::state::State;
use botwarden::core::ui::{Stamps, Theme, UiSettings};
use botwarden::tui::deed::Deed;
use botwarden::tui::effect::Effect;
use botwarden::tui::log_news::LogAsk;
use botwarden::tui::message::Msg;
use botwarden::tui::model::{Fixed, Focus, Pane, Sort};
use botwarden::tui::text;
use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::style::{Color, Modifier};

use screen::{Desk, LOG, alive, bot, bots, rows, with};

const SIZES: [(u16, u16); 4] = [(120, 36), (80, 24), (60, 15), (20, 5)];

/// The same keys at every size.
fn at_every_size(name: &str, keys: &str) {
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height).survey();
        desk.log(&LOG);
        desk.press(keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), desk.shot());
    }
}

/// A desk whose bots were seen for some minutes.
fn watched(width: u16, height: u16, fixed: Fixed) -> Desk {
    let mut desk = Desk::with(width, height, fixed).survey();
    for step in 0..90_u64 {
        desk.wait(2);
        let mut bots = bots();
        for (number, bot) in bots.iter_mut().enumerate().filter(|(_, bot)| !bot.state.is_at_rest()) {
            let swing = (step * (number as u64 + 1)) % 23;
            bot.cpu_percent = bot.cpu_percent.map(|_| swing as f32 * 4.0);
            bot.memory_bytes = bot.memory_bytes.map(|bytes| bytes + (step << 20));
        }
        desk.tell(Msg::Survey(bots));
    }
    desk
}

fn coloured(read_only: bool) -> Fixed {
    Fixed { color: true, read_only, ..Fixed::default() }
}

fn copied(desk: &mut Desk) -> String {
    let text = desk.asked.drain(..).find_map(|effect| if let Effect::Copy(text) = effect { Some(text) } else { None });
    text.expect("something was copied")
}

// The palette.

#[test]
fn the_palette_lists_every_action() {
    at_every_size("palette", ":");
}

#[test]
fn the_palette_shows_what_fits_and_what_is_asked_first() {
    at_every_size("palette_kill", ":kil");
}

#[test]
fn the_palette_under_read_only_shows_what_is_refused() {
    let mut desk = Desk::with(80, 24, coloured(true)).survey();
    desk.press(":st");
    insta::assert_snapshot!(desk.shot());
    desk.press("art<enter>");
    assert_eq!((desk.acts(), desk.feedback()), (vec![], "start refused: --read-only"));
}

#[test]
fn what_is_chosen_goes_the_way_of_its_key() {
    for (by_key, by_name) in
        [("jjx", "jj:stop<enter>"), ("jjX", "jj:kill<enter>"), ("jr", "j:restart<enter>"), ("7", ":history<enter>")]
    {
        let (mut one, mut other) = (Desk::new(120, 36).survey(), Desk::new(120, 36).survey());
        one.press(by_key);
        other.press(by_name);
        assert_eq!((&one.model.focus, one.model.pane), (&other.model.focus, other.model.pane), "{by_name}");
        assert_eq!(one.asked.len(), other.asked.len(), "{by_name}");
        other.press("<esc>");
        assert_eq!(other.acts(), [], "{by_name}: a question defaults to No");
    }
}

#[test]
fn the_palette_opens_the_guard_of_the_emergency_stop_and_never_fires() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":emergency stop<enter>");
    assert!(desk.model.emergency.guard(desk.model.now.mono).is_some());
    assert!(!desk.asked.contains(&Effect::Fire));
    desk.press("<enter><enter>:estop<enter>");
    assert!(!desk.asked.contains(&Effect::Fire), "no other key fires");
    desk.press("!");
    assert!(desk.asked.contains(&Effect::Fire), "the same key again does");
}

#[test]
fn the_keys_of_always_work_while_a_name_is_typed() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":sto<c-x>");
    assert!(desk.model.emergency.guard(desk.model.now.mono).is_some());
    desk.press("<c-x>");
    assert!(desk.asked.contains(&Effect::Fire));
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":sto<c-c>");
    assert!(desk.asked.contains(&Effect::Leave(None)));
}

#[test]
fn pasted_text_chooses_nothing() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":");
    desk.asked.clear();
    desk.tell(Msg::Paste("stop\nq\r!\x18".into()));
    assert!(matches!(&desk.model.focus, Focus::Choosing(palette) if palette.text.starts_with("stop q")));
    assert_eq!(desk.asked, []);
}

#[test]
fn what_has_values_is_said_by_name() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":theme light<enter>");
    assert_eq!((desk.model.theme, desk.feedback()), (Theme::Light, "theme: light"));
    desk.press(":sort mem<enter>");
    assert_eq!((desk.model.sort, desk.feedback()), (Sort::Memory, "bots by mem"));
    desk.press(":times utc<enter>");
    assert_eq!(desk.model.stamps, Stamps::Utc);
    desk.press(":mouse<enter>");
    assert!(desk.asked.contains(&Effect::Mouse(true)));
    desk.press(":q<enter>");
    assert!(desk.asked.contains(&Effect::Leave(None)));
}

#[test]
fn what_means_nothing_here_says_so_or_goes_where_it_does() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":requeue<enter>");
    assert_eq!(desk.feedback(), "requeue means nothing here: Cluster");
    desk.press(":level<enter>");
    assert_eq!(desk.model.pane, Pane::Logs);
}

#[test]
fn tab_and_arrows_choose_and_the_choice_stays_in_sight() {
    let mut desk = Desk::new(60, 15).survey();
    desk.press(":");
    let mut seen = Vec::new();
    for _ in 0..30 {
        let row = rows(&desk.buffer()).into_iter().find(|row| row.starts_with("│ ▸")).expect("a row is chosen");
        assert!(!seen.contains(&row), "{row}");
        seen.push(row);
        desk.press("<tab>");
    }
    desk.press("<c-p><s-tab>");
    assert!(matches!(&desk.model.focus, Focus::Choosing(palette) if palette.at == 28));
}

// Help.

#[test]
fn help_puts_what_works_here_first() {
    at_every_size("help", "?");
}

#[test]
fn help_is_searched_in_the_palette() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("?/adopt");
    assert!(rows(&desk.buffer()).iter().any(|row| row.contains("adopt an orphan")));
}

#[test]
fn a_footer_cuts_no_word_in_half() {
    for keys in ["", "?", "i", "x", ":", "2", "3", "4", "5", "6", "7"] {
        for width in 60..100 {
            let mut desk = Desk::new(width, 24).survey();
            desk.press(keys);
            let all = rows(&desk.buffer());
            let footer = &all[all.len() - 2];
            let words: Vec<&str> = footer.split_whitespace().collect();
            for cut in words.iter().filter(|word| word.len() > "…".len() && word.ends_with('…')) {
                let before = cut.trim_end_matches('…');
                let wide = Desk { model: desk.model.clone(), ..Desk::new(300, 24) };
                let mut wide = wide;
                wide.tell(Msg::Resize(300, 24));
                let whole = rows(&wide.buffer()).join(" ");
                assert!(whole.split_whitespace().any(|word| word == before), "{keys} at {width}: {footer}");
            }
        }
    }
}

// Themes.

#[test]
fn every_theme_is_the_same_screen_in_other_colours() {
    let mut texts = Vec::new();
    for (keys, theme) in [("", "dark"), ("T", "light"), ("TT", "colorblind"), ("TTT", "mono")] {
        let mut desk = Desk::new(80, 24).survey();
        desk.log(&LOG);
        desk.press(keys);
        desk.model.feedback = None;
        let buffer = desk.buffer();
        texts.push(rows(&buffer));
        let mut colors: Vec<String> =
            buffer.content.iter().map(|cell| format!("{:?} on {:?}", cell.fg, cell.bg)).collect();
        colors.sort();
        colors.dedup();
        insta::assert_snapshot!(format!("theme_{theme}"), format!("{}\n{}", desk.shot(), colors.join("\n")));
    }
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "a theme changes colours and nothing else");
}

#[test]
fn mono_is_what_no_color_is_and_keeps_what_is_bold() {
    let shot = |fixed: Fixed, keys: &str| {
        let mut desk = Desk::with(80, 24, fixed).survey();
        desk.press(keys);
        desk.model.feedback = None;
        desk.shot()
    };
    assert_eq!(shot(coloured(false), "TTT"), shot(Fixed::default(), "TTT"));
    let mut desk = Desk::with(80, 24, Fixed::default()).survey();
    desk.press("T");
    assert_eq!(desk.feedback(), "theme: mono (NO_COLOR or --no-color allows no other)");
    let buffer = desk.buffer();
    assert!(buffer.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::BOLD)));
    assert!(buffer.content.iter().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
}

#[test]
fn the_configuration_sets_the_theme_and_a_choice_by_hand_outlives_it() {
    let mut desk = Desk::new(80, 24).survey();
    let light = UiSettings { theme: Theme::Light, timestamps: Stamps::Utc };
    desk.tell(Msg::Ui(light));
    assert_eq!((desk.model.theme, desk.model.stamps), (Theme::Light, Stamps::Utc));
    desk.press("T");
    desk.tell(Msg::Ui(light));
    assert_eq!(desk.model.theme, Theme::Colorblind);
}

// Trends.

#[test]
fn trends_stand_beside_the_figures_where_there_is_room() {
    insta::assert_snapshot!("trends_160x40", watched(160, 40, coloured(false)).shot());
    insta::assert_snapshot!("trends_160x40_ascii", watched(160, 40, Fixed { ascii: true, ..Fixed::default() }).shot());
}

#[test]
fn inspect_shows_the_trends_of_ten_minutes() {
    for (width, height) in [(120, 36), (80, 24)] {
        let mut desk = watched(width, height, coloured(false));
        desk.press("iG<pgup>");
        desk.press("g");
        let shot = desk.shot();
        assert!(shot.contains("LAST 10 MINUTES"), "{shot}");
        insta::assert_snapshot!(format!("trends_inspect_{width}x{height}"), shot);
    }
}

#[test]
fn a_trend_changes_once_in_ten_seconds() {
    let mut desk = watched(160, 40, coloured(false));
    let cells = |desk: &Desk| -> Vec<String> {
        rows(&desk.buffer()).into_iter().filter(|row| row.contains("grid-btc") && row.contains('│')).collect()
    };
    desk.tell(Msg::Survey(bots()));
    let mut changes = 0;
    let mut before = cells(&desk);
    for _ in 0..20 {
        desk.wait(1);
        desk.tell(Msg::Survey(bots()));
        let now = cells(&desk);
        changes += usize::from(now != before);
        before = now;
    }
    assert_eq!(changes, 2);
}

// Copying and saving.

#[test]
fn what_is_chosen_is_copied_as_text() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jjy");
    assert_eq!(desk.feedback(), "copied 2 lines (the terminal must allow OSC 52)");
    let text = copied(&mut desk);
    assert!(text.starts_with("NAME") && text.contains("grid-btc") && !text.contains("mm-eth"), "{text}");
    desk.press("*y");
    assert_eq!(copied(&mut desk).lines().count(), 9);
    desk.press("iy");
    assert!(copied(&mut desk).starts_with("STATE\n"));
    assert!(matches!(desk.model.focus, Focus::Inspecting(_)), "it stays open");
}

#[test]
fn a_pane_without_anything_says_so() {
    let mut desk = Desk::new(120, 36);
    desk.press("2y");
    assert_eq!(desk.feedback(), "there is nothing here to copy");
    desk.press("2S");
    assert_eq!(desk.feedback(), "there is nothing here to save");
}

#[test]
fn a_text_that_no_terminal_takes_is_cut_between_lines_and_says_so() {
    let mut desk = Desk::new(120, 36);
    let many: Vec<_> =
        (0..2000).map(|n| alive(bot(&format!("bot-{n:04}"), Mode::Paper, State::Running), n + 1, 60)).collect();
    desk.tell(Msg::Survey(many));
    desk.press("*y");
    let text = copied(&mut desk);
    assert!(text.len() <= 54_000 && text.ends_with('\n'));
    let count = text.lines().count();
    assert_eq!(
        desk.feedback(),
        format!("copied the first {count} of 2001 lines: a terminal takes no more at once; S saves all")
    );
}

#[test]
fn a_pane_is_saved_whole_under_the_name_that_is_typed() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("S");
    insta::assert_snapshot!(desk.shot());
    desk.press("<enter>");
    let saved = desk
        .asked
        .iter()
        .find_map(|effect| if let Effect::Save(path, text) = effect { Some((path, text)) } else { None });
    let (path, text) = saved.expect("it is saved");
    assert_eq!(path, Path::new("botwarden-bots-20260304T143207.txt"));
    assert_eq!(text.lines().count(), 9, "all rows, not only those on the screen");
    desk.press("S<c-u>/else/where.txt<enter>");
    let other =
        desk.asked.iter().any(|effect| matches!(effect, Effect::Save(path, _) if path == Path::new("/else/where.txt")));
    assert!(other);
    let saves = |desk: &Desk| desk.asked.iter().filter(|effect| matches!(effect, Effect::Save(..))).count();
    desk.press("Sx<esc>");
    desk.press("S<c-u><enter>");
    assert_eq!((saves(&desk), desk.feedback()), (2, "nothing was saved: no name was typed"));
    // A name that is pasted is text, and filters nothing.
    desk.press("S<c-u>");
    desk.tell(Msg::Paste("mm\n".into()));
    assert!(desk.model.filter.is_empty());
}

#[test]
fn read_only_writes_nothing_and_copies() {
    let mut desk = Desk::with(80, 24, coloured(true)).survey();
    desk.press("S");
    assert_eq!((desk.feedback(), &desk.model.focus), ("read-only: nothing here can save a file", &Focus::Panes));
    desk.press("y");
    assert!(!copied(&mut desk).is_empty());
}

#[test]
fn diagnostics_are_copied_as_they_are_shown_and_their_title_has_their_age() {
    let mut desk = Desk::new(120, 36).survey();
    for n in 0..30 {
        desk.tell(Msg::Diagnostic(log::Level::Info, format!("line {n}")));
    }
    desk.wait(75);
    desk.press("5y");
    let text = copied(&mut desk);
    assert!(text.ends_with("INFO  line 29\n") && text.lines().count() < 30, "{text}");
    assert!(rows(&desk.buffer()).iter().any(|row| row.contains("5 Diagnostics") && row.contains("last 1m ago")));
    desk.press("S<enter>");
    let all = |effect: &Effect| matches!(effect, Effect::Save(_, text) if text.lines().count() == 30);
    assert!(desk.asked.iter().any(all));
}

// The mouse.

fn mouse(desk: &mut Desk, kind: MouseEventKind, column: u16, row: u16) {
    desk.tell(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
}

const CLICK: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

#[test]
fn a_click_chooses_a_row_a_pane_and_a_tab_once_the_mouse_is_ours() {
    let mut desk = Desk::new(80, 24).survey();
    desk.log(&LOG);
    let row = rows(&desk.buffer()).iter().position(|row| row.contains("mm-eth   ")).expect("its row") as u16;
    mouse(&mut desk, CLICK, 10, row);
    assert_ne!(desk.model.cursor.as_ref().map(BotName::as_str), Some("mm-eth"), "it is the terminal's");
    desk.press(":mouse<enter>");
    mouse(&mut desk, CLICK, 10, row);
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("mm-eth"));
    mouse(&mut desk, CLICK, 10, 20);
    assert_eq!(desk.model.pane, Pane::Logs);
    let all = rows(&desk.buffer());
    let tabs = all.iter().position(|row| row.contains("2 Orders")).expect("tabs");
    for pane in [Pane::Stops, Pane::Orders, Pane::Diagnostics, Pane::Bots] {
        let all = rows(&desk.buffer());
        let label = if pane == Pane::Diagnostics { "Diag" } else { pane.title() };
        let before = all[tabs].split(&format!("{} {label}", pane.number())).next().expect("before it");
        let column = text::width(before) as u16;
        mouse(&mut desk, CLICK, column, tabs as u16);
        assert_eq!(desk.model.pane, pane);
    }
}

#[test]
fn the_wheel_scrolls_what_is_under_it() {
    let mut desk = Desk::new(80, 24).survey();
    desk.log(&LOG);
    desk.press(":mouse<enter>j");
    let before = desk.model.cursor.clone();
    mouse(&mut desk, MouseEventKind::ScrollDown, 10, 6);
    assert_ne!(desk.model.cursor, before);
    assert_eq!(desk.model.pane, Pane::Bots);
    desk.press("?");
    mouse(&mut desk, MouseEventKind::ScrollDown, 10, 6);
    assert_eq!(desk.model.focus, Focus::Help(3));
}

#[test]
fn no_click_answers_a_question_or_touches_the_guard() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press(":mouse<enter>jjx");
    desk.asked.clear();
    let asked = desk.model.focus.clone();
    for y in 0..24 {
        for x in 0..80 {
            mouse(&mut desk, CLICK, x, y);
        }
    }
    assert_eq!((&desk.model.focus, desk.asked.as_slice()), (&asked, &[][..]));
    desk.press("<esc>!");
    let (cursor, pane) = (desk.model.cursor.clone(), desk.model.pane);
    for y in 0..24 {
        mouse(&mut desk, CLICK, 10, y);
        mouse(&mut desk, MouseEventKind::ScrollDown, 10, y);
    }
    assert_eq!((&desk.model.cursor, desk.model.pane), (&cursor, pane));
    assert!(!desk.asked.contains(&Effect::Fire));
    assert!(desk.model.emergency.guard(desk.model.now.mono).is_some());
}

// Filters and sorting.

#[test]
fn a_filter_is_fuzzy_and_what_it_excludes_must_stand_there() {
    for (filter, shown) in [
        ("gbtc", vec!["grid-btc"]),
        ("MM", vec!["mm-eth"]),
        ("d", vec!["dip-hunter", "grid-btc", "recorder", "spread-x", "trend-sol"]),
        ("d !rd", vec!["dip-hunter", "grid-btc", "spread-x", "trend-sol"]),
        ("!e", vec!["arb-tri", "grid-btc"]),
        // `ae` stands in no name: nothing is excluded, although its letters are in some.
        ("a !ae", vec!["arb-tri", "spread-x"]),
        ("mode:live !st:failed", vec!["grid-btc", "mm-eth"]),
        ("group:none", vec![]),
    ] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press(&format!("/{filter}<enter>"));
        let names: Vec<&str> = desk.model.shown().map(|bot| bot.name.as_str()).collect();
        assert_eq!(names, shown, "{filter}");
    }
}

#[test]
fn a_list_that_is_sorted_anew_between_the_question_and_the_answer_stops_the_right_bot() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(":sort cpu<enter>g");
    let others = || with("mm-eth", |bot| bot.cpu_percent = Some(50.0));
    desk.tell(Msg::Survey(others()));
    desk.press("g");
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("mm-eth"));
    desk.press("x");
    // While the question is open its bot falls to the end of the list.
    let mut cold = with("mm-eth", |bot| bot.cpu_percent = Some(0.0));
    cold.iter_mut().filter(|bot| bot.name.as_str() == "arb-tri").for_each(|bot| bot.cpu_percent = Some(99.0));
    desk.tell(Msg::Survey(cold.clone()));
    assert_ne!(desk.model.name_at(0).as_ref().map(BotName::as_str), Some("mm-eth"));
    assert!(rows(&desk.buffer()).iter().any(|row| row.contains("mm-eth") && row.contains("LIVE")));
    desk.press("y");
    let ticket = desk.look();
    desk.tell(Msg::Survey(cold));
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), [(Deed::Stop, vec!["mm-eth".to_owned()])]);
}

#[test]
fn every_column_can_be_sorted_by_and_the_key_goes_through_all() {
    let mut desk = Desk::new(120, 36).survey();
    let mut seen = vec![desk.model.sort];
    for _ in 1..Sort::ALL.len() {
        desk.press("o");
        seen.push(desk.model.sort);
    }
    assert_eq!(seen, Sort::ALL);
    for sort in Sort::ALL {
        desk.press(&format!(":sort {}<enter>", sort.word()));
        assert_eq!(desk.model.sort, sort);
    }
    desk.press(":sort mode<enter>");
    let first = desk.model.shown().next().and_then(|bot| bot.mode);
    assert_eq!(first, Some(Mode::Live));
}

#[test]
fn the_logs_are_saved_by_whoever_reads_them() {
    let mut desk = Desk::new(120, 36).survey();
    desk.log(&LOG);
    let prompt = botwarden::tui::model::Prompt {
        purpose: botwarden::tui::model::Purpose::Save,
        pane: Pane::Logs,
        text: "log.txt".into(),
        before: String::new(),
    };
    desk.model.focus = Focus::Typing(prompt);
    desk.press("<enter>");
    assert!(desk.asked.contains(&Effect::Log(LogAsk::Save("log.txt".into()))));
}
