//! A bot that listens to an interface of its own is told there first, while it lives: pause, so that it places nothing new
//! at once; cancel; and for a stop, stop.

use std::time::Duration;

use crate::clock;
use crate::core::bot;
use crate::core::ledger::{Ledger, Said};
use crate::core::moment::Moment;
use crate::core::order::Order;
use crate::core::report::CancelResult;
use crate::orders::freqtrade_api::Api;

use super::venue::Venue;

/// No single call takes longer.
const CALL: Duration = Duration::from_secs(3);
/// All of them together: a bot that does not answer there has to be told by its signal.
const ALL: Duration = Duration::from_secs(10);

/// Whether the bot goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It is told to stop as well.
    Stop,
    /// It is left paused.
    Stay,
}

/// Has the bot itself cancel what is open. What went well comes back as a note; what did not is among the venue's
/// troubles: the next reading shows what is open, and others may cancel it.
pub(super) fn cancel(
    venue: &mut Venue<'_>,
    api: &bot::Api,
    then: Then,
    tell: &mut dyn FnMut(&Ledger, &str),
) -> Option<String> {
    let api = match Api::new(api, venue.surroundings()?) {
        Ok(api) => api,
        Err(why) => {
            venue.trouble(why);
            return None;
        }
    };
    let _alone = venue.alone(tell);
    let until = clock::now().plus(ALL.min(venue.time()));
    tell(&venue.ledger, "pausing it over its interface");
    if let Err(why) = api.pause(left(until)) {
        venue.trouble(format!("it was not paused over its interface: {why}"));
        return None;
    }
    venue.cancel_by(true, until, tell, |_, orders, within| run(&api, orders, within));
    let host = api.host();
    match then {
        Then::Stay => Some(format!("it is paused ({host}): it enters no trade until it is told to start again")),
        Then::Stop => match api.stop(left(until)) {
            Ok(_) => Some(format!("it was paused and told to stop over its interface ({host})")),
            Err(why) => {
                venue.trouble(format!("it was not stopped over its interface: {why}"));
                Some(format!("it was paused over its interface ({host})"))
            }
        },
    }
}

/// Has each trade that one of these orders belongs to cancel what is open of it.
fn run(api: &Api, orders: &[Order], within: Duration) -> (Vec<Said>, Option<String>) {
    let until = clock::now().plus(within);
    let trades = match api.open_trades(left(until)) {
        Ok(trades) => trades,
        Err(why) => return (Vec::new(), Some(why)),
    };
    let (mut said, mut trouble) = (Vec::new(), None);
    for trade in trades {
        let its: Vec<&Order> = orders
            .iter()
            .filter(|order| order.order_id.as_ref().is_some_and(|id| trade.open_orders.contains(id)))
            .collect();
        if its.is_empty() {
            continue;
        }
        let (result, message) = match api.cancel_open_order(trade.trade_id, left(until)) {
            Ok(answer) if answer.accepted => (CancelResult::Canceled, None),
            // It says so of entries that it did cancel, too: the next reading decides.
            Ok(answer) => (CancelResult::Unknown, Some(answer.text)),
            Err(why) => {
                trouble.get_or_insert_with(|| why.clone());
                (CancelResult::Unknown, Some(why))
            }
        };
        said.extend(its.iter().map(|order| Said { order: order.key(), result, message: message.clone() }));
    }
    (said, trouble)
}

fn left(until: Moment) -> Duration {
    until.since(clock::now()).clamp(Duration::from_millis(200), CALL)
}
