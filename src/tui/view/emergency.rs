//! ```text
//!  E-STOP IN PROGRESS  by ana@ssh(10.0.0.7)                               00:04.1
//! +- Progress ------------------------------------------------------------- ALL -+
//! | [x] 1 LOCK     latch written, fsync ok                     0.02 s            |
//! | ...                                                                          |
//! +- Errors 2 --------------------------------------------- every error is kept -+
//! | ...                                                                          |
//! +------------------------------------------------------------------------------+
//!  Orders canceled 4  filled 1  errors 1   State flushed 2/3   Running 5
//!  Open positions are not closed by this.
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear};

use crate::tui::emergency::PagePart;
use crate::tui::emergency_page;
use crate::tui::layout::{SMALLEST, log_rows, text_columns};
use crate::tui::model::Model;
use crate::tui::stop_page::StopLine;
use crate::tui::text::plural;
use crate::tui::{text, theme};

use super::parts::{cut, spread};
use super::stops::{draw_line, style};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let screen = frame.area();
    if screen.width < SMALLEST.0 || screen.height < SMALLEST.1 {
        draw_tiny(model, frame);
        return;
    }
    let Some(seen) = &model.emergency.seen else { return };
    let (left, right) = emergency_page::head(model);
    let look = style(emergency_page::head_tint(model));
    let room = screen.width.saturating_sub(text::width(&right) as u16 + 1);
    let head = spread(vec![Span::styled(cut(model, &left, room), look)], vec![Span::styled(right, look)], screen.width);
    frame.render_widget(head, Rect { height: 1, ..screen });
    let areas = emergency_page::areas(model, screen);
    let columns = text_columns(screen);
    let [_, errors_top] = model.emergency.tops;
    let what = match &seen.report {
        Some(_) => " Summary ",
        None => " Progress ",
    };
    let count = seen.book.bots.len();
    let all = if seen.is_drill() { "DRILL" } else { "ALL" };
    // Before it was said whom it is about, nobody has counted them.
    let whom = match count as u64 {
        0 => format!(" {all} "),
        count => format!(" {all}: {} ", plural(count, "bot")),
    };
    let in_use = model.emergency.part == PagePart::Stages;
    if areas.upper.height > 0 {
        let (upper, more) = emergency_page::visible(model, columns, log_rows(areas.upper));
        draw_box(model, frame, areas.upper, (what, in_use, more.as_ref().unwrap_or(&whom)), (upper, 0));
    }
    if let Some(area) = areas.errors {
        let title = format!(" Errors {} ", emergency_page::error_count(seen));
        let lines = emergency_page::errors(model, columns);
        draw_box(model, frame, area, (&title, !in_use, " every error is kept "), (lines, errors_top));
    }
    let below = emergency_page::below(model, columns);
    let below: Vec<Line<'_>> = below.into_iter().map(|line| draw_line(model, line, columns)).collect();
    frame.render_widget(Text::from(below), areas.below);
}

/// A part of the page in its frame: title, whether it is the one that is scrolled, and a word on the right.
fn draw_box(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    (title, in_use, right): (&str, bool, &str),
    (lines, top): (Vec<StopLine>, usize),
) {
    let (columns, rows) = (text_columns(area), log_rows(area));
    let top = top.min(lines.len().saturating_sub(rows));
    let last = (top + rows).min(lines.len());
    let right =
        if lines.len() > rows { format!(" {}-{last} of {}, j k ", top + 1, lines.len()) } else { right.to_owned() };
    let block = Block::bordered()
        .border_set(model.signs().border)
        .border_style(if in_use { Style::new() } else { theme::faint() })
        .title_top(Line::styled(title.to_owned(), if in_use { theme::chosen() } else { theme::strong() }))
        .title_top(Line::raw(right).right_aligned());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let lines: Vec<Line<'_>> =
        lines.into_iter().skip(top).take(rows).map(|line| draw_line(model, line, columns)).collect();
    frame.render_widget(Text::from(lines), inside);
}

fn draw_tiny(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let rows = text::fold(&emergency_page::brief(model), usize::from(area.width).max(1));
    let look = style(emergency_page::head_tint(model));
    let lines: Vec<Line<'_>> = rows.into_iter().map(|row| Line::styled(cut(model, &row, area.width), look)).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Text::from(lines), area);
}
