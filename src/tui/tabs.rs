//! The line of tabs, where panes take turns: what is drawn there, and what a click on it means.

use super::cluster_page;
use super::model::{Model, Pane};
use super::text;

/// How many are marked where the keys are, for the right end of the line.
pub fn marked(model: &Model) -> String {
    let marked = match model.pane {
        Pane::Orders => model.orders.marked.len(),
        Pane::Cluster => model.clusters.marked.len(),
        Pane::Bots | Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => model.marked.len(),
    };
    if marked == 0 { String::new() } else { format!("marked {marked} ") }
}

/// Every tab as it is drawn, from the second column on, one after the other. None of them is cut: where there is no room,
/// counts go, those that matter least first.
pub fn tabs(model: &Model, width: u16) -> Vec<(Pane, String)> {
    let room = usize::from(width).saturating_sub(text::width(&marked(model)));
    let mut counts: Vec<(Pane, String)> = Pane::ALL.map(|pane| (pane, count(model, pane))).into();
    for pane in [Pane::Bots, Pane::Orders, Pane::Stops, Pane::Cluster] {
        let used: usize = counts.iter().map(|(pane, count)| text::width(&name(*pane, count)) + 2).sum();
        // A blank stands before the first.
        if used < room {
            break;
        }
        counts.iter_mut().filter(|(its, _)| *its == pane).for_each(|(_, count)| count.clear());
    }
    let drawn = |(pane, count): (Pane, String)| {
        let name = name(pane, &count);
        (pane, if pane == model.pane { format!("[{name}]") } else { format!(" {name} ") })
    };
    counts.into_iter().map(drawn).collect()
}

fn name(pane: Pane, count: &str) -> String {
    let title = match pane {
        Pane::Diagnostics => "Diag",
        Pane::History => "Hist",
        Pane::Bots | Pane::Orders | Pane::Cluster | Pane::Logs | Pane::Stops => pane.title(),
    };
    format!("{} {title}{count}", pane.number())
}

fn count(model: &Model, pane: Pane) -> String {
    match pane {
        Pane::Bots => format!(" {}", model.bots.len()),
        Pane::Orders if model.has_orders() => format!(" {}", model.orders.totals().0),
        Pane::Stops if model.stops.is_under_way() => " ...".to_owned(),
        Pane::Cluster => cluster_page::tab(model).map(|tab| format!(" {tab}")).unwrap_or_default(),
        Pane::Orders | Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => String::new(),
    }
}
