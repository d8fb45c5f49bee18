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
