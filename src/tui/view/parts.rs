//! What several panes are drawn with.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Block;

use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

/// The frame of a pane: its number and title on the left, what belongs to it on the right.
pub(super) fn pane(model: &Model, pane: Pane, title: &str, right: Vec<Span<'static>>) -> Block<'static> {
    let focused = model.pane == pane;
    let name = format!(" {} {} ", pane.number(), pane.title());
    let style = if focused { theme::chosen() } else { theme::strong() };
    let mut left = vec![Span::styled(name, style)];
    if !title.is_empty() {
        left.push(Span::styled(format!(" {title} "), theme::strong()));
    }
    Block::bordered()
        .border_set(model.signs().border)
        .border_style(if focused { Style::new() } else { theme::faint() })
        .title_top(Line::from(left))
        .title_top(Line::from(right).right_aligned())
}

/// Two ends of one line; the right one gives way.
pub(super) fn spread(left: Vec<Span<'static>>, right: Vec<Span<'static>>, width: u16) -> Line<'static> {
    let mut line = Line::from(left);
    let end = Line::from(right);
    let gap = usize::from(width).saturating_sub(line.width() + end.width());
    if gap > 0 {
        line.push_span(Span::raw(" ".repeat(gap)));
        line.extend(end.spans);
    }
    line
}

/// A box in the middle of the screen.
pub(super) fn middle(screen: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 2, width, height }
}

/// The text, cut to so many columns with this terminal's mark.
pub(super) fn cut(model: &Model, text: &str, columns: u16) -> String {
    text::cut(text, usize::from(columns), model.signs().more)
}
