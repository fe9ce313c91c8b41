//! Which processor a thread runs on.
//!
//! Linux may leave a new thread on its parent's processor for longer than all of a contract's work takes (2 to 8 ms were
//! seen, with another processor idle). So a thread moves by itself; where it cannot, it stays, and all is only slower.

/// The processor of the calling thread, where it can be told.
#[cfg(target_os = "linux")]
pub(super) fn current() -> Option<usize> {
    nix::sched::sched_getcpu().ok()
}

/// Moves the calling thread to another processor that it may use, and then lets it use all of them again.
#[cfg(target_os = "linux")]
pub(super) fn leave(processor: usize) {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    let myself = Pid::from_raw(0);
    let Ok(all) = sched_getaffinity(myself) else {
        return;
    };
    let mut others = all;
    let is_other = |one| others.is_set(one).unwrap_or_default() && one != processor;
    if (0..CpuSet::count()).any(is_other)
        && others.unset(processor).is_ok()
        && sched_setaffinity(myself, &others).is_ok()
    {
        let _ = sched_setaffinity(myself, &all);
    }
}

/// Other systems place a new thread well enough.
#[cfg(not(target_os = "linux"))]
pub(super) fn current() -> Option<usize> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn leave(_: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use nix::sched::{sched_getaffinity, sched_getcpu};
    use nix::unistd::Pid;

    #[test]
    fn a_thread_that_leaves_a_processor_may_use_all_of_them_again() {
        std::thread::spawn(|| {
            let myself = Pid::from_raw(0);
            let before = sched_getaffinity(myself).unwrap();
            super::leave(sched_getcpu().unwrap());
            assert_eq!(sched_getaffinity(myself).unwrap(), before);
            super::leave(usize::MAX);
        })
        .join()
        .unwrap();
    }
}
