//! Everything that is known of one bot, in sections of sentences: what was seen of it, what it runs with and who says
//! so, what became of the last stop, and what happened last. Values of its environment are never among it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::bot::{BotName, BotSpec, Ladder, LogLimits, Mode, Ready, RestartPolicy};
use crate::core::event::Event;
use crate::core::record::RunRecord;
use crate::core::report::BotReport;
use crate::core::state::State;
use crate::core::status::{BotStatus, RecordSeen};
use crate::core::words::{self, Hands};

use super::clusters::ChunkRow;
use super::layout;
use super::message::{Inspection, LastReport};
use super::model::{Inspected, Model};
use super::orders::Count;
use super::sheet::{LABELS, Look, Page, when, when_ago};
use super::timeline::{Cell, Timeline, ago, starts_and_ends};
use super::trend::KEPT;
use super::{text, theme};

/// So many events are shown, and so many starts and ends below the timeline.
const SHOWN: usize = 30;
const ENDS: usize = 8;

/// So many chunks of a worker are named.
const CHUNKS: usize = 20;

/// Lines that are shown at once.
pub fn page(model: &Model) -> usize {
    layout::inspect_page(model).1
}

/// The first line that is shown when the last one is.
pub fn furthest(model: &Model) -> usize {
    let (width, height) = layout::inspect_page(model);
    lines(model, width).len().saturating_sub(height)
}

/// Every line, wrapped to so many columns.
pub fn lines(model: &Model, width: usize) -> Vec<(String, Look)> {
    let Some(inspected) = &model.inspected else { return Vec::new() };
    let mut page = Page { width, lines: Vec::new() };
    let bot = model.bot(&inspected.name);
    seen(&mut page, model, inspected, bot);
    trends(&mut page, model, &inspected.name);
    chunks(&mut page, model, &inspected.name);
    let Some(read) = &inspected.read else {
        page.heading("WRITTEN DOWN");
        page.say("looking ...");
        return page.lines;
    };
    timeline(&mut page, model, read, bot);
    let spec = model.spec(&inspected.name);
    settings(&mut page, read, spec, bot);
    configuration(&mut page, model, spec);
    report(&mut page, model, &read.report);
    events(&mut page, &read.events);
    page.lines
}

/// What it has used in the last ten minutes. Nothing before the first ten seconds are over.
fn trends(page: &mut Page, model: &Model, name: &BotName) {
    let Some(trend) = model.trends.of(name) else { return };
    let (cpu, memory) = (trend.cpu_range(), trend.memory_range());
    if cpu.is_none() && memory.is_none() {
        return;
    }
    let cells = page.width.saturating_sub(LABELS + 36).clamp(8, KEPT);
    let bot = model.bot(name);
    page.heading("LAST 10 MINUTES (the most of every 10 s)");
    if let Some(range) = cpu {
        let now = bot.and_then(|bot| bot.cpu_percent).map_or_else(String::new, |now| format!(", now {now:.0}%"));
        let bars = trend.cpu(cells, model.fixed.ascii);
        page.fact("cpu", format!("{bars} {:.0}% to {:.0}%{now}", range.least, range.most));
    }
    if let Some(range) = memory {
        let now =
            bot.and_then(|bot| bot.memory_bytes).map_or_else(String::new, |now| format!(", now {}", text::size(now)));
        let bars = trend.memory(cells, model.fixed.ascii);
        page.fact("memory", format!("{bars} {} to {}{now}", text::size(range.least), text::size(range.most)));
    }
}

/// The chunks that a worker has, of every cluster that it works for.
fn chunks(page: &mut Page, model: &Model, name: &BotName) {
    for cluster in model.clusters.all().iter().filter(|cluster| cluster.spec.bots().any(|bot| bot == name)) {
        page.heading(&format!("CHUNKS OF {}", cluster.name()));
        let look = theme::cluster(cluster.state(model.now.mono));
        page.fact("state", look.word);
        if let Some(why) = cluster.why_unknown(model.now.mono) {
            page.say_so(&why, Look::Warning);
        }
        let its: Vec<&ChunkRow> = cluster
            .rows
            .iter()
            .filter(|row| row.hold.is_some() && cluster.crew.is_of(row.claim.worker.word().as_deref(), name))
            .collect();
        for row in its.iter().take(CHUNKS) {
            let look = if row.stale { Look::Warning } else { Look::Plain };
            let why = if row.why.is_empty() { String::new() } else { format!(", {}", row.why) };
            page.put(&row.id, &format!("{}{why}", row.word()), look);
        }
        if its.is_empty() {
            page.say("none that runs");
        } else if its.len() > CHUNKS {
            page.say(&format!("and {} more", its.len() - CHUNKS));
        }
    }
}

/// A duration as the configuration writes it.
fn lasting(time: Duration) -> String {
    let ms = time.as_millis();
    match (ms % 1000, ms / 1000) {
        (0, seconds) if seconds >= 60 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        (0, seconds) if seconds >= 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        (0, seconds) => format!("{seconds}s"),
        (_, _) => format!("{ms}ms"),
    }
}

// What was seen of it.

fn seen(page: &mut Page, model: &Model, inspected: &Inspected, bot: Option<&BotStatus>) {
    page.heading("STATE");
    let Some(bot) = bot else {
        page.say_so("It is no longer there: neither configured nor alive when the bots were last seen.", Look::Warning);
        return;
    };
    let look = theme::state(bot.state);
    let since = bot.since.map_or_else(String::new, |since| format!(" since {}", when_ago(model, since)));
    let was = bot.was.map_or_else(String::new, |was| format!("; it was {} when last seen", theme::state(was).word));
    if model.is_stale() {
        let age = model.age().map(text::age).unwrap_or_default();
        page.put("state", &format!("was {} {age} ago; nothing was seen of it since", look.word), Look::Bad);
    } else {
        let tone = match bot.state {
            State::Orphaned | State::Unknown | State::Crashed | State::Failed => Look::Bad,
            State::Backoff | State::Stopping => Look::Warning,
            State::Running | State::Starting | State::Stopped | State::Exited => Look::Plain,
        };
        page.put("state", &format!("{}{since}{was}", look.word), tone);
    }
    if !bot.note.is_empty() {
        page.fact("note", &bot.note);
    }
    if let Some(remedy) = words::remedy(bot, Hands::Keys).filter(|_| bot.strays.is_empty()) {
        page.put("to do", &format!("{remedy} (in the list)"), Look::Warning);
    }
    page.fact("mode", mode_words(bot.mode));
    page.fact("groups", if bot.groups.is_empty() { "none".to_owned() } else { bot.groups.join(", ") });
    alive(page, model, bot);
    page.fact("restarts", restarts(model, bot));
    page.fact(
        "last exit",
        bot.last_exit.as_ref().map_or_else(
            || "none was seen".to_owned(),
            |last| {
                format!("{}{}", last.words, last.at.map_or_else(String::new, |at| format!(", {}", when_ago(model, at))))
            },
        ),
    );
    if let Some(down) = inspected.read.as_ref().and_then(|read| read.down.as_ref()) {
        let by = if down.by.is_empty() { "somebody".to_owned() } else { down.by.clone() };
        let at = down.at.map_or_else(String::new, |at| format!(", {}", when_ago(model, at)));
        page.fact("marked down", format!("by {by}{at}: 'up' does not start it"));
    }
    strays(page, bot);
}

fn alive(page: &mut Page, model: &Model, bot: &BotStatus) {
    let pid = match (bot.pid, bot.state.is_at_rest()) {
        (Some(pid), _) => format!("pid {pid}"),
        (None, true) => "none: nothing of it was seen alive".to_owned(),
        (None, false) => "none is known".to_owned(),
    };
    let up = bot.uptime_s.map_or_else(String::new, |up| format!(", up {}", text::span(up)));
    let started = bot.started_at.map_or_else(String::new, |at| format!(", started {}", when(at)));
    page.fact("process", format!("{pid}{started}{up}"));
    match (bot.keeper_pid, bot.state) {
        (Some(pid), _) => page.fact("keeper", format!("pid {pid}, answers")),
        (None, State::Orphaned) => page.put("keeper", "none: nobody would see it end or start it again", Look::Bad),
        (None, State::Unknown) => page.put("keeper", "none that answers", Look::Bad),
        (
            None,
            State::Running
            | State::Starting
            | State::Stopping
            | State::Stopped
            | State::Exited
            | State::Crashed
            | State::Backoff
            | State::Failed,
        ) => page.fact("keeper", "none"),
    }
    if let Some(count) = bot.processes {
        let cpu = bot.cpu_percent.map_or_else(String::new, |percent| format!(", {percent:.0}% of a core"));
        let memory = bot.memory_bytes.map_or_else(String::new, |bytes| format!(", {} of memory", text::size(bytes)));
        let noun = if count == 1 { "process" } else { "processes" };
        page.fact("tree", format!("{count} {noun}{cpu}{memory}"));
    }
    match bot.heartbeat_age_s {
        Some(age) => page.fact("heartbeat", format!("{} ago", text::span(age))),
        None if !bot.state.is_at_rest() => page.fact("heartbeat", "none was heard"),
        None => {}
    }
    orders(page, model, bot);
}

/// How many are open, where that is read from, when that was, and why it cannot be read now.
fn orders(page: &mut Page, model: &Model, bot: &BotStatus) {
    let source = model.orders.source(&bot.name);
    let from = source.map_or_else(String::new, |source| format!(", source {}", source.word));
    let read = source.and_then(|source| source.read_at).or(bot.orders_read_at);
    let read = read.map_or_else(|| ", never read".to_owned(), |at| format!(", read {}", when_ago(model, at)));
    match (model.open_orders(&bot.name), bot.orders_active) {
        (Count::Fresh(orders), _) => page.fact("orders", format!("{orders} open{from}{read}")),
        (Count::Stale(orders), _) => {
            page.put("orders", &format!("unknown, {orders} when last read{from}{read}"), Look::Warning);
        }
        (Count::Unread, _) => page.put("orders", &format!("unknown{from}{read}"), Look::Warning),
        // Somebody else has read them.
        (Count::NoSource, Some(orders)) => page.fact("orders", format!("{orders} open{read}")),
        (Count::NoSource, None) => page.fact("orders", "unknown: nobody has read them"),
    }
    if let Some(why) = source.and_then(|source| source.error.as_ref()) {
        page.put("not read", &format!("they cannot be read now: {why}"), Look::Bad);
    }
}

const fn mode_words(mode: Option<Mode>) -> &'static str {
    match mode {
        Some(Mode::Live) => "LIVE: orders with real money",
        Some(Mode::Paper) => "PAPER: orders on a simulated or test venue",
        Some(Mode::DryRun) => "DRY: no orders at all",
        None => "not known: it counts as live",
    }
}

fn restarts(model: &Model, bot: &BotStatus) -> String {
    let restarts = bot.restarts.map_or_else(|| "unknown".to_owned(), |count| format!("{count} in its keeper's time"));
    let failures = match (bot.failures, bot.give_up_after) {
        (Some(0) | None, _) => String::new(),
        (Some(failures), 0) => format!("; {failures} failures in a row, and it is never given up"),
        (Some(failures), limit) => format!("; {failures} of {limit} failures in a row that open the breaker"),
    };
    let next = bot.next_try_at.map(|at| match Duration::try_from(at.duration_since(model.now.wall)) {
        Ok(wait) => format!("; next try at {} (in {})", at.strftime("%H:%M:%S UTC"), text::span(wait.as_secs())),
        Err(_) => "; the next try is due".to_owned(),
    });
    format!("{restarts}{failures}{}", next.unwrap_or_default())
}

fn strays(page: &mut Page, bot: &BotStatus) {
    page.heading("STRAYS (they match it, and were not started here)");
    if bot.strays.is_empty() {
        page.say("none was found");
    }
    for stray in &bot.strays {
        let command = words::masked(&stray.command);
        page.put(&format!("pid {}", stray.pid), &format!("{command} ({})", words::found_by(stray)), Look::Bad);
    }
    if let Some(remedy) = words::remedy(bot, Hands::Keys).filter(|_| !bot.strays.is_empty()) {
        page.put("to do", &format!("{remedy} (in the list)"), Look::Warning);
    }
}

// What it runs with.

/// What both a run record and the configuration say.
struct Shape<'a> {
    command: &'a [String],
    cwd: &'a Path,
    mode: Mode,
    user: Option<&'a String>,
    ladder: &'a Ladder,
    pid_file: Option<&'a PathBuf>,
    find: Option<&'a Vec<String>>,
    log_file: Option<&'a PathBuf>,
    state_file: Option<&'a PathBuf>,
    log: LogLimits,
}

impl<'a> Shape<'a> {
    fn of_record(record: &'a RunRecord) -> Self {
        Self {
            command: &record.argv,
            cwd: &record.cwd,
            mode: record.mode,
            user: record.user.as_ref(),
            ladder: &record.ladder,
            pid_file: record.pid_file.as_ref(),
            find: record.find.as_ref(),
            log_file: record.log_file.as_ref(),
            state_file: record.state_file.as_ref(),
            log: record.log,
        }
    }

    fn of_spec(spec: &'a BotSpec) -> Self {
        Self {
            command: &spec.command,
            cwd: &spec.cwd,
            mode: spec.mode,
            user: spec.user.as_ref(),
            ladder: &spec.stop,
            pid_file: spec.pid_file.as_ref(),
            find: spec.find.as_ref(),
            log_file: spec.log_file.as_ref(),
            state_file: spec.state_file.as_ref(),
            log: spec.log,
        }
    }

    fn rows(&self) -> [(&'static str, String); 10] {
        let path = |path: Option<&PathBuf>| path.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        [
            ("command", words::masked(&self.command.join(" "))),
            ("cwd", self.cwd.display().to_string()),
            ("mode", self.mode.to_string()),
            ("user", self.user.map_or_else(|| "whoever started its keeper".to_owned(), Clone::clone)),
            ("stop", ladder(self.ladder)),
            ("pid_file", path(self.pid_file)),
            ("find", self.find.map_or_else(|| "by its command".to_owned(), |find| find.join(" "))),
            ("log_file", path(self.log_file)),
            ("state_file", path(self.state_file)),
            ("log", format!("{} a file, {} archives kept", text::size(self.log.max_size), self.log.keep)),
        ]
    }
}

fn ladder(ladder: &Ladder) -> String {
    ladder.0.iter().map(|rung| format!("{} {}", rung.signal, lasting(rung.wait))).collect::<Vec<_>>().join(", then ")
}

fn settings(page: &mut Page, read: &Inspection, spec: Option<&BotSpec>, bot: Option<&BotStatus>) {
    let applies = if bot.is_some_and(|bot| bot.state.is_at_rest()) { "the next start" } else { "a restart" };
    match (&read.record, spec) {
        (RecordSeen::Read(record), _) => {
            page.heading(&format!("RUN {} (as its run record says)", record.run));
            page.fact("began", when(record.started_at));
            if let Some(ended) = &record.ended {
                page.fact("ended", format!("{}, {}", when(ended.at), ended.exit));
            }
            let now = spec.map(|spec| Shape::of_spec(spec).rows());
            for (number, (label, value)) in Shape::of_record(record).rows().into_iter().enumerate() {
                let other = now.as_ref().and_then(|now| now.get(number)).map(|(_, other)| other);
                page.fact(label, &value);
                if let Some(other) = other.filter(|other| **other != value) {
                    page.put("", &format!("configured now: {other}; {applies} applies it"), Look::Warning);
                }
            }
        }
        (RecordSeen::None, Some(spec)) => {
            page.heading("SETTINGS (as the configuration says)");
            page.say("it has no run record: it never ran here");
            for (label, value) in Shape::of_spec(spec).rows() {
                page.fact(label, value);
            }
        }
        (RecordSeen::None, None) => {
            page.heading("SETTINGS");
            page.say("it has no run record, and the configuration does not name it");
        }
        (RecordSeen::Unreadable(why), spec) => {
            page.heading("SETTINGS (as the configuration says)");
            page.say_so(&format!("its run record cannot be read: {why}"), Look::Bad);
            for (label, value) in spec.map(|spec| Shape::of_spec(spec).rows()).into_iter().flatten() {
                page.fact(label, value);
            }
        }
    }
}

fn configuration(page: &mut Page, model: &Model, spec: Option<&BotSpec>) {
    page.heading("CONFIGURATION");
    if let Some(why) = &model.mistakes {
        page.say_so(&format!("it has mistakes now, and this is from before: {why}"), Look::Warning);
    }
    let Some(spec) = spec else {
        page.say_so("it does not name this bot: it can be stopped, and not started", Look::Warning);
        return;
    };
    let restart = match spec.restart {
        RestartPolicy::Never => "never",
        RestartPolicy::OnFailure => "on failure",
        RestartPolicy::Always => "always",
    };
    page.fact("restart", restart);
    let backoff = &spec.backoff;
    let give_up = match backoff.give_up_after {
        0 => "it is never given up".to_owned(),
        failures => format!("given up after {failures} in a row"),
    };
    page.fact(
        "backoff",
        format!(
            "{} after the first failure, doubled up to {}; {give_up}; forgotten after {} of running",
            lasting(backoff.first),
            lasting(backoff.max),
            lasting(backoff.reset_after)
        ),
    );
    let ready = match spec.ready {
        Ready::Executing => "as soon as it executes".to_owned(),
        Ready::Notify => "when it says READY=1".to_owned(),
        Ready::Alive(time) => format!("when it has lived for {}", lasting(time)),
    };
    page.fact("ready", ready);
    page.fact("autostart", if spec.autostart { "yes: 'up' starts it" } else { "no" });
    let names: Vec<&str> = spec.env.keys().map(String::as_str).collect();
    let env = if names.is_empty() { "none".to_owned() } else { format!("{} (values are not shown)", names.join(", ")) };
    page.fact("env", env);
    page.fact("env_file", spec.env_file.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string()));
}

// What became of the last stop.

fn report(page: &mut Page, model: &Model, report: &LastReport) {
    page.heading("LAST REPORT OF A STOP");
    match report {
        LastReport::None => page.say("none is written down"),
        LastReport::Unreadable(at, why) => {
            page.say_so(&format!("that of {} cannot be understood: {why}", when(*at)), Look::Bad);
        }
        LastReport::Read { at, action, by, exit_code, bot } => {
            let look = if bot.survived() { Look::Bad } else { Look::Plain };
            page.say_so(&bot.sentence(action), look);
            page.fact("command", action);
            page.fact("by", by.as_deref().unwrap_or("nobody knows whom"));
            page.fact("at", when_ago(model, *at));
            page.fact("exit code", exit_code.map_or_else(|| "unknown".to_owned(), |code| code.to_string()));
            processes(page, bot);
        }
    }
}

/// Every process that was found, and whatever was said.
pub(super) fn processes(page: &mut Page, bot: &BotReport) {
    if let Some(exit) = &bot.exit {
        let exit = match (exit.code, exit.signal) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was ended by {signal}"),
            (None, None) => "ended, nobody saw how".to_owned(),
        };
        page.fact("main", exit);
    }
    for process in &bot.processes {
        let look = if process.ended_by.is_none() { Look::Bad } else { Look::Plain };
        let command = words::masked(&process.command);
        page.put(&format!("pid {}", process.pid), &format!("{}, {}: {command}", process.found(), process.end()), look);
    }
    for error in &bot.errors {
        page.put("error", error, Look::Bad);
    }
    for note in &bot.notes {
        page.fact("note", note);
    }
}

// When it ran.

/// A row of cells, what they stand for, and the last starts and ends.
fn timeline(page: &mut Page, model: &Model, read: &Inspection, bot: Option<&BotStatus>) {
    let Ok(events) = &read.events else { return };
    if starts_and_ends(events).next().is_none() {
        return;
    }
    // A list that is old says nothing of now.
    let seen = bot.filter(|bot| !model.is_stale() && bot.state != State::Unknown);
    let alive = seen.map(|bot| !bot.state.is_at_rest() && bot.state != State::Backoff);
    let line = Timeline::of(events, read.at, alive);
    page.heading(&format!("RESTARTS AND CRASHES (the last {})", ago(line.length().as_secs())));
    let (ascii, width) = (model.fixed.ascii, page.width.saturating_sub(4));
    let row: String = line.cells(width).into_iter().map(|cell| cell.sign(ascii)).collect();
    page.as_it_is(&row, Look::Plain);
    page.as_it_is(&line.scale(width), Look::Faint);
    let ran = format!("{} ran", Cell::Ran.sign(ascii));
    let sums: Vec<String> = line.sums(ascii).into_iter().chain([ran]).collect();
    page.say_so(&sums.join(", "), Look::Faint);
    for event in starts_and_ends(events).take(ENDS) {
        page.fact(&event.at.strftime("%m-%d %H:%M").to_string(), format!("{:9} {}", event.kind, event.text));
    }
}

// What happened last.

fn events(page: &mut Page, events: &Result<Vec<Event>, String>) {
    match events {
        Err(why) => {
            page.heading("EVENTS");
            page.say_so(&format!("they cannot be read: {why}"), Look::Bad);
        }
        Ok(events) if events.is_empty() => {
            page.heading("EVENTS");
            page.say("none is written down");
        }
        Ok(events) => {
            page.heading(&format!("EVENTS (the last {}, newest first)", events.len().min(SHOWN)));
            let mut day = String::new();
            for event in events.iter().rev().take(SHOWN) {
                let today = event.at.strftime("%Y-%m-%d").to_string();
                if today != day {
                    page.say_so(&today, Look::Faint);
                    day = today;
                }
                page.fact(&event.at.strftime("%H:%M:%S").to_string(), format!("{:9} {}", event.kind, event.text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_the_configuration() {
        for (ms, words) in [
            (500, "500ms"),
            (1500, "1500ms"),
            (0, "0s"),
            (30_000, "30s"),
            (90_000, "90s"),
            (300_000, "5m"),
            (7_200_000, "2h"),
        ] {
            assert_eq!(lasting(Duration::from_millis(ms)), words);
        }
    }
}
