//! The page of the emergency stop, as lines: how it goes, stage by stage over all bots, with every error, and how it went.

use std::time::Duration;

use ratatui::layout::Rect;

use crate::core::code::Code;
use crate::core::latch::LatchSeen;
use crate::core::overall::{self, Overall, Part};
use crate::core::progress::{Progress, StageSeen, Standing};
use crate::core::report::Report;
use crate::core::stop::Stage;

use super::emergency::{Course, PagePart, Seen, Word};
use super::layout::{EmergencyAreas, emergency_areas, log_rows, text_columns};
use super::model::Model;
use super::stop_page::{self, StopLine, Tint, line, wrapped};
use super::stops::Over;
use super::text::{self, plural};
use super::theme;
use super::watched::clean_cluster;

/// The one line above: what it is, who fired it, and how long it has taken.
pub fn head(model: &Model) -> (String, String) {
    let now = model.now.mono;
    let Some(seen) = &model.emergency.seen else { return (" E-STOP".to_owned(), String::new()) };
    let what = title(model, seen);
    // What stands in the latch is who fired first, and when: it is latched since then.
    let latch = model.emergency.latch.as_ref().and_then(LatchSeen::latch).filter(|latch| !latch.drill);
    let latch = latch.filter(|_| !seen.is_drill() && !seen.lifted && !seen.has_no_latch());
    let by = match (latch, seen.course) {
        (Some(latch), Course::Over) => Some(latch.by.as_str()),
        (Some(latch), _) => seen.by().or(Some(latch.by.as_str())),
        (None, _) => seen.by(),
    };
    let by = by.map(|by| format!("  by {by}")).unwrap_or_default();
    let elapsed = seen.elapsed(now);
    let (minutes, seconds, tenths) = (elapsed.as_secs() / 60, elapsed.as_secs() % 60, elapsed.subsec_millis() / 100);
    let time = format!("{minutes:02}:{seconds:02}.{tenths} ");
    match (&seen.report, seen.course) {
        (Some(report), _) => {
            let when = match latch {
                Some(latch) => format!(" since {}", clock(model, latch.at)),
                None if model.emergency.is_latched() && !seen.is_drill() => String::new(),
                None => format!(", fired {}", clock(model, report.at)),
            };
            let (words, _) = verdict(seen);
            let word = words.split(" - ").next().unwrap_or_default().to_owned();
            (format!(" {what}{when}{by}"), format!("RESULT {word}  exit {} ", report.exit_code))
        }
        // What nobody does takes no time.
        (None, Course::Interrupted) => (format!(" {what}{by}"), String::new()),
        (None, Course::Asked | Course::UnderWay | Course::Silent | Course::Over) => (format!(" {what}{by}"), time),
    }
}

/// A time of day, with its day where that is another one.
fn clock(model: &Model, at: jiff::Timestamp) -> String {
    let far = model.now.wall.duration_since(at).abs() >= jiff::SignedDuration::from_hours(24);
    at.strftime(if far { "%Y-%m-%d %H:%M UTC" } else { "%H:%M:%S UTC" }).to_string()
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
                clusters: report.clusters.clone(),
            };
            stop_page::verdict(None, &seen.book, &over)
        }
        (None, None) => ("UNKNOWN - its last word is missing".to_owned(), Tint::Bad),
    }
}

/// Where it is by now.
struct Stages {
    /// What there is to say of the whole.
    words: Vec<StopLine>,
    /// Every stage, with what is waited for and what went wrong below it.
    stages: Vec<(StopLine, Vec<StopLine>)>,
}

impl Stages {
    /// Lines that are never out of sight where there is room for them.
    fn fixed(&self) -> usize {
        self.words.len() + self.stages.len()
    }

    /// Lines about single bots.
    fn details(&self) -> usize {
        self.stages.iter().map(|(_, details)| details.len()).sum()
    }

    /// Of so many rows those that are left for single bots; none where not even the stages have room.
    fn room(&self, rows: usize) -> Option<usize> {
        let left = rows.checked_sub(self.fixed()).filter(|left| *left > 0)?;
        Some(if self.details() > left { left - 1 } else { left })
    }

    /// All of it.
    fn all(self) -> Vec<StopLine> {
        let stages = self.stages.into_iter().flat_map(|(stage, details)| std::iter::once(stage).chain(details));
        self.words.into_iter().chain(stages).collect()
    }

    /// So many rows of it: what is said of single bots gives way and is scrolled, the stages stay.
    fn visible(self, rows: usize, top: usize) -> Vec<StopLine> {
        let Some(room) = self.room(rows) else {
            let all = self.all();
            let top = top.min(all.len().saturating_sub(rows));
            return all.into_iter().skip(top).take(rows).collect();
        };
        let details = self.details();
        let top = top.min(details.saturating_sub(room));
        let mut lines = self.words;
        let mut nth = 0;
        for (stage, its) in self.stages {
            lines.push(stage);
            for detail in its {
                if (top..top + room).contains(&nth) {
                    lines.push(detail);
                }
                nth += 1;
            }
        }
        if details > room {
            let words = format!("       and {} more lines about single bots: j k", details - room);
            lines.push(line(&[(&words, Tint::Faint)]));
        }
        lines
    }

    /// The first line that can be on top.
    fn furthest(&self, rows: usize) -> usize {
        match self.room(rows) {
            Some(room) => self.details().saturating_sub(room),
            None => (self.fixed() + self.details()).saturating_sub(rows),
        }
    }
}

/// Where it is by now: every stage, with what is waited for and what went wrong below it.
pub fn stages(model: &Model, width: usize) -> Vec<StopLine> {
    by_stage(model, width).all()
}

fn by_stage(model: &Model, width: usize) -> Stages {
    let Some(seen) = &model.emergency.seen else { return Stages { words: Vec::new(), stages: Vec::new() } };
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
    let overall = known(model, seen);
    let mut words = Vec::new();
    let word = match seen.course {
        Course::Asked => Some(("fired; nothing was said of it yet", Tint::Warning)),
        Course::Silent => {
            Some(("whoever carries it out says nothing: ! ! joins it, botwarden estop too", Tint::Warning))
        }
        Course::Interrupted => Some(("INTERRUPTED, and nobody is at it: ! ! or botwarden estop carries on", Tint::Bad)),
        Course::UnderWay | Course::Over => None,
    };
    if let Some((text, tint)) = word {
        wrapped(vec![(text.to_owned(), tint)], width, &mut words);
    }
    let stages = overall::stages(&overall, &parts).into_iter().map(|stage| {
        let mut details = Vec::new();
        let tint = if stage.seen.standing == Standing::Failed { Tint::Bad } else { Tint::Plain };
        for detail in stage.details {
            wrapped(vec![(format!("       {}", text::harmless(&detail)), tint)], width, &mut details);
        }
        (stop_page::stage(&stage.seen, width, model.signs().more), details)
    });
    Stages { words, stages: stages.collect() }
}

/// What is known of it as a whole: what was told, and what its latch says by being there.
fn known(model: &Model, seen: &Seen) -> Overall {
    let mut overall = seen.overall.clone().unwrap_or_else(unheard);
    let Some(latch) = model.emergency.latch.as_ref().filter(|latch| latch.is_latched()) else { return overall };
    if seen.overall.is_some() && seen.course != Course::Interrupted {
        return overall;
    }
    let own = |stage, standing, text: String| StageSeen { stage, standing, text, took_ms: None };
    if seen.overall.is_none() && seen.course != Course::Asked {
        let heard = seen.book.bots.iter().any(|bot| bot.progress.is_some() || bot.report.is_some());
        // How far it has come nobody says, and what is not known is no zero.
        let blank = Stage::ALL.iter().filter(|stage| !heard && **stage != Stage::Lock);
        overall.stages =
            blank.map(|stage| own(*stage, Standing::Ahead, "not known how far it came".to_owned())).collect();
    }
    let is_open = |seen: &StageSeen| matches!(seen.standing, Standing::Ahead | Standing::UnderWay);
    let told = overall.stages.iter().any(|seen| seen.stage == Stage::Lock && !is_open(seen));
    if !told {
        let when = latch.latch().map(|latch| format!(", first fired {}", clock(model, latch.at))).unwrap_or_default();
        overall.stages.retain(|seen| seen.stage != Stage::Lock);
        overall.stages.push(own(Stage::Lock, Standing::Done, format!("latch written{when}")));
    }
    overall
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

/// How many errors there are to read.
pub fn error_count(seen: &Seen) -> usize {
    every_error(seen).len()
}

/// Everything that went wrong, each once: beside the bots, with each of them, and with each of their orders.
fn every_error(seen: &Seen) -> Vec<String> {
    let told: Vec<&String> = seen.overall.iter().flat_map(|overall| &overall.errors).collect();
    let lock = seen.lock_failed().filter(|why| !told.iter().any(|error| !why.is_empty() && error.contains(why)));
    let lock = lock.map(|why| format!("NO LATCH: {}", if why.is_empty() { "it could not be written" } else { why }));
    let beside = seen.report.iter().flat_map(|report| &report.errors).chain(told).cloned();
    let of_clusters =
        seen.report.iter().flat_map(|report| &report.clusters).flat_map(|cluster| {
            cluster.errors.iter().map(|error| format!("{}: {}", cluster.name, text::harmless(error)))
        });
    let of_bots = seen.book.bots.iter().flat_map(|bot| {
        let said = bot.errors();
        let results = bot.orders().into_iter().flat_map(|orders| &orders.results).filter(|result| {
            // What the bot's own errors tell of an order is not told again.
            let id = result.order_id.as_deref().or(result.client_order_id.as_deref());
            !id.is_some_and(|id| said.iter().any(|error| error.contains(id)))
        });
        let orders: Vec<String> = results.filter_map(stop_page::unwell).collect();
        let said = said.into_iter().map(str::to_owned).chain(orders);
        said.map(move |error| format!("{}: {error}", bot.name)).collect::<Vec<_>>()
    });
    let mut errors: Vec<String> = Vec::new();
    for error in lock.into_iter().chain(beside).chain(of_clusters).chain(of_bots) {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

/// Every error, none left out.
pub fn errors(model: &Model, width: usize) -> Vec<StopLine> {
    let Some(seen) = &model.emergency.seen else { return Vec::new() };
    let mut lines = Vec::new();
    for error in every_error(seen) {
        wrapped(vec![(error, Tint::Bad)], width, &mut lines);
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
    if !seen.is_drill() {
        for (bot, what) in model.alive_although_latched() {
            let mode = theme::mode(bot.mode, false);
            wrapped(vec![(format!("  ! {} ({mode}) LIVES: {what}", bot.name), Tint::Bad)], width, &mut lines);
        }
    }
    for note in &report.notes {
        wrapped(vec![("Note     ".to_owned(), Tint::Strong), (note.clone(), Tint::Plain)], width, &mut lines);
    }
    lines.push(line(&[("", Tint::Plain)]));
    stop_page::totals(&seen.book, width, &mut lines);
    clusters(report, width, &mut lines);
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

/// What became of chunks: in a word where all went well, and of each cluster where it did not.
fn clusters(report: &Report, width: usize, lines: &mut Vec<StopLine>) {
    if report.clusters.is_empty() {
        return;
    }
    let known: Option<u64> = report.clusters.iter().map(|cluster| cluster.reset).sum();
    let well = report.clusters.iter().all(|cluster| cluster.code() == Code::Done && !cluster.untouched);
    match known.filter(|_| well) {
        Some(count) => {
            let still: Option<u64> = report.clusters.iter().map(|cluster| cluster.running).sum();
            let more = match still {
                Some(0) => String::new(),
                Some(still) => format!("; {still} run again"),
                None => "; how many run is unknown".to_owned(),
            };
            let words = format!("{count} -> pending{more}");
            wrapped(vec![("Chunks   ".to_owned(), Tint::Strong), (words, Tint::Plain)], width, lines);
        }
        None => {
            for cluster in &report.clusters {
                let cluster = clean_cluster(cluster.clone());
                stop_page::chunks(&cluster, &report.action, width, lines);
            }
        }
    }
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
    let words = format!("{} of {all} {} empty{killed}", all - survived, if all == 1 { "tree" } else { "trees" });
    line(&[("Process  ", Tint::Strong), (&words, if survived > 0 { Tint::Bad } else { Tint::Plain })])
}

/// The figures before anything was heard of any bot: of what was seen last, and else that nobody knows.
fn unheard_figures(model: &Model, seen: &Seen, width: usize, lines: &mut Vec<StopLine>) {
    let count = seen.book.bots.len().max(model.bots.len()) as u64;
    let of = if count == 0 { String::new() } else { format!(" of {}", plural(count, "bot")) };
    let running = match model.age() {
        Some(age) => {
            let awake = model.bots.iter().filter(|bot| !bot.state.is_at_rest() || !bot.strays.is_empty()).count();
            format!("{} when seen {} ago", plural(awake as u64, "bot"), text::age(age))
        }
        None => format!("unknown{of}"),
    };
    let parts = vec![
        ("Orders ".to_owned(), Tint::Strong),
        (format!("unknown{of}  "), Tint::Warning),
        ("State ".to_owned(), Tint::Strong),
        ("unknown  ".to_owned(), Tint::Plain),
        ("Running ".to_owned(), Tint::Strong),
        (running, Tint::Warning),
    ];
    wrapped(parts, width, lines);
}

/// What stands in the way of a reset, as far as anybody knows here; what lives under the latch too.
pub fn blocked(model: &Model) -> Vec<String> {
    let mut blocked = model.emergency.blocked();
    for (bot, what) in model.alive_although_latched() {
        let pid = what.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let named = format!("{}: ", bot.name);
        if !blocked.iter().any(|why| why.starts_with(&named) && why.contains(&pid)) {
            blocked.push(format!("{named}{pid} lives"));
        }
    }
    blocked
}

/// What stands below while it is under way.
fn below_progress(model: &Model, seen: &Seen, width: usize) -> Vec<StopLine> {
    let mut lines = Vec::new();
    if seen.book.bots.iter().any(|bot| bot.progress.is_some() || bot.report.is_some()) {
        stop_page::totals(&seen.book, width, &mut lines);
    } else {
        unheard_figures(model, seen, width, &mut lines);
    }
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
    let blocked = blocked(model);
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
        Some(seen) => below_progress(model, seen, width),
        None => Vec::new(),
    }
}

/// Which cells its parts get on this screen.
pub fn areas(model: &Model, screen: Rect) -> EmergencyAreas {
    let width = text_columns(screen);
    let is_over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
    let in_use = model.emergency.part == PagePart::Errors;
    let errors = (!is_over).then(|| (errors(model, width).len(), in_use));
    let (all, least) = if is_over {
        (upper(model, width).len(), 0)
    } else {
        let stages = by_stage(model, width);
        // Whoever is waited for is named once at least.
        (stages.fixed() + stages.details(), stages.fixed() + stages.details().min(2))
    };
    emergency_areas(screen, (all, least), errors, below(model, width).len())
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
    let is_over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
    let first =
        if is_over { upper(model, width).len().saturating_sub(above) } else { by_stage(model, width).furthest(above) };
    [first, errors(model, width).len().saturating_sub(below)]
}

/// The upper part: the stages, or the result.
pub fn upper(model: &Model, width: usize) -> Vec<StopLine> {
    match &model.emergency.seen {
        Some(seen) if seen.report.is_some() => result(model, width),
        Some(_) | None => stages(model, width),
    }
}

/// So many rows of the upper part, and how many lines there are beside where that is not said among them.
pub fn visible(model: &Model, width: usize, rows: usize) -> (Vec<StopLine>, Option<String>) {
    let [top, _] = model.emergency.tops;
    let stages = by_stage(model, width);
    let is_over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
    if !is_over && stages.room(rows).is_some() {
        return (stages.visible(rows, top), None);
    }
    let all = upper(model, width);
    let top = top.min(all.len().saturating_sub(rows));
    let last = (top + rows).min(all.len());
    let more = (all.len() > rows).then(|| format!(" {}-{last} of {}, j k ", top + 1, all.len()));
    (all.into_iter().skip(top).take(rows).collect(), more)
}

/// All of it in a line or two, where there is no room for more.
pub fn brief(model: &Model) -> String {
    let Some(seen) = &model.emergency.seen else { return String::new() };
    let (_, right) = head(model);
    let key = match seen.course {
        Course::Asked | Course::UnderWay | Course::Silent => "! ! joins",
        Course::Interrupted => "! ! carries on",
        Course::Over => "! ! again",
    };
    let no_latch = seen.lock_failed().is_some() || seen.has_no_latch();
    let errors = match error_count(seen) as u64 {
        0 => String::new(),
        errors => plural(errors, "error"),
    };
    let mut words = vec![
        if no_latch { "NO LATCH".to_owned() } else { String::new() },
        title(model, seen),
        errors,
        right.trim().to_owned(),
        "q leaves".to_owned(),
    ];
    // On the smallest screens there is room for nothing else.
    words.insert(if model.size.0 < 20 { 0 } else { 2 }, key.to_owned());
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
                Tint::Standing(standing) => format!("[{}]", theme::standing(standing).1),
                Tint::Plain | Tint::Strong | Tint::Faint | Tint::Good | Tint::Warning | Tint::Bad => part,
            })
            .collect();
        text.push_str(words.trim_end());
        text.push('\n');
    }
    text
}
