//! The bot: this very program in another role, the same for every supervisor. It says over a FIFO when it came to
//! execute, and then behaves as it was told.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};
use signal_hook::consts::{SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

use crate::clock::{self, Nanos};

/// The first argument of a bot.
pub const ROLE: &str = "bot";
/// What a talker ends with on SIGUSR1: a code that nothing else ends with.
pub const TALKERS_END: u8 = 7;

/// What an interpreter of the kind that bots are written in burns before the first line of its program.
const STARTUP: Duration = Duration::from_millis(20);
/// What a bot waits for while it cleans up.
const CLEANUP: Duration = Duration::from_millis(200);
/// Open orders of a trader.
pub const ORDERS: usize = 5;
/// How long a venue takes to cancel.
const VENUE: Duration = Duration::from_millis(50);
/// What such an interpreter burns when it ends.
const TEARDOWN: Duration = Duration::from_millis(4);

/// What a bot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Nothing; SIGTERM ends it at once.
    Silent,
    /// Burns CPU at its start, and on SIGTERM cleans up for 200 ms and burns some more, as an interpreter does.
    Heavy,
    /// Writes numbered lines as fast as it can for so many milliseconds, then nothing.
    Flood(u64),
    /// Writes a numbered line every 10 ms; on SIGUSR1 it ends with [`TALKERS_END`].
    Talker,
    /// Writes a line every 50 to 150 ms that says when that was, on the clock of all processes.
    Teller,
    /// One of many, of which the first writes 10,000 lines a second, and the others nothing.
    Crowd,
    /// Has open orders in a file; says when SIGTERM came to it, and ends.
    Trader,
    /// No bot, but the command that cancels a trader's orders: it takes 50 ms, and says from when to when.
    Cancel,
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("silent"),
            Self::Heavy => f.write_str("heavy"),
            Self::Flood(millis) => write!(f, "flood-{millis}"),
            Self::Talker => f.write_str("talker"),
            Self::Teller => f.write_str("teller"),
            Self::Crowd => f.write_str("crowd"),
            Self::Trader => f.write_str("trader"),
            Self::Cancel => f.write_str("cancel"),
        }
    }
}

impl Behaviour {
    fn read(text: &str) -> Option<Self> {
        match text {
            "silent" => Some(Self::Silent),
            "heavy" => Some(Self::Heavy),
            "talker" => Some(Self::Talker),
            "teller" => Some(Self::Teller),
            "crowd" => Some(Self::Crowd),
            "trader" => Some(Self::Trader),
            "cancel" => Some(Self::Cancel),
            _ => Some(Self::Flood(text.strip_prefix("flood-")?.parse().ok()?)),
        }
    }
}

/// Runs as a bot: `bot FIFO NAME BEHAVIOUR`.
pub fn run(executing: Nanos, mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let (Some(fifo), Some(name), Some(behaviour)) =
        (arguments.next(), arguments.next(), arguments.next().as_deref().and_then(Behaviour::read))
    else {
        return ExitCode::from(2);
    };
    match behave(behaviour, executing, &Mouth { fifo, name }) {
        Ok(code) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn behave(behaviour: Behaviour, executing: Nanos, mouth: &Mouth) -> io::Result<ExitCode> {
    match behaviour {
        Behaviour::Silent => {
            mouth.say("up", executing)?;
            rest()
        }
        Behaviour::Heavy => {
            let mut signals = Signals::new([SIGTERM])?;
            burn(STARTUP);
            mouth.say("up", clock::now())?;
            signals.forever().next();
            thread::sleep(CLEANUP);
            burn(TEARDOWN);
            Ok(ExitCode::SUCCESS)
        }
        Behaviour::Flood(millis) => {
            mouth.say("up", executing)?;
            let lines = flood(executing + millis * 1_000_000)?;
            mouth.say("wrote", lines)?;
            // It stays: one that ended would be started again, and flood again.
            rest()
        }
        Behaviour::Talker => {
            let told = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(SIGUSR1, Arc::clone(&told))?;
            mouth.say("up", executing)?;
            let mut lines = 0;
            while !told.load(Ordering::Relaxed) {
                write_line(&mut io::stdout(), lines)?;
                lines += 1;
                thread::sleep(Duration::from_millis(10));
            }
            mouth.say("wrote", lines)?;
            Ok(ExitCode::from(TALKERS_END))
        }
        Behaviour::Teller => {
            mouth.say("up", executing)?;
            let mut random = fastrand::Rng::with_seed(3);
            loop {
                // No multiple of a period at which anybody looks.
                thread::sleep(Duration::from_micros(random.u64(50_000..150_000)));
                writeln!(io::stdout(), "INFO written at {} by the clock of all processes", clock::now())?;
            }
        }
        Behaviour::Crowd => {
            mouth.say("up", executing)?;
            if mouth.name.trim_matches(|c: char| !c.is_ascii_digit()).parse() != Ok(0_u32) {
                rest();
            }
            chatter()
        }
        Behaviour::Trader => {
            let mut signals = Signals::new([SIGTERM])?;
            write_orders(&mouth.orders(), (1..=ORDERS).map(|number| format!("V-{number}")))?;
            mouth.say("up", executing)?;
            signals.forever().next();
            mouth.say("told", clock::now())?;
            Ok(ExitCode::SUCCESS)
        }
        Behaviour::Cancel => {
            mouth.say("cancels", clock::now())?;
            let asked: Value = serde_json::from_reader(io::stdin().lock())?;
            thread::sleep(VENUE);
            // A trader's orders are asked for all at once, or what is left of them.
            let asked: Vec<&str> = asked["orders"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|order| order["order_id"].as_str())
                .collect();
            let known: Value = serde_json::from_reader(File::open(mouth.orders())?)?;
            let open = known["open_orders"].as_object().into_iter().flatten().map(|(id, _)| id.clone());
            write_orders(&mouth.orders(), open.filter(|id| !asked.contains(&id.as_str())))?;
            for id in asked {
                writeln!(io::stdout(), "{}", json!({ "order_id": id, "result": "canceled", "message": null }))?;
            }
            mouth.say("canceled", clock::now())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The file of a trader's orders, replaced as a whole.
fn write_orders(path: &Path, ids: impl Iterator<Item = String>) -> io::Result<()> {
    let order = |id: String| {
        let order = json!({ "order_id": id, "client_order_id": id, "product_id": "BTC-USD", "side": "buy",
            "status": "open", "base_size": "0.05", "price": "61000.50" });
        (id, order)
    };
    let orders: Map<_, _> = ids.map(order).collect();
    let new = path.with_extension("new");
    std::fs::write(&new, json!({ "open_orders": orders }).to_string())?;
    std::fs::rename(new, path)
}

/// One write a line, as a bot does that wants to see its lines when they are printed.
fn flood(until: Nanos) -> io::Result<u64> {
    let mut out = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    let mut lines = 0;
    while clock::now() < until {
        write_line(&mut out, lines)?;
        lines += 1;
    }
    Ok(lines)
}

/// A line of 64 bytes that begins with its number.
fn write_line(out: &mut impl Write, number: u64) -> io::Result<()> {
    let mut line = [b'.'; 64];
    line[63] = b'\n';
    write!(&mut line[..], "{number:012} ")?;
    out.write_all(&line)
}

/// 10,000 lines a second, ten at a time; what was missed is made up for.
fn chatter() -> io::Result<ExitCode> {
    let mut out = File::from(rustix::io::dup(rustix::stdio::stdout())?);
    let begun = clock::now();
    let mut lines = 0_u64;
    loop {
        while lines * 100_000 < clock::now() - begun {
            let mut text = Vec::with_capacity(1024);
            for line in lines..lines + 10 {
                writeln!(text, "14:31:58,120 - bot.engine - INFO - quote bid=61250.0 ask=62500.0 seq={line}")?;
            }
            out.write_all(&text)?;
            lines += 10;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn burn(time: Duration) {
    let until = clock::cpu() + time.as_nanos() as u64;
    while clock::cpu() < until {}
}

fn rest() -> ! {
    loop {
        thread::park();
    }
}

/// Where a bot says what it has to say.
struct Mouth {
    fifo: String,
    name: String,
}

impl Mouth {
    /// Where a trader's orders stand.
    fn orders(&self) -> PathBuf {
        Path::new(&self.fifo).with_file_name(format!("{}.orders", self.name))
    }

    /// One short line, which no other bot's line can be mixed with.
    fn say(&self, word: &str, number: u64) -> io::Result<()> {
        let line = format!("{word} {} {} {number}\n", self.name, std::process::id());
        OpenOptions::new().write(true).open(&self.fifo)?.write_all(line.as_bytes())
    }
}
