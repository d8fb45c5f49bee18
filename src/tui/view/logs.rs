//! ```text
//! ┌ 4 Logs  grid-btc ──────────────────────────────── FOLLOW  last line 3s ago  /cancel 1 of 3 ┐
//! │ 14:32:01.337 WARN  ws ping rtt 812ms (limit 500ms)                                         │
//! └────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::core::level::Level;
use crate::tui::layout::log_rows;
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let log = &model.log;
    let name = log.bot().map_or("", |bot| bot.as_str());
    let rows = log_rows(area);
    let mut facts = Vec::new();
    if log.follows() {
        facts.push(Span::raw(" FOLLOW "));
    } else {
        let text = format!(" PAUSED, {} below; f follows ", log.below(rows));
        facts.push(Span::styled(text, theme::warning()));
    }
    if let Some(quiet) = log.quiet(model.now.mono)
        && area.width >= 70
    {
        facts.push(Span::raw(format!(" last line {} ago ", text::age(quiet))));
    }
    if let Some(search) = log.search() {
        let what = text::cut(&search.text, 20, model.signs().more);
        facts.push(Span::styled(format!(" /{what} {} ", search.count()), theme::strong()));
    }
    let title = text::cut(name, 24, model.signs().more);
    let block = super::parts::pane(model, Pane::Logs, &title, facts);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inside.width).saturating_sub(2);
    let mut lines: Vec<Line<'_>> = Vec::with_capacity(rows);
    for (number, line) in log.page(rows) {
        let mut style = match line.level {
            Some(Level::Debug) => theme::faint(),
            Some(Level::Info) | None => Style::new(),
            Some(Level::Warning) => theme::warning(),
            Some(Level::Error) => theme::bad(),
        };
        if let Some(search) = log.search() {
            if search.at.is_some_and(|(at, _)| at == number) {
                style = style.patch(theme::chosen());
            } else if search.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&line.text)) {
                style = style.patch(theme::found());
            }
        }
        let shown = text::cut(&line.text, width, model.signs().more);
        lines.push(Line::from(vec![Span::raw(" "), Span::styled(shown, style)]));
    }
    if log.is_empty() {
        let whys: Vec<String> = log.sources.iter().filter_map(|source| source.trouble.clone()).collect();
        let rows = whys.iter().flat_map(|why| text::fold(why, width));
        let row =
            |row: String| Line::styled(format!(" {}", text::cut(&row, width, model.signs().more)), theme::faint());
        lines.extend(rows.map(row));
    }
    frame.render_widget(Text::from(lines), inside);
}
