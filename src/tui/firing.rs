//! The emergency stop is fired, and its page comes and goes. Nothing here asks or waits.

use super::effect::{Effect, tell};
use super::model::{About, Focus, Model, Tone};

/// Fires. What is to be stopped, whoever carries it out finds out.
pub(super) fn fire(model: &mut Model, effects: &mut Vec<Effect>) {
    effects.push(Effect::Fire);
    model.emergency.fired(model.now.mono);
    let was_resetting = close_reset(model);
    if matches!(&model.focus, Focus::Asking(dialog) if dialog.about == About::FireAgain) {
        model.focus = Focus::Panes;
    }
    show(model);
    tell(model, effects, Tone::Bad, "EMERGENCY STOP fired");
    if was_resetting {
        tell(model, effects, Tone::Bad, "not reset: the emergency stop was fired again");
    }
}

/// A form about a latch is void once the emergency stop is fired again. Says whether there was one.
pub(super) fn close_reset(model: &mut Model) -> bool {
    let is_form = |focus: &Focus| matches!(focus, Focus::Resetting(_));
    let was = is_form(&model.focus) || model.beneath.as_ref().is_some_and(is_form);
    if is_form(&model.focus) {
        model.focus = Focus::Panes;
    }
    if let Some(beneath) = model.beneath.as_mut().filter(|beneath| is_form(beneath)) {
        *beneath = Focus::Panes;
    }
    was
}

/// Why what is left of it cannot be canceled again by a question: that fires under a latch that stands, and no new one.
pub fn not_again(model: &Model) -> Option<&'static str> {
    let emergency = &model.emergency;
    let seen = emergency.seen.as_ref()?;
    if model.fixed.read_only {
        Some("read-only: only ! ! fires from here")
    } else if seen.is_drill() {
        Some("this was a drill; ! ! is the real one")
    } else if seen.is_under_way() {
        Some("it is under way, and cancels as long as something is open")
    } else if emergency.is_latched() {
        None
    } else if seen.has_no_latch() {
        Some("it is not latched; ! ! fires a new one")
    } else {
        Some("it was reset; ! ! fires a new one")
    }
}

/// Its page is shown instead of the panes; what was open there is there again when the page is left.
pub(super) fn show(model: &mut Model) {
    if !model.emergency.shown {
        model.emergency.shown = true;
        model.beneath = Some(std::mem::take(&mut model.focus));
    }
}

/// Back to the panes.
pub(super) fn leave(model: &mut Model) {
    model.emergency.shown = false;
    model.focus = model.beneath.take().unwrap_or_default();
}
