//! ```text
//! ┌ 3 Cluster ─────────────────────────────────────────────────────── read 0s ago  marked 1 ┐
//! │  ▸ PROCESSING  sweep-0412  workers 1/2 alive  coordinator alive                         │
//! │  done 812 / 1024   79%   stale 2                                                        │
//! │  ████████████████████████████████████████▒░░░░░░░░░░                                    │
//! │  run 4   pend 205   fail 3   41/min   ETA 5m                                            │
//! │* ▸w2  c815  48s ↯ STALE     w2 does not live                                            │
//! └─────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};

use crate::tui::cluster_page::{self, MARGIN, Parts};
use crate::tui::layout::{log_rows, text_columns};
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let count = model.clusters.all().len();
    let title = if count > 1 { count.to_string() } else { String::new() };
    let block = super::parts::pane(model, Pane::Cluster, &title, facts(model, area.width));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let (width, rows) = (text_columns(area).saturating_sub(MARGIN), log_rows(area));
    let lines = cluster_page::lines(model, width, model.clusters.top, rows);
    let drawn = lines.into_iter().map(|(parts, chosen, marked)| line(model, parts, width, (chosen, marked)));
    frame.render_widget(Text::from(drawn.collect::<Vec<_>>()), inside);
}

fn line(model: &Model, parts: Parts, width: usize, (chosen, marked): (bool, bool)) -> Line<'static> {
    let cursor = if chosen { model.signs().cursor } else { " " };
    let mark = if marked { "*" } else { " " };
    let mut line = Line::from(vec![Span::styled(format!("{mark}{cursor} "), theme::strong())]);
    let mut room = width;
    for (part, style) in parts {
        let part = text::cut(&part, room, model.signs().more);
        room -= text::width(&part).min(room);
        line.push_span(Span::styled(part, style));
    }
    if chosen && model.pane == Pane::Cluster {
        line.push_span(Span::raw(" ".repeat(room)));
        line = line.patch_style(theme::chosen());
    }
    line
}

/// The right end of the title: how old it is, and marks.
fn facts(model: &Model, width: u16) -> Vec<Span<'static>> {
    let now = model.now.mono;
    let all = model.clusters.all();
    let mut facts = Vec::new();
    let old = all.iter().filter(|cluster| cluster.is_old(now)).count();
    if old > 0 {
        let of = if all.len() > 1 { format!(" {old} of {}", all.len()) } else { String::new() };
        facts.push(Span::styled(format!(" STALE reading{of} "), theme::bad()));
    }
    if let Some(oldest) = all.iter().filter_map(|cluster| cluster.age(now)).max() {
        let word = if all.len() > 1 { "oldest " } else { "read " };
        facts.push(Span::raw(format!(" {word}{} ago ", text::age(oldest))));
    } else if !all.is_empty() {
        facts.push(Span::raw(" not read yet "));
    }
    if let ([only], true) = (all, width >= 60)
        && only.every.as_secs() > 1
    {
        facts.push(Span::raw(format!(" every {} s ", only.every.as_secs())));
    }
    if !model.clusters.marked.is_empty() {
        facts.push(Span::styled(format!(" marked {} ", model.clusters.marked.len()), theme::strong()));
    }
    facts
}

/// The line about clusters near the footer.
pub(super) fn draw_summary(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let mut line = Line::default();
    let mut room = usize::from(area.width).saturating_sub(1);
    for (part, style) in cluster_page::summary(model) {
        let part = text::cut(&part, room, model.signs().more);
        room -= text::width(&part).min(room);
        line.push_span(Span::styled(part, style));
    }
    frame.render_widget(line, area);
}
