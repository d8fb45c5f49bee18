//! Two reports of one bot as one: that of an emergency stop whose stopper died, or after which the bot lived again, and that
//! of the one that carried on. What was seen last is what is; what was seen before is not lost.

use super::order::Order;
use super::report::{BotReport, OrdersReport, StopOutcome};

impl BotReport {
    /// This report, after an earlier one of the same bot in the same emergency stop.
    #[must_use]
    pub fn after(self, earlier: Self) -> Self {
        let later = self;
        let lived = |report: &Self| matches!(report.outcome, Some(StopOutcome::Stopped | StopOutcome::Survived));
        let outcome = match later.outcome {
            Some(StopOutcome::NotRunning) if lived(&earlier) => Some(StopOutcome::Stopped),
            outcome @ (Some(_) | None) => outcome,
        };
        let mut processes = earlier.processes;
        for process in later.processes {
            match processes.iter_mut().find(|known| known.pid == process.pid && known.command == process.command) {
                Some(known) => known.ended_by = process.ended_by,
                None => processes.push(process),
            }
        }
        if outcome != Some(StopOutcome::Survived) {
            for process in processes.iter_mut().filter(|process| process.ended_by.is_none()) {
                // It lived when it was last looked at by the one who died; nobody saw what ended it.
                process.ended_by = Some("unknown".to_owned());
            }
        }
        let mut found_by = [earlier.found_by, later.found_by].concat();
        found_by.sort_unstable();
        found_by.dedup();
        let mut notes = earlier.notes;
        // What went wrong at first is kept; whether it still does is what the later one says.
        notes.extend(
            earlier
                .errors
                .into_iter()
                .filter(|error| !later.errors.contains(error))
                .map(|error| format!("at first: {error}")),
        );
        notes.extend(later.notes);
        let mut seen = std::collections::BTreeSet::new();
        notes.retain(|note| seen.insert(note.clone()));
        let mut claims = later.claims;
        claims.orders_canceled = claims.orders_canceled.or(earlier.claims.orders_canceled);
        claims.cancel_errors = claims.cancel_errors.or(earlier.claims.cancel_errors);
        claims.state_flushed = claims.state_flushed.or(earlier.claims.state_flushed);
        Self {
            name: later.name,
            mode: later.mode.or(earlier.mode),
            outcome,
            pid: earlier.pid.or(later.pid),
            duration_ms: earlier.duration_ms + later.duration_ms,
            restarted: later.restarted,
            found_by,
            processes,
            exit: later.exit.or(earlier.exit),
            orders: match (earlier.orders, later.orders) {
                (Some(earlier), Some(later)) => Some(later.after(earlier)),
                // Where nobody can read them any more, what was open before is not what is.
                (_, later) => later,
            },
            claims,
            state_flushed: later.state_flushed.or(earlier.state_flushed),
            state_written: later.state_written.or(earlier.state_written),
            unasked: later.unasked,
            errors: later.errors,
            notes,
        }
    }
}

impl OrdersReport {
    fn after(self, earlier: Self) -> Self {
        let later = self;
        let same = |one: &Order, other: &Order| {
            (&one.order_id, &one.client_order_id, &one.symbol)
                == (&other.order_id, &other.client_order_id, &other.symbol)
        };
        // Open at the end of the first, and neither open nor heard of in the second: gone in between.
        let between = earlier.open.iter().filter(|order| {
            !later.open.iter().any(|open| same(open, order))
                && !later.results.iter().any(|result| result.is_about(order))
        });
        let between = if later.verified { between.count() as u64 } else { 0 };
        let mut results = earlier.results;
        results.retain(|known| {
            !later
                .results
                .iter()
                .any(|result| (&result.order_id, &result.client_order_id) == (&known.order_id, &known.client_order_id))
        });
        results.extend(later.results);
        Self {
            before: earlier.before.or(later.before),
            canceled: earlier.canceled + between + later.canceled,
            filled: earlier.filled + later.filled,
            without_id: earlier.without_id.max(later.without_id),
            results,
            errors: later.errors,
            unconfirmed: later.unconfirmed,
            skipped: later.skipped,
            kept: later.kept,
            others: later.others,
            verified: later.verified,
            read_at: later.read_at.or(earlier.read_at),
            open: later.open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::report::{ProcessReport, Tier};

    fn bot(outcome: StopOutcome) -> BotReport {
        BotReport { outcome: Some(outcome), ..BotReport::new("maker".parse().expect("a name")) }
    }

    fn order(id: &str) -> Order {
        let mut order = Order::new("maker".parse().expect("a name"), "sql");
        order.order_id = Some(id.into());
        order
    }

    #[test]
    fn what_was_stopped_before_stays_stopped_and_what_lives_now_lives() {
        use StopOutcome::{NotRunning, Stopped, Survived};
        for (earlier, later, both) in [
            (Stopped, NotRunning, Stopped),
            (Survived, NotRunning, Stopped),
            (NotRunning, NotRunning, NotRunning),
            (Stopped, Survived, Survived),
            (NotRunning, Stopped, Stopped),
        ] {
            assert_eq!(bot(later).after(bot(earlier)).outcome, Some(both));
        }
    }

    #[test]
    fn processes_and_errors_of_the_first_are_kept() {
        let process = |ended_by: Option<&str>| ProcessReport {
            pid: 7,
            command: "run".into(),
            found_by: Tier::Keeper,
            file: None,
            ended_by: ended_by.map(str::to_owned),
        };
        let mut earlier = bot(StopOutcome::Survived);
        earlier.processes.push(process(None));
        earlier.errors.push("still there at the end of its ladder".into());
        let both = bot(StopOutcome::NotRunning).after(earlier.clone());
        assert_eq!(both.processes, [process(Some("unknown"))]);
        assert_eq!(
            (both.errors.len(), both.notes.as_slice()),
            (0, &["at first: still there at the end of its ladder".to_owned()][..])
        );
        let mut later = bot(StopOutcome::Stopped);
        later.processes.push(process(Some("SIGKILL")));
        assert_eq!(later.after(earlier).processes, [process(Some("SIGKILL"))]);
    }

    #[test]
    fn figures_of_orders_add_up_and_none_is_counted_twice() {
        let earlier = OrdersReport {
            before: Some(4),
            canceled: 2,
            unconfirmed: 2,
            open: vec![order("c"), order("d")],
            ..OrdersReport::default()
        };
        // "c" went between the two, "d" was canceled by the second.
        let later = OrdersReport {
            before: Some(1),
            canceled: 1,
            verified: true,
            results: vec![crate::core::report::OrderResult {
                order_id: Some("d".into()),
                client_order_id: None,
                result: crate::core::report::CancelResult::Canceled,
                attempts: 1,
                message: None,
            }],
            ..OrdersReport::default()
        };
        let both = later.after(earlier.clone());
        assert_eq!((both.before, both.canceled, both.unconfirmed), (Some(4), 4, 0));
        let blind = BotReport { unasked: true, ..bot(StopOutcome::NotRunning) };
        let both = blind.after(BotReport { orders: Some(earlier), ..bot(StopOutcome::Stopped) });
        assert_eq!(both.orders, None);
    }
}
