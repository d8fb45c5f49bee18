//! Which pane gets which cells. Used for drawing, and for knowing how long a page is.

use ratatui::layout::Rect;

use super::model::{Model, Pane};

/// How much the screen can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// One line that says what is needed.
    Tiny,
    /// One pane at a time, no tabs.
    List,
    /// Two panes and a line of tabs.
    Tabs,
    /// Two panes with all their columns.
    Wide,
}

/// The smallest screen that shows the list.
pub const SMALLEST: (u16, u16) = (60, 15);

impl Shape {
    /// What a screen of this size can hold.
    pub const fn of(width: u16, height: u16) -> Self {
        if width < SMALLEST.0 || height < SMALLEST.1 {
            Self::Tiny
        } else if width < 80 || height < 24 {
            Self::List
        } else if width < 120 || height < 30 {
            Self::Tabs
        } else {
            Self::Wide
        }
    }
}

/// Cells for every part; a part that is not shown has none.
#[derive(Clone, Copy, Debug)]
pub struct Areas {
    /// How much fits.
    pub shape: Shape,
    /// Host, counts, clock.
    pub header: Rect,
    /// What needs attention.
    pub alert: Option<Rect>,
    /// The names of the panes.
    pub tabs: Option<Rect>,
    /// The list.
    pub bots: Option<Rect>,
    /// Logs or diagnostics.
    pub lower: Option<Rect>,
    /// Keys and the last feedback.
    pub footer: Rect,
}

/// Cells for every part of this screen.
pub fn areas(model: &Model, screen: Rect) -> Areas {
    let shape = Shape::of(screen.width, screen.height);
    let line = |y: u16| Rect { y: screen.y + y, height: 1, ..screen }.intersection(screen);
    if shape == Shape::Tiny {
        return Areas { shape, header: line(0), alert: None, tabs: None, bots: None, lower: None, footer: line(0) };
    }
    let mut top = 1;
    let mut next = |shown: bool| {
        shown.then(|| {
            top += 1;
            line(top - 1)
        })
    };
    let alert = next(!model.alerts().is_empty());
    let tabs = next(shape == Shape::Tabs);
    let footer = Rect { y: screen.bottom() - 2, height: 2, ..screen };
    let body = Rect { y: screen.y + top, height: screen.height - top - 2, ..screen };
    let alone = model.zoom || shape == Shape::List;
    let (bots, lower) = match (alone, model.pane) {
        (true, Pane::Bots) => (Some(body), None),
        (true, Pane::Logs | Pane::Diagnostics) => (None, Some(body)),
        (false, _) => {
            // Border, headings, rows, and one row of air; the log keeps two fifths.
            let wanted = model.shown().count() as u16 + 4;
            let height = wanted.clamp(7, (body.height * 3 / 5).max(7));
            let (upper, lower) = (Rect { height, ..body }, body.height - height);
            (Some(upper), Some(Rect { y: body.y + height, height: lower, ..body }))
        }
    };
    Areas { shape, header: line(0), alert, tabs, bots, lower, footer }
}

/// Whether the model's own screen shows nothing but the size that it needs.
pub fn is_tiny(model: &Model) -> bool {
    Shape::of(model.size.0, model.size.1) == Shape::Tiny
}

/// Rows of the list on the model's own screen.
pub fn list_page(model: &Model) -> usize {
    own(model).bots.map_or(0, list_rows)
}

/// Lines of the lower pane on the model's own screen.
pub fn log_page(model: &Model) -> usize {
    own(model).lower.map_or(0, log_rows)
}

fn own(model: &Model) -> Areas {
    areas(model, Rect { x: 0, y: 0, width: model.size.0, height: model.size.1 })
}

/// Where a bot is inspected: all between the header and the footer.
pub const fn inspect_area(screen: Rect) -> Rect {
    Rect { y: screen.y + 1, height: screen.height.saturating_sub(3), ..screen }
}

/// Columns and lines of text where a bot is inspected, on the model's own screen.
pub const fn inspect_page(model: &Model) -> (usize, usize) {
    let area = inspect_area(Rect { x: 0, y: 0, width: model.size.0, height: model.size.1 });
    (area.width.saturating_sub(4) as usize, area.height.saturating_sub(2) as usize)
}

/// Rows of the list that fit into this pane.
pub const fn list_rows(pane: Rect) -> usize {
    pane.height.saturating_sub(3) as usize
}

/// Lines of a log that fit into this pane.
pub const fn log_rows(pane: Rect) -> usize {
    pane.height.saturating_sub(2) as usize
}
