//! Orders on the screen, questions about them, and stops that are watched: keys and words go in, and what is drawn, and
//! what is asked of others, comes out.

#![allow(clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

mod screen;

#[path = "screen/trading.rs"]
mod trading;

use std::collections::BTreeSet;
use std::time::Duration;

use botwarden::core::bot::Mode;
use botwarden::core::order::{Order, OrderState, Side};
use botwarden::core::report::{CancelResult, OrderResult, OrdersReport, StopOutcome};
use botwarden::core::state::State;
use botwarden::tui::deed::Deed;
use botwarden::tui::effect::Effect;
use botwarden::tui::message::{Done, Msg, OrdersSeen, StopNews, Told};
use botwarden::tui::model::{About, Fixed, Focus, Pane};
use botwarden::tui::text;
use screen::{Desk, rows, with};
use trading::{all_orders, desk, mid_way, name, news, order, over, placed, progress, read, report, shown, trader};

const ASCII: Fixed = Fixed {
    host: String::new(),
    ascii: true,
    color: false,
    read_only: false,
    title_note: None,
    leave_note: None,
    zone: None,
};

// The pane of orders.

#[test]
fn orders_at_120_by_36() {
    let mut desk = desk(120, 36);
    desk.press("2j ");
    desk.wait(1);
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn orders_at_80_by_24() {
    let mut desk = desk(80, 24);
    desk.press("2");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn orders_at_80_by_24_in_ascii_without_colour() {
    let mut desk = trader(80, 24, ASCII);
    all_orders(&mut desk);
    desk.press("2j *");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn orders_at_60_by_15() {
    let mut desk = desk(60, 15);
    desk.press("2");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn one_line_at_20_by_5_whatever_is_open() {
    let mut desk = desk(20, 5);
    desk.press("2c");
    insta::assert_snapshot!(desk.shot());
    assert!(desk.asked.contains(&Effect::WatchOrders(false)), "what nobody sees is not read");
    desk.tell(Msg::Resize(80, 24));
    assert_eq!(desk.asked.last(), Some(&Effect::WatchOrders(true)));
}

#[test]
fn a_source_that_cannot_be_read_keeps_its_rows_and_says_so_everywhere() {
    let mut desk = desk(120, 36);
    desk.tell(news("mm-eth", "sql", OrdersSeen::Failed("state.db: no such\nfile or \x1b[31mdirectory".into())));
    desk.press("2");
    insta::assert_snapshot!(desk.shot());
    // Its next answer takes all of that back.
    desk.tell(news("mm-eth", "sql", OrdersSeen::Unchanged(trading::now())));
    assert!(!shown(&desk).contains("STALE"), "{}", shown(&desk));
}

#[test]
fn every_source_that_fails_says_why_where_there_is_room() {
    let fail = |desk: &mut Desk, bots: &[&str]| {
        for bot in bots {
            desk.tell(news(bot, "sql", OrdersSeen::Failed(format!("no table of {bot}"))));
        }
    };
    let mut desk = desk(120, 36);
    fail(&mut desk, &["grid-btc", "mm-eth", "trend-sol"]);
    desk.press("2z");
    for bot in ["grid-btc", "mm-eth", "trend-sol"] {
        assert!(shown(&desk).contains(&format!("STALE {bot}: read 0s ago: no table of {bot}")), "{}", shown(&desk));
    }
    fail(&mut desk, &["arb-tri", "spread-x"]);
    assert!(shown(&desk).contains("STALE 2 more: i shows why"), "{}", shown(&desk));
    desk.press("G");
    assert!(shown(&desk).contains("▸ trend-sol"), "{}", shown(&desk));
    // All of that on the first page of what is known of it.
    desk.tell(Msg::Resize(80, 24));
    desk.press("i");
    let seen = shown(&desk);
    assert!(seen.contains("orders      unknown, 1 when last read, source sql, read 2026-03-04 "), "{seen}");
    assert!(seen.contains("they cannot be read now: no table of trend-sol"), "{seen}");
}

#[test]
fn what_was_not_heard_of_for_three_periods_is_old() {
    let mut desk = desk(120, 36);
    desk.wait(4);
    assert!(!shown(&desk).contains("STALE 3"), "{}", shown(&desk));
    desk.wait(1);
    let seen = shown(&desk);
    assert!(seen.contains("STALE 3 of 3") && seen.contains("was open") && seen.contains(" 4!"), "{seen}");
}

#[test]
fn a_reading_is_as_old_as_it_is_however_late_the_screen_takes_it_in() {
    let mut desk = desk(120, 36);
    desk.wait(30);
    // All three were read when the screen was opened.
    all_orders(&mut desk);
    assert!(shown(&desk).contains("STALE 3 of 3") && shown(&desk).contains("read 30s ago"), "{}", shown(&desk));
    desk.tell(news("mm-eth", "sql", OrdersSeen::Unchanged(trading::now() + jiff::SignedDuration::from_secs(29))));
    assert!(shown(&desk).contains("STALE 2 of 3"), "{}", shown(&desk));
}

#[test]
fn nothing_open_nothing_read_and_nobody_to_ask_are_three_things() {
    let mut none = Desk::new(80, 24).survey();
    none.press("2");
    assert!(shown(&none).contains("no bot says where its orders can be read: [bots.NAME.orders]"));
    let mut unread = trader(80, 24, Fixed { color: true, ..Fixed::default() });
    unread.press("2");
    unread.tell(news("mm-eth", "sql", OrdersSeen::Asked));
    assert!(shown(&unread).contains("   not read yet: grid-btc, mm-eth, trend-sol"), "{}", shown(&unread));
    let mut empty = trader(80, 24, Fixed { color: true, ..Fixed::default() });
    empty.tell(read("mm-eth", "sql", vec![]));
    empty.press("2");
    assert!(shown(&empty).contains("no open order; not read yet: grid-btc, trend-sol"), "{}", shown(&empty));
    insta::assert_snapshot!(empty.shot());
    // In the list: a number, a question mark, and a dash.
    let ord = |bot: &str| {
        let row = shown(&empty).lines().find(|row| row.contains(bot)).expect("its row").to_owned();
        row.split_whitespace().skip_while(|word| *word != "212M").nth(2).unwrap_or_default().to_owned()
    };
    assert_eq!(["mm-eth", "grid-btc", "dip-hunter"].map(ord), ["0", "?", "-"]);
}

#[test]
fn whatever_a_source_says_is_harmless_and_stays_in_its_column() {
    let mut desk = trader(120, 36, Fixed { color: true, ..Fixed::default() });
    let mut evil = order("mm-eth", "\x1b]52;c;ZXZpbA==\x07X", Side::Buy, "1", "2\x1b[2J");
    evil.symbol = Some("日本\u{202e}語/👩\u{200d}👩\u{200d}👧\r\n\0\x1b[31m".into());
    evil.venue = Some("\x1b[H\x1b[2Jkraken\t\x07".into());
    evil.kind = Some("limit\u{301}\u{301}\u{301}\u{301}\u{301}".into());
    evil.state = OrderState::Other("tri\x1bPq#0\x1b\\gge\u{9b}31mred".into());
    let mut empty = Order::new(name("mm-eth"), "sql");
    empty.symbol = Some(String::new());
    empty.quantity = Some("1".repeat(4000));
    desk.tell(read("mm-eth", "s\x1b[31mql", vec![evil, empty]));
    desk.press("2*c");
    let buffer = desk.buffer();
    for row in rows(&buffer) {
        assert!(!row.chars().any(char::is_control), "{row:?}");
        if row.starts_with('│') {
            assert_eq!((text::width(&row), row.ends_with('│')), (120, true), "{row}");
        }
    }
    desk.press("<esc>");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn one_long_number_takes_no_column_from_the_others() {
    for (width, height) in [(120, 36), (80, 24), (60, 15)] {
        let mut desk = desk(width, height);
        let mut orders = trading::grid();
        orders[0].quantity = Some("1234567890123456789012345678".into());
        orders[0].filled = Some("0.000000000000000000000000001".into());
        orders[1].price = Some("98765432109876543210.98765432".into());
        orders[2].state = OrderState::PartiallyFilled;
        desk.tell(read("grid-btc", "state-json", orders));
        desk.press("2");
        let seen = shown(&desk);
        for word in ["PRICE", " ST ", " open ", " part ", " PROT ", "62500.0 ", "1234567…", "9876543…"] {
            let cut = word.strip_suffix('…');
            assert!(seen.contains(cut.unwrap_or(word)), "{word}\n{seen}");
            assert!(cut.is_none() || seen.contains('…'), "{seen}");
        }
        assert!(width < 80 || seen.contains("AGE"), "{seen}");
        desk.wait(6);
        assert!(shown(&desk).contains("was open "), "{}", shown(&desk));
    }
}

#[test]
fn orders_are_sorted_by_one_column_after_the_other_and_the_cursor_stays() {
    let mut desk = desk(120, 36);
    desk.press("2jj");
    let chosen = desk.model.orders.cursor.clone().expect("an order");
    let mut firsts = Vec::new();
    for _ in 0..6 {
        firsts.push(format!("{} {}", desk.model.orders.sort.word(), desk.model.orders.at(0).expect("a row").id.key));
        assert_eq!(desk.model.orders.cursor.as_ref(), Some(&chosen));
        let row = shown(&desk).lines().find(|row| row.starts_with("│ ▸") && row.contains("BTC/USD")).map(str::to_owned);
        assert!(row.is_some_and(|row| row.contains("62500.0")), "{}", shown(&desk));
        desk.press("o");
    }
    insta::assert_debug_snapshot!(firsts);
    desk.press("O");
    assert!(shown(&desk).contains("sort bot reversed"));
}

#[test]
fn orders_are_filtered_by_words_that_must_all_fit() {
    for (filter, count) in [
        ("", 7),
        ("grid", 4),
        ("side:buy", 4),
        ("side:sell !grid", 1),
        ("prot", 1),
        ("!prot", 6),
        ("st:part", 1),
        ("st:partially_filled", 1),
        ("st:tri", 1),
        ("mode:live", 6),
        ("mode:paper", 1),
        ("eth side:b", 1),
        ("KRAKEN", 4),
        ("!", 7),
        ("nothing", 0),
    ] {
        let mut desk = desk(120, 36);
        desk.press(&format!("2/{filter}<enter>"));
        assert_eq!(desk.model.orders.len(), count, "{filter}");
        desk.press("<esc>");
        assert_eq!(
            (desk.model.orders.len(), desk.model.pane == Pane::Orders),
            (7, !filter.is_empty() && filter != "!")
        );
    }
}

#[test]
fn letters_of_an_orders_filter_act_on_nothing_and_pasted_ones_neither() {
    let mut desk = desk(80, 24);
    desk.press("2/cxX !q");
    desk.tell(Msg::Paste("y\ny".into()));
    assert_eq!(desk.model.orders.filter.text(), "cxX !qy y");
    assert_eq!(desk.acts(), []);
    assert!(desk.model.confirmed.is_none());
}

#[test]
fn keys_for_bots_mean_the_bot_of_the_order_under_the_cursor() {
    let mut desk = desk(120, 36);
    desk.press("2G");
    assert_eq!(desk.model.cursor, Some(name("trend-sol")));
    desk.press("g<enter>");
    assert_eq!((desk.model.pane, desk.model.cursor.clone()), (Pane::Logs, Some(name("grid-btc"))));
}

/// Whom an open question is about.
fn asked_about(desk: &Desk) -> Vec<String> {
    match &desk.model.focus {
        Focus::Asking(botwarden::tui::model::Dialog { about: About::Deed(_, targets), .. }) => {
            targets.iter().map(|target| target.name.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn deeds_among_orders_mean_the_owner_of_the_row_whatever_moved_the_cursor() {
    for deed in ["x", "X", "r"] {
        // A filter moves the cursor of the orders.
        let mut desk = desk(120, 36);
        desk.press(&format!("1/arb<enter>2/trend<enter>{deed}"));
        assert_eq!(asked_about(&desk), ["trend-sol"], "{deed}");
        // The rows that it stood among go.
        let mut desk = trading::desk(120, 36);
        desk.press("2jg");
        desk.tell(read("grid-btc", "state-json", vec![]));
        desk.press(deed);
        assert_eq!(asked_about(&desk), ["mm-eth"], "{deed}");
        // Marks of bots and of orders mean something elsewhere.
        let mut desk = trading::desk(120, 36);
        desk.press(&format!("1* 2 G{deed}"));
        assert_eq!(asked_about(&desk), ["trend-sol"], "{deed}");
    }
    for deed in ["x", "X", "r", "s", "A", "i"] {
        let mut desk = desk(120, 36);
        desk.press(&format!("1/arb<enter>2/nothing<enter>{deed}"));
        assert_eq!((desk.acts(), asked_about(&desk)), (vec![], vec![]), "{deed}");
        assert_eq!(desk.feedback(), "there is no order here, so no bot is meant; 1 goes to the bots", "{deed}");
    }
    let mut desk = desk(120, 36);
    desk.press("2/mm<enter>");
    assert!(shown(&desk).contains(" x stop mm-eth "), "{}", shown(&desk));
    desk.press("i");
    assert_eq!(desk.model.inspected.as_ref().map(|inspected| inspected.name.clone()), Some(name("mm-eth")));
}

// Counts.

#[test]
fn a_live_bot_that_does_not_run_and_has_orders_is_the_first_alert() {
    let mut desk = desk(120, 36);
    desk.tell(Msg::Survey(with("mm-eth", |bot| bot.state = State::Stopped)));
    let seen = shown(&desk);
    assert!(seen.contains(" ! mm-eth (LIVE): STOPPED with 2 open orders"), "{seen}");
    assert!(seen.contains("ORDERS 7 (prot 1)"), "{seen}");
}

#[test]
fn the_question_before_a_bot_with_orders_is_stopped_names_them() {
    let mut desk = desk(80, 24);
    desk.press("/trend<enter>x");
    assert!(shown(&desk).contains("trend-sol  PAPER  BACKOFF  1 open order"), "{}", shown(&desk));
    desk.press("<esc><esc>/grid<enter>x");
    assert!(shown(&desk).contains("4 open orders (1 protective)"), "{}", shown(&desk));
    // A live bot that surely has none is killed without its name.
    desk.tell(read("grid-btc", "state-json", vec![]));
    desk.press("<esc>X");
    assert!(shown(&desk).contains("y yes"), "{}", shown(&desk));
    desk.tell(read("grid-btc", "state-json", vec![order("grid-btc", "A", Side::Buy, "1", "2")]));
    desk.press("<esc>X");
    assert!(shown(&desk).contains("Type grid-btc and Enter"), "{}", shown(&desk));
}

#[test]
fn whoever_knows_less_of_orders_is_not_asked_less() {
    // Never read; read, and then not any more; empty when last read.
    let mut unread = trader(80, 24, Fixed { color: true, ..Fixed::default() });
    let mut stale = desk(80, 24);
    stale.tell(news("trend-sol", "state-json", OrdersSeen::Failed("torn".into())));
    let mut empty = desk(80, 24);
    empty.tell(read("trend-sol", "state-json", vec![]));
    empty.wait(6);
    let lines =
        ["open orders: unknown ", "open orders: unknown, 1 when last read", "open orders: unknown, 0 when last read"];
    for (desk, line) in [&mut unread, &mut stale, &mut empty].into_iter().zip(lines) {
        for deed in ["x", "r"] {
            desk.press(&format!("1/trend<enter>{deed}"));
            assert_eq!((asked_about(desk), desk.acts()), (vec!["trend-sol".to_owned()], vec![]), "{deed}");
            assert!(shown(desk).contains(line), "{}", shown(desk));
            desk.press("<esc><esc>");
        }
    }
    // Surely none, and none that anybody could read.
    let mut none = desk(80, 24);
    none.tell(read("trend-sol", "state-json", vec![]));
    none.press("/trend<enter>x");
    none.press("<esc>/arb<enter>x");
    assert_eq!(none.acts().len(), 2, "{}", none.feedback());
}

#[test]
fn a_question_about_many_bots_names_as_many_as_fit_and_counts_the_orders_of_all() {
    let mut desk = desk(120, 36);
    desk.press("1*x");
    let seen = shown(&desk);
    let all = asked_about(&desk);
    assert!(all.iter().all(|name| seen.contains(&format!("│ {name}  "))), "{seen}");
    let unknown = all.len() - 3;
    assert!(seen.contains(&format!("all {}: 7 open orders (1 protective), unknown of {unknown}", all.len())), "{seen}");
    // Every order that was chosen is named where there is room, and every bot before any order where there is not.
    let mut many = trading::desk(120, 36);
    many.tell(read("grid-btc", "state-json", (0..12).map(placed).collect()));
    many.press("2/!trend<enter>*c");
    assert!((0..12).all(|n| shown(&many).contains(&format!("(O-{n:05})"))), "{}", shown(&many));
    many.tell(Msg::Resize(60, 15));
    assert!(shown(&many).contains(" mm-eth  LIVE") && shown(&many).contains(" grid-btc  LIVE"), "{}", shown(&many));
    desk.tell(Msg::Resize(60, 15));
    let seen = shown(&desk);
    assert!(seen.contains("more, ") && seen.contains("7 open orders") && seen.contains("y yes    N no"), "{seen}");
}

// Canceling.

/// Orders that were chosen one by one, by their bots.
type Chosen = Vec<(String, Vec<String>)>;

/// What was asked to be canceled: of whom, and which.
fn canceled(desk: &mut Desk) -> Vec<(Vec<String>, Chosen)> {
    desk.asked
        .drain(..)
        .filter_map(|effect| match effect {
            Effect::Act { deed: Deed::Cancel, names, orders, .. } => Some((
                names.iter().map(ToString::to_string).collect(),
                orders.into_iter().map(|(bot, keys)| (bot.to_string(), keys)).collect(),
            )),
            _ => None,
        })
        .collect()
}

fn yes(desk: &mut Desk) {
    desk.press("y");
    let ticket = desk.look();
    desk.tell(Msg::Fresh(ticket));
}

#[test]
fn the_question_before_all_orders_of_a_live_bot_are_canceled() {
    let mut desk = desk(80, 24);
    desk.press("/grid<enter>c");
    insta::assert_snapshot!(desk.shot());
    yes(&mut desk);
    assert_eq!(canceled(&mut desk), [(vec!["grid-btc".to_owned()], vec![])]);
}

#[test]
fn the_question_before_marked_orders_are_canceled() {
    let mut desk = desk(120, 36);
    desk.press("2 j jj c");
    insta::assert_snapshot!(desk.shot());
    yes(&mut desk);
    let of = |bot: &str, keys: &[&str]| (bot.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    let chosen = vec![of("grid-btc", &["OAB-771", "OAB-773"]), of("mm-eth", &["B-2"])];
    assert_eq!(canceled(&mut desk), [(vec!["grid-btc".to_owned(), "mm-eth".to_owned()], chosen)]);
    assert!(desk.model.orders.marked.is_empty());
    assert_eq!(desk.model.lower, Pane::Stops, "how it goes is shown");
}

#[test]
fn in_dry_run_the_question_says_that_nothing_is_canceled() {
    let mut desk = desk(80, 24);
    desk.tell(Msg::Configuration(Ok(trading::specs(&["dip-hunter"]))));
    desk.tell(read("dip-hunter", "command", vec![order("dip-hunter", "D-1", Side::Buy, "1", "2")]));
    desk.press("/dip<enter>c");
    let seen = shown(&desk);
    assert!(desk.feedback().is_empty(), "{}", desk.feedback());
    assert!(seen.contains("dip-hunter in dry-run: there nothing is canceled, only counted."), "{seen}");
    assert!(!seen.contains("manual orders"), "{seen}");
}

#[test]
fn what_cannot_be_canceled_says_why_and_asks_nothing() {
    for (keys, said) in [
        ("/trend<enter>c", "trend-sol: only the bot itself can cancel: it has no cancel command"),
        ("2Gc", "trend-sol: only the bot itself can cancel: it has no cancel command"),
        ("/nyse<enter>c", "nyse-open says nowhere where its orders can be read: nothing can be verified"),
        ("2/nothing<enter>c", "there is no order here"),
        ("2 /trend<enter>c", "1 marked but hidden by the filter: clear it (Esc), or unmark (U)"),
    ] {
        let mut desk = desk(120, 36);
        desk.press(keys);
        assert_eq!((desk.feedback(), &desk.model.focus), (said, &Focus::Panes), "{keys}");
        assert_eq!(canceled(&mut desk), []);
    }
    let mut desk = desk(120, 36);
    desk.tell(read("mm-eth", "sql", vec![]));
    desk.press("/mm<enter>c");
    assert_eq!(desk.feedback(), "mm-eth has no open order");
    let mut desk = trader(80, 24, Fixed { read_only: true, ..Fixed::default() });
    all_orders(&mut desk);
    desk.press("2c");
    assert_eq!(desk.feedback(), "read-only: nothing here can cancel orders of a bot");
}

#[test]
fn canceling_defaults_to_no() {
    for no in ["<enter>", "<esc>", "n", "N", "q"] {
        let mut desk = desk(120, 36);
        desk.press("2c");
        assert!(matches!(desk.model.focus, Focus::Asking(_)));
        desk.press(no);
        assert_eq!((&desk.model.focus, desk.model.confirmed.is_none()), (&Focus::Panes, true), "{no}");
        assert_eq!(canceled(&mut desk), []);
    }
}

#[test]
fn sorting_and_news_between_question_and_answer_change_no_target() {
    let mut desk = desk(120, 36);
    desk.press("2jc");
    // Others come to stand in its row.
    desk.model.orders.sort_next();
    desk.model.orders.turn_round();
    let mut more: Vec<Order> = trading::grid();
    more.insert(0, order("grid-btc", "AAA-1", Side::Buy, "9", "1.0"));
    desk.tell(read("grid-btc", "state-json", more));
    yes(&mut desk);
    assert_eq!(canceled(&mut desk)[0].1, [("grid-btc".to_owned(), vec!["OAB-772".to_owned()])]);

    // What is gone by then is not canceled, and nothing else in its place.
    let mut desk = trading::desk(120, 36);
    desk.press("2jcy");
    let ticket = desk.look();
    desk.tell(read("grid-btc", "state-json", trading::grid().into_iter().skip(2).collect()));
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(canceled(&mut desk), []);
    assert_eq!(desk.feedback(), "cancel orders of grid-btc refused: nothing of it is open any more");

    // Paper money that has become real money is another question.
    let mut desk = trading::desk(120, 36);
    desk.tell(Msg::Survey(with("grid-btc", |bot| bot.mode = Some(Mode::Paper))));
    desk.press("2jcy");
    let ticket = desk.look();
    desk.tell(Msg::Survey(with("grid-btc", |_| {})));
    desk.tell(Msg::Fresh(ticket));
    assert_eq!(canceled(&mut desk), []);
    assert_eq!(desk.feedback(), "cancel orders of grid-btc refused: grid-btc is LIVE now");
}

#[test]
fn what_was_placed_since_the_question_is_not_canceled_by_its_yes() {
    let more = || {
        let mut more = trading::grid();
        more.extend((0..9).map(placed));
        more
    };
    // All of a bot: what is open has changed, so it is another question.
    let mut desk = desk(120, 36);
    desk.press("/grid<enter>c");
    desk.tell(read("grid-btc", "state-json", more()));
    let seen = shown(&desk);
    assert!(seen.contains("it has 13 open orders now, 9 of them new: yes will be refused"), "{seen}");
    yes(&mut desk);
    assert_eq!(canceled(&mut desk), []);
    let refused = "cancel orders of grid-btc refused: grid-btc has 13 open orders now, 9 of them new; ask again";
    assert_eq!(desk.feedback(), refused);
    // One that guards a position now did not when it was asked about.
    let mut desk = trading::desk(120, 36);
    desk.press("/grid<enter>c");
    let mut guards = trading::grid();
    guards[0].protective = true;
    desk.tell(read("grid-btc", "state-json", guards));
    yes(&mut desk);
    assert_eq!(canceled(&mut desk), []);
    assert!(desk.feedback().contains("grid-btc has 2 protective orders now; ask again"), "{}", desk.feedback());
    // Fewer are no reason, and whoever chose orders means those.
    let mut desk = trading::desk(120, 36);
    desk.press("/grid<enter>c");
    desk.tell(read("grid-btc", "state-json", trading::grid().split_off(2)));
    yes(&mut desk);
    assert_eq!(canceled(&mut desk).len(), 1);
    let mut desk = trading::desk(120, 36);
    desk.press("2/grid<enter>*c");
    desk.tell(read("grid-btc", "state-json", more()));
    yes(&mut desk);
    assert_eq!(canceled(&mut desk)[0].1[0].1, ["OAB-771", "OAB-772", "OAB-773", "OAB-774"]);
}

#[test]
fn a_question_names_every_order_that_its_key_takes() {
    let mut desk = desk(120, 36);
    let mut twins = trading::grid();
    twins[1].order_id = Some("OAB-771".into());
    // The bot calls this one as the venue calls the others.
    twins[2].client_order_id = Some("OAB-771".into());
    desk.tell(read("grid-btc", "state-json", twins.clone()));
    desk.press("2gc");
    let seen = shown(&desk);
    assert!(seen.contains("cancel 3 orders of grid-btc?"), "{seen}");
    assert!(
        ["61250.0 (OAB-771)", "61000.0 (OAB-771)", "62500.0 (OAB-773)"].iter().all(|one| seen.contains(one)),
        "{seen}"
    );
    twins.push(order("grid-btc", "OAB-771", Side::Buy, "9", "1.0"));
    desk.tell(read("grid-btc", "state-json", twins));
    yes(&mut desk);
    assert_eq!(canceled(&mut desk), []);
    assert!(desk.feedback().contains("has 4 orders that are called so now, not 3"), "{}", desk.feedback());
    // Without an id they are called by what they are.
    let mut desk = trading::desk(120, 36);
    let blank = |_| Order { order_id: None, ..order("mm-eth", "", Side::Buy, "1", "2") };
    desk.tell(read("mm-eth", "sql", (0..3).map(blank).collect()));
    desk.press("2/mm<enter>c");
    assert!(shown(&desk).contains("cancel 3 orders of mm-eth?"), "{}", shown(&desk));
}

#[test]
fn marked_orders_that_are_gone_do_not_hand_the_deed_to_the_cursor() {
    let mut desk = desk(120, 36);
    desk.press("2 ");
    desk.tell(read("grid-btc", "state-json", trading::grid().into_iter().skip(1).collect()));
    desk.press("c");
    assert_eq!((desk.feedback(), &desk.model.focus), ("the marked orders are gone", &Focus::Panes));
}

// A stop that is watched.

/// Asks for the stop of a bot and says yes; its ticket.
fn stopping(desk: &mut Desk, bot: &str) -> u64 {
    desk.press(&format!("1/{bot}<enter>x"));
    if matches!(desk.model.focus, Focus::Asking(_)) {
        yes(desk);
    }
    desk.press("<esc>");
    desk.model.last_ticket
}

#[test]
fn a_stop_mid_way_at_80_by_24() {
    let mut desk = desk(80, 24);
    let ticket = stopping(&mut desk, "grid-btc");
    assert_eq!((desk.model.lower, desk.model.pane), (Pane::Stops, Pane::Bots), "shown, and not in the way");
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(mid_way("grid-btc")))));
    desk.wait(2);
    insta::assert_snapshot!(desk.shot());
    desk.press("6z");
    insta::assert_snapshot!("a_stop_mid_way_zoomed_at_80_by_24", desk.shot());
}

#[test]
fn a_stop_mid_way_in_ascii_without_colour() {
    let mut desk = trader(80, 24, ASCII);
    all_orders(&mut desk);
    let ticket = stopping(&mut desk, "grid-btc");
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(mid_way("grid-btc")))));
    desk.press("6z");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_stop_mid_way_at_120_by_36() {
    let mut desk = desk(120, 36);
    let ticket = stopping(&mut desk, "grid-btc");
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(mid_way("grid-btc")))));
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn a_bot_that_says_it_is_done_and_lives_is_still_stopping() {
    let mut desk = desk(120, 36);
    let ticket = stopping(&mut desk, "mm-eth");
    desk.tell(Msg::Survey(with("mm-eth", |bot| bot.state = State::Stopping)));
    let mut seen = mid_way("mm-eth");
    seen.claims.orders_canceled = Some(2);
    seen.claims.state_flushed = Some(true);
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(seen))));
    let shown = shown(&desk);
    assert!(shown.contains("whatever it says: it lives, so it is still STOPPING"), "{shown}");
    assert!(shown.contains("◌ STOPPING") && !shown.contains("RESULT"), "{shown}");
    assert!(shown.contains("CANCEL 2 of 4 verified, 1 pending, 1 error; SIGKILL in 6 s"), "{shown}");
}

/// A bot that says that it has canceled both of its orders, and has canceled none.
fn lie(desk: &mut Desk) -> u64 {
    let ticket = stopping(desk, "mm-eth");
    let mut lie = report("mm-eth", StopOutcome::Stopped);
    lie.claims.orders_canceled = Some(2);
    lie.claims.cancel_errors = Some(0);
    lie.claims.state_flushed = Some(true);
    lie.state_flushed = Some(true);
    lie.orders = Some(OrdersReport {
        before: Some(2),
        errors: 2,
        unconfirmed: 2,
        verified: true,
        open: trading::mm(),
        ..OrdersReport::default()
    });
    lie.errors = vec!["it says that it canceled 2 orders, and 2 are still open".into()];
    desk.tell(Msg::Stop(ticket, StopNews::Bot(Box::new(lie.clone()))));
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("stop", 11, vec![lie])))));
    let told =
        Told { name: name("mm-eth"), well: false, text: "stopped mm-eth; 2 orders NOT CONFIRMED canceled".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_secs(17), bots: vec![told] }));
    ticket
}

#[test]
fn a_bot_that_lies_is_told_from_what_was_seen_at_120_by_36() {
    let mut desk = desk(120, 36);
    lie(&mut desk);
    insta::assert_snapshot!(desk.shot());
    assert!(desk.asked.contains(&Effect::ReadNow(vec![name("mm-eth")])), "what is left is read at once");
}

#[test]
fn a_bot_that_lies_is_told_from_what_was_seen_at_60_by_15_in_ascii() {
    let mut desk = trader(60, 15, ASCII);
    all_orders(&mut desk);
    lie(&mut desk);
    desk.press("6");
    insta::assert_snapshot!(desk.shot());
    for keys in ["", "j", "2", "2c", "1", "1c", "6z"] {
        for (width, height) in [(120, 36), (80, 24), (60, 15), (20, 5)] {
            desk.tell(Msg::Resize(width, height));
            desk.press(keys);
            let buffer = desk.buffer();
            assert!(rows(&buffer).iter().all(|row| row.is_ascii()), "{}", rows(&buffer).join("\n"));
            assert!(buffer.content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
        }
    }
}

#[test]
fn what_is_not_confirmed_is_red_wherever_it_stands() {
    let mut desk = desk(80, 24);
    lie(&mut desk);
    desk.press("6z");
    insta::assert_snapshot!(desk.shot());
    let buffer = desk.buffer();
    let lines = rows(&buffer);
    for what in
        ["INCOMPLETE - 2 orders", "exit code 11", "check at the venue NOW", "NOT CONFIRMED 2", "2 STILL OPEN", "DIFFER"]
    {
        let (y, line) = lines
            .iter()
            .enumerate()
            .find(|(_, line)| line.contains(what))
            .unwrap_or_else(|| panic!("{what}\n{}", lines.join("\n")));
        let x = text::width(&line[..line.find(what).expect("there")]);
        let cell = buffer.cell((x as u16, y as u16)).expect("a cell");
        assert_eq!(cell.fg, ratatui::style::Color::Red, "{what}");
    }
    let says = lines.iter().position(|line| line.contains("says     orders canceled 2")).expect("claims");
    assert!(lines[says + 1].contains("seen     of 2 open before: 0 canceled"), "evidence stands below");
    let style = |y: usize| buffer.cell((14, y as u16)).expect("a cell").modifier;
    assert_ne!(style(says), style(says + 1), "a claim does not look like evidence");
}

#[test]
fn several_bots_have_a_line_each_and_one_has_the_details() {
    let mut desk = desk(120, 36);
    desk.press("1/mode:live<enter>*x");
    yes(&mut desk);
    let ticket = desk.model.last_ticket;
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(mid_way("grid-btc")))));
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(progress("mm-eth")))));
    desk.tell(Msg::Stop(ticket, StopNews::Bot(Box::new(report("spread-x", StopOutcome::NotRunning)))));
    desk.press("<esc>6z");
    insta::assert_snapshot!(desk.shot());
    assert!(shown(&desk).contains("grid-btc (LIVE)"), "whoever is in trouble comes first");
    desk.press("<enter>");
    assert!(shown(&desk).contains("mm-eth (LIVE)"), "{}", shown(&desk));
}

#[test]
fn errors_are_all_kept_and_scrolled_to() {
    let mut desk = desk(80, 24);
    let ticket = stopping(&mut desk, "grid-btc");
    let mut seen = mid_way("grid-btc");
    seen.errors = (1..=40).map(|n| format!("OAB-{n} 429 Too Many \x1b[31mRequests, attempt {n}")).collect();
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(seen))));
    desk.press("6G");
    assert!(shown(&desk).contains("OAB-40 429 Too Many Requests, attempt 40"), "{}", shown(&desk));
    desk.press("kkg");
    assert!(shown(&desk).contains("Orders canceled 2"), "{}", shown(&desk));
    desk.press(&"j".repeat(200));
    desk.press("k");
    assert!(!shown(&desk).contains("OAB-40 "), "one up is one up, however far down was pressed");
}

#[test]
fn the_pane_of_stops_comes_by_itself_once_and_is_left_alone_afterwards() {
    // A bot without orders whose stop takes its time.
    let mut desk = desk(80, 24);
    stopping(&mut desk, "arb-tri");
    assert_eq!(desk.model.lower, Pane::Logs);
    desk.wait(2);
    assert_eq!((desk.model.lower, desk.model.pane), (Pane::Stops, Pane::Bots));
    desk.press("41");
    desk.wait(5);
    assert_eq!(desk.model.lower, Pane::Logs, "whoever turned away is not turned back");
    // Whoever reads a log that gives way has the keys where they can be seen.
    let mut desk = trading::desk(80, 24);
    desk.press("1/mm<enter><enter>x");
    yes(&mut desk);
    assert_eq!((desk.model.lower, desk.model.pane), (Pane::Stops, Pane::Stops));
    // What fills the screen stays.
    let mut desk = trading::desk(80, 24);
    desk.press("1/mm<enter><enter>zx");
    yes(&mut desk);
    assert_eq!(desk.model.pane, Pane::Logs);
}

#[test]
fn a_stop_whose_last_word_is_missing_is_not_called_done() {
    let mut desk = desk(120, 36);
    let ticket = stopping(&mut desk, "mm-eth");
    let told =
        Told { name: name("mm-eth"), well: false, text: "stop mm-eth: broke off; the list shows what is".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_secs(1), bots: vec![told] }));
    assert!(shown(&desk).contains("RESULT   UNKNOWN - its last word is missing"), "{}", shown(&desk));
}

#[test]
fn a_stop_that_is_hurried_goes_on_from_where_it_was() {
    let mut desk = desk(120, 36);
    let ticket = stopping(&mut desk, "grid-btc");
    desk.tell(Msg::Stop(ticket, StopNews::Progress(Box::new(mid_way("grid-btc")))));
    desk.tell(Msg::Survey(with("grid-btc", |bot| bot.state = State::Stopping)));
    desk.press("x");
    yes(&mut desk);
    assert!(shown(&desk).contains("CANCEL  2 of 4 verified"), "{}", shown(&desk));
    // Words of the one before are not those of this one.
    desk.tell(Msg::Stop(ticket, StopNews::Bot(Box::new(report("grid-btc", StopOutcome::Survived)))));
    assert!(!shown(&desk).contains("NOT STOPPED"), "{}", shown(&desk));
}

#[test]
fn every_order_that_was_refused_is_told_with_why() {
    let mut desk = desk(80, 24);
    desk.press("/grid<enter>c");
    yes(&mut desk);
    let ticket = desk.model.last_ticket;
    let result = |id: &str, result, message: &str| OrderResult {
        order_id: Some(id.into()),
        client_order_id: None,
        result,
        attempts: 3,
        message: Some(message.into()),
    };
    let mut done = botwarden::core::report::BotReport::of_orders(name("grid-btc"));
    done.duration_ms = 2500;
    done.orders = Some(OrdersReport {
        before: Some(4),
        canceled: 2,
        errors: 2,
        unconfirmed: 2,
        verified: true,
        open: trading::grid().split_off(2),
        results: vec![
            result("OAB-771", CancelResult::Canceled, ""),
            result("OAB-773", CancelResult::Refused, "EOrder:\x1b[2JRate limit\nexceeded"),
            result("OAB-774", CancelResult::Unknown, "timed out"),
            result("OAB-775", CancelResult::Unknown, " "),
        ],
        ..OrdersReport::default()
    });
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("cancel", 11, vec![done])))));
    let told = Told { name: name("grid-btc"), well: false, text: "grid-btc: 2 orders NOT CONFIRMED canceled".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_secs(2), bots: vec![told] }));
    desk.press("<esc>6z");
    insta::assert_snapshot!(desk.shot());
}

#[test]
fn what_was_chosen_is_told_from_what_else_is_open() {
    let mut desk = desk(160, 36);
    desk.press("2/grid<enter>c");
    yes(&mut desk);
    let ticket = desk.model.last_ticket;
    let mut done = botwarden::core::report::BotReport::of_orders(name("grid-btc"));
    done.orders = Some(OrdersReport { before: Some(1), canceled: 1, verified: true, ..OrdersReport::default() });
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("cancel", 0, vec![done])))));
    let told = Told { name: name("grid-btc"), well: true, text: "grid-btc: 1 order canceled".into() };
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_secs(2), bots: vec![told] }));
    desk.tell(read("grid-btc", "state-json", trading::grid().split_off(1)));
    let words = "1 of 1 chosen orders canceled; 3 others of grid-btc are still open";
    let seen = shown(&desk);
    assert_eq!(seen.matches(words).count(), 2, "in the title and in the result: {seen}");
    assert!(seen.contains("of 1 chosen: 1 canceled, 0 filled, 0 open") && !seen.contains("0 orders open"), "{seen}");
    desk.tell(read("grid-btc", "state-json", vec![]));
    assert!(shown(&desk).contains("1 of 1 chosen orders canceled; no other of grid-btc is open"), "{}", shown(&desk));
}

#[test]
fn the_result_of_several_bots_adds_up_and_hides_nothing() {
    let mut desk = desk(120, 36);
    desk.press("1/mode:live<enter>*x");
    yes(&mut desk);
    let ticket = desk.model.last_ticket;
    let orders = |orders: OrdersReport| Some(OrdersReport { verified: true, ..orders });
    let mut dry = report("grid-btc", StopOutcome::Stopped);
    dry.orders = orders(OrdersReport { before: Some(3), skipped: 3, ..OrdersReport::default() });
    let mut torn = report("mm-eth", StopOutcome::Stopped);
    torn.orders = orders(OrdersReport { before: Some(2), canceled: 2, errors: 2, ..OrdersReport::default() });
    torn.errors = vec!["its exit was not seen".into()];
    let unknown = report("spread-x", StopOutcome::Stopped);
    let bots = vec![dry, torn, unknown];
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("stop", 0, bots.clone())))));
    desk.tell(Msg::Done(Done { ticket, took: Duration::from_secs(1), bots: vec![] }));
    desk.press("<esc>6z");
    let seen = shown(&desk);
    let all = desk.model.stops.bots.len();
    assert!(all >= 3, "{all}");
    let left = all - 2;
    let have = if left == 1 { format!("1 of {all} bots has") } else { format!("{left} of {all} bots have") };
    assert!(seen.contains(&format!("DONE - 3 orders left alone (dry-run); {have} unknown orders")), "{seen}");
    assert!(seen.contains("stopped; 3 skipped (dry-run)"), "{seen}");
    assert!(seen.contains("errors 2 ") && seen.contains("2 canceled, 0 filled; 2 errors"), "{seen}");
    desk.tell(Msg::Stop(ticket, StopNews::Over(Box::new(over("stop", 14, bots)))));
    assert!(shown(&desk).contains(&format!("could not be asked; {have} unknown orders")), "{}", shown(&desk));
}

#[test]
fn whoever_goes_from_bot_to_bot_sees_the_details_of_each() {
    let mut desk = desk(60, 15);
    desk.press("1*x");
    yes(&mut desk);
    desk.press("6");
    let mut names = BTreeSet::new();
    for _ in 0..desk.model.stops.bots.len() {
        desk.press("<enter>");
        let name = desk.model.stops.detail().expect("a bot").name.to_string();
        let seen = shown(&desk);
        assert!(
            seen.contains(&format!("│ {name} (")) && seen.contains("asked; nothing was said yet"),
            "{name}\n{seen}"
        );
        names.insert(name);
    }
    assert_eq!(names.len(), desk.model.stops.bots.len());
}

#[test]
fn every_size_can_be_drawn_with_orders_and_a_stop() {
    let mut desk = desk(1, 1);
    desk.tell(Msg::Resize(120, 36));
    lie(&mut desk);
    for keys in ["", "2", "6", "z", "1zx", "<esc>2*c", "<esc>1*c"] {
        desk.press(keys);
        for width in [1, 2, 19, 59, 60, 61, 79, 80, 119, 120, 300] {
            for height in [1, 2, 14, 15, 16, 23, 24, 30, 90] {
                desk.tell(Msg::Resize(width, height));
                desk.buffer();
            }
        }
        desk.tell(Msg::Resize(120, 36));
    }
}

#[test]
fn a_long_list_in_a_question_gives_way_to_what_must_be_answered() {
    let mut desk = desk(60, 15);
    desk.press("2*/!trend<enter>");
    desk.press("U*c");
    insta::assert_snapshot!(desk.shot());
    assert!(shown(&desk).contains("y yes    N no"), "{}", shown(&desk));
}

// Ten thousand of them.

#[test]
fn ten_thousand_orders_are_sorted_when_they_change_and_never_to_draw_or_move() {
    let mut desk = trader(120, 36, Fixed { color: true, ..Fixed::default() });
    let many: Vec<Order> = (0..10_000).map(placed).collect();
    desk.tell(read("grid-btc", "state-json", many.clone()));
    let sorted = desk.model.orders.sorted;
    desk.press("2jjj<pgdn><pgdn>Gkg ");
    for _ in 0..20 {
        desk.wait(1);
        desk.tell(news("grid-btc", "state-json", OrdersSeen::Unchanged(desk.model.now.wall)));
        desk.buffer();
    }
    assert_eq!(desk.model.orders.sorted, sorted, "what has not changed is not sorted again");
    desk.press("o");
    assert_eq!(desk.model.orders.sorted, sorted + 1);
    desk.tell(news("grid-btc", "state-json", OrdersSeen::Read(many, desk.model.now.wall)));
    assert_eq!(desk.model.orders.sorted, sorted + 2);
    assert_eq!(desk.model.orders.marked.len(), 1);
    // Half a number would be another one.
    assert!(shown(&desk).contains(" 10k ") && !shown(&desk).contains("100…"), "{}", shown(&desk));
    desk.wait(6);
    assert!(shown(&desk).contains(" 10k! "), "{}", shown(&desk));
}
