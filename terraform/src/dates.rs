//! Times as configurations write and read them (RFC 3339).

use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

const DAY: i64 = 24 * 60 * 60;

/// Seconds since the Unix epoch as text. One outside of the years 0 to 9999 has none.
pub(crate) fn text(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// How many whole days are left until a time, as text.
pub(crate) fn days_left(until: i64, now: i64) -> String {
    until.saturating_sub(now).div_euclid(DAY).to_string()
}

/// A time such as `2027-06-30T12:00:00Z`, or a date, which means its first second; seconds since the Unix epoch.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    let day = || Date::parse(text, &Iso8601::DATE).ok();
    time.or_else(|| Some(day()?.midnight().assume_utc()))
        .map(OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(parse("1970-01-02"), Some(86_400));
        assert_eq!(parse("1970-01-01T01:00:00+01:00"), Some(0));
        assert_eq!(parse(&text(1_800_000_000)), Some(1_800_000_000));
        for wrong in ["", "tomorrow", "2027-13-01", "2027-06-30 12:00"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
