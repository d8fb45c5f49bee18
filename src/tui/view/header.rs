//! ```text
//!  botwarden  trade-box-1     LIVE 3  PAPER 3  DRY 1                                                     14:32:07 UTC
//!  ! mm-eth (LIVE): ORPHANED, no keeper; A adopts, x stops                                                      1 of 2
//!  [1 Bots 8]  2 Logs  3 Diagnostics                                                                          marked 1
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::core::bot::Mode;
use crate::tui::layout::{Areas, SMALLEST, Shape};
use crate::tui::model::{Model, Pane};
use crate::tui::theme;

use super::parts::{cut, spread};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, areas: &Areas) {
    frame.render_widget(top(model, areas.header.width, areas.shape), areas.header);
    if let Some(area) = areas.alert {
        frame.render_widget(alert(model, area.width), area);
    }
    if let Some(area) = areas.tabs {
        frame.render_widget(tabs(model, area.width), area);
    }
}

/// All that is said on a screen that is too small for more.
pub(super) fn too_small(frame: &mut Frame<'_>, area: Rect) {
    let Rect { width, height, .. } = frame.area();
    let text = format!("needs {}x{}; q quits (has {width}x{height})", SMALLEST.0, SMALLEST.1);
    frame.render_widget(Line::raw(text), area);
}

fn top(model: &Model, width: u16, shape: Shape) -> Line<'static> {
    let wide = shape == Shape::Wide;
    let gap = if wide { "     " } else { "  " };
    let mut left = vec![Span::styled(" botwarden", theme::strong())];
    let host = cut(model, &model.fixed.host, if wide { 40 } else { 20 });
    left.push(Span::raw(format!("{}{host}{gap}", if wide { "  " } else { " " })));
    for (mode, always) in
        [(Some(Mode::Live), true), (Some(Mode::Paper), true), (Some(Mode::DryRun), true), (None, false)]
    {
        let count = model.count(mode);
        if count > 0 || always {
            let style = if count > 0 { theme::mode_style(mode) } else { theme::faint() };
            left.push(Span::styled(format!("{} {count}", theme::mode(mode, false)), style));
            left.push(Span::raw(if wide { "  " } else { " " }));
        }
    }
    let (orders, protective) = model.orders.totals();
    if orders > 0 {
        let unsure = if model.orders.is_unsure(model.now.mono) { "?" } else { "" };
        left.push(Span::raw(format!("ORDERS {orders}{unsure}")));
        if protective > 0 {
            left.push(Span::raw(format!(" (prot {protective})")));
        }
        left.push(Span::raw(" "));
    }
    if model.fixed.read_only {
        left.push(Span::styled(" READ-ONLY ", theme::chosen()));
    }
    let clock = if wide { "%H:%M:%S UTC " } else { "%H:%M:%SZ " };
    let clock = model.now.wall.strftime(clock).to_string();
    if let Some(note) = &model.fixed.title_note {
        let used = Line::from(left.clone()).width() + clock.len() + 3;
        let room = usize::from(width).saturating_sub(used) as u16;
        left.push(Span::styled(format!(" {}", cut(model, note, room)), theme::warning()));
    }
    spread(left, vec![Span::raw(clock)], width)
}

fn alert(model: &Model, width: u16) -> Line<'static> {
    let alerts = model.alerts();
    let count = if alerts.len() > 1 { format!("  1 of {} ", alerts.len()) } else { " ".to_owned() };
    let first = alerts.first().map(String::as_str).unwrap_or_default();
    let text = cut(model, first, width.saturating_sub(4 + count.len() as u16));
    spread(vec![Span::styled(format!(" ! {text}"), theme::bad())], vec![Span::raw(count)], width)
}

fn tabs(model: &Model, width: u16) -> Line<'static> {
    let mut left = vec![Span::raw(" ")];
    for pane in Pane::ALL {
        let count = match pane {
            Pane::Bots => format!(" {}", model.bots.len()),
            Pane::Orders if model.has_orders() => format!(" {}", model.orders.totals().0),
            Pane::Stops if model.stops.is_under_way() => " ...".to_owned(),
            Pane::Orders | Pane::Logs | Pane::Diagnostics | Pane::Stops => String::new(),
        };
        let name = format!("{} {}{count}", pane.number(), pane.title());
        left.push(if pane == model.pane {
            Span::styled(format!("[{name}]"), theme::strong())
        } else {
            Span::raw(format!(" {name} "))
        });
    }
    let marked = if model.pane == Pane::Orders { model.orders.marked.len() } else { model.marked.len() };
    let marked = if marked == 0 { String::new() } else { format!("marked {marked} ") };
    spread(left, vec![Span::styled(marked, theme::strong())], width)
}
