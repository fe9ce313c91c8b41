//! Which processor a thread runs on.
//!
//! Linux may leave a new thread on its parent's processor for longer than all of a contract's work takes (2 to 8 ms were
//! seen, with another processor idle). So a thread moves by itself; where it cannot, it stays, and all is only slower.

/// The processor of the calling thread.
#[cfg(target_os = "linux")]
pub(super) fn current() -> usize {
    rustix::thread::sched_getcpu()
}

/// Moves the calling thread to another processor that it may use, and then lets it use all of them again.
#[cfg(target_os = "linux")]
pub(super) fn leave(processor: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(all) = sched_getaffinity(None) else {
        return;
    };
    if processor >= CpuSet::MAX_CPU {
        return;
    }
    let mut others = all;
    others.unset(processor);
    if others.count() > 0 && sched_setaffinity(None, &others).is_ok() {
        let _ = sched_setaffinity(None, &all);
    }
}

/// Other systems place a new thread well enough.
#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> usize {
    0
}

#[cfg(not(target_os = "linux"))]
pub(super) fn leave(_: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use rustix::thread::{sched_getaffinity, sched_getcpu};

    #[test]
    fn a_thread_that_leaves_a_processor_may_use_all_of_them_again() {
        std::thread::spawn(|| {
            let before = sched_getaffinity(None).unwrap();
            super::leave(sched_getcpu());
            assert_eq!(sched_getaffinity(None).unwrap(), before);
            super::leave(usize::MAX);
        })
        .join()
        .unwrap();
    }
}
