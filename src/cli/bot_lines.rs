//! What became of one bot, in lines: those of `stop` and of `estop`.

use crate::core::report::BotReport;

use super::output::Output;

/// What there is to say of one bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BotLines(Vec<(Tone, String)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    /// Nobody may miss it.
    Loud,
    /// It went wrong: for standard error.
    Wrong,
}

impl BotLines {
    /// One bot's part of a report.
    pub(super) fn of(action: &str, bot: &BotReport) -> Self {
        let bad = bot.survived() || bot.orders.as_ref().is_some_and(|orders| orders.unconfirmed > 0);
        let loud = |is_loud| if is_loud { Tone::Loud } else { Tone::Plain };
        let mut lines = vec![(loud(bot.survived()), bot.line(action))];
        for line in bot.says_line().into_iter().chain(bot.seen_line().filter(|_| bot.outcome.is_some())) {
            lines.push((loud(bad && line.starts_with("orders seen")), format!("  {}: {line}", bot.name)));
        }
        if bot.minded() && bot.outcome.is_some() {
            lines.push((Tone::Plain, format!("  {}: {}", bot.name, bot.summary(action))));
        }
        lines.extend(bot.notes.iter().map(|note| (Tone::Plain, format!("  {}: {note}", bot.name))));
        lines.extend(bot.errors.iter().map(|error| (Tone::Wrong, format!("{}: {error}", bot.name))));
        Self(lines)
    }

    /// Shows them: results on standard output, what went wrong on standard error.
    pub(super) fn show(&self, output: Output) {
        for (tone, text) in &self.0 {
            match tone {
                Tone::Plain => output.line(text),
                Tone::Loud => output.line(&output.red(text)),
                Tone::Wrong => output.complain(text),
            }
        }
    }
}

/// Shows one bot's part of a report.
pub(super) fn show(action: &str, bot: &BotReport, output: Output) {
    BotLines::of(action, bot).show(output);
}
