//! How long to wait before the next try: doubling, bounded, and not in step with other guests.
//!
//! This module never sleeps.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
/// The longest delay, and how long a connection has to live for the delays to start over.
pub(crate) const LAST: Duration = Duration::from_secs(10);

/// The delay after the `failures`-th failure in a row (from 0), between half and the whole of the doubled base;
/// `random` is any evenly spread number.
pub(crate) fn delay(failures: u32, random: u8) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.min(16)).min(LAST);
    whole / 2 + whole / 2 * u32::from(random) / 255
}

/// A number that the kernel drew; where it has none to give, delays are merely in step.
pub(crate) fn draw() -> u8 {
    let mut number = [0u8; 1];
    match rustix::rand::getrandom(&mut number, rustix::rand::GetRandomFlags::NONBLOCK) {
        Ok(_) => number[0],
        Err(_) => 255,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_ten_seconds_and_spread_over_half() {
        let cases = [
            (0, 255, 100),
            (0, 0, 50),
            (1, 255, 200),
            (6, 255, 6400),
            (7, 255, 10_000),
            (u32::MAX, 0, 5000),
        ];
        for (failures, random, expected) in cases {
            assert_eq!(
                delay(failures, random),
                Duration::from_millis(expected),
                "{failures}, {random}"
            );
        }
    }
}
