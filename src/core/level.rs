//! How loud a line of a log is: by its own words, or by those of the line that it belongs to.
//!
//! A level counts only where loggers write it: at the front, after the time and the name of whoever logs, or as a field
//! of an object. A word deep in a message is a word. A line that has no level of its own takes that of the line before
//! it where it belongs to that: it is indented, part of a traceback, or has no time where the others have one.

/// A level; what is louder is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Debugging, and finer.
    Debug,
    /// What usually happens.
    Info,
    /// Something wants a look.
    Warning,
    /// Something went wrong.
    Error,
}

impl Level {
    /// Its name, as the screen shows it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The level that this line names by itself, if it does.
    pub fn of(line: &str) -> Option<Self> {
        own(line.as_bytes(), clock(line.as_bytes())).map(|found| found.level)
    }

    /// Whether a line of this level is shown where only those at least so loud are. One of which nothing is known is
    /// as loud as what usually happens.
    pub fn passes(level: Option<Self>, least: Option<Self>) -> bool {
        least.is_none_or(|least| level.unwrap_or(Self::Info) >= least)
    }

    /// By the words that loggers write in capitals.
    fn by_capitals(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"ERROR" | b"ERR" | b"ERRO" | b"CRITICAL" | b"CRIT" | b"CRT" | b"FATAL" | b"FTL" | b"FATA" | b"PANIC"
            | b"PNC" | b"SEVERE" | b"ALERT" | b"EMERG" => Self::Error,
            b"WARN" | b"WARNING" | b"WRN" => Self::Warning,
            b"INFO" | b"INF" | b"NOTICE" | b"SUCCESS" => Self::Info,
            b"DEBUG" | b"DBG" | b"DEBG" | b"DEBU" | b"TRACE" | b"TRC" | b"TRAC" | b"VERBOSE" => Self::Debug,
            _ => return None,
        })
    }

    /// By a word that is known to be a level.
    fn by_word(word: &[u8]) -> Option<Self> {
        let mut capitals = [0; 8];
        let room = capitals.get_mut(..word.len())?;
        room.copy_from_slice(word);
        room.make_ascii_uppercase();
        match &*room {
            b"EROR" => Some(Self::Error),
            b"DPANIC" | b"E" | b"F" | b"C" => Some(Self::Error),
            b"W" => Some(Self::Warning),
            b"I" => Some(Self::Info),
            b"D" | b"T" => Some(Self::Debug),
            word => Self::by_capitals(word),
        }
    }

    /// By a number, as pino and bunyan write it.
    fn by_number(number: u32) -> Option<Self> {
        match number {
            10..30 => Some(Self::Debug),
            30..40 => Some(Self::Info),
            40..50 => Some(Self::Warning),
            50..=60 => Some(Self::Error),
            _ => None,
        }
    }
}

/// What is known of a line when all before it were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How loud it is.
    pub level: Option<Level>,
    /// Whether it belongs to the line before it.
    pub belongs: bool,
    /// Whether the time of the line before it is its time too, as it has none itself.
    pub same_time: bool,
}

/// Reads the lines of one stream, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Something was read.
    any: bool,
    /// The last head's level.
    level: Option<Level>,
    /// Heads carry times.
    timed: bool,
    /// Where the level stood in the last head with a time: Rich leaves a time blank that it has written already.
    column: usize,
    trace: Trace,
}

/// Where in a traceback the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Trace {
    #[default]
    Outside,
    Inside,
    /// Its last line was read; another may follow that has to do with it.
    After,
}

/// The words with which a traceback begins.
const TRACES: [&[u8]; 8] = [
    b"Traceback (most recent call last)",
    b"Exception in thread ",
    b"Exception ignored in",
    b"thread '",
    b"panic: ",
    b"fatal error: ",
    b"Unhandled exception",
    b"Fatal Python error",
];

impl Heads {
    /// The next line, which has no colours in it and a time of its own in so many bytes at its front, or none.
    pub fn read(&mut self, line: &[u8], stamp: usize) -> Told {
        let line = line.trim_ascii_end();
        let stamp = if stamp > 0 { stamp } else { clock(line) };
        let told = self.judge(line, stamp);
        self.any = true;
        told
    }

    fn judge(&mut self, line: &[u8], stamp: usize) -> Told {
        let found = own(line, stamp);
        if stamp > 0 || line.first() == Some(&b'{') && found.is_some() {
            self.trace = Trace::Outside;
            self.timed = stamp > 0;
            self.level = found.as_ref().map(|found| found.level);
            self.column = found.map_or(0, |found| found.at);
            return Told { level: self.level, belongs: false, same_time: false };
        }
        let follows = Told { level: self.level, belongs: self.any, same_time: self.any };
        if line.is_empty() {
            return if self.timed || self.trace == Trace::Inside { follows } else { Told::default() };
        }
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            return self.blank_time(line).unwrap_or(follows);
        }
        if begins_trace(line) {
            let goes_on = self.trace != Trace::Outside || self.level >= Some(Level::Warning);
            self.trace = Trace::Inside;
            if goes_on && self.any {
                return follows;
            }
            self.level = Some(Level::Error);
            return Told { level: self.level, belongs: false, same_time: self.timed };
        }
        match self.trace {
            Trace::Inside if !found.as_ref().is_some_and(|found| found.capitals) => {
                self.trace = Trace::After;
                return follows;
            }
            Trace::After if line.starts_with(b"During handling of") || line.starts_with(b"The above exception") => {
                self.trace = Trace::Inside;
                return follows;
            }
            Trace::Inside | Trace::After | Trace::Outside => self.trace = Trace::Outside,
        }
        if let Some(found) = found {
            self.level = Some(found.level);
            return Told { level: self.level, belongs: false, same_time: self.timed };
        }
        if self.timed {
            return follows;
        }
        self.level = None;
        Told::default()
    }

    /// A head whose time is that of the head before, and left blank.
    fn blank_time(&mut self, line: &[u8]) -> Option<Told> {
        let blanks = line.iter().take_while(|byte| **byte == b' ').count();
        if self.column < 8 || blanks != self.column {
            return None;
        }
        let word = line.get(blanks..)?.split(|byte| !byte.is_ascii_alphabetic()).next()?;
        self.level = Some(Level::by_capitals(word)?);
        self.trace = Trace::Outside;
        Some(Told { level: self.level, belongs: false, same_time: true })
    }
}

fn begins_trace(line: &[u8]) -> bool {
    let begins = TRACES.iter().any(|trace| line.starts_with(trace));
    // A thread of Rust's says so at the end of its line.
    begins && (!line.starts_with(b"thread '") || memchr::memmem::find(line, b"panicked at").is_some())
}

/// A level, and where it stands.
struct Own {
    level: Level,
    at: usize,
    /// It is a word in capitals.
    capitals: bool,
}

/// So many words may stand between a time and a level: who logs, its process and thread.
const WORDS: usize = 6;

/// The level in this line whose own time takes so many bytes at its front.
fn own(line: &[u8], stamp: usize) -> Option<Own> {
    let front = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if line.get(front) == Some(&b'{') {
        let level = in_object(line.get(front..)?)?;
        return Some(Own { level, at: front, capitals: false });
    }
    if let Some(level) = by_letter(line) {
        return Some(Own { level, at: 0, capitals: true });
    }
    in_words(line, stamp)
}

/// `E1121 23:31:02.123456 123 file.cc:3] text` and `[E 261121 23:31:02 web:3] text`.
fn by_letter(line: &[u8]) -> Option<Level> {
    let digits = |text: &[u8], count: usize| text.get(..count).is_some_and(|text| text.iter().all(u8::is_ascii_digit));
    match line {
        [letter @ (b'I' | b'W' | b'E' | b'F'), rest @ ..] if digits(rest, 4) && clock(rest.get(5..)?) > 0 => {
            Level::by_word(&[*letter])
        }
        [b'[', letter @ (b'D' | b'I' | b'W' | b'E' | b'C'), b' ', rest @ ..] if digits(rest, 4) => {
            Level::by_word(&[*letter])
        }
        _ => None,
    }
}

fn in_words(line: &[u8], stamp: usize) -> Option<Own> {
    let text = line.get(stamp..)?;
    // Names may be written between separators: `2026-11-21 23:31:02,730 - freqtrade.worker - INFO - text`.
    let mut at = 0;
    let mut words = 0;
    let mut after_name = false;
    while words < WORDS {
        at += text.get(at..)?.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = text.get(at..)?;
        let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let token = rest.get(..length).filter(|token| !token.is_empty())?;
        let after = rest.get(length..)?;
        if let Some((level, from, capitals)) = level_in(token, words == 0) {
            return Some(Own { level, at: stamp + at + from, capitals });
        }
        if !is_separator(token) {
            words += 1;
            let named = next_is_separator(after) || looks_like_a_name(token, stamp > 0);
            if !named || (stamp == 0 && !next_is_separator(after) && !token.starts_with(b"[") && !is_field(token)) {
                return None;
            }
            // Two names that nothing sets apart are a sentence.
            let apart = next_is_separator(after) || !token.first().is_some_and(u8::is_ascii_alphabetic);
            if after_name && !apart && !is_field(token) {
                return None;
            }
            after_name = !apart && !is_field(token);
        }
        at += length;
    }
    None
}

/// The level that this word is, with where it stands in it. The first word of a message may be one in small letters
/// if it is set apart from the text.
fn level_in(token: &[u8], first: bool) -> Option<(Level, usize, bool)> {
    if let Some((key, value)) = split_once(token, b'=') {
        if !matches!(key, b"level" | b"lvl" | b"severity" | b"levelname" | b"loglevel") {
            return None;
        }
        let value = trim(value);
        return Level::by_word(value).map(|level| (level, 0, false));
    }
    let inner = trim(token);
    let from = token.iter().take_while(|byte| is_dress(**byte)).count();
    if let Some(level) = Level::by_capitals(inner) {
        return Some((level, from, true));
    }
    // `WARNING:root:text`, `ERROR:`, `[error]`, `warning:`, `Error:`
    let (word, end) = split_once(inner, b':').unwrap_or((inner, b""));
    if !end.is_empty() {
        return Level::by_capitals(word).filter(|_| first).map(|level| (level, from, true));
    }
    let bracketed = from > 0 && token.len() > from + inner.len();
    let colon = token.ends_with(b":") && from == 0;
    if (bracketed || (colon && first && word.len() > 3)) && word.iter().all(u8::is_ascii_alphabetic) {
        return Level::by_word(word).map(|level| (level, from, false));
    }
    None
}

const fn is_dress(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'(' | b')' | b'<' | b'>' | b'|' | b'*' | b'"' | b'\'' | b'-' | b':' | b',' | b'/')
}

fn trim(mut word: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = word
        && is_dress(*first)
    {
        word = rest;
    }
    while let [rest @ .., last] = word
        && is_dress(*last)
    {
        word = rest;
    }
    word
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = memchr::memchr(at, text)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

fn is_separator(token: &[u8]) -> bool {
    token.iter().all(|byte| matches!(byte, b'-' | b'|' | b':' | b'~' | b'>' | b'='))
}

fn next_is_separator(rest: &[u8]) -> bool {
    rest.split(u8::is_ascii_whitespace).find(|word| !word.is_empty()).is_some_and(is_separator)
}

/// `key=value`.
fn is_field(token: &[u8]) -> bool {
    split_once(token, b'=').is_some_and(|(key, _)| {
        !key.is_empty()
            && key.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@'))
    })
}

/// Whether this can be the name of whoever logs, or a number of a process: no word of a sentence.
fn looks_like_a_name(token: &[u8], stamped: bool) -> bool {
    let first = token.first().copied().unwrap_or_default();
    if matches!(first, b'[' | b'(' | b'<') || is_field(token) {
        return true;
    }
    let plain = token.strip_suffix(b":").unwrap_or(token);
    if !stamped || plain.last().is_some_and(|byte| matches!(byte, b'.' | b',' | b'!' | b'?' | b';')) {
        return false;
    }
    let digits = plain.iter().all(u8::is_ascii_digit);
    let odd = plain.iter().any(|byte| matches!(byte, b'.' | b'_' | b':' | b'/' | b'#' | b'@'));
    digits || odd || matches!(plain, b"root" | b"main" | b"bot" | b"app" | b"uvicorn" | b"asyncio" | b"ccxt")
}

/// How many bytes a time without a date takes at the front of this line: `14:31:58.120 `, `[14:31:58]`, `11:31PM `.
fn clock(line: &[u8]) -> usize {
    let open = line.iter().take_while(|byte| matches!(byte, b'[' | b'(')).count();
    let mut at = open;
    let digits = |at: usize| line.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    let byte = |at: usize| line.get(at).copied().unwrap_or_default();
    if !(1..=2).contains(&digits(at)) {
        return 0;
    }
    at += digits(at);
    let mut parts = 1;
    while byte(at) == b':' && digits(at + 1) == 2 {
        at += 3;
        parts += 1;
    }
    if parts == 3 && matches!(byte(at), b'.' | b',') {
        at += 1 + digits(at + 1);
    }
    let half_day = matches!((byte(at), byte(at + 1)), (b'A' | b'P', b'M'));
    at += if half_day { 2 } else { 0 };
    if !(parts == 3 || parts == 2 && half_day) || byte(at).is_ascii_alphanumeric() {
        return 0;
    }
    at += line.get(at..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b']' | b')' | b' ')).count();
    at
}

/// The level that a JSON object names. It is not read as a whole: it may be long, and cut off.
fn in_object(line: &[u8]) -> Option<Level> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = line.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let text = string(line.get(at..)?)?;
                at += text.len() + 1;
                let rest = line.get(at..).unwrap_or_default().trim_ascii_start();
                let Some(value) = rest.strip_prefix(b":").filter(|_| depth == 1) else { continue };
                let is_level = [&b"level"[..], b"levelname", b"severity", b"lvl", b"log.level", b"loglevel"]
                    .iter()
                    .any(|key| key.eq_ignore_ascii_case(text));
                if is_level && let Some(level) = value_of(value.trim_ascii_start()) {
                    return Some(level);
                }
            }
            _ => {}
        }
    }
    None
}

/// The text up to the quote that ends it.
fn string(text: &[u8]) -> Option<&[u8]> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    text.get(..end)
}

fn value_of(value: &[u8]) -> Option<Level> {
    if let [b'"', rest @ ..] = value {
        return Level::by_word(string(rest)?);
    }
    let digits = value.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let number = value.get(..digits)?.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    Level::by_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: Option<Level> = Some(Level::Debug);
    const I: Option<Level> = Some(Level::Info);
    const W: Option<Level> = Some(Level::Warning);
    const E: Option<Level> = Some(Level::Error);

    /// What `logs::line` finds, as far as these tests need it.
    fn stamp(line: &str) -> usize {
        let front: String = line.chars().take(26).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        [
            "[0000-00-00 00:00:00] ",
            "0000-00-00 00:00:00,000 ",
            "0000-00-00 00:00:00.000 ",
            "0000-00-00 00:00:00 ",
            "[00/00/00 00:00:00] ",
            "0000-00-00T00:00:00.000Z ",
            "0000-00-00T00:00:00.000Z\t",
            "0000-00-00T00:00:00Z ",
            "[0000-00-00T00:00:00Z ",
            "0000/00/00 00:00:00 ",
        ]
        .iter()
        .find(|shape| front.starts_with(**shape))
        .map_or(0, |shape| shape.len())
    }

    #[test]
    fn the_usual_formats_name_their_level() {
        for (line, level) in [
            ("2026-11-21 23:31:02,730 - freqtrade.worker - INFO - Bot heartbeat.", I),
            ("2026-11-21 23:31:02,730 - freqtrade - WARNING - text", W),
            ("2026-11-21 23:31:02,730 - 4711 - hummingbot.core.clock - ERROR - text", E),
            ("2026-11-21 23:31:02,730 - hummingbot.strategy - 12 - CRITICAL - text", E),
            ("2026-11-21 23:42:51,403 WARNING __main__: text", W),
            ("2026-11-21 23:42:51,403 root INFO text", I),
            ("2026-11-21 23:42:51,403 my.module ERROR text", E),
            ("2026-11-21 23:42:51,403 [MainThread] ERROR text", E),
            ("2026-11-21 23:42:51,403 [ERROR] text", E),
            ("2026-11-21 23:42:51,403 DEBUG text", D),
            ("2026-11-21 23:42:51 | WARNING  | module:function:3 - text", W),
            ("WARNING:root:text", W),
            ("ERROR:my.module:text", E),
            ("[11/22/26 17:04:15] INFO     text                     file.py:12", I),
            ("2026-11-21T23:31:02.123Z  WARN app::module: text", W),
            ("[2026-11-21T23:31:02Z ERROR app] text", E),
            ("[2026-11-21T23:31:02Z TRACE app] text", D),
            ("2026-11-21T23:31:02Z INF text key=value", I),
            ("11:31PM ERR text error=\"x\"", E),
            ("14:31:58.120 WARN  ws ping", W),
            ("[14:31:58] ERROR text", E),
            ("2026-11-21T23:31:02.123Z\tERROR\tfile.go:3\ttext\t{\"a\": 1}", E),
            ("time=\"2026-11-21T23:31:02Z\" level=warning msg=\"text\"", W),
            ("ts=2026-11-21T23:31:02Z caller=main.go:3 level=error err=x", E),
            ("level=info msg=text", I),
            ("lvl=eror t=1", E),
            (r#"{"level":"warn","msg":"ERROR"}"#, W),
            (r#"{"msg":"a \"level\": x","levelname":"ERROR"}"#, E),
            (r#"{"a":{"level":"error"},"severity":"INFO"}"#, I),
            (r#"{"level":50,"time":1}"#, E),
            (r#"{"level":40}"#, W),
            (r#"{"level":20}"#, D),
            (r#"{"lvl":"dbug"}"#, None),
            (r#"{"msg":"cut off","level":"#, None),
            ("[WARN] text", W),
            ("[error] text", E),
            ("INFO text", I),
            ("ERROR: text", E),
            ("error: text", E),
            ("Error: connect ECONNREFUSED", E),
            ("warning: unused", W),
            ("E1121 23:31:02.123456  4711 file.cc:3] text", E),
            ("W1121 23:31:02.123456  4711 file.cc:3] text", W),
            ("[E 261121 23:31:02 web:3] text", E),
            ("2026-11-21 23:31:02.123 ERROR 4711 --- [main] c.e.App : text", E),
            ("2026-11-21 23:31:02 4711 INFO text", I),
            ("2026/11/21 23:31:02 ERROR text", E),
            // What is no level.
            ("no ERROR here", None),
            ("2026-11-21 23:31:02 no ERROR here", None),
            ("2026-11-21 23:31:02 got ERROR from the venue", None),
            ("2026-11-21 23:31:02,730 order rejected: ERROR 17", None),
            ("filled 3 of 4 WARNING orders", None),
            ("information desk", None),
            ("errors: 0", None),
            ("ERRORS 0", None),
            ("Errata", None),
            ("E1121 is an order", None),
            ("level up", None),
            ("price level=3", None),
            ("12 INFO", None),
            ("", None),
            ("   ", None),
            ("{", None),
        ] {
            let front = match stamp(line) {
                0 => clock(line.as_bytes()),
                stamp => stamp,
            };
            assert_eq!(own(line.as_bytes(), front).map(|own| own.level), level, "{line}");
        }
    }

    /// Each line with its level, and a mark where it belongs to the one before.
    fn read(lines: &[(&str, Option<Level>, bool)]) {
        let mut heads = Heads::default();
        for (line, level, belongs) in lines {
            let told = heads.read(line.as_bytes(), stamp(line));
            assert_eq!((told.level, told.belongs), (*level, *belongs), "{line:?}");
        }
    }

    #[test]
    fn a_traceback_belongs_to_its_line_up_to_its_last_line() {
        read(&[
            ("2026-11-21 23:31:02,730 - bot - ERROR - it failed", E, false),
            ("Traceback (most recent call last):", E, true),
            ("  File \"bot.py\", line 3, in <module>", E, true),
            ("    trade()", E, true),
            ("KeyError: 'x'", E, true),
            ("", E, true),
            ("During handling of the above exception, another exception occurred:", E, true),
            ("", E, true),
            ("Traceback (most recent call last):", E, true),
            ("  File \"bot.py\", line 5, in <module>", E, true),
            ("ValueError: no price", E, true),
            ("2026-11-21 23:31:03,730 - bot - INFO - goes on", I, false),
            ("Traceback (most recent call last):", E, false),
            ("  File \"bot.py\", line 3, in <module>", E, true),
            ("ValueError: nobody caught it", E, true),
        ]);
        read(&[
            ("hello", None, false),
            ("Traceback (most recent call last):", E, false),
            ("  File \"bot.py\", line 3, in <module>", E, true),
            ("ValueError: x", E, true),
            ("goodbye", None, false),
            ("  indented", None, true),
        ]);
        read(&[
            ("thread 'main' panicked at src/main.rs:3:5:", E, false),
            ("index out of bounds", E, true),
            ("note: run with RUST_BACKTRACE=1", None, false),
        ]);
    }

    #[test]
    fn after_an_error_without_a_time_plain_lines_are_plain() {
        read(&[
            ("ERROR x", E, false),
            ("  more of it", E, true),
            ("plain", None, false),
            ("  more of that", None, true),
            ("", None, false),
            ("INFO y", I, false),
        ]);
    }

    #[test]
    fn where_heads_carry_times_a_line_without_one_belongs_to_the_head() {
        read(&[
            ("2026-11-21 23:31:02 ERROR two lines:", E, false),
            ("this is the second", E, true),
            ("2026-11-21 23:31:02 INFO one line", I, false),
            ("WARNING:root:another logger", W, false),
            ("and its second line", W, true),
            ("2026-11-21 23:31:02 nothing said", None, false),
            ("of any level", None, true),
            ("14:31:58 ERROR a clock", E, false),
            ("second", E, true),
        ]);
    }

    #[test]
    fn what_rich_wraps_belongs_and_a_time_left_blank_is_the_one_before() {
        read(&[
            ("[11/22/26 17:04:15] INFO     a long line that is          bot.py:12", I, false),
            ("                             wrapped", I, true),
            ("                    ERROR    another in the same second   bot.py:13", E, false),
            ("                             wrapped, ERROR", E, true),
            ("                    WARNING  a third", W, false),
        ]);
    }

    #[test]
    fn no_bytes_break_it() {
        let mut dice = fastrand::Rng::with_seed(5);
        let mut heads = Heads::default();
        for _ in 0..50_000 {
            let line: Vec<u8> = (0..dice.usize(0..30))
                .map(|_| *dice.choice(b"{}[]\"\\:=- levlERROINF019 \t.\xff").expect("one"))
                .collect();
            heads.read(&line, dice.usize(0..4).min(line.len()));
        }
    }
}
