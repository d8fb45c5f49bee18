//! The palette: every action by its name. It is made of the table of keys, so that nothing can be done from it that no
//! key does: what is chosen goes the way of its key, with the same questions and the same refusals. Beside those it
//! knows what has values instead of keys: a theme, a column, how times are shown.

use std::cmp::Reverse;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::core::fuzzy;
use crate::core::ui::{Stamps, Theme};

use super::dress;
use super::effect::{Effect, tell};
use super::entry::letter;
use super::guard::{Armed, EmergencyKey};
use super::keys::{Action, Binding, Group, Place, TABLE};
use super::model::{Focus, Model, Palette, Pane, Sort, Tone};
use super::order_row::OrderSort;
use super::panes::go;
use super::sorting::sort;

/// What choosing an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// What its key does.
    Do(Action),
    /// These colours.
    Theme(Theme),
    /// Bots by this column.
    Sort(Sort),
    /// Orders by this one.
    SortOrders(OrderSort),
    /// Times of log lines in this way.
    Stamps(Stamps),
}

/// How an entry stands where the keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// It can be done here.
    Here,
    /// Choosing it goes to this pane first.
    There(usize),
    /// It means nothing here: this says where it does.
    Elsewhere(&'static str),
    /// Nothing is changed under `--read-only`.
    Refused,
}

/// A line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What choosing it does.
    pub choice: Choice,
    /// Its name.
    pub name: String,
    /// Its keys.
    pub keys: String,
    /// What it does.
    pub help: String,
    /// What is asked first.
    pub guard: &'static str,
    /// How it stands here.
    pub stands: Stands,
}

/// What some are called elsewhere.
const ALSO: [(Action, &[&str]); 5] = [
    (Action::Leave, &["q", "quit", "exit"]),
    (Action::Emergency, &["estop", "e-stop"]),
    (Action::Find, &["filter", "search"]),
    (Action::Stamps, &["times"]),
    (Action::Copy, &["yank", "clipboard"]),
];

/// Every entry that fits what was typed, the best first; what means nothing here below the others.
pub fn entries(model: &Model, typed: &str) -> Vec<Entry> {
    let typed = typed.trim().to_lowercase();
    let mut all = actions(model);
    // Values stand there for whoever asks for them: there are many, and letters fit all of them somehow.
    let begins = |entry: &Entry| entry.name.split(' ').any(|word| word.starts_with(&typed)) || typed.contains(' ');
    if !typed.is_empty() {
        all.extend(values(model).into_iter().filter(begins));
    }
    let mut fitting: Vec<(bool, bool, i64, Entry)> = all
        .into_iter()
        .filter_map(|entry| {
            let score = score(&typed, &entry)?;
            let whole = called(&typed, &entry);
            let away = matches!(entry.stands, Stands::Elsewhere(_) | Stands::Refused);
            Some((whole, away, score, entry))
        })
        .collect();
    // In the order of the table where nothing else decides.
    fitting.sort_by_key(|(whole, away, score, _)| (!whole, *away, Reverse(*score)));
    fitting.into_iter().map(|(_, _, _, entry)| entry).collect()
}

/// Whether this is what it is called, letter for letter.
fn called(typed: &str, entry: &Entry) -> bool {
    entry.name == typed || also(entry.choice).contains(&typed)
}

fn also(choice: Choice) -> &'static [&'static str] {
    match choice {
        Choice::Do(action) => ALSO.iter().find(|(of, _)| *of == action).map_or(&[], |(_, names)| names),
        Choice::Theme(_) | Choice::Sort(_) | Choice::SortOrders(_) | Choice::Stamps(_) => &[],
    }
}

/// How well an entry fits: every word its name, letters between them or not, or its help as it stands.
fn score(typed: &str, entry: &Entry) -> Option<i64> {
    let help = entry.help.to_lowercase();
    let names = if typed.contains(' ') { &[] } else { also(entry.choice) };
    typed.split_whitespace().try_fold(0, |sum, word| {
        let name = fuzzy::score(word, &entry.name);
        let alias = names.iter().filter_map(|name| fuzzy::score(word, name)).max();
        // A name counts for more than what is said of it.
        let said = help.contains(word).then_some(word.len() as i64);
        Some(sum + name.max(alias).max(said)?)
    })
}

/// What the table of keys has, each once.
fn actions(model: &Model) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for row in TABLE.iter().filter(|row| row.action != Action::Palette) {
        let label = row.label();
        match entries.iter_mut().find(|entry| entry.choice == Choice::Do(row.action)) {
            Some(entry) => {
                entry.keys.push(' ');
                entry.keys.push_str(&label);
            }
            None => entries.push(Entry {
                choice: Choice::Do(row.action),
                name: row.name.to_owned(),
                keys: label,
                help: row.help.to_owned(),
                guard: row.guard,
                stands: stands(model, row),
            }),
        }
    }
    entries
}

/// What has values instead of keys.
fn values(model: &Model) -> Vec<Entry> {
    let entry = |choice, name: String, keys: &str, help: &str| Entry {
        choice,
        name,
        keys: keys.to_owned(),
        help: help.to_owned(),
        guard: "",
        stands: Stands::Here,
    };
    let mut entries: Vec<Entry> = Theme::WORDS
        .iter()
        .map(|(word, theme)| entry(Choice::Theme(*theme), format!("theme {word}"), "T", "colours"))
        .collect();
    if model.pane == Pane::Orders {
        let of = |sort: OrderSort| entry(Choice::SortOrders(sort), format!("sort {}", sort.word()), "o", "orders");
        entries.extend(OrderSort::ALL.map(of));
    } else {
        let of = |sort: Sort| entry(Choice::Sort(sort), format!("sort {}", sort.word()), "o", "bots");
        entries.extend(Sort::ALL.map(of));
    }
    let of = |(word, stamps): &(&str, Stamps)| {
        entry(Choice::Stamps(*stamps), format!("timestamps {word}"), "t", "times of log lines")
    };
    entries.extend(Stamps::WORDS.iter().map(of));
    entries
}

/// Whether it changes anything outside the screen.
const fn changes(row: &Binding) -> bool {
    matches!(row.group, Group::Act)
        || matches!(row.action, Action::Save | Action::Reset | Action::KillAll | Action::CancelAgain)
}

fn stands(model: &Model, row: &Binding) -> Stands {
    if model.fixed.read_only && changes(row) {
        return Stands::Refused;
    }
    if row.place.holds(model.pane) {
        return Stands::Here;
    }
    match row.place {
        // What acts is never done in a pane that nobody looked at before.
        Place::In(pane) if row.group != Group::Act => Stands::There(pane.number()),
        Place::Emergency => Stands::Elsewhere("the page of the emergency stop; E shows it"),
        Place::In(_) | Place::Always | Place::Panes | Place::Lists | Place::Rows => {
            Stands::Elsewhere(row.place.words())
        }
    }
}

/// A key while an action is chosen. What is to be done as if its key was pressed.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enum is not ours")]
pub(super) fn choosing(
    model: &mut Model,
    effects: &mut Vec<Effect>,
    mut palette: Palette,
    event: &KeyEvent,
) -> Option<Action> {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let fitting = entries(model, &palette.text);
    let last = fitting.len().saturating_sub(1);
    match event.code {
        KeyCode::Esc => return None,
        KeyCode::Enter => return fitting.get(palette.at.min(last)).and_then(|entry| choose(model, effects, entry)),
        KeyCode::BackTab | KeyCode::Up => palette.at = palette.at.saturating_sub(1),
        KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => palette.at = palette.at.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => palette.at = (palette.at + 1).min(last),
        KeyCode::Char('p') if control => palette.at = palette.at.saturating_sub(1),
        KeyCode::Char('n') if control => palette.at = (palette.at + 1).min(last),
        _ => {
            let before = palette.text.clone();
            letter(&mut palette.text, event);
            if palette.text != before {
                palette.at = 0;
            }
        }
    }
    model.focus = Focus::Choosing(palette);
    None
}

/// What comes of choosing this: an action that goes the way of its key, or nothing more to be done.
fn choose(model: &mut Model, effects: &mut Vec<Effect>, entry: &Entry) -> Option<Action> {
    match (entry.choice, entry.stands) {
        (_, Stands::Refused) => {
            tell(model, effects, Tone::Bad, format!("{} refused: --read-only", entry.name));
            None
        }
        (_, Stands::Elsewhere(place)) => {
            tell(model, effects, Tone::Plain, format!("{} means nothing here: {place}", entry.name));
            None
        }
        // As the first press of its key: it opens the guard, and only that key fires.
        (Choice::Do(Action::Emergency), Stands::Here | Stands::There(_)) => {
            let at = model.emergency.last_key.unwrap_or(model.now.mono);
            model.emergency.armed = Some(Armed { key: EmergencyKey::Bang, at });
            None
        }
        (Choice::Do(action), Stands::Here) => Some(action),
        (Choice::Do(action), Stands::There(number)) => {
            if let Some(pane) = Pane::ALL.into_iter().find(|pane| pane.number() == number) {
                go(model, pane);
            }
            Some(action)
        }
        (Choice::Theme(theme), Stands::Here | Stands::There(_)) => {
            dress::wear(model, effects, theme);
            None
        }
        (Choice::Sort(by), Stands::Here | Stands::There(_)) => {
            model.sort = by;
            sort(model);
            tell(model, effects, Tone::Plain, format!("bots by {}", by.word()));
            None
        }
        (Choice::SortOrders(by), Stands::Here | Stands::There(_)) => {
            model.orders.sort_by(by);
            tell(model, effects, Tone::Plain, format!("orders by {}", by.word()));
            None
        }
        (Choice::Stamps(stamps), Stands::Here | Stands::There(_)) => {
            model.stamps = stamps;
            tell(model, effects, Tone::Plain, format!("times: {}", stamps.word()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Fixed;
    use super::*;

    fn first(model: &Model, typed: &str) -> String {
        entries(model, typed).first().map(|entry| entry.name.clone()).unwrap_or_default()
    }

    #[test]
    fn every_row_of_the_table_is_among_the_entries_once_and_has_its_key() {
        let model = Model::new(Fixed::default());
        let all = entries(&model, "");
        for row in TABLE.iter().filter(|row| row.action != Action::Palette) {
            let its: Vec<&Entry> = all.iter().filter(|entry| entry.choice == Choice::Do(row.action)).collect();
            let [one] = its.as_slice() else { panic!("{} stands there {} times", row.name, its.len()) };
            assert!(one.keys.contains(&row.label()), "{} lacks {}", row.name, row.label());
        }
    }

    #[test]
    fn what_is_typed_finds_what_is_meant() {
        let model = Model::new(Fixed::default());
        for (typed, name) in [
            ("q", "leave"),
            ("quit", "leave"),
            ("st", "stop"),
            ("stop", "stop"),
            ("kill", "kill"),
            ("mouse", "mouse"),
            ("theme light", "theme light"),
            ("sort cpu", "sort cpu"),
            ("times utc", "timestamps utc"),
            ("estop", "emergency stop"),
            ("emerg", "emergency stop"),
            ("THEME MONO", "theme mono"),
            ("clip", "copy"),
            ("zzzz", ""),
        ] {
            let found = first(&model, typed);
            assert!(found == name || (typed == "st" && found.starts_with("st")), "{typed}: {found}, not {name}");
        }
    }

    #[test]
    fn what_means_nothing_here_stands_below_and_what_changes_something_is_refused_under_read_only() {
        let model = Model::new(Fixed { read_only: true, ..Fixed::default() });
        let all = entries(&model, "");
        let firsts = all.iter().take_while(|entry| matches!(entry.stands, Stands::Here | Stands::There(_))).count();
        assert!(all[firsts..].iter().all(|entry| matches!(entry.stands, Stands::Elsewhere(_) | Stands::Refused)));
        let stands = |action| all.iter().find(|entry| entry.choice == Choice::Do(action)).map(|entry| entry.stands);
        for action in [Action::Start, Action::Kill, Action::Requeue, Action::Save, Action::Reset] {
            assert_eq!(stands(action), Some(Stands::Refused), "{action:?}");
        }
        assert_eq!(stands(Action::Emergency), Some(Stands::Here));
        assert_eq!(stands(Action::Wrap), Some(Stands::There(4)));
        assert_eq!(stands(Action::Copy), Some(Stands::Here));
    }
}
