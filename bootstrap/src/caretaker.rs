//! What the main thread of PID 1 does: it buries orphans, and it powers off when the others hang.
//!
//! The kernel hands orphans to the main thread. Our own children belong to the threads that started them: the runtime's
//! workers, which live as long as the guest, or threads that wait for their child before they end. So waiting for
//! children of this thread alone (`__WNOTHREAD`) takes no exit status away from whoever waits for it.

use std::time::Duration;

use rustix::process::WaitOptions;

use crate::guest::Guest;
use crate::power;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(250);
/// `__WNOTHREAD` of `linux/wait.h`.
const THIS_THREAD: WaitOptions = WaitOptions::from_bits_retain(0x2000_0000);

/// Never ends.
pub(crate) fn watch(guest: &Guest) -> ! {
    loop {
        while bury() {}
        if guest.is_overdue() {
            power::at_once(guest, "its tasks do not answer");
        }
        std::thread::sleep(PAUSE);
    }
}

/// Reaps one ended child of this thread; false where there is none.
fn bury() -> bool {
    matches!(
        rustix::process::wait(THIS_THREAD | WaitOptions::NOHANG),
        Ok(Some(_))
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_of_another_thread_keeps_its_status_and_one_of_ours_is_buried() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (go_on, may) = std::sync::mpsc::channel();
        let other = std::thread::spawn(move || {
            let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(100));
            sender.send(()).unwrap();
            may.recv().unwrap();
            child.wait().unwrap().code()
        });
        receiver.recv().unwrap();
        assert!(!bury(), "another thread's child was taken");
        let mut ours = Command::new("true").spawn().unwrap();
        let buried = (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            bury()
        });
        assert!(buried);
        assert!(ours.wait().is_err(), "it has been buried already");
        go_on.send(()).unwrap();
        assert_eq!(other.join().unwrap(), Some(7));
    }
}
