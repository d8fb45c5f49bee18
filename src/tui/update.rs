//! What the screen makes of what it is told: a new model, and effects for others to perform. It reads no clock, touches
//! nothing outside, and shows no wish as a state: a row changes when a survey says so.

use std::time::Duration;

use crossterm::event::KeyEvent;
use log::Level;

use crate::core::bot::{BotName, Mode, READY_LIMIT};
use crate::core::state::State;
use crate::core::status::BotStatus;

use super::clip;
use super::cluster_wish;
use super::deed::{self, Deed, Guard};
use super::dress;
use super::effect::{Effect, tell};
use super::emergency_keys::{bring_back, guarded, hear, on_its_page, resetting, want_reset};
use super::entry::{asking, help, inspecting, paste, reading, typing};
use super::firing::leave;
use super::keys::{self, Action};
use super::layout;
use super::log_keys;
use super::message::{Configured, Msg, Running};
use super::model::{About, DIAGNOSED, Dialog, Focus, Inspected, MISTAKES, Model, Palette, Pane, Prompt, Purpose, Tone};
use super::mouse;
use super::orders::Count;
use super::palette;
use super::panes::show_stops;
use super::panes::{back, follow_order, go, go_to, go_to_order, page, settle_panes, step, turn, unmark};
use super::sorting::sort;
use super::stop_page;
use super::text;
use super::whom;
use super::wish::{finished, fresh, want};

/// A look that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes a message in.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Now(now) => {
            model.now = now;
            model.emergency.begun.get_or_insert(now.mono);
            if let Some(confirmed) = &model.confirmed
                && now.mono.since(confirmed.at) > PATIENCE
            {
                let text = format!(
                    "{} {}: nothing was done; the bots could not be looked at again",
                    confirmed.deed.verb(),
                    deed::named(&confirmed.targets)
                );
                model.confirmed = None;
                tell(model, &mut effects, Tone::Bad, text);
            }
            if let Some(confirmed) = &model.confirmed_cluster
                && now.mono.since(confirmed.at) > PATIENCE
            {
                let what = confirmed.wish.what();
                model.confirmed_cluster = None;
                let text = format!("{what}: nothing was done; the bots could not be looked at again");
                tell(model, &mut effects, Tone::Bad, text);
            }
            if model.stops.is_long(now.mono) {
                show_stops(model);
            }
        }
        Msg::Key(event, arrival) => {
            if !guarded(model, &mut effects, &event, arrival) {
                key(model, &mut effects, &event);
            }
        }
        Msg::Paste(text) => {
            // What is pasted is no key: it opens nothing and fires nothing, and an open guard hides where it would go.
            if !layout::is_tiny(model) && model.emergency.guard(model.now.mono).is_none() {
                paste(model, &mut effects, &text);
            }
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            if layout::is_tiny(model) {
                shut(model, &mut effects);
            }
        }
        Msg::Configuration(configured) => configure(model, &mut effects, configured),
        Msg::Clusters(clusters) => {
            effects.push(Effect::ReadClusters(clusters.clone(), model.specs.clone()));
            model.clusters.configure(clusters);
        }
        Msg::Survey(bots) => survey(model, bots),
        Msg::Fresh(ticket) => {
            fresh(model, &mut effects, ticket);
            cluster_wish::fresh(model, &mut effects, ticket);
        }
        Msg::Log(news) => log_keys::hear(model, news),
        Msg::History(news) => {
            for text in model.history.hear(news, model.now.mono) {
                tell(model, &mut effects, Tone::Bad, text);
            }
        }
        Msg::Ui(settings) => dress::hear(model, settings),
        Msg::Mouse(event) => {
            if let Some(action) = mouse::moved(model, event) {
                act(model, &mut effects, action);
            }
        }
        Msg::Saved(Ok(text)) => tell(model, &mut effects, Tone::Good, text),
        Msg::Saved(Err(why)) => tell(model, &mut effects, Tone::Bad, why),
        Msg::Orders(news) => {
            model.orders.hear(news, model.now);
            count_orders(model);
        }
        Msg::Cluster(news) => {
            let statuses = if model.is_stale() { &[][..] } else { &model.bots };
            model.clusters.hear(*news, statuses, &model.fixed.host, model.now);
        }
        Msg::Emergency(news) => hear(model, &mut effects, news),
        Msg::Stop(ticket, news) => model.stops.hear(ticket, news, model.now.mono),
        Msg::Done(done) => {
            model.stops.done(done.ticket, done.took, &done.bots);
            finished(model, &mut effects, done);
            // What became of it is written down by now.
            if let Some(inspected) = &mut model.inspected {
                inspected.seen = None;
            }
        }
        Msg::Inspected(inspection) => {
            if let Some(inspected) = &mut model.inspected
                && inspected.name == inspection.name
            {
                inspected.answered = true;
                inspected.read = Some(inspection);
            }
        }
        Msg::Trouble(text) => tell(model, &mut effects, Tone::Bad, text),
        Msg::Diagnostic(level, text) => {
            model.diagnosed.push_back((model.now.wall, level, text));
            let many = model.diagnosed.len().saturating_sub(DIAGNOSED);
            model.diagnosed.drain(..many);
        }
        Msg::Signaled(signal) => effects.push(Effect::Leave(Some(signal))),
        Msg::Suspend => effects.push(Effect::StandStill),
        Msg::Continued => effects.push(Effect::Resume),
    }
    settle(model, &mut effects);
    effects
}

/// What follows from anything: the log is that of the bot under the cursor, the cursor is on the screen, and looks are
/// frequent while something changes.
fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.cursor.is_none() {
        model.cursor = model.name_at(0);
    }
    settle_panes(model, effects);
    log_keys::settle(model, effects);
    if let Some(row) = model.cursor_at() {
        model.cursor_row = row;
    }
    keep_inspecting(model, effects);
    let rows = layout::list_page(model).max(1);
    let count = model.shown().count();
    if model.cursor_row < model.top_row {
        model.top_row = model.cursor_row;
    }
    model.top_row = model.top_row.max((model.cursor_row + 1).saturating_sub(rows)).min(count.saturating_sub(rows));
    let moving = model.bots.iter().any(|bot| bot.state == State::Stopping || starts_now(model, bot));
    let hurried = moving || !model.doing.is_empty() || model.confirmed.is_some() || model.confirmed_cluster.is_some();
    if hurried != model.hurried {
        model.hurried = hurried;
        effects.push(Effect::Hurry(hurried));
    }
}

/// What was read of orders stands with the bots, for whoever looks at one of them.
fn count_orders(model: &mut Model) {
    let now = model.now.mono;
    for bot in &mut model.bots {
        let source = model.orders.source(&bot.name).filter(|source| !source.is_stale(now));
        bot.orders_read_at = source.and_then(|source| source.read_at);
        bot.orders_active = match model.orders.count(&bot.name, now) {
            Count::Fresh(orders) => Some(orders),
            Count::Stale(_) | Count::Unread | Count::NoSource => None,
        };
    }
}

/// What is shown of a bot is read again when it has changed, and every few seconds: others act on it too.
fn keep_inspecting(model: &mut Model, effects: &mut Vec<Effect>) {
    let beneath = matches!(model.beneath, Some(Focus::Inspecting(_)));
    if !matches!(model.focus, Focus::Inspecting(_)) && !beneath {
        model.inspected = None;
        return;
    }
    let now = model.now.mono;
    let Some(name) = model.inspected.as_ref().map(|inspected| inspected.name.clone()) else { return };
    let seen = model.target(Deed::Adopt, &name);
    let Some(inspected) = &mut model.inspected else { return };
    let old = inspected.asked.is_none_or(|asked| now.since(asked) >= PATIENCE);
    if old || (inspected.answered && inspected.seen != seen) {
        inspected.asked = Some(now);
        inspected.answered = false;
        inspected.seen = seen;
        effects.push(Effect::Inspect(name));
    }
}

/// Opens what is known of the bot that is meant.
fn inspect(model: &mut Model, effects: &mut Vec<Effect>) {
    let name = match whom::under_cursor(model) {
        Ok(bot) => bot.name.clone(),
        Err(why) => {
            tell(model, effects, Tone::Plain, why);
            return;
        }
    };
    model.inspected = Some(Inspected { name, asked: None, answered: false, seen: None, read: None });
    model.focus = Focus::Inspecting(0);
}

/// A file with mistakes takes nothing away: what was known of the bots stays known, and nothing is started.
fn configure(model: &mut Model, effects: &mut Vec<Effect>, configured: Configured) {
    match configured {
        Ok(specs) => {
            if model.mistakes.take().is_some() {
                tell(model, effects, Tone::Good, "the configuration has no mistake any more");
            }
            effects.push(Effect::ReadOrders(specs.clone()));
            if !model.clusters.is_empty() {
                let clusters = model.clusters.all().iter().map(|cluster| cluster.spec.clone()).collect();
                effects.push(Effect::ReadClusters(clusters, specs.clone()));
            }
            model.specs = specs;
        }
        Err(why) => {
            let why = text::harmless(&why);
            if model.mistakes.as_ref() != Some(&why) {
                effects.push(Effect::Note(Level::Warn, format!("{MISTAKES}: {why}")));
            }
            model.mistakes = Some(why);
        }
    }
}

fn survey(model: &mut Model, mut bots: Vec<BotStatus>) {
    for bot in &mut bots {
        bot.note = text::harmless(&bot.note);
        for stray in &mut bot.strays {
            stray.command = text::harmless(&stray.command.replace(['\r', '\n'], " "));
        }
    }
    model.trends.take(&bots, model.now.mono);
    model.bots = bots;
    model.seen_at = Some(model.now.mono);
    let there: Vec<&BotName> = model.bots.iter().map(|bot| &bot.name).collect();
    let marked = !model.marked.is_empty();
    model.marked.retain(|name| there.contains(&name));
    model.marks_gone |= marked && model.marked.is_empty();
    model.orders.set_modes(model.bots.iter().map(|bot| (bot.name.clone(), bot.mode)).collect());
    count_orders(model);
    model.clusters.look_again(&model.bots, &model.fixed.host, model.now);
    sort(model);
}

/// Whether a bot may be expected to be ready at any moment; one that takes longer is looked at as any other.
fn starts_now(model: &Model, bot: &BotStatus) -> bool {
    let since = bot.since.and_then(|since| Duration::try_from(model.now.wall.duration_since(since)).ok());
    let age = since.or(bot.uptime_s.map(Duration::from_secs)).unwrap_or_default();
    bot.state == State::Starting && age <= READY_LIMIT
}

/// On a screen that shows nothing nobody is asked anything: what was open is closed, and a question means No.
fn shut(model: &mut Model, effects: &mut Vec<Effect>) {
    let open = [Some(std::mem::take(&mut model.focus)), model.beneath.take()];
    for focus in open.into_iter().flatten() {
        let what = match focus {
            Focus::Asking(dialog) => match dialog.about {
                About::Deed(deed, targets) => format!("not done: {} {}", deed.verb(), deed::named(&targets)),
                About::Clusters(wish) => format!("not done: {}", wish.what()),
                About::Leaving(_) => "not left".to_owned(),
                About::FireAgain => "not fired again".to_owned(),
            },
            Focus::Resetting(_) => "not reset".to_owned(),
            Focus::Panes
            | Focus::Typing(_)
            | Focus::Help(_)
            | Focus::Inspecting(_)
            | Focus::Choosing(_)
            | Focus::Reading(_) => continue,
        };
        tell(model, effects, Tone::Plain, format!("{what}; the screen became too small to ask"));
    }
}

/// A key on a screen that is too small to show what it would do.
fn key_unseen(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent) {
    if model.emergency.shown && keys::lookup_on_emergency(event) == Some(Action::LeavePage) {
        leave(model);
        return;
    }
    match keys::lookup(event, model.pane) {
        // Nothing can be asked here, and the one line there is says that this key quits.
        Some(Action::Leave) => effects.push(Effect::Leave(None)),
        Some(action @ Action::Redraw) => act(model, effects, action),
        Some(_) | None => {}
    }
}

fn key(model: &mut Model, effects: &mut Vec<Effect>, event: &KeyEvent) {
    if layout::is_tiny(model) {
        key_unseen(model, effects, event);
        return;
    }
    if let Some(action) = keys::lookup_always(event) {
        act(model, effects, action);
        return;
    }
    match std::mem::take(&mut model.focus) {
        Focus::Panes if model.emergency.shown => {
            if let Some(action) = on_its_page(model, effects, event) {
                act(model, effects, action);
            }
        }
        Focus::Panes => {
            if let Some(action) = keys::lookup(event, model.pane) {
                act(model, effects, action);
            }
        }
        Focus::Resetting(reset) => resetting(model, effects, reset, event),
        Focus::Typing(prompt) => typing(model, effects, prompt, event),
        Focus::Asking(dialog) => asking(model, effects, dialog, event),
        Focus::Help(top) => help(model, event, top),
        Focus::Inspecting(top) => inspecting(model, effects, event, top),
        Focus::Choosing(palette) => {
            if let Some(action) = palette::choosing(model, effects, palette, event) {
                act(model, effects, action);
            }
        }
        Focus::Reading(top) => reading(model, effects, event, top),
    }
}

fn act(model: &mut Model, effects: &mut Vec<Effect>, action: Action) {
    match action {
        Action::Start if model.pane == Pane::Cluster => cluster_wish::want(model, effects, Deed::Start),
        Action::Stop if model.pane == Pane::Cluster => cluster_wish::want(model, effects, Deed::Stop),
        Action::Requeue => cluster_wish::want(model, effects, Deed::Requeue),
        Action::Start => want(model, effects, Deed::Start),
        Action::Stop => want(model, effects, Deed::Stop),
        Action::Restart => want(model, effects, Deed::Restart),
        Action::Kill => want(model, effects, Deed::Kill),
        Action::Adopt => want(model, effects, Deed::Adopt),
        Action::Cancel => want(model, effects, Deed::Cancel),
        Action::Mark if model.pane == Pane::Orders => {
            model.orders.mark();
            follow_order(model);
        }
        Action::MarkAll if model.pane == Pane::Orders => model.orders.mark_all(),
        Action::Unmark if model.pane == Pane::Orders => model.orders.unmark(),
        Action::Sort if model.pane == Pane::Orders => model.orders.sort_next(),
        Action::Reverse if model.pane == Pane::Orders => model.orders.turn_round(),
        Action::Mark if model.pane == Pane::Cluster => model.clusters.mark(),
        Action::MarkAll if model.pane == Pane::Cluster => model.clusters.mark_all(),
        Action::Unmark if model.pane == Pane::Cluster => model.clusters.unmark(),
        Action::NextStop => stop_page::show_next(model),
        Action::Mark => {
            if let Some(row) = model.cursor_at()
                && let Some(name) = model.cursor.clone()
            {
                if !model.marked.remove(&name) {
                    model.marked.insert(name);
                }
                model.marks_gone = false;
                go_to(model, row + 1);
            }
        }
        Action::MarkAll => {
            let shown: Vec<BotName> = model.shown().map(|bot| bot.name.clone()).collect();
            model.marked.extend(shown);
            model.marks_gone = false;
        }
        Action::Unmark => unmark(model),
        Action::Down => step(model, 1),
        Action::Up => step(model, -1),
        Action::PageDown => step(model, page(model)),
        Action::PageUp => step(model, -page(model)),
        Action::Top => match model.pane {
            Pane::Bots => go_to(model, 0),
            Pane::Orders => go_to_order(model, 0),
            Pane::Cluster => model.clusters.go_to(0),
            Pane::Stops => model.stops.top = 0,
            Pane::Logs => model.log.to_top(model.now.mono),
            Pane::Diagnostics => model.diagnostics_up = usize::from(u16::MAX),
            Pane::History => model.history.to_top(),
        },
        Action::Bottom => match model.pane {
            Pane::Bots => go_to(model, usize::MAX),
            Pane::Orders => go_to_order(model, usize::MAX),
            Pane::Cluster => model.clusters.go_to(usize::MAX),
            Pane::Stops => model.stops.top = stop_page::furthest(model),
            Pane::Logs => model.log.to_end(model.now.mono),
            Pane::Diagnostics => model.diagnostics_up = 0,
            Pane::History => model.history.to_bottom(),
        },
        Action::NextPane => turn(model, 1),
        Action::PreviousPane => turn(model, Pane::ALL.len() - 1),
        Action::Go(pane) => go(model, pane),
        Action::Open => go(model, Pane::Logs),
        Action::Back => back(model),
        Action::Zoom => model.zoom = !model.zoom,
        Action::Find => {
            let before = match model.pane {
                Pane::Bots => model.filter.text().to_owned(),
                Pane::Orders => model.orders.filter.text().to_owned(),
                Pane::Logs => model.log.search().map(|search| search.text.clone()).unwrap_or_default(),
                Pane::History => model.history.filter().to_owned(),
                Pane::Cluster | Pane::Diagnostics | Pane::Stops => return,
            };
            let text = if model.pane == Pane::Logs { String::new() } else { before.clone() };
            model.focus = Focus::Typing(Prompt { purpose: Purpose::Find, pane: model.pane, text, before });
        }
        Action::Next => log_keys::step(model, effects, true),
        Action::Previous => log_keys::step(model, effects, false),
        Action::NextError => log_keys::error(model, effects),
        Action::Follow => log_keys::follow(model),
        Action::Wrap => log_keys::wrap(model, effects),
        Action::Left => log_keys::sideways(model, effects, false),
        Action::Right => log_keys::sideways(model, effects, true),
        Action::Stamps => log_keys::stamps(model, effects),
        Action::Least => log_keys::least(model, effects),
        Action::Merged => log_keys::merged(model, effects),
        Action::Sort => {
            model.sort = model.sort.next();
            sort(model);
        }
        Action::Reverse => {
            model.reverse = !model.reverse;
            sort(model);
        }
        Action::Inspect => inspect(model, effects),
        Action::NextKind => model.history.turn(),
        Action::OpenEntry => {
            if model.history.open() {
                model.focus = Focus::Reading(0);
            }
        }
        Action::Copy => clip::copy(model, effects),
        Action::Save => clip::ask(model, effects),
        Action::Theme => dress::next(model, effects),
        Action::Mouse => mouse::toggle(model, effects),
        Action::Palette => model.focus = Focus::Choosing(Palette::default()),
        Action::Help => model.focus = Focus::Help(0),
        Action::Redraw => effects.push(Effect::Redraw),
        Action::Suspend => effects.push(Effect::Suspend),
        Action::Leave => match &model.fixed.leave_note {
            Some(note) => {
                let about = About::Leaving(note.clone());
                model.focus = Focus::Asking(Dialog { about, guard: Guard::YesNo, typed: String::new() });
            }
            None => effects.push(Effect::Leave(None)),
        },
        Action::ShowEmergency => bring_back(model, effects),
        Action::Reset => want_reset(model, effects),
        // The guard has taken the first of these before; the others are keys of a page that is not shown.
        Action::Emergency
        | Action::LeavePage
        | Action::KillAll
        | Action::CancelAgain
        | Action::CopyReport
        | Action::NextPart => {}
    }
}

/// What keeps running, by what was just seen.
pub fn left_running(bots: &[BotStatus]) -> Running {
    let awake = || bots.iter().filter(|bot| !bot.state.is_at_rest());
    let count = |state: State| awake().filter(|bot| bot.state == state).count();
    let (unknown, stopping) = (count(State::Unknown), count(State::Stopping));
    let surely = |bot: &&BotStatus| !matches!(bot.state, State::Unknown | State::Stopping);
    Running {
        running: awake().filter(surely).count(),
        live: awake().filter(surely).filter(|bot| bot.mode == Some(Mode::Live)).count(),
        stopping,
        strays: bots.iter().map(|bot| bot.strays.len()).sum(),
        unknown,
    }
}
