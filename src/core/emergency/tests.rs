//! The emergency stop, first as sentences, then on long random walks through a machine on which everything that can
//! start, restart or end a bot is under way at the same time.

mod hands;
mod keeper;
mod world;

use hands::{Command, Stopper, Walk, What, meddle, name, release};
use keeper::{Begin, Request};
use world::{REAL, Rules, World};

use super::*;
use crate::core::bot::Mode;
use crate::core::lifecycle::{Input as Event, Phase as Life};
use crate::core::stop::Wish;

fn at(ms: u64) -> Moment {
    Moment::at(Duration::from_millis(ms))
}

fn found(bots: &[(usize, bool)]) -> Input {
    Input::Gathered(bots.iter().map(|(bot, lives)| Found { bot: name(*bot), lives: *lives }).collect())
}

fn end(bots: &[usize]) -> Vec<Effect> {
    vec![Effect::End(bots.iter().map(|bot| name(*bot)).collect())]
}

/// The first time: who has no name is looked for beside it.
fn end_first(bots: &[usize]) -> Vec<Effect> {
    [end(bots), vec![Effect::Seek]].concat()
}

fn ended(bot: usize, outcome: StopOutcome) -> Input {
    Input::Ended(name(bot), outcome)
}

const EVERYTHING: Effect = Effect::Gather(Depth::All);

/// Feeds one answer after the other at these times, each beside what it must lead to.
#[track_caller]
fn follow(drill: bool, steps: Vec<(u64, Input, Vec<Effect>)>) -> Emergency {
    let (mut emergency, first) = Emergency::begin(drill, at(0));
    assert_eq!(first, [Effect::Latch]);
    for (ms, input, effects) in steps {
        let told = format!("{input:?}");
        assert_eq!(emergency.handle(input, at(ms)), effects, "after {told} at {ms}");
    }
    emergency
}

/// A latch, or none, and the names.
fn begun(has_latch: bool) -> (u64, Input, Vec<Effect>) {
    (1, Input::Latched(has_latch), vec![Effect::PutBack, Effect::Gather(Depth::Known)])
}

#[test]
fn the_latch_comes_first_and_everybody_is_ended_at_once_by_name() {
    let emergency = follow(
        false,
        vec![
            begun(true),
            (2, found(&[(0, false), (1, true)]), end_first(&[0, 1])),
            (3, Input::PutBack, vec![]),
            (4, ended(0, StopOutcome::NotRunning), vec![]),
            (5, ended(1, StopOutcome::Stopped), vec![EVERYTHING]),
            (6, found(&[(0, false), (1, false)]), vec![Effect::Finish]),
        ],
    );
    assert!(emergency.is_over() && emergency.has_latch());
}

#[test]
fn a_desk_that_knows_nobody_is_looked_at_all_the_same() {
    follow(false, vec![begun(true), (2, found(&[]), vec![EVERYTHING]), (3, found(&[(7, false)]), end(&[7]))]);
}

#[test]
fn whoever_has_no_name_does_not_wait_for_the_slowest_of_the_others() {
    let sought =
        |bot: usize| Input::Sought(vec![Found { bot: name(bot), lives: true }, Found { bot: name(8), lives: false }]);
    follow(
        false,
        vec![
            begun(true),
            (2, found(&[(0, true)]), end_first(&[0])),
            (3, sought(0), vec![]),
            (4, sought(1), end(&[1])),
            (5, ended(1, StopOutcome::Stopped), vec![]),
            (6, ended(0, StopOutcome::Stopped), vec![EVERYTHING]),
            (7, sought(2), vec![]),
            (8, found(&[(0, false), (1, false), (2, true)]), end(&[2])),
        ],
    );
}

#[test]
fn whoever_is_new_or_lives_again_is_ended_too() {
    let stopped = || ended(0, StopOutcome::Stopped);
    follow(
        false,
        vec![
            begun(true),
            (2, found(&[(0, true)]), end_first(&[0])),
            (3, stopped(), vec![EVERYTHING]),
            (4, found(&[(0, true), (1, true)]), end(&[0, 1])),
            (5, stopped(), vec![]),
            (6, ended(1, StopOutcome::Stopped), vec![EVERYTHING]),
            // One look may fall into the gap before the next return.
            (7, found(&[(0, false), (1, false)]), vec![]),
            (1007, Input::Tick, vec![Effect::Latch]),
            (1007, Input::Latched(true), vec![EVERYTHING]),
            (1008, found(&[(0, false), (1, false)]), vec![Effect::Finish]),
        ],
    );
}

#[test]
fn what_comes_back_is_ended_ten_times_and_what_outlives_its_ladder_twice() {
    for (outcome, times) in [(StopOutcome::Stopped, COMES_BACK), (StopOutcome::Survived, OUTLIVES)] {
        let mut steps = vec![begun(true)];
        for time in 0..times as u64 {
            steps.push((10 + time, found(&[(0, true)]), if time == 0 { end_first(&[0]) } else { end(&[0]) }));
            steps.push((10 + time, ended(0, outcome), vec![EVERYTHING]));
        }
        steps.push((50, found(&[(0, true)]), vec![Effect::Finish]));
        follow(false, steps);
    }
}

#[test]
fn without_a_latch_it_looks_again_every_second_for_a_minute() {
    let mut steps = vec![begun(false), (2, found(&[(0, false)]), end_first(&[0]))];
    steps.push((3, ended(0, StopOutcome::NotRunning), vec![EVERYTHING]));
    for second in 0..60 {
        steps.push((second * 1000 + 5, found(&[(0, false)]), vec![]));
        steps.push((second * 1000 + 1004, Input::Tick, vec![]));
        steps.push((second * 1000 + 1005, Input::Tick, vec![Effect::Latch]));
        steps.push((second * 1000 + 1005, Input::Latched(false), vec![EVERYTHING]));
    }
    steps.push((60_005, found(&[(0, false)]), vec![Effect::Finish]));
    let emergency = follow(false, steps);
    assert!(emergency.is_over() && !emergency.has_latch());
}

#[test]
fn a_latch_that_can_be_made_later_ends_the_minute_after_one_more_look() {
    follow(
        false,
        vec![
            begun(false),
            (2, found(&[]), vec![EVERYTHING]),
            (3, found(&[]), vec![]),
            (1003, Input::Tick, vec![Effect::Latch]),
            (1004, Input::Latched(true), vec![EVERYTHING]),
            (1005, found(&[(0, true)]), end(&[0])),
            (1006, ended(0, StopOutcome::Stopped), vec![EVERYTHING]),
            (1007, found(&[(0, false)]), vec![Effect::Finish]),
        ],
    );
}

#[test]
fn who_outlived_its_ladder_is_ended_once_more_after_every_rest() {
    let survived = || ended(0, StopOutcome::Survived);
    let mut steps = vec![begun(false), (2, found(&[(0, true)]), end_first(&[0])), (3, survived(), vec![EVERYTHING])];
    steps.extend([
        (4, found(&[(0, true)]), end(&[0])),
        (5, survived(), vec![EVERYTHING]),
        (6, found(&[(0, true)]), vec![]),
    ]);
    for second in 1..60 {
        let now = second * 1000 + 6;
        steps.push((now, Input::Tick, vec![Effect::Latch]));
        steps.push((now, Input::Latched(false), vec![EVERYTHING]));
        steps.push((now, found(&[(0, true)]), end(&[0])));
        steps.push((now, survived(), vec![EVERYTHING]));
        steps.push((now, found(&[(0, true)]), vec![]));
    }
    follow(false, steps);
}

#[test]
fn a_drill_lifts_its_latch_and_waits_for_none() {
    for has_latch in [true, false] {
        follow(
            true,
            vec![
                begun(has_latch),
                (2, found(&[(0, true)]), end_first(&[0])),
                (3, ended(0, StopOutcome::Stopped), vec![EVERYTHING]),
                (4, found(&[(0, false)]), vec![Effect::Lift]),
                (5, Input::Lifted, vec![Effect::Finish]),
            ],
        );
    }
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let emergency = follow(
        false,
        vec![
            (1, found(&[(0, true)]), vec![]),
            (1, Input::Lifted, vec![]),
            (1, Input::Tick, vec![]),
            (1, ended(9, StopOutcome::Survived), vec![]),
            begun(true),
            (2, Input::Latched(true), vec![]),
            (3, found(&[(0, true)]), end_first(&[0])),
            (4, found(&[(0, true)]), vec![]),
            (4, Input::Tick, vec![]),
        ],
    );
    assert!(!emergency.is_over() && emergency.deadline().is_none());
}

/// What a walk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theme {
    /// One emergency stop, and everything that may come in between.
    One,
    /// Two at once.
    Two,
    /// The first is killed, and the next carries on; perhaps that one, too.
    Dies,
    /// The latch cannot be made for a while.
    Late,
    /// Nor ever.
    Never,
    /// A drill on a desk with live bots.
    Drill,
}

/// What happened on the walks.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    steps: u64,
    spawned: u32,
    refused: u32,
    ended_again: u32,
    survived: u32,
}

enum Actor {
    Stopper(Stopper),
    Command(Command),
    Restart(Box<Walk>),
}

const MOST_STEPS: u64 = 100_000;

/// Brings a bot into one of the conditions in which an emergency stop may find it.
fn prepare(world: &mut World, bot: usize) {
    match world.rng.u8(..10) {
        0 | 1 => {
            world.at_work(bot);
        }
        2 => {
            let keeper = world.at_work(bot);
            world.end(bot, 0);
            world.keepers[keeper].hangs = world.chance(4);
        }
        3 => {
            // It has come as far as it has.
            let keeper = world.launch(bot, Begin::Start);
            for _ in 0..world.rng.u8(..10) {
                world.keep(keeper);
            }
            world.keepers[keeper].hangs = world.chance(3);
        }
        4 => {
            let keeper = world.at_work(bot);
            let _ = world.ask(keeper, Request::Restart);
        }
        5 => {
            let keeper = world.at_work(bot);
            world.kill_keeper(keeper);
        }
        6 => {
            let keeper = world.at_work(bot);
            world.feed(keeper, Event::Restart);
            (world.keepers[keeper].hangs, world.keepers[keeper].stuck) = (world.rng.bool(), world.chance(3));
        }
        7 => {
            world.execute(bot, None, true);
        }
        8 => world.bots[bot].down = true,
        _ => {}
    }
}

/// One random walk; what it has shown, or what was wrong.
fn walk(seed: u64, theme: Theme, rules: Rules) -> Result<Tally, String> {
    let mut world = World::new(seed, rules);
    let bots = world.rng.usize(1..=4);
    for _ in 0..bots {
        let live = world.rng.bool();
        let bot = world.add_bot(if live { Mode::Live } else { Mode::Paper });
        prepare(&mut world, bot);
    }
    world.latch_can_be_made_at = match theme {
        Theme::Late => world.rng.u64(1..70_000),
        Theme::Never => u64::MAX,
        Theme::One | Theme::Two | Theme::Dies | Theme::Drill => 0,
    };
    let mut actors = Vec::new();
    // Where the latch cannot be made, a start is free to take the mark back; without one, the marks must do.
    let commands = if theme == Theme::Never && world.rng.bool() { 0 } else { world.rng.usize(..5) };
    for _ in 0..commands {
        let bot = world.rng.usize(..bots);
        actors.push(match world.rng.u8(..6) {
            0 | 1 => Actor::Command(Command::new(bot, What::Start)),
            2 => Actor::Command(Command::new(bot, What::Up)),
            3 => Actor::Command(Command::new(bot, What::Adopt)),
            _ => Actor::Restart(Box::new(Walk::new(&mut world, bot, Wish::Restart))),
        });
    }
    // The life of the desk goes on for a while before anybody presses a key.
    let mut due = world.rng.u64(..60);
    let mut to_come = if theme == Theme::Two { 2 } else { 1 };
    let mut deaths = if theme == Theme::Dies { world.rng.u8(1..=2) } else { 0 };
    let mut meddlers = if theme == Theme::Drill { 0 } else { world.rng.u32(..8) };
    let mut tally = Tally::default();
    let mut rest_until = None;
    loop {
        tally.steps += 1;
        if tally.steps > MOST_STEPS {
            return Err("it goes on for ever".into());
        }
        if to_come > 0 && tally.steps > due {
            to_come -= 1;
            due = tally.steps + world.rng.u64(..200);
            let dies_after = (deaths > 0).then(|| world.rng.u32(1..200));
            let stopper = Stopper::new(&world, theme == Theme::Drill, dies_after);
            actors.push(Actor::Stopper(stopper));
        }
        let dead = |actor: &Actor| matches!(actor, Actor::Stopper(stopper) if stopper.is_dead());
        if let Some(dead) = actors.iter().position(dead) {
            actors.swap_remove(dead);
            (deaths, to_come) = (deaths - 1, to_come + 1);
            due = tally.steps + world.rng.u64(..100);
        }
        if meddlers > 0 && world.chance(40) {
            meddlers -= 1;
            meddle(&mut world);
        }
        world.due = None;
        let went = !world.chance(25) && somebody(&mut world, &mut actors);
        if let Some(fault) = world.fault.take() {
            return Err(fault);
        }
        if went {
            continue;
        }
        world.due = None;
        let over = actors.iter().all(|actor| !matches!(actor, Actor::Stopper(stopper) if stopper.ended.is_none()));
        if to_come == 0 && over && rest_until.is_none() {
            // Whatever hung comes back now, and has all the time it wants.
            meddlers = 0;
            release(&mut world);
            rest_until = Some(world.now + 60_000);
        }
        if everybody(&mut world, &mut actors) {
            continue;
        }
        let little = world.chance(4);
        let next = world.due;
        match next {
            Some(_) if rest_until.is_some_and(|until| world.now >= until) => break,
            // A little, or as long as everybody waits.
            Some(time) if little => world.now = world.rng.u64(world.now..=time),
            Some(time) => world.now = time,
            None if to_come > 0 => due = 0,
            None if rest_until.is_some() => break,
            None => {
                if !release(&mut world) {
                    return Err("nobody goes on, and it is not over".into());
                }
            }
        }
    }
    judge(&world, &actors, theme, commands)?;
    (tally.spawned, tally.refused, tally.ended_again) = (world.spawned, world.refused, world.killed_again);
    for actor in &actors {
        if let Actor::Stopper(stopper) = actor {
            let survived = |(_, outcome): &&(usize, StopOutcome)| *outcome == StopOutcome::Survived;
            tally.survived += stopper.outcomes.iter().filter(survived).count() as u32;
        }
    }
    Ok(tally)
}

/// One step of one of them, whoever it is.
fn somebody(world: &mut World, actors: &mut [Actor]) -> bool {
    let (keepers, all) = (world.keepers.len(), world.keepers.len() + actors.len() + 1);
    let one = world.rng.usize(..all);
    if one < keepers {
        (!world.is_slow(one) || world.chance(10)) && world.keep(one)
    } else {
        step(world, actors.get_mut(one - keepers))
    }
}

/// One step of the first who has one to make. If there is nobody, all have said what they wait for.
fn everybody(world: &mut World, actors: &mut [Actor]) -> bool {
    let (keepers, all) = (world.keepers.len(), world.keepers.len() + actors.len() + 1);
    let first = world.rng.usize(..all);
    (first..first + all)
        .map(|one| one % all)
        .any(|one| if one < keepers { world.keep(one) } else { step(world, actors.get_mut(one - keepers)) })
}

fn step(world: &mut World, actor: Option<&mut Actor>) -> bool {
    match actor {
        None => world.kernel(),
        Some(Actor::Stopper(stopper)) => stopper.step(world),
        Some(Actor::Command(command)) => command.step(world),
        Some(Actor::Restart(walk)) => walk.step(world),
    }
}

/// What must hold when everybody has come to rest.
fn judge(world: &World, actors: &[Actor], theme: Theme, commands: usize) -> Result<(), String> {
    for actor in actors {
        if let Actor::Stopper(stopper) = actor {
            let Some(ended) = stopper.ended else { return Err("an emergency stop has no end".into()) };
            let took = ended - stopper.begun;
            if took > 600_000 {
                return Err(format!("an emergency stop took {took} ms"));
            }
            if !stopper.emergency.has_latch() && took < WITHOUT_A_LATCH.as_millis() as u64 && !stopper.drill {
                return Err(format!("without a latch it went after {took} ms"));
            }
        }
    }
    let wanted = match theme {
        Theme::One | Theme::Two | Theme::Dies => Some(false),
        Theme::Late => world.latch,
        Theme::Never | Theme::Drill => None,
    };
    if world.latch != wanted {
        return Err(format!("the latch is {:?}", world.latch));
    }
    // Without a latch nobody can promise that a start that came in between was found; without starts one can.
    let promised = world.latch == Some(false) || (theme == Theme::Never && commands == 0);
    for bot in 0..world.bots.len() {
        if theme == Theme::Drill && world.bots[bot].mode == Mode::Live && world.bots[bot].touched {
            return Err(format!("the drill has touched live bot {bot}"));
        }
        // Without a latch, its mark must have been written: by that a keeper goes that was out of reach.
        let promised = promised && (theme != Theme::Never || world.bots[bot].down);
        if promised && world.lives(bot) && !world.is_stubborn(bot) {
            return Err(format!("bot {bot} lives afterwards"));
        }
        let spawns = |life: &Life| matches!(life, Life::Spawning { .. } | Life::Backoff { .. });
        let keeper = world.holder(bot).and_then(|keeper| world.keepers[keeper].life.as_ref());
        if promised && keeper.is_some_and(|life| spawns(life.phase())) {
            return Err(format!("bot {bot} will be started again"));
        }
    }
    Ok(())
}

/// So many walks, all of which must end well.
#[track_caller]
fn walks(theme: Theme, count: u64) -> Tally {
    let mut sum = Tally::default();
    for seed in 0..count {
        match walk(seed, theme, REAL) {
            Ok(tally) => {
                sum.steps += tally.steps;
                sum.spawned += tally.spawned;
                sum.refused += tally.refused;
                sum.ended_again += tally.ended_again;
                sum.survived += tally.survived;
            }
            Err(fault) => panic!("{theme:?}, seed {seed}: {fault}"),
        }
    }
    sum
}

/// Whether one of the first so many walks goes wrong where a rule is not kept.
fn is_caught(rules: Rules, theme: Theme, most: u64) -> bool {
    (0..most).any(|seed| walk(seed, theme, rules).is_err())
}

#[test]
fn whatever_comes_in_between_nobody_runs_afterwards() {
    let tally = walks(Theme::One, 5000);
    // Else the walks do not come where it matters.
    assert!(tally.spawned > 1000 && tally.refused > 1000, "{tally:?}");
    assert!(tally.ended_again > 200 && tally.survived > 200, "{tally:?}");
}

#[test]
fn two_emergency_stops_at_once_do_not_disturb_each_other() {
    walks(Theme::Two, 2000);
}

#[test]
fn an_emergency_stop_that_was_killed_is_carried_on_with() {
    walks(Theme::Dies, 2000);
}

#[test]
fn a_latch_that_comes_late_binds_from_then_on() {
    walks(Theme::Late, 1000);
}

#[test]
fn without_a_latch_the_marks_must_do() {
    walks(Theme::Never, 1000);
}

#[test]
fn a_drill_touches_nothing_that_is_live_and_leaves_no_latch() {
    walks(Theme::Drill, 1000);
}

// A walk that cannot fail shows nothing. What is taken away, and by what that is caught:

#[test]
fn a_keeper_that_does_not_look_before_it_spawns_is_caught() {
    // By a bot that is started although the latch was there before that began.
    assert!(is_caught(Rules { looks_before: false, ..REAL }, Theme::One, 500));
}

#[test]
fn a_keeper_that_looks_before_it_has_its_lock_is_caught() {
    // By the same; and its own restarts would not look at all.
    assert!(is_caught(Rules { looks_locked: false, ..REAL }, Theme::One, 500));
}

#[test]
fn a_keeper_that_does_not_look_again_is_caught() {
    // By one that hung between its look and the spawn, could not be ended, and comes back when all is over.
    assert!(is_caught(Rules { looks_after: false, ..REAL }, Theme::One, 3000));
}

#[test]
fn an_emergency_stop_that_begins_before_its_latch_is_there_is_caught() {
    // By a start that looked for the latch after its bot had been looked at.
    assert!(is_caught(Rules { latches_first: false, ..REAL }, Theme::One, 3000));
}

#[test]
fn an_emergency_stop_that_does_not_look_at_everything_at_the_end_is_caught() {
    // By a bot whose keeper came in reach only after its course was over.
    assert!(is_caught(Rules { looks_at_the_end: false, ..REAL }, Theme::One, 5000));
}

#[test]
fn a_signal_that_nobody_remembers_is_caught() {
    // By a process that is sent it again by the next keeper.
    assert!(is_caught(Rules { remembers: false, ..REAL }, Theme::One, 500));
}
