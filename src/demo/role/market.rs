//! A price that wanders.

use fastrand::Rng;

/// One market of the simulated venue.
#[derive(Debug)]
pub(super) struct Market {
    /// Base and quote.
    pub(super) symbol: &'static str,
    /// The usual size of an order.
    pub(super) size: f64,
    price: f64,
    decimals: usize,
    dice: Rng,
}

impl Market {
    /// A market at this price. The same seed wanders the same way.
    pub(super) fn new(symbol: &'static str, price: f64, decimals: usize, size: f64, seed: &str) -> Self {
        // FNV-1a: the same on every machine, which a standard hasher does not promise.
        let seed = seed
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { symbol, size, price, decimals, dice: Rng::with_seed(seed) }
    }

    /// One step of the walk.
    pub(super) fn step(&mut self) {
        self.price *= 1.0 + (self.dice.f64() - 0.5) * 0.0016;
    }

    /// The price this many steps of 0.05 % away from the middle.
    pub(super) fn away(&self, steps: f64) -> f64 {
        let unit = 10_f64.powi(self.decimals as i32);
        (self.price * (1.0 + steps * 0.0005) * unit).round() / unit
    }

    /// A price as this market writes it.
    pub(super) fn text(&self, price: f64) -> String {
        format!("{price:.*}", self.decimals)
    }

    /// True once in `of` times.
    pub(super) fn once_in(&mut self, of: u32) -> bool {
        self.dice.u32(..of) == 0
    }

    /// A whole number below this.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.dice.usize(..end.max(1))
    }
}
