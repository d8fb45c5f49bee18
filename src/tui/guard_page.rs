//! What the guard of the emergency stop says: what a second press will do, in which order, and to whom, with what was last
//! seen. It needs none of that to be seen: it is there before anything was.

use std::fmt::Write;

use crate::core::bot::{BotName, Mode, Protective};
use crate::core::overall::purpose;
use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::core::stop::Stage;

use super::emergency::Course;
use super::guard::Armed;
use super::model::Model;
use super::orders::Count;
use super::scope;
use super::stop_page::{StopLine, Tint, line, plural};
use super::text;
use super::theme;

/// How much a line matters where there is no room for all of them: the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Air,
    Detail,
    Stage,
    Scope,
    Must,
}

/// The lines of the guard, so many at most.
pub fn lines(model: &Model, armed: Armed, width: usize, most: usize) -> Vec<StopLine> {
    let mut all = all(model, armed, width);
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

/// All of it in one sentence, where there is no room for lines.
pub fn sentence(model: &Model, armed: Armed) -> String {
    let left = armed.seconds_left(model.now.mono);
    format!("E-STOP: {} again STOPS EVERYTHING; Esc: no ({left} s)", armed.key.label())
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

fn all(model: &Model, armed: Armed, width: usize) -> Vec<(Weight, StopLine)> {
    let key = armed.key.label();
    let cap = model.emergency.cap().as_secs();
    let mut lines = vec![(Weight::Air, line(&[("", Tint::Plain)]))];
    let mut put = |weight: Weight, text: String, tint: Tint| {
        for (nth, row) in text::fold(&text, width.saturating_sub(2)).into_iter().enumerate() {
            let indent = if nth == 0 { "" } else { "            " };
            lines.push((weight, vec![(format!("  {indent}{row}"), tint)]));
        }
    };
    if let Some(what) = meanwhile(model, key) {
        put(Weight::Must, what, Tint::Warning);
    }
    put(Weight::Must, format!("Pressing {key} again will, in this order:"), Tint::Plain);
    let stage = |number: usize, stage: Stage, text: &str| format!("  {number} {:<7} {text}", stage.word());
    put(Weight::Stage, stage(1, Stage::Lock, purpose(Stage::Lock)), Tint::Plain);
    put(Weight::Stage, stage(2, Stage::Chunks, purpose(Stage::Chunks)), Tint::Plain);
    put(Weight::Scope, stage(3, Stage::Signal, &whom(model)), Tint::Plain);
    let orders = Orders::of(model);
    put(Weight::Scope, stage(4, Stage::Cancel, &orders.sentence(model)), Tint::Plain);
    for (what, tint) in orders.details(model) {
        put(Weight::Detail, format!("            {what}"), tint);
    }
    put(Weight::Stage, stage(5, Stage::Flush, &states(model)), Tint::Plain);
    put(Weight::Stage, stage(6, Stage::Empty, &format!("every process tree, SIGKILL after {cap} s")), Tint::Plain);
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

/// Who is told to stop.
fn whom(model: &Model) -> String {
    if model.seen_at.is_none() {
        return "every bot of this desk; none was seen yet".to_owned();
    }
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
    if !modes.is_empty() {
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
        for bot in &model.bots {
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
        orders.open.sort_by_key(|(name, mode, _)| (rank(*mode), name.clone()));
        orders.commands = model.specs.iter().any(|spec| spec.cancel.is_some());
        orders
    }

    /// How many, of whom.
    fn sentence(&self, model: &Model) -> String {
        if model.seen_at.is_none() {
            return purpose(Stage::Cancel).to_owned();
        }
        let all: u64 = self.open.iter().map(|(_, _, open)| open).sum();
        // A zero is a spoken result: where nobody has counted, nobody says it.
        let mut text = match (all, self.unread.is_empty() && self.blind == 0) {
            (0, false) => "open orders of all; how many is UNKNOWN".to_owned(),
            (all, false) => format!("at least {}", plural(all, "open order")),
            (all, true) => plural(all, "open order"),
        };
        let mut groups = Vec::new();
        for mode in [Some(Mode::Live), None, Some(Mode::Paper)] {
            let of: Vec<_> = self.open.iter().filter(|(_, its, _)| *its == mode).collect();
            let sum: u64 = of.iter().map(|(_, _, open)| open).sum();
            let names: Vec<String> = of.iter().map(|(name, _, open)| format!("{name} {open}")).collect();
            if sum > 0 {
                groups.push(format!("{} {sum}: {}", theme::mode(mode, false), names.join(", ")));
            }
        }
        if !groups.is_empty() {
            _ = write!(text, "  ({})", groups.join("; "));
        }
        text
    }

    /// What must be known beside that.
    fn details(&self, model: &Model) -> Vec<(String, Tint)> {
        let mut lines = Vec::new();
        let policy = |name: &BotName| match model.spec(name).and_then(|spec| spec.cancel.as_ref()) {
            Some(cancel) if cancel.protective == Protective::Keep => "keep",
            Some(_) | None => "cancel",
        };
        if !self.protective.is_empty() {
            let count: u64 = self.protective.iter().map(|(_, count)| count).sum();
            let whose: Vec<String> =
                self.protective.iter().map(|(name, _)| format!("{name}: {}", policy(name))).collect();
            lines.push((format!("{count} of them PROTECTIVE ({})", whose.join(", ")), Tint::Warning));
        }
        if !self.unread.is_empty() {
            lines.push((format!("UNKNOWN now: {}", self.unread.join(", ")), Tint::Warning));
        }
        if self.blind > 0 {
            lines.push((format!("nobody can read those of {}", plural(self.blind as u64, "bot")), Tint::Warning));
        }
        if self.skipped > 0 {
            lines.push((format!("{} of dry-run left alone", plural(self.skipped, "order")), Tint::Plain));
        }
        if !self.alone.is_empty() {
            let names: Vec<&str> = self.alone.iter().map(BotName::as_str).collect();
            lines.push((format!("only the bot itself can cancel: {}", names.join(", ")), Tint::Warning));
        }
        if self.commands {
            lines.push((format!("by cancel commands, {}", scope::REACH), Tint::Plain));
        }
        lines
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
