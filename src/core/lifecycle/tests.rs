//! The lifecycle, first as sentences, then on long random walks through a small world that keeps count of who lives.

use fastrand::Rng;

use super::super::bot::Rung;
use super::super::tree::{Member, Plan as Tellings, Told, plan as plan_of_tree};
use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn at(time: u64) -> Moment {
    Moment::at(ms(time))
}

fn plan() -> Plan {
    Plan {
        restart: RestartPolicy::OnFailure,
        backoff: Backoff { first: ms(1000), max: ms(4000), reset_after: ms(60_000), give_up_after: 3 },
        ladder: Ladder(vec![
            Rung { signal: Signal::TERM, wait: ms(1000) },
            Rung { signal: Signal::KILL, wait: ms(500) },
        ]),
        ready: Ready::Executing,
    }
}

fn running(plan: Plan) -> Lifecycle {
    let (mut life, effects) = Lifecycle::start(plan);
    assert_eq!(effects, [Effect::Spawn]);
    let _ = life.handle(Input::Spawned, at(0));
    life
}

fn ended(code: i32, empty: bool) -> Input {
    Input::Exited { exit: Exit::Code(code), empty }
}

fn spawns(effects: &[Effect]) -> bool {
    effects.contains(&Effect::Spawn)
}

fn signals(effects: &[Effect]) -> Vec<(Signal, Reach)> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Signal(signal, reach) => Some((*signal, *reach)),
            Effect::Spawn | Effect::Tell(_) => None,
        })
        .collect()
}

#[test]
fn a_bot_without_a_word_on_readiness_runs_as_soon_as_it_executes() {
    assert_eq!(running(plan()).phase(), &Phase::Running { since: at(0) });
}

#[test]
fn a_bot_that_is_to_stay_alive_is_ready_when_it_has_and_not_sooner() {
    let mut life = running(Plan { ready: Ready::Alive(ms(500)), ..plan() });
    assert_eq!(life.deadline(), Some(at(500)));
    assert_eq!(life.handle(Input::Tick, at(499)), []);
    assert_eq!(life.handle(Input::Tick, at(500)), [Effect::Tell(Happening::Ready)]);
}

#[test]
fn a_bot_that_announces_itself_is_waited_for() {
    let mut life = running(Plan { ready: Ready::Notify, ..plan() });
    assert_eq!((life.phase(), life.deadline()), (&Phase::Starting { since: at(0) }, None));
    assert_eq!(life.handle(Input::Ready, at(7)), [Effect::Tell(Happening::Ready)]);
    assert_eq!(life.handle(Input::Ready, at(8)), [], "said twice, heard once");
}

#[test]
fn waits_double_up_to_the_longest_and_the_breaker_opens() {
    let mut life = running(Plan { backoff: Backoff { give_up_after: 5, ..plan().backoff }, ..plan() });
    let mut now = 0;
    for (failures, wait) in [(1, 1000), (2, 2000), (3, 4000), (4, 4000)] {
        assert!(!spawns(&life.handle(ended(1, true), at(now))));
        assert_eq!((life.failures(), life.deadline()), (failures, Some(at(now + wait))));
        assert!(!spawns(&life.handle(Input::Tick, at(now + wait - 1))));
        now += wait;
        assert!(spawns(&life.handle(Input::Tick, at(now))));
        let _ = life.handle(Input::Spawned, at(now));
    }
    let _ = life.handle(ended(1, true), at(now));
    assert_eq!((life.phase(), life.deadline()), (&Phase::Over(Outcome::Failed), None));
}

#[test]
fn a_breaker_at_nothing_never_opens() {
    let mut life = running(Plan { backoff: Backoff { give_up_after: 0, ..plan().backoff }, ..plan() });
    for round in 0..1000 {
        let _ = life.handle(ended(1, true), at(round * 10_000));
        assert!(spawns(&life.handle(Input::Tick, at(round * 10_000 + 4000))));
        let _ = life.handle(Input::Spawned, at(round * 10_000 + 4000));
    }
    assert_eq!(life.failures(), 1000);
}

#[test]
fn a_run_that_lasted_makes_the_failures_before_it_forgotten() {
    let mut life = running(plan());
    let _ = life.handle(ended(1, true), at(1));
    let _ = life.handle(Input::Tick, at(1001));
    let _ = life.handle(Input::Spawned, at(1001));
    let _ = life.handle(ended(1, true), at(61_001));
    assert_eq!(life.failures(), 1);
}

#[test]
fn the_policy_says_what_follows_an_end() {
    for (restart, code, expected) in [
        (RestartPolicy::Never, 0, Some(Outcome::Exited)),
        (RestartPolicy::Never, 1, Some(Outcome::Crashed)),
        (RestartPolicy::OnFailure, 0, Some(Outcome::Exited)),
        (RestartPolicy::OnFailure, 1, None),
        (RestartPolicy::Always, 0, None),
        (RestartPolicy::Always, 1, None),
    ] {
        let mut life = running(Plan { restart, ..plan() });
        let _ = life.handle(ended(code, true), at(10));
        match (life.phase(), expected) {
            (Phase::Over(outcome), Some(expected)) => assert_eq!(outcome, &expected),
            (Phase::Backoff { .. }, None) => {}
            (phase, expected) => panic!("{restart:?} after {code}: {phase:?}, not {expected:?}"),
        }
    }
}

#[test]
fn what_the_main_process_leaves_is_ended_before_anything_else_is_spawned() {
    let mut life = running(plan());
    let effects = life.handle(ended(1, false), at(10));
    assert_eq!(signals(&effects), [(Signal::TERM, Reach::Heads)]);
    assert!(!spawns(&effects) && !spawns(&life.handle(Input::Tick, at(1010))));
    let _ = life.handle(Input::Emptied, at(1020));
    assert_eq!(life.deadline(), Some(at(2020)), "backing off");
}

#[test]
fn a_stop_goes_up_the_ladder_by_its_deadlines_alone() {
    let mut life = running(plan());
    assert_eq!(signals(&life.handle(Input::Stop(First::Send), at(0))), [(Signal::TERM, Reach::Heads)]);
    assert_eq!(life.handle(Input::Stop(First::Send), at(1)), [], "a second one joins the first");
    assert_eq!(signals(&life.handle(Input::Tick, at(500))), [(Signal::TERM, Reach::Rest)]);
    assert_eq!(signals(&life.handle(Input::Tick, at(1000))), [(Signal::KILL, Reach::All)]);
    let _ = life.handle(ended(137, true), at(1001));
    assert_eq!(life.phase(), &Phase::Over(Outcome::Stopped));
}

#[test]
fn a_signal_that_init_has_sent_to_everybody_goes_only_to_those_that_cannot_have_had_it() {
    let mut life = running(plan());
    let effects = life.handle(Input::Stop(First::Delivered), at(0));
    assert_eq!(signals(&effects), [(Signal::TERM, Reach::Nobody), (Signal::TERM, Reach::Heads)]);
    // Whoever catches it and was left to init is passed over by the second: core/tree.rs.
}

#[test]
fn who_asks_for_more_gets_the_next_rung_and_kill_is_the_last() {
    let mut life = running(plan());
    assert_eq!(life.handle(Input::Climb, at(0)), [], "there is no ladder to climb yet");
    let _ = life.handle(Input::Stop(First::Send), at(0));
    assert_eq!(signals(&life.handle(Input::Climb, at(1))), [(Signal::KILL, Reach::All)]);
    assert_eq!(life.handle(Input::Climb, at(2)), []);
    assert_eq!(life.handle(Input::Kill, at(2)), []);
    let mut life = running(plan());
    assert_eq!(signals(&life.handle(Input::Kill, at(0))), [(Signal::KILL, Reach::All)]);
}

#[test]
fn what_was_asked_during_a_spawn_is_done_after_it() {
    for (input, signal) in [(Input::Stop(First::Send), Signal::TERM), (Input::Kill, Signal::KILL)] {
        let (mut life, _) = Lifecycle::start(plan());
        assert_eq!(life.handle(input.clone(), at(0)), []);
        assert_eq!(signals(&life.handle(Input::Spawned, at(1)))[0].0, signal);
        let (mut life, _) = Lifecycle::start(plan());
        let _ = life.handle(input, at(0));
        let _ = life.handle(Input::SpawnFailed("no such file".into()), at(1));
        assert_eq!(life.phase(), &Phase::Over(Outcome::Stopped));
    }
}

#[test]
fn a_first_spawn_that_fails_is_not_tried_again_and_a_later_one_is() {
    let (mut life, _) = Lifecycle::start(plan());
    let _ = life.handle(Input::SpawnFailed("no such file".into()), at(0));
    assert_eq!(life.phase(), &Phase::Over(Outcome::Crashed));
    let mut life = running(plan());
    let _ = life.handle(ended(1, true), at(10));
    let _ = life.handle(Input::Tick, at(1010));
    let _ = life.handle(Input::SpawnFailed("no such file".into()), at(1011));
    assert_eq!(life.deadline(), Some(at(3011)));
}

#[test]
fn a_restart_closes_the_breaker_and_the_last_wish_counts() {
    let mut life = running(plan());
    let _ = life.handle(ended(1, true), at(10));
    assert!(spawns(&life.handle(Input::Restart, at(11))), "nothing lives: at once");
    assert_eq!((life.failures(), life.restarts()), (0, 1));
    let _ = life.handle(Input::Spawned, at(12));
    let _ = life.handle(Input::Restart, at(13));
    let _ = life.handle(Input::Stop(First::Send), at(14));
    assert!(!spawns(&life.handle(ended(0, true), at(15))));
    assert_eq!(life.phase(), &Phase::Over(Outcome::Stopped));
    let mut life = running(plan());
    let _ = life.handle(Input::Stop(First::Send), at(0));
    let _ = life.handle(Input::Restart, at(1));
    assert!(spawns(&life.handle(ended(0, true), at(2))));
}

#[test]
fn a_stop_between_two_tries_is_over_at_once() {
    let mut life = running(plan());
    let _ = life.handle(ended(1, true), at(10));
    assert_eq!(signals(&life.handle(Input::Stop(First::Send), at(11))), []);
    assert_eq!(life.phase(), &Phase::Over(Outcome::Stopped));
}

#[test]
fn an_adopted_bot_runs_and_its_age_counts() {
    let mut life = Lifecycle::adopt(plan(), at(0), 4, 2);
    assert_eq!((life.restarts(), life.failures()), (4, 2));
    let _ = life.handle(ended(1, true), at(60_000));
    assert_eq!(life.failures(), 1);
}

/// A process of the small world.
struct Process {
    pid: i32,
    parent: i32,
    main: bool,
    /// Has a handler: does not die of a signal at once, and shields its children from being told.
    catches: bool,
    /// Will not end of anything but SIGKILL, or by itself.
    stubborn: bool,
    told: Vec<Signal>,
    left: Vec<Signal>,
    /// Will end at some time soon.
    doomed: bool,
}

/// What a keeper would see: processes that come and go as they like, and do with signals what they like.
struct World {
    rng: Rng,
    now: u64,
    life: Lifecycle,
    tree: Vec<Process>,
    spawning: bool,
    next_pid: i32,
    steps: u64,
    stops: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (life, effects) = Lifecycle::start(any_plan(&mut rng));
        let mut world =
            Self { rng, now: 0, life, tree: Vec::new(), spawning: false, next_pid: 100, steps: 0, stops: 0 };
        world.perform(effects);
        world
    }

    fn is_over(&self) -> bool {
        matches!(self.life.phase(), Phase::Over(_))
    }

    fn feed(&mut self, input: Input) {
        self.steps += 1;
        let effects = self.life.handle(input, at(self.now));
        self.perform(effects);
        if self.is_over() {
            assert!(self.tree.is_empty() && !self.spawning, "over, and something lives");
            assert_eq!(self.life.deadline(), None);
        } else {
            assert!(
                self.life.deadline().is_some() || self.spawning || !self.tree.is_empty(),
                "a sleep for ever: {:?}",
                self.life.phase()
            );
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Spawn => {
                    assert!(self.tree.is_empty() && !self.spawning, "a second bot beside the first");
                    self.spawning = true;
                }
                Effect::Signal(signal, reach) => self.signal(signal, reach),
                Effect::Tell(Happening::Over { .. }) => assert!(self.tree.is_empty() && !self.spawning),
                Effect::Tell(_) => {}
            }
        }
    }

    fn signal(&mut self, signal: Signal, reach: Reach) {
        assert!(!self.tree.is_empty(), "{signal} to nobody");
        assert_eq!(signal == Signal::KILL, reach == Reach::All, "{signal} to {reach:?}");
        let members: Vec<Member> = self
            .tree
            .iter()
            .map(|process| Member {
                pid: process.pid,
                parent: process.parent,
                catches: process.catches,
                told: if process.told.contains(&signal) {
                    Told::Yes
                } else if process.left.contains(&signal) {
                    Told::Left
                } else {
                    Told::No
                },
            })
            .collect();
        let Tellings { send: pids, leave } = plan_of_tree(&members, reach);
        for process in self.tree.iter_mut().filter(|process| leave.contains(&process.pid)) {
            process.left.push(signal);
        }
        for process in self.tree.iter_mut().filter(|process| pids.contains(&process.pid)) {
            assert!(signal == Signal::KILL || !process.told.contains(&signal), "{signal} twice to one process");
            process.told.push(signal);
            process.doomed |= signal == Signal::KILL || !process.stubborn;
        }
    }

    /// One process ends.
    fn end(&mut self, index: usize) {
        let gone = self.tree.swap_remove(index);
        for child in self.tree.iter_mut().filter(|child| child.parent == gone.pid) {
            child.parent = 1;
        }
        let empty = self.tree.is_empty();
        if gone.main {
            let exit = match self.rng.u32(..4) {
                0 => Exit::Code(0),
                1 => Exit::Signal(Signal::KILL),
                2 => Exit::Unknown,
                _ => Exit::Code(1),
            };
            self.feed(Input::Exited { exit, empty });
        } else if empty {
            // A keeper that reaps says so only once the main process is gone, and here it is.
            self.feed(Input::Emptied);
        }
    }

    fn spawn(&mut self) {
        self.spawning = false;
        match self.rng.u32(..12) {
            0 => self.feed(Input::SpawnFailed("no such file".into())),
            1 => {
                let why = [Refusal::Down, Refusal::Latched, Refusal::Occupied("a process".into())];
                let why = why[self.rng.usize(..3)].clone();
                self.feed(Input::Refused(why));
            }
            _ => {
                self.fork(1, true);
                self.feed(Input::Spawned);
            }
        }
    }

    fn fork(&mut self, parent: i32, main: bool) {
        self.next_pid += 1;
        let (catches, stubborn) = (self.rng.bool(), self.rng.u32(..4) == 0);
        let pid = self.next_pid;
        self.tree.push(Process {
            pid,
            parent,
            main,
            catches,
            stubborn,
            told: Vec::new(),
            left: Vec::new(),
            doomed: false,
        });
    }

    fn meet_deadline(&mut self) {
        if let Some(due) = self.life.deadline() {
            self.now = self.now.max(due.since(at(0)).as_millis() as u64);
            self.feed(Input::Tick);
        }
    }

    /// Anything that may happen.
    fn step(&mut self) {
        match self.rng.u32(..14) {
            0 | 1 if self.spawning => self.spawn(),
            2 if !self.tree.is_empty() => {
                let index = self.rng.usize(..self.tree.len());
                self.end(index);
            }
            3 if !self.tree.is_empty() => {
                if let Some(index) = self.tree.iter().position(|process| process.doomed) {
                    self.end(index);
                }
            }
            4 if !self.tree.is_empty() && self.tree.len() < 8 => {
                let parent = self.tree[self.rng.usize(..self.tree.len())].pid;
                self.fork(parent, false);
            }
            5 if !self.tree.is_empty() => self.feed(Input::Ready),
            6 => {
                self.stops += 1;
                let first = if self.rng.u32(..4) == 0 { First::Delivered } else { First::Send };
                self.feed(Input::Stop(first));
            }
            7 if self.rng.u32(..4) == 0 => self.feed(Input::Kill),
            8 => self.feed(Input::Climb),
            9 => self.feed(Input::Restart),
            10 => {
                self.now += self.rng.u64(..700);
                self.feed(Input::Tick);
            }
            _ => self.meet_deadline(),
        }
    }

    /// The rest of a life in which nobody asks for anything more: what is asked of a process that does not refuse
    /// happens, and time passes.
    fn run_out(&mut self) {
        for _ in 0..500 {
            if self.is_over() {
                return;
            }
            if self.spawning {
                self.spawn();
            } else if let Some(index) = self.tree.iter().position(|process| process.doomed) {
                self.end(index);
            } else if self.life.deadline().is_some() {
                self.meet_deadline();
            } else {
                // Only a ladder without SIGKILL leaves something that nobody can end.
                assert!(!self.tree.is_empty());
                self.end(0);
            }
        }
        panic!("a stop that does not end: {:?}", self.life.phase());
    }
}

fn any_plan(rng: &mut Rng) -> Plan {
    let ladders = [
        vec![(Signal::TERM, 1000), (Signal::KILL, 500)],
        vec![(Signal::TERM, 0), (Signal::KILL, 0)],
        vec![(Signal::from_number(libc::SIGINT), 300), (Signal::TERM, 300), (Signal::KILL, 0)],
        vec![(Signal::KILL, 100)],
        vec![(Signal::TERM, 400)],
    ];
    let rungs = &ladders[rng.usize(..ladders.len())];
    let ladder = Ladder(rungs.iter().map(|(signal, wait)| Rung { signal: *signal, wait: ms(*wait) }).collect());
    Plan {
        restart: [RestartPolicy::Never, RestartPolicy::OnFailure, RestartPolicy::Always][rng.usize(..3)],
        backoff: Backoff {
            first: ms([0, 100, 1000][rng.usize(..3)]),
            max: ms(4000),
            reset_after: ms(2000),
            give_up_after: [0, 1, 3][rng.usize(..3)],
        },
        ladder,
        ready: [Ready::Executing, Ready::Notify, Ready::Alive(ms(300))][rng.usize(..3)],
    }
}

#[test]
fn whatever_happens_there_is_one_bot_at_most_and_every_stop_comes_to_its_end() {
    let (mut steps, mut stops, mut spawned) = (0, 0, 0);
    let mut seed = 0;
    while steps < 200_000 {
        seed += 1;
        let mut world = World::new(seed);
        for _ in 0..200 {
            if world.is_over() {
                break;
            }
            world.step();
        }
        if !world.is_over() {
            world.feed(Input::Stop(First::Send));
            world.run_out();
        }
        steps += world.steps;
        stops += world.stops;
        spawned += u64::try_from(world.next_pid - 100).expect("a number");
        // Nothing wakes what is over.
        for input in [Input::Stop(First::Send), Input::Kill, Input::Climb, Input::Restart, Input::Ready, Input::Tick] {
            assert_eq!(world.life.handle(input, at(world.now + 1_000_000)), []);
        }
    }
    assert!(stops > 1000 && spawned > 10_000, "a walk that met nothing: {stops} stops, {spawned} processes");
}
