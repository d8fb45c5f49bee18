//! Who works on a cluster's chunks on this box, and what may be said of whoever a chunk names.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::bot::BotName;
use super::cluster::ClusterSpec;
use super::state::State;
use super::status::BotStatus;

/// Whether somebody lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// It was seen.
    Lives,
    /// It was looked for, and nothing was found.
    Gone,
    /// It could not be looked for.
    Unknown,
}

/// One bot of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: BotName,
    /// Whether it lives; a stray of it counts.
    pub life: Life,
    /// Its main process and its strays.
    pub pids: Vec<i32>,
    /// Since when all there is of it has run: what is older was not claimed by it. Absent where nobody knows.
    pub since: Option<Timestamp>,
    /// A stray that may be another bot's just as well is all there is of it.
    pub shared: Option<i32>,
}

/// A process number that some chunk names, looked up on this box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PidSeen {
    /// Whether there is such a process, and it is no zombie.
    pub alive: bool,
    /// The bot of this desk whose mark it carries.
    pub mark: Option<BotName>,
    /// Its parents, the nearest first.
    pub ancestors: Vec<i32>,
    /// What it executes, in a word.
    pub command: String,
}

/// Everything that chunks are checked against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crew {
    /// The name of this box.
    pub host: String,
    /// Who hands out chunks.
    pub coordinator: Option<Member>,
    /// Who works on them.
    pub workers: Vec<Member>,
    /// Process numbers that chunks name.
    pub pids: BTreeMap<i32, PidSeen>,
}

/// Who is meant by the word that a chunk has for its worker, and whether it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Somebody who lives here: how people call it, and since when it does, where that is known.
    Lives(String, Option<Timestamp>),
    /// Somebody who would be here and is not: why.
    Gone(String),
    /// A process that would be here and is not: why. It was looked for after the file was read, so one that does not live for
    /// long may have ended in between.
    Ended(String),
    /// Nobody can tell: why.
    Unverified(String),
}

/// What stands between a name and a process number.
const BETWEEN: [char; 7] = [':', '-', '_', '/', '@', '.', '#'];

impl Member {
    fn of(name: &BotName, statuses: &[BotStatus]) -> Self {
        let Some(status) = statuses.iter().find(|status| status.name == *name) else {
            return Self { name: name.clone(), life: Life::Unknown, pids: Vec::new(), since: None, shared: None };
        };
        let strays = status.strays.iter().map(|stray| stray.pid);
        let pids: Vec<i32> = status.pid.into_iter().chain(strays).collect();
        let life = match status.state {
            State::Starting | State::Running | State::Stopping | State::Orphaned => Life::Lives,
            _ if !status.strays.is_empty() => Life::Lives,
            State::Stopped | State::Exited | State::Crashed | State::Backoff | State::Failed => Life::Gone,
            State::Unknown => Life::Unknown,
        };
        let since = status.started_at.filter(|_| status.strays.is_empty());
        let shared = match (status.pid, status.strays.as_slice()) {
            (None, [only]) if !only.shared_with.is_empty() => Some(only.pid),
            (Some(_) | None, _) => None,
        };
        Self { name: name.clone(), life, pids, since, shared }
    }

    fn called(&self) -> String {
        match self.pids.first() {
            Some(pid) => format!("{} (pid {pid})", self.name),
            None => self.name.to_string(),
        }
    }
}

impl Crew {
    /// The crew of a cluster, by what was seen of every bot of the desk.
    pub fn of(spec: &ClusterSpec, statuses: &[BotStatus], host: &str, pids: BTreeMap<i32, PidSeen>) -> Self {
        Self {
            host: host.to_owned(),
            coordinator: spec.coordinator.as_ref().map(|name| Member::of(name, statuses)),
            workers: spec.workers.iter().map(|name| Member::of(name, statuses)).collect(),
            pids,
        }
    }

    /// The coordinator and the workers.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.coordinator.iter().chain(&self.workers)
    }

    /// How many workers live.
    pub fn workers_alive(&self) -> usize {
        let alive = || self.workers.iter().filter(|worker| worker.life == Life::Lives);
        // One process is one worker, however many it may be.
        let shared: BTreeSet<i32> = alive().filter_map(|worker| worker.shared).collect();
        alive().filter(|worker| worker.shared.is_none()).count() + shared.len()
    }

    /// Whether anybody of it lives.
    pub fn anybody_lives(&self) -> bool {
        self.members().any(|member| member.life == Life::Lives)
    }

    /// Whether of somebody nobody knows.
    pub fn anybody_unknown(&self) -> bool {
        self.members().any(|member| member.life == Life::Unknown)
    }

    /// Who is meant by this word of a chunk, and whether it is there.
    pub fn who(&self, word: Option<&str>) -> Who {
        let Some(word) = word.map(str::trim).filter(|word| !word.is_empty()) else { return self.nobody_named() };
        if let Some(who) = self.bot(word) {
            return who;
        }
        if let Some(number) = word.parse::<i32>().ok().filter(|number| *number > 0) {
            return self.instance(number).unwrap_or_else(|| self.process(number));
        }
        if self.is_our_host(word) {
            return self.somebody_here(word);
        }
        for (name, number) in splits(word) {
            if self.is_our_host(name) {
                return self.process(number);
            }
            if self.is_named(name) {
                return self.numbered(name, number);
            }
        }
        Who::Unverified(format!("{word} is not known on this box"))
    }

    /// Whether this chunk's worker is that bot: by its name, or by a process of it.
    pub fn is_of(&self, word: Option<&str>, bot: &BotName) -> bool {
        let Some(word) = word.map(str::trim) else { return false };
        if word == bot.as_str() {
            return true;
        }
        if word == bot.base() {
            // Any instance may have it: it is this one's if no other lives.
            let others = self.members().filter(|member| member.name.base() == bot.base() && member.name != *bot);
            return others.into_iter().all(|member| member.life == Life::Gone);
        }
        // One of its instances, written with another sign in between.
        let instance = |number: i32| u32::try_from(number).is_ok_and(|number| bot.instance() == Some(number));
        if splits(word).any(|(name, number)| name == bot.base() && instance(number) && !self.is_process(number)) {
            return true;
        }
        let member = self.members().find(|member| member.name == *bot);
        self.numbers_here(word).into_iter().any(|number| {
            self.pids.get(&number).is_some_and(|seen| {
                seen.alive
                    && (seen.mark.as_ref() == Some(bot) || member.is_some_and(|member| has(member, number, seen)))
            })
        })
    }

    /// Whether this word is of this box at all: a bot's name, a number of a process or an instance, or our host.
    pub fn is_of_this_box(&self, word: &str) -> bool {
        let word = word.trim();
        word.is_empty()
            || word.parse::<i32>().is_ok()
            || self.is_named(word)
            || self.is_our_host(word)
            || splits(word).any(|(name, _)| self.is_our_host(name) || self.is_named(name))
    }

    /// A bot of the crew with a number behind it: one of its processes, one of its instances, or a part that only the bot
    /// itself knows.
    fn numbered(&self, name: &str, number: i32) -> Who {
        let of_it = |owner: &BotName| owner.as_str() == name || owner.base() == name;
        let owner = self.pids.get(&number).filter(|seen| seen.alive).and_then(|seen| self.owner(number, seen));
        if owner.is_some_and(of_it) {
            return self.process(number);
        }
        let instance = self.members().find(|member| {
            member.name.base() == name
                && u32::try_from(number).is_ok_and(|number| member.name.instance() == Some(number))
        });
        if let Some(who) = instance.and_then(|member| self.bot(member.name.as_str())) {
            return who;
        }
        match self.bot(name) {
            // Whatever it counts by that number: it lives, and may have it.
            Some(Who::Lives(who, _)) => {
                Who::Unverified(format!("whether {who} has anything numbered {number} is not known"))
            }
            Some(who) => who,
            None => Who::Unverified(format!("{name} is not known on this box")),
        }
    }

    /// Process numbers that a word means on this box: alone, with the name of this box, or with that of a bot of the crew.
    pub fn numbers_here(&self, word: &str) -> Vec<i32> {
        let word = word.trim();
        let alone = word.parse::<i32>().ok().filter(|pid| *pid > 0);
        let named = splits(word).filter(|(name, _)| self.is_our_host(name) || self.is_named(name));
        alone.into_iter().chain(named.map(|(_, number)| number)).collect()
    }

    /// Process numbers that a word may mean, on whatever box.
    pub fn numbers(word: &str) -> Vec<i32> {
        let word = word.trim();
        let alone = word.parse::<i32>().ok().filter(|pid| *pid > 0);
        alone.into_iter().chain(splits(word).map(|(_, number)| number)).collect()
    }

    fn nobody_named(&self) -> Who {
        match self.members().find(|member| member.life == Life::Lives) {
            Some(member) => Who::Lives(format!("somebody; {} lives", member.called()), None),
            None if self.anybody_unknown() => {
                Who::Unverified("no worker is named, and whether one lives is unknown".into())
            }
            None => Who::Gone("no worker is named, and none lives".into()),
        }
    }

    /// A bot by its name, or any instance of it.
    fn bot(&self, word: &str) -> Option<Who> {
        let meant: Vec<&Member> =
            self.members().filter(|member| member.name.as_str() == word || member.name.base() == word).collect();
        let exact: Vec<&Member> = meant.iter().copied().filter(|member| member.name.as_str() == word).collect();
        let meant = if exact.is_empty() { meant } else { exact };
        if meant.is_empty() {
            return None;
        }
        Some(match meant.iter().find(|member| member.life == Life::Lives) {
            Some(member) => {
                let alive = || meant.iter().filter(|member| member.life == Life::Lives);
                let known = alive().all(|member| member.since.is_some());
                Who::Lives(member.called(), alive().filter_map(|member| member.since).min().filter(|_| known))
            }
            None if meant.iter().any(|member| member.life == Life::Unknown) => {
                Who::Unverified(format!("whether {word} lives is unknown"))
            }
            None => Who::Gone(format!("{word} does not live")),
        })
    }

    /// A worker by the number of its instance, if there is such an instance and no such process of the cluster.
    fn instance(&self, number: i32) -> Option<Who> {
        if self.pids.get(&number).is_some_and(|seen| self.owner(number, seen).is_some()) {
            return None;
        }
        let number = u32::try_from(number).ok()?;
        let member = self.workers.iter().find(|worker| worker.name.instance() == Some(number))?;
        self.bot(member.name.as_str())
    }

    fn process(&self, number: i32) -> Who {
        match self.pids.get(&number) {
            Some(seen) if seen.alive => match self.owner(number, seen) {
                Some(name) => {
                    // When it was started is known by ticks since boot alone, and clocks are set: its number is enough.
                    Who::Lives(format!("{name} (pid {number})"), None)
                }
                // Who could not be looked for may be who it is.
                None if self.anybody_unknown() => {
                    Who::Unverified(format!("whether process {number} is of this cluster is unknown"))
                }
                None => Who::Ended(format!("process {number} is another program ({})", seen.command)),
            },
            Some(_) | None => Who::Ended(format!("process {number} does not live")),
        }
    }

    /// Whose process that is, if it is one of the cluster.
    fn owner(&self, number: i32, seen: &PidSeen) -> Option<&BotName> {
        let marked = self.members().find(|member| seen.mark.as_ref() == Some(&member.name));
        marked.or_else(|| self.members().find(|member| has(member, number, seen))).map(|member| &member.name)
    }

    /// Whether this is a living process of the crew.
    fn is_process(&self, number: i32) -> bool {
        self.pids.get(&number).is_some_and(|seen| seen.alive && self.owner(number, seen).is_some())
    }

    fn somebody_here(&self, host: &str) -> Who {
        let mut members = self.workers.iter().chain(&self.coordinator);
        match members.find(|member| member.life == Life::Lives) {
            Some(member) => Who::Lives(format!("somebody on {host}; {} lives", member.called()), None),
            None if self.anybody_unknown() => Who::Unverified(format!("whether a worker lives on {host} is unknown")),
            None => Who::Gone(format!("no worker lives on {host}, which is this box")),
        }
    }

    fn is_our_host(&self, word: &str) -> bool {
        let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let is_short = !self.host.contains('.') || !word.contains('.');
        word.eq_ignore_ascii_case("localhost")
            || (!self.host.is_empty() && word.eq_ignore_ascii_case(&self.host))
            || (is_short && !short(word).is_empty() && short(word) == short(&self.host))
    }

    fn is_named(&self, name: &str) -> bool {
        self.members().any(|member| member.name.as_str() == name || member.name.base() == name)
    }
}

/// Whether a process is one of a member's, or a descendant of one.
fn has(member: &Member, number: i32, seen: &PidSeen) -> bool {
    member.pids.iter().any(|pid| *pid == number || seen.ancestors.contains(pid))
}

/// A name and a process number in one word, in each way in which it can be read: `box-1:4711`, `sweep-worker-4711`,
/// `4711@box-1`.
fn splits(word: &str) -> impl Iterator<Item = (&str, i32)> {
    let number = |text: &str| text.parse::<i32>().ok().filter(|pid| *pid > 0);
    let behind = word.rsplit_once(BETWEEN).and_then(|(name, tail)| Some((name, number(tail)?)));
    let before = word.split_once(BETWEEN).and_then(|(head, name)| Some((name, number(head)?)));
    behind.into_iter().chain(before).filter(|(name, _)| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> BotName {
        name.parse().expect("a name")
    }

    fn member(of: &str, life: Life, pids: &[i32]) -> Member {
        Member { name: name(of), life, pids: pids.to_vec(), since: None, shared: None }
    }

    fn crew() -> Crew {
        let seen = |mark: Option<&str>, ancestors: &[i32]| PidSeen {
            alive: true,
            mark: mark.map(name),
            ancestors: ancestors.to_vec(),
            command: "python3".into(),
        };
        Crew {
            host: "trade-box-1".into(),
            coordinator: Some(member("boss", Life::Lives, &[100])),
            workers: vec![
                member("hand@1", Life::Lives, &[201]),
                member("hand@2", Life::Gone, &[]),
                member("solo", Life::Gone, &[]),
                member("dark", Life::Unknown, &[]),
            ],
            pids: [
                (201, seen(Some("hand@1"), &[100])),
                (202, seen(None, &[201, 1])),
                (203, seen(Some("hand@1"), &[1])),
                (900, seen(None, &[1])),
                (901, PidSeen::default()),
            ]
            .into(),
        }
    }

    #[test]
    fn whoever_a_chunk_names_is_found_however_it_is_written() {
        let crew = crew();
        for (word, expected) in [
            ("hand@1", "lives"),
            ("hand@2", "gone"),
            ("hand", "lives"),
            ("solo", "gone"),
            ("boss", "lives"),
            ("dark", "unverified"),
            ("1", "lives"),
            ("2", "gone"),
            ("201", "lives"),
            ("202", "lives"),
            ("203", "lives"),
            ("901", "gone"),
            ("902", "gone"),
            ("trade-box-1", "lives"),
            ("TRADE-BOX-1.example", "lives"),
            ("localhost", "lives"),
            ("trade-box-1:202", "lives"),
            ("202@trade-box-1", "lives"),
            ("trade-box-1-901", "gone"),
            ("hand@1:203", "lives"),
            ("hand-1", "lives"),
            ("hand_2", "gone"),
            // It may count whatever it likes.
            ("hand-901", "unverified"),
            ("boss-7", "unverified"),
            ("solo-7", "gone"),
            ("box-2", "unverified"),
            ("box-2:4711", "unverified"),
            ("trade-box-2", "unverified"),
            ("w1", "unverified"),
            ("-5", "unverified"),
            ("4294967299", "unverified"),
            ("worker-1", "unverified"),
        ] {
            let who = crew.who(Some(word));
            let seen = match &who {
                Who::Lives(..) => "lives",
                Who::Gone(_) | Who::Ended(_) => "gone",
                Who::Unverified(_) => "unverified",
            };
            assert_eq!(seen, expected, "{word}: {who:?}");
        }
        assert!(matches!(crew.who(None), Who::Lives(..)));
        assert!(matches!(crew.who(Some("  ")), Who::Lives(..)));
    }

    #[test]
    fn a_process_that_is_somebody_elses_holds_nothing() {
        let mut crew = crew();
        assert!(matches!(crew.who(Some("900")), Who::Unverified(_)), "one of the crew may be it");
        crew.workers.retain(|member| member.life != Life::Unknown);
        assert_eq!(crew.who(Some("900")), Who::Ended("process 900 is another program (python3)".into()));
    }

    #[test]
    fn one_stray_that_may_be_either_of_two_is_one_worker() {
        let mut crew = crew();
        for worker in &mut crew.workers[..2] {
            (worker.life, worker.pids, worker.shared) = (Life::Lives, vec![77], Some(77));
        }
        assert_eq!(crew.workers_alive(), 1);
        crew.workers[0].shared = None;
        assert_eq!(crew.workers_alive(), 2);
    }

    #[test]
    fn without_a_name_anybody_alive_may_have_it() {
        let mut crew = crew();
        for member in crew.workers.iter_mut().chain(&mut crew.coordinator) {
            member.life = Life::Gone;
        }
        assert_eq!(crew.who(None), Who::Gone("no worker is named, and none lives".into()));
        assert!(matches!(crew.who(Some("trade-box-1")), Who::Gone(_)));
    }

    #[test]
    fn what_a_bot_has_claimed_is_known_by_its_name_and_by_its_processes() {
        let crew = crew();
        for (word, bot, expected) in [
            ("hand@1", "hand@1", true),
            ("hand@1", "hand@2", false),
            ("hand", "hand@1", true),
            ("hand", "hand@2", false),
            ("202", "hand@1", true),
            ("trade-box-1:202", "hand@1", true),
            ("hand-1", "hand@1", true),
            ("hand-1", "hand@2", false),
            ("hand-2", "hand@2", true),
            // Another box, and another program, count by themselves.
            ("far-box:202", "hand@1", false),
            ("202@far-box", "hand@1", false),
            ("other-202", "hand@1", false),
            ("900", "hand@1", false),
            ("box-2", "hand@1", false),
        ] {
            assert_eq!(crew.is_of(Some(word), &name(bot)), expected, "{word} {bot}");
        }
    }
}
