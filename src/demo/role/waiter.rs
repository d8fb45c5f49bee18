//! Waiting for a time or for a signal, whichever comes first.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Hears SIGTERM and SIGINT, which from now on end nothing by themselves.
#[derive(Debug)]
pub(super) struct Waiter(UnixStream);

impl Waiter {
    /// Listens for them.
    pub(super) fn listen() -> io::Result<Self> {
        let (ear, mouth) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, mouth.try_clone()?)?;
        }
        Ok(Self(ear))
    }

    /// Waits this long; true at once if a signal comes or has come.
    pub(super) fn wait(&mut self, time: Duration) -> bool {
        // A time of zero would mean for ever.
        let time = time.max(Duration::from_millis(1));
        if self.0.set_read_timeout(Some(time)).is_err() {
            std::thread::sleep(time);
            return false;
        }
        // One byte is one signal.
        matches!(self.0.read(&mut [0]), Ok(1))
    }
}
