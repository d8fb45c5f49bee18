//! The order of the list of bots.

use crate::core::bot::Mode;
use crate::core::state::State;
use crate::core::status::BotStatus;

use super::model::{Model, Sort};
use super::orders::Count;

/// Sorts the list anew. Of two that are alike the name decides, so that nothing jumps about.
pub(super) fn sort(model: &mut Model) {
    let by_name =
        |a: &BotStatus, b: &BotStatus| (a.name.base(), a.name.instance()).cmp(&(b.name.base(), b.name.instance()));
    let by = model.sort;
    let mut bots = std::mem::take(&mut model.bots);
    let orders = |bot: &BotStatus| match model.open_orders(&bot.name) {
        Count::Fresh(orders) | Count::Stale(orders) => Some(orders),
        Count::NoSource | Count::Unread => None,
    };
    bots.sort_by(|a, b| {
        let order = match by {
            Sort::Name => by_name(a, b),
            Sort::State => place(a.state).cmp(&place(b.state)),
            Sort::Mode => weight(a.mode).cmp(&weight(b.mode)),
            Sort::Uptime => b.uptime_s.cmp(&a.uptime_s),
            Sort::Cpu => b.cpu_percent.unwrap_or(-1.0).total_cmp(&a.cpu_percent.unwrap_or(-1.0)),
            Sort::Memory => b.memory_bytes.cmp(&a.memory_bytes),
            Sort::Restarts => b.restarts.cmp(&a.restarts),
            Sort::Orders => orders(b).cmp(&orders(a)),
        };
        let order = if model.reverse { order.reverse() } else { order };
        order.then_with(|| by_name(a, b))
    });
    model.bots = bots;
}

fn place(state: State) -> usize {
    State::ALL.iter().position(|s| *s == state).unwrap_or(State::ALL.len())
}

/// Real money first, and what may be that.
const fn weight(mode: Option<Mode>) -> u8 {
    match mode {
        Some(Mode::Live) => 0,
        None => 1,
        Some(Mode::Paper) => 2,
        Some(Mode::DryRun) => 3,
    }
}
