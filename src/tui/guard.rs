//! The guard of the emergency stop: two presses of one key, and what tells two presses from a slip. Times are those at
//! which keys arrived, whenever somebody gets to them.
//!
//! - A press that follows the first one within [`BOUNCE`] is that of a worn key: ignored. Hammering a key fires.
//! - A key that follows another one within [`BURST`] was typed by nobody: it is pasted text of a terminal that does not
//!   say so, and never fires. What comes at once with other keys, or four times at once, was pasted too. It opens all the
//!   same: on a machine that is busy the keys of a hand may come at once, and a guard that opens does nothing.
//! - While the guard is open every other key is dead; Esc closes it, and so do [`OPEN`] seconds.

use std::time::Duration;

use crossterm::event::KeyEvent;

use crate::core::moment::Moment;

/// A second press within this time of the first is none.
pub const BOUNCE: Duration = Duration::from_millis(150);
/// Keys that follow one another within this time come from no hand.
pub const BURST: Duration = Duration::from_millis(20);
/// So many keys at once come from no hand.
const PASTED: usize = 4;
/// The guard closes by itself after this time.
pub const OPEN: Duration = Duration::from_secs(8);

/// A key of the emergency stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmergencyKey {
    /// `!`
    Bang,
    /// `Ctrl-X`, which acts while text is typed, too.
    CtrlX,
}

impl EmergencyKey {
    /// As people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Bang => "!",
            Self::CtrlX => "Ctrl-X",
        }
    }
}

/// The guard is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Armed {
    /// The key that has opened it, and fires.
    pub key: EmergencyKey,
    /// When it was pressed.
    pub at: Moment,
}

impl Armed {
    /// Whether it is open still at this moment.
    pub fn is_open(&self, now: Moment) -> bool {
        now.since(self.at) < OPEN
    }

    /// Until it closes, in whole seconds that are never 0 while it is open.
    pub fn seconds_left(&self, now: Moment) -> u128 {
        OPEN.saturating_sub(now.since(self.at)).as_millis().div_ceil(1000)
    }
}

/// What was pressed, as far as the guard cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// A key of the emergency stop, where it is one.
    Emergency(EmergencyKey),
    /// Esc.
    Esc,
    /// Anything else.
    Other,
}

/// What a key means to the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is a key like any other.
    Pass,
    /// The guard opens.
    Open(EmergencyKey),
    /// The emergency stop is fired.
    Fire,
    /// The guard closes, and nothing was done.
    Close,
    /// Nothing at all, to nobody.
    Dead,
}

/// How a key arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Moment,
    /// Whether a hand may have typed it: what came along with it does not say otherwise.
    pub typed: bool,
}

/// Whether a hand may have typed what came at once. A machine that is busy may hand over a few presses of a key that is
/// hammered; other keys beside it, or more of them, are pasted text.
pub fn is_typed(keys: &[KeyEvent]) -> bool {
    keys.len() < PASTED && keys.windows(2).all(|pair| matches!(pair, [one, other] if one.code == other.code))
}

/// What a key means that arrived like this; `before`: when the key before it did.
pub fn judge(armed: Option<Armed>, before: Option<Moment>, pressed: Pressed, arrival: Arrival) -> Verdict {
    let at = arrival.at;
    let is_burst = !arrival.typed || before.is_some_and(|before| at.since(before) < BURST);
    match (armed.filter(|armed| armed.is_open(at)), pressed) {
        (Some(_), Pressed::Esc) => Verdict::Close,
        (Some(armed), Pressed::Emergency(key)) => {
            let bounces = at.since(armed.at) < BOUNCE;
            if key == armed.key && !bounces && !is_burst { Verdict::Fire } else { Verdict::Dead }
        }
        (Some(_), Pressed::Other) => Verdict::Dead,
        (None, Pressed::Emergency(key)) => Verdict::Open(key),
        (None, Pressed::Esc | Pressed::Other) => Verdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::EmergencyKey::{Bang, CtrlX};
    use super::Pressed::{Emergency, Esc, Other};
    use super::*;

    fn ms(at: u64) -> Moment {
        Moment::at(Duration::from_millis(100_000 + at))
    }

    /// What keys that arrive at these milliseconds come to, one after the other.
    fn course(keys: &[(u64, Pressed)]) -> Vec<Verdict> {
        let (mut armed, mut before) = (None, None);
        let mut verdicts = Vec::new();
        for (at, pressed) in keys {
            let verdict = judge(armed, before.replace(ms(*at)), *pressed, Arrival { at: ms(*at), typed: true });
            match verdict {
                Verdict::Open(key) => armed = Some(Armed { key, at: ms(*at) }),
                Verdict::Fire | Verdict::Close | Verdict::Pass => armed = None,
                Verdict::Dead => {}
            }
            verdicts.push(verdict);
        }
        verdicts
    }

    #[test]
    fn two_presses_fire_and_one_does_not() {
        let bang = Emergency(Bang);
        for (keys, verdicts) in [
            (vec![(0, bang)], vec![Verdict::Open(Bang)]),
            (vec![(0, bang), (150, bang)], vec![Verdict::Open(Bang), Verdict::Fire]),
            (vec![(0, bang), (149, bang)], vec![Verdict::Open(Bang), Verdict::Dead]),
            (vec![(0, bang), (7999, bang)], vec![Verdict::Open(Bang), Verdict::Fire]),
            (vec![(0, bang), (8000, bang)], vec![Verdict::Open(Bang), Verdict::Open(Bang)]),
            (vec![(0, bang), (500, Esc), (900, bang)], vec![Verdict::Open(Bang), Verdict::Close, Verdict::Open(Bang)]),
            (vec![(0, bang), (500, Other), (900, bang)], vec![Verdict::Open(Bang), Verdict::Dead, Verdict::Fire]),
            (vec![(0, bang), (500, Emergency(CtrlX))], vec![Verdict::Open(Bang), Verdict::Dead]),
            (vec![(0, Emergency(CtrlX)), (500, Emergency(CtrlX))], vec![Verdict::Open(CtrlX), Verdict::Fire]),
        ] {
            assert_eq!(course(&keys), verdicts, "{keys:?}");
        }
    }

    #[test]
    fn hammering_ten_times_a_second_fires() {
        let keys: Vec<(u64, Pressed)> = (0..10).map(|n| (n * 100, Emergency(Bang))).collect();
        assert_eq!(course(&keys)[..3], [Verdict::Open(Bang), Verdict::Dead, Verdict::Fire]);
    }

    #[test]
    fn a_burst_of_keys_is_pasted_text_and_fires_nothing() {
        let burst: Vec<(u64, Pressed)> = (0..400).map(|n| (n, Emergency(Bang))).collect();
        let verdicts = course(&burst);
        assert_eq!(verdicts[0], Verdict::Open(Bang));
        assert!(verdicts[1..].iter().all(|verdict| *verdict == Verdict::Dead));
        // In the middle of a text it opens, which does nothing, and does no more, however long the text is.
        let text =
            [(0, Other), (1, Emergency(Bang)), (2, Other), (3, Emergency(Bang)), (400, Other), (401, Emergency(Bang))];
        let [pass, open, dead @ ..] = &course(&text)[..] else { panic!("six verdicts") };
        assert_eq!((*pass, *open), (Verdict::Pass, Verdict::Open(Bang)));
        assert!(dead.iter().all(|verdict| *verdict == Verdict::Dead));
        // A guard that is open already is not fired by it either.
        let late = [(0, Emergency(Bang)), (600, Other), (601, Emergency(Bang)), (602, Emergency(Bang))];
        assert!(!course(&late).contains(&Verdict::Fire));
    }

    #[test]
    fn what_comes_at_once_is_pasted_text_unless_it_is_a_key_that_is_hammered() {
        let keys = |text: &str| -> Vec<KeyEvent> {
            text.chars().map(|c| KeyEvent::from(crossterm::event::KeyCode::Char(c))).collect()
        };
        for (text, typed) in [("!", true), ("!!", true), ("!!!", true), ("!!!!", false), ("!x", false), ("a!", false)] {
            assert_eq!(is_typed(&keys(text)), typed, "{text}");
        }
        // Not even the first of them where the guard is open.
        let open = Armed { key: Bang, at: ms(0) };
        let pasted = Arrival { at: ms(1000), typed: false };
        assert_eq!(judge(Some(open), Some(ms(0)), Emergency(Bang), pasted), Verdict::Dead);
        assert_eq!(judge(None, Some(ms(0)), Emergency(Bang), pasted), Verdict::Open(Bang));
    }

    #[test]
    fn other_keys_pass_where_the_guard_is_closed() {
        assert_eq!(course(&[(0, Other), (5, Other), (10, Esc)]), [Verdict::Pass; 3]);
    }
}
