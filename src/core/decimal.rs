//! Decimal numbers as text: as the source has them, digit for digit, and never with an exponent.

/// No decimal is written out longer than this: an exponent of nine digits is a gigabyte of zeros.
const LONGEST: usize = 1024;

/// A number that a source writes as text, without its exponent (`1e-8` is `0.00000001`) and otherwise as it stands
/// (`1.50`); none if it is no number, or one of absurd length.
pub fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    // Nearly every number stands there as it is to be.
    if is_plain(text) {
        return Some(text.to_owned());
    }
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if digits.len() > LONGEST || exponent.unsigned_abs() as usize > LONGEST {
        return None;
    }
    let (whole, fraction) =
        if exponent == 0 { (whole.to_owned(), fraction.to_owned()) } else { shifted(whole, fraction, exponent) };
    let whole = if whole.is_empty() { "0" } else { &whole };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Whether it has digits, and at most a sign before them and a point among them.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (Some(first), Some(last)) = (digits.first(), digits.last()) else { return false };
    first.is_ascii_digit()
        && last.is_ascii_digit()
        && digits.split(|byte| *byte == b'.').count() <= 2
        && digits.len() <= LONGEST
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// The digits before and after the point once it has moved to the right, or to the left.
fn shifted(whole: &str, fraction: &str, by: i32) -> (String, String) {
    let mut digits = format!("{whole}{fraction}");
    let mut point = whole.len() as i32 + by;
    if point < 0 {
        digits.insert_str(0, &"0".repeat(point.unsigned_abs() as usize));
        point = 0;
    }
    let point = point as usize;
    if point > digits.len() {
        digits.push_str(&"0".repeat(point - digits.len()));
    }
    let fraction = digits.split_off(point);
    let kept = digits.trim_start_matches('0').len();
    (digits.split_off(digits.len() - kept), fraction)
}

/// A binary fraction by the shortest decimal that means it; none for what is no number.
pub fn real(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

/// An integer that counts millionths: 1500000 is `1.5`.
pub fn millionths(value: i64) -> String {
    const MILLION: u64 = 1_000_000;
    let sign = if value < 0 { "-" } else { "" };
    let (whole, rest) = (value.unsigned_abs() / MILLION, value.unsigned_abs() % MILLION);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let rest = format!("{rest:06}");
    format!("{sign}{whole}.{}", rest.trim_end_matches('0'))
}

/// Whether a decimal is more than nothing.
pub fn is_positive(decimal: &str) -> bool {
    !decimal.starts_with('-') && decimal.bytes().any(|byte| (b'1'..=b'9').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_as_it_stands_but_for_its_exponent() {
        for (text, expected) in [
            ("1.50", "1.50"),
            ("0.10", "0.10"),
            ("0", "0"),
            ("-0.0", "-0.0"),
            ("007", "007"),
            (" 12 ", "12"),
            ("+3.5", "3.5"),
            (".5", "0.5"),
            ("-.5", "-0.5"),
            ("5.", "5"),
            ("1e-8", "0.00000001"),
            ("1E-08", "0.00000001"),
            ("1.50e-3", "0.00150"),
            ("-1.5E+3", "-1500"),
            ("12.345e1", "123.45"),
            ("12.345e3", "12345"),
            ("12.345e4", "123450"),
            ("123e-2", "1.23"),
            ("0e5", "0"),
            ("0.05e2", "5"),
            ("0.1234567890123456789012345678901", "0.1234567890123456789012345678901"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        let long = "1".repeat(LONGEST + 1);
        for text in [
            "",
            " ",
            ".",
            "-",
            "+-1",
            "--1",
            "e5",
            "1e",
            "1e5.5",
            "1e999999999",
            "1e-2147483648",
            "1e99999999999",
            "NaN",
            "inf",
            "-Infinity",
            "0x10",
            "1_000",
            "1,5",
            "1 2",
            "1.2.3",
            "١",
            "lots",
            "\u{1b}[31m1",
            &long,
        ] {
            assert_eq!(plain(text), None, "{text:?}");
        }
    }

    #[test]
    fn binary_fractions_have_no_exponent_and_are_as_short_as_they_can_be() {
        for (value, expected) in [
            (0.1, "0.1"),
            (0.05, "0.05"),
            (61_000.0, "61000"),
            (1e-8, "0.00000001"),
            (1e21, "1000000000000000000000"),
            (0.1 + 0.2, "0.30000000000000004"),
            (-2.5, "-2.5"),
        ] {
            assert_eq!(real(value).as_deref(), Some(expected));
        }
        assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(real), [None, None, None]);
    }

    #[test]
    fn millionths_lose_their_zeros() {
        for (value, expected) in [
            (1_500_000, "1.5"),
            (0, "0"),
            (1, "0.000001"),
            (-1, "-0.000001"),
            (61_000_000_000, "61000"),
            (-2_050_000, "-2.05"),
            (i64::MAX, "9223372036854.775807"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(millionths(value), expected);
        }
    }

    #[test]
    fn more_than_nothing_is_seen_however_it_is_written() {
        for (text, expected) in [("0", false), ("0.000", false), ("-1", false), ("0.0001", true), ("10", true)] {
            assert_eq!(is_positive(text), expected, "{text}");
        }
    }

    /// Whatever number is written in whatever way means the same afterwards.
    #[test]
    fn a_random_walk_changes_no_number() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let value = f64::from_bits(random.u64(..));
            if !value.is_finite() {
                continue;
            }
            for text in [format!("{value:e}"), format!("{value}"), format!("{value:.9}")] {
                let shown = plain(&text).or_else(|| real(value)).expect("a number");
                assert!(!shown.contains(['e', 'E']), "{text} -> {shown}");
                let same = shown.parse::<f64>().expect("a number");
                assert_eq!(same.to_bits(), text.parse::<f64>().expect("a number").to_bits(), "{text} -> {shown}");
            }
            let count = random.i64(..);
            let (whole, fraction) = (count / 1_000_000, count % 1_000_000);
            let expected =
                format!("{}{}.{:06}", if count < 0 { "-" } else { "" }, whole.unsigned_abs(), fraction.unsigned_abs());
            assert_eq!(millionths(count), expected.trim_end_matches('0').trim_end_matches('.'));
        }
    }
}
