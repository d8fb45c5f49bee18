//! ```text
//!  botwarden  trade-box-1     LIVE 3  PAPER 3  DRY 1                                                     14:32:07 UTC
//!  ! mm-eth (LIVE): ORPHANED, no keeper; A adopts, x stops                                                      1 of 2
//!  [1 Bots 8]  2 Orders 6  3 Cluster > 79%  4 Logs  5 Diag  6 Stops  7 Hist                                 marked 1
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::core::bot::Mode;
use crate::tui::emergency::Word;
use crate::tui::layout::{Areas, SMALLEST, Shape};
use crate::tui::model::Model;
use crate::tui::{tabs, text, theme};

use super::parts::{cut, spread};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, areas: &Areas) {
    frame.render_widget(top(model, areas.header.width, areas.shape), areas.header);
    if let Some(area) = areas.alert {
        frame.render_widget(alert(model, area.width), area);
    }
    if let Some(area) = areas.tabs {
        frame.render_widget(tabs(model, area.width), area);
    }
}

/// All that is said on a screen that is too small for more.
pub(super) fn too_small(model: &Model, frame: &mut Frame<'_>) {
    let area = frame.area();
    let Rect { width, height, .. } = area;
    let text = format!("needs {}x{}; q quits (has {width}x{height})", SMALLEST.0, SMALLEST.1);
    let (words, look) = emergency(model, Room::Short);
    // The key works here too.
    let lines = vec![Line::raw(text), Line::styled(format!("! {words}"), look)];
    frame.render_widget(Text::from(lines), area);
}

/// How much is said of the emergency stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Long,
    Short,
}

/// How the emergency stop stands: in words, colour is only an extra hint.
fn emergency(model: &Model, room: Room) -> (String, Style) {
    let (emergency, now) = (&model.emergency, model.now);
    let word = emergency.word(now.mono);
    let what = if emergency.is_drill() { "DRILL" } else { "E-STOP" };
    let (drill, old) = emergency.drill(now.wall);
    let short = format!("{what} {}", word.words());
    match word {
        Word::Ready => {
            let look = if old { theme::warning() } else { theme::good() };
            (if room == Room::Long { format!("{short} ({drill})") } else { short }, look)
        }
        Word::Checking => (short, theme::faint()),
        Word::InProgress if emergency.is_drill() => (short, theme::warning()),
        Word::NotReady | Word::InProgress | Word::Interrupted | Word::Latched => (short, theme::bad()),
    }
}

/// A part of the line above, and how early it gives way: 0 never does.
type Part = (u8, Vec<Span<'static>>);

fn top(model: &Model, width: u16, shape: Shape) -> Line<'static> {
    let wide = shape == Shape::Wide;
    let gap = if wide { "     " } else { "  " };
    let host = |columns: u16| {
        Span::raw(format!("{}{}", if wide { "  " } else { " " }, cut(model, &model.fixed.host, columns)))
    };
    let mut left: Vec<Part> = vec![
        (5, vec![Span::styled(" botwarden", theme::strong())]),
        (0, vec![host(if wide { 40 } else { 20 }), Span::raw(gap)]),
    ];
    for (mode, always) in
        [(Some(Mode::Live), true), (Some(Mode::Paper), true), (Some(Mode::DryRun), true), (None, false)]
    {
        let count = model.count(mode);
        if count > 0 || always {
            let style = if count > 0 { theme::mode_style(mode) } else { theme::faint() };
            let part = vec![
                Span::styled(format!("{} {count}", theme::mode(mode, false)), style),
                Span::raw(if wide { "  " } else { " " }),
            ];
            let weight = match mode {
                Some(Mode::Live) => 0,
                // It may be real money.
                None => 1,
                Some(Mode::Paper) => 2,
                Some(Mode::DryRun) => 3,
            };
            left.push((weight, part));
        }
    }
    let (orders, protective) = model.orders.totals();
    if orders > 0 {
        let unsure = if model.orders.is_unsure(model.now.mono) { "?" } else { "" };
        left.push((4, vec![Span::raw(format!("ORDERS {orders}{unsure} "))]));
        if protective > 0 {
            left.push((6, vec![Span::raw(format!("(prot {protective}) "))]));
        }
    }
    if model.fixed.read_only {
        left.push((0, vec![Span::styled(" READ-ONLY ", theme::chosen()), Span::raw(" ")]));
    }
    let clock = if wide { "%H:%M:%S UTC " } else { "%H:%M:%SZ " };
    let clock = model.now.wall.strftime(clock).to_string();
    let right = |room: Room| {
        let (words, look) = emergency(model, room);
        vec![Span::styled(words, look), Span::raw(if wide { "   " } else { "  " }), Span::raw(clock.clone())]
    };
    let used = |left: &[Part]| left.iter().map(|(_, part)| Line::from(part.clone()).width()).sum::<usize>();
    let wanted = |room: Room| Line::from(right(room)).width() + 1;
    let whole = used(&left) + wanted(Room::Long) <= usize::from(width);
    let room = if whole { Room::Long } else { Room::Short };
    // What matters least gives way to how the emergency stop stands; a long host's name, before any count of bots does.
    for weight in (1..=6).rev() {
        let more = (used(&left) + wanted(room)).saturating_sub(usize::from(width));
        let least = match weight {
            4 => 8,
            1..4 => 4,
            _ => usize::MAX,
        };
        let whole = text::width(&model.fixed.host);
        if more > 0
            && least < whole
            && let Some((_, part)) = left.iter_mut().find(|(weight, _)| *weight == 0)
        {
            let now = Line::from(part.clone()).width();
            let columns = (now.saturating_sub(more + 2)).clamp(least, whole) as u16;
            *part = vec![host(columns), Span::raw(" ")];
        }
        if used(&left) + wanted(room) > usize::from(width) {
            left.retain(|(its, _)| *its != weight);
        }
    }
    let more = (used(&left) + wanted(room)).saturating_sub(usize::from(width));
    if more > 0
        && let Some((_, part)) = left.iter_mut().find(|(weight, _)| *weight == 0)
    {
        let columns = text::width(&model.fixed.host).saturating_sub(more).max(4) as u16;
        *part = vec![host(columns), Span::raw(" ")];
    }
    let free = usize::from(width).saturating_sub(used(&left) + wanted(room) + 2) as u16;
    let mut spans: Vec<Span<'static>> = left.into_iter().flat_map(|(_, part)| part).collect();
    if let Some(note) = model.fixed.title_note.as_ref().filter(|_| free > 8) {
        spans.push(Span::styled(format!(" {}", cut(model, note, free)), theme::warning()));
    }
    spread(spans, right(room), width)
}

fn alert(model: &Model, width: u16) -> Line<'static> {
    let alerts = model.alerts();
    let count = if alerts.len() > 1 { format!("  1 of {} ", alerts.len()) } else { " ".to_owned() };
    let first = alerts.first().map(String::as_str).unwrap_or_default();
    let text = cut(model, first, width.saturating_sub(4 + count.len() as u16));
    spread(vec![Span::styled(format!(" ! {text}"), theme::bad())], vec![Span::raw(count)], width)
}

fn tabs(model: &Model, width: u16) -> Line<'static> {
    let mut left = vec![Span::raw(" ")];
    left.extend(
        tabs::tabs(model, width).into_iter().map(|(pane, label)| {
            if pane == model.pane { Span::styled(label, theme::strong()) } else { Span::raw(label) }
        }),
    );
    spread(left, vec![Span::styled(tabs::marked(model), theme::strong())], width)
}
