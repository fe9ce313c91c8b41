//! What the texts of one container may take together, its environment and its command: Linux starts no program with more
//! (execve(2)), so more is refused where it is written, before it fills the guest's memory.

/// The most bytes of one text, and of all together.
pub(super) const LONGEST: usize = 128 << 10;
const ALL: usize = 2 << 20;

const CAUSE: &str = "the environment or the command is larger than Linux takes";

/// What is left.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(ALL)
    }
}

impl Room {
    /// Takes room for one text.
    ///
    /// # Errors
    /// That it does not fit; what was taken before stays taken.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), &'static str> {
        if bytes > LONGEST {
            return Err(CAUSE);
        }
        self.0 = self.0.checked_sub(bytes).ok_or(CAUSE)?;
        Ok(())
    }
}
