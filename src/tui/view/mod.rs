//! Draws the model, and never changes it. What this terminal cannot show is taken away at the end, in one place.
//!
//! ```text
//! header
//! alert (if there is one)
//! tabs (80 columns)
//! +- bots -------------+
//! +- orders -+ cluster +    from 120x30; else they take turns
//! +- logs -------------+    or diagnostics, a stop, or the history
//! footer, two lines
//! ```
//!
//! The page of the emergency stop takes the place of all but the footer; dialogs stand above either, and the guard above
//! everything.

mod bots;
mod cluster;
mod columns;
mod diagnostics;
mod dialog;
mod emergency;
mod footer;
mod guard;
mod header;
mod help;
mod history;
mod inspect;
mod logs;
mod orders;
mod palette;
mod parts;
mod reset;
mod stops;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use ratatui::widgets::Clear;

use crate::core::ui::Theme;

use super::dress;
use super::layout::{self, Areas, Shape};
use super::model::{Focus, Model, Pane};

/// Draws everything.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let areas = layout::areas(model, frame.area());
    let emergency = model.emergency.shown && model.emergency.seen.is_some();
    let guard = model.emergency.guard(model.now.mono);
    if emergency {
        emergency::draw(model, frame);
    } else if areas.shape == Shape::Tiny {
        header::too_small(model, frame);
    } else {
        draw_panes(model, frame, &areas);
    }
    if areas.shape != Shape::Tiny {
        footer::draw(model, frame, areas.footer);
        match &model.focus {
            Focus::Panes | Focus::Typing(_) => {}
            Focus::Asking(dialog) => dialog::draw(model, dialog, frame),
            Focus::Help(top) => help::draw(model, *top, frame),
            Focus::Inspecting(top) => inspect::draw(model, *top, frame),
            Focus::Choosing(palette) => palette::draw(model, palette, frame),
            Focus::Reading(top) => history::draw_entry(model, *top, frame),
            Focus::Resetting(reset) => reset::draw(model, reset, frame),
        }
    }
    if let Some(armed) = guard {
        guard::draw(model, armed, frame);
        if areas.shape != Shape::Tiny {
            frame.render_widget(Clear, areas.footer);
            guard::draw_footer(model, armed, frame, areas.footer);
        }
    }
    put_on(dress::worn(model), frame.buffer_mut());
    if model.fixed.ascii {
        take_unicode(frame.buffer_mut());
    }
}

fn draw_panes(model: &Model, frame: &mut Frame<'_>, areas: &Areas) {
    header::draw(model, frame, areas);
    if let Some(area) = areas.bots {
        bots::draw(model, frame, area);
    }
    if let Some(area) = areas.orders {
        orders::draw(model, frame, area);
    }
    if let Some(area) = areas.cluster {
        cluster::draw(model, frame, area);
    }
    if let Some(area) = areas.summary {
        cluster::draw_summary(model, frame, area);
    }
    match areas.lower {
        Some((Pane::Logs, area)) => logs::draw(model, frame, area),
        Some((Pane::Diagnostics, area)) => diagnostics::draw(model, frame, area),
        Some((Pane::Stops, area)) => stops::draw(model, frame, area),
        Some((Pane::History, area)) => history::draw(model, frame, area),
        // These have places of their own.
        Some((Pane::Bots | Pane::Orders | Pane::Cluster, _)) | None => {}
    }
}

/// Every colour becomes that of the theme. What stands on a background of its own was chosen to be read there.
fn put_on(theme: Theme, buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        match theme {
            Theme::Mono => (cell.fg, cell.bg) = (Color::Reset, Color::Reset),
            Theme::Dark | Theme::Light | Theme::Colorblind if cell.bg == Color::Reset => {
                cell.fg = dress::color(theme, cell.fg);
            }
            Theme::Dark | Theme::Light | Theme::Colorblind => {}
        }
    }
}

/// A wide character becomes a sign and the blank that its second cell holds already.
fn take_unicode(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol("?");
        }
    }
}
