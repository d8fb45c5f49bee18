//! Which bot to play, as the command line says it.

use std::time::Duration;

use crate::config::parse_duration;

use super::market::Market;
use super::order::Refuses;

/// The kinds of simulated bots. Each shows one thing that a supervisor has to deal with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Everything as it should be.
    Maker,
    /// As it should be, with freqtrade's tables.
    Trend,
    /// Quiet, and in dry-run.
    Arb,
    /// Crashes after a while.
    Flaky,
    /// Takes its time to be ready.
    SlowStart,
    /// Takes its time to stop.
    SlowStop,
    /// Does not stop.
    Stubborn,
    /// Its venue refuses to cancel.
    Refuser,
    /// Says that all is well, and nothing is.
    Liar,
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Maker,
        Self::Trend,
        Self::Arb,
        Self::Flaky,
        Self::SlowStart,
        Self::SlowStop,
        Self::Stubborn,
        Self::Refuser,
        Self::Liar,
    ];

    /// Its word on the command line, and the name of its logger.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Trend => "trend",
            Self::Arb => "arb",
            Self::Flaky => "flaky",
            Self::SlowStart => "slow-start",
            Self::SlowStop => "slow-stop",
            Self::Stubborn => "stubborn",
            Self::Refuser => "refuser",
            Self::Liar => "liar",
        }
    }

    /// How many orders it keeps open.
    pub(super) const fn orders(self) -> usize {
        match self {
            Self::Maker | Self::SlowStop => 4,
            Self::Refuser => 3,
            Self::Trend | Self::Stubborn | Self::Liar => 2,
            Self::SlowStart => 1,
            Self::Arb | Self::Flaky => 0,
        }
    }

    /// The time between two things that it does.
    pub(super) const fn pace(self) -> Duration {
        Duration::from_millis(match self {
            Self::Maker => 1500,
            Self::Trend => 5000,
            Self::Arb => 20_000,
            Self::Flaky => 2500,
            Self::SlowStart | Self::SlowStop => 3000,
            Self::Stubborn | Self::Refuser | Self::Liar => 4000,
        })
    }

    /// Whether it sends heartbeats.
    pub(super) const fn beats(self) -> bool {
        match self {
            Self::Maker | Self::Trend | Self::SlowStart | Self::SlowStop | Self::Refuser | Self::Liar => true,
            Self::Arb | Self::Flaky | Self::Stubborn => false,
        }
    }

    /// How often its venue will refuse to cancel the order at this place of its book.
    pub(super) const fn refuses(self, number: usize) -> Refuses {
        match (self, number) {
            (Self::Refuser, 1) => Refuses::Times(1),
            (Self::Refuser, 2) => Refuses::Always,
            (
                Self::Maker
                | Self::Trend
                | Self::Arb
                | Self::Flaky
                | Self::SlowStart
                | Self::SlowStop
                | Self::Stubborn
                | Self::Refuser
                | Self::Liar,
                _,
            ) => Refuses::Never,
        }
    }

    /// What it trades.
    pub(super) fn market(self) -> Market {
        let (symbol, price, decimals, size) = match self {
            Self::Maker => ("ETH/USD", 2411.8, 2, 0.75),
            Self::Trend => ("BTC/USDT", 61_480.0, 1, 0.015),
            Self::Arb => ("ETH/BTC", 0.039_22, 5, 1.0),
            Self::Flaky => ("SOL/USD", 142.3, 2, 10.0),
            Self::SlowStart => ("ADA/USD", 0.3812, 4, 500.0),
            Self::SlowStop => ("LTC/USD", 71.42, 2, 3.0),
            Self::Stubborn => ("DOGE/USD", 0.1204, 4, 2000.0),
            Self::Refuser => ("LINK/USD", 13.42, 3, 40.0),
            Self::Liar => ("XRP/USD", 0.5342, 4, 1500.0),
        };
        // Each bot wanders in its own way, and in another one after each restart.
        let seed = format!("{} {}", self.word(), std::process::id());
        Market::new(symbol, price, decimals, size, &seed)
    }
}

/// A kind, and what the command line changes about it.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    /// What to play.
    pub(super) kind: Kind,
    /// `--life`: how long a flaky one lives; else it rolls dice.
    pub(super) life: Option<Duration>,
    /// `--warmup`: how long before it is ready.
    pub(super) warmup: Duration,
    /// `--pause`: how long each cancel takes when it is stopped.
    pub(super) pause: Duration,
}

impl Errand {
    /// Reads `KIND [--life TIME] [--warmup TIME] [--pause TIME]`.
    pub(super) fn read(arguments: &[String]) -> Result<Self, String> {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        let (word, options) =
            arguments.split_first().ok_or_else(|| format!("which kind? One of {}", kinds.join(", ")))?;
        let kind = Kind::ALL
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| format!("no kind {word:?}; there are {}", kinds.join(", ")))?;
        let mut errand = Self { kind, life: None, warmup: Duration::ZERO, pause: Duration::ZERO };
        for option in options.chunks(2) {
            let [name, value] = option else { return Err(format!("{} needs a time", option.concat())) };
            let time = parse_duration(value).map_err(|why| format!("{name} {value}: {why}"))?;
            match name.as_str() {
                "--life" => errand.life = Some(time),
                "--warmup" => errand.warmup = time,
                "--pause" => errand.pause = time,
                other => return Err(format!("no option {other:?}; there are --life, --warmup and --pause")),
            }
        }
        Ok(errand)
    }
}
