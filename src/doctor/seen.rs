//! The emergency stop in one word, with what there is to say of it.

use std::io::{self, BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::beacon::{self, Call};
use crate::clock;
use crate::core::latch::LatchSeen;
use crate::core::overall::Overall;
use crate::core::readiness::{Check, EstopSeen, EstopState};
use crate::core::report::Report;
use crate::core::status::LockSeen;
use crate::latch;
use crate::lock;
use crate::paths::{Home, words};

use super::begun::{are_stuck, begin};
use super::drill::last_drill;

/// Nobody waits longer for it: a stopper that says nothing has a second, and a disk may hang.
const WITHIN: Duration = Duration::from_millis(1400);

/// Whoever carries one out tells a newcomer at once who fired it.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Whoever carries one out has said who fired it within so many lines.
const FIRST_WORDS: usize = 8;

/// What is shown of the emergency stop, given what was found by [`super::examine()`].
pub fn estop(home: &Home, checks: &[Check]) -> EstopSeen {
    let until = clock::now().plus(WITHIN);
    let place = home.clone();
    let looked = match begin(move || look(&place)) {
        Ok(begun) => begun.wait(until, WITHIN),
        Err(_) if !are_stuck() => Ok(look(home)),
        Err(why) => Err(why),
    };
    let seen = looked.unwrap_or_else(|why| EstopSeen {
        state: EstopState::NotReady,
        since: None,
        by: None,
        reason: None,
        problems: vec![format!("whether it is latched cannot be seen: {why}")],
        drill: false,
        last_drill: None,
    });
    match seen.state {
        EstopState::InProgress | EstopState::Latched => seen,
        EstopState::Ready | EstopState::NotReady => {
            let of_checks = checks.iter().filter(|check| check.is_problem()).map(|check| check.message.clone());
            let problems: Vec<String> = seen.problems.iter().cloned().chain(of_checks).collect();
            let state = if problems.is_empty() { EstopState::Ready } else { EstopState::NotReady };
            EstopSeen { state, problems, ..seen }
        }
    }
}

/// Whether somebody holds the lock of the emergency stop that the latch names: he carries it out, whether or not his beacon
/// is seen.
pub fn at_work(home: &Home, seen: &LatchSeen) -> bool {
    seen.latch().is_some_and(|latch| lock::look(&home.stop(&latch.id).join("lock")) == LockSeen::Held)
}

/// What there is to see of it, without what was examined.
fn look(home: &Home) -> EstopSeen {
    let call = beacon::call(home);
    // Asked after the beacon: whoever carries one out latches before anything else, and lifts only after all else.
    let seen = latch::look(home);
    let free = EstopSeen {
        state: EstopState::Ready,
        since: None,
        by: None,
        reason: None,
        problems: Vec::new(),
        drill: seen.is_drill(),
        last_drill: last_drill(home),
    };
    match (call, &seen) {
        (Call::Answered(words), seen) => in_progress(words, told(free, home, seen), seen),
        (Call::Silent(pid), seen) => EstopSeen {
            state: EstopState::InProgress,
            problems: vec![format!(
                "{} carries it out, and does not answer",
                pid.map_or_else(|| "somebody".to_owned(), |pid| format!("pid {pid}"))
            )],
            ..told(free, home, seen)
        },
        (Call::Nobody, seen) if at_work(home, seen) => EstopSeen {
            state: EstopState::InProgress,
            problems: vec!["it is carried out, and cannot be watched: whoever does it has no beacon".to_owned()],
            ..told(free, home, seen)
        },
        (Call::Nobody, seen) if !seen.is_latched() || cannot_look(home).is_some() => {
            EstopSeen { problems: cannot_look(home).into_iter().collect(), ..free }
        }
        (Call::Nobody, seen) => EstopSeen {
            state: EstopState::Latched,
            problems: in_the_way_of_a_reset(home, seen),
            ..told(free, home, seen)
        },
    }
}

/// Why nobody can say whether there is a latch. It counts then; but that it was fired would be a guess.
fn cannot_look(home: &Home) -> Option<String> {
    let error =
        std::fs::symlink_metadata(home.latch()).err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
    Some(format!("whether it is latched cannot be seen: {}: {}", home.latch().display(), words(&error)))
}

/// The same, with what the latch says of itself.
fn told(plain: EstopSeen, home: &Home, seen: &LatchSeen) -> EstopSeen {
    match seen {
        LatchSeen::Free => plain,
        LatchSeen::Latched(latch) => {
            EstopSeen { since: Some(latch.at), by: Some(latch.by.clone()), reason: latch.reason.clone(), ..plain }
        }
        // Its name was made when it was fired, whatever became of its contents.
        LatchSeen::Unreadable(_) => EstopSeen { since: made(home), ..plain },
    }
}

fn made(home: &Home) -> Option<Timestamp> {
    std::fs::symlink_metadata(home.latch()).ok()?.modified().ok()?.try_into().ok()
}

/// One without a latch that can be read tells over its beacon who fired it, and why.
fn in_progress(words: BufReader<UnixStream>, plain: EstopSeen, seen: &LatchSeen) -> EstopSeen {
    let plain = EstopSeen { state: EstopState::InProgress, ..plain };
    if seen.latch().is_some() {
        return plain;
    }
    let _ = words.get_ref().set_read_timeout(Some(AT_ONCE));
    let overall = words.lines().take(FIRST_WORDS).map_while(Result::ok).find_map(|line| overall(&line));
    match overall {
        Some(told) => EstopSeen {
            since: Some(told.at),
            by: Some(told.by),
            reason: told.reason,
            drill: told.drill,
            problems: told.errors,
            ..plain
        },
        None => plain,
    }
}

/// What a line says of it as a whole, if that is what it is about.
fn overall(line: &str) -> Option<Overall> {
    let mut word: serde_json::Value = serde_json::from_str(line).ok()?;
    serde_json::from_value(word.get_mut("overall")?.take()).ok()
}

/// As far as is known without a fresh look: a reset looks for itself.
fn in_the_way_of_a_reset(home: &Home, seen: &LatchSeen) -> Vec<String> {
    let latch = match seen {
        LatchSeen::Free => return Vec::new(),
        LatchSeen::Unreadable(why) => return vec![format!("it counts, and who fired it is not known: {why}")],
        LatchSeen::Latched(latch) => latch,
    };
    let folder = home.stop(&latch.id);
    let text = std::fs::read(folder.join("report.json"));
    match text.ok().and_then(|text| serde_json::from_slice::<Report>(&text).ok()) {
        Some(report) => left_open(&report),
        None => vec![without_a_report(&folder)],
    }
}

/// Whoever carries one out makes its folder before all else: where it is not there, it could not be made, and what was done
/// could not be kept.
fn without_a_report(folder: &Path) -> String {
    match std::fs::metadata(folder) {
        Ok(about) if about.is_dir() => "its stopper died before it was done: 'botwarden estop' carries on".to_owned(),
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            format!("what became of it cannot be read: {}: {}", folder.display(), words(&error))
        }
        Ok(_) | Err(_) => {
            format!("what became of it was not recorded: there is no {}; a reset looks for itself", folder.display())
        }
    }
}

fn left_open(report: &Report) -> Vec<String> {
    let survived = report.bots.iter().filter(|bot| bot.survived()).map(|bot| format!("{}: survived", bot.name));
    let open = report.bots.iter().filter_map(|bot| {
        let count = bot.orders.as_ref()?.unconfirmed;
        let orders = if count == 1 { "order is" } else { "orders are" };
        (count > 0).then(|| format!("{}: {count} {orders} not confirmed canceled", bot.name))
    });
    let unasked =
        report.bots.iter().filter(|bot| bot.unasked).map(|bot| format!("{}: its orders could not be read", bot.name));
    let mut problems: Vec<String> = survived.chain(open).chain(unasked).collect();
    if problems.is_empty() && report.exit_code != 0 {
        problems.push(format!("it ended with exit code {}", report.exit_code));
    }
    problems
}

#[cfg(test)]
mod tests {
    use crate::core::report::{BotReport, OrdersReport};

    use super::*;

    #[test]
    fn what_a_report_left_open_stands_in_the_way() {
        let bot = |name: &str| {
            let mut bot = BotReport::of_orders(name.parse().expect("a good name"));
            bot.orders = Some(OrdersReport::default());
            bot
        };
        let report = |bots| Report::of("estop", "ana", Timestamp::UNIX_EPOCH, bots);
        assert_eq!(left_open(&report(vec![bot("a")])), Vec::<String>::new());
        let survived = BotReport::new("b".parse().expect("a good name"));
        let mut open = bot("c");
        open.orders = Some(OrdersReport { unconfirmed: 2, ..OrdersReport::default() });
        let mut unasked = bot("d");
        unasked.unasked = true;
        assert_eq!(
            left_open(&report(vec![survived, open, unasked])),
            ["b: survived", "c: 2 orders are not confirmed canceled", "d: its orders could not be read"]
        );
        let mut failed = bot("e");
        failed.errors.push("no room".into());
        assert_eq!(left_open(&report(vec![failed])), ["it ended with exit code 1"]);
    }

    #[test]
    fn only_a_word_on_the_whole_is_one() {
        assert_eq!(overall("{\"bot\":{}}"), None);
        assert_eq!(overall("nonsense"), None);
        let told = Overall {
            id: "x".into(),
            by: "ana".into(),
            reason: None,
            drill: true,
            carries_on: false,
            at: Timestamp::UNIX_EPOCH,
            elapsed_ms: 0,
            stages: Vec::new(),
            bots: Vec::new(),
            cap_ms: 0,
            errors: Vec::new(),
        };
        assert_eq!(overall(&serde_json::json!({ "overall": told }).to_string()), Some(told));
    }
}
