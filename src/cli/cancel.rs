//! `cancel`: orders of bots that go on.

use crate::act::procedure::{Chosen, StopOrder};
use crate::core::bot::BotName;
use crate::core::code::Code;

use super::args::Scope;
use super::ask::confirm;
use super::desk::Desk;
use super::output::Output;
use super::scope::known;
use super::stop::{mode, watch};

/// Cancels the orders of a scope: all of them, or those that are named.
pub(super) fn run(desk: &Desk, scope: &Scope, orders: &[String], output: Output) -> Code {
    let names = match known(desk, scope, output) {
        Ok(names) => names,
        Err(why) => return output.refuse("cancel", Code::Usage, &why),
    };
    if !orders.is_empty() && names.len() > 1 {
        let why = "--order names orders of one bot: give that bot alone";
        return output.refuse("cancel", Code::Usage, why);
    }
    let modes: Vec<_> = names.iter().map(|name| (name.clone(), mode(desk, name))).collect();
    if let Err(why) = confirm(desk, "cancel", &modes) {
        return output.refuse("cancel", Code::Usage, &why);
    }
    let specs = desk.config.as_ref().map(|config| config.bots.as_slice());
    let order = StopOrder::cancel(&desk.home, &names, chosen(&names, orders), specs, &desk.by);
    watch(&order, output)
}

fn chosen(names: &[BotName], orders: &[String]) -> Vec<Chosen> {
    if orders.is_empty() {
        return Vec::new();
    }
    names.iter().map(|bot| Chosen { bot: bot.clone(), orders: orders.to_vec() }).collect()
}
