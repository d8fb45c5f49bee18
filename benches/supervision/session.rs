//! One supervisor at work in a folder of its own: started, watched, and gone with everything it started.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::clock::{self, Nanos};
use crate::ears::{Ears, Word};
use crate::hands::{self, Hands};
use crate::place::{Place, Plan};
use crate::proc::{self, Held};
use crate::subjects::Subject;

/// No bot is waited for any longer.
const PATIENCE: Duration = Duration::from_secs(45);

/// A bot that has said that it executes.
#[derive(Debug)]
pub struct Life {
    /// Its name.
    pub bot: String,
    /// Since when it executes.
    pub at: Nanos,
    /// Its process.
    pub process: Held,
}

/// A supervisor and its bots.
pub struct Session<'a> {
    hands: &'a Hands,
    subject: &'a dyn Subject,
    /// Its folder.
    pub place: Place,
    ears: Ears,
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        hands::end_everything();
        self.subject.tidy(&self.place);
    }
}

impl<'a> Session<'a> {
    /// Writes what the supervisor reads; nothing is started.
    pub fn prepare(hands: &'a Hands, subject: &'a dyn Subject, plan: Plan) -> Result<Self, String> {
        let place = Place::new(hands.folder(), plan)?;
        let ears = Ears::open(&place.fifo())?;
        subject.configure(&place)?;
        Ok(Self { hands, subject, place, ears })
    }

    /// A supervisor that is ready to be told something; with the lives of its bots, if they run from the beginning.
    pub fn open(hands: &'a Hands, subject: &'a dyn Subject, plan: Plan) -> Result<(Self, Vec<Life>), String> {
        let mut session = Self::prepare(hands, subject, plan)?;
        session.launch()?;
        let lives = if plan.autostart { session.hear(plan.bots)? } else { Vec::new() };
        let until = Instant::now() + PATIENCE;
        while !subject.is_ready(&session.place, hands) {
            if Instant::now() > until {
                return Err("it does not come up".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok((session, lives))
    }

    /// Starts the supervisor, and its bots if they run from the beginning.
    pub fn launch(&mut self) -> Result<(), String> {
        self.subject.launch(&self.place, self.hands)
    }

    /// Asks for a start; comes back with the command.
    pub fn start(&self, bots: &[String]) -> Result<(), String> {
        self.subject.start(&self.place, self.hands, bots)
    }

    /// Asks for a stop; comes back with the command.
    pub fn stop(&self, bots: &[String]) -> Result<(), String> {
        self.subject.stop(&self.place, self.hands, bots)
    }

    /// What an operator does after the death of a bot's parent.
    pub fn relaunch(&self) -> Result<(), String> {
        self.subject.relaunch(&self.place, self.hands)
    }

    /// The next `count` bots that come to execute.
    pub fn hear(&self, count: usize) -> Result<Vec<Life>, String> {
        let until = Instant::now() + PATIENCE;
        let mut lives = Vec::with_capacity(count);
        while lives.len() < count {
            match self.ears.hear(until) {
                Some(Word::Up { bot, pid, at }) => match Held::ours(pid) {
                    Some(process) => lives.push(Life { bot, at, process }),
                    None => return Err(format!("bot {bot} is gone as soon as it executes")),
                },
                Some(Word::Wrote(_) | Word::Told(_) | Word::Cancels(_) | Word::Canceled(_)) => {}
                None => return Err(format!("{} of {count} bots execute after {PATIENCE:?}", lives.len())),
            }
        }
        Ok(lives)
    }

    /// Bots that have come to execute and that nobody waited for.
    pub fn uncalled(&self) -> Vec<Held> {
        self.ears
            .pending()
            .filter_map(|word| match word {
                Word::Up { pid, .. } => Held::ours(pid),
                Word::Wrote(_) | Word::Told(_) | Word::Cancels(_) | Word::Canceled(_) => None,
            })
            .collect()
    }

    /// Whatever was said and nobody has waited for.
    pub fn overheard(&self) -> Vec<Word> {
        self.ears.pending().collect()
    }

    /// How many lines a bot has written.
    pub fn hear_lines(&self) -> Result<u64, String> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.ears.hear(until) {
                Some(Word::Wrote(lines)) => return Ok(lines),
                Some(Word::Up { .. } | Word::Told(_) | Word::Cancels(_) | Word::Canceled(_)) => {}
                None => return Err("the bot does not say how much it wrote".into()),
            }
        }
    }

    /// Every process that is there because of the supervisor, its bots left out.
    pub fn supervision(&self, lives: &[Life]) -> Vec<i32> {
        let bots: HashSet<i32> = lives.iter().map(|life| life.process.pid()).collect();
        let apart = self.subject.apart();
        proc::descendants(std::process::id() as i32, &bots)
            .into_iter()
            .filter(|pid| !apart.contains(&proc::short_name(*pid).as_str()))
            .collect()
    }

    /// Reads a bot's log and counts the lines in it that are not as the bot wrote them, from the first to the last.
    pub fn faults_in_log(&self, bot: &str, lines: u64) -> Result<u64, String> {
        let mut command = self.subject.log(&self.place, bot)?;
        let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
        self.hands.launch(command.stdout(writer).stderr(Stdio::null()))?;
        // The command's own copy of the writing end would keep the pipe open for ever.
        drop(command);
        let mut next = 0;
        let mut faults = 0;
        for line in BufReader::with_capacity(1 << 20, reader).split(b'\n') {
            let line = line.map_err(|error| error.to_string())?;
            // A terminal puts it there; nothing is lost by it.
            let line = line.strip_suffix(b"\r").unwrap_or(&line);
            let number = line.get(..12).and_then(|text| std::str::from_utf8(text).ok()?.parse::<u64>().ok());
            match number.filter(|_| line.len() == 63) {
                Some(number) if number == next => next += 1,
                Some(number) if number > next => {
                    faults += number - next;
                    next = number + 1;
                }
                // Torn, there twice, or out of order.
                Some(_) | None => faults += 1,
            }
        }
        Ok(faults + lines.saturating_sub(next))
    }

    /// How the supervisor says that a bot ended, if it says so at all.
    pub fn reported_exit(&self, bot: &str) -> Option<i64> {
        self.subject.reported_exit(&self.place, self.hands, bot)
    }
}

/// Kills a process of ours and gives the moment before.
pub fn kill(process: &Held) -> Nanos {
    let at = clock::now();
    process.signal(Signal::KILL);
    at
}

/// When the last of these bots had ended.
pub fn all_ended(lives: &[Life]) -> Result<Nanos, String> {
    let until = Instant::now() + PATIENCE;
    lives
        .iter()
        .map(|life| life.process.ended(until).ok_or_else(|| format!("bot {} still executes", life.bot)))
        .try_fold(0, |latest, ended| Ok(latest.max(ended?)))
}
