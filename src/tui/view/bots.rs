//! ```text
//! ┌ 1 Bots  8 ──────────────────────────── seen now ── filter st:run ── sort name ── marked 1 ┐
//! │   NAME        MODE  STATUS      PID     UP     HB   CPU  MEM   RST  NOTE                   │
//! │ ▸ grid-btc    LIVE  ◉ RUNNING   48213   2d04h  1s   3%   212M  0                           │
//! │ * trend-sol   PAPER ↻ BACKOFF   -       -      -    -    -     3/5  retry in 24 s          │
//! └ trend-sol: retry in 24 s (what its column could not hold) ─────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::core::status::BotStatus;
use crate::tui::layout::list_rows;
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

use super::columns::{Column, cell, columns, note};

/// Columns that the left end of the title may take.
const TITLE: usize = 18;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let all = model.bots.len();
    let count = if model.filter.is_empty() { all.to_string() } else { format!("{} of {all}", model.shown().count()) };
    let mut block = super::parts::pane(model, Pane::Bots, &count, facts(model, area.width));
    let inside = block.inner(area);
    let columns = columns(model, inside.width);
    if let Some(note) = whole_note(model, &columns) {
        block = block
            .title_bottom(Line::raw(format!(" {} ", super::parts::cut(model, &note, inside.width.saturating_sub(4)))));
    }
    frame.render_widget(block, area);
    let mut heading = "   ".to_owned();
    for column in &columns {
        heading.push_str(&text::fit(column.title, column.width, ""));
        heading.push(' ');
    }
    let mut lines = vec![Line::styled(heading, theme::faint())];
    let rows = list_rows(area);
    lines.extend(model.shown().skip(model.top_row).take(rows).map(|bot| row(model, bot, &columns, inside.width)));
    if lines.len() == 1 {
        let why = match (model.seen_at, model.bots.is_empty()) {
            (None, _) => "   looking ...",
            (Some(_), true) if model.mistakes.is_some() => "   no bot runs here, and the configuration has mistakes",
            (Some(_), true) => "   no bots: the configuration names none, and none left a record here",
            (Some(_), false) => "   no bot fits the filter; Esc clears it",
        };
        lines.push(Line::raw(why));
    }
    frame.render_widget(ratatui::text::Text::from(lines), inside);
}

/// The name and the note of the bot under the cursor, if the columns cannot hold them.
fn whole_note(model: &Model, columns: &[Column]) -> Option<String> {
    let bot = model.cursor.as_ref().and_then(|name| model.bot(name))?;
    let note = note(model, bot);
    let room = |column: Option<&Column>| column.map_or(0, |column| column.width);
    let is_cut = text::width(bot.name.as_str()) > room(columns.first()) || text::width(&note) > room(columns.last());
    is_cut.then(|| if note.is_empty() { bot.name.to_string() } else { format!("{}: {note}", bot.name) })
}

/// What the right end of the title says: age, filter, order, marks.
fn facts(model: &Model, width: u16) -> Vec<Span<'static>> {
    let mut facts = Vec::new();
    if model.is_stale() {
        let age = model.age().map(text::age).unwrap_or_default();
        facts.push(Span::styled(format!(" STALE seen {age} ago "), theme::bad()));
    }
    if !model.filter.is_empty() {
        facts.push(Span::styled(
            format!(" filter {} ", text::cut(model.filter.text(), 24, model.signs().more)),
            theme::strong(),
        ));
    }
    let order = if model.reverse { " reversed" } else { "" };
    facts.push(Span::raw(format!(" sort {}{order} ", model.sort.word())));
    if !model.marked.is_empty() {
        facts.push(Span::styled(format!(" marked {} ", model.marked.len()), theme::strong()));
    }
    // Fresh is as good as now, and nothing ticks for it; what is not is said above.
    let fresh = Span::raw(" seen now ");
    let used = Line::from(facts.clone()).width() + fresh.width() + TITLE;
    if model.seen_at.is_some() && !model.is_stale() && used <= usize::from(width) {
        facts.insert(0, fresh);
    }
    facts
}

fn row(model: &Model, bot: &BotStatus, columns: &[Column], width: u16) -> Line<'static> {
    let chosen = model.cursor.as_ref() == Some(&bot.name);
    let cursor = if chosen { model.signs().cursor } else { " " };
    let mark = if model.marked.contains(&bot.name) { "*" } else { " " };
    let mut line = Line::from(vec![Span::styled(format!("{mark}{cursor} "), theme::strong())]);
    // Nothing should live while it is latched.
    let alarm = model.lives_although_latched(&bot.name);
    for column in columns {
        let (cell, style) = cell(column, model, bot);
        let style = if alarm { theme::bad() } else { style };
        line.push_span(Span::styled(text::fit(&cell, column.width, model.signs().more), style));
        line.push_span(Span::raw(" "));
    }
    if chosen && model.pane == Pane::Bots {
        let rest = usize::from(width).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(rest)));
        line = line.style(theme::strong());
    }
    line
}
