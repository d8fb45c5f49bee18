//! How things look: the one table of the states, and the few other signs and styles. Colour is an extra hint only:
//! word and sign tell the states apart without it.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::core::bot::Mode;
use crate::core::cluster_status::ClusterState;
use crate::core::progress::Standing;
use crate::core::state::State;

/// What a state looks like.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In full.
    pub word: &'static str,
    /// Where 80 columns must do.
    pub short: &'static str,
    /// One cell, no emoji form.
    pub glyph: &'static str,
    /// One ASCII character.
    pub sign: &'static str,
    /// Colour and weight.
    pub style: Style,
}

const fn look(word: &'static str, short: &'static str, glyph: &'static str, sign: &'static str, style: Style) -> Look {
    Look { word, short, glyph, sign, style }
}

const PLAIN: Style = Style::new();
const DIM: Style = PLAIN.add_modifier(Modifier::DIM);

/// What this state looks like: the table of the states.
#[rustfmt::skip]
pub const fn state(state: State) -> Look {
    match state {
        State::Running  => look("RUNNING",  "RUN",      "◉", "*", PLAIN.fg(Color::Green)),
        State::Starting => look("STARTING", "START",    "◔", "+", PLAIN.fg(Color::Cyan)),
        State::Stopping => look("STOPPING", "STOPPING", "◌", "<", PLAIN.fg(Color::Yellow)),
        State::Stopped  => look("STOPPED",  "STOPPED",  "◦", "-", DIM),
        State::Exited   => look("EXITED",   "EXITED",   "✓", ".", DIM),
        State::Crashed  => look("CRASHED",  "CRASHED",  "✗", "x", PLAIN.fg(Color::Red).add_modifier(Modifier::BOLD)),
        State::Backoff  => look("BACKOFF",  "BACKOFF",  "↻", "~", PLAIN.fg(Color::Yellow)),
        State::Failed   => look("FAILED",   "FAILED",   "⊘", "#", PLAIN.fg(Color::Red).add_modifier(Modifier::REVERSED)),
        State::Orphaned => look("ORPHANED", "ORPHAN",   "⚑", "&", PLAIN.fg(Color::Magenta).add_modifier(Modifier::BOLD)),
        State::Unknown  => look("UNKNOWN",  "UNKNOWN",  "?", "?", PLAIN.fg(Color::Magenta).add_modifier(Modifier::UNDERLINED)),
    }
}

/// What this state of a cluster looks like: the table of those.
#[rustfmt::skip]
pub const fn cluster(state: ClusterState) -> Look {
    match state {
        ClusterState::Unknown    => look("UNKNOWN",    "unknown",    "?", "?", PLAIN.fg(Color::Magenta)),
        ClusterState::Stale      => look("STALE",      "stale",      "↯", "!", PLAIN.fg(Color::Magenta).add_modifier(Modifier::BOLD)),
        ClusterState::Processing => look("PROCESSING", "processing", "▸", ">", PLAIN.fg(Color::Yellow)),
        ClusterState::Pending    => look("PENDING",    "pending",    "⋯", ":", PLAIN.fg(Color::Blue)),
        ClusterState::Complete   => look("COMPLETE",   "complete",   "✓", "v", PLAIN.fg(Color::Green)),
        ClusterState::Idle       => look("IDLE",       "idle",       "◦", "-", PLAIN.fg(Color::Gray)),
    }
}

/// The word of a mode; the short one where 80 columns must do.
pub const fn mode(mode: Option<Mode>, short: bool) -> &'static str {
    match mode {
        Some(Mode::Live) => "LIVE",
        Some(Mode::Paper) if short => "PAPR",
        Some(Mode::Paper) => "PAPER",
        Some(Mode::DryRun) => "DRY",
        None => "?",
    }
}

/// The style of a mode: real money stands out.
pub const fn mode_style(mode: Option<Mode>) -> Style {
    match mode {
        Some(Mode::Live) | None => PLAIN.add_modifier(Modifier::BOLD),
        Some(Mode::Paper | Mode::DryRun) => PLAIN,
    }
}

/// What a stage of a stop looks like: a sign between brackets, the same where only ASCII is known, and a style.
#[rustfmt::skip]
pub const fn standing(standing: Standing) -> (&'static str, &'static str, Style) {
    match standing {
        Standing::Ahead    => (" ", " ", DIM),
        Standing::UnderWay => ("▸", ">", PLAIN.fg(Color::Yellow)),
        Standing::Done     => ("✓", "x", PLAIN.fg(Color::Green)),
        Standing::Skipped  => ("-", "-", DIM),
        Standing::Failed   => ("!", "!", PLAIN.fg(Color::Red).add_modifier(Modifier::BOLD)),
    }
}

/// The signs that are no states.
#[derive(Clone, Copy, Debug)]
pub struct Signs {
    /// Before the bot under the cursor.
    pub cursor: &'static str,
    /// After text that was cut.
    pub more: &'static str,
    /// Where something is typed.
    pub caret: &'static str,
    /// A bar: what is done, what is being worked on, what is left.
    pub bar: [&'static str; 3],
    /// Around panes.
    pub border: border::Set<'static>,
}

/// The signs of a terminal that knows Unicode.
pub const UNICODE: Signs =
    Signs { cursor: "▸", more: "…", caret: "▏", bar: ["█", "▒", "░"], border: border::PLAIN };

/// The signs of one that knows ASCII.
pub const ASCII: Signs = Signs {
    cursor: ">",
    more: "~",
    caret: "_",
    bar: ["#", "=", "."],
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

/// What is there and matters little.
pub const fn faint() -> Style {
    DIM
}

/// What carries weight.
pub const fn strong() -> Style {
    PLAIN.add_modifier(Modifier::BOLD)
}

/// The row under the cursor, the title of the pane that has the keys.
pub const fn chosen() -> Style {
    PLAIN.add_modifier(Modifier::REVERSED)
}

/// What went well.
pub const fn good() -> Style {
    PLAIN.fg(Color::Green)
}

/// What wants a look.
pub const fn warning() -> Style {
    PLAIN.fg(Color::Yellow)
}

/// What went badly.
pub const fn bad() -> Style {
    PLAIN.fg(Color::Red).add_modifier(Modifier::BOLD)
}

/// What a search found.
pub const fn found() -> Style {
    PLAIN.fg(Color::Yellow).add_modifier(Modifier::UNDERLINED)
}
