//! Who works on the chunks of a small parameter sweep: claims one, takes some seconds for it, and says what became of it.
//!
//! Told to stop in the middle of one, it leaves it as it is, as real ones do: the file goes on saying "running".

use std::process::ExitCode;
use std::time::Duration;

use crate::process::MARK;

use super::sweep::{Claimed, Outcome, Sweep, told};
use super::voice::Voice;
use super::waiter::Waiter;

/// A chunk takes so many steps of this time.
const STEPS: std::ops::RangeInclusive<u32> = 3..=6;
const STEP: Duration = Duration::from_secs(1);
/// Nothing waits, or there is no table yet.
const IDLE: Duration = Duration::from_secs(1);
/// One chunk of so many fails.
const FAILS: u32 = 12;

const WHY: &str = "ValueError: window is longer than the history (simulated)";

struct Worker {
    name: String,
    voice: Voice,
    waiter: Waiter,
}

/// Told to stop.
struct Stop;

/// Its whole life.
pub(super) fn live() -> Result<ExitCode, String> {
    let waiter = Waiter::listen().map_err(|error| format!("cannot hear signals: {error}"))?;
    let [_, bot, ..] = MARK;
    let name = std::env::var(bot).map_err(|_| "nobody says which bot this is".to_owned())?;
    let mut worker = Worker { name, voice: Voice::new("worker"), waiter };
    worker.voice.info("starting, simulated parameter sweep");
    worker.voice.tell("READY=1\nSTATUS=waits for the coordinator");
    let Err(Stop) = worker.work();
    worker.voice.tell("STOPPING=1");
    Ok(ExitCode::SUCCESS)
}

impl Worker {
    fn work(&mut self) -> Result<std::convert::Infallible, Stop> {
        let mut sweep = self.table()?;
        loop {
            match sweep.claim(&self.name) {
                Ok(Some(chunk)) => self.carry_out(&sweep, &chunk)?,
                Ok(None) => {
                    self.voice.tell("WATCHDOG=1\nSTATUS=no chunk waits");
                    self.pause(IDLE)?;
                }
                Err(error) => {
                    self.voice.warning(&told(&error));
                    self.pause(IDLE)?;
                }
            }
        }
    }

    /// Waits for the coordinator to make it.
    fn table(&mut self) -> Result<Sweep, Stop> {
        loop {
            match Sweep::open() {
                Ok(Some(sweep)) => return Ok(sweep),
                Ok(None) => {}
                Err(error) => self.voice.warning(&told(&error)),
            }
            self.pause(IDLE)?;
        }
    }

    fn carry_out(&mut self, sweep: &Sweep, chunk: &Claimed) -> Result<(), Stop> {
        let Claimed { id, combinations, parameters } = chunk;
        self.voice.info(&format!("chunk {id} claimed: {combinations} combinations around {parameters}"));
        let steps = fastrand::u32(STEPS);
        for step in 1..=steps {
            let done = combinations * i64::from(step) / i64::from(steps);
            self.voice.tell(&format!("WATCHDOG=1\nSTATUS=chunk {id}, step {step} of {steps}"));
            if self.waiter.wait(STEP) {
                self.voice.info(&format!("SIGTERM received in the middle of chunk {id}: leaving it as it is"));
                return Err(Stop);
            }
            let ours = sweep.proceed(&self.name, *id, done);
            if !self.is_ours(ours, *id) {
                return Ok(());
            }
        }
        let outcome =
            if fastrand::u32(..FAILS) == 0 { Outcome::Failed(WHY) } else { Outcome::Completed(fastrand::f64() * 3.0) };
        let ours = sweep.end(&self.name, *id, outcome);
        if self.is_ours(ours, *id) {
            match outcome {
                Outcome::Completed(best) => self.voice.info(&format!("chunk {id} completed, best Sharpe {best:.2}")),
                Outcome::Failed(why) => self.voice.error(&format!("chunk {id} failed: {why}")),
            }
        }
        Ok(())
    }

    /// Whether the chunk is still this worker's: somebody may have put it back meanwhile.
    fn is_ours(&self, ours: rusqlite::Result<bool>, id: i64) -> bool {
        match ours {
            Ok(true) => true,
            Ok(false) => {
                self.voice.warning(&format!("chunk {id} was put back by somebody: giving it up"));
                false
            }
            Err(error) => {
                self.voice.warning(&told(&error));
                false
            }
        }
    }

    fn pause(&mut self, time: Duration) -> Result<(), Stop> {
        if self.waiter.wait(time) { Err(Stop) } else { Ok(()) }
    }
}
