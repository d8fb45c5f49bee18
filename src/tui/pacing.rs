//! When a frame is drawn: at once after a key, twenty times a second after news, and never so often that nothing else
//! is done.
//!
//! ```text
//! news   --50 ms since the last frame--> frame
//! input  ---6 ms since the last frame--> frame      (a key, the mouse, a paste, a resize, being continued)
//! ```

use std::time::Duration;

use crate::core::moment::Moment;

/// News have no more than twenty frames a second: nobody reads faster.
const NEWS: Duration = Duration::from_millis(50);
/// What somebody does is seen at once; but a key that is held down, a storm of sizes and a slow terminal leave this
/// much between two frames, in which news are taken in.
const INPUT: Duration = Duration::from_millis(6);

/// What there is to be drawn, and when the last frame was over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pacing {
    wanted: Option<Cause>,
    drawn: Option<Moment>,
}

/// Why a frame is wanted; the more urgent cause is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// Something came to be known, or time has passed.
    News,
    /// Somebody did something.
    Input,
}

impl Pacing {
    /// Wants a frame. One that is wanted for two reasons is as urgent as the more urgent one.
    pub(super) fn want(&mut self, cause: Cause) {
        self.wanted = self.wanted.max(Some(cause));
    }

    /// How long until a frame is to be drawn; nothing if none is wanted.
    pub(super) fn rest(&self, now: Moment) -> Option<Duration> {
        let apart = match self.wanted? {
            Cause::News => NEWS,
            Cause::Input => INPUT,
        };
        Some(self.drawn.map_or(Duration::ZERO, |drawn| apart.saturating_sub(now.since(drawn))))
    }

    /// Whether a frame is to be drawn now because of something that somebody did: what else waits, waits for that.
    pub(super) fn hurries(&self, now: Moment) -> bool {
        self.wanted == Some(Cause::Input) && self.rest(now) == Some(Duration::ZERO)
    }

    /// A frame was drawn, and that was over now: a terminal that is slow must not take all of the time.
    pub(super) fn drawn(&mut self, now: Moment) {
        *self = Self { wanted: None, drawn: Some(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment::at(Duration::from_millis(millis))
    }

    fn drawn(millis: u64) -> Pacing {
        let mut pacing = Pacing::default();
        pacing.drawn(at(millis));
        pacing
    }

    #[test]
    fn the_first_frame_waits_for_nothing() {
        let mut pacing = Pacing::default();
        assert_eq!(pacing.rest(at(0)), None);
        pacing.want(Cause::News);
        assert_eq!(pacing.rest(at(0)), Some(Duration::ZERO));
    }

    #[test]
    fn news_have_twenty_frames_a_second() {
        let mut pacing = drawn(1000);
        assert_eq!(pacing.rest(at(9000)), None, "nothing is drawn that nobody wants");
        pacing.want(Cause::News);
        assert_eq!(pacing.rest(at(1010)), Some(Duration::from_millis(40)));
        assert_eq!(pacing.rest(at(1050)), Some(Duration::ZERO));
        let mut frames = 0;
        for now in 1000..2000 {
            pacing.want(Cause::News);
            if pacing.rest(at(now)) == Some(Duration::ZERO) {
                pacing.drawn(at(now));
                frames += 1;
            }
        }
        assert!((19..=20).contains(&frames), "{frames}");
    }

    #[test]
    fn a_key_does_not_wait_for_the_time_of_news() {
        let mut pacing = drawn(1000);
        pacing.want(Cause::News);
        pacing.want(Cause::Input);
        pacing.want(Cause::News);
        assert!(!pacing.hurries(at(1001)));
        assert_eq!(pacing.rest(at(1001)), Some(Duration::from_millis(5)));
        assert!(pacing.hurries(at(1006)));
        pacing.drawn(at(1008));
        assert_eq!(pacing.rest(at(1008)), None, "one frame is for both");
    }

    #[test]
    fn a_storm_of_sizes_on_a_slow_terminal_leaves_time_for_news() {
        let mut pacing = Pacing::default();
        let (mut now, mut rested) = (0, 0);
        while now < 1000 {
            // There is always another size.
            pacing.want(Cause::Input);
            if pacing.hurries(at(now)) {
                now += 10;
                pacing.drawn(at(now));
            } else {
                now += 1;
                rested += 1;
            }
        }
        assert!(rested >= 300, "{rested} of {now} ms");
    }

    #[test]
    fn a_key_that_is_held_down_does_not_flood_the_terminal() {
        let mut pacing = Pacing::default();
        let mut frames = 0;
        for now in 0..1000 {
            pacing.want(Cause::Input);
            if pacing.rest(at(now)) == Some(Duration::ZERO) {
                pacing.drawn(at(now));
                frames += 1;
            }
        }
        assert!(frames <= 170, "{frames}");
    }
}
