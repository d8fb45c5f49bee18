//! ```text
//! ┌ 6 Stops  stop grid-btc ───────────────────────────────────────────── 4.1 s   1-10 of 14 ┐
//! │ Orders canceled 2  filled 1  errors 1   State flushed 0/1   Running 1                   │
//! │ [✓] 1 LOCK    down written                                                     0.02 s   │
//! │ [▸] 4 CANCEL  2 of 4 verified, 1 pending                                       3.80 s   │
//! └─────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::tui::layout::{log_rows, text_columns};
use crate::tui::model::{Model, Pane};
use crate::tui::stop_page::{self, StopLine, Tint};
use crate::tui::{text, theme};

/// Columns of the border, of the pane's name, and of the blanks around its title.
const NAME: usize = 13;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (columns, rows) = (text_columns(area), log_rows(area));
    let lines = stop_page::lines(model, columns);
    let top = model.stops.top.min(lines.len().saturating_sub(rows));
    let mut facts = Vec::new();
    if let Some(over) = stop_page::worst(&model.stops).filter(|_| !model.stops.is_under_way()) {
        let (words, tint) = stop_page::verdict(Some(model), &model.stops, over);
        let word = words.split(" - ").next().unwrap_or_default();
        let word = super::parts::cut(model, word, area.width / 2);
        let code = over.code.map(|code| format!(" exit {code}")).unwrap_or_default();
        facts.push(Span::styled(format!(" {word}{code} "), style(tint)));
    } else if model.stops.is_under_way() {
        facts.push(Span::styled(format!(" UNDER WAY {} ", text::age(stop_page::elapsed(model))), theme::warning()));
    }
    if lines.len() > rows {
        let last = (top + rows).min(lines.len());
        facts.push(Span::raw(format!(" {}-{last} of {}, j k ", top + 1, lines.len())));
    }
    let title = text::cut(&stop_page::subject(&model.stops), 30, model.signs().more);
    if let Some(ended) = stop_page::ended(&model.stops).filter(|_| !model.stops.is_under_way()) {
        let age = Span::raw(format!(" ended {} ago ", text::age(model.now.mono.since(ended))));
        // What was stopped is worth more than when.
        let left = NAME + text::width(&title);
        if left + Line::from(facts.clone()).width() + age.width() <= usize::from(area.width) {
            facts.insert(facts.len().min(1), age);
        }
    }
    let block = super::parts::pane(model, Pane::Stops, &title, facts);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let shown = lines.into_iter().skip(top).take(rows).map(|line| draw_line(model, line, columns));
    frame.render_widget(Text::from(shown.collect::<Vec<_>>()), inside);
}

pub(super) fn draw_line(model: &Model, parts: StopLine, columns: usize) -> Line<'static> {
    let mut line = Line::from(vec![Span::raw(" ")]);
    let mut room = columns;
    for (part, tint) in parts {
        let part = match tint {
            Tint::Standing(standing) => {
                let (glyph, sign, _) = theme::standing(standing);
                format!("[{}]", if model.fixed.ascii { sign } else { glyph })
            }
            Tint::Plain | Tint::Strong | Tint::Faint | Tint::Good | Tint::Warning | Tint::Bad => part,
        };
        let part = text::cut(&part, room, model.signs().more);
        room -= text::width(&part).min(room);
        line.push_span(Span::styled(part, style(tint)));
    }
    line
}

pub(super) const fn style(tint: Tint) -> Style {
    match tint {
        Tint::Plain => Style::new(),
        Tint::Strong => theme::strong(),
        Tint::Faint => theme::faint(),
        Tint::Good => theme::good(),
        Tint::Warning => theme::warning(),
        Tint::Bad => theme::bad(),
        Tint::Standing(standing) => theme::standing(standing).2,
    }
}
