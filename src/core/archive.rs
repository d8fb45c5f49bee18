//! How a log is cut into archives, what those are called, and which of them go.
//!
//! A run's output is one stream of bytes. Its end is the live log `RUN.log`; what came before stands in archives
//! `RUN.log.START-END`, named by the offsets of their bytes in the stream. So the pieces always say for themselves
//! whether they are whole: each begins where the one before it ended.
//!
//! The live log never gets shorter: what was archived is punched out of it and reads as zeros. How far that reaches
//! is said by the highest `END` of the run's archives alone, so it must outlive them: when the last archive of a run
//! goes and its live log stays, an empty one (`RUN.log.END-END`, a *marker*) takes its place.

use super::bot::LogLimits;

/// One archive of a run's output: the bytes from `start` up to, not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Offset of its first byte in the run's output.
    pub start: u64,
    /// Offset after its last.
    pub end: u64,
}

impl Span {
    /// How many bytes it has.
    pub fn len(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it has none: then it is a marker.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// An archive of one run. They sort in the order of the bot's output, because run ids sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive {
    /// The run whose output it is.
    pub run: String,
    /// Which part of it.
    pub span: Span,
}

/// The live log of one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Live {
    /// The run.
    pub run: String,
    /// The length of the file, which is the length of the run's whole output.
    pub size: u64,
}

/// What the name of a file in a log folder means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// `RUN.log`: the live log of this run.
    Live(String),
    /// `RUN.log.START-END`: an archive, or a marker.
    Archive(Archive),
    /// `RUN.log.tmp`: an archive that is being written, or was when somebody died.
    Unfinished(String),
}

impl Name {
    /// What this file is; nothing if it is none of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let (run, rest) = name.split_once(".log")?;
        if run.is_empty() || !run.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return None;
        }
        let run = run.to_owned();
        if rest.is_empty() {
            return Some(Self::Live(run));
        }
        let rest = rest.strip_prefix('.')?;
        if rest == "tmp" {
            return Some(Self::Unfinished(run));
        }
        let (start, end) = rest.split_once('-')?;
        let span = Span { start: offset(start)?, end: offset(end)? };
        let archive = Self::Archive(Archive { run, span });
        // Only as it is written here: a piece is opened by the name that its offsets give it.
        (span.start <= span.end && archive.file() == name).then_some(archive)
    }

    /// The file's name. Offsets are padded so that a plain listing has the archives in order.
    pub fn file(&self) -> String {
        match self {
            Self::Live(run) => format!("{run}.log"),
            Self::Archive(Archive { run, span }) => format!("{run}.log.{:015}-{:015}", span.start, span.end),
            Self::Unfinished(run) => format!("{run}.log.tmp"),
        }
    }
}

/// Digits alone: `parse` would take a plus sign as well.
fn offset(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// How far an archive may reach beyond `max_size` to find the end of a line.
pub const LONGEST_REACH: u64 = 1 << 20;

/// Whether a live log of this size, archived up to `from`, has enough for an archive.
pub fn is_due(from: u64, size: u64, max_size: u64) -> bool {
    size.saturating_sub(from) >= max_size.max(1)
}

/// The end of the part in which the last newline is looked for: as much as an archive may usually have.
pub fn soft_end(from: u64, max_size: u64) -> u64 {
    from.saturating_add(max_size.max(1))
}

/// The end of the part in which a first newline is looked for when the soft part has none.
pub fn hard_end(from: u64, max_size: u64) -> u64 {
    soft_end(from, max_size).saturating_add(LONGEST_REACH)
}

/// Where the next archive ends: after the last line that ends before [`soft_end`]; else after the first one that ends
/// before [`hard_end`]; else there, in the middle of a line. `None`: that line is still being written; wait for more.
///
/// `last` is the offset of the last newline in `from..soft_end`, `first` that of the first one in
/// `soft_end..hard_end`, both only as far as the log goes.
pub fn cut(from: u64, size: u64, max_size: u64, last: Option<u64>, first: Option<u64>) -> Option<u64> {
    let hard = hard_end(from, max_size);
    last.or(first).map(|newline| newline.saturating_add(1)).or_else(|| (size >= hard).then_some(hard))
}

/// Where the output ends that `keep` lets go as soon as it is archived, so that nobody needs to copy it first: enough for
/// `keep` archives and a live log, all of them as long as they can get, comes after it. Nothing if that is less than
/// one archive.
pub fn surplus(from: u64, size: u64, limits: LogLimits) -> Option<u64> {
    let longest = limits.max_size.max(1).saturating_add(LONGEST_REACH);
    let end = size.saturating_sub(u64::from(limits.keep).saturating_add(1).saturating_mul(longest));
    is_due(from, end, limits.max_size).then_some(end)
}

/// The pieces in one bot's log folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Archives and markers, sorted.
    pub archives: Vec<Archive>,
    /// Live logs, sorted.
    pub lives: Vec<Live>,
    /// Runs that have an unfinished archive.
    pub unfinished: Vec<String>,
}

/// One thing that has to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// This live log of a finished run.
    Live(Live),
    /// This archive. `mark`: a marker has to take its place.
    Archive {
        /// Which one.
        archive: Archive,
        /// Whether it is the only one that says how far its run's live log was archived.
        mark: bool,
    },
}

impl Removal {
    /// How many bytes of output are gone with it.
    pub fn bytes(&self, pieces: &Pieces) -> u64 {
        match self {
            Self::Live(live) => live.size.saturating_sub(pieces.archived(&live.run)),
            Self::Archive { archive, .. } => archive.span.len(),
        }
    }
}

/// Finished runs' live logs that are kept beyond the number of archives: most runs are short, and the story of a bot
/// that crashes again and again is told by many of them.
const LEFTOVERS: u64 = 100;

impl Pieces {
    /// How far this run's output was archived: from here on its live log counts.
    pub fn archived(&self, run: &str) -> u64 {
        self.archives.iter().filter(|archive| archive.run == run).map(|archive| archive.span.end).max().unwrap_or(0)
    }

    /// What goes by the limits, in the order in which it has to be removed; never the live log of the current run.
    ///
    /// The newest `keep` archives stay, whatever run they are of. Finished runs' live logs stay, the newest ones, as
    /// long as there are at most `keep` + 100 and they hold at most `keep` × `max_size` bytes (with `keep` = 0 as
    /// much as with 1: the last words of a bot that crashed are not thrown away).
    pub fn excess(&self, current: &str, limits: LogLimits) -> Vec<Removal> {
        let room = u64::from(limits.keep.max(1)).saturating_mul(limits.max_size);
        let places = u64::from(limits.keep).saturating_add(LEFTOVERS);
        let mut number = 0_u64;
        let mut bytes = 0_u64;
        let leaving = self.lives.iter().rev().filter(|live| live.run != current).filter(|live| {
            number = number.saturating_add(1);
            bytes = bytes.saturating_add(live.size.saturating_sub(self.archived(&live.run)));
            number > places || bytes > room
        });
        let mut lives: Vec<Live> = leaving.cloned().collect();
        lives.reverse();
        let full = self.archives.iter().filter(|archive| !archive.span.is_empty()).count();
        self.removals(lives, full.saturating_sub(limits.keep as usize), current)
    }

    /// What goes because a surplus of this run follows on it: every archive up to there.
    pub fn superseded(&self, run: &str, current: &str) -> Vec<Removal> {
        let older = |archive: &&Archive| archive.run.as_str() <= run && !archive.span.is_empty();
        self.removals(Vec::new(), self.archives.iter().filter(older).count(), current)
    }

    /// What goes when `need` more bytes are wanted on the disk: the oldest archives, then the oldest live logs of
    /// finished runs, until that much is free.
    pub fn relief(&self, current: &str, need: u64) -> Vec<Removal> {
        let mut freed = 0_u64;
        let mut enough = |bytes: u64| {
            let was = freed;
            freed = freed.saturating_add(bytes);
            was >= need
        };
        let archives: Vec<&Archive> = self.archives.iter().filter(|archive| !archive.span.is_empty()).collect();
        let oldest = archives.iter().take_while(|archive| !enough(archive.span.len())).count();
        let lives: Vec<Live> = self
            .lives
            .iter()
            .filter(|live| live.run != current && live.size > self.archived(&live.run))
            .take_while(|live| !enough(live.size.saturating_sub(self.archived(&live.run))))
            .cloned()
            .collect();
        if oldest == 0 && lives.is_empty() { Vec::new() } else { self.removals(lives, oldest, current) }
    }

    /// These live logs, the oldest so many archives, and the markers that nothing needs any more.
    fn removals(&self, lives: Vec<Live>, oldest: usize, current: &str) -> Vec<Removal> {
        let stays = |run: &str| {
            run == current || (self.lives.iter().any(|live| live.run == run) && !lives.iter().any(|l| l.run == run))
        };
        let mut left = oldest;
        let mut archives = Vec::new();
        let mut last: Option<&Archive> = None;
        for archive in &self.archives {
            let needed = archive.span.end == self.archived(&archive.run) && stays(&archive.run);
            if archive.span.is_empty() {
                // Of two that say the same (an archive and a marker after it) one is enough.
                let said = last.is_some_and(|last| last.run == archive.run && last.span.end == archive.span.end);
                if !needed || said {
                    archives.push(Removal::Archive { archive: archive.clone(), mark: false });
                }
            } else if left > 0 {
                left -= 1;
                archives.push(Removal::Archive { archive: archive.clone(), mark: needed });
            } else {
                last = Some(archive);
            }
        }
        // Live logs first: a marker is not removed before the log that it speaks of.
        lives.into_iter().map(Removal::Live).chain(archives).collect()
    }
}

/// Free space below which the oldest archives go: 16 MiB, or 1 % of a disk smaller than 1.6 GiB.
pub fn floor(disk: u64) -> u64 {
    (disk / 100).min(16 << 20)
}

/// How much has to be freed so that `wanted` bytes can be written and the floor is still free below them.
pub fn shortage(disk: u64, free: u64, wanted: u64) -> u64 {
    floor(disk).saturating_add(wanted).saturating_sub(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(run: &str, start: u64, end: u64) -> Archive {
        Archive { run: run.to_owned(), span: Span { start, end } }
    }

    fn live(run: &str, size: u64) -> Live {
        Live { run: run.to_owned(), size }
    }

    fn gone(archive: Archive) -> Removal {
        Removal::Archive { archive, mark: false }
    }

    #[test]
    fn names_say_what_they_are() {
        let run = "20261122T011245123-4f2a";
        for (name, means) in [
            ("20261122T011245123-4f2a.log", Some(Name::Live(run.into()))),
            ("20261122T011245123-4f2a.log.tmp", Some(Name::Unfinished(run.into()))),
            ("20261122T011245123-4f2a.log.0-12", None),
            ("20261122T011245123-4f2a.log.000000000000012-000000000000345", Some(Name::Archive(archive(run, 12, 345)))),
            (
                "20261122T011245123-4f2a.log.000000000000007-1234567890123456",
                Some(Name::Archive(archive(run, 7, 1_234_567_890_123_456))),
            ),
            ("20261122T011245123-4f2a.log.000000000000007-000000000000007", Some(Name::Archive(archive(run, 7, 7)))),
            ("20261122T011245123-4f2a.log.000000000000012-000000000000007", None),
            ("20261122T011245123-4f2a.log.+1-7", None),
            ("20261122T011245123-4f2a.log.1-", None),
            ("20261122T011245123-4f2a.log.1-7.tmp", None),
            ("20261122T011245123-4f2a.log.1-99999999999999999999999", None),
            ("20261122T011245123-4f2a.log.gz", None),
            ("20261122T011245123-4f2a.log1", None),
            (".log", None),
            ("a b.log", None),
            ("events", None),
            ("", None),
        ] {
            assert_eq!(Name::parse(name), means, "{name}");
            if let Some(means) = means {
                assert_eq!(Name::parse(&means.file()), Some(means), "{name} again");
            }
        }
        let sorted = [Name::Archive(archive(run, 9, 10)), Name::Archive(archive(run, 10, 900_000_000_000))];
        assert!(sorted[0].file() < sorted[1].file());
    }

    #[test]
    fn a_cut_falls_after_a_line_if_there_is_one() {
        let hard = 100 + 50 + LONGEST_REACH;
        for (size, last, first, end) in [
            (150, Some(120), None, Some(121)),
            (150, Some(149), None, Some(150)),
            (150, None, None, None),
            (151, None, Some(150), Some(151)),
            (hard, None, Some(hard - 1), Some(hard)),
            (hard - 1, None, None, None),
            (hard, None, None, Some(hard)),
            (hard + 7, None, None, Some(hard)),
        ] {
            assert_eq!(cut(100, size, 50, last, first), end, "size {size}, last {last:?}, first {first:?}");
        }
        assert!(is_due(100, 150, 50) && !is_due(100, 149, 50));
        assert!(!is_due(100, 100, 0), "nothing there is never due");
        assert!(!is_due(100, 50, 1), "a log that somebody shortened is not due");
    }

    #[test]
    fn a_surplus_leaves_all_that_keep_can_ever_keep() {
        let longest = 100 + LONGEST_REACH;
        for (keep, from, size, end) in [
            (2, 0, 3 * longest + 99, None),
            (2, 0, 3 * longest + 100, Some(100)),
            (2, 70, 3 * longest + 169, None),
            (2, 70, 3 * longest + 170, Some(170)),
            (0, 0, longest + 5000, Some(5000)),
            (2, 500, 400, None),
            (u32::MAX, 0, 1 << 50, None),
        ] {
            assert_eq!(surplus(from, size, LogLimits { max_size: 100, keep }), end, "keep {keep}, {from} to {size}");
        }
        assert_eq!(surplus(0, u64::MAX, LogLimits { max_size: u64::MAX, keep: 1 }), None);
    }

    /// However the lines fall: what is archived after a surplus went is no less than `keep` archives.
    #[test]
    fn after_a_surplus_there_is_enough_for_every_archive_that_is_kept() {
        for seed in 0..500 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let limits = LogLimits { max_size: dice.u64(1..4 << 20), keep: dice.u32(0..5) };
            let size = dice.u64(0..64 << 20);
            let Some(mut from) = surplus(0, size, limits) else { continue };
            let mut archives = 0;
            while is_due(from, size, limits.max_size) {
                let hard = hard_end(from, limits.max_size);
                let newline = dice.bool().then(|| dice.u64(from..hard.min(size)));
                let soft = soft_end(from, limits.max_size);
                let (last, first) = (newline.filter(|at| *at < soft), newline.filter(|at| *at >= soft));
                let Some(end) = cut(from, size, limits.max_size, last, first) else { break };
                from = end;
                archives += 1;
            }
            assert!(archives >= limits.keep, "seed {seed}: {archives} archives of {limits:?}");
        }
    }

    #[test]
    fn what_a_surplus_follows_on_goes_with_its_markers_but_the_last() {
        let pieces = Pieces {
            archives: vec![archive("a", 0, 10), archive("b", 0, 10), archive("b", 30, 30), archive("c", 0, 10)],
            lives: vec![live("b", 90), live("c", 11)],
            ..Pieces::default()
        };
        assert_eq!(pieces.superseded("b", "c"), [gone(archive("a", 0, 10)), gone(archive("b", 0, 10))]);
    }

    #[test]
    fn the_oldest_archives_go_over_all_runs() {
        let pieces = Pieces {
            archives: vec![archive("a", 0, 10), archive("a", 10, 20), archive("b", 0, 10), archive("b", 10, 20)],
            lives: vec![live("b", 25)],
            unfinished: Vec::new(),
        };
        let keep = |keep| pieces.excess("b", LogLimits { max_size: 10, keep });
        assert_eq!(keep(4), []);
        assert_eq!(keep(3), [gone(archive("a", 0, 10))]);
        assert_eq!(keep(2), [gone(archive("a", 0, 10)), gone(archive("a", 10, 20))]);
        let all = keep(0);
        assert_eq!(all.len(), 4);
        assert_eq!(all[3], Removal::Archive { archive: archive("b", 10, 20), mark: true });
    }

    #[test]
    fn a_marker_stays_as_long_as_its_live_log_and_nothing_else_says_the_same() {
        let limits = LogLimits { max_size: 100, keep: 1 };
        let mut pieces = Pieces {
            archives: vec![archive("a", 20, 20), archive("b", 0, 10)],
            lives: vec![live("a", 25)],
            unfinished: Vec::new(),
        };
        assert_eq!(pieces.excess("b", limits), []);
        pieces.archives.insert(1, archive("a", 20, 22));
        assert_eq!(
            pieces.excess("b", limits),
            [gone(archive("a", 20, 20)), Removal::Archive { archive: archive("a", 20, 22), mark: true }]
        );
        pieces.lives.clear();
        assert_eq!(pieces.excess("b", limits), [gone(archive("a", 20, 20)), gone(archive("a", 20, 22))]);
        let told_twice = Pieces {
            archives: vec![archive("b", 0, 10), archive("b", 10, 10)],
            lives: vec![live("b", 12)],
            unfinished: Vec::new(),
        };
        assert_eq!(told_twice.excess("b", limits), [gone(archive("b", 10, 10))]);
    }

    #[test]
    fn finished_live_logs_stay_within_their_number_and_size() {
        let limits = LogLimits { max_size: 100, keep: 2 };
        let many = Pieces { lives: (0..110).map(|n| live(&format!("r{n:03}"), 1)).collect(), ..Pieces::default() };
        let gone: Vec<Removal> = (0..7).map(|n| Removal::Live(live(&format!("r{n:03}"), 1))).collect();
        assert_eq!(many.excess("r109", limits), gone, "102 finished ones stay, and the current one");

        let big = Pieces {
            archives: vec![archive("a", 0, 900)],
            lives: vec![live("a", 1000), live("b", 100), live("c", 1), live("d", 5000)],
            ..Pieces::default()
        };
        assert_eq!(big.excess("d", limits), [Removal::Live(live("a", 1000))], "201 bytes were one too many");
        assert_eq!(big.excess("d", LogLimits { max_size: 101, keep: 2 }), [], "the archived part does not count");
    }

    #[test]
    fn a_full_disk_takes_the_oldest_first_and_no_more_than_needed() {
        let pieces = Pieces {
            archives: vec![archive("a", 0, 10), archive("b", 0, 10), archive("b", 10, 20)],
            lives: vec![live("a", 15), live("b", 30)],
            ..Pieces::default()
        };
        assert_eq!(pieces.relief("b", 0), []);
        assert_eq!(pieces.relief("b", 1), [Removal::Archive { archive: archive("a", 0, 10), mark: true }]);
        assert_eq!(pieces.relief("b", 11).len(), 2);
        let all = pieces.relief("b", u64::MAX);
        assert_eq!(all.len(), 4);
        assert_eq!(all[0], Removal::Live(live("a", 15)));
        assert_eq!(all[1], gone(archive("a", 0, 10)), "no marker for a log that goes");
        assert_eq!(all[3], Removal::Archive { archive: archive("b", 10, 20), mark: true });
        assert_eq!(shortage(100 << 30, 16 << 20, 0), 0);
        assert_eq!(shortage(100 << 30, 15 << 20, 0), 1 << 20);
        assert_eq!(shortage(1 << 20, 0, 100), 10485 + 100);
    }

    /// Any mixture of output, archiving, new runs, retention and relief: what is left is always in order, every run's
    /// archived offset is remembered as long as its live log, and only the oldest ever went.
    #[test]
    fn a_random_walk_never_forgets_where_it_was() {
        for seed in 0..200 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let limits = LogLimits { max_size: dice.u64(1..100), keep: dice.u32(0..5) };
            let mut pieces = Pieces { lives: vec![live("r0000", 0)], ..Pieces::default() };
            let mut truth = vec![0_u64];
            for _ in 0..400 {
                let newest = pieces.lives.len() - 1;
                let (run, size) = (pieces.lives[newest].run.clone(), pieces.lives[newest].size);
                let from = pieces.archived(&run);
                match dice.u8(0..10) {
                    0..5 => pieces.lives[newest].size += dice.u64(0..80),
                    5..8 if is_due(from, size, limits.max_size) => {
                        let soft = soft_end(from, limits.max_size);
                        let last = dice.bool().then(|| dice.u64(from..soft));
                        if let Some(end) = cut(from, size, limits.max_size, last, None) {
                            assert!(end > from && end <= size);
                            pieces.archives.push(archive(&run, from, end));
                            *truth.last_mut().expect("a run") = end;
                        }
                    }
                    8 => {
                        pieces.lives.push(live(&format!("r{:04}", truth.len()), 0));
                        truth.push(0);
                    }
                    _ => {
                        let removals = if dice.u8(0..4) == 0 {
                            pieces.relief(&run, dice.u64(0..300))
                        } else {
                            pieces.excess(&run, limits)
                        };
                        apply(&mut pieces, &removals, &run);
                    }
                }
                assert!(pieces.archives.is_sorted() && pieces.lives.is_sorted());
                for live in &pieces.lives {
                    let number: usize = live.run[1..].parse().expect("a number");
                    assert_eq!(pieces.archived(&live.run), truth[number], "seed {seed}, {}", live.run);
                }
                for pair in pieces.archives.windows(2).filter(|pair| pair[0].run == pair[1].run) {
                    assert!(pair[0].span.end == pair[1].span.start, "seed {seed}: {pair:?}");
                }
            }
            let run = pieces.lives.last().expect("the current one").run.clone();
            let removals = pieces.excess(&run, limits);
            apply(&mut pieces, &removals, &run);
            let full = pieces.archives.iter().filter(|archive| !archive.span.is_empty()).count();
            assert!(full <= limits.keep as usize);
            assert_eq!(pieces.excess(&run, limits), [], "seed {seed}: once is enough");
        }
    }

    fn apply(pieces: &mut Pieces, removals: &[Removal], current: &str) {
        let before = pieces.archives.clone();
        for removal in removals {
            match removal {
                Removal::Live(live) => {
                    assert_ne!(live.run, current);
                    pieces.lives.retain(|other| other != live);
                }
                Removal::Archive { archive: gone, mark } => {
                    pieces.archives.retain(|other| other != gone);
                    if *mark {
                        pieces.archives.push(archive(&gone.run, gone.span.end, gone.span.end));
                        pieces.archives.sort();
                    }
                }
            }
        }
        let full = |archive: &&Archive| !archive.span.is_empty();
        let left: Vec<&Archive> = pieces.archives.iter().filter(full).collect();
        let was: Vec<&Archive> = before.iter().filter(full).collect();
        assert_eq!(left, was[was.len() - left.len()..], "only the oldest went");
    }
}
