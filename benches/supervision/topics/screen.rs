//! The screen, through a pseudo-terminal of 120x36: what it costs while nothing happens, and how long a person waits for
//! it. What counts is what the terminal shows, not what was sent.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use botwarden::paths::Home;

use super::Figures;
use crate::bot::Behaviour;
use crate::clock::{Nanos, millis};
use crate::hands::Hands;
use crate::place::{Place, Plan};
use crate::proc::{self, Held};
use crate::rows::{Cell, Row};
use crate::session::Session;
use crate::subjects::Subject;
use crate::terminal::Terminal;

/// So large is the log that is opened and searched.
const LOG: usize = 1 << 30;
/// It is written in pieces that are all alike but for the word that is searched.
const PIECE: usize = 16 << 20;
/// In so many of its lines stands what is searched.
const MATCHES: usize = 7;
/// Once the screen is there, so long passes before it counts as idle: its threads have looked at everything once.
const SETTLED: Duration = Duration::from_secs(4);

/// All of it, one after another.
pub fn measure(hands: &Hands, subject: &dyn Subject, quick: bool) -> Result<Figures, String> {
    let mut figures = Figures::new();
    figures.extend(ten(hands, subject, quick)?);
    figures.extend(told(hands, subject, quick)?);
    figures.extend(hundred(hands, subject, quick)?);
    figures.extend(large(hands, subject, quick)?);
    Ok(figures)
}

fn open(hands: &Hands, place: &Place) -> Result<(Terminal, Held), String> {
    let mut terminal = Terminal::new()?;
    let words = ["--config".into(), path(place, "botwarden.toml"), "--home".into(), path(place, "home")];
    let screen = terminal.launch(hands, &words)?;
    Ok((terminal, screen))
}

fn path(place: &Place, name: &str) -> String {
    place.at(name).display().to_string()
}

/// Whether so many bots are in the list, alive, with a header above it and a log below.
fn is_full(screen: &vt100::Screen, bots: usize) -> bool {
    let text = screen.contents();
    let mut lines = text.lines();
    let header = lines.next().is_some_and(|line| line.contains("botwarden") && line.contains("UTC"));
    header && lines.filter(|line| line.contains("RUNNING")).count() == bots && text.contains(" 4 Logs")
}

/// Ten silent bots: how long it takes until the screen is there, and what it costs then.
fn ten(hands: &Hands, subject: &dyn Subject, quick: bool) -> Result<Figures, String> {
    let (session, _) = Session::open(hands, subject, Plan::new(10, Behaviour::Silent).running())?;
    let (mut first, mut full) = (Vec::new(), Vec::new());
    for _ in 0..if quick { 3 } else { 20 } {
        let asked = crate::clock::now();
        let (mut terminal, screen) = open(hands, &session.place)?;
        let there = terminal.until("ten bots", |screen| is_full(screen, 10))?;
        first.push(millis(asked, terminal.first.unwrap_or(there)));
        full.push(millis(asked, there));
        terminal.leave(&screen);
    }
    let (mut terminal, screen) = open(hands, &session.place)?;
    terminal.until("ten bots", |screen| is_full(screen, 10))?;
    terminal.watch(SETTLED, |_, _| {});
    let time = Duration::from_secs(if quick { 5 } else { 20 });
    let cpu = || proc::cpu_millis(screen.pid()).ok_or("the screen has ended");
    let before = (terminal.bytes, cpu()?);
    terminal.watch(time, |_, _| {});
    let traffic = (terminal.bytes - before.0) as f64 / 1024.0 / time.as_secs_f64();
    let share = (cpu()? - before.1) / 10.0 / time.as_secs_f64();
    terminal.leave(&screen);
    Ok(vec![
        (Row::ScreenBytes, Cell::figures(first)),
        (Row::ScreenFull, Cell::figures(full)),
        (Row::ScreenTraffic, Cell::figure(traffic)),
        (Row::ScreenCpu, Cell::figure(share)),
    ])
}

/// A bot that says in each line when it wrote it.
fn told(hands: &Hands, subject: &dyn Subject, quick: bool) -> Result<Figures, String> {
    let (session, _) = Session::open(hands, subject, Plan::new(1, Behaviour::Teller).running())?;
    let (mut terminal, screen) = open(hands, &session.place)?;
    terminal.until("a bot and its log", |screen| is_full(screen, 1) && newest(screen).is_some())?;
    terminal.watch(SETTLED, |_, _| {});
    let (mut last, mut waits) = (0, Vec::new());
    terminal.watch(Duration::from_secs(if quick { 5 } else { 20 }), |screen, at| {
        if let Some(written) = newest(screen).filter(|written| *written > last) {
            // The first one may have been there before it was looked for.
            if last > 0 {
                waits.push(millis(written, at));
            }
            last = written;
        }
    });
    terminal.leave(&screen);
    Ok(vec![(Row::ScreenLine, Cell::figures(waits))])
}

/// When the newest line that is shown was written.
fn newest(screen: &vt100::Screen) -> Option<Nanos> {
    let text = screen.contents();
    text.lines().filter_map(|line| line.split_once("written at ")?.1.split(' ').next()?.parse().ok()).max()
}

/// A hundred bots of which one writes ten thousand lines a second; the cursor goes to it and from it.
fn hundred(hands: &Hands, subject: &dyn Subject, quick: bool) -> Result<Figures, String> {
    let (session, _) = Session::open(hands, subject, Plan::new(100, Behaviour::Crowd).running())?;
    let (mut terminal, screen) = open(hands, &session.place)?;
    let at = |screen: &vt100::Screen, bot: &str| {
        screen.contents().lines().any(|line| line.contains("▸") && line.contains(bot))
    };
    terminal
        .until("the log of the loud one", |screen| at(screen, "b000") && screen.contents().contains("quote bid="))?;
    terminal.watch(SETTLED, |_, _| {});
    let mut random = fastrand::Rng::with_seed(7);
    let mut waits = Vec::new();
    for press in 0..if quick { 60 } else { 600 } {
        terminal.watch(Duration::from_micros(random.u64(20_000..120_000)), |_, _| {});
        let (key, bot) = if press % 2 == 0 { ("j", "b001") } else { ("k", "b000") };
        let pressed = terminal.press(key)?;
        let seen = terminal.until("the cursor elsewhere", |screen| at(screen, bot))?;
        waits.push(millis(pressed, seen));
    }
    terminal.leave(&screen);
    waits.sort_by(f64::total_cmp);
    let p99 = waits[(waits.len() * 99).div_ceil(100) - 1];
    Ok(vec![(Row::ScreenKey, Cell::figures(waits)), (Row::ScreenKey99, Cell::figure(p99))])
}

/// A log of 1 GiB, of a bot that is not running: opened by going to its bot, and searched.
fn large(hands: &Hands, subject: &dyn Subject, quick: bool) -> Result<Figures, String> {
    let session = Session::prepare(hands, subject, Plan::new(2, Behaviour::Silent))?;
    let home = Home::at(session.place.at("home"));
    home.make().map_err(|why| format!("{why:?}"))?;
    let bot = home.bot(&"b001".parse().map_err(|why| format!("{why}"))?);
    std::fs::create_dir_all(bot.log_dir()).map_err(|error| error.to_string())?;
    write_log(&bot.log("20261122T011245123-4f2a")).map_err(|error| error.to_string())?;
    let (mut terminal, screen) = open(hands, &session.place)?;
    terminal.until("two bots", |screen| screen.contents().matches("STOPPED").count() == 2)?;
    terminal.watch(SETTLED, |_, _| {});
    let mut waits = Vec::new();
    for _ in 0..if quick { 3 } else { 20 } {
        let pressed = terminal.press("j")?;
        let seen = terminal.until("the last line", |screen| screen.contents().contains("the very last line"))?;
        waits.push(millis(pressed, seen));
        terminal.press("k")?;
        terminal.until("the other log", |screen| !screen.contents().contains("the very last line"))?;
        terminal.watch(Duration::from_millis(200), |_, _| {});
    }
    terminal.press("j")?;
    terminal.until("the last line", |screen| screen.contents().contains("the very last line"))?;
    terminal.press("4/reject-storm")?;
    terminal.until("what is searched", |screen| screen.contents().contains("reject-storm"))?;
    let pressed = terminal.press("\r")?;
    let counted = |screen: &vt100::Screen| {
        screen.contents().lines().any(|line| {
            line.contains("/reject-storm") && line.contains(&format!("of {MATCHES}")) && !line.contains("...")
        })
    };
    let searched = match terminal.until("the count of all matches", counted) {
        Ok(seen) => Cell::figure(millis(pressed, seen)),
        Err(why) => {
            crate::progress(&why);
            Cell::word("no count")
        }
    };
    terminal.leave(&screen);
    Ok(vec![(Row::ScreenOpen, Cell::figures(waits)), (Row::ScreenSearch, searched)])
}

/// Plausible lines, one of which in seven pieces has what is searched; the last one says that it is that.
fn write_log(path: &Path) -> std::io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE);
    let mut number = 0_u64;
    while piece.len() < PIECE - 200 {
        let (second, milli) = (number / 1000 % 60, number % 1000);
        let level = ["INFO ", "INFO ", "DEBUG", "WARNING"][(number % 4) as usize];
        writeln!(
            piece,
            "2026-11-22 14:31:{second:02},{milli:03} - bot.engine - {level} - quote refresh seq={number} bid=61250.0 ask=62500.0"
        )?;
        number += 1;
    }
    let mut file = File::create(path)?;
    for count in 0..LOG / PIECE {
        file.write_all(&piece)?;
        if count % (LOG / PIECE / MATCHES) == 4 && count / (LOG / PIECE / MATCHES) < MATCHES {
            writeln!(
                file,
                "2026-11-22 14:32:00,000 - bot.engine - ERROR - reject-storm: the venue refuses everything"
            )?;
        }
    }
    writeln!(file, "2026-11-22 14:32:01,000 - bot.engine - INFO - the very last line")
}
