//! Whom a key means that acts on bots. One place says it for the deeds, for what is inspected, and for the footer, so
//! that what is shown and what is hit are never two bots.

use crate::core::bot::BotName;
use crate::core::status::BotStatus;

use super::clusters::{Cluster, RowId};
use super::model::{Model, Pane};

/// The bot that keys mean here: in the list the one under its cursor, among the orders the owner of the order under
/// theirs. Else a sentence that says why there is none.
pub fn under_cursor(model: &Model) -> Result<&BotStatus, String> {
    if model.pane == Pane::Orders {
        let owner = order_owner(model).ok_or("there is no order here, so no bot is meant; 1 goes to the bots")?;
        return model.bot(owner).ok_or_else(|| format!("{owner} is not in the list of bots"));
    }
    if model.pane == Pane::Cluster {
        return worker(model)
            .ok_or_else(|| "no bot of this desk has it, so no bot is meant; 1 goes to the bots".into());
    }
    match model.cursor_at().and_then(|row| model.shown().nth(row)) {
        Some(bot) => Ok(bot),
        None if model.cursor.is_some() && !model.bots.is_empty() => {
            Err("the bot under the cursor is hidden or gone; choose one".into())
        }
        None => Err("there is no bot here".into()),
    }
}

/// The cluster under the cursor, and its row.
pub fn cluster(model: &Model) -> Option<(&Cluster, &RowId)> {
    let id = model.clusters.cursor.as_ref()?;
    Some((model.clusters.cluster(&id.cluster)?, id))
}

/// The bot that has the chunk under the cursor.
fn worker(model: &Model) -> Option<&BotStatus> {
    let (cluster, id) = cluster(model)?;
    let word = model.clusters.row(id)?.claim.worker.word();
    let name = cluster.spec.bots().find(|name| cluster.crew.is_of(word.as_deref(), name))?;
    model.bot(name)
}

/// Whose the order under the cursor is; nobody's where that order is hidden or gone.
pub fn order_owner(model: &Model) -> Option<&BotName> {
    model.orders.under_cursor().map(|row| &row.id.bot)
}

/// The bots that a deed means: the marked ones, else the one under the cursor. Among the orders marks are for orders, and
/// mean no bot.
pub(super) fn chosen(model: &mut Model) -> Result<Vec<BotStatus>, String> {
    if model.pane == Pane::Orders {
        return under_cursor(model).map(|bot| vec![bot.clone()]);
    }
    if model.pane == Pane::Cluster {
        return Err("here s, x and u act on the cluster; 1 goes to the bots".into());
    }
    // Whoever marked bots means those, and not the one that the cursor happens to be on.
    if std::mem::take(&mut model.marks_gone) {
        return Err("the marked bots are gone".into());
    }
    if model.marked.is_empty() {
        return under_cursor(model).map(|bot| vec![bot.clone()]);
    }
    let shown: Vec<BotStatus> = model.shown().filter(|bot| model.marked.contains(&bot.name)).cloned().collect();
    let hidden = model.marked.len() - shown.len();
    if hidden > 0 {
        return Err(format!("{hidden} marked but hidden by the filter: clear it (Esc), or unmark (U)"));
    }
    Ok(shown)
}
