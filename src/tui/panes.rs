//! Getting around: which pane has the keys, where its cursor is, and what is in view.

use super::cluster_page;
use super::effect::Effect;
use super::filter::Filter;
use super::layout;
use super::log_page::Face;
use super::model::{Focus, Model, Pane};
use super::stop_page;
use super::whom;

/// The pane that has the keys is one that is shown, the cursor among the orders is on the screen, and orders are read while
/// somebody can see them.
pub(super) fn settle_panes(model: &mut Model, effects: &mut Vec<Effect>) {
    if layout::takes_turns(model, model.pane) {
        model.lower = model.pane;
    }
    if !matches!(model.lower, Pane::Orders | Pane::Cluster) {
        model.below = model.lower;
    }
    let rows = layout::orders_page(model);
    model.orders.settle(rows);
    if model.pane == Pane::Orders {
        // Whatever has moved the cursor: a key, a filter, or an order that went.
        follow_order(model);
    }
    cluster_page::settle(model);
    let last = if model.stops.top == 0 { 0 } else { stop_page::furthest(model) };
    model.stops.top = model.stops.top.min(last);
    if !matches!((&model.focus, &model.beneath), (Focus::Reading(_), _) | (_, Some(Focus::Reading(_)))) {
        model.history.open = None;
    }
    let (rows, shown) = (layout::history_page(model), history_shown(model));
    let asks = model.history.settle(rows, shown, model.now.mono);
    effects.extend(asks.into_iter().map(Effect::History));
    let resting = layout::is_tiny(model);
    if resting != model.resting {
        model.resting = resting;
        effects.push(Effect::WatchOrders(!resting));
    }
}

/// Whether anybody can see the history: nothing is read for nobody.
fn history_shown(model: &Model) -> bool {
    layout::history_page(model) > 0 && !model.emergency.shown
}

/// Opens the pane of stops below, without taking the keys from a pane that stays.
pub(super) fn show_stops(model: &mut Model) {
    model.stops.seen();
    if model.zoom {
        return;
    }
    if layout::takes_turns(model, model.pane) {
        model.pane = Pane::Stops;
    }
    model.lower = Pane::Stops;
}

pub(super) fn page(model: &Model) -> i64 {
    let rows = match model.pane {
        Pane::Bots => layout::list_page(model),
        Pane::Orders => layout::orders_page(model),
        Pane::Cluster => layout::cluster_page(model).1,
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => layout::log_page(model),
    };
    rows.saturating_sub(1).max(1) as i64
}

pub(super) fn step(model: &mut Model, by: i64) {
    match model.pane {
        Pane::Bots => {
            // From where its bot was, if that is hidden or gone.
            let from = model.cursor_at().unwrap_or(model.cursor_row) as u64;
            go_to(model, from.saturating_add_signed(by) as usize);
        }
        Pane::Orders => {
            let from = model.orders.cursor_at().unwrap_or(model.orders.cursor_row) as u64;
            go_to_order(model, from.saturating_add_signed(by) as usize);
        }
        Pane::Cluster => {
            let from = model.clusters.cursor_at().unwrap_or(model.clusters.cursor_row) as u64;
            model.clusters.go_to(from.saturating_add_signed(by) as usize);
        }
        Pane::Stops => {
            let top = (model.stops.top as u64).saturating_add_signed(by) as usize;
            model.stops.top = top.min(stop_page::furthest(model));
        }
        Pane::Logs => {
            let (face, rows) = Face::own(model);
            model.log.scroll(by, rows, |line| face.tall(line));
        }
        Pane::History => model.history.step(by),
        Pane::Diagnostics => model.diagnostics_up = (model.diagnostics_up as u64).saturating_add_signed(-by) as usize,
    }
}

pub(super) fn go_to(model: &mut Model, row: usize) {
    let last = model.shown().count().saturating_sub(1);
    if let Some(name) = model.name_at(row.min(last)) {
        model.cursor = Some(name);
    }
}

pub(super) fn go_to_order(model: &mut Model, place: usize) {
    model.orders.go_to(place);
    follow_order(model);
}

/// The list and the log go along with the orders that somebody looks at.
pub(super) fn follow_order(model: &mut Model) {
    let owner = whom::order_owner(model).cloned();
    if let Some(owner) = owner.filter(|owner| model.bot(owner).is_some()) {
        model.cursor = Some(owner);
    }
}

pub(super) fn turn(model: &mut Model, by: usize) {
    let at = model.pane.number() - 1;
    if let Some(pane) = Pane::ALL.get((at + by) % Pane::ALL.len()) {
        go(model, *pane);
    }
}

pub(super) fn go(model: &mut Model, pane: Pane) {
    model.pane = pane;
    if layout::takes_turns(model, pane) {
        model.lower = pane;
    }
    if pane == Pane::Orders {
        follow_order(model);
    }
}

pub(super) fn unmark(model: &mut Model) {
    model.marked.clear();
    model.marks_gone = false;
}

/// One thing at a time, the last one first: zoom, search, filter, pane, marks.
pub(super) fn back(model: &mut Model) {
    if model.zoom {
        model.zoom = false;
    } else if model.pane == Pane::Logs && model.log.search().is_some() {
        model.log.end_search();
    } else if model.pane == Pane::History && !model.history.filter().is_empty() {
        model.history.narrow("");
    } else if model.pane == Pane::Orders && !model.orders.filter.is_empty() {
        model.orders.narrow("");
    } else if model.pane == Pane::Orders && !model.orders.marked.is_empty() {
        model.orders.unmark();
    } else if model.pane == Pane::Cluster && !model.clusters.marked.is_empty() {
        model.clusters.unmark();
    } else if model.pane != Pane::Bots {
        go(model, Pane::Bots);
    } else if model.filter.is_empty() {
        unmark(model);
    } else {
        narrow(model, "");
    }
}

/// The filter changes; a cursor that it hides goes to the first bot that is left.
pub(super) fn narrow(model: &mut Model, text: &str) {
    model.filter = Filter::new(text);
    if model.cursor_at().is_none()
        && let Some(first) = model.name_at(0)
    {
        model.cursor = Some(first);
    }
}
