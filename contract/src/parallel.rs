//! Equal pieces of work at once: what sealed sections take is RSA and PBKDF2, and a contract has two or three of them.
//!
//! Nothing here outlives its call.

use std::panic;
use std::thread;

/// The name of the threads here: a panic on one is its caller's, who gets it again.
pub const THREAD: &str = "contract";

/// What `work` makes of each item, in their order: the first that is long work on the caller's thread, each other on one
/// of its own where one is to be had. What is no long work takes no thread.
pub(crate) fn map<T: Sync, R: Send, const N: usize>(
    items: &[T; N],
    is_long: impl Fn(&T) -> bool,
    work: impl Fn(&T) -> R + Sync,
) -> [R; N] {
    thread::scope(|scope| {
        let mut is_first = true;
        let started = items.each_ref().map(|item| {
            let work = &work;
            if !is_long(item) || std::mem::take(&mut is_first) {
                return Err(item);
            }
            thread::Builder::new()
                .name(THREAD.to_owned())
                .spawn_scoped(scope, move || work(item))
                .map_err(|_| item)
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
