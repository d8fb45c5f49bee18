//! The figures of a report, from one reading to the next.

use super::*;
use crate::core::order::EndedOrder;

fn order(id: &str) -> Order {
    let mut order = Order::new("maker".parse().expect("a name"), "sql");
    order.order_id = Some(id.to_owned());
    order
}

fn guard(id: &str) -> Order {
    Order { protective: true, ..order(id) }
}

fn reading(orders: &[Order]) -> Reading {
    Reading { orders: orders.to_vec(), ended: Vec::new(), at: Timestamp::UNIX_EPOCH, stamp: None }
}

fn said(order: &str, result: CancelResult) -> Said {
    Said { order: order.to_owned(), result, message: None }
}

fn ledger() -> Ledger {
    Ledger::new(Some(Mode::Paper), Protective::Cancel, Which::All)
}

fn figures(ledger: &Ledger) -> (Option<u64>, u64, u64, u64, u64) {
    let report = ledger.report(true).expect("it was read");
    (report.before, report.canceled, report.filled, report.errors, report.unconfirmed)
}

#[test]
fn what_was_never_read_has_no_figures() {
    let mut ledger = ledger();
    ledger.missed();
    assert_eq!(ledger.report(true), None);
    assert!(!ledger.is_known());
}

#[test]
fn what_is_first_read_after_the_bot_was_told_is_not_how_it_was_before() {
    let mut ledger = ledger();
    ledger.missed();
    ledger.too_late();
    ledger.take_in(&reading(&[order("a")]));
    assert_eq!((figures(&ledger), ledger.knows_before()), ((None, 0, 0, 0, 1), false));
}

#[test]
fn an_order_that_vanished_counts_as_canceled_unless_it_was_filled() {
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a"), order("b"), order("c")]));
    let ended = EndedOrder { order_id: Some("b".into()), client_order_id: None, fate: Fate::Filled };
    ledger.take_in(&Reading { ended: vec![ended], ..reading(&[order("c")]) });
    assert_eq!(figures(&ledger), (Some(3), 1, 1, 0, 1));
    let results: Vec<_> = ledger.report(true).expect("read").results.iter().map(|one| one.result).collect();
    assert_eq!(results, [CancelResult::Gone, CancelResult::Filled, CancelResult::Unknown]);
}

#[test]
fn what_is_said_never_makes_an_order_canceled_that_is_still_listed() {
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a"), order("b")]));
    ledger.hear(&[order("a"), order("b")], &[said("a", CancelResult::Canceled), said("b", CancelResult::Filled)]);
    ledger.take_in(&reading(&[order("a"), order("b")]));
    assert_eq!(figures(&ledger), (Some(2), 0, 0, 0, 2));
    assert!(ledger.unsettled().is_empty(), "nobody need try again at once");
    assert_eq!(ledger.to_cancel().len(), 2, "and yet they are open");
    ledger.take_in(&reading(&[]));
    assert_eq!(figures(&ledger), (Some(2), 1, 1, 0, 0));
}

#[test]
fn an_order_of_which_nothing_was_said_when_it_was_tried_is_an_error_while_it_is_open() {
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a"), order("b")]));
    ledger.hear(&[order("a"), order("b")], &[said("a", CancelResult::Refused), said("nobody", CancelResult::Canceled)]);
    assert_eq!(figures(&ledger), (Some(2), 0, 0, 2, 2));
    ledger.take_in(&reading(&[order("a")]));
    assert_eq!(figures(&ledger), (Some(2), 1, 0, 1, 1));
    assert_eq!(ledger.report(true).expect("read").results[0].result, CancelResult::Refused);
}

#[test]
fn orders_that_come_during_a_stop_are_to_be_canceled_too() {
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a")]));
    ledger.take_in(&reading(&[order("b"), order("c")]));
    assert_eq!(figures(&ledger), (Some(1), 1, 0, 0, 2));
    assert_eq!(ledger.to_cancel().len(), 2);
}

#[test]
fn in_dry_run_nothing_is_canceled_and_what_is_open_is_skipped() {
    let mut ledger = Ledger::new(Some(Mode::DryRun), Protective::Cancel, Which::All);
    ledger.take_in(&reading(&[order("a"), order("b")]));
    ledger.take_in(&reading(&[order("b")]));
    let report = ledger.report(true).expect("read");
    assert_eq!((report.canceled, report.skipped, report.unconfirmed, report.kept), (1, 1, 0, 0));
    assert!(ledger.to_cancel().is_empty() && report.results.is_empty());
}

#[test]
fn protective_orders_are_kept_by_the_policy_unless_they_are_named() {
    let mut ledger = Ledger::new(Some(Mode::Live), Protective::Keep, Which::All);
    ledger.take_in(&reading(&[order("a"), guard("p")]));
    assert_eq!(ledger.to_cancel(), [order("a")]);
    ledger.take_in(&reading(&[guard("p")]));
    let report = ledger.report(true).expect("read");
    assert_eq!((report.canceled, report.kept, report.unconfirmed), (1, 1, 0));
    let mut ledger = Ledger::new(Some(Mode::Live), Protective::Keep, Which::These(vec!["p".into()]));
    ledger.take_in(&reading(&[order("a"), guard("p")]));
    assert_eq!(ledger.to_cancel(), [guard("p")]);
}

#[test]
fn only_chosen_orders_count() {
    let mut ledger = Ledger::new(Some(Mode::Paper), Protective::Cancel, Which::These(vec!["b".into(), "x".into()]));
    ledger.take_in(&reading(&[order("a"), order("b")]));
    assert_eq!((figures(&ledger), ledger.to_cancel().len()), ((Some(1), 0, 0, 0, 1), 1));
    assert_eq!(ledger.nobody_is_called(), ["x"]);
}

#[test]
fn orders_without_an_id_are_counted_apart_and_told_apart() {
    let bot = || Order::new("maker".parse().expect("a name"), "sql");
    let client = Order { client_order_id: Some("c-1".into()), ..bot() };
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a"), client.clone(), bot(), bot()]));
    assert_eq!(ledger.report(true).expect("read").without_id, 3);
    assert_eq!(ledger.to_cancel().len(), 4, "two that nothing tells apart are two");
    // The venue has given it an id: it is the same order.
    let placed = Order { order_id: Some("V".into()), ..client };
    ledger.take_in(&reading(&[placed, bot()]));
    assert_eq!(figures(&ledger), (Some(4), 2, 0, 0, 2));
}

#[test]
fn a_reading_that_failed_leaves_what_is_known_and_verifies_nothing() {
    let mut ledger = ledger();
    ledger.take_in(&reading(&[order("a"), order("b")]));
    ledger.missed();
    let report = ledger.report(true).expect("read once");
    assert_eq!((report.unconfirmed, report.verified), (2, false));
}

#[test]
fn figures_always_add_up_whatever_is_read_and_said() {
    for seed in 0..300_u64 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut ledger = ledger();
        for _ in 0..20 {
            let some = |dice: &mut fastrand::Rng| -> Vec<Order> {
                (0..8).filter(|_| dice.bool()).map(|id| order(&format!("o{id}"))).collect()
            };
            match dice.u8(..3) {
                0 => ledger.take_in(&reading(&some(&mut dice))),
                1 => {
                    let orders = some(&mut dice);
                    let results = [CancelResult::Canceled, CancelResult::Filled, CancelResult::Refused];
                    let heard: Vec<Said> = orders
                        .iter()
                        .map(|order| said(order.order_id.as_deref().unwrap_or_default(), results[dice.usize(..3)]))
                        .collect();
                    ledger.hear(&orders, &heard);
                }
                _ => ledger.missed(),
            }
            let Some(report) = ledger.report(true) else { continue };
            let all = report.canceled + report.filled + report.unconfirmed;
            assert_eq!(all, report.results.len() as u64, "seed {seed}");
            assert_eq!((report.unconfirmed, report.open.len() as u64), (ledger.open(), ledger.open()));
            assert!(report.errors <= report.unconfirmed && ledger.unsettled().len() <= ledger.to_cancel().len());
        }
    }
}

#[test]
fn two_orders_of_one_id_are_told_apart_by_what_is_traded() {
    let of = |symbol: &str| Order { symbol: Some(symbol.into()), ..order("1") };
    let mut ledger = ledger();
    ledger.take_in(&reading(&[of("A"), of("B")]));
    ledger.take_in(&reading(&[of("B")]));
    let report = ledger.report(true).expect("read");
    let results: Vec<CancelResult> = report.results.iter().map(|result| result.result).collect();
    assert_eq!((report.open, results), (vec![of("B")], vec![CancelResult::Gone, CancelResult::Unknown]));
}

#[test]
fn an_id_of_the_venue_comes_before_another_orders_own() {
    let named = Order { client_order_id: Some("2".into()), ..order("1") };
    let mut ledger = Ledger::new(Some(Mode::Paper), Protective::Cancel, Which::These(vec!["2".into()]));
    ledger.take_in(&reading(&[named.clone(), order("2")]));
    assert_eq!(ledger.to_cancel(), [order("2")]);
    ledger.take_in(&reading(&[named]));
    assert_eq!(ledger.to_cancel(), [], "it is gone, and nobody else is meant");
}
