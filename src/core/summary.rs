//! What became of orders and state, in lines: the command line, the screen, the events and the bot's log say these.

use super::report::{BotReport, ClaimsReport, OrdersReport, Report, StopOutcome};

/// How an error begins that names an order which is still open.
pub const NOT_CONFIRMED: &str = "not confirmed canceled: ";

impl BotReport {
    /// Whether somebody looked at its orders or its state, or it said something of them.
    pub fn minded(&self) -> bool {
        self.orders.is_some() || self.unasked || self.state_flushed.is_some() || self.claims != ClaimsReport::default()
    }

    /// What was seen of its orders, as a line; nothing where nothing was stopped and nobody looked.
    pub fn seen_line(&self) -> Option<String> {
        match &self.orders {
            Some(orders) => {
                let before = orders.before.map_or_else(String::new, |before| format!("{before} before; "));
                let when = orders.read_at.map(|at| format!(" {}", at.strftime("%H:%M:%S UTC"))).unwrap_or_default();
                Some(format!("orders seen: {before}{}{when}", orders.summary()))
            }
            None if self.unasked => Some("orders seen: UNKNOWN, they cannot be read".to_owned()),
            // That nothing is known is no zero.
            None if matches!(self.outcome, Some(StopOutcome::Stopped | StopOutcome::Survived)) => {
                Some("orders seen: unknown, no source of them is configured".to_owned())
            }
            None => None,
        }
    }

    /// What it said of its shutdown, as a line; nothing where it said nothing.
    pub fn says_line(&self) -> Option<String> {
        let claims = &self.claims;
        let parts = [
            claims.orders_canceled.map(|count| format!("orders canceled {count}")),
            claims.cancel_errors.map(|count| format!("cancel errors {count}")),
            claims.state_flushed.map(|flushed| format!("state flushed {}", if flushed { "True" } else { "False" })),
        ];
        let said: Vec<String> = parts.into_iter().flatten().collect();
        (!said.is_empty()).then(|| format!("it says: {}", said.join(", ")))
    }

    /// The whole in a line: orders canceled, cancel errors, state flushed, duration, exit code.
    pub fn summary(&self, action: &str) -> String {
        let flushed = match self.state_flushed {
            Some(true) if self.state_written == Some(true) => "yes",
            Some(true) => "by its own word",
            Some(false) => "NO",
            None => "unknown",
        };
        summary(self.orders.as_ref(), flushed, self.duration_ms, self.code(action).number())
    }
}

impl Report {
    /// The whole in a line, for all bots together; nothing where nobody looked at the orders or the state of any.
    pub fn summary(&self) -> Option<String> {
        let minded: Vec<&BotReport> = self.bots.iter().filter(|bot| bot.minded()).collect();
        if minded.is_empty() {
            return None;
        }
        let mut all = OrdersReport::default();
        for orders in minded.iter().filter_map(|bot| bot.orders.as_ref()) {
            all.canceled += orders.canceled;
            all.filled += orders.filled;
            all.errors += orders.errors;
            all.unconfirmed += orders.unconfirmed;
            all.skipped += orders.skipped;
            all.kept += orders.kept;
        }
        let known = minded.iter().any(|bot| bot.orders.is_some()).then_some(&all);
        let spoke = minded.iter().filter(|bot| bot.state_flushed.is_some()).count();
        let is_flushed = |bot: &&&BotReport| bot.state_flushed == Some(true);
        let seen = minded.iter().filter(is_flushed).filter(|bot| bot.state_written == Some(true)).count();
        let said = minded.iter().filter(is_flushed).count() - seen;
        let by_word = if said == 0 { String::new() } else { format!(" and {said} by its own word") };
        let flushed = if spoke == 0 { "unknown".to_owned() } else { format!("{seen} of {spoke}{by_word}") };
        Some(summary(known, &flushed, self.duration_ms, self.code().number()))
    }
}

fn summary(orders: Option<&OrdersReport>, flushed: &str, ms: u64, code: u8) -> String {
    let orders = orders.map_or_else(
        || "orders unknown".to_owned(),
        |orders| {
            let more = [
                (orders.filled, "filled"),
                (orders.unconfirmed, "NOT CONFIRMED"),
                (orders.skipped, "skipped"),
                (orders.kept, "kept"),
            ];
            let more = more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what} {count}"));
            let always = [format!("orders canceled {}", orders.canceled), format!("cancel errors {}", orders.errors)];
            always.into_iter().chain(more).collect::<Vec<_>>().join(", ")
        },
    );
    format!("{orders}, state flushed {flushed}, {}.{} s, exit code {code}", ms / 1000, ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> BotReport {
        let mut report = BotReport::new("maker".parse().expect("a name"));
        report.outcome = Some(StopOutcome::Stopped);
        report.duration_ms = 3240;
        report
    }

    #[test]
    fn a_summary_has_its_five_figures_and_shouts_what_is_not_confirmed() {
        let mut bot = report();
        assert!(!bot.minded());
        bot.orders = Some(OrdersReport { before: Some(4), canceled: 4, verified: true, ..OrdersReport::default() });
        bot.state_flushed = Some(true);
        assert!(bot.summary("stop").contains("state flushed by its own word"));
        bot.state_written = Some(true);
        assert_eq!(bot.summary("stop"), "orders canceled 4, cancel errors 0, state flushed yes, 3.2 s, exit code 0");
        assert_eq!(bot.seen_line().as_deref(), Some("orders seen: 4 before; 4 canceled, 0 open, verified"));
        let liar = OrdersReport { before: Some(2), unconfirmed: 2, ..OrdersReport::default() };
        let mut lies = BotReport { orders: Some(liar), state_flushed: Some(false), ..report() };
        lies.claims = ClaimsReport { orders_canceled: Some(2), cancel_errors: Some(0), state_flushed: Some(true) };
        let text = "orders canceled 0, cancel errors 0, NOT CONFIRMED 2, state flushed NO, 3.2 s, exit code 11";
        assert_eq!(lies.summary("stop"), text);
        let says = "it says: orders canceled 2, cancel errors 0, state flushed True";
        assert_eq!(lies.says_line().as_deref(), Some(says));
        let at = jiff::Timestamp::UNIX_EPOCH;
        let both = Report::of("stop", "ana", at, vec![bot, lies, report()]);
        let text = "orders canceled 4, cancel errors 0, NOT CONFIRMED 2, state flushed 1 of 2, 0.0 s, exit code 11";
        assert_eq!(both.summary().as_deref(), Some(text));
        assert_eq!(Report::of("stop", "ana", at, vec![report()]).summary(), None);
    }

    #[test]
    fn a_source_that_could_not_be_asked_is_no_zero() {
        let bot = BotReport { unasked: true, errors: vec!["locked".into()], ..report() };
        assert_eq!(bot.seen_line().as_deref(), Some("orders seen: UNKNOWN, they cannot be read"));
        assert_eq!(bot.summary("stop"), "orders unknown, state flushed unknown, 3.2 s, exit code 14");
    }
}
