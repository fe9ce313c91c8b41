//! Equal pieces of work at once: what sealed sections take is RSA and PBKDF2, and a contract has two or three of them.
//!
//! Nothing here outlives its call, and no result depends on where a thread runs.

use std::panic;
use std::thread;

mod processor;

/// The name of the threads here: a panic on one is its caller's, who gets it again.
pub const THREAD: &str = "contract";

/// What `work` makes of each item, in their order: the first that is long work on the caller's thread, each other on one
/// of its own where one is to be had. What is no long work takes no thread.
pub fn map<T: Sync, R: Send, const N: usize>(
    items: &[T; N],
    is_long: impl Fn(&T) -> bool,
    work: impl Fn(&T) -> R + Sync,
) -> [R; N] {
    thread::scope(|scope| {
        let caller = thread::current();
        let here = processor::current();
        let mut is_first = true;
        let started = items.each_ref().map(|item| {
            if !is_long(item) || std::mem::take(&mut is_first) {
                return Err(item);
            }
            let (work, caller) = (&work, caller.clone());
            let started =
                thread::Builder::new()
                    .name(THREAD.to_owned())
                    .spawn_scoped(scope, move || {
                        if let Some(here) = here {
                            processor::leave(here);
                        }
                        caller.unpark();
                        work(item)
                    });
            if started.is_ok() {
                // It cannot leave before it has run, and where it was put it would wait for this thread's slice to end.
                thread::park();
            }
            started.map_err(|_| item)
        });
        started.map(|job| match job {
            Ok(thread) => thread
                .join()
                .unwrap_or_else(|cause| panic::resume_unwind(cause)),
            Err(item) => work(item),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_items_and_a_panic_is_not_swallowed() {
        assert_eq!(map(&[3, 1, 2], |_| true, |item| item * 2), [6, 2, 4]);
        let caught = panic::catch_unwind(|| map(&[1, 2], |_| true, |item| assert_eq!(*item, 1)));
        assert!(caught.is_err());
    }

    #[test]
    fn the_first_long_work_and_all_that_is_short_take_no_thread() {
        let here = thread::current().id();
        let is_here = map(
            &[false, true, false, true],
            |is_long| *is_long,
            |_| thread::current().id() == here,
        );
        assert_eq!(is_here, [true, true, true, false]);
    }
}
