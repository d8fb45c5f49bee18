//! A terminal of the benchmark's own: a pseudo-terminal, and what a person would see in it. Nobody reads it but who waits
//! for something, so that what is measured ends with the read that brought it.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::clock::{self, Nanos};
use crate::hands::Hands;
use crate::proc::Held;
use crate::subjects::botwarden::BINARY;

/// Nothing on the screen is waited for any longer.
const PATIENCE: Duration = Duration::from_secs(30);
const COLUMNS: u16 = 120;
const ROWS: u16 = 36;

/// A terminal of 120 columns and 36 rows.
pub struct Terminal {
    master: OwnedFd,
    name: CString,
    emulated: vt100::Parser,
    buffer: Vec<u8>,
    /// How many bytes it was sent.
    pub bytes: u64,
    /// When the first of them came.
    pub first: Option<Nanos>,
}

impl Terminal {
    /// A new one.
    pub fn new() -> Result<Self, String> {
        let failed = |errno: rustix::io::Errno| format!("a pseudo-terminal: {errno}");
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).map_err(failed)?;
        grantpt(&master).and_then(|()| unlockpt(&master)).map_err(failed)?;
        let name = ptsname(&master, Vec::new()).map_err(failed)?;
        let size = Winsize { ws_col: COLUMNS, ws_row: ROWS, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).map_err(failed)?;
        let emulated = vt100::Parser::new(ROWS, COLUMNS, 0);
        Ok(Self { master, name, emulated, buffer: vec![0; 1 << 16], bytes: 0, first: None })
    }

    /// Opens a screen in it, and holds on to its process. Whoever leads a session and opens a terminal has it for its own:
    /// `setsid` and a shell are executed first, in the same process.
    pub fn launch(&mut self, hands: &Hands, words: &[String]) -> Result<Held, String> {
        let mut command = Command::new("setsid");
        command.args(["/bin/sh", "-c", "exec 0<>\"$0\" 1>&0 2>&0; exec \"$@\""]);
        command.arg(&*self.name.to_string_lossy()).arg(BINARY).args(words).env("TERM", "xterm-256color");
        for name in ["BOTWARDEN_CONFIG", "BOTWARDEN_HOME", "BOTWARDEN_BOT", "BOTWARDEN_RUN", "NO_COLOR", "COLORTERM"] {
            command.env_remove(name);
        }
        let pid = hands.launch(&mut command)?;
        Held::ours(pid).ok_or_else(|| "the screen has ended at once".to_owned())
    }

    /// Presses keys; gives the moment before.
    pub fn press(&self, keys: &str) -> Result<Nanos, String> {
        let at = clock::now();
        rustix::io::write(&self.master, keys.as_bytes()).map_err(|errno| format!("a key: {errno}"))?;
        Ok(at)
    }

    /// Waits until the screen is as wanted; gives the moment at which that was read.
    pub fn until(&mut self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> Result<Nanos, String> {
        let until = Instant::now() + PATIENCE;
        let mut at = clock::now();
        while !wanted(self.emulated.screen()) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("the screen does not show {what}:\n{}", self.emulated.screen().contents()));
            }
            at = self.read(left).unwrap_or(at);
        }
        Ok(at)
    }

    /// Takes in what comes for so long, and hands over the screen each time that something came, with when that was.
    pub fn watch(&mut self, time: Duration, mut seen: impl FnMut(&vt100::Screen, Nanos)) {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if let Some(at) = self.read(left) {
                seen(self.emulated.screen(), at);
            }
        }
    }

    fn read(&mut self, patience: Duration) -> Option<Nanos> {
        let time = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        if !matches!(poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&time)), Ok(1..)) {
            return None;
        }
        let Ok(count) = rustix::io::read(&self.master, &mut self.buffer) else {
            // Nobody has opened it yet; or nobody has it any more, which is told by what is waited for.
            std::thread::sleep(Duration::from_micros(200));
            return None;
        };
        let at = clock::now();
        self.first.get_or_insert(at);
        self.bytes += count as u64;
        self.emulated.process(&self.buffer[..count]);
        Some(at)
    }

    /// Leaves the screen.
    pub fn leave(mut self, screen: &Held) {
        let _ = self.press("q");
        let until = Instant::now() + PATIENCE;
        while !screen.has_ended() && Instant::now() < until {
            let _ = self.read(Duration::from_millis(5));
        }
        screen.signal(Signal::KILL);
    }
}
