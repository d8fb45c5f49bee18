//! ```text
//! ┌ 2 Orders  6 (protective 1) ──────────────── 2 sources, oldest 1s ago  sort bot  marked 1 ┐
//! │ STALE mm-eth: state.json: no such file or directory                                      │
//! │   BOT       VENUE   SYM      SIDE TYPE    QTY  FILLED    PRICE AGE  ST                   │
//! │ ▸ grid-btc  kraken  BTC/USD  BUY  limit 0.0500      0  61250.0 12m  open                 │
//! └──────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::core::bot::BotName;
use crate::tui::layout::{list_rows, order_rows, troubled};
use crate::tui::model::{Model, Pane};
use crate::tui::order_row::Row;
use crate::tui::orders::{Count, Source};
use crate::tui::{text, theme};

/// A column: its heading, its place in the book's table of widths, how it gives way, and how it is set.
struct Column {
    title: &'static str,
    place: usize,
    /// The column with the greatest number is left out first; one without stays.
    gives_way: u8,
    /// It is not made narrower than this, nor wider than that: one row with a long number does not push out the others'
    /// cells. What is cut ends with a mark, since half a number is another one.
    least: usize,
    most: usize,
    right: bool,
}

const fn column(title: &'static str, place: usize, gives_way: u8, sizes: (usize, usize), right: bool) -> Column {
    Column { title, place, gives_way, least: sizes.0, most: sizes.1, right }
}

const COLUMNS: [Column; 10] = [
    column("BOT", 0, 0, (6, 16), false),
    column("VENUE", 1, 4, (6, 12), false),
    column("SYM", 2, 0, (6, 16), false),
    column("SIDE", 3, 0, (4, 4), false),
    column("TYPE", 4, 3, (6, 12), false),
    column("QTY", 5, 0, (8, 14), true),
    column("FILLED", 6, 2, (8, 14), true),
    column("PRICE", 7, 0, (8, 14), true),
    column("AGE", 8, 1, (5, 5), false),
    // Wide enough for `was open` and `was PROT`.
    column("ST", 9, 0, (8, 18), false),
];

/// The last column is that of the state; where it is old, `was` stands before it.
const STATE: usize = 9;

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (count, protective) = model.orders.totals();
    let title = match (count, protective) {
        (0, _) if !model.has_orders() => String::new(),
        (_, 0) => count.to_string(),
        (_, _) => format!("{count} (protective {protective})"),
    };
    let block = super::parts::pane(model, Pane::Orders, &title, facts(model, area.width));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let mut lines = troubles(model, inside.width, troubled(model, list_rows(area)));
    let columns = fitting(model, usize::from(inside.width));
    let mut heading = "   ".to_owned();
    for (column, width) in &columns {
        heading.push_str(&set(column, column.title, *width, ""));
        heading.push(' ');
    }
    if model.orders.is_empty() {
        lines.extend(nothing(model, usize::from(inside.width)));
    } else {
        lines.push(Line::styled(heading, theme::faint()));
        let rows = order_rows(model, area);
        let places = model.orders.top_row..model.orders.top_row + rows;
        lines.extend(
            places.map_while(|place| model.orders.at(place)).map(|row| line(model, row, &columns, inside.width)),
        );
    }
    frame.render_widget(Text::from(lines), inside);
}

/// The right end of the title: where it comes from and how old it is, filter, order, marks.
fn facts(model: &Model, width: u16) -> Vec<Span<'static>> {
    let (book, now) = (&model.orders, model.now.mono);
    let mut facts = Vec::new();
    let sources: Vec<_> = book.sources().collect();
    let stale = sources.iter().filter(|(_, source)| source.is_stale(now)).count();
    if stale > 0 {
        facts.push(Span::styled(format!(" STALE {stale} of {} ", sources.len()), theme::bad()));
    }
    let oldest = sources.iter().filter_map(|(_, source)| source.age(now)).max();
    let age = oldest.map_or_else(|| "not read yet".to_owned(), |age| format!("{} ago", text::age(age)));
    match sources.as_slice() {
        [] => {}
        [(_, only)] => facts.push(Span::raw(format!(" {} {age} ", only.word))),
        [..] => {
            let oldest = if oldest.is_some() { "oldest " } else { "" };
            facts.push(Span::raw(format!(" {} sources, {oldest}{age} ", sources.len())));
        }
    }
    if !book.filter.is_empty() {
        let what = text::cut(book.filter.text(), 24, model.signs().more);
        facts.push(Span::styled(format!(" filter {what} {} ", book.len()), theme::strong()));
    }
    if width >= 70 {
        let order = if book.reverse { " reversed" } else { "" };
        facts.push(Span::raw(format!(" sort {}{order} ", book.sort.word())));
    }
    if !book.marked.is_empty() {
        facts.push(Span::styled(format!(" marked {} ", book.marked.len()), theme::strong()));
    }
    facts
}

/// Which sources cannot be read, and why: a line each, and the last for those that there is no room for.
fn troubles(model: &Model, width: u16, most: usize) -> Vec<Line<'static>> {
    let now = model.now.mono;
    let stale: Vec<_> = model.orders.sources().filter(|(_, source)| source.is_stale(now)).collect();
    let told = if stale.len() > most { most.saturating_sub(1) } else { stale.len() };
    let reason = |(bot, source): &(&BotName, &Source)| format!(" STALE {bot}: {}", source.why(now));
    let mut lines: Vec<String> = stale.iter().take(told).map(reason).collect();
    if stale.len() > told {
        lines.push(format!(" STALE {} more: i shows why", stale.len() - told));
    }
    lines.into_iter().map(|line| Line::styled(super::parts::cut(model, &line, width), theme::bad())).collect()
}

/// Why there is no row.
fn nothing(model: &Model, width: usize) -> Vec<Line<'static>> {
    let book = &model.orders;
    let unread = || model.bots.iter().filter(|bot| model.open_orders(&bot.name) == Count::Unread);
    let unread: Vec<&str> = unread().map(|bot| bot.name.as_str()).collect();
    let read = book.sources().any(|(_, source)| source.read_at.is_some());
    let why = if !book.filter.is_empty() && book.totals().0 > 0 {
        "no order fits the filter; Esc clears it".to_owned()
    } else if !model.has_orders() {
        "no bot says where its orders can be read: [bots.NAME.orders]".to_owned()
    } else {
        match (read, unread.is_empty()) {
            (_, true) => "no open order".to_owned(),
            (true, false) => format!("no open order; not read yet: {}", unread.join(", ")),
            (false, false) => format!("not read yet: {}", unread.join(", ")),
        }
    };
    text::fold(&why, width.saturating_sub(3)).into_iter().map(|row| Line::raw(format!("   {row}"))).collect()
}

/// The columns that fit, with their widths: as wide as what stands in them.
fn fitting(model: &Model, width: usize) -> Vec<(&'static Column, usize)> {
    let now = model.now.mono;
    let was = model.orders.sources().any(|(_, source)| source.is_stale(now));
    let mut columns: Vec<(&Column, usize)> = COLUMNS
        .iter()
        .map(|column| {
            let wide = model.orders.widths.get(column.place).copied().unwrap_or(0);
            let wide = if column.place == STATE && was { wide + 4 } else { wide };
            let wide = if column.title == "AGE" { column.most } else { wide };
            (column, wide.min(column.most).max(column.title.len()))
        })
        .collect();
    let used = |columns: &[(&Column, usize)]| 3 + columns.iter().map(|(_, width)| width + 1).sum::<usize>();
    for gives_way in (1..=4).rev() {
        if used(&columns) > width {
            columns.retain(|(column, _)| column.gives_way != gives_way);
        }
    }
    // Names are cut before numbers are.
    while used(&columns) > width {
        let gives = |column: &Column, wide: usize, right: bool| column.right == right && wide > column.least;
        let right = !columns.iter().any(|(column, wide)| gives(column, *wide, false));
        let widest =
            columns.iter_mut().filter(|(column, wide)| gives(column, *wide, right)).max_by_key(|(_, wide)| *wide);
        let Some((_, wide)) = widest else { break };
        *wide -= 1;
    }
    columns
}

fn set(column: &Column, text: &str, width: usize, more: &str) -> String {
    let text = text::fit(text, width, more);
    if !column.right {
        return text;
    }
    let bare = text.trim_end();
    format!("{}{bare}", " ".repeat(width.saturating_sub(text::width(bare))))
}

fn line(model: &Model, row: &Row, columns: &[(&Column, usize)], width: u16) -> Line<'static> {
    let chosen = model.orders.cursor.as_ref() == Some(&row.id);
    let cursor = if chosen { model.signs().cursor } else { " " };
    let mark = if model.orders.marked.contains(&row.id) { "*" } else { " " };
    let stale = model.orders.source(&row.id.bot).is_none_or(|source| source.is_stale(model.now.mono));
    let mut line = Line::from(vec![Span::styled(format!("{mark}{cursor} "), theme::strong())]);
    for (column, wide) in columns {
        let text = match column.place {
            0 => row.id.bot.to_string(),
            1 => row.venue.clone(),
            2 => row.symbol.clone(),
            3 => row.side.to_owned(),
            4 => row.kind.clone(),
            5 => row.quantity.clone(),
            6 => row.filled.clone(),
            7 => row.price.clone(),
            8 => age(model, row),
            _ if stale => format!("was {}", row.state),
            _ => row.state.clone(),
        };
        let style = match (stale, column.place == STATE && row.protective) {
            (true, _) => theme::faint(),
            (false, true) => theme::strong(),
            (false, false) => Style::new(),
        };
        line.push_span(Span::styled(set(column, &text, *wide, model.signs().more), style));
        line.push_span(Span::raw(" "));
    }
    if chosen && model.pane == Pane::Orders {
        let rest = usize::from(width).saturating_sub(line.width());
        line.push_span(Span::raw(" ".repeat(rest)));
        line = line.style(theme::strong());
    }
    line
}

/// How old it is; a clock that runs ahead of ours makes it no younger than nothing.
fn age(model: &Model, row: &Row) -> String {
    let Some(placed) = row.placed_at else { return "-".to_owned() };
    let age = model.now.wall.duration_since(placed);
    text::age(age.try_into().unwrap_or_default())
}
