//! Orders on their way from a reader to whoever asked.
//!
//! They go as rows without names: a screen asks every second, and the names would be two thirds of what is written and
//! read then.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::bot::BotName;
use crate::core::order::{Answer, EndedOrder, Order, OrderState, Reading, Side, Standing};

/// An [`Answer`] as it goes over a pipe.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// As it was.
    Unchanged,
    /// Read: orders as rows, and the rest of the reading.
    Read(Vec<Row>, Vec<EndedOrder>, Timestamp, Option<String>),
    /// Not read.
    Failed(String),
}

type Text = Option<String>;

/// An order of a bot and a source that both sides know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row(Text, Text, Text, Text, Option<Side>, Text, Text, Text, Text, String, bool, Option<(i64, i32)>);

impl From<Answer> for Told {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Unchanged => Self::Unchanged,
            Answer::Failed(why) => Self::Failed(why),
            Answer::Read(Reading { orders, ended, at, stamp }) => {
                Self::Read(orders.into_iter().map(Row::from).collect(), ended, at, stamp)
            }
        }
    }
}

impl Told {
    /// What it says of this bot and this source.
    pub fn about(self, bot: &BotName, source: &str) -> Answer {
        match self {
            Self::Unchanged => Answer::Unchanged,
            Self::Failed(why) => Answer::Failed(why),
            Self::Read(rows, ended, at, stamp) => {
                let orders = rows.into_iter().map(|row| row.about(bot, source)).collect();
                Answer::Read(Reading { orders, ended, at, stamp })
            }
        }
    }
}

impl From<Order> for Row {
    fn from(order: Order) -> Self {
        let state = match order.state {
            OrderState::Other(word) => word,
            known @ (OrderState::New | OrderState::Open | OrderState::PartiallyFilled | OrderState::PendingCancel) => {
                known.word().to_owned()
            }
        };
        Self(
            order.order_id,
            order.client_order_id,
            order.venue,
            order.symbol,
            order.side,
            order.kind,
            order.quantity,
            order.filled,
            order.price,
            state,
            order.protective,
            order.placed_at.map(|at| (at.as_second(), at.subsec_nanosecond())),
        )
    }
}

impl Row {
    fn about(self, bot: &BotName, source: &str) -> Order {
        let state = match Standing::of(Some(&self.9)) {
            Standing::Active(state) => state,
            // A source may call an order ended and have it open all the same.
            Standing::Ended(_) => OrderState::Other(self.9),
        };
        Order {
            bot: bot.clone(),
            order_id: self.0,
            client_order_id: self.1,
            venue: self.2,
            symbol: self.3,
            side: self.4,
            kind: self.5,
            quantity: self.6,
            filled: self.7,
            price: self.8,
            state,
            protective: self.10,
            placed_at: self.11.and_then(|(seconds, rest)| Timestamp::new(seconds, rest).ok()),
            source: source.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_the_same_on_the_other_side() {
        let bot: BotName = "maker@2".parse().expect("a name");
        let mut order = Order::new(bot.clone(), "sql");
        order.client_order_id = Some("c\u{1b}\n\"".into());
        order.side = Some(Side::Sell);
        order.price = Some("0.10".into());
        order.protective = true;
        order.placed_at = Timestamp::new(-5, -730_001_000).ok();
        for state in [OrderState::New, OrderState::PartiallyFilled, OrderState::Other("closed".into())] {
            order.state = state;
            let reading =
                Reading { orders: vec![order.clone()], ended: Vec::new(), at: Timestamp::UNIX_EPOCH, stamp: None };
            let text = serde_json::to_string(&Told::from(Answer::Read(reading.clone()))).expect("JSON");
            assert!(!text.contains('\n'));
            let told: Told = serde_json::from_str(&text).expect("the same");
            assert_eq!(told.about(&bot, "sql"), Answer::Read(reading));
        }
    }
}
