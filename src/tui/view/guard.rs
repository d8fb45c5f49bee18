//! ```text
//! +- E-STOP - guard open ------------------------------------------- LIVE -+
//! |    Pressing ! again will, in this order:                               |
//! |      1 LOCK    nothing can start any more, until it is reset           |
//! |    ...                                                                 |
//! |    !   STOP EVERYTHING NOW                             closes in 8 s   |
//! |    Esc close - nothing has been done yet                               |
//! +------------------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear};

use crate::tui::guard::Armed;
use crate::tui::guard_page;
use crate::tui::layout::{SMALLEST, text_columns};
use crate::tui::model::Model;
use crate::tui::{text, theme};

use super::parts::{cut, middle, spread};
use super::stops::{draw_line, style};

pub(super) fn draw(model: &Model, armed: Armed, frame: &mut Frame<'_>) {
    let screen = frame.area();
    if screen.width < SMALLEST.0 || screen.height < SMALLEST.1 {
        draw_tiny(model, armed, frame);
        return;
    }
    let wide = middle(screen, 76, screen.height.saturating_sub(3));
    let most = usize::from(wide.height.saturating_sub(2));
    let lines = guard_page::lines(model, armed, text_columns(wide), most);
    let height = lines.len() as u16 + 2;
    // The line above says how the emergency stop stands, and those below which keys there are.
    let between = Rect { y: screen.y + 1, height: screen.height - 3, ..screen };
    let area = middle(between, wide.width, height);
    let (word, tint) = guard_page::stake(model);
    let block = Block::bordered()
        .border_set(model.signs().border)
        .title_top(Line::styled(" E-STOP - guard open ", theme::bad()))
        .title_top(Line::styled(format!(" {word} "), style(tint)).right_aligned());
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let columns = text_columns(area);
    let lines: Vec<Line<'_>> = lines.into_iter().map(|line| draw_line(model, line, columns)).collect();
    frame.render_widget(Text::from(lines), inside);
}

/// Below everything: which keys there are, and that the others are dead.
pub(super) fn draw_footer(model: &Model, armed: Armed, frame: &mut Frame<'_>, area: Rect) {
    let dead = cut(model, " other keys do nothing while the guard is open; pasted text is ignored", area.width);
    let key = armed.key.label();
    let left = vec![
        Span::styled(format!(" {key} "), theme::bad()),
        Span::raw("fire   "),
        Span::styled(" Esc ", theme::strong()),
        Span::raw("close guard"),
    ];
    let keys = spread(left, vec![Span::styled("E-STOP ARMED ", theme::bad())], area.width);
    frame.render_widget(Text::from(vec![Line::styled(dead, theme::faint()), keys]), area);
}

/// Where there is no room for a box: what fires, in as many lines as there are.
fn draw_tiny(model: &Model, armed: Armed, frame: &mut Frame<'_>) {
    let area = frame.area();
    let rows = text::fold(&guard_page::sentence(model, armed, area.width), usize::from(area.width).max(1));
    let lines: Vec<Line<'_>> =
        rows.into_iter().map(|row| Line::styled(cut(model, &row, area.width), theme::bad())).collect();
    frame.render_widget(Clear, area);
    frame.render_widget(Text::from(lines), area);
}
