//! ```text
//! + 7 History  events /kind:exited ------------------------------------------- 1-20 of 5,213  read 1s ago +
//! | AT              BOT               KIND       TEXT                                                     |
//! | 03-04 14:32:07  grid-btc          exited     exited with 1 after 3 min                                |
//! | 03-04 14:28:51  grid-btc          started    started (pid 48213)                                      |
//! +-------------------------------------------------------------------------------------------------------+
//! ```
//!
//! Runs: when it began, the bot, how long it lasted, how it ended. Reports: when, the bot or how many, the command, its exit
//! code, who asked, and the sentence.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Padding};

use crate::core::history::Shelf;
use crate::core::words::grouped;
use crate::tui::history_page;
use crate::tui::history_row::{heading, row};
use crate::tui::layout::{has_headings, history_rows, inspect_area};
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

use super::inspect::style;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let book = &model.history;
    let rows = history_rows(area);
    let more = model.signs().more;
    let room = usize::from(area.width).saturating_sub(14);
    // What is looked through is always told.
    let right = facts(model, rows, room.saturating_sub(book.shelf.word().len() + 4));
    let used: usize = right.iter().map(Span::width).sum();
    let filter = if book.filter().is_empty() { String::new() } else { format!(" /{}", book.filter()) };
    let title = text::harmless(&format!("{}{filter}", book.shelf.word()));
    let block =
        super::parts::pane(model, Pane::History, &text::cut(&title, room.saturating_sub(used + 4), more), right);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inside.width).saturating_sub(2);
    let stale = book.is_stale(model.now.mono);
    let mut lines: Vec<Line<'_>> = Vec::with_capacity(rows + 1);
    if has_headings(area) {
        lines.push(Line::styled(format!(" {}", text::fit(&heading(book.shelf, width), width, more)), theme::faint()));
    }
    for (chosen, entry) in book.page(rows) {
        let (line, look) = row(model, entry, width);
        let look = if stale { theme::faint() } else { look };
        let sign = if chosen && model.pane == Pane::History { model.signs().cursor } else { " " };
        let look = if chosen && model.pane == Pane::History { look.patch(theme::chosen()) } else { look };
        lines.push(Line::from(vec![Span::raw(sign), Span::styled(text::fit(&line, width, more), look)]));
    }
    if book.page(1).next().is_none() {
        let why = nothing(model);
        let folded = text::fold(&why, width);
        lines.extend(
            folded.into_iter().map(|row| Line::styled(format!(" {}", text::cut(&row, width, more)), theme::faint())),
        );
    }
    frame.render_widget(Text::from(lines), inside);
}

/// What the title says on the right, as far as there is room: what is worth least goes first.
fn facts(model: &Model, rows: usize, room: usize) -> Vec<Span<'static>> {
    let book = &model.history;
    let mut facts = Vec::new();
    if book.odd() > 0 {
        let lines = if book.odd() == 1 { "line" } else { "lines" };
        facts.push(Span::styled(format!(" {} {lines} unreadable ", grouped(book.odd())), theme::warning()));
    }
    if let Some(short) = book.noticed(model.now.mono) {
        facts.push(Span::styled(format!(" {} ", text::harmless(short)), theme::warning()));
    }
    if let Some(note) = book.note() {
        let look = if book.is_troubled() { theme::bad() } else { theme::warning() };
        // A sentence, as far as there is room.
        facts.push(Span::styled(format!(" {} ", text::cut(&text::harmless(note), room / 2, model.signs().more)), look));
    }
    if let Some(percent) = book.percent() {
        facts.push(Span::styled(format!(" reading event files: {percent}% "), theme::warning()));
    }
    if let Some((first, last, total)) = book.counts(rows) {
        facts.push(Span::raw(format!(" {}-{} of {} ", grouped(first), grouped(last), grouped(total))));
    }
    let age = match book.age(model.now.mono) {
        Some(age) if book.is_stale(model.now.mono) => {
            Span::styled(format!(" STALE, read {} ago ", text::age(age)), theme::bad())
        }
        Some(age) => Span::raw(format!(" read {} ago ", text::age(age))),
        None => Span::raw(" not read yet "),
    };
    facts.push(age);
    // Its age is never left out.
    while facts.len() > 1 && facts.iter().map(Span::width).sum::<usize>() > room {
        facts.remove(facts.len() - 2);
    }
    facts
}

/// Why there is no row.
fn nothing(model: &Model) -> String {
    let book = &model.history;
    match (book.note().filter(|_| book.is_troubled()), book.total()) {
        (Some(why), _) => text::harmless(why),
        (None, None) => "looking ...".to_owned(),
        (None, Some(_)) if !book.filter().is_empty() => {
            format!(
                "none of the {} fits; Esc clears the filter, v goes on to {}",
                book.shelf.word(),
                book.shelf.next().word()
            )
        }
        (None, Some(_)) => match book.shelf {
            Shelf::Events => "nothing has happened yet that was written down".to_owned(),
            Shelf::Runs => "no run is written down yet".to_owned(),
            Shelf::Reports => "no report is written down yet: nothing was stopped or canceled".to_owned(),
        },
    }
}

pub(super) fn draw_entry(model: &Model, top: usize, frame: &mut Frame<'_>) {
    let Some(opened) = &model.history.open else { return };
    let area = inspect_area(frame.area());
    frame.render_widget(Clear, area);
    let block = Block::bordered().padding(Padding::horizontal(1)).border_set(model.signs().border);
    let inside = block.inner(area);
    let lines = history_page::lines(model, usize::from(inside.width));
    let room = usize::from(inside.height);
    let top = top.min(lines.len().saturating_sub(room));
    let shown = format!(" {}-{} of {}  Esc closes ", top + 1, (top + room).min(lines.len()), lines.len());
    let left = usize::from(inside.width).saturating_sub(text::width(&shown));
    let title = format!(" {} ", history_page::title(opened));
    let block = block
        .title_top(Line::styled(text::cut(&title, left, model.signs().more), theme::chosen()))
        .title_top(Line::raw(shown).right_aligned());
    frame.render_widget(block, area);
    let body: Vec<Line<'_>> =
        lines.into_iter().skip(top).take(room).map(|(line, look)| Line::styled(line, style(look))).collect();
    frame.render_widget(Text::from(body), inside);
}
