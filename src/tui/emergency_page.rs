//! The page of the emergency stop, as lines: how it goes, stage by stage over all bots, with every error, and how it went.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::core::overall::{self, Overall, Part};
use crate::core::progress::{Progress, Standing};
use crate::core::stop::Stage;

use super::emergency::{Course, PagePart, Seen, Word};
use super::layout::{EmergencyAreas, emergency_areas, log_rows, text_columns};
use super::model::Model;
use super::stop_page::{self, StopLine, Tint, line, wrapped};
use super::stops::Over;
use super::text;

/// The one line above: what it is, who fired it, and how long it has taken.
pub fn head(model: &Model) -> (String, String) {
    let now = model.now.mono;
    let Some(seen) = &model.emergency.seen else { return (" E-STOP".to_owned(), String::new()) };
    let what = title(model, seen);
    let by = seen.by().map(|by| format!("  by {by}")).unwrap_or_default();
    let elapsed = seen.elapsed(now);
    let (minutes, seconds, tenths) = (elapsed.as_secs() / 60, elapsed.as_secs() % 60, elapsed.subsec_millis() / 100);
    let time = format!("{minutes:02}:{seconds:02}.{tenths} ");
    match (&seen.report, seen.course) {
        (Some(report), _) => {
            let since = report.at.strftime(" since %H:%M:%S UTC");
            let (words, _) = verdict(seen);
            let word = words.split(" - ").next().unwrap_or_default().to_owned();
            (format!(" {what}{since}{by}"), format!("RESULT {word}  exit {} ", report.exit_code))
        }
        // What nobody does takes no time.
        (None, Course::Interrupted) => (format!(" {what}{by}"), String::new()),
        (None, Course::Asked | Course::UnderWay | Course::Silent | Course::Over) => (format!(" {what}{by}"), time),
    }
}

/// What it is called: a drill is never called anything else.
fn title(model: &Model, seen: &Seen) -> String {
    let drill =
        if seen.report.is_some() || seen.overall.is_some() { seen.is_drill() } else { model.emergency.is_drill() };
    let what = if drill { "DRILL" } else { "E-STOP" };
    let word = match seen.course {
        Course::Asked | Course::UnderWay | Course::Silent => Word::InProgress.words(),
        Course::Interrupted => Word::Interrupted.words(),
        Course::Over if drill => "OVER",
        Course::Over if seen.has_no_latch() => "OVER, NOT LATCHED",
        Course::Over if seen.lifted => "OVER, RESET",
        Course::Over => Word::Latched.words(),
    };
    let again = seen.overall.as_ref().is_some_and(|overall| overall.carries_on && seen.is_under_way());
    format!("{what} {word}{}", if again { " (carries on)" } else { "" })
}

/// How the line above is meant.
pub fn head_tint(model: &Model) -> Tint {
    match &model.emergency.seen {
        Some(seen) if seen.is_drill() && seen.course != Course::Interrupted => Tint::Warning,
        Some(seen) if seen.course == Course::Over => verdict(seen).1,
        Some(_) | None => Tint::Bad,
    }
}

/// The result in words, and how it is meant.
pub fn verdict(seen: &Seen) -> (String, Tint) {
    match (seen.book.runs.last().and_then(|run| run.over.as_ref()), &seen.report) {
        (Some(over), _) => stop_page::verdict(None, &seen.book, over),
        (None, Some(report)) => {
            let over = Over {
                code: Some(report.exit_code),
                took: Duration::from_millis(report.duration_ms),
                errors: report.errors.clone(),
            };
            stop_page::verdict(None, &seen.book, &over)
        }
        (None, None) => ("UNKNOWN - its last word is missing".to_owned(), Tint::Bad),
    }
}

/// Where it is by now: every stage, with what is waited for and what went wrong below it.
pub fn stages(model: &Model, width: usize) -> Vec<StopLine> {
    let Some(seen) = &model.emergency.seen else { return Vec::new() };
    let now = model.now.mono;
    // What is waited for comes nearer while nobody says anything.
    let aged: Vec<Option<Progress>> = seen
        .book
        .bots
        .iter()
        .map(|bot| {
            let progress = bot.progress.as_ref()?;
            let waiting = progress.waiting.as_ref().map(|waiting| waiting.later(now.since(bot.heard)));
            Some(Progress { waiting, ..progress.clone() })
        })
        .collect();
    let parts: Vec<Part<'_>> = seen
        .book
        .bots
        .iter()
        .zip(&aged)
        .map(|(bot, progress)| Part { name: &bot.name, progress: progress.as_ref(), report: bot.report.as_ref() })
        .collect();
    let unknown = unheard();
    let overall = seen.overall.as_ref().unwrap_or(&unknown);
    let mut lines = Vec::new();
    let word = match seen.course {
        Course::Asked => Some(("fired; nothing was said of it yet", Tint::Warning)),
        Course::Silent => {
            Some(("whoever carries it out says nothing: ! ! joins it, botwarden estop too", Tint::Warning))
        }
        Course::Interrupted => Some((
            "INTERRUPTED: whoever carried it out is gone, and it has not come to its end. ! ! carries on from here, and so does \
             botwarden estop in any shell.",
            Tint::Bad,
        )),
        Course::UnderWay | Course::Over => None,
    };
    if let Some((words, tint)) = word {
        wrapped(vec![(words.to_owned(), tint)], width, &mut lines);
    }
    for stage in overall::stages(overall, &parts) {
        lines.push(stop_page::stage(&stage.seen, width, model.signs().more));
        let tint = if stage.seen.standing == Standing::Failed { Tint::Bad } else { Tint::Plain };
        for detail in stage.details {
            wrapped(vec![(format!("       {}", text::harmless(&detail)), tint)], width, &mut lines);
        }
    }
    lines
}

/// What is known of one before its first word.
fn unheard() -> Overall {
    Overall {
        id: String::new(),
        by: String::new(),
        reason: None,
        drill: false,
        carries_on: false,
        at: jiff::Timestamp::UNIX_EPOCH,
        elapsed_ms: 0,
        stages: Vec::new(),
        bots: Vec::new(),
        cap_ms: 0,
        errors: Vec::new(),
    }
}

/// How many errors were told, beside those of orders that a bot only counts.
pub fn error_count(seen: &Seen) -> u64 {
    (own_errors(seen).len() as u64) + seen.book.totals().errors
}

/// What went wrong beside the bots.
fn own_errors(seen: &Seen) -> Vec<&str> {
    let told = seen.overall.iter().flat_map(|overall| &overall.errors);
    let mut errors: Vec<&str> = Vec::new();
    for error in seen.report.iter().flat_map(|report| &report.errors).chain(told) {
        if !errors.contains(&error.as_str()) {
            errors.push(error);
        }
    }
    errors
}

/// Every error, none left out.
pub fn errors(model: &Model, width: usize) -> Vec<StopLine> {
    let Some(seen) = &model.emergency.seen else { return Vec::new() };
    let mut lines = Vec::new();
    for error in own_errors(seen) {
        wrapped(vec![(error.to_owned(), Tint::Bad)], width, &mut lines);
    }
    for bot in &seen.book.bots {
        for error in bot.errors() {
            wrapped(vec![(format!("{}: {error}", bot.name), Tint::Bad)], width, &mut lines);
        }
        for result in bot.orders().iter().flat_map(|orders| &orders.results) {
            if let Some(unwell) = stop_page::unwell(result) {
                wrapped(vec![(format!("{}: {unwell}", bot.name), Tint::Bad)], width, &mut lines);
            }
        }
    }
    if lines.is_empty() {
        lines.push(line(&[("none so far", Tint::Faint)]));
    }
    lines
}

/// How it went: the verdict first, then what must be looked at now.
pub fn result(model: &Model, width: usize) -> Vec<StopLine> {
    let Some((seen, report)) = model.emergency.seen.as_ref().and_then(|seen| Some((seen, seen.report.as_ref()?)))
    else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let (words, tint) = verdict(seen);
    let code = format!("   exit code {}", report.exit_code);
    wrapped(vec![("RESULT   ".to_owned(), Tint::Strong), (words, tint), (code, tint)], width, &mut lines);
    stop_page::open_orders(&seen.book, width, &mut lines);
    lines.push(line(&[("", Tint::Plain)]));
    stop_page::totals(&seen.book, width, &mut lines);
    lines.push(processes(seen));
    let took = stop_page::took(Duration::from_millis(report.duration_ms));
    lines.push(line(&[("Duration ", Tint::Strong), (&took, Tint::Plain)]));
    if let Some(reason) = &report.reason {
        wrapped(vec![("Reason   ".to_owned(), Tint::Strong), (reason.clone(), Tint::Plain)], width, &mut lines);
    }
    for error in &report.errors {
        wrapped(vec![(format!("ERROR    {error}"), Tint::Bad)], width, &mut lines);
    }
    lines.push(line(&[("", Tint::Plain)]));
    if !seen.is_drill() {
        let (word, rest, tint) = if seen.has_no_latch() {
            ("NOT LATCHED  ", "anything may be started", Tint::Bad)
        } else if seen.lifted {
            ("RESET    ", "the latch was lifted since; nothing was started by that", Tint::Plain)
        } else {
            ("LATCHED  ", "start, restart, adopt and up are refused (exit 75)", Tint::Plain)
        };
        wrapped(vec![(word.to_owned(), Tint::Strong), (rest.to_owned(), tint)], width, &mut lines);
    }
    for bot in &seen.book.bots {
        lines.push(stop_page::summary(model, &seen.book, bot, None));
    }
    for bot in seen.book.bots.iter().filter(|bot| bot.has_trouble() || bot.error_count() > 0) {
        lines.push(line(&[("", Tint::Plain)]));
        lines.push(line(&[(&format!("{}  ", bot.name), Tint::Strong)]));
        stop_page::claims_and_evidence(bot, width, &mut lines);
        stop_page::errors(bot, width, model.signs().more, &mut lines);
    }
    lines
}

/// How many trees are empty, and which of them needed SIGKILL.
fn processes(seen: &Seen) -> StopLine {
    let reports = || seen.book.bots.iter().filter_map(|bot| bot.report.as_ref());
    let survived = reports().filter(|report| report.survived()).count();
    let killed: Vec<&str> = reports()
        .filter(|report| {
            report.processes.iter().any(|process| process.ended_by.as_deref().is_some_and(|by| by.contains("KILL")))
        })
        .map(|report| report.name.as_str())
        .collect();
    let killed = match killed.as_slice() {
        [] => String::new(),
        names => format!(" ({} needed SIGKILL: {})", names.len(), names.join(", ")),
    };
    let all = reports().count();
    let words = format!("{} of {all} trees empty{killed}", all - survived);
    line(&[("Process  ", Tint::Strong), (&words, if survived > 0 { Tint::Bad } else { Tint::Plain })])
}

/// What stands below while it is under way.
fn below_progress(seen: &Seen, width: usize) -> Vec<StopLine> {
    let mut lines = Vec::new();
    stop_page::totals(&seen.book, width, &mut lines);
    lines.push(line(&[("Open positions are not closed by this.", Tint::Strong)]));
    if seen.course != Course::Interrupted {
        lines.push(line(&[("Nothing here can be interrupted. Leaving the screen does not stop it.", Tint::Plain)]));
    }
    lines.push(line(&[
        ("If this hangs:  ", Tint::Plain),
        ("botwarden estop", Tint::Strong),
        ("   (from any other shell)", Tint::Plain),
    ]));
    lines
}

/// What stands below the result: how the latch is lifted.
fn below_result(model: &Model, seen: &Seen) -> Vec<StopLine> {
    if seen.is_drill() {
        return vec![line(&[(
            "This was a drill: nothing live was touched, and its latch is lifted at its end.",
            Tint::Plain,
        )])];
    }
    let mut lines = vec![line(&[("Open positions were not closed by this.", Tint::Strong)])];
    if seen.lifted || !model.emergency.is_latched() {
        return lines;
    }
    if model.fixed.read_only {
        lines.push(line(&[("To reset: botwarden estop reset, or a screen that is not read-only", Tint::Plain)]));
        return lines;
    }
    let blocked = model.emergency.blocked();
    let stands = match blocked.as_slice() {
        [] => "nothing is known to stand in the way".to_owned(),
        [only] => format!("blocked: {only}"),
        [first, rest @ ..] => format!("blocked: {first}, and {} more", rest.len()),
    };
    lines.push(line(&[("To reset: 1) every line above OK, or waived with a note", Tint::Plain)]));
    lines.push(line(&[
        ("          2) R, then type the host's name  ", Tint::Plain),
        (&model.fixed.host, Tint::Strong),
        ("  and a reason", Tint::Plain),
    ]));
    lines.push(line(&[("          3) bots stay STOPPED; start each by hand", Tint::Plain)]));
    lines.push(line(&[("Reset never starts anything.", Tint::Plain)]));
    lines.push(line(&[
        ("R", Tint::Strong),
        (" reset latch  (", Tint::Plain),
        (&stands, if blocked.is_empty() { Tint::Plain } else { Tint::Warning }),
        (")", Tint::Plain),
    ]));
    lines
}

/// What stands below the page.
pub fn below(model: &Model, width: usize) -> Vec<StopLine> {
    match &model.emergency.seen {
        Some(seen) if seen.report.is_some() => below_result(model, seen),
        Some(seen) => below_progress(seen, width),
        None => Vec::new(),
    }
}

/// Which cells its parts get on this screen.
pub fn areas(model: &Model, screen: Rect) -> EmergencyAreas {
    let width = text_columns(screen);
    let is_over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
    let in_use = model.emergency.part == PagePart::Errors;
    let errors = (!is_over).then(|| (errors(model, width).len(), in_use));
    emergency_areas(screen, upper(model, width).len(), errors, below(model, width).len())
}

/// Columns and lines of the stages or the result, and lines of the errors, on the model's own screen.
fn rows(model: &Model) -> (usize, [usize; 2]) {
    let screen = Rect { x: 0, y: 0, width: model.size.0, height: model.size.1 };
    let areas = areas(model, screen);
    (text_columns(screen), [log_rows(areas.upper), areas.errors.map_or(0, log_rows)])
}

/// Lines of the part that is scrolled.
pub fn page(model: &Model) -> usize {
    let (_, [upper, errors]) = rows(model);
    match model.emergency.part {
        PagePart::Stages => upper,
        PagePart::Errors => errors,
    }
}

/// The first lines that can be on top: of the stages or the result, and of the errors.
pub fn furthest(model: &Model) -> [usize; 2] {
    let (width, [above, below]) = rows(model);
    [upper(model, width).len().saturating_sub(above), errors(model, width).len().saturating_sub(below)]
}

/// The upper part: the stages, or the result.
pub fn upper(model: &Model, width: usize) -> Vec<StopLine> {
    match &model.emergency.seen {
        Some(seen) if seen.report.is_some() => result(model, width),
        Some(_) | None => stages(model, width),
    }
}

/// All of it in a line or two, where there is no room for more.
pub fn brief(model: &Model) -> String {
    let Some(seen) = &model.emergency.seen else { return String::new() };
    let (_, right) = head(model);
    let mut words = vec![title(model, seen), right.trim().to_owned(), "q leaves this".to_owned()];
    words.extend(stages_now(seen));
    words.retain(|word| !word.is_empty());
    words.join("; ")
}

/// The stage that is under way, by its word.
fn stages_now(seen: &Seen) -> Option<String> {
    if !seen.is_under_way() {
        return None;
    }
    let unknown = unheard();
    let parts: Vec<Part<'_>> = seen
        .book
        .bots
        .iter()
        .map(|bot| Part { name: &bot.name, progress: bot.progress.as_ref(), report: bot.report.as_ref() })
        .collect();
    let stages = overall::stages(seen.overall.as_ref().unwrap_or(&unknown), &parts);
    let at = stages.into_iter().find(|stage| stage.seen.standing == Standing::UnderWay)?;
    Some(format!("{} {}", Stage::word(at.seen.stage), at.seen.text))
}

/// The whole page as text, for the clipboard.
pub fn as_text(model: &Model) -> String {
    const WIDTH: usize = 200;
    let (left, right) = head(model);
    let mut text = format!("{} {}\n", left.trim(), right.trim());
    let mut parts = vec![upper(model, WIDTH)];
    if model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_none()) {
        parts.push(errors(model, WIDTH));
    } else {
        parts.push(stages(model, WIDTH));
    }
    for line in parts.into_iter().flatten() {
        let words: String = line
            .into_iter()
            .map(|(part, tint)| match tint {
                Tint::Standing(standing) => format!("[{}]", super::theme::standing(standing).1),
                Tint::Plain | Tint::Strong | Tint::Faint | Tint::Good | Tint::Warning | Tint::Bad => part,
            })
            .collect();
        text.push_str(words.trim_end());
        text.push('\n');
    }
    text
}
