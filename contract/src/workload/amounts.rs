//! Amounts as authors write them: durations, bytes and processors, of Compose and of Kubernetes.
//!
//! Each function turns text into one unit (milliseconds, bytes, thousandths of a processor), or says what is wrong
//! without quoting it. Nothing is rounded down to nothing.

const DURATION: &str = "this is no duration";
const AMOUNT: &str = "this is no number of bytes";
const PROCESSORS: &str = "this is no number of processors";

/// The most bytes that a limit may name: beyond any machine, and exact in every arithmetic.
const MOST_BYTES: u64 = 1 << 50;

/// A duration of Compose such as `1m30s`, `1.5s` or `500ms`, in milliseconds, rounded up.
pub(super) fn milliseconds(text: &str) -> Result<u64, &'static str> {
    let mut nanoseconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .ok_or(DURATION)?;
        let (number, after) = rest.split_at(end);
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        rest = after;
        let unit = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "\u{b5}s" => 1_000,
            "ns" => 1,
            _ => return Err(DURATION),
        };
        nanoseconds = scaled(number, unit)
            .and_then(|part| part.checked_add(nanoseconds))
            .ok_or(DURATION)?;
    }
    if text.is_empty() {
        return Err(DURATION);
    }
    Ok(nanoseconds.div_ceil(1_000_000))
}

/// Bytes as Compose writes them: `64m`, `1.5gb`, `512`; a kilobyte is 1,024.
pub(super) fn compose_bytes(text: &str) -> Result<u64, &'static str> {
    let lower = text.to_ascii_lowercase();
    let end = lower
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let shift = match unit {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(AMOUNT),
    };
    bytes(number, 1 << shift)
}

/// Bytes as a Kubernetes quantity: `64Mi`, `1500M`, `1.5G`, `512`; `k` is 1,000 and `Ki` 1,024.
pub(super) fn quantity_bytes(text: &str) -> Result<u64, &'static str> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1_u64 << 40,
        _ => return Err(AMOUNT),
    };
    bytes(number, unit)
}

/// Processors as Compose writes them: `0.5`, `2`.
pub(super) fn processors(text: &str) -> Result<u32, &'static str> {
    thousandths(text, 1_000)
}

/// Processors as a Kubernetes quantity: `500m`, `0.5`, `2`.
pub(super) fn quantity_processors(text: &str) -> Result<u32, &'static str> {
    match text.strip_suffix('m') {
        Some(thousandth) => thousandths(thousandth, 1),
        None => thousandths(text, 1_000),
    }
}

fn thousandths(number: &str, unit: u64) -> Result<u32, &'static str> {
    let amount = scaled(number, unit).ok_or(PROCESSORS)?;
    match u32::try_from(amount) {
        Ok(0) | Err(_) => Err(PROCESSORS),
        Ok(amount) if amount > 1_000_000 => Err(PROCESSORS),
        Ok(amount) => Ok(amount),
    }
}

fn bytes(number: &str, unit: u64) -> Result<u64, &'static str> {
    match scaled(number, unit) {
        Some(amount) if (1..=MOST_BYTES).contains(&amount) => Ok(amount),
        _ => Err(AMOUNT),
    }
}

/// A decimal number times a unit, rounded up; none where it is no number or too large.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let part = if fraction.is_empty() {
        0
    } else {
        let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let numerator = fraction
            .parse::<u128>()
            .ok()?
            .checked_mul(u128::from(unit))?;
        u64::try_from(numerator.div_ceil(scale)).ok()?
    };
    whole.checked_mul(unit)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_rounded_up_to_milliseconds() {
        for (text, expected) in [
            ("10s", Some(10_000)),
            ("1m30s", Some(90_000)),
            ("1.5s", Some(1_500)),
            ("500ms", Some(500)),
            ("1us", Some(1)),
            ("0s", Some(0)),
            ("1h", Some(3_600_000)),
            ("", None),
            ("10", None),
            ("s", None),
            (".s", None),
            ("1..5s", None),
            ("-1s", None),
            ("1d", None),
            ("99999999999999999999s", None),
            ("18446744073709551615h", None),
            ("1s ", None),
        ] {
            assert_eq!(milliseconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn bytes_follow_their_file_format() {
        for (text, compose, kubernetes) in [
            ("512", Some(512), Some(512)),
            ("64m", Some(64 << 20), None),
            ("64M", Some(64 << 20), Some(64_000_000)),
            ("64Mi", None, Some(64 << 20)),
            ("64mib", Some(64 << 20), None),
            ("1.5g", Some(3 << 29), None),
            ("1.5Gi", None, Some(3 << 29)),
            ("2kb", Some(2048), None),
            ("0", None, None),
            ("-1", None, None),
            ("1e3", None, None),
            ("9999999t", None, None),
            ("", None, None),
        ] {
            assert_eq!(compose_bytes(text).ok(), compose, "{text}");
            assert_eq!(quantity_bytes(text).ok(), kubernetes, "{text}");
        }
    }

    #[test]
    fn processors_are_counted_in_thousandths() {
        assert_eq!(processors("0.5"), Ok(500));
        assert_eq!(processors("2"), Ok(2_000));
        assert_eq!(quantity_processors("250m"), Ok(250));
        assert_eq!(quantity_processors("0.1"), Ok(100));
        for text in ["0", "", "x", "-1", "1m1", "5000000"] {
            assert!(
                processors(text).is_err() && quantity_processors(text).is_err(),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "[0-9.a-zA-Z\u{b5}]{0,40}") {
            let _ = (milliseconds(&text), compose_bytes(&text), quantity_bytes(&text), processors(&text));
        }
    }
}
