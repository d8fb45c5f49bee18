//! ```text
//! + Inspect momentum ------------------------------------ read 14:32:07 UTC  1-20 of 64  Esc closes +
//! | STATE                                                                                            |
//! |   state       RUNNING since 2026-03-04 12:00:00 UTC (2h32m)                                      |
//! +--------------------------------------------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Clear, Padding};

use crate::tui::inspect;
use crate::tui::layout::inspect_area;
use crate::tui::model::Model;
use crate::tui::sheet::Look;
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, top: usize, frame: &mut Frame<'_>) {
    let Some(inspected) = &model.inspected else { return };
    let area = inspect_area(frame.area());
    frame.render_widget(Clear, area);
    let block = Block::bordered().padding(Padding::horizontal(1)).border_set(model.signs().border);
    let inside = block.inner(area);
    let lines = inspect::lines(model, usize::from(inside.width));
    let room = usize::from(inside.height);
    let top = top.min(lines.len().saturating_sub(room));
    let read = match &inspected.read {
        Some(read) => read.at.strftime("read %H:%M:%S UTC").to_string(),
        None => "looking ...".to_owned(),
    };
    let shown = format!(" {read}  {}-{} of {} ", top + 1, (top + room).min(lines.len()), lines.len());
    let title = format!(" Inspect {} ", inspected.name);
    let left = usize::from(inside.width).saturating_sub(text::width(&shown));
    let block = block
        .title_top(Line::styled(text::cut(&title, left, model.signs().more), theme::chosen()))
        .title_top(Line::raw(shown).right_aligned());
    frame.render_widget(block, area);
    let body: Vec<Line<'_>> =
        lines.into_iter().skip(top).take(room).map(|(line, look)| Line::styled(line, style(look))).collect();
    frame.render_widget(Text::from(body), inside);
}

pub(super) const fn style(look: Look) -> Style {
    match look {
        Look::Heading => theme::strong(),
        Look::Plain => Style::new(),
        Look::Faint => theme::faint(),
        Look::Warning => theme::warning(),
        Look::Bad => theme::bad(),
    }
}
