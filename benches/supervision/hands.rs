//! Starts processes and sees to it that none is left behind.
//!
//! This program is a subreaper: a daemon that detaches itself from whoever started it becomes our child. So whatever is
//! started here, by us or by a supervisor, descends from us and can be found, and nothing else is ever signalled.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, getpid, set_child_subreaper, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::TempDir;

use crate::clock::{self, Nanos};
use crate::proc::{self, Held};

/// No command is waited for any longer.
const PATIENCE: Duration = Duration::from_mins(2);

/// The end of a child.
#[derive(Clone, Copy, Debug)]
struct End {
    status: WaitStatus,
    at: Nanos,
}

#[derive(Debug, Default)]
struct Ends {
    seen: Mutex<HashMap<i32, End>>,
    changed: Condvar,
}

impl Ends {
    fn lock(&self) -> MutexGuard<'_, HashMap<i32, End>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever starts something here does it with these.
#[derive(Debug)]
pub struct Hands {
    ends: Arc<Ends>,
    folder: TempDir,
}

impl Hands {
    /// Adopts whatever our children leave behind, from now on. Somebody who breaks us off leaves nothing behind either.
    pub fn new() -> Result<Self, String> {
        set_child_subreaper(Some(getpid())).map_err(|errno| format!("cannot become a subreaper: {errno}"))?;
        // The short name keeps addresses of sockets short.
        let folder = tempfile::Builder::new().prefix("bench").tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().to_owned();
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| error.to_string())?;
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                end_everything();
                let _ = fs::remove_dir_all(&path);
                std::process::exit(128 + signal);
            }
        });
        let ends = Arc::new(Ends::default());
        let shared = Arc::clone(&ends);
        thread::spawn(move || reap(&shared));
        Ok(Self { ends, folder })
    }

    /// The temporary folder that everything lies in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a process and does not wait for it.
    pub fn launch(&self, command: &mut Command) -> Result<i32, String> {
        // Held until the child is there: a reaper without children sleeps until somebody has started one.
        let mut ends = self.ends.lock();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let pid = child.id() as i32;
        // An earlier process may have had the same number.
        ends.remove(&pid);
        self.ends.changed.notify_all();
        Ok(pid)
    }

    /// Runs a command to its end; gives the moment at which it had ended.
    ///
    /// # Errors
    /// With what it said, if it did not end with 0 or not in time.
    pub fn run(&self, command: &mut Command) -> Result<Nanos, String> {
        self.finish(command).and_then(|(end, said)| match end.status.exit_status() {
            Some(0) => Ok(end.at),
            Some(_) | None => Err(format!("{command:?}: {:?}: {}", end.status, String::from_utf8_lossy(&said).trim())),
        })
    }

    /// What a command prints, whatever it ends with.
    pub fn ask(&self, command: &mut Command) -> Result<String, String> {
        self.finish(command).map(|(_, said)| String::from_utf8_lossy(&said).into_owned())
    }

    fn finish(&self, command: &mut Command) -> Result<(End, Vec<u8>), String> {
        // A file and no pipe: a daemon that the command leaves behind may keep it open as long as it likes.
        let mut output = tempfile::tempfile().map_err(|error| error.to_string())?;
        let copy = || output.try_clone().map_err(|error| error.to_string());
        let pid = self.launch(command.stdout(copy()?).stderr(copy()?))?;
        let end = self.wait(pid).ok_or_else(|| format!("{command:?}: does not end"))?;
        let mut said = Vec::new();
        output.rewind().and_then(|()| output.read_to_end(&mut said)).map_err(|error| error.to_string())?;
        Ok((end, said))
    }

    fn wait(&self, pid: i32) -> Option<End> {
        let ends = self.ends.lock();
        let (mut ends, _) = self
            .ends
            .changed
            .wait_timeout_while(ends, PATIENCE, |ends| !ends.contains_key(&pid))
            .unwrap_or_else(PoisonError::into_inner);
        ends.remove(&pid)
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        end_everything();
    }
}

/// Kills every descendant of ours until there is none.
pub fn end_everything() {
    let until = Instant::now() + PATIENCE;
    loop {
        let left = proc::descendants(std::process::id() as i32, &HashSet::new());
        if left.is_empty() || Instant::now() > until {
            return;
        }
        // Supervisors come before what they would start again: parents first, as they are found.
        for process in left.into_iter().filter_map(Held::ours) {
            process.signal(Signal::KILL);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Reaps every child as soon as it ends, and notes when that was.
fn reap(ends: &Ends) {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some(ended)) => {
                let at = clock::now();
                note(&mut ends.lock(), ended, at);
                ends.changed.notify_all();
            }
            Ok(None) | Err(Errno::INTR) => {}
            // No child at all. Looked at again with the lock held, so that none can come unseen.
            Err(_) => {
                let mut seen = ends.lock();
                match wait(WaitOptions::NOHANG) {
                    Ok(Some(ended)) => note(&mut seen, ended, clock::now()),
                    Ok(None) => {}
                    Err(_) => drop(ends.changed.wait(seen)),
                }
            }
        }
    }
}

fn note(seen: &mut HashMap<i32, End>, (pid, status): (Pid, WaitStatus), at: Nanos) {
    seen.insert(pid.as_raw_nonzero().get(), End { status, at });
}
