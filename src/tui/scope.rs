//! What `c` is about: which orders are meant, of which bots, who cancels them, and why that cannot be done.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::bot::{BotName, Mode, OrderSource, Protective};
use crate::core::status::BotStatus;

use super::deed::{self, Deed, Meant, Target};
use super::model::Model;
use super::order_row::Row;
use super::orders::Count;

/// What is said where nothing but the bot can cancel its orders.
const NO_COMMAND: &str = "only the bot itself can cancel: it has no cancel command";

/// What a cancel command may do beside what it is for.
pub(super) const REACH: &str = "which may also hit manual orders and other bots on the same account";

/// Why orders of a bot cannot, or need not, be canceled: a sentence that follows its name.
pub(super) fn not_cancelable(model: &Model, bot: &BotStatus) -> Option<String> {
    match model.open_orders(&bot.name) {
        Count::NoSource => return Some("says nowhere where its orders can be read: nothing can be verified".into()),
        Count::Fresh(0) => return Some("has no open order".into()),
        Count::Fresh(_) | Count::Stale(_) | Count::Unread => {}
    }
    no_means(model, &bot.name)
}

/// Why nobody but the bot itself can cancel its orders; nothing if somebody can.
pub(super) fn no_means(model: &Model, name: &BotName) -> Option<String> {
    let means = match model.spec(name) {
        Some(spec) => spec.cancel.is_some() || has_api(spec.orders.as_ref()),
        // What is not configured any more is canceled by what its run record says.
        None => true,
    };
    (!means).then(|| format!(": {NO_COMMAND}"))
}

fn has_api(source: Option<&OrderSource>) -> bool {
    source.and_then(OrderSource::api).is_some()
}

/// Who cancels orders of this bot, and what else that may hit.
fn scope(model: &Model, name: &BotName) -> String {
    let spec = model.spec(name);
    let keeps = spec.and_then(|spec| spec.cancel.as_ref()).is_some_and(|cancel| cancel.protective == Protective::Keep);
    let by = match spec {
        Some(spec) if spec.cancel.is_none() && has_api(spec.orders.as_ref()) => {
            "Through its own interface (freqtrade's api), which knows only its own orders."
        }
        Some(_) | None => &format!("Through its cancel command, {REACH}."),
    };
    let kept = if keeps { " Protective ones are kept, by its policy." } else { "" };
    format!("{by}{kept}")
}

/// All orders of a bot.
pub(super) fn all_of(model: &Model, target: &Target) -> Meant {
    let open = || model.orders.of(&target.name).iter().map(|row| (row.id.key.clone(), row.id.nth)).collect();
    Meant {
        keys: Vec::new(),
        names: Vec::new(),
        open: target.orders.map(|_| open()),
        protective: target.protective,
        scope: scope(model, &target.name),
    }
}

/// The bots of the marked orders, else of the one under the cursor, each with those orders of it that are meant.
pub(super) fn chosen_of(model: &mut Model) -> Result<Vec<Target>, String> {
    // Whoever marked orders means those, and not the one that the cursor happens to be on.
    if std::mem::take(&mut model.orders.marks_gone) {
        return Err("the marked orders are gone".into());
    }
    let book = &model.orders;
    let hidden = book.marked.len() - book.marked_shown();
    if hidden > 0 {
        return Err(format!("{hidden} marked but hidden by the filter: clear it (Esc), or unmark (U)"));
    }
    let rows: Vec<&Row> = if book.marked.is_empty() {
        book.under_cursor().into_iter().collect()
    } else {
        book.marked.iter().filter_map(|id| book.row(id)).collect()
    };
    if rows.is_empty() {
        return Err("there is no order here".into());
    }
    let mut by_bot: BTreeMap<&BotName, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_bot.entry(&row.id.bot).or_default().push(row);
    }
    let mut targets = Vec::new();
    for (bot, rows) in by_bot {
        if model.doing_to(bot) == Some(Deed::Cancel) {
            return Err(format!("{bot} waits: its orders are being canceled"));
        }
        if let Some(why) = no_means(model, bot) {
            return Err(format!("{bot}{why}"));
        }
        let Some(target) = model.target(Deed::Cancel, bot) else {
            return Err(format!("{bot} is not in the list of bots"));
        };
        let keys: BTreeSet<&str> = rows.iter().map(|row| row.id.key.as_str()).collect();
        // Orders may share an id: what the key takes is named, and not only what somebody pointed at.
        let rows = taken(model, bot, &keys);
        let meant = Meant {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            names: rows
                .iter()
                .map(|row| if row.protective { format!("{} PROT", row.name) } else { row.name.clone() })
                .collect(),
            open: None,
            protective: rows.iter().filter(|row| row.protective).count() as u64,
            scope: scope(model, bot),
        };
        targets.push(Target { meant: Some(meant), ..target });
    }
    Ok(targets)
}

/// The orders of a bot that whoever cancels by these keys takes.
fn taken<'a>(model: &'a Model, bot: &BotName, keys: &BTreeSet<&str>) -> Vec<&'a Row> {
    model.orders.of(bot).iter().filter(|row| row.is_called(keys)).collect()
}

/// Why yes would mean more by now than what was asked about, as a sentence that follows the bot's name; nothing if it does
/// not. What is gone since is no reason.
pub fn grown(model: &Model, target: &Target) -> Option<String> {
    let meant = target.meant.as_ref()?;
    let keys: BTreeSet<&str> = meant.keys.iter().map(String::as_str).collect();
    let guards = |rows: &[&Row]| rows.iter().filter(|row| row.protective).count() as u64;
    match (model.open_orders(&target.name), &meant.open) {
        (Count::Fresh(now), Some(open)) if keys.is_empty() => {
            let is_new = |row: &&Row| !open.contains(&(row.id.key.clone(), row.id.nth));
            let new = model.orders.of(&target.name).iter().filter(is_new).count();
            let protective = model.orders.protective(&target.name);
            if new > 0 {
                Some(format!("has {now} open orders now, {new} of them new"))
            } else {
                (protective > meant.protective).then(|| format!("has {protective} protective orders now"))
            }
        }
        (Count::Stale(_) | Count::Unread | Count::NoSource, Some(_)) if keys.is_empty() => {
            Some("has orders that cannot be read now".into())
        }
        (Count::Fresh(_), None) if !keys.is_empty() => {
            let rows = taken(model, &target.name, &keys);
            if rows.len() > meant.names.len() {
                Some(format!("has {} orders that are called so now, not {}", rows.len(), meant.names.len()))
            } else {
                let protective = guards(&rows);
                (protective > meant.protective).then(|| format!("has {protective} protective orders among them now"))
            }
        }
        (Count::Fresh(_) | Count::Stale(_) | Count::Unread | Count::NoSource, _) => None,
    }
}

/// Why orders are not canceled although somebody said yes; nothing if they are.
pub(super) fn orders_changed(model: &Model, targets: &[Target]) -> Option<String> {
    let grown = |target: &Target| Some(format!("{} {}; ask again", target.name, grown(model, target)?));
    targets.iter().find_map(grown).or_else(|| orders_gone(model, targets))
}

/// Why nothing is left to be canceled of what was asked about; nothing if something is, or may be.
fn orders_gone(model: &Model, targets: &[Target]) -> Option<String> {
    let left = |target: &Target| match (&target.meant, model.open_orders(&target.name)) {
        (Some(meant), Count::Fresh(_)) if !meant.keys.is_empty() => {
            let keys = meant.keys.iter().map(String::as_str).collect();
            model.orders.of(&target.name).iter().any(|row| row.is_called(&keys))
        }
        (_, Count::Fresh(orders)) => orders > 0,
        (_, Count::Stale(_) | Count::Unread | Count::NoSource) => true,
    };
    (!targets.iter().any(left)).then(|| "nothing of it is open any more".to_owned())
}

/// The orders that were chosen one by one.
pub(super) fn meant(targets: &[Target]) -> Vec<(BotName, Vec<String>)> {
    let keys = |target: &Target| target.meant.as_ref().map(|meant| meant.keys.clone()).unwrap_or_default();
    targets.iter().map(|target| (target.name.clone(), keys(target))).filter(|(_, keys)| !keys.is_empty()).collect()
}

fn count(targets: &[Target]) -> String {
    let mut known = 0;
    for target in targets {
        match target.to_cancel() {
            Some(orders) => known += orders,
            None => return "all orders".to_owned(),
        }
    }
    count_of(known as usize)
}

fn count_of(orders: usize) -> String {
    if orders == 1 { "1 order".to_owned() } else { format!("{orders} orders") }
}

/// The title of the question: how many, of whom.
pub(super) fn title(targets: &[Target]) -> String {
    format!(" cancel {} of {}? ", count(targets), deed::named(targets))
}

/// The orders of a bot that were chosen one by one, so many at most.
pub(super) fn orders(target: &Target, most: usize) -> Vec<String> {
    let Some(meant) = &target.meant else { return Vec::new() };
    let mut lines: Vec<String> = meant.names.iter().take(most).map(|name| format!("  {name}")).collect();
    if meant.names.len() > most {
        let more = if most == 0 { "" } else { " more" };
        lines.push(format!("  {}{more}", count_of(meant.names.len() - most)));
    }
    lines
}

/// What must be known before the answer, each sentence once.
pub(super) fn sentences(targets: &[Target]) -> Vec<String> {
    let mut lines = Vec::new();
    let protective: u64 = targets.iter().filter_map(|target| target.meant.as_ref()).map(|meant| meant.protective).sum();
    if protective > 0 {
        let (are, guard) = if protective == 1 { ("is", "it guards") } else { ("are", "they guard") };
        lines.push(format!("{protective} of them {are} PROTECTIVE: {guard} a position, which stays open."));
    }
    let dry: Vec<&str> =
        targets.iter().filter(|target| target.mode == Some(Mode::DryRun)).map(|target| target.name.as_str()).collect();
    if !dry.is_empty() {
        lines.push(format!("{} in dry-run: there nothing is canceled, only counted.", dry.join(", ")));
    }
    if dry.len() < targets.len() {
        for target in targets.iter().filter(|target| target.mode != Some(Mode::DryRun)) {
            let scope = target.meant.as_ref().map(|meant| meant.scope.clone()).unwrap_or_default();
            if !lines.contains(&scope) {
                lines.push(scope);
            }
        }
    }
    lines
}
