//! The power button, as an input device of the kernel (Documentation/input/input.rst): ACPI's on x86-64, GPIO's elsewhere.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use crate::guest::Guest;
use crate::power::Ending;

/// `struct input_event` on 64-bit machines: two longs of time, type, code, value.
const EVENT: usize = 24;
const EV_KEY: u16 = 1;
const KEY_POWER: u16 = 116;
const PRESSED: i32 = 1;

/// Asks for the end when a power button is pressed. A guest without one has other ways.
pub(crate) fn watch(guest: &Arc<Guest>) {
    let Ok(devices) = std::fs::read_dir(guest.path("/dev/input")) else {
        return;
    };
    let events = devices
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("event"));
    for device in events {
        let ask = guest.ask.clone();
        // A thread for each, for there are one or two, and they sleep in the kernel until the guest ends.
        std::thread::spawn(move || {
            // A device that goes away is one that nobody presses any more.
            if File::open(device.path()).and_then(pressed).is_ok() {
                // Nobody listens once the end has begun.
                let _ = ask.send(Ending::Asked("the power button was pressed"));
            }
        });
    }
}

/// Waits until the button is pressed.
fn pressed(mut device: impl Read) -> io::Result<()> {
    let mut buffer = [0; 64 * EVENT];
    loop {
        let count = device.read(&mut buffer)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if buffer[..count].chunks_exact(EVENT).any(is_press) {
            return Ok(());
        }
    }
}

fn is_press(event: &[u8]) -> bool {
    let (kind, code, value) = (&event[16..18], &event[18..20], &event[20..24]);
    *kind == EV_KEY.to_ne_bytes()
        && *code == KEY_POWER.to_ne_bytes()
        && *value == PRESSED.to_ne_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
        [
            &[0xff; 16][..],
            &kind.to_ne_bytes(),
            &code.to_ne_bytes(),
            &value.to_ne_bytes(),
        ]
        .concat()
    }

    #[test]
    fn only_pressing_the_power_button_counts() {
        assert!(is_press(&event(1, 116, 1)));
        for (kind, code, value) in [(1, 116, 0), (1, 30, 1), (0, 0, 0), (2, 116, 1)] {
            assert!(!is_press(&event(kind, code, value)));
        }
    }

    #[test]
    fn a_press_is_found_among_other_events_and_a_device_that_ends_is_no_press() {
        let stream = [event(0, 0, 0), event(1, 30, 1), event(1, 116, 1)].concat();
        assert!(pressed(&stream[..]).is_ok());
        assert!(pressed(&stream[..2 * EVENT]).is_err());
    }
}
