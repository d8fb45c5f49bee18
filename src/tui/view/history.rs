//! What has happened: events, runs and reports.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::tui::model::{Model, Pane};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(super::parts::pane(model, Pane::History, "", Vec::new()), area);
}

pub(super) fn draw_entry(_model: &Model, _top: usize, _frame: &mut Frame<'_>) {}
