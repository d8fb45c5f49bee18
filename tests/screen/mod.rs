//! A screen without a terminal, for tests: messages and keys go in, and what is drawn, and asked of others, comes out.

#![allow(dead_code, clippy::expect_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test may")]

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use botwarden::core::bot::{BotSpec, Mode};
use botwarden::core::level::Level;
use botwarden::core::moment::Moment;
use botwarden::core::state::State;
use botwarden::core::status::BotStatus;
use botwarden::tui::deed::Deed;
use botwarden::tui::effect::Effect;
use botwarden::tui::guard::Arrival;
use botwarden::tui::log_news::{Ends, Line, LogEvent, LogNews, SourceSeen};
use botwarden::tui::message::{Msg, Now};
use botwarden::tui::model::{Fixed, Model};
use botwarden::tui::text;
use botwarden::tui::update::update;
use botwarden::tui::view;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

/// A screen that is told things.
pub struct Desk {
    /// What it knows.
    pub model: Model,
    /// What was asked of others since the last time somebody looked, without diagnostics.
    pub asked: Vec<Effect>,
    pub seconds: u64,
    /// When the last key arrived, in milliseconds of the clock, and how long after it the next one does.
    pub pressed: u64,
    pub gap: u64,
}

impl Desk {
    pub fn new(width: u16, height: u16) -> Self {
        Self::with(width, height, Fixed { color: true, ..Fixed::default() })
    }

    pub fn with(width: u16, height: u16, fixed: Fixed) -> Self {
        let fixed = Fixed { host: "trade-box-1".into(), ..fixed };
        let mut desk = Self { model: Model::new(fixed), asked: Vec::new(), seconds: 0, pressed: 0, gap: 200 };
        desk.tell(Msg::Resize(width, height));
        desk.wait(0);
        desk
    }

    pub fn tell(&mut self, msg: Msg) {
        let effects = update(&mut self.model, msg);
        self.asked.extend(
            effects.into_iter().filter(|effect| {
                !matches!(effect, Effect::Note(..) | Effect::ReadOrders(_) | Effect::ReadClusters(..))
            }),
        );
    }

    pub fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
        let wall = "2026-03-04T14:32:07Z".parse::<jiff::Timestamp>().expect("a time");
        let wall = wall + jiff::SignedDuration::from_secs(self.seconds as i64);
        self.tell(Msg::Now(Now { wall, mono: Moment::at(Duration::from_secs(self.seconds)) }));
    }

    pub fn survey(mut self) -> Self {
        self.tell(Msg::Configuration(Ok(specs())));
        self.tell(Msg::Survey(bots()));
        self
    }

    /// Presses keys: letters stand for themselves, names stand in angle brackets.
    pub fn press(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let (code, modifiers, used) = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
                Some((name, _)) => {
                    let code = match name {
                        "enter" => KeyCode::Enter,
                        "esc" => KeyCode::Esc,
                        "tab" => KeyCode::Tab,
                        "s-tab" => KeyCode::BackTab,
                        "down" => KeyCode::Down,
                        "left" => KeyCode::Left,
                        "right" => KeyCode::Right,
                        "pgup" => KeyCode::PageUp,
                        "pgdn" => KeyCode::PageDown,
                        "backspace" => KeyCode::Backspace,
                        other => KeyCode::Char(other.chars().last().expect("a letter")),
                    };
                    let control = name.starts_with("c-");
                    (code, if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE }, name.len() + 2)
                }
                None => (KeyCode::Char(first), KeyModifiers::NONE, first.len_utf8()),
            };
            self.pressed = (self.pressed + self.gap).max(self.seconds * 1000);
            let at = Moment::at(Duration::from_millis(self.pressed));
            self.tell(Msg::Key(KeyEvent::new(code, modifiers), Arrival { at, typed: true }));
            rest = &rest[used..];
        }
    }

    /// The log of the bot under the cursor: its last lines, written three seconds ago.
    pub fn log(&mut self, lines: &[&str]) {
        let bot = self.model.cursor.clone().expect("a bot under the cursor");
        let quiet = Some(Duration::from_secs(3)).filter(|_| !lines.is_empty());
        let source = SourceSeen { bot, file: None, run: Some("0001".into()), quiet, trouble: None };
        self.hear(LogEvent::Sources(vec![source]));
        let lines = lines.iter().map(|line| shown(line)).collect();
        self.hear(LogEvent::Back { lines, cut: 0, ends: Ends { at_start: true, newer: 0 } });
    }

    /// Something is told of the logs that are looked at.
    pub fn hear(&mut self, what: LogEvent) {
        self.tell(Msg::Log(LogNews { view: self.model.log.view.number, what }));
    }

    /// What was asked of others since the last time, except for looking and following.
    pub fn acts(&mut self) -> Vec<(Deed, Vec<String>)> {
        self.asked
            .drain(..)
            .filter_map(|effect| match effect {
                Effect::Act { deed, names, .. } => Some((deed, names.iter().map(ToString::to_string).collect())),
                _ => None,
            })
            .collect()
    }

    /// The ticket of the look that was asked for.
    pub fn look(&mut self) -> u64 {
        let looks: Vec<u64> =
            self.asked.iter().filter_map(|e| if let Effect::Look(ticket) = e { Some(*ticket) } else { None }).collect();
        *looks.last().expect("a look was asked for")
    }

    pub fn feedback(&self) -> &str {
        self.model.feedback.as_ref().map_or("", |feedback| feedback.text.as_str())
    }

    pub fn buffer(&self) -> Buffer {
        let (width, height) = self.model.size;
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
        terminal.draw(|frame| view::draw(&self.model, frame)).expect("drawn");
        terminal.backend().buffer().clone()
    }

    /// The screen as text, and a number that changes when any style does.
    pub fn shot(&self) -> String {
        let buffer = self.buffer();
        let mut shot = rows(&buffer).join("\n");
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for cell in &buffer.content {
            for byte in format!("{:?}{:?}{:?}", cell.fg, cell.bg, cell.modifier).bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        let _ = write!(shot, "\nstyles {hash:016x}");
        shot
    }
}

/// The rows of the screen; the second cell of a wide character holds nothing.
pub fn rows(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    buffer
        .content
        .chunks(width)
        .map(|row| {
            let mut text = String::new();
            let mut skip = 0;
            for cell in row {
                if skip == 0 {
                    text.push_str(cell.symbol());
                    skip = text::width(cell.symbol()).saturating_sub(1);
                } else {
                    skip -= 1;
                }
            }
            text.trim_end().to_owned()
        })
        .collect()
}

pub fn bot(name: &str, mode: Mode, state: State) -> BotStatus {
    BotStatus {
        name: name.parse().expect("a name"),
        groups: vec![],
        mode: Some(mode),
        state,
        was: None,
        since: None,
        pid: None,
        keeper_pid: None,
        started_at: None,
        uptime_s: None,
        restarts: None,
        failures: None,
        next_try_at: None,
        last_exit: None,
        heartbeat_age_s: None,
        cpu_percent: None,
        memory_bytes: None,
        processes: None,
        orders_active: None,
        orders_read_at: None,
        strays: vec![],
        note: String::new(),
        configured: true,
        give_up_after: 5,
        run: Some("0001".into()),
    }
}

pub fn alive(bot: BotStatus, pid: i32, uptime: u64) -> BotStatus {
    BotStatus {
        pid: Some(pid),
        uptime_s: Some(uptime),
        restarts: Some(0),
        failures: Some(0),
        cpu_percent: Some(3.2),
        memory_bytes: Some(212 << 20),
        heartbeat_age_s: Some(1),
        ..bot
    }
}

pub fn noted(bot: BotStatus, note: &str) -> BotStatus {
    BotStatus { note: note.into(), ..bot }
}

pub fn bots() -> Vec<BotStatus> {
    use Mode::{DryRun, Live, Paper};
    let failing = |bot: BotStatus, failures| BotStatus { failures: Some(failures), ..bot };
    vec![
        alive(bot("grid-btc", Live, State::Running), 48213, 187_200),
        alive(bot("mm-eth", Live, State::Running), 48220, 187_200),
        failing(noted(bot("trend-sol", Paper, State::Backoff), "retry in 24 s (exited with 1)"), 3),
        alive(bot("arb-tri", Paper, State::Running), 48391, 22_260),
        noted(alive(bot("dip-hunter", DryRun, State::Starting), 50117, 4), "not ready yet"),
        failing(noted(bot("spread-x", Live, State::Failed), "breaker open (exited with 1); restart closes it"), 5),
        noted(bot("nyse-open", Paper, State::Stopped), "stopped by ana"),
        BotStatus {
            mode: None,
            configured: false,
            ..noted(alive(bot("recorder", Live, State::Orphaned), 39002, 439_200), "no keeper")
        },
    ]
}

/// What the configuration says of them.
pub fn specs() -> Vec<BotSpec> {
    let mut text = String::new();
    for bot in bots().iter().filter(|bot| bot.configured) {
        let mode = bot.mode.expect("a mode");
        let _ = writeln!(text, "[bots.{}]\ncommand = [\"/bin/bot\"]\nmode = \"{mode}\"", bot.name);
    }
    botwarden::config::parse(Path::new("/nowhere/botwarden.toml"), &text).expect("no mistake").bots
}

/// The same configuration, one bot in another mode.
pub fn configured(name: &str, mode: Mode) -> Msg {
    let mut specs = specs();
    specs.iter_mut().filter(|spec| spec.name.as_str() == name).for_each(|spec| spec.mode = mode);
    Msg::Configuration(Ok(specs))
}

/// The same bots, one of them changed.
pub fn with(name: &str, change: impl Fn(&mut BotStatus)) -> Vec<BotStatus> {
    let mut bots = bots();
    bots.iter_mut().filter(|bot| bot.name.as_str() == name).for_each(change);
    bots
}

/// A line of a log, as whoever reads logs hands it over.
pub fn shown(line: &str) -> Line {
    let text = text::harmless(line);
    Line { level: Level::of(&text), text, ..Line::default() }
}

pub const LOG: [&str; 7] = [
    "14:31:58.120 INFO  quote refresh bid=61250.0 ask=62500.0",
    "14:31:59.004 INFO  order ack id=OAB-771 side=BUY qty=0.0500",
    "14:32:01.337 WARN  ws ping rtt 812ms (limit 500ms)",
    "14:32:01.911 ERROR cancel rejected id=OAB-702: EOrder:Unknown order",
    "14:32:02.015 INFO  \x1b[1mreconcile\x1b[0m: 4 local / 4 venue, 0 diff",
    "14:32:04.870 INFO  日本語 👩\u{200d}👩\u{200d}👧 e\u{301} \u{202e}x\0y\tz",
    "14:32:06.871 DEBUG cancel sweep",
];
