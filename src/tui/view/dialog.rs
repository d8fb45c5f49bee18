//! ```text
//! +- stop momentum? --------------------------------------------- LIVE -+
//! |  momentum  LIVE  RUNNING  pid 48213  open orders: unknown           |
//! |                                                                     |
//! |  It is asked to stop, by its ladder of signals.                     |
//! |                                                                     |
//! |  y stops it     N, Enter, Esc: no                                   |
//! +---------------------------------------------------------------------+
//! ```

use ratatui::Frame;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Padding, Paragraph};

use crate::tui::deed::{self, Deed, Guard, Target};
use crate::tui::model::{About, Dialog, Model};
use crate::tui::{scope, text, theme};

use super::parts::{cut, middle};

/// Bots that are listed by name before the rest is counted.
const LISTED: usize = 6;

pub(super) fn draw(model: &Model, dialog: &Dialog, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let width = screen.width.min(76);
    let room = width.saturating_sub(4);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut sentences: Vec<String> = Vec::new();
    let (title, live) = match &dialog.about {
        About::Deed(deed, targets) => {
            list(model, *deed, targets, room, &mut lines);
            let title = match deed {
                Deed::Cancel => {
                    sentences = scope::sentences(targets);
                    scope::title(targets)
                }
                Deed::Start | Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Adopt => {
                    format!(" {} {}? ", deed.verb(), deed::named(targets))
                }
            };
            sentences.push(deed.story().to_owned());
            (title, targets.iter().any(Target::is_live))
        }
        About::Leaving(note) => {
            sentences.push(note.clone());
            (" leave? ".to_owned(), false)
        }
    };
    let mut told: Vec<Line<'static>> =
        sentences.iter().flat_map(|sentence| text::fold(sentence, usize::from(room))).map(Line::raw).collect();
    told.push(Line::default());
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
    let most = usize::from(screen.height).saturating_sub(3 + told.len()).max(1);
    if lines.len() > most {
        let left = lines.len() + 1 - most;
        lines.truncate(most - 1);
        lines.push(Line::raw(format!("and {left} lines more")));
    }
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    lines.extend(told);
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

fn list(model: &Model, deed: Deed, targets: &[Target], room: u16, lines: &mut Vec<Line<'static>>) {
    // Those with real money are named before anything is cut off.
    let (live, others): (Vec<&Target>, Vec<&Target>) = targets.iter().partition(|target| target.is_live());
    let ordered = [live, others].concat();
    for target in ordered.iter().take(LISTED) {
        let style = if target.is_live() { theme::strong() } else { ratatui::style::Style::new() };
        lines.push(Line::styled(cut(model, &target.line(), room), style));
        lines
            .extend(scope::orders(target, LISTED).into_iter().map(|line| Line::styled(cut(model, &line, room), style)));
        lines.extend(target.strays.iter().take(LISTED).map(|stray| {
            let line = format!("  {}", deed::stray_line(stray));
            Line::styled(cut(model, &line, room), style)
        }));
        if target.strays.len() > LISTED {
            lines.push(Line::raw(format!("  and {} strays more", target.strays.len() - LISTED)));
        }
        let changed = target.changed(deed, model.target(deed, &target.name).as_ref());
        if let Some(what) = changed.or_else(|| scope::grown(model, target)) {
            lines.push(Line::styled(format!("  it {what}: yes will be refused"), theme::bad()));
        }
    }
    if targets.len() > LISTED {
        let rest = ordered.get(LISTED..).unwrap_or_default();
        let live = rest.iter().filter(|target| target.is_live()).count();
        lines.push(Line::raw(format!("and {} more, {live} of them live", rest.len())));
    }
}
