//! The line of tabs, where panes take turns: what is drawn there, and what a click on it means.

use super::cluster_page;
use super::model::{Model, Pane};

/// Every tab, as it is drawn from the second column on, one after the other.
pub fn tabs(model: &Model) -> Vec<(Pane, String)> {
    let tab = |pane: Pane| {
        let count = match pane {
            Pane::Bots => format!(" {}", model.bots.len()),
            Pane::Orders if model.has_orders() => format!(" {}", model.orders.totals().0),
            Pane::Stops if model.stops.is_under_way() => " ...".to_owned(),
            Pane::Cluster => cluster_page::tab(model).map(|tab| format!(" {tab}")).unwrap_or_default(),
            Pane::Orders | Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => String::new(),
        };
        let title = if pane == Pane::Diagnostics { "Diag" } else { pane.title() };
        let name = format!("{} {title}{count}", pane.number());
        (pane, if pane == model.pane { format!("[{name}]") } else { format!(" {name} ") })
    };
    Pane::ALL.into_iter().map(tab).collect()
}
