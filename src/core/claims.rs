//! What a bot's log claims while it shuts down. Claims are shown beside what was verified and never in its place: "Orders
//! canceled: 3" has been seen with every cancel refused.

use std::collections::BTreeSet;

use regex::{Regex, RegexSet};

use super::bot::Claims;
use super::report::ClaimsReport;

/// No more lines are kept to be shown, and none is longer: a bot that fails in a loop says the same for ever.
const LINES: usize = 64;
const LONGEST: usize = 240;

/// Reads lines of a log for claims, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Reader {
    rules: Vec<Rule>,
    /// All of them at once: nearly every line of a log matches none. Absent where they are too large together.
    any: Option<RegexSet>,
    /// What it said at last.
    last: ClaimsReport,
    /// What its steps add up to, until it says a last word.
    steps: ClaimsReport,
    /// Orders whose failed cancels were counted already: some bots try twice, and the same order fails twice.
    failed: BTreeSet<String>,
    lines: Vec<String>,
    wrong: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    pattern: Regex,
    means: Means,
}

/// What a line claims that matches; the value is the first group.
#[derive(Clone, Copy, Debug)]
enum Means {
    /// So many orders were canceled, all in all.
    Canceled,
    /// So many cancels went wrong, all in all.
    Errors,
    /// Its state is on disk, or is not.
    Flushed,
    /// So many orders more were canceled.
    CanceledMore,
    /// One order more was canceled.
    CanceledOne,
    /// There was no order to cancel.
    NoOrder,
    /// One cancel more went wrong; a group names the order, if the same one is to be counted once.
    Failed,
    /// Only worth showing.
    Notable,
    /// Something else went wrong.
    Wrong,
}

/// The last words of 247trader's shutdown (`runner/main_loop.py`), and the steps before them.
const TRADER_247: &[(&str, Means)] = &[
    (r"(?i)\borders cancell?ed:\s*(\d+)\s*$", Means::Canceled),
    (r"(?i)\bcancel errors:\s*(\d+)\s*$", Means::Errors),
    (r"(?i)\bstate flushed:\s*(\w+)\s*$", Means::Flushed),
    (r"(?i)\bbatch cancell?ed (\d+) orders?\b", Means::CanceledMore),
    (r"(?i)\bno active orders to cancel\b", Means::NoOrder),
    (r"(?i)\bfailed to cancel order\b", Means::Failed),
    (r"\bSHUTDOWN SIGNAL RECEIVED\b", Means::Notable),
    (r"(?i)\bfound \d+ active orders? to cancel\b", Means::Notable),
    (r"\bDRY_RUN mode - skipping order cancell?ation\b", Means::Notable),
    (r"(?i)\b(?:invalid|illegal|failed|cannot)\b.*\btransition\b", Means::Wrong),
    (r"(?i)\btransition\b.*\b(?:invalid|illegal|failed|refused)\b", Means::Wrong),
    (r"(?i)\b(?:failed|cannot|could not|error while)\b.*\bflush", Means::Wrong),
    (r"\bGRACEFUL SHUTDOWN COMPLETE\b", Means::Notable),
];

/// freqtrade says no figures: its lines are counted. From `cleanup`, `cancel_all_open_orders`, `handle_cancel_enter` and
/// `handle_cancel_exit` of `freqtrade/freqtradebot.py`, with the words of `CANCEL_REASON` in `freqtrade/constants.py`. The
/// reason of an exit that is partly filled is "partially filled"; one that stays open for that is not logged in these
/// words. An order that was "cancelled on exchange" or "due to timeout" was not canceled by the shutdown. Entries that
/// could not be canceled are not caught there, but end the whole cleanup: "Exception during cleanup". It tries twice
/// (`process_stopped`, then `cleanup`), so the same order counts once. Nothing is said of its state.
const FREQTRADE: &[(&str, Means)] = &[
    (r"(?i)\b(?:buy|sell) order cancelled \(all unfilled\b", Means::CanceledOne),
    (r"(?i)\b(?:buy|sell) order partially filled for trade\(", Means::CanceledOne),
    (r"\bOrder (\S+) for \S+ not cancelled\b", Means::Failed),
    (r"\bCould not cancel (?:buy|sell) order (\S+)", Means::Failed),
    (r"\bCan't query order for (Trade\(id=\d+)", Means::Failed),
    (r"\b(Exception during cleanup): ", Means::Failed),
    (r"\bCleaning up modules\b", Means::Notable),
    (r"\b\d+ open trades active\b", Means::Notable),
];

impl Reader {
    /// A reader of these claims; without any it hears nothing. A pattern that is none is passed over: the configuration
    /// was checked, so it stands in a damaged record.
    pub fn new(claims: Option<&Claims>) -> Self {
        let rules: Vec<Rule> = match claims {
            None => Vec::new(),
            Some(Claims::Preset(name)) => {
                let known = match name.as_str() {
                    "247trader" => TRADER_247,
                    "freqtrade" => FREQTRADE,
                    _ => &[],
                };
                known.iter().filter_map(|(pattern, means)| Rule::new(pattern, *means)).collect()
            }
            Some(Claims::Patterns { orders_canceled, cancel_errors, state_flushed }) => {
                let patterns = [
                    (orders_canceled, Means::Canceled),
                    (cancel_errors, Means::Errors),
                    (state_flushed, Means::Flushed),
                ];
                patterns.iter().filter_map(|(pattern, means)| Rule::new(pattern.as_deref()?, *means)).collect()
            }
        };
        let any = RegexSet::new(rules.iter().map(|rule| rule.pattern.as_str())).ok();
        Self { rules, any, ..Self::default() }
    }

    /// Takes in one line, without its end.
    pub fn hear(&mut self, line: &str) {
        let mut shown: Option<usize> = None;
        let mut wrong = false;
        let may = self.any.as_ref().map(|any| any.matches(line));
        for rule in self
            .rules
            .iter()
            .enumerate()
            .filter(|(at, _)| may.as_ref().is_none_or(|may| may.matched(*at)))
            .map(|(_, rule)| rule)
        {
            let Some(found) = rule.pattern.captures(line) else { continue };
            let value = found.get(1).map_or("", |group| group.as_str());
            let believed = match rule.means {
                Means::Canceled => set(&mut self.last.orders_canceled, number(value)),
                Means::Errors => set(&mut self.last.cancel_errors, number(value)),
                Means::Flushed => set(&mut self.last.state_flushed, truth(value)),
                Means::CanceledMore => add(&mut self.steps.orders_canceled, number(value)),
                Means::CanceledOne => add(&mut self.steps.orders_canceled, Some(1)),
                Means::NoOrder => add(&mut self.steps.orders_canceled, Some(0)),
                Means::Failed if !value.is_empty() && !self.failed.insert(value.to_owned()) => true,
                Means::Failed => add(&mut self.steps.cancel_errors, Some(1)),
                Means::Notable | Means::Wrong => true,
            };
            wrong |= matches!(rule.means, Means::Failed | Means::Wrong);
            if believed {
                let from = found.get(0).map_or(0, |whole| whole.start());
                shown = Some(shown.map_or(from, |earlier| earlier.min(from)));
            }
        }
        if let Some(from) = shown
            && self.lines.len() < LINES
        {
            // What stands before it are the time and the names of whoever logs.
            let text: String = line.get(from..).unwrap_or(line).trim().chars().take(LONGEST).collect();
            if wrong && !self.wrong.contains(&text) {
                self.wrong.push(text.clone());
            }
            if self.lines.last() != Some(&text) {
                self.lines.push(text);
            }
        }
    }

    /// What was claimed so far; nothing where nothing was said.
    pub fn heard(&self) -> ClaimsReport {
        ClaimsReport {
            orders_canceled: self.last.orders_canceled.or(self.steps.orders_canceled),
            cancel_errors: self.last.cancel_errors.or(self.steps.cancel_errors),
            state_flushed: self.last.state_flushed,
        }
    }

    /// Those of its lines that tell of something that went wrong.
    pub fn went_wrong(&self) -> &[String] {
        &self.wrong
    }

    /// The lines of its shutdown that are worth showing, in their order, without what a logger puts before them.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

impl Rule {
    fn new(pattern: &str, means: Means) -> Option<Self> {
        Some(Self { pattern: Regex::new(pattern).ok()?, means })
    }
}

/// The claims of one bot in several files. It may write the same into each, and one of them may be wrapped: the greater
/// figure counts, and state that is not flushed by one of them is not flushed.
pub fn together(heard: impl IntoIterator<Item = ClaimsReport>) -> ClaimsReport {
    heard.into_iter().fold(ClaimsReport::default(), |all, one| ClaimsReport {
        orders_canceled: all.orders_canceled.max(one.orders_canceled),
        cancel_errors: all.cancel_errors.max(one.cancel_errors),
        state_flushed: match (all.state_flushed, one.state_flushed) {
            (Some(all), Some(one)) => Some(all && one),
            (all, one) => all.or(one),
        },
    })
}

/// Whether there was a value to set.
fn set<T>(figure: &mut Option<T>, value: Option<T>) -> bool {
    let said = value.is_some();
    if said {
        *figure = value;
    }
    said
}

/// Whether there was a value to add.
fn add(figure: &mut Option<u64>, value: Option<u64>) -> bool {
    set(figure, value.map(|value| figure.unwrap_or(0).saturating_add(value)))
}

/// A number as people write it; what is negative or too large is no claim.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "ok" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(claims: &Claims, lines: &[&str]) -> (Option<u64>, Option<u64>, Option<bool>) {
        let mut reader = Reader::new(Some(claims));
        for line in lines {
            reader.hear(line);
        }
        let heard = reader.heard();
        (heard.orders_canceled, heard.cancel_errors, heard.state_flushed)
    }

    #[test]
    fn what_247trader_says_is_understood() {
        let preset = Claims::Preset("247trader".into());
        for (lines, claimed) in [
            (&[][..], (None, None, None)),
            (
                &["2026-11-21 23:42:51,403 WARNING __main__: DRY_RUN mode - skipping order cancellation"],
                (None, None, None),
            ),
            (
                &[
                    "2026-11-21 23:42:51,403 INFO __main__:   Orders canceled: 3",
                    "2026-11-21 23:42:51,403 INFO __main__:   Cancel errors: 1",
                    "2026-11-21 23:42:51,403 INFO __main__:   State flushed: True",
                ],
                (Some(3), Some(1), Some(true)),
            ),
            (&["  orders CANCELLED: 3 ", "  State flushed: false"], (Some(3), None, Some(false))),
            (&["No active orders to cancel"], (Some(0), None, None)),
            (&["Batch canceled 2 orders", "Batch canceled 1 orders"], (Some(3), None, None)),
            (&["Failed to cancel order a-1: 429", "Failed to cancel order a-2: 429"], (None, Some(2), None)),
            // The last word replaces what the steps add up to.
            (
                &[
                    "Batch canceled 2 orders",
                    "Failed to cancel order a-1: no",
                    "Orders canceled: 5",
                    "Cancel errors: 0",
                ],
                (Some(5), Some(0), None),
            ),
            (&["Orders canceled: 5", "Batch canceled 2 orders"], (Some(5), None, None)),
            (
                &["Orders canceled: -1", "Cancel errors: 18446744073709551616", "State flushed: perhaps"],
                (None, None, None),
            ),
            (&["Orders canceled: 3.5", "Orders canceled: many"], (None, None, None)),
            (&["Orders canceled: 1", "Orders canceled: 4"], (Some(4), None, None)),
        ] {
            assert_eq!(heard(&preset, lines), claimed, "{lines:?}");
        }
    }

    #[test]
    fn what_freqtrade_says_is_counted() {
        let preset = Claims::Preset("freqtrade".into());
        let all = "cancelled (all unfilled and partially filled open orders cancelled)";
        let entry = format!(
            "2026-11-21 23:31:02,730 - freqtrade.freqtradebot - INFO - Buy order {all} for Trade(id=1, pair=X)."
        );
        let exit = format!("x - INFO - Sell order {all} for Trade(id=2, pair=Y).");
        for (lines, claimed) in [
            (&["x - freqtrade.freqtradebot - INFO - Cleaning up modules ..."][..], (None, None)),
            (&[entry.as_str(), exit.as_str()], (Some(2), None)),
            (&["Sell order partially filled for Trade(id=3, pair=Z)."], (Some(1), None)),
            (&["Buy order cancelled due to timeout for Trade(id=3, pair=Z)."], (None, None)),
            (&["Buy order fully cancelled. Removing Trade(id=1) from database."], (None, None)),
            (&["Order 17 for X/Y not cancelled.", "Order 17 for X/Y not cancelled."], (None, Some(1))),
            (
                &["Could not cancel sell order 18", "Can't query order for Trade(id=4, pair=A) due to x"],
                (None, Some(2)),
            ),
            (&["x - WARNING - Exception during cleanup: InvalidOrderException no", entry.as_str()], (Some(1), Some(1))),
        ] {
            let (canceled, errors, flushed) = heard(&preset, lines);
            assert_eq!(((canceled, errors), flushed), (claimed, None), "{lines:?}");
        }
    }

    #[test]
    fn patterns_of_the_configuration_are_used_as_they_are() {
        let patterns = |orders: &str, errors: Option<&str>, state: &str| Claims::Patterns {
            orders_canceled: Some(orders.into()),
            cancel_errors: errors.map(str::to_owned),
            state_flushed: Some(state.into()),
        };
        for word in ["True", "true", "1", "yes", "ok", "OK"] {
            let line = format!("gone=4 saved={word};");
            assert_eq!(heard(&patterns(r"gone=(\d+)", None, "saved=(.*);"), &[&line]), (Some(4), None, Some(true)));
        }
        for word in ["False", "0", "no"] {
            let line = format!("gone=-4 saved={word};");
            assert_eq!(heard(&patterns(r"gone=(\S+)", None, "saved=(.*);"), &[&line]), (None, None, Some(false)));
        }
        // Each of these is as large as may be, and together they are larger.
        let large = |word: &str| format!(r"{word}=(\d{{1,500}});\w{{0,70}}");
        let all = Claims::Patterns {
            orders_canceled: Some(large("gone")),
            cancel_errors: Some(large("left")),
            state_flushed: Some(large("saved")),
        };
        let mut reader = Reader::new(Some(&all));
        assert!(reader.rules.len() == 3 && reader.any.is_none(), "{}", reader.rules.len());
        reader.hear("gone=4; left=2; saved=1;");
        let said = ClaimsReport { orders_canceled: Some(4), cancel_errors: Some(2), state_flushed: Some(true) };
        assert_eq!(reader.heard(), said);
        // A damaged record: what is no pattern is passed over, what has no group says nothing.
        assert_eq!(heard(&patterns("(", Some("failed"), "saved"), &["( failed saved"]), (None, None, None));
        assert_eq!(heard(&Claims::Preset("nobody".into()), &["Orders canceled: 3"]), (None, None, None));
        let mut nobody = Reader::new(None);
        nobody.hear("Orders canceled: 3");
        assert_eq!((nobody.heard(), nobody.lines().len()), (ClaimsReport::default(), 0));
    }

    #[test]
    fn lines_worth_showing_come_without_what_the_logger_adds() {
        let mut reader = Reader::new(Some(&Claims::Preset("247trader".into())));
        for line in [
            "2026-11-21 23:42:51,403 WARNING __main__: SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown",
            "2026-11-21 23:42:51,403 INFO __main__: tick",
            "2026-11-21 23:42:51,403 ERROR core.orders: Failed to cancel order a-1: 429 too many",
            "2026-11-21 23:42:51,403 ERROR core.orders: Invalid state transition open -> new",
            "2026-11-21 23:42:51,403 INFO __main__: GRACEFUL SHUTDOWN COMPLETE",
            "2026-11-21 23:42:51,403 INFO __main__: GRACEFUL SHUTDOWN COMPLETE",
        ] {
            reader.hear(line);
        }
        assert_eq!(
            reader.lines(),
            [
                "SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown",
                "Failed to cancel order a-1: 429 too many",
                "Invalid state transition open -> new",
                "GRACEFUL SHUTDOWN COMPLETE",
            ]
        );
        for number in 0..1000 {
            reader.hear(&format!("Failed to cancel order {number}: {}", "x".repeat(1000)));
        }
        assert_eq!(reader.lines().len(), LINES);
        assert!(reader.lines().iter().all(|line| line.len() <= LONGEST));
        assert_eq!(reader.heard().cancel_errors, Some(1001));
    }

    #[test]
    fn what_several_files_say_is_put_together() {
        let claim = |canceled, errors, flushed| ClaimsReport {
            orders_canceled: canceled,
            cancel_errors: errors,
            state_flushed: flushed,
        };
        assert_eq!(together([]), ClaimsReport::default());
        assert_eq!(
            together([
                claim(Some(3), None, Some(true)),
                claim(Some(2), Some(1), None),
                claim(None, Some(0), Some(false))
            ]),
            claim(Some(3), Some(1), Some(false))
        );
    }
}
