//! What an operator wants done to bots: which ones are meant, whether it needs to be done, whether it must be asked
//! about first, and how it went. Nothing here is a state: states come with surveys.

use std::collections::BTreeSet;

use log::Level;

use crate::core::bot::BotName;
use crate::core::report::LATCHED;
use crate::core::state::State;
use crate::core::status::BotStatus;
use crate::core::words::{self, Hands};

use super::deed::{self, Deed, Guard, Target};
use super::effect::{Effect, tell, ticket};
use super::message::{Done, Ticket, Told};
use super::model::{About, Confirmed, Dialog, Doing, Feedback, Focus, MISTAKES, Model, Pane, Tone};
use super::orders::Count;
use super::panes::show_stops;
use super::scope::{all_of, chosen_of, meant, not_cancelable, orders_changed};
use super::stops::Begun;
use super::text;
use super::whom;

/// What is said where nothing may start, and how that ends.
pub(super) const LATCHED_HERE: &str = "the emergency stop is latched: R resets it";

/// Somebody wants this done to the marked bots, else to the one under the cursor.
pub(super) fn want(model: &mut Model, effects: &mut Vec<Effect>, deed: Deed) {
    if model.fixed.read_only {
        tell(model, effects, Tone::Plain, format!("read-only: nothing here can {} a bot", deed.verb()));
        return;
    }
    if is_latched(model, deed) {
        tell(model, effects, Tone::Bad, LATCHED_HERE);
        return;
    }
    if deed.starts() && model.mistakes.is_some() {
        tell(model, effects, Tone::Bad, MISTAKES);
        return;
    }
    if deed == Deed::Cancel && model.pane == Pane::Orders {
        want_orders(model, effects);
        return;
    }
    let chosen = match whom::chosen(model) {
        Ok(chosen) => chosen,
        Err(why) => {
            tell(model, effects, Tone::Bad, why);
            return;
        }
    };
    if is_busy(model, effects) {
        return;
    }
    let all_stopping = chosen.iter().all(|bot| bot.state == State::Stopping);
    let deed = if deed == Deed::Stop && all_stopping { Deed::Climb } else { deed };
    let mut targets = Vec::new();
    let mut why_not = None;
    for bot in &chosen {
        match needless(model, deed, bot) {
            Some(why) => {
                let gap = if why.starts_with(':') { "" } else { " " };
                why_not = Some(format!("{}{gap}{why}", bot.name));
            }
            None => targets.extend(model.target(deed, &bot.name)),
        }
    }
    if deed == Deed::Cancel {
        for target in &mut targets {
            target.meant = Some(all_of(model, target));
        }
    }
    if targets.is_empty() {
        tell(model, effects, Tone::Plain, why_not.unwrap_or_default());
        return;
    }
    let doubtful = || whom::is_doubtful(model).then_some(Guard::YesNo);
    match deed::guard(deed, &targets).or_else(doubtful) {
        Some(guard) => {
            if deed.starts() {
                // So that the question is soon asked about what the file says, and not only about what it said.
                effects.push(Effect::Look(ticket(model)));
            }
            let about = About::Deed(deed, targets);
            model.focus = Focus::Asking(Dialog { about, guard, typed: String::new() });
        }
        // The file may have become another one: a bot that was a paper bot may trade with real money now.
        None if deed.starts() => look_again(model, effects, deed, targets),
        None => carry_out(model, effects, deed, targets),
    }
}

/// Whether the emergency stop stands against it. A drill binds some bots only: whoever starts them finds out.
fn is_latched(model: &Model, deed: Deed) -> bool {
    deed.needs_specs() && model.emergency.is_latched()
}

/// Somebody wants the marked orders canceled, else the one under the cursor.
fn want_orders(model: &mut Model, effects: &mut Vec<Effect>) {
    if is_busy(model, effects) {
        return;
    }
    match chosen_of(model) {
        Ok(targets) => {
            let about = About::Deed(Deed::Cancel, targets);
            model.focus = Focus::Asking(Dialog { about, guard: Guard::YesNo, typed: String::new() });
        }
        Err(why) => tell(model, effects, Tone::Bad, why),
    }
}

pub(super) fn is_busy(model: &mut Model, effects: &mut Vec<Effect>) -> bool {
    let bots = model.confirmed.as_ref().map(|confirmed| confirmed.deed.verb().to_owned());
    let cluster = || model.confirmed_cluster.as_ref().map(|confirmed| confirmed.wish.what());
    let Some(what) = bots.or_else(cluster) else { return false };
    let text = format!("{what} is about to happen; one at a time");
    tell(model, effects, Tone::Plain, text);
    true
}

/// Does it once the bots, and the configuration, were looked at again and are still the same.
pub(super) fn look_again(model: &mut Model, effects: &mut Vec<Effect>, deed: Deed, targets: Vec<Target>) {
    let ticket = ticket(model);
    effects.push(Effect::Look(ticket));
    model.confirmed = Some(Confirmed { ticket, deed, targets, at: model.now.mono });
}

/// Why this need not, or cannot, be done to a bot.
fn needless(model: &Model, deed: Deed, bot: &BotStatus) -> Option<String> {
    if let Some(doing) = model.doing_to(&bot.name) {
        let same = doing == deed;
        match deed {
            Deed::Start | Deed::Restart | Deed::Adopt => {
                return Some(format!("waits: its {} is under way", noun(doing)));
            }
            Deed::Stop if same => {
                return Some("was asked to stop already; once it is STOPPING, x hurries it".to_owned());
            }
            Deed::Cancel if same => return Some("waits: its orders are being canceled".to_owned()),
            Deed::Stop | Deed::Climb | Deed::Kill | Deed::Cancel | Deed::Requeue => {}
        }
    }
    match deed {
        Deed::Cancel => not_cancelable(model, bot),
        Deed::Start if !model.is_stale() && matches!(bot.state, State::Running | State::Starting) => {
            Some(format!("is {} already", bot.state.word()))
        }
        Deed::Start | Deed::Restart if !bot.configured => {
            Some("is not in the configuration: it can only be stopped".into())
        }
        Deed::Start if bot.state == State::Orphaned => {
            Some("is ORPHANED: it lives without its keeper, and must not run twice; A adopts, x stops".into())
        }
        Deed::Start if bot.state == State::Unknown => {
            let note = if bot.note.is_empty() { "nobody knows whether it runs" } else { bot.note.as_str() };
            Some(format!("is UNKNOWN, and must not run twice: {note}"))
        }
        Deed::Start => {
            let beside = words::strays_beside(&bot.strays)?;
            let remedy = words::remedy(bot, Hands::Keys).unwrap_or_default();
            Some(format!("must not run twice: {beside}; {remedy}"))
        }
        Deed::Stop if bot.state == State::Stopping => Some("is stopping already".to_owned()),
        Deed::Adopt => not_adoptable(bot),
        Deed::Stop | Deed::Climb | Deed::Kill | Deed::Restart | Deed::Requeue => None,
    }
}

/// Why there is nothing to adopt of a bot, as a sentence that follows its name; nothing if there is.
fn not_adoptable(bot: &BotStatus) -> Option<String> {
    if bot.state.is_at_rest() && bot.strays.len() > 1 {
        let strays = bot.strays.len();
        return Some(format!("cannot be adopted: {strays} look like it, and it runs once; x stops all of it"));
    }
    match (bot.state, bot.strays.is_empty()) {
        (State::Orphaned, _) | (State::Stopped | State::Exited | State::Crashed | State::Failed, false) => None,
        (State::Stopped | State::Exited | State::Crashed | State::Failed, true) => {
            Some("cannot be adopted: nothing of it lives, there is nothing to adopt".to_owned())
        }
        (State::Starting | State::Running | State::Stopping | State::Backoff, true) => {
            Some("has a keeper already".to_owned())
        }
        (State::Starting | State::Running | State::Stopping | State::Backoff, false) => {
            Some("runs already; a stray beside it can only be stopped (x stops all of it)".to_owned())
        }
        (State::Unknown, _) => {
            let note = if bot.note.is_empty() { "nobody knows whether it has a keeper" } else { bot.note.as_str() };
            Some(format!("is UNKNOWN, and cannot be adopted: {note}"))
        }
    }
}

const fn noun(deed: Deed) -> &'static str {
    match deed {
        Deed::Start => "start",
        Deed::Stop | Deed::Climb => "stop",
        Deed::Kill => "kill",
        Deed::Restart => "restart",
        Deed::Adopt => "adoption",
        Deed::Cancel => "cancelation",
        Deed::Requeue => "requeue",
    }
}

/// The bots were looked at again: what was confirmed is done, unless one of them has changed.
pub(super) fn fresh(model: &mut Model, effects: &mut Vec<Effect>, ticket: Ticket) {
    let Some(confirmed) = model.confirmed.take_if(|confirmed| confirmed.ticket == ticket) else { return };
    let Confirmed { deed, targets, .. } = confirmed;
    let changed = targets.iter().find_map(|target| {
        let now = model.target(deed, &target.name);
        target.changed(deed, now.as_ref()).map(|what| format!("{} {what}", target.name))
    });
    let gone = || {
        let target = targets.iter().find(|target| model.spec(&target.name).is_none())?;
        Some(format!("{} is no longer in the configuration", target.name))
    };
    let changed = match (deed.starts(), &model.mistakes) {
        _ if is_latched(model, deed) => Some(LATCHED.to_owned()),
        (true, Some(_)) => Some(MISTAKES.to_owned()),
        (true, None) => changed.or_else(gone),
        (false, _) => changed,
    };
    let changed = changed.or_else(|| (deed == Deed::Cancel).then(|| orders_changed(model, &targets)).flatten());
    match changed {
        Some(what) => {
            let text = format!("{} {} refused: {what}", deed.verb(), deed::named(&targets));
            tell(model, effects, Tone::Bad, text);
        }
        None => carry_out(model, effects, deed, targets),
    }
}

pub(super) fn carry_out(model: &mut Model, effects: &mut Vec<Effect>, deed: Deed, targets: Vec<Target>) {
    let ticket = ticket(model);
    let names: Vec<BotName> = targets.iter().map(|target| target.name.clone()).collect();
    tell(model, effects, Tone::Plain, format!("asked: {} {}", deed.verb(), deed::named(&targets)));
    for name in &names {
        model.marked.remove(name);
    }
    if deed.is_watched() {
        let begun = |target: &Target| Begun { name: target.name.clone(), mode: target.mode, chosen: target.picked() };
        let bots: Vec<Begun> = targets.iter().map(begun).collect();
        model.stops.begin(ticket, deed, &bots, model.now.mono);
        if names.iter().any(|name| model.open_orders(name) != Count::NoSource) {
            show_stops(model);
        }
    }
    let orders = meant(&targets);
    for target in &targets {
        let keys = target.meant.iter().flat_map(|meant| &meant.keys);
        let done: BTreeSet<&String> = keys.collect();
        model.orders.marked.retain(|id| id.bot != target.name || !done.contains(&id.key));
    }
    model.doing.insert(ticket, Doing { deed, names: names.clone(), clusters: Vec::new() });
    let specs = if deed.needs_specs() {
        names.iter().filter_map(|name| model.spec(name)).cloned().collect()
    } else {
        Vec::new()
    };
    effects.push(Effect::Act { ticket, deed, names, specs, orders });
}

/// Something that was under way came to its end.
pub(super) fn finished(model: &mut Model, effects: &mut Vec<Effect>, done: Done) {
    let Some(doing) = model.doing.remove(&done.ticket) else { return };
    if doing.deed.is_watched() {
        effects.push(Effect::ReadNow(doing.names.clone()));
    }
    // So that no row goes on showing what was.
    effects.push(Effect::Look(ticket(model)));
    let took = format!("{}.{} s", done.took.as_secs(), done.took.subsec_millis() / 100);
    let bad: Vec<&Told> = done.bots.iter().filter(|told| !told.well).collect();
    for told in &done.bots {
        let level = if told.well { Level::Info } else { Level::Warn };
        effects.push(Effect::Note(level, text::harmless(&told.text)));
    }
    let (tone, text) = match (done.bots.as_slice(), bad.as_slice()) {
        ([only], [..]) => {
            let tone = if only.well { Tone::Good } else { Tone::Bad };
            (tone, only.text.clone())
        }
        ([..], []) => (Tone::Good, format!("{} {} bots: done ({took})", doing.deed.verb(), done.bots.len())),
        ([..], [first, ..]) => (
            Tone::Bad,
            format!("{} {} bots: {} not: {} ({took})", doing.deed.verb(), done.bots.len(), bad.len(), first.text),
        ),
    };
    model.feedback = Some(Feedback { at: model.now.wall, tone, text: text::harmless(&text) });
}
