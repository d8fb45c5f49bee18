//! What became of one bot, in lines: those of `stop` and of `estop`.

use crate::core::report::BotReport;

use super::output::Output;

/// Shows one bot's part of a report: results on standard output, what went wrong on standard error.
pub(super) fn show(action: &str, bot: &BotReport, output: Output) {
    let text = bot.line(action);
    let bad = bot.survived() || bot.orders.as_ref().is_some_and(|orders| orders.unconfirmed > 0);
    output.line(&if bot.survived() { output.red(&text) } else { text });
    for line in bot.says_line().into_iter().chain(bot.seen_line().filter(|_| bot.outcome.is_some())) {
        let text = format!("  {}: {line}", bot.name);
        output.line(&if bad && line.starts_with("orders seen") { output.red(&text) } else { text });
    }
    if bot.minded() && bot.outcome.is_some() {
        output.line(&format!("  {}: {}", bot.name, bot.summary(action)));
    }
    for note in &bot.notes {
        output.line(&format!("  {}: {note}", bot.name));
    }
    for error in &bot.errors {
        output.complain(&format!("{}: {error}", bot.name));
    }
}
