//! How fast a cluster comes along, by readings of its file one after the other.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Older readings say nothing of now.
pub const WINDOW: Duration = Duration::from_mins(10);

/// A rate over less than this is a guess.
pub const SHORTEST: Duration = Duration::from_secs(5);

/// Readings closer together than this are one.
const APART: Duration = Duration::from_secs(2);

/// How many chunks were completed when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    samples: VecDeque<(Timestamp, u64)>,
}

impl Pace {
    /// So many were completed then. Fewer than before is another sweep: what was before does not count.
    pub fn add(&mut self, at: Timestamp, completed: u64) {
        if self.samples.back().is_some_and(|(last, before)| completed < *before || at < *last) {
            self.samples.clear();
        }
        while self.samples.front().is_some_and(|(first, _)| since(*first, at) > WINDOW) {
            self.samples.pop_front();
        }
        // The newest is always the newest; in between they are a little apart.
        let crowded = self.samples.iter().rev().nth(1).is_some_and(|(before, _)| since(*before, at) < APART);
        if crowded {
            self.samples.pop_back();
        }
        self.samples.push_back((at, completed));
    }

    /// Chunks a minute; nothing before it could be seen for a while.
    pub fn per_minute(&self) -> Option<f64> {
        let (first, then) = self.samples.front()?;
        let (last, now) = self.samples.back()?;
        let time = since(*first, *last);
        (time >= SHORTEST).then(|| (now - then) as f64 * 60.0 / time.as_secs_f64())
    }

    /// Seconds until so many are completed, at that rate; nothing if none was completed.
    pub fn seconds_for(&self, left: u64) -> Option<u64> {
        let rate = self.per_minute().filter(|rate| *rate > 0.0)?;
        Some((left as f64 * 60.0 / rate).ceil() as u64)
    }
}

fn since(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(samples: &[(i64, u64)]) -> Pace {
        let mut pace = Pace::default();
        for (second, completed) in samples {
            pace.add(Timestamp::from_second(*second).expect("a time"), *completed);
        }
        pace
    }

    #[test]
    fn the_rate_is_that_of_the_last_minutes() {
        for (samples, rate, left) in [
            (&[][..], None, None),
            (&[(0, 5)][..], None, None),
            (&[(0, 5), (4, 9)][..], None, None),
            (&[(0, 5), (60, 46)][..], Some(41.0), Some(60)),
            (&[(0, 0), (1, 1), (2, 2), (3, 3), (60, 60)][..], Some(60.0), Some(41)),
            // The first is too old, so it is over the last ten minutes.
            (&[(0, 0), (100, 1000), (700, 1600)][..], Some(60.0), Some(41)),
            // Another sweep.
            (&[(0, 500), (60, 3), (120, 9)][..], Some(6.0), Some(410)),
            (&[(0, 9), (60, 9)][..], Some(0.0), None),
        ] {
            let pace = pace(samples);
            assert_eq!(pace.per_minute(), rate, "{samples:?}");
            assert_eq!(pace.seconds_for(41), left, "{samples:?}");
        }
    }
}
