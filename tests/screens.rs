//! The screen without a terminal: messages and keys go in, and what is drawn, and what is asked of others, comes out.
//! No clock, no process, no file but `docs/KEYS.md`.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use botwarden::core::bot::{BotName, Mode};
use botwarden::core::cluster_status::ClusterState;
use botwarden::core::event::Event;
use botwarden::core::progress::Standing;
use botwarden::core::record::{Down, RunRecord};
use botwarden::core::report::{BotReport, ExitReport, ProcessReport, StopOutcome, Tier};
use botwarden::core::signal::Signal;
use botwarden::core::state::State;
use botwarden::core::status::{BotStatus, RecordSeen, Stray};
use botwarden::tui::deed::{Deed, Guard};
use botwarden::tui::effect::Effect;
use botwarden::tui::keys;
use botwarden::tui::message::{Done, Inspection, LastReport, Msg, Told};
use botwarden::tui::model::{Fixed, Focus, Pane};
use botwarden::tui::text;
use botwarden::tui::theme;
use botwarden::tui::timeline::Cell;
use botwarden::tui::trend;

use screen::{Desk, LOG, alive, bot, bots, configured, rows, specs, with};

#[test]
fn the_main_view_at_120_by_36() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jjj");
    desk.log(&LOG);
    desk.wait(2);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_main_view_at_80_by_24() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("j <down>");
    desk.log(&LOG);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_main_view_at_80_by_24_in_ascii_without_colour() {
    let mut desk = Desk::with(80, 24, Fixed { ascii: true, ..Fixed::default() }).survey();
    desk.log(&LOG);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_list_at_60_by_15() {
    insta::assert_snapshot!(Desk::new(60, 15).survey().shot());
}

#[test]
fn one_line_at_20_by_5() {
    insta::assert_snapshot!(Desk::new(20, 5).survey().shot());
}

#[test]
fn before_anything_was_seen() {
    insta::assert_snapshot!(Desk::new(80, 24).shot());
}

#[test]
fn a_list_that_is_old_says_so_everywhere() {
    let mut desk = Desk::new(120, 36).survey();
    desk.wait(7);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_question_before_a_live_bot_is_stopped() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("jjx");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_question_before_live_bots_are_killed_wants_a_word() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("*XLIV");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn help_at_80_by_24() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("?");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn help_of_the_logs_at_120_by_36() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("4?");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_filter_and_a_zoomed_list() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("z/mode:live !mm");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_read_only_desk_with_notes_of_its_own() {
    let fixed = Fixed { read_only: true, color: true, title_note: Some("paper desk".into()), ..Fixed::default() };
    let mut desk = Desk::with(80, 24, fixed).survey();
    desk.press("x");
    assert_eq!(desk.acts(), []);
    insta::assert_snapshot!(desk.shot());
}

// What the screen never does.

#[test]
fn any_two_states_differ_without_colour() {
    let mut seen = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for state in State::ALL {
        let look = theme::state(state);
        for (seen, part) in seen.iter_mut().zip([look.word, look.short, look.glyph, look.sign]) {
            assert!(seen.insert(part), "{part} stands for two states");
        }
        assert!(look.sign.is_ascii() && look.word.is_ascii() && look.short.is_ascii());
    }
    let cells: BTreeSet<String> = State::ALL
        .iter()
        .map(|state| {
            let fixed = Fixed { ascii: true, color: false, ..Fixed::default() };
            let mut desk = Desk::with(80, 24, fixed);
            desk.tell(Msg::Survey(vec![bot("a", Mode::Paper, *state)]));
            rows(&desk.buffer())
                .iter()
                .find(|row| row.starts_with("| > a"))
                .cloned()
                .unwrap_or_else(|| rows(&desk.buffer()).join("\n"))
        })
        .collect();
    assert_eq!(cells.len(), State::ALL.len(), "{cells:#?}");
}

#[test]
fn any_two_states_of_a_cluster_differ_without_colour() {
    let mut seen = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
    for look in ClusterState::ALL.map(theme::cluster) {
        for (seen, part) in seen.iter_mut().zip([look.word, look.short, look.glyph, look.sign]) {
            assert!(seen.insert(part), "{part} stands for two states");
        }
        assert!(look.sign.is_ascii() && look.word.is_ascii() && look.short.is_ascii());
    }
}

#[test]
fn every_glyph_is_one_cell_wide() {
    let states = State::ALL.map(theme::state);
    let clusters = ClusterState::ALL.map(theme::cluster);
    let of_looks = states.iter().chain(&clusters).flat_map(|look| [look.glyph, look.sign]);
    let of_signs = [theme::UNICODE, theme::ASCII].into_iter().flat_map(|signs| {
        let [done, begun, left] = signs.bar;
        let border = signs.border;
        let around = [border.top_left, border.top_right, border.bottom_left, border.bottom_right];
        let along = [border.vertical_left, border.vertical_right, border.horizontal_top, border.horizontal_bottom];
        [signs.cursor, signs.more, signs.caret, done, begun, left].into_iter().chain(around).chain(along)
    });
    let happened = [
        Cell::Off,
        Cell::Ran,
        Cell::Unknown,
        Cell::Stopped,
        Cell::Started,
        Cell::Adopted,
        Cell::Restarted,
        Cell::Backoff,
        Cell::Crashed,
        Cell::Failed,
        Cell::Survived,
    ];
    let of_timeline = happened.into_iter().flat_map(|cell| [cell.sign(false), cell.sign(true)]);
    let stages = [Standing::Ahead, Standing::UnderWay, Standing::Done, Standing::Skipped, Standing::Failed];
    let of_stages = stages.into_iter().map(theme::standing).flat_map(|(glyph, sign, _)| [glyph, sign]);
    for glyph in of_looks.chain(of_signs).chain(of_timeline).chain(of_stages) {
        assert_eq!((text::width(glyph), glyph.chars().count()), (1, 1), "{glyph}");
        assert_eq!(text::harmless(glyph), glyph);
    }
    for glyph in trend::UNICODE.into_iter().chain(trend::ASCII) {
        assert_eq!(text::width(&glyph.to_string()), 1, "{glyph}");
    }
}

#[test]
fn ascii_means_bytes_below_0x80_and_no_colour_means_none() {
    for keys in
        ["", "x", "jjXabc", "i", "GkkA", "?", "/日本", "4/cancel<enter>", "5", "2", "3", "6", "7", "z", "*", "!"]
            .into_iter()
            .chain([
                ":",
                ":kil",
                ":zz日",
                "7<enter>",
                "m",
                "T",
                "4e",
                "4v",
                "4t",
                "4w",
                "o",
                "y",
                "S",
                "S日",
                ":mouse<enter>",
                "2S",
            ])
    {
        for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
            let mut desk = Desk::with(width, height, Fixed { ascii: true, ..Fixed::default() }).survey();
            desk.log(&LOG);
            desk.press(keys);
            let buffer = desk.buffer();
            for row in rows(&buffer) {
                assert!(row.is_ascii(), "{keys:?} at {width}x{height}: {row}");
            }
            assert!(
                buffer
                    .content
                    .iter()
                    .all(|cell| { cell.fg == ratatui::style::Color::Reset && cell.bg == ratatui::style::Color::Reset })
            );
        }
    }
}

#[test]
fn columns_stay_aligned_whatever_a_bot_writes() {
    let mut desk = Desk::new(120, 36).survey();
    desk.log(&LOG);
    for row in rows(&desk.buffer()) {
        if row.starts_with('│') {
            assert_eq!(text::width(&row), 120, "{row}");
            assert!(row.ends_with('│'), "{row}");
        }
    }
}

#[test]
fn every_size_can_be_drawn() {
    let mut desk = Desk::new(1, 1).survey();
    desk.log(&LOG);
    for keys in ["", "x", "<esc>?", "<esc>i", "G", "<esc>z", "2", "3", "4", "5", "6", "1zX"] {
        desk.press(keys);
        for width in [1, 2, 19, 59, 60, 61, 79, 80, 119, 120, 300] {
            for height in [1, 2, 14, 15, 16, 23, 24, 30, 90] {
                desk.tell(Msg::Resize(width, height));
                desk.buffer();
            }
        }
    }
}

#[test]
fn the_cursor_stays_on_the_screen_and_on_its_bot() {
    let mut desk = Desk::new(80, 24);
    let many: Vec<BotStatus> = (1..=100).map(|n| bot(&format!("bot@{n}"), Mode::Paper, State::Running)).rev().collect();
    desk.tell(Msg::Survey(many.clone()));
    for (keys, name) in [("", "bot@1"), ("G", "bot@100"), ("<pgup>", "bot@92"), ("k", "bot@91"), ("g", "bot@1")] {
        desk.press(keys);
        assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some(name));
        let row = format!("│ ▸ {name} ");
        assert!(rows(&desk.buffer()).iter().any(|r| r.starts_with(&row)), "{}", rows(&desk.buffer()).join("\n"));
    }
    // Sorting, and bots that come and go, move the row and never the choice.
    desk.press("jjjooO");
    desk.tell(Msg::Survey(many.into_iter().skip(50).collect()));
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("bot@4"));
}

// Questions, and what they are about.

#[test]
fn a_paper_bot_is_stopped_at_once_and_its_row_waits_for_evidence() {
    let mut desk = Desk::new(120, 36).survey();
    let before = rows(&desk.buffer())[4].clone();
    desk.press("x");
    assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned()])]);
    assert_eq!(desk.feedback(), "asked: stop arb-tri");
    assert_eq!(rows(&desk.buffer())[4], before, "a wish is no state");
    desk.press("x");
    assert_eq!(desk.acts(), [], "it was asked already");
    desk.tell(Msg::Survey(with("arb-tri", |bot| bot.state = State::Stopping)));
    assert!(rows(&desk.buffer())[4].contains("STOPPING"));
    let sentence = "stopped arb-tri (pid 48391, by SIGTERM, 3.2 s)";
    let told = Told { name: "arb-tri".parse().expect("a name"), well: true, text: sentence.into() };
    let ticket = desk.model.last_ticket;
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_millis(3240), bots: vec![told] }));
    assert_eq!(desk.feedback(), sentence);
}

#[test]
fn stop_on_a_bot_that_is_stopping_asks_to_hurry_it() {
    let mut desk = Desk::new(120, 36);
    desk.tell(Msg::Survey(with("arb-tri", |bot| bot.state = State::Stopping)));
    desk.press("xy");
    let ticket = desk.look();
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), [(Deed::Climb, vec!["arb-tri".to_owned()])]);
}

#[test]
fn a_question_defaults_to_no() {
    for no in ["<enter>", "<esc>", "n", "N", "q"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press("jjx");
        assert!(matches!(desk.model.focus, Focus::Asking(_)));
        desk.press(no);
        assert_eq!(desk.model.focus, Focus::Panes);
        assert!(desk.model.confirmed.is_none());
        assert_eq!(desk.acts(), [], "{no}");
    }
    // A name that is not typed in full is a No as well.
    for typed in ["s<enter>", "sgrid<enter>", "smm-eth<enter>", "rgrid-bt<enter>", "Xy<enter>"] {
        let mut desk = Desk::new(120, 36);
        desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = State::Crashed)));
        desk.press("jj");
        desk.press(typed);
        assert_eq!((desk.acts(), desk.model.confirmed.is_none()), (vec![], true), "{typed}");
    }
}

#[test]
fn a_question_is_about_the_bot_it_was_asked_about() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jj");
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("grid-btc"));
    desk.press("X");
    // The list is sorted anew, and another bot comes to stand in its row.
    let mut others = bots();
    others.insert(0, alive(bot("aaa", Mode::Live, State::Running), 1, 1));
    others.reverse();
    desk.tell(Msg::Survey(others.clone()));
    desk.press("grid-btc<enter>");
    assert_eq!(desk.acts(), [], "not before the bots were looked at again");
    let mut desk2 = Desk { model: desk.model, asked: vec![], ..Desk::new(120, 36) };
    let ticket = desk2.model.last_ticket;
    desk2.tell(Msg::Survey(others));
    assert_eq!(desk2.acts(), [], "a survey that began earlier proves nothing");
    desk2.tell(Msg::Fresh(ticket));
    assert_eq!(desk2.acts(), [(Deed::Kill, vec!["grid-btc".to_owned()])]);
}

#[test]
fn nothing_is_done_to_a_bot_that_changed_since_the_question() {
    type Change = fn(&mut BotStatus);
    let changes: [(&str, Change); 4] = [
        ("stop grid-btc refused: grid-btc was RUNNING and is CRASHED now", |bot| bot.state = State::Crashed),
        ("stop grid-btc refused: grid-btc is another run now", |bot| bot.pid = Some(9)),
        ("stop grid-btc refused: grid-btc is another run now", |bot| bot.run = Some("0002".into())),
        ("stop grid-btc refused: grid-btc is PAPER now", |bot| bot.mode = Some(Mode::Paper)),
    ];
    for (said, change) in changes {
        let mut desk = Desk::new(120, 36).survey();
        desk.press("jjxy");
        let ticket = desk.look();
        desk.tell(Msg::Survey(with("grid-btc", change)));
        desk.tell(Msg::Fresh(ticket));
        assert_eq!((desk.acts(), desk.feedback()), (vec![], said));
    }
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jjxy");
    let ticket = desk.look();
    desk.tell(Msg::Survey(bots().into_iter().filter(|bot| bot.name.as_str() != "grid-btc").collect()));
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), []);
    assert_eq!(desk.feedback(), "stop grid-btc refused: grid-btc is no longer there");
}

#[test]
fn a_look_that_never_comes_leaves_everything_as_it_is() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jjxy");
    let ticket = desk.look();
    desk.wait(6);
    assert!(desk.feedback().contains("nothing was done"), "{}", desk.feedback());
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), []);
}

#[test]
fn marked_bots_are_meant_instead_of_the_cursor_and_never_while_hidden() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press(" jjj x");
    assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned(), "nyse-open".to_owned()])]);
    assert!(desk.model.marked.is_empty());

    let mut desk = Desk::new(120, 36).survey();
    desk.press(" /trend<enter>x");
    assert_eq!(desk.acts(), []);
    assert_eq!(desk.feedback(), "1 marked but hidden by the filter: clear it (Esc), or unmark (U)");
}

#[test]
fn marks_whose_bots_are_gone_do_not_hand_the_deed_to_the_cursor() {
    let without = || bots().into_iter().filter(|bot| bot.name.as_str() != "recorder").collect::<Vec<_>>();
    for key in ["x", "X", "s", "r"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press("/recorder<enter> <esc>g");
        assert_eq!(desk.model.marked.len(), 1);
        desk.tell(Msg::Survey(without()));
        desk.tell(Msg::Survey(without()));
        desk.press(key);
        assert_eq!((desk.acts(), desk.feedback()), (vec![], "the marked bots are gone"));
        assert_eq!((&desk.model.focus, desk.model.confirmed.is_none()), (&Focus::Panes, true));
        // It is said once; from then on the cursor is meant again.
        desk.press("x");
        assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned()])]);
    }
    // Marking others, or unmarking, has seen it as well.
    for keys in ["U", "  k", "<esc>"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press("/recorder<enter> <esc>g");
        desk.tell(Msg::Survey(without()));
        desk.press(keys);
        assert!(!desk.model.marks_gone, "{keys}");
    }
}

#[test]
fn a_question_about_many_bots_names_the_live_ones_first() {
    let mut desk = Desk::new(120, 36);
    let mut many: Vec<BotStatus> =
        (1..=39).map(|n| alive(bot(&format!("a@{n}"), Mode::Paper, State::Running), n, 9)).collect();
    many.push(alive(bot("z", Mode::Live, State::Running), 99, 9));
    desk.tell(Msg::Survey(many));
    desk.press("*x");
    let shown = rows(&desk.buffer()).join("\n");
    let [live, paper] = ["│ z  LIVE", "│ a@1  PAPER"].map(|line| shown.find(line).expect("listed"));
    assert!(live < paper && shown.contains(" more, 0 of them live"), "{shown}");
}

#[test]
fn what_lives_or_may_live_is_not_started_and_no_name_is_asked_for() {
    for (state, why) in [(State::Orphaned, "grid-btc is ORPHANED"), (State::Unknown, "grid-btc is UNKNOWN")] {
        let mut desk = Desk::new(120, 36).survey();
        desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = state)));
        desk.press("/grid<enter>s");
        assert_eq!((desk.acts(), &desk.model.focus), (vec![], &Focus::Panes));
        assert!(desk.feedback().starts_with(why), "{}", desk.feedback());
    }
}

#[test]
fn a_bot_that_leaves_the_filter_does_not_hand_its_place_to_another() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("/st:running<enter>");
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("arb-tri"));
    desk.tell(Msg::Survey(with("arb-tri", |bot| bot.state = State::Exited)));
    desk.press("x");
    assert_eq!(desk.acts(), []);
    assert_eq!(desk.feedback(), "the bot under the cursor is hidden or gone; choose one");
    desk.press("k");
    assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("grid-btc"));
}

#[test]
fn what_need_not_be_done_is_not_done() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("s");
    assert_eq!((desk.acts(), desk.feedback()), (vec![], "arb-tri is running already"));
    desk.press("Gkks");
    assert_eq!(
        (desk.acts(), desk.feedback()),
        (vec![], "recorder is not in the configuration: it can only be stopped")
    );
}

// The configuration, which may become another one while the screen is open.

#[test]
fn a_bot_is_started_with_what_the_file_says_once_it_was_read_again() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("/nyse<enter>s");
    let ticket = desk.look();
    assert_eq!(desk.acts(), [], "not before the file was read again");
    let mut specs = specs();
    for spec in &mut specs {
        spec.command.push("--new".into());
    }
    desk.tell(Msg::Configuration(Ok(specs)));
    desk.tell(Msg::Survey(bots()));
    desk.tell(Msg::Fresh(ticket));
    let [Effect::Act { deed: Deed::Start, specs, .. }] =
        desk.asked.iter().filter(|effect| matches!(effect, Effect::Act { .. })).collect::<Vec<_>>()[..]
    else {
        panic!("{:?}", desk.asked);
    };
    assert_eq!(specs.len(), 1);
    assert_eq!((specs[0].name.as_str(), &specs[0].command[1..]), ("nyse-open", &["--new".to_owned()][..]));
}

#[test]
fn a_bot_that_became_live_in_the_file_is_never_started_by_one_key() {
    let live = with("nyse-open", |bot| bot.mode = Some(Mode::Live));
    let mut desk = Desk::new(120, 36).survey();
    desk.press("/nyse<enter>s");
    let ticket = desk.look();
    desk.tell(configured("nyse-open", Mode::Live));
    desk.tell(Msg::Survey(live));
    desk.tell(Msg::Fresh(ticket));
    assert_eq!((desk.acts(), desk.feedback()), (vec![], "start nyse-open refused: nyse-open is LIVE now"));
    desk.press("sy<enter>");
    assert_eq!(desk.acts(), []);
    desk.press("snyse-open<enter>");
    let ticket = desk.look();
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), [(Deed::Start, vec!["nyse-open".to_owned()])]);
}

#[test]
fn a_restart_asks_for_the_name_if_either_run_is_live() {
    for (name, mode) in [("arb-tri", Mode::Live), ("grid-btc", Mode::Paper)] {
        let mut desk = Desk::new(120, 36).survey();
        desk.tell(configured(name, mode));
        desk.press(&format!("/{name}<enter>r"));
        assert!(desk.asked.iter().any(|effect| matches!(effect, Effect::Look(_))), "{name}");
        let Focus::Asking(dialog) = &desk.model.focus else { panic!("{name}: {:?}", desk.model.focus) };
        assert_eq!(dialog.guard, Guard::Type(name.to_owned()));
        // A stop is about the run that lives, whatever the next one will be.
        desk.press("<esc>x");
        assert_eq!(matches!(desk.model.focus, Focus::Asking(_)), name == "grid-btc", "{name}");
    }
}

#[test]
fn a_configuration_with_mistakes_starts_nothing_and_stops_everything() {
    const REFUSED: &str = "the configuration has mistakes: botwarden check";
    for (name, key) in [("nyse-open", "s"), ("arb-tri", "r"), ("spread-x", "s")] {
        let mut desk = Desk::new(120, 36).survey();
        desk.tell(Msg::Configuration(Err("botwarden.toml:3:1: a mistake".into())));
        desk.tell(Msg::Survey(bots()));
        desk.press(&format!("/{name}<enter>{key}"));
        assert_eq!((desk.acts(), desk.feedback(), &desk.model.focus), (vec![], REFUSED, &Focus::Panes), "{name}");
        // It may have broken between the answer and the look.
        let mut desk = Desk::new(120, 36).survey();
        desk.press(&format!("/{name}<enter>{key}{name}<enter>"));
        let ticket = desk.look();
        desk.tell(Msg::Configuration(Err("botwarden.toml:3:1: a mistake".into())));
        desk.tell(Msg::Fresh(ticket));
        assert_eq!(desk.acts(), [], "{name}");
        assert!(desk.feedback().ends_with(REFUSED), "{}", desk.feedback());
    }
    // A screen that was opened so knows its bots from their records.
    let mut desk = Desk::new(120, 36);
    desk.tell(Msg::Configuration(Err("botwarden.toml:3:1: a mistake".into())));
    desk.tell(Msg::Survey(with("arb-tri", |bot| bot.configured = false)));
    let shown = rows(&desk.buffer()).join("\n");
    assert!(
        desk.model.alerts().iter().any(|alert| alert.starts_with(REFUSED) && alert.contains("toml:3:1")),
        "{shown}"
    );
    desk.press("x");
    assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned()])]);
    desk.tell(Msg::Survey(vec![]));
    assert!(rows(&desk.buffer()).join("\n").contains("no bot runs here, and the configuration has mistakes"));
    desk.tell(Msg::Configuration(Ok(specs())));
    assert!(desk.model.alerts().iter().all(|alert| !alert.starts_with(REFUSED)));
}

// Text that is typed or pasted.

#[test]
fn letters_of_a_filter_act_on_nothing() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("/sxrXq!y");
    assert_eq!(desk.asked.iter().filter(|e| !matches!(e, Effect::Log(_) | Effect::Hurry(_))).count(), 0);
    assert_eq!(desk.model.filter.text(), "sxrXq!y");
    desk.press("<esc>");
    assert!(desk.model.filter.is_empty());
    desk.press("4/sxrXq!y<enter>");
    assert_eq!(desk.acts(), []);
}

#[test]
fn pasted_text_never_acts() {
    for before in ["", "jjx", "jjX", "?", "i", "/", "2", "2/", "3", "4", "4/", "5", "6"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press(before);
        desk.asked.clear();
        for pasted in ["x", "y", "y\r", "grid-btc\r", "X\ny\n", "q", "s\r\n"] {
            desk.tell(Msg::Paste(pasted.into()));
        }
        let did: Vec<&Effect> = desk.asked.iter().filter(|e| !matches!(e, Effect::Log(_) | Effect::Hurry(_))).collect();
        assert!(did.is_empty() && desk.model.confirmed.is_none(), "{before}: {did:?}");
    }
}

// Leaving.

#[test]
fn leaving_asks_only_where_it_ends_something() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("q");
    assert!(desk.asked.contains(&Effect::Leave(None)));
    let note = "Leaving stops these paper bots and removes their home.";
    let fixed = Fixed { leave_note: Some(note.into()), ..Fixed::default() };
    let mut desk = Desk::with(80, 24, fixed).survey();
    desk.press("<c-c>");
    assert!(!desk.asked.contains(&Effect::Leave(None)));
    assert!(rows(&desk.buffer()).join("\n").contains(note));
    desk.press("<enter>q");
    assert!(!desk.asked.contains(&Effect::Leave(None)));
    desk.press("y");
    assert!(desk.asked.contains(&Effect::Leave(None)));
}

#[test]
fn a_screen_that_shows_nothing_does_nothing_and_asks_nothing() {
    for keys in ["xy", "X", "s", "r", "jjxy", "* x", "?", "/a", "z", "2", "3", "6", "c", "o"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.tell(Msg::Resize(20, 5));
        desk.asked.clear();
        desk.press(keys);
        desk.tell(Msg::Paste("y".into()));
        assert_eq!((desk.acts(), &desk.model.focus), (vec![], &Focus::Panes), "{keys}");
        assert!(desk.model.confirmed.is_none() && desk.model.marked.is_empty(), "{keys}");
    }
    // What was open when the screen became that small is closed, and means No.
    for keys in ["jjx", "jjX", "?", "/gr", "2/gr", "4/gr"] {
        let mut desk = Desk::new(120, 36).survey();
        desk.press(keys);
        desk.tell(Msg::Resize(59, 36));
        desk.press("y<enter>");
        desk.tell(Msg::Resize(120, 36));
        assert_eq!(desk.model.focus, Focus::Panes, "{keys}");
        assert!(desk.model.confirmed.is_none(), "{keys}");
        assert_eq!(desk.acts(), [], "{keys}");
    }
    for (keys, effect) in [("q", Effect::Leave(None)), ("<c-c>", Effect::Leave(None)), ("<c-l>", Effect::Redraw)] {
        let fixed = Fixed { leave_note: Some("It ends something.".into()), ..Fixed::default() };
        let mut desk = Desk::with(20, 5, fixed).survey();
        desk.press(keys);
        assert!(desk.asked.contains(&effect), "{keys}");
    }
}

#[test]
fn panes_follow_the_keys() {
    let mut desk = Desk::new(120, 36).survey();
    for (keys, pane) in [
        ("<tab>", Pane::Orders),
        ("<tab>", Pane::Cluster),
        ("<tab>", Pane::Logs),
        ("<tab>", Pane::Diagnostics),
        ("<tab>", Pane::Stops),
        ("<tab>", Pane::History),
        ("<tab>", Pane::Bots),
        ("<s-tab>", Pane::History),
        ("3", Pane::Cluster),
        ("4", Pane::Logs),
        ("<esc>", Pane::Bots),
        ("<enter>", Pane::Logs),
    ] {
        desk.press(keys);
        assert_eq!(desk.model.pane, pane, "{keys}");
    }
}

#[test]
fn looks_are_frequent_while_something_changes() {
    let mut desk = Desk::new(120, 36);
    desk.tell(Msg::Survey(vec![bot("a", Mode::Paper, State::Running)]));
    assert!(!desk.asked.contains(&Effect::Hurry(true)));
    desk.press("x");
    assert!(desk.asked.contains(&Effect::Hurry(true)));
    let ticket = desk.model.last_ticket;
    desk.tell(Msg::Done(Done { ticket, took: Duration::ZERO, bots: vec![] }));
    assert!(desk.asked.contains(&Effect::Hurry(false)));
}

#[test]
fn a_bot_that_never_gets_ready_does_not_keep_everybody_looking() {
    let mut desk = Desk::new(120, 36);
    let starting = |uptime| vec![alive(bot("a", Mode::Paper, State::Starting), 1, uptime)];
    desk.tell(Msg::Survey(starting(60)));
    assert!(desk.model.hurried);
    desk.tell(Msg::Survey(starting(61)));
    assert!(!desk.model.hurried && desk.asked.contains(&Effect::Hurry(false)));
}

#[test]
fn trouble_with_threads_is_told_in_the_footer() {
    let mut desk = Desk::new(120, 36).survey();
    desk.tell(Msg::Trouble("cannot look at the bots yet".into()));
    assert_eq!(desk.feedback(), "cannot look at the bots yet");
    assert!(rows(&desk.buffer()).iter().any(|row| row.contains("cannot look at the bots yet")));
}

// What lives and nobody keeps.

fn stray(pid: i32, command: &str, found_by: &str) -> Stray {
    Stray { pid, command: command.into(), found_by: found_by.into(), shared_with: Vec::new() }
}

/// Bots with strays beside them: one at rest, one that runs.
fn astray() -> Vec<BotStatus> {
    let mut bots = bots();
    for bot in &mut bots {
        match bot.name.as_str() {
            "nyse-open" => bot.strays = vec![stray(4711, "python3 run_bot.py --api-key=abc", "search")],
            "mm-eth" => {
                bot.strays =
                    vec![stray(61, "python3 mm.py", "pid_file"), stray(62, "python3 mm.py \x1b[2Jworker", "search")];
            }
            _ => {}
        }
    }
    bots
}

fn strayed(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height).survey();
    desk.tell(Msg::Survey(astray()));
    desk
}

#[test]
fn strays_are_seen_at_once_at_120_by_36() {
    let mut desk = strayed(120, 36);
    desk.press("/nyse<enter><esc>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn strays_are_seen_at_once_at_80_by_24() {
    let mut desk = strayed(80, 24);
    desk.press("/mm<enter><esc>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_question_before_a_stray_is_adopted() {
    let mut desk = strayed(120, 36);
    desk.press("/nyse<enter>A");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_question_before_an_orphan_is_adopted() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("/recorder<enter>A");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn the_question_before_a_bot_with_strays_is_stopped() {
    let mut desk = strayed(80, 24);
    desk.press("/mm<enter>x");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn an_orphan_and_a_stray_are_adopted_after_a_question_and_a_second_look() {
    for (name, specs) in [("recorder", 0), ("nyse-open", 1)] {
        let mut desk = strayed(120, 36);
        desk.press(&format!("/{name}<enter>A"));
        let Focus::Asking(dialog) = &desk.model.focus else { panic!("{:?}", desk.model.focus) };
        assert_eq!(dialog.guard, Guard::YesNo);
        desk.press("y");
        let ticket = desk.look();
        assert!(desk.asked.iter().all(|effect| !matches!(effect, Effect::Act { .. })));
        desk.tell(Msg::Fresh(ticket));
        let given = desk.asked.iter().find_map(|effect| match effect {
            Effect::Act { deed: Deed::Adopt, specs, .. } => Some(specs.len()),
            _ => None,
        });
        // A bot that the configuration does not name is kept by what its record says.
        assert_eq!(given, Some(specs), "{name}");
        assert_eq!(desk.acts(), [(Deed::Adopt, vec![name.to_owned()])]);
    }
}

#[test]
fn adopting_needs_no_configuration_without_mistakes() {
    let mut desk = strayed(120, 36);
    desk.tell(Msg::Configuration(Err("botwarden.toml:3:1: a mistake".into())));
    desk.press("/recorder<enter>Ay");
    let ticket = desk.look();
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(desk.acts(), [(Deed::Adopt, vec!["recorder".to_owned()])]);
}

#[test]
fn what_cannot_be_adopted_is_told_why() {
    for (name, why) in [
        ("grid-btc", "grid-btc has a keeper already"),
        ("trend-sol", "trend-sol has a keeper already"),
        ("spread-x", "spread-x cannot be adopted: nothing of it lives, there is nothing to adopt"),
        ("mm-eth", "mm-eth runs already; a stray beside it can only be stopped (x stops all of it)"),
    ] {
        let mut desk = strayed(120, 36);
        desk.press(&format!("/{name}<enter>A"));
        assert_eq!((desk.acts(), desk.feedback(), &desk.model.focus), (vec![], why, &Focus::Panes));
    }
    let mut desk = Desk::new(120, 36).survey();
    desk.tell(Msg::Survey(with("grid-btc", |bot| {
        bot.state = State::Unknown;
        bot.note = "its keeper does not answer".into();
    })));
    desk.press("/grid<enter>A");
    assert_eq!(desk.feedback(), "grid-btc is UNKNOWN, and cannot be adopted: its keeper does not answer");
    let fixed = Fixed { read_only: true, ..Fixed::default() };
    let mut desk = Desk::with(120, 36, fixed).survey();
    desk.press("/recorder<enter>A");
    assert_eq!((desk.acts(), desk.feedback()), (vec![], "read-only: nothing here can adopt a bot"));
}

#[test]
fn nothing_is_done_beside_a_stray_that_nobody_was_asked_about() {
    let strays = |strays: Vec<Stray>| {
        let mut bots = astray();
        bots.iter_mut().filter(|bot| bot.name.as_str() == "nyse-open").for_each(|bot| bot.strays.clone_from(&strays));
        bots
    };
    let known = || stray(4711, "python3 run_bot.py --api-key=abc", "search");
    let other = || stray(4712, "python3 run_bot.py", "search");
    for (key, deed, now, refused) in [
        ("A", Deed::Adopt, vec![other()], Some("adopt nyse-open refused: nyse-open has a stray more now, pid 4712")),
        ("A", Deed::Adopt, vec![], Some("adopt nyse-open refused: nyse-open has lost its stray, pid 4711")),
        (
            "x",
            Deed::Stop,
            vec![known(), other()],
            Some("stop nyse-open refused: nyse-open has a stray more now, pid 4712"),
        ),
        ("x", Deed::Stop, vec![], None),
        ("X", Deed::Kill, vec![known()], None),
    ] {
        let mut desk = strayed(120, 36);
        desk.press(&format!("/nyse<enter>{key}y"));
        let ticket = desk.look();
        desk.tell(Msg::Survey(strays(now)));
        desk.tell(Msg::Fresh(ticket));
        match refused {
            Some(said) => assert_eq!((desk.acts(), desk.feedback()), (vec![], said)),
            None => assert_eq!(desk.acts(), [(deed, vec!["nyse-open".to_owned()])]),
        }
    }
}

#[test]
fn a_bot_is_not_started_beside_its_stray() {
    let mut desk = strayed(120, 36);
    desk.press("/nyse<enter>s");
    assert_eq!((desk.acts(), desk.model.confirmed.is_none()), (vec![], true));
    assert_eq!(
        desk.feedback(),
        "nyse-open must not run twice: 1 stray beside it: pid 4711 python3 run_bot.py --api-key=*** (found by search); \
         A adopts, x stops"
    );
}

// Everything that is known of a bot.

const NOW: &str = "2026-03-04T14:32:07Z";

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a time")
}

fn event(at_: &str, kind: &str, text: &str) -> Event {
    let bot = Some("grid-btc".parse().expect("a name"));
    Event { at: at(at_), bot, kind: kind.into(), text: text.into(), more: serde_json::Map::new() }
}

fn last_report() -> BotReport {
    let process = |pid, command: &str, found_by, file: Option<&str>, ended_by: Option<&str>| ProcessReport {
        pid,
        command: command.into(),
        found_by,
        file: file.map(Into::into),
        ended_by: ended_by.map(Into::into),
    };
    let mut report = BotReport::new("grid-btc".parse().expect("a name"));
    report.outcome = Some(StopOutcome::Survived);
    report.duration_ms = 35_000;
    report.processes = vec![
        process(48000, "/bin/bot --token abc", Tier::Keeper, None, Some("SIGTERM")),
        process(48001, "/bin/bot worker", Tier::PidFile, Some("data/bot.pid"), Some("SIGKILL")),
        process(4711, "python3 \u{9b}31mrun_bot.py", Tier::Search, None, None),
    ];
    report.exit = Some(ExitReport { code: None, signal: Some(Signal::TERM) });
    report.errors = vec!["still there at the end of its ladder: pid 4711".into()];
    report.notes = vec!["pid 900 in data/old.pid is another program (vim): left alone".into()];
    report
}

fn inspection() -> Inspection {
    let mut specs = specs();
    let spec = specs.iter_mut().find(|spec| spec.name.as_str() == "grid-btc").expect("a bot");
    spec.command = vec!["/bin/bot".into(), "--old".into(), "--password".into(), "hunter2".into()];
    spec.pid_file = Some("/srv/data/bot.pid".into());
    let record = RunRecord::new(spec, "20260302T112007-1".into(), at("2026-03-02T11:20:07Z"));
    let mut asked = event("2026-03-04T09:00:00Z", "report", "NOT STOPPED");
    asked.more.insert("action".into(), "stop".into());
    asked.more.insert("by".into(), "ana".into());
    asked.more.insert("exit_code".into(), 13.into());
    asked.more.insert("report".into(), serde_json::to_value(last_report()).expect("json"));
    let mut events = vec![event("2026-03-02T11:20:07Z", "started", "started (pid 48213)"), asked];
    events.extend((0..8).map(|n| event(&format!("2026-03-04T14:3{n}:00Z"), "warning", "odd \x1b[31mthing\nhere")));
    Inspection {
        name: "grid-btc".parse().expect("a name"),
        at: at(NOW),
        record: RecordSeen::Read(Box::new(record)),
        down: Some(Down { by: "ana".into(), at: Some(at("2026-03-04T09:00:00Z")) }),
        report: LastReport::among(&events),
        events: Ok(events),
    }
}

fn inspecting(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    let mut specs = specs();
    for spec in &mut specs {
        spec.env.insert("API_SECRET".into(), "hunter2".into());
        spec.env.insert("LEVEL".into(), "hunter2".into());
    }
    desk.tell(Msg::Configuration(Ok(specs)));
    let mut bots = bots();
    for bot in bots.iter_mut().filter(|bot| bot.name.as_str() == "grid-btc") {
        bot.keeper_pid = Some(48210);
        bot.since = Some(at("2026-03-02T10:32:07Z"));
        bot.started_at = bot.since;
        bot.processes = Some(2);
        bot.groups = vec!["crypto".into(), "core".into()];
        bot.strays = vec![stray(4711, "python3 run_bot.py --api-key=hunter2", "search")];
    }
    desk.tell(Msg::Survey(bots));
    desk.press("jji");
    assert!(desk.asked.contains(&Effect::Inspect("grid-btc".parse().expect("a name"))));
    desk
}

#[test]
fn a_bot_is_inspected_at_120_by_36() {
    let mut desk = inspecting(120, 36);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_bot_is_inspected_to_the_end_at_120_by_36() {
    let mut desk = inspecting(120, 36);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    desk.press("G");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_bot_is_inspected_at_80_by_24_before_anything_was_read() {
    insta::assert_snapshot!(inspecting(80, 24).shot());
}

#[test]
fn a_bot_is_inspected_at_80_by_24_page_after_page() {
    let mut desk = inspecting(80, 24);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    let mut shots = String::new();
    for key in ["g", "<pgdn>", "<pgdn>", "<pgdn>", "<pgdn>"] {
        desk.press(key);
        let _ = writeln!(shots, "{}", desk.shot());
    }
    insta::assert_snapshot!(shots);
}

#[test]
fn a_bot_is_inspected_at_60_by_15() {
    let mut desk = inspecting(60, 15);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    desk.press("<pgdn>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn what_is_shown_of_a_bot_names_no_secret_and_says_every_part() {
    let mut desk = inspecting(120, 200);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    let shown = rows(&desk.buffer()).join("\n");
    assert!(!shown.contains("hunter2") && !shown.contains("abc") && shown.contains("API_SECRET, LEVEL"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{9b}'));
    for part in [
        "RUN 20260302T112007-1 (as its run record says)",
        "configured now: /bin/bot; a restart applies it",
        "NOT STOPPED: pid 4711 still lives after SIGKILL",
        "pid 48001",
        "from data/bot.pid, ended by SIGKILL: /bin/bot worker",
        "found by search, STILL LIVES",
        "pid 900 in data/old.pid is another program (vim): left alone",
        "x stops all of it",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn what_was_read_of_a_bot_is_read_again_when_it_changes_and_every_few_seconds() {
    let asks = |desk: &mut Desk| desk.asked.drain(..).filter(|effect| matches!(effect, Effect::Inspect(_))).count();
    let mut desk = Desk::new(120, 36).survey();
    desk.press("jji");
    assert_eq!(asks(&mut desk), 1);
    desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = State::Stopping)));
    assert_eq!(asks(&mut desk), 0, "one at a time");
    desk.tell(Msg::Inspected(Box::new(inspection())));
    assert_eq!(asks(&mut desk), 1, "it changed while it was read");
    desk.tell(Msg::Inspected(Box::new(inspection())));
    desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = State::Stopping)));
    desk.wait(4);
    assert_eq!(asks(&mut desk), 0, "nothing changed");
    desk.wait(1);
    assert_eq!(asks(&mut desk), 1);
    desk.wait(5);
    assert_eq!(asks(&mut desk), 1, "an answer that does not come is asked for again");
    let other = Inspection { name: "mm-eth".parse().expect("a name"), ..inspection() };
    desk.tell(Msg::Inspected(Box::new(other)));
    assert!(
        desk.model
            .inspected
            .as_ref()
            .and_then(|inspected| inspected.read.as_ref())
            .is_some_and(|read| { read.name.as_str() == "grid-btc" })
    );
}

#[test]
fn inspecting_is_left_by_its_keys_and_acts_on_nothing() {
    for close in ["<esc>", "i", "q"] {
        let mut desk = inspecting(80, 24);
        desk.tell(Msg::Inspected(Box::new(inspection())));
        desk.press("xsrXA*U/2zGjjk<pgup>g");
        assert_eq!((desk.acts(), &desk.model.focus), (vec![], &Focus::Inspecting(0)), "{close}");
        desk.press(close);
        assert_eq!((&desk.model.focus, desk.model.inspected.is_none()), (&Focus::Panes, true));
        assert!(!desk.asked.contains(&Effect::Leave(None)));
    }
    // The end is the end: one key up leaves it at once.
    let mut desk = inspecting(80, 24);
    desk.tell(Msg::Inspected(Box::new(inspection())));
    desk.press("G");
    let end = desk.model.focus.clone();
    desk.press("jjjj<pgdn>");
    assert_eq!(desk.model.focus, end);
    desk.press("k");
    assert_ne!(desk.model.focus, end);
    let mut desk = Desk::new(80, 24);
    desk.tell(Msg::Survey(vec![]));
    desk.press("i");
    assert_eq!((&desk.model.focus, desk.feedback()), (&Focus::Panes, "there is no bot here"));
}

#[test]
fn a_report_that_cannot_be_understood_is_not_passed_over() {
    let mut broken = event("2026-03-04T09:00:00Z", "report", "something");
    broken.more.insert("report".into(), "nonsense".into());
    let events = vec![broken];
    let mut desk = inspecting(120, 100);
    let record = RecordSeen::Unreadable("run.json: key must be a string".into());
    let read = Inspection { report: LastReport::among(&events), record, events: Err("no room".into()), ..inspection() };
    desk.tell(Msg::Inspected(Box::new(read)));
    let shown = rows(&desk.buffer()).join("\n");
    for part in
        ["that of 2026-03-04 09:00:00 UTC cannot be understood", "run.json: key must", "cannot be read: no room"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(LastReport::among(&[]), LastReport::None);
}

#[test]
fn the_page_of_keys_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/KEYS.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, keys::markdown()).expect("written");
    }
    let page = std::fs::read_to_string(&path).expect("docs/KEYS.md");
    assert_eq!(page, keys::markdown(), "write it anew: BLESS=1 cargo test --test screens");
}
