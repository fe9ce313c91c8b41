//! What the texts of containers may take, their environment and their command: Linux starts no program with more than fits
//! into one (execve(2)), and the guest's memory holds only so many of all. More is refused where it is written, before it
//! fills that memory.

/// The most bytes of one text, of those of one container, and of those of all.
pub(super) const LONGEST: usize = 128 << 10;
const ONE: usize = 2 << 20;
const ALL: usize = 8 << 20;

/// What Linux needs beside the bytes of a word (its end and a pointer to it), and of a variable (its `=`, too).
const WORD: usize = 9;
const VARIABLE: usize = 10;

pub(super) const CAUSE: &str = "the environment or the command is larger than Linux takes";
const WHOLE: &str = "all environments and commands of the workload take more than 8 MiB";

/// What is left to the whole workload.
pub(super) struct Whole(usize);

impl Default for Whole {
    fn default() -> Self {
        Self(ALL)
    }
}

impl Whole {
    /// Room for one container.
    pub(super) fn room(&mut self) -> Room<'_> {
        Room {
            left: ONE,
            whole: &mut self.0,
            is_full: false,
        }
    }
}

/// What is left to one container.
pub(super) struct Room<'w> {
    left: usize,
    whole: &'w mut usize,
    is_full: bool,
}

impl Room<'_> {
    /// Takes room for a variable.
    ///
    /// # Errors
    /// That it does not fit; what was taken before stays taken.
    pub(super) fn variable(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        self.take(name.len().saturating_add(value.len()), VARIABLE)
    }

    /// Takes room for a word of a command.
    ///
    /// # Errors
    /// That it does not fit; what was taken before stays taken.
    pub(super) fn word(&mut self, word: &str) -> Result<(), &'static str> {
        self.take(word.len(), WORD)
    }

    /// Whether something did not fit any more: that has been told, and nothing further is looked at.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    fn take(&mut self, bytes: usize, beside: usize) -> Result<(), &'static str> {
        if bytes > LONGEST {
            return Err(CAUSE);
        }
        let taken = bytes + beside;
        let (left, whole) = (self.left.checked_sub(taken), self.whole.checked_sub(taken));
        self.is_full = left.is_none() || whole.is_none();
        self.left = left.ok_or(CAUSE)?;
        *self.whole = whole.ok_or(WHOLE)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_takes_more_than_its_bytes_and_all_containers_share_one_room() {
        let mut whole = Whole::default();
        for _ in 0..4 {
            let mut room = whole.room();
            let mut fits = 0;
            while room.variable("A", "").is_ok() {
                fits += 1;
            }
            assert_eq!(fits, ONE / 11);
            assert!(room.is_full());
        }
        let mut room = whole.room();
        while room.word("").is_ok() {}
        assert_eq!(room.word(""), Err(WHOLE));
        assert_eq!(room.word(&"a".repeat(LONGEST + 1)), Err(CAUSE));
    }
}
