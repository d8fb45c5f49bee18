//! What keys do to the emergency stop: the guard before it, its page, and the reset of its latch.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use log::Level;

use crate::core::status::BotStatus;

use super::deed::{self, Deed, Guard, Target};
use super::effect::{Effect, tell};
use super::emergency::PagePart;
use super::emergency_page;
use super::entry::letter;
use super::firing::{close_reset, fire, leave, not_again, show};
use super::guard::{self, Armed, Arrival, EmergencyKey, Pressed, Verdict};
use super::keys::{self, Action};
use super::message::{EmergencyNews, StopNews};
use super::model::{About, Dialog, Focus, Model, ResetStep, Resetting, Tone};
use super::stop_page;
use super::text;
use super::wish::LATCHED_HERE;

/// A key meets the guard before anything else. Says whether that was all.
pub(super) fn guarded(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent, arrival: Arrival) -> bool {
    let at = arrival.at;
    // Where Esc and this key come within a moment a terminal makes one of them: whoever pressed Esc has closed the guard.
    if is_alt_bang(event) && model.emergency.guard(at).is_some() && !types_text(model) {
        model.emergency.armed = None;
    }
    let pressed = pressed(model, event);
    let before = model.emergency.last_key.replace(at);
    let verdict = guard::judge(model.emergency.armed, before, pressed, arrival);
    match verdict {
        Verdict::Pass => model.emergency.armed = None,
        Verdict::Open(key) => model.emergency.armed = Some(Armed { key, at }),
        Verdict::Fire => fire(model, effects),
        Verdict::Close => {
            model.emergency.armed = None;
            tell(model, effects, Tone::Plain, "the guard is closed; nothing was done");
        }
        Verdict::Dead => {}
    }
    verdict != Verdict::Pass
}

/// Where text is typed `!` is a letter of it. A key that is held down is one press.
fn pressed(model: &Model, event: &KeyEvent) -> Pressed {
    if event.code == KeyCode::Esc {
        return Pressed::Esc;
    }
    let always = keys::lookup_always(event) == Some(Action::Emergency);
    let bang = is_alt_bang(event) || keys::lookup(event, model.pane) == Some(Action::Emergency);
    let here = bang && !types_text(model);
    let key = match (always, here) {
        _ if event.kind == KeyEventKind::Repeat => return Pressed::Other,
        (true, _) => EmergencyKey::CtrlX,
        (false, true) => EmergencyKey::Bang,
        (false, false) => return Pressed::Other,
    };
    Pressed::Emergency(key)
}

/// Esc and `!`, as a terminal hands them over that waits a while for the rest of what may be an escape sequence.
fn is_alt_bang(event: &KeyEvent) -> bool {
    event.code == KeyCode::Char('!') && event.modifiers.difference(KeyModifiers::SHIFT) == KeyModifiers::ALT
}

/// Whether letters are text at the moment.
pub fn types_text(model: &Model) -> bool {
    match &model.focus {
        Focus::Typing(_) | Focus::Resetting(_) | Focus::Choosing(_) => true,
        Focus::Asking(dialog) => matches!(dialog.guard, Guard::Type(_)),
        Focus::Panes | Focus::Help(_) | Focus::Inspecting(_) | Focus::Reading(_) => false,
    }
}

/// Its page is shown again.
pub(super) fn bring_back(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.emergency.seen.is_some() {
        show(model);
    } else {
        tell(model, effects, Tone::Plain, "no emergency stop was seen from here");
    }
}

/// Takes in what is told about it.
pub(super) fn hear(model: &mut Model, effects: &mut Vec<Effect>, news: EmergencyNews) {
    let reset = if let EmergencyNews::Reset(report) = &news { Some(report.clone()) } else { None };
    let over = matches!(news, EmergencyNews::Word(StopNews::Over(_)));
    let not_fired = if let EmergencyNews::NotFired(why) = &news { Some(why.clone()) } else { None };
    let was_latched = model.emergency.is_latched();
    if model.emergency.hear(news, model.now.mono) {
        show(model);
    }
    if over && let Some(seen) = &model.emergency.seen {
        let (words, tint) = emergency_page::verdict(seen);
        let what = if seen.is_drill() { "DRILL" } else { "EMERGENCY STOP" };
        let tone = if tint == stop_page::Tint::Good { Tone::Good } else { Tone::Bad };
        tell(model, effects, tone, format!("{what}: {words}; E shows it"));
        effects.push(Effect::Examine);
    }
    if let Some(report) = reset {
        match (model.emergency.in_the_way.first().cloned(), report.errors.first()) {
            (None, None) if report.exit_code == 0 => {
                tell(model, effects, Tone::Good, "the latch is lifted; nothing was started");
            }
            (None, why) => {
                let why = why.map(|why| format!(": {}", text::harmless(why))).unwrap_or_default();
                let text = format!("the latch is lifted, and not all went well (exit {}){why}", report.exit_code);
                tell(model, effects, Tone::Bad, text);
            }
            (Some(why), _) => {
                for error in model.emergency.in_the_way.iter().skip(1) {
                    effects.push(Effect::Note(Level::Warn, format!("not reset: {error}")));
                }
                let more = match model.emergency.in_the_way.len() - 1 {
                    0 => String::new(),
                    more => format!(" (and {more} more)"),
                };
                tell(model, effects, Tone::Bad, format!("NOT reset: {why}{more}"));
            }
        }
        effects.push(Effect::Examine);
    }
    if was_latched != model.emergency.is_latched() {
        effects.push(Effect::Examine);
    }
    if let Some(why) = not_fired {
        tell(model, effects, Tone::Bad, format!("THE EMERGENCY STOP WAS NOT FIRED: {why}"));
    }
    if model.emergency.is_under_way() && close_reset(model) {
        tell(model, effects, Tone::Bad, "not reset: the emergency stop was fired again");
    }
    if model.emergency.shown && model.emergency.seen.is_none() {
        leave(model);
    }
}

/// A key on its page.
pub(super) fn on_its_page(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent) -> Option<Action> {
    let action = keys::lookup_on_emergency(event).or_else(|| keys::lookup(event, model.pane))?;
    let page = emergency_page::page(model).saturating_sub(1).max(1) as i64;
    #[expect(clippy::wildcard_enum_match_arm, reason = "what acts on bots acts on none that cannot be seen")]
    match action {
        Action::LeavePage => leave(model),
        Action::KillAll => kill_all(model, effects),
        Action::CancelAgain => cancel_again(model, effects),
        Action::CopyReport => {
            let text = emergency_page::as_text(model);
            effects.push(Effect::Copy(text));
            tell(model, effects, Tone::Plain, "the report was handed to the terminal's clipboard (OSC 52)");
        }
        Action::NextPart => {
            let over = model.emergency.seen.as_ref().is_some_and(|seen| seen.report.is_some());
            model.emergency.part = match model.emergency.part {
                PagePart::Stages if !over => PagePart::Errors,
                PagePart::Stages | PagePart::Errors => PagePart::Stages,
            };
        }
        Action::Down => scroll(model, 1),
        Action::Up => scroll(model, -1),
        Action::PageDown => scroll(model, page),
        Action::PageUp => scroll(model, -page),
        Action::Top => scroll(model, i64::MIN / 2),
        Action::Bottom => scroll(model, i64::MAX / 2),
        Action::Reset => want_reset(model, effects),
        Action::Help => return Some(action),
        Action::Start | Action::Stop | Action::Restart | Action::Adopt if model.emergency.is_latched() => {
            tell(model, effects, Tone::Plain, LATCHED_HERE);
        }
        _ => {}
    }
    None
}

fn scroll(model: &mut Model, by: i64) {
    let furthest = emergency_page::furthest(model);
    let at = match model.emergency.part {
        PagePart::Stages => 0,
        PagePart::Errors => 1,
    };
    if let (Some(top), Some(last)) = (model.emergency.tops.get_mut(at), furthest.get(at)) {
        *top = (*top as i64).saturating_add(by).clamp(0, *last as i64) as usize;
    }
}

/// What still lives of those whom it is about.
fn living(model: &Model) -> Vec<Target> {
    let Some(seen) = &model.emergency.seen else { return Vec::new() };
    let is_meant = |bot: &&BotStatus| {
        let is_its = seen.book.bots.iter().any(|part| part.name == bot.name);
        (is_its || !seen.is_drill()) && (!bot.state.is_at_rest() || !bot.strays.is_empty())
    };
    model.bots.iter().filter(is_meant).filter_map(|bot| model.target(Deed::Kill, &bot.name)).collect()
}

fn kill_all(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.fixed.read_only {
        tell(model, effects, Tone::Plain, "read-only: nothing here can kill a bot");
        return;
    }
    let targets = living(model);
    let guard = match deed::guard(Deed::Kill, &targets) {
        Some(guard) if !targets.is_empty() => guard,
        Some(_) | None => {
            tell(model, effects, Tone::Plain, "nothing of it was seen alive a moment ago");
            return;
        }
    };
    model.focus = Focus::Asking(Dialog { about: About::Deed(Deed::Kill, targets), guard, typed: String::new() });
}

fn cancel_again(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.emergency.seen.is_none() {
        return;
    }
    match not_again(model) {
        Some(why) => tell(model, effects, Tone::Plain, why),
        None => {
            model.focus = Focus::Asking(Dialog { about: About::FireAgain, guard: Guard::YesNo, typed: String::new() });
        }
    }
}

/// Somebody wants the latch lifted.
pub(super) fn want_reset(model: &mut Model, effects: &mut Vec<Effect>) {
    let emergency = &model.emergency;
    let why_not = if model.fixed.read_only {
        Some("read-only: nothing here can reset the emergency stop")
    } else if emergency.is_under_way() {
        Some("it is under way; it can be reset once it has come to its end")
    } else if emergency.resetting {
        Some("a reset is under way")
    } else if emergency.is_latched() {
        None
    } else {
        Some("the emergency stop is not latched: there is nothing to reset")
    };
    if let Some(why) = why_not {
        tell(model, effects, Tone::Plain, why);
        return;
    }
    let blocked = emergency_page::blocked(model);
    model.focus = Focus::Resetting(Resetting { blocked, ..Resetting::default() });
}

/// A key while a reset is being filled in.
pub(super) fn resetting(model: &mut Model, effects: &mut Vec<Effect>, mut reset: Resetting, event: &KeyEvent) {
    if event.code == KeyCode::Esc {
        tell(model, effects, Tone::Plain, "not reset; it is latched still");
        return;
    }
    if event.code != KeyCode::Enter {
        let text = match reset.step {
            ResetStep::Host => &mut reset.host,
            ResetStep::Reason => &mut reset.reason,
            ResetStep::Waive => &mut reset.waive,
        };
        letter(text, event);
        model.focus = Focus::Resetting(reset);
        return;
    }
    let typed = |text: &str| !text.trim().is_empty();
    match reset.step {
        ResetStep::Host if reset.host.trim() == model.fixed.host => reset.step = ResetStep::Reason,
        ResetStep::Host => {
            tell(model, effects, Tone::Bad, "not reset: that is not this host's name");
            return;
        }
        ResetStep::Reason if !typed(&reset.reason) => {}
        ResetStep::Reason if !reset.blocked.is_empty() => reset.step = ResetStep::Waive,
        ResetStep::Waive if !typed(&reset.waive) => {}
        ResetStep::Reason | ResetStep::Waive => {
            let waive = Some(reset.waive.trim().to_owned()).filter(|waive| typed(waive));
            model.emergency.resetting = true;
            effects.push(Effect::Reset { reason: reset.reason.trim().to_owned(), waive });
            tell(model, effects, Tone::Plain, "asked: reset the emergency stop; it looks at everything afresh");
            return;
        }
    }
    model.focus = Focus::Resetting(reset);
}
