//! What the guard of the emergency stop says: what a second press will do, in which order, and to whom, with what was last
//! seen. It needs none of that to be seen: it is there before anything was.

use std::fmt::Write;

use crate::core::bot::{BotName, Mode, Protective};
use crate::core::overall::purpose;
use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::core::stop::Stage;

use super::clusters::Cluster;
use super::emergency::Course;
use super::guard::{Armed, EmergencyKey};
use super::model::Model;
use super::orders::Count;
use super::scope;
use super::stop_page::{StopLine, Tint, line};
use super::text::{self, plural};
use super::theme;

/// How much a line matters where there is no room for all of them: the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Air,
    Stage,
    Detail,
    Whom,
    Orders,
    /// What may surprise whoever fires: protective orders, unknown ones, what else is hit, when it kills.
    Scope,
    Must,
}

/// How much is said of each thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Say {
    All,
    /// So much that a line holds it.
    Line,
}

/// Columns before what is said of a stage, and before what that line has no room for.
const INDENT: usize = 12;

/// The lines of the guard, so many at most.
pub fn lines(model: &Model, armed: Armed, width: usize, most: usize) -> Vec<StopLine> {
    let mut all = all(model, armed, width, Say::All);
    if all.iter().filter(|(weight, _)| *weight > Weight::Air).count() > most {
        all = self::all(model, armed, width, Say::Line);
    }
    while all.len() > most {
        let least = all.iter().map(|(weight, _)| *weight).min().filter(|least| *least < Weight::Must);
        // The last one of those that matter least: what was said first is what happens first.
        match all.iter().rposition(|(weight, _)| Some(*weight) == least) {
            Some(at) => _ = all.remove(at),
            None => break,
        }
    }
    all.truncate(most);
    all.into_iter().map(|(_, line)| line).collect()
}

/// The text in rows, of which all but the first stand further in and hold so much less.
fn folded(text: &str, columns: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let room = if rows.len() > 1 { columns.saturating_sub(INDENT) } else { columns };
        match rows.last_mut() {
            Some(row) if text::width(row) + 1 + text::width(word) <= room => {
                row.push(' ');
                row.push_str(word);
            }
            Some(_) | None => rows.push(word.to_owned()),
        }
    }
    rows
}

/// The longest of what can be said, with as many names as so many rows hold.
fn fitting(columns: usize, rows: usize, names: usize, say: impl Fn(usize) -> String) -> String {
    let fits = |text: &String| folded(text, columns).len() <= rows;
    (1..=names.min(40)).rev().map(&say).find(fits).unwrap_or_else(|| say(0))
}

/// So many of these names, and how many there are beside.
fn few(names: &[String], shown: usize) -> String {
    match (names.get(..shown), names.len().saturating_sub(shown)) {
        (None, _) | (_, 0) => names.join(", "),
        (Some([]), all) => plural(all as u64, "bot"),
        (Some(named), more) => format!("{} and {more} more", named.join(", ")),
    }
}

/// All of it in one sentence, where there is no room for lines; on the smallest screens the sign of the key comes first.
pub fn sentence(model: &Model, armed: Armed, columns: u16) -> String {
    let left = armed.seconds_left(model.now.mono);
    let rest = format!("again STOPS EVERYTHING; Esc: no ({left} s)");
    match (columns, armed.key) {
        (20.., key) => format!("E-STOP: {} {rest}", key.label()),
        (_, EmergencyKey::Bang) => format!("! {rest}"),
        (_, EmergencyKey::CtrlX) => format!("! Ctrl-X {rest}"),
    }
}

/// The mode that is at stake: real money if any may be.
pub fn stake(model: &Model) -> (&'static str, Tint) {
    let awake = || model.bots.iter().filter(|bot| is_awake(bot));
    let has = |mode: Option<Mode>| awake().any(|bot| bot.mode == mode);
    if model.seen_at.is_none() || has(Some(Mode::Live)) || has(None) {
        let word = if has(Some(Mode::Live)) { "LIVE" } else { "MAY BE LIVE" };
        return (word, Tint::Bad);
    }
    match (has(Some(Mode::Paper)), has(Some(Mode::DryRun))) {
        (true, _) => (theme::mode(Some(Mode::Paper), false), Tint::Strong),
        (false, true) => (theme::mode(Some(Mode::DryRun), false), Tint::Strong),
        (false, false) => ("nothing runs", Tint::Plain),
    }
}

fn is_awake(bot: &BotStatus) -> bool {
    !bot.state.is_at_rest() || !bot.strays.is_empty()
}

fn all(model: &Model, armed: Armed, width: usize, say: Say) -> Vec<(Weight, StopLine)> {
    let key = armed.key.label();
    let cap = model.emergency.cap().as_secs();
    let mut lines = vec![(Weight::Air, line(&[("", Tint::Plain)]))];
    let columns = width.saturating_sub(2);
    // What is said of a stage stands this far in.
    let room = columns.saturating_sub(INDENT);
    let mut put = |weight: Weight, text: String, tint: Tint| {
        for (nth, row) in folded(&text, columns).into_iter().enumerate() {
            let indent = if nth == 0 { 0 } else { INDENT };
            lines.push((weight, vec![(format!("  {:indent$}{row}", ""), tint)]));
        }
    };
    let meanwhile = meanwhile(model, key);
    // Where something is going on already, that says it.
    let opening = if meanwhile.is_some() && say == Say::Line { Weight::Stage } else { Weight::Must };
    if let Some(what) = meanwhile {
        put(Weight::Must, what, Tint::Warning);
    }
    put(opening, format!("Pressing {key} again will, in this order:"), Tint::Plain);
    let stage = |number: usize, stage: Stage, text: &str| format!("  {number} {:<7} {text}", stage.word());
    put(Weight::Stage, stage(1, Stage::Lock, purpose(Stage::Lock)), Tint::Plain);
    put(Weight::Stage, stage(2, Stage::Chunks, &chunks(model)), Tint::Plain);
    put(Weight::Whom, stage(3, Stage::Signal, &whom(model, say, room)), Tint::Plain);
    let orders = Orders::of(model);
    put(Weight::Orders, stage(4, Stage::Cancel, &orders.sentence(model, say, room)), Tint::Plain);
    for (weight, what, tint) in orders.details(model, say, room) {
        put(weight, format!("{:INDENT$}{what}", ""), tint);
    }
    put(Weight::Stage, stage(5, Stage::Flush, &states(model)), Tint::Plain);
    put(Weight::Scope, stage(6, Stage::Empty, &format!("every process tree, SIGKILL after {cap} s")), Tint::Plain);
    put(Weight::Stage, stage(7, Stage::Verify, purpose(Stage::Verify)), Tint::Plain);
    lines.push((Weight::Air, line(&[("", Tint::Plain)])));
    lines.push((Weight::Must, line(&[("  Open positions are NOT closed.", Tint::Strong)])));
    lines.push((Weight::Air, line(&[("", Tint::Plain)])));
    let left = armed.seconds_left(model.now.mono);
    let wide = width.saturating_sub(2);
    let fire = format!("{key:<6} STOP EVERYTHING NOW");
    let closes = format!("closes in {left} s");
    let gap = " ".repeat(wide.saturating_sub(fire.len() + closes.len() + 4).clamp(1, 22));
    lines.push((
        Weight::Must,
        line(&[("  ", Tint::Plain), (&fire, Tint::Bad), (&gap, Tint::Plain), (&closes, Tint::Plain)]),
    ));
    lines.push((Weight::Must, line(&[("  Esc    close - nothing has been done yet", Tint::Plain)])));
    lines
}

/// What a second press does where something is going on already.
fn meanwhile(model: &Model, key: &str) -> Option<String> {
    let emergency = &model.emergency;
    match emergency.seen.as_ref().map(|seen| seen.course) {
        Some(Course::Asked | Course::UnderWay | Course::Silent) if emergency.is_drill() => {
            Some(format!("A DRILL is under way: {key} again ends it, and stops everything, live bots too."))
        }
        Some(Course::Asked | Course::UnderWay | Course::Silent) => {
            Some(format!("One is under way: {key} again joins it, and nobody is told twice."))
        }
        Some(Course::Interrupted) => Some(format!("One was INTERRUPTED: {key} again carries on with it.")),
        Some(Course::Over) | None if emergency.is_latched() => {
            Some(format!("It is LATCHED already: {key} again verifies, and cancels what is left, under the latch."))
        }
        Some(Course::Over) | None => None,
    }
}

/// How many chunks are put back, as far as is known.
fn chunks(model: &Model) -> String {
    let now = model.now.mono;
    let (known, unknown): (Vec<&Cluster>, Vec<&Cluster>) =
        model.clusters.all().iter().partition(|cluster| cluster.running(now).is_some());
    let why = |cluster: &&Cluster| {
        format!("{}: {}", cluster.name(), cluster.why_unknown(now).unwrap_or_else(|| "not read".to_owned()))
    };
    let whys: Vec<String> = unknown.iter().map(why).collect();
    let running: u64 = known.iter().filter_map(|cluster| cluster.running(now)).sum();
    let of = if model.clusters.all().len() > 1 { format!(" of {} clusters", known.len()) } else { String::new() };
    let count = format!("{}{of} -> pending", plural(running, "running chunk"));
    match (known.is_empty(), whys.is_empty()) {
        (true, true) => purpose(Stage::Chunks).to_owned(),
        (true, false) => format!("running chunks -> pending; how many is unknown: {}", whys.join("; ")),
        (false, true) => count,
        (false, false) => format!("{count}; unknown: {}", whys.join("; ")),
    }
}

/// Who is told to stop.
fn whom(model: &Model, say: Say, room: usize) -> String {
    if model.seen_at.is_none() {
        return "every bot of this desk; none was seen yet".to_owned();
    }
    let all = who(model, true);
    if say == Say::All || text::width(&all) <= room { all } else { who(model, false) }
}

fn who(model: &Model, modes_too: bool) -> String {
    let at = |states: &[State]| model.bots.iter().filter(|bot| states.contains(&bot.state)).count() as u64;
    let running = [State::Running, State::Starting, State::Stopping, State::Backoff];
    let mut parts = vec![plural(at(&running), "bot")];
    for (count, what) in [(at(&[State::Orphaned]), "orphan"), (at(&[State::Unknown]), "unknown one")] {
        if count > 0 {
            parts.push(plural(count, what));
        }
    }
    let strays: usize = model.bots.iter().map(|bot| bot.strays.len()).sum();
    if strays > 0 {
        parts.push(plural(strays as u64, "stray"));
    }
    let mut text = format!("{} told to stop", parts.join(", "));
    let modes: Vec<String> = [Some(Mode::Live), Some(Mode::Paper), Some(Mode::DryRun), None]
        .into_iter()
        .filter_map(|mode| {
            let count = model.bots.iter().filter(|bot| bot.mode == mode && is_awake(bot)).count();
            (count > 0).then(|| format!("{} {count}", theme::mode(mode, false)))
        })
        .collect();
    if modes_too && !modes.is_empty() {
        _ = write!(text, " ({})", modes.join(" "));
    }
    if model.is_stale() {
        let age = model.age().map(text::age).unwrap_or_default();
        _ = write!(text, "; seen {age} ago: STALE");
    }
    text
}

/// Whose state will be looked at.
fn states(model: &Model) -> String {
    let files = model
        .bots
        .iter()
        .filter(|bot| is_awake(bot))
        .filter(|bot| model.spec(&bot.name).is_some_and(|spec| spec.state_file.is_some()));
    match files.count() as u64 {
        0 => "what bots say of their state (no state file of a running bot is known)".to_owned(),
        files => format!("state files of {}", plural(files, "bot")),
    }
}

/// What is known of the orders of everybody.
#[derive(Default)]
struct Orders {
    /// Open ones, by bot: real money first.
    open: Vec<(BotName, Option<Mode>, u64)>,
    protective: Vec<(BotName, u64)>,
    /// Bots whose orders should be read and could not be.
    unread: Vec<String>,
    /// Awake ones whose orders nobody can read.
    blind: usize,
    /// Dry-run: counted, not canceled.
    skipped: u64,
    /// Bots with open orders that nobody but themselves can cancel.
    alone: Vec<BotName>,
    commands: bool,
}

impl Orders {
    fn of(model: &Model) -> Self {
        let mut orders = Self::default();
        let mut bots: Vec<&BotStatus> = model.bots.iter().collect();
        bots.sort_by_key(|bot| (rank(bot.mode), &bot.name));
        for bot in bots {
            let open = match model.open_orders(&bot.name) {
                Count::Fresh(open) => open,
                Count::Stale(open) => {
                    orders.unread.push(format!("{} ({open} when last read)", bot.name));
                    continue;
                }
                Count::Unread => {
                    orders.unread.push(bot.name.to_string());
                    continue;
                }
                Count::NoSource => {
                    orders.blind += usize::from(is_awake(bot));
                    continue;
                }
            };
            if open == 0 {
                continue;
            }
            if bot.mode == Some(Mode::DryRun) {
                orders.skipped += open;
                continue;
            }
            orders.open.push((bot.name.clone(), bot.mode, open));
            let protective = model.orders.protective(&bot.name);
            if protective > 0 {
                orders.protective.push((bot.name.clone(), protective));
            }
            if scope::no_means(model, &bot.name).is_some() {
                orders.alone.push(bot.name.clone());
            }
        }
        orders.commands = model.specs.iter().any(|spec| spec.cancel.is_some());
        orders
    }

    /// How many, of whom.
    fn sentence(&self, model: &Model, say: Say, room: usize) -> String {
        if model.seen_at.is_none() {
            return purpose(Stage::Cancel).to_owned();
        }
        let all: u64 = self.open.iter().map(|(_, _, open)| open).sum();
        // A zero is a spoken result: where nobody has counted, nobody says it.
        let text = match (all, self.unread.is_empty() && self.blind == 0) {
            (0, false) => "open orders of all; how many is UNKNOWN".to_owned(),
            (all, false) => format!("at least {}", plural(all, "open order")),
            (all, true) => plural(all, "open order"),
        };
        let groups: Vec<(String, Vec<String>)> = [Some(Mode::Live), None, Some(Mode::Paper)]
            .into_iter()
            .map(|mode| {
                let of = || self.open.iter().filter(move |(_, its, _)| *its == mode);
                let sum: u64 = of().map(|(_, _, open)| open).sum();
                let names = of().map(|(name, _, open)| format!("{name} {open}")).collect();
                (format!("{} {sum}", theme::mode(mode, false)), names)
            })
            .filter(|(_, names): &(String, Vec<String>)| !names.is_empty())
            .collect();
        if groups.is_empty() {
            return text;
        }
        let most = groups.iter().map(|(_, names)| names.len()).max().unwrap_or_default();
        let with = |shown: usize| {
            let said = |(sum, names): &(String, Vec<String>)| match shown {
                0 => sum.clone(),
                shown => format!("{sum}: {}", few(names, shown)),
            };
            let parts: Vec<String> = groups.iter().map(said).collect();
            format!("{text}  ({})", parts.join("; "))
        };
        let rows = if say == Say::All { 2 } else { 1 };
        fitting(room, rows, most, with)
    }

    /// What must be known beside that.
    fn details(&self, model: &Model, say: Say, room: usize) -> Vec<(Weight, String, Tint)> {
        let mut lines = Vec::new();
        if !self.protective.is_empty() {
            let count: u64 = self.protective.iter().map(|(_, count)| count).sum();
            let with = |shown: usize| format!("{count} of them PROTECTIVE ({})", self.policies(model, shown));
            lines.push((Weight::Scope, fitting(room, 1, self.protective.len(), with), Tint::Warning));
        }
        let blind = |words: &str| match self.blind {
            0 => String::new(),
            blind => format!("{words}nobody can read those of {}", plural(blind as u64, "bot")),
        };
        if self.unread.is_empty() {
            if self.blind > 0 {
                lines.push((Weight::Scope, blind(if say == Say::All { "" } else { "UNKNOWN: " }), Tint::Warning));
            }
        } else {
            // Where there is little room the two are one: nobody knows.
            let rest = if say == Say::Line && self.blind > 0 {
                format!(", and of {} more", self.blind)
            } else {
                String::new()
            };
            // How many there were is worth less than whose they are.
            let name = |unread: &String| unread.split(" (").next().unwrap_or_default().to_owned();
            let unread: Vec<String> = match say {
                Say::All => self.unread.clone(),
                Say::Line => self.unread.iter().map(name).collect(),
            };
            let with = |shown: usize| format!("UNKNOWN now: {}{rest}", few(&unread, shown));
            lines.push((Weight::Scope, fitting(room, 1, unread.len(), with), Tint::Warning));
            if say == Say::All && self.blind > 0 {
                lines.push((Weight::Scope, blind(""), Tint::Warning));
            }
        }
        if self.skipped > 0 {
            lines.push((
                Weight::Detail,
                format!("{} of dry-run left alone", plural(self.skipped, "order")),
                Tint::Plain,
            ));
        }
        if !self.alone.is_empty() {
            let names: Vec<String> = self.alone.iter().map(ToString::to_string).collect();
            let with = |shown: usize| format!("only the bot itself can cancel: {}", few(&names, shown));
            lines.push((Weight::Detail, fitting(room, 1, names.len(), with), Tint::Warning));
        }
        if self.commands {
            let words = match say {
                Say::All => format!("by cancel commands, {}", scope::REACH),
                Say::Line => "may be account-wide: others' orders too".to_owned(),
            };
            lines.push((Weight::Scope, words, Tint::Plain));
        }
        lines
    }

    /// What becomes of protective orders: so many bots by name, the others counted.
    fn policies(&self, model: &Model, shown: usize) -> String {
        let policy = |name: &BotName| match model.spec(name).and_then(|spec| spec.cancel.as_ref()) {
            Some(cancel) if cancel.protective == Protective::Keep => "keep",
            Some(_) | None => "cancel",
        };
        let named = self.protective.iter().take(shown).map(|(name, _)| format!("{name}: {}", policy(name)));
        let mut parts: Vec<String> = named.collect();
        let of = |what: &str| self.protective.iter().skip(shown).filter(|(name, _)| policy(name) == what).count();
        for what in ["cancel", "keep"] {
            match of(what) {
                0 => {}
                count => parts.push(format!("{count} {}: {what}", if shown == 0 { "bots" } else { "more" })),
            }
        }
        parts.join(", ")
    }
}

/// Real money first, and what may be that.
const fn rank(mode: Option<Mode>) -> u8 {
    match mode {
        Some(Mode::Live) => 0,
        None => 1,
        Some(Mode::Paper) => 2,
        Some(Mode::DryRun) => 3,
    }
}
