//! The one table of keys. Lookup, footer, help and `docs/KEYS.md` are made from it, so they cannot disagree.

use std::fmt::Write;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::model::Pane;

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Start the chosen bots.
    Start,
    /// Stop them; on one that is stopping: hurry.
    Stop,
    /// Restart them.
    Restart,
    /// Kill them.
    Kill,
    /// Put orphans and strays under a keeper.
    Adopt,
    /// Cancel orders: the chosen ones, or all of the chosen bots.
    Cancel,
    /// Put chunks of a cluster back: the marked ones, else the one under the cursor, else all stale ones.
    Requeue,
    /// Mark or unmark the bot, the order or the chunk under the cursor.
    Mark,
    /// Mark every one that is shown.
    MarkAll,
    /// Unmark every one.
    Unmark,
    /// One down.
    Down,
    /// One up.
    Up,
    /// To the first.
    Top,
    /// To the last.
    Bottom,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// This pane.
    Go(Pane),
    /// Open the log of the bot under the cursor.
    Open,
    /// Show the stop of the next bot in detail.
    NextStop,
    /// Close, clear, go back.
    Back,
    /// The pane takes the whole screen, or gives it back.
    Zoom,
    /// Filter or search.
    Find,
    /// The next match.
    Next,
    /// The match before.
    Previous,
    /// Follow the log, or stand still.
    Follow,
    /// Wrap long lines, or cut them.
    Wrap,
    /// Lines that are cut: what is further to the left.
    Left,
    /// What is further to the right.
    Right,
    /// Show times another way.
    Stamps,
    /// Only lines that are at least so loud.
    Least,
    /// The logs of several bots in one, or of one.
    Merged,
    /// The last error, then the one before it.
    NextError,
    /// Copy what is under the cursor, or shown.
    Copy,
    /// Save what the pane shows to a file.
    Save,
    /// Choose an action by its name.
    Palette,
    /// Other colours.
    Theme,
    /// Take the mouse, or leave it to the terminal.
    Mouse,
    /// In the history: events, runs, or reports.
    NextKind,
    /// In the history: all of the entry under the cursor.
    OpenEntry,
    /// Sort by the next column.
    Sort,
    /// Sort the other way round.
    Reverse,
    /// Show everything that is known of the bot under the cursor.
    Inspect,
    /// Help.
    Help,
    /// Draw everything anew.
    Redraw,
    /// Stand still until the shell continues us.
    Suspend,
    /// Leave.
    Leave,
    /// The emergency stop.
    Emergency,
    /// Show the page of the emergency stop that is under way, or of the last one.
    ShowEmergency,
    /// Lift the latch of the emergency stop.
    Reset,
    /// Leave the page of the emergency stop.
    LeavePage,
    /// On it: kill what still lives.
    KillAll,
    /// On it: cancel what is left, and verify again.
    CancelAgain,
    /// On it: copy the report.
    CopyReport,
    /// On it: scroll the other part.
    NextPart,
}

/// A key with what is held down beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
}

const fn plain(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}

const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

const fn named(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

impl Key {
    fn of(event: &KeyEvent) -> Self {
        // Some terminals say it one way, some the other.
        let back = event.code == KeyCode::Tab && event.modifiers.contains(KeyModifiers::SHIFT);
        let code = if back { KeyCode::BackTab } else { event.code };
        Self { code, ctrl: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// The key as help and documents name it.
    pub fn label(self) -> String {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the table below names no other, and the enum is not ours")]
        let name = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.ctrl => return format!("Ctrl-{}", c.to_ascii_uppercase()),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::BackTab => "S-Tab".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            other => other.to_string(),
        };
        name
    }
}

/// Where a key of the table is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Even while text is being typed.
    Always,
    /// In every pane.
    Panes,
    /// In the list of bots and in that of orders.
    Lists,
    /// In those, and in that of clusters.
    Rows,
    /// In this pane alone.
    In(Pane),
    /// On the page of the emergency stop alone.
    Emergency,
}

impl Place {
    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Always => "always",
            Panes => "every pane",
            Lists => "Bots, Orders",
            Rows => "Bots, Orders, Cluster",
            In(pane) => pane.title(),
            Place::Emergency => "page of the emergency stop",
        }
    }

    /// Whether a key of this place is valid in this pane.
    pub fn holds(self, pane: Pane) -> bool {
        match self {
            Always | Panes => true,
            Lists => matches!(pane, Pane::Bots | Pane::Orders),
            Rows => matches!(pane, Pane::Bots | Pane::Orders | Pane::Cluster),
            In(only) => only == pane,
            Place::Emergency => false,
        }
    }
}

/// Under which heading help lists a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What changes something outside.
    Act,
    /// Getting around.
    Move,
    /// Filtering, searching, marking.
    Find,
    /// The log.
    Logs,
    /// The rest.
    Other,
    /// The emergency stop.
    Emergency,
    /// Its own page.
    EmergencyPage,
}

impl Group {
    /// Whether it is about the emergency stop.
    pub const fn is_of_emergency(self) -> bool {
        match self {
            Self::Emergency | Self::EmergencyPage => true,
            Self::Act | Self::Move | Self::Find | Self::Logs | Self::Other => false,
        }
    }

    /// Every group, in the order of the help.
    pub const ALL: [Self; 7] =
        [Self::Emergency, Self::EmergencyPage, Self::Act, Self::Move, Self::Find, Self::Logs, Self::Other];

    /// Its heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Act => "ACT (marked, else cursor)",
            Self::Move => "MOVE",
            Self::Find => "FIND AND MARK",
            Self::Logs => "LOGS",
            Self::Other => "OTHER",
            Self::Emergency => "EMERGENCY - works on every screen",
            Self::EmergencyPage => "ON ITS PAGE",
        }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Every key that does it.
    pub keys: &'static [Key],
    /// What it does.
    pub action: Action,
    /// Its name, for people.
    pub name: &'static str,
    /// What it does, in a few words.
    pub help: &'static str,
    /// What must be answered first; empty if nothing.
    pub guard: &'static str,
    /// Its heading in the help.
    pub group: Group,
    /// Where it is valid.
    pub place: Place,
    /// The word of the footer; empty if it is not shown there.
    pub short: &'static str,
}

macro_rules! table {
    ($($keys:expr, $action:expr, $name:literal, $help:literal, $guard:literal, $group:ident, $place:expr, $short:literal;)*) => {
        &[$(Binding {
            keys: &$keys, action: $action, name: $name, help: $help, guard: $guard, group: Group::$group, place: $place, short: $short,
        }),*]
    };
}

use Action as A;
use Place::{Always, In, Lists, Panes, Rows};

/// The table.
#[rustfmt::skip]
pub const TABLE: &[Binding] = table![
    [plain('s')], A::Start, "start", "start", "live: type the bot's name (several: LIVE)", Act, Panes, "start";
    [plain('x')], A::Stop, "stop", "stop; again: next signal now", "live, open orders or strays, and the next signal: y/N", Act, Panes, "stop";
    [plain('r')], A::Restart, "restart", "restart; closes the breaker", "live: type the bot's name (several: LIVE)", Act, Panes, "restart";
    [plain('X')], A::Kill, "kill", "kill the whole tree now", "y/N; live with open orders: type the bot's name (several: LIVE)", Act, Panes, "kill";
    [plain('c')], A::Cancel, "cancel", "cancel chosen or all orders", "y/N with the count", Act, Panes, "cancel";
    [plain('A')], A::Adopt, "adopt", "adopt an orphan or a stray", "y/N", Act, Panes, "";
    [plain('u')], A::Requeue, "requeue", "requeue stale or failed chunks", "y/N with the count", Act, In(Pane::Cluster), "requeue";
    [plain('j'), named(KeyCode::Down)], A::Down, "down", "down", "", Move, Panes, "";
    [plain('k'), named(KeyCode::Up)], A::Up, "up", "up", "", Move, Panes, "";
    [plain('g'), named(KeyCode::Home)], A::Top, "top", "to the top", "", Move, Panes, "";
    [plain('G'), named(KeyCode::End)], A::Bottom, "bottom", "to the bottom", "", Move, Panes, "";
    [named(KeyCode::PageDown)], A::PageDown, "page down", "a page down", "", Move, Panes, "";
    [named(KeyCode::PageUp)], A::PageUp, "page up", "a page up", "", Move, Panes, "";
    [named(KeyCode::Tab)], A::NextPane, "next pane", "next pane", "", Move, Panes, "";
    [named(KeyCode::BackTab)], A::PreviousPane, "previous pane", "previous pane", "", Move, Panes, "";
    [plain('1')], A::Go(Pane::Bots), "bots", "bots", "", Move, Panes, "";
    [plain('2')], A::Go(Pane::Orders), "orders", "open orders", "", Move, Panes, "";
    [plain('3')], A::Go(Pane::Cluster), "cluster", "clusters and their chunks", "", Move, Panes, "";
    [plain('4')], A::Go(Pane::Logs), "logs", "log of the bot", "", Move, Panes, "";
    [plain('5')], A::Go(Pane::Diagnostics), "diagnostics", "what botwarden itself did", "", Move, Panes, "";
    [plain('6')], A::Go(Pane::Stops), "stops", "how the last stop went", "", Move, Panes, "";
    [plain('7')], A::Go(Pane::History), "history", "events, runs and reports", "", Move, Panes, "";
    [named(KeyCode::Enter)], A::Open, "open", "open the bot's log", "", Move, Lists, "";
    [named(KeyCode::Enter)], A::NextStop, "next bot", "in Stops: the next bot", "", Move, In(Pane::Stops), "next bot";
    [named(KeyCode::Esc)], A::Back, "back", "back, clear", "", Move, Panes, "";
    [plain('z')], A::Zoom, "zoom", "zoom the pane", "", Move, Panes, "";
    [plain(' ')], A::Mark, "mark", "mark", "", Find, Rows, "mark";
    [plain('*')], A::MarkAll, "mark all", "mark all shown", "", Find, Rows, "";
    [plain('U')], A::Unmark, "unmark", "unmark all", "", Find, Panes, "";
    [plain('/')], A::Find, "find", "filter lists, search logs", "", Find, Panes, "find";
    [plain('n')], A::Next, "next match", "next match", "", Find, In(Pane::Logs), "";
    [plain('N')], A::Previous, "previous match", "match before", "", Find, In(Pane::Logs), "";
    [plain('o')], A::Sort, "sort", "sort by the next column", "", Find, Lists, "";
    [plain('O')], A::Reverse, "reverse", "sort the other way round", "", Find, Lists, "";
    [plain('f')], A::Follow, "follow", "follow, or stand still", "", Logs, Panes, "follow";
    [plain('w')], A::Wrap, "wrap", "wrap long lines, or cut them", "", Logs, In(Pane::Logs), "wrap";
    [named(KeyCode::Left)], A::Left, "left", "cut lines: back to the left", "", Logs, In(Pane::Logs), "";
    [named(KeyCode::Right)], A::Right, "right", "cut lines: further to the right", "", Logs, In(Pane::Logs), "";
    [plain('t')], A::Stamps, "timestamps", "times local, UTC, relative, off", "", Logs, In(Pane::Logs), "times";
    [plain('v')], A::Least, "level", "only INFO, WARN, ERROR and above", "", Logs, In(Pane::Logs), "level";
    [plain('m')], A::Merged, "merged log", "marked bots (or all) by time", "", Logs, Panes, "";
    [plain('e')], A::NextError, "next error", "last error, then further up", "", Logs, In(Pane::Logs), "error";
    [plain('y')], A::Copy, "copy", "copy (OSC 52)", "", Other, Panes, "";
    [plain('S')], A::Save, "save", "save to a file", "", Other, Panes, "";
    [plain(':')], A::Palette, "command palette", "any action by its name", "as the action", Other, Panes, "command";
    [plain('T')], A::Theme, "theme", "other colours", "", Other, Panes, "";
    [], A::Mouse, "mouse", "the mouse scrolls and selects, or not", "", Other, Panes, "";
    [plain('v')], A::NextKind, "events, runs, reports", "events, runs, or reports", "", Move, In(Pane::History), "kind";
    [named(KeyCode::Enter)], A::OpenEntry, "open entry", "all of the entry", "", Move, In(Pane::History), "open";
    [plain('i')], A::Inspect, "inspect", "all that is known of the bot", "", Other, Panes, "inspect";
    [ctrl('l')], A::Redraw, "redraw", "draw everything anew", "", Other, Always, "";
    [ctrl('z')], A::Suspend, "suspend", "back to the shell, 'fg' returns", "", Other, Always, "";
    [plain('?')], A::Help, "help", "this help", "", Other, Panes, "help";
    [plain('q')], A::Leave, "leave", "leave; the bots keep running", "", Other, Panes, "leave";
    [ctrl('c')], A::Leave, "leave", "same, even while typing", "", Other, Always, "";
    [plain('!')], A::Emergency, "emergency stop", "its guard; again: FIRES", "the same key again", Emergency, Panes, "E-STOP";
    [ctrl('x')], A::Emergency, "emergency stop", "same, even while typing", "the same key again", Emergency, Always, "";
    [plain('E')], A::ShowEmergency, "emergency page", "how the emergency stop goes", "", Emergency, Panes, "";
    [plain('R')], A::Reset, "reset", "reset the latch", "type the host's name and a reason; what stands in the way: a note", Emergency, Panes, "";
    [plain('X')], A::KillAll, "kill all", "kill what still lives", "as kill", EmergencyPage, Place::Emergency, "kill now (asks)";
    [plain('c')], A::CancelAgain, "cancel again", "cancel and verify again", "y/N", EmergencyPage, Place::Emergency, "cancel what is left, and verify again";
    [plain('y')], A::CopyReport, "copy report", "copy the report", "", EmergencyPage, Place::Emergency, "copy";
    [named(KeyCode::Tab)], A::NextPart, "other part", "stages, or errors", "", EmergencyPage, Place::Emergency, "errors";
    [plain('q'), named(KeyCode::Esc)], A::LeavePage, "leave page", "leave it; the stop goes on", "", EmergencyPage, Place::Emergency, "leave this view";
];

/// What this key does in this pane.
pub fn lookup(event: &KeyEvent, pane: Pane) -> Option<Action> {
    find(event, |place| place.holds(pane))
}

/// What this key does whatever else is going on.
pub fn lookup_always(event: &KeyEvent) -> Option<Action> {
    find(event, |place| place == Always)
}

/// What this key does on the page of the emergency stop and nowhere else.
pub fn lookup_on_emergency(event: &KeyEvent) -> Option<Action> {
    find(event, |place| place == Place::Emergency)
}

fn find(event: &KeyEvent, valid: impl Fn(Place) -> bool) -> Option<Action> {
    if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    let key = Key::of(event);
    TABLE.iter().find(|row| valid(row.place) && row.keys.contains(&key)).map(|row| row.action)
}

impl Binding {
    /// Its keys, as help and documents name them.
    pub fn label(&self) -> String {
        self.keys.iter().map(|key| key.label()).collect::<Vec<_>>().join(" ")
    }
}

/// `docs/KEYS.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Keys\n\nMade from the table in `src/tui/keys.rs`; a test compares the two.\n\n\
         A question before something is done defaults to No, and Enter means No. While text is being typed only the\n\
         keys marked \"always\" do what stands here. Pasted text never acts.\n",
    );
    for group in Group::ALL {
        let _ = write!(page, "\n## {}\n\n| key | does | where | asks first |\n|---|---|---|---|\n", group.title());
        for row in TABLE.iter().filter(|row| row.group == group) {
            let keys = match row.keys {
                [] => format!("`:{}`", row.name),
                keys => keys.iter().map(|key| format!("`{}`", key.label())).collect::<Vec<_>>().join(" "),
            };
            let place = row.place.words();
            let _ = writeln!(page, "| {keys} | {} | {place} | {} |", row.help, row.guard);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_for_two_things_in_one_place() {
        let is_once = |holds: &dyn Fn(Place) -> bool, place: &str| {
            let mut seen: Vec<Key> = Vec::new();
            for row in TABLE.iter().filter(|row| holds(row.place)) {
                for key in row.keys {
                    assert!(!seen.contains(key), "{} twice in {place}", key.label());
                    seen.push(*key);
                }
            }
        };
        for pane in Pane::ALL {
            is_once(&|place| place.holds(pane), pane.title());
        }
        is_once(&|place| matches!(place, Always | Place::Emergency), "the page of the emergency stop");
    }
}
