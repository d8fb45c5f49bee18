//! A terminal of the test's own: a pseudo-terminal with the screen of a desk in it, what it would show to a person, and
//! every byte that it was sent.

use std::os::fd::OwnedFd;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{SpecialCodeIndex, Winsize, tcgetattr, tcsetwinsize};

use crate::harness::{Desk, eventually};

/// A terminal, and whatever runs in it.
pub struct Pty {
    /// Nothing once it was hung up.
    ends: Option<(OwnedFd, JoinHandle<()>)>,
    /// Held open, so that the terminal's settings can be read when nobody else has it.
    slave: OwnedFd,
    over: Arc<AtomicBool>,
    seen: Arc<Mutex<Seen>>,
    shell: Child,
}

/// What came.
struct Seen {
    raw: Vec<u8>,
    emulated: vt100::Parser,
    /// Sizes that nobody looks at are not emulated.
    blind: bool,
}

impl Pty {
    /// A terminal in which this line of shell is carried out; `$BOTWARDEN` is the binary.
    pub fn open(desk: &Desk, (columns, rows): (u16, u16), line: &str) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("our terminal");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let slave = slave.expect("its other end");
        tcsetwinsize(&master, size(columns, rows)).expect("its size");
        // Whoever leads a session and opens a terminal has it for its own.
        let line = format!("exec 0<>{name} 1>&0 2>&0; {line}", name = name.to_string_lossy());
        let mut command = Command::new("setsid");
        desk.dress(&mut command);
        let shell = command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").args(["/bin/sh", "-c", &line]);
        let shell = shell.spawn().expect("a shell");
        let seen = Seen { raw: Vec::new(), emulated: vt100::Parser::new(rows, columns, 0), blind: false };
        let (seen, over) = (Arc::new(Mutex::new(seen)), Arc::new(AtomicBool::new(false)));
        let reader = {
            let (seen, over, master) = (Arc::clone(&seen), Arc::clone(&over), master.try_clone().expect("a copy"));
            std::thread::spawn(move || read(&master, &seen, &over))
        };
        Self { ends: Some((master, reader)), slave, over, seen, shell }
    }

    /// The screen of a desk, which shows this already; behind it a shell that says how it ended.
    #[track_caller]
    pub fn screen(desk: &Desk, size: (u16, u16), args: &str, text: &str) -> Self {
        let pty = Self::open(desk, size, &format!("\"$BOTWARDEN\" {args}; echo \"ended with $?\"; exec sleep 600"));
        pty.shows(text);
        pty
    }

    fn master(&self) -> &OwnedFd {
        &self.ends.as_ref().expect("not hung up").0
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Presses keys, as the bytes that a terminal makes of them.
    pub fn keys(&self, keys: &str) {
        let mut bytes = keys.as_bytes();
        while !bytes.is_empty() {
            let written = rustix::io::write(self.master(), bytes).expect("a key");
            bytes = &bytes[written..];
        }
    }

    /// Gives the terminal another size, and waits for nothing.
    pub fn resize(&self, columns: u16, rows: u16) {
        let mut seen = self.lock();
        seen.emulated.screen_mut().set_size(rows, columns);
        tcsetwinsize(self.master(), size(columns, rows)).expect("its size");
    }

    /// A size that nobody looks at: only the bytes are kept.
    pub fn resize_unseen(&self, columns: u16, rows: u16) {
        self.lock().blind = true;
        tcsetwinsize(self.master(), size(columns, rows)).expect("its size");
    }

    /// Looks again, at a terminal of this size that shows nothing yet.
    pub fn look_again(&self, columns: u16, rows: u16) {
        let mut seen = self.lock();
        seen.blind = false;
        seen.emulated = vt100::Parser::new(rows, columns, 0);
        tcsetwinsize(self.master(), size(columns, rows)).expect("its size");
    }

    /// What a person sees of it now.
    pub fn text(&self) -> String {
        self.look(vt100::Screen::contents)
    }

    /// Looks at the emulated screen.
    pub fn look<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.lock().emulated.screen())
    }

    /// Every byte that came so far, from this one on.
    pub fn raw_from(&self, start: usize) -> Vec<u8> {
        self.lock().raw[start..].to_vec()
    }

    /// How many bytes came so far.
    pub fn came(&self) -> usize {
        self.lock().raw.len()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let told = Told(self);
        let text = eventually(format!("{what} on the screen"), || Some(self.text()).filter(|text| wanted(text)));
        drop(told);
        text
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.until(&format!("{text:?}"), |seen| seen.contains(text))
    }

    /// The process of the screen: the shell's only child.
    #[track_caller]
    pub fn process(&self) -> i32 {
        eventually("the screen's process", || {
            botwarden::process::children(self.shell.id() as i32).into_iter().find(|pid| {
                std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "botwarden")
            })
        })
    }

    /// How the terminal is set: its modes, and after how many bytes a read comes back.
    pub fn settings(&self) -> String {
        let is = tcgetattr(&self.slave).expect("its settings");
        let code = |index| is.special_codes[index];
        format!(
            "{:?} {:?} {:?} {:?} {} {}",
            is.input_modes,
            is.output_modes,
            is.control_modes,
            is.local_modes,
            code(SpecialCodeIndex::VMIN),
            code(SpecialCodeIndex::VTIME)
        )
    }

    /// What is wrong with a terminal that somebody has given back; these were its settings before.
    pub fn left_wrong(&self, settings: &str) -> Vec<&'static str> {
        let wrong = self.look(|screen| {
            [
                (screen.alternate_screen(), "the alternate screen is shown"),
                (screen.hide_cursor(), "the cursor is hidden"),
                (screen.bracketed_paste(), "pastes are bracketed"),
                (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is taken"),
            ]
        });
        let same = self.settings() == settings;
        wrong.into_iter().chain([(!same, "its settings")]).filter(|(wrong, _)| *wrong).map(|(_, what)| what).collect()
    }

    /// The terminal goes away, as when its window is closed.
    pub fn hang_up(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some((master, reader)) = self.ends.take() {
            reader.join().expect("the reader");
            drop(master);
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.hang_up();
        // Its session has gone with the terminal; a shell that has not is ours to end.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Tells what the screen showed last, when a test fails.
struct Told<'a>(&'a Pty);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the screen:\n{}", self.0.text());
        }
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Takes in what comes, until it is over.
fn read(master: &OwnedFd, seen: &Mutex<Seen>, over: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    let patience = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
    while !over.load(Ordering::SeqCst) {
        let mut fds = [PollFd::new(master, PollFlags::IN)];
        if !matches!(poll(&mut fds, Some(&patience)), Ok(1..)) {
            continue;
        }
        let Ok(count) = rustix::io::read(master, &mut buffer) else { continue };
        let mut seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.raw.extend_from_slice(&buffer[..count]);
        if !seen.blind {
            seen.emulated.process(&buffer[..count]);
        }
    }
}
