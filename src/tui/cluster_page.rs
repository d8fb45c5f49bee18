//! The pane of clusters, as lines: of each what it is, how far it has come, what is wrong, and its chunks by worker. One
//! below another, with a cursor that is on clusters and on chunks.

use std::time::Duration;

use ratatui::style::Style;

use crate::core::cluster_status::{ClusterState, ClusterStatus, Hold};

use super::cluster_deed::NONE;
use super::clusters::{ChunkRow, Cluster, RowId};
use super::layout;
use super::model::{Model, Pane};
use super::text;
use super::theme::{self, Look};

/// A line, in parts.
pub type Parts = Vec<(String, Style)>;

/// Rows that a sentence may take.
const ROWS: usize = 4;

/// The widest that a bar gets.
const LONGEST_BAR: usize = 80;

const PLAIN: Style = Style::new();

fn sign(model: &Model, look: Look) -> &'static str {
    if model.fixed.ascii { look.sign } else { look.glyph }
}

/// How far it is, rounded down: all is done when all is done.
pub fn percent(done: u64, of: u64) -> Option<u64> {
    (of > 0).then(|| (u128::from(done.min(of)) * 100 / u128::from(of)) as u64)
}

/// Its sign, for a narrow place: `> 79%`.
pub fn tab(model: &Model) -> Option<String> {
    let (_, state) = model.clusters.worst(model.now.mono)?;
    let sign = sign(model, theme::cluster(state));
    let known = model.clusters.all().iter().filter(|cluster| cluster.state(model.now.mono) != ClusterState::Unknown);
    let (done, all, count) = known.fold((0, 0, 0), |(done, all, count), cluster| {
        let status = &cluster.status;
        (done + status.completed.unwrap_or(0), all + status.total.unwrap_or(0), count + 1)
    });
    // A figure of some of them is not one of all.
    let percent = percent(done, all).filter(|_| count == model.clusters.all().len());
    Some(percent.map_or_else(|| sign.to_owned(), |percent| format!("{sign} {percent}%")))
}

/// All clusters in a line: the one that matters most, and how many others there are.
pub fn summary(model: &Model) -> Parts {
    let now = model.now.mono;
    let Some((cluster, state)) = model.clusters.worst(now) else { return Parts::new() };
    let look = theme::cluster(state);
    let status = &cluster.status;
    let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let mut parts = vec![
        (" cluster ".to_owned(), PLAIN),
        (text::cut(cluster.name().as_str(), 24, model.signs().more), theme::strong()),
        ("  ".to_owned(), PLAIN),
        (format!("{} {}", sign(model, look), look.word), look.style),
    ];
    if state == ClusterState::Unknown {
        parts.push((format!(" {}", cluster.why_unknown(now).unwrap_or_default()), PLAIN));
    } else {
        parts.push((format!(" {}/{}", count(status.completed), count(status.total)), PLAIN));
        parts.push((format!("  {} run {} pend", count(status.running), count(status.pending)), PLAIN));
        if let Some(failed) = status.failed.filter(|failed| *failed > 0) {
            parts.push((format!(" {failed} fail"), PLAIN));
        }
        if let Some(stale) = status.stale.filter(|stale| *stale > 0) {
            parts.push((format!("  {stale} STALE"), theme::cluster(ClusterState::Stale).style));
        }
    }
    if model.clusters.all().len() > 1 {
        parts.push((format!("  1 of {}", model.clusters.all().len()), theme::faint()));
    }
    parts
}

/// The lines of a cluster above its chunks, without what stands before each for the cursor.
fn head(model: &Model, cluster: &Cluster, width: usize) -> Vec<Parts> {
    let now = model.now.mono;
    let state = cluster.state(now);
    let mut lines = vec![title(model, cluster, state, width)];
    let sentence = |lines: &mut Vec<Parts>, text: &str, style: Style| {
        let rows = text::fold(text, width);
        let left = rows.len().saturating_sub(ROWS);
        for (nth, row) in rows.into_iter().take(ROWS).enumerate() {
            let more = if left > 0 && nth + 1 == ROWS { model.signs().more } else { "" };
            lines.push(vec![(text::cut(&format!("{row}{more}"), width, model.signs().more), style)]);
        }
    };
    let old = state == ClusterState::Unknown;
    if old {
        sentence(&mut lines, &cluster.why_unknown(now).unwrap_or_default(), theme::bad());
        if cluster.census().is_none() {
            return lines;
        }
        let age = cluster.age(now).map_or_else(|| "before".to_owned(), |age| format!("{} ago", text::age(age)));
        let was = theme::cluster(cluster.status.state);
        let said = format!("last seen {age}: {} {}, and it was:", sign(model, was), was.word);
        sentence(&mut lines, &said, theme::warning());
    }
    let style = |style: Style| if old { theme::faint() } else { style };
    let status = &cluster.status;
    lines.push(progress(status, &style));
    if let (Some(total @ 1..), Some(done)) = (status.total, status.completed) {
        lines.push(bar(model, width, (done, status.running.unwrap_or(0), total), &style));
    }
    lines.extend(queue(status, width, &style));
    lines.extend(combinations(status, &style));
    let note = cluster.note();
    if !note.is_empty() {
        sentence(&mut lines, &note, style(if state == ClusterState::Stale { theme::warning() } else { PLAIN }));
    }
    if let Some(cost) = cost(cluster) {
        sentence(&mut lines, &cost, theme::faint());
    }
    if !cluster.rows.is_empty() {
        let (worker, chunk) = columns(cluster, width);
        let heading =
            format!("{} {} AGE   HOLD         WHY", text::fit("WORKER", worker, ""), text::fit("CHUNK", chunk, ""));
        lines.push(vec![(text::cut(&heading, width, ""), theme::faint())]);
    }
    lines
}

fn title(model: &Model, cluster: &Cluster, state: ClusterState, width: usize) -> Parts {
    let look = theme::cluster(state);
    let status = &cluster.status;
    let word = format!("{} {}", sign(model, look), look.word);
    let (alive, all) = (status.workers_alive, status.workers);
    let coordinator = match (&cluster.spec.coordinator, status.coordinator_alive) {
        (None, _) => "",
        (Some(_), Some(true)) => "coordinator alive",
        (Some(_), Some(false)) => "coordinator GONE",
        (Some(_), None) => "coordinator ?",
    };
    let forms = if all == 0 {
        [format!("no workers  {coordinator}"), coordinator.replace("ordinator", "."), String::new()]
    } else {
        [
            format!("workers {alive}/{all} alive  {coordinator}"),
            format!("w {alive}/{all}  {}", coordinator.replace("ordinator", ".")),
            format!("{alive}/{all}"),
        ]
    };
    let name = cluster.name().as_str();
    let room = width.saturating_sub(text::width(&word) + 4);
    let form = forms.iter().find(|form| text::width(form.trim_end()) + text::width(name).min(16) <= room);
    let people = form.map_or("", |form| form.trim_end());
    let name = text::cut(name, room.saturating_sub(text::width(people)), model.signs().more);
    let missing = status.coordinator_alive == Some(false) || alive < all;
    let tint = if missing && state == ClusterState::Stale { theme::warning() } else { PLAIN };
    vec![(word, look.style), (format!("  {name}"), theme::strong()), (format!("  {people}"), tint)]
}

fn progress(status: &ClusterStatus, style: &impl Fn(Style) -> Style) -> Parts {
    let (Some(done), Some(all)) = (status.completed, status.total) else { return Parts::new() };
    let percent = percent(done, all).map(|percent| format!("   {percent}%")).unwrap_or_default();
    let mut parts = vec![(format!("done {done} / {all}{percent}"), style(PLAIN))];
    if let Some(stale) = status.stale.filter(|stale| *stale > 0) {
        parts.push((format!("   stale {stale}"), style(theme::cluster(ClusterState::Stale).style)));
    }
    if let Some(unverified) = status.unverified.filter(|count| *count > 0) {
        parts.push((format!("   unverified {unverified}"), style(theme::warning())));
    }
    parts
}

/// What is done, what is being worked on, what is left. Nothing that there is has no cell, and it is full when all is done.
fn bar(model: &Model, width: usize, (done, running, total): (u64, u64, u64), style: &impl Fn(Style) -> Style) -> Parts {
    let cells = width.min(LONGEST_BAR) as u64;
    let share = |count: u64| (u128::from(count.min(total)) * u128::from(cells) / u128::from(total)) as u64;
    let done_cells = share(done).min(cells);
    let least = u64::from(running > 0 && done < total);
    let busy = share(running).max(least).min(cells - done_cells);
    let [full, half, empty] = model.signs().bar;
    let row = |sign: &str, count: u64| sign.repeat(count as usize);
    vec![
        (row(full, done_cells), style(theme::good())),
        (row(half, busy), style(theme::warning())),
        (row(empty, cells - done_cells - busy), theme::faint()),
    ]
}

fn queue(status: &ClusterStatus, width: usize, style: &impl Fn(Style) -> Style) -> Vec<Parts> {
    let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    let mut parts: Vec<String> = vec![
        format!("run {}", count(status.running)),
        format!("pend {}", count(status.pending)),
        format!("fail {}", count(status.failed)),
    ];
    parts.extend(status.other.filter(|other| *other > 0).map(|other| format!("other {other}")));
    // Where nobody is at it a rate says what was, and no time is left.
    let left = status.running.unwrap_or(0) + status.pending.unwrap_or(0);
    let busy = left > 0 && (status.workers_alive > 0 || status.running > status.stale);
    if let Some(rate) = status.per_minute.filter(|_| busy) {
        parts.push(if rate < 10.0 { format!("{rate:.1}/min") } else { format!("{rate:.0}/min") });
    }
    parts.extend(status.eta_s.filter(|_| busy).map(|left| format!("ETA {}", text::age(Duration::from_secs(left)))));
    let wide = parts.join("   ");
    let line = if text::width(&wide) <= width { wide } else { parts.join(" ") };
    vec![vec![(line, style(PLAIN))]]
}

fn combinations(status: &ClusterStatus, style: &impl Fn(Style) -> Style) -> Option<Parts> {
    let seen = status.combinations;
    let words = match (seen.tested, seen.total) {
        (None, None) => return None,
        (Some(tested), Some(total)) => {
            let percent = percent(tested, total).map(|percent| format!("   {percent}%")).unwrap_or_default();
            format!("combinations {tested} / {total}{percent}")
        }
        (Some(tested), None) => format!("combinations {tested} tested"),
        (None, Some(total)) => format!("combinations {total} in all"),
    };
    Some(vec![(words, style(PLAIN))])
}

/// What a reading costs, where it is read less often because of that.
fn cost(cluster: &Cluster) -> Option<String> {
    let census = cluster.census()?;
    let every = cluster.every.as_secs();
    if every <= 1 {
        return None;
    }
    let takes = format!("a reading takes {} ms, every {every} s", census.cost.as_millis());
    Some(if census.indexed { takes } else { format!("no index on {}: {takes}", cluster.spec.columns.status) })
}

/// Columns of the worker and of the chunk.
fn columns(cluster: &Cluster, width: usize) -> (usize, usize) {
    let (worker, chunk) = cluster.widths;
    // In a small pane too, instances of one worker are told apart by their last letter.
    let most = (width / 4).clamp((width / 3).clamp(6, 14), 24);
    (worker.clamp(6, most), chunk.clamp(5, (width / 5).clamp(5, 20)))
}

fn chunk(model: &Model, cluster: &Cluster, row: &ChunkRow, width: usize) -> Parts {
    let more = model.signs().more;
    let (worker, id) = columns(cluster, width);
    let old = cluster.state(model.now.mono) == ClusterState::Unknown;
    let age = |at: jiff::Timestamp| Duration::try_from(model.now.wall.duration_since(at)).unwrap_or_default();
    let age = row.started_at.map_or_else(|| "-".to_owned(), |at| text::age(age(at)));
    let stale = theme::cluster(ClusterState::Stale);
    let sign = if row.stale { sign(model, stale) } else { " " };
    let was = if old { "was " } else { "" };
    let style = match (old, row.stale, row.hold) {
        (true, _, _) => theme::faint(),
        (false, true, _) => stale.style,
        (false, false, None) => theme::bad(),
        (false, false, Some(Hold::Unverified)) => theme::warning(),
        (false, false, Some(Hold::Held | Hold::Overdue | Hold::Stale)) => PLAIN,
    };
    let faint = if old { theme::faint() } else { PLAIN };
    let cells =
        format!("{} {} {}", text::fit(&row.worker, worker, more), text::fit(&row.id, id, more), text::fit(&age, 5, ""));
    let hold = format!(" {sign} {}", text::fit(&format!("{was}{}", row.word()), 10, more));
    let room = width.saturating_sub(text::width(&cells) + text::width(&hold) + 1);
    // Less than a few letters say nothing.
    let why = if room < 6 { String::new() } else { format!(" {}", text::cut(beside(row.hold, &row.why), room, more)) };
    vec![(cells, faint), (hold, style), (why, faint)]
}

/// What a phrase says beside the word that it begins with.
fn beside(hold: Option<Hold>, phrase: &str) -> &str {
    let rest = hold.and_then(|hold| phrase.strip_prefix(hold.word()));
    rest.map_or(phrase, |rest| rest.trim_start_matches([':', ' ']))
}

/// How many lines stand above a cluster's chunks.
fn height(model: &Model, cluster: &Cluster, width: usize) -> usize {
    head(model, cluster, width).len()
}

/// The lines of the pane, of so many columns: so many of them from that one on, each with whether the cursor is on it and
/// whether it is marked.
pub fn lines(model: &Model, width: usize, top: usize, rows: usize) -> Vec<(Parts, bool, bool)> {
    let book = &model.clusters;
    if book.is_empty() {
        return text::fold(NONE, width).into_iter().map(|row| (vec![(row, PLAIN)], false, false)).collect();
    }
    let mut lines = Vec::new();
    let mut passed = 0;
    for (nth, cluster) in book.all().iter().enumerate() {
        let chosen = book.cursor.as_ref().filter(|id| id.cluster == *cluster.name());
        let mut above: Vec<(Parts, bool, bool)> =
            head(model, cluster, width).into_iter().map(|parts| (parts, false, false)).collect();
        if let Some((_, is_chosen, _)) = above.first_mut() {
            *is_chosen = chosen.is_some_and(|id| id.chunk.is_none());
        }
        if nth > 0 {
            above.insert(0, (Parts::new(), false, false));
        }
        let height = above.len();
        lines.extend(above.into_iter().skip(top.saturating_sub(passed)));
        passed += height;
        let hidden = top.saturating_sub(passed).min(cluster.rows.len());
        lines.extend(cluster.rows.iter().skip(hidden).take(rows.saturating_sub(lines.len())).map(|row| {
            let is_chosen = chosen.is_some_and(|id| id.chunk.as_ref() == Some(&row.key));
            let id = RowId { cluster: cluster.name().clone(), chunk: Some(row.key.clone()) };
            (chunk(model, cluster, row, width), is_chosen, book.marked.contains(&id))
        }));
        passed += cluster.rows.len();
        if lines.len() >= rows {
            break;
        }
    }
    lines.truncate(rows);
    lines
}

/// What the cursor can be on in this line of all, of so many columns.
pub fn at_line(model: &Model, width: usize, wanted: usize) -> Option<RowId> {
    let mut line = 0;
    for (nth, cluster) in model.clusters.all().iter().enumerate() {
        line += usize::from(nth > 0);
        let heads = height(model, cluster, width);
        if (line..line + heads).contains(&wanted) {
            return Some(RowId { cluster: cluster.name().clone(), chunk: None });
        }
        line += heads;
        if let Some(row) = wanted.checked_sub(line).and_then(|at| cluster.rows.get(at)) {
            return Some(RowId { cluster: cluster.name().clone(), chunk: Some(row.key.clone()) });
        }
        line += cluster.rows.len();
    }
    None
}

/// All lines there are.
pub fn count(model: &Model, width: usize) -> usize {
    let book = &model.clusters;
    let air = book.all().len().saturating_sub(1);
    book.all().iter().map(|cluster| height(model, cluster, width) + cluster.rows.len()).sum::<usize>() + air
}

/// Columns before every line: for marks and the cursor.
pub const MARGIN: usize = 2;

/// Keeps the cursor on something, and in view.
pub(super) fn settle(model: &mut Model) {
    model.clusters.settle();
    let (width, rows) = layout::cluster_page(model);
    let (width, rows) = (width.saturating_sub(MARGIN), rows.max(1));
    let Some(cursor) = model.clusters.cursor.clone() else {
        model.clusters.top = 0;
        return;
    };
    let mut line = 0;
    let mut tall = 1;
    for (nth, cluster) in model.clusters.all().iter().enumerate() {
        line += usize::from(nth > 0);
        let heads = height(model, cluster, width);
        if *cluster.name() == cursor.cluster {
            match cursor.chunk.as_ref().and_then(|key| cluster.rows.iter().position(|row| row.key == *key)) {
                Some(at) => line += heads + at,
                // With all that is said of it, if there is room.
                None => tall = heads.min(rows),
            }
            break;
        }
        line += heads + cluster.rows.len();
    }
    let most = count(model, width).saturating_sub(rows);
    let top = model.clusters.top.min(line).max((line + tall).saturating_sub(rows));
    // Where nobody is at it, what is said of the first stays in sight.
    let top = if model.pane == Pane::Cluster { top } else { top.min(line) };
    model.clusters.top = top.min(most);
}
