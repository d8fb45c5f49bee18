//! What is begun on a thread of its own, and waited for only so long: a disk that hangs cannot be hurried.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::clock;
use crate::config::duration_text;
use crate::core::moment::Moment;
use crate::paths::words;

/// So many trials that have not come to an end may hang in a system call before no more are begun.
const MOST_STUCK: usize = 64;

/// How many are under way, those included whom nobody waits for any more.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// Something that is being tried.
pub(super) struct Begun<T>(Receiver<T>);

/// Whether so many hang already that no more are begun.
pub(super) fn are_stuck() -> bool {
    UNDER_WAY.load(Ordering::Relaxed) >= MOST_STUCK
}

/// Begins it, without waiting.
pub(super) fn begin<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<Begun<T>, String> {
    if are_stuck() {
        return Err("not tried: earlier trials hang and cannot be ended".into());
    }
    let (sender, told) = sync_channel(1);
    UNDER_WAY.fetch_add(1, Ordering::Relaxed);
    let thread = std::thread::Builder::new().name("doctor".into()).spawn(move || {
        let _ = sender.send(work());
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    });
    thread.map(|_| Begun(told)).map_err(|error| {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
        format!("no thread can be had: {}", words(&error))
    })
}

impl<T> Begun<T> {
    /// What came of it by then; that is how long it has been given, for whoever reads why nothing did.
    pub(super) fn wait(self, until: Moment, within: Duration) -> Result<T, String> {
        self.0.recv_timeout(until.since(clock::now())).map_err(|error| match error {
            RecvTimeoutError::Timeout => format!("did not come to an end within {}", duration_text(within)),
            RecvTimeoutError::Disconnected => "the trial itself went wrong".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_not_waited_for() {
        let (keep, hangs) = sync_channel::<()>(0);
        let begun = begin(move || hangs.recv()).expect("a thread");
        let within = Duration::from_millis(20);
        let waited = begun.wait(clock::now().plus(within), within);
        assert_eq!(waited.expect_err("it hangs"), "did not come to an end within 20ms");
        drop(keep);
        let done = begin(|| 7).expect("a thread").wait(clock::now().plus(Duration::from_mins(1)), within);
        assert_eq!(done, Ok(7));
    }
}
