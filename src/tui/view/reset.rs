//! ```text
//! +- reset the emergency stop? ------------------------------------------+
//! |  Reset never starts anything. It looks at everything afresh first.   |
//! |                                                                      |
//! |  Type the host's name, trade-box-1, and Enter: trade-b_              |
//! +----------------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use crate::tui::layout::inspect_area;
use crate::tui::model::{Model, ResetStep, Resetting};
use crate::tui::{text, theme};

use super::parts::{cut, middle};

/// So many reasons are named that stand in the way.
const NAMED: usize = 6;

pub(super) fn draw(model: &Model, reset: &Resetting, frame: &mut Frame<'_>) {
    // The line above and the footer say how the emergency stop stands, and what Enter means.
    let screen = inspect_area(frame.area());
    let width = screen.width.min(76);
    let room = width.saturating_sub(4);
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut say = |text: &str, style| {
        lines.extend(text::fold(text, usize::from(room)).into_iter().map(|row| Line::styled(row, style)));
    };
    say("Reset never starts anything: bots stay STOPPED. It looks at everything afresh first.", theme::faint());
    for why in reset.blocked.iter().take(NAMED) {
        say(&format!("! {why}"), theme::warning());
    }
    if reset.blocked.len() > NAMED {
        say(&format!("! and {} more", reset.blocked.len() - NAMED), theme::warning());
    }
    if !reset.blocked.is_empty() {
        say("What stands in the way must be waived with a note, which is recorded.", ratatui::style::Style::new());
    }
    lines.push(Line::default());
    let steps = [
        (ResetStep::Host, format!("Type the host's name, {}, and Enter: ", model.fixed.host), &reset.host),
        (ResetStep::Reason, "Why, and Enter: ".to_owned(), &reset.reason),
        (ResetStep::Waive, "Waived because, and Enter: ".to_owned(), &reset.waive),
    ];
    let at = steps.iter().position(|(step, ..)| *step == reset.step).unwrap_or_default();
    for (nth, (_, ask, typed)) in steps.iter().enumerate().take(at + 1) {
        let caret = if nth == at { model.signs().caret } else { "" };
        let left = usize::from(room).saturating_sub(text::width(ask) + 1);
        // Whoever types sees the end of it.
        let hidden = text::width(typed).saturating_sub(left);
        let shown: String = typed.chars().skip(hidden).collect();
        lines.push(Line::from(vec![
            Span::raw(cut(model, ask, room)),
            Span::styled(shown, theme::strong()),
            Span::raw(caret),
        ]));
    }
    lines.push(Line::styled("Esc: no, it stays latched", theme::faint()));
    let area = middle(screen, width, (lines.len() + 2) as u16);
    let block = Block::bordered()
        .padding(Padding::horizontal(1))
        .border_set(model.signs().border)
        .title_top(Line::styled(" reset the emergency stop? ", theme::bad()));
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(Text::from(lines)).block(block), area);
}
