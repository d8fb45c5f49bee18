//! Who cancels a bot's orders: a command of the configuration, or the interface that the bot itself listens on.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::millis;
use crate::config::visible;
use crate::core::bot::{BotName, Mode};
use crate::core::ledger::Said;
use crate::core::order::Order;
use crate::core::report::CancelResult;
use crate::core::words::without;
use crate::orders::Surroundings;
use crate::orders::program;

use super::setting::Setting;

/// What is said of an order is cut to this many characters.
const LONGEST: usize = 300;

/// What a cancel command is told on its stdin: the contract's object.
#[derive(Debug, Serialize)]
struct Request<'a> {
    bot: &'a BotName,
    mode: Option<Mode>,
    orders: &'a [Order],
    deadline_ms: u64,
}

/// One line of its answer.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    order_id: Option<Value>,
    #[serde(default)]
    client_order_id: Option<Value>,
    result: Option<String>,
    #[serde(default)]
    message: Option<Value>,
}

/// Has these canceled by the bot's cancel command; what it said of each, and what went wrong with the command itself.
pub(super) fn by_command(
    setting: &Setting,
    surroundings: &Surroundings,
    orders: &[Order],
    within: Duration,
) -> (Vec<Said>, Option<String>) {
    let Some(cancel) = &setting.cancel else { return (Vec::new(), Some("it has no cancel command".into())) };
    let request = Request { bot: &setting.bot, mode: setting.mode, orders, deadline_ms: millis(within) };
    let input = match serde_json::to_vec(&request) {
        Ok(input) => [&input[..], b"\n"].concat(),
        Err(error) => return (Vec::new(), Some(format!("its cancel command cannot be asked: {error}"))),
    };
    let (stdout, trouble) = match program::run(&cancel.command, surroundings, &input, within) {
        Ok(output) => (output.stdout, None),
        Err(trouble) => (trouble.stdout, Some(format!("its cancel command: {}", trouble.why))),
    };
    let (mut said, nonsense) = answers(&stdout, orders);
    // What it says may hold what only it was to know.
    let secrets = surroundings.secrets();
    for said in &mut said {
        said.message = said.message.take().map(|message| without(&message, &secrets));
    }
    (said, trouble.or(nonsense).map(|trouble| without(&trouble, &secrets)))
}

/// What the lines of an answer say, as far as they are answers.
fn answers(stdout: &[u8], orders: &[Order]) -> (Vec<Said>, Option<String>) {
    let mut said = Vec::new();
    let mut nonsense = None;
    for line in stdout.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        if let Some(answer) = serde_json::from_slice::<Line>(line).ok().and_then(|line| answer(line, orders)) {
            said.push(answer);
        } else {
            let line = cut(&String::from_utf8_lossy(line), 60);
            nonsense.get_or_insert_with(|| format!("its cancel command printed what is no answer: {line}"));
        }
    }
    if said.is_empty() && nonsense.is_none() && !orders.is_empty() {
        nonsense = Some("its cancel command printed no answer".into());
    }
    (said, nonsense)
}

fn answer(line: Line, orders: &[Order]) -> Option<Said> {
    let word = line.result?;
    let id = [line.order_id, line.client_order_id].into_iter().flatten().find_map(|id| match id {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    // Of one that has no id, an answer can only be about that one.
    let order = id.or_else(|| orders.first().filter(|_| orders.len() == 1).map(Order::key))?;
    let message = line.message.and_then(|message| match message {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(cut(&text, LONGEST)),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(cut(&other.to_string(), LONGEST))
        }
    });
    let (result, message) = match word.trim().to_ascii_lowercase().as_str() {
        "canceled" | "cancelled" => (CancelResult::Canceled, message),
        "filled" => (CancelResult::Filled, message),
        "gone" => (CancelResult::Gone, message),
        "refused" => (CancelResult::Refused, message),
        "unknown" => (CancelResult::Unknown, message),
        _ => (CancelResult::Unknown, Some(cut(&format!("{word}: {}", message.unwrap_or_default()), LONGEST))),
    };
    Some(Said { order, result, message })
}

fn cut(text: &str, longest: usize) -> String {
    let cut: String = text.trim().chars().take(longest).collect();
    visible(&cut).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: Option<&str>) -> Order {
        let mut order = Order::new("maker".parse().expect("a name"), "sql");
        order.order_id = id.map(str::to_owned);
        order
    }

    #[test]
    fn every_line_that_is_an_answer_counts_and_what_is_none_is_told() {
        let two = [order(Some("a")), order(Some("7"))];
        let text = b"{\"order_id\":\"a\",\"result\":\"canceled\",\"message\":null}\nhello \x1b[31m\n\n\
                     {\"order_id\":7,\"result\":\"REFUSED\",\"message\":\"429 \\u001b[2J\"}\n";
        let (said, nonsense) = answers(text, &two);
        assert_eq!(said[0], Said { order: "a".into(), result: CancelResult::Canceled, message: None });
        assert_eq!((said.len(), said[1].result, said[1].order.as_str()), (2, CancelResult::Refused, "7"));
        assert!(said[1].message.as_ref().is_some_and(|text| !text.contains('\x1b')));
        assert!(nonsense.is_some_and(|why| why.contains("no answer: hello") && !why.contains('\x1b')));
    }

    #[test]
    fn an_answer_without_an_id_is_about_the_only_order_that_was_asked_about() {
        let line = b"{\"result\":\"gone\"}";
        let (said, nonsense) = answers(line, &[order(None)]);
        assert_eq!((said[0].order.clone(), said[0].result), (order(None).key(), CancelResult::Gone));
        assert_eq!(nonsense, None);
        let (said, nonsense) = answers(line, &[order(None), order(Some("b"))]);
        assert!(said.is_empty() && nonsense.is_some());
    }

    #[test]
    fn a_word_that_nobody_knows_leaves_an_order_unknown_and_silence_is_told() {
        let (said, _) =
            answers(b"{\"order_id\":\"a\",\"result\":\"maybe\",\"message\":\"later\"}", &[order(Some("a"))]);
        assert_eq!((said[0].result, said[0].message.as_deref()), (CancelResult::Unknown, Some("maybe: later")));
        assert_eq!(answers(b"", &[order(Some("a"))]).1.as_deref(), Some("its cancel command printed no answer"));
    }
}
