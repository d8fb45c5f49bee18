//! Whom a key means that acts on a bot, in every pane, with the list beside it and without: what is hit is what is shown.
//! No clock, no process, no file.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

use std::time::Duration;

use botwarden::core::bot::{BotName, Mode};
use botwarden::core::history::{Entry, Place, What};
use botwarden::core::state::State;
use botwarden::core::status::BotStatus;
use botwarden::tui::deed::{Deed, Guard};
use botwarden::tui::effect::Effect;
use botwarden::tui::history_news::{HistoryAsk, HistoryNews, Looked};
use botwarden::tui::message::{Done, Msg, Told};
use botwarden::tui::model::{About, Focus, Pane};

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use screen::{Desk, alive, bot, rows, with};

const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (60, 15)];
const NOBODY: &str = "no one bot is meant here; 1 goes to the bots";

/// Every size, with the list beside the pane where there is room for it, and zoomed.
fn everywhere(test: impl Fn(&mut Desk, &str)) {
    for (width, height) in SIZES {
        for zoom in ["", "z"] {
            test(&mut Desk::new(width, height).survey(), zoom);
        }
    }
}

/// The history of these bots, the newest first; `-` is nobody's.
fn history(desk: &mut Desk, bots: &[&str]) {
    desk.tell(Msg::History(HistoryNews::Looked(Looked { changed: true, ..Looked::default() })));
    let entry = |(number, name): (usize, &&str)| Entry {
        place: Place { at: (1_772_634_727 - 60 * number as i64) * 1_000_000_000, id: 1000 - number as i64 },
        bot: (*name != "-").then(|| (*name).to_owned()),
        what: What::Event { kind: "ready".into(), text: "ready".into() },
    };
    let asked: Vec<Effect> = desk.asked.drain(..).collect();
    for effect in asked {
        if let Effect::History(HistoryAsk::Rows { view, from, .. }) = effect {
            let rows: Vec<Entry> = bots.iter().enumerate().map(entry).collect();
            let total = rows.len() as u64;
            desk.tell(Msg::History(HistoryNews::Rows { view, from, rows, before: 0, total }));
        }
    }
}

/// Who is asked about, and what must be answered.
fn question(desk: &Desk) -> Option<(Deed, Vec<String>, Guard)> {
    match &desk.model.focus {
        Focus::Asking(dialog) => match &dialog.about {
            About::Deed(deed, targets) => {
                let names = targets.iter().map(|target| target.name.to_string()).collect();
                Some((*deed, names, dialog.guard.clone()))
            }
            _ => None,
        },
        _ => None,
    }
}

fn keys_of_footer(desk: &Desk) -> String {
    let rows = rows(&desk.buffer());
    rows[rows.len() - 2].clone()
}

fn stop_of(name: &str) -> (Deed, Vec<String>, Guard) {
    (Deed::Stop, vec![name.to_owned()], Guard::YesNo)
}

#[test]
fn in_the_history_the_bot_of_the_row_is_meant_and_always_asked_about() {
    everywhere(|desk, zoom| {
        desk.press("7");
        history(desk, &["nyse-open", "mm-eth", "trend-sol", "-", "long-gone"]);
        desk.press(zoom);
        assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("arb-tri"));
        desk.press("jj");
        assert!(keys_of_footer(desk).contains("x stop trend-sol"), "{}", keys_of_footer(desk));
        desk.press("x");
        assert_eq!(question(desk), Some(stop_of("trend-sol")));
        // What has happened meanwhile comes to stand above, and changes nothing of the question.
        desk.press("<esc>s");
        assert_eq!(desk.acts(), []);
        desk.press("<esc>i");
        assert_eq!(desk.model.inspected.as_ref().map(|inspected| inspected.name.as_str()), Some("trend-sol"));
        desk.press("<esc>k");
        assert!(keys_of_footer(desk).contains("x stop mm-eth"), "{}", keys_of_footer(desk));
        desk.press("X");
        assert_eq!(question(desk), Some((Deed::Kill, vec!["mm-eth".into()], Guard::Type("mm-eth".into()))));
        desk.press("<esc>");
    });
}

#[test]
fn a_row_of_the_history_without_a_bot_means_none() {
    everywhere(|desk, zoom| {
        desk.press("7");
        history(desk, &["-", "long-gone"]);
        desk.press(zoom);
        for (row, said) in
            [("", "this row is of no one bot; 1 goes to the bots"), ("j", "long-gone is not in the list of bots")]
        {
            desk.press(row);
            assert!(!keys_of_footer(desk).contains("stop"), "{}", keys_of_footer(desk));
            for key in ["x", "X", "r", "s", "A", "c", "i"] {
                desk.press(key);
                assert_eq!(desk.acts(), [], "{key}");
                assert_eq!((desk.feedback(), &desk.model.focus), (said, &Focus::Panes), "{key}");
            }
        }
    });
}

#[test]
fn where_no_bot_is_named_none_is_meant() {
    for pane in ["5", "m"] {
        everywhere(|desk, zoom| {
            desk.press(pane);
            desk.press(zoom);
            assert!(!keys_of_footer(desk).contains("stop"), "{}", keys_of_footer(desk));
            for key in ["x", "X", "r", "s", "A", "c", "i"] {
                desk.press(key);
                assert_eq!(desk.acts(), [], "{key}");
                assert_eq!((desk.feedback(), &desk.model.focus), (NOBODY, &Focus::Panes), "{key}");
            }
        });
    }
}

#[test]
fn beside_the_log_of_one_bot_that_bot_is_meant_and_named() {
    everywhere(|desk, zoom| {
        desk.press("4");
        desk.press(zoom);
        assert!(keys_of_footer(desk).contains("x stop arb-tri"), "{}", keys_of_footer(desk));
        let screen = rows(&desk.buffer()).join("\n");
        assert!(screen.contains("arb-tri"), "{screen}");
        desk.press("x");
        assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned()])]);
    });
}

#[test]
fn in_the_stops_the_bot_that_is_shown_is_meant() {
    everywhere(|desk, zoom| {
        desk.press("6");
        desk.press("x");
        assert_eq!(desk.feedback(), "no bot is shown here, so none is meant; 1 goes to the bots");
        desk.press("1jjxy");
        let ticket = desk.look();
        desk.tell(Msg::Fresh(ticket));
        assert_eq!(desk.acts(), [(Deed::Stop, vec!["grid-btc".to_owned()])]);
        desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = State::Stopping)));
        // The cursor of the list goes elsewhere; the pane shows the stop of the one that is being stopped.
        desk.press("1g6");
        desk.press(zoom);
        assert_eq!(desk.model.cursor.as_ref().map(BotName::as_str), Some("arb-tri"));
        assert!(keys_of_footer(desk).contains("x stop grid-btc"), "{}", keys_of_footer(desk));
        desk.press("x");
        assert_eq!(question(desk), Some((Deed::Climb, vec!["grid-btc".into()], Guard::YesNo)));
        desk.press("<esc>i");
        assert_eq!(desk.model.inspected.as_ref().map(|inspected| inspected.name.as_str()), Some("grid-btc"));
    });
}

#[test]
fn marked_bots_are_asked_about_wherever_the_list_has_not_the_keys() {
    for pane in ["4", "5", "6", "7", "m"] {
        everywhere(|desk, zoom| {
            // Two paper bots, which nobody is asked about in the list.
            desk.press(" jjjjjj ");
            assert_eq!(desk.model.marked.len(), 2, "{:?}", desk.model.marked);
            desk.press(pane);
            desk.press(zoom);
            assert!(keys_of_footer(desk).contains("x stop 2 marked"), "{}", keys_of_footer(desk));
            desk.press("x");
            let (deed, names, guard) = question(desk).expect("a question");
            assert_eq!((deed, guard), (Deed::Stop, Guard::YesNo));
            let screen = rows(&desk.buffer()).join("\n");
            for name in names {
                assert!(screen.contains(&name), "{screen}");
            }
            assert_eq!(desk.acts(), []);
        });
    }
}

#[test]
fn in_the_list_and_among_the_orders_all_is_as_it_was() {
    everywhere(|desk, zoom| {
        desk.press(zoom);
        desk.press("x");
        assert_eq!(desk.acts(), [(Deed::Stop, vec!["arb-tri".to_owned()])]);
        desk.press("2x");
        assert_eq!(desk.feedback(), "there is no order here, so no bot is meant; 1 goes to the bots");
        assert_eq!(desk.model.pane, Pane::Orders);
    });
}

#[test]
fn what_was_done_is_looked_at_at_once() {
    let mut desk = Desk::new(120, 36).survey();
    desk.press("x");
    let ticket = desk.model.last_ticket;
    desk.asked.clear();
    let told = Told { name: "arb-tri".parse().expect("a name"), well: true, text: "stopped arb-tri".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_millis(3240), bots: vec![told] }));
    assert!(desk.look() > ticket);
}

#[test]
fn names_that_begin_alike_are_told_apart_and_the_whole_one_is_to_be_read() {
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height);
        let names = ["market-maker-binance-btc-eur", "market-maker-binance-eth-eur", "market-maker-binance-sol-eur"];
        let bots = names.map(|name| alive(bot(name, Mode::Paper, State::Running), 7, 7));
        desk.tell(Msg::Survey(bots.to_vec()));
        desk.press("j");
        let screen = rows(&desk.buffer());
        for end in ["tc-eur", "th-eur", "ol-eur"] {
            assert!(screen.iter().any(|row| row.contains(end)), "{}", screen.join("\n"));
        }
        assert!(screen.iter().any(|row| row.contains(names[1])), "{}", screen.join("\n"));
    }
}

#[test]
fn a_question_leaves_the_line_above_and_the_footer_alone() {
    for (width, height) in SIZES {
        let mut desk = Desk::new(width, height).survey();
        let many: Vec<BotStatus> =
            (0..40).map(|n| alive(bot(&format!("bot-{n:02}"), Mode::Live, State::Running), 7, 7)).collect();
        desk.tell(Msg::Survey(many));
        desk.press("*");
        let before = rows(&desk.buffer());
        desk.press("X");
        let screen = rows(&desk.buffer());
        assert_eq!(screen[0], before[0]);
        assert!(screen[screen.len() - 2].contains("Enter and Esc mean No"), "{}", screen.join("\n"));
        assert!(screen.iter().any(|row| row.contains("Type LIVE and Enter")), "{}", screen.join("\n"));
        assert!(screen.iter().any(|row| row.contains(" more")), "{}", screen.join("\n"));
    }
}

#[test]
fn a_long_name_of_the_host_gives_way_before_any_count_of_bots() {
    let mut desk = Desk::new(60, 15).survey();
    desk.model.fixed.host = "a-very-long-host-name-of-a-rented-box.example.org".into();
    let header = rows(&desk.buffer())[0].clone();
    for count in ["LIVE 3", "PAPER 3", "DRY 1", "E-STOP"] {
        assert!(header.contains(count), "{header}");
    }
}

#[test]
fn the_title_of_a_filtered_list_says_how_many_of_how_many() {
    let mut desk = Desk::new(80, 24).survey();
    desk.press("/zzz<enter>");
    assert!(rows(&desk.buffer()).iter().any(|row| row.contains(" 1 Bots  0 of 8 ")));
}

#[test]
fn a_click_in_the_history_chooses_its_row() {
    let mut desk = Desk::new(80, 24).survey();
    desk.model.mouse = true;
    desk.press("7");
    history(&mut desk, &["nyse-open", "mm-eth", "trend-sol"]);
    let row = rows(&desk.buffer()).iter().position(|row| row.contains("trend-sol") && row.contains("ready"));
    let row = row.expect("its row") as u16;
    let kind = MouseEventKind::Down(MouseButton::Left);
    desk.tell(Msg::Mouse(MouseEvent { kind, column: 9, row, modifiers: KeyModifiers::NONE }));
    assert_eq!(desk.model.history.chosen().and_then(|entry| entry.bot.as_deref()), Some("trend-sol"));
}
