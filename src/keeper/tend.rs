//! Looks after a bot's log without ever standing between the two: the bot writes into the file itself, and what is
//! older than `max_size` is moved into archives from behind. A bot that writes nothing costs nothing.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify;

use crate::clock;
use crate::core::bot::LogLimits;
use crate::core::moment::Moment;
use crate::logs::archive::{Archivist, Done as Archived, Removed};
use crate::logs::probe;
use crate::paths::words;

/// After the bot has written, its log is left alone for this long.
const REST: Duration = Duration::from_secs(1);
/// A bot that writes without end is looked after without end; that its output was dropped is said after this long.
const REPORT: Duration = Duration::from_secs(1);

/// One look at a run's log.
pub(super) struct Job {
    pub(super) folder: PathBuf,
    pub(super) run: String,
    pub(super) limits: LogLimits,
    /// Whether this is the first look: what an earlier keeper left half done is finished then.
    pub(super) first: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// Nothing that the operator should know.
    Well,
    /// It writes faster than it can be archived: so many bytes went that `keep` would have let go at once.
    Behind(u64),
    /// Something that the operator should know.
    Trouble(String),
    /// It cannot be done here at all.
    Never(String),
}

/// Archives what is due, and lets go what is too old.
pub(super) fn work(job: Job) -> Done {
    if job.first {
        match probe::punches_holes(&job.folder) {
            Ok(true) => {}
            Ok(false) => return Done::Never("log not archived: this file system cannot free part of a file".into()),
            // A full disk: whether holes can be punched is seen when one is.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
            Err(error) => return Done::Trouble(format!("log not archived: {}", words(&error))),
        }
    }
    let mut archivist = Archivist::open(&job.folder, &job.run, job.limits);
    tend(&mut archivist, job.first)
        .unwrap_or_else(|error| Done::Trouble(format!("log not archived: {}", words(&error))))
}

fn tend(archivist: &mut Archivist, first: bool) -> io::Result<Done> {
    let mut sum = Sum { freed: Vec::new(), dropped: 0, behind: 0 };
    if first {
        archivist.recover()?;
        sum.freed.extend(archivist.relieve()?);
        for mut earlier in archivist.earlier()? {
            while sum.step(&mut earlier)? {}
        }
    } else {
        sum.freed.extend(archivist.relieve()?);
    }
    let begun = clock::now();
    while sum.step(archivist)? {
        archivist.retain()?;
        if sum.behind > 0 && clock::now().since(begun) >= REPORT {
            break;
        }
    }
    archivist.retain()?;
    Ok(sum.told())
}

/// What went, and why.
struct Sum {
    freed: Vec<Removed>,
    dropped: u64,
    behind: u64,
}

impl Sum {
    /// One step, and whether there is more to do.
    fn step(&mut self, archivist: &mut Archivist) -> io::Result<bool> {
        let step = archivist.step()?;
        self.freed.extend(step.removed);
        match step.done {
            Archived::Nothing | Archived::Archived(_) => {}
            Archived::Dropped(span) => self.dropped += span.len(),
            Archived::Surplus(span) => self.behind += span.len(),
        }
        Ok(step.more)
    }

    /// A full disk costs the oldest output first; the operator is told that it did.
    fn told(&self) -> Done {
        let dropped = self.dropped;
        if dropped > 0 {
            return Done::Trouble(format!(
                "the disk is full: {dropped} bytes of its oldest output had to go, so that it can go on writing"
            ));
        }
        let bytes: u64 = self.freed.iter().map(|removed| removed.bytes).sum();
        if bytes > 0 {
            return Done::Trouble(format!(
                "the disk is nearly full: {bytes} bytes of its oldest archives were removed"
            ));
        }
        if self.behind > 0 { Done::Behind(self.behind) } else { Done::Well }
    }
}

/// Wakes the keeper when the bot has written, once a second at most.
pub(super) struct LogWatch {
    inotify: OwnedFd,
    log: Option<PathBuf>,
    armed: bool,
    again: Option<Moment>,
}

impl LogWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// If this user may have no more watches.
    pub(super) fn new() -> io::Result<Self> {
        let inotify = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, log: None, armed: false, again: None })
    }

    /// From now on this log is watched; it was looked at just now.
    pub(super) fn follow(&mut self, log: &Path, now: Moment) {
        self.log = Some(log.to_owned());
        self.armed = false;
        self.again = Some(now.plus(REST));
    }

    /// Something may have happened. If the bot has written, the next look comes after a rest.
    pub(super) fn woken(&mut self, now: Moment) {
        let mut space = [MaybeUninit::uninit(); 512];
        let mut reader = inotify::Reader::new(&self.inotify, &mut space);
        let mut written = false;
        while let Ok(event) = reader.next() {
            written |= event.events().contains(inotify::ReadFlags::MODIFY);
        }
        if written && self.armed {
            self.armed = false;
            self.again = Some(now.plus(REST));
        }
    }

    /// Looks no more.
    pub(super) fn stop(&mut self) {
        self.log = None;
        self.armed = false;
        self.again = None;
    }

    /// When [`LogWatch::tick`] is due.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.again
    }

    /// Whether it is time for a look; the watch is set again, so that nothing written after the look is missed.
    pub(super) fn tick(&mut self, now: Moment) -> bool {
        if self.again.is_none_or(|again| again > now) {
            return false;
        }
        self.again = None;
        if let Some(log) = &self.log {
            let once = inotify::WatchFlags::MODIFY | inotify::WatchFlags::ONESHOT;
            self.armed = inotify::add_watch(&self.inotify, log, once).is_ok();
            if !self.armed {
                // No more watches for this user: a look a second is the next best thing.
                self.again = Some(now.plus(REST));
            }
        }
        true
    }

    /// Readable when the bot has written.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}
