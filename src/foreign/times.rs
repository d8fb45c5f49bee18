//! Times as other people's files have them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A time written as text: ISO 8601 with a zone, without one (then it is UTC), with a blank in place of the `T`, or a
/// count since 1970. None if it is nothing of the kind.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(count) = text.parse::<i64>() {
        return count_since_1970(count);
    }
    if let Ok(count) = text.parse::<f64>() {
        return fraction_since_1970(count);
    }
    // One with a zone would be read without it, so this comes first.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let naive: DateTime = text.parse().ok()?;
    // Something stands behind it that was passed over: a zone that nobody can read is no UTC.
    if text.contains('[') {
        return None;
    }
    naive.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// Seconds, or by its size milli-, micro- or nanoseconds: as seconds they would be thousands of years away.
pub(crate) fn count_since_1970(count: i64) -> Option<Timestamp> {
    match count.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(count),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(count),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(count),
        _ => Timestamp::from_nanosecond(i128::from(count)),
    }
    .ok()
}

/// The same with a fraction.
pub(crate) fn fraction_since_1970(count: f64) -> Option<Timestamp> {
    let seconds = match count.abs() {
        size if size < 1e11 => count,
        size if size < 1e14 => count / 1e3,
        size if size < 1e17 => count / 1e6,
        // Also what is no number.
        _ => return None,
    };
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_however_they_are_written() {
        for text in [
            "2026-11-21T23:31:02Z",
            "2026-11-21T23:31:02+00:00",
            "2026-11-22T00:31:02+01:00",
            "2026-11-21T23:31:02",
            "2026-11-21 23:31:02",
            "2026-11-21 23:31:02.000000",
            "2026-11-21 23:31:02+00:00",
            " 2026-11-21 23:31:02 ",
            "1795303862",
            "1795303862.0",
            "1795303862000",
            "1795303862000000",
            "1795303862000000000",
        ] {
            assert_eq!(parse(text).map(|at| at.to_string()).as_deref(), Some("2026-11-21T23:31:02Z"), "{text}");
        }
        assert_eq!(
            parse("2026-11-21 23:31:02.730001").map(|at| at.to_string()).as_deref(),
            Some("2026-11-21T23:31:02.730001Z")
        );
        assert_eq!(parse("2026-11-21").map(|at| at.to_string()).as_deref(), Some("2026-11-21T00:00:00Z"));
        for text in ["", "yesterday", "NaN", "inf", "-", "2026-13-01", "2026-11-21 25:00:00", "99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
