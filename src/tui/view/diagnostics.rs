//! ```text
//! ┌ 5 Diagnostics ─────────────────────────────────────────────────────────────── last 4s ago ┐
//! │ 14:31:40 INFO  asked: restart mm-eth                                                       │
//! │ 14:31:43 WARN  mm-eth was not restarted: its run record cannot be read                     │
//! └────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use std::time::Duration;

use jiff::tz::TimeZone;
use log::Level;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_logger::{ExtLogRecord, LogFormatter, TuiLoggerWidget};

use crate::tui::layout::log_rows;
use crate::tui::model::{DIAGNOSED, Model, Pane};
use crate::tui::{text, theme};

pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let last =
        model.diagnosed.back().and_then(|(at, _, _)| Duration::try_from(model.now.wall.duration_since(*at)).ok());
    let facts = last.map(|age| Span::raw(format!(" last {} ago ", text::age(age))));
    let block = super::parts::pane(model, Pane::Diagnostics, "", facts.into_iter().collect());
    let inside = block.inner(area);
    frame.render_widget(block, area);
    // The widget keeps no place of its own: taller than the pane by what was scrolled, and cut at the bottom.
    let rows = log_rows(area);
    let up = model.diagnostics_up.min(DIAGNOSED);
    let tall = Rect { x: 0, y: 0, width: inside.width, height: (rows + up) as u16 };
    let mut paper = ratatui::buffer::Buffer::empty(tall);
    let widget = TuiLoggerWidget::default().formatter(Box::new(Plainly { more: model.signs().more }));
    ratatui::widgets::Widget::render(widget, tall, &mut paper);
    for y in 0..inside.height {
        for x in 0..inside.width {
            if let (Some(from), Some(to)) =
                (paper.cell((x, y)), frame.buffer_mut().cell_mut((inside.x + x, inside.y + y)))
            {
                *to = from.clone();
            }
        }
    }
}

/// One line an event: UTC, level, text, harmless.
struct Plainly {
    more: &'static str,
}

impl LogFormatter for Plainly {
    fn min_width(&self) -> u16 {
        10
    }

    fn format(&self, width: usize, event: &ExtLogRecord) -> Vec<Line<'_>> {
        let style = match event.level {
            Level::Error => theme::bad(),
            Level::Warn => theme::warning(),
            Level::Info => Style::new(),
            Level::Debug | Level::Trace => theme::faint(),
        };
        let time = event.timestamp.with_time_zone(TimeZone::UTC).strftime("%H:%M:%S").to_string();
        let line = format!(" {time} {:5} {}", event.level, text::harmless(event.msg()));
        vec![Line::styled(text::cut(&line, width, self.more), style)]
    }
}
