//! Whom a key means that acts on bots. One place says it for the deeds, for what is inspected, and for the footer, so
//! that what is shown and what is hit are never two bots.

use crate::core::bot::BotName;
use crate::core::status::BotStatus;

use super::clusters::{Cluster, RowId};
use super::model::{Model, Pane};

/// The bot that keys mean here: in the list the one under its cursor, among the orders the owner of the order under
/// theirs, in the history the one of the row under its own, in the stops the one that is shown in detail, and beside a log
/// the one that its title names. Else a sentence that says why there is none: what nobody sees is not acted on.
pub fn under_cursor(model: &Model) -> Result<&BotStatus, String> {
    let named = |name: &str| {
        let found = model.bots.iter().find(|bot| bot.name.as_str() == name);
        found.ok_or_else(|| format!("{name} is not in the list of bots"))
    };
    match model.pane {
        Pane::Orders => {
            let owner = order_owner(model).ok_or("there is no order here, so no bot is meant; 1 goes to the bots")?;
            named(owner.as_str())
        }
        Pane::Cluster => {
            worker(model).ok_or_else(|| "no bot of this desk has it, so no bot is meant; 1 goes to the bots".into())
        }
        Pane::History => {
            let row = model.history.chosen().ok_or("there is no row here, so no bot is meant; 1 goes to the bots")?;
            let name = row.bot.as_deref().ok_or("this row is of no one bot; 1 goes to the bots")?;
            named(name)
        }
        Pane::Stops => {
            let shown = model.stops.detail().ok_or("no bot is shown here, so none is meant; 1 goes to the bots")?;
            named(shown.name.as_str())
        }
        Pane::Logs if model.merged => Err(NOBODY.into()),
        Pane::Diagnostics => Err(NOBODY.into()),
        Pane::Bots | Pane::Logs => match model.cursor_at().and_then(|row| model.shown().nth(row)) {
            Some(bot) => Ok(bot),
            None if model.cursor.is_some() && !model.bots.is_empty() => {
                Err("the bot under the cursor is hidden or gone; choose one".into())
            }
            None => Err("there is no bot here".into()),
        },
    }
}

/// What is said where several bots are on the screen, or none.
const NOBODY: &str = "no one bot is meant here; 1 goes to the bots";

/// Whom a deed would hit from here, in a word or two; nothing in the list, where the cursor says it, and nothing where it
/// would hit nobody. Clusters have names of their own.
pub fn named(model: &Model) -> Option<String> {
    match model.pane {
        Pane::Bots | Pane::Cluster => None,
        Pane::Orders => order_owner(model).map(ToString::to_string),
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History if !model.marked.is_empty() => {
            Some(format!("{} marked", model.marked.len()))
        }
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => {
            under_cursor(model).ok().map(|bot| bot.name.to_string())
        }
    }
}

/// Whether a deed would hit nobody here, whichever it is.
pub fn hits_nobody(model: &Model) -> bool {
    match model.pane {
        Pane::Bots | Pane::Orders | Pane::Cluster => false,
        Pane::Logs | Pane::Diagnostics | Pane::Stops | Pane::History => named(model).is_none(),
    }
}

/// Whether a deed is asked about here although nothing else demands it. Marks may be out of sight; and what stands under
/// the cursor of the history, and which stop is shown, may change with the news while a finger is on its way.
pub(super) fn is_doubtful(model: &Model) -> bool {
    match model.pane {
        Pane::Bots | Pane::Orders | Pane::Cluster => false,
        Pane::Stops | Pane::History => true,
        Pane::Logs | Pane::Diagnostics => !model.marked.is_empty(),
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
