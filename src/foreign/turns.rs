//! Turns at a file of SQLite, within this process.
//!
//! POSIX locks belong to a process: whoever closes a file frees all locks that SQLite holds on it for other threads. SQLite
//! knows that of its own files; somebody who copies one has to have it to himself.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::clock;
use crate::core::moment::Moment;

/// A file by its device and number.
type Identity = (u64, u64);

/// So many who look; or one who copies.
#[derive(Clone, Copy)]
enum Busy {
    Looks(usize),
    Copy,
}

static BUSY: Mutex<BTreeMap<Identity, Busy>> = Mutex::new(BTreeMap::new());
static FREED: Condvar = Condvar::new();

/// Somebody's turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn(Identity);

/// The turn of one of many who look through SQLite; none if somebody copies until the time is up.
pub(crate) fn look(file: Identity, until: Moment) -> Option<Turn> {
    take(file, until, |busy| match busy {
        None => Some(Busy::Looks(1)),
        Some(Busy::Looks(count)) => Some(Busy::Looks(count + 1)),
        Some(Busy::Copy) => None,
    })
}

/// The turn of one who opens the file himself, and has it alone; none if others look until the time is up.
pub(crate) fn copy(file: Identity, until: Moment) -> Option<Turn> {
    take(file, until, |busy| busy.is_none().then_some(Busy::Copy))
}

fn take(file: Identity, until: Moment, next: impl Fn(Option<Busy>) -> Option<Busy>) -> Option<Turn> {
    let mut busy = busy();
    loop {
        if let Some(mine) = next(busy.get(&file).copied()) {
            busy.insert(file, mine);
            return Some(Turn(file));
        }
        let left = until.since(clock::now());
        if left.is_zero() {
            return None;
        }
        busy = FREED.wait_timeout(busy, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn busy() -> MutexGuard<'static, BTreeMap<Identity, Busy>> {
    BUSY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut busy = busy();
        match busy.get(&self.0).copied() {
            Some(Busy::Looks(count)) if count > 1 => {
                busy.insert(self.0, Busy::Looks(count - 1));
            }
            Some(Busy::Looks(_) | Busy::Copy) | None => {
                busy.remove(&self.0);
                FREED.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn many_look_at_once_and_one_copies_alone() {
        let file = (u64::MAX, 1);
        let now = clock::now();
        let (first, second) = (look(file, now), look(file, now));
        assert!(first.is_some() && second.is_some() && copy(file, now).is_none());
        assert!(copy((u64::MAX, 2), now).is_some(), "another file");
        drop(first);
        assert!(copy(file, now).is_none());
        let waits = std::thread::spawn(move || copy(file, now.plus(Duration::from_mins(1))));
        drop(second);
        let alone = waits.join().expect("a thread");
        assert!(alone.is_some() && look(file, clock::now()).is_none());
        drop(alone);
        assert!(look(file, now).is_some());
    }
}
