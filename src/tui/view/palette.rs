//! Every action by its name.

use ratatui::Frame;

use crate::tui::model::{Model, Palette};

pub(super) fn draw(_model: &Model, _palette: &Palette, _frame: &mut Frame<'_>) {}
