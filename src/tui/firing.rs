//! The emergency stop is fired, and its page comes and goes. Nothing here asks or waits.

use super::effect::{Effect, tell};
use super::model::{Model, Tone};

/// Fires. What is to be stopped, whoever carries it out finds out.
pub(super) fn fire(model: &mut Model, effects: &mut Vec<Effect>) {
    effects.push(Effect::Fire);
    model.emergency.fired(model.now.mono);
    show(model);
    tell(model, effects, Tone::Bad, "EMERGENCY STOP fired");
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
