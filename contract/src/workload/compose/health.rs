//! `healthcheck` of a service: what is run in its container to tell whether others may rely on it.

use super::super::amounts;
use super::super::reader::{Reader, Value};
use crate::plan::{HealthCheck, Probe, Purpose};

const REMEDY: &str = "write a duration up to a day, such as 30s or 1m30s";

/// The longest time that a check may ask for.
const LONGEST: u64 = 24 * 3_600_000;

/// Reads `healthcheck`; nothing where it is disabled.
pub(super) fn read(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<HealthCheck> {
    if value.is_empty() {
        return None;
    }
    let (mut test, mut disabled) = (None, false);
    let (mut interval, mut timeout, mut failures) = (30_000, 30_000, 3);
    let (mut start_period, mut start_interval) = (0, 5_000);
    for (key, field) in reader.entries(value) {
        match key {
            "test" => test = Some(field),
            "disable" => disabled = reader.flag(&field).unwrap_or_default(),
            "interval" => interval = duration(reader, &field, interval)?,
            "timeout" => timeout = duration(reader, &field, timeout)?,
            "start_period" => start_period = duration(reader, &field, start_period)?,
            "start_interval" => start_interval = duration(reader, &field, start_interval)?,
            "retries" => {
                let tries = reader.whole(&field, 0..=1_000)?;
                failures = if tries > 0 { tries } else { failures };
            }
            _ => {
                let known =
                    "test, interval, timeout, retries, start_period, start_interval, disable";
                reader.unknown(&field, key, known);
            }
        }
    }
    let Some(test) = test else {
        if !disabled {
            reader.refuse(
                value,
                "the health check has no test",
                "write `test`: a check that the image brings is not read",
            );
        }
        return None;
    };
    let command = command(reader, &test)?;
    // Compose waits for one interval before the first check; within the start period that interval is its own.
    let initial_delay = if start_period > 0 {
        start_interval.min(interval)
    } else {
        interval
    };
    (!disabled).then(|| HealthCheck {
        purpose: Purpose::Readiness,
        probe: Probe::Exec(command),
        interval,
        timeout,
        failures,
        successes: 1,
        start_period,
        start_interval: (start_period > 0).then_some(start_interval),
        initial_delay,
    })
}

/// The program to run; none where the test says `NONE`, or is wrong.
fn command(reader: &mut Reader<'_>, test: &Value<'_>) -> Option<Vec<String>> {
    let shell = |text: String| vec!["/bin/sh".to_owned(), "-c".to_owned(), text];
    if test.is_text() {
        return reader.text(test).map(|text| shell(text.to_string()));
    }
    let mut words = reader.texts(test).into_iter();
    let (first, rest) = (words.next(), words.collect::<Vec<_>>());
    match (first.as_deref(), rest.as_slice()) {
        (Some("NONE"), []) => None,
        (Some("CMD"), [_, ..]) => Some(rest),
        (Some("CMD-SHELL"), [line]) => Some(shell(line.clone())),
        _ => {
            reader.refuse(
                test,
                "the test is none that Compose knows",
                "write text, [CMD, program, argument...], [CMD-SHELL, text] or [NONE]",
            );
            None
        }
    }
}

/// A duration; 0 is the one that is usual (Docker).
fn duration(reader: &mut Reader<'_>, value: &Value<'_>, usual: u64) -> Option<u64> {
    let bounded = |text: &str| match amounts::milliseconds(text)? {
        0 => Ok(usual),
        time if time <= LONGEST => Ok(time),
        _ => Err("this duration is out of bounds"),
    };
    reader.parsed(value, bounded, REMEDY)
}
