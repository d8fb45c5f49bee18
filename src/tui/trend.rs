//! What bots have used of CPU and memory in the last ten minutes: the most of every ten seconds, one ring a bot. What was
//! not seen, and what was not running, is a gap and never a zero. What is shown ends with the last ten seconds that are
//! over, so that it changes once in ten seconds and an idle screen sends next to nothing.

use std::collections::{BTreeMap, VecDeque};

use crate::core::bot::BotName;
use crate::core::moment::Moment;
use crate::core::status::BotStatus;

/// Seconds of a bucket.
const BUCKET: u64 = 10;

/// So many are kept: ten minutes.
pub const KEPT: usize = 60;

/// A CPU that is idle all the time is no mountain range: the top of its scale is at least so many percent.
const LEAST_CPU: f32 = 5.0;

/// Bars of a terminal that knows Unicode; the last sign is a gap.
pub const UNICODE: [char; 9] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█', '·'];
/// And of one that knows ASCII.
pub const ASCII: [char; 9] = ['_', '-', ':', '=', '+', '*', '%', '#', '.'];

/// The trends of all bots.
#[derive(Clone, Debug, Default)]
pub struct Trends {
    of: BTreeMap<BotName, Trend>,
    /// The bucket that is being filled.
    bucket: u64,
}

/// That of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    cpu: VecDeque<Option<f32>>,
    memory: VecDeque<Option<u64>>,
    /// What is being filled.
    open: (Option<f32>, Option<u64>),
}

/// The least, the most, and the last of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<T> {
    /// The least.
    pub least: T,
    /// The most.
    pub most: T,
}

impl Trends {
    /// Takes in what was seen of the bots. Those that are not there any more are forgotten.
    pub fn take(&mut self, bots: &[BotStatus], now: Moment) {
        let bucket = now.since(Moment::default()).as_secs() / BUCKET;
        let over = bucket.saturating_sub(self.bucket);
        // What was never filled began with the first look.
        if over > 0 {
            for trend in self.of.values_mut() {
                trend.close(over);
            }
            self.bucket = bucket;
        }
        let mut before = std::mem::take(&mut self.of);
        for bot in bots {
            let mut trend = before.remove(&bot.name).unwrap_or_default();
            if !bot.state.is_at_rest() {
                let cpu = bot.cpu_percent.filter(|percent| percent.is_finite());
                trend.open.0 = match (trend.open.0, cpu) {
                    (Some(most), Some(cpu)) => Some(most.max(cpu)),
                    (most, cpu) => most.or(cpu),
                };
                trend.open.1 = trend.open.1.max(bot.memory_bytes);
            }
            self.of.insert(bot.name.clone(), trend);
        }
    }

    /// That of this bot.
    pub fn of(&self, bot: &BotName) -> Option<&Trend> {
        self.of.get(bot)
    }
}

impl Trend {
    /// The open bucket is over, and others after it that nothing was seen in.
    fn close(&mut self, over: u64) {
        let (cpu, memory) = std::mem::take(&mut self.open);
        self.cpu.push_back(cpu);
        self.memory.push_back(memory);
        let gaps = (over - 1).min(KEPT as u64) as usize;
        self.cpu.extend(std::iter::repeat_n(None, gaps));
        self.memory.extend(std::iter::repeat_n(None, gaps));
        self.cpu.drain(..self.cpu.len().saturating_sub(KEPT));
        self.memory.drain(..self.memory.len().saturating_sub(KEPT));
    }

    /// The least and the most CPU of what is kept, in percent of a core.
    pub fn cpu_range(&self) -> Option<Range<f32>> {
        let seen = || self.cpu.iter().copied().flatten();
        Some(Range { least: seen().reduce(f32::min)?, most: seen().reduce(f32::max)? })
    }

    /// The least and the most memory.
    pub fn memory_range(&self) -> Option<Range<u64>> {
        let seen = || self.memory.iter().copied().flatten();
        Some(Range { least: seen().min()?, most: seen().max()? })
    }

    /// CPU in so many cells, the last one on the right. From nothing to the most.
    pub fn cpu(&self, cells: usize, ascii: bool) -> String {
        let most = self.cpu_range().map_or(LEAST_CPU, |range| range.most.max(LEAST_CPU));
        drawn(&self.cpu, cells, ascii, |percent| percent / most)
    }

    /// Memory in so many cells. From the least to the most, unless those are nearly the same: it is the trend that
    /// matters, and a leak is a small part of the whole for a long time.
    pub fn memory(&self, cells: usize, ascii: bool) -> String {
        let range = self.memory_range().unwrap_or(Range { least: 0, most: 0 });
        let span = (range.most - range.least).max(range.most / 16).max(1);
        drawn(&self.memory, cells, ascii, |bytes| (bytes - range.least) as f32 / span as f32)
    }
}

fn drawn<T: Copy>(values: &VecDeque<Option<T>>, cells: usize, ascii: bool, share: impl Fn(T) -> f32) -> String {
    let bars = if ascii { ASCII } else { UNICODE };
    let missing = cells.saturating_sub(values.len());
    let shown = values.iter().skip(values.len().saturating_sub(cells));
    let bar = |value: &Option<T>| match value {
        Some(value) => bars[((share(*value).clamp(0.0, 1.0) * 7.0).round() as usize).min(7)],
        None => bars[8],
    };
    std::iter::repeat_n(bars[8], missing).chain(shown.map(bar)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::state::State;
    use crate::tui::text;
    use std::time::Duration;

    fn at(seconds: u64) -> Moment {
        Moment::at(Duration::from_secs(seconds))
    }

    fn bot(name: &str, cpu_percent: Option<f32>, memory_bytes: Option<u64>) -> BotStatus {
        BotStatus {
            name: name.parse().expect("a name"),
            groups: vec![],
            mode: None,
            state: State::Running,
            was: None,
            since: None,
            pid: None,
            keeper_pid: None,
            started_at: None,
            uptime_s: None,
            restarts: None,
            failures: None,
            next_try_at: None,
            last_exit: None,
            heartbeat_age_s: None,
            cpu_percent,
            memory_bytes,
            processes: None,
            orders_active: None,
            orders_read_at: None,
            strays: vec![],
            note: String::new(),
            configured: true,
            give_up_after: 5,
            run: None,
        }
    }

    fn trend<'a>(trends: &'a Trends, name: &str) -> &'a Trend {
        trends.of(&name.parse().expect("a name")).expect("a trend")
    }

    #[test]
    fn a_bucket_holds_the_most_and_shows_when_it_is_over() {
        let mut trends = Trends::default();
        for (second, cpu) in [(100, 1.0), (104, 100.0), (109, 3.0)] {
            trends.take(&[bot("a", Some(cpu), Some(7))], at(second));
            assert_eq!(trend(&trends, "a").cpu(4, false), "····", "nothing is over yet");
        }
        trends.take(&[bot("a", Some(50.0), Some(7))], at(110));
        assert_eq!(trend(&trends, "a").cpu(4, false), "···█");
        trends.take(&[bot("a", Some(50.0), Some(7))], at(119));
        assert_eq!(trend(&trends, "a").cpu(4, false), "···█", "it changes once in ten seconds");
        trends.take(&[bot("a", Some(0.0), Some(7))], at(120));
        assert_eq!(trend(&trends, "a").cpu(4, false), "··█▅");
        assert_eq!(trend(&trends, "a").cpu(2, true), "#+");
    }

    #[test]
    fn what_was_not_seen_is_a_gap_and_no_zero() {
        let mut trends = Trends::default();
        trends.take(&[bot("a", Some(5.0), None)], at(100));
        trends.take(&[bot("a", None, None)], at(110));
        trends.take(&[bot("a", Some(0.0), None)], at(140));
        trends.take(&[bot("a", Some(0.0), None)], at(150));
        assert_eq!(trend(&trends, "a").cpu(6, false), "·█···▁");
        assert_eq!(trend(&trends, "a").memory_range(), None);
        assert_eq!(trend(&trends, "a").memory(3, true), "...");
    }

    #[test]
    fn a_bot_that_is_gone_is_forgotten_and_the_rings_are_bounded() {
        let mut trends = Trends::default();
        let many: Vec<BotStatus> = (0..300).map(|n| bot(&format!("b{n}"), Some(1.0), Some(n))).collect();
        for second in 0..2000 {
            trends.take(&many, at(second * 5));
        }
        assert_eq!(trend(&trends, "b7").cpu.len(), KEPT);
        trends.take(&many, at(10_000_000));
        assert!(trend(&trends, "b7").cpu.len() <= KEPT);
        trends.take(&many[..1], at(10_000_001));
        assert_eq!(trends.of.len(), 1);
    }

    #[test]
    fn memory_shows_its_trend_and_noise_stays_flat() {
        let mut trends = Trends::default();
        for (n, bytes) in [1000_u64, 1010, 1000, 1005].into_iter().enumerate() {
            trends.take(
                &[bot("flat", None, Some(bytes)), bot("leak", None, Some(1000 * (n as u64 + 1)))],
                at(n as u64 * 10),
            );
        }
        trends.take(&[bot("flat", None, Some(1000)), bot("leak", None, Some(1))], at(40));
        assert_eq!(trend(&trends, "leak").memory(4, false), "▁▃▆█");
        assert_eq!(trend(&trends, "flat").memory(4, false), "▁▂▁▂");
    }

    #[test]
    fn every_bar_is_one_cell_and_those_of_ascii_are_ascii() {
        for bar in UNICODE.iter().chain(&ASCII) {
            assert_eq!(text::width(&bar.to_string()), 1, "{bar}");
        }
        assert!(ASCII.iter().all(char::is_ascii));
    }
}
