//! The keeper's own signals, as something to wait for among other things.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::core::lifecycle::First;
use crate::process;

/// Every signal that the keeper takes notice of or must not die of.
pub(super) struct Signals(SignalFd);

/// What a signal means to a keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Some child has ended.
    Child,
    /// The keeper is to stop its bot and leave.
    Leave(First),
}

impl Signals {
    /// Takes them over. Bots are spawned with an empty mask all the same.
    pub(super) fn take_over() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        for signal in [
            Signal::SIGCHLD,
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            Signal::SIGQUIT,
            Signal::SIGUSR1,
            Signal::SIGUSR2,
            Signal::SIGALRM,
            // A file that may grow no more is an error to be told, not an end.
            Signal::SIGXFSZ,
        ] {
            mask.add(signal);
        }
        mask.thread_block()?;
        Ok(Self(SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// What has arrived since the last time.
    pub(super) fn arrived(&self) -> Vec<Meaning> {
        let mut meanings = Vec::new();
        while let Ok(Some(info)) = self.0.read_signal() {
            match i32::try_from(info.ssi_signo) {
                Ok(libc::SIGCHLD) => meanings.push(Meaning::Child),
                Ok(libc::SIGTERM | libc::SIGINT) => meanings.push(Meaning::Leave(first(info.ssi_pid as i32))),
                // A closed terminal, a stray SIGUSR1: nothing that should cost a bot its keeper.
                Ok(_) | Err(_) => {}
            }
        }
        meanings
    }

    /// Readable when one has arrived.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An init system that shuts down tells every process of the machine, or of the cgroup, at once: then the bot has its
/// first signal already. Such a signal comes from process 1 or from a service manager.
fn first(sender: i32) -> First {
    let is_init = sender == 1 || process::short_name(sender).is_some_and(|name| name == "systemd");
    if is_init { First::Delivered } else { First::Send }
}
