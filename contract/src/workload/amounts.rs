//! Amounts as authors write them: durations, bytes and processors, of Compose and of Kubernetes.
//!
//! Each function turns text into one unit (milliseconds, bytes, thousandths of a processor), or says what is wrong
//! without quoting it. Nothing is rounded down to nothing.

const DURATION: &str = "this is no duration";
const AMOUNT: &str = "this is no number of bytes";
const PROCESSORS: &str = "this is no number of processors";

/// The most bytes that a limit may name: beyond any machine, and exact in every arithmetic.
const MOST_BYTES: u64 = 1 << 50;

/// The most thousandths of a processor that a limit may name.
const MOST_THOUSANDTHS: u32 = 1_000_000;

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

/// Bytes as a Kubernetes quantity: `64Mi`, `1500M`, `1.5G`, `129e6`, `512`; a part of a byte is a whole one, but less than
/// one is nothing that a program could run in.
pub(super) fn quantity_bytes(text: &str) -> Result<u64, &'static str> {
    let amount = quantity(text, 1).ok_or(AMOUNT)?;
    match u64::try_from(amount.whole) {
        Ok(0) if amount.has_more => {
            Err("this is less than one byte: `m` is a thousandth, `M` a million")
        }
        Ok(0) => Err(AMOUNT),
        Ok(bytes) if bytes < MOST_BYTES => Ok(bytes + u64::from(amount.has_more)),
        Ok(MOST_BYTES) if !amount.has_more => Ok(MOST_BYTES),
        _ => Err("this is more than any machine has"),
    }
}

/// A limit of Compose, where 0 is as good as none.
pub(super) fn or_none<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, &'static str> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let is_nought = digits.bytes().any(|byte| byte == b'0')
        && digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    match parse(text) {
        Ok(amount) => Ok(Some(amount)),
        Err(_) if is_nought => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Processors as Compose writes them: `0.5`, `2`.
pub(super) fn processors(text: &str) -> Result<u32, &'static str> {
    thousandths(text, 1_000)
}

/// Processors as a Kubernetes quantity: `500m`, `0.5`, `2`, `100u`, rounded up to thousandths.
pub(super) fn quantity_processors(text: &str) -> Result<u32, &'static str> {
    let amount = quantity(text, 1_000).ok_or(PROCESSORS)?;
    let thousandths = amount.whole + u128::from(amount.has_more);
    match u32::try_from(thousandths) {
        Ok(amount @ 1..=MOST_THOUSANDTHS) => Ok(amount),
        Ok(0) => Err(PROCESSORS),
        _ => Err("these are more processors than any machine has"),
    }
}

/// An amount in whole units, and whether a part of one is left.
struct Amount {
    whole: u128,
    has_more: bool,
}

/// A quantity of Kubernetes (apimachinery, `resource.Quantity`) in parts of one, of which there are `parts`; none where it is
/// no such quantity, is negative, or is beyond all bounds.
fn quantity(text: &str, parts: u128) -> Option<Amount> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 32 || fraction.contains('.') {
        return None;
    }
    let (ten, two): (i32, u32) = match suffix {
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "" => (0, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => (exponent(suffix.strip_prefix(['e', 'E'])?)?, 0),
    };
    let ten = ten - i32::try_from(fraction.len()).ok()?;
    let scale = 10_u128.checked_pow(ten.unsigned_abs())?;
    let amount = digits.parse::<u128>().ok()?.checked_mul(parts)?;
    let amount = amount.checked_mul(1 << two)?;
    if ten >= 0 {
        let whole = amount.checked_mul(scale)?;
        return Some(Amount {
            whole,
            has_more: false,
        });
    }
    Some(Amount {
        whole: amount / scale,
        has_more: amount % scale > 0,
    })
}

/// What stands behind the `e` of a number: at most two digits.
fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number =
        (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn thousandths(number: &str, unit: u64) -> Result<u32, &'static str> {
    let amount = scaled(number, unit).ok_or(PROCESSORS)?;
    match u32::try_from(amount) {
        Ok(0) | Err(_) => Err(PROCESSORS),
        Ok(amount) if amount > MOST_THOUSANDTHS => Err(PROCESSORS),
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
            ("1e3", None, Some(1_000)),
            ("129E6", None, Some(129_000_000)),
            ("1E", None, None),
            ("1e+3", None, Some(1_000)),
            ("1e-3", None, None),
            ("1500e-3", None, Some(2)),
            ("128974848000m", None, Some(128_974_848)),
            ("1001m", Some(1_001 << 20), Some(2)),
            ("1P", None, Some(1_000_000_000_000_000)),
            ("1Pi", None, Some(1 << 50)),
            ("1Ei", None, None),
            ("0.1Ki", None, Some(103)),
            ("5.", Some(5), Some(5)),
            ("1e", None, None),
            ("1e999", None, None),
            ("1..5", None, None),
            (".", None, None),
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
        for (text, expected) in [
            ("100u", 1),
            ("1500001u", 1_501),
            ("1n", 1),
            ("1k", 1_000_000),
            ("1e2", 100_000),
            ("0.0001", 1),
        ] {
            assert_eq!(quantity_processors(text), Ok(expected), "{text}");
        }
        for text in ["2k", "0m", "1e9", "-1m"] {
            assert!(quantity_processors(text).is_err(), "{text}");
        }
        for text in ["0", "", "x", "-1", "1m1", "5000000"] {
            assert!(
                processors(text).is_err() && quantity_processors(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn nought_is_no_limit_of_compose() {
        for text in ["0", "0m", "0.0", "0s", "00b"] {
            assert_eq!(or_none::<u8>(text, |_| Err("no")), Ok(None), "{text}");
        }
        for text in ["", "m", ".", "0.1", "-0", "0m0", "10"] {
            assert!(or_none::<u8>(text, |_| Err("no")).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "[0-9.a-zA-Z\u{b5}]{0,40}") {
            let _ = (milliseconds(&text), compose_bytes(&text), quantity_bytes(&text), processors(&text), quantity_processors(&text));
        }
    }
}
