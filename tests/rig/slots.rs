//! How many guests run at a time: as many tests as the test program runs, but no more than fit into memory.

use std::{
    fs,
    sync::{Condvar, Mutex, OnceLock, PoisonError},
};

/// A guest of 512 MiB with QEMU, and what its world needs.
const KIB_PER_GUEST: u64 = 1 << 20;

static FREE: OnceLock<Mutex<u64>> = OnceLock::new();
static RETURNED: Condvar = Condvar::new();

/// The right to run one guest, given back on drop.
#[derive(Debug)]
pub struct Slot(());

impl Slot {
    /// Waits for a free slot.
    pub fn take() -> Self {
        let free = FREE.get_or_init(|| {
            Mutex::new(fitting(
                &fs::read_to_string("/proc/meminfo").unwrap_or_default(),
            ))
        });
        let locked = free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = RETURNED
            .wait_while(locked, |left| *left == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= 1;
        Self(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(free) = FREE.get() {
            *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            RETURNED.notify_one();
        }
    }
}

/// How many guests fit, by `/proc/meminfo`; at least one is tried.
fn fitting(meminfo: &str) -> u64 {
    let available = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = available.and_then(|value| value.trim().trim_end_matches(" kB").parse::<u64>().ok());
    (kib.unwrap_or(0) / KIB_PER_GUEST).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_decides_how_many_guests_fit() {
        for (meminfo, fit) in [
            ("MemTotal: 8000000 kB\nMemAvailable:    3400000 kB\n", 3),
            ("MemAvailable:    100000 kB\n", 1),
            ("nothing known", 1),
        ] {
            assert_eq!(fitting(meminfo), fit, "{meminfo}");
        }
    }
}
