//! One look at somebody else's file, from its stamp to what was read: again where it was replaced or written meanwhile,
//! and in a copy where that is the only way.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock;
use crate::core::moment::Moment;

use super::copy::{Copied, Hindrance, Need};
use super::file;
use super::sqlite::Fault;

/// So often a file is read again that was replaced or written while it was read.
const TRIES: usize = 3;

/// How long whoever is in the way of a copy is given before the next look.
const PAUSE: Duration = Duration::from_millis(20);

/// What came of a look.
pub(crate) enum Look<T> {
    /// The file is as it was when this was known of it.
    Unchanged,
    /// What was read, when, and what the file was like.
    Read(T, Timestamp, Option<String>),
}

/// Looks at a file, until then at the latest. `read` may be called several times, and begins anew each time.
pub(crate) fn look<T>(
    path: &Path,
    known: Option<&str>,
    until: Moment,
    mut read: impl FnMut(&Path) -> Result<T, Fault>,
) -> Result<Look<T>, Fault> {
    let mut failure = None;
    for _ in 0..TRIES {
        // Before it is read: what changes meanwhile makes the next stamp another one.
        let (stamp, identity) = (file::stamp(path), file::identity(path));
        if let (Some(known), Some(stamp)) = (known, &stamp)
            && file::is_unchanged(known, stamp)
        {
            return Ok(Look::Unchanged);
        }
        let at = clock::wall();
        match here_or_copied(path, until, &mut read) {
            // What lies beside it is another file's by now, and may have been in the way.
            Ok(_) | Err(_) if identity != file::identity(path) => {
                failure = Some(Fault::Told("was replaced by another file each time that it was read".to_owned()));
            }
            Ok(seen) => return Ok(Look::Read(seen, at, stamp)),
            Err(fault) => {
                // Whoever writes a file in place may be half way through.
                let moved = content(stamp.as_deref()) != content(file::stamp(path).as_deref());
                if !moved {
                    return Err(fault);
                }
                failure = Some(fault);
            }
        }
        if until.since(clock::now()).is_zero() {
            break;
        }
    }
    Err(failure.unwrap_or_else(|| Fault::Told("could not be read in time".into())))
}

/// The part of a stamp that is about the files, not about the time.
fn content(stamp: Option<&str>) -> Option<&str> {
    stamp?.rsplitn(3, ' ').nth(2)
}

/// Reads it where it is, or a copy of it where that is the only way.
fn here_or_copied<T>(path: &Path, until: Moment, read: &mut impl FnMut(&Path) -> Result<T, Fault>) -> Result<T, Fault> {
    loop {
        let fault = match read(path) {
            Ok(seen) => return Ok(seen),
            Err(fault) => fault,
        };
        let Some(need) = Need::of(&fault, path) else { return Err(fault) };
        match Copied::of(path, need, until) {
            Ok(copy) => return read(&copy.path()),
            Err(Hindrance::Never) => return Err(fault),
            Err(Hindrance::Moved) if until.since(clock::now()) <= PAUSE => return Err(fault),
            Err(Hindrance::Moved) => std::thread::sleep(PAUSE),
        }
    }
}
