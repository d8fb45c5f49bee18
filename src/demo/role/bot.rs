//! One simulated bot: a single thread that waits, trades a little, and in the end does what its kind does.

use std::process::ExitCode;
use std::time::Duration;

use crate::clock;
use crate::core::moment::Moment;

use super::book::Book;
use super::errand::{Errand, Kind};
use super::market::Market;
use super::order::{Order, Refuses, Side, Status};
use super::venue::TOO_MANY;
use super::voice::Voice;
use super::waiter::Waiter;

/// The time between two heartbeats.
const BEAT: Duration = Duration::from_secs(2);
/// A flaky one lives this long, in seconds.
const FLAKY_LIFE: std::ops::RangeInclusive<u64> = 20..=60;
/// Loading markets is told in this many steps.
const WARMUP_STEPS: u32 = 8;

/// What a simulated exchange client raises when its venue hangs up.
const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "flaky/main_loop.py", line 214, in run_forever
    self.run_once()
  File "flaky/main_loop.py", line 171, in run_once
    fills = self.venue.fetch_fills(since=self.cursor)
  File "flaky/venue.py", line 88, in fetch_fills
    raise VenueError(response.status, response.reason)
flaky.venue.VenueError: 502 Bad Gateway (simulated)
"#;

/// A simulated bot.
pub(super) struct Bot {
    errand: Errand,
    voice: Voice,
    waiter: Waiter,
    market: Market,
    book: Book,
    turn: u32,
}

impl Bot {
    /// Opens its file. What an earlier run left open is taken back first.
    pub(super) fn new(errand: Errand) -> Result<Self, String> {
        let waiter = Waiter::listen().map_err(|error| format!("cannot hear signals: {error}"))?;
        let voice = Voice::new(errand.kind.word());
        let market = errand.kind.market();
        voice.info(&format!("starting, {} {}, simulated venue", mode(errand.kind), market.symbol));
        let (mut book, left) = Book::open(errand.kind)?;
        // From now on the file says that nothing is open, rather than nothing at all.
        book.write().map_err(|why| format!("cannot write its orders: {why}"))?;
        if left > 0 {
            voice.warning(&format!("reconcile: {left} orders of the last run were still open, canceled"));
        }
        Ok(Self { errand, voice, waiter, market, book, turn: 0 })
    }

    /// Lives until it is told to stop, or dies of itself.
    pub(super) fn live(mut self) -> ExitCode {
        if self.warm_up() {
            return self.shut_down();
        }
        self.open_orders();
        self.voice.tell(&format!("READY=1\n{}", self.status()));
        let dies = self.dies();
        let (mut turn, mut beat) = (clock::now(), clock::now());
        loop {
            let now = clock::now();
            if dies.is_some_and(|dies| dies <= now) {
                return self.crash();
            }
            if turn <= now {
                turn = now.plus(self.errand.kind.pace());
                self.trade();
            }
            if self.errand.kind.beats() && beat <= now {
                beat = now.plus(BEAT);
                self.voice.tell(&format!("WATCHDOG=1\n{}", self.status()));
            }
            let next = [Some(turn), self.errand.kind.beats().then_some(beat), dies].into_iter().flatten().min();
            let time = next.unwrap_or(turn).since(clock::now());
            if self.waiter.wait(time) {
                match self.errand.kind {
                    Kind::Stubborn => self.voice.warning("SIGTERM received and ignored: the position is not flat yet"),
                    Kind::Liar => return self.pretend(),
                    Kind::Maker
                    | Kind::Trend
                    | Kind::Arb
                    | Kind::Flaky
                    | Kind::SlowStart
                    | Kind::SlowStop
                    | Kind::Refuser => return self.shut_down(),
                }
            }
        }
    }

    /// Takes its time before it is ready; true if it is told to stop meanwhile.
    fn warm_up(&mut self) -> bool {
        if self.errand.warmup.is_zero() {
            return false;
        }
        for step in 1..=WARMUP_STEPS {
            self.voice.info(&format!("loading markets {step}/{WARMUP_STEPS}"));
            self.voice.tell(&format!("STATUS=loading markets {step}/{WARMUP_STEPS}"));
            if self.waiter.wait(self.errand.warmup / WARMUP_STEPS) {
                return true;
            }
        }
        false
    }

    fn dies(&self) -> Option<Moment> {
        match self.errand.kind {
            Kind::Flaky => {
                let life = self.errand.life.unwrap_or_else(|| Duration::from_secs(fastrand::u64(FLAKY_LIFE)));
                Some(clock::now().plus(life))
            }
            Kind::Maker
            | Kind::Trend
            | Kind::Arb
            | Kind::SlowStart
            | Kind::SlowStop
            | Kind::Stubborn
            | Kind::Refuser
            | Kind::Liar => None,
        }
    }

    fn status(&self) -> String {
        let open = self.book.open_orders().count();
        let price = self.market.text(self.market.away(0.0));
        let orders = match open {
            0 => String::new(),
            1 => ", 1 open order".to_owned(),
            _ => format!(", {open} open orders"),
        };
        format!("STATUS={} at {price}{orders}\nX_ORDERS_ACTIVE={open}", self.market.symbol)
    }

    /// Places its first orders, half of them on each side.
    fn open_orders(&mut self) {
        for number in 0..self.errand.kind.orders() {
            let (side, steps) = self.slot(number);
            let id = self.place(side, steps);
            self.book.refuse(&id, self.errand.kind.refuses(number));
        }
        self.write();
    }

    /// The side and the distance of the order that stands at this place of the book.
    fn slot(&self, number: usize) -> (Side, f64) {
        let side = if number.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let steps = match (self.errand.kind, side) {
            // A trend follower lets its profits run.
            (Kind::Trend, Side::Sell) => 24.0,
            (
                Kind::Trend
                | Kind::Maker
                | Kind::Arb
                | Kind::Flaky
                | Kind::SlowStart
                | Kind::SlowStop
                | Kind::Stubborn
                | Kind::Refuser
                | Kind::Liar,
                Side::Buy | Side::Sell,
            ) => 1.0 + (number / 2) as f64 * 2.0,
        };
        (side, steps)
    }

    /// Places an order, and says its id.
    fn place(&mut self, side: Side, steps: f64) -> String {
        let price = self.market.away(match side {
            Side::Buy => -steps,
            Side::Sell => steps,
        });
        let order = self.book.place(&self.market, side, self.market.size, price);
        self.voice.info(&format!(
            "order ack id={} side={} qty={} px={}",
            order.id,
            order.side.word(),
            order.quantity,
            self.market.text(order.price)
        ));
        order.id
    }

    fn write(&mut self) {
        if let Err(why) = self.book.write() {
            self.voice.error(&format!("cannot write its orders: {why}"));
        }
    }

    /// One thing that a bot of its kind does every few seconds.
    fn trade(&mut self) {
        self.market.step();
        self.turn += 1;
        match self.errand.kind {
            Kind::Maker | Kind::SlowStart | Kind::SlowStop => self.make(),
            Kind::Trend => self.follow(),
            Kind::Arb => {
                let spread = f64::from(self.market.below(90) as u32) / 1000.0;
                self.voice.info(&format!("no opportunity: best of 3 routes {spread:.3} %, fees 0.120 %"));
            }
            Kind::Flaky => {
                self.quote();
                if self.market.once_in(4) {
                    let rtt = 500 + self.market.below(600);
                    self.voice.warning(&format!("ws ping rtt {rtt} ms (limit 500 ms)"));
                }
            }
            Kind::Refuser | Kind::Liar => self.quote(),
            Kind::Stubborn => self.voice.info("waiting for the position to be flat: 2000 DOGE left"),
        }
    }

    fn quote(&mut self) {
        let (bid, ask) = (self.market.text(self.market.away(-1.0)), self.market.text(self.market.away(1.0)));
        self.voice.info(&format!("quote refresh {} bid={bid} ask={ask}", self.market.symbol));
    }

    /// A market maker: quotes, is filled where the price has come to an order, and moves others after it.
    fn make(&mut self) {
        self.quote();
        let price = self.market.away(0.0);
        let reached = self.book.open_orders().find(|order| order.is_reached(price)).cloned();
        if let Some(order) = reached {
            let (side, px) = (order.side.word(), self.market.text(order.price));
            self.voice.info(&format!("fill id={} side={side} qty={} px={px}", order.id, order.quantity));
            self.replace(&order, Status::Filled);
        } else if self.market.once_in(4) {
            let far = |order: &Order| (order.price - price).abs();
            let farthest = self.book.open_orders().max_by(|a, b| far(a).total_cmp(&far(b))).cloned();
            if let Some(order) = farthest {
                self.voice.info(&format!("requote: canceled id={} px={}", order.id, self.market.text(order.price)));
                self.replace(&order, Status::Canceled);
            }
        } else if self.turn.is_multiple_of(7) {
            let open = self.book.open_orders().count();
            self.voice.info(&format!("reconcile: {open} local / {open} venue, 0 diff"));
        }
    }

    /// Ends an order and places the next on its side: in the file, both at once.
    fn replace(&mut self, order: &Order, status: Status) {
        self.book.forget_ended();
        self.book.end(&order.id, status);
        let steps = 1.0 + self.market.below(4) as f64;
        self.place(order.side, steps);
        self.write();
    }

    /// A trend follower: looks at candles, and moves its entry after the price until a part of it is filled.
    fn follow(&mut self) {
        let price = self.market.away(0.0);
        let close = self.market.text(price);
        let (fast, slow) = (self.market.text(self.market.away(0.6)), self.market.text(self.market.away(-0.8)));
        let symbol = self.market.symbol;
        self.voice.info(&format!("{symbol} candle close={close} ema_fast={fast} ema_slow={slow}, no signal"));
        if self.turn.is_multiple_of(12) {
            let pid = std::process::id();
            self.voice.info(&format!("Bot heartbeat. PID={pid}, version='2026.9', state='RUNNING'"));
        }
        let entry = self.book.open_orders().find(|order| order.side == Side::Buy && order.filled <= 0.0).cloned();
        let Some(entry) = entry else { return };
        if entry.is_reached(price) {
            self.book.fill_a_part(&entry.id, 0.4);
            self.voice.info(&format!("entry id={} filled 40 % at {}", entry.id, self.market.text(entry.price)));
            self.write();
        } else if self.turn.is_multiple_of(6) {
            self.voice.info(&format!("entry id={} timed out, moving it after the price", entry.id));
            self.replace(&entry, Status::Canceled);
        }
    }

    /// What the whole demo is about: a bot that dies of a bug.
    fn crash(&self) -> ExitCode {
        self.voice.error("unhandled exception in the main loop, giving up");
        self.voice.raw(TRACEBACK);
        ExitCode::FAILURE
    }

    /// Cancels its orders and says so, in the words of 247trader.
    fn shut_down(mut self) -> ExitCode {
        self.voice.tell("STOPPING=1\nSTATUS=canceling orders");
        self.voice.main("WARNING", "SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown");
        self.voice.main("INFO", "Step 1: Canceling active orders...");
        if self.errand.kind == Kind::Arb {
            self.voice.main("INFO", "DRY_RUN mode - skipping order cancellation");
            return ExitCode::SUCCESS;
        }
        if let Err(why) = self.book.take_in() {
            self.voice.error(&format!("cannot read its orders: {why}"));
        }
        self.book.forget_ended();
        let open: Vec<Order> = self.book.open_orders().cloned().collect();
        let (canceled, errors) = self.cancel(&open);
        self.voice.main("INFO", "Step 2: Flushing StateStore to disk...");
        let flushed = match self.book.write() {
            Ok(()) => true,
            Err(why) => {
                self.voice.main("ERROR", &format!("Failed to flush the StateStore: {why}"));
                false
            }
        };
        self.say_last_words(canceled, errors, errors, flushed);
        ExitCode::SUCCESS
    }

    /// Says what a bot says that has canceled and written down everything, and does nothing of it.
    fn pretend(self) -> ExitCode {
        let open = self.book.open_orders().count();
        self.voice.tell("STOPPING=1\nSTATUS=canceling orders");
        self.voice.main("WARNING", "SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown");
        self.voice.main("INFO", "Step 1: Canceling active orders...");
        self.voice.main("INFO", &format!("Found {open} active orders to cancel"));
        self.voice.main("INFO", &format!("Batch canceled {open} orders"));
        self.voice.main("INFO", "Step 2: Flushing StateStore to disk...");
        self.say_last_words(open, 0, 0, true);
        ExitCode::SUCCESS
    }

    /// The last words of 247trader.
    fn say_last_words(&self, canceled: usize, errors: usize, active: usize, flushed: bool) {
        self.voice.tell(&format!(
            "X_ORDERS_ACTIVE={active}\nX_ORDERS_CANCELED={canceled}\nX_CANCEL_ERRORS={errors}\nX_STATE_FLUSHED={}",
            u8::from(flushed)
        ));
        self.voice.main("INFO", "GRACEFUL SHUTDOWN COMPLETE");
        self.voice.main("INFO", &format!("  Orders canceled: {canceled}"));
        self.voice.main("INFO", &format!("  Cancel errors: {errors}"));
        self.voice.main("INFO", &format!("  State flushed: {}", if flushed { "True" } else { "False" }));
    }

    /// Takes its orders back: at once, or one by one where each takes its time. How many, and how many errors.
    fn cancel(&mut self, open: &[Order]) -> (usize, usize) {
        if open.is_empty() {
            self.voice.main("INFO", "No active orders to cancel");
            return (0, 0);
        }
        self.voice.main("INFO", &format!("Found {} active orders to cancel", open.len()));
        for order in open {
            self.voice.main("INFO", &format!("  - {} {} (order_id={})", order.symbol, order.side.word(), order.id));
        }
        let batches: Vec<&[Order]> = if self.errand.pause.is_zero() { vec![open] } else { open.chunks(1).collect() };
        let (mut canceled, mut errors) = (0, 0);
        for batch in batches {
            self.take_time();
            let (batch, refused): (Vec<&Order>, Vec<&Order>) =
                batch.iter().partition(|order| order.refuses == Refuses::Never);
            errors += refused.len();
            for order in refused {
                self.voice.main("ERROR", &format!("Failed to cancel order {}: {TOO_MANY}", order.id));
            }
            for order in &batch {
                self.book.end(&order.id, Status::Canceled);
            }
            match self.book.write() {
                Ok(()) if batch.is_empty() => {}
                Ok(()) => {
                    canceled += batch.len();
                    self.tell_canceled(&batch, canceled, open.len());
                }
                Err(why) => {
                    errors += batch.len();
                    for order in batch {
                        self.voice.main("ERROR", &format!("Failed to cancel order {}: {why}", order.id));
                    }
                }
            }
        }
        (canceled, errors)
    }

    /// A venue that answers slowly. Signals meanwhile change nothing: it is stopping already.
    fn take_time(&mut self) {
        let until = clock::now().plus(self.errand.pause);
        while !until.since(clock::now()).is_zero() {
            self.waiter.wait(until.since(clock::now()));
        }
    }

    fn tell_canceled(&self, batch: &[&Order], canceled: usize, of: usize) {
        match batch {
            [order] if of > 1 => {
                self.voice.main("INFO", &format!("Canceled order {} ({canceled} of {of})", order.id));
            }
            batch => self.voice.main("INFO", &format!("Batch canceled {} orders", batch.len())),
        }
        self.voice.tell(&format!(
            "STATUS=canceled {canceled} of {of} orders\nX_ORDERS_CANCELED={canceled}\nX_ORDERS_ACTIVE={}",
            of - canceled
        ));
    }
}

const fn mode(kind: Kind) -> &'static str {
    match kind {
        Kind::Arb => "dry-run on",
        Kind::Maker
        | Kind::Trend
        | Kind::Flaky
        | Kind::SlowStart
        | Kind::SlowStop
        | Kind::Stubborn
        | Kind::Refuser
        | Kind::Liar => "paper trading",
    }
}
