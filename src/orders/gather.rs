//! What is being gathered from a source: the orders that are active, and those that have ended and were asked for.

use std::collections::HashSet;

use crate::core::bot::BotName;
use crate::core::decimal;
use crate::core::order::{EndedOrder, Fate, Order, OrderState, Standing};

use super::Question;

/// No bot has more active orders than this; a file that says so is no file of orders.
const MOST_ORDERS: usize = 100_000;

/// No id is longer. One that was cut would be another order's.
const LONGEST_ID: usize = 1024;

/// Every other word is cut after so many characters.
const LONGEST_WORD: usize = 256;

/// Orders, as they come.
pub(super) struct Gathered<'a> {
    bot: &'a BotName,
    source: &'static str,
    of_interest: HashSet<&'a str>,
    pub(super) orders: Vec<Order>,
    pub(super) ended: Vec<EndedOrder>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(question: &'a Question) -> Self {
        Self {
            bot: &question.bot,
            source: question.source_word(),
            of_interest: question.of_interest.iter().map(String::as_str).collect(),
            orders: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// An order of which nothing is known yet.
    pub(super) fn blank(&self) -> Order {
        Order::new(self.bot.clone(), self.source)
    }

    /// The ids whose end is of interest.
    pub(super) fn of_interest(&self) -> impl Iterator<Item = &'a str> {
        self.of_interest.iter().copied()
    }

    /// One more order. One that has ended is passed over unless somebody asked for it.
    pub(super) fn add(&mut self, mut order: Order, standing: Standing) -> Result<(), String> {
        match standing {
            Standing::Ended(fate) => {
                self.add_ended(order.order_id, order.client_order_id, fate);
                return Ok(());
            }
            Standing::Active(state) => order.state = state,
        }
        if self.orders.len() >= MOST_ORDERS {
            return Err(format!("has more than {MOST_ORDERS} active orders"));
        }
        if [&order.order_id, &order.client_order_id].into_iter().flatten().any(|id| id.len() > LONGEST_ID) {
            return Err(format!("has an order whose id is longer than {LONGEST_ID} bytes"));
        }
        for word in [&mut order.venue, &mut order.symbol, &mut order.kind].into_iter().flatten() {
            cut(word);
        }
        if let OrderState::Other(word) = &mut order.state {
            cut(word);
        }
        if order.state == OrderState::Open && order.filled.as_deref().is_some_and(decimal::is_positive) {
            order.state = OrderState::PartiallyFilled;
        }
        order.protective |= order.kind.as_deref().is_some_and(guards);
        self.orders.push(order);
        Ok(())
    }

    /// An order that has ended.
    pub(super) fn add_ended(&mut self, order_id: Option<String>, client_order_id: Option<String>, fate: Fate) {
        let is_wanted = |id: &Option<String>| id.as_deref().is_some_and(|id| self.of_interest.contains(id));
        if is_wanted(&order_id) || is_wanted(&client_order_id) {
            self.ended.push(EndedOrder { order_id, client_order_id, fate });
        }
    }
}

/// Whether a type of orders exists to guard a position, by its name alone.
fn guards(kind: &str) -> bool {
    if kind.eq_ignore_ascii_case("limit") || kind.eq_ignore_ascii_case("market") {
        return false;
    }
    let word: String = kind.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    word.contains("stop") || word.contains("takeprofit")
}

fn cut(word: &mut String) {
    if word.len() > LONGEST_WORD
        && let Some((at, _)) = word.char_indices().nth(LONGEST_WORD)
    {
        word.truncate(at);
        word.push_str("...");
    }
}

/// A text that says something.
pub(super) fn filled(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_guard_are_told_from_those_that_do_not() {
        for kind in
            ["stop", "STOP_LOSS_LIMIT", "stoploss_on_exchange", "take_profit", "TakeProfitLimit", "trailing-stop"]
        {
            assert!(guards(kind), "{kind}");
        }
        for kind in ["limit", "market", "LIMIT_MAKER", "profit", ""] {
            assert!(!guards(kind), "{kind}");
        }
    }

    #[test]
    fn words_are_cut_between_characters() {
        let mut word = "ä".repeat(LONGEST_WORD + 1);
        cut(&mut word);
        assert_eq!(word, format!("{}...", "ä".repeat(LONGEST_WORD)));
        let mut word = "ä".repeat(LONGEST_WORD);
        cut(&mut word);
        assert!(!word.ends_with("..."));
    }
}
