//! ```text
//! ┌ Help ─ Bots pane ────────────────────────────────── / searches, j k scroll, Esc closes ┐
//! │ ACT (marked, else cursor)                  FIND AND MARK                             │
//! │   s          start                           Space      mark                         │
//! │ ...                                                                                  │
//! │ ◉ RUNNING  ◔ STARTING  ...                                                           │
//! └──────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear};

use crate::core::cluster_status::ClusterState;
use crate::core::state::State;
use crate::tui::keys::{Binding, Group, Place, TABLE};
use crate::tui::model::{Model, Pane};
use crate::tui::theme::Look;
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, top: usize, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let area = Rect { y: screen.y + 1, height: screen.height.saturating_sub(3), ..screen };
    let area = super::parts::middle(area, 96, area.height);
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_set(model.signs().border)
        .title_top(Line::styled(format!(" Help - {} pane ", model.pane.title()), theme::strong()))
        .title_top(Line::raw(" / searches, j k scroll, Esc closes ").right_aligned());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines = if inside.width >= 76 {
        let half = usize::from(inside.width) / 2;
        side_by_side(columns(model, half), half)
    } else {
        columns(model, usize::from(inside.width)).into_iter().flatten().collect()
    };
    let legend = legend(model, inside.width);
    let room = usize::from(inside.height).saturating_sub(legend.len());
    let top = top.min(lines.len().saturating_sub(room));
    let body: Vec<Line<'_>> = lines.into_iter().skip(top).take(room).collect();
    frame.render_widget(Text::from(body), inside);
    let below = Rect { y: inside.bottom() - legend.len() as u16, height: legend.len() as u16, ..inside };
    frame.render_widget(Text::from(legend), below);
}

/// The groups in two columns, what belongs to this pane first.
fn columns(model: &Model, width: usize) -> [Vec<Line<'static>>; 2] {
    let (left, right): (&[Group], &[Group]) = match model.pane {
        Pane::Bots | Pane::Orders | Pane::Cluster => (
            &[Group::Act, Group::Emergency, Group::Find, Group::Logs],
            &[Group::Move, Group::Other, Group::EmergencyPage],
        ),
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => (
            &[Group::Emergency, Group::Logs, Group::Find, Group::Act],
            &[Group::Move, Group::Other, Group::EmergencyPage],
        ),
    };
    [left, right].map(|groups| groups.iter().flat_map(|group| section(model, *group, width)).collect())
}

/// A group: what its keys do here, then faint what they do elsewhere.
fn section(model: &Model, group: Group, width: usize) -> Vec<Line<'static>> {
    let more = model.signs().more;
    let mut lines = vec![Line::styled(text::fit(&format!(" {}", group.title()), width, more), theme::strong())];
    let here = |row: &&Binding| row.place.holds(model.pane) || (row.place == Place::Emergency && model.emergency.shown);
    let rows = || TABLE.iter().filter(|row| row.group == group);
    let line = |row: &Binding, style: Style| {
        // What has no key is found by its name.
        let label = if row.keys.is_empty() { format!(":{}", row.name) } else { row.label() };
        let line = format!("  {} {}", text::fit(&label, 8, ""), row.help);
        Line::styled(text::fit(&line, width, more), style)
    };
    lines.extend(rows().filter(here).map(|row| line(row, Style::new())));
    lines.extend(rows().filter(|row| !here(row)).map(|row| line(row, theme::faint())));
    lines
}

fn side_by_side([left, right]: [Vec<Line<'static>>; 2], width: usize) -> Vec<Line<'static>> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_else(|| Line::raw(" ".repeat(width)));
            let style = line.style;
            line = Line::from(line.spans.into_iter().map(|span| span.patch_style(style)).collect::<Vec<_>>());
            if let Some(right) = right.next() {
                let style = right.style;
                line.extend(right.spans.into_iter().map(|span| span.patch_style(style)));
            }
            line
        })
        .collect()
}

/// Every state with its sign, in as many lines as it takes: those of bots, and those of clusters where there are any.
fn legend(model: &Model, width: u16) -> Vec<Line<'static>> {
    let mut lines = looks(model, width, &State::ALL.map(theme::state));
    if !model.clusters.is_empty() {
        lines.extend(looks(model, width, &ClusterState::ALL.map(theme::cluster)));
    }
    lines
}

fn looks(model: &Model, width: u16, looks: &[Look]) -> Vec<Line<'static>> {
    let mut lines = vec![Line::default()];
    for look in looks {
        let sign = if model.fixed.ascii { look.sign } else { look.glyph };
        let item = format!(" {sign} {} ", look.short);
        let full = lines.last().is_some_and(|line| line.width() + text::width(&item) > usize::from(width));
        if full {
            lines.push(Line::default());
        }
        if let Some(line) = lines.last_mut() {
            line.push_span(Span::styled(item, look.style));
        }
    }
    lines
}
