//! ```text
//! ┌ : kil▏ ────────────────────────────────────────────────────────────── 1 of 5 ┐
//! │ ▸ X        kill           kill the whole tree now                            │
//! │   c        cancel         cancel chosen or all orders                        │
//! │   -        kill all       kill what still lives      (page of the emergency) │
//! └ asks first: y/N; live with open orders: type the bot's name ─────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear};

use crate::tui::model::{Model, Palette, Pane};
use crate::tui::palette::{Entry, Stands, entries};
use crate::tui::{text, theme};

/// Columns of the keys, and of the names.
const KEYS: usize = 9;
const NAMES: usize = 21;

pub(super) fn draw(model: &Model, palette: &Palette, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let between = Rect { y: screen.y + 1, height: screen.height.saturating_sub(3), ..screen };
    let area = super::parts::middle(between, 96, between.height.min(24));
    let fitting = entries(model, &palette.text);
    let at = palette.at.min(fitting.len().saturating_sub(1));
    frame.render_widget(Clear, area);
    let mut block = Block::bordered().border_set(model.signs().border);
    let inside = block.inner(area);
    let count = match fitting.len() {
        0 => " nothing is called so ".to_owned(),
        all => format!(" {} of {all} ", at + 1),
    };
    let room = usize::from(inside.width).saturating_sub(text::width(&count) + 5);
    // The end is what is being typed.
    let typed = tail(&palette.text, room);
    block = block
        .title_top(Line::styled(format!(" : {typed}{} ", model.signs().caret), theme::strong()))
        .title_top(Line::raw(count).right_aligned());
    if let Some(entry) = fitting.get(at) {
        let below = text::cut(&said(entry), usize::from(inside.width).saturating_sub(2), model.signs().more);
        block = block.title_bottom(Line::raw(format!(" {below} ")));
    }
    frame.render_widget(block, area);
    let rows = usize::from(inside.height);
    let top = (at + 1).saturating_sub(rows);
    let lines: Vec<Line<'_>> = fitting
        .iter()
        .enumerate()
        .skip(top)
        .take(rows)
        .map(|(number, entry)| row(model, entry, number == at, usize::from(inside.width)))
        .collect();
    frame.render_widget(Text::from(lines), inside);
}

/// The end of the text that fits.
fn tail(typed: &str, columns: usize) -> String {
    let mut rest = typed;
    while text::width(rest) > columns {
        let mut letters = rest.chars();
        letters.next();
        rest = letters.as_str();
    }
    rest.to_owned()
}

/// What is to be known before Enter is pressed.
fn said(entry: &Entry) -> String {
    match (entry.stands, entry.guard) {
        (Stands::Refused, _) => "refused: --read-only".to_owned(),
        (Stands::Elsewhere(place), _) => format!("not here: {place}"),
        (Stands::There(_) | Stands::Here, "") => "Enter does it, Esc closes".to_owned(),
        (Stands::There(_) | Stands::Here, guard) => format!("asks first: {guard}"),
    }
}

fn row(model: &Model, entry: &Entry, chosen: bool, width: usize) -> Line<'static> {
    let cursor = if chosen { model.signs().cursor } else { " " };
    let faint = matches!(entry.stands, Stands::Elsewhere(_) | Stands::Refused);
    let style = if faint { theme::faint() } else { Style::new() };
    let keys = text::fit(if entry.keys.is_empty() { "-" } else { &entry.keys }, KEYS, model.signs().more);
    let name = text::fit(&entry.name, NAMES, model.signs().more);
    let place = match entry.stands {
        Stands::Here => String::new(),
        Stands::There(number) => {
            let pane = Pane::ALL.into_iter().find(|pane| pane.number() == number);
            pane.map_or_else(String::new, |pane| format!(" (goes to {})", pane.title()))
        }
        Stands::Elsewhere(place) => format!(" ({place})"),
        Stands::Refused => " (refused: --read-only)".to_owned(),
    };
    let room = width.saturating_sub(3 + KEYS + 1 + NAMES + 1);
    let help = text::fit(&format!("{}{place}", entry.help), room, model.signs().more);
    let strong = if faint { theme::faint() } else { theme::strong() };
    let line = Line::from(vec![
        Span::raw(format!(" {cursor} ")),
        Span::styled(format!("{keys} "), strong),
        Span::styled(format!("{name} "), style),
        Span::styled(help, style),
    ]);
    if chosen { line.patch_style(theme::chosen()) } else { line }
}
