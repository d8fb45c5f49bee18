//! What a pane shows, as text: copied into the terminal's clipboard (`y`: what is chosen) or saved to a file (`S`: all
//! rows of the pane, whether they are on the screen or not; of the history those that are held).

use std::path::PathBuf;

use super::cluster_page;
use super::clusters::{ChunkRow, Cluster, RowId};
use super::effect::{Effect, tell};
use super::history_page;
use super::history_row::row;
use super::inspect;
use super::log_keys;
use super::model::{DIAGNOSED, Focus, Model, Pane, Prompt, Purpose, Tone};
use super::order_row::Row;
use super::orders::Count;
use super::stop_page::{self, Tint};
use super::text::{self, plural};
use super::{theme, whom};
use crate::core::bot::BotName;
use crate::core::status::BotStatus;
use crate::core::words::{self, Hands, grouped};

/// Bytes that a terminal takes into its clipboard at once: tmux and xterm take about 74 KB of base64, which are so many.
const CLIPBOARD: usize = 54_000;

/// Columns of what is copied where it is made of long lines.
const WIDE: usize = 160;

/// Copies what is chosen.
pub(super) fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    match clip(model, false) {
        Some(lines) => hand_over(model, effects, lines),
        None => tell(model, effects, Tone::Plain, "there is nothing here to copy"),
    }
}

/// Copies all that is known of the bot that is inspected.
pub(super) fn copy_inspected(model: &mut Model, effects: &mut Vec<Effect>) {
    let lines: Vec<String> = inspect::lines(model, WIDE).into_iter().map(|(line, _)| line).collect();
    hand_over(model, effects, lines);
}

/// Copies all of the entry of the history that is read.
pub(super) fn copy_entry(model: &mut Model, effects: &mut Vec<Effect>) {
    let lines: Vec<String> = history_page::lines(model, WIDE).into_iter().map(|(line, _)| line).collect();
    hand_over(model, effects, lines);
}

fn hand_over(model: &mut Model, effects: &mut Vec<Effect>, lines: Vec<String>) {
    let all = lines.len();
    let mut copied = String::new();
    let mut count = 0;
    for line in &lines {
        let more = line.trim_end();
        if copied.len() + more.len() + 1 > CLIPBOARD {
            break;
        }
        copied.push_str(more);
        copied.push('\n');
        count += 1;
    }
    effects.push(Effect::Copy(copied));
    let text = if count < all {
        format!("copied the first {count} of {all} lines: a terminal takes no more at once; S saves all")
    } else {
        format!("copied {} (the terminal must allow OSC 52)", plural(all as u64, "line"))
    };
    tell(model, effects, Tone::Plain, text);
}

/// Asks for the name of a file to save the pane to.
pub(super) fn ask(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.fixed.read_only {
        tell(model, effects, Tone::Plain, "read-only: nothing here can save a file");
        return;
    }
    if clip(model, true).is_none() {
        tell(model, effects, Tone::Plain, "there is nothing here to save");
        return;
    }
    let pane = model.pane;
    let at = model.now.wall.strftime("%Y%m%dT%H%M%S");
    let text = match pane {
        Pane::Logs => format!("botwarden-{}-{at}.log", log_keys::whose(model)),
        Pane::Bots | Pane::Orders | Pane::Cluster | Pane::Diagnostics | Pane::Stops | Pane::History => {
            format!("botwarden-{}-{at}.txt", pane.title().to_lowercase())
        }
    };
    model.focus = Focus::Typing(Prompt { purpose: Purpose::Save, pane, before: text.clone(), text });
}

/// Saves the pane to the file that was named.
pub(super) fn save(model: &mut Model, effects: &mut Vec<Effect>, prompt: &Prompt) {
    let name = prompt.text.trim();
    if name.is_empty() {
        tell(model, effects, Tone::Plain, "nothing was saved: no name was typed");
        return;
    }
    let path = PathBuf::from(name);
    match prompt.pane {
        // More than the screen holds: whoever reads them writes them.
        Pane::Logs => model.log.save(path),
        pane @ (Pane::Bots | Pane::Orders | Pane::Cluster | Pane::Diagnostics | Pane::Stops | Pane::History) => {
            match of(model, pane, true) {
                Some(lines) => {
                    let text: String = lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect();
                    effects.push(Effect::Save(path, text));
                }
                None => tell(model, effects, Tone::Plain, "nothing was saved: the pane is empty by now"),
            }
        }
    }
}

/// The lines of the pane that has the keys: all, or those that are chosen.
fn clip(model: &Model, whole: bool) -> Option<Vec<String>> {
    of(model, model.pane, whole)
}

fn of(model: &Model, pane: Pane, whole: bool) -> Option<Vec<String>> {
    let lines = match pane {
        Pane::Bots => bots(model, whole),
        Pane::Orders => orders(model, whole),
        Pane::Cluster => clusters(model, whole),
        Pane::Stops if model.stops.runs.is_empty() => Vec::new(),
        Pane::Stops => stops(model),
        Pane::Diagnostics => diagnostics(model, whole),
        Pane::Logs => log_keys::lines(model),
        Pane::History => history(model, whole),
    };
    (!lines.is_empty()).then_some(lines)
}

/// Rows under their headings, every column as wide as its widest cell.
fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut widths = headings.map(text::width);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(text::width(cell));
        }
    }
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| text::fit(cell, width, "")).collect();
        cells.join("  ")
    };
    std::iter::once(line(&headings.map(str::to_owned))).chain(rows.iter().map(|row| line(row))).collect()
}

fn or_dash<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

fn bots(model: &Model, whole: bool) -> Vec<String> {
    let marked = |bot: &&BotStatus| model.marked.contains(&bot.name);
    let rows: Vec<[String; 10]> = if whole {
        model.shown().map(|bot| bot_row(model, bot)).collect()
    } else if model.marked.is_empty() {
        whom::under_cursor(model).into_iter().map(|bot| bot_row(model, bot)).collect()
    } else {
        model.bots.iter().filter(marked).map(|bot| bot_row(model, bot)).collect()
    };
    table(["NAME", "MODE", "STATUS", "PID", "UP", "CPU", "MEM", "RST", "ORD", "NOTE"], rows)
}

fn bot_row(model: &Model, bot: &BotStatus) -> [String; 10] {
    let was = if model.is_stale() { "UNKNOWN, was " } else { "" };
    let orders = match model.open_orders(&bot.name) {
        Count::NoSource => "-".to_owned(),
        Count::Unread => "?".to_owned(),
        Count::Fresh(orders) => orders.to_string(),
        Count::Stale(orders) => format!("was {orders}"),
    };
    [
        bot.name.to_string(),
        theme::mode(bot.mode, false).to_owned(),
        format!("{was}{}", theme::state(bot.state).word),
        or_dash(bot.pid, |pid| pid.to_string()),
        or_dash(bot.uptime_s, text::span),
        or_dash(bot.cpu_percent, |percent| format!("{percent:.0}%")),
        or_dash(bot.memory_bytes, text::size),
        or_dash(bot.restarts, |restarts| restarts.to_string()),
        orders,
        words::whole_note(bot, Hands::Keys),
    ]
}

fn orders(model: &Model, whole: bool) -> Vec<String> {
    let book = &model.orders;
    let shown = || (0..book.len()).filter_map(|place| book.at(place));
    let rows: Vec<&Row> = if whole {
        shown().collect()
    } else if book.marked.is_empty() {
        book.under_cursor().into_iter().collect()
    } else {
        book.marked.iter().filter_map(|id| book.row(id)).collect()
    };
    let cells = |row: &&Row| {
        let stale = book.source(&row.id.bot).is_some_and(|source| source.is_stale(model.now.mono));
        [
            row.id.bot.to_string(),
            row.name.clone(),
            row.venue.clone(),
            row.symbol.clone(),
            row.side.to_owned(),
            row.kind.clone(),
            row.quantity.clone(),
            row.filled.clone(),
            row.price.clone(),
            or_dash(row.placed_at, |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            format!("{}{}", if stale { "was " } else { "" }, row.state),
        ]
    };
    let headings = ["BOT", "ORDER", "VENUE", "SYM", "SIDE", "TYPE", "QTY", "FILLED", "PRICE", "PLACED", "ST"];
    table(headings, rows.iter().map(cells).collect())
}

fn clusters(model: &Model, whole: bool) -> Vec<String> {
    let book = &model.clusters;
    if whole {
        let (width, count) = (WIDE, cluster_page::count(model, WIDE));
        let lines = cluster_page::lines(model, width, 0, count);
        let text = |parts: cluster_page::Parts| parts.into_iter().map(|(part, _)| part).collect::<String>();
        return if book.is_empty() { Vec::new() } else { lines.into_iter().map(|(parts, _, _)| text(parts)).collect() };
    }
    let ids: Vec<RowId> = if book.marked.is_empty() {
        book.cursor.iter().cloned().collect()
    } else {
        book.marked.iter().cloned().collect()
    };
    let row = |id: &RowId| {
        let cluster = book.cluster(&id.cluster)?;
        Some(book.row(id).map_or_else(|| cluster_row(model, cluster), |row| chunk_row(&id.cluster, row)))
    };
    table(["CLUSTER", "CHUNK", "WORKER", "CLAIMED", "ST", "NOTE"], ids.iter().filter_map(row).collect())
}

fn cluster_row(model: &Model, cluster: &Cluster) -> [String; 6] {
    let state = theme::cluster(cluster.state(model.now.mono)).word.to_owned();
    let dash = || "-".to_owned();
    [cluster.name().to_string(), dash(), dash(), dash(), state, cluster.note()]
}

fn chunk_row(cluster: &BotName, row: &ChunkRow) -> [String; 6] {
    [
        cluster.to_string(),
        row.id.clone(),
        row.worker.clone(),
        or_dash(row.started_at, |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        row.word().to_owned(),
        row.why.clone(),
    ]
}

fn stops(model: &Model) -> Vec<String> {
    let part = |(part, tint): (String, Tint)| match tint {
        Tint::Standing(standing) => format!("[{}]", theme::standing(standing).1),
        Tint::Plain | Tint::Strong | Tint::Faint | Tint::Good | Tint::Warning | Tint::Bad => part,
    };
    let subject = stop_page::subject(&model.stops);
    let lines = stop_page::lines(model, WIDE).into_iter().map(|line| line.into_iter().map(part).collect());
    std::iter::once(subject).chain(lines).collect()
}

/// The row under the cursor, or all that are held. There may be a million: what is left out is told.
fn history(model: &Model, whole: bool) -> Vec<String> {
    let book = &model.history;
    if !whole {
        return book.chosen().map(|entry| row(model, entry, WIDE).0).into_iter().collect();
    }
    let (rows, all) = book.held();
    let mut lines: Vec<String> = rows.iter().map(|entry| row(model, entry, WIDE).0).collect();
    let held = rows.len() as u64;
    if held < all {
        lines.push(format!("({} of {}; `botwarden events -n {all}` has every event)", grouped(held), grouped(all)));
    }
    lines
}

/// The lines of diagnostics: all that are kept, or those that are shown.
fn diagnostics(model: &Model, whole: bool) -> Vec<String> {
    let all = model.diagnosed.len();
    let rows = super::layout::log_page(model);
    let end = if whole { all } else { all.saturating_sub(model.diagnostics_up.min(DIAGNOSED)) };
    let from = if whole { 0 } else { end.saturating_sub(rows) };
    let line = |(at, level, text): &(jiff::Timestamp, log::Level, String)| {
        format!("{} {level:5} {}", at.strftime("%Y-%m-%dT%H:%M:%SZ"), text::harmless(text))
    };
    model.diagnosed.iter().skip(from).take(end - from).map(line).collect()
}
