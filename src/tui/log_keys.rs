//! What the keys of the logs do, and what follows for them from anything else: which logs are looked at, and what is asked
//! of whoever reads them.

use crate::core::bot::BotName;
use crate::core::level::Level;
use crate::core::ui::Stamps;

use super::effect::{Effect, tell};
use super::log_news::{LogNews, View, Whose};
use super::log_page::{self, Face};
use super::logbook::Logbook;
use super::model::{Focus, Model, Pane, Tone};
use super::panes::go;

/// Lines that are cut are shifted by so many columns.
const SHIFT: usize = 20;

/// No line is wider; see `ansi`.
const FURTHEST: usize = 64 << 10;

/// Takes in what was told of logs.
pub(super) fn hear(model: &mut Model, news: LogNews) {
    if news.view == model.log.view.number {
        model.log.hear(news.what, model.now.mono);
    }
}

/// What follows from anything: what is looked at is what is chosen, a match is on the screen, and lines come in time.
pub(super) fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    // While a filter is being typed, the list is another one with every letter.
    let typing = matches!(&model.focus, Focus::Typing(prompt) if prompt.pane == Pane::Bots);
    let chosen = if model.merged && typing { model.log.view.of.clone() } else { chosen(model) };
    if model.log.view.of != chosen || model.log.view.least != model.least {
        let same = model.log.view.of == chosen;
        let view = View { number: model.log.view.number + 1, of: chosen, least: model.least };
        let before = std::mem::take(&mut model.log);
        model.log = Logbook::open(view, &before);
        if same {
            model.log.search_as(&before);
        }
    }
    let (face, rows) = Face::own(model);
    if rows > 0 {
        let match_at = model.log.to_bring();
        model.log.bring(rows, |line| face.tall(line));
        if let Some(sideways) = match_at.and_then(|line| face.sideways_to(&model.log, line)) {
            model.log.sideways = sideways;
        }
    }
    model.log.settle(rows, model.now.mono);
    effects.extend(model.log.asks().into_iter().map(Effect::Log));
}

/// Whose logs are looked at: that of the bot under the cursor, or where several are merged, those of the marked bots, else
/// of all that the list shows. In the order of their names: sorting the list changes nothing here.
fn chosen(model: &Model) -> Vec<Whose> {
    let whose = |name: &BotName| {
        let spec = model.spec(name);
        let file = spec.and_then(|spec| spec.log_file.clone());
        Whose { bot: name.clone(), file, zone: spec.and_then(|spec| spec.env.get("TZ").cloned()) }
    };
    if !model.merged {
        return model.cursor.iter().map(whose).collect();
    }
    if model.marked.len() > 1 {
        return model.marked.iter().map(whose).collect();
    }
    let mut shown: Vec<&BotName> = model.shown().map(|bot| &bot.name).collect();
    shown.sort();
    shown.into_iter().map(whose).collect()
}

/// On to the next match below what the reader sees, or to the next one above.
pub(super) fn step(model: &mut Model, effects: &mut Vec<Effect>, forward: bool) {
    let Some(search) = model.log.search() else {
        tell(model, effects, Tone::Plain, "nothing is searched for; / searches, e finds errors");
        return;
    };
    if search.is_vain() {
        let what = if search.is_for_errors() { "no error in this log" } else { "no match; / searches" };
        tell(model, effects, Tone::Plain, what);
        return;
    }
    let from = stands_at(model, forward);
    model.log.step(from, forward, model.now.mono);
}

/// The line that the reader stands at: that of the last match while it is seen, else what is just off the screen on the
/// other side.
fn stands_at(model: &Model, forward: bool) -> u64 {
    let (face, rows) = Face::own(model);
    let page = log_page::rows(&model.log, &face, rows);
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return model.log.end() };
    let at = model.log.search().and_then(|search| search.at).map(|(line, _)| line);
    match at.filter(|line| (first.number..=last.number).contains(line)) {
        Some(line) => line,
        None if forward => first.number.saturating_sub(1),
        None => last.number + 1,
    }
}

/// Searches for what was typed; for what was searched for last, where nothing was. The nearest match upwards comes first.
pub(super) fn look_for(model: &mut Model, effects: &mut Vec<Effect>, typed: &str) {
    let text = if typed.is_empty() { model.log.last_search().to_owned() } else { typed.to_owned() };
    if text.is_empty() {
        model.log.end_search();
        return;
    }
    let is_pattern = model.log.look_for(&text);
    if model.log.search().is_some() {
        let from = stands_at(model, false);
        model.log.step(from, false, model.now.mono);
    }
    if !is_pattern {
        let text = match model.log.search() {
            Some(_) => format!("no regular expression, so searched for as text: {text}"),
            None => "too long to search for".to_owned(),
        };
        tell(model, effects, Tone::Bad, text);
    }
}

/// The last error, then the one before it.
pub(super) fn error(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.log.search().is_some_and(super::logbook::Search::is_for_errors) {
        step(model, effects, false);
        return;
    }
    model.log.look_for_errors();
    let from = stands_at(model, false);
    model.log.step(from, false, model.now.mono);
}

/// Follows the end, or stands still.
pub(super) fn follow(model: &mut Model) {
    if model.log.follows() {
        let (face, rows) = Face::own(model);
        model.log.hold(rows, |line| face.tall(line));
    } else {
        model.log.to_end(model.now.mono);
    }
}

/// Wraps long lines, or cuts them.
pub(super) fn wrap(model: &mut Model, effects: &mut Vec<Effect>) {
    model.wrap = !model.wrap;
    let text = if model.wrap { "long lines are wrapped" } else { "long lines are cut; Left and Right shift them" };
    tell(model, effects, Tone::Plain, text);
}

/// Shifts lines that are cut.
pub(super) fn sideways(model: &mut Model, effects: &mut Vec<Effect>, further: bool) {
    if model.wrap {
        tell(model, effects, Tone::Plain, "long lines are wrapped: there is nothing on either side; w cuts them");
        return;
    }
    let (face, rows) = Face::own(model);
    let cut = log_page::rows(&model.log, &face, rows).iter().any(|row| row.part.after);
    let at = model.log.sideways;
    model.log.sideways = match (further, cut) {
        (true, true) => (at + SHIFT).min(FURTHEST),
        (true, false) => at,
        (false, _) => at.saturating_sub(SHIFT),
    };
}

/// Shows times another way.
pub(super) fn stamps(model: &mut Model, effects: &mut Vec<Effect>) {
    model.stamps = model.stamps.next();
    let zone = model.fixed.zone();
    let text = match model.stamps {
        Stamps::Local => {
            let short = zone.to_offset_info(model.now.wall).abbreviation().to_owned();
            format!("times: those of here ({})", zone.iana_name().unwrap_or(&short))
        }
        Stamps::Utc => "times: UTC".to_owned(),
        Stamps::Relative => "times: how long ago".to_owned(),
        Stamps::Off => "times: as the bot wrote them".to_owned(),
    };
    tell(model, effects, Tone::Plain, text);
}

/// Only lines that are louder, or all again.
pub(super) fn least(model: &mut Model, effects: &mut Vec<Effect>) {
    model.least = match model.least {
        None => Some(Level::Info),
        Some(Level::Debug | Level::Info) => Some(Level::Warning),
        Some(Level::Warning) => Some(Level::Error),
        Some(Level::Error) => None,
    };
    let mut text = match model.least {
        None => "every line is shown".to_owned(),
        Some(Level::Error) => "only errors are shown, with what belongs to them".to_owned(),
        Some(level) => format!("only lines from {} on are shown, with what belongs to them", level.word()),
    };
    if !model.log.follows() {
        text.push_str("; from the end again");
    }
    tell(model, effects, Tone::Plain, text);
}

/// The logs of several bots in one, or of one.
pub(super) fn merged(model: &mut Model, effects: &mut Vec<Effect>) {
    model.merged = !model.merged;
    go(model, Pane::Logs);
    let text = match (model.merged, model.marked.len() > 1) {
        (true, true) => "the logs of the marked bots by time; m again: of one".to_owned(),
        (true, false) => "the logs of all bots that the list shows, by time; m again: of one".to_owned(),
        (false, _) => "the log of the bot under the cursor".to_owned(),
    };
    tell(model, effects, Tone::Plain, text);
}

/// What is copied: the match that is stood at, if it is seen, else the lines on the screen, whole and as they were written.
pub(super) fn lines(model: &Model) -> Vec<String> {
    let (face, rows) = Face::own(model);
    let log = &model.log;
    let mut page = log_page::rows(log, &face, rows);
    page.dedup_by_key(|row| row.number);
    let at = log.search().and_then(|search| search.at).map(|(line, _)| line);
    if page.iter().any(|row| Some(row.number) == at) {
        page.retain(|row| Some(row.number) == at);
    }
    let name = |of: usize| log.view.of.get(of).map_or("?", |whose| whose.bot.as_str());
    let line = |row: &log_page::Row<'_>| {
        let whose = if log.view.of.len() > 1 { format!("{}: ", name(row.line.of)) } else { String::new() };
        format!("{whose}{}{}", face.file(row.line), row.line.text)
    };
    page.iter().map(line).collect()
}

/// Whose logs they are, for the name of a file.
pub(super) fn whose(model: &Model) -> String {
    match model.log.view.of.as_slice() {
        [one] => one.bot.to_string(),
        several => format!("{}-bots", several.len()),
    }
}
