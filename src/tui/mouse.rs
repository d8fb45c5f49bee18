//! The mouse, for whoever wants it: it chooses a row, a pane or a tab, and scrolls what is under it. It does nothing
//! that a key does not do, nothing that acts, and nothing at all while a question or the guard is open. Off until it is
//! asked for: a terminal that gives it to us does not let anybody select text with it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::cluster_page;
use super::effect::{Effect, tell};
use super::keys::Action;
use super::layout;
use super::model::{Focus, Model, Pane, Tone};
use super::panes::{follow_order, go, go_to, go_to_order, step};
use super::tabs::tabs;

/// Rows of one turn of the wheel.
const WHEEL: i64 = 3;

/// Takes the mouse, or leaves it to the terminal.
pub(super) fn toggle(model: &mut Model, effects: &mut Vec<Effect>) {
    model.mouse = !model.mouse;
    effects.push(Effect::Mouse(model.mouse));
    let text = if model.mouse {
        "the mouse selects and scrolls here; with Shift the terminal selects text; :mouse leaves it to the terminal"
    } else {
        "the mouse is the terminal's"
    };
    tell(model, effects, Tone::Plain, text);
}

/// The mouse was pressed, or its wheel turned. What is to be done as if a key was pressed: getting around, never a deed.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
pub(super) fn moved(model: &mut Model, event: MouseEvent) -> Option<Action> {
    let guarded = model.emergency.guard(model.now.mono).is_some();
    if !model.mouse || guarded || layout::is_tiny(model) {
        return None;
    }
    let turned = match event.kind {
        MouseEventKind::ScrollDown => Some(WHEEL),
        MouseEventKind::ScrollUp => Some(-WHEEL),
        _ => None,
    };
    match (&mut model.focus, turned) {
        (Focus::Help(top) | Focus::Inspecting(top) | Focus::Reading(top), Some(by)) => {
            // What is too far is drawn as the end, and mended by the next key.
            *top = (*top as u64).saturating_add_signed(by).min(5000) as usize;
            return None;
        }
        (Focus::Choosing(palette), Some(by)) => {
            palette.at = (palette.at as u64).saturating_add_signed(by.signum()) as usize;
            return None;
        }
        (Focus::Panes, _) if !model.emergency.shown => {}
        _ => return None,
    }
    let at = Position { x: event.column, y: event.row };
    match (event.kind, turned) {
        (_, Some(by)) => {
            let (pane, _) = under(model, at)?;
            scroll(model, pane, by);
        }
        (MouseEventKind::Down(MouseButton::Left), None) => match (tab(model, at), under(model, at)) {
            (Some(pane), _) => return Some(Action::Go(pane)),
            (None, Some((pane, area))) => {
                go(model, pane);
                choose(model, pane, area, at);
            }
            (None, None) => {}
        },
        _ => {}
    }
    None
}

fn areas(model: &Model) -> layout::Areas {
    layout::areas(model, Rect { x: 0, y: 0, width: model.size.0, height: model.size.1 })
}

/// The pane at this place.
fn under(model: &Model, at: Position) -> Option<(Pane, Rect)> {
    let areas = areas(model);
    let all = [
        areas.bots.map(|area| (Pane::Bots, area)),
        areas.orders.map(|area| (Pane::Orders, area)),
        areas.cluster.map(|area| (Pane::Cluster, area)),
        areas.lower,
    ];
    all.into_iter().flatten().find(|(_, area)| area.contains(at))
}

/// The tab at this place, by what is drawn there.
fn tab(model: &Model, at: Position) -> Option<Pane> {
    let line = areas(model).tabs.filter(|tabs| tabs.contains(at))?;
    let mut left = 1;
    tabs(model, line.width).into_iter().find_map(|(pane, label)| {
        let right = left + super::text::width(&label) as u16;
        let here = (left..right).contains(&at.x);
        left = right;
        here.then_some(pane)
    })
}

fn scroll(model: &mut Model, pane: Pane, by: i64) {
    let before = std::mem::replace(&mut model.pane, pane);
    step(model, by);
    model.pane = before;
}

/// The row at this place is chosen.
fn choose(model: &mut Model, pane: Pane, area: Rect, at: Position) {
    let row = usize::from(at.y - area.y);
    match pane {
        // A border and the headings stand above.
        Pane::Bots => {
            if let Some(row) = row.checked_sub(2).filter(|row| *row < layout::list_rows(area)) {
                let place = model.top_row + row;
                if model.name_at(place).is_some() {
                    go_to(model, place);
                }
            }
        }
        Pane::Orders => {
            let above = 2 + layout::troubled(model, layout::list_rows(area));
            if let Some(row) = row.checked_sub(above).filter(|row| *row < layout::order_rows(model, area)) {
                let place = model.orders.top_row + row;
                if model.orders.at(place).is_some() {
                    go_to_order(model, place);
                    follow_order(model);
                }
            }
        }
        Pane::Cluster => {
            let columns = layout::cluster_page(model).0.saturating_sub(cluster_page::MARGIN);
            if let Some(row) = row.checked_sub(1).filter(|row| *row < layout::log_rows(area))
                && let Some(id) = cluster_page::at_line(model, columns, model.clusters.top + row)
            {
                model.clusters.cursor = Some(id);
            }
        }
        Pane::History => {
            let above = 1 + usize::from(layout::has_headings(area));
            if let Some(row) = row.checked_sub(above).filter(|row| *row < layout::history_rows(area)) {
                model.history.choose(row);
            }
        }
        Pane::Logs | Pane::Diagnostics | Pane::Stops => {}
    }
}
