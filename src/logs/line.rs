//! When a line was written, by its own words.
//!
//! Bots write their time first, in one of a few ways: Python's logging, ISO 8601 with or without a zone, in brackets
//! or after the level, as a number of seconds since 1970, as Rich does (`[11/22/26 17:04:15]`), or as a field of a JSON
//! object. A time that stands further inside a line is about something else. A time without a date is none: nothing
//! says of which day it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use serde_json::Value;

/// Reads the times of lines. Those without a zone are local ones.
#[derive(Clone, Debug)]
pub struct Stamps {
    zone: TimeZone,
}

impl Stamps {
    /// With this zone for times that name none.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// With the zone that this `TZ` means (`Europe/Berlin`, `CET-1CEST,M3.5.0,M10.5.0/3`); nothing if it means none.
    pub fn of_tz(tz: &str) -> Option<Self> {
        let name = tz.strip_prefix(':').unwrap_or(tz);
        if name.is_empty() {
            // As the C library takes it.
            return Some(Self::new(TimeZone::UTC));
        }
        TimeZone::get(name).or_else(|_| TimeZone::posix(name)).ok().map(Self::new)
    }

    /// When this line says that it was written.
    pub fn of(&self, line: &[u8]) -> Option<Timestamp> {
        let line = skip_dress(line);
        if line.first() == Some(&b'{') {
            return self.in_json(line);
        }
        self.first_words(line).or_else(|| self.first_words(after_level(line)?)).map(|(at, _)| at)
    }

    /// When this line says that it was written, if it says so at its very front, and how many bytes that takes with
    /// what sets it off. The text has no colours.
    pub fn front(&self, line: &[u8]) -> Option<(Timestamp, usize)> {
        let (at, mut rest) = self.first_words(skip_dress(line))?;
        let named = |rest: &'_ [u8]| rest.first().is_some_and(|byte| !matches!(byte, b'-' | b'|' | b' '));
        while let [b']' | b')' | b'|' | b',' | b':' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        if let Some(after) = rest.strip_prefix(b"- ").filter(|after| named(after)) {
            rest = after;
        }
        Some((at, line.len() - rest.len()))
    }

    fn in_json(&self, line: &[u8]) -> Option<Timestamp> {
        /// The usual names; every other field is skipped over.
        #[derive(Deserialize)]
        struct Fields {
            #[serde(alias = "time", alias = "timestamp", alias = "@timestamp", alias = "asctime", alias = "datetime")]
            ts: Option<Value>,
        }
        let fields: Fields = serde_json::from_slice(line).ok()?;
        match fields.ts? {
            Value::String(text) => self.first_words(text.as_bytes()).map(|(at, _)| at),
            Value::Number(number) => since_epoch(number.to_string().as_bytes()).map(|(at, _)| at),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// A time at the front, and what follows it.
    fn first_words<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        if !text.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        self.date_and_time(text).or_else(|| self.rich(text)).or_else(|| since_epoch(text))
    }

    /// `2026-11-21 23:31:02,730`, with `T` or `/`, with a fraction or none, with a zone or none.
    fn date_and_time<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let mut text = Text(text);
        let year = text.number(4)?;
        let dash = text.one_of(b"-/")?;
        let month = text.number(2)?;
        text.one_of(&[dash])?;
        let day = text.number(2)?;
        text.one_of(b"T t_")?;
        self.time(text, [year, month, day])
    }

    /// `11/22/26 17:04:15`, month first: how Rich writes it unless it is told otherwise.
    fn rich<'a>(&self, text: &'a [u8]) -> Option<(Timestamp, &'a [u8])> {
        let mut text = Text(text);
        let month = text.number(2)?;
        text.one_of(b"/")?;
        let day = text.number(2)?;
        text.one_of(b"/")?;
        let year = 2000 + text.number(2)?;
        text.one_of(b" ")?;
        self.time(text, [year, month, day])
    }

    fn time<'a>(&self, mut text: Text<'a>, [year, month, day]: [i32; 3]) -> Option<(Timestamp, &'a [u8])> {
        let hour = text.number(2)?;
        text.one_of(b":")?;
        let minute = text.number(2)?;
        let (mut second, mut nanosecond) = (0, 0);
        if text.one_of(b":").is_some() {
            second = text.number(2)?;
            if text.0.get(1).is_some_and(u8::is_ascii_digit) && text.one_of(b".,").is_some() {
                nanosecond = text.fraction();
            }
        }
        if text.0.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let narrow = |number: i32| i8::try_from(number).ok();
        let civil = DateTime::new(
            i16::try_from(year).ok()?,
            narrow(month)?,
            narrow(day)?,
            narrow(hour)?,
            narrow(minute)?,
            // A leap second is the last one of its minute.
            narrow(second.min(59))?,
            nanosecond,
        )
        .ok()?;
        let mut after = Text(text.0);
        let at = match after.zone() {
            Some(offset) => {
                text = after;
                offset.to_timestamp(civil).ok()
            }
            None => self.zone.to_timestamp(civil).ok(),
        };
        Some((at?, text.0))
    }
}

/// When a run began, by its id (`20261122T011245123-4f2a`, UTC).
pub fn run_start(run: &str) -> Option<Timestamp> {
    let mut text = Text(run.as_bytes());
    let (year, month, day) = (text.number(4)?, text.number(2)?, text.number(2)?);
    text.one_of(b"T")?;
    let (hour, minute, second) = (text.number(2)?, text.number(2)?, text.number(2)?);
    let nanosecond = text.fraction();
    let narrow = |number: i32| i8::try_from(number).ok();
    let year = i16::try_from(year).ok()?;
    let civil =
        DateTime::new(year, narrow(month)?, narrow(day)?, narrow(hour)?, narrow(minute)?, narrow(second)?, nanosecond);
    Offset::UTC.to_timestamp(civil.ok()?).ok()
}

/// Without spaces, brackets and colours at the front.
fn skip_dress(mut line: &[u8]) -> &[u8] {
    loop {
        line = match line {
            [b' ' | b'\t' | b'[' | b'(' | b'|' | b'<', rest @ ..] => rest,
            [0x1b, b'[', rest @ ..] => {
                let end = rest.iter().position(|byte| !(byte.is_ascii_digit() || *byte == b';'));
                match end.and_then(|end| rest.get(end + 1..)) {
                    Some(rest) => rest,
                    None => return line,
                }
            }
            _ => return line,
        };
    }
}

/// What follows the name of a level at the front.
fn after_level(line: &[u8]) -> Option<&[u8]> {
    let end = line.iter().position(|byte| !byte.is_ascii_alphabetic())?;
    let (word, mut rest) = line.split_at(end);
    let levels = [
        "trace",
        "debug",
        "info",
        "information",
        "notice",
        "warn",
        "warning",
        "error",
        "err",
        "critical",
        "crit",
        "fatal",
        "success",
        "d",
        "i",
        "w",
        "e",
    ];
    if !levels.iter().any(|level| level.as_bytes().eq_ignore_ascii_case(word)) {
        return None;
    }
    while let [b']' | b')' | b':' | b'>' | b'-', after @ ..] = skip_dress(rest) {
        rest = after;
    }
    Some(skip_dress(rest))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, by how many digits there are; seconds may have a
/// fraction.
fn since_epoch(text: &[u8]) -> Option<(Timestamp, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = Text(text.get(digits..)?);
    let whole: i64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let nanoseconds = match digits {
        10 => {
            let fraction = if rest.one_of(b".").is_some() { rest.fraction() } else { 0 };
            i128::from(whole) * 1_000_000_000 + i128::from(fraction)
        }
        13 => i128::from(whole) * 1_000_000,
        16 => i128::from(whole) * 1000,
        19 => i128::from(whole),
        _ => return None,
    };
    if digits != 10 && rest.one_of(b".").is_some() {
        rest.fraction();
    }
    // An order's number is not a time.
    if rest.0.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')) {
        return None;
    }
    Some((Timestamp::from_nanosecond(nanoseconds).ok()?, rest.0))
}

/// Text that is being taken apart from its front.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i32> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(number.iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
    }

    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        bytes.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// The digits that follow, as a fraction of a second in nanoseconds.
    fn fraction(&mut self) -> i32 {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        (0..9).fold(0, |sum, at| sum * 10 + fraction.get(at).map_or(0, |digit| i32::from(digit - b'0')))
    }

    /// `Z`, `UTC`, `+02:00`, `-0500`, perhaps after a space.
    fn zone(&mut self) -> Option<Offset> {
        let apart = self.one_of(b" ").is_some();
        let named = match self.0 {
            [b'Z' | b'z', rest @ ..] | [b'U', b'T', b'C', rest @ ..] | [b'G', b'M', b'T', rest @ ..] => Some(rest),
            _ => None,
        };
        if let Some(rest) = named {
            self.0 = rest;
            return (!rest.first().is_some_and(u8::is_ascii_alphanumeric)).then_some(Offset::UTC);
        }
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2)?;
        let minutes = match self.one_of(b":") {
            Some(_) => self.number(2)?,
            // Hours alone, and not even next to the time, are some other number.
            None if apart => self.number(2)?,
            None => self.number(2).unwrap_or(0),
        };
        if hours > 23 || minutes > 59 {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_or_its_rule() {
        for (tz, hour) in [("", 12), ("UTC", 12), (":Asia/Tokyo", 3), ("JST-9", 3), ("nowhere", 99)] {
            let at = Stamps::of_tz(tz).and_then(|stamps| stamps.of(b"2026-11-22 12:00:00 x"));
            let expected = format!("2026-11-22T{hour:02}:00:00Z").parse().ok();
            assert_eq!(at, expected, "{tz}");
        }
    }

    #[test]
    fn the_usual_formats_are_read() {
        let stamps = Stamps::new(TimeZone::fixed(Offset::constant(2)));
        for (line, at) in [
            ("2026-11-21 23:31:02,730 - freqtrade.worker - INFO - Bot heartbeat.", Some("2026-11-21T21:31:02.73Z")),
            ("2026-11-21 23:42:51,403 WARNING __main__: text", Some("2026-11-21T21:42:51.403Z")),
            ("2026-11-21T23:31:02Z ready", Some("2026-11-21T23:31:02Z")),
            ("2026-11-21T23:31:02.123456+05:30 ready", Some("2026-11-21T18:01:02.123456Z")),
            ("2026-11-21T23:31:02.5-0500", Some("2026-11-22T04:31:02.5Z")),
            ("2026-11-21T23:31:02", Some("2026-11-21T21:31:02Z")),
            ("2026-11-21 23:31:02 UTC | x", Some("2026-11-21T23:31:02Z")),
            ("2026-11-21 23:31:02 +0000 x", Some("2026-11-21T23:31:02Z")),
            ("2026-11-21 23:31:02 - 12 orders", Some("2026-11-21T21:31:02Z")),
            ("2026-11-21 23:31:02 -12 orders", Some("2026-11-21T21:31:02Z")),
            ("2026-11-21 23:31:02+02 x", Some("2026-11-21T21:31:02Z")),
            ("2026-11-21 23:31 no seconds", Some("2026-11-21T21:31:00Z")),
            ("2026/11/21 23:31:02 Go's way", Some("2026-11-21T21:31:02Z")),
            ("[2026-11-21 23:31:02.730] x", Some("2026-11-21T21:31:02.73Z")),
            ("[2026-11-21T23:31:02Z INFO  app] x", Some("2026-11-21T23:31:02Z")),
            ("INFO 2026-11-21 23:31:02 x", Some("2026-11-21T21:31:02Z")),
            ("[WARNING] [2026-11-21 23:31:02] x", Some("2026-11-21T21:31:02Z")),
            ("INFO: 2026-11-21 23:31:02 x", Some("2026-11-21T21:31:02Z")),
            ("\u{1b}[32m2026-11-21 23:31:02.730\u{1b}[0m | INFO", Some("2026-11-21T21:31:02.73Z")),
            (r#"{"level":"info","ts":1795303862.5,"msg":"x"}"#, Some("2026-11-21T23:31:02.5Z")),
            (r#"{"time":"2026-11-21T23:31:02Z","msg":"{"}"#, Some("2026-11-21T23:31:02Z")),
            (r#"{"timestamp":1795303862123,"msg":"x"}"#, Some("2026-11-21T23:31:02.123Z")),
            (r#"{"msg":"2026-11-21T23:31:02Z"}"#, None),
            (r#"{"ts":"2026-11-21T23:31:02Z","#, None),
            ("1795303862 x", Some("2026-11-21T23:31:02Z")),
            ("1795303862.250: x", Some("2026-11-21T23:31:02.25Z")),
            ("[1795303862123] x", Some("2026-11-21T23:31:02.123Z")),
            ("1795303862-17 is an order", None),
            ("17953038621 too long", None),
            ("loaded candles from 2026-01-01 00:00:00", None),
            ("Traceback (most recent call last):", None),
            ("  File \"bot.py\", line 3", None),
            ("2026-13-21 23:31:02 no such month", None),
            ("2026-11-21 25:31:02 no such hour", None),
            ("2026-11-21 only a day", None),
            ("[11/21/26 23:31:02] INFO     text", Some("2026-11-21T21:31:02Z")),
            ("[21/11/26 23:31:02] no such month", None),
            ("14:31:58.120 INFO of which day?", None),
            ("", None),
            ("\u{1b}[", None),
        ] {
            let at = at.map(|at| at.parse::<Timestamp>().expect("a time"));
            assert_eq!(stamps.of(line.as_bytes()), at, "{line}");
        }
    }

    #[test]
    fn the_time_at_the_front_is_told_from_the_text() {
        let stamps = Stamps::new(TimeZone::UTC);
        for (line, text) in [
            ("2026-11-21 23:31:02,730 - freqtrade.worker - INFO - Bot", Some("freqtrade.worker - INFO - Bot")),
            ("2026-11-21 23:31:02 -12 orders", Some("-12 orders")),
            ("2026-11-21 23:31:02 - 12 orders", Some("12 orders")),
            ("2026-11-21T23:31:02Z  WARN app: x", Some("WARN app: x")),
            ("2026-11-21 23:31:02 | INFO | x", Some("INFO | x")),
            ("[2026-11-21 23:31:02] x", Some("x")),
            ("[11/21/26 23:31:02] INFO     x", Some("INFO     x")),
            ("2026-11-21 23:31:02", Some("")),
            ("INFO 2026-11-21 23:31:02 x", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(stamps.front(line.as_bytes()).map(|(_, length)| &line[length..]), text, "{line}");
        }
    }

    #[test]
    fn a_run_says_when_it_began() {
        let at: Timestamp = "2026-11-22T01:12:45.123Z".parse().expect("a time");
        assert_eq!(run_start("20261122T011245123-4f2a"), Some(at));
        assert_eq!(run_start("manual"), None);
    }

    #[test]
    fn no_bytes_break_it() {
        let stamps = Stamps::new(TimeZone::UTC);
        let mut dice = fastrand::Rng::with_seed(3);
        for _ in 0..20_000 {
            let line: Vec<u8> = (0..dice.usize(0..40))
                .map(|_| *dice.choice(b"0123456789-:T ,.+Z[({\"\x1bm:WARNts\xff").expect("one"))
                .collect();
            stamps.of(&line);
        }
    }
}
