//! The terminal: taken, drawn on, and given back as it was, on every way out.

use std::io::{self, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SendError, Sender};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossterm::event::{
    self, DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture, Event, KeyEventKind,
};
use crossterm::terminal::{
    self, BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
};
use crossterm::{cursor, execute, queue};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::process;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level;

use crate::core::moment::Moment;
use crate::core::signal::Signal;

use super::guard::{Arrival, is_typed};
use super::message::Msg;

/// Whether the terminal is ours at the moment. Everybody who may have to give it back can see it.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the mouse is wanted while it is: taken again whenever the terminal is, and given back with it.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// So many events are taken at once.
const AT_ONCE: usize = 256;

/// The terminal, while the screen is open. Dropping it gives it back.
pub struct Terminal {
    inner: ratatui::Terminal<CrosstermBackend<Whole>>,
}

/// Standard output, a whole frame at a time: one write, bracketed so that no half of it is ever seen.
struct Whole {
    out: Stdout,
    frame: Vec<u8>,
}

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let frame = std::mem::take(&mut self.frame);
        // Nothing is drawn without going somewhere first; what is left then only says again that the cursor is hidden.
        if !frame.contains(&b'H') && !frame.contains(&b'J') {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(frame.len() + 16);
        queue!(bytes, BeginSynchronizedUpdate)?;
        bytes.extend(frame);
        queue!(bytes, EndSynchronizedUpdate)?;
        self.out.write_all(&bytes)?;
        self.out.flush()
    }
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// If there is none, or it refuses.
    pub fn take() -> Result<Self, String> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err("the screen needs a terminal; 'botwarden status' does not".into());
        }
        guard_panics(thread::current().id());
        let backend = CrosstermBackend::new(Whole { out: io::stdout(), frame: Vec::new() });
        let failed = |error: io::Error| format!("the terminal: {error}");
        let inner = ratatui::Terminal::new(backend).map_err(failed)?;
        let mut terminal = Self { inner };
        terminal.enter().map_err(failed)?;
        Ok(terminal)
    }

    fn enter(&mut self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        terminal::enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if MOUSE.load(Ordering::SeqCst) {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        self.forget()
    }

    /// Takes it again after it was given back, or after anybody may have changed it.
    ///
    /// # Errors
    /// If it refuses.
    pub fn retake(&mut self) -> io::Result<()> {
        // Raw mode must be set anew even if we think that it is: a shell may have had the terminal in between.
        let _ = terminal::disable_raw_mode();
        self.enter()
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if TAKEN.load(Ordering::SeqCst) {
            self.inner.draw(draw)?;
        }
        Ok(())
    }

    /// Forgets what the terminal shows: the next frame is drawn in full.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not `clear()`: that asks the terminal where its cursor is, and waits for an answer among the keys.
        execute!(io::stdout(), terminal::Clear(terminal::ClearType::All))?;
        // Both of the buffers that frames are compared with are blank then, as the terminal is.
        self.inner.swap_buffers();
        self.inner.swap_buffers();
        Ok(())
    }

    /// Its columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.inner.size().map_or((80, 24), |size| (size.width, size.height))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// Takes the mouse, or leaves it to the terminal, where it selects text.
///
/// # Errors
/// If the terminal is gone.
pub fn mouse(wanted: bool) -> io::Result<()> {
    MOUSE.store(wanted, Ordering::SeqCst);
    match (TAKEN.load(Ordering::SeqCst), wanted) {
        (false, _) => Ok(()),
        (true, true) => execute!(io::stdout(), EnableMouseCapture),
        (true, false) => execute!(io::stdout(), DisableMouseCapture),
    }
}

/// Gives the terminal back, if it is ours. A terminal that is gone cannot be helped.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        if MOUSE.load(Ordering::SeqCst) {
            let _ = execute!(io::stdout(), DisableMouseCapture);
        }
        let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// A panic of the screen's own thread, or one that ends the process, gives the terminal back before it is printed.
/// One of another thread must not: the screen goes on, and the diagnostics say what happened.
fn guard_panics(screen: ThreadId) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if thread::current().id() == screen || cfg!(panic = "abort") {
            restore();
        }
        if TAKEN.load(Ordering::SeqCst) {
            log::error!("a thread broke off: {info}");
        } else {
            before(info);
        }
    }));
}

/// Has the terminal take this text into its clipboard, if it can (OSC 52).
///
/// # Errors
/// If the terminal is gone.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "\x1b]52;c;{}\x07", base64(text.as_bytes()))?;
    out.flush()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |n: usize| u32::from(chunk.get(n).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit > chunk.len() { '=' } else { char::from(DIGITS[value]) });
        }
    }
    text
}

/// Stops this process as a shell's Ctrl-Z would, once the terminal was given back.
pub fn stand_still() {
    restore();
    let _ = low_level::raise(signal_hook::consts::SIGSTOP);
}

/// Gives the terminal back and sends Ctrl-Z's signal to everybody whom the terminal would send it to; our own handler
/// then has us [`stand_still`]. Says no where no shell is there to continue us.
pub fn suspend() -> bool {
    let leads = process::getsid(None).is_ok_and(|session| session == process::getpid());
    if leads {
        return false;
    }
    restore();
    process::kill_current_process_group(process::Signal::TSTP).is_ok()
}

/// Reads keys and signals on threads of their own, for as long as it lives.
pub struct Input {
    signals: Handle,
    _wake: OwnedFd,
}

impl Input {
    /// Begins to read. Keys are stamped by this clock as they arrive: how far apart two presses are must not depend on
    /// when somebody gets to them.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn read(tell: &Sender<Msg>, clock: fn() -> Moment) -> Result<Self, String> {
        let failed = |error: io::Error| format!("keys and signals: {error}");
        let mut caught =
            Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH]).map_err(failed)?;
        let signals = caught.handle();
        let (end, wake) = rustix::pipe::pipe().map_err(|error| failed(error.into()))?;
        let there = tell.clone();
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for signal in caught.forever() {
                    let msg = match signal {
                        SIGTSTP => Msg::Suspend,
                        SIGCONT => Msg::Continued,
                        SIGWINCH => match terminal::size() {
                            Ok((width, height)) => Msg::Resize(width, height),
                            Err(_) => continue,
                        },
                        other => Msg::Signaled(Signal::from_number(other)),
                    };
                    if there.send(msg).is_err() {
                        return;
                    }
                }
            })
            .map_err(failed)?;
        let there = tell.clone();
        thread::Builder::new().name("keys".into()).spawn(move || keys(&end, &there, clock)).map_err(failed)?;
        Ok(Self { signals, _wake: wake })
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.signals.close();
    }
}

/// Sleeps until there is a key, the terminal is gone, or the other end of `end` is closed: whoever uses the terminal
/// after us must not lose a key to us.
fn keys(end: &OwnedFd, tell: &Sender<Msg>, clock: fn() -> Moment) {
    if read_keys(end, tell, clock).is_none() {
        let _ = tell.send(Msg::Signaled(Signal::from_number(SIGHUP)));
    }
}

/// `None` if the terminal is gone.
fn read_keys(end: &OwnedFd, tell: &Sender<Msg>, clock: fn() -> Moment) -> Option<()> {
    let stdin = io::stdin();
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(end.as_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
        }
        if !fds[1].revents().is_empty() {
            return Some(());
        }
        if fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return None;
        }
        let mut events = Vec::new();
        let mut gone = false;
        // A wait of nothing would not even look. What comes at once is looked at as a whole: text may have been pasted.
        while !gone && events.len() < AT_ONCE && event::poll(Duration::from_millis(1)).unwrap_or(false) {
            match event::read() {
                Ok(event) => events.push(event),
                Err(_) => gone = true,
            }
        }
        if told(events, tell, clock()).is_err() {
            return Some(());
        }
        if gone {
            return None;
        }
    }
}

/// Tells what came at once.
fn told(events: Vec<Event>, tell: &Sender<Msg>, at: Moment) -> Result<(), SendError<Msg>> {
    let pressed = |event: &Event| match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Some(*key),
        Event::Key(_)
        | Event::Paste(_)
        | Event::Resize(..)
        | Event::Mouse(_)
        | Event::FocusGained
        | Event::FocusLost => None,
    };
    let typed = is_typed(&events.iter().filter_map(pressed).collect::<Vec<_>>());
    for event in events {
        let msg = match (pressed(&event), event) {
            (Some(key), _) => Msg::Key(key, Arrival { at, typed }),
            (None, Event::Paste(text)) => Msg::Paste(text),
            (None, Event::Resize(width, height)) => Msg::Resize(width, height),
            (None, Event::Mouse(event)) => Msg::Mouse(event),
            (None, Event::Key(_) | Event::FocusGained | Event::FocusLost) => continue,
        };
        tell.send(msg)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn text_is_handed_to_the_clipboard_in_base64() {
        for (text, code) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }
}
