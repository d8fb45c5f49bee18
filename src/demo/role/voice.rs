//! What a bot says: lines in the format of Python's logging, and words to its supervisor (`sd_notify(3)`).

use std::io::{self, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use jiff::Zoned;

/// A bot's voice.
#[derive(Debug)]
pub(super) struct Voice {
    logger: &'static str,
    supervisor: Option<(UnixDatagram, SocketAddr)>,
}

impl Voice {
    /// Logs under this name, and talks to `NOTIFY_SOCKET` if there is one.
    pub(super) fn new(logger: &'static str) -> Self {
        Self { logger, supervisor: supervisor() }
    }

    /// A line of its own logger.
    pub(super) fn info(&self, text: &str) {
        self.log("INFO", self.logger, text);
    }

    /// A line that somebody might want to look at.
    pub(super) fn warning(&self, text: &str) {
        self.log("WARNING", self.logger, text);
    }

    /// A line that somebody has to look at.
    pub(super) fn error(&self, text: &str) {
        self.log("ERROR", self.logger, text);
    }

    /// A line of the main program, where the shutdown is told.
    pub(super) fn main(&self, level: &str, text: &str) {
        self.log(level, "__main__", text);
    }

    fn log(&self, level: &str, logger: &str, text: &str) {
        let now = Zoned::now();
        let at = now.strftime("%Y-%m-%d %H:%M:%S");
        self.raw(&format!("{at},{:03} {level} {logger}: {text}\n", now.millisecond()));
    }

    /// Text as it is. A full disk is no reason to stop trading.
    #[allow(clippy::unused_self)]
    pub(super) fn raw(&self, text: &str) {
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Words to the supervisor, one a line. Whether it listens is its own affair.
    pub(super) fn tell(&self, words: &str) {
        if let Some((socket, address)) = &self.supervisor {
            let _ = socket.send_to_addr(words.as_bytes(), address);
        }
    }
}

fn supervisor() -> Option<(UnixDatagram, SocketAddr)> {
    let name = std::env::var("NOTIFY_SOCKET").ok()?;
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(&name).ok()?,
    };
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    Some((socket, address))
}
