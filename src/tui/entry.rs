//! Keys that are not commands: letters of a filter or a search, answers to a question, scrolling through help.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::clip;
use super::cluster_wish;
use super::deed::{self, Deed, Guard};
use super::effect::{Effect, tell};
use super::firing::{fire, not_again};
use super::history_page;
use super::inspect;
use super::keys::{self, Action};
use super::log_keys;
use super::model::{About, Dialog, Focus, Model, Palette, Pane, Prompt, Purpose, Tone};
use super::panes::narrow;
use super::text;
use super::wish::{carry_out, look_again};

/// Pasted text: letters where letters are typed, else nothing at all.
pub(super) fn paste(model: &mut Model, effects: &mut Vec<Effect>, pasted: &str) {
    match &mut model.focus {
        Focus::Typing(prompt) => {
            // What is pasted is text, never a key: its line ends do not accept anything.
            prompt.text.push_str(&text::harmless(&pasted.replace(['\r', '\n'], " ")));
            let prompt = prompt.clone();
            if prompt.purpose == Purpose::Save {
                return;
            }
            match prompt.pane {
                Pane::Bots => narrow(model, &prompt.text),
                Pane::Orders => model.orders.narrow(&prompt.text),
                Pane::History => model.history.narrow(&prompt.text),
                Pane::Cluster | Pane::Logs | Pane::Diagnostics | Pane::Stops => {}
            }
        }
        // It finds something at most: only a key chooses it.
        Focus::Choosing(palette) => {
            palette.text.push_str(&text::harmless(&pasted.replace(['\r', '\n'], " ")));
            palette.at = 0;
        }
        Focus::Panes
        | Focus::Asking(_)
        | Focus::Help(_)
        | Focus::Inspecting(_)
        | Focus::Resetting(_)
        | Focus::Reading(_) => {
            tell(model, effects, Tone::Plain, "pasted text is ignored");
        }
    }
}

/// A key while a filter or a search is typed.
pub(super) fn typing(model: &mut Model, effects: &mut Vec<Effect>, mut prompt: Prompt, event: &KeyEvent) {
    if prompt.purpose == Purpose::Save {
        naming(model, effects, prompt, event);
        return;
    }
    let accepted = matches!(event.code, KeyCode::Esc | KeyCode::Enter);
    if event.code == KeyCode::Esc {
        prompt.text.clone_from(&prompt.before);
    } else if !accepted {
        letter(&mut prompt.text, event);
    }
    match prompt.pane {
        Pane::Bots => narrow(model, &prompt.text),
        Pane::Orders => model.orders.narrow(&prompt.text),
        Pane::History => model.history.narrow(&prompt.text),
        Pane::Logs => {
            if event.code == KeyCode::Enter {
                log_keys::look_for(model, effects, &prompt.text);
            }
        }
        Pane::Cluster | Pane::Diagnostics | Pane::Stops => {}
    }
    if !accepted {
        model.focus = Focus::Typing(prompt);
    }
}

/// A key while the name of a file is typed.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
fn naming(model: &mut Model, effects: &mut Vec<Effect>, mut prompt: Prompt, event: &KeyEvent) {
    match event.code {
        KeyCode::Esc => tell(model, effects, Tone::Plain, "nothing was saved"),
        KeyCode::Enter => clip::save(model, effects, &prompt),
        _ => {
            letter(&mut prompt.text, event);
            model.focus = Focus::Typing(prompt);
        }
    }
}

/// Takes one key into a text, if it is a letter of it or takes one back.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
pub(super) fn letter(text: &mut String, event: &KeyEvent) {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match event.code {
        KeyCode::Char('u') if control => text.clear(),
        KeyCode::Char('w') if control => {
            let kept = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
            text.truncate(kept);
        }
        KeyCode::Char('h') if control => _ = text.pop(),
        KeyCode::Char(c) if !control && !event.modifiers.contains(KeyModifiers::ALT) => text.push(c),
        KeyCode::Backspace => _ = text.pop(),
        _ => {}
    }
}

/// A key while a question is open.
pub(super) fn asking(model: &mut Model, effects: &mut Vec<Effect>, mut dialog: Dialog, event: &KeyEvent) {
    let yes = match (&dialog.guard, event.code) {
        (_, KeyCode::Esc) => false,
        (Guard::YesNo, KeyCode::Char('y' | 'Y')) => true,
        (Guard::YesNo, KeyCode::Enter | KeyCode::Char('n' | 'N' | 'q')) => false,
        (Guard::Type(word), KeyCode::Enter) => dialog.typed == *word,
        (Guard::Type(_), _) => {
            letter(&mut dialog.typed, event);
            model.focus = Focus::Asking(dialog);
            return;
        }
        (Guard::YesNo, _) => {
            model.focus = Focus::Asking(dialog);
            return;
        }
    };
    match (dialog.about, yes) {
        // It changes all the time while everything is being stopped: what lives is killed, whatever it was when asked about.
        (About::Deed(Deed::Kill, targets), true) if model.emergency.shown => {
            carry_out(model, effects, Deed::Kill, targets);
        }
        (About::Deed(deed, targets), true) => {
            // Some time has passed since the question: nothing is done to what it was not asked about.
            look_again(model, effects, deed, targets);
        }
        (About::Deed(deed, targets), false) => {
            let text = format!("not done: {} {}", deed.verb(), deed::named(&targets));
            tell(model, effects, Tone::Plain, text);
        }
        (About::Clusters(wish), true) => cluster_wish::confirmed(model, effects, wish),
        (About::Clusters(wish), false) => {
            tell(model, effects, Tone::Plain, format!("not done: {}", wish.what()));
        }
        (About::Leaving(_), true) => effects.push(Effect::Leave(None)),
        // It may have been reset since it was asked about, or fired by somebody else.
        (About::FireAgain, true) => match not_again(model) {
            None => fire(model, effects),
            Some(why) => tell(model, effects, Tone::Plain, format!("not fired again: {why}")),
        },
        (About::FireAgain, false) => tell(model, effects, Tone::Plain, "not fired again"),
        (About::Leaving(_), false) => tell(model, effects, Tone::Plain, "not left"),
    }
}

/// A key while help is open.
pub(super) fn help(model: &mut Model, event: &KeyEvent, top: usize) {
    let page = usize::from(model.size.1.saturating_sub(4)).max(1);
    let top = match keys::lookup(event, model.pane) {
        Some(Action::Back | Action::Help | Action::Leave) => return,
        // What there is to be searched stands in the palette, with its keys.
        Some(Action::Find | Action::Palette) => {
            model.focus = Focus::Choosing(Palette::default());
            return;
        }
        Some(Action::Down) => top + 1,
        Some(Action::Up) => top.saturating_sub(1),
        Some(Action::PageDown) => top + page,
        Some(Action::PageUp) => top.saturating_sub(page),
        Some(Action::Top) => 0,
        _ => top,
    };
    model.focus = Focus::Help(top.min(keys::TABLE.len()));
}

/// A key while a bot is inspected.
pub(super) fn inspecting(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent, top: usize) {
    let page = inspect::page(model).saturating_sub(1).max(1);
    let last = inspect::furthest(model);
    let top = match keys::lookup(event, model.pane) {
        Some(Action::Back | Action::Inspect | Action::Leave) => return,
        Some(Action::Copy) => {
            clip::copy_inspected(model, effects);
            top
        }
        action => scrolled(action, top, page, last),
    };
    model.focus = Focus::Inspecting(top.min(last));
}

/// A key while an entry of the history is read.
pub(super) fn reading(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent, top: usize) {
    let page = inspect::page(model).saturating_sub(1).max(1);
    let last = history_page::furthest(model);
    let top = match keys::lookup(event, model.pane) {
        Some(Action::Back | Action::OpenEntry | Action::Inspect | Action::Leave) => {
            model.history.open = None;
            return;
        }
        Some(Action::Copy) => {
            clip::copy_entry(model, effects);
            top
        }
        action => scrolled(action, top, page, last),
    };
    model.focus = Focus::Reading(top.min(last));
}

/// How far down the top is after this key, where so many lines are a page and it goes no further than the last.
fn scrolled(action: Option<Action>, top: usize, page: usize, last: usize) -> usize {
    match action {
        Some(Action::Down) => top + 1,
        Some(Action::Up) => top.saturating_sub(1),
        Some(Action::PageDown) => top + page,
        Some(Action::PageUp) => top.saturating_sub(page),
        Some(Action::Top) => 0,
        Some(Action::Bottom) => last,
        _ => top,
    }
}
