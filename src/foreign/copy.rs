//! Private copies of files of SQLite that can be read only by whoever may write them.
//!
//! Two kinds of files are left behind by a bot that was killed and cannot be read in place, when its orders matter most:
//!
//! - One in the middle of a commit, with a `-journal` that has what was there before. Only a writer can take the half
//!   change back. Read without that, it shows a mixture that never was.
//! - One in a folder that we may not write, with its commits in `-wal` and without the `-shm` that every reader needs.
//!
//! Either is copied, and SQLite does with the copy what the bot's next start will do with the file. The originals are only
//! read. The copy is of one moment, or it is thrown away:
//!
//! - The lock of a reader is held on the file meanwhile. Whoever wants to take the change back needs a lock that this one
//!   excludes, and nobody commits before that is done. So neither the file nor its journal changes under the copy.
//! - With a write-ahead log this lock keeps no checkpoint away. But nobody has the file open as long as there is no `-shm`
//!   (who does without has the file's exclusive lock). There must be none before and after, and none of the files may
//!   have changed lately: whoever came and went in between has left another time, which a coarse clock may show only two
//!   seconds later. What counts of a log without `-shm` is decided by its checksums alone, in the copy as in the file.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, fcntl};
use rusqlite::{ErrorCode, OpenFlags, ffi};
use rustix::fs::{Access, access};

use crate::clock;
use crate::core::moment::Moment;

use super::copy_folder::{Folder, places};
use super::sqlite::{self, Fault};
use super::{file, turns};

/// Together no larger than this: it is memory.
const LARGEST: u64 = 256 << 20;

/// How long nothing must have changed, in milliseconds, where only times tell.
const SETTLED: i64 = 2000;

/// Where SQLite's locks are in a file (`os.h`: `PENDING_BYTE`, `RESERVED_BYTE`, `SHARED_FIRST`).
const PENDING: i64 = 0x4000_0000;
const RESERVED: i64 = PENDING + 1;
const SHARED: i64 = PENDING + 2;
const SHARED_SIZE: i64 = 510;

/// The last bytes of a journal that belongs to a change of several files at once.
const SEVERAL_FILES: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];

/// What must be copied along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// What there was before a change that was broken off.
    Journal,
    /// The write-ahead log, if there is one.
    Log,
}

/// Why there is no copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// Somebody is at work: it may be read in place by now, or be copied a moment later.
    Moved,
    /// It cannot be had.
    Never,
}

/// A copy that SQLite has made whole; gone when it is dropped.
#[derive(Debug)]
pub(crate) struct Copied(Folder);

impl Need {
    /// What a copy needs of a file that could not be read; none if a copy would be no better.
    pub(crate) fn of(fault: &Fault, path: &Path) -> Option<Self> {
        let error = fault.sqlite_error()?;
        if error.extended_code == ffi::SQLITE_READONLY_ROLLBACK {
            return Some(Self::Journal);
        }
        let closed = matches!(error.code, ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied);
        let may_write = access(path.parent().unwrap_or(Path::new("/")), Access::WRITE_OK).is_ok();
        (closed && !may_write && !file::beside(path, "-shm").exists()).then_some(Self::Log)
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Journal => "-journal",
            Self::Log => "-wal",
        }
    }

    /// What must not be there: which of the two counts then, nobody but a writer can tell.
    fn wrong_ending(self) -> &'static str {
        match self {
            Self::Journal => "-wal",
            Self::Log => "-journal",
        }
    }
}

impl Copied {
    /// A copy of a file, until then at the latest.
    pub(crate) fn of(path: &Path, need: Need, until: Moment) -> Result<Self, Hindrance> {
        let identity = file::identity(path).ok_or(Hindrance::Moved)?;
        let turn = turns::copy(identity, until).ok_or(Hindrance::Moved)?;
        let main = open(path)?;
        hold(&main)?;
        if file::beside(path, need.wrong_ending()).exists() || (need == Need::Log && !has_log(&main)) {
            return Err(Hindrance::Never);
        }
        let before = Stamps::of(path, &main, need)?;
        if before.main.identity != identity {
            return Err(Hindrance::Moved);
        }
        let beside = match before.beside {
            Some(_) => Some(open(&file::beside(path, need.ending()))?),
            None => None,
        };
        if before.size() > LARGEST || beside.as_ref().is_some_and(is_of_several) {
            return Err(Hindrance::Never);
        }
        let folder = places().iter().find_map(|place| {
            let folder = Folder::new_in(place)?;
            let fits = copy(&main, &folder.file(), until)
                && beside.as_ref().is_none_or(|it| copy(it, &file::beside(&folder.file(), need.ending()), until));
            fits.then_some(folder)
        });
        if Stamps::of(path, &main, need)? != before {
            return Err(Hindrance::Moved);
        }
        let folder = folder.ok_or(Hindrance::Never)?;
        // The bot need not wait for the rest.
        drop((main, beside));
        drop(turn);
        make_whole(&folder.file(), until);
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.file()
    }
}

fn open(path: &Path) -> Result<File, Hindrance> {
    // Never waits, whatever was put in its place.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = file.map_err(|_| Hindrance::Never)?;
    match file.metadata() {
        Ok(about) if about.is_file() => Ok(file),
        Ok(_) | Err(_) => Err(Hindrance::Never),
    }
}

/// Takes a reader's lock as SQLite does, until the file is closed: only while nobody is about to write.
fn hold(main: &File) -> Result<(), Hindrance> {
    let set = |kind, start, length| {
        fcntl(main, FcntlArg::F_OFD_SETLK(&range(kind, start, length))).map(drop).map_err(|errno| {
            // A file system without locks: then nobody knows who else is at work.
            if [nix::Error::EAGAIN, nix::Error::EACCES].contains(&errno) { Hindrance::Moved } else { Hindrance::Never }
        })
    };
    set(libc::F_RDLCK, PENDING, 1)?;
    set(libc::F_RDLCK, SHARED, SHARED_SIZE)?;
    set(libc::F_UNLCK, PENDING, 1)?;
    let mut reserved = range(libc::F_WRLCK, RESERVED, 1);
    fcntl(main, FcntlArg::F_OFD_GETLK(&mut reserved)).map_err(|_| Hindrance::Never)?;
    if i32::from(reserved.l_type) == libc::F_UNLCK { Ok(()) } else { Err(Hindrance::Moved) }
}

fn range(kind: i32, start: i64, length: i64) -> libc::flock {
    libc::flock {
        l_type: kind as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: start,
        l_len: length,
        // Not a process holds it, but an open file.
        l_pid: 0,
    }
}

/// Whether a file says that it has a write-ahead log, rather than a journal that we may not see.
fn has_log(main: &File) -> bool {
    let mut versions = [0; 2];
    main.read_exact_at(&mut versions, 18).is_ok() && versions == [2, 2]
}

/// Whether a journal is one of several that are taken back together or not at all: that cannot be told from one of them,
/// and SQLite would remove what ties them together.
fn is_of_several(journal: &File) -> bool {
    let mut journal = journal;
    let mut last = [0; SEVERAL_FILES.len()];
    let read = journal.seek(SeekFrom::End(-(last.len() as i64))).and_then(|_| journal.read_exact(&mut last));
    let back = journal.rewind();
    back.is_err() || (read.is_ok() && last == SEVERAL_FILES)
}

/// Copies as much as there is at the beginning; says whether all of it was there, and was in time.
fn copy(from: &File, to: &Path, until: Moment) -> bool {
    let copied = || {
        let mut from = from;
        from.rewind()?;
        let mut left = from.metadata()?.len().min(LARGEST);
        let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        let mut chunk = vec![0; 1 << 20];
        while left > 0 && !until.since(clock::now()).is_zero() {
            let part = &mut chunk[..left.min(1 << 20) as usize];
            from.read_exact(part)?;
            to.write_all(part)?;
            left -= part.len() as u64;
        }
        Ok::<_, std::io::Error>(left == 0)
    };
    copied().unwrap_or(false)
}

/// Lets SQLite take back in the copy what was half done, or put its log into it. If it cannot, the reader is told why.
fn make_whole(copy: &Path, until: Moment) {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if let Ok(file) = sqlite::connect(copy, flags, until) {
        let _ = file.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    }
}

/// What a file is like from outside.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    identity: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What all files are like that belong to a copy.
#[derive(Debug, PartialEq, Eq)]
struct Stamps {
    main: Stamp,
    beside: Option<Stamp>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        Some(Self {
            identity: (about.dev(), about.ino()),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }
}

impl Stamps {
    fn of(path: &Path, main: &File, need: Need) -> Result<Self, Hindrance> {
        let about = main.metadata().map_err(|_| Hindrance::Never)?;
        let stamps = Self {
            main: Stamp::of(path).ok_or(Hindrance::Moved)?,
            beside: Stamp::of(&file::beside(path, need.ending())),
        };
        let is_same = stamps.main.identity == (about.dev(), about.ino());
        let is_free = match need {
            Need::Journal => stamps.beside.is_some(),
            Need::Log => {
                let now = clock::wall().as_millisecond();
                let files = || [Some(&stamps.main), stamps.beside.as_ref()].into_iter().flatten();
                let ages = || files().map(|it| now - it.modified.0 * 1000 - it.modified.1 / 1_000_000);
                // Of a time that is still to come nobody knows when it was.
                if ages().any(|age| age < 0) {
                    return Err(Hindrance::Never);
                }
                ages().all(|age| age >= SETTLED) && !file::beside(path, "-shm").exists()
            }
        };
        if is_same && is_free { Ok(stamps) } else { Err(Hindrance::Moved) }
    }

    fn size(&self) -> u64 {
        self.main.size.saturating_add(self.beside.as_ref().map_or(0, |beside| beside.size))
    }
}
