//! ```text
//! +- stop momentum? --------------------------------------------- LIVE -+
//! |  momentum  LIVE  RUNNING  pid 48213  open orders: unknown           |
//! |                                                                     |
//! |  It is asked to stop, by its ladder of signals.                     |
//! |                                                                     |
//! |  y stops it     N, Enter, Esc: no                                   |
//! +---------------------------------------------------------------------+
//! ```

use std::fmt::Write;

use ratatui::Frame;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use crate::tui::cluster_deed::ClusterWish;
use crate::tui::cluster_wish;
use crate::tui::deed::{self, Deed, Guard, Target};
use crate::tui::layout::inspect_area;
use crate::tui::model::{About, Dialog, Model};
use crate::tui::{scope, text, theme};

use super::parts::{cut, middle};

pub(super) fn draw(model: &Model, dialog: &Dialog, frame: &mut Frame<'_>) {
    // The line above and the footer say how the emergency stop stands, and what Enter means.
    let screen = inspect_area(frame.area());
    let width = screen.width.min(76);
    let room = width.saturating_sub(4);
    let mut sentences: Vec<String> = Vec::new();
    let (title, live) = match &dialog.about {
        About::Deed(deed, targets) => {
            let title = match deed {
                Deed::Cancel => {
                    sentences = scope::sentences(targets);
                    scope::title(targets)
                }
                Deed::Start | Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Adopt | Deed::Requeue => {
                    format!(" {} {}? ", deed.verb(), deed::named(targets))
                }
            };
            sentences.push(deed.story().to_owned());
            (title, targets.iter().any(Target::is_live))
        }
        About::Clusters(wish) => {
            sentences.extend(wish.story.iter().cloned());
            (format!(" {}? ", wish.what()), wish.bots.iter().any(Target::is_live))
        }
        About::FireAgain => {
            let story = "The emergency stop is fired again under its latch: what lives is ended, what is open is canceled, and \
                         everything is verified again.";
            sentences.push(story.to_owned());
            (" cancel what is left, and verify again? ".to_owned(), false)
        }
        About::Leaving(note) => {
            sentences.push(note.clone());
            (" leave? ".to_owned(), false)
        }
    };
    let mut told: Vec<Line<'static>> =
        sentences.iter().flat_map(|sentence| text::fold(sentence, usize::from(room))).map(Line::raw).collect();
    // Where there is little room, blanks are the first to go.
    let inside = usize::from(screen.height).saturating_sub(2);
    let tight = told.len() + 6 > inside;
    if !tight {
        told.push(Line::default());
    }
    told.push(match &dialog.guard {
        Guard::YesNo => Line::from(vec![
            Span::styled("y", theme::strong()),
            Span::raw(" yes    "),
            Span::styled("N", theme::strong()),
            Span::raw(" no (Enter and Esc mean no)"),
        ]),
        Guard::Type(word) => Line::from(vec![
            Span::raw(format!("Type {word} and Enter: ")),
            Span::styled(dialog.typed.clone(), theme::strong()),
            Span::raw(model.signs().caret),
        ]),
    });
    // A long list gives way to what must be known, and to what must be answered.
    let most = inside.saturating_sub(usize::from(!tight) + told.len()).max(1);
    let mut lines = match &dialog.about {
        About::Deed(deed, targets) => list(model, *deed, targets, room, most),
        About::Clusters(wish) => of_clusters(model, wish, room, most),
        About::Leaving(_) | About::FireAgain => Vec::new(),
    };
    if !lines.is_empty() && !tight {
        lines.push(Line::default());
    }
    lines.extend(told);
    // What must be answered is never out of sight.
    if lines.len() > inside
        && let Some(answer) = lines.pop()
    {
        lines.truncate(inside.saturating_sub(1));
        lines.push(answer);
    }
    let area = middle(screen, width, (lines.len() + 2) as u16);
    let mut block = Block::bordered()
        .padding(Padding::horizontal(1))
        .border_set(model.signs().border)
        .title_top(Line::styled(title, theme::strong()));
    if live {
        block = block.title_top(Line::styled(" LIVE ", theme::bad()).right_aligned());
    }
    frame.render_widget(Clear, area);
    frame.render_widget(Paragraph::new(Text::from(lines)).block(block), area);
}

/// As many of the bots or chunks as there is room for, and why yes will be refused.
fn of_clusters(model: &Model, wish: &ClusterWish, room: u16, most: usize) -> Vec<Line<'static>> {
    let changed = cluster_wish::changed(model, wish).map(|what| format!("{what}: yes will be refused"));
    let changed: Vec<String> = changed.iter().flat_map(|what| text::fold(what, usize::from(room))).collect();
    let most = most.saturating_sub(changed.len() + 1).max(1);
    let shown = if wish.named.len() > most { most.saturating_sub(1) } else { wish.named.len() };
    let mut lines: Vec<Line<'static>> =
        wish.named.iter().take(shown).map(|line| Line::raw(cut(model, line, room))).collect();
    if wish.named.len() > shown {
        lines.push(Line::raw(format!("and {} more", wish.named.len() - shown)));
    }
    lines.extend(changed.into_iter().map(|row| Line::styled(row, theme::bad())));
    lines
}

/// As many of the bots as there is room for, what the others are, and what all of them have open.
fn list(model: &Model, deed: Deed, targets: &[Target], room: u16, most: usize) -> Vec<Line<'static>> {
    // Those with real money are named before anything is cut off.
    let (live, others): (Vec<&Target>, Vec<&Target>) = targets.iter().partition(|target| target.is_live());
    let ordered = [live, others].concat();
    // Where orders were chosen one by one, the title counts those.
    let counted = deed.is_watched() && targets.len() > 1 && targets.iter().all(|target| target.picked().is_none());
    let total = counted.then(|| Line::raw(total(targets)));
    let most = most.saturating_sub(usize::from(total.is_some())).max(1);
    // Bots are named before their orders and strays are, and of those as many as there is room for.
    let changed: Vec<Option<String>> = ordered.iter().map(|target| changed(model, deed, target)).collect();
    let blocks = |listed: usize| -> Vec<Vec<Line<'static>>> {
        let each = ordered.iter().zip(&changed);
        each.map(|(target, changed)| block(model, target, changed.as_ref(), room, listed)).collect()
    };
    let height = |blocks: &[Vec<Line<'static>>]| blocks.iter().map(Vec::len).sum::<usize>();
    let fitting = (1..=most).rev().map(blocks).find(|blocks| height(blocks) <= most);
    // Orders that were chosen are counted in the title: where every bot can be named without them, those give way.
    let picked = targets.iter().all(|target| target.picked().is_some()) && changed.iter().all(Option::is_none);
    let blocks = fitting.unwrap_or_else(|| {
        let mut blocks = blocks(0);
        if picked && blocks.len() <= most {
            for block in &mut blocks {
                block.truncate(1);
            }
        }
        blocks
    });
    let all = height(&blocks);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut named = 0;
    for block in blocks {
        // The last line says how many there is no room for.
        if all > most && named > 0 && lines.len() + block.len() >= most {
            break;
        }
        named += 1;
        lines.extend(block);
    }
    let rest = ordered.get(named..).unwrap_or_default();
    let live = rest.iter().filter(|target| target.is_live()).count();
    if lines.len() + usize::from(!rest.is_empty()) > most {
        let left = (lines.len() + 1).saturating_sub(most);
        lines.truncate(most - 1);
        let bots =
            if rest.is_empty() { String::new() } else { format!(", and {} bots, {live} of them live", rest.len()) };
        lines.push(Line::raw(format!("and {left} lines more{bots}")));
    } else if !rest.is_empty() {
        lines.push(Line::raw(format!("and {} more, {live} of them live", rest.len())));
    }
    lines.extend(total);
    lines
}

/// What all of them have open, named or not.
fn total(targets: &[Target]) -> String {
    let unknown = targets.iter().filter(|target| target.orders.is_none()).count();
    if unknown == targets.len() {
        return format!("all {unknown}: open orders unknown");
    }
    let open: u64 = targets.iter().filter_map(|target| target.orders).sum();
    let protective: u64 = targets.iter().map(|target| target.protective).sum();
    let mut text = format!("all {}: {open} open order{}", targets.len(), if open == 1 { "" } else { "s" });
    if protective > 0 {
        _ = write!(text, " ({protective} protective)");
    }
    if unknown > 0 {
        _ = write!(text, ", unknown of {unknown}");
    }
    text
}

/// Why yes will be refused as things are now.
fn changed(model: &Model, deed: Deed, target: &Target) -> Option<String> {
    let changed = target.changed(deed, model.target(deed, &target.name).as_ref());
    changed.or_else(|| scope::grown(model, target))
}

/// The lines of one bot, with so many of its orders and strays at most.
fn block(model: &Model, target: &Target, changed: Option<&String>, room: u16, listed: usize) -> Vec<Line<'static>> {
    let style = if target.is_live() { theme::strong() } else { ratatui::style::Style::new() };
    let mut lines = vec![Line::styled(cut(model, &target.line(), room), style)];
    lines.extend(scope::orders(target, listed).into_iter().map(|line| Line::styled(cut(model, &line, room), style)));
    lines.extend(target.strays.iter().take(listed).map(|stray| {
        let line = format!("  {}", deed::stray_line(stray));
        Line::styled(cut(model, &line, room), style)
    }));
    if target.strays.len() > listed {
        lines.push(Line::raw(format!("  and {} strays more", target.strays.len() - listed)));
    }
    if let Some(what) = changed {
        lines.push(Line::styled(format!("  it {what}: yes will be refused"), theme::bad()));
    }
    lines
}
