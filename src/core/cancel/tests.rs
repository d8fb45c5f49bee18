//! Cancelations against simulated venues: what is tried, in which order, and that it always comes to an end.

use jiff::Timestamp;

use super::*;
use crate::core::bot::{Mode, Protective};
use crate::core::ledger::Which;
use crate::core::order::Reading;
use crate::core::report::CancelResult;

const TIME: Duration = Duration::from_secs(15);

/// A venue, what it answers, and a clock.
struct Venue {
    open: Vec<Order>,
    now: Duration,
    runs: Vec<Vec<String>>,
    rests: Vec<Duration>,
    reads: usize,
}

fn order(id: &str) -> Order {
    let mut order = Order::new("maker".parse().expect("a name"), "sql");
    order.order_id = Some(id.to_owned());
    order
}

fn id(order: &Order) -> String {
    order.order_id.clone().unwrap_or_default()
}

impl Venue {
    fn with(ids: &[&str]) -> Self {
        let open = ids.iter().map(|id| order(id)).collect();
        Self { open, now: Duration::ZERO, runs: Vec::new(), rests: Vec::new(), reads: 0 }
    }

    fn reading(&self) -> Answer {
        let at = Timestamp::UNIX_EPOCH;
        Answer::Read(Reading { orders: self.open.clone(), ended: Vec::new(), at, stamp: None })
    }

    /// Plays one through. `cancel` is what the command does with the orders it is given, in how much time.
    fn play(
        &mut self,
        able: bool,
        mut read: impl FnMut(&Self) -> Answer,
        mut cancel: impl FnMut(&mut Self, &[Order], Duration) -> (Vec<Said>, Option<String>),
    ) -> (Ledger, Canceling) {
        let mut ledger = Ledger::new(Some(Mode::Paper), Protective::Cancel, Which::All);
        let (mut canceling, mut effect) = Canceling::begin(Moment::at(TIME), able, 7);
        for _ in 0..10_000 {
            let input = match effect {
                Effect::Finish => return (ledger, canceling),
                Effect::Read => {
                    self.reads += 1;
                    self.now += Duration::from_millis(2);
                    Input::Read(read(self))
                }
                Effect::Run(orders, within) => {
                    assert!(!orders.is_empty() && within <= TIME, "{within:?}");
                    self.runs.push(orders.iter().map(id).collect());
                    let (said, trouble) = cancel(self, &orders, within);
                    Input::Ran(said, trouble)
                }
                Effect::Rest(time) => {
                    self.rests.push(time);
                    self.now += time.max(Duration::from_millis(1));
                    Input::Rested
                }
            };
            effect = canceling.next(input, &mut ledger, Moment::at(self.now));
        }
        panic!("it does not end");
    }

    fn does(&mut self, orders: &[Order], accepts: impl Fn(&str) -> bool) -> (Vec<Said>, Option<String>) {
        self.now += Duration::from_millis(50);
        let said = orders.iter().map(|order| {
            let well = accepts(&id(order));
            let result = if well { CancelResult::Canceled } else { CancelResult::Refused };
            Said { order: id(order), result, message: (!well).then(|| "no".to_owned()) }
        });
        let said: Vec<Said> = said.collect();
        self.open.retain(|order| !(orders.contains(order) && accepts(&id(order))));
        (said, None)
    }
}

#[test]
fn none_active_is_one_reading_and_no_attempt() {
    let mut venue = Venue::with(&[]);
    let (ledger, _) = venue.play(true, Venue::reading, |_, _, _| panic!("nothing to cancel"));
    assert_eq!((ledger.open(), venue.reads), (0, 1));
}

#[test]
fn several_go_in_one_batch_and_are_verified_by_reading_again() {
    let mut venue = Venue::with(&["a", "b", "c"]);
    let (ledger, _) = venue.play(true, Venue::reading, |venue, orders, _| venue.does(orders, |_| true));
    assert_eq!((ledger.open(), ledger.gone(), venue.reads), (0, 3, 2));
    assert_eq!(venue.runs, [["a", "b", "c"]]);
}

#[test]
fn a_batch_that_is_refused_falls_back_to_one_by_one() {
    let mut venue = Venue::with(&["a", "b", "c"]);
    let (ledger, _) = venue.play(true, Venue::reading, |venue, orders, _| {
        let single = orders.len() == 1;
        venue.does(orders, |_| single)
    });
    assert_eq!(ledger.open(), 0);
    assert_eq!(venue.runs, [vec!["a", "b", "c"], vec!["a"], vec!["b"], vec!["c"]]);
    assert!(venue.rests.is_empty(), "the fall-back is at once");
}

#[test]
fn one_that_is_refused_does_not_keep_the_others_from_being_canceled() {
    let mut venue = Venue::with(&["a", "bad", "c"]);
    let (ledger, _) = venue.play(true, Venue::reading, |venue, orders, _| venue.does(orders, |id| id != "bad"));
    assert_eq!((ledger.open(), ledger.gone()), (1, 2));
    assert_eq!(ledger.report(true).expect("read").errors, 1);
    assert!(venue.now >= TIME && venue.now < TIME + Duration::from_secs(2), "until the deadline: {:?}", venue.now);
    assert!(venue.runs.iter().skip(1).all(|run| run == &["bad"]), "only what is left is tried again");
}

#[test]
fn waits_grow_and_are_jittered_and_bounded() {
    let mut venue = Venue::with(&["bad"]);
    venue.play(true, Venue::reading, |venue, orders, _| venue.does(orders, |_| false));
    let rests = &venue.rests;
    assert!(rests.len() >= 4 && rests.len() <= 9, "{rests:?}");
    assert!(rests[0] >= FIRST_REST / 2 && rests[0] <= FIRST_REST);
    let longer = rests.windows(2).filter(|pair| pair[1] > pair[0]).count();
    assert!(longer >= 3 && rests.iter().all(|rest| *rest <= LONGEST_REST), "{rests:?}");
}

#[test]
fn one_that_is_refused_at_first_is_canceled_later_and_that_is_no_error() {
    let mut venue = Venue::with(&["a"]);
    let mut tries = 0;
    let (ledger, _) = venue.play(true, Venue::reading, |venue, orders, _| {
        tries += 1;
        let well = tries > 3;
        venue.does(orders, |_| well)
    });
    let report = ledger.report(true).expect("read");
    assert_eq!((report.canceled, report.errors, report.results[0].attempts), (1, 0, 4));
}

#[test]
fn a_command_that_hangs_with_the_batch_leaves_time_to_try_each() {
    let mut venue = Venue::with(&["a", "b", "c"]);
    let (ledger, canceling) = venue.play(true, Venue::reading, |venue, orders, within| {
        if orders.len() > 1 {
            venue.now += within;
            return (Vec::new(), Some("no answer in time".into()));
        }
        venue.does(orders, |_| true)
    });
    assert_eq!((ledger.open(), ledger.gone()), (0, 3));
    assert_eq!(canceling.troubles(), ["no answer in time"]);
}

#[test]
fn a_command_that_always_crashes_is_tried_until_the_time_is_over() {
    let mut venue = Venue::with(&["a", "b"]);
    let (ledger, canceling) = venue.play(true, Venue::reading, |venue, _, _| {
        venue.now += Duration::from_millis(30);
        (Vec::new(), Some("exited with 1".into()))
    });
    assert_eq!((ledger.open(), canceling.troubles().len()), (2, 1));
    assert!(canceling.attempts() > 6);
}

#[test]
fn a_source_that_is_slow_to_show_it_is_looked_at_before_anything_is_tried_again() {
    let mut venue = Venue::with(&["a"]);
    let mut stale = 2;
    let shown = order("a");
    let read = |venue: &Venue| {
        if venue.open.is_empty() && stale > 0 {
            stale -= 1;
            let at = Timestamp::UNIX_EPOCH;
            return Answer::Read(Reading { orders: vec![shown.clone()], ended: Vec::new(), at, stamp: None });
        }
        venue.reading()
    };
    let (ledger, _) = venue.play(true, read, |venue, orders, _| venue.does(orders, |_| true));
    assert_eq!((ledger.open(), venue.runs.len()), (0, 1));
}

#[test]
fn without_anybody_who_can_cancel_it_is_read_once_and_left() {
    let mut venue = Venue::with(&["a"]);
    let (ledger, _) = venue.play(false, Venue::reading, |_, _, _| panic!("nobody can"));
    assert_eq!((ledger.open(), venue.reads), (1, 1));
}

#[test]
fn a_source_that_cannot_be_read_is_asked_again_until_the_time_is_over() {
    let mut venue = Venue::with(&["a"]);
    let mut left = 3;
    let read = |venue: &Venue| {
        left -= 1;
        if left > 0 { Answer::Failed("locked".into()) } else { venue.reading() }
    };
    let (ledger, _) = venue.play(true, read, |venue, orders, _| venue.does(orders, |_| true));
    assert_eq!(
        (ledger.open(), ledger.is_known()),
        (0, true),
        "the third reading showed it, the fourth that it is gone"
    );
    let mut venue = Venue::with(&["a"]);
    let (ledger, canceling) = venue.play(true, |_| Answer::Failed("gone".into()), |_, _, _| panic!("unknown"));
    assert_eq!((ledger.is_known(), canceling.read_trouble()), (false, Some("gone")));
    assert!(venue.now >= TIME);
}

#[test]
fn what_is_known_is_canceled_even_if_the_source_cannot_be_read_any_more() {
    let mut venue = Venue::with(&["a", "b"]);
    let mut reads = 0;
    let read = |venue: &Venue| {
        reads += 1;
        if reads == 1 { venue.reading() } else { Answer::Failed("pulled away".into()) }
    };
    let (ledger, _) = venue.play(true, read, |venue, orders, _| venue.does(orders, |_| true));
    assert_eq!(venue.runs[0], ["a", "b"]);
    let report = ledger.report(true).expect("read once");
    assert_eq!((report.unconfirmed, report.verified), (2, false), "nobody has seen that they are gone");
}

#[test]
fn every_cancelation_ends_in_time_whatever_the_venue_does() {
    for seed in 0..400_u64 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let ids: Vec<String> = (0..dice.usize(..9)).map(|id| format!("o{id}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut venue = Venue::with(&ids);
        let mut blind = fastrand::Rng::with_seed(seed + 1000);
        let read = |venue: &Venue| if blind.u8(..5) == 0 { Answer::Failed("no".into()) } else { venue.reading() };
        let (ledger, _) = venue.play(true, read, |venue, orders, within| match dice.u8(..5) {
            0 => {
                venue.now += within;
                (Vec::new(), Some("hung".into()))
            }
            1 => (Vec::new(), Some("crashed".into())),
            2 => {
                // The bot, which lives, places another one.
                venue.open.push(order(&format!("late{}", dice.u32(..))));
                venue.does(orders, |_| false)
            }
            3 => {
                let lies = |order: &Order| Said { order: id(order), result: CancelResult::Canceled, message: None };
                (orders.iter().map(lies).collect(), None)
            }
            _ => venue.does(orders, |_| true),
        });
        assert!(venue.now <= TIME + Duration::from_secs(3), "seed {seed}: {:?}", venue.now);
        if ledger.is_current() {
            assert_eq!(ledger.open(), venue.open.len() as u64, "seed {seed}");
        }
    }
}
