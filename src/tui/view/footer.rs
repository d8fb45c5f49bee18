//! ```text
//!  s start  x stop  r restart  X kill  c cancel  Spc mark  / find  f follow  ? help  q leave (bots keep running)
//!  14:31:40 restart mm-eth: restarted (3.2 s)                                                 doing: stop momentum
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::tui::cluster_deed::of_clusters;
use crate::tui::emergency_keys::types_text;
use crate::tui::firing::not_again;
use crate::tui::keys::{Action, Binding, Group, Place, TABLE};
use crate::tui::model::{Focus, Model, Pane, Prompt, Purpose, Tone};
use crate::tui::{text, theme, whom};

use super::parts::{cut, spread};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let told = |text: &'static str| Line::styled(text, theme::faint());
    let line = match &model.focus {
        Focus::Panes if model.emergency.shown => page_keys(model),
        Focus::Panes => keys(model, area.width),
        Focus::Typing(prompt) => typed(model, prompt, area.width),
        Focus::Asking(_) => told(" Enter and Esc mean No; pasted text is ignored"),
        Focus::Help(_) => told(" Esc closes help"),
        Focus::Choosing(_) => told(" Up Down choose, Enter does it, Esc closes"),
        Focus::Reading(_) | Focus::Inspecting(_) => told(" j k PgUp PgDn g G scroll; Esc, i or q closes"),
        Focus::Resetting(_) => told(" Enter goes on, Esc means No; pasted text is ignored"),
    };
    let lines = vec![and_the_emergency_stop(model, line, area.width), last(model, area.width)];
    frame.render_widget(Text::from(lines), area);
}

/// The last cell is always the emergency stop, with the key that works here; whatever else there is gives way.
fn and_the_emergency_stop(model: &Model, line: Line<'static>, width: u16) -> Line<'static> {
    let bang = TABLE.iter().find(|row| row.action == Action::Emergency && row.place == Place::Panes);
    let always = TABLE.iter().find(|row| row.action == Action::Emergency && row.place == Place::Always);
    let (row, word) = (if types_text(model) { always } else { bang }, bang.map_or("", |row| row.short));
    let cell = format!(" {} {word} ", row.map(Binding::label).unwrap_or_default());
    let room = usize::from(width).saturating_sub(text::width(&cell));
    let style = line.style;
    let mut left = Line::default();
    for span in line.spans {
        let part = whole_words(&span.content, room.saturating_sub(left.width()), model.signs().more);
        left.push_span(Span::styled(part, style.patch(span.style)));
    }
    let gap = room.saturating_sub(left.width());
    left.push_span(Span::raw(" ".repeat(gap)));
    left.push_span(Span::styled(cell, theme::bad()));
    left
}

/// As many words as fit; half a word may be another one.
fn whole_words(words: &str, columns: usize, more: &str) -> String {
    let cut = text::cut(words, columns, more);
    if cut.len() >= words.len() || !words.trim_end().contains(' ') {
        return cut;
    }
    let kept = cut.strip_suffix(more).unwrap_or(&cut);
    let ends = words[kept.len()..].starts_with(' ');
    let kept = if ends { kept } else { kept.rfind(' ').map_or("", |at| &kept[..=at]) };
    format!("{}{more}", kept.trim_end())
}

/// The keys of the page of the emergency stop.
fn page_keys(model: &Model) -> Line<'static> {
    let over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
    let mut line = Line::default();
    let holds = |row: &Binding| {
        let of_result = matches!(row.action, Action::CancelAgain | Action::CopyReport);
        let of_progress = matches!(row.action, Action::NextPart | Action::KillAll);
        let forbidden = (row.action == Action::KillAll && model.fixed.read_only)
            || (row.action == Action::CancelAgain && not_again(model).is_some());
        row.place == Place::Emergency && !forbidden && if over { !of_progress } else { !of_result }
    };
    for row in TABLE.iter().filter(|row| holds(row)) {
        // One key is enough to be told of.
        let key = row.keys.first().map(|key| key.label()).unwrap_or_default();
        line.push_span(Span::styled(format!(" {key} "), theme::strong()));
        line.push_span(Span::raw(format!("{} ", row.short)));
    }
    line
}

fn keys(model: &Model, width: u16) -> Line<'static> {
    let wide = width >= 100;
    // The last cell is the emergency stop's.
    let width = width.saturating_sub(10);
    let mut ends = Vec::new();
    let mut firsts = Vec::new();
    let nobody = whom::hits_nobody(model);
    for row in TABLE.iter().filter(|row| !row.short.is_empty() && !row.group.is_of_emergency()) {
        // Where there is little room, finding is worth more than killing, which the help tells too.
        let spared = !wide && row.action == Action::Kill;
        if spared
            || means_nothing(row.action, model.pane)
            || (nobody && (row.group == Group::Act || row.action == Action::Inspect))
            || !row.place.holds(model.pane)
            || (model.fixed.read_only && row.group == Group::Act)
        {
            continue;
        }
        let key = row.keys.first().map(|key| key.label()).unwrap_or_default();
        let harmless = row.action == Action::Leave && model.fixed.leave_note.is_none();
        let word = match (harmless, wide) {
            (true, true) => "leave (bots keep running)",
            (true, false) => "leave (bots run)",
            (false, _) => row.short,
        };
        // There the bot is not under the eyes of whoever presses it.
        let word = match whom::named(model).filter(|_| row.action == Action::Stop) {
            Some(whom) => format!("{word} {}", text::cut_middle(&whom, 16, model.signs().more)),
            None => match whom::cluster(model).filter(|_| model.pane == Pane::Cluster) {
                Some((cluster, _)) if row.action == Action::Stop => {
                    let columns = if wide { 16 } else { 10 };
                    format!("{word} {}", text::cut(cluster.name().as_str(), columns, model.signs().more))
                }
                Some(_) | None => word.to_owned(),
            },
        };
        let gap = if wide { "  " } else { " " };
        let key = key.replace("Space", "Spc");
        let item = vec![Span::styled(format!(" {key} "), theme::strong()), Span::raw(format!("{word}{}", &gap[1..]))];
        // Whoever is lost needs these two.
        if matches!(row.action, Action::Help | Action::Leave) {
            ends.push(item);
        } else {
            // Whom it hits is never left out for another key.
            let kept = if row.action == Action::Stop { Line::from(item.clone()).width() } else { 0 };
            firsts.push((item, kept));
        }
    }
    let ends: Vec<Span<'static>> = ends.into_iter().flatten().collect();
    let room = usize::from(width).saturating_sub(Line::from(ends.clone()).width());
    let mut line = Line::default();
    let mut kept: usize = firsts.iter().map(|(_, kept)| kept).sum();
    for (item, its) in firsts {
        kept -= its;
        if line.width() + Line::from(item.clone()).width() + kept <= room {
            line.extend(item);
        }
    }
    line.extend(ends);
    line
}

/// Whether a key that is valid in every pane has nothing to do in this one.
const fn means_nothing(action: Action, pane: Pane) -> bool {
    match pane {
        Pane::Bots | Pane::Orders | Pane::Logs => false,
        // These are about bots, and there none is chosen.
        Pane::Cluster => {
            matches!(action, Action::Restart | Action::Kill | Action::Cancel | Action::Find | Action::Follow)
        }
        // No log is seen beside these.
        Pane::Diagnostics | Pane::Stops => matches!(action, Action::Find | Action::Follow),
        Pane::History => matches!(action, Action::Follow),
    }
}

fn typed(model: &Model, prompt: &Prompt, width: u16) -> Line<'static> {
    let (what, hint) = match (prompt.purpose, prompt.pane) {
        (Purpose::Save, _) => (" save to: ", "Enter saves "),
        (Purpose::Find, pane) => (" /", hint(pane)),
    };
    let width = width.saturating_sub(16);
    let left = vec![Span::styled(format!("{what}{}", prompt.text), theme::strong()), Span::raw(model.signs().caret)];
    spread(left, vec![Span::styled(hint, theme::faint())], width)
}

const fn hint(pane: Pane) -> &'static str {
    match pane {
        Pane::Bots => "name mode: st: group: !not  Enter keeps ",
        Pane::Orders => "bot symbol side: st: mode: prot !not ",
        Pane::History => "bot: kind: by: since:2h text !not ",
        Pane::Cluster | Pane::Logs | Pane::Diagnostics | Pane::Stops => "text or regex  Enter searches ",
    }
}

fn last(model: &Model, width: u16) -> Line<'static> {
    let doing = model.doing.values().next_back().map_or_else(String::new, |doing| {
        let names = match (doing.clusters.as_slice(), doing.names.as_slice()) {
            ([], [only]) => only.to_string(),
            ([], names) => format!("{} bots", names.len()),
            (clusters, _) => of_clusters(clusters),
        };
        format!("  under way: {} {names} ", doing.deed.verb())
    });
    let doing = match &model.confirmed {
        Some(confirmed) => format!("  looking again before: {} ", confirmed.deed.verb()),
        None => match &model.confirmed_cluster {
            Some(confirmed) => format!("  looking again before: {} ", confirmed.wish.what()),
            None => doing,
        },
    };
    let left = model.feedback.as_ref().map_or_else(Vec::new, |feedback| {
        let style = match feedback.tone {
            Tone::Plain => Style::new(),
            Tone::Good => theme::good(),
            Tone::Bad => theme::bad(),
        };
        let room = width.saturating_sub(11 + text::width(&doing) as u16);
        vec![
            Span::styled(feedback.at.strftime(" %H:%M:%S ").to_string(), theme::faint()),
            Span::styled(cut(model, &feedback.text, room), style),
        ]
    });
    spread(left, vec![Span::styled(doing, theme::faint())], width)
}
