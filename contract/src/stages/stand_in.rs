//! The work that a sealed contract spares when it does not open, is no YAML or is not signed: done all the same, with a
//! small contract of our own, and forgotten. Whoever watches the processor of a guest learns less of what was wrong.
//!
//! It decides nothing and tells nothing.

use super::{Keys, Rejection, Sealed};
use crate::plan::Plan;
use crate::product::Product;

/// A signed contract in the clear. Its key signed nothing else and is gone.
const CONTRACT: &[u8] = include_bytes!("stand_in.yaml");

/// Takes the stand-in all the way.
pub(super) fn work() {
    #[cfg(test)]
    TAKEN.with(|taken| taken.set(taken.get() + 1));
    // Its value is of no use; it must only not be left out.
    let _ = std::hint::black_box(plan());
}

#[cfg(test)]
thread_local! {
    /// How often it was taken on this thread.
    pub(super) static TAKEN: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

fn plan() -> Result<Plan, Rejection> {
    let sealed = Sealed::parse(CONTRACT, "user-data")?;
    let opened = sealed.open(Keys::default())?;
    opened.verify(Product::Ccrt)?.agree()?.plan()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_stand_in_goes_all_the_way_of_a_signed_contract() {
        let sealed = Sealed::parse(CONTRACT, "user-data").unwrap();
        let opened = sealed.open(Keys::default()).unwrap();
        let verified = opened.verify(Product::Ccrt).unwrap();
        assert!(verified.signer().is_some());
        assert_eq!(plan().unwrap().workload.services.len(), 1);
    }
}
