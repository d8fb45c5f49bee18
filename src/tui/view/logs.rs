//! ```text
//! ┌ 4 Logs  grid-btc ──────────────────────────────── FOLLOW  last line 3s ago  /cancel 1 of 3 ┐
//! │ 14:32:01.337 WARN  ws ping rtt 812ms (limit 500ms)                                         │
//! └────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};

use crate::tui::layout::log_rows;
use crate::tui::logbook::Loudness;
use crate::tui::model::{Model, Pane};
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let log = &model.log;
    let name = log.bot.as_ref().map_or("", |bot| bot.as_str());
    let rows = log_rows(area);
    let mut facts = Vec::new();
    if log.follows() {
        facts.push(Span::raw(" FOLLOW "));
    } else {
        let text = format!(" PAUSED, {} below; f follows ", log.below(rows));
        facts.push(Span::styled(text, theme::warning()));
    }
    if let Some(quiet) = log.quiet(model.now.mono)
        && area.width >= 70
    {
        facts.push(Span::raw(format!(" last line {} ago ", text::age(quiet))));
    }
    if let Some(search) = log.search() {
        let what = text::cut(&search.text, 20, model.signs().more);
        facts.push(Span::styled(format!(" /{what} {} ", search.count()), theme::strong()));
    }
    if let Some((file, _)) = &log.file_missing {
        facts.push(Span::styled(format!(" no {} ", text::cut(file, 20, model.signs().more)), theme::warning()));
    }
    let mut title = text::cut(name, 24, model.signs().more);
    if let Some(file) = &log.file {
        // With the bot's own output, or alone.
        title.push_str(if log.run.is_some() { " + " } else { " " });
        title.push_str(&text::cut(file, 20, model.signs().more));
    }
    let block = super::parts::pane(model, Pane::Logs, &title, facts);
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let width = usize::from(inside.width).saturating_sub(2);
    let mut lines: Vec<Line<'_>> = Vec::with_capacity(rows);
    for (number, line) in log.page(rows) {
        let mut style = match line.loudness {
            Loudness::Ours | Loudness::Low => theme::faint(),
            Loudness::Plain => Style::new(),
            Loudness::Warning => theme::warning(),
            Loudness::Error => theme::bad(),
        };
        if let Some(search) = log.search() {
            if search.at == Some(number) {
                style = style.patch(theme::chosen());
            } else if search.is_hit(number) {
                style = style.patch(theme::found());
            }
        }
        let shown = text::cut(&line.text, width, model.signs().more);
        lines.push(Line::from(vec![Span::raw(" "), Span::styled(shown, style)]));
    }
    if log.is_empty() {
        let nothing = || match (&log.bot, &log.run, &log.file) {
            (None, _, _) => "no bot is chosen".to_owned(),
            (Some(_), None, None) => "opening ...".to_owned(),
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => "nothing written yet".to_owned(),
        };
        let file = log.file_missing.as_ref().map(|(_, why)| why.clone());
        let mut whys: Vec<String> = log.missing.iter().cloned().chain(file).collect();
        if whys.is_empty() {
            whys.push(nothing());
        }
        let rows = whys.iter().flat_map(|why| text::fold(why, width));
        let row =
            |row: String| Line::styled(format!(" {}", text::cut(&row, width, model.signs().more)), theme::faint());
        lines.extend(rows.map(row));
    }
    frame.render_widget(Text::from(lines), inside);
}
