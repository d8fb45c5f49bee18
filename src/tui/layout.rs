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
    /// Orders, where they have a place of their own.
    pub orders: Option<Rect>,
    /// Clusters, where they have one.
    pub cluster: Option<Rect>,
    /// The pane below, whichever it is.
    pub lower: Option<(Pane, Rect)>,
    /// A line about clusters, where their pane is not shown.
    pub summary: Option<Rect>,
    /// Keys and the last feedback.
    pub footer: Rect,
}

/// Cells for every part of this screen.
pub fn areas(model: &Model, screen: Rect) -> Areas {
    let shape = Shape::of(screen.width, screen.height);
    let line = |y: u16| Rect { y: screen.y + y, height: 1, ..screen }.intersection(screen);
    if shape == Shape::Tiny {
        let nothing = Rect::default();
        return Areas {
            shape,
            header: line(0),
            alert: None,
            tabs: None,
            bots: None,
            orders: None,
            cluster: None,
            lower: None,
            summary: None,
            footer: nothing,
        };
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
    let told = shape == Shape::Tabs && !model.zoom && !model.clusters.is_empty() && model.lower != Pane::Cluster;
    let body = Rect { y: screen.y + top, height: screen.height - top - 2 - u16::from(told), ..screen };
    let summary = told.then(|| line(screen.height - 3));
    let parts = if model.zoom || shape == Shape::List { alone(model.pane, body) } else { together(model, shape, body) };
    let Parts { bots, orders, cluster, lower } = parts;
    Areas { shape, header: line(0), alert, tabs, bots, orders, cluster, lower, summary, footer }
}

struct Parts {
    bots: Option<Rect>,
    orders: Option<Rect>,
    cluster: Option<Rect>,
    lower: Option<(Pane, Rect)>,
}

const NOWHERE: Parts = Parts { bots: None, orders: None, cluster: None, lower: None };

/// One pane has it all.
const fn alone(pane: Pane, body: Rect) -> Parts {
    match pane {
        Pane::Bots => Parts { bots: Some(body), ..NOWHERE },
        Pane::Orders => Parts { orders: Some(body), ..NOWHERE },
        Pane::Cluster => Parts { cluster: Some(body), ..NOWHERE },
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => Parts { lower: Some((pane, body)), ..NOWHERE },
    }
}

/// The list above, orders and clusters side by side below it where there is room, and one of the others at the bottom.
fn together(model: &Model, shape: Shape, body: Rect) -> Parts {
    let (orders_apart, clusters_apart) = (orders_apart(model, shape), clusters_apart(model, shape));
    let apart = orders_apart || clusters_apart;
    let lower = model.lower_shown(orders_apart, clusters_apart);
    // Border, headings, rows, and one row of air; the pane below keeps two fifths. A stop is worth more than a long list.
    let wanted = model.shown().count() as u16 + 4;
    let most = match (lower == Pane::Stops, apart) {
        (true, false) => 7,
        (true, true) => body.height / 3,
        (false, false) => body.height * 3 / 5,
        (false, true) => body.height * 2 / 5,
    };
    let height = wanted.clamp(7, most.max(7));
    let bots = Rect { height, ..body };
    let under = |above: Rect, height| Rect { y: above.y + above.height, height, ..body };
    let rest = body.height - height;
    if !apart {
        let below = under(bots, rest);
        return match lower {
            Pane::Orders => Parts { bots: Some(bots), orders: Some(below), ..NOWHERE },
            Pane::Cluster => Parts { bots: Some(bots), cluster: Some(below), ..NOWHERE },
            Pane::Bots | Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => {
                Parts { bots: Some(bots), lower: Some((lower, below)), ..NOWHERE }
            }
        };
    }
    let of_orders = if orders_apart { model.orders.len() + troubled(model, usize::MAX) + 3 } else { 0 };
    // What is said of a cluster, and a few of its chunks.
    let of_clusters = if clusters_apart { 8 + model.clusters.len().min(6) } else { 0 };
    let wanted = of_orders.max(of_clusters).min(200) as u16;
    let most = if lower == Pane::Stops { 6 } else { rest / 2 };
    let row = under(bots, wanted.clamp(4, most.max(5)));
    let (orders, cluster) = match (orders_apart, clusters_apart) {
        (true, true) => {
            let right = (row.width * 2 / 5).max(49);
            let left = row.width - right;
            (Some(Rect { width: left, ..row }), Some(Rect { x: row.x + left, width: right, ..row }))
        }
        (true, false) => (Some(row), None),
        (false, _) => (None, Some(row)),
    };
    Parts { bots: Some(bots), orders, cluster, lower: Some((lower, under(row, rest - row.height))) }
}

/// Whether clusters have a place of their own: where there is room, if any is configured or somebody looks for them.
fn clusters_apart(model: &Model, shape: Shape) -> bool {
    shape == Shape::Wide && (!model.clusters.is_empty() || model.pane == Pane::Cluster)
}

/// Whether orders have a place of their own: where there is room, if anybody's can be read or somebody looks for them.
fn orders_apart(model: &Model, shape: Shape) -> bool {
    shape == Shape::Wide && (model.has_orders() || model.pane == Pane::Orders)
}

/// Whether this pane takes turns with others on the model's own screen.
pub fn takes_turns(model: &Model, pane: Pane) -> bool {
    match pane {
        Pane::Bots => false,
        Pane::Orders => !orders_apart(model, Shape::of(model.size.0, model.size.1)),
        Pane::Cluster => !clusters_apart(model, Shape::of(model.size.0, model.size.1)),
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => true,
    }
}

/// Lines above the rows of orders that say which source cannot be read, where there is room for so many lines of both.
pub fn troubled(model: &Model, room: usize) -> usize {
    let now = model.now.mono;
    let troubles = model.orders.sources().filter(|(_, source)| source.is_stale(now)).count();
    // A line each up to three, and one for the others; where there is little room, most of it is for orders.
    troubles.min(TROUBLES + 1).min((room / 2).max(2))
}

/// So many sources that cannot be read are told of with their reasons above the orders, if there is room.
pub const TROUBLES: usize = 3;

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
    own(model).lower.map_or(0, |(_, area)| log_rows(area))
}

/// Columns and rows of the pane of logs on the model's own screen; no row where it is not shown.
pub fn logs_page(model: &Model) -> (usize, usize) {
    match own(model).lower {
        Some((Pane::Logs, area)) => (text_columns(area), log_rows(area)),
        Some(_) | None => (usize::from(model.size.0.saturating_sub(4)), 0),
    }
}

/// Rows of the history on the model's own screen; none where it is not shown.
pub fn history_page(model: &Model) -> usize {
    match own(model).lower {
        Some((Pane::History, area)) => history_rows(area),
        Some(_) | None => 0,
    }
}

/// Rows of orders on the model's own screen.
pub fn orders_page(model: &Model) -> usize {
    own(model).orders.map_or(0, |area| order_rows(model, area))
}

/// Rows of orders that fit into a pane, below what is said of sources that cannot be read.
pub fn order_rows(model: &Model, pane: Rect) -> usize {
    list_rows(pane).saturating_sub(troubled(model, list_rows(pane)))
}

/// Columns and lines of the page of stops on the model's own screen.
pub fn stops_page(model: &Model) -> (usize, usize) {
    match own(model).lower {
        Some((Pane::Stops, area)) => (text_columns(area), log_rows(area)),
        Some(_) | None => (usize::from(model.size.0.saturating_sub(4)), 0),
    }
}

/// Columns and lines of the pane of clusters on the model's own screen.
pub fn cluster_page(model: &Model) -> (usize, usize) {
    own(model).cluster.map_or((0, 0), |area| (text_columns(area), log_rows(area)))
}

/// Columns of text in a pane with one column of air on either side.
pub const fn text_columns(pane: Rect) -> usize {
    pane.width.saturating_sub(4) as usize
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

/// Rows of the history that fit into this pane, below their headings where there are any.
pub const fn history_rows(pane: Rect) -> usize {
    let rows = log_rows(pane);
    if has_headings(pane) { rows - 1 } else { rows }
}

/// Whether a pane of the history has room for headings.
pub const fn has_headings(pane: Rect) -> bool {
    log_rows(pane) >= 6
}

/// What the page of the emergency stop is made of: one line above, parts that are scrolled, and what stands below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmergencyAreas {
    /// The stages, or the result.
    pub upper: Rect,
    /// The errors; none beside a result, which has them.
    pub errors: Option<Rect>,
    /// What stands below.
    pub below: Rect,
}

/// Below this many lines there is no room for two parts: the one that is scrolled has it all.
const TWO_PARTS: u16 = 14;

/// Cells for the page of the emergency stop between the line above and the footer, for so many lines of each part.
/// `least`: how many of the upper ones are never out of sight where there is room. `errors`: how many, and whether those
/// are scrolled.
pub fn emergency_areas(
    screen: Rect,
    (upper, least): (usize, usize),
    errors: Option<(usize, bool)>,
    below: usize,
) -> EmergencyAreas {
    let body = Rect { y: screen.y + 1, height: screen.height.saturating_sub(3), ..screen };
    // What must be looked at keeps most of the screen, whatever else there is to be said.
    let most = if body.height < TWO_PARTS { body.height / 4 } else { body.height / 2 };
    let below = (below as u16).min(most);
    let boxes = body.height - below;
    let under = match errors {
        None => 0,
        Some((_, in_use)) if body.height < TWO_PARTS => boxes * u16::from(in_use),
        Some((errors, _)) => {
            // A part that needs less than a third leaves the rest to the other.
            let wanted = (errors as u16).saturating_add(2).max(3);
            let left = boxes.saturating_sub((upper as u16).saturating_add(2));
            let under = wanted.min((boxes / 3).max(left)).max(left.min(boxes / 3));
            under.min(boxes.saturating_sub(least as u16 + 2)).max(3)
        }
    };
    let upper = Rect { height: boxes - under, ..body };
    let errors = errors.filter(|_| under > 0).map(|_| Rect { y: upper.bottom(), height: under, ..body });
    EmergencyAreas { upper, errors, below: Rect { y: body.y + boxes, height: below, ..body } }
}
