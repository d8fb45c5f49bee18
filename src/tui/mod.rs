//! The screen: messages come in, `update` makes a new model and effects of them, `effects` performs those, `view` draws.
//!
//! ```text
//! keys, signals --.
//! survey ---------+--> Msg --> update(&mut Model) --> Effect --> effects (the edges)
//! log, actions ---'                    |
//! clock --------'                      '--> draw(&Model)
//! ```
//!
//! It supervises nothing and holds nothing that matters: it may be killed at any time.

mod ansi;
mod clip;
pub mod cluster_deed;
pub mod cluster_page;
mod cluster_watch;
mod cluster_wish;
pub mod clusters;
pub mod deed;
mod diagnostics;
pub mod dress;
pub mod effect;
mod effects;
pub mod emergency;
mod emergency_keys;
pub mod emergency_page;
mod entry;
mod estop_watch;
pub mod filter;
mod firing;
mod follow;
pub mod guard;
pub mod guard_page;
pub mod history;
pub mod history_news;
pub mod history_page;
pub mod history_row;
mod history_watch;
mod inbox;
pub mod inspect;
pub mod keys;
pub mod layout;
mod log_keys;
mod log_lines;
pub mod log_news;
pub mod log_page;
mod log_reader;
pub mod logbook;
pub mod message;
pub mod model;
mod mouse;
pub mod order_row;
mod order_watch;
pub mod orders;
mod pacing;
pub mod palette;
mod panes;
mod scope;
pub mod sheet;
mod sorting;
pub mod stop_page;
pub mod stops;
mod tabs;
mod terminal;
pub mod text;
pub mod theme;
pub mod timeline;
pub mod trend;
mod trigger;
pub mod update;
pub mod view;
pub mod watched;
pub mod whom;
mod wish;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::clock;
use crate::core::signal::Signal;
use crate::core::ui::UiSettings;
use crate::paths::Home;

use effect::Effect;
use effects::clusters::OnClusters;
use effects::{Hands, Source};
use inbox::Inbox;
use message::{Configured, Msg, Now, Running};
use model::{Fixed, Model};
use order_watch::Watch;
use pacing::{Cause, Pacing};
use terminal::{Input, Terminal};
use update::update;

/// Whatever else waits is taken in for so long before keys are asked for again, and a frame is drawn.
const TURN: Duration = Duration::from_millis(40);

/// What the screen is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The desk.
    pub home: Home,
    /// The configuration, which is read again before anything is started by it; none if none was found.
    pub config: Option<PathBuf>,
    /// What was read of it, or what is wrong with it.
    pub configured: Configured,
    /// The machine's name.
    pub host: String,
    /// Who is sitting here, as events and reports name them.
    pub by: String,
    /// Bytes below 0x80 only.
    pub ascii: bool,
    /// Whether colour may be used.
    pub color: bool,
    /// Look, and do nothing.
    pub read_only: bool,
    /// The zone that people here read clocks in.
    pub zone: jiff::tz::TimeZone,
    /// How the configuration wants it to look; nothing if none could be read.
    pub ui: Option<UiSettings>,
    /// A word about the desk, for the header.
    pub title_note: Option<String>,
    /// What leaving ends; asked about before leaving.
    pub leave_note: Option<String>,
}

/// How the screen was left, and what keeps running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What keeps running.
    pub bots: Running,
    /// The signal that asked, if it was one.
    pub signal: Option<Signal>,
}

impl Left {
    /// The line for standard error.
    pub fn sentence(&self) -> String {
        let Running { running, live, stopping, strays, unknown } = self.bots;
        let bots = match running {
            0 => "no bot is running".to_owned(),
            1 => format!("1 bot keeps running, {} live", if live == 1 { "and it is" } else { "not" }),
            many => format!("{many} bots keep running, {live} of them live"),
        };
        let more = [
            (stopping, "being stopped, which goes on"),
            (strays, "running beside them that no keeper has (strays)"),
            (unknown, "in an unknown state"),
        ];
        more.iter().filter(|(count, _)| *count > 0).fold(bots, |text, (count, what)| format!("{text}; {count} {what}"))
    }
}

/// Opens the screen, and returns when it was left. The terminal is as it was before.
///
/// # Errors
/// If there is no terminal, or it went away.
pub fn run(options: Options) -> Result<Left, String> {
    let (tell, told) = channel();
    let fixed = Fixed {
        host: text::harmless(&options.host),
        ascii: options.ascii,
        color: options.color,
        read_only: options.read_only,
        zone: Some(options.zone),
        title_note: options.title_note,
        leave_note: options.leave_note,
    };
    let mut model = Model::new(fixed);
    diagnostics::listen(&tell);
    let mut terminal = Terminal::take()?;
    let input = Input::read(&tell, clock::now)?;
    let mut inbox = Inbox::default();
    if let Some(ui) = options.ui {
        inbox.put(Msg::Ui(ui));
    }
    inbox.put(Msg::Configuration(options.configured.clone()));
    let source = Source::new(options.home.clone(), options.config, options.configured);
    let mut hands = Hands::new(options.home, source, options.by, options.read_only, tell);
    let (width, height) = terminal.size();
    inbox.put(Msg::Resize(width, height));
    let mut pacing = Pacing::default();
    pacing.want(Cause::News);
    let mut second = None;
    let signal = 'open: loop {
        hands.tend();
        let turn = Instant::now();
        let mut next = Some(Msg::Now(now()));
        while let Some(msg) = next {
            for effect in update(&mut model, msg) {
                match perform(effect, &mut hands, &mut terminal).map_err(gone)? {
                    After::Stay => {}
                    After::Leave(signal) => break 'open signal,
                }
            }
            // A key that was pressed meanwhile does not wait for the others.
            inbox.put_all(told.try_iter());
            let of_input = inbox.has_input();
            let goes_on = turn.elapsed() < TURN && (of_input || !pacing.hurries(clock::now()));
            next = if goes_on { inbox.take() } else { None };
            if next.is_some() {
                pacing.want(if of_input { Cause::Input } else { Cause::News });
            }
        }
        // The clock of the header, and every age, tick by the second.
        let ticks = (
            model.now.wall.as_second(),
            model.emergency.guard(model.now.mono).map(|armed| armed.seconds_left(model.now.mono)),
        );
        if second.replace(ticks) != Some(ticks) {
            pacing.want(Cause::News);
        }
        if pacing.rest(clock::now()) == Some(Duration::ZERO) {
            diagnostics::gather();
            terminal
                .draw(|frame| {
                    view::draw(&model, frame);
                    #[cfg(debug_assertions)]
                    break_if_told();
                })
                .map_err(gone)?;
            pacing.drawn(clock::now());
        }
        let patience = match (inbox.is_empty(), pacing.rest(clock::now())) {
            (false, _) => Duration::ZERO,
            (true, Some(rest)) => rest,
            (true, None) => until_next_second().min(until_guard_closes(&model)),
        };
        match told.recv_timeout(patience) {
            Ok(msg) => {
                inbox.put(msg);
                inbox.put_all(told.try_iter());
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    };
    drop(input);
    drop(terminal);
    diagnostics::unlisten();
    // The screen's last look may be older than what was done last: what keeps running is looked at now.
    Ok(Left { bots: update::left_running(&hands.last_look(&model.specs)), signal })
}

/// How the tests cause a panic in the middle of a frame, which leaves the terminal sane: once the file is there that
/// this variable names, the next frame breaks off. A release does not know the variable.
#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "that is what it is for")]
fn break_if_told() {
    if let Some(file) = std::env::var_os("BOTWARDEN_BREAK_DRAW").map(PathBuf::from).filter(|file| file.exists()) {
        panic!("{} is there: this frame breaks off, as it was told to", file.display());
    }
}

enum After {
    Stay,
    Leave(Option<Signal>),
}

fn gone(error: io::Error) -> String {
    format!("the terminal went away: {error}; the bots keep running")
}

fn perform(effect: Effect, hands: &mut Hands, terminal: &mut Terminal) -> io::Result<After> {
    match effect {
        Effect::Act { ticket, deed, names, specs, orders } => hands.act(ticket, deed, names, specs, orders),
        Effect::ActOnClusters { ticket, deed, clusters, all, bots, chunks, unverified } => {
            hands.act_on_clusters(OnClusters { ticket, deed, clusters, all, bots, chunks, unverified });
        }
        Effect::Fire => hands.fire(),
        Effect::Reset { reason, waive } => hands.reset(reason, waive),
        Effect::Examine => hands.examine(),
        Effect::Copy(text) => terminal::copy(&text)?,
        Effect::ReadOrders(specs) => hands.orders(Watch::Specs(specs)),
        Effect::ReadClusters(clusters, bots) => hands.clusters(cluster_watch::Watch::Specs(clusters, bots)),
        Effect::WatchOrders(go_on) => {
            hands.orders(Watch::GoOn(go_on));
            hands.clusters(cluster_watch::Watch::GoOn(go_on));
        }
        Effect::ReadNow(names) => {
            hands.orders(Watch::Now(names));
            hands.clusters(cluster_watch::Watch::Now);
        }
        Effect::Look(ticket) => hands.look(ticket),
        Effect::Hurry(hurried) => hands.hurry(hurried),
        Effect::Log(ask) => hands.logs(ask),
        Effect::History(ask) => hands.history(ask),
        Effect::Save(path, text) => hands.save(path, text),
        Effect::Mouse(wanted) => terminal::mouse(wanted)?,
        Effect::Inspect(name) => hands.inspect(name),
        Effect::Note(level, text) => log::log!(level, "{text}"),
        Effect::Redraw => terminal.forget()?,
        Effect::Suspend => {
            if !terminal::suspend() {
                log::warn!("not suspended: there is no shell to come back from");
            }
        }
        Effect::StandStill => {
            terminal::stand_still();
            terminal.retake()?;
        }
        Effect::Resume => terminal.retake()?,
        Effect::Leave(signal) => return Ok(After::Leave(signal)),
    }
    Ok(After::Stay)
}

fn now() -> Now {
    Now { wall: clock::wall(), mono: clock::now() }
}

fn until_next_second() -> Duration {
    let past = clock::wall().subsec_nanosecond().unsigned_abs();
    Duration::from_nanos(u64::from(1_000_000_000_u32.saturating_sub(past).max(1_000_000)))
}

/// An open guard counts down and closes by its own clock, which is not that of the header.
fn until_guard_closes(model: &Model) -> Duration {
    let now = clock::now();
    let Some(armed) = model.emergency.guard(now) else { return Duration::MAX };
    let left = guard::OPEN.saturating_sub(now.since(armed.at));
    Duration::from_millis(u64::from(left.subsec_millis()) + 1)
}
