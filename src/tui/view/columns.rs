//! The columns of the list, from the first to the one that takes what is left.
//!
//! ```text
//! NAME        MODE  STATUS      PID     UP     HB   CPU  MEM   RST  ORD  NOTE    from 100 columns
//! NAME        MODE STATUS     UP    HB  CPU  MEM   RST ORD  NOTE                 from 80; HB if somebody beats
//! NAME        MODE STATUS     UP    RST ORD  NOTE                                below; ORD if orders can be read
//! ```
//!
//! From 140 columns CPU and MEM have their last 80 seconds beside them, where the note keeps enough room.

use ratatui::style::Style;

use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::core::words::{self, Hands};
use crate::tui::model::Model;
use crate::tui::orders::Count;
use crate::tui::{text, theme};

/// The heading of the last column.
const NOTE: &str = "NOTE";

/// That of the first one.
const NAME: &str = "NAME";

/// So many columns are not given to names that a note could use.
const NOTED: usize = 16;

/// From this many columns on trends are shown, of so many cells, if the note keeps so many.
const ROOMY: u16 = 138;
const CELLS: usize = 8;
const LEAST_NOTE: usize = 20;

/// A column: its heading, its width, and what stands in it.
pub(super) struct Column {
    /// Its heading.
    pub(super) title: &'static str,
    /// Its width.
    pub(super) width: usize,
    /// What stands in it for a bot.
    cell: fn(&Model, &BotStatus) -> (String, Style),
}

fn is_wide(model: &Model) -> bool {
    model.size.0 >= 100
}

/// The columns that fit.
pub(super) fn columns(model: &Model, width: u16) -> Vec<Column> {
    let wide = is_wide(model);
    let longest = model.bots.iter().map(|bot| text::width(bot.name.as_str())).max().unwrap_or(0);
    let astray = model.bots.iter().any(|bot| !bot.strays.is_empty());
    let beats = model.bots.iter().any(|bot| bot.heartbeat_age_s.is_some());
    let column = |title, width, cell| Column { title, width, cell };
    let mut columns = vec![
        column(NAME, 0, cell_name as fn(&Model, &BotStatus) -> (String, Style)),
        column("MODE", if wide { 5 } else { 4 }, cell_mode),
        // `? was STOPPING` is longer than any state.
        column("STATUS", if model.is_stale() { 14 } else { 10 + usize::from(astray) }, cell_status),
    ];
    if wide {
        columns.push(column("PID", 7, cell_pid));
    }
    columns.push(column("UP", if wide { 6 } else { 5 }, cell_up));
    if wide || (beats && width >= 78) {
        columns.push(column("HB", if wide { 4 } else { 3 }, cell_heartbeat));
    }
    if width >= 78 {
        columns.push(column("CPU", 4, cell_cpu));
        columns.push(column("MEM", 5, cell_memory));
    }
    columns.push(column("RST", if wide { 4 } else { 3 }, cell_restarts));
    if model.has_orders() {
        columns.push(column("ORD", 4, cell_orders));
    }
    let used = |columns: &[Column]| 3 + columns.iter().map(|column| column.width + 1).sum::<usize>();
    // Names take what is free, since whoever reads half of one may take its bot for another; notes have their whole text
    // below.
    let free = usize::from(width).saturating_sub(used(&columns) + NOTED);
    let name = longest.clamp(10, free.max(if wide { 24 } else { 12 }));
    if let Some(column) = columns.first_mut() {
        column.width = name;
    }
    let left = usize::from(width).saturating_sub(used(&columns));
    if width >= ROOMY && left >= LEAST_NOTE + 2 * (CELLS + 1) {
        for (beside, title, cell) in [
            ("MEM", "80s", cell_memory_trend as fn(&Model, &BotStatus) -> (String, Style)),
            ("CPU", "80s", cell_cpu_trend),
        ] {
            let at = columns.iter().position(|column| column.title == beside).map_or(columns.len(), |at| at + 1);
            columns.insert(at, column(title, CELLS, cell));
        }
    }
    let used = used(&columns);
    columns.push(column(NOTE, usize::from(width).saturating_sub(used), cell_note));
    columns
}

fn plain(text: impl Into<String>) -> (String, Style) {
    (text.into(), Style::new())
}

/// What was not seen is a dash, never a zero.
fn seen<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> (String, Style) {
    value.map_or_else(|| ("-".to_owned(), theme::faint()), |value| plain(show(value)))
}

fn cell_name(_: &Model, bot: &BotStatus) -> (String, Style) {
    plain(bot.name.as_str())
}

fn cell_mode(model: &Model, bot: &BotStatus) -> (String, Style) {
    (theme::mode(bot.mode, !is_wide(model)).to_owned(), theme::mode_style(bot.mode))
}

fn cell_status(model: &Model, bot: &BotStatus) -> (String, Style) {
    let look = theme::state(bot.state);
    if model.is_stale() {
        // Nobody knows what is; this is what was.
        let unknown = theme::state(State::Unknown);
        return (format!("{} was {}", unknown.sign, look.short), unknown.style);
    }
    let sign = if model.fixed.ascii { look.sign } else { look.glyph };
    // Something lives beside it that nobody keeps: its state is not the whole truth.
    let (alarm, style) = if bot.strays.is_empty() { ("", look.style) } else { ("!", theme::bad()) };
    (format!("{sign} {}{alarm}", if is_wide(model) { look.word } else { look.short }), style)
}

fn cell_pid(_: &Model, bot: &BotStatus) -> (String, Style) {
    seen(bot.pid, |pid| pid.to_string())
}

fn cell_up(_: &Model, bot: &BotStatus) -> (String, Style) {
    seen(bot.uptime_s, text::span)
}

fn cell_heartbeat(_: &Model, bot: &BotStatus) -> (String, Style) {
    seen(bot.heartbeat_age_s, text::span)
}

fn cell_cpu(_: &Model, bot: &BotStatus) -> (String, Style) {
    seen(bot.cpu_percent, |percent| format!("{percent:.0}%"))
}

fn cell_memory(_: &Model, bot: &BotStatus) -> (String, Style) {
    seen(bot.memory_bytes, text::size)
}

fn cell_cpu_trend(model: &Model, bot: &BotStatus) -> (String, Style) {
    let trend = model.trends.of(&bot.name);
    (trend.map(|trend| trend.cpu(CELLS, model.fixed.ascii)).unwrap_or_default(), Style::new())
}

fn cell_memory_trend(model: &Model, bot: &BotStatus) -> (String, Style) {
    let trend = model.trends.of(&bot.name);
    (trend.map(|trend| trend.memory(CELLS, model.fixed.ascii)).unwrap_or_default(), Style::new())
}

fn cell_restarts(_: &Model, bot: &BotStatus) -> (String, Style) {
    match (bot.failures, bot.give_up_after, bot.restarts) {
        // On the way to the breaker, the way is what matters.
        (Some(failures), limit, _) if failures > 0 && limit > 0 => (format!("{failures}/{limit}"), theme::warning()),
        (_, _, restarts) => seen(restarts, |restarts| restarts.to_string()),
    }
}

fn cell_orders(model: &Model, bot: &BotStatus) -> (String, Style) {
    match model.open_orders(&bot.name) {
        Count::NoSource => ("-".to_owned(), theme::faint()),
        Count::Unread => ("?".to_owned(), theme::faint()),
        Count::Fresh(orders @ 0..10_000) => plain(orders.to_string()),
        Count::Fresh(orders) => plain(thousands(orders)),
        Count::Stale(orders @ 100_000..) => (thousands(orders), theme::faint()),
        Count::Stale(orders) => (format!("{}!", thousands(orders)), theme::faint()),
    }
}

/// A number in three columns: half a number would be another one.
fn thousands(count: u64) -> String {
    match count {
        0..1000 => count.to_string(),
        1000..100_000 => format!("{}k", count / 1000),
        100_000.. => "many".to_owned(),
    }
}

fn cell_note(model: &Model, bot: &BotStatus) -> (String, Style) {
    let style = if bot.strays.is_empty() { Style::new() } else { theme::bad() };
    (note(model, bot), style)
}

/// The whole note of a bot; while it is being stopped from here, where that is.
pub(super) fn note(model: &Model, bot: &BotStatus) -> String {
    if let Some(standing) = model.stops.note(&bot.name, model.now.mono) {
        return standing;
    }
    with_was(bot, model.offered(words::whole_note(bot, Hands::Keys)))
}

/// What stands in a column for a bot; a note that does not fit says the same in fewer words.
pub(super) fn cell(column: &Column, model: &Model, bot: &BotStatus) -> (String, Style) {
    let (text, style) = (column.cell)(model, bot);
    if column.title == NAME {
        let others = model.shown().map(|bot| bot.name.as_str());
        return (text::cut_name(&text, others, column.width, model.signs().more), style);
    }
    let stops = || model.stops.note(&bot.name, model.now.mono).is_some();
    if column.title == NOTE && text::width(&text) > column.width && !stops() {
        return (with_was(bot, model.offered(words::brief_note(bot, Hands::Keys))), style);
    }
    (text, style)
}

fn with_was(bot: &BotStatus, note: String) -> String {
    match bot.was {
        Some(was) if note.is_empty() => format!("was {}", theme::state(was).short),
        Some(was) => format!("was {}; {note}", theme::state(was).short),
        None => note,
    }
}
